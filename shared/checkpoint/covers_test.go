package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
)

const (
	r1  = "request#r1"
	day = 24 * time.Hour
)

// aged is an installation of 300 checkpoints, twelve days and a half, in which entries are
// kept for ten days. Three entries of a chain are of its first hours and have expired; the
// fourth came in hour 200, and what else happens then is the test's.
func aged(t *testing.T, then func(*world, *checkpoint.Service)) *world {
	t.Helper()
	w := newWorld(t)
	w.pol.Retention.Audit = policy.Period{Days: 10}
	s := w.plain()
	for hour := range 300 {
		switch {
		case hour < 3:
			w.add(r1, 1)
		case hour == 200:
			then(w, s)
		}
		w.deliver(s, 100)
		w.run(s)
		w.turn(time.Hour)
	}
	return w
}

func another(w *world, _ *checkpoint.Service) { w.add(r1, 1) }

// covers asks about an entry.
func (w *world) covers(vault checkpoint.Vault, e audit.Entry) bool {
	w.t.Helper()
	ok, err := w.service(w.store, vault).Look().Covers(w.t.Context(), e)
	if err != nil {
		w.t.Error(err)
	}
	return ok
}

// sealer returns the number of the checkpoint that sealed an entry.
func (w *world) sealer(e audit.Entry) int64 {
	w.t.Helper()
	for n := int64(1); ; n++ {
		object, ok := w.vault.objects[checkpoint.CheckpointKey(n)]
		if !ok {
			w.t.Fatalf("entry %d of %s was not sealed", e.Seq, e.Chain)
		}
		leaves, err := checkpoint.Decode(w.vault.objects[said(w.t, object).Leaves])
		if err != nil {
			w.t.Fatal(err)
		}
		if slices.Contains(leaves, checkpoint.LeafOf(e)) {
			return n
		}
	}
}

// What was sealed covers what expired before it, at the cost of a few calls, and only
// where something can have expired.
func TestACheckpointCoversWhatExpired(t *testing.T) {
	t.Parallel()
	w := aged(t, another)
	e := w.entries[r1][3]
	before := w.vault.gets
	if !w.covers(w.vault, e) {
		t.Error("nothing covers an entry that was sealed in time")
	}
	if n := w.vault.gets - before; n > 6 {
		t.Errorf("%d objects were read of 300 checkpoints", n)
	}
	if own := w.entries["checkpoint"]; !w.covers(w.vault, own[61]) { // one an hour: those of the first sixty hours have expired
		t.Error("nothing covers the chain of checkpoints")
	}
	if ok, err := w.plain().Look().Outlived(t.Context(), time.Time{}); !ok || err != nil {
		t.Errorf("older than entries are kept: %t, %v", ok, err)
	}

	changed := e
	changed.Actor = "operator:h1"
	later := e
	later.At = w.now()
	for name, c := range map[string]audit.Entry{"an entry that was changed": changed, "one that came since": later} {
		if w.covers(w.vault, c) {
			t.Errorf("%s is covered", name)
		}
	}

	// In an installation that is younger than entries are kept nothing has expired.
	for _, c := range []struct {
		days int
		want bool
	}{{10, true}, {12, true}, {13, false}, {30, false}} {
		w.pol.Retention.Audit.Days = c.days
		before = w.vault.gets
		if ok := w.covers(w.vault, e); ok != c.want || !ok && w.vault.gets != before+1 {
			t.Errorf("kept for %d days: %t after reading %d objects", c.days, ok, w.vault.gets-before)
		}
		if ok, err := w.plain().Look().Outlived(t.Context(), time.Time{}); ok != c.want || err != nil {
			t.Errorf("kept for %d days: outlived is %t, %v", c.days, ok, err)
		}
	}
}

