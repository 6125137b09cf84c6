// Package receipt turns the record of a consent into a receipt that a person can
// keep and anybody can check: the fields of ISO/IEC TS 27560:2023 in the JSON-LD
// form of the W3C's Data Privacy Vocabulary, or a Kantara Consent Receipt 1.1,
// signed as a JWS with ES256 when that is asked for.
//
// It is field-compatible with the published guides to these formats, and not
// certified by anybody. It knows no store, no HTTP and no clock; httpapi, boot and
// infra/local import it.
package receipt

import (
	"errors"

	"rightsdesk/shared/consent"
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
	BaseURL string     // where people withdraw, and where the key is published
}

var errUnwritten = errors.New("receipt: not yet written")

// Make writes a receipt as JSON.
func (m *Maker) Make(e consent.Evidence, f Format, language string) ([]byte, error) {
	return nil, errUnwritten
}

// Sign wraps a receipt into a compact JWS (RFC 7515) under the installation's key.
func (m *Maker) Sign(receipt []byte) (string, error) { return "", errUnwritten }

// JWKS is the public keys (RFC 7517) of the installation, earlier ones included.
func (m *Maker) JWKS() ([]byte, error) { return nil, errUnwritten }

// Verify checks a signed receipt against a JWKS, offline, and returns the receipt.
// Any changed byte of it, or of the signature, is an error.
func Verify(signed string, jwks []byte) ([]byte, error) { return nil, errUnwritten }
