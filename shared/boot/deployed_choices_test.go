package boot_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
	"rightsdesk/shared/topology"
)

// signed has an event from the company's app.
func signed(t *testing.T, app string) func(*events.APIGatewayV2HTTPRequest) {
	t.Helper()
	return func(e *events.APIGatewayV2HTTPRequest) {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		e.Headers["idempotency-key"] = string(table.NewID())
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write([]byte(strings.Join([]string{"rightsdesk-app-v1", e.RequestContext.HTTP.Method, e.RawPath, at, e.Headers["idempotency-key"], e.Body}, "\n")))
		e.Headers["authorization"] = "Rightsdesk app=" + app + ", time=" + at + ", signature=" + hex.EncodeToString(mac.Sum(nil))
	}
}

// under returns the keys of the State table's partitions that begin with a prefix.
func (c *cloud) under(t *testing.T, prefix string) (partitions, bodies []string) {
	t.Helper()
	out, err := c.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &c.tables.State})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range out.Items {
		p, _ := item["p"].(*types.AttributeValueMemberS)
		if p == nil || !strings.HasPrefix(p.Value, prefix) {
			continue
		}
		partitions = append(partitions, p.Value)
		if b, ok := item["b"].(*types.AttributeValueMemberB); ok {
			bodies = append(bodies, string(b.Value))
		}
	}
	return partitions, bodies
}

