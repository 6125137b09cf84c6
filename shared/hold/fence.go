// Package hold keeps legal holds away from deletion. What stands here so far is
// the fence: the item whose version every claim of destructive work checks, so
// that placing a hold and claiming a page can never both win.
//
// Holds themselves arrive with a later version; a fence that does not exist
// holds nothing back. It imports the table port and the domain imports it.
package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"rightsdesk/shared/table"
)

// Fence names one item that a claim depends on.
//
//	partition             sort   body        who puts it
//	fence#person#<id>     -      {"holds"}   placing or releasing a hold
//	fence#request#<id>    -      {"holds"}   the same
//	fence#source#<id>     -      {"holds"}   the same
type Fence struct{ kind, id string }

// Person is the fence around a data subject.
func Person(subject string) Fence { return Fence{"person", subject} }

// Request is the fence around one request.
func Request(id string) Fence { return Fence{"request", id} }

// Source is the fence around one data source.
func Source(id string) Fence { return Fence{"source", id} }

// Ref is where the fence stands.
func (f Fence) Ref() table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: "fence#" + f.kind + "#" + f.id, Sort: "-"}}
}

// ErrHeld says that a hold covers what was to be claimed.
var ErrHeld = errors.New("hold: a legal hold is in force")

const fenceSchema = 1

type fenceBody struct {
	Holds int `json:"holds"` // placed and not yet released
}

// Checks reads the fences and returns the conditions that a claim's commit must
// carry: should any fence change before the commit, the commit fails. It returns
// ErrHeld if one of them already holds.
func Checks(ctx context.Context, t table.Table, fences ...Fence) ([]table.Write, error) {
	writes := make([]table.Write, 0, len(fences))
	for _, f := range fences {
		item, err := t.Get(ctx, f.Ref())
		if errors.Is(err, table.ErrAbsent) {
			writes = append(writes, table.Check(f.Ref(), table.New))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the fence of a %s: %w", f.kind, err)
		}
		var b fenceBody
		if err := json.Unmarshal(item.Body, &b); err != nil || item.Schema != fenceSchema {
			// A fence that cannot be read holds: deleting is the step that cannot be undone.
			return nil, fmt.Errorf("read the fence of a %s: %w", f.kind, ErrHeld)
		}
		if b.Holds > 0 {
			return nil, ErrHeld
		}
		writes = append(writes, table.Check(f.Ref(), table.Version(item.Version)))
	}
	return writes, nil
}
