package boot_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// tells looks at what the relay told the bus of the entries that the stream brought it:
// each event once or more, as its schema has it, and nothing of whom it is about.
func (i *installation) tells(t *testing.T, id string) {
	t.Helper()
	i.mu.Lock()
	told := slices.Clone(i.bus)
	i.mu.Unlock()
	types, names := map[string]int{}, map[any]string{}
	for _, e := range told {
		file, err := os.ReadFile(filepath.Join("../../events/schema/published", e.DetailType+".json"))
		if err != nil {
			t.Fatalf("the bus is told %s, which has no schema: %v", e.DetailType, err)
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource("event.json", schema); err != nil {
			t.Fatal(err)
		}
		detail, err := jsonschema.UnmarshalJSON(strings.NewReader(e.Detail))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.MustCompile("event.json").Validate(detail); err != nil {
			t.Errorf("%s: %v", e.Detail, err)
		}
		var d struct{ Event, ID string }
		if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
			t.Fatal(err)
		}
		if before, again := names[d.Event]; again && before != e.Detail {
			t.Errorf("two events have one name:\n%s\n%s", before, e.Detail)
		}
		names[d.Event] = e.Detail
		if d.ID == id {
			types[e.DetailType]++
		}
		for _, secret := range []string{"ada@", "Ada"} {
			if strings.Contains(e.Detail, secret) {
				t.Errorf("the bus is told %s", e.Detail)
			}
		}
	}
	for _, what := range []string{"request.received", "request.verified", "request.accepted", "request.fulfilled"} {
		if types[what] < 2 { // the stream said it twice, and so does the bus
			t.Errorf("of the request the bus was told %v", types)
		}
	}
	if len(names) < 4 {
		t.Errorf("%d events", len(told))
	}
}
