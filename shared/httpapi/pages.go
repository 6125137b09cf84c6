package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rightsdesk/shared/edition"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// languageOf is page.Language, named for those who do not render pages.
var languageOf = page.Language

// form reads a posted form, with the files that came with it. What is so large
// that it would be put on a disk was refused before.
func form(r *http.Request) error {
	err := r.ParseForm()
	if err == nil && strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/") {
		err = r.ParseMultipartForm(2 * maxLetter) //nolint:gosec // serve bounds the body
	}
	if err == nil {
		return nil
	}
	if f := tooLarge(err); f != nil {
		return f
	}
	return fault.New(fault.Invalid, "invalid_form", "The form could not be read; send it again.")
}

// formCall is the attempt that a form's hidden key identifies.
func formCall(r *http.Request) request.Call {
	key := r.PostFormValue("idempotency_key")
	if len(key) > maxKey {
		key = key[:maxKey]
	}
	return request.Call{Key: key, Body: r.PostForm.Encode()}
}

// newKey is a fresh idempotency key for a form.
func newKey() string { return string(table.NewID()) }

// askPage is the empty form. A request's page leads here to complain about it.
func (env Env) askPage(w http.ResponseWriter, r *http.Request) error {
	a := env.ask(r)
	if len(a.Rights) == 0 {
		return env.elsewhere(w, r)
	}
	if a.About = r.FormValue("about"); a.About != "" {
		a.Right = string(policy.Complaint)
	}
	return env.render(w, r, http.StatusOK, a)
}

// ask is the empty form.
func (env Env) ask(r *http.Request) page.Ask {
	lang := env.frame(r).Language
	a := page.Ask{Key: newKey(), NoMail: env.NoMail}
	for _, right := range policy.AllRights {
		if _, ok := env.Policy.Rights[right]; ok && env.takes(right) == nil {
			a.Rights = append(a.Rights, string(right))
		}
	}
	if slices.Contains(a.Rights, string(policy.Erasure)) && env.Policy.LeavesHow() {
		a.Hows = []string{string(request.ByDeletion), string(request.ByAnonymisation)}
	}
	for _, x := range env.Policy.Scope.Exclusions {
		note := x.Text.In(lang)
		if x.Redirect.URL != "" {
			note += " " + x.Redirect.Text.In(lang) + ": " + x.Redirect.URL
		}
		a.Notes = append(a.Notes, note)
	}
	return a
}

