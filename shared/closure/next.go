package closure

import "time"

const (
	// relayWithin is how long a promised letter may wait before the sweep takes care of
	// it: the stream is faster, when it works.
	relayWithin = 2 * time.Minute
	// nearEnough is how much too early an entry of the due-index may be. An early look
	// costs one read, moving the entry costs two writes.
	nearEnough = 5 * time.Minute
	// firstLook and lastLook bound the pauses after which we look whether the work is
	// done. Each is twice the one before: some takes minutes, some waits for people.
	firstLook = 10 * time.Minute
	lastLook  = 12 * time.Hour
)

// Next is the earliest instant at which somebody must look at the closure again:
// everything that is still to happen to it is in here. One that is over and told
// has the end of its own retention left.
func (c Closure) Next() time.Time {
	next := c.Forget
	at := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if len(c.Announcements) > 0 {
		at(c.After)
	}
	switch c.Status {
	case Asked:
		at(c.LapseAt)
	case Grace:
		at(c.ClosesAt)
	case Closing:
		at(c.Look)
	case Closed, Cancelled, Lapsed:
	}
	return next
}

// file returns the instant under which the closure is filed in the due-index.
func (c Closure) file() time.Time {
	next := c.Next()
	if !c.filed.IsZero() && !c.filed.After(next) && next.Sub(c.filed) <= nearEnough {
		return c.filed
	}
	return next
}

// pause is how long we wait before we look for the n-th time, from 0.
func pause(n int) time.Duration { return min(lastLook, firstLook<<min(n, 10)) }