// choices takes a consent through the programs: a page asks, the mail's button
// confirms, the company's app asks whether it may, and mail that comes back stops
// mail but never an answer that the law demands.
func (i *installation) choices(t *testing.T, id string) (secrets []string) {
	t.Helper()
	consents, relay, hears := i.functions["consent"], i.functions["relay"], i.functions["mailevents"]
	var visitor struct {
		Visitor  string
		Honoured []string
	}
	for name, want := range map[string]int{
		"consent/choices": http.StatusOK, "consent/preflight": http.StatusNoContent, "notice/gpc": http.StatusOK, "consent/operator_import": http.StatusOK,
		"consent/decide": http.StatusUnauthorized, "requests/app_submit": http.StatusUnauthorized, // signed long ago
		"consent/unsubscribe": http.StatusGone, // by a token of nobody's
	} {
		function, _, _ := strings.Cut(name, "/")
		i.functions[function].ask(recorded(t, name+".json", ""), want, nil)
	}
	a := consents.ask(recorded(t, "consent/refuse_visitor.json", ""), http.StatusCreated, &visitor)
	if visitor.Visitor == "" || !slices.Contains(visitor.Honoured, "gpc") || a.Headers["Access-Control-Allow-Origin"] != "https://platform.example.com" {
		t.Errorf("a visitor who refuses: %s %v", a.Body, a.Headers)
	}
	var again struct{ Visitor string }
	if consents.ask(recorded(t, "consent/refuse_visitor.json", ""), http.StatusCreated, &again); again.Visitor != visitor.Visitor {
		t.Errorf("the same call twice: %q and %q", visitor.Visitor, again.Visitor)
	}

	file, _ := policy.Profile(profile)
	pol, err := policy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	rule, _ := pol.Consent("public_profile")
	body, err := json.Marshal(map[string]any{
		"subject": map[string]string{"type": "email", "value": "ada@example.org"}, "purpose": "public_profile", "choice": "granted",
		"wording": policy.WordingHash(rule.Wording.In("en")), "method": "form", "language": "en", "residence": "FR",
	})
	if err != nil {
		t.Fatal(err)
	}
	known, _ := i.under(t, "consent#")
	consents.ask(call(t, topology.Route{Pattern: "POST /v1/consents"}, string(body)), http.StatusCreated, nil)
	all, _ := i.under(t, "consent#")
	all = slices.DeleteFunc(all, func(p string) bool { return slices.Contains(known, p) })
	if len(all) != 1 {
		t.Fatalf("%d subjects are new", len(all))
	}
	i.sent()
	changed := []byte(strings.ReplaceAll(string(recorded(t, "relay/stream_new_request.json", "")), "request#"+exampleID, all[0]))
	relay.must(changed, nil)
	relay.must(changed, nil)
	mails := i.sent()
	if len(mails) != 1 || mails[0].to != "ada@example.org" || !strings.Contains(mails[0].text, "Show my name, my company and my projects") {
		t.Fatalf("mails: %+v\n%s", mails, relay.log)
	}
	token := regexp.MustCompile(`/c/(\S+)`).FindStringSubmatch(mails[0].text)[1]
	secrets = append(secrets, token, visitor.Visitor)

	may := func() string {
		var answer struct {
			Decisions []struct {
				May bool
				Why string
			}
		}
		ask := `{"subject":{"type":"email","value":"ada@example.org"},"purposes":["public_profile"]}`
		consents.ask(call(t, topology.Route{Pattern: "POST /v1/decisions"}, ask, signed(t, pol.Apps[0].ID)), http.StatusOK, &answer)
		if len(answer.Decisions) != 1 {
			t.Fatalf("%+v", answer)
		}
		return answer.Decisions[0].Why
	}
	if why := may(); why != "unconfirmed" {
		t.Errorf("before the button: %s", why)
	}
	button := func(e *events.APIGatewayV2HTTPRequest) {
		e.RawPath = "/c/" + token
		e.Headers["content-type"] = "application/x-www-form-urlencoded"
		e.Headers["content-length"] = strconv.Itoa(len(e.Body))
	}
	consents.ask(call(t, topology.Route{Pattern: "GET /c/{token}"}, "", button), http.StatusOK, nil)
	if why := may(); why != "unconfirmed" {
		t.Errorf("looking at the button: %s", why)
	}
	consents.ask(call(t, topology.Route{Pattern: "POST /c/{token}"}, "", button), http.StatusOK, nil)
	if why := may(); why != "consent" {
		t.Errorf("after the button: %s", why)
	}

	var failures events.SQSEventResponse
	for _, name := range []string{"bounce", "complaint", "bounce"} {
		if hears.must(recorded(t, "mailevents/"+name+".json", ""), &failures); len(failures.BatchItemFailures) > 0 {
			t.Errorf("a %s is not heard: %s", name, hears.log)
		}
	}
	_, bodies := i.under(t, all[0])
	if len(bodies) != 1 || !strings.Contains(bodies[0], `"bounce"`) || !strings.Contains(bodies[0], `"complaint"`) {
		t.Errorf("it is not taken down: %s", bodies)
	}
	odd := strings.ReplaceAll(string(recorded(t, "mailevents/bounce.json", "")), "Permanent", "Eternal")
	if hears.must([]byte(odd), &failures); len(failures.BatchItemFailures) != 1 {
		t.Errorf("what cannot be read is not parked: %+v", failures)
	}
	i.lost(t, all[0])
	// The answer to a request, and what the person is asked to confirm, leave all the same.
	i.functions["requests"].ask(call(t, topology.Route{Pattern: "POST /v1/requests"}, `{"right":"access","residence":"FR","person":{"email":"ada@example.org"},"locale":"en"}`, func(e *events.APIGatewayV2HTTPRequest) {
		e.Headers["idempotency-key"] = "after-the-bounce"
	}), http.StatusAccepted, nil)
	waiting, _ := i.under(t, "request#")
	for _, p := range waiting {
		if p != "request#"+id {
			relay.must(recorded(t, "relay/stream_new_request.json", strings.TrimPrefix(p, "request#")), nil)
		}
	}
	if mails := i.sent(); len(mails) != 1 || mails[0].to != "ada@example.org" {
		t.Errorf("a bounce keeps legal mail back: %+v", mails)
	}
	proof(t, "a consent from a page's form over the mail's button to the app's decision; what comes back of mail stops no answer")
	return append(secrets, "stranger@example.org")
}

// lost has a bounce told by the mail service's list alone, on which there is somebody
// else's reader too.
func (i *installation) lost(t *testing.T, partition string) {
	t.Helper()
	now := float64(time.Now().UnixMilli()) / 1000
	i.mu.Lock()
	i.suppressed = []suppressed{{"stranger@example.org", "COMPLAINT", now}, {"Ada@example.org", "BOUNCE", now}, {"old@example.org", "BOUNCE", now - 90*24*3600}}
	i.mu.Unlock()
	known, _ := i.under(t, "consent#")
	_, before := i.under(t, partition)
	var after []string
	for range 2 {
		i.functions["mailevents"].must(recorded(t, "mailevents/suppressions.json", ""), nil)
		_, bodies := i.under(t, partition)
		if slices.Equal(bodies, before) || after != nil && !slices.Equal(bodies, after) {
			t.Errorf("the list is not taken down once: %s, %s, %s", before, after, bodies)
		}
		after = bodies
	}
	if all, _ := i.under(t, "consent#"); len(all) != len(known) {
		t.Errorf("something of a stranger is kept: %d subjects, and then %d", len(known), len(all))
	}
	proof(t, "a bounce whose event was lost is found on the mail service's list, once; of strangers on it nothing is kept")
}
