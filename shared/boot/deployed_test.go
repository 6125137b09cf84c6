package boot_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"rightsdesk/shared/boot/policies"
	"rightsdesk/shared/request"
	"rightsdesk/shared/topology"
)

// exampleID is the request that the events are about.
const exampleID = "r7k2m9p4q1s8t3v6w0x5y2z7a4b9c1d6"

// recorded returns an event of events/, about another request if one is given.
func recorded(t *testing.T, name, id string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../events", name))
	if err != nil {
		t.Fatal(err)
	}
	if id == "" {
		return b
	}
	if !strings.Contains(string(b), exampleID) {
		t.Fatalf("%s is not about a request", name)
	}
	return []byte(strings.ReplaceAll(string(b), exampleID, id))
}

// call returns an event of the HTTP API, like a recorded one but for its route.
func call(t *testing.T, route topology.Route, body string, change ...func(*events.APIGatewayV2HTTPRequest)) []byte {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(recorded(t, "requests/submit_access.json", ""), &e); err != nil {
		t.Fatal(err)
	}
	e.RouteKey, e.Body = route.Pattern, body
	e.RawPath = strings.NewReplacer("{id}", exampleID, "{rule}", "whereabouts", "{token}", exampleID+".v.1.t9k2m1.0123456789abcdefghijklmnop").Replace(route.Path())
	e.RequestContext.HTTP.Method = route.Method()
	for _, c := range change {
		c(&e)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// at has an event about another request.
func at(id string) func(*events.APIGatewayV2HTTPRequest) {
	return func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = strings.ReplaceAll(e.RawPath, exampleID, id) }
}

func bearer(token string) func(*events.APIGatewayV2HTTPRequest) {
	return func(e *events.APIGatewayV2HTTPRequest) { e.Headers["authorization"] = "Bearer " + token }
}

// signedIn has an event from an operator whom the gateway let in.
func signedIn(claims map[string]string) func(*events.APIGatewayV2HTTPRequest) {
	return func(e *events.APIGatewayV2HTTPRequest) {
		e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
		}
	}
}

// signedWrongly has an event from an app that the policy names, by who has not its key.
func signedWrongly(e *events.APIGatewayV2HTTPRequest) {
	e.Headers["authorization"] = fmt.Sprintf("Rightsdesk app=console, time=%d, signature=%s", time.Now().Unix(), strings.Repeat("a", 64))
}

// ask sends an event of the HTTP API and expects a status.
func (l *lambda) ask(payload []byte, status int, into any) events.APIGatewayV2HTTPResponse {
	l.t.Helper()
	var a events.APIGatewayV2HTTPResponse
	l.must(payload, &a)
	if a.StatusCode != status {
		l.t.Fatalf("%s answers %d %s, want %d\n%s", l.Name, a.StatusCode, a.Body, status, l.log)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.Body), into); err != nil {
			l.t.Fatalf("%s answers %s: %v", l.Name, a.Body, err)
		}
	}
	return a
}

// installation is the programs on a cloud.
type installation struct {
	*cloud
	functions map[string]*lambda
}

func (i *installation) run(t *testing.T, dir string, fns ...topology.Function) {
	t.Helper()
	for _, f := range fns {
		i.functions[f.Name] = start(t, filepath.Join(dir, f.Name), f, i.environment(f))
	}
}

// all are the programs that run, in the order of the topology.
func (i *installation) all() []*lambda {
	var list []*lambda
	for _, f := range topology.All {
		if l, ok := i.functions[f.Name]; ok {
			list = append(list, l)
		}
	}
	return list
}

