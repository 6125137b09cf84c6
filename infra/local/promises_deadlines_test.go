package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// The promises about time: by when an answer comes, what happens when it does
// not, on which grounds there is none, and who hears a complaint.

// told is a request as its person sees it, as far as these promises go.
type told struct {
	Status    string
	Outcome   string `json:"decision"`
	Owner     string
	Deadline  struct{ RespondBy, SafeBy time.Time }
	Authority struct{ Name, URL string }
	Reason    struct{ Code, Text, Article string }
	Timeline  []struct {
		Action, By string
		Facts      map[string]string
	}
}

func (w *world) tell(id, token string) told {
	w.t.Helper()
	var v told
	w.must(http.StatusOK, "GET", "/v1/requests/"+id, nil, bearerOf(token)).into(w.t, &v)
	return v
}

// refused makes an operator's call that must be refused with a code, and returns
// what is said about it.
func (w *world) refused(status int, code, path string, body any) string {
	w.t.Helper()
	var problem struct {
		Code, Detail string
		Errors       []struct{ Pointer, Detail string }
	}
	w.must(status, "POST", path, body, w.operator()).into(w.t, &problem)
	if problem.Code != code {
		w.t.Errorf("POST %s is refused as %s, want %s", path, problem.Code, code)
	}
	said := problem.Detail
	for _, f := range problem.Errors {
		said += " " + f.Pointer + " " + f.Detail
	}
	return said
}

// letters returns the text of every mail to an address, newest first.
func (w *world) letters(to string) (texts []string) {
	w.t.Helper()
	for _, m := range w.mails(to) {
		texts = append(texts, m.Subject+"\n"+w.said(m.N))
	}
	return texts
}

// lettered waits for a mail that says all of these.
func (w *world) lettered(to string, parts ...string) string {
	w.t.Helper()
	var found string
	w.await("a mail says "+strings.Join(parts, ", "), func() bool {
		for _, text := range w.letters(to) {
			flat := strings.Join(strings.Fields(text), " ")
			all := true
			for _, p := range parts {
				all = all && strings.Contains(flat, p)
			}
			if all {
				found = flat
				return true
			}
		}
		return false
	})
	return found
}

