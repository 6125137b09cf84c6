package hold

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Whether a page may be claimed, by what the hold is on. A letter: h held, . not,
// i all but the item.
func TestWhatAHoldCovers(t *testing.T) {
	t.Parallel()
	pages := []struct {
		name   string
		change func(*desk, *Claimed)
	}{
		{"Ada's orders, for r1", func(*desk, *Claimed) {}},
		{"Ada's orders, for r2", func(_ *desk, c *Claimed) { c.Owner = ByRequest("r2") }},
		{"Grace's orders, for r3", func(d *desk, c *Claimed) { c.Owner, c.Identifiers = ByRequest("r3"), []seal.Identifier{d.id(grace)} }},
		{"Ada by an account that is tied to her", func(d *desk, c *Claimed) {
			c.Owner, c.Identifiers = ByRequest("r2"), []seal.Identifier{d.id(adaA1), d.id(ada)}
		}},
		{"letters in the shop, Grace's", func(d *desk, c *Claimed) {
			c.Owner, c.Category, c.Identifiers = ByRequest("r3"), "letters", []seal.Identifier{d.id(grace)}
		}},
		{"letters at the desk, Grace's", func(d *desk, c *Claimed) {
			c.Owner, c.Source, c.Category, c.Identifiers = ByRequest("r3"), "desk", "letters", []seal.Identifier{d.id(grace)}
		}},
		{"visits, Grace's", func(d *desk, c *Claimed) {
			c.Owner, c.Source, c.Category, c.Identifiers = ByRequest("r3"), "web", "visits", []seal.Identifier{d.id(grace)}
		}},
		{"a correction of Ada's", func(_ *desk, c *Claimed) { c.Corrects = true }},
	}
	holds := map[string]struct {
		place func(*desk) Placement
		want  string
	}{
		"a person":                  {func(d *desk) Placement { return d.on(OnPerson) }, "hh.h...h"},
		"a request":                 {func(d *desk) Placement { return d.on(OnRequest) }, "h......h"},
		"a category in all sources": {func(d *desk) Placement { return d.on(OnCategory) }, "....hh.."},
		"a category in one source":  {func(d *desk) Placement { return d.on(OnCategory, func(p *Placement) { p.Source = "desk" }) }, ".....h.."},
		"a source":                  {func(d *desk) Placement { return d.on(OnSource) }, "hhhhh..h"},
		"an item":                   {func(d *desk) Placement { return d.on(OnItem) }, "iiii...i"},
		"somebody else":             {func(d *desk) Placement { return d.on(OnPerson, func(p *Placement) { p.Who[0] = adaA1 }) }, "...h...."},
		"a person with all they are": {func(d *desk) Placement {
			d.knows.kin[d.id(adaA1)] = []seal.Identifier{d.id(ada)}
			return d.on(OnPerson, func(p *Placement) { p.Who[0] = adaA1 })
		}, "hh.h...h"},
		"an item of a category not seen": {func(d *desk) Placement { return d.on(OnItem, func(p *Placement) { p.Category = "letters" }) }, "....i..."},
	}
	for name, c := range holds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			h := d.place(c.place(d))
			for range 3 { // placing, in force, released
				status := d.get(h.ID).Status
				got := ""
				for _, p := range pages {
					page := d.page(func(c *Claimed) { p.change(d, c) })
					left, err := d.claim(page)
					switch {
					case held(err):
						if len(Blocking(err)) != 1 || Blocking(err)[0] != h.ID {
							t.Errorf("%s: held by %v", p.name, Blocking(err))
						}
						got += "h"
					case err != nil:
						t.Fatal(err)
					case len(left.Items) == 1 && left.Items[0] == "o-17" && left.By[0] == h.ID:
						got += "i"
					default:
						got += "."
					}
					if err == nil {
						d.settle(page, 0)
					}
				}
				want := c.want
				if status == Released {
					want = "........"
				}
				if got != want {
					t.Errorf("%s: %s, want %s", status, got, want)
				}
				d.whole()
				switch status {
				case Placing:
					d.settled(h.ID)
				case InForce:
					if _, err := d.Release(d.ctx(), handler, h.ID, "case-closed", Call{}); err != nil {
						t.Fatal(err)
					}
				case Released:
				}
			}
		})
	}
}

