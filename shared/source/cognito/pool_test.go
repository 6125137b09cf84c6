package cognitosource_test

import (
	"cmp"
	"context"
	"encoding/json"
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
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

const poolID = "eu-west-1_example"

// member is a user of the pool of these tests.
type member struct {
	name      string
	attrs     map[string]string
	created   time.Time
	disabled  bool
	signedOut bool
	groups    []string
	devices   int
	events    int
}

// pool is a user pool in memory that speaks Cognito's protocol as far as the source
// does, and fails a test that asks for more.
type pool struct {
	t       *testing.T
	page    int  // of lists about one user
	tracks  bool // devices
	watches bool // sign-ins

	// fault, if set, decides about the n-th call of an operation, from 1: whether it
	// takes effect, and the error to answer instead; "lost" is no answer at all.
	fault func(op string, n int) (apply bool, code string)
	// before, if set, is called before an operation.
	before func(op string)
	// stale are users that lists still show.
	stale []string
	cut   atomic.Bool

	mu    sync.Mutex
	users map[string]*member
	calls map[string]int
	log   []string // what was done to whom
}

func newPool(t *testing.T) *pool {
	t.Helper()
	return &pool{t: t, page: 60, users: map[string]*member{}, calls: map[string]int{}}
}

func (p *pool) add(m member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.attrs["sub"] == "" {
		m.attrs["sub"] = "sub-of-" + m.name
	}
	p.users[m.name] = &m
}

func (p *pool) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.users))
}

// done returns what was done to whom.
func (p *pool) done() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