// TestWhatIsDeployed takes the programs as Lambda gets them through what they are
// for, over Lambda's own interface, from a fresh installation to a package that
// its person downloads. What a role does not allow is refused on the way.
func TestWhatIsDeployed(t *testing.T) {
	i := &installation{openCloud(t), map[string]*lambda{}}
	dir := build(t)

	// Nobody has asked yet: those who may not make the key ring have nothing to do.
	i.run(t, dir, topology.Fulfil)
	i.schedules(t)
	if n := i.called("fulfil", "kms:Decrypt MasterKey"); n != 0 {
		t.Errorf("without a key ring KMS was called %d times", n)
	}
	i.opens(t, dir)
	i.run(t, dir, topology.Fulfil, topology.Requests, topology.Deadlines, topology.Relay, topology.Consent, topology.Closure, topology.Retention, topology.MailEvents)
	requests, relay := i.functions["requests"], i.functions["relay"]

	i.noCredentials(t)
	i.unknownEvents(t)
	i.notice(t)
	var problem struct {
		Code   string
		Status int
	}
	if a := requests.ask(recorded(t, "requests/submit_broken_json.json", ""), http.StatusBadRequest, &problem); problem.Code != "invalid_json" ||
		a.Headers["Content-Type"] != "application/problem+json" {
		t.Errorf("broken JSON: %v %+v", a.Headers, problem)
	}

	var receipt, again struct{ ID, Status string }
	requests.ask(recorded(t, "requests/submit_access.json", ""), http.StatusAccepted, &receipt)
	requests.ask(recorded(t, "requests/submit_access.json", ""), http.StatusAccepted, &again)
	if receipt != again || receipt.Status != "unverified" {
		t.Fatalf("the same call twice: %+v and %+v", receipt, again)
	}
	id := receipt.ID

	changed := recorded(t, "relay/stream_new_request.json", id)
	if end := relay.invokeFor(changed, request.PageTime-time.Second); end.failed || len(i.sent()) > 0 {
		t.Errorf("a mail was begun when there was no time to end it: %s", end.body)
	}
	relay.must(changed, nil)
	relay.must(changed, nil) // a stream may say it twice
	mails := i.sent()
	if len(mails) != 1 || mails[0].to != "ada@example.org" {
		t.Fatalf("mails: %+v\n%s", mails, relay.log)
	}
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(mails[0].text)
	secrets := []string{"ada@example.org", "Ada Example", code}

	verify := []byte(strings.ReplaceAll(string(recorded(t, "requests/verify.json", id)), "314159", code))
	var proven struct{ Status, Token string }
	requests.ask(verify, http.StatusOK, &proven)
	secrets = append(secrets, proven.Token)

	i.schedules(t)
	i.workOff(t, id)
	i.tasks(t, id)
	i.workOff(t, id)
	var seen struct{ Status string }
	requests.ask(call(t, topology.Route{Pattern: "GET /v1/requests/{id}"}, "", at(id), bearer(proven.Token)), http.StatusOK, &seen)
	if seen.Status != "fulfilled" {
		t.Fatalf("the request is %s\n%s", seen.Status, i.functions["fulfil"].log)
	}
	i.deliver(t, id, proven.Token)
	for _, m := range i.sent() {
		if m.to != "ada@example.org" {
			t.Errorf("a mail went to %q", m.to)
		}
	}
	secrets = append(secrets, i.choices(t, id)...)
	secrets = append(secrets, i.ends(t)...)
	i.workFails(t, id)
	i.schedules(t)
	i.seals(t, id)
	i.expires(t)
	i.tells(t, id)

	i.calls(t)
	i.trials(t)
	i.unmade(t)
	for _, l := range i.all() {
		log := l.log.String()
		for _, s := range secrets {
			// Six digits may stand in a name of 32 that has nothing to do with them.
			if s != "" && regexp.MustCompile(`\b`+regexp.QuoteMeta(s)+`\b`).MatchString(log) {
				t.Errorf("%s logs %q: %s", l.Name, s, log)
			}
		}
	}
	i.missingSettings(t, dir)
	i.figures(t, dir)
}

