package lambdahttp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"rightsdesk/shared/lambdahttp"
)

// event returns a good event, spoilt by change.
func event(change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /v1/requests/{id}/verify", RawPath: "/v1/requests/r1/verify", RawQueryString: "a=1&a=2&b=%20",
		Headers: map[string]string{"content-type": "application/json", "x-forwarded-for": "203.0.113.9", "accept-language": "fr,en"},
		Cookies: []string{"a=1", "b=2"}, Body: `{"code":"314159"}`,
	}
	e.RequestContext.Stage, e.RequestContext.RequestID, e.RequestContext.DomainName = "$default", "Kx3fUhGvIAMEPbg=", "api.example.org"
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.SourceIP = http.MethodPost, "192.0.2.17"
	if change != nil {
		change(&e)
	}
	return e
}

// send hands an event to a handler that remembers the request; nil if it never came.
func send(tb testing.TB, e events.APIGatewayV2HTTPRequest) (got *http.Request, body string, resp events.APIGatewayV2HTTPResponse) {
	tb.Helper()
	resp, err := lambdahttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			tb.Fatal(err)
		}
		got, body = r, string(b)
		_, _ = w.Write(b[:min(len(b), 1<<20)]) // an answer has a limit of its own
	}))(tb.Context(), e)
	if err != nil {
		tb.Fatalf("the handler failed: %v", err)
	}
	return got, body, resp
}

func TestARequestIsWhatTheEventSays(t *testing.T) {
	t.Parallel()
	r, body, _ := send(t, event(nil))
	if r == nil {
		t.Fatal("the request never came")
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/requests/r1/verify" || r.RequestURI != "/v1/requests/r1/verify?a=1&a=2&b=%20" || r.Host != "api.example.org" {
		t.Errorf("%s %s (%s) at %s", r.Method, r.URL.Path, r.RequestURI, r.Host)
	}
	if q := r.URL.Query(); !slices.Equal(q["a"], []string{"1", "2"}) || q.Get("b") != " " {
		t.Errorf("query %v", q)
	}
	if body != `{"code":"314159"}` || r.ContentLength != int64(len(body)) {
		t.Errorf("body %q of %d", body, r.ContentLength)
	}
	if a, err := r.Cookie("b"); err != nil || a.Value != "2" {
		t.Errorf("cookie b: %v, %v", a, err)
	}
	if r.Header.Get("Accept-Language") != "fr,en" {
		t.Errorf("headers %v", r.Header)
	}
	if id := lambdahttp.RequestID(r.Context()); id != "Kx3fUhGvIAMEPbg=" {
		t.Errorf("request id %q", id)
	}
	if c, ok := lambdahttp.Claims(r.Context()); ok {
		t.Errorf("claims without an authorizer: %v", c)
	}
	if lambdahttp.RequestID(context.Background()) != "" {
		t.Error("there is a request id outside of a request")
	}
}

func TestOnlyTheGatewaySaysWhereACallerIs(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"192.0.2.17": "192.0.2.17:0", "2001:db8::1": "[2001:db8::1]:0", "::ffff:192.0.2.17": "192.0.2.17:0",
		"": "", "test-invoke-source-ip": "", "192.0.2.17, 203.0.113.9": "",
	} {
		r, _, _ := send(t, event(func(e *events.APIGatewayV2HTTPRequest) {
			e.RequestContext.HTTP.SourceIP = ip
			for _, name := range []string{"X-Forwarded-For", "x-forwarded-host", "X-FORWARDED-PROTO", "forwarded", "x-real-ip", "true-client-ip"} {
				e.Headers[name] = "203.0.113.9"
			}
		}))
		if r.RemoteAddr != want {
			t.Errorf("source %q: RemoteAddr %q, want %q", ip, r.RemoteAddr, want)
		}
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, ","), "203.0.113.9") {
				t.Errorf("the forged header %s came through", name)
			}
		}
	}
}

