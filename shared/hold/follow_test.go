package hold

import (
	"testing"
	"time"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// follows commits what a request wants held.
func (d *desk) follows(f Following) (wrote bool) {
	d.t.Helper()
	writes, err := d.Following(d.ctx(), f)
	if err == nil && len(writes) > 0 {
		err = d.inner.Commit(d.ctx(), table.NewID(), writes...)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return len(writes) > 0
}

func TestAnAutomaticHoldFollowsItsRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := Following{Request: "r1", Identifiers: []seal.Identifier{d.id(ada)}, Basis: Recourse, Article: "s. 8(8) PIPEDA"}
	id := d.derive("following", "r1")
	steps := []struct {
		name   string
		change func()
		wrote  bool
		told   string
	}{
		{"verified", func() {}, true, "policy place"},
		{"again", func() {}, false, "policy place"},
		{"a source tied an account to her", func() { f.Identifiers = append(f.Identifiers, d.id(adaA1)) }, true, "policy place, policy widen"},
		{"answered", func() { f.Until = d.clock().AddDate(0, 6, 0) }, true, "policy place, policy widen, policy review"},
		{"again", func() {}, false, "policy place, policy widen, policy review"},
		{"less than was known", func() { f.Identifiers = f.Identifiers[:1] }, false, "policy place, policy widen, policy review"},
	}
	for _, s := range steps {
		s.change()
		if wrote := d.follows(f); wrote != s.wrote {
			t.Errorf("%s: something was written: %t", s.name, wrote)
		}
		if got := d.told(id); got != s.told {
			t.Errorf("%s: %s", s.name, got)
		}
	}
	h := d.settled(id)
	if !h.Automatic || h.For != "r1" || h.Scope != OnPerson || h.Owner != ByPolicy || len(h.Identifiers) != 2 || h.Basis != Recourse || !h.Review.IsZero() {
		t.Errorf("%+v", h)
	}
	for c, want := range map[*Claimed]bool{
		{Owner: ByRequest("r2")}: true, {Owner: ByRequest("r1")}: true, {Owner: ByRequest("r2"), Corrects: true}: false,
	} {
		page := d.page(func(p *Claimed) { p.Owner, p.Corrects = c.Owner, c.Corrects })
		if _, err := d.claim(page); held(err) != want {
			t.Errorf("%s, corrects %t: %v", c.Owner, c.Corrects, err)
		}
	}
	d.pass(183 * 24 * time.Hour)
	d.pass(3 * 24 * time.Hour)
	d.sweep()
	if h := d.get(id); h.Status != Released || h.Reason != "ended" {
		t.Errorf("its recourse is over: %+v", h)
	}
	if d.follows(f) {
		t.Error("what is over began anew")
	}
	d.whole()
}

func TestADisputeSparesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := Following{Request: "c1", Identifiers: []seal.Identifier{d.id(ada)}, Basis: Dispute, Spares: "r1"}
	d.follows(f)
	for owner, want := range map[string]bool{"r1": false, "r2": true} {
		if _, err := d.claim(d.page(func(c *Claimed) { c.Owner = ByRequest(owner) })); held(err) != want {
			t.Errorf("%s: %v", owner, err)
		}
	}
	if _, err := Forgetting(t.Context(), d.inner, "r1", f.Identifiers); !held(err) {
		t.Errorf("the record of what is disputed may be forgotten: %v", err)
	}
	st, err := (&Watch{}).Look(t.Context(), d.inner)
	if err != nil || !st.Keeps("shop", "orders", "o-1", d.id(ada)) {
		t.Errorf("a sweep may go on: %v", err)
	}
	h := d.settled(d.derive("following", "c1"))
	if len(h.Went) != 0 {
		t.Errorf("what was spared is listed: %+v", h.Went)
	}
	f.Over = true
	d.follows(f)
	if h := d.get(h.ID); h.Status != Released || h.Reason != "over" {
		t.Errorf("%+v", h)
	}
	d.whole()
}

func TestAnAutomaticHoldThatWasReleasedStaysReleased(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := Following{Request: "r1", Identifiers: []seal.Identifier{d.id(ada)}, Basis: Recourse}
	d.follows(f)
	id := d.derive("following", "r1")
	if _, err := d.Review(t.Context(), handler, id, Reviewed{Review: d.clock().AddDate(0, 1, 0), Until: d.clock().AddDate(0, 1, 0)}, Call{}); err == nil {
		t.Error("an operator moved the law's end")
	}
	if _, err := d.Release(t.Context(), handler, id, "waived", Call{}); err != nil {
		t.Fatal(err)
	}
	f.Until = d.clock().AddDate(0, 6, 0)
	if d.follows(f) {
		t.Error("it was placed anew")
	}
	for name, f := range map[string]Following{
		"that never was verified": {Request: "r2", Identifiers: f.Identifiers, Over: true},
		"whose recourse is over":  {Request: "r3", Identifiers: f.Identifiers, Until: d.clock()},
	} {
		if d.follows(f) {
			t.Errorf("a hold for a request %s", name)
		}
	}
	d.whole()
}
