package law_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/law"
)

// statute is a law as a clerk with a calendar on the wall applies it: day by day,
// without a formula. What it says was written by hand, not read from the packs.
type statute struct {
	law       string
	right     string
	place     string // where the controller is, in the law's own country
	first     law.Span
	extended  law.Span
	rolls     bool
	free      string // the place whose holidays are no business days
	restarts  []law.Cause
	inclusive []law.Cause
	exclusive []law.Cause
}

var statutes = []statute{
	{law: "eu-gdpr", right: "access", place: "DE", first: law.Span{N: 1, Unit: law.Months}, extended: law.Span{N: 3, Unit: law.Months}, rolls: true},
	{
		law: "eu-gdpr", right: "erasure", place: "FR", first: law.Span{N: 1, Unit: law.Months}, extended: law.Span{N: 3, Unit: law.Months}, rolls: true,
		exclusive: []law.Cause{law.Identity},
	},
	{
		law: "uk-gdpr", right: "access", place: "GB-SCT", first: law.Span{N: 1, Unit: law.Months}, extended: law.Span{N: 3, Unit: law.Months}, rolls: true,
		restarts: []law.Cause{law.Identity, law.Fee}, inclusive: []law.Cause{law.Clarification},
	},
	{
		law: "uk-gdpr", right: "rectification", place: "GB-NIR", first: law.Span{N: 1, Unit: law.Months}, extended: law.Span{N: 3, Unit: law.Months}, rolls: true,
		restarts: []law.Cause{law.Identity, law.Fee},
	},
	{law: "us-ca-ccpa", right: "know", place: "US-CA", first: law.Span{N: 45, Unit: law.Days}, extended: law.Span{N: 90, Unit: law.Days}},
	{law: "us-ca-ccpa", right: "opt_out_sale", place: "US-CA", first: law.Span{N: 15, Unit: law.BusinessDays}, free: "US-CA"},
	{law: "ca-pipeda", right: "access", place: "CA", first: law.Span{N: 30, Unit: law.Days}, extended: law.Span{N: 60, Unit: law.Days}},
	{law: "nz-privacy", right: "access", place: "NZ", first: law.Span{N: 20, Unit: law.BusinessDays}, free: "NZ"},
	{law: "ca-ab", right: "access", place: "CA-AB", first: law.Span{N: 45, Unit: law.Days}, exclusive: []law.Cause{law.Fee}},
	{law: "ch-fadp", right: "access", place: "CH", first: law.Span{N: 30, Unit: law.Days}, restarts: []law.Cause{law.Fee}},
}

// wall is a calendar on the wall: the holidays of a place.
type wall map[law.Date]bool

func wallOf(place string) wall {
	w := wall{}
	for year := 2026; year < 2040; year++ {
		for _, h := range law.Holidays(place, year) {
			w[h.Date] = true
		}
	}
	return w
}

func (w wall) free(day law.Date) bool {
	return w[day] || day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
}

// clerk counts one case on the fingers.
func (s statute) clerk(received law.Date, stops []law.Stop, span law.Span, walls map[string]wall) law.Date {
	date := func(t time.Time) law.Date { return law.DateOf(t, time.UTC) }
	stops = slices.SortedFunc(slices.Values(stops), func(a, b law.Stop) int { return a.Asked.Compare(b.Asked) })
	out := map[law.Date]bool{} // days that do not count
	end := func(start law.Date, span law.Span) law.Date {
		clear(out)
		day := start
		left := span.N
		if span.Unit == law.Months {
			// As many days as there are to the same day of the month, or to its last.
			y, m, d := start.Civil()
			for left = 0; ; left++ {
				ny, nm, nd := (start + law.Date(left)).Civil()
				ahead := (ny-y)*12 + int(nm-m)
				if _, after, _ := (start + law.Date(left) + 1).Civil(); ahead == span.N && (nd == d || after != nm) {
					break
				}
			}
		}
		for {
			for _, p := range stops {
				asked, answered := date(p.Asked), date(p.Answered)
				if slices.Contains(s.inclusive, p.Cause) {
					for x := asked; x <= answered; x++ {
						out[x] = true
					}
				}
				if slices.Contains(s.exclusive, p.Cause) {
					for x := asked + 1; x <= answered; x++ {
						out[x] = true
					}
				}
			}
			if left == 0 {
				break
			}
			day++
			if !out[day] && (span.Unit != law.BusinessDays || !walls[s.free].free(day)) {
				left--
			}
		}
		for s.rolls && (walls[s.place].free(day) || out[day]) {
			day++
		}
		return day
	}
	start := received
	for _, p := range stops {
		if slices.Contains(s.restarts, p.Cause) && date(p.Asked) <= end(start, s.first) {
			start = max(start, date(p.Answered))
		}
	}
	return end(start, span)
}

func TestAClerkComesToTheSameDate(t *testing.T) {
	t.Parallel()
	d := newDice(t, 12)
	walls := map[string]wall{}
	for _, s := range statutes {
		walls[s.place], walls[s.free] = wallOf(s.place), wallOf(s.free)
	}
	for range cases(30_000) {
		s := one(d, statutes)
		received := time.Date(2026, time.June, 19, d.IntN(24), 0, 0, 0, time.UTC).AddDate(0, 0, d.IntN(3650))
		c := law.Case{Regimes: []string{s.law}, Right: s.right, Received: received, Zone: time.UTC, Place: s.place}
		for range d.IntN(4) {
			stop := d.stop(received)
			stop.Answered = cmp.Or(stop.Answered, stop.Asked)
			c.Stops = append(c.Stops, stop)
		}
		if d.IntN(5) == 0 && len(c.Stops) > 0 { // one on the last day
			c.Stops[0].Asked = s.clerk(law.DateOf(received, time.UTC), nil, s.first, walls).End(time.UTC)
			c.Stops[0].Answered = c.Stops[0].Asked.Add(d.hours(9))
		}
		span := s.first
		if c.Extended = s.extended.N > 0 && d.IntN(3) == 0; c.Extended {
			span = s.extended
		}
		want := s.clerk(law.DateOf(received, time.UTC), c.Stops, span, walls)
		if got := law.DateOf(count(t, c).RespondBy, time.UTC); got != want {
			t.Fatalf("%v, the clerk says %v: %+v", got, want, c)
		}
	}
}
