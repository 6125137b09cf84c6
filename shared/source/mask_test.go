package source_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"rightsdesk/shared/source"
)

func TestMaskObject(t *testing.T) {
	t.Parallel()
	key := []byte("sixteen bytes ok")
	hash := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	keyed := func(s string) string {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	mask := func(how source.How) []source.Mask { return []source.Mask{{Field: "a", How: how, Value: "gone"}} }
	tests := map[string]struct {
		object string
		masks  []source.Mask
		want   string // empty: refused
	}{
		"null empties a field":                     {`{"a":"Ada"}`, mask(source.Null), `{"a":null}`},
		"null empties a whole object":              {`{"a":{"b":[1,2]}}`, mask(source.Null), `{"a":null}`},
		"fixed puts a word there":                  {`{"a":"Ada"}`, mask(source.Fixed), `{"a":"gone"}`},
		"fixed puts a word there for a number too": {`{"a":12}`, mask(source.Fixed), `{"a":"gone"}`},
		"hash is of a string's text":               {`{"a":"Zo\u00eb"}`, mask(source.Hash), `{"a":"` + hash("Zoë") + `"}`},
		"hash of a number is of its digits":        {`{"a":12.50}`, mask(source.Hash), `{"a":"` + hash("12.50") + `"}`},
		"hash of an object is of its compact JSON": {`{"a":{ "b" : 1 }}`, mask(source.Hash), `{"a":"` + hash(`{"b":1}`) + `"}`},
		"keyed hash is an HMAC":                    {`{"a":"Ada"}`, mask(source.KeyedHash), `{"a":"` + keyed("Ada") + `"}`},
		"preserve keeps every digit":               {`{"a":12345678901234567890.10}`, mask(source.Preserve), `{"a":12345678901234567890.10}`},
		"a field that is null stays null":          {`{"a":null}`, mask(source.KeyedHash), `{"a":null}`},
		"a mask without its field does nothing":    {`{}`, mask(source.Null), `{}`},
		"an empty object without masks is done":    {`{}`, nil, `{}`},
		"a field without a mask is refused":        {`{"a":1,"b":2}`, mask(source.Null), ``},
		"even one that is null":                    {`{"a":1,"b":null}`, mask(source.Null), ``},
		"another spelling is another field":        {`{"A":1}`, mask(source.Null), ``},
		"two masks for one field are refused":      {`{"a":1}`, append(mask(source.Null), mask(source.Preserve)...), ``},
		"an unknown way is refused":                {`{"a":1}`, mask("blur"), ``},
		"no way is refused":                        {`{"a":1}`, mask(""), ``},
		"a list is not masked":                     {`[1]`, mask(source.Null), ``},
		"null is not masked":                       {`null`, mask(source.Null), ``},
		"what is not JSON is not masked":           {`{"a":`, mask(source.Null), ``},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := source.MaskObject(json.RawMessage(test.object), test.masks, key)
			if string(got) != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, source.ErrRefused) {
				t.Errorf("%s, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestAKeyedHashNeedsAKey(t *testing.T) {
	t.Parallel()
	masks := []source.Mask{{Field: "a", How: source.KeyedHash}}
	for _, key := range []string{"", "fifteen bytes .."[:15]} {
		if got, err := source.MaskObject(json.RawMessage(`{"a":"Ada"}`), masks, []byte(key)); !errors.Is(err, source.ErrRefused) {
			t.Errorf("a key of %d bytes: %s, %v", len(key), got, err)
		}
	}
}

func TestMaskErrorsRepeatNothing(t *testing.T) {
	t.Parallel()
	for _, object := range []string{`{"ada@example.org":1}`, `"ada@example.org"`, `{"x":"ada@example.org"}`} {
		if _, err := source.MaskObject(json.RawMessage(object), nil, nil); err == nil || strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: %v", object, err)
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{-1: 500, 0: 500, 1: 1, 500: 500, 1000: 1000, 1001: 1000} {
		if got := source.Size(limit); got != want {
			t.Errorf("Size(%d) = %d, want %d", limit, got, want)
		}
	}
}
