package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/topology"
)

// told waits until the company's systems know of something, and returns its detail.
func (w *world) told(what string, is func(detail map[string]any) bool) map[string]any {
	w.t.Helper()
	var found map[string]any
	w.await("the bus tells "+what, func() bool {
		var list []shown
		w.must(http.StatusOK, "GET", "/local/events?format=json&type="+what, nil).into(w.t, &list)
		i := slices.IndexFunc(list, func(e shown) bool { return e.Source == bulletin.Source && is(e.Detail) })
		if i >= 0 {
			found = list[i].Detail
		}
		return i >= 0
	})
	return found
}

// about is a detail about one thing, in which facts stand in pairs.
func about(id string, facts ...string) func(map[string]any) bool {
	return func(d map[string]any) bool {
		for i := 0; i+1 < len(facts); i += 2 {
			if d[facts[i]] != facts[i+1] {
				return false
			}
		}
		return d["id"] == id
	}
}

// asPublished fails the test unless everything that the bus was told is as its schema has
// it, and returns it as it was told.
func (w *world) asPublished() (raw []byte, types map[string]int) {
	w.t.Helper()
	schemas := map[string]*jsonschema.Schema{}
	types = map[string]int{}
	for _, e := range w.Bus.events("") {
		line, err := json.Marshal(shown{bulletin.Source, e.Type, e.At, e.Detail})
		if err != nil {
			w.t.Fatal(err)
		}
		raw = append(append(raw, line...), '\n')
		types[e.Type]++
		if schemas[e.Type] == nil {
			schemas[e.Type] = published(w.t, e.Type)
		}
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			w.t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(detail))
		if err != nil {
			w.t.Fatal(err)
		}
		if err := schemas[e.Type].Validate(v); err != nil {
			w.t.Errorf("%s: %v", line, err)
		}
	}
	if strings.Contains(w.log.String(), "the bus knows nothing of") {
		w.t.Error("an entry is of a kind of which nobody decided whether it is told; see the log and shared/bulletin")
	}
	return raw, types
}

