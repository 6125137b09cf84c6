package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// back lets a mail come back as the mail service would say it.
func (w *world) back(n int, how, query string) {
	w.t.Helper()
	w.must(http.StatusNoContent, "POST", fmt.Sprintf("/local/mail/%d/%s%s", n, how, query), nil)
}

// A bounce or a complaint ends mailing lists and nothing else: whoever asks for
// their data gets the answer, and whoever wants a link to their choices the link.
func TestMailThatComesBackStopsNoAnswer(t *testing.T) {
	t.Parallel()
	w := open(t)
	const email = "ada@example.org"
	ada := byMail(email)
	for _, purpose := range []string{"newsletter", "survey"} {
		w.choose(ada, purpose, "granted", by("double_opt_in"))
		w.may(true, "consent", ada, purpose)
	}
	id := w.submit(map[string]any{"right": "access", "residence": "FR", "person": map[string]any{"email": email}, "locale": "en"})
	first := w.mailed(email, "", 1)

	w.back(first.N, "complaint", "?list=newsletter")
	w.back(first.N, "complaint", "?list=newsletter") // it may be said twice
	w.may(false, "complaint", ada, "newsletter")
	w.may(true, "consent", ada, "survey")
	w.back(first.N, "bounce", "")
	w.may(false, "bounce", ada, "survey")
	w.may(true, "always_sent", ada, "order_mail")
	w.may(true, "legal_basis", ada, "sell_books")
	if got := w.look(ada).history("newsletter"); len(got) != 2 || got[0] != "suppressed" {
		t.Errorf("the history of the newsletter: %v", got)
	}

	session := w.verify(id, email)
	w.reach(id, session, "fulfilled")
	w.must(http.StatusAccepted, "POST", "/v1/preferences/links", map[string]any{"email": email})
	w.await("the letters arrive all the same", func() bool {
		said := ""
		for _, m := range w.mails(email) {
			said += m.Subject + "|"
		}
		return strings.Contains(said, "ready") && strings.Contains(said, "Your choices at")
	})

	// Whoever subscribes again after that, by an act of their own, wants the mail.
	w.pass(time.Hour)
	w.choose(ada, "newsletter", "granted", by("double_opt_in"))
	w.may(true, "consent", ada, "newsletter")
	w.silent(email)
}

func TestWhatCannotComeBack(t *testing.T) {
	t.Parallel()
	w := open(t)
	for path, want := range map[string]int{
		"/local/mail/1/bounce": http.StatusNotFound, "/local/mail/x/complaint": http.StatusNotFound, "/local/mail/-1/bounce": http.StatusNotFound,
		"/local/mail/1/return": http.StatusMethodNotAllowed,
	} {
		if a := w.call("POST", path, nil); a.Status != want {
			t.Errorf("POST %s = %d %s, want %d", path, a.Status, a.Body, want)
		}
	}
}

// With queue and stream a choice is mailed about and told at once, and without
// them by the schedules alone.
func TestChoicesAreAnnouncedAndTold(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*options){
		"at once": func(*options) {}, "by the schedules": func(o *options) { o.NoHints = true }, "in bad weather": func(o *options) { o.Hostile = 7 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, change)
			who := account("a-1")
			w.await("the choice is taken", func() bool {
				return w.app("POST", "/v1/consents", w.choice(who, "newsletter", "granted", by("double_opt_in")), "grant-1").Status == http.StatusCreated
			})
			w.await("the refusal is taken", func() bool {
				return w.app("POST", "/v1/consents", w.choice(who, "newsletter", "withdrawn"), "withdraw-1").Status == http.StatusCreated
			})
			w.await("the newsletter's store hears of it", func() bool {
				return strings.Contains(strings.Join(w.look(who).actions(), " "), "passed_on")
			})
			w.await("a link is asked for", func() bool {
				return w.call("POST", "/v1/preferences/links", map[string]any{"email": "ada@example.org"}).Status == http.StatusAccepted
			})
			w.await("the link is mailed", func() bool { return len(w.mails("ada@example.org")) > 0 })
			if link := w.mails("ada@example.org")[0].Link; !strings.Contains(link, "/p/") || w.call("GET", link, nil).Status != http.StatusOK {
				t.Errorf("the mail leads to %s", link)
			}
		})
	}
}

// actions are those of everything that happened, the newest first.
func (o own) actions() (list []string) {
	for _, h := range o.History {
		list = append(list, h.Action)
	}
	return list
}
