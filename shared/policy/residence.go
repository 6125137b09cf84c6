package policy

import (
	"regexp"
	"slices"
	"strings"
)

// EEA is the European Economic Area as a residence, Everywhere any residence at all.
const (
	EEA        = "EEA"
	Everywhere = "*"
)

// eea are the 27 states of the European Union, and Iceland, Liechtenstein and
// Norway (Agreement on the EEA, Article 128; GDPR by Joint Committee Decision 154/2018).
var eea = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO")

// countries are the codes of ISO 3166-1 alpha-2.
var countries = strings.Fields(`
	AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
	CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
	GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
	KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ
	NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
	SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
	UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`)

// parts are the parts of the two countries whose parts have privacy laws of
// their own. A slip there (US-QC) would silently offer a right to nobody; of
// other countries any part is taken.
var parts = map[string][]string{
	"US": strings.Fields(`AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR UM VI`),
	"CA": strings.Fields(`AB BC MB NB NL NS NT NU ON PE QC SK YT`),
}

var partPattern = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)

func isCountry(s string) bool { return slices.Contains(countries, s) }

// IsResidence reports whether s names a place that somebody can live in: a
// country, a part of one, or the EEA for who does not want to say where.
func IsResidence(s string) bool { return s != Everywhere && isResidence(s) }

func isResidence(s string) bool {
	if s == EEA || s == Everywhere {
		return true
	}
	state, part, divided := strings.Cut(s, "-")
	if !isCountry(state) {
		return false
	}
	if known, ok := parts[state]; ok && divided {
		return slices.Contains(known, part)
	}
	return !divided || partPattern.MatchString(part)
}

// Covers reports whether one of the places covers the residence: a country its
// parts, EEA its states, "*" everything. A residence that is not known ("") is
// covered by "*" only.
func Covers(places []string, residence string) bool {
	state, _, _ := strings.Cut(residence, "-")
	return slices.ContainsFunc(places, func(place string) bool {
		switch {
		case place == Everywhere, place == residence && residence != "":
			return true
		case place == EEA:
			return slices.Contains(eea, state)
		default:
			return place == state && state != ""
		}
	})
}

// overlap reports whether somebody can be in one of the places and in one of the others.
func overlap(places, others []string) bool {
	return slices.ContainsFunc(places, func(place string) bool { return Covers(others, place) }) ||
		slices.ContainsFunc(others, func(place string) bool { return Covers(places, place) })
}
