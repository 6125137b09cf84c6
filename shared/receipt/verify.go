package receipt

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"

	jose "github.com/go-jose/go-jose/v4"

	"rightsdesk/shared/seal"
)

// maxReceipt and maxJWKS bound what is read, in bytes. A receipt has a few thousand.
const (
	maxReceipt = 256 << 10
	maxJWKS    = 256 << 10
)

// algorithms lists what a receipt may be signed with. The verifier takes nothing
// else, whatever the receipt says of itself.
var algorithms = []jose.SignatureAlgorithm{jose.ES256}

// The ways in which a receipt fails. All but the last two mean that the file is not
// what was signed.
var (
	ErrNotSigned  = errors.New("receipt: this is not a signed receipt: it has to be one line of three parts with dots between them, signed with ES256")
	ErrChanged    = errors.New("receipt: the receipt or its signature was changed after it was signed")
	ErrUnknownKey = errors.New("receipt: the key set does not hold the key that the receipt says it was signed with")
	ErrKeys       = errors.New("receipt: this is no key set (JWKS) that receipts can be checked with")
)

// Verify checks a signed receipt against a JWKS, offline, and returns the receipt.
// Any changed byte of it, or of the signature, is an error.
//
// Keys come out of the JWKS only: what a header may say of other places to find
// one, or of the key itself, makes it no receipt.
func Verify(signed string, jwks []byte) ([]byte, error) { return VerifyAs(signedType, signed, jwks) }

// VerifyAs is Verify for what SignAs signed as the same kind of document.
func VerifyAs(kind, signed string, jwks []byte) ([]byte, error) {
	keys, err := parseJWKS(jwks)
	if err != nil {
		return nil, err
	}
	if len(signed) > 2*maxReceipt {
		return nil, ErrNotSigned
	}
	jws, err := jose.ParseSignedCompact(signed, algorithms)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, ErrNotSigned
	}
	id, signature := jws.Signatures[0].Protected.KeyID, jws.Signatures[0].Signature
	key, ok := keys[id]
	if !ok {
		return nil, ErrUnknownKey
	}
	// One signed receipt has one spelling. base64url leaves room for others, in its
	// last bits and in line breaks that decoders skip; so does JSON, in the header;
	// and so does ECDSA, in s. Only what is spelled as Sign does is looked at further.
	if signed != compact(kind, id, jws.UnsafePayloadWithoutVerification(), signature) || len(signature) != 64 || !seal.LowS(new(big.Int).SetBytes(signature[32:])) {
		return nil, ErrChanged
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, ErrChanged
	}
	if !json.Valid(payload) {
		return nil, ErrNotSigned
	}
	return payload, nil
}

// compact spells a signed receipt as Sign does: exactly these three headers.
func compact(kind, id string, payload, signature []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(`{"alg":"ES256","kid":"`+id+`","typ":"`+kind+`"}`)) + "." + b64(payload) + "." + b64(signature)
}

// parseJWKS returns the keys on P-256 of a JWKS by their thumbprints, whatever the
// set calls them: the thumbprint is what a receipt names and people compare. Keys
// of other kinds are another program's, and passed over.
func parseJWKS(b []byte) (map[string]*ecdsa.PublicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(b) > maxJWKS || json.Unmarshal(b, &set) != nil {
		return nil, ErrKeys
	}
	keys := map[string]*ecdsa.PublicKey{}
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil {
			continue
		}
		public, ok := k.Key.(*ecdsa.PublicKey) // a private one is not
		if !ok || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != string(jose.ES256) {
			continue
		}
		if id, err := seal.Thumbprint(public); err == nil {
			keys[id] = public
		}
	}
	if len(keys) == 0 {
		return nil, ErrKeys
	}
	return keys, nil
}