// What was written lately has not expired, however old the installation is.
func TestWhatWasWrittenLatelyHasNotExpired(t *testing.T) {
	t.Parallel()
	w := aged(t, another)
	l := w.plain().Look()
	for name, c := range map[string]struct {
		at   time.Time
		want bool
	}{
		"before the first checkpoint": {w.now().Add(-90 * day), true},
		"ten days ago":                {w.now().Add(-10 * day), true},
		"a second less":               {w.now().Add(-10*day + time.Second), false},
		"now":                         {w.now(), false},
	} {
		if ok, err := l.Outlived(t.Context(), c.at); ok != c.want || err != nil {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
	}
}

// Entries keep the time that they were given. The shortest that any policy gave decides, and
// it is asked for once in a walk, and not at all where there is no checkpoint.
func TestTheShortestTimeThatAPolicyGaveDecides(t *testing.T) {
	t.Parallel()
	w := aged(t, another)
	e, calls, shortest := w.entries[r1][3], 0, policy.Period{Days: 10}
	w.pol.Retention.Audit.Days = 30
	s := w.plain()
	if ok, err := s.Look().Covers(t.Context(), e); ok || err != nil {
		t.Fatalf("where it was always 30 days: %t, %v", ok, err)
	}
	fails := errors.New("the line broke")
	var failing error
	s.Shortest = func(_ context.Context, now policy.Period) (policy.Period, error) {
		if calls++; now != w.pol.Retention.Audit {
			t.Errorf("%s is said to be in force", now)
		}
		return shortest, failing
	}
	l := s.Look()
	for range 3 {
		if ok, err := l.Covers(t.Context(), e); !ok || err != nil {
			t.Errorf("10 days, then 30: %t, %v", ok, err)
		}
	}
	if calls != 1 {
		t.Errorf("the policies were asked %d times in a walk", calls)
	}
	shortest.Days = 20
	if ok, err := s.Look().Covers(t.Context(), e); ok || err != nil {
		t.Errorf("20 days, then 30: %t, %v", ok, err)
	}
	failing = fails
	if _, err := s.Look().Covers(t.Context(), e); !errors.Is(err, fails) {
		t.Errorf("where policies cannot be read: %v", err)
	}
	fresh := newWorld(t).plain()
	fresh.Shortest = s.Shortest
	if ok, err := fresh.Look().Covers(t.Context(), e); ok || err != nil {
		t.Errorf("without a checkpoint: %t, %v", ok, err)
	}
	w.pol.Retention.Audit, s.Shortest = policy.Period{}, nil
	if ok, err := s.Look().Covers(t.Context(), e); ok || err != nil {
		t.Errorf("where no policy is in force: %t, %v", ok, err)
	}
}

// An entry that no checkpoint holds costs the most, also where checkpoints are many, and one
// that was asked about before costs nothing.
func TestWhatALookCosts(t *testing.T) {
	t.Parallel()
	var lost audit.Entry
	w := aged(t, func(w *world, s *checkpoint.Service) {
		w.deliver(s, 100)
		w.add(r1, 1)
		lost = w.taken()[0] // by the stream
		w.add(r1, 1)
		for range 90 {
			w.deliver(s, 100)
			w.run(s)
			w.turn(time.Minute)
		}
	})
	l, before := w.plain().Look(), w.vault.gets
	if ok, err := l.Covers(t.Context(), lost); ok || err != nil {
		t.Fatalf("what was never sealed is covered: %t, %v", ok, err)
	}
	if l.Reads() > 110 || l.Reads() != w.vault.gets-before {
		t.Errorf("it says that %d objects were read, and %d were", l.Reads(), w.vault.gets-before)
	}
	l, before = w.plain().Look(), 0 // read the first time
	for range 2 {
		if ok, err := l.Covers(t.Context(), w.entries[r1][4]); !ok || err != nil {
			t.Errorf("%t, %v", ok, err)
		}
		if before == 0 {
			before = l.Reads()
		}
	}
	if l.Reads() != before || before < 3 {
		t.Errorf("%d objects were read, and then %d once more", before, l.Reads()-before)
	}
}

// Whatever is not as it was written covers nothing.
func TestWhatWasTamperedWithCoversNothing(t *testing.T) {
	t.Parallel()
	w := aged(t, another)
	e := w.entries[r1][3]
	n := w.sealer(e)
	key := checkpoint.CheckpointKey(n)
	leaves := said(t, w.vault.objects[key]).Leaves
	first := checkpoint.CheckpointKey(1)
	for name, do := range map[string]func(*tampered){
		"the checkpoint is missing":           func(c *tampered) { delete(c.vault.objects, key) },
		"it was changed":                      func(c *tampered) { c.vault.objects[key][40] ^= 1 },
		"it is another's":                     func(c *tampered) { resign(t, c, n, seal.NewRing(), jws.Kind, func(*checkpoint.Statement) {}) },
		"it is another document":              func(c *tampered) { resign(t, c, n, w.ring, "erasure-certificate+jws", func(*checkpoint.Statement) {}) },
		"the one before stands in its place":  func(c *tampered) { c.vault.objects[key] = c.vault.objects[checkpoint.CheckpointKey(n-1)] },
		"its leaves are missing":              func(c *tampered) { delete(c.vault.objects, leaves) },
		"a leaf was changed":                  func(c *tampered) { changeHex(c.vault.objects[leaves], r1+" 4 ") },
		"the first checkpoint is missing":     func(c *tampered) { delete(c.vault.objects, first) },
		"the first checkpoint is another's":   func(c *tampered) { resign(t, c, 1, seal.NewRing(), jws.Kind, func(*checkpoint.Statement) {}) },
		"all but the first and last are gone": func(c *tampered) { only(c, 1, 300) },
		"the vault is empty":                  func(c *tampered) { clear(c.vault.objects) },
	} {
		c := w.copy()
		do(c)
		if w.covers(c.vault, e) {
			t.Errorf("%s, and the entry is covered", name)
		}
	}
	if !w.covers(w.copy().vault, e) {
		t.Error("unchanged, and the entry is not covered")
	}
}

// only leaves the checkpoints with these numbers.
func only(c *tampered, numbers ...int64) {
	for n := int64(1); n <= 300; n++ {
		if !slices.Contains(numbers, n) {
			delete(c.vault.objects, checkpoint.CheckpointKey(n))
		}
	}
}

// A stream that stood still for a day brings an entry late, and a clock may be ahead.
func TestWhatWasSealedLateIsCovered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hours int           // that pass before the entry is brought; less: it never is
		ahead time.Duration // of the clock of who wrote it
		want  bool
	}{
		"at once":           {0, 0, true},
		"after 23 hours":    {23, 0, true},
		"after 60 hours":    {60, 0, false}, // no stream keeps it for so long
		"never":             {-1, 0, false},
		"by a clock ahead":  {0, 2 * time.Minute, true},
		"from the far past": {0, -90 * day, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var waits []audit.Entry
			w := aged(t, func(w *world, s *checkpoint.Service) {
				w.deliver(s, 100)
				w.turn(c.ahead)
				w.add(r1, 1)
				w.turn(-c.ahead)
				waits = w.taken()
				for range max(c.hours, 0) {
					w.run(s)
					w.turn(time.Hour)
					w.deliver(s, 100)
				}
				if c.hours >= 0 {
					w.stream = waits
				}
			})
			if got := w.covers(w.vault, waits[0]); got != c.want {
				t.Errorf("covered: %t, want %t", got, c.want)
			}
		})
	}
}

