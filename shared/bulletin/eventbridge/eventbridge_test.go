package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/bulletin/eventbridge"
)

// put is one entry of a call as it arrives on the wire.
type put struct {
	EventBusName, Source, DetailType, Detail string
	Time                                     float64
	Resources                                []string
}

// service stands in for EventBridge at the level of the wire. It takes what take says.
type service struct {
	*httptest.Server
	calls []int // how many entries each call had
	last  int   // the last call that it answers, or 0
	taken []put
	take  func(call int, e put) bool
}

func start(t *testing.T, take func(call int, e put) bool) (*service, *eventbridge.Bus) {
	t.Helper()
	s := &service{take: take}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Entries []put }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" {
			t.Errorf("a call of %s, signed %.20s", r.Header.Get("X-Amz-Target"), r.Header.Get("Authorization"))
		}
		s.calls = append(s.calls, len(in.Entries))
		if s.last > 0 && len(s.calls) > s.last {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		out := struct {
			FailedEntryCount int
			Entries          []map[string]string
		}{}
		for _, e := range in.Entries {
			if s.take(len(s.calls), e) {
				s.taken = append(s.taken, e)
				out.Entries = append(out.Entries, map[string]string{"EventId": fmt.Sprint(len(s.taken))})
				continue
			}
			out.FailedEntryCount++
			out.Entries = append(out.Entries, map[string]string{"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"})
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if err := json.NewEncoder(w).Encode(out); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s, eventbridge.New(aws.Config{
		Region: "eu-west-3", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, "Rightsdesk")
}

var at = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func events(n int) (list []bulletin.Event) {
	for i := range n {
		list = append(list, bulletin.Event{Type: "request.received", At: at, Detail: map[string]any{"event": fmt.Sprint(i)}})
	}
	return list
}

func everything(int, put) bool { return true }

func TestEventsGoOutTenAtATime(t *testing.T) {
	t.Parallel()
	s, bus := start(t, everything)
	if err := bus.Put(t.Context(), events(23)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.calls, []int{10, 10, 3}) || len(s.taken) != 23 {
		t.Errorf("calls of %v, %d events", s.calls, len(s.taken))
	}
	first := s.taken[0]
	if first.EventBusName != "Rightsdesk" || first.Source != "rightsdesk" || first.DetailType != "request.received" ||
		first.Detail != `{"event":"0"}` || first.Time != float64(at.Unix()) || first.Resources != nil {
		t.Errorf("what arrives is %+v", first)
	}
	if err := bus.Put(t.Context(), nil); err != nil || len(s.calls) != 3 {
		t.Errorf("nothing was put by %d calls: %v", len(s.calls)-3, err)
	}
}

func TestWhatWasNotTakenIsPutAgainAlone(t *testing.T) {
	t.Parallel()
	s, bus := start(t, func(call int, e put) bool { return call > 2 || e.Detail != `{"event":"4"}` })
	if err := bus.Put(t.Context(), events(7)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.calls, []int{7, 1, 1}) || len(s.taken) != 7 || s.taken[6].Detail != `{"event":"4"}` {
		t.Errorf("calls of %v, %+v", s.calls, s.taken)
	}
}

func TestAnEventThatIsNeverTakenIsNamedAndKeepsNoOther(t *testing.T) {
	t.Parallel()
	s, bus := start(t, func(_ int, e put) bool { return e.Detail != `{"event":"1"}` && e.Detail != `{"event":"11"}` })
	err := bus.Put(t.Context(), events(12))
	refused, ok := errors.AsType[*bulletin.Refused](err)
	if !ok || refused.Silent || !slices.Equal(refused.Which, []int{1, 11}) || !strings.Contains(err.Error(), "2 events: ThrottlingException") {
		t.Errorf("err = %v", err)
	}
	if !slices.Equal(s.calls, []int{10, 1, 1, 1, 2, 1, 1, 1}) || len(s.taken) != 10 {
		t.Errorf("calls of %v, want 4 tries of each and no more; %d events", s.calls, len(s.taken))
	}
}

// answering is a bus whose service answers each call, of as many events, by an error or,
// for an empty one, by taking everything.
func answering(t *testing.T, says func(events []put) string) (bus *eventbridge.Bus, taken func() []put) {
	t.Helper()
	var all []put
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Entries []put }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if code := says(in.Entries); code != "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"__type":"%s","message":"no"}`, code)
			return
		}
		all = append(all, in.Entries...)
		_, _ = fmt.Fprintf(w, `{"FailedEntryCount":0,"Entries":[%s]}`, strings.TrimSuffix(strings.Repeat(`{"EventId":"1"},`, len(in.Entries)), ","))
	}))
	t.Cleanup(s.Close)
	return eventbridge.New(aws.Config{
		Region: "eu-west-3", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, "Rightsdesk"), func() []put { return all }
}

