package httpapi

import (
	"net/http"
	"strings"
	"time"

	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
)

// closureRoutes are the handlers of the function closure.
func closureRoutes(env Env) Set {
	return Set{
		"POST /v1/closures":             env.closeAsked,
		"GET /v1/closures/{id}":         env.closingShown,
		"POST /v1/closures/{id}/cancel": env.closingCancelled,

		"POST /v1/app/closures":        env.appClose,
		"POST /v1/app/closures/status": env.appClosing,
		"POST /v1/app/closures/cancel": env.appKeep,
		"POST /v1/app/events":          env.appEvents,
		"POST /v1/app/import-guard":    env.appGuard,
		"POST /v1/app/intake":          env.appIntake,

		"GET /v1/operator/retention":                  env.operatorRules,
		"GET /v1/operator/retention/{rule}":           env.operatorRule,
		"POST /v1/operator/retention/{rule}/preview":  env.operatorPreview,
		"POST /v1/operator/retention/{rule}/activate": env.operatorActivate,
		"POST /v1/operator/retention/{rule}/pause":    env.operatorPauseRule,
		"POST /v1/operator/retention/{rule}/confirm":  env.operatorConfirm,

		"GET /v1/operator/holds":               env.operatorHolds,
		"POST /v1/operator/holds":              env.operatorPlace,
		"GET /v1/operator/holds/{id}":          env.operatorHold,
		"POST /v1/operator/holds/{id}/review":  env.operatorReview,
		"POST /v1/operator/holds/{id}/release": env.operatorRelease,

		"GET /v1/operator/salts":          env.operatorSalts,
		"POST /v1/operator/salts/confirm": env.operatorConfirmSalts,
		"GET /v1/operator/intake":         env.operatorIntake,
		"GET /v1/operator/replay":         env.operatorReplay,
		"POST /v1/operator/replay":        env.operatorStartReplay,

		"GET /close":      env.closePage,
		"POST /close":     env.closePosted,
		"GET /x/{token}":  env.closingPage,
		"POST /x/{token}": env.closingPosted,
	}
}

// closingAccount is how far the closing of an account is.
type closingAccount struct {
	ID        string     `json:"id"`
	Status    string     `json:"status"`
	Asked     time.Time  `json:"asked_at"`
	ConfirmBy *time.Time `json:"confirm_by,omitempty"` // while it waits for the button in the mail
	ClosesAt  *time.Time `json:"closes_at,omitempty"`  // until then it can be taken back
	GoneBy    *time.Time `json:"gone_by,omitempty"`    // everything has been deleted by then
	Over      *time.Time `json:"over_at,omitempty"`
	Request   string     `json:"request,omitempty"` // that does the work
	Immediate bool       `json:"immediate"`         // there is no time to change one's mind
}

func closingOf(v closure.View) closingAccount {
	return closingAccount{
		string(v.ID), string(v.Status), v.Asked, maybe(v.LapseAt), maybe(v.ClosesAt), maybe(v.GoneBy), maybe(v.Over), string(v.Request), v.Immediate,
	}
}

