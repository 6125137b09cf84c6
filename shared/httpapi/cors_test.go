package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/topology"
)

// corsHeaders are those that let a page of another website in.
func corsHeaders(h http.Header) (names []string) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestOnlyWebsitesOfThePolicyMayCall(t *testing.T) {
	t.Parallel()
	g := newGate(t, "POST /v1/consents", topology.Browser)
	for origin, want := range map[string]int{
		"https://www.example.com": http.StatusOK, // the policy lists it
		"https://example.com":     http.StatusOK, // our own, as the browser calls us
		"https://evil.example":    http.StatusForbidden, "http://www.example.com": http.StatusForbidden,
		"https://www.example.com.evil.example": http.StatusForbidden, "https://www.example.com/": http.StatusForbidden,
		"https://WWW.example.com": http.StatusForbidden, "https://www.example.com:8443": http.StatusForbidden,
		"null": http.StatusForbidden, "": http.StatusForbidden, "example.com": http.StatusForbidden,
		"https://www.example.com, https://evil.example": http.StatusForbidden,
	} {
		w := g.call(t, "POST", "https://example.com/v1/consents", "", "Origin", origin)
		listed := origin == "https://www.example.com"
		if w.Code != want || !slices.Contains(w.Header().Values("Vary"), "Origin") {
			t.Errorf("from %q: %d %v", origin, w.Code, w.Header())
		}
		if listed && w.Header().Get("Access-Control-Allow-Origin") != origin || !listed && len(corsHeaders(w.Header())) > 0 {
			t.Errorf("from %q the answer says %v", origin, w.Header())
		}
		// A server that signs is no page of that website, whatever it sends.
		w = g.call(t, "POST", "/v1/consents", "", "Origin", origin, "Authorization", SignApp(shopKey, "shop", "POST", "/v1/consents", "", g.at, nil))
		if w.Code != http.StatusOK {
			t.Errorf("a server's call with %q: %d %s", origin, w.Code, w.Body)
		}
	}
	if w := g.call(t, "POST", "/v1/consents", "", "Origin", "https://evil.example", "Origin", "https://www.example.com"); w.Code != http.StatusForbidden {
		t.Errorf("with two origins: %d", w.Code)
	}
	w := g.call(t, "POST", "/v1/consents", "")
	if w.Code != http.StatusOK || len(corsHeaders(w.Header())) > 0 || !slices.Contains(w.Header().Values("Vary"), "Origin") {
		t.Errorf("without an origin: %d %v", w.Code, w.Header())
	}
	// A page can read why it was refused, or its visitor never learns.
	w = g.call(t, "POST", "/v1/consents", "{", "Origin", "https://www.example.com")
	if w.Code != http.StatusBadRequest || w.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("a refusal: %d %v", w.Code, w.Header())
	}
}

func TestAPreflightSaysWhatTheRouteTakes(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	const site = "https://www.example.com"
	n := 0
	for _, route := range topology.Consent.Routes {
		if route.Caller != topology.Browser {
			continue
		}
		n++
		asks := []string{"Access-Control-Request-Method", route.Method(), "Access-Control-Request-Headers", "content-type,idempotency-key"}
		w := e.call("OPTIONS", route.Path(), "", append(asks, "Origin", site)...)
		h := w.Header()
		if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != site || h.Get("Access-Control-Allow-Methods") != route.Method() ||
			h.Get("Access-Control-Allow-Headers") != "content-type, idempotency-key" || h.Get("Access-Control-Max-Age") != preflightAge || w.Body.Len() > 0 {
			t.Errorf("%s: %d %v", route.Pattern, w.Code, h)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" || strings.Contains(h.Get("Access-Control-Allow-Headers"), "authorization") {
			t.Errorf("%s lets pages send credentials", route.Pattern)
		}
		w = e.call("OPTIONS", route.Path(), "", append(asks, "Origin", "https://evil.example")...)
		if w.Code != http.StatusNoContent || len(corsHeaders(w.Header())) > 0 || !slices.Contains(w.Header().Values("Vary"), "Origin") {
			t.Errorf("%s for another website: %d %v", route.Pattern, w.Code, w.Header())
		}
	}
	if n == 0 {
		t.Error("no route is for browsers")
	}
	for _, path := range []string{"/v1/app/links", "/v1/requests", "/v1/preferences"} {
		if w := e.call("OPTIONS", path, "", "Origin", site); w.Code == http.StatusNoContent || len(corsHeaders(w.Header())) > 0 {
			t.Errorf("%s is open to other websites: %d %v", path, w.Code, w.Header())
		}
	}
	if w := e.call("GET", "/v1/preferences", "", "Origin", site); len(corsHeaders(w.Header())) > 0 {
		t.Errorf("preferences are open to other websites: %v", w.Header())
	}
}

func TestASignalIsTheExactValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lines []string
		want  bool
	}{
		{nil, false},
		{[]string{"1"}, true},
		{[]string{"0"}, false},
		{[]string{""}, false},
		{[]string{"true"}, false},
		{[]string{"01"}, false},
		{[]string{"1.0"}, false},
		{[]string{"?1"}, false},
		{[]string{`"1"`}, false},
		{[]string{"11"}, false},
		{[]string{"1;q=0"}, false},
		{[]string{"0", "1"}, true},
		{[]string{"1", "0"}, true},
		{[]string{"0,1"}, true}, // as a gateway joins two lines
		{[]string{"0, 0"}, false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range c.lines {
			r.Header.Add("Sec-GPC", l)
			r.Header.Add("DNT", l)
		}
		if got := signalled(r); got != (consent.Signals{GPC: c.want, DNT: c.want}) {
			t.Errorf("Sec-GPC and DNT %q: %+v, want %t", c.lines, got, c.want)
		}
		r = r.WithContext(withCaller(r.Context(), caller{app: "shop"}))
		if got := signalled(r); got != (consent.Signals{}) {
			t.Errorf("an app's own header %q counts for its visitor", c.lines)
		}
	}
}
