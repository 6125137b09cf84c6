package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/topology"
)

var (
	shopKey  = []byte("the-shop's-key-of-32-characters!")
	olderKey = []byte("the-shop's-older-key-is-as-long.")
	deskKey  = []byte("the-desk's-key-of-32-characters!")
)

// gate is one route behind admit, which says who came in.
type gate struct {
	http.Handler
	at    time.Time
	asked []string // the keys that were looked up: shop, or shop fresh
	fails error
	log   bytes.Buffer
}

func newGate(t *testing.T, pattern string, who topology.Caller) *gate {
	t.Helper()
	g := &gate{at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	pol := &policy.Policy{
		Apps: []policy.App{
			{ID: "shop", May: []policy.Grant{
				policy.MayConsents, policy.MayDecisions, policy.MayRequests, policy.MayClosures, policy.MayLifecycle, policy.MayImport, policy.MayIntake,
			}},
			{ID: "desk", May: []policy.Grant{policy.MayDecisions}},
			{ID: "mute"},
		},
		Browsers: policy.Browsers{Origins: []string{"https://www.example.com"}},
	}
	env := Env{
		Policy: pol, Log: slog.New(slog.NewTextHandler(&g.log, nil)),
		Consents: &consent.Service{Policy: pol, Now: func() time.Time { return g.at }, Keys: seal.Keys{Ring: seal.NewRing()}},
		Keys: func(_ context.Context, app string, fresh bool) ([][]byte, error) {
			g.asked = append(g.asked, strings.TrimSuffix(fmt.Sprintf("%s %t", app, fresh), " false"))
			return map[string][][]byte{"shop": {shopKey, olderKey}, "desk": {deskKey}, "gone": {shopKey}}[app], g.fails
		},
	}
	g.Handler = env.serve(topology.Route{Pattern: pattern, Caller: who}, func(w http.ResponseWriter, r *http.Request) error {
		var b struct {
			A int `json:"a"`
		}
		raw, err := read(r, &b)
		if err != nil {
			return err
		}
		at, err := attempt(r, raw)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s: %s", callerOf(r).app, at.Key)
		return err
	})
	return g
}

// call makes a call of the gate. Headers are pairs.
func (g *gate) call(t *testing.T, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

const decide = "POST /v1/decisions"

func TestAnAppIsKnownByItsSignature(t *testing.T) {
	t.Parallel()
	g := newGate(t, decide, topology.App)
	const path, body = "/v1/decisions?a=%20b", `{"a":1}`
	for name, key := range map[string][]byte{"the newest key": shopKey, "the key before it": olderKey} {
		auth := SignApp(key, "shop", "POST", path, "k1", g.at, []byte(body))
		if w := g.call(t, "POST", path, body, "Authorization", auth, "Idempotency-Key", "k1"); w.Code != http.StatusOK || w.Body.String() != "shop: k1" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	// Without a key of its own a call has its signature for one, in one spelling.
	auth := SignApp(shopKey, "shop", "POST", path, "", g.at, []byte(body))
	first := g.call(t, "POST", path, body, "Authorization", auth).Body.String()
	again := g.call(t, "POST", path, body, "Authorization", strings.ToUpper(auth[:11])+auth[11:strings.Index(auth, "re=")+3]+strings.ToUpper(auth[strings.Index(auth, "re=")+3:])).Body.String()
	other := g.call(t, "POST", path, body, "Authorization", SignApp(shopKey, "shop", "POST", path, "", g.at.Add(time.Second), []byte(body))).Body.String()
	if !strings.HasPrefix(first, "shop: signature ") || strings.ToLower(again) != first || again != first || other == first {
		t.Errorf("the same signature: %q, spelled in another way: %q, another second: %q", first, again, other)
	}
	if slices.Contains(g.asked, "shop true") {
		t.Error("keys that fit were read anew")
	}
}

func TestWhatIsNotSignedAsItCameIsRefused(t *testing.T) {
	t.Parallel()
	g := newGate(t, decide, topology.App)
	const path, body = "/v1/decisions", `{"a":1}`
	sign := func(key []byte, app, method, path, attempt string, at time.Time, body string) string {
		return SignApp(key, app, method, path, attempt, at, []byte(body))
	}
	good := sign(shopKey, "shop", "POST", path, "", g.at, body)
	_, rest, _ := strings.Cut(good, " ")
	cases := map[string][]string{
		"another key":                    {"Authorization", sign(deskKey, "shop", "POST", path, "", g.at, body)},
		"another app's key":              {"Authorization", sign(shopKey, "desk", "POST", path, "", g.at, body)},
		"another method":                 {"Authorization", sign(shopKey, "shop", "PUT", path, "", g.at, body)},
		"another path":                   {"Authorization", sign(shopKey, "shop", "POST", "/v1/consents", "", g.at, body)},
		"another query":                  {"Authorization", sign(shopKey, "shop", "POST", path+"?a=1", "", g.at, body)},
		"another body":                   {"Authorization", sign(shopKey, "shop", "POST", path, "", g.at, body+" ")},
		"another time":                   {"Authorization", strings.Replace(good, "time=1", "time=2", 1)},
		"a key that was not signed":      {"Authorization", good, "Idempotency-Key", "k"},
		"a key that was taken off":       {"Authorization", sign(shopKey, "shop", "POST", path, "k", g.at, body)},
		"another attempt":                {"Authorization", sign(shopKey, "shop", "POST", path, "k", g.at, body), "Idempotency-Key", "l"},
		"an app that is not there":       {"Authorization", sign(shopKey, "nobody", "POST", path, "", g.at, body)},
		"an app that was taken off":      {"Authorization", sign(shopKey, "gone", "POST", path, "", g.at, body)},
		"an app without a key":           {"Authorization", sign(make([]byte, minAppKey), "mute", "POST", path, "", g.at, body)},
		"no app, the key of nobody":      {"Authorization", sign(make([]byte, minAppKey), "nobody", "POST", path, "", g.at, body)},
		"nothing":                        {},
		"an empty header":                {"Authorization", ""},
		"two headers":                    {"Authorization", good, "Authorization", good},
		"two headers in one":             {"Authorization", good + ", " + good},
		"another scheme":                 {"Authorization", "Bearer " + rest},
		"a part twice":                   {"Authorization", good + ", app=shop"},
		"a part that is not known":       {"Authorization", good + ", version=1"},
		"an empty part":                  {"Authorization", strings.Replace(good, "app=shop", "app=", 1)},
		"no time":                        {"Authorization", "Rightsdesk app=shop, signature=" + strings.Repeat("0", 64)},
		"a signature cut short":          {"Authorization", good[:len(good)-2]},
		"a signature that is no hex":     {"Authorization", good[:len(good)-2] + "zz"},
		"a time without end":             {"Authorization", strings.Replace(good, "time=", "time=0000000000000", 1)},
		"a header that is only a scheme": {"Authorization", "Rightsdesk"},
	}
	answers := map[string]bool{}
	for name, headers := range cases {
		w := g.call(t, "POST", path, body, headers...)
		if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Rightsdesk" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		answers[w.Body.String()] = true
	}
	if len(answers) != 1 {
		t.Errorf("the refusals tell what was wrong: %v", answers)
	}
	if log := g.log.String(); strings.Contains(log, string(shopKey)) || strings.Contains(log, rest[len(rest)-20:]) {
		t.Errorf("the log holds a key or a signature: %s", log)
	}
}

// Who is not there costs what somebody costs who is there and cannot sign.
func TestAnAppThatIsNotThereIsLookedForAlike(t *testing.T) {
	t.Parallel()
	for _, app := range []string{"shop", "mute", "nobody"} {
		g := newGate(t, decide, topology.App)
		g.call(t, "POST", "/v1/decisions", "", "Authorization", SignApp([]byte("no key of anybody's, but as long"), app, "POST", "/v1/decisions", "", g.at, nil))
		if !slices.Equal(g.asked, []string{app, app + " true"}) {
			t.Errorf("for %s the keys of %v were looked up", app, g.asked)
		}
	}
}

func TestASignatureIsOfNow(t *testing.T) {
	t.Parallel()
	g := newGate(t, decide, topology.App)
	for off, want := range map[time.Duration]int{
		-appSkew: http.StatusOK, appSkew: http.StatusOK, -appSkew - time.Second: http.StatusUnauthorized, appSkew + time.Second: http.StatusUnauthorized,
		-100 * 365 * 24 * time.Hour: http.StatusUnauthorized, 100 * 365 * 24 * time.Hour: http.StatusUnauthorized,
	} {
		w := g.call(t, "POST", "/v1/decisions", "", "Authorization", SignApp(shopKey, "shop", "POST", "/v1/decisions", "", g.at.Add(off), nil))
		if w.Code != want || want != http.StatusOK && !strings.Contains(w.Body.String(), `"signature_time"`) {
			t.Errorf("a signature %v from our time: %d %s", off, w.Code, w.Body)
		}
	}
	// Whoever cannot sign is not told about times.
	w := g.call(t, "POST", "/v1/decisions", "", "Authorization", SignApp(deskKey, "shop", "POST", "/v1/decisions", "", g.at.Add(-time.Hour), nil))
	if !strings.Contains(w.Body.String(), `"invalid_signature"`) {
		t.Error(w.Body)
	}
}

func TestAnAppDoesWhatThePolicyLetsIt(t *testing.T) {
	t.Parallel()
	for _, fn := range topology.All {
		for _, route := range fn.Routes {
			if route.Caller != topology.App && route.Caller != topology.Browser {
				continue
			}
			g := newGate(t, route.Pattern, route.Caller)
			call := func(app string, key []byte) int {
				return g.call(t, route.Method(), route.Path(), "", "Authorization", SignApp(key, app, route.Method(), route.Path(), "", g.at, nil)).Code
			}
			want := http.StatusForbidden
			if grant, wanted := grants[route.Pattern]; grant == policy.MayDecisions || !wanted && route.Method() == http.MethodGet {
				want = http.StatusOK
			} else if !wanted {
				t.Errorf("%s changes something, and no grant is wanted", route.Pattern)
			}
			if got := call("desk", deskKey); got != want {
				t.Errorf("%s by an app that may only ask for decisions = %d, want %d", route.Pattern, got, want)
			}
			if got := call("shop", shopKey); got != http.StatusOK {
				t.Errorf("%s by an app that may everything = %d", route.Pattern, got)
			}
		}
	}
}

func TestKeysThatCannotBeReadAreNoRefusal(t *testing.T) {
	t.Parallel()
	g := newGate(t, decide, topology.App)
	g.fails = errors.New("throttled by 10.0.0.7")
	w := g.call(t, "POST", "/v1/decisions", "", "Authorization", SignApp(shopKey, "shop", "POST", "/v1/decisions", "", g.at, nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestASignedBodyHasItsLimit(t *testing.T) {
	t.Parallel()
	g := newGate(t, decide, topology.App)
	body := strings.Repeat(" ", maxBody+1)
	w := g.call(t, "POST", "/v1/decisions", body, "Authorization", SignApp(shopKey, "shop", "POST", "/v1/decisions", "", g.at, []byte(body)))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestABrowserIsNobodyElse(t *testing.T) {
	t.Parallel()
	g := newGate(t, "POST /v1/consents", topology.Browser)
	if w := g.call(t, "POST", "/v1/consents", "", "Idempotency-Key", "k"); w.Code != http.StatusOK || w.Body.String() != ": k" {
		t.Errorf("a browser: %d %s", w.Code, w.Body)
	}
	if w := g.call(t, "POST", "/v1/consents", ""); w.Body.String() != ": " {
		t.Errorf("a browser without a key: %s", w.Body)
	}
	// Who claims to be somebody is not let in as nobody.
	for _, auth := range []string{"", "Bearer x", "Rightsdesk", SignApp(deskKey, "shop", "POST", "/v1/consents", "", g.at, nil)} {
		if w := g.call(t, "POST", "/v1/consents", "", "Authorization", auth); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Rightsdesk" {
			t.Errorf("with the credential %.10q: %d %s", auth, w.Code, w.Body)
		}
	}
}

func TestTheSecretHoldsOneKeyALine(t *testing.T) {
	t.Parallel()
	keys := AppKeys("  " + string(shopKey) + "\r\n\nshort\n" + string(olderKey))
	if len(keys) != 2 || !bytes.Equal(keys[0], shopKey) || !bytes.Equal(keys[1], olderKey) {
		t.Errorf("%q", keys)
	}
	if keys := AppKeys(""); len(keys) != 0 {
		t.Errorf("an empty secret holds %q", keys)
	}
}

// The signature that docs/apps.md shows.
func TestTheSignatureOfThePage(t *testing.T) {
	t.Parallel()
	got := SignApp([]byte("0123456789abcdef0123456789abcdef"), "shop", "POST", "/v1/decisions", "", time.Unix(1772452800, 0), []byte(`{"subject":{"type":"account","value":"acc-1001"},"purposes":["newsletter"]}`))
	const want = "Rightsdesk app=shop, time=1772452800, signature=1248b55b147666d139dbcc510f13688483bbca8c3cf92c8a7603fc49a1f1c0ed"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
