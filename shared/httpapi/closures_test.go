package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/closure"
)

const day = 24 * time.Hour

// operator makes a call as who signed in with a key. Headers are pairs.
func (e *edge) operator(key, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	e.t.Helper()
	return e.call(method, path, body, append(headers, "Authorization", "Bearer "+key)...)
}

// press sends a form.
func (e *edge) press(path string, values url.Values) *httptest.ResponseRecorder {
	e.t.Helper()
	return e.call("POST", path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// wantsClosed asks by mail for an account to be closed.
func (e *edge) wantsClosed(address string, headers ...string) closeTaken {
	e.t.Helper()
	var a closeTaken
	e.into(e.call("POST", "/v1/closures", fmt.Sprintf(`{"email":%q}`, address), headers...), http.StatusAccepted, &a)
	return a
}

// confirmed presses the button of a closure and returns the token of who did.
func (e *edge) confirmed(id string) string {
	e.t.Helper()
	w := e.press("/x/"+e.closer(id, closure.ConfirmLink), url.Values{"idempotency_key": {"k"}})
	token, ok := strings.CutPrefix(w.Header().Get("Location"), "/x/")
	if w.Code != http.StatusSeeOther || !ok {
		e.t.Fatalf("%d %s", w.Code, w.Body)
	}
	token, _, _ = strings.Cut(token, "?")
	return token
}

func TestWhoAsksToCloseAnAccountLearnsNothing(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.into(e.app("POST", "/v1/app/closures", `{"subject":{"type":"email","value":"ada@example.org"}}`), http.StatusCreated, &closingAccount{})
	var known, unknown map[string]any
	e.into(e.call("POST", "/v1/closures", `{"email":"ada@example.org","residence":"fr","language":"fr"}`), http.StatusAccepted, &known)
	e.into(e.call("POST", "/v1/closures", `{"email":"nobody@example.org","residence":"fr","language":"fr"}`), http.StatusAccepted, &unknown)
	delete(known, "id")
	delete(unknown, "id")
	if fmt.Sprint(known) != fmt.Sprint(unknown) || known["status"] != "asked" {
		t.Errorf("known %v, unknown %v", known, unknown)
	}
	form := func(address string) string {
		w := e.press("/close", url.Values{"email": {address}, "residence": {"FR"}, "lang": {"en"}})
		if w.Code != http.StatusOK {
			t.Errorf("the form for %s = %d", address, w.Code)
		}
		return w.Body.String()
	}
	if a, b := form("ada@example.org"), form("nobody@example.org"); a != b || strings.Contains(a, "ada@") {
		t.Error("the page is not the same for everybody")
	}
	if log := e.log.String(); strings.Contains(log, "ada@") || strings.Contains(log, "nobody@") {
		t.Errorf("the log names somebody:\n%s", log)
	}
}

func TestWhatCannotBeClosedIsNamed(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for body, want := range map[string]string{
		`{}`: "/email", `{"email":"x"}`: "/email", `{"email":1}`: "/email", `{"email":"ada@example.org","residence":"Frankreich"}`: "/residence",
	} {
		if p := e.pointer(e.call("POST", "/v1/closures", body), http.StatusBadRequest, "invalid_input"); p != want {
			t.Errorf("%s complains about %q", body, p)
		}
	}
	if p := e.pointer(e.call("POST", "/v1/closures", `{"email":"ada@example.org","account":"a"}`), http.StatusBadRequest, "invalid_json"); p != "/account" {
		t.Error(p)
	}
	for _, path := range []string{"/v1/app/closures", "/v1/app/closures/status", "/v1/app/closures/cancel"} {
		for body, want := range map[string]string{
			`{}`: "/subject", `{"subject":{"type":"account","value":""}}`: "/subject/value", `{"subject":{"type":"email","value":"x"}}`: "/subject/value",
			`{"subject":{"type":"No","value":"x"}}`: "/subject/type", `{"subject":{"type":"anonymous","value":"x"}}`: "/subject/value",
		} {
			if p := e.pointer(e.app("POST", path, body), http.StatusBadRequest, "invalid_input"); p != want {
				t.Errorf("%s %s complains about %q", path, body, p)
			}
		}
	}
	acc := `{"subject":` + about("account", "acc-1001") + `,`
	for body, want := range map[string]string{acc + `"email":"x"}`: "/email", acc + `"residence":"x"}`: "/residence"} {
		if p := e.pointer(e.app("POST", "/v1/app/closures", body), http.StatusBadRequest, "invalid_input"); p != want {
			t.Errorf("%s complains about %q", body, p)
		}
	}
}

func TestTheFormSaysBesideItsFieldsWhatToMend(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	w := e.press("/close", url.Values{"email": {"ada@"}, "residence": {"x"}, "idempotency_key": {"k1"}, "lang": {"fr"}})
	for _, want := range []string{`lang="fr"`, `id="email-problem"`, `id="residence-problem"`, `value="ada@"`, `value="k1"`} {
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d, the page lacks %s", w.Code, want)
		}
	}
}

// The form says what the policy says: what goes, what stays, for how long.
func TestTheFormSaysWhatThePolicySays(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	page := e.call("GET", "/close?lang=en", "").Body.String()
	for _, want := range []string{
		"Example Books SAS", "14 days", "within 30 days", "Invoices are commercial records that have to be kept. (Code de commerce L123-22): 10 years after it was collected",
		"Made anonymous", "we go on obeying",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the form does not say %q", want)
		}
	}
	for _, path := range []string{"/", "/policy", "/close"} {
		if !strings.Contains(e.call("GET", path+"?lang=en", "").Body.String(), `href="/close?lang=en"`) {
			t.Errorf("%s does not lead to the form", path)
		}
	}
	e.env.Policy.Closure.Offered = false
	for _, w := range []*httptest.ResponseRecorder{e.call("GET", "/close", ""), e.press("/close", url.Values{"email": {"ada@example.org"}})} {
		if w.Code != http.StatusNotFound {
			t.Errorf("without closures the form = %d", w.Code)
		}
	}
	e.problem(e.call("POST", "/v1/closures", `{"email":"ada@example.org"}`), http.StatusConflict, "closure_not_offered")
	if strings.Contains(e.call("GET", "/?lang=en", "").Body.String(), "/close") {
		t.Error("the first page leads to a form that is not there")
	}
}

