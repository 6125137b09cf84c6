package hold

import (
	"time"

	"rightsdesk/shared/audit"
)

// Status is where a hold stands.
type Status string

// The statuses. The comment says who moves next.
const (
	Placing  Status = "placing"  // us: no covered page begins any more, those under way end
	InForce  Status = "in_force" // the owner: review it, release it; the clock, if it has an end
	Released Status = "released" // nobody
)

// Statuses lists every status.
var Statuses = []Status{Placing, InForce, Released}

// Action is what happens to a hold.
type Action string

// The actions.
const (
	Place   Action = "place"    // begin it
	Settle  Action = "in_force" // the last page from before is over
	Widen   Action = "widen"    // it covers more: another identity of the person, another source
	Review  Action = "review"   // somebody looked, and says until when it stands
	Remind  Action = "remind"   // the review is due: operators are told
	Release Action = "release"  // what was held goes its way again
)

// Actions lists every action that a hold can meet.
var Actions = []Action{Settle, Widen, Review, Remind, Release}

// moves is the whole state machine. What is not here cannot happen.
var moves = map[Status]map[Action]Status{
	Placing: {Settle: InForce, Widen: Placing, Review: Placing, Remind: Placing, Release: Released},
	InForce: {Widen: Placing, Review: InForce, Remind: InForce, Release: Released},
}

// Can reports whether the action is possible now.
func (h Hold) Can(a Action) bool {
	_, ok := moves[h.Status][a]
	return ok
}

// Apply returns the hold as it is after a, and the audit entry that belongs to it.
// h itself is not changed. The entry tells the whole hold, so that the last one is
// enough to place it again after a restore.
func (h Hold) Apply(a Action, by string, now time.Time, facts ...audit.Fact) (Hold, audit.Entry, error) {
	next, ok := moves[h.Status][a]
	if !ok {
		return Hold{}, audit.Entry{}, ErrReleased
	}
	switch h.Status = next; a {
	case Widen:
		h.Since, h.Settles = now, now.Add(Lease+margin)
	case Settle:
		h.InForce, h.Settles = now, time.Time{}
	case Remind:
		h.Reminded = now
	case Release:
		h.Released, h.Settles, h.Look = now, time.Time{}, time.Time{}
	case Place, Review:
	}
	return h, audit.Entry{Chain: h.ID.Chain(), At: now, Actor: by, Action: string(a), Facts: append(h.facts(), facts...)}, nil
}

// Actors of audit entries that are not operators.
const (
	ByPolicy = "policy" // an automatic hold
	ByClock  = "clock"
)

const (
	// margin is by how much the clocks of two machines may differ.
	margin = 15 * time.Second
	// remindAgain is how often a review that nobody does is brought up once more.
	remindAgain = 7 * 24 * time.Hour
	// lookAgain is how often a category in all sources is looked for in new ones.
	lookAgain = 24 * time.Hour
)

// Next is the earliest instant at which somebody must look at the hold again. A
// hold that was released has the end of its own retention left.
func (h Hold) Next() time.Time {
	var next time.Time
	at := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if h.Status == Released {
		return h.Forget
	}
	at(h.Settles)
	at(h.Until)
	at(h.Look)
	at(h.reminder())
	return next
}

// reminder is when operators are to be told of the review next.
func (h Hold) reminder() time.Time {
	if h.Review.IsZero() || h.Reminded.Before(h.Review) {
		return h.Review
	}
	return h.Reminded.Add(remindAgain)
}
