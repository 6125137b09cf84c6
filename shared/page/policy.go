package page

import (
	"strings"
	"time"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
)

// Policy is the published policy. Its tables are made from what is declared, so
// that the page cannot promise anything else than the product keeps.
type Policy struct{ policy.Publication }

func (Policy) name() string               { return "policy" }
func (p Policy) title(words.Words) string { return p.Document.Title }

// Date tells a date of the policy file, 2026-05-01 or with a time.
func (v view) Date(s string) string {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil {
			return v.Words.Day(t, t.Location())
		}
	}
	return s
}

// Residence names who lives where, as a policy spells it.
func (v view) Residence(code string) string {
	switch code {
	case policy.Everywhere:
		return v.T("residence.all")
	case policy.EEA:
		return v.T("residence.eea")
	}
	return v.Place(code)
}

// Residences names several.
func (v view) Residences(codes []string) string {
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = v.Residence(c)
	}
	return strings.Join(names, ", ")
}

// Period tells a period, of which at most one unit is set.
func (v view) Period(years, months, days int) string {
	switch {
	case years > 0:
		return v.N("policy.years", years)
	case months > 0:
		return v.N("policy.months", months)
	}
	return v.N("policy.days", days)
}
