package page

import (
	"strconv"
	"strings"
)

// Language returns the language to speak: the one wanted if it is offered (a
// link of the language switch, the language of a form), else the best of what
// the browser's Accept-Language asks for (RFC 9110, 12.5.4; looked up as in RFC
// 4647, 3.4), else the first one offered. What is malformed is passed over.
func Language(acceptLanguage string, offered []string, wanted string) string {
	if len(offered) == 0 {
		return ""
	}
	if l, ok := lookup(wanted, offered); ok {
		return l
	}
	best, weight := offered[0], 0
	refused := map[string]bool{}
	for _, part := range strings.SplitN(acceptLanguage, ",", maxRanges) {
		tag, q, ok := weighted(part)
		switch {
		case !ok:
			continue
		case q == 0:
			refused[strings.ToLower(tag)] = true
			continue
		case q <= weight: // of equal weight, the first
			continue
		}
		if tag == "*" {
			for _, o := range offered { // anything but what was named before it
				if !refused[strings.ToLower(o)] {
					best, weight = o, q
					break
				}
			}
			continue
		}
		if l, ok := lookup(tag, offered); ok {
			best, weight = l, q
		}
	}
	return best
}

// maxRanges is how many languages somebody may ask for; the rest is one
// malformed range.
const maxRanges = 32

// lookup shortens a tag from its end until it is offered: fr-CA, fr.
func lookup(tag string, offered []string) (string, bool) {
	for tag != "" {
		for _, o := range offered {
			if strings.EqualFold(o, tag) {
				return o, true
			}
		}
		tag = tag[:max(0, strings.LastIndexByte(tag, '-'))]
	}
	return "", false
}

// weighted reads one range and its weight, in thousandths.
func weighted(part string) (tag string, q int, ok bool) {
	tag, params, has := strings.Cut(part, ";")
	tag = strings.Trim(tag, " \t")
	if tag == "" || strings.ContainsFunc(tag, func(r rune) bool {
		return r != '-' && r != '*' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return "", 0, false
	}
	if !has {
		return tag, 1000, true
	}
	name, value, _ := strings.Cut(strings.Trim(params, " \t"), "=")
	if !strings.EqualFold(name, "q") || len(value) > len("0.000") || strings.ContainsAny(value, "+-eExX_") {
		return "", 0, false
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || f < 0 || f > 1 {
		return "", 0, false
	}
	return tag, int(f*1000 + 0.5), true
}
