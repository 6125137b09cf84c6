// Package vault lets a function seal the audit in the write-once bucket. Mains import
// it.
package vault

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/checkpoint/s3"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry may write checkpoints.
var Part = boot.Part{
	Name:   "vault",
	Grants: func(f topology.Function) bool { return f.Checkpoints >= topology.Append },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		desk := a.Desk // the ring may be opened later
		bucket := s3.New(a.AWS, a.Setting(topology.Checkpoints))
		a.Try("checkpoints", "look at the bucket Checkpoints of the stack; docs/runbooks/CheckpointStalled.md", func(ctx context.Context) (string, error) {
			_, err := bucket.List(ctx, "checkpoints/", "")
			return "the bucket of sealed entries can be listed", err
		})
		a.SealIn(bucket, jws.Signer{Ring: func() *seal.Ring { return desk.Requests.Keys.Ring }})
		return nil
	},
}
