package law_test

import (
	"errors"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"rightsdesk/shared/law"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// noon is the middle of a day in a zone.
func noon(t *testing.T, day string, z *time.Location) time.Time {
	t.Helper()
	d, err := time.ParseInLocation(time.DateOnly, day, z)
	if err != nil {
		t.Fatal(err)
	}
	return d.Add(12 * time.Hour)
}

// The golden vectors that need neither holidays nor extensions,
// with the legal date as it is before any roll.
func TestGoldenVectors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		regime, right, zone, received string
		legal, safe                   string
	}{
		"EU: month end clamps, and a Saturday is not safe":    {"eu-gdpr", "access", "Europe/Berlin", "2026-01-31", "2026-02-28", "2026-02-27"},
		"EU: Easter Sunday stays until holidays are known":    {"eu-gdpr", "access", "Europe/Berlin", "2026-03-05", "2026-04-05", "2026-04-03"},
		"EU: 31 August has no 31 September":                   {"eu-gdpr", "erasure", "Europe/Berlin", "2026-08-31", "2026-09-30", "2026-09-30"},
		"EU: a leap year has a 29 February":                   {"eu-gdpr", "access", "Europe/Berlin", "2024-01-31", "2024-02-29", "2024-02-29"},
		"EU: Christmas stays until holidays are known":        {"eu-gdpr", "access", "Europe/Berlin", "2025-11-25", "2025-12-25", "2025-12-25"},
		"EU: the year rolls":                                  {"eu-gdpr", "access", "Europe/Berlin", "2025-12-31", "2026-01-31", "2026-01-30"},
		"EU: 30 November gives 30 December":                   {"eu-gdpr", "access", "Europe/Berlin", "2026-11-30", "2026-12-30", "2026-12-30"},
		"EU: 1 May stays until holidays are known":            {"eu-gdpr", "access", "Europe/Berlin", "2026-04-01", "2026-05-01", "2026-05-01"},
		"UK: the corresponding date, and safe the day before": {"uk-gdpr", "access", "Europe/London", "2026-06-09", "2026-07-09", "2026-07-08"},
		"UK: safe a day before a Sunday is the Friday":        {"uk-gdpr", "access", "Europe/London", "2026-06-05", "2026-07-05", "2026-07-03"},
		"UK: before Article 12A the period was the same":      {"uk-gdpr", "access", "Europe/London", "2025-06-09", "2025-07-09", "2025-07-08"},
		"California: 45 calendar days":                        {"us-ca-ccpa", "know", "America/Los_Angeles", "2026-03-04", "2026-04-18", "2026-04-17"},
		"California: an opt-out takes 15 business days":       {"us-ca-ccpa", "opt_out", "America/Los_Angeles", "2026-03-04", "2026-03-25", "2026-03-25"},
		"California: without holidays an opt-out is early":    {"us-ca-ccpa", "opt_out", "America/Los_Angeles", "2026-02-10", "2026-03-03", "2026-03-03"},
		"Canada: 30 days, not a month":                        {"ca-pipeda", "access", "America/Toronto", "2026-01-31", "2026-03-02", "2026-03-02"},
		"Virginia: 45 days":                                   {"us-va", "access", "America/New_York", "2026-01-31", "2026-03-17", "2026-03-17"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone(t, c.zone)
			got, err := law.Count(law.Case{Regimes: []string{c.regime}, Right: c.right, Received: noon(t, c.received, z), Zone: z})
			if err != nil {
				t.Fatal(err)
			}
			if day := got.RespondBy.In(z).Format(time.DateOnly); day != c.legal {
				t.Errorf("respond by %s, want %s", day, c.legal)
			}
			if day := got.SafeBy.In(z).Format(time.DateOnly); day != c.safe {
				t.Errorf("safe by %s, want %s", day, c.safe)
			}
			if clock := got.RespondBy.In(z).Format(time.TimeOnly); clock != "23:59:59" {
				t.Errorf("respond by %s o'clock, want the last second of the day", clock)
			}
		})
	}
}

// PT-01: within 30 days; the earlier of this and the legal date binds.
func TestAPromiseBindsWhereItIsEarlierThanTheLaw(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		received string
		promised int
		want     string
	}{
		"the promise is earlier": {"2026-03-05", 30, "2026-04-04"},
		"the law is earlier":     {"2024-01-31", 30, "2024-02-29"},
		"both are the same day":  {"2026-04-01", 30, "2026-05-01"},
		"nothing is promised":    {"2026-03-05", 0, "2026-04-05"},
	}
	z := zone(t, "Europe/Berlin")
	for name, c := range tests {
		got, err := law.Count(law.Case{Regimes: []string{"eu-gdpr"}, Residence: "DE", Right: "access", Received: noon(t, c.received, z), Zone: z, PromisedDays: c.promised})
		if err != nil {
			t.Fatal(err)
		}
		if day := got.RespondBy.Format(time.DateOnly); day != c.want {
			t.Errorf("%s: respond by %s, want %s", name, day, c.want)
		}
		if got.SafeBy.After(got.RespondBy) {
			t.Errorf("%s: safe by %v is after %v", name, got.SafeBy, got.RespondBy)
		}
	}
}

