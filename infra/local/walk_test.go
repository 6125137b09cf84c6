package main

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// weathers is what the product has to live with: each engine, a store that fails
// the way clouds fail, and queue and stream off, where the schedules alone must do
// it all.
var weathers = map[string]func(*testing.T, *options){
	"as a newcomer":              func(*testing.T, *options) {},
	"by the schedules alone":     func(_ *testing.T, o *options) { o.NoHints = true },
	"in a hostile store":         func(_ *testing.T, o *options) { o.Hostile = 7 },
	"hostile and schedules only": func(_ *testing.T, o *options) { o.Hostile, o.NoHints = 11, true },
	"on DynamoDB's adapter": func(t *testing.T, o *options) {
		t.Helper()
		o.Table = func(now func() time.Time) (table.Table, error) {
			return tabletest.Dynamo(t, tabletest.Emulator(t), now), nil
		}
	},
}

// TestWalk takes two requests from the form to the answer, in every weather.
func TestWalk(t *testing.T) {
	t.Parallel()
	for name, weather := range weathers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			walk(open(t, func(o *options) { weather(t, o) }))
		})
	}
}

// TestWalkOfTheClock takes a request through a question, an answer with a file, an
// extension and the day after its date, in every weather.
func TestWalkOfTheClock(t *testing.T) {
	t.Parallel()
	for name, weather := range weathers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clockWalk(open(t, startsAt(t, "2026-03-05"), func(o *options) { weather(t, o) }))
		})
	}
}

func clockWalk(w *world) {
	t := w.t
	t.Helper()
	const ada = "ada@example.org"
	id := w.submit(submission("objection", ada, livesIn("GB")))
	token := w.verify(id, ada)
	path := "/v1/operator/requests/" + id
	w.must(http.StatusOK, "POST", path+"/messages", map[string]string{"text": "Who are you?", "cause": "identity"}, w.operator(), header{"Idempotency-Key", "ask"})
	if d := w.deadline(id, token); !d.Paused {
		t.Errorf("time goes on: %+v", d)
	}
	w.lettered(ada, "Who are you?")
	w.untilNoonOf("2026-03-10")
	file := map[string]string{"name": "me.txt", "content": "SXQgaXMgbWUu"}
	w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/messages", map[string]any{"text": "It is me.", "files": []any{file}}, bearerOf(token), header{"Idempotency-Key", "answer"})
	if d := w.deadline(id, token); d.Paused || d.RespondBy.Format(time.DateOnly) != "2026-04-10" {
		t.Errorf("with the answer the period begins anew: %+v", d)
	}
	if got := w.must(http.StatusOK, "GET", path+"/messages/2/files/1", nil, w.operator()); string(got.Body) != "It is me." {
		t.Errorf("the file holds %q", got.Body)
	}
	w.must(http.StatusOK, "POST", path+"/extend", map[string]string{"ground": "complexity"}, w.operator(), header{"Idempotency-Key", "extend"})
	d := w.deadline(id, token)
	if !d.Extended || d.RespondBy.Format(time.DateOnly) != "2026-06-10" {
		t.Errorf("extended to %s", d.RespondBy)
	}
	w.lettered(ada, "10 June 2026")
	w.pass(d.RespondBy.Sub(w.Clock.Now()) + 12*time.Hour)
	w.lettered(ada, "10 June 2026", "We are sorry")
	w.lettered("desk@example.com", id, "the date to answer by has passed")
	w.lettered("privacy@example.com", id, "is not answered")
	told := map[string]int{}
	for _, e := range w.see(id, w.session(id)).Timeline {
		told[e.Action]++
	}
	for action, n := range map[string]int{"ask": 1, "answer": 1, "extend": 1, "overrun": 1, "shred": 1} {
		if told[action] != n {
			t.Errorf("%s stands in the timeline %d times, want %d", action, told[action], n)
		}
	}
	var v struct{ Broken []any }
	w.must(http.StatusOK, "GET", "/v1/operator/audit/verify", nil, w.operator()).into(t, &v)
	if len(v.Broken) > 0 {
		t.Errorf("the audit chains: %+v", v)
	}
}

func walk(w *world) {
	t := w.t
	t.Helper()
	before := w.holds("grace@example.net")
	const ada = "ada@example.org"

	id := w.submit(submission("access", ada))
	token := w.verify(id, ada)
	s := w.reach(id, token, "fulfilled")
	if got := s.result("Orders and invoices"); got != "copied" {
		t.Errorf("orders are %q, want copied", got)
	}
	if got := s.result("Keys to other services"); got != "held" {
		t.Errorf("credentials are %q, want held", got)
	}
	files := w.download(id, token)
	if !strings.Contains(files["data.json"], "ada@example.org") || !strings.Contains(files["index.html"], "Example Books") {
		t.Errorf("the package holds %d files and not what was found", len(files))
	}

	id = w.submit(submission("erasure", ada))
	token = w.verify(id, ada)
	w.await("the erasure is planned", func() bool { return len(w.see(id, token).Outcome) > 0 })
	if got := w.holds(ada); !strings.Contains(got, ada) {
		t.Errorf("erased before the cooling time: %s", got)
	}
	w.pass(8 * 24 * time.Hour)
	s = w.reach(id, token, "fulfilled")
	for category, want := range map[string]string{
		"Account": "erased", "Orders and invoices": "kept", "Visits": "anonymised", "What was read": "anonymised",
	} {
		if got := s.result(category); got != want {
			t.Errorf("%s is %q, want %q", category, got, want)
		}
	}
	if got := w.holds(ada); strings.Contains(got, ada) {
		t.Errorf("after the erasure the stores hold %s", got)
	}
	if after := w.holds("grace@example.net"); after != before {
		t.Errorf("another person's data changed from\n%s to\n%s", before, after)
	}
	var v struct {
		Chains  int
		Entries int
		Broken  []any
	}
	w.must(http.StatusOK, "GET", "/v1/operator/audit/verify", nil, w.operator()).into(t, &v)
	if v.Chains < 2 || v.Entries < 10 || len(v.Broken) > 0 {
		t.Errorf("the audit chains: %+v", v)
	}
}

// download fetches the package with a session's token and returns its files.
func (w *world) download(id, token string) map[string]string {
	w.t.Helper()
	var d struct{ URL string }
	w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/deliver", map[string]any{}, bearerOf(token)).into(w.t, &d)
	return w.unzip(w.must(http.StatusOK, "GET", d.URL, nil).Body)
}

func (w *world) unzip(b []byte) map[string]string {
	w.t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		w.t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			w.t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := out.ReadFrom(r); err != nil {
			w.t.Fatal(err)
		}
		_ = r.Close() // it was read to its end
		files[f.Name] = out.String()
	}
	return files
}
