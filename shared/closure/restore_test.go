package closure

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

// copied are a closure's items as a backup has them.
func (d *desk) copied(id ID) map[table.Ref]*table.Item {
	d.t.Helper()
	list := map[table.Ref]*table.Item{id.Ref(): nil}
	if item, err := d.inner.Get(d.ctx(), id.Ref()); err == nil {
		c, err := decode(item)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, i := range c.Identifiers {
			list[pointerRef(i)] = nil
		}
	}
	for ref := range list {
		if item, err := d.inner.Get(d.ctx(), ref); err == nil {
			list[ref] = &item
		}
	}
	return list
}

// putBack puts a copy in the place of what is there.
func (d *desk) putBack(list map[table.Ref]*table.Item) {
	d.t.Helper()
	for ref, item := range list {
		_, err := d.inner.Get(d.ctx(), ref)
		there := err == nil
		var w table.Write
		switch {
		case item == nil && !there:
			continue
		case item == nil:
			w = table.Delete(ref, table.Exists)
		case there:
			w = table.Put(ref.Table, *item, table.Exists)
		default:
			w = table.Put(ref.Table, *item, table.New)
		}
		if err := d.inner.Commit(d.ctx(), table.NewID(), w); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *desk) restore(id ID) restore.What {
	d.t.Helper()
	page, err := d.inner.Query(d.ctx(), table.Query{Table: table.Audit, Partition: id.Chain()})
	if err != nil {
		d.t.Fatal(err)
	}
	out, err := d.Restore(d.ctx(), id.Chain(), decodeAll(d.t, page.Items))
	if err != nil {
		d.t.Fatal(err)
	}
	return out.What
}

// TestARestoreLosesNoClosure puts an old copy, or none, in the place of a closure at
// each stage of its life, and has the audit bring it back.
func TestARestoreLosesNoClosure(t *testing.T) {
	t.Parallel()
	stages := map[string]func(*desk, ID){
		"begun": func(*desk, ID) {},
		"cancelled": func(d *desk, _ ID) {
			patient(d, "cancel", func() error { _, err := d.CancelFor(d.ctx(), "shop", adas, Call{}); return err })
		},
		"closing": func(d *desk, id ID) { d.until(id, Closing) },
		"closed": func(d *desk, id ID) {
			d.until(id, Closing)
			d.work.finish()
			d.until(id, Closed)
		},
	}
	for name, reach := range stages {
		for _, lost := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				id := d.begun().ID
				old := d.copied(id)
				if lost {
					for ref := range old {
						old[ref] = nil
					}
				}
				reach(d, id)
				want := d.get(id)
				banner, stood, err := d.Standing(d.ctx(), adas)
				if err != nil {
					t.Fatal(err)
				}
				d.putBack(old)
				what := d.restore(id)
				if lost && what != restore.Remade || !lost && name != "begun" && what != restore.Advanced {
					t.Errorf("it is %s", what)
				}
				got := d.get(id)
				if got.Status != want.Status || !got.ClosesAt.Equal(want.ClosesAt) || !got.GoneBy.Equal(want.GoneBy) || got.Work != want.Work ||
					got.Subject != want.Subject || got.Holder != want.Holder || got.Mute != want.Mute || joined(got.Identifiers) != joined(want.Identifiers) || !got.Over.Equal(want.Over) {
					t.Errorf("it is\n%+v, want\n%+v", got, want)
				}
				if b, ok, err := d.Standing(d.ctx(), adas); err != nil || ok != stood || b.Status != banner.Status || b.Cancel != banner.Cancel {
					t.Errorf("the banner is %+v %v %v, want %+v %v", b, ok, err, banner, stood)
				}
				if again := d.restore(id); again != restore.Stood {
					t.Errorf("again it is %s", again)
				}
				if !got.Status.Final() { // it goes on
					d.work.finish()
					d.until(id, Closed)
				}
				d.entries(id) // the chain verifies
			})
		}
	}
}

func TestAPointerWithoutItsClosureGoes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begun().ID
	torn := d.copied(id)
	if _, err := d.CancelFor(d.ctx(), "shop", adas, Call{}); err != nil {
		t.Fatal(err)
	}
	delete(torn, id.Ref())
	d.putBack(torn)
	for ref := range torn {
		if gone, err := d.Orphan(d.ctx(), ref.Key); err != nil || !gone {
			t.Errorf("%s: %v %v", ref, gone, err)
		}
		if _, err := d.inner.Get(d.ctx(), ref); !errors.Is(err, table.ErrAbsent) {
			t.Errorf("%s is there: %v", ref, err)
		}
	}
	if _, err := d.Begin(d.ctx(), "shop", signed("begin-2")); err != nil {
		t.Fatal(err)
	}
	for ref := range torn {
		if gone, err := d.Orphan(d.ctx(), ref.Key); err != nil || gone {
			t.Errorf("one that is under way: %v %v", gone, err)
		}
	}
}

func TestWhoStillNeedsTheSalt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begun().ID
	c := d.get(id)
	unsettled := func() bool {
		t.Helper()
		d.pass(time.Minute) // indexes are late
		open, err := d.Unsettled(d.ctx(), c.Subject)
		if err != nil {
			t.Fatal(err)
		}
		return open
	}
	if !unsettled() {
		t.Error("a closure under way needs nobody")
	}
	if _, err := d.CancelFor(d.ctx(), "shop", adas, Call{}); err != nil {
		t.Fatal(err)
	}
	if !unsettled() {
		t.Error("a letter is still to be sent")
	}
	d.relay()
	if unsettled() {
		t.Error("a closure that is over and told needs somebody")
	}
}

func TestTheAuditHoldsNothingInClear(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begun().ID
	d.until(id, Closing)
	for _, e := range d.entries(id) {
		for _, f := range e.Facts {
			if strings.Contains(f.Value, "ada") || f.Value == "a-1" {
				t.Errorf("%s %s=%s", e.Action, f.Name, f.Value)
			}
		}
	}
}
