package main

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/request"
	"rightsdesk/shared/table"
	"rightsdesk/shared/topology"
)

// apiPage is docs/api/openapi.yaml, and which of its answers were seen.
type apiPage struct {
	w        *world
	doc      map[string]any
	compiler *jsonschema.Compiler
	patterns *http.ServeMux
	good     map[string]bool // by pattern
	bad      map[string]bool
}

func openAPIPage(w *world) *apiPage {
	w.t.Helper()
	b, err := os.ReadFile("../../docs/api/openapi.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(b, &doc); err != nil {
		w.t.Fatal(err)
	}
	// Readers are told to ignore fields they do not know. The program itself may
	// have none that the page does not tell: for this test, objects are closed.
	closed(doc["components"].(map[string]any)["schemas"])
	raw, err := json.Marshal(doc)
	if err != nil {
		w.t.Fatal(err)
	}
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	a := &apiPage{w: w, doc: doc, compiler: jsonschema.NewCompiler(), patterns: http.NewServeMux(), good: map[string]bool{}, bad: map[string]bool{}}
	a.compiler.AssertFormat()
	if err := a.compiler.AddResource("openapi.json", resource); err != nil {
		w.t.Fatal(err)
	}
	for _, fn := range topology.All {
		for _, r := range fn.Routes {
			pattern := r.Pattern
			if strings.HasSuffix(pattern, "/") {
				pattern += "{$}"
			}
			a.patterns.Handle(pattern, http.NotFoundHandler())
		}
	}
	return a
}

func closed(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			closed(e)
		}
	case map[string]any:
		if _, ok := v["properties"].(map[string]any); ok && v["type"] == "object" && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, e := range v {
			closed(e)
		}
	}
}

