package closure

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

func TestAnAccountIsClosedByMail(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, token := d.asked()
	if v, verb, err := d.Behind(d.ctx(), token); err != nil || verb != ConfirmLink || v.ID != id || v.Status != Asked {
		t.Fatalf("behind the link: %+v %s %v", v, verb, err)
	}
	if _, ok, err := d.Standing(d.ctx(), email(ada).Identity()); err != nil || ok {
		t.Fatalf("an app sees what nobody confirmed: %v %v", ok, err)
	}
	taken, err := d.Confirm(d.ctx(), token, Call{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if grace := taken.ClosesAt.Sub(d.clock().Truncate(time.Second)); taken.Status != Grace || grace != 14*24*time.Hour || !taken.GoneBy.Equal(taken.ClosesAt.AddDate(0, 0, 30)) {
		t.Errorf("confirmed: %+v", taken)
	}
	if v, err := d.Show(d.ctx(), id, taken.Token); err != nil || v.Status != Grace {
		t.Errorf("shown: %+v, %v", v, err)
	}
	b, ok, err := d.Standing(d.ctx(), email(ada).Identity())
	if err != nil || !ok || b.Status != Grace || !strings.HasPrefix(b.Cancel, "https://desk.example.org/x/") {
		t.Errorf("the banner: %+v %v %v", b, ok, err)
	}
	if len(d.woken) > 0 {
		t.Error("work began before the end of the time to change one's mind")
	}
	c := d.until(id, Closing)
	if !c.ClosesAt.Equal(taken.ClosesAt) || d.clock().Before(taken.ClosesAt) || len(d.woken) == 0 || d.woken[0] != c.Work || d.lives.n != 1 {
		t.Errorf("it closes at %v with the work %v, woken %v", d.clock(), c.Work, d.woken)
	}
	if b, ok, err := d.Standing(d.ctx(), email(ada).Identity()); err != nil || !ok || b.Status != Closing || b.Cancel != "" {
		t.Errorf("the banner: %+v %v %v", b, ok, err)
	}
	if _, err := d.CancelBy(d.ctx(), id, taken.Token, Call{}); !errors.Is(err, ErrTooLate) {
		t.Errorf("it is taken back too late: %v", err)
	}
	d.work.finish()
	d.until(id, Closed)
	if _, ok, err := d.Standing(d.ctx(), email(ada).Identity()); err != nil || ok {
		t.Errorf("the banner stands: %v %v", ok, err)
	}
	if got := d.told(id); got != "ask confirm begin close" {
		t.Errorf("the audit tells %q", got)
	}
	want := []string{"Do you want to close your account with Example Books?", "Your account with Example Books closes soon"}
	if got := d.post.subjects(); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("mails %q", got)
	}
	if text := d.post.mails[0].Text.Reveal(); !strings.Contains(strings.Join(strings.Fields(text), " "), "End your subscription (https://books.example.com/privacy#rights) first.") {
		t.Errorf("it does not say what to settle first:\n%s", text)
	}
	d.pass(3 * 366 * 24 * time.Hour)
	d.sweep()
	if _, err := d.inner.Get(d.ctx(), id.Ref()); !errors.Is(err, table.ErrAbsent) {
		t.Errorf("its record is kept for ever: %v", err)
	}
}

func TestTheWorkKnowsWhomItIsAbout(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := d.until(d.begun().ID, Closing)
	item, err := d.inner.Get(d.ctx(), c.Work.Ref())
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{ada, "a-1"} {
		if strings.Contains(string(item.Body), personal) {
			t.Errorf("the request holds %q in clear", personal)
		}
	}
	if item.Subject != c.Subject {
		t.Error("it is not found by the subject")
	}
	if v := d.view(c); v.Request != c.Work {
		t.Errorf("the view names %q", v.Request)
	}
	if e, err := d.work.Service.Ending(d.ctx(), c.Work); err != nil || e.Status != request.InProgress || e.Over {
		t.Errorf("it is %+v, %v", e, err)
	}
}

func TestWhoAsksLearnsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.begun() // the account is known, and closing
	costs := func(address string) (Receipt, table.Units) {
		var m table.Meter
		s := asks("learn-" + address)
		s.Email = email(address)
		rec, err := d.Ask(table.WithMeter(d.ctx(), &m), s)
		if err != nil {
			t.Fatal(err)
		}
		return rec, m.Total()
	}
	costs("first@example.org") // the first call from a network address in an hour is another one
	known, u1 := costs(ada)
	unknown, u2 := costs("nobody@example.org")
	if u1 != u2 || known.Status != unknown.Status || !known.LapseAt.Equal(unknown.LapseAt) || len(known.ID) != len(unknown.ID) {
		t.Errorf("known %+v %+v, unknown %+v %+v", known, u1, unknown, u2)
	}
}

