// Package receipt turns the record of a choice into a receipt that a person can
// keep and anybody can check: the fields of ISO/IEC TS 27560:2023 in the JSON-LD
// form of the W3C's Data Privacy Vocabulary, or a Kantara Consent Receipt 1.1,
// signed as a JWS with ES256 when that is asked for. docs/receipts.md says how
// somebody checks one without us.
//
// It is field-compatible with the published guides to these formats, and not
// certified by anybody. A receipt names a person by their random id only. The
// package knows no store and no HTTP; httpapi, boot and infra/local import it.
package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
)

// Format is how a receipt is written.
type Format string

// The formats.
const (
	DPV     Format = "dpv"     // ISO/IEC TS 27560 as DPV JSON-LD
	Kantara Format = "kantara" // KI-CR-v1.1.0
)

// Maker makes receipts of one installation.
type Maker struct {
	Policy  *policy.Policy
	Ring    *seal.Ring // its signing key
	BaseURL string     // where people withdraw, and where the key is published; without a slash at the end
	Now     func() time.Time
}

// node is a JSON object. Its members are written in the order of their names, so
// that a receipt is always the same bytes.
type node map[string]any

// Make writes the receipt of a record as JSON. What a person chose, when, how and
// before which words is told as it was recorded; who gets the data and where it is
// kept as the policy in force says it, which the receipt names.
func (m *Maker) Make(e consent.Evidence, f Format, language string) ([]byte, error) {
	state, ok := stateOf(e.Entry.Action)
	if !ok {
		return nil, consent.ErrNotFound.Saying("There is a receipt for a choice only: a consent, a refusal or a withdrawal.")
	}
	if spoken := m.Policy.Document.Languages; !slices.Contains(spoken, language) && len(spoken) > 0 {
		language = spoken[0]
	}
	d := draft{
		Evidence: e, policy: m.Policy, base: m.BaseURL, language: language,
		state: state, purpose: m.purpose(e), now: m.Now().UTC().Truncate(time.Second),
	}
	var doc node
	var name func(node, string)
	switch f {
	case DPV:
		doc, name = d.dpv(), nameDPV
	case Kantara:
		doc, name = d.kantara(), nameKantara
	default:
		return nil, fault.Input(fault.Field{Pointer: "/format", Text: "must be dpv or kantara"})
	}
	// The id follows from everything the receipt says, so that two that differ in
	// anything have two ids, and none is ever stored.
	unnamed, err := encode(doc)
	if err != nil {
		return nil, err
	}
	name(doc, uuid("receipt", string(unnamed)))
	return encode(doc)
}

// purpose returns what the policy says about the purpose of the record. A purpose
// that the policy no longer has is known by its id alone.
func (m *Maker) purpose(e consent.Evidence) policy.Purpose {
	i := slices.IndexFunc(m.Policy.Purposes, func(p policy.Purpose) bool { return p.ID == e.Entry.Purpose })
	if i < 0 {
		return policy.Purpose{ID: e.Entry.Purpose}
	}
	return m.Policy.Purposes[i]
}

// draft is a receipt in the making.
type draft struct {
	consent.Evidence
	policy   *policy.Policy
	base     string
	language string
	state    state
	purpose  policy.Purpose // without categories and bases, if the policy no longer has it
	now      time.Time
}

// state is what a record made of a consent.
type state int

const (
	given state = iota
	refused
	withdrawn
	requested // asked for by mail, and not yet confirmed
	expired
)

// stateOf returns what an entry with this action made of the consent; none, if it
// is about something else.
func stateOf(action string) (state, bool) {
	switch action {
	case string(consent.Granted), "confirmed":
		return given, true
	case string(consent.Denied):
		return refused, true
	case string(consent.Withdrawn):
		return withdrawn, true
	case "asked":
		return requested, true
	case "lapsed":
		return expired, true
	}
	return 0, false
}

// after returns what became of the consent after the record, and when. None: it
// still stands as it was recorded.
func (d *draft) after() (state, time.Time, bool) {
	if d.StateAt.After(d.Entry.At) {
		switch d.State {
		case consent.Granted:
			return given, d.StateAt, true
		case consent.Denied:
			return refused, d.StateAt, true
		case consent.Withdrawn:
			return withdrawn, d.StateAt, true
		case consent.Ended:
			return expired, d.StateAt, true
		}
	}
	if d.state == given && !d.Until.IsZero() && !d.now.Before(d.Until) {
		return expired, d.Until, true
	}
	return 0, time.Time{}, false
}

// say returns a text in the receipt's language.
func (d *draft) say(t policy.Text) string { return t.In(d.language) }

// label is what the purpose is called.
func (d *draft) label() string {
	if s := d.say(d.Rule.Label); s != "" {
		return s
	}
	return d.purpose.ID
}

// about is what the data is used for.
func (d *draft) about() string {
	if s := d.say(d.purpose.Text); s != "" {
		return s
	}
	return d.label()
}

// categories returns the categories of data that the purpose uses.
func (d *draft) categories() []policy.Category {
	var all []policy.Category
	for _, id := range d.purpose.Categories {
		if c, ok := d.policy.Category(id); ok {
			all = append(all, c)
		}
	}
	return all
}

// uses reports whether one of the categories is among those that the purpose uses.
// Of a purpose that the policy no longer has, nothing is left out.
func (d *draft) uses(categories []string) bool {
	return len(d.purpose.Categories) == 0 || slices.ContainsFunc(categories, func(c string) bool { return slices.Contains(d.purpose.Categories, c) })
}

// recipients returns who gets data of the purpose.
func (d *draft) recipients() []policy.Recipient {
	return slices.DeleteFunc(slices.Clone(d.policy.Recipients), func(r policy.Recipient) bool { return !d.uses(r.Categories) })
}

// spoken is the language in which the person was asked.
func (d *draft) spoken() string {
	for _, l := range []string{d.Wording.Language, d.Entry.Language} {
		if l != "" {
			return l
		}
	}
	return d.language
}

// instant writes a time as both formats want it: ISO 8601, UTC.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// uuid derives a UUID in the form of version 4 from a text. Anybody can derive the
// id of a record again from the name that the audit log gives it.
func uuid(kind, of string) string {
	b := sha256.Sum256([]byte("rightsdesk " + kind + "\n" + of))
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// recordID is the id of the record in the receipts about it.
func (d *draft) recordID() string { return uuid("record", string(d.Entry.ID)) }

func encode(doc node) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write a receipt: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
