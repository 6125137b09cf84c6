package hold

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// errUnchanged leaves a hold as it is.
var errUnchanged = errors.New("hold: nothing to change")

// change loads a hold, lets decide make the next version of it, and saves that with
// what goes with it; somebody else's commit in between makes it decide again.
func (s *Service) change(ctx context.Context, id ID, decide func(Hold) (Hold, audit.Entry, []table.Write, error)) (Hold, error) {
	commit := table.NewID()
	for try := range conflictTries {
		h, err := s.load(ctx, id)
		if err != nil {
			return Hold{}, unavailable(err)
		}
		next, e, more, err := decide(h)
		if errors.Is(err, errUnchanged) {
			return h, nil
		}
		if err != nil {
			return h, unavailable(err)
		}
		next, writes, err := s.writes(ctx, commit, next, e)
		if err == nil {
			err = s.Table.Commit(ctx, commit, append(writes, more...)...)
		}
		if err == nil {
			next.version++
			return next, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return h, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return h, err
		}
	}
	return Hold{}, ErrBusy
}

const (
	maxReplays = 20
	replayFor  = 24 * time.Hour
)

// replayed reports whether a call was made before; called with other content it fails.
func (s *Service) replayed(h Hold, a Action, c Call) (bool, error) {
	if c.Key == "" {
		return false, nil
	}
	key := s.replayKey(h.ID, a, c)
	for _, p := range h.Replays {
		if !seal.Same(p.Key, key) {
			continue
		}
		if !seal.Same(p.Body, s.Ring.Hash("body", c.Body)) {
			return false, ErrReplay
		}
		return true, nil
	}
	return false, nil
}

// remember adds a call to h.
func (s *Service) remember(h *Hold, a Action, c Call) {
	if c.Key == "" {
		return
	}
	now := s.now()
	h.Replays = slices.DeleteFunc(slices.Clone(h.Replays), func(p Replay) bool { return now.Sub(p.At) > replayFor })
	if len(h.Replays) >= maxReplays {
		h.Replays = h.Replays[len(h.Replays)-maxReplays+1:]
	}
	h.Replays = append(h.Replays, Replay{Key: s.replayKey(h.ID, a, c), Body: s.Ring.Hash("body", c.Body), At: now})
}

func (s *Service) replayKey(id ID, a Action, c Call) string {
	return s.Ring.Hash("replay", chainPrefix+string(id), string(a), c.Key)
}

// Reviewed is what somebody who looked at a hold again says.
type Reviewed struct {
	Review time.Time // the next one, at most MaxReview ahead
	Owner  string    // empty: as before
	Until  time.Time // zero: as before
}

// Review records that a hold is still needed, and when somebody looks next.
func (s *Service) Review(ctx context.Context, by operator.Identity, id ID, r Reviewed, c Call) (Hold, error) {
	if !by.May(operator.Handler) {
		return Hold{}, ErrForbidden
	}
	return s.change(ctx, id, func(h Hold) (Hold, audit.Entry, []table.Write, error) {
		if done, err := s.replayed(h, Review, c); err != nil || done {
			return h, audit.Entry{}, nil, errors.Join(err, unchangedIf(done))
		}
		if !h.Can(Review) {
			return h, audit.Entry{}, nil, ErrReleased
		}
		now := s.now()
		bad := checkReview(r.Review, r.Until, now)
		if r.Owner != "" && !reference.MatchString(r.Owner) {
			bad = append(bad, fault.Field{Pointer: "/owner", Text: "must be an operator's id"})
		}
		if !r.Until.IsZero() && h.Automatic {
			bad = append(bad, fault.Field{Pointer: "/until", Text: "is the law's for an automatic hold; release it, or place one of your own"})
		}
		if len(bad) > 0 {
			return h, audit.Entry{}, nil, fault.Input(bad...)
		}
		h.Review = r.Review.UTC().Truncate(time.Millisecond)
		if r.Owner != "" {
			h.Owner = r.Owner
		}
		if !r.Until.IsZero() {
			h.Until = r.Until.UTC().Truncate(time.Millisecond)
		}
		s.remember(&h, Review, c)
		next, e, err := h.Apply(Review, by.Actor(), now)
		return next, e, nil, err
	})
}

func unchangedIf(yes bool) error {
	if yes {
		return errUnchanged
	}
	return nil
}

