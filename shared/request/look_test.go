package request

import (
	"fmt"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

var account = personal.MakeIdentity(personal.KindAccount, "a-1")

func TestATieOnTheFirstOfManyPagesLetsTheLookBeginAnew(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	d.shop.put(5, "support_mail", email, d.clock().AddDate(0, -1, 0))
	id := d.verified(asks(policy.Erasure))
	r := d.until(id, "the sources were asked", func(r Request) bool { return r.Status == InProgress && r.asked() })
	want := map[string]int{"account": 1, "orders": 3, "access_log": 5, "support_mail": 5, "subscriptions": 3, "reading_history": 2}
	for category, n := range want {
		if got := r.step(category).Found; got != n {
			t.Errorf("%d of %s were found, want %d; looks %+v", got, category, n, r.Looks)
		}
	}
}

func TestALookThatFailsIsNoLookThatFoundNothing(t *testing.T) {
	t.Parallel()
	d := furnished(t, byEmail)
	d.shop.fail = func(string) error { return fmt.Errorf("%w: closed", source.ErrLater) }
	id := d.verified(asks(policy.Erasure, func(s *Submission) { s.Person.Claims = []personal.Identity{account} }))
	r := d.until(id, "the look failed", func(r Request) bool { return r.look("shop").State == Failed })
	for _, s := range r.Steps {
		if s.Source == "shop" && s.State != Failed {
			t.Errorf("%s, which nobody could look at, is %s", s.Category, s.State)
		}
	}
	v, err := d.Follow(t.Context(), id, d.session(id, 1))
	if err != nil || len(v.Ignored) > 0 {
		t.Errorf("%v, %d claims are told to be tied by nothing, though a source was not asked", err, len(v.Ignored))
	}
	d.pass(10 * 24 * time.Hour)
	d.sweep()
	if r := d.get(id); r.Status != InProgress {
		t.Errorf("with a source that nobody could look at, it is %s", r.Status)
	}
}

// Another source's look fails for hours; meanwhile the others are worked on.
func TestALookRetriedLateAddsToThePlan(t *testing.T) {
	t.Parallel()
	for name, pages := range map[string]int{"while a step is half done": 1, "when the other steps are over": 99} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := furnished(t, byEmail)
			old := d.clock().AddDate(0, -1, 0)
			d.letters.put(4, "subscriptions", email, old)
			d.letters.put(1, "reading_history", email, old)
			closed := true
			d.shop.fail = func(string) error {
				if closed {
					return fmt.Errorf("%w: closed", source.ErrRefused)
				}
				return nil
			}
			done := 0
			d.letters.fail = func(what string) error {
				if what == "execute" && closed {
					if done++; done > pages {
						return fmt.Errorf("%w: enough", source.ErrRefused)
					}
				}
				return nil
			}
			id := d.verified(asks(policy.Erasure))
			d.until(id, "the shop could not be asked", func(r Request) bool { return r.look("shop").State == Failed })
			d.working(id)
			for range 20 {
				d.sweep()
				d.pass(10 * time.Minute)
			}
			closed = false
			if _, err := d.Retry(t.Context(), handler, id, Call{}); err != nil {
				t.Fatal(err)
			}
			r := d.ends(id)
			if r.Status != Fulfilled {
				t.Fatalf("it is %s: %+v", r.Status, r.Steps)
			}
			for _, c := range []string{"subscriptions", "reading_history"} {
				if n := d.letters.left(c); n > 0 {
					t.Errorf("%d of %s are left: %+v", n, c, r.step(c))
				}
				effects := 0
				for _, x := range d.letters.things {
					if x.category == c {
						effects += x.effects
					}
				}
				if r.step(c).Done != effects {
					t.Errorf("of %s %d are gone and %d are told", c, effects, r.step(c).Done)
				}
			}
			for _, x := range d.letters.things {
				if x.effects > 1 {
					t.Errorf("%s was touched %d times", x.id, x.effects)
				}
			}
		})
	}
}

