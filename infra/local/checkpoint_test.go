package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/table"
)

// checkpoints runs the command and returns what it says.
func checkpoints(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := checkpointCommand(t.Context(), append([]string{"verify"}, args...), strings.NewReader(in), &out)
	return out.String(), err
}

// seal makes a checkpoint of everything that was recorded.
func (w *world) seal() {
	w.t.Helper()
	if _, err := w.Jobs["relay"]["checkpoint"](w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// TestARunIsSealedAndVerifiedOffline lets a run record and seal, stops it, and checks
// what it left as an operator does, from its folder and from copies of its files.
func TestARunIsSealedAndVerifiedOffline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, func(o *options) { o.Dir = dir })
	id := w.submit(submission("access", "grace.sealed@example.org"))
	w.seal()
	w.verify(id, "grace.sealed@example.org")
	w.seal()
	w.submit(submission("erasure", "ada.unsealed@example.org"))
	jwks, err := (&receipt.Maker{Ring: w.Requests.Keys.Ring}).JWKS()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := checkpoints(t, "", "-data", dir); err == nil || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("while it runs: %s, %v", out, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	good, err := checkpoints(t, "", "-data", dir)
	for _, want := range []string{"2 checkpoints seal ", "the last is checkpoint 2 of ", "came since", "Nothing was changed, removed or added."} {
		if err != nil || !strings.Contains(good, want) {
			t.Errorf("it does not say %q: %s, %v", want, good, err)
		}
	}

	// The same from copies: the objects, the public keys and the export of everything.
	vault, left := filepath.Join(t.TempDir(), "vault"), filepath.Join(t.TempDir(), "left")
	if err := os.CopyFS(vault, os.DirFS(vaultDir(dir))); err != nil {
		t.Fatal(err)
	}
	if out, err := checkpoints(t, "", "-vault", vault); err == nil || !strings.Contains(err.Error(), "-jwks") {
		t.Errorf("without keys: %s, %v", out, err)
	}
	if err := os.WriteFile(filepath.Join(vault, "jwks.json"), jwks, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := checkpoints(t, "", "-vault", vault); err != nil || strings.Contains(out, "entries of the audit") || !strings.Contains(out, "Nothing was changed") {
		t.Errorf("the objects alone: %s, %v", out, err)
	}
	if err := leaveCommand(t.Context(), []string{"-data", dir, "-out", left}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(left, "audit", "entries.ndjson")
	if out, err := checkpoints(t, "", "-vault", vault, "-entries", file); err != nil || out != good {
		t.Errorf("%s, %v; from the folder it was %s", out, err, good)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dump := exportedTable(t, dir)
	if out, err := checkpoints(t, dump, "-vault", vault, "-entries", "-"); err != nil || out != good {
		t.Errorf("%s, %v; from the folder it was %s", out, err, good)
	}

	first := `"chain":"request#` + id + `","seq":1,`
	for name, c := range map[string]struct{ entries, want string }{
		"changed":          {edited(t, string(b), first, `"actor":"person"`, `"actor":"policy"`), "entry 1 of chain request#" + id + ": it was changed: checkpoint 1 "},
		"a time":           {edited(t, string(b), first, `"at":"20`, `"at":"21`), "entry 1 of chain request#" + id + ": it was changed: checkpoint 1 "},
		"removed":          {edited(t, string(b), first, "", ""), "entry 1 of chain request#" + id + ": it is missing: checkpoint 1 "},
		"no entry":         {string(b) + "{}\n", "it is no entry"},
		"no JSON":          {string(b) + "nonsense\n", "it is no entry"},
		"of another table": {`{"Item":{"b":{"S":"x"}}}`, "it is no entry"},
	} {
		if out, err := checkpoints(t, c.entries, "-vault", vault, "-entries", "-"); err == nil || !strings.Contains(out+err.Error(), c.want) {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	objects, err := filepath.Glob(filepath.Join(vault, "checkpoints", "*.jws"))
	if err != nil || len(objects) != 2 {
		t.Fatal(objects, err)
	}
	last, err := os.ReadFile(objects[1])
	if err != nil {
		t.Fatal(err)
	}
	known := "2=" + noteOf(good)
	if out, err := checkpoints(t, "", "-vault", vault, "-known", known); err != nil {
		t.Errorf("%s, %v", out, err)
	}
	if err := os.Remove(objects[1]); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-known", known}, {"-entries", file}} {
		if out, err := checkpoints(t, "", append([]string{"-vault", vault}, args...)...); !errors.Is(err, errAltered) || !strings.Contains(out, "checkpoint 2: it is missing") {
			t.Errorf("%v: the last checkpoint is gone: %s, %v", args, out, err)
		}
	}
	last[len(last)/2] ^= 1
	if err := os.WriteFile(objects[1], last, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := checkpoints(t, "", "-vault", vault); !errors.Is(err, errAltered) || !strings.Contains(out, "checkpoint 2, checkpoints/000000000002.jws: it is not what was signed") {
		t.Errorf("%s, %v", out, err)
	}
	for _, args := range [][]string{
		{"more"},
		{"-nonsense"},
		{"-since", "yesterday"},
		{"-known", "2"},
		{"-known", "0=" + noteOf(good)},
		{"-data", t.TempDir()},
		{"-vault", filepath.Join(dir, "none"), "-jwks", filepath.Join(vault, "jwks.json")},
		{"-vault", vault, "-entries", filepath.Join(dir, "none")},
	} {
		if out, err := checkpoints(t, "", args...); err == nil || errors.Is(err, errAltered) {
			t.Errorf("%v: %s, %v", args, out, err)
		}
	}
}

// noteOf returns the hash that the command says to note.
func noteOf(out string) string {
	_, hash, _ := strings.Cut(out, "  2=")
	return hash[:64]
}

// edited changes something in the line that holds a text; nothing: it removes the line.
func edited(t *testing.T, text, line, from, to string) string {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, line) })
	if i < 0 || !strings.Contains(lines[i], from) {
		t.Fatalf("no line holds %s and %s", line, from)
	}
	if from == "" {
		return strings.Join(slices.Delete(lines, i, i+1), "")
	}
	lines[i] = strings.Replace(lines[i], from, to, 1)
	return strings.Join(lines, "")
}

// exportedTable is the audit as DynamoDB exports a table.
func exportedTable(t *testing.T, dir string) string {
	t.Helper()
	b, shut, err := openBooks(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer shut()
	var s strings.Builder
	scan := table.Scan{Table: table.Audit}
	for {
		page, err := b.Table.Scan(t.Context(), scan)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			line, err := json.Marshal(map[string]any{"Item": map[string]any{
				"p": map[string]string{"S": item.Key.Partition}, "s": map[string]string{"S": item.Key.Sort}, "v": map[string]string{"N": "1"}, "b": map[string][]byte{"B": item.Body},
			}})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&s, "%s\n", line)
		}
		if scan.Cursor = page.Cursor; scan.Cursor == "" {
			return s.String()
		}
	}
}

// A process that is killed takes entries with it that it did not seal. The next one
// finds them.
func TestWhatAKilledRunDidNotSealTheNextOneDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, func(o *options) { o.Dir = dir })
	w.submit(submission("access", "ada@example.org"))
	w.seal()
	w.entries.delivery.Lock() // nothing is told any more
	id := w.submit(submission("access", "grace@example.org"))
	w.entries.mu.Lock()
	w.entries.waiting = nil
	w.entries.mu.Unlock()
	w.entries.delivery.Unlock()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := checkpoints(t, "", "-data", dir); err != nil || !strings.Contains(out, "Nothing was changed") {
		t.Errorf("%s, %v", out, err)
	}

	w = open(t, func(o *options) { o.Dir = dir })
	w.seal()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := checkpoints(t, "", "-data", dir)
	if err != nil || !strings.Contains(out, "and 1 came since") { // the entry of the last checkpoint
		t.Errorf("%s, %v", out, err)
	}
	var leaves []byte
	files, _ := filepath.Glob(filepath.Join(vaultDir(dir), "leaves", "000000000002-*"))
	for _, f := range files {
		leaves, err = os.ReadFile(f)
	}
	if err != nil || !strings.Contains(string(leaves), "request#"+id+" 1 ") {
		t.Errorf("%v hold %s, %v", files, leaves, err)
	}
}

