// Command mailevents is the Lambda that hears what became of mail: an address
// that takes none, an owner who calls it spam.
// What it has and may do stands in topology.MailEvents.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/hearing"
	"rightsdesk/shared/boot/mailing"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.MailEvents, hearing.Part, mailing.Suppressions) }