// What is claimed between the look at the fences and the commit.
func TestAPageThatWasReadBeforeAHoldCannotBeClaimedAfterIt(t *testing.T) {
	t.Parallel()
	for _, scope := range Scopes {
		t.Run(string(scope), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			page := d.page(func(c *Claimed) {
				if scope == OnCategory {
					c.Category = "letters"
				}
			})
			_, writes, err := Claim(d.ctx(), d.inner, page)
			if err != nil {
				t.Fatal(err)
			}
			watch := &Watch{}
			st, err := watch.Look(d.ctx(), d.inner)
			if err != nil {
				t.Fatal(err)
			}
			sweep, err := st.Claim(d.page(func(c *Claimed) { c.Owner, c.Page = BySweep("s1"), "sweep" }))
			if err != nil {
				t.Fatal(err)
			}
			h := d.place(d.on(scope))
			for what, writes := range map[string][]table.Write{"of a request": writes, "of a sweep": sweep} {
				if err := d.inner.Commit(d.ctx(), table.NewID(), writes...); !errors.Is(err, table.ErrConflict) {
					t.Errorf("a hold on a %s was placed since, and a page %s was claimed: %v", scope, what, err)
				}
			}
			if _, err := d.Release(d.ctx(), handler, h.ID, "over", Call{}); err != nil {
				t.Fatal(err)
			}
			for what, writes := range map[string][]table.Write{"of a request": writes, "of a sweep": sweep} {
				if err := d.inner.Commit(d.ctx(), table.NewID(), writes...); !errors.Is(err, table.ErrConflict) {
					t.Errorf("placed and released since, a page %s was claimed: %v", what, err)
				}
			}
			if _, err := d.claim(page); err != nil {
				t.Errorf("released: %v", err)
			}
		})
	}
}

func TestAFenceThatCannotBeReadHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema int
		body   string
	}{"of an earlier version": {1, `{"holds":0}`}, "of a later version": {3, `{}`}, "that is no JSON": {2, `{`}, "of another form": {2, `{"by":"1"}`}} {
		d := newDesk(t)
		for _, f := range []Fence{Source("shop"), Person(d.id(ada)), Request("r1"), all} {
			item := table.Item{Key: f.Ref().Key, Schema: c.schema, Body: []byte(c.body)}
			if err := d.inner.Commit(t.Context(), table.NewID(), table.Put(table.State, item, table.New)); err != nil {
				t.Fatal(err)
			}
			var err error
			switch f.kind {
			case aroundAll:
				_, err = (&Watch{}).Look(t.Context(), d.inner)
			default:
				_, err = Checks(t.Context(), d.inner, f)
			}
			if !held(err) {
				t.Errorf("a fence %s around a %s: %v", name, f.kind, err)
			}
		}
		if ok, err := d.Covered(t.Context(), []seal.Identifier{d.id(ada)}); !ok || err != nil {
			t.Errorf("a fence %s around a person does not cover them: %v", name, err)
		}
	}
}

type broken struct{ table.Table }

func (broken) Get(context.Context, table.Ref) (table.Item, error) { return table.Item{}, table.ErrBusy }

