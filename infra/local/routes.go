package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"rightsdesk/shared/export/folder"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/httpapi"
	"rightsdesk/shared/page"
)

// localRoutes are what only a laptop has.
func (p *product) localRoutes(mux *http.ServeMux, env httpapi.Env) {
	frame := page.Frame{
		Brand: env.Policy.Document.Brand, Contact: p.Requests.Contact(), Language: "en", Zone: p.Requests.Zone(), Local: true,
	}
	mail := p.Mailbox.Handler(frame)
	mux.Handle("GET /local/mail", mail)
	mux.Handle("GET /local/mail/", mail)
	mux.Handle("GET /local/events", p.Bus.handler(frame))
	p.feedback(mux)
	mux.Handle("/local/company", p.Company.Handler())
	mux.Handle("/local/company/", p.Company.Handler())
	mux.Handle("GET "+folder.Prefix, p.Storage.Handler())
	p.shop(mux)
	mux.HandleFunc("GET /local/clock", func(w http.ResponseWriter, r *http.Request) { p.showClock(w, r, frame) })
	mux.HandleFunc("POST /local/clock", func(w http.ResponseWriter, r *http.Request) {
		d, ok := span(r.FormValue("by"))
		if !ok {
			http.Error(w, "by must be a time to turn the clock on by, such as 25d, 36h or 90m; at most 3660d\n", http.StatusBadRequest)
			return
		}
		if err := p.turn(r.Context(), d); err != nil {
			p.o.Log.ErrorContext(r.Context(), "the clock stopped on its way", "err", err)
			http.Error(w, "the clock stopped on its way, at "+p.Clock.Now().Format(time.RFC3339)+"; turn it again\n", http.StatusInternalServerError)
			return
		}
		p.showClock(w, r, frame)
	})
}

// showClock shows the time: a page to browsers, JSON to everybody else.
func (p *product) showClock(w http.ResponseWriter, r *http.Request, frame page.Frame) {
	now := p.Clock.Now()
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]time.Time{"now": now.Truncate(time.Second)}) // the client went away
		return
	}
	for k, v := range page.Headers() {
		w.Header().Set(k, v)
	}
	if err := page.Render(w, frame, page.Clock{Now: now, Path: "/local/clock"}); err != nil {
		p.o.Log.ErrorContext(r.Context(), "a page could not be rendered", "kind", fault.Internal, "err", err)
	}
}
