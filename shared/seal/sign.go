package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// maxSigning bounds the generations of the signing key, so that a damaged ring
// cannot make every start derive a million of them.
const maxSigning = 64

// SigningKey is a key on P-256 that receipts are signed with. It is derived from
// the ring when the ring is opened, so that a signature needs no KMS and no store.
// It refuses to be printed.
type SigningKey struct {
	ID  string // the thumbprint of its public half (RFC 7638)
	key *ecdsa.PrivateKey
}

// SigningKeys returns the keys of all generations, the newest first. The newest
// signs; what the others signed must still be checked.
func (r *Ring) SigningKeys() []SigningKey { return r.signing }

// Public returns the public half.
func (k SigningKey) Public() *ecdsa.PublicKey { return &k.key.PublicKey }

// Sign returns the ES256 signature of a message (RFC 7518, 3.4): r and s, of 32
// bytes each. It is the only one there is: the nonce is derived from the message
// (RFC 6979), and of the two values of s that check, the lower one is taken.
func (k SigningKey) Sign(message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	der, err := k.key.Sign(nil, sum[:], crypto.SHA256) // no source of randomness: RFC 6979
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if !LowS(v.S) {
		v.S.Sub(elliptic.P256().Params().N, v.S)
	}
	out := make([]byte, 64)
	v.R.FillBytes(out[:32])
	v.S.FillBytes(out[32:])
	return out, nil
}

// LowS reports whether s is the lower of the two values that check in a signature
// on P-256. Whoever refuses the other one leaves nobody a second signature to make
// out of the first.
func LowS(s *big.Int) bool {
	return new(big.Int).Lsh(s, 1).Cmp(elliptic.P256().Params().N) <= 0
}

// String hides the key.
func (SigningKey) String() string { return "[signing key]" }

// GoString hides the key.
func (SigningKey) GoString() string { return "[signing key]" }

// Thumbprint returns the SHA-256 thumbprint of a key on P-256 (RFC 7638).
func Thumbprint(k *ecdsa.PublicKey) (string, error) {
	point, err := k.Bytes()
	if err != nil || len(point) != 65 {
		return "", errors.New("seal: not a key on P-256")
	}
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, b64(point[1:33]), b64(point[33:])))
	return b64(sum[:]), nil
}

// deriveSigning derives the signing keys of all generations from the token key,
// the newest first. They are derived and not stored, so that a ring from before
// there were any has them too.
func (k ringKeys) deriveSigning() ([]SigningKey, error) {
	if k.Signing < 0 || k.Signing > maxSigning {
		return nil, errors.New("seal: the key ring counts signing keys that cannot be; restore it from its backup")
	}
	var keys []SigningKey
	for generation := max(k.Signing, 1); generation > 0; generation-- {
		key, err := deriveKey(k.Token, generation)
		if err != nil {
			return nil, err
		}
		id, err := Thumbprint(&key.PublicKey)
		if err != nil {
			return nil, err
		}
		keys = append(keys, SigningKey{ID: id, key: key})
	}
	return keys, nil
}

// deriveKey takes candidates out of HKDF-SHA256 until one is a scalar between 1
// and the order of the curve. Reducing a number that is too large would make some
// keys likelier than others. The first candidate fails once in 2^32 rings.
func deriveKey(secret []byte, generation int) (*ecdsa.PrivateKey, error) {
	for try := range 128 {
		scalar, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("rightsdesk signing key ES256 %d %d", generation, try), keySize)
		if err != nil {
			return nil, fmt.Errorf("derive a signing key: %w", err)
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("seal: no signing key can be derived")
}
