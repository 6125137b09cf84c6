package consent

import (
	"context"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
)

// Asked is one choice as a caller tells it.
type Asked struct {
	Purpose string
	Act     string // which one thing a consent is for, where the rule says per act: an id without personal data
	Choice  Choice
	// Wording is the hash of what was shown, as GET /v1/choices has it; or empty, and Text is it.
	Wording string
	Text    string // the exact words, if the company's app showed its own
}

// Signals are what a browser sent by itself.
type Signals struct{ GPC, DNT bool }

// Capture is what a caller says that somebody chose.
type Capture struct {
	Identity  personal.Identity // none: a new visitor
	Asked     []Asked
	Method    Method // empty: Form
	Language  string
	Page      string // where it was asked: an address, of which scheme, host and path are kept
	Residence string
	Signals   Signals
	At        time.Time // when it was made; zero: now. Apps and imports may look back
	By        Speaker
	App       string // id of the app, or of the operator
	From      string // the caller's network address, for the limit
	Attempt   Attempt

	confirmed bool // by mail: in the place from which it is imported, or by the link that is used
}

// Record is one entry that a capture made.
type Record struct {
	ID      RecordID
	Purpose string // or purpose/act
	Choice  Choice
	At      time.Time
	Pending bool // counts once it is confirmed by mail
}

// Captured is the answer to a capture.
type Captured struct {
	Visitor  string // the id of a new visitor, which the browser keeps; empty for others
	Records  []Record
	Honoured []policy.Stop // signals that were taken down with it, or stood already
}

// Capture commits what somebody chose. Repeated with the same key it answers as
// it did the first time.
//
// While everything is halted refusals are taken all the same: a call that brings
// both has its refusals committed, and is told ErrHalted for the rest.
func (s *Service) Capture(ctx context.Context, c Capture) (Captured, error) {
	if len(c.Asked) == 0 && c.Signals == (Signals{}) {
		return Captured{}, fault.Input(fault.Field{Pointer: "/choices", Text: "must name at least one choice"})
	}
	fresh := c.Identity == personal.Identity{}
	c, err := s.speak(c)
	if err != nil {
		return Captured{}, err
	}
	a, err := s.act(c)
	if err != nil {
		return Captured{}, err
	}
	if err := s.limit(ctx, c); err != nil {
		return Captured{}, err
	}
	return s.unlessHalted(ctx, a, fresh)
}

// Signal takes down what a browser sent by itself, for whom it is. It costs
// nothing if that is known already, or if the company does nothing about it.
func (s *Service) Signal(ctx context.Context, c Capture) (Captured, error) {
	c.Asked, c.Method, c.Attempt = nil, Signal, Attempt{}
	if !c.Signals.GPC || !honoured(s.Policy, policy.GPC) {
		c.Signals.GPC = false
	}
	if !c.Signals.DNT || !honoured(s.Policy, policy.DNT) {
		c.Signals.DNT = false
	}
	if c.Signals == (Signals{}) {
		return Captured{}, nil
	}
	fresh := c.Identity == personal.Identity{}
	c, err := s.speak(c)
	if err != nil {
		return Captured{}, err
	}
	if err := s.limit(ctx, c); err != nil {
		return Captured{}, err
	}
	done, err := s.do(ctx, s.plain(c))
	return told(done, c.Identity, fresh), err
}

// unlessHalted does what a call asks for, as far as that goes on during a halt, or
// without the mail that would confirm it.
func (s *Service) unlessHalted(ctx context.Context, a *act, fresh bool) (Captured, error) {
	grants := func(c choice) bool { return c.Choice == Granted }
	if !slices.ContainsFunc(a.choices, grants) {
		done, err := s.do(ctx, a)
		return told(done, a.who, fresh), err
	}
	halt, err := s.Halted(ctx)
	unmailed := s.NoMail && slices.ContainsFunc(a.choices, func(c choice) bool { return c.pending })
	switch {
	case err == nil && halt.On:
		err = ErrHalted
	case err == nil && unmailed:
		err = mail.ErrOff
	case err == nil:
		done, err := s.do(ctx, a)
		return told(done, a.who, fresh), err
	}
	// The attempt is not remembered: repeated after the halt it has its whole effect.
	a.choices, a.attempt = slices.DeleteFunc(slices.Clone(a.choices), grants), Attempt{}
	if a.empty() || fresh { // nobody knows the id that a new visitor would have
		return Captured{}, err
	}
	if _, failed := s.do(ctx, a); failed != nil {
		return Captured{}, failed
	}
	return Captured{}, err
}

func told(done Captured, who personal.Identity, fresh bool) Captured {
	if fresh {
		done.Visitor = who.Reveal()
	}
	return done
}

// minVisitorKey is how long an Idempotency-Key must be for a new visitor's id to be
// derived from it: a short one might be somebody else's as well.
const minVisitorKey = 16

