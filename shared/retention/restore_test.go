package retention

import (
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

// copied is what stands under a rule's keys at one moment.
func (d *desk) copied(rule string) []table.Write {
	d.t.Helper()
	var writes []table.Write
	for _, ref := range []table.Ref{Ref(rule), pageRef(rule)} {
		item, err := d.inner.Get(d.ctx(), ref)
		if err != nil {
			continue
		}
		writes = append(writes, table.Put(table.State, table.Item{Key: item.Key, Body: item.Body, Schema: item.Schema, Due: item.Due, Expires: item.Expires}, table.New))
	}
	return writes
}

// restored puts a copy back in place of what stands.
func (d *desk) restored(rule string, writes []table.Write) {
	d.t.Helper()
	for _, ref := range []table.Ref{Ref(rule), pageRef(rule)} {
		if d.exists(ref) {
			if err := d.inner.Commit(d.ctx(), table.NewID(), table.Delete(ref, table.Exists)); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	if len(writes) > 0 {
		if err := d.inner.Commit(d.ctx(), table.NewID(), writes...); err != nil {
			d.t.Fatal(err)
		}
	}
}

// replay has the sweep of a rule rebuilt, and rebuilt again.
func (d *desk) replay(rule string) restore.Outcome {
	d.t.Helper()
	out, err := d.Restore(d.ctx(), ChainOf(rule), d.chain(rule))
	if err != nil {
		d.t.Fatal(err)
	}
	if again, err := d.Restore(d.ctx(), ChainOf(rule), d.chain(rule)); err != nil || again.What != restore.Stood {
		d.t.Errorf("rebuilt again: %+v, %v", again, err)
	}
	return out
}

// chain is the whole chain of a rule, whatever its head remembers.
func (d *desk) chain(rule string) []audit.Entry {
	d.t.Helper()
	var list []audit.Entry
	for cursor := ""; ; {
		page, err := d.inner.Query(d.ctx(), table.Query{Table: table.Audit, Partition: ChainOf(rule), Cursor: cursor})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if err != nil {
				d.t.Fatal(err)
			}
			list = append(list, e)
		}
		if cursor = page.Cursor; cursor == "" {
			return list
		}
	}
}

// Whatever copy comes back, the rule stands where its chain says, takes its next
// commits, and no day has two shares.
func TestARuleIsRebuiltFromItsChain(t *testing.T) {
	t.Parallel()
	rule := logs()
	rule.Brake = policy.Brake{Percent: 100, Cap: 200}
	for name, when := range map[string]string{
		"it was not there": "never", "before its preview": "new", "before its activation": "previewed",
		"amid the run": "running", "after the brake": "braked", "as it is": "now",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, rule)
			d.years()
			copies := map[string][]table.Write{"never": nil}
			d.shop.during = func(what string) {
				if what == "old" && copies["new"] == nil {
					copies["new"] = d.copied("old-logs")
				}
				if what == "expire" && d.shop.expiries == 2 {
					copies["running"] = d.copied("old-logs")
				}
			}
			d.sweep()
			copies["previewed"] = d.copied("old-logs")
			d.activate("old-logs")
			d.sweep()
			copies["braked"] = d.copied("old-logs")
			v := d.show("old-logs")
			if v.Sweep.Status != Braked {
				t.Fatalf("%+v", v.Sweep)
			}
			d.turn(time.Second)
			if _, err := d.Confirm(t.Context(), handler, "old-logs", v.Version, 0); err != nil {
				t.Fatal(err)
			}
			copies["now"] = d.copied("old-logs")
			before, _ := d.shop.left(monday)
			d.restored("old-logs", copies[when])
			out := d.replay("old-logs")
			if want := map[string]restore.What{"never": restore.Remade}[when]; want != "" && out.What != want {
				t.Errorf("%+v", out)
			}
			v = d.show("old-logs")
			if v.Sweep.Status != Active || v.Sweep.Run != nil || v.Sweep.Page != nil || v.Sweep.Inventory.Total == 0 {
				t.Errorf("%+v", v.Sweep)
			}
			d.sweeps(time.Hour)
			if after, _ := d.shop.left(monday); after != before {
				t.Errorf("on the day of the restore %d more went", before-after)
			}
			d.turn(day - 4*time.Hour)
			d.sweep()
			if after, _ := d.shop.left(monday); before-after != 200 {
				t.Errorf("on the day after it %d went", before-after)
			}
			d.entries("old-logs")
		})
	}
}

func TestAPausedRuleStaysPausedAndAGoneOneGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.years()
	d.activate("old-logs")
	copied := d.copied("old-logs")
	if _, err := d.Pause(t.Context(), handler, "old-logs"); err != nil {
		t.Fatal(err)
	}
	d.restored("old-logs", copied)
	if out := d.replay("old-logs"); out.What != restore.Advanced || d.show("old-logs").Sweep.Status != Paused {
		t.Errorf("%+v, %+v", out, d.show("old-logs").Sweep)
	}
	d.sweeps(2 * day)
	if d.shop.expiries > 0 {
		t.Error("a paused rule went on after a restore")
	}
	d.Policy = testPolicy()
	d.sweeps(2 * day)
	d.restored("old-logs", copied)
	d.replay("old-logs")
	if sw, err := d.load(t.Context(), "old-logs"); err != nil || sw.Status != Retired || !sw.Due.IsZero() {
		t.Errorf("%+v, %v", sw, err)
	}
	if !d.Chain("sweep#old-logs") || d.Chain("hold#1") {
		t.Error("the chains of sweeps are not told apart")
	}
}
