package hold

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// replay has every chain of the audit restored, and says what came of each.
func (d *desk) replay() (found []restore.What) {
	d.t.Helper()
	chains := map[string][]audit.Entry{}
	for _, item := range d.all(table.Audit) {
		if !d.Chain(item.Key.Partition) {
			continue
		}
		e, err := audit.Decode(item.Body)
		if err != nil {
			d.t.Fatal(err)
		}
		chains[e.Chain] = append(chains[e.Chain], e)
	}
	for name, entries := range chains {
		slices.SortFunc(entries, func(a, b audit.Entry) int { return int(a.Seq - b.Seq) })
		out, err := d.Restore(d.ctx(), name, entries)
		if err != nil {
			d.t.Fatal(err)
		}
		found = append(found, out.What)
	}
	slices.Sort(found)
	return found
}

// copied is the State table as it is now.
func (d *desk) copied() map[table.Key]table.Item {
	d.t.Helper()
	items := map[table.Key]table.Item{}
	for _, item := range d.all(table.State) {
		items[item.Key] = item
	}
	return items
}

// rollBack puts items of the State table back to a copy: all of them, or those that
// torn chooses.
func (d *desk) rollBack(to map[table.Key]table.Item, torn func(table.Key) bool) {
	d.t.Helper()
	now := d.copied()
	for key, item := range now {
		old, was := to[key]
		if !torn(key) || was && string(old.Body) == string(item.Body) {
			continue
		}
		w := table.Delete(table.Ref{Table: table.State, Key: key}, table.Exists)
		if was {
			w = table.Put(table.State, old, table.Exists)
		}
		if err := d.inner.Commit(d.ctx(), table.NewID(), w); err != nil {
			d.t.Fatal(err)
		}
	}
	for key, item := range to {
		if _, is := now[key]; !is && torn(key) {
			if err := d.inner.Commit(d.ctx(), table.NewID(), table.Put(table.State, item, table.New)); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

// Holds are where they were after State was lost, rolled back or torn, and go on.
func TestHoldsAreRebuiltFromTheAuditAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			d := newDesk(t)
			released := d.settled(d.place(d.on(OnItem)).ID)
			copied := d.copied()
			page := d.page()
			if _, err := d.claim(page); err != nil {
				t.Fatal(err)
			}
			person := d.place(d.on(OnPerson, func(p *Placement) { p.Article = "Article 17(3)(e) GDPR" }))
			d.settle(page, 4)
			placing := []Hold{person, d.place(d.on(OnCategory)), d.place(d.on(OnRequest))}
			d.follows(Following{Request: "r1", Identifiers: []seal.Identifier{d.id(ada)}, Basis: Recourse, Spares: "r0"})
			for _, h := range placing {
				d.settled(h.ID)
			}
			if _, err := d.Release(t.Context(), handler, released.ID, "over", Call{}); err != nil {
				t.Fatal(err)
			}
			last := d.place(d.on(OnSource))
			before := map[ID]Hold{}
			for key := range d.copied() {
				if IsKey(key) {
					before[ID(key.Sort)] = d.get(ID(key.Sort))
				}
			}

			switch seed {
			case 0:
				d.rollBack(nil, func(k table.Key) bool { return true })
			case 1:
				d.rollBack(copied, func(table.Key) bool { return true })
			default: // half of each commit is missing
				d.rollBack(copied, func(table.Key) bool { return random.IntN(2) == 0 })
			}
			d.replay()
			d.whole()
			for id, was := range before {
				is := d.get(id)
				if was.Head.Seq > is.Head.Seq || is.Status != was.Status || is.Scope != was.Scope || !slices.Equal(is.Identifiers, was.Identifiers) ||
					is.Source != was.Source || is.Category != was.Category || is.Item != was.Item || is.Request != was.Request ||
					is.Matter != was.Matter || is.Article != was.Article || is.Basis != was.Basis || is.Owner != was.Owner ||
					!is.Review.Equal(was.Review) || !is.Placed.Equal(was.Placed) || !is.InForce.Equal(was.InForce) || !is.Released.Equal(was.Released) ||
					is.Reason != was.Reason || is.Automatic != was.Automatic || is.For != was.For || is.Spares != was.Spares || len(is.Went) != len(was.Went) {
					t.Errorf("it was\n%+v\nand is\n%+v", was, is)
				}
			}
			if again := d.replay(); slices.ContainsFunc(again, func(w restore.What) bool { return w != restore.Stood }) {
				t.Errorf("replayed again: %v", again)
			}
			// Everything goes on.
			if h := d.settled(last.ID); h.Status != InForce {
				t.Errorf("what was being placed is %s", h.Status)
			}
			for id := range before {
				if d.get(id).Status == Released {
					continue
				}
				if _, err := d.Review(t.Context(), handler, id, Reviewed{Review: d.clock().AddDate(0, 1, 0)}, Call{}); err != nil {
					t.Errorf("review: %v", err)
				}
				if _, err := d.Release(t.Context(), handler, id, "over", Call{}); err != nil {
					t.Errorf("release: %v", err)
				}
			}
			d.whole()
			if _, err := d.claim(d.page()); err != nil {
				t.Errorf("all are released: %v", err)
			}
		})
	}
}

func TestAHoldIsRebuiltWhenItsFirstEntriesHaveExpired(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.settled(d.place(d.on(OnPerson)).ID)
	for range 8 { // years
		if _, err := d.Review(t.Context(), handler, h.ID, Reviewed{Review: d.clock().AddDate(0, 11, 0)}, Call{}); err != nil {
			t.Fatal(err)
		}
		d.pass(330 * 24 * time.Hour)
	}
	entries := d.all(table.Audit)
	if len(entries) == 10 {
		t.Fatal("nothing has expired")
	}
	d.rollBack(nil, func(table.Key) bool { return true })
	if got := d.replay(); len(got) != 1 || got[0] != restore.Remade {
		t.Errorf("%v", got)
	}
	is := d.get(h.ID)
	if is.Status != InForce || !slices.Equal(is.Identifiers, h.Identifiers) || !is.Placed.Equal(h.Placed) {
		t.Errorf("%+v", is)
	}
	if _, err := d.claim(d.page()); !held(err) {
		t.Errorf("%v", err)
	}
}

func TestAHoldWhoseRecordIsOverIsNotRemade(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.place(d.on(OnPerson, func(p *Placement) { p.Review = d.clock().AddDate(0, 11, 0) }))
	if _, err := d.Release(t.Context(), handler, h.ID, "over", Call{}); err != nil {
		t.Fatal(err)
	}
	d.pass(6*365*24*time.Hour + 30*24*time.Hour)
	d.sweep()
	if got := d.replay(); len(got) != 1 || got[0] != restore.Over {
		t.Errorf("%v", got)
	}
	d.whole()
}
