package law

import (
	"strings"
	"time"
)

// stateLaw is the law of a US state, as far as it differs from its neighbours': an
// answer within so many days, once so many more with notice and reason, an appeal
// to the company. Nothing stops the time.
type stateLaw struct {
	id, name, residence string
	from                Date
	days, most          int // to answer; with the extension
	period              basis
	extended            basis     // zero: as period
	readings            []reading // of the extension
	appeal, appealMost  int       // to decide an appeal, 0: the law knows none; with its extension, 0: none
	appealed            basis
	optOut              basis    // what lets an opt-out go without authentication; zero: nothing does
	withheld            []string // kinds; none: credentialKinds
	records             *records
}

var states = []Pack{
	stateLaw{
		id: "us-va", name: "Virginia Consumer Data Protection Act", residence: "US-VA", from: Day(2023, time.January, 1),
		days: 45, most: 90, period: basis{"Va. Code § 59.1-577(B)", virginiaText, Verified},
		appeal: 60, appealed: basis{"Va. Code § 59.1-577(C)", virginiaText, Secondary},
	}.pack(),
	stateLaw{
		id: "us-co", name: "Colorado Privacy Act", residence: "US-CO", from: Day(2023, time.July, 1),
		days: 45, most: 90, period: basis{"C.R.S. § 6-1-1306(2)(a)", coloradoText, Secondary},
		appeal: 45, appealMost: 105, appealed: basis{"C.R.S. § 6-1-1306(3)", coloradoText, Unverified},
		records: &records{span: Span{24, Months}, basis: basis{"4 CCR 904-3, Rule 6.11", "https://coag.gov/resources/colorado-privacy-act/", Verified}},
	}.pack(),
	stateLaw{
		id: "us-ct", name: "Connecticut Data Privacy Act", residence: "US-CT", from: Day(2023, time.July, 1),
		days: 45, most: 90, period: basis{"Conn. Gen. Stat. § 42-518(c)", connecticutText, Verified},
		appeal: 60, appealed: basis{"Conn. Gen. Stat. § 42-518(d)", connecticutText, Secondary},
		optOut: basis{"Conn. Gen. Stat. § 42-518(c)(4)", connecticutText, Verified},
	}.pack(),
	stateLaw{
		id: "us-tx", name: "Texas Data Privacy and Security Act", residence: "US-TX", from: Day(2024, time.July, 1),
		days: 45, most: 90, period: basis{"Tex. Bus. & Com. Code § 541.052", texasText, Verified},
		appeal: 60, appealed: basis{"Tex. Bus. & Com. Code § 541.053", texasText, Unverified},
	}.pack(),
	stateLaw{
		id: "us-or", name: "Oregon Consumer Privacy Act", residence: "US-OR", from: Day(2024, time.July, 1),
		days: 45, most: 90, period: basis{"ORS § 646A.576(5)(a)", oregonText, Verified}, extended: basis{"ORS § 646A.576(5)(a)", oregonText, Unverified},
		appeal: 45, appealed: basis{"ORS § 646A.576(6)", oregonText, Verified},
		optOut: basis{"ORS § 646A.576(5)(e)", oregonText, Verified},
	}.pack(),
	stateLaw{
		id: "us-nj", name: "New Jersey Data Privacy Act", residence: "US-NJ", from: Day(2025, time.January, 15),
		days: 45, most: 90, period: basis{"N.J.S.A. § 56:8-166.7(a)", jerseyText, Verified},
		appeal: 45, appealed: basis{"N.J.S.A. § 56:8-166.7(f)", jerseyText, Unverified},
		optOut: basis{"N.J.S.A. § 56:8-166.7(e)", jerseyText, Secondary},
	}.pack(),
	stateLaw{
		id: "us-mn", name: "Minnesota Consumer Data Privacy Act", residence: "US-MN", from: Day(2025, time.July, 31),
		days: 45, most: 90, period: basis{"Minn. Stat. § 325M.14", minnesotaText, Unverified},
		appeal: 45, appealMost: 105, appealed: basis{"Minn. Stat. § 325M.14", minnesotaText, Unverified},
		optOut:   basis{"Minn. Stat. § 325M.14, subd. 4(h)", minnesotaText, Secondary},
		withheld: strictestKinds,
	}.pack(),
	stateLaw{
		id: "us-ut", name: "Utah Consumer Privacy Act", residence: "US-UT", from: Day(2023, time.December, 31),
		days: 45, most: 90, period: basis{"Utah Code § 13-61-203", "https://le.utah.gov/xcode/Title13/Chapter61/13-61.html", Secondary},
	}.pack(),
	stateLaw{
		id: "us-mt", name: "Montana Consumer Data Privacy Act", residence: "US-MT", from: Day(2024, time.October, 1),
		days: 45, most: 90, period: basis{"Mont. Code § 30-14-2808(4)(a)", montanaText, Secondary},
		appeal: 60, appealed: basis{"Mont. Code § 30-14-2808(5)", montanaText, Unverified},
		optOut: basis{"Mont. Code § 30-14-2808(4)(d)", montanaText, Secondary},
	}.pack(),
	stateLaw{
		id: "us-ia", name: "Iowa Consumer Data Protection Act", residence: "US-IA", from: Day(2025, time.January, 1),
		days: 90, most: 135, period: basis{"Iowa Code § 715D.3", iowaText, Secondary},
		appeal: 60, appealed: basis{"Iowa Code § 715D.3", iowaText, Unverified},
	}.pack(),
	stateLaw{
		id: "us-ne", name: "Nebraska Data Privacy Act", residence: "US-NE", from: Day(2025, time.January, 1),
		days: 45, most: 90, period: basis{"Neb. Rev. Stat. § 87-1108(2)", nebraskaText, Secondary},
		appeal: 60, appealed: basis{"Neb. Rev. Stat. § 87-1109", nebraskaText, Unverified},
	}.pack(),
	stateLaw{
		id: "us-de", name: "Delaware Personal Data Privacy Act", residence: "US-DE", from: Day(2025, time.January, 1),
		days: 45, most: 90, period: basis{"6 Del. C. § 12D-104(c)(1)", delawareText, Secondary},
		appeal: 60, appealed: basis{"6 Del. C. § 12D-104(d)", delawareText, Unverified},
		optOut: basis{"6 Del. C. § 12D-104(c)(4)", delawareText, Secondary},
	}.pack(),
	stateLaw{
		id: "us-nh", name: "New Hampshire Privacy Act", residence: "US-NH", from: Day(2025, time.January, 1),
		days: 45, most: 90, period: basis{"RSA 507-H:4(III)(a)", hampshireText, Secondary},
		appeal: 60, appealed: basis{"RSA 507-H:4(IV)", hampshireText, Unverified},
		optOut: basis{"RSA 507-H:4(III)(d)", hampshireText, Secondary},
	}.pack(),
	stateLaw{
		id: "us-tn", name: "Tennessee Information Protection Act", residence: "US-TN", from: Day(2025, time.July, 1),
		days: 45, most: 90, period: basis{"Tenn. Code § 47-18-3203(b)(1)", tennesseeText, Secondary},
		appeal: 60, appealed: basis{"Tenn. Code § 47-18-3203(c)", tennesseeText, Unverified},
	}.pack(),
	stateLaw{
		id: "us-md", name: "Maryland Online Data Privacy Act", residence: "US-MD", from: Day(2025, time.October, 1),
		days: 45, most: 90, period: basis{"Md. Code, Com. Law § 14-4705", marylandText, Secondary},
		appeal: 60, appealed: basis{"Md. Code, Com. Law § 14-4705", marylandText, Unverified},
		optOut: basis{"Md. Code, Com. Law § 14-4705(e)(6)", marylandText, Secondary},
	}.pack(),
	stateLaw{
		id: "us-in", name: "Indiana Consumer Data Protection Act", residence: "US-IN", from: Day(2026, time.January, 1),
		days: 45, most: 90, period: basis{"IC 24-15-3-1(c)(1)", indianaText, Secondary},
		appeal: 60, appealed: basis{"IC 24-15-3-1(d)", indianaText, Unverified},
	}.pack(),
	stateLaw{
		id: "us-ky", name: "Kentucky Consumer Data Protection Act", residence: "US-KY", from: Day(2026, time.January, 1),
		days: 45, most: 90, period: basis{"KRS 367.3615(3)(a)", kentuckyText, Secondary},
		appeal: 60, appealed: basis{"KRS 367.3615(4)", kentuckyText, Unverified},
	}.pack(),
	stateLaw{
		id: "us-ri", name: "Rhode Island Data Transparency and Privacy Protection Act", residence: "US-RI", from: Day(2026, time.January, 1),
		days: 45, most: 90, period: basis{"R.I. Gen. Laws § 6-48.1-6(b)(1)", rhodeText, Secondary},
		appeal: 60, appealed: basis{"R.I. Gen. Laws § 6-48.1-6(b)(6)", rhodeText, Unverified},
		optOut: basis{"R.I. Gen. Laws § 6-48.1-6(b)(4)", rhodeText, Secondary},
	}.pack(),
	stateLaw{
		id: "us-fl", name: "Florida Digital Bill of Rights", residence: "US-FL", from: Day(2024, time.July, 1),
		days: 45, most: 60, period: basis{"Fla. Stat. § 501.706", floridaText, Secondary}, extended: basis{"Fla. Stat. § 501.706", floridaText, Unverified},
		appeal: 60, appealed: basis{"Fla. Stat. § 501.707", floridaText, Unverified},
	}.pack(),
	// A right to stop the sale and no other; to operators of sites, upon a verified request.
	stateLaw{
		id: "us-nv", name: "Nevada Privacy of Information Collected on the Internet (opt-out of sale)", residence: "US-NV", from: Day(2019, time.October, 1),
		days: 60, most: 90, period: basis{"NRS 603A.345", "https://www.leg.state.nv.us/NRS/NRS-603A.html", Secondary},
	}.pack(),
	stateLaw{
		id: "us-wa", name: "My Health My Data Act (Washington)", residence: "US-WA", from: Day(2024, time.March, 31),
		days: 45, most: 90, period: basis{"RCW 19.373.040", washingtonText, Secondary},
		appeal: 45, appealed: basis{"RCW 19.373.040", washingtonText, Unverified},
	}.pack(),
	// us-states stands for all of them in a policy that does not list them one by
	// one, with the strictest of each rule. Where a state gives more time, it is early.
	stateLaw{
		id: "us-states", name: "US state privacy laws (45 days)", residence: "US", from: Day(2023, time.January, 1),
		days: 45, most: 90, period: basis{"the law of the state of residence", virginiaText, Secondary},
		readings: []reading{{
			text: "Florida lets an answer take 15 days more, not 45.", span: Span{60, Days},
			basis: basis{"Fla. Stat. § 501.706", floridaText, Unverified},
		}},
		appeal: 45, appealed: basis{"the law of the state of residence", oregonText, Secondary},
		optOut:   basis{"the law of the state of residence, such as Conn. Gen. Stat. § 42-518(c)(4)", connecticutText, Secondary},
		withheld: strictestKinds,
		records:  &records{span: Span{24, Months}, basis: basis{"the law of the state of residence, such as 4 CCR 904-3, Rule 6.11", "https://coag.gov/resources/colorado-privacy-act/", Secondary}},
	}.pack(),
}

