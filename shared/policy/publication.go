package policy

import "rightsdesk/shared/law"

// Publication is what everybody may see of a policy, in one language. What only
// the backend needs (addresses of sources, secrets, roles, names of tables and
// fields in them) has no place here; a source shows as the place it is.
type Publication struct {
	Version          string           `json:"version"`
	Language         string           `json:"language"`
	Document         DocumentView     `json:"document"`
	Controller       ControllerView   `json:"controller"`
	Contact          ContactView      `json:"contact"`
	Authorities      []AuthorityView  `json:"authorities"`
	Scope            ScopeView        `json:"scope"`
	Regimes          []RegimeView     `json:"regimes"`
	Rights           []RightView      `json:"rights"`
	Refusals         []RefusalView    `json:"refusals"` // the only reasons for which a request is denied
	WithoutAccount   string           `json:"without_account,omitempty"`
	Categories       []CategoryView   `json:"categories"`
	California       []CaliforniaView `json:"california"`
	Purposes         []PurposeView    `json:"purposes"`
	Consents         []ConsentView    `json:"consents"`
	Signals          SignalsView      `json:"signals"`
	Choices          []ChoiceView     `json:"choices"`
	Cookies          []CookieView     `json:"cookies"`
	RecipientClasses []RecipientClass `json:"recipient_classes"` // the closed set, or those in use
	Recipients       []RecipientView  `json:"recipients"`        // those without a name
	Vendors          []RecipientView  `json:"vendors"`           // the vendor table; it may be empty
	Places           []PlaceView      `json:"places"`
	Kept             []KeptView       `json:"kept"`
	Retention        []RetentionView  `json:"retention"`         // how the rest ends
	Closure          *ClosureView     `json:"closure,omitempty"` // nil: none is offered
	Intake           []IntakeView     `json:"intake"`
	Assertions       []AssertionView  `json:"assertions"`
}

// DocumentView is the text of the policy.
type DocumentView struct {
	Brand     string        `json:"brand"`
	Title     string        `json:"title"`
	Languages []string      `json:"languages"`
	Effective string        `json:"effective"`
	Updated   string        `json:"updated"`
	URL       string        `json:"url"`
	Changelog []ChangeView  `json:"changelog"`
	Sections  []SectionView `json:"sections"`
}

// ChangeView is an entry of the changelog.
type ChangeView struct {
	Date string `json:"date"`
	Text string `json:"text"`
}

// SectionView is a section with its references resolved: #ID is a section of
// the same page, #vendor-ID a row of the vendor table.
type SectionView struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Paragraphs [][]Span `json:"paragraphs"`
	Shows      []Table  `json:"shows"`
}

// ControllerView is who answers for the data.
type ControllerView struct {
	LegalName     string `json:"legal_name"`
	TradeName     string `json:"trade_name"`
	Form          Form   `json:"form"`
	Country       string `json:"country"`
	PostalAddress string `json:"postal_address"`
}

// ContactView is where questions go.
type ContactView struct {
	Email         string `json:"email"`
	Page          string `json:"page,omitempty"`
	Person        string `json:"person,omitempty"`
	PostalAddress string `json:"postal_address,omitempty"`
}

// AuthorityView is whom people of a residence can complain to.
type AuthorityView struct {
	Residence string `json:"residence"`
	Name      string `json:"name"`
	URL       string `json:"url"`
}

// ScopeView is what the policy covers.
type ScopeView struct {
	Surfaces     []LinkView      `json:"surfaces"`
	Populations  []string        `json:"populations"`
	Subsidiaries []string        `json:"subsidiaries"`
	Exclusions   []ExclusionView `json:"exclusions"`
}

// LinkView is a text, with an address if it has one.
type LinkView struct {
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
}

// ExclusionView is what the policy does not cover, and where to ask instead.
type ExclusionView struct {
	Text     string   `json:"text"`
	Redirect LinkView `json:"redirect"`
}

// RegimeView is a law that applies to some people.
type RegimeView struct {
	ID        string   `json:"id"`
	AppliesTo []string `json:"applies_to"`
	Trigger   Trigger  `json:"trigger"`
}

