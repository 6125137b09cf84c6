package operate

import (
	"fmt"
	"io"
	"strings"
)

// Finding is one thing that was looked at.
type Finding struct {
	What   string
	Bad    bool
	Note   bool // neither good nor bad: worth knowing
	Detail string
	Next   string // what to do about it
}

// Report is what was found, in the order in which it is read.
type Report struct{ Findings []Finding }

// Good notes what is as it should be.
func (r *Report) Good(what, detail string) {
	r.Findings = append(r.Findings, Finding{What: what, Detail: detail})
}

// Bad notes what has to be dealt with, and how.
func (r *Report) Bad(what, detail, next string) {
	r.Findings = append(r.Findings, Finding{What: what, Bad: true, Detail: detail, Next: next})
}

// Note notes what is worth knowing.
func (r *Report) Note(what, detail, next string) {
	r.Findings = append(r.Findings, Finding{What: what, Note: true, Detail: detail, Next: next})
}

// Failed notes what could not be looked at, which is as bad as what is broken.
func (r *Report) Failed(what string, err error) {
	next := "try again; if it stays so, see that this machine reaches the service"
	switch c := code(err); {
	case strings.Contains(c, "AccessDenied") || strings.Contains(c, "NotAuthorized") || c == "UnrecognizedClientException":
		next = "run it with credentials that may look at this; docs/operate.md lists what it calls"
	case strings.Contains(c, "ExpiredToken"):
		next = "sign in to AWS again: the credentials are over"
	}
	r.Bad(what, "it could not be looked at: "+err.Error(), next)
}

// Trouble counts what has to be dealt with.
func (r *Report) Trouble() int {
	n := 0
	for _, f := range r.Findings {
		if f.Bad {
			n++
		}
	}
	return n
}

// Print writes a line for each finding, and below what is bad what to do.
func (r *Report) Print(w io.Writer) error {
	var s strings.Builder
	for _, f := range r.Findings {
		sign := "✓"
		switch {
		case f.Bad:
			sign = "✗"
		case f.Note:
			sign = "–"
		}
		s.WriteString(sign + " " + f.What)
		if f.Detail != "" {
			s.WriteString(": " + f.Detail)
		}
		s.WriteString("\n")
		if f.Next != "" {
			s.WriteString("    " + f.Next + "\n")
		}
	}
	switch n := r.Trouble(); n {
	case 0:
		s.WriteString("\nEverything that was looked at is as it should be.\n")
	case 1:
		s.WriteString("\nOne thing has to be dealt with.\n")
	default:
		fmt.Fprintf(&s, "\n%d things have to be dealt with.\n", n)
	}
	_, err := io.WriteString(w, s.String())
	return err
}
