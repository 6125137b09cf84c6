// Package exporttest is the contract of export.Store as tests. Every store runs
// it: export/folder on a directory, export/s3 on an emulator or a real bucket.
// Only tests import it.
package exporttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/export"
)

// Options say what a store under test can do here.
type Options struct {
	// New returns a store that is empty, or whose keys no other test uses.
	New func(t *testing.T) export.Store
	// Client fetches what Sign returns. Nil: signed URLs are not fetched.
	Client *http.Client
	// Now is the clock by which the store judges whether a URL is still good, and
	// Sleep lets it pass. Nil: the machine's.
	Now   func() time.Time
	Sleep func(time.Duration)
}

// Run checks that a store keeps the contract of export.Store.
func Run(t *testing.T, o Options) {
	t.Helper()
	if o.Now == nil {
		o.Now, o.Sleep = time.Now, time.Sleep //nolint:forbidigo // a bucket judges links by the real clock
	}
	for name, test := range map[string]func(*testing.T, export.Store){
		"what was put is got":                            got,
		"a second put replaces the whole object":         replaced,
		"a put that fails leaves the old object":         failed,
		"a size that is not the body's is refused":       sized,
		"what is not there is absent":                    absent,
		"deleting takes many, and what is not there":     deleted,
		"a prefix is listed in order":                    listed,
		"more than a page is listed by cursors":          paged,
		"keys that leave the store reach nothing":        contained,
		"readers see an old or a new object, never both": whole,
	} {
		t.Run(name, func(t *testing.T) { test(t, o.New(t)) })
	}
	if o.Client == nil {
		return
	}
	t.Run("a signed link downloads under its file name", o.signed)
	t.Run("a signed link dies with its time", o.expired)
	t.Run("a changed link opens nothing", o.forged)
}

func put(t *testing.T, s export.Store, key, body string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(body), int64(len(body))); err != nil {
		t.Fatalf("Put(%s): %v", key, err)
	}
}

