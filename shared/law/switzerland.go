package law

import "time"

const (
	fadpText = "https://www.fedlex.admin.ch/eli/cc/2022/491/en"
	dpoText  = "https://www.fedlex.admin.ch/eli/cc/2022/568/en"
)

var swissLaw = []Pack{{
	ID:      "ch-fadp",
	Name:    "Federal Act on Data Protection (Switzerland)",
	From:    Day(2023, time.September, 1),
	Sources: []string{fadpText, dpoText},
	covers:  []string{"CH"},

	limits: []limit{{span: Span{30, Days}, basis: basis{"Art. 25(7) FADP, Art. 18(1) DPO", fadpText, Verified}}},
	// The period begins when the ten days to think about the costs are over; counted
	// from the answer it is never late.
	stops:   []stop{{cause: Fee, effect: Restart, basis: basis{"Art. 19(3) DPO", dpoText, Verified}}},
	receipt: basis{"Art. 18(1) DPO", dpoText, Secondary},
	proofs: []bound{{
		forbid: []Proof{Notarised},
		why:    "Information is free of charge.",
		basis:  basis{"Art. 25(6) FADP", fadpText, Verified},
	}},
	reasons: articles{
		identity: "Art. 16(5) DPO", found: "Art. 25(1) FADP", scope: "Art. 2 and 3 FADP", processor: "Art. 25(4) FADP",
		unfounded: "Art. 26(1)(c) FADP", excessive: "Art. 26(1)(c) FADP", others: "Art. 26(1)(b) FADP", trade: "Art. 26(1)(a) FADP",
		keep: "Art. 31(1) FADP", accurate: "Art. 32(1) FADP",
	}.reasons(),
	withheld: withhold(credentialKinds, basis{"Art. 8 FADP", fadpText, Unverified}),
	questions: []string{
		"A controller that cannot answer within 30 days tells the person so, and by when it will. The law sets no last day, so no extension is counted; an answer after the 30 days needs that notice.",
	},
}}
