package httpapi

import (
	"net/http"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/request"
)

// who returns the operator that admit put into the context.
func who(r *http.Request) operator.Identity {
	i, _ := operator.From(r.Context()) // admit refused whoever has none
	return i
}

// operatorSubmit takes in what came by phone or post.
func (env Env) operatorSubmit(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		submission
		Received time.Time `json:"received_at"`
		Channel  string    `json:"channel"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	if b.Channel != "phone" && b.Channel != "post" && b.Channel != "counter" && b.Channel != "email" {
		return fault.Input(fault.Field{Pointer: "/channel", Text: "must be phone, post, counter or email"})
	}
	if !who(r).May(operator.Handler) {
		return request.ErrForbidden
	}
	sub := b.domain(env, r)
	sub.From, sub.Call, sub.By, sub.Received, sub.Channel = "", c, who(r).Actor(), b.Received, b.Channel
	rec, err := env.Requests.Submit(r.Context(), sub)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, "application/json", receiptOf(rec))
	return nil
}

type listed struct {
	ID        string    `json:"id"`
	Right     string    `json:"right"`
	Status    string    `json:"status"`
	Residence string    `json:"residence,omitempty"`
	Received  time.Time `json:"received_at"`
	Deadline  dates     `json:"deadline"`
	Overdue   bool      `json:"overdue"`
	Paused    bool      `json:"paused"`
	Owner     string    `json:"owner,omitempty"`
	About     string    `json:"about,omitempty"`
}

func (env Env) operatorList(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := request.Filter{Status: request.Status(q.Get("status")), Cursor: q.Get("cursor")}
	if v := q.Get("due_before"); v != "" {
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			t, err = time.Parse(time.DateOnly, v)
		}
		if err != nil {
			return fault.Input(fault.Field{Pointer: "/due_before", Text: "must be a date such as 2026-03-05, or a time in RFC 3339"})
		}
		f.DueBefore = t
	}
	list, next, err := env.Requests.List(r.Context(), who(r), f)
	if err != nil {
		return err
	}
	out := []listed{}
	for _, l := range list {
		out = append(out, listed{string(l.ID), l.Right, string(l.Status), l.Residence, l.Received, dates{l.RespondBy, l.SafeBy}, l.Overdue, l.Paused, l.Owner, string(l.About)})
	}
	return ok(w, map[string]any{"requests": out, "cursor": next})
}

// planStep is a step of the plan.
type planStep struct {
	Task     string     `json:"task,omitempty"` // for POST /v1/operator/tasks/{id}/done
	Source   string     `json:"source,omitempty"`
	Category string     `json:"category,omitempty"`
	Field    string     `json:"field,omitempty"`
	Verb     string     `json:"verb"`
	State    string     `json:"state"`
	Found    int        `json:"found"`
	Done     int        `json:"done"`
	Left     int        `json:"left,omitempty"`
	Fault    string     `json:"fault,omitempty"`
	Due      *time.Time `json:"due,omitempty"`
	Samples  []string   `json:"samples,omitempty"`
}

func (env Env) operatorShow(w http.ResponseWriter, r *http.Request) error {
	v, err := env.Requests.Show(r.Context(), who(r), id(r))
	if err != nil {
		return err
	}
	steps := []planStep{}
	for i, st := range v.Request.Steps {
		one := planStep{
			Source: st.Source, Category: st.Category, Field: st.Field, Verb: string(st.Verb), State: string(st.State),
			Found: st.Found, Done: st.Done, Left: st.Left, Fault: st.Fault, Due: maybe(st.Due), Samples: v.Samples[st.Source][st.Category],
		}
		if st.State == request.Waiting {
			one.Task = string(request.Task(v.Request.ID, i))
		}
		steps = append(steps, one)
	}
	clocks, err := env.Requests.Clocks(v.Request)
	if err != nil {
		return err
	}
	s := seenOf(v.View)
	return ok(w, map[string]any{
		"request": s, "steps": steps, "reasons": v.Reasons, "mail_fault": v.Request.Relay.Fault,
		"person": tellOperator(v.Person), "owner": v.Request.Owner,
		"deadline": deadlineOf(v.Request, clocks), "stops": stopsOf(v.Request.Stops),
		"extension": extensibleOf(env.Requests.Extendable(v.Request), v.Request.Locale),
	})
}

// tellOperator is what the requester told us, in clear: a task done by hand
// needs it, and that it was read stands in the operator's chain of the day.
func tellOperator(p request.Person) map[string]any {
	corrections, claims := []correction{}, []identity{}
	for _, c := range p.Corrections {
		corrections = append(corrections, correction{c.Field, c.Value.Reveal()})
	}
	for _, i := range p.Claims {
		claims = append(claims, identity{string(i.Kind), i.Reveal()})
	}
	return map[string]any{
		"email": p.Email.Reveal(), "name": p.Name.Reveal(), "details": p.Details.Reveal(),
		"corrections": corrections, "unproven_identities": claims,
	}
}

func (env Env) operatorVerify(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Reason     string `json:"reason"`
		NewAddress bool   `json:"new_address"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	vouch := env.Requests.VerifyByOperator
	if b.NewAddress {
		vouch = env.Requests.VouchForAddress
	}
	status, err := vouch(r.Context(), who(r), id(r), b.Reason, c)
	return changed(w, r, status, err)
}

func (env Env) operatorAccept(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	c, err := call(r, &none)
	if err != nil {
		return err
	}
	status, err := env.Requests.Accept(r.Context(), who(r), id(r), c)
	return changed(w, r, status, err)
}

func (env Env) operatorDeny(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Reason string `json:"reason"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	status, err := env.Requests.Deny(r.Context(), who(r), id(r), b.Reason, c)
	return changed(w, r, status, err)
}

func (env Env) operatorPlan(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	c, err := call(r, &none)
	if err != nil {
		return err
	}
	status, err := env.Requests.DryRun(r.Context(), who(r), id(r), c)
	return changed(w, r, status, err)
}

func (env Env) operatorRetry(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	c, err := call(r, &none)
	if err != nil {
		return err
	}
	status, err := env.Requests.Retry(r.Context(), who(r), id(r), c)
	return changed(w, r, status, err)
}

func (env Env) operatorTaskDone(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Outcome string `json:"outcome"`
		Text    string `json:"text"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	d := request.Decision{Outcome: request.Outcome(b.Outcome), Text: personal.MakeText(b.Text)}
	status, err := env.Requests.TaskDone(r.Context(), who(r), request.TaskID(r.PathValue("id")), d, c)
	return changed(w, r, status, err)
}

func (env Env) operatorVerifyAudit(w http.ResponseWriter, r *http.Request) error {
	v, err := env.Requests.VerifyAudit(r.Context(), who(r), r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	type broken struct {
		Chain string `json:"chain"`
		Seq   int64  `json:"seq"`
		Why   string `json:"why"`
	}
	list := []broken{}
	for _, b := range v.Broken {
		list = append(list, broken{b.Chain, b.Seq, b.Why})
	}
	return ok(w, map[string]any{"chains": v.Chains, "entries": v.Entries, "expired": v.Expired, "gone": v.Gone, "broken": list, "cursor": v.Cursor})
}