func get(ctx context.Context, s export.Store, key string) (string, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

func expect(t *testing.T, s export.Store, key, want string) {
	t.Helper()
	if b, err := get(t.Context(), s, key); err != nil || b != want {
		t.Errorf("Get(%s) = %.40q, %v; want %.40q", key, b, err, want)
	}
}

func expectAbsent(t *testing.T, s export.Store, key string) {
	t.Helper()
	if b, err := get(t.Context(), s, key); !errors.Is(err, export.ErrAbsent) {
		t.Errorf("Get(%s) = %.40q, %v; want ErrAbsent", key, b, err)
	}
}

func got(t *testing.T, s export.Store) {
	t.Helper()
	for key, body := range map[string]string{
		"r1/parts/shop/orders/000001": "{}\n",
		"r1/package.zip":              strings.Repeat("PK\x00\xff", 300_000),
		"r1/empty":                    "",
	} {
		put(t, s, key, body)
		expect(t, s, key, body)
	}
}

func replaced(t *testing.T, s export.Store) {
	t.Helper()
	put(t, s, "r1/package.zip", "the first, which is longer")
	put(t, s, "r1/package.zip", "the second")
	expect(t, s, "r1/package.zip", "the second")
}

func failed(t *testing.T, s export.Store) {
	t.Helper()
	put(t, s, "r1/package.zip", "the old one")
	body := io.MultiReader(strings.NewReader("the n"), brokenReader{})
	if err := s.Put(t.Context(), "r1/package.zip", body, 11); err == nil {
		t.Error("a body that broke off was put")
	}
	expect(t, s, "r1/package.zip", "the old one")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the reader broke off") }

func sized(t *testing.T, s export.Store) {
	t.Helper()
	for name, body := range map[string]string{"shorter": "abc", "longer": "abcdefgh"} {
		if err := s.Put(t.Context(), "r1/"+name, strings.NewReader(body), 5); err == nil {
			t.Errorf("a body %s than its size was put", name)
		}
		expectAbsent(t, s, "r1/"+name)
	}
}

func absent(t *testing.T, s export.Store) {
	t.Helper()
	expectAbsent(t, s, "r1/none")
	put(t, s, "r1/parts/shop/orders/000001", "{}")
	expectAbsent(t, s, "r1/parts/shop") // what looks like a folder is no object
}

func deleted(t *testing.T, s export.Store) {
	t.Helper()
	put(t, s, "r1/parts/a/b/000000", "1")
	put(t, s, "r1/parts/a/b/000001", "2")
	put(t, s, "r1/package.zip", "3")
	if err := s.Delete(t.Context(), "r1/parts/a/b/000000", "r1/none", "r1/parts/a/b/000001"); err != nil {
		t.Fatal(err)
	}
	expectAbsent(t, s, "r1/parts/a/b/000000")
	expectAbsent(t, s, "r1/parts/a/b/000001")
	expect(t, s, "r1/package.zip", "3")
	if err := s.Delete(t.Context(), "r1/parts/a/b/000000"); err != nil {
		t.Errorf("deleting again: %v", err)
	}
	if err := s.Delete(t.Context()); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	put(t, s, "r1/parts/a/b/000000", "again")
	expect(t, s, "r1/parts/a/b/000000", "again")
}

func all(t *testing.T, s export.Store, prefix string) []string {
	t.Helper()
	var keys []string
	for cursor := ""; ; {
		page, next, err := s.List(t.Context(), prefix, cursor)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > 1000 || next != "" && len(page) == 0 {
			t.Fatalf("a page of %d keys with the cursor %q", len(page), next)
		}
		keys = append(keys, page...)
		if next == "" {
			return keys
		}
		cursor = next
	}
}

func listed(t *testing.T, s export.Store) {
	t.Helper()
	keys := []string{"r1-a/x", "r1/a", "r1/a.b/c", "r1/a/b", "r1/a/b2", "r10/a", "r2/parts/a/b/000000"}
	for _, k := range slices.Backward(keys) {
		put(t, s, k, "x")
	}
	for prefix, want := range map[string][]string{
		"":                    keys,
		"r1":                  keys[:6],
		"r1/":                 keys[1:5],
		"r1/a":                keys[1:5],
		"r1/a/":               keys[3:5],
		"r1/a/b":              keys[3:5],
		"r2/parts/a/b/":       keys[6:],
		"r2/parts/a/b/000000": keys[6:],
		"r3":                  nil,
		"r1/none/":            nil,
	} {
		if prefix == "" && len(all(t, s, "")) != len(keys) {
			continue // the store is shared with other tests
		}
		if got := all(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("List(%q) = %v, want %v", prefix, got, want)
		}
	}
}

func paged(t *testing.T, s export.Store) {
	t.Helper()
	const n = 1203
	var want []string
	for i := range n {
		want = append(want, export.PartKey("r1", "logs", "visits", i))
		put(t, s, want[i], "")
	}
	if got := all(t, s, "r1/parts/"); !slices.Equal(got, want) {
		t.Errorf("%d keys are listed, want %d", len(got), n)
	}
}

// contained does not ask that such a key is refused: to a bucket it is a name
// like any other. It must not be another way to somebody's object.
func contained(t *testing.T, s export.Store) {
	t.Helper()
	put(t, s, "r2/package.zip", "somebody's")
	for _, key := range []string{
		"", ".", "..", "/", "../r2/package.zip", "r1/../r2/package.zip", "/r2/package.zip", "r2//package.zip", "r2/./package.zip",
		"r2/package.zip/", "r2\\package.zip", "r1\\..\\..\\r2/package.zip", "r2/package.zip\x00", "r1/../../etc/passwd", "/etc/passwd", "R2/package.zip ",
	} {
		if b, err := get(t.Context(), s, key); err == nil {
			t.Errorf("Get(%q) found %.40q", key, b)
		}
		_ = s.Put(t.Context(), key, strings.NewReader("x"), 1) // may be refused
		_ = s.Delete(t.Context(), key)
	}
	expect(t, s, "r2/package.zip", "somebody's")
}

func whole(t *testing.T, s export.Store) {
	t.Helper()
	const size = 200_000
	body := func(i int) string { return strings.Repeat("abcdefghijklmnopqrst"[i:i+1], size) }
	put(t, s, "r1/package.zip", body(0))
	done := make(chan error, 1)
	go func() {
		for i := range 20 {
			b := body(i)
			if err := s.Put(context.WithoutCancel(t.Context()), "r1/package.zip", strings.NewReader(b), size); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		b, err := get(t.Context(), s, "r1/package.zip")
		if err != nil || len(b) != size || strings.Count(b, b[:1]) != size {
			t.Fatalf("a reader saw %d bytes that are not one object, %v", len(b), err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}

// life is how long a link of these tests is good.
const life = 2 * time.Second

// fetch returns status, headers and body of what a URL leads to.
func (o Options) fetch(t *testing.T, url string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := o.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, b
}

func (o Options) signed(t *testing.T) {
	t.Helper()
	s := o.New(t)
	body := strings.Repeat("PK\x00\xff", 100_000)
	put(t, s, "r1/package.zip", body)
	url, err := s.Sign(t.Context(), "r1/package.zip", "vos données.zip", o.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status, header, b := o.fetch(t, url)
	if status != http.StatusOK || !bytes.Equal(b, []byte(body)) {
		t.Errorf("%d and %d bytes, want 200 and %d", status, len(b), len(body))
	}
	disposition := header.Get("Content-Disposition")
	if !strings.HasPrefix(disposition, "attachment") || !strings.Contains(disposition, "vos%20donn%C3%A9es.zip") {
		t.Errorf("Content-Disposition: %s", disposition)
	}
	if cache := header.Get("Cache-Control"); !strings.Contains(cache, "no-store") {
		t.Errorf("Cache-Control: %s", cache)
	}
}

func (o Options) expired(t *testing.T) {
	t.Helper()
	s := o.New(t)
	put(t, s, "r1/package.zip", "secret")
	url, err := s.Sign(t.Context(), "r1/package.zip", "package.zip", o.Now(), life)
	if err != nil {
		t.Fatal(err)
	}
	o.Sleep(life + time.Second)
	if status, _, b := o.fetch(t, url); status < 400 || bytes.Contains(b, []byte("secret")) {
		t.Errorf("after its time the link answers %d %q", status, b)
	}
}

func (o Options) forged(t *testing.T) {
	t.Helper()
	s := o.New(t)
	put(t, s, "r1/package.zip", "mine")
	put(t, s, "r2/package.zip", "secret")
	url, err := s.Sign(t.Context(), "r1/package.zip", "package.zip", o.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	bare, query, _ := strings.Cut(url, "?")
	changed := []string{strings.Replace(bare, "r1", "r2", 1) + "?" + query, strings.Replace(bare, "r1", "r2", 1), bare}
	for i, parameter := range strings.Split(query, "&") {
		rest := slices.Delete(strings.Split(query, "&"), i, i+1)
		changed = append(changed,
			bare+"?"+strings.Join(rest, "&"),
			fmt.Sprintf("%s?%s&%s1", bare, strings.Join(rest, "&"), parameter))
	}
	for _, u := range changed {
		if status, _, b := o.fetch(t, u); status < 400 {
			t.Errorf("%s answers %d %q", u, status, b)
		}
	}
}
