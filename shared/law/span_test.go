package law_test

import (
	"testing"
	"time"

	"rightsdesk/shared/law"
)

func TestASpanCountsAsTheLawDoes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		start string
		span  law.Span
		want  string
	}{
		"a month ends on the same date":               {"2026-03-05", law.Span{N: 1, Unit: law.Months}, "2026-04-05"},
		"a month clamps":                              {"2026-01-31", law.Span{N: 1, Unit: law.Months}, "2026-02-28"},
		"a month clamps to a leap day":                {"2028-01-30", law.Span{N: 1, Unit: law.Months}, "2028-02-29"},
		"three months are not one and two":            {"2026-01-31", law.Span{N: 3, Unit: law.Months}, "2026-04-30"},
		"a month rolls the year":                      {"2026-12-31", law.Span{N: 1, Unit: law.Months}, "2027-01-31"},
		"fourteen months":                             {"2026-12-31", law.Span{N: 14, Unit: law.Months}, "2028-02-29"},
		"days are days":                               {"2026-01-31", law.Span{N: 30, Unit: law.Days}, "2026-03-02"},
		"ten business days":                           {"2026-03-04", law.Span{N: 10, Unit: law.BusinessDays}, "2026-03-18"},
		"business days begin after a weekend":         {"2026-03-06", law.Span{N: 1, Unit: law.BusinessDays}, "2026-03-09"},
		"what arrives on a Sunday is due from Monday": {"2026-03-08", law.Span{N: 1, Unit: law.BusinessDays}, "2026-03-09"},
		"no days at all end on the day they begin":    {"2026-03-08", law.Span{N: 0, Unit: law.BusinessDays}, "2026-03-08"},
		"forty-five days from a Wednesday in March":   {"2026-03-04", law.Span{N: 45, Unit: law.Days}, "2026-04-18"},
	}
	for name, c := range tests {
		start, err := time.Parse(time.DateOnly, c.start)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.span.After(law.DateOf(start, time.UTC)).String(); got != c.want {
			t.Errorf("%s: %s after %s is %s, want %s", name, c.span, c.start, got, c.want)
		}
	}
}

func TestBusinessDaysAreCountedOneByOne(t *testing.T) {
	t.Parallel()
	for start := law.Day(2026, time.January, 1); start < law.Day(2026, time.February, 1); start++ {
		day := start
		for n := range 50 {
			if got := (law.Span{N: n, Unit: law.BusinessDays}).After(start); got != day {
				t.Fatalf("%d business days after %v is %v, want %v", n, start, got, day)
			}
			for day++; day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; {
				day++
			}
		}
	}
}

// FuzzMonths: a month rule never leaves the month it aims at, and never gives a
// later day of the month than the one it began on.
func FuzzMonths(f *testing.F) {
	f.Add(int64(20484), uint8(1))
	f.Add(int64(0), uint8(13))
	f.Fuzz(func(t *testing.T, day int64, months uint8) {
		from := law.Date(day % 100_000)
		end := law.Span{N: int(months), Unit: law.Months}.After(from)
		start, got := from.End(time.UTC), end.End(time.UTC)
		want := (int(start.Month()) - 1 + int(months)) % 12
		if int(got.Month())-1 != want || got.Day() > start.Day() || got.Before(start) {
			t.Errorf("%d months after %v is %v", months, start, got)
		}
		if got.Day() < start.Day() && got.AddDate(0, 0, 1).Day() != 1 {
			t.Errorf("%d months after %v is %v, which is not the month's last day", months, start, got)
		}
	})
}