// What stands there is anybody's word, until whoever called has shown to be our edge.
func TestWhoCalledTheProxyIsTheLastEntryButOne(t *testing.T) {
	t.Parallel()
	for forwarded, want := range map[string]string{
		"198.51.100.7, 203.0.113.9":                    "198.51.100.7:0",
		"192.0.2.1, 198.51.100.7, 203.0.113.9":         "198.51.100.7:0", // the caller made the first one up
		"192.0.2.1,2001:db8::1,203.0.113.9":            "[2001:db8::1]:0",
		"203.0.113.9":                                  "",
		"":                                             "",
		"nobody, 203.0.113.9":                          "",
		"198.51.100.7, somebody, 203.0.113.9":          "",
		"198.51.100.7\r\nx: y, 203.0.113.9, 192.0.2.1": "203.0.113.9:0",
	} {
		var got string
		h := lambdahttp.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = lambdahttp.Before(r.Context()) }))
		e := event(func(e *events.APIGatewayV2HTTPRequest) { e.Headers["x-forwarded-for"] = forwarded })
		if _, err := h(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(forwarded, "\r\n") {
			want = "" // such a header is refused before
		}
		if got != want {
			t.Errorf("%q: %q, want %q", forwarded, got, want)
		}
	}
}

func TestClaimsAreThoseOfTheAuthorizer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		authorizer *events.APIGatewayV2HTTPRequestContextAuthorizerDescription
		want       map[string]string
		ok         bool
	}{
		"no authorizer":         {nil, nil, false},
		"an authorizer without": {&events.APIGatewayV2HTTPRequestContextAuthorizerDescription{}, nil, false},
		"a token":               {jwt(map[string]string{"sub": "op-1", "cognito:groups": "[handler]"}), map[string]string{"sub": "op-1", "cognito:groups": "[handler]"}, true},
		"a token without any":   {jwt(nil), map[string]string{}, true},
	}
	for name, c := range tests {
		r, _, _ := send(t, event(func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Authorizer = c.authorizer }))
		if got, ok := lambdahttp.Claims(r.Context()); ok != c.ok || !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
}

func jwt(claims map[string]string) *events.APIGatewayV2HTTPRequestContextAuthorizerDescription {
	return &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims}}
}

func TestPathsAndRoutes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		route, stage, raw string
		want              string // empty: refused
		status            int
	}{
		"the root":                        {"POST /", "$default", "/", "/", 200},
		"a variable":                      {"POST /r/{token}", "$default", "/r/abc", "/r/abc", 200},
		"an encoded letter":               {"POST /r/{token}", "$default", "/r/%61bc", "/r/abc", 200},
		"a letter of another alphabet":    {"POST /r/{token}", "$default", "/r/%C3%A9", "/r/é", 200},
		"any method":                      {"ANY /r/{token}", "$default", "/r/abc", "/r/abc", 200},
		"the default route":               {"$default", "$default", "/anything/at/all", "/anything/at/all", 200},
		"a stage":                         {"POST /r/{token}", "dev", "/dev/r/abc", "/r/abc", 200},
		"a stage's root":                  {"POST /", "dev", "/dev", "/", 200},
		"a stage behind its own domain":   {"POST /r/{token}", "dev", "/r/abc", "/r/abc", 200},
		"a path that begins as the stage": {"POST /developers", "dev", "/developers", "/developers", 200},

		"another route's path":         {"POST /r/{token}", "$default", "/v1/operator/requests", "", 404},
		"another method's route":       {"GET /r/{token}", "$default", "/r/abc", "", 404},
		"less than the route":          {"POST /r/{token}", "$default", "/r", "", 404},
		"more than the route":          {"POST /r/{token}", "$default", "/r/abc/def", "", 404},
		"an empty variable":            {"POST /r/{token}", "$default", "/r/", "", 404},
		"no route":                     {"", "$default", "/r/abc", "", 404},
		"an encoded slash":             {"POST /r/{token}", "$default", "/r/..%2Fv1%2Foperator", "", 400},
		"an encoded slash anywhere":    {"$default", "$default", "/r/a%2Fb", "", 400},
		"a slash encoded twice":        {"POST /r/{token}", "$default", "/r/..%252Fv1", "", 400},
		"a way up":                     {"$default", "$default", "/r/../v1", "", 400},
		"a way up, encoded":            {"$default", "$default", "/r/%2e%2e/v1", "", 400},
		"a dot":                        {"$default", "$default", "/r/./v1", "", 400},
		"two slashes":                  {"$default", "$default", "//r/abc", "", 400},
		"a backslash":                  {"$default", "$default", "/r/a\\b", "", 400},
		"a line break":                 {"$default", "$default", "/r/a%0Ab", "", 400},
		"a zero byte":                  {"$default", "$default", "/r/a%00", "", 400},
		"half an escape":               {"$default", "$default", "/r/%4", "", 400},
		"bytes that are no text":       {"$default", "$default", "/r/%ff", "", 400},
		"a question mark in the path":  {"$default", "$default", "/r/a%3Fb", "", 400},
		"nothing":                      {"$default", "$default", "", "", 400},
		"no slash at the beginning":    {"$default", "$default", "r/abc", "", 400},
		"an address instead of a path": {"$default", "$default", "https://evil.example/", "", 400},
	}
	for name, c := range tests {
		r, _, resp := send(t, event(func(e *events.APIGatewayV2HTTPRequest) {
			e.RouteKey, e.RequestContext.Stage, e.RawPath = c.route, c.stage, c.raw
		}))
		var got string
		if r != nil {
			got = r.URL.Path
		}
		if got != c.want || resp.StatusCode != c.status {
			t.Errorf("%s: %q and %d, want %q and %d", name, got, resp.StatusCode, c.want, c.status)
		}
	}
}