// RightView is what is promised about a right.
type RightView struct {
	Right        Right       `json:"right"`
	Residences   []string    `json:"residences"`
	Automatic    bool        `json:"automatic"`
	CoolingHours int         `json:"cooling_hours,omitempty"`
	PromisedDays int         `json:"promised_days,omitempty"`
	Extension    bool        `json:"extension"`
	Agents       bool        `json:"agents"`
	Proof        []law.Proof `json:"proof"`
	SelfService  *LinkView   `json:"self_service,omitempty"`
}

// RefusalView is a reason for which a request is denied, in the words of the
// first law that has it.
type RefusalView struct {
	Code     string   `json:"code"`
	Text     string   `json:"text"`
	Articles []string `json:"articles"` // of each law that has it
}

// CategoryView is a category with all that is declared about it.
type CategoryView struct {
	ID          string             `json:"id"`
	Label       string             `json:"label"`
	Examples    string             `json:"examples,omitempty"`
	Subjects    []string           `json:"subjects"`
	Role        Role               `json:"role"`
	From        []Origin           `json:"from"`
	FromOutside []string           `json:"from_outside"`
	Sensitive   bool               `json:"sensitive"`
	Identity    bool               `json:"identity_document"`
	Credential  bool               `json:"credential"`
	Inference   bool               `json:"inference"`
	Historical  bool               `json:"historical"`
	Shown       bool               `json:"shown"` // false: an answer says that it is held, and no more
	California  CaliforniaCategory `json:"california_category,omitempty"`
	Collected   bool               `json:"collected_last_12_months"`
	Purposes    []string           `json:"purposes"`
	Recipients  []RecipientClass   `json:"recipients"`
	Fields      []FieldView        `json:"fields"`
}

// FieldView is a field that the policy says something about.
type FieldView struct {
	Label       string        `json:"label"`
	Required    bool          `json:"required"`
	IfWithheld  string        `json:"if_withheld,omitempty"`
	Correctable CorrectionWay `json:"correctable,omitempty"`
	Historical  bool          `json:"historical"`
	Shown       bool          `json:"shown"`
}

// CaliforniaView is a row of California's list (Civil Code 1798.110(a)): a
// category collected in the last 12 months, whence, what for, and who gets it.
type CaliforniaView struct {
	Category     CaliforniaCategory `json:"category"`
	Labels       []string           `json:"labels"`
	IDs          []string           `json:"ids"` // of our categories in it
	Sources      []Origin           `json:"sources"`
	Outside      []string           `json:"outside_sources"`
	Purposes     []string           `json:"purposes"`
	ThirdParties []RecipientClass   `json:"third_parties"`
	Sold         bool               `json:"sold"`
}

// PurposeView is a purpose with its legal bases.
type PurposeView struct {
	ID         string   `json:"id"`
	Text       string   `json:"text"`
	Bases      []Basis  `json:"bases"`
	Interest   string   `json:"interest,omitempty"`
	Categories []string `json:"categories"`
	AlwaysSent bool     `json:"always_sent"` // no choice stops it
}

// ConsentView is a purpose that people choose about: what they are asked, and what
// stands while they were not.
type ConsentView struct {
	Purpose string `json:"purpose"`
	Label   string `json:"label"`
	Text    string `json:"text"` // of the purpose
	Wording string `json:"wording"`
	// Hash names the wording: what a record of a consent says was shown.
	Hash    string `json:"hash"`
	Edition int    `json:"edition"`

	Default  Default       `json:"default"`
	Ground   DefaultGround `json:"ground,omitempty"`
	Required bool          `json:"required"`
	Loss     string        `json:"loss,omitempty"`

	Explicit    bool    `json:"explicit"`
	PerAct      bool    `json:"per_act"`
	DoubleOptIn bool    `json:"double_opt_in"`
	AskFirst    bool    `json:"ask_first"`
	Expires     *Period `json:"expires,omitempty"`
	Mail        bool    `json:"mail"`
	Marketing   bool    `json:"marketing"`
	StoppedBy   []Stop  `json:"stopped_by"`
}

