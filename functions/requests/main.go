// Command requests is the Lambda that takes in rights requests and shows
// where they stand, to the person and to operators.
// What it has and may do stands in topology.Requests.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/apps"
	"rightsdesk/shared/boot/packages"
	"rightsdesk/shared/boot/queueing"
	"rightsdesk/shared/boot/routes"
	"rightsdesk/shared/boot/vault"
	"rightsdesk/shared/topology"
)

func main() {
	boot.Run(topology.Requests, apps.Part, packages.Part, queueing.Part, routes.Part, vault.Part)
}
