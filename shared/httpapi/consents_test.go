package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/topology"
)

// app makes a call as the shop. Headers are pairs.
func (e *edge) app(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	e.t.Helper()
	attempt := ""
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Idempotency-Key" {
			attempt = headers[i+1]
		}
	}
	return e.call(method, path, body, append(headers, "Authorization", SignApp(shopKey, "shop", method, path, attempt, e.at, []byte(body)))...)
}

// into reads a good answer.
func (e *edge) into(w *httptest.ResponseRecorder, status int, v any) {
	e.t.Helper()
	if w.Code != status {
		e.t.Fatalf("%d %s, want %d", w.Code, w.Body, status)
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		e.t.Fatalf("%s: %v", w.Body, err)
	}
}

// pointer is the first place that a refusal names.
func (e *edge) pointer(w *httptest.ResponseRecorder, status int, code string) string {
	e.t.Helper()
	if p := e.problem(w, status, code); len(p.Errors) > 0 {
		return p.Errors[0].Pointer
	}
	return ""
}

// shown is the hash of a purpose's wording.
func shown(purpose string) string {
	sum := sha256.Sum256([]byte("We do " + purpose + "."))
	return hex.EncodeToString(sum[:])
}

const site = "https://www.example.com"

func about(kind, value string) string {
	return fmt.Sprintf(`{"type":%q,"value":%q}`, kind, value)
}

// captureOf is a body of POST /v1/consents.
func captureOf(subject, purpose, choice string) string {
	wording := ""
	if choice == "granted" {
		wording = fmt.Sprintf(`,"wording":%q`, shown(purpose))
	}
	if subject != "" {
		subject = `"subject":` + subject + ","
	}
	return fmt.Sprintf(`{%s"choices":[{"purpose":%q,"choice":%q%s}],"method":"form","language":"en","page":"https://www.example.com/a"}`, subject, purpose, choice, wording)
}

func questionOf(subject string, purposes ...string) string {
	list, _ := json.Marshal(purposes) // strings always marshal
	return fmt.Sprintf(`{"subject":%s,"purposes":%s}`, subject, list)
}

// why asks, as the shop, and returns what may be done and why.
func (e *edge) why(subject, purpose string) string {
	e.t.Helper()
	var d decisions
	e.into(e.app("POST", "/v1/decisions", questionOf(subject, purpose)), http.StatusOK, &d)
	return fmt.Sprintf("%t %s", d.Decisions[0].May, d.Decisions[0].Why)
}

func TestABrowserSpeaksForItsOwnVisitor(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	var c captured
	e.into(e.call("POST", "/v1/consents", captureOf("", "analytics", "granted"), "Origin", site), http.StatusCreated, &c)
	if c.Visitor == "" || len(c.Records) != 1 || c.Records[0].ID == "" || c.Records[0].Pending || len(c.Honoured) != 0 {
		t.Fatalf("%+v", c)
	}
	me := about("anonymous", c.Visitor)
	var d decisions
	e.into(e.call("POST", "/v1/decisions", questionOf(me, "analytics", "newsletter"), "Origin", site), http.StatusOK, &d)
	if len(d.Decisions) != 2 || !d.Decisions[0].May || d.Decisions[0].Record != c.Records[0].ID || d.Decisions[1].May || !d.Decisions[1].Ask {
		t.Errorf("%+v", d)
	}
	c = captured{}
	e.into(e.call("POST", "/v1/consents", captureOf(me, "analytics", "withdrawn")), http.StatusCreated, &c)
	if c.Visitor != "" || c.Records[0].Choice != "withdrawn" {
		t.Errorf("%+v", c)
	}

	// And for nobody else.
	for _, other := range []string{about("account", "acc-1001"), about("phone", "+33 1 23"), about("installation", "i-1"), about("email", "ada@example.org")} {
		for _, path := range []string{"/v1/decisions", "/v1/signals", "/v1/receipts", "/v1/consents"} {
			body := map[string]string{
				"/v1/decisions": questionOf(other, "analytics"), "/v1/signals": `{"subject":` + other + `,"signals":{"gpc":true}}`,
				"/v1/receipts": `{"subject":` + other + `,"record":"` + c.Records[0].ID + `"}`, "/v1/consents": captureOf(other, "analytics", "denied"),
			}[path]
			if path == "/v1/consents" && strings.Contains(other, "email") {
				continue // whoever types an address can refuse for it; see below
			}
			e.problem(e.call("POST", path, body), http.StatusForbidden, "not_yours")
		}
	}
	// An id that is not ours is nobody's.
	forged := about("anonymous", strings.Replace(c.Records[0].ID, "s", "v", 1))
	for path, body := range map[string]string{
		"/v1/decisions": questionOf(forged, "analytics"), "/v1/consents": captureOf(forged, "analytics", "granted"), "/v1/signals": `{"subject":` + forged + `}`,
	} {
		if p := e.pointer(e.call("POST", path, body, "Sec-GPC", "1"), http.StatusBadRequest, "invalid_input"); p != "/subject/value" {
			t.Errorf("%s of a made-up id complains about %q", path, p)
		}
		if p := e.pointer(e.app("POST", path, body), http.StatusBadRequest, "invalid_input"); p != "/subject/value" {
			t.Errorf("%s of a made-up id, by an app, complains about %q", path, p)
		}
	}
	if p := e.pointer(e.call("POST", "/v1/decisions", `{"subject":`+me+`,"purposes":["newsletter"],"headers":true}`), http.StatusBadRequest, "invalid_input"); p != "/headers" {
		t.Errorf("a browser gets the headers of mails: %q", p)
	}
	if p := e.pointer(e.call("POST", "/v1/consents", strings.Replace(captureOf(me, "analytics", "denied"), `"method"`, `"at":"2026-01-01T00:00:00Z","method"`, 1)), http.StatusBadRequest, "invalid_input"); p != "/at" {
		t.Errorf("a browser dates its choices back: %q", p)
	}
}

