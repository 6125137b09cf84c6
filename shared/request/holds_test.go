package request

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/hold"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// holding gives the desk its holds.
func (d *desk) holding() *hold.Service {
	h := &hold.Service{Table: d.Table, Ring: d.Keys.Ring, Policy: d.Policy, Now: d.clock, Digest: d.Digest, Requests: d.Service}
	d.Holds = h
	d.Heads = h.Heads
	return h
}

// settles turns the clock until every hold that is being placed is in force.
func (d *desk) settles(h *hold.Service) {
	d.t.Helper()
	for range 3 {
		d.pass(hold.Lease)
		d.overdue(func(k table.Key) bool {
			if err := h.Tick(d.ctx(), k); err != nil {
				d.t.Fatal(err)
			}
			return hold.IsKey(k)
		})
	}
}

func (d *desk) held(h *hold.Service, p hold.Placement) hold.Hold {
	d.t.Helper()
	p.Basis, p.Review = hold.LegalClaims, d.clock().AddDate(0, 6, 0)
	placed, err := h.Place(d.ctx(), handler, p)
	if err != nil {
		d.t.Fatal(err)
	}
	return placed
}

func (d *desk) released(h *hold.Service, id hold.ID) {
	d.t.Helper()
	if _, err := h.Release(d.ctx(), handler, id, "case-closed", hold.Call{}); err != nil {
		d.t.Fatal(err)
	}
}

// stands turns the clock by some hours, with everything done that is due.
func (d *desk) stands(hours int) {
	d.t.Helper()
	for range hours {
		d.sweep()
		d.pass(time.Hour)
	}
}

