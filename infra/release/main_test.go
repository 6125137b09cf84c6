package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// try runs a command at the top of the repository, as people do.
func try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	t.Chdir("../..")
	var out, log bytes.Buffer
	err := run(t.Context(), args, &out, &log)
	return out.String() + log.String(), err
}

// Who mistypes is told what to type, before anything is built.
func TestWhatIsMistypedIsRefused(t *testing.T) {
	for _, c := range []struct {
		args string
		says string
	}{
		{"", "say what to do"},
		{"publish", "there is no command"},
		{"template", "VERSION=1.2.3"},
		{"template -version 1.2.3", "BUCKET="},
		{"template -version 1.2.3 -bucket rightsdesk-111122223333 -key no-such-key.pem", "no-such-key.pem"},
		{"verify docs", "-key FILE"},
		{"verify -unsigned", "give the folder"},
		{"verify -unsigned docs", "1 problems"},
		{"upgrade one.json", "give the template"},
		{"adopt", "give the template"},
		{"adopt " + golden + " StateTable", "NAME=PHYSICAL-ID"},
		{"adopt " + golden + " StateTable=x", "without it the next update makes an empty one"},
		{"replace " + golden, "give the template"},
		{"replace " + golden + " Nothing=x", "no table of this template"},
	} {
		t.Run(c.args, func(t *testing.T) {
			if _, err := try(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("release %s says %v, want %q", c.args, err, c.says)
			}
		})
	}
}

func TestAnUpgradeToTheSameLosesNothing(t *testing.T) {
	out, err := try(t, "upgrade", golden, golden)
	if err != nil || !strings.Contains(out, "Nothing that holds something") {
		t.Errorf("it says %s, %v", out, err)
	}
}

// An upgrade that would empty a table does not end well, so that CI stops at it.
func TestAnUpgradeThatLosesSomethingFails(t *testing.T) {
	b, err := os.ReadFile("../../" + golden)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "new.json")
	if err := os.WriteFile(other, bytes.Replace(b, []byte(`"AttributeName": "p",`), []byte(`"AttributeName": "partition",`), 8), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := try(t, "upgrade", golden, other)
	if err == nil || !strings.Contains(out, "REPLACED") {
		t.Errorf("it says %s, %v", out, err)
	}
}

func TestWhatIsWrittenCanBeReadBack(t *testing.T) {
	dir := t.TempDir()
	out, err := try(t, "replace", "-out", dir, golden, "KeysTable=restored")
	if err != nil || !strings.Contains(out, "1 tables to replace") {
		t.Fatalf("it says %s, %v", out, err)
	}
	// Letting go of a table is what an upgrade warns of.
	if out, err := try(t, "upgrade", filepath.Join(dir, "2-take-in.json"), filepath.Join(dir, "1-let-go.json")); err == nil || !strings.Contains(out, "LEFT      KeysTable") {
		t.Errorf("it says %s, %v", out, err)
	}
}

func TestTheDocumentsAreChecked(t *testing.T) {
	if out, err := try(t, "docs", "-check"); err != nil {
		t.Errorf("it says %s, %v", out, err)
	}
	if _, err := try(t, "docs", "-check", "-out", t.TempDir()); err == nil {
		t.Error("documents that are not there are taken for right")
	}
}
