package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/operate"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/embedded"
)

// everything makes a run hold something of nearly every kind that there is.
func everything(w *world) {
	a := openAPIPage(w)
	a.choices()
	a.closures()

	// And what would be over by now: it has to be under way when somebody leaves.
	const leo, mia, nora, ida = "leo@example.org", "mia@example.org", "nora@example.org", "ida@example.org"
	w.live("acc-ida", ida, map[string]any{"name": "Ida"})
	w.had("shop", "acc-ida", "orders", "order-1", 24*time.Hour)
	erasure := w.submit(submission("erasure", ida))
	w.verify(erasure, ida)
	w.pass(8 * 24 * time.Hour)
	a.fulfilled(erasure)
	id := w.submit(submission("access", leo))
	w.verify(id, leo)
	ask := w.submit(submission("objection", nora))
	token := w.verify(ask, nora)
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+ask+"/messages", map[string]string{"text": "Which orders, Nora?", "cause": "clarification"}, w.operator())
	w.must(http.StatusOK, "POST", "/v1/requests/"+ask+"/messages", map[string]any{
		"text": "The ones of March.", "files": []any{map[string]string{"name": "orders.txt", "content": base64.StdEncoding.EncodeToString([]byte("order 1102\n"))}},
	}, bearerOf(token))
	w.close(mia)
	w.must(http.StatusAccepted, "POST", "/v1/closures", map[string]any{"email": leo})
	w.call("POST", "/v1/consents", w.choice(byMail(mia), "newsletter", "granted"))
	w.call("POST", "/v1/preferences/links", map[string]any{"email": mia})
	w.happens("account.opened", account("acc-1001"), nil)
}

// exported is a line of the export.
type exported struct {
	Key, Sort string
	Body      map[string]any
	Personal  map[string]any
	Chain     string
	Seq       int64
}