// speak says whom a capture is about, and refuses who may not speak for them.
func (s *Service) speak(c Capture) (Capture, error) {
	if c.Identity == (personal.Identity{}) {
		if c.By != ByBrowser && c.By != ByApp {
			return c, fault.Input(fault.Field{Pointer: "/subject", Text: "must have a type and a value"})
		}
		if len(c.Attempt.Key) >= minVisitorKey {
			// A repetition finds the visitor that its first try made.
			c.Identity = s.visitor(s.Keys.Ring.Token("new visitor", string(c.By), c.App, c.From, c.Attempt.Key))
		} else {
			c.Identity = s.NewVisitor()
		}
		return c, nil
	}
	if !namesSomebody(c.Identity) {
		return c, fault.Input(fault.Field{Pointer: "/subject", Text: "must have a type and a value"})
	}
	_, ours := s.Visitor(c.Identity.Reveal())
	_, address := personal.ParseEmail(c.Identity.Reveal())
	kind := c.Identity.Kind
	switch {
	case kind == KindVisitor && !ours:
		return c, fault.Input(fault.Field{Pointer: "/subject/value", Text: "must be an anonymous id as POST /v1/consents gave it; leave subject out to get one"})
	case kind == personal.KindEmail && !address:
		return c, fault.Input(fault.Field{Pointer: "/subject/value", Text: "must be a mail address such as ada@example.org"})
	case c.By == ByBrowser && kind != KindVisitor && kind != personal.KindEmail:
		return c, ErrSpeaker
	}
	return c, nil
}

// maxValue is the longest value of an identity, in bytes.
const maxValue = 512

func namesSomebody(i personal.Identity) bool {
	return kindPattern.MatchString(string(i.Kind)) && i.Reveal() != "" && len(i.Reveal()) <= maxValue
}

// isPerson reports whether a kind of identity is that of a person, and not only of
// a browser or a machine that several may use.
func isPerson(k personal.Kind) bool { return k != "" && k != KindVisitor && k != KindInstallation }

// act is one call that changes what somebody chose.
type act struct {
	id      seal.Identifier
	who     personal.Identity // none where a link alone names them
	by      Speaker
	actor   string
	choices []choice
	all     bool                 // everything is withdrawn
	stops   map[policy.Stop]bool // put on, or taken off
	signals Signals
	attempt Attempt

	method    Method
	language  string
	page      string
	residence string
	made      time.Time    // when it was chosen; zero: now
	facts     []audit.Fact // more that its entries say
	silent    bool         // no source is told: whoever calls tells them
	request   string       // that puts stops on, or takes off what stands for it alone

	keys    *seal.Subject // whose salt what is sealed hangs on, once it was needed
	mayMail bool          // the address takes one more mail today
	counted bool
}

func (a *act) empty() bool {
	return len(a.choices) == 0 && !a.all && len(a.stops) == 0 && a.signals == Signals{}
}

// plain is the act of a capture without its choices.
func (s *Service) plain(c Capture) *act {
	actor := string(c.By)
	if c.App != "" {
		actor += ":" + c.App
	}
	return &act{
		id: s.Keys.Ring.Identifier(c.Identity), who: c.Identity, by: c.By, actor: actor,
		signals: c.Signals, attempt: c.Attempt, method: c.Method,
		language: c.Language, page: pageOf(c.Page), residence: c.Residence, made: c.At,
	}
}

// do commits an act, unless the same was done before.
func (s *Service) do(ctx context.Context, a *act) (Captured, error) {
	sub, records, err := s.once(ctx, a, func(d *draft) error {
		if err := s.take(ctx, d, a); err != nil {
			return err
		}
		if len(d.entries) == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return Captured{}, err
	}
	for _, c := range a.choices {
		if c.hash != "" {
			s.seen.put(c.hash)
		}
	}
	return Captured{Records: records, Honoured: s.honouredOf(sub, Signals{})}, nil
}

// once makes a change and remembers the attempt, unless the same attempt was made
// before. It returns what stands then, and the choices that the attempt recorded.
func (s *Service) once(ctx context.Context, a *act, decide func(*draft) error) (Subject, []Record, error) {
	var records []Record
	sub, err := s.change(ctx, a.id, a.actor, func(d *draft) error {
		records = nil
		entries, known, err := s.replayed(ctx, d.Subject, a)
		if err != nil {
			return err
		}
		if known {
			records = recordsOf(entries)
			return errUnchanged
		}
		if err := decide(d); err != nil {
			return err
		}
		s.remember(d, a)
		records = recordsOf(d.entries)
		return nil
	})
	return sub, records, err
}

// recordsOf are the choices among entries.
func recordsOf(entries []audit.Entry) []Record {
	list := make([]Record, 0, len(entries))
	for _, e := range entries {
		x := entryOf(e)
		if x.Choice == "" || x.Choice == Ended {
			continue
		}
		list = append(list, Record{ID: x.ID, Purpose: keyOf(x.Purpose, x.Act), Choice: x.Choice, At: x.At, Pending: x.Action == actionAsked})
	}
	return list
}

// honouredOf lists the signals that count for somebody, those of a visit included.
func (s *Service) honouredOf(sub Subject, now Signals) []policy.Stop {
	var list []policy.Stop
	for _, stop := range []policy.Stop{policy.GPC, policy.DNT} {
		sent := stop == policy.GPC && now.GPC || stop == policy.DNT && now.DNT
		if _, stored := sub.Stops[stop]; (stored || sent) && honoured(s.Policy, stop) {
			list = append(list, stop)
		}
	}
	return list
}
