package hold

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Every status and action, the answer written by hand, in the order of Actions:
// settle widen review remind release.
func TestWhatCanHappenToAHold(t *testing.T) {
	t.Parallel()
	want := map[Status]string{
		Placing:  "iPPPr",
		InForce:  ".Piir",
		Released: ".....",
	}
	letters := map[Status]byte{Placing: 'P', InForce: 'i', Released: 'r'}
	for _, s := range Statuses {
		for i, a := range Actions {
			h, e, err := Hold{ID: "h1", Status: s}.Apply(a, ByClock, time.Unix(0, 0))
			got := byte('.')
			if err == nil {
				got = letters[h.Status]
			}
			if got != want[s][i] {
				t.Errorf("%s + %s: %c, want %c", s, a, got, want[s][i])
			}
			if err == nil && (e.Action != string(a) || e.Chain != "hold#h1") {
				t.Errorf("%s + %s: the entry says %+v", s, a, e)
			}
			if (Hold{Status: s}).Can(a) != (err == nil) {
				t.Errorf("%s + %s: Can and Apply differ", s, a)
			}
		}
	}
}

func TestTheLifeOfAHold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	p := d.on(OnPerson, func(p *Placement) { p.Article, p.Owner = "Article 17(3)(e) GDPR", "h2" })
	h := d.place(p)
	if h.Status != Placing || h.Placed != d.clock() || !h.InForce.IsZero() || h.Owner != "h2" {
		t.Errorf("placed: %+v", h)
	}
	d.pass(Lease + margin - time.Millisecond)
	d.sweep()
	if got := d.get(h.ID); got.Status != Placing {
		t.Errorf("it is %s before the longest lease is over", got.Status)
	}
	d.pass(time.Millisecond)
	d.sweep()
	if got := d.get(h.ID); got.Status != InForce || got.InForce != d.clock() || len(got.Went) != 0 {
		t.Errorf("then: %+v", got)
	}
	if _, err := d.Review(t.Context(), handler, h.ID, Reviewed{Review: d.clock().AddDate(0, 11, 0), Owner: "h3"}, Call{}); err != nil {
		t.Fatal(err)
	}
	r, err := d.Release(t.Context(), handler, h.ID, "case-closed", Call{})
	if err != nil || r.Status != Released || r.Owner != "h3" || r.Reason != "case-closed" || r.Released != d.clock() {
		t.Errorf("released: %+v, %v", r, err)
	}
	if got := d.told(h.ID); got != "operator:h1 place, clock in_force, operator:h1 review, operator:h1 release" {
		t.Error(got)
	}
	d.whole()
	chains, err := d.Heads(t.Context(), h.ID.Key())
	if err != nil || len(chains) != 1 || chains[0].Name != h.ID.Chain() || chains[0].Head.Seq != 4 {
		t.Errorf("%+v, %v", chains, err)
	}
	d.pass(6*366*24*time.Hour + time.Hour)
	d.sweep()
	for _, item := range d.all(table.State) {
		if p := item.Key.Partition; p != all.Ref().Key.Partition && !strings.HasPrefix(p, "digest#") {
			t.Errorf("when all of it is over, %s is left", item.Key)
		}
	}
	if chains, err = d.Heads(t.Context(), h.ID.Key()); err != nil || len(chains) != 0 {
		t.Errorf("forgotten, it has %+v, %v", chains, err)
	}
}

func TestAPlacementSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, c := range map[string]struct {
		scope  Scope
		change func(*Placement)
		want   string
	}{
		"nothing":                       {"", func(p *Placement) { *p = Placement{} }, "/basis /review /scope"},
		"a person that is nobody":       {OnPerson, func(p *Placement) { p.Who = nil }, "/who"},
		"a person and a request":        {OnPerson, func(p *Placement) { p.Request = "r1" }, "/request"},
		"a request that is none":        {OnRequest, func(p *Placement) { p.Request = "r9" }, "/request"},
		"a category nobody knows":       {OnCategory, func(p *Placement) { p.Category = "shoes" }, "/category"},
		"a category that is elsewhere":  {OnCategory, func(p *Placement) { p.Source = "web" }, "/category"},
		"a source nobody knows":         {OnSource, func(p *Placement) { p.Source = "cellar" }, "/source"},
		"a source and a category":       {OnSource, func(p *Placement) { p.Category = "orders" }, "/category"},
		"an item without a source":      {OnItem, func(p *Placement) { p.Source = "" }, "/source"},
		"an item that is an address":    {OnItem, func(p *Placement) { p.Item = "ada@example.org" }, "/item"},
		"a matter that is a sentence":   {OnSource, func(p *Placement) { p.Matter = "Ada wrote to us" }, "/matter"},
		"a matter that is an address":   {OnSource, func(p *Placement) { p.Matter = "ada@example.org" }, "/matter"},
		"an article with an address":    {OnSource, func(p *Placement) { p.Article = "order about ada@example.org" }, "/article"},
		"a basis of automatic ones":     {OnSource, func(p *Placement) { p.Basis = Recourse }, "/basis"},
		"no review":                     {OnSource, func(p *Placement) { p.Review = time.Time{} }, "/review"},
		"a review that is over":         {OnSource, func(p *Placement) { p.Review = d.clock() }, "/review"},
		"a review nobody will remember": {OnSource, func(p *Placement) { p.Review = d.clock().AddDate(2, 0, 0) }, "/review"},
		"an end that is over":           {OnSource, func(p *Placement) { p.Until = d.clock() }, "/until"},
		"an owner that is a sentence":   {OnSource, func(p *Placement) { p.Owner = "the legal team" }, "/owner"},
		"too many of one": {OnPerson, func(p *Placement) {
			for range 50 {
				p.Who = append(p.Who, personal.MakeIdentity(personal.KindAccount, string(table.NewID())))
			}
		}, "/who"},
	} {
		_, err := d.Place(t.Context(), handler, d.on(c.scope, c.change))
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, field := range f.Fields {
			got = append(got, field.Pointer)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	if len(d.all(table.State)) != 0 || len(d.all(table.Audit)) != 0 {
		t.Error("a placement that was refused left something")
	}
}

func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.place(d.on(OnSource))
	for who, c := range map[string]struct {
		by          operator.Identity
		acts, reads bool
	}{"a handler": {handler, true, true}, "an auditor": {auditor, false, true}, "nobody": {operator.Identity{ID: "x"}, false, false}} {
		_, place := d.Place(t.Context(), c.by, d.on(OnSource))
		_, review := d.Review(t.Context(), c.by, h.ID, Reviewed{Review: d.clock().AddDate(0, 1, 0)}, Call{})
		_, get := d.Get(t.Context(), c.by, h.ID)
		_, _, list := d.List(t.Context(), c.by, Filter{})
		for what, got := range map[string][2]bool{
			"place": {place == nil, c.acts}, "review": {review == nil, c.acts}, "get": {get == nil, c.reads}, "list": {list == nil, c.reads},
		} {
			if got[0] != got[1] {
				t.Errorf("%s may %s: %t", who, what, got[0])
			}
		}
		if !c.acts {
			if _, err := d.Release(t.Context(), c.by, h.ID, "over", Call{}); !errors.Is(err, ErrForbidden) {
				t.Errorf("%s releases: %v", who, err)
			}
		}
	}
	for _, id := range []ID{"", "hnone", "h#1", ID(strings.Repeat("h", 65))} {
		if _, err := d.Get(t.Context(), handler, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestACallThatIsRepeatedActsOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	p := d.on(OnPerson, func(p *Placement) { p.Call = Call{Key: "k1", Body: "b1"} })
	h := d.place(p)
	if again := d.place(p); again.ID != h.ID {
		t.Error("placed twice with one key, there are two")
	}
	p.Call.Body = "b2"
	if _, err := d.Place(t.Context(), handler, p); !errors.Is(err, ErrReplay) {
		t.Errorf("one key, two contents: %v", err)
	}
	p.Call = Call{}
	if a, b := d.place(p), d.place(p); a.ID == b.ID || a.ID == h.ID {
		t.Error("placed twice without a key, there is one")
	}
	review := Reviewed{Review: d.clock().AddDate(0, 2, 0)}
	call := Call{Key: "k2", Body: "r"}
	for range 2 {
		if _, err := d.Review(t.Context(), handler, h.ID, review, call); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Review(t.Context(), handler, h.ID, review, Call{Key: "k2", Body: "other"}); !errors.Is(err, ErrReplay) {
		t.Errorf("one key, two reviews: %v", err)
	}
	call = Call{Key: "k2", Body: "over"} // keys are an action's own
	for range 2 {
		if r, err := d.Release(t.Context(), handler, h.ID, "over", call); err != nil || r.Status != Released {
			t.Fatal(r, err)
		}
	}
	if _, err := d.Release(t.Context(), handler, h.ID, "over", Call{Key: "k3"}); !errors.Is(err, ErrReleased) {
		t.Errorf("released twice: %v", err)
	}
	if _, err := d.Review(t.Context(), handler, h.ID, review, Call{Key: "k4"}); !errors.Is(err, ErrReleased) {
		t.Errorf("reviewed after its release: %v", err)
	}
	if got := d.told(h.ID); got != "operator:h1 place, operator:h1 review, operator:h1 release" {
		t.Error(got)
	}
	d.whole()
}

func TestManyHoldsOnTheSameAreEachTheirOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var wg sync.WaitGroup
	ids := make([]ID, 6)
	for i := range ids {
		wg.Go(func() {
			for {
				h, err := d.Place(d.ctx(), handler, d.on(OnSource, func(p *Placement) { p.Call.Key = string(rune('a' + i)) }))
				if fault.KindOf(err) == fault.Unavailable {
					continue
				}
				if err != nil {
					t.Error(err)
				}
				ids[i] = h.ID
				return
			}
		})
	}
	wg.Wait()
	d.whole()
	for i, id := range ids {
		if _, err := d.claim(d.page()); !held(err) {
			t.Errorf("%d of %d are released, and a page was claimed: %v", i, len(ids), err)
		}
		if _, err := d.Release(t.Context(), handler, id, "over", Call{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.claim(d.page()); err != nil {
		t.Errorf("all are released: %v", err)
	}
}

func TestTheListOfHolds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 7 {
		d.place(d.on(OnSource))
	}
	person := d.place(d.on(OnPerson))
	request := d.place(d.on(OnRequest))
	if _, err := d.Release(t.Context(), handler, person.ID, "over", Call{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    Filter
		want int
	}{
		"all": {Filter{}, 9}, "placing": {Filter{Status: Placing}, 8}, "released": {Filter{Status: Released}, 1},
		"sources": {Filter{Scope: OnSource}, 7}, "of a request": {Filter{For: "r1"}, 1}, "a few at a time": {Filter{Limit: 2}, 9},
	} {
		seen := map[ID]bool{}
		for f, n := c.f, 0; n < 10; n++ {
			holds, next, err := d.List(t.Context(), auditor, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range holds {
				seen[h.ID] = true
			}
			if f.Cursor = next; next == "" {
				break
			}
		}
		if len(seen) != c.want {
			t.Errorf("%s: %d, want %d", name, len(seen), c.want)
		}
		if name == "of a request" && !seen[request.ID] {
			t.Error("another request's hold is listed")
		}
	}
	if _, _, err := d.List(t.Context(), auditor, Filter{Cursor: "nonsense"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a cursor of nobody's: %v", err)
	}
}

// Nothing that a hold leaves anywhere names somebody.
func TestAHoldNamesNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.place(d.on(OnPerson, func(p *Placement) { p.Who = append(p.Who, adaA1) }))
	page := d.page(func(c *Claimed) { c.At = d.clock().Add(-time.Minute); c.Until = d.clock() })
	put, err := page.put(table.New)
	if err == nil {
		err = d.inner.Commit(t.Context(), table.NewID(), put)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.settled(h.ID)
	d.pass(200 * 24 * time.Hour)
	d.sweep() // the review
	for _, name := range table.Names {
		for _, item := range d.all(name) {
			for _, secret := range []string{"ada", "example.org", "a-1"} {
				if text := item.Key.Partition + item.Key.Sort + string(item.Body); strings.Contains(strings.ToLower(text), secret) {
					t.Errorf("%s holds %q: %s", item.Key.Partition, secret, text)
				}
			}
		}
	}
	if !slices.Contains(d.get(h.ID).Identifiers, d.id(adaA1)) {
		t.Error("an identity was lost")
	}
}

func TestWhoIsKnownByMoreIsHeldByAll(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.knows.kin[d.id(ada)] = []seal.Identifier{d.id(ada), d.id(adaA1)}
	h := d.place(d.on(OnPerson))
	if !slices.Equal(h.Identifiers, unique([]seal.Identifier{d.id(ada), d.id(adaA1)})) {
		t.Errorf("%v", h.Identifiers)
	}
	d.knows.fail = table.ErrBusy
	if _, err := d.Place(t.Context(), handler, d.on(OnPerson)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("who they are could not be asked: %v", err)
	}
}
