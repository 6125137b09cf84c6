package retention

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
)

// wires is a store of which one call fails: before anything is done, or after it was
// done and before the answer arrives. From then on all calls fail, until it is mended:
// that is a process that died.
type wires struct {
	table.Table
	calls *calls
}

// calls counts the calls to everything outside of the process.
type calls struct {
	mu   sync.Mutex
	n    int
	at   int // the call that is the process's last; 0: none
	lost bool
	dead bool
}

var errDead = errors.New("the process is gone")

// meets reports whether a call is made, and whether its answer arrives.
func (c *calls) meets() (do, tell bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return false, false
	}
	c.n++
	if c.n != c.at {
		return true, true
	}
	c.dead = true
	return c.lost, false
}

func (w wires) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if do, tell := w.calls.meets(); !do || !tell {
		return table.Item{}, errDead
	}
	return w.Table.Get(ctx, ref)
}

func (w wires) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if do, tell := w.calls.meets(); !do || !tell {
		return table.Page{}, errDead
	}
	return w.Table.Query(ctx, q)
}

func (w wires) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	do, tell := w.calls.meets()
	if !do {
		return errDead
	}
	if err := w.Table.Commit(ctx, id, writes...); err != nil {
		return err
	}
	if !tell {
		return errDead
	}
	return nil
}

// sweeperWires is the same around the company's store.
type sweeperWires struct {
	*store
	calls *calls
}

func (w sweeperWires) Old(ctx context.Context, a source.Age) (source.Aged, error) {
	if do, tell := w.calls.meets(); !do || !tell {
		return source.Aged{}, errDead
	}
	return w.store.Old(ctx, a)
}

func (w sweeperWires) Expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	do, tell := w.calls.meets()
	if !do {
		return source.Done{}, errDead
	}
	done, err := w.store.Expire(ctx, e)
	if !tell {
		return source.Done{}, errDead
	}
	return done, err
}

// process is a worker of its own, that dies at a call.
func (d *desk) process(c *calls) *Service {
	s := d.another(func(t table.Table) table.Table { return wires{t, c} })
	s.Sources = map[string]source.Source{"shop": sweeperWires{d.shop, c}}
	return s
}

// once checks that every record that was due went once, no other did, and that the
// runs counted each of them once.
func (d *desk) once(due int) {
	d.t.Helper()
	until := cutoff(d.Policy.RetentionRules[0].Period, monday)
	for _, r := range d.shop.index {
		if old := !r.at.After(until); r.gone > 1 || old && r.gone == 0 {
			d.t.Errorf("%s of %s was expired %d times", r.id, r.at, r.gone)
		}
	}
	all, _ := d.shop.left(d.clock())
	counted := 0
	for _, e := range d.entries(d.Policy.RetentionRules[0].ID) {
		if e.Action == string(End) {
			n, _ := strconv.Atoi(fact(e, "done"))
			counted += n
		}
	}
	if gone := len(d.shop.index) - all; counted != gone || gone < due {
		d.t.Errorf("%d records went, %d were due, %d were counted", gone, due, counted)
	}
	if d.shop.late > 0 {
		d.t.Errorf("%d calls came after the end of their lease", d.shop.late)
	}
}

// few is a store of some pages.
func few(tb testing.TB, remembers bool) (*desk, int) {
	tb.Helper()
	d := newDesk(tb)
	d.Policy.Sources[0].PageSize = 5
	d.shop.fill(40, monday.Add(-time.Hour), 60*day)
	d.shop.sort()
	if remembers {
		d.shop.memory = map[string]source.Done{}
	}
	_, due := d.shop.left(monday.AddDate(-2, 0, 0))
	d.activate("old-logs")
	return d, due
}

