package consent

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

func (d *desk) page(i personal.Identity) Link {
	d.t.Helper()
	l, err := d.ParseLink(d.Mint(Link{Identifier: d.Keys.Ring.Identifier(i), Verb: PreferLink, N: 1, Until: d.at.Add(time.Hour), Who: i}))
	if err != nil {
		d.t.Fatal(err)
	}
	return l
}

func TestThePageOfOnesOwnChoices(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "newsletter", "analytics", "recordings/1")
	link := d.page(ada)
	done, err := d.Switch(d.ctx(), link, Change{
		Asked: append(d.asks(Withdrawn, "newsletter"), d.asks(Granted, "survey")...),
		Stops: map[policy.Stop]bool{policy.SaleOptOut: true, policy.MarketingOptOut: false}, Signals: Signals{GPC: true},
	})
	if err != nil || len(done.Records) != 2 || done.Records[1].Pending || !slices.Equal(done.Honoured, []policy.Stop{policy.GPC}) {
		t.Fatalf("%+v, %v", done, err)
	}
	v, err := d.Show(d.ctx(), link, Signals{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, x := range v.Purposes {
		got[x.Purpose] = spelled(x)
	}
	want := map[string]string{
		"session": "+essential", "newsletter": "withdrawn", "survey": "+consent", "lessons": "+default", "segments": "not_asked?",
		"analytics": "+consent", "reports": "not_asked?", "advertising": "opt_out_sale", "recordings/1": "+consent",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	// The newest first, each with what it was.
	var history []string
	for _, e := range v.History {
		history = append(history, e.Action+" "+e.Purpose)
	}
	if !slices.Equal(history, []string{"granted survey", "withdrawn newsletter", "stopped ", "signalled ", "granted recordings", "granted analytics", "granted newsletter"}) {
		t.Errorf("%q", history)
	}
	if e := v.History[0]; e.Method != Preferences || e.By != "person" || e.Choice != Granted {
		t.Errorf("%+v", e)
	}
	// Everything at once, and it says nothing of what was not on.
	all, err := d.Switch(d.ctx(), link, Change{WithdrawAll: true})
	if err != nil || len(all.Records) != 5 {
		t.Errorf("%+v, %v", all, err)
	}
	if again, err := d.Switch(d.ctx(), link, Change{WithdrawAll: true}); err != nil || len(again.Records) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	// A stop is taken off by its own switch only.
	if d.chose(ada, Granted, "advertising"); d.may(ada, "advertising") != "opt_out_sale" {
		t.Error("a consent has ended an opt-out")
	}
	if _, err := d.SwitchFor(d.ctx(), "shop", ada, Change{Stops: map[policy.Stop]bool{policy.SaleOptOut: false}}); err != nil {
		t.Fatal(err)
	}
	if why := d.may(ada, "advertising"); why != "+consent" { // given after the signal
		t.Error(why)
	}
	d.entries(d.get(ada))
}

func TestWhatNobodySwitches(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "newsletter")
	for _, stop := range []policy.Stop{policy.Objected, policy.Restricted, policy.GPC, policy.DNT, policy.Bounced, policy.Complained, "anything"} {
		for _, on := range []bool{true, false} {
			if _, err := d.Switch(d.ctx(), d.page(ada), Change{Stops: map[policy.Stop]bool{stop: on}}); !isInput(err) {
				t.Errorf("%s %t: %v", stop, on, err)
			}
		}
	}
	if _, err := d.Switch(d.ctx(), d.page(ada), Change{}); !isInput(err) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := d.SwitchFor(d.ctx(), "shop", personal.Identity{}, Change{WithdrawAll: true}); err != nil && !isInput(err) {
		t.Errorf("nobody: %v", err)
	}
}

func TestAPageIsPostedTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := Change{Asked: d.asks(Granted, "newsletter"), Stops: map[policy.Stop]bool{policy.SaleOptOut: true}, Attempt: Attempt{Key: "form-1", Body: "b"}}
	first, err := d.Switch(d.ctx(), d.page(ada), c)
	if err != nil || len(first.Records) != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := d.Switch(d.ctx(), d.page(ada), c)
	if err != nil || fmt.Sprint(again.Records) != fmt.Sprint(first.Records) || len(d.told(ada)) != 2 {
		t.Errorf("%+v, %v", again, err)
	}
	c.Attempt.Body = "c"
	if _, err := d.Switch(d.ctx(), d.page(ada), c); !errors.Is(err, ErrReplay) {
		t.Error(err)
	}
}

