package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/table"
)

// link is an entry as far as its place in a chain goes.
type link struct {
	seq        int64
	hash, prev audit.Hash
}

// walker sees every entry of the audit, in any order, and says whether the chains hold.
type walker struct {
	chains  map[string][]link
	entries int
	broken  []string
	began   time.Time // when the oldest entry that is left was written
}

func newWalker() *walker { return &walker{chains: map[string][]link{}} }

// see takes an entry as it is stored.
func (w *walker) see(it table.Item) (audit.Entry, bool) {
	e, err := audit.Decode(it.Body)
	if err != nil || e.Chain != it.Key.Partition || it.Key.Sort != fmt.Sprintf("%012d", e.Seq) {
		w.broken = append(w.broken, it.Key.Partition+" "+it.Key.Sort+": no entry of this place can be read there")
		return audit.Entry{}, false
	}
	if w.entries++; w.began.IsZero() || e.At.Before(w.began) {
		w.began = e.At
	}
	w.chains[e.Chain] = append(w.chains[e.Chain], link{e.Seq, e.Hash(), e.Prev})
	return e, true
}

func (w *walker) last(chain string) link {
	links := w.chains[chain]
	return links[len(links)-1]
}

// verify says which chains do not hold. Where the audit is older than entries are kept,
// the first entries of a chain may have expired, or all; whether they had their time only
// checkpoints say, which are not asked here. A chain may be ahead of what its aggregate
// remembered when that was read, and never behind it.
func (w *walker) verify(heads map[string]audit.Head, b Books) LeftChains {
	found := LeftChains{Chains: len(w.chains), Entries: w.entries}
	old := b.Policy != nil && w.entries > 0 && !b.Policy.Retention.Audit.After(w.began).After(b.Now())
	for _, name := range slices.Sorted(maps.Keys(w.chains)) {
		links := w.chains[name]
		slices.SortFunc(links, func(a, b link) int { return cmp.Compare(a.seq, b.seq) })
		switch first := links[0]; {
		case first.seq == 1 && first.prev != (audit.Hash{}):
			w.broken = append(w.broken, name+": its first entry follows from another")
		case first.seq > 1 && old:
			found.Later++
		case first.seq > 1:
			w.broken = append(w.broken, fmt.Sprintf("%s: what came before entry %d is missing, and nothing is old enough to have expired", name, first.seq))
		}
		for i := 1; i < len(links); i++ {
			switch before, l := links[i-1], links[i]; {
			case l.seq != before.seq+1:
				w.broken = append(w.broken, fmt.Sprintf("%s: entry %d is missing", name, before.seq+1))
			case l.prev != before.hash:
				w.broken = append(w.broken, fmt.Sprintf("%s: entry %d does not follow from the one before", name, l.seq))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(heads)) {
		h, links := heads[name], w.chains[name]
		i := slices.IndexFunc(links, func(l link) bool { return l.seq == h.Seq })
		switch {
		case len(links) == 0 && old:
			found.Gone++
		case i < 0:
			w.broken = append(w.broken, fmt.Sprintf("%s: the aggregate remembers entry %d, which is missing", name, h.Seq))
		case links[i].hash != h.Hash:
			w.broken = append(w.broken, fmt.Sprintf("%s: the aggregate remembers another entry %d", name, h.Seq))
		}
	}
	found.Broken = w.broken
	return found
}

// Verify walks the whole audit and compares it with what aggregates remember.
func (b Books) Verify(ctx context.Context) (LeftChains, error) {
	l := &leaver{b: b, heads: map[string]audit.Head{}}
	err := l.scan(ctx, table.State, func(it table.Item) error {
		k, known := kindOf(table.State, it.Key)
		body := map[string]any{}
		if known && k.chain != nil && json.Unmarshal(it.Body, &body) == nil {
			l.remember(k.chain(it.Key, body), body)
		}
		return nil
	})
	if err != nil {
		return LeftChains{}, err
	}
	w := newWalker()
	if err := l.scan(ctx, table.Audit, func(it table.Item) error { w.see(it); return nil }); err != nil {
		return LeftChains{}, err
	}
	return w.verify(l.heads, b), nil
}

// Chains notes whether the audit holds.
func (r *Report) Chains(found LeftChains, err error) {
	const what = "audit"
	switch {
	case err != nil:
		r.Failed(what, err)
	case len(found.Broken) > 0:
		for _, b := range found.Broken {
			r.Bad(what, visible(b), "do not mend it: keep the tables as they are, and find out who could write to them; docs/threat-model.md")
		}
	default:
		r.Good(what, fmt.Sprintf("%d entries in %d chains hold", found.Entries, found.Chains))
	}
	if err == nil && found.Later+found.Gone > 0 {
		r.Note(what, found.expired(), "`checkpoint verify -since` says whether they had their time; docs/checkpoints.md")
	}
}

// expired says what is missing as it is when entries expire.
func (c LeftChains) expired() string {
	return fmt.Sprintf("%d chains begin later than they did, and of %d nothing is left, as is so when entries expire", c.Later, c.Gone)
}

// chains verifies every chain of an installation in the account.
func (a *Account) chains(ctx context.Context, r *Report, s *Stack) {
	b, err := a.Books(ctx, s)
	if err != nil {
		r.Failed("audit", err)
		return
	}
	r.Chains(b.Verify(ctx))
}
