package kms_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/seal/kms"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/embedded"
)

const arn = "arn:aws:kms:eu-central-1:111122223333:key/0000"

// service answers like KMS as far as the keeper goes. It wraps by reversing,
// which is no cipher but shows whether what is kept is what was wrapped.
type service struct {
	mu    sync.Mutex
	calls map[string]int
	// fault, if set, is the answer instead: a status and an error's name; status -1
	// loses the answer.
	fault func(operation string, n int) (status int, name string)
}

type message struct {
	KeyID             string            `json:"KeyId,omitempty"`
	Plaintext         []byte            `json:",omitempty"`
	CiphertextBlob    []byte            `json:",omitempty"`
	EncryptionContext map[string]string `json:",omitempty"`
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	s.calls[operation]++
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if s.fault != nil {
		switch status, name := s.fault(operation, s.calls[operation]); {
		case status < 0:
			panic(http.ErrAbortHandler)
		case status > 0:
			refuse(w, status, name)
			return
		}
	}
	var in, out message
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.KeyID != arn {
		refuse(w, http.StatusBadRequest, "NotFoundException")
		return
	}
	bound, err := json.Marshal(in.EncryptionContext)
	if err != nil {
		panic(err)
	}
	switch operation {
	case "Encrypt":
		out.CiphertextBlob = slices.Concat(bound, reversed(in.Plaintext))
	case "Decrypt":
		rest, ok := bytes.CutPrefix(in.CiphertextBlob, bound)
		if !ok {
			refuse(w, http.StatusBadRequest, "InvalidCiphertextException")
			return
		}
		out.Plaintext = reversed(rest)
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		panic(err)
	}
}

