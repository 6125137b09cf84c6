package law

import (
	"testing"
	"time"
)

func TestUntilWhenWhatWasAskedForIsKept(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		t.Fatal(err)
	}
	received := time.Date(2026, 1, 10, 12, 0, 0, 0, zone)
	closed := time.Date(2026, 2, 1, 9, 0, 0, 0, zone)
	for name, c := range map[string]struct {
		regimes   []string
		residence string
		closed    time.Time
		law, want string
	}{
		"nothing is answered yet":              {[]string{"ca-pipeda"}, "CA-ON", time.Time{}, "ca-pipeda", ""},
		"six months after the answer":          {[]string{"ca-pipeda"}, "CA-ON", closed, "ca-pipeda", "2026-08-01"},
		"to the end of a shorter month":        {[]string{"ca-pipeda"}, "CA-ON", time.Date(2026, 8, 31, 9, 0, 0, 0, zone), "ca-pipeda", "2027-02-28"},
		"thirty days in Quebec":                {[]string{"ca-qc"}, "CA-QC", closed, "ca-qc", "2026-03-03"},
		"the longer one of two":                {[]string{"ca-qc", "ca-pipeda"}, "CA-QC", closed, "ca-pipeda", "2026-08-01"},
		"a law that says nothing":              {[]string{"eu-gdpr"}, "FR", closed, "", ""},
		"of two that cover somebody, the one":  {[]string{"ca-ab", "ca-pipeda"}, "CA-AB", closed, "ca-pipeda", "2026-08-01"},
		"a law that does not cover the person": {[]string{"eu-gdpr", "ca-pipeda"}, "FR", closed, "", ""},
		"a law that nobody knows":              {[]string{"mars"}, "CA-ON", closed, "", ""},
	} {
		r, ok := RecourseOf(Case{Residence: c.residence, Right: "access", Received: received, Zone: zone, Regimes: c.regimes, Now: received, Closed: c.closed})
		got := ""
		if !r.Until.IsZero() {
			got = r.Until.In(zone).Format(time.DateOnly)
		}
		if ok != (c.law != "") || r.Law != c.law || got != c.want {
			t.Errorf("%s: %t, %q until %q; want %q until %q", name, ok, r.Law, got, c.law, c.want)
		}
		if ok && (r.Article == "" || r.Mark != Unverified) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
