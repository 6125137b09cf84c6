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

	// Verify: the code. Verify, Remind, ConfirmAddress, Ready, ConfirmConsent, ConfirmClosure: the link
	// behind which a button acts. RenewConsent, PreferenceLink: the one that leads to
	// the person's own choices. Each works until its time.
	Code      personal.Text
	CodeUntil time.Time
	Link      personal.Text
	LinkUntil time.Time

	// Follow is where the request can be followed, a question answered and an appeal
	// made. Asked, StillAsked, and whatever can be appealed against, need it.
	Follow personal.Text

	// Verified: when work that cannot be undone starts, and the link behind which
	// the request can be taken back until then. Zero if nothing is destroyed.
	Starts time.Time
	Revoke personal.Text

	// Fulfilled: what was done; Ignored are identities that nothing ties to the
	// verified one, so that nothing was searched for them.
	Systems []words.System
	Ignored []personal.Identity

	// Denied, Extended: why, by which article. Of Late, the article is that of the
	// law that takes silence for a refusal; of Asked and StillAsked, where time
	// stands still, that of the law that says so.
	Reason  string // in the language of the letter
	Article string

	// Authority is whom to complain to: Fulfilled, Denied, Extended, Late, Decided.
	Authority words.Authority

	// Denied, Decided, Fulfilled: that the law knows an appeal to the company, which
	// Follow leads to, and until when it can be filed; zero: the law sets no end.
	Appeal      bool
	AppealUntil time.Time

	// Remind: when a request that nobody confirms ends.
	LapseAt time.Time
	// Remind, Lapsed: another way to show who asks, in the language of the letter.
	// May be empty.
	AnotherWay string

	// Asked, StillAsked: the question, or the message. Decided: the explanation. It may have
	// several paragraphs.
	Words personal.Text
	// Asked: that we wait for the answer. StillAsked: we do.
	Waiting bool
	// Asked, StillAsked: that no time counts until it is answered.
	Stopped bool

	// Extended: the date as it was.
	Before time.Time

	// Decided: how it ended: upheld, partly_upheld, rejected.
	Outcome string

	// ConfirmConsent, RenewConsent: what it is about.
	Consents []Consent

	// ConfirmClosure, ClosureBegun: what to settle before an account is closed, in the
	// language of the letter; it may be empty, and have several paragraphs.
	Settle string
	// ConfirmClosure: for how many days a closure can be taken back once it is
	// confirmed; 0: not at all. GoneIn is the days from then until everything is gone.
	Grace, GoneIn int
	// ClosureBegun: when the account closes. Until then Revoke, if there is one, takes
	// it back; GoneBy is when everything is gone.
	ClosesAt, GoneBy time.Time
	// ClosureBegun: that somebody who was signed in asked for it, and nobody pressed a
	// button in a mail.
	SignedIn bool

	// Digest, Overdue: what needs whoever reads it, the most urgent first.
	Lines   []Line
	More    int    // further ones that have no room
	Console string // where the operators' API is: https://...
}

// Consent is one thing that somebody agreed to, in the language of the letter.
type Consent struct {
	Label   string    // what the switch is called
	Wording string    // what was shown, to the letter
	Until   time.Time // RenewConsent: when it ends
}

// Line is one request in a digest, or something else of ours. Nothing in it is personal.
type Line struct {
	Request   string
	Call      string // that shows it, where it is no request; then its dates may be zero
	Right     string
	Why       []string // as package digest spells it: T-7, overdue, task... The most urgent first
	RespondBy time.Time
	SafeBy    time.Time
}