func TestTheLawOfTheResidenceAppliesOrElseTheStrictest(t *testing.T) {
	t.Parallel()
	all := []string{"us-ca-ccpa", "us-states", "uk-gdpr", "ca-pipeda", "eu-gdpr"}
	tests := map[string]struct {
		regimes         []string
		residence, want string
		legal, safe     string // of what was received on 5 March 2026
	}{
		"a resident of France":                          {all, "FR", "eu-gdpr", "2026-04-05", "2026-04-03"},
		"a resident of Norway":                          {all, "NO", "eu-gdpr", "2026-04-05", "2026-04-03"},
		"a resident of the United Kingdom":              {all, "GB", "uk-gdpr", "2026-04-05", "2026-04-03"},
		"a resident of Scotland":                        {all, "GB-SCT", "uk-gdpr", "2026-04-05", "2026-04-03"},
		"a resident of California, whom two laws cover": {all, "US-CA", "us-ca-ccpa", "2026-04-19", "2026-04-17"},
		"a resident of Ohio":                            {all, "US-OH", "us-states", "2026-04-19", "2026-04-17"},
		"a resident of Quebec":                          {all, "CA-QC", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"a resident of Canada is no Californian":        {[]string{"us-ca-ccpa", "ca-pipeda"}, "CA", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"an unknown residence gets the strictest":       {all, "", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"a residence no law covers gets the strictest":  {all, "BR", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"the strictest of those named, not of all":      {[]string{"us-ca-ccpa", "eu-gdpr"}, "", "eu-gdpr", "2026-04-05", "2026-04-03"},
		"one law is the strictest of one":               {[]string{"us-ca-ccpa"}, "FR", "us-ca-ccpa", "2026-04-19", "2026-04-17"},
	}
	z := zone(t, "Europe/Paris")
	for name, c := range tests {
		got, err := law.Count(law.Case{Regimes: c.regimes, Residence: c.residence, Right: "access", Received: noon(t, "2026-03-05", z), Zone: z})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Law != c.want || got.RespondBy.Format(time.DateOnly) != c.legal || got.SafeBy.Format(time.DateOnly) != c.safe {
			t.Errorf("%s: %s, %v, safe %v; want %s, %s, safe %s", name, got.Law, got.RespondBy, got.SafeBy, c.want, c.legal, c.safe)
		}
	}
}

// In February a month is shorter than 30 days, and the British reading is a day
// shorter still: the safe date honours a law that does not set the legal date.
func TestTheSafeDateHonoursEveryLawInQuestion(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Paris")
	got, err := law.Count(law.Case{Regimes: []string{"eu-gdpr", "uk-gdpr"}, Right: "access", Received: noon(t, "2026-06-10", z), Zone: z})
	if err != nil {
		t.Fatal(err)
	}
	if got.Law != "eu-gdpr" || got.RespondBy.Format(time.DateOnly) != "2026-07-10" || got.SafeBy.Format(time.DateOnly) != "2026-07-09" {
		t.Errorf("got %s, %v, safe %v", got.Law, got.RespondBy, got.SafeBy)
	}
}

func TestTheDayOfReceiptIsADayOfTheController(t *testing.T) {
	t.Parallel()
	received := time.Date(2026, time.March, 4, 23, 30, 0, 0, time.UTC)
	tests := map[string]struct{ zone, want string }{
		"in Paris it is already the 5th":              {"Europe/Paris", "2026-04-05T21:59:59Z"},
		"in London it is still the 4th":               {"Europe/London", "2026-04-04T22:59:59Z"},
		"in Los Angeles too":                          {"America/Los_Angeles", "2026-04-05T06:59:59Z"},
		"on Kiritimati it is the 5th, 14 hours ahead": {"Pacific/Kiritimati", "2026-04-05T09:59:59Z"},
	}
	for name, c := range tests {
		got, err := law.Count(law.Case{Regimes: []string{"eu-gdpr"}, Right: "access", Received: received, Zone: zone(t, c.zone)})
		if err != nil {
			t.Fatal(err)
		}
		if at := got.RespondBy.UTC().Format(time.RFC3339); at != c.want {
			t.Errorf("%s: respond by %s, want %s", name, at, c.want)
		}
	}
}

func TestADayKeepsItsLastSecondWhenTheClocksChange(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ zone, received, want string }{
		"spring forward in Berlin":            {"Europe/Berlin", "2026-02-28", "2026-03-28T22:59:59Z"},
		"the day of the change in Berlin":     {"Europe/Berlin", "2026-03-01", "2026-04-01T21:59:59Z"},
		"the change itself in Berlin":         {"Europe/Berlin", "2025-10-26", "2025-11-26T22:59:59Z"},
		"due on the day of the autumn change": {"Europe/Berlin", "2026-09-25", "2026-10-25T22:59:59Z"},
		"a zone that changes at midnight":     {"America/Santiago", "2026-08-06", "2026-09-07T02:59:59Z"},
	}
	for name, c := range tests {
		z := zone(t, c.zone)
		got, err := law.Count(law.Case{Regimes: []string{"eu-gdpr"}, Right: "access", Received: noon(t, c.received, z), Zone: z})
		if err != nil {
			t.Fatal(err)
		}
		if at := got.RespondBy.UTC().Format(time.RFC3339); at != c.want {
			t.Errorf("%s: respond by %s, want %s", name, at, c.want)
		}
	}
}

func TestAWrongQuestionHasNoDate(t *testing.T) {
	t.Parallel()
	good := law.Case{Regimes: []string{"eu-gdpr"}, Right: "access", Received: time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC), Zone: time.UTC}
	tests := map[string]struct {
		spoil func(*law.Case)
		want  error
	}{
		"no law":                  {func(q *law.Case) { q.Regimes = nil }, law.ErrNoLaw},
		"an unknown law":          {func(q *law.Case) { q.Regimes = []string{"eu-gdpr", "xx-none"} }, law.ErrUnknown},
		"no zone":                 {func(q *law.Case) { q.Zone = nil }, law.ErrNoZone},
		"no receipt":              {func(q *law.Case) { q.Received = time.Time{} }, law.ErrNoDate},
		"a negative promise":      {func(q *law.Case) { q.PromisedDays = -1 }, law.ErrPromise},
		"received before the law": {func(q *law.Case) { q.Received = time.Date(2018, 5, 24, 23, 59, 59, 0, time.UTC) }, law.ErrTooEarly},
	}
	for name, c := range tests {
		q := good
		c.spoil(&q)
		if got, err := law.Count(q); !errors.Is(err, c.want) || !got.RespondBy.IsZero() {
			t.Errorf("%s: %v, %v; want %v", name, got.RespondBy, err, c.want)
		}
	}
	good.Received = time.Date(2018, 5, 25, 0, 0, 0, 0, time.UTC)
	if _, err := law.Count(good); err != nil {
		t.Errorf("received on the law's first day: %v", err)
	}
}

// For every law and day of a leap year and the year before, in zones with and
// without summer time: a date lies within the rule, the safe one is a working day before it, and
// the zone changes nothing but where the day ends.
func TestEveryDayOfTwoYears(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, p := range law.Packs() {
		if !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	zones := []*time.Location{time.UTC, zone(t, "Europe/Berlin"), zone(t, "America/Santiago")}
	for _, id := range ids {
		for _, right := range []string{"access", "opt_out"} {
			if right == "opt_out" && id != "us-ca-ccpa" {
				continue // it has no limit of its own
			}
			for day := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2029; day = day.AddDate(0, 0, 1) {
				var first string
				for _, z := range zones {
					received := time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, z)
					got, err := law.Count(law.Case{Regimes: []string{id}, Right: right, Received: received, Zone: z})
					if err != nil {
						t.Fatal(err)
					}
					if got.SafeBy.After(got.RespondBy) {
						t.Fatalf("%s %s %v: safe by %v is after %v", id, right, received, got.SafeBy, got.RespondBy)
					}
					if w := got.SafeBy.Weekday(); w == time.Saturday || w == time.Sunday {
						t.Fatalf("%s %s %v: safe by a %v", id, right, received, w)
					}
					if !got.SafeBy.After(received) {
						t.Fatalf("%s %s %v: safe by %v is not in the future", id, right, received, got.SafeBy)
					}
					if id == "eu-gdpr" && (int(got.RespondBy.Month())-int(day.Month())+12)%12 != 1 {
						t.Fatalf("received %v, respond by %v: not in the next month", received, got.RespondBy)
					}
					dates := got.RespondBy.Format(time.DateOnly) + " " + got.SafeBy.Format(time.DateOnly)
					if first == "" {
						first = dates
					}
					if dates != first {
						t.Fatalf("%s %s %v: %s in %v, %s in UTC", id, right, day, dates, z, first)
					}
				}
			}
		}
	}
}
