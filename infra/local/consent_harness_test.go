package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// subject is who a consent or a decision is about.
type subject struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

func account(value string) subject { return subject{"account", value} }
func byMail(value string) subject  { return subject{"email", value} }

// chosen is one choice as it is posted.
type chosen struct {
	Purpose string `json:"purpose"`
	Act     string `json:"act,omitempty"`
	Choice  string `json:"choice"`
	Wording string `json:"wording,omitempty"`
	Text    string `json:"text,omitempty"`
}

// decided is a decision as it is answered.
type decided struct {
	Purpose string
	May     bool
	Why     string
	Ask     bool
	Record  string
	Until   *time.Time
	Headers map[string]string
}

// captured is what a capture answers.
type captured struct {
	Visitor string
	Records []struct {
		ID, Purpose, Choice string
		Pending             bool
	}
	Honoured []string
}

// sign returns the headers with which an app of the policy, the first one, signs a
// call, as docs/apps.md tells it.
func (w *world) sign(method, path, key string, body []byte) []header {
	w.t.Helper()
	app := w.Requests.Policy.Apps[0]
	secret, err := os.ReadFile(filepath.Join(w.o.Dir, "secrets", strings.TrimPrefix(app.Secret, "secret:")))
	if err != nil {
		w.t.Fatal(err)
	}
	newest, _, _ := strings.Cut(strings.TrimSpace(string(secret)), "\n")
	at := strconv.FormatInt(w.Clock.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(newest))
	_, _ = mac.Write([]byte(strings.Join([]string{"rightsdesk-app-v1", method, path, at, key, string(body)}, "\n")))
	headers := []header{{"Authorization", "Rightsdesk app=" + app.ID + ", time=" + at + ", signature=" + hex.EncodeToString(mac.Sum(nil))}}
	if key != "" {
		headers = append(headers, header{"Idempotency-Key", key})
	}
	return headers
}

// app makes a call as the company's own program.
func (w *world) app(method, path string, body any, key string) answer {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	return w.call(method, path, string(raw), w.sign(method, path, key, raw)...)
}

