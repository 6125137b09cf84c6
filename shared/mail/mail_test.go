package mail_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

var update = flag.Bool("update", false, "write the golden files anew")

var asked = time.Date(2026, time.March, 5, 9, 30, 0, 0, time.UTC)

func email(tb testing.TB, s string) personal.Email {
	tb.Helper()
	e, ok := personal.ParseEmail(s)
	if !ok {
		tb.Fatalf("%q is no address", s)
	}
	return e
}

// letter is a letter with everything in it that any kind could say.
func letter(tb testing.TB, language string) mail.Letter {
	tb.Helper()
	say := func(english, french string) string {
		if language == "fr" {
			return french
		}
		return english
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		tb.Fatal(err)
	}
	return mail.Letter{
		To: email(tb, "ada@example.org"), Brand: "Lumen & Sons", Zone: paris,
		Contact: words.Contact{Name: "Inès Moreau", Email: "dpo@lumen.example", Page: "https://lumen.example/dpo", Postal: "Lumen SAS\n12 rue des Lilas\n75010 Paris"},
		Request: "r_5mzq1c8k2x7v4n9d", Right: "erasure", Received: asked, RespondBy: asked.AddDate(0, 0, 30),
		Code: personal.MakeText("042042"), CodeUntil: asked.Add(10 * time.Minute),
		Link:   personal.MakeText("https://privacy.lumen.example/r/r_5mzq1c8k2x7v4n9d.v1.kLmN0pQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQrStUvWxYz"),
		Follow: personal.MakeText("https://privacy.lumen.example/r/follow"), LinkUntil: asked.AddDate(0, 0, 1),
		Starts: asked.AddDate(0, 0, 7), Revoke: personal.MakeText("https://privacy.lumen.example/r/revoke"),
		Systems: []words.System{
			{Name: say("Shop", "Boutique"), Outcomes: []words.Outcome{
				{Category: say("Account", "Compte"), Result: words.Erased, Count: 1},
				{Category: say("Invoices", "Factures"), Result: words.Kept, Count: 3, Duty: say("tax law asks us to keep invoices for ten years", "la loi fiscale nous oblige à garder les factures dix ans"), Until: asked.AddDate(9, 2, 0)},
			}},
			{Name: say("Newsletter", "Lettre d’information"), Outcomes: []words.Outcome{{Category: say("Subscription", "Abonnement"), Result: words.Nothing}}},
			{Name: say("Nothing asked", "Rien demandé")},
		},
		Ignored: []personal.Identity{personal.MakeIdentity(personal.KindEmail, "bob@example.net")},
		Reason:  say("We could not establish that it was you who asked.", "Nous n’avons pas pu établir que la demande venait de vous."), Article: "Art. 12(6) GDPR",
		Authority: words.Authority{Name: "CNIL", Page: "https://www.cnil.fr/fr/plaintes"},
		Appeal:    true, AppealUntil: asked.AddDate(0, 0, 60),
		LapseAt:    asked.AddDate(0, 0, 14),
		AnotherWay: say("If you have no account with us, come to the counter with a letter of ours.", "Si vous n’avez pas de compte chez nous, venez au guichet avec une de nos lettres."),
		Words: personal.MakeText(say("Which of the two shops is it about?\n\nIf you no longer know:\n- the year is enough,\n- so is a receipt.",
			"De laquelle des deux boutiques s’agit-il ?\n\nSi vous ne le savez plus :\n- l’année suffit,\n- un reçu aussi.")),
		Waiting: true, Stopped: true, Before: asked.AddDate(0, 0, 20), Outcome: "partly_upheld",
		Consents: []mail.Consent{
			{
				Label:   say("Newsletter", "Lettre d’information"),
				Wording: say("I would like the monthly newsletter of Lumen & Sons.\nI can unsubscribe at any time.", "Je souhaite la lettre d’information mensuelle de Lumen & Sons.\nJe peux me désabonner à tout moment."),
				Until:   asked.AddDate(0, 1, 0),
			},
			{Label: say("Surveys", "Enquêtes"), Wording: say("You may ask me what I think, twice a year.", "Vous pouvez me demander mon avis, deux fois par an."), Until: asked.AddDate(0, 1, 3)},
		},
		Lines: []mail.Line{
			{Request: "r_late", Right: "erasure", Why: []string{"overdue"}, RespondBy: asked.AddDate(0, 0, -1), SafeBy: asked.AddDate(0, 0, -3)},
			{Request: "r_day", Right: "rectification", Why: []string{"T-1", "T-3", "T-7", "failed"}, RespondBy: asked.AddDate(0, 0, 5), SafeBy: asked.AddDate(0, 0, 1)},
			{Request: "r_new", Right: "access", Why: []string{"new"}, RespondBy: asked.AddDate(0, 0, 29), SafeBy: asked.AddDate(0, 0, 27)},
		},
		Settle: say("Is there a subscription?\nEnd it first.", "Avez-vous un abonnement ?\nRésiliez-le d’abord."),
		Grace:  14, GoneIn: 30, ClosesAt: asked.AddDate(0, 0, 14), GoneBy: asked.AddDate(0, 0, 44),
		More: 12, Console: "https://privacy.lumen.example",
	}
}

