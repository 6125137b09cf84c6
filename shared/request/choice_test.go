package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

var (
	adasMail    = personal.MakeIdentity(personal.KindEmail, ada)
	adasAccount = personal.MakeIdentity(personal.KindAccount, "a-1")
)

// choosing offers every right that is a choice, and has the shop hear of it.
func choosing(p *policy.Policy) {
	for _, right := range []policy.Right{policy.OptOutSale, policy.LimitSensitive, policy.WithdrawConsent} {
		p.Rights[right] = policy.RightRule{Residences: []string{policy.Everywhere}, TaskDays: 5, Proof: []law.Proof{law.NoProof}, Extension: true}
		p.Sources[0].Hears = append(p.Sources[0].Hears, right)
	}
	p.Consents = append(
		p.Consents, policy.Consent{Purpose: "newsletter"}, policy.Consent{Purpose: "answer"},
		policy.Consent{Purpose: "sell_books", Required: true, Loss: policy.Text{"en": "Nothing can be sold."}},
	)
}

// another has the letters hear as well; they know nobody by an address.
func another(p *policy.Policy) { p.Sources[1].Hears = p.Sources[0].Hears }

// untied has nobody say whose account an address is of.
func untied(p *policy.Policy) { p.Sources[0].HTTP.Ties = nil }

func keyed(key string) func(*Submission) { return func(s *Submission) { s.Call.Key = key } }

func TestAChoiceTakesEffectWithTheRequest(t *testing.T) {
	t.Parallel()
	for right, test := range map[policy.Right]struct {
		change func(*Submission)
		stands string
		choice source.Choice
		facts  string
	}{
		policy.OptOutSale:      {from("US-CA"), "opt_out_sale", source.Choice{Right: "opt_out_sale", On: true}, " switched_on=opt_out_sale"},
		policy.LimitSensitive:  {from("US-CA"), "limit_sensitive", source.Choice{Right: "limit_sensitive", On: true}, " switched_on=limit_sensitive"},
		policy.WithdrawConsent: {from("FR"), "everything", source.Choice{Right: "withdraw_consent", On: true}, " withdrawn=everything"},
	} {
		t.Run(string(right), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, choosing)
			rec, err := d.Submit(d.ctx(), asks(right, test.change))
			if err != nil || rec.Status != Open {
				t.Fatalf("%+v, %v", rec, err)
			}
			if got := d.book.stands(adasMail); got != test.stands || len(d.shop.chosen) > 0 {
				t.Errorf("at once %q stands, want %q; the shop was told %d times", got, test.stands, len(d.shop.chosen))
			}
			if !slices.Contains(d.woken, rec.ID) {
				t.Error("nobody is called to tell it")
			}
			if err := d.Work(d.ctx(), rec.ID); err != nil {
				t.Fatal(err)
			}
			r := d.ends(rec.ID)
			if r.Status != Fulfilled || r.Proof.Proven() {
				t.Errorf("it ends as %s, proven %v", r.Status, r.Proof)
			}
			if len(d.shop.chosen) != 1 {
				t.Fatalf("the shop was told %d times", len(d.shop.chosen))
			}
			o := d.shop.chosen[0]
			if fmt.Sprint(o.Choice) != fmt.Sprint(test.choice) || !slices.Equal(o.Identities, []personal.Identity{adasMail}) || !o.Until.Equal(r.Switched) || o.Until.IsZero() {
				t.Errorf("the shop was told %+v of %d identities, chosen %v", o.Choice, len(o.Identities), o.Until)
			}
			said := d.told(rec.ID)
			if !strings.HasSuffix(said[0], test.facts) || len(said) != 4 || said[1] != "accept status=in_progress" ||
				said[2] != "work source=shop category= verb=choose state=done done=1" || said[3] != "fulfil status=fulfilled" {
				t.Errorf("the audit tells\n%s", strings.Join(said, "\n"))
			}
			if got := d.book.entries(adasMail); len(got) != 1 || !strings.HasSuffix(got[0], " for "+string(rec.ID)) {
				t.Errorf("the book has %q", got)
			}
			if got := d.post.subjects(); !slices.Equal(got, []string{ada + ": Example Books has your request", ada + ": Example Books has done what you asked"}) {
				t.Errorf("mails %q", got)
			}
			if last := d.post.mails[len(d.post.mails)-1].Text.Reveal(); !strings.Contains(last, "Was told of your choice, and obeys it") ||
				!strings.Contains(last, "until you c") || strings.Contains(last, "found nothing") {
				t.Errorf("the last mail says\n%s", last)
			}
			d.chains()
		})
	}
}

