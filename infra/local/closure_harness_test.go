package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/request"
)

const day = 24 * time.Hour

// closureSeen is a closure as whoever asks for it sees it.
type closureSeen struct {
	ID, Status, Request string
	ClosesAt            *time.Time `json:"closes_at"`
	GoneBy              *time.Time `json:"gone_by"`
}

// close asks by mail for an account to be closed, presses the button behind the
// mailed link, and returns the closure's id.
func (w *world) close(email string) (id string) {
	w.t.Helper()
	var c closureSeen
	before := w.newest(email, "/x/")
	w.must(http.StatusAccepted, "POST", "/v1/closures", map[string]any{"email": email}).into(w.t, &c)
	link := ""
	w.await("a mail asks "+email+" to confirm", func() bool { link = w.newest(email, "/x/"); return link != before })
	if a := w.call("GET", link, nil); a.Status != http.StatusOK {
		w.t.Fatalf("the page behind the mailed link answers %d %s", a.Status, a.Body)
	}
	if a := w.press(link, ""); a.Status != http.StatusSeeOther && a.Status != http.StatusOK {
		w.t.Fatalf("the button behind the mailed link answers %d %s", a.Status, a.Body)
	}
	w.await("it is told or begun", func() bool { return w.newest(email, "/x/") != link || len(w.opened("account_closure")) > 0 })
	return c.ID
}

// newest is the link of a kind in the newest mail that has one; empty: there is none.
func (w *world) newest(email, path string) string {
	w.t.Helper()
	for _, m := range w.mails(email) {
		if strings.Contains(m.Link, path) {
			return m.Link
		}
	}
	return ""
}

// linked waits for a mail with a link of a kind and returns the newest.
func (w *world) linked(email, path string) (link string) {
	w.t.Helper()
	w.await("a mail to "+email+" leads to "+path, func() bool { link = w.newest(email, path); return link != "" })
	return link
}

// banner is what the app shows somebody whose account is being closed.
func (w *world) banner(who subject) (c closureSeen) {
	w.t.Helper()
	w.appMust(http.StatusOK, "POST", "/v1/app/closures/status", map[string]any{"subject": who}).into(w.t, &c)
	return c
}

// worked is the work that we began, as operators see it.
type worked struct {
	Request struct {
		ID, Status, Right string
	}
	Steps []workedStep
}

type workedStep struct {
	Source, Category, Verb, State, Task, Fault string
	Found, Done                                int
}

// onto returns the steps about a category.
func (r worked) onto(category string) (steps []workedStep) {
	for _, s := range r.Steps {
		if s.Category == category {
			steps = append(steps, s)
		}
	}
	return steps
}

// work is a request, as operators see it.
func (w *world) work(id string) (r worked) {
	w.t.Helper()
	w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).into(w.t, &r)
	return r
}

// opened lists the requests of a right.
func (w *world) opened(right string) (ids []string) {
	w.t.Helper()
	for cursor := ""; ; {
		var list struct {
			Requests []struct{ ID, Right string }
			Cursor   string
		}
		w.must(http.StatusOK, "GET", "/v1/operator/requests?cursor="+cursor, nil, w.operator()).into(w.t, &list)
		for _, r := range list.Requests {
			if r.Right == right {
				ids = append(ids, r.ID)
			}
		}
		if cursor = list.Cursor; cursor == "" {
			return ids
		}
	}
}

// done has operators do what waits for their hands, until the work is fulfilled.
func (w *world) done(id string) worked {
	w.t.Helper()
	var r worked
	w.await("the work "+id+" is done", func() bool {
		r = w.work(id)
		for _, s := range r.Steps {
			if s.Task != "" && s.State == "waiting" {
				w.must(http.StatusOK, "POST", "/v1/operator/tasks/"+s.Task+"/done", map[string]any{}, w.operator())
			}
		}
		return r.Request.Status == "fulfilled"
	})
	return r
}

