package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

func tokenOf(tb testing.TB, l letterSent, verb string) string {
	tb.Helper()
	token, ok := strings.CutPrefix(l.link, "https://privacy.example.org/"+verb+"/")
	if !ok {
		tb.Fatalf("the letter leads to %s", l.link)
	}
	return token
}

func (o *office) why(who personal.Identity, purpose string) string {
	o.t.Helper()
	var list []Decision
	o.patiently(func() (err error) {
		list, err = o.Decide(o.ctx(), Question{Identity: who, Purposes: []string{purpose}})
		return err
	})
	return fmt.Sprint(list[0].May, " ", list[0].Why)
}

// A page asks in somebody's name. What they read before they press the button is
// what the page showed, to the letter, and nothing counts before.
func TestAConsentIsConfirmedByTheOwnerOfTheAddress(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.chooses(ByBrowser, ada, Granted, "newsletter", "survey")
	o.chooses(ByBrowser, ada, Granted, "survey") // and once more, before the letter left
	for range 3 {
		if err := o.Announce(o.ctx(), o.keyOf(ada)); err != nil {
			t.Fatal(err)
		}
	}
	letters := o.post.sent()
	if len(letters) != 1 || letters[0].to != adaAddress {
		t.Fatalf("letters: %+v", letters)
	}
	for _, want := range []string{
		"Send me the newsletter, with suggestions what to read next. I can leave in every letter.", "Newsletter",
		"Ask me now and then what I would like better.", "Surveys", "6 March 2026", "do nothing",
	} {
		if !strings.Contains(letters[0].text, want) {
			t.Errorf("the letter does not say %q: %s", want, letters[0].text)
		}
	}
	if why := o.why(ada, "newsletter"); why != "false unconfirmed" {
		t.Errorf("before the button: %s", why)
	}
	link, err := o.ParseLink(tokenOf(t, letters[0], "c"))
	if err != nil || link.Verb != ConfirmLink || link.Until.Sub(o.clock()) != o.Policy.Verification.LinkPeriod {
		t.Fatalf("the link: %+v, %v", link, err)
	}
	if _, err := o.Confirm(o.ctx(), link); err != nil {
		t.Fatal(err)
	}
	for _, purpose := range []string{"newsletter", "survey"} {
		if why := o.why(ada, purpose); why != "true consent" {
			t.Errorf("%s after the button: %s", purpose, why)
		}
	}
	o.clean()
	o.pass(o.Policy.Verification.LinkPeriod)
	if _, err := o.ParseLink(tokenOf(t, letters[0], "c")); !errors.Is(err, ErrLinkGone) {
		t.Errorf("a day later: %v", err)
	}
}

// The words are those that were shown, also when the policy has others by now.
func TestTheLetterQuotesWhatWasShown(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	for i := range o.Policy.Consents {
		if o.Policy.Consents[i].Purpose == "newsletter" {
			o.Policy.Consents[i].Wording = policy.Text{"en": "Send me everything.", "fr": "Envoyez-moi tout."}
		}
	}
	if err := o.Announce(o.ctx(), o.keyOf(ada)); err != nil {
		t.Fatal(err)
	}
	if l := o.post.sent(); len(l) != 1 || !strings.Contains(l[0].text, "with suggestions what to read next") || strings.Contains(l[0].text, "everything") {
		t.Errorf("letters: %+v", l)
	}
}

func TestALetterIsTriedAgain(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.post.fail = func(n int) error {
		if n <= 3 {
			return fmt.Errorf("%w: busy", mail.ErrLater)
		}
		return nil
	}
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	for i, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		if err := o.Announce(o.ctx(), o.keyOf(ada)); !errors.Is(err, mail.ErrLater) {
			t.Fatalf("try %d: %v", i+1, err)
		}
		o.pass(pause - time.Second)
		if err := o.Announce(o.ctx(), o.keyOf(ada)); err != nil || len(o.post.keys) != i+1 {
			t.Fatalf("tried again too early: %d calls, %v", len(o.post.keys), err)
		}
		o.pass(time.Second)
	}
	if sub, _ := o.stored(ada); len(o.post.sent()) != 0 || !sub.Next().Equal(o.clock()) {
		t.Errorf("due at %v, now %v", sub.Next(), o.clock())
	}
	o.sweep()
	if l := o.post.sent(); len(l) != 1 {
		t.Errorf("letters: %+v", l)
	}
	for _, key := range o.post.keys {
		if key != o.post.keys[0] || strings.Contains(key, "ada") {
			t.Errorf("the tries go by other names: %q", o.post.keys)
		}
	}
	if sub, _ := o.stored(ada); len(sub.Announcements) != 0 || sub.Tries != 0 || len(sub.Address) == 0 {
		t.Errorf("afterwards: %+v", sub)
	}
}

func TestALetterThatIsRefusedForGoodIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.post.fail = func(int) error { return fmt.Errorf("%w: no such address", mail.ErrRefused) }
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	if err := o.Announce(o.ctx(), o.keyOf(ada)); !errors.Is(err, mail.ErrRefused) {
		t.Fatal(err)
	}
	for range 5 {
		o.pass(3 * time.Hour)
		o.sweep()
	}
	if len(o.post.keys) != 1 {
		t.Errorf("tried %d times", len(o.post.keys))
	}
	if !strings.Contains(o.log.String(), `"level":"WARN"`) {
		t.Errorf("nobody is told: %s", o.log.String())
	}
	o.clean()
}

// Where nobody is written to nothing is tried again, nothing is agreed to, and the record
// says why.
func TestALetterThatIsWithheldIsOver(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.post.fail = func(int) error { return mail.ErrWithheld }
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	if err := o.Announce(o.ctx(), o.keyOf(ada)); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		o.pass(3 * time.Hour)
		o.sweep()
	}
	sub, _ := o.stored(ada)
	if len(o.post.keys) != 1 || len(sub.Announcements) > 0 || len(sub.Asks) != 1 || len(sub.Purposes) > 0 {
		t.Errorf("tried %d times: %+v", len(o.post.keys), sub)
	}
	entries := o.entries(ChainOf(sub.ID))
	last := entries[len(entries)-1]
	if last.Action != "withheld" || !slices.Contains(last.Facts, audit.Fact{Name: "mail", Value: string(mail.ConfirmConsent)}) {
		t.Errorf("the audit tells %+v", last)
	}
	if err := o.MailLink(o.ctx(), address(t, adaAddress), "en", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		o.sweep()
		o.pass(3 * time.Hour)
	}
	if len(o.post.keys) != 2 {
		t.Errorf("a link was tried %d times", len(o.post.keys)-1)
	}
	o.clean()
}

// What would wait for a mail's button is not taken where there is no mail; what is against
// something is, in the same call too.
func TestWithoutMailNothingWaitsForItsButton(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	o.NoMail = true
	who := byMail(adaAddress)
	rule, _ := o.Policy.Consent("newsletter")
	_, err := o.Capture(o.ctx(), Capture{Identity: who, By: ByBrowser, Language: "en", Residence: "FR", From: "192.0.2.1", Asked: []Asked{
		{Purpose: "newsletter", Choice: Granted, Wording: policy.WordingHash(rule.Wording.In("en"))}, {Purpose: "offers", Choice: Denied},
	}})
	if !errors.Is(err, mail.ErrOff) {
		t.Fatalf("err = %v", err)
	}
	sub, _ := o.stored(who)
	if len(sub.Asks) > 0 || sub.Purposes["offers"].Choice != Denied || len(sub.Announcements) > 0 {
		t.Errorf("%+v", sub)
	}
	o.chooses(ByApp, who, Granted, "analytics") // its word needs no button
	if sub, _ := o.stored(who); sub.Purposes["analytics"].Choice != Granted {
		t.Errorf("%+v", sub)
	}
	o.clean()
}

func TestALetterThatTimeHasOvertakenIsDropped(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(*office, personal.Identity){
		"they said no":             func(o *office, who personal.Identity) { o.chooses(ByBrowser, who, Denied, "newsletter") },
		"nobody confirmed in time": func(o *office, who personal.Identity) { o.pass(o.Policy.Verification.LapseAfter) },
		"it is asked for no longer": func(o *office, who personal.Identity) {
			o.Policy.Consents = nil
		},
		"they were forgotten": func(o *office, who personal.Identity) {
			ref := table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(o.Keys.Ring.Identifier(who)), Sort: "-"}}
			if err := o.inner.Commit(o.ctx(), table.NewID(), table.Delete(ref, table.Exists)); err != nil {
				o.t.Fatal(err)
			}
		},
	} {
		o := openOffice(t, 0)
		ada := byMail(adaAddress)
		o.chooses(ByBrowser, ada, Granted, "newsletter")
		happens(o, ada)
		_ = o.Announce(o.ctx(), o.keyOf(ada)) // it says why, where that is worth telling
		if l := o.post.sent(); len(l) != 0 || len(o.post.keys) != 0 {
			t.Errorf("%s: %+v", name, l)
		}
		if sub, ok := o.stored(ada); ok && len(sub.Announcements) > 0 {
			t.Errorf("%s: it is still to be said", name)
		}
	}
}

