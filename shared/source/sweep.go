package source

import (
	"context"
	"time"

	"rightsdesk/shared/personal"
)

// Sweeper is a Source that can also be asked for records by their age, whoever they
// are about: for retention, which ends when a time is over and not when a person
// asks. A Source that is none is swept by hand.
type Sweeper interface {
	Source

	// Old looks for records of a category whose time is over, the oldest first where
	// the store can. One call returns one page; Cursor of the page before goes into
	// Age.Cursor until Done. With an Until of now it walks the whole category.
	Old(ctx context.Context, age Age) (Aged, error)

	// Expire does to the records that it is given what the rule says, and to no
	// others. A record that is gone, or that is younger than Until by now, it leaves
	// alone. Repeating a call with the same Key has no further effect.
	Expire(ctx context.Context, e Expiry) (Done, error)
}

// Hand is which of a record's times counts.
type Hand string

// The hands.
const (
	Collected Hand = "collected"
	LastUsed  Hand = "last_used"
)

// Age is a question for old records.
type Age struct {
	Category string
	By       Hand
	Until    time.Time // records of this instant or before; a later one is not due
	Cursor   string
	Limit    int // records in one page at most
	// Units bounds what the page may cost where the store is paid by the unit it
	// reads; zero: as much as it takes. A page that ends for it is not Done.
	Units float64
	Call  Call
}

// Aged is one page of records.
type Aged struct {
	Records []AgedRecord
	Seen    int     // records looked at, due or not
	Units   float64 // what it cost, in the store's own unit; zero: it does not say
	Cursor  string
	Done    bool
}

// AgedRecord is one record whose time is over.
type AgedRecord struct {
	ID string // as in Record
	At time.Time
	// Who the record is about, as far as the store knows: for holds and the ledger.
	Who []personal.Identity
	// Handle is what the store needs to find the record again, where ID is not enough.
	// It may be personal: it is kept sealed, and only until the page is done.
	Handle personal.Text
}

// Expiry is one page of records to expire.
type Expiry struct {
	Verb     Verb // Delete, Anonymise or Archive
	Category string
	By       Hand
	Until    time.Time // as it was asked: what was used again since stays
	Records  []AgedRecord
	Masks    []Mask // for Anonymise
	MaskKey  []byte // for KeyedHash
	Call     Call
}
