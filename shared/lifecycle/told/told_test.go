package told_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/lifecycle/told"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/topology"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemas = "../../../events/schema/"

// body is what the bus put into the queue, of a recorded event.
func body(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../../../events/closure/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ Records []struct{ Body string } }
	if err := json.Unmarshal(b, &e); err != nil || len(e.Records) != 1 {
		t.Fatal(err)
	}
	return e.Records[0].Body
}

// noted remembers what it was told.
type noted struct {
	by     string
	events []lifecycle.Event
	err    error
	result lifecycle.Result
}

func (n *noted) Take(_ context.Context, by string, events []lifecycle.Event) ([]lifecycle.Result, error) {
	n.by, n.events = by, append(n.events, events...)
	return []lifecycle.Result{n.result}, n.err
}

func TestWhatAppsTellOnTheBusIsNoted(t *testing.T) {
	t.Parallel()
	n := &noted{}
	for _, name := range []string{"account_closed", "relationship_ended"} {
		if err := told.Take(t.Context(), n, []byte(body(t, name))); err != nil {
			t.Error(err)
		}
	}
	at, who := time.Date(2026, 3, 5, 8, 30, 0, 0, time.UTC), personal.MakeIdentity(personal.KindAccount, "acc-1001")
	want := []lifecycle.Event{
		{ID: "evt-1", Type: lifecycle.AccountClosed, At: at, Who: who},
		{ID: "evt-2", Type: lifecycle.RelationshipEnded, At: at, Who: who, Relationship: "licence"},
	}
	if !reflect.DeepEqual(n.events, want) || n.by == "" {
		t.Errorf("%+v, by %q", n.events, n.by)
	}
}

func TestAnEventThatCannotBeReadSaysWhyAndNamesNobody(t *testing.T) {
	t.Parallel()
	good := body(t, "account_closed")
	for name, bad := range map[string]string{
		"no JSON":               "{",
		"another source":        strings.Replace(good, "rightsdesk.app", "aws.ses", 1),
		"a field more":          strings.Replace(good, `"subject"`, `"name":"Ada","subject"`, 1),
		"no time":               strings.Replace(good, "2026-03-05T08:30:00Z", "soon", 1),
		"a subject of no kind":  strings.Replace(good, `"type":"account"`, `"type":"The Account"`, 1),
		"no mail address":       strings.Replace(good, `"type":"account"`, `"type":"email"`, 1),
		"a value without end":   strings.Replace(good, "acc-1001", strings.Repeat("acc-1001", 100), 1),
		"a detail that is none": strings.Replace(good, `"detail":{`, `"detail":[],"x":{`, 1),
	} {
		n := &noted{}
		err := told.Take(t.Context(), n, []byte(bad))
		if !errors.Is(err, told.ErrUnreadable) || len(n.events) != 0 || strings.Contains(err.Error(), "acc-1001") || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: %v, noted %+v", name, err, n.events)
		}
	}
	n := &noted{err: fault.Input(fault.Field{Pointer: "/events/0/at", Text: "must not be in the future"})}
	if err := told.Take(t.Context(), n, []byte(good)); !errors.Is(err, told.ErrUnreadable) || !strings.Contains(err.Error(), "/events/0/at must not be in the future") {
		t.Error(err)
	}
	if n.err = lifecycle.ErrBusy; !errors.Is(told.Take(t.Context(), n, []byte(good)), lifecycle.ErrBusy) {
		t.Error("what has to come again is not said so")
	}
	// What is never taken must not lie in a queue.
	n = &noted{result: lifecycle.Result{Err: fault.New(fault.Invalid, "forbidden_data", "")}}
	if err := told.Take(t.Context(), n, []byte(good)); err != nil {
		t.Error(err)
	}
}

// Each type has its schema, and the schemas together have the fields that are read.
func TestEachTypeHasItsSchema(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(schemas + "*.json")
	if err != nil || len(files) != len(lifecycle.Types) {
		t.Fatalf("%v, %v", files, err)
	}
	fields := map[string]bool{}
	for _, typ := range lifecycle.Types {
		s, of := schemaOf(t, string(typ))
		for name := range of {
			fields[name] = true
		}
		for detail, fits := range map[string]bool{
			`{}`: false, `{"at":"2026-03-05T08:30:00Z","subject":{"type":"account","value":"a"},"relationship":"r","purpose":"p","source":"s","category":"c","name":"Ada"}`: false,
		} {
			if err := s.Validate(jsonOf(t, detail)); (err == nil) != fits {
				t.Errorf("%s: %s: %v", typ, detail, err)
			}
		}
	}
	var read []string
	for f := range reflect.TypeFor[told.Detail]().Fields() {
		read = append(read, f.Tag.Get("json"))
	}
	slices.Sort(read)
	if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, read) {
		t.Errorf("the schemas have %v, what is read is %v", got, read)
	}
}

func TestTheRecordedEventsFitTheirSchemas(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"account_closed", "relationship_ended"} {
		var e told.Event
		if err := json.Unmarshal([]byte(body(t, name)), &e); err != nil {
			t.Fatal(err)
		}
		s, _ := schemaOf(t, e.Type)
		if err := s.Validate(jsonOf(t, string(e.Detail))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if e.Source != told.Source || e.Source != topology.LifecycleEvents || !slices.Contains(topology.Closure.Feed.Types, e.Type) {
			t.Errorf("%s is not heard: %s from %s", name, e.Type, e.Source)
		}
	}
}

func schemaOf(t *testing.T, typ string) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(schemas + typ + ".json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(schemas + typ + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Title      string
		Properties map[string]any
	}
	if err := json.Unmarshal(b, &doc); err != nil || doc.Title != typ {
		t.Fatalf("%s is the schema of %q, %v", typ, doc.Title, err)
	}
	return s, doc.Properties
}

func jsonOf(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