// happens has the app tell something of the life of an account.
func (w *world) happens(kind string, who subject, more map[string]any) {
	w.t.Helper()
	e := map[string]any{"id": fmt.Sprintf("%s-%s-%d", kind, who.Value, w.Clock.Now().UnixNano()), "type": kind, "at": w.Clock.Now().Truncate(time.Second), "subject": who}
	for k, v := range more {
		e[k] = v
	}
	var answer struct {
		Results []struct{ Result, Code string }
	}
	w.appMust(http.StatusOK, "POST", "/v1/app/events", map[string]any{"events": []any{e}}).into(w.t, &answer)
	if len(answer.Results) != 1 || answer.Results[0].Result == "refused" {
		w.t.Fatalf("%s was refused: %+v", kind, answer)
	}
}

// ruleSeen is a retention rule as operators see it.
type ruleSeen struct {
	ID, Status, Version, Fault string
	Preview                    *struct {
		Total, Due, Held int
		Samples          []string
		ByPerson         bool `json:"by_person"`
	}
	Limit, Left int
	Run         *sweptSeen
	Last        *sweptSeen `json:"last_run"`
	Late        *struct{ Why string }
	ByHand      *struct {
		Team string
		Due  time.Time
	} `json:"by_hand"`
	Rule struct {
		Text   string
		SetBy  string `json:"set_by"`
		Except []struct{ Ground, Duty, Period, From string }
	}
}

// sweptSeen is a run of a rule.
type sweptSeen struct {
	Done, Held int
	Ended      *time.Time `json:"ended_at"`
	Verified   bool
}

// rule returns a retention rule.
func (w *world) rule(id string) (r ruleSeen) {
	w.t.Helper()
	w.must(http.StatusOK, "GET", "/v1/operator/retention/"+id, nil, w.operator()).into(w.t, &r)
	return r
}

// round is as long as the slowest schedule takes to come round.
const round = 16 * time.Minute

// activate has an operator look at the preview of a rule and let it go.
func (w *world) activate(id string) ruleSeen {
	w.t.Helper()
	var r ruleSeen
	for range 20 {
		if r = w.rule(id); r.Status == "previewed" {
			break
		}
		w.pass(round)
	}
	if r.Status != "previewed" || r.Preview == nil {
		w.t.Fatalf("the rule %s is %s, without a preview: %+v; the log says\n%.2000s", id, r.Status, r, w.log.String())
	}
	w.must(http.StatusOK, "POST", "/v1/operator/retention/"+id+"/activate", map[string]any{"version": r.Version}, w.operator())
	return r
}

// swept lets the clock run until a rule has found nothing due any more, and confirms
// whatever its brake stops.
func (w *world) swept(id string) ruleSeen {
	w.t.Helper()
	var r ruleSeen
	for range 40 {
		switch r = w.rule(id); {
		case r.Status == "braked":
			w.must(http.StatusOK, "POST", "/v1/operator/retention/"+id+"/confirm", map[string]any{"version": r.Version, "extra": r.Preview.Due - r.Preview.Held}, w.operator())
		case r.Run == nil && r.Last != nil && r.Last.Ended != nil:
			return r
		}
		w.pass(round)
	}
	w.t.Fatalf("the rule %s does not come to an end: %+v; the log says\n%.2000s", id, r, w.log.String())
	return r
}

// had gives somebody a record of an age.
func (w *world) had(store, account, category, id string, age time.Duration) {
	w.t.Helper()
	w.fill(store, []company.Line{{
		Account: account, Category: category, ID: id, At: w.Clock.Now().Add(-age).Truncate(time.Millisecond), Fields: []byte(`{"note":"` + id + `"}`),
	}})
}

// stays reports whether the company still has a record.
func (w *world) stays(store, account, category, id string) bool {
	w.t.Helper()
	_, ok := w.records(account)[store+"/"+category+"/"+id]
	return ok
}

// holdSeen is a legal hold as operators see it.
type holdSeen struct {
	ID, Status, Basis, For, Scope, Article string
	Automatic                              bool
	Until                                  *time.Time
	Went                                   []struct{ Category string }
}

