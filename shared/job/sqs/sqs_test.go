package sqs_test

import (
	"crypto/md5" // SQS answers with it, against damage and not against attackers
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/job/sqs"
)

// queue answers like SQS to one sender at a time.
type queue struct {
	bodies []string
	calls  int
	// fault, if set, is the answer to the n-th call, from 1: an error's name, "lost"
	// or "damaged".
	fault func(n int) string
}

func (q *queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q.calls++
	var in struct{ QueueURL, MessageBody string } // names are matched in any case
	err := json.NewDecoder(r.Body).Decode(&in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	fault := ""
	if q.fault != nil {
		fault = q.fault(q.calls)
	}
	sum := md5.Sum([]byte(in.MessageBody))
	switch {
	case err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" || !strings.HasSuffix(in.QueueURL, "/111122223333/Steps"):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}`))
		return
	case fault == "lost":
		q.bodies = append(q.bodies, in.MessageBody)
		panic(http.ErrAbortHandler)
	case fault == "damaged":
		sum[0] ^= 1
	case fault != "":
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.sqs#%s"}`, fault)
		return
	}
	q.bodies = append(q.bodies, in.MessageBody)
	_, _ = fmt.Fprintf(w, `{"MessageId":"m","MD5OfMessageBody":"%s"}`, hex.EncodeToString(sum[:]))
}

func open(t *testing.T, q *queue) *sqs.Sender {
	t.Helper()
	srv := httptest.NewServer(q)
	t.Cleanup(srv.Close)
	return sqs.New(aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &srv.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}, map[string]string{"steps": srv.URL + "/111122223333/Steps"})
}

func TestSend(t *testing.T) {
	t.Parallel()
	q := &queue{}
	if err := open(t, q).Send(t.Context(), "steps", []byte(`{"request":"r1","note":"ü"}`)); err != nil {
		t.Fatal(err)
	}
	if len(q.bodies) != 1 || q.bodies[0] != `{"request":"r1","note":"ü"}` {
		t.Errorf("the queue holds %q", q.bodies)
	}
}

func TestAQueueThatTheTopologyDoesNotGrant(t *testing.T) {
	t.Parallel()
	q := &queue{}
	if err := open(t, q).Send(t.Context(), "others", []byte("{}")); err == nil || q.calls != 0 {
		t.Errorf("err = %v after %d calls", err, q.calls)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault  string
		faults int // calls that fail
		sent   int // messages in the queue in the end
		ok     bool
	}{
		"throttled twice":              {"ThrottlingException", 2, 1, true},
		"done but told nothing":        {"lost", 2, 3, true}, // at least once: receivers do nothing twice
		"throttled for ever":           {"ThrottlingException", 99, 0, false},
		"refused":                      {"AccessDenied", 99, 0, false},
		"damaged on its way, for ever": {"damaged", 99, 1, false},
	}
	for name, c := range tests {
		q := &queue{fault: func(n int) string {
			if n <= c.faults {
				return c.fault
			}
			return ""
		}}
		err := open(t, q).Send(t.Context(), "steps", []byte("{}"))
		if (err == nil) != c.ok || len(q.bodies) != c.sent {
			t.Errorf("%s: err = %v, %d messages, want %d", name, err, len(q.bodies), c.sent)
		}
	}
}
