package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
)

// choicePages are the handlers of the function consent that serve people.
func choicePages(env Env) Set {
	script, err := page.MakeScript(env.Policy.Document.Languages)
	return Set{
		"GET /choices":      env.choicesPage,
		"POST /choices":     env.choicesPosted,
		"GET /choices.js":   func(w http.ResponseWriter, r *http.Request) error { return serveScript(w, r, script, err) },
		"GET /preferences":  env.linkForm,
		"POST /preferences": env.linkAsked,
		"GET /p/{token}":    env.preferencesPage,
		"POST /p/{token}":   env.preferencesPosted,
		"GET /u/{token}":    env.unsubscribePage,
		"POST /u/{token}":   env.unsubscribePosted,
		"GET /c/{token}":    env.optInPage,
		"POST /c/{token}":   env.optInPosted,
	}
}

// formAttempt is the attempt that a form's hidden key identifies.
func formAttempt(r *http.Request) consent.Attempt {
	c := formCall(r)
	if c.Key == "" {
		return consent.Attempt{Body: c.Body}
	}
	return consent.Attempt{Key: "form " + c.Key, Body: c.Body}
}

// serveScript serves the script for websites. It is the same for everybody, so
// browsers keep it for an hour and ask then whether it is still the one.
func serveScript(w http.ResponseWriter, r *http.Request, s page.Script, err error) error {
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("ETag", "W/"+s.ETag) // weak: the bytes differ where they are compressed
	h.Set("Vary", "Accept-Encoding")
	h.Set("Access-Control-Allow-Origin", "*") // for a page that pins it (Subresource Integrity)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	for tag := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == s.ETag || tag == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	body := s.Body
	if says(r, "Accept-Encoding", "gzip") { // nothing between us and browsers does it for us
		h.Set("Content-Encoding", "gzip")
		body = s.Zipped
	}
	_, _ = w.Write(body) // the client went away
	return nil
}

// says reports whether a header lists a word, without refusing it.
func says(r *http.Request, header, word string) bool {
	for one := range strings.SplitSeq(strings.Join(r.Header.Values(header), ","), ",") {
		name, weight, weighted := strings.Cut(strings.ReplaceAll(one, " ", ""), ";")
		refused := weighted && strings.Trim(strings.TrimPrefix(weight, "q="), "0.") == ""
		if strings.EqualFold(name, word) && !refused {
			return true
		}
	}
	return false
}

// choices is the empty form: what a website's visitor can choose, in the page's language.
func (env Env) choices(r *http.Request) page.Choices {
	sent := signalled(r)
	c := page.Choices{Key: newKey(), Honoured: env.honours(sent)}
	for _, o := range env.Consents.Offers(env.frame(r).Language, "") {
		rule, ok := env.Policy.Consent(o.Purpose)
		if !ok || rule.PerAct { // that is asked where it happens
			continue
		}
		c.Offers = append(c.Offers, page.Offer{
			Purpose: o.Purpose, Label: o.Label, Text: o.Text, Wording: o.Wording, Hash: o.Hash, Required: o.Required, Loss: o.Loss,
			On: o.Default == policy.On,
			Stopped: sent.GPC && env.Policy.Signals.GPC == policy.Honoured && rule.StoppedByIt(policy.GPC) ||
				sent.DNT && env.Policy.Signals.DNT == policy.Honoured && rule.StoppedByIt(policy.DNT),
		})
	}
	return c
}

// honours reports whether the company heeds one of the signals.
func (env Env) honours(sent consent.Signals) bool {
	return sent.GPC && env.Policy.Signals.GPC == policy.Honoured || sent.DNT && env.Policy.Signals.DNT == policy.Honoured
}

func (env Env) choicesPage(w http.ResponseWriter, r *http.Request) error {
	return env.render(w, r, http.StatusOK, env.choices(r))
}

