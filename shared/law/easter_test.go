package law

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestEaster compares three centuries with python-dateutil, whose algorithm is
// another one: see testdata/generate.py.
func TestEaster(t *testing.T) {
	t.Parallel()
	years := witnessedEasters(t)
	if len(years) != 301 {
		t.Fatalf("the witness knows %d years, want 1900 to 2200", len(years))
	}
	for year, want := range years {
		if got := easter(year); got != want[0] || got.Weekday() != time.Sunday {
			t.Errorf("Easter %d is %s, want %s", year, got.words(), want[0])
		}
		if got := orthodoxEaster(year); got != want[1] || got.Weekday() != time.Sunday {
			t.Errorf("Orthodox Easter %d is %s, want %s", year, got.words(), want[1])
		}
	}
}

// witnessedEasters reads the Western and the Orthodox Easter Sunday of each year.
func witnessedEasters(t *testing.T) map[int][2]Date {
	t.Helper()
	years := map[int][2]Date{}
	for _, line := range witnessed(t, "testdata/easter.txt") {
		year := number(t, line[0])
		years[year] = [2]Date{dated(t, line[0]+line[1]), dated(t, line[0]+line[2])}
	}
	return years
}

// witnessed reads the lines of a file, split at spaces, without comments.
func witnessed(t *testing.T, file string) (lines [][]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.Fields(line))
		}
	}
	return lines
}
