package law

import "time"

const nzText = "https://www.legislation.govt.nz/act/public/2020/0031/latest/LMS23223.html"

var newZealandLaw = []Pack{{
	ID:      "nz-privacy",
	Name:    "Privacy Act 2020 (New Zealand)",
	From:    Day(2020, time.December, 1),
	Sources: []string{nzText},
	covers:  []string{"NZ"},

	limits:   []limit{{span: Span{20, BusinessDays}, basis: basis{"s. 44(1) and 63(1) Privacy Act 2020", nzText, Secondary}}},
	receipt:  basis{"s. 44(1) Privacy Act 2020: after the day of receipt", nzText, Secondary},
	holidays: "NZ",
	proofs: []bound{{
		forbid: []Proof{Notarised},
		why:    "A company may charge for showing data, not for being asked.",
		basis:  basis{"s. 66 Privacy Act 2020", nzText, Unverified},
	}},
	reasons: append(articles{
		identity: "s. 57 Privacy Act 2020", found: "s. 53(a) Privacy Act 2020", scope: "s. 4 Privacy Act 2020", processor: "s. 11 Privacy Act 2020",
		unfounded: "s. 53(h) Privacy Act 2020", excessive: "s. 53(h) Privacy Act 2020", others: "s. 53(b) Privacy Act 2020",
		trade: "s. 52 Privacy Act 2020", keep: "s. 22 (IPP 9) Privacy Act 2020", accurate: "s. 22 (IPP 7) Privacy Act 2020",
	}.reasons(),
		Reason{Code: "danger_to_others", Protocol: other, Article: "s. 49 Privacy Act 2020", Mark: Unverified, rights: showing, Text: dangerous},
		Reason{Code: "privileged", Protocol: other, Article: "s. 53(d) Privacy Act 2020", Mark: Unverified, rights: showing, Text: privileged},
	),
	withheld: withhold(credentialKinds, basis{"s. 22 (IPP 5) Privacy Act 2020", nzText, Unverified}),
	questions: []string{
		"More time can be taken by a notice within the 20 working days that says how much and why (s. 48). The law sets no last day, so no extension is counted.",
		"Which days between Christmas and mid-January are no working days. The safe date counts them all.",
	},
}}
