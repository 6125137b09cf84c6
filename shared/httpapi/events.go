package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"rightsdesk/shared/lifecycle"
)

// happened is one event as an app tells it. On the event bus it looks the same.
type happened struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	At           time.Time      `json:"at"`
	Subject      *identity      `json:"subject"`
	Relationship string         `json:"relationship"`
	Purpose      string         `json:"purpose"`
	Source       string         `json:"source"`
	Category     string         `json:"category"`
	Channel      string         `json:"channel"`
	Fields       map[string]any `json:"fields"`
}

// became is what became of an event.
type became struct {
	ID      string         `json:"id,omitempty"`
	Result  string         `json:"result"`
	Request string         `json:"request,omitempty"` // the work that was opened at once
	Fields  map[string]any `json:"fields,omitempty"`  // of a record, what may be kept
	Dropped []string       `json:"dropped,omitempty"`
	Code    string         `json:"code,omitempty"` // for refused
	Errors  []fieldProblem `json:"errors,omitempty"`
}

// refusedRecord is the result of a record whose fields are never taken. Events before
// and after it are noted all the same.
const refusedRecord = "refused"

// appEvents notes what happened to accounts and relationships, in the order in which
// it is told.
func (env Env) appEvents(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Events []happened `json:"events"`
	}
	if _, err := appCall(r, &b); err != nil { // told again, it is known
		return err
	}
	events := make([]lifecycle.Event, len(b.Events))
	for i, one := range b.Events {
		e := lifecycle.Event{
			ID: one.ID, Type: lifecycle.Type(one.Type), At: one.At, Relationship: one.Relationship, Purpose: one.Purpose,
			Source: one.Source, Category: one.Category, Channel: one.Channel, Fields: one.Fields,
		}
		if one.Subject != nil { // the domain says where one is needed
			var err error
			if e.Who, err = env.identityOf("/events/"+strconv.Itoa(i)+"/subject", one.Subject); err != nil {
				return err
			}
		}
		events[i] = e
	}
	list, err := env.Lifecycle.Take(r.Context(), callerOf(r).app, events)
	if err != nil {
		return err
	}
	out := make([]became, len(list))
	for i, res := range list {
		out[i] = becameOf(i, res)
	}
	return ok(w, map[string]any{"results": out})
}

func becameOf(i int, res lifecycle.Result) became {
	b := became{ID: res.ID, Result: string(res.Became), Request: string(res.Work), Fields: res.Kept, Dropped: res.Dropped}
	if res.Err == nil {
		return b
	}
	f := classify(res.Err)
	b.Result, b.Code = refusedRecord, f.Code
	for _, field := range f.Fields {
		b.Errors = append(b.Errors, fieldProblem{"/events/" + strconv.Itoa(i) + "/fields" + field.Pointer, field.Text})
	}
	return b
}
