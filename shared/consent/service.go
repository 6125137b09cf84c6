package consent

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Service does everything that can be done to consents. A function sets the
// fields that its topology entry grants.
type Service struct {
	Table   table.Table
	Keys    seal.Keys
	Policy  *policy.Policy
	Now     func() time.Time
	BaseURL string // of links in mails and pages, without a slash at the end

	Mail    mail.Sender              // only the relay has it
	Sources map[string]source.Source // only fulfil has them
	Log     *slog.Logger

	halted haltCache
}

type haltCache struct{}

// Attempt identifies one attempt of a caller to change something.
type Attempt struct {
	Key  string // Idempotency-Key; empty: none was sent
	Body string // what was sent with it, in any stable form
}

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
	Method    Method
	Language  string
	Page      string // where it was asked: an address, of which scheme, host and path are kept
	Residence string
	Signals   Signals
	At        time.Time // when it was made; zero: now. Apps and imports may look back
	By        Speaker
	App       string // id of the app, or of the operator
	From      string // the caller's network address, for the limit
	Attempt   Attempt
}

// Record is one entry that a capture made.
type Record struct {
	ID      RecordID
	Purpose string
	Choice  Choice
	At      time.Time
	Pending bool // counts once it is confirmed by mail
}

// RecordID names a record: the subject's chain and the number in it. It holds
// nothing personal and is not a secret.
type RecordID string

// Captured is the answer to a capture.
type Captured struct {
	Visitor  string // the id of a new visitor, which the browser keeps; empty for others
	Records  []Record
	Honoured []policy.Stop // signals that were taken down with it, or stood already
}

// Capture commits what somebody chose. Repeated with the same key it answers as
// it did the first time.
func (s *Service) Capture(ctx context.Context, c Capture) (Captured, error) {
	return Captured{}, errUnwritten
}

// Signal takes down what a browser sent by itself, for whom it is. It costs
// nothing if that is known already.
func (s *Service) Signal(ctx context.Context, c Capture) (Captured, error) {
	return Captured{}, errUnwritten
}

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

// Decide answers whether something may be done, from one strongly consistent read.
func (s *Service) Decide(ctx context.Context, q Question) ([]Decision, error) {
	return nil, errUnwritten
}

// Link says that two identities are one person: a visitor who signed in, an
// account and its address. No history is lost: both chains stay, and both say so.
func (s *Service) Link(ctx context.Context, app string, a, b personal.Identity, at Attempt) error {
	return errUnwritten
}

// Entry is one record of a subject's history.
type Entry struct {
	ID       RecordID
	At       time.Time
	Action   string
	Purpose  string
	Act      string
	Choice   Choice
	Method   Method
	By       string
	Policy   string
	Wording  string // hash
	Edition  int
	Language string
	Page     string
	Facts    []audit.Fact
}

// View is everything of a subject that their own page shows.
type View struct {
	Subject  Subject
	Purposes []Decision // every purpose that people choose about
	History  []Entry    // the newest first
	Honoured []policy.Stop
}

// Show returns what stands and what was, for whoever holds the link or the key.
func (s *Service) Show(ctx context.Context, l Link, signals Signals) (View, error) {
	return View{}, errUnwritten
}

// ShowTo is Show for an app or a browser that names the identity.
func (s *Service) ShowTo(ctx context.Context, i personal.Identity, signals Signals) (View, error) {
	return View{}, errUnwritten
}

// Change is a set of switches on a person's own page.
type Change struct {
	Asked       []Asked
	WithdrawAll bool
	Stops       map[policy.Stop]bool // opt_out_sale, limit_sensitive, marketing_opt_out: on or off
	Signals     Signals
	Attempt     Attempt
	Method      Method
	Language    string
}

// Switch makes the changes of a person's own page.
func (s *Service) Switch(ctx context.Context, l Link, c Change) (Captured, error) {
	return Captured{}, errUnwritten
}

// SwitchFor is Switch for an app that names the identity.
func (s *Service) SwitchFor(ctx context.Context, app string, i personal.Identity, c Change) (Captured, error) {
	return Captured{}, errUnwritten
}

// Confirm makes a pending consent count: the button behind a mailed link.
func (s *Service) Confirm(ctx context.Context, l Link) (Captured, error) {
	return Captured{}, errUnwritten
}

// Unsubscribe ends one mailing list for one address (RFC 8058). Repeated it
// changes nothing more.
func (s *Service) Unsubscribe(ctx context.Context, l Link) error { return errUnwritten }

// Feedback is what came back of a mail.
type Feedback struct {
	Address   personal.Email
	Stop      policy.Stop // Bounced or Complained
	List      string      // purpose of the mailing list; empty: not known, all of them
	At        time.Time
	MessageID string // of the mail service: the same feedback may arrive twice
}

// Heed takes down a bounce or a complaint.
func (s *Service) Heed(ctx context.Context, f Feedback) error { return errUnwritten }

