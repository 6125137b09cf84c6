package consent

import (
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

func (d *desk) signals(i personal.Identity, s Signals) Captured {
	d.t.Helper()
	done, err := d.Signal(d.ctx(), Capture{Identity: i, By: ByBrowser, Signals: s, From: "192.0.2.1"})
	if err != nil {
		d.t.Fatal(err)
	}
	return done
}

func TestASignalIsTakenDownOnceAndShownBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	fresh := d.signals(personal.Identity{}, Signals{GPC: true})
	visitor, ok := d.Visitor(fresh.Visitor)
	if !ok || !slices.Equal(fresh.Honoured, []policy.Stop{policy.GPC}) || len(fresh.Records) != 0 {
		t.Fatalf("%+v", fresh)
	}
	for range 3 {
		if again := d.signals(visitor, Signals{GPC: true}); again.Visitor != "" || !slices.Equal(again.Honoured, []policy.Stop{policy.GPC}) {
			t.Errorf("%+v", again)
		}
	}
	d.signals(visitor, Signals{GPC: true, DNT: true})
	if told := d.told(visitor); !slices.Equal(told, []string{"signalled gpc", "signalled dnt"}) {
		t.Error(told)
	}
	if why := d.may(visitor, "advertising"); why != "gpc" {
		t.Error(why)
	}
	// It goes along with what the visitor chooses, and is shown back there as well.
	other := d.capture(Capture{Asked: d.asks(Denied, "analytics"), By: ByBrowser, Signals: Signals{GPC: true}})
	if !slices.Equal(other.Honoured, []policy.Stop{policy.GPC}) || len(other.Records) != 1 {
		t.Errorf("%+v", other)
	}
}

func TestASignalThatIsNotHonouredChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) { p.Signals.DNT, p.Signals.GPC = policy.Ignored, policy.Unstated })
	if got := d.signals(personal.Identity{}, Signals{GPC: true, DNT: true}); got.Visitor != "" || len(got.Honoured) != 0 {
		t.Errorf("%+v", got)
	}
	got := d.capture(Capture{Asked: d.asks(Granted, "advertising"), By: ByBrowser, Signals: Signals{GPC: true, DNT: true}})
	visitor, _ := d.Visitor(got.Visitor)
	if len(got.Honoured) != 0 || len(d.get(visitor).Stops) != 0 || d.why(Question{Identity: visitor, Purposes: []string{"advertising"}, Signals: Signals{GPC: true, DNT: true}}) != "+consent" {
		t.Errorf("%+v", got)
	}
}

// A signal meets a consent to the purpose itself, before it and after it.
func TestConflictsOfASignal(t *testing.T) {
	t.Parallel()
	for conflict, want := range map[policy.Conflict][4]string{
		// a consent before the signal; the same asked about with the signal alone; one after it; one together with it
		policy.SignalWins:  {"gpc", "gpc", "gpc", "gpc"},
		policy.ConsentWins: {"+consent", "+consent", "+consent", "+consent"},
		policy.AskAgain:    {"gpc", "gpc", "+consent", "+consent"},
	} {
		t.Run(string(conflict), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(p *policy.Policy) { p.Signals.OnConflict = conflict })
			early, asked, late, both := d.NewVisitor(), d.NewVisitor(), d.NewVisitor(), d.NewVisitor()
			grants := func(i personal.Identity, s Signals) {
				d.capture(Capture{Identity: i, Asked: d.asks(Granted, "advertising"), By: ByBrowser, Signals: s})
			}
			grants(early, Signals{})
			grants(asked, Signals{})
			d.signals(late, Signals{GPC: true})
			d.pass(time.Minute)
			d.signals(early, Signals{GPC: true})
			grants(late, Signals{GPC: true})
			grants(both, Signals{GPC: true})
			d.pass(time.Minute)
			for n, i := range []personal.Identity{early, asked, late, both} {
				// Each visit sends the signal again.
				if why := d.why(Question{Identity: i, Purposes: []string{"advertising"}, Signals: Signals{GPC: true}}); why != want[n] {
					t.Errorf("case %d: %s, want %s", n, why, want[n])
				}
			}
			if why := d.may(asked, "advertising"); why != "+consent" {
				t.Errorf("a signal of another visit was stored: %s", why)
			}
		})
	}
}

func TestASignalOfAKnownPersonIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.Signal(d.ctx(), Capture{Identity: a1, By: ByApp, App: "shop", Signals: Signals{GPC: true}}); err != nil {
		t.Fatal(err)
	}
	sub := d.get(a1)
	if len(sub.Tellings) != 1 || sub.Tellings[0].Right != policy.OptOutSale || !sub.Tellings[0].On || sub.Tellings[0].Source != "shop" {
		t.Errorf("%+v", sub.Tellings)
	}
	if i, err := d.open(d.ctx(), sub.Tellings[0].Holder, fieldWho, sub.Tellings[0].Who); err != nil || i != a1 {
		t.Errorf("%v, %v", i == a1, err)
	}
	visitor := d.NewVisitor()
	if d.signals(visitor, Signals{GPC: true}); len(d.get(visitor).Tellings) != 0 {
		t.Error("a source is told of a visitor whom it cannot know")
	}
}
