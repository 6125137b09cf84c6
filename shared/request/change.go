package request

import (
	"context"
	"errors"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// conflictTries is how often a change is decided again on a newer version.
const conflictTries = 8

// change loads the request, lets decide make the next version of it, and saves
// that; somebody else's commit in between makes it decide again. decide returns
// errUnchanged to leave the request as it is.
func (s *Service) change(ctx context.Context, id ID, decide func(Request) (Request, audit.Entry, []mail.Kind, error)) (Request, error) {
	commit := table.NewID()
	for try := range conflictTries {
		r, err := s.load(ctx, id)
		if err != nil {
			return Request{}, err
		}
		next, e, say, err := decide(r)
		if errors.Is(err, errUnchanged) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		next, err = s.save(ctx, commit, next, e, say)
		if err == nil {
			return next, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return r, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return r, err
		}
	}
	return Request{}, ErrBusy
}

var errUnchanged = errors.New("request: nothing to change")

// unavailable turns a store that is busy, or that lost an answer, into a fault
// that asks the caller to repeat the call.
func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}

// maxReplays is how many answers a request remembers; replayFor is for how long
// at least, as the published practice of payment APIs is.
const (
	maxReplays = 50
	replayFor  = 24 * time.Hour
)

// Call identifies one attempt of a caller to change something.
type Call struct {
	Key  string // Idempotency-Key; empty: none was sent
	Body string // what was sent with it, in any stable form
}

// replayed returns what was answered to the same call before.
func (s *Service) replayed(r Request, action Action, c Call) (Replay, bool, error) {
	if c.Key == "" {
		return Replay{}, false, nil
	}
	key := s.replayKey(r.ID, action, c)
	for _, p := range r.Replays {
		if !seal.Same(p.Key, key) {
			continue
		}
		if !seal.Same(p.Body, s.Keys.Ring.Hash("body", c.Body)) {
			return Replay{}, false, ErrReplay
		}
		return p, true, nil
	}
	return Replay{}, false, nil
}

// remember adds the answer of a call to r.
func (s *Service) remember(r *Request, action Action, c Call, n int) {
	if c.Key == "" {
		return
	}
	now, key := s.now(), s.replayKey(r.ID, action, c)
	r.Replays = slices.DeleteFunc(slices.Clone(r.Replays), func(p Replay) bool { return now.Sub(p.At) > replayFor || p.Key == key })
	if len(r.Replays) >= maxReplays {
		r.Replays = r.Replays[len(r.Replays)-maxReplays+1:]
	}
	r.Replays = append(r.Replays, Replay{
		Key: key, Body: s.Keys.Ring.Hash("body", c.Body), Status: r.Status, N: n, At: now,
	})
}

func (s *Service) replayKey(id ID, action Action, c Call) string {
	return s.Keys.Ring.Hash("replay", string(id), string(action), c.Key)
}

// detail is what an action changes besides the status.
type detail struct {
	r     Request
	facts []audit.Fact
	say   []mail.Kind
}

// simple is a change that is one action and its detail, repeatable by its
// Idempotency-Key. The detail is decided on the request before the action.
func (s *Service) simple(ctx context.Context, id ID, a Action, by string, c Call, decide func(Request) (detail, error)) (Status, error) {
	status := Status("")
	r, err := s.change(ctx, id, func(r Request) (Request, audit.Entry, []mail.Kind, error) {
		p, ok, err := s.replayed(r, a, c)
		if err != nil {
			return r, audit.Entry{}, nil, err
		}
		if ok {
			status = p.Status
			return r, audit.Entry{}, nil, errUnchanged
		}
		d, err := decide(r)
		if err != nil {
			status = r.Status // for errUnchanged
			return r, audit.Entry{}, nil, err
		}
		next, e, err := d.r.Apply(a, by, s.now(), d.facts...)
		if err != nil {
			return r, audit.Entry{}, nil, err
		}
		status = next.Status
		s.remember(&next, a, c, 0)
		return next, e, d.say, nil
	})
	if err != nil {
		return "", err
	}
	s.wake(ctx, r)
	return status, nil
}

// wake hints that there is work, if there is.
func (s *Service) wake(ctx context.Context, r Request) {
	if u, ok := r.unit(); ok && s.Wake != nil && !u.at.After(s.now()) {
		s.Wake(ctx, r.ID)
	}
}

// Nudge hints that a request has work to do now, if it has.
func (s *Service) Nudge(ctx context.Context, id ID) {
	if r, err := s.load(ctx, id); err == nil {
		s.wake(ctx, r)
	}
}
