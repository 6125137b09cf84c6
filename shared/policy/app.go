package policy

import (
	"net/url"
	"slices"
	"strings"
)

// App is a program of the company's that speaks for people who are signed in there.
type App struct {
	ID     string
	Label  Text
	Secret string // a reference, secret:NAME; what stands there is one key a line, the newest first
	May    []Grant
}

// Grant is what an app may do.
type Grant string

// The grants.
const (
	MayConsents  Grant = "consents"  // capture and link
	MayDecisions Grant = "decisions" // ask what is allowed
	MayRequests  Grant = "requests"  // make rights requests for who is signed in
	MayClosures  Grant = "closures"  // close accounts, and take that back, for who is signed in
	MayLifecycle Grant = "lifecycle" // tell that accounts and relationships began and ended
	MayImport    Grant = "import"    // ask whom not to bring back
	MayIntake    Grant = "intake"    // have what arrives filtered
)

func (p *Policy) readApp(id string, o *object) {
	p.Apps = append(p.Apps, App{
		ID:     id,
		Label:  o.text("label", need),
		Secret: o.line("secret", need, secretReference),
		May:    words(o, "may", need, []Grant{MayConsents, MayDecisions, MayRequests, MayClosures, MayLifecycle, MayImport, MayIntake}),
	})
}

// App returns the app with that id.
func (p *Policy) App(id string) (App, bool) {
	i := slices.IndexFunc(p.Apps, func(a App) bool { return a.ID == id })
	if i < 0 {
		return App{}, false
	}
	return p.Apps[i], true
}

// Browsers is who may call us from a web page.
type Browsers struct {
	Origins []string // https://www.example.com
}

func (p *Policy) readBrowsers(o *object) {
	p.Browsers = Browsers{Origins: o.lines("origins", need, webOrigin)}
}

// isOrigin accepts what a browser sends as Origin: scheme, host and port, no more.
// It is compared letter by letter, so it has to stand in the file as it is sent.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || !isWebAddress(s) || u.Scheme+"://"+u.Host != s || strings.ToLower(s) != s || strings.Contains(u.Host, "*") || strings.HasSuffix(u.Host, ":") {
		return false
	}
	return u.Port() != map[string]string{"https": "443", "http": "80"}[u.Scheme] || u.Port() == ""
}

// checkSecrets refuses one secret in two hands: who holds the key of one app could
// speak as another, or as a hook.
func checkSecrets(p *Policy, refuse report) {
	holders := map[string]string{}
	for _, s := range p.Sources {
		if s.Secret != "" {
			holders[s.Secret] = "sources." + s.ID // several sources may be one program
		}
	}
	for _, a := range p.Apps {
		at := "apps." + a.ID
		if holder, taken := holders[a.Secret]; taken {
			refuse(at+".secret", "must be its own; %s has the same", holder)
		}
		if a.Secret != "" {
			holders[a.Secret] = at
		}
	}
}
