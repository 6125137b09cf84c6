package policy

import (
	"slices"
	"time"

	"rightsdesk/shared/law"
)

// Signals is what the company does about what browsers send by themselves.
type Signals struct {
	GPC        Handling
	DNT        Handling
	OnConflict Conflict
	Updated    string // date of the last change, for gpc.json
}

// Handling is what the company does about a signal.
type Handling string

// The ways to handle a signal.
const (
	Honoured Handling = "honoured"
	Ignored  Handling = "ignored"
	Unstated Handling = "unstated" // nothing is said about it, and nothing is stopped by it
)

var handlings = []Handling{Honoured, Ignored, Unstated}

// Conflict is what happens when a signal meets an earlier consent to the purpose itself.
type Conflict string

// The ways out of a conflict.
const (
	SignalWins  Conflict = "signal_wins"
	ConsentWins Conflict = "consent_wins"
	AskAgain    Conflict = "ask" // the signal wins, and the person is told and asked; a consent given after that wins
)

func (p *Policy) readSignals(o *object) {
	p.Signals = Signals{GPC: Unstated, DNT: Unstated, OnConflict: AskAgain, Updated: p.Document.Updated[:min(len(time.DateOnly), len(p.Document.Updated))]}
	if h := word(o, "gpc", may, handlings); h != "" {
		p.Signals.GPC = h
	}
	if h := word(o, "dnt", may, handlings); h != "" {
		p.Signals.DNT = h
	}
	if c := word(o, "on_conflict", may, []Conflict{SignalWins, ConsentWins, AskAgain}); c != "" {
		p.Signals.OnConflict = c
	}
	if day := o.line("updated", may, calendarDay); day != "" {
		p.Signals.Updated = day
	}
}

// checkSignals holds a company to the laws under which the signal of Global
// Privacy Control is an opt-out.
func checkSignals(p *Policy, refuse report) {
	for _, g := range p.Regimes {
		article, demanded := law.DemandsGPC(g.ID)
		switch {
		case !demanded:
		case p.Signals.GPC == Ignored:
			refuse("signals.gpc", "must not be ignored under %s (%s): the signal is an opt-out of sale there", g.ID, article)
		case p.Signals.GPC != Honoured && p.sells():
			refuse("signals.gpc", "must be honoured under %s (%s): something of this file is for value, and the signal is an opt-out of that", g.ID, article)
		}
		if demanded && p.Signals.OnConflict == ConsentWins {
			refuse("signals.on_conflict", "must not be consent_wins under %s (%s): the signal ends what was allowed before it; `ask` tells the person so, and lets them allow it again", g.ID, article)
		}
	}
}

// sells reports whether anything goes to anybody for value.
func (p *Policy) sells() bool {
	return slices.ContainsFunc(p.Purposes, func(u Purpose) bool { return u.ForValue }) ||
		slices.ContainsFunc(p.Recipients, func(to Recipient) bool { return to.ForValue })
}

// checkOptOuts refuses a purpose for value that no opt-out ends.
func checkOptOuts(p *Policy, refuse report) {
	for _, u := range p.Purposes {
		if !u.ForValue {
			continue
		}
		c, ok := p.Consent(u.ID)
		if !ok {
			refuse("purposes."+u.ID+".for_value", "needs an entry consents.%s with `stopped_by: [opt_out_sale]`: a sale ends when the person opts out of it", u.ID)
			continue
		}
		at := "consents." + u.ID + ".stopped_by"
		if !c.StoppedByIt(SaleOptOut) {
			refuse(at, "must have opt_out_sale: purposes.%s is for value, and a sale ends when the person opts out of it", u.ID)
		}
		for _, g := range p.Regimes {
			if article, demanded := law.DemandsGPC(g.ID); demanded && !c.StoppedByIt(GPC) {
				refuse(at, "must have gpc under %s (%s): purposes.%s is for value, and the signal is an opt-out of that", g.ID, article, u.ID)
			}
		}
	}
}
