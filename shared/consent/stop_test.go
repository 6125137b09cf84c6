package consent

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

func (d *desk) leaves(i personal.Identity, mailing string) Link {
	return Link{Identifier: d.Keys.Ring.Identifier(i), Verb: UnsubscribeLink, Purpose: mailing, Who: i}
}

func TestUnsubscribingEndsOneList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "newsletter")
	c := d.says(ada, Granted, "survey")
	c.Method = DoubleOptIn
	d.capture(c)
	for range 3 {
		if err := d.Unsubscribe(d.ctx(), d.leaves(ada, "newsletter")); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.may(ada, "newsletter") + " " + d.may(ada, "survey") + " " + d.may(ada, "notices"); got != "withdrawn +consent +always_sent" {
		t.Error(got)
	}
	if told := d.told(ada); !slices.Equal(told, []string{"granted newsletter", "granted survey", "withdrawn newsletter"}) {
		t.Error(told)
	}
	// The source hears of it, for the link says whose it is.
	if tell := d.get(ada).Tellings; len(tell) != 1 || tell[0].Right != policy.WithdrawConsent || tell[0].Purpose != "newsletter" || !tell[0].On {
		t.Errorf("%+v", tell)
	}
	// Whoever asked to be on it anew, and did not confirm yet, is off it too.
	d.capture(Capture{Identity: grace, Asked: d.asks(Granted, "newsletter"), By: ByBrowser})
	if err := d.Unsubscribe(d.ctx(), d.leaves(grace, "newsletter")); err != nil || len(d.get(grace).Asks) != 0 || d.may(grace, "newsletter") != "withdrawn" {
		t.Errorf("%v, %+v", err, d.get(grace))
	}
	// A list that the policy no longer has can be left all the same.
	if err := d.Unsubscribe(d.ctx(), d.leaves(ada, "old_list")); err != nil || d.get(ada).Purposes["old_list"].Choice != Withdrawn {
		t.Errorf("%v", err)
	}
}

// Who presses the button learns nothing from what it costs.
func TestUnsubscribingIsTheSameForEverybody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, deaf)
	d.chose(ada, Granted, "newsletter")
	costs := func(i personal.Identity) string {
		var m table.Meter
		if err := d.Unsubscribe(table.WithMeter(t.Context(), &m), d.leaves(i, "newsletter")); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(m.OfIndex(table.State, table.Primary), m.OfTable(table.Audit), m.OfTable(table.Keys))
	}
	if known, unknown := costs(ada), costs(grace); known != unknown {
		t.Errorf("somebody known costs %s, somebody unknown %s", known, unknown)
	}
	if why := d.may(grace, "newsletter"); why != "withdrawn" {
		t.Errorf("whoever is unknown is on the list after all: %s", why)
	}
}

func TestMailThatComesBackEndsListsAndNothingElse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	heed := func(who string, stop policy.Stop, mailing, message string, at time.Time) {
		t.Helper()
		e, ok := personal.ParseEmail(who)
		if !ok {
			t.Fatal(who)
		}
		if err := d.Heed(d.ctx(), Feedback{Address: e, Stop: stop, List: mailing, At: at, MessageID: message}); err != nil {
			t.Fatal(err)
		}
	}
	whys := func(i personal.Identity) string {
		return fmt.Sprint(d.may(i, "newsletter"), " ", d.may(i, "lessons"), " ", d.may(i, "analytics"), " ", d.may(i, "notices"), " ", d.may(i, "sell_books"))
	}
	grants := func(i personal.Identity) { d.chose(i, Granted, "newsletter", "analytics") }
	grants(ada)
	grants(grace)
	d.pass(time.Hour)
	for range 3 { // the same may arrive more than once
		heed("ada@example.org", policy.Complained, "newsletter", "m1", d.at)
		heed("grace@example.net", policy.Bounced, "", "m2", d.at)
	}
	if got := whys(ada); got != "complaint +default +consent +always_sent +legal_basis" {
		t.Error(got)
	}
	if got := whys(grace); got != "bounce bounce +consent +always_sent +legal_basis" {
		t.Error(got)
	}
	if told := d.told(ada); len(told) != 3 || told[2] != "suppressed newsletter complaint" {
		t.Error(told)
	}
	// Who subscribes again wants the mail again; a late copy of the complaint does not end that.
	at := d.at
	d.pass(time.Hour)
	grants(ada)
	grants(grace)
	heed("ada@example.org", policy.Complained, "newsletter", "m1", at)
	heed("grace@example.net", policy.Bounced, "", "m2", at)
	if got := whys(ada); got != "+consent +default +consent +always_sent +legal_basis" {
		t.Error(got)
	}
	if got := whys(grace); got != "+consent bounce +consent +always_sent +legal_basis" {
		t.Error(got)
	}
	d.pass(time.Hour)
	heed("ada@example.org", policy.Complained, "newsletter", "m3", d.at)
	if got := d.may(ada, "newsletter"); got != "complaint" {
		t.Error(got)
	}
	// Somebody of whom nothing is known is known not to want mail from then on.
	heed("unknown@example.org", policy.Complained, "", "m4", d.at)
	if got := d.may(identity(personal.KindEmail, "unknown@example.org"), "lessons"); got != "complaint" {
		t.Error(got)
	}
	if err := d.Heed(d.ctx(), Feedback{Stop: policy.Bounced}); !isInput(err) {
		t.Errorf("nobody's bounce: %v", err)
	}
	e, _ := personal.ParseEmail("ada@example.org")
	if err := d.Heed(d.ctx(), Feedback{Address: e, Stop: policy.Objected}); !isInput(err) {
		t.Errorf("an objection by bounce: %v", err)
	}
}