// Release ends a hold, for a reason that is a short code. What waited for it goes on.
func (s *Service) Release(ctx context.Context, by operator.Identity, id ID, reason string, c Call) (Hold, error) {
	if !by.May(operator.Handler) {
		return Hold{}, ErrForbidden
	}
	if !reference.MatchString(reason) {
		return Hold{}, fault.Input(fault.Field{Pointer: "/reason", Text: "must say why in a short code such as case-closed: letters, digits and . _ : / + - only, nothing about a person"})
	}
	h, err := s.change(ctx, id, func(h Hold) (Hold, audit.Entry, []table.Write, error) {
		if done, err := s.replayed(h, Release, c); err != nil || done {
			return h, audit.Entry{}, nil, errors.Join(err, unchangedIf(done))
		}
		s.remember(&h, Release, c)
		next, e, err := s.release(h, by.Actor(), reason)
		return next, e, nil, err
	})
	if err != nil {
		return Hold{}, err
	}
	s.resume(ctx, h.ID)
	return h, nil
}

// release is the end of a hold.
func (s *Service) release(h Hold, by, reason string) (Hold, audit.Entry, error) {
	h.Reason = reason
	return h.Apply(Release, by, s.now())
}

// Get returns a hold.
func (s *Service) Get(ctx context.Context, by operator.Identity, id ID) (Hold, error) {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return Hold{}, ErrForbidden
	}
	h, err := s.load(ctx, id)
	return h, unavailable(err)
}

// Filter narrows a list of holds.
type Filter struct {
	Status Status // empty: all
	Scope  Scope  // empty: all
	// For lists what a request brought about, and what is on it.
	For    string
	Cursor string
	Limit  int // at most 100; 0: 50
}

// List returns holds in no order that means anything. A page may be shorter than the
// limit; an empty cursor says that it is the last.
func (s *Service) List(ctx context.Context, by operator.Identity, f Filter) (holds []Hold, next string, err error) {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return nil, "", ErrForbidden
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 50
	}
	q := table.Query{Table: table.State, Partition: partition, Cursor: f.Cursor}
	for {
		q.Limit = f.Limit - len(holds)
		page, err := s.Table.Query(ctx, q)
		if f.Cursor != "" && errors.Is(err, table.ErrMalformed) {
			return nil, "", fault.Input(fault.Field{Pointer: "/cursor", Text: "must be the cursor of an answer, as it was given"})
		}
		if err != nil {
			return nil, "", unavailable(fmt.Errorf("list holds: %w", err))
		}
		for _, item := range page.Items {
			h, err := decode(item)
			if err != nil {
				return nil, "", err
			}
			if (f.Status == "" || h.Status == f.Status) && (f.Scope == "" || h.Scope == f.Scope) && (f.For == "" || h.For == f.For || h.Request == f.For) {
				holds = append(holds, h)
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" || len(holds) >= f.Limit {
			return holds, q.Cursor, nil
		}
	}
}

// waitLife is longer than work pauses before it looks again by itself.
const (
	waitLife   = 6 * time.Hour
	waitSchema = 1
)

// Waiting returns the writes that note that a request waits for holds, so that their
// release wakes the work. They go with the commit that puts the work off.
func Waiting(ctx context.Context, t table.Table, now time.Time, request string, by ...ID) ([]table.Write, error) {
	var writes []table.Write
	for _, id := range by {
		key := table.Key{Partition: "waiting#" + string(id), Sort: request}
		pre := table.New
		item, err := t.Get(ctx, table.Ref{Table: table.State, Key: key})
		switch {
		case err == nil && item.Expires.Sub(now) > waitLife/2:
			continue
		case err == nil:
			pre = table.Version(item.Version)
		case !errors.Is(err, table.ErrAbsent):
			return nil, fmt.Errorf("read what waits for a hold: %w", err)
		}
		writes = append(writes, table.Put(table.State, table.Item{
			Key: key, Body: []byte("{}"), Schema: waitSchema, Expires: now.Add(waitLife),
		}, pre))
	}
	return writes, nil
}

// resume wakes what waited for a hold. What it misses looks again by itself.
func (s *Service) resume(ctx context.Context, id ID) {
	if s.Requests == nil {
		return
	}
	q := table.Query{Table: table.State, Partition: "waiting#" + string(id)}
	for {
		page, err := s.Table.Query(ctx, q)
		for _, item := range page.Items {
			if err := s.Requests.Unheld(ctx, item.Key.Sort); err != nil && s.Log != nil {
				s.Log.WarnContext(ctx, "a request that waited for a hold was not woken; it looks again by itself", "request", item.Key.Sort, "err", err)
			}
		}
		if q.Cursor = page.Cursor; err != nil || q.Cursor == "" {
			return
		}
	}
}