// letterOf is that letter as a kind would have it.
func letterOf(tb testing.TB, kind mail.Kind, language string) mail.Letter {
	tb.Helper()
	l := letter(tb, language)
	say := map[string]map[string]string{
		"decision": {
			"en": "You are right about the newsletter: it should have stopped in May, and it has now.\n\nThe invoices stay:\n- tax law asks for them,\n- nobody reads them otherwise.",
			"fr": "Vous avez raison pour la lettre d’information : elle aurait dû cesser en mai, c’est fait.\n\nLes factures restent :\n- la loi fiscale les exige,\n- personne ne les lit autrement.",
		},
		"complex": {"en": "Your request is complex.", "fr": "Votre demande est complexe."},
	}
	choices := func() {
		l.Request, l.Link = "", personal.MakeText("https://privacy.lumen.example/p/i15mzq1c8k2x7v4n9d.kLmN0pQrStUvWxYz0123456789")
	}
	change := map[mail.Kind]func(){
		mail.ConfirmConsent: func() {
			choices()
			for i := range l.Consents {
				l.Consents[i].Until = time.Time{}
			}
		},
		mail.RenewConsent: choices, mail.PreferenceLink: choices,
		mail.Decided:    func() { l.Right, l.Words = "complaint", personal.MakeText(say["decision"][language]) },
		mail.Asked:      func() { l.Article = "UK GDPR Art. 12A(4)" },
		mail.StillAsked: func() { l.Article = "UK GDPR Art. 12A(4)" },
		mail.Late:       func() { l.Article = "PIPEDA s. 8(5)" },
		mail.Extended: func() {
			l.Reason, l.Article = say["complex"][language], "Art. 12(3) GDPR"
			l.RespondBy, l.Before = asked.AddDate(0, 3, 0), asked.AddDate(0, 0, 33)
		},
		mail.Overdue: func() {
			l.Lines = []mail.Line{
				{Request: "r_late", Right: "erasure", Why: []string{"overdue", "T-1", "task"}, RespondBy: asked.AddDate(0, 0, -1), SafeBy: asked.AddDate(0, 0, -3)},
				{Request: "r_later", Right: "know", Why: []string{"still_overdue"}, RespondBy: asked.AddDate(0, 0, -8), SafeBy: asked.AddDate(0, 0, -8)},
			}
			l.More = 0
		},
	}[kind]
	if change != nil {
		change()
	}
	return l
}

func TestEveryLetterInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, language := range words.Languages() {
		for _, kind := range mail.Kinds {
			t.Run(language+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				m, err := mail.Compose(kind, language, letterOf(t, kind, language))
				if err != nil {
					t.Fatal(err)
				}
				var b strings.Builder
				fmt.Fprintf(&b, "To: %s\nReply-To: %s\nSubject: %s\nContent-Language: %s\n", m.To.Reveal(), m.ReplyTo.Reveal(), m.Subject, m.Language)
				for _, h := range m.Headers {
					fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
				}
				b.WriteString("\n" + m.Text.Reveal())
				golden(t, filepath.Join("testdata", language, string(kind)+".txt"), b.String())
				golden(t, filepath.Join("testdata", language, string(kind)+".html"), m.HTML.Reveal())

				for _, part := range []string{m.Text.Reveal(), m.HTML.Reveal()} {
					if !strings.Contains(part, "dpo@lumen.example") {
						t.Error("ALL-01: it does not say whom to ask")
					}
				}
				if m.Stream != mail.Legal || strings.Contains(strings.ToLower(fmt.Sprint(m.Headers)), "unsubscribe") {
					t.Error("a legal notice can be unsubscribed from")
				}
				if strings.Contains(m.Subject, "ada") {
					t.Error("the subject names the person")
				}
			})
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update, and read it", err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is composed; run with -update and read the difference", path)
	}
}

