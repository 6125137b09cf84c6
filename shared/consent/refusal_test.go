package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

func (d *desk) heed(i personal.Identity, stop policy.Stop, list string) {
	d.t.Helper()
	e, ok := personal.ParseEmail(i.Reveal())
	if !ok {
		d.t.Fatal("no address")
	}
	if err := d.Heed(d.ctx(), Feedback{Address: e, Stop: stop, List: list, At: d.clock(), MessageID: "m"}); err != nil {
		d.t.Fatal(err)
	}
}

// Whichever of the two goes on, what came back of a mail ends the list for both.
func TestLinkingLosesNoComplaint(t *testing.T) {
	t.Parallel()
	for _, busy := range []personal.Identity{ada, a1} {
		d := newDesk(t)
		d.chose(ada, Granted, "newsletter")
		d.chose(a1, Granted, "newsletter")
		for range 3 { // of whom more is recorded goes on
			d.chose(busy, Denied, "analytics")
		}
		d.pass(time.Hour)
		d.heed(ada, policy.Complained, "newsletter")
		d.pass(time.Hour)
		d.link(ada, a1)
		for _, i := range []personal.Identity{ada, a1} {
			if why := d.may(i, "newsletter"); why != "complaint" {
				t.Errorf("%s goes on, asked by %s: %s", busy.Kind, i.Kind, why)
			}
		}
	}
}

// The later bounce counts: what was agreed to between the two does not outweigh it.
func TestLinkingKeepsTheLaterBounce(t *testing.T) {
	t.Parallel()
	for _, busy := range []personal.Identity{ada, grace} {
		d := newDesk(t)
		d.heed(ada, policy.Bounced, "")
		d.pass(time.Hour)
		d.chose(ada, Granted, "newsletter")
		d.pass(time.Hour)
		d.heed(grace, policy.Bounced, "")
		for range 5 {
			d.chose(busy, Denied, "analytics")
		}
		d.link(ada, grace)
		if why := d.may(grace, "newsletter"); why != "bounce" {
			t.Errorf("%s", why)
		}
	}
}

// What was refused after a mail asked for it is not given by that mail's button,
// although somebody else refused it at the time.
func TestLinkingEndsWhatWaitedAndWasRefusedSince(t *testing.T) {
	t.Parallel()
	for _, busy := range []personal.Identity{ada, a1} {
		d := newDesk(t)
		d.chose(ada, Granted, "survey") // waits for the button
		d.chose(a1, Denied, "newsletter")
		for range 3 {
			d.chose(busy, Denied, "analytics")
		}
		d.pass(time.Hour)
		d.chose(a1, Denied, "survey")
		d.link(ada, a1)
		if why := d.may(ada, "survey"); why != "denied" {
			t.Errorf("%s", why)
		}
		if _, err := d.Confirm(d.ctx(), Link{Identifier: d.Keys.Ring.Identifier(ada), Who: ada, Verb: ConfirmLink, N: 1}); !errors.Is(err, ErrLinkGone) {
			t.Errorf("the button: %v", err)
		}
	}
}

// The buttons of two addresses are two calls, although each is the first of its own.
func TestEachAddressHasAButtonOfItsOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "survey")
	press := func(i personal.Identity) (Captured, error) {
		return d.Confirm(d.ctx(), Link{Identifier: d.Keys.Ring.Identifier(i), Who: i, Verb: ConfirmLink, N: 1})
	}
	if _, err := press(ada); err != nil {
		t.Fatal(err)
	}
	d.capture(Capture{Identity: grace, Asked: d.asks(Granted, "newsletter"), By: ByBrowser})
	d.link(ada, grace)
	done, err := press(grace)
	if err != nil || len(done.Records) != 1 || done.Records[0].Purpose != "newsletter" || d.may(grace, "newsletter") != "+consent" {
		t.Errorf("%+v, %v, %s", done, err, d.may(grace, "newsletter"))
	}
}

