// Command deadlines is the Lambda that watches the clock: it reminds people
// and operators, unverified requests lapse, packages and attachments are erased.
// What it has and may do stands in topology.Deadlines.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/packages"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.Deadlines, packages.Part) }