// A source that a choice cannot be told to by a program is told by a person.
func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t, choosing, func(p *policy.Policy) { p.Sources[0].Hears = nil })
	if r := d.ends(d.submit(asks(policy.OptOutSale, from("US-CA")))); r.Status != Fulfilled || len(r.Steps) > 0 || len(d.shop.chosen) > 0 {
		t.Errorf("where nobody hears of it: %s, %+v", r.Status, r.Steps)
	}

	// The letters know people by the account that the shop ties to an address.
	d = furnished(t, choosing, another)
	d.letters.fail = func(string) error { return source.ErrLater }
	id := d.submit(asks(policy.OptOutSale, from("US-CA")))
	d.until(id, "the letters did not hear", func(r Request) bool { return len(r.Steps) == 2 && r.Steps[1].Tries == 2 })
	d.letters.fail = nil
	if r := d.ends(id); r.Status != Fulfilled || r.Ties != nil || len(d.letters.chosen) != 1 || !slices.Equal(d.letters.chosen[0].Identities, []personal.Identity{adasAccount}) {
		t.Errorf("%s; the letters were told %d times", r.Status, len(d.letters.chosen))
	}
	if got := d.Outcome(d.get(id), "en"); got[1].Outcomes[0].Result != "told" {
		t.Errorf("%+v", got)
	}
	d = newDesk(t, choosing, another) // nobody knows Ada
	if r := d.ends(d.submit(asks(policy.OptOutSale, from("US-CA")))); r.Status != Fulfilled || r.Steps[1].State != Nothing || len(d.letters.chosen) > 0 {
		t.Errorf("%s: %+v", r.Status, r.Steps)
	}
	d = newDesk(t, choosing, another)
	d.shop.fail = func(what string) error {
		if what == "find" {
			return source.ErrLater
		}
		return nil
	}
	id = d.submit(asks(policy.OptOutSale, from("US-CA")))
	if r := d.until(id, "nobody could say who it is", func(r Request) bool { return len(r.Steps) == 2 && r.Steps[1].Tries == 2 }); r.Steps[1].State != Planned {
		t.Errorf("could not look reads as %+v", r.Steps[1])
	}

	d = newDesk(t, choosing, another, untied)
	id = d.submit(asks(policy.OptOutSale, from("US-CA")))
	r := d.until(id, "a person is asked", func(r Request) bool { return len(r.Steps) == 2 && r.Steps[1].State == Waiting })
	if r.Steps[0].State != Done || r.Steps[1].Verb != DoByHand || !r.Steps[1].Due.Equal(d.clock().AddDate(0, 0, 5)) {
		t.Errorf("%+v", r.Steps)
	}
	if out := d.Outcome(r, "en"); len(out) != 2 || out[0].Outcomes[0].Result != "told" || out[1].Outcomes[0].Result != "waiting" {
		t.Errorf("%+v", out)
	}
	if _, err := d.TaskDone(d.ctx(), handler, Task(id, 1), Decision{}, Call{}); err != nil {
		t.Fatal(err)
	}
	if r := d.ends(id); r.Status != Fulfilled || len(d.letters.chosen) > 0 {
		t.Errorf("%s", r.Status)
	}
}

