package request

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

func invalid(err error) bool { return fault.KindOf(err) == fault.Invalid }

// shortPages answers every query with at most two items, and now and then none.
type shortPages struct {
	table.Table
	mu sync.Mutex
	n  int
}

func (s *shortPages) Query(ctx context.Context, q table.Query) (table.Page, error) {
	s.mu.Lock()
	s.n++
	n := s.n
	s.mu.Unlock()
	if n%3 == 0 && q.Cursor != "" {
		return table.Page{Cursor: q.Cursor}, nil
	}
	q.Limit = 2
	return s.Table.Query(ctx, q)
}

// step returns a request's step by category.
func (r Request) step(category string) Step {
	for _, s := range r.Steps {
		if s.Category == category {
			return s
		}
	}
	return Step{}
}

func (r Request) look(src string) Look { return lookOf(r.Looks, src) }

var email = personal.MakeIdentity(personal.KindEmail, ada)

// byEmail lets the newsletter know people by their address, so that it needs no tie.
func byEmail(p *policy.Policy) {
	p.Sources[1].Identities = append(p.Sources[1].Identities, personal.KindEmail)
}

// working turns the clock to when destructive work may begin.
func (d *desk) working(id ID) {
	d.t.Helper()
	d.until(id, "the plan is made", func(r Request) bool { return r.Status == InProgress && r.asked() })
	if r := d.get(id); r.Start.After(d.clock()) {
		d.pass(r.Start.Sub(d.clock()))
	}
}

func TestARevocationLeavesNoPartOfThePackage(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/parts/", "package.zip"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			d := furnished(t)
			id := d.verified(asks(policy.Access))
			once := false
			// The person takes it back, and the clocks are swept, while an object is on its way.
			d.shelf.during = func(key string) {
				if once || !strings.Contains(key, at) {
					return
				}
				once = true
				if _, err := d.Revoke(t.Context(), id, Call{}); err != nil {
					t.Error(err)
				}
				if err := d.Tick(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
			r := d.until(id, "it is revoked and cleared", func(r Request) bool { return r.Status == Revoked && !r.Parts })
			if n := d.shelf.size(); n > 0 {
				t.Errorf("%d objects are left of a request that is %s", n, r.Status)
			}
		})
	}
}

func TestWhatWasDestroyedBeforeARevocationIsTold(t *testing.T) {
	t.Parallel()
	d := furnished(t, byEmail)
	d.letters.put(5, "subscriptions", email, d.clock().AddDate(0, -1, 0))
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	d.letters.during = func(what string) {
		if what == "execute" && d.get(id).Status == InProgress {
			if _, err := d.Revoke(t.Context(), id, Call{}); err != nil {
				t.Error(err)
			}
		}
	}
	r := d.until(id, "it is revoked", func(r Request) bool { return r.Status == Revoked })
	for _, s := range r.Steps {
		gone := 0
		for _, st := range []*store{d.shop, d.letters} {
			for _, x := range st.things {
				if st.id == s.Source && x.category == s.Category {
					gone += x.effects
				}
			}
		}
		if s.Done != gone {
			t.Errorf("of %s %d records are gone and %d are told", s.Category, gone, s.Done)
		}
	}
	for _, sys := range d.Outcome(r, "en") {
		for _, o := range sys.Outcomes {
			if o.Result == words.Planned || o.Result == words.ToMask || o.Result == words.Waiting {
				t.Errorf("%s of a revoked request reads %q", o.Category, o.Result)
			}
		}
	}
}

func TestARevocationHalfWayTellsWhatIsGone(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	d.letters.fail = func(string) error { return fmt.Errorf("%w: closed", source.ErrLater) }
	d.sweep()
	if _, err := d.Revoke(t.Context(), id, Call{}); err != nil {
		t.Fatal(err)
	}
	list := d.told(id)
	if last := list[len(list)-1]; last != "revoke status=revoked done=6" {
		t.Errorf("the last entry is %q, and 6 records are gone", last)
	}
}

