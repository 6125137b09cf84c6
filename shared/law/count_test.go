package law_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"rightsdesk/shared/law"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
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
		"nothing is promised":    {"2026-03-05", 0, "2026-04-06"},
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

// A promise holds until a law's extension is taken; where the law knows none, it holds.
func TestAPromiseHoldsUntilTheAnswerIsPutOff(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"eu-gdpr": "2026-09-22", "br-lgpd": "2026-07-02", "us-ca-ccpa": "2026-09-20"} {
		c := asked(id)
		c.PromisedDays, c.Extended = 10, true
		if got := count(t, c).RespondBy.Format(time.DateOnly); got != want {
			t.Errorf("%s: respond by %s, want %s", id, got, want)
		}
		c.Extended = false
		if got := count(t, c).RespondBy.Format(time.DateOnly); got != "2026-07-02" {
			t.Errorf("%s: respond by %s, want what was promised", id, got)
		}
	}
}

// A policy may name a law before it is in force: the others bind meanwhile.
func TestALawAheadOfItsTimeBindsNobodyYet(t *testing.T) {
	t.Parallel()
	c := asked("in-dpdp", "ca-pipeda")
	c.Residence = "IN"
	if d := count(t, c); d.Law != "ca-pipeda" {
		t.Errorf("in 2026 the law is %s", d.Law)
	}
	c.Received = c.Received.AddDate(1, 0, 0)
	if d := count(t, c); d.Law != "in-dpdp" {
		t.Errorf("in 2027 the law is %s", d.Law)
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
		"a resident of France":                          {all, "FR", "eu-gdpr", "2026-04-06", "2026-04-03"},
		"a resident of Norway":                          {all, "NO", "eu-gdpr", "2026-04-06", "2026-04-03"},
		"a resident of the United Kingdom":              {all, "GB", "uk-gdpr", "2026-04-06", "2026-04-03"},
		"a resident of Scotland":                        {all, "GB-SCT", "uk-gdpr", "2026-04-06", "2026-04-03"},
		"a resident of California, whom two laws cover": {all, "US-CA", "us-ca-ccpa", "2026-04-19", "2026-04-17"},
		"a resident of Ohio":                            {all, "US-OH", "us-states", "2026-04-19", "2026-04-17"},
		"a resident of Quebec":                          {all, "CA-QC", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"a resident of Canada is no Californian":        {[]string{"us-ca-ccpa", "ca-pipeda"}, "CA", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"an unknown residence gets the strictest":       {all, "", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"a residence no law covers gets the strictest":  {all, "BR", "ca-pipeda", "2026-04-04", "2026-04-03"},
		"the strictest of those named, not of all":      {[]string{"us-ca-ccpa", "eu-gdpr"}, "", "eu-gdpr", "2026-04-06", "2026-04-03"},
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
		"in Paris it is already the 5th":              {"Europe/Paris", "2026-04-04T21:59:59Z"},
		"in London it is still the 4th":               {"Europe/London", "2026-04-03T22:59:59Z"},
		"in Los Angeles too":                          {"America/Los_Angeles", "2026-04-04T06:59:59Z"},
		"on Kiritimati it is the 5th, 14 hours ahead": {"Pacific/Kiritimati", "2026-04-04T09:59:59Z"},
	}
	for name, c := range tests {
		got, err := law.Count(law.Case{Regimes: []string{"ca-pipeda"}, Right: "access", Received: received, Zone: zone(t, c.zone)})
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
	tests := map[string]struct{ zone, received, want string }{ // 30 days
		"the day before spring in Berlin":     {"Europe/Berlin", "2026-02-26", "2026-03-28T22:59:59Z"},
		"the day of the change in Berlin":     {"Europe/Berlin", "2026-02-27", "2026-03-29T21:59:59Z"},
		"received on the day of the change":   {"Europe/Berlin", "2025-10-26", "2025-11-25T22:59:59Z"},
		"due on the day of the autumn change": {"Europe/Berlin", "2026-09-25", "2026-10-25T22:59:59Z"},
		"a day that has no midnight":          {"America/Santiago", "2026-08-07", "2026-09-07T02:59:59Z"},
		"the day before it":                   {"America/Santiago", "2026-08-06", "2026-09-06T03:59:59Z"},
		"a day whose last hour comes twice":   {"America/Santiago", "2026-03-05", "2026-04-05T03:59:59Z"},
	}
	for name, c := range tests {
		z := zone(t, c.zone)
		got, err := law.Count(law.Case{Regimes: []string{"ca-pipeda"}, Right: "access", Received: noon(t, c.received, z), Zone: z})
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
		"no law":             {func(q *law.Case) { q.Regimes = nil }, law.ErrNoLaw},
		"an unknown law":     {func(q *law.Case) { q.Regimes = []string{"eu-gdpr", "xx-none"} }, law.ErrUnknown},
		"no zone":            {func(q *law.Case) { q.Zone = nil }, law.ErrNoZone},
		"no receipt":         {func(q *law.Case) { q.Received = time.Time{} }, law.ErrNoDate},
		"a negative promise": {func(q *law.Case) { q.PromisedDays = -1 }, law.ErrPromise},
		"asked before it came": {func(q *law.Case) {
			q.Stops = []law.Stop{{Cause: law.Identity, Asked: q.Received.AddDate(0, 0, -1), Answered: q.Received}}
		}, law.ErrStops},
		"answered before it was asked": {func(q *law.Case) {
			q.Stops = []law.Stop{{Cause: law.Identity, Asked: q.Received.AddDate(0, 0, 2), Answered: q.Received}}
		}, law.ErrStops},
		"never asked":                        {func(q *law.Case) { q.Stops = []law.Stop{{Cause: law.Identity}} }, law.ErrStops},
		"an appeal where the law knows none": {func(q *law.Case) { q.Right = law.Appeal }, law.ErrNoAppeal},
		"received before the law":            {func(q *law.Case) { q.Received = time.Date(2018, 5, 24, 23, 59, 59, 0, time.UTC) }, law.ErrTooEarly},
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
