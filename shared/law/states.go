package law

import "time"

// states holds the US state laws that follow Virginia's model: 45 days, no
// pause. "us-states" stands for all of them in a policy that does not list them
// one by one; where a state gives more time (Iowa 90 days), 45 is early.
var states = []Pack{
	state("us-va", "Virginia Consumer Data Protection Act", "US-VA", Day(2023, time.January, 1), credentialKinds,
		basis{"Va. Code § 59.1-577", "https://law.lis.virginia.gov/vacode/title59.1/chapter53/", Verified}),
	state("us-co", "Colorado Privacy Act", "US-CO", Day(2023, time.July, 1), credentialKinds,
		basis{"C.R.S. § 6-1-1306", "https://leg.colorado.gov/bills/sb21-190", Secondary}),
	state("us-ct", "Connecticut Data Privacy Act", "US-CT", Day(2023, time.July, 1), credentialKinds,
		basis{"Conn. Gen. Stat. § 42-518", "https://www.cga.ct.gov/current/pub/chap_743jj.htm", Verified}),
	state("us-tx", "Texas Data Privacy and Security Act", "US-TX", Day(2024, time.July, 1), credentialKinds,
		basis{"Tex. Bus. & Com. Code § 541.052", "https://statutes.capitol.texas.gov/Docs/BC/htm/BC.541.htm", Verified}),
	state("us-or", "Oregon Consumer Privacy Act", "US-OR", Day(2024, time.July, 1), credentialKinds,
		basis{"ORS § 646A.576", "https://www.oregonlegislature.gov/bills_laws/ors/ors646A.html", Verified}),
	state("us-nj", "New Jersey Data Privacy Act", "US-NJ", Day(2025, time.January, 15), credentialKinds,
		basis{"N.J.S.A. § 56:8-166.7", "https://pub.njleg.gov/bills/2022/PL23/266_.HTM", Verified}),
	state("us-mn", "Minnesota Consumer Data Privacy Act", "US-MN", Day(2025, time.July, 31), strictestKinds,
		basis{"Minn. Stat. § 325M.14", "https://www.revisor.mn.gov/statutes/cite/325M", Unverified}),
	// What it withholds is Minnesota's list, the longest of them.
	state("us-states", "US state privacy laws (45 days)", "US", Day(2023, time.January, 1), strictestKinds,
		basis{"the law of the state of residence", "https://law.lis.virginia.gov/vacode/title59.1/chapter53/", Secondary}),
}

func state(id, name, residence string, from Date, withheld []string, b basis) Pack {
	return Pack{
		ID: id, Name: name, From: from, Sources: []string{b.source}, covers: []string{residence},
		limits:     []limit{{span: Span{45, Days}, basis: b}},
		extensions: []extension{{span: Span{90, Days}, grounds: []Ground{reasonablyNecessary, complexity, yourRequests}, basis: b}},
		receipt:    b,
		reasons:    stateReasons(b.article),
		withheld:   withhold(withheld, basis{b.article, b.source, Unverified}),
	}
}

func stateReasons(article string) []Reason {
	return []Reason{
		{
			Code: "identity_not_established", Protocol: notVerified, Article: article, Mark: Unverified,
			rights: []string{"access", "know", "portability", "rectification", "erasure"}, // an opt-out needs no authentication
			Text: map[string]string{
				english: "We could not authenticate the request with commercially reasonable efforts.",
				french:  "Nous n'avons pas pu authentifier la demande par des moyens commercialement raisonnables.",
			},
		},
		{
			Code: "suspected_fraud", Protocol: suspectedFraud, Article: article, Mark: Unverified, rights: []string{"opt_out"},
			Text: map[string]string{
				english: "We have a good-faith, reasonable and documented belief that the request is fraudulent.",
				french:  "Nous croyons de bonne foi, raisonnablement et pièces à l'appui que la demande est frauduleuse.",
			},
		},
		{
			Code: "manifestly_unfounded", Protocol: other, Article: article, Mark: Unverified,
			Text: map[string]string{
				english: "The request is manifestly unfounded.",
				french:  "La demande est manifestement infondée.",
			},
		},
		{
			Code: "excessive", Protocol: tooMany, Article: article, Mark: Unverified,
			Text: map[string]string{
				english: "The request is excessive or repeats earlier ones.",
				french:  "La demande est excessive ou répète des demandes antérieures.", //nolint:misspell // French
			},
		},
		{
			Code: "no_match", Protocol: noMatch, Article: article, Mark: Unverified,
			Text: map[string]string{
				english: "We found nothing that we could tie to the details you verified.",
				french:  "Nous n'avons rien trouvé qui puisse être rattaché aux informations que vous avez confirmées.",
			},
		},
		{
			Code: "not_resident", Protocol: outside, Article: article, Mark: Unverified,
			Text: map[string]string{
				english: "The law that the request relies on protects residents of its state.",
				french:  "La loi invoquée par la demande protège les résidents de son État.",
			},
		},
		{
			Code: "processor_only", Protocol: notCovered, Article: article, Mark: Unverified,
			Text: map[string]string{
				english: "We hold this data on behalf of another company, which decides about it. Please ask that company.",
				french:  "Nous détenons ces données pour le compte d'une autre entreprise, qui en décide. Adressez-vous à elle.",
			},
		},
		{
			Code: "legal_obligation", Protocol: other, Article: article, Mark: Unverified, rights: []string{"erasure"},
			Text: map[string]string{
				english: "A law obliges us to keep this data until the date we state.",
				french:  "Une loi nous oblige à conserver ces données jusqu'à la date que nous indiquons.",
			},
		},
	}
}
