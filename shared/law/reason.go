package law

// Reason is a ground on which a law lets a request be denied, in whole or in part.
type Reason struct {
	Code string // stable, snake_case
	// Protocol is the reason in the Data Rights Protocol 1.0, which has fewer.
	Protocol string
	Text     map[string]string // by language; what the person is told
	Article  string
	Mark     string // Verified, Secondary or Unverified

	rights []string // empty: every right
}

// Reasons of the Data Rights Protocol 1.0.
const (
	suspectedFraud = "suspected_fraud"
	notVerified    = "insuf_verification"
	noMatch        = "no_match"
	notCovered     = "claim_not_covered"
	outside        = "outside_jurisdiction"
	tooMany        = "too_many_requests"
	other          = "other"
)

// Languages of the texts, as BCP 47 names them.
const (
	english = "en"
	french  = "fr"
)

// Reasons returns the grounds on which a law lets a request for a right be
// denied. A law nobody knows has none.
func Reasons(law, right string) []Reason {
	p, _ := ByID(law)
	var found []Reason
	for _, r := range p.reasons {
		if applies(r.rights, right) {
			found = append(found, r)
		}
	}
	return found
}

// Withheld is a kind of data that an answer says is held and never shows.
type Withheld struct {
	Kind    string            // stable, snake_case: government_id, password...
	Text    map[string]string // by language
	Article string
	Mark    string
}

// Kinds of data that some law withholds from answers.
const (
	GovernmentID     = "government_id"
	FinancialAccount = "financial_account"
	HealthInsurance  = "health_insurance"
	Password         = "password" // #nosec G101 -- the name of a kind, not a password
	SecurityAnswer   = "security_answer"
	Biometric        = "biometric"
)

// NeverDisclosed returns the kinds of data that an answer under a law may
// mention and must not show. A law nobody knows withholds what the strictest does.
func NeverDisclosed(law string) []Withheld {
	p, ok := ByID(law)
	if !ok {
		return withhold(strictestKinds, basis{})
	}
	return append([]Withheld(nil), p.withheld...)
}

// credentialKinds would let whoever reads the package act as the person.
var credentialKinds = []string{Password, SecurityAnswer}

// strictestKinds is the list of 11 CCR 7024(d).
var strictestKinds = []string{GovernmentID, FinancialAccount, HealthInsurance, Password, SecurityAnswer, Biometric}

var kindText = map[string]map[string]string{
	GovernmentID:     {english: "Number of a government-issued identity document", french: "Numéro d'un document d'identité officiel"},
	FinancialAccount: {english: "Financial account number", french: "Numéro de compte financier"},
	HealthInsurance:  {english: "Health insurance or medical identification number", french: "Numéro d'assurance maladie ou d'identification médicale"},
	Password:         {english: "Account password", french: "Mot de passe du compte"},
	SecurityAnswer:   {english: "Security questions and answers", french: "Questions de sécurité et leurs réponses"},
	Biometric:        {english: "Unique biometric data", french: "Données biométriques uniques"},
}

func withhold(kinds []string, b basis) []Withheld {
	list := make([]Withheld, 0, len(kinds))
	for _, k := range kinds {
		list = append(list, Withheld{Kind: k, Text: kindText[k], Article: b.article, Mark: b.mark})
	}
	return list
}
