package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/request"
)

// arriving is one record of an app's that arrived by a channel.
type arriving struct {
	Fields map[string]any `json:"fields"`
}

// needed is what may be kept of a record, and which fields were thrown away.
type needed struct {
	Fields  map[string]any `json:"fields"`
	Dropped []string       `json:"dropped"`
}

// appIntake filters what arrived, in its order. One value that is never taken refuses
// the whole call: whoever sent it has something to mend, and must not overlook it.
func (env Env) appIntake(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Channel string     `json:"channel"`
		Records []arriving `json:"records"`
	}
	if _, err := read(r, &b); err != nil {
		return err
	}
	objects := make([]map[string]any, len(b.Records))
	for i, one := range b.Records {
		if one.Fields == nil {
			return fault.Input(fault.Field{Pointer: "/records/" + strconv.Itoa(i) + "/fields", Text: "must be an object with the fields that arrived"})
		}
		objects[i] = one.Fields
	}
	list, err := env.Intake.Take(r.Context(), b.Channel, objects)
	if err != nil {
		return err
	}
	if f := refusedIn(list); f != nil {
		return f
	}
	out := make([]needed, len(list))
	for i, t := range list {
		out[i] = needed{t.Kept, append([]string{}, t.Dropped...)}
	}
	return ok(w, map[string]any{"records": out})
}

// refusedIn is why something of a call was refused, with the places of all of it: the
// first reason, since a problem has one code.
func refusedIn(list []intake.Taken) *fault.Error {
	var first *fault.Error
	for i, t := range list {
		if t.Err == nil {
			continue
		}
		f := classify(t.Err)
		if first == nil {
			c := *f
			c.Fields = nil
			first = &c
		}
		at := "/records/" + strconv.Itoa(i) + "/fields"
		if len(f.Fields) == 0 {
			first.Fields = append(first.Fields, fault.Field{Pointer: at, Text: f.Text})
		}
		for _, field := range f.Fields {
			first.Fields = append(first.Fields, fault.Field{Pointer: at + field.Pointer, Text: field.Text})
		}
	}
	return first
}

// arrived is what a channel counted on a day: fields by their names, records by why
// they were refused, nothing of what they held.
type arrived struct {
	Channel string         `json:"channel"`
	Day     string         `json:"day"`
	Taken   int            `json:"taken"`
	Refused map[string]int `json:"refused"`
	Dropped map[string]int `json:"dropped"`
}

// countedDays is how far back the counts go that are shown.
const countedDays = 31

func (env Env) operatorIntake(w http.ResponseWriter, r *http.Request) error {
	if !who(r).May(operator.Handler) && !who(r).May(operator.Auditor) {
		return request.ErrForbidden
	}
	since := env.Intake.Now().AddDate(0, 0, 1-countedDays)
	if v := r.URL.Query().Get("since"); v != "" {
		var err error
		if since, err = time.Parse(time.DateOnly, v); err != nil {
			return fault.Input(fault.Field{Pointer: "/since", Text: "must be a date such as 2026-03-05"})
		}
	}
	list, err := env.Intake.Counts(r.Context(), since)
	if err != nil {
		return err
	}
	out := []arrived{}
	for _, c := range list {
		out = append(out, arrived{c.Channel, c.Day, c.Counted.Taken, countsOf(c.Counted.Refused), countsOf(c.Counted.Dropped)})
	}
	return ok(w, map[string]any{"counts": out})
}

func countsOf(m map[string]int) map[string]int {
	if m == nil {
		return map[string]int{}
	}
	return m
}
