// Package downloads lets a function hand out links to people's packages, and
// nothing else: it does not carry the client of the bucket. Mains import it.
package downloads

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/export/s3/presign"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry may read exports.
var Part = boot.Part{
	Name:   "downloads",
	Grants: func(f topology.Function) bool { return f.Exports == topology.Read },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		a.Service.Downloads = presign.New(a.AWS, a.Setting(topology.ExportsName))
		return nil
	},
}
