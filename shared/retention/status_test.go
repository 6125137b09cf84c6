package retention

import (
	"testing"
	"time"
)

// All pairs, the answer written by hand.
func TestWhatCanHappenToARule(t *testing.T) {
	t.Parallel()
	actions := []Action{Declare, Entrust, Watch, Look, Activate, Pause, Begin, End, Brake, Confirm, Retire}
	want := map[Status]string{ // in the order of actions
		"":        "dew........",
		New:       "dewl......r",
		Previewed: "dewla.....r",
		Active:    "dewl.pbek.r",
		Paused:    "dewla.....r",
		Braked:    "dewl.....cr",
		ByHand:    "dew......cr",
		Watched:   "dewl.....cr",
		Retired:   "dew........",
		replaying: "...........",
	}
	if len(want) != len(Statuses)+2 {
		t.Errorf("%d statuses, %d in the matrix", len(Statuses), len(want))
	}
	for s, row := range want {
		if len(row) != len(actions) {
			t.Fatalf("the row of %q has %d actions", s, len(row))
		}
		for i, a := range actions {
			next, e, err := Sweep{Rule: "r", Status: s}.Apply(a, "clock", time.Unix(1, 0))
			if allowed := row[i] != '.'; allowed != (err == nil) {
				t.Errorf("%q + %s: err = %v, allowed = %v", s, a, err, allowed)
			}
			if err == nil && (next.Status == "" || e.Action != string(a) || e.Chain != "sweep#r") {
				t.Errorf("%q + %s: %+v, %+v", s, a, next, e)
			}
		}
	}
}
