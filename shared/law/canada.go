package law

import "time"

const pipedaText = "https://laws-lois.justice.gc.ca/eng/acts/P-8.6/"

var canada = []Pack{{
	ID:      "ca-pipeda",
	Name:    "Personal Information Protection and Electronic Documents Act (Canada)",
	From:    Day(2001, time.January, 1),
	Sources: []string{pipedaText},
	// Quebec, Alberta and British Columbia have laws of their own for most private
	// companies; none gives less time, so a policy that names only
	// this one answers in time there too.
	covers: []string{"CA"},

	limits: []limit{{span: Span{30, Days}, basis: basis{"s. 8(3) PIPEDA", pipedaText, Verified}}},
	extensions: []extension{{
		span: Span{60, Days}, grounds: []Ground{interference, consultation, conversion},
		basis: basis{"s. 8(4) PIPEDA", pipedaText, Verified},
	}},
	stops:   []stop{{cause: Consultation, effect: Ignore, basis: basis{"s. 8(4)(a)(ii) PIPEDA", pipedaText, Verified}}},
	receipt: basis{"s. 8(3) PIPEDA: after receipt of the request", pipedaText, Verified},
	silence: basis{"s. 8(5) PIPEDA", pipedaText, Verified},
	// A complaint about a refusal is filed within six months, or longer if the
	// Commissioner allows it.
	recourse: &recourse{Span{6, Months}, basis{"s. 8(8) PIPEDA", pipedaText, Verified}, basis{"s. 11(3) PIPEDA", pipedaText, Unverified}},
	proofs: []bound{{
		forbid: []Proof{Notarised},
		why:    "Access is given at minimal or no cost to the person.",
		basis:  basis{"Schedule 1, 4.9.4 PIPEDA", pipedaText, Verified},
	}},
	reasons:  pipedaReasons,
	withheld: withhold(credentialKinds, basis{"Schedule 1, 4.7 PIPEDA", pipedaText, Unverified}),
	questions: []string{
		"The notice of an extension is due within 30 days of the date of the request, which may lie before its receipt. The date counted here is from receipt: send it early where a request took long to arrive.",
		"A conversion to an alternative format may take the time that it needs: the law sets no last day, and the notice names one.",
		"How long what was asked for is kept for recourse: the six months of a complaint about a refusal are counted from every answer, and a complaint, a report and a court may take longer.",
		"Whether a last day that is a Sunday or a holiday moves to the next day, as an act on interpretation says of acts in general. It does not here.",
	},
}}

var pipedaReasons = []Reason{
	{
		Code: "identity_not_established", Protocol: notVerified, Article: "Schedule 1, 4.9.2 PIPEDA", Mark: Verified,
		Text: notIdentified,
	},
	{
		Code: "suspected_fraud", Protocol: suspectedFraud, Article: "Schedule 1, 4.7 PIPEDA", Mark: Unverified,
		Text: impersonated,
	},
	{
		Code: "no_match", Protocol: noMatch, Article: "Schedule 1, 4.9.1 PIPEDA", Mark: Unverified,
		Text: nothingFound,
	},
	{
		Code: "outside_scope", Protocol: outside, Article: "s. 4 PIPEDA", Mark: Unverified,
		Text: outsideScope,
	},
	{
		Code: "not_under_our_control", Protocol: notCovered, Article: "Schedule 1, 4.1.3 PIPEDA", Mark: Unverified,
		Text: onBehalf,
	},
	{
		Code: "third_party", Protocol: other, Article: "s. 9(1) PIPEDA", Mark: Verified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "The data would likely reveal personal information about somebody else and cannot be severed from it.",
			french:  "Les données révéleraient vraisemblablement des renseignements personnels sur un tiers et n'en sont pas séparables.",
		},
	},
	{
		Code: "privileged", Protocol: other, Article: "s. 9(3)(a) PIPEDA", Mark: Verified, rights: []string{"access", "know", "portability"},
		Text: privileged,
	},
	{
		Code: "confidential_commercial", Protocol: other, Article: "s. 9(3)(b) PIPEDA", Mark: Verified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "Showing the data would reveal confidential commercial information.",
			french:  "Communiquer les données révélerait des renseignements commerciaux confidentiels.",
		},
	},
	{
		Code: "danger_to_others", Protocol: other, Article: "s. 9(3)(c) PIPEDA", Mark: Verified, rights: []string{"access", "know", "portability"},
		Text: dangerous,
	},
	{
		Code: "dispute_resolution", Protocol: other, Article: "s. 9(3)(d) PIPEDA", Mark: Verified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "The data was generated in the course of a formal dispute resolution process.",
			french:  "Les données ont été produites dans le cadre d'un processus officiel de règlement des différends.",
		},
	},
	{
		Code: "legal_obligation", Protocol: other, Article: "Schedule 1, 4.5.2 PIPEDA", Mark: Unverified, rights: []string{"erasure"},
		Text: mustKeep,
	},
	{
		Code: "recourse_pending", Protocol: other, Article: "s. 8(8) PIPEDA", Mark: Verified, rights: []string{"erasure"},
		Text: map[string]string{
			english: "The data is the subject of a request, and we must keep it until every recourse about that is exhausted.",
			french:  "Les données font l'objet d'une demande, et nous devons les conserver jusqu'à l'épuisement de tous les recours.",
		},
	},
	{
		Code: "accurate", Protocol: other, Article: "Schedule 1, 4.9.5 PIPEDA", Mark: Verified, rights: []string{"rectification"},
		Text: map[string]string{
			english: "The data was not shown to be inaccurate or incomplete; your disagreement is recorded with it.",
			french:  "Il n'a pas été démontré que les données sont inexactes ou incomplètes; votre désaccord est consigné avec elles.",
		},
	},
}