// Whoever types an address learns nothing about it, whatever they send.
func TestAnAddressThatSomebodyTypesIsNotLookedUp(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	ada, grace := about("email", "ada@example.org"), about("email", "grace@example.net")
	for range 3 {
		e.into(e.app("POST", "/v1/consents", captureOf(ada, "newsletter", "granted")), http.StatusCreated, &captured{})
	}
	e.into(e.app("POST", "/v1/signals", `{"subject":`+ada+`,"signals":{"gpc":true}}`), http.StatusOK, &captured{})
	for _, choice := range []string{"granted", "denied", "withdrawn"} {
		known, unknown := e.call("POST", "/v1/consents", captureOf(ada, "newsletter", choice)), e.call("POST", "/v1/consents", captureOf(grace, "newsletter", choice))
		if known.Code != http.StatusCreated || known.Body.String() != unknown.Body.String() || strings.Contains(known.Body.String(), `"id"`) {
			t.Errorf("%s: known %d %s, unknown %d %s", choice, known.Code, known.Body, unknown.Code, unknown.Body)
		}
		if pending := strings.Contains(known.Body.String(), `"pending":true`); pending != (choice == "granted") {
			t.Errorf("%s: %s", choice, known.Body)
		}
	}
	var c captured
	e.into(e.call("POST", "/v1/consents", captureOf(ada, "analytics", "denied"), "Sec-GPC", "1"), http.StatusCreated, &c)
	if !slices.Equal(c.Honoured, []string{"gpc"}) {
		t.Errorf("a signal that they sent is not shown back: %+v", c)
	}
	// The refusals hold at once.
	if got := e.why(grace, "newsletter"); got != "false withdrawn" {
		t.Error(got)
	}

	// The same for a link to one's choices.
	a, b := e.call("POST", "/v1/preferences/links", `{"email":"ada@example.org"}`), e.call("POST", "/v1/preferences/links", `{"email":"nobody@example.org"}`)
	if a.Code != http.StatusAccepted || a.Body.String() != b.Body.String() || a.Code != b.Code {
		t.Errorf("known %d %s, unknown %d %s", a.Code, a.Body, b.Code, b.Body)
	}
	if p := e.pointer(e.call("POST", "/v1/preferences/links", `{"email":"x"}`), http.StatusBadRequest, "invalid_input"); p != "/email" {
		t.Error(p)
	}
	if log := e.log.String(); strings.Contains(log, "ada@") || strings.Contains(log, "grace@") {
		t.Errorf("the log names somebody:\n%s", log)
	}
}

func TestAnAppSpeaksForWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	acc := about("account", "acc-1001")
	var c captured
	body := `{"subject":` + acc + `,"purpose":"analytics","choice":"granted","text":"May we count?","method":"spoken","residence":"fr","at":"2026-03-01T10:00:00Z"}`
	e.into(e.app("POST", "/v1/consents", body), http.StatusCreated, &c)
	if !c.Records[0].At.Equal(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)) || e.why(acc, "analytics") != "true consent" {
		t.Errorf("%+v, then %s", c, e.why(acc, "analytics"))
	}
	// Its words are kept, to the letter.
	sum := sha256.Sum256([]byte("May we count?"))
	var shown worded
	e.into(e.call("GET", "/v1/wordings/"+hex.EncodeToString(sum[:]), ""), http.StatusOK, &shown)
	if shown.Text != "May we count?" || shown.Purpose != "analytics" || shown.Hash != hex.EncodeToString(sum[:]) {
		t.Errorf("%+v", shown)
	}
	for _, hash := range []string{strings.Repeat("0", 64), "x", strings.ToUpper(hex.EncodeToString(sum[:]))} {
		e.problem(e.call("GET", "/v1/wordings/"+hash, ""), http.StatusNotFound, "consent_not_found")
	}
	for body, want := range map[string]string{
		`{"subject":` + acc + `,"purpose":"analytics","choice":"granted","choices":[]}`:                            "/choices",
		`{"subject":` + acc + `,"purpose":"analytics","choice":"granted"}`:                                         "/wording",
		`{"subject":` + acc + `,"purpose":"unheard_of","choice":"denied"}`:                                         "/purpose",
		`{"subject":` + acc + `,"choices":[{"purpose":"analytics","choice":"denied"},{"purpose":"x","choice":1}]}`: "/choices/1/choice",
		`{"subject":` + acc + `,"choices":[{"purpose":"analytics","choice":"maybe"}]}`:                             "/choices/0/choice",
		`{"subject":` + acc + `}`: "/choices",
		`{"subject":` + acc + `,"purpose":"analytics","choice":"denied","method":"telepathy"}`:                              "/method",
		`{"subject":` + acc + `,"purpose":"analytics","choice":"denied","residence":"Utopia"}`:                              "/residence",
		`{"subject":{"type":"Account","value":"a"},"purpose":"analytics","choice":"denied"}`:                                "/subject/type",
		`{"subject":{"type":"account","value":" "},"purpose":"analytics","choice":"denied"}`:                                "/subject/value",
		`{"subject":{"type":"account","value":"` + strings.Repeat("x", 513) + `"},"purpose":"analytics","choice":"denied"}`: "/subject/value",
		`{"subject":{"type":"email","value":"ada"},"purpose":"analytics","choice":"denied"}`:                                "/subject/value",
	} {
		if got := e.pointer(e.app("POST", "/v1/consents", body), http.StatusBadRequest, "invalid_input"); got != want {
			t.Errorf("%.120s complains about %q, want %q", body, got, want)
		}
	}
	if p := e.problem(e.app("POST", "/v1/consents", `{"subject":`+acc+`,"choices":[{"purpose":"analytics","choice":"denied","colour":"red"}]}`), http.StatusBadRequest, "invalid_json"); p.Errors[0].Pointer != "/choices/0/colour" {
		t.Errorf("%+v", p)
	}

	// The headers of a mail are the app's to put in.
	e.into(e.app("POST", "/v1/consents", captureOf(about("email", "ada@example.org"), "newsletter", "granted")), http.StatusCreated, &c)
	var d decisions
	e.into(e.app("POST", "/v1/decisions", `{"subject":{"type":"email","value":"ada@example.org"},"purposes":["newsletter"],"headers":true}`), http.StatusOK, &d)
	if h := d.Decisions[0].Headers; h["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" || !strings.HasPrefix(h["List-Unsubscribe"], "<https://desk.example.org/u/") {
		t.Errorf("%+v", d)
	}
	if log := e.log.String(); strings.Contains(log, "acc-1001") || strings.Contains(log, "ada@") {
		t.Errorf("the log names somebody:\n%s", log)
	}
}

func TestARepeatedCallHasNoSecondEffect(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	acc := about("account", "acc-1001")
	records := func() int {
		v, err := e.c.ShowTo(t.Context(), personal.MakeIdentity(personal.KindAccount, "acc-1001"), consent.Signals{})
		if err != nil {
			t.Fatal(err)
		}
		return len(v.History)
	}
	body := captureOf(acc, "analytics", "granted")
	first := e.app("POST", "/v1/consents", body, "Idempotency-Key", "k")
	e.at = e.at.Add(time.Minute) // it is signed anew
	again := e.app("POST", "/v1/consents", body, "Idempotency-Key", "k")
	if first.Code != http.StatusCreated || first.Body.String() != again.Body.String() || records() != 1 {
		t.Errorf("%d %s, then %d %s: %d records", first.Code, first.Body, again.Code, again.Body, records())
	}
	e.problem(e.app("POST", "/v1/consents", captureOf(acc, "analytics", "denied"), "Idempotency-Key", "k"), http.StatusUnprocessableEntity, "idempotency_mismatch")

	// Somebody recorded a call without a key, and plays it again after a withdrawal.
	auth := SignApp(shopKey, "shop", "POST", "/v1/consents", "", e.at, []byte(body))
	recordedCall := func() *httptest.ResponseRecorder { return e.call("POST", "/v1/consents", body, "Authorization", auth) }
	e.into(recordedCall(), http.StatusCreated, &captured{})
	e.into(e.app("POST", "/v1/consents", captureOf(acc, "analytics", "withdrawn")), http.StatusCreated, &captured{})
	before := records()
	e.into(recordedCall(), http.StatusCreated, &captured{})
	if e.why(acc, "analytics") != "false withdrawn" || records() != before {
		t.Errorf("a call that was played again has effect: %s, %d records after %d", e.why(acc, "analytics"), records(), before)
	}
	e.at = e.at.Add(appSkew + time.Second)
	e.problem(recordedCall(), http.StatusUnauthorized, "signature_time")

	// A visitor who is made twice is one.
	var one, two captured
	const key = "0f8fad5b-d9cb-469f-a165-70867728950e"
	e.into(e.call("POST", "/v1/consents", captureOf("", "analytics", "denied"), "Idempotency-Key", key), http.StatusCreated, &one)
	e.into(e.call("POST", "/v1/consents", captureOf("", "analytics", "denied"), "Idempotency-Key", key), http.StatusCreated, &two)
	if one.Visitor != two.Visitor || one.Records[0].ID != two.Records[0].ID {
		t.Errorf("%+v, then %+v", one, two)
	}
	// Keys that two people could have thought of make two.
	e.into(e.call("POST", "/v1/consents", captureOf("", "analytics", "denied"), "Idempotency-Key", "1"), http.StatusCreated, &one)
	e.into(e.call("POST", "/v1/consents", captureOf("", "analytics", "denied"), "Idempotency-Key", "1"), http.StatusCreated, &two)
	if one.Visitor == two.Visitor {
		t.Error("two browsers with a short key are one visitor")
	}
}

