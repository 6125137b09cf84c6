package law_test

import (
	"testing"
	"time"

	"rightsdesk/shared/law"
)

// Every day of eight centuries, and some far away, as package time has them.
func TestADateIsTheDayThatTimeSaysItIs(t *testing.T) {
	t.Parallel()
	check := func(d law.Date) {
		want := time.Unix(int64(d)*86_400, 0).UTC()
		y, m, day := d.Civil()
		if wy, wm, wd := want.Date(); y != wy || m != wm || day != wd || d.Weekday() != want.Weekday() {
			t.Fatalf("%d is %d-%d-%d, a %v; want %v", d, y, m, day, d.Weekday(), want)
		}
		if back := law.Day(y, m, day); back != d {
			t.Fatalf("%d is %v, and that is %d", d, want, back)
		}
		if first, last := law.DateOf(want, time.UTC), law.DateOf(want.Add(24*time.Hour-1), time.UTC); first != d || last != d {
			t.Fatalf("%v is %d, and ends as %d, want %d", want, first, last, d)
		}
	}
	for d := law.Day(1600, time.January, 1); d <= law.Day(2400, time.December, 31); d++ {
		check(d)
	}
	for d := law.Date(-800_000); d < 3_000_000; d += 997 {
		check(d)
	}
}

func TestADayThatAMonthDoesNotHaveIsCountedOn(t *testing.T) {
	t.Parallel()
	for month := time.Month(-30); month < 40; month++ {
		for day := -40; day < 80; day++ {
			want := law.DateOf(time.Date(2026, month, day, 0, 0, 0, 0, time.UTC), time.UTC)
			if got := law.Day(2026, month, day); got != want {
				t.Fatalf("day %d of month %d of 2026 is %v, want %v", day, month, got, want)
			}
		}
	}
}

// A date ends on its last second, whatever the clocks of the zone did that night.
func TestADateEndsOnItsLastSecond(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		z := zone(t, name)
		for d := law.Day(2001, time.January, 1); d < law.Day(2038, time.January, 1); d++ {
			end := d.End(z)
			if name == "Pacific/Apia" && d == law.Day(2011, time.December, 30) {
				continue // there was no such day
			}
			if clock := end.Format("2006-01-02 15:04:05"); clock != d.String()+" 23:59:59" {
				t.Fatalf("%s: %v ends at %s", name, d, clock)
			}
			if law.DateOf(end, z) != d || law.DateOf(end.Add(time.Second), z) <= d {
				t.Fatalf("%s: %v ends at %v, and a second later it is %v", name, d, end, law.DateOf(end.Add(time.Second), z))
			}
		}
	}
}

// zones have every kind of change: none, at night, at midnight, by half an hour, in
// the Ramadan, across the date line, and none any more.
var zones = []string{
	"UTC", "Europe/Berlin", "Europe/London", "America/Los_Angeles", "America/Sao_Paulo", "America/Santiago", "Asia/Beirut",
	"Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "America/St_Johns", "Asia/Tehran", "Asia/Kolkata", "Pacific/Kiritimati",
}