// TestTextAndHTMLSayTheSame: nobody is told less for the mail program they use.
func TestTextAndHTMLSayTheSame(t *testing.T) {
	t.Parallel()
	for _, kind := range mail.Kinds {
		l := letterOf(t, kind, "en")
		m, err := mail.Compose(kind, "en", l)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"Newsletter", "I can unsubscribe at any time.", "8 April 2026", l.AnotherWay, l.Article, "4 May 2026", "- the year is enough,", "- tax law asks for them,", "/v1/operator/requests/r_late", "due_before=", l.Code.Reveal(), l.Link.Reveal(), l.Revoke.Reveal(), l.Follow.Reveal(), l.Console, l.Reason, "bob@example.net", "5 May 2035", "4 April 2026", l.Request, "CNIL"} {
			text, html := strings.Contains(flat(m.Text.Reveal()), what), strings.Contains(flat(m.HTML.Reveal()), what)
			if text != html {
				t.Errorf("%s: %q stands in the text: %v, in the HTML: %v", kind, what, text, html)
			}
		}
	}
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") } // as a reader joins lines

// TestWhatEachLetterMustSay names what a person needs from each.
func TestWhatEachLetterMustSay(t *testing.T) {
	t.Parallel()
	const code, link, until = "042042", "https://privacy.lumen.example/r/r_5mzq1c8k2x7v4n9d.v1.", "6 March 2026, 10:30 (CET)"
	tests := map[mail.Kind][]string{
		mail.Verify:         {code, link, until, "5 March 2026, 10:40 (CET)", "erase your personal data", "4 April 2026", "If this was not you, do nothing. Nothing happens"},
		mail.Received:       {code, link, until, "you need not prove who you are", "4 April 2026", "write to us: we will put it right"},
		mail.ConfirmAddress: {link, until, "If you know nothing of this, do nothing"},
		mail.Verified:       {"erase your personal data", "5 March 2026", "4 April 2026", "12 March 2026, 10:30 (CET)", "/r/revoke", "/r/follow"},
		mail.Ready:          {link, until, "there is a button behind it"},
		mail.Fulfilled:      {"Account: 1 record erased", "Invoices: Kept until 5 May 2035: tax law", "Subscription: We looked and found nothing", "Email address: bob@example.net", "CNIL", "go to court"},
		mail.Denied:         {"could not establish", "Art. 12(6) GDPR", "appeal to us until 4 May 2026", "/r/follow", "need not write to us first", "CNIL", "https://www.cnil.fr/fr/plaintes", "go to court"},
		mail.Revoked:        {"we have ended your request", "If this was not you, please write to us"},
		mail.Lapsed:         {"Nobody confirmed this request in time", "erase your personal data", "Nothing was looked up, changed or erased", "ask again at any time", "come to the counter"},
		mail.Remind:         {"erase your personal data", "5 March 2026", link, until, "is not lost", "We wait for you until 19 March 2026", "new code", "4 April 2026", "If this was not you, do nothing", "come to the counter"},
		mail.Asked:          {"erase your personal data", "Which of the two shops is it about?", "- so is a receipt.", "/r/follow", "PDF", "The law (UK GDPR Art. 12A(4)) stops our time", "no day counts until you have written"},
		mail.StillAsked:     {"have not heard from you", "Which of the two shops is it about?", "/r/follow", "The law (UK GDPR Art. 12A(4)) stops our time"},
		mail.Extended:       {"erase your personal data", "by 5 June 2026 at the latest, instead of 7 April 2026", "Your request is complex.", "Art. 12(3) GDPR", "CNIL", "https://www.cnil.fr/fr/plaintes", "without asking us first", "go to court"},
		mail.Late:           {"erase your personal data", "by 4 April 2026", "We are sorry", "still working on it", "The law (PIPEDA s. 8(5)) takes an answer that does not come in time for a refusal", "CNIL", "go to court"},
		mail.Decided:        {"You complained to Lumen & Sons", "decided in your favour in part", "You are right about the newsletter", "- tax law asks for them,", "appeal to us until 4 May 2026", "/r/follow", "CNIL"},
		mail.ConfirmConsent: {
			"Please confirm what you agreed to at Lumen & Sons", "/p/i15mzq1c8k2x7v4n9d.", until, "counts only once you", "Newsletter", "> I would like the monthly newsletter of Lumen & Sons. > I can unsubscribe at any time.",
			"Surveys", "> You may ask me what I think, twice a year.", "do nothing. Nothing counts then", "take it back at any time",
		},
		mail.RenewConsent: {
			"What you agreed to at Lumen & Sons ends soon", "/p/i15mzq1c8k2x7v4n9d.", until, "Newsletter", "It ends on 5 April 2026.", "It ends on 8 April 2026.", "> I would like the monthly newsletter",
			"You need not do anything: it then ends by itself",
		},
		mail.PreferenceLink: {"Your choices at Lumen & Sons", "/p/i15mzq1c8k2x7v4n9d.", until, "do not pass this mail on", "do nothing. Nothing has changed"},
		mail.ConfirmClosure: {
			"Do you want to close your account with Lumen & Sons?", link, until, "Nothing has happened yet", "you have 14 days to change your mind", "gone within 30 days",
			"where the law wants them kept", "Is there a subscription?", "If this was not you, do nothing",
		},
		mail.ClosureBegun: {
			"closes on 19 March 2026, 10:30 (CET). Until then nothing is deleted or changed. Everything is gone by 18 April 2026", "/r/revoke", "everything is as it was", "End it first.", "change your password",
		},
		mail.ClosureEnded: {"Your account with Lumen & Sons stays", "Everything is as it was"},
		mail.Closed: {
			"our last mail to you", "Account: 1 record erased", "Invoices: Kept until 5 May 2035: tax law", "goes when its time is over", "a code from which your address cannot be read", "a certificate of it", "/r/follow", "CNIL",
		},
		mail.Digest: {
			"15 privacy requests need you: 1 overdue, 1 due tomorrow, 13 others", "https://privacy.lumen.example",
			"“Have my data erased”: the date to answer by has passed. It was to be answered by 4 March 2026. GET /v1/operator/requests/r_late",
			"“Have my data corrected”: due tomorrow; a step failed and waits for a retry. Answer by 6 March 2026 to be safe, and by 10 March 2026 at the latest. GET /v1/operator/requests/r_day",
			"And 12 more: GET /v1/operator/requests?due_before=2026-04-04",
		},
		mail.Overdue: {
			"2 privacy requests are overdue", "has passed for these 2 requests", "whom they can complain to", "https://privacy.lumen.example",
			"“Have my data erased”: the date to answer by has passed; something is to be done by hand. It was to be answered by 4 March 2026. GET /v1/operator/requests/r_late",
			"another week has passed since the date to answer by. It was to be answered by 25 February 2026. GET /v1/operator/requests/r_later",
		},
	}
	for _, kind := range mail.Kinds {
		m, err := mail.Compose(kind, "en", letterOf(t, kind, "en"))
		if err != nil {
			t.Fatal(err)
		}
		if len(tests[kind]) == 0 {
			t.Errorf("nothing is asked of %s", kind)
		}
		for _, want := range tests[kind] {
			if !strings.Contains(flat(m.Subject+" "+m.Text.Reveal()), want) {
				t.Errorf("%s does not say %q:\n%s", kind, want, m.Text.Reveal())
			}
		}
	}
}

