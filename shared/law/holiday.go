package law

import (
	"cmp"
	"time"
)

// Holiday is one public holiday of a place. The day that stands in for a holiday
// on a weekend bears its name.
type Holiday struct {
	Date   Date
	Name   string
	Source string // the statute, or the act that made this one day a holiday
}

// calendar is the public holidays of one place, from 2020 on: the days on which a
// period that rolls does not end, and that are no business days.
//
// A holiday too few makes a date early, one too many makes it late. So a calendar
// has the days that are holidays everywhere in the place, by a rule that is law
// already: no day that one region keeps, and none that a government has yet to
// proclaim. It can miss a holiday that somebody keeps; it must not have one more.
type calendar struct {
	place  string // ISO 3166-1 or 3166-2
	source string
	feasts []feast
	// besides is the calendar of a larger place whose holidays are kept here too.
	besides *calendar
}

// feast is one holiday, in each of its years.
type feast struct {
	name     string
	when     when
	moved    move
	from, to int    // the first year and the last; zero: no bound
	source   string // if it is not the calendar's
}

// when is a day of a year: see on, after, easterly and orthodoxly.
type when struct {
	anchor  anchor
	month   time.Month
	day     int // of the month, or days after Easter Sunday
	weekday time.Weekday
}

type anchor uint8

const (
	fixed anchor = iota
	following
	western
	orthodox
)

// on is a date that is the same in every year.
func on(month time.Month, day int) when { return when{month: month, day: day} }

// after is the first such day of the week on a date or after it: the third Monday
// of January is the first one from the 15th on.
func after(month time.Month, day int, weekday time.Weekday) when {
	return when{following, month, day, weekday}
}

// easterly counts days from Easter Sunday, orthodoxly from the Orthodox one.
func easterly(days int) when   { return when{anchor: western, day: days} }
func orthodoxly(days int) when { return when{anchor: orthodox, day: days} }

// Days from Easter Sunday.
const (
	maundyThursday = -3
	goodFriday     = -2
	easterMonday   = 1
	ascension      = 39
	pentecost      = 49
	whitMonday     = 50
	corpusChristi  = 60
	cleanMonday    = -48
)

// move is what becomes of a holiday on a day that is free anyway.
type move uint8

const (
	stays           move = iota
	sundayMonday         // a Sunday's also on Monday
	weekendMonday        // a weekend's also on Monday
	weekendTwoOn         // a weekend's also two days on: Monday, or Tuesday after another holiday's Monday
	secondOfJanuary      // that, and a Monday's also on Tuesday, since Monday stands in for the first
	nearest              // a Saturday's also on Friday, a Sunday's also on Monday
	christmasEve         // a weekend's also three days on, past Christmas
	christmasDay         // a Saturday's also two days on, a Sunday's three
	pastEaster           // a weekend's also on Monday, or on Tuesday after the Orthodox Easter Monday
	kingsDay             // a Sunday's on Saturday instead
	brigid               // on the first Monday from it on instead, unless it is a Friday
	notSunday            // none on a Sunday
)

// moves says by how many days a holiday moves, from Sunday to Saturday.
var moves = [...]struct {
	by      [7]int8
	instead bool // of the day that it moves off; otherwise both are holidays
}{
	stays:           {},
	sundayMonday:    {by: [7]int8{time.Sunday: 1}},
	weekendMonday:   {by: [7]int8{time.Sunday: 1, time.Saturday: 2}},
	weekendTwoOn:    {by: [7]int8{time.Sunday: 2, time.Saturday: 2}},
	secondOfJanuary: {by: [7]int8{time.Sunday: 2, time.Monday: 1, time.Saturday: 2}},
	nearest:         {by: [7]int8{time.Sunday: 1, time.Saturday: -1}},
	christmasEve:    {by: [7]int8{time.Sunday: 3, time.Saturday: 3}},
	christmasDay:    {by: [7]int8{time.Sunday: 3, time.Saturday: 2}},
	pastEaster:      {by: [7]int8{time.Sunday: 1, time.Saturday: 2}},
	kingsDay:        {by: [7]int8{time.Sunday: -1}, instead: true},
	brigid:          {by: [7]int8{time.Sunday: 1, time.Tuesday: 6, time.Wednesday: 5, time.Thursday: 4, time.Saturday: 2}, instead: true},
	notSunday:       {by: [7]int8{time.Sunday: nowhere}, instead: true},
}

const nowhere = 127 // the holiday is not moved but dropped

// calendars is sorted by place. The compiler lays it out: dates worked out ahead
// would be paid for by every cold start.
var calendars = []*calendar{
	&austria, &australia, &belgium, &bulgaria, &brazil, &canadian, &alberta, &britishColumbia, &ontario, &quebec, &switzerland,
	&cyprus, &czechia, &germany, &denmark, &estonia, &spain, &finland, &france, &unitedKingdom, &england, &northernIreland,
	&scotland, &wales, &greece, &croatia, &hungary, &ireland, &india, &iceland, &italy, &liechtenstein, &lithuania, &luxembourg,
	&latvia, &malta, &netherlands, &norway, &newZealand, &poland, &portugal, &romania, &sweden, &slovenia, &slovakia,
	&unitedStates, &californianState,
}