// TestWhatExpiredIsToldFromWhatIsMissing keeps the audit for ten days and turns the clock
// past them. Chains that have lost their first entries since, or all, are no fault, as long
// as checkpoints say so.
func TestWhatExpiredIsToldFromWhatIsMissing(t *testing.T) {
	t.Parallel()
	file := company.Policy
	for was, is := range map[string]string{"    expires: 13mo\n": "    expires: 10d\n", "    expires: 24mo\n": "    expires: 10d\n", "retention_rules:\n": "retention: {audit: 10d}\n\nretention_rules:\n"} {
		if !bytes.Contains(file, []byte(was)) {
			t.Fatalf("the policy has no %q", was)
		}
		file = bytes.Replace(file, []byte(was), []byte(is), 1)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := open(t, func(o *options) { o.Dir, o.PolicyFile, o.NoHints = dir, path, true })
	type found struct {
		Chains, Entries, Expired, Gone int
		Broken                         []struct {
			Chain, Why string
			Seq        int
		}
	}
	walk := func() (all found) {
		t.Helper()
		for cursor := ""; ; {
			var page struct {
				found
				Cursor string
			}
			w.must(http.StatusOK, "GET", "/v1/operator/audit/verify?cursor="+url.QueryEscape(cursor), nil, w.operator()).into(t, &page)
			all.Chains, all.Entries, all.Expired, all.Gone = all.Chains+page.Chains, all.Entries+page.Entries, all.Expired+page.Expired, all.Gone+page.Gone
			all.Broken = append(all.Broken, page.Broken...)
			if cursor = page.Cursor; cursor == "" {
				return all
			}
		}
	}
	op := func(path string, body any) {
		t.Helper()
		w.must(http.StatusOK, "POST", path, body, w.operator(), header{"Idempotency-Key", path})
		w.seal()
	}
	w.submit(submission("access", "grace.sealed@example.org"))
	op("/v1/operator/halt", map[string]string{"cause": "drill"})
	w.pass(6 * 24 * time.Hour)
	op("/v1/operator/resume", map[string]string{"upgrade": "lib-2"})
	if f := walk(); f.Expired+f.Gone+len(f.Broken) > 0 || f.Chains < 4 {
		t.Errorf("after six days: %+v", f)
	}
	w.pass(5 * 24 * time.Hour) // the halt has expired, and all of the request
	if f := walk(); f.Expired < 2 || f.Gone < 1 || len(f.Broken) > 0 {
		t.Errorf("after eleven days: %+v", f)
	}
	w.pass(6 * 24 * time.Hour) // and that it was resumed
	if f := walk(); f.Expired < 1 || f.Gone < 2 || len(f.Broken) > 0 {
		t.Errorf("after seventeen days: %+v", f)
	}
	if err := os.RemoveAll(filepath.Join(vaultDir(dir), "checkpoints")); err != nil {
		t.Fatal(err)
	}
	f := walk()
	if f.Expired+f.Gone > 0 || len(f.Broken) < 3 || f.Broken[0].Seq != 1 {
		t.Errorf("without checkpoints: %+v", f)
	}
}
