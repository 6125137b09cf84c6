package policy

import "time"

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
