// Package personal holds values that identify or describe a person, in types
// that refuse to be printed. Formatting, logging, wrapping in an error or
// marshalling one yields "[personal]"; only Reveal yields the value, and
// `git grep -n Reveal` is the complete list of places that read one.
//
// None of them is a string type. A string type with a String method still leaks:
// fmt prints it raw inside an unexported field, and encoding/json marshals it.
// A unique.Handle leaks in neither case and stays comparable.
//
// Every package may import personal; personal imports only the standard library.
package personal

import (
	"log/slog"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
	"unique"
)

// hidden is what all personal types are made of: they inherit its silence.
type hidden struct{ h unique.Handle[string] }

func hide(s string) hidden {
	if s == "" {
		return hidden{}
	}
	return hidden{unique.Make(s)}
}

func (v hidden) reveal() string {
	if v == (hidden{}) {
		return ""
	}
	return v.h.Value()
}

// What printing, logging and marshalling see.
const masked = "[personal]"

// String is what fmt and everything built on it prints.
func (hidden) String() string { return masked }

// GoString is what %#v prints.
func (hidden) GoString() string { return masked }

// LogValue is what slog writes.
func (hidden) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText is what encoders of JSON, YAML and XML write.
func (hidden) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MaxEmail is the longest address that mail can carry (RFC 5321, 4.5.3.1.3, as
// corrected by erratum 1690), in bytes.
const MaxEmail = 254

// Email is a mail address in the form we compare and store: white space around
// it gone, all of it in lower case. (RFC 5321 lets the local part be
// case-sensitive; no large provider is, and people type capitals.)
type Email struct{ hidden }

// ParseEmail accepts a bare address with a host that has a dot. It refuses
// display names, quoted local parts, control characters and what is longer than MaxEmail.
func ParseEmail(s string) (Email, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > MaxEmail || !utf8.ValidString(s) || strings.ContainsAny(s, "\" \t\r\n<>(),;:\\") {
		return Email{}, false
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return Email{}, false
	}
	host := s[strings.LastIndexByte(s, '@')+1:]
	if !strings.Contains(strings.Trim(host, "."), ".") || strings.Contains(host, "..") || strings.HasPrefix(host, "[") {
		return Email{}, false
	}
	return Email{hide(s)}, true
}

// Reveal returns the address. Call it at the edge only: storage, mail, the person's own page.
func (e Email) Reveal() string { return e.reveal() }

// Text is anything else a person tells us or a source holds: a name, an account
// number, a message.
type Text struct{ hidden }

// MakeText keeps s as it is, but for control characters other than line feed
// and tab, which are dropped: they forge log lines and mail headers.
func MakeText(s string) Text {
	return Text{hide(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))}
}

// Reveal returns the text. Call it at the edge only.
func (t Text) Reveal() string { return t.reveal() }

// Kind is what an identity identifies by: "email", "account", "phone", or a
// kind that a policy names.
type Kind string

// Kinds that Rightsdesk itself knows.
const (
	KindEmail   Kind = "email"
	KindAccount Kind = "account"
	KindPhone   Kind = "phone"
)

// Identity is one way a source can know a person.
type Identity struct {
	Kind Kind
	hidden
}

// MakeIdentity returns an identity with its value in the form we compare: an
// address and a phone number lose case and spaces, other values only the spaces around them.
func MakeIdentity(kind Kind, s string) Identity {
	s = strings.TrimSpace(s)
	if kind == KindEmail {
		s = strings.ToLower(s)
	}
	if kind == KindPhone {
		s = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(s)
	}
	return Identity{kind, MakeText(s).hidden}
}

// Identity returns the address as an identity.
func (e Email) Identity() Identity { return Identity{KindEmail, e.hidden} }

// Reveal returns the value. Call it at the edge only.
func (i Identity) Reveal() string { return i.reveal() }
