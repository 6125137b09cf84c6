package httpapi

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
)

// consentRoutes are the handlers of the function consent.
func consentRoutes(env Env) Set {
	set := choicePages(env)
	for pattern, h := range map[string]Handler{
		"GET /v1/choices":            env.offered,
		"POST /v1/consents":          env.capture,
		"POST /v1/decisions":         env.decide,
		"POST /v1/signals":           env.signal,
		"POST /v1/receipts":          env.receipt,
		"OPTIONS /v1/choices":        env.preflight,
		"OPTIONS /v1/consents":       env.preflight,
		"OPTIONS /v1/decisions":      env.preflight,
		"OPTIONS /v1/signals":        env.preflight,
		"OPTIONS /v1/receipts":       env.preflight,
		"GET /v1/wordings/{hash}":    env.wording,
		"GET /.well-known/jwks.json": env.jwks,

		"POST /v1/preferences/links":            env.mailPreferences,
		"GET /v1/preferences":                   env.preferences,
		"POST /v1/preferences":                  env.prefer,
		"GET /v1/preferences/receipts/{record}": env.ownReceipt,
		"POST /v1/app/preferences":              env.appPreferences,
		"POST /v1/app/links":                    env.appLink,

		"POST /v1/operator/consents/import": env.operatorImport,
		"GET /v1/operator/halt":             env.operatorHalted,
		"POST /v1/operator/halt":            env.operatorHalt,
		"POST /v1/operator/resume":          env.operatorResumeAll,
	} {
		set[pattern] = h
	}
	return set
}

// kinds are how a kind of identity is spelled; the domain knows which there are.
var kinds = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// maxIdentity is the longest value that identifies somebody, in bytes.
const maxIdentity = 512

// identityOf returns who a call is about. Only what cannot be anybody is refused
// here, before anything is looked up.
func (env Env) identityOf(pointer string, i *identity) (personal.Identity, error) {
	if i == nil {
		return personal.Identity{}, fault.Input(fault.Field{Pointer: pointer, Text: `must be who it is about, such as {"type": "account", "value": "..."}`})
	}
	kind := personal.Kind(i.Type)
	if !kinds.MatchString(i.Type) {
		return personal.Identity{}, fault.Input(fault.Field{Pointer: pointer + "/type", Text: "must be a kind of identity: email, account, phone, anonymous, or another that the policy names"})
	}
	found := personal.MakeIdentity(kind, i.Value)
	ok := found.Reveal() != "" && len(i.Value) <= maxIdentity
	text := "must be the value that identifies, of at most 512 bytes"
	if kind == consent.KindVisitor {
		found, ok = env.Consents.Visitor(i.Value)
		text = "is no anonymous id of ours; send the call without subject, and keep the id that the answer has"
	}
	if kind == personal.KindEmail {
		var e personal.Email
		e, ok = personal.ParseEmail(i.Value)
		found, text = e.Identity(), "must be a mail address"
	}
	if !ok {
		return personal.Identity{}, fault.Input(fault.Field{Pointer: pointer + "/value", Text: text})
	}
	return found, nil
}

// own refuses a browser that speaks for anybody but its own anonymous id.
func own(r *http.Request, i personal.Identity) error {
	if callerOf(r).app == "" && i.Kind != consent.KindVisitor {
		return consent.ErrSpeaker
	}
	return nil
}

// chosen is a choice as a body tells it.
type chosen struct {
	Purpose string `json:"purpose"`
	Act     string `json:"act"`
	Choice  string `json:"choice"`
	Wording string `json:"wording"`
	Text    string `json:"text"`
}

func (c chosen) domain() consent.Asked {
	return consent.Asked{Purpose: c.Purpose, Act: c.Act, Choice: consent.Choice(c.Choice), Wording: c.Wording, Text: c.Text}
}

// signals is what a browser sent by itself, as a body tells it.
type signals struct {
	GPC bool `json:"gpc"`
	DNT bool `json:"dnt"`
}

// with returns the signals of a body and of the call itself.
func (s signals) with(r *http.Request) consent.Signals {
	sent := signalled(r)
	return consent.Signals{GPC: s.GPC || sent.GPC, DNT: s.DNT || sent.DNT}
}

// capturing is the body of POST /v1/consents. A single choice may stand flat.
type capturing struct {
	chosen
	Subject   *identity `json:"subject"`
	Choices   []chosen  `json:"choices"`
	Method    string    `json:"method"`
	Language  string    `json:"language"`
	Page      string    `json:"page"`
	Residence string    `json:"residence"`
	At        time.Time `json:"at"`
	Signals   signals   `json:"signals"`
}

// captured is the answer to a capture.
type captured struct {
	Visitor  string     `json:"visitor,omitempty"`
	Records  []recorded `json:"records"`
	Honoured []string   `json:"honoured"`
}

