package s3source

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Old implements source.Sweeper. S3 has no index by age: every version below the
// prefixes is listed, 1000 in a request, and the tags of what is due are read where
// they say whom it is about. Units are requests. The order is that of keys, and the
// cursor holds one.
func (s *Source) Old(ctx context.Context, age source.Age) (source.Aged, error) {
	ctx, cancel := age.Call.Within(ctx, s.o.Now())
	defer cancel()
	page, err := s.old(ctx, age)
	if err != nil {
		return source.Aged{}, fmt.Errorf("source %s: old: %w", s.o.ID, err)
	}
	return page, nil
}

// root is a part of the bucket that is swept.
type root struct {
	prefix    string
	templates map[personal.Kind]template // none: whatever is below the prefix, and tags say whose it is
}

// roots returns what is swept: where persons' prefixes begin, and where tags are.
func (m Mapping) roots() []root {
	var roots []root
	for _, kind := range slices.Sorted(maps.Keys(m.Prefix)) {
		t := cut(m.Prefix[kind])
		i := slices.IndexFunc(roots, func(r root) bool { return r.prefix == t.before })
		if i < 0 {
			i, roots = len(roots), append(roots, root{t.before, map[personal.Kind]template{}})
		}
		roots[i].templates[kind] = t
	}
	if len(m.Tag) > 0 {
		roots = append(roots, root{prefix: m.Within})
	}
	return roots
}

// about returns how a key goes on after what names the person, and whom it names;
// ok is false for a key that is nobody's.
func (r root) about(key string) (rest string, who []personal.Identity, ok bool) {
	if !strings.HasPrefix(key, r.prefix) {
		return "", nil, false
	}
	if r.templates == nil {
		return key[len(r.prefix):], nil, true
	}
	for _, kind := range slices.Sorted(maps.Keys(r.templates)) {
		if id, after, fits := r.templates[kind].in(key); fits {
			rest, ok = after, true
			who = append(who, personal.MakeIdentity(kind, id))
		}
	}
	return rest, who, ok
}

// at returns the root that a key is swept in: the first in which it is somebody's.
func (m Mapping) at(roots []root, key string) int {
	return slices.IndexFunc(roots, func(r root) bool {
		_, _, ok := r.about(key)
		return ok
	})
}

// able refuses a rule that no bucket can follow. No verb is a look only.
func (s *Source) able(verb source.Verb, by source.Hand, category string) error {
	switch {
	case verb == source.Archive:
		return refused(errors.New("a copy in an archive leaves the versions where they are; declare a lifecycle rule of the bucket instead"))
	case verb != "" && verb != source.Delete:
		return refused(errors.New("an object is bytes: it can be deleted, and not masked; declare delete"))
	case by != source.Collected:
		return fmt.Errorf("%w: %w: S3 does not know when an object was last used", source.ErrRefused, source.ErrNotSwept)
	case !s.m.knows(category):
		return refused(errors.New("the mapping has no such category"))
	}
	return nil
}

func (s *Source) old(ctx context.Context, age source.Age) (source.Aged, error) {
	if err := age.Check(); err != nil {
		return source.Aged{}, err
	}
	if err := s.able(age.Verb, age.By, age.Category); err != nil {
		return source.Aged{}, err
	}
	roots := s.m.roots()
	at, err := parsePosition(age.Cursor, len(roots))
	if err != nil {
		return source.Aged{}, err
	}
	page, lists := source.Aged{}, 0
	asked := map[int]*entry{} // records of which tags say whom they are about, by their place on the page
	end := func(at position, done bool) (source.Aged, error) {
		if page.Done = done; !done {
			page.Cursor = at.cursor()
		}
		page.Units = float64(lists + len(asked))
		return page, s.readWho(ctx, page.Records, asked)
	}
	for ; at.Leg < len(roots); at = (position{Leg: at.Leg + 1}) {
		root := roots[at.Leg]
		for w := s.walk(root.prefix, at); !w.done; {
			if lists == maxLists || age.Units > 0 && lists > 0 && float64(lists+len(asked)) >= age.Units {
				return end(at, false)
			}
			if err := age.Call.Begins(s.o.Now()); err != nil {
				return source.Aged{}, err
			}
			groups, err := w.next(ctx)
			if err != nil {
				return source.Aged{}, err
			}
			lists++
			for _, g := range groups {
				below := g.key[len(root.prefix):]
				rest, who, ok := root.about(g.key)
				ok = ok && s.m.at(roots, g.key) == at.Leg
				for i, e := range g.entries {
					if !ok || at.passed(below, e) {
						continue
					}
					r, wanted, err := s.record(g.key[:len(g.key)-len(rest)], e, age.Category, age.Until)
					if err != nil {
						return source.Aged{}, refused(err)
					}
					if wanted && len(page.Records) == source.Size(age.Limit) {
						return end(at, false)
					}
					if r.Category == age.Category {
						page.Seen++
					}
					if wanted {
						if root.templates == nil && !e.marker {
							asked[len(page.Records)] = &g.entries[i]
						}
						page.Records = append(page.Records, source.AgedRecord{ID: r.ID, At: e.at, Who: who, Handle: e.handle()})
					}
					at = at.in(below, e)
				}
				at = at.after(below)
			}
		}
	}
	return end(at, true)
}