// Entries that were sealed together with one that is left, and have not had their time,
// were removed. So was what was written over.
func TestWhatWasRemovedBeforeItsTimeIsNotCovered(t *testing.T) {
	t.Parallel()
	w := aged(t, another)
	w.pol.Retention.Audit = policy.Period{Days: 60}
	s := w.plain()
	w.turn(45 * day)
	w.deliver(s, 100)
	w.run(s)
	w.turn(time.Hour)
	w.add(r1, 2)
	w.deliver(s, 100)
	w.run(s)
	w.turn(16 * day)
	if w.covers(w.vault, w.entries[r1][5]) {
		t.Error("an entry of the same hour is missing, and is said to have expired")
	}
	if !w.covers(w.vault, w.entries[r1][4]) {
		t.Error("the first of that hour is left, and what is missing before it is not said to have expired")
	}
	w = aged(t, func(w *world, s *checkpoint.Service) {
		w.add(r1, 1)
		e := w.entries[r1][3]
		e.Actor = "clock"
		if err := s.Record(w.t.Context(), []audit.Entry{e}); err != nil {
			w.t.Fatal(err)
		}
	})
	if w.covers(w.vault, w.entries[r1][3]) {
		t.Error("an entry that was sealed with two contents is covered")
	}
}

// Checkpoints come in any rhythm where runs failed or were many: each entry is found, and
// the search ends.
func TestCheckpointsInAnyRhythmAreSearched(t *testing.T) {
	t.Parallel()
	const count = 300
	for seed := range uint64(3) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t)
		w.pol.Retention.Audit = policy.Period{Days: 1}
		s := w.plain()
		for range count {
			w.add(r1, 1)
			w.deliver(s, 100)
			w.run(s)
			gap := time.Duration(rnd.Int64N(int64(time.Minute)))
			if rnd.IntN(40) == 0 {
				gap = time.Duration(rnd.Int64N(int64(40 * day)))
			}
			w.turn(gap)
		}
		w.turn(2 * day)
		most, began := 0, w.vault.gets
		asked := 0
		for e := range slices.Chunk(w.entries[r1][1:], 5) {
			e, before := e[0], w.vault.gets
			asked++
			ok, err := w.plain().Look().Covers(t.Context(), e)
			if !ok || err != nil {
				t.Fatalf("entry %d, checkpoint %d: %t, %v", e.Seq, w.sealer(e), ok, err)
			}
			most = max(most, w.vault.gets-before)
		}
		// The first checkpoint, three times the steps of halving, and two objects for each that
		// the clocks' tolerance leaves in doubt.
		if most > 1+3*9+2*30 {
			t.Errorf("%d objects were read for one entry", most)
		}
		fmt.Printf("PROOF checkpoints: in %d checkpoints at odd times that of an entry is found by %d reads on average, and %d at most\n",
			count, (w.vault.gets-began)/asked, most)
	}
}

