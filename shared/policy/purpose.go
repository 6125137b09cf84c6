package policy

import "slices"

// Purpose is what data is used for.
type Purpose struct {
	ID         string
	Text       Text
	Bases      []Basis
	Interest   Text // whose, and which, for the basis legitimate_interests
	Categories []string
	ForValue   bool // the company gets money or anything else for the data
	// AlwaysSent says that nothing a person chooses stops it: legal, security and account notices.
	AlwaysSent bool
}

// Basis is a legal basis of GDPR Article 6(1).
type Basis string

// The bases, with their letters.
const (
	OnConsent             Basis = "consent"              // a
	OnContract            Basis = "contract"             // b
	OnLegalObligation     Basis = "legal_obligation"     // c
	OnVitalInterests      Basis = "vital_interests"      // d
	OnPublicTask          Basis = "public_task"          // e
	OnLegitimateInterests Basis = "legitimate_interests" // f
)

var bases = []Basis{OnConsent, OnContract, OnLegalObligation, OnVitalInterests, OnPublicTask, OnLegitimateInterests}

func (p *Policy) readPurpose(id string, o *object) {
	u := Purpose{
		ID:         id,
		Text:       o.text("text", need),
		Bases:      words(o, "bases", need, bases),
		Interest:   o.text("interest", may),
		Categories: o.lines("categories", need, identifier),
		ForValue:   o.flag("for_value", false),
		AlwaysSent: o.flag("always_sent", false),
	}
	if u.AlwaysSent && (slices.Contains(u.Bases, OnConsent) || slices.Contains(u.Bases, OnLegitimateInterests)) {
		o.r.refuse(o.at("always_sent"), "must be false for a purpose that rests on consent or legitimate_interests: the first can be withdrawn, the second objected to")
	}
	if slices.Contains(u.Bases, OnLegitimateInterests) && u.Interest == nil && !o.has("interest") {
		o.r.refuse(o.at("interest"), "is required; the basis legitimate_interests says which interest it is (GDPR Article 13(1)(d))")
	}
	p.Purposes = append(p.Purposes, u)
}

// Purpose returns the purpose with that id.
func (p *Policy) Purpose(id string) (Purpose, bool) {
	i := slices.IndexFunc(p.Purposes, func(u Purpose) bool { return u.ID == id })
	if i < 0 {
		return Purpose{}, false
	}
	return p.Purposes[i], true
}

// Recipient is somebody who gets data: a vendor by name, or a class of
// recipients whose names the policy does not give.
type Recipient struct {
	ID              string
	Class           RecipientClass
	Name            string // of the vendor; empty: a class only
	Function        Text
	Policy          string // address of the vendor's own policy
	Country         string
	Role            RecipientRole
	Categories      []string
	Undertakings    []Undertaking
	Safeguard       Safeguard // for a country outside the EEA
	AtUserDirection bool      // only when the person connects it
	ForValue        bool      // the company gets money or anything else for the data
}

// RecipientClass is a class of recipients. The set is closed: there is no class
// for a data broker or a buyer of data, because no machinery here serves one.
type RecipientClass string

// The classes.
const (
	CloudInfrastructure  RecipientClass = "cloud_infrastructure"
	IdentityVerification RecipientClass = "identity_verification"
	PublicAuthority      RecipientClass = "authorities"
	PaymentAccounting    RecipientClass = "payment_accounting"
	EmailDelivery        RecipientClass = "email_delivery"
	AnalyticsMonitoring  RecipientClass = "analytics_monitoring"
	CustomerSupport      RecipientClass = "customer_support"
	Marketplace          RecipientClass = "marketplace"
	Advertising          RecipientClass = "advertising"
	Integration          RecipientClass = "integration"
	Subsidiary           RecipientClass = "subsidiary"
	Contractor           RecipientClass = "contractor"
	ProfessionalAdviser  RecipientClass = "professional_adviser"
	Acquirer             RecipientClass = "acquirer"
)

var recipientClasses = []RecipientClass{
	CloudInfrastructure, IdentityVerification, PublicAuthority, PaymentAccounting, EmailDelivery, AnalyticsMonitoring, CustomerSupport,
	Marketplace, Advertising, Integration, Subsidiary, Contractor, ProfessionalAdviser, Acquirer,
}

// RecipientRole is what a recipient is for the data it gets.
type RecipientRole string

// The roles of recipients.
const (
	RecipientProcessor  RecipientRole = "processor"
	RecipientController RecipientRole = "controller"
	RecipientJoint      RecipientRole = "joint_controller"
	RecipientAuthority  RecipientRole = "public_authority"
)

// Undertaking is what a recipient has promised in writing.
type Undertaking string

// The undertakings.
const (
	FollowPolicy     Undertaking = "follow_policy"
	NoSale           Undertaking = "no_sale"
	NoOwnUse         Undertaking = "no_own_use" // collects and uses nothing for itself
	Confidentiality  Undertaking = "confidentiality"
	OnlyInstructions Undertaking = "only_instructions"
	NDA              Undertaking = "nda"
)

var undertakings = []Undertaking{FollowPolicy, NoSale, NoOwnUse, Confidentiality, OnlyInstructions, NDA}

// Safeguard is what lets data leave the EEA (GDPR chapter V).
type Safeguard string

// The safeguards.
const (
	AdequacyDecision Safeguard = "adequacy_decision"            // Article 45
	StandardClauses  Safeguard = "standard_contractual_clauses" // Article 46(2)(c)
	BindingRules     Safeguard = "binding_corporate_rules"      // Article 47
	ExplicitConsent  Safeguard = "explicit_consent"             // Article 49(1)(a)
	NeededByContract Safeguard = "contract"                     // Article 49(1)(b)
)

var safeguards = []Safeguard{AdequacyDecision, StandardClauses, BindingRules, ExplicitConsent, NeededByContract}

// RecipientRules is what the policy promises about every recipient.
type RecipientRules struct {
	Classes      []RecipientClass // the only ones; empty: any
	Undertakings []Undertaking    // each recipient but a public authority has given these
}

func (p *Policy) readRecipientRules(o *object) {
	p.RecipientRules = RecipientRules{
		Classes:      words(o, "classes", may, recipientClasses),
		Undertakings: words(o, "undertakings", may, undertakings),
	}
}

func (p *Policy) readRecipient(id string, o *object) {
	to := Recipient{
		ID:              id,
		Class:           word(o, "class", need, recipientClasses),
		Name:            o.line("name", may, anyLine),
		Function:        o.text("function", need),
		Country:         o.line("country", may, country),
		Role:            word(o, "role", need, []RecipientRole{RecipientProcessor, RecipientController, RecipientJoint, RecipientAuthority}),
		Categories:      o.lines("categories", need, identifier),
		Undertakings:    words(o, "undertakings", may, undertakings),
		Safeguard:       word(o, "safeguard", may, safeguards),
		AtUserDirection: o.flag("at_user_direction", false),
		ForValue:        o.flag("for_value", false),
	}
	to.Policy = o.line("policy", needIf(to.Name != ""), webAddress)
	if to.Name != "" && !o.has("country") {
		o.r.refuse(o.at("country"), "is required for a vendor that is named; it %s", country.says)
	}
	p.Recipients = append(p.Recipients, to)
}

// Vendors returns the recipients that are named: the vendor table.
func (p *Policy) Vendors() []Recipient {
	return slices.DeleteFunc(slices.Clone(p.Recipients), func(to Recipient) bool { return to.Name == "" })
}
