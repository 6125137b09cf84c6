// Package httpapi is the HTTP edge: it joins the routes of a topology entry
// with their handlers, checks who calls, decodes input strictly, and turns what
// the domain returns into JSON, pages and problem documents (RFC 9457).
//
// It holds no rule of the field: those are the domain's. It knows no AWS and no
// clock. boot and infra/local import it.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"rightsdesk/shared/certificate"
	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/erasure"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/page"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/retention"
	"rightsdesk/shared/topology"
)

// Env is what handlers work with.
type Env struct {
	Requests *request.Service
	Consents *consent.Service
	// What the function closure serves.
	Closures  *closure.Service
	Erasure   *erasure.Service
	Holds     *hold.Service
	Intake    *intake.Service
	Lifecycle *lifecycle.Service
	Restore   *restore.Service
	Retention *retention.Service
	Policy    *policy.Policy
	Log       *slog.Logger
	// Editions is what the function notice publishes.
	Editions *edition.Book
	// Shut, if not nil, is why nobody but operators is served: the installation is not
	// open.
	Shut error
	// Edge reports whether a call came by the edge that stands before the API, from the
	// header that it sent along; nil if there is no edge. Then Before returns who called
	// the edge, in the form of RemoteAddr, or nothing.
	Edge   func(ctx context.Context, header string) bool
	Before func(context.Context) string
	// Operator says who signed in, or that nobody did. In AWS the authorizer has
	// checked the token; on a laptop a development key is compared.
	Operator func(*http.Request) (operator.Identity, bool)
	// Keys returns the service keys of an app of the policy, the newest first, and
	// none for any other. Fresh asks to read them anew, because a key may have been
	// replaced since; who may ask so is anybody, so it bounds how often it does.
	Keys func(ctx context.Context, app string, fresh bool) ([][]byte, error)
	// Receipts and Certificates make and sign what people take home.
	Receipts     *receipt.Maker
	Certificates *certificate.Maker
	// Downloads are the hosts that a page's form may be redirected to: where
	// packages are kept.
	Downloads []string
	// NoMail says that nobody is written to: what needs a mailed code is not offered.
	NoMail bool
	// Local marks pages of a laptop: they link to the mailbox and the clock.
	Local bool
}

// Handler answers a request or returns why it does not.
type Handler func(http.ResponseWriter, *http.Request) error

// Set is the handlers of a function, by the pattern of their route.
type Set map[string]Handler

// Sets returns the handlers of every function that has routes, by its name.
func Sets(env Env) map[string]Set {
	return map[string]Set{
		topology.Requests.Name: requestRoutes(env),
		topology.Consent.Name:  consentRoutes(env),
		topology.Closure.Name:  closureRoutes(env),
		topology.Notice.Name:   noticeRoutes(env),
	}
}

// Mux serves the routes of a function. It refuses to start when a route has no
// handler or a handler no route: neither may be found out by a person.
func Mux(env Env, fn topology.Function, set Set) (*http.ServeMux, error) {
	mux := http.NewServeMux()
	if err := Register(mux, env, fn, set); err != nil {
		return nil, err
	}
	return mux, nil
}

// Register adds the routes of a function to a mux that may serve others too.
func Register(mux *http.ServeMux, env Env, fn topology.Function, set Set) error {
	left := maps.Clone(set)
	for _, r := range fn.Routes {
		h, ok := left[r.Pattern]
		if !ok {
			return fmt.Errorf("httpapi: route %q of %s has no handler", r.Pattern, fn.Name)
		}
		delete(left, r.Pattern)
		pattern := r.Pattern
		if strings.HasSuffix(pattern, "/") {
			pattern += "{$}" // API Gateway means this path alone, ServeMux would mean all below it
		}
		mux.Handle(pattern, env.serve(r, h))
	}
	if len(left) > 0 {
		return fmt.Errorf("httpapi: %s has handlers without a route: %v", fn.Name, slices.Sorted(maps.Keys(left)))
	}
	return nil
}

// maxBody is the largest body that a route takes, in bytes, and maxLetter that of
// one that takes files: Lambda gets 6 MB, of which base64 needs a quarter.
const (
	maxBody   = 64 << 10
	maxLetter = 4352 << 10
	// maxPolicy is a policy file in JSON, in which each line's end takes a byte more.
	maxPolicy = 5 * policy.MaxFile / 4
)

// takesFiles are the routes that take files. Both have checked a token of ours
// before they read.
var takesFiles = []string{"POST /v1/requests/{id}/messages", "POST /r/{token}"}

// takesPolicies are the routes that take a policy file. An operator signed in before
// they read.
var takesPolicies = []string{"POST /v1/operator/policy", "POST /v1/operator/policy/check"}

// serve checks the caller, runs the handler and answers its error.
func (env Env) serve(route topology.Route, h Handler) http.Handler {
	most := int64(maxBody)
	if slices.Contains(takesFiles, route.Pattern) {
		most = maxLetter
	}
	if slices.Contains(takesPolicies, route.Pattern) {
		most = maxPolicy
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		if forBrowsers(route) {
			env.openTo(w, r)
		}
		r, err := env.enter(route, r)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			env.refuse(w, r, route, err)
		}
	})
}

var errSignIn = fault.New(fault.Unauthenticated, "sign_in", "Sign in as an operator: send Authorization: Bearer with your token.")

