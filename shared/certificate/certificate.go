// Package certificate writes what was erased, where and when, what was not and why,
// and from when on nothing of it can be brought back, as a document that is signed and
// that anybody can check without us. docs/certificates.md says how.
//
// A certificate names nobody: it holds the number of the request and nothing that was
// sealed or hashed of the person. The package knows no store and no HTTP; httpapi, boot
// and infra/local import it.
package certificate

import (
	"encoding/json"
	"fmt"
	"time"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
)

// Kind says in the header what was signed, so that nothing else that the same key
// signs passes for a certificate (RFC 8725, 3.11).
const Kind = "erasure-certificate+jws"

// Version of the format. What is added later is added beside it.
const Version = "1"

// Maker makes the certificates of one installation.
type Maker struct {
	Policy  *policy.Policy
	Ring    *seal.Ring // its signing key
	BaseURL string     // where the key is published; without a slash at the end
	Now     func() time.Time
}

// Document is a certificate. Times are in UTC.
type Document struct {
	Version    string     `json:"version"`
	Request    request.ID `json:"request"`
	Right      string     `json:"right"` // erasure or account_closure
	Controller Controller `json:"controller"`
	Policy     string     `json:"policy"` // version in force when it was asked for
	Received   time.Time  `json:"received_at"`
	Fulfilled  time.Time  `json:"fulfilled_at"`
	Issued     time.Time  `json:"issued_at"`
	Places     []Place    `json:"places"`
	// Unrecoverable is from when on nothing of what was erased can be brought back, not
	// even from a backup. Our own record of the person has an end of its own, in it.
	Unrecoverable time.Time `json:"unrecoverable_from"`
	OwnRecord     OwnRecord `json:"own_record"`
	Keys          string    `json:"keys"` // where the public key is published
}

// Controller is who is responsible.
type Controller struct {
	Name    string `json:"name"`
	Country string `json:"country"`
}

// OwnRecord is what the company itself could read of the person in its record of the
// request.
type OwnRecord struct {
	State      string    `json:"state"` // destroyed, or due
	Unreadable time.Time `json:"unreadable_from"`
}

// Place is one category of one system, and what became of it.
type Place struct {
	Source   string       `json:"source"`
	System   string       `json:"system"`
	Category string       `json:"category,omitempty"`
	Fate     request.Fate `json:"fate"`
	Records  int          `json:"records"`
	Done     *time.Time   `json:"done_at,omitempty"`
	Verified *time.Time   `json:"verified_at,omitempty"`
	// Left is how many records the system itself left, for a reason of its own.
	Left       int        `json:"left,omitempty"`
	Kept       *Kept      `json:"kept,omitempty"`
	Controller string     `json:"controller,omitempty"` // to whom it was referred
	Team       string     `json:"team,omitempty"`       // that did it by hand
	Backups    *time.Time `json:"backups_until,omitempty"`
}

// Kept is why something stays, and until when.
type Kept struct {
	Ground  policy.Ground `json:"ground"`
	Duty    string        `json:"duty"`
	Article string        `json:"article,omitempty"`
	Until   *time.Time    `json:"until,omitempty"`
	// Period and From say how long where the end is not known yet: it begins with
	// something that has not happened.
	Period string       `json:"period,omitempty"`
	From   policy.Event `json:"from,omitempty"`
}

// Make writes the certificate of what a request did as JSON.
func (m *Maker) Make(c request.Certified, language string) ([]byte, error) {
	doc := Document{
		Version: Version, Request: c.Request, Right: string(c.Right), Policy: c.Policy,
		Controller: Controller{Name: m.Policy.Controller.LegalName, Country: m.Policy.Controller.Country},
		Received:   c.Received.UTC(), Fulfilled: c.Fulfilled.UTC(), Issued: m.Now().UTC().Truncate(time.Second),
		Unrecoverable: c.Unrecoverable().UTC(), OwnRecord: OwnRecord{State: "due", Unreadable: c.Unreadable.UTC()},
		Places: []Place{}, Keys: m.BaseURL + "/.well-known/jwks.json",
	}
	if c.Destroyed {
		doc.OwnRecord.State = "destroyed"
	}
	for _, p := range c.Places {
		doc.Places = append(doc.Places, m.place(p, words.In(language).Language()))
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write a certificate: %w", err)
	}
	return b, nil
}

func (m *Maker) place(p request.Place, language string) Place {
	decl, _ := m.Policy.Source(p.Source)
	out := Place{
		Source: p.Source, System: decl.Label.In(language), Category: p.Category, Fate: p.Fate, Records: p.Count, Left: p.Left,
		Done: when(p.Done), Verified: when(p.Verified), Controller: p.Controller, Backups: when(p.Backups),
	}
	if p.Fate == request.FateByHand {
		out.Team = decl.Task.Team
	}
	if p.Fate == request.FateKept {
		out.Kept = &Kept{Ground: p.Keep.Ground, Duty: p.Keep.Duty.In(language), Article: p.Keep.Article, Until: when(p.Until)}
		if p.Until.IsZero() {
			out.Kept.Period, out.Kept.From = p.Keep.Period.String(), p.Keep.From
		}
	}
	return out
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Sign wraps a certificate into a compact JWS (RFC 7515) under the installation's
// newest key. The payload is the certificate, byte for byte.
func (m *Maker) Sign(certificate []byte) (string, error) {
	return receipt.SignAs(m.Ring, Kind, certificate)
}

// Verify checks a signed certificate against a JWKS, offline, and returns it. Any
// changed byte of it, or of the signature, is an error, and so is another document
// that the same key signed.
func Verify(signed string, jwks []byte) (Document, error) {
	payload, err := receipt.VerifyAs(Kind, signed, jwks)
	if err != nil {
		return Document{}, err
	}
	var doc Document
	if err := json.Unmarshal(payload, &doc); err != nil || doc.Version != Version {
		return Document{}, fmt.Errorf("%w: its format is unknown", receipt.ErrNotSigned)
	}
	return doc, nil
}