// Whoever types an address learns nothing of what its owner allowed, and refuses all of it.
func TestARefusalOfEveryActNamesNone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "recordings/i-1", "recordings/i-2")
	d.capture(Capture{Identity: ada, Asked: d.asks(Granted, "recordings/i-3"), By: ByBrowser}) // waits
	d.pass(time.Hour)
	done := d.capture(Capture{Identity: ada, Asked: d.asks(Denied, "recordings"), By: ByBrowser})
	if len(done.Records) != 1 || done.Records[0].Purpose != "recordings" {
		t.Errorf("%+v", done.Records)
	}
	for _, act := range []string{"i-1", "i-2", "i-3", "i-4"} {
		if why := d.may(ada, "recordings/"+act); why != "denied" {
			t.Errorf("%s: %s", act, why)
		}
	}
	if sub := d.get(ada); len(sub.Asks) > 0 {
		t.Errorf("%v waits", sub.Asks)
	}
	// A consent to one act that is given later is for that act.
	d.pass(time.Hour)
	d.chose(ada, Granted, "recordings/i-5")
	if why := d.may(ada, "recordings/i-5"); why != "+consent" {
		t.Errorf("i-5: %s", why)
	}
	if why := d.may(ada, "recordings/i-1"); why != "denied" {
		t.Errorf("i-1: %s", why)
	}
	// One that was given earlier, and is told late, is not.
	c := d.says(ada, Granted, "recordings/i-6")
	c.At = d.clock().Add(-90 * time.Minute)
	d.capture(c)
	if why := d.may(ada, "recordings/i-6"); why != "denied" {
		t.Errorf("i-6: %s", why)
	}
}

// A link does not bring back what the other refused altogether.
func TestLinkingKeepsTheRefusalOfEveryAct(t *testing.T) {
	t.Parallel()
	for _, busy := range []personal.Identity{ada, a1} {
		d := newDesk(t)
		d.chose(ada, Granted, "recordings/i-1")
		d.pass(time.Hour)
		d.chose(a1, Denied, "recordings")
		for range 3 {
			d.chose(busy, Denied, "analytics")
		}
		d.link(ada, a1)
		if why := d.may(ada, "recordings/i-1"); why != "denied" {
			t.Errorf("%s", why)
		}
	}
}

// Anybody can type an address, again and again. What that leaves stays small, ends
// in time, and keeps nobody from refusing.
func TestWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	refused := 0
	for i := range 200 {
		_, err := d.Capture(d.ctx(), Capture{Identity: ada, Asked: d.asks(Granted, fmt.Sprintf("recordings/i-%d", i)), By: ByBrowser})
		if isInput(err) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.get(ada).Asks); n > maxWaiting || refused != 200-n {
		t.Errorf("%d wait, %d were refused", n, refused)
	}
	d.chose(ada, Granted, "analytics")
	d.chose(ada, Denied, "newsletter")
	d.pass(365 * 24 * time.Hour)
	if err := d.Tick(d.ctx(), Ref(d.Keys.Ring.Identifier(ada)).Key); err != nil {
		t.Fatal(err)
	}
	if n := len(d.get(ada).Asks); n > 0 {
		t.Errorf("%d wait for ever", n)
	}
}

// However much stands, everything of it can be refused, and ends.
func TestRefusingWorksForWhoeverAllowedMuch(t *testing.T) {
	t.Parallel()
	many := func() (*desk, personal.Identity) {
		d := newDesk(t)
		for _, i := range []personal.Identity{ada, a1} {
			for block := range 5 {
				var keys []string
				for n := range 15 {
					keys = append(keys, fmt.Sprintf("recordings/%s-%d-%d", i.Kind, block, n))
				}
				d.chose(i, Granted, keys...)
			}
		}
		for n := range maxStandings - 75 {
			d.chose(ada, Granted, fmt.Sprintf("recordings/more-%d", n))
		}
		return d, ada
	}
	d, who := many()
	if err := d.Link(d.ctx(), "shop", ada, a1, Attempt{}); !isInput(err) {
		t.Errorf("more than is kept for one: %v", err)
	}
	if _, err := d.Capture(d.ctx(), d.says(who, Granted, "analytics")); !isInput(err) {
		t.Errorf("one more: %v", err)
	}
	if err := d.Unsubscribe(d.ctx(), Link{Identifier: d.Keys.Ring.Identifier(who), Who: who, Verb: UnsubscribeLink, Purpose: "newsletter"}); err != nil {
		t.Errorf("one click: %v", err)
	}
	if _, err := d.SwitchFor(d.ctx(), "shop", who, Change{WithdrawAll: true, Stops: map[policy.Stop]bool{policy.SaleOptOut: true}}); err != nil {
		t.Errorf("withdraw all: %v", err)
	}
	if why := d.may(who, "recordings/more-0"); why != "withdrawn" {
		t.Errorf("%s", why)
	}
	d, who = many()
	for i, id := range []personal.Identity{who, a1} {
		d.pass(time.Duration(20*(i+1)) * 365 * 24 * time.Hour)
		if err := d.Tick(d.ctx(), Ref(d.Keys.Ring.Identifier(id)).Key); err != nil {
			t.Errorf("the end of much: %v", err)
		}
		sub := d.get(id)
		for key, st := range sub.Purposes {
			if st.Choice == Granted {
				t.Errorf("%s stands", key)
				break
			}
		}
	}
}

