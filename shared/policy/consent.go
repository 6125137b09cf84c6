package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"unicode/utf8"

	"rightsdesk/shared/law"
)

// Consent is the rule of one purpose that people choose about: what they are
// shown when they are asked, what stands while nobody asked, and what ends it.
// The file has it under consents, by the id of the purpose.
type Consent struct {
	Purpose string // id of the purpose
	Label   Text   // what the switch is called
	Wording Text   // what a person is shown when they are asked, to the letter
	// Edition counts the wordings that differ in what is agreed to. A consent to an
	// earlier edition no longer allows anything: people are asked again. A wording
	// may be mended without a new edition.
	Edition int

	Default  Default       // what stands while nobody chose
	Ground   DefaultGround // of a default that is on
	Required bool          // it cannot be refused; Loss says what is lost without it
	Loss     Text          // what does not work when it is refused

	Explicit    bool   // only an act of the person's own counts: no import, no form that was ticked beforehand
	PerAct      bool   // a consent is for one thing, which it names: one recording
	DoubleOptIn bool   // it counts once the owner of the address has pressed the button in a mail
	AskFirst    bool   // nothing is allowed before the person was asked, whatever the default: the first report waits
	Expires     Period // after so long people are asked again; zero: only when its evidence goes

	Mail      bool // it is a mailing list: one-click unsubscribe, bounces and complaints end it
	Marketing bool // it is direct marketing: an opt-out of all marketing ends it
	// StoppedBy is what ends it beside the person's own choice about it. It has the
	// stops that follow from Marketing and from Ground as well as those that the file names.
	StoppedBy []Stop
}

// Default is what stands while a person has made no choice.
type Default string

// The defaults.
const (
	Off Default = "off"
	On  Default = "on" // needs a DefaultGround, and a law that allows it
)

// DefaultGround is why a choice stands on while nobody made it. Which law knows
// which ground is the law's to say: law.DefaultOn.
type DefaultGround string

// The grounds.
const (
	ExistingCustomer DefaultGround = law.ExistingCustomer // the company's own similar products, to who bought; Directive 2002/58/EC, Article 13(2)
	NoConsentNeeded  DefaultGround = law.NoConsentNeeded  // the law where the person lives asks for an opt-out only, or for nothing
	// WhileNobodyObjects is for a purpose that rests on legitimate interests.
	WhileNobodyObjects DefaultGround = law.LegitimateInterests
)

var defaultGrounds = []DefaultGround{ExistingCustomer, NoConsentNeeded, WhileNobodyObjects}

// Stop is what a person set against more than one purpose at once.
type Stop string

// The stops. Restriction, a bounce and a complaint stop without being named
// under stopped_by: the first everything that is not always sent, the others mail.
const (
	MarketingOptOut Stop = "marketing_opt_out" // on any channel; GDPR Article 21(2), CAN-SPAM, CASL
	Objected        Stop = "objection"         // GDPR Article 21
	SaleOptOut      Stop = "opt_out_sale"      // California 1798.120
	SensitiveLimit  Stop = "limit_sensitive"   // California 1798.121
	GPC             Stop = "gpc"               // the signal of Global Privacy Control
	DNT             Stop = "dnt"               // the signal "do not track"
	Restricted      Stop = "restriction"       // GDPR Article 18
	Bounced         Stop = "bounce"            // the address takes no mail
	Complained      Stop = "complaint"         // the address's owner called a mail spam
)

// stops are those that a file names.
var stops = []Stop{MarketingOptOut, Objected, SaleOptOut, SensitiveLimit, GPC, DNT}

func (p *Policy) readConsent(purpose string, o *object) {
	c := Consent{
		Purpose: purpose,
		Label:   o.text("label", need),
		Wording: o.text("wording", need),
		Edition: o.number("edition", 1, 1000),

		Default:  Off,
		Ground:   word(o, "ground", needIf(o.spells("default", string(On))), defaultGrounds),
		Required: o.flag("required", false),
		Loss:     o.text("loss", needIf(o.spells("required", "true"))),

		Explicit:    o.flag("explicit", false),
		PerAct:      o.flag("per_act", false),
		DoubleOptIn: o.flag("double_opt_in", false),
		AskFirst:    o.flag("ask_first", false),
		Expires:     o.period("expires", may, Period{}),

		Mail:      o.flag("mail", false),
		Marketing: o.flag("marketing", false),
		StoppedBy: words(o, "stopped_by", may, stops),
	}
	if d := word(o, "default", may, []Default{Off, On}); d != "" {
		c.Default = d
	}
	c.check(o)
	if c.Marketing { // GDPR Article 21(2) and (3), CAN-SPAM, CASL: no file can leave it out
		c.StoppedBy = union(c.StoppedBy, []Stop{MarketingOptOut, Objected})
	}
	if c.Ground == WhileNobodyObjects { // GDPR Article 21(1)
		c.StoppedBy = union(c.StoppedBy, []Stop{Objected})
	}
	p.Consents = append(p.Consents, c)
}