// TestACrashAtEveryCallCountsEachEffectOnce kills the worker at every call that a run
// makes, before it is done and after; another one takes over once the lease is over.
func TestACrashAtEveryCallCountsEachEffectOnce(t *testing.T) {
	t.Parallel()
	for _, remembers := range []bool{false, true} {
		calm, due := few(t, remembers)
		c := &calls{}
		if _, err := calm.process(c).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		calm.once(due)
		for at := 1; at <= c.n; at++ {
			for _, lost := range []bool{false, true} {
				t.Run(fmt.Sprintf("remembers %t, call %d, done %t", remembers, at, lost), func(t *testing.T) {
					t.Parallel()
					d, due := few(t, remembers)
					_, _ = d.process(&calls{at: at, lost: lost}).Sweep(t.Context())
					d.turn(time.Minute + time.Second)
					d.sweeps(90 * time.Minute)
					d.once(due)
				})
			}
		}
		t.Logf("remembers %t: %d calls", remembers, c.n)
	}
}

// Bar 5: two sweeps at once, and a sweep that is killed twenty times.
func TestBar5_ASweepKilledTwentyTimesDoesEverythingOnce(t *testing.T) {
	t.Parallel()
	for _, remembers := range []bool{false, true} {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("remembers %t, seed %d", remembers, seed), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				due := d.years()
				if remembers {
					d.shop.memory = map[string]source.Done{}
				}
				d.activate("old-logs")
				rnd := rand.New(rand.NewPCG(seed, 5))
				kills := 0
				for kills < 20 && d.show("old-logs").Sweep.Last == nil {
					c := &calls{at: 1 + rnd.IntN(15), lost: rnd.IntN(2) == 0}
					_, _ = d.process(c).Sweep(t.Context())
					if c.dead {
						kills++
					}
					d.turn(time.Minute + time.Second)
				}
				d.sweeps(2 * time.Hour)
				d.once(due)
				if kills < 15 {
					t.Errorf("only %d kills", kills)
				}
			})
		}
	}
}

func TestBar5_ManySweepsAtOnceDoEverythingOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.Policy.Sources[0].PageSize = 5
			due := d.years()
			d.activate("old-logs")
			answers := rand.New(rand.NewPCG(seed, 9))
			var mu sync.Mutex
			d.shop.hook = func(what string) (bool, error) {
				mu.Lock()
				defer mu.Unlock()
				if n := answers.IntN(12); n == 0 {
					return false, nil
				}
				if answers.IntN(4) == 0 {
					d.turn(time.Duration(answers.IntN(40)) * time.Second) // slow, at times too slow
				}
				return true, nil
			}
			var workers sync.WaitGroup
			for w := range 3 {
				s := d.another(func(inner table.Table) table.Table {
					return table.Steady(hostile.New(inner, seed*10+uint64(w)+1, d.clock), table.Sleep)
				})
				workers.Go(func() {
					for range 25 {
						_, _ = s.Sweep(t.Context())
						d.turn(20 * time.Second)
					}
				})
			}
			workers.Wait()
			d.shop.hook = nil
			d.sweeps(6 * time.Hour)
			late := d.shop.late
			d.shop.late = 0 // the store refuses those: that is what they are counted for
			d.once(due)
			t.Logf("%d calls to expire, %d of them refused as late", d.shop.expiries, late)
		})
	}
}

// Bar 4, with crashes: what a crash leaves behind is counted as taken.
func TestBar4_CrashesDoNotLoosenTheBrake(t *testing.T) {
	t.Parallel()
	rule := logs()
	rule.Period = policy.Period{Days: 2}
	rule.Brake = policy.Brake{Percent: 10, Cap: 10_000}
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, rule)
			d.Policy.Sources[0].PageSize = 7
			d.years()
			d.activate("old-logs")
			rnd := rand.New(rand.NewPCG(seed, 4))
			for range 40 {
				_, _ = d.process(&calls{at: 1 + rnd.IntN(12), lost: rnd.IntN(2) == 0}).Sweep(t.Context())
				d.turn(time.Minute + time.Second)
			}
			d.sweep()
			all, _ := d.shop.left(d.clock())
			if gone := 915 - all; gone > 91 {
				t.Errorf("%d records went, the share is 91", gone)
			}
			if v := d.show("old-logs"); v.Sweep.Status != Braked {
				t.Errorf("%+v", v.Sweep)
			}
		})
	}
}
