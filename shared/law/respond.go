package law

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Question asks until when a request must be answered.
type Question struct {
	Regimes []string // ids of the laws that the policy says it follows
	// Residence is where the person lives: a country or a subdivision of one
	// ("FR", "US-CA", "CA-QC"). Empty if it is not known.
	Residence string
	// Right is what is asked for: access, know, portability, rectification, erasure,
	// restriction, objection, challenge, opt_out (of sale), limit (the use of
	// sensitive data). A law that sets no limit of its own for it applies its
	// general one.
	Right    string
	Received time.Time
	Zone     *time.Location // the controller's: the day of receipt is a day there
	// PromisedDays is what the policy promises beyond the law, in days after
	// receipt; 0 if it promises nothing.
	PromisedDays int
}

// Deadline is the answer: two instants, each the last second of a day in the
// controller's zone, and the way to them.
type Deadline struct {
	Law string // id of the law that RespondBy comes from, or that a promise undercuts
	// RespondBy is what binds: the legal date, or the promised one if that is earlier.
	RespondBy time.Time
	// SafeBy is the earliest date under every reading of every law in question,
	// and a working day.
	SafeBy time.Time
	Steps  []Step
}

// Step is one line of the explanation.
type Step struct {
	Text    string
	Article string
	Source  string
	Mark    string    // Verified, Secondary or Unverified; empty for what is arithmetic or the policy's
	Date    time.Time // where the count stands after this step: the last second of that day
}

// Errors of Respond: the question is wrong, and no date is better than a wrong one.
var (
	ErrNoLaw    = errors.New("law: the policy names no law to answer under")
	ErrUnknown  = errors.New("law: there is no such law")
	ErrNoZone   = errors.New("law: the controller's time zone is not given")
	ErrNoDate   = errors.New("law: the time of receipt is not given")
	ErrPromise  = errors.New("law: a promise cannot be a negative number of days")
	ErrTooEarly = errors.New("law: received before the law came into force")
)

// Respond returns until when a request must be answered. A residence that is not
// known, or that no named law covers, gets the strictest of the named laws.
func Respond(in Question) (Deadline, error) {
	switch {
	case in.Zone == nil:
		return Deadline{}, ErrNoZone
	case in.Received.IsZero():
		return Deadline{}, ErrNoDate
	case in.PromisedDays < 0:
		return Deadline{}, ErrPromise
	}
	received := dateOf(in.Received, in.Zone)
	laws, why, err := choose(in, received)
	if err != nil {
		return Deadline{}, err
	}
	c := count{zone: in.Zone, received: received}
	for _, p := range laws {
		c.strictest(p, in.Right)
	}
	c.explain(why)
	if in.PromisedDays > 0 {
		c.promise(in.PromisedDays)
	}
	c.settle()
	return Deadline{Law: c.law.ID, RespondBy: end(c.legal, in.Zone), SafeBy: end(c.safe, in.Zone), Steps: c.steps}, nil
}

// choose returns the laws to be honoured, and why these.
func choose(in Question, received time.Time) (laws []Pack, why string, err error) {
	var named []Pack
	for _, id := range in.Regimes {
		if _, ok := ByID(id); !ok {
			return nil, "", fmt.Errorf("%w: %q", ErrUnknown, id)
		}
		p, ok := inForce(id, received)
		if !ok {
			return nil, "", fmt.Errorf("%w: %q", ErrTooEarly, id)
		}
		named = append(named, p)
		if p.Covers(in.Residence) {
			laws = append(laws, p)
		}
	}
	switch {
	case len(named) == 0:
		return nil, "", ErrNoLaw
	case len(laws) == 1:
		return laws, "It covers residents of " + in.Residence + ".", nil
	case len(laws) > 1:
		return laws, "It is the strictest that covers residents of " + in.Residence + ".", nil
	case in.Residence == "":
		return named, "The residence is not known: it is the strictest law that the policy names.", nil
	default:
		return named, "No law that the policy names covers residents of " + in.Residence + ": it is the strictest of them.", nil
	}
}

// count is a calculation under way. Its dates are calendar dates.
type count struct {
	zone     *time.Location
	received time.Time
	law      Pack // the strictest so far
	limit    limit
	legal    time.Time
	safe     time.Time // before it is moved off a weekend
	safest   Pack      // the law that safe comes from
	reading  *reading  // and the reading, if it is not the plain one
	steps    []Step
}

// strictest takes one more law into account.
func (c *count) strictest(p Pack, right string) {
	l := p.limit(right)
	legal := l.span.After(c.received)
	if c.law.ID == "" || legal.Before(c.legal) {
		c.law, c.limit, c.legal = p, l, legal
	}
	if c.safest.ID == "" || legal.Before(c.safe) {
		c.safest, c.safe, c.reading = p, legal, nil
	}
	for i, r := range l.readings {
		if day := legal.AddDate(0, 0, -r.earlier); day.Before(c.safe) {
			c.safest, c.safe, c.reading = p, day, &l.readings[i]
		}
	}
}

func (c *count) explain(why string) {
	c.add(c.law.Name+" applies. "+why, basis{}, c.received)
	c.add("Received on "+say(c.received)+"; the day of receipt is not counted.", c.law.receipt, c.received)
	text := "The answer is due within " + c.limit.span.String() + ": " + say(c.legal) + "."
	if c.limit.span.Unit == Months && c.legal.Day() < c.received.Day() {
		text = strings.TrimSuffix(text, ".") + ", the last day of a month that has no " + ordinal(c.received.Day()) + "."
	}
	c.add(text, c.limit.basis, c.legal)
	if c.law.roll != (basis{}) {
		c.add("A last day that is a weekend or a public holiday would end with the next working day. "+
			"This count leaves that time unused: an earlier date is always safe.", c.law.roll, c.legal)
	}
	switch {
	case c.reading != nil:
		c.add(c.reading.text+" The safe date honours it: "+say(c.safe)+".", c.reading.basis, c.safe)
	case c.safe.Before(c.legal):
		c.add("The safe date is that of "+c.safest.Name+".", basis{}, c.safe)
	}
}

func (c *count) promise(days int) {
	promised := Span{days, Days}.After(c.received)
	text := "The policy promises an answer within " + Span{days, Days}.String() + ": " + say(promised)
	if promised.Before(c.legal) {
		text += ". That is earlier than the law demands, and binds."
	} else {
		text += ". The law does not wait that long, and binds."
	}
	if promised.Equal(c.legal) {
		text = "The policy promises the same date as the law."
	}
	c.legal, c.safe = earlier(c.legal, promised), earlier(c.safe, promised)
	c.add(text, basis{}, c.legal)
}

// settle moves the safe date off a weekend.
func (c *count) settle() {
	if friday := workingDayBefore(c.safe); friday != c.safe {
		c.add(say(c.safe)+" is no working day; the safe date is the Friday before.", basis{}, friday)
		c.safe = friday
	}
}

func (c *count) add(text string, b basis, day time.Time) {
	c.steps = append(c.steps, Step{Text: text, Article: b.article, Source: b.source, Mark: b.mark, Date: end(day, c.zone)})
}

func say(day time.Time) string { return day.Format("Monday 2 January 2006") }

// ordinal says a day that not every month has.
func ordinal(day int) string {
	if day == 31 {
		return "31st"
	}
	return fmt.Sprintf("%dth", day)
}