// appMust makes a call as the company's own program, and fails the test unless
// the status is the one wanted.
func (w *world) appMust(status int, method, path string, body any) answer {
	w.t.Helper()
	a := w.app(method, path, body, "")
	if a.Status != status {
		w.t.Fatalf("%s %s = %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return a
}

// wording is the hash of what the policy in force says about a purpose.
func (w *world) wording(purpose, language string) string {
	w.t.Helper()
	c, ok := w.Requests.Policy.Consent(purpose)
	if !ok {
		w.t.Fatalf("the policy has no rule about %s", purpose)
	}
	sum := sha256.Sum256([]byte(c.Wording.In(language)))
	return hex.EncodeToString(sum[:])
}

// choose has the app say what somebody chose in a form of its own.
func (w *world) choose(who subject, purpose, choice string, more ...func(map[string]any)) captured {
	w.t.Helper()
	var c captured
	w.appMust(http.StatusCreated, "POST", "/v1/consents", w.choice(who, purpose, choice, more...)).into(w.t, &c)
	return c
}

// choice is a body of POST /v1/consents.
func (w *world) choice(who subject, purpose, choice string, more ...func(map[string]any)) map[string]any {
	w.t.Helper()
	one := chosen{Purpose: purpose, Choice: choice}
	if choice == "granted" {
		one.Wording = w.wording(purpose, "en")
	}
	b := map[string]any{"subject": who, "choices": []chosen{one}, "method": "form", "language": "en", "page": "https://www.example.com/settings"}
	for _, m := range more {
		m(b)
	}
	return b
}

// act names the one thing that a consent is for.
func act(id string) func(map[string]any) {
	return func(b map[string]any) {
		list := b["choices"].([]chosen)
		list[0].Act = id
	}
}

// by is the method of a choice.
func by(method string) func(map[string]any) { return func(b map[string]any) { b["method"] = method } }

// lives tells where somebody lives.
func lives(place string) func(map[string]any) {
	return func(b map[string]any) { b["residence"] = place }
}

// decide has the app ask whether it may.
func (w *world) decide(who subject, purpose string, more ...func(map[string]any)) decided {
	w.t.Helper()
	b := map[string]any{"subject": who, "purposes": []string{purpose}, "headers": true}
	for _, m := range more {
		m(b)
	}
	var d struct{ Decisions []decided }
	w.appMust(http.StatusOK, "POST", "/v1/decisions", b).into(w.t, &d)
	if len(d.Decisions) != 1 {
		w.t.Fatalf("one purpose has %d decisions", len(d.Decisions))
	}
	return d.Decisions[0]
}

// may fails the test unless the app may, or may not, and why.
func (w *world) may(want bool, why string, who subject, purpose string, more ...func(map[string]any)) decided {
	w.t.Helper()
	d := w.decide(who, purpose, more...)
	if d.May != want || d.Why != why {
		w.t.Errorf("%s for the %s: may %t because of %s, want %t because of %s", purpose, who.Type, d.May, d.Why, want, why)
	}
	return d
}

// own is what somebody sees of their own choices.
type own struct {
	Purposes []struct {
		Purpose, Label, Why string
		May                 bool
	}
	Stops    map[string]*time.Time
	Honoured []string
	History  []struct {
		ID, Action, Purpose, Choice, Method, By, Wording string
		At                                               time.Time
	}
}

// preferences returns the token of somebody's own page, which the app hands out to
// whoever is signed in.
func (w *world) preferences(who subject) (token string) {
	w.t.Helper()
	var p struct{ Token, URL string }
	w.appMust(http.StatusOK, "POST", "/v1/app/preferences", map[string]any{"subject": who}).into(w.t, &p)
	return p.Token
}

// look returns what somebody sees of their own choices.
func (w *world) look(who subject) own {
	w.t.Helper()
	var o own
	w.must(http.StatusOK, "GET", "/v1/preferences", nil, bearerOf(w.preferences(who))).into(w.t, &o)
	return o
}

// history returns the actions of a purpose's records, the newest first.
func (o own) history(purpose string) (actions []string) {
	for _, h := range o.History {
		if h.Purpose == purpose {
			actions = append(actions, h.Action)
		}
	}
	return actions
}

// problem is the code of a refusal, and every word of it.
func (a answer) problem(t *testing.T) (code, said string) {
	t.Helper()
	var p struct {
		Code, Detail string
		Errors       []struct{ Pointer, Detail string }
	}
	a.into(t, &p)
	said = p.Detail
	for _, e := range p.Errors {
		said += " " + e.Pointer + " " + e.Detail
	}
	return p.Code, said
}

// press presses the button behind a link of ours, whose body is of one field.
func (w *world) press(link, body string) answer {
	w.t.Helper()
	return w.call("POST", link, body, header{"Content-Type", "application/x-www-form-urlencoded"})
}

// oneClick is the body of RFC 8058.
const oneClick = "List-Unsubscribe=One-Click"

// bracketed returns the address in the header List-Unsubscribe.
func bracketed(t *testing.T, d decided) string {
	t.Helper()
	v := d.Headers["List-Unsubscribe"]
	if !strings.HasPrefix(v, "<") || !strings.HasSuffix(v, ">") || strings.Count(v, "<") != 1 {
		t.Fatalf("List-Unsubscribe is %q", v)
	}
	return strings.Trim(v, "<>")
}

// silent fails the test if the log names something.
func (w *world) silent(secrets ...string) {
	w.t.Helper()
	log := []byte(w.log.String())
	for _, s := range secrets {
		if bytes.Contains(log, []byte(s)) {
			w.t.Errorf("the log holds %q", s)
		}
	}
}

// confirm presses the button behind the newest mailed link that asks an address to
// confirm a consent.
func (w *world) confirm(email string) {
	w.t.Helper()
	var link string
	w.await("a mail asks "+email+" to confirm", func() bool {
		for _, m := range w.mails(email) {
			if strings.Contains(m.Link, "/c/") {
				link = m.Link
				return true
			}
		}
		return false
	})
	if a := w.call("GET", link, nil); a.Status != http.StatusOK {
		w.t.Fatalf("the page behind the mailed link answers %d %s", a.Status, a.Body)
	}
	if a := w.press(link, ""); a.Status != http.StatusOK {
		w.t.Fatalf("the button behind the mailed link answers %d %s", a.Status, a.Body)
	}
}