func TestEveryChangeTakesAKey(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	reads := map[string]bool{"POST /v1/decisions": true, "POST /v1/receipts": true, "POST /v1/app/preferences": true}
	long := strings.Repeat("k", maxKey+1)
	for _, route := range topology.Consent.Routes {
		if route.Method() != http.MethodPost || isPage(route) || reads[route.Pattern] {
			continue
		}
		path, auth := e.admitted(route, "r-1", "", "{}")
		if route.Caller == topology.App {
			auth = SignApp(shopKey, "shop", "POST", path, long, e.at, []byte("{}"))
		}
		headers := []string{"Idempotency-Key", long}
		if route.Caller != topology.Browser {
			headers = append(headers, "Authorization", auth)
		}
		e.problem(e.call("POST", path, "{}", headers...), http.StatusBadRequest, "invalid_idempotency_key")
	}
}

func TestManyQuestionsAreAnsweredInOrderOrNotAtAll(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	ask := func(n int, change func(i int) string) *httptest.ResponseRecorder {
		list := make([]string, n)
		for i := range n {
			if list[i] = change(i); list[i] == "" {
				list[i] = questionOf(about("account", fmt.Sprintf("acc-%d", i)), "analytics")
			}
		}
		return e.app("POST", "/v1/decisions", `{"questions":[`+strings.Join(list, ",")+`]}`)
	}
	for _, i := range []int{3, 77} {
		e.into(e.app("POST", "/v1/consents", captureOf(about("account", fmt.Sprintf("acc-%d", i)), "analytics", "granted")), http.StatusCreated, &captured{})
	}
	usual := func(int) string { return "" }
	var a struct{ Answers []decisions }
	e.into(ask(maxQuestions, usual), http.StatusOK, &a)
	if len(a.Answers) != maxQuestions {
		t.Fatalf("%d answers", len(a.Answers))
	}
	for i, d := range a.Answers {
		if d.Decisions[0].May != (i == 3 || i == 77) {
			t.Errorf("question %d: %+v", i, d)
		}
	}
	for name, c := range map[string]struct {
		w    *httptest.ResponseRecorder
		want string
	}{
		"too many":                {ask(maxQuestions+1, usual), "/questions"},
		"none":                    {ask(0, usual), "/questions"},
		"one flat beside others":  {e.app("POST", "/v1/decisions", `{"subject":{"type":"account","value":"a"},"purposes":["analytics"],"questions":[]}`), "/questions"},
		"nothing at all":          {e.app("POST", "/v1/decisions", `{}`), "/subject"},
		"no purposes":             {e.app("POST", "/v1/decisions", `{"subject":{"type":"account","value":"a"}}`), "/purposes"},
		"one without a subject":   {ask(9, func(i int) string { return map[int]string{7: `{"purposes":["analytics"]}`}[i] }), "/questions/7/subject"},
		"one without purposes":    {ask(9, func(i int) string { return map[int]string{8: questionOf(about("account", "a"))}[i] }), "/questions/8/purposes"},
		"one with another type":   {ask(3, func(i int) string { return map[int]string{1: `{"purposes":"analytics"}`}[i] }), "/questions/1/purposes"},
		"one of a made-up person": {ask(3, func(i int) string { return map[int]string{2: questionOf(about("anonymous", "v0"), "analytics")}[i] }), "/questions/2/subject/value"},
	} {
		if got := e.pointer(c.w, http.StatusBadRequest, "invalid_input"); got != c.want {
			t.Errorf("%s: complains about %q, want %q", name, got, c.want)
		}
	}
	// A browser has one question among others that is not its own.
	e.problem(e.call("POST", "/v1/decisions", `{"questions":[`+questionOf(about("account", "acc-3"), "analytics")+`]}`), http.StatusForbidden, "not_yours")
	var c captured
	e.into(e.call("POST", "/v1/consents", captureOf("", "newsletter", "denied")), http.StatusCreated, &c)
	own := questionOf(about("anonymous", c.Visitor), "newsletter")
	e.into(e.call("POST", "/v1/decisions", own), http.StatusOK, &decisions{})
	e.problem(e.call("POST", "/v1/decisions", `{"questions":[`+own+`,`+own+`]}`), http.StatusForbidden, "not_yours") // it has one visitor, and a hundred reads cost
	if got := e.why(about("account", "acc-3"), "unheard_of"); got != "false unknown_purpose" {
		t.Error(got)
	}
}

