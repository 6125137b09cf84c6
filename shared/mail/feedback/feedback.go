// Package feedback reads what Amazon SES says about mail that it carried: an
// address that takes none, an owner who calls it spam. The events come from the
// account's bus, for every configuration set that tells it:
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
//
// What follows from it is for package consent. It knows no AWS but these words, so
// that a run on a laptop hears the same.
package feedback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// ErrUnreadable is an event that says something else than we know, or not all of
// it. Its text names what is wrong, and never an address.
var ErrUnreadable = errors.New("feedback: the event cannot be read")

// TagList is the tag of a mail that names its mailing list, a purpose of the policy.
// Without it a complaint ends all of them.
const TagList = "list"

// Source is how the bus names who says it.
const Source = "aws.ses"

// The events that are heard.
const (
	BounceType    = "Email Bounced"
	ComplaintType = "Email Complaint Received"
)

// Event is what we read of an event. Fields that SES adds some day do no harm.
type Event struct {
	ID     string    `json:"id"`
	Source string    `json:"source"`
	Type   string    `json:"detail-type"`
	Time   time.Time `json:"time"`
	Detail Detail    `json:"detail"`
}

// Detail is what SES says.
type Detail struct {
	EventType string     `json:"eventType"`
	Mail      Mail       `json:"mail"`
	Bounce    *Bounce    `json:"bounce,omitempty"`
	Complaint *Complaint `json:"complaint,omitempty"`
}

// Mail is the mail that it is about.
type Mail struct {
	MessageID   string              `json:"messageId"`
	Destination []string            `json:"destination"`
	Tags        map[string][]string `json:"tags"`
}

// Bounce is a mail that was not delivered.
type Bounce struct {
	Type       string      `json:"bounceType"` // Permanent, Transient, Undetermined
	Recipients []Recipient `json:"bouncedRecipients"`
	At         time.Time   `json:"timestamp"`
}

// Complaint is a mail that somebody called spam.
type Complaint struct {
	Type       string      `json:"complaintFeedbackType,omitempty"` // as RFC 5965 has it; often empty
	Recipients []Recipient `json:"complainedRecipients"`
	At         time.Time   `json:"timestamp"`
}

// Recipient is one address.
type Recipient struct {
	Address string `json:"emailAddress"`
}

// Read returns what an event says about whom. It is empty for what ends nothing: a
// full mailbox, or a reader who took mail out of the spam folder.
func Read(raw []byte) ([]consent.Feedback, error) {
	var e Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON of that shape", ErrUnreadable) // the error of encoding/json quotes values
	}
	if e.Source != Source {
		return nil, fmt.Errorf("%w: its source is not %s", ErrUnreadable, Source)
	}
	d := e.Detail
	switch {
	case e.Type == BounceType && d.EventType == "Bounce" && d.Bounce != nil:
		switch d.Bounce.Type {
		case "Permanent":
			return e.about(policy.Bounced, d.Bounce.Recipients, d.Bounce.At)
		case "Transient", "Undetermined":
			return nil, nil
		}
		return nil, fmt.Errorf("%w: the type of the bounce is new", ErrUnreadable)
	case e.Type == ComplaintType && d.EventType == "Complaint" && d.Complaint != nil:
		// Reports of these types are not a reader's: RFC 6430, RFC 6591.
		if slices.Contains([]string{"not-spam", "auth-failure"}, d.Complaint.Type) {
			return nil, nil
		}
		return e.about(policy.Complained, d.Complaint.Recipients, d.Complaint.At)
	}
	return nil, fmt.Errorf("%w: it is neither a bounce nor a complaint", ErrUnreadable)
}

// Heeder takes feedback down; consent.Service is one. The same may come again.
type Heeder interface {
	Heed(ctx context.Context, f consent.Feedback) error
}

// Take has everything heeded that an event says. If it fails the same event is to
// be taken again.
func Take(ctx context.Context, by Heeder, raw []byte) error {
	all, err := Read(raw)
	if err != nil {
		return err
	}
	for _, f := range all {
		if err := by.Heed(ctx, f); err != nil {
			return fmt.Errorf("heed %s: %w", f.Stop, err)
		}
	}
	return nil
}

// about says it of everybody that the event names.
func (e Event) about(stop policy.Stop, named []Recipient, at time.Time) ([]consent.Feedback, error) {
	m := e.Detail.Mail
	if m.MessageID == "" {
		return nil, fmt.Errorf("%w: it does not name the mail", ErrUnreadable)
	}
	if at.IsZero() {
		at = e.Time
	}
	if at.IsZero() {
		return nil, fmt.Errorf("%w: it has no time", ErrUnreadable)
	}
	var to []string
	for _, r := range named {
		to = append(to, r.Address)
	}
	// Whom the mail was written to is whom we must not write to. A forwarding
	// server names another address than that.
	if len(named) > 0 && len(m.Destination) == 1 {
		to = m.Destination
	}
	if len(to) == 0 {
		return nil, fmt.Errorf("%w: it names nobody", ErrUnreadable)
	}
	list := ""
	if tag := m.Tags[TagList]; len(tag) > 0 {
		list = tag[0]
	}
	var all []consent.Feedback
	for i, address := range to {
		who, ok := parse(address)
		if !ok {
			return nil, fmt.Errorf("%w: address %d is none", ErrUnreadable, i)
		}
		all = append(all, consent.Feedback{Address: who, Stop: stop, List: list, At: at, MessageID: m.MessageID})
	}
	return all, nil
}

// parse reads an address, which may have a name before it.
func parse(s string) (personal.Email, bool) {
	if a, err := mail.ParseAddress(s); err == nil {
		s = a.Address
	}
	return personal.ParseEmail(s)
}
