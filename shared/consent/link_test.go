package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

func (d *desk) link(a, b personal.Identity) {
	d.t.Helper()
	if err := d.Link(d.ctx(), "shop", a, b, Attempt{Key: "link", Body: "b"}); err != nil {
		d.t.Fatal(err)
	}
}

func TestAVisitorWhoSignsInKeepsTheirHistory(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	visitor := d.NewVisitor()
	browser := func(c Choice, key string) Record {
		t.Helper()
		return d.capture(Capture{Identity: visitor, Asked: d.asks(c, key), By: ByBrowser, Method: Banner}).Records[0]
	}
	earlyNo := browser(Denied, "analytics")
	d.pass(time.Hour)
	d.chose(a1, Granted, "analytics")
	d.chose(a1, Granted, "newsletter")
	d.pass(time.Hour)
	lateNo := browser(Denied, "newsletter")
	d.chose(visitor, Granted, "reports")
	account := d.get(a1)
	before := d.get(visitor)

	d.link(visitor, a1)
	sub := d.get(a1)
	if sub.ID != account.ID || len(sub.Identifiers) != 2 || sub.Identifiers[0] != d.Keys.Ring.Identifier(a1) || len(sub.Chains) != 1 || sub.Chains[0].Name != ChainOf(before.ID) {
		t.Fatalf("%+v", sub)
	}
	// The later choice stands, whichever of the two made it, and each names its own record.
	for key, want := range map[string]string{"analytics": "+consent", "newsletter": "denied", "reports": "+consent"} {
		for _, i := range []personal.Identity{a1, visitor} {
			if why := d.may(i, key); why != want {
				t.Errorf("%s, asked by %s: %s, want %s", key, i.Kind, why, want)
			}
		}
	}
	list, err := d.Decide(d.ctx(), Question{Identity: a1, Purposes: []string{"newsletter"}})
	if err != nil || list[0].Record != lateNo.ID {
		t.Errorf("%+v, %v; want the record %s", list, err, lateNo.ID)
	}
	// Both chains are whole and name each other, and the history has both.
	own := d.entries(sub)
	linked := own[len(own)-1]
	if linked.Action != actionLinked || !slices.Contains(linked.Facts, audit.Fact{Name: factChain, Value: ChainOf(before.ID)}) {
		t.Errorf("%+v", linked)
	}
	if head := sub.Chains[0].Head; head.Seq != before.Head.Seq+1 || !slices.Contains(linked.Facts, audit.Fact{Name: factHead, Value: fmt.Sprintf("%d:%x", head.Seq, head.Hash[:])}) {
		t.Errorf("the head %+v is not named by %+v", head, linked)
	}
	v, err := d.ShowTo(d.ctx(), visitor, Signals{})
	if err != nil || len(v.History) != 7 || !slices.ContainsFunc(v.History, func(e Entry) bool { return e.ID == earlyNo.ID && e.Choice == Denied }) {
		t.Errorf("%d of history, %v", len(v.History), err)
	}
	for _, r := range []RecordID{earlyNo.ID, lateNo.ID} {
		if e, err := d.EvidenceFor(d.ctx(), a1, r); err != nil || e.Entry.ID != r {
			t.Errorf("the evidence of %s: %+v, %v", r, e, err)
		}
	}
	// The browser has the receipts of what was chosen in it, and no others.
	if _, err := d.EvidenceFor(d.ctx(), visitor, earlyNo.ID); err != nil {
		t.Errorf("the visitor's own record: %v", err)
	}
	if _, err := d.EvidenceFor(d.ctx(), visitor, recordOf(linked.Chain, 1)); !errors.Is(err, ErrNotFound) {
		t.Errorf("a record of the account, for the browser: %v", err)
	}
	// What is chosen next stands for both, and a second link changes nothing.
	d.chose(visitor, Withdrawn, "analytics")
	d.link(a1, visitor)
	d.link(visitor, a1)
	if now := d.get(a1); now.Head.Seq != sub.Head.Seq+1 || d.may(a1, "analytics") != "withdrawn" {
		t.Errorf("%+v", now)
	}
}

