package request

import (
	"slices"
	"time"

	"rightsdesk/shared/audit"
)

// Status is where a request stands. The words are the Data Rights Protocol's
// (1.0, section 3.02), and unverified before them.
type Status string

// The statuses. The comment says who moves next.
const (
	Unverified Status = "unverified"  // the person: enter the code or press the button behind the mailed link
	Open       Status = "open"        // the operator: accept or deny
	InProgress Status = "in_progress" // us: work off the plan; or the operator, where a task or a failed step waits
	Fulfilled  Status = "fulfilled"   // the person: fetch the package, if there is one
	Denied     Status = "denied"      // nobody; the person may complain
	Revoked    Status = "revoked"     // nobody: the person took it back
	Expired    Status = "expired"     // nobody: it was never verified
)

// Statuses lists every status, in the order of a request's life.
var Statuses = []Status{Unverified, Open, InProgress, Fulfilled, Denied, Revoked, Expired}

// Final reports whether the request is over.
func (s Status) Final() bool {
	switch s {
	case Fulfilled, Denied, Revoked, Expired:
		return true
	case Unverified, Open, InProgress:
		return false
	}
	return false
}

// Action is what happens to a request.
type Action string

// The actions.
const (
	Resend  Action = "resend"  // mail a new code and link
	Verify  Action = "verify"  // identity proven, for the first time or again
	Confirm Action = "confirm" // a new address proven, for a correction
	Accept  Action = "accept"  // the company takes the request on
	Looked  Action = "look"    // the sources were asked; a plan was made
	Work    Action = "work"    // a step or task is over
	Retry   Action = "retry"   // a failed step may try again
	Fulfil  Action = "fulfil"  // everything is done
	Deliver Action = "deliver" // the package was handed out
	Deny    Action = "deny"    // refused, with a reason
	Revoke  Action = "revoke"  // the person takes it back
	Lapse   Action = "lapse"   // the time to verify is over
	Clear   Action = "clear"   // the package's period is over, it was erased
	Overrun Action = "overrun" // the date to respond by has passed
	Remind  Action = "remind"  // a date comes near, or something waits: the person or the operators are told
	Ask     Action = "ask"     // an operator asks the person something
	Answer  Action = "answer"  // the person answers
	Pause   Action = "pause"   // time stops, as far as the law lets it
	Resume  Action = "resume"  // time goes on
	Extend  Action = "extend"  // the answer is put off, once
	Recount Action = "recount" // the dates are counted anew under a corrected law pack
	Assign  Action = "assign"  // another operator owns it
	Shred   Action = "shred"   // what the person attached to messages is erased
	Said    Action = "said"    // a letter left after tries of which some may have arrived

	Withheld Action = "withheld" // a letter went to nobody: this installation sends none, or not to that address
)

// Actions lists every action.
var Actions = []Action{
	Resend, Verify, Confirm, Accept, Looked, Work, Retry, Fulfil, Deliver, Deny, Revoke, Lapse, Clear, Overrun,
	Remind, Ask, Answer, Pause, Resume, Extend, Recount, Assign, Shred, Said, Withheld,
}

// moves is the whole state machine. What is not here cannot happen.
var moves = map[Status]map[Action]Status{
	Unverified: {
		Resend: Unverified, Verify: Open, Deny: Denied, Revoke: Revoked, Lapse: Expired,
		Remind: Unverified, Recount: Unverified, Said: Unverified, Withheld: Unverified,
	},
	Open: {
		Resend: Open, Verify: Open, Confirm: Open, Accept: InProgress, Looked: Open, Deny: Denied, Revoke: Revoked, Overrun: Open,
		Remind: Open, Ask: Open, Answer: Open, Pause: Open, Resume: Open, Extend: Open, Recount: Open, Assign: Open, Shred: Open, Said: Open, Withheld: Open,
	},
	InProgress: {
		Resend: InProgress, Verify: InProgress, Looked: InProgress, Work: InProgress, Retry: InProgress, Fulfil: Fulfilled,
		Deny: Denied, Revoke: Revoked, Overrun: InProgress,
		Remind: InProgress, Ask: InProgress, Answer: InProgress, Pause: InProgress, Resume: InProgress, Extend: InProgress,
		Recount: InProgress, Assign: InProgress, Shred: InProgress, Said: InProgress, Withheld: InProgress,
	},
	Fulfilled: {Resend: Fulfilled, Verify: Fulfilled, Deliver: Fulfilled, Clear: Fulfilled, Shred: Fulfilled, Said: Fulfilled, Withheld: Fulfilled},
	Denied:    {Resend: Denied, Verify: Denied, Clear: Denied, Shred: Denied, Said: Denied, Withheld: Denied},
	Revoked:   {Clear: Revoked, Shred: Revoked, Said: Revoked, Withheld: Revoked},
	Expired:   {Said: Expired, Withheld: Expired},
}

// Can reports whether the action is possible now.
func (r Request) Can(a Action) bool {
	_, ok := r.after(a)
	return ok
}

// after is the status that an action leads to. A choice cannot be revoked: it took
// effect as it was made, and is switched off where people choose. California wants
// even that confirmed twice (11 CCR 7028), which no lost request may get round.
func (r Request) after(a Action) (Status, bool) {
	next, ok := moves[r.Status][a]
	if r.Right.Internal() {
		return next, ok && a.internal()
	}
	return next, ok && (a != Revoke || !r.Right.Unverified())
}

// Apply returns the request as it is after a, and the audit entry that belongs
// to it. r itself is not changed. Details of the action are applied by the
// caller beforehand and told as facts.
func (r Request) Apply(a Action, by string, now time.Time, facts ...audit.Fact) (Request, audit.Entry, error) {
	next, ok := r.after(a)
	if !ok {
		return Request{}, audit.Entry{}, ErrNotNow
	}
	if next != r.Status {
		facts = append([]audit.Fact{{Name: "status", Value: string(next)}}, facts...)
	}
	r.Status = next
	if r.Status.Final() && r.Closed.IsZero() {
		r.Closed = now
		r.Lease = Lease{}
	}
	r.Announcements = slices.Clone(r.Announcements)
	e := audit.Entry{Chain: r.ID.Chain(), At: now, Actor: by, Action: string(a), Facts: facts}
	return r, e, nil
}

// Actors of audit entries that are not operators.
const (
	ByPerson = "person"
	ByApp    = "app"    // a program of the company's that vouches for who is signed in there; a colon and its id follow
	ByPolicy = "policy" // a rule of the policy file, without a human
	ByClock  = "clock"
	BySystem = "system" // work on a plan
)
