package table_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

func TestAWalkVisitsEverythingThatIsDueOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	store := tabletest.Embedded(t, func() time.Time { return now })
	const n = 2000
	for i := range n {
		item := table.Item{
			Key: table.Key{Partition: fmt.Sprint("p", i), Sort: "-"}, Body: []byte("x"), Schema: 1,
			Due: now.Add(time.Duration(i-n/2) * time.Minute), // half of it is due
		}
		if err := store.Commit(t.Context(), table.NewID(), table.Put(table.State, item, table.New)); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		until time.Time
		some  bool // stop after every page
		want  int
	}{
		"what is due":       {now, false, n/2 + 1},
		"all":               {time.Time{}, false, n},
		"all, page by page": {time.Time{}, true, n},
		"nothing":           {now.AddDate(-1, 0, 0), true, 0},
	} {
		seen, calls := map[table.Key]int{}, 0
		enough := func() bool { return c.some }
		if !c.some {
			enough = nil
		}
		for cursor := ""; ; calls++ {
			next, err := table.WalkDue(t.Context(), store, cursor, c.until, func(k table.Key) error {
				seen[k]++
				return nil
			}, enough)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		for k, times := range seen {
			if times != 1 {
				t.Errorf("%s: %v is visited %d times", name, k, times)
			}
		}
		if len(seen) != c.want || c.some != (calls > 0) {
			t.Errorf("%s: %d are visited in %d calls, want %d", name, len(seen), calls+1, c.want)
		}
	}
	for _, bad := range []string{"x", "16.", "-1.", "1", "1.x"} {
		if _, err := table.WalkDue(t.Context(), store, bad, time.Time{}, func(table.Key) error { return nil }, nil); !errors.Is(err, table.ErrMalformed) {
			t.Errorf("the cursor %q: %v", bad, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	visits := 0
	_, err := table.WalkDue(ctx, store, "", time.Time{}, func(table.Key) error {
		visits++
		cancel()
		return ctx.Err()
	}, nil)
	if visits != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("after a visit that failed there are %d, %v", visits, err)
	}
}
