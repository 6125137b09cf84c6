package consent

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

func TestAHaltStopsEverythingButRefusals(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(a1, Granted, "newsletter")
	d.chose(ada, Granted, "survey")
	h, err := d.Halt(d.ctx(), handler, "CVE-2026-1234")
	if err != nil || !h.On || h.Cause != "CVE-2026-1234" || !h.Since.Equal(d.at) {
		t.Fatalf("%+v, %v", h, err)
	}
	for key, want := range map[string]string{"newsletter": "halted", "sell_books": "halted", "session": "halted", "notices": "+always_sent"} {
		if why := d.may(a1, key); why != want {
			t.Errorf("%s: %s, want %s", key, why, want)
		}
	}
	// Nothing is collected.
	if _, err := d.Capture(d.ctx(), d.says(a1, Granted, "analytics")); !errors.Is(err, ErrHalted) {
		t.Errorf("a consent: %v", err)
	}
	if _, err := d.Confirm(d.ctx(), Link{Identifier: d.Keys.Ring.Identifier(ada), Verb: ConfirmLink, N: 1}); !errors.Is(err, ErrHalted) {
		t.Errorf("a confirmation: %v", err)
	}
	out, err := d.Import(d.ctx(), handler, []Import{line(grace, Granted, "newsletter", d), line(grace, Denied, "newsletter", d), {Capture: Capture{Identity: grace, At: d.at}, Stop: policy.MarketingOptOut}}, false)
	if err != nil || out[0].Result != Refused || out[1].Result != Taken || out[2].Result != Taken {
		t.Errorf("imports: %+v, %v", out, err)
	}
	// Every way to say no is open.
	link := Link{Identifier: d.Keys.Ring.Identifier(a1), Verb: PreferLink}
	for name, no := range map[string]func() error{
		"a denial":     func() error { _, err := d.Capture(d.ctx(), d.says(a1, Denied, "analytics")); return err },
		"a withdrawal": func() error { _, err := d.Capture(d.ctx(), d.says(a1, Withdrawn, "newsletter")); return err },
		"a new visitor": func() error {
			_, err := d.Capture(d.ctx(), Capture{Asked: d.asks(Denied, "analytics"), By: ByBrowser})
			return err
		},
		"a signal": func() error {
			_, err := d.Signal(d.ctx(), Capture{By: ByBrowser, Signals: Signals{GPC: true}})
			return err
		},
		"an opt-out": func() error {
			_, err := d.Switch(d.ctx(), link, Change{Stops: map[policy.Stop]bool{policy.SaleOptOut: true}})
			return err
		},
		"all of it": func() error { _, err := d.Switch(d.ctx(), link, Change{WithdrawAll: true}); return err },
		"one click": func() error {
			return d.Unsubscribe(d.ctx(), Link{Identifier: link.Identifier, Verb: UnsubscribeLink, Purpose: "lessons"})
		},
		"a complaint": func() error {
			e, _ := personal.ParseEmail("ada@example.org")
			return d.Heed(d.ctx(), Feedback{Address: e, Stop: policy.Complained, At: d.at})
		},
		"a request": func() error {
			w, err := d.Stopping(d.ctx(), grace, map[policy.Stop]bool{policy.Objected: true}, nil, "r1")
			if err == nil {
				err = d.inner.Commit(d.ctx(), "r1", w...)
			}
			return err
		},
	} {
		if err := no(); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
	// A post with both has its refusal taken, and is told of the rest.
	mixed := d.says(a1, Granted, "reports")
	mixed.Asked = append(mixed.Asked, d.asks(Denied, "advertising")...)
	mixed.Attempt = Attempt{Key: "mixed", Body: "b"}
	if _, err := d.Capture(d.ctx(), mixed); !errors.Is(err, ErrHalted) {
		t.Errorf("both: %v", err)
	}
	if sub := d.get(a1); sub.Purposes["advertising"].Choice != Denied || sub.Purposes["reports"].Choice != "" {
		t.Errorf("%+v", sub.Purposes)
	}
	d.pass(time.Hour)
	if h, err = d.Resume(d.ctx(), handler, "openssl-3.5.4"); err != nil || h.On || h.Upgrade != "openssl-3.5.4" {
		t.Fatalf("%+v, %v", h, err)
	}
	if got := d.capture(mixed); len(got.Records) != 2 || d.may(a1, "reports") != "+consent" {
		t.Errorf("the same call after the halt: %+v", got)
	}
}

func TestTheHaltSwitchIsRecordedAndTurnedOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, bad := range []string{"", "because Ada said so", "ada@example.org", "x\ny"} {
		if _, err := d.Halt(d.ctx(), handler, bad); !isInput(err) {
			t.Errorf("cause %q: %v", bad, err)
		}
		if _, err := d.Resume(d.ctx(), handler, bad); !isInput(err) {
			t.Errorf("upgrade %q: %v", bad, err)
		}
	}
	if h, err := d.Resume(d.ctx(), handler, "nothing"); err != nil || h.On || h.Head.Seq != 0 {
		t.Errorf("resumed before it was halted: %+v, %v", h, err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if h, err := d.another().Halt(t.Context(), handler, "CVE-2026-1"); err != nil || !h.On {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
	wg.Wait()
	if _, err := d.another().Resume(d.ctx(), operator.Identity{ID: "h2"}, "v2"); err != nil {
		t.Fatal(err)
	}
	h, err := d.another().Halted(d.ctx())
	if err != nil || h.On || h.Head.Seq != 2 || h.Cause != "CVE-2026-1" || h.Upgrade != "v2" {
		t.Fatalf("%+v, %v", h, err)
	}
	page, err := d.inner.Query(d.ctx(), table.Query{Table: table.Audit, Partition: haltChain})
	if err != nil {
		t.Fatal(err)
	}
	var did []string
	n, err := audit.Verify(haltChain, h.Head, func(yield func([]byte, error) bool) {
		for _, item := range page.Items {
			e, _ := audit.Decode(item.Body) // Verify says what is wrong
			did = append(did, e.Actor+" "+e.Action+" "+e.Facts[0].Value)
			if !yield(item.Body, nil) {
				return
			}
		}
	})
	if err != nil || n != 2 || !slices.Equal(did, []string{"operator:h1 halted CVE-2026-1", "operator:h2 resumed v2"}) {
		t.Errorf("%d, %v, %v", n, did, err)
	}
}

func TestEveryInstanceKnowsOfAHaltWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(a1, Granted, "newsletter")
	other := d.another()
	asks := func() string {
		list, err := other.Decide(d.ctx(), Question{Identity: a1, Purposes: []string{"newsletter"}})
		if err != nil {
			t.Fatal(err)
		}
		return spelled(list[0])
	}
	if got := asks(); got != "+consent" {
		t.Fatal(got)
	}
	if _, err := d.Halt(d.ctx(), handler, "CVE-2026-1"); err != nil {
		t.Fatal(err)
	}
	if why := d.may(a1, "newsletter"); why != "halted" {
		t.Errorf("who halted does not know it: %s", why)
	}
	d.pass(haltFresh)
	if got := asks(); got != "halted" {
		t.Errorf("five seconds later: %s", got)
	}
	if _, err := d.Resume(d.ctx(), handler, "v2"); err != nil {
		t.Fatal(err)
	}
	d.pass(haltFresh)
	if got := asks(); got != "+consent" {
		t.Errorf("five seconds after it resumed: %s", got)
	}
}

// A switch that cannot be read lets nothing through, and keeps nobody from refusing.
func TestAHaltSwitchThatCannotBeRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(a1, Granted, "newsletter")
	s := d.another(func(inner table.Table) table.Table { return unreadable{inner, haltRef} })
	if _, err := s.Decide(d.ctx(), Question{Identity: a1, Purposes: []string{"newsletter"}}); !errors.Is(err, ErrBusy) {
		t.Errorf("a decision: %v", err)
	}
	if _, err := s.Capture(d.ctx(), d.says(a1, Granted, "newsletter")); !errors.Is(err, ErrBusy) {
		t.Errorf("a consent: %v", err)
	}
	if _, err := s.Capture(d.ctx(), d.says(a1, Withdrawn, "newsletter")); err != nil {
		t.Errorf("a withdrawal: %v", err)
	}
}
