package source

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// MinMaskKey is the shortest key that KeyedHash accepts, in bytes.
const MinMaskKey = 16

// MaskObject returns a JSON object with every field masked as masks says. Masks
// name top-level fields; a field that holds an object or a list is masked whole.
//
// A field that no mask names is an error (ErrRefused), and nothing is masked:
// keeping it might keep the person, dropping it might drop what the company
// needs, and only the policy can know. Preserve is how a policy says "keep".
// A field that is null or absent stays so.
func MaskObject(object json.RawMessage, masks []Mask, key []byte) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("%w: what is to be masked is not a JSON object", ErrRefused)
	}
	how := make(map[string]Mask, len(masks))
	for _, m := range masks {
		if _, twice := how[m.Field]; twice {
			return nil, fmt.Errorf("%w: two masks for the field %q", ErrRefused, m.Field)
		}
		how[m.Field] = m
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		m, ok := how[name]
		if !ok {
			// The name comes from the store, which may key a map by an address: it is not repeated here.
			return nil, fmt.Errorf("%w: a record has a field that no mask names; preserve it or mask it", ErrRefused)
		}
		masked, err := m.value(fields[name], key)
		if err != nil {
			return nil, err
		}
		fields[name] = masked
	}
	return json.Marshal(fields)
}

// value returns what the mask makes of one field's value.
func (m Mask) value(v json.RawMessage, key []byte) (json.RawMessage, error) {
	if bytes.Equal(v, []byte("null")) {
		return v, nil
	}
	switch m.How {
	case Preserve:
		return v, nil
	case Null:
		return json.RawMessage("null"), nil
	case Fixed:
		return json.Marshal(m.Value)
	case Hash:
		sum := sha256.Sum256(plain(v))
		return json.Marshal(hex.EncodeToString(sum[:]))
	case KeyedHash:
		if len(key) < MinMaskKey {
			return nil, fmt.Errorf("%w: a keyed hash needs a key of %d bytes or more", ErrRefused, MinMaskKey)
		}
		h := hmac.New(sha256.New, key)
		h.Write(plain(v))
		return json.Marshal(hex.EncodeToString(h.Sum(nil)))
	default:
		return nil, fmt.Errorf("%w: there is no way %q to mask a field", ErrRefused, m.How)
	}
}

// plain returns the bytes that are hashed: of a string its text, without quotes
// and escapes, so that every language gets the same hash; of anything else its
// compact JSON.
func plain(v json.RawMessage) []byte {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return []byte(s)
	}
	var b bytes.Buffer
	_ = json.Compact(&b, v) // v is part of a document that was parsed: it is valid
	return b.Bytes()
}