// holiday returns the name of the public holiday that a date is in a place. A part
// of a country without a calendar of its own has the country's; an unknown place
// has no holidays. The engine asks for many days at once (calendar.from), and a test
// holds it to this.
func holiday(place string, d Date) (name string, ok bool) {
	c := calendarOf(place)
	if c == nil {
		return "", false
	}
	if f := c.feast(d); f != nil {
		return f.name, true
	}
	return "", false
}

// Holidays returns the public holidays of a place in a year, by date.
func Holidays(place string, year int) []Holiday {
	c := calendarOf(place)
	if c == nil {
		return nil
	}
	var all []Holiday
	for d := Day(year, time.January, 1); d <= Day(year, time.December, 31); d++ {
		if f := c.feast(d); f != nil {
			all = append(all, Holiday{d, f.name, cmp.Or(f.source, c.source)})
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

// calendarOf returns the calendar of a place, or of its country; nil if neither has one.
func calendarOf(place string) *calendar {
	if r := regionOf(place); r > 0 {
		return calendars[r-1]
	}
	return nil
}

// feast returns the feast that makes a date a holiday; nil if none does.
func (c *calendar) feast(d Date) *feast {
	year, month, day := d.Civil()
	at := place(0, month, day)
	if f := c.in(&question{day: d, year: year, at: at}); f != nil {
		return f
	}
	// A feast near the turn of the year can move across it.
	switch {
	case month == time.January && day <= week:
		return c.in(&question{day: d, year: year - 1, at: place(1, month, day)})
	case month == time.December && day > 31-week:
		return c.in(&question{day: d, year: year + 1, at: place(-1, month, day)})
	}
	return nil
}

const week = 7 // days: no feast is farther from its date

// from returns which of 64 days are holidays, the first of them in the lowest bit.
// A count asks about many days that are near each other, and this takes little
// longer than to ask about two.
func (c *calendar) from(first Date) (days uint64) {
	year, month, day := first.Civil()
	year2, month2, day2 := (first + 63).Civil()
	// A feast near the turn of the year can move across it.
	y, last := year, year2
	if month == time.January && day <= week {
		y--
	}
	if month2 == time.December && day2 > 31-week {
		last++
	}
	for ; y <= last; y++ {
		at, at2 := place(year-y, month, day), place(year2-y, month2, day2)
		q := question{year: y}
		for c := c; c != nil; c = c.besides {
			for i := range c.feasts {
				if f := &c.feasts[i]; f.when.near(at, at2) {
					own, substitute := f.days(&q)
					// What is not one of these days is shifted out, on either side.
					days |= 1<<uint32(own-first) | 1<<uint32(substitute-first) //nolint:gosec // a day before them becomes a large number
				}
			}
		}
	}
	return days
}

// place says where a day stands in a year of months of 31 days each, or so many
// years after it. It tells, to three days, how far apart two days are.
func place(years int, month time.Month, day int) int { return (years*12+int(month))*31 + day }

// question is a day, asked of the feasts of a year.
type question struct {
	day     Date
	year    int
	at      int     // see place
	easters [2]Date // Easter Sunday, Western and Orthodox; zero: not asked for yet
}

// in returns the feast that the day is, or stands in for.
func (c *calendar) in(q *question) *feast {
	for ; c != nil; c = c.besides {
		for i := range c.feasts {
			// Nearly all are far away, and to see that is all that most questions take.
			if f := &c.feasts[i]; f.when.near(q.at, q.at) && f.falls(q) {
				return f
			}
		}
	}
	return nil
}

// near is false if a feast cannot fall on a day that stands between the two in the year.
func (w *when) near(from, to int) bool {
	first := int(w.month)*31 + w.day
	last := first
	if w.anchor >= western {
		// Easter Sunday is a day from 22 March to 8 May.
		first, last = first+3*31+22, last+5*31+8
	}
	return to > first-week-4 && from < last+week+4
}

// falls reports whether the day is the feast, or stands in for it.
func (f *feast) falls(q *question) bool {
	own, substitute := f.days(q)
	return q.day == own || q.day == substitute
}

// days returns the day of the feast in the question's year and the one that stands
// in for it; never, if there is none.
func (f *feast) days(q *question) (own, substitute Date) {
	if q.year < f.from || f.to != 0 && q.year > f.to {
		return never, never
	}
	var day Date
	switch f.when.anchor {
	case fixed:
		day = Day(q.year, f.when.month, f.when.day)
	case following:
		day = Day(q.year, f.when.month, f.when.day)
		day += Date((f.when.weekday - day.Weekday() + week) % week)
	case western, orthodox:
		day = q.easter(f.when.anchor) + Date(f.when.day) //nolint:gosec // a few weeks
	}
	if f.moved == stays {
		return day, never
	}
	m := &moves[f.moved]
	by := m.by[day.Weekday()]
	own, substitute = day, day+Date(by)
	if m.instead && by != 0 {
		own = never
	}
	if by == nowhere {
		substitute = never
	}
	if f.moved == pastEaster && by != 0 && substitute == q.easter(orthodox)+easterMonday {
		substitute++
	}
	return own, substitute
}

// easter returns Easter Sunday of the year, which it works out once: that takes
// longer than to answer a question about another day.
func (q *question) easter(a anchor) Date {
	sunday := &q.easters[a-western]
	if *sunday == 0 {
		if a == western {
			*sunday = easter(q.year)
		} else {
			*sunday = orthodoxEaster(q.year)
		}
	}
	return *sunday
}
