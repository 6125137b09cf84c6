package dynamodbsource

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// text returns a string's or a number's characters.
func text(v types.AttributeValue) (string, bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value, true
	case *types.AttributeValueMemberN:
		return v.Value, true
	}
	return "", false
}

func whole(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && n < 1<<53 // beyond it lies no time
}

// plain returns a value as JSON has it: sets become lists, bytes base64, and
// numbers keep every digit.
func plain(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return json.Number(v.Value)
	case *types.AttributeValueMemberBOOL:
		return v.Value
	case *types.AttributeValueMemberB:
		return v.Value
	case *types.AttributeValueMemberSS:
		return v.Value
	case *types.AttributeValueMemberNS:
		numbers := make([]json.Number, len(v.Value))
		for i, n := range v.Value {
			numbers[i] = json.Number(n)
		}
		return numbers
	case *types.AttributeValueMemberBS:
		return v.Value
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = plain(e)
		}
		return list
	case *types.AttributeValueMemberM:
		return object(v.Value)
	}
	return nil // NULL
}

func object(attributes map[string]types.AttributeValue) map[string]any {
	o := make(map[string]any, len(attributes))
	for name, v := range attributes {
		o[name] = plain(v)
	}
	return o
}

// fields returns the attributes for which keep is true as a JSON object.
func (it item) fields(keep func(attribute string) bool) (json.RawMessage, error) {
	kept := make(map[string]types.AttributeValue, len(it))
	for name, v := range it {
		if keep(name) {
			kept[name] = v
		}
	}
	raw, err := json.Marshal(object(kept))
	if err != nil {
		return nil, errors.New("an item cannot be written as JSON") // err might quote it
	}
	return raw, nil
}

// key returns the item's key.
func (m Mapping) key(it item) item {
	k := item{m.Key.Partition: it[m.Key.Partition]}
	if m.Key.Sort != "" {
		k[m.Key.Sort] = it[m.Key.Sort]
	}
	return k
}

// id returns the record's id: what the mapping says, or a hash of the key, whose
// parts carry their lengths so that no two keys are the same string.
func (m Mapping) id(it item) (string, error) {
	if m.RecordID != "" {
		id, ok := text(it[m.RecordID])
		if !ok || id == "" || len(id) > 256 || strings.ContainsRune(id, '@') || strings.ContainsFunc(id, unicode.IsControl) {
			return "", errors.New("an item has no record id, or one that is too long or looks like an address")
		}
		return id, nil
	}
	h := sha256.New()
	for _, attribute := range []string{m.Key.Partition, m.Key.Sort} {
		part := bytesOf(it[attribute])
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part)))) //nolint:gosec // a key has 2048 bytes at most
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func bytesOf(v types.AttributeValue) []byte {
	if b, ok := v.(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	s, _ := text(v) // a key is a string, a number or bytes; none is the empty part
	return []byte(s)
}
