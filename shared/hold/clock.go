package hold

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// maxTicks bounds how many things one look does; more wait for the next.
const maxTicks = 5

// Tick does what the clock alone brings about for the hold under a key of the
// due-index: it comes into force, it ends, its review is due, its record is forgotten.
func (s *Service) Tick(ctx context.Context, k table.Key) error {
	if !IsKey(k) {
		return nil
	}
	id := ID(k.Sort)
	for range maxTicks {
		h, err := s.load(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.now()
		if h.Next().IsZero() || h.Next().After(now) {
			return nil
		}
		if h.Status == Released {
			return s.forget(ctx, h)
		}
		after, err := s.change(ctx, id, func(h Hold) (Hold, audit.Entry, []table.Write, error) { return s.due(ctx, h, now) })
		if err != nil {
			return err
		}
		if after.Status == Released {
			s.resume(ctx, id)
		}
		if after.version == h.version { // nothing was to be recorded
			if err := s.look(ctx, h, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// due is the next thing that the clock brings about.
func (s *Service) due(ctx context.Context, h Hold, now time.Time) (Hold, audit.Entry, []table.Write, error) {
	over := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	switch {
	case h.Status == Released:
		return h, audit.Entry{}, nil, errUnchanged
	case over(h.Until):
		next, e, err := s.release(h, ByClock, "ended")
		return next, e, nil, err
	case h.Status == Placing && over(h.Settles):
		return s.settle(ctx, h, now)
	case over(h.Look) && !slices.Equal(h.Fenced, s.categorySources(h.Category)):
		h.Look = now.Add(lookAgain)
		next, e, err := h.Apply(Widen, ByClock, now)
		return next, e, nil, err
	case over(h.reminder()) && s.Digest != nil:
		notes, err := s.Digest.Note(ctx, digest.Operators, digest.Line{
			Request: string(h.ID), Right: lineRight, Call: "GET /v1/operator/holds/" + string(h.ID), RespondBy: h.Review, SafeBy: h.Review, Why: []digest.Why{digest.HoldReview},
		})
		if err != nil {
			return h, audit.Entry{}, nil, err
		}
		next, e, err := h.Apply(Remind, ByClock, now)
		return next, e, notes, err
	}
	return h, audit.Entry{}, nil, errUnchanged
}

// lineRight is what a line of a digest says that it is about.
const lineRight = "legal_hold"

// settle brings a hold into force, once the last page from before is over.
func (s *Service) settle(ctx context.Context, h Hold, now time.Time) (Hold, audit.Entry, []table.Write, error) {
	went, open, err := s.between(ctx, h, now)
	if err != nil {
		return h, audit.Entry{}, nil, err
	}
	if !open.IsZero() {
		return h, audit.Entry{}, nil, errUnchanged // look moves it
	}
	h.list(went)
	// While it was read what was claimed, pages ended that it met as settled: in force
	// is from after the last of them.
	now = s.now()
	for _, w := range went {
		now = later(now, w.Ended)
	}
	facts := []audit.Fact{{Name: factWent, Value: strconv.Itoa(len(h.Went) + h.Omitted)}}
	told, err := h.told()
	if err != nil {
		return h, audit.Entry{}, nil, err
	}
	next, e, err := h.Apply(Settle, ByClock, now, append(facts, told...)...)
	return next, e, nil, err
}

// told is what the audit has of what went.
func (h Hold) told() (facts []audit.Fact, err error) {
	size := 0
	for _, w := range h.Went {
		w.IDs = within(w.IDs[:min(len(w.IDs), maxTold)], &size)
		told, err := json.Marshal(w)
		if err != nil {
			return nil, fmt.Errorf("encode what went: %w", err)
		}
		facts = append(facts, audit.Fact{Name: factGone, Value: string(told)})
	}
	return facts, nil
}

// within returns as many ids as there is room for, and counts them.
func within(ids []string, size *int) []string {
	for i, id := range ids {
		if *size += len(id) + 4; *size > maxIDs {
			return ids[:i]
		}
	}
	return ids
}

// look moves the next look of a hold that has nothing to be recorded yet.
func (s *Service) look(ctx context.Context, h Hold, now time.Time) error {
	if !h.Look.IsZero() && !h.Look.After(now) {
		h.Look = now.Add(lookAgain)
	}
	if h.Status == Placing && !h.Settles.After(now) {
		_, open, err := s.between(ctx, h, now)
		if err != nil {
			return err
		}
		h.Settles = later(open, now)
	}
	if s.Digest == nil && !h.reminder().IsZero() && !h.reminder().After(now) {
		h.Reminded = now
	}
	put, err := h.put()
	if err != nil {
		return err
	}
	err = s.Table.Commit(ctx, table.NewID(), put)
	if errors.Is(err, table.ErrConflict) {
		return nil // somebody else was faster: the next look decides
	}
	return err
}

const (
	// commitWithin is longer than anybody goes on trying to commit a placing.
	commitWithin = 10 * time.Minute
	claimMinute  = "2006-01-02T15:04"
	maxWent      = 300
	maxGone      = 2000 // ids, over all entries of Went
	maxTold      = 20   // ids of one page that the audit has
	// maxIDs bounds them all in bytes, in the hold as in the audit: they are as long as a
	// store makes them, and an item takes 400 KB.
	maxIDs = 150 << 10
)

// between lists what pages that the hold covers did, or may have done, while it was
// being placed; if one of them is not over yet, when it is. The fences are up: nothing
// is added to the list any more.
func (s *Service) between(ctx context.Context, h Hold, now time.Time) (went []Went, open time.Time, err error) {
	sources := h.Fenced
	if h.Scope == OnPerson || h.Scope == OnRequest {
		sources = nil
		for _, src := range s.Policy.Sources {
			sources = append(sources, src.ID)
		}
	}
	last := h.Since.Add(commitWithin)
	if now.Before(last) {
		last = now
	}
	byPage := map[string]Went{}
	for _, src := range sources {
		for at := h.Since.Add(-margin).Truncate(time.Minute); !at.After(last.Add(Lease + margin)); at = at.Add(time.Minute) {
			q := table.Query{Table: table.State, Partition: "claim#" + src, Prefix: at.UTC().Format(claimMinute)}
			for {
				page, err := s.Table.Query(ctx, q)
				if err != nil {
					return nil, time.Time{}, fmt.Errorf("read what was claimed: %w", err)
				}
				for _, item := range page.Items {
					c := Claimed{Source: src}
					if err := json.Unmarshal(item.Body, &c); err != nil || item.Schema != claimSchema {
						return nil, time.Time{}, fmt.Errorf("hold: a claim on %s is stored in an unknown form", src)
					}
					if !h.covers(c) || c.Until.Add(margin).Before(h.Since) || !c.Ended.IsZero() && c.Ended.Before(h.Since) {
						continue
					}
					if c.Ended.IsZero() && c.Until.Add(margin).After(now) {
						open = later(open, c.Until.Add(margin))
					}
					w := h.went(c)
					if before, ok := byPage[w.Page]; ok {
						w = w.and(before)
					}
					byPage[w.Page] = w
				}
				if q.Cursor = page.Cursor; q.Cursor == "" {
					break
				}
			}
		}
	}
	for _, w := range byPage {
		if w.Outcome != Nothing {
			went = append(went, w)
		}
	}
	slices.SortFunc(went, func(a, b Went) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Page, b.Page)) })
	return went, open, nil
}

// went is what a page did to what the hold covers.
func (h Hold) went(c Claimed) Went {
	w := Went{Source: c.Source, Category: c.Category, Owner: c.Owner, Page: c.Page, At: c.At, Ended: c.Ended, Count: c.Count, Outcome: Unknown}
	for _, r := range c.Records {
		mine := h.Scope != OnPerson || slices.ContainsFunc(r.Who, func(id seal.Identifier) bool { return slices.Contains(h.Identifiers, id) })
		mine = mine && (h.Scope != OnItem || r.ID == h.Item || r.ID == "")
		if mine && (len(c.Gone) == 0 || slices.Contains(c.Gone, r.ID)) {
			w.IDs = append(w.IDs, r.ID)
		}
	}
	if len(c.Records) > 0 {
		w.Count = len(w.IDs)
	} else {
		w.IDs = c.Gone
	}
	w.IDs = slices.DeleteFunc(w.IDs, func(id string) bool { return id == "" })
	if c.Ended.IsZero() {
		return w
	}
	w.Outcome = Done
	if w.Count = min(w.Count, c.Removed); len(c.Records) == 0 {
		w.Count = c.Removed
	}
	if w.Count == 0 {
		w.Outcome = Nothing
	}
	return w
}

// and is what is known of a page that was claimed twice, because the first answer was
// lost. The second call may have found nothing left to do: what was never answered
// may have happened all the same.
func (w Went) and(x Went) Went {
	rank := func(o Outcome) int { return slices.Index([]Outcome{Nothing, Unknown, Done}, o) }
	if rank(x.Outcome) > rank(w.Outcome) {
		w, x = x, w
	}
	if x.At.Before(w.At) {
		w.At = x.At
	}
	if w.Outcome == x.Outcome {
		w.Ended, w.Count = later(w.Ended, x.Ended), max(w.Count, x.Count)
	}
	return w
}

// list adds to what went, within what one hold can list.
func (h *Hold) list(went []Went) {
	h.Went = slices.Clone(h.Went)
	ids, size := 0, 0
	for _, w := range h.Went {
		ids += len(w.IDs)
		within(w.IDs, &size)
	}
	for _, w := range went {
		if slices.ContainsFunc(h.Went, func(x Went) bool { return x.Page == w.Page }) {
			continue // it was listed before the hold was widened
		}
		if len(h.Went) == maxWent {
			h.Omitted++
			continue
		}
		w.IDs = within(w.IDs[:min(len(w.IDs), maxGone-ids)], &size)
		ids += len(w.IDs)
		h.Went = append(h.Went, w)
	}
}

// forget removes the record of a hold at the end of its retention.
func (s *Service) forget(ctx context.Context, h Hold) error {
	err := s.Table.Commit(ctx, table.NewID(), table.Delete(h.ID.ref(), table.Version(h.version)))
	if errors.Is(err, table.ErrConflict) {
		return nil
	}
	return err
}
