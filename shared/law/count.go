package law

import (
	"fmt"
	"slices"
	"strings"
)

// Count returns by when a request must be answered. A residence that is not
// known, or that no named law covers, gets the strictest of the named laws.
//
// It is asked for every request on every list, so it puts nothing into words and
// nothing on the heap. Clocks says how it came to its dates; both have them from
// the same functions.
func Count(c Case) (Deadline, error) {
	var laws [16]*Pack
	var waits [8]wait
	k, err := open(c, laws[:0], waits[:0])
	if err != nil {
		return Deadline{}, err
	}
	found, _ := k.answer()
	d := Deadline{Law: found.law.ID, RespondBy: found.legal.End(c.Zone)}
	if d.SafeBy = d.RespondBy; found.safe != found.legal {
		d.SafeBy = found.safe.End(c.Zone)
	}
	if receipt := k.strictest(acknowledging); receipt.law != nil {
		d.AcknowledgeBy = receipt.legal.End(c.Zone)
	}
	return d, nil
}

// count is a calculation under way: a case, in dates of the controller's zone.
type count struct {
	in       Case
	received Date
	laws     []*Pack // to be honoured, each in the version of the day of receipt
	covering bool    // they cover the residence; else they are all that the policy names
	waits    []wait
	home     region // the controller's
	windows  [3]window
	oldest   int // of the windows
}

// window is the holidays of a calendar on 64 days, which is as far as most periods go.
type window struct {
	of    region
	first Date
	days  uint64
}

// wait is a Stop in dates, and what it does under the law that is being looked at.
type wait struct {
	cause           Cause
	asked, answered Date
	open            bool // not answered yet
	rule            *stop
	effect          Effect
	from, to        Date // the days that do not count, if it is a pause
}

// open reads a case. The slices are room for what it needs of each.
func open(c Case, laws []*Pack, waits []wait) (count, error) {
	switch {
	case c.Zone == nil:
		return count{}, ErrNoZone
	case c.Received.IsZero():
		return count{}, ErrNoDate
	case c.PromisedDays < 0:
		return count{}, ErrPromise
	}
	k := count{in: c, received: DateOf(c.Received, c.Zone), laws: laws, waits: waits, home: regionOf(c.Place)}
	early := ""
	for _, id := range c.Regimes {
		p, known := inForce(id, k.received)
		switch {
		case !known:
			return count{}, fmt.Errorf("%w: %q", ErrUnknown, id)
		case p == nil:
			early = id // a policy may name a law ahead of its time: the others bind meanwhile
			continue
		}
		// From the first law that covers the residence on, only those count.
		if covers := p.Covers(c.Residence); covers && !k.covering {
			k.laws, k.covering = k.laws[:0], true
		} else if covers != k.covering {
			continue
		}
		k.laws = append(k.laws, p)
	}
	switch {
	case len(k.laws) == 0 && early != "":
		return count{}, fmt.Errorf("%w: %q", ErrTooEarly, early)
	case len(k.laws) == 0:
		return count{}, ErrNoLaw
	}
	if c.Right == Appeal {
		k.laws = slices.DeleteFunc(k.laws, func(p *Pack) bool { return p.appeal == nil })
		if len(k.laws) == 0 {
			return count{}, ErrNoAppeal
		}
	}
	for _, s := range c.Stops {
		w := wait{cause: s.Cause, asked: DateOf(s.Asked, c.Zone), open: s.Answered.IsZero()}
		switch {
		case !w.open:
			w.answered = DateOf(s.Answered, c.Zone)
		case c.Now.IsZero():
			w.answered = w.asked
		default:
			w.answered = max(w.asked, DateOf(c.Now, c.Zone))
		}
		if w.asked < k.received || w.answered < w.asked {
			return count{}, ErrStops
		}
		k.waits = append(k.waits, w)
	}
	return k, nil
}

// versions holds every version of each law, the newest first.
var versions = func() map[string][]*Pack {
	all := map[string][]*Pack{}
	for i := range packs {
		all[packs[i].ID] = append(all[packs[i].ID], &packs[i])
	}
	return all
}()

// inForce returns the version of a law that applies to what is received on a day;
// nil if it was not in force yet.
func inForce(id string, day Date) (p *Pack, known bool) {
	all, known := versions[id]
	for _, p := range all {
		if day >= p.From {
			return p, true
		}
	}
	return nil, known
}

