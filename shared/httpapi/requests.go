package httpapi

import (
	"net/http"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/source"
)

// requestRoutes are the handlers of the function requests.
func requestRoutes(env Env) Set {
	return Set{
		"GET /healthz":                  func(w http.ResponseWriter, _ *http.Request) error { return ok(w, map[string]string{"status": "ok"}) },
		"POST /v1/requests":             env.submit,
		"POST /v1/requests/{id}/code":   env.resend,
		"POST /v1/requests/{id}/verify": env.verify,
		"POST /v1/app/requests":         env.appSubmit,

		"GET /v1/requests/{id}":          env.follow,
		"GET /v1/requests/{id}/deadline": env.deadline,
		"POST /v1/requests/{id}/revoke":  env.revoke,
		"POST /v1/requests/{id}/deliver": env.deliver,

		"GET /v1/requests/{id}/messages":  env.messages,
		"POST /v1/requests/{id}/messages": env.reply,
		"POST /v1/requests/{id}/appeal":   env.appeal,

		"GET /v1/requests/{id}/certificate":          env.certificate,
		"GET /v1/operator/requests/{id}/certificate": env.operatorCertificate,

		"POST /v1/operator/requests":             env.operatorSubmit,
		"GET /v1/operator/requests":              env.operatorList,
		"GET /v1/operator/requests/{id}":         env.operatorShow,
		"POST /v1/operator/requests/{id}/verify": env.operatorVerify,
		"POST /v1/operator/requests/{id}/accept": env.operatorAccept,
		"POST /v1/operator/requests/{id}/deny":   env.operatorDeny,
		"POST /v1/operator/requests/{id}/plan":   env.operatorPlan,
		"POST /v1/operator/requests/{id}/retry":  env.operatorRetry,

		"POST /v1/operator/requests/{id}/extend":  env.operatorExtend,
		"POST /v1/operator/requests/{id}/pause":   env.operatorPause,
		"POST /v1/operator/requests/{id}/resume":  env.operatorResume,
		"POST /v1/operator/requests/{id}/recount": env.operatorRecount,
		"POST /v1/operator/requests/{id}/assign":  env.operatorAssign,

		"GET /v1/operator/requests/{id}/messages":                        env.operatorMessages,
		"POST /v1/operator/requests/{id}/messages":                       env.operatorAsk,
		"GET /v1/operator/requests/{id}/messages/{message}/files/{file}": env.operatorFile,

		"POST /v1/operator/tasks/{id}/done": env.operatorTaskDone,
		"GET /v1/operator/audit/verify":     env.operatorVerifyAudit,
		"GET /v1/operator/law/cases":        env.operatorCases,

		"GET /":               env.askPage,
		"POST /requests":      env.askedPage,
		"GET /requests/{id}":  env.codePage,
		"POST /requests/{id}": env.codePosted,
		"GET /r/{token}":      env.linkPage,
		"POST /r/{token}":     env.linkPosted,
	}
}

// submission is the body of POST /v1/requests; operators send more.
type submission struct {
	Right       string       `json:"right"`
	Residence   string       `json:"residence"`
	Person      person       `json:"person"`
	Details     string       `json:"details"`
	Corrections []correction `json:"corrections"`
	Locale      string       `json:"locale"`
	About       string       `json:"about"`
	Purposes    []string     `json:"purposes"`
	How         string       `json:"how"`
}

type person struct {
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Account    string     `json:"account"`
	Identities []identity `json:"identities"`
}