// A source that does not answer is told again; one that will not is an operator's.
func TestASourceThatDoesNotHear(t *testing.T) {
	t.Parallel()
	d := newDesk(t, choosing)
	d.shop.fail = func(string) error { return source.ErrLater }
	id := d.submit(asks(policy.OptOutSale, from("US-CA")))
	r := d.until(id, "it was tried", func(r Request) bool { return len(r.Steps) == 1 && r.Steps[0].Tries > 2 })
	if out := d.Outcome(r, "en"); out[0].Outcomes[0].Result != "to_tell" {
		t.Errorf("%+v", out)
	}
	if got := d.book.stands(adasMail); got != "opt_out_sale" {
		t.Errorf("meanwhile %q stands", got)
	}
	d.shop.fail = func(string) error { return source.ErrRefused }
	d.until(id, "it failed", func(r Request) bool { return r.Steps[0].State == Failed })
	d.shop.fail = nil
	if _, err := d.Retry(d.ctx(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	if r := d.ends(id); r.Status != Fulfilled || len(d.shop.chosen) != 1 {
		t.Errorf("%s, told %d times", r.Status, len(d.shop.chosen))
	}
}

// same reports whether two receipts say the same.
func (r Receipt) same(x Receipt) bool {
	return r.ID == x.ID && r.Status == x.Status && r.Received.Equal(x.Received) && r.RespondBy.Equal(x.RespondBy) && r.SafeBy.Equal(x.SafeBy)
}

func TestARepeatedChoice(t *testing.T) {
	t.Parallel()
	d := newDesk(t, choosing)
	submission := asks(policy.OptOutSale, from("US-CA"))
	first, err := d.Submit(d.ctx(), submission)
	if err != nil {
		t.Fatal(err)
	}
	d.ends(first.ID)
	d.book.change(adasMail, map[policy.Stop]bool{policy.SaleOptOut: false})
	for range 3 {
		again, err := d.Submit(d.ctx(), submission)
		if err != nil || !again.same(first) {
			t.Errorf("%+v, %v; want %+v again", again, err, first)
		}
	}
	if got := d.book.stands(adasMail); got != "" {
		t.Errorf("a repetition switched %q on, which the person had switched off since", got)
	}
	submission.Call.Body = "something else"
	if _, err := d.Submit(d.ctx(), submission); !errors.Is(err, ErrReplay) {
		t.Errorf("another body: %v", err)
	}
	d.submit(asks(policy.OptOutSale, from("US-CA"), keyed("second")))
	third := d.submit(asks(policy.OptOutSale, from("US-CA"), keyed("third")))
	if said := d.told(third)[0]; !strings.HasSuffix(said, " stood_already=opt_out_sale") {
		t.Errorf("the audit tells %q", said)
	}
	if got := d.book.entries(adasMail); len(got) != 3 {
		t.Errorf("the book has %q; want on, off, on", got)
	}
}

// What others do to the same person's choices meanwhile is not overwritten, and
// makes no second request.
func TestAChoiceIsDecidedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, choosing)
	d.book.between = func() { d.book.change(adasMail, map[policy.Stop]bool{policy.GPC: true}) }
	id := d.submit(asks(policy.OptOutSale, from("US-CA")))
	if got := d.book.stands(adasMail); got != "gpc opt_out_sale" || len(d.book.entries(adasMail)) != 2 {
		t.Errorf("%q stands, after %q", got, d.book.entries(adasMail))
	}
	d.book.between = func() { d.book.change(adasMail, map[policy.Stop]bool{policy.SensitiveLimit: true}) }
	other := d.submit(asks(policy.LimitSensitive, from("US-CA")))
	if said := d.told(other)[0]; !strings.HasSuffix(said, " stood_already=limit_sensitive") || !d.get(other).Switched.IsZero() {
		t.Errorf("somebody else was faster, and the audit tells %q", said)
	}
	d.book.between = func() { d.submit(asks(policy.WithdrawConsent, keyed("both"))) }
	if again := d.submit(asks(policy.WithdrawConsent, keyed("both"))); len(d.book.entries(adasMail)) != 4 {
		t.Errorf("two calls with one key made %s of %q", again, d.book.entries(adasMail))
	}
	d.ends(id)

	objection := d.submit(asks(policy.Objection))
	d.book.between = func() { d.book.change(adasMail, map[policy.Stop]bool{policy.SaleOptOut: false}) }
	if _, err := d.VerifyLink(d.ctx(), d.linkToken(objection, VerifyLink, d.get(objection).Proof), Call{Key: "v"}); err != nil {
		t.Fatal(err)
	}
	if got := d.book.stands(adasMail); got != "everything gpc limit_sensitive marketing_opt_out objection" {
		t.Errorf("%q stands", got)
	}
	d.chains()
}

func TestWhatCanBeWithdrawn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, choosing)
	for name, c := range map[string]struct {
		right    policy.Right
		purposes []string
		want     string
	}{
		"an unknown purpose":       {policy.WithdrawConsent, []string{"newsletter", "world_domination"}, "/purposes/1 must be a purpose that people choose about"},
		"one nobody chooses about": {policy.WithdrawConsent, []string{"keep_accounts"}, "/purposes/0 must be a purpose that people choose about"},
		"one that is required":     {policy.WithdrawConsent, []string{"sell_books"}, "/purposes/0 cannot be refused while the service is used: Nothing can be sold."},
		"with another right":       {policy.OptOutSale, []string{"newsletter"}, "/purposes goes with the right withdraw_consent only"},
		"too many":                 {policy.WithdrawConsent, make([]string, 101), "/purposes must have at most 100 entries"},
	} {
		_, err := d.Submit(d.ctx(), asks(c.right, func(s *Submission) { s.Purposes = c.purposes }))
		if got := fieldsOf(err); !strings.Contains(got, c.want) {
			t.Errorf("%s: %v %q, want %q", name, err, got, c.want)
		}
	}
	id := d.submit(asks(policy.WithdrawConsent, func(s *Submission) { s.Purposes = []string{"newsletter", "answer", "newsletter"} }))
	if got := d.book.stands(adasMail); got != "answer newsletter" {
		t.Errorf("%q is withdrawn", got)
	}
	d.ends(id)
	if c := d.shop.chosen[0].Choice; !slices.Equal(c.Purposes, []string{"answer", "newsletter"}) {
		t.Errorf("the shop was told %+v", c)
	}
	if said := d.told(id)[0]; !strings.HasSuffix(said, " withdrawn=answer newsletter") {
		t.Errorf("the audit tells %q", said)
	}
}