func (p *pool) client() *cognito.Client {
	srv := httptest.NewServer(p)
	p.t.Cleanup(srv.Close)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	p.t.Cleanup(transport.CloseIdleConnections)
	return cognito.New(cognito.Options{
		Region: "eu-west-1", BaseEndpoint: &srv.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: network{p, &http.Client{Transport: transport}},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
}

type network struct {
	p *pool
	c *http.Client
}

func (n network) Do(r *http.Request) (*http.Response, error) {
	if n.p.cut.Load() {
		return nil, errors.New("the network is cut")
	}
	return n.c.Do(r)
}

func problem(w http.ResponseWriter, code string) {
	status := http.StatusBadRequest
	if code == "InternalErrorException" {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "about canary"})
}

type request struct {
	UserPoolID                 string `json:"UserPoolId"`
	Username, Filter           string
	PaginationToken, NextToken string
	Limit, MaxResults          int
	AttributesToGet            []string
	UserAttributes             []attribute
}

type attribute struct{ Name, Value string }

// ServeHTTP answers one call.
func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in request
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(raw, &in) != nil || service != "AWSCognitoIdentityProviderService" || in.UserPoolID != poolID || r.Header.Get("Authorization") == "" {
		p.t.Errorf("the source asks for another service or pool: %s %s", r.Header.Get("X-Amz-Target"), raw)
		problem(w, "ResourceNotFoundException")
		return
	}
	if p.before != nil {
		p.before(op)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[op]++
	if p.fault != nil {
		if apply, code := p.fault(op, p.calls[op]); code != "" {
			if apply {
				p.serve(op, httptest.NewRecorder(), in)
			}
			if code == "lost" {
				panic(http.ErrAbortHandler)
			}
			problem(w, code)
			return
		}
	}
	p.serve(op, w, in)
}

func (p *pool) serve(op string, w http.ResponseWriter, in request) {
	if op == "ListUsers" {
		p.list(w, in)
		return
	}
	u := p.users[in.Username]
	if u == nil { // an alias names somebody too
		for _, o := range p.users {
			if in.Username != "" && (o.attrs["sub"] == in.Username || o.attrs["preferred_username"] == in.Username) {
				u = o
			}
		}
	}
	if u == nil {
		problem(w, "UserNotFoundException")
		return
	}
	var out any = struct{}{}
	switch op {
	case "AdminGetUser":
		out = map[string]any{
			"Username": u.name, "UserAttributes": u.list(), "UserCreateDate": stamp(u.created), "UserLastModifiedDate": stamp(u.created),
			"Enabled": !u.disabled, "UserStatus": "CONFIRMED",
		}
	case "AdminListGroupsForUser":
		i, end, next := p.part(in.NextToken, len(u.groups))
		var groups []map[string]string
		for _, g := range u.groups[i:end] {
			groups = append(groups, map[string]string{"GroupName": g})
		}
		out = map[string]any{"Groups": groups, "NextToken": next}
	case "AdminListDevices":
		if !p.tracks {
			problem(w, "InvalidUserPoolConfigurationException")
			return
		}
		i, end, next := p.part(in.PaginationToken, u.devices)
		var devices []any
		for ; i < end; i++ {
			devices = append(devices, map[string]any{"DeviceKey": fmt.Sprint("d-", i), "DeviceAttributes": []attribute{{"device_name", "phone"}}, "DeviceCreateDate": stamp(u.created)})
		}
		out = map[string]any{"Devices": devices, "PaginationToken": next}
	case "AdminListUserAuthEvents":
		if !p.watches {
			problem(w, "UserPoolAddOnNotEnabledException")
			return
		}
		i, end, next := p.part(in.NextToken, u.events)
		var events []any
		for ; i < end; i++ {
			events = append(events, map[string]any{"EventType": "SignIn", "EventResponse": "Pass", "CreationDate": stamp(u.created), "EventContextData": map[string]string{"IpAddress": "192.0.2.1"}})
		}
		out = map[string]any{"AuthEvents": events, "NextToken": next}
	case "AdminDisableUser":
		u.disabled = true
	case "AdminUserGlobalSignOut":
		u.signedOut = true
	case "AdminDeleteUser":
		if !u.disabled || !u.signedOut {
			p.t.Errorf("%s is deleted while sessions go on", u.name)
		}
		delete(p.users, u.name)
	case "AdminUpdateUserAttributes":
		for _, a := range in.UserAttributes {
			if a.Name == "custom:fixed" {
				problem(w, "InvalidParameterException")
				return
			}
			u.attrs[a.Name] = a.Value
		}
	default:
		p.t.Errorf("the source asks for what no role of its would allow: %s", op)
		problem(w, "AccessDeniedException")
		return
	}
	if op != "AdminGetUser" && !strings.HasPrefix(op, "AdminList") {
		p.log = append(p.log, op+" "+u.name)
	}
	answer(w, out)
}

func answer(w http.ResponseWriter, out any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

func stamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (m *member) list() []attribute {
	var all []attribute
	for _, name := range slices.Sorted(maps.Keys(m.attrs)) {
		all = append(all, attribute{name, m.attrs[name]})
	}
	return all
}

// part returns the bounds of a page and the token of the next.
func (p *pool) part(token string, n int) (from, to int, next any) {
	from, _ = strconv.Atoi(token)
	to = min(n, from+p.page)
	if to < n {
		next = strconv.Itoa(to)
	}
	return from, to, next
}

func (p *pool) list(w http.ResponseWriter, in request) {
	if in.Limit < 1 || in.Limit > 60 || !slices.Equal(in.AttributesToGet, []string{"sub"}) {
		problem(w, "InvalidParameterException")
		return
	}
	attr, value, filtered := strings.Cut(in.Filter, ` = "`)
	if filtered {
		if !strings.HasSuffix(value, `"`) || !slices.Contains([]string{"email", "phone_number", "sub"}, attr) {
			p.t.Errorf("the filter %s", in.Filter)
			problem(w, "InvalidParameterException")
			return
		}
		value = strings.ReplaceAll(strings.TrimSuffix(value, `"`), `\"`, `"`)
	}
	var fits []string
	for _, name := range slices.Sorted(maps.Keys(p.users)) {
		if !filtered || strings.EqualFold(p.users[name].attrs[attr], value) || value == "ada@example.org" && strings.Contains(p.users[name].attrs[attr], "ada+") {
			fits = append(fits, name)
		}
	}
	fits = append(fits, p.stale...)
	slices.Sort(fits)
	var users []any
	next := any(nil)
	for _, name := range fits {
		if name <= in.PaginationToken {
			continue
		}
		if len(users) == in.Limit {
			next = users[len(users)-1].(map[string]any)["Username"]
			break
		}
		u := cmp.Or(p.users[name], &member{})
		users = append(users, map[string]any{"Username": name, "UserCreateDate": stamp(u.created)})
	}
	answer(w, map[string]any{"Users": users, "PaginationToken": next})
}

// memory is a Pages in memory.
type memory struct {
	mu    sync.Mutex
	pages map[string][]byte
}

func (m *memory) Remember(_ context.Context, key string, page []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pages == nil {
		m.pages = map[string][]byte{}
	}
	if _, known := m.pages[key]; !known {
		m.pages[key] = page
	}
	return m.pages[key], nil
}