// A held item is left out, and nothing else; the step waits for it and is woken by
// the release.
func TestAHeldItemIsLeftOutAndGoesWhenItIsReleased(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	h := d.holding()
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	item := ""
	for _, x := range d.shop.things {
		if x.category == "access_log" {
			item = x.id
		}
	}
	placed := d.held(h, hold.Placement{Scope: hold.OnItem, Source: "shop", Category: "access_log", Item: item})
	d.stands(30)
	r := d.get(id)
	if n := d.shop.left("access_log"); n != 1 {
		t.Errorf("%d of the log are left, want the held one", n)
	}
	if s := r.step("access_log"); r.Status != InProgress || s.State != Planned || s.Fault != held || s.Tries > 0 || s.Round > 0 {
		t.Errorf("it is %s with %+v", r.Status, s)
	}
	for _, s := range r.Steps {
		if s.Category != "access_log" && !s.State.Over() && s.State != Waiting {
			t.Errorf("%s waits as well: %+v", s.Category, s)
		}
	}
	if n := strings.Count(strings.Join(d.told(id), "\n"), "held"); n != 1 {
		t.Errorf("operators were told %d times:\n%s", n, strings.Join(d.told(id), "\n"))
	}
	d.woken = nil
	d.released(h, placed.ID)
	if !slices.Contains(d.woken, id) {
		t.Error("the release woke nobody")
	}
	if err := d.Work(d.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if n := d.shop.left("access_log"); n != 0 {
		t.Errorf("released, and worked on at once, %d are left", n)
	}
	if r := d.get(id); r.step("access_log").State != Done {
		t.Errorf("%+v", r.step("access_log"))
	}
	d.chains()
}

func TestAHeldPersonIsSeenAndExported(t *testing.T) {
	t.Parallel()
	for _, scope := range []hold.Scope{hold.OnPerson, hold.OnSource} {
		d := furnished(t)
		h := d.holding()
		p := hold.Placement{Scope: scope, Source: "shop"}
		if scope == hold.OnPerson {
			p = hold.Placement{Scope: scope, Who: []personal.Identity{email}}
		}
		d.held(h, p)
		d.settles(h)
		id := d.verified(asks(policy.Access))
		if r := d.ends(id); r.Status != Fulfilled || r.Package == nil {
			t.Errorf("a hold on a %s: it is %s with %+v", scope, r.Status, r.Steps)
		}
	}
}

// Who is held by the address is held wherever a source ties it to an account, and by
// the account alone too.
func TestAHoldReachesWhatIsTiedToThePerson(t *testing.T) {
	t.Parallel()
	for _, who := range []personal.Identity{email, personal.MakeIdentity(personal.KindAccount, "a-1")} {
		d := furnished(t)
		h := d.holding()
		d.shop.ties[email] = []personal.Identity{personal.MakeIdentity(personal.KindAccount, "a-1")}
		placed := d.held(h, hold.Placement{Scope: hold.OnPerson, Who: []personal.Identity{who}})
		id := d.verified(asks(policy.Erasure))
		d.working(id)
		d.stands(12)
		for _, x := range slices.Concat(d.shop.things, d.letters.things) {
			if x.effects > 0 {
				t.Errorf("held by the %s, %s was touched", who.Kind, x.id)
			}
		}
		d.released(h, placed.ID)
		if r := d.ends(id); r.Status != Fulfilled {
			t.Errorf("released, it is %s", r.Status)
		}
	}
}

// A request from before there were holds does not know the hashes of who is tied.
func TestARequestFromBeforeHoldsIsHeldByItsTies(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	account := personal.MakeIdentity(personal.KindAccount, "a-1")
	d.shop.ties[email] = []personal.Identity{account}
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	r := d.get(id)
	if len(r.Tied) != 1 {
		t.Fatalf("%d ties", len(r.Tied))
	}
	r.Tied = nil
	if _, err := d.keep(d.ctx(), r); err != nil {
		t.Fatal(err)
	}
	h := d.holding()
	d.held(h, hold.Placement{Scope: hold.OnPerson, Who: []personal.Identity{account}})
	d.stands(6)
	if n := d.shop.left("access_log"); n == 0 {
		t.Error("it was worked on")
	}
}

func TestAPageIsNotBegunAfterItsLease(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	h := d.holding()
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	// The worker stands still between its claim and its call, and a hold is placed.
	once := false
	d.Table = afterClaim{d.Table, func() {
		if !once {
			once = true
			d.held(h, hold.Placement{Scope: hold.OnPerson, Who: []personal.Identity{email}})
			d.pass(hold.Lease + time.Second)
		}
	}}
	d.shop.during = func(what string) {
		if what == "execute" {
			t.Error("the store was called after the lease")
		}
	}
	_ = d.Work(d.ctx(), id)
	for _, x := range d.shop.things {
		if x.effects > 0 {
			t.Fatalf("%s was touched", x.id)
		}
	}
	if !once {
		t.Error("nothing was claimed")
	}
}

// What goes while a hold is placed is listed on it, with what the store answered.
func TestAHoldListsThePageThatWasUnderWay(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		d := furnished(t)
		h := d.holding()
		id := d.verified(asks(policy.Erasure))
		d.working(id)
		var placed hold.Hold
		d.shop.during = func(what string) {
			if what == "execute" && placed.ID == "" {
				placed = d.held(h, hold.Placement{Scope: hold.OnPerson, Who: []personal.Identity{email}})
				d.pass(time.Second)
				if lost {
					d.trouble.rules = append(d.trouble.rules, func(what string) bool { return what == "commit" }) // the worker's end
				}
			}
		}
		_ = d.Work(d.ctx(), id)
		d.trouble.rules = nil
		d.settles(h)
		got, err := h.Get(d.ctx(), handler, placed.ID)
		if err != nil || got.Status != hold.InForce || len(got.Went) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		gone := 0
		for _, x := range d.shop.things {
			gone += x.effects
		}
		w := got.Went[0]
		if !lost && (w.Outcome != hold.Done || w.Count != gone) || lost && (w.Outcome != hold.Unknown || w.Count < gone) {
			t.Errorf("its answer lost %t, %d records went: %+v", lost, gone, w)
		}
	}
}

// afterClaim does something once a claim was committed.
type afterClaim struct {
	table.Table
	do func()
}

func (a afterClaim) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	err := a.Table.Commit(ctx, id, writes...)
	for _, w := range writes {
		if err == nil && w.Verb == table.PutItem && strings.HasPrefix(w.Ref.Key.Partition, "claim#") && w.If.Is(table.New) {
			a.do()
		}
	}
	return err
}

