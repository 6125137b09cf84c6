package httpapi

import (
	"net/http"
	"strings"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// How long the address of somebody's preferences works that an app hands out, in minutes.
const (
	linkMinutes    = 30
	maxLinkMinutes = 24 * 60
)

// mailPreferences always answers the same.
func (env Env) mailPreferences(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Email    string `json:"email"`
		Language string `json:"language"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	if err := env.mailed(); err != nil {
		return err
	}
	to, ok := personal.ParseEmail(b.Email)
	if !ok {
		return fault.Input(fault.Field{Pointer: "/email", Text: "must be a mail address"})
	}
	if err := env.Consents.MailLink(r.Context(), to, env.language(b.Language, r), from(r)); err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, "application/json", map[string]string{
		"detail": "If mail can go to this address, one with a link to its choices is on its way.",
	})
	return nil
}

// standing is one purpose on somebody's own page: what they chose, what follows
// from it, and what they are asked.
type standing struct {
	Purpose  string     `json:"purpose"`
	Label    string     `json:"label"`
	Text     string     `json:"text"`
	Wording  string     `json:"wording"`
	Hash     string     `json:"hash"`
	Required bool       `json:"required"`
	Loss     string     `json:"loss,omitempty"`
	Choice   string     `json:"choice,omitempty"` // the last one; none was made otherwise
	Pending  bool       `json:"pending"`
	May      bool       `json:"may"`
	Why      string     `json:"why"`
	Since    *time.Time `json:"since,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
	Ask      bool       `json:"ask"`
	Record   string     `json:"record,omitempty"`
}

type entry struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Action   string    `json:"action"`
	Purpose  string    `json:"purpose,omitempty"`
	Act      string    `json:"act,omitempty"`
	Choice   string    `json:"choice,omitempty"`
	Method   string    `json:"method,omitempty"`
	By       string    `json:"by"`
	Policy   string    `json:"policy,omitempty"`
	Wording  string    `json:"wording,omitempty"`
	Edition  int       `json:"edition,omitempty"`
	Language string    `json:"language,omitempty"`
	Page     string    `json:"page,omitempty"`
}

// preferences shows somebody their own choices.
func (env Env) preferences(w http.ResponseWriter, r *http.Request) error {
	v, err := env.Consents.Show(r.Context(), callerOf(r).link, signalled(r))
	if err != nil {
		return err
	}
	lang := env.language(r.URL.Query().Get("lang"), r)
	offers := map[string]consent.Offer{}
	for _, o := range env.Consents.Offers(lang, v.Subject.Residence) {
		offers[o.Purpose] = o
	}
	purposes, stops, history := []standing{}, map[string]time.Time{}, []entry{}
	for _, d := range v.Purposes {
		purpose, _, _ := strings.Cut(d.Purpose, "/") // the rest is the act that it is for
		o := offers[purpose]
		_, pending := v.Subject.Asks[d.Purpose]
		purposes = append(purposes, standing{
			d.Purpose, o.Label, o.Text, o.Wording, o.Hash, o.Required, o.Loss, string(v.Subject.Purposes[d.Purpose].Choice), pending,
			d.May, string(d.Why), maybe(d.Since), maybe(d.Until), d.Ask, string(d.Record),
		})
	}
	for s, since := range v.Subject.Stops {
		stops[string(s)] = since
	}
	for _, e := range v.History {
		history = append(history, entry{
			string(e.ID), e.At, e.Action, e.Purpose, e.Act, string(e.Choice), string(e.Method), kindOf(e.By),
			e.Policy, e.Wording, e.Edition, e.Language, e.Page,
		})
	}
	return ok(w, map[string]any{
		"policy": env.Policy.Version, "language": lang, "purposes": purposes, "stops": stops, "history": history, "honoured": stopsTold(v.Honoured),
	})
}

// preferring is the body of POST /v1/preferences.
type preferring struct {
	Choices     []chosen        `json:"choices"`
	Stops       map[string]bool `json:"stops"`
	WithdrawAll bool            `json:"withdraw_all"`
	Language    string          `json:"language"`
}

// prefer sets switches on somebody's own page.
func (env Env) prefer(w http.ResponseWriter, r *http.Request) error {
	var b preferring
	raw, err := read(r, &b)
	if err != nil {
		return err
	}
	c := consent.Change{
		WithdrawAll: b.WithdrawAll, Signals: signalled(r), Method: consent.Preferences, Language: env.language(b.Language, r),
		Stops: map[policy.Stop]bool{},
	}
	if c.Attempt, err = attempt(r, raw); err != nil {
		return err
	}
	for _, one := range b.Choices {
		c.Asked = append(c.Asked, one.domain())
	}
	for s, on := range b.Stops {
		c.Stops[policy.Stop(s)] = on
	}
	done, err := env.Consents.Switch(r.Context(), callerOf(r).link, c)
	if err != nil {
		return err
	}
	return ok(w, capturedOf(done))
}

// ownReceipt is the receipt of a record, for whoever holds the link.
func (env Env) ownReceipt(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f, err := formatOf("/format", q.Get("format"))
	if err != nil {
		return err
	}
	e, err := env.Consents.EvidenceBy(r.Context(), callerOf(r).link, consent.RecordID(r.PathValue("record")))
	if err != nil {
		return err
	}
	return env.writeReceipt(w, e, f, env.language(q.Get("lang"), r), q.Get("signed") == "1")
}

// appPreferences gives an app the address of the page of somebody who is signed in
// there. It stores nothing.
func (env Env) appPreferences(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subject *identity `json:"subject"`
		Minutes int       `json:"minutes"`
	}
	if _, err := read(r, &b); err != nil {
		return err
	}
	who, err := env.identityOf("/subject", b.Subject)
	if err != nil {
		return err
	}
	if b.Minutes == 0 {
		b.Minutes = linkMinutes
	}
	if b.Minutes < 1 || b.Minutes > maxLinkMinutes {
		return fault.Input(fault.Field{Pointer: "/minutes", Text: "must be from 1 to 1440"})
	}
	until := env.Consents.Now().Add(time.Duration(b.Minutes) * time.Minute).Truncate(time.Second)
	token := env.Consents.PreferenceLink(who, until)
	return ok(w, map[string]any{"url": env.Consents.BaseURL + "/p/" + token, "token": token, "expires_at": until})
}

// appLink says that two identities are one person.
func (env Env) appLink(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subjects []*identity `json:"subjects"`
	}
	raw, err := read(r, &b)
	if err != nil {
		return err
	}
	at, err := attempt(r, raw)
	if err != nil {
		return err
	}
	if len(b.Subjects) != 2 {
		return fault.Input(fault.Field{Pointer: "/subjects", Text: "must be the two identities that are one person"})
	}
	var who [2]personal.Identity
	for i, pointer := range []string{"/subjects/0", "/subjects/1"} {
		if who[i], err = env.identityOf(pointer, b.Subjects[i]); err != nil {
			return err
		}
	}
	if err := env.Consents.Link(r.Context(), callerOf(r).app, who[0], who[1], at); err != nil {
		return err
	}
	return ok(w, map[string]bool{"linked": true})
}
