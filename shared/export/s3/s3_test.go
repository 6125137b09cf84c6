package s3_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/export"
	"rightsdesk/shared/export/s3"
)

// bucket answers like S3 as far as the store goes, and fails when told to.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	calls   int
	// fault, if set, decides about the n-th call, from 1: whether it takes effect,
	// and the status to answer instead, 0 for none, -1 for a lost answer.
	fault func(n int, r *http.Request) (apply bool, status int)
	// locked objects cannot be deleted; broken ones break off while they are read.
	locked, broken string
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.fault != nil {
		apply, status := b.fault(b.calls, r)
		if status != 0 {
			if apply {
				b.serve(httptest.NewRecorder(), r)
			}
			if status < 0 {
				panic(http.ErrAbortHandler)
			}
			problem(w, status, map[int]string{503: "SlowDown", 403: "AccessDenied", 404: "NoSuchBucket"}[status])
			return
		}
	}
	b.serve(w, r)
}

func problem(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func (b *bucket) serve(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/packages/")
	switch {
	case r.Method == http.MethodPut:
		body, err := io.ReadAll(r.Body)
		sum := sha256.Sum256(body)
		if err != nil || r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
			problem(w, http.StatusBadRequest, "BadDigest")
			return
		}
		b.objects[key] = body
	case r.Method == http.MethodPost:
		b.delete(w, r)
	case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		b.list(w, r)
	case b.objects[key] == nil:
		problem(w, http.StatusNotFound, "NoSuchKey")
	case key == b.broken:
		w.Header().Set("Content-Length", strconv.Itoa(len(b.objects[key])))
		_, _ = w.Write(b.objects[key][:1])
	default:
		_, _ = w.Write(b.objects[key])
	}
}

func (b *bucket) delete(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Object []struct{ Key string }
	}
	if err := xml.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Object) > 1000 {
		problem(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	_, _ = io.WriteString(w, "<DeleteResult>")
	for _, o := range in.Object {
		if o.Key == b.locked {
			_, _ = fmt.Fprintf(w, "<Error><Key>%s</Key><Code>AccessDenied</Code></Error>", o.Key)
			continue
		}
		delete(b.objects, o.Key)
	}
	_, _ = io.WriteString(w, "</DeleteResult>")
}

func (b *bucket) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	_, _ = io.WriteString(w, "<ListBucketResult>")
	n := 0
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if !strings.HasPrefix(key, q.Get("prefix")) || key <= q.Get("continuation-token") {
			continue
		}
		_, _ = fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", key)
		if n++; n == 3 { // a small page, to see more than one
			_, _ = fmt.Fprintf(w, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", key)
			break
		}
	}
	_, _ = io.WriteString(w, "</ListBucketResult>")
}

func open(t *testing.T, b *bucket) *s3.Store {
	t.Helper()
	b.objects = map[string][]byte{}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	return s3.New(aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &srv.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}, "packages")
}

func put(t *testing.T, s *s3.Store, key, body string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(body), int64(len(body))); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *s3.Store, key string) (string, error) {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	return string(b), err
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := open(t, &bucket{})
	put(t, s, "r1/parts/shop/000001", "old")
	put(t, s, "r1/parts/shop/000001", "new")
	if got, err := get(t, s, "r1/parts/shop/000001"); got != "new" || err != nil {
		t.Errorf("Get = %q, %v", got, err)
	}
	if err := s.Delete(t.Context(), "r1/parts/shop/000001", "never/there"); err != nil {
		t.Error(err)
	}
	if _, err := get(t, s, "r1/parts/shop/000001"); !errors.Is(err, export.ErrAbsent) {
		t.Errorf("after Delete: %v, want ErrAbsent", err)
	}
	if err := s.Delete(t.Context()); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	s := open(t, &bucket{})
	for i := range 7 {
		put(t, s, fmt.Sprintf("r1/%d", i), "x")
	}
	put(t, s, "r2/0", "x")
	var all []string
	cursor, pages := "", 0
	for {
		keys, next, err := s.List(t.Context(), "r1/", cursor)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, keys...)
		pages++
		if next == "" {
			break
		}
		cursor = next
	}
	if len(all) != 7 || pages != 3 || !slices.IsSorted(all) {
		t.Errorf("%d pages hold %v", pages, all)
	}
}

func TestDeleteBeyondOneCall(t *testing.T) {
	t.Parallel()
	b := &bucket{}
	s := open(t, b)
	keys := make([]string, 2500)
	for i := range keys {
		keys[i] = fmt.Sprintf("r1/%06d", i)
		b.objects[keys[i]] = []byte("x")
	}
	if err := s.Delete(t.Context(), keys...); err != nil {
		t.Fatal(err)
	}
	if len(b.objects) != 0 || b.calls != 3 {
		t.Errorf("%d objects are left after %d calls", len(b.objects), b.calls)
	}
}

