// Command fulfil is the Lambda that works off plans: one step on one
// data source at a time.
// What it has and may do stands in topology.Fulfil.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/packages"
	"rightsdesk/shared/boot/queueing"
	"rightsdesk/shared/boot/stores"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.Fulfil, packages.Part, queueing.Part, stores.Part) }