// A held request's record stays until the day after its release.
func TestAHeldRequestIsNotForgotten(t *testing.T) {
	t.Parallel()
	for _, scope := range []hold.Scope{hold.OnPerson, hold.OnRequest} {
		d := furnished(t)
		h := d.holding()
		id := d.verified(asks(policy.Access))
		r := d.ends(id)
		p := hold.Placement{Scope: scope, Request: string(id)}
		if scope == hold.OnPerson {
			p = hold.Placement{Scope: scope, Who: []personal.Identity{email}}
		}
		placed := d.held(h, p)
		if covered, err := h.Covered(d.ctx(), placed.Identifiers); err != nil || !covered {
			t.Errorf("a hold on a %s does not keep the salt: %v", scope, err)
		}
		d.pass(r.Forget.Sub(d.clock()))
		d.stands(80)
		r = d.get(id)
		if r.Next().Before(d.clock()) {
			t.Errorf("it is looked at all the time: %s", r.Next())
		}
		d.released(h, placed.ID)
		d.stands(30)
		if _, err := d.inner.Get(d.ctx(), id.Ref()); err == nil {
			t.Errorf("a hold on a %s was released, and the request is still there", scope)
		}
	}
}

func canadian(p *policy.Policy) {
	p.Regimes = []policy.Regime{{ID: "ca-pipeda"}}
	for right, rule := range p.Rights {
		rule.Residences = []string{"*"}
		p.Rights[right] = rule
	}
}

func fromCanada(s *Submission) { s.Residence = "CA" }

// What was asked for is kept until its recourse is over, whatever asks for its end.
func TestWhatWasAskedForInCanadaIsKeptUntilItsRecourseIsOver(t *testing.T) {
	t.Parallel()
	d := furnished(t, canadian)
	h := d.holding()
	id := d.verified(asks(policy.Access, fromCanada))
	d.ends(id)
	d.settles(h)
	holds, _, err := h.List(d.ctx(), handler, hold.Filter{For: string(id)})
	if err != nil || len(holds) != 1 {
		t.Fatalf("%+v, %v", holds, err)
	}
	got := holds[0]
	closed := d.get(id).Closed
	if got.Status != hold.InForce || !got.Automatic || got.Basis != hold.Recourse || got.Article != "s. 8(8) PIPEDA" || got.Until.Before(closed.AddDate(0, 6, 0)) || got.Until.After(closed.AddDate(0, 6, 2)) {
		t.Errorf("closed on %s: %+v", closed, got)
	}
	erasure := d.verified(asks(policy.Erasure, fromCanada, func(s *Submission) { s.Call.Key = "submit-2" }))
	d.working(erasure)
	d.stands(30)
	for _, x := range slices.Concat(d.shop.things, d.letters.things) {
		if x.effects > 0 {
			t.Errorf("%s was touched before the recourse is over", x.id)
		}
	}
	if r := d.get(erasure); !slices.Contains(r.Told, "held") {
		t.Errorf("operators were told of %v", r.Told)
	}
	// A correction that she asks for goes on: her recourse may be about it.
	correction := d.verified(asks(policy.Rectification, fromCanada, corrects("name", "Ada L."), func(s *Submission) { s.Call.Key = "submit-3" }))
	if _, err := d.Accept(d.ctx(), handler, correction, Call{Key: "a"}); err != nil {
		t.Fatal(err)
	}
	if r := d.ends(correction); r.Status != Fulfilled {
		t.Errorf("a correction is %s with %+v", r.Status, r.Steps)
	}
	d.pass(got.Until.Sub(d.clock()) + time.Second)
	d.settles(h)
	if d.shop.left("access_log") == 0 {
		t.Error("the correction has a recourse of its own, and what it is about is gone")
	}
	d.pass(60 * 24 * time.Hour)
	d.settles(h)
	if r := d.ends(erasure); r.Status != Fulfilled || d.shop.left("access_log") > 0 {
		t.Errorf("all recourse is over: %s, %+v", r.Status, r.Steps)
	}
	d.chains()
}

func TestNoHoldWhereNoLawWantsOne(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	h := d.holding()
	d.ends(d.verified(asks(policy.Access)))
	if holds, _, err := h.List(d.ctx(), handler, hold.Filter{}); err != nil || len(holds) > 0 {
		t.Errorf("%+v, %v", holds, err)
	}
}

func TestAWithdrawnRequestHoldsNothing(t *testing.T) {
	t.Parallel()
	d := furnished(t, canadian)
	h := d.holding()
	id := d.verified(asks(policy.Access, fromCanada))
	if _, err := d.Revoke(d.ctx(), id, Call{Key: "r"}); err != nil {
		t.Fatal(err)
	}
	holds, _, err := h.List(d.ctx(), handler, hold.Filter{For: string(id)})
	if err != nil || len(holds) != 1 || holds[0].Status != hold.Released {
		t.Errorf("%+v, %v", holds, err)
	}
}

