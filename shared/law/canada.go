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
	receipt: basis{"s. 8(3) PIPEDA: after receipt of the request", pipedaText, Verified},
	silence: basis{"s. 8(5) PIPEDA", pipedaText, Verified},
	proofs: []bound{{
		forbid: []Proof{Notarised},
		why:    "Access is given at minimal or no cost to the person.",
		basis:  basis{"Schedule 1, 4.9.4 PIPEDA", pipedaText, Unverified},
	}},
	reasons:  pipedaReasons,
	withheld: withhold(credentialKinds, basis{"Schedule 1, 4.7 PIPEDA", pipedaText, Unverified}),
}}

var pipedaReasons = []Reason{
	{
		Code: "identity_not_established", Protocol: notVerified, Article: "Schedule 1, 4.9.2 PIPEDA", Mark: Unverified,
		Text: map[string]string{
			english: "You did not give us the information that we need to find the data and be sure that it is yours.",
			french:  "Vous ne nous avez pas donné les renseignements nécessaires pour trouver les données et nous assurer qu'elles sont les vôtres.",
		},
	},
	{
		Code: "suspected_fraud", Protocol: suspectedFraud, Article: "Schedule 1, 4.7 PIPEDA", Mark: Unverified,
		Text: map[string]string{
			english: "We have reason to believe that the request was not made by the person it names.",
			french:  "Nous avons des raisons de croire que la demande n'émane pas de la personne qu'elle désigne.",
		},
	},
	{
		Code: "no_match", Protocol: noMatch, Article: "Schedule 1, 4.9.1 PIPEDA", Mark: Unverified,
		Text: map[string]string{
			english: "We found nothing that we could tie to the details you verified.",
			french:  "Nous n'avons rien trouvé qui puisse être rattaché aux informations que vous avez confirmées.",
		},
	},
	{
		Code: "outside_scope", Protocol: outside, Article: "s. 4 PIPEDA", Mark: Unverified,
		Text: map[string]string{
			english: "The law that the request relies on does not apply to this data.",
			french:  "La loi invoquée par la demande ne s'applique pas à ces données.",
		},
	},
	{
		Code: "not_under_our_control", Protocol: notCovered, Article: "Schedule 1, 4.1.3 PIPEDA", Mark: Unverified,
		Text: map[string]string{
			english: "We hold this data on behalf of another company, which decides about it. Please ask that company.",
			french:  "Nous détenons ces données pour le compte d'une autre organisation, qui en décide. Adressez-vous à elle.",
		},
	},
	{
		Code: "third_party", Protocol: other, Article: "s. 9(1) PIPEDA", Mark: Unverified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "The data would likely reveal personal information about somebody else and cannot be severed from it.",
			french:  "Les données révéleraient vraisemblablement des renseignements personnels sur un tiers et n'en sont pas séparables.",
		},
	},
	{
		Code: "privileged", Protocol: other, Article: "s. 9(3)(a) PIPEDA", Mark: Unverified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "The data is protected by solicitor-client privilege.",
			french:  "Les données sont protégées par le secret professionnel liant l'avocat à son client.",
		},
	},
	{
		Code: "confidential_commercial", Protocol: other, Article: "s. 9(3)(b) PIPEDA", Mark: Unverified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "Showing the data would reveal confidential commercial information.",
			french:  "Communiquer les données révélerait des renseignements commerciaux confidentiels.",
		},
	},
	{
		Code: "danger_to_others", Protocol: other, Article: "s. 9(3)(c) PIPEDA", Mark: Unverified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "Showing the data could reasonably be expected to threaten the life or security of somebody else.",
			french:  "Communiquer les données risquerait vraisemblablement de nuire à la vie ou à la sécurité d'un tiers.",
		},
	},
	{
		Code: "dispute_resolution", Protocol: other, Article: "s. 9(3)(d) PIPEDA", Mark: Unverified, rights: []string{"access", "know", "portability"},
		Text: map[string]string{
			english: "The data was generated in the course of a formal dispute resolution process.",
			french:  "Les données ont été produites dans le cadre d'un processus officiel de règlement des différends.",
		},
	},
	{
		Code: "legal_obligation", Protocol: other, Article: "Schedule 1, 4.5.2 PIPEDA", Mark: Unverified, rights: []string{"erasure"},
		Text: map[string]string{
			english: "A law obliges us to keep this data until the date we state.",
			french:  "Une loi nous oblige à conserver ces données jusqu'à la date que nous indiquons.",
		},
	},
	{
		Code: "recourse_pending", Protocol: other, Article: "s. 8(8) PIPEDA", Mark: Verified, rights: []string{"erasure"},
		Text: map[string]string{
			english: "The data is the subject of a request, and we must keep it until every recourse about that is exhausted.",
			french:  "Les données font l'objet d'une demande, et nous devons les conserver jusqu'à l'épuisement de tous les recours.",
		},
	},
	{
		Code: "accurate", Protocol: other, Article: "Schedule 1, 4.9.5 PIPEDA", Mark: Unverified, rights: []string{"rectification"},
		Text: map[string]string{
			english: "The data was not shown to be inaccurate or incomplete; your disagreement is recorded with it.",
			french:  "Il n'a pas été démontré que les données sont inexactes ou incomplètes; votre désaccord est consigné avec elles.",
		},
	},
}
