package page_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
)

const visitor = "v3kq8e2m7c9d4h5n1a6b0g2f4sjr9f2ab7c41d0e5588k3m1n6p0q2"

// choiceSamples are the pages about what people choose.
func choiceSamples(say func(english, french string) string) map[string]sample {
	news := page.Offer{
		Purpose: "newsletter", Label: say("Newsletter", "Lettre d’information"), Text: say("Writing to you about new books", "Vous écrire au sujet des nouveautés"), Hash: "a1",
		Wording: say("I would like a letter about new books, about once a month.", "Je souhaite recevoir une lettre sur les nouveautés, environ une fois par mois."),
	}
	visits := page.Offer{
		Purpose: "analytics", Label: say("Counting of visits", "Mesure d’audience"), Text: say("Knowing which pages are read", "Savoir quelles pages sont lues"), Hash: "b2",
		Wording: say("You may count which pages I read, to make the shop better.", "Vous pouvez compter les pages que je lis, pour améliorer la boutique."),
	}
	basket := page.Offer{
		Purpose: "basket", Label: say("Basket", "Panier"), Text: say("Keeping your basket from page to page", "Garder votre panier d’une page à l’autre"), Required: true,
		Loss: say("You could not buy anything.", "Vous ne pourriez rien acheter."),
	}
	stopped, again := visits, news
	news.On = true
	stopped.Stopped = true
	again.Chosen = "granted"
	agreed := page.OptIn{Path: "/c/t0ken", Key: "k1", Agreed: []page.Agreed{{Label: news.Label, Wording: news.Wording}, {Label: visits.Label}}, Until: received.AddDate(0, 0, 7)}
	confirmed := agreed
	confirmed.Done = true

	return map[string]sample{
		"choices":      {path: "/choices", page: page.Choices{Offers: []page.Offer{news, visits, basket}, Key: "k1"}},
		"choices-none": {path: "/choices", page: page.Choices{Key: "k1"}},
		"choices-problems": {page: page.Choices{
			Offers: []page.Offer{again, stopped, basket}, Honoured: true, Key: "k1", Email: personal.MakeText("ada@"), Visitor: "nobody",
			Problems: []page.FieldProblem{{Field: "choices"}, {Field: "wording"}, {Field: "halted"}, {Field: "email"}, {Field: "visitor"}},
		}},
		"chosen": {page: page.Chosen{
			Visitor: visitor, Key: "k1", Honoured: true,
			Records: []page.Recorded{{Purpose: "newsletter", Label: news.Label, Choice: "granted"}, {Purpose: "analytics", Label: visits.Label, Choice: "denied"}},
		}},
		"chosen-mailed": {page: page.Chosen{
			Mailed:  true,
			Records: []page.Recorded{{Purpose: "newsletter", Label: news.Label, Choice: "granted", Pending: true}, {Purpose: "analytics", Label: visits.Label, Choice: "withdrawn"}},
		}},
		"maillink":         {path: "/preferences", page: page.MailLink{Key: "k1"}},
		"maillink-problem": {page: page.MailLink{Key: "k1", Email: personal.MakeText("ada@"), Problems: []page.FieldProblem{{Field: "email"}}}},
		"maillink-sent":    {page: page.MailLink{Sent: true}},
		"unsubscribe":      {path: "/u/t0ken", page: page.Unsubscribe{Path: "/u/t0ken", List: news.Label}},
		"unsubscribed":     {page: page.Unsubscribe{List: news.Label, Done: true}},
		"optin":            {path: "/c/t0ken", page: agreed},
		"optin-done":       {page: confirmed},
		"gone-choices":     {page: page.Gone{Choice: "choices"}},
		"gone-preferences": {page: page.Gone{Choice: "preferences"}},
		"preferences":      {path: "/p/t0ken", page: preferences(say, news, visits, basket)},
		"preferences-bare": {path: "/p/t0ken", edit: func(f *page.Frame) { f.Choices = true }, page: page.Preferences{Path: "/p/t0ken"}},
		"preferences-same": {page: page.Preferences{Path: "/p/t0ken", Posted: true}},
		"preferences-refused": {page: page.Preferences{Path: "/p/t0ken", Posted: true, Refused: "halted", Purposes: []page.Preference{
			{Path: "/p/t0ken", Purpose: "newsletter", Label: news.Label, Wording: news.Wording, Why: "halted", Switches: []page.Switch{{Do: "withdraw", Key: "k1"}}},
		}}},
	}
}

