package boot_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/apps"
	"rightsdesk/shared/boot/hearing"
	"rightsdesk/shared/boot/mailing"
	"rightsdesk/shared/boot/packages"
	"rightsdesk/shared/boot/policies"
	"rightsdesk/shared/boot/publishing"
	"rightsdesk/shared/boot/queueing"
	"rightsdesk/shared/boot/routes"
	"rightsdesk/shared/boot/stores"
	"rightsdesk/shared/boot/vault"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/mail/feedback"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/topology"
)

// every part, in the order in which a main may name them.
var parts = []boot.Part{mailing.Part, mailing.Suppressions, publishing.Part, hearing.Part, packages.Part, policies.Part, queueing.Part, stores.Part, apps.Part, routes.Part, vault.Part}

func assemble(t *testing.T, f topology.Function, parts []boot.Part) error {
	t.Helper()
	_, err := boot.Assemble(t.Context(), f, slog.New(slog.DiscardHandler), parts)
	return err
}

func TestAMainNamesThePartsOfItsEntry(t *testing.T) {
	c := openCloud(t)
	for _, f := range topology.All {
		for name, value := range c.environment(f) {
			t.Setenv(name, value)
		}
		var right, wrong []boot.Part
		for _, p := range parts {
			if p.Grants(f) {
				right = append(right, p)
			} else {
				wrong = append(wrong, p)
			}
		}
		if err := assemble(t, f, right); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for i, p := range right {
			if err := assemble(t, f, slices.Delete(slices.Clone(right), i, i+1)); err == nil {
				t.Errorf("%s starts without %s", f.Name, p.Name)
			}
		}
		for _, p := range wrong {
			if err := assemble(t, f, append(slices.Clone(right), p)); err == nil || !strings.Contains(err.Error(), p.Name) {
				t.Errorf("%s with %s: %v", f.Name, p.Name, err)
			}
		}
	}
}

func TestThePageFormsKnowWhereTheyLead(t *testing.T) {
	c := openCloud(t)
	for name, value := range c.environment(topology.Requests) {
		t.Setenv(name, value)
	}
	if err := assemble(t, topology.Requests, []boot.Part{apps.Part, routes.Part, packages.Part, queueing.Part}); err == nil {
		t.Error("pages are built before anybody knows where downloads are")
	}
	if err := assemble(t, topology.Requests, []boot.Part{packages.Part, routes.Part, queueing.Part, apps.Part}); err == nil {
		t.Error("calls are answered before anybody knows the keys of apps")
	}
}

func TestACallThatNobodyAnswersIsRepeated(t *testing.T) {
	c := openCloud(t)
	for name, value := range c.environment(topology.Deadlines) {
		t.Setenv(name, value)
	}
	var calls atomic.Int32
	deaf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the caller goes
			<-r.Context().Done()
			return
		}
		c.ServeHTTP(w, r)
	}))
	defer deaf.Close()
	t.Setenv("AWS_ENDPOINT_URL", deaf.URL)
	if err := assemble(t, topology.Deadlines, []boot.Part{packages.Part}); err != nil || calls.Load() < 2 {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
}

func TestAProfileThatIsNotThereIsNamed(t *testing.T) {
	c := openCloud(t)
	for name, value := range c.environment(topology.Notice) {
		t.Setenv(name, value)
	}
	t.Setenv(string(topology.Profile), "x")
	if err := assemble(t, topology.Notice, []boot.Part{policies.Part, routes.Part}); err == nil || !strings.Contains(err.Error(), `"x"`) ||
		!strings.Contains(err.Error(), profile) {
		t.Errorf("err = %v, want the wrong name and the right ones", err)
	}
}

// A part that reads what its entry does not list would find nothing in the account.
func TestASettingThatIsNotListedIsNotRead(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("notice may read the name of the key")
		}
	}()
	(&boot.Assembly{Function: topology.Notice}).Setting(topology.MasterKey)
}