// opens has an installation that nobody has set up yet turn people away, and opens it:
// by its settings, by the bucket of policies, and by an operator.
func (i *installation) opens(t *testing.T, dir string) {
	t.Helper()
	unset := func(f topology.Function, settings ...topology.Setting) map[string]string {
		env := i.environment(f)
		for _, s := range settings {
			env[string(s)] = topology.NoValue
		}
		return env
	}
	notice := start(t, filepath.Join(dir, "notice"), topology.Notice, unset(topology.Notice, topology.ControllerName, topology.PrivacyContact))
	requests := start(t, filepath.Join(dir, "requests"), topology.Requests, i.environment(topology.Requests))
	var problem struct{ Code string }
	for _, l := range []*lambda{notice, requests} {
		for _, r := range l.Routes {
			if r.Caller == topology.Operator || r.Path() == "/healthz" {
				continue
			}
			a := l.ask(call(t, r, "{}"), http.StatusServiceUnavailable, nil)
			if isPage := strings.HasPrefix(a.Headers["Content-Type"], "text/html"); a.Headers["Retry-After"] != "300" || strings.Contains(a.Body, "Example Platform") ||
				!isPage && (json.Unmarshal([]byte(a.Body), &problem) != nil || problem.Code != "not_open_yet") || isPage && !strings.Contains(a.Body, "Not open yet") {
				t.Errorf("%s before anything is open: %v %s", r.Pattern, a.Headers, a.Body)
			}
		}
	}
	requests.ask(call(t, topology.Route{Pattern: "GET /healthz"}, ""), http.StatusOK, nil)
	if n := i.hinted(); len(n) > 0 || i.called("requests", "dynamodb:PutItem StateTable") > 0 {
		t.Errorf("something was taken in: %v", n)
	}
	look := recorded(t, "notice/editions.json", "")
	if end := notice.invoke(look); !end.failed || !strings.Contains(string(end.body), "PrivacyContact") {
		t.Errorf("the alarm would not say what is missing: %s", end.body)
	}
	var seen struct {
		Open    bool
		Version string
		Edition int
		Missing []struct{ Code string }
		Refused *struct{ Problems []struct{ Line int } }
	}
	notice.ask(recorded(t, "notice/operator_policy.json", ""), http.StatusOK, &seen)
	if seen.Open || len(seen.Missing) != 1 || seen.Missing[0].Code != "policy" {
		t.Errorf("an operator sees %+v", seen)
	}
	// A program that is not told where to write from opens as soon as it is.
	silent := start(t, filepath.Join(dir, "notice"), topology.Notice, unset(topology.Notice, topology.Sender))
	if end := silent.invoke(look); !end.failed || !strings.Contains(string(end.body), "MailMode") {
		t.Errorf("without a sender: %s", end.body)
	}
	i.functions["notice"] = start(t, filepath.Join(dir, "notice"), topology.Notice, i.environment(topology.Notice))
	i.functions["notice"].must(look, nil)
	notice.must(look, nil) // whose settings say less, but it is open
	notice.ask(recorded(t, "notice/policy.json", ""), http.StatusOK, &seen)
	i.published(t, notice, look)
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.cloud.calls, "requests kms:Encrypt MasterKey") // of the program that nobody calls any more; see calls
}

// published takes the other two ways by which a policy comes into force, and back to
// that of the settings.
func (i *installation) published(t *testing.T, notice *lambda, look []byte) {
	t.Helper()
	var seen struct {
		Open    bool
		Version string
		Edition int
		Refused *struct {
			Origin   string
			Problems []struct {
				Line int
				Path string
			}
		}
	}
	show := func() {
		t.Helper()
		seen.Refused = nil
		notice.ask(recorded(t, "notice/operator_policy.json", ""), http.StatusOK, &seen)
	}
	show()
	if !seen.Open || seen.Edition != 1 {
		t.Fatalf("after its settings were looked at: %+v", seen)
	}
	own := recorded(t, "notice/operator_policy.json", "") // as an operator
	file := notice.ask([]byte(strings.ReplaceAll(string(own), "/v1/operator/policy", "/v1/operator/policy/{edition}")), http.StatusNotFound, nil)
	if !strings.Contains(file.Body, "edition_not_found") {
		t.Errorf("an edition that is none: %s", file.Body)
	}
	var claims struct {
		RequestContext struct {
			Authorizer struct {
				JWT struct{ Claims map[string]string }
			}
		}
	}
	if err := json.Unmarshal(own, &claims); err != nil {
		t.Fatal(err)
	}
	operator := signedIn(claims.RequestContext.Authorizer.JWT.Claims)
	first := notice.ask(call(t, topology.Route{Pattern: "GET /v1/operator/policy/{edition}"}, "", operator, func(e *events.APIGatewayV2HTTPRequest) {
		e.RawPath = "/v1/operator/policy/1"
	}), http.StatusOK, nil)
	if !strings.Contains(first.Body, "legal_name: Example Cloud Ltd") {
		t.Fatalf("the first edition is %s", first.Body)
	}
	var checked struct {
		Usable   bool
		Problems []struct{ Text string }
	}
	if notice.ask(recorded(t, "notice/operator_check.json", ""), http.StatusOK, &checked); checked.Usable || len(checked.Problems) == 0 {
		t.Errorf("a wrong file is found to be %+v", checked)
	}
	i.bucketed(t, "format: 2\n")
	notice.must(look, nil)
	if show(); seen.Edition != 1 || seen.Refused == nil || seen.Refused.Origin != "bucket" || seen.Refused.Problems[0].Line != 1 {
		t.Errorf("a wrong file in the bucket: %+v", seen)
	}
	i.bucketed(t, "# from the bucket\n"+first.Body)
	notice.must(look, nil)
	if show(); seen.Edition != 2 {
		t.Errorf("another file in the bucket: %+v", seen)
	}
	body, err := json.Marshal(map[string]string{"file": first.Body, "expects": seen.Version})
	if err != nil {
		t.Fatal(err)
	}
	publish := topology.Route{Pattern: "POST /v1/operator/policy"}
	oneFactor := map[string]string{"sub": "x", "amr": "[pwd]", "rightsdesk:roles": "[handler]"}
	notice.ask(call(t, publish, string(body), signedIn(oneFactor)), http.StatusForbidden, nil)
	notice.ask(call(t, publish, string(body), operator), http.StatusOK, &seen)
	notice.ask(call(t, publish, string(body), operator), http.StatusOK, &seen) // the answer was lost
	notice.must(look, nil)
	if show(); seen.Edition != 3 || !seen.Open {
		t.Errorf("an operator published: %+v", seen)
	}
	notice.ask(call(t, publish, strings.ReplaceAll(string(body), "Example Cloud Ltd", "Example Clouds Ltd"), operator), http.StatusUnprocessableEntity, nil)
	var versions struct{ Versions []struct{ Version string } }
	if notice.ask(recorded(t, "notice/versions.json", ""), http.StatusOK, &versions); len(versions.Versions) != 3 || versions.Versions[0].Version != seen.Version {
		t.Errorf("everybody sees %+v", versions)
	}
	if a := notice.ask(call(t, topology.Route{Pattern: "GET /.well-known/security.txt"}, ""), http.StatusOK, nil); !strings.Contains(a.Body, "Contact: mailto:"+contact+"\n") ||
		!strings.HasPrefix(a.Headers["Content-Type"], "text/plain") {
		t.Errorf("security.txt: %v %s", a.Headers, a.Body)
	}
	proof(t, "before a policy is in force every route for people answers 503 not_open_yet; settings, bucket and an operator each bring one into force")
}