func published(t *testing.T, what string) *jsonschema.Schema {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("../../events/schema/published", what+".json"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWithMailOffTheAppCarriesEverything runs a company that writes to nobody: who is
// signed in to its app asks, follows and fetches there, operators vouch for others, and
// its systems hear on the bus what a letter would have said.
func TestWithMailOffTheAppCarriesEverything(t *testing.T) {
	t.Parallel()
	for _, weather := range []string{"as a newcomer", "hostile and schedules only"} {
		t.Run(weather, func(t *testing.T) {
			t.Parallel()
			w := open(t, func(o *options) { o.Mail = topology.MailOff; weathers[weather](t, o) })
			w.asksInTheApp()
			w.closesInTheApp()
			w.vouchedFor()
			w.pass(48 * time.Hour) // past the time of a digest
			w.told("mail.withheld", func(d map[string]any) bool { return d["letter"] == string(mail.Digest) && d["about"] == "digest" })
			if got := w.mails(""); len(got) > 0 {
				t.Errorf("%d letters were written, the first of them %q to %s", len(got), got[0].Subject, got[0].To)
			}
			raw, types := w.asPublished()
			for _, what := range []string{"request.received", "request.verified", "request.fulfilled", "closure.confirmed", "closure.closed", "mail.withheld", "checkpoint.sealed"} {
				if types[what] == 0 {
					t.Errorf("the bus was never told %s, but %v", what, types)
				}
			}
			if found := newScanner("ada@example.org", "Ada Lovelace", "grace@example.net").find(raw); len(found) > 0 {
				t.Errorf("the bus was told %v", found)
			}
		})
	}
}

// asksInTheApp has somebody who is signed in ask for their data and fetch it.
func (w *world) asksInTheApp() {
	t := w.t
	t.Helper()
	const ada = "ada@example.org"
	var mine struct{ ID, Status, Token string }
	w.weatheredApp("/v1/app/requests", submission("access", ada), "mine").into(t, &mine)
	w.told("request.received", about(mine.ID, "right", "access", "by", "app"))
	s := w.reach(mine.ID, mine.Token, "fulfilled")
	w.told("request.fulfilled", about(mine.ID, "by", "system"))
	for _, kind := range []mail.Kind{mail.Verified, mail.Ready} {
		w.told("mail.withheld", about(mine.ID, "letter", string(kind), "about", "request"))
	}
	w.await("the history says that nobody was written to", func() bool {
		s = w.see(mine.ID, mine.Token)
		return slices.ContainsFunc(s.Timeline, func(e struct {
			Action string
			By     string
			Facts  map[string]string
		},
		) bool {
			return e.Action == "withheld" && e.Facts["mail"] == string(mail.Ready)
		})
	})
	if files := w.download(mine.ID, mine.Token); !strings.Contains(files["data.json"], ada) {
		t.Errorf("the package holds %d files and not what was found", len(files))
	}
	w.told("request.delivered", about(mine.ID, "by", "person"))
}

// weatheredApp makes a call of the app until the store takes it.
func (w *world) weatheredApp(path string, body any, key string) (a answer) {
	w.t.Helper()
	w.await("the app is answered", func() bool {
		a = w.app("POST", path, body, key)
		return a.Status != http.StatusServiceUnavailable
	})
	if a.Status/100 != 2 {
		w.t.Fatalf("POST %s = %d %s", path, a.Status, a.Body)
	}
	return a
}

// closesInTheApp has somebody who is signed in close their account.
func (w *world) closesInTheApp() {
	w.t.Helper()
	people, err := w.Company.People(20)
	i := slices.IndexFunc(people, func(p company.Person) bool { return p.Account != "" && p.Email == "grace@example.net" })
	if err != nil || i < 0 {
		w.t.Fatalf("nobody of %v can close an account: %v", people, err)
	}
	var c closureSeen
	w.weatheredApp("/v1/app/closures", map[string]any{"subject": account(people[i].Account), "email": people[i].Email}, "close").into(w.t, &c)
	w.told("closure.confirmed", about(c.ID, "by", "app"))
	w.told("mail.withheld", about(c.ID, "letter", string(mail.ClosureBegun), "about", "closure"))
	w.pass(40 * day)
	work := w.told("closure.closing", about(c.ID))["request"]
	w.done(work.(string))
	w.pass(time.Hour)
	w.told("closure.closed", about(c.ID, "request", work.(string)))
	w.told("mail.withheld", about(work.(string), "letter", string(mail.Closed)))
}

// vouchedFor has an operator take in what somebody asked for by phone.
func (w *world) vouchedFor() {
	t := w.t
	t.Helper()
	b := submission("objection", "alan@example.org")
	b["received_at"], b["channel"] = w.Clock.Now().Add(-time.Hour), "phone"
	var rec struct{ ID string }
	w.must(http.StatusAccepted, "POST", "/v1/operator/requests", b, w.operator(), header{"Idempotency-Key", "phone"}).into(t, &rec)
	w.told("request.received", about(rec.ID, "by", "operator", "channel", "phone"))
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+rec.ID+"/verify", map[string]string{"reason": "known at the counter"}, w.operator(), header{"Idempotency-Key", "vouch"})
	w.told("request.verified", about(rec.ID, "by", "operator", "how", "operator"))
	w.told("mail.withheld", about(rec.ID, "letter", string(mail.Verify)))
}

// What needs a mailed code is refused before anything is stored, and says where to ask
// instead. What needs no proof is taken from everybody.
func TestWithMailOffNobodyIsPromisedACode(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *options) { o.Mail = topology.MailOff })
	const ada = "ada@example.org"
	grant := w.choice(byMail(ada), "newsletter", "granted")
	deny := w.choice(byMail(ada), "offers", "denied")
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		says         string
	}{
		{"POST", "/v1/requests", submission("access", ada), http.StatusForbidden, `"mail_is_off"`},
		{"POST", "/v1/requests", submission("access", ada), http.StatusForbidden, "privacy@example.com"},
		{"POST", "/v1/requests/abc/code", map[string]any{}, http.StatusForbidden, `"mail_is_off"`},
		{"POST", "/v1/closures", map[string]any{"email": ada}, http.StatusForbidden, `"mail_is_off"`},
		{"POST", "/v1/preferences/links", map[string]any{"email": ada}, http.StatusForbidden, `"mail_is_off"`},
		{"POST", "/v1/consents", grant, http.StatusForbidden, `"mail_is_off"`},
		{"POST", "/v1/consents", deny, http.StatusCreated, `"denied"`},
		{"GET", "/", nil, http.StatusOK, `value="opt_out_sale"`},
		{"POST", "/requests", url.Values{"right": {"access"}, "residence": {"FR"}, "email": {ada}}, http.StatusForbidden, "Please ask in the app"},
		{"GET", "/requests/abc", nil, http.StatusOK, "Please ask in the app"},
		{"POST", "/requests/abc", url.Values{"do": {"again"}}, http.StatusForbidden, "Please ask in the app"},
		{"GET", "/r/abc", nil, http.StatusGone, "Please ask in the app"},
		{"GET", "/close", nil, http.StatusOK, "Please ask in the app"},
		{"POST", "/close", url.Values{"email": {ada}}, http.StatusForbidden, "Please ask in the app"},
		{"GET", "/preferences", nil, http.StatusOK, "Please ask in the app"},
		{"POST", "/preferences", url.Values{"email": {ada}}, http.StatusForbidden, "privacy@example.com"},
		{"POST", "/choices", url.Values{"email": {ada}, "purpose": {"newsletter"}}, http.StatusForbidden, "Please ask in the app"},
	} {
		a := w.call(c.method, c.path, c.body)
		if a.Status != c.status || !strings.Contains(string(a.Body), c.says) {
			t.Errorf("%s %s = %d, want %d and %q in\n%.2000s", c.method, c.path, a.Status, c.status, c.says, a.Body)
		}
	}
	if a := w.call("GET", "/", nil); strings.Contains(string(a.Body), `value="access"`) || !strings.Contains(string(a.Body), "sends no mail from here") {
		t.Error("the form offers what needs a mailed code")
	}

	a := w.must(http.StatusOK, "POST", "/requests", url.Values{"right": {"opt_out_sale"}, "residence": {"US-CA"}, "email": {ada}})
	if !strings.Contains(string(a.Body), "You need do nothing more") {
		t.Errorf("an opt-out is answered by\n%.2000s", a.Body)
	}
	received := w.told("request.received", func(d map[string]any) bool { return d["right"] == "opt_out_sale" })
	w.told("request.fulfilled", func(d map[string]any) bool { return d["id"] == received["id"] })
	_, types := w.asPublished()
	if types["request.received"] != 1 || types["closure.asked"] > 0 || types["consent.asked"] > 0 {
		t.Errorf("what was refused was stored all the same: %v", types)
	}
	if got := w.mails(""); len(got) > 0 {
		t.Errorf("%d letters were written", len(got))
	}
}