// fits compares a body with the schema at a pointer.
func (a *apiPage) fits(pointer string, body []byte) {
	a.w.t.Helper()
	s, err := a.compiler.Compile("openapi.json#" + pointer)
	if err != nil {
		a.w.t.Fatalf("%s: %v", pointer, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		a.w.t.Errorf("%s: %s is not JSON: %v", pointer, body, err)
		return
	}
	if err := s.Validate(v); err != nil {
		a.w.t.Errorf("%s: %s\n%v", pointer, body, err)
	}
}

// call makes a call, and compares what was sent and what came back with the page.
func (a *apiPage) call(status int, method, path string, body any, headers ...header) answer {
	t := a.w.t
	t.Helper()
	got := a.w.must(status, method, path, body, headers...)
	req, err := http.NewRequestWithContext(t.Context(), method, a.w.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, pattern := a.patterns.Handler(req)
	_, route, _ := strings.Cut(pattern, " ")
	op := "/paths/" + strings.ReplaceAll(route, "/", "~1") + "/" + strings.ToLower(method)
	if body != nil && status < http.StatusBadRequest {
		sent, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := a.resolve(op + "/requestBody")
		a.fits(at+"/content/application~1json/schema", sent)
	}
	at, response := a.resolve(op + "/responses/" + strconv.Itoa(status))
	if response == nil {
		t.Errorf("%s: the page does not know the status %d", pattern, status)
		return got
	}
	media, _, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	if strings.HasSuffix(media, "json") {
		a.fits(at+"/content/"+strings.ReplaceAll(media, "/", "~1")+"/schema", got.Body)
	} else if _, listed := a.resolve(at + "/content/" + strings.ReplaceAll(media, "/", "~1")); listed == nil {
		t.Errorf("%s: the page does not know that the answer may be %s", pattern, media)
	}
	if status < http.StatusBadRequest {
		a.good[pattern] = true
		return got
	}
	a.bad[pattern] = true
	var p struct {
		Status int
		Code   string
	}
	got.into(t, &p)
	codes, _ := response["x-codes"].([]any)
	listed := false
	for _, c := range codes {
		listed = listed || c == p.Code
	}
	if p.Status != status || media != "application/problem+json" || !listed {
		t.Errorf("%s: %d is answered with %s %s, which the page does not list there", pattern, status, media, got.Body)
	}
	return got
}

// resolve returns what stands at a pointer, and where it really stands.
func (a *apiPage) resolve(pointer string) (string, map[string]any) {
	a.w.t.Helper()
	var v any = a.doc
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		o, ok := v.(map[string]any)
		if !ok {
			return pointer, nil
		}
		v = o[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	o, _ := v.(map[string]any)
	if ref, ok := o["$ref"].(string); ok {
		return a.resolve(strings.TrimPrefix(ref, "#"))
	}
	return pointer, o
}

// TestRealAnswersFitTheAPIPage gets from every JSON route a good answer and a
// refusal, and compares both with the page.
func TestRealAnswersFitTheAPIPage(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool // the newsletter's store
	w := open(t, withAppeals(t), func(o *options) {
		o.Fault = func(c company.Call) company.Fault {
			return company.Fault{Before: broken.Load() && c.Store == company.Newsletter}
		}
	})
	a := openAPIPage(w)
	const ada, grace = "ada@example.org", "grace@example.net"
	op, none := w.operator(), map[string]any{}
	type proven struct{ ID, Status, Token string }

	for _, path := range []string{"/healthz", "/v1/policy", "/v1/policy?lang=fr", "/v1/policy/vendors", "/v1/policy/categories"} {
		a.call(200, "GET", path, nil)
	}

	// A person asks for a copy.
	a.call(400, "POST", "/v1/requests", map[string]any{"right": "access", "wish": "everything"})
	a.call(400, "POST", "/v1/requests", map[string]any{"right": "oblivion", "person": map[string]any{"email": ada}})
	for _, twice := range []string{`"right":"access","right":"know"`, `"right":"access","Right":"know"`, `"RIGHT":"access"`, `"perſon":{}`} {
		a.call(400, "POST", "/v1/requests", `{`+twice+`,"person":{"email":"ada@example.org"}}`)
	}
	a.call(413, "POST", "/v1/requests", map[string]any{"details": strings.Repeat("x", 65<<10)})
	key := header{"Idempotency-Key", "k1"}
	var r proven
	a.call(202, "POST", "/v1/requests", submission("access", ada), key).into(t, &r)
	a.call(202, "POST", "/v1/requests", submission("access", ada), key)
	a.call(422, "POST", "/v1/requests", submission("access", ada, func(b map[string]any) { b["details"] = "other" }), key)
	at := "/v1/requests/" + r.ID
	a.call(400, "POST", at+"/verify", map[string]string{"code": "000000"})
	a.call(401, "POST", at+"/verify", map[string]string{"token": "forged"})
	a.call(200, "POST", at+"/verify", map[string]string{"code": w.mailed(ada, r.ID, 1).Code}).into(t, &r)
	w.reach(r.ID, r.Token, "fulfilled")
	session := bearerOf(r.Token)
	a.call(200, "GET", at, nil, session)
	a.call(401, "GET", at, nil)
	a.call(200, "GET", at+"/deadline", nil, session)
	a.call(401, "GET", at+"/deadline", nil)
	a.call(409, "POST", at+"/revoke", none, session)
	a.call(200, "POST", at+"/deliver", none, session)
	a.call(403, "POST", at+"/deliver", none, session)
	a.call(400, "POST", at+"/code", map[string]any{"again": true})
	a.call(202, "POST", at+"/code", none)
	a.call(202, "POST", "/v1/requests/nobody/code", none)

	// And takes back another wish.
	erasure := w.submit(submission("erasure", grace))
	token := bearerOf(w.verify(erasure, grace))
	a.call(410, "POST", "/v1/requests/"+erasure+"/deliver", none, token)
	a.call(200, "POST", "/v1/requests/"+erasure+"/revoke", none, token)
	a.call(200, "GET", "/v1/requests/"+erasure, nil, token)
	for range 5 {
		w.call("POST", "/v1/requests/"+erasure+"/verify", map[string]string{"code": "000000"})
	}
	a.call(429, "POST", "/v1/requests/"+erasure+"/verify", map[string]string{"code": "000000"})

	// An operator takes in what came by post.
	by := map[string]any{
		"right": "rectification", "residence": "FR", "channel": "post", "person": map[string]any{"email": grace},
		"received_at": w.Clock.Now().Add(-48 * time.Hour).Format(time.RFC3339), "corrections": []any{map[string]any{"field": "name", "value": "Grace Example"}},
	}
	a.call(202, "POST", "/v1/operator/requests", by, op).into(t, &r)
	a.call(400, "POST", "/v1/operator/requests", map[string]any{"right": "access", "channel": "pigeon", "person": map[string]any{"email": grace}}, op)
	a.call(200, "GET", "/v1/operator/requests?status=unverified", nil, op)
	a.call(400, "GET", "/v1/operator/requests?due_before=soon", nil, op)
	a.call(400, "GET", "/v1/operator/requests?cursor=none", nil, op)
	at = "/v1/operator/requests/" + r.ID
	a.call(400, "POST", at+"/verify", map[string]any{"reason": " "}, op)
	a.call(409, "POST", at+"/plan", none, op)
	a.call(409, "POST", at+"/accept", none, op)
	a.call(200, "POST", at+"/verify", map[string]any{"reason": "known at the counter"}, op)
	a.call(200, "POST", at+"/plan", none, op)
	a.call(409, "POST", at+"/retry", none, op)
	a.call(200, "POST", at+"/accept", none, op)
	a.call(200, "GET", at, nil, op)
	a.call(404, "GET", "/v1/operator/requests/nobody", nil, op)
	a.call(404, "POST", "/v1/operator/tasks/nobody.0/done", none, op)

	// Does by hand what no program can.
	id := w.submit(submission("restriction", ada))
	person := w.verify(id, ada)
	at = "/v1/operator/requests/" + id
	a.call(200, "POST", at+"/accept", none, op)
	var shown struct{ Steps []struct{ Task string } }
	w.await("there is a task", func() bool {
		a.call(200, "GET", at, nil, op).into(t, &shown)
		return len(shown.Steps) > 0 && shown.Steps[0].Task != ""
	})
	for _, s := range shown.Steps {
		if s.Task != "" {
			a.call(200, "POST", "/v1/operator/tasks/"+s.Task+"/done", none, op)
		}
	}
	w.reach(id, person, "fulfilled")

	// Denies, for a reason of the law.
	id = w.submit(submission("objection", grace))
	person = w.verify(id, grace)
	at = "/v1/operator/requests/" + id
	a.call(400, "POST", at+"/deny", map[string]any{"reason": "no time"}, op)
	a.call(200, "POST", at+"/deny", map[string]any{"reason": "manifestly_unfounded"}, op)
	a.call(200, "GET", "/v1/requests/"+id, nil, bearerOf(person))

	// And lets what has failed try again.
	broken.Store(true)
	id = w.submit(submission("access", ada))
	w.verify(id, ada)
	at = "/v1/operator/requests/" + id
	w.pass(24 * time.Hour)
	a.call(200, "GET", at, nil, op)
	broken.Store(false)
	a.call(200, "POST", at+"/retry", none, op)
	a.call(200, "GET", "/v1/operator/audit/verify", nil, op)
	a.call(400, "GET", "/v1/operator/audit/verify?cursor=none", nil, op)

	a.clocksAndMessages()
	a.choices()
	a.closures()
	a.policies()

	never := map[string]bool{"GET /healthz": true, "GET /v1/policy": true, "GET /v1/policy/vendors": true, "GET /v1/policy/categories": true, "GET /v1/policy/versions": true}
	for _, fn := range topology.All {
		for _, r := range fn.Routes {
			if r.Path() != "/healthz" && !strings.HasPrefix(r.Path(), "/v1/") || r.Method() == http.MethodOptions {
				continue
			}
			if !a.good[r.Pattern] {
				t.Errorf("%s was never answered well", r.Pattern)
			}
			if !a.bad[r.Pattern] && !never[r.Pattern] {
				t.Errorf("%s was never refused", r.Pattern)
			}
		}
	}
}

// clocksAndMessages moves the dates of requests, asks and answers, appeals and complains.
func (a *apiPage) clocksAndMessages() {
	w := a.w
	const ada, grace = "ada@example.org", "grace@example.net"
	op, none := w.operator(), map[string]any{}
	id := w.submit(submission("objection", grace, func(b map[string]any) { b["residence"] = "US-VA" }))
	session := bearerOf(w.verify(id, grace))
	at, mine := "/v1/operator/requests/"+id, "/v1/requests/"+id

	a.call(400, "POST", at+"/messages", map[string]any{"text": " ", "cause": "curiosity"}, op)
	a.call(200, "POST", at+"/messages", map[string]any{"text": "Which letters do you mean?", "cause": "clarification"}, op)
	a.call(200, "GET", mine, nil, session)
	for _, content := range []string{"%", "TVoAAQ=="} { // no base64, and a kind of file that is not taken
		a.call(400, "POST", mine+"/messages", map[string]any{"files": []any{map[string]any{"name": "a.pdf", "content": content}}}, session)
	}
	a.call(413, "POST", mine+"/messages", map[string]any{"text": strings.Repeat("x", 5<<20)}, session)
	answer := map[string]any{"text": "All of them.", "files": []any{map[string]any{"name": "lettres d'été.txt", "content": "YSBsaXN0Cg=="}}}
	key := header{"Idempotency-Key", "answer-1"}
	a.call(200, "POST", mine+"/messages", answer, session, key)
	a.call(200, "POST", mine+"/messages", answer, session, key)
	a.call(422, "POST", mine+"/messages", map[string]any{"text": "Some of them."}, session, key)
	a.call(200, "GET", mine+"/messages", nil, session)
	a.call(401, "GET", mine+"/messages", nil)
	a.call(200, "GET", at+"/messages", nil, op)
	a.call(404, "GET", "/v1/operator/requests/nobody/messages", nil, op)
	if got := a.call(200, "GET", at+"/messages/2/files/1", nil, op); string(got.Body) != "a list\n" || !strings.Contains(got.Header.Get("Content-Disposition"), "%C3%A9") {
		w.t.Errorf("the file is %q with %v", got.Body, got.Header)
	}
	for _, file := range []string{"2/files/2", "1/files/1", "9/files/1", "x/files/1", "2/files/x", "-1/files/0"} {
		a.call(404, "GET", at+"/messages/"+file, nil, op)
	}

	a.call(400, "POST", at+"/extend", map[string]any{"ground": "laziness"}, op)
	a.call(200, "POST", at+"/extend", map[string]any{"ground": a.ground(id)}, op)
	a.call(409, "POST", at+"/extend", map[string]any{"ground": "complexity"}, op)
	a.call(409, "POST", at+"/pause", map[string]any{"cause": "clarification"}, op)
	a.call(409, "POST", at+"/resume", none, op)
	a.call(409, "POST", at+"/recount", none, op)
	w.misdate(id)
	a.call(200, "POST", at+"/recount", none, op)
	a.call(200, "POST", at+"/assign", none, op)
	a.call(400, "POST", at+"/assign", map[string]any{"owner": strings.Repeat("x", 129)}, op)
	a.call(200, "GET", at, nil, op)
	a.call(200, "GET", "/v1/operator/requests", nil, op)
	a.call(200, "GET", mine+"/deadline", nil, session)

	// Where the law stops the time, time stands still.
	paused := w.submit(submission("objection", ada, func(b map[string]any) { b["residence"] = "GB" }))
	theirs := bearerOf(w.verify(paused, ada))
	to := "/v1/operator/requests/" + paused
	a.call(400, "POST", to+"/pause", map[string]any{"cause": "holidays"}, op)
	a.call(200, "POST", to+"/pause", map[string]any{"cause": "fee"}, op)
	a.call(200, "GET", "/v1/requests/"+paused, nil, theirs)
	a.call(200, "GET", to, nil, op)
	a.call(200, "POST", to+"/resume", map[string]any{"cause": "fee"}, op)

	// Nobody appeals before there is an answer, or where the law knows no appeal.
	why := map[string]any{"text": "It was me."}
	a.call(409, "POST", mine+"/appeal", why, session)
	a.call(200, "POST", at+"/deny", map[string]any{"reason": a.reason(id)}, op)
	a.call(400, "POST", mine+"/appeal", map[string]any{"text": ""}, session)
	a.call(202, "POST", mine+"/appeal", why, session)
	a.call(200, "GET", mine, nil, session)
	a.call(409, "POST", mine+"/messages", map[string]any{"text": "And?"}, session)
	a.call(200, "POST", to+"/deny", map[string]any{"reason": a.reason(paused)}, op)
	a.call(409, "POST", "/v1/requests/"+paused+"/appeal", why, theirs)

	// Anybody complains, about a request or about none; to stop a sale waits for no proof.
	a.call(202, "POST", "/v1/requests", submission("complaint", ada, func(b map[string]any) { b["about"] = paused }))
	a.call(400, "POST", "/v1/requests", submission("access", ada, func(b map[string]any) { b["about"] = paused }))
	a.call(202, "POST", "/v1/requests", submission("opt_out_sale", ada))

	a.call(200, "GET", "/v1/operator/law/cases", nil, op)
	a.call(400, "GET", "/v1/operator/law/cases?cursor=none", nil, op)
}

// reason is the first that a request may be denied for, and ground the first that
// its answer may be put off for.
func (a *apiPage) reason(id string) string {
	var shown struct{ Reasons []string }
	a.call(200, "GET", "/v1/operator/requests/"+id, nil, a.w.operator()).into(a.w.t, &shown)
	return shown.Reasons[0]
}

func (a *apiPage) ground(id string) string {
	var shown struct {
		Extension struct{ Grounds []struct{ Code string } }
	}
	a.call(200, "GET", "/v1/operator/requests/"+id, nil, a.w.operator()).into(a.w.t, &shown)
	return shown.Extension.Grounds[0].Code
}

// misdate gives a request a date that no law counts, as an older pack might have.
func (w *world) misdate(id string) {
	w.t.Helper()
	ctx, ref := w.t.Context(), request.ID(id).Ref()
	item, err := w.Requests.Table.Get(ctx, ref)
	if err != nil {
		w.t.Fatal(err)
	}
	var r map[string]any
	if err := json.Unmarshal(item.Body, &r); err != nil {
		w.t.Fatal(err)
	}
	r["safe_by"] = w.Clock.Now().Add(24 * time.Hour).Format(time.RFC3339)
	if item.Body, err = json.Marshal(r); err != nil {
		w.t.Fatal(err)
	}
	if err := w.Requests.Table.Commit(ctx, table.NewID(), table.Put(table.State, item, table.Version(item.Version))); err != nil {
		w.t.Fatal(err)
	}
}

// TestNoCredentialNoAnswer calls every route that wants a credential without
// one, and with each that is not its own.
func TestNoCredentialNoAnswer(t *testing.T) {
	t.Parallel()
	w := open(t)
	const ada = "ada@example.org"
	id := w.submit(submission("access", ada))
	mine := w.verify(id, ada)
	other := w.verify(w.submit(submission("erasure", ada)), ada)
	wrong := map[topology.Caller][]string{
		topology.Person:   {"", "Bearer", "Bearer forged", "Basic " + mine, "Bearer " + other, "Bearer " + w.OperatorKey},
		topology.Operator: {"", "Bearer", "Bearer forged", "Bearer " + mine},
		topology.App:      {"", "Bearer", "Bearer forged", "Bearer " + mine, "Rightsdesk app=shop, time=1, signature=" + strings.Repeat("0", 64)},
		topology.Browser:  {"Bearer", "Bearer forged", "Bearer " + w.OperatorKey, "Rightsdesk app=shop"}, // without one it is a browser
	}
	scheme := map[topology.Caller]string{
		topology.Person: "Bearer", topology.Operator: "Bearer", topology.App: "Rightsdesk", topology.Browser: "Rightsdesk",
	}
	for _, fn := range topology.All {
		for _, r := range fn.Routes {
			path := strings.NewReplacer("{id}", id, "{token}", "forged", "{message}", "1", "{file}", "1", "{record}", "s1.1").Replace(r.Path())
			switch r.Caller {
			case topology.Anyone:
			case topology.SignedLink:
				got := w.call(r.Method(), path, nil)
				if got.Status != http.StatusGone || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
					t.Errorf("%s with a forged token = %d, want a page with 410", r.Pattern, got.Status)
				}
			case topology.Person, topology.Operator, topology.App, topology.Browser:
				for _, credential := range wrong[r.Caller] {
					var h []header
					if credential != "" {
						h = append(h, header{"Authorization", credential})
					}
					var body any
					if r.Method() != http.MethodGet {
						body = map[string]any{}
					}
					got := w.call(r.Method(), path, body, h...)
					if got.Status != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") != scheme[r.Caller] {
						t.Errorf("%s with %.10q = %d %s, want 401", r.Pattern, credential, got.Status, got.Body)
					}
				}
			default:
				t.Errorf("%s: nobody tests its caller", r.Pattern)
			}
		}
	}
	if s := w.see(id, mine); s.Status == "revoked" {
		t.Error("somebody without a credential revoked the request")
	}
}
