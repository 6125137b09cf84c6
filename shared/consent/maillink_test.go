package consent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
)

func address(tb testing.TB, s string) personal.Email {
	tb.Helper()
	e, ok := personal.ParseEmail(s)
	if !ok {
		tb.Fatalf("%q is no address", s)
	}
	return e
}

// errands lists the links that are to be mailed.
func (o *office) errands() []table.Key {
	o.t.Helper()
	o.pass(relayWithin)
	var list []table.Key
	for _, k := range o.due() {
		if isErrand(k) {
			list = append(list, k)
		}
	}
	return list
}

// Whether an address is known shows in no answer, in no cost and in nothing that is
// stored: the owner alone reads what there is.
func TestALinkIsMailedToWhoeverOwnsTheAddress(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	known, linked, stranger := byMail(adaAddress), byMail("linked@example.org"), byMail(graceAddress)
	o.chooses(ByApp, known, Denied, "newsletter")
	o.chooses(ByApp, linked, Denied, "newsletter")
	if err := o.Link(o.ctx(), "shop", linked, personal.MakeIdentity(personal.KindAccount, "a-7"), Attempt{}); err != nil {
		t.Fatal(err)
	}
	for _, who := range []personal.Identity{known, linked, stranger} { // each was written to before
		if _, _, err := o.Keys.Contact(o.ctx(), who, o.clock(), 5); err != nil {
			t.Fatal(err)
		}
	}
	var costs []string
	for i, who := range []personal.Identity{known, linked, stranger} {
		m := &table.Meter{}
		if err := o.MailLink(table.WithMeter(o.ctx(), m), address(t, who.Reveal()), "fr", fmt.Sprintf("192.0.2.%d", i)); err != nil {
			t.Fatal(err)
		}
		costs = append(costs, fmt.Sprint(m.Ops()))
	}
	if costs[0] != costs[1] || costs[1] != costs[2] {
		t.Errorf("who is known costs something else: %s", strings.Join(costs, "\n"))
	}
	if _, ok := o.stored(stranger); ok {
		t.Error("asking for a link makes somebody known")
	}
	keys := o.errands()
	if len(keys) != 3 {
		t.Fatalf("%d links are to be mailed", len(keys))
	}
	for _, k := range keys {
		for range 2 { // the stream says it twice
			if err := o.Announce(o.ctx(), k); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(o.Tell(o.ctx(), k), o.Tick(o.ctx(), k)); err != nil {
			t.Error(err)
		}
	}
	letters := map[string]letterSent{}
	for _, l := range o.post.sent() {
		letters[l.to] = l
	}
	if len(letters) != 3 || len(o.post.keys) != 3 {
		t.Fatalf("letters: %+v", letters)
	}
	for _, who := range []personal.Identity{known, linked, stranger} {
		l := letters[who.Reveal()]
		link, err := o.ParseLink(tokenOf(t, l, "p"))
		if err != nil || link.Verb != PreferLink || link.Identifier != o.Keys.Ring.Identifier(who) || link.Who != who || link.Until.Sub(o.clock()) != o.Policy.Verification.LinkPeriod {
			t.Errorf("%+v, %v", link, err)
		}
		if !strings.Contains(l.subject, "Vos choix") {
			t.Errorf("the letter speaks another language: %s", l.subject)
		}
	}
	if left := o.errands(); len(left) != 0 {
		t.Errorf("it is kept that somebody asked: %v", left)
	}
	if sub, _ := o.stored(known); len(sub.Address) != 0 || len(sub.Announcements) != 0 {
		t.Errorf("it shows in what they chose: %+v", sub)
	}
	o.clean()
}

// Over the limit of an address nothing is mailed, and whoever asks cannot tell.
func TestTheMailsOfADayAreASecret(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	to := address(t, graceAddress)
	var costs []string
	for i := range 2 * o.Policy.Verification.MailsPerDay {
		m := &table.Meter{}
		if err := o.MailLink(table.WithMeter(o.ctx(), m), to, "en", fmt.Sprintf("192.0.2.%d", i)); err != nil {
			t.Fatal(err)
		}
		var shape []string
		for _, op := range m.Ops() {
			if op.Table == table.State { // what is counted on the address, is for all of its mails alike
				shape = append(shape, fmt.Sprint(op.Call, op.Index, op.Units))
			}
		}
		costs = append(costs, strings.Join(shape, " "))
	}
	for i, c := range costs {
		if c != costs[0] {
			t.Errorf("call %d costs %s, others %s", i+1, c, costs[0])
		}
	}
	for _, k := range o.errands() {
		if err := o.Announce(o.ctx(), k); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(o.post.sent()); n != o.Policy.Verification.MailsPerDay {
		t.Errorf("%d letters in a day, want %d", n, o.Policy.Verification.MailsPerDay)
	}
	if left := o.errands(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWhoAsksForManyLinksIsStopped(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	for i := range o.Policy.Verification.SubmitsPerHour {
		if err := o.MailLink(o.ctx(), address(t, fmt.Sprintf("person%d@example.org", i)), "en", "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.MailLink(o.ctx(), address(t, adaAddress), "en", "192.0.2.1"); !errors.Is(err, ErrTooMany) {
		t.Errorf("err = %v", err)
	}
	o.pass(time.Hour)
	if err := o.MailLink(o.ctx(), address(t, adaAddress), "en", "192.0.2.1"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestALinkThatCannotBeMailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fails       error
		least, most int
	}{
		"refused for good": {mail.ErrRefused, 1, 1},
		"never an answer":  {mail.ErrLater, 15, 20}, // with back-off, until the link would have been too old
	} {
		o := openOffice(t, 0)
		o.post.fail = func(int) error { return c.fails }
		if err := o.MailLink(o.ctx(), address(t, adaAddress), "en", "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		for range 24 * 60 {
			o.sweep()
			o.pass(2 * time.Minute)
		}
		if n := len(o.post.keys); n < c.least || n > c.most {
			t.Errorf("%s: %d calls", name, n)
		}
		for _, k := range o.post.keys {
			if k != o.post.keys[0] {
				t.Errorf("%s: another try is another letter", name)
			}
		}
		if left := o.errands(); len(left) != 0 {
			t.Errorf("%s: left: %v", name, left)
		}
		o.clean()
	}
}

func TestLinksInAnyWeather(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 10; seed++ {
		o := openOffice(t, seed)
		o.patiently(func() error { return o.MailLink(o.ctx(), address(t, adaAddress), "en", "192.0.2.1") })
		for range 40 {
			o.pass(time.Minute)
			o.sweep()
		}
		keys := map[string]bool{}
		for _, l := range o.post.sent() {
			keys[l.key] = true
		}
		// The call itself may have been repeated.
		if len(keys) < 1 || len(keys) > 3 || len(o.errands()) != 0 {
			t.Errorf("seed %d: %d letters, left %v", seed, len(keys), o.errands())
		}
	}
}