// Whoever lives somewhere in the EEA may live where the policy's law holds.
func TestADefaultInTheEEA(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) {
		p.Regimes = []policy.Regime{{ID: "eu-gdpr", AppliesTo: []string{"FR", "DE"}}, {ID: "us-states", AppliesTo: []string{policy.Everywhere}}}
	}, rule("lessons", func(c *policy.Consent) { c.Ground = policy.NoConsentNeeded }))
	for place, want := range map[string]string{"US-TX": "+default", "FR": "not_asked", policy.EEA: "not_asked"} {
		if why := d.why(Question{Identity: ada, Purposes: []string{"lessons"}, Residence: place}); why != want {
			t.Errorf("%s: %s, want %s", place, why, want)
		}
	}
}

// That a purpose may rest on consent as well, which nobody is asked for, is nothing
// that an objection has to step back from.
func TestAnObjectionWhereNobodyIsAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) {
		i := slices.IndexFunc(p.Purposes, func(u policy.Purpose) bool { return u.ID == "segments" })
		p.Purposes[i].Bases = []policy.Basis{policy.OnConsent, policy.OnLegitimateInterests}
		p.Consents = slices.DeleteFunc(p.Consents, func(c policy.Consent) bool { return c.Purpose == "segments" })
	})
	if why := d.may(ada, "segments"); why != "+legal_basis" {
		t.Errorf("before: %s", why)
	}
	writes, err := d.Stopping(d.ctx(), ada, map[policy.Stop]bool{policy.Objected: true}, nil, "r1")
	if err == nil {
		err = d.Table.Commit(d.ctx(), table.NewID(), writes...)
	}
	if err != nil {
		t.Fatal(err)
	}
	if why := d.may(ada, "segments"); why != "objection" {
		t.Errorf("after: %s", why)
	}
}

