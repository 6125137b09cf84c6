package retention

import (
	"context"
	"errors"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// storeEvery is how long a look may go on before what it knows is stored. A crash has
// that much walked again.
const storeEvery = 20 * time.Second

// beginCount begins the look that a preview or an inventory is made of.
func (s *Service) beginCount(ctx context.Context, sw Sweep, j job, sh *shift) (Sweep, error) {
	salt, err := s.salt(ctx, sw)
	if err != nil {
		return sw, err
	}
	now := s.now()
	sw.Walk = &Walk{ID: string(table.NewID()), Began: now, Until: cutoff(j.rule.Period, now), Quiet: sw.Asked == byRecount}
	sw.Asked = ""
	return s.keep(ctx, sw, sh, salt...)
}

// byRecount marks a look that only renews the inventory.
const byRecount = "recount"

// salt are the writes that make a salt, if nothing that is under way has one.
func (s *Service) salt(ctx context.Context, sw Sweep) ([]table.Write, error) {
	c, err := s.secretOf(ctx, sw.Rule)
	if err != nil || c.version > 0 && (sw.Run != nil || sw.Walk != nil) {
		return nil, err
	}
	put, err := c.fresh(s.now().Add(replayLife))
	return []table.Write{put}, err
}

// desalt are the writes that forget the salt once neither a run nor a look is under way.
func (s *Service) desalt(ctx context.Context, sw Sweep) ([]table.Write, error) {
	if sw.Run != nil || sw.Walk != nil {
		return nil, nil
	}
	c, err := s.secretOf(ctx, sw.Rule)
	return c.forget(), err
}

// count looks at one more page of everything that the source holds of the category.
func (s *Service) count(ctx context.Context, sw Sweep, j job, sh *shift) (Sweep, error) {
	sw, err := s.held(ctx, sw, sh)
	if err != nil {
		return sw, err
	}
	c, err := s.secretOf(ctx, sw.Rule)
	if err != nil {
		return sw, err
	}
	w := *sw.Walk
	cursor, err := c.unlock(w.Cursor)
	if c.version == 0 || errors.Is(err, seal.ErrSealed) {
		sw.Walk, sw.Asked = nil, byClock // after a restore: begin anew
		return s.keep(ctx, sw, sh)
	}
	if err != nil {
		return sw, err
	}
	if j.exhausted(sh) {
		sw.After = s.now().Add(idleFor)
		return s.keep(ctx, sw, sh)
	}
	standing, err := s.holds.Look(ctx, s.Table)
	if err != nil {
		return sw, err
	}
	// All of it is asked for, so that it can be counted; what is due is told by its time.
	aged, err := s.old(ctx, j, w.Began, cursor, w.ID, true, sh, sw.Lease.Until)
	if byHand(err) {
		return s.entrust(ctx, sw)
	}
	if err != nil {
		return s.setback(ctx, sw, sh, err)
	}
	p := &w.Preview
	p.Samples = p.Samples[:len(p.Samples):len(p.Samples)]
	for _, r := range aged.Records {
		p.Total++
		switch {
		case r.At.IsZero():
			p.Undated++
			continue
		case r.At.After(w.Until):
			continue
		}
		p.Due++
		p.Newest = later(p.Newest, r.At)
		k := keep(s.Keys.Ring, r)
		if standing.Keeps(j.source, j.category, k.ID, k.Who...) {
			p.Held++
			continue
		}
		p.Oldest = earlier(p.Oldest, r.At)
		if len(p.Samples) < maxSamples {
			p.Samples = append(p.Samples, r.ID)
		}
	}
	w.Pages++
	w.Units += aged.Units
	if w.Cursor, err = c.lock(aged.Cursor); err != nil {
		return sw, err
	}
	sw.Walk, sw.Tries, sw.Fault, sh.dirty = &w, 0, "", true
	if aged.Done {
		return s.counted(ctx, sw, sh)
	}
	if s.now().Sub(sh.saved) > storeEvery {
		return s.keep(ctx, sw, sh)
	}
	return sw, nil
}

// counted ends a look.
func (s *Service) counted(ctx context.Context, sw Sweep, sh *shift) (Sweep, error) {
	w := *sw.Walk
	sw.Walk = nil
	more, err := s.desalt(ctx, sw)
	if err != nil {
		return sw, err
	}
	w.Preview.At = w.Began
	sw.Inventory = Inventory{Total: w.Preview.Total, At: w.Began}
	if w.Quiet {
		return s.keep(ctx, sw, sh, more...)
	}
	sw.Preview, sw.Oldest = &w.Preview, w.Preview.Oldest
	next, e, err := sw.Apply(Look, byClock, s.now(),
		audit.Fact{Name: "version", Value: sw.Version},
		audit.Fact{Name: "until", Value: instant(w.Until)},
		audit.Fact{Name: "total", Value: strconv.Itoa(w.Preview.Total)},
		audit.Fact{Name: "due", Value: strconv.Itoa(w.Preview.Due)},
		audit.Fact{Name: "held", Value: strconv.Itoa(w.Preview.Held)},
		audit.Fact{Name: "undated", Value: strconv.Itoa(w.Preview.Undated)},
		audit.Fact{Name: "oldest", Value: instant(w.Preview.Oldest)},
	)
	if err != nil {
		return sw, err
	}
	if next.Status == Previewed {
		lines, err := s.line(ctx, next, digest.PreviewReady)
		if err != nil {
			return sw, err
		}
		more = append(more, lines...)
	}
	next.Lease = Lease{Token: sh.token, Until: s.now().Add(callFor)}
	next, err = s.save(ctx, table.NewID(), next, []audit.Entry{e}, more...)
	if err == nil {
		sh.saved, sh.dirty = s.now(), false
	}
	return next, err
}

// instant is a time in an entry; the zero time is left out.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