func TestAChoiceThatIsDenied(t *testing.T) {
	t.Parallel()
	deny := func(d *desk, id ID) error {
		_, err := d.Deny(d.ctx(), handler, id, "suspected_fraud", Call{})
		return err
	}
	d := newDesk(t, choosing)
	id := d.submit(asks(policy.OptOutSale, from("US-CA")))
	if err := deny(d, id); err != nil || d.book.stands(adasMail) != "" {
		t.Errorf("%v, and %q stands", err, d.book.stands(adasMail))
	}
	if said := d.told(id); !strings.HasSuffix(said[1], " switched_off=opt_out_sale") {
		t.Errorf("the audit tells %q", said)
	}
	d.ends(id)
	if len(d.shop.chosen) > 0 {
		t.Error("the shop was told of a choice that was denied")
	}

	d.book.change(adasMail, map[policy.Stop]bool{policy.SaleOptOut: true})
	id = d.submit(asks(policy.OptOutSale, from("US-CA"), keyed("2")))
	if err := deny(d, id); err != nil || d.book.stands(adasMail) != "opt_out_sale" {
		t.Errorf("%v; what stood before the request was taken off with it: %q stands", err, d.book.stands(adasMail))
	}

	// A withdrawal stays: nobody consents by being disbelieved.
	id = d.submit(asks(policy.WithdrawConsent, keyed("3")))
	if err := deny(d, id); err != nil || d.book.stands(adasMail) != "everything opt_out_sale" {
		t.Errorf("%v, and %q stands", err, d.book.stands(adasMail))
	}

	d = newDesk(t, choosing, another, untied)
	id = d.submit(asks(policy.OptOutSale, from("US-CA")))
	d.shop.during = func(string) {
		if err := deny(d, id); !errors.Is(err, ErrBusy) {
			t.Errorf("while the shop is being told: %v", err)
		}
	}
	d.until(id, "the shop was told", func(r Request) bool { return len(r.Steps) == 2 && r.Steps[1].State == Waiting })
	if err := deny(d, id); !errors.Is(err, ErrObeyed) || d.book.stands(adasMail) != "opt_out_sale" {
		t.Errorf("once the shop was told: %v, and %q stands", err, d.book.stands(adasMail))
	}

	d = newDesk(t, choosing)
	d.shop.fail = func(string) error { return source.ErrLater }
	id = d.submit(asks(policy.OptOutSale, from("US-CA")))
	d.until(id, "it may have been told", func(r Request) bool { return len(r.Steps) == 1 && r.Steps[0].Tries == 1 })
	if err := deny(d, id); !errors.Is(err, ErrObeyed) {
		t.Errorf("once the shop may have been told: %v", err)
	}
	d.shop.fail = func(string) error { return source.ErrRefused }
	id = d.submit(asks(policy.LimitSensitive, from("US-CA")))
	d.until(id, "it was refused", func(r Request) bool { return len(r.Steps) == 1 && r.Steps[0].State == Failed })
	if err := deny(d, id); err != nil || d.book.stands(adasMail) != "opt_out_sale" {
		t.Errorf("where the shop refuses: %v, and %q stands", err, d.book.stands(adasMail))
	}
	d.chains()
}

// TestAChoiceIsNotRevoked: every status of every right, by hand: r where the person
// can take the request back.
func TestAChoiceIsNotRevoked(t *testing.T) {
	t.Parallel()
	for _, right := range append(slices.Clone(policy.AllRights), policy.Appeal) {
		want := "rrr...." // in the order of statuses: unverified open in_progress fulfilled denied revoked expired
		if right == policy.OptOutSale || right == policy.LimitSensitive || right == policy.WithdrawConsent {
			want = "......."
		}
		for i, status := range Statuses {
			r := Request{ID: "r1", Right: right, Status: status}
			_, _, err := r.Apply(Revoke, ByPerson, time.Unix(0, 0))
			if can := want[i] == 'r'; r.Can(Revoke) != can || (err == nil) != can {
				t.Errorf("%s, %s: can %v, %v; want %v", right, status, r.Can(Revoke), err, can)
			}
			for _, a := range Actions {
				if _, ok := moves[status][a]; a != Revoke && r.Can(a) != ok {
					t.Errorf("%s, %s: %s is as it is for no other right", right, status, a)
				}
			}
		}
	}
	d := newDesk(t, choosing)
	id := d.submit(asks(policy.OptOutSale, from("US-CA")))
	if _, err := d.Revoke(d.ctx(), id, Call{}); !errors.Is(err, ErrNotNow) || d.book.stands(adasMail) != "opt_out_sale" {
		t.Errorf("%v, and %q stands", err, d.book.stands(adasMail))
	}
}

