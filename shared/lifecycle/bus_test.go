package lifecycle

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
)

func schemaOf(tb testing.TB, what Type) *jsonschema.Schema {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("../../events/schema", string(what)+".json"))
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

// recorded returns what the queue hands over for the bus, from events/.
func recorded(tb testing.TB, what Type) []byte {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("../../events/closure", strings.ReplaceAll(string(what), ".", "_")+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	var batch struct{ Records []struct{ Body string } }
	if err := json.Unmarshal(file, &batch); err != nil || len(batch.Records) != 1 {
		tb.Fatalf("%s: %d records, %v", what, len(batch.Records), err)
	}
	return []byte(batch.Records[0].Body)
}

// sample is a desk of the sample company, of which the recorded events are.
func sample(tb testing.TB) *desk {
	tb.Helper()
	file, err := os.ReadFile("../../infra/local/company/policy.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	p, err := policy.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	d := newDesk(tb, func(q *policy.Policy) { *q = *p })
	d.pass(5 * day)
	return d
}

func TestTheRecordedEventsAreAsTheirSchemasHaveThem(t *testing.T) {
	t.Parallel()
	d := sample(t)
	for _, what := range Types {
		body := recorded(t, what)
		var e struct {
			Type   string `json:"detail-type"`
			Detail any    `json:"detail"`
		}
		if err := json.Unmarshal(body, &e); err != nil || e.Type != string(what) {
			t.Fatalf("%s is recorded as %s, %v", what, e.Type, err)
		}
		if err := schemaOf(t, what).Validate(e.Detail); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for range 2 { // the bus may hand an event over twice
			if err := d.Hear(d.ctx(), body); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if got := d.opened(); len(got) != 1 || !strings.Contains(got[0], "account.closed =") {
		t.Errorf("opened is %q", got)
	}
	files, err := filepath.Glob("../../events/schema/*.json")
	if err != nil || len(files) != len(Types) {
		t.Errorf("%d schemas, want %d: %v", len(files), len(Types), err)
	}
	for _, what := range Types {
		schemaOf(t, what)
	}
}

// What a schema refuses the reader refuses, and the other way round.
func TestTheSchemasSayWhatIsRead(t *testing.T) {
	t.Parallel()
	const subject = `"subject":{"type":"account","value":"acc-1"}`
	const at = `"at":"2026-03-01T00:00:00Z"`
	for name, tt := range map[string]struct {
		what   Type
		detail string
		ok     bool
	}{
		"an account":                       {AccountClosed, `{` + at + `,` + subject + `}`, true},
		"an account with its type":         {AccountClosed, `{"type":"account.closed",` + at + `,` + subject + `}`, true},
		"an account of another type":       {AccountClosed, `{"type":"account.opened",` + at + `,` + subject + `}`, false},
		"an account of nobody":             {AccountClosed, `{` + at + `}`, false},
		"an account at no time":            {AccountClosed, `{` + subject + `}`, false},
		"an account one day":               {AccountClosed, `{"at":"one day",` + subject + `}`, false},
		"a word too many":                  {AccountClosed, `{` + at + `,` + subject + `,"reason":"x"}`, false},
		"a word too many about somebody":   {AccountClosed, `{` + at + `,"subject":{"type":"account","value":"a","name":"Ada"}}`, false},
		"somebody without a value":         {AccountClosed, `{` + at + `,"subject":{"type":"account","value":""}}`, false},
		"somebody of a kind in capitals":   {AccountClosed, `{` + at + `,"subject":{"type":"Account","value":"a"}}`, false},
		"a list":                           {AccountClosed, `[]`, false},
		"a relationship":                   {RelationshipEnded, `{` + at + `,` + subject + `,"relationship":"newsletter"}`, true},
		"a relationship of no name":        {RelationshipEnded, `{` + at + `,` + subject + `}`, false},
		"a record":                         {RecordCreated, `{` + at + `,"source":"shop","category":"support_mail"}`, true},
		"a record of somebody":             {RecordCreated, `{` + at + `,` + subject + `,"source":"shop","category":"support_mail"}`, true},
		"a record with fields":             {RecordCreated, `{` + at + `,"source":"shop","category":"support_mail","channel":"help_form","fields":{"subject":"x"}}`, true},
		"a record with fields, no channel": {RecordCreated, `{` + at + `,"source":"shop","category":"support_mail","fields":{"subject":"x"}}`, false},
		"a record of nowhere":              {RecordCreated, `{` + at + `,"category":"support_mail"}`, false},
	} {
		var detail any
		if err := json.Unmarshal([]byte(tt.detail), &detail); err != nil {
			t.Fatal(err)
		}
		if err := schemaOf(t, tt.what).Validate(detail); (err == nil) != tt.ok {
			t.Errorf("%s: the schema says %v, want it taken: %v", name, err, tt.ok)
		}
		err := sample(t).Hear(t.Context(), []byte(`{"source":"rightsdesk.app","detail-type":"`+string(tt.what)+`","detail":`+tt.detail+`}`))
		if (err == nil) != tt.ok {
			t.Errorf("%s: the reader says %v, want it taken: %v", name, err, tt.ok)
		}
		if err != nil && !errors.Is(err, ErrUnreadable) && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyTheCompanysProgramsAreHeard(t *testing.T) {
	t.Parallel()
	body := string(recorded(t, AccountClosed))
	for _, other := range []string{
		strings.Replace(body, `"rightsdesk.app"`, `"aws.s3"`, 1), strings.Replace(body, `"account.closed"`, `"account.eaten"`, 1),
		strings.Replace(body, `"type":"account","value"`, `"type":"email","value"`, 1), "", "[]", `{"source":"rightsdesk.app"}`,
	} {
		d := sample(t)
		if err := d.Hear(d.ctx(), []byte(other)); err == nil || strings.Contains(err.Error(), "acc-1002") || strings.Contains(err.Error(), "eaten") {
			t.Errorf("%.60s: %v", other, err)
		}
		if len(d.chains()) != 0 {
			t.Errorf("%.60s was noted", other)
		}
	}
}
