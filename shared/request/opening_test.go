package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

var (
	adas  = personal.MakeIdentity(personal.KindAccount, "a-1")
	grave = time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)
)

// closes is the opening of the closure of Ada's account.
func closes(d *desk, change ...func(*Opening)) Opening {
	email, _ := personal.ParseEmail(ada)
	o := Opening{
		From: "closure#c1", Right: policy.AccountClosure, Who: []personal.Identity{adas}, Email: email,
		Locale: "en", Residence: "FR", RespondBy: d.clock().AddDate(0, 0, 30),
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

// opened opens work.
func (d *desk) opened(o Opening) ID {
	d.t.Helper()
	var id ID
	patient(d, "open", func() error {
		writes, opened, err := d.Opening(d.ctx(), o)
		if id = opened; err != nil || len(writes) == 0 {
			return err
		}
		return unavailable(d.Table.Commit(d.ctx(), table.NewID(), writes...))
	})
	return id
}

// stone is a ledger in memory, in the items of the store.
type stone struct {
	desk  *desk
	tombs []Tomb
	gone  time.Time
}

func (l *stone) Entombing(_ context.Context, t Tomb) (writes []table.Write, facts []audit.Fact, err error) {
	l.tombs = append(l.tombs, t)
	for _, id := range t.Identifiers {
		body, err := json.Marshal(t.From)
		if err != nil {
			return nil, nil, err
		}
		writes = append(writes, table.Put(table.State, table.Item{Key: table.Key{Partition: "erased#" + string(id), Sort: "-"}, Schema: 1, Body: body}, table.New))
	}
	return writes, []audit.Fact{{Name: "erased", Value: fmt.Sprint(len(t.Identifiers))}}, nil
}

func (l *stone) Destroyed(context.Context, seal.Identifier) (time.Time, error) { return l.gone, nil }

// stands reports whether an identity is in the ledger.
func (l *stone) stands(i personal.Identity) bool {
	_, err := l.desk.inner.Get(l.desk.ctx(), table.Ref{Table: table.State, Key: table.Key{Partition: "erased#" + string(l.desk.Keys.Ring.Identifier(i)), Sort: "-"}})
	return err == nil
}

func TestAClosedAccountGoesButForWhatADutyKeeps(t *testing.T) {
	t.Parallel()
	d := furnished(t, func(p *policy.Policy) {
		holdingOf(p, "newsletter", "reading_history").OnClosure = policy.ActionDelete
		p.Sources[0].Backups = policy.Period{Days: 90}
	})
	ledger := &stone{desk: d}
	d.Ledger = ledger
	id := d.opened(closes(d))
	if r := d.get(id); r.Status != InProgress || !r.RespondBy.Equal(d.clock().AddDate(0, 0, 30)) {
		t.Fatalf("it is %+v", r)
	}
	r := d.ends(id)
	if r.Status != Fulfilled || d.shop.left("account") != 2 || d.letters.left("subscriptions") != 0 || d.shop.left("orders") != 3 {
		t.Errorf("it ends %s with %d accounts, %d subscriptions, %d orders", r.Status, d.shop.left("account"), d.letters.left("subscriptions"), d.shop.left("orders"))
	}
	for _, x := range d.letters.things {
		if x.category == "reading_history" && !x.gone {
			t.Error("what is deleted with an account was anonymised")
		}
	}
	said := d.post.subjects()
	if !slices.Equal(said, []string{ada + ": Your account with Example Books is closed"}) {
		t.Fatalf("mails %q", said)
	}
	text := strings.Join(strings.Fields(d.post.mails[0].Text.Reveal()), " ")
	for _, want := range []string{"Orders and invoices: Kept until", "Code de commerce L123-22", "Account: 1 record erased", "a code from which your address cannot be read"} {
		if !strings.Contains(text, want) {
			t.Errorf("the last mail does not say %q:\n%s", want, d.post.mails[0].Text.Reveal())
		}
	}
	told := d.told(id)
	if !strings.Contains(told[0], "open status=in_progress right=account_closure from=closure#c1") || !strings.Contains(told[1], "withdrawn=everything") ||
		!strings.Contains(told[len(told)-1], "fulfil status=fulfilled erased=2") {
		t.Errorf("the audit tells\n%s", strings.Join(told, "\n"))
	}
	for _, line := range told {
		if strings.Contains(line, ada) || strings.Contains(line, "a-1") {
			t.Errorf("the audit holds what is personal: %s", line)
		}
	}
	email, _ := personal.ParseEmail(ada)
	if !ledger.stands(email.Identity()) || !ledger.stands(adas) {
		t.Error("the ledger does not know who was erased")
	}
	tomb := ledger.tombs[len(ledger.tombs)-1]
	if !slices.Contains(tomb.From, From{"shop", "account", policy.ActionDelete}) || slices.ContainsFunc(tomb.From, func(f From) bool { return f.Category == "orders" }) {
		t.Errorf("the tomb says %+v", tomb.From)
	}
	d.chains()
}

func holdingOf(p *policy.Policy, src, category string) *policy.Holding {
	for i := range p.Sources {
		for j := range p.Sources[i].Holdings {
			if h := &p.Sources[i].Holdings[j]; p.Sources[i].ID == src && h.Category == category {
				return h
			}
		}
	}
	return nil
}

func TestWorkIsOpenedOnce(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.opened(closes(d))
	d.pass(time.Hour)
	writes, again, err := d.Opening(d.ctx(), closes(d))
	if err != nil || again != id || len(writes) > 0 {
		t.Errorf("opened again: %s, %d writes, %v", again, len(writes), err)
	}
	other, _, err := d.Opening(d.ctx(), closes(d, func(o *Opening) { o.From = "closure#c2" }))
	if err != nil || len(other) == 0 {
		t.Errorf("another: %d writes, %v", len(other), err)
	}
	for name, change := range map[string]func(*Opening){
		"a right":  func(o *Opening) { o.Right = policy.Erasure },
		"nobody":   func(o *Opening) { o.Who, o.Email = nil, personal.Email{} },
		"by whom?": func(o *Opening) { o.From = "" },
	} {
		if _, _, err := d.Opening(d.ctx(), closes(d, change)); !errors.Is(err, errOpening) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNobodyAsksForWhatWeBegin(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	for _, right := range []policy.Right{policy.AccountClosure, policy.RetentionEnd} {
		if _, err := d.Submit(d.ctx(), asks(right)); !errors.Is(err, ErrNotOffered) {
			t.Errorf("%s: %v", right, err)
		}
	}
	id := d.opened(closes(d))
	r := d.get(id)
	for _, a := range Actions {
		want := a.internal() && moves[InProgress][a] != ""
		if r.Can(a) != want {
			t.Errorf("%s is possible: %t", a, !want)
		}
	}
	if _, err := d.Revoke(d.ctx(), id, Call{}); !errors.Is(err, ErrNotNow) {
		t.Errorf("taken back: %v", err)
	}
	if err := d.Resend(d.ctx(), id); err != nil || len(d.get(id).Announcements) > 0 {
		t.Errorf("a code was mailed: %v", err)
	}
	if v, err := d.Show(d.ctx(), handler, id); err != nil || v.Request.Right != policy.AccountClosure {
		t.Errorf("an operator sees %+v, %v", v.Request.Right, err)
	}
	if cases, _, err := d.Cases(d.ctx(), handler, ""); err != nil || len(cases) > 0 {
		t.Errorf("a law is asked about it: %+v, %v", cases, err)
	}
}

func TestAnAccountWithoutAnAddressIsFoundByItsID(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	ledger := &stone{desk: d}
	d.Ledger = ledger
	id := d.opened(closes(d, func(o *Opening) { o.Email = personal.Email{} }))
	r := d.ends(id)
	if r.Status != Fulfilled || d.letters.left("subscriptions") != 0 || d.post.subjects() != nil || !ledger.stands(adas) {
		t.Errorf("it ends %s with %d subscriptions and mails %q", r.Status, d.letters.left("subscriptions"), d.post.subjects())
	}
	if d.shop.left("account") != 3 {
		t.Error("an address that nobody proved was used")
	}
}

func TestWhatHasOutlivedItsPurposeGoesAndWhatIsNewerStays(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	d.letters.put(1, "subscriptions", adas, d.clock().Add(-time.Hour))
	id := d.opened(closes(d, func(o *Opening) {
		o.From, o.Right, o.Email, o.Until = "life#x", policy.RetentionEnd, personal.Email{}, d.clock().AddDate(0, 0, -7)
		o.Parts = []Part{
			{Source: "newsletter", Category: "subscriptions", Verb: policy.RetireDelete, Rule: "subscriptions"},
			{Source: "newsletter", Category: "reading_history", Verb: policy.RetireAnonymise, Masks: []source.Mask{{Field: "title", How: source.Null}}, Rule: "readings"},
		}
	}))
	r := d.ends(id)
	if r.Status != Fulfilled || d.letters.left("subscriptions") != 1 || d.letters.left("reading_history") != 0 {
		t.Errorf("it ends %s with %d subscriptions and %d readings", r.Status, d.letters.left("subscriptions"), d.letters.left("reading_history"))
	}
	if d.shop.left("account") != 3 || d.shop.left("access_log") != 5 || d.shop.found > 0 || len(r.Steps) != 2 {
		t.Errorf("something else was touched; %d looks, %d steps", d.shop.found, len(r.Steps))
	}
	if _, err := d.CertificateFor(d.ctx(), handler, id); !errors.Is(err, ErrNotCertified) {
		t.Errorf("it is certified as an erasure: %v", err)
	}
	if len(d.post.subjects()) > 0 {
		t.Errorf("mails %q", d.post.subjects())
	}
}

func TestThePersonChoosesBetweenErasureAndAnonymisation(t *testing.T) {
	t.Parallel()
	either := func(p *policy.Policy) { holdingOf(p, "newsletter", "reading_history").Either = true }
	for how, want := range map[How]StepVerb{"": DoAnonymise, ByAnonymisation: DoAnonymise, ByDeletion: DoDelete} {
		d := furnished(t, either)
		r := d.ends(d.verified(asks(policy.Erasure, func(s *Submission) { s.How = how })))
		for _, st := range r.Steps {
			if st.Category == "reading_history" && st.Verb != want || st.Category == "subscriptions" && st.Verb != DoDelete {
				t.Errorf("%q: %s is %s", how, st.Category, st.Verb)
			}
		}
	}
	d := furnished(t, either)
	for name, s := range map[string]Submission{
		"another right": asks(policy.Access, func(s *Submission) { s.How = ByDeletion }),
		"another word":  asks(policy.Erasure, func(s *Submission) { s.How = "shred" }),
	} {
		if _, err := d.Submit(d.ctx(), s); pointed(err) != "/how" {
			t.Errorf("%s: %v", name, err)
		}
	}
	d = furnished(t)
	if _, err := d.Submit(d.ctx(), asks(policy.Erasure, func(s *Submission) { s.How = ByDeletion })); pointed(err) != "/how" {
		t.Errorf("without a choice: %v", err)
	}
}

// pointed is what an error says is wrong.
func pointed(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || len(f.Fields) != 1 {
		return ""
	}
	return f.Fields[0].Pointer
}

// TestManyIdentitiesAreEntombedInSeveralCommits: a commit takes a hundred writes.
func TestManyIdentitiesAreEntombedInSeveralCommits(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	ledger := &stone{desk: d}
	d.Ledger = ledger
	var many []personal.Identity
	for i := range 40 {
		many = append(many, personal.MakeIdentity(personal.KindAccount, fmt.Sprintf("a-%d", i+1)))
	}
	r := d.ends(d.opened(closes(d, func(o *Opening) { o.Who = many })))
	if r.Status != Fulfilled || r.Entombed != 41 {
		t.Fatalf("it ends %s with %d entombed", r.Status, r.Entombed)
	}
	for _, i := range many {
		if !ledger.stands(i) {
			t.Errorf("%s is not in the ledger", i.Reveal())
		}
	}
	for _, tomb := range ledger.tombs {
		if len(tomb.Identifiers) > maxTogether {
			t.Errorf("%d in one commit", len(tomb.Identifiers))
		}
	}
	if last := ledger.tombs[len(ledger.tombs)-1].Identifiers; last[len(last)-1] != r.Holder {
		t.Error("whose salt holds the names of the others is not the last")
	}
}

// closing takes the closure of an account to its end, with the schedules alone.
func closing(d *desk) story {
	d.t.Helper()
	id := d.opened(closes(d))
	r := d.ends(id)
	d.trouble.calm()
	s := story{status: r.Status, mails: d.post.subjects(), effects: map[string]int{}}
	for _, line := range d.told(id) {
		if !strings.Contains(line, "fault=") && !strings.HasPrefix(line, "said ") {
			s.actions = append(s.actions, sealless(line))
		}
	}
	for _, st := range []*store{d.shop, d.letters} {
		for _, x := range st.things {
			s.effects[st.id+" "+x.id] = x.effects
		}
	}
	return s
}

// sealless drops what differs from run to run.
func sealless(line string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(line), func(f string) bool {
		return strings.HasPrefix(f, "person=") || strings.HasPrefix(f, "ties=") || strings.HasPrefix(f, "holder=") || strings.HasPrefix(f, "cutoff=")
	}), " ")
}

func TestACrashAtEveryCallOfAClosedAccountsWork(t *testing.T) {
	t.Parallel()
	calm := furnished(t)
	calm.Ledger = &stone{desk: calm}
	want := closing(calm)
	t.Logf("%d calls to the outside", calm.trouble.n)
	for i := 1; i <= calm.trouble.n; i++ {
		what := calm.trouble.log[i-1]
		for _, lost := range []bool{false, true} {
			if lost && reads(what) {
				continue
			}
			t.Run(fmt.Sprintf("call %d, %s, lost %t", i, what, lost), func(t *testing.T) {
				d := furnished(t)
				d.Ledger = &stone{desk: d}
				d.trouble.at, d.trouble.lost = i, lost
				compare(t, want, closing(d))
				d.chains()
			})
		}
	}
}

func TestWhatIsCertified(t *testing.T) {
	t.Parallel()
	d := furnished(t, func(p *policy.Policy) { p.Sources[0].Backups = policy.Period{Days: 90} })
	ledger := &stone{desk: d}
	d.Ledger = ledger
	id := d.opened(closes(d))
	if _, err := d.CertificateFor(d.ctx(), handler, id); !errors.Is(err, ErrNotCertified) {
		t.Errorf("before it is done: %v", err)
	}
	r := d.ends(id)
	c, err := d.Certificate(d.ctx(), id, d.session(id, 1))
	if err != nil {
		t.Fatal(err)
	}
	fates := map[string]Fate{}
	for _, p := range c.Places {
		fates[p.Category] = p.Fate
		if p.Fate == FateErased && (p.Done.IsZero() || p.Verified.Before(p.Done) || p.Count == 0) {
			t.Errorf("%s was erased at %v, verified at %v, %d records", p.Category, p.Done, p.Verified, p.Count)
		}
		if p.Fate == FateKept && (p.Keep.Article == "" || !p.Until.Equal(policy.Period{Years: 10}.After(r.Cutoff)) || p.Count != 3) {
			t.Errorf("kept: %+v", p)
		}
	}
	want := map[string]Fate{
		"account": FateErased, "orders": FateKept, "access_log": FateAnonymised, "support_mail": FateNothing, "credentials": FateNothing,
		"subscriptions": FateErased, "reading_history": FateAnonymised,
	}
	for category, fate := range want {
		if fates[category] != fate {
			t.Errorf("%s is %s, want %s", category, fates[category], fate)
		}
	}
	if c.Destroyed || c.Unrecoverable().Before(c.Fulfilled.AddDate(0, 0, 89)) {
		t.Errorf("recoverable until %v", c.Unrecoverable())
	}
	ledger.gone = grave
	if c, err = d.CertificateFor(d.ctx(), handler, id); err != nil || !c.Destroyed || !c.Unreadable.Equal(grave.Add(seal.Recovery)) {
		t.Errorf("once the salt is gone: %+v, %v", c, err)
	}
}

// TestWithoutTheSaltTheRecordStays destroys the salt of a request that is over, and of
// one that is not, and does to them whatever can be done.
func TestWithoutTheSaltTheRecordStays(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	over := d.opened(closes(d))
	d.ends(over)
	open := d.submit(asks(policy.Complaint))
	d.destroySalt(d.get(over).Holder)
	for _, id := range []ID{over, open} {
		v, err := d.Show(d.ctx(), handler, id)
		if err != nil || v.Person.Email != (personal.Email{}) || v.Request.ID != id || len(v.Timeline) == 0 {
			t.Errorf("an operator sees %+v, %v", v.Person, err)
		}
		for what, do := range map[string]func() error{
			"tick": func() error { return d.Tick(d.ctx(), id) }, "work": func() error { return d.Work(d.ctx(), id) },
			"list": func() error { _, _, err := d.List(d.ctx(), handler, Filter{}); return err },
			"read": func() error { _, err := d.MessagesFor(d.ctx(), handler, id); return err },
		} {
			if err := do(); err != nil {
				t.Errorf("%s %s: %v", what, id, err)
			}
		}
	}
	if _, err := d.Follow(d.ctx(), over, d.session(over, 1)); err != nil {
		t.Errorf("followed: %v", err)
	}
	if _, err := d.CertificateFor(d.ctx(), handler, over); err != nil {
		t.Errorf("certified: %v", err)
	}
	if err := d.Announce(d.ctx(), open); !errors.Is(err, seal.ErrSealed) || len(d.get(open).Announcements) > 0 {
		t.Errorf("a letter to nobody is tried for ever: %v", err)
	}
	d.pass(60 * 24 * time.Hour)
	for range 3 {
		d.sweep()
	}
	if r := d.get(open); r.Status != Expired {
		t.Errorf("it goes on as %s", r.Status)
	}
}

func (d *desk) destroySalt(holder seal.Identifier) {
	d.t.Helper()
	ref := table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(holder), Sort: "-"}}
	if err := d.inner.Commit(d.ctx(), table.NewID(), table.Delete(ref, table.Exists)); err != nil {
		d.t.Fatal(err)
	}
}

func TestTheNumbersOfPapersAreHidden(t *testing.T) {
	t.Parallel()
	d := furnished(t, func(p *policy.Policy) {
		for i := range p.Categories {
			if p.Categories[i].ID == "account" {
				p.Categories[i].IdentityDocument = true
			}
		}
	})
	id := d.verified(asks(policy.Erasure))
	d.until(id, "it was looked at", func(r Request) bool { return len(r.Steps) > 0 })
	v, err := d.Show(d.ctx(), handler, id)
	if err != nil {
		t.Fatal(err)
	}
	if ids := v.Samples["shop"]["account"]; len(ids) != 1 || ids[0] != hidden {
		t.Errorf("an operator sees %q", ids)
	}
	if ids := v.Samples["shop"]["access_log"]; len(ids) == 0 || ids[0] == hidden {
		t.Errorf("an operator sees %q", ids)
	}
}