// enter lets a call in that came by the edge, to an installation that is open, with
// the credential that its route demands.
func (env Env) enter(route topology.Route, r *http.Request) (*http.Request, error) {
	if env.Edge != nil {
		if !env.Edge(r.Context(), r.Header.Get(EdgeHeader)) {
			return r, errEdge
		}
		if env.Before != nil { // limits are for whoever called, not for the edge that everybody comes by
			if address := env.Before(r.Context()); address != "" {
				r = r.WithContext(r.Context())
				r.RemoteAddr = address
			}
		}
	}
	if env.Shut != nil && !open(route) {
		return r, env.Shut
	}
	in, err := env.admit(route, r)
	if err == nil && env.Shut != nil && waits(route) {
		err = errNotOpen
	}
	return in, err
}

// admit checks the credential that a route demands. It costs no I/O, but for the
// keys of apps once in a while: a token that we did not mint is refused by its MAC.
func (env Env) admit(route topology.Route, r *http.Request) (*http.Request, error) {
	switch route.Caller {
	case topology.Anyone:
		return r, nil
	case topology.SignedLink:
		if verb, ok := linkVerbs[route.Path()]; ok {
			return env.admitLink(r, r.PathValue("token"), verb)
		}
		if isClosure(route.Path()) {
			return r, env.admitClosure(r.PathValue("token"), false)
		}
		_, err := env.Requests.ParseToken(r.PathValue("token"))
		return r, err
	case topology.Person:
		if strings.HasPrefix(route.Path(), "/v1/preferences") {
			return env.admitLink(r, Bearer(r), consent.PreferLink)
		}
		if isClosure(route.Path()) {
			return r, env.admitClosure(Bearer(r), true)
		}
		if _, err := env.Requests.ParseToken(Bearer(r)); err != nil {
			return r, request.ErrBadToken.Because(err)
		}
		return r, nil
	case topology.Operator:
		who, ok := env.Operator(r)
		if !ok {
			return r, errSignIn
		}
		return r.WithContext(operator.With(r.Context(), who)), nil
	case topology.App:
		return env.admitApp(route, r)
	case topology.Browser:
		// Whoever sends a credential is taken at their word, and not for a browser if it is wrong.
		if _, signs := r.Header["Authorization"]; signs {
			return env.admitApp(route, r)
		}
		return r, env.admitBrowser(r)
	}
	return r, errSignIn
}

// linkVerbs are what links to a person's choices do, by their route.
var linkVerbs = map[string]consent.Verb{
	"/p/{token}": consent.PreferLink, "/u/{token}": consent.UnsubscribeLink, "/c/{token}": consent.ConfirmLink,
}

// admitLink lets pass who has a link to a person's choices that does what the route does.
func (env Env) admitLink(r *http.Request, token string, verb consent.Verb) (*http.Request, error) {
	l, err := env.Consents.ParseLink(token)
	if err != nil {
		return r, err
	}
	if l.Verb != verb {
		return r, consent.ErrBadToken
	}
	return r.WithContext(withCaller(r.Context(), caller{link: l})), nil
}

// Bearer returns the token of the Authorization header, if it is of that scheme.
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// from is the caller's network, for limits: an address of IPv4, or the first half of
// one of IPv6, since who has one of those has all that begin like it (RFC 4291, 2.5.4).
// Only the connection's own address counts: headers say what the caller wants them to.
func from(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if address = address.Unmap().WithZone(""); address.Is6() {
		if network, err := address.Prefix(interfaceBits); err == nil {
			return network.Masked().String()
		}
	}
	return address.String()
}

// interfaceBits is how much of an address of IPv6 names a network.
const interfaceBits = 64

// refuse answers an error: pages to browsers' forms, problem documents to programs.
func (env Env) refuse(w http.ResponseWriter, r *http.Request, route topology.Route, err error) {
	f := env.named(classify(err))
	level := slog.LevelInfo
	if f.Kind == fault.Internal {
		level = slog.LevelError
	}
	env.Log.Log(r.Context(), level, "request refused", "route", route.Pattern, "status", statusOf[f.Kind], "code", f.Code, "err", err)
	if isPage(route) {
		env.refusePage(w, r, f)
		return
	}
	if f.Kind == fault.Unauthenticated && (route.Caller == topology.App || route.Caller == topology.Browser) {
		w.Header().Set("WWW-Authenticate", appScheme)
	}
	writeProblem(w, f)
}

// isPage reports whether a route serves people rather than programs.
func isPage(route topology.Route) bool {
	p := route.Path()
	return !strings.HasPrefix(p, "/v1/") && !strings.HasPrefix(p, "/.well-known/") && p != "/healthz"
}

// classify returns the fault in err's chain, or one that says nothing of it.
func classify(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if f := tooLarge(err); f != nil {
		return f
	}
	return errInternal
}

func (env Env) frame(r *http.Request) page.Frame {
	lang := page.Language(r.Header.Get("Accept-Language"), env.Policy.Document.Languages, r.FormValue("lang"))
	f := page.Frame{
		Brand: env.Policy.Document.Brand, Contact: env.Requests.Contact(), Language: lang,
		Languages: env.Policy.Document.Languages, Zone: env.Requests.Zone(), Local: env.Local,
		Choices: len(env.Policy.Consents) > 0, Closes: env.Policy.Closure.Offered, Shut: env.Shut != nil,
	}
	if r.Method == http.MethodGet {
		f.Path = r.URL.Path
		for _, name := range []string{"about", "for"} {
			if v := r.FormValue(name); v != "" {
				f.Path = r.URL.Path + "?" + url.Values{name: {v}}.Encode()
			}
		}
	}
	return f
}

// render answers with a page.
func (env Env) render(w http.ResponseWriter, r *http.Request, status int, p page.Page) error {
	for k, v := range page.Headers(env.Downloads...) {
		w.Header().Set(k, v)
	}
	w.WriteHeader(status)
	if err := page.Render(w, env.frame(r), p); err != nil {
		env.Log.ErrorContext(r.Context(), "a page could not be rendered", "err", err)
	}
	return nil
}
