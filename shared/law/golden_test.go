package law_test

import (
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/law"
)

// golden are counts that were made by hand, in dates. A date that is empty is not
// looked at. Every holiday is a real one.
var golden = map[string]struct {
	law, place, right, received string
	stops                       []law.Stop

	legal, safe         string
	extended, extSafe   string // with the law's extension
	confirmed, confSafe string // receipt
}{
	"EU: month end clamps, then a weekend":            {law: "eu-gdpr", place: "DE", received: "2026-01-31", legal: "2026-03-02", safe: "2026-02-27", extended: "2026-04-30", extSafe: "2026-04-28"},
	"EU: Easter Sunday and Monday":                    {law: "eu-gdpr", place: "DE", received: "2026-03-05", legal: "2026-04-07", safe: "2026-04-02", extended: "2026-06-05", extSafe: "2026-06-05"},
	"EU: a short month":                               {law: "eu-gdpr", place: "DE", received: "2026-08-31", legal: "2026-09-30", safe: "2026-09-30", extended: "2026-11-30", extSafe: "2026-11-30"},
	"EU: a leap year":                                 {law: "eu-gdpr", place: "DE", received: "2024-01-31", legal: "2024-02-29", safe: "2024-02-29", extended: "2024-04-30", extSafe: "2024-04-29"},
	"EU: two holidays and a weekend":                  {law: "eu-gdpr", place: "DE", received: "2025-11-25", legal: "2025-12-29", safe: "2025-12-24", extended: "2026-02-25", extSafe: "2026-02-25"},
	"EU: the year rolls":                              {law: "eu-gdpr", place: "DE", received: "2025-12-31", legal: "2026-02-02", safe: "2026-01-30", extended: "2026-03-31", extSafe: "2026-03-31"},
	"EU: an extension that ends with February":        {law: "eu-gdpr", place: "DE", received: "2026-11-30", legal: "2026-12-30", safe: "2026-12-30", extended: "2027-03-01", extSafe: "2027-02-26"},
	"EU: a national holiday":                          {law: "eu-gdpr", place: "DE", received: "2026-04-01", legal: "2026-05-04", safe: "2026-04-30", extended: "2026-07-01", extSafe: "2026-07-01"},
	"EU: where holidays are not known, weekends roll": {law: "eu-gdpr", place: "", received: "2025-11-25", legal: "2025-12-25", safe: "2025-12-25"},
	"EU: a holiday elsewhere is an ordinary day":      {law: "eu-gdpr", place: "US-CA", received: "2025-11-25", legal: "2025-12-25", safe: "2025-12-24"},

	"UK: the information about identity begins the month": {
		law: "uk-gdpr", place: "GB-ENG", received: "2026-06-01", stops: []law.Stop{stopped(law.Identity, "2026-06-01", "2026-06-09")},
		legal: "2026-07-09", safe: "2026-07-08", extended: "2026-09-09", extSafe: "2026-09-08",
	},
	"UK: eight days of clarification do not count": {
		law: "uk-gdpr", place: "GB-ENG", received: "2026-06-01", stops: []law.Stop{stopped(law.Clarification, "2026-06-03", "2026-06-10")},
		legal: "2026-07-09", safe: "2026-07-08", extended: "2026-09-09", extSafe: "2026-09-08",
	},
	"UK: clarification pauses access only": {
		law: "uk-gdpr", place: "GB-ENG", right: "erasure", received: "2026-06-01", stops: []law.Stop{stopped(law.Clarification, "2026-06-03", "2026-06-10")},
		legal: "2026-07-01", safe: "2026-06-30",
	},
	"UK: days of two pauses do not count once": {
		law: "uk-gdpr", place: "GB-ENG", received: "2026-06-01",
		stops: []law.Stop{stopped(law.Clarification, "2026-06-05", "2026-06-12"), stopped(law.Clarification, "2026-06-03", "2026-06-10")},
		legal: "2026-07-13", // ten days: the 11th is a Saturday
	},
	"UK: a question when the time is over does not bring it back": {
		law: "uk-gdpr", place: "GB-ENG", received: "2026-06-01", stops: []law.Stop{stopped(law.Clarification, "2026-07-02", "2026-07-10"), stopped(law.Identity, "2026-07-03", "2026-07-10")},
		legal: "2026-07-01",
	},
	"UK: before Article 12A the day of asking counted": {
		law: "uk-gdpr", place: "GB-ENG", received: "2025-06-02", stops: []law.Stop{stopped(law.Clarification, "2025-06-03", "2025-06-10")},
		legal: "2025-07-09", safe: "2025-07-01", // the regulator's guidance stopped it, no text
	},
	"France: identity pauses where the controller is there": {
		law: "eu-gdpr", place: "FR", received: "2026-06-01", stops: []law.Stop{stopped(law.Identity, "2026-06-03", "2026-06-10")},
		legal: "2026-07-08", safe: "2026-07-01", extended: "2026-09-08", extSafe: "2026-09-01",
	},
	"France: identity pauses nothing next door": {
		law: "eu-gdpr", place: "DE", received: "2026-06-01", stops: []law.Stop{stopped(law.Identity, "2026-06-03", "2026-06-10")},
		legal: "2026-07-01", safe: "2026-07-01",
	},
	"UK: a complaint is confirmed within 30 days": {law: "uk-gdpr", place: "GB-ENG", right: law.Complaint, received: "2026-06-20", confirmed: "2026-07-20", confSafe: "2026-07-17"},

	"California: 45 and 90 calendar days": {
		law: "us-ca-ccpa", place: "US-CA", right: "know", received: "2026-03-04",
		legal: "2026-04-18", safe: "2026-04-17", extended: "2026-06-02", extSafe: "2026-06-02", confirmed: "2026-03-18", confSafe: "2026-03-18",
	},
	"California: an opt-out takes 15 business days": {law: "us-ca-ccpa", place: "US-CA", right: "opt_out_sale", received: "2026-03-04", legal: "2026-03-25", safe: "2026-03-25"},
	"California: Presidents' Day is no business day": {
		law: "us-ca-ccpa", place: "US-CA", right: "know", received: "2026-02-10", confirmed: "2026-02-25", confSafe: "2026-02-24",
	},
	"California: an opt-out over Presidents' Day": {law: "us-ca-ccpa", place: "US-CA", right: "opt_out_sale", received: "2026-02-10", legal: "2026-03-04", safe: "2026-03-03"},
	"California: its own holidays count wherever the controller is": {
		law: "us-ca-ccpa", place: "DE", right: "opt_out_sale", received: "2026-02-10", legal: "2026-03-04", safe: "2026-03-03",
	},
	"California: nothing pauses": {
		law: "us-ca-ccpa", place: "US-CA", right: "know", received: "2026-03-04",
		stops: []law.Stop{stopped(law.Identity, "2026-03-05", "2026-03-30"), stopped(law.Clarification, "2026-03-06", "")},
		legal: "2026-04-18", safe: "2026-04-17", extended: "2026-06-02", extSafe: "2026-06-02", confirmed: "2026-03-18", confSafe: "2026-03-18",
	},
	"Canada: 30 and 30 days": {law: "ca-pipeda", place: "CA", received: "2026-01-31", legal: "2026-03-02", safe: "2026-03-02", extended: "2026-04-01", extSafe: "2026-04-01"},
	"Minnesota: a figure that was not verified binds at its safe date": {
		law: "us-mn", place: "US-CA", received: "2026-05-20", legal: "2026-07-03", safe: "2026-07-03", // 4 July is a Saturday
	},
	"Brazil: 15 days": {law: "br-lgpd", place: "BR", received: "2026-01-31", legal: "2026-02-15", safe: "2026-02-13"},
	"Virginia: 45 and 45 days": {
		law: "us-va", place: "US-VA", received: "2026-01-31", legal: "2026-03-17", safe: "2026-03-17", extended: "2026-05-01", extSafe: "2026-05-01",
	},
}

