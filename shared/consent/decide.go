package consent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// Question is what an app asks before it acts.
type Question struct {
	Identity  personal.Identity
	Purposes  []string // a purpose, or purpose/act
	Residence string   // what the app knows of it; the subject's own otherwise
	Signals   Signals  // of the visit in question; they count at once, and are not stored
	Headers   bool     // with the mail headers of RFC 8058, for purposes that are mailing lists
}

// Decision is the answer about one purpose.
type Decision struct {
	Purpose string
	May     bool
	Why     Why
	Since   time.Time // of the choice or stop that decides
	Until   time.Time // it lapses then
	Ask     bool      // ask the person: they never chose, it ends soon, or the wording changed
	Record  RecordID  // the record that it rests on
	Headers []mail.Header
}

const maxPurposes = 100 // of one question, or of one capture

// Decide answers whether something may be done, from one strongly consistent read.
func (s *Service) Decide(ctx context.Context, q Question) ([]Decision, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	halt, err := s.Halted(ctx)
	if err != nil {
		return nil, err
	}
	id := s.Keys.Ring.Identifier(q.Identity)
	sub, err := s.load(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, unavailable(err)
	}
	c := s.circumstances(halt, q.Signals)
	c.nobody = !isPerson(q.Identity.Kind) && !sub.Known
	if c.residence = q.Residence; c.residence == "" {
		c.residence = sub.Residence
	}
	list := make([]Decision, 0, len(q.Purposes))
	for _, key := range q.Purposes {
		d := judge(s.Policy, sub, key, c)
		if rule, ok := s.Policy.Consent(key); ok && rule.Mail && d.May && q.Headers {
			d.Headers = mail.OneClick(s.BaseURL + "/u/" + s.Mint(Link{Identifier: id, Verb: UnsubscribeLink, Purpose: key, Who: q.Identity}))
		}
		list = append(list, d)
	}
	return list, nil
}

func (q Question) check() error {
	var bad []fault.Field
	if !namesSomebody(q.Identity) {
		bad = append(bad, fault.Field{Pointer: "/subject", Text: "must have a type and a value"})
	}
	if len(q.Purposes) == 0 || len(q.Purposes) > maxPurposes {
		bad = append(bad, fault.Field{Pointer: "/purposes", Text: "must name at least one purpose, and a hundred at most"})
	}
	if q.Residence != "" && !policy.IsResidence(q.Residence) {
		bad = append(bad, fault.Field{Pointer: "/residence", Text: "must be a code such as FR, US-CA or EEA, or be left out"})
	}
	if len(bad) > 0 {
		return fault.Input(bad...)
	}
	return nil
}

// circumstances are what a decision depends on beside the subject and the policy.
type circumstances struct {
	now       time.Time
	residence string
	nobody    bool // a browser or an installation that is not known to be anybody's
	signals   Signals
	halt      Halt
}

func (s *Service) circumstances(halt Halt, signals Signals) circumstances {
	return circumstances{now: s.now(), signals: signals, halt: halt}
}

// keyOf names what a choice is about: a purpose, or one act for a purpose.
func keyOf(purpose, act string) string {
	if act == "" {
		return purpose
	}
	return purpose + "/" + act
}

func cutKey(key string) (purpose, act string) {
	purpose, act, _ = strings.Cut(key, "/")
	return purpose, act
}

