package s3_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/s3"
	"rightsdesk/shared/checkpoint/vaulttest"
	"rightsdesk/shared/export/s3/s3test"
)

func open(t *testing.T, b http.Handler) *s3.Vault {
	t.Helper()
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	return s3.New(aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &srv.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "a secret for tests only", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}, "checkpoints")
}

func bucket() *s3test.Bucket { return &s3test.Bucket{Objects: map[string][]byte{}, Page: 4} }

func TestContract(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(t *testing.T) checkpoint.Vault {
		t.Helper()
		return open(t, bucket())
	})
}

// A write asks for what makes it a write-once one, and brings the checksum without
// which a bucket with Object Lock takes nothing.
func TestWhatAWriteAsksFor(t *testing.T) {
	t.Parallel()
	b := bucket()
	var asked *http.Request
	v := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Clone(t.Context())
		b.ServeHTTP(w, r)
	}))
	if err := v.Put(t.Context(), "checkpoints/000000000001.jws", []byte("a.b.c")); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("a.b.c"))
	for name, want := range map[string]string{"If-None-Match": "*", "X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum[:])} {
		if got := asked.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if asked.Method != http.MethodPut || asked.URL.Path != "/checkpoints/checkpoints/000000000001.jws" || asked.ContentLength != 5 || strings.Contains(asked.Header.Get("Content-Encoding"), "chunked") {
		t.Errorf("%s %s %v", asked.Method, asked.URL, asked.Header)
	}
}

// The answer to a write that was done may be lost: the repetition finds an object, and
// its caller finds that it is its own.
func TestAWriteWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	b := bucket()
	b.Fault = func(n int) (bool, int) { return true, map[bool]int{true: -1}[n == 1] }
	v := open(t, b)
	if err := v.Put(t.Context(), "a/1", []byte("x")); !errors.Is(err, checkpoint.ErrThere) {
		t.Errorf("%v", err)
	}
	if got, err := v.Get(t.Context(), "a/1"); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}

// Two writes of one key that meet are both refused by S3, with the advice to try again.
func TestWritesThatMeetAreTriedAgain(t *testing.T) {
	t.Parallel()
	for meets, ok := range map[int]bool{1: true, 3: true, 99: false} {
		b, n := bucket(), 0
		v := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n++; n <= meets {
				w.WriteHeader(http.StatusConflict)
				_, _ = io.WriteString(w, "<Error><Code>ConditionalRequestConflict</Code><Message>no</Message></Error>")
				return
			}
			b.ServeHTTP(w, r)
		}))
		if err := v.Put(t.Context(), "a/1", []byte("x")); (err == nil) != ok || errors.Is(err, checkpoint.ErrThere) {
			t.Errorf("%d times: %v after %d calls", meets, err, n)
		}
	}
}

func TestRefusalsAreNeitherThereNorAbsent(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 503} { // 404: the bucket is gone
		b := bucket()
		b.Fault = func(int) (bool, int) { return false, status }
		v := open(t, b)
		if _, err := v.Get(t.Context(), "k"); err == nil || errors.Is(err, checkpoint.ErrAbsent) {
			t.Errorf("%d: Get = %v", status, err)
		}
		if err := v.Put(t.Context(), "k", nil); err == nil || errors.Is(err, checkpoint.ErrThere) {
			t.Errorf("%d: Put = %v", status, err)
		}
		if _, err := v.List(t.Context(), "", ""); err == nil {
			t.Errorf("%d: List succeeded", status)
		}
	}
}

func TestThrottlesAreRepeatedAndBodiesThatBreakOffAreNot(t *testing.T) {
	t.Parallel()
	b := bucket()
	b.Fault = func(n int) (bool, int) { return false, map[bool]int{true: 503}[n%3 != 0] }
	b.Broken = "broken"
	v := open(t, b)
	if err := v.Put(t.Context(), "a/1", []byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := v.Get(t.Context(), "a/1"); err != nil {
		t.Error(err)
	}
	if keys, err := v.List(t.Context(), "a/", ""); err != nil || len(keys) != 1 {
		t.Errorf("%v, %v", keys, err)
	}
	b.Objects["broken"] = []byte("a long body")
	if got, err := v.Get(t.Context(), "broken"); err == nil {
		t.Errorf("%q was taken for the whole", got)
	}
}
