package consent

import (
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// grants has somebody agree by an act that needs no mail.
func (o *office) grants(who personal.Identity, purposes ...string) {
	o.t.Helper()
	c := Capture{Identity: who, By: ByApp, App: "shop", Method: DoubleOptIn, Language: "en", Residence: "FR"}
	for _, p := range purposes {
		rule, _ := o.Policy.Consent(p)
		c.Asked = append(c.Asked, Asked{Purpose: p, Choice: Granted, Wording: policy.WordingHash(rule.Wording.In("en"))})
	}
	o.patiently(func() error { _, err := o.Capture(o.ctx(), c); return err })
}

// expiring gives rules an end.
func expiring(ends map[string]policy.Period) func(*policy.Policy) {
	return func(p *policy.Policy) {
		for i := range p.Consents {
			if e, ok := ends[p.Consents[i].Purpose]; ok {
				p.Consents[i].Expires = e
			}
		}
	}
}

func TestAConsentThatEndsIsToldAMonthBefore(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.grants(ada, "newsletter")
	sub, _ := o.stored(ada)
	end := sub.Purposes["newsletter"].Until
	if want := o.clock().AddDate(2, 0, 0); !end.Equal(want) || len(sub.Address) == 0 {
		t.Fatalf("it ends %v, want %v; %d bytes of address", end, want, len(sub.Address))
	}
	o.pass(end.Sub(o.clock()) - remindBefore - time.Minute)
	o.sweep()
	if l := o.post.sent(); len(l) != 0 || o.actions(ChainOf(sub.ID)) != "granted" {
		t.Fatalf("told too early: %+v, %s", l, o.actions(ChainOf(sub.ID)))
	}
	o.pass(time.Minute)
	for range 4 {
		o.sweep()
		o.pass(2 * time.Minute)
	}
	letters := o.post.sent()
	if len(letters) != 1 || letters[0].to != adaAddress || o.actions(ChainOf(sub.ID)) != "granted told" {
		t.Fatalf("%+v, %s", letters, o.actions(ChainOf(sub.ID)))
	}
	for _, want := range []string{"Newsletter", "It ends on 5 March 2028.", "with suggestions what to read next", "do anything: it then ends by itself"} {
		if !strings.Contains(letters[0].text, want) {
			t.Errorf("the letter does not say %q: %s", want, letters[0].text)
		}
	}
	// The way to renew it is good for as long as there is something to renew.
	o.pass(29 * 24 * time.Hour)
	if link, err := o.ParseLink(tokenOf(t, letters[0], "p")); err != nil || link.Verb != PreferLink || link.Who != ada || !link.Until.Equal(end) {
		t.Errorf("%+v, %v", link, err)
	}
	if sub, _ := o.stored(ada); len(sub.Address) != 0 || sub.Holder != "" {
		t.Error("the address is kept although nothing more is to be written")
	}
	if why := o.why(ada, "newsletter"); why != "true consent" {
		t.Errorf("before its end: %s", why)
	}
	o.pass(2 * 24 * time.Hour)
	for range 3 {
		o.sweep()
	}
	if why := o.why(ada, "newsletter"); why != "false expired" || o.actions(ChainOf(sub.ID)) != "granted told lapsed" {
		t.Errorf("after its end: %s, %s", why, o.actions(ChainOf(sub.ID)))
	}
	if l := o.post.sent(); len(l) != 0 {
		t.Errorf("and again: %+v", l)
	}
	if e := o.entries(ChainOf(sub.ID))[2]; e.Actor != "clock" || factOfEntry(e, "purpose") != "newsletter" || factOfEntry(e, "method") != "lapse" {
		t.Errorf("the entry says %+v", e)
	}
	if due := o.due(); len(due) != 0 {
		t.Errorf("still due: %v", due)
	}
	o.clean()
}

func TestARenewedConsentIsNotToldToEnd(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.grants(ada, "newsletter")
	o.pass(2*365*24*time.Hour - 25*24*time.Hour) // the sweep was away
	o.sweep()                                    // the clock's
	o.pass(relayWithin)
	o.sweep() // the relay's
	first := len(o.post.sent())
	o.grants(ada, "newsletter")
	for range 30 {
		o.pass(24 * time.Hour)
		o.sweep()
	}
	if why := o.why(ada, "newsletter"); first != 1 || why != "true consent" || len(o.post.sent()) != 0 {
		t.Errorf("%d letters at first; then %s", first, why)
	}
}

// What ends in the same week is told in one letter.
func TestOneLetterAboutEverythingThatEnds(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0, expiring(map[string]policy.Period{"newsletter": {Months: 12}, "survey": {Months: 12}, "advertising": {Months: 14}}))
	ada := byMail(adaAddress)
	o.grants(ada, "newsletter")
	o.pass(3 * 24 * time.Hour)
	o.grants(ada, "survey", "advertising")
	for range 400 {
		o.pass(24 * time.Hour)
		o.sweep()
	}
	letters := o.post.sent()
	if len(letters) != 2 {
		t.Fatalf("%d letters", len(letters))
	}
	for i, want := range [][]string{{"Newsletter", "Surveys"}, {"Advertisements on other sites"}} {
		for _, label := range []string{"Newsletter", "Surveys", "Advertisements on other sites"} {
			told := strings.Contains(letters[i].text, label+" ---")
			if wanted := strings.Contains(strings.Join(want, "|"), label); told != wanted {
				t.Errorf("letter %d tells of %s: %v", i, label, told)
			}
		}
	}
	sub, _ := o.stored(ada)
	if got := o.actions(ChainOf(sub.ID)); got != "granted granted granted told told lapsed lapsed told" {
		t.Errorf("the chain: %s", got)
	}
}

