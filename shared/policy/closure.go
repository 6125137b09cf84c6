package policy

import (
	"strings"
	"time"
)

// Closure is how an account is closed. The zero Closure offers none. Whatever it
// says, a no to marketing outlives the account, as a keyed hash: who comes back is
// not written to against their word.
type Closure struct {
	Offered bool // the section stands in the file
	// Grace is the time from the confirmation to the erasure, in which a closure can
	// be taken back; zero only where the file says that it is immediate.
	Grace         time.Duration
	ConfirmWithin time.Duration // who asked by mail has so long to press the button
	ErasedWithin  int           // days from the end of the grace period until everything is gone and looked for again
	Before        Text          // what to settle first: subscriptions, data to take along; prose, as in a section
}

// Bounds of what a policy may say about closure.
const (
	// MinGrace is the floor under a grace period. A stolen session must not be
	// enough to destroy an account before its owner can object.
	MinGrace            = 24 * time.Hour
	MaxGrace            = 90 * 24 * time.Hour
	DefaultConfirmation = 7 * 24 * time.Hour
)

// Immediate is how a file spells that there is no grace period.
const Immediate = "immediate"

func (p *Policy) readClosure(o *object) {
	if o.broken {
		return // none is offered, or it was said what is wrong
	}
	const day = 24 * time.Hour
	p.Closure = Closure{
		Offered:       true,
		Grace:         o.grace(),
		ConfirmWithin: o.span("confirm_within", DefaultConfirmation, time.Hour, 30*day),
		ErasedWithin:  o.number("erased_within", 0, 365),
		Before:        o.prose("before", may),
	}
	if !o.has("erased_within") {
		o.r.refuse(o.at("erased_within"), "is required: the days from the end of the grace period until everything is gone and was looked for again, from 1 to 365")
	}
}

// grace reads a grace period. It has no default: how long somebody can come back
// is a promise, and a file that does not make it promises nothing.
func (o *object) grace() time.Duration {
	is := rule{
		says: "must be `" + Immediate + "`, or whole days from 1d to 90d, such as 14d",
		ok: func(s string) bool {
			d := parseSpan(s)
			return s == Immediate || d >= MinGrace && d <= MaxGrace && d%(24*time.Hour) == 0
		},
	}
	return parseSpan(o.line("grace", need, is)) // zero for immediate
}

// SettleFirst is Closure.Before as plain text, for a mail: paragraphs with an empty
// line between them, and addresses written out.
func (p *Policy) SettleFirst(language string) string {
	var text strings.Builder
	for i, spans := range paragraphsOf(p.Closure.Before.In(language), p.target) {
		if i > 0 {
			text.WriteString("\n\n")
		}
		for _, s := range spans {
			text.WriteString(s.Text)
			switch {
			case strings.HasPrefix(s.Href, "#"):
				text.WriteString(" (" + p.Document.URL + s.Href + ")")
			case s.Href != "":
				text.WriteString(" (" + s.Href + ")")
			}
		}
	}
	return text.String()
}
