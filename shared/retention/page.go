package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// begin begins a run.
func (s *Service) begin(ctx context.Context, sw Sweep, j job, sh *shift) (Sweep, error) {
	salt, err := s.salt(ctx, sw)
	if err != nil {
		return sw, err
	}
	now := s.now()
	run := &Run{ID: string(table.NewID()), Began: now, Until: cutoff(j.rule.Period, now), Round: 1}
	if sw.Preview != nil && (sw.Last == nil || sw.Last.Began.Before(sw.Preview.At)) {
		run.Expect = sw.Preview.Due - sw.Preview.Held
	}
	next, e, err := sw.Apply(Begin, byClock, now,
		audit.Fact{Name: "run", Value: run.ID}, audit.Fact{Name: "version", Value: sw.Version},
		audit.Fact{Name: "until", Value: instant(run.Until)})
	if err != nil {
		return sw, err
	}
	next.Run = run
	next.Lease = Lease{Token: sh.token, Until: now.Add(hold.Lease)}
	next, err = s.save(ctx, table.NewID(), next, []audit.Entry{e}, salt...)
	if err == nil {
		sh.saved = now
	}
	return next, err
}

// errEarly is a source that calls something old that is not.
var errEarly = fmt.Errorf("%w: the source lists records as old that are not", source.ErrRefused)

// errPart is a source that did only a part of what it was given.
var errPart = fmt.Errorf("%w: the source is not done with the page that it was given", source.ErrRefused)

// page asks for the next page of a run, claims it, and has it expired.
func (s *Service) page(ctx context.Context, sw Sweep, j job, sh *shift) (Sweep, error) {
	sw, err := s.held(ctx, sw, sh)
	if err != nil {
		return sw, err
	}
	c, err := s.secretOf(ctx, sw.Rule)
	if err != nil {
		return sw, err
	}
	run := *sw.Run
	cursor, err := c.unlock(run.Cursor)
	if c.version == 0 || errors.Is(err, seal.ErrSealed) {
		return s.anew(ctx, sw, c, sh)
	}
	if err != nil {
		return sw, err
	}
	if j.exhausted(sh) {
		sw.After = s.now().Add(idleFor)
		return s.keep(ctx, sw, sh)
	}
	// The holds first: one that is placed from here on fails the claim.
	standing, err := s.holds.Look(ctx, s.Table)
	if err != nil {
		return sw, err
	}
	aged, err := s.old(ctx, j, run.Until, cursor, run.ID, j.pick != nil, sh, sw.Lease.Until)
	if byHand(err) && sw.Status == Active {
		return s.entrust(ctx, sw)
	}
	if err != nil {
		return s.setback(ctx, sw, sh, err)
	}
	if sh.over() {
		return sw, nil // there would be no time to have the page expired; it is asked for again
	}
	run.Pages++
	run.Seen += aged.Seen
	run.Units += aged.Units
	due, err := s.sift(ctx, j, &run, aged.Records, standing)
	if err != nil {
		return s.setback(ctx, sw, sh, err)
	}
	next, err := c.lock(aged.Cursor)
	if err != nil {
		return sw, err
	}
	sw.Tries, sw.Fault = 0, ""
	if len(due) > 0 {
		return s.claim(ctx, sw, j, sh, c, standing, run, due, &Page{Next: next, Over: aged.Done})
	}
	sw.Run, sh.dirty = &run, true
	return s.onward(ctx, sw, j, sh, next, aged.Done)
}

// anew begins the look of a run from its start: what it remembers was sealed under a
// salt that is gone, as it is after a restore.
func (s *Service) anew(ctx context.Context, sw Sweep, c secret, sh *shift) (Sweep, error) {
	put, err := c.fresh(s.now().Add(replayLife))
	if err != nil {
		return sw, err
	}
	more := []table.Write{put}
	switch _, err := s.Table.Get(ctx, pageRef(sw.Rule)); {
	case err == nil:
		more = append(more, table.Delete(pageRef(sw.Rule), table.Exists))
	case !errors.Is(err, table.ErrAbsent):
		return sw, fmt.Errorf("look for the page under way of %s: %w", sw.Rule, err)
	}
	run := *sw.Run
	run.Cursor, run.Seq = nil, run.Seq+1 // the key of the page that is dropped is not used again
	sw.Run, sw.Page = &run, nil
	if sw.Walk != nil {
		sw.Walk, sw.Asked = nil, byClock
	}
	return s.keep(ctx, sw, sh, more...)
}

