// Command closure is the Lambda that closes accounts, hears of the life of
// relationships, and is the operators' side of retention, legal holds and restores.
// What it has and may do stands in topology.Closure.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/apps"
	"rightsdesk/shared/boot/hearing"
	"rightsdesk/shared/boot/routes"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.Closure, apps.Part, hearing.Part, routes.Part) }
