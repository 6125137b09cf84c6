package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// What was claimed before a hold was placed, by what became of it.
func TestAHoldListsWhatWentWhileItWasPlaced(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	put := func(c Claimed) Claimed {
		t.Helper()
		if _, err := d.claim(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	page := func(name string, change ...func(*Claimed)) Claimed {
		return d.page(append([]func(*Claimed){func(c *Claimed) { c.Page = name }}, change...)...)
	}
	sweep := func(c *Claimed) {
		c.Owner, c.Identifiers, c.Records = BySweep("s1"), nil, []Record{{"o-1", []seal.Identifier{d.id(grace)}}, {"o-2", []seal.Identifier{d.id(ada)}}, {"o-3", []seal.Identifier{d.id(ada), d.id(grace)}}}
	}
	before := put(page("over before"))
	d.settle(before, 3)
	d.pass(30 * time.Second)
	under := put(page("under way"))
	lost := put(page("lost"))
	put(page("of somebody else", func(c *Claimed) { c.Identifiers = []seal.Identifier{d.id(grace)} }))
	empty := put(page("found nothing"))
	swept := put(page("swept", sweep))
	half := put(page("swept in part", sweep))
	none := put(page("swept others", sweep))
	open := put(page("swept and lost", sweep))
	twice := put(page("repeated"))
	found := put(page("repeated, and nothing left"))
	_ = []Claimed{lost, open}

	h := d.place(d.on(OnPerson))
	d.pass(time.Second)
	d.settle(under, 7)
	d.settle(empty, 0)
	d.settle(swept, 3)
	d.settle(half, 2, "o-1", "o-3")
	d.settle(none, 1, "o-1")
	d.pass(20 * time.Second)
	// The answer of a page was lost, and it is repeated: by a worker that claimed it
	// before the hold as well.
	again := twice
	again.At, again.Until = twice.At.Add(time.Second), twice.Until.Add(time.Second)
	w, err := again.put(table.New)
	if err == nil {
		err = d.inner.Commit(t.Context(), table.NewID(), w)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.settle(again, 2)
	again = found
	again.At, again.Until = found.At.Add(time.Second), found.Until.Add(time.Second)
	if w, err = again.put(table.New); err == nil {
		err = d.inner.Commit(t.Context(), table.NewID(), w)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.settle(again, 0)

	got := d.settled(h.ID)
	want := []string{"lost unknown", "repeated done", "repeated, and nothing left unknown", "swept and lost unknown", "swept done", "swept in part done", "under way done"}
	if !slices.Equal(outcomes(got.Went), want) {
		t.Errorf("%q, want %q", outcomes(got.Went), want)
	}
	for _, w := range got.Went {
		said := map[string]string{"swept": "o-2 o-3", "swept in part": "o-3", "swept and lost": "o-2 o-3"}[w.Page]
		if strings.Join(w.IDs, " ") != said {
			t.Errorf("%s: %v, want %q", w.Page, w.IDs, said)
		}
		count := map[string]int{"under way": 7, "lost": 500, "repeated, and nothing left": 500, "repeated": 2, "swept": 2, "swept in part": 1, "swept and lost": 2}[w.Page]
		if w.Page == "repeated" && !w.At.Equal(twice.At) {
			t.Errorf("it was claimed first at %s: %+v", twice.At, w)
		}
		if w.Count != count || w.Source != "shop" || w.Category != "orders" || w.Owner == "" || w.At.IsZero() || w.Ended.IsZero() != (w.Outcome == Unknown) {
			t.Errorf("%+v, want %d", w, count)
		}
	}
	for _, e := range d.entries(h.ID) {
		if n := strings.Count(string(e.Encode()), `"outcome"`); e.Action == string(Settle) && n != len(want) {
			t.Errorf("the audit tells of %d", n)
		}
	}
}

func TestAHoldIsNotInForceWhileAPageFromBeforeMayBeginStill(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	// The clock of whoever claims is ahead, or the commit of the placing took its time.
	d.pass(10 * time.Second)
	page := d.page()
	if _, err := d.claim(page); err != nil {
		t.Fatal(err)
	}
	d.pass(-10 * time.Second)
	h := d.place(d.on(OnPerson))
	d.pass(Lease + margin)
	d.sweep()
	if got := d.get(h.ID); got.Status != Placing || got.Next().Before(page.Until) {
		t.Errorf("a lease is open until %s: %s, next %s", page.Until, got.Status, got.Next())
	}
	d.pass(10 * time.Second)
	d.sweep()
	if got := d.get(h.ID); got.Status != InForce || len(got.Went) != 1 {
		t.Errorf("it is over: %+v", got)
	}
}

func TestASettledPageDoesNotDelayAHold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(10 * time.Second)
	page := d.page()
	if _, err := d.claim(page); err != nil {
		t.Fatal(err)
	}
	d.settle(page, 1)
	d.pass(-10 * time.Second)
	h := d.place(d.on(OnPerson))
	d.pass(Lease + margin)
	d.sweep()
	if got := d.get(h.ID); got.Status != InForce || len(got.Went) != 1 || got.Went[0].Outcome != Done {
		t.Errorf("%+v", got)
	}
}

func TestAHoldIsInForceAfterALongOutageToo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.claim(d.page()); err != nil {
		t.Fatal(err)
	}
	h := d.place(d.on(OnPerson))
	d.pass(72 * time.Hour)
	d.sweep()
	if got := d.get(h.ID); got.Status != InForce || len(got.Went) != 1 || got.Went[0].Outcome != Unknown {
		t.Errorf("%+v", got)
	}
}

func TestAReviewIsBroughtUpUntilSomebodyDoesIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.place(d.on(OnSource, func(p *Placement) { p.Review = d.clock().AddDate(0, 0, 20) }))
	d.settled(h.ID)
	lines := func() (n int) {
		for _, item := range d.all(table.State) {
			if strings.HasPrefix(item.Key.Partition, "digest#operators#") && item.Key.Sort != "-" {
				n++
				if !strings.Contains(string(item.Body), `"call":"GET /v1/operator/holds/`+string(h.ID)) {
					t.Errorf("%s", item.Body)
				}
			}
		}
		return n
	}
	var told []int
	for range 40 {
		d.pass(24 * time.Hour)
		d.sweep()
		told = append(told, lines())
	}
	if told[18] != 0 || told[20] != 1 || told[25] != 1 || told[26] != 2 || told[39] != 3 {
		t.Errorf("lines by day: %v", told)
	}
	if _, err := d.Review(t.Context(), handler, h.ID, Reviewed{Review: d.clock().AddDate(0, 0, 10)}, Call{}); err != nil {
		t.Fatal(err)
	}
	before := lines()
	for range 8 {
		d.pass(24 * time.Hour)
		d.sweep()
	}
	if lines() != before {
		t.Error("reviewed, it is brought up all the same")
	}
	for range 4 {
		d.pass(24 * time.Hour)
		d.sweep()
	}
	if lines() != before+1 {
		t.Error("the next review is not brought up")
	}
}

func TestAHoldWithAnEndEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.place(d.on(OnSource, func(p *Placement) { p.Until = d.clock().AddDate(0, 0, 3) }))
	d.knows.unheld = nil
	waiting, err := Waiting(t.Context(), d.inner, d.clock().AddDate(0, 0, 3), "r7", h.ID)
	if err == nil {
		err = d.inner.Commit(t.Context(), table.NewID(), waiting...)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		d.pass(24 * time.Hour)
		d.sweep()
	}
	if got := d.get(h.ID); got.Status != Released || got.Reason != "ended" {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(d.knows.unheld, []string{"r7"}) {
		t.Errorf("woken: %v", d.knows.unheld)
	}
	if got := d.told(h.ID); got != "operator:h1 place, clock in_force, clock release" {
		t.Error(got)
	}
	d.whole()
}

func TestWhoWaitsForAHoldIsWokenByItsRelease(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.place(d.on(OnSource))
	for range 3 { // noted again and again
		for _, r := range []string{"r1", "r2"} {
			waiting, err := Waiting(t.Context(), d.inner, d.clock(), r, h.ID)
			if err == nil && len(waiting) > 0 {
				err = d.inner.Commit(t.Context(), table.NewID(), waiting...)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		d.pass(2 * time.Hour)
	}
	d.knows.fail = table.ErrBusy // that somebody cannot be woken is no reason not to release
	if _, err := d.Release(t.Context(), handler, h.ID, "over", Call{}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.knows.unheld, []string{"r1", "r2"}) {
		t.Errorf("woken: %v", d.knows.unheld)
	}
}

// A category that is held wherever it is is held in a source that comes later, too.
func TestAHoldOnACategoryReachesSourcesThatComeLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := d.settled(d.place(d.on(OnCategory)).ID)
	d.Policy.Sources = append(d.Policy.Sources, policy.Source{ID: "archive", Holdings: []policy.Holding{{Category: "letters"}}})
	page := d.page(func(c *Claimed) { c.Source, c.Category, c.Page = "archive", "letters", "late" })
	d.pass(23*time.Hour + 59*time.Minute)
	page.At, page.Until = d.clock(), d.clock().Add(Lease)
	if _, err := d.claim(page); err != nil {
		t.Fatalf("nobody looked yet: %v", err)
	}
	d.pass(time.Minute)
	d.sweep()
	if got := d.get(h.ID); got.Status != Placing || !slices.Equal(got.Fenced, []string{"archive", "desk", "shop"}) {
		t.Fatalf("%+v", got)
	}
	if got := d.settled(h.ID); got.Status != InForce || len(got.Went) != 1 || got.Went[0].Page != "late" {
		t.Errorf("%+v", got)
	}
	if _, err := d.claim(d.page(func(c *Claimed) { c.Source, c.Category = "archive", "letters" })); !held(err) {
		t.Errorf("in the new source: %v", err)
	}
	for range 5 {
		d.pass(24 * time.Hour)
		d.sweep()
	}
	if got := d.told(h.ID); got != "operator:h1 place, clock in_force, clock widen, clock in_force" {
		t.Errorf("a look that finds nothing is recorded: %s", got)
	}
	d.whole()
}

func TestKeysOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, k := range []table.Key{{Partition: "request#r1", Sort: "-"}, {Partition: "holds"}, {Partition: "held", Sort: "h1"}} {
		if IsKey(k) || d.Tick(t.Context(), k) != nil {
			t.Errorf("%v is taken for a hold", k)
		}
	}
	if err := d.Tick(t.Context(), ID("hgone").Key()); err != nil {
		t.Errorf("a hold that is gone: %v", err)
	}
}

// slowly lets something happen before a query.
type slowly struct {
	table.Table
	before func()
}

func (s slowly) Query(ctx context.Context, q table.Query) (table.Page, error) {
	s.before()
	return s.Table.Query(ctx, q)
}

func TestAHoldIsInForceFromAfterThePagesThatEndedWhileItLooked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(30 * time.Second)
	page := d.page()
	if _, err := d.claim(page); err != nil {
		t.Fatal(err)
	}
	d.pass(-30 * time.Second)
	h := d.place(d.on(OnSource))
	d.pass(Lease + margin)
	once := false
	d.Table = slowly{d.inner, func() {
		if !once {
			once = true
			d.pass(10 * time.Second)
			d.settle(page, 3)
		}
	}}
	d.sweep()
	if got := d.get(h.ID); got.Status != InForce || len(got.Went) != 1 || got.InForce.Before(got.Went[0].Ended) {
		t.Errorf("in force from %s on, and %+v", got.InForce, got.Went)
	}
}