func TestAFenceThatCouldNotBeAskedForIsNotAbsent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, checks := Checks(t.Context(), broken{}, Source("shop"))
	_, _, claim := Claim(t.Context(), broken{}, d.page())
	_, covered := Covered(t.Context(), broken{}, []seal.Identifier{"i1"})
	_, look := (&Watch{}).Look(t.Context(), broken{})
	_, forgetting := Forgetting(t.Context(), broken{}, "r1", nil)
	for i, err := range []error{checks, claim, covered, look, forgetting} {
		if !errors.Is(err, table.ErrBusy) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestFencesOfDifferentThingsAreDifferent(t *testing.T) {
	t.Parallel()
	seen := map[table.Ref]bool{}
	for _, f := range []Fence{Person("x"), Request("x"), Source("x"), Person("y"), all} {
		if seen[f.Ref()] {
			t.Errorf("%s stands for two things", f.Ref())
		}
		seen[f.Ref()] = true
	}
}

// A hold on a request keeps what was sealed for its person readable, and no more.
func TestAHoldOnARequestKeepsItsRecordReadable(t *testing.T) {
	t.Parallel()
	for scope, want := range map[Scope]string{OnPerson: "covered, r1, r2", OnRequest: "covered, r1", OnSource: "", OnItem: "", OnCategory: ""} {
		d := newDesk(t)
		d.place(d.on(scope))
		got := ""
		add := func(yes bool, what string) {
			if yes {
				if got != "" {
					got += ", "
				}
				got += what
			}
		}
		ids := []seal.Identifier{d.id(grace), d.id(ada)}
		covered, err := d.Covered(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		add(covered, "covered")
		for _, r := range []string{"r1", "r2"} {
			_, err := Forgetting(t.Context(), d.inner, r, ids)
			if err != nil && !held(err) {
				t.Fatal(err)
			}
			add(held(err), r)
		}
		if got != want {
			t.Errorf("a hold on a %s: %q, want %q", scope, got, want)
		}
		if covered, err := d.Covered(t.Context(), ids[:1]); covered || err != nil {
			t.Errorf("a hold on a %s covers somebody else: %v", scope, err)
		}
	}
}

// A sweep leaves out what is held, and learns of every hold.
func TestASweepLeavesOutWhatIsHeld(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	watch := &Watch{}
	records := []struct {
		source, category, id string
		who                  []seal.Identifier
	}{
		{"shop", "orders", "o-17", []seal.Identifier{d.id(grace)}},
		{"shop", "orders", "o-18", []seal.Identifier{d.id(grace)}},
		{"shop", "orders", "o-19", []seal.Identifier{d.id(adaA1), d.id(ada)}},
		{"shop", "letters", "o-17", nil},
		{"desk", "letters", "l-1", nil},
		{"web", "visits", "v-1", []seal.Identifier{d.id(ada)}},
	}
	look := func() (kept string) {
		t.Helper()
		st, err := watch.Look(t.Context(), d.inner)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			mark := "."
			if st.Keeps(r.source, r.category, r.id, r.who...) {
				mark = "h"
			}
			kept += mark
			_, err := st.Claim(d.page(func(c *Claimed) {
				c.Owner, c.Source, c.Category, c.Records = BySweep("s1"), r.source, r.category, []Record{{r.id, r.who}}
			}))
			if held(err) != (mark == "h") {
				t.Errorf("%s of %s: %s, and the claim says %v", r.id, r.category, mark, err)
			}
		}
		return kept
	}
	if got := look(); got != "......" {
		t.Errorf("without holds %s", got)
	}
	for scope, want := range map[Scope]string{OnPerson: "..h..h", OnRequest: "......", OnCategory: "...hh.", OnSource: "hhhh..", OnItem: "h....."} {
		h := d.place(d.on(scope))
		if got := look(); got != want {
			t.Errorf("a hold on a %s: %s, want %s", scope, got, want)
		}
		if _, err := d.Release(t.Context(), handler, h.ID, "over", Call{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := look(); got != "......" {
		t.Errorf("all are released: %s", got)
	}
}

func TestAPageIsNotClaimedForLongerThanALease(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, change := range map[string]func(*Claimed){
		"a millisecond too long": func(c *Claimed) { c.Until = c.Until.Add(1e6) },
		"nobody's":               func(c *Claimed) { c.Owner = "" },
		"of no source":           func(c *Claimed) { c.Source = "" },
		"without a key":          func(c *Claimed) { c.Page = "" },
	} {
		if _, err := d.claim(d.page(change)); err == nil {
			t.Errorf("a page %s was claimed", name)
		}
	}
}

// What is remembered of a page never keeps the page from being done.
func TestALargePageIsClaimedWithoutItsIDs(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	page := d.page(func(c *Claimed) {
		c.Owner, c.Identifiers = BySweep("s1"), nil
		for i := range 1000 {
			c.Records = append(c.Records, Record{ID: fmt.Sprintf("%0300d", i), Who: []seal.Identifier{d.id(ada)}})
		}
	})
	put, err := page.put(table.New)
	if err != nil || len(put.Item.Body) > maxClaim {
		t.Fatalf("%d bytes, %v", len(put.Item.Body), err)
	}
	if page.Records[0].ID == "" {
		t.Error("the page itself lost its ids")
	}
	if err := d.inner.Commit(t.Context(), table.NewID(), put); err != nil {
		t.Fatal(err)
	}
	h := d.settled(d.place(d.on(OnItem)).ID)
	if len(h.Went) != 1 || h.Went[0].Outcome != Unknown {
		t.Errorf("an item that may have been on the page: %+v", h.Went)
	}
}

// Somebody may be known by more identities than a commit has room for.
func TestSomebodyKnownByHundredsIsClaimedAndHeld(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	page := d.page(func(c *Claimed) {
		for i := range 300 {
			c.Identifiers = append(c.Identifiers, seal.Identifier(fmt.Sprint("i1tied", i)))
		}
	})
	if _, err := d.claim(page); err != nil {
		t.Fatalf("nothing is held: %v", err)
	}
	again := page
	again.Page = "another"
	_, writes, err := Claim(d.ctx(), d.inner, again)
	if err != nil {
		t.Fatal(err)
	}
	d.place(d.on(OnPerson))
	if err := d.inner.Commit(d.ctx(), table.NewID(), writes...); !errors.Is(err, table.ErrConflict) {
		t.Errorf("a hold on the person was placed since: %v", err)
	}
	if _, err := d.claim(again); !held(err) {
		t.Errorf("held: %v", err)
	}
}