func TestWhatIsWrongWithAnEventIsTheCallersToHear(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*events.APIGatewayV2HTTPRequest)
		status int
		code   string // empty: it is handed on
	}{
		"nothing":                       {func(*events.APIGatewayV2HTTPRequest) {}, 200, ""},
		"a method of nobody's":          {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "BREW" }, 400, "bad_method"},
		"a method in small letters":     {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "post" }, 400, "bad_method"},
		"no method":                     {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "" }, 400, "bad_method"},
		"half an escape in the query":   {func(e *events.APIGatewayV2HTTPRequest) { e.RawQueryString = "a=%2" }, 400, "bad_query"},
		"a line break in the query":     {func(e *events.APIGatewayV2HTTPRequest) { e.RawQueryString = "a=1\nb" }, 400, "bad_query"},
		"a line break in a header":      {func(e *events.APIGatewayV2HTTPRequest) { e.Headers["x-a"] = "1\r\nx-b: 2" }, 400, "bad_header"},
		"a header's name with a colon":  {func(e *events.APIGatewayV2HTTPRequest) { e.Headers["x-a:"] = "1" }, 400, "bad_header"},
		"a line break in a cookie":      {func(e *events.APIGatewayV2HTTPRequest) { e.Cookies = []string{"a=1\r\nx: y"} }, 400, "bad_header"},
		"base64 that is none":           {func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "%%%", true }, 400, "bad_body"},
		"the largest body":              {func(e *events.APIGatewayV2HTTPRequest) { e.Body = strings.Repeat("x", lambdahttp.MaxBody) }, 200, ""},
		"a byte more":                   {func(e *events.APIGatewayV2HTTPRequest) { e.Body = strings.Repeat("x", lambdahttp.MaxBody+1) }, 413, "too_large"},
		"the largest body, encoded":     {func(e *events.APIGatewayV2HTTPRequest) { encoded(e, lambdahttp.MaxBody) }, 200, ""},
		"a byte more, encoded":          {func(e *events.APIGatewayV2HTTPRequest) { encoded(e, lambdahttp.MaxBody+1) }, 413, "too_large"},
		"a hundred bytes more, encoded": {func(e *events.APIGatewayV2HTTPRequest) { encoded(e, lambdahttp.MaxBody+100) }, 413, "too_large"},
	}
	for name, c := range tests {
		e := event(c.change)
		r, _, resp := send(t, e)
		var problem struct{ Code, Title, Detail string }
		if c.code != "" {
			if err := json.Unmarshal([]byte(resp.Body), &problem); err != nil || problem.Title == "" || problem.Detail == "" || resp.Headers["Content-Type"] != "application/problem+json" {
				t.Errorf("%s: %v in %q", name, err, resp.Body)
			}
		}
		if resp.StatusCode != c.status || problem.Code != c.code || (r == nil) != (c.code != "") {
			t.Errorf("%s: %d %q, handed on: %t; want %d %q", name, resp.StatusCode, problem.Code, r != nil, c.status, c.code)
		}
	}
}

