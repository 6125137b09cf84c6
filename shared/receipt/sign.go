package receipt

import (
	"encoding/json"
	"errors"
	"fmt"

	jose "github.com/go-jose/go-jose/v4"

	"rightsdesk/shared/seal"
)

// signedType says in the header what was signed, so that nothing else that this
// key may ever sign passes for a receipt (RFC 8725, 3.11).
const signedType = "consent-receipt+jws"

// Sign wraps a receipt into a compact JWS (RFC 7515) under the installation's
// newest key. The payload is the receipt, byte for byte.
func (m *Maker) Sign(receipt []byte) (string, error) { return SignAs(m.Ring, signedType, receipt) }

// SignAs is Sign for another kind of document, which its header names.
func SignAs(ring *seal.Ring, kind string, document []byte) (string, error) {
	if len(document) > maxReceipt || !json.Valid(document) {
		return "", errors.New("receipt: not a document; nothing else is signed")
	}
	key := opaque{ring.SigningKeys()[0]}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, new(jose.SignerOptions).WithType(jose.ContentType(kind)))
	if err != nil {
		return "", fmt.Errorf("sign a document: %w", err)
	}
	jws, err := signer.Sign(document)
	if err != nil {
		return "", fmt.Errorf("sign a document: %w", err)
	}
	signed, err := jws.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("sign a document: %w", err)
	}
	return signed, nil
}

// opaque lets go-jose sign with a key that it does not get to see.
type opaque struct{ key seal.SigningKey }

// Public returns the key's public half.
func (o opaque) Public() *jose.JSONWebKey { return publicJWK(o.key) }

// Algs returns the one algorithm.
func (opaque) Algs() []jose.SignatureAlgorithm { return algorithms }

// SignPayload signs what go-jose has put together.
func (o opaque) SignPayload(payload []byte, alg jose.SignatureAlgorithm) ([]byte, error) {
	if alg != jose.ES256 {
		return nil, jose.ErrUnsupportedAlgorithm
	}
	return o.key.Sign(payload)
}

func publicJWK(k seal.SigningKey) *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: k.Public(), KeyID: k.ID, Algorithm: string(jose.ES256), Use: "sig"}
}

// JWKS is the public keys (RFC 7517) of the installation: the one that signs
// first, then earlier ones, so that what they signed can still be checked.
func (m *Maker) JWKS() ([]byte, error) {
	var set jose.JSONWebKeySet
	for _, k := range m.Ring.SigningKeys() {
		set.Keys = append(set.Keys, *publicJWK(k))
	}
	b, err := json.MarshalIndent(set, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the public keys: %w", err)
	}
	return b, nil
}
