package law

import "time"

const lgpdText = "https://www.planalto.gov.br/ccivil_03/_ato2015-2018/2018/lei/l13709.htm"

var brazilianLaw = []Pack{{
	ID:      "br-lgpd",
	Name:    "Lei Geral de Proteção de Dados Pessoais (Brazil)",
	From:    Day(2020, time.September, 18),
	Sources: []string{lgpdText},
	covers:  []string{"BR"},

	limits: []limit{
		// The complete statement; a simplified one is due at once.
		{rights: []string{"access", "know"}, span: Span{15, Days}, basis: basis{"Art. 19(II) LGPD", lgpdText, Verified}},
		{span: Span{15, Days}, basis: basis{"Art. 18 § 5 LGPD", lgpdText, Unverified}},
	},
	receipt: basis{"Art. 19(II) LGPD: from the date of the request", lgpdText, Verified},
	proofs: []bound{{
		forbid: []Proof{Notarised},
		why:    "A request is answered at no cost to the person.",
		basis:  basis{"Art. 18 § 5 LGPD", lgpdText, Unverified},
	}},
	reasons: articles{
		identity: "Art. 18 § 3 LGPD", found: "Art. 18(I) LGPD", scope: "Art. 3 and 4 LGPD", processor: "Art. 18 § 4(I) LGPD",
		unfounded: "Art. 18 § 4(II) LGPD", trade: "Art. 19(II) LGPD", keep: "Art. 16(I) LGPD", accurate: "Art. 18(III) LGPD",
	}.reasons(),
	withheld: withhold(credentialKinds, basis{"Art. 46 LGPD", lgpdText, Unverified}),
	questions: []string{
		"By when other rights than access are answered: a regulation that the law announces is to say. The 15 days for access are taken for all.",
		"Small companies have twice the time under a resolution of the authority. It is not counted.",
	},
}}