func TestADigestSaysNothingPersonal(t *testing.T) {
	t.Parallel()
	for _, kind := range []mail.Kind{mail.Digest, mail.Overdue} {
		l := letter(t, "en")
		l.To = email(t, "operator@lumen.example")
		m, err := mail.Compose(kind, "en", l)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"ada@", "bob@example.net", l.Code.Reveal(), l.Link.Reveal(), l.Follow.Reveal(), "two shops"} {
			if strings.Contains(m.Text.Reveal()+m.HTML.Reveal()+m.Subject, secret) {
				t.Errorf("%s says %q", kind, secret)
			}
		}
	}
}

// TestWhatALetterSaysDependsOn names what a letter says in one case and not in another.
func TestWhatALetterSaysDependsOn(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return asked.AddDate(0, 0, n) }
	lines := func(why ...string) func(*mail.Letter) {
		return func(l *mail.Letter) {
			l.Lines, l.More = nil, 0
			for _, w := range why {
				l.Lines = append(l.Lines, mail.Line{Request: "r_1", Right: "access", Why: []string{w}, RespondBy: day(2), SafeBy: day(2)})
			}
		}
	}
	tests := map[string]struct {
		kind      mail.Kind
		change    func(*mail.Letter)
		says, not string
	}{
		"no authority is known":              {mail.Denied, func(l *mail.Letter) { l.Authority, l.Appeal = words.Authority{}, false }, "You can complain to the data protection authority of the place where you live.", "attorney"},
		"none is known, but an appeal":       {mail.Denied, func(l *mail.Letter) { l.Authority = words.Authority{} }, "the attorney general of your state", "CNIL"},
		"how an appeal ended":                {mail.Decided, func(l *mail.Letter) { l.Authority, l.Appeal, l.Right = words.Authority{}, false, "appeal" }, "the attorney general of your state", "You can appeal"},
		"an authority without a page":        {mail.Denied, func(l *mail.Letter) { l.Authority.Page = "" }, "The authority that hears complaints: CNIL.", "How to complain"},
		"no appeal":                          {mail.Denied, func(l *mail.Letter) { l.Appeal = false }, "somebody looks at it again", "appeal"},
		"an appeal without an end":           {mail.Denied, func(l *mail.Letter) { l.AppealUntil = time.Time{} }, "You can appeal to us. Say", "to us until"},
		"more time is no answer":             {mail.Extended, func(*mail.Letter) {}, "If you would rather not wait", "appeal"},
		"a decision on an appeal":            {mail.Decided, func(l *mail.Letter) { l.Right = "appeal" }, "has decided on your appeal\n", "come to a decision"},
		"a decision on a challenge":          {mail.Decided, func(l *mail.Letter) { l.Right = "challenge" }, "has come to a decision\n", "your appeal"},
		"upheld":                             {mail.Decided, func(l *mail.Letter) { l.Outcome = "upheld" }, "in your favour.", "in part"},
		"rejected":                           {mail.Decided, func(l *mail.Letter) { l.Outcome = "rejected" }, "not to change anything", "favour"},
		"a message":                          {mail.Asked, func(l *mail.Letter) { l.Waiting = false }, "has written to you:", "ask you"},
		"time runs on":                       {mail.Asked, func(l *mail.Letter) { l.Stopped = false }, "runs on meanwhile: you will have an answer by 4 April 2026", "stops"},
		"time stands still":                  {mail.Asked, func(l *mail.Letter) { l.Article = "" }, "The law stops our time to answer", "4 April 2026"},
		"silence is no refusal":              {mail.Late, func(l *mail.Letter) { l.Article = "" }, "We are sorry", "refusal"},
		"no other way is known":              {mail.Remind, func(l *mail.Letter) { l.AnotherWay = "" }, "We wait for you", "Another way"},
		"no other way, and it is over":       {mail.Lapsed, func(l *mail.Letter) { l.AnotherWay = "" }, "write to the contact below", "counter"},
		"one request, nothing presses":       {mail.Digest, lines("new"), "1 privacy request needs you\n", "other"},
		"everything presses":                 {mail.Digest, lines("overdue", "still_overdue", "T-1", "T-3", "T-7"), "5 privacy requests need you: 2 overdue, 1 due tomorrow, 1 within three days, 1 within a week\n", "others"},
		"one other":                          {mail.Digest, lines("T-3", "failed"), "2 privacy requests need you: 1 within three days, 1 other\n", "overdue"},
		"one date":                           {mail.Digest, lines("answered"), "the person has written back. Answer by 7 March 2026 at the latest.", "to be safe"},
		"nothing more":                       {mail.Digest, lines("task"), "This request needs somebody", "more"},
		"one more":                           {mail.Digest, func(l *mail.Letter) { l.More = 1 }, "And one more: GET /v1/operator/requests?due_before=2026-04-04", "others more"},
		"one that is late":                   {mail.Overdue, lines("overdue"), "has passed for this request", "these"},
		"a reason of a later version":        {mail.Digest, lines("full_moon"), "“Get a copy of my data”: full moon.", "why."},
		"a right of the policy's own making": {mail.Digest, func(l *mail.Letter) { l.Lines[0].Right = "coffee_break" }, "“coffee break”", "right."},
	}
	for name, tt := range tests {
		l := letter(t, "en")
		tt.change(&l)
		m, err := mail.Compose(tt.kind, "en", l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := m.Subject + "\n" + flat(m.Text.Reveal())
		if !strings.Contains(said, tt.says) || strings.Contains(said, tt.not) {
			t.Errorf("%s: it says not %q, or it says %q:\n%s\n%s", name, tt.says, tt.not, m.Subject, m.Text.Reveal())
		}
	}
}

