package policy

import (
	"slices"
	"time"

	"rightsdesk/shared/law"
)

// Right is what a person can ask for.
type Right string

// The rights. The comment gives the article of the GDPR or of the law it comes from.
const (
	Access          Right = "access"           // a copy of everything; Article 15
	Portability     Right = "portability"      // the same, for a machine; Article 20
	Know            Right = "know"             // categories, sources, purposes, third parties, pieces; California 1798.110
	Rectification   Right = "rectification"    // Article 16
	Erasure         Right = "erasure"          // Article 17
	Restriction     Right = "restriction"      // Article 18
	Objection       Right = "objection"        // Article 21
	OptOutSale      Right = "opt_out_sale"     // of sale and sharing; California 1798.120
	LimitSensitive  Right = "limit_sensitive"  // the use of sensitive data; California 1798.121
	WithdrawConsent Right = "withdraw_consent" // Article 7(3)
	Challenge       Right = "challenge"        // of the company's compliance; PIPEDA schedule 1, 4.10
	Complaint       Right = "complaint"        // about how the company treats personal data; Data Protection Act 2018 (UK), section 164A
	Appeal          Right = "appeal"           // against a refusal; no file declares it, it comes with the refusal
	AccountClosure  Right = "account_closure"  // what a closed account leaves to do; begun by us, see Internal
	RetentionEnd    Right = "retention_end"    // what a person's data that outlived its purpose leaves to do; the same
)

// AllRights lists the rights that a policy can declare, in the order in which they are shown.
var AllRights = []Right{Access, Portability, Know, Rectification, Erasure, Restriction, Objection, OptOutSale, LimitSensitive, WithdrawConsent, Challenge, Complaint}

// Weighed reports whether a person weighs what is asked and ends it with an outcome.
func (r Right) Weighed() bool { return r == Challenge || r == Complaint || r == Appeal }

// Internal reports whether it is no right that somebody exercises, but work that we
// begin ourselves and do like the answer to one.
func (r Right) Internal() bool { return r == AccountClosure || r == RetentionEnd }

// Unverified reports whether the right is a choice: it takes effect at once and never
// waits for anybody to show who they are (11 CCR 7060(b); GDPR Article 7(3) wants
// withdrawing to be as easy as giving, and giving asked for no proof).
func (r Right) Unverified() bool {
	return r == OptOutSale || r == LimitSensitive || r == WithdrawConsent
}

// byHand reports whether a person weighs or does what is asked, so that it never runs by itself.
func (r Right) byHand() bool {
	return r == Restriction || r == Objection || r.Weighed()
}

// RightRule is what the policy promises about one right.
type RightRule struct {
	Residences   []string      // who has it: FR, US-CA, EEA, *
	Automatic    bool          // it runs without an operator once the person is verified; a choice always does
	Cooling      time.Duration // from verification to the first destructive step; the person can still revoke
	PromisedDays int           // answered within so many days of receipt; 0: the law's date alone
	Extension    bool          // the law's extension may be used
	Agents       bool          // an agent with written authorisation may ask
	TaskDays     int           // an operator's task for it is due after so many days
	Proof        []law.Proof   // what may be asked of a person to show who they are
	SelfService  Link          // where people can do it themselves; empty: nowhere
}

// Bounds of what a policy may say about a right.
const (
	// MinCooling is the floor under automatic erasure. A stolen mailbox must not
	// be enough to destroy an account before its owner can object.
	MinCooling     = 24 * time.Hour
	MaxCooling     = 30 * 24 * time.Hour
	DefaultCooling = 7 * 24 * time.Hour

	defaultTaskDays = 14
)

func (p *Policy) readRights(o *object) {
	p.Rights = map[Right]RightRule{}
	for _, right := range AllRights {
		o.section(string(right), may, func(r *object) {
			if !r.broken {
				p.Rights[right] = readRight(right, r)
			}
		})
	}
	if len(p.Rights) == 0 && !o.broken {
		o.r.refuse(o.path, "must offer a right or more: %s", list(AllRights))
	}
	if _, ok := p.Rights[Complaint]; !ok {
		p.Rights[Complaint] = lane()
	}
}

// lane is the rule of what everybody may do, whether or not the file says so: complain, and appeal.
func lane() RightRule {
	return RightRule{Residences: []string{Everywhere}, Extension: true, Agents: true, TaskDays: defaultTaskDays, Proof: []law.Proof{law.Address}}
}