// While a complaint is open nothing is deleted, but what it complains about goes on.
func TestAnOpenComplaintHoldsAllButWhatItIsAbout(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	h := d.holding()
	about := d.verified(asks(policy.Erasure))
	d.working(about)
	complaint := d.verified(asks(policy.Complaint, func(s *Submission) {
		s.Call.Key, s.About, s.Person.Details = "submit-2", about, personal.MakeText("Where is my answer?")
	}))
	d.settles(h)
	other := d.verified(asks(policy.Erasure, func(s *Submission) { s.Call.Key = "submit-3" }))
	if r := d.ends(about); r.Status != Fulfilled || d.shop.left("access_log") > 0 {
		t.Errorf("what the complaint is about is %s", r.Status)
	}
	st, err := (&hold.Watch{}).Look(d.ctx(), d.inner)
	if err != nil || !st.Keeps("shop", "orders", "o1", d.Keys.Ring.Identifier(email)) {
		t.Errorf("a sweep may take what is disputed: %v", err)
	}
	if r := d.get(other); r.Status != InProgress {
		t.Errorf("another request is %s", r.Status)
	}
	if _, err := d.Accept(d.ctx(), handler, complaint, Call{Key: "b"}); err != nil {
		t.Fatal(err)
	}
	d.sweep()
	if _, err := d.TaskDone(d.ctx(), handler, Task(complaint, 0), Decision{Rejected, personal.MakeText("It was in time.")}, Call{Key: "c"}); err != nil {
		t.Fatal(err)
	}
	d.ends(complaint)
	holds, _, err := h.List(d.ctx(), handler, hold.Filter{For: string(complaint)})
	if err != nil || len(holds) != 1 || holds[0].Status != hold.Released || holds[0].Spares != string(about) {
		t.Errorf("decided: %+v, %v", holds, err)
	}
}

// Many people verify at once, and each places a hold: none of them is turned away.
func TestHoldsOfOthersDoNotTurnAnybodyAway(t *testing.T) {
	t.Parallel()
	d := furnished(t, canadian)
	h := d.holding()
	n := 0
	d.Table = beforeCommit{d.Table, func(writes []table.Write) {
		for _, w := range writes {
			if w.Ref.Key.Partition == "fence#all" && n < 3 {
				n++
				other := &hold.Service{Table: d.inner, Ring: d.Keys.Ring, Policy: d.Policy, Now: d.clock}
				if _, err := other.Place(d.ctx(), handler, hold.Placement{
					Scope: hold.OnPerson, Who: []personal.Identity{personal.MakeIdentity(personal.KindAccount, fmt.Sprint(n))}, Basis: hold.LegalClaims, Review: d.clock().AddDate(0, 1, 0),
				}); err != nil {
					d.t.Fatal(err)
				}
			}
		}
	}}
	id := d.verified(asks(policy.Access, fromCanada))
	if holds, _, err := h.List(d.ctx(), handler, hold.Filter{For: string(id)}); err != nil || len(holds) != 1 {
		t.Errorf("%+v, %v", holds, err)
	}
	if n != 3 {
		t.Errorf("%d others came in between", n)
	}
	d.chains()
}

type beforeCommit struct {
	table.Table
	do func([]table.Write)
}

func (b beforeCommit) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	b.do(writes)
	return b.Table.Commit(ctx, id, writes...)
}

// A page that a hold changed between a crash and its repetition is another order.
func TestAPageThatIsRepeatedUnderAnotherHoldIsAnotherCall(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	h := d.holding()
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	var keys []string
	d.shop.fail = func(what string) error {
		if what == "execute" {
			return fmt.Errorf("%w: down", source.ErrLater)
		}
		return nil
	}
	d.sweep()
	d.held(h, hold.Placement{Scope: hold.OnItem, Source: "shop", Category: "access_log", Item: "nonsense"})
	d.shop.fail = nil
	d.stands(3)
	for key, question := range d.shop.asked {
		if strings.HasPrefix(question, "execute") && strings.Contains(question, "access_log") {
			keys = append(keys, key)
		}
	}
	if r := d.ends(id); r.Status != Fulfilled || len(keys) == 0 {
		t.Errorf("%s with %d calls", r.Status, len(keys))
	}
}
