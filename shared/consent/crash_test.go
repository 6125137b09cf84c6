package consent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// wires is a store of which one call fails: before anything is done, or after it
// was done and before the answer arrives.
type wires struct {
	table.Table
	mu   sync.Mutex
	n    int // calls so far
	at   int // the call that fails; 0: none
	lost bool
	also func() bool // fails as well, if set
}

func (w *wires) meets() (do, tell bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	if w.also != nil && w.also() {
		return w.lost, false
	}
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

func (w *wires) Count(ctx context.Context, t table.Tally) (table.Item, error) {
	do, tell := w.meets()
	if !do {
		return table.Item{}, table.ErrBusy
	}
	item, err := w.Table.Count(ctx, t)
	if !tell {
		return table.Item{}, table.ErrUnknown
	}
	return item, err
}

func (w *wires) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	do, tell := w.meets()
	if !do {
		return table.ErrBusy
	}
	err := w.Table.Commit(ctx, id, writes...)
	if !tell {
		return table.ErrUnknown
	}
	return err
}

// patient repeats a call with the same key until it is answered, as a good client does.
func patient(tb testing.TB, what string, call func() error) {
	tb.Helper()
	var err error
	for range 40 {
		if err = call(); err == nil {
			return
		}
		if fault.KindOf(err) != fault.Unavailable {
			break
		}
	}
	tb.Fatalf("%s: %v", what, err)
}

// day is everything that can happen to one person's choices, and what is left of it.
func day(d *desk, s *Service) string {
	tb := d.t
	tb.Helper()
	ctx := context.WithoutCancel(d.ctx())
	n := 0
	key := func() Attempt { n++; return Attempt{Key: fmt.Sprintf("a-key-of-this-day-%d", n), Body: "b"} }
	visitor := personal.Identity{}
	first := Capture{Asked: d.asks(Denied, "analytics"), By: ByBrowser, From: "192.0.2.1", Attempt: key(), Signals: Signals{GPC: true}}
	patient(tb, "the first visit", func() error {
		done, err := s.Capture(ctx, first)
		visitor, _ = d.Visitor(done.Visitor)
		return err
	})
	again := Capture{Identity: visitor, Asked: d.asks(Granted, "analytics"), By: ByBrowser, Attempt: key()}
	patient(tb, "another choice", func() error { _, err := s.Capture(ctx, again); return err })
	letter := Capture{Identity: ada, Asked: d.asks(Granted, "newsletter", "survey"), By: ByBrowser, From: "192.0.2.1", Attempt: key()}
	patient(tb, "the form for an address", func() error { _, err := s.Capture(ctx, letter); return err })
	patient(tb, "signing in", func() error { return s.Link(ctx, "shop", ada, visitor, Attempt{}) })
	l := Link{Identifier: d.Keys.Ring.Identifier(ada), Who: ada, Until: d.at.Add(time.Hour)}
	l.Verb, l.N = ConfirmLink, 1
	patient(tb, "the button", func() error { _, err := s.Confirm(ctx, l); return err })
	l.Verb, l.N = PreferLink, 0
	change := Change{Asked: d.asks(Withdrawn, "survey"), Stops: map[policy.Stop]bool{policy.SaleOptOut: true}, Attempt: key()}
	patient(tb, "the page", func() error { _, err := s.Switch(ctx, l, change); return err })
	l.Verb, l.Purpose = UnsubscribeLink, "newsletter"
	patient(tb, "one click", func() error { return s.Unsubscribe(ctx, l) })
	e, _ := personal.ParseEmail("ada@example.org")
	patient(tb, "a complaint", func() error {
		return s.Heed(ctx, Feedback{Address: e, Stop: policy.Complained, List: "lessons", At: d.at, MessageID: "m"})
	})
	patient(tb, "the halt", func() error { _, err := s.Halt(ctx, handler, "CVE-1"); return err })
	patient(tb, "the end of it", func() error { _, err := s.Resume(ctx, handler, "v2"); return err })
	imported := []Import{line(grace, Denied, "newsletter", d), line(grace, Granted, "analytics", d)}
	patient(tb, "an import", func() error { _, err := s.Import(ctx, handler, imported, false); return err })

	sub := d.get(ada)
	story := []string{strings.Join(d.told(ada), ", "), strings.Join(d.told(grace), ", ")}
	for _, chain := range sub.Chains {
		story = append(story, fmt.Sprint(chain.Head.Seq))
	}
	for _, k := range sorted(sub.Purposes) {
		story = append(story, fmt.Sprintf("%s %s", k, sub.Purposes[k].Choice))
	}
	for _, x := range sub.Tellings {
		story = append(story, fmt.Sprintf("tell %s %s %t", x.Right, x.Purpose, x.On))
	}
	h, err := d.another().Halted(ctx)
	story = append(story, fmt.Sprint(sorted(sub.Stops), sub.Lists, len(sub.Asks), h.Head.Seq, h.On, err))
	for i, c := range sub.Calls {
		story = append(story, fmt.Sprintf("call %d: %d", i, c.N))
	}
	return strings.Join(story, "\n")
}