// Somebody of whom nothing is known opens their page, and begins there.
func TestAnEmptyPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	v, err := d.Show(d.ctx(), d.page(grace), Signals{GPC: true})
	if err != nil || len(v.History) != 0 || len(v.Purposes) != 8 || !slices.Equal(v.Honoured, []policy.Stop{policy.GPC}) {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err := d.Switch(d.ctx(), d.page(grace), Change{WithdrawAll: true}); err != nil {
		t.Fatal(err)
	}
	if why := d.may(grace, "lessons"); why != "withdrawn" {
		t.Error(why)
	}
}

func TestALongHistoryIsShownFromItsEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for n := range 253 {
		d.pass(time.Second)
		d.chose(a1, Choices[n%3], "newsletter")
	}
	v, err := d.ShowTo(d.ctx(), a1, Signals{})
	if err != nil || len(v.History) != 253 {
		t.Fatalf("%d, %v", len(v.History), err)
	}
	for i, e := range v.History {
		if want := recordOf(ChainOf(v.Subject.ID), int64(253-i)); e.ID != want {
			t.Fatalf("the %dth is %s, want %s", i, e.ID, want)
		}
	}
}

func TestConfirming(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	button := func(n int) Link {
		return Link{Identifier: d.Keys.Ring.Identifier(ada), Verb: ConfirmLink, N: n, Until: d.at.Add(time.Hour), Who: ada}
	}
	asks := func(keys ...string) {
		t.Helper()
		d.capture(Capture{Identity: ada, Asked: d.asks(Granted, keys...), By: ByBrowser, Language: "en", Page: "https://shop.example.com/letter"})
	}
	asks("newsletter", "analytics")
	if sub := d.get(ada); len(sub.Announcements) != 1 || sub.Mailed != 1 || len(sub.Address) == 0 {
		t.Fatalf("%+v", sub)
	}
	if _, err := d.Confirm(d.ctx(), button(0)); !errors.Is(err, ErrLinkGone) {
		t.Errorf("before any mail: %v", err)
	}
	first, err := d.Confirm(d.ctx(), button(1))
	if err != nil || len(first.Records) != 2 || d.may(ada, "newsletter") != "+consent" || d.may(ada, "analytics") != "+consent" {
		t.Fatalf("%+v, %v", first, err)
	}
	e, err := d.EvidenceFor(d.ctx(), ada, first.Records[1].ID)
	if err != nil || e.Entry.Method != DoubleOptIn || e.Entry.Page != "https://shop.example.com/letter" || e.Entry.Wording != d.shown("newsletter") || e.Entry.Edition != 1 || e.State != Granted || e.Until.IsZero() {
		t.Errorf("%+v, %v", e, err)
	}
	// Pressed twice it says the same. What was withdrawn since is not given again.
	d.chose(ada, Withdrawn, "newsletter")
	again, err := d.Confirm(d.ctx(), button(1))
	if err != nil || fmt.Sprint(again.Records) != fmt.Sprint(first.Records) || d.may(ada, "newsletter") != "withdrawn" {
		t.Errorf("%+v, %v, %s", again, err, d.may(ada, "newsletter"))
	}
	d.pass(replayFor + time.Hour)
	if _, err := d.Confirm(d.ctx(), button(1)); !errors.Is(err, ErrLinkGone) || d.may(ada, "newsletter") != "withdrawn" {
		t.Errorf("the next day: %v", err)
	}
	// Asked twice, either mail confirms; refused in between, neither does.
	asks("newsletter")
	asks("newsletter")
	d.chose(ada, Denied, "newsletter")
	if _, err := d.Confirm(d.ctx(), button(9)); !errors.Is(err, ErrLinkGone) {
		t.Errorf("refused in between: %v", err)
	}
	asks("newsletter")
	sub := d.get(ada)
	sub.Announcements = nil // the mail has left
	if _, err := d.keep(d.ctx(), sub); err != nil {
		t.Fatal(err)
	}
	asks("newsletter")
	if now := d.get(ada); now.Mailed != sub.Mailed+1 || now.Asks["newsletter"].N != sub.Mailed {
		t.Errorf("%+v", now)
	}
	if _, err := d.Confirm(d.ctx(), button(sub.Mailed)); err != nil || d.may(ada, "newsletter") != "+consent" {
		t.Errorf("the first of two mails: %v", err)
	}
}

// A purpose that nobody confirms stays as it was, and an address is mailed only so
// often a day, whoever asks.
func TestAnAddressIsMailedSoOftenADay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mails := 0
	for range 3 * d.Policy.Verification.MailsPerDay {
		d.capture(Capture{Identity: ada, Asked: d.asks(Granted, "newsletter"), By: ByBrowser})
		sub := d.get(ada)
		mails += len(sub.Announcements)
		sub.Announcements = nil
		if _, err := d.keep(d.ctx(), sub); err != nil {
			t.Fatal(err)
		}
	}
	if mails != d.Policy.Verification.MailsPerDay {
		t.Errorf("%d mails", mails)
	}
}
