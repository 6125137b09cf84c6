package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"rightsdesk/shared/personal"
)

// BusSource is how the bus names who tells: the company's own programs. Whoever may
// put events there may close accounts.
const BusSource = "rightsdesk.app"

// byBus is who tells, in the audit, of what came over the bus.
const byBus = "bus"

// ErrUnreadable is an event on the bus that says something else than its schema. Its
// text names what is wrong, and never a value.
var ErrUnreadable = errors.New("lifecycle: the event cannot be read")

// envelope is what EventBridge puts around an event.
type envelope struct {
	ID     string          `json:"id"`
	Source string          `json:"source"`
	Type   Type            `json:"detail-type"`
	Detail json.RawMessage `json:"detail"`
}

// detail is an event as the schemas in events/schema have it.
type detail struct {
	ID      string    `json:"id"`
	Type    Type      `json:"type"`
	At      time.Time `json:"at"`
	Subject *struct {
		Type  personal.Kind `json:"type"`
		Value string        `json:"value"`
	} `json:"subject"`
	Relationship string         `json:"relationship"`
	Purpose      string         `json:"purpose"`
	Source       string         `json:"source"`
	Category     string         `json:"category"`
	Channel      string         `json:"channel"`
	Fields       map[string]any `json:"fields"`
}

const maxIdentity = 512

var kinds = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// Read reads an event as the bus hands it over. A field that the schema does not have
// is refused: a slip of the pen must not close somebody's account, or keep it open.
func Read(raw []byte) (Event, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, fmt.Errorf("%w: it is no event of the bus", ErrUnreadable)
	}
	if e.Source != BusSource {
		return Event{}, fmt.Errorf("%w: it is not of the source %s", ErrUnreadable, BusSource)
	}
	var d detail
	strict := json.NewDecoder(bytes.NewReader(e.Detail))
	strict.DisallowUnknownFields()
	strict.UseNumber()
	if err := strict.Decode(&d); err != nil {
		return Event{}, fmt.Errorf("%w: its detail is not as events/schema/%s.json has it", ErrUnreadable, e.Type.known())
	}
	if d.Type != "" && d.Type != e.Type {
		return Event{}, fmt.Errorf("%w: its type is not its detail-type", ErrUnreadable)
	}
	event := Event{
		ID: d.ID, Type: e.Type, At: d.At, Relationship: d.Relationship, Purpose: d.Purpose,
		Source: d.Source, Category: d.Category, Channel: d.Channel, Fields: d.Fields,
	}
	if event.ID == "" {
		event.ID = e.ID
	}
	if d.Subject == nil {
		return event, nil // Take says whether there has to be one
	}
	who := personal.MakeIdentity(d.Subject.Type, d.Subject.Value)
	ok := kinds.MatchString(string(d.Subject.Type)) && who.Reveal() != "" && len(d.Subject.Value) <= maxIdentity
	if d.Subject.Type == personal.KindEmail {
		var address personal.Email
		address, ok = personal.ParseEmail(d.Subject.Value)
		who = address.Identity()
	}
	if !ok {
		return Event{}, fmt.Errorf("%w: its subject identifies nobody", ErrUnreadable)
	}
	event.Who = who
	return event, nil
}

// known is a type, or a word for one that is none: what was sent is not repeated.
func (t Type) known() Type {
	for _, k := range Types {
		if k == t {
			return t
		}
	}
	return "unknown"
}

// Hear notes an event as the bus hands it over.
func (s *Service) Hear(ctx context.Context, raw []byte) error {
	e, err := Read(raw)
	if err != nil {
		return err
	}
	_, err = s.Take(ctx, byBus, []Event{e})
	return err
}