// choicesPosted takes a form in: ours, or a small one on a page of a website that
// has an address and the purpose on its button.
func (env Env) choicesPosted(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	c := env.choices(r)
	f := r.PostForm
	c.Email, c.Visitor = personal.MakeText(f.Get("email")), strings.TrimSpace(f.Get("visitor"))
	if key := f.Get("idempotency_key"); key != "" {
		c.Key = key
	}
	for i, o := range c.Offers {
		c.Offers[i].Chosen = f.Get("choice_" + o.Purpose)
	}
	who, bad := env.chooser(c)
	byMail := who.Kind == personal.KindEmail
	asked := env.askedIn(c, f, byMail)
	for _, a := range asked {
		rule, _ := env.Policy.Consent(a.Purpose)
		if rule.Mail && a.Choice == consent.Granted && !byMail && bad == nil {
			bad = []page.FieldProblem{{Field: "email"}} // where else should the mail go
		}
	}
	if len(asked) == 0 {
		bad = append([]page.FieldProblem{{Field: "choices"}}, bad...)
	}
	var done consent.Captured
	if bad == nil {
		var err error
		done, err = env.Consents.Capture(r.Context(), consent.Capture{
			Identity: who, Asked: asked, Method: consent.Form, Language: env.frame(r).Language, Page: env.shownAt(r),
			Signals: signalled(r), By: consent.ByBrowser, From: from(r), Attempt: formAttempt(r),
		})
		bad = choiceProblems(err)
		if err != nil && bad == nil {
			return err
		}
	}
	if bad != nil {
		c.Problems, c.Key = bad, newKey()
		status := http.StatusBadRequest
		if bad[0].Field == "halted" {
			status = statusOf[consent.ErrHalted.Kind]
		}
		return env.render(w, r, status, c)
	}
	return env.render(w, r, http.StatusOK, env.chosen(r, c, done))
}

// chooser is for whom a form speaks: the owner of an address, a visitor who was
// here before, or a new one.
func (env Env) chooser(c page.Choices) (personal.Identity, []page.FieldProblem) {
	if c.Email.Reveal() != "" {
		e, ok := personal.ParseEmail(c.Email.Reveal())
		if !ok {
			return personal.Identity{}, []page.FieldProblem{{Field: "email"}}
		}
		return e.Identity(), nil
	}
	if c.Visitor == "" {
		return personal.Identity{}, nil
	}
	who, ok := env.Consents.Visitor(c.Visitor)
	if !ok {
		return personal.Identity{}, []page.FieldProblem{{Field: "visitor"}}
	}
	return who, nil
}

// askedIn is what a form chose. A form of a website, which has no wording, is
// about the one in force: the mail that it brings about shows it, and the consent
// counts only once that mail's button is pressed.
func (env Env) askedIn(c page.Choices, f url.Values, byMail bool) (list []consent.Asked) {
	for _, o := range c.Free() {
		choice := o.Chosen
		rule, _ := env.Policy.Consent(o.Purpose)
		switch do := f.Get("do"); {
		case do == "grant_all" && rule.Mail && !byMail:
			choice = "" // everything that can be allowed without an address
		case do == "grant_all":
			choice = string(consent.Granted)
		case do == "deny_all":
			choice = string(consent.Denied)
		case slices.Contains(f["purpose"], o.Purpose):
			if choice = f.Get("choice"); choice == "" {
				choice = string(consent.Granted)
			}
		}
		if choice == "" {
			continue
		}
		a := consent.Asked{Purpose: o.Purpose, Choice: consent.Choice(choice), Wording: f.Get("wording_" + o.Purpose)}
		if a.Wording == "" && byMail && a.Choice == consent.Granted {
			a.Wording = o.Hash
		}
		list = append(list, a)
	}
	return list
}

// shownAt is the page that the form stands on, as far as the browser tells: a page
// of ours tells nothing.
func (env Env) shownAt(r *http.Request) string {
	if at := r.Referer(); at != "" {
		return at
	}
	return env.Consents.BaseURL + "/choices"
}