// askedPage takes the form in and shows the page that waits for the code. What
// cannot be used is shown beside its field, with everything else as it was.
func (env Env) askedPage(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	a := env.ask(r)
	f := r.PostForm
	a.Right, a.Residence, a.Key = f.Get("right"), f.Get("residence"), f.Get("idempotency_key")
	a.Email, a.Name = personal.MakeText(f.Get("email")), personal.MakeText(f.Get("name"))
	a.Account, a.Details = personal.MakeText(f.Get("account")), personal.MakeText(f.Get("details"))
	a.About, a.How = strings.TrimSpace(f.Get("about")), f.Get("how")
	values := f["identity_value"]
	for i, kind := range f["identity_kind"] {
		if i < len(values) && strings.TrimSpace(values[i]) != "" {
			a.Identities = append(a.Identities, page.Named{Kind: kind, Value: personal.MakeText(values[i])})
		}
	}
	values = f["correction_value"]
	for i, field := range f["correction_field"] {
		if i < len(values) && strings.TrimSpace(field+values[i]) != "" {
			a.Corrections = append(a.Corrections, page.Correction{Field: personal.MakeText(field), Value: personal.MakeText(values[i])})
		}
	}
	if err := env.takes(policy.Right(a.Right)); a.Right != "" && err != nil {
		return err
	}
	lang := env.frame(r).Language
	rec, err := env.Requests.Submit(r.Context(), env.asked(a, lang, r))
	bad := problemsOf(err)
	if a.Right == "" && len(bad) > 0 && bad[0].Field != "right" {
		bad = append([]page.FieldProblem{{Field: "right"}}, bad...) // all at once
	}
	if len(bad) > 0 {
		a.Problems = bad
		return env.render(w, r, http.StatusBadRequest, a)
	}
	if err != nil {
		return err
	}
	if env.NoMail {
		return env.render(w, r, http.StatusOK, page.Done{Verb: page.Taken, ID: string(rec.ID)})
	}
	// A page of its own, so that reloading it sends nothing again.
	to := "/requests/" + string(rec.ID) + "?lang=" + lang
	if policy.Right(a.Right).Unverified() {
		to += "&for=" + string(page.Show)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// asked is the form as a submission.
func (env Env) asked(a page.Ask, lang string, r *http.Request) request.Submission {
	email, _ := personal.ParseEmail(a.Email.Reveal())
	p := request.Person{Email: email, Name: a.Name, Details: a.Details}
	if acc := a.Account.Reveal(); acc != "" {
		p.Claims = append(p.Claims, personal.MakeIdentity(personal.KindAccount, acc))
	}
	for _, i := range a.Identities {
		p.Claims = append(p.Claims, personal.MakeIdentity(personal.Kind(i.Kind), i.Value.Reveal()))
	}
	if a.Right == string(policy.Rectification) {
		for _, c := range a.Corrections {
			p.Corrections = append(p.Corrections, source.Correction{Field: strings.TrimSpace(c.Field.Reveal()), Value: c.Value})
		}
	}
	sub := request.Submission{
		Right: policy.Right(a.Right), Residence: a.Residence, Person: p, Locale: lang, From: from(r), Call: formCall(r),
	}
	if sub.Right == policy.Complaint {
		sub.About = request.ID(a.About)
	}
	if sub.Right == policy.Erasure {
		sub.How = request.How(a.How)
	}
	return sub
}

// problemsOf turns the domain's complaints about a request into the form's.
func problemsOf(err error) []page.FieldProblem {
	if errors.Is(err, request.ErrNotOffered) {
		return []page.FieldProblem{{Field: "right"}}
	}
	return fieldsOf(err, "details", map[string]string{
		"/person/email": "email", "/person/identities": "identities", "/corrections": "corrections", "/right": "right",
		"/residence": "residence", "/about": "about", "/how": "how",
	})
}

// fieldsOf returns the fields of a form that the domain complains about, each
// once: by the beginning of the pointer, or another.
func fieldsOf(err error, other string, names map[string]string) []page.FieldProblem {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Invalid {
		return nil
	}
	var list []page.FieldProblem
	for _, field := range f.Fields {
		one := page.FieldProblem{Field: other}
		for pointer, name := range names {
			if strings.HasPrefix(field.Pointer, pointer) {
				one.Field = name
			}
		}
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// codePage waits for the code. It is the same for every id.
func (env Env) codePage(w http.ResponseWriter, r *http.Request) error {
	if env.NoMail {
		return env.elsewhere(w, r)
	}
	return env.render(w, r, http.StatusOK, env.waiting(r))
}

func (env Env) waiting(r *http.Request) page.Asked {
	verb := page.Verb(r.FormValue("for"))
	if verb != page.Deliver && verb != page.Show {
		verb = page.Verify
	}
	return page.Asked{Verb: verb, ID: r.PathValue("id"), Path: "/requests/" + r.PathValue("id"), Key: newKey(), AgainKey: newKey()}
}

// codePosted verifies by code, or mails another one.
func (env Env) codePosted(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	p := env.waiting(r)
	if r.PostFormValue("do") == "again" {
		if err := env.mailed(); err != nil {
			return err
		}
		if err := env.Requests.Resend(r.Context(), id(r)); err != nil {
			return err
		}
		p.Again = true
		return env.render(w, r, http.StatusOK, p)
	}
	code := strings.Join(strings.Fields(r.PostFormValue("code")), "")
	proven, err := env.Requests.VerifyCode(r.Context(), id(r), code, formCall(r))
	if f := classify(err); err != nil && (f.Code == request.ErrWrongCode.Code || f.Code == request.ErrTries.Code) {
		p.Problems = []page.FieldProblem{{Field: "code"}}
		return env.render(w, r, statusOf[f.Kind], p)
	}
	if err != nil {
		return err
	}
	return env.toFollow(w, r, proven)
}

// toFollow leads to the page that shows where the request stands.
func (env Env) toFollow(w http.ResponseWriter, r *http.Request, p request.Proven) error {
	http.Redirect(w, r, "/r/"+p.Token+"?lang="+env.frame(r).Language, http.StatusSeeOther)
	return nil
}

// linkPage shows what the button behind a mailed link does; a session's link
// shows where the request stands. Neither changes anything.
func (env Env) linkPage(w http.ResponseWriter, r *http.Request) error {
	text := r.PathValue("token")
	t, err := env.Requests.ParseToken(text)
	if err != nil {
		return err
	}
	if t.Verb == request.Session {
		return env.followPage(w, r, t, text, entered{})
	}
	req, address, err := env.Requests.Behind(r.Context(), t)
	if err != nil {
		return err
	}
	speak(r, req.Locale)
	verbs := map[request.Verb]page.Verb{request.VerifyLink: page.Verify, request.ConfirmLink: page.Address, request.DeliverLink: page.Deliver}
	c := page.Confirm{
		Verb: verbs[t.Verb], Path: "/r/" + text, Key: newKey(), ID: string(t.ID),
		Right: string(req.Right), Received: req.Received, Until: t.Until, Address: address,
	}
	return env.render(w, r, http.StatusOK, c)
}

// speak lets a page speak the language that the request was made in, unless its
// reader chose another: a mailed link may be opened anywhere.
func speak(r *http.Request, locale string) {
	if r.FormValue("lang") == "" && locale != "" {
		r.Form.Set("lang", locale)
	}
}

// linkPosted is the button.
func (env Env) linkPosted(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	text := r.PathValue("token")
	t, err := env.Requests.ParseToken(text)
	if err != nil {
		return err
	}
	c := formCall(r)
	if r.PostFormValue("do") == "again" {
		if err := env.mailed(); err != nil {
			return err
		}
		if err := env.Requests.Resend(r.Context(), t.ID); err != nil {
			return err
		}
		http.Redirect(w, r, "/requests/"+string(t.ID)+"?lang="+env.frame(r).Language, http.StatusSeeOther)
		return nil
	}
	switch t.Verb {
	case request.VerifyLink:
		p, err := env.Requests.VerifyLink(r.Context(), text, c)
		if err != nil {
			return err
		}
		return env.toFollow(w, r, p)
	case request.ConfirmLink:
		if _, err := env.Requests.ConfirmAddress(r.Context(), text); err != nil {
			return err
		}
		return env.render(w, r, http.StatusOK, page.Done{Verb: page.Address, ID: string(t.ID)})
	case request.DeliverLink:
		d, err := env.Requests.DeliverLink(r.Context(), text, c)
		if err != nil {
			return err
		}
		http.Redirect(w, r, d.URL, http.StatusSeeOther)
		return nil
	case request.Session:
	}
	return env.sessionPosted(w, r, t, text, c)
}

// refusePage shows a fault to a person.
func (env Env) refusePage(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	if f.Code == edition.ErrNotOpen.Code {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
		_ = env.render(w, r, statusOf[f.Kind], page.NotOpen{})
		return
	}
	if (f.Kind == fault.Gone || f.Kind == fault.Unauthenticated) && env.NoMail {
		_ = env.render(w, r, http.StatusGone, page.Problem{Kind: mail.ErrOff.Kind, Code: mail.ErrOff.Code}) // no new link can be mailed
		return
	}
	if f.Kind == fault.Gone || f.Kind == fault.Unauthenticated {
		g := page.Gone{Key: newKey()}
		_, route, _ := strings.Cut(r.Pattern, " ")
		switch id, _, ok := strings.Cut(r.PathValue("token"), "."); {
		case route == "/c/{token}":
			g.Choice = "choices"
		case isClosure(route):
			g.Choice = "close"
		case linkVerbs[route] != "":
			g.Choice = "preferences"
		case ok && f.Kind == fault.Gone:
			g.Path = "/requests/" + id
		}
		_ = env.render(w, r, http.StatusGone, g)
		return
	}
	_ = env.render(w, r, statusOf[f.Kind], page.Problem{Kind: f.Kind, Code: f.Code, RetryAfter: f.RetryAfter})
}
