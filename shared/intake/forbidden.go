package intake

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rightsdesk/shared/policy"
)

// forbidden returns what a value is that is refused, or "". name is the field's, for
// what a value alone does not tell.
func forbidden(refuse []policy.Forbidden, name, text string) policy.Forbidden {
	for _, kind := range refuse {
		var is bool
		switch kind {
		case policy.CardNumbers:
			is = isCard(text)
		case policy.PrecisePositions:
			is = isPosition(name, text)
		case policy.GovernmentIDs:
			is = isOfficial(name, text)
		}
		if is {
			return kind
		}
	}
	return ""
}

// forbiddenTogether finds what an object holds in several fields: a card number in
// groups. It takes only runs of fields whose names say so.
func forbiddenTogether(refuse []policy.Forbidden, o map[string]any) policy.Forbidden {
	if !slices.Contains(refuse, policy.CardNumbers) {
		return ""
	}
	var names []string
	for name := range o {
		if strings.Contains(plain(name), "card") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var digits strings.Builder
	for _, name := range names {
		if text := textOf(o[name]); len(text) == 4 && strings.Trim(text, "0123456789") == "" {
			digits.WriteString(text)
		}
	}
	if isCard(digits.String()) {
		return policy.CardNumbers
	}
	return ""
}

// forbiddenList finds what a list holds together: a pair of degrees, as GeoJSON
// writes a place.
func forbiddenList(refuse []policy.Forbidden, name string, list []any) policy.Forbidden {
	if !slices.Contains(refuse, policy.PrecisePositions) || len(list) < 2 || len(list) > 4 || !placeNames[plain(name)] {
		return ""
	}
	for _, e := range list {
		if finer(textOf(e)) {
			return policy.PrecisePositions
		}
	}
	return ""
}

// Card numbers.

// shortest is the least number of digits of a payment card that begins with a digit.
// Nothing is issued under the others that a payment takes, and times in milliseconds
// and larger begin with 1.
var shortest = map[byte]int{'2': 16, '3': 14, '4': 13, '5': 13, '6': 13, '8': 16, '9': 16}

const longestCard = 19

// isCard reports whether a text holds 13 to 19 digits, with single blanks or dashes
// between them at most, that could be a card's and satisfy the check digit of
// ISO/IEC 7812-1.
func isCard(text string) bool {
	var digits []byte
	var starts, ends []bool // of a group of digits
	flush := func() bool {
		found := hasCard(digits, starts, ends)
		digits, starts, ends = digits[:0], starts[:0], ends[:0]
		return found
	}
	open, gap := false, false // in a group of digits; behind one separator
	for _, r := range text {
		d := digitOf(r)
		switch {
		case d != 0:
			digits, starts, ends = append(digits, d), append(starts, !open), append(ends, false)
			open, gap = true, false
		case separates(r) && open && !gap:
			ends[len(ends)-1] = true
			open, gap = false, true
		default:
			if flush() {
				return true
			}
			open, gap = false, false
		}
	}
	return flush()
}

// hasCard looks for a card's digits from the beginning of a group to the end of one.
// A longer run of digits without a gap is some other number.
func hasCard(digits []byte, starts, ends []bool) bool {
	for i := range digits {
		least, issued := shortest[digits[i]]
		if !starts[i] || !issued {
			continue
		}
		for j := i + least; j <= min(len(digits), i+longestCard); j++ {
			if (j == len(digits) || ends[j-1]) && luhn(digits[i:j]) {
				return true
			}
		}
	}
	return false
}

// digitOf returns a decimal digit in ASCII, also where it was written in full width
// or in Arabic, or 0.
func digitOf(r rune) byte {
	for _, zero := range []rune{'0', '\uff10', '\u0660', '\u06f0'} {
		if r >= zero && r <= zero+9 {
			return "0123456789"[r-zero]
		}
	}
	return 0
}

func separates(r rune) bool {
	return strings.ContainsRune(" -.\u00a0\u2009\u202f\u2010\u2011\u2012\u2013", r)
}

func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// Positions.

// degreeNames are names of fields that hold one degree, placeNames of those that hold
// two; both as plain writes them.
var (
	degreeNames = wordSet("lat latitude lon lng long longitude geolat geolon geolng gpslat gpslon gpslng gpslatitude gpslongitude locationlat locationlon locationlng")
	placeNames  = wordSet("coordinate coordinates coords position location point geo geopoint gps latlng latlon lonlat lnglat latlong place whereabouts")

	number     = `[-+]?[0-9]{1,3}\.[0-9]{2,}`
	pair       = regexp.MustCompile(number + `\s*[,;/ ]\s*` + number)
	iso6709    = regexp.MustCompile(`[-+][0-9]{2,6}\.?[0-9]*[-+][0-9]{3,7}\.?[0-9]*/`)
	arcMinutes = regexp.MustCompile(`[0-9]\s*°\s*[0-9]{1,2}(\.[0-9]+)?\s*['′’]`)
	fineDegree = regexp.MustCompile(`[0-9]\.[0-9]{2,}\s*°`)
)

// geohashFine is the length from which a geohash names less than 0.1 degree.
const geohashFine = 5

// isPosition reports whether a value is a place on the map finer than 0.1 degree,
// which is some 10 kilometres.
func isPosition(name, text string) bool {
	name = plain(name)
	switch {
	case degreeNames[name] || strings.HasSuffix(name, "latitude") || strings.HasSuffix(name, "longitude"):
		return finer(text)
	case strings.HasSuffix(name, "geohash"):
		return len(strings.TrimSpace(text)) >= geohashFine
	}
	return pair.MatchString(text) && degrees(text) || iso6709.MatchString(text) || arcMinutes.MatchString(text) || fineDegree.MatchString(text)
}

// degrees reports whether the pair of numbers in a text can be a place.
func degrees(text string) bool {
	for _, p := range pair.FindAllString(text, -1) {
		var n []float64
		for _, part := range regexpNumber.FindAllString(p, 2) {
			f, err := strconv.ParseFloat(part, 64)
			if err == nil {
				n = append(n, f)
			}
		}
		if len(n) == 2 && (abs(n[0]) <= 90 && abs(n[1]) <= 180 || abs(n[0]) <= 180 && abs(n[1]) <= 90) {
			return true
		}
	}
	return false
}

var regexpNumber = regexp.MustCompile(number)

func abs(f float64) float64 { return max(f, -f) }

// finer reports whether a number of degrees has more than one decimal.
func finer(text string) bool {
	text = strings.TrimRight(strings.TrimSpace(text), "°NSEWnsew ")
	if _, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64); err != nil {
		return arcMinutes.MatchString(text)
	}
	_, decimals, _ := strings.Cut(strings.Replace(text, ",", ".", 1), ".")
	return len(decimals) > 1
}

