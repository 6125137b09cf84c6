package law_test

import (
	"testing"
	"time"

	"rightsdesk/shared/law"
)

type namedCase struct {
	name string
	law.Case
}

// hardest are the longest counts of what is asked for every request on a list.
func hardest(tb testing.TB) []namedCase {
	tb.Helper()
	berlin, london, angeles := zone(tb, "Europe/Berlin"), zone(tb, "Europe/London"), zone(tb, "America/Los_Angeles")
	at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 14, 30, 0, 0, time.UTC) }
	return []namedCase{
		{"EU over Easter", law.Case{Regimes: []string{"eu-gdpr"}, Residence: "DE", Right: "access", Received: at(3, 5), Zone: berlin, Place: "DE"}},
		{"UK paused", law.Case{
			Regimes: []string{"uk-gdpr"}, Residence: "GB-ENG", Right: "access", Received: at(6, 1), Zone: london, Place: "GB-ENG",
			Stops: []law.Stop{{Cause: law.Clarification, Asked: at(6, 3), Answered: at(6, 10)}},
		}},
		{"UK restarted, paused and extended", law.Case{
			Regimes: []string{"uk-gdpr"}, Residence: "GB-ENG", Right: "access", Received: at(6, 1), Zone: london, Place: "GB-ENG", Extended: true,
			Stops: []law.Stop{
				{Cause: law.Identity, Asked: at(6, 2), Answered: at(6, 9)},
				{Cause: law.Clarification, Asked: at(6, 10), Answered: at(6, 20)},
				{Cause: law.Clarification, Asked: at(7, 1)},
			},
			Now: at(7, 5),
		}},
		{"six laws, residence unknown", law.Case{
			Regimes: []string{"eu-gdpr", "uk-gdpr", "us-ca-ccpa", "ca-pipeda", "us-va", "us-states"},
			Right:   "access", Received: at(3, 5), Zone: berlin, Place: "DE",
		}},
		{"six laws, residence unknown, waiting", law.Case{
			Regimes: []string{"eu-gdpr", "uk-gdpr", "us-ca-ccpa", "ca-pipeda", "us-va", "us-states"},
			Right:   "access", Received: at(3, 5), Zone: berlin, Place: "DE",
			Stops: []law.Stop{{Cause: law.Identity, Asked: at(3, 6), Answered: at(3, 10)}},
		}},
		{"California, 15 business days", law.Case{Regimes: []string{"us-ca-ccpa"}, Residence: "US-CA", Right: "opt_out_sale", Received: at(11, 10), Zone: angeles, Place: "US-CA"}},
		{"California, confirmed and answered", law.Case{Regimes: []string{"us-ca-ccpa"}, Residence: "US-CA", Right: "know", Received: at(11, 10), Zone: angeles, Place: "US-CA"}},
	}
}

// At most 2 µs and no allocation.
func BenchmarkCount(b *testing.B) {
	for _, c := range hardest(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := law.Count(c.Case); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestCountAllocatesNothing(t *testing.T) { //nolint:paralleltest // it counts what everybody allocates
	ahead := asked("in-dpdp", "eu-gdpr")
	for _, c := range append(hardest(t), namedCase{"a law that is not in force yet", ahead}) {
		if n := testing.AllocsPerRun(100, func() { _, _ = law.Count(c.Case) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