// The service answers 200 to a call that deleted all but one.
func TestDeleteNoticesWhatStayed(t *testing.T) {
	t.Parallel()
	s := open(t, &bucket{locked: "r1/b"})
	for _, key := range []string{"r1/a", "r1/b", "r1/c"} {
		put(t, s, key, "x")
	}
	err := s.Delete(t.Context(), "r1/a", "r1/b", "r1/c")
	if err == nil || !strings.Contains(err.Error(), "1 of 3") || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("err = %v", err)
	}
}

func TestLostAnswersAndThrottlesAreRepeated(t *testing.T) {
	t.Parallel()
	faults := map[string]func(int, *http.Request) (bool, int){
		"throttled twice":       func(n int, _ *http.Request) (bool, int) { return false, map[bool]int{true: 503}[n <= 2] },
		"done but told nothing": func(n int, _ *http.Request) (bool, int) { return true, map[bool]int{true: -1}[n <= 2] },
	}
	for name, fault := range faults {
		for op, call := range map[string]func(*s3.Store) error{
			"Put": func(s *s3.Store) error {
				return s.Put(t.Context(), "k", strings.NewReader("body"), 4)
			},
			"Put without Seek": func(s *s3.Store) error {
				return s.Put(t.Context(), "k", io.MultiReader(strings.NewReader("bo"), strings.NewReader("dy")), 4)
			},
			"Get": func(s *s3.Store) error {
				got, err := get(t, s, "there")
				if err == nil && got != "body" {
					return fmt.Errorf("it holds %q", got)
				}
				return err
			},
			"Delete": func(s *s3.Store) error { return s.Delete(t.Context(), "k") },
			"List":   func(s *s3.Store) error { _, _, err := s.List(t.Context(), "", ""); return err },
		} {
			b := &bucket{}
			s := open(t, b)
			b.objects["there"] = []byte("body")
			b.fault = fault
			if err := call(s); err != nil {
				t.Errorf("%s, %s: %v", op, name, err)
			}
			if strings.HasPrefix(op, "Put") && !bytes.Equal(b.objects["k"], []byte("body")) {
				t.Errorf("%s, %s: it holds %q", op, name, b.objects["k"])
			}
		}
	}
}

func TestRefusalsAreNotAbsence(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 503} { // 404: the bucket is gone
		b := &bucket{}
		s := open(t, b)
		b.fault = func(int, *http.Request) (bool, int) { return false, status }
		if _, err := s.Get(t.Context(), "k"); err == nil || errors.Is(err, export.ErrAbsent) {
			t.Errorf("%d: Get = %v", status, err)
		}
		if err := s.Put(t.Context(), "k", strings.NewReader(""), 0); err == nil {
			t.Errorf("%d: Put succeeded", status)
		}
		if err := s.Delete(t.Context(), "k"); err == nil {
			t.Errorf("%d: Delete succeeded", status)
		}
		if _, _, err := s.List(t.Context(), "", ""); err == nil {
			t.Errorf("%d: List succeeded", status)
		}
	}
}

func TestABodyThatBreaksOffIsNotWhole(t *testing.T) {
	t.Parallel()
	s := open(t, &bucket{broken: "k"})
	put(t, s, "k", "a long body")
	if got, err := get(t, s, "k"); err == nil {
		t.Errorf("%q was taken for the whole", got)
	}
}

func TestABodyOfAnotherSizeIsRefused(t *testing.T) {
	t.Parallel()
	b := &bucket{}
	s := open(t, b)
	for name, body := range map[string]io.Reader{
		"shorter":               strings.NewReader("abc"),
		"longer":                strings.NewReader("abcde"),
		"shorter, without Seek": io.MultiReader(strings.NewReader("abc")),
		"longer, without Seek":  io.MultiReader(strings.NewReader("abcde")),
	} {
		if err := s.Put(t.Context(), "k", body, 4); err == nil {
			t.Errorf("a %s body was stored as %q", name, b.objects["k"])
		}
	}
}

func TestLinksLeadToTheObject(t *testing.T) {
	t.Parallel()
	s := open(t, &bucket{})
	put(t, s, "r1/package.zip", "body")
	link, err := s.Sign(t.Context(), "r1/package.zip", "data.zip", time.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "body" {
		t.Errorf("the link leads to %q, %v", b, err)
	}
}
