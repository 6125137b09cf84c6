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
	second := t.Unix() + int64(offset)
	day := second / secondsPerDay
	if second%secondsPerDay < 0 {
		day--
	}
	return Date(day) //nolint:gosec // wraps in five million years
}

// Day returns a date of the calendar; a day that the month does not have is
// counted on from its first, as time.Date does.
func Day(year int, month time.Month, day int) Date {
	// A year that begins in March has its leap day at the end, and its months have
	// lengths that one formula gives. Four centuries always have as many days.
	y, m := year, int(month)-3
	if uint(m) >= 12 { // a negative month becomes a large one
		y, m = y+floorDiv(m, 12), m-12*floorDiv(m, 12)
	}
	era := floorDiv(y, 400)
	y -= era * 400
	inYear := (153*m+2)/5 + day - 1
	return Date(era*daysPerEra + y*365 + y/4 - y/100 + inYear - daysToEpoch) //nolint:gosec // wraps in five million years
}

const (
	secondsPerDay = 24 * 60 * 60
	daysPerEra    = 400*365 + 97
	daysToEpoch   = 719_468 // from 1 March of the year 0 to 1 January 1970
)

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Civil returns the year, month and day of the month. It is Day the other way round.
func (d Date) Civil() (year int, month time.Month, day int) {
	n := int(d) + daysToEpoch
	era := floorDiv(n, daysPerEra)
	n -= era * daysPerEra
	year = (n - n/(4*365) + n/(100*365+24) - n/(daysPerEra-1)) / 365
	n -= year*365 + year/4 - year/100
	m := (5*n + 2) / 153
	day = n - (153*m+2)/5 + 1
	year += era * 400
	if m < 10 {
		return year, time.Month(m + 3), day
	}
	return year + 1, time.Month(m - 9), day
}

// Weekday returns the day of the week. 1 January 1970 was a Thursday.
func (d Date) Weekday() time.Weekday {
	n := (int(d) + int(time.Thursday)) % 7
	if n < 0 {
		n += 7
	}
	return time.Weekday(n)
}

// String returns the date as 2026-03-05.
func (d Date) String() string { return d.midnight().Format(time.DateOnly) }

// words says the date in words: Thursday 5 March 2026.
func (d Date) words() string { return d.midnight().Format("Monday 2 January 2006") }

// date says the date without its day of the week: 5 March 2026.
func (d Date) date() string { return d.midnight().Format("2 January 2006") }

func (d Date) midnight() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// End returns the last second of the date in a zone. It asks for that second, not
// for the next midnight: where the clock is put forward at midnight there is none.
func (d Date) End(zone *time.Location) time.Time {
	y, m, day := d.Civil()
	end := time.Date(y, m, day, 23, 59, 59, 0, zone)
	// Where the clock is put back at midnight this second comes twice, and the date
	// ends with the later one.
	before := int64(d+1)*secondsPerDay - 1 - end.Unix()
	if _, after := end.Add(time.Second).Zone(); int64(after) < before {
		end = end.Add(time.Duration(before-int64(after)) * time.Second)
	}
	return end
}

func (d Date) weekend() bool {
	w := d.Weekday()
	return w == time.Saturday || w == time.Sunday
}
