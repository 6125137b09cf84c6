package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/edition"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"
)

// EdgeHeader is what the edge in front of the API sends along, so that nobody goes
// around it.
const EdgeHeader = "X-Rightsdesk-Edge"

var errEdge = fault.New(fault.Forbidden, "edge_only", "Call this service by its public address.")

// SameEdge reports whether a header is one of the secrets that the edge may send. While
// one is replaced by another there are two. Every one is compared, in the same time.
func SameEdge(given string, secrets []string) bool {
	g, same := sha256.Sum256([]byte(given)), 0
	for _, s := range secrets {
		h := sha256.Sum256([]byte(s))
		same |= subtle.ConstantTimeCompare(g[:], h[:])
	}
	return same == 1
}

// open reports whether a route is served before the installation is open: those of
// operators, who open it, and those that say nothing of anybody.
func open(route topology.Route) bool {
	return route.Caller == topology.Operator || route.Method() == http.MethodOptions || route.Path() == "/healthz"
}

// errNotOpen is what operators hear who would change something but the policy while
// nothing is open: it would be done by the policy of nobody.
var errNotOpen = edition.ErrNotOpen.Saying("The installation is not open, so this would be done by the policy of nobody. GET /v1/operator/policy says what is missing.")

// opens are the routes by which operators change something before the installation is
// open: they open it, or see that nothing happens.
var opens = []string{"POST /v1/operator/policy", "POST /v1/operator/policy/check", "POST /v1/operator/halt"}

// waits reports whether an operator's call has to wait until the installation is open.
func waits(route topology.Route) bool {
	return route.Caller == topology.Operator && route.Method() != http.MethodGet && !slices.Contains(opens, route.Pattern)
}

// issue is one edition as operators see it.
type issue struct {
	N       int64     `json:"edition"`
	Version string    `json:"version"`
	Origin  string    `json:"origin"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Updated string    `json:"updated,omitempty"`
	Since   string    `json:"effective,omitempty"`
	Size    int       `json:"size"`
}

func issueOf(e edition.Edition) issue {
	return issue{e.N, e.Version, string(e.Origin), operatorID(e.By), e.At, e.Updated, e.In, e.Size}
}

// flaw is one thing that is wrong with a policy file.
type flaw struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Path   string `json:"path,omitempty"`
	Text   string `json:"text"`
}

func flawsOf(problems policy.Problems) []flaw {
	list := []flaw{}
	for _, p := range problems {
		list = append(list, flaw{p.Line, p.Column, p.Path, p.Text})
	}
	return list
}

// lacking is something that keeps the installation from opening.
type lacking struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func lackingOf(lacks []edition.Lack) []lacking {
	list := []lacking{}
	for _, l := range lacks {
		list = append(list, lacking{string(l), l.Says()})
	}
	return list
}

type declined struct {
	Origin   string    `json:"origin"`
	At       time.Time `json:"at"`
	Problems []flaw    `json:"problems"`
}

func (env Env) operatorPolicy(w http.ResponseWriter, r *http.Request) error {
	v, err := env.Editions.Show(r.Context(), who(r))
	if err != nil {
		return err
	}
	editions := []issue{}
	for _, e := range v.Editions {
		editions = append(editions, issueOf(e))
	}
	out := map[string]any{
		"open": v.Active.Open(), "missing": lackingOf(v.Active.Lacks), "edition": v.Active.N, "version": v.Active.Version,
		"editions": editions, "examples": flawsOf(v.Examples),
	}
	if v.Refused != nil {
		out["refused"] = declined{string(v.Refused.Origin), v.Refused.At, flawsOf(v.Refused.Problems)}
	}
	return ok(w, out)
}

// operatorEdition returns the file itself, so that it can be saved, changed and
// published.
func (env Env) operatorEdition(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.ParseInt(r.PathValue("edition"), 10, 64)
	if err != nil {
		return edition.ErrNotFound
	}
	e, file, err := env.Editions.File(r.Context(), who(r), n)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Content-Disposition", `attachment; filename="policy-`+e.Version+`.yaml"`)
	_, _ = w.Write(file) //nolint:gosec // a file that operators published, as an attachment; the client went away
	return nil
}

func (env Env) operatorCheckPolicy(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		File string `json:"file"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	p, problems, err := env.Editions.Check(who(r), []byte(b.File))
	if err != nil {
		return err
	}
	out := map[string]any{"usable": p != nil, "problems": flawsOf(problems), "examples": flawsOf(policy.Examples([]byte(b.File)))}
	if p != nil {
		out["version"] = p.Version
	}
	return ok(w, out)
}

func (env Env) operatorPublish(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		File    string `json:"file"`
		Expects string `json:"expects"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	a, err := env.Editions.Publish(r.Context(), who(r), edition.Call{File: []byte(b.File), Expects: b.Expects, Key: c.Key})
	if err != nil {
		return err
	}
	return ok(w, map[string]any{"edition": a.N, "version": a.Version, "open": a.Open(), "missing": lackingOf(a.Lacks)})
}

// versions says to everybody which policies were in force when.
func (env Env) versions(w http.ResponseWriter, r *http.Request) error {
	list, err := env.Editions.List(r.Context())
	if err != nil {
		return err
	}
	type version struct {
		Version string     `json:"version"`
		From    time.Time  `json:"from"`
		Until   *time.Time `json:"until,omitempty"` // while there is none, it is in force
		Updated string     `json:"updated"`
		Since   string     `json:"effective"`
	}
	out := []version{}
	for i, e := range list {
		v := version{Version: e.Version, From: e.At, Updated: e.Updated, Since: e.In}
		if i > 0 {
			v.Until = &list[i-1].At
		}
		out = append(out, v)
	}
	return ok(w, map[string]any{"versions": out})
}

// securityLife is for how long what security.txt says is good, and at least a day more:
// it is counted from the day, so that the answer is the same all day long.
const securityLife = 30 * 24 * time.Hour

// security tells whoever found a weakness where to report it (RFC 9116).
func (env Env) security(w http.ResponseWriter, _ *http.Request) error {
	p := env.Policy
	var s strings.Builder
	s.WriteString("Contact: mailto:" + p.Contact.Email + "\n")
	if strings.HasPrefix(p.Contact.Page, "https://") {
		s.WriteString("Contact: " + p.Contact.Page + "\n")
	}
	day := env.Requests.Now().UTC().Truncate(24 * time.Hour)
	s.WriteString("Expires: " + day.Add(securityLife).Format(time.RFC3339) + "\n")
	s.WriteString("Preferred-Languages: " + strings.Join(p.Document.Languages, ", ") + "\n")
	s.WriteString("Canonical: " + env.Requests.BaseURL + "/.well-known/security.txt\n")
	s.WriteString("Policy: " + p.Document.URL + "\n")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(s.String())) // the client went away
	return nil
}
