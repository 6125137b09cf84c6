package policy

import "slices"

// Category is a kind of personal data.
type Category struct {
	ID          string
	Label       Text
	Examples    Text
	Subjects    []string // populations of the scope
	Role        Role
	California  California
	From        []Origin
	FromOutside []string // who gives it to us, by name, for the origin outside

	Sensitive        bool // of the kinds that laws single out: health, belief, union...
	IdentityDocument bool // copies of government-issued papers
	Credential       bool // opens an account or a system: an answer says that it is held, never what it is
	Inference        bool // concluded by us, not told to us
	Historical       bool // a record of what was; it is not corrected
	NeverDisclose    bool // an answer says that it is held, never what it is
	Approximate      bool // never precise: a position arrives rounded or is refused
}

// Shown reports whether an answer shows what the category holds, and not merely that it is held.
func (c Category) Shown() bool { return !c.Credential && !c.NeverDisclose }

// Flag is a property of a category, as the file spells it.
type Flag string

// The flags; the fields of Category of the same names say what they mean.
const (
	FlagSensitive        Flag = "sensitive"
	FlagIdentityDocument Flag = "identity_document"
	FlagCredential       Flag = "credential"
	FlagInference        Flag = "inference"
	FlagHistorical       Flag = "historical"
	FlagNeverDisclose    Flag = "never_disclose"
	FlagApproximate      Flag = "approximate"
)

var flags = []Flag{FlagSensitive, FlagIdentityDocument, FlagCredential, FlagInference, FlagHistorical, FlagNeverDisclose, FlagApproximate}

// Role is what the company is for some data: it decides, or it does as told.
type Role string

// The roles.
const (
	AsController Role = "controller"
	AsProcessor  Role = "processor"
)

var roles = []Role{AsController, AsProcessor}

// Origin is where data comes from.
type Origin string

// The origins.
const (
	FromPerson  Origin = "person"    // they told us
	FromMachine Origin = "automatic" // their device or our software did
	FromOthers  Origin = "outside"   // somebody else did, who is named
)

// California is the column of a category in an answer under California law.
type California struct {
	Category  CaliforniaCategory
	Collected bool // in the last 12 months
}

// CaliforniaCategory is one of the categories of California Civil Code 1798.140(v)(1).
type CaliforniaCategory string

// The categories, by their letters.
const (
	Identifiers              CaliforniaCategory = "identifiers"               // A
	CustomerRecords          CaliforniaCategory = "customer_records"          // B
	ProtectedCharacteristics CaliforniaCategory = "protected_characteristics" // C
	CommercialInformation    CaliforniaCategory = "commercial_information"    // D
	BiometricInformation     CaliforniaCategory = "biometric_information"     // E
	NetworkActivity          CaliforniaCategory = "network_activity"          // F
	Geolocation              CaliforniaCategory = "geolocation"               // G
	AudioElectronicVisual    CaliforniaCategory = "audio_electronic_visual"   // H
	ProfessionalInformation  CaliforniaCategory = "professional_information"  // I
	EducationInformation     CaliforniaCategory = "education_information"     // J
	Inferences               CaliforniaCategory = "inferences"                // K
	SensitiveInformation     CaliforniaCategory = "sensitive_information"     // L
)

var californiaCategories = []CaliforniaCategory{
	Identifiers, CustomerRecords, ProtectedCharacteristics, CommercialInformation, BiometricInformation, NetworkActivity,
	Geolocation, AudioElectronicVisual, ProfessionalInformation, EducationInformation, Inferences, SensitiveInformation,
}