func TestSP_01_TheRightsOfThePeopleInAGDPRCountry(t *testing.T) {
	t.Parallel()
	w := openProfileOn(t, "serverless-vendor", "2026-03-05")
	for _, right := range []string{"access", "rectification", "erasure", "objection", "restriction", "portability"} {
		kim := right + "@example.org"
		id := w.ask(right, kim, livesIn("FR"), func(b map[string]any) {
			if right == "rectification" {
				b["corrections"] = []map[string]string{{"field": "full_name", "value": "Kim Winter"}}
			}
		})
		token := w.verify(id, kim)
		v := w.tell(id, token)
		if !strings.Contains(v.Authority.Name, "CNIL") || v.Authority.URL == "" {
			t.Errorf("%s: the authority of somebody in France is %+v", right, v.Authority)
		}
		if d := w.deadline(id, token); d.Law != "eu-gdpr" {
			t.Errorf("%s of somebody in France is answered under %s", right, d.Law)
		}
	}
	// Being there is enough; being nowhere near gives none of these.
	w.must(http.StatusBadRequest, "POST", "/v1/requests", submission("restriction", kim, livesIn("US-TX")))

	// An exemption applies only when the answer names it.
	id := w.ask("objection", kim, livesIn("FR"))
	token := w.verify(id, kim)
	w.refused(http.StatusBadRequest, "invalid_input", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": "we would rather not"})
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": "compelling_grounds"}, w.operator())
	v := w.tell(id, token)
	if v.Status != "denied" || v.Reason.Code != "compelling_grounds" || v.Reason.Article != "Art. 21(1) GDPR" || v.Reason.Text == "" {
		t.Errorf("the denial says %+v", v)
	}
	w.lettered(kim, "Art. 21(1) GDPR", "Compelling legitimate grounds", "CNIL")
}

func TestPT_01_EveryRequestIsAnsweredWithinThirtyDays(t *testing.T) {
	t.Parallel()
	for received, want := range map[string]struct{ binds, law string }{
		"2026-03-05": {"2026-04-04", "2026-04-07"}, // the promise is earlier than the law
		"2024-01-31": {"2024-02-29", "2024-02-29"}, // the law is earlier than the promise of 1 March
	} {
		t.Run(received, func(t *testing.T) {
			t.Parallel()
			w := openProfileOn(t, "server-automation", received)
			id := w.ask("restriction", kim, livesIn("DE"))
			token := w.verify(id, kim)
			d := w.deadline(id, token)
			if got := d.RespondBy.Format(time.DateOnly); got != want.binds {
				t.Errorf("answered by %s, want %s", got, want.binds)
			}
			legal := false
			for _, c := range d.Clocks {
				for _, s := range c.Steps {
					at, err := time.Parse(time.DateOnly, want.law)
					if err != nil {
						t.Fatal(err)
					}
					legal = legal || c.Clock == "respond" && strings.Contains(s.Text, at.Format("2 January 2006"))
				}
			}
			if !legal {
				t.Errorf("no step names the law's date %s: %+v", want.law, d.Clocks)
			}
			if said := w.refused(http.StatusConflict, "extension_not_possible", "/v1/operator/requests/"+id+"/extend", map[string]string{"ground": "complexity"}); !strings.Contains(said, "extension: none") {
				t.Errorf("an extension is refused with %q", said)
			}
			// Nobody answers: the day after, the operators and the contact know, and the person is told.
			if w.tell(id, token).Status != "open" {
				t.Fatal("the request is not open")
			}
			w.pass(d.RespondBy.Sub(w.Clock.Now()) + 12*time.Hour)
			w.lettered(kim, "authority")
			w.lettered(w.policy.Operators.Mail, id, "overdue")
		})
	}
}

func TestPT_03_ARefusalNamesADutyOrADeclaredCircumstance(t *testing.T) {
	t.Parallel()
	w := openProfileOn(t, "server-automation", "2026-03-05")
	deny := func(right, reason string) (id, token string) {
		id = w.ask(right, kim, livesIn("DE"))
		token = w.verify(id, kim)
		return id, token
	}
	// The law knows this ground; the policy does not reserve it.
	id, token := deny("restriction", "processor_only")
	said := w.refused(http.StatusBadRequest, "invalid_input", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": "outside_scope"})
	if strings.Contains(said, "outside_scope") || !strings.Contains(said, "manifestly_unfounded") {
		t.Errorf("a ground that the policy does not declare is refused with %q", said)
	}
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": "manifestly_unfounded"}, w.operator())
	if v := w.tell(id, token); v.Reason.Code != "manifestly_unfounded" || v.Reason.Article == "" {
		t.Errorf("the denial names %+v", v.Reason)
	}

	// Deletion: what a duty keeps is refused item by item, the rest is gone.
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.has(company.Shop, kimAccount, company.SupportMail, "script-kim", `{"text":"a script"}`)
	id = w.ask("erasure", kim, livesIn("DE"))
	s, _ := w.answered(id, kim)
	kept, erased := 0, 0
	for _, sys := range s.Outcome {
		for _, c := range sys.Categories {
			switch c.Result {
			case "kept":
				kept++
				if c.Duty == "" {
					t.Errorf("of %s no duty is named", c.Category)
				}
			case "erased":
				erased++
			}
		}
	}
	if left := w.records(kimAccount); erased == 0 || len(left) > kept {
		t.Errorf("%d categories are erased, %d kept; left are %v", erased, kept, left)
	}
}

func TestPT_04_TheAuthorityStaysOpenThroughout(t *testing.T) {
	t.Parallel()
	w := openProfileOn(t, "server-automation", "2026-03-05")
	for place, name := range map[string]string{"DE": "your Land", "FR": "CNIL", "GB": "ICO", "BR": "ANPD", "US-OH": "Berlin"} {
		kim := strings.ToLower(place) + "@example.org"
		id := w.ask("restriction", kim, livesIn(place))
		token := w.verify(id, kim)
		open := func(when string) {
			t.Helper()
			if a := w.tell(id, token).Authority; !strings.Contains(a.Name, name) || !strings.HasPrefix(a.URL, "https://") {
				t.Errorf("%s, %s: the authority is %+v, want %s", place, when, a, name)
			}
		}
		open("waiting")
		w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/accept", nil, w.operator())
		open("at work")
		w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": "manifestly_unfounded"}, w.operator())
		open("denied")
		w.lettered(kim, id, name)

		// To complain to us first is possible, and nothing that anybody has to do: it
		// is a lane of its own beside the one to the authority.
		complaint := w.submit(submission("complaint", kim, livesIn(place), func(b map[string]any) { b["about"], b["details"] = id, "I do not agree." }))
		w.verify(complaint, kim)
		open("complained")
	}
}

func TestSB_01_AChallengeHasAStatusAnOwnerAndAnOutcome(t *testing.T) {
	t.Parallel()
	w := openProfileOn(t, "paas-canada", "2026-03-05")
	for _, right := range []string{"access", "rectification", "erasure"} {
		id := w.ask(right, kim, livesIn("CA-ON"), func(b map[string]any) {
			if right == "rectification" {
				b["corrections"] = []map[string]string{{"field": "name", "value": "Kim Winter"}}
			}
		})
		if a := w.tell(id, w.verify(id, kim)).Authority; !strings.Contains(a.Name, "Privacy Commissioner") {
			t.Errorf("%s: the Commissioner is not named: %+v", right, a)
		}
	}
	id := w.ask("challenge", kim, livesIn("CA-ON"), func(b map[string]any) { b["details"] = "You kept my letter." })
	token := w.verify(id, kim)
	if s := w.tell(id, token).Status; s != "open" {
		t.Fatalf("a challenge is %s", s)
	}
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/accept", nil, w.operator())
	w.reach(id, token, "in_progress")
	owner := func() string {
		var list struct {
			Requests []struct{ ID, Owner string }
		}
		w.must(http.StatusOK, "GET", "/v1/operator/requests?status=in_progress", nil, w.operator()).into(t, &list)
		for _, r := range list.Requests {
			if r.ID == id {
				return r.Owner
			}
		}
		return ""
	}
	if owner() != "local" {
		t.Errorf("who accepted it is not its owner: %q", owner())
	}
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/assign", map[string]string{"owner": "grace"}, w.operator())
	if owner() != "grace" {
		t.Errorf("its owner is %q", owner())
	}
	var shown struct{ Steps []struct{ Task string } }
	w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).into(t, &shown)
	done := "/v1/operator/tasks/" + shown.Steps[0].Task + "/done"
	w.refused(http.StatusBadRequest, "invalid_input", done, map[string]string{})
	w.must(http.StatusOK, "POST", done, map[string]string{"outcome": "upheld", "text": "You are right. The letter is gone."}, w.operator())
	w.reach(id, token, "fulfilled")
	if v := w.tell(id, token); v.Outcome != "upheld" {
		t.Errorf("the person is told the outcome %q", v.Outcome)
	}
	w.lettered(kim, "The letter is gone.", "Privacy Commissioner")
}

func TestSB_02_ThirtyDaysOneExtensionAndSilenceIsARefusal(t *testing.T) {
	t.Parallel()
	w := openProfileOn(t, "paas-canada", "2026-02-02")
	ask := func() (id, token string) {
		id = w.ask("challenge", kim, livesIn("CA-ON"))
		return id, w.verify(id, kim)
	}
	put, putToken := ask()
	silent, silentToken := ask()
	for _, id := range []string{put, silent} {
		if d := w.deadline(id, w.session(id)); d.Law != "ca-pipeda" || d.RespondBy.Format(time.DateOnly) != "2026-03-04" {
			t.Fatalf("answered by %s under %s", d.RespondBy, d.Law)
		}
	}
	w.refused(http.StatusBadRequest, "invalid_input", "/v1/operator/requests/"+put+"/extend", map[string]string{"ground": "we are busy"})
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+put+"/extend", map[string]string{"ground": "consultation"}, w.operator())
	if d := w.deadline(put, putToken); d.RespondBy.Format(time.DateOnly) != "2026-04-03" {
		t.Errorf("extended to %s", d.RespondBy)
	}
	w.lettered(kim, "3 April 2026", "Privacy Commissioner")
	w.refused(http.StatusConflict, "extension_not_possible", "/v1/operator/requests/"+put+"/extend", map[string]string{"ground": "consultation"})

	w.pass(w.deadline(silent, silentToken).RespondBy.Sub(w.Clock.Now()) + time.Hour)
	w.refused(http.StatusConflict, "extension_not_possible", "/v1/operator/requests/"+silent+"/extend", map[string]string{"ground": "consultation"})
	deemed := ""
	w.await("silence is recorded", func() bool {
		for _, e := range w.tell(silent, w.session(silent)).Timeline {
			if e.Facts["deemed_refusal"] != "" {
				deemed = e.Facts["deemed_refusal"]
			}
		}
		return deemed != ""
	})
	if !strings.Contains(deemed, "8(5)") {
		t.Errorf("the deemed refusal cites %q", deemed)
	}
	w.lettered(kim, silent, "8(5)", "Privacy Commissioner")
}
