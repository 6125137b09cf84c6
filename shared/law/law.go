// Package law knows what the laws on personal data say about a rights request:
// until when it must be acknowledged, answered, decided on appeal; what stops
// that time and how far it can be extended; for which reasons a request may be
// denied, which proof of identity may be asked, what an answer may never show,
// and who hears a complaint. The rules of one law are a Pack; each number stands
// beside its article, and every date explains itself step by step.
//
// It is not legal advice, and it says how sure it is: every rule carries a Mark.
// What is unverified binds at its safe date, the earliest under any reading.
//
// It is pure: no clock, no I/O, the standard library only. Every package may
// import it. A pack stands in the file of its regime, holidays in holiday.go;
// count.go makes the dates, explain.go puts the way to them into words.
package law

import (
	"slices"
	"strings"
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
	From    Date
	Sources []string
	// covers lists the countries and subdivisions (ISO 3166) whose residents the
	// law protects. A country stands for all of its subdivisions.
	covers []string

	limits      []limit     // of the answer: the first whose rights match applies
	acknowledge []limit     // of saying that it was received; may match no right
	extensions  []extension // the first whose rights match; may match none
	stops       []stop      // what moves the time; a cause that is not here is ignored
	receipt     basis       // why the day of receipt is not counted
	roll        basis       // the law's rule for a last day that is not a working day; zero if it has none
	holidays    string      // the place whose holidays are no business days; empty: the controller's
	silence     basis       // the rule that makes no answer a refusal; zero if there is none
	appeal      *appeal     // to the company, against a refusal; nil if the law knows none
	records     *records    // how long the record of a request is kept; nil if the law does not say
	recourse    *recourse   // until when what was asked for is kept; nil if the law does not say
	proofs      []bound
	reasons     []Reason
	withheld    []Withheld
	// questions are what is not settled about the law, each with how it is counted here.
	questions []string
}

// basis is where a rule comes from.
type basis struct{ article, source, mark string }

// limit is how long the law gives.
type limit struct {
	rights []string // empty: every right but an appeal and a complaint
	span   Span
	basis  basis
	// readings are defensible ways to arrive at an earlier day. The safe date
	// honours all of them.
	readings []reading
}

// reading is another way to read a time limit, that ends it earlier.
type reading struct {
	text    string
	earlier int  // days before the plain reading
	span    Span // if not zero: this span in place of the plain one
	// chained counts an extension on from the end of the first period instead of
	// from receipt: its span is then what is added.
	chained bool
	basis   basis
}

// extension is how far a law lets the answer be put off, once, with a notice
// inside the first period that gives the reasons.
type extension struct {
	rights   []string // empty: every right but an appeal and a complaint
	span     Span     // from receipt to the last day, the first period included
	grounds  []Ground // the reasons that the law accepts
	basis    basis
	readings []reading
}

// Ground is a reason for an extension that a law accepts.
type Ground struct {
	Code string            // stable, snake_case
	Text map[string]string // by language; what the person is told
	// Open marks a reason for which the law gives the time that is needed, and no
	// last day: the notice names it. The span of the extension does not bound it.
	Open bool
}

// Cause is why a company waits before it can answer.
type Cause string

// The causes.
const (
	Identity      Cause = "identity"      // information that shows who asks
	Clarification Cause = "clarification" // what exactly is asked for
	Fee           Cause = "fee"           // a fee that the law allows, or its estimate
	Mandate       Cause = "mandate"       // the authority of somebody who asks for somebody else
	Consultation  Cause = "consultation"  // a third party is heard
)

// Causes lists every cause.
var Causes = []Cause{Identity, Clarification, Fee, Mandate, Consultation}

// Effect is what waiting does to the time.
type Effect string

// The effects.
const (
	Ignore         Effect = "ignore"          // time runs on
	PauseInclusive Effect = "pause_inclusive" // the day of asking and the day of the answer do not count, nor those between
	PauseExclusive Effect = "pause_exclusive" // the days after the day of asking do not count, up to the day of the answer
	Restart        Effect = "restart"         // the period begins with the answer
)

// stop is what waiting for one cause does to the time under a law.
type stop struct {
	cause  Cause
	rights []string // empty: every right but an appeal and a complaint
	effect Effect
	// places lists where the controller must act for the rule to hold: a switch for
	// countries that go another way than the law they share. Empty: everywhere.
	places []string
	basis  basis
}

// appeal is the lane of those whose request was refused.
type appeal struct {
	file     Span // the person may appeal within; zero: the law says "a reasonable period" or nothing
	decide   limit
	extended *extension
}

// records is how long a law wants the record of a request to be kept.
type records struct {
	span  Span // from the day the request is closed
	basis basis
}

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

// Covers reports whether the law protects residents of a place, such as "FR" or "US-CA".
func (p *Pack) Covers(residence string) bool {
	if residence == "" {
		return false
	}
	country, _, divided := strings.Cut(residence, "-")
	return slices.Contains(p.covers, residence) || divided && slices.Contains(p.covers, country)
}

// The lanes that are rights only to us: a limit that names no right is not for them.
const (
	Appeal    = "appeal"    // against a refusal, to the company
	Complaint = "complaint" // about how the company treats personal data
)

// applies reports whether a rule for the given rights is one for right. A rule
// that names none is for every right, but not for an appeal or a complaint.
func applies(rights []string, right string) bool {
	if len(rights) == 0 {
		return right != Appeal && right != Complaint
	}
	return slices.Contains(rights, right)
}