// preferences is the page of somebody for whom everything stands differently.
func preferences(say func(english, french string) string, news, visits, basket page.Offer) page.Preferences {
	survey := say("Surveys", "Enquêtes")
	of := func(o page.Offer, p page.Preference) page.Preference {
		p.Path, p.Purpose, p.Label, p.Text, p.Wording, p.Hash = "/p/t0ken", o.Purpose, o.Label, o.Text, o.Wording, o.Hash
		return p
	}
	return page.Preferences{
		Path: "/p/t0ken", Until: received.Add(time.Hour), Posted: true, Honoured: true, AllKey: "k9",
		Changed: []page.Changed{{Action: "withdrawn", About: visits.Label}, {Action: "stopped", Stop: "opt_out_sale"}},
		Purposes: []page.Preference{
			of(news, page.Preference{May: true, Why: "consent", Since: received, Until: received.AddDate(0, 0, 20), Switches: []page.Switch{{Do: "withdraw", Key: "k1"}, {Do: "keep", Key: "k2"}}}),
			of(visits, page.Preference{Why: "gpc", Since: received, Switches: []page.Switch{{Do: "grant", Key: "k3"}}}),
			{
				Path: "/p/t0ken", Purpose: "surveys", Label: survey, Wording: say("You may ask me what I think, now and then.", "Vous pouvez me demander mon avis, de temps en temps."), May: true, Why: "default",
				Switches: []page.Switch{{Do: "deny", Key: "k4"}},
			},
			{Path: "/p/t0ken", Purpose: "recording", Label: say("Recording of a talk", "Enregistrement d’un entretien"), Text: say("Remembering what you said", "Retenir ce que vous avez dit"), Why: "act_needed"},
			{Path: "/p/t0ken", Purpose: "recording", Act: "talk-7", Label: say("Recording of a talk", "Enregistrement d’un entretien"), May: true, Why: "consent", Since: received, Switches: []page.Switch{{Do: "withdraw", Key: "k5"}}},
			{Path: "/p/t0ken", Purpose: "adverts", Label: say("Advertisements", "Publicités"), Wording: say("Show me yours elsewhere.", "Montrez-moi les vôtres ailleurs."), Why: "opt_out_sale", Since: received, Ends: "opt_out_sale"},
			of(basket, page.Preference{May: true, Why: "essential", Required: true, Loss: basket.Loss}),
		},
		Stops: []page.Stop{
			{Stop: "opt_out_sale", On: true, Since: received, Ends: []string{visits.Label}, Key: "k6"},
			{Stop: "limit_sensitive", Key: "k7", Ends: []string{survey}},
			{Stop: "marketing_opt_out", Key: "k8", Ends: []string{news.Label, survey}},
		},
		Older: 3,
		History: []page.Past{
			{ID: "r4", At: received.AddDate(0, 0, 3).Add(time.Minute), Action: "passed_on", Stop: "opt_out_sale", System: say("The newsletter", "La lettre"), By: "clock"},
			{ID: "r3", At: received.AddDate(0, 0, 3), Action: "stopped", Stop: "opt_out_sale", Method: "preferences", By: "person"},
			{ID: "r2", At: received.AddDate(0, 0, 2), Action: "signalled", Stop: "gpc", Method: "signal", By: "browser"},
			{ID: "r1", At: received, Action: "granted", About: news.Label, Method: "form", By: "app:shop", Wording: "a1"},
			{ID: "r0", At: received.Add(-time.Hour), Action: "denied", About: survey, Method: "spoken", By: "clock"},
		},
		Wordings: []page.Wording{{Hash: "a1", About: news.Label, Language: "en", Text: news.Wording, Since: received.AddDate(-1, 0, 0)}},
		Receipts: []page.Receipt{{Record: "r1", About: news.Label, Choice: "granted", At: received}, {Record: "r0", About: survey, Choice: "denied", At: received.Add(-time.Hour)}},
		Elsewhere: []page.Elsewhere{{
			Text: say("Block all cookies", "Bloquer tous les cookies"), PerformedBy: "browser", LinkText: say("How your browser does it", "Comment votre navigateur le fait"),
			URL: "https://support.example.org/cookies", Consequence: say("You would have to sign in each time.", "Il faudrait vous identifier à chaque fois."),
		}, {Text: say("Choose who sees your profile", "Choisir qui voit votre profil"), PerformedBy: "us"}},
	}
}

