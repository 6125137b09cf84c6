package httpsource_test

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"
)

// document returns docs/hook.md.
func document(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../../docs/hook.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// block returns the first block of code in a language.
func block(t *testing.T, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(document(t), "```"+language+"\n")
	code, _, closed := strings.Cut(rest, "\n```")
	if !found || !closed {
		t.Fatalf("docs/hook.md has no block in %s", language)
	}
	return code + "\n"
}

func TestTheDocumentHasTheVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors[:2] {
		if !strings.Contains(document(t), v.signature) || !strings.Contains(document(t), v.timestamp) {
			t.Errorf("docs/hook.md lacks the vector with the body %q", v.body)
		}
	}
}

// runHook runs the hook of the document as it stands and returns its URL.
func runHook(t *testing.T) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 to run the hook of docs/hook.md with")
	}
	file := filepath.Join(t.TempDir(), "hook.py")
	if err := os.WriteFile(file, []byte(block(t, "python")), 0o600); err != nil {
		t.Fatal(err)
	}
	hook := exec.CommandContext(t.Context(), python, file, "0")
	hook.Env = append(os.Environ(), "HOOK_SECRET="+string(older)+","+string(secret))
	hook.Stderr = os.Stderr
	out, err := hook.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := hook.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hook.Wait() }) // the test's context has ended it
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port) + "/hook"
}

