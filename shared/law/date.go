package law

import "time"

// Date is a day of the calendar: the number of days since 1 January 1970. A law
// counts days, not instants, so a zone is needed on the way in and out only and
// a change to summer time moves nothing.
type Date int32

// DateOf returns the date that an instant falls on in a zone.
func DateOf(t time.Time, zone *time.Location) Date {
	t = t.In(zone)
	_, offset := t.Zone()
	return Date(floorDiv(t.Unix()+int64(offset), secondsPerDay))
}

// Day returns a date of the calendar; a day that the month does not have is
// counted on from its first, as time.Date does.
func Day(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

const secondsPerDay = 24 * 60 * 60

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Civil returns the year, month and day of the month.
func (d Date) Civil() (year int, month time.Month, day int) { return d.midnight().Date() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.midnight().Weekday() }

// String returns the date as 2026-03-05.
func (d Date) String() string { return d.midnight().Format(time.DateOnly) }

// words says the date in words: Thursday 5 March 2026.
func (d Date) words() string { return d.midnight().Format("Monday 2 January 2006") }

func (d Date) midnight() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// End returns the last second of the date in a zone. It asks for that second, not
// for the next midnight: where the clock is put forward at midnight there is none.
func (d Date) End(zone *time.Location) time.Time {
	y, m, day := d.Civil()
	return time.Date(y, m, day, 23, 59, 59, 0, zone)
}

func (d Date) weekend() bool {
	return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
}
