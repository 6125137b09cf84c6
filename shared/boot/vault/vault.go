// Package vault lets a function seal the audit in the write-once bucket, or read there
// what was sealed. Mains import it.
package vault

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/checkpoint/s3"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry may read or write checkpoints. It gives who
// only reads nothing to seal with: a function that took down what it is told of would
// need the right to write.
var Part = boot.Part{
	Name:   "vault",
	Grants: func(f topology.Function) bool { return f.Checkpoints != topology.None },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		desk := a.Desk // the ring may be opened later
		bucket := s3.New(a.AWS, a.Setting(topology.Checkpoints))
		a.Try("checkpoints", "look at the bucket Checkpoints of the stack; docs/runbooks/CheckpointStalled.md", func(ctx context.Context) (string, error) {
			_, err := bucket.List(ctx, "checkpoints/", "")
			return "the bucket of sealed entries can be listed", err
		})
		signer := jws.Signer{Ring: func() *seal.Ring { return desk.Requests.Keys.Ring }}
		if a.Function.Checkpoints == topology.Read {
			a.ProveBy(bucket, signer)
			return nil
		}
		a.SealIn(bucket, signer)
		return nil
	},
}
