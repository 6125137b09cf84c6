package law

import "time"

const (
	appText  = "https://www.legislation.gov.au/C2004A03712/latest/text"
	appGuide = "https://www.oaic.gov.au/privacy/australian-privacy-principles/australian-privacy-principles-guidelines/chapter-12-app-12-access-to-personal-information"
)

var australianLaw = []Pack{{
	ID:      "au-privacy",
	Name:    "Privacy Act 1988 (Australia)",
	From:    Day(2014, time.March, 12),
	Sources: []string{appGuide, appText},
	covers:  []string{"AU"},

	limits:  []limit{{span: Span{30, Days}, basis: basis{"APP 12.4 and 13.5: a reasonable period, which is as a rule 30 days", appGuide, Secondary}}},
	receipt: basis{"APP 12.4", appGuide, Secondary},
	proofs: []bound{{
		forbid: []Proof{Notarised},
		why:    "Nothing may be charged for making a request.",
		basis:  basis{"APP 12.8 and 13.5(b)", appGuide, Secondary},
	}},
	reasons: append(articles{
		identity: "APP 12.1", found: "APP 12.1", scope: "s. 6C and 7B Privacy Act 1988", processor: "s. 6(1) Privacy Act 1988 (to hold)",
		unfounded: "APP 12.3(c)", excessive: "APP 12.3(c)", others: "APP 12.3(b)", trade: "APP 12.3(j)", keep: "APP 11.2(d)", accurate: "APP 13.3",
	}.reasons(), Reason{
		Code: "danger_to_others", Protocol: other, Article: "APP 12.3(a)", Mark: Unverified, rights: showing, Text: dangerous,
	}),
	withheld: withhold(credentialKinds, basis{"APP 11.1", appText, Unverified}),
	questions: []string{
		"What a reasonable period is. The regulator's 30 days are counted.",
	},
}}
