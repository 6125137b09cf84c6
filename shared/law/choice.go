package law

// The grounds on which something may stand on before anybody chose it.
const (
	// ExistingCustomer is mail about the company's own similar products, to who
	// bought, was told at once that they can say no, and can say it in every mail.
	ExistingCustomer = "existing_customer"
	// NoConsentNeeded is that the law asks for a way out only, or for nothing.
	NoConsentNeeded = "no_consent_needed"
)

// Defaults lists the grounds.
var Defaults = []string{ExistingCustomer, NoConsentNeeded}

// DefaultOn returns the article by which a law lets something stand on before the
// person chose, on that ground. Where it says nothing, nothing may.
func DefaultOn(law, ground string) (article string, ok bool) {
	p, _ := ByID(law)
	b, ok := p.defaults[ground]
	return b.article, ok
}

// DemandsGPC returns the article by which a law demands that the signal of Global
// Privacy Control counts as an opt-out of sale and of targeted advertising, if it does.
func DemandsGPC(law string) (article string, ok bool) {
	p, _ := ByID(law)
	return p.signal.article, p.signal != (basis{})
}
