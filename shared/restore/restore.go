// Package restore brings an installation up to date after its State table, or its
// Keys table, was restored from a copy, or a source was. The audit is never rolled
// back: replay walks all of its chains and has whoever owns an aggregate rebuild it
// from them, so that everything said and done since the copy is in force again, and
// nobody who was erased comes back.
//
// It owns one item and one chain:
//
//	table  partition  sort          body
//	state  replay     -             Run: the latest run, how far it is and what it did; due while it goes on
//	audit  replay     000000000001  one entry: started, ended
//
// It rebuilds nothing itself: the packages that own chains do, each as a Folder. So
// it knows none of them; they import it for its words, and what it needs of them is
// handed to it. The domain, job, httpapi, boot and infra/local import it.
package restore

import (
	"context"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Folder rebuilds aggregates of one kind from their audit chains.
//
// Restore is given the whole of a chain, as far as it has not expired, in order. It
// compares what it finds with the aggregate as it stands, which may be older than
// the chain, missing, or torn: of several items of one commit some old and some new.
// It brings the aggregate to where the chain ends and appends an entry, Restored,
// that says so, in one commit. Called again it changes nothing. Where something
// cannot be known any more it chooses what protects the person.
type Folder interface {
	// Chain reports whether a chain is of this kind.
	Chain(name string) bool
	Restore(ctx context.Context, chain string, entries []audit.Entry) (Outcome, error)
}

// Sweeper is a Folder whose aggregates have items beside them that no chain names: a
// torn copy may bring those back without their aggregate.
type Sweeper interface {
	Folder
	// Orphan removes what stands under a key of the State table if its aggregate is
	// gone for good, and reports whether it did. Keys of others it leaves alone.
	Orphan(ctx context.Context, k table.Key) (bool, error)
}

// Restored is the action of the entry that ends a rebuilding.
const Restored = "restored"

// Outcome is what became of one chain.
type Outcome struct {
	What  What
	Ahead int64 // entries that the aggregate remembered and the audit does not have
	// Missing says, in codes, what the chain tells of and could not be rebuilt.
	Missing []string
	// Salts is how many salts were destroyed again.
	Salts int
	// Places are what a tombstone of the ledger says was erased where.
	Places []Place
}

// What is how an aggregate was found.
type What string

// The ways in which an aggregate is found. Of all but the first it has an entry more.
const (
	Stood    What = "stood"    // it knew the end of its chain, and all of its items agreed
	Advanced What = "advanced" // it was behind, ahead or torn
	Remade   What = "remade"   // it was not there
	Lost     What = "lost"     // it was not there and cannot be made from its chain
	Over     What = "over"     // it is not there, and is not to be
)

// Place is one category of one source, and what was done to it.
type Place struct {
	Source   string      `json:"source"`
	Category string      `json:"category"`
	Verb     source.Verb `json:"verb"`
}

// Grave is what the ledger knows of an identity.
type Grave []Erased

// Erased is one place that somebody was erased from.
type Erased struct {
	Place
	Until time.Time // what is older was erased, what is newer came since
}

// Again reports whether a record of a place has to go again. One whose age nobody
// knows stays: it may have come since.
func (g Grave) Again(p Place, at time.Time) bool {
	return !at.IsZero() && slices.ContainsFunc(g, func(e Erased) bool { return e.Place == p && !at.After(e.Until) })
}

// Ledger is where it stands who was erased.
type Ledger interface {
	// Grave returns what is known of an identity's erasure; ok is false if there was none.
	Grave(ctx context.Context, i personal.Identity) (g Grave, ok bool, err error)
}

// Walker goes through everything that a source holds of a category.
type Walker interface {
	// Again expires again what Walking picks, page by page, each of which is claimed,
	// kept from legal holds, and finished after a crash. It returns when the walk is
	// over, cannot go on now, or the context ends; called again it goes on where it was.
	Again(until context.Context, w Walking) (Walked, error)
}

// Walking is a walk of the ledger through one place.
type Walking struct {
	Run string // the replay that it is part of
	Place
	Until time.Time // records that were collected later are left alone
	Masks []source.Mask
	// Pick says which records of a page have to go again.
	Pick func(ctx context.Context, page []source.AgedRecord) ([]bool, error)
}

// Walked is how far a walk is.
type Walked struct {
	Seen   int
	Erased int
	Held   int // due, and left for a legal hold
	Over   bool
	ByHand bool      // no program walks this source
	Fault  string    // why it does not go on now
	After  time.Time // when it can go on
}