type identity struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type correction struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// domain turns the body into what the domain takes. What cannot be parsed stays
// empty, and the domain names it.
func (b submission) domain(env Env, r *http.Request) request.Submission {
	email, _ := personal.ParseEmail(b.Person.Email)
	p := request.Person{Email: email, Name: personal.MakeText(b.Person.Name), Details: personal.MakeText(b.Details)}
	if b.Person.Account != "" {
		p.Claims = append(p.Claims, personal.MakeIdentity(personal.KindAccount, b.Person.Account))
	}
	for _, i := range b.Person.Identities {
		p.Claims = append(p.Claims, personal.MakeIdentity(personal.Kind(strings.ToLower(strings.TrimSpace(i.Type))), i.Value))
	}
	for _, c := range b.Corrections {
		p.Corrections = append(p.Corrections, source.Correction{Field: c.Field, Value: personal.MakeText(c.Value)})
	}
	return request.Submission{
		Right: policy.Right(b.Right), Residence: strings.ToUpper(strings.TrimSpace(b.Residence)), Person: p,
		Locale: env.language(b.Locale, r), From: from(r), About: request.ID(b.About), Purposes: b.Purposes,
		How: request.How(b.How),
	}
}

func (env Env) language(wanted string, r *http.Request) string {
	return languageOf(r.Header.Get("Accept-Language"), env.Policy.Document.Languages, wanted)
}

type taken struct {
	ID       string    `json:"id"`
	Status   string    `json:"status"`
	Received time.Time `json:"received_at"`
	Deadline dates     `json:"deadline"`
}

type dates struct {
	RespondBy time.Time `json:"respond_by"`
	SafeBy    time.Time `json:"safe_by"`
}

func receiptOf(r request.Receipt) taken {
	return taken{ID: string(r.ID), Status: string(r.Status), Received: r.Received, Deadline: dates{r.RespondBy, r.SafeBy}}
}

func (env Env) submit(w http.ResponseWriter, r *http.Request) error {
	var b submission
	raw, err := read(r, &b)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	if err := env.takes(policy.Right(b.Right)); err != nil {
		return err
	}
	sub := b.domain(env, r)
	sub.Call = request.Call{Key: key, Body: raw}
	rec, err := env.Requests.Submit(r.Context(), sub)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, "application/json", receiptOf(rec))
	return nil
}

// appSubmit takes a request from the company's app, which knows who is signed in
// there: it waits for no proof.
func (env Env) appSubmit(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		submission
		Account string `json:"account"`
	}
	raw, err := read(r, &b)
	if err != nil {
		return err
	}
	at, err := attempt(r, raw)
	if err != nil {
		return err
	}
	sub := b.domain(env, r)
	sub.Call = request.Call{Key: at.Key, Body: at.Body}
	if b.Account != "" {
		sub.Account = personal.MakeIdentity(personal.KindAccount, b.Account)
	}
	rec, p, err := env.Requests.SubmitVerified(r.Context(), callerOf(r).app, sub)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, "application/json", followable{receiptOf(rec), p.Token, p.Until})
	return nil
}

// followable is a receipt with the token by which the request is followed.
type followable struct {
	taken
	Token string    `json:"token"`
	Until time.Time `json:"expires_at"`
}

// maxKey is the longest Idempotency-Key, in bytes.
const maxKey = 255

func idempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		return "", fault.New(fault.Invalid, "invalid_idempotency_key", "The header Idempotency-Key must have at most 255 characters.")
	}
	return key, nil
}

// call reads a body into v and returns the caller's attempt.
func call(r *http.Request, v any) (request.Call, error) {
	raw, err := read(r, v)
	if err != nil {
		return request.Call{}, err
	}
	key, err := idempotencyKey(r)
	return request.Call{Key: key, Body: raw}, err
}

func id(r *http.Request) request.ID { return request.ID(r.PathValue("id")) }

// resend always answers the same.
func (env Env) resend(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	if _, err := read(r, &none); err != nil {
		return err
	}
	if err := env.mailed(); err != nil {
		return err
	}
	if err := env.Requests.Resend(r.Context(), id(r)); err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, "application/json", map[string]string{
		"detail": "If there is such a request, a mail with a new code and link is on its way; wait a minute before asking again.",
	})
	return nil
}

