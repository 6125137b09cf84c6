package boot

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/topology"
)

const auditTable = "Rightsdesk-Audit-1"

// record is a record of the Audit table's stream.
func record(n int, e audit.Entry, change ...func(map[string]any)) map[string]any {
	image := map[string]any{
		"p": map[string]string{"S": e.Chain}, "s": map[string]string{"S": fmt.Sprintf("%012d", e.Seq)}, "v": map[string]string{"N": "1"},
		"z": map[string]string{"N": "1"}, "b": map[string]string{"B": base64.StdEncoding.EncodeToString(e.Encode())},
	}
	rec := map[string]any{
		"eventName": "INSERT", "eventSource": "aws:dynamodb", "eventSourceARN": "arn:aws:dynamodb:eu-west-3:111122223333:table/" + auditTable + "/stream/2026-03-05T08:00:00.000",
		"dynamodb": map[string]any{"ApproximateCreationDateTime": 1772699408, "Keys": map[string]any{"p": image["p"], "s": image["s"]}, "NewImage": image, "SequenceNumber": fmt.Sprint(100 + n)},
	}
	for _, c := range change {
		c(rec)
	}
	return rec
}

func image(rec map[string]any) map[string]any {
	return rec["dynamodb"].(map[string]any)["NewImage"].(map[string]any) //nolint:forcetypeassert // it is made above
}

// What the stream brings is told in one go, what fails is brought again, and what cannot
// be read keeps nothing waiting.
func TestWhatTheAuditsStreamBrings(t *testing.T) {
	t.Setenv(string(topology.AuditTable), auditTable)
	var list []audit.Entry
	head := audit.Head{}
	for range 4 {
		var e audit.Entry
		e, head = head.Append(audit.Entry{Chain: "request#r1", At: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC), Actor: "person", Action: "receive"})
		list = append(list, e)
	}
	down := errors.New("the bucket is down")
	for name, c := range map[string]struct {
		records []map[string]any
		err     error
		told    string // numbers of the entries
		failed  string // sequence numbers
		logs    string
	}{
		"all is well":          {[]map[string]any{record(0, list[0]), record(1, list[1])}, nil, "[1 2]", "[]", ""},
		"nobody takes it down": {[]map[string]any{record(0, list[0]), record(1, list[1])}, down, "[1 2]", "[100]", "could not be told"},
		"one cannot be read": {[]map[string]any{record(0, list[0]), record(1, list[1], func(r map[string]any) {
			image(r)["b"] = map[string]string{"B": "AAAA"}
		}), record(2, list[2])}, nil, "[1 3]", "[]", "ERROR"},
		"the first cannot be read, and nobody takes the rest": {[]map[string]any{record(0, list[0], func(r map[string]any) { delete(image(r), "b") }), record(1, list[1])}, down, "[2]", "[101]", "ERROR"},
		"one has a body of another kind":                      {[]map[string]any{record(0, list[0], func(r map[string]any) { image(r)["b"] = map[string]string{"S": "x"} })}, nil, "[]", "[]", "ERROR"},
		"one stands in another's place": {[]map[string]any{record(0, list[0], func(r map[string]any) {
			r["dynamodb"].(map[string]any)["Keys"] = map[string]any{"p": map[string]string{"S": "request#r1"}, "s": map[string]string{"S": "000000000002"}}
		})}, nil, "[]", "[]", "ERROR"},
		"changes of no interest": {[]map[string]any{record(0, list[0], func(r map[string]any) { r["eventName"] = "REMOVE" }), record(1, list[1])}, nil, "[2]", "[]", ""},
		"read from the stream by hand": {[]map[string]any{record(0, list[0], func(r map[string]any) {
			delete(r, "eventSourceARN")
			r["dynamodb"].(map[string]any)["ApproximateCreationDateTime"] = "2026-03-05T08:30:08+00:00"
		})}, nil, "[1]", "[]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			d := &desk.Desk{Ground: desk.Ground{Log: slog.New(slog.NewJSONHandler(&log, nil))}}
			told := []int64{}
			d.Records(func(_ context.Context, entries []audit.Entry) error {
				for _, e := range entries {
					told = append(told, e.Seq)
				}
				return c.err
			})
			h := &handler{a: &Assembly{Function: topology.Relay, Desk: d}}
			raw, err := json.Marshal(map[string]any{"Records": c.records})
			if err != nil {
				t.Fatal(err)
			}
			if !h.ofAudit(raw) {
				t.Fatal("it is taken for a change of the State table")
			}
			got, err := h.entries(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			failed := []string{}
			for _, f := range got.(events.DynamoDBEventResponse).BatchItemFailures { //nolint:forcetypeassert // or the test fails
				failed = append(failed, f.ItemIdentifier)
			}
			if fmt.Sprint(told) != c.told || fmt.Sprint(failed) != c.failed || !strings.Contains(log.String(), c.logs) || c.logs == "" && log.Len() > 0 {
				t.Errorf("told %v, want %s; failed %v, want %s; it logs %s", told, c.told, failed, c.failed, &log)
			}
		})
	}
}

func TestChangesOfTheStateAreNotEntries(t *testing.T) {
	t.Setenv(string(topology.AuditTable), auditTable)
	h := &handler{a: &Assembly{Function: topology.Relay}}
	for _, raw := range []string{
		`{"Records":[{"eventSource":"aws:dynamodb","eventSourceARN":"arn:aws:dynamodb:eu-west-3:111122223333:table/Rightsdesk-State-1/stream/x","dynamodb":{"Keys":{}}}]}`,
		`{"Records":[{"eventSource":"aws:dynamodb","eventSourceARN":"arn:aws:dynamodb:eu-west-3:111122223333:table/Rightsdesk-Audit-12/stream/x","dynamodb":{"NewImage":{}}}]}`,
		`{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{"Keys":{}}}]}`, `{"Records":[]}`, `{}`,
	} {
		if h.ofAudit(json.RawMessage(raw)) {
			t.Errorf("%s is taken for entries", raw)
		}
	}
	if (&handler{a: &Assembly{Function: topology.Requests}}).ofAudit(json.RawMessage(`{"Records":[{"dynamodb":{"NewImage":{}}}]}`)) {
		t.Error("a function takes entries that gets none")
	}
}
