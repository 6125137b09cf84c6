package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A file that nobody has committed is built as well, if it lies where code does.
func TestTheProvenanceSaysWhetherTheSourceIsTheCommits(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		args = append([]string{"-c", "user.name=n", "-c", "user.email=n@example.org"}, args...)
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write("go.sum")
	write("shared/a.go")
	git("init", "-q")
	git("add", "go.sum", "shared")
	git("commit", "-q", "-m", "begin")
	for _, c := range []struct {
		adds  string
		clean bool
	}{{"release.pem", true}, {"shared/b.go", false}} {
		write(c.adds)
		if s, err := source(t.Context()); err != nil || s.Commit == "" || s.Clean != c.clean {
			t.Errorf("with %s it says %+v, %v", c.adds, s, err)
		}
	}
}