func TestLinkingUnitesWhatWasStopped(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	visitor := d.NewVisitor()
	if _, err := d.Signal(d.ctx(), Capture{Identity: visitor, By: ByBrowser, Signals: Signals{GPC: true}}); err != nil {
		t.Fatal(err)
	}
	first := d.at
	d.pass(time.Hour)
	if _, err := d.Signal(d.ctx(), Capture{Identity: a1, By: ByApp, App: "shop", Signals: Signals{GPC: true, DNT: true}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SwitchFor(d.ctx(), "shop", a1, Change{Stops: map[policy.Stop]bool{policy.MarketingOptOut: true}}); err != nil {
		t.Fatal(err)
	}
	d.link(a1, visitor)
	sub := d.get(visitor)
	if !sub.Stops[policy.GPC].Equal(first) || len(sub.Stops) != 3 {
		t.Errorf("%+v", sub.Stops)
	}
	v, err := d.ShowTo(d.ctx(), a1, Signals{})
	if err != nil || !slices.Equal(v.Honoured, []policy.Stop{policy.GPC, policy.DNT}) {
		t.Errorf("%v, %v", v.Honoured, err)
	}
}

func TestOfTwoChoicesAtOnceTheRefusalStands(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][2]Choice{"refused here": {Denied, Granted}, "refused there": {Granted, Denied}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.chose(a1, order[0], "newsletter")
			d.chose(ada, order[1], "newsletter")
			d.link(a1, ada)
			if why := d.may(ada, "newsletter"); why != "denied" {
				t.Error(why)
			}
		})
	}
}

func TestWhoCanBeLinked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	shared, installation := d.NewVisitor(), identity(KindInstallation, "i-1")
	// Nobody chose yet: what either chooses later is for both.
	d.link(shared, a1)
	d.chose(a1, Denied, "analytics")
	if why := d.may(shared, "analytics"); why != "denied" {
		t.Error(why)
	}
	// Somebody else signs in on the same browser, who is known or not.
	a2 := identity(personal.KindAccount, "a-2")
	if err := d.Link(d.ctx(), "shop", shared, a2, Attempt{}); !errors.Is(err, ErrLinked) {
		t.Errorf("an unknown account: %v", err)
	}
	d.chose(a2, Granted, "analytics")
	if err := d.Link(d.ctx(), "shop", a2, shared, Attempt{}); !errors.Is(err, ErrLinked) {
		t.Errorf("a known account: %v", err)
	}
	if why := d.may(a2, "analytics"); why != "+consent" {
		t.Error(why)
	}
	// An account and its address are one person, if the app says so.
	d.chose(grace, Granted, "newsletter")
	d.link(a2, grace)
	if d.get(a2).ID != d.get(grace).ID || d.may(a2, "newsletter") != "+consent" {
		t.Error("they are not linked")
	}
	// Two browsers may be one visitor, before anybody signs in.
	other := d.NewVisitor()
	d.link(installation, other)
	d.link(other, ada)
	if d.get(installation).ID != d.get(ada).ID {
		t.Error("they are not linked")
	}
	for name, pair := range map[string][2]personal.Identity{
		"a forged visitor": {identity(KindVisitor, "v"+strings.Repeat("0", 52)), a1},
		"nobody":           {a1, personal.Identity{}},
		"no address":       {a1, identity(personal.KindEmail, "ada")},
	} {
		if err := d.Link(d.ctx(), "shop", pair[0], pair[1], Attempt{}); !isInput(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.Link(d.ctx(), "shop", a1, a1, Attempt{}); err != nil {
		t.Errorf("with itself: %v", err)
	}
}

func TestAPersonHasEightIdentifiersAtMost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range maxIdentifiers - 1 {
		d.link(a1, d.NewVisitor())
	}
	last := d.NewVisitor()
	if err := d.Link(d.ctx(), "shop", a1, last, Attempt{}); !errors.Is(err, ErrCrowd) {
		t.Errorf("the ninth: %v", err)
	}
	d.chose(last, Denied, "analytics")
	if err := d.Link(d.ctx(), "shop", a1, last, Attempt{}); !errors.Is(err, ErrCrowd) {
		t.Errorf("the ninth, known: %v", err)
	}
	d.chose(a1, Granted, "newsletter", "analytics", "advertising")
	d.entries(d.get(a1))
	if why := d.may(last, "analytics"); why != "denied" {
		t.Error(why)
	}
}

