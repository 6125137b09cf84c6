package words_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"rightsdesk/shared/page/words"
)

// entries are a catalogue's keys and texts in the order of the file, which a map would forget.
type entries struct{ keys, texts []string }

func catalogue(t *testing.T, language string) entries {
	t.Helper()
	b, err := os.ReadFile(language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	var e entries
	for {
		token, err := d.Token()
		if err != nil {
			return e
		}
		s, ok := token.(string)
		switch {
		case !ok: // a brace
		case len(e.keys) == len(e.texts):
			e.keys = append(e.keys, s)
		default:
			e.texts = append(e.texts, s)
		}
	}
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func TestEveryLanguageSaysTheSameThings(t *testing.T) {
	t.Parallel()
	first := catalogue(t, words.Languages()[0])
	for _, l := range words.Languages() {
		c := catalogue(t, l)
		if len(c.keys) < 100 {
			t.Fatalf("%s has %d keys; the test does not read it", l, len(c.keys))
		}
		seen := map[string]bool{}
		for i, key := range c.keys {
			if seen[key] {
				t.Errorf("%s: %s stands twice", l, key)
			}
			seen[key] = true
			text := c.texts[i]
			if text != strings.TrimSpace(text) && key != "number.group" || text == "" {
				t.Errorf("%s: %s is empty or has spaces around it", l, key)
			}
			if strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%s: %s has a control character", l, key)
			}
		}
		for i, key := range first.keys {
			j := slices.Index(c.keys, key)
			if j < 0 {
				t.Errorf("%s: %s is missing", l, key)
				continue
			}
			want, got := placeholder.FindAllString(first.texts[i], -1), placeholder.FindAllString(c.texts[j], -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(slices.Compact(want), slices.Compact(got)) {
				t.Errorf("%s: %s has the places %v, want %v", l, key, got, want)
			}
		}
		if !slices.Equal(c.keys, first.keys) {
			t.Errorf("%s: the keys are not those of %s, in their order", l, words.Languages()[0])
		}
	}
}

func TestAnUnknownLanguageIsSpokenToInTheFirst(t *testing.T) {
	t.Parallel()
	if got := words.In("tlh").Language(); got != "en" {
		t.Errorf("got %q", got)
	}
}

func TestValuesAreNeverReadAsTexts(t *testing.T) {
	t.Parallel()
	w := words.In("en")
	if got := w.T("mail.outcome", "category", "{outcome}", "outcome", "gone"); got != "{outcome}: gone." {
		t.Errorf("got %q", got)
	}
	if got := w.T("no.such.key"); got != "no.such.key" {
		t.Errorf("got %q", got)
	}
}

func TestPlurals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		language string
		n        int
		want     string
	}{
		{"en", 0, "0 records erased; we looked again and none is left"},
		{"en", 1, "1 record erased; we looked again and none is left"},
		{"en", 1234567, "1,234,567 records erased; we looked again and none is left"},
		{"fr", 0, "0 enregistrement effacé\u00a0; nous avons vérifié, il n’en reste aucun"},
		{"fr", 1, "1 enregistrement effacé\u00a0; nous avons vérifié, il n’en reste aucun"},
		{"fr", 1234, "1\u202f234 enregistrements effacés\u00a0; nous avons vérifié, il n’en reste aucun"},
	}
	for _, tt := range tests {
		if got := words.In(tt.language).N("result.erased", tt.n); got != tt.want {
			t.Errorf("%s %d: %q, want %q", tt.language, tt.n, got, tt.want)
		}
	}
}