func (p *Policy) readCategory(id string, o *object) {
	set := words(o, "flags", may, flags)
	has := func(f Flag) bool { return slices.Contains(set, f) }
	c := Category{
		ID:          id,
		Label:       o.text("label", need),
		Examples:    o.text("examples", may),
		Subjects:    o.lines("subjects", need, identifier),
		Role:        actsAs(o),
		From:        words(o, "from", need, []Origin{FromPerson, FromMachine, FromOthers}),
		FromOutside: o.lines("from_outside", may, anyLine),

		Sensitive:        has(FlagSensitive),
		IdentityDocument: has(FlagIdentityDocument),
		Credential:       has(FlagCredential),
		Inference:        has(FlagInference),
		Historical:       has(FlagHistorical),
		NeverDisclose:    has(FlagNeverDisclose),
		Approximate:      has(FlagApproximate),
	}
	o.section("california", may, func(ca *object) {
		c.California = California{
			Category:  word(ca, "category", need, californiaCategories),
			Collected: ca.flag("collected_last_12_months", true),
		}
	})
	switch outside := slices.Contains(c.From, FromOthers); {
	case outside && len(c.FromOutside) == 0:
		o.r.refuse(o.at("from_outside"), "is required and names who outside gives the data")
	case !outside && len(c.FromOutside) > 0:
		o.r.refuse(o.at("from_outside"), "is for data whose `from` has outside")
	}
	p.Categories = append(p.Categories, c)
}

// actsAs reads the role that the company has for a category or a source.
func actsAs(o *object) Role {
	if r := word(o, "acts_as", may, roles); r != "" {
		return r
	}
	return AsController
}

// Category returns the category with that id.
func (p *Policy) Category(id string) (Category, bool) {
	i := slices.IndexFunc(p.Categories, func(c Category) bool { return c.ID == id })
	if i < 0 {
		return Category{}, false
	}
	return p.Categories[i], true
}

// PurposesOf returns what a category is used for.
func (p *Policy) PurposesOf(category string) []Purpose {
	return slices.DeleteFunc(slices.Clone(p.Purposes), func(u Purpose) bool { return !slices.Contains(u.Categories, category) })
}

// Field is one field of a category, where the policy says something about it.
type Field struct {
	Name         string
	Label        Text
	Required     bool
	IfWithheld   Text // what does not work without it
	Correctable  CorrectionWay
	Historical   bool     // a correction is refused because the field says what was
	HeldNotShown HeldKind // an answer says that it is held, never what it is; empty: it is shown
}

// CorrectionWay is how a field is corrected.
type CorrectionWay string

// The ways. Without one, a request to correct the field becomes a task.
const (
	ByRequest CorrectionWay = "request" // the backend sets it in the sources
	InAccount CorrectionWay = "account" // the person does it in their account
)

// HeldKind is a kind of value that is never disclosed, whoever asks (California,
// 11 CCR 7024(d); Minnesota, 325M.14).
type HeldKind string

// The kinds.
const (
	GovernmentID     HeldKind = "government_id"
	FinancialAccount HeldKind = "financial_account"
	CardNumber       HeldKind = "card_number"
	HealthInsurance  HeldKind = "health_insurance"
	Password         HeldKind = "password"
	SecurityAnswer   HeldKind = "security_answer"
	Biometric        HeldKind = "biometric"
)

var heldKinds = []HeldKind{GovernmentID, FinancialAccount, CardNumber, HealthInsurance, Password, SecurityAnswer, Biometric}

func (p *Policy) readFields(category string, o *object) {
	if p.Fields == nil {
		p.Fields = map[string][]Field{}
	}
	o.named(fieldName, func(name string, f *object) {
		p.Fields[category] = append(p.Fields[category], Field{
			Name:         name,
			Label:        f.text("label", need),
			Required:     f.flag("required", false),
			IfWithheld:   f.text("if_withheld", may),
			Correctable:  word(f, "correctable", may, []CorrectionWay{ByRequest, InAccount}),
			Historical:   f.flag("historical", false),
			HeldNotShown: word(f, "held_not_shown", may, heldKinds),
		})
	})
}

// Field returns what the policy says about a field of a category.
func (p *Policy) Field(category, name string) (Field, bool) {
	fields := p.Fields[category]
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return fields[i], true
}