func encoded(e *events.APIGatewayV2HTTPRequest, size int) {
	e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(make([]byte, size)), true
}

func TestBodiesOfBothWays(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"nothing": "", "text": "déjà vu", "bytes": "PK\x03\x04\xff\xfe", "a form": "right=access&email=ada%40example.org"} {
		for _, encode := range []bool{false, true} {
			if !encode && !utf8.ValidString(body) {
				continue // JSON cannot carry it
			}
			e := event(func(e *events.APIGatewayV2HTTPRequest) {
				e.Body, e.IsBase64Encoded = body, encode
				if encode {
					e.Body = base64.StdEncoding.EncodeToString([]byte(body))
				}
			})
			_, got, resp := send(t, e)
			if got != body || decoded(t, resp) != body {
				t.Errorf("%s, encoded %t: handed on %q, answered %q", name, encode, got, decoded(t, resp))
			}
			if resp.IsBase64Encoded == utf8.ValidString(body) {
				t.Errorf("%s: the answer is encoded: %t", name, resp.IsBase64Encoded)
			}
		}
	}
}

func decoded(tb testing.TB, resp events.APIGatewayV2HTTPResponse) string {
	tb.Helper()
	if !resp.IsBase64Encoded {
		return resp.Body
	}
	b, err := base64.StdEncoding.DecodeString(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestAnAnswerIsWhatTheHandlerWrote(t *testing.T) {
	t.Parallel()
	write := func(s string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _, _ = io.WriteString(w, s) }
	}
	tests := map[string]struct {
		method  string
		handler func(http.ResponseWriter)
		status  int
		headers map[string]string
		cookies []string
		body    string
	}{
		"nothing at all":       {"", func(http.ResponseWriter) {}, 200, map[string]string{}, nil, ""},
		"a type that is found": {"", write("<!DOCTYPE html>"), 200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, nil, "<!DOCTYPE html>"},
		"values of one header, and two cookies": {"", func(w http.ResponseWriter) {
			w.Header().Add("Vary", "Accept-Language")
			w.Header().Add("Vary", "Sec-GPC")
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
			w.WriteHeader(http.StatusSeeOther)
		}, 303, map[string]string{"Vary": "Accept-Language, Sec-GPC"}, []string{"a=1", "b=2"}, ""},
		"the first status counts": {"", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot)
		}, 202, map[string]string{}, nil, ""},
		"a header after the status comes late": {"", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusAccepted)
			w.Header().Set("X-Late", "1")
		}, 202, map[string]string{}, nil, ""},
		"a line break in a header": {"", func(w http.ResponseWriter) {
			w.Header().Set("Location", "/a\r\nSet-Cookie: b=1")
			w.WriteHeader(http.StatusSeeOther)
		}, 303, map[string]string{"Location": "/a  Set-Cookie: b=1"}, nil, ""},
		"what the gateway says itself": {"", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5")
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusOK)
		}, 200, map[string]string{}, nil, ""},
		"no body where none may be": {"", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusNoContent)
			_, _ = io.WriteString(w, "x")
		}, 204, map[string]string{}, nil, ""},
		"headers alone":    {http.MethodHead, write("hello"), 200, map[string]string{"Content-Type": "text/plain; charset=utf-8"}, nil, ""},
		"the largest":      {"", write(strings.Repeat("x", 4<<20)), 200, map[string]string{"Content-Type": "text/plain; charset=utf-8"}, nil, strings.Repeat("x", 4<<20)},
		"larger than that": {"", write(strings.Repeat("x", 4<<20+1)), 500, map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store"}, nil, "internal"},
		"a status of none": {"", func(w http.ResponseWriter) { w.WriteHeader(999) }, 500, map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store"}, nil, "internal"},
	}
	for name, c := range tests {
		h := lambdahttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.handler(w) }))
		resp, err := h(t.Context(), event(func(e *events.APIGatewayV2HTTPRequest) {
			if c.method != "" {
				e.RequestContext.HTTP.Method, e.RouteKey = c.method, "ANY "+e.RawPath
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.status || !maps.Equal(resp.Headers, c.headers) || !slices.Equal(resp.Cookies, c.cookies) {
			t.Errorf("%s: %d %v %v; want %d %v %v", name, resp.StatusCode, resp.Headers, resp.Cookies, c.status, c.headers, c.cookies)
		}
		if c.body == "internal" && strings.Contains(resp.Body, `"code":"internal"`) {
			continue
		}
		if resp.Body != c.body {
			t.Errorf("%s: body of %d bytes, want %d", name, len(resp.Body), len(c.body))
		}
	}
}

func TestCompressedAnswersAreEncoded(t *testing.T) {
	t.Parallel()
	h := lambdahttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "which happens to be text")
	}))
	resp, err := h(t.Context(), event(nil))
	if err != nil || !resp.IsBase64Encoded || decoded(t, resp) != "which happens to be text" {
		t.Errorf("%+v, %v", resp, err)
	}
}

