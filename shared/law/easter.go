package law

// easter returns Easter Sunday of the Western churches as a day of the year, the
// first of January being 0. It is the Gregorian computus in the form of the
// "anonymous" algorithm (Nature, 20 April 1876; Meeus, Astronomical Algorithms,
// chapter 8), which has no exceptions.
func easter(year int) int {
	a := year % 19
	b, c := year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	n := h + l - 7*m
	month := (n + 90) / 25
	day := (n + 33*month + 19) % 32
	return dayOfYear(year, month, day)
}

// orthodoxEaster returns Easter Sunday of the churches that keep the Julian
// computus, as a day of the Gregorian year (Meeus, chapter 8).
func orthodoxEaster(year int) int {
	a, b, c := year%4, year%7, year%19
	d := (19*c + 15) % 30
	e := (2*a + 4*b - d + 34) % 7
	month, day := (d+e+114)/31, (d+e+114)%31+1
	// The calendars drift apart by three days in four centuries: 13 days from
	// March 1900 to February 2100, 14 days after that.
	return dayOfYear(year, month, day) + year/100 - year/400 - 2
}
