package law

import (
	"strconv"
	"time"
)

// Unit is what a law counts in.
type Unit int

// The units. They do not convert into each other: a month is not 30 days.
const (
	Days Unit = iota
	Months
	// BusinessDays are Mondays to Fridays that are no holiday of the place that the
	// law looks to.
	BusinessDays
)

// Span is a length of time as a law states it.
type Span struct {
	N    int
	Unit Unit
}

// String says the span in words.
func (s Span) String() string {
	words := map[Unit]string{Days: "day", Months: "month", BusinessDays: "business day"}
	if s.N == 1 {
		return "1 " + words[s.Unit]
	}
	return strconv.Itoa(s.N) + " " + words[s.Unit] + "s"
}

// After returns the last day of a span that begins with the day after start. It
// knows no holidays: they depend on a place, which a span does not have.
//
// One month after 31 January is the last day of February (Regulation 1182/71,
// Article 3(2)(c)). time.AddDate would say 3 March and give us days we do not have.
func (s Span) After(start Date) Date {
	switch s.Unit {
	case Days:
		return start + Date(s.N) //nolint:gosec // laws count in small numbers
	case Months:
		y, m, d := start.Civil()
		m += time.Month(s.N)
		if d > 28 {
			return min(Day(y, m, d), Day(y, m+1, 0))
		}
		return Day(y, m, d)
	case BusinessDays:
		if s.N <= 0 {
			return start
		}
		// From a weekend it is as far as from the Friday before it.
		friday := start
		for friday.weekend() {
			friday--
		}
		weeks, days := s.N/5, s.N%5
		if int(friday.Weekday())+days > int(time.Friday) {
			days += 2
		}
		return friday + Date(weeks*7+days) //nolint:gosec // laws count in small numbers
	}
	panic("law: a span of an unknown unit")
}
