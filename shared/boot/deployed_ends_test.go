package boot_test

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/topology"
)

// What the bus leads to the function and what the function can read are one list.
func TestTheBusCarriesWhatLifecycleReads(t *testing.T) {
	t.Parallel()
	var read []string
	for _, what := range lifecycle.Types {
		read = append(read, string(what))
	}
	if feed := topology.Closure.Feed; feed.Source != lifecycle.BusSource || !slices.Equal(feed.Types, read) {
		t.Errorf("the bus carries %v of %s, and %v of %s is read", feed.Types, feed.Source, read, lifecycle.BusSource)
	}
}

// ends takes the programs through the end of things: an account is closed by the
// button in a mail, the company's programs say what ended, what has outlived its
// purpose is swept after an operator let the rule go, and a replay finds nothing wrong.
func (i *installation) ends(t *testing.T) (secrets []string) {
	t.Helper()
	closures, relay, retention := i.functions["closure"], i.functions["relay"], i.functions["retention"]
	for name, want := range map[string]int{
		"close_page": http.StatusOK, "operator_holds": http.StatusOK, "operator_retention": http.StatusOK,
		"app_status": http.StatusUnauthorized, // signed long ago
		"confirm":    http.StatusGone,         // by a token of nobody's
	} {
		closures.ask(recorded(t, "closure/"+name+".json", ""), want, nil)
	}

	i.sent()
	closures.ask(recorded(t, "closure/close_account.json", ""), http.StatusAccepted, nil)
	waiting, _ := i.under(t, "closure#")
	if len(waiting) != 1 {
		t.Fatalf("%d closures", len(waiting))
	}
	changed := []byte(strings.ReplaceAll(string(recorded(t, "relay/stream_new_request.json", "")), "request#"+exampleID, waiting[0]))
	relay.must(changed, nil)
	mails := i.sent()
	if len(mails) != 1 || mails[0].to != "ada@example.org" {
		t.Fatalf("mails: %+v\n%s", mails, relay.log)
	}
	token := regexp.MustCompile(`/x/(\S+)`).FindStringSubmatch(mails[0].text)[1]
	button := func(e *events.APIGatewayV2HTTPRequest) {
		e.RawPath = "/x/" + token
		e.Headers["content-type"] = "application/x-www-form-urlencoded"
		e.Headers["content-length"] = strconv.Itoa(len(e.Body))
	}
	status := func() string {
		_, bodies := i.under(t, waiting[0])
		return regexp.MustCompile(`"status":"(\w+)"`).FindStringSubmatch(strings.Join(bodies, ""))[1]
	}
	closures.ask(call(t, topology.Route{Pattern: "GET /x/{token}"}, "", button), http.StatusOK, nil)
	if s := status(); s != "asked" {
		t.Errorf("looking at the button: %s", s)
	}
	closures.ask(call(t, topology.Route{Pattern: "POST /x/{token}"}, "", button), http.StatusSeeOther, nil)
	if s := status(); s != "grace" {
		t.Errorf("after the button: %s", s)
	}

	// The recorded events are of the sample company; this policy has no relationships,
	// nor what the others name.
	for name, heard := range map[string]bool{
		"account_opened": true, "account_closed": true, "relationship_started": false, "relationship_ended": false, "purpose_ended": false, "record_created": false,
	} {
		for range 2 {
			var failures events.SQSEventResponse
			if closures.must(recorded(t, "closure/"+name+".json", ""), &failures); (len(failures.BatchItemFailures) == 0) != heard {
				t.Errorf("%s is heard: %t, want %t: %s", name, !heard, heard, closures.log)
			}
		}
	}
	ours := strings.ReplaceAll(string(recorded(t, "closure/purpose_ended.json", "")), `\"survey\"`, `\"public_profile\"`)
	var failures events.SQSEventResponse
	if closures.must([]byte(ours), &failures); len(failures.BatchItemFailures) != 0 {
		t.Errorf("the end of a purpose is not heard: %s", closures.log)
	}

	i.sweeps(t)
	handler := signedIn(map[string]string{"sub": "6b1e0f5a-2f0c-4c0e-8d7b-3a9d5c1e7f42", "amr": "[pwd mfa]", "rightsdesk:roles": "[handler auditor]"})
	var run struct {
		Phase  string
		Report struct {
			Chains       int
			Lost, Broken []string
		}
	}
	closures.ask(call(t, topology.Route{Pattern: "POST /v1/operator/replay"}, `{"confirm":true}`, handler), http.StatusAccepted, &run)
	retention.must(recorded(t, "retention/replay.json", ""), nil)
	a := closures.ask(call(t, topology.Route{Pattern: "GET /v1/operator/replay"}, "", handler), http.StatusOK, &run)
	if run.Phase != "ended" || run.Report.Chains == 0 || len(run.Report.Lost)+len(run.Report.Broken) != 0 {
		t.Errorf("the replay: %s\n%s", a.Body, retention.log)
	}
	proof(t, "an account from the form to its grace, a rule from its preview to an empty page, and a replay from its start to its end")
	return []string{token}
}

// sweeps has an old record of the company's go, once an operator let its rule go.
func (i *installation) sweeps(t *testing.T) {
	t.Helper()
	closures, retention := i.functions["closure"], i.functions["retention"]
	handler := signedIn(map[string]string{"sub": "6b1e0f5a-2f0c-4c0e-8d7b-3a9d5c1e7f42", "amr": "[pwd mfa]", "rightsdesk:roles": "[handler auditor]"})
	const records = 40 // of which the brake lets two go
	for n := range records {
		days := 10
		if n == 0 {
			days = 200
		}
		_, err := i.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("activity"), Item: map[string]types.AttributeValue{
			"member": &types.AttributeValueMemberS{Value: "m-2"}, "city": &types.AttributeValueMemberS{Value: "Austin"},
			"at": &types.AttributeValueMemberN{Value: strconv.FormatInt(time.Now().AddDate(0, 0, -days).UnixMilli()+int64(n), 10)},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	left := func() int {
		t.Helper()
		out, err := i.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("activity"), FilterExpression: aws.String("attribute_exists(city)")})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Items)
	}
	var rule struct {
		Version, Status string
		Preview         *struct{ Due, Total int }
	}
	closures.ask(call(t, topology.Route{Pattern: "POST /v1/operator/retention/{rule}/preview"}, "{}", handler), http.StatusOK, &rule)
	retention.must(recorded(t, "retention/sweeps.json", ""), nil)
	a := closures.ask(call(t, topology.Route{Pattern: "GET /v1/operator/retention/{rule}"}, "", handler), http.StatusOK, &rule)
	if rule.Preview == nil || rule.Preview.Due != 1 || rule.Preview.Total != records || left() != records {
		t.Fatalf("the preview, with %d of %d left: %s\n%s", left(), records, a.Body, retention.log)
	}
	closures.ask(call(t, topology.Route{Pattern: "POST /v1/operator/retention/{rule}/activate"}, `{"version":"`+rule.Version+`"}`, handler), http.StatusOK, &rule)
	retention.must(recorded(t, "retention/sweeps.json", ""), nil)
	if n := left(); n != records-1 {
		t.Errorf("%d of %d records are left, want the young ones: %s", n, records, retention.log)
	}
}
