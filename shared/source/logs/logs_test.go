package logssource_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"rightsdesk/shared/source"
	logssource "rightsdesk/shared/source/logs"
)

var now = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

type group struct {
	days    int
	created time.Time
	class   string
}

// service is CloudWatch Logs as far as the source uses it. It fails a test that
// asks for more.
type service struct {
	t      *testing.T
	mu     sync.Mutex
	groups map[string]group
	fault  func(op string) string // the error to answer; empty: none
	sets   []string
}

func (s *service) client() *cloudwatchlogs.Client {
	srv := httptest.NewServer(s)
	s.t.Cleanup(srv.Close)
	return cloudwatchlogs.New(cloudwatchlogs.Options{
		Region: "eu-west-1", BaseEndpoint: &srv.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
}

func problem(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "no"})
}

// ServeHTTP answers one call.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		LogGroupName       string `json:"logGroupName"`
		LogGroupNamePrefix string `json:"logGroupNamePrefix"`
		NextToken          string `json:"nextToken"`
		RetentionInDays    int    `json:"retentionInDays"`
		Limit              int    `json:"limit"`
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(raw, &in) != nil || r.Header.Get("Authorization") == "" {
		s.t.Errorf("a call that cannot be read: %s", raw)
	}
	op := r.Header.Get("X-Amz-Target")
	if s.fault != nil {
		if code := s.fault(op); code != "" {
			problem(w, code)
			return
		}
	}
	var out any = struct{}{}
	switch op {
	case "Logs_20140328.DescribeLogGroups":
		var groups []any
		next := any(nil)
		for _, name := range slices.Sorted(maps.Keys(s.groups)) {
			if !strings.HasPrefix(name, in.LogGroupNamePrefix) || name <= in.NextToken {
				continue
			}
			if len(groups) == 2 || in.Limit < 1 || in.Limit > 50 {
				next = groups[1].(map[string]any)["logGroupName"]
				break
			}
			g := s.groups[name]
			shown := map[string]any{"logGroupName": name, "creationTime": g.created.UnixMilli(), "logGroupClass": g.class}
			if g.days > 0 {
				shown["retentionInDays"] = g.days
			}
			groups = append(groups, shown)
		}
		out = map[string]any{"logGroups": groups, "nextToken": next}
	case "Logs_20140328.PutRetentionPolicy":
		g, there := s.groups[in.LogGroupName]
		if !there {
			problem(w, "ResourceNotFoundException")
			return
		}
		g.days = in.RetentionInDays
		s.groups[in.LogGroupName] = g
		s.sets = append(s.sets, fmt.Sprint(in.LogGroupName, " ", in.RetentionInDays))
	default:
		s.t.Errorf("the source asks for what no role of its would allow: %s", op)
		problem(w, "AccessDeniedException")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

func open(t *testing.T, s *service, change func(*logssource.Options)) *logssource.Source {
	t.Helper()
	o := logssource.Options{ID: "logs", Groups: []string{"/app/*", "/aws/lambda/shop", "/gone", "/aws/lambda/sh*"}, Days: 100, Client: s.client(), Now: func() time.Time { return now }}
	if change != nil {
		change(&o)
	}
	src, err := logssource.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func stock(t *testing.T) *service {
	t.Helper()
	old, young := now.AddDate(-1, 0, 0), now.AddDate(0, 0, -10)
	return &service{t: t, groups: map[string]group{
		"/app/a": {90, old, "STANDARD"}, "/app/b": {0, old, "STANDARD"}, "/app/c": {365, old, "INFREQUENT_ACCESS"}, "/app/d": {0, young, "STANDARD"}, "/app/e": {0, old, "DELIVERY"},
		"/app/f": {7, old, "STANDARD"}, "/aws/lambda/shop": {90, old, "STANDARD"}, "/aws/lambda/shopper": {120, young, "STANDARD"}, "/aws/lambda/other": {0, old, "STANDARD"}, "/gone-too": {0, old, "STANDARD"},
	}}
}

func TestDriftIsReportedAndNothingIsSetUnasked(t *testing.T) {
	t.Parallel()
	s := stock(t)
	tended, err := open(t, s, nil).Tend(t.Context(), nil)
	if err != nil || tended.Seen != 8 || len(s.sets) != 0 {
		t.Errorf("%d groups, %v; set: %v", tended.Seen, err, s.sets)
	}
	var got []string
	for _, d := range tended.Drift {
		got = append(got, fmt.Sprintf("%s %s %d", d.Name, d.Kind, d.Days))
		if d.Want != 90 || d.Set {
			t.Errorf("%+v", d)
		}
	}
	want := []string{"/app/b kept_forever 0", "/app/c kept_longer 365", "/app/d kept_forever 0", "/aws/lambda/shopper kept_longer 120", "/gone missing 0"}
	if !slices.Equal(got, want) {
		t.Errorf("%v\nwant\n%v", got, want)
	}
}

func TestOnlyYoungGroupsAreSetUnconfirmed(t *testing.T) {
	t.Parallel()
	s := stock(t)
	src := open(t, s, func(o *logssource.Options) { o.Set = true })
	first, err := src.Tend(t.Context(), nil)
	if want := []string{"/app/d 90", "/aws/lambda/shopper 90"}; err != nil || !slices.Equal(s.sets, want) || len(first.Drift) != 5 || !first.Drift[2].Set {
		t.Errorf("set %v, want %v; %+v, %v", s.sets, want, first, err)
	}
	again, err := src.Tend(t.Context(), nil)
	if err != nil || len(again.Drift) != 3 || len(s.sets) != 2 {
		t.Errorf("again: %+v, %v, set %v", again, err, s.sets)
	}
	s.groups["/app/c"] = group{400, s.groups["/app/c"].created, "STANDARD"} // changed since the operator saw it
	confirmed, err := src.Tend(t.Context(), again.Drift)
	if err != nil || len(s.sets) != 3 || s.sets[2] != "/app/b 90" || len(confirmed.Drift) != 3 || !confirmed.Drift[0].Set || confirmed.Drift[1].Set {
		t.Errorf("confirmed: %+v, %v, set %v; want /app/b alone", confirmed, err, s.sets)
	}
}

func TestTheRetentionIsTheLongestThatThePolicyAllows(t *testing.T) {
	t.Parallel()
	for days, want := range map[int]int{1: 1, 2: 1, 29: 14, 30: 30, 181: 180, 365: 365, 729: 545, 5000: 3653} {
		s := &service{t: t, groups: map[string]group{"x": {created: now}}}
		src := open(t, s, func(o *logssource.Options) { o.Set, o.Days, o.Groups = true, days, []string{"*"} })
		if _, err := src.Tend(t.Context(), nil); err != nil || s.groups["x"].days != want {
			t.Errorf("%d days: %d, %v; want %d", days, s.groups["x"].days, err, want)
		}
		if tended, err := src.Tend(t.Context(), nil); err != nil || len(tended.Drift) != 0 {
			t.Errorf("%d days: %+v, %v", days, tended, err)
		}
	}
}

func TestCouldNotLookIsNeverNoDrift(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{"ThrottlingException": source.ErrLater, "ServiceUnavailableException": source.ErrLater, "AccessDeniedException": source.ErrRefused} {
		for _, op := range []string{"Logs_20140328.DescribeLogGroups", "Logs_20140328.PutRetentionPolicy"} {
			s := stock(t)
			s.fault = func(o string) string { return map[bool]string{true: code}[o == op] }
			if tended, err := open(t, s, func(o *logssource.Options) { o.Set = true }).Tend(t.Context(), nil); !errors.Is(err, want) || tended.Seen != 0 {
				t.Errorf("%s says %s: %+v, %v; want %v", op, code, tended, err, want)
			}
		}
	}
	s := stock(t)
	s.fault = func(o string) string {
		return map[bool]string{true: "ResourceNotFoundException"}[strings.HasSuffix(o, "PutRetentionPolicy")]
	}
	if tended, err := open(t, s, func(o *logssource.Options) { o.Set = true }).Tend(t.Context(), nil); err != nil || len(tended.Drift) != 3 {
		t.Errorf("groups that were deleted meanwhile: %+v, %v", tended, err)
	}
}

func TestNobodyIsFoundInALogAndThatIsSaid(t *testing.T) {
	t.Parallel()
	src := open(t, stock(t), nil)
	if page, err := src.Find(t.Context(), source.Ask{}); !errors.Is(err, source.ErrRefused) || page.Done {
		t.Errorf("%+v, %v; want ErrRefused", page, err)
	}
	if done, err := src.Execute(t.Context(), source.Order{Verb: source.Delete}); !errors.Is(err, source.ErrRefused) || done.Done {
		t.Errorf("%+v, %v; want ErrRefused", done, err)
	}
}

// Whether the groups can be reached is asked without setting anything, even where a
// young group would be given its retention.
func TestReachingSetsNothing(t *testing.T) {
	t.Parallel()
	s := stock(t)
	src := open(t, s, func(o *logssource.Options) { o.Set = true })
	if err := src.Reach(t.Context()); err != nil || len(s.sets) > 0 {
		t.Errorf("%v, %v was set", err, s.sets)
	}
	s.fault = func(string) string { return "AccessDeniedException" }
	if err := src.Reach(t.Context()); !errors.Is(err, source.ErrRefused) {
		t.Errorf("err = %v", err)
	}
}

func TestNewRefusesWhatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	s := &service{t: t}
	for name, o := range map[string]logssource.Options{
		"no group": {Days: 1, Client: s.client(), Now: time.Now}, "an empty one": {Groups: []string{""}, Days: 1, Client: s.client(), Now: time.Now},
		"no time": {Groups: []string{"x"}, Client: s.client(), Now: time.Now}, "no client": {Groups: []string{"x"}, Days: 1, Now: time.Now},
	} {
		if _, err := logssource.New(o); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %v; want ErrRefused", name, err)
		}
	}
}
