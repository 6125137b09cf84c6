package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/request"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
)

type (
	requestID = request.ID
	identity  = personal.Identity
)

// patient repeats a call as a program does that was told to.
func patient(d *desk, what string, call func() error) {
	d.t.Helper()
	var err error
	for range 80 {
		if err = call(); err == nil {
			return
		}
		if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Unavailable {
			break
		}
	}
	d.t.Fatalf("%s: %v", what, err)
}

// journey is everything that can happen to two people, and what is left of it.
func journey(d *desk) (opened []string, entries int) {
	d.t.Helper()
	take := func(events ...Event) {
		patient(d, string(events[0].Type), func() error { _, err := d.Take(d.ctx(), "shop", events); return err })
	}
	now := d.clock
	take(Event{Type: AccountOpened, At: now(), Who: ada}, Event{Type: RelationshipStarted, At: now(), Who: grace, Relationship: "support"})
	d.pass(day)
	ended := now()
	patient(d, "a choice", func() error { return d.Chose(d.ctx(), grace, "newsletter", ended, ended) })
	take(Event{Type: AccountClosed, At: ended, Who: ada}, Event{Type: RelationshipEnded, At: ended, Who: grace, Relationship: "support"})
	for range 4 {
		d.days(1)
	}
	take(Event{Type: RelationshipEnded, At: ended, Who: ada, Relationship: "licence"})
	d.days(100)
	d.on(d.inner)
	d.days(3)
	for _, chain := range d.chains() {
		entries += len(chain)
	}
	d.verify(ada)
	d.verify(grace)
	return d.opened(), entries
}

// TestACrashAtEveryCallLosesAndRepeatsNothing counts the calls that a journey makes to
// the store, and takes it again for each of these: once the call fails, once it is
// done and nobody hears of it. The schedule finishes what was begun.
func TestACrashAtEveryCallLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, at int, lost bool) ([]string, int, *weather) {
		t.Helper()
		d := newDesk(t, offered)
		w := &weather{Table: d.inner, at: at, lost: lost}
		d.on(w)
		opened, entries := journey(d)
		return days(opened), entries, w
	}
	want, entries, calm := run(t, 0, false)
	t.Logf("%d calls to the store: %q", calm.n, want)
	for i := 1; i <= calm.n; i++ {
		for _, lost := range []bool{false, true} {
			if calm.log[i-1] == "query" || lost && calm.log[i-1] == "get" {
				continue // a sweep that fails is a later sweep
			}
			t.Run(fmt.Sprintf("call %d, %s, lost %t", i, calm.log[i-1], lost), func(t *testing.T) {
				if got, n, _ := run(t, i, lost); !slices.Equal(got, want) || n != entries {
					t.Errorf("opened is %q in %d entries, want %q in %d", got, n, want, entries)
				}
			})
		}
	}
}

// days leaves of what was opened only what it was: a failure may cost a day.
func days(opened []string) []string {
	list := make([]string, len(opened))
	for i, line := range opened {
		list[i] = line[len(time.DateOnly)+1:]
	}
	slices.Sort(list)
	return list
}

func TestAHostileStore(t *testing.T) {
	t.Parallel()
	opened, entries := journey(newDesk(t, offered))
	for seed := range uint64(15) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, offered)
			d.on(hostile.New(d.inner, seed, d.clock))
			got, n := journey(d)
			if !slices.Equal(days(got), days(opened)) || n != entries {
				t.Errorf("opened is %q in %d entries, want %q in %d", got, n, opened, entries)
			}
		})
	}
}

func TestManyTellOfTheSamePersonAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, offered)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			patient(d, "closed", func() error {
				_, err := d.Take(d.ctx(), "shop", []Event{{Type: AccountClosed, At: d.clock(), Who: ada}})
				return err
			})
		})
	}
	all.Wait()
	if got := d.opened(); len(got) != 1 {
		t.Errorf("opened is %q", got)
	}
	d.verify(ada)
}

// weather is an item store one call to which goes wrong: it fails before anything is
// done, or it is done and its answer is lost.
type weather struct {
	table.Table
	mu   sync.Mutex
	n    int
	at   int // the call that fails; 0: none
	lost bool
	log  []string
}

func (w *weather) meets(what string) (do, tell bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	w.log = append(w.log, what)
	if w.n != w.at {
		return true, true
	}
	return w.lost, false
}

func (w *weather) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if _, tell := w.meets("get"); !tell {
		return table.Item{}, table.ErrBusy
	}
	return w.Table.Get(ctx, ref)
}

func (w *weather) Count(ctx context.Context, t table.Tally) (table.Item, error) {
	do, tell := w.meets("count")
	if !do {
		return table.Item{}, table.ErrBusy
	}
	item, err := w.Table.Count(ctx, t)
	if !tell {
		return table.Item{}, table.ErrUnknown
	}
	return item, err
}

func (w *weather) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	do, tell := w.meets("commit")
	if !do {
		return table.ErrBusy
	}
	err := w.Table.Commit(ctx, id, writes...)
	if !tell {
		return table.ErrUnknown
	}
	return err
}
