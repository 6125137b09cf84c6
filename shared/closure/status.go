package closure

import (
	"slices"
	"time"

	"rightsdesk/shared/audit"
)

// Status is where a closure stands.
type Status string

// The statuses. The comment says who moves next.
const (
	Asked     Status = "asked"     // the person: press the button behind the mailed link
	Grace     Status = "grace"     // nobody: it closes when the time is over; the person can take it back
	Closing   Status = "closing"   // us: the request that it opened
	Closed    Status = "closed"    // nobody
	Cancelled Status = "cancelled" // nobody: the person took it back, everything is as it was
	Lapsed    Status = "lapsed"    // nobody: it was never confirmed
)

// Statuses lists every status, in the order of a closure's life.
var Statuses = []Status{Asked, Grace, Closing, Closed, Cancelled, Lapsed}

// Final reports whether the closure is over.
func (s Status) Final() bool {
	switch s {
	case Closed, Cancelled, Lapsed:
		return true
	case Asked, Grace, Closing:
		return false
	}
	return false
}

// live reports whether an account is closing: a pointer leads to the closure.
func (s Status) live() bool { return s == Grace || s == Closing }

// Action is what happens to a closure.
type Action string

// The actions.
const (
	Confirm Action = "confirm" // the owner of the address pressed the button
	Cancel  Action = "cancel"  // the person takes it back
	Begin   Action = "begin"   // the time to change one's mind is over: the work is opened
	Close   Action = "close"   // the work is done
	Lapse   Action = "lapse"   // nobody confirmed it in time
)

// Actions lists every action.
var Actions = []Action{Confirm, Cancel, Begin, Close, Lapse}

// What a closure's first entry says. A closure begins by one of them.
const (
	asked = "ask"   // by mail
	began = "start" // by who is signed in to the company's app
)

// withheld is the entry of a letter that went to nobody. It changes nothing.
const withheld = "withheld"

// moves is the whole state machine. What is not here cannot happen.
var moves = map[Status]map[Action]Status{
	Asked:   {Confirm: Grace, Lapse: Lapsed},
	Grace:   {Cancel: Cancelled, Begin: Closing},
	Closing: {Close: Closed},
}

// Can reports whether the action is possible now.
func (c Closure) Can(a Action) bool {
	_, ok := moves[c.Status][a]
	return ok
}

// Apply returns the closure as it is after a, and the audit entry that belongs to
// it. c itself is not changed.
func (c Closure) Apply(a Action, by string, now time.Time, facts ...audit.Fact) (Closure, audit.Entry, error) {
	next, ok := moves[c.Status][a]
	if !ok {
		return Closure{}, audit.Entry{}, ErrNotNow
	}
	c.Status = next
	if next.Final() {
		c.Over, c.LapseAt = now, time.Time{}
	}
	c.Announcements = slices.Clone(c.Announcements)
	e := audit.Entry{
		Chain: c.ID.Chain(), At: now, Actor: by, Action: string(a),
		Facts: slices.Concat([]audit.Fact{{Name: factStatus, Value: string(next)}}, facts),
	}
	return c, e, nil
}

// Actors of audit entries.
const (
	byPerson = "person"
	byApp    = "app" // a colon and its id follow
	byClock  = "clock"
	bySystem = "system"
)
