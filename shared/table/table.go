// Package table is the port to the item store: the one place where Rightsdesk's
// state lives. table/embedded implements it on a local file, table/dynamo on
// DynamoDB, table/hostile makes any of them fail the way clouds fail, and
// table/tabletest holds the one contract suite that all of them pass.
//
// It stores opaque bodies under keys, in three tables that differ in who may
// write them and how long their backups live. It knows nothing of requests or
// of persons: packages of the domain encode their own items and own their keys.
//
// Guarantees. Commit is atomic, isolated and durable across the three tables.
// Get and Query on the primary index see every commit that returned before they
// began. Queries on other indexes may be up to ten seconds stale: they return
// keys only, and whoever acts on a key reads the item again. An expired item is
// never returned and counts as absent in every precondition, whether or not it
// has been purged yet.
package table

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"hash/fnv"
	"time"
)

// Limits that both engines enforce alike. They are DynamoDB's: TransactWriteItems
// takes 100 actions and 4 MB, an item 400 KB with its attribute names.
const (
	MaxWrites     = 100
	MaxCommitSize = 4 << 20   // bytes, summed over the items of a commit
	MaxItemSize   = 400 << 10 // bytes, as Item.Size counts
	MaxPage       = 1 << 20   // bytes: no page of a query is larger
)

// Name names one of the three tables.
type Name string

// The tables.
const (
	State Name = "state" // requests and all other aggregates; indexed
	Audit Name = "audit" // append-only; no role may change or remove an entry
	Keys  Name = "keys"  // identifiers and salts; short recovery window, never exported
)

// Names lists every table.
var Names = []Name{State, Audit, Keys}

// Key is the primary key of an item. Both parts are non-empty, at most 512
// bytes, and hold nothing personal in clear.
type Key struct{ Partition, Sort string }

// Ref is a key in a table.
type Ref struct {
	Table Name
	Key   Key
}

func (r Ref) String() string { return string(r.Table) + "/" + r.Key.Partition + "/" + r.Key.Sort }

// Item is what is stored under a key.
type Item struct {
	Key  Key
	Body []byte // opaque to the store
	// Schema is the version of Body's encoding. It is at least 1: an item that
	// cannot say how to read it is refused.
	Schema int

	// Due files a State item in the due-index until it is written again; the zero
	// time keeps it out. Whole milliseconds count, earlier digits are dropped.
	Due time.Time
	// Subject files a State item in the subject index; empty keeps it out.
	Subject string
	// Expires hides the item from this instant on and lets the engine purge it
	// later. The zero time: never. Whole seconds count.
	Expires time.Time

	// Version is set by the store: 1 when the item is new, one more with every Put.
	Version int64
	// CommitID is set by the store: the commit that last put the item.
	CommitID ID
	// Counted is set by the store: what Count has counted on this item. Put
	// leaves it as it is.
	Counted Counted
}

// Index selects what a Query walks.
type Index int

// The indexes. Due and Subject exist on State only and return keys, not bodies.
const (
	Primary Index = iota
	Due           // partition DueShard(n), ordered by Item.Due; in any order within a millisecond
	Subject       // partition Item.Subject, ordered by Key.Partition; in any order within one
)

// Query asks for one page.
type Query struct {
	Table     Name
	Index     Index
	Partition string
	Prefix    string    // Primary only: of the sort part
	Until     time.Time // Due only: entries due at this instant or before; zero: all
	Limit     int       // at most this many items; 0 or more than 1000: 1000
	Cursor    string    // of the page before; empty: from the start
}

// Page is an answer to a Query or a Scan. It may hold fewer items than the limit, even
// none, and still not be the last: only an empty Cursor says so.
type Page struct {
	Items  []Item // from Due: Key and Due only; from Subject: Key and Subject only
	Cursor string
}

// Tally asks to count one event on an item, within bounds.
type Tally struct {
	Ref Ref
	// Window names the period that Limit applies to, for example a day; a window
	// that differs from the one last counted starts at zero. Windows of one item
	// must sort upwards in time: an older window than the last is refused as over.
	Window string
	Limit  int64 // in this window, at least 1
	Total  int64 // over all windows; 0: no such limit
	// New is the item to create if there is none: Body, Schema, Due, Subject and
	// Expires are used. Without a Schema, an absent item is ErrAbsent.
	New Item
}

// Counted is the state of an item's counter.
type Counted struct {
	Window string
	N      int64 // events counted in Window
	Total  int64 // events counted ever
}

// ID identifies one attempt to change something, across retries. Use NewID, or
// derive one from what makes the change unique.
type ID string

