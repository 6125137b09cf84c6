package page_test

import (
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// closingOf is the form to close an account, as a company with every kind of fate shows it.
func closingOf(say func(english, french string) string) page.Close {
	shop, archive := say("The shop", "La boutique"), say("Archive", "Archives")
	return page.Close{
		Developer: "Lumen SAS", Surfaces: []policy.LinkView{{Text: "lumen.example", URL: "https://lumen.example"}, {Text: say("The telephone app", "L’application mobile")}},
		Before: []string{say("End your subscription in the app store first.", "Résiliez d’abord votre abonnement dans la boutique d’applications."), say("It costs until then.", "Il coûte jusque-là.")},
		Within: 7 * 24 * time.Hour, Grace: 14 * 24 * time.Hour, Days: 30, Key: "k1", Suppressions: true,
		Fates: []page.Fate{
			{Fate: "delete", Things: []page.Thing{{Category: say("Account", "Compte"), System: shop}}},
			{Fate: "anonymise", Things: []page.Thing{{Category: say("Visits", "Visites"), System: shop}}},
			{Fate: "keep", Things: []page.Thing{{
				Category: say("Invoices", "Factures"), System: shop, Duty: say("Tax law wants invoices kept", "La loi fiscale veut que les factures soient gardées"),
				Article: "L. 123-22", Period: policy.Period{Years: 10}, From: policy.FromCollection,
			}}},
			{Fate: "elsewhere", Things: []page.Thing{{Category: say("Reading circles", "Cercles de lecture"), System: archive, Controller: "Lumen Labs"}, {Category: say("Notes", "Notes"), System: archive}}},
		},
		Backups: []page.Backup{{System: shop, Period: policy.Period{Days: 35}}},
	}
}

// closureSamples are the pages about the end of an account.
func closureSamples(say func(english, french string) string) map[string]sample {
	form, wrong, bare := closingOf(say), closingOf(say), closingOf(say)
	wrong.Email, wrong.Residence, wrong.Problems = personal.MakeText("ada@"), "US-CA", []page.FieldProblem{{Field: "email"}, {Field: "residence"}}
	bare.Grace, bare.Days, bare.Before, bare.Surfaces, bare.Fates, bare.Backups, bare.Suppressions = 0, 0, nil, nil, bare.Fates[:1], nil, false
	bare.Within = 36 * time.Hour
	closes := received.AddDate(0, 0, 14)
	all := map[string]sample{
		"close":         {path: "/close", page: form, edit: func(f *page.Frame) { f.Closes = true }},
		"close-problem": {page: wrong},
		"close-at-once": {path: "/close", page: bare},
		"close-mailed":  {page: page.Close{Mailed: true, Within: form.Within}},
		"closing-confirm": {path: "/x/t0ken", page: page.Closing{
			Stage: "confirm", Path: "/x/t0ken", Key: "k1", Before: form.Before, Grace: form.Grace, Until: received.AddDate(0, 0, 7),
		}},
		"closing-at-once": {path: "/x/t0ken", page: page.Closing{Stage: "confirm", Path: "/x/t0ken", Key: "k1"}},
		"closing-cancel":  {path: "/x/t0ken", page: page.Closing{Stage: "cancel", Path: "/x/t0ken", Key: "k1", Closes: closes, Until: closes}},
		"closing-grace":   {page: page.Closing{Stage: "grace", Closes: closes, Path: "/x/t0ken2", Key: "k1"}},
		"gone-close":      {page: page.Gone{Choice: "close"}},
		"ask-close":       {path: "/", page: page.Ask{Rights: []string{"access"}, Key: "k1"}, edit: func(f *page.Frame) { f.Closes = true }},
		"policy-close": {path: "/policy", edit: func(f *page.Frame) { f.Closes = true }, page: page.Policy{Publication: policy.Publication{
			Language: say("en", "fr"), Controller: policy.ControllerView{LegalName: "Lumen", TradeName: "Lumen", Form: policy.SoleTrader, Country: "FR"},
			Document: policy.DocumentView{Title: "Lumen"},
		}}},
	}
	for _, stage := range strings.Fields("closing closed cancelled lapsed") {
		all["closing-"+stage] = sample{page: page.Closing{Stage: stage}}
	}
	return all
}

// The stores want a page on the web that names who offers the app, says what to do,
// and what is deleted or kept and for how long, before anything is asked.
func TestThePageToCloseAnAccountSaysWhatTheStoresWant(t *testing.T) {
	t.Parallel()
	for language, wants := range map[string][]string{
		"en": {"Lumen & Sons", "Lumen SAS", "within 7 days", "14 days", "within 30 days", "Deleted", "Invoices", "Tax law wants invoices kept (L. 123-22): 10 years after it was collected", "35 days"},
		"fr": {"Lumen & Sons", "Lumen SAS", "7 jours", "14 jours", "30 jours", "Supprimé", "Factures", "10 ans", "35 jours"},
	} {
		text := parse(t, render(t, language, samples(language)["close"])).find("main")[0].text
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not say %q", language, want)
			}
		}
	}
}

// The answer is the same for everybody, whatever they entered.
func TestTheAnswerToTheFormNamesNobody(t *testing.T) {
	t.Parallel()
	said := render(t, "en", sample{page: page.Close{Mailed: true, Within: time.Hour, Email: personal.MakeText("ada@example.org")}})
	if strings.Contains(said, "ada@") {
		t.Error("the answer repeats the address")
	}
}

func TestARuleInWords(t *testing.T) {
	t.Parallel()
	rule := policy.RetentionRule{Trigger: policy.WhenLastUsed, Period: policy.Period{Months: 1}, Action: policy.RetireAnonymise}
	now := policy.RetentionRule{Trigger: policy.WhenAccountClosed, Action: policy.RetireDelete}
	for want, got := range map[string]string{
		"Visits (The shop): made anonymous 1 month after it was last used":                page.RuleText("en", rule, "Visits", "The shop"),
		"Visits (The shop): deleted at once after the account was closed":                 page.RuleText("en", now, "Visits", "The shop"),
		"Visites (La boutique)\u00a0: anonymisation 1 mois après la dernière utilisation": page.RuleText("fr", rule, "Visites", "La boutique"),
		"Visites (La boutique)\u00a0: suppression aussitôt après la fermeture du compte":  page.RuleText("fr", now, "Visites", "La boutique"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
