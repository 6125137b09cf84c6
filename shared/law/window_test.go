package law

import (
	"testing"
	"time"
)

// The holidays of 64 days at once are those of each of them.
func TestHolidaysOfManyDays(t *testing.T) {
	t.Parallel()
	for _, c := range calendars {
		for first := Day(2019, time.October, 1); first < Day(2031, time.January, 1); first += 5 {
			days := c.from(first)
			for i := range 64 {
				day := first + Date(i)
				if _, want := holiday(c.place, day); days>>i&1 != 0 != want {
					t.Fatalf("%s: %v is a holiday: %v, and among the days from %v on it is not so", c.place, day, want, first)
				}
			}
		}
	}
}