func TestAnAccountIsClosedByTheButtonAndKeptByAnother(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	a := e.wantsClosed("ada@example.org")
	link := "/x/" + e.closer(a.ID, closure.ConfirmLink)
	for _, method := range []string{"GET", "HEAD", "GET"} {
		if w := e.call(method, link+"?lang=en", ""); w.Code != http.StatusOK || method == "GET" && !strings.Contains(w.Body.String(), "For 14 days you can take that back") {
			t.Errorf("%s of the mailed link = %d %s", method, w.Code, w.Body)
		}
	}
	session := e.confirmed(a.ID)
	if again := e.confirmed(a.ID); again != session { // pressed twice
		t.Errorf("the same button led to %q and %q", session, again)
	}
	if w := e.press(link, url.Values{"idempotency_key": {"other"}}); w.Code != http.StatusGone || !strings.Contains(w.Body.String(), `href="/close?lang=`) {
		t.Errorf("a spent link = %d %s", w.Code, w.Body)
	}
	if w := e.call("GET", link, ""); w.Code != http.StatusGone {
		t.Errorf("a spent link, opened = %d", w.Code)
	}
	var c closingAccount
	e.into(e.call("GET", "/v1/closures/"+a.ID, "", "Authorization", "Bearer "+session), http.StatusOK, &c)
	if c.Status != "grace" || c.ClosesAt == nil || !c.ClosesAt.Equal(e.at.Add(14*day)) || c.GoneBy == nil || c.Immediate {
		t.Errorf("%+v", c)
	}
	// The page that it led to shows that, and has a button to keep the account.
	page := e.call("GET", "/x/"+session+"?lang=en", "").Body.String()
	if !strings.Contains(page, "Your account will be closed") || !strings.Contains(page, `action="/x/`+session+`"`) {
		t.Errorf("%s", page)
	}
	if w := e.press("/x/"+session, url.Values{"idempotency_key": {"k2"}, "lang": {"en"}}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Your account stays") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	e.into(e.call("GET", "/v1/closures/"+a.ID, "", "Authorization", "Bearer "+session), http.StatusOK, &c)
	if c.Status != "cancelled" {
		t.Errorf("%+v", c)
	}

	// By the mail's link, and by the API.
	b := e.wantsClosed("grace@example.net")
	session = e.confirmed(b.ID)
	keep := "/x/" + e.closer(b.ID, closure.CancelLink)
	if w := e.call("GET", keep+"?lang=en", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Keep my account") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	key := []string{"Authorization", "Bearer " + session, "Idempotency-Key", "k"}
	path := "/v1/closures/" + b.ID + "/cancel"
	first := e.call("POST", path, "{}", key...)
	if again := e.call("POST", path, "{}", key...); first.Code != http.StatusOK || first.Body.String() != again.Body.String() {
		t.Errorf("%d %s, again %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	e.problem(e.call("POST", path, `{"reason":"x"}`, "Authorization", "Bearer "+session), http.StatusBadRequest, "invalid_json")
	if w := e.call("GET", keep, ""); w.Code != http.StatusGone {
		t.Errorf("a link to keep what is kept = %d", w.Code)
	}
	if log := e.log.String(); strings.Contains(log, session) || strings.Contains(log, keep) {
		t.Errorf("the log repeats a token:\n%s", log)
	}
}

func TestALinkIsGoneOnceItsTimeIsOver(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	a := e.wantsClosed("ada@example.org")
	confirm := "/x/" + e.closer(a.ID, closure.ConfirmLink)
	session := e.confirmed(e.wantsClosed("grace@example.net").ID)
	e.at = e.at.Add(60 * day)
	for _, path := range []string{confirm, "/x/" + session} {
		for _, w := range []*httptest.ResponseRecorder{e.call("GET", path, ""), e.press(path, url.Values{})} {
			if w.Code != http.StatusGone || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("%.8s = %d", path, w.Code)
			}
		}
	}
	e.problem(e.call("GET", "/v1/closures/"+a.ID, "", "Authorization", "Bearer "+session), http.StatusUnauthorized, "invalid_token")
}

func TestATokenOpensOneClosureOnly(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	a, b := e.wantsClosed("ada@example.org"), e.wantsClosed("grace@example.net")
	session := e.confirmed(a.ID)
	e.confirmed(b.ID)
	for _, w := range []*httptest.ResponseRecorder{
		e.call("GET", "/v1/closures/"+b.ID, "", "Authorization", "Bearer "+session),
		e.call("POST", "/v1/closures/"+b.ID+"/cancel", "", "Authorization", "Bearer "+session),
	} {
		if w.Code != http.StatusUnauthorized && w.Code != http.StatusNotFound {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestAnAppClosesTheAccountOfWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	acc := about("account", "acc-1001")
	banner := func(language string) (b closingBanner) {
		e.into(e.app("POST", "/v1/app/closures/status", `{"subject":`+acc+`,"language":"`+language+`"}`), http.StatusOK, &b)
		return b
	}
	if b := banner("en"); b != (closingBanner{Status: "none"}) {
		t.Errorf("%+v", b)
	}
	e.problem(e.app("POST", "/v1/app/closures/cancel", `{"subject":`+acc+`}`), http.StatusNotFound, "closure_not_found")

	body := `{"subject":` + acc + `,"email":"ada@example.org","residence":"FR","language":"fr"}`
	first := e.app("POST", "/v1/app/closures", body, "Idempotency-Key", "k")
	var c closingAccount
	e.into(first, http.StatusCreated, &c)
	if c.Status != "grace" || c.ClosesAt == nil {
		t.Fatalf("%+v", c)
	}
	if again := e.app("POST", "/v1/app/closures", body, "Idempotency-Key", "k"); again.Body.String() != first.Body.String() {
		t.Errorf("%s, again %s", first.Body, again.Body)
	}
	e.problem(e.app("POST", "/v1/app/closures", strings.Replace(body, "FR", "DE", 1), "Idempotency-Key", "k"), http.StatusUnprocessableEntity, "idempotency_mismatch")

	b := banner("fr")
	if b.Status != "grace" || b.ID != c.ID || !strings.Contains(b.Text, "16 mars 2026") || !strings.HasPrefix(b.CancelURL, "https://desk.example.org/x/") {
		t.Errorf("%+v", b)
	}
	if b := banner("en"); !strings.Contains(b.Text, "16 March 2026") {
		t.Errorf("%+v", b)
	}
	// By the address that came with it, too.
	var mine closingBanner
	e.into(e.app("POST", "/v1/app/closures/status", `{"subject":`+about("email", "ada@example.org")+`}`), http.StatusOK, &mine)
	if mine.ID != c.ID {
		t.Errorf("%+v", mine)
	}
	if w := e.call("GET", strings.TrimPrefix(b.CancelURL, "https://desk.example.org")+"?lang=en", ""); w.Code != http.StatusOK {
		t.Errorf("the banner's link = %d", w.Code)
	}
	e.into(e.app("POST", "/v1/app/closures/cancel", `{"subject":`+acc+`}`), http.StatusOK, &c)
	if c.Status != "cancelled" || banner("en").Status != "none" {
		t.Errorf("%+v, then %+v", c, banner("en"))
	}

	// Once the time is over it cannot be taken back.
	e.into(e.app("POST", "/v1/app/closures", body, "Idempotency-Key", "k2"), http.StatusCreated, &c)
	e.at = e.at.Add(15 * day)
	if err := e.env.Closures.Tick(t.Context(), closure.ID(c.ID).Ref().Key); err != nil {
		t.Fatal(err)
	}
	if b := banner("en"); b.Status != "closing" || b.CancelURL != "" || b.Text == "" {
		t.Errorf("%+v", b)
	}
	e.problem(e.app("POST", "/v1/app/closures/cancel", `{"subject":`+acc+`}`), http.StatusConflict, "closing")
	if log := e.log.String(); strings.Contains(log, "ada@") || strings.Contains(log, "acc-1001") {
		t.Errorf("the log names somebody:\n%s", log)
	}
}

func TestTheImportGuardAnswersInOrder(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.into(e.app("POST", "/v1/consents", captureOf(about("email", "ada@example.org"), "newsletter", "denied")), http.StatusCreated, &captured{})
	var a struct{ Results []map[string]any }
	e.into(e.app("POST", "/v1/app/import-guard", `{"subjects":[`+about("email", "nobody@example.org")+`,`+about("email", "ada@example.org")+`]}`), http.StatusOK, &a)
	if len(a.Results) != 2 || fmt.Sprint(a.Results[0]) != "map[suppressed:[]]" || !strings.Contains(fmt.Sprint(a.Results[1]), "newsletter") {
		t.Errorf("%v", a.Results)
	}
	many := `{"subjects":[` + strings.TrimSuffix(strings.Repeat(about("account", "a")+",", 101), ",") + `]}`
	for body, want := range map[string]string{`{}`: "/subjects", `{"subjects":[]}`: "/subjects", many: "/subjects", `{"subjects":[` + about("account", "a") + `,` + about("email", "x") + `]}`: "/subjects/1/value"} {
		if p := e.pointer(e.app("POST", "/v1/app/import-guard", body), http.StatusBadRequest, "invalid_input"); p != want {
			t.Errorf("%.80s complains about %q", body, p)
		}
	}
}

func TestIntakeGivesBackWhatMayBeKept(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	take := func(body string) *httptest.ResponseRecorder { return e.app("POST", "/v1/app/intake", body) }
	var a struct{ Records []needed }
	e.into(take(`{"channel":"form","records":[{"fields":{"name":"Ada","Shoe size":41,"n":12345678901234567890,"stats":{"users":3,"query":"x"}}},{"fields":{"name":null}}]}`), http.StatusOK, &a)
	got, _ := json.Marshal(a.Records) // maps with texts always marshal
	if want := `[{"fields":{"name":"Ada","stats":{"users":3}},"dropped":["Shoe size","n","stats.query"]},{"fields":{"name":null},"dropped":[]}]`; string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// Refused as a whole, and every place is named; the value is not.
	w := take(`{"channel":"form","records":[{"fields":{"name":"Ada"}},{"fields":{"card":4111111111111111}},{"fields":{"note":"my card 4111 1111 1111 1111"}}]}`)
	p := e.problem(w, http.StatusBadRequest, "forbidden_data")
	if len(p.Errors) != 2 || p.Errors[0].Pointer != "/records/1/fields/card" || p.Errors[1].Pointer != "/records/2/fields/note" || strings.Contains(w.Body.String(), "4111") {
		t.Errorf("%s", w.Body)
	}
	if p := e.pointer(take(`{"channel":"strict","records":[{"fields":{"name":"Ada","age":3}}]}`), http.StatusBadRequest, "unneeded_field"); p != "/records/0/fields/age" {
		t.Error(p)
	}
	e.problem(take(`{"channel":"nowhere","records":[{"fields":{}}]}`), http.StatusNotFound, "channel_not_found")
	for body, want := range map[string]string{
		`{"channel":"form"}`: "/records", `{"channel":"form","records":[{}]}`: "/records/0/fields", `{"channel":"form","records":[{"fields":[]}]}`: "/records/0/fields",
		`{"channel":"form","records":[{"fields":{"a":1,"a":2}}]}`: "/records/0/fields/a", `{"channel":"form","records":[{"fields":{"a":[{"b":1,"b":2}]}}]}`: "/records/0/fields/a/0/b",
	} {
		if p := e.pointer(take(body), http.StatusBadRequest, "invalid_input"); p != want {
			t.Errorf("%s complains about %q", body, p)
		}
	}
	if p := e.pointer(take(`{"channel":"form","records":[{"felds":{}}]}`), http.StatusBadRequest, "invalid_json"); p != "/records/0/felds" {
		t.Error(p)
	}

	// Operators see names and numbers.
	var c struct{ Counts []arrived }
	e.into(e.operator(auditorKey, "GET", "/v1/operator/intake", ""), http.StatusOK, &c)
	if len(c.Counts) != 2 || c.Counts[0].Channel != "form" || c.Counts[0].Day != "2026-03-02" || c.Counts[0].Taken != 3 ||
		c.Counts[0].Refused["forbidden_data"] != 2 || c.Counts[0].Dropped["stats.query"] != 1 || c.Counts[1].Refused["unneeded_field"] != 1 {
		t.Errorf("%+v", c.Counts)
	}
	e.into(e.operator(auditorKey, "GET", "/v1/operator/intake?since=2026-03-03", ""), http.StatusOK, &c)
	if len(c.Counts) != 0 {
		t.Errorf("%+v", c.Counts)
	}
	if p := e.pointer(e.operator(auditorKey, "GET", "/v1/operator/intake?since=x", ""), http.StatusBadRequest, "invalid_input"); p != "/since" {
		t.Error(p)
	}
}

func TestAppsTellWhatHappened(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	tell := func(events string) *httptest.ResponseRecorder {
		return e.app("POST", "/v1/app/events", `{"events":[`+events+`]}`)
	}
	acc := `"subject":` + about("account", "acc-1001")
	const at = `"at":"2026-03-01T09:00:00Z"`
	opened := `{"id":"e1","type":"account.opened",` + at + `,` + acc + `}`
	record := `{"id":"e3","type":"record.created",` + at + `,"source":"shop","category":"support_mail","channel":"form","fields":{"name":"Ada","Shoe":41}}`
	card := strings.Replace(strings.Replace(record, "e3", "e4", 1), `"Shoe":41`, `"card":"4111111111111111"`, 1)
	ended := `{"type":"relationship.ended","relationship":"licence",` + at + `,` + acc + `}`
	var a struct{ Results []became }
	e.into(tell(opened+","+opened+","+record+","+card+","+ended), http.StatusOK, &a)
	got, _ := json.Marshal(a.Results) // maps with texts always marshal
	for i, want := range []string{"noted", "repeated", "filtered", "refused", "noted"} {
		if len(a.Results) != 5 || a.Results[i].Result != want {
			t.Fatalf("%s", got)
		}
	}
	if r := a.Results[2]; r.ID != "e3" || fmt.Sprint(r.Fields) != "map[name:Ada]" || fmt.Sprint(r.Dropped) != "[Shoe]" {
		t.Errorf("%+v", r)
	}
	if r := a.Results[3]; r.Code != "forbidden_data" || len(r.Errors) != 1 || r.Errors[0].Pointer != "/events/3/fields/card" || strings.Contains(string(got), "4111") {
		t.Errorf("%s", got)
	}
	for body, want := range map[string]string{
		``: "/events", strings.Replace(opened, "opened", "invented", 1): "/events/0/type", opened + "," + strings.Replace(opened, acc, `"subject":null`, 1): "/events/1/subject",
		strings.Replace(opened, "acc-1001", "", 1): "/events/0/subject/value", strings.Replace(opened, "2026", "2027", 1): "/events/0/at", strings.Replace(opened, at, `"at":"x"`, 1): "/events/0/at",
		strings.Replace(ended, "licence", "love", 1): "/events/0/relationship", strings.Replace(record, "shop", "attic", 1): "/events/0/source",
		strings.Replace(record, `"channel":"form"`, `"channel":"nowhere"`, 1): "/events/0/channel", strings.TrimSuffix(strings.Repeat(opened+",", 101), ","): "/events",
	} {
		if p := e.pointer(tell(body), http.StatusBadRequest, "invalid_input"); p != want {
			t.Errorf("%.120s complains about %q, want %q", body, p, want)
		}
	}
	if p := e.pointer(tell(strings.Replace(opened, `"id"`, `"name":"Ada","id"`, 1)), http.StatusBadRequest, "invalid_json"); p != "/events/0/name" {
		t.Error(p)
	}
	if log := e.log.String(); strings.Contains(log, "acc-1001") || strings.Contains(log, "4111") {
		t.Errorf("the log tells of somebody:\n%s", log)
	}
}
