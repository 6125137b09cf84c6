package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"rightsdesk/shared/fault"
)

// maxDepth is how deep a body may nest; ours nest four levels.
const maxDepth = 8

// strict decodes one JSON object into v. Unknown and repeated keys are refused
// and named: a key that is silently dropped is a wish that nobody keeps.
func strict(b []byte, v any) error {
	if err := distinct(b); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// An embedded struct of ours is no place in the body.
		place := strings.TrimPrefix(wrong.Field, "submission.")
		return fault.Input(fault.Field{
			Pointer: "/" + strings.ReplaceAll(place, ".", "/"),
			Text:    fmt.Sprintf("must be of the type %s, not %s", typeName(wrong.Type), wrong.Value),
		})
	}
	if err == nil {
		return nil
	}
	// The decoder's text names the unknown key, which the caller chose: it is
	// theirs to see and ours not to log.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return unknown(strings.Trim(name, `"`))
	}
	return errJSON
}

// typeName is what JSON calls a type of ours.
func typeName(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // bodies hold nothing else
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	}
	return "number"
}

func unknown(name string) error {
	f := *errJSON
	f.Fields = []fault.Field{{Pointer: "/" + name, Text: "is not a known field"}}
	return &f
}

// foreign reports that a character is in no name of ours. The decoder takes
// "Right", and even a long s, for the field it resembles; two spellings of one
// field would pass for two fields.
func foreign(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }

// distinct refuses what is not one JSON object, a key that stands twice in one
// object (encoding/json would take the last), and deep nesting.
func distinct(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	type level struct {
		keys map[string]bool // nil in an array
		key  bool            // a key comes next
	}
	var stack []level
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) && len(stack) == 0 {
			return nil
		}
		if err != nil {
			return errJSON
		}
		if len(stack) == 0 && t != json.Delim('{') {
			return errJSON
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if len(stack) == maxDepth {
				return errJSON
			}
			l := level{}
			if t == json.Delim('{') {
				l = level{keys: map[string]bool{}, key: true}
			}
			stack = append(stack, l)
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		default:
			if n := len(stack); n > 0 && stack[n-1].key {
				name, _ := t.(string)
				if strings.ContainsFunc(name, foreign) {
					return unknown(name)
				}
				if stack[n-1].keys[name] {
					return fault.Input(fault.Field{Pointer: "/" + name, Text: "stands twice; send it once"})
				}
				stack[n-1].keys[name] = true
				stack[n-1].key = false
				continue
			}
		}
		if n := len(stack); n > 0 {
			stack[n-1].key = stack[n-1].keys != nil
		} else if dec.More() {
			return errJSON
		}
	}
}