// onward moves a run past a page.
func (s *Service) onward(ctx context.Context, sw Sweep, j job, sh *shift, next []byte, over bool) (Sweep, error) {
	run := *sw.Run
	run.Cursor = next
	sw.Run = &run
	switch {
	case !over && s.now().Sub(sh.saved) <= storeEvery:
		return sw, nil
	case !over:
		return s.keep(ctx, sw, sh)
	case run.Effects == 0 || run.Round >= maxRounds:
		return s.end(ctx, sw, j, sh)
	}
	// Something went, so it is looked again from the start: what moved meanwhile, or was
	// skipped, is found, and a run ends with a look that had nothing to do.
	run.Round++
	run.Cursor, run.Effects, run.Kept, run.Held, run.Undated, run.Oldest = nil, 0, 0, 0, 0, time.Time{}
	sh.dirty = true
	return sw, nil
}

// sift returns what of a page is to be expired.
func (s *Service) sift(ctx context.Context, j job, run *Run, list []source.AgedRecord, standing *hold.Standing) ([]kept, error) {
	picked := []bool(nil)
	if j.pick != nil {
		var err error
		if picked, err = j.pick(ctx, list); err != nil {
			return nil, err
		}
		if len(picked) != len(list) {
			return nil, errors.New("retention: it was not said of every record whether it is to go")
		}
	}
	seen := make(map[string]bool, len(list))
	var due []kept
	for i, r := range list {
		switch {
		case seen[r.ID] || picked != nil && !picked[i]:
			continue
		case r.ID == "":
			return nil, fmt.Errorf("%w: the source lists a record without an id", source.ErrRefused)
		case r.At.IsZero() && j.pick == nil:
			run.Undated++
			continue
		case r.At.After(run.Until):
			return nil, errEarly
		}
		seen[r.ID] = true
		k := keep(s.Keys.Ring, r)
		if standing.Keeps(j.source, j.category, k.ID, k.Who...) {
			run.Held++
			continue
		}
		due = append(due, k)
	}
	return due, nil
}

// claim takes the right to expire a page: a commit that a hold placed in between
// fails, that counts the page against the brake, and after which a crash repeats this
// very page and no other.
func (s *Service) claim(ctx context.Context, sw Sweep, j job, sh *shift, c secret, standing *hold.Standing, run Run, due []kept, p *Page) (Sweep, error) {
	now := s.now()
	if j.pick == nil {
		left := sw.allowed(j.rule, now)
		if left == 0 {
			return s.brake(ctx, sw, j, sh, run, due)
		}
		if len(due) > left {
			due, p.Cut = due[:left], true
		}
	}
	sealed, err := c.pack(due)
	for err == nil && len(sealed) > maxPage && len(due) > 1 {
		due, p.Cut = due[:len(due)/2], true
		sealed, err = c.pack(due)
	}
	if err != nil {
		return sw, err
	}
	run.Seq++
	p.Seq, p.Records, p.Until = run.Seq, len(due), now.Add(hold.Lease)
	if p.Cut {
		run.Kept, run.Held, run.Undated = sw.Run.Kept, sw.Run.Held, sw.Run.Undated // they are met again
	}
	sw.Run, sw.Page = &run, p
	if j.pick == nil {
		sw.take(len(due), j.rule, now)
	}
	claimed := s.claimed(sw, j, due, now)
	writes, err := standing.Claim(claimed)
	if err != nil {
		return sw, err
	}
	writes = append(writes, table.Put(table.State, table.Item{Key: pageRef(sw.Rule).Key, Body: sealed, Schema: schema, Expires: now.Add(replayLife)}, table.New))
	if sw, err = s.keep(ctx, sw, sh, writes...); err != nil {
		return sw, err
	}
	return s.expire(ctx, sw, j, sh, c, due, claimed)
}

// claimed is the page under way as holds know it.
func (s *Service) claimed(sw Sweep, j job, due []kept, now time.Time) hold.Claimed {
	c := hold.Claimed{
		Owner: hold.BySweep(sw.Rule), Source: j.source, Category: j.category, At: now, Until: sw.Page.Until,
		Page: s.pageKey(sw), Count: len(due),
	}
	for _, k := range due {
		c.Records = append(c.Records, hold.Record{ID: k.ID, Who: k.Who})
	}
	return c
}

func (s *Service) pageKey(sw Sweep) string {
	return s.callKey(sw.Rule, sw.Run.ID, strconv.Itoa(sw.Page.Seq), strconv.Itoa(sw.Page.Gen))
}

