package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"rightsdesk/shared/law"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/request"
	"rightsdesk/shared/table"
)

var handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}}

// asked is a request of Ada's whose operator has a question, and her session.
func (e *edge) asked() (id, token string) {
	e.t.Helper()
	id = e.submit()
	p, err := e.s.VerifyLink(e.t.Context(), e.token(id, request.VerifyLink), request.Call{})
	if err != nil {
		e.t.Fatal(err)
	}
	q := request.Question{Text: personal.MakeText("Which orders?"), Cause: law.Clarification}
	if _, err := e.s.Ask(e.t.Context(), handler, request.ID(id), q, request.Call{}); err != nil {
		e.t.Fatal(err)
	}
	return id, p.Token
}

// posted is a form as a browser sends it, with files in it.
func posted(t *testing.T, fields map[string]string, files ...string) (body, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile("files", "a.txt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 { // what a browser sends where no file was chosen
		if _, err := w.CreatePart(map[string][]string{"Content-Disposition": {`form-data; name="files"; filename=""`}, "Content-Type": {"application/octet-stream"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

func (e *edge) dialogue(id string) []request.Message {
	e.t.Helper()
	list, err := e.s.MessagesFor(e.t.Context(), handler, request.ID(id))
	if err != nil {
		e.t.Fatal(err)
	}
	return list
}

func TestAnAnswerFromThePage(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id, token := e.asked()
	for range 3 {
		if w := e.call("GET", "/r/"+token, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Which orders?") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if n := len(e.dialogue(id)); n != 1 {
		t.Fatalf("looking at the question left %d messages", n)
	}

	send := func(fields map[string]string, files ...string) int {
		body, kind := posted(t, fields, files...)
		return e.call("POST", "/r/"+token, body, "Content-Type", kind).Code
	}
	answer := func(key, text string) map[string]string {
		return map[string]string{"do": "reply", "idempotency_key": key, "text": text, "lang": "en"}
	}
	// Without words and without a file there is nothing to send.
	if code := send(answer("k0", " ")); code != http.StatusBadRequest {
		t.Errorf("an empty answer = %d", code)
	}
	// The button pressed twice sends one message; with another file it is another.
	for _, try := range []struct {
		file string
		want int
	}{{"the list", http.StatusSeeOther}, {"the list", http.StatusSeeOther}, {"another", http.StatusUnprocessableEntity}} {
		if code := send(answer("k1", "Those of 2025."), try.file); code != try.want {
			t.Errorf("with %q = %d, want %d", try.file, code, try.want)
		}
	}
	if code := send(answer("k2", "And that was all.")); code != http.StatusSeeOther {
		t.Errorf("words alone = %d", code)
	}
	list := e.dialogue(id)
	if len(list) != 3 || len(list[1].Files) != 1 || len(list[2].Files) != 0 || list[1].Text.Reveal() != "Those of 2025." {
		t.Errorf("%d messages: %+v", len(list), list)
	}
	if strings.Contains(e.log.String(), "2025") {
		t.Error("the log repeats what was written")
	}
	// Four files, and what cannot be a file, come back beside their field.
	if code := send(answer("k3", "x"), "a", "b", "c", "d"); code != http.StatusBadRequest {
		t.Errorf("four files = %d", code)
	}
	body, kind := posted(t, answer("k4", "<b>kept</b>"), "MZ\x00\x01")
	w := e.call("POST", "/r/"+token, body, "Content-Type", kind)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), html.EscapeString("<b>kept</b>")) || !strings.Contains(w.Body.String(), `id="files-problem"`) {
		t.Errorf("a file that is not taken = %d %s", w.Code, w.Body)
	}
	if got := len(e.dialogue(id)); got != 3 {
		t.Errorf("what was refused left %d messages", got)
	}
}

func TestAnAnswerFromAProgram(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id, token := e.asked()
	path, auth := "/v1/requests/"+id+"/messages", "Bearer "+token
	// Three of the largest files fit.
	file := base64.StdEncoding.EncodeToString(append([]byte("%PDF-1.7"), make([]byte, request.MaxAttached-8)...))
	body := `{"text":"` + strings.Repeat("é", 8000) + `","files":[` + strings.Repeat(`{"name":"a.pdf","content":"`+file+`"},`, request.MaxFiles-1) + `{"name":"a.pdf","content":"` + file + `"}]}`
	if w := e.call("POST", path, body, "Authorization", auth); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	p := e.problem(e.call("POST", path, `{"files":[{"name":"a","content":"YQ=="},{"name":"b","content":"%"}]}`, "Authorization", auth), http.StatusBadRequest, "invalid_input")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/files/1/content" {
		t.Errorf("%+v", p)
	}
	e.problem(e.call("POST", path, `{"files":[{"name":"a","content":"YQ==","type":"text/html"}]}`, "Authorization", auth), http.StatusBadRequest, "invalid_json")
	w := e.call("GET", path, "", "Authorization", auth)
	var list struct{ Messages []message }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Messages) != 2 || list.Messages[0].By != "operator" || list.Messages[0].Cause != "clarification" || len(list.Messages[1].Files) != request.MaxFiles {
		t.Errorf("%v: %.2000s", err, w.Body)
	}
}

// TestWhatPeopleAttachIsSavedAndNeverShown: a browser shows none of it as a page of ours.
func TestWhatPeopleAttachIsSavedAndNeverShown(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id, token := e.asked()
	evil := base64.StdEncoding.EncodeToString([]byte("<script>alert(1)</script>"))
	if w := e.call("POST", "/v1/requests/"+id+"/messages", `{"files":[{"name":"x.html","content":"`+evil+`"}]}`, "Authorization", "Bearer "+token); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := e.call("GET", "/v1/operator/requests/"+id+"/messages/2/files/1", "", "Authorization", "Bearer "+operatorKey)
	disposition, params, err := mime.ParseMediaType(w.Header().Get("Content-Disposition"))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/plain" || err != nil || disposition != "attachment" || !strings.HasSuffix(params["filename"], ".txt") ||
		!strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, name := range []string{"", "..", "/", "a/b\\c", "a\r\nSet-Cookie: x", `a"; filename="b.exe`, "\u202Egnp.exe", strings.Repeat("é", 300), "\xff\xfe", "résumé.pdf"} {
		h := attachment(name)
		disposition, params, err := mime.ParseMediaType(h)
		if err != nil || disposition != "attachment" || strings.ContainsAny(params["filename"], "/\\\r\n\"") || strings.HasPrefix(params["filename"], ".") {
			t.Errorf("%q became %q: %v", name, h, err)
		}
	}
	if _, params, _ := mime.ParseMediaType(attachment("résumé.pdf")); params["filename"] != "résumé.pdf" {
		t.Errorf("the name became %q", params["filename"])
	}
}

func TestAComplaintKnowsWhatItIsAbout(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	form := e.call("GET", "/?about="+id, "").Body.String()
	if !strings.Contains(form, `value="`+id+`"`) || !regexp.MustCompile(`id="right-complaint"[^>]* checked`).MatchString(form) {
		t.Error("the form does not say what it is about")
	}
	if !strings.Contains(form, "/?about="+id+"&amp;lang=fr") {
		t.Error("another language forgets what it is about")
	}
	about := func(right, id string) (code int, got request.ID) {
		w := e.call("POST", "/requests", "right="+right+"&email=ada@example.org&about="+id+"&idempotency_key="+string(table.NewID()), "Content-Type", "application/x-www-form-urlencoded")
		to := strings.TrimPrefix(w.Header().Get("Location"), "/requests/")
		if w.Code != http.StatusSeeOther {
			return w.Code, ""
		}
		to, _, _ = strings.Cut(to, "?")
		list, _, err := e.s.List(t.Context(), handler, request.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			if string(l.ID) == to {
				return w.Code, l.About
			}
		}
		return w.Code, "not there"
	}
	if code, got := about("complaint", id); code != http.StatusSeeOther || got != request.ID(id) {
		t.Errorf("a complaint = %d about %q", code, got)
	}
	if code, got := about("access", id); code != http.StatusSeeOther || got != "" {
		t.Errorf("another right with a number left in the form = %d about %q", code, got)
	}
	if code, _ := about("complaint", "..%2F%00"); code != http.StatusBadRequest {
		t.Errorf("a number that can be none = %d", code)
	}
}

func TestOperatorsOwnWhatTheyAssign(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id, _ := e.asked()
	owner := func(body string) string {
		if w := e.call("POST", "/v1/operator/requests/"+id+"/assign", body, "Authorization", "Bearer "+operatorKey); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var shown struct{ Owner string }
		w := e.call("GET", "/v1/operator/requests/"+id, "", "Authorization", "Bearer "+operatorKey)
		if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil {
			t.Fatal(err)
		}
		return shown.Owner
	}
	if got := owner(`{"owner":"h2"}`); got != "h2" {
		t.Errorf("given to h2 it is %q's", got)
	}
	if got := owner(``); got != "h1" {
		t.Errorf("taken by h1 it is %q's", got)
	}
}
