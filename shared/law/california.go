package law

import "time"

const (
	ccpaText  = "https://leginfo.legislature.ca.gov/faces/codes_displayText.xhtml?division=3.&part=4.&lawCode=CIV&title=1.81.5"
	ccprRules = "https://cppa.ca.gov/regulations/"
)

var california = []Pack{{
	ID:      "us-ca-ccpa",
	Name:    "California Consumer Privacy Act",
	From:    Day(2020, time.January, 1),
	Sources: []string{ccpaText, ccprRules},
	covers:  []string{"US-CA"},

	limits: []limit{
		{rights: []string{"opt_out_sale", "limit_sensitive"}, span: Span{15, BusinessDays}, basis: basis{"11 CCR § 7026(f), 7027(g)", ccprRules, Verified}},
		// Whether or not the request is verified.
		{span: Span{45, Days}, basis: basis{"11 CCR § 7021(b)", ccprRules, Verified}},
	},
	acknowledge: []limit{{
		rights: []string{"access", "know", "portability", "rectification", "erasure"},
		span:   Span{10, BusinessDays}, basis: basis{"11 CCR § 7021(a)", ccprRules, Verified},
	}},
	extensions: []extension{{
		rights: []string{"access", "know", "portability", "rectification", "erasure"},
		span:   Span{90, Days}, grounds: []Ground{reasonablyNecessary, complexity, yourRequests},
		basis: basis{"11 CCR § 7021(b)", ccprRules, Verified},
	}},
	stops: []stop{
		{cause: Identity, effect: Ignore, basis: basis{"11 CCR § 7021(b)", ccprRules, Verified}},
		{cause: Mandate, effect: Ignore, basis: basis{"11 CCR § 7021(b)", ccprRules, Verified}},
	},
	receipt:  basis{"11 CCR § 7021(b)", ccprRules, Verified},
	holidays: "US-CA",
	records:  &records{span: Span{24, Months}, basis: basis{"11 CCR § 7101(a)", ccprRules, Verified}},
	proofs: []bound{
		{
			rights: []string{"opt_out_sale", "limit_sensitive"},
			forbid: []Proof{Address, DataPoints, SignedDeclaration, IdentityDocument, Notarised},
			why:    "Nobody may be made to prove who they are to opt out of sale or sharing, or to limit the use of sensitive data.",
			basis:  basis{"11 CCR § 7060(b)", ccprRules, Verified},
		},
		{
			forbid: []Proof{IdentityDocument},
			why:    "More than the company already holds may be asked for only of those who cannot be verified by that, so not of everybody.",
			basis:  basis{"11 CCR § 7060(d)", ccprRules, Verified},
		},
		{
			forbid: []Proof{Notarised},
			why:    "Nobody may be made to pay for the verification of their request; a notary's fee would have to be borne by the company.",
			basis:  basis{"11 CCR § 7060(e)", ccprRules, Verified},
		},
	},
	reasons:  ccpaReasons,
	withheld: withhold(strictestKinds, basis{"11 CCR § 7024(d)", ccprRules, Verified}),
	questions: []string{
		"Whether a last day that is a weekend or a holiday moves to the next working day. It does not here.",
		"Which holidays are no business days. Those of the state are left out of the count where they are known; the safe date counts them.",
	},
}}