func TestASignalOfTheBrowserCountsAndOfTheAppDoesNot(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	var o offers
	w := e.call("GET", "/v1/choices?lang=fr&residence=FR", "", "Sec-GPC", "1", "Origin", site)
	e.into(w, http.StatusOK, &o)
	vary := strings.Join(w.Header().Values("Vary"), ", ")
	if !o.Honoured || o.Language != "fr" || o.Signals != (handling{"honoured", "ignored"}) || len(o.Purposes) != 2 || o.Purposes[0].Hash == shown("analytics") {
		t.Errorf("%+v", o)
	}
	for _, name := range []string{"Sec-GPC", "Accept-Language", "Origin"} {
		if !strings.Contains(vary, name) {
			t.Errorf("Vary is %s", vary)
		}
	}
	for _, headers := range [][]string{nil, {"Sec-GPC", "0"}, {"Sec-GPC", "true"}} {
		e.into(e.call("GET", "/v1/choices", "", headers...), http.StatusOK, &o)
		if o.Honoured || o.Language != "en" || o.Purposes[0].Hash != shown("analytics") {
			t.Errorf("with %v: %+v", headers, o)
		}
	}
	if p := e.pointer(e.call("GET", "/v1/choices?residence=Frankreich", ""), http.StatusBadRequest, "invalid_input"); p != "/residence" {
		t.Errorf("a residence that cannot be: complains about %q", p)
	}
	e.into(e.app("GET", "/v1/choices", "", "Sec-GPC", "1"), http.StatusOK, &o)
	if o.Honoured || o.Halted {
		t.Error("an app's own header counts")
	}

	// With a choice, with a question, and by itself.
	var c captured
	e.into(e.call("POST", "/v1/consents", captureOf("", "newsletter", "denied"), "Sec-GPC", "1"), http.StatusCreated, &c)
	me := about("anonymous", c.Visitor)
	if !slices.Equal(c.Honoured, []string{"gpc"}) || e.why(me, "analytics") != "false gpc" {
		t.Errorf("%+v, then %s", c, e.why(me, "analytics"))
	}
	e.into(e.call("POST", "/v1/consents", captureOf("", "analytics", "granted")), http.StatusCreated, &c)
	me = about("anonymous", c.Visitor)
	e.at = e.at.Add(time.Minute)
	var d decisions
	e.into(e.call("POST", "/v1/decisions", questionOf(me, "analytics"), "Sec-GPC", "1"), http.StatusOK, &d)
	if d.Decisions[0].May || d.Decisions[0].Why != "gpc" || e.why(me, "analytics") != "true consent" {
		t.Errorf("asked with a signal: %+v; it is stored: %s", d, e.why(me, "analytics"))
	}
	e.at = e.at.Add(time.Minute)
	e.into(e.call("POST", "/v1/signals", `{"subject":`+me+`}`, "Sec-GPC", "1"), http.StatusOK, &c)
	if !slices.Equal(c.Honoured, []string{"gpc"}) || e.why(me, "analytics") != "false gpc" {
		t.Errorf("%+v, then %s", c, e.why(me, "analytics"))
	}

	acc := about("account", "acc-1001")
	if p := e.pointer(e.app("POST", "/v1/signals", `{"subject":`+acc+`}`, "Sec-GPC", "1"), http.StatusBadRequest, "invalid_input"); p != "/signals" {
		t.Error(p)
	}
	if p := e.pointer(e.call("POST", "/v1/signals", `{}`), http.StatusBadRequest, "invalid_input"); p != "/signals" {
		t.Error(p)
	}
	e.into(e.app("POST", "/v1/consents", captureOf(acc, "analytics", "granted"), "Sec-GPC", "1"), http.StatusCreated, &c)
	if len(c.Honoured) != 0 || e.why(acc, "analytics") != "true consent" {
		t.Errorf("an app's own header counts: %+v", c)
	}
	e.at = e.at.Add(time.Minute)
	e.into(e.app("POST", "/v1/signals", `{"subject":`+acc+`,"signals":{"gpc":true,"dnt":true}}`), http.StatusOK, &c)
	if !slices.Equal(c.Honoured, []string{"gpc"}) || e.why(acc, "analytics") != "false gpc" {
		t.Errorf("%+v, then %s", c, e.why(acc, "analytics"))
	}
}

func TestGPCFileAgreesWithBehaviour(t *testing.T) {
	t.Parallel()
	for _, h := range []policy.Handling{policy.Honoured, policy.Ignored, policy.Unstated, ""} {
		e := newEdge(t)
		e.c.Policy.Signals.GPC = h
		var file map[string]any
		e.into(e.call("GET", "/.well-known/gpc.json", ""), http.StatusOK, &file)
		var c captured
		e.into(e.call("POST", "/v1/consents", captureOf("", "newsletter", "denied"), "Sec-GPC", "1"), http.StatusCreated, &c)
		var o offers
		e.into(e.call("GET", "/v1/choices", "", "Sec-GPC", "1"), http.StatusOK, &o)
		obeyed := e.why(about("anonymous", c.Visitor), "analytics") == "false gpc"
		if len(file) != 2 || file["gpc"] != obeyed || obeyed != (h == policy.Honoured) || len(c.Honoured) > 0 != obeyed || o.Honoured != obeyed || file["lastUpdate"] != "2026-02-01" {
			t.Errorf("%q: the file says %v, obeyed: %t, told: %v %t", h, file, obeyed, c.Honoured, o.Honoured)
		}
	}
	e := newEdge(t)
	e.c.Policy.Signals.Updated = ""
	if w := e.call("GET", "/.well-known/gpc.json", ""); !strings.Contains(w.Body.String(), `"2026-06-15"`) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("without a date of its own: %s", w.Body)
	}
}