// Import is a consent or suppression from elsewhere.
type Import struct {
	Capture
	Stop     policy.Stop // a suppression, instead of choices
	Evidence string      // where the other system has it: an id without personal data
}

// Outcome is what became, or would become, of one line of an import.
type Outcome struct {
	Line   int
	Result string // taken, known, older, refused
	Why    string // for refused: what to mend
}

// Import takes over what was chosen elsewhere. A dry run says what would happen
// and changes nothing.
func (s *Service) Import(ctx context.Context, by operator.Identity, lines []Import, dryRun bool) ([]Outcome, error) {
	return nil, errUnwritten
}

// Halt is the switch that stops collection and processing at once.
type Halt struct {
	On      bool       `json:"on"`
	Since   time.Time  `json:"since,omitzero"`
	Cause   string     `json:"cause,omitempty"`   // code of the operator's: no personal data
	Upgrade string     `json:"upgrade,omitempty"` // what let it resume
	Head    audit.Head `json:"head"`
}

// Halt stops collection and processing until Resume.
func (s *Service) Halt(ctx context.Context, by operator.Identity, cause string) (Halt, error) {
	return Halt{}, errUnwritten
}

// Resume ends a halt once the upgrade is recorded.
func (s *Service) Resume(ctx context.Context, by operator.Identity, upgrade string) (Halt, error) {
	return Halt{}, errUnwritten
}

// Halted returns the switch; it may be five seconds old.
func (s *Service) Halted(ctx context.Context) (Halt, error) { return Halt{}, errUnwritten }

// WordingOf returns what was shown, by its hash.
func (s *Service) WordingOf(ctx context.Context, hash string) (Wording, error) {
	return Wording{}, errUnwritten
}

// Evidence is what a receipt is made of: one record, and what was shown then.
type Evidence struct {
	Entry   Entry
	Subject string // random id
	Wording Wording
	Rule    policy.Consent
	Until   time.Time
	State   Choice    // what stands now
	StateAt time.Time // since when; zero: since the record
}

// EvidenceFor returns the evidence of a record, for whoever may see the subject.
func (s *Service) EvidenceFor(ctx context.Context, i personal.Identity, id RecordID) (Evidence, error) {
	return Evidence{}, errUnwritten
}

// EvidenceBy is EvidenceFor for whoever holds the link.
func (s *Service) EvidenceBy(ctx context.Context, l Link, id RecordID) (Evidence, error) {
	return Evidence{}, errUnwritten
}

// Stopping returns the writes that put stops on a person known by an identity
// (true), or take them off (false). They belong into the commit of the change that
// asks for them; none if all of it stands so already. For the right
// withdraw_consent there are no stops, and purposes lists what is withdrawn, none:
// everything. No two calls go into one commit unless their items differ.
func (s *Service) Stopping(ctx context.Context, who personal.Identity, stops map[policy.Stop]bool, purposes []string, request string) ([]table.Write, error) {
	return nil, errUnwritten
}

// Link is what a mailed or derived address lets its holder do.
type Link struct {
	Identifier seal.Identifier
	Verb       Verb
	Purpose    string    // for Unsubscribe
	N          int       // generation, for Confirm
	Until      time.Time // zero: for ever
	// Who is the identity itself, so that the sources can be told of what its holder
	// chooses. It travels sealed, and may be left out: then they are told only
	// where somebody names the identity.
	Who personal.Identity
}

// Verb is the one thing a link can do.
type Verb string

// The verbs. The letters stand in URLs.
const (
	PreferLink      Verb = "p" // see and change one's own choices
	UnsubscribeLink Verb = "u" // end one mailing list; for ever
	ConfirmLink     Verb = "c" // make a pending consent count
)

// Mint returns a link's token: a MAC over its own parts.
func (s *Service) Mint(l Link) string { return "" }

// ParseLink checks a token without I/O.
func (s *Service) ParseLink(text string) (Link, error) { return Link{}, errUnwritten }

// PreferenceLink returns the token that an app hands to who is signed in there.
func (s *Service) PreferenceLink(i personal.Identity, until time.Time) string { return "" }

// NewVisitor returns a fresh anonymous id: random, with a MAC, so that nobody
// fills the store with ids of their own making.
func (s *Service) NewVisitor() personal.Identity { return personal.Identity{} }

// Visitor checks an id that a browser sent, without I/O.
func (s *Service) Visitor(id string) (personal.Identity, bool) { return personal.Identity{}, false }

// Offer is a purpose as a website shows it.
type Offer struct {
	Purpose  string
	Label    string
	Text     string // the purpose
	Wording  string
	Hash     string
	Required bool
	Loss     string
	Default  policy.Default // where the visitor lives, as far as that is told
}

// Offers lists what a website can ask about, in a language.
func (s *Service) Offers(language, residence string) []Offer { return nil }

var errUnwritten = errors.New("consent: not yet written")
