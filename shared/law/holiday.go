package law

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Holiday is one public holiday of a place.
type Holiday struct {
	Date   Date
	Name   string
	Source string // the statute, or the act that made this one day a holiday
}

// calendar is the public holidays of one place: those on which a period that the
// law lets roll does not end, and that are no business days.
//
// Where a law can be read to know more holidays or fewer, the calendar has the
// fewer: a holiday too few makes a date early, one too many makes it late.
type calendar struct {
	place  string // ISO 3166-1 or 3166-2
	source string
	feasts []feast
}

// calendars is sorted by place. Everything in it is laid out by the compiler:
// a map, or dates worked out ahead, would be paid for by every cold start.
var calendars = []*calendar{
	&germany,
	&californianState,
}

// feast is one holiday, in each of its years.
type feast struct {
	name     string
	when     when
	moved    move
	from, to int    // the first year and the last; zero: ever
	source   string // if it is not the calendar's
}

// when is a day of a year.
type when struct {
	anchor anchor
	// month and day of the month; for an Easter, day counts from its Sunday.
	month time.Month
	day   int
	// weekday, for onOrAfter: the first such day of the week on or after the date.
	// "The third Monday of January" is the first on or after the 15th.
	weekday time.Weekday
}

type anchor uint8

const (
	fixed anchor = iota
	onOrAfter
	western  // Easter Sunday
	orthodox // Easter Sunday by the Julian computus
)

// move is what becomes of a holiday on a day that is free anyway.
type move uint8

const (
	stays        move = iota
	sundayMonday      // on a Sunday: the Monday after it too
	veterans          // that, and on a Saturday the Friday before it
)

// moves says by how many days each move shifts a holiday, from Sunday to Saturday.
var moves = [...][7]int{
	stays:        {},
	sundayMonday: {time.Sunday: 1},
	veterans:     {time.Sunday: 1, time.Saturday: -1},
}

// holidaysKnown reports whether there is a calendar for a place or its country.
func holidaysKnown(place string) bool { return calendarOf(place) != nil }

// holiday returns the name of the public holiday that a date is in a place. A
// place without a calendar of its own has its country's; an unknown one has none.
//
// The engine asks this for every day that it counts: it must not allocate.
func holiday(place string, d Date) (name string, ok bool) {
	c := calendarOf(place)
	if c == nil {
		return "", false
	}
	y := yearOf(d)
	if r := c.find(y, d); r != nil {
		return r.name, true
	}
	// A holiday of one year can be moved into the year beside it, by a few days.
	if r := c.beside(y, d); r != nil {
		return r.name, true
	}
	return "", false
}

// Holidays returns the public holidays of a place in a year, in their order. A
// holiday that moves off a weekend is there on both days, if it stays on both.
func Holidays(place string, year int) []Holiday {
	c := calendarOf(place)
	if c == nil {
		return nil
	}
	var all []Holiday
	for d := Day(year, time.January, 1); d <= Day(year, time.December, 31); d++ {
		y := newYear(year)
		r := c.find(y, d)
		if r == nil {
			r = c.beside(y, d)
		}
		if r != nil {
			all = append(all, Holiday{d, r.name, cmp.Or(r.source, c.source)})
		}
	}
	return all
}

// HolidayPlaces returns the places that have a calendar of their own, sorted.
func HolidayPlaces() []string {
	places := make([]string, len(calendars))
	for i, c := range calendars {
		places[i] = c.place
	}
	return places
}

// calendarOf returns the calendar of a place or of its country; nil if there is none.
func calendarOf(place string) *calendar {
	byPlace := func(c *calendar, place string) int { return cmp.Compare(c.place, place) }
	if i, ok := slices.BinarySearchFunc(calendars, place, byPlace); ok {
		return calendars[i]
	}
	country, _, part := strings.Cut(place, "-")
	if !part {
		return nil
	}
	if i, ok := slices.BinarySearchFunc(calendars, country, byPlace); ok {
		return calendars[i]
	}
	return nil
}

// find returns the rule that makes a date a holiday, asked of the rules' dates in y.
func (c *calendar) find(y year, d Date) *feast {
	for i := range c.feasts {
		if c.feasts[i].falls(y, d) {
			return &c.feasts[i]
		}
	}
	return nil
}

// beside asks the rules' dates in the year before or after y, if d is so near to it
// that a holiday could have moved there.
func (c *calendar) beside(y year, d Date) *feast {
	const reach = 4 // days; no move goes further
	switch {
	case d < y.first+reach:
		return c.find(newYear(y.number-1), d)
	case d > newYear(y.number+1).first-1-reach:
		return c.find(newYear(y.number+1), d)
	}
	return nil
}

// falls reports whether d is the rule's holiday of the year, or its substitute.
func (f *feast) falls(y year, d Date) bool {
	if f.from != 0 && y.number < f.from || f.to != 0 && y.number > f.to {
		return false
	}
	day := f.when.in(y)
	if day == d {
		return true
	}
	return f.moved != stays && day+Date(moves[f.moved][day.Weekday()]) == d //nolint:gosec // a few days
}

// in returns the day of a year.
func (w when) in(y year) Date {
	var n int
	switch w.anchor {
	case fixed:
		n = dayOfYear(y.number, int(w.month), w.day)
	case onOrAfter:
		n = dayOfYear(y.number, int(w.month), w.day)
		n += (int(w.weekday) - weekday(y.first, n) + 7) % 7
	case western:
		n = y.easter + w.day
	case orthodox:
		n = orthodoxEaster(y.number) + w.day
	}
	return y.first + Date(n) //nolint:gosec // a day of a year
}

// year is what the rules ask about a year more than once.
type year struct {
	number int
	first  Date // its 1 January
	easter int  // a day of the year
}

func newYear(number int) year {
	return year{number, Day(number, time.January, 1), easter(number)}
}

func yearOf(d Date) year {
	y, _, _ := d.Civil()
	return newYear(y)
}

// weekday returns the day of the week of the n-th day after first.
func weekday(first Date, n int) int {
	return int((first + Date(n)).Weekday()) //nolint:gosec // a day of a year
}

// dayOfYear returns a date of the Gregorian calendar as a day of its year, the
// first of January being 0.
func dayOfYear(year, month, day int) int {
	n := daysBefore[month] + day - 1
	if month > 2 && (year%4 == 0 && year%100 != 0 || year%400 == 0) {
		n++
	}
	return n
}

// daysBefore counts the days of a common year before a month.
var daysBefore = [...]int{1: 0, 2: 31, 3: 59, 4: 90, 5: 120, 6: 151, 7: 181, 8: 212, 9: 243, 10: 273, 11: 304, 12: 334}
