package law

import (
	"errors"
	"time"
)

// Case is what the dates of a request hang on.
type Case struct {
	Regimes []string // ids of the laws that the policy says it follows
	// Residence is where the person lives: a country or a subdivision of one
	// ("FR", "US-CA", "CA-QC"). Empty if it is not known.
	Residence string
	// Right is what is asked for: access, know, portability, rectification, erasure,
	// restriction, objection, challenge, opt_out_sale, limit_sensitive (the use of
	// sensitive data), or a lane: Appeal, Complaint. A law that sets no limit of its
	// own for it applies its general one.
	Right    string
	Received time.Time
	Zone     *time.Location // the controller's: the day of receipt is a day there
	// Place is where the controller acts, for its holidays: a country or a part of
	// one ("DE", "GB-SCT"). Empty: no holidays are known, and dates are early. A law
	// that is not in force there does not count its holidays; the safe date does.
	Place string
	// PromisedDays is what the policy promises beyond the law, in days after
	// receipt; 0 if it promises nothing. Once the answer is extended it no longer
	// counts: a policy that lets nothing be extended does not come here.
	PromisedDays int
	Stops        []Stop    // in any order
	Extended     bool      // the law's extension was taken; nothing, if no law in question knows one
	Now          time.Time // until when a stop that is not answered has lasted
	Closed       time.Time // when the request was closed, for Records; zero: it is not
}

// Stop is one time of waiting.
type Stop struct {
	Cause Cause     `json:"cause"`
	Asked time.Time `json:"asked"`
	// Answered is when the waiting ended; zero while it lasts. What is not answered
	// yet is counted as if it were answered at Case.Now.
	Answered time.Time `json:"answered,omitzero"`
}

// Deadline is by when a request must be answered.
type Deadline struct {
	Law string // id of the law that RespondBy comes from, or that a promise undercuts
	// RespondBy is what binds, the last second of a day in the controller's zone: the
	// legal date, or the promised one if that is earlier.
	RespondBy time.Time
	// SafeBy is the earliest date under every reading of every law in question,
	// and a working day.
	SafeBy time.Time
	// AcknowledgeBy is when receipt must have been confirmed; zero if no law says so.
	AcknowledgeBy time.Time
}

// Clock names one of a request's clocks.
type Clock string

// The clocks.
const (
	Acknowledge  Clock = "acknowledge"   // confirm that it was received
	Respond      Clock = "respond"       // answer
	OptOut       Clock = "opt_out"       // stop the sale or sharing; takes the place of Respond
	ExtendNotice Clock = "extend_notice" // last day to tell the person that it will take longer
	Extended     Clock = "extended"      // the last day with the law's extension
	File         Clock = "file_appeal"   // the person may appeal until
	Decide       Clock = "decide"        // decide an appeal; takes the place of Respond
	Records      Clock = "records"       // keep the record of the request at least until
)

// Reckoning is one clock with the way to its two dates.
type Reckoning struct {
	Clock Clock
	Law   string    // id of the law it comes from
	Legal time.Time // what binds: see Deadline.RespondBy
	Safe  time.Time
	Steps []Step
}

// Step is one line of the explanation.
type Step struct {
	Text    string
	Article string
	Source  string
	Mark    string    // Verified, Secondary or Unverified; empty for what is arithmetic or the policy's
	Date    time.Time // where the count stands after this step: the last second of that day
}

// Errors of a count: the case is wrong, and no date is better than a wrong one.
var (
	ErrNoLaw    = errors.New("law: the policy names no law to answer under")
	ErrUnknown  = errors.New("law: there is no such law")
	ErrNoZone   = errors.New("law: the controller's time zone is not given")
	ErrNoDate   = errors.New("law: the time of receipt is not given")
	ErrPromise  = errors.New("law: a promise cannot be a negative number of days")
	ErrTooEarly = errors.New("law: received before the law came into force")
	// ErrStops compares days, not instants.
	ErrStops = errors.New("law: a stop ends before it begins, or begins before the request was received")
)

// Asked is what waiting for one cause does under the law that binds in a case.
type Asked struct {
	Law                   string
	Effect                Effect
	Article, Source, Mark string // of the rule; the law's general limit where it knows no such rule
}

// Extension is how far the law that binds in a case lets the answer be put off.
type Extension struct {
	Law                   string
	Notice                time.Time // the person must be told by then, with the ground
	Until                 time.Time // the last day, if the whole extension is taken
	SafeBy                time.Time
	Grounds               []Ground
	Article, Source, Mark string
}

// Errors of what a law does not know.
var (
	ErrNoExtension = errors.New("law: the law lets nothing be put off")
	ErrNoAppeal    = errors.New("law: the law knows no appeal to the company")
)

// Proof is a way to have somebody show who they are.
type Proof string

// The proofs, from the least to the most that is asked.
const (
	NoProof           Proof = "none"
	Address           Proof = "address"            // control of the mail address on file
	DataPoints        Proof = "data_points"        // facts that the company already knows
	SignedDeclaration Proof = "signed_declaration" // under penalty of perjury
	IdentityDocument  Proof = "identity_document"
	Notarised         Proof = "notarised" // anything that costs the person money
)

// Proofs lists every proof.
var Proofs = []Proof{NoProof, Address, DataPoints, SignedDeclaration, IdentityDocument, Notarised}

// bound forbids to ask for some proofs.
type bound struct {
	rights []string // empty: every right but an appeal and a complaint
	forbid []Proof
	why    string // one sentence for who wrote the policy
	basis  basis
}

// Refusal is why a law forbids to ask for a proof.
type Refusal struct{ Text, Article, Source, Mark string }