// A vault that does not answer says nothing about entries.
func TestAVaultThatDoesNotAnswerIsAnError(t *testing.T) {
	t.Parallel()
	w := aged(t, another)
	e := w.entries[r1][3]
	calls := 0
	for ; ; calls++ {
		f := &fuse{left: calls}
		ok, err := w.service(w.store, mortalVault{w.vault, f}).Look().Covers(t.Context(), e)
		if !f.burnt {
			break
		}
		if ok || !errors.Is(err, errDead) {
			t.Errorf("call %d fails: %t, %v", calls, ok, err)
		}
	}
	if calls < 3 {
		t.Errorf("it takes only %d calls", calls)
	}
	s := w.plain()
	s.Vault = nil
	if ok, err := s.Look().Covers(t.Context(), e); ok || err != nil {
		t.Errorf("without a vault: %t, %v", ok, err)
	}
	if ok, err := s.Look().Outlived(t.Context(), time.Time{}); ok || err != nil {
		t.Errorf("without a vault the installation is old: %t, %v", ok, err)
	}
	fresh := newWorld(t)
	if ok, err := fresh.plain().Look().Covers(t.Context(), e); ok || err != nil {
		t.Errorf("before the first checkpoint: %t, %v", ok, err)
	}
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("looking was logged: %s", w.log)
	}
}
