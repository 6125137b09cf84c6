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
	// BusinessDays are Mondays to Fridays. Without a holiday table a holiday
	// counts too, which makes a date early, never late.
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

// After returns the last day of a span that begins with the day after start.
// Both are midnights UTC that stand for a date; the time zone has been dealt
// with before.
//
// One month after 31 January is the last day of February (Regulation 1182/71,
// Article 3(2)(c)). time.AddDate would say 3 March and give us days we do not have.
func (s Span) After(start time.Time) time.Time {
	switch s.Unit {
	case Days:
		return start.AddDate(0, 0, s.N)
	case Months:
		y, m, d := start.Date()
		last := date(y, m+time.Month(s.N)+1, 0)
		return date(last.Year(), last.Month(), min(d, last.Day()))
	case BusinessDays:
		day := start
		for left := s.N; left > 0; {
			if day = day.AddDate(0, 0, 1); !weekend(day) {
				left--
			}
		}
		return day
	}
	panic("law: a span of an unknown unit")
}

// date is a calendar date: midnight UTC.
func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// dateOf returns the date that an instant falls on in a zone.
func dateOf(t time.Time, zone *time.Location) time.Time { return date(t.In(zone).Date()) }

// end returns the last second of a date in a zone. It asks for that second, not
// for the next midnight: where the clock is put forward at midnight there is none.
func end(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 23, 59, 59, 0, zone)
}

func weekend(day time.Time) bool {
	return day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
}

// workingDayBefore returns day, or the Friday before it if it falls on a weekend.
func workingDayBefore(day time.Time) time.Time {
	for weekend(day) {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