// Nobody is written to about what they opted out of, or where no mail arrives, or
// where we know no address: then the end comes by itself.
func TestWhomNoLetterReminds(t *testing.T) {
	t.Parallel()
	account := personal.MakeIdentity(personal.KindAccount, "a-1")
	for name, c := range map[string]struct {
		who     personal.Identity
		happens func(*office, personal.Identity)
	}{
		"no address": {account, func(*office, personal.Identity) {}},
		"withdrawn":  {byMail(adaAddress), func(o *office, who personal.Identity) { o.chooses(ByApp, who, Withdrawn, "newsletter") }},
		"opted out of all marketing": {byMail(adaAddress), func(o *office, who personal.Identity) {
			if _, err := o.SwitchFor(o.ctx(), "shop", who, Change{Stops: map[policy.Stop]bool{policy.MarketingOptOut: true}}); err != nil {
				o.t.Fatal(err)
			}
		}},
		"the address takes no mail": {byMail(adaAddress), func(o *office, who personal.Identity) {
			e, _ := personal.ParseEmail(adaAddress)
			if err := o.Heed(o.ctx(), Feedback{Address: e, Stop: policy.Bounced, At: o.clock().Add(time.Minute), MessageID: "m1"}); err != nil {
				o.t.Fatal(err)
			}
		}},
		"another thing is agreed to now": {byMail(adaAddress), func(o *office, _ personal.Identity) {
			for i := range o.Policy.Consents {
				o.Policy.Consents[i].Edition++
			}
		}},
		"it is asked for no longer": {byMail(adaAddress), func(o *office, _ personal.Identity) { o.Policy.Consents = nil }},
	} {
		o := openOffice(t, 0)
		o.grants(c.who, "newsletter")
		o.pass(time.Hour)
		c.happens(o, c.who)
		sub, _ := o.stored(c.who)
		end := o.clock().AddDate(2, 0, -29)
		o.pass(end.Sub(o.clock()))
		for range 3 {
			o.sweep()
			o.pass(2 * time.Minute)
		}
		if l := o.post.sent(); len(l) != 0 || strings.Contains(o.actions(ChainOf(sub.ID)), "told") {
			t.Errorf("%s: %+v, %s", name, l, o.actions(ChainOf(sub.ID)))
		}
		if len(o.due()) != 0 {
			t.Errorf("%s: still due", name)
		}
		if after, _ := o.stored(c.who); len(after.Address) != 0 {
			t.Errorf("%s: an address is kept for nothing", name)
		}
	}
}