func TestSomebodySeesAndChangesTheirOwnChoices(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	acc := about("account", "acc-1001")
	var c captured
	e.into(e.app("POST", "/v1/consents", captureOf(acc, "newsletter", "granted")), http.StatusCreated, &c)
	var address struct {
		URL, Token string
		Expires    time.Time `json:"expires_at"`
	}
	e.into(e.app("POST", "/v1/app/preferences", `{"subject":`+acc+`}`), http.StatusOK, &address)
	if address.URL != "https://desk.example.org/p/"+address.Token || !address.Expires.Equal(e.at.Add(30*time.Minute)) {
		t.Errorf("%+v", address)
	}
	auth := []string{"Authorization", "Bearer " + address.Token}
	var p struct {
		Policy, Language string
		Purposes         []standing
		Stops            map[string]time.Time
		History          []entry
		Honoured         []string
	}
	e.into(e.call("GET", "/v1/preferences?lang=fr", "", auth...), http.StatusOK, &p)
	if len(p.Purposes) != 2 || p.Purposes[1].Choice != "granted" || !p.Purposes[1].May || p.Purposes[1].Label != "Pouvons-nous ?" || p.Purposes[0].Choice != "" ||
		len(p.History) != 1 || p.History[0].By != "app" || p.History[0].Wording != shown("newsletter") || p.History[0].ID != c.Records[0].ID || p.Language != "fr" {
		t.Errorf("%+v", p)
	}
	body := `{"choices":[{"purpose":"analytics","choice":"granted","wording":"` + shown("analytics") + `"}],"stops":{"marketing_opt_out":true},"language":"en"}`
	e.into(e.call("POST", "/v1/preferences", body, auth...), http.StatusOK, &c)
	if len(c.Records) != 1 || e.why(acc, "analytics") != "true consent" || e.why(acc, "newsletter") != "false marketing_opt_out" {
		t.Errorf("%+v, then %s and %s", c, e.why(acc, "analytics"), e.why(acc, "newsletter"))
	}
	e.into(e.call("POST", "/v1/preferences", `{"withdraw_all":true}`, auth...), http.StatusOK, &c)
	if e.why(acc, "analytics") != "false withdrawn" {
		t.Errorf("%+v, then %s", c, e.why(acc, "analytics"))
	}
	for body, want := range map[string]string{
		`{"choices":[{"purpose":"analytics","choice":"granted"}]}`: "/choices/0/wording", `{"stops":{"restriction":false}}`: "/stops/restriction", `{"stops":{"x":true}}`: "/stops/x",
		`{"stops":[]}`: "/stops",
	} {
		if got := e.pointer(e.call("POST", "/v1/preferences", body, auth...), http.StatusBadRequest, "invalid_input"); got != want {
			t.Errorf("%s complains about %q, want %q", body, got, want)
		}
	}
	for minutes, ok := range map[int]bool{1: true, 1440: true, -1: false, 1441: false} {
		w := e.app("POST", "/v1/app/preferences", fmt.Sprintf(`{"subject":%s,"minutes":%d}`, acc, minutes))
		if (w.Code == http.StatusOK) != ok {
			t.Errorf("an address for %d minutes: %d %s", minutes, w.Code, w.Body)
		}
	}
	e.at = e.at.Add(31 * time.Minute)
	e.problem(e.call("GET", "/v1/preferences", "", auth...), http.StatusGone, "link_gone")
	if log := e.log.String(); strings.Contains(log, address.Token) || strings.Contains(log, "acc-1001") {
		t.Errorf("the log holds the token or the account:\n%s", log)
	}
}

