package httpapi

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
)

// How much one call may ask: each question is one read of the store.
const (
	maxQuestions   = 100
	readsAtOnce    = 16
	questionsPlace = "/questions"
)

// question is what may be done with one person's data.
type question struct {
	Subject   *identity `json:"subject"`
	Purposes  []string  `json:"purposes"`
	Residence string    `json:"residence"`
	Signals   signals   `json:"signals"`
	Headers   bool      `json:"headers"`
}

// asking is the body of POST /v1/decisions: one question flat, or many.
type asking struct {
	question
	Questions []question `json:"questions"`
}

// decisions is the answer to one question.
type decisions struct {
	Decisions []decision `json:"decisions"`
}

type decision struct {
	Purpose string            `json:"purpose"`
	May     bool              `json:"may"`
	Why     string            `json:"why"`
	Since   *time.Time        `json:"since,omitempty"`
	Until   *time.Time        `json:"until,omitempty"`
	Ask     bool              `json:"ask"`
	Record  string            `json:"record,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

func decisionOf(d consent.Decision) decision {
	out := decision{Purpose: d.Purpose, May: d.May, Why: string(d.Why), Since: maybe(d.Since), Until: maybe(d.Until), Ask: d.Ask, Record: string(d.Record)}
	for _, h := range d.Headers {
		if out.Headers == nil {
			out.Headers = map[string]string{}
		}
		out.Headers[h.Name] = h.Value
	}
	return out
}

// domain turns a question into what the domain is asked.
func (env Env) domain(r *http.Request, q question) (consent.Question, error) {
	who, err := env.identityOf("/subject", q.Subject)
	if err == nil {
		err = own(r, who)
	}
	if err != nil {
		return consent.Question{}, err
	}
	if q.Headers && callerOf(r).app == "" {
		return consent.Question{}, fault.Input(fault.Field{Pointer: "/headers", Text: "are for whoever sends the mail: only an app gets them"})
	}
	return consent.Question{
		Identity: who, Purposes: q.Purposes, Residence: place(q.Residence), Signals: q.Signals.with(r), Headers: q.Headers,
	}, nil
}

func (env Env) decide(w http.ResponseWriter, r *http.Request) error {
	var b asking
	if _, err := read(r, &b); err != nil {
		return err
	}
	flat := b.Subject != nil || b.Purposes != nil || b.Residence != "" || b.Signals != (signals{}) || b.Headers
	if b.Questions != nil && callerOf(r).app == "" { // each is a read, and a page has one visitor
		return consent.ErrSpeaker
	}
	if !flat && b.Questions != nil {
		return env.decideAll(w, r, b.Questions)
	}
	if b.Questions != nil {
		return fault.Input(fault.Field{Pointer: questionsPlace, Text: "must not stand beside a question of its own; send one or the other"})
	}
	a, err := env.answer(r, b.question)
	if err != nil {
		return err
	}
	return ok(w, a)
}

func (env Env) answer(r *http.Request, q question) (decisions, error) {
	asked, err := env.domain(r, q)
	if err != nil {
		return decisions{}, err
	}
	list, err := env.Consents.Decide(r.Context(), asked)
	if err != nil {
		return decisions{}, err
	}
	a := decisions{[]decision{}}
	for _, d := range list {
		a.Decisions = append(a.Decisions, decisionOf(d))
	}
	return a, nil
}

// decideAll answers many questions, in their order, or none: an answer that lacks
// one would be read as a yes by somebody.
func (env Env) decideAll(w http.ResponseWriter, r *http.Request, list []question) error {
	if n := len(list); n == 0 || n > maxQuestions {
		return fault.Input(fault.Field{Pointer: questionsPlace, Text: "must be from 1 to 100 questions"})
	}
	answers, errs := make([]decisions, len(list)), make([]error, len(list))
	var work sync.WaitGroup
	free := make(chan struct{}, readsAtOnce)
	for i, q := range list {
		free <- struct{}{}
		work.Go(func() {
			answers[i], errs[i] = env.answer(r, q)
			<-free
		})
	}
	work.Wait()
	for i, err := range errs {
		if err != nil {
			return moved(err, "", questionsPlace+"/"+strconv.Itoa(i))
		}
	}
	return ok(w, map[string]any{"answers": answers})
}
