package closure

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/table/hostile"
)

// story is what is left of a closure.
type story struct {
	told   string
	mails  []string
	opened int
	banner bool
}

// patient repeats a call under its key, as a person or a program does.
func patient(d *desk, what string, call func() error) {
	d.t.Helper()
	var err error
	for range 60 {
		if err = call(); err == nil {
			return
		}
		if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Unavailable {
			break
		}
		d.pass(time.Second)
	}
	d.t.Fatalf("%s: %v", what, err)
}

// byMail takes a closure from the form to its end, with the schedules alone.
func byMail(d *desk) story {
	d.t.Helper()
	var id ID
	patient(d, "ask", func() error {
		rec, err := d.Ask(d.ctx(), asks("ask-1"))
		id = rec.ID
		return err
	})
	for range 40 {
		if d.sweep(); len(d.post.mails) > 0 {
			break
		}
		d.pass(time.Minute)
	}
	token := d.post.token(d.t)
	patient(d, "confirm", func() error {
		_, err := d.Confirm(d.ctx(), token, Call{Key: "confirm-1"})
		return err
	})
	return ends(d, id)
}

// signedIn takes a closure from the signed-in app to its end.
func signedIn(d *desk) story {
	d.t.Helper()
	var id ID
	patient(d, "begin", func() error {
		v, err := d.Begin(d.ctx(), "shop", signed("begin-1"))
		id = v.ID
		return err
	})
	return ends(d, id)
}

// takenBack takes a closure from the signed-in app to where it is cancelled.
func takenBack(d *desk) story {
	d.t.Helper()
	var id ID
	patient(d, "begin", func() error {
		v, err := d.Begin(d.ctx(), "shop", signed("begin-1"))
		id = v.ID
		return err
	})
	patient(d, "cancel", func() error {
		_, err := d.CancelBy(d.ctx(), id, d.Mint(Token{ID: id, Verb: Session, Until: d.clock().Add(time.Hour)}), Call{Key: "cancel-1"})
		return err
	})
	d.until(id, Cancelled)
	return told(d, id)
}

func ends(d *desk, id ID) story {
	d.t.Helper()
	d.until(id, Closing)
	d.work.finish()
	d.until(id, Closed)
	return told(d, id)
}

func told(d *desk, id ID) story {
	d.t.Helper()
	d.on(d.inner)
	s := story{told: d.told(id), mails: d.post.subjects()}
	if c := d.get(id); c.Work != "" {
		if _, err := d.inner.Get(d.ctx(), c.Work.Ref()); err != nil {
			d.t.Errorf("the work: %v", err)
		}
		s.opened++
	}
	_, banner, err := d.Standing(d.ctx(), adas)
	if err != nil {
		d.t.Error(err)
	}
	s.banner = banner
	return s
}

// TestACrashAtEveryCallLosesAndRepeatsNothing runs whole closures, counts the calls
// that they make to the store, and runs them again for each of these: once the call
// fails, once it is done and nobody hears of it. The schedules finish them.
func TestACrashAtEveryCallLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for name, journey := range map[string]func(*desk) story{"by mail": byMail, "by an app": signedIn, "taken back": takenBack} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(t *testing.T, at int, lost bool) (story, *weather) {
				t.Helper()
				d := newDesk(t)
				w := &weather{Table: d.inner, at: at, lost: lost}
				d.on(w)
				return journey(d), w
			}
			want, calm := run(t, 0, false)
			t.Logf("%d calls to the store: %+v", calm.n, want)
			for i := 1; i <= calm.n; i++ {
				for _, lost := range []bool{false, true} {
					if lost && calm.log[i-1] == "get" {
						continue // a reading that nobody hears of is one that failed
					}
					t.Run(fmt.Sprintf("call %d, %s, lost %t", i, calm.log[i-1], lost), func(t *testing.T) {
						got, _ := run(t, i, lost)
						if got.told != want.told || !slices.Equal(got.mails, want.mails) || got.opened != want.opened || got.banner != want.banner {
							t.Errorf("it ends with\n%+v, want\n%+v", got, want)
						}
					})
				}
			}
		})
	}
}

// TestAHostileStore has everything fail now and then.
func TestAHostileStore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		for name, journey := range map[string]func(*desk) story{"by mail": byMail, "by an app": signedIn, "taken back": takenBack} {
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				t.Parallel()
				want := journey(newDesk(t))
				d := newDesk(t)
				d.on(hostile.New(d.inner, seed, d.clock))
				got := journey(d)
				if got.told != want.told || !slices.Equal(got.mails, want.mails) || got.opened != want.opened || got.banner != want.banner {
					t.Errorf("it ends with\n%+v, want\n%+v", got, want)
				}
			})
		}
	}
}
