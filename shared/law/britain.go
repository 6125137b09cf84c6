package law

import "time"

const (
	ukGDPRText = "https://www.legislation.gov.uk/eur/2016/679/contents"
	icoPeriods = "https://ico.org.uk/for-organisations/uk-gdpr-guidance-and-resources/individual-rights/right-of-access/"
)

// britain: the Data (Use and Access) Act 2025 moved the period into Article 12A
// with effect from 5 February 2026. What it counts is the same until pauses and
// restarts are counted too.
var britain = []Pack{
	ukGDPR(Day(2026, time.February, 5), basis{"Art. 12(3) and 12A UK GDPR", ukGDPRText, Secondary}),
	ukGDPR(Day(2021, time.January, 1), basis{"Art. 12(3) UK GDPR", ukGDPRText, Secondary}),
}

func ukGDPR(from Date, period basis) Pack {
	return Pack{
		ID:      "uk-gdpr",
		Name:    "UK General Data Protection Regulation",
		From:    from,
		Sources: []string{ukGDPRText, icoPeriods},
		covers:  []string{"GB"},

		limits: []limit{{
			span: Span{1, Months}, basis: period,
			readings: []reading{{
				text:    "\"One month beginning with\" the day can be read to end on the day before the corresponding date.",
				earlier: 1,
				basis:   basis{period.article, ukGDPRText, Unverified},
			}},
		}},
		receipt:  basis{"ICO, right of access: from the day of receipt to the corresponding date", icoPeriods, Secondary},
		roll:     basis{"ICO, right of access: weekend or bank holiday", icoPeriods, Secondary},
		reasons:  gdprReasons("UK GDPR"),
		withheld: withhold(credentialKinds, basis{"Art. 32(1) UK GDPR", ukGDPRText, Unverified}),
	}
}
