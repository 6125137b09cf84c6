package law

import (
	"testing"
	"time"
)

func TestHolidayFirst(t *testing.T) {
	t.Parallel()
	for _, h := range Holidays("US-CA", 2026) {
		t.Log(h)
	}
	for _, h := range Holidays("DE-BE", 2026) {
		t.Log(h)
	}
}

func BenchmarkHoliday(b *testing.B) {
	d := Day(2026, time.February, 25)
	b.ReportAllocs()
	for b.Loop() {
		holiday("US-CA", d)
	}
}
