package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/operator"
	"rightsdesk/shared/request"
	"rightsdesk/shared/table"
)

// world is the product running for one test, and a person's hands on it.
type world struct {
	*product
	t      *testing.T
	log    *safeBuffer // everything that was logged
	client *http.Client
}

// open starts the product in a folder of its own, on a port of its own.
func open(t *testing.T, change ...func(*options)) *world {
	t.Helper()
	log := &safeBuffer{}
	o := options{
		Listen: "127.0.0.1:0", Dir: t.TempDir(), People: 50, NoSync: true, Journal: true,
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	startAt(t, o.Dir)
	p, err := start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{product: p, t: t, log: log, client: caller("")}
}

// began is when every world begins: on a Tuesday morning in winter, after the digest of
// the day. Without it, what a test finds would depend on the hour at which it runs.
var began = time.Date(2027, time.February, 23, 9, 30, 0, 0, time.UTC)

// startAt sets the clock of a folder that has none yet.
func startAt(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "clock")
	if _, err := os.Stat(path); err == nil {
		return
	}
	if err := os.WriteFile(path, []byte(time.Until(began).String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// caller is an HTTP client that calls from an address of this machine, does not
// follow redirects and leaves no connection open.
func caller(from string) *http.Client {
	dialer := net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: from != "", MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// from is the same world for somebody at the n-th of many network addresses.
func (w *world) from(n int) *world {
	other := *w
	other.client = caller(fmt.Sprintf("127.%d.%d.%d", 1+n/62_500, n/250%250, 1+n%250))
	return &other
}

// session returns the bearer token of somebody who proved their address once.
func (w *world) session(id string) string {
	return w.Requests.Mint(request.Token{ID: request.ID(id), Verb: request.Session, N: 1, Until: w.Clock.Now().Add(30 * 24 * time.Hour)})
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// answer is an HTTP answer, read whole.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// into decodes the body.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
}

// header is one request header.
type header struct{ name, value string }

func bearerOf(token string) header { return header{"Authorization", "Bearer " + token} }

// call makes one HTTP call, with a JSON body if there is one, and does not follow redirects.
func (w *world) call(method, path string, body any, headers ...header) answer {
	w.t.Helper()
	var in io.Reader
	if body != nil {
		switch b := body.(type) {
		case string:
			in = strings.NewReader(b)
		case url.Values:
			in = strings.NewReader(b.Encode())
			headers = append(headers, header{"Content-Type", "application/x-www-form-urlencoded"})
		default:
			raw, err := json.Marshal(body)
			if err != nil {
				w.t.Fatal(err)
			}
			in = bytes.NewReader(raw)
		}
	}
	at := w.URL + path
	if strings.HasPrefix(path, "http") {
		at = path
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, at, in)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range headers {
		req.Header.Set(h.name, h.value)
	}
	res, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, b}
}

// must makes a call and fails the test unless the status is the one wanted. In a
// hostile store it tries again for as long as the answer asks it to.
func (w *world) must(status int, method, path string, body any, headers ...header) answer {
	w.t.Helper()
	a := w.call(method, path, body, headers...)
	for try := 0; try < 4 && w.o.Hostile != 0 && a.Status == http.StatusServiceUnavailable && status != a.Status; try++ {
		a = w.call(method, path, body, headers...)
	}
	if a.Status != status {
		w.t.Fatalf("%s %s = %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return a
}

// submission is a minimal body of POST /v1/requests.
func submission(right, email string, more ...func(map[string]any)) map[string]any {
	b := map[string]any{"right": right, "residence": "FR", "locale": "en", "person": map[string]any{"email": email, "name": "Ada"}}
	for _, m := range more {
		m(b)
	}
	return b
}

// submit asks and returns the request's id.
func (w *world) submit(body map[string]any, headers ...header) string {
	w.t.Helper()
	var r struct{ ID string }
	w.must(http.StatusAccepted, "POST", "/v1/requests", body, headers...).into(w.t, &r)
	return r.ID
}

// letter is a mail as /local/mail shows it.
type letter struct {
	N                       int
	To, Subject, Code, Link string
	Text                    string
}

// mails returns what was sent to an address, newest first.
func (w *world) mails(to string) []letter {
	w.t.Helper()
	var list []letter
	w.must(http.StatusOK, "GET", "/local/mail?format=json&to="+url.QueryEscape(to), nil).into(w.t, &list)
	return list
}

// await waits until a condition holds. Work goes on in the background; without
// hints it is the turned clock that brings it about.
func (w *world) await(what string, ok func() bool) {
	w.t.Helper()
	end := time.Now().Add(2 * time.Minute) // it takes milliseconds, but a busy machine has other things to do
	for turned := 0; !ok(); {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain until %s; the log says:\n%.4000s", what, w.log.String())
		}
		if w.o.NoHints || turned > 20 {
			w.pass(3 * time.Minute)
			continue
		}
		turned++
		time.Sleep(20 * time.Millisecond)
	}
}

// pass turns the clock on.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.must(http.StatusOK, "POST", "/local/clock?by="+d.String(), nil)
}

// mailed waits for the newest mail to an address that names the request.
func (w *world) mailed(to, id string, n int) letter {
	w.t.Helper()
	var found letter
	w.await(fmt.Sprintf("mail %d to the person arrives", n), func() bool {
		var about []letter
		for _, m := range w.mails(to) {
			if strings.Contains(m.Link, id) {
				about = append(about, m)
			}
		}
		if len(about) < n {
			return false
		}
		found = about[len(about)-n]
		return true
	})
	return found
}

// verify proves the address by the code of the request's first mail and returns
// the session's token.
func (w *world) verify(id, email string) string {
	w.t.Helper()
	m := w.mailed(email, id, 1)
	var p struct{ Status, Token string }
	w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/verify", map[string]string{"code": m.Code}).into(w.t, &p)
	return p.Token
}

// seen is a request as its person sees it.
type seen struct {
	Status  string
	Outcome []struct {
		System     string
		Categories []struct {
			Category, Result, Duty, Controller string
			Count                              int
			Until                              *time.Time
		}
	}
	Ignored  []struct{ Type string }
	Package  *struct{ Ready bool }
	Timeline []struct {
		Action string
		By     string
		Facts  map[string]string
	}
	NotCovered []struct{ Text, Ask string } `json:"not_covered"`
	Contact    map[string]string
}

func (w *world) see(id, token string) seen {
	w.t.Helper()
	var s seen
	w.must(http.StatusOK, "GET", "/v1/requests/"+id, nil, bearerOf(token)).into(w.t, &s)
	return s
}

// reach waits for a status.
func (w *world) reach(id, token, status string) seen {
	w.t.Helper()
	var s seen
	w.await("the request is "+status, func() bool {
		s = w.see(id, token)
		return s.Status == status
	})
	return s
}

// result returns what became of a category, by its English label.
func (s seen) result(category string) string {
	for _, sys := range s.Outcome {
		for _, c := range sys.Categories {
			if c.Category == category {
				return c.Result
			}
		}
	}
	return ""
}

// holds is what the sample company's stores hold of an address.
func (w *world) holds(email string) string {
	w.t.Helper()
	return string(w.must(http.StatusOK, "GET", "/local/company/people?email="+url.QueryEscape(email), nil).Body)
}

// operator is the header of a signed-in operator.
func (w *world) operator() header { return bearerOf(w.OperatorKey) }

// operatorForTests may do everything that operators may.
var operatorForTests = operator.Identity{ID: "test", Roles: []operator.Role{operator.Handler, operator.Auditor}, MFA: true}

// quietWorld is the product without anything going on in the background, on a
// store that the test chooses and can meter.
func quietWorld(t *testing.T, engine func(*testing.T, func() time.Time) table.Table) *world {
	t.Helper()
	return open(t, func(o *options) {
		o.NoHints = true
		o.Table = func(now func() time.Time) (table.Table, error) { return engine(t, now), nil }
	})
}