// A request takes off what it put on, and nothing that somebody else wants to stand.
func TestARequestTakesOffItsOwnStopOnly(t *testing.T) {
	t.Parallel()
	const stop = policy.SaleOptOut
	type step struct {
		who     personal.Identity
		request string // empty: the person's own switch
		on      bool
	}
	for name, c := range map[string]struct {
		steps []step
		want  string
	}{
		"its own":                              {[]step{{ada, "r1", true}, {ada, "r1", false}}, "stopped started"},
		"what stood before":                    {[]step{{ada, "", true}, {ada, "r1", true}, {ada, "r1", false}}, "stopped"},
		"what the person wants since":          {[]step{{ada, "r1", true}, {ada, "", true}, {ada, "r1", false}}, "stopped stopped"},
		"what another asks for":                {[]step{{ada, "r1", true}, {ada, "r2", true}, {ada, "r1", false}}, "stopped stopped"},
		"what another asked for first":         {[]step{{ada, "r1", true}, {ada, "r2", true}, {ada, "r2", false}}, "stopped stopped"},
		"one after the other":                  {[]step{{ada, "r1", true}, {ada, "r2", true}, {ada, "r2", false}, {ada, "r1", false}}, "stopped stopped started"},
		"the same, repeated":                   {[]step{{ada, "r1", true}, {ada, "r1", true}, {ada, "r1", false}, {ada, "r1", false}}, "stopped started"},
		"what the person took off":             {[]step{{ada, "r1", true}, {ada, "", false}, {ada, "", true}, {ada, "r1", false}}, "stopped started stopped"},
		"its own, linked":                      {[]step{{ada, "r1", true}, {a1, "", false}, {ada, "r1", false}}, "stopped linked started"},
		"what the other person had on, linked": {[]step{{ada, "r1", true}, {a1, "", true}, {ada, "r1", false}}, "stopped linked"},
	} {
		d := newDesk(t)
		for _, x := range c.steps {
			stops := map[policy.Stop]bool{stop: x.on}
			if x.request == "" {
				if _, err := d.SwitchFor(d.ctx(), "shop", x.who, Change{Stops: stops}); err != nil {
					t.Fatal(err)
				}
			} else {
				writes, err := d.Stopping(d.ctx(), x.who, stops, nil, x.request)
				if err == nil && len(writes) > 0 {
					err = d.Table.Commit(d.ctx(), table.NewID(), writes...)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if x.who == a1 {
				d.link(ada, a1)
			}
			d.pass(time.Hour)
		}
		var actions []string
		for _, e := range d.entries(d.get(ada)) {
			actions = append(actions, e.Action)
		}
		got := strings.Join(actions, " ")
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		sub := d.get(ada)
		if _, stands := sub.Stops[stop]; stands == strings.HasSuffix(got, "started") {
			t.Errorf("%s: it stands: %v", name, stands)
		}
	}
}

// An app may hand out a page for an address that somebody typed. Only a link that
// was mailed there says who owns it.
func TestAPageThatAnAppHandsOutProvesNoAddress(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	link, err := d.ParseLink(d.PreferenceLink(ada, d.clock().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	done, err := d.Switch(d.ctx(), link, Change{Asked: d.asks(Granted, "survey", "newsletter")})
	if err != nil || len(done.Records) != 2 || !done.Records[0].Pending || done.Records[1].Pending || d.may(ada, "survey") != "unconfirmed" {
		t.Errorf("%+v, %v, %s", done, err, d.may(ada, "survey"))
	}
	if sub := d.get(ada); len(sub.Announcements) != 1 {
		t.Errorf("%+v is to be mailed", sub.Announcements)
	}
	account, err := d.ParseLink(d.PreferenceLink(a1, d.clock().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Switch(d.ctx(), account, Change{Asked: d.asks(Granted, "survey")}); !isInput(err) {
		t.Errorf("for an account: %v", err)
	}
}

// What a visitor refused before anybody knew who they were, the sources that know
// their account hear when it is known.
func TestLinkingTellsWhatTheOtherRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(d *desk, visitor personal.Identity)
		want   string
	}{
		"a signal": {func(d *desk, v personal.Identity) {
			d.capture(Capture{Identity: v, By: ByBrowser, Signals: Signals{GPC: true}})
		}, "opt_out_sale: true"},
		"a refusal":             {func(d *desk, v personal.Identity) { d.pass(time.Hour); d.chose(v, Denied, "analytics") }, "withdraw_consent:analytics true"},
		"of what is on":         {func(d *desk, v personal.Identity) { d.chose(v, Denied, "segments") }, "withdraw_consent:segments true"},
		"of what is off anyway": {func(d *desk, v personal.Identity) { d.chose(v, Denied, "advertising") }, ""},
		"a consent":             {func(d *desk, v personal.Identity) { d.chose(v, Granted, "advertising") }, ""},
	} {
		d := newDesk(t)
		visitor := d.NewVisitor()
		d.chose(a1, Granted, "analytics")
		c.before(d, visitor)
		d.link(a1, visitor)
		var got []string
		sub := d.get(a1)
		for _, x := range sub.Tellings {
			if x.Holder != d.Keys.Ring.Identifier(a1) || x.Seq != sub.Head.Seq {
				t.Errorf("%s: %+v", name, x)
			}
			got = append(got, fmt.Sprintf("%s:%s %v", x.Right, x.Purpose, x.On))
		}
		if fmt.Sprint(got) != "["+c.want+"]" {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}