// The recorded events go through a ServeMux as the product has it.
func TestRecordedEventsArriveAtTheirRoutes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../events/requests/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".want.json") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var e events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		reached := httptest.NewRecorder()
		mux := http.NewServeMux()
		mux.HandleFunc(e.RouteKey, func(w http.ResponseWriter, r *http.Request) {
			for name, want := range e.PathParameters {
				if got := r.PathValue(name); got != want {
					t.Errorf("%s: {%s} is %q, want %q", file, name, got, want)
				}
			}
			reached.WriteHeader(http.StatusNoContent)
			w.WriteHeader(http.StatusNoContent)
		})
		resp, err := lambdahttp.Handler(mux)(t.Context(), e)
		if err != nil || resp.StatusCode != http.StatusNoContent || reached.Code != http.StatusNoContent {
			t.Errorf("%s: %d %s, %v", file, resp.StatusCode, resp.Body, err)
		}
	}
}

// FuzzEvent: whatever the event, there is an answer, and what reaches a handler
// keeps the promises of the package comment.
func FuzzEvent(f *testing.F) {
	for _, e := range []events.APIGatewayV2HTTPRequest{
		event(nil),
		event(func(e *events.APIGatewayV2HTTPRequest) { encoded(e, 10) }),
		event(func(e *events.APIGatewayV2HTTPRequest) { e.RawPath, e.RequestContext.Stage = "/dev/r/%61", "dev" }),
		event(func(e *events.APIGatewayV2HTTPRequest) {
			e.RouteKey, e.RequestContext.Authorizer = "$default", jwt(nil)
		}),
	} {
		b, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e events.APIGatewayV2HTTPRequest
		if json.Unmarshal(b, &e) != nil {
			return
		}
		r, body, resp := send(t, e)
		if resp.StatusCode < 200 || resp.StatusCode > 599 {
			t.Errorf("status %d", resp.StatusCode)
		}
		if r == nil {
			return
		}
		if got := decoded(t, resp); got != body && e.RequestContext.HTTP.Method != http.MethodHead {
			t.Errorf("answered %q, want %q", got, body)
		}
		if len(body) > lambdahttp.MaxBody {
			t.Errorf("a body of %d bytes was handed on", len(body))
		}
		if p := r.URL.Path; !strings.HasPrefix(p, "/") || strings.Contains(p, "//") || slices.Contains(strings.Split(p, "/"), "..") || strings.ContainsAny(p, "%\\\r\n\x00") {
			t.Errorf("the path %q was handed on", p)
		}
		if r.RemoteAddr != "" {
			if _, err := netip.ParseAddrPort(r.RemoteAddr); err != nil {
				t.Errorf("RemoteAddr %q", r.RemoteAddr)
			}
		}
		for name, values := range r.Header {
			if strings.HasPrefix(name, "X-Forwarded-") || strings.ContainsAny(name+strings.Join(values, ""), "\r\n") {
				t.Errorf("the header %q was handed on", name)
			}
		}
		// net/http agrees that this is a request.
		if _, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL.String(), http.NoBody); err != nil {
			t.Errorf("net/http refuses the request: %v", err)
		}
	})
}
