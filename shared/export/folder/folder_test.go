package folder_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/export"
	"rightsdesk/shared/export/exporttest"
	"rightsdesk/shared/export/folder"
)

var (
	secret = []byte("a key for tests only")
	noon   = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
)

// clock is a clock that is turned by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// open returns a store in a directory of its own, and a server of its links.
func open(t *testing.T, dir string, now func() time.Time) *folder.Store {
	t.Helper()
	var s *folder.Store
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s, err := folder.New(dir, server.URL+"/", secret, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAFolderKeepsTheContract(t *testing.T) {
	t.Parallel()
	c := &clock{now: noon}
	exporttest.Run(t, exporttest.Options{
		New:    func(t *testing.T) export.Store { t.Helper(); return open(t, t.TempDir(), c.Now) },
		Client: http.DefaultClient, Now: c.Now, Sleep: c.Sleep,
	})
}

func TestOddKeysAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, (&clock{now: noon}).Now)
	for name, key := range map[string]string{
		"nothing": "", "a way up": "../x", "a way up inside": "r1/../../x", "an absolute path": "/x", "an empty part": "r1//x", "a folder": "r1/",
		"a hidden file": "r1/.x", "where drafts are": ".temp/x", "a backslash": "r1\\x", "a drive": "c:x", "a zero byte": "x\x00", "a folder's mark": "r1~/x",
		"a part no file system takes": strings.Repeat("x", 201),
	} {
		if err := s.Put(t.Context(), key, strings.NewReader("x"), 1); err == nil {
			t.Errorf("%s: Put was accepted", name)
		}
		if _, err := s.Sign(t.Context(), key, "x", noon, time.Minute); err == nil {
			t.Errorf("%s: Sign was accepted", name)
		}
		if err := s.Delete(t.Context(), key); err == nil {
			t.Errorf("%s: Delete was accepted", name)
		}
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("files were left behind: %v", left)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestASymbolicLinkLeadsNowhere(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "x"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, (&clock{now: noon}).Now)
	if err := os.Symlink(outside, filepath.Join(dir, "r1~")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "r1/x"); err == nil {
		t.Error("an object outside of the directory was read")
	}
	if err := s.Put(t.Context(), "r1/y", strings.NewReader("x"), 1); err == nil {
		t.Error("an object was put outside of the directory")
	}
}

func TestNothingIsLeftOfWhatFailedOrIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, (&clock{now: noon}).Now)
	if err := s.Put(t.Context(), "r1/a/b", strings.NewReader("too long"), 3); err == nil {
		t.Error("a body that is too long was put")
	}
	if err := s.Put(t.Context(), "r1/a/b", strings.NewReader("abc"), 3); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "r1/a/b"); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("files were left behind: %v", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "r1~")); err == nil {
		t.Error("an empty folder was left behind")
	}
}

func TestWhatADeadProcessWasWritingIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".temp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".temp", "half"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, (&clock{now: noon}).Now)
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("files were left behind: %v", left)
	}
}

func TestALinkAnswersUntilItsTimeAndThenIsGone(t *testing.T) {
	t.Parallel()
	c := &clock{now: noon}
	s := open(t, t.TempDir(), c.Now)
	if err := s.Put(t.Context(), "r1/package.zip", strings.NewReader("PK"), 2); err != nil {
		t.Fatal(err)
	}
	link, err := s.Sign(t.Context(), "r1/package.zip", "your data.zip", noon, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(link, "/local/storage/r1/package.zip?") || strings.Contains(link, "//local") {
		t.Errorf("the link is %s", link)
	}
	answer := func(method, url string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, url, http.NoBody))
		return w
	}
	w := answer(http.MethodGet, link)
	for header, want := range map[string]string{
		"Content-Disposition": `attachment; filename="your data.zip"`, "Cache-Control": "private, no-store", "Content-Type": "application/zip",
		"X-Content-Type-Options": "nosniff", "Content-Length": "2", "Referrer-Policy": "no-referrer",
	} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %s, want %s", header, got, want)
		}
	}
	steps := []struct {
		name, method, url string
		after             time.Duration
		want              int
	}{
		{"at once", http.MethodGet, link, 0, http.StatusOK},
		{"its headers alone", http.MethodHead, link, 0, http.StatusOK},
		{"to change it", http.MethodPost, link, 0, http.StatusMethodNotAllowed},
		{"prolonged by hand", http.MethodGet, strings.Replace(link, "until=1", "until=2", 1), 0, http.StatusForbidden},
		{"without a signature", http.MethodGet, "/local/storage/r1/package.zip", 0, http.StatusForbidden},
		{"a second before its end", http.MethodGet, link, 59 * time.Second, http.StatusOK},
		{"at its end", http.MethodGet, link, time.Second, http.StatusGone},
	}
	for _, step := range steps {
		c.Sleep(step.after)
		if w := answer(step.method, step.url); w.Code != step.want {
			t.Errorf("%s: %d, want %d", step.name, w.Code, step.want)
		}
	}
	fresh, err := s.Sign(t.Context(), "r1/package.zip", "x.zip", c.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "r1/package.zip"); err != nil {
		t.Fatal(err)
	}
	if w := answer(http.MethodGet, fresh); w.Code != http.StatusGone {
		t.Errorf("a good link to a package that was deleted: %d, want 410", w.Code)
	}
}

// Were the parts signed without their lengths, the 9 that a file name begins with
// could become the last digit of the time, and the link live for 500 years.
func TestNoCharacterMovesFromOnePartOfALinkToTheNext(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), (&clock{now: noon}).Now)
	if err := s.Put(t.Context(), "r1/package.zip", strings.NewReader("PK"), 2); err != nil {
		t.Fatal(err)
	}
	link, err := s.Sign(t.Context(), "r1/package.zip", "9.zip", noon, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	until := strconv.FormatInt(noon.Add(time.Minute).Unix(), 10)
	moved := strings.NewReplacer("name=9.zip", "name=.zip", "until="+until, "until="+until+"9").Replace(link)
	if moved == link {
		t.Fatalf("the link %s holds neither", link)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, moved, http.NoBody))
	if w.Code != http.StatusForbidden {
		t.Errorf("%s answers %d, want 403", moved, w.Code)
	}
}

func TestWhatCannotBeSigned(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), (&clock{now: noon}).Now)
	for _, name := range []string{"", "a/b.zip", "a\r\nSet-Cookie: x"} {
		if link, err := s.Sign(t.Context(), "r1/package.zip", name, noon, time.Minute); err == nil {
			t.Errorf("the file name %q was signed: %s", name, link)
		}
	}
	if _, err := folder.New(t.TempDir(), "http://127.0.0.1", []byte("short"), time.Now); err == nil {
		t.Error("a short key was accepted")
	}
}
