// Package httpsource is the kind "http": a store behind a hook, one URL to which
// an application answers signed JSON calls. docs/hook.md is the same contract
// for those who write the application.
//
// Client is a source.Source that asks a hook. Endpoint is the other side: it
// makes a hook of any source.Source. Verify is what both rest on.
//
// The folder is named like the kind in the policy file; the package is not,
// because every file that imports it imports net/http too. It imports source,
// personal and the standard library. boot and infra/local import it.
package httpsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Version is the version of the wire format, in the signature and in every body.
const Version = 1

// Limits of the wire format.
const (
	maxCall   = 1 << 20 // bytes in the body of a call
	maxAnswer = 8 << 20 // bytes in the body of an answer
	maxCursor = 4 << 10
	maxID     = 256
	maxTies   = 100
	maxWho    = 20 // identities of one record that is old
)

// The operations.
const (
	find    = "find"
	erase   = "erase"
	correct = "correct"
	choose  = "choose"
	old     = "old"
	expire  = "expire"
)

// call is the body of a call.
type call struct {
	Version    int        `json:"version"`
	Source     string     `json:"source"` // its id in the policy: one URL may serve several
	Operation  string     `json:"operation"`
	Identities []identity `json:"identities"`
	Category   string     `json:"category,omitempty"`
	Until      time.Time  `json:"until,omitzero"`
	Limit      int        `json:"limit,omitempty"` // of choose: none

	// of find
	Cursor string `json:"cursor,omitempty"`
	Values bool   `json:"values,omitempty"`

	// of erase, old and expire
	Action  source.Verb   `json:"action,omitempty"` // delete or anonymise; of old and expire also archive
	Masks   []source.Mask `json:"masks,omitempty"`
	MaskKey []byte        `json:"mask_key,omitempty"` // base64

	// of correct
	Corrections []correction `json:"corrections,omitempty"`

	// of erase and correct
	Keep []string `json:"keep,omitempty"`

	// of choose
	Choice *source.Choice `json:"choice,omitempty"`

	// of old and expire, which name nobody: their identities are empty
	By  source.Hand `json:"by,omitempty"`
	IDs []string    `json:"ids,omitempty"` // of expire
}

// identity and correction hold a person's values in clear: they exist between
// a contract type and a body, and nowhere else.
type identity struct {
	Kind  personal.Kind `json:"kind"`
	Value string        `json:"value"`
}

type correction struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// found is the answer to find. Pointers tell what is missing from what is empty:
// an application that breaks half-way must not pass for one that found nothing.
type found struct {
	Data   *[]record  `json:"data"`
	Ties   []identity `json:"ties,omitempty"`
	Cursor string     `json:"cursor,omitempty"`
	Done   *bool      `json:"done"`
}

type record struct {
	Category string          `json:"category"`
	ID       string          `json:"id"`
	At       time.Time       `json:"at,omitzero"`
	Fields   json.RawMessage `json:"fields,omitempty"`
}

// aged is the answer to old. What a store's handle is for, a hook's id does: none travels.
type aged struct {
	Data   *[]agedRecord `json:"data"`
	Seen   int           `json:"seen,omitempty"` // absent: as many as there are in data
	Cursor string        `json:"cursor,omitempty"`
	Done   *bool         `json:"done"`
}

type agedRecord struct {
	Category string     `json:"category"`
	ID       string     `json:"id"`
	At       time.Time  `json:"at,omitzero"`
	Who      []identity `json:"who,omitempty"`
}

// worked is the answer to erase, correct, choose and expire.
type worked struct {
	Removed  *int     `json:"items_removed"`
	Retained *int     `json:"items_retained"`
	Messages []string `json:"messages"`
	Done     *bool    `json:"done"`
}

// refusal is the body beside a status that is not 200. Programs read the status;
// the code is for the developer who reads a log.
type refusal struct {
	Error string `json:"error"`
}

// errJSON says no more: what encoding/json complains about it quotes, and it may
// be a person's.
var errJSON = errors.New("not the JSON that docs/hook.md describes")

// decode reads exactly one JSON value without unknown fields.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return errJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errJSON
	}
	return nil
}

func toWire(ids []personal.Identity) []identity {
	out := make([]identity, len(ids))
	for i, id := range ids {
		out[i] = identity{id.Kind, id.Reveal()}
	}
	return out
}

func fromWire(ids []identity) ([]personal.Identity, bool) {
	out := make([]personal.Identity, len(ids))
	for i, id := range ids {
		out[i] = personal.MakeIdentity(id.Kind, id.Value)
		if id.Kind == "" || out[i].Reveal() == "" {
			return nil, false
		}
	}
	return out, true
}
