package law_test

import (
	"flag"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/law"
)

// The properties hold for every law, on cases that nobody thought of. The same
// seed makes the same cases; -seed tries others.
var seed = flag.Uint64("seed", 1, "of the random cases")

// dice makes random cases.
type dice struct {
	*rand.Rand
	ids    []string
	zones  []*time.Location
	places []string
}

func newDice(t *testing.T, salt uint64) dice {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", *seed)
		}
	})
	d := dice{Rand: rand.New(rand.NewPCG(*seed, salt)), places: slices.Clone(places)}
	for _, p := range law.Packs() {
		if !slices.Contains(d.ids, p.ID) {
			d.ids = append(d.ids, p.ID)
		}
	}
	for _, name := range zones {
		d.zones = append(d.zones, zone(t, name))
	}
	return d
}

var places = []string{"", "DE", "DE-BY", "FR", "FR-IDF", "GB", "GB-ENG", "GB-SCT", "IE", "US-CA", "US-VA", "CA", "CA-QC", "CA-AB", "NZ", "BR", "AR", "ZZ"}

func one[T any](d dice, of []T) T { return of[d.IntN(len(of))] }

// laws are some that were all in force on a day.
func (d dice) laws(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = one(d, d.ids)
	}
	return ids
}

// any is a case of up to six laws; most packs are in force when it comes.
func (d dice) any() law.Case {
	z := one(d, d.zones)
	c := law.Case{
		Regimes: d.laws(1 + d.IntN(3)), Right: one(d, allRights), Zone: z, Place: one(d, places),
		Received: time.Date(2027, time.May, 20, d.IntN(24), d.IntN(60), d.IntN(60), 0, z).AddDate(0, 0, d.IntN(4000)),
	}
	if d.IntN(4) == 0 { // before some laws were there, or were as they are
		c.Received = c.Received.AddDate(-8, 0, 0)
	}
	if d.IntN(3) == 0 {
		c.Regimes = append(c.Regimes, d.laws(3)...)
	}
	if d.IntN(3) > 0 {
		c.Residence = one(d, places)
	}
	if d.IntN(3) == 0 {
		c.PromisedDays = 1 + d.IntN(60)
	}
	for range d.IntN(4) {
		c.Stops = append(c.Stops, d.stop(c.Received))
	}
	c.Now = c.Received.Add(d.hours(60))
	c.Extended = d.IntN(4) == 0
	if d.IntN(4) == 0 {
		c.Closed = c.Received.Add(d.hours(60))
	}
	return c
}

var allRights = slices.Concat(rights, []string{"access", "know", law.Appeal, law.Complaint})

func (d dice) stop(received time.Time) law.Stop {
	s := law.Stop{Cause: one(d, law.Causes), Asked: received.Add(d.hours(50))}
	if d.IntN(4) > 0 {
		s.Answered = s.Asked.Add(d.hours(30))
	}
	return s
}

func (d dice) hours(days int) time.Duration {
	return time.Duration(d.Int64N(int64(days) * 24 * int64(time.Hour)))
}

// each runs a property on n cases that can be counted.
func (d dice) each(t *testing.T, n int, property func(law.Case, law.Deadline)) {
	t.Helper()
	for n = cases(n); n > 0 && !t.Failed(); {
		c := d.any()
		got, err := law.Count(c)
		if err != nil {
			continue // a law that was not in force yet, or knows no appeal
		}
		n--
		property(c, got)
	}
}

