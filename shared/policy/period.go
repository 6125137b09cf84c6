package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Period is a calendar period: ten years are ten years, leap days or not. At
// most one of the three is set; the zero Period is none at all.
type Period struct{ Years, Months, Days int }

var periodPattern = regexp.MustCompile(`^([1-9][0-9]{0,3})(d|mo|y)$`)

func isPeriod(s string) bool { return periodPattern.MatchString(s) }

func parsePeriod(s string) Period {
	m := periodPattern.FindStringSubmatch(s)
	n, _ := strconv.Atoi(m[1]) // the pattern admits small numbers only
	switch m[2] {
	case "y":
		return Period{Years: n}
	case "mo":
		return Period{Months: n}
	default:
		return Period{Days: n}
	}
}

// IsZero reports whether it is none at all.
func (p Period) IsZero() bool { return p == Period{} }

// String returns the period as a policy file spells it.
func (p Period) String() string {
	switch {
	case p.Years > 0:
		return strconv.Itoa(p.Years) + "y"
	case p.Months > 0:
		return strconv.Itoa(p.Months) + "mo"
	default:
		return strconv.Itoa(p.Days) + "d"
	}
}

// longerThan compares two periods that begin on the same day.
func (p Period) longerThan(other Period) bool {
	var begin time.Time // one day is as good as another, but for the days of a month
	return p.After(begin).After(other.After(begin))
}

// MarshalJSON writes the period as String does.
func (p Period) MarshalJSON() ([]byte, error) { return json.Marshal(p.String()) }

// UnmarshalJSON reads a period as MarshalJSON writes it.
func (p *Period) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	if !isPeriod(text) {
		return fmt.Errorf("%q is no period", shown(text))
	}
	*p = parsePeriod(text)
	return nil
}

// After returns the end of the period that begins at t. A period that would end
// on a day its month does not have ends on the month's last: time.AddDate would
// go on into the next month.
func (p Period) After(t time.Time) time.Time {
	months := 12*p.Years + p.Months
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1+p.Days)
}

// atLeast reports whether the period is never shorter than so many months.
func (p Period) atLeast(months int) bool {
	return 12*p.Years+p.Months >= months || p.Days >= 31*months
}

var spanPattern = regexp.MustCompile(`^([1-9][0-9]{0,5})(s|m|h|d)$`)

var spanUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

func isSpan(s string) bool { return spanPattern.MatchString(s) }

// parseSpan returns 0 for what is no span.
func parseSpan(s string) time.Duration {
	m := spanPattern.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // the pattern admits small numbers only
	return time.Duration(n) * spanUnits[m[2]]
}

// short spells a duration as a policy file does: 24h and not 24h0m0s.
func short(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%unit.of == 0 && (d > unit.of || unit.name != "d") {
			return fmt.Sprintf("%d%s", d/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