// repeat takes up a page that somebody claimed and did not finish: the same records
// under the same key, less what a hold has come to keep meanwhile.
func (s *Service) repeat(ctx context.Context, sw Sweep, j job, sh *shift) (Sweep, error) {
	now := s.now()
	if sw.Page.Until.After(now) {
		sw.After = sw.Page.Until // its call may still be under way
		return s.keep(ctx, sw, sh)
	}
	c, err := s.secretOf(ctx, sw.Rule)
	if err != nil {
		return sw, err
	}
	item, err := s.Table.Get(ctx, pageRef(sw.Rule))
	if errors.Is(err, table.ErrAbsent) {
		return s.anew(ctx, sw, c, sh)
	}
	if err != nil {
		return sw, fmt.Errorf("read the page under way of %s: %w", sw.Rule, err)
	}
	due, err := c.unpack(item.Body)
	if errors.Is(err, seal.ErrSealed) {
		return s.anew(ctx, sw, c, sh)
	}
	if err != nil {
		return sw, err
	}
	standing, err := s.holds.Look(ctx, s.Table)
	if err != nil {
		return sw, err
	}
	free := slices.DeleteFunc(slices.Clone(due), func(k kept) bool { return standing.Keeps(j.source, j.category, k.ID, k.Who...) })
	p := *sw.Page
	p.Until, p.Records = now.Add(hold.Lease), len(free)
	p.Tries++
	if len(free) < len(due) {
		p.Gen++ // another page is another call
		p.Cut = true
	}
	sw.Page = &p
	if len(free) == 0 {
		sw.Page = nil
		return s.keep(ctx, sw, sh, table.Delete(pageRef(sw.Rule), table.Version(item.Version)))
	}
	claimed := s.claimed(sw, j, free, now)
	writes, err := standing.Claim(claimed)
	if err != nil {
		return sw, err
	}
	if len(free) < len(due) {
		sealed, err := c.pack(free)
		if err != nil {
			return sw, err
		}
		writes = append(writes, table.Put(table.State, table.Item{Key: pageRef(sw.Rule).Key, Body: sealed, Schema: schema, Expires: now.Add(replayLife)}, table.Version(item.Version)))
	}
	if sw, err = s.keep(ctx, sw, sh, writes...); err != nil {
		return sw, err
	}
	return s.expire(ctx, sw, j, sh, c, free, claimed)
}

// expire has the claimed page expired and records what came of it.
func (s *Service) expire(ctx context.Context, sw Sweep, j job, sh *shift, c secret, due []kept, claimed hold.Claimed) (Sweep, error) {
	sweeper, err := s.sweeper(j)
	if err != nil {
		return s.setback(ctx, sw, sh, err)
	}
	call, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	done, err := sweeper.Expire(call, source.Expiry{
		Verb: j.verb, Category: j.category, By: j.by, Until: sw.Run.Until, Records: records(due),
		Masks: j.masks, MaskKey: c.maskKey(sw.Run.ID),
		Call: source.Call{Key: claimed.Page, Lease: claimed.Until},
	})
	if err != nil {
		return s.setback(ctx, sw, sh, err)
	}
	if !done.Done {
		return s.setback(ctx, sw, sh, errPart)
	}
	n := min(max(done.Removed, 0), len(due))
	retained := min(max(done.Retained, 0), len(due)-n)
	if sw.Page.Tries > 0 {
		// The first call may have done it all and only its answer was lost: then the
		// store found nothing left to do. What it did not leave as it was is gone.
		n = len(due) - retained
	}
	return s.finish(ctx, sw, j, sh, due, claimed, n, retained)
}

// finish counts what became of a page, once: on the newest version of the sweep, if
// the page still stands there.
func (s *Service) finish(ctx context.Context, sw Sweep, j job, sh *shift, due []kept, claimed hold.Claimed, n, retained int) (Sweep, error) {
	settled, err := claimed.Settle(s.now(), n)
	if err != nil {
		return sw, err
	}
	page := *sw.Page
	runID := sw.Run.ID
	for try := range conflictTries {
		if sw.Page == nil || sw.Run == nil || sw.Run.ID != runID || sw.Page.Seq != page.Seq || sw.Page.Gen != page.Gen || sw.Page.Tries != page.Tries {
			return sw, nil // somebody else took it over and counts it
		}
		next := sw
		run := *sw.Run
		run.Done += n
		run.Effects += n
		if run.Kept += retained; retained > 0 {
			run.Oldest = earlier(run.Oldest, due[0].At)
		}
		run.mark(s.now())
		next.Run, next.Page = &run, nil
		next.Tries, next.Fault, next.After = 0, "", time.Time{}
		next.Lease = Lease{Token: sh.token, Until: s.now().Add(callFor)}
		next.giveBack(page, retained)
		// A page that was cut is asked for again, unless that would never end.
		again := page.Cut && n > 0
		if !again {
			run.Cursor = page.Next
		}
		next, err := s.save(ctx, table.NewID(), next, nil, settled, table.Delete(pageRef(sw.Rule), table.Exists))
		if err == nil {
			sh.saved, sh.dirty = s.now(), false
			if next.Status != Active && next.Status != replaying || again || !page.Over {
				return next, nil
			}
			return s.onward(ctx, next, j, sh, nil, true)
		}
		if !errors.Is(err, table.ErrConflict) {
			return sw, err
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return sw, err
		}
		if sw, err = s.load(ctx, sw.Rule); err != nil {
			return sw, err
		}
	}
	return sw, ErrBusy
}