const (
	virginiaText    = "https://law.lis.virginia.gov/vacode/title59.1/chapter53/"
	coloradoText    = "https://leg.colorado.gov/bills/sb21-190"
	connecticutText = "https://www.cga.ct.gov/current/pub/chap_743jj.htm"
	texasText       = "https://statutes.capitol.texas.gov/Docs/BC/htm/BC.541.htm"
	oregonText      = "https://www.oregonlegislature.gov/bills_laws/ors/ors646A.html"
	jerseyText      = "https://pub.njleg.gov/bills/2022/PL23/266_.HTM"
	minnesotaText   = "https://www.revisor.mn.gov/statutes/cite/325M"
	montanaText     = "https://mca.legmt.gov/bills/mca/title_0300/chapter_0140/part_0280/sections_index.html"
	iowaText        = "https://www.legis.iowa.gov/docs/code/715D.pdf"
	nebraskaText    = "https://nebraskalegislature.gov/FloorDocs/108/PDF/Slip/LB1074.pdf"
	delawareText    = "https://delcode.delaware.gov/title6/c012d/index.html"
	hampshireText   = "https://gc.nh.gov/rsa/html/LII/507-H/507-H-mrg.htm"
	tennesseeText   = "https://publications.tnsosfiles.com/acts/113/pub/pc0408.pdf"
	marylandText    = "https://mgaleg.maryland.gov/2024RS/bills/sb/sb0541E.pdf"
	indianaText     = "https://iga.in.gov/laws/2025/ic/titles/24"
	kentuckyText    = "https://apps.legislature.ky.gov/recorddocuments/bill/24RS/hb15/bill.pdf"
	rhodeText       = "https://webserver.rilegislature.gov/Statutes/TITLE6/6-48.1/INDEX.HTM"
	floridaText     = "https://www.flsenate.gov/Laws/Statutes/2025/Chapter501/Part_V"
	washingtonText  = "https://app.leg.wa.gov/RCW/default.aspx?cite=19.373"
)

