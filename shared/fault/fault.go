// Package fault is how every part of Rightsdesk says no. A fault has a kind,
// which decides the HTTP status, a stable code, which programs may rely on, and
// a text for people that says what to do next.
//
// It knows neither HTTP nor languages: httpapi turns a fault into a problem
// document. An error without a fault in its chain is Internal: its text is
// logged and never shown. Every package may import fault; fault imports only
// the standard library.
package fault

import (
	"errors"
	"time"
)

// Kind is the coarse class of a fault. The zero Kind is Internal, so that an
// error nobody classified can never tell a caller more than it should.
type Kind int

// The kinds. The comment says who can do something about it.
const (
	Internal        Kind = iota // us: the cause is in the log
	Invalid                     // the caller: mend the input; Fields say where
	Unauthenticated             // the caller: present a credential
	Forbidden                   // the caller: somebody else's credential is needed
	NotFound                    // the caller: there is no such thing, or none for them
	Conflict                    // the caller: read again, then decide again
	Gone                        // the caller: ask for a new link or package
	TooLarge                    // the caller: send less
	Mismatch                    // the caller: the idempotency key was used with another body
	TooMany                     // the caller: wait for RetryAfter
	Unavailable                 // time: try the same again later
)

// Field says what is wrong with one place of the input.
type Field struct {
	Pointer string // JSON pointer (RFC 6901) into the body, for example /person/email
	Text    string // what is expected there; never the value that was sent
}

// Error is a fault. Code and Text are shown to the caller and hold nothing
// personal; the cause is for the log only.
type Error struct {
	Kind       Kind
	Code       string // stable, snake_case, listed in docs/api/openapi.yaml
	Text       string // one sentence, ends with what to do next
	Fields     []Field
	RetryAfter time.Duration // for TooMany and Unavailable; zero: not known

	cause error
}

// New returns a fault without a cause.
func New(kind Kind, code, text string) *Error {
	return &Error{Kind: kind, Code: code, Text: text}
}

// Input returns the Invalid fault "invalid_input" for the given places.
func Input(fields ...Field) *Error {
	return &Error{Kind: Invalid, Code: "invalid_input", Text: "Some of the input cannot be used; see fields.", Fields: fields}
}

// Because returns a copy of e that remembers cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Saying returns a copy of e with another public text, that fits the case at hand.
func (e *Error) Saying(text string) *Error {
	c := *e
	c.Text = text
	return &c
}

// After returns a copy of e that asks the caller to wait for d.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Error is for the log: the code and the cause.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Code
	}
	return e.Code + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a fault with the same code, so that a package
// can offer its faults as sentinels: errors.Is(err, request.ErrNotFound).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// KindOf returns the kind of the first fault in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}