// TestNothingIsChosenBeforehand: no answer is ticked, and none is easier to give
// than another.
func TestNothingIsChosenBeforehand(t *testing.T) {
	t.Parallel()
	root := parse(t, render(t, "en", samples("en")["choices"]))
	answers := map[string][]string{}
	for _, i := range root.find("input") {
		if i.attrs["type"] == "radio" {
			answers[i.attrs["name"]] = append(answers[i.attrs["name"]], i.attrs["value"])
		}
		if _, ticked := i.attrs["checked"]; ticked {
			t.Errorf("%s is %s beforehand", i.attrs["name"], i.attrs["value"])
		}
	}
	want := []string{"granted", "denied"}
	if !maps.EqualFunc(answers, map[string][]string{"choice_newsletter": want, "choice_analytics": want}, slices.Equal) {
		t.Errorf("the answers are %v", answers)
	}
	var buttons []string
	for _, b := range root.find("button") {
		buttons = append(buttons, b.attrs["value"])
		if b.attrs["class"] != "" || b.parent != root.find("button")[0].parent {
			t.Errorf("the button %s looks or stands unlike the others", b.attrs["value"])
		}
	}
	if !slices.Equal(buttons, []string{"save", "grant_all", "deny_all"}) {
		t.Errorf("the buttons are %v", buttons)
	}
}

// TestTheUnsubscribeButtonSendsTheOneField: what a mail program sends (RFC 8058).
func TestTheUnsubscribeButtonSendsTheOneField(t *testing.T) {
	t.Parallel()
	form := parse(t, render(t, "fr", samples("fr")["unsubscribe"])).find("form")[0]
	buttons := form.find("button")
	if len(form.find("input", "select", "textarea")) != 0 || len(buttons) != 1 || buttons[0].attrs["name"]+"="+buttons[0].attrs["value"] != "List-Unsubscribe=One-Click" {
		t.Error("the form sends something else")
	}
	if form.attrs["enctype"] != "" || form.attrs["method"] != "post" || form.attrs["action"] != "/u/t0ken?lang=fr" {
		t.Errorf("the form is %v", form.attrs)
	}
	if done := parse(t, render(t, "fr", samples("fr")["unsubscribed"])); len(done.find("form")) != 0 {
		t.Error("the answer asks something")
	}
}

// TestEveryPurposeHasOneSwitch that says what it does, and what cannot be refused has none.
func TestEveryPurposeHasOneSwitch(t *testing.T) {
	t.Parallel()
	root := parse(t, render(t, "en", samples("en")["preferences"]))
	got := map[string]string{}
	for _, e := range root.find("section") {
		id, ok := strings.CutPrefix(e.attrs["id"], "purpose-")
		if !ok {
			continue
		}
		var does []string
		for _, b := range e.find("button") {
			does = append(does, b.attrs["value"]+" "+strings.TrimSpace(b.text))
		}
		got[id] = strings.Join(does, "; ")
	}
	want := map[string]string{
		"newsletter": "withdraw Switch off: Newsletter; grant Keep on: Newsletter", // it ends soon
		"analytics":  "grant Switch on: Counting of visits", "surveys": "deny Switch off: Surveys",
		"adverts": "", "recording": "", "recording-talk-7": "withdraw Switch off: Recording of a talk talk-7", "basket": "",
	}
	if !maps.Equal(got, want) {
		t.Errorf("the switches are %q\nwant %q", got, want)
	}
	keys := map[string]bool{}
	for _, i := range root.find("input") {
		if i.attrs["name"] == "idempotency_key" && keys[i.attrs["value"]] {
			t.Errorf("two forms have the key %s", i.attrs["value"])
		}
		keys[i.attrs["value"]] = keys[i.attrs["value"]] || i.attrs["name"] == "idempotency_key"
	}
}