// stateGrounds: when it is reasonably necessary, considering the complexity and the
// number of a person's requests.
var stateGrounds = []Ground{reasonablyNecessary, complexity, yourRequests}

func (s stateLaw) pack() Pack {
	p := Pack{
		ID: s.id, Name: s.name, From: s.from, Sources: []string{s.period.source}, covers: []string{s.residence},
		limits:     []limit{{span: Span{s.days, Days}, basis: s.period}},
		extensions: []extension{{span: Span{s.most, Days}, grounds: stateGrounds, basis: s.period, readings: s.readings}},
		receipt:    s.period,
		records:    s.records,
	}
	// Reasons and what is withheld stand elsewhere in the same section, not in the
	// paragraph that has the period.
	section, _, _ := strings.Cut(s.period.article, "(")
	p.reasons = stateReasons(section)
	p.withheld = withhold(credentialKinds, basis{section, s.period.source, Unverified})
	if s.extended != (basis{}) {
		p.extensions[0].basis = s.extended
	}
	if s.withheld != nil {
		p.withheld = withhold(s.withheld, basis{section, s.period.source, Unverified})
	}
	if s.appeal > 0 {
		p.appeal = &appeal{decide: limit{rights: []string{Appeal}, span: Span{s.appeal, Days}, basis: s.appealed}}
	}
	if s.appealMost > 0 {
		p.appeal.extended = &extension{rights: []string{Appeal}, span: Span{s.appealMost, Days}, grounds: stateGrounds, basis: s.appealed}
	}
	if s.optOut != (basis{}) {
		p.proofs = []bound{{
			rights: []string{"opt_out_sale"},
			forbid: []Proof{Address, DataPoints, SignedDeclaration, IdentityDocument, Notarised},
			why:    "An opt-out may not be refused because nobody proved who they are; only a documented belief in fraud is a reason.",
			basis:  s.optOut,
		}}
	}
	return p
}

