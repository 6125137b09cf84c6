package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// optsOut puts a stop on, or takes it off, by the app.
func (o *office) optsOut(who personal.Identity, stop policy.Stop, on bool) {
	o.t.Helper()
	o.patiently(func() error {
		_, err := o.SwitchFor(o.ctx(), "shop", who, Change{Stops: map[policy.Stop]bool{stop: on}})
		return err
	})
}

func said(orders []source.Order) string {
	var list []string
	for _, x := range orders {
		list = append(list, fmt.Sprintf("%s %v %t", x.Choice.Right, x.Choice.Purposes, x.Choice.On))
	}
	return strings.Join(list, ", ")
}

func TestSourcesHearOfChoicesAtOnce(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	chosen := o.clock()
	o.optsOut(ada, policy.SaleOptOut, true)
	if err := o.Announce(o.ctx(), o.keyOf(ada)); err != nil || !slices.Equal(o.woken, []table.Key{o.keyOf(ada)}) {
		t.Fatalf("woken for %v, %v", o.woken, err)
	}
	o.pass(time.Second)
	for range 3 {
		if err := o.Tell(o.ctx(), o.keyOf(ada)); err != nil {
			t.Fatal(err)
		}
	}
	orders := o.shop.heard()
	if said(orders) != "opt_out_sale [] true" {
		t.Fatalf("heard: %s", said(orders))
	}
	x := orders[0]
	if x.Verb != source.Choose || len(x.Identities) != 1 || x.Identities[0] != ada || !x.Until.Equal(chosen) ||
		!x.Call.Lease.Equal(o.clock().Add(leaseFor)) || x.Call.Key == "" || strings.Contains(x.Call.Key, "ada") {
		t.Errorf("the order: %+v", x)
	}
	sub, _ := o.stored(ada)
	last := o.entries(ChainOf(sub.ID))[1]
	if got := o.actions(ChainOf(sub.ID)); got != "stopped passed_on" || factOfEntry(last, "source") != "newsletter" || factOfEntry(last, "right") != "opt_out_sale" || factOfEntry(last, "on") != "true" {
		t.Errorf("%s: %+v", got, last)
	}
	if len(sub.Tellings) != 0 || len(o.due()) != 0 {
		t.Errorf("still to be told: %+v", sub.Tellings)
	}
	o.grants(ada, "newsletter")
	o.chooses(ByApp, ada, Withdrawn, "newsletter")
	o.optsOut(ada, policy.SaleOptOut, false)
	if err := o.Tell(o.ctx(), o.keyOf(ada)); err != nil {
		t.Fatal(err)
	}
	if got := said(o.shop.heard()); got != "withdraw_consent [newsletter] true, opt_out_sale [] false" {
		t.Errorf("heard: %s", got)
	}
	o.clean()
}

func TestWhoMissedItIsToldAgain(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.shop.answer = func(n int) (source.Done, error) {
		if n < 4 {
			return source.Done{}, fmt.Errorf("%w: %w", source.ErrLater, context.DeadlineExceeded)
		}
		return source.Done{Done: true}, nil
	}
	o.optsOut(ada, policy.SaleOptOut, true)
	began := o.clock()
	var at []time.Duration
	calls := 0
	for range 300 {
		o.sweep()
		if n := len(o.shop.orders); n > calls {
			calls = n
			at = append(at, o.clock().Sub(began))
		}
		o.pass(10 * time.Second)
	}
	sub, _ := o.stored(ada)
	if len(at) != 4 || len(sub.Tellings) != 0 {
		t.Fatalf("told at %v; %+v", at, sub.Tellings)
	}
	for i, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		if got := at[i+1] - at[i]; got < pause || got > pause+20*time.Second {
			t.Errorf("the pause after try %d was %v, want %v", i+1, got, pause)
		}
	}
	for _, x := range o.shop.orders {
		if x.Call.Key != o.shop.orders[0].Call.Key || !x.Until.Equal(o.shop.orders[0].Until) {
			t.Errorf("another try is another call: %+v", x)
		}
	}
	if got := o.actions(ChainOf(sub.ID)); got != "stopped passed_on" {
		t.Errorf("the chain: %s", got)
	}
	if strings.Contains(o.log.String(), `"ERROR"`) {
		t.Errorf("it rings over three failures: %s", o.log.String())
	}
	o.clean()
}