// choiceProblems turns the domain's complaints about choices into the form's.
func choiceProblems(err error) []page.FieldProblem {
	f := classify(err)
	if errors.Is(err, consent.ErrHalted) {
		return []page.FieldProblem{{Field: "halted"}}
	}
	if err == nil || f.Kind != fault.Invalid {
		return nil
	}
	field := "choices"
	for _, one := range f.Fields {
		switch {
		case strings.HasSuffix(one.Pointer, "/wording"):
			field = "wording"
		case strings.HasPrefix(one.Pointer, "/subject"):
			field = "email"
		}
	}
	return []page.FieldProblem{{Field: field}}
}

// chosen says what was taken down. To whoever typed an address it says no more
// than they sent: what stood before is its owner's to know.
func (env Env) chosen(r *http.Request, c page.Choices, done consent.Captured) page.Chosen {
	p := page.Chosen{Key: newKey(), Honoured: c.Honoured}
	if c.Email.Reveal() == "" {
		p.Visitor = c.Visitor
		if done.Visitor != "" {
			p.Visitor = done.Visitor
		}
		p.Honoured = len(done.Honoured) > 0
	}
	lang := env.frame(r).Language
	for _, x := range done.Records {
		if x.Purpose == "" {
			continue // a signal's own record
		}
		p.Records = append(p.Records, page.Recorded{Purpose: x.Purpose, Label: env.called(x.Purpose, lang), Choice: string(x.Choice), Pending: x.Pending})
		p.Mailed = p.Mailed || x.Pending
	}
	return p
}

// called is what a purpose is called, or one act for a purpose: purpose/act. One
// that the policy no longer has is called by the words of its id.
func (env Env) called(key, lang string) string {
	purpose, act, _ := strings.Cut(key, "/")
	name := strings.ReplaceAll(purpose, "_", " ")
	if rule, ok := env.Policy.Consent(purpose); ok {
		name = rule.Label.In(lang)
	}
	if act != "" {
		name += " " + act
	}
	return name
}

func (env Env) linkForm(w http.ResponseWriter, r *http.Request) error {
	if env.NoMail {
		return env.elsewhere(w, r)
	}
	return env.render(w, r, http.StatusOK, page.MailLink{Key: newKey()})
}

// linkAsked mails the link. The answer is the same whether or not anybody is known.
func (env Env) linkAsked(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	if err := env.mailed(); err != nil {
		return err
	}
	typed := personal.MakeText(r.PostFormValue("email"))
	to, ok := personal.ParseEmail(typed.Reveal())
	if !ok {
		return env.render(w, r, http.StatusBadRequest, page.MailLink{Key: newKey(), Email: typed, Problems: []page.FieldProblem{{Field: "email"}}})
	}
	if err := env.Consents.MailLink(r.Context(), to, env.frame(r).Language, from(r)); err != nil {
		return err
	}
	return env.render(w, r, http.StatusOK, page.MailLink{Sent: true})
}

// unsubscribePage says what the button does. Opening it does nothing.
func (env Env) unsubscribePage(w http.ResponseWriter, r *http.Request) error {
	return env.render(w, r, http.StatusOK, env.unsubscribe(r, false))
}

func (env Env) unsubscribe(r *http.Request, done bool) page.Unsubscribe {
	return page.Unsubscribe{
		Path: "/u/" + r.PathValue("token"), Done: done, List: env.called(callerOf(r).link.Purpose, env.frame(r).Language),
	}
}

var errNotOneClick = fault.New(fault.Invalid, "not_one_click", "The body must be List-Unsubscribe=One-Click (RFC 8058), and nothing else.")

// unsubscribePosted is what a mail program calls by itself (RFC 8058), and the
// page's button alike: no cookie, no redirect, no question.
func (env Env) unsubscribePosted(w http.ResponseWriter, r *http.Request) error {
	ok, err := oneClick(r)
	if err != nil {
		return err
	}
	if !ok {
		return errNotOneClick
	}
	if err := env.Consents.Unsubscribe(r.Context(), callerOf(r).link); err != nil {
		return err
	}
	return env.render(w, r, http.StatusOK, env.unsubscribe(r, true))
}

