package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/page"
	"rightsdesk/shared/policy"
)

var errChoiceForm = fault.New(fault.Invalid, "invalid_form", "The form could not be read; go back and press its button again.")

// How much of a long history the page shows.
const (
	maxPast     = 200
	maxWordings = 20
)

// ownStops are the stops that people put on and take off themselves.
var ownStops = []policy.Stop{policy.SaleOptOut, policy.SensitiveLimit, policy.MarketingOptOut}

// preferencesPage shows somebody their own choices. It changes nothing.
func (env Env) preferencesPage(w http.ResponseWriter, r *http.Request) error {
	p, err := env.preferencesOf(r)
	if err != nil {
		return err
	}
	return env.render(w, r, http.StatusOK, p)
}

// preferencesPosted does what one button says, and shows the page as it is then.
func (env Env) preferencesPosted(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	if r.PostFormValue("do") == "receipt" {
		return env.receiptPosted(w, r)
	}
	c, err := changeIn(r)
	if err != nil {
		return err
	}
	c.Language = env.frame(r).Language
	done, err := env.Consents.Switch(r.Context(), callerOf(r).link, c)
	refused, f := env.refusedBy(err, c)
	if err != nil && refused == "" {
		return err
	}
	p, err := env.preferencesOf(r)
	if err != nil {
		return err
	}
	p.Posted, p.Refused = true, refused
	if refused != "" {
		return env.render(w, r, statusOf[f.Kind], p)
	}
	lang := env.frame(r).Language
	for _, x := range done.Records {
		if x.Purpose != "" {
			action := string(x.Choice)
			if x.Pending {
				action = "asked"
			}
			p.Changed = append(p.Changed, page.Changed{Action: action, About: env.called(x.Purpose, lang)})
		}
	}
	for stop, on := range c.Stops {
		action := "started"
		if on {
			action = "stopped"
		}
		p.Changed = append(p.Changed, page.Changed{Action: action, Stop: string(stop)})
	}
	return env.render(w, r, http.StatusOK, p)
}

// changeIn is what the button of a form changes.
func changeIn(r *http.Request) (consent.Change, error) {
	c := consent.Change{Signals: signalled(r), Method: consent.Preferences, Attempt: formAttempt(r)}
	f := r.PostForm
	choices := map[string]consent.Choice{"grant": consent.Granted, "deny": consent.Denied, "withdraw": consent.Withdrawn}
	switch do := f.Get("do"); do {
	case "grant", "deny", "withdraw":
		c.Asked = []consent.Asked{{Purpose: f.Get("purpose"), Act: f.Get("act"), Choice: choices[do], Wording: f.Get("wording")}}
	case "stop", "start":
		stop := policy.Stop(f.Get("stop"))
		if !slices.Contains(ownStops, stop) {
			return consent.Change{}, errChoiceForm
		}
		c.Stops = map[policy.Stop]bool{stop: do == "stop"}
	case "withdraw_all":
		c.WithdrawAll = true
	default:
		return consent.Change{}, errChoiceForm
	}
	return c, nil
}

// refusedBy says why a change was refused, in a word that the page knows, for
// what is better told on the page itself.
func (env Env) refusedBy(err error, c consent.Change) (string, *fault.Error) {
	if err == nil {
		return "", nil
	}
	f := classify(err)
	switch {
	case errors.Is(err, consent.ErrHalted):
		return "halted", f
	case errors.Is(err, consent.ErrReplay):
		return "sent_before", f
	case f.Kind != fault.Invalid || f == errChoiceForm:
		return "", f
	}
	for _, one := range f.Fields {
		if strings.HasSuffix(one.Pointer, "/wording") {
			return "wording", f
		}
	}
	for _, a := range c.Asked {
		if rule, _ := env.Policy.Consent(a.Purpose); rule.Required && a.Choice != consent.Granted {
			return "required", f
		}
	}
	return "other", f
}

// preferencesOf is the page as it is now.
func (env Env) preferencesOf(r *http.Request) (page.Preferences, error) {
	l := callerOf(r).link
	v, err := env.Consents.Show(r.Context(), l, signalled(r))
	if err != nil {
		return page.Preferences{}, err
	}
	speak(r, v.Subject.Locale)
	lang := env.frame(r).Language
	p := page.Preferences{Path: "/p/" + r.PathValue("token"), Until: l.Until, Honoured: len(v.Honoured) > 0}
	offers := map[string]consent.Offer{}
	for _, o := range env.Consents.Offers(lang, v.Subject.Residence) {
		offers[o.Purpose] = o
	}
	for _, d := range v.Purposes {
		one := env.preference(v, d, offers, lang)
		one.Path = p.Path
		p.Purposes = append(p.Purposes, one)
		for _, s := range one.Switches {
			if s.Do == "withdraw" || s.Do == "deny" {
				p.AllKey = newKey()
			}
		}
	}
	p.Stops = env.stopsOf(v, lang)
	for _, e := range env.Policy.Choices {
		if e.PerformedBy == policy.ByUs && e.Link.URL == "" {
			continue // its switch is on this page
		}
		p.Elsewhere = append(p.Elsewhere, page.Elsewhere{
			Text: e.Text.In(lang), PerformedBy: string(e.PerformedBy), LinkText: e.Link.Text.In(lang), URL: e.Link.URL, Consequence: e.Consequence.In(lang),
		})
	}
	return p, env.historyOf(r, &p, v.History, lang)
}

