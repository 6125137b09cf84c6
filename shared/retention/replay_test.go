package retention

import (
	"context"
	"errors"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// The ledger's walk after a restore takes whom it picks, whatever their age, once, and
// nobody else; a crash at any call has it go on.
func TestAReplayTakesWhomItPicks(t *testing.T) {
	t.Parallel()
	for at := range 40 {
		d := newDesk(t)
		d.Policy.Sources[0].PageSize = 10
		d.shop.fill(50, monday.Add(-time.Hour), time.Hour)
		d.shop.sort()
		erased := personal.MakeIdentity(personal.KindAccount, "p3")
		r := restore.Walking{
			Run: "replay-1", Place: restore.Place{Source: "shop", Category: "access_log", Verb: source.Delete}, Until: monday,
			Pick: func(_ context.Context, page []source.AgedRecord) ([]bool, error) {
				picked := make([]bool, len(page))
				for i, rec := range page {
					picked[i] = rec.Who[0] == erased
				}
				return picked, nil
			},
		}
		if at > 0 {
			_, _ = d.process(&calls{at: at, lost: at%2 == 0}).Again(t.Context(), r)
			d.turn(2 * time.Minute)
		}
		w, err := d.Again(t.Context(), r)
		if err != nil || !w.Over || w.Erased != 7 {
			t.Fatalf("call %d: %+v, %v", at, w, err)
		}
		for _, rec := range d.shop.index {
			if (rec.who == "p3") != (rec.gone == 1) {
				t.Errorf("call %d: %s of %s was expired %d times", at, rec.id, rec.who, rec.gone)
			}
		}
		before := d.shop.asked
		if again, err := d.Again(t.Context(), r); err != nil || again != w || d.shop.asked != before {
			t.Errorf("a second time: %+v, %v", again, err)
		}
		if d.exists(saltRef("replay-1#shop#access_log")) || d.exists(pageRef("replay-1#shop#access_log")) {
			t.Error("what was sealed for the walk is still there")
		}
	}
}

func TestAReplayThatCannotPickTakesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shop.fill(50, monday.Add(-time.Hour), time.Hour)
	d.shop.sort()
	fails := errors.New("the ledger cannot be read")
	r := restore.Walking{
		Run: "replay-1", Place: restore.Place{Source: "shop", Category: "access_log", Verb: source.Delete}, Until: monday,
		Pick: func(context.Context, []source.AgedRecord) ([]bool, error) { return nil, fails },
	}
	w, err := d.Again(t.Context(), r)
	if err != nil || w.Over || w.Fault != "unreachable" || w.After.IsZero() {
		t.Errorf("%+v, %v", w, err)
	}
	if all, _ := d.shop.left(monday); all != 50 {
		t.Errorf("%d are left", all)
	}
	// A walk under way is no rule: the sweeps leave it alone.
	d.Policy = testPolicy()
	d.sweeps(2 * day)
	if !d.exists(Ref("replay-1#shop#access_log")) {
		t.Error("the sweeps took the walk for a rule")
	}
}

// What a restored State table remembers of a run was sealed under a salt that is gone.
func TestARunGoesOnAfterItsSaltWasLost(t *testing.T) {
	t.Parallel()
	for at := 2; at < 30; at += 3 {
		d, due := few(t, false)
		_, _ = d.process(&calls{at: at, lost: true}).Sweep(t.Context())
		d.turn(2 * time.Minute)
		if item, err := d.inner.Get(t.Context(), saltRef("old-logs")); err == nil {
			if err := d.inner.Commit(t.Context(), table.NewID(), table.Delete(saltRef("old-logs"), table.Version(item.Version))); err != nil {
				t.Fatal(err)
			}
		}
		d.sweeps(2 * time.Hour)
		if _, old := d.shop.left(monday.AddDate(-2, 0, 0)); old != 0 {
			t.Errorf("killed at %d: %d of %d are left", at, old, due)
		}
		if v := d.show("old-logs"); v.Sweep.Last == nil || !v.Sweep.Last.Verified {
			t.Errorf("killed at %d: %+v", at, v.Sweep)
		}
	}
}