func readRight(right Right, o *object) RightRule {
	who := residence
	if right == Complaint {
		who = rule{says: "must be \"*\": everybody may complain", ok: func(s string) bool { return s == Everywhere }}
	}
	rule := RightRule{
		Residences:   o.lines("residences", needIf(right != Complaint || o.has("residences")), who),
		Automatic:    o.automatic(right),
		PromisedDays: o.number("promised_days", 0, 365),
		Extension:    o.extension(),
		Agents:       o.flag("agents", true),
		TaskDays:     o.number("task_days", defaultTaskDays, 365),
		Proof:        words(o, "proof", needIf(o.has("proof")), law.Proofs),
	}
	o.section("self_service", may, func(l *object) { rule.SelfService = l.link() })
	if right == Complaint && rule.Residences == nil {
		rule.Residences = lane().Residences
	}
	if right == Erasure {
		rule.Cooling = o.span("cooling", DefaultCooling, MinCooling, MaxCooling)
	}
	switch {
	case o.has("proof"):
	case right.Unverified():
		rule.Proof = []law.Proof{law.NoProof}
	default:
		rule.Proof = []law.Proof{law.Address}
	}
	return rule
}

// automatic reads whether a right runs by itself. A choice always does: nobody
// decides what somebody else has chosen.
func (o *object) automatic(right Right) bool {
	const key = "automatic"
	if right.Unverified() {
		if o.has(key) {
			o.asked = append(o.asked, key)
			o.r.refuse(o.at(key), "must be left out: it always takes effect at once")
		}
		return true
	}
	automatic := o.flag(key, false)
	if automatic && right.byHand() {
		o.r.refuse(o.at(key), "must be false: whoever asks for this wants a person to weigh it or do it")
	}
	return automatic
}

// extension reads whether the law's extension may be used. It was true or false
// once; who wrote that is told the word for it.
func (o *object) extension() bool {
	const none, theLaws = "none", "law"
	if n := o.values["extension"]; n != nil && n.Tag == "!!bool" {
		o.asked = append(o.asked, "extension")
		o.r.refuse(o.at("extension"), "must be one of: %s, %s; `true` is now `%s`, `false` is `%s`", none, theLaws, theLaws, none)
		return true
	}
	return word(o, "extension", may, []string{none, theLaws}) != none
}

// Offers returns the rule of a right for somebody of that residence ("" if it
// is not known), and whether the policy offers it to them. An appeal is offered
// to whoever was refused something.
func (p *Policy) Offers(right Right, residence string) (RightRule, bool) {
	if right == Appeal {
		return lane(), true
	}
	rule, ok := p.Rights[right]
	if !ok || !Covers(rule.Residences, residence) {
		return RightRule{}, false
	}
	return rule, true
}

// Regime is a law that applies to some of the people.
type Regime struct {
	ID        string // of the law pack: eu-gdpr, us-ca-ccpa
	AppliesTo []string
	Trigger   Trigger
}

// Trigger is what makes a law apply to a person.
type Trigger string

// The triggers.
const (
	ResidentOf Trigger = "resident_of"
	LocatedIn  Trigger = "located_in" // being there is enough
)

func (p *Policy) readRegime(id string, o *object) {
	g := Regime{ID: id, AppliesTo: o.lines("applies_to", need, residence), Trigger: ResidentOf}
	if t := word(o, "trigger", may, []Trigger{ResidentOf, LocatedIn}); t != "" {
		g.Trigger = t
	}
	p.Regimes = append(p.Regimes, g)
}

// RegimesFor returns the regimes that apply to somebody of that residence.
func (p *Policy) RegimesFor(residence string) []Regime {
	return slices.DeleteFunc(slices.Clone(p.Regimes), func(g Regime) bool { return !Covers(g.AppliesTo, residence) })
}

// Verification is how people prove that an address is theirs, and how long what
// they are sent stays good.
type Verification struct {
	LinkPeriod     time.Duration // a mailed link works so long
	LapseAfter     time.Duration // a request nobody verified ends after so long
	ResendAfter    time.Duration // between two mails with links
	MailsPerDay    int           // with links, to one address
	SubmitsPerHour int           // from one network address
	SessionPeriod  time.Duration // the follow page works so long
	PackagePeriod  time.Duration // an export can be fetched so long
	// AttachmentPeriod is how long what a person attaches to a message is kept at most.
	AttachmentPeriod time.Duration
	WithoutAccount   Text // how visitors and applicants are verified; empty: like everybody
}

func (p *Policy) readVerification(o *object) {
	const day = 24 * time.Hour
	p.Verification = Verification{
		LinkPeriod:       o.span("link_period", day, 15*time.Minute, 7*day),
		LapseAfter:       o.span("lapse_after", 30*day, day, 90*day),
		ResendAfter:      o.span("resend_after", time.Minute, 30*time.Second, time.Hour),
		MailsPerDay:      o.number("mails_per_day", 5, 20),
		SubmitsPerHour:   o.number("submits_per_hour", 20, 1000),
		SessionPeriod:    o.span("session_period", 30*day, time.Hour, 180*day),
		PackagePeriod:    o.span("package_period", 7*day, time.Hour, 30*day),
		AttachmentPeriod: o.span("attachment_period", 14*day, day, 90*day),
		WithoutAccount:   o.text("without_account", may),
	}
}

// Locations is where data may be.
type Locations struct {
	ControllerData []string // countries that data the company controls stays in; empty: anywhere
}

func (p *Policy) readLocations(o *object) {
	p.Locations = Locations{ControllerData: o.lines("controller_data", need, location)}
}