// lines returns every line of an export, by file.
func lines(t *testing.T, dir string) map[string][]exported {
	t.Helper()
	all := map[string][]exported{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".ndjson" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		for l := range bytes.Lines(b) {
			var v exported
			if err := json.Unmarshal(l, &v); err != nil {
				t.Errorf("%s holds a line that is no JSON: %.100s", name, l)
			}
			all[name] = append(all[name], v)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhoLeavesTakesEverythingAlong counts every item of a run by itself, and looks for
// each in the export.
func TestWhoLeavesTakesEverythingAlong(t *testing.T) {
	t.Parallel()
	w := open(t, withAppeals(t))
	everything(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	var said bytes.Buffer
	if err := leaveCommand(t.Context(), []string{"-data", w.o.Dir, "-out", dir, "-policy", w.o.PolicyFile}, &said); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var left operate.Left
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &left); err != nil {
		t.Fatal(err)
	}
	all := lines(t, dir)

	store, err := embedded.Open(filepath.Join(w.o.Dir, "state.db"), w.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	out, entries := map[string]bool{}, map[string]bool{}
	for name, list := range all {
		for _, l := range list {
			switch {
			case name == "audit/entries.ndjson":
				entries[fmt.Sprintf("%s %012d", l.Chain, l.Seq)] = true
			case l.Key != "":
				out[l.Key+" "+l.Sort] = true
			}
		}
	}
	reasons := map[string]int{}
	for _, o := range left.LeftOut {
		if len(o.Why) < 20 {
			t.Errorf("%s is left out without a reason", o.Kind)
		}
		reasons[o.Kind] = o.Items
	}
	found, missing, kinds := 0, map[string]int{}, map[string]bool{}
	each(t, store, table.State, func(it table.Item) {
		found++
		kind, _, _ := strings.Cut(it.Key.Partition, "#")
		kinds[kind] = true
		if out[it.Key.Partition+" "+it.Key.Sort] || kind == "policy" && strings.HasPrefix(it.Key.Sort, "file#") {
			return
		}
		missing[kind]++
	})
	each(t, store, table.Keys, func(table.Item) { found++ })
	each(t, store, table.Audit, func(it table.Item) {
		if !entries[it.Key.Partition+" "+it.Key.Sort] {
			t.Errorf("the entry %s %s was left behind", it.Key.Partition, it.Key.Sort)
		}
	})
	for kind, n := range missing {
		listed := 0
		for why, items := range reasons {
			if strings.HasPrefix(why, "state "+kind) {
				listed += items
			}
		}
		if listed != n {
			t.Errorf("%d items of %s are not in the export, of which %d are listed with a reason", n, kind, listed)
		}
	}
	if found != left.Items {
		t.Errorf("the manifest counts %d items, there are %d", left.Items, found)
	}
	for _, kind := range []string{"request", "consent", "wording", "closure", "closing", "life", "holds", "held", "fence", "claim", "erased", "salts", "sweep", "replay", "halt", "intake", "operator", "digest", "limit", "asker", "closer"} {
		if !kinds[kind] {
			t.Errorf("this run holds no %s: it proves nothing about it", kind)
		}
	}
	checkSums(t, dir, left)
	inClear(t, all, "leo@example.org", "nora@example.org", "The ones of March.", "mia@example.org", "acc-1001")
	files, _ := filepath.Glob(filepath.Join(dir, "files", "*", "*"))
	if len(files) != 1 {
		t.Errorf("%d attached files were exported", len(files))
	} else if b, _ := os.ReadFile(files[0]); string(b) != "order 1102\n" {
		t.Errorf("the attached file reads %q", b)
	}
	if certificates, _ := filepath.Glob(filepath.Join(dir, "certificates", "*.jws")); len(certificates) == 0 {
		t.Error("no certificate was exported")
	} else if err := certificateCommand([]string{"verify", certificates[0], "-jwks", filepath.Join(dir, "jwks.json")}, &said); err != nil {
		t.Error(err)
	}
	if left.Chains.Entries != len(entries) || left.Chains.Chains < 10 {
		t.Errorf("the manifest counts %+v, there are %d entries", left.Chains, len(entries))
	}
	identifiers(t, w, dir, all)
	t.Logf("%d items of %d kinds, %d entries in %d chains, %d files\n%s", found, len(kinds), left.Chains.Entries, left.Chains.Chains, len(left.Files), said.String())
}

func each(t *testing.T, store table.Table, name table.Name, visit func(table.Item)) {
	t.Helper()
	for cursor := ""; ; {
		page, err := store.Scan(t.Context(), table.Scan{Table: name, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			visit(it)
		}
		if cursor = page.Cursor; cursor == "" {
			return
		}
	}
}

// inClear expects values in clear, and nothing that is sealed still.
func inClear(t *testing.T, all map[string][]exported, values ...string) {
	t.Helper()
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if !bytes.Contains(text, []byte(v)) {
			t.Errorf("%q is not in clear in the export", v)
		}
	}
	for name, list := range all {
		for _, l := range list {
			walkStrings(l.Body, func(at, s string) {
				if b, err := base64.StdEncoding.DecodeString(s); err == nil && len(b) >= 31 && b[0] == 1 && b[1] == 1 && b[2] > 0 && b[2] < 8 {
					t.Errorf("%s: %s of %s is still sealed", name, at, l.Key)
				}
			})
		}
	}
}

func walkStrings(v any, visit func(at, s string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if s, ok := e.(string); ok {
				visit(k, s)
			}
			walkStrings(e, visit)
		}
	case []any:
		for _, e := range v {
			walkStrings(e, visit)
		}
	}
}

func checkSums(t *testing.T, dir string, left operate.Left) {
	t.Helper()
	var listed []string
	for _, f := range left.Files {
		listed = append(listed, f.Name)
		b, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil || int64(len(b)) != f.Bytes || fmt.Sprintf("%x", sumOf(b)) != f.SHA256 {
			t.Errorf("%s is not as the manifest says: %v", f.Name, err)
		}
		if info, err := os.Stat(filepath.Join(dir, f.Name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others may read %s", f.Name)
		}
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err == nil && !d.IsDir() && name != "manifest.json" && !slices.Contains(listed, filepath.ToSlash(name)) {
			t.Errorf("%s is not in the manifest", name)
		}
		return err
	})
}

// identifiers makes an identifier as docs/leaving.md tells it, with what was exported
// alone, and finds whose it is.
func identifiers(t *testing.T, w *world, dir string, all map[string][]exported) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "identifiers.key.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Key []byte }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	made := identifierOf(file.Key, "email", "mia@example.org")
	if want := w.Requests.Keys.Ring.Identifier(personal.MakeIdentity(personal.KindEmail, "mia@example.org")); made != string(want) {
		t.Errorf("made by the book the identifier is %s, want %s", made, want)
	}
	if !slices.ContainsFunc(all["state/consents.ndjson"], func(l exported) bool { return l.Key == "consent#"+made }) {
		t.Error("what somebody chose is not found by their address")
	}
}

func TestLeaveRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := open(t)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing at all":        {nil, "usage"},
		"no folder to write to": {[]string{"-data", full}, "usage"},
		"two installations":     {[]string{"-data", full, "-stack", "x", "-out", "y"}, "usage"},
		"no data":               {[]string{"-data", full, "-out", "y"}, "there is nothing in"},
		"one that runs":         {[]string{"-data", w.o.Dir, "-out", filepath.Join(full, "y")}, "stop it first"},
	} {
		err := leaveCommand(t.Context(), c.args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := leaveCommand(t.Context(), []string{"-data", w.o.Dir, "-out", full}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder with something in it: %v", err)
	}
}