// judge decides about one purpose, or purpose/act. Everything that can stop it is
// looked at before anything that allows it.
func judge(p *policy.Policy, sub Subject, key string, c circumstances) Decision {
	purpose, act := cutKey(key)
	no := func(why Why, since time.Time) Decision { return Decision{Purpose: key, Why: why, Since: since} }
	yes := func(why Why) Decision { return Decision{Purpose: key, May: true, Why: why} }
	ask := func(d Decision) Decision { d.Ask = true; return d }

	use, known := p.Purpose(purpose)
	rule, ruled := p.Consent(purpose)
	switch {
	case !known || strings.Contains(key, "/") && (act == "" || !ruled || !rule.PerAct):
		return no(UnknownPurpose, time.Time{})
	case use.AlwaysSent:
		return yes(Always)
	case c.halt.On:
		return no(WasHalted, c.halt.Since)
	}
	if since, on := sub.Stops[policy.Restricted]; on {
		return no(Why(policy.Restricted), since)
	}
	if !ruled {
		since, objected := sub.Stops[policy.Objected]
		switch {
		case len(use.Bases) == 0 || !slices.ContainsFunc(use.Bases, func(b policy.Basis) bool { return b != policy.OnConsent }):
			return no(NeverAsked, time.Time{})
		case objected && !slices.ContainsFunc(use.Bases, standsObjection):
			return no(Why(policy.Objected), since)
		}
		return yes(ByBasis)
	}
	if rule.Required {
		return yes(Essential)
	}
	if rule.PerAct && act == "" {
		return no(NeedsAct, time.Time{})
	}
	for _, stop := range []policy.Stop{policy.MarketingOptOut, policy.Objected, policy.SaleOptOut, policy.SensitiveLimit} {
		since, on := sub.Stops[stop]
		if on && rule.StoppedByIt(stop) {
			return no(Why(stop), since)
		}
	}
	st, chose := sub.standing(key)
	granted := chose && st.Choice == Granted && c.now.Before(st.Until) && st.Edition >= rule.Edition
	if rule.Mail {
		if stop, on := sub.Lists[purpose]; on {
			return no(Why(stop), time.Time{})
		}
		for _, stop := range []policy.Stop{policy.Bounced, policy.Complained} {
			// Whoever subscribed after that, by an act of their own, wants the mail.
			if since, on := sub.Stops[stop]; on && (!granted || !st.At.After(since)) {
				return no(Why(stop), since)
			}
		}
	}
	for _, stop := range []policy.Stop{policy.GPC, policy.DNT} {
		if since, on := sub.signalled(p, rule, stop, c); on && (!granted || !consentHolds(p.Signals.OnConflict, st.At, since)) {
			d := no(Why(stop), since)
			d.Ask = granted && p.Signals.OnConflict == policy.AskAgain
			return d
		}
	}
	d := Decision{Purpose: key, Since: st.At, Until: st.Until}
	if chose {
		d.Record = recordOf(st.chain(sub.ID), st.Seq)
	}
	waiting, asked := sub.Asks[key]
	switch {
	case granted:
		d.May, d.Why, d.Ask = true, ByConsent, !c.now.Before(st.remindAt())
		return d
	case asked && c.now.Before(waiting.Until):
		return Decision{Purpose: key, Why: Unconfirmed, Since: waiting.At, Until: waiting.Until, Record: recordOf(waiting.chain(sub.ID), waiting.Seq)}
	case chose && st.Choice == Denied:
		d.Why = WasDenied
		return d
	case chose && st.Choice == Withdrawn:
		d.Why = WasWithdrawn
		return d
	case chose && st.Choice == Granted && c.now.Before(st.Until):
		d.Why = WordingChanged
		return ask(d)
	case chose:
		d.Why = Lapsed
		return ask(d)
	case rule.AskFirst:
		return ask(no(NeverAsked, time.Time{}))
	case rule.Default == policy.On && rule.Ground == policy.ExistingCustomer && c.nobody:
		return ask(no(NeverAsked, time.Time{})) // a customer is somebody whom the company's app names
	case rule.Default == policy.On && mayDefault(p, rule, c.residence):
		return yes(ByDefault)
	}
	return ask(no(NeverAsked, time.Time{}))
}

// standsObjection reports whether a basis is out of reach of an objection: GDPR
// Article 21(1) is about Article 6(1)(e) and (f) only. Consent is no basis where
// nobody is asked for it.
func standsObjection(b policy.Basis) bool {
	return b != policy.OnLegitimateInterests && b != policy.OnPublicTask && b != policy.OnConsent
}

// signalled reports whether a browser's signal stops the purpose, and since when.
// One that the question brings and nobody stored counts from now.
func (sub Subject) signalled(p *policy.Policy, rule policy.Consent, stop policy.Stop, c circumstances) (time.Time, bool) {
	if !honoured(p, stop) || !rule.StoppedByIt(stop) {
		return time.Time{}, false
	}
	if since, on := sub.Stops[stop]; on {
		return since, true
	}
	return c.now, stop == policy.GPC && c.signals.GPC || stop == policy.DNT && c.signals.DNT
}

// honoured reports whether the company does anything about a signal.
func honoured(p *policy.Policy, stop policy.Stop) bool {
	switch stop { //nolint:exhaustive // the others are no signals
	case policy.GPC:
		return p.Signals.GPC == policy.Honoured
	case policy.DNT:
		return p.Signals.DNT == policy.Honoured
	}
	return false
}

// consentHolds reports whether a consent to the purpose itself outweighs a signal.
func consentHolds(c policy.Conflict, given, signalled time.Time) bool {
	switch c {
	case policy.SignalWins:
		return false
	case policy.ConsentWins:
		return true
	case policy.AskAgain:
		return !given.Before(signalled)
	}
	return false
}

// mayDefault reports whether the law lets a purpose be on where somebody lives,
// before they chose: every law of the policy that may be theirs has to say so.
// Where it is not known which that is, all of them have to.
func mayDefault(p *policy.Policy, rule policy.Consent, residence string) bool {
	theirs := slices.DeleteFunc(slices.Clone(p.Regimes), func(g policy.Regime) bool {
		return !policy.Covers(g.AppliesTo, residence) && !slices.ContainsFunc(g.AppliesTo, func(place string) bool {
			// Who lives in the US may live in California, and who lives in the EEA in France.
			return residence != "" && strings.HasPrefix(place, residence+"-") || residence == policy.EEA && policy.Covers([]string{policy.EEA}, place)
		})
	})
	if residence == "" || len(theirs) == 0 {
		theirs = p.Regimes
	}
	for _, g := range theirs {
		if _, ok := law.DefaultOn(g.ID, string(rule.Ground)); !ok {
			return false
		}
	}
	return len(theirs) > 0
}