// stopped is a time of waiting, in dates; it lasts if answered is empty.
func stopped(cause law.Cause, asked, answered string) law.Stop {
	s := law.Stop{Cause: cause}
	s.Asked, _ = time.Parse(time.DateOnly, asked)
	s.Asked = s.Asked.Add(13 * time.Hour)
	if answered != "" {
		s.Answered, _ = time.Parse(time.DateOnly, answered)
		s.Answered = s.Answered.Add(14 * time.Hour)
	}
	return s
}

func TestGoldenCounts(t *testing.T) {
	t.Parallel()
	for name, g := range golden {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			received, err := time.Parse(time.DateOnly, g.received)
			if err != nil {
				t.Fatal(err)
			}
			c := law.Case{
				Regimes: []string{g.law}, Right: g.right, Received: received.Add(12 * time.Hour), Zone: time.UTC, Place: g.place,
				Stops: g.stops, Now: received.AddDate(0, 0, 20),
			}
			if c.Right == "" {
				c.Right = "access"
			}
			same := func(what string, got time.Time, want string) {
				t.Helper()
				if want == "" {
					return
				}
				if day := got.Format(time.DateTime); day != want+" 23:59:59" {
					t.Errorf("%s %s, want the end of %s", what, day, want)
				}
			}
			d, err := law.Count(c)
			if err != nil {
				t.Fatal(err)
			}
			same("respond by", d.RespondBy, g.legal)
			same("safe by", d.SafeBy, g.safe)
			same("acknowledge by", d.AcknowledgeBy, g.confirmed)
			clocks := clocksOf(t, c)
			same("acknowledge, the clock,", clocks[law.Acknowledge].Legal, g.confirmed)
			same("acknowledge safely by", clocks[law.Acknowledge].Safe, g.confSafe)

			if g.extended == "" {
				return
			}
			same("tell of an extension by", clocks[law.ExtendNotice].Legal, g.legal)
			same("extended to", clocks[law.Extended].Legal, g.extended)
			same("extended safely to", clocks[law.Extended].Safe, g.extSafe)
			e, err := law.ExtensionOf(c)
			if err != nil {
				t.Fatal(err)
			}
			same("tell by", e.Notice, g.legal)
			same("extension until", e.Until, g.extended)
			same("extension safe until", e.SafeBy, g.extSafe)
			if len(e.Grounds) == 0 || e.Article == "" {
				t.Errorf("an extension on what grounds? %+v", e)
			}
			c.Extended = true
			if d, err = law.Count(c); err != nil {
				t.Fatal(err)
			}
			same("respond, extended, by", d.RespondBy, g.extended)
			same("safe, extended, by", d.SafeBy, g.extSafe)
		})
	}
}

// clocksOf returns the clocks of a case by name.
func clocksOf(t *testing.T, c law.Case) map[law.Clock]law.Reckoning {
	t.Helper()
	all, err := law.Clocks(c)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[law.Clock]law.Reckoning{}
	for _, r := range all {
		if _, twice := byName[r.Clock]; twice {
			t.Errorf("two clocks are called %s", r.Clock)
		}
		byName[r.Clock] = r
	}
	return byName
}

// text is an explanation, line by line.
func text(r law.Reckoning) string {
	var b strings.Builder
	for _, s := range r.Steps {
		b.WriteString(s.Text + "\n")
	}
	return b.String()
}