// marks is how many marks a run remembers, one in so long.
const (
	marks     = 12
	markEvery = 20 * time.Second
)

// mark remembers how far the run is.
func (r *Run) mark(now time.Time) {
	if n := len(r.Marks); n > 0 && now.Sub(r.Marks[n-1].At) < markEvery {
		return
	}
	r.Marks = append(slices.Clone(r.Marks[max(0, len(r.Marks)-marks+1):]), Mark{At: now, Done: r.Done})
}

// end ends a run.
func (s *Service) end(ctx context.Context, sw Sweep, _ job, sh *shift) (Sweep, error) {
	run := *sw.Run
	run.Ended, run.Cursor, run.Marks = s.now(), nil, nil
	run.Verified = run.Kept == 0 && run.Effects == 0
	sw.Run, sw.Last = nil, &run
	sw.Oldest, sw.Seen, sw.Extra = run.Oldest, run.Until, 0
	if run.Verified {
		sw.Oldest = time.Time{}
	}
	if sw.Status == replaying {
		return s.over(ctx, sw, sh)
	}
	if s.lateNow(sw, s.now()) == nil {
		sw.Told = time.Time{}
	}
	if s.now().Sub(sw.Inventory.At) > recount && sw.Walk == nil && sw.Asked == "" {
		sw.Asked = byRecount
	}
	more, err := s.desalt(ctx, sw)
	if err != nil {
		return sw, err
	}
	next, e, err := sw.Apply(End, byClock, s.now(),
		audit.Fact{Name: "run", Value: run.ID},
		audit.Fact{Name: "until", Value: instant(run.Until)},
		audit.Fact{Name: "seen", Value: strconv.Itoa(run.Seen)},
		audit.Fact{Name: "done", Value: strconv.Itoa(run.Done)},
		audit.Fact{Name: "kept", Value: strconv.Itoa(run.Kept)},
		audit.Fact{Name: "held", Value: strconv.Itoa(run.Held)},
		audit.Fact{Name: "pages", Value: strconv.Itoa(run.Pages)},
		audit.Fact{Name: "verified", Value: strconv.FormatBool(run.Verified)},
	)
	if err != nil {
		return sw, err
	}
	next.Lease = Lease{Token: sh.token, Until: s.now().Add(callFor)}
	next, err = s.save(ctx, table.NewID(), next, []audit.Entry{e}, more...)
	if err == nil {
		sh.saved, sh.dirty = s.now(), false
	}
	return next, err
}

// brake stops the rule.
func (s *Service) brake(ctx context.Context, sw Sweep, j job, sh *shift, run Run, due []kept) (Sweep, error) {
	now := s.now()
	limit := sw.limit(j.rule)
	before := *sw.Run
	before.Pages, before.Units = run.Pages, run.Units
	sw.Run = &before
	sw.Stop = &Stop{At: now, Taken: sw.Day.Taken, Limit: limit, Next: len(due)}
	sw.Oldest = due[0].At
	for _, k := range due {
		sw.Oldest = earlier(sw.Oldest, k.At)
	}
	sw.Asked = byClock // operators see how much it would be
	next, e, err := sw.Apply(Brake, byClock, now,
		audit.Fact{Name: "version", Value: sw.Version}, audit.Fact{Name: "run", Value: run.ID},
		audit.Fact{Name: "day", Value: sw.Day.Day},
		audit.Fact{Name: "taken", Value: strconv.Itoa(sw.Day.Taken)}, audit.Fact{Name: "limit", Value: strconv.Itoa(limit)})
	if err != nil {
		return sw, err
	}
	lines, err := s.line(ctx, next, digest.Braked)
	if err != nil {
		return sw, err
	}
	next.Lease = Lease{Token: sh.token, Until: now.Add(callFor)}
	next, err = s.save(ctx, table.NewID(), next, []audit.Entry{e}, lines...)
	if err == nil {
		sh.saved, sh.dirty = now, false
	}
	return next, err
}
