package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/edition"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"
)

// again serves every route anew, in other surroundings.
func (e *edge) again(change func(*Env)) {
	e.t.Helper()
	change(&e.env)
	e.mux = http.NewServeMux()
	sets := Sets(e.env)
	for _, fn := range topology.All {
		if err := Register(e.mux, e.env, fn, sets[fn.Name]); err != nil {
			e.t.Fatal(err)
		}
	}
}

// nobodys is the policy of an installation that has none.
func nobodys() *policy.Policy {
	return &policy.Policy{Document: policy.Document{Languages: []string{"en", "fr"}}}
}

// Before anything is open people are told so, in their language and with nobody's name
// on it, and nothing that they send is looked at. Who runs it gets in.
func TestBeforeItIsOpenOnlyOperatorsAreServed(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	e.again(func(env *Env) { env.Shut, env.Policy, env.Requests.Policy = edition.ErrNotOpen, nobodys(), nobodys() })
	shut := 0
	for _, fn := range topology.All {
		for _, route := range fn.Routes {
			path := concrete(route.Path(), id, "t")
			w := e.call(route.Method(), path, "{", "Accept-Language", "fr")
			switch {
			case route.Caller == topology.Operator:
				if w.Code != http.StatusUnauthorized {
					t.Errorf("%s = %d, want what operators always get", route.Pattern, w.Code)
				}
				if w := e.call(route.Method(), path, "{", "Authorization", "Bearer "+operatorKey); (w.Code == http.StatusServiceUnavailable) != waits(route) {
					t.Errorf("%s = %d for an operator", route.Pattern, w.Code)
				}
				continue
			case route.Method() == http.MethodOptions || route.Path() == "/healthz":
				if w.Code >= http.StatusMultipleChoices {
					t.Errorf("%s = %d", route.Pattern, w.Code)
				}
				continue
			}
			shut++
			said := w.Body.String()
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "300" {
				t.Errorf("%s = %d %v", route.Pattern, w.Code, w.Header())
			}
			if isPage(route) && (!strings.Contains(said, "Pas encore ouvert") || strings.Contains(said, `class="links"`) || !strings.Contains(w.Header().Get("Content-Type"), "text/html")) {
				t.Errorf("%s shows %s", route.Pattern, said)
			}
			var p problem
			if !isPage(route) && (json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Code != "not_open_yet" || w.Header().Get("Content-Type") != "application/problem+json") {
				t.Errorf("%s says %s", route.Pattern, said)
			}
		}
	}
	if shut < 60 {
		t.Errorf("only %d routes are shut", shut)
	}
	// Nothing is taken in, and nothing decided, by the policy of nobody.
	w := e.call("POST", "/v1/operator/requests", `{"right":"access","residence":"FR","channel":"post","person":{"email":"grace@example.net"}}`, "Authorization", "Bearer "+operatorKey)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "not_open_yet") || !strings.Contains(w.Body.String(), "GET /v1/operator/policy") {
		t.Errorf("an operator takes a request in: %d %s", w.Code, w.Body)
	}
	for _, pattern := range opens {
		if !slices.ContainsFunc(topology.All, func(f topology.Function) bool {
			return slices.ContainsFunc(f.Routes, func(r topology.Route) bool { return r.Pattern == pattern })
		}) {
			t.Errorf("there is no route %s", pattern)
		}
	}
	if w := e.call("GET", "/v1/operator/policy", "", "Authorization", "Bearer "+auditorKey); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"open":false`) {
		t.Errorf("an auditor sees %d %s", w.Code, w.Body)
	}
}

// Whoever goes around the edge gets nothing at all, operators neither.
func TestNobodyGoesAroundTheEdge(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	id := e.submit()
	const secret = "the-secret-of-the-edge"
	e.again(func(env *Env) {
		env.Edge = func(_ context.Context, header string) bool {
			return SameEdge(header, []string{"an-older-secret-of-it", secret})
		}
	})
	for _, fn := range topology.All {
		for _, route := range fn.Routes {
			for _, header := range []string{"", "x", secret + "x", secret[1:]} {
				w := e.call(route.Method(), concrete(route.Path(), id, "t"), "{}", EdgeHeader, header, "Authorization", "Bearer "+operatorKey)
				if w.Code != http.StatusForbidden {
					t.Errorf("%s with the header %q = %d, want 403", route.Pattern, header, w.Code)
				}
			}
		}
	}
	for _, header := range []string{secret, "an-older-secret-of-it"} {
		if w := e.call("GET", "/healthz", "", EdgeHeader, header); w.Code != http.StatusOK {
			t.Errorf("by the edge: %d %s", w.Code, w.Body)
		}
	}
	if SameEdge("", nil) || SameEdge("", []string{}) || SameEdge("x", nil) {
		t.Error("without a secret anybody comes by the edge")
	}
}

// Everybody comes by the edge; its address would make one caller of all of them.
func TestLimitsAreForWhoeverCalledTheEdge(t *testing.T) {
	t.Parallel()
	const secret = "the-secret-of-the-edge"
	for _, c := range []struct{ before, want string }{{"198.51.100.7:0", "198.51.100.7"}, {"", "192.0.2.1"}} {
		env := Env{
			Edge:   func(_ context.Context, header string) bool { return header == secret },
			Before: func(context.Context) string { return c.before },
		}
		r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		r.RemoteAddr = "192.0.2.1:0"
		r.Header.Set(EdgeHeader, secret)
		in, err := env.enter(topology.Route{Pattern: "GET /healthz", Caller: topology.Anyone}, r)
		if err != nil || from(in) != c.want {
			t.Errorf("behind the edge, called by %q: %s, %v", c.before, from(in), err)
		}
		r.Header.Set(EdgeHeader, "made up")
		if in, err := env.enter(topology.Route{Pattern: "GET /healthz", Caller: topology.Anyone}, r); err == nil || from(in) != "192.0.2.1" {
			t.Errorf("around the edge a caller says who they are: %s, %v", from(in), err)
		}
		env.Edge = nil
		if in, err := env.enter(topology.Route{Pattern: "GET /healthz", Caller: topology.Anyone}, r); err != nil || from(in) != "192.0.2.1" {
			t.Errorf("without an edge a caller says who they are: %s, %v", from(in), err)
		}
	}
}

func TestOperatorsPublish(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	own, err := os.ReadFile("../policy/testdata/smallest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	send := func(path, key string, body map[string]string, status int, into any) {
		t.Helper()
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		w := e.call("POST", path, string(raw), "Authorization", "Bearer "+key)
		if w.Code != status {
			t.Fatalf("%s = %d %s, want %d", path, w.Code, w.Body, status)
		}
		if into != nil {
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				t.Fatal(err)
			}
		}
	}
	var checked struct {
		Usable             bool
		Version            string
		Problems, Examples []flaw
	}
	send("/v1/operator/policy/check", auditorKey, map[string]string{"file": string(own)}, http.StatusOK, &checked)
	if !checked.Usable || checked.Version == "" || len(checked.Examples) == 0 {
		t.Errorf("a good file: %+v", checked)
	}
	send("/v1/operator/policy/check", auditorKey, map[string]string{"file": "format: 2"}, http.StatusOK, &checked)
	if checked.Usable || len(checked.Problems) < 2 || checked.Problems[0].Line != 1 {
		t.Errorf("a wrong file: %+v", checked)
	}
	send("/v1/operator/policy/check", guestKey, map[string]string{"file": string(own)}, http.StatusForbidden, nil)
	send("/v1/operator/policy", auditorKey, map[string]string{"file": string(own)}, http.StatusForbidden, nil)
	var p problem
	send("/v1/operator/policy", operatorKey, map[string]string{"file": string(own)}, http.StatusForbidden, &p)
	if p.Code != "second_factor_needed" {
		t.Errorf("signed in with one factor: %+v", p)
	}
}