type recorded struct {
	ID      string    `json:"id,omitempty"`
	Purpose string    `json:"purpose"`
	Choice  string    `json:"choice"`
	At      time.Time `json:"at"`
	Pending bool      `json:"pending"`
}

func capturedOf(c consent.Captured) captured {
	out := captured{Visitor: c.Visitor, Records: []recorded{}, Honoured: stopsTold(c.Honoured)}
	for _, r := range c.Records {
		out.Records = append(out.Records, recorded{string(r.ID), r.Purpose, string(r.Choice), r.At, r.Pending})
	}
	return out
}

func stopsTold(list []policy.Stop) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

// speaker fills in who says what a capture says.
func (env Env) speaker(r *http.Request, c *consent.Capture) {
	c.By = consent.ByBrowser
	if app := callerOf(r).app; app != "" {
		c.By, c.App = consent.ByApp, app
		return
	}
	c.From = from(r)
}

func (env Env) capture(w http.ResponseWriter, r *http.Request) error {
	var b capturing
	raw, err := read(r, &b)
	if err != nil {
		return err
	}
	c := consent.Capture{
		Method: consent.Method(b.Method), Language: env.language(b.Language, r), Page: b.Page,
		Residence: place(b.Residence), Signals: b.Signals.with(r), At: b.At,
	}
	if c.Attempt, err = attempt(r, raw); err != nil {
		return err
	}
	if b.Subject != nil {
		if c.Identity, err = env.identityOf("/subject", b.Subject); err != nil {
			return err
		}
	}
	flat := b.chosen != (chosen{})
	switch {
	case flat && b.Choices != nil:
		return fault.Input(fault.Field{Pointer: "/choices", Text: "must not stand beside a purpose of its own; send one or the other"})
	case flat:
		c.Asked = []consent.Asked{b.domain()}
	default:
		for _, one := range b.Choices {
			c.Asked = append(c.Asked, one.domain())
		}
	}
	env.speaker(r, &c)
	done, err := env.Consents.Capture(r.Context(), c)
	if err != nil {
		if flat {
			err = moved(err, "/choices/0", "")
		}
		return err
	}
	a := capturedOf(done)
	if c.By == consent.ByBrowser && c.Identity.Kind == personal.KindEmail {
		a.hide(c.Signals)
	}
	writeJSON(w, http.StatusCreated, "application/json", a)
	return nil
}

// hide leaves out of an answer what would tell somebody who only typed an address
// whether it is known: which record it is of how many, and what stood before.
func (a *captured) hide(sent consent.Signals) {
	for i := range a.Records {
		a.Records[i].ID = ""
	}
	sentThem := map[string]bool{string(policy.GPC): sent.GPC, string(policy.DNT): sent.DNT}
	told := []string{}
	for _, s := range a.Honoured {
		if sentThem[s] {
			told = append(told, s)
		}
	}
	a.Honoured = told
}

// place is a residence as the policy spells it.
func place(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// moved returns an error with the pointers of its fields, as far as they begin
// with one place, led to another.
func moved(err error, from, to string) error {
	f := classify(err)
	if f == errInternal || len(f.Fields) == 0 {
		return err
	}
	c := *f
	c.Fields = nil
	for _, field := range f.Fields {
		if rest, ok := strings.CutPrefix(field.Pointer, from); ok && (rest == "" || rest[0] == '/') {
			field.Pointer = to + rest
		}
		c.Fields = append(c.Fields, field)
	}
	return &c
}

func (env Env) signal(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subject *identity `json:"subject"`
		Signals signals   `json:"signals"`
	}
	raw, err := read(r, &b)
	if err != nil {
		return err
	}
	c := consent.Capture{Method: consent.Signal, Language: env.language("", r), Signals: b.Signals.with(r)}
	if c.Attempt, err = attempt(r, raw); err != nil {
		return err
	}
	if b.Subject != nil {
		if c.Identity, err = env.identityOf("/subject", b.Subject); err == nil {
			err = own(r, c.Identity)
		}
		if err != nil {
			return err
		}
	}
	if c.Signals == (consent.Signals{}) {
		return fault.Input(fault.Field{Pointer: "/signals", Text: `must say which signal was sent: {"gpc": true}, {"dnt": true} or both`})
	}
	env.speaker(r, &c)
	done, err := env.Consents.Signal(r.Context(), c)
	if err != nil {
		return err
	}
	return ok(w, capturedOf(done))
}

// offers is what a website can ask about.
type offers struct {
	Policy   string   `json:"policy"`
	Language string   `json:"language"`
	Purposes []offer  `json:"purposes"`
	Signals  handling `json:"signals"`
	Honoured bool     `json:"honoured"` // this very call carried a signal, and it counts
	Halted   bool     `json:"halted"`   // nothing is on, whatever its default
}