func TestReceiptsForWhoMaySeeTheRecord(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	acc := about("account", "acc-1001")
	var c captured
	e.into(e.app("POST", "/v1/consents", captureOf(acc, "newsletter", "granted")), http.StatusCreated, &c)
	record := c.Records[0].ID
	want := func(subject, more string) string {
		return `{"subject":` + subject + `,"record":"` + record + `"` + more + `}`
	}
	for more, media := range map[string]string{
		"": "application/ld+json", `,"format":"dpv"`: "application/ld+json", `,"format":"kantara"`: "application/json", `,"signed":true`: "application/jose",
		`,"format":"kantara","signed":true,"language":"fr"`: "application/jose",
	} {
		w := e.app("POST", "/v1/receipts", want(acc, more))
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != media {
			t.Errorf("%s: %d %s %s", more, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if media != "application/jose" {
			if !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: %s", more, w.Body)
			}
			continue
		}
		keys := e.call("GET", "/.well-known/jwks.json", "")
		if keys.Header().Get("Content-Type") != "application/jwk-set+json" {
			t.Errorf("the keys are %s", keys.Header().Get("Content-Type"))
		}
		if _, err := receipt.Verify(w.Body.String(), keys.Body.Bytes()); err != nil {
			t.Errorf("%s: the signature does not hold: %v", more, err)
		}
	}
	if p := e.pointer(e.app("POST", "/v1/receipts", want(acc, `,"format":"pdf"`)), http.StatusBadRequest, "invalid_input"); p != "/format" {
		t.Error(p)
	}
	e.problem(e.app("POST", "/v1/receipts", want(about("account", "acc-1002"), "")), http.StatusNotFound, "consent_not_found")
	for _, id := range []string{"", "x", record + "0", strings.Repeat("x", 1000)} {
		e.problem(e.app("POST", "/v1/receipts", `{"subject":`+acc+`,"record":"`+id+`"}`), http.StatusNotFound, "consent_not_found")
	}

	mine := []string{"Authorization", "Bearer " + e.link(consent.PreferLink)}
	for query, media := range map[string]string{"": "application/ld+json", "?signed=1": "application/jose", "?format=kantara&signed=0&lang=fr": "application/json"} {
		if w := e.call("GET", "/v1/preferences/receipts/"+record+query, "", mine...); w.Code != http.StatusOK || w.Header().Get("Content-Type") != media {
			t.Errorf("%s: %d %s", query, w.Code, w.Header().Get("Content-Type"))
		}
	}
	e.problem(e.call("GET", "/v1/preferences/receipts/"+record+"?format=x", "", mine...), http.StatusBadRequest, "invalid_input")
	e.problem(e.call("GET", "/v1/preferences/receipts/x", "", mine...), http.StatusNotFound, "consent_not_found")
}

func TestAnAppSaysWhoIsOnePerson(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	var c captured
	e.into(e.call("POST", "/v1/consents", captureOf("", "analytics", "denied")), http.StatusCreated, &c)
	me, acc := about("anonymous", c.Visitor), about("account", "acc-1001")
	for range 2 {
		var linked map[string]bool
		e.into(e.app("POST", "/v1/app/links", `{"subjects":[`+acc+`,`+me+`]}`), http.StatusOK, &linked)
	}
	if got := e.why(acc, "analytics"); got != "false denied" {
		t.Error(got)
	}
	for body, want := range map[string]string{
		`{"subjects":[` + acc + `]}`: "/subjects", `{}`: "/subjects", `{"subjects":[` + acc + `,` + me + `,` + me + `]}`: "/subjects",
		`{"subjects":[` + acc + `,{"type":"anonymous","value":"v1"}]}`: "/subjects/1/value", `{"subjects":[null,` + me + `]}`: "/subjects/0",
	} {
		if got := e.pointer(e.app("POST", "/v1/app/links", body), http.StatusBadRequest, "invalid_input"); got != want {
			t.Errorf("%s complains about %q, want %q", body, got, want)
		}
	}
}

func TestAnAppAsksForARightOfWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	body := strings.TrimSuffix(access, "}") + `,"account":"acc-1001"}`
	var r, again followable
	e.into(e.app("POST", "/v1/app/requests", body), http.StatusCreated, &r)
	e.into(e.app("POST", "/v1/app/requests", body), http.StatusCreated, &again)
	if r.Status != "open" || r.Token == "" || r.Token != again.Token || r.ID != again.ID || !r.Until.Equal(again.Until) {
		t.Errorf("%+v, then %+v", r, again)
	}
	if w := e.call("GET", "/v1/requests/"+r.ID, "", "Authorization", "Bearer "+r.Token); w.Code != http.StatusOK {
		t.Errorf("its token shows %d %s", w.Code, w.Body)
	}
	for body, want := range map[string]string{
		`{"right":"access","account":"acc-1001"}`:                                          "/person/email",
		strings.TrimSuffix(access, "}") + `,"account":"` + strings.Repeat("x", 257) + `"}`: "/account",
		strings.TrimSuffix(access, "}") + `,"purposes":["newsletter"]}`:                    "/purposes",
	} {
		if got := e.pointer(e.app("POST", "/v1/app/requests", body), http.StatusBadRequest, "invalid_input"); got != want {
			t.Errorf("%.80s complains about %q, want %q", body, got, want)
		}
	}
	if p := e.problem(e.call("POST", "/v1/requests", body), http.StatusBadRequest, "invalid_json"); p.Errors[0].Pointer != "/account" {
		t.Errorf("anybody vouches for an account: %+v", p)
	}
}

