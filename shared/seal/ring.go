// Package seal owns the Keys table and the key ring. It turns identifiers into
// keyed hashes, finds or makes the subject behind one, seals personal fields
// under a key that dies with the subject's salt, and derives the tokens that
// links and codes are made of and the keys that receipts are signed with.
//
// The Keys table, one kind of item:
//
//	partition            sort  body                                    counter
//	id#<identifier>      -     {"subject","salt","generation"}         mails to a person not yet verified, by day
//	ring                 -     the key ring, wrapped by the KMS key    -            (AWS only)
//
// <identifier> is HMAC-SHA-256 of kind and value under the identifier key,
// prefixed with the key's version. Linking points a second identifier at the
// same subject. Destroying an item's salt makes everything sealed under it
// unreadable, wherever copies of it are.
//
// It knows neither KMS nor where the ring is kept: boot and infra/local hand it
// over. The domain and its edges may import it.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"rightsdesk/shared/personal"
)

// Ring is the key ring of one installation. It refuses to be printed.
type Ring struct {
	keys    ringKeys
	signing []SigningKey // derived from keys; see sign.go
}

// ringKeys is the ring as it is kept, always wrapped or on the operator's own disk.
type ringKeys struct {
	// Identifier hashes identifiers. It is permanent: losing it loses every
	// suppression and the erasure ledger.
	Identifier []byte `json:"identifier"`
	Token      []byte `json:"token"`
	// Data seals fields; the last one seals, all unseal.
	Data []dataKey `json:"data"`
	// Signing is the generation of the signing key; 0 in a ring from before there
	// were any, and the same as 1. See sign.go.
	Signing int `json:"signing,omitempty"`
}

type dataKey struct {
	ID  byte   `json:"id"`
	Key []byte `json:"key"`
}

const keySize = 32 // bytes: HMAC-SHA-256 and AES-256

// NewRing makes a ring of fresh keys.
func NewRing() *Ring {
	r, err := open(ringKeys{Identifier: random(keySize), Token: random(keySize), Data: []dataKey{{ID: 1, Key: random(keySize)}}, Signing: 1})
	if err != nil {
		panic(err) // fresh keys derive always
	}
	return r
}

// ParseRing reads what Marshal wrote.
func ParseRing(b []byte) (*Ring, error) {
	var k ringKeys
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, errors.New("seal: the key ring cannot be read; restore it from its backup, a new one would orphan all data")
	}
	if len(k.Identifier) != keySize || len(k.Token) != keySize || len(k.Data) == 0 {
		return nil, errors.New("seal: the key ring is incomplete; restore it from its backup")
	}
	for _, d := range k.Data {
		if len(d.Key) != keySize {
			return nil, errors.New("seal: the key ring holds a data key of the wrong size; restore it from its backup")
		}
	}
	return open(k)
}

// open derives what is not stored.
func open(k ringKeys) (*Ring, error) {
	signing, err := k.deriveSigning()
	if err != nil {
		return nil, err
	}
	return &Ring{keys: k, signing: signing}, nil
}

// Marshal returns the keys in clear, to be wrapped or written to a private file.
func (r *Ring) Marshal() []byte {
	b, err := json.Marshal(r.keys)
	if err != nil {
		panic(err) // byte slices always marshal
	}
	return b
}

// String hides the keys.
func (*Ring) String() string { return "[key ring]" }

// GoString hides the keys.
func (*Ring) GoString() string { return "[key ring]" }

// Identifier is the keyed hash of an identity: the only form in which one
// appears in keys, indexes and audit entries.
type Identifier string

var base32Lower = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// Identifier returns the keyed hash of an identity, in 160 bits.
func (r *Ring) Identifier(i personal.Identity) Identifier {
	return Identifier("i1" + r.hash(r.keys.Identifier, "identifier", 20, string(i.Kind), i.Reveal()))
}

// Hash returns a keyed hash of parts, in 160 bits, for what must be compared
// later but never read: an idempotency key, a request body, a source address.
func (r *Ring) Hash(purpose string, parts ...string) string {
	return r.hash(r.keys.Identifier, purpose, 20, parts...)
}

// Token returns 128 bits that only this installation can derive from parts.
func (r *Ring) Token(purpose string, parts ...string) string {
	return r.hash(r.keys.Token, purpose, 16, parts...)
}

// Same compares two tokens or hashes in constant time.
func Same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// Digits returns n decimal digits, at most 9, that only this installation can derive from parts.
func (r *Ring) Digits(n int, purpose string, parts ...string) string {
	sum := r.sum(r.keys.Token, purpose, parts...)
	limit := uint64(1)
	for range n {
		limit *= 10
	}
	// The bias of taking 64 bits modulo 10^9 is below 2^-34.
	return fmt.Sprintf("%0*d", n, binary.BigEndian.Uint64(sum)%limit)
}

// sum is HMAC-SHA-256 over length-prefixed parts, so that no two lists of parts
// collide, and the purpose, so that no two uses do.
func (r *Ring) sum(key []byte, purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range append([]string{purpose}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		_, _ = mac.Write(n[:]) // a hash never fails to write
		_, _ = mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}

func (r *Ring) hash(key []byte, purpose string, size int, parts ...string) string {
	return base32Lower.EncodeToString(r.sum(key, purpose, parts...)[:size])
}

// Place is where a sealed field stands. It is authenticated: a field moved to
// another item or name does not open.
type Place struct{ Item, Field string }

// format1 is the first byte of a sealed field: the data key's id and the salt's
// generation follow, one byte each, then the nonce and the ciphertext of AES-256-GCM.
const format1 = 1

const sealOverhead = 3 + 12 + 16 // header, nonce, tag

// ErrSealed says that a field cannot be opened: its salt was destroyed, or it
// was moved or changed.
var ErrSealed = errors.New("seal: the field cannot be opened")

// Seal encrypts plain for one subject and one place.
func (r *Ring) Seal(s Subject, at Place, plain []byte) ([]byte, error) {
	d := r.keys.Data[len(r.keys.Data)-1]
	aead, err := s.cipher(d)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(plain)+sealOverhead), format1, d.ID, s.Generation)
	nonce := random(aead.NonceSize())
	return aead.Seal(append(out, nonce...), nonce, plain, at.bytes()), nil
}

// Unseal is the inverse of Seal, or ErrSealed.
func (r *Ring) Unseal(s Subject, at Place, sealed []byte) ([]byte, error) {
	if len(sealed) < sealOverhead || sealed[0] != format1 || sealed[2] != s.Generation {
		return nil, ErrSealed
	}
	for _, d := range r.keys.Data {
		if d.ID != sealed[1] {
			continue
		}
		aead, err := s.cipher(d)
		if err != nil {
			return nil, err
		}
		nonce, text := sealed[3:3+aead.NonceSize()], sealed[3+aead.NonceSize():]
		plain, err := aead.Open(nil, nonce, text, at.bytes())
		if err != nil {
			return nil, ErrSealed
		}
		return plain, nil
	}
	return nil, ErrSealed
}

func (p Place) bytes() []byte { return fmt.Appendf(nil, "%d:%s%s", len(p.Item), p.Item, p.Field) }

// cipher derives the subject's key from a data key and the salt (RFC 5869).
func (s Subject) cipher(d dataKey) (cipher.AEAD, error) {
	if len(s.Salt) == 0 {
		return nil, ErrSealed
	}
	key, err := hkdf.Key(sha256.New, d.Key, s.Salt, "rightsdesk subject", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive a subject's key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive a subject's key: %w", err)
	}
	return cipher.NewGCM(block)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (Go 1.24)
	return b
}
