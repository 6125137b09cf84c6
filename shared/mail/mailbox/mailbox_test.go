package mailbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/mail/mailbox"
	"rightsdesk/shared/page"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

var noon = time.Date(2026, time.March, 5, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *mailbox.Mailbox {
	t.Helper()
	m, err := mailbox.Open(path, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// verify is a mail with a code and a link.
func verify(t *testing.T, to, code string) mail.Message {
	t.Helper()
	address, ok := personal.ParseEmail(to)
	if !ok {
		t.Fatalf("%q is no address", to)
	}
	m, err := mail.Compose(mail.Verify, "en", mail.Letter{
		To: address, Brand: "Lumen", Contact: words.Contact{Email: "dpo@lumen.example"}, Right: "access", RespondBy: noon.AddDate(0, 0, 30),
		Code: personal.MakeText(code), CodeUntil: noon.Add(10 * time.Minute),
		Link: personal.MakeText("http://localhost:8080/r/t0ken-" + code), LinkUntil: noon.AddDate(0, 0, 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func send(t *testing.T, m *mailbox.Mailbox, msg mail.Message, key string) {
	t.Helper()
	if err := m.Send(t.Context(), msg, key); err != nil {
		t.Fatal(err)
	}
}

func handler(m *mailbox.Mailbox) http.Handler {
	return m.Handler(page.Frame{Brand: "Lumen", Languages: []string{"en", "fr"}})
}

func get(t *testing.T, h http.Handler, url string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

type row struct {
	N                       int
	At                      time.Time
	To, Subject, Code, Link string
}

func TestMailIsStillThereAfterARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.db")
	m, err := mailbox.Open(path, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	send(t, m, verify(t, "ada@example.org", "111111"), "k1")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m = open(t, path)
	send(t, m, verify(t, "ada@example.org", "111111"), "k1") // the relay repeats itself
	send(t, m, verify(t, "ada@example.org", "222222"), "k2")
	rows := decode[[]row](t, get(t, handler(m), "/local/mail?format=json"))
	want := []row{
		{2, noon, "ada@example.org", "Please confirm your request to Lumen", "222222", "http://localhost:8080/r/t0ken-222222"},
		{1, noon, "ada@example.org", "Please confirm your request to Lumen", "111111", "http://localhost:8080/r/t0ken-111111"},
	}
	if len(rows) != 2 || rows[0] != want[0] || rows[1] != want[1] {
		t.Errorf("got %+v\nwant %+v", rows, want)
	}
}

func TestOneKeyIsKeptOnceWhoeverIsFirst(t *testing.T) {
	t.Parallel()
	m := open(t, filepath.Join(t.TempDir(), "mail.db"))
	msg := verify(t, "ada@example.org", "111111")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := m.Send(context.Background(), msg, "k"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if rows := decode[[]row](t, get(t, handler(m), "/local/mail?format=json")); len(rows) != 1 {
		t.Errorf("%d mails are kept, want 1", len(rows))
	}
}

func TestWhatCannotBeSentIsNotKept(t *testing.T) {
	t.Parallel()
	m := open(t, filepath.Join(t.TempDir(), "mail.db"))
	bad := verify(t, "ada@example.org", "111111")
	bad.Subject = "a\r\nBcc: eve@example.net"
	if err := m.Send(t.Context(), bad, "k"); !errors.Is(err, mail.ErrRefused) {
		t.Errorf("err = %v, want ErrRefused", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := m.Send(stopped, verify(t, "ada@example.org", "111111"), "k"); !errors.Is(err, mail.ErrLater) || !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want ErrLater", err)
	}
	if body := get(t, handler(m), "/local/mail", "Accept", "application/json").Body.String(); strings.TrimSpace(body) != "[]" {
		t.Errorf("the list is %s", body)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), verify(t, "ada@example.org", "111111"), "k"); !errors.Is(err, mail.ErrLater) || strings.Contains(err.Error(), "ada@") {
		t.Errorf("err = %v, want ErrLater and no address", err)
	}
}

func TestTheListCanBeNarrowed(t *testing.T) {
	t.Parallel()
	m := open(t, filepath.Join(t.TempDir(), "mail.db"))
	send(t, m, verify(t, "ada@example.org", "111111"), "k1")
	send(t, m, verify(t, "bob@example.net", "222222"), "k2")
	h := handler(m)
	for url, want := range map[string]int{
		"/local/mail?format=json": 2, "/local/mail?format=json&to=ada@example.org": 1, "/local/mail?format=json&to=Ada@Example.ORG": 1,
		"/local/mail?format=json&to=eve@example.net": 0, "/local/mail?format=json&to=ada": 0,
	} {
		if rows := decode[[]row](t, get(t, h, url)); len(rows) != want {
			t.Errorf("%s lists %d, want %d", url, len(rows), want)
		}
	}
	html := get(t, h, "/local/mail?to=ada@example.org", "Accept", "text/html").Body.String()
	if !strings.Contains(html, "/local/mail/1") || strings.Contains(html, "/local/mail/2") {
		t.Error("the page lists other mails")
	}
}

func TestOneMail(t *testing.T) {
	t.Parallel()
	m := open(t, filepath.Join(t.TempDir(), "mail.db"))
	send(t, m, verify(t, "ada@example.org", "111111"), "k1")
	send(t, m, verify(t, "bob@example.net", "222222"), "k2")
	h := handler(m)
	type whole struct {
		row
		Links            []string
		Text, HTML       string
		Stream, Language string
		ReplyTo          string `json:"reply_to"`
	}
	got := decode[whole](t, get(t, h, "/local/mail/1", "Accept", "application/json"))
	if got.Code != "111111" || len(got.Links) != 1 || got.Links[0] != "http://localhost:8080/r/t0ken-111111" || got.Stream != "legal" || got.ReplyTo != "dpo@lumen.example" ||
		!strings.Contains(got.Text, "111111") || !strings.HasPrefix(got.HTML, "<!doctype html>") {
		t.Errorf("got %+v", got)
	}
	if got := decode[whole](t, get(t, h, "/local/mail/latest?format=json")); got.N != 2 {
		t.Errorf("the latest is %d", got.N)
	}
	if got := decode[whole](t, get(t, h, "/local/mail/latest?format=json&to=ada@example.org")); got.N != 1 {
		t.Errorf("the latest to Ada is %d", got.N)
	}
	for url, want := range map[string]int{
		"/local/mail/3": 404, "/local/mail/0": 404, "/local/mail/x": 404, "/local/mail/-1": 404, "/local/mail/latest?to=eve@example.net": 404,
		"/local/mail/1": 200, "/local/mail": 200,
	} {
		for _, accept := range []string{"text/html", "application/json"} {
			if w := get(t, h, url, "Accept", accept); w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Type"), accept) {
				t.Errorf("%s as %s: %d %s", url, accept, w.Code, w.Header().Get("Content-Type"))
			}
		}
	}
	if w := get(t, h, "/local/mail/1?lang=fr"); !strings.Contains(w.Body.String(), `<html lang="fr"`) {
		t.Error("the page does not speak French")
	}
	w := get(t, h, "/local/mail/1?format=html")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(w.Body.String(), "111111") || !strings.HasPrefix(csp, "default-src 'none'; style-src 'unsafe-inline'") || strings.Contains(csp, "script") {
		t.Errorf("the HTML part: %s\n%s", csp, w.Body)
	}
	for _, url := range []string{"/local/mail", "/local/mail/1", "/local/mail/1?format=html", "/local/mail?format=json"} {
		w := get(t, h, url)
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", url, w.Header())
		}
	}
}
