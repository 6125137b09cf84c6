package law

import "time"

const (
	quebecText   = "https://www.legisquebec.gouv.qc.ca/en/document/cs/P-39.1"
	albertaText  = "https://kings-printer.alberta.ca/1266.cfm?page=P06P5.cfm&leg_type=Acts"
	columbiaText = "https://www.bclaws.gov.bc.ca/civix/document/id/complete/statreg/03063_01"
)

// provinces holds the laws of Canada's provinces that stand in the place of
// PIPEDA for most private companies there.
var provinces = []Pack{
	{
		ID:      "ca-qc",
		Name:    "Act respecting the protection of personal information in the private sector (Quebec, as amended by Law 25)",
		From:    Day(2023, time.September, 22),
		Sources: []string{quebecText},
		covers:  []string{"CA-QC"},

		limits:  []limit{{span: Span{30, Days}, basis: basis{"s. 32 Act P-39.1", quebecText, Secondary}}},
		receipt: basis{"s. 32 Act P-39.1", quebecText, Secondary},
		silence: basis{"s. 32 Act P-39.1", quebecText, Unverified},
		// An application for the examination of a disagreement is made within 30 days.
		recourse: &recourse{Span{30, Days}, basis{"s. 36 Act P-39.1", quebecText, Unverified}, basis{"s. 43 Act P-39.1", quebecText, Unverified}},
		reasons: articles{
			identity: "s. 30 Act P-39.1", found: "s. 27 Act P-39.1", scope: "s. 1 Act P-39.1", processor: "s. 18.3 Act P-39.1",
			unfounded: "s. 46 Act P-39.1", excessive: "s. 46 Act P-39.1", others: "s. 40 Act P-39.1", trade: "s. 37 Act P-39.1",
			keep: "s. 36 Act P-39.1", accurate: "s. 28 Act P-39.1",
		}.reasons(),
		withheld: withhold(credentialKinds, basis{"s. 10 Act P-39.1", quebecText, Unverified}),
		questions: []string{
			"The regulator may allow more time on application. No extension is counted, since the law names no figure: ask the regulator and answer by the day it names.",
		},
	},
	{
		ID:      "ca-ab",
		Name:    "Personal Information Protection Act (Alberta)",
		From:    Day(2004, time.January, 1),
		Sources: []string{albertaText, "https://oipc.ab.ca"},
		covers:  []string{"CA-AB"},

		limits: []limit{{span: Span{45, Days}, basis: basis{"s. 28(1) PIPA (Alberta)", albertaText, Secondary}}},
		extensions: []extension{{
			span: Span{75, Days}, grounds: []Ground{needsDetail, interference, consultation},
			basis: basis{"s. 31(1) PIPA (Alberta)", albertaText, Unverified},
		}},
		// From the estimate until the person accepts it; after 30 days of silence the
		// request counts as withdrawn.
		stops:   []stop{{cause: Fee, effect: PauseExclusive, basis: basis{"s. 32 PIPA (Alberta)", albertaText, Secondary}}},
		receipt: basis{"s. 28(1) PIPA (Alberta)", albertaText, Secondary},
		silence: basis{"s. 28(2) PIPA (Alberta)", albertaText, Unverified},
		reasons: articles{
			identity: "s. 26 PIPA (Alberta)", found: "s. 24 PIPA (Alberta)", scope: "s. 4 PIPA (Alberta)", processor: "s. 5(2) PIPA (Alberta)",
			unfounded: "s. 37 PIPA (Alberta)", excessive: "s. 37 PIPA (Alberta)", others: "s. 24(3) PIPA (Alberta)", trade: "s. 24(2)(b) PIPA (Alberta)",
			keep: "s. 35 PIPA (Alberta)", accurate: "s. 25 PIPA (Alberta)",
		}.reasons(),
		withheld: withhold(credentialKinds, basis{"s. 34 PIPA (Alberta)", albertaText, Unverified}),
	},
	{
		ID:      "ca-bc",
		Name:    "Personal Information Protection Act (British Columbia)",
		From:    Day(2004, time.January, 1),
		Sources: []string{columbiaText},
		covers:  []string{"CA-BC"},

		limits: []limit{{span: Span{30, Days}, basis: basis{"s. 29(1) PIPA (British Columbia)", columbiaText, Secondary}}},
		extensions: []extension{{
			span: Span{60, Days}, grounds: []Ground{needsDetail, interference, consultation},
			basis: basis{"s. 31 PIPA (British Columbia)", columbiaText, Secondary},
		}},
		receipt: basis{"s. 29(1) PIPA (British Columbia)", columbiaText, Secondary},
		reasons: articles{
			identity: "s. 27 PIPA (British Columbia)", found: "s. 23(1) PIPA (British Columbia)", scope: "s. 3 PIPA (British Columbia)",
			processor: "s. 4(2) PIPA (British Columbia)", unfounded: "s. 37 PIPA (British Columbia)", excessive: "s. 37 PIPA (British Columbia)",
			others: "s. 23(4) PIPA (British Columbia)", trade: "s. 23(3)(b) PIPA (British Columbia)",
			keep: "s. 35 PIPA (British Columbia)", accurate: "s. 24(3) PIPA (British Columbia)",
		}.reasons(),
		withheld: withhold(credentialKinds, basis{"s. 34 PIPA (British Columbia)", columbiaText, Unverified}),
		questions: []string{
			"Whether its days are days of business, as a definition may say. They are counted as days of the calendar here, which is never late.",
		},
	},
}
