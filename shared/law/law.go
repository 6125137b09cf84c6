// Package law knows until when a rights request must be answered, for which
// reasons it may be denied, what an answer may never show, and who hears a
// complaint. The rules of one law are a Pack; each number stands beside its
// article, and every date explains itself step by step.
//
// It is not legal advice, and it says how sure it is: every rule carries a Mark.
// It is pure: no clock, no I/O, the standard library only. Every package may
// import it.
//
// Not in it yet: holiday tables, so a date is never moved to the next working
// day (the date it gives is then early, never late); extensions and pauses.
package law

import (
	"slices"
	"strings"
	"time"
)

// How far a rule has been checked.
const (
	Verified   = "verified"   // the primary text was read
	Secondary  = "secondary"  // a secondary source says so
	Unverified = "unverified" // general knowledge; check it before relying on it
)

// Pack is the rules of one law, in one version.
type Pack struct {
	ID   string // "eu-gdpr"
	Name string
	// From is the first day of receipt that this version applies to. A law that
	// changed has several packs of one ID.
	From    time.Time
	Sources []string
	// covers lists the countries and subdivisions (ISO 3166) whose residents the
	// law protects. A country stands for all of its subdivisions.
	covers []string

	limits   []limit // the first whose rights match applies
	receipt  basis   // why the day of receipt is not counted
	roll     basis   // the law's rule for a last day that is not a working day; zero if it has none
	reasons  []Reason
	withheld []Withheld
}

// basis is where a rule comes from.
type basis struct{ article, source, mark string }

// limit is how long the law gives for an answer.
type limit struct {
	rights []string // empty: every right
	span   Span
	basis  basis
	// readings are defensible ways to arrive at an earlier day. The safe date
	// honours all of them.
	readings []reading
}

// reading is a way to read a limit that ends it some days earlier.
type reading struct {
	text    string
	earlier int // days
	basis   basis
}

// packs holds every version of every law, the newest of each ID first.
var packs = slices.Concat(europe, britain, california, canada, states)

// Packs returns every version of every law, the newest of each ID first.
func Packs() []Pack { return slices.Clone(packs) }

// ByID returns the newest version of a law.
func ByID(id string) (Pack, bool) {
	i := slices.IndexFunc(packs, func(p Pack) bool { return p.ID == id })
	if i < 0 {
		return Pack{}, false
	}
	return packs[i], true
}

// inForce returns the version of a law that applies to what is received on a day.
func inForce(id string, day time.Time) (Pack, bool) {
	i := slices.IndexFunc(packs, func(p Pack) bool { return p.ID == id && !day.Before(p.From) })
	if i < 0 {
		return Pack{}, false
	}
	return packs[i], true
}

// Covers reports whether the law protects residents of a place, such as "FR" or "US-CA".
func (p Pack) Covers(residence string) bool {
	country, _, _ := strings.Cut(residence, "-")
	return residence != "" && (slices.Contains(p.covers, residence) || slices.Contains(p.covers, country))
}

func (p Pack) limit(right string) limit {
	for _, l := range p.limits {
		if applies(l.rights, right) {
			return l
		}
	}
	panic("law: " + p.ID + " has no limit for every right") // a test asks each pack
}

// applies reports whether a rule for the given rights, all if none, is one for right.
func applies(rights []string, right string) bool {
	return len(rights) == 0 || slices.Contains(rights, right)
}
