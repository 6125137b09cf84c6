// Package told reads what the company's apps tell on the event bus of the lives of
// accounts and relationships. The detail of an event is what POST /v1/app/events takes
// as one, and its detail-type is the type; events/schema has a schema for each.
//
// What follows from it is for package lifecycle. It knows no AWS but the words of the
// bus, so that a run on a laptop could hear the same. boot imports it.
package told

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/personal"
)

// ErrUnreadable is an event that cannot be read. Its text names what is wrong, and
// nobody.
var ErrUnreadable = errors.New("told: the event cannot be read")

// Source is how the bus names who says it. Whoever may put events of this source
// there may close accounts.
const Source = "rightsdesk.app"

// byBus is who told, in the audit: the bus does not say which app it was.
const byBus = "event-bus"

// Event is what we read of an event.
type Event struct {
	ID     string          `json:"id"`
	Source string          `json:"source"`
	Type   string          `json:"detail-type"`
	Detail json.RawMessage `json:"detail"`
}

// Detail is what an app says.
type Detail struct {
	ID           string         `json:"id"`
	At           time.Time      `json:"at"`
	Subject      *Subject       `json:"subject"`
	Relationship string         `json:"relationship"`
	Purpose      string         `json:"purpose"`
	Source       string         `json:"source"`
	Category     string         `json:"category"`
	Channel      string         `json:"channel"`
	Fields       map[string]any `json:"fields"`
}

// Subject is whom it is about.
type Subject struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

const maxValue = 512 // bytes of what identifies somebody

var kinds = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// Read returns what an event says. A field that is not known makes it unreadable: what
// is dropped in silence is an end that nobody notes.
func Read(raw []byte) (lifecycle.Event, error) {
	var e Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return lifecycle.Event{}, unreadable("it is no JSON of that shape") // the error of encoding/json quotes values
	}
	if e.Source != Source {
		return lifecycle.Event{}, unreadable("its source is not " + Source)
	}
	var d Detail
	dec := json.NewDecoder(bytes.NewReader(e.Detail))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return lifecycle.Event{}, unreadable("its detail is not what events/schema says")
	}
	out := lifecycle.Event{
		ID: d.ID, Type: lifecycle.Type(e.Type), At: d.At, Relationship: d.Relationship, Purpose: d.Purpose,
		Source: d.Source, Category: d.Category, Channel: d.Channel, Fields: d.Fields,
	}
	if out.ID == "" {
		out.ID = e.ID
	}
	if d.Subject == nil {
		return out, nil // lifecycle says where one is needed
	}
	if !kinds.MatchString(d.Subject.Type) || len(d.Subject.Value) > maxValue {
		return lifecycle.Event{}, unreadable("its subject has no type, or a value that is too long")
	}
	out.Who = personal.MakeIdentity(personal.Kind(d.Subject.Type), d.Subject.Value)
	if out.Who.Kind == personal.KindEmail {
		address, ok := personal.ParseEmail(d.Subject.Value)
		if !ok {
			return lifecycle.Event{}, unreadable("its subject is no mail address")
		}
		out.Who = address.Identity()
	}
	return out, nil
}

func unreadable(why string) error { return fmt.Errorf("%w: %s", ErrUnreadable, why) }

// Taker notes what happened; lifecycle.Service is one. The same may come again.
type Taker interface {
	Take(ctx context.Context, by string, events []lifecycle.Event) ([]lifecycle.Result, error)
}

// Take has an event noted. If it fails the same event is to be taken again. A record
// that holds what is never taken has been dealt with: taking it again would only keep
// it in a queue.
func Take(ctx context.Context, to Taker, raw []byte) error {
	e, err := Read(raw)
	if err != nil {
		return err
	}
	_, err = to.Take(ctx, byBus, []lifecycle.Event{e})
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Invalid && len(f.Fields) > 0 {
		return unreadable(f.Fields[0].Pointer + " " + f.Fields[0].Text) // names a place and what is expected there
	}
	return err
}
