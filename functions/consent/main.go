// Command consent is the Lambda that takes down what people choose, tells apps what
// they may do, and shows people their own choices.
// What it has and may do stands in topology.Consent.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/apps"
	"rightsdesk/shared/boot/routes"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.Consent, apps.Part, routes.Part) }