// bucketed puts a file into the bucket of policies.
func (c *cloud) bucketed(t *testing.T, file string) {
	t.Helper()
	sum := sha256.Sum256([]byte(file))
	r := httptest.NewRequest(http.MethodPut, "/"+policyBucket+"/"+policies.Key, strings.NewReader(file))
	r.Header.Set("Authorization", "an administrator's")
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	w := httptest.NewRecorder()
	if c.bucket.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
}

// missingSettings starts each program without each of its settings.
func (i *installation) missingSettings(t *testing.T, dir string) {
	t.Helper()
	n := 0
	for _, f := range topology.All {
		for _, s := range f.Settings() {
			env := i.environment(f)
			delete(env, string(s))
			l := launch(t, filepath.Join(dir, f.Name), f, env)
			select {
			case <-l.gone:
			case <-time.After(patience):
				t.Fatalf("%s runs without %s", f.Name, s)
			}
			var why struct{ ErrorType, ErrorMessage string }
			select {
			case body := <-l.refused:
				if err := json.Unmarshal([]byte(body), &why); err != nil {
					t.Error(err)
				}
			default:
			}
			if why.ErrorType != "CannotStart" || !strings.Contains(why.ErrorMessage, string(s)) {
				t.Errorf("%s without %s tells Lambda %+v", f.Name, s, why)
			}
			if !l.logs(0, func(line map[string]any) bool {
				err, _ := line["err"].(string)
				return line["level"] == "ERROR" && strings.Contains(err, string(s))
			}) {
				t.Errorf("%s without %s logs %s", f.Name, s, l.log)
			}
			n++
		}
	}
	proof(t, "without one of its settings no program starts, and each of the %d times the error names it", n)
}

// schedules runs every job once, by its recorded event.
func (i *installation) schedules(t *testing.T) {
	t.Helper()
	for _, l := range i.all() {
		for _, s := range l.Schedules {
			before := len(l.log.String())
			l.must(recorded(t, l.Name+"/"+s.Job+".json", ""), nil)
			if !l.logs(before, func(line map[string]any) bool {
				err, is := line["err"]
				return line["msg"] == "a job ran" && line["job"] == s.Job && is && err == nil
			}) {
				t.Errorf("the alarm would not hear that %s ran: %s", s.Job, l.log)
			}
		}
	}
}

