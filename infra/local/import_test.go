package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// importer runs `consent import` on a text.
func (w *world) imports(text string, args ...string) (out string, err error) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "choices")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	var told, progress bytes.Buffer
	err = consentCommand(w.t.Context(), append([]string{"import", file, "-url", w.URL}, args...), &told, &progress)
	return told.String(), err
}

// TestImportDoesWhatThePageSays runs the example of docs/apps.md.
func TestImportDoesWhatThePageSays(t *testing.T) {
	w := open(t)
	t.Setenv("RIGHTSDESK_OPERATOR_KEY", w.OperatorKey)
	page, err := os.ReadFile("../../docs/apps.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "$ cat choices.csv\n")
	file, rest, _ := strings.Cut(rest, "$ export")
	_, rest, _ = strings.Cut(rest, "choices.csv -dry-run\n")
	want, _, ok := strings.Cut(rest, "$ ")
	if !ok {
		t.Fatal("docs/apps.md has no example of an import any more")
	}
	for range 2 { // a dry run changes nothing
		if got, err := w.imports(file, "-dry-run"); err != nil || got != want {
			t.Errorf("it says\n%s%v, the page\n%s", got, err, want)
		}
	}
	if got, err := w.imports(file); err != nil || !strings.HasSuffix(got, "\n3 lines: 3 taken, 0 known, 0 older, 0 refused.\n") {
		t.Errorf("%s%v", got, err)
	}
	w.may(true, "consent", byMail("ada@example.org"), "newsletter")
	w.may(false, "complaint", byMail("grace@example.net"), "newsletter")
	w.may(false, "denied", account("acc-1001"), "analytics")
	if got, err := w.imports(file); err != nil || !strings.HasSuffix(got, "\n3 lines: 0 taken, 3 known, 0 older, 0 refused.\n") {
		t.Errorf("once more: %s%v", got, err)
	}
	w.silent("ada@example.org", "grace@example.net", "acc-1001", w.OperatorKey)
}

func TestALineThatCannotBeUsedHoldsUpNoOther(t *testing.T) {
	w := open(t)
	t.Setenv("RIGHTSDESK_OPERATOR_KEY", w.OperatorKey)
	good := func(n int) string {
		return fmt.Sprintf(`{"subject":{"type":"account","value":"acc-%d"},"purpose":"analytics","choice":"denied","at":"2025-12-01"}`, n)
	}
	lines := []string{good(0), "", `{"subject":{"type":"account","value":"x"},"purpose":"analytics","choice":"denied","at":"2025-12-01","colour":"red"}`, "no JSON", "[]", good(1), `{"purpose":1}`, "\xff"}
	for n := range 250 {
		lines = append(lines, good(n+2))
	}
	got, err := w.imports("\uFEFF" + strings.Join(lines, "\n"))
	if err == nil || !strings.Contains(err.Error(), "5 of 257 lines were refused") {
		t.Errorf("err = %v", err)
	}
	for _, want := range []string{
		"line 1: taken\n", "line 3: refused: /lines/1/colour is not a known field\n", "line 4: refused: it is not one JSON object", "line 5: refused",
		"line 6: taken\n", "line 7: refused: /lines/2/purpose must be", "line 8: refused", "line 258: taken\n",
		"257 lines: 252 taken, 0 known, 0 older, 5 refused.\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q but\n%.1500s", want, got)
		}
	}
	if strings.Contains(got, "line 2:") {
		t.Error("an empty line is one")
	}

	got, err = w.imports("type,value,purpose,choice,at\naccount,acc-1,analytics,withdrawn,2025-12-02\naccount,acc-2,analytics\n\"account\",\"acc-3\nx\",analytics,denied,2025-12-02\naccount,acc-4,analytics,withdrawn,2025-11-30\n")
	for _, want := range []string{"line 2: taken\n", "line 3: refused: it has another number of cells", "line 4: taken\n", "line 6: older\n"} {
		if err == nil || !strings.Contains(got, want) {
			t.Errorf("%v: it does not say %q but\n%s", err, want, got)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"an empty file":     {"", "is empty"},
		"a column too many": {"type,value,colour\n", "a column that is not known"},
		"a column twice":    {"type,value,type\n", "or twice"},
	} {
		if _, err := w.imports(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.imports(good(1), "more"); err == nil {
		t.Error("two files were taken for one")
	}
	t.Setenv("RIGHTSDESK_OPERATOR_KEY", "another")
	if _, err := w.imports(good(1)); err == nil || !strings.Contains(err.Error(), "sign_in") {
		t.Errorf("without the key: %v", err)
	}
	t.Setenv("RIGHTSDESK_OPERATOR_KEY", "")
	if _, err := w.imports(good(1)); err == nil || !strings.Contains(err.Error(), "RIGHTSDESK_OPERATOR_KEY") {
		t.Errorf("without a key: %v", err)
	}
}
