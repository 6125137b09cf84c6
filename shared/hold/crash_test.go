package hold

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/table/tabletest"
)

// wires is a store of which one call fails: before anything is done, or after it was
// done and before the answer arrives.
type wires struct {
	table.Table
	mu   sync.Mutex
	n    int
	at   int // the call that fails; 0: none
	lost bool
}

func (w *wires) meets() (do, tell bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	if w.n != w.at {
		return true, true
	}
	return w.lost, false
}

func (w *wires) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if _, tell := w.meets(); !tell {
		return table.Item{}, table.ErrBusy
	}
	return w.Table.Get(ctx, ref)
}

func (w *wires) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if _, tell := w.meets(); !tell {
		return table.Page{}, table.ErrBusy
	}
	return w.Table.Query(ctx, q)
}

func (w *wires) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	do, tell := w.meets()
	if !do {
		return table.ErrBusy
	}
	if err := w.Table.Commit(ctx, id, writes...); tell {
		return err
	}
	return table.ErrUnknown
}

// life places, settles and releases a hold, as an operator does who repeats a call
// that failed with the same key.
func (d *desk) life(scope Scope) Hold {
	d.t.Helper()
	p := d.on(scope, func(p *Placement) { p.Call = Call{Key: "place", Body: "b"} })
	h := patiently(d, func() (Hold, error) { return d.Place(d.ctx(), handler, p) })
	h = d.settled(h.ID)
	if _, err := d.claim(d.page(func(c *Claimed) {
		if scope == OnCategory {
			c.Category = "letters"
		}
	})); scope != OnItem && !held(err) {
		d.t.Errorf("in force: %v", err)
	}
	patiently(d, func() (Hold, error) {
		return d.Review(d.ctx(), handler, h.ID, Reviewed{Review: d.clock().AddDate(0, 1, 0)}, Call{Key: "review"})
	})
	return patiently(d, func() (Hold, error) { return d.Release(d.ctx(), handler, h.ID, "over", Call{Key: "release"}) })
}

func patiently(d *desk, call func() (Hold, error)) Hold {
	d.t.Helper()
	for range 40 {
		h, err := call()
		if err == nil {
			return h
		}
		if fault.KindOf(err) != fault.Unavailable {
			d.t.Fatal(err)
		}
	}
	d.t.Fatal("a call fails for ever")
	return Hold{}
}

func TestEveryCallOfAHoldsLifeMayFail(t *testing.T) {
	t.Parallel()
	for _, scope := range []Scope{OnPerson, OnCategory} {
		for _, lost := range []bool{false, true} {
			for at := 1; ; at++ {
				d := newDesk(t)
				w := &wires{Table: d.inner, at: at, lost: lost}
				d.Table, d.Digest.Table = w, w
				h := d.life(scope)
				d.whole()
				if got := d.told(h.ID); got != "operator:h1 place, clock in_force, operator:h1 review, operator:h1 release" {
					t.Errorf("call %d fails, done %t: %s", at, lost, got)
				}
				if w.n < at {
					break
				}
			}
		}
	}
}

func TestAHoldOnAHostileStore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.Table = hostile.New(d.inner, seed, d.clock)
			h := d.life(Scopes[seed%uint64(len(Scopes))])
			d.whole()
			if got := d.told(h.ID); got != "operator:h1 place, clock in_force, operator:h1 review, operator:h1 release" {
				t.Error(got)
			}
		})
	}
}

// What it costs, in the units that a table is paid by.
func TestWhatHoldsCost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	want := map[string]float64{"place": 14, "settle": 24, "release": 18, "claim": 11, "look of a sweep": 1, "claim of a sweep": 4}
	measure := func(what string, do func(context.Context) error) {
		t.Helper()
		meter := &table.Meter{}
		if err := do(table.WithMeter(t.Context(), meter)); err != nil {
			t.Fatal(what, err)
		}
		u := meter.Total()
		t.Logf("%s: %s", what, meter)
		if u.Read+u.Write > want[what] {
			t.Errorf("%s costs %+v, want at most %g in all", what, u, want[what])
		}
	}
	watch := &Watch{}
	measure("claim", func(ctx context.Context) error {
		_, writes, err := Claim(ctx, d.inner, d.page())
		if err != nil {
			return err
		}
		return d.inner.Commit(ctx, table.NewID(), writes...)
	})
	var h Hold
	measure("place", func(ctx context.Context) (err error) {
		h, err = d.Place(ctx, handler, d.on(OnPerson))
		return err
	})
	d.pass(Lease + margin)
	measure("settle", func(ctx context.Context) error { return d.Tick(ctx, h.ID.Key()) })
	measure("release", func(ctx context.Context) error {
		_, err := d.Release(ctx, handler, h.ID, "over", Call{})
		return err
	})
	if _, err := watch.Look(t.Context(), d.inner); err != nil {
		t.Fatal(err)
	}
	var st *Standing
	measure("look of a sweep", func(ctx context.Context) (err error) {
		st, err = watch.Look(ctx, d.inner)
		return err
	})
	measure("claim of a sweep", func(ctx context.Context) error {
		writes, err := st.Claim(d.page(func(c *Claimed) { c.Owner, c.Identifiers = BySweep("s1"), nil }))
		if err != nil {
			return err
		}
		return d.inner.Commit(ctx, table.NewID(), writes...)
	})
}

func TestHoldsOnTheOtherEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("an emulator takes its time")
	}
	t.Parallel()
	d := newDeskOn(t, func(now func() time.Time) table.Table {
		return table.Steady(tabletest.Dynamo(t, tabletest.Emulator(t), now), table.Sleep)
	})
	for _, scope := range Scopes {
		p := d.on(scope)
		h := d.settled(d.place(p).ID)
		if _, err := d.Release(t.Context(), handler, h.ID, "over", Call{}); err != nil {
			t.Fatal(err)
		}
	}
	d.whole()
}