// oneClick reports whether the body is the one field of RFC 8058, in one of the
// two forms that it allows.
func oneClick(r *http.Request) (bool, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data" {
		return false, nil //nolint:nilerr // a body of no kind is another body
	}
	if err := form(r); err != nil {
		return false, err
	}
	if r.MultipartForm != nil && len(r.MultipartForm.File) > 0 {
		return false, nil
	}
	values := r.PostForm["List-Unsubscribe"]
	return len(r.PostForm) == 1 && len(values) == 1 && values[0] == "One-Click", nil
}

// optInPage shows again what was agreed to, and a button.
func (env Env) optInPage(w http.ResponseWriter, r *http.Request) error {
	l := callerOf(r).link
	// Whoever has the mail could have the link to their preferences as well.
	v, err := env.Consents.Show(r.Context(), consent.Link{Identifier: l.Identifier, Verb: consent.PreferLink}, consent.Signals{})
	if err != nil {
		return err
	}
	speak(r, v.Subject.Locale)
	p := page.OptIn{Path: "/c/" + r.PathValue("token"), Key: newKey(), Until: l.Until}
	told := map[string]bool{}
	for _, e := range v.History { // the newest first
		key := e.Purpose
		if e.Act != "" {
			key += "/" + e.Act
		}
		waits, ok := v.Subject.Asks[key]
		if !ok || e.Action != "asked" || waits.N > l.N || told[key] {
			continue
		}
		told[key] = true
		one := page.Agreed{Label: env.called(e.Purpose, env.frame(r).Language)}
		if one.Wording, err = env.shown(r, e.Wording); err != nil {
			return err
		}
		p.Agreed = append(p.Agreed, one)
	}
	if len(p.Agreed) == 0 {
		return consent.ErrLinkGone // it was confirmed, or taken back since
	}
	return env.render(w, r, http.StatusOK, p)
}

// shown is the text that a hash stands for; empty if nobody kept it.
func (env Env) shown(r *http.Request, hash string) (string, error) {
	if hash == "" {
		return "", nil
	}
	text, err := env.Consents.WordingOf(r.Context(), hash)
	if err != nil && classify(err).Kind != fault.NotFound {
		return "", fmt.Errorf("read a wording: %w", err)
	}
	return text.Text, nil
}

// optInPosted is the button.
func (env Env) optInPosted(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	done, err := env.Consents.Confirm(r.Context(), callerOf(r).link)
	if err != nil {
		return err
	}
	p := page.OptIn{Done: true}
	for _, x := range done.Records {
		p.Agreed = append(p.Agreed, page.Agreed{Label: env.called(x.Purpose, env.frame(r).Language)})
	}
	return env.render(w, r, http.StatusOK, p)
}

// receiptFiles are what receipts are called when they are kept.
var receiptFiles = map[receipt.Format]string{receipt.DPV: "receipt.jsonld", receipt.Kantara: "receipt.json"}

// receiptPosted lets somebody download the receipt of a record of theirs.
func (env Env) receiptPosted(w http.ResponseWriter, r *http.Request) error {
	lang := env.frame(r).Language
	f, signed := receipt.Format(r.PostFormValue("format")), false
	if f == "signed" {
		f, signed = receipt.DPV, true
	}
	if _, ok := receiptFiles[f]; !ok {
		return errChoiceForm
	}
	e, err := env.Consents.EvidenceBy(r.Context(), callerOf(r).link, consent.RecordID(r.PostFormValue("record")))
	if err != nil {
		return err
	}
	b, err := env.Receipts.Make(e, f, lang)
	if err != nil {
		return fmt.Errorf("make a receipt: %w", err)
	}
	name, kind := receiptFiles[f], mediaOf[f]
	if signed {
		jws, err := env.Receipts.Sign(b)
		if err != nil {
			return fmt.Errorf("sign a receipt: %w", err)
		}
		b, name, kind = []byte(jws), "receipt.jws", "application/jose"
	}
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Content-Type", kind)
	_, _ = bytes.NewReader(b).WriteTo(w) // the client went away
	return nil
}
