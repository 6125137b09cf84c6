// Package erasure is the ledger of who was erased, and what follows from it: no
// import and no restored copy brings them back, and at the end of a wait the salts
// that their sealed fields hang on are destroyed, from when on nobody can read
// those, wherever copies of them are.
//
// It owns the partitions erased# and salts of the State table, and the chains
// erased#<identifier> and salts of the Audit table:
//
//	table  partition             sort          body
//	state  erased#<identifier>   -             Tomb: a tombstone; due for its salt, later when it expires
//	state  salts                 -             Salts: what was destroyed on which day, and the brake
//	audit  erased#<identifier>   000000000001  one entry: entombed, forgotten, destroyed
//	audit  salts                 000000000001  one entry: braked, confirmed
//
// A tombstone says of a keyed hash that whoever had it was erased, when, up to which
// instant and from where. It does not say who. It goes with the audit period.
//
// It asks what else keeps a salt (requests, closures, holds) by ports; request hands
// it tombs. It knows no HTTP and no AWS; job, httpapi, boot and infra/local import it.
package erasure

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Service does everything that can be done to the ledger. A function sets the fields
// that its topology entry grants: only retention may write the Keys table.
type Service struct {
	Table  table.Table
	Keys   seal.Keys
	Policy *policy.Policy
	Now    func() time.Time

	Choices Choices // what the erased had chosen
	// Unsettled lists who may still need the salt of a subject: requests that are open
	// or have something left to say or to clear, closures that are not over.
	Unsettled []func(ctx context.Context, subject string) (bool, error)
	// Held reports whether a legal hold covers an identifier; if none does, it returns
	// the conditions that fail a commit should one be placed before. Nil: nothing does.
	Held   func(ctx context.Context, id seal.Identifier) (held bool, unless []table.Write, err error)
	Digest *digest.Book
	Log    *slog.Logger
}

// Choices is where what a person chose stands.
type Choices interface {
	// Forgetting returns the writes that let what somebody agreed to end, and drop
	// what is sealed of them; refusals, opt-outs and suppressions stay. None if there
	// is nothing to forget.
	Forgetting(ctx context.Context, id seal.Identifier) ([]table.Write, error)
	// Suppressed lists the purposes and stops that forbid mail to an identity.
	Suppressed(ctx context.Context, i personal.Identity) ([]string, error)
}

// Tomb is a tombstone, and what became of the salt beside it.
type Tomb struct {
	At      time.Time  `json:"at"`    // of the latest erasure
	Until   time.Time  `json:"until"` // its cut-off: what is newer came since
	From    []Place    `json:"from,omitempty"`
	Request request.ID `json:"request"`
	// First are the others that were erased with this one and whose salts go before
	// its own: it holds what names them.
	First []seal.Identifier `json:"first,omitempty"`

	Stage Stage `json:"stage"`
	// Generation is that of the salt that stood when the tomb was made, or was
	// destroyed since; 0: there is none.
	Generation byte       `json:"generation,omitempty"`
	Destroyed  time.Time  `json:"destroyed,omitzero"`
	Blocked    bool       `json:"blocked,omitempty"` // due, and stopped by the brake
	Counted    bool       `json:"counted,omitempty"` // among the salts that wait
	Head       audit.Head `json:"head"`

	id      seal.Identifier
	version int64
	expires time.Time
	gone    byte // the latest generation that the chain says was destroyed
}

// Place is one category of one source that somebody was erased from.
type Place struct {
	restore.Place
	Until time.Time `json:"until"` // of the erasure that it is of
}

// Stage is how far what follows from an erasure is. The comment says who moves next.
type Stage string

// The stages.
const (
	Entombed  Stage = "entombed"  // us: let what was agreed to end
	Waiting   Stage = "waiting"   // the clock, then us: destroy the salt
	Destroyed Stage = "destroyed" // nobody
)

const (
	schema     = 1
	tombPrefix = "erased#"
	saltsName  = "salts"
)

// Ref is where the tombstone of an identifier stands.
func Ref(id seal.Identifier) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: tombPrefix + string(id), Sort: "-"}}
}

// ChainOf names the chain of a tombstone.
func ChainOf(id seal.Identifier) string { return tombPrefix + string(id) }

var saltsRef = table.Ref{Table: table.State, Key: table.Key{Partition: saltsName, Sort: "-"}}

// IsKey reports whether a key of the due-index is a tombstone's.
func IsKey(k table.Key) bool {
	return strings.HasPrefix(k.Partition, tombPrefix) && len(k.Partition) > len(tombPrefix) && k.Sort == "-"
}

func identifierOf(k table.Key) seal.Identifier { return seal.Identifier(k.Partition[len(tombPrefix):]) }

// Faults that callers meet. Their codes are part of the API.
var (
	ErrForbidden = fault.New(fault.Forbidden, "role_needed", "Your role does not allow this; somebody with the role handler can do it.")
	ErrNoBrake   = fault.New(fault.Conflict, "not_braked", "Nothing has stopped the destruction of salts; there is nothing to confirm.")
	ErrMoved     = fault.New(fault.Conflict, "numbers_changed", "The number of salts that wait is another one by now; GET it again and decide again.")
	ErrBusy      = fault.New(fault.Unavailable, "try_again", "Somebody else changes the same ledger; try the same call again in a moment.")
)
