package request

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/hold"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// TestBar2_NoDeletionBeginsUnderAHold lets a hold be placed and released while two
// workers erase somebody's data page by page, and a sweep takes it by age. Who goes
// on next, and when time passes, is chosen at random before every call to the store
// of items and to the hook. The hook takes its time: it looks at its lease when it
// begins, and may answer when that is long over.
//
// No deletion begins once the hold is in force; all that went while it was placed is
// listed on it; and once it is released everything ends as it does without.
func TestBar2_NoDeletionBeginsUnderAHold(t *testing.T) {
	t.Parallel()
	full := os.Getenv("RIGHTSDESK_PROVE") == "full"
	for name, engine := range map[string]struct {
		trials int
		open   func(testing.TB, func() time.Time) table.Table
	}{
		"embedded": {100, func(tb testing.TB, now func() time.Time) table.Table { tb.Helper(); return tabletest.Embedded(tb, now) }},
		"dynamo": {30, func(tb testing.TB, now func() time.Time) table.Table {
			tb.Helper()
			return table.Steady(tabletest.Dynamo(tb, tabletest.Emulator(tb), now), table.Sleep)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trials := engine.trials
			if full {
				trials = 1000
			}
			var at func() time.Time
			store := engine.open(t, func() time.Time { return at() })
			var sum race
			for seed := range uint64(trials) {
				d := newDesk(t, func(p *policy.Policy) {
					for i := range p.Sources {
						p.Sources[i].PageSize = 2
					}
				})
				d.inner, at = store, d.clock
				d.Table, d.Keys.Table = store, store
				d.pass(time.Duration(seed) * 20 * 24 * time.Hour) // nothing of the trial before is left to wait for
				r := newRace(d, seed)
				r.run()
				sum.add(r)
				if t.Failed() {
					t.Fatalf("trial %d, a hold on a %s", seed, r.scope)
				}
			}
			t.Logf("%d trials: %d deletions before, %d while a hold was placed, %d under it that it does not cover, %d after; %d calls refused for their lease; %d claims held; %d workers died",
				trials, sum.before, sum.between, sum.beside, sum.after, sum.late, sum.held, sum.died)
			if sum.between == 0 || sum.late == 0 || sum.held == 0 || sum.before == 0 || sum.after == 0 || sum.beside == 0 || sum.died == 0 {
				t.Error("the trials do not meet what they are about")
			}
		})
	}
}

// race is one trial.
type race struct {
	d      *desk
	random *rand.Rand
	scope  hold.Scope
	holds  *hold.Service
	id     ID
	ada    []personal.Identity

	parked []*actor
	report chan *actor
	gone   []deletion
	placed hold.Hold
	over   time.Time // when the hold was released

	before, between, beside, after, late, held, died int
}

// deletion is one record that was deleted, and when the call began that did it.
type deletion struct {
	thing *thing
	owner string
	at    time.Time
}

func (r *race) add(x *race) {
	r.before, r.between, r.beside, r.after = r.before+x.before, r.between+x.between, r.beside+x.beside, r.after+x.after
	r.late, r.held, r.died = r.late+x.late, r.held+x.held, r.died+x.died
}

func newRace(d *desk, seed uint64) *race {
	r := &race{d: d, random: rand.New(rand.NewPCG(seed, 2)), report: make(chan *actor)}
	r.scope = hold.Scopes[r.random.IntN(len(hold.Scopes))]
	address := fmt.Sprintf("ada%d@example.org", seed)
	who := personal.MakeIdentity(personal.KindEmail, address)
	account := personal.MakeIdentity(personal.KindAccount, fmt.Sprintf("a-%d", seed))
	r.ada = []personal.Identity{who, account}
	old := d.clock().AddDate(0, -1, 0)
	d.shop.ties[who] = []personal.Identity{account}
	d.shop.put(1, "account", who, old)
	d.shop.put(9, "access_log", account, old)
	d.letters.put(4, "subscriptions", account, old)
	d.shop.put(2, "access_log", personal.MakeIdentity(personal.KindAccount, fmt.Sprintf("g-%d", seed)), old)

	s := asks(policy.Erasure)
	s.Person.Email, _ = personal.ParseEmail(address)
	s.Call.Key = fmt.Sprintf("submit-%d", seed)
	r.id = d.verified(s)
	// The plan is made, and the cooling time is over.
	for range 40 {
		now := d.get(r.id)
		if now.Status == InProgress && now.asked() {
			d.pass(now.Start.Sub(d.clock()))
			return r
		}
		if err := d.Work(d.ctx(), r.id); err != nil {
			d.t.Fatal(err)
		}
		d.pass(time.Minute)
	}
	d.t.Fatal("the plan is not made")
	return r
}

