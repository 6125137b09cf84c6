package mailbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/page"
	"rightsdesk/shared/personal"
)

// Handler shows the mailbox in the frame:
//
//	GET /local/mail          every mail, newest first; ?to= narrows it to one address
//	GET /local/mail/latest   the newest, of those to ?to= if it is given
//	GET /local/mail/{n}      one mail; ?format=html is its HTML part
//
// Who asks for JSON, with Accept: application/json or ?format=json, gets it.
func (m *Mailbox) Handler(f page.Frame) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /local/mail", func(w http.ResponseWriter, r *http.Request) {
		to := r.FormValue("to")
		found, err := m.list(to, listed)
		if err != nil {
			answer{f, w, r}.trouble(fault.Internal)
			return
		}
		answer{f, w, r}.list(to, found)
	})
	mux.HandleFunc("GET /local/mail/latest", func(w http.ResponseWriter, r *http.Request) {
		found, err := m.list(r.FormValue("to"), 1)
		switch {
		case err != nil:
			answer{f, w, r}.trouble(fault.Internal)
		case len(found) == 0:
			answer{f, w, r}.trouble(fault.NotFound)
		default:
			answer{f, w, r}.mail(found[0])
		}
	})
	mux.HandleFunc("GET /local/mail/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseUint(r.PathValue("n"), 10, 63)
		if err != nil {
			answer{f, w, r}.trouble(fault.NotFound)
			return
		}
		s, found, err := m.get(n)
		switch {
		case err != nil:
			answer{f, w, r}.trouble(fault.Internal)
		case !found:
			answer{f, w, r}.trouble(fault.NotFound)
		default:
			answer{f, w, r}.mail(s)
		}
	})
	return mux
}

// listed is how many mails the list shows at most.
const listed = 500

// answer is one answer: JSON, the HTML part of a mail, or a page.
type answer struct {
	frame page.Frame
	w     http.ResponseWriter
	r     *http.Request
}

func (a answer) json() bool {
	format := a.r.FormValue("format")
	return format == "json" || format == "" && strings.Contains(a.r.Header.Get("Accept"), "application/json")
}

// row is a mail in the JSON list.
type row struct {
	N       int       `json:"n"`
	At      time.Time `json:"at"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Code    string    `json:"code,omitempty"` // the six digits in it
	Link    string    `json:"link,omitempty"` // the first link in it
}

// whole is one mail in JSON.
type whole struct {
	row
	ReplyTo  string   `json:"reply_to,omitempty"`
	Stream   string   `json:"stream"`
	Language string   `json:"language"`
	Links    []string `json:"links"`
	Text     string   `json:"text"`
	HTML     string   `json:"html"`
}

var (
	digits = regexp.MustCompile(`(?m)^\s*(\d{6})\s*$`) // a code stands on a line of its own
	links  = regexp.MustCompile(`https?://[^\s<>"]+`)
)

func (s stored) code() string {
	if found := digits.FindStringSubmatch(s.Text); found != nil {
		return found[1]
	}
	return ""
}

func (s stored) row() row {
	return row{N: s.N, At: s.At, To: s.To, Subject: s.Subject, Code: s.code(), Link: links.FindString(s.Text)}
}

func (a answer) list(to string, found []stored) {
	if a.json() {
		rows := make([]row, len(found))
		for i, s := range found {
			rows[i] = s.row()
		}
		a.writeJSON(http.StatusOK, rows)
		return
	}
	p := page.Mailbox{To: personal.MakeText(to)}
	for _, s := range found {
		address, _ := personal.ParseEmail(s.To)
		p.Mails = append(p.Mails, page.MailLine{N: s.N, To: address, Subject: s.Subject, At: s.At})
	}
	a.page(http.StatusOK, p)
}

func (a answer) mail(s stored) {
	switch {
	case a.json():
		all := links.FindAllString(s.Text, -1)
		if all == nil {
			all = []string{}
		}
		a.writeJSON(http.StatusOK, whole{s.row(), s.ReplyTo, s.Stream, s.Language, all, s.Text, s.HTML})
	case a.r.FormValue("format") == "html":
		h := a.w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = a.w.Write([]byte(s.HTML)) // the reader went away
	default:
		address, _ := personal.ParseEmail(s.To)
		a.page(http.StatusOK, page.Mail{
			N: s.N, To: address, Subject: s.Subject, At: s.At, Text: personal.MakeText(s.Text), Code: personal.MakeText(s.code()),
		})
	}
}

func (a answer) trouble(kind fault.Kind) {
	status := http.StatusInternalServerError
	if kind == fault.NotFound {
		status = http.StatusNotFound
	}
	if a.json() {
		a.writeJSON(status, map[string]int{"status": status})
		return
	}
	a.page(status, page.Problem{Kind: kind})
}

func (a answer) page(status int, p page.Page) {
	f := a.frame
	f.Language = page.Language(a.r.Header.Get("Accept-Language"), f.Languages, a.r.FormValue("lang"))
	f.Path, f.Local = a.r.URL.Path, true
	var out bytes.Buffer
	if err := page.Render(&out, f, p); err != nil {
		http.Error(a.w, err.Error(), http.StatusInternalServerError) // a laptop: whoever sees it can mend it
		return
	}
	for name, value := range page.Headers() {
		a.w.Header().Set(name, value)
	}
	a.w.WriteHeader(status)
	_, _ = out.WriteTo(a.w) // the reader went away
}

func (a answer) writeJSON(status int, v any) {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.Header().Set("Cache-Control", "no-store")
	a.w.Header().Set("X-Content-Type-Options", "nosniff")
	a.w.WriteHeader(status)
	e := json.NewEncoder(a.w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the reader went away
}
