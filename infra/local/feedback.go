package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"rightsdesk/shared/mail/feedback"
)

// feedback lets a mail of the mailbox come back, as the mail service would say it:
//
//	POST /local/mail/{n}/bounce      its address takes no mail
//	POST /local/mail/{n}/complaint   its reader called it spam; ?list= says on which mailing list
func (p *product) feedback(mux *http.ServeMux) {
	mux.HandleFunc("POST /local/mail/{n}/bounce", func(w http.ResponseWriter, r *http.Request) {
		p.comesBack(w, r, feedback.BounceType, func(d *feedback.Detail, to []feedback.Recipient, at time.Time) {
			d.EventType, d.Bounce = "Bounce", &feedback.Bounce{Type: "Permanent", Recipients: to, At: at}
		})
	})
	mux.HandleFunc("POST /local/mail/{n}/complaint", func(w http.ResponseWriter, r *http.Request) {
		p.comesBack(w, r, feedback.ComplaintType, func(d *feedback.Detail, to []feedback.Recipient, at time.Time) {
			d.EventType, d.Complaint = "Complaint", &feedback.Complaint{Type: "abuse", Recipients: to, At: at}
		})
	})
}

// comesBack makes the event and hands it to whom the function hands it to.
func (p *product) comesBack(w http.ResponseWriter, r *http.Request, kind string, say func(*feedback.Detail, []feedback.Recipient, time.Time)) {
	n, err := strconv.ParseUint(r.PathValue("n"), 10, 63)
	to, found, loadErr := p.Mailbox.To(n)
	switch {
	case loadErr != nil:
		http.Error(w, "the mailbox cannot be read\n", http.StatusInternalServerError)
		return
	case err != nil || !found:
		http.Error(w, "there is no such mail\n", http.StatusNotFound)
		return
	}
	e := feedback.Event{Source: feedback.Source, Type: kind, Time: p.Clock.Now(), Detail: feedback.Detail{
		Mail: feedback.Mail{MessageID: "local-" + r.PathValue("n"), Destination: []string{to.Reveal()}},
	}}
	if list := r.FormValue("list"); list != "" {
		e.Detail.Mail.Tags = map[string][]string{feedback.TagList: {list}}
	}
	say(&e.Detail, []feedback.Recipient{{Address: to.Reveal()}}, e.Time)
	event, err := json.Marshal(e)
	if err == nil {
		err = feedback.Take(r.Context(), p.Consents, event)
	}
	if err != nil {
		p.o.Log.WarnContext(r.Context(), "a mail that came back was not heeded", "mail", n, "err", err)
		http.Error(w, "it was not heeded; try again\n", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