// The address had its mails of the day: no letter, and a later one confirms it.
func TestNobodyIsMailedMoreOftenThanThePolicySays(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	n := 0
	for range 3 * o.Policy.Verification.MailsPerDay {
		o.chooses(ByBrowser, ada, Granted, "newsletter")
		if err := o.Announce(o.ctx(), o.keyOf(ada)); err != nil {
			t.Fatal(err)
		}
		n += len(o.post.sent())
	}
	if n != o.Policy.Verification.MailsPerDay {
		t.Errorf("%d letters in a day, want %d", n, o.Policy.Verification.MailsPerDay)
	}
}

// A person who is known by two identifiers gets one letter, whichever copy the stream tells of.
func TestCopiesAnnounceOnce(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada, account := byMail(adaAddress), personal.MakeIdentity(personal.KindAccount, "a-1")
	o.chooses(ByApp, account, Denied, "survey")
	if err := o.Link(o.ctx(), "shop", account, ada, Attempt{}); err != nil {
		t.Fatal(err)
	}
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	sub, _ := o.stored(ada)
	if len(sub.Identifiers) != 2 || len(sub.Announcements) != 1 {
		t.Fatalf("%+v", sub)
	}
	if err := o.Announce(o.ctx(), Ref(sub.Identifiers[1]).Key); err != nil || len(o.post.keys) != 0 {
		t.Errorf("by the second copy: %d letters, %v", len(o.post.keys), err)
	}
	if err := o.Announce(o.ctx(), Ref(sub.Identifiers[0]).Key); err != nil || len(o.post.keys) != 1 {
		t.Errorf("by the first: %d letters, %v", len(o.post.keys), err)
	}
	if link, err := o.ParseLink(tokenOf(t, o.post.sent()[0], "c")); err != nil || link.Identifier != o.Keys.Ring.Identifier(ada) {
		t.Errorf("the link is about %v, %v", link, err)
	}
}

// Without a stream, in every weather: the sweep alone mails, and every letter has one name.
func TestLettersInAnyWeather(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 12; seed++ {
		o := openOffice(t, seed)
		tries := 0
		o.post.fail = func(n int) error {
			if tries++; (uint64(tries)+seed)%3 == 0 {
				return fmt.Errorf("%w: no answer", mail.ErrLater)
			}
			return nil
		}
		ada, grace := byMail(adaAddress), byMail(graceAddress)
		o.chooses(ByBrowser, ada, Granted, "newsletter")
		o.chooses(ByBrowser, grace, Granted, "survey")
		for range 40 {
			o.pass(time.Minute)
			o.sweep()
		}
		letters := map[string]string{}
		for _, l := range o.post.sent() {
			letters[l.key] = l.to
		}
		if len(letters) != 2 {
			t.Errorf("seed %d: %d letters: %v\n%s", seed, len(letters), letters, o.log.String())
		}
		for _, who := range []personal.Identity{ada, grace} {
			if sub, ok := o.stored(who); !ok || len(sub.Announcements) > 0 || len(sub.Asks) != 1 {
				t.Errorf("seed %d: %+v", seed, sub)
			}
		}
	}
}

// While everything is halted no button could be pressed: the letter waits.
func TestNoLetterAsksForAConsentDuringAHalt(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := byMail(adaAddress)
	o.chooses(ByBrowser, ada, Granted, "newsletter")
	if _, err := o.Halt(o.ctx(), handler, "CVE-2026-1234"); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		o.sweep()
		o.pass(time.Hour)
	}
	if l := o.post.sent(); len(l) != 0 {
		t.Fatalf("letters: %+v", l)
	}
	if err := o.MailLink(o.ctx(), address(t, adaAddress), "en", ""); err != nil {
		t.Fatal(err)
	}
	o.pass(relayWithin)
	o.sweep()
	if l := o.post.sent(); len(l) != 1 || !strings.Contains(l[0].link, "/p/") {
		t.Errorf("the way to refuse is shut: %+v", l)
	}
	if _, err := o.Resume(o.ctx(), handler, "openssl-3.5.4"); err != nil {
		t.Fatal(err)
	}
	o.pass(2 * time.Hour)
	o.sweep()
	if l := o.post.sent(); len(l) != 1 || !strings.Contains(l[0].link, "/c/") {
		t.Errorf("after the halt: %+v", l)
	}
}
