package page

import (
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
)

// RuleText says a retention rule in one line, with the names that people know its
// category and source by.
func RuleText(language string, r policy.RetentionRule, category, source string) string {
	v := view{Words: words.In(language)}
	values := []string{
		"category", words.Line(category), "source", words.Line(source), "action", v.T("retire." + string(r.Action)), "occasion", v.T("occasion." + string(r.Trigger)),
	}
	if r.Period.IsZero() {
		return v.T("sweep.now", values...)
	}
	return v.T("sweep.text", append(values, "period", v.Period(r.Period.Years, r.Period.Months, r.Period.Days))...)
}