func TestTwoWorkersDoEverythingOnce(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 6 {
				if err := d.Work(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	r := d.ends(id)
	if r.Status != Fulfilled {
		t.Fatalf("it is %s", r.Status)
	}
	for _, st := range []*store{d.shop, d.letters} {
		for _, x := range st.things {
			if x.effects > 1 {
				t.Errorf("%s was touched %d times", x.id, x.effects)
			}
		}
	}
	d.chains()
}

func TestALeaseThatEndsUnderWayIsTakenOverOnce(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	slow := true
	d.shop.during = func(what string) {
		if what == "execute" && slow {
			slow = false
			d.pass(2 * leaseFor) // the store takes longer than the lease, and another worker comes
			if err := d.Work(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	}
	r := d.ends(id)
	for _, st := range []*store{d.shop, d.letters} {
		for _, x := range st.things {
			if x.effects > 1 {
				t.Errorf("%s was touched %d times", x.id, x.effects)
			}
		}
	}
	for _, s := range r.Steps {
		if s.Done > s.Found {
			t.Errorf("%s: %d done of %d", s.Category, s.Done, s.Found)
		}
	}
	d.chains()
}

func TestAStoreThatFailsWithoutAReasonIsTriedAgainWithBackOff(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	d.shop.fail = func(what string) error {
		if what == "execute" {
			return errors.New("no adapter should answer so")
		}
		return nil
	}
	d.sweep()
	s := d.get(id).step("account")
	if s.Tries == 0 || s.Fault == "" || !s.After.After(d.clock()) {
		t.Errorf("the step knows nothing of its failure: %+v", s)
	}
}

func TestAStoreThatMakesNoProgressIsNotAskedWithoutEnd(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	stuck := &stuckStore{store: d.shop}
	d.Sources["shop"] = stuck
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := d.Work(ctx, id); err != nil {
		t.Fatal(err)
	}
	if stuck.n > 5 {
		t.Fatalf("it was ordered %d times at once", stuck.n)
	}
	r := d.until(id, "the step is for an operator", func(r Request) bool { return r.step("account").State == Failed })
	if stuck.n > 40 || r.Status != InProgress {
		t.Errorf("it was ordered %d times; the request is %s", stuck.n, r.Status)
	}
}

// stuckStore says that it is not done, and does nothing.
type stuckStore struct {
	*store
	n int
}

func (s *stuckStore) Execute(context.Context, source.Order) (source.Done, error) {
	s.n++
	return source.Done{}, nil
}

func TestALookAgainThatSeesNoEndProvesNothing(t *testing.T) {
	t.Parallel()
	d := furnished(t, byEmail)
	old := d.clock().AddDate(0, -1, 0)
	d.letters.put(120, "reading_history", email, old)
	for _, x := range d.letters.things {
		x.stays = x.category == "reading_history"
	}
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	d.letters.put(1, "reading_history", email, d.clock()) // the last one in the store's order, and new
	d.letters.things[len(d.letters.things)-1].id = "zzz"
	for range 60 {
		d.sweep()
		d.pass(time.Hour)
	}
	if s := d.get(id).step("reading_history"); s.State == Done && d.letters.things[len(d.letters.things)-1].effects == 0 {
		t.Errorf("the step is %s, and a record that appeared was never seen: %+v", s.State, s)
	}
}

func TestARecordThatAppearsAfterTheCutOffIsPlannedAgain(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	d.shop.put(2, "access_log", email, d.clock())
	r := d.ends(id)
	if n := d.shop.left("access_log"); n != 0 || r.step("access_log").Done != 7 {
		t.Errorf("%d records are left, %d are told", n, r.step("access_log").Done)
	}
}

func TestMoreThanThePlanStopsTheStepUntilAnOperatorApproves(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	d.shop.put(3, "access_log", email, d.clock().AddDate(0, -2, 0)) // older than the cut-off: the look was lied to
	r := d.until(id, "the step stops", func(r Request) bool { return r.step("access_log").State == Failed })
	s := r.step("access_log")
	if s.Fault != "over_plan" || s.Done > 6 {
		t.Fatalf("the step is %+v", s)
	}
	if _, err := d.Retry(t.Context(), handler, id, Call{Key: "retry-1"}); err != nil {
		t.Fatal(err)
	}
	r = d.ends(id)
	if n := d.shop.left("access_log"); n != 0 || r.step("access_log").Done != 8 || r.Status != Fulfilled {
		t.Errorf("%d are left; the request is %s with %+v", n, r.Status, r.step("access_log"))
	}
}

func TestAStepThatFailedIsRetriedAlone(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	d.working(id)
	refuse := true
	d.letters.fail = func(what string) error {
		if refuse && what == "execute" {
			return fmt.Errorf("%w: not so", source.ErrRefused)
		}
		return nil
	}
	d.until(id, "the newsletter refused", func(r Request) bool {
		return r.step("subscriptions").State == Failed && r.step("reading_history").State == Failed
	})
	if _, err := d.Retry(t.Context(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	refuse = false
	if r := d.ends(id); r.Status != Fulfilled || d.letters.left("subscriptions")+d.letters.left("reading_history") > 0 {
		t.Errorf("it is %s with %+v", r.Status, r.Steps)
	}
	if _, err := d.Retry(t.Context(), handler, id, Call{}); !errors.Is(err, ErrNotNow) && !errors.Is(err, ErrNoRetry) {
		t.Errorf("a retry of what is over: %v", err)
	}
}

// place writes a fence as placing or releasing a hold does.
func (d *desk) place(f hold.Fence, holds int) {
	d.t.Helper()
	pre := table.Exists
	if _, err := d.inner.Get(d.ctx(), f.Ref()); errors.Is(err, table.ErrAbsent) {
		pre = table.New
	}
	body := []byte(`{"by":[]}`)
	if holds > 0 {
		body = []byte(`{"by":[{"h":"h1"}]}`)
	}
	if err := d.inner.Commit(d.ctx(), table.NewID(), table.Put(table.State, table.Item{Key: f.Ref().Key, Schema: 2, Body: body}, pre)); err != nil {
		d.t.Fatal(err)
	}
}

// onClaim runs once, before the first commit that depends on a fence.
type onClaim struct {
	table.Table
	once sync.Once
	do   func()
}

func (o *onClaim) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	for _, w := range writes {
		if w.Verb == table.CheckItem {
			o.once.Do(o.do)
		}
	}
	return o.Table.Commit(ctx, id, writes...)
}

func TestAHoldStopsWhatDestroysUntilItIsReleased(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for _, kind := range []string{"person", "request", "source"} {
			t.Run(fmt.Sprintf("%s, between the look at the fence and the claim %t", kind, late), func(t *testing.T) {
				t.Parallel()
				d := furnished(t)
				id := d.verified(asks(policy.Erasure))
				d.working(id)
				fence := map[string]hold.Fence{"person": hold.Person(d.get(id).Holder), "request": hold.Request(string(id)), "source": hold.Source("shop")}[kind]
				if late {
					d.Table = &onClaim{Table: d.Table, do: func() { d.place(fence, 1) }}
				} else {
					d.place(fence, 1)
				}
				for range 12 {
					d.sweep()
					d.pass(time.Hour)
				}
				r := d.get(id)
				for _, x := range d.shop.things {
					if x.effects > 0 {
						t.Errorf("%s was touched in spite of the hold", x.id)
					}
				}
				if n := d.letters.left("subscriptions"); (n == 0) != (kind == "source") {
					t.Errorf("a hold on a %s: %d of another source are left", kind, n)
				}
				if s := r.step("account"); s.State.Over() || s.Tries > 0 || r.Status != InProgress {
					t.Errorf("held, it is %s with %+v", r.Status, s)
				}
				for _, sys := range d.Outcome(r, "en") {
					for _, o := range sys.Outcomes {
						if strings.Contains(strings.ToLower(string(o.Result)), "held") {
							t.Errorf("the person is told of the hold: %s", o.Result)
						}
					}
				}
				d.place(fence, 0)
				if r := d.ends(id); r.Status != Fulfilled || d.shop.left("access_log") > 0 {
					t.Errorf("released, it is %s", r.Status)
				}
			})
		}
	}
}

// The first letter of a person to the help desk may come between the plan and
// the erasure. A category that was empty is looked at again before it is called so.
func TestWhatIsWrittenDuringTheCoolingTimeIsErasedToo(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.verified(asks(policy.Erasure))
	r := d.until(id, "the plan is made", func(r Request) bool { return r.Status == InProgress && r.asked() })
	if got := r.step("support_mail").result(); got != words.Nothing {
		t.Fatalf("before any letter it is %q, want nothing", got)
	}
	d.pass(24 * time.Hour)
	d.shop.put(2, "support_mail", personal.MakeIdentity(personal.KindEmail, ada), d.clock())
	r = d.ends(id)
	if s := r.step("support_mail"); r.Status != Fulfilled || s.State != Done || s.Done != 2 || d.shop.left("support_mail") != 0 {
		t.Errorf("the request is %s, the step %+v, and %d letters are left", r.Status, s, d.shop.left("support_mail"))
	}
	if s := r.step("credentials"); s.State != Nothing {
		t.Errorf("what never was is %q, want nothing", s.State)
	}
	d.chains()
}
