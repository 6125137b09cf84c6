// Package edition is how a policy comes into force: an edition is a policy file that
// was published in this installation, and the newest one is what every function goes
// by. Three ways lead there: an operator publishes a file, a file is put where operators
// keep theirs (a bucket; on a laptop, a file), or the installation's own settings say
// whose the ready profile is. What cannot be used changes nothing and is remembered
// with every line that is wrong.
//
// Until there is an edition, and whenever the installation lacks something without
// which people could not be answered, it is not open: Lacks says what is missing.
//
//	table  partition  sort            body
//	state  policy     active          Active: which edition, what is missing, head of the chain
//	state  policy     edition#<n>     Edition: who published it, when, from where
//	state  policy     file#<version>  the file, gzipped; one for each content, kept for ever
//	state  policy     refused         the file that was refused last, and why
//	audit  policy     <seq>           published, opened, shut
//
// Nothing of it is personal but the id of the operator who published.
package edition

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// Chain is the name of the audit chain that says when which policy came into force.
const Chain = "policy"

// The actions in the chain, besides restore.Restored.
const (
	Published = "published"
	Opened    = "opened" // nothing is missing any more
	Closed    = "shut"   // something is missing; the fact "lacks" says what
)

// Origin is where an edition came from.
type Origin string

// The origins.
const (
	Operator Origin = "operator" // somebody published it
	Bucket   Origin = "bucket"   // it was put into the bucket of policies
	File     Origin = "file"     // on a laptop: the file that the runner was started with
	Settings Origin = "settings" // a ready profile with the particulars of the installation
)

// Lack is something without which an installation is not open.
type Lack string

// The lacks.
const (
	NoPolicy   Lack = "policy"     // none was published yet
	Unreadable Lack = "unreadable" // this version of the program cannot read the one in force
	NoSender   Lack = "sender"     // people are to be written to, and nothing says from which address
)

// Says tells an operator what to do about a lack.
func (l Lack) Says() string {
	switch l {
	case NoPolicy:
		return "No policy is in force. Set ControllerName and PrivacyContact, or put policy.yaml into the bucket of policies, or send it to POST /v1/operator/policy."
	case Unreadable:
		return "This version cannot read the policy in force. Publish one that it can read, or install the version that it was written for."
	case NoSender:
		return "There is no address to write to people from. Set Sender, or set MailMode to off."
	}
	return string(l)
}

// Active is what is in force.
type Active struct {
	N       int64     `json:"n"`       // of the edition, from 1; 0: there is none
	Version string    `json:"version"` // of the policy; empty: there is none
	Origin  Origin    `json:"origin,omitempty"`
	At      time.Time `json:"at"` // since when
	Lacks   []Lack    `json:"lacks,omitempty"`
	// Seen is the digest of what each origin offered last and was taken.
	Seen map[Origin]string `json:"seen,omitempty"`
	Last int64             `json:"last"` // the highest number of an edition there ever was
	Head audit.Head        `json:"head"`
	Said time.Time         `json:"said"` // when the latest entry of the chain was made
	// Replays are the latest calls of operators that sent an Idempotency-Key.
	Replays []Replay `json:"replays,omitempty"`

	stored int64 // version of the item; 0: there is none
}

// Replay remembers what one call of an operator was answered, for its repetition.
type Replay struct {
	Key     string `json:"k"` // hash of the operator and the Idempotency-Key
	Body    string `json:"b"` // hash of what was sent with it
	N       int64  `json:"n"`
	Version string `json:"v"`
	Lacks   []Lack `json:"l,omitempty"`
}

// Call is one attempt of an operator to bring a file into force.
type Call struct {
	File    []byte
	Expects string // the version in force that the decision was made about; empty: whichever
	Key     string // Idempotency-Key; empty: none was sent
}

// Open reports whether people are served.
func (a Active) Open() bool { return len(a.Lacks) == 0 }

// Shut is the fault that everybody but operators hears while something is missing,
// nil when nothing is.
func (a Active) Shut() error {
	if a.Open() {
		return nil
	}
	return ErrNotOpen
}

// Edition is one policy that came into force.
type Edition struct {
	N       int64     `json:"n"`
	Version string    `json:"version"`
	Origin  Origin    `json:"origin"`
	Digest  string    `json:"digest"` // SHA-256 of the file
	Size    int       `json:"size"`   // of the file, in bytes
	By      string    `json:"by"`     // as audit entries name it
	At      time.Time `json:"at"`
	Updated string    `json:"updated"`   // as the document says
	In      string    `json:"effective"` // as the document says: since when it is promised
}

// Refusal is a file that cannot be used.
type Refusal struct {
	Origin   Origin          `json:"origin"`
	Digest   string          `json:"digest"`
	At       time.Time       `json:"at"`
	Problems policy.Problems `json:"problems"`
	// Before are the digests of what the other origins offered last and was refused.
	Before map[Origin]string `json:"before,omitempty"`
}

// of returns the digest of what an origin offered last and was refused, if anything was.
func (r *Refusal) of(o Origin) string {
	switch {
	case r == nil:
		return ""
	case r.Origin == o:
		return r.Digest
	}
	return r.Before[o]
}

// Shelf is where operators put their policy file.
type Shelf interface {
	// Read returns the file, nil if there is none.
	Read(ctx context.Context) ([]byte, error)
}

// Book keeps the editions of an installation. Functions that only go by them need
// Table alone.
type Book struct {
	Table table.Table
	Now   func() time.Time
	Log   *slog.Logger

	// Shelf is where operators put their file, and From how it is called.
	Shelf Shelf
	From  Origin
	// Profile returns the ready profile with the particulars of the installation, nil
	// while these are not set.
	Profile func() ([]byte, error)
	// Lacks are what the settings leave open, whatever the policy says.
	Lacks []Lack
	// Samples lets a policy be somebody's who does not exist: on a laptop.
	Samples bool
	// Changed, if set, hears when something else may have come into force.
	Changed func()

	read atomic.Pointer[[]byte] // the file that the job could read last
}

// Faults.
var (
	ErrNotOpen   = fault.New(fault.Unavailable, "not_open_yet", "This service is not open yet: whoever runs it has not finished setting it up. Try again later.").After(5 * time.Minute)
	ErrForbidden = fault.New(fault.Forbidden, "role_needed", "Your role does not allow this; somebody with the role handler can do it.")
	ErrFactor    = fault.New(fault.Forbidden, "second_factor_needed", "Sign in with a second factor: whoever publishes a policy decides about everybody's data.")
	ErrReplay    = fault.New(fault.Mismatch, "idempotency_mismatch", "This Idempotency-Key was used with other content; use a new key.")
	ErrMoved     = fault.New(fault.Conflict, "policy_moved", "Another policy came into force since; read GET /v1/operator/policy and decide again.")
	ErrNotFound  = fault.New(fault.NotFound, "edition_not_found", "There is no such edition.")
	ErrBusy      = fault.New(fault.Unavailable, "try_again", "Somebody else publishes a policy; try the same call again in a moment.").After(time.Second)
)

// errNone is that nothing was ever published.
var errNone = errors.New("edition: no policy was published yet")