// A wish that a source does not hear of rings, and is never given up.
func TestWhoNeverHearsRings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fails error
		done  source.Done
		tries int // until it rings
		code  string
	}{
		"unreachable": {source.ErrLater, source.Done{}, 8, "unreachable"},
		"not obeyed":  {nil, source.Done{Removed: 1}, 8, "unreachable"},
		"refused":     {fmt.Errorf("%w: no such operation", source.ErrRefused), source.Done{}, 1, "refused"},
		"a fault":     {fault.New(fault.Conflict, "locked", "It is locked."), source.Done{}, 1, "locked"},
	} {
		o := openOffice(t, 0)
		ada := byMail(adaAddress)
		mended := false
		o.shop.answer = func(int) (source.Done, error) {
			if mended {
				return source.Done{Done: true}, nil
			}
			return c.done, c.fails
		}
		o.optsOut(ada, policy.SaleOptOut, true)
		sub, _ := o.stored(ada)
		rings := func() int { return strings.Count(o.log.String(), `"ERROR"`) }
		for range 200 {
			if rings() > 0 {
				break
			}
			o.sweep()
			o.pass(2 * time.Minute)
		}
		after, _ := o.stored(ada)
		if n := len(o.shop.heard()); n != c.tries || rings() != 1 || len(after.Tellings) != 1 || after.Tellings[0].Fault != c.code {
			t.Fatalf("%s: %d tries, %d alarms, %+v", name, n, rings(), after.Tellings)
		}
		entries := o.entries(ChainOf(sub.ID))
		if got := o.actions(ChainOf(sub.ID)); got != "stopped not_passed_on" || factOfEntry(entries[1], "fault") != c.code {
			t.Errorf("%s: %s: %+v", name, got, entries)
		}
		for range 3 * 24 {
			o.pass(time.Hour)
			o.sweep()
		}
		if n := len(o.shop.heard()); n < 2 || n > 3 || rings() != 1+n || o.actions(ChainOf(sub.ID)) != "stopped not_passed_on" {
			t.Errorf("%s: in three days %d more tries and %d alarms; %s", name, n, rings()-1, o.actions(ChainOf(sub.ID)))
		}
		mended = true
		for range 25 {
			o.pass(time.Hour)
			o.sweep()
		}
		if got := o.actions(ChainOf(sub.ID)); got != "stopped not_passed_on passed_on" || len(o.due()) != 0 {
			t.Errorf("%s: once it is mended: %s", name, got)
		}
		o.clean()
	}
}

// What cannot be told to anybody any more ends, and the record says so.
func TestTellingsThatEndUnheard(t *testing.T) {
	t.Parallel()
	for code, happens := range map[string]func(*office){
		"no_source": func(o *office) {
			for i := range o.Policy.Sources {
				o.Policy.Sources[i].Hears = nil
			}
		},
		"forgotten": func(o *office) {
			ref := table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(o.Keys.Ring.Identifier(byMail(adaAddress))), Sort: "-"}}
			if err := o.inner.Commit(o.ctx(), table.NewID(), table.Delete(ref, table.Exists)); err != nil {
				o.t.Fatal(err)
			}
		},
	} {
		o := openOffice(t, 0)
		ada := byMail(adaAddress)
		o.optsOut(ada, policy.SaleOptOut, true)
		happens(o)
		if err := o.Tell(o.ctx(), o.keyOf(ada)); err != nil {
			t.Fatal(err)
		}
		sub, _ := o.stored(ada)
		if e := o.entries(ChainOf(sub.ID)); len(e) != 2 || factOfEntry(e[1], "fault") != code || len(sub.Tellings) != 0 || len(o.shop.heard()) != 0 {
			t.Errorf("%s: %+v, %+v", code, e, sub.Tellings)
		}
	}
}

// A source that the policy names and nobody built: it waits for the next deployment.
func TestASourceThatCannotBeCalled(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.optsOut(ada, policy.SaleOptOut, true)
	o.Sources = nil
	if err := o.Tell(o.ctx(), o.keyOf(ada)); err != nil {
		t.Fatal(err)
	}
	if sub, _ := o.stored(ada); len(sub.Tellings) != 1 || sub.Tellings[0].Fault != "refused" || !strings.Contains(o.log.String(), `"ERROR"`) {
		t.Errorf("%+v: %s", sub.Tellings, o.log.String())
	}
}