var ccpaReasons = []Reason{
	{
		Code: "manifestly_unfounded", Protocol: other, Article: "Cal. Civ. Code § 1798.145(h)(3)", Mark: Unverified,
		Text: unfounded,
	},
	{
		Code: "excessive", Protocol: tooMany, Article: "Cal. Civ. Code § 1798.145(h)(3)", Mark: Unverified,
		Text: excessive,
	},
	{
		Code: "twice_in_twelve_months", Protocol: tooMany, Article: "Cal. Civ. Code § 1798.130(b)", Mark: Unverified, rights: []string{"know", "access", "portability"},
		Text: map[string]string{
			english: "We have answered two such requests of yours in the last 12 months.",
			french:  "Nous avons répondu à deux demandes de ce type de votre part au cours des 12 derniers mois.", //nolint:misspell // French
		},
	},
	{
		Code: "identity_not_established", Protocol: notVerified, Article: "11 CCR § 7024(a)", Mark: Verified, rights: []string{"know", "access", "portability"},
		Text: map[string]string{
			english: "We could not verify your identity to the degree that showing the data requires.",
			french:  "Nous n'avons pas pu vérifier votre identité au degré qu'exige la communication des données.",
		},
	},
	{
		Code: "identity_not_established", Protocol: notVerified, Article: "11 CCR § 7022(a)", Mark: Unverified, rights: []string{"erasure"},
		Text: map[string]string{
			english: "We could not verify your identity to the degree that deleting the data requires.",
			french:  "Nous n'avons pas pu vérifier votre identité au degré qu'exige la suppression des données.",
		},
	},
	{
		Code: "identity_not_established", Protocol: notVerified, Article: "11 CCR § 7023(a)", Mark: Unverified, rights: []string{"rectification"},
		Text: map[string]string{
			english: "We could not verify your identity to the degree that correcting the data requires.",
			french:  "Nous n'avons pas pu vérifier votre identité au degré qu'exige la correction des données.",
		},
	},
	{
		// An opt-out is never verified (11 CCR § 7060(b)); it may be refused as fraud.
		Code: "suspected_fraud", Protocol: suspectedFraud, Article: "11 CCR § 7026(e)", Mark: Unverified, rights: []string{"opt_out_sale", "limit_sensitive"},
		Text: documentedFraud,
	},
	{
		Code: "no_match", Protocol: noMatch, Article: "11 CCR § 7024", Mark: Unverified, rights: []string{"know", "access", "portability", "erasure", "rectification"},
		Text: nothingFound,
	},
	{
		Code: "not_resident", Protocol: outside, Article: "Cal. Civ. Code § 1798.140(i)", Mark: Unverified,
		Text: map[string]string{
			english: "The law that the request relies on protects residents of California.",
			french:  "La loi invoquée par la demande protège les résidents de Californie.",
		},
	},
	{
		Code: "service_provider", Protocol: notCovered, Article: "11 CCR § 7050", Mark: Unverified,
		Text: map[string]string{
			english: "We hold this data on behalf of another business. Please ask that business.",
			french:  "Nous détenons ces données pour le compte d'une autre entreprise. Adressez-vous à elle.",
		},
	},
	{
		Code: "rights_of_others", Protocol: other, Article: "Cal. Civ. Code § 1798.145(k)", Mark: Unverified,
		Text: rightsOfOthers,
	},
	{
		Code: "accurate", Protocol: other, Article: "11 CCR § 7023(b)", Mark: Unverified, rights: []string{"rectification"},
		Text: map[string]string{
			english: "Considering the totality of the circumstances, the data is more likely than not accurate.",
			french:  "Au vu de l'ensemble des circonstances, les données sont plus probablement exactes qu'inexactes.",
		},
	},
	{
		Code: "transaction", Protocol: other, Article: "Cal. Civ. Code § 1798.105(d)(1)", Mark: Unverified, rights: []string{"erasure"},
		Text: map[string]string{
			english: "The data is needed to complete a transaction or to perform a contract with you.",
			french:  "Les données sont nécessaires pour mener à bien une transaction ou exécuter un contrat avec vous.",
		},
	},
	{
		Code: "security", Protocol: other, Article: "Cal. Civ. Code § 1798.105(d)(2)", Mark: Unverified, rights: []string{"erasure"},
		Text: map[string]string{
			english: "The data is needed to help ensure security and integrity.",
			french:  "Les données sont nécessaires pour garantir la sécurité et l'intégrité.",
		},
	},
	{
		Code: "legal_obligation", Protocol: other, Article: "Cal. Civ. Code § 1798.105(d)(8)", Mark: Unverified, rights: []string{"erasure"},
		Text: mustKeep,
	},
	{
		Code: "legal_claims", Protocol: other, Article: "Cal. Civ. Code § 1798.145(a)", Mark: Unverified, rights: []string{"erasure", "opt_out_sale", "limit_sensitive"},
		Text: map[string]string{
			english: "The data is needed to exercise or defend legal claims.",
			french:  "Les données sont nécessaires à l'exercice ou à la défense de droits en justice.",
		},
	},
}
