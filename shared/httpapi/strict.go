package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/fault"
)

// maxDepth is how deep a body may nest; ours nest five levels.
const maxDepth = 8

// strict decodes one JSON object into v. Unknown and repeated keys are refused
// and named: a key that is silently dropped is a wish that nobody keeps. Whatever
// is wrong is named by its JSON pointer (RFC 6901).
func strict(b []byte, v any) error {
	if err := shaped(b, reflect.TypeOf(v).Elem()); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	dec.UseNumber() // what is passed on unread stays as it was sent
	if err := dec.Decode(v); err != nil {
		return errJSON // a number that is out of range or no integer
	}
	return nil
}

// typeName is what JSON calls a type of ours.
func typeName(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return "string"
	}
	switch t.Kind() { //nolint:exhaustive // bodies hold nothing else
	case reflect.Pointer:
		return typeName(t.Elem())
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

// nameOf is what JSON calls a token's type.
func nameOf(t json.Token) string {
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return "object"
		}
		return "array"
	case bool:
		return "boolean"
	case string:
		return "string"
	}
	return "number"
}

func unknown(pointer string) error {
	f := *errJSON
	f.Fields = []fault.Field{{Pointer: pointer, Text: "is not a known field"}}
	return &f
}

// free reports whether a type takes whatever JSON there is: what an app has filtered
// is of its own shape. Only a key that stands twice is refused there, too.
func free(t reflect.Type) bool {
	return t.Kind() == reflect.Interface || t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Interface
}

// foreign reports that a character is in no name of ours. The decoder takes
// "Right", and even a long s, for the field it resembles; two spellings of one
// field would pass for two fields.
func foreign(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }

// fieldOf returns the type of what stands under a key of an object.
func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	switch t.Kind() { //nolint:exhaustive // the rest has fields
	case reflect.Map:
		return t.Elem(), true
	case reflect.Interface:
		return t, true
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous { // its fields stand beside ours
			if found, ok := fieldOf(f.Type, key); ok {
				return found, true
			}
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == key {
			return f.Type, true
		}
	}
	return nil, false
}

// level is an object or array that the walk is in.
type level struct {
	of   reflect.Type
	keys map[string]bool // nil in an array
	name string          // of the value that comes next; empty: a key comes next
	n    int             // of the value that comes next, in an array
}

// escaped is how a name stands in a pointer.
var escaped = strings.NewReplacer("~", "~0", "/", "~1")

// next names the value that comes next.
func (l *level) next() string {
	if l.keys == nil {
		return strconv.Itoa(l.n)
	}
	return l.name
}

// shaped refuses what is not one JSON object of the type's shape, a key that
// stands twice in one object (encoding/json would take the last), and deep nesting.
func shaped(b []byte, of reflect.Type) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var stack []*level
	pointer := func() string {
		var p strings.Builder
		for _, l := range stack {
			p.WriteString("/" + escaped.Replace(l.next()))
		}
		return p.String()
	}
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) && len(stack) == 0 {
			return nil
		}
		if err != nil || len(stack) == 0 && t != json.Delim('{') {
			return errJSON
		}
		var in *level
		if len(stack) > 0 {
			in = stack[len(stack)-1]
		}
		switch {
		case t == json.Delim('}') || t == json.Delim(']'):
			stack = stack[:len(stack)-1]
			if len(stack) == 0 && dec.More() {
				return errJSON
			}
			if len(stack) > 0 {
				stack[len(stack)-1].done()
			}
			continue
		case in != nil && in.keys != nil && in.name == "":
			in.name, _ = t.(string)
			if in.name == "" || !free(in.of) && strings.ContainsFunc(in.name, foreign) {
				return unknown(pointer())
			}
			if in.keys[in.name] {
				return fault.Input(fault.Field{Pointer: pointer(), Text: "stands twice; send it once"})
			}
			in.keys[in.name] = true
			if _, ok := fieldOf(in.of, in.name); !ok {
				return unknown(pointer())
			}
			continue
		}
		want := of
		if in != nil {
			want = in.holds()
		}
		if t != nil && want.Kind() != reflect.Interface && nameOf(t) != typeName(want) { // null leaves a field as if it were not sent
			return fault.Input(fault.Field{Pointer: pointer(), Text: "must be of the type " + typeName(want) + ", not " + nameOf(t)})
		}
		if text, ok := t.(string); ok && want == reflect.TypeFor[time.Time]() {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				return fault.Input(fault.Field{Pointer: pointer(), Text: "must be a time in RFC 3339, such as 2026-03-05T09:12:44Z"})
			}
		}
		delim, opens := t.(json.Delim)
		if !opens {
			in.done()
			continue
		}
		if len(stack) == maxDepth {
			return errJSON
		}
		for want.Kind() == reflect.Pointer {
			want = want.Elem()
		}
		l := &level{of: want}
		if delim == '{' {
			l.keys = map[string]bool{}
		}
		stack = append(stack, l)
	}
}

// holds is the type of the value that comes next.
func (l *level) holds() reflect.Type {
	switch {
	case l.of.Kind() == reflect.Interface:
		return l.of
	case l.keys == nil:
		return l.of.Elem()
	}
	t, _ := fieldOf(l.of, l.name) // it was looked up with the key
	return t
}

// done goes on to what comes after a value.
func (l *level) done() {
	l.name = ""
	l.n++
}