// readWho fills in whom tags name.
func (s *Source) readWho(ctx context.Context, records []source.AgedRecord, asked map[int]*entry) error {
	return each(slices.Collect(maps.Keys(asked)), func(i int) error {
		if err := s.readTags(ctx, asked[i]); err != nil {
			return err
		}
		records[i].Who = s.m.tagged(asked[i].tags)
		return nil
	})
}

// handle is what it takes to find a version again. It is in base64 because a key
// can hold every character.
type handle struct {
	Key     string `json:"key"`
	Version string `json:"version"`
	Marker  bool   `json:"marker,omitempty"`
}

func (e entry) handle() personal.Text {
	raw, err := json.Marshal(handle{e.key, e.version, e.marker})
	if err != nil {
		panic(err) // strings: it cannot fail
	}
	return personal.MakeText(base64.RawURLEncoding.EncodeToString(raw))
}

// Expire implements source.Sweeper. It deletes; archives are what lifecycle rules
// of the bucket are for.
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
	if err := s.able(e.Verb, e.By, e.Category); err != nil {
		return source.Done{}, err
	}
	if err := e.Call.Begins(s.o.Now()); err != nil {
		return source.Done{}, err
	}
	targets, err := s.targets(e)
	if err != nil {
		return source.Done{}, err
	}
	p, err := s.expiring(ctx, e, targets)
	if err != nil {
		return source.Done{}, err
	}
	page, err := source.RememberExpiry(ctx, s.o.Pages, e, source.Page{IDs: p.ids()})
	if err != nil {
		return source.Done{}, err
	}
	if err := s.delete(ctx, e.Call, p.on(page)); err != nil {
		return source.Done{}, err
	}
	return p.told(page), nil
}

// targets reads the handles of a page. Whatever does not lie where this source
// sweeps is refused, however it came to be on the page.
func (s *Source) targets(e source.Expiry) ([]target, error) {
	roots := s.m.roots()
	targets := make([]target, len(e.Records))
	for i, r := range e.Records {
		var h handle
		raw, err := base64.RawURLEncoding.DecodeString(r.Handle.Reveal())
		if err != nil || json.Unmarshal(raw, &h) != nil || h.Key == "" || h.Version == "" {
			return nil, refused(errors.New("a record has no handle of this source's"))
		}
		at := s.m.at(roots, h.Key)
		if at < 0 {
			return nil, refused(errors.New("a record is not where this source sweeps"))
		}
		rest, _, _ := roots[at].about(h.Key)
		targets[i].entry = entry{key: h.Key, version: h.Version, marker: h.Marker}
		category, err := s.m.category(rest)
		if err != nil || category != e.Category {
			return nil, refused(errors.New("a record is of another category"))
		}
		if targets[i].id, err = s.m.id(rest, targets[i].entry); err != nil || targets[i].id != r.ID {
			return nil, refused(errors.New("a record's id and its handle do not belong together"))
		}
	}
	return targets, nil
}

// expiring looks at every record again: what is gone, younger or locked by now
// does not go, nor does a marker under which something stays.
func (s *Source) expiring(ctx context.Context, e source.Expiry, targets []target) (picked, error) {
	var p picked
	there := make([]bool, len(targets))
	markers := make([]group, len(targets))
	err := each(indexes(targets), func(i int) (err error) {
		t := &targets[i]
		if !t.marker {
			there[i], err = s.head(ctx, &t.entry)
			return err
		}
		if markers[i], err = s.group(ctx, t.key); err != nil {
			return err
		}
		at := slices.IndexFunc(markers[i].entries, func(e entry) bool { return e.marker && e.version == t.version })
		if there[i] = at >= 0; there[i] {
			t.entry = markers[i].entries[at]
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	due := func(i int) bool { return there[i] && !targets[i].at.After(e.Until) }
	goes := map[[2]string]bool{}
	for i, t := range targets {
		switch {
		case t.marker || !due(i):
		case t.locked:
			p.locked = append(p.locked, t.id)
		default:
			p.going = append(p.going, t)
			goes[[2]string{t.key, t.version}] = true
		}
	}
	for i, t := range targets {
		switch {
		case !t.marker || !due(i):
		case slices.ContainsFunc(markers[i].entries, func(e entry) bool {
			return !e.marker && !goes[[2]string{e.key, e.version}] && e.order(t.entry) > 0
		}):
			p.hiding++
		default:
			p.going = append(p.going, t)
		}
	}
	return p, nil
}

func indexes[T any](list []T) []int {
	all := make([]int, len(list))
	for i := range all {
		all[i] = i
	}
	return all
}

// group lists what the bucket holds under one key, which is the first of those
// that begin with it.
func (s *Source) group(ctx context.Context, key string) (group, error) {
	for w := s.walk(key, position{}); !w.done; {
		groups, err := w.next(ctx)
		if err != nil {
			return group{}, err
		}
		if len(groups) == 0 {
			continue
		}
		if groups[0].key == key {
			return groups[0], nil
		}
		break
	}
	return group{}, nil
}
