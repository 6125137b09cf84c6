package law

import "time"

const (
	gdprText    = "https://eur-lex.europa.eu/eli/reg/2016/679/oj"
	periodsText = "https://eur-lex.europa.eu/eli/reg/1971/1182/oj"
	accessGuide = "https://www.edpb.europa.eu/our-work-tools/our-documents/guidelines/guidelines-012022-data-subject-rights-right-access_en"
	frenchText  = "https://www.legifrance.gouv.fr/loda/id/JORFTEXT000038528420/"
)

var europe = []Pack{{
	ID:      "eu-gdpr",
	Name:    "General Data Protection Regulation (EU) 2016/679",
	From:    Day(2018, time.May, 25),
	Sources: []string{gdprText, periodsText, accessGuide, frenchText},
	// The European Economic Area: the GDPR applies in Iceland, Liechtenstein and
	// Norway by decision 154/2018 of its Joint Committee. Who does not want to say
	// where in it they live says EEA.
	covers: append([]string{"EEA", "IS", "LI", "NO"}, union...),

	limits: []limit{{span: Span{1, Months}, basis: basis{"Art. 12(3) GDPR", gdprText, Verified}}},
	extensions: []extension{{
		span: Span{3, Months}, grounds: []Ground{complexity, numberOfRequests}, basis: basis{"Art. 12(3) GDPR", gdprText, Verified},
		readings: []reading{{
			text: "\"Two further months\" can be read to follow the first, which may have ended early.",
			span: Span{2, Months}, chained: true,
			basis: basis{"Art. 12(3) GDPR", gdprText, Unverified},
		}},
	}},
	// The text knows no pause. France adds one; an authority that accepted one
	// elsewhere has made no law, so no other country stands here.
	stops: []stop{{
		cause: Identity, effect: PauseExclusive, places: []string{"FR"},
		basis: basis{"Art. 77 décret n° 2019-536", frenchText, Secondary},
	}},
	receipt: basis{"Art. 3(1) Regulation (EEC, Euratom) 1182/71", periodsText, Verified},
	roll:    basis{"Art. 3(4) Regulation (EEC, Euratom) 1182/71", periodsText, Verified},
	proofs: []bound{
		{
			forbid: []Proof{IdentityDocument},
			why:    "More information may be asked for only on reasonable doubts about who asks, so not of everybody; a copy of an identity document is as a rule out of proportion.",
			basis:  basis{"Art. 12(6) GDPR", accessGuide, Verified},
		},
		{
			forbid: []Proof{Notarised},
			why:    "Exercising a right is free of charge, and what is asked in proof of it must not be out of proportion.",
			basis:  basis{"Art. 12(5)-(6) GDPR", accessGuide, Verified},
		},
	},
	reasons:  gdprReasons("GDPR"),
	withheld: withhold(credentialKinds, basis{"Art. 32(1) GDPR", gdprText, Unverified}),
	questions: []string{
		"Whether three months run from receipt or two months from the end of the first. The legal date takes the former, the safe date the earlier of both.",
		"Whether the time pauses while the person is asked who they are. The text names no pause and one authority accepted one; it pauses for controllers in France only, whose law says so.",
	},
}}

// union is the member states of the European Union.
var union = []string{
	"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
	"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
}

// gdprReasons returns the grounds that the GDPR and the UK GDPR share, citing
// the one or the other.
func gdprReasons(act string) []Reason {
	art := func(s string) string { return "Art. " + s + " " + act }
	return []Reason{
		{
			Code: "manifestly_unfounded", Protocol: other, Article: art("12(5)(b)"), Mark: Verified,
			Text: unfounded,
		},
		{
			Code: "excessive", Protocol: tooMany, Article: art("12(5)(b)"), Mark: Verified,
			Text: excessive,
		},
		{
			Code: "identity_not_established", Protocol: notVerified, Article: art("12(6)"), Mark: Verified,
			Text: map[string]string{
				english: "We have reasonable doubts that the request comes from the person concerned, and they could not be removed.",
				french:  "Nous avons des doutes raisonnables sur l'identité de l'auteur de la demande, et ils n'ont pas pu être levés.",
			},
		},
		{
			Code: "suspected_fraud", Protocol: suspectedFraud, Article: art("12(6)"), Mark: Unverified,
			Text: impersonated,
		},
		{
			Code: "no_match", Protocol: noMatch, Article: art("11(2)"), Mark: Unverified,
			Text: nothingFound,
		},
		{
			Code: "processor_only", Protocol: notCovered, Article: art("4(7)-(8), 28(3)(e)"), Mark: Unverified,
			Text: onBehalf,
		},
		{
			Code: "outside_scope", Protocol: outside, Article: art("3"), Mark: Unverified,
			Text: outsideScope,
		},
		{
			Code: "rights_of_others", Protocol: other, Article: art("15(4)"), Mark: Unverified, rights: []string{"access", "know"},
			Text: rightsOfOthers,
		},
		{
			Code: "rights_of_others", Protocol: other, Article: art("20(4)"), Mark: Unverified, rights: []string{"portability"},
			Text: rightsOfOthers,
		},
		{
			Code: "not_portable", Protocol: notCovered, Article: art("20(1)"), Mark: Unverified, rights: []string{"portability"},
			Text: map[string]string{
				english: "The right covers data that you provided and that we process by automated means with your consent or for a contract. This data is not of that kind.",
				french:  "Ce droit porte sur les données que vous avez fournies et que nous traitons de façon automatisée avec votre consentement ou pour un contrat. Ces données n'en font pas partie.",
			},
		},
		{
			Code: "freedom_of_expression", Protocol: other, Article: art("17(3)(a)"), Mark: Unverified, rights: []string{"erasure"},
			Text: map[string]string{
				english: "The data is needed for the freedom of expression and information.",
				french:  "Les données sont nécessaires à l'exercice de la liberté d'expression et d'information.",
			},
		},
		{
			Code: "legal_obligation", Protocol: other, Article: art("17(3)(b)"), Mark: Unverified, rights: []string{"erasure"},
			Text: mustKeep,
		},
		{
			Code: "public_health", Protocol: other, Article: art("17(3)(c)"), Mark: Unverified, rights: []string{"erasure"},
			Text: map[string]string{
				english: "The data is needed for reasons of public interest in public health.",
				french:  "Les données sont nécessaires pour des motifs d'intérêt public dans le domaine de la santé publique.",
			},
		},
		{
			Code: "archiving_research", Protocol: other, Article: art("17(3)(d)"), Mark: Unverified, rights: []string{"erasure"},
			Text: map[string]string{
				english: "The data serves archiving in the public interest, research or statistics, which deleting it would seriously impair.",
				french:  "Les données servent à l'archivage dans l'intérêt public, à la recherche ou à des statistiques, que leur effacement compromettrait gravement.",
			},
		},
		{
			Code: "legal_claims", Protocol: other, Article: art("17(3)(e)"), Mark: Unverified, rights: []string{"erasure"},
			Text: map[string]string{
				english: "The data is needed to establish, exercise or defend legal claims.",
				french:  "Les données sont nécessaires à la constatation, à l'exercice ou à la défense de droits en justice.",
			},
		},
		{
			Code: "compelling_grounds", Protocol: other, Article: art("21(1)"), Mark: Unverified, rights: []string{"objection"},
			Text: map[string]string{
				english: "Compelling legitimate grounds for the processing override your interests, or it serves legal claims.",
				french:  "Des motifs légitimes et impérieux prévalent sur vos intérêts, ou le traitement sert des droits en justice.",
			},
		},
	}
}