// proofs are the ways in which an objection becomes somebody's.
var proofs = map[string]func(d *desk) (ID, error){
	"code": func(d *desk) (ID, error) {
		id := d.submit(asks(policy.Objection))
		d.announce(id)
		_, err := d.VerifyCode(d.ctx(), id, d.lastCode(), Call{Key: "v"})
		return id, err
	},
	"link": func(d *desk) (ID, error) {
		id := d.submit(asks(policy.Objection))
		_, err := d.VerifyLink(d.ctx(), d.linkToken(id, VerifyLink, d.get(id).Proof), Call{Key: "v"})
		return id, err
	},
	"operator": func(d *desk) (ID, error) {
		id := d.submit(asks(policy.Objection))
		_, err := d.VerifyByOperator(d.ctx(), handler, id, "called back", Call{Key: "v"})
		return id, err
	},
	"app": func(d *desk) (ID, error) {
		rec, _, err := d.SubmitVerified(d.ctx(), "reader", asks(policy.Objection))
		return rec.ID, err
	},
}

func TestAnObjectionTakesEffectOnceItIsKnownWhoseItIs(t *testing.T) {
	t.Parallel()
	const both = "marketing_opt_out objection"
	for name, prove := range proofs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.submit(asks(policy.Objection, keyed("unverified")))
			if got := d.book.stands(adasMail); got != "" {
				t.Fatalf("before anybody proved anything %q stands", got)
			}
			id, err := prove(d)
			if err != nil || d.book.stands(adasMail) != both {
				t.Fatalf("%v, and %q stands", err, d.book.stands(adasMail))
			}
			if got := d.book.entries(adasMail); len(got) != 1 || got[0] != "marketing_opt_out=true objection=true for "+string(id) {
				t.Errorf("the book has %q", got)
			}
			said := d.told(id)
			if !strings.Contains(said[len(said)-1], " switched_on=objection marketing_opt_out") {
				t.Errorf("the audit tells %q", said)
			}
			again := d.get(id)
			if err := d.Resend(d.ctx(), id); err != nil {
				t.Fatal(err)
			}
			d.pass(time.Hour)
			if err := d.Resend(d.ctx(), id); err != nil {
				t.Fatal(err)
			}
			if _, err := d.VerifyLink(d.ctx(), d.linkToken(id, VerifyLink, d.get(id).Proof), Call{Key: "step up"}); err != nil {
				t.Fatal(err)
			}
			if r := d.get(id); !r.Switched.Equal(again.Switched) || r.Switched.IsZero() || len(d.book.entries(adasMail)) != 1 {
				t.Errorf("a second proof switched again: %v", d.book.entries(adasMail))
			}
			d.chains()
		})
	}
	for name, test := range map[string]struct {
		before map[policy.Stop]bool
		end    func(d *desk, id ID) error
		want   string
	}{
		"denied":                             {nil, denied, "marketing_opt_out"},
		"revoked":                            {nil, revoked, "marketing_opt_out"},
		"granted":                            {nil, granted, both},
		"denied, after another was granted":  {map[policy.Stop]bool{policy.Objected: true}, denied, both},
		"revoked, after another was granted": {map[policy.Stop]bool{policy.Objected: true}, revoked, both},
		"denied, of somebody who wants no marketing": {map[policy.Stop]bool{policy.MarketingOptOut: true}, denied, "marketing_opt_out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			if test.before != nil {
				d.book.change(adasMail, test.before)
			}
			id := d.verified(asks(policy.Objection))
			if err := test.end(d, id); err != nil {
				t.Fatal(err)
			}
			if got := d.book.stands(adasMail); got != test.want {
				t.Errorf("%q stands, want %q", got, test.want)
			}
			if off := strings.Contains(strings.Join(d.told(id), "\n"), " switched_off=objection"); off == strings.Contains(test.want, "objection") {
				t.Errorf("the audit tells %q", d.told(id))
			}
			d.chains()
		})
	}
	d := newDesk(t)
	id := d.submit(asks(policy.Objection))
	if err := denied(d, id); err != nil || d.book.stands(adasMail) != "" || len(d.book.entries(adasMail)) > 0 {
		t.Errorf("denied before it was anybody's: %v, %q", err, d.book.entries(adasMail))
	}
}

