// Package consent is what people choose: consents given, refused and withdrawn,
// opt-outs, signals of browsers, and what a company may therefore do. A consent
// is its audit entry: who chose what, shown which words, when, in which way. What
// stands now is kept beside it, committed together with it.
//
// It owns the partitions consent#, wording#, asker# and halt of the State table,
// and the chains consent#<subject> and halt of the Audit table:
//
//	table  partition              sort          body
//	state  consent#<identifier>   -             Subject: what stands now; due at Next
//	state  consent#link#<random>  -             errand: a link that is to be mailed; due, expires
//	state  wording#<hash>         -             Wording: what was shown, to the letter
//	state  asker#<hash>           <hour>        consents that one network address typed for mail addresses (counter only, expires)
//	state  halt                   -             Halt
//	audit  consent#<subject>      000000000001  one entry (package audit): the record of one choice
//	audit  halt                   000000000001  one entry: halted, resumed
//
// A subject that is known by several identifiers has the same body under each, so
// that a decision is one read whichever it is asked by. Every change writes all
// of them in one commit; the first alone is filed in the due-index.
//
// Service does the work, on ports that are handed to it; the time comes from
// Service.Now. It knows no HTTP, no AWS and no clock; httpapi, job, boot and
// infra/local import it, and request by a port of its own.
package consent

