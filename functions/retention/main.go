// Command retention is the Lambda that sweeps what has outlived its purpose,
// destroys salts and replays the erasure ledger.
// What it has and may do stands in topology.Retention.
package main

import (
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/stores"
	"rightsdesk/shared/topology"
)

func main() { boot.Run(topology.Retention, stores.Part) }
