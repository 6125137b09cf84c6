// Package closure is the closing of an account: it is asked for, confirmed, can be
// taken back for a while, and then everything that belongs to the account goes, but
// for what a duty keeps. What is done to the data is work that package request does;
// until the time to change one's mind is over nothing is touched anywhere.
//
// It owns the partitions closure#, closing# and closer# of the State table, and the
// chains closure#<id> of the Audit table:
//
//	table  partition              sort          body
//	state  closure#<id>           -             Closure; due at Next, subject index
//	state  closing#<identifier>   -             pointer: which closure is under way for somebody
//	state  closer#<hash>          <hour>        closures that one network address asked for (counter only, expires)
//	audit  closure#<id>           000000000001  one entry (package audit)
//
// Service does the work, on ports that are handed to it; the time comes from
// Service.Now. It knows no HTTP, no AWS and no clock; httpapi, job, boot and
// infra/local import it.
package closure

import (
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// ID names a closure. It is a keyed hash or random and gives nothing away.
type ID string

// possible reports whether an id that a caller sent can be one.
func (id ID) possible() bool {
	return id != "" && len(id) <= 64 && strings.IndexFunc(string(id), func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z')
	}) < 0
}

const prefix = "closure#"

// Chain names the closure's audit chain.
func (id ID) Chain() string { return prefix + string(id) }

// Ref is where the aggregate stands.
func (id ID) Ref() table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: prefix + string(id), Sort: "-"}}
}

// IDOf returns the closure whose aggregate stands under a key of the State table.
func IDOf(k table.Key) (ID, bool) {
	id, ok := strings.CutPrefix(k.Partition, prefix)
	return ID(id), ok && id != "" && k.Sort == "-"
}

// IsKey reports whether a key of the due-index is a closure's.
func IsKey(k table.Key) bool {
	_, ok := IDOf(k)
	return ok
}

// Closure is the aggregate. What is personal in it is sealed.
type Closure struct {
	ID        ID     `json:"-"`
	Status    Status `json:"status"`
	App       string `json:"app,omitempty"` // of the company's, that began it for who was signed in there
	Locale    string `json:"locale,omitempty"`
	Residence string `json:"residence,omitempty"`
	Policy    string `json:"policy"` // version in force when it was asked for

	Asked     time.Time `json:"asked"`
	LapseAt   time.Time `json:"lapse_at,omitzero"`  // nobody confirmed it by then: it is over
	Confirmed time.Time `json:"confirmed,omitzero"` // when the time to change one's mind began
	ClosesAt  time.Time `json:"closes_at,omitzero"` // when it ends
	GoneBy    time.Time `json:"gone_by,omitzero"`   // when everything has to be gone
	Over      time.Time `json:"over,omitzero"`
	Forget    time.Time `json:"forget,omitzero"` // end of the retention of this record, known once it is over

	Subject     string            `json:"-"`               // stands in the item's index
	Holder      seal.Identifier   `json:"holder"`          // whose salt Who hangs on
	Who         []byte            `json:"who"`             // sealed: the address, and by what else the account is known
	Mute        bool              `json:"mute,omitempty"`  // there is no address
	Identifiers []seal.Identifier `json:"ids"`             // of everything in Who: a pointer stands for each while it is under way
	Body        string            `json:"body"`            // keyed hash of the submission, for its repetition
	Spent       bool              `json:"spent,omitempty"` // the mailed button was pressed
	Replays     []Replay          `json:"replays,omitempty"`

	Work  request.ID `json:"work,omitempty"`  // the request that does what is to be done
	Looks int        `json:"looks,omitempty"` // how often we looked whether that is over
	Look  time.Time  `json:"look,omitzero"`   // when we look again

	Announcements []Announcement `json:"say,omitempty"`
	Tries         int            `json:"tries,omitempty"` // of the first announcement
	After         time.Time      `json:"after,omitzero"`  // when it is said at the latest; after a try that failed, at the earliest

	Head audit.Head `json:"head"`

	version int64     // as loaded; 0: not stored yet
	filed   time.Time // in the due-index, as loaded
}

// Announcement is a letter that a commit promised.
type Announcement struct {
	Seq  int64     `json:"n"`
	Kind mail.Kind `json:"k"`
}

// Replay remembers one call that changed something, for its repetition.
type Replay struct {
	Key    string    `json:"k"` // keyed hash of action and Idempotency-Key
	Body   string    `json:"b"` // keyed hash of what was sent with it
	Status Status    `json:"s"`
	At     time.Time `json:"t"`
}

// Submission asks for a closure by mail.
type Submission struct {
	Email     personal.Email
	Locale    string
	Residence string
	From      string // the caller's network address, for the limit
	Call      Call
}

// Signed asks for a closure for somebody who is signed in to the company's app, which
// vouches for the account and, if it names one, for the address.
type Signed struct {
	Who       personal.Identity
	Email     personal.Email // zero: nobody is written to
	Locale    string
	Residence string
	Call      Call
}

// Call identifies one attempt of a caller to change something.
type Call struct {
	Key  string // Idempotency-Key; empty: none was sent
	Body string // what was sent with it, in any stable form
}

// Receipt is the answer to who asks by mail, the same for known and unknown people.
type Receipt struct {
	ID      ID
	Status  Status // asked
	Asked   time.Time
	LapseAt time.Time // the button works until then
}

// View is a closure as its person sees it. Nothing in it is personal.
type View struct {
	ID        ID
	Status    Status
	Locale    string // in which it was asked for
	Asked     time.Time
	LapseAt   time.Time // while it waits for the button
	ClosesAt  time.Time
	GoneBy    time.Time
	Over      time.Time
	Request   request.ID // that does the work, once it is under way
	Immediate bool       // there is, or will be, no time to change one's mind
}

// Taken is the answer to who confirmed, and what they can follow it with.
type Taken struct {
	View
	Token string    // for Authorization: Bearer, for this closure only
	Until time.Time // when it ends
}

// Banner is what an app shows to somebody whose account is closing.
type Banner struct {
	View
	Cancel string // where it can be taken back; empty: it cannot any more
}

// Faults that callers meet. Their codes are part of the API.
var (
	ErrNotFound   = fault.New(fault.NotFound, "closure_not_found", "There is no such closure, or the token is for another one.")
	ErrNotNow     = fault.New(fault.Conflict, "not_possible_now", "The closure's status does not allow this; read it and decide again.")
	ErrTooLate    = fault.New(fault.Conflict, "closing", "The time to take this back is over: the account is being deleted, or is gone.")
	ErrUnderWay   = fault.New(fault.Conflict, "already_closing", "This account is being closed already; the mail about it says when, and how to take it back.")
	ErrBusy       = fault.New(fault.Unavailable, "try_again", "The closure is being worked on; try the same call again in a moment.")
	ErrReplay     = fault.New(fault.Mismatch, "idempotency_mismatch", "This Idempotency-Key was used with other content; use a new key.")
	ErrNotOffered = fault.New(fault.Conflict, "closure_not_offered", "The policy offers no closure of accounts; GET /v1/policy lists what it offers.")
	ErrBadToken   = fault.New(fault.Unauthenticated, "invalid_token", "The token is not valid; use the one of the latest mail.")
	ErrLinkGone   = fault.New(fault.Gone, "link_gone", "The link was used or is too old; ask for a new one.")
	ErrTooMany    = fault.New(fault.TooMany, "too_many_requests", "Too many requests from your network; try again in an hour.").After(time.Hour)
)

const schema = 1