func TestAnImportSaysWhatBecameOfEachLine(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	op := []string{"Authorization", "Bearer " + operatorKey}
	grant := func(email, at string) string {
		return `{"subject":` + about("email", email) + `,"purpose":"newsletter","choice":"granted","at":"` + at + `","evidence":"crm-1"}`
	}
	lines := []string{
		grant("ada@example.org", "2025-11-02"),
		`{"purpose":"newsletter","choice":"granted","at":"2025-11-02"}`,
		grant("ada@example.org", "yesterday"),
		`{"subject":` + about("email", "grace@example.net") + `,"stop":"complaint","at":"2026-01-07T10:00:00Z"}`,
		`{"subject":` + about("account", "acc-1001") + `,"stop":"marketing_opt_out","at":"2026-01-07"}`,
		grant("alan@example.net", "2027-01-01"),
	}
	send := func(dry bool) []imported {
		var a struct {
			DryRun   bool `json:"dry_run"`
			Outcomes []imported
		}
		e.into(e.call("POST", "/v1/operator/consents/import", fmt.Sprintf(`{"dry_run":%t,"lines":[%s]}`, dry, strings.Join(lines, ",")), op...), http.StatusOK, &a)
		if a.DryRun != dry {
			t.Error("the answer does not say whether it was a dry run")
		}
		return a.Outcomes
	}
	results := func(list []imported) string {
		var out []string
		for i, o := range list {
			if o.Line != i+1 || (o.Why != "") != (o.Result == consent.Refused) {
				t.Errorf("outcome %d is %+v", i, o)
			}
			out = append(out, o.Result)
		}
		return strings.Join(out, " ")
	}
	const want = "taken refused refused taken taken refused"
	for range 2 {
		if got := results(send(true)); got != want {
			t.Errorf("a dry run: %s", got)
		}
	}
	if got := e.why(about("email", "ada@example.org"), "newsletter"); got != "false not_asked" {
		t.Errorf("after dry runs: %s", got)
	}
	first := send(false)
	if got := results(first); got != want {
		t.Errorf("the run: %s", got)
	}
	for i, pointer := range map[int]string{1: "/subject ", 2: "/at ", 5: "/at "} {
		if !strings.HasPrefix(first[i].Why, pointer) {
			t.Errorf("line %d is refused because %q", i+1, first[i].Why)
		}
	}
	if got := results(send(false)); got != "known refused refused known known refused" {
		t.Errorf("the same again: %s", got)
	}
	for subject, want := range map[string]string{
		about("email", "ada@example.org"): "true consent", about("email", "grace@example.net"): "false complaint", about("account", "acc-1001"): "false marketing_opt_out",
	} {
		if got := e.why(subject, "newsletter"); got != want {
			t.Errorf("%s: %s, want %s", subject, got, want)
		}
	}
	one := grant("ada@example.org", "2025-11-02")
	for n, status := range map[int]int{0: http.StatusBadRequest, maxLines: http.StatusOK, maxLines + 1: http.StatusBadRequest} {
		body := `{"dry_run":true,"lines":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
		if w := e.call("POST", "/v1/operator/consents/import", body, op...); w.Code != status {
			t.Errorf("%d lines: %d %.200s", n, w.Code, w.Body)
		}
	}
	if log := e.log.String(); strings.Contains(log, "ada@") || strings.Contains(log, "acc-1001") {
		t.Errorf("the log names somebody:\n%s", log)
	}
}

func TestAHaltRefusesConsentsAndNothingElse(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	op := []string{"Authorization", "Bearer " + operatorKey}
	acc := about("account", "acc-1001")
	e.into(e.app("POST", "/v1/consents", captureOf(acc, "analytics", "granted")), http.StatusCreated, &captured{})
	var h halted
	e.into(e.call("GET", "/v1/operator/halt", "", op...), http.StatusOK, &h)
	if h.On {
		t.Error("it is halted from the start")
	}
	e.into(e.call("POST", "/v1/operator/halt", `{"cause":"incident-12"}`, op...), http.StatusOK, &h)
	e.into(e.call("GET", "/v1/operator/halt", "", op...), http.StatusOK, &h)
	if !h.On || h.Cause != "incident-12" || h.Since == nil {
		t.Errorf("%+v", h)
	}
	var o offers
	e.into(e.call("GET", "/v1/choices", ""), http.StatusOK, &o)
	if !o.Halted || slices.ContainsFunc(o.Purposes, func(o offer) bool { return o.Default == "on" }) {
		t.Errorf("a visitor without an id is told that something is on: %+v", o)
	}
	w := e.app("POST", "/v1/consents", captureOf(acc, "newsletter", "granted"))
	e.problem(w, http.StatusServiceUnavailable, "halted")
	if w.Header().Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	if got := e.why(acc, "analytics"); got != "false halted" {
		t.Error(got)
	}
	var c captured
	e.into(e.app("POST", "/v1/consents", captureOf(acc, "newsletter", "denied")), http.StatusCreated, &c)
	e.into(e.call("POST", "/v1/consents", captureOf("", "newsletter", "denied"), "Sec-GPC", "1"), http.StatusCreated, &c)
	e.into(e.call("POST", "/v1/preferences", `{"withdraw_all":true,"stops":{"marketing_opt_out":true}}`, "Authorization", "Bearer "+e.link(consent.PreferLink)), http.StatusOK, &c)
	e.into(e.app("POST", "/v1/app/requests", strings.TrimSuffix(access, "}")+`,"account":"acc-1001"}`), http.StatusCreated, &followable{})
	e.submit()
	for _, body := range []string{`{}`, `{"upgrade":" "}`} {
		if p := e.pointer(e.call("POST", "/v1/operator/resume", body, op...), http.StatusBadRequest, "invalid_input"); p != "/upgrade" {
			t.Errorf("%s complains about %q", body, p)
		}
	}
	e.into(e.call("POST", "/v1/operator/resume", `{"upgrade":"release-2"}`, op...), http.StatusOK, &h)
	if h.On || h.Upgrade != "release-2" || e.why(acc, "analytics") != "false withdrawn" {
		t.Errorf("%+v, then %s", h, e.why(acc, "analytics"))
	}
}
