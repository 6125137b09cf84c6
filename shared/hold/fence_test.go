package hold_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rightsdesk/shared/hold"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

var fences = []hold.Fence{hold.Person("s1"), hold.Request("r1"), hold.Source("shop")}

func open(t *testing.T) table.Table {
	t.Helper()
	return tabletest.Embedded(t, func() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) })
}

// place writes a fence's item.
func place(t *testing.T, s table.Table, f hold.Fence, schema int, body string) {
	t.Helper()
	pre := table.Exists
	if _, err := s.Get(t.Context(), f.Ref()); errors.Is(err, table.ErrAbsent) {
		pre = table.New
	}
	if err := s.Commit(t.Context(), table.NewID(), table.Put(table.State, table.Item{Key: f.Ref().Key, Schema: schema, Body: []byte(body)}, pre)); err != nil {
		t.Fatal(err)
	}
}

// claim is a commit that depends on the checks, as a page of work makes it.
func claim(t *testing.T, s table.Table, checks []table.Write) error {
	t.Helper()
	item := table.Item{Key: table.Key{Partition: "request#" + string(table.NewID()), Sort: "-"}, Schema: 1, Body: []byte("{}")}
	return s.Commit(t.Context(), table.NewID(), append([]table.Write{table.Put(table.State, item, table.New)}, checks...)...)
}

func TestWhatIsHeldCannotBeClaimed(t *testing.T) {
	t.Parallel()
	for _, f := range fences {
		t.Run(f.Ref().Key.Partition, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			checks, err := hold.Checks(t.Context(), s, fences...)
			if err != nil || len(checks) != len(fences) {
				t.Fatalf("without fences: %d checks, %v", len(checks), err)
			}
			if err := claim(t, s, checks); err != nil {
				t.Errorf("without fences: %v", err)
			}
			place(t, s, f, 1, `{"holds":1}`)
			if err := claim(t, s, checks); !errors.Is(err, table.ErrConflict) {
				t.Errorf("a hold was placed since: %v", err)
			}
			if _, err := hold.Checks(t.Context(), s, fences...); !errors.Is(err, hold.ErrHeld) {
				t.Errorf("held: %v", err)
			}
			place(t, s, f, 1, `{"holds":0}`)
			if checks, err = hold.Checks(t.Context(), s, fences...); err != nil {
				t.Fatalf("released: %v", err)
			}
			if err := claim(t, s, checks); err != nil {
				t.Errorf("released: %v", err)
			}
			place(t, s, f, 1, `{"holds":0}`)
			if err := claim(t, s, checks); !errors.Is(err, table.ErrConflict) {
				t.Errorf("placed and released since: %v", err)
			}
		})
	}
}

func TestAFenceThatCannotBeReadHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema int
		body   string
	}{"of a later version": {2, `{"holds":0}`}, "that is no JSON": {1, `{`}, "of another form": {1, `{"holds":"1"}`}} {
		s := open(t)
		place(t, s, fences[0], c.schema, c.body)
		if _, err := hold.Checks(t.Context(), s, fences...); !errors.Is(err, hold.ErrHeld) {
			t.Errorf("a fence %s: %v", name, err)
		}
	}
}

type broken struct{ table.Table }

func (broken) Get(context.Context, table.Ref) (table.Item, error) { return table.Item{}, table.ErrBusy }

func TestAFenceThatCouldNotBeAskedForIsNotAbsent(t *testing.T) {
	t.Parallel()
	if checks, err := hold.Checks(t.Context(), broken{}, fences...); !errors.Is(err, table.ErrBusy) || checks != nil {
		t.Errorf("%d checks, %v", len(checks), err)
	}
}

func TestFencesOfDifferentThingsAreDifferent(t *testing.T) {
	t.Parallel()
	seen := map[table.Ref]bool{}
	for _, f := range []hold.Fence{hold.Person("x"), hold.Request("x"), hold.Source("x"), hold.Person("y")} {
		if seen[f.Ref()] {
			t.Errorf("%s stands for two things", f.Ref())
		}
		seen[f.Ref()] = true
	}
}
