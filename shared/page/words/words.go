// Package words is what Rightsdesk says to people, in every language it speaks:
// a catalogue of texts per language, and the few things that pages and mails
// both say, such as a date or what became of somebody's data.
//
// A catalogue is one flat JSON file, the form that every translator's tool
// reads. Keys are grouped by their first part. {name} stands for a value; a text
// that depends on a number has one key per plural form, ending in .one and
// .other. To add a language, add its two files here and name it in languages.
//
// It knows neither HTML nor mail nor the domain, and imports the standard
// library only. page, mail and what renders them may import it.
package words

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// languages are the languages there are catalogues for, the fallback first.
var languages = []string{"en", "fr"}

// Languages returns the BCP 47 tags of the languages there are words in. The
// first one is spoken where nothing better is known.
func Languages() []string { return slices.Clone(languages) }

// Words is one language's words. The zero Words says nothing; In returns one that does.
type Words struct {
	language string
	texts    map[string]string
	places   []Place
}

// Place is a country, a state of the United States or a province of Canada,
// which have privacy laws of their own.
type Place struct {
	Code string // ISO 3166: "FR", "US-CA"
	Name string // in the language
}

// In returns the words of a language, of the fallback if there are none in it.
func In(language string) Words {
	all := catalogues()
	if w, ok := all[language]; ok {
		return w
	}
	return all[languages[0]]
}

//go:embed *.json
var files embed.FS

var catalogues = sync.OnceValue(func() map[string]Words {
	all := make(map[string]Words, len(languages))
	for _, l := range languages {
		w := Words{language: l}
		read(l+".json", &w.texts)
		var pairs [][2]string
		read(l+".places.json", &pairs)
		for _, p := range pairs {
			w.places = append(w.places, Place{Code: p[0], Name: p[1]})
		}
		if l == "fr" {
			for key, text := range w.texts {
				w.texts[key] = french(text)
			}
		}
		all[l] = w
	}
	return all
})

// read stops the program for a catalogue that is no JSON: the build is wrong,
// and a test says so before anybody can install it.
func read(name string, into any) {
	b, err := files.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		panic(fmt.Sprintf("words: %s: %v", name, err))
	}
}

// french sets the spaces that French puts before some marks as spaces at which
// no line breaks, so that translators need not type what they cannot see.
var french = strings.NewReplacer(" :", "\u00a0:", " ;", "\u00a0;", " !", "\u00a0!", " ?", "\u00a0?", "« ", "«\u00a0", " »", "\u00a0»").Replace

// Language returns the BCP 47 tag of the words.
func (w Words) Language() string { return w.language }

// Places returns every place, countries first, in the order of their names.
func (w Words) Places() []Place { return w.places }

// Place returns the name of a place, the code itself if it has none.
func (w Words) Place(code string) string {
	i := slices.IndexFunc(w.places, func(p Place) bool { return p.Code == code })
	if i < 0 {
		return Line(code)
	}
	return w.places[i].Name
}

// Has reports whether there is a text for key.
func (w Words) Has(key string) bool { _, ok := w.texts[key]; return ok }

// T returns the text for key with its values put in: name and value by turns, as
// in T("until", "when", "5 March"). A value is put in as it is and never read as
// a text with places of its own. A key without a text is returned itself, so that
// a mistake is seen rather than silent; tests find it first.
func (w Words) T(key string, values ...string) string {
	text, ok := w.texts[key]
	if !ok {
		return key
	}
	if len(values) == 0 {
		return text
	}
	pairs := make([]string, 0, len(values))
	for i := 0; i+1 < len(values); i += 2 {
		pairs = append(pairs, "{"+values[i]+"}", values[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// N returns the text for key in the plural form that n takes; {n} stands for n.
func (w Words) N(key string, n int, values ...string) string {
	form := ".other"
	if n == 1 || n == 0 && w.language == "fr" { // in French, nothing is singular
		form = ".one"
	}
	return w.T(key+form, append([]string{"n", w.Number(n)}, values...)...)
}

// Name returns the text for a code of a group, for example of a right. A code
// that has no text, because a policy made it up, is shown as the words it is made of.
func (w Words) Name(group, code string) string {
	if key := group + "." + code; w.Has(key) {
		return w.T(key)
	}
	return Line(strings.NewReplacer("_", " ", "-", " ").Replace(code))
}

// Number returns n with its thousands set apart.
func (w Words) Number(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(w.T("number.group"))
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Day returns the date of t in the zone: 5 March 2026.
func (w Words) Day(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	t = in(t, zone)
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = w.T("date.first")
	}
	return w.T("date.day", "day", day, "month", w.T("month."+strconv.Itoa(int(t.Month()))), "year", strconv.Itoa(t.Year()))
}

// Moment returns date and time of t in the zone, and names the zone: a reader
// may live in another one.
func (w Words) Moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	t = in(t, zone)
	name, seconds := t.Zone()
	if strings.ContainsAny(name, "+-") { // the zone has a number for a name
		name = "UTC" + t.Format("-07:00")
	} else if seconds == 0 && name == "" {
		name = "UTC"
	}
	return w.T("date.moment", "day", w.Day(t, zone), "time", t.Format("15:04"), "zone", name)
}

func in(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// Line returns s as one line that cannot disturb the text around it: control
// characters and line breaks become spaces, runs of space one space, and the
// characters that turn the direction of writing, which can make a text read as
// what it is not, are dropped.
func Line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}