func TestARepeatedCallIsKnownAfterLinking(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	visitor := d.NewVisitor()
	c := Capture{Identity: visitor, Asked: d.asks(Granted, "analytics"), By: ByBrowser, Attempt: Attempt{Key: "k", Body: "b"}}
	first := d.capture(c)
	d.chose(a1, Denied, "newsletter")
	d.link(visitor, a1)
	if again := d.capture(c); fmt.Sprint(again.Records) != fmt.Sprint(first.Records) {
		t.Errorf("%+v, want %+v", again, first)
	}
}

// What is still to be told after linking is what stands then.
func TestLinkingTellsSourcesWhatStands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(a1, Denied, "newsletter")
	d.chose(a1, Granted, "newsletter") // "they want it again" waits to be told
	d.pass(time.Hour)
	d.chose(ada, Granted, "newsletter")
	d.chose(ada, Withdrawn, "newsletter")
	if _, err := d.SwitchFor(d.ctx(), "shop", ada, Change{Stops: map[policy.Stop]bool{policy.SaleOptOut: true}}); err != nil {
		t.Fatal(err)
	}
	d.link(a1, ada)
	got := map[string]bool{}
	for _, x := range d.get(a1).Tellings {
		i, err := d.open(d.ctx(), x.Holder, fieldWho, x.Who)
		if err != nil {
			t.Fatal(err)
		}
		got[fmt.Sprintf("%s %s %s %t", i.Kind, x.Right, x.Purpose, x.On)] = true
	}
	want := map[string]bool{"account withdraw_consent newsletter true": true, "email withdraw_consent newsletter true": true, "email opt_out_sale  true": true, "account opt_out_sale  true": true}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A consent that waits for its mail goes on to wait when its owner is linked.
func TestWhatWaitsGoesOnToWaitAfterLinking(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	asked := d.chose(ada, Granted, "survey")
	d.chose(a1, Granted, "newsletter")
	d.chose(a1, Denied, "analytics")
	d.link(a1, ada)
	if why := d.may(a1, "survey"); why != "unconfirmed" {
		t.Fatal(why)
	}
	done, err := d.Confirm(d.ctx(), Link{Identifier: d.Keys.Ring.Identifier(ada), Verb: ConfirmLink, N: 1, Who: ada})
	if err != nil || len(done.Records) != 1 || d.may(a1, "survey") != "+consent" {
		t.Fatalf("%+v, %v, %s", done, err, d.may(a1, "survey"))
	}
	e, err := d.EvidenceFor(d.ctx(), a1, done.Records[0].ID)
	if err != nil || e.Wording.Text != "Ask me for my opinion by mail." || !slices.Contains(e.Entry.Facts, audit.Fact{Name: factRecord, Value: string(asked.Records[0].ID)}) {
		t.Errorf("%+v, %v", e, err)
	}
}

// What somebody chooses as a visitor concerns their account, and the sources that
// know only that hear of it.
func TestSourcesHearWhatALinkedVisitorChooses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	visitor := d.NewVisitor()
	d.link(visitor, a1)
	d.link(a1, ada)
	whom := func() (list []string) {
		sub := d.get(visitor)
		for _, x := range sub.Tellings {
			i, err := d.open(d.ctx(), x.Holder, fieldWho, x.Who)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, fmt.Sprintf("%s %t %s", x.Right, x.On, i.Reveal()))
		}
		slices.Sort(list)
		return list
	}
	d.signals(visitor, Signals{GPC: true})
	if got := whom(); !slices.Equal(got, []string{"opt_out_sale true a-1", "opt_out_sale true ada@example.org"}) {
		t.Errorf("%q", got)
	}
	// The same from their page, told again with what stands then, by link or by name.
	sub := d.get(visitor)
	sub.Tellings = nil
	if _, err := d.keep(d.ctx(), sub); err != nil {
		t.Fatal(err)
	}
	l := Link{Identifier: d.Keys.Ring.Identifier(visitor), Verb: PreferLink}
	if _, err := d.Switch(d.ctx(), l, Change{Stops: map[policy.Stop]bool{policy.SensitiveLimit: true}}); err != nil {
		t.Fatal(err)
	}
	d.pass(time.Minute)
	if _, err := d.Switch(d.ctx(), d.page(ada), Change{Stops: map[policy.Stop]bool{policy.SensitiveLimit: false}}); err != nil {
		t.Fatal(err)
	}
	if got := whom(); !slices.Equal(got, []string{"limit_sensitive false a-1", "limit_sensitive false ada@example.org"}) {
		t.Errorf("%q", got)
	}
}
