package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/table/tabletest"
)

// world is a hostile store, what is really in it, and its clock.
type world struct {
	*hostile.Table
	really table.Table
	at     time.Time
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{at: time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.at }
	w.really = tabletest.Embedded(t, now)
	w.Table = hostile.New(w.really, seed, now)
	return w
}

func item(sort string) table.Item {
	return table.Item{Key: table.Key{Partition: "p", Sort: sort}, Schema: 1, Subject: "u"}
}

func ref(sort string) table.Ref { return table.Ref{Table: table.State, Key: item(sort).Key} }

// met fails the test for every misfortune that did not happen.
func met(t *testing.T, times map[string]int, all ...string) {
	t.Helper()
	for _, name := range all {
		if times[name] == 0 {
			t.Errorf("never met: %s", name)
		}
	}
	t.Log(times)
}

func TestEveryMisfortuneOfACommitHappensAndNoneIsALie(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	times := map[string]int{}
	for i := range 500 {
		sort := fmt.Sprint(i)
		err := w.Commit(t.Context(), table.NewID(), table.Put(table.State, item(sort), table.New))
		_, gone := w.really.Get(t.Context(), ref(sort))
		done := gone == nil
		switch {
		case err == nil && done:
			times["done"]++
		case errors.Is(err, table.ErrBusy) && !done:
			times["busy"]++
		case errors.Is(err, table.ErrUnknown) && done:
			times["done but told it failed"]++
		case errors.Is(err, table.ErrUnknown) && !done:
			times["lost on the way there"]++
		default:
			t.Fatalf("a lie: the error is %v, it was done: %v", err, done)
		}
	}
	met(t, times, "done", "busy", "done but told it failed", "lost on the way there")
}

func TestEveryMisfortuneOfACountHappensAndNoneIsALie(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	times := map[string]int{}
	n := int64(0)
	for range 500 {
		_, err := w.Count(t.Context(), table.Tally{Ref: ref("a"), Limit: 1000, New: item("a")})
		before := n
		if it, gone := w.really.Get(t.Context(), ref("a")); gone == nil {
			n = it.Counted.N
		}
		switch {
		case err == nil && n == before+1:
			times["counted"]++
		case errors.Is(err, table.ErrBusy) && n == before:
			times["busy"]++
		case errors.Is(err, table.ErrUnknown) && n == before+1:
			times["counted but told it failed"]++
		default:
			t.Fatalf("a lie: the error is %v, counted %d", err, n-before)
		}
	}
	met(t, times, "counted", "busy", "counted but told it failed")
}

func TestPagesAreShortAndEmptyAndLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	for i := range 40 {
		if err := w.really.Commit(t.Context(), table.NewID(), table.Put(table.State, item(fmt.Sprintf("%02d", i)), table.New)); err != nil {
			t.Fatal(err)
		}
	}
	times := map[string]int{}
	for _, q := range []table.Query{{Table: table.State, Partition: "p", Limit: 10}, {Table: table.State, Index: table.Subject, Partition: "u", Limit: 10}} {
		for range 20 {
			q.Cursor = ""
			next := 0
			for more := true; more; more = q.Cursor != "" {
				p, err := w.Query(t.Context(), q)
				if errors.Is(err, table.ErrBusy) {
					times["busy"]++
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range p.Items {
					if want := fmt.Sprintf("%02d", next); it.Key.Sort != want {
						t.Fatalf("the walk came to %s, want %s", it.Key.Sort, want)
					}
					next++
				}
				switch {
				case len(p.Items) == 0 && p.Cursor != "":
					times["empty, but not the last"]++
				case len(p.Items) < q.Limit && p.Cursor != "":
					times["short, but not the last"]++
				}
				if q.Cursor = p.Cursor; q.Cursor == "" && next != 40 {
					t.Fatalf("the walk ended after %d", next)
				}
				if q.Cursor == "" {
					break
				}
			}
		}
	}
	met(t, times, "busy", "empty, but not the last", "short, but not the last")
}

func TestAnIndexIsStaleForTenSecondsAtMost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	s := table.Steady(w, func(context.Context, time.Duration) error { return nil })
	shows := func(u string) bool {
		q := table.Query{Table: table.State, Index: table.Subject, Partition: u}
		for {
			p, err := s.Query(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Items) > 0 || p.Cursor == "" {
				return len(p.Items) > 0
			}
			q.Cursor = p.Cursor
		}
	}
	times := map[string]int{}
	for i := range 60 {
		it := item("a")
		it.Subject = fmt.Sprint("u", i)
		pre := table.Exists
		if i == 0 {
			pre = table.New
		}
		w.at = w.at.Add(hostile.Staleness)
		if err := s.Commit(t.Context(), table.NewID(), table.Put(table.State, it, pre)); err != nil {
			t.Fatal(err)
		}
		for second := range 11 {
			is, was := shows(it.Subject), i > 0 && shows(fmt.Sprint("u", i-1))
			switch {
			case is && was:
				t.Fatal("the item is in two places at once")
			case second == 10 && !is:
				t.Fatal("the index is stale after ten seconds")
			case was:
				times["shows what is gone"]++
			case !is:
				times["hides what is new"]++
			default:
				times["fresh"]++
			}
			w.at = w.at.Add(time.Second)
		}
	}
	met(t, times, "shows what is gone", "hides what is new", "fresh")
}

func TestTheSameSeedIsTheSameMisfortune(t *testing.T) {
	t.Parallel()
	course := func(seed uint64) string {
		w := newWorld(t, seed)
		var s string
		for i := range 100 {
			err := w.Commit(t.Context(), table.ID(fmt.Sprint(i)), table.Put(table.State, item(fmt.Sprint(i)), table.New))
			s += fmt.Sprintln(err)
		}
		return s
	}
	if first, again := course(7), course(7); first != again {
		t.Error("one seed made two courses")
	}
	if course(7) == course(8) {
		t.Error("two seeds made one course")
	}
}

func TestTheStoreReadsForItselfAtNoCost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	var m table.Meter
	s := table.Steady(w, func(context.Context, time.Duration) error { return nil })
	if err := s.Commit(table.WithMeter(t.Context(), &m), "id", table.Put(table.State, item("a"), table.New)); err != nil {
		t.Fatal(err)
	}
	if m.Total().Read != 0 {
		t.Errorf("a commit cost reads:\n%s", &m)
	}
}