// kind is what a law can set a time for.
type kind int

const (
	acknowledging kind = iota // that the request was received
	answering
	extending // the answer, when the law's extension is taken
)

// term is a time that a law sets, with what bears on it.
type term struct {
	law      *Pack
	span     Span
	basis    *basis
	readings []reading
	first    Span   // of an extension: the period before it
	waits    []wait // what can move it
	free     region // whose holidays do not count
}

// term returns the time that a law sets for a kind of thing; false if it sets none.
func (k *count) term(p *Pack, what kind) (term, bool) {
	switch what {
	case acknowledging:
		for i := range p.acknowledge {
			if l := &p.acknowledge[i]; applies(l.rights, k.in.Right) {
				return term{law: p, span: l.span, basis: &l.basis, readings: l.readings, free: k.free(p, l.span)}, true
			}
		}
	case answering:
		l := p.limit(k.in.Right)
		return term{law: p, span: l.span, basis: &l.basis, readings: l.readings, waits: k.under(p), free: k.free(p, l.span)}, true
	case extending:
		if e := p.extension(k.in.Right); e != nil {
			first := p.limit(k.in.Right).span
			return term{law: p, span: e.span, basis: &e.basis, readings: e.readings, first: first, waits: k.under(p), free: k.free(p, e.span)}, true
		}
	}
	return term{}, false
}

// limit returns how long a law gives for the answer. A right that no limit names,
// and a complaint, get that of every other right.
func (p *Pack) limit(right string) *limit {
	if right == Appeal && p.appeal != nil {
		return &p.appeal.decide
	}
	var general *limit
	for i := range p.limits {
		l := &p.limits[i]
		if applies(l.rights, right) {
			return l
		}
		if len(l.rights) == 0 && general == nil {
			general = l
		}
	}
	if general == nil {
		panic("law: " + p.ID + " has no limit for every right") // a test asks each pack
	}
	return general
}

// extension returns how far a law lets the answer be put off; nil if it does not.
func (p *Pack) extension(right string) *extension {
	if right == Appeal && p.appeal != nil {
		return p.appeal.extended
	}
	for i := range p.extensions {
		if e := &p.extensions[i]; applies(e.rights, right) {
			return e
		}
	}
	return nil
}

// stop returns the rule of a law for a cause of waiting; nil if it has none.
func (p *Pack) stop(cause Cause, right, place string) *stop {
	for i := range p.stops {
		s := &p.stops[i]
		if s.cause == cause && applies(s.rights, right) && (len(s.places) == 0 || within(place, s.places)) {
			return s
		}
	}
	return nil
}

// within reports whether a place is one of places or a part of one.
func within(place string, places []string) bool {
	country, _, _ := strings.Cut(place, "-")
	return slices.Contains(places, place) || slices.Contains(places, country)
}

// under says of each wait what it does under a law, and returns them if any does
// something. It writes over what it said of another law before.
func (k *count) under(p *Pack) (moving []wait) {
	for i := range k.waits {
		w := &k.waits[i]
		w.rule, w.effect = p.stop(w.cause, k.in.Right, k.in.Place), Ignore
		if w.rule != nil {
			w.effect = w.rule.effect
		}
		w.from, w.to = 0, -1
		switch w.effect {
		case PauseInclusive:
			w.from, w.to = w.asked, w.answered
		case PauseExclusive:
			w.from, w.to = w.asked+1, w.answered
		case Restart:
		case Ignore:
			continue
		}
		moving = k.waits
	}
	return moving
}

// result is what a term comes to.
type result struct {
	course
	// cautious is the last day if holidays are business days and no wait counts
	// whose rule was not verified.
	cautious Date
	legal    Date
	safe     Date
}

// due counts a term.
func (k *count) due(t *term) result {
	r := result{course: k.run(t, t.span, plain)}
	if r.cautious = r.end; len(t.waits) > 0 {
		r.cautious = k.run(t, t.span, careful).end
	} else if t.span.Unit == BusinessDays {
		r.cautious = t.span.After(k.received)
	}
	earliest := r.cautious
	for i := range t.readings {
		earliest = min(earliest, k.otherwise(t, &t.readings[i]))
	}
	for i := range t.readings {
		earliest -= Date(t.readings[i].earlier) //nolint:gosec // a day or two
	}
	r.safe = k.workingDay(min(earliest, r.last))
	r.legal = r.last
	if t.basis.mark == Unverified {
		r.legal = r.safe // a figure that nobody has checked gives no more than this
	}
	return r
}