// SignalsView is what becomes of what browsers send by themselves.
type SignalsView struct {
	GPC        Handling `json:"gpc"`
	DNT        Handling `json:"dnt"`
	OnConflict Conflict `json:"on_conflict"`
	Updated    string   `json:"updated"`
}

// ChoiceView is a choice that people make somewhere, and who makes it happen.
type ChoiceView struct {
	ID          string    `json:"id"`
	Text        string    `json:"text"`
	PerformedBy Performer `json:"performed_by"`
	Link        *LinkView `json:"link,omitempty"` // without it: a switch of the company's own
	Consequence string    `json:"consequence,omitempty"`
	Purpose     string    `json:"purpose,omitempty"`
}

// CookieView is a cookie, or what stands in the place of one.
type CookieView struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Kind         CookieKind `json:"kind"`
	Party        Party      `json:"party"`
	Essential    bool       `json:"essential"`
	Purpose      string     `json:"purpose"` // its text
	Lifetime     string     `json:"lifetime"`
	ControlledBy Performer  `json:"controlled_by"`
	Loss         string     `json:"loss,omitempty"`
}

// RecipientView is a row of the vendor table, or a class of recipients.
type RecipientView struct {
	ID           string         `json:"id"`
	Class        RecipientClass `json:"class"`
	Name         string         `json:"name,omitempty"`
	Function     string         `json:"function"`
	Policy       string         `json:"policy,omitempty"`
	Country      string         `json:"country,omitempty"`
	Role         RecipientRole  `json:"role"`
	Categories   []string       `json:"categories"`
	Undertakings []Undertaking  `json:"undertakings"`
	Safeguard    Safeguard      `json:"safeguard,omitempty"`
	AtDirection  bool           `json:"at_user_direction"`
}

// PlaceView is where data is: what the public sees of a source.
type PlaceView struct {
	Label               string   `json:"label"`
	Country             string   `json:"country"`
	Role                Role     `json:"role"`
	Controller          string   `json:"controller,omitempty"`
	RunBy               string   `json:"run_by,omitempty"`
	OnPersonalComputers bool     `json:"on_personal_computers"`
	NotUnderControl     bool     `json:"not_under_control"`
	Categories          []string `json:"categories"`
	Backups             *Period  `json:"backups,omitempty"` // copies of it live on so long after an erasure
}

// KeptView is what erasure leaves, why, and until when.
type KeptView struct {
	Category string `json:"category"`
	Ground   Ground `json:"ground"`
	Duty     string `json:"duty"`
	Article  string `json:"article,omitempty"`
	Period   Period `json:"period"`
	From     Event  `json:"from"`
}

// RetentionView is how a category ends in one place.
type RetentionView struct {
	Category     string          `json:"category"`
	Place        string          `json:"place"`
	Trigger      Occasion        `json:"trigger"`
	Relationship string          `json:"relationship,omitempty"`
	Purpose      string          `json:"purpose,omitempty"`
	Period       *Period         `json:"period,omitempty"` // nil: at once, or when the grace period of a closure is over
	SetBy        SetBy           `json:"set_by"`
	Article      string          `json:"article,omitempty"`
	Action       RetentionAction `json:"action"`
	Except       []KeptView      `json:"except"`
}

// ClosureView is what is promised about closing an account.
type ClosureView struct {
	GraceDays    int      `json:"grace_days"`
	Immediate    bool     `json:"immediate"`
	ConfirmHours int      `json:"confirm_within_hours"`
	ErasedWithin int      `json:"erased_within_days"`
	Before       [][]Span `json:"before"`
}

// IntakeView is what arrives by a channel, and what of it is kept.
type IntakeView struct {
	Label    string      `json:"label"`
	Category string      `json:"category"`
	From     Origin      `json:"from"`
	Outside  string      `json:"outside,omitempty"`
	Keep     []string    `json:"keep"`
	Unknown  Unknown     `json:"unknown"`
	Refuse   []Forbidden `json:"refuse"`
}

// AssertionView is an assertion with its tenses.
type AssertionView struct {
	Assertion Assertion `json:"assertion"`
	Tenses    []Tense   `json:"tenses"`
}