// actor is somebody who does something at the same time as others.
type actor struct {
	r      *race
	name   string
	mortal bool
	resume chan struct{}
	done   bool
}

// start starts an actor, that waits for its first turn.
func (r *race) start(name string, mortal bool, do func(*actor)) {
	a := &actor{r: r, name: name, mortal: mortal, resume: make(chan struct{})}
	go func() {
		defer func() {
			a.done = true
			r.report <- a
		}()
		<-a.resume
		do(a)
	}()
	r.parked = append(r.parked, a)
}

// yield lets others go on, and time pass.
func (a *actor) yield() {
	a.r.report <- a
	<-a.resume
	if a.mortal && a.r.random.IntN(400) == 0 {
		a.r.died++
		runtime.Goexit()
	}
}

// play lets one actor after the other go on until all are done.
func (r *race) play() {
	for len(r.parked) > 0 {
		i := r.random.IntN(len(r.parked))
		a := r.parked[i]
		r.parked = slices.Delete(r.parked, i, i+1)
		if r.random.IntN(6) == 0 {
			r.d.pass(time.Duration(r.random.Int64N(25_000)) * time.Millisecond) // what is stored has no more digits
		}
		a.resume <- struct{}{}
		if b := <-r.report; !b.done {
			r.parked = append(r.parked, b)
		}
	}
}

// slow is the store of items, as one actor meets it.
type slow struct {
	table.Table
	a *actor
}

func (s slow) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	s.a.yield()
	return s.Table.Get(ctx, ref)
}

func (s slow) Query(ctx context.Context, q table.Query) (table.Page, error) {
	s.a.yield()
	return s.Table.Query(ctx, q)
}

func (s slow) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	s.a.yield()
	err := s.Table.Commit(ctx, id, writes...)
	s.a.yield()
	return err
}

// hook is a store of data, as one actor meets it.
type hook struct {
	*store
	a *actor
}

func (h hook) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	h.a.yield()
	found, err := h.store.Find(ctx, ask)
	h.a.yield()
	return found, err
}

func (h hook) Execute(ctx context.Context, o source.Order) (source.Done, error) {
	for range h.a.r.random.IntN(4) {
		h.a.yield() // the call is on its way
	}
	at := h.a.r.d.clock()
	if !at.Before(o.Call.Lease) {
		h.a.r.late++
	}
	before := h.effects()
	done, err := h.store.Execute(ctx, o) // which refuses what comes after its lease
	h.a.r.note(hold.ByRequest(string(h.a.r.id)), h.touched(before), at)
	for range h.a.r.random.IntN(4) {
		h.a.yield() // its answer comes when it comes
	}
	return done, err
}

// effects counts what was done to each record.
func (s *store) effects() map[*thing]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[*thing]int{}
	for _, x := range s.things {
		n[x] = x.effects
	}
	return n
}

func (s *store) touched(before map[*thing]int) (list []*thing) {
	for x, n := range s.effects() {
		if n > before[x] {
			list = append(list, x)
		}
	}
	return list
}

func (r *race) note(owner string, things []*thing, at time.Time) {
	for _, x := range things {
		r.gone = append(r.gone, deletion{x, owner, at})
	}
}

// desk is the service as one actor has it.
func (a *actor) desk() *Service {
	d := a.r.d
	return &Service{
		Table: slow{d.inner, a}, Keys: seal.Keys{Ring: d.Keys.Ring, Table: d.inner}, Policy: d.Policy, Now: d.clock, BaseURL: d.BaseURL,
		Sources: map[string]source.Source{"shop": hook{d.shop, a}, "newsletter": hook{d.letters, a}},
		Exports: d.shelf, Choices: d.Choices, Digest: d.Digest,
	}
}

