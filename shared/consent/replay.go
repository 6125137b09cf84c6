package consent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// maxCalls is how many calls a subject remembers; replayFor is for how long, as
// the published practice of payment APIs is.
const (
	maxCalls  = 100
	replayFor = 24 * time.Hour
)

func (s *Service) attemptKey(a *act) string {
	return s.Keys.Ring.Hash("consent call", a.actor, a.attempt.Key)
}

// replayed returns the entries that the same call made before.
func (s *Service) replayed(ctx context.Context, sub Subject, a *act) ([]audit.Entry, bool, error) {
	if a.attempt.Key == "" {
		return nil, false, nil
	}
	key, now := s.attemptKey(a), s.now()
	for _, c := range sub.Calls {
		if !seal.Same(c.Key, key) || now.Sub(c.At) > replayFor {
			continue
		}
		if !seal.Same(c.Body, s.Keys.Ring.Hash("body", a.attempt.Body)) {
			return nil, false, ErrReplay
		}
		chain := Standing{Chain: c.Chain}.chain(sub.ID)
		var list []audit.Entry
		for seq := c.Seq; seq < c.Seq+int64(c.N); seq++ {
			e, err := s.entry(ctx, chain, seq)
			if err != nil {
				return nil, false, err
			}
			list = append(list, e)
		}
		return list, true, nil
	}
	return nil, false, nil
}

// remember adds a call to what the draft remembers.
func (s *Service) remember(d *draft, a *act) {
	d.Calls = slices.DeleteFunc(slices.Clone(d.Calls), func(c Call) bool { return d.at.Sub(c.At) > replayFor })
	if a.attempt.Key == "" {
		return
	}
	if len(d.Calls) >= maxCalls {
		d.Calls = d.Calls[len(d.Calls)-maxCalls+1:]
	}
	d.Calls = append(d.Calls, Call{
		Key: s.attemptKey(a), Body: s.Keys.Ring.Hash("body", a.attempt.Body), Seq: d.entries[0].Seq, N: len(d.entries), At: d.at,
	})
}

// entry reads one entry of a chain, or returns ErrNotFound.
func (s *Service) entry(ctx context.Context, chain string, seq int64) (audit.Entry, error) {
	item, err := s.Table.Get(ctx, table.Ref{Table: table.Audit, Key: entryKey(chain, seq)})
	if err != nil {
		return audit.Entry{}, absent(err, "read an entry")
	}
	e, err := audit.Decode(item.Body)
	if err != nil {
		return audit.Entry{}, fmt.Errorf("read an entry of %s: %w", chain, err)
	}
	return e, nil
}