func TestDatesAreToldInTheZoneAndTheLanguage(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	night := time.Date(2026, time.February, 28, 23, 30, 0, 0, time.UTC)
	tests := []struct {
		language    string
		at          time.Time
		zone        *time.Location
		day, moment string
	}{
		{"en", night, nil, "28 February 2026", "28 February 2026, 23:30 (UTC)"},
		{"en", night, paris, "1 March 2026", "1 March 2026, 00:30 (CET)"},
		{"fr", night, paris, "1er mars 2026", "1er mars 2026 à 00:30 (CET)"},
		{"fr", night.AddDate(0, 0, 4), paris, "5 mars 2026", "5 mars 2026 à 00:30 (CET)"},
		{"en", night, time.FixedZone("-03", -3*3600), "28 February 2026", "28 February 2026, 20:30 (UTC-03:00)"},
		{"en", time.Time{}, paris, "", ""},
	}
	for _, tt := range tests {
		w := words.In(tt.language)
		if day, moment := w.Day(tt.at, tt.zone), w.Moment(tt.at, tt.zone); day != tt.day || moment != tt.moment {
			t.Errorf("%s %v: %q and %q, want %q and %q", tt.language, tt.at, day, moment, tt.day, tt.moment)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	until := time.Date(2031, time.March, 5, 0, 0, 0, 0, time.UTC)
	tests := map[string]words.Outcome{
		"12 records erased; we looked again and none is left": {Result: words.Erased, Count: 12},
		"Erased":                           {Result: words.Erased},
		"Kept until 5 March 2031: tax law": {Result: words.Kept, Duty: "tax law", Until: until, Count: 3},
		"Kept: tax law":                    {Result: words.Kept, Duty: "tax law"},
		"We looked and found nothing":      {Result: words.Nothing},
		"The company only stores this for Example Apps, Inc. Please ask them": {Result: words.Elsewhere, Controller: "Example Apps, Inc"},
	}
	for want, o := range tests {
		if got := words.In("en").Outcome(o, nil); got != want {
			t.Errorf("%+v: %q, want %q", o, got, want)
		}
	}
	for _, l := range words.Languages() {
		for _, r := range words.Results {
			for _, n := range []int{0, 1, 2} {
				got := words.In(l).Outcome(words.Outcome{Result: r, Count: n}, nil)
				if got == "" || strings.HasPrefix(got, "result.") || strings.HasSuffix(got, ".") || placeholder.MatchString(got) {
					t.Errorf("%s %s %d: %q", l, r, n, got)
				}
			}
		}
	}
}

func TestPlacesHaveANameInEveryLanguage(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`^[A-Z]{2}(-[A-Z]{2})?$`)
	codes := func(l string) (list []string) {
		for _, p := range words.In(l).Places() {
			if !code.MatchString(p.Code) || p.Name == "" || p.Name != words.Line(p.Name) {
				t.Errorf("%s: %+v", l, p)
			}
			list = append(list, p.Code)
		}
		slices.Sort(list)
		return list
	}
	first := codes("en")
	if len(slices.Compact(slices.Clone(first))) != len(first) || len(first) < 300 {
		t.Errorf("%d places, or one stands twice", len(first))
	}
	for _, l := range words.Languages() {
		if !slices.Equal(codes(l), first) {
			t.Errorf("%s has other places than en", l)
		}
	}
	if got := words.In("fr").Place("US-CA"); got != "Californie" {
		t.Errorf("US-CA is %q", got)
	}
	if got := words.In("fr").Place("CH-ZH"); got != "CH-ZH" {
		t.Errorf("CH-ZH is %q", got)
	}
}

func TestACodeWithoutATextIsShownInWords(t *testing.T) {
	t.Parallel()
	if got := words.In("fr").Name("identity", "loyalty_card"); got != "loyalty card" {
		t.Errorf("got %q", got)
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "a\r\nBcc: eve@example.net", "a\u202egnp.exe", "\u2028x\u2029", "\xff\xfe", "  a \t b\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := words.Line(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
		}) {
			t.Errorf("Line(%q) = %q", s, got)
		}
		if again := words.Line(got); again != got {
			t.Errorf("Line(%q) = %q, and of that %q", s, got, again)
		}
	})
}