func (r *race) run() {
	for _, name := range []string{"worker 1", "worker 2"} {
		r.start(name, true, func(a *actor) {
			for range 8 {
				if err := a.desk().Work(r.d.ctx(), r.id); err != nil {
					r.d.t.Errorf("%s: %v", a.name, err)
				}
				a.yield()
			}
		})
	}
	r.start("sweep", true, func(a *actor) { r.sweep(a) })
	r.start("operator", false, func(a *actor) { r.operate(a) })
	r.play()
	r.judge()
	r.converge()
}

// operate places a hold and brings it into force, and may release it.
func (r *race) operate(a *actor) {
	d := r.d
	for range r.random.IntN(70) {
		a.yield()
	}
	r.holds = &hold.Service{Table: slow{d.inner, a}, Ring: d.Keys.Ring, Policy: d.Policy, Now: d.clock, Requests: a.desk()}
	p := hold.Placement{Scope: r.scope, Basis: hold.LegalClaims, Review: d.clock().AddDate(0, 6, 0), Call: hold.Call{Key: string(r.id)}}
	switch r.scope {
	case hold.OnPerson:
		p.Who = r.ada[r.random.IntN(2):][:1]
	case hold.OnRequest:
		p.Request = string(r.id)
	case hold.OnCategory:
		p.Category = "access_log"
	case hold.OnSource:
		p.Source = "shop"
	case hold.OnItem:
		p.Source, p.Category, p.Item = "shop", "access_log", d.shop.things[3].id
	}
	var err error
	if r.placed, err = r.holds.Place(d.ctx(), handler, p); err != nil {
		d.t.Errorf("place: %v", err)
		return
	}
	for n := 0; r.placed.Status == hold.Placing; n++ {
		if n == 200 {
			d.t.Errorf("it does not come into force: %+v", r.placed)
			return
		}
		if err := r.holds.Tick(d.ctx(), r.placed.ID.Key()); err != nil {
			d.t.Errorf("tick: %v", err)
		}
		if r.placed, err = r.holds.Get(d.ctx(), handler, r.placed.ID); err != nil {
			d.t.Error(err)
			return
		}
	}
	for range r.random.IntN(200) {
		a.yield()
	}
	if r.random.IntN(2) == 0 {
		r.release()
	}
}

func (r *race) release() {
	if !r.over.IsZero() {
		return
	}
	r.over = r.d.clock() // from here on it may be over
	if _, err := r.holds.Release(r.d.ctx(), handler, r.placed.ID, "over", hold.Call{}); err != nil {
		r.d.t.Errorf("release: %v", err)
	}
}

// sweep takes what is old, as retention does: whosever it is.
func (r *race) sweep(a *actor) {
	d := r.d
	watch := &hold.Watch{}
	t := slow{d.inner, a}
	for n := range 6 {
		st, err := watch.Look(d.ctx(), t)
		if err != nil {
			d.t.Error(err)
			return
		}
		now := d.clock()
		page := hold.Claimed{
			Owner: hold.BySweep("old"), Source: "shop", Category: "access_log", At: now, Until: now.Add(hold.Lease), Page: fmt.Sprintf("%s-%d", r.id, n),
		}
		var take []*thing
		for _, x := range d.shop.things {
			who := make([]seal.Identifier, len(x.owner))
			for i, o := range x.owner {
				who[i] = d.Keys.Ring.Identifier(o)
			}
			if x.category == page.Category && !x.gone && !x.masked && len(take) < 2 && slices.Contains(r.ada, x.owner[0]) && !st.Keeps("shop", x.category, x.id, who...) {
				take = append(take, x)
				page.Records = append(page.Records, hold.Record{ID: x.id, Who: who})
			}
		}
		if len(take) == 0 {
			a.yield()
			continue
		}
		writes, err := st.Claim(page)
		if err != nil {
			d.t.Error(err)
			return
		}
		if err := t.Commit(d.ctx(), table.NewID(), writes...); errors.Is(err, table.ErrConflict) {
			r.held++
			continue
		} else if err != nil {
			d.t.Error(err)
			return
		}
		for range r.random.IntN(4) {
			a.yield()
		}
		at := d.clock()
		if !at.Before(page.Until) {
			r.late++
			continue
		}
		var ids []string
		for _, x := range take {
			if !x.gone && !x.masked {
				x.gone = true
				x.effects++
				ids = append(ids, x.id)
				r.note(page.Owner, []*thing{x}, at)
			}
		}
		a.yield()
		settled, err := page.Settle(d.clock(), len(ids), ids...)
		if err == nil {
			err = t.Commit(d.ctx(), table.NewID(), settled)
		}
		if err != nil {
			d.t.Error(err)
		}
	}
}