func TestALookRetriedLateAddsToThePackage(t *testing.T) {
	t.Parallel()
	d := furnished(t, byEmail)
	d.letters.put(3, "subscriptions", email, d.clock().AddDate(0, -1, 0))
	closed := true
	d.shop.fail = func(string) error {
		if closed {
			return fmt.Errorf("%w: closed", source.ErrRefused)
		}
		return nil
	}
	id := d.verified(asks(policy.Access))
	d.until(id, "the newsletter was copied", func(r Request) bool {
		return r.look("shop").State == Failed && r.step("subscriptions").State == Done
	})
	closed = false
	if _, err := d.Retry(t.Context(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	r := d.ends(id)
	if r.Status != Fulfilled || r.step("subscriptions").Done != 6 || r.step("reading_history").Done != 2 {
		t.Errorf("it is %s with %+v", r.Status, r.Steps)
	}
}

func TestARetryWhileALookIsUnderWayIsNotLost(t *testing.T) {
	t.Parallel()
	d := furnished(t, byEmail)
	d.shop.fail = func(string) error { return fmt.Errorf("%w: closed", source.ErrRefused) }
	id := d.verified(asks(policy.Erasure))
	once := false
	d.letters.during = func(string) {
		if once {
			return
		}
		once = true
		d.shop.fail = nil
		if _, err := d.Retry(t.Context(), handler, id, Call{}); err != nil {
			t.Error(err)
		}
	}
	r := d.until(id, "the sources were asked", func(r Request) bool { return r.Status == InProgress && r.asked() })
	if r.look("shop").State != Done {
		t.Errorf("after the retry the look at the shop is %s", r.look("shop").State)
	}
}

func TestEveryLookIsAskedUnderAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	d := furnished(t, byHandOnly)
	d.shop.put(5, "support_mail", email, d.clock().AddDate(0, -1, 0))
	id := d.verified(asks(policy.Erasure))
	ctx := t.Context()
	dry := func() {
		t.Helper()
		if _, err := d.DryRun(d.ctx(), handler, id, Call{}); err != nil {
			t.Fatal(err)
		}
		r := d.until(id, "the dry run is over", func(r Request) bool { return len(r.Steps) > 0 && r.asked() })
		for _, l := range r.Looks {
			if l.State != Done {
				t.Fatalf("the look at %s is %s: %s", l.Source, l.State, l.Fault)
			}
		}
	}
	dry()
	d.pass(time.Minute)
	dry()
	d.pass(2 * planLife) // too old to approve
	if _, err := d.Accept(ctx, handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	pages := 0
	d.shop.fail = func(what string) error {
		if pages++; what == "find" && pages == 2 {
			return fmt.Errorf("%w: half way", source.ErrRefused)
		}
		return nil
	}
	d.until(id, "the look failed half way", func(r Request) bool { return r.look("shop").State == Failed })
	if _, err := d.Retry(ctx, handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	if r := d.ends(id); r.Status != Fulfilled {
		t.Errorf("it is %s", r.Status)
	}
}

func TestADryRunThatCannotLookSaysSo(t *testing.T) {
	t.Parallel()
	d := furnished(t, byHandOnly)
	id := d.verified(asks(policy.Erasure))
	d.shop.fail = func(string) error { return fmt.Errorf("%w: closed", source.ErrRefused) }
	if _, err := d.DryRun(t.Context(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	r := d.until(id, "the dry run is over", func(r Request) bool { return r.asked() })
	if r.Status != Open || r.look("shop").State != Failed || r.step("account").State != Failed {
		t.Fatalf("it is %s with looks %+v and steps %+v", r.Status, r.Looks, r.Steps)
	}
	if _, err := d.Accept(t.Context(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	d.shop.fail = nil
	if _, err := d.Retry(t.Context(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	if r := d.ends(id); r.Status != Fulfilled || d.shop.left("account") != 2 { // Grace's
		t.Errorf("it is %s, and %d accounts are left", r.Status, d.shop.left("account"))
	}
}

// byHandOnly has an operator accept erasures.
func byHandOnly(p *policy.Policy) {
	rule := p.Rights[policy.Erasure]
	rule.Automatic = false
	p.Rights[policy.Erasure] = rule
}