// TestAnOperatorsWordsKeepTheirShape: paragraphs, lines and links arrive as they
// were written, and nothing that is longer than any letter.
func TestAnOperatorsWordsKeepTheirShape(t *testing.T) {
	t.Parallel()
	link := "https://www.example.org/" + strings.Repeat("where-the-form-is/", 8)
	compose := func(said string) string {
		l := letter(t, "en")
		l.Words = personal.MakeText(said)
		m, err := mail.Compose(mail.Asked, "en", l)
		if err != nil {
			t.Fatal(err)
		}
		return m.Text.Reveal()
	}
	got := compose("\r\n\n First,\r\nsecond.\n \n\nThe form is at " + link + "\n" + strings.Repeat("word ", 20))
	want := "\n\n> First,\n> second.\n>\n> The form is at\n> " + link + "\n> " + strings.TrimSpace(strings.Repeat("word ", 15)) + "\n> " + strings.TrimSpace(strings.Repeat("word ", 5)) + "\n\n"
	if !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := compose(strings.Repeat("a\n", 3000)); strings.Count(got, "\n> a") != 400 || !strings.Contains(got, "\n> …\n") {
		t.Errorf("%d lines are said", strings.Count(got, "\n> a"))
	}
}

func TestALetterWithAHoleIsNotComposed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind mail.Kind
		hole func(*mail.Letter)
	}{
		"no address":                    {mail.Verified, func(l *mail.Letter) { l.To = personal.Email{} }},
		"no brand":                      {mail.Verified, func(l *mail.Letter) { l.Brand = "" }},
		"nobody to ask":                 {mail.Verified, func(l *mail.Letter) { l.Contact = words.Contact{Name: "Inès"} }},
		"no code":                       {mail.Verify, func(l *mail.Letter) { l.Code = personal.Text{} }},
		"no end of the code":            {mail.Verify, func(l *mail.Letter) { l.CodeUntil = time.Time{} }},
		"no link":                       {mail.Ready, func(l *mail.Letter) { l.Link = personal.Text{} }},
		"a link that runs":              {mail.Ready, func(l *mail.Letter) { l.Link = personal.MakeText("javascript:alert(1)") }},
		"a link with a break":           {mail.Ready, func(l *mail.Letter) { l.Link = personal.MakeText("https://a.example/\nBcc: eve@example.net") }},
		"a link without end":            {mail.Ready, func(l *mail.Letter) { l.Link = personal.MakeText("https://a.example/" + strings.Repeat("a", 900)) }},
		"no date":                       {mail.Verified, func(l *mail.Letter) { l.RespondBy = time.Time{} }},
		"no reason":                     {mail.Denied, func(l *mail.Letter) { l.Reason = "" }},
		"a reminder without a link":     {mail.Remind, func(l *mail.Letter) { l.Link = personal.Text{} }},
		"a reminder of no date":         {mail.Remind, func(l *mail.Letter) { l.RespondBy = time.Time{} }},
		"a reminder without an end":     {mail.Remind, func(l *mail.Letter) { l.LapseAt = time.Time{} }},
		"no question":                   {mail.Asked, func(l *mail.Letter) { l.Words = personal.MakeText(" \n\t\u202e\n") }},
		"nowhere to answer":             {mail.StillAsked, func(l *mail.Letter) { l.Follow = personal.Text{} }},
		"no date while time runs":       {mail.Asked, func(l *mail.Letter) { l.Stopped, l.RespondBy = false, time.Time{} }},
		"more time, but not how much":   {mail.Extended, func(l *mail.Letter) { l.RespondBy = time.Time{} }},
		"more time than what":           {mail.Extended, func(l *mail.Letter) { l.Before = time.Time{} }},
		"more time, and not why":        {mail.Extended, func(l *mail.Letter) { l.Reason = "" }},
		"late, and not since when":      {mail.Late, func(l *mail.Letter) { l.RespondBy = time.Time{} }},
		"no outcome":                    {mail.Decided, func(l *mail.Letter) { l.Outcome = "" }},
		"an outcome nobody knows":       {mail.Decided, func(l *mail.Letter) { l.Outcome = "postponed" }},
		"no explanation":                {mail.Decided, func(l *mail.Letter) { l.Words = personal.Text{} }},
		"nowhere to appeal":             {mail.Denied, func(l *mail.Letter) { l.Follow = personal.Text{} }},
		"a digest of nothing":           {mail.Digest, func(l *mail.Letter) { l.Lines = nil }},
		"a digest of less than nothing": {mail.Digest, func(l *mail.Letter) { l.More = -1 }},
		"a digest that leads nowhere":   {mail.Overdue, func(l *mail.Letter) { l.Console = "" }},
		"a digest that leads astray":    {mail.Digest, func(l *mail.Letter) { l.Console = "javascript:alert(1)" }},
		"a consent to nothing":          {mail.ConfirmConsent, func(l *mail.Letter) { l.Consents = nil }},
		"a consent without its words":   {mail.ConfirmConsent, func(l *mail.Letter) { l.Consents[0].Wording = " \n" }},
		"a consent to something":        {mail.RenewConsent, func(l *mail.Letter) { l.Consents[0].Label = "" }},
		"a consent that ends some day":  {mail.RenewConsent, func(l *mail.Letter) { l.Consents[0].Until = time.Time{} }},
		"no button to confirm with":     {mail.ConfirmConsent, func(l *mail.Letter) { l.Link = personal.Text{} }},
		"a way to choices, without end": {mail.PreferenceLink, func(l *mail.Letter) { l.LinkUntil = time.Time{} }},
		"a kind nobody writes":          {"greeting", func(*mail.Letter) {}},
	}
	for name, tt := range tests {
		l := letter(t, "en")
		tt.hole(&l)
		if m, err := mail.Compose(tt.kind, "en", l); !errors.Is(err, mail.ErrLetter) || m.Subject != "" {
			t.Errorf("%s: err = %v, and a message with the subject %q", name, err, m.Subject)
		}
	}
}

