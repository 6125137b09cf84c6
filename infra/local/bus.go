package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"
)

// bus stands in for the event bus: it keeps what the company's own systems would have
// been told, and shows it on a page. It forgets when the runner stops.
type bus struct {
	mu   sync.Mutex
	told []bulletin.Event // oldest first
}

var _ bulletin.Bus = (*bus)(nil)

// kept is how many events the runner remembers.
const kept = 5000

// Put keeps events.
func (b *bus) Put(_ context.Context, events []bulletin.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, events...)
	if over := len(b.told) - kept; over > 0 {
		b.told = slices.Clone(b.told[over:])
	}
	return nil
}

// events are those of a type, newest first; all, without one.
func (b *bus) events(what string) []bulletin.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []bulletin.Event
	for _, e := range slices.Backward(b.told) {
		if what == "" || e.Type == what {
			list = append(list, e)
		}
	}
	return list
}

// shown is an event as the bus hands it over.
type shown struct {
	Source string         `json:"source"`
	Type   string         `json:"detail-type"`
	Time   time.Time      `json:"time"`
	Detail map[string]any `json:"detail"`
}

// handler shows the bus, newest first: GET /local/events, or ?type=request.received alone.
// Who asks for JSON, with Accept: application/json or ?format=json, gets it.
func (b *bus) handler(frame page.Frame) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		events := b.events(r.FormValue("type"))
		if r.FormValue("format") == "json" || strings.Contains(r.Header.Get("Accept"), "application/json") {
			list := []shown{}
			for _, e := range events {
				list = append(list, shown{bulletin.Source, e.Type, e.At, e.Detail})
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(list) // the client went away
			return
		}
		p := page.Events{}
		for _, e := range events[:min(len(events), listed)] {
			detail, err := json.MarshalIndent(e.Detail, "", "  ")
			if err != nil {
				continue // it is made of words and numbers
			}
			p.Events = append(p.Events, page.Told{Type: e.Type, At: e.At, Detail: string(detail)})
		}
		for k, v := range page.Headers() {
			w.Header().Set(k, v)
		}
		_ = page.Render(w, frame, p) // the client went away
	}
}

// listed is how many events the page shows at most.
const listed = 200

// errMode is a -mail that is none.
var errMode = errors.New("-mail must be on, off or sandbox")

// sender is who carries mail in a mail mode: the mailbox, nobody, or the mailbox for
// addresses that a mail service in its sandbox would know.
func (p *product) sender(pol *policy.Policy) (mail.Sender, error) {
	switch p.o.Mail {
	case "", topology.MailOn:
		return p.Mailbox, nil
	case topology.MailOff:
		return mail.Off{}, nil
	case topology.MailSandbox:
		return sandbox{p.Mailbox, []string{pol.Contact.Email, pol.Operators.Mail}}, nil
	}
	return nil, fmt.Errorf("%w, and is %q", errMode, p.o.Mail)
}

// sandbox writes to addresses of the company's own, as a mail service does that was not
// told yet that it may write to everybody.
type sandbox struct {
	mail.Sender
	known []string
}

func (s sandbox) Send(ctx context.Context, m mail.Message, key string) error {
	if slices.ContainsFunc(s.known, func(k string) bool { return strings.EqualFold(k, m.To.Reveal()) }) {
		return s.Sender.Send(ctx, m, key)
	}
	return fmt.Errorf("%w: the mail service is in its sandbox", mail.ErrWithheld)
}