import (
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Kinds of identity that only consents know.
const (
	// KindVisitor is an anonymous visitor, by a random id of ours; see NewVisitor.
	KindVisitor personal.Kind = "anonymous"
	// KindInstallation is an installation of the company's software, by its own random id.
	KindInstallation personal.Kind = "installation"
)

// Choice is what somebody chose about a purpose.
type Choice string

// The choices. A refusal is a record like a consent.
const (
	Granted   Choice = "granted"
	Denied    Choice = "denied"
	Withdrawn Choice = "withdrawn" // after it was granted
)

// Ended is how a consent stands whose time is over. Nobody chooses it.
const Ended Choice = "expired"

// Choices lists every choice.
var Choices = []Choice{Granted, Denied, Withdrawn}

// Method is how a choice was made.
type Method string

// The methods. The first four are acts of the person's own.
const (
	Form          Method = "form"          // a form or switch that the person set
	Banner        Method = "banner"        // a button in a banner
	Spoken        Method = "spoken"        // in a conversation, recorded by the company
	Written       Method = "written"       // a letter or a signed paper
	DoubleOptIn   Method = "double_opt_in" // the button in a mail to the address
	OneClick      Method = "one_click"     // RFC 8058
	Preferences   Method = "preferences"   // the preference centre
	Request       Method = "request"       // a rights request
	Signal        Method = "signal"        // Sec-GPC or DNT
	Imported      Method = "import"        // from elsewhere, with its evidence there
	Ticked        Method = "preticked"     // a box that was ticked beforehand: no consent where opt-in is the rule
	ContinuedUse  Method = "continued_use" // "by using our site you consent": no consent where opt-in is the rule
	MailFeedback  Method = "mail_feedback" // a bounce or a complaint came back
	OperatorsWord Method = "operator"      // an operator noted it
	Lapse         Method = "lapse"         // its time was over
)

// Standing is where a subject stands on a purpose.
type Standing struct {
	Choice  Choice    `json:"c"`
	At      time.Time `json:"t"`
	Seq     int64     `json:"n"`           // of the entry that records it
	Chain   string    `json:"h,omitempty"` // of the entry, if it is not the subject's own: made before linking
	Edition int       `json:"e,omitempty"` // of the wording that was agreed to
	Until   time.Time `json:"u,omitzero"`  // it lapses then
	Asked   bool      `json:"a,omitempty"` // that it ends soon was told, or there is nobody to tell
}

// Ask is a consent that counts once the owner of an address has confirmed it.
// What stood before it stands until then.
type Ask struct {
	At      time.Time `json:"t"`
	Seq     int64     `json:"n"`           // of the entry that records it
	Chain   string    `json:"h,omitempty"` // as in Standing
	Edition int       `json:"e,omitempty"`
	N       int       `json:"g"` // the generation of the mail that first asked: that one and later ones confirm it
	Until   time.Time `json:"u"` // nobody confirmed it by then: it is over
}

// Subject is what stands now for one person, visitor or installation.
type Subject struct {
	ID          string                    `json:"subject"`         // random; names the chain
	Identifiers []seal.Identifier         `json:"ids"`             // by which they are known, the first since when
	Known       bool                      `json:"known,omitempty"` // as a person: by more than a browser or an installation
	Residence   string                    `json:"place,omitempty"`
	Locale      string                    `json:"lang,omitempty"`
	Purposes    map[string]Standing       `json:"on,omitempty"`     // by purpose, or purpose/act where a consent is for one act
	Asks        map[string]Ask            `json:"asks,omitempty"`   // by the same
	Stops       map[policy.Stop]time.Time `json:"stops,omitempty"`  // since when
	Held        map[policy.Stop][]string  `json:"held,omitempty"`   // requests for which a stop stands; without any it stands by itself
	Lists       map[string]policy.Stop    `json:"lists,omitempty"`  // mailing lists ended by a bounce or a complaint, alone
	Calls       []Call                    `json:"calls,omitempty"`  // of the last day
	Chains      []audit.Chain             `json:"chains,omitempty"` // that it had before it was linked

	// Holder and Address are where mail about a pending or an ending consent goes;
	// they are forgotten once there is none. See Service.address.
	Holder        seal.Identifier `json:"holder,omitempty"`  // whose salt Address hangs on
	Address       []byte          `json:"address,omitempty"` // sealed
	Mailed        int             `json:"mailed,omitempty"`  // generation of the latest confirming mail
	MailedAt      time.Time       `json:"mailed_at,omitzero"`
	Announcements []Announcement  `json:"say,omitempty"`
	Tellings      []Telling       `json:"tell,omitempty"`
	// Tries counts those of the first announcement. Before the first try After is
	// when the sweep looks, in case that the stream does not; then the end of a back-off.
	Tries int       `json:"tries,omitempty"`
	After time.Time `json:"after,omitzero"`

	// Reach is by whom the sources that hear of choices know somebody who was linked:
	// what they choose as a visitor concerns their account.
	Reach []Reach `json:"reach,omitempty"`

	Filed time.Time  `json:"due"` // in the due-index, under the first identifier
	Head  audit.Head `json:"head"`

	at      seal.Identifier                        // under which it was loaded
	version int64                                  // as loaded; 0: not stored yet
	adopts  map[seal.Identifier]table.Precondition // identifiers that the next commit adds, and how they stand
}

// Call remembers one call that changed something, for its repetition.
type Call struct {
	Key   string    `json:"k"` // keyed hash of the Idempotency-Key
	Body  string    `json:"b"` // keyed hash of what was sent with it
	Seq   int64     `json:"n"` // of the first entry it made
	N     int       `json:"l"` // how many it made
	At    time.Time `json:"t"`
	Chain string    `json:"h,omitempty"` // of the entries, as in Standing
}

// Reach is one identity of a linked subject.
type Reach struct {
	Kind   personal.Kind   `json:"k"`
	Holder seal.Identifier `json:"h"` // whose salt Who hangs on
	Who    []byte          `json:"w"` // sealed, as in Telling
}

// Announcement is a letter that a commit promised. A confirming mail is about all
// of Subject.Asks, the other about all that ends soon; each is promised once at a time.
type Announcement struct {
	Seq     int64     `json:"n"`
	Kind    mail.Kind `json:"k"`
	Purpose string    `json:"p,omitempty"`
	Counted bool      `json:"c,omitempty"` // among the mails of the day, by a try that failed later
}

// Telling is a source that has to hear of a choice.
type Telling struct {
	Source  string          `json:"s"`
	Right   policy.Right    `json:"r"` // which choice: opt_out_sale, limit_sensitive, withdraw_consent
	Purpose string          `json:"p,omitempty"`
	On      bool            `json:"on,omitempty"` // false: it was taken back
	Seq     int64           `json:"n"`
	At      time.Time       `json:"t"` // when it was chosen
	Holder  seal.Identifier `json:"h"` // whose salt Who hangs on
	Who     []byte          `json:"w"` // the identity that the source knows, sealed; see Service.open
	Tries   int             `json:"y,omitempty"`
	After   time.Time       `json:"a"` // when it is told at the latest; after a try that failed, at the earliest
	Fault   string          `json:"f,omitempty"`
}

// Speaker is who says that somebody chose.
type Speaker string

// The speakers. Operators and apps are these words, a colon and their id.
const (
	ByBrowser  Speaker = "browser" // for its own anonymous id, or an address that is still to be confirmed
	ByPerson   Speaker = "person"  // by a mailed link
	ByApp      Speaker = "app"
	ByOperator Speaker = "operator"
	ByMailer   Speaker = "mailer" // the mail service
	ByClock    Speaker = "clock"
)

// Faults that callers meet. Their codes are part of the API.
var (
	ErrNotFound = fault.New(fault.NotFound, "consent_not_found", "There is no such record, or it is not yours to see.")
	ErrReplay   = fault.New(fault.Mismatch, "idempotency_mismatch", "This Idempotency-Key was used with other content; use a new key.")
	ErrBusy     = fault.New(fault.Unavailable, "try_again", "Somebody else changes the same choices; try the same call again in a moment.")
	ErrHalted   = fault.New(fault.Unavailable, "halted", "The company has halted collection and processing; only refusals, opt-outs and withdrawals are taken until it resumes.").After(5 * time.Minute)
	ErrSpeaker  = fault.New(fault.Forbidden, "not_yours", "A browser speaks for its own anonymous id only; for an account use the company's app, or the mailed link.")
	ErrBadToken = fault.New(fault.Unauthenticated, "invalid_token", "The link or token is not valid; ask for a new one.")
	ErrLinkGone = fault.New(fault.Gone, "link_gone", "The link is too old; ask for a new one.")
	ErrTooMany  = fault.New(fault.TooMany, "too_many_requests", "Too many calls from your network; try again in an hour.").After(time.Hour)
)

const subjectSchema = 1

// Ref is where a subject stands under one of its identifiers.
func Ref(id seal.Identifier) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: "consent#" + string(id), Sort: "-"}}
}

// IsKey reports whether a key of the due-index is a subject's.
func IsKey(k table.Key) bool {
	return strings.HasPrefix(k.Partition, "consent#") && len(k.Partition) > len("consent#") && k.Sort == "-"
}

// ChainOf names the audit chain of a subject.
func ChainOf(subject string) string { return "consent#" + subject }