// covers reports whether the hold of the trial covers a record, for whoever deletes it.
func (r *race) covers(g deletion) bool {
	switch r.scope {
	case hold.OnPerson:
		return true // all of it is Ada's
	case hold.OnRequest:
		return strings.HasPrefix(g.owner, "request#")
	case hold.OnCategory:
		return g.thing.category == "access_log"
	case hold.OnSource:
		return g.thing.category != "subscriptions"
	case hold.OnItem:
		return g.thing == r.d.shop.things[3]
	}
	return true
}

// judge compares every deletion with the hold.
func (r *race) judge() {
	h := r.placed
	for _, st := range r.d.get(r.id).Steps {
		if st.Fault == held {
			r.held++
		}
	}
	for _, g := range r.gone {
		switch {
		case g.at.Before(h.Placed):
			r.before++
		case !r.over.IsZero() && !g.at.Before(r.over):
			r.after++
		case !r.covers(g):
			r.beside++
		case g.at.After(h.InForce):
			r.d.t.Errorf("in force since %s, and a call of %s began at %s that deleted %s", h.InForce, g.owner, g.at, g.thing.id)
		case !slices.ContainsFunc(h.Went, func(w hold.Went) bool {
			return w.Owner == g.owner && w.Category == g.thing.category && !w.At.After(g.at) && (w.Ended.IsZero() || !g.at.After(w.Ended)) &&
				(len(w.IDs) == 0 || slices.Contains(w.IDs, g.thing.id))
		}):
			r.d.t.Errorf("placed at %s, and %s, which %s deleted at %s, is not listed: %+v", h.Placed, g.thing.id, g.owner, g.at, h.Went)
		default:
			r.between++
		}
	}
	for _, w := range h.Went {
		if w.Outcome == hold.Done && !slices.ContainsFunc(r.gone, func(g deletion) bool { return g.owner == w.Owner && g.thing.category == w.Category }) {
			r.d.t.Errorf("it lists what never went: %+v", w)
		}
	}
}

// converge releases the hold and lets the request end.
func (r *race) converge() {
	d := r.d
	r.parked = nil
	quiet := &hold.Service{Table: d.inner, Ring: d.Keys.Ring, Policy: d.Policy, Now: d.clock}
	if r.over.IsZero() {
		if _, err := quiet.Release(d.ctx(), handler, r.placed.ID, "over", hold.Call{}); err != nil {
			d.t.Fatal(err)
		}
	}
	for range 60 {
		if err := d.Work(d.ctx(), r.id); err != nil {
			d.t.Fatal(err)
		}
		if d.get(r.id).Status.Final() {
			break
		}
		d.pass(30 * time.Minute)
	}
	if got := d.get(r.id); got.Status != Fulfilled || !slices.Contains(got.announced(), mail.Fulfilled) {
		d.t.Errorf("it ends as %s with %+v", got.Status, got.Steps)
	}
	for _, x := range slices.Concat(d.shop.things, d.letters.things) {
		want := 0
		if slices.Contains(r.ada, x.owner[0]) {
			want = 1
		}
		if x.effects != want {
			d.t.Errorf("%s was touched %d times, want %d", x.id, x.effects, want)
		}
	}
}

// announced are the kinds of what is to be said.
func (r Request) announced() (kinds []mail.Kind) {
	for _, a := range r.Announcements {
		kinds = append(kinds, a.Kind)
	}
	return kinds
}