// otherwise returns where a term ends if a reading counts another span; never, if it does not.
func (k *count) otherwise(t *term, r *reading) Date {
	switch {
	case r.chained:
		return k.walk(t, k.run(t, t.first, careful).end, r.span, careful)
	case r.span.N > 0:
		return k.run(t, r.span, careful).end
	}
	return never
}

const never Date = 1<<31 - 1

// mode is how a term is counted.
type mode bool

const (
	plain mode = false
	// careful: holidays are business days, waiting counts only by rules that were
	// verified, and nothing moves to a later working day.
	careful mode = true
)

// course is how a span runs.
type course struct {
	start Date // the day it is counted from
	open  Date // the last day on which something could be asked that begins it anew
	end   Date // the last day as it is counted
	last  Date // that, moved to a working day if the law says so
}

// run counts a span from receipt, or from an answer that begins it anew.
//
// Of several answers the latest counts, whatever their order. What is asked when
// the first period is over does not bring it back, even if it was extended: who
// has put off the answer knew who asks.
func (k *count) run(t *term, span Span, m mode) course {
	first := span
	if t.first.N > 0 {
		first = t.first
	}
	c := k.lasts(t, k.received, first, m)
	for {
		start := c.start
		for i := range t.waits {
			if w := &t.waits[i]; w.effect == Restart && w.asked <= c.last && w.counts(m) {
				start = max(start, w.answered)
			}
		}
		if start == c.start {
			break
		}
		c = k.lasts(t, start, first, m)
	}
	if c.open = c.last; first != span {
		open := c.last
		c = k.lasts(t, c.start, span, m)
		c.open = open
	}
	return c
}

func (k *count) lasts(t *term, start Date, span Span, m mode) course {
	c := course{start: start, end: k.walk(t, start, span, m)}
	if c.last = c.end; m == plain {
		c.last = k.roll(t, c.end)
	}
	return c
}

func (w *wait) counts(m mode) bool { return m == plain || w.rule.basis.mark == Verified }

// walk returns the last day of a span that begins with the day after start. Days
// of a pause are not counted, however many pauses they are part of.
func (k *count) walk(t *term, start Date, span Span, m mode) Date {
	if span.Unit == BusinessDays && (m == plain || len(t.waits) > 0) {
		day := start
		for left := span.N; left > 0; {
			day++
			switch {
			case day.weekend():
			case m == plain && k.holiday(t.free, day):
			case t.paused(day, m):
			default:
				left--
			}
		}
		return day
	}
	end := span.After(start)
	for day := start; ; {
		from, to := t.pause(day, m)
		if from > end {
			return end
		}
		end += to - from + 1
		day = to
	}
}

// pause returns the first days after day that do not count; never, if there are none.
func (t *term) pause(day Date, m mode) (from, to Date) {
	from, to = never, never
	for i := range t.waits {
		w := &t.waits[i]
		if w.to > day && w.from <= w.to && w.counts(m) {
			if f := max(w.from, day+1); f < from {
				from, to = f, w.to
			}
		}
	}
	return from, to
}

func (t *term) paused(day Date, m mode) bool {
	if len(t.waits) == 0 {
		return false
	}
	from, _ := t.pause(day-1, m)
	return from == day
}

// roll moves a last day that is not a working day to the next one, if the law
// does. A day that does not count cannot be the last.
func (k *count) roll(t *term, day Date) Date {
	if t.law.roll.article == "" {
		return day
	}
	for k.idle(t.free, day) || t.paused(day, plain) {
		day++
	}
	return day
}

// free returns the region whose holidays a law leaves out: its own, or the
// controller's if the law is in force there. A holiday elsewhere is an ordinary day to it.
func (k *count) free(p *Pack, span Span) region {
	switch {
	case span.Unit != BusinessDays && p.roll.article == "":
		return 0 // nobody will ask
	case p.holidays != "":
		return regionOf(p.holidays)
	case k.home != 0 && p.Covers(k.in.Place):
		return k.home
	}
	return 0
}