// What nobody confirmed is over, and of who entered somebody else's address nothing is left but the record.
func TestWhatNobodyConfirmsIsForgotten(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	sub, _ := o.stored(ada)
	o.sweep()
	o.pass(o.Policy.Verification.LapseAfter - time.Minute)
	o.sweep()
	if still, ok := o.stored(ada); !ok || len(still.Asks) != 1 {
		t.Fatalf("a minute too early: %+v", still)
	}
	o.pass(time.Minute)
	o.sweep()
	if left, ok := o.stored(ada); ok {
		t.Errorf("still there: %+v", left)
	}
	if got := o.actions(ChainOf(sub.ID)); got != "asked lapsed" || factOfEntry(o.entries(ChainOf(sub.ID))[1], "of") != "asked" {
		t.Errorf("the chain: %s", got)
	}
	if len(o.due()) != 0 {
		t.Errorf("still due: %v", o.due())
	}
	if why := o.why(ada, "newsletter"); why != "false not_asked" {
		t.Errorf("a month later: %s", why)
	}
}

// What stood before stands on.
func TestALapsedWishChangesNothing(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.chooses(ByApp, ada, Denied, "newsletter")
	o.pass(time.Hour)
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	o.pass(o.Policy.Verification.LapseAfter + time.Minute)
	o.sweep()
	sub, ok := o.stored(ada)
	if why := o.why(ada, "newsletter"); !ok || why != "false denied" || len(sub.Asks) != 0 || len(sub.Address) != 0 {
		t.Errorf("%s: %+v", why, sub)
	}
}

// Looking costs a read, and moves nothing that is right where it is.
func TestALookThatFindsNothingToDo(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.chooses(ByApp, ada, Denied, "newsletter")
	sub, _ := o.stored(ada)
	units := func() (read, wrote float64) {
		m := &table.Meter{}
		if err := o.Tick(table.WithMeter(o.ctx(), m), o.keyOf(ada)); err != nil {
			t.Fatal(err)
		}
		u := m.Total()
		return u.Read, u.Write
	}
	if read, wrote := units(); read != 1 || wrote != 0 {
		t.Errorf("a look takes %v read and %v write units", read, wrote)
	}
	o.pass(sub.Filed.Sub(o.clock()))
	if _, wrote := units(); wrote == 0 {
		t.Error("it stays due although nothing is to be done")
	}
	if after, _ := o.stored(ada); !after.Filed.After(o.clock()) || o.actions(ChainOf(sub.ID)) != "denied" || len(after.Calls) != 0 {
		t.Errorf("filed under %v; %+v", after.Filed, after)
	}
	if err := o.Tick(o.ctx(), o.keyOf(byMail(graceAddress))); err != nil {
		t.Errorf("somebody of whom nothing is known: %v", err)
	}
	if _, ok := o.stored(byMail(graceAddress)); ok {
		t.Error("a look makes somebody known")
	}
}

// In every weather, with the schedules alone: told once, lapsed once.
func TestTheClockInAnyWeather(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 10; seed++ {
		o := openOffice(t, seed)
		ada := byMail(adaAddress)
		o.grants(ada, "newsletter")
		sub, _ := o.stored(ada)
		o.pass(sub.Purposes["newsletter"].Until.Sub(o.clock()) - remindBefore)
		for range 20 {
			o.sweep()
			o.pass(2 * time.Minute)
		}
		o.pass(remindBefore)
		for range 20 {
			o.sweep()
			o.pass(5 * time.Minute)
		}
		keys := map[string]bool{}
		for _, l := range o.post.sent() {
			keys[l.key] = true
		}
		if got := o.actions(ChainOf(sub.ID)); got != "granted told lapsed" || len(keys) != 1 {
			t.Errorf("seed %d: %s, %d letters", seed, got, len(keys))
		}
	}
}
