package dynamodbsource

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rightsdesk/shared/source"
)

// Expire implements source.Sweeper. Every item is read again, strongly, and is changed
// on the condition that its time and whoever it names are as they were read.
func (s *Source) Expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	ctx, cancel := e.Call.Within(ctx, s.o.Now())
	defer cancel()
	done, err := s.expire(ctx, e)
	if err != nil {
		return source.Done{}, fmt.Errorf("source %s: expire: %w", s.o.ID, err)
	}
	return done, nil
}

func (s *Source) expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	if err := e.Check(); err != nil {
		return source.Done{}, err
	}
	w, err := s.way(source.Age{Category: e.Category, By: e.By, Until: e.Until, Verb: e.Verb})
	if err != nil {
		return source.Done{}, err
	}
	if slices.ContainsFunc(e.Masks, func(m source.Mask) bool { return m.How != source.Null && s.m.names(m.Field) }) {
		return source.Done{}, refused(errors.New("an attribute that people are found by can only be masked by null in a sweep: it would be due again"))
	}
	if err := e.Call.Begins(s.o.Now()); err != nil {
		return source.Done{}, err
	}
	fates, err := s.fates(ctx, e, w)
	if err != nil {
		return source.Done{}, err
	}
	mine := source.Page{IDs: []string{}}
	for _, f := range fates {
		if f.due {
			mine.IDs = append(mine.IDs, f.id)
		}
	}
	page, err := source.RememberExpiry(ctx, s.o.Pages, e, mine)
	if err != nil {
		return source.Done{}, err
	}
	done := source.Done{Done: true}
	for _, f := range fates {
		switch planned := slices.Contains(page.IDs, f.id); {
		case f.over && planned: // a repeated call: this one did it
			done.Removed++
			continue
		case f.over:
			continue
		case !planned || !f.due:
			done.Retained++
			continue
		}
		if err := e.Call.Begins(s.o.Now()); err != nil {
			return source.Done{}, err
		}
		theirs, err := s.apply(ctx, f.change)
		switch {
		case err != nil:
			return source.Done{}, err
		case theirs:
			done.Retained++
		default:
			done.Removed++
		}
	}
	if done.Retained > 0 {
		done.Messages = []string{fmt.Sprintf("%d items were used again or had become somebody else's, and were left alone.", done.Retained)}
	}
	return done, nil
}

// fate is what is to become of one record of a page.
type fate struct {
	change
	due  bool
	over bool // gone, or anonymised already
}

// fates works out what becomes of every record before anything is changed, so that
// a page that must be refused changes nothing.
func (s *Source) fates(ctx context.Context, e source.Expiry, w way) ([]fate, error) {
	handles, keys := make([]handle, len(e.Records)), make([]item, len(e.Records))
	for i, r := range e.Records {
		raw := r.Handle.Reveal()
		if len(raw) > source.MaxHandle || !parseToken(raw, &handles[i]) {
			return nil, refused(errors.New("a handle is none of this source's"))
		}
		if keys[i] = s.m.key(handles[i].item()); keys[i][s.m.Key.Partition] == nil || s.m.Key.Sort != "" && keys[i][s.m.Key.Sort] == nil {
			return nil, refused(errors.New("a handle has no key of this table"))
		}
	}
	items, _, err := s.reread(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	read := make(map[string]item, len(items))
	for _, it := range items {
		read[s.m.keyText(it)] = it
	}
	fates := make([]fate, len(e.Records))
	for i, r := range e.Records {
		it := read[s.m.keyText(keys[i])]
		if fates[i], err = s.fate(e, w, r, handles[i], it); err != nil {
			return nil, err
		}
		fates[i].id = r.ID
	}
	return fates, nil
}

func (s *Source) fate(e source.Expiry, w way, r source.AgedRecord, h handle, it item) (fate, error) {
	if it == nil {
		return fate{over: true}, nil
	}
	if e.Verb == source.Anonymise && !s.m.named(it) {
		return fate{over: true}, nil
	}
	// What cannot be read as it was when it was found was written again: it is left alone.
	at, errAt := w.when.of(it)
	category, errCategory := s.m.category(it)
	id, errID := s.m.id(it)
	same := errCategory == nil && errID == nil && category == e.Category && id == r.ID && s.m.whose(it) == h.Whose
	if !same || errAt != nil && !r.At.IsZero() || !e.Due(r.At, at) {
		return fate{}, nil
	}
	c := change{key: s.m.key(it), still: s.m.still(w, it), set: item{}, delete: e.Verb == source.Delete}
	if e.Verb == source.Anonymise {
		if err := s.mask(&c, e.Masks, e.MaskKey, it); err != nil {
			return fate{}, err
		}
	}
	return fate{change: c, due: true}, nil
}

// still is what must be true of an item so that it is the one that was judged: that
// it is there, what its time is, and whom it names.
func (m Mapping) still(w way, it item) item {
	still := item{m.Key.Partition: it[m.Key.Partition]}
	if w.when.Attribute != "" {
		still[w.when.Attribute] = it[w.when.Attribute]
	}
	for _, l := range m.FindBy {
		still[l.Attribute] = it[l.Attribute]
	}
	for _, t := range m.Ties {
		still[t.Attribute] = it[t.Attribute]
	}
	return still
}