// Whoever verifies the chain is told that its entries expire together, and counted from when.
func TestTheEntriesOfAClosureExpireTogether(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, _ := d.asked()
	d.pass(time.Hour)
	chains, err := d.Heads(d.ctx(), id.Ref().Key)
	if asked := d.get(id).Asked; err != nil || len(chains) != 1 || !chains[0].Since.Equal(asked) || asked.IsZero() {
		t.Fatalf("%+v, %v", chains, err)
	}
	page, err := d.Table.Query(d.ctx(), table.Query{Table: table.Audit, Partition: id.Chain()})
	if err != nil || len(page.Items) == 0 {
		t.Fatal(err)
	}
	for _, item := range page.Items {
		if want := d.Policy.Retention.Audit.After(chains[0].Since); !item.Expires.Equal(want) {
			t.Errorf("entry %s expires at %s, want %s", item.Key.Sort, item.Expires, want)
		}
	}
}

func TestAskedTwiceItAnswersTheSame(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, err := d.Ask(d.ctx(), asks("same"))
	if err != nil {
		t.Fatal(err)
	}
	d.pass(time.Minute)
	again, err := d.Ask(d.ctx(), asks("same"))
	if err != nil || again.ID != first.ID || again.Status != first.Status || !again.Asked.Equal(first.Asked) {
		t.Errorf("again: %+v, %v", again, err)
	}
	other := asks("same")
	other.Call.Body = "other"
	if _, err := d.Ask(d.ctx(), other); !errors.Is(err, ErrReplay) {
		t.Errorf("another body: %v", err)
	}
	d.relay()
	if len(d.post.mails) != 1 {
		t.Errorf("%d mails", len(d.post.mails))
	}
}

func TestWhatIsRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, change := range map[string]func(*Submission){
		"no address": func(s *Submission) { s.Email = personal.Email{} },
		"a place":    func(s *Submission) { s.Residence = "my house" },
	} {
		s := asks("k")
		change(&s)
		if _, err := d.Ask(d.ctx(), s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := signed("k")
	s.Who = personal.Identity{}
	if _, err := d.Begin(d.ctx(), "shop", s); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nobody: %v", err)
	}
	for n := range d.Policy.Verification.SubmitsPerHour {
		if _, err := d.Ask(d.ctx(), asks(string(rune('a'+n)))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Ask(d.ctx(), asks("one more")); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	d.pass(time.Minute)
	d.relay()
	if n := len(d.post.mails); n != d.Policy.Verification.MailsPerDay {
		t.Errorf("one address got %d mails in a day", n)
	}
	d.Policy.Closure.Offered = false
	d.pass(time.Hour)
	if _, err := d.Ask(d.ctx(), asks("k2")); !errors.Is(err, ErrNotOffered) {
		t.Errorf("not offered: %v", err)
	}
	if _, err := d.Begin(d.ctx(), "shop", signed("k2")); !errors.Is(err, ErrNotOffered) {
		t.Errorf("not offered: %v", err)
	}
}

func TestNobodyPressedTheButton(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, token := d.asked()
	d.pass(d.Policy.Closure.ConfirmWithin)
	if _, err := d.Confirm(d.ctx(), token, Call{}); !errors.Is(err, ErrLinkGone) {
		t.Errorf("the link works: %v", err)
	}
	d.until(id, Lapsed)
	if got := d.told(id); got != "ask lapse" || len(d.post.mails) != 1 {
		t.Errorf("told %q, %d mails", got, len(d.post.mails))
	}
}

func TestTakenBackEverythingIsAsItWas(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*desk) (ID, error){
		"by the mailed link": func(d *desk) (ID, error) {
			taken := d.confirmed()
			d.relay()
			v, err := d.Cancel(d.ctx(), d.post.token(t), Call{Key: "c"})
			if err != nil || v.Status != Cancelled {
				return taken.ID, errors.Join(err, errTrouble)
			}
			_, err = d.Cancel(d.ctx(), d.post.token(t), Call{Key: "c"}) // pressed twice
			return taken.ID, err
		},
		"by who confirmed it": func(d *desk) (ID, error) {
			taken := d.confirmed()
			_, err := d.CancelBy(d.ctx(), taken.ID, taken.Token, Call{Key: "c"})
			return taken.ID, err
		},
		"by who is signed in": func(d *desk) (ID, error) {
			v := d.begun()
			_, err := d.CancelFor(d.ctx(), "shop", adas, Call{Key: "c"})
			return v.ID, err
		},
		"by the link in the banner": func(d *desk) (ID, error) {
			v := d.begun()
			b, _, err := d.Standing(d.ctx(), adas)
			if err == nil {
				_, err = d.Cancel(d.ctx(), strings.TrimPrefix(b.Cancel, "https://desk.example.org/x/"), Call{})
			}
			return v.ID, err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			id, err := way(d)
			if err != nil {
				t.Fatal(err)
			}
			d.pass(time.Minute)
			c := d.until(id, Cancelled)
			for range 5 {
				d.pass(14 * 24 * time.Hour)
				d.sweep()
			}
			if c.Work != "" || len(d.woken) > 0 || d.lives.n > 0 {
				t.Errorf("work was begun: %v %v", c.Work, d.woken)
			}
			for _, who := range []personal.Identity{adas, email(ada).Identity()} {
				if _, ok, err := d.Standing(d.ctx(), who); err != nil || ok {
					t.Errorf("the banner stands for %s: %v %v", who.Kind, ok, err)
				}
			}
			if last := d.post.subjects(); last[len(last)-1] != "Your account with Example Books stays" {
				t.Errorf("mails %q", last)
			}
			if v, err := d.Begin(d.ctx(), "shop", signed("anew")); err != nil || v.Status != Grace || v.ID == id {
				t.Errorf("it can be closed anew: %+v %v", v, err)
			}
		})
	}
}

