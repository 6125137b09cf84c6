package stack

import (
	"testing"
	"time"
)

func TestWindowsFitCloudWatch(t *testing.T) {
	t.Parallel()
	for window, want := range map[time.Duration]struct {
		period  time.Duration
		periods int
	}{
		11 * time.Minute:                {time.Minute, 11},
		24 * time.Hour:                  {time.Minute, 1440},
		24*time.Hour + time.Minute:      {time.Hour, 25}, // rounded up: late rather than false
		3*24*time.Hour + 1*time.Minute:  {time.Hour, 73},
		7 * 24 * time.Hour:              {time.Hour, 168},
		10*time.Minute + 30*time.Second: {time.Minute, 11},
	} {
		period, periods := windowOf(window)
		if period != want.period || periods != want.periods {
			t.Errorf("%v is %d x %v, want %d x %v", window, periods, period, want.periods, want.period)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	for every, want := range map[time.Duration]string{
		time.Minute:      "rate(1 minute)",
		2 * time.Minute:  "rate(2 minutes)",
		24 * time.Hour:   "rate(1440 minutes)",
		90 * time.Second: "",
		time.Second:      "",
		0:                "",
	} {
		got := func() (r string) {
			defer func() {
				if recover() != nil {
					r = ""
				}
			}()
			return rate(every)
		}()
		if got != want {
			t.Errorf("every %v is %q, want %q", every, got, want)
		}
	}
}