type offer struct {
	Purpose  string `json:"purpose"`
	Label    string `json:"label"`
	Text     string `json:"text"`
	Wording  string `json:"wording"`
	Hash     string `json:"hash"`
	Required bool   `json:"required"`
	Loss     string `json:"loss,omitempty"`
	Default  string `json:"default"`
}

type handling struct {
	GPC string `json:"gpc"`
	DNT string `json:"dnt"`
}

func offerOf(o consent.Offer) offer {
	return offer{o.Purpose, o.Label, o.Text, o.Wording, o.Hash, o.Required, o.Loss, string(o.Default)}
}

// offered shows what people can choose. It changes nothing, whatever it carries.
func (env Env) offered(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	where := place(q.Get("residence"))
	if where != "" && !policy.IsResidence(where) {
		return fault.Input(fault.Field{Pointer: "/residence", Text: "must be a code such as FR, US-CA or EEA, or be left out"})
	}
	halt, err := env.Consents.Halted(r.Context())
	if err != nil {
		return err
	}
	lang := env.language(q.Get("lang"), r)
	sig := env.Policy.Signals
	a := offers{
		Policy: env.Policy.Version, Language: lang, Purposes: []offer{}, Signals: handling{stated(sig.GPC), stated(sig.DNT)},
		Honoured: signalled(r).GPC && sig.GPC == policy.Honoured, Halted: halt.On,
	}
	for _, o := range env.Consents.Offers(lang, where) {
		if halt.On {
			o.Default = policy.Off
		}
		a.Purposes = append(a.Purposes, offerOf(o))
	}
	w.Header().Add("Vary", "Sec-GPC, Accept-Language")
	return ok(w, a)
}

// stated is what a policy says about a signal, if it says nothing too.
func stated(h policy.Handling) string {
	if h == "" {
		h = policy.Unstated
	}
	return string(h)
}

// hashes are how the hash of a wording is spelled.
var hashes = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (env Env) wording(w http.ResponseWriter, r *http.Request) error {
	hash := r.PathValue("hash")
	if !hashes.MatchString(hash) {
		return consent.ErrNotFound
	}
	shown, err := env.Consents.WordingOf(r.Context(), hash)
	if err != nil {
		return err
	}
	return ok(w, worded{hash, shown.Text, shown.Language, shown.Purpose, shown.Policy, shown.Since})
}

// worded is what was shown to somebody, to the letter.
type worded struct {
	Hash     string    `json:"hash"`
	Text     string    `json:"text"`
	Language string    `json:"language"`
	Purpose  string    `json:"purpose"`
	Policy   string    `json:"policy"`
	Since    time.Time `json:"since"`
}

func (env Env) jwks(w http.ResponseWriter, _ *http.Request) error {
	b, err := env.Receipts.JWKS()
	if err != nil {
		return fmt.Errorf("publish the keys: %w", err)
	}
	return write(w, "application/jwk-set+json", b)
}

// write answers with bytes that are ready to be sent.
func write(w http.ResponseWriter, contentType string, b []byte) error {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(b) //nolint:gosec // the client went away; no browser takes it for a page: its type is set, and nosniff
	return nil
}

func (env Env) receipt(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subject  *identity `json:"subject"`
		Record   string    `json:"record"`
		Format   string    `json:"format"`
		Signed   bool      `json:"signed"`
		Language string    `json:"language"`
	}
	if _, err := read(r, &b); err != nil {
		return err
	}
	who, err := env.identityOf("/subject", b.Subject)
	if err == nil {
		err = own(r, who)
	}
	if err != nil {
		return err
	}
	f, err := formatOf("/format", b.Format)
	if err != nil {
		return err
	}
	e, err := env.Consents.EvidenceFor(r.Context(), who, consent.RecordID(b.Record))
	if err != nil {
		return err
	}
	return env.writeReceipt(w, e, f, env.language(b.Language, r), b.Signed)
}

// mediaOf are the formats of receipts, and what each is sent as.
var mediaOf = map[receipt.Format]string{receipt.DPV: "application/ld+json", receipt.Kantara: "application/json"}

func formatOf(pointer, name string) (receipt.Format, error) {
	if name == "" {
		return receipt.DPV, nil
	}
	if _, ok := mediaOf[receipt.Format(name)]; !ok {
		return "", fault.Input(fault.Field{Pointer: pointer, Text: "must be dpv or kantara"})
	}
	return receipt.Format(name), nil
}

func (env Env) writeReceipt(w http.ResponseWriter, e consent.Evidence, f receipt.Format, lang string, signed bool) error {
	b, err := env.Receipts.Make(e, f, lang)
	if err != nil {
		return fmt.Errorf("make a receipt: %w", err)
	}
	if !signed {
		return write(w, mediaOf[f], b)
	}
	jws, err := env.Receipts.Sign(b)
	if err != nil {
		return fmt.Errorf("sign a receipt: %w", err)
	}
	return write(w, "application/jose", []byte(jws))
}
