package hostile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/table"
)

// Staleness is how far an index may lag behind its table.
const Staleness = 10 * time.Second

// change is one change of an item that the indexes do not show until a certain
// instant: up to then they show what was before.
type change struct {
	before table.Item // Version 0: it was not there
	until  time.Time
}

// filed reads the items of State that the writes are about to change.
func (t *Table) filed(ctx context.Context, writes []table.Write) ([]table.Item, error) {
	ctx = table.WithMeter(ctx, nil) // our own reading is no cost of the caller's
	var before []table.Item
	for _, w := range writes {
		if w.Ref.Table != table.State || w.Verb == table.CheckItem {
			continue
		}
		it, err := t.inner.Get(ctx, w.Ref)
		switch {
		case errors.Is(err, table.ErrMalformed): // the commit will be refused for it
			continue
		case err != nil && !errors.Is(err, table.ErrAbsent):
			return nil, err
		}
		it.Key = w.Ref.Key
		before = append(before, it)
	}
	return before, nil
}

// remember lets the indexes lag behind a commit, for each item as long as chance
// will have it.
func (t *Table) remember(before []table.Item) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, it := range before {
		until := now.Add(time.Duration(t.random.Int64N(int64(Staleness) + 1)))
		pending := t.pending(it.Key, now)
		if n := len(pending); n > 0 && pending[n-1].until.After(until) {
			until = pending[n-1].until // changes are shown in their order
		}
		t.changes[it.Key] = append(pending, change{it, until})
	}
}

// pending are the changes of an item that the indexes do not show yet.
func (t *Table) pending(k table.Key, now time.Time) []change {
	return slices.DeleteFunc(t.changes[k], func(c change) bool { return !now.Before(c.until) })
}

// stale turns a page of an index into one that lags: what is pending is not
// where it is but where it was. from is where the page began, the zero Place for
// the beginning; more says that it is not the last, and then to is where it ended.
func (t *Table) stale(q table.Query, page table.Page, from, to table.Place, more bool) table.Page {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	page.Items = slices.DeleteFunc(page.Items, func(it table.Item) bool { return len(t.pending(it.Key, now)) > 0 })
	for k := range t.changes {
		pending := t.pending(k, now)
		if t.changes[k] = pending; len(pending) == 0 {
			delete(t.changes, k)
			continue
		}
		was, ok := entry(q, pending[0].before, now)
		at := table.Place{Key: was.Key, Due: was.Due}
		// A page covers what comes after its beginning, up to and with its end.
		within := (q.Cursor == "" || order(q.Index, at, from) > 0) && (!more || order(q.Index, at, to) <= 0)
		if ok && within && len(page.Items) < q.PageSize() {
			page.Items = append(page.Items, was)
		}
	}
	slices.SortStableFunc(page.Items, func(a, b table.Item) int {
		return order(q.Index, table.Place{Key: a.Key, Due: a.Due}, table.Place{Key: b.Key, Due: b.Due})
	})
	return page
}

// entry is what the index of q has of an item, if it has anything.
func entry(q table.Query, it table.Item, now time.Time) (table.Item, bool) {
	live, ok := it.Live(now)
	if !ok {
		return table.Item{}, false
	}
	if q.Index == table.Subject {
		return table.Item{Key: it.Key, Subject: it.Subject}, it.Subject == q.Partition
	}
	late := !q.Until.IsZero() && it.Due.UnixMilli() > q.Until.UnixMilli()
	return table.Item{Key: it.Key, Due: it.Due}, !live.Due.IsZero() && !late && table.ShardOf(it.Key.Partition) == q.Partition
}

// order compares two places by what the port promises of an index's order.
func order(ix table.Index, a, b table.Place) int {
	if ix == table.Subject {
		return strings.Compare(a.Key.Partition, b.Key.Partition)
	}
	return a.Due.Compare(b.Due)
}