// NewID returns a random ID of 128 bits.
func NewID() ID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never returns an error (Go 1.24)
	return ID(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// Table is the item store.
//
// Errors: ErrAbsent, ErrOver, *Conflict, ErrTooLarge, ErrBusy and ErrUnknown, as
// each method says; anything else means that the call was wrong or the engine broke.
type Table interface {
	// Get returns an item, or ErrAbsent.
	Get(ctx context.Context, ref Ref) (Item, error)

	// Query returns one page.
	Query(ctx context.Context, q Query) (Page, error)

	// Scan returns one page of a whole table: whole items, in no promised order.
	// What is there from the first page to the last is returned exactly once; what
	// comes, goes or changes meanwhile may be missing or stale, but is never torn.
	Scan(ctx context.Context, s Scan) (Page, error)

	// Count counts one event and returns the item as it is then, in one write and
	// no read in the common case. At the limit it counts nothing and returns the
	// item as it is, with ErrOver. It does not change Version, Body or the indexes
	// of an item that exists. ErrUnknown means that it may have counted, once:
	// Steady does not repeat it, and a caller who does may count twice.
	Count(ctx context.Context, t Tally) (Item, error)

	// Commit applies all writes or none. It returns *Conflict if a precondition
	// did not hold, ErrTooLarge beyond the limits, ErrBusy if the engine could not
	// take it now, and ErrUnknown if it may or may not have been applied. After
	// either of the last two the caller repeats it with the same id, or lets Steady
	// do so: a commit that puts a new Audit item recognises its own earlier success
	// by id and returns nil. Others do so only until somebody else writes their items.
	Commit(ctx context.Context, id ID, writes ...Write) error
}

// Errors that every engine returns. They are never wrapped in a fault: what they
// mean to a caller is for the domain to say.
var (
	ErrAbsent   = errors.New("table: there is no such item")
	ErrOver     = errors.New("table: the counter is at its limit")
	ErrTooLarge = errors.New("table: an item is over 400 KB, or a commit over 100 writes or 4 MB")
	ErrBusy     = errors.New("table: busy, try again")
	ErrUnknown  = errors.New("table: the outcome is not known, repeat with the same id")
	ErrConflict = errors.New("table: a precondition did not hold") // matches every *Conflict
)

// Conflict says which write's precondition did not hold.
type Conflict struct{ Ref Ref }

func (c *Conflict) Error() string { return "table: conflict on " + c.Ref.String() }

// Unwrap makes errors.Is(err, ErrConflict) work.
func (c *Conflict) Unwrap() error { return ErrConflict }

// Precondition is what must hold of the item as stored for its write, and with
// it the whole commit, to be applied.
type Precondition struct {
	kind preKind
	n    int64
}

type preKind int

const (
	preAbsent preKind = iota + 1
	preExists
	preVersion
)

// The preconditions without a parameter.
var (
	New    = Precondition{kind: preAbsent} // there is no such item, or it has expired
	Exists = Precondition{kind: preExists} // there is one, whatever its version
)

// Version requires the item to be at version n.
func Version(n int64) Precondition { return Precondition{kind: preVersion, n: n} }

// Holds reports whether p holds of an item at the given version; 0 means absent.
func (p Precondition) Holds(version int64) bool {
	switch p.kind {
	case preAbsent:
		return version == 0
	case preExists:
		return version > 0
	case preVersion:
		return version == p.n
	}
	return false
}

// Is reports whether p and q are the same precondition.
func (p Precondition) Is(q Precondition) bool { return p == q }

// AtVersion returns n and true for Version(n).
func (p Precondition) AtVersion() (int64, bool) { return p.n, p.kind == preVersion }

// Verb is what a write does.
type Verb int

// The verbs.
const (
	PutItem Verb = iota + 1
	DeleteItem
	CheckItem // writes nothing; the commit depends on it
)

// Write is one part of a commit. A commit names each item at most once.
type Write struct {
	Verb Verb
	Ref  Ref
	Item Item // for PutItem
	If   Precondition
}

// Put writes item if the precondition holds.
func Put(name Name, item Item, pre Precondition) Write {
	return Write{Verb: PutItem, Ref: Ref{name, item.Key}, Item: item, If: pre}
}

// Delete removes an item if the precondition holds; use Exists or Version.
func Delete(ref Ref, pre Precondition) Write {
	return Write{Verb: DeleteItem, Ref: ref, If: pre}
}

// Check lets the commit depend on an item that it does not write; use New for
// "absent", or Version.
func Check(ref Ref, pre Precondition) Write {
	return Write{Verb: CheckItem, Ref: ref, If: pre}
}

// DueShards is the number of partitions of the due-index. Statutory dates fall
// on the same day for many; a partition takes 1,000 writes a second.
const DueShards = 16

// DueShard names the n-th partition of the due-index.
func DueShard(n int) string { return fmt.Sprintf("due#%02d", n) }

// ShardOf returns the partition of the due-index that files the items of a partition.
func ShardOf(partition string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(partition)) // a hash never fails to write
	return DueShard(int(h.Sum32() % DueShards))
}
