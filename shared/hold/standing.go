package hold

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Watch knows all holds, for whoever works on many people's records at once: a sweep.
// It reads them anew when one was placed or released since. The zero Watch is ready,
// and may be used by several at once.
type Watch struct {
	mu   sync.Mutex
	last *Standing
}

// Standing is all holds as they were at one instant.
type Standing struct {
	fence   fence
	persons map[seal.Identifier][]ID
	places  []cover // of categories, sources and items
}

// cover is what a hold covers, as the list of all says it.
type cover struct {
	ID          ID                `json:"-"`
	Scope       Scope             `json:"scope"`
	Identifiers []seal.Identifier `json:"ids,omitempty"`
	Source      string            `json:"source,omitempty"`
	Category    string            `json:"category,omitempty"`
	Item        string            `json:"item,omitempty"`
}

const (
	heldPartition = "held"
	heldSchema    = 1
)

func (id ID) heldRef() table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: heldPartition, Sort: string(id)}}
}

// Look returns all holds as they are now. It costs one read where nothing changed.
func (w *Watch) Look(ctx context.Context, t table.Table) (*Standing, error) {
	f, err := read(ctx, t, all)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	if last != nil && last.fence.version == f.version {
		return last, nil
	}
	st := &Standing{fence: f, persons: map[seal.Identifier][]ID{}}
	q := table.Query{Table: table.State, Partition: heldPartition}
	for f.version > 0 { // without a fence there never was a hold
		page, err := t.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read what is held: %w", err)
		}
		for _, item := range page.Items {
			c := cover{ID: ID(item.Key.Sort)}
			if err := json.Unmarshal(item.Body, &c); err != nil || item.Schema != heldSchema {
				return nil, fmt.Errorf("read what is held: %s: %w", item.Key.Sort, ErrHeld)
			}
			switch c.Scope {
			case OnPerson:
				for _, id := range c.Identifiers {
					st.persons[id] = append(st.persons[id], c.ID)
				}
			case OnCategory, OnSource, OnItem:
				st.places = append(st.places, c)
			case OnRequest: // no record of a source belongs to a request
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	w.mu.Lock()
	w.last = st
	w.mu.Unlock()
	return st, nil
}

// Holds reports whether all of a category in a source is held.
func (s *Standing) Holds(source, category string) bool {
	return slices.ContainsFunc(s.places, func(c cover) bool { return c.Item == "" && c.in(source, category) })
}

// Keeps reports whether a record has to stay: because of itself, of where it is, or
// of somebody whom it is about.
func (s *Standing) Keeps(source, category, id string, who ...seal.Identifier) bool {
	return slices.ContainsFunc(s.places, func(c cover) bool {
		return c.in(source, category) && (c.Item == "" || c.Item == id)
	}) || slices.ContainsFunc(who, func(i seal.Identifier) bool { return len(s.persons[i]) > 0 })
}

func (c cover) in(source, category string) bool {
	switch c.Scope {
	case OnSource:
		return c.Source == source
	case OnCategory:
		return c.Category == category && (c.Source == "" || c.Source == source)
	case OnItem:
		return c.Source == source && c.Category == category
	case OnPerson, OnRequest:
	}
	return false
}

// Claim returns the writes that the commit must carry which claims a page of a
// sweep's, from which whatever Keeps names was left out: the condition that no hold
// was placed or released since Look, and the page itself, to be settled when its
// answer is there. It returns ErrHeld if something on the page has to stay.
func (s *Standing) Claim(c Claimed) ([]table.Write, error) {
	if s.Holds(c.Source, c.Category) {
		return nil, ErrHeld
	}
	for _, r := range c.Records {
		if s.Keeps(c.Source, c.Category, r.ID, r.Who...) {
			return nil, ErrHeld
		}
	}
	put, err := c.put(table.New)
	if err != nil {
		return nil, err
	}
	return []table.Write{s.fence.check(), put}, nil
}
