// Package packages lets a function keep people's packages, and what they attached,
// in the bucket of exports. Mains import it.
package packages

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/export/s3"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry may write exports.
var Part = boot.Part{
	Name:   "packages",
	Grants: func(f topology.Function) bool { return f.Exports >= topology.Append },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		store := s3.New(a.AWS, a.Setting(topology.ExportsName))
		a.Keep(store, store)
		if a.Function.Exports == topology.ReadWrite { // who may not list is not told whether an object is there
			a.Try("bucket of packages", "", func(ctx context.Context) (string, error) {
				_, _, err := store.List(ctx, "health/", "")
				return "", err
			})
		}
		return nil
	},
}
