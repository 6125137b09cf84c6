package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/embedded"
)

// looked is what doctor says about a folder, at a port that nobody has.
func looked(t *testing.T, args ...string) (string, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = doctorCommand(t.Context(), append([]string{"-listen", address}, args...), &out)
	return out.String(), err
}

// stopped is a folder of a run in which something was asked for, and that has ended.
func stopped(t *testing.T) *world {
	t.Helper()
	w := open(t)
	id := w.submit(submission("access", "ada@example.org"))
	w.reach(id, w.verify(id, "ada@example.org"), "fulfilled")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestDoctorFindsAHealthyRunHealthy(t *testing.T) {
	t.Parallel()
	w := stopped(t)
	said, err := looked(t, "-data", w.o.Dir)
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	for _, want := range []string{"✓ port", "✓ data", "✓ key ring", "✓ policy: version ", "✓ audit: ", " chains hold", "✓ mailbox"} {
		if !strings.Contains(said, want) {
			t.Errorf("doctor does not say %q:\n%s", want, said)
		}
	}
}

func TestDoctorFindsWhatIsBrokenOnALaptop(t *testing.T) {
	t.Parallel()
	store := func(w *world) *embedded.Store {
		s, err := embedded.Open(filepath.Join(w.o.Dir, "state.db"), w.Clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		breaks func(*testing.T, *world)
		says   string
	}{
		"the keys are gone": {func(t *testing.T, w *world) {
			t.Helper()
			if err := os.Remove(filepath.Join(w.o.Dir, "keys.json")); err != nil {
				t.Fatal(err)
			}
		}, "✗ database, keys and policy: read the key ring"},
		"others may read it": {func(t *testing.T, w *world) {
			t.Helper()
			if err := os.Chmod(w.o.Dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "✗ data: others on this machine may look into"},
		"an entry of the audit stands where none follows": {func(t *testing.T, w *world) {
			t.Helper()
			s := store(w)
			defer s.Close()
			skipAnEntry(t, s)
		}, "✗ audit: "},
		"the mailbox cannot be read": {func(t *testing.T, w *world) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(w.o.Dir, "mailbox.db"), bytes.Repeat([]byte("no database"), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "✗ mailbox"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stopped(t)
			c.breaks(t, w)
			said, err := looked(t, "-data", w.o.Dir)
			if !errors.Is(err, errTrouble) || !strings.Contains(said, c.says) {
				t.Errorf("%v: want %q\n%s", err, c.says, said)
			}
		})
	}
}

// skipAnEntry puts an entry behind one that is not there, as whoever has the file can.
func skipAnEntry(t *testing.T, s *embedded.Store) {
	t.Helper()
	page, err := s.Scan(t.Context(), table.Scan{Table: table.Audit})
	if err != nil || len(page.Items) == 0 {
		t.Fatalf("%v, %d entries", err, len(page.Items))
	}
	e, err := audit.Decode(page.Items[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	e.Seq += 100
	it := table.Item{Key: table.Key{Partition: e.Chain, Sort: fmt.Sprintf("%012d", e.Seq)}, Body: e.Encode(), Schema: 1}
	if err := s.Commit(t.Context(), table.NewID(), table.Put(table.Audit, it, table.New)); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorNotesWhatWaitsAndWhatRuns(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *options) { o.NoHints = true })
	w.submit(submission("access", "ada@example.org"))
	said, err := looked(t, "-data", w.o.Dir)
	if !errors.Is(err, errTrouble) || !strings.Contains(said, "stop it first") {
		t.Errorf("of a run that goes on: %v\n%s", err, said)
	}
	var out bytes.Buffer
	if err := doctorCommand(t.Context(), []string{"-listen", strings.TrimPrefix(w.URL, "http://")}, &out); !errors.Is(err, errTrouble) || !strings.Contains(out.String(), "✗ port: somebody listens") {
		t.Errorf("of a port that is taken: %v\n%s", err, out.String())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Clock.to(w.Clock.Now().Add(5 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if said, err := looked(t, "-data", w.o.Dir); err != nil || !strings.Contains(said, "– due-index: ") {
		t.Errorf("of work that waits: %v\n%s", err, said)
	}
}

func TestDoctorOfNothingSaysWhatToDo(t *testing.T) {
	t.Parallel()
	if said, err := looked(t, "-data", filepath.Join(t.TempDir(), "none")); err != nil || !strings.Contains(said, "make run makes it") {
		t.Errorf("%v\n%s", err, said)
	}
	for _, args := range [][]string{{"here"}, {"-colour"}} {
		if _, err := looked(t, args...); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}

func TestCommandsForAnAccountSayWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"teardown of nothing":         teardownCommand(t.Context(), nil, strings.NewReader(""), &bytes.Buffer{}),
		"teardown in two ways":        teardownCommand(t.Context(), []string{"-stack", "x", "-delete", "-purge"}, strings.NewReader(""), &bytes.Buffer{}),
		"sign-in to nothing":          signInCommand(t.Context(), nil, &bytes.Buffer{}, &bytes.Buffer{}),
		"sign-in without an audience": signInCommand(t.Context(), []string{"-issuer", "https://id.example.com"}, &bytes.Buffer{}, &bytes.Buffer{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "usage: go run ./infra/local") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