// The recorded events are those that the topology lets happen, and all kinds of them.
func TestTheRecordedEvents(t *testing.T) {
	t.Parallel()
	const root = "../../events"
	for _, f := range topology.All {
		files, err := filepath.Glob(filepath.Join(root, f.Name, "*.json"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no events: %v", f.Name, err)
		}
		seen := map[string]bool{}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			seen[kindOf(t, f, file, b)] = true
		}
		for _, s := range f.Schedules {
			if !seen["job "+s.Job] {
				t.Errorf("no event runs %s of %s", s.Job, f.Name)
			}
		}
		for kind, wanted := range map[string]bool{"call": len(f.Routes) > 0, "messages": f.Queue != nil, "heard": f.Feed != nil, "changes": f.Stream, "entries": f.Entries} {
			if seen[kind] != wanted {
				t.Errorf("%s: %s recorded: %v, want %v", f.Name, kind, seen[kind], wanted)
			}
		}
	}
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range folders {
		if d.IsDir() && d.Name() != "schema" && !slices.ContainsFunc(topology.All, func(f topology.Function) bool { return f.Name == d.Name() }) {
			t.Errorf("events/%s is of no function", d.Name())
		}
	}
}

// kindOf says what an event is, and checks what the topology says about it.
func kindOf(t *testing.T, f topology.Function, file string, b []byte) string {
	t.Helper()
	if strings.Contains(string(b), "@") && !strings.Contains(string(b), "@example.org") {
		t.Errorf("%s is about somebody who might exist", file)
	}
	var e struct {
		RouteKey, Job string
		Records       []struct {
			EventSource, Body string
			DynamoDB          struct {
				Keys, NewImage map[string]events.DynamoDBAttributeValue
			}
		}
	}
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	switch {
	case e.RouteKey != "":
		if !slices.ContainsFunc(f.Routes, func(r topology.Route) bool { return r.Pattern == e.RouteKey }) {
			t.Errorf("%s: %s has no route %q", file, f.Name, e.RouteKey)
		}
		return "call"
	case e.Job != "":
		if want := `{"job":"` + e.Job + `"}`; strings.Join(strings.Fields(string(b)), "") != want {
			t.Errorf("%s: a schedule says %s and nothing else", file, want)
		}
		return "job " + e.Job
	case len(e.Records) > 0 && e.Records[0].EventSource == "aws:sqs" && f.Feed != nil && f.Feed.Source == topology.LifecycleEvents:
		if said, err := lifecycle.Read([]byte(e.Records[0].Body)); err != nil || !slices.Contains(f.Feed.Types, string(said.Type)) {
			t.Errorf("%s: %+v, %v", file, said, err)
		}
		return "heard"
	case len(e.Records) > 0 && e.Records[0].EventSource == "aws:sqs" && f.Feed != nil:
		if said, err := feedback.Read([]byte(e.Records[0].Body)); err != nil || len(said) != 1 {
			t.Errorf("%s: %v", file, err)
		}
		return "heard"
	case len(e.Records) > 0 && e.Records[0].EventSource == "aws:sqs":
		if e.Records[0].Body != exampleID {
			t.Errorf("%s: a message is the id of a request", file)
		}
		return "messages"
	case len(e.Records) > 0 && e.Records[0].EventSource == "aws:dynamodb" && e.Records[0].DynamoDB.NewImage != nil:
		for _, rec := range e.Records {
			entry, err := audit.Decode(rec.DynamoDB.NewImage[dynamo.Body].Binary())
			if key := restore.EntryKey(entry.Chain, entry.Seq); err != nil || rec.DynamoDB.Keys["p"].String() != key.Partition || rec.DynamoDB.Keys["s"].String() != key.Sort {
				t.Errorf("%s: an entry %+v, %v", file, entry, err)
			}
		}
		return "entries"
	case len(e.Records) > 0 && e.Records[0].EventSource == "aws:dynamodb":
		about := 0
		for _, rec := range e.Records {
			key := table.Key{}
			for i, k := range dynamo.TableInput(table.State, "t").KeySchema {
				*[]*string{&key.Partition, &key.Sort}[i] = rec.DynamoDB.Keys[*k.AttributeName].String()
			}
			if id, ok := request.IDOf(key); ok && id == exampleID {
				about++
			}
		}
		if about != 1 {
			t.Errorf("%s: %d records are about the request", file, about)
		}
		return "changes"
	}
	t.Errorf("%s is of no kind", file)
	return ""
}
