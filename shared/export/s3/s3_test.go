package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/export"
	"rightsdesk/shared/export/exporttest"
	"rightsdesk/shared/export/s3"
	"rightsdesk/shared/export/s3/s3test"
)

const secret = "a secret for tests only"

func open(t *testing.T, b *s3test.Bucket) *s3.Store {
	t.Helper()
	b.Objects, b.Secret = map[string][]byte{}, secret
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	return s3.New(aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &srv.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("id", secret, ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}, s3test.Name)
}

// hand is a clock that is turned by hand.
type hand struct{ now atomic.Int64 }

func (h *hand) Now() time.Time        { return time.Unix(h.now.Load(), 0) }
func (h *hand) Sleep(d time.Duration) { h.now.Add(int64(d / time.Second)) }

func TestContract(t *testing.T) {
	t.Parallel()
	var clock hand
	clock.Sleep(20_000 * 24 * time.Hour)
	exporttest.Run(t, exporttest.Options{
		New: func(t *testing.T) export.Store {
			t.Helper()
			return open(t, &s3test.Bucket{Now: clock.Now})
		},
		Client: http.DefaultClient,
		Now:    clock.Now,
		Sleep:  clock.Sleep,
	})
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

func TestListPages(t *testing.T) {
	t.Parallel()
	s := open(t, &s3test.Bucket{Page: 3})
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
	b := &s3test.Bucket{}
	s := open(t, b)
	keys := make([]string, 2500)
	for i := range keys {
		keys[i] = fmt.Sprintf("r1/%06d", i)
		b.Objects[keys[i]] = []byte("x")
	}
	if err := s.Delete(t.Context(), keys...); err != nil {
		t.Fatal(err)
	}
	if len(b.Objects) != 0 || b.Calls != 3 {
		t.Errorf("%d objects are left after %d calls", len(b.Objects), b.Calls)
	}
}

// The service answers 200 to a call that deleted all but one.
func TestDeleteNoticesWhatStayed(t *testing.T) {
	t.Parallel()
	s := open(t, &s3test.Bucket{Locked: "r1/b"})
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
	faults := map[string]func(int) (bool, int){
		"throttled twice":       func(n int) (bool, int) { return false, map[bool]int{true: 503}[n <= 2] },
		"done but told nothing": func(n int) (bool, int) { return true, map[bool]int{true: -1}[n <= 2] },
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
			b := &s3test.Bucket{}
			s := open(t, b)
			b.Objects["there"] = []byte("body")
			b.Fault = fault
			if err := call(s); err != nil {
				t.Errorf("%s, %s: %v", op, name, err)
			}
			if strings.HasPrefix(op, "Put") && !bytes.Equal(b.Objects["k"], []byte("body")) {
				t.Errorf("%s, %s: it holds %q", op, name, b.Objects["k"])
			}
		}
	}
}

func TestRefusalsAreNotAbsence(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 503} { // 404: the bucket is gone
		b := &s3test.Bucket{}
		s := open(t, b)
		b.Fault = func(int) (bool, int) { return false, status }
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
	s := open(t, &s3test.Bucket{Broken: "k"})
	put(t, s, "k", "a long body")
	if got, err := get(t, s, "k"); err == nil {
		t.Errorf("%q was taken for the whole", got)
	}
}

func TestABodyOfAnotherSizeIsRefused(t *testing.T) {
	t.Parallel()
	b := &s3test.Bucket{}
	s := open(t, b)
	for name, body := range map[string]io.Reader{
		"shorter":               strings.NewReader("abc"),
		"longer":                strings.NewReader("abcde"),
		"shorter, without Seek": io.MultiReader(strings.NewReader("abc")),
		"longer, without Seek":  io.MultiReader(strings.NewReader("abcde")),
	} {
		if err := s.Put(t.Context(), "k", body, 4); err == nil {
			t.Errorf("a %s body was stored as %q", name, b.Objects["k"])
		}
	}
}