// closeAsked always answers the same.
func (env Env) closeAsked(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Email     string `json:"email"`
		Residence string `json:"residence"`
		Language  string `json:"language"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	if err := env.mailed(); err != nil {
		return err
	}
	to, _ := personal.ParseEmail(b.Email) // what cannot be parsed stays empty, and the domain names it
	rec, err := env.Closures.Ask(r.Context(), closure.Submission{
		Email: to, Locale: env.language(b.Language, r), Residence: place(b.Residence), From: from(r), Call: closure.Call(c),
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, "application/json", closeTaken{string(rec.ID), string(rec.Status), rec.Asked, rec.LapseAt})
	return nil
}

// closeTaken is the answer to whoever asks by mail.
type closeTaken struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Asked     time.Time `json:"asked_at"`
	ConfirmBy time.Time `json:"confirm_by"`
}

func closureID(r *http.Request) closure.ID { return closure.ID(r.PathValue("id")) }

func (env Env) closingShown(w http.ResponseWriter, r *http.Request) error {
	v, err := env.Closures.Show(r.Context(), closureID(r), Bearer(r))
	return closingAs(w, v, err)
}

// closingAs answers with how far a closure is.
func closingAs(w http.ResponseWriter, v closure.View, err error) error {
	if err != nil {
		return err
	}
	return ok(w, closingOf(v))
}

func (env Env) closingCancelled(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	c, err := call(r, &none)
	if err != nil {
		return err
	}
	v, err := env.Closures.CancelBy(r.Context(), closureID(r), Bearer(r), closure.Call(c))
	return closingAs(w, v, err)
}

// appCall reads a body of an app's and returns its attempt.
func appCall(r *http.Request, v any) (closure.Call, error) {
	raw, err := read(r, v)
	if err != nil {
		return closure.Call{}, err
	}
	at, err := attempt(r, raw)
	return closure.Call{Key: at.Key, Body: at.Body}, err
}

// appClose closes the account of who is signed in to the company's app.
func (env Env) appClose(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subject   *identity `json:"subject"`
		Email     string    `json:"email"`
		Residence string    `json:"residence"`
		Language  string    `json:"language"`
	}
	c, err := appCall(r, &b)
	if err != nil {
		return err
	}
	sub := closure.Signed{Locale: env.language(b.Language, r), Residence: place(b.Residence), Call: c}
	if sub.Who, err = env.accountOf(b.Subject); err != nil {
		return err
	}
	if b.Email != "" {
		var fits bool
		if sub.Email, fits = personal.ParseEmail(b.Email); !fits {
			return fault.Input(fault.Field{Pointer: "/email", Text: "must be a mail address such as ada@example.org, or be left out: then nobody is written to"})
		}
	}
	v, err := env.Closures.Begin(r.Context(), callerOf(r).app, sub)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, "application/json", closingOf(v))
	return nil
}

// accountOf is whose account a call is about. A browser's own id has none.
func (env Env) accountOf(i *identity) (personal.Identity, error) {
	who, err := env.identityOf("/subject", i)
	if err == nil && who.Kind == consent.KindVisitor {
		err = fault.Input(fault.Field{Pointer: "/subject/type", Text: "must be a kind of identity that an account has, such as account or email"})
	}
	return who, err
}

// closingBanner is what an app needs to know of an account at every sign-in.
type closingBanner struct {
	Status    string     `json:"status"` // none, grace or closing
	ID        string     `json:"id,omitempty"`
	Text      string     `json:"text,omitempty"` // to be shown
	ClosesAt  *time.Time `json:"closes_at,omitempty"`
	GoneBy    *time.Time `json:"gone_by,omitempty"`
	CancelURL string     `json:"cancel_url,omitempty"` // where it can be taken back, while it can
}

// appClosing is what an app asks at every sign-in: one read, two where an account is
// being closed.
func (env Env) appClosing(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subject  *identity `json:"subject"`
		Language string    `json:"language"`
	}
	if _, err := read(r, &b); err != nil {
		return err
	}
	who, err := env.accountOf(b.Subject)
	if err != nil {
		return err
	}
	s, is, err := env.Closures.Standing(r.Context(), who)
	if err != nil {
		return err
	}
	if !is || s.Status != closure.Grace && s.Status != closure.Closing {
		return ok(w, closingBanner{Status: "none"})
	}
	text := page.BannerText(env.language(b.Language, r), string(s.Status), s.ClosesAt, env.Requests.Zone())
	return ok(w, closingBanner{string(s.Status), string(s.ID), text, maybe(s.ClosesAt), maybe(s.GoneBy), s.Cancel})
}

// appKeep takes the closing of an account back, for who is signed in to the app.
func (env Env) appKeep(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subject *identity `json:"subject"`
	}
	c, err := appCall(r, &b)
	if err != nil {
		return err
	}
	who, err := env.accountOf(b.Subject)
	if err != nil {
		return err
	}
	v, err := env.Closures.CancelFor(r.Context(), callerOf(r).app, who, c)
	return closingAs(w, v, err)
}

// closingPage shows what the button behind a mailed link does, or how far a closure
// is. Neither changes anything.
func (env Env) closingPage(w http.ResponseWriter, r *http.Request) error {
	text := r.PathValue("token")
	t, err := env.Closures.ParseToken(text)
	if err != nil {
		return err
	}
	if t.Verb == closure.Session {
		v, err := env.Closures.Show(r.Context(), t.ID, text)
		if err != nil {
			return err
		}
		return env.closingStage(w, r, v, text)
	}
	v, verb, err := env.Closures.Behind(r.Context(), text)
	if err != nil {
		return err
	}
	speak(r, v.Locale)
	p := page.Closing{Stage: "confirm", Path: "/x/" + text, Key: newKey(), Until: t.Until}
	if verb == closure.CancelLink {
		p.Stage, p.Closes, p.Until = "cancel", v.ClosesAt, time.Time{} // they end together
		return env.render(w, r, http.StatusOK, p)
	}
	p.Grace, p.Before = env.Policy.Closure.Grace, env.settleFirst(env.frame(r).Language)
	return env.render(w, r, http.StatusOK, p)
}

// closingStage shows how far a closure is. With the token of who confirmed it, the
// page has a button to take it back.
func (env Env) closingStage(w http.ResponseWriter, r *http.Request, v closure.View, token string) error {
	speak(r, v.Locale)
	p := page.Closing{Stage: string(v.Status)}
	if v.Status == closure.Grace {
		p.Closes = v.ClosesAt
		p.Path, p.Key = "/x/"+token, newKey()
	}
	return env.render(w, r, http.StatusOK, p)
}

// closingPosted is the button.
func (env Env) closingPosted(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	text := r.PathValue("token")
	t, err := env.Closures.ParseToken(text)
	if err != nil {
		return err
	}
	c := closure.Call(formCall(r))
	var v closure.View
	switch t.Verb {
	case closure.ConfirmLink:
		taken, err := env.Closures.Confirm(r.Context(), text, c)
		if err != nil {
			return err
		}
		// A page of its own, so that reloading it sends nothing again.
		http.Redirect(w, r, "/x/"+taken.Token+"?lang="+env.frame(r).Language, http.StatusSeeOther)
		return nil
	case closure.CancelLink:
		v, err = env.Closures.Cancel(r.Context(), text, c)
	case closure.Session:
		v, err = env.Closures.CancelBy(r.Context(), t.ID, text, c)
	default:
		return closure.ErrBadToken
	}
	if err != nil {
		return err
	}
	return env.closingStage(w, r, v, text)
}

// isClosure reports whether a route is about one closure, whose token is another than
// a request's.
func isClosure(path string) bool {
	return strings.HasPrefix(path, "/v1/closures/") || path == "/x/{token}"
}

// admitClosure lets pass who has a token of a closure. What it allows its verb says.
func (env Env) admitClosure(token string, session bool) error {
	t, err := env.Closures.ParseToken(token)
	if err == nil && session && t.Verb != closure.Session {
		err = closure.ErrBadToken
	}
	return err
}
