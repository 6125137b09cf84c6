package bulletin_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/closure"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/request"
)

var at = time.Date(2026, 3, 1, 9, 30, 0, 123e6, time.UTC)

func entry(chain, action string, facts ...string) audit.Entry {
	e := audit.Entry{Chain: chain, Seq: 3, At: at, Actor: "person", Action: action}
	for i := 0; i+1 < len(facts); i += 2 {
		e.Facts = append(e.Facts, audit.Fact{Name: facts[i], Value: facts[i+1]})
	}
	return e
}

// wordsIn finds what a pattern captures in the Go files of packages.
func wordsIn(t *testing.T, pattern string, globs ...string) []string {
	t.Helper()
	var found []string
	for _, glob := range globs {
		files, err := filepath.Glob(filepath.Join("..", glob))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", glob, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(b), -1) {
				found = append(found, m[1])
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s is nowhere in %v: the test reads nothing", pattern, globs)
	}
	return found
}

// actions are what the entries of every chain say, read where they are written.
func actions(t *testing.T) map[string][]string {
	t.Helper()
	named := func(globs ...string) []string {
		return wordsIn(t, `(?m)^(?:const )?\s*action\w+\s*= "(\w+)"`, globs...)
	}
	all := map[string][]string{
		"request":    append(wordsIn(t, `Action: "(\w+)"`, "request/submit.go", "request/opening.go"), texts(request.Actions)...),
		"operator":   wordsIn(t, `Action: "(\w+)"|by\.Actor\(\), Action: "(\w+)"`, "request/show.go"),
		"closure":    append(wordsIn(t, `(?m)^(?:const )?\s*(?:asked|began|withheld)\s+= "(\w+)"`, "closure/status.go"), texts(closure.Actions)...),
		"consent":    append(named("consent/*.go"), wordsIn(t, `(?m)^\s+(?:Granted|Denied|Withdrawn)\s+Choice = "(\w+)"`, "consent/consent.go")...),
		"halt":       wordsIn(t, `s\.turn\(ctx, by, "(\w+)"`, "consent/halt.go"),
		"hold":       append(texts(hold.Actions), string(hold.Place)),
		"sweep":      wordsIn(t, `(?m)^\s+\w+\s+Action = "(\w+)"`, "retention/status.go"),
		"salts":      {"braked", "confirmed"},
		"erased":     named("erasure/ledger.go"),
		"life":       {"account.closed", "retire", "chose"},
		"replay":     {"started", "ended"},
		"digest":     named("digest/send.go"),
		"policy":     {edition.Published, edition.Opened, edition.Closed},
		"checkpoint": wordsIn(t, `Action\w+\s*= "(\w+)"`, "checkpoint/*.go"),
	}
	for family := range all {
		all[family] = append(all[family], "restored")
	}
	return all
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return out
}

// Whoever adds an action decides here whether the company's systems are told of it.
func TestEveryActionIsToldOrKeptForAReason(t *testing.T) {
	t.Parallel()
	all := actions(t)
	for family, list := range all {
		for _, action := range list {
			if _, _, known := bulletin.Of(entry(family+"#x", action)); !known {
				t.Errorf("%s %q is neither among the published types nor among the silent ones, with a reason", family, action)
			}
		}
	}
	for _, what := range bulletin.Types { // and the table names nothing that never happens
		for _, family := range what.About {
			for _, action := range what.Does {
				if !slices.Contains(all[family], action) {
					t.Errorf("%s is made of %s %q, which no entry says", what.Name, family, action)
				}
			}
		}
	}
	for family, list := range bulletin.Silent() {
		for _, action := range list {
			if !slices.Contains(all[family], action) {
				t.Errorf("%s %q is kept, and no entry says it", family, action)
			}
			if _, told, _ := bulletin.Of(entry(family+"#x", action)); told {
				t.Errorf("%s %q is kept, and told as well", family, action)
			}
		}
	}
	// Who writes entries that this test does not know of?
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	writers := strings.Fields("checkpoint closure consent digest edition erasure hold lifecycle request restore retention")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Base(filepath.Dir(file))
		writes := regexp.MustCompile(`audit\.Entry\{\s*[\w{]`).Match(b) && !strings.HasSuffix(file, "_test.go")
		if writes && !slices.Contains(writers, folder) {
			t.Errorf("%s writes entries; say above which actions it has", file)
		}
	}
}

// full is an entry that tells every fact that its type may have, each in its form.
func full(what bulletin.Type, family, action string) audit.Entry {
	e := entry(family+"#4f1d2c", action)
	for _, f := range what.Facts {
		name := f.Of
		if name == "" {
			name = f.Name
		}
		value := map[bulletin.Kind]string{
			bulletin.Word: "access", bulletin.Words: "T-3,new", bulletin.Number: "12", bulletin.Instant: "2026-04-01T00:00:00Z", bulletin.Truth: "true",
			bulletin.Name: "4f1d2c-9", bulletin.Version: "2026-03.1", bulletin.Digest: strings.Repeat("0f", 32),
		}[f.Kind]
		e.Facts = append(e.Facts, audit.Fact{Name: name, Value: value})
	}
	return e
}

