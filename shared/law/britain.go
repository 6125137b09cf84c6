package law

import "time"

const (
	ukGDPRText = "https://www.legislation.gov.uk/eur/2016/679/contents"
	dpaText    = "https://www.legislation.gov.uk/ukpga/2018/12/contents"
	duaaText   = "https://www.legislation.gov.uk/ukpga/2025/18/section/76"
	icoPeriods = "https://ico.org.uk/for-organisations/uk-gdpr-guidance-and-resources/individual-rights/right-of-access/"
)

var (
	art12A      = basis{"Art. 12A UK GDPR", duaaText, Verified}
	art12Before = basis{"Art. 12(3) UK GDPR", ukGDPRText, Secondary}
)

// britain: the Data (Use and Access) Act 2025 moved the periods into Article 12A
// from 5 February 2026, and gave people a right to complain to the controller from
// 19 June 2026. What stops the time was the regulator's guidance before.
var britain = []Pack{
	ukGDPR(Day(2026, time.June, 19), art12A, stopsOf12A, []limit{{
		rights: []string{Complaint}, span: Span{30, Days}, basis: basis{"s. 164A(3) Data Protection Act 2018", dpaText, Verified},
		readings: []reading{{
			text:    "\"30 days beginning when the complaint is received\" can be read to count the day of receipt.",
			earlier: 1,
			basis:   basis{"s. 164A(3) Data Protection Act 2018", dpaText, Unverified},
		}},
	}}),
	ukGDPR(Day(2026, time.February, 5), art12A, stopsOf12A, nil),
	ukGDPR(Day(2021, time.January, 1), art12Before, []stop{
		{cause: Identity, effect: Restart, basis: basis{"ICO, right of access: the time begins with the information", icoPeriods, Secondary}},
		{cause: Fee, effect: Restart, basis: basis{"ICO, right of access: the time begins with the fee", icoPeriods, Secondary}},
		{
			cause: Clarification, rights: []string{"access", "know"}, effect: PauseExclusive,
			basis: basis{"ICO, right of access: the clock stops for clarification (October 2020)", icoPeriods, Secondary},
		},
	}, nil),
}

// stopsOf12A: the latest of receipt, the information and the fee begins the time.
// A question what a request is about stops it for requests under Article 15 only.
var stopsOf12A = []stop{
	{cause: Identity, effect: Restart, basis: basis{"Art. 12A(2)(b) UK GDPR", duaaText, Verified}},
	{cause: Fee, effect: Restart, basis: basis{"Art. 12A(2)(c) UK GDPR", duaaText, Verified}},
	{cause: Clarification, rights: []string{"access", "know"}, effect: PauseInclusive, basis: basis{"Art. 12A(5) UK GDPR", duaaText, Verified}},
}

func ukGDPR(from Date, period basis, stops []stop, acknowledge []limit) Pack {
	dayBefore := reading{
		text:    "\"One month beginning with\" the day can be read to end on the day before the corresponding date.",
		earlier: 1,
		basis:   basis{period.article, ukGDPRText, Unverified},
	}
	return Pack{
		ID:      "uk-gdpr",
		Name:    "UK General Data Protection Regulation",
		From:    from,
		Sources: []string{ukGDPRText, duaaText, dpaText, icoPeriods},
		covers:  []string{"GB"},

		limits:      []limit{{span: Span{1, Months}, basis: period, readings: []reading{dayBefore}}},
		acknowledge: acknowledge,
		extensions: []extension{{
			span: Span{3, Months}, grounds: []Ground{complexity, yourRequests}, basis: period,
			readings: []reading{dayBefore, {
				text: "\"Two further months\" can be read to follow the first, which may have ended early.",
				span: Span{2, Months}, chained: true,
				basis: basis{period.article, ukGDPRText, Unverified},
			}},
		}},
		stops:   stops,
		receipt: basis{"ICO, right of access: from the day of receipt to the corresponding date", icoPeriods, Secondary},
		roll:    basis{"ICO, right of access: weekend or bank holiday", icoPeriods, Secondary},
		proofs: []bound{
			{
				forbid: []Proof{IdentityDocument},
				why:    "More information may be asked for only on reasonable doubts about who asks, so not of everybody.",
				basis:  basis{"Art. 12(6) UK GDPR", ukGDPRText, Secondary},
			},
			{
				forbid: []Proof{Notarised},
				why:    "Exercising a right is free of charge, and what is asked in proof of it must not be out of proportion.",
				basis:  basis{"Art. 12(5)-(6) UK GDPR", ukGDPRText, Secondary},
			},
		},
		reasons:  gdprReasons("UK GDPR"),
		withheld: withhold(credentialKinds, basis{"Art. 32(1) UK GDPR", ukGDPRText, Unverified}),
		questions: []string{
			"Whether a period \"beginning with\" a day ends on the corresponding date, as the regulator counts, or on the day before. The safe date is the day before.",
			"What clarification does to other requests than access. The article names access only: for the others time runs on.",
			"By when the outcome of a complaint must be told: without undue delay, which is no figure. The time for a request is counted.",
		},
	}
}