// One event that the service cannot read has it refuse a whole call.
func TestAnEventThatSpoilsItsCallIsFound(t *testing.T) {
	t.Parallel()
	bus, taken := answering(t, func(events []put) string {
		if slices.ContainsFunc(events, func(e put) bool { return e.Detail == `{"event":"4"}` }) {
			return "ValidationException"
		}
		return ""
	})
	err := bus.Put(t.Context(), events(14))
	refused, ok := errors.AsType[*bulletin.Refused](err)
	if !ok || refused.Silent || !slices.Equal(refused.Which, []int{4}) || !strings.Contains(err.Error(), "ValidationException") || len(taken()) != 13 {
		t.Errorf("%d events were taken: %v", len(taken()), err)
	}
}

// What a service took before it went away is not left, whatever it was asked last: a call,
// one event of a call that it could not read, or again what it had not taken.
func TestABusThatGoesAwayMeanwhileLeavesWhatItDidNotTake(t *testing.T) {
	t.Parallel()
	from := func(n, to int) (list []int) {
		for ; n < to; n++ {
			list = append(list, n)
		}
		return list
	}
	for name, c := range map[string]struct {
		spoilt string
		last   int // the call that it still answers
		left   []int
	}{
		"at once":                   {"", 0, from(0, 35)},
		"after a call":              {"", 1, from(10, 35)},
		"one by one":                {`{"event":"12"}`, 5, append([]int{12}, from(13, 35)...)},
		"one by one, after another": {`{"event":"2"}`, 7, append([]int{2}, from(6, 35)...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			bus, taken := answering(t, func(events []put) string {
				if calls++; calls > c.last {
					return "AccessDeniedException"
				}
				if slices.ContainsFunc(events, func(e put) bool { return e.Detail == c.spoilt }) {
					return "ValidationException"
				}
				return ""
			})
			err := bus.Put(t.Context(), events(35))
			refused, ok := errors.AsType[*bulletin.Refused](err)
			if !ok || !refused.Silent || !slices.Equal(refused.Which, c.left) || !strings.Contains(err.Error(), "AccessDenied") {
				t.Errorf("left %+v", refused)
			}
			if calls != c.last+1 || len(taken())+len(c.left) != 35 {
				t.Errorf("%d calls, %d events were taken", calls, len(taken()))
			}
		})
	}
}

// It may go away between two tries: what the first took is not left.
func TestWhatTheFirstTryTookIsNotLeft(t *testing.T) {
	t.Parallel()
	s, bus := start(t, func(_ int, e put) bool {
		return !slices.Contains([]string{`{"event":"4"}`, `{"event":"14"}`, `{"event":"16"}`}, e.Detail)
	})
	s.last = 5 // four for the first ten, and one for the next
	refused, ok := errors.AsType[*bulletin.Refused](bus.Put(t.Context(), events(22)))
	if !ok || !refused.Silent || !slices.Equal(refused.Which, []int{4, 14, 16, 20, 21}) || len(s.taken) != 17 {
		t.Errorf("%d events were taken, left %+v", len(s.taken), refused)
	}
}

// wire answers calls without a network.
type wire func(*http.Request) (*http.Response, error)

func (w wire) Do(r *http.Request) (*http.Response, error) { return w(r) }

// closing is a body that tells when it was read.
type closing struct {
	io.Reader
	close func()
}

func (c closing) Close() error { c.close(); return nil }

// Time may be up before the second try.
func TestWhatWasTakenBeforeTimeWasUpIsNotLeft(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	bus := eventbridge.New(aws.Config{
		Region: "eu-west-3", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: wire(func(*http.Request) (*http.Response, error) {
			answer := strings.NewReader(`{"FailedEntryCount":1,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException"},{"EventId":"3"}]}`)
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: closing{answer, cancel}}, nil
		}),
	}, "Rightsdesk")
	refused, ok := errors.AsType[*bulletin.Refused](bus.Put(ctx, events(3)))
	if !ok || !refused.Silent || !slices.Equal(refused.Which, []int{1}) || !errors.Is(refused, context.Canceled) {
		t.Errorf("left %+v", refused)
	}
}

func TestABusThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	bus, _ := answering(t, func([]put) string { return "ResourceNotFoundException" })
	if err := bus.Put(t.Context(), events(1)); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("err = %v", err)
	}
}

// An answer that is not about what was put may hide an event that was not taken.
func TestAnAnswerAboutSomethingElseIsAnError(t *testing.T) {
	t.Parallel()
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write([]byte(`{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`))
	}))
	defer odd.Close()
	bus := eventbridge.New(aws.Config{
		Region: "eu-west-3", BaseEndpoint: &odd.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, "Rightsdesk")
	if err := bus.Put(t.Context(), events(2)); err == nil {
		t.Error("one answer for two events is taken for both")
	}
}