// noCredentials calls every route that is not for anyone.
func (i *installation) noCredentials(t *testing.T) {
	t.Helper()
	n := 0
	for _, l := range i.all() {
		for _, r := range l.Routes {
			want := http.StatusUnauthorized
			switch r.Caller {
			case topology.Anyone:
				continue
			case topology.SignedLink:
				want = http.StatusGone
			case topology.Browser:
				var a events.APIGatewayV2HTTPResponse
				if l.must(call(t, r, "{}", signedWrongly), &a); a.StatusCode != want {
					t.Errorf("%s with somebody else's signature: %d %s, want %d", r.Pattern, a.StatusCode, a.Body, want)
				}
				n++
				continue
			case topology.Person, topology.App, topology.Operator:
			}
			n++
			var a events.APIGatewayV2HTTPResponse
			l.must(call(t, r, "{}"), &a)
			if a.StatusCode != want {
				t.Errorf("%s without credentials: %d %s, want %d", r.Pattern, a.StatusCode, a.Body, want)
			}
			if isPage := strings.HasPrefix(a.Headers["Content-Type"], "text/html"); isPage != (r.Caller == topology.SignedLink) {
				t.Errorf("%s without credentials is answered by %s", r.Pattern, a.Headers["Content-Type"])
			}
			l.must(call(t, r, "{}", bearer("made-up")), &a)
			if a.StatusCode != want {
				t.Errorf("%s with made-up credentials: %d %s, want %d", r.Pattern, a.StatusCode, a.Body, want)
			}
		}
	}
	proof(t, "%d routes of the built programs refuse whoever has no credentials", n)
}

// unknownEvents are answered by an error, and the program lives on.
func (i *installation) unknownEvents(t *testing.T) {
	t.Helper()
	for _, l := range i.all() {
		for _, payload := range []string{
			`{}`, `null`, `[]`, `"steps"`, `{"job":"nobody's"}`, `{"job":7}`, `{"Records":[]}`, `{"Records":[{"eventSource":"aws:s3"}]}`,
			`{"Records":[{"eventSource":"aws:sqs"},7]}`, `{"version":"1.0","routeKey":"GET /v1/policy"}`, `{"source":"aws.ses"}`, `not JSON`,
		} {
			if end := l.invoke([]byte(payload)); !end.failed || strings.Contains(string(end.body), "stackTrace") {
				t.Errorf("%s makes of %s: %s", l.Name, payload, end.body)
			}
		}
	}
}

// trials has every program say what it reaches.
func (i *installation) trials(t *testing.T) {
	t.Helper()
	for _, l := range i.all() {
		l.health()
	}
}

