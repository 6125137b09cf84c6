package consent

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// TestBar2_Units holds what a decision and a capture cost to exact figures, as the
// emulator bills them and as our own rules do.
func TestBar2_Units(t *testing.T) {
	t.Parallel()
	engines := map[string]func(testing.TB, func() time.Time) table.Table{
		"embedded": func(tb testing.TB, now func() time.Time) table.Table { tb.Helper(); return tabletest.Embedded(tb, now) },
		"dynamo": func(tb testing.TB, now func() time.Time) table.Table {
			tb.Helper()
			return tabletest.Dynamo(tb, tabletest.Emulator(tb), now)
		},
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			units(t, name, newDeskOn(t, open, deaf))
		})
	}
}

// deaf is a policy whose sources need not be told of choices.
func deaf(p *policy.Policy) {
	for i := range p.Sources {
		p.Sources[i].Hears = nil
	}
}

func units(t *testing.T, engine string, d *desk) {
	t.Helper()
	costs := func(what string, write, read float64, do func(context.Context) error) {
		t.Helper()
		var m table.Meter
		if err := do(table.WithMeter(t.Context(), &m)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		u := m.Total()
		fmt.Printf("PROOF bar 2: %-8s %-52s %4g W %4g R\n", engine, what, u.Write, u.Read)
		if u.Write != write || u.Read != read {
			t.Errorf("%s costs %g W and %g R, want %g and %g:\n%s", what, u.Write, u.Read, write, read, m.String())
		}
	}
	capture := func(c Capture) func(context.Context) error {
		return func(ctx context.Context) error { _, err := d.Capture(ctx, c); return err }
	}
	asks := func(i personal.Identity, want bool, keys ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			list, err := d.Decide(ctx, Question{Identity: i, Purposes: keys, Headers: true})
			if err == nil && list[0].May != want {
				err = fmt.Errorf("%+v", list[0])
			}
			return err
		}
	}
	// What every instance does once: it reads the switch, and keeps each wording.
	everything := []string{"newsletter", "analytics", "advertising", "reports"}
	d.chose(identity(personal.KindAccount, "first"), Granted, everything...)
	browser := func(i personal.Identity, c Choice, keys ...string) Capture {
		return Capture{Identity: i, Asked: d.asks(c, keys...), By: ByBrowser, From: "192.0.2.1", Method: Banner}
	}
	keyed := d.says(a1, Granted, "newsletter")
	keyed.Attempt = Attempt{Key: "0f3c7a5e-6f43-4f8e-9a43-4b8a1f1f6d0b", Body: "b"}

	costs("capture, the first of an account", 5, 1, capture(d.says(a1, Granted, "newsletter")))
	costs("capture again", 4, 1, capture(d.says(a1, Granted, "newsletter")))
	costs("withdrawal", 4, 1, capture(d.says(a1, Withdrawn, "newsletter")))
	costs("granted anew", 4, 1, capture(d.says(a1, Granted, "newsletter")))
	costs("capture with an Idempotency-Key", 4, 1, capture(keyed))
	costs("the same, repeated", 0, 2, capture(keyed))
	costs("capture of a new visitor", 5, 1, capture(browser(personal.Identity{}, Granted, "analytics")))
	costs("refusal of a new visitor", 5, 1, capture(browser(personal.Identity{}, Denied, "analytics")))
	costs("capture of an address, the end of which will be told", 6, 2, capture(d.says(grace, Granted, "newsletter")))
	costs("capture of an address again", 4, 1, capture(d.says(grace, Granted, "newsletter")))

	visitor := d.NewVisitor()
	costs("capture of a visitor", 5, 1, capture(browser(visitor, Granted, "analytics")))
	costs("linking a visitor to an account", 9, 2, func(ctx context.Context) error { return d.Link(ctx, "shop", visitor, a1, Attempt{}) })
	costs("capture, linked by two", 6, 1, capture(d.says(a1, Withdrawn, "newsletter")))
	costs("capture, linked by two, by the other one", 6, 1, capture(d.says(visitor, Granted, "newsletter")))
	costs("capture, linked by two, with an Idempotency-Key", 6, 1, capture(func() Capture {
		c := d.says(a1, Denied, "newsletter")
		c.Attempt = Attempt{Key: "9d1d2c9e-9a2a-4a3e-8a55-6c8f0d0c1e11", Body: "b"}
		return c
	}()))

	costs("decision", 0, 1, asks(grace, true, "newsletter"))
	costs("decision about everything", 0, 1, asks(grace, true, append(everything, "session", "sell_books", "recordings/7")...))
	costs("decision, linked", 0, 1, asks(visitor, true, "analytics"))
	costs("decision about nobody", 0, 1, asks(identity(personal.KindAccount, "nobody"), false, "newsletter"))
	costs("signal, the first", 5, 1, func(ctx context.Context) error {
		_, err := d.Signal(ctx, Capture{Identity: d.NewVisitor(), By: ByBrowser, Signals: Signals{GPC: true}})
		return err
	})
	known := d.NewVisitor()
	for range 2 {
		if _, err := d.Signal(t.Context(), Capture{Identity: known, By: ByBrowser, Signals: Signals{GPC: true}}); err != nil {
			t.Fatal(err)
		}
	}
	costs("signal, known", 0, 1, func(ctx context.Context) error {
		_, err := d.Signal(ctx, Capture{Identity: known, By: ByBrowser, Signals: Signals{GPC: true}})
		return err
	})
	costs("signal, ignored by the policy", 0, 0, func(ctx context.Context) error {
		d.Policy.Signals.DNT = policy.Ignored
		_, err := d.Signal(ctx, Capture{Identity: known, By: ByBrowser, Signals: Signals{DNT: true}})
		return err
	})
	// A letter or a source to tell moves the subject in the due-index.
	d.Policy.Sources[0].Hears = []policy.Right{policy.WithdrawConsent}
	costs("withdrawal that a source has to hear of", 6, 2, capture(d.says(grace, Withdrawn, "newsletter")))
	costs("withdrawal by a linked visitor, before any source hears", 6, 1, capture(browser(visitor, Withdrawn, "analytics")))
	d.Policy.Sources[0].Hears = nil
	ben := identity(personal.KindEmail, "ben@example.org")
	costs("consent that a browser types for an address", 7, 1, capture(browser(ben, Granted, "newsletter")))
	d.pass(haltFresh)
	costs("decision, and the switch is read again", 0, 2, asks(grace, true, "sell_books"))
}

