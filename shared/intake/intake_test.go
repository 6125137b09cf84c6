package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/intake"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/table/tabletest"
)

func service(tb testing.TB) (*intake.Service, *time.Time) {
	tb.Helper()
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	return &intake.Service{
		Table: tabletest.Embedded(tb, clock), Now: clock,
		Policy: &policy.Policy{Intakes: []policy.Intake{
			{ID: "reports", Keep: []string{"users"}, Unknown: policy.DropField, Refuse: []policy.Forbidden{policy.CardNumbers}},
			{ID: "form", Keep: []string{"email"}, Unknown: policy.RefuseField},
		}},
	}, &now
}

func TestWhatWasThrownAwayIsCountedByNameAndNeverByValue(t *testing.T) {
	t.Parallel()
	s, now := service(t)
	take := func(objects ...string) []intake.Taken {
		var list []map[string]any
		for _, o := range objects {
			list = append(list, decode(t, o))
		}
		taken, err := s.Take(t.Context(), "reports", list)
		if err != nil {
			t.Fatal(err)
		}
		return taken
	}
	taken := take(`{"users":3,"owner":"Ada Lovelace","contact":{"mail":"ada@example.org"}}`, `{"users":4,"owner":"Grace"}`, `{"users":"4111111111111111"}`)
	if encode(t, taken[0].Kept) != `{"users":3}` || !errors.Is(taken[2].Err, intake.ErrForbidden) || taken[2].Kept != nil {
		t.Errorf("taken is %+v", taken)
	}
	take(`{"users":5,"ada@example.org":1,"0612345678":2,"` + strings.Repeat("x", 65) + `":3}`)
	*now = now.Add(24 * time.Hour)
	take(`{"users":6}`)

	counts, err := s.Counts(t.Context(), now.Add(-48*time.Hour))
	want := []intake.Count{
		{Channel: "reports", Day: "2026-05-05", Counted: intake.Day{Taken: 1}},
		{Channel: "reports", Day: "2026-05-04", Counted: intake.Day{
			Taken: 3, Refused: map[string]int{"forbidden_data": 1}, Dropped: map[string]int{"owner": 2, "contact": 1, intake.Unnamed: 3},
		}},
	}
	if err != nil || !reflect.DeepEqual(counts, want) {
		t.Errorf("counted is %+v, %v\nwant %+v", counts, err, want)
	}
	if later, err := s.Counts(t.Context(), *now); err != nil || len(later) != 1 {
		t.Errorf("from today on it is %+v, %v", later, err)
	}
	stored := contents(t, s.Table)
	for _, canary := range []string{"Ada", "Lovelace", "Grace", "ada@", "0612345678", "4111", "xxxx"} {
		if strings.Contains(stored, canary) {
			t.Errorf("%q is stored:\n%s", canary, stored)
		}
	}
}

func contents(tb testing.TB, t table.Table) string {
	tb.Helper()
	var all strings.Builder
	for _, channel := range []string{"reports", "form"} {
		page, err := t.Query(context.Background(), table.Query{Table: table.State, Partition: "intake#" + channel})
		if err != nil {
			tb.Fatal(err)
		}
		for _, item := range page.Items {
			fmt.Fprintf(&all, "%s %s %s\n", item.Key.Partition, item.Key.Sort, item.Body)
		}
	}
	return all.String()
}

func TestDataFromAnUndeclaredSourceIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := service(t)
	if taken, err := s.Take(t.Context(), "somewhere", []map[string]any{{"users": 1}}); taken != nil || !errors.Is(err, intake.ErrUndeclared) {
		t.Errorf("it took %+v, %v", taken, err)
	}
	for _, n := range []int{0, intake.MaxBatch + 1} {
		if _, err := s.Take(t.Context(), "reports", make([]map[string]any, n)); err == nil {
			t.Errorf("%d objects are taken", n)
		}
	}
	if got := contents(t, s.Table); got != "" {
		t.Errorf("it was counted: %s", got)
	}
}

func TestManyNamesAreCountedTogether(t *testing.T) {
	t.Parallel()
	s, now := service(t)
	object := map[string]any{}
	for i := range 300 {
		object[fmt.Sprintf("field%c%c", 'a'+i/26, 'a'+i%26)] = i
	}
	for range 2 {
		if _, err := s.Take(t.Context(), "reports", []map[string]any{object}); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := s.Counts(t.Context(), *now)
	if err != nil || len(counts) != 1 {
		t.Fatal(counts, err)
	}
	dropped := counts[0].Counted.Dropped
	if sum(dropped) != 600 || len(dropped) != 201 || dropped[intake.Other] != 200 {
		t.Errorf("%d names, %d fields, %d of them others", len(dropped), sum(dropped), dropped[intake.Other])
	}
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func TestTwoAtOnceAreBothCounted(t *testing.T) {
	t.Parallel()
	s, now := service(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := s.Take(t.Context(), "reports", []map[string]any{{"owner": json.Number("1")}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	counts, err := s.Counts(t.Context(), *now)
	if err != nil || len(counts) != 1 || counts[0].Counted.Dropped["owner"] != 4 || counts[0].Counted.Taken != 4 {
		t.Errorf("counted is %+v, %v", counts, err)
	}
}

// A store that fails now and then never makes a call that was answered count twice, or not at all.
func TestAHostileStoreLosesNoCount(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		s, now := service(t)
		inner := s.Table
		s.Table = table.Steady(hostile.New(inner, seed, s.Now), func(context.Context, time.Duration) error { return nil })
		answered := 0
		for range 40 {
			if _, err := s.Take(t.Context(), "reports", []map[string]any{{"owner": 1}}); err == nil {
				answered++
			}
		}
		s.Table = inner
		counts, err := s.Counts(t.Context(), *now)
		if err != nil || len(counts) != 1 || counts[0].Counted.Taken < answered || answered < 30 {
			t.Errorf("seed %d: %d were answered, counted is %+v, %v", seed, answered, counts, err)
		}
	}
}
