package law

// Reasons for more time. A law's pack says which of them it accepts.
var (
	complexity = Ground{Code: "complexity", Text: map[string]string{
		english: "Your request is complex.",
		french:  "Votre demande est complexe.",
	}}
	numberOfRequests = Ground{Code: "number_of_requests", Text: map[string]string{
		english: "There are many requests to be answered.",
		french:  "Le nombre de demandes à traiter est élevé.", //nolint:misspell // French
	}}
	yourRequests = Ground{Code: "number_of_requests", Text: map[string]string{
		english: "You have made several requests.",
		french:  "Vous avez présenté plusieurs demandes.", //nolint:misspell // French
	}}
	reasonablyNecessary = Ground{Code: "reasonably_necessary", Text: map[string]string{
		english: "More time is reasonably necessary to answer your request completely.",
		french:  "Un délai supplémentaire est raisonnablement nécessaire pour répondre complètement à votre demande.",
	}}
	interference = Ground{Code: "interference", Text: map[string]string{
		english: "Answering within the usual time would unreasonably interfere with our activities.",
		french:  "Répondre dans le délai habituel entraverait gravement nos activités.", //nolint:misspell // French
	}}
	consultation = Ground{Code: "consultation", Text: map[string]string{
		english: "We must consult others before we can answer, and cannot do so within the usual time.",
		french:  "Nous devons consulter des tiers avant de répondre, et ne pouvons le faire dans le délai habituel.",
	}}
	needsDetail = Ground{Code: "needs_detail", Text: map[string]string{
		english: "Your request does not say enough for us to find the data within the usual time.",
		french:  "Votre demande n'est pas assez précise pour nous permettre de trouver les données dans le délai habituel.",
	}}
	conversion = Ground{Code: "conversion", Open: true, Text: map[string]string{
		english: "We need this time to convert your data into the alternative format that you asked for.",
		french:  "Ce délai nous est nécessaire pour transposer vos données sur le support de substitution que vous avez demandé.",
	}}
)