func TestNothingPrintsAMessage(t *testing.T) {
	t.Parallel()
	l := letter(t, "en")
	m, err := mail.Compose(mail.Verify, "en", l)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		M      mail.Message
		L      mail.Letter
		hidden mail.Message
		list   []mail.Message
	}
	var out bytes.Buffer
	for _, v := range []any{m, &m, l, &l, holder{m, l, m, []mail.Message{m}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			_, _ = fmt.Fprintf(&out, verb+"\n", v)
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("seen", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("seen", "v", v)
	}
	for _, secret := range []string{"ada@example.org", "042042", "v1.kLmN0", fmt.Sprintf("%x", "042042")} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q was printed", secret)
		}
	}
}

func TestValid(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*mail.Message)
		ok     bool
	}{
		"as composed":                  {func(*mail.Message) {}, true},
		"a break in the subject":       {func(m *mail.Message) { m.Subject = "a\r\nBcc: eve@example.net" }, false},
		"a turned subject":             {func(m *mail.Message) { m.Subject = "a\u202Eb" }, false},
		"an endless subject":           {func(m *mail.Message) { m.Subject = strings.Repeat("a", 151) }, false},
		"no subject":                   {func(m *mail.Message) { m.Subject = "" }, false},
		"no address":                   {func(m *mail.Message) { m.To = personal.Email{} }, false},
		"no text":                      {func(m *mail.Message) { m.Text = personal.Text{} }, false},
		"no HTML":                      {func(m *mail.Message) { m.HTML = personal.Text{} }, true},
		"a break in a header":          {func(m *mail.Message) { m.Headers = []mail.Header{{"X-A", "a\r\nBcc: eve@example.net"}} }, false},
		"a break in a header's name":   {func(m *mail.Message) { m.Headers = []mail.Header{{"X-A\r\nBcc", "a"}} }, false},
		"a header that is not ASCII":   {func(m *mail.Message) { m.Headers = []mail.Header{{"X-A", "é"}} }, false},
		"an empty header":              {func(m *mail.Message) { m.Headers = []mail.Header{{"X-A", ""}} }, false},
		"a line of 998 bytes":          {func(m *mail.Message) { m.Text = personal.MakeText(strings.Repeat("é", 499)) }, true},
		"a line of 999 bytes":          {func(m *mail.Message) { m.HTML = personal.MakeText(strings.Repeat("é", 499) + "a") }, false},
		"legal, with a way out":        {func(m *mail.Message) { m.Headers = unsubscribe }, false},
		"marketing, with a way out":    {func(m *mail.Message) { m.Stream, m.Headers = mail.Marketing, unsubscribe }, true},
		"marketing, without a way out": {func(m *mail.Message) { m.Stream = mail.Marketing }, false},
		"account, without a way out":   {func(m *mail.Message) { m.Stream = mail.Account }, true},
	}
	for name, tt := range tests {
		m, err := mail.Compose(mail.Verify, "en", letter(t, "en"))
		if err != nil {
			t.Fatal(err)
		}
		tt.change(&m)
		switch err := m.Valid(); {
		case tt.ok && err != nil:
			t.Errorf("%s: %v", name, err)
		case !tt.ok && !errors.Is(err, mail.ErrRefused):
			t.Errorf("%s: err = %v, want ErrRefused", name, err)
		}
	}
}