func denied(d *desk, id ID) error {
	_, err := d.Deny(d.ctx(), handler, id, "manifestly_unfounded", Call{})
	return err
}

func revoked(d *desk, id ID) error {
	_, err := d.Revoke(d.ctx(), id, Call{})
	return err
}

func granted(d *desk, id ID) error {
	if _, err := d.Accept(d.ctx(), handler, id, Call{}); err != nil {
		return err
	}
	if _, err := d.TaskDone(d.ctx(), handler, Task(id, 0), Decision{}, Call{}); err != nil {
		return err
	}
	d.ends(id)
	return nil
}

func TestARestrictionTakesEffectWhenItIsGranted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(*desk, ID) error
		want string
	}{"granted": {granted, "restriction"}, "denied": {denied, ""}, "revoked": {revoked, ""}} {
		d := newDesk(t)
		id := d.verified(asks(policy.Restriction))
		if got := d.book.stands(adasMail); got != "" {
			t.Errorf("before anybody weighed it %q stands", got)
		}
		d.book.between = func() { d.book.change(adasMail, map[policy.Stop]bool{policy.GPC: true}) } // as the answer is given
		if err := test.end(d, id); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(strings.ReplaceAll(d.book.stands(adasMail), "gpc", "")); got != test.want {
			t.Errorf("%s: %q stands, want %q", name, got, test.want)
		}
		if said := d.told(id); test.want != "" && said[len(said)-1] != "fulfil status=fulfilled switched_on=restriction" {
			t.Errorf("the audit tells %q", said)
		}
		d.chains()
	}
}

// signedIn is what the company's app submits.
func signedIn(right policy.Right, change ...func(*Submission)) Submission {
	return asks(right, append([]func(*Submission){func(s *Submission) { s.Account = adasAccount }}, change...)...)
}

func TestAnAppSubmitsForWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	d := furnished(t, choosing, another)
	rec, p, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Access))
	if err != nil || rec.Status != Open || p.Status != Open {
		t.Fatalf("%+v, %+v, %v", rec, p, err)
	}
	r, _, err := d.Authorize(d.ctx(), rec.ID, p.Token)
	if err != nil || r.Proof.By != "app" || r.Proof.Times != 1 || !slices.Contains(d.woken, rec.ID) {
		t.Errorf("%+v, %v", r.Proof, err)
	}
	for range 2 {
		if again, p2, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Access)); err != nil || !again.same(rec) || p2 != p {
			t.Errorf("again %+v, %v, %v; want %+v, %v", again, p2, err, rec, p)
		}
		d.pass(time.Minute)
	}
	if _, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Access, func(s *Submission) { s.Call.Body = "x" })); !errors.Is(err, ErrReplay) {
		t.Errorf("another body: %v", err)
	}
	if r := d.ends(rec.ID); r.Status != Fulfilled || r.Package == nil {
		t.Errorf("%s", r.Status)
	}
	if got := d.post.subjects(); len(got) != 2 || got[0] != ada+": Example Books has your request" {
		t.Errorf("mails %q", got)
	}
	if strings.Contains(d.post.mails[0].Text.Reveal(), "code") {
		t.Errorf("a code is mailed to who needs none:\n%s", d.post.mails[0].Text.Reveal())
	}
	if said := d.told(rec.ID); !strings.HasPrefix(said[0], "receive ") || !strings.HasSuffix(said[0], " by=app") {
		t.Errorf("the audit tells %q", said)
	}
	for b, err := range d.entries(d.ctx(), rec.ID.Chain(), 1) {
		if e := decodeEntry(t, b); err != nil || e.Actor != "app:reader" {
			t.Errorf("the actor is %q, %v", e.Actor, err)
		}
	}

	// Nothing that anybody can send gets at what an app submitted, or the other way round.
	public, err := d.Submit(d.ctx(), signedIn(policy.Erasure))
	if err != nil || d.get(public.ID).Ties != nil || d.get(public.ID).Status != Unverified {
		t.Errorf("an account that nobody vouches for counts: %+v, %v", public, err)
	}
	mine, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Erasure))
	other, _, err2 := d.SubmitVerified(d.ctx(), "shop", signedIn(policy.Erasure))
	if err != nil || err2 != nil || mine.ID == public.ID || mine.ID == other.ID {
		t.Errorf("%s %s %s, %v, %v", public.ID, mine.ID, other.ID, err, err2)
	}
	for name, account := range map[string]personal.Identity{
		"another kind": adasMail, "no value": personal.MakeIdentity(personal.KindAccount, " "), "too long": personal.MakeIdentity(personal.KindAccount, strings.Repeat("a", 257)),
	} {
		_, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Access, keyed(name), func(s *Submission) { s.Account = account }))
		if got := fieldsOf(err); !strings.Contains(got, "/account") {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.chains()
}

