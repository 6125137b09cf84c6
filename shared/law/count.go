package law

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// inForce returns the version of a law that applies to what is received on a day.
func inForce(id string, day Date) (Pack, bool) {
	i := slices.IndexFunc(packs, func(p Pack) bool { return p.ID == id && day >= p.From })
	if i < 0 {
		return Pack{}, false
	}
	return packs[i], true
}

func (p Pack) limit(right string) limit {
	for _, l := range p.limits {
		if applies(l.rights, right) {
			return l
		}
	}
	for _, l := range p.limits {
		if len(l.rights) == 0 {
			return l
		}
	}
	panic("law: " + p.ID + " has no limit for every right") // a test asks each pack
}

// Count returns until when a request must be answered. A residence that is not
// known, or that no named law covers, gets the strictest of the named laws.
func Count(in Case) (Deadline, error) {
	switch {
	case in.Zone == nil:
		return Deadline{}, ErrNoZone
	case in.Received.IsZero():
		return Deadline{}, ErrNoDate
	case in.PromisedDays < 0:
		return Deadline{}, ErrPromise
	}
	received := DateOf(in.Received, in.Zone)
	laws, why, err := choose(in, received)
	if err != nil {
		return Deadline{}, err
	}
	c := count{received: received}
	for _, p := range laws {
		c.strictest(p, in.Right)
	}
	c.explain(why)
	if in.PromisedDays > 0 {
		c.promise(in.PromisedDays)
	}
	c.settle()
	return Deadline{Law: c.law.ID, RespondBy: c.legal.End(in.Zone), SafeBy: c.safe.End(in.Zone)}, nil
}

// choose returns the laws to be honoured, and why these.
func choose(in Case, received Date) (laws []Pack, why string, err error) {
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
	received Date
	law      Pack // the strictest so far
	limit    limit
	legal    Date
	safe     Date     // before it is moved off a weekend
	safest   Pack     // the law that safe comes from
	reading  *reading // and the reading, if it is not the plain one
	steps    []Step
}

// strictest takes one more law into account.
func (c *count) strictest(p Pack, right string) {
	l := p.limit(right)
	legal := l.span.After(c.received)
	if c.law.ID == "" || legal < c.legal {
		c.law, c.limit, c.legal = p, l, legal
	}
	if c.safest.ID == "" || legal < c.safe {
		c.safest, c.safe, c.reading = p, legal, nil
	}
	for i, r := range l.readings {
		if day := legal - Date(r.earlier); day < c.safe {
			c.safest, c.safe, c.reading = p, day, &l.readings[i]
		}
	}
}

func (c *count) explain(why string) {
	c.add(c.law.Name+" applies. "+why, basis{}, c.received)
	c.add("Received on "+c.received.words()+"; the day of receipt is not counted.", c.law.receipt, c.received)
	text := "The answer is due within " + c.limit.span.String() + ": " + c.legal.words() + "."
	if c.limit.span.Unit == Months {
		text = strings.TrimSuffix(text, ".") + ", the last day of a month that has no " + ordinal(31) + "."
	}
	c.add(text, c.limit.basis, c.legal)
	if c.law.roll != (basis{}) {
		c.add("A last day that is a weekend or a public holiday would end with the next working day. "+
			"This count leaves that time unused: an earlier date is always safe.", c.law.roll, c.legal)
	}
	switch {
	case c.reading != nil:
		c.add(c.reading.text+" The safe date honours it: "+c.safe.words()+".", c.reading.basis, c.safe)
	case c.safe < c.legal:
		c.add("The safe date is that of "+c.safest.Name+".", basis{}, c.safe)
	}
}

func (c *count) promise(days int) {
	promised := Span{days, Days}.After(c.received)
	text := "The policy promises an answer within " + Span{days, Days}.String() + ": " + promised.words()
	if promised < c.legal {
		text += ". That is earlier than the law demands, and binds."
	} else {
		text += ". The law does not wait that long, and binds."
	}
	if promised == c.legal {
		text = "The policy promises the same date as the law."
	}
	c.legal, c.safe = min(c.legal, promised), min(c.safe, promised)
	c.add(text, basis{}, c.legal)
}

// settle moves the safe date off a weekend.
func (c *count) settle() {
	if friday := workingDayBefore(c.safe); friday != c.safe {
		c.add(c.safe.words()+" is no working day; the safe date is the Friday before.", basis{}, friday)
		c.safe = friday
	}
}

func (c *count) add(text string, b basis, day Date) {
	c.steps = append(c.steps, Step{Text: text, Article: b.article, Source: b.source, Mark: b.mark, Date: day.End(time.UTC)})
}

// ordinal says a day that not every month has.
func ordinal(day int) string {
	if day == 31 {
		return "31st"
	}
	return fmt.Sprintf("%dth", day)
}

// Clocks returns every clock of a case, each with the way to its dates.
func Clocks(c Case) ([]Reckoning, error) { return nil, nil }

// Asking returns what waiting for a cause does under the law that binds.
func Asking(c Case, cause Cause) (Asked, error) { return Asked{}, nil }

// ExtensionOf returns how far the answer can be put off, or ErrNoExtension.
func ExtensionOf(c Case) (Extension, error) { return Extension{}, ErrNoExtension }

// Appeals returns nil if somebody whose request was refused under a law can appeal to the
// company, else ErrNoAppeal.
func Appeals(c Case) error { return ErrNoAppeal }

// Silence returns the article that makes an answer that does not come a refusal.
func Silence(law string, received Date) (article string, ok bool) { return "", false }

// Forbids returns why a law forbids to ask for a proof, if it does.
func Forbids(law, right string, p Proof) (Refusal, bool) { return Refusal{}, false }