var unsubscribe = []mail.Header{
	{"List-Unsubscribe", "<https://privacy.lumen.example/u/t0ken>"},
	{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
}

// hostile is what somebody could put where a letter says a value.
var hostile = []string{
	"a\r\nBcc: eve@example.net\r\n\r\n<script>alert(1)</script>",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "\u202Egnp.exe", "{brand} {until} {{.}}",
	strings.Repeat("A", 998), strings.Repeat("é", 2000), strings.Repeat(`"'<>&`, 500), "\x00\x1b[31m", "\xff\xfe", "\u2028x\u2029",
}

// FuzzCompose puts a value everywhere where one is said.
func FuzzCompose(f *testing.F) {
	for i, s := range hostile {
		for kind := range mail.Kinds {
			f.Add(s, uint8(kind+i))
		}
	}
	f.Fuzz(func(t *testing.T, s string, n uint8) {
		kind := mail.Kinds[int(n)%len(mail.Kinds)]
		l := letter(t, "en")
		l.Brand, l.Request, l.Right, l.Reason, l.Article = "Lumen "+s, s, s, "No. "+s, s
		l.Contact = words.Contact{Name: s, Email: "dpo@lumen.example", Phone: s, Page: s, Postal: s + "\n" + s}
		l.Authority = words.Authority{Name: s, Page: s}
		l.Code, l.Words = personal.MakeText("1"+s), personal.MakeText("Please: "+s+"\n\n"+s)
		l.AnotherWay = s
		l.Lines = append(l.Lines, mail.Line{Request: s, Right: s, Why: []string{s, "T-1", s}, RespondBy: asked, SafeBy: asked})
		l.Systems = []words.System{{Name: s, Outcomes: []words.Outcome{{Category: s, Result: words.Kept, Duty: s}, {Category: s, Result: words.Result(s)}}}}
		l.Ignored = []personal.Identity{personal.MakeIdentity(personal.Kind(s), s)}
		m, err := mail.Compose(kind, s, l)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if err := m.Valid(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if strings.ContainsFunc(m.Subject, forbidden) {
			t.Errorf("%s: the subject is %q", kind, m.Subject)
		}
		for name, part := range map[string]string{"text": m.Text.Reveal(), "HTML": m.HTML.Reveal()} {
			for line := range strings.SplitSeq(part, "\n") {
				switch link := strings.Contains(line, "http"); {
				case len(line) > 998, name == "text" && !link && utf8.RuneCountInString(line) > 78:
					t.Errorf("%s: a line of the %s has %d bytes: %.100q", kind, name, len(line), line)
				case strings.ContainsFunc(line, forbidden) && !strings.ContainsFunc(s, unicode.IsControl):
					t.Errorf("%s: the %s has the line %q", kind, name, line)
				}
			}
			if name == "HTML" && (strings.Contains(part, "<script") || strings.Contains(part, "<img")) {
				t.Errorf("%s: %q made an element", kind, s)
			}
		}
	})
}

func forbidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

func BenchmarkCompose(b *testing.B) {
	l := letter(b, "en")
	for b.Loop() {
		if _, err := mail.Compose(mail.Fulfilled, "en", l); err != nil {
			b.Fatal(err)
		}
	}
}