// Of many workers one calls. If it dies, another follows when its lease has ended.
func TestOneWorkerTells(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.optsOut(ada, policy.SaleOptOut, true)
	inCall, release := make(chan struct{}, 8), make(chan struct{})
	o.shop.answer = nil
	slow := &slowSource{inCall: inCall, release: release}
	o.Sources = map[string]source.Source{"newsletter": slow}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := o.Tell(context.Background(), o.keyOf(ada)); err != nil {
				t.Error(err)
			}
		})
	}
	<-inCall
	close(release)
	wg.Wait()
	if slow.calls() != 1 {
		t.Errorf("%d workers called", slow.calls())
	}
	if sub, _ := o.stored(ada); len(sub.Tellings) != 0 || o.actions(ChainOf(sub.ID)) != "stopped passed_on" {
		t.Errorf("%+v: %s", sub.Tellings, o.actions(ChainOf(sub.ID)))
	}

	o.optsOut(ada, policy.SaleOptOut, false)
	dead := &deadSource{}
	o.Sources = map[string]source.Source{"newsletter": dead}
	func() {
		defer func() { _ = recover() }()
		_ = o.Tell(o.ctx(), o.keyOf(ada)) // the process ends in the call
	}()
	o.Sources = map[string]source.Source{"newsletter": o.shop}
	o.pass(leaseFor - time.Second)
	o.sweep()
	if n := len(o.shop.heard()); n != 0 {
		t.Error("somebody else took over before the lease had ended")
	}
	o.pass(time.Second)
	o.sweep()
	if got := said(o.shop.heard()); got != "opt_out_sale [] false" {
		t.Errorf("heard after the lease: %q", got)
	}
}

type slowSource struct {
	inCall  chan struct{}
	release chan struct{}
	mu      sync.Mutex
	n       int
}

func (*slowSource) Find(context.Context, source.Ask) (source.Found, error) {
	return source.Found{}, source.ErrRefused
}

func (s *slowSource) Execute(context.Context, source.Order) (source.Done, error) {
	s.mu.Lock()
	s.n++
	s.mu.Unlock()
	s.inCall <- struct{}{}
	<-s.release
	return source.Done{Done: true}, nil
}

func (s *slowSource) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

type deadSource struct{ slowSource }

func (*deadSource) Execute(context.Context, source.Order) (source.Done, error) {
	panic("the machine is gone")
}

// A change of mind while the call is under way is told too, whatever became of the first.
func TestAChangeOfMindIsTold(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.optsOut(ada, policy.SaleOptOut, true)
	o.shop.answer = func(n int) (source.Done, error) {
		if n == 1 {
			o.pass(time.Second)
			o.optsOut(ada, policy.SaleOptOut, false)
		}
		return source.Done{Done: true}, nil
	}
	if err := o.Tell(o.ctx(), o.keyOf(ada)); err != nil {
		t.Fatal(err)
	}
	orders := o.shop.heard()
	if said(orders) != "opt_out_sale [] true, opt_out_sale [] false" || !orders[1].Until.After(orders[0].Until) || orders[0].Call.Key == orders[1].Call.Key {
		t.Errorf("heard: %s", said(orders))
	}
	if sub, _ := o.stored(ada); len(sub.Tellings) != 0 {
		t.Errorf("left: %+v", sub.Tellings)
	}
}

func TestTellingsInAnyWeather(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 10; seed++ {
		o := openOffice(t, seed)
		ada := byMail(adaAddress)
		o.optsOut(ada, policy.SaleOptOut, true)
		o.shop.answer = func(n int) (source.Done, error) {
			if (uint64(n)+seed)%2 == 0 {
				return source.Done{}, errors.New("no answer")
			}
			return source.Done{Done: true}, nil
		}
		for range 60 {
			o.sweep()
			o.pass(time.Minute)
		}
		sub, _ := o.stored(ada)
		keys := map[string]bool{}
		for _, x := range o.shop.heard() {
			keys[x.Call.Key] = true
		}
		if got := o.actions(ChainOf(sub.ID)); got != "stopped passed_on" || len(keys) != 1 || len(sub.Tellings) != 0 {
			t.Errorf("seed %d: %s, %d keys, %+v", seed, got, len(keys), sub.Tellings)
		}
	}
}

func TestHintsNameSubjects(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	key := o.keyOf(byMail(adaAddress))
	if got, ok := KeyOf(Hint(key)); !ok || got != key {
		t.Errorf("%v, %t", got, ok)
	}
	for _, hint := range []string{"", "r7k2m9p4q1s8t3v6w0x5y2z7a4b9c1d6", "consent#", "request#r1", "consent#" + strings.Repeat("a", 300)} {
		if _, ok := KeyOf(hint); ok {
			t.Errorf("%q names a subject", hint)
		}
	}
	for _, do := range []func(context.Context, table.Key) error{o.Announce, o.Tell, o.Tick} {
		if err := do(o.ctx(), key); err != nil {
			t.Errorf("of somebody who is not known: %v", err)
		}
	}
}
