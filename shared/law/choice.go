package law

import "slices"

// The grounds on which something may stand on before anybody chose it.
const (
	// ExistingCustomer is mail about the company's own similar products, to who
	// bought, was told at once that they can say no, and can say it in every mail.
	ExistingCustomer = "existing_customer"
	// NoConsentNeeded is that the law asks for a way out only, or for nothing.
	NoConsentNeeded = "no_consent_needed"
	// LegitimateInterests is that the company's interests outweigh the person's, until
	// the person objects. Never for mail, and never for what is kept in a browser.
	LegitimateInterests = "legitimate_interests"
)

// Defaults lists the grounds.
var Defaults = []string{ExistingCustomer, NoConsentNeeded, LegitimateInterests}

// DefaultOn returns the article by which something may stand on where a law holds,
// on that ground, before the person chose. What is not known to be allowed is not:
// a law that is silent here may allow more than this.
func DefaultOn(law, ground string) (article string, ok bool) {
	b := defaultOn(law, ground)
	return b.article, b != basis{}
}

// DemandsGPC returns the article by which a law demands that the signal of Global
// Privacy Control counts as an opt-out of sale and of targeted advertising, if it does.
func DemandsGPC(law string) (article string, ok bool) {
	b := signals[law]
	return b.article, b != basis{}
}

func defaultOn(law, ground string) basis {
	switch {
	case slices.ContainsFunc(states, func(p Pack) bool { return p.ID == law }) || law == california[0].ID:
		switch {
		case ground == ExistingCustomer:
			return canSpam
		case slices.Contains(Defaults, ground) && law != "us-wa": // Washington's law on health data wants consent first
			return wayOut
		}
		return basis{}
	case ground == ExistingCustomer:
		return customers[law]
	case ground == LegitimateInterests:
		return interests[law]
	default:
		return basis{}
	}
}

const (
	privacyDirective = "https://eur-lex.europa.eu/eli/dir/2002/58/oj"
	pecrText         = "https://www.legislation.gov.uk/uksi/2003/2426/contents"
	caslText         = "https://laws-lois.justice.gc.ca/eng/acts/E-1.6/"
	canSpamText      = "https://uscode.house.gov/view.xhtml?req=granuleid:USC-prelim-title15-section7704&edition=prelim"
	uwgText          = "https://www.fedlex.admin.ch/eli/cc/1988/223_223_223/en"
)

var (
	// canSpam lets mail go until somebody says no, all over the United States; the
	// laws of the states on data that is not sensitive ask for no more than a way out.
	canSpam = basis{"15 U.S.C. § 7704(a)(3)-(4)", canSpamText, Secondary}
	wayOut  = basis{"15 U.S.C. § 7704(a)(3)-(4) of mail; of other uses the right to opt out is all", canSpamText, Secondary}
	// casl is Canada's for all provinces. Consent is implied for two years from what
	// was bought, which only the company can count.
	casl = basis{"s. 10(9)(a) and (10)(a) Canada's Anti-Spam Legislation", caslText, Secondary}
)

// customers are the laws that let mail about similar products go to who bought.
var customers = map[string]basis{
	"eu-gdpr":   {"Art. 13(2) Directive 2002/58/EC", privacyDirective, Secondary},
	"uk-gdpr":   {"reg. 22(3) Privacy and Electronic Communications Regulations 2003", pecrText, Secondary},
	"ch-fadp":   {"Art. 3(1)(o) Federal Act against Unfair Competition", uwgText, Unverified},
	"ca-pipeda": casl, "ca-qc": casl, "ca-ab": casl, "ca-bc": casl,
	"br-lgpd":      {"Art. 10(I) LGPD", lgpdText, Unverified},
	"ar-ley-25326": {"Art. 27 Ley 25.326", ley25326Text, Unverified},
	"au-privacy":   {"Schedule 2 Spam Act 2003 (Australia): inferred consent", "https://www.legislation.gov.au/C2004A01214/latest/text", Unverified},
	"nz-privacy":   {"s. 4 Unsolicited Electronic Messages Act 2007 (New Zealand): inferred consent", "https://www.legislation.govt.nz/act/public/2007/0007/latest/whole.html", Unverified},
	"sg-pdpa":      {"s. 11 Spam Control Act 2007 (Singapore)", "https://sso.agc.gov.sg/Act/SCA2007", Unverified},
	"jp-appi":      {"Art. 3(1)(iii) Act on Regulation of Transmission of Specified Electronic Mail (Japan)", "https://www.japaneselawtranslation.go.jp/en/laws/view/3767", Unverified},
	"za-popia":     {"s. 69(3) POPIA", popiaText, Unverified},
}

// interests are the laws that know legitimate interests, and an objection to them.
var interests = map[string]basis{
	"eu-gdpr":  {"Art. 6(1)(f) and 21 GDPR", gdprText, Secondary},
	"uk-gdpr":  {"Art. 6(1)(f) and 21 UK GDPR", ukGDPRText, Secondary},
	"ch-fadp":  {"Art. 30(2)(b) and 31 FADP", fadpText, Unverified},
	"br-lgpd":  {"Art. 7(IX) and 18 § 2 LGPD", lgpdText, Unverified},
	"za-popia": {"s. 11(1)(f) and 11(3) POPIA", popiaText, Unverified},
}

// signals are the laws under which the signal of Global Privacy Control, or any
// signal of its kind, is an opt-out. Of a state that is not here nobody said so.
var signals = map[string]basis{
	"us-ca-ccpa": {"11 CCR § 7025(b)-(c)", ccprRules, Verified},
	"us-co":      {"C.R.S. § 6-1-1306(1)(a)(IV)", coloradoText, Secondary},
	"us-ct":      {"Conn. Gen. Stat. § 42-520(e)(1)(A)(ii)", connecticutText, Secondary},
	"us-tx":      {"Tex. Bus. & Com. Code § 541.055(e)", texasText, Secondary},
	"us-mt":      {"Mont. Code § 30-14-2809", montanaText, Unverified},
	"us-or":      {"ORS § 646A.578", oregonText, Unverified},
	"us-nj":      {"N.J.S.A. § 56:8-166.11", jerseyText, Unverified},
	"us-de":      {"6 Del. C. § 12D-106(e)", delawareText, Unverified},
	"us-nh":      {"RSA 507-H:6", hampshireText, Unverified},
	"us-mn":      {"Minn. Stat. § 325M.14, subd. 3", minnesotaText, Unverified},
	"us-md":      {"Md. Code, Com. Law § 14-4707", marylandText, Unverified},
	"us-ne":      {"Neb. Rev. Stat. § 87-1111", nebraskaText, Unverified},
	"us-states":  {"the law of the state of residence, such as C.R.S. § 6-1-1306(1)(a)(IV)", coloradoText, Secondary},
}