func TestASubjectWithFivePurposesIsSmall(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(1234 * time.Millisecond) // the clock is never at a full second
	five := []string{"newsletter", "survey", "analytics", "advertising", "reports"}
	c := d.says(ada, Granted, five...)
	c.Method = DoubleOptIn
	c.Attempt = Attempt{Key: "k", Body: "b"}
	d.capture(c)
	item, err := d.inner.Get(d.ctx(), Ref(d.Keys.Ring.Identifier(ada)))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("PROOF bar 2: a subject with 5 purposes and an address: %d bytes of body, %d of the item\n", len(item.Body), item.Size())
	if len(item.Body) >= 1024 {
		t.Errorf("the body has %d bytes:\n%s", len(item.Body), item.Body)
	}
	five = slices.DeleteFunc(five, func(s string) bool { return s == "survey" })
	visitor := d.NewVisitor()
	d.chose(visitor, Granted, five...)
	if item, err = d.inner.Get(d.ctx(), Ref(d.Keys.Ring.Identifier(visitor))); err != nil || item.Size() >= 1024 {
		t.Errorf("a visitor has %d bytes: %v", item.Size(), err)
	}
}

// BenchmarkDecide is bar 2: a decision in-process on the embedded engine takes a
// millisecond at most, in the middle of all.
func BenchmarkDecide(b *testing.B) {
	d := newDesk(b)
	d.chose(ada, Granted, "newsletter", "analytics", "advertising", "reports")
	q := Question{Identity: ada, Purposes: []string{"newsletter", "analytics", "advertising"}, Headers: true, Signals: Signals{GPC: true}}
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		start := time.Now()
		if _, err := d.Decide(b.Context(), q); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// TestBar2_DecisionsAreQuick holds the middle of many decisions to a millisecond.
func TestBar2_DecisionsAreQuick(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "newsletter", "analytics", "advertising", "reports")
	q := Question{Identity: ada, Purposes: []string{"newsletter", "analytics", "advertising"}, Headers: true, Signals: Signals{GPC: true}}
	took := make([]time.Duration, 1001)
	for i := range took {
		start := time.Now()
		if _, err := d.Decide(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	fmt.Printf("PROOF bar 2: decision in-process, three purposes: p50 %s, p99 %s\n", took[500], took[990])
	if took[500] > time.Millisecond {
		t.Errorf("the middle of a thousand decisions took %s", took[500])
	}
}