func stateReasons(article string) []Reason {
	return []Reason{
		{
			Code: "identity_not_established", Protocol: notVerified, Article: article, Mark: Unverified,
			rights: []string{"access", "know", "portability", "rectification", "erasure"}, // an opt-out goes without
			Text: map[string]string{
				english: "We could not authenticate the request with commercially reasonable efforts.",
				french:  "Nous n'avons pas pu authentifier la demande par des moyens commercialement raisonnables.",
			},
		},
		{Code: "suspected_fraud", Protocol: suspectedFraud, Article: article, Mark: Unverified, rights: []string{"opt_out_sale"}, Text: documentedFraud},
		{Code: "manifestly_unfounded", Protocol: other, Article: article, Mark: Unverified, Text: unfounded},
		{Code: "excessive", Protocol: tooMany, Article: article, Mark: Unverified, Text: excessive},
		{Code: "no_match", Protocol: noMatch, Article: article, Mark: Unverified, Text: nothingFound},
		{
			Code: "not_resident", Protocol: outside, Article: article, Mark: Unverified,
			Text: map[string]string{
				english: "The law that the request relies on protects residents of its state.",
				french:  "La loi invoquée par la demande protège les résidents de son État.",
			},
		},
		{Code: "processor_only", Protocol: notCovered, Article: article, Mark: Unverified, Text: onBehalf},
		{Code: "legal_obligation", Protocol: other, Article: article, Mark: Unverified, rights: []string{"erasure"}, Text: mustKeep},
	}
}
