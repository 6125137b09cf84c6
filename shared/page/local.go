package page

import (
	"regexp"
	"time"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

// Mailbox lists the mail that a local run would have sent.
type Mailbox struct {
	To    personal.Text // only mail to this address; empty: all
	Mails []MailLine    // newest first
}

// MailLine is one mail in the list.
type MailLine struct {
	N       int
	To      personal.Email
	Subject string
	At      time.Time
}

func (Mailbox) name() string               { return "mailbox" }
func (Mailbox) title(w words.Words) string { return w.T("mailbox.title") }

// Mail is one mail of a local run.
type Mail struct {
	N       int
	To      personal.Email
	Subject string
	At      time.Time
	Text    personal.Text
	Code    personal.Text // the six digits in it, if any
}

func (Mail) name() string               { return "mail" }
func (m Mail) title(words.Words) string { return m.Subject }

// piece is a part of a mail's text: words, or a link.
type piece struct {
	Text string
	Link bool
}

var webLink = regexp.MustCompile(`https?://[^\s<>"]+`)

// Pieces returns the text with its links apart.
func (m Mail) Pieces() []piece {
	text := m.Text.Reveal()
	var list []piece
	from := 0
	for _, at := range webLink.FindAllStringIndex(text, -1) {
		list = append(list, piece{Text: text[from:at[0]]}, piece{Text: text[at[0]:at[1]], Link: true})
		from = at[1]
	}
	return append(list, piece{Text: text[from:]})
}

// Clock lets a local run turn the time on. It posts by, a duration, to Path.
type Clock struct {
	Now  time.Time
	Path string
}

func (Clock) name() string               { return "clock" }
func (Clock) title(w words.Words) string { return w.T("clock.title") }

// turn is how far one button turns the clock.
type turn struct {
	By  string
	Key string
	N   int
}

// Turns returns the buttons.
func (Clock) Turns() []turn {
	return []turn{{"1h", "clock.hours", 1}, {"24h", "clock.days", 1}, {"168h", "clock.days", 7}, {"720h", "clock.days", 30}}
}

// Events lists what the company's own systems would have been told of a local run.
type Events struct{ Events []Told } // newest first

// Told is one event.
type Told struct {
	Type   string
	At     time.Time
	Detail string // JSON
}

func (Events) name() string               { return "events" }
func (Events) title(w words.Words) string { return w.T("events.title") }
