// Command relay is the Lambda that carries what commits announced to mail, queue and
// event bus, sends digests, and seals the audit.
// What it has and may do stands in topology.Relay.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/mailing"
	"rightsdesk/shared/boot/publishing"
	"rightsdesk/shared/boot/queueing"
	"rightsdesk/shared/boot/vault"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.Relay, mailing.Part, publishing.Part, queueing.Part, vault.Part) }
