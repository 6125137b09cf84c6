package boot_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"rightsdesk/shared/table"
	"rightsdesk/shared/topology"
)

// TestAnUpgradeAndTheWayBackLoseNothing begins two requests on one version of the
// programs, goes on with another and returns to the first: what each of them left
// half done, the other ends. .ci/upgrade builds the other version from the
// repository's history and names its folder in RIGHTSDESK_OTHER; without it both
// versions are this one, and what is proven is that programs may be replaced at any
// moment.
func TestAnUpgradeAndTheWayBackLoseNothing(t *testing.T) {
	i := &installation{openCloud(t), map[string]*lambda{}}
	this := build(t)
	other := os.Getenv("RIGHTSDESK_OTHER")
	if other == "" {
		other = this
	}
	deploy := func(dir string) {
		t.Helper()
		for _, f := range topology.All {
			env := i.environment(f)
			env["RIGHTSDESK_POLICY"] = profile // what Profile was called before editions
			i.functions[f.Name] = start(t, dir+"/"+f.Name, f, env)
		}
	}
	open := func() {
		t.Helper()
		i.functions["notice"].must(recorded(t, "notice/editions.json", ""), nil)
		for _, f := range topology.All { // as they would within a minute
			i.functions[f.Name] = start(t, this+"/"+f.Name, f, i.environment(f))
		}
	}

	if deploy(other); other == this {
		open()
	}
	access := i.begin(t, "access")
	i.functions["fulfil"].must(recorded(t, "fulfil/steps.json", ""), nil)

	deploy(this)
	open()
	i.end(t, access)
	ported := i.begin(t, "portability")

	deploy(other)
	i.end(t, ported)
	i.see(t, access, "fulfilled") // by the session that was opened on the one version, of what the other did

	deploy(this)
	i.see(t, ported, "fulfilled")
	var verified struct{ Broken []any }
	i.functions["requests"].ask(call(t, topology.Route{Pattern: "GET /v1/operator/audit/verify"}, "", signedIn(handler)), http.StatusOK, &verified)
	if len(verified.Broken) > 0 {
		t.Errorf("the audit is broken: %v", verified.Broken)
	}
	if other != this {
		proof(t, "a request begun on %s is ended here, one begun here is ended there, and the audit of both holds", os.Getenv("RIGHTSDESK_OTHER_VERSION"))
	}
}

// handler are the claims of an operator who handles requests.
var handler = map[string]string{"sub": "6b1e0f5a-2f0c-4c0e-8d7b-3a9d5c1e7f42", "amr": "[pwd mfa]", "rightsdesk:roles": "[handler]"}

// asked is a request and its person's session.
type asked struct{ id, token string }

// begin takes a request in and has its address proven.
func (i *installation) begin(t *testing.T, right string) asked {
	t.Helper()
	i.sent()
	var receipt struct{ ID string }
	body := `{"right":"` + right + `","residence":"FR","person":{"email":"ada@example.org","name":"Ada Example"},"locale":"en"}`
	i.functions["requests"].ask(call(t, topology.Route{Pattern: "POST /v1/requests"}, body, func(e *events.APIGatewayV2HTTPRequest) {
		e.Headers["idempotency-key"] = string(table.NewID())
	}), http.StatusAccepted, &receipt)
	i.functions["relay"].must(recorded(t, "relay/stream_new_request.json", receipt.ID), nil)
	mails := i.sent()
	if len(mails) != 1 {
		t.Fatalf("mails: %+v\n%s", mails, i.functions["relay"].log)
	}
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(mails[0].text)
	var proven struct{ Token string }
	verify := []byte(strings.ReplaceAll(string(recorded(t, "requests/verify.json", receipt.ID)), "314159", code))
	i.functions["requests"].ask(verify, http.StatusOK, &proven)
	return asked{receipt.ID, proven.Token}
}

// end works a request off, its tasks by hand.
func (i *installation) end(t *testing.T, a asked) {
	t.Helper()
	i.functions["fulfil"].must(recorded(t, "fulfil/steps.json", ""), nil)
	i.workOff(t, a.id)
	show := i.functions["requests"].ask(call(t, topology.Route{Pattern: "GET /v1/operator/requests/{id}"}, "", at(a.id), signedIn(handler)), http.StatusOK, nil)
	for _, m := range regexp.MustCompile(`"task":"([^"]+)"`).FindAllStringSubmatch(show.Body, -1) {
		i.functions["requests"].ask(call(t, topology.Route{Pattern: "POST /v1/operator/tasks/{id}/done"}, "{}", at(m[1]), signedIn(handler)), http.StatusOK, nil)
	}
	i.workOff(t, a.id)
	i.see(t, a, "fulfilled")
	i.deliver(t, a.id, a.token)
}

// see reads a request as its person does.
func (i *installation) see(t *testing.T, a asked, status string) {
	t.Helper()
	var seen struct{ Status string }
	i.functions["requests"].ask(call(t, topology.Route{Pattern: "GET /v1/requests/{id}"}, "", at(a.id), bearer(a.token)), http.StatusOK, &seen)
	if seen.Status != status {
		t.Errorf("the request is %s, want %s\n%s", seen.Status, status, i.functions["fulfil"].log)
	}
}
