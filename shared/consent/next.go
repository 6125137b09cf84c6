package consent

import (
	"time"

	"rightsdesk/shared/policy"
)

const (
	// relayWithin is how long a promised letter or telling may wait before the sweep
	// takes care of it: the stream is faster, when it works.
	relayWithin = 2 * time.Minute
	// nearEnough is how much too early an entry of the due-index may be. An early
	// look costs one read, moving the entry costs two writes.
	nearEnough = 5 * time.Minute
	// remindBefore is how long before a consent ends people are told and asked again.
	remindBefore = 30 * 24 * time.Hour
	// lookIn is how often a subject is looked at, at most, although nothing is due.
	lookIn = 90 * 24 * time.Hour
)

// Next is the earliest instant at which somebody must look at the subject again:
// everything that is still to happen to it is in here. Zero: nothing is.
func (sub Subject) Next() time.Time {
	var next time.Time
	at := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if len(sub.Announcements) > 0 {
		at(sub.After)
	}
	for _, t := range sub.Tellings {
		at(t.After)
	}
	for _, a := range sub.Asks {
		at(a.Until)
	}
	for _, st := range sub.Purposes {
		if st.Choice == Granted && !st.Until.IsZero() {
			at(st.next())
		}
	}
	return next
}

// next is when a consent is looked at: to remind of its end, then to end it.
func (st Standing) next() time.Time {
	if st.Asked {
		return st.Until
	}
	return st.remindAt()
}

// remindAt is when it is told that a consent ends: a month before, or half way
// where it does not last two.
func (st Standing) remindAt() time.Time { return remindAt(st.At, st.Until) }

func remindAt(from, until time.Time) time.Time {
	return later(until.Add(-remindBefore), from.Add(until.Sub(from)/2))
}

// file returns the instant under which the subject is filed in the due-index.
//
// Everybody is filed, and no later than the earliest look that a consent given
// tomorrow could need, so that an ordinary capture moves nothing: an early look
// once a quarter or a year is cheaper than two more write units a capture. A
// change leaves an entry that is too early where it is; whoever looks in and has
// nothing to do files it exactly.
func (s *Service) file(sub Subject, exactly bool) time.Time {
	now := s.now()
	due := s.lookAgain(now)
	if next := sub.Next(); !next.IsZero() && next.Before(due) {
		due = next
	}
	tolerance := nearEnough
	if exactly && due.Sub(now)/2 > tolerance && sub.Filed.Sub(now) > nearEnough {
		tolerance = due.Sub(now) / 2 // what is due in months need not be moved by days
	}
	early := !sub.Filed.IsZero() && !sub.Filed.After(due)
	if early && (sub.Filed.After(now) && !exactly || due.Sub(sub.Filed) <= tolerance) {
		return sub.Filed
	}
	return due
}

// lookAgain is when a subject is looked at for whom nothing is due.
func (s *Service) lookAgain(now time.Time) time.Time {
	first := s.Policy.Retention.Audit.After(now)
	for _, rule := range s.Policy.Consents {
		if until := s.until(rule, now, now); remindAt(now, until).Before(first) {
			first = remindAt(now, until)
		}
	}
	return later(first, now.Add(lookIn))
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// until is when a consent given at an instant ends, if it is recorded now: by its
// rule, and with its evidence at the latest.
func (s *Service) until(rule policy.Consent, given, now time.Time) time.Time {
	end := s.Policy.Retention.Audit.After(now)
	if !rule.Expires.IsZero() {
		end = earlier(end, rule.Expires.After(given))
	}
	return end.Truncate(time.Second)
}