// calls looks at what was called on the way. What is not granted was refused.
func (i *installation) calls(t *testing.T) {
	t.Helper()
	for _, l := range i.all() {
		want := 1 // in all its life
		if l.Tables.Keys == topology.None {
			want = 0
		}
		if n := i.called(l.Name, "kms:Decrypt MasterKey") + i.called(l.Name, "kms:Encrypt MasterKey"); n != want {
			t.Errorf("%s called KMS %d times, want %d", l.Name, n, want)
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	total := 0
	for _, n := range i.cloud.calls {
		total += n
	}
	proof(t, "a request from the form to the package: %d calls of AWS of %d kinds, none beyond what the template grants", total, len(i.cloud.calls))
}

func (i *installation) notice(t *testing.T) {
	t.Helper()
	var p struct {
		Version  string
		Document struct{ Brand string }
	}
	i.functions["notice"].ask(recorded(t, "notice/policy.json", ""), http.StatusOK, &p)
	if p.Version == "" || p.Document.Brand == "" {
		t.Errorf("the policy: %+v", p)
	}
	for _, r := range topology.Notice.Routes {
		if r.Caller == topology.Operator {
			continue // see opens
		}
		i.functions["notice"].ask(call(t, r, ""), http.StatusOK, nil)
	}
}

// workOff carries what the stream and the queue would, until there is no more.
func (i *installation) workOff(t *testing.T, id string) {
	t.Helper()
	i.hinted()
	for range 20 {
		i.functions["relay"].must(recorded(t, "relay/stream_new_request.json", id), nil)
		hints := i.hinted()
		if len(hints) == 0 {
			return
		}
		for _, hint := range hints {
			if hint != id {
				t.Errorf("a hint about %q", hint)
			}
			var failures events.SQSEventResponse
			i.functions["fulfil"].must(recorded(t, "fulfil/step.json", hint), &failures)
			if len(failures.BatchItemFailures) > 0 {
				t.Fatalf("work failed: %s", i.functions["fulfil"].log)
			}
		}
	}
	t.Errorf("there is no end of work on %s", id)
}

// tasks does by hand what is to be done by hand, as an operator.
func (i *installation) tasks(t *testing.T, id string) {
	t.Helper()
	requests := i.functions["requests"]
	var list struct{ Requests []struct{ ID string } }
	requests.ask(recorded(t, "requests/operator_list.json", ""), http.StatusOK, &list)
	if len(list.Requests) != 1 || list.Requests[0].ID != id {
		t.Errorf("an operator sees %+v", list)
	}
	claims := map[string]string{"sub": "6b1e0f5a-2f0c-4c0e-8d7b-3a9d5c1e7f42", "amr": "[pwd mfa]", "rightsdesk:roles": "[handler]"}
	show := topology.Route{Pattern: "GET /v1/operator/requests/{id}"}
	a := requests.ask(call(t, show, "", at(id), signedIn(claims)), http.StatusOK, nil)
	todo := regexp.MustCompile(`"task":"([^"]+)"`).FindAllStringSubmatch(a.Body, -1)
	if len(todo) != 1 {
		t.Errorf("%d tasks, want the help desk's: %s", len(todo), a.Body)
	}
	for _, m := range todo {
		done := topology.Route{Pattern: "POST /v1/operator/tasks/{id}/done"}
		requests.ask(call(t, done, "{}", at(m[1]), signedIn(claims)), http.StatusOK, nil)
	}
	for _, c := range []map[string]string{{}, {"sub": ""}, {"sub": "x"}, {"sub": "x", "rightsdesk:roles": "[handlers]"}, {"sub": "x\ny", "amr": "[pwd mfa]", "rightsdesk:roles": "[handler]"}} {
		var a events.APIGatewayV2HTTPResponse
		if requests.must(call(t, show, "", at(id), signedIn(c)), &a); a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusForbidden {
			t.Errorf("the claims %v: %d %s", c, a.StatusCode, a.Body)
		}
	}
}

// deliver downloads the package by the link that the program signed.
func (i *installation) deliver(t *testing.T, id, token string) {
	t.Helper()
	var d struct{ URL string }
	i.functions["requests"].ask(call(t, topology.Route{Pattern: "POST /v1/requests/{id}/deliver"}, "{}", at(id), bearer(token)), http.StatusOK, &d)
	res, err := http.Get(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Content-Disposition"), ".zip") {
		t.Errorf("the package: %s %v", res.Status, res.Header)
	}
}

// workFails has the tables refuse: the message goes back to its queue, and the
// stream is not held up.
func (i *installation) workFails(t *testing.T, id string) {
	t.Helper()
	i.refuseTables(true)
	defer i.refuseTables(false)
	var failures struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	i.functions["fulfil"].must(recorded(t, "fulfil/step.json", id), &failures)
	if f := failures.BatchItemFailures; len(f) != 1 || f[0].ItemIdentifier != "059f36b4-87a3-44ab-83d2-661975830a7d" {
		t.Errorf("failed messages: %+v", f)
	}
	failures.BatchItemFailures = nil
	i.functions["relay"].must(recorded(t, "relay/stream_new_request.json", id), &failures)
	if len(failures.BatchItemFailures) > 0 {
		t.Errorf("failed records: %+v", failures)
	}
	if end := i.functions["deadlines"].invoke(recorded(t, "deadlines/clocks.json", "")); !end.failed {
		t.Errorf("a run that saw nothing has succeeded: %s", end.body)
	}
}

// figures prints what the programs take.
func (i *installation) figures(t *testing.T, dir string) {
	t.Helper()
	for _, f := range topology.All {
		l := i.functions[f.Name]
		file, err := os.Stat(filepath.Join(dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		starts := []time.Duration{l.init}
		for range 9 {
			starts = append(starts, start(t, filepath.Join(dir, f.Name), f, i.environment(f)).init)
		}
		slices.Sort(starts)
		proof(t, "%-9s program %4.1f MB, ready after %5.1f ms (median of %d, best %.1f), %4.1f MB of memory after its work", f.Name,
			float64(file.Size())/1e6, ms(starts[len(starts)/2]), len(starts), ms(starts[0]), l.peak())
	}
}

// proof prints a figure for whoever reads the output of make test.
func proof(t *testing.T, format string, args ...any) {
	t.Helper()
	if !t.Failed() { // what was not proven is not claimed
		fmt.Printf("PROOF deployed: "+format+"\n", args...)
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
