// Command notice is the Lambda that is the public face of the policy, and publishes
// its editions.
// What it has and may do stands in topology.Notice.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/policies"
	"rightsdesk/shared/boot/routes"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.Notice, policies.Part, routes.Part) }
