// Package mail is what Rightsdesk writes to people: which letters there are, how
// one is composed, the port that carries it away, and the one that tells to whom
// nothing is carried any more. mail/ses carries it to Amazon SES, mail/mailbox to a
// page on a laptop.
//
// A letter is plain text and HTML, made of the same paragraphs. It says what was
// asked, by when it will be answered and whom to ask. What a value holds can
// never reach a header or break out of its place, whoever wrote it.
//
// The domain may import it; it imports the standard library, personal and
// page/words, and knows no HTTP, no AWS and no clock.
package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"unicode/utf8"

	"rightsdesk/shared/personal"
)

// Stream is what a mail is, for those who have opted out of some.
type Stream string

// The streams. Legal mail always goes out and carries no way to unsubscribe:
// whoever asked for their data must get the answer.
const (
	Legal     Stream = "legal"     // the law, or the person's own request, demands it
	Account   Stream = "account"   // needed to use the service
	Marketing Stream = "marketing" // only to who agreed, with one-click unsubscribe
)

// Message is one mail. Its parts are personal: they hold codes and links that
// act, and so neither they nor a whole Message can be printed by accident.
type Message struct {
	To       personal.Email
	ReplyTo  personal.Email // whom an answer goes to; empty: the sender
	Subject  string         // one line, without anything personal
	Text     personal.Text
	HTML     personal.Text
	Stream   Stream
	Language string // BCP 47
	Headers  []Header
}

// Header is one more header of a mail.
type Header struct{ Name, Value string }

// Sender carries mail away.
type Sender interface {
	// Send hands m over. The key names the announcement that m delivers: the same
	// for a repeated call, never for another mail. A mail service has no way to
	// recognise a repetition, so if an answer is lost, a repeated call may deliver
	// the mail once more; a sender itself never repeats a call. The error wraps
	// ErrLater or ErrRefused and holds no address.
	Send(ctx context.Context, m Message, key string) error
}

// Errors that tell the caller what to do next.
var (
	// ErrLater: the service is unreachable, busy, or must first be mended by an
	// operator. Send the same again with back-off.
	ErrLater = errors.New("mail: not now")
	// ErrRefused: this mail will never be accepted, because of its address or its
	// content. Somebody has to reach the person in another way.
	ErrRefused = errors.New("mail: refused")
	// ErrWithheld: nobody was written to, and nobody will be, because this installation
	// sends no mail, or none to that address yet. It is over; the audit says that nobody
	// was told, and so do the company's own systems learn it.
	ErrWithheld = errors.New("mail: withheld")
)

// Longest lines of mail, as RFC 5322 (2.1.1) and RFC 5321 (4.5.3.1.6) have them.
const (
	lineWidth  = 78  // characters, so that every reader shows it well
	lineLength = 998 // bytes; a longer line may be refused or cut
	maxSubject = 150 // characters
	maxHeader  = 950 // bytes of name and value, so that the line stays within lineLength
)

var (
	headerName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
	headerValue = regexp.MustCompile(`^[\x21-\x7E]([\x20-\x7E]*[\x21-\x7E])?$`)
)

// Valid reports whether the message can be sent as it is. Every sender asks, so
// that no way of making a Message gets a line break into a header. The error
// wraps ErrRefused and repeats nothing of the message.
func (m Message) Valid() error {
	switch {
	case m.To == personal.Email{}:
		return fmt.Errorf("%w: it has no address", ErrRefused)
	case m.Subject == "" || utf8.RuneCountInString(m.Subject) > maxSubject || m.Subject != line(m.Subject):
		return fmt.Errorf("%w: the subject is empty, too long or not one line", ErrRefused)
	case m.Text == personal.Text{}:
		return fmt.Errorf("%w: it has no text", ErrRefused)
	case m.Stream == Legal && m.unsubscribes():
		return fmt.Errorf("%w: nobody can unsubscribe from legal mail", ErrRefused)
	case m.Stream == Marketing && !m.unsubscribes():
		return fmt.Errorf("%w: marketing needs a way to unsubscribe", ErrRefused)
	}
	for _, h := range m.Headers {
		if len(h.Name)+len(h.Value) > maxHeader || !headerName.MatchString(h.Name) || !headerValue.MatchString(h.Value) {
			return fmt.Errorf("%w: a header is not one line of ASCII", ErrRefused)
		}
	}
	for _, part := range []personal.Text{m.Text, m.HTML} {
		for l := range strings.SplitSeq(part.Reveal(), "\n") {
			if len(l) > lineLength {
				return fmt.Errorf("%w: a line has more than %d bytes", ErrRefused, lineLength)
			}
		}
	}
	return nil
}

func (m Message) unsubscribes() bool {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, "List-Unsubscribe") {
			return true
		}
	}
	return false
}

// String tells what kind of mail it is, and nothing of what is in it.
func (m Message) String() string { return "[" + string(m.Stream) + " mail]" }

// GoString is String.
func (m Message) GoString() string { return m.String() }

// LogValue is String, for logs.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText is String: whoever stores mail writes its parts.
func (m Message) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
