package consent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
)

// What one network address may do in an hour. A house full of people shares one,
// so a visitor's choices are bounded generously; a refusal goes through ten times
// as often as a consent, because nobody may be kept from refusing.
const (
	visitorsPerHour = 1000
	refusalsPerHour = 10 * visitorsPerHour
	maxFloods       = 100_000 // addresses that an instance remembers
)

// floodCache counts the calls of browsers for visitors, in this instance and not
// in the store: there, counting what is too much would cost as much as taking it.
type floodCache struct {
	mu   sync.Mutex
	hour string
	n    map[string]int
}

func (f *floodCache) count(from, hour string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hour != hour || len(f.n) > maxFloods {
		f.hour, f.n = hour, map[string]int{}
	}
	f.n[from]++
	return f.n[from]
}

// limit bounds what a browser may do. Where a mail may come of it the store
// counts: a form that mails is a weapon against whoever is named in it.
func (s *Service) limit(ctx context.Context, c Capture) error {
	if c.By != ByBrowser || c.From == "" {
		return nil
	}
	now := s.now()
	hour := now.Format("2006-01-02T15")
	from := s.Keys.Ring.Hash("chooser address", c.From, hour)
	granted := slices.ContainsFunc(c.Asked, func(a Asked) bool { return a.Choice == Granted })
	if c.Identity.Kind == personal.KindEmail && granted {
		return s.limitMail(ctx, from, hour, now)
	}
	most := refusalsPerHour
	if granted {
		most = visitorsPerHour
	}
	if s.floods.count(from, hour) > most {
		return ErrTooMany
	}
	return nil
}

// limitMail counts, in the store, what one network address had mailed to others.
func (s *Service) limitMail(ctx context.Context, from, hour string, now time.Time) error {
	key := table.Key{Partition: "asker#" + from, Sort: hour}
	_, err := s.Table.Count(ctx, table.Tally{
		Ref: table.Ref{Table: table.State, Key: key}, Window: hour, Limit: int64(s.Policy.Verification.SubmitsPerHour),
		New: table.Item{Key: key, Schema: subjectSchema, Body: []byte("{}"), Expires: now.Add(2 * time.Hour)},
	})
	if errors.Is(err, table.ErrOver) {
		return ErrTooMany
	}
	return unavailable(err)
}
