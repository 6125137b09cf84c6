package consent

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
)

// full is the size of a bar as it is promised; without it a test is a tenth of it.
func full() bool { return os.Getenv("RIGHTSDESK_PROVE") == "full" }

func size(whole int) int {
	if full() {
		return whole
	}
	return whole / 10
}

// TestBar1_ConcurrentChoices lets many calls at once capture and withdraw for few
// subjects: what stands in the end is the last record of each, every call that was
// accepted is in the history, and nothing else.
func TestBar1_ConcurrentChoices(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDeskOn(t, open)
			calls, subjects := size(10_000), size(100)
			accepted := make([]atomic.Int64, subjects)
			instances := make([]*Service, 8)
			for i := range instances {
				instances[i] = d.another()
			}
			who := func(n int) personal.Identity { return identity(personal.KindAccount, fmt.Sprintf("account-%d", n)) }
			started := time.Now()
			var busy, next atomic.Int64
			var wg sync.WaitGroup
			for worker := range 32 {
				wg.Go(func() {
					rnd := rand.New(rand.NewPCG(7, uint64(worker)))
					for {
						n := int(next.Add(1)) - 1
						if n >= calls {
							return
						}
						subject := n % subjects
						choice := Choices[rnd.IntN(len(Choices))]
						for {
							_, err := instances[worker%len(instances)].Capture(t.Context(), d.says(who(subject), choice, "newsletter"))
							if errors.Is(err, ErrBusy) { // refused, not taken: the caller comes again
								busy.Add(1)
								continue
							}
							if err != nil {
								t.Error(err)
							} else {
								accepted[subject].Add(1)
							}
							break
						}
					}
				})
			}
			wg.Wait()
			took := time.Since(started)
			total := int64(0)
			for n := range subjects {
				sub := d.get(who(n))
				entries := d.entries(sub)
				if int64(len(entries)) != accepted[n].Load() {
					t.Errorf("subject %d: %d calls were accepted, %d are recorded", n, accepted[n].Load(), len(entries))
				}
				total += int64(len(entries))
				last := entries[len(entries)-1]
				if st := sub.Purposes["newsletter"]; string(st.Choice) != last.Action || st.Seq != last.Seq || !st.At.Equal(last.At) {
					t.Errorf("subject %d: %+v stands, and the last record is %s %d", n, st, last.Action, last.Seq)
				}
				if want, got := "+consent", d.may(who(n), "newsletter"); (got == want) != (last.Action == string(Granted)) {
					t.Errorf("subject %d: it is %s after %s", n, got, last.Action)
				}
			}
			if total != int64(calls) {
				t.Errorf("%d calls, %d records", calls, total)
			}
			fmt.Printf("PROOF bar 1: %-8s %d calls on %d subjects in %.1fs, %d records, %d calls told to come again\n", name, calls, subjects, took.Seconds(), total, busy.Load())
		})
	}
}

// TestBar1_OneKeyIsOneRecord posts the same three times at once, on a good day
// and on one on which every sixteenth answer is lost.
func TestBar1_OneKeyIsOneRecord(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		for _, weather := range []string{"fair", "hostile"} {
			t.Run(name+", "+weather, func(t *testing.T) {
				t.Parallel()
				d := newDeskOn(t, open)
				for n := range size(200) {
					around := func(inner table.Table) table.Table { return inner }
					if weather == "hostile" {
						around = func(inner table.Table) table.Table {
							return hostile.New(inner, uint64(n), d.clock)
						}
					}
					who := identity(personal.KindAccount, fmt.Sprintf("account-%d", n))
					c := d.says(who, Granted, "newsletter")
					c.Attempt = Attempt{Key: "one-key", Body: "the same"}
					var mu sync.Mutex
					answers := map[string]int{}
					var wg sync.WaitGroup
					for range 3 {
						wg.Go(func() {
							s := d.another(around)
							for range 60 {
								done, err := s.Capture(t.Context(), c)
								if errors.Is(err, ErrBusy) { // as a good client does
									continue
								}
								if err != nil {
									t.Error(err)
									return
								}
								mu.Lock()
								defer mu.Unlock()
								answers[fmt.Sprint(done.Records)]++
								return
							}
							t.Error("no answer in sixty tries")
						})
					}
					wg.Wait()
					sub := d.get(who)
					if entries := d.entries(sub); len(entries) != 1 || len(answers) != 1 || len(sub.Calls) != 1 {
						t.Fatalf("%d records, %d calls remembered, answers %v", len(entries), len(sub.Calls), answers)
					}
				}
			})
		}
	}
}

// TestLinkedSubjectsAreChangedByEveryIdentifier changes one person by three
// identifiers at once.
func TestLinkedSubjectsAreChangedByEveryIdentifier(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ids := []personal.Identity{a1, ada, d.NewVisitor()}
	for _, i := range ids[1:] {
		if err := d.Link(d.ctx(), "shop", ids[0], i, Attempt{}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for n := range 60 {
		wg.Go(func() {
			for {
				_, err := d.another().Capture(t.Context(), d.says(ids[n%3], Choices[n%2], "newsletter"))
				if err == nil {
					return
				}
				if !errors.Is(err, ErrBusy) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	sub := d.get(ids[0])
	entries := d.entries(sub)
	if len(entries) != 62 { // two say who they are
		t.Errorf("%d records", len(entries))
	}
	for _, i := range ids[1:] {
		copied := d.get(i)
		if copied.ID != sub.ID || copied.Head != sub.Head || copied.Purposes["newsletter"] != sub.Purposes["newsletter"] {
			t.Errorf("%s: %+v, want %+v", i.Kind, copied.Purposes, sub.Purposes)
		}
	}
}
