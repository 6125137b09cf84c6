package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/personal"
)

// Sweeper is a Source that can also be asked for records by their age, whoever they
// are about: for retention, which ends when a time is over and not when a person
// asks. A Source that is none is swept by hand.
type Sweeper interface {
	Source

	// Old looks for records of a category whose time is over, the oldest first where
	// the store can. One call returns one page, which may be empty and not the last;
	// Cursor of the page before goes into Age.Cursor until Done. With an Until of now
	// it walks the whole category.
	Old(ctx context.Context, age Age) (Aged, error)

	// Expire does to the records that it is given what the rule says, and to no
	// others: all of them in one call, so an answer is always Done. A record that is
	// gone, or that is younger than Until by now, it leaves alone. Repeating a call
	// with the same Key has no further effect.
	Expire(ctx context.Context, e Expiry) (Done, error)
}

// ErrNotSwept says that a store cannot be asked for what is old, although stores of
// its kind can: it stands beside ErrRefused, and people sweep that store by hand.
var ErrNotSwept = errors.New("source: this store is not swept")

// MaxHandle is the longest handle of a record, in bytes.
const MaxHandle = 8 << 10

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
	// Verb is what will be done to them: a store leaves out what is so already, such as
	// what was anonymised. Empty: nothing, they are only looked at.
	Verb Verb
	// Whole asks for every record that the category holds, also where a cheaper way
	// would pass over those whose time the store does not know.
	Whole  bool
	Cursor string
	Limit  int // records in one page at most
	// Units bounds what the page may cost where the store is paid by the unit it
	// reads; zero: as much as it takes. A page that ends for it is not Done.
	Units float64
	Call  Call
}

// Check refuses a question that no store could answer.
func (a Age) Check() error {
	switch {
	case a.Category == "" || a.Until.IsZero() || a.Call.Key == "":
		return fmt.Errorf("%w: a look for what is old needs a category, an instant and a key", ErrRefused)
	case a.By != Collected && a.By != LastUsed:
		return fmt.Errorf("%w: records have no time %q", ErrRefused, a.By)
	case a.Verb != "" && !a.Verb.expires():
		return fmt.Errorf("%w: nothing is expired by %q", ErrRefused, a.Verb)
	}
	return nil
}

// Aged is one page of records.
type Aged struct {
	Records []AgedRecord
	Seen    int     // records of the category that were looked at, due or not
	Units   float64 // what it cost, in the store's own unit; zero: it does not say
	// Cursor may hold a key of the store's, and that may be personal: it is kept sealed.
	Cursor string
	Done   bool
}

// AgedRecord is one record whose time is over.
type AgedRecord struct {
	ID string    // as in Record
	At time.Time // zero: the store does not know, and nobody can say that it is due
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
	// Records are as Old returned them. One without a time was not picked for its age,
	// and is expired if it still has none.
	Records []AgedRecord
	Masks   []Mask // for Anonymise
	MaskKey []byte // for KeyedHash
	Call    Call
}

// Check refuses a page that does not say what is to be done to what.
func (e Expiry) Check() error {
	switch {
	case e.Category == "" || e.Until.IsZero() || e.Call.Key == "":
		return fmt.Errorf("%w: an expiry needs a category, an instant and a key", ErrRefused)
	case e.By != Collected && e.By != LastUsed:
		return fmt.Errorf("%w: records have no time %q", ErrRefused, e.By)
	case !e.Verb.expires():
		return fmt.Errorf("%w: nothing is expired by %q", ErrRefused, e.Verb)
	case len(e.Records) == 0 || len(e.Records) > MaxPageSize:
		return fmt.Errorf("%w: an expiry is of 1 to %d records", ErrRefused, MaxPageSize)
	}
	seen := make(map[string]bool, len(e.Records))
	for _, r := range e.Records {
		if r.ID == "" || seen[r.ID] {
			return fmt.Errorf("%w: an expiry names a record twice, or one without an id", ErrRefused)
		}
		seen[r.ID] = true
	}
	return nil
}

// Due reports whether a record that is of an instant now is still to be expired,
// given its time as it was when it was found: a rule's time must still be over.
func (e Expiry) Due(found, at time.Time) bool {
	if at.IsZero() {
		return found.IsZero()
	}
	return !at.After(e.Until)
}

func (v Verb) expires() bool { return v == Delete || v == Anonymise || v == Archive }
