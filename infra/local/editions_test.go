package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// policySeen is what an operator sees of the policy.
type policySeen struct {
	Open     bool
	Edition  int
	Version  string
	Editions []struct {
		Edition         int
		Version, Origin string
	}
	Refused *struct{ Problems []struct{ Line int } }
}

func (w *world) policySeen() (s policySeen) {
	w.t.Helper()
	w.must(http.StatusOK, "GET", "/v1/operator/policy", nil, w.operator()).into(w.t, &s)
	return s
}

// branded is the sample company's policy under another brand.
func branded(brand string) string {
	return strings.Replace(string(company.Policy), "brand: Example Books", "brand: "+brand, 1)
}

// An operator publishes, and everything goes by it at once: pages, answers, whoever
// begins. What began before goes on.
func TestAnOperatorPublishesOnALaptop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, func(o *options) { o.Dir = dir })
	first := w.policySeen()
	if !first.Open || first.Edition != 1 || first.Editions[0].Origin != "file" {
		t.Fatalf("at the start: %+v", first)
	}
	id := w.submit(submission("access", "ada@example.org"))
	token := w.verify(id, "ada@example.org")

	for file, status := range map[string]int{"format: 2": http.StatusBadRequest, branded("Example Reading Room"): http.StatusOK} {
		w.must(status, "POST", "/v1/operator/policy", map[string]string{"file": file, "expects": first.Version}, w.operator(), header{"Idempotency-Key", "k"})
	}
	w.must(http.StatusUnprocessableEntity, "POST", "/v1/operator/policy", map[string]string{"file": branded("X")}, w.operator(), header{"Idempotency-Key", "k"})
	w.must(http.StatusConflict, "POST", "/v1/operator/policy", map[string]string{"file": branded("X"), "expects": first.Version}, w.operator())
	w.must(http.StatusUnauthorized, "POST", "/v1/operator/policy", map[string]string{"file": branded("X")})
	if page := string(w.must(http.StatusOK, "GET", "/", nil).Body); !strings.Contains(page, "Example Reading Room") {
		t.Errorf("the form is not by the policy in force: %.400s", page)
	}
	var p struct{ Version string }
	w.must(http.StatusOK, "GET", "/v1/policy", nil).into(t, &p)
	second := w.policySeen()
	if second.Edition != 2 || p.Version != second.Version || second.Editions[0].Origin != "operator" {
		t.Errorf("published: %+v, everybody sees %s", second, p.Version)
	}
	w.reach(id, token, "fulfilled")
	file := w.must(http.StatusOK, "GET", "/v1/operator/policy/1", nil, w.operator())
	if string(file.Body) != string(company.Policy) {
		t.Error("the first edition is not the file that the runner was started with")
	}
	var versions struct{ Versions []struct{ Until *time.Time } }
	w.must(http.StatusOK, "GET", "/v1/policy/versions", nil).into(t, &versions)
	if v := versions.Versions; len(v) != 2 || v[0].Until != nil || v[1].Until == nil {
		t.Errorf("everybody sees %+v", v)
	}
	var verified struct{ Broken []any }
	w.must(http.StatusOK, "GET", "/v1/operator/audit/verify", nil, w.operator()).into(t, &verified)
	if len(verified.Broken) > 0 {
		t.Errorf("the audit is broken: %v", verified.Broken)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// The runner is started with the same file as before: what an operator published stays.
	w = open(t, func(o *options) { o.Dir = dir })
	if again := w.policySeen(); again.Version != second.Version || again.Edition != 2 {
		t.Errorf("after a restart: %+v", again)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(branded("Example Library")), 0o600); err != nil {
		t.Fatal(err)
	}
	w = open(t, func(o *options) { o.Dir, o.PolicyFile = dir, path })
	if third := w.policySeen(); third.Edition != 3 || third.Editions[0].Origin != "file" {
		t.Errorf("with another file: %+v", third)
	}
	// The file changes as it runs; the schedule finds that.
	if err := os.WriteFile(path, []byte("format: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if seen := w.policySeen(); seen.Edition != 3 || seen.Refused == nil || seen.Refused.Problems[0].Line != 1 {
		t.Errorf("with a wrong file: %+v", seen)
	}
	if err := os.WriteFile(path, []byte(branded("Example Archive")), 0o600); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if page := string(w.must(http.StatusOK, "GET", "/", nil).Body); w.policySeen().Edition != 4 || !strings.Contains(page, "Example Archive") {
		t.Errorf("a file that changed as it ran: %+v", w.policySeen())
	}
}

// Nobody is turned away, or answered by half of each, while policies come and go.
func TestPoliciesComeAndGoWhilePeopleAsk(t *testing.T) {
	t.Parallel()
	w := open(t)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for n := range 6 {
				w.must(http.StatusOK, "GET", "/v1/policy", nil)
				id := w.from(i*10 + n).submit(submission("access", fmt.Sprintf("ada%d-%d@example.org", i, n)))
				if id == "" {
					t.Error("nobody was taken in")
				}
			}
		})
	}
	group.Go(func() {
		for n := range 6 {
			w.must(http.StatusOK, "POST", "/v1/operator/policy", map[string]string{"file": branded(fmt.Sprint("Example ", n))}, w.operator())
			w.pass(time.Minute)
		}
	})
	group.Wait()
	if seen := w.policySeen(); seen.Edition != 7 {
		t.Errorf("%d editions, want 7", seen.Edition)
	}
}

// policies checks, publishes and shows policies.
func (a *apiPage) policies() {
	type body = map[string]any
	const at = "/v1/operator/policy"
	op := a.w.operator()
	var seen policySeen
	a.call(200, "GET", at, nil, op).into(a.w.t, &seen)
	a.call(401, "GET", at, nil)
	a.call(200, "POST", at+"/check", body{"file": "format: 2"}, op)
	a.call(200, "POST", at+"/check", body{"file": branded("Example Library")}, op)
	a.call(400, "POST", at+"/check", body{"colour": "red"}, op)
	a.call(400, "POST", at, body{"file": "format: 2"}, op)
	a.call(200, "POST", at, body{"file": branded("Example Library"), "expects": seen.Version}, op)
	a.call(409, "POST", at, body{"file": branded("Example Archive"), "expects": seen.Version}, op)
	a.call(200, "GET", at, nil, op)
	a.call(200, "GET", at+"/1", nil, op)
	a.call(404, "GET", at+"/99", nil, op)
	a.call(200, "GET", "/v1/policy/versions", nil)
}