// Official papers.

var (
	paperNames = wordSet(`ssn socialsecurity socialsecuritynumber sin socialinsurancenumber nino nationalinsurancenumber nir
		numerodesecuritesociale passport passportnumber passportno nationalid nationalidnumber idcard idcardnumber identitycardnumber
		driverlicense driverslicense driverlicence driverslicence driverlicencenumber driverlicensenumber driverslicensenumber driverslicencenumber
		drivinglicence drivinglicencenumber taxid taxidentificationnumber steuerid governmentid governmentidnumber residencepermitnumber`)

	// A social security number of the USA, a national insurance number of the United
	// Kingdom, and the first line of a paper that machines read (ICAO 9303).
	papers = regexp.MustCompile(`\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b|\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b|\b[PIACV][A-Z<][A-Z]{3}[A-Z0-9<]{15,}`)
	// A social insurance number of Canada, with its check digit.
	canadian = regexp.MustCompile(`\b[1-79][0-9]{2}[- ][0-9]{3}[- ][0-9]{3}\b`)
	// A number of the French register of persons, with its key.
	french = regexp.MustCompile(`\b[12] ?[0-9]{2} ?(0[1-9]|1[0-2]|[2-9][0-9]) ?([0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b`)
)

// isOfficial reports whether a value is the number of a paper that a state issued.
func isOfficial(name, text string) bool {
	if paperNames[plain(name)] && strings.TrimSpace(text) != "" {
		return true
	}
	if papers.MatchString(text) {
		return true
	}
	for _, m := range canadian.FindAllString(text, -1) {
		if luhn([]byte(strings.NewReplacer("-", "", " ", "").Replace(m))) {
			return true
		}
	}
	for _, m := range french.FindAllString(text, -1) {
		if frenchKey(strings.ReplaceAll(m, " ", "")) {
			return true
		}
	}
	return false
}

// frenchKey checks the last two digits of a French number: 97 less the rest of the
// others by 97. Corsica's departments count as 19 and 18.
func frenchKey(n string) bool {
	body, err := strconv.ParseInt(strings.NewReplacer("2A", "19", "2B", "18").Replace(n[:13]), 10, 64)
	key, keyErr := strconv.ParseInt(n[13:], 10, 64)
	return err == nil && keyErr == nil && 97-body%97 == key
}

// plain writes a field's name without what names are put together with.
func plain(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(strings.ToLower(name))
}

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}