// The account that an app vouches for counts in the sources and for the choices.
func TestAnAppsAccountCounts(t *testing.T) {
	t.Parallel()
	d := newDesk(t, choosing, another)
	d.letters.put(3, "subscriptions", adasAccount, d.clock().AddDate(0, -1, 0))
	rec, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Erasure))
	if err != nil {
		t.Fatal(err)
	}
	if r := d.ends(rec.ID); r.Status != Fulfilled || d.letters.left("subscriptions") != 0 {
		t.Errorf("%s, %d are left", r.Status, d.letters.left("subscriptions"))
	}

	out, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.OptOutSale, from("US-CA")))
	if err != nil || d.book.stands(adasMail) != "opt_out_sale" || d.book.stands(adasAccount) != "opt_out_sale" {
		t.Errorf("%v; %q and %q", err, d.book.stands(adasMail), d.book.stands(adasAccount))
	}
	if r := d.ends(out.ID); r.Status != Fulfilled || len(d.letters.chosen) != 1 || !slices.Equal(d.letters.chosen[0].Identities, []personal.Identity{adasAccount}) {
		t.Errorf("%s, the letters were told %d times", r.Status, len(d.letters.chosen))
	}

	d = newDesk(t)
	d.book.one = map[personal.Identity]personal.Identity{adasAccount: adasMail}
	rec, _, err = d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Objection))
	if err != nil || d.book.stands(adasAccount) != "marketing_opt_out objection" || len(d.book.entries(adasMail)) != 1 {
		t.Errorf("of a person known by both: %v, %q", err, d.book.entries(adasMail))
	}
	if err := denied(d, rec.ID); err != nil || d.book.stands(adasMail) != "marketing_opt_out" || len(d.book.entries(adasMail)) != 2 {
		t.Errorf("denied: %v, %q", err, d.book.entries(adasMail))
	}
	fix, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Rectification, corrects("email", "ada@example.net")))
	if err != nil {
		t.Fatal(err)
	}
	if r := d.get(fix.ID); r.NewAddress == nil || r.NewAddress.Issued != 1 || r.NewAddress.Proven() {
		t.Errorf("a new address is taken on the app's word: %+v", r.NewAddress)
	}
}

func TestAnAppWritesNobodyTooOften(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i := range 2 * d.Policy.Verification.MailsPerDay {
		rec, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Restriction, keyed(fmt.Sprint(i))))
		if err != nil {
			t.Fatal(err)
		}
		d.announce(rec.ID)
	}
	if len(d.post.mails) != d.Policy.Verification.MailsPerDay {
		t.Errorf("%d mails", len(d.post.mails))
	}
}

// A stranger who opts out costs what somebody known does, and is told the same.
func TestChoicesOfStrangersAreLikeOthers(t *testing.T) {
	t.Parallel()
	d := furnished(t, choosing)
	d.submit(asks(policy.Access))
	d.pass(aDay)
	spent := func(email string) []table.Op {
		var m table.Meter
		_, err := d.Submit(table.WithMeter(d.ctx(), &m), asks(policy.OptOutSale, from("US-CA"), func(s *Submission) {
			s.Person.Email, _ = personal.ParseEmail(email)
			s.From = "192.0.2." + fmt.Sprint(len(email)) // the first of the hour costs less
		}))
		if err != nil {
			t.Fatal(err)
		}
		return m.Ops()
	}
	if known, unknown := spent(ada), spent("nobody@example.org"); !slices.Equal(known, unknown) {
		t.Errorf("known %+v\nunknown %+v", known, unknown)
	}
}

