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

// What several laws have a person told.
var (
	unfounded = map[string]string{
		english: "The request is manifestly unfounded.",
		french:  "La demande est manifestement infondée.",
	}
	excessive = map[string]string{
		english: "The request is excessive, in particular because it repeats earlier ones.",
		french:  "La demande est excessive, notamment en raison de son caractère répétitif.",
	}
	notIdentified = map[string]string{
		english: "You did not give us the information that we need to find the data and be sure that it is yours.",
		french:  "Vous ne nous avez pas donné les renseignements nécessaires pour trouver les données et nous assurer qu'elles sont les vôtres.",
	}
	impersonated = map[string]string{
		english: "We have reason to believe that the request was not made by the person it names.",
		french:  "Nous avons des raisons de croire que la demande n'émane pas de la personne qu'elle désigne.",
	}
	documentedFraud = map[string]string{
		english: "We have a good-faith, reasonable and documented belief that the request is fraudulent.",
		french:  "Nous croyons de bonne foi, raisonnablement et pièces à l'appui que la demande est frauduleuse.",
	}
	nothingFound = map[string]string{
		english: "We found nothing that we could tie to the details you verified.",
		french:  "Nous n'avons rien trouvé qui puisse être rattaché aux informations que vous avez confirmées.",
	}
	outsideScope = map[string]string{
		english: "The law that the request relies on does not apply to this data.",
		french:  "La loi invoquée par la demande ne s'applique pas à ces données.",
	}
	onBehalf = map[string]string{
		english: "We hold this data on behalf of another company, which decides about it. Please ask that company.",
		french:  "Nous détenons ces données pour le compte d'une autre entreprise, qui en décide. Adressez-vous à elle.",
	}
	rightsOfOthers = map[string]string{
		english: "Showing this data would adversely affect the rights and freedoms of others.",
		french:  "Communiquer ces données porterait atteinte aux droits et libertés d'autrui.",
	}
	mustKeep = map[string]string{
		english: "A law obliges us to keep this data until the date we state.",
		french:  "Une loi nous oblige à conserver ces données jusqu'à la date que nous indiquons.",
	}
	isAccurate = map[string]string{
		english: "The data was not shown to be inaccurate or incomplete.",
		french:  "Il n'a pas été démontré que les données sont inexactes ou incomplètes.",
	}
	tradeSecret = map[string]string{
		english: "Showing this data would reveal a trade secret.",
		french:  "Communiquer ces données révélerait un secret d'affaires.",
	}
	privileged = map[string]string{
		english: "The data is protected by solicitor-client privilege.",
		french:  "Les données sont protégées par le secret professionnel liant l'avocat à son client.",
	}
	dangerous = map[string]string{
		english: "Showing the data could reasonably be expected to threaten the life or security of somebody else.",
		french:  "Communiquer les données risquerait vraisemblablement de nuire à la vie ou à la sécurité d'un tiers.",
	}
)

// showing is the rights that are about seeing data.
var showing = []string{"access", "know", "portability"}

// articles is where a law has the reasons that nearly every law has. What is
// empty is no reason under it.
type articles struct {
	identity  string // who asks must be known
	found     string // the right to be told what is held
	scope     string
	processor string // who is answerable
	unfounded string
	excessive string
	others    string // the rights of others against access
	trade     string // trade secrets against access
	keep      string // a duty to keep against erasure
	accurate  string
}

// reasons returns them. None has been read in its source.
func (a articles) reasons() []Reason {
	all := []Reason{
		{Code: "identity_not_established", Protocol: notVerified, Article: a.identity, Text: notIdentified},
		{Code: "suspected_fraud", Protocol: suspectedFraud, Article: a.identity, Text: impersonated},
		{Code: "no_match", Protocol: noMatch, Article: a.found, Text: nothingFound},
		{Code: "outside_scope", Protocol: outside, Article: a.scope, Text: outsideScope},
		{Code: "processor_only", Protocol: notCovered, Article: a.processor, Text: onBehalf},
		{Code: "manifestly_unfounded", Protocol: other, Article: a.unfounded, Text: unfounded},
		{Code: "excessive", Protocol: tooMany, Article: a.excessive, Text: excessive},
		{Code: "rights_of_others", Protocol: other, Article: a.others, Text: rightsOfOthers, rights: showing},
		{Code: "trade_secret", Protocol: other, Article: a.trade, Text: tradeSecret, rights: showing},
		{Code: "legal_obligation", Protocol: other, Article: a.keep, Text: mustKeep, rights: []string{"erasure"}},
		{Code: "accurate", Protocol: other, Article: a.accurate, Text: isAccurate, rights: []string{"rectification"}},
	}
	known := all[:0]
	for _, r := range all {
		if r.Article != "" {
			r.Mark = Unverified
			known = append(known, r)
		}
	}
	return known
}

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
