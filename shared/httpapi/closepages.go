package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"rightsdesk/shared/closure"
	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// closeForm is the form to close an account, and before it what that means: what the
// policy does to each category, how long somebody can come back, how long it takes.
func (env Env) closeForm(r *http.Request) page.Close {
	lang, rule := env.frame(r).Language, env.Policy.Closure
	c := page.Close{
		Developer: env.Policy.Controller.LegalName, Before: env.settleFirst(lang), Within: rule.ConfirmWithin, Grace: rule.Grace, Days: rule.ErasedWithin,
		Suppressions: slices.ContainsFunc(env.Policy.Consents, func(c policy.Consent) bool { return c.Marketing }), Key: newKey(),
	}
	for _, s := range env.Policy.Scope.Surfaces {
		c.Surfaces = append(c.Surfaces, policy.LinkView{Text: s.Label.In(lang), URL: s.URL})
	}
	fates := map[string][]page.Thing{}
	for _, src := range env.Policy.Sources {
		erased := false
		for _, h := range src.Holdings {
			fate, thing := env.fateOf(src, h, lang)
			fates[fate] = append(fates[fate], thing)
			erased = erased || fate == string(policy.ActionDelete) || fate == string(policy.ActionAnonymise)
		}
		if erased && !src.Backups.IsZero() {
			c.Backups = append(c.Backups, page.Backup{System: src.Label.In(lang), Period: src.Backups})
		}
	}
	for _, fate := range []string{string(policy.ActionDelete), string(policy.ActionAnonymise), string(policy.ActionKeep), fateElsewhere} {
		if len(fates[fate]) > 0 {
			c.Fates = append(c.Fates, page.Fate{Fate: fate, Things: fates[fate]})
		}
	}
	return c
}

// settleFirst is what the policy says to settle before an account is closed.
func (env Env) settleFirst(lang string) []string {
	text := env.Policy.SettleFirst(lang)
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n\n")
}

// fateElsewhere is the fate of what the company only stores for somebody else.
const fateElsewhere = "elsewhere"

// fateOf is what the closure of an account does to what a source holds of a category.
func (env Env) fateOf(src policy.Source, h policy.Holding, lang string) (string, page.Thing) {
	t := page.Thing{Category: h.Category, System: src.Label.In(lang)}
	if c, ok := env.Policy.Category(h.Category); ok {
		t.Category = c.Label.In(lang)
	}
	if src.Role == policy.AsProcessor {
		t.Controller = src.Controller
		return fateElsewhere, t
	}
	does := h.Action
	if h.OnClosure != "" {
		does = h.OnClosure
	}
	if does == policy.ActionKeep {
		t.Duty, t.Article, t.Period, t.From = h.Keep.Duty.In(lang), h.Keep.Article, h.Keep.Period, h.Keep.From
	}
	return string(does), t
}

// offersClosure refuses the pages where the policy offers no closure of accounts.
func (env Env) offersClosure() error {
	if !env.Policy.Closure.Offered {
		return closure.ErrNotFound
	}
	return nil
}

func (env Env) closePage(w http.ResponseWriter, r *http.Request) error {
	if err := env.offersClosure(); err != nil {
		return err
	}
	if env.NoMail {
		return env.elsewhere(w, r)
	}
	return env.render(w, r, http.StatusOK, env.closeForm(r))
}

// closePosted mails the button. The page is the same whether or not anybody is known.
func (env Env) closePosted(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	if err := env.offersClosure(); err != nil {
		return err
	}
	if err := env.mailed(); err != nil {
		return err
	}
	f := r.PostForm
	c := env.closeForm(r)
	c.Email, c.Residence = personal.MakeText(f.Get("email")), place(f.Get("residence"))
	if key := f.Get("idempotency_key"); key != "" {
		c.Key = key
	}
	to, _ := personal.ParseEmail(c.Email.Reveal())
	again := formCall(r)
	_, err := env.Closures.Ask(r.Context(), closure.Submission{
		Email: to, Locale: env.frame(r).Language, Residence: c.Residence, From: from(r), Call: closure.Call{Key: again.Key, Body: again.Body},
	})
	if bad := fieldsOf(err, "email", map[string]string{"/residence": "residence"}); len(bad) > 0 {
		c.Problems = bad
		return env.render(w, r, http.StatusBadRequest, c)
	}
	if err != nil {
		return err
	}
	return env.render(w, r, http.StatusOK, page.Close{Mailed: true, Within: c.Within})
}
