package httpapi

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"
)

// How an app signs; docs/apps.md tells its developers. The name of the version is
// the first part of what is signed, so that another scheme's signature never fits.
const (
	appScheme  = "Rightsdesk"
	appVersion = "rightsdesk-app-v1"

	// appSkew is how far apart an app's clock and ours may be: a captured call is
	// of no use later, and of none before that, because its signature is its key.
	appSkew = 5 * time.Minute
	// minAppKey is the shortest key, in characters.
	minAppKey = 32
)

// Faults that apps and browsers meet. Who cannot be told apart from nobody is told
// the same: which apps there are is no business of whoever cannot sign.
var (
	errSignature = fault.New(fault.Unauthenticated, "invalid_signature", "The call is not signed by an app of the policy; docs/apps.md says how to sign.")
	errSignTime  = fault.New(fault.Unauthenticated, "signature_time", "The signature is more than five minutes away from our clock; set yours, and sign every call anew.")
	errGrant     = fault.New(fault.Forbidden, "app_not_granted", "The policy does not let this app do that; its grants stand in the policy file under apps.")
	errAppKeys   = fault.New(fault.Unavailable, "try_again", "The keys of apps cannot be read just now; try the same call again in a moment.").After(5 * time.Second)
)

// grants is what an app needs to call a route. A route that is not here wants no
// more than a signature.
var grants = map[string]policy.Grant{
	"POST /v1/consents":        policy.MayConsents,
	"POST /v1/signals":         policy.MayConsents,
	"POST /v1/receipts":        policy.MayConsents,
	"POST /v1/app/preferences": policy.MayConsents,
	"POST /v1/app/links":       policy.MayConsents,
	"POST /v1/decisions":       policy.MayDecisions,
	"POST /v1/app/requests":    policy.MayRequests,

	"POST /v1/app/closures":        policy.MayClosures,
	"POST /v1/app/closures/status": policy.MayClosures,
	"POST /v1/app/closures/cancel": policy.MayClosures,
	"POST /v1/app/events":          policy.MayLifecycle,
	"POST /v1/app/import-guard":    policy.MayImport,
	"POST /v1/app/intake":          policy.MayIntake,
}

// AppKeys reads what stands in an app's secret: one key a line, the newest first.
// Lines that are too short for a key are passed over.
func AppKeys(secret string) [][]byte {
	var keys [][]byte
	for line := range strings.Lines(secret) {
		if line = strings.TrimSpace(line); len(line) >= minAppKey {
			keys = append(keys, []byte(line))
		}
	}
	return keys
}

// SignApp returns the Authorization header with which an app signs a call. The
// path is that of the route, with the query; attempt is the Idempotency-Key, if any.
func SignApp(key []byte, app, method, path, attempt string, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	return fmt.Sprintf("%s app=%s, time=%s, signature=%s", appScheme, app, seconds, hex.EncodeToString(signature(key, method, path, seconds, attempt, body)))
}

func signature(key []byte, method, path, seconds, attempt string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{appVersion, method, path, seconds, attempt} {
		_, _ = io.WriteString(mac, part) // a hash never fails to write
		_, _ = mac.Write([]byte{'\n'})
	}
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}

// signed is what an app's Authorization header says.
type signed struct{ app, seconds, mac string }

// parseSigned reads the header. Each part stands once and nothing else does.
func parseSigned(r *http.Request) (signed, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return signed{}, false
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, appScheme) {
		return signed{}, false
	}
	var s signed
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		field := map[string]*string{"app": &s.app, "time": &s.seconds, "signature": &s.mac}[name]
		if field == nil || *field != "" || value == "" {
			return signed{}, false
		}
		*field = value
	}
	return s, s.app != "" && len(s.seconds) > 0 && len(s.seconds) <= 12 && len(s.mac) == hex.EncodedLen(sha256.Size)
}

// admitApp lets a call pass that an app of the policy has signed. Whoever is
// refused is refused alike and at the same cost: an app that is not there is
// looked up, read anew and compared with like one that is.
func (env Env) admitApp(route topology.Route, r *http.Request) (*http.Request, error) {
	s, ok := parseSigned(r)
	if !ok {
		return r, errSignature
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		if f := tooLarge(err); f != nil {
			return r, f
		}
		return r, errJSON.Because(errors.New("the body broke off"))
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	mac, err := hex.DecodeString(s.mac)
	if err != nil {
		return r, errSignature
	}
	sign := func(key []byte) []byte {
		return signature(key, r.Method, r.URL.RequestURI(), s.seconds, r.Header.Get("Idempotency-Key"), body)
	}
	fits, err := env.genuine(r.Context(), s.app, mac, sign, false)
	if err == nil && !fits {
		fits, err = env.genuine(r.Context(), s.app, mac, sign, true) // the key may be newer than what we know
	}
	if err != nil {
		return r, err
	}
	app, known := env.Policy.App(s.app)
	if !fits || !known {
		return r, errSignature
	}
	seconds, err := strconv.ParseInt(s.seconds, 10, 64)
	if err != nil {
		return r, errSignTime.Because(err)
	}
	if off := env.Consents.Now().Sub(time.Unix(seconds, 0)); off.Abs() > appSkew {
		return r, errSignTime
	}
	if g, ok := grants[route.Pattern]; ok && !slices.Contains(app.May, g) {
		return r, errGrant
	}
	c := caller{app: app.ID, signature: strings.ToLower(s.mac)}
	return r.WithContext(withCaller(r.Context(), c)), nil
}

// genuine reports whether one of an app's keys made a signature.
func (env Env) genuine(ctx context.Context, app string, mac []byte, sign func([]byte) []byte, fresh bool) (bool, error) {
	keys, err := env.Keys(ctx, app, fresh)
	if err != nil {
		return false, errAppKeys.Because(err)
	}
	found := false
	for _, key := range keys {
		found = hmac.Equal(mac, sign(key)) || found
	}
	if len(keys) == 0 {
		_ = sign(make([]byte, minAppKey)) // for the time that it takes
	}
	return found, nil
}

// caller is who admit let in on a route of consents.
type caller struct {
	app       string // empty: no app
	signature string
	link      consent.Link // of a person
}

type callerKey struct{}

func withCaller(ctx context.Context, c caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(r *http.Request) caller {
	c, _ := r.Context().Value(callerKey{}).(caller) // a browser has none
	return c
}

// attempt is what a call's repetition is known by; the domain keeps the keys of
// different callers apart. What an app signed without a key has its signature for
// one: whoever captured the call cannot play it again.
func attempt(r *http.Request, raw string) (consent.Attempt, error) {
	key, err := idempotencyKey(r)
	if c := callerOf(r); key == "" && c.app != "" {
		key = "signature " + c.signature
	}
	return consent.Attempt{Key: key, Body: raw}, err
}
