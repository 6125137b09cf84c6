package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/certificate"
	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/erasure"
	"rightsdesk/shared/export/folder"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/retention"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
	"rightsdesk/shared/topology"
)

// edge is every route on small real parts.
type edge struct {
	t   *testing.T
	mux *http.ServeMux
	env Env
	s   *request.Service
	c   *consent.Service
	log *bytes.Buffer
	at  time.Time
}

type noMail struct{}

func (noMail) Send(context.Context, mail.Message, string) error { return nil }

// What operators sign in with: one who handles and audits, one who audits only, and
// one who may do nothing.
const (
	operatorKey = "the-operators-key"
	auditorKey  = "the-auditors-key"
	guestKey    = "the-guest's-key"
)

func newEdge(t *testing.T) *edge {
	t.Helper()
	file, err := os.ReadFile("../request/testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pol, err := policy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	pol.Verification.SubmitsPerHour = 1000
	choosable(pol)
	e := &edge{t: t, mux: http.NewServeMux(), log: &bytes.Buffer{}, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	now := func() time.Time { return e.at }
	store := tabletest.Embedded(t, now)
	files, err := folder.New(t.TempDir(), "http://127.0.0.1", make([]byte, 32), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	e.s = &request.Service{
		Exports: files,
		Table:   store, Keys: seal.Keys{Ring: seal.NewRing(), Table: store}, Policy: pol, Now: now,
		BaseURL: "https://desk.example.org", Mail: noMail{},
	}
	e.c = &consent.Service{Table: store, Keys: e.s.Keys, Policy: pol, Now: now, BaseURL: e.s.BaseURL}
	e.s.Choices = e.c
	var mu sync.Mutex
	e.env = Env{
		Requests: e.s, Consents: e.c, Policy: pol,
		Closures:     &closure.Service{Table: store, Keys: e.s.Keys, Policy: pol, Now: now, BaseURL: e.s.BaseURL, Work: e.s},
		Erasure:      &erasure.Service{Table: store, Keys: e.s.Keys, Policy: pol, Now: now, Choices: e.c},
		Holds:        &hold.Service{Table: store, Ring: e.s.Keys.Ring, Policy: pol, Now: now, Requests: e.s},
		Editions:     &edition.Book{Table: store, Now: now, Log: slog.New(slog.DiscardHandler), Samples: true},
		Intake:       &intake.Service{Table: store, Policy: pol, Now: now},
		Lifecycle:    &lifecycle.Service{Table: store, Keys: e.s.Keys, Policy: pol, Now: now, Work: e.s, Intake: &intake.Service{Table: store, Policy: pol, Now: now}},
		Restore:      &restore.Service{Table: store, Policy: pol, Now: now},
		Retention:    &retention.Service{Table: store, Keys: e.s.Keys, Policy: pol, Now: now},
		Log:          slog.New(slog.NewTextHandler(locked{&mu, e.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Receipts:     &receipt.Maker{Policy: pol, Ring: e.s.Keys.Ring, BaseURL: e.s.BaseURL, Now: e.s.Now},
		Certificates: &certificate.Maker{Policy: pol, Ring: e.s.Keys.Ring, BaseURL: e.s.BaseURL, Now: e.s.Now},
		Keys: func(_ context.Context, app string, _ bool) ([][]byte, error) {
			return map[string][][]byte{"shop": {shopKey, olderKey}, "desk": {deskKey}}[app], nil
		},
		Operator: func(r *http.Request) (operator.Identity, bool) {
			roles, signed := map[string][]operator.Role{operatorKey: {operator.Handler, operator.Auditor}, auditorKey: {operator.Auditor}, guestKey: nil}[Bearer(r)]
			return operator.Identity{ID: "h1", Roles: roles}, signed
		},
	}
	sets := Sets(e.env)
	for _, fn := range topology.All {
		if err := Register(e.mux, e.env, fn, sets[fn.Name]); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// choosable gives a policy apps, a website and purposes that people choose about.
func choosable(pol *policy.Policy) {
	pol.Apps = []policy.App{
		{ID: "shop", May: []policy.Grant{
			policy.MayConsents, policy.MayDecisions, policy.MayRequests, policy.MayClosures, policy.MayLifecycle, policy.MayImport, policy.MayIntake,
		}},
		{ID: "desk", May: []policy.Grant{policy.MayDecisions}},
	}
	pol.Browsers.Origins = []string{"https://www.example.com"}
	pol.Signals = policy.Signals{GPC: policy.Honoured, DNT: policy.Ignored, OnConflict: policy.AskAgain, Updated: "2026-02-01"}
	pol.Purposes = append(slices.Clone(pol.Purposes), policy.Purpose{ID: "analytics", Bases: []policy.Basis{policy.OnConsent}})
	for _, purpose := range []string{"analytics", "newsletter"} {
		pol.Consents = append(pol.Consents, policy.Consent{
			Purpose: purpose, Label: policy.Text{"en": "May we?", "fr": "Pouvons-nous ?"}, Edition: 1, Default: policy.Off,
			Wording: policy.Text{"en": "We do " + purpose + ".", "fr": "Nous faisons " + purpose + "."},
			Mail:    purpose == "newsletter", Marketing: purpose == "newsletter", StoppedBy: []policy.Stop{policy.GPC},
		})
	}
	pol.Relationships = map[string]policy.Text{"licence": {"en": "A licence", "fr": "Une licence"}}
	pol.Intakes = []policy.Intake{
		{ID: "form", Category: "support_mail", Keep: []string{"name", "stats.users"}, Unknown: policy.DropField, Refuse: []policy.Forbidden{policy.CardNumbers, policy.PrecisePositions}},
		{ID: "strict", Keep: []string{"name"}, Unknown: policy.RefuseField},
	}
	news := &pol.Consents[len(pol.Consents)-1]
	news.StoppedBy = append(news.StoppedBy, policy.MarketingOptOut, policy.Objected) // as reading a file adds them
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// call makes one call. Headers are pairs.
func (e *edge) call(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	e.t.Helper()
	r := httptest.NewRequestWithContext(e.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	h := w.Result().Header
	for name, want := range map[string]string{"Set-Cookie": "", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
		if name == "Cache-Control" && strings.HasPrefix(path, "/choices.js") && w.Code == http.StatusOK {
			want = "public, max-age=3600" // the same for everybody
		}
		if got := h.Get(name); got != want && w.Code != http.StatusMethodNotAllowed {
			e.t.Errorf("%s %s answers %s: %q", method, path, name, got)
		}
	}
	return w
}

// problem reads a problem document.
func (e *edge) problem(w *httptest.ResponseRecorder, status int, code string) problem {
	e.t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		e.t.Fatalf("%d %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || p.Status != status || p.Code != code || p.Title == "" || p.Detail == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		e.t.Errorf("%d %s %s, want %d %s", w.Code, w.Header().Get("Content-Type"), w.Body, status, code)
	}
	return p
}

const access = `{"right":"access","residence":"FR","person":{"email":"ada@example.org"}}`

func (e *edge) submit() string {
	e.t.Helper()
	w := e.call("POST", "/v1/requests", access)
	var r struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusAccepted {
		e.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return r.ID
}

func (e *edge) token(id string, verb request.Verb) string {
	return e.s.Mint(request.Token{ID: request.ID(id), Verb: verb, N: 1, Until: e.at.Add(time.Hour)})
}

// concrete fills a route's path in.
func concrete(path, id, token string) string {
	return strings.NewReplacer("{id}", id, "{token}", token, "{message}", "1", "{file}", "1", "{record}", id, "{hash}", id, "{rule}", id).Replace(path)
}

// link is somebody's link to their choices.
func (e *edge) link(verb consent.Verb) string {
	who := personal.MakeIdentity(personal.KindAccount, "acc-1001")
	return e.c.Mint(consent.Link{Identifier: e.c.Keys.Ring.Identifier(who), Verb: verb, Purpose: "newsletter", Until: e.at.Add(time.Hour), Who: who})
}

// closer is a token for the closing of an account.
func (e *edge) closer(id string, verb closure.Verb) string {
	return e.env.Closures.Mint(closure.Token{ID: closure.ID(id), Verb: verb, Until: e.at.Add(time.Hour)})
}

// admitted is what lets a call of a route in: a path, and what to put into Authorization.
func (e *edge) admitted(route topology.Route, id, query, body string) (path, auth string) {
	token := e.token(id, request.VerifyLink)
	if verb, ok := linkVerbs[route.Path()]; ok {
		token = e.link(verb)
	}
	if isClosure(route.Path()) {
		token = e.closer(id, closure.ConfirmLink)
	}
	path, auth = concrete(route.Path(), id, token)+query, "Bearer "+operatorKey
	switch route.Caller {
	case topology.Person:
		if auth = "Bearer " + e.token(id, request.Session); strings.HasPrefix(route.Path(), "/v1/preferences") {
			auth = "Bearer " + e.link(consent.PreferLink)
		}
		if isClosure(route.Path()) {
			auth = "Bearer " + e.closer(id, closure.Session)
		}
	case topology.App, topology.Browser:
		auth = SignApp(shopKey, "shop", route.Method(), path, "", e.at, []byte(body))
	case topology.Anyone, topology.SignedLink, topology.Operator:
	}
	return path, auth
}

func TestEveryRouteRefusesWhoHasNoCredential(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	for _, fn := range topology.All {
		for _, route := range fn.Routes {
			if route.Caller == topology.Anyone {
				continue
			}
			credentials := map[string]string{
				"none": "", "rubbish": "Bearer x", "another scheme": "Basic " + operatorKey, "a mailed link": "Bearer " + e.token(id, request.VerifyLink),
				"a session of another request": "Bearer " + e.token("r-other", request.Session),
			}
			scheme := "Bearer"
			if route.Caller == topology.App || route.Caller == topology.Browser {
				scheme = appScheme
				credentials["another app's key"] = SignApp(deskKey, "shop", route.Method(), concrete(route.Path(), id, ""), "", e.at, nil)
			}
			if strings.HasPrefix(route.Path(), "/v1/preferences") {
				credentials["a link that does something else"] = "Bearer " + e.link(consent.UnsubscribeLink)
				credentials["a person's session"] = "Bearer " + e.token(id, request.Session)
			}
			if isClosure(route.Path()) {
				credentials["the session of a request"] = "Bearer " + e.token(id, request.Session)
				credentials["a mailed link of a closure"] = "Bearer " + e.closer(id, closure.CancelLink)
			}
			if route.Caller == topology.Operator {
				credentials["a person's session"] = "Bearer " + e.token(id, request.Session)
			}
			for name, credential := range credentials {
				w := e.call(route.Method(), concrete(route.Path(), id, "rubbish"), "", "Authorization", credential)
				if want := map[bool]int{false: http.StatusUnauthorized, true: http.StatusGone}[isPage(route)]; w.Code != want {
					t.Errorf("%s with %s = %d %s, want %d", route.Pattern, name, w.Code, w.Body, want)
				}
				if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") != scheme {
					t.Errorf("%s does not say how to sign in", route.Pattern)
				}
			}
		}
	}
}

func TestNoRouteTakesMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	small, large := `{"right":"`+strings.Repeat("x", maxBody)+`"}`, `{"right":"`+strings.Repeat("x", maxLetter)+`"}`
	for _, fn := range topology.All {
		for _, route := range fn.Routes {
			if route.Method() != http.MethodPost {
				continue
			}
			big := small
			if slices.Contains(takesFiles, route.Pattern) {
				big = large
			}
			if slices.Contains(takesPolicies, route.Pattern) {
				big = `{"file":"` + strings.Repeat("x", maxPolicy) + `"}`
			}
			body, kind := big, "application/json"
			if isPage(route) {
				body, kind = url.Values{"details": {big}}.Encode(), "application/x-www-form-urlencoded"
			}
			path, auth := e.admitted(route, id, "", body)
			w := e.call("POST", path, body, "Authorization", auth, "Content-Type", kind)
			if w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("%s = %d, want 413", route.Pattern, w.Code)
			}
		}
	}
}

func TestNoRouteBreaksOnWhatItIsSent(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	for _, fn := range topology.All {
		for _, route := range fn.Routes {
			for _, body := range []string{"", "null", "[]", "{", `"x"`, "0", `{"a":1}`, "\xff", `{"":{"":{"":{"":{"":{"":{"":{"":{"":1}}}}}}}}}`, "a=b;c%zz"} {
				kinds := []string{"application/json"} // what a program sends is not looked at
				if isPage(route) {
					kinds = []string{"", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"}
				}
				for _, kind := range kinds {
					for _, name := range []string{id, "r-unknown", "%00", strings.Repeat("x", 200)} {
						path, admitted := e.admitted(route, name, "?cursor=0.x&due_before=x&lang=zz&residence=x&format=x", body)
						for _, auth := range []string{"", admitted, "Bearer " + e.token(id, request.Session)} {
							headers := []string{"Content-Type", kind}
							if auth != "" {
								headers = append(headers, "Authorization", auth)
							}
							if w := e.call(route.Method(), path, body, headers...); w.Code >= http.StatusInternalServerError {
								t.Fatalf("%s with %q for %.20q as %q = %d %s", route.Pattern, body, name, kind, w.Code, w.Body)
							}
						}
					}
				}
			}
		}
	}
}

func TestARefusalNeverTellsTheCause(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	writeProblem(w, classify(errors.New("dial tcp 10.0.0.7: secret")))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	writeProblem(w, classify(request.ErrBusy.Because(errors.New("secret")).After(3*time.Second)))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Retry-After") != "3" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		if statusOf[kind] == 0 {
			t.Errorf("the kind %d has no status", kind)
		}
	}
}

func TestTheSameKeyGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	first := e.call("POST", "/v1/requests", access, "Idempotency-Key", "k")
	e.at = e.at.Add(time.Hour)
	again := e.call("POST", "/v1/requests", access, "Idempotency-Key", "k")
	if first.Code != http.StatusAccepted || again.Code != first.Code || again.Body.String() != first.Body.String() {
		t.Errorf("%d %s, then %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	e.problem(e.call("POST", "/v1/requests", access+" ", "Idempotency-Key", "k"), http.StatusUnprocessableEntity, "idempotency_mismatch")
	e.problem(e.call("POST", "/v1/requests", access, "Idempotency-Key", strings.Repeat("k", 256)), http.StatusBadRequest, "invalid_idempotency_key")
}

func TestOpeningALinkDoesNothing(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	item := func() table.Item {
		it, err := e.s.Table.Get(t.Context(), request.ID(id).Ref())
		if err != nil {
			t.Fatal(err)
		}
		return it
	}
	before := item()
	link := "/r/" + e.token(id, request.VerifyLink)
	for _, method := range []string{"GET", "HEAD", "GET"} {
		if w := e.call(method, link, ""); w.Code != http.StatusOK {
			t.Errorf("%s of a mailed link = %d", method, w.Code)
		}
	}
	if after := item(); after.Version != before.Version || after.Counted != before.Counted {
		t.Error("opening the link changed the request")
	}
	if w := e.call("POST", link, "idempotency_key=f", "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusSeeOther {
		t.Errorf("its button = %d %s", w.Code, w.Body)
	}
	if w := e.call("POST", link, "idempotency_key=g", "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusGone {
		t.Errorf("its button, once more = %d", w.Code)
	}
	if strings.Contains(e.log.String(), e.token(id, request.VerifyLink)) || strings.Contains(e.log.String(), "ada@") {
		t.Errorf("the log repeats a token or an address:\n%s", e.log)
	}
}

func TestPagesForProgramsAndPagesForPeople(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	page := func(w *httptest.ResponseRecorder) string {
		return strings.NewReplacer(id, "ID", "r-unknown", "ID").Replace(w.Body.String())
	}
	strip := func(s string) string { // the form's own keys differ from page to page
		var b strings.Builder
		for line := range strings.SplitSeq(s, "\n") {
			if !strings.Contains(line, "idempotency_key") {
				b.WriteString(line + "\n")
			}
		}
		return b.String()
	}
	if a, b := strip(page(e.call("GET", "/requests/"+id, ""))), strip(page(e.call("GET", "/requests/r-unknown", ""))); a != b {
		t.Error("the page that waits for a code tells which requests exist")
	}
	for path, want := range map[string]int{"/r/rubbish": http.StatusGone, "/r/" + e.token("r-unknown", request.VerifyLink): http.StatusNotFound} {
		w := e.call("GET", path, "")
		if w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%.20s = %d %s, want the page of a %d", path, w.Code, w.Header().Get("Content-Type"), want)
		}
	}
	if a, b := e.call("POST", "/v1/requests/"+id+"/code", "{}"), e.call("POST", "/v1/requests/r-unknown/code", "{}"); a.Code != b.Code || a.Body.String() != b.Body.String() {
		t.Errorf("asking for a code tells which requests exist: %d %s, %d %s", a.Code, a.Body, b.Code, b.Body)
	}
	a, b := e.call("POST", "/v1/requests/"+id+"/verify", `{"code":"x"}`), e.call("POST", "/v1/requests/r-unknown/verify", `{"code":"x"}`)
	if a.Code != b.Code || a.Body.String() != b.Body.String() {
		t.Errorf("a wrong code tells which requests exist: %d %s, %d %s", a.Code, a.Body, b.Code, b.Body)
	}
	e.problem(e.call("GET", "/v1/operator/requests?cursor=0.garbage", "", "Authorization", "Bearer "+operatorKey), http.StatusBadRequest, "invalid_input")
}