// preference is one purpose of the page.
func (env Env) preference(v consent.View, d consent.Decision, offers map[string]consent.Offer, lang string) page.Preference {
	purpose, act, _ := strings.Cut(d.Purpose, "/")
	o := offers[purpose]
	rule, _ := env.Policy.Consent(purpose)
	p := page.Preference{
		Purpose: purpose, Act: act, Label: env.called(purpose, lang), Text: o.Text, Wording: o.Wording, Hash: o.Hash, Required: rule.Required, Loss: o.Loss,
		May: d.May, Why: string(d.Why), Since: d.Since, Until: d.Until,
	}
	if slices.Contains(ownStops, policy.Stop(d.Why)) {
		p.Ends = string(d.Why)
	}
	for _, do := range env.switches(v.Subject, d, rule, act) {
		p.Switches = append(p.Switches, page.Switch{Do: do, Key: newKey()})
	}
	return p
}

// switches are the buttons of a purpose: one that turns it over, and one to keep
// what ends soon.
func (env Env) switches(sub consent.Subject, d consent.Decision, rule policy.Consent, act string) []string {
	st := sub.Purposes[d.Purpose]
	granted := st.Choice == consent.Granted && (st.Until.IsZero() || env.Consents.Now().Before(st.Until))
	_, waits := sub.Asks[d.Purpose]
	switch {
	case rule.Purpose == "", rule.Required, rule.PerAct && act == "":
		return nil
	case d.May && d.Why == consent.ByConsent && d.Ask:
		return []string{"withdraw", "keep"}
	case d.May && d.Why == consent.ByConsent:
		return []string{"withdraw"}
	case d.May && d.Why == consent.ByDefault:
		return []string{"deny"}
	case d.May:
		return nil
	}
	switch d.Why { //nolint:exhaustive // the others say yes
	case consent.Unconfirmed:
		return []string{"withdraw"}
	case consent.NeverAsked, consent.WasDenied, consent.WasWithdrawn, consent.Lapsed, consent.WordingChanged,
		consent.Why(policy.Bounced), consent.Why(policy.Complained):
		return []string{"grant"}
	case consent.Why(policy.GPC), consent.Why(policy.DNT):
		if env.Policy.Signals.OnConflict != policy.SignalWins {
			return []string{"grant"} // a word of their own about this very purpose outweighs it
		}
	}
	if granted || waits {
		return []string{"withdraw"} // it does not count at the moment, and can be taken back all the same
	}
	return nil
}

// stopsOf are the switches that end more than one use at once: those that the
// policy has uses for, and those that are on.
func (env Env) stopsOf(v consent.View, lang string) []page.Stop {
	var list []page.Stop
	for _, stop := range ownStops {
		since, on := v.Subject.Stops[stop]
		s := page.Stop{Stop: string(stop), On: on, Since: since, Key: newKey()}
		for _, rule := range env.Policy.Consents {
			if rule.StoppedByIt(stop) || stop == policy.MarketingOptOut && rule.Marketing {
				s.Ends = append(s.Ends, rule.Label.In(lang))
			}
		}
		if on || len(s.Ends) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// historyOf fills in what was, with the words that were shown, each once.
func (env Env) historyOf(r *http.Request, p *page.Preferences, history []consent.Entry, lang string) error {
	if p.Older = len(history) - maxPast; p.Older > 0 {
		history = history[:maxPast]
	}
	p.Older = max(0, p.Older)
	kept := map[string]bool{}
	for _, e := range history {
		one := page.Past{ID: string(e.ID), At: e.At, Action: e.Action, Method: string(e.Method), By: e.By}
		if e.Purpose != "" {
			one.About = env.called(e.Purpose, lang)
		}
		if e.Act != "" {
			one.About += " " + e.Act
		}
		for _, f := range e.Facts {
			switch f.Name {
			case "stop":
				one.Stop = f.Value
			case "right":
				if slices.Contains(ownStops, policy.Stop(f.Value)) {
					one.Stop = f.Value
				}
			case "source":
				one.System = f.Value
				if s, ok := env.Policy.Source(f.Value); ok {
					one.System = s.Label.In(lang)
				}
			}
		}
		if e.Wording != "" && !kept[e.Wording] && len(p.Wordings) < maxWordings {
			text, err := env.Consents.WordingOf(r.Context(), e.Wording)
			if err != nil && classify(err).Kind != fault.NotFound {
				return err
			}
			if err == nil {
				kept[e.Wording] = true
				p.Wordings = append(p.Wordings, page.Wording{
					Hash: e.Wording, About: env.called(text.Purpose, lang), Language: text.Language, Text: text.Text, Since: text.Since,
				})
			}
		}
		if kept[e.Wording] {
			one.Wording = e.Wording
		}
		p.History = append(p.History, one)
		if slices.Contains(consent.Choices, e.Choice) && e.Action != "asked" {
			p.Receipts = append(p.Receipts, page.Receipt{Record: string(e.ID), About: one.About, Choice: string(e.Choice), At: e.At})
		}
	}
	return nil
}
