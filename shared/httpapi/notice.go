package httpapi

import (
	"net/http"
	"time"

	"rightsdesk/shared/page"
	"rightsdesk/shared/policy"
)

// noticeRoutes are the handlers of the function notice.
func noticeRoutes(env Env) Set {
	return Set{
		"GET /policy":               env.policyPage,
		"GET /v1/policy":            env.policy,
		"GET /v1/policy/vendors":    env.vendors,
		"GET /v1/policy/categories": env.categories,
		"GET /.well-known/gpc.json": env.gpc,

		"GET /v1/policy/versions":           env.versions,
		"GET /.well-known/security.txt":     env.security,
		"GET /v1/operator/policy":           env.operatorPolicy,
		"POST /v1/operator/policy":          env.operatorPublish,
		"POST /v1/operator/policy/check":    env.operatorCheckPolicy,
		"GET /v1/operator/policy/{edition}": env.operatorEdition,
	}
}

func (env Env) policyPage(w http.ResponseWriter, r *http.Request) error {
	return env.render(w, r, http.StatusOK, page.Policy{Publication: env.Policy.Published(env.frame(r).Language)})
}

func (env Env) policy(w http.ResponseWriter, r *http.Request) error {
	return ok(w, env.Policy.Published(env.language(r.FormValue("lang"), r)))
}

func (env Env) vendors(w http.ResponseWriter, r *http.Request) error {
	p := env.Policy.Published(env.language(r.FormValue("lang"), r))
	return ok(w, map[string]any{"version": p.Version, "updated": p.Document.Updated, "vendors": p.Vendors})
}

func (env Env) categories(w http.ResponseWriter, r *http.Request) error {
	p := env.Policy.Published(env.language(r.FormValue("lang"), r))
	return ok(w, map[string]any{"version": p.Version, "updated": p.Document.Updated, "categories": p.Categories, "california": p.California})
}

// gpc says whether Global Privacy Control is obeyed (its draft, 4). It is worked out
// from what decisions go by, so the two agree; a policy that says nothing obeys nothing.
func (env Env) gpc(w http.ResponseWriter, _ *http.Request) error {
	day := env.Policy.Signals.Updated
	if day == "" {
		day = env.Policy.Document.Updated
	}
	return ok(w, map[string]any{"gpc": env.Policy.Signals.GPC == policy.Honoured, "lastUpdate": day[:min(len(day), len(time.DateOnly))]})
}