func TestAnImmediateClosureBeginsWithTheButton(t *testing.T) {
	t.Parallel()
	d := newDesk(t, immediate)
	taken := d.confirmed()
	if taken.Status != Closing || !taken.Immediate || len(d.woken) != 1 || d.lives.n != 1 {
		t.Errorf("%+v, woken %v", taken, d.woken)
	}
	if got := d.told(taken.ID); got != "ask confirm begin" {
		t.Errorf("the audit tells %q", got)
	}
	d.relay()
	if len(d.post.mails) != 1 {
		t.Errorf("mails %q", d.post.subjects())
	}
	if text := d.post.mails[0].Text.Reveal(); !strings.Contains(text, "deleting begins at once") {
		t.Errorf("the mail does not say so:\n%s", text)
	}
}

func TestAnAppThatClosedTheAccountItself(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	v, err := d.ClosedBy(d.ctx(), "shop", signed("k"))
	if err != nil || v.Status != Closing || !v.Immediate {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestAnAccountWithoutAnAddress(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := signed("k")
	s.Email = personal.Email{}
	v, err := d.Begin(d.ctx(), "shop", s)
	if err != nil {
		t.Fatal(err)
	}
	d.until(v.ID, Closing)
	if d.post.calls > 0 {
		t.Error("somebody was written to")
	}
}

func TestTheSameAccountIsClosedOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	v := d.begun()
	for _, key := range []string{"begin-1", "begin-2", ""} {
		again, err := d.Begin(d.ctx(), "shop", signed(key))
		if err != nil || again.ID != v.ID || !again.ClosesAt.Equal(v.ClosesAt) {
			t.Errorf("key %q: %+v, %v", key, again, err)
		}
	}
	d.relay()
	_, token := d.asked()
	if _, err := d.Confirm(d.ctx(), token, Call{}); !errors.Is(err, ErrUnderWay) {
		t.Errorf("by mail: %v", err)
	}
}

func TestARepetitionIsAnsweredAsTheCallWas(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := d.begun()
	if _, err := d.CancelFor(d.ctx(), "shop", adas, Call{}); err != nil {
		t.Fatal(err)
	}
	if again := d.begun(); again != first {
		t.Errorf("begun again: %+v, want %+v", again, first)
	}
	now := newDesk(t, immediate)
	first = now.begun()
	now.work.finish()
	now.until(first.ID, Closed)
	if again := now.begun(); again != first {
		t.Errorf("begun again at once: %+v, want %+v", again, first)
	}
	d.relay()
	_, token := d.asked()
	confirm := func() Taken {
		taken, err := d.Confirm(d.ctx(), token, Call{Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		return taken
	}
	taken := confirm()
	if _, err := d.CancelBy(d.ctx(), taken.ID, taken.Token, Call{}); err != nil {
		t.Fatal(err)
	}
	if again := confirm(); again != taken {
		t.Errorf("confirmed again: %+v, want %+v", again, taken)
	}
}

func TestWhoIsKnownByManyNamesIsNotedInSeveralCommits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i := range 70 {
		d.work.tied = append(d.work.tied, personal.MakeIdentity(personal.KindAccount, "b-"+strconv.Itoa(i)))
	}
	id := d.begun().ID
	d.until(id, Closing)
	d.lives.items = true
	d.work.finish()
	d.until(id, Closed)
	for _, who := range d.work.tied {
		if _, err := d.inner.Get(d.ctx(), lifeRef(who)); err != nil {
			t.Errorf("%s: %v", who.Reveal(), err)
		}
	}
}

func TestALinkActsOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, token := d.asked()
	first, err := d.Confirm(d.ctx(), token, Call{Key: "k", Body: "b"})
	if err != nil {
		t.Fatal(err)
	}
	d.pass(time.Minute)
	if again, err := d.Confirm(d.ctx(), token, Call{Key: "k", Body: "b"}); err != nil || again.Token != first.Token || again.ClosesAt != first.ClosesAt {
		t.Errorf("the same call: %+v, %v", again, err)
	}
	if _, err := d.Confirm(d.ctx(), token, Call{Key: "k", Body: "other"}); !errors.Is(err, ErrReplay) {
		t.Errorf("another body: %v", err)
	}
	if _, err := d.Confirm(d.ctx(), token, Call{Key: "k2"}); !errors.Is(err, ErrLinkGone) {
		t.Errorf("another call: %v", err)
	}
	d.pass(repeatFor)
	if _, err := d.Confirm(d.ctx(), token, Call{Key: "k", Body: "b"}); !errors.Is(err, ErrLinkGone) {
		t.Errorf("later: %v", err)
	}
}

func TestOneTokenIsOneVerb(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, token := d.asked()
	if _, err := d.Cancel(d.ctx(), token, Call{}); !errors.Is(err, ErrBadToken) {
		t.Errorf("a confirming link cancels: %v", err)
	}
	if _, err := d.Show(d.ctx(), id, token); !errors.Is(err, ErrBadToken) {
		t.Errorf("a link shows: %v", err)
	}
	store := &weather{Table: d.inner}
	d.on(store)
	for i := range token {
		forged := []byte(token)
		forged[i] ^= 1
		if _, err := d.Confirm(d.ctx(), string(forged), Call{}); !errors.Is(err, ErrBadToken) {
			t.Errorf("forged at %d: %v", i, err)
		}
	}
	if store.n > 0 {
		t.Errorf("a forged token cost %d calls", store.n)
	}
	if _, err := d.Show(d.ctx(), "c0", d.Mint(Token{ID: id, Verb: Session, Until: d.clock().Add(time.Hour)})); !errors.Is(err, ErrBadToken) {
		t.Errorf("another closure: %v", err)
	}
}

func TestTicksThatComeTwiceTooEarlyOrTooLate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	v := d.begun()
	key := v.ID.Ref().Key
	tick := func(s *Service) {
		t.Helper()
		for range 3 {
			if err := s.Tick(d.ctx(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	tick(d.Service)
	if c := d.get(v.ID); c.Status != Grace {
		t.Fatalf("too early: %s", c.Status)
	}
	d.pass(20 * 24 * time.Hour)
	tick(d.Service)
	first := d.get(v.ID)
	tick(d.Service)
	if c := d.get(v.ID); c.Status != Closing || c.Work != first.Work || d.told(v.ID) != "start begin" || d.lives.n != 1 {
		t.Errorf("twice: %s %s", c.Status, d.told(v.ID))
	}
	if err := d.Tick(d.ctx(), table.Key{Partition: "request#r1", Sort: "-"}); err != nil {
		t.Errorf("another's key: %v", err)
	}
	if err := d.Tick(d.ctx(), ID("c1").Ref().Key); err != nil {
		t.Errorf("nobody's key: %v", err)
	}
	d.pass(10 * 24 * time.Hour)
	tick(d.Service)
	if d.work.asked > 4 {
		t.Errorf("we asked %d times whether the work is over", d.work.asked)
	}
	d.work.finish()
	d.pass(lastLook)
	tick(d.Service)
	if got := d.told(v.ID); got != "start begin close" {
		t.Errorf("told %q", got)
	}
}

func TestMailThatCannotLeaveIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.post.fail = errTrouble
	if _, err := d.Ask(d.ctx(), asks("k")); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		d.relay()
	}
	if d.post.calls < 2 || d.post.calls > 5 {
		t.Errorf("tried %d times", d.post.calls)
	}
	d.post.fail = nil
	d.pass(time.Hour)
	d.relay()
	if len(d.post.mails) != 1 {
		t.Errorf("%d mails", len(d.post.mails))
	}
}

func TestALetterThatIsWithheldIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.post.fail = mail.ErrWithheld
	id := d.begun().ID
	for range 3 {
		d.relay()
		d.pass(time.Hour)
	}
	if c := d.get(id); d.post.calls != 1 || len(c.Announcements) > 0 || d.told(id) != "start withheld" || c.Status != Grace {
		t.Errorf("%d calls, %+v, the audit tells %q", d.post.calls, c.Announcements, d.told(id))
	}
	e := d.entries(id)
	if last := e[len(e)-1]; len(last.Facts) != 1 || last.Facts[0].Name != "mail" || last.Facts[0].Value != string(mail.ClosureBegun) {
		t.Errorf("the entry tells %v", last.Facts)
	}
}

// A hold keeps our own record of a closure, too.
func TestARecordThatIsHeldIsNotForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.confirmed().ID
	if _, err := d.CancelFor(d.ctx(), "shop", email(ada).Identity(), Call{}); err != nil {
		t.Fatal(err)
	}
	d.relay()
	holds := &hold.Service{Table: d.inner, Ring: d.Keys.Ring, Policy: d.Policy, Now: d.clock}
	by := operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	d.pass(d.get(id).Forget.Sub(d.clock()) - 24*time.Hour)
	h, err := holds.Place(d.ctx(), by, hold.Placement{
		Scope: hold.OnPerson, Who: []personal.Identity{email(ada).Identity()}, Basis: hold.LegalClaims, Review: d.clock().AddDate(0, 6, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		d.pass(24 * time.Hour)
		d.sweep()
	}
	if _, err := d.load(d.ctx(), id); err != nil {
		t.Errorf("the record of a closure is gone although the person is held: %v", err)
	}
	if _, err := holds.Release(d.ctx(), by, h.ID, "case-closed", hold.Call{}); err != nil {
		t.Fatal(err)
	}
	d.pass(25 * time.Hour)
	d.sweep()
	if _, err := d.load(d.ctx(), id); !errors.Is(err, ErrNotFound) {
		t.Errorf("the record stays without a hold: %v", err)
	}
}

func TestWhoWasErasedMeanwhileIsNotLookedFor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	v := d.begun()
	c := d.get(v.ID)
	d.destroy(c.Holder)
	d.until(v.ID, Closed)
	if got := d.told(v.ID); got != "start begin close" || len(d.woken) > 0 || len(d.post.mails) > 0 {
		t.Errorf("told %q, woken %v, %d mails", got, d.woken, len(d.post.mails))
	}
	if _, err := d.Show(d.ctx(), v.ID, d.Mint(Token{ID: v.ID, Verb: Session, Until: d.clock().Add(time.Hour)})); err != nil {
		t.Errorf("its record is not shown: %v", err)
	}
}

// destroy takes a salt away, however package seal does it.
func (d *desk) destroy(holder seal.Identifier) {
	d.t.Helper()
	ref := table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(holder), Sort: "-"}}
	item, err := d.inner.Get(d.ctx(), ref)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.inner.Commit(d.ctx(), table.NewID(), table.Delete(ref, table.Version(item.Version))); err != nil {
		d.t.Fatal(err)
	}
}

func TestTheFloorUnderTheTimeToChangeOnesMind(t *testing.T) {
	t.Parallel()
	if policy.MinGrace < 24*time.Hour {
		t.Errorf("a stolen session is enough to destroy an account within %s", policy.MinGrace)
	}
}