// Ids of records are as long as stores make them; an item takes 400 KB.
func TestWhateverIsHeldFitsIntoItsItems(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 250)
	var h Hold
	var went []Went
	for n := range 2 * maxWent {
		w := Went{Source: "shop", Category: "account", Owner: ByRequest("r1"), Page: fmt.Sprintf("page-%d", n), Count: 100, Outcome: Done}
		for i := range 100 {
			w.IDs = append(w.IDs, fmt.Sprintf("%s%06d", long, n*100+i))
		}
		went = append(went, w)
	}
	h.list(went)
	body, err := json.Marshal(h)
	if err != nil || len(body) > 400<<10 || len(h.Went) != maxWent || h.Omitted != maxWent {
		t.Errorf("a hold of %d bytes lists %d and omits %d, %v", len(body), len(h.Went), h.Omitted, err)
	}
	facts, err := h.told()
	size := 0
	for _, f := range facts {
		size += len(f.Name) + len(f.Value)
	}
	if err != nil || size > 400<<10 || len(facts) != maxWent {
		t.Errorf("an entry of %d bytes tells %d, %v", size, len(facts), err)
	}
	f := fence{at: Source("shop")}
	for n := range maxBehind {
		f.By = append(f.By, behind{Hold: ID(fmt.Sprintf("h%d", n)), Category: "account", Item: fmt.Sprintf("%s%06d", long, n)})
	}
	if w, err := f.put(time.Now()); !errors.Is(err, ErrTooMany) {
		t.Errorf("a fence of %d bytes: %v", len(w.Item.Body), err)
	}
}
