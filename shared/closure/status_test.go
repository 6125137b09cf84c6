package closure

import (
	"errors"
	"testing"
	"time"
)

func TestEveryActionInEveryStatus(t *testing.T) {
	t.Parallel()
	// In the order of actions: confirm cancel begin close lapse. A letter leads to grace,
	// cancelled, closing, closed (d) or lapsed; a dot is refused.
	want := map[Status]string{
		Asked:     "g...l",
		Grace:     ".xb..",
		Closing:   "...d.",
		Closed:    ".....",
		Cancelled: ".....",
		Lapsed:    ".....",
	}
	leads := map[byte]Status{'g': Grace, 'x': Cancelled, 'b': Closing, 'd': Closed, 'l': Lapsed}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, s := range Statuses {
		for i, a := range Actions {
			next, e, err := Closure{ID: "c1", Status: s}.Apply(a, byClock, now)
			if letter := want[s][i]; letter == '.' {
				if !errors.Is(err, ErrNotNow) {
					t.Errorf("%s + %s is possible", s, a)
				}
				continue
			} else if err != nil || next.Status != leads[letter] {
				t.Errorf("%s + %s is %s, %v; want %s", s, a, next.Status, err, leads[letter])
			}
			if e.Action != string(a) || e.Facts[0].Value != string(next.Status) || e.Chain != "closure#c1" {
				t.Errorf("%s + %s is told as %+v", s, a, e)
			}
			if next.Status.Final() == next.Over.IsZero() {
				t.Errorf("%s + %s is over at %v", s, a, next.Over)
			}
		}
	}
}

func TestEveryStatusCanEnd(t *testing.T) {
	t.Parallel()
	for _, s := range Statuses {
		seen := map[Status]bool{}
		for at := s; !at.Final(); {
			if seen[at] {
				t.Fatalf("%s goes round", s)
			}
			seen[at] = true
			for _, next := range moves[at] {
				at = next
			}
		}
	}
}