// place has an operator place a hold, and waits until it is in force.
func (w *world) place(fields map[string]any) string {
	w.t.Helper()
	b := map[string]any{"basis": "legal_claims", "matter": "matter-17", "owner": "counsel", "review": w.Clock.Now().Add(90 * day).Truncate(time.Second)}
	for k, v := range fields {
		b[k] = v
	}
	var h holdSeen
	w.must(http.StatusCreated, "POST", "/v1/operator/holds", b, w.operator()).into(w.t, &h)
	w.await("the hold is in force", func() bool {
		w.pass(2 * time.Minute)
		return w.hold(h.ID).Status == "in_force"
	})
	return h.ID
}

// hold returns a hold.
func (w *world) hold(id string) (h holdSeen) {
	w.t.Helper()
	w.must(http.StatusOK, "GET", "/v1/operator/holds/"+id, nil, w.operator()).into(w.t, &h)
	return h
}

// holds lists all holds.
func (w *world) allHolds() (list []holdSeen) {
	w.t.Helper()
	var answer struct{ Holds []holdSeen }
	w.must(http.StatusOK, "GET", "/v1/operator/holds", nil, w.operator()).into(w.t, &answer)
	return answer.Holds
}

// let releases a hold.
func (w *world) let(id string) {
	w.t.Helper()
	w.must(http.StatusOK, "POST", "/v1/operator/holds/"+id+"/release", map[string]any{"reason": "settled"}, w.operator())
}

// filtered has the app pass a record through a channel of the policy.
func (w *world) filtered(status int, channel string, fields map[string]any) (kept map[string]any, dropped []string, said answer) {
	w.t.Helper()
	said = w.app("POST", "/v1/app/intake", map[string]any{"channel": channel, "records": []any{map[string]any{"fields": fields}}}, "")
	if said.Status != status {
		w.t.Fatalf("the channel %s answers %d %s, want %d", channel, said.Status, said.Body, status)
	}
	if status != http.StatusOK {
		return nil, nil, said
	}
	var b struct {
		Records []struct {
			Fields  map[string]any
			Dropped []string
		}
	}
	said.into(w.t, &b)
	return b.Records[0].Fields, b.Records[0].Dropped, said
}

// replay has an operator replay the audit, and returns the report once it is over.
func (w *world) replay() (report map[string]any) {
	w.t.Helper()
	w.must(http.StatusAccepted, "POST", "/v1/operator/replay", map[string]any{"confirm": true}, w.operator())
	for range 100 {
		w.pass(round)
		var r struct {
			Ended  *time.Time `json:"ended_at"`
			Report map[string]any
		}
		w.must(http.StatusOK, "GET", "/v1/operator/replay", nil, w.operator()).into(w.t, &r)
		if r.Ended != nil {
			return r.Report
		}
	}
	w.t.Fatalf("the replay does not come to an end; the log says\n%.4000s", w.log.String())
	return nil
}

// lasts returns the newest mail to somebody about a request, in one line.
func (w *world) lasts(email string) string {
	w.t.Helper()
	list := w.mails(email)
	if len(list) == 0 {
		w.t.Fatalf("nobody wrote to %s", email)
	}
	return w.said(list[0].N)
}

// farewell waits for the mail that says what went and what stays.
func (w *world) farewell(email string) (text string) {
	w.t.Helper()
	w.await("the last mail to "+email, func() bool {
		text = w.lasts(email)
		return strings.Contains(text, "This is our last mail to you about it")
	})
	return text
}

func names(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(text, s) {
			t.Errorf("%q is not in: %.3000s", s, text)
		}
	}
}

// onlyOne fails unless there is one.
func onlyOne(t *testing.T, ids []string) request.ID {
	t.Helper()
	if len(ids) != 1 {
		t.Fatalf("there are %d, want one: %v", len(ids), slices.Sorted(slices.Values(ids)))
	}
	return request.ID(ids[0])
}