// TestEveryAnswerLost lets each call to the store fail once, before it is done and
// after it is done, and wants the same day each time.
func TestEveryAnswerLost(t *testing.T) {
	t.Parallel()
	calm := newDesk(t)
	count := &wires{Table: calm.inner}
	want := day(calm, calm.another(func(table.Table) table.Table { return count }))
	if count.n < 35 {
		t.Fatalf("the day has %d calls only", count.n)
	}
	for at := 1; at <= count.n; at++ {
		for _, lost := range []bool{false, true} {
			d := newDesk(t)
			w := &wires{Table: d.inner, at: at, lost: lost}
			if got := day(d, d.another(func(table.Table) table.Table { return w })); got != want {
				t.Fatalf("call %d fails, lost %t:\n%s\nwant\n%s", at, lost, got, want)
			}
		}
	}
}

// TestABadDay lets one call in eight fail, at random, and again with Steady around.
func TestABadDay(t *testing.T) {
	t.Parallel()
	calm := newDesk(t)
	want := day(calm, calm.another())
	for seed := range uint64(12) {
		for _, lost := range []bool{false, true} {
			d := newDesk(t)
			rnd := rand.New(rand.NewPCG(seed, 3))
			w := &wires{Table: d.inner, lost: lost, also: func() bool { return rnd.IntN(8) == 0 }}
			around := func(table.Table) table.Table { return w }
			if seed%2 == 0 {
				around = func(table.Table) table.Table {
					return table.Steady(w, func(context.Context, time.Duration) error { return nil })
				}
			}
			if got := day(d, d.another(around)); got != want {
				t.Fatalf("seed %d, lost %t:\n%s\nwant\n%s", seed, lost, got, want)
			}
		}
	}
}

// TestTheWholeDayOnDynamo is the calm day on the other engine.
func TestTheWholeDayOnDynamo(t *testing.T) {
	t.Parallel()
	calm := newDesk(t)
	d := newDeskOn(t, engines(t)["dynamo"])
	if got, want := day(d, d.another()), day(calm, calm.another()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestACommitThatIsAlwaysInTheWay gives up after a while, and says to come again.
func TestACommitThatIsAlwaysInTheWay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	busy := d.another(func(inner table.Table) table.Table { return contested{inner} })
	link := Link{Identifier: d.Keys.Ring.Identifier(ada), Verb: PreferLink}
	for name, call := range map[string]func() error{
		"capture": func() error { _, err := busy.Capture(d.ctx(), d.says(ada, Denied, "newsletter")); return err },
		"switch":  func() error { _, err := busy.Switch(d.ctx(), link, Change{WithdrawAll: true}); return err },
		"link":    func() error { return busy.Link(d.ctx(), "shop", ada, a1, Attempt{}) },
		"halt":    func() error { _, err := busy.Halt(d.ctx(), handler, "x"); return err },
	} {
		if err := call(); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(d.ctx())
	cancel()
	if _, err := busy.Capture(ctx, d.says(ada, Denied, "newsletter")); !errors.Is(err, context.Canceled) && !slices.Contains([]error{ErrBusy}, err) {
		t.Errorf("nobody waits any more: %v", err)
	}
}

// contested is a store in which somebody else always comes first, but where a key
// is made.
type contested struct{ table.Table }

func (c contested) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if writes[0].Ref.Table == table.Keys {
		return c.Table.Commit(ctx, id, writes...)
	}
	return &table.Conflict{Ref: writes[0].Ref}
}