// chose takes a right that takes effect from the form to its end, with the schedules alone.
func chose(d *desk, right policy.Right) story {
	t := d.t
	t.Helper()
	var id ID
	switch right { //nolint:exhaustive // the others take no effect on their own
	case policy.Objection, policy.Restriction:
		patient(d, "submit for who is signed in", func() error {
			rec, _, err := d.SubmitVerified(t.Context(), "reader", signedIn(right))
			id = rec.ID
			return err
		})
		patient(d, "accept", func() error {
			_, err := d.Accept(t.Context(), handler, id, Call{Key: "accept"})
			return err
		})
		if right == policy.Objection {
			patient(d, "deny", func() error {
				_, err := d.Deny(t.Context(), handler, id, "manifestly_unfounded", Call{Key: "deny"})
				return err
			})
		} else {
			patient(d, "done", func() error {
				_, err := d.TaskDone(t.Context(), handler, Task(id, 0), Decision{}, Call{Key: "done"})
				return err
			})
		}
	default:
		patient(d, "submit", func() error {
			rec, err := d.Submit(t.Context(), asks(right, from("US-CA")))
			id = rec.ID
			return err
		})
	}
	r := d.ends(id)
	d.trouble.calm()
	s := story{status: r.Status, mails: d.post.subjects(), effects: map[string]int{"shop": len(d.shop.chosen), "letters": len(d.letters.chosen)}}
	for _, line := range d.told(id) {
		if !strings.Contains(line, "fault=") && !strings.HasPrefix(line, "said ") {
			s.actions = append(s.actions, line)
		}
	}
	for _, who := range []personal.Identity{adasMail, adasAccount} {
		s.outcome += d.book.stands(who) + ": " + strings.ReplaceAll(strings.Join(d.book.entries(who), ", "), string(id), "it") + "\n"
	}
	page, err := d.inner.Query(context.WithoutCancel(d.ctx()), table.Query{Table: table.State, Index: table.Subject, Partition: r.Subject})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("there are %d requests, %v", len(page.Items), err)
	}
	return s
}

// TestACrashAtEveryCallSwitchesOnce does for what takes effect with a request what
// TestACrashAtEveryCallLosesAndRepeatsNothing does for work: whichever call fails, or
// is done and nobody hears of it, there is one request and one entry for each change.
func TestACrashAtEveryCallSwitchesOnce(t *testing.T) {
	t.Parallel()
	for right, status := range map[policy.Right]Status{
		policy.OptOutSale: Fulfilled, policy.WithdrawConsent: Fulfilled, policy.Objection: Denied, policy.Restriction: Fulfilled,
	} {
		t.Run(string(right), func(t *testing.T) {
			t.Parallel()
			calm := furnished(t, choosing, another)
			want := chose(calm, right)
			if want.status != status {
				t.Fatalf("undisturbed it ends as %s", want.status)
			}
			k := calm.trouble.n
			t.Logf("%d calls to the outside; it comes to\n%s", k, want.outcome)
			for i := 1; i <= k; i++ {
				what := calm.trouble.log[i-1]
				for _, lost := range []bool{false, true} {
					if lost && reads(what) {
						continue
					}
					t.Run(fmt.Sprintf("call %d of %d, %s, lost %t", i, k, what, lost), func(t *testing.T) {
						d := furnished(t, choosing, another)
						d.trouble.at, d.trouble.lost = i, lost
						compare(t, want, chose(d, right))
						d.chains()
					})
				}
			}
		})
	}
}

// Whatever the store's kind of trouble, a person is told to come again, and never
// that something of ours is broken.
func TestTroubleWithChoicesIsToldAsBusy(t *testing.T) {
	t.Parallel()
	d := newDesk(t, choosing)
	d.Choices = choicesThat(func() error { return fmt.Errorf("load: %w", table.ErrBusy) })
	_, err := d.Submit(d.ctx(), asks(policy.OptOutSale, from("US-CA")))
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a busy store: %v", err)
	}
	d.Choices = choicesThat(func() error { return nil })
	id := d.submit(asks(policy.OptOutSale, from("US-CA")))
	if said := d.told(id)[0]; !strings.HasSuffix(said, " stood_already=opt_out_sale") {
		t.Errorf("%q", said)
	}
	objection := d.submit(asks(policy.Objection))
	d.Choices = choicesThat(func() error { return table.ErrUnknown })
	for name, call := range map[string]func() error{
		"verify": func() error {
			_, err := d.VerifyLink(d.ctx(), d.linkToken(objection, VerifyLink, d.get(objection).Proof), Call{})
			return err
		},
		"verify by operator": func() error {
			_, err := d.VerifyByOperator(d.ctx(), operator.Identity{ID: "h2", Roles: handler.Roles, MFA: true}, objection, "sure", Call{})
			return err
		},
	} {
		if err := call(); fault.KindOf(err) != fault.Unavailable || d.get(objection).Status != Unverified {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// choicesThat is a Choices in trouble, or one in which everything stands already.
type choicesThat func() error

func (c choicesThat) Stopping(context.Context, personal.Identity, map[policy.Stop]bool, []string, string) ([]table.Write, error) {
	return nil, c()
}