// check refuses keys of a rule that do not go together.
func (c Consent) check(o *object) {
	for language, wording := range c.Wording {
		if utf8.RuneCountInString(wording) > maxWording {
			o.r.refuse(join(o.at("wording"), language), "must have %d characters at most; nobody reads more before they agree", maxWording)
		}
	}
	if c.Required {
		for _, key := range []string{"default", "ground", "explicit", "per_act", "double_opt_in", "ask_first", "expires", "mail", "marketing", "stopped_by"} {
			if o.has(key) {
				o.r.refuse(o.at(key), "must be left out beside `required: true`: nobody chooses about what cannot be refused")
			}
		}
		return
	}
	if c.Default == Off && c.Ground != "" && !o.r.hasProblem(o.at("default")) {
		o.r.refuse(o.at("ground"), "is for `default: on`; it says why that may stand before anybody was asked")
	}
	if c.Default == On {
		for key, set := range map[string]bool{"explicit": c.Explicit, "per_act": c.PerAct, "double_opt_in": c.DoubleOptIn} {
			if set {
				o.r.refuse(o.at(key), "must be false beside `default: on`: it wants an act of the person's own, and by default there is none")
			}
		}
	}
	if c.DoubleOptIn && c.PerAct {
		o.r.refuse(o.at("double_opt_in"), "must be false beside `per_act: true`: a consent to one act is given when it is about to happen")
	}
}

// maxWording bounds what is stored of a wording, in characters.
const maxWording = 4000

// Consent returns the rule of choosing about a purpose.
func (p *Policy) Consent(purpose string) (Consent, bool) {
	i := slices.IndexFunc(p.Consents, func(c Consent) bool { return c.Purpose == purpose })
	if i < 0 {
		return Consent{}, false
	}
	return p.Consents[i], true
}

// StoppedByIt reports whether a stop ends the purpose.
func (c Consent) StoppedByIt(stop Stop) bool { return slices.Contains(c.StoppedBy, stop) }

// checkConsents refuses rules that contradict what the file says of their purposes.
func checkConsents(p *Policy, refuse report) {
	for _, c := range p.Consents {
		at := "consents." + c.Purpose
		if u, _ := p.Purpose(c.Purpose); u.AlwaysSent {
			refuse(at, "must be left out: purposes.%s.always_sent says that nothing a person chooses stops it", c.Purpose)
		}
		if c.Expires.longerThan(p.Retention.Audit) {
			refuse(at+".expires", "must not be longer than retention.audit (%s): no consent outlives its record", p.Retention.Audit)
		}
		for i, stop := range c.StoppedBy {
			if stop == GPC && p.Signals.GPC != Honoured || stop == DNT && p.Signals.DNT != Honoured {
				refuse(fmt.Sprintf("%s.stopped_by[%d]", at, i), "stops nothing unless the signal is honoured: say `%s: honoured` under signals", stop)
			}
		}
	}
}

// checkDefaults refuses a default that is on where no law of the file lets it be.
// Where only some do, it is on for those people alone.
func checkDefaults(p *Policy, refuse report) {
	for _, c := range p.Consents {
		if c.Default != On {
			continue
		}
		at := "consents." + c.Purpose
		u, _ := p.Purpose(c.Purpose)
		if g, ok := p.gdpr(); ok && slices.Equal(u.Bases, []Basis{OnConsent}) {
			refuse(at+".default", "must be off under %s: the purpose rests on consent alone, and silence is no consent (GDPR Recital 32); or purposes.%s.bases names what else it rests on", g, c.Purpose)
		}
		for _, id := range u.Categories {
			if category, _ := p.Category(id); category.Sensitive {
				refuse(at+".default", "must be off: the purpose uses `%s`, which is sensitive, and for that a person is asked first", id)
			}
		}
		if c.Ground == ExistingCustomer && !c.Mail {
			refuse(at+".mail", "must be true for `ground: existing_customer`: the law lets mail go to who bought, and nothing else")
		}
		if c.Ground == WhileNobodyObjects {
			p.checkInterests(c, u, refuse)
		}
		if c.Ground != "" && !p.allowsDefault(c.Ground) {
			refuse(at+".ground", "must be one that a law under `regimes` knows, and none knows this one (docs/regimes.md says which do); or the default is off")
		}
	}
}

// checkInterests refuses to call legitimate interests what wants consent first.
func (p *Policy) checkInterests(c Consent, u Purpose, refuse report) {
	at := "consents." + c.Purpose
	if !slices.Contains(u.Bases, OnLegitimateInterests) {
		refuse(at+".ground", "is for a purpose that rests on legitimate_interests; purposes.%s.bases does not name it", c.Purpose)
	}
	if c.Mail {
		refuse(at+".ground", "must not be legitimate_interests for a mailing list; existing_customer is the ground that lets mail go before anybody asked for it")
	}
	for _, k := range p.Cookies {
		if k.Purpose == c.Purpose && !k.Essential {
			refuse(at+".ground", "must not be legitimate_interests: cookies.%s serves this purpose, and what is kept in a browser wants consent first (Directive 2002/58/EC, Article 5(3))", k.ID)
		}
	}
}

// gdpr returns the regime of the file that is the GDPR, or the one that was copied from it.
func (p *Policy) gdpr() (id string, ok bool) {
	for _, g := range p.Regimes {
		if g.ID == "eu-gdpr" || g.ID == "uk-gdpr" {
			return g.ID, true
		}
	}
	return "", false
}

func (p *Policy) allowsDefault(ground DefaultGround) bool {
	return slices.ContainsFunc(p.Regimes, func(g Regime) bool { _, ok := law.DefaultOn(g.ID, string(ground)); return ok })
}

// WordingHash names what a person was shown: the SHA-256 of the text to the letter, in hexadecimal.
func WordingHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
