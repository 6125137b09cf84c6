package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/topology"
)

var errOrigin = fault.New(fault.Forbidden, "origin_not_allowed", "Pages of this website may not call; the policy file lists those that may under browsers.")

// preflightAge is how many seconds a browser may remember what a preflight said:
// so long a website that was taken off the policy is still let ask, in vain.
const preflightAge = "3600"

// forBrowsers reports whether pages of other websites may call a route, or ask
// whether they may.
func forBrowsers(route topology.Route) bool {
	return route.Caller == topology.Browser || route.Method() == http.MethodOptions
}

// openTo tells a browser that pages of a website may read the answer, be it good
// or bad, if the policy lists the website. Credentials are never let in: our pages
// keep no cookie that one could ride on.
func (env Env) openTo(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); slices.Contains(env.Policy.Browsers.Origins, origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
	}
}

// admitBrowser lets a page of ours or of a website of the policy pass, and who is
// no browser: without a key it speaks for an anonymous id like one.
func (env Env) admitBrowser(r *http.Request) error {
	origin, from := r.Header["Origin"]
	if !from || slices.Contains(env.Policy.Browsers.Origins, r.Header.Get("Origin")) && len(origin) == 1 {
		return nil
	}
	// A page of our own; what a browser calls us, it has not made up.
	if u, err := url.Parse(r.Header.Get("Origin")); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return nil
	}
	return errOrigin
}

// preflight answers a browser that asks whether a page may call.
func (env Env) preflight(w http.ResponseWriter, r *http.Request) error {
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		w.Header().Set("Access-Control-Allow-Methods", methodOf(r.URL.Path))
		w.Header().Set("Access-Control-Allow-Headers", "content-type, idempotency-key")
		w.Header().Set("Access-Control-Max-Age", preflightAge)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// methodOf is the method of the one route for browsers at a path.
func methodOf(path string) string {
	for _, route := range topology.Consent.Routes {
		if route.Path() == path && route.Caller == topology.Browser {
			return route.Method()
		}
	}
	return ""
}

// signalled is what a browser sent by itself. Only the exact value counts (Global
// Privacy Control, 3.1), in any of several lines, which a gateway joins by commas.
// What an app sends is the app's own and says nothing about its visitor.
func signalled(r *http.Request) consent.Signals {
	if callerOf(r).app != "" {
		return consent.Signals{}
	}
	return consent.Signals{GPC: says1(r, "Sec-Gpc"), DNT: says1(r, "Dnt")}
}

func says1(r *http.Request, header string) bool {
	for _, line := range r.Header.Values(header) {
		for value := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(value) == "1" {
				return true
			}
		}
	}
	return false
}