func (env Env) verify(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Code  string `json:"code"`
		Token string `json:"token"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	if (b.Code == "") == (b.Token == "") {
		return fault.Input(fault.Field{Pointer: "/code", Text: "must be the six digits from the mail; or send token instead, from its link"})
	}
	var p request.Proven
	if b.Code != "" {
		p, err = env.Requests.VerifyCode(r.Context(), id(r), strings.TrimSpace(b.Code), c)
	} else {
		var t request.Token
		if t, err = env.Requests.ParseToken(b.Token); err == nil && t.ID != id(r) {
			err = request.ErrBadToken
		}
		if err == nil {
			p, err = env.Requests.VerifyLink(r.Context(), b.Token, c)
		}
	}
	if err != nil {
		return err
	}
	return ok(w, map[string]any{"status": p.Status, "token": p.Token, "expires_at": p.Until})
}

// seen is a request as GET shows it to its person.
type seen struct {
	ID         string      `json:"id"`
	Right      string      `json:"right"`
	Residence  string      `json:"residence,omitempty"`
	Status     string      `json:"status"`
	Received   time.Time   `json:"received_at"`
	Deadline   dates       `json:"deadline"`
	Paused     bool        `json:"paused"`
	Extended   *extension  `json:"extended,omitempty"`
	Starts     *time.Time  `json:"starts_at,omitempty"`
	Closed     *time.Time  `json:"closed_at,omitempty"`
	About      string      `json:"about,omitempty"`
	Reason     *refusal    `json:"reason,omitempty"`
	Decision   string      `json:"decision,omitempty"`
	Messages   dialogue    `json:"messages"`
	Appeal     appealable  `json:"appeal"`
	Outcome    []system    `json:"outcome"`
	Ignored    []ignored   `json:"ignored,omitempty"`
	Package    *parcel     `json:"package,omitempty"`
	Timeline   []happening `json:"timeline"`
	Contact    contact     `json:"contact"`
	Authority  authority   `json:"authority"`
	Exclusions []exclusion `json:"not_covered,omitempty"`
}

type refusal struct {
	Code    string `json:"code"`
	Text    string `json:"text"`
	Article string `json:"article"`
}

type extension struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Ground  string    `json:"ground"`
	Text    string    `json:"text"`
	Article string    `json:"article"`
}

type dialogue struct {
	Count   int  `json:"count"`
	Waiting bool `json:"waiting"` // for the person's answer
}

// appealable says whether and until when the person can appeal, or which appeal
// they made.
type appealable struct {
	Possible bool       `json:"possible"`
	Until    *time.Time `json:"until,omitempty"`
	ID       string     `json:"id,omitempty"`
}

type system struct {
	System     string    `json:"system"`
	Categories []outcome `json:"categories"`
}

type outcome struct {
	Category string     `json:"category"`
	Result   string     `json:"result"`
	Count    int        `json:"count"`
	Duty     string     `json:"duty,omitempty"`
	Until    *time.Time `json:"until,omitempty"`

	Controller string `json:"controller,omitempty"` // for elsewhere: whom to ask
}

type ignored struct {
	Type string `json:"type"`
	Why  string `json:"why"`
}

type parcel struct {
	Until  time.Time `json:"until"`
	Ready  bool      `json:"ready"`   // POST .../deliver works with this token
	StepUp bool      `json:"step_up"` // first POST .../code and verify again
}

type happening struct {
	At     time.Time         `json:"at"`
	By     string            `json:"by"`
	Action string            `json:"action"`
	Facts  map[string]string `json:"facts,omitempty"`
}

type contact struct {
	Name   string `json:"name,omitempty"`
	Email  string `json:"email,omitempty"`
	Page   string `json:"page,omitempty"`
	Postal string `json:"postal,omitempty"`
}

type authority struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
}

type exclusion struct {
	Text string `json:"text"`
	Ask  string `json:"ask,omitempty"`
}

func maybe(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func seenOf(v request.View) seen {
	r := v.Request
	s := seen{
		ID: string(r.ID), Right: string(r.Right), Residence: r.Residence, Status: string(r.Status), Received: r.Received,
		Deadline: dates{r.RespondBy, r.SafeBy}, Paused: r.Paused, Starts: maybe(r.Start), Closed: maybe(r.Closed),
		About: string(r.About), Decision: string(r.Outcome), Messages: dialogue{len(v.Messages), v.Question != nil},
		Appeal:  appealable{v.Appealable, maybe(v.AppealUntil), string(v.Appeal)},
		Outcome: systemsOf(v.Systems), Timeline: []happening{},
		Contact:   contact{v.Contact.Name, v.Contact.Email, v.Contact.Page, v.Contact.Postal},
		Authority: authority{v.Authority.Name, v.Authority.Page},
	}
	if r.Reason != "" {
		s.Reason = &refusal{r.Reason, v.Reason, v.Article}
	}
	if r.Extension != nil {
		s.Extended = &extension{r.Extension.Before, r.RespondBy, r.Extension.Ground, v.Ground.Text, v.Ground.Article}
	}
	for _, i := range v.Ignored {
		s.Ignored = append(s.Ignored, ignored{string(i.Kind), "no system ties it to the address you verified, so nothing was looked up by it"})
	}
	if r.Package != nil && !r.Package.Cleared {
		s.Package = &parcel{r.Package.Until, v.Downloadable, v.StepUp}
	}
	for _, e := range v.Timeline {
		s.Timeline = append(s.Timeline, happeningOf(e))
	}
	for _, x := range v.Exclusions {
		s.Exclusions = append(s.Exclusions, exclusion{x.Text.In(r.Locale), x.Redirect.URL})
	}
	return s
}

func systemsOf(list []words.System) []system {
	out := []system{}
	for _, sys := range list {
		one := system{System: sys.Name}
		for _, o := range sys.Outcomes {
			one.Categories = append(one.Categories, outcome{o.Category, string(o.Result), o.Count, o.Duty, maybe(o.Until), o.Controller})
		}
		out = append(out, one)
	}
	return out
}

// told are the facts of an entry that help the person; keyed hashes do not.
var told = []string{
	"status", "by", "source", "category", "verb", "state", "done", "fault", "reason", "article", "right", "respond_by", "safe_by",
	"about", "before", "cause", "effect", "ground", "law", "message", "outcome", "proof", "deemed_refusal", "mail", "tries",
}

func happeningOf(e audit.Entry) happening {
	h := happening{At: e.At, Action: e.Action, By: kindOf(e.Actor)}
	for _, f := range e.Facts {
		for _, name := range told {
			if f.Name == name || strings.Contains(f.Name, "/") {
				if h.Facts == nil {
					h.Facts = map[string]string{}
				}
				h.Facts[f.Name] = f.Value
			}
		}
	}
	return h
}

func (env Env) follow(w http.ResponseWriter, r *http.Request) error {
	v, err := env.Requests.Follow(r.Context(), id(r), Bearer(r))
	if err != nil {
		return err
	}
	return ok(w, seenOf(v))
}

func (env Env) revoke(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	c, err := call(r, &none)
	if err != nil {
		return err
	}
	if _, _, err := env.Requests.Authorize(r.Context(), id(r), Bearer(r)); err != nil {
		return err
	}
	status, err := env.Requests.Revoke(r.Context(), id(r), c)
	return changed(w, r, status, err)
}

// changed answers a change with the status it led to.
func changed(w http.ResponseWriter, r *http.Request, status request.Status, err error) error {
	if err != nil {
		return err
	}
	return ok(w, map[string]any{"id": id(r), "status": status})
}

func (env Env) deliver(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	c, err := call(r, &none)
	if err != nil {
		return err
	}
	d, err := env.Requests.Deliver(r.Context(), id(r), Bearer(r), c)
	if err != nil {
		return err
	}
	return ok(w, map[string]any{"url": d.URL, "expires_at": d.Expires})
}
