package bulletin_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/bulletin"
)

var update = flag.Bool("update", false, "write the schemas of published events and their list in docs/events.md anew")

const (
	schemas = "../../events/schema/published"
	guide   = "../../docs/events.md"
)

type object = map[string]any

// schemaOf is the JSON Schema of a type, of which the file is made.
func schemaOf(what bulletin.Type) object {
	about := make([]any, len(what.About))
	for i, family := range what.About {
		about[i] = bulletin.About(family)
	}
	properties := object{
		"event": object{"type": "string", "pattern": bulletin.EventPattern, "description": "Names the event. One that comes again has the same name: drop it."},
		"about": object{"enum": about, "description": "What kind of thing it is about."},
		"id":    object{"type": "string", "pattern": bulletin.IDPattern, "description": "Which of them: the number of the request, the id of the rule. It names nobody."},
		"seq":   object{"type": "integer", "minimum": 0, "description": "Its number among all that happened to that thing. Events may come in any order; some numbers are told of nothing."},
		"at":    object{"type": "string", "format": "date-time", "description": "When it happened."},
		"by":    object{"enum": bulletin.Actors, "description": "Who did it, in one word."},
	}
	for _, f := range what.Facts {
		p := map[bulletin.Kind]object{
			bulletin.Word:    {"type": "string", "pattern": bulletin.WordPattern},
			bulletin.Words:   {"type": "array", "minItems": 1, "items": object{"type": "string", "pattern": bulletin.WordPattern}},
			bulletin.Number:  {"type": "integer", "minimum": 0},
			bulletin.Instant: {"type": "string", "format": "date-time"},
			bulletin.Truth:   {"type": "boolean"},
			bulletin.Name:    {"type": "string", "pattern": bulletin.NamePattern},
			bulletin.Version: {"type": "string", "pattern": bulletin.VersionPattern},
			bulletin.Digest:  {"type": "string", "pattern": bulletin.DigestPattern},
		}[f.Kind]
		p["description"] = f.Says
		properties[f.Name] = p
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     "https://rightsdesk.example.org/events/published/" + what.Name + ".json",
		"title":   what.Name,
		"description": what.Says + " This is the detail of an event of this detail-type, with the source " + bulletin.Source +
			", on the installation's event bus. It holds nothing personal. Later versions may tell more, and never less.",
		"type": "object", "properties": properties, "required": []any{"event", "about", "seq", "at"}, "additionalProperties": false,
	}
}

func fileOf(what bulletin.Type) string { return filepath.Join(schemas, what.Name+".json") }

func TestEveryTypeHasItsSchema(t *testing.T) {
	t.Parallel()
	var want []string
	for _, what := range bulletin.Types {
		want = append(want, fileOf(what))
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(schemaOf(what)); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(fileOf(what), b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(fileOf(what)); err != nil || !bytes.Equal(got, b.Bytes()) {
			t.Errorf("%s is not what is sent (%v); write it with -update, and read the difference", fileOf(what), err)
		}
	}
	got, err := filepath.Glob(schemas + "/*")
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("schemas of %v, want of %v: %v", got, want, err)
	}
}

func compiled(tb testing.TB, what bulletin.Type) *jsonschema.Schema {
	tb.Helper()
	file, err := os.ReadFile(fileOf(what))
	if err != nil {
		tb.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.json", document); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("event.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// sent is the detail as a receiver reads it.
func sent(t *testing.T, ev bulletin.Event) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(asJSON(t, ev.Detail)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatIsSentIsAsItsSchemaHasIt(t *testing.T) {
	t.Parallel()
	for _, what := range bulletin.Types {
		s := compiled(t, what)
		for _, family := range what.About {
			for _, action := range what.Does {
				for _, e := range []audit.Entry{full(what, family, action), entry(family+"#x", action), entry(family, action)} {
					ev, _, _ := bulletin.Of(e)
					if err := s.Validate(sent(t, ev)); err != nil {
						t.Errorf("%s: %v", what.Name, err)
					}
				}
			}
		}
		// And the schema lets nothing else through.
		ev, _, _ := bulletin.Of(full(what, what.About[0], what.Does[0]))
		for name, bad := range map[string]any{
			"email": "ada@example.org", "name": "Ada", "event": "x", "about": "person", "id": "ada@example.org", "seq": "three", "at": "one day", "by": "Ada Example",
		} {
			d := maps.Clone(ev.Detail)
			d[name] = bad
			if s.Validate(sent(t, bulletin.Event{Detail: d})) == nil {
				t.Errorf("the schema of %s lets %s through as %v", what.Name, name, bad)
			}
		}
		for _, f := range what.Facts {
			d := maps.Clone(ev.Detail)
			d[f.Name] = "Ada Example <ada@example.org>"
			if s.Validate(sent(t, bulletin.Event{Detail: d})) == nil {
				t.Errorf("the schema of %s lets anything through as %s", what.Name, f.Name)
			}
		}
	}
}

var name = regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)

func TestTypesAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, what := range bulletin.Types {
		if seen[what.Name] || !name.MatchString(what.Name) || !strings.HasSuffix(what.Says, ".") {
			t.Errorf("%s: %q", what.Name, what.Says)
		}
		seen[what.Name] = true
		for _, family := range what.About {
			for _, action := range what.Does {
				if key := family + " " + action; seen[key] {
					t.Errorf("%s makes two events", key)
				} else {
					seen[key] = true
				}
			}
		}
		for _, f := range what.Facts {
			if slices.Contains([]string{"event", "about", "id", "seq", "at", "by"}, f.Name) || f.Says == "" {
				t.Errorf("%s has a fact %q", what.Name, f.Name)
			}
		}
	}
}

// listed are the rows of the table in docs/events.md.
func listed() string {
	var b strings.Builder
	b.WriteString("| detail-type | what happened | facts |\n|---|---|---|\n")
	for _, what := range bulletin.Types {
		var facts []string
		for _, f := range what.Facts {
			facts = append(facts, "`"+f.Name+"`")
		}
		_, _ = fmt.Fprintf(&b, "| [`%s`](../events/schema/published/%[1]s.json) | %s | %s |\n", what.Name, what.Says, strings.Join(facts, ", "))
	}
	return b.String()
}

const begins, ends = "<!-- events: written by the tests of shared/bulletin -->\n", "<!-- /events -->"

func TestTheGuideListsEveryType(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begins)
	list, after, ok2 := strings.Cut(rest, ends)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the list of events", guide)
	}
	if *update {
		if err := os.WriteFile(guide, []byte(before+begins+listed()+ends+after), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if list != listed() {
		t.Errorf("%s lists other events than are sent; write it with -update", guide)
	}
}
