package policy

import "slices"

// Assertion is a sentence about the company that the rest of the file must bear out.
type Assertion string

// The assertions, and what validation holds them to.
const (
	NeverSold        Assertion = "never_sold"          // no purpose and no recipient is for value
	NotADataBroker   Assertion = "not_a_data_broker"   // nothing that others told us goes to anybody for value
	NoCardData       Assertion = "no_card_data"        // no field holds a card number
	ContactIsAPerson Assertion = "contact_is_a_person" // the contact has a person's name and a postal address

	NoTrackingCookies   Assertion = "no_tracking_cookies"    // every cookie is essential, none a third party's or a pixel
	NoFirstPartyCookies Assertion = "no_first_party_cookies" // no HTTP cookie is our own
)

var assertions = []Assertion{NeverSold, NotADataBroker, NoCardData, ContactIsAPerson, NoTrackingCookies, NoFirstPartyCookies}

// Tense is when an assertion holds. What was cannot be checked in a file; it is published as the company's word.
type Tense string

// The tenses.
const (
	Was  Tense = "was"
	Is   Tense = "is"
	Will Tense = "will"
)

func (p *Policy) readAssertions(o *object) {
	p.Assertions = map[Assertion][]Tense{}
	for _, a := range assertions {
		if tenses := words(o, string(a), may, []Tense{Was, Is, Will}); tenses != nil {
			p.Assertions[a] = tenses
		}
	}
}

// Asserts reports whether the policy asserts it of today or of the future.
// Who promises never to sell cannot declare a sale today.
func (p *Policy) Asserts(a Assertion) bool {
	return slices.Contains(p.Assertions[a], Is) || slices.Contains(p.Assertions[a], Will)
}