func refuse(w http.ResponseWriter, status int, name string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"__type":"` + name + `","message":"no"}`))
}

func reversed(b []byte) []byte {
	r := make([]byte, len(b))
	for i := range b {
		r[len(b)-1-i] = b[i]
	}
	return r
}

func start(t *testing.T) (*service, aws.Config) {
	t.Helper()
	s := &service{calls: map[string]int{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &srv.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
}

func store(t *testing.T) table.Table {
	t.Helper()
	s, err := embedded.Open(filepath.Join(t.TempDir(), "store.db"), time.Now, embedded.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// mark tells rings apart.
func mark(r *seal.Ring) seal.Identifier {
	return r.Identifier(personal.MakeIdentity(personal.KindEmail, "ada@example.org"))
}

var kept = table.Ref{Table: table.Keys, Key: table.Key{Partition: "ring", Sort: "-"}}

func TestTheRingIsMadeOnceAndStays(t *testing.T) {
	t.Parallel()
	s, cfg := start(t)
	tbl := store(t)
	first, err := kms.New(cfg, arn, tbl).OpenOrMake(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(context.Context) (*seal.Ring, error){
		"OpenOrMake": kms.New(cfg, arn, tbl).OpenOrMake, "Open": kms.New(cfg, arn, tbl).Open,
	} {
		again, err := open(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if mark(again) != mark(first) {
			t.Errorf("%s returned another ring", name)
		}
	}
	if want := map[string]int{"Encrypt": 1, "Decrypt": 2}; !maps.Equal(s.calls, want) {
		t.Errorf("calls %v, want %v", s.calls, want)
	}
	item, err := tbl.Get(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(item.Body, first.Marshal()) || !bytes.HasPrefix(item.Body, []byte(`{"rightsdesk":"key ring"}`)) {
		t.Error("the ring is kept in clear, or wrapped for anything")
	}
}

func TestWithoutARingNothingIsOpened(t *testing.T) {
	t.Parallel()
	s, cfg := start(t)
	if r, err := kms.New(cfg, arn, store(t)).Open(t.Context()); !errors.Is(err, kms.ErrNone) {
		t.Errorf("Open = %v, %v, want ErrNone", r, err)
	}
	if len(s.calls) != 0 {
		t.Errorf("it called %v", s.calls)
	}
}

func TestOfManyWhoStartAtOnceOneMakesTheRing(t *testing.T) {
	t.Parallel()
	_, cfg := start(t)
	tbl := store(t)
	rings := make([]seal.Identifier, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			r, err := kms.New(cfg, arn, tbl).OpenOrMake(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			rings[i] = mark(r)
		})
	}
	wg.Wait()
	for i, r := range rings {
		if r != rings[0] {
			t.Errorf("start %d has another ring", i)
		}
	}
}

// A ring that cannot be opened is never replaced: that would orphan all data.
func TestARingThatCannotBeOpenedIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AccessDeniedException", "DisabledException", "InvalidCiphertextException", "IncorrectKeyException", "KMSInvalidStateException"} {
		s, cfg := start(t)
		tbl := store(t)
		if _, err := kms.New(cfg, arn, tbl).OpenOrMake(t.Context()); err != nil {
			t.Fatal(err)
		}
		before, err := tbl.Get(t.Context(), kept)
		if err != nil {
			t.Fatal(err)
		}
		s.fault = func(string, int) (int, string) { return http.StatusBadRequest, name }
		if _, err := kms.New(cfg, arn, tbl).OpenOrMake(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: err = %v", name, err)
		}
		after, err := tbl.Get(t.Context(), kept)
		if err != nil || !bytes.Equal(before.Body, after.Body) {
			t.Errorf("%s: the ring was touched: %v", name, err)
		}
		if s.calls["Encrypt"] != 1 {
			t.Errorf("%s: a new ring was wrapped", name)
		}
	}
}

func TestThrottlesAndLostAnswersAreRepeated(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"ThrottlingException": 400, "KMSInternalException": 500, "": -1} {
		s, cfg := start(t)
		s.fault = func(_ string, n int) (int, string) {
			if n <= 2 {
				return status, name
			}
			return 0, ""
		}
		tbl := store(t)
		r, err := kms.New(cfg, arn, tbl).OpenOrMake(t.Context())
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if again, err := kms.New(cfg, arn, tbl).Open(t.Context()); err != nil || mark(again) != mark(r) {
			t.Errorf("%q: another ring, or %v", name, err)
		}
	}
}

// commits is a table whose first commit goes as told.
type commits struct {
	table.Table
	apply bool
	told  error
}

func (c *commits) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	told := c.told
	if c.apply || told == nil {
		if err := c.Table.Commit(ctx, id, writes...); err != nil {
			return err
		}
	}
	c.told = nil
	return told
}

// Whatever became of the commit, no ring is ever used that is not the kept one.
func TestACommitWhoseOutcomeIsNotKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]commits{
		"done but told nothing":     {apply: true, told: table.ErrUnknown},
		"not done and told nothing": {told: table.ErrUnknown},
		"busy":                      {told: table.ErrBusy},
	} {
		_, cfg := start(t)
		c.Table = store(t)
		if r, err := kms.New(cfg, arn, &c).OpenOrMake(t.Context()); !errors.Is(err, table.ErrUnknown) && !errors.Is(err, table.ErrBusy) {
			t.Errorf("%s: the first start goes on with %v, %v", name, r, err)
		}
		r, err := kms.New(cfg, arn, &c).OpenOrMake(t.Context())
		if err != nil {
			t.Errorf("%s: the second start: %v", name, err)
			continue
		}
		if again, err := kms.New(cfg, arn, &c).Open(t.Context()); err != nil || mark(again) != mark(r) {
			t.Errorf("%s: what is used is not what is kept: %v", name, err)
		}
	}
}

func TestARingOfALaterVersionIsNotGuessedAt(t *testing.T) {
	t.Parallel()
	s, cfg := start(t)
	tbl := store(t)
	if err := tbl.Commit(t.Context(), table.NewID(), table.Put(table.Keys, table.Item{Key: kept.Key, Schema: 2, Body: []byte("x")}, table.New)); err != nil {
		t.Fatal(err)
	}
	if _, err := kms.New(cfg, arn, tbl).OpenOrMake(t.Context()); err == nil || len(s.calls) != 0 {
		t.Errorf("err = %v, calls %v", err, s.calls)
	}
}
