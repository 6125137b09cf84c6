package export

import (
	"bytes"
	"encoding/json"
	"errors"
)

// object is the fields of a record. Its values are JSON.
type object map[string]json.RawMessage

// heldValue stands in data.json for a value that is held and not shown.
const heldValue = `"held, not shown"`

var errFields = errors.New("export: the fields of a record are no JSON object") // without the cause, which may quote them

// redact returns the fields of a record with the values of hidden ones replaced
// by heldValue, at any depth. What is empty is not held, and stays empty.
func redact(fields json.RawMessage, hidden func(name string) bool) (object, error) {
	if len(fields) == 0 {
		return object{}, nil
	}
	var o object
	if json.Unmarshal(fields, &o) != nil || o == nil {
		return nil, errFields
	}
	for name, v := range o {
		if hidden(name) {
			if !empty(v) {
				o[name] = json.RawMessage(heldValue)
			}
			continue
		}
		inner, err := redactValue(v, hidden)
		if err != nil {
			return nil, err
		}
		o[name] = inner
	}
	return o, nil
}

func redactValue(v json.RawMessage, hidden func(name string) bool) (json.RawMessage, error) {
	switch v[0] {
	case '{':
		o, err := redact(v, hidden)
		if err != nil {
			return nil, err
		}
		return encode(o)
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(v, &list) != nil {
			return nil, errFields
		}
		for i, item := range list {
			inner, err := redactValue(item, hidden)
			if err != nil {
				return nil, err
			}
			list[i] = inner
		}
		return encode(list)
	default:
		return v, nil
	}
}

func empty(v json.RawMessage) bool {
	switch string(v) {
	case "null", `""`, "[]", "{}":
		return true
	}
	return false
}

// encode is json.Marshal without the escapes that HTML needs and people cannot read.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, errFields
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// text returns a value as people read it: a string without its quotes, nothing
// for null, anything else as JSON.
func text(v json.RawMessage) string {
	var s string
	if len(v) == 0 || string(v) == "null" {
		return ""
	}
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}
