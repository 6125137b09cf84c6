package request

import (
	"errors"
	"testing"
	"time"
)

// TestEveryPairOfStatusAndAction compares the state machine with this matrix,
// which was written by hand. A letter is the status that follows, a dot a refusal.
func TestEveryPairOfStatusAndAction(t *testing.T) {
	t.Parallel()
	letters := map[Status]byte{Unverified: 'u', Open: 'o', InProgress: 'i', Fulfilled: 'f', Denied: 'd', Revoked: 'r', Expired: 'e'}
	actions := []Action{
		Resend, Verify, Confirm, Accept, Looked, Work, Retry, Fulfil, Deliver, Deny, Revoke, Lapse, Clear, Overrun,
		Remind, Ask, Answer, Pause, Resume, Extend, Recount, Assign, Shred, Said, Withheld,
	}
	want := map[Status]string{
		//           resend verify confirm accept look work retry fulfil deliver deny revoke lapse clear overrun
		//           remind ask answer pause resume extend recount assign shred said withheld
		Unverified: "uo.......dre.." + "u.....u..uu",
		Open:       "oooio....dr..o" + "ooooooooooo",
		InProgress: "ii..iiif.dr..i" + "iiiiiiiiiii",
		Fulfilled:  "ff......f...f." + "........fff",
		Denied:     "dd..........d." + "........ddd",
		Revoked:    "............r." + "........rrr",
		Expired:    ".............." + ".........ee",
	}
	if len(actions) != len(Actions) || len(want) != len(Statuses) {
		t.Fatal("the matrix lacks an action or a status")
	}
	for _, s := range Statuses {
		for i, a := range actions {
			next, entry, err := Request{ID: "r1", Status: s}.Apply(a, ByClock, time.Unix(0, 0))
			switch letter := want[s][i]; {
			case letter == '.' && !errors.Is(err, ErrNotNow):
				t.Errorf("%s + %s = %s, %v; want a refusal", s, a, next.Status, err)
			case letter != '.' && (err != nil || letters[next.Status] != letter):
				t.Errorf("%s + %s = %s, %v; want %c", s, a, next.Status, err, letter)
			case letter != '.' && (entry.Action != string(a) || entry.Chain != "request#r1"):
				t.Errorf("%s + %s is recorded as %+v", s, a, entry)
			}
		}
	}
}

func TestEveryStatusCanEnd(t *testing.T) {
	t.Parallel()
	for _, from := range Statuses {
		reach, todo := map[Status]bool{}, []Status{from}
		for len(todo) > 0 {
			s := todo[0]
			todo = todo[1:]
			if reach[s] {
				continue
			}
			reach[s] = true
			for _, next := range moves[s] {
				todo = append(todo, next)
			}
		}
		ends := false
		for s := range reach {
			ends = ends || s.Final()
		}
		if !ends {
			t.Errorf("%s never ends", from)
		}
	}
}

func TestWhatIsOverIsClosedOnce(t *testing.T) {
	t.Parallel()
	first, later := time.Unix(100, 0), time.Unix(200, 0)
	r, _, err := Request{ID: "r1", Status: Unverified}.Apply(Revoke, ByPerson, first)
	if err != nil || !r.Closed.Equal(first) {
		t.Fatalf("closed %v, %v", r.Closed, err)
	}
	r, _, err = r.Apply(Clear, ByClock, later)
	if err != nil || !r.Closed.Equal(first) {
		t.Errorf("a later action moved the close to %v, %v", r.Closed, err)
	}
}