// count is law.Count for a case that can be counted.
func count(t *testing.T, c law.Case) law.Deadline {
	t.Helper()
	d, err := law.Count(c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return d
}

func TestAMonthNeverLeavesTheMonthItAimsAt(t *testing.T) {
	t.Parallel()
	d := newDice(t, 1)
	for range cases(300_000) {
		start, n := law.Day(1990, time.January, 1)+law.Date(d.IntN(40_000)), d.IntN(40)
		y, m, day := start.Civil()
		end := law.Span{N: n, Unit: law.Months}.After(start)
		ey, em, eday := end.Civil()
		if ey*12+int(em) != y*12+int(m)+n {
			t.Fatalf("%d months after %v is %v", n, start, end)
		}
		if _, next, _ := (end + 1).Civil(); eday != day && (eday > day || next == em) {
			t.Fatalf("%d months after %v is %v: neither the same day nor the last", n, start, end)
		}
	}
}

func TestTheSafeDateIsNeverLate(t *testing.T) {
	t.Parallel()
	d := newDice(t, 2)
	d.each(t, 150_000, func(c law.Case, got law.Deadline) {
		received, safe, legal := law.DateOf(c.Received, c.Zone), law.DateOf(got.SafeBy, c.Zone), law.DateOf(got.RespondBy, c.Zone)
		if safe > legal || safe < received || legal <= received {
			t.Errorf("received %v, safe %v, legal %v: %+v", received, safe, legal, c)
		}
		if w := safe.Weekday(); safe > received && (w == time.Saturday || w == time.Sunday) {
			t.Errorf("safe by a %v: %+v", w, c)
		}
		if by := got.AcknowledgeBy; !by.IsZero() && law.DateOf(by, c.Zone) <= received {
			t.Errorf("acknowledge by %v: %+v", by, c)
		}
	})
}

func TestAnExtensionShortensNothing(t *testing.T) {
	t.Parallel()
	d := newDice(t, 3)
	d.each(t, 100_000, func(c law.Case, _ law.Deadline) {
		c.Extended = false
		first := count(t, c)
		c.Extended = true
		later := count(t, c)
		if later.RespondBy.Before(first.RespondBy) || later.SafeBy.Before(first.SafeBy) {
			t.Errorf("from %v, %v to %v, %v: %+v", first.RespondBy, first.SafeBy, later.RespondBy, later.SafeBy, c)
		}
		e, err := law.ExtensionOf(c)
		if err == nil != later.RespondBy.After(byLaw(t, c).RespondBy) {
			t.Errorf("%v, and %v after %v: %+v", err, later.RespondBy, first.RespondBy, c)
		}
		if err == nil && (!e.Until.Equal(later.RespondBy) || !e.SafeBy.Equal(later.SafeBy)) {
			t.Errorf("an extension to %v, and counted %v: %+v", e.Until, later.RespondBy, c)
		}
	})
}

// byLaw is what the law says of a case, without extension and promise.
func byLaw(t *testing.T, c law.Case) law.Deadline {
	t.Helper()
	c.Extended, c.PromisedDays = false, 0
	return count(t, c)
}

// R9: whatever the company waits for.
func TestNothingMovesACalifornianDate(t *testing.T) {
	t.Parallel()
	d := newDice(t, 4)
	for range cases(150_000) {
		c := d.any()
		if c.Received.Year() < 2020 {
			c.Received = c.Received.AddDate(8, 0, 0)
		}
		c.Regimes, c.Right = []string{"us-ca-ccpa"}, one(d, rights)
		for range d.IntN(5) {
			c.Stops = append(c.Stops, d.stop(c.Received))
		}
		c.Stops = slices.DeleteFunc(c.Stops, func(s law.Stop) bool { return s.Asked.Before(c.Received) })
		waited := count(t, c)
		c.Stops = nil
		if plain := count(t, c); plain != waited {
			t.Fatalf("%+v, and without waiting %+v: %+v", waited, plain, c)
		}
	}
}

func TestTheOrderOfStopsDoesNotMatter(t *testing.T) {
	t.Parallel()
	d := newDice(t, 5)
	d.each(t, 100_000, func(c law.Case, _ law.Deadline) {
		for range d.IntN(4) {
			c.Stops = append(c.Stops, d.stop(c.Received))
		}
		got := count(t, c)
		before := slices.Clone(c.Stops)
		d.Shuffle(len(c.Stops), func(i, j int) { c.Stops[i], c.Stops[j] = c.Stops[j], c.Stops[i] })
		if shuffled := count(t, c); shuffled != got {
			t.Errorf("%+v, and in another order %+v: %+v, %+v", got, shuffled, before, c)
		}
	})
}

func TestALaterAnswerMakesNoEarlierDate(t *testing.T) {
	t.Parallel()
	d := newDice(t, 6)
	d.each(t, 150_000, func(c law.Case, _ law.Deadline) {
		c.Stops = append(c.Stops, d.stop(c.Received))
		i := d.IntN(len(c.Stops))
		if c.Stops[i].Answered.IsZero() {
			c.Stops[i].Answered = c.Stops[i].Asked
		}
		sooner := count(t, c)
		c.Stops[i].Answered = c.Stops[i].Answered.Add(d.hours(20))
		later := count(t, c)
		if !later.RespondBy.Before(sooner.RespondBy) && !later.SafeBy.Before(sooner.SafeBy) {
			return
		}
		// A period that begins anew swallows the pauses before it, and where its month
		// is clamped they were worth up to three days more, and a roll.
		if mixed(c) && later.SafeBy.Add(9*24*time.Hour).After(sooner.SafeBy) && later.RespondBy.Add(9*24*time.Hour).After(sooner.RespondBy) {
			return
		}
		t.Errorf("from %v, %v back to %v, %v: %+v", sooner.RespondBy, sooner.SafeBy, later.RespondBy, later.SafeBy, c)
	})
}

// mixed reports whether one law lets one stop begin the period and another pause it.
func mixed(c law.Case) bool {
	for _, id := range c.Regimes {
		one := c
		one.Regimes, one.Residence = []string{id}, ""
		var restarts, pauses bool
		for _, s := range c.Stops {
			a, err := law.Asking(one, s.Cause)
			restarts = restarts || err == nil && a.Effect == law.Restart
			pauses = pauses || err == nil && (a.Effect == law.PauseInclusive || a.Effect == law.PauseExclusive)
		}
		if restarts && pauses {
			return true
		}
	}
	return false
}

// What is not answered yet is late by no day more than if it is answered now.
func TestAnOpenStopCountsAsAnsweredNow(t *testing.T) {
	t.Parallel()
	d := newDice(t, 7)
	d.each(t, 50_000, func(c law.Case, got law.Deadline) {
		for i := range c.Stops {
			if s := &c.Stops[i]; s.Answered.IsZero() {
				s.Answered = c.Now
				if s.Answered.Before(s.Asked) {
					s.Answered = s.Asked
				}
			}
		}
		if closed := count(t, c); closed != got {
			t.Errorf("open %+v, answered now %+v: %+v", got, closed, c)
		}
	})
}

// Where an instant was written down, and where the machine stands, is all the same.
func TestTheMachinesZoneDoesNotMatter(t *testing.T) { //nolint:paralleltest // it turns time.Local
	d := newDice(t, 8)
	local := time.Local
	t.Cleanup(func() { time.Local = local })
	d.each(t, 50_000, func(c law.Case, got law.Deadline) {
		z := one(d, d.zones)
		time.Local = one(d, d.zones)
		c.Received, c.Now = c.Received.In(z), c.Now.In(time.Local)
		for i := range c.Stops {
			s := &c.Stops[i]
			s.Asked = s.Asked.In(z)
			if !s.Answered.IsZero() {
				s.Answered = s.Answered.Local()
			}
		}
		if moved := count(t, c); moved != got {
			t.Errorf("%+v, written elsewhere %+v: %+v", got, moved, c)
		}
	})
}

// A day is a day: in a zone that changes its clocks, around the changes too, dates
// are those of the same days in a zone that never does.
func TestNoChangeOfClocksMovesADate(t *testing.T) {
	t.Parallel()
	d := newDice(t, 9)
	n := 0
	for n < cases(150_000) {
		c := d.any()
		z := c.Zone
		if c.Zone == time.UTC {
			continue
		}
		if near, ok := change(c.Received, z); ok && d.IntN(4) > 0 {
			c.Received = near.Add(d.hours(2) - 24*time.Hour)
			c.Stops, c.Now, c.Closed = nil, time.Time{}, time.Time{}
			for range d.IntN(3) {
				c.Stops = append(c.Stops, d.stop(c.Received))
			}
		}
		inZone, err := law.Count(c)
		if err != nil {
			continue
		}
		n++
		noon := func(t time.Time) time.Time {
			if t.IsZero() {
				return t
			}
			y, m, day := t.In(z).Date()
			return time.Date(y, m, day, 12, 0, 0, 0, time.UTC)
		}
		flat := c
		flat.Zone, flat.Received, flat.Now = time.UTC, noon(c.Received), noon(c.Now)
		flat.Stops = slices.Clone(c.Stops)
		for i := range flat.Stops {
			flat.Stops[i].Asked, flat.Stops[i].Answered = noon(c.Stops[i].Asked), noon(c.Stops[i].Answered)
		}
		want := count(t, flat)
		for _, pair := range [][2]time.Time{{inZone.RespondBy, want.RespondBy}, {inZone.SafeBy, want.SafeBy}, {inZone.AcknowledgeBy, want.AcknowledgeBy}} {
			if got := pair[0]; !got.IsZero() && got.Format(time.DateTime) != pair[1].Format(time.DateTime) {
				t.Fatalf("%v: %s, without its changes %s: %+v", z, got, pair[1], c)
			}
		}
	}
}

// change returns the first change of a zone's clocks within the year after t.
func change(t time.Time, z *time.Location) (time.Time, bool) {
	_, end := t.In(z).ZoneBounds()
	return end, !end.IsZero() && end.Before(t.AddDate(1, 0, 0))
}

// One law alone, and nothing to wait for: who asks later is answered no earlier.
func TestWhoAsksLaterIsNotDueEarlier(t *testing.T) {
	t.Parallel()
	d := newDice(t, 10)
	n := 0
	for n < cases(50_000) {
		c := d.any()
		c.Regimes, c.Stops = c.Regimes[:1], nil
		first, err := law.Count(c)
		if err != nil {
			continue
		}
		c.Received = c.Received.Add(24 * time.Hour)
		second := count(t, c)
		n++
		if second.RespondBy.Before(first.RespondBy) || second.SafeBy.Before(first.SafeBy) || second.AcknowledgeBy.Before(first.AcknowledgeBy) && !second.AcknowledgeBy.IsZero() {
			t.Fatalf("%+v, and a day later %+v: %+v", first, second, c)
		}
	}
}

// Count and Clocks are one computation, and the words lead to its dates.
func TestClocksSayWhatCountCounts(t *testing.T) {
	t.Parallel()
	d := newDice(t, 11)
	d.each(t, 30_000, func(c law.Case, got law.Deadline) {
		clocks := clocksOf(t, c)
		answer, ok := clocks[law.Respond]
		for _, other := range []law.Clock{law.OptOut, law.Decide} {
			if r, is := clocks[other]; is {
				if ok {
					t.Errorf("%s beside %s: %+v", other, answer.Clock, c)
				}
				answer, ok = r, true
			}
		}
		if answer.Law != got.Law || !answer.Legal.Equal(got.RespondBy) || !answer.Safe.Equal(got.SafeBy) {
			t.Errorf("counted %+v, the clock %s %v, %v: %+v", got, answer.Law, answer.Legal, answer.Safe, c)
		}
		if r := clocks[law.Acknowledge]; !r.Legal.Equal(got.AcknowledgeBy) {
			t.Errorf("acknowledge by %v, the clock %v: %+v", got.AcknowledgeBy, r.Legal, c)
		}
		later := c
		later.Extended = true
		if e, ok := clocks[law.Extended]; ok {
			if l := count(t, later); !e.Legal.Equal(l.RespondBy) || !e.Safe.Equal(l.SafeBy) || e.Law != l.Law {
				t.Errorf("extended %+v, the clock %+v: %+v", l, e, c)
			}
			if notice := clocks[law.ExtendNotice]; !notice.Legal.Equal(byLaw(t, c).RespondBy) {
				t.Errorf("tell by %v, and the law says %v: %+v", notice.Legal, byLaw(t, c).RespondBy, c)
			}
		}
		for _, r := range clocks {
			told(t, c, r)
		}
	})
}

// told checks that an explanation is whole: it names the law first, reaches the
// date that binds, ends on the safe one, and cites what it says.
func told(t *testing.T, c law.Case, r law.Reckoning) {
	t.Helper()
	p, _ := law.ByID(r.Law)
	if len(r.Steps) < 2 || !strings.HasPrefix(r.Steps[0].Text, p.Name+" applies") {
		t.Fatalf("%s: which law? %+v", r.Clock, r.Steps)
	}
	var reached bool
	for _, s := range r.Steps {
		reached = reached || s.Date.Equal(r.Legal)
		if (s.Article == "") != (s.Source == "") || (s.Article == "") != (s.Mark == "") || s.Text == "" || strings.Contains(s.Text, "%!") {
			t.Errorf("%s: %+v", r.Clock, s)
		}
	}
	if last := r.Steps[len(r.Steps)-1]; !reached || !last.Date.Equal(r.Safe) {
		t.Errorf("%s is %v, safe %v, and told:\n%s%+v", r.Clock, r.Legal, r.Safe, text(r), c)
	}
	if again := clocksOf(t, c)[r.Clock]; !reflect.DeepEqual(again, r) {
		t.Errorf("asked again, %s says something else", r.Clock)
	}
}
