package law

import "time"

// easter returns Easter Sunday of the Western churches: the anonymous Gregorian
// algorithm (Nature, 20 April 1876) as Meeus gives it in Astronomical Algorithms,
// chapter 8. It has no exceptions.
func easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return Day(year, time.Month(n/31), n%31+1)
}

// orthodoxEaster returns Easter Sunday of the churches that keep the Julian
// computus, as a date of the Gregorian calendar (Meeus, chapter 8).
func orthodoxEaster(year int) Date {
	d := (19*(year%19) + 15) % 30
	e := (2*(year%4) + 4*(year%7) - d + 34) % 7
	n := d + e + 114
	// The calendars drift apart by three days in four centuries: 13 days from
	// March 1900 to February 2100.
	return Day(year, time.Month(n/31), n%31+1+year/100-year/400-2)
}
