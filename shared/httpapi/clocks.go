package httpapi

import (
	"net/http"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
)

func (env Env) deadline(w http.ResponseWriter, r *http.Request) error {
	req, clocks, err := env.Requests.Deadline(r.Context(), id(r), Bearer(r))
	if err != nil {
		return err
	}
	return ok(w, deadlineOf(req, clocks))
}

type deadlineView struct {
	Law       string      `json:"law"`
	RespondBy time.Time   `json:"respond_by"`
	SafeBy    time.Time   `json:"safe_by"`
	Paused    bool        `json:"paused"`
	Extended  bool        `json:"extended"`
	Steps     []clockStep `json:"steps"` // of the clock that the answer runs on
	Clocks    []clockView `json:"clocks"`
}

type clockView struct {
	Clock string      `json:"clock"`
	Law   string      `json:"law"`
	Legal time.Time   `json:"legal"`
	Safe  time.Time   `json:"safe"`
	Done  *time.Time  `json:"done_at,omitempty"`
	Steps []clockStep `json:"steps"`
}

type clockStep struct {
	Text    string     `json:"text"`
	Article string     `json:"article,omitempty"`
	Source  string     `json:"source,omitempty"`
	Mark    string     `json:"mark,omitempty"`
	Date    *time.Time `json:"date,omitempty"`
}

func deadlineOf(req request.Request, clocks []law.Reckoning) deadlineView {
	d := deadlineView{
		Law: req.Law, RespondBy: req.RespondBy, SafeBy: req.SafeBy, Paused: req.Paused, Extended: req.Extension != nil,
		Steps: []clockStep{}, Clocks: []clockView{},
	}
	for _, c := range clocks {
		v := clockView{Clock: string(c.Clock), Law: c.Law, Legal: c.Legal, Safe: c.Safe, Steps: []clockStep{}}
		for _, st := range c.Steps {
			v.Steps = append(v.Steps, clockStep{st.Text, st.Article, st.Source, st.Mark, maybe(st.Date)})
		}
		switch c.Clock {
		case law.Respond, law.OptOut, law.Decide:
			d.Steps, v.Done = v.Steps, maybe(req.Closed)
		case law.Acknowledge:
			v.Done = maybe(req.Acknowledged)
		case law.ExtendNotice:
			if req.Extension != nil {
				v.Done = &req.Extension.At
			}
		case law.Extended, law.File, law.Records:
		}
		d.Clocks = append(d.Clocks, v)
	}
	return d
}

func (env Env) operatorExtend(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Ground string `json:"ground"`
		Until  string `json:"until"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	var until time.Time
	if b.Until != "" {
		if until, err = time.ParseInLocation(time.DateOnly, b.Until, env.Requests.Zone()); err != nil {
			return fault.Input(fault.Field{Pointer: "/until", Text: "must be a date such as 2026-05-04, or be left out"})
		}
	}
	status, err := env.Requests.Extend(r.Context(), who(r), id(r), b.Ground, until, c)
	return changed(w, r, status, err)
}

// causeOf is the body of pause and resume.
type causeOf struct {
	Cause string `json:"cause"`
}

func (env Env) operatorPause(w http.ResponseWriter, r *http.Request) error {
	var b causeOf
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	status, err := env.Requests.Pause(r.Context(), who(r), id(r), law.Cause(b.Cause), c)
	return changed(w, r, status, err)
}

func (env Env) operatorResume(w http.ResponseWriter, r *http.Request) error {
	var b causeOf
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	status, err := env.Requests.Resume(r.Context(), who(r), id(r), law.Cause(b.Cause), c)
	return changed(w, r, status, err)
}

func (env Env) operatorRecount(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	c, err := call(r, &none)
	if err != nil {
		return err
	}
	status, err := env.Requests.Recount(r.Context(), who(r), id(r), c)
	return changed(w, r, status, err)
}

// operatorAssign gives a request an owner: whoever calls, unless another is named.
func (env Env) operatorAssign(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Owner string `json:"owner"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	if b.Owner == "" {
		b.Owner = who(r).ID
	}
	status, err := env.Requests.Assign(r.Context(), who(r), id(r), b.Owner, c)
	return changed(w, r, status, err)
}

// stopView is one time of waiting.
type stopView struct {
	Cause    string     `json:"cause"`
	Asked    time.Time  `json:"asked_at"`
	Answered *time.Time `json:"answered_at,omitempty"`
}

func stopsOf(stops []law.Stop) []stopView {
	out := []stopView{}
	for _, s := range stops {
		out = append(out, stopView{string(s.Cause), s.Asked, maybe(s.Answered)})
	}
	return out
}

// extensible is how far the answer can be put off now, and for which grounds.
type extensible struct {
	TellBy  time.Time `json:"tell_by"`
	Until   time.Time `json:"until"`
	Article string    `json:"article"`
	Mark    string    `json:"mark"`
	Grounds []ground  `json:"grounds"`
}

type ground struct {
	Code string `json:"code"`
	Text string `json:"text"` // what the person is told, in their language
	Open bool   `json:"open"` // the law gives the time that is needed, and no last day
}

func extensibleOf(x *law.Extension, language string) *extensible {
	if x == nil {
		return nil
	}
	out := &extensible{TellBy: x.Notice, Until: x.Until, Article: x.Article, Mark: x.Mark, Grounds: []ground{}}
	for _, g := range x.Grounds {
		out.Grounds = append(out.Grounds, ground{g.Code, policy.Text(g.Text).In(language), g.Open})
	}
	return out
}