func TestAnEventTellsTheFactsOfItsEntry(t *testing.T) {
	t.Parallel()
	for _, what := range bulletin.Types {
		for _, family := range what.About {
			for _, action := range what.Does {
				ev, told, _ := bulletin.Of(full(what, family, action))
				if !told || ev.Type != what.Name || !ev.At.Equal(at) {
					t.Errorf("%s %s is told as %s: %v", family, action, ev.Type, told)
				}
				for _, f := range what.Facts {
					if ev.Detail[f.Name] == nil {
						t.Errorf("%s lacks %s", what.Name, f.Name)
					}
				}
				if ev.Detail["id"] != "4f1d2c" || ev.Detail["seq"] != int64(3) || ev.Detail["by"] != "person" || ev.Detail["at"] != "2026-03-01T09:30:00.123Z" {
					t.Errorf("%s: %v", what.Name, ev.Detail)
				}
			}
		}
	}
}

// What somebody could be known by has no form of a fact, whatever the fact is called.
func TestNothingPersonalHasTheFormOfAFact(t *testing.T) {
	t.Parallel()
	const tell = "Ada Example"
	for _, value := range []string{
		"ada@example.org", tell, "Ada", "+33 6 12 34 56 78", "1 rue de l'Exemple", "ada\nexample", "<b>ada</b>", "ä", strings.Repeat("a", 200),
		"", "-1", "ada;lovelace", "ada/lovelace", "a,Ada", "{}", `"`, "\x00",
	} {
		for _, what := range bulletin.Types {
			e := full(what, what.About[0], what.Does[0])
			clean, _, _ := bulletin.Of(e)
			for i, f := range e.Facts {
				was := f.Value
				e.Facts[i].Value = value
				ev, _, _ := bulletin.Of(e)
				for name, v := range ev.Detail {
					if want, ok := clean.Detail[name]; !ok || asJSON(t, v) != asJSON(t, want) {
						// The version of a policy or rule is its author's, and may be a word.
						if v == "Ada" && slices.ContainsFunc(what.Facts, func(f bulletin.Fact) bool { return f.Name == name && f.Kind == bulletin.Version }) {
							continue
						}
						t.Errorf("%s: the fact %s passes %q on", what.Name, f.Name, value)
					}
				}
				e.Facts[i].Value = was
			}
			e.Facts = append(e.Facts, audit.Fact{Name: "email", Value: "ada"}, audit.Fact{Name: "holder", Value: "abc"}, audit.Fact{Name: "subject", Value: "s1"})
			e.Actor = "operator:ada"
			ev, _, _ := bulletin.Of(e)
			if text := asJSON(t, ev.Detail); strings.Contains(text, "ada") || strings.Contains(text, "abc") || strings.Contains(text, "s1") || ev.Detail["by"] != "operator" {
				t.Errorf("%s passes on what nobody named, or who it was: %s", what.Name, text)
			}
		}
	}
	// An id that is none is not told either.
	if ev, _, _ := bulletin.Of(entry("request#ada@example.org", "receive")); ev.Detail["id"] != nil {
		t.Errorf("an address is told as an id: %v", ev.Detail)
	}
	if ev, _, _ := bulletin.Of(audit.Entry{Chain: "request#1", Action: "receive", Actor: "Ada Example"}); ev.Detail["by"] != nil {
		t.Errorf("a name is told as an actor: %v", ev.Detail)
	}
}

func TestAFactThatIsNoneOfItsKindIsNotTold(t *testing.T) {
	t.Parallel()
	for fact, bad := range map[string][]string{"until": {"2026-13-45", "tomorrow", "0001-01-01T00:00:00Z"}, "method": {"TRUE", "1", "T-", "T-1x"}} {
		for _, value := range bad {
			if ev, told, _ := bulletin.Of(entry("consent#1", "granted", fact, value)); !told || ev.Detail[fact] != nil {
				t.Errorf("%s %q is told: %v", fact, value, ev.Detail)
			}
		}
	}
	for fact, bad := range map[string][]string{"verified": {"TRUE", "yes", "1"}, "seen": {"-1", "1.5", "many"}, "run": {"A b", "-a", "a.b"}} {
		for _, value := range bad {
			if ev, told, _ := bulletin.Of(entry("sweep#1", "ended", fact, value)); !told || ev.Detail[fact] != nil {
				t.Errorf("%s %q is told: %v", fact, value, ev.Detail)
			}
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestARepetitionHasTheSameName(t *testing.T) {
	t.Parallel()
	names := map[any]string{}
	for _, chain := range []string{"request#a", "request#b", "closure#a", "halt"} {
		for seq := range int64(3) {
			action := map[string]string{"closure#a": "ask", "halt": "halted"}[chain]
			if action == "" {
				action = "receive"
			}
			e := entry(chain, action)
			e.Seq = seq
			one, told, _ := bulletin.Of(e)
			again, _, _ := bulletin.Of(e)
			if !told || !maps.Equal(one.Detail, again.Detail) {
				t.Errorf("%s %d: %v, then %v", chain, seq, one, again)
			}
			if other, taken := names[one.Detail["event"]]; taken {
				t.Errorf("%s %d has the name of %s", chain, seq, other)
			}
			names[one.Detail["event"]] = chain
		}
	}
}