// In its sandbox a mail service writes to addresses that it knows, and to nobody else. The
// others' letters are over; those of operators arrive.
func TestInTheSandboxOnlyTheCompanyIsWrittenTo(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *options) { o.Mail = topology.MailSandbox })
	id := w.submit(submission("access", "ada@example.org"))
	w.told("mail.withheld", about(id, "letter", string(mail.Verify)))
	b := submission("objection", "alan@example.org")
	b["received_at"], b["channel"] = w.Clock.Now().Add(-time.Hour), "phone"
	var rec struct{ ID string }
	w.must(http.StatusAccepted, "POST", "/v1/operator/requests", b, w.operator()).into(t, &rec)
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+rec.ID+"/verify", map[string]string{"reason": "known at the counter"}, w.operator())
	w.await("operators are written to", func() bool { w.pass(12 * time.Hour); return len(w.mails("desk@example.com")) > 0 })
	for _, m := range w.mails("") {
		if m.To != "desk@example.com" && m.To != "privacy@example.com" {
			t.Errorf("%q was written to %s", m.Subject, m.To)
		}
	}
}

func TestAnUnknownMailModeDoesNotStart(t *testing.T) {
	t.Parallel()
	p, err := start(t.Context(), options{Listen: "127.0.0.1:0", Dir: t.TempDir(), People: 1, NoSync: true, Mail: "maybe", Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Error(p.Close())
		t.Fatal("it runs with -mail maybe")
	}
	if !strings.Contains(err.Error(), "on, off or sandbox") {
		t.Error(err)
	}
}
