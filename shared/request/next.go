package request

import "time"

const (
	// relayWithin is how long an announcement may stay undelivered before the
	// sweep delivers it: the stream is faster, when it works.
	relayWithin = 2 * time.Minute
	// nearEnough is how much too early an entry of the due-index may be. An early
	// look costs one read, moving the entry costs two writes.
	nearEnough = 5 * time.Minute
)

// Next is the earliest instant at which somebody must look at the request again.
// Everything that is still to happen to a request is in here: what is not would
// be forgotten when a queue or a stream loses a message. A request that is over
// and told has the end of its own retention left.
func (r Request) Next() time.Time {
	next := r.Forget
	at := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if len(r.Announcements) > 0 {
		if at(later(r.Since, r.Closed).Add(relayWithin)); !r.Relay.After.IsZero() {
			next = r.Relay.After
		}
	}
	at(r.shredAt())
	switch r.Status {
	case Unverified:
		if at(r.LapseAt); r.toVerify() {
			at(r.verifyReminder())
		}
	case Open, InProgress:
		if r.asking() {
			at(r.Messages.Nudge)
		}
		at(r.nextMark())
		if untold, ok := r.untold(); ok {
			at(untold)
		}
		if u, ok := r.unit(); ok {
			at(later(later(u.at, r.Since), r.Lease.Until))
		}
	case Fulfilled, Denied, Revoked, Expired:
		if r.Parts {
			at(r.keptUntil())
		}
	}
	return next
}

// keptUntil is when what was gathered for the package of a request that is over
// is erased: with the package, or, if there is none, when whoever was still
// gathering has ended.
func (r Request) keptUntil() time.Time {
	if r.Package != nil {
		return r.Package.Until
	}
	return r.Closed.Add(stragglers)
}

// file returns the instant under which the request is filed in the due-index.
func (r Request) file() time.Time {
	next := r.Next()
	if !r.filed.IsZero() && !r.filed.After(next) && next.Sub(r.filed) <= nearEnough {
		return r.filed
	}
	return next
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
