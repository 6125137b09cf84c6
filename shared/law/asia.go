package law

import "time"

const (
	dpdpText = "https://www.meity.gov.in/documents/act-and-policies"
	pdpaText = "https://sso.agc.gov.sg/Act/PDPA2012"
	pipaText = "https://www.pipc.go.kr/eng/index.do"
	appiText = "https://www.ppc.go.jp/en/legal/"
	thaiText = "https://www.pdpc.or.th"
	kvkkText = "https://www.kvkk.gov.tr/Icerik/6649/Personal-Data-Protection-Law"
	pdplText = "https://sdaia.gov.sa"
	piplText = "https://www.cac.gov.cn"
)

// asia holds laws whose figure comes from a survey, not from their texts: each has
// one period, and nothing that stops or extends it was read.
var asianLaws = []Pack{
	{
		ID:      "in-dpdp",
		Name:    "Digital Personal Data Protection Act 2023 (India)",
		From:    Day(2027, time.May, 14),
		Sources: []string{dpdpText},
		covers:  []string{"IN"},

		limits: []limit{
			{rights: []string{Complaint}, span: Span{90, Days}, basis: basis{"Rule 14 DPDP Rules 2025", dpdpText, Secondary}},
			{span: Span{90, Days}, basis: basis{"Rule 14 DPDP Rules 2025: the period that the policy publishes", dpdpText, Unverified}},
		},
		receipt: basis{"Rule 14 DPDP Rules 2025", dpdpText, Secondary},
		reasons: articles{
			identity: "s. 15(b) DPDP Act 2023", found: "s. 11 DPDP Act 2023", scope: "s. 3 and 17 DPDP Act 2023", processor: "s. 8(1) DPDP Act 2023",
			unfounded: "s. 15(d) DPDP Act 2023", others: "s. 11(2) DPDP Act 2023", keep: "s. 12(3) DPDP Act 2023", accurate: "s. 12(2) DPDP Act 2023",
		}.reasons(),
		withheld: withhold(credentialKinds, basis{"s. 8(5) DPDP Act 2023", dpdpText, Unverified}),
		questions: []string{
			"The law leaves the period for a request to the policy, which must publish one: promise it there, and the promise binds. Only a grievance has a figure, which is taken as the outer bound.",
			"The day on which the rules come fully into force: 18 months after their publication in November 2025.",
		},
	},
	{
		ID:      "sg-pdpa",
		Name:    "Personal Data Protection Act 2012 (Singapore)",
		From:    Day(2014, time.July, 2),
		Sources: []string{pdpaText},
		covers:  []string{"SG"},

		limits:  []limit{{span: Span{30, Days}, basis: basis{"s. 21 and 22 PDPA, reg. 5 PDP Regulations 2021", pdpaText, Secondary}}},
		receipt: basis{"reg. 5 PDP Regulations 2021", pdpaText, Secondary},
		reasons: articles{
			identity: "reg. 3 PDP Regulations 2021", found: "s. 21(1) PDPA", scope: "s. 4 PDPA", processor: "s. 4(2) PDPA",
			unfounded: "Fifth Schedule PDPA, para. 1(j)", excessive: "Fifth Schedule PDPA, para. 1(j)", others: "s. 21(3) PDPA",
			trade: "Fifth Schedule PDPA, para. 1(g)", keep: "s. 25 PDPA", accurate: "s. 22(2) PDPA",
		}.reasons(),
		withheld: withhold(credentialKinds, basis{"s. 24 PDPA", pdpaText, Unverified}),
		questions: []string{
			"An answer may come later than 30 days after receipt if the person is told by then when it will. The law sets no last day, so no extension is counted.",
		},
	},
	survey("kr-pipa", "Personal Information Protection Act (Korea)", "KR", Day(2011, time.September, 30), 10,
		basis{"Art. 35(3) PIPA (Korea) and its Enforcement Decree", pipaText, Secondary},
		articles{
			identity: "Art. 46 Enforcement Decree of PIPA (Korea)", found: "Art. 35(1) PIPA (Korea)", scope: "Art. 58 PIPA (Korea)", processor: "Art. 26 PIPA (Korea)",
			others: "Art. 35(4) PIPA (Korea)", keep: "Art. 36(1) PIPA (Korea)", accurate: "Art. 36(2) PIPA (Korea)",
		}),
	survey("jp-appi", "Act on the Protection of Personal Information (Japan)", "JP", Day(2022, time.April, 1), 30,
		basis{"Art. 33 APPI: without delay, which is as a rule 30 days", appiText, Secondary},
		articles{
			identity: "Art. 37(1) APPI", found: "Art. 33(3) APPI", scope: "Art. 57 APPI", processor: "Art. 16(4) APPI",
			others: "Art. 33(2)(i) APPI", trade: "Art. 33(2)(ii) APPI", keep: "Art. 35(6) APPI", accurate: "Art. 34(2) APPI",
		},
		"The law says without delay, and names no figure. 30 days are counted."),
	survey("th-pdpa", "Personal Data Protection Act B.E. 2562 (Thailand)", "TH", Day(2022, time.June, 1), 30,
		basis{"s. 30 PDPA (Thailand)", thaiText, Secondary},
		articles{
			identity: "s. 30 PDPA (Thailand)", found: "s. 30 PDPA (Thailand)", scope: "s. 4 and 5 PDPA (Thailand)", processor: "s. 40 PDPA (Thailand)",
			others: "s. 30 PDPA (Thailand)", keep: "s. 33 PDPA (Thailand)", accurate: "s. 36 PDPA (Thailand)",
		}),
	survey("tr-kvkk", "Law on the Protection of Personal Data No. 6698 (Türkiye)", "TR", Day(2016, time.October, 7), 30,
		basis{"Art. 13(2) Law No. 6698", kvkkText, Secondary},
		articles{
			identity: "Art. 13(1) Law No. 6698", found: "Art. 11(1)(a) Law No. 6698", scope: "Art. 28 Law No. 6698", processor: "Art. 12(2) Law No. 6698",
			unfounded: "Art. 13(3) Law No. 6698", others: "Art. 28(2) Law No. 6698", keep: "Art. 7(2) Law No. 6698", accurate: "Art. 11(1)(d) Law No. 6698",
		}),
	survey("sa-pdpl", "Personal Data Protection Law (Saudi Arabia)", "SA", Day(2023, time.September, 14), 30,
		basis{"Art. 4 PDPL (Saudi Arabia) and its Implementing Regulation", pdplText, Secondary},
		articles{
			identity: "Art. 4 PDPL (Saudi Arabia)", found: "Art. 4 PDPL (Saudi Arabia)", scope: "Art. 2 PDPL (Saudi Arabia)", processor: "Art. 8 PDPL (Saudi Arabia)",
			unfounded: "Art. 9 PDPL (Saudi Arabia)", others: "Art. 16 PDPL (Saudi Arabia)", keep: "Art. 18 PDPL (Saudi Arabia)", accurate: "Art. 17 PDPL (Saudi Arabia)",
		}),
	survey("cn-pipl", "Personal Information Protection Law (China)", "CN", Day(2021, time.November, 1), 30,
		basis{"Art. 50 PIPL: timely, which is as a rule 30 days", piplText, Secondary},
		articles{
			identity: "Art. 50 PIPL", found: "Art. 45 PIPL", scope: "Art. 3 PIPL", processor: "Art. 21 PIPL",
			others: "Art. 45 PIPL", keep: "Art. 47 PIPL", accurate: "Art. 46 PIPL",
		},
		"The law says timely, and names no figure. 30 days are counted."),
}

// survey is a law of which no more is known than its period.
func survey(id, name, country string, from Date, days int, b basis, a articles, questions ...string) Pack {
	return Pack{
		ID: id, Name: name, From: from, Sources: []string{b.source}, covers: []string{country},
		limits:    []limit{{span: Span{days, Days}, basis: b}},
		receipt:   basis{b.article, b.source, Unverified},
		reasons:   a.reasons(),
		withheld:  withhold(credentialKinds, basis{b.article, b.source, Unverified}),
		questions: questions,
	}
}