// workingDay returns day, or the last day before it on which the controller
// works; but none before the request was received.
func (k *count) workingDay(day Date) Date {
	for day > k.received && k.idle(k.home, day) {
		day--
	}
	return max(day, k.received)
}

func (k *count) idle(free region, day Date) bool { return day.weekend() || k.holiday(free, day) }

// region is a place in calendars, counted from 1. It is 0 if there is no calendar
// for it, and then it has no holidays. A number, since a pointer in count would
// bring all that count points to onto the heap.
type region int

// regions by place.
var regions = func() map[string]region {
	all := map[string]region{}
	for i, c := range calendars {
		all[c.place] = region(i + 1)
	}
	return all
}()

// regionOf returns the region of a place, or that of its country.
func regionOf(place string) region {
	if r, ok := regions[place]; ok {
		return r
	}
	country, _, _ := strings.Cut(place, "-")
	return regions[country]
}

// holiday reports whether a day is one. A count asks about many days that are near
// each other, so it looks at all of these at once.
func (k *count) holiday(free region, day Date) bool {
	if free == 0 {
		return false
	}
	for i := range k.windows {
		if w := &k.windows[i]; w.of == free && uint32(day-w.first) < 64 { //nolint:gosec // a day before it becomes a large number
			return w.days>>(day-w.first)&1 != 0
		}
	}
	w := window{of: free, first: k.received + (day-k.received)/64*64}
	w.days = calendars[free-1].from(w.first)
	k.windows[k.oldest] = w
	k.oldest = (k.oldest + 1) % len(k.windows)
	return w.days>>(day-w.first)&1 != 0
}

// found is the strictest of the laws in question. The safe date can come from
// another law than the legal one.
type found struct {
	law, safest *Pack
	legal, safe Date
}

// strictest returns the earliest dates for a kind of thing; no law, if none sets a
// time for it. When the answer is put off, a law that knows no extension keeps
// its date.
func (k *count) strictest(what kind) found {
	var f found
	for _, p := range k.laws {
		legal, safe, ok := k.dates(p, what)
		if !ok {
			continue
		}
		// On the same day the law of the very place goes before that of the country.
		if f.law == nil || legal < f.legal || legal == f.legal && p.names(k.in.Residence) && !f.law.names(k.in.Residence) {
			f.law, f.legal = p, legal
		}
		if f.safest == nil || safe < f.safe {
			f.safest, f.safe = p, safe
		}
	}
	return f
}

func (p *Pack) names(residence string) bool { return slices.Contains(p.covers, residence) }

func (k *count) dates(p *Pack, what kind) (legal, safe Date, ok bool) {
	t, ok := k.term(p, what)
	if what != extending {
		if !ok {
			return 0, 0, false
		}
		r := k.due(&t)
		return r.legal, r.safe, true
	}
	legal, safe, _ = k.dates(p, answering)
	if ok {
		r := k.due(&t)
		legal, safe = max(legal, r.legal), max(safe, r.safe) // an extension shortens nothing
	}
	return legal, safe, true
}

// answer returns what binds for the answer, and whether that is the extended date.
func (k *count) answer() (f found, extended bool) {
	knows := func(p *Pack) bool { return p.extension(k.in.Right) != nil }
	if k.in.Extended && slices.ContainsFunc(k.laws, knows) {
		return k.strictest(extending), true
	}
	f = k.strictest(answering)
	if day, ok := k.promised(f); ok {
		f.legal, f.safe = day, min(f.safe, k.workingDay(day))
	}
	return f, false
}

// promised returns the date that the policy promises, if it is before the law's.
func (k *count) promised(f found) (Date, bool) {
	if k.in.PromisedDays == 0 || k.in.PromisedDays >= int(f.legal-k.received) {
		return 0, false
	}
	return k.received + Date(k.in.PromisedDays), true //nolint:gosec // fewer than the law's
}

// extensible returns the strictest dates without and with the extension of the law
// that binds, or ErrNoExtension if that law or another lets nothing be put off.
func (k *count) extensible() (first, later found, e *extension, err error) {
	first = k.strictest(answering)
	if e = first.law.extension(k.in.Right); e == nil {
		return found{}, found{}, nil, ErrNoExtension
	}
	if later = k.strictest(extending); later.legal <= first.legal {
		return found{}, found{}, nil, ErrNoExtension
	}
	return first, later, e, nil
}
