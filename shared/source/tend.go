package source

import (
	"context"
	"time"
)

// Keeper is a store that lets go of what it holds by itself after a time, and in
// which nobody can be found: log groups. Nothing in it can be swept; what can be
// done is to see that the time is the one that was promised.
type Keeper interface {
	// Tend compares how long the store keeps what it holds with what the policy says,
	// and sets right what it may without deleting anything. A shorter time deletes
	// what is older at once and for good, so elsewhere it only reports. Confirmed are
	// drifts of an earlier report that an operator has seen and wants set right all
	// the same; one that is not as it was reported is reported anew instead.
	// Repeating a call has no further effect.
	Tend(ctx context.Context, confirmed []Drift) (Tended, error)
}

// Tended is what a Keeper found.
type Tended struct {
	Seen  int     // parts of the store that were compared
	Drift []Drift // what is not as the policy says, in the order of names; what was set right is marked
}

// Drift is a part of a store that is not as the policy says. It names nobody.
type Drift struct {
	Name    string    `json:"name"` // of the log group, or the name in the policy that no group has
	Kind    DriftKind `json:"kind"`
	Days    int       `json:"days"` // it keeps; 0: for ever, or it is missing
	Want    int       `json:"want"` // days that the policy comes to
	Created time.Time `json:"created,omitzero"`
	Set     bool      `json:"set,omitempty"` // it was set right by this call
}

// DriftKind is how something differs from the policy.
type DriftKind string

// The kinds of drift.
const (
	KeptForever DriftKind = "kept_forever" // no retention is set, as on every new group
	KeptLonger  DriftKind = "kept_longer"
	Missing     DriftKind = "missing" // the policy names a group that is not there
)