// stops commits what a rights request asks for, as the request's own commit does.
func (d *desk) stops(i personal.Identity, stops map[policy.Stop]bool, purposes ...string) int {
	d.t.Helper()
	writes, err := d.Stopping(d.ctx(), i, stops, purposes, "r7")
	if err != nil {
		d.t.Fatal(err)
	}
	if len(writes) > 0 {
		if err := d.inner.Commit(d.ctx(), table.NewID(), writes...); err != nil {
			d.t.Fatal(err)
		}
	}
	return len(writes)
}

func TestWhatARequestStops(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "newsletter", "analytics")
	on, off := map[policy.Stop]bool{policy.Objected: true, policy.MarketingOptOut: true}, map[policy.Stop]bool{policy.Objected: false}
	if n := d.stops(ada, on); n != 3 { // the subject, and an entry for each
		t.Errorf("%d writes", n)
	}
	if n := d.stops(ada, on); n != 0 {
		t.Errorf("it stands already, and there are %d writes", n)
	}
	if got := d.may(ada, "newsletter") + " " + d.may(ada, "keep_the_shop_safe") + " " + d.may(ada, "analytics"); got != "marketing_opt_out objection +consent" {
		t.Error(got)
	}
	if d.stops(ada, off) != 2 || d.stops(ada, off) != 0 || d.may(ada, "keep_the_shop_safe") != "+legal_basis" {
		t.Error("it was not taken off, or twice")
	}
	if told := d.told(ada); !slices.Equal(told[2:], []string{"stopped marketing_opt_out", "stopped objection", "started objection"}) {
		t.Error(told)
	}
	e := d.entries(d.get(ada))[2]
	if !slices.Contains(e.Facts, audit.Fact{Name: factRequest, Value: "r7"}) {
		t.Errorf("%+v", e.Facts)
	}
	// The request tells the sources, and not the consent.
	if tell := d.get(ada).Tellings; len(tell) != 0 {
		t.Errorf("%+v", tell)
	}
	// Of somebody unknown it is the first that is known.
	d.stops(grace, map[policy.Stop]bool{policy.Restricted: true})
	if why := d.may(grace, "sell_books"); why != "restriction" {
		t.Error(why)
	}
}

func TestWhatARequestWithdraws(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "newsletter", "analytics", "recordings/1", "advertising", "session")
	d.chose(ada, Denied, "reports")
	if d.stops(ada, nil, "newsletter", "telepathy", "session", "reports") != 2 || d.may(ada, "newsletter") != "withdrawn" || d.may(ada, "analytics") != "+consent" {
		t.Errorf("%v", d.told(ada))
	}
	if d.stops(ada, nil, "newsletter") != 0 {
		t.Error("it is withdrawn twice")
	}
	// Nothing named is everything: also what is on by default.
	if d.stops(ada, nil) == 0 || d.stops(ada, nil) != 0 {
		t.Error("withdrawing everything is not done once")
	}
	for key, want := range map[string]string{
		"analytics": "withdrawn", "recordings/1": "withdrawn", "advertising": "withdrawn", "lessons": "withdrawn", "segments": "withdrawn",
		"reports": "denied", "session": "+essential", "survey": "not_asked", "sell_books": "+legal_basis",
	} {
		if why := d.may(ada, key); why != want {
			t.Errorf("%s: %s, want %s", key, why, want)
		}
	}
}

// A request's commit meets somebody's choice: one of them is decided again.
func TestARequestAndAChoiceAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.link(ada, a1)
	writes, err := d.Stopping(d.ctx(), ada, map[policy.Stop]bool{policy.SaleOptOut: true}, nil, "r7")
	if err != nil {
		t.Fatal(err)
	}
	d.chose(a1, Granted, "newsletter")
	if err := d.inner.Commit(d.ctx(), table.NewID(), writes...); err == nil {
		t.Error("the choice that came in between is lost")
	}
	d.stops(ada, map[policy.Stop]bool{policy.SaleOptOut: true})
	if d.may(a1, "newsletter") != "+consent" || d.may(a1, "advertising") != "opt_out_sale" {
		t.Errorf("%v", d.told(a1))
	}
}