func TestTheDocumentsCurlIsAnswered(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool)
		}
	}
	script := strings.Replace(block(t, "sh"), "http://127.0.0.1:8000/hook", runHook(t), 1)
	try := exec.CommandContext(t.Context(), "sh", "-c", script)
	try.Env = append(os.Environ(), "no_proxy=127.0.0.1")
	out, err := try.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"subject": "Where is my book?"`) {
		t.Errorf("%s, %v", out, err)
	}
}

func TestTheDocumentsHookKeepsItsPromises(t *testing.T) {
	t.Parallel()
	url := runHook(t)
	c, err := httpsource.New(httpsource.Options{
		ID: "shop", URL: url, Secret: secret, Categories: []string{"mails"},
		AllowHosts: []string{strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/hook")}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	call := func() source.Call {
		keys++
		return source.Call{Key: "k-" + strconv.Itoa(keys), Lease: time.Now().Add(time.Minute)}
	}
	who := []personal.Identity{personal.MakeIdentity(personal.KindEmail, "ada@example.org")}
	find := func(who []personal.Identity) (ids []string) {
		ask := source.Ask{Identities: who, Until: noon, Limit: 2, Values: true, Call: call()}
		for {
			page, err := c.Find(t.Context(), ask)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				ids = append(ids, r.ID)
			}
			if page.Done {
				return ids
			}
			ask.Cursor = page.Cursor
		}
	}
	if ids := find(who); strings.Join(ids, " ") != "1 2 3" {
		t.Fatalf("found %v", ids)
	}
	order := source.Order{
		Verb: source.Correct, Identities: who, Category: "mails", Until: noon, Limit: 500, Call: call(),
		Corrections: []source.Correction{{Field: "subject", Value: personal.MakeText("Thank you")}},
	}
	if done, err := c.Execute(t.Context(), order); err != nil || done.Removed != 2 || !done.Done {
		t.Errorf("correct: %+v, %v; want 2, for the third says so already", done, err)
	}
	order = source.Order{Verb: source.Delete, Identities: who, Category: "mails", Until: noon, Limit: 1, Keep: []string{"2"}, Call: call()}
	for range 2 {
		if done, err := c.Execute(t.Context(), order); err != nil || done.Removed != 1 || done.Done {
			t.Errorf("the same call: %+v, %v", done, err)
		}
	}
	order.Call = call()
	if done, err := c.Execute(t.Context(), order); err != nil || done.Removed != 1 || !done.Done {
		t.Errorf("the last page: %+v, %v", done, err)
	}
	if ids := find(who); strings.Join(ids, " ") != "2" {
		t.Errorf("left are %v, want what was to be kept", ids)
	}
	grace := []personal.Identity{personal.MakeIdentity(personal.KindEmail, "grace@example.net")}
	if ids := find(grace); strings.Join(ids, " ") != "4" {
		t.Errorf("somebody else has %v", ids)
	}
	opted := source.Order{Verb: source.Choose, Identities: grace, Until: noon, Choice: source.Choice{Right: "opt_out_sale", On: true}}
	for _, step := range []struct {
		name    string
		change  func()
		changed int
	}{
		{"an opt-out", func() { opted.Call = call() }, 1},
		{"the same call", func() {}, 1},
		{"the same choice", func() { opted.Call = call() }, 0},
		{"taken back, half a second later", func() { opted.Call, opted.Until, opted.Choice.On = call(), noon.Add(time.Second/2), false }, 1},
		{"the opt-out, late", func() { opted.Call, opted.Until, opted.Choice.On = call(), noon, true }, 0},
		{"a consent withdrawn", func() {
			opted.Call, opted.Choice = call(), source.Choice{Right: "withdraw_consent", Purposes: []string{"a", "b"}, On: true}
		}, 2},
		{"one of its purposes", func() { opted.Call, opted.Choice.Purposes = call(), []string{"b"} }, 0},
	} {
		step.change()
		if done, err := c.Execute(t.Context(), opted); err != nil || done.Removed != step.changed || !done.Done {
			t.Errorf("%s: %+v, %v; want %d changed", step.name, done, err, step.changed)
		}
	}
	if ids := find(grace); strings.Join(ids, " ") != "4" {
		t.Errorf("whoever opted out has %v", ids)
	}
	old := func(by source.Hand, until time.Time) (page []source.AgedRecord, err error) {
		age := source.Age{Category: "mails", By: by, Until: until, Limit: 1, Call: call()}
		for {
			aged, err := c.Old(t.Context(), age)
			if page = append(page, aged.Records...); err != nil || aged.Done {
				return page, err
			}
			age.Cursor = aged.Cursor
		}
	}
	if _, err := old(source.LastUsed, noon); !errors.Is(err, source.ErrNotSwept) {
		t.Errorf("asked by a time that it does not know: %v, want ErrNotSwept", err)
	}
	page, err := old(source.Collected, noon)
	if err != nil || len(page) != 2 || page[0].ID != "2" || len(page[1].Who) != 1 || page[1].Who[0] != grace[0] {
		t.Errorf("old are %+v, %v", page, err)
	}
	for _, step := range []struct {
		name    string
		until   time.Time
		expired int
	}{{"a time that is not over", noon.AddDate(-1, 0, 0), 0}, {"one that is", noon, 2}, {"what is gone", noon, 0}} {
		e := source.Expiry{Verb: source.Delete, Category: "mails", By: source.Collected, Until: step.until, Records: page, Call: call()}
		for range 2 {
			if done, err := c.Expire(t.Context(), e); err != nil || done.Removed != step.expired || !done.Done {
				t.Errorf("%s: %+v, %v; want %d expired, and the same again", step.name, done, err, step.expired)
			}
		}
	}
	order.Call, order.Verb = call(), source.Anonymise
	if _, err := c.Execute(t.Context(), order); !errors.Is(err, source.ErrRefused) {
		t.Errorf("anonymise: %v, want ErrRefused", err)
	}
	phone := []personal.Identity{personal.MakeIdentity(personal.KindPhone, "+12025550100")}
	if _, err := c.Find(t.Context(), source.Ask{Identities: phone, Call: call()}); !errors.Is(err, source.ErrRefused) {
		t.Errorf("an identity that it does not know: %v, want ErrRefused", err)
	}

	now := strconv.FormatInt(time.Now().Unix(), 10)
	for name, test := range map[string]struct {
		lease  string
		secret []byte
		status int
	}{
		"signed with the other secret": {lease: "9999999999", secret: older, status: http.StatusUnprocessableEntity},
		"signed with no secret of it":  {lease: "9999999999", secret: []byte("x"), status: http.StatusUnauthorized},
		"under a lease that is over":   {lease: now, secret: secret, status: http.StatusConflict},
	} {
		const body = `{"version":2,"source":"shop"}`
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = vector{"", now, test.lease, "k", "", httpsource.Signature(test.secret, now, test.lease, "k", []byte(body))}.header()
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != test.status {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, test.status)
		}
	}
}

// Every example of the document is what the wire format says, and nothing else.
func TestTheDocumentsExamplesAreOnTheWire(t *testing.T) {
	t.Parallel()
	blocks := strings.Split(document(t), "```json\n")[1:]
	operations := map[string]int{}
	for _, b := range blocks {
		b, _, _ = strings.Cut(b, "\n```")
		if !strings.HasPrefix(b, "{") {
			continue // a part of one
		}
		operation, err := httpsource.Understand([]byte(b))
		if err != nil {
			t.Errorf("%v:\n%s", err, b)
		}
		operations[operation]++
	}
	for _, operation := range []string{"find", "erase", "correct", "choose", "old", "expire"} {
		if operations[operation] == 0 {
			t.Errorf("docs/hook.md has no example of %s", operation)
		}
	}
}
