package page_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/page"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

var (
	paris    = must(time.LoadLocation("Europe/Paris"))
	received = time.Date(2026, time.March, 5, 9, 30, 0, 0, time.UTC)
	request  = "r_5mzq1c8k2x7v4n9d"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func frame(language, path string) page.Frame {
	return page.Frame{
		Brand:    "Lumen & Sons",
		Contact:  words.Contact{Name: "Inès Moreau, data protection", Email: "dpo@lumen.example", Phone: "+33 1 23 45 67 89", Page: "https://lumen.example/dpo", Postal: "Lumen SAS\n12 rue des Lilas\n75010 Paris"},
		Language: language, Languages: []string{"en", "fr"}, Path: path, Zone: paris,
	}
}

func email(s string) personal.Email {
	e, ok := personal.ParseEmail(s)
	if !ok {
		panic(s)
	}
	return e
}

// sample is a page as somebody could meet it.
type sample struct {
	path string
	page page.Page
	edit func(*page.Frame)
}

// samples are the pages by name, filled in the language.
func samples(language string) map[string]sample {
	fr := language == "fr"
	say := func(english, french string) string {
		if fr {
			return french
		}
		return english
	}
	rights := make([]string, len(policy.AllRights))
	for i, r := range policy.AllRights {
		rights[i] = string(r)
	}
	systems := []words.System{
		{Name: say("Shop", "Boutique"), Outcomes: []words.Outcome{
			{Category: say("Account", "Compte"), Result: words.Erased, Count: 1},
			{Category: say("Orders", "Achats"), Result: words.Anonymised, Count: 1284},
			{Category: say("Invoices", "Factures"), Result: words.Kept, Count: 3, Duty: say("tax law asks us to keep invoices for ten years", "la loi fiscale nous oblige à garder les factures dix ans"), Until: received.AddDate(9, 2, 0)},
		}},
		{Name: say("Newsletter", "Lettre d’information"), Outcomes: []words.Outcome{{Category: say("Subscription", "Abonnement"), Result: words.Nothing}}},
		{Name: say("Support desk", "Assistance"), Outcomes: []words.Outcome{
			{Category: say("Conversations", "Conversations"), Result: words.Waiting},
			{Category: say("Call notes", "Notes d’appel"), Result: words.Failed},
		}},
	}
	deadlines := []page.Deadline{
		{Name: "acknowledge", Date: received.AddDate(0, 0, 10), Done: received.Add(time.Minute), Steps: []page.Step{{Text: "Received on Thursday 5 March 2026."}}},
		{Name: "respond", Date: received.AddDate(0, 1, 2), Steps: []page.Step{
			{Text: "The day of receipt is not counted.", Article: "Art. 3(1) Reg. 1182/71", Date: received},
			{Text: "One month after it.", Article: "Art. 12(3) GDPR", Date: received.AddDate(0, 1, 0)},
		}},
		{Name: "records", Date: received.AddDate(2, 0, 0)},
	}
	hello := page.Letter{At: received.AddDate(0, 0, 2), By: "operator:7c1", Text: personal.MakeText(say("We have begun.", "Nous avons commencé."))}
	question := page.Letter{
		At: received.AddDate(0, 0, 3), By: "operator:7c1", Proof: "identity_document",
		Text: personal.MakeText(say("Which orders do you mean?\nThe old shop had two accounts.", "De quels achats parlez-vous ?\nL’ancienne boutique avait deux comptes.")),
	}
	all := map[string]sample{
		"ask-complaint": {path: "/?about=" + request, page: page.Ask{Rights: rights, Key: "k1", Right: "complaint", About: request}},
		"asked-follow":  {path: "/requests/" + request + "?for=follow", page: page.Asked{Verb: page.Show, ID: request, Path: "/requests/" + request, Key: "k1", AgainKey: "k2"}},
		"ask":           {path: "/", page: page.Ask{Rights: rights, Key: "k1"}},
		"ask-no-mail":   {path: "/", page: page.Ask{Rights: []string{"opt_out_sale"}, Key: "k1", NoMail: true}},
		"ask-local":     {path: "/", page: page.Ask{Rights: rights[:2], Key: "k1"}, edit: func(f *page.Frame) { f.Local = true }},
		"ask-problems": {page: page.Ask{
			Rights: rights, Key: "k1", Notes: []string{say("Data inside an app that a customer runs is not covered: ask its owner.", "Les données d’une application exploitée par un client ne sont pas couvertes : adressez-vous à son propriétaire.")},
			Problems:  []page.FieldProblem{{Field: "email"}, {Field: "corrections"}},
			Right:     "rectification",
			Residence: "US-CA", Email: personal.MakeText("ada@"), Name: personal.MakeText("Ada Lovelace"), Account: personal.MakeText("ada1815"),
			Details:     personal.MakeText("I moved in March."),
			Identities:  []page.Named{{Kind: "phone", Value: personal.MakeText("+44 20 7946 0018")}},
			Corrections: []page.Correction{{Field: personal.MakeText("postal address")}},
		}},
		"ask-every-problem": {page: page.Ask{Rights: rights, Key: "k1", Problems: []page.FieldProblem{
			{Field: "right"}, {Field: "email"}, {Field: "name"}, {Field: "residence"}, {Field: "corrections"}, {Field: "account"}, {Field: "identities"}, {Field: "details"}, {Field: "about"},
		}}},
		"asked":           {path: "/requests/" + request, page: page.Asked{Verb: page.Verify, ID: request, Path: "/requests/" + request, Key: "k1", AgainKey: "k2", CodeUntil: received.Add(10 * time.Minute)}},
		"asked-wrong":     {page: page.Asked{Verb: page.Verify, ID: request, Path: "/requests/" + request, Key: "k1", AgainKey: "k2", CodeUntil: received.Add(10 * time.Minute), Problems: []page.FieldProblem{{Field: "code"}}}},
		"asked-deliver":   {page: page.Asked{Verb: page.Deliver, ID: request, Path: "/requests/" + request, Key: "k1", AgainKey: "k2", CodeUntil: received.Add(10 * time.Minute), Again: true}},
		"confirm-verify":  {path: "/r/t0ken", page: page.Confirm{Verb: page.Verify, Path: "/r/t0ken", Key: "k1", ID: request, Right: "erasure", Received: received, Starts: received.AddDate(0, 0, 7), Until: received.AddDate(0, 0, 1)}},
		"confirm-address": {path: "/r/t0ken", page: page.Confirm{Verb: page.Address, Path: "/r/t0ken", Key: "k1", Address: email("ada.new@example.org"), Until: received.AddDate(0, 0, 1)}},
		"confirm-deliver": {path: "/r/t0ken", page: page.Confirm{Verb: page.Deliver, Path: "/r/t0ken", Key: "k1", ID: request, Right: "access", Received: received, Until: received.AddDate(0, 0, 7)}},
		"confirm-revoke":  {path: "/r/t0ken", page: page.Confirm{Verb: page.Revoke, Path: "/r/t0ken", Key: "k1", ID: request, Right: "erasure", Received: received, Starts: received.AddDate(0, 0, 7)}},
		"confirm-follow":  {path: "/r/t0ken", page: page.Confirm{Verb: page.Show, Path: "/r/t0ken", Key: "k1", ID: request}},
		"done-verify":     {page: page.Done{Verb: page.Verify, ID: request, Starts: received.AddDate(0, 0, 7), AnswerBy: received.AddDate(0, 1, 0), Follow: "/r/t0ken2"}},
		"done-address":    {page: page.Done{Verb: page.Address}},
		"done-deliver":    {page: page.Done{Verb: page.Deliver, ID: request}},
		"done-taken":      {page: page.Done{Verb: page.Taken, ID: request}},
		"done-revoke":     {page: page.Done{Verb: page.Revoke, ID: request}},
		"gone":            {page: page.Gone{Path: "/requests/" + request, Key: "k1"}},
		"gone-ask":        {page: page.Gone{}},
		"problem":         {page: page.Problem{Kind: fault.TooMany, RetryAfter: 61 * time.Second}},
		"problem-mail":    {page: page.Problem{Kind: fault.Forbidden, Code: page.MailIsOff}},
		"notopen":         {page: page.NotOpen{}, edit: func(f *page.Frame) { f.Shut, f.Brand, f.Contact = true, "", words.Contact{} }},
		"problem-ours":    {page: page.Problem{Kind: fault.Internal, Reference: "4f1d2c"}},
		"follow": {path: "/r/t0ken", page: page.Follow{
			ID: request, Right: "erasure", Status: "in_progress", Received: received, Starts: received.AddDate(0, 0, 7),
			RespondBy: time.Date(2026, time.April, 7, 21, 59, 59, 0, time.UTC), SafeBy: time.Date(2026, time.April, 3, 21, 59, 59, 0, time.UTC),
			Deadlines: deadlines, WhyIn: "en",
			Timeline: []page.Entry{
				{At: received, Action: "receive", By: "person"},
				{At: received.Add(3 * time.Minute), Action: "verify", By: "person"},
				{At: received.Add(4 * time.Minute), Action: "accept", By: "policy"},
				{At: received.Add(30 * time.Hour), Action: "work", By: "operator:7c1"},
			},
			Systems:    systems,
			Ignored:    []personal.Identity{personal.MakeIdentity(personal.KindEmail, "bob@example.net"), personal.MakeIdentity("badge", "0815")},
			NotCovered: []policy.ExclusionView{{Text: say("Reading circles are run by their hosts.", "Les cercles de lecture sont tenus par leurs hôtes."), Redirect: policy.LinkView{Text: say("Ask the host of the circle", "Adressez-vous à l’hôte du cercle"), URL: "https://circles.example.org/hosts"}}},
			Actions:    []page.Action{{Verb: page.Deliver, Path: "/requests/" + request, Key: "k1", Until: received.AddDate(0, 0, 7)}, {Verb: page.Revoke, Path: "/requests/" + request, Key: "k2"}},
			Authority:  words.Authority{Name: "CNIL", Page: "https://www.cnil.fr/fr/plaintes"},
		}},
		"follow-denied": {page: page.Follow{
			ID: request, Right: "access", Status: "denied", Received: received, Closed: received.AddDate(0, 0, 3),
			Reason: say("We could not establish that it was you who asked.", "Nous n’avons pas pu établir que la demande venait de vous."), Article: "Art. 12(6) GDPR",
			Appeal:   &page.Appeal{Path: "/r/t0ken", Key: "k1", Until: received.AddDate(0, 2, 0)},
			Complain: "/?about=" + request,
		}},
		"follow-appealing": {page: page.Follow{
			ID: request, Right: "access", Status: "denied", Received: received, Closed: received.AddDate(0, 0, 3), Complain: "/?about=" + request,
			Appeal: &page.Appeal{Path: "/r/t0ken", Key: "k1", Problems: []page.FieldProblem{{Field: "appeal"}}},
		}},
		"follow-appealed": {path: "/r/t0ken", page: page.Follow{
			ID: request, Right: "access", Status: "denied", Received: received, Closed: received.AddDate(0, 0, 3), Appealed: "r_9d4n7v2x8k1qczm5", Complain: "/?about=" + request,
		}},
		"follow-question": {path: "/r/t0ken", page: page.Follow{
			ID: request, Right: "access", Status: "in_progress", Received: received,
			RespondBy: received.AddDate(0, 1, 2), SafeBy: received.AddDate(0, 1, 0), Deadlines: deadlines, WhyIn: "en",
			Still:    []page.Still{{Since: received.AddDate(0, 0, 3), Cause: "identity"}, {Since: received.AddDate(0, 0, 4), Cause: "consultation"}},
			Question: &question, Letters: []page.Letter{hello, question},
			Reply:    &page.Reply{Path: "/r/t0ken", Key: "k1", Answers: true, Files: 3, Megabytes: 1, Days: 14},
			Timeline: []page.Entry{{At: received, Action: "receive", By: "person"}, {At: received.AddDate(0, 0, 3), Action: "ask", By: "operator:7c1"}},
			Complain: "/?about=" + request,
		}},
		"follow-reply-problems": {page: page.Follow{
			ID: request, Right: "access", Status: "in_progress", Received: received, Question: &question, Letters: []page.Letter{question},
			Reply: &page.Reply{Path: "/r/t0ken", Key: "k1", Answers: true, Files: 3, Megabytes: 1, Days: 14, Problems: []page.FieldProblem{{Field: "reply"}, {Field: "files"}}},
		}},
		"follow-answered": {path: "/r/t0ken", page: page.Follow{
			ID: request, Right: "access", Status: "in_progress", Received: received, RespondBy: received.AddDate(0, 3, 0), SafeBy: received.AddDate(0, 3, 0),
			Extended: page.Extension{
				From: received.AddDate(0, 1, 0), To: received.AddDate(0, 3, 0), Article: "Art. 12(3) GDPR",
				Text: say("Your request is complex.", "Votre demande est complexe."),
			},
			Letters: []page.Letter{question, {
				At: received.AddDate(0, 0, 5), By: "person", Text: personal.MakeText(say("Here they are.\nBoth of them.", "Les voici.\nToutes les deux.")),
				Files: []page.Attached{{Name: personal.MakeText(say("orders.pdf", "achats.pdf")), Size: 734_003}, {Name: personal.MakeText("2.txt"), Size: 12, Gone: true}},
			}},
			Reply: &page.Reply{Path: "/r/t0ken", Key: "k1", Files: 3, Megabytes: 1, Days: 14},
		}},
		"follow-decided": {path: "/r/t0ken", page: page.Follow{
			ID: "r_9d4n7v2x8k1qczm5", Right: "appeal", Status: "fulfilled", Received: received, Closed: received.AddDate(0, 0, 9), About: request,
			Decision: "partly_upheld", Explanation: personal.MakeText(say("You were right about the first point.", "Vous aviez raison sur le premier point.")),
		}},
		"policy": {path: "/policy", page: page.Policy{Publication: published(say, language)}},
		"policy-bare": {path: "/policy", page: page.Policy{Publication: policy.Publication{
			Language: language, Controller: policy.ControllerView{LegalName: "Lumen", TradeName: "Lumen", Form: policy.SoleTrader, Country: "FR"},
			Document: policy.DocumentView{Title: "Lumen", Sections: []policy.SectionView{{ID: "all", Title: "Lumen", Shows: []policy.Table{policy.ShowKept, policy.ShowRetention, policy.ShowClosure, policy.ShowVendors, policy.ShowChangelog, policy.ShowConsents, policy.ShowChoices, policy.ShowCookies}}}},
		}}},
		"mailbox": {path: "/local/mail", edit: func(f *page.Frame) { f.Local = true }, page: page.Mailbox{Mails: []page.MailLine{
			{N: 2, To: email("ada@example.org"), Subject: say("Lumen has your request", "Lumen a bien votre demande"), At: received.Add(time.Minute)},
			{N: 1, To: email("ada@example.org"), Subject: say("Please confirm your request to Lumen", "Veuillez confirmer votre demande à Lumen"), At: received},
		}}},
		"mailbox-empty": {path: "/local/mail", page: page.Mailbox{To: personal.MakeText("eve@example.net")}},
		"mail": {path: "/local/mail/1", edit: func(f *page.Frame) { f.Local = true }, page: page.Mail{
			N: 1, To: email("ada@example.org"), Subject: say("Please confirm your request to Lumen", "Veuillez confirmer votre demande à Lumen"), At: received,
			Text: personal.MakeText(say("Hello,", "Bonjour,") + "\n\n    123456\n\nhttp://localhost:8080/r/t0ken\n\nLumen\n"), Code: personal.MakeText("123456"),
		}},
		"events": {path: "/local/events", edit: func(f *page.Frame) { f.Local = true }, page: page.Events{Events: []page.Told{
			{Type: "hold.placed", At: received, Detail: "{\n  \"about\": \"hold\"\n}"}, {Type: "retention.swept", At: received, Detail: "{}"},
		}}},
		"events-none": {path: "/local/events", edit: func(f *page.Frame) { f.Local = true }, page: page.Events{}},
		"clock":       {path: "/local/clock", edit: func(f *page.Frame) { f.Local = true }, page: page.Clock{Now: received, Path: "/local/clock"}},
	}
	maps.Copy(all, choiceSamples(say))
	maps.Copy(all, closureSamples(say))
	return all
}

// published is a policy with something in every table.
func published(say func(english, french string) string, language string) policy.Publication {
	account, orders := say("Account", "Compte"), say("Orders", "Achats")
	return policy.Publication{
		Version: "p1-0123456789abcdef", Language: language,
		Document: policy.DocumentView{
			Brand: "Lumen & Sons", Title: say("What we do with your data", "Ce que nous faisons de vos données"), Languages: []string{"en", "fr"},
			Effective: "2026-05-01", Updated: "2026-05-11T08:00:00+02:00", URL: "https://lumen.example/policy",
			Changelog: []policy.ChangeView{{Date: "2026-05-11", Text: say("A new host.", "Un nouvel hébergeur.")}},
			Sections: []policy.SectionView{
				{ID: "who", Title: say("Who we are", "Qui nous sommes"), Paragraphs: [][]policy.Span{{
					{Text: say("A shop for lamps. ", "Une boutique de lampes. ")}, {Text: say("Our host", "Notre hébergeur"), Href: "#vendor-host"},
				}}, Shows: []policy.Table{policy.ShowContact, policy.ShowAuthorities, policy.ShowScope}},
				{ID: "rights", Title: say("What you can ask", "Ce que vous pouvez demander"), Shows: []policy.Table{policy.ShowRights, policy.ShowKept, policy.ShowRetention, policy.ShowClosure}},
				{ID: "data", Title: say("What we hold", "Ce que nous détenons"), Shows: []policy.Table{policy.ShowCategories, policy.ShowPurposes}},
				{ID: "choices", Title: say("What you choose", "Ce que vous choisissez"), Shows: []policy.Table{policy.ShowConsents, policy.ShowSignals, policy.ShowChoices, policy.ShowCookies}},
				{ID: "others", Title: say("Who receives it", "Qui les reçoit"), Shows: []policy.Table{policy.ShowVendors, policy.ShowPlaces, policy.ShowChangelog}},
			},
		},
		Controller: policy.ControllerView{LegalName: "Lumen SAS", TradeName: "Lumen & Sons", Form: policy.Company, Country: "FR", PostalAddress: "12 rue des Lilas, Paris"},
		Contact:    policy.ContactView{Email: "dpo@lumen.example", Page: "https://lumen.example/dpo", Person: "Inès Moreau"},
		Authorities: []policy.AuthorityView{
			{Residence: "FR", Name: "CNIL", URL: "https://www.cnil.fr"}, {Residence: policy.EEA, Name: "EDPB", URL: "https://www.edpb.europa.eu"},
		},
		Scope: policy.ScopeView{
			Surfaces: []policy.LinkView{{Text: "lumen.example", URL: "https://lumen.example"}}, Subsidiaries: []string{"Lumen Labs"},
			Exclusions: []policy.ExclusionView{{Text: say("Shops that run on ours.", "Les boutiques hébergées chez nous."), Redirect: policy.LinkView{Text: say("Ask them", "Adressez-vous à elles"), URL: "https://shops.example"}}},
		},
		Rights: []policy.RightView{
			{Right: policy.Access, Residences: []string{policy.Everywhere}, PromisedDays: 30, SelfService: &policy.LinkView{Text: say("In your account", "Dans votre compte"), URL: "https://lumen.example/account"}},
			{Right: policy.Erasure, Residences: []string{policy.EEA, "US-CA"}},
		},
		Refusals: []policy.RefusalView{
			{Code: "manifestly_unfounded", Text: say("The request is manifestly unfounded.", "La demande est manifestement infondée."), Articles: []string{"Art. 12(5)(b) GDPR", "Art. 12(5)(b) UK GDPR"}},
			{Code: "excessive", Text: say("The request is excessive.", "La demande est excessive."), Articles: []string{"Art. 12(5)(b) GDPR"}},
		},
		WithoutAccount: say("Without an account, write to us.", "Sans compte, écrivez-nous."),
		Categories: []policy.CategoryView{
			{
				Label: account, Examples: say("name, address", "nom, adresse"), Role: policy.AsController, From: []policy.Origin{policy.FromPerson, policy.FromOthers},
				FromOutside: []string{"Sésame"}, California: policy.Identifiers, Collected: true, Shown: true, Purposes: []string{say("Running the shop", "Faire tourner la boutique")},
				Recipients: []policy.RecipientClass{policy.CloudInfrastructure},
			},
			{Label: orders, Role: policy.AsProcessor, From: []policy.Origin{policy.FromMachine}},
		},
		Purposes: []policy.PurposeView{{
			Text: say("Running the shop", "Faire tourner la boutique"), Bases: []policy.Basis{policy.OnContract, policy.OnLegitimateInterests},
			Interest: say("Ours in knowing what sells.", "Le nôtre, à savoir ce qui se vend."), Categories: []string{account, orders},
		}},
		Consents: []policy.ConsentView{
			{
				Purpose: "session", Label: say("Signing in", "Connexion"), Text: say("Running the shop", "Faire tourner la boutique"), Wording: say("One cookie keeps you signed in.", "Un cookie vous garde connecté."),
				Required: true, Loss: say("You cannot sign in.", "Vous ne pouvez pas vous connecter."),
			},
			{
				Purpose: "letter", Label: say("The letter", "La lettre"), Text: say("News of lamps", "Des nouvelles des lampes"), Wording: say("Send me the letter.", "Envoyez-moi la lettre."),
				Default: policy.Off, DoubleOptIn: true, Expires: &policy.Period{Months: 24}, StoppedBy: []policy.Stop{policy.MarketingOptOut, policy.Objected},
			},
			{
				Purpose: "counting", Label: say("Counting", "Mesure"), Text: say("Which lamps are looked at", "Quelles lampes sont regardées"), Wording: say("Count my visits.", "Comptez mes visites."),
				Default: policy.On, Ground: policy.NoConsentNeeded, StoppedBy: []policy.Stop{policy.GPC, policy.DNT},
			},
			{
				Purpose: "recording", Label: say("Recordings", "Enregistrements"), Text: say("Taking notes", "Prendre des notes"), Wording: say("Record this talk.", "Enregistrez cet entretien."),
				Default: policy.Off, Explicit: true, PerAct: true, AskFirst: true,
			},
		},
		Signals: policy.SignalsView{GPC: policy.Honoured, DNT: policy.Ignored, OnConflict: policy.AskAgain, Updated: "2026-05-11"},
		Choices: []policy.ChoiceView{
			{
				ID: "advertising", Text: say("Settings of advertisements", "Réglages des publicités"), PerformedBy: policy.ByAnalyticsProvider,
				Link: &policy.LinkView{Text: say("Their page", "Leur page"), URL: "https://count.example/settings"}, Consequence: say("Others are shown.", "D’autres sont affichées."),
			},
			{ID: "switch", Text: say("Not to be counted", "Ne pas être compté"), PerformedBy: policy.ByUs, Purpose: "counting"},
		},
		Cookies: []policy.CookieView{
			{
				ID: "session", Name: "sid", Kind: policy.HTTPCookie, Party: policy.FirstParty, Essential: true, Purpose: say("Signing in", "Connexion"),
				Lifetime: say("Until you leave", "Jusqu’à votre départ"), ControlledBy: policy.ByBrowser, Loss: say("You cannot sign in.", "Vous ne pouvez pas vous connecter."),
			},
			{
				ID: "count", Name: "_count", Kind: policy.Pixel, Party: policy.ThirdParty, Purpose: say("Counting", "Mesure"),
				Lifetime: say("A year", "Un an"), ControlledBy: policy.ByUs,
			},
		},
		Vendors: []policy.RecipientView{{
			ID: "host", Class: policy.CloudInfrastructure, Name: "Nuage", Function: say("Runs our servers", "Exploite nos serveurs"), Policy: "https://nuage.example",
			Country: "US", Role: policy.RecipientProcessor, Categories: []string{account}, Safeguard: policy.StandardClauses, AtDirection: true,
		}},
		Recipients: []policy.RecipientView{{Class: policy.PublicAuthority, Function: say("Only when the law demands it", "Seulement si la loi l’exige")}},
		Places: []policy.PlaceView{
			{Label: say("The shop", "La boutique"), Country: "FR", Role: policy.AsController, RunBy: "Nuage", Categories: []string{account, orders}, Backups: &policy.Period{Days: 35}},
			{Label: say("Laptops", "Portables"), Country: "FR", Role: policy.AsProcessor, Controller: "Lumen Labs", OnPersonalComputers: true, NotUnderControl: true},
			{Label: say("Archive", "Archives"), Country: "FR", Role: policy.AsProcessor},
		},
		Retention: []policy.RetentionView{
			{Category: account, Place: say("The shop", "La boutique"), Trigger: policy.WhenAccountClosed, SetBy: policy.SetByCompany, Action: policy.RetireDelete},
			{
				Category: orders, Place: say("The shop", "La boutique"), Trigger: policy.WhenRelationshipEnded, Relationship: say("A licence", "Une licence"),
				Period: &policy.Period{Years: 2}, SetBy: policy.SetByLaw, Article: "Art. 5", Action: policy.RetireAnonymise,
				Except: []policy.KeptView{{Category: orders, Ground: policy.SecurityGround, Duty: say("Fraud", "Fraude"), Period: policy.Period{Years: 3}, From: policy.FromEnd}},
			},
			{Category: orders, Place: say("Archive", "Archives"), Trigger: policy.WhenPurposeEnded, Purpose: say("Running the shop", "Faire tourner la boutique"), SetBy: policy.SetByOperator, Action: policy.RetireArchive},
			{Category: orders, Place: say("Archive", "Archives"), Trigger: policy.WhenCollected, Period: &policy.Period{Days: 90}, SetBy: policy.SetByOperator, Action: policy.RetireDelete},
			{Category: orders, Place: say("Archive", "Archives"), Trigger: policy.WhenLastUsed, Period: &policy.Period{Months: 13}, SetBy: policy.SetByOperator, Action: policy.RetireDelete},
		},
		Closure: &policy.ClosureView{GraceDays: 14, ErasedWithin: 30, Before: [][]policy.Span{{{Text: say("End your ", "Résiliez votre ")}, {Text: say("subscription", "abonnement"), Href: "#rights"}}}},
		Kept: []policy.KeptView{
			{Category: orders, Ground: policy.LegalDuty, Duty: say("Invoices", "Factures"), Article: "L. 123-22", Period: policy.Period{Years: 10}, From: policy.FromCollection},
			{Category: account, Ground: policy.SecurityGround, Duty: say("Fraud", "Fraude"), Period: policy.Period{Months: 1}, From: policy.FromClosure},
			{Category: account, Ground: policy.LegalClaims, Duty: say("Claims", "Litiges"), Period: policy.Period{Days: 90}, From: policy.FromClosure},
		},
	}
}

// render returns the page as a browser would get it.
func render(t *testing.T, language string, s sample) string {
	t.Helper()
	f := frame(language, s.path)
	if s.edit != nil {
		s.edit(&f)
	}
	var out strings.Builder
	if err := page.Render(&out, f, s.page); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
