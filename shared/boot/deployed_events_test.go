package boot_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
	i.outage(t)
}

// outage has the bus take nothing: the entries that the stream brings are sealed all the
// same and none comes again. What they make is told by the schedule after it.
func (i *installation) outage(t *testing.T) {
	t.Helper()
	relay := i.functions["relay"]
	records, _ := i.recordedEntries(t)
	records = records[1:min(len(records), 100)] // no batch of these was sealed before
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	told := func() int {
		i.mu.Lock()
		defer i.mu.Unlock()
		return len(i.bus)
	}
	sealed, before := len(i.vault.Objects), told()
	i.denies("relay events:PutEvents")
	for range 2 { // a stream may say it twice
		var answer events.DynamoDBEventResponse
		if relay.must(payload, &answer); len(answer.BatchItemFailures) > 0 {
			t.Errorf("entries wait for the bus: %+v\n%s", answer, relay.log)
		}
	}
	if n := len(i.vault.Objects); n != sealed+1 {
		t.Errorf("of %d entries %d batches were sealed\n%s", len(records), n-sealed, relay.log)
	}
	relay.must(recorded(t, "relay/announcements.json", ""), nil)
	if n := i.noted(t); n != 1 || told() != before {
		t.Errorf("%d notes, and %d events of a bus that takes none", n, told()-before)
	}
	i.denies("")
	relay.must(recorded(t, "relay/announcements.json", ""), nil)
	after := told()
	relay.must(recorded(t, "relay/announcements.json", ""), nil) // and has nothing to do
	if n := i.noted(t); n != 0 || after-before < 4 || told() != after {
		t.Errorf("%d notes are left, %d events were told, and then %d\n%s", n, after-before, told()-after, relay.log)
	}
	proof(t, "while the bus takes nothing %d entries are sealed and none comes again; %d events are told after it", len(records), after-before)
}

// noted is how many notes there are of what the bus is to be told.
func (i *installation) noted(t *testing.T) int {
	t.Helper()
	out, err := i.client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &i.tables.State, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("p = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: "bulletin#untold"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Items)
}
