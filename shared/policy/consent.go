package policy

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

	Mail      bool   // it is a mailing list: one-click unsubscribe, bounces and complaints end it
	Marketing bool   // it is direct marketing: an opt-out of all marketing ends it
	StoppedBy []Stop // what ends it beside the person's own choice about it
}

// Default is what stands while a person has made no choice.
type Default string

// The defaults.
const (
	Off Default = "off"
	On  Default = "on" // needs a Ground, and a law that allows it
)

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

// Handling is what the company does about a signal.
type Handling string

// The ways to handle a signal.
const (
	Honoured Handling = "honoured"
	Ignored  Handling = "ignored"
	Unstated Handling = "unstated"
)

// Conflict is what happens when a signal meets an earlier consent to the purpose itself.
type Conflict string

// The ways out of a conflict.
const (
	SignalWins  Conflict = "signal_wins"
	ConsentWins Conflict = "consent_wins"
	AskAgain    Conflict = "ask" // the signal wins, and the person is told and asked; a consent given after that wins
)

// Signals is what the company does about what browsers send by themselves.
type Signals struct {
	GPC        Handling
	DNT        Handling
	OnConflict Conflict
	Updated    string // date of the last change, for gpc.json; empty: Document.Updated
}

// Performer is who makes a choice happen.
type Performer string

// The performers.
const (
	ByUs                Performer = "us"
	ByBrowser           Performer = "browser"
	ByDevice            Performer = "device"
	ByAnalyticsProvider Performer = "analytics_provider"
	ByMarketplace       Performer = "marketplace"
)

// Elsewhere is a choice that people make somewhere, and who performs it. The file
// has it under choices.
type Elsewhere struct {
	ID          string
	Text        Text
	PerformedBy Performer
	Link        Link   // where; empty for a switch of ours
	Consequence Text   // what then does not work
	Purpose     string // of ours that it concerns; empty: none
}

// Cookie is something that is kept in a person's browser, or a pixel.
type Cookie struct {
	ID           string
	Name         string
	Kind         CookieKind
	Party        Party
	Essential    bool
	Purpose      string // id
	Lifetime     Text
	ControlledBy Performer
	Loss         Text // what does not work without it
}

// CookieKind is what a cookie is made of.
type CookieKind string

// The kinds.
const (
	HTTPCookie   CookieKind = "cookie"
	LocalStorage CookieKind = "local_storage"
	Pixel        CookieKind = "pixel"
)

// Party is whose a cookie is.
type Party string

// The parties.
const (
	FirstParty Party = "first"
	ThirdParty Party = "third"
)

// App is a program of the company's that speaks for people who are signed in there.
type App struct {
	ID     string
	Label  Text
	Secret string // a reference, secret:NAME; what stands there is one key a line, the newest first
	May    []Grant
}

// Grant is what an app may do.
type Grant string

// The grants.
const (
	MayConsents  Grant = "consents"  // capture and link
	MayDecisions Grant = "decisions" // ask what is allowed
	MayRequests  Grant = "requests"  // make rights requests for who is signed in
)

// Browsers is who may call us from a web page.
type Browsers struct {
	Origins []string // https://www.example.com
}

// DefaultGround is why a choice stands on while nobody made it.
type DefaultGround string

// The grounds.
const (
	ExistingCustomer DefaultGround = "existing_customer" // the company's own similar products, to who bought; Directive 2002/58/EC, Article 13(2)
	NoConsentNeeded  DefaultGround = "no_consent_needed" // the law where the person lives asks for an opt-out only, or for nothing
)

// Consent returns the rule of choosing about a purpose.
func (p *Policy) Consent(purpose string) (Consent, bool) {
	for _, c := range p.Consents {
		if c.Purpose == purpose {
			return c, true
		}
	}
	return Consent{}, false
}

// StoppedByIt reports whether a stop ends the purpose.
func (c Consent) StoppedByIt(stop Stop) bool {
	for _, s := range c.StoppedBy {
		if s == stop {
			return true
		}
	}
	return false
}
