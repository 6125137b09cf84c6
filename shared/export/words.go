package export

import (
	"embed"
	"encoding/json"
	"strings"
	"sync"

	"rightsdesk/shared/page/words"
)

// speech is what a package says in one language. Dates it says as every page
// and mail does; its own texts are one flat file per language.
type speech struct {
	words.Words
	texts map[string]string
}

//go:embed language/*.json
var catalogues embed.FS

var speeches = sync.OnceValue(func() map[string]speech {
	all := map[string]speech{}
	for _, language := range words.Languages() {
		s := speech{Words: words.In(language)}
		b, err := catalogues.ReadFile("language/" + language + ".json")
		if err == nil {
			err = json.Unmarshal(b, &s.texts)
		}
		if err != nil {
			panic("export: the texts in " + language + ": " + err.Error()) // the build is wrong; a test asks for all
		}
		all[language] = s
	}
	return all
})

// speechIn returns how a package speaks in a language, or in the one that is
// spoken where there are no words in it.
func speechIn(language string) speech {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	return speeches()[words.In(base).Language()]
}

// T returns a text. values are names and what stands for them: T("first_of", "shown", "1000").
func (s speech) T(key string, values ...string) string {
	for i := 1; i < len(values); i += 2 {
		values[i-1] = "{" + values[i-1] + "}"
	}
	return strings.NewReplacer(values...).Replace(s.texts[key])
}
