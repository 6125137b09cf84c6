package mail

import (
	"time"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

// Letter is what a mail is about. Which fields a kind needs stands beside them;
// Compose refuses a letter without them.
type Letter struct {
	To      personal.Email
	Brand   string         // what the company is called
	Contact words.Contact  // whom to ask; in every mail
	Zone    *time.Location // in which dates are told; nil is UTC

	Request   string    // its number
	Right     string    // as the policy spells it: access, erasure...
	Received  time.Time // when it was asked
	RespondBy time.Time // by when it will be answered

	// Verify: the code. Verify, ConfirmAddress, Ready: the link behind which a
	// button acts. Each works until its time.
	Code      personal.Text
	CodeUntil time.Time
	Link      personal.Text
	LinkUntil time.Time

	Follow personal.Text // where the request can be followed; optional

	// Verified: when work that cannot be undone starts, and the link behind which
	// the request can be taken back until then. Zero if nothing is destroyed.
	Starts time.Time
	Revoke personal.Text

	// Fulfilled: what was done; Ignored are identities that nothing ties to the
	// verified one, so that nothing was searched for them.
	Systems []words.System
	Ignored []personal.Identity

	// Denied: why, by which article, and whom to complain to.
	Reason    string // in the language of the letter
	Article   string
	Authority words.Authority

	// Denied, Decided: that the law knows an appeal to the company, which Follow
	// leads to, and until when it can be filed; zero: the law sets no end.
	Appeal      bool
	AppealUntil time.Time

	// Lapsed, Remind: another way to show who asks. May be empty.
	AnotherWay string

	// Asked, StillAsked: the question. Decided: the explanation.
	Words personal.Text
	// Asked, StillAsked: that no time counts until it is answered.
	Stopped bool

	// Extended: the date as it was; Reason is the ground. Late: Article, if there is
	// one, is that of the law that takes silence for a refusal.
	Before time.Time

	// Decided: how it ended: upheld, partly_upheld, rejected.
	Outcome string

	// Digest, Overdue: what needs whoever reads it. Nothing in it is personal.
	Lines   []Line
	More    int    // lines that have no room
	Console string // where to look: https://...

	// Task: what to do, by when, and where. Nothing in it is personal.
	Task string
	Due  time.Time
}

// Line is one request in a digest.
type Line struct {
	Request   string
	Right     string
	Why       []string // as package digest spells it: T-7, overdue, task...
	RespondBy time.Time
	SafeBy    time.Time
}
