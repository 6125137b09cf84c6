// Package source is the contract with the company's data stores: find, plan,
// execute, verify. A Source is one store behind one of the kinds in the folders
// below (http, dynamodb, task); this package holds what they share and knows
// none of them.
//
// A source answers one page at a time and may be asked the same page again: the
// answer to a call may be lost after the work was done. It never says "nothing
// there" when it could not look: that is an error.
//
// It may import personal, fault and the standard library. The domain imports it
// to drive sources; adapters import it to be one.
package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/personal"
)

// Source is one data store of the company's.
type Source interface {
	// Find looks for what the store holds of a person. One call returns one page;
	// Cursor of the page before goes into Ask.Cursor until Done.
	Find(ctx context.Context, ask Ask) (Found, error)

	// Execute does one page of an order and reports what it did to it. A shrinking
	// set is always asked from its start, so an order has no cursor: it is repeated
	// until Done. Repeating a call with the same Key has no further effect.
	Execute(ctx context.Context, order Order) (Done, error)
}

// Errors that tell the caller what to do next. Sources wrap them.
var (
	// ErrLater: the store is unreachable, busy or overloaded. Try again with back-off.
	ErrLater = errors.New("source: not now")
	// ErrRefused: the store understood and will not do it, or the declaration is
	// wrong. Trying again is useless until somebody mends it.
	ErrRefused = errors.New("source: refused")
	// ErrHuman: no program reaches the store. Create a task with a date, and take
	// the operator's word that it is done.
	ErrHuman = errors.New("source: a person must do this by hand")
)

// Sizes of a page, in records.
const (
	PageSize    = 500  // unless the caller asks for less or more
	MaxPageSize = 1000 // a larger Limit means this
)

// Size returns how many records a page of the given limit holds at most.
func Size(limit int) int {
	if limit <= 0 {
		return PageSize
	}
	return min(limit, MaxPageSize)
}

// Ask is a question to a source.
type Ask struct {
	// Identities are the verified ones of the kinds the source is declared to
	// know. Nothing that is merely claimed is ever sent.
	Identities []personal.Identity
	Category   string    // of the policy; empty: every category of this source
	Until      time.Time // the cut-off: records that appeared after it do not count
	Cursor     string
	// Limit is the largest number of records wanted in one page.
	Limit int
	// Values asks for the records' fields; without it, ids and ties are enough.
	Values bool
	Call   Call
}

// Call is what every call to a store carries, so that it can be repeated safely
// and cannot act after somebody else has taken over.
type Call struct {
	Key   string    // idempotency key: the same for a repeated call, never for another one
	Lease time.Time // the store must refuse to begin after this instant
}

// ErrLease says that the lease of a call is over and nothing more may begin. It is an ErrLater.
var ErrLease = fmt.Errorf("%w: the lease is over", ErrLater)

// Begins returns ErrLease if nothing may begin any more.
func (c Call) Begins(now time.Time) error {
	if !now.Before(c.Lease) {
		return ErrLease
	}
	return nil
}

// Within ends whatever a call does with its lease, a client's own repetitions included.
func (c Call) Within(ctx context.Context, now time.Time) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.Lease.Sub(now))
}

// Found is one page of what a store holds.
type Found struct {
	Records []Record
	// Ties are identities that the store itself binds to a verified one, for
	// example the account whose stored address was verified. They count as
	// verified from then on.
	Ties   []personal.Identity
	Cursor string
	Done   bool
}

// Record is one thing a store holds of a person.
type Record struct {
	Category string
	// ID names the record within its source and category. It is an internal number
	// or a hash and may be shown to operators; a store must not put an address in it.
	ID     string
	At     time.Time       // when it was collected; zero if the store does not know
	Fields json.RawMessage // a JSON object, if values were asked for
}

// Verb is what an order does to records.
type Verb string

// The verbs.
const (
	Delete    Verb = "delete"
	Anonymise Verb = "anonymise" // as Order.Masks says; the record stays without the person
	Correct   Verb = "correct"   // set Order.Corrections
	Choose    Verb = "choose"    // obey Order.Choice from now on
	Archive   Verb = "archive"   // put away where daily work does not reach it; of a retention rule
)

// Choice is what a person chose about the use of their data, which a store has to
// obey. It is a state and no event: told again it changes nothing. Order.Until is
// when it was made. Tellings may overtake each other, so a store that has heard a
// later choice of the same right leaves that as it is.
type Choice struct {
	Right    string   `json:"right"`    // opt_out_sale, limit_sensitive or withdraw_consent
	Purposes []string `json:"purposes"` // of withdraw_consent: which, none: every purpose
	On       bool     `json:"on"`       // false: they took it back, or consented anew
}

// Mask is how one field is anonymised.
type Mask struct {
	Field string `json:"field"`
	How   How    `json:"how"`
	Value string `json:"value,omitempty"` // for Fixed
}

// How is a way to mask a field.
type How string

// The ways, the usual masking set.
const (
	Null      How = "null"
	Fixed     How = "fixed"
	Hash      How = "hash"       // SHA-256, hex; a guessable value stays guessable
	KeyedHash How = "keyed_hash" // HMAC under a key of this request, gone with the person's salt
	Preserve  How = "preserve"
)

// Correction is one field's new value.
type Correction struct {
	Field string
	Value personal.Text
}

// Order is one page of work.
type Order struct {
	Verb        Verb
	Identities  []personal.Identity
	Category    string    // of the policy; a choice has none, it is about the person
	Until       time.Time // the cut-off
	Limit       int
	Choice      Choice // for Choose
	Masks       []Mask
	MaskKey     []byte // for KeyedHash
	Corrections []Correction
	// Keep names records that must stay, by id: what a hold covers.
	Keep []string
	Call Call
}

// Done is what one page of an order did. The spelling on the wire is that of
// WordPress's erasers, whose authors are many.
type Done struct {
	Removed  int      // deleted, anonymised or corrected by this call
	Retained int      // seen and left as they are, by the store's own decision
	Messages []string // for operators, without personal data
	Done     bool     // nothing is left to do
}
