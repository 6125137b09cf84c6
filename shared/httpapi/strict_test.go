package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

type strictBody struct {
	submission
	Channel string          `json:"channel"`
	At      time.Time       `json:"at"`
	Stops   map[string]bool `json:"stops"`
}

func TestOneJSONObjectAndNothingElse(t *testing.T) {
	t.Parallel()
	good := []string{`{}`, ` {"right":"access"} `, `{"person":{"email":"a"},"corrections":[{"field":"x","value":"y"},{"field":"x","value":"z"}],"channel":"post"}`, "{\"right\":\"\\u0061\"}\n"}
	bad := map[string]string{
		"nothing":                         " ",
		"null":                            "null",
		"a list":                          "[]",
		"a number":                        "1",
		"a text":                          `"x"`,
		"cut short":                       `{"right":`,
		"two objects":                     `{}{}`,
		"something after it":              `{} x`,
		"a bracket after it":              `{}]`,
		"a brace after it":                `{}}`,
		"an unknown key":                  `{"rihgt":"access"}`,
		"a key that looks like another":   `{"Right":"access"}`,
		"a key with a long s":             `{"reſidence":"FR"}`,
		"a key twice":                     `{"right":"access","right":"erasure"}`,
		"a key twice, once written apart": `{"right":"access","\u0072ight":"erasure"}`,
		"a key twice, deeper":             `{"person":{"email":"a","email":"b"}}`,
		"a key twice, in a list":          `{"corrections":[{"field":"a","field":"b"}]}`,
		"a time that is none":             `{"at":"2026-02-30T00:00:00Z"}`,
		"another type":                    `{"right":1}`,
		"another type, deeper":            `{"person":[]}`,
		"an empty key":                    `{"":1}`,
		"a key of the embedded struct":    `{"submission":{"right":"access"}}`,
		"nested without end":              strings.Repeat(`{"person":`, 100) + "{}" + strings.Repeat("}", 100),
		"nested lists":                    `{"corrections":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
		"no JSON":                         `{right:'access'}`,
		"a comment":                       `{} // thanks`,
	}
	for _, s := range good {
		var v strictBody
		if err := strict([]byte(s), &v); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for name, s := range bad {
		var v strictBody
		if err := strict([]byte(s), &v); err == nil {
			t.Errorf("%s was taken: %.60s", name, s)
		} else if f := classify(err); statusOf[f.Kind] != 400 {
			t.Errorf("%s is answered with %d", name, statusOf[f.Kind])
		}
	}
}

func TestAWrongTypeIsNamedByItsPlaceAndNotByOurs(t *testing.T) {
	t.Parallel()
	for body, pointer := range map[string]string{
		`{"right":1}`: "/right", `{"person":{"email":1}}`: "/person/email", `{"person":1}`: "/person", `{"channel":{}}`: "/channel",
		`{"corrections":[{"field":"a"},{"field":1}]}`: "/corrections/1/field", `{"corrections":[{"field":"a","feild":1}]}`: "/corrections/0/feild",
		`{"corrections":{}}`: "/corrections", `{"person":{"identities":[{"type":"a","type":"b"}]}}`: "/person/identities/0/type",
		`{"a/b~":1}`: "/a~1b~0", `{"at":"soon"}`: "/at", `{"at":1}`: "/at", `{"stops":{"a":1}}`: "/stops/a", `{"corrections":[null,1]}`: "/corrections/1",
	} {
		var v strictBody
		f := classify(strict([]byte(body), &v))
		if len(f.Fields) != 1 || f.Fields[0].Pointer != pointer || strings.Contains(f.Fields[0].Text, "httpapi") {
			t.Errorf("%s is refused with %+v, want the pointer %s", body, f.Fields, pointer)
		}
	}
}

// FuzzStrict looks for a body that two readers would take for different things.
func FuzzStrict(f *testing.F) {
	for _, s := range []string{`{}`, access, `{"right":"a","right":"b"}`, `{"corrections":[{"field":"x"}]}`, `{}{}`, "null", `{"details":"\ud800"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var first strictBody
		if strict([]byte(body), &first) != nil {
			return
		}
		if !json.Valid([]byte(body)) || !strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "{") {
			t.Errorf("%q is no JSON object", body)
		}
		again, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		var second strictBody
		if err := strict(again, &second); err != nil {
			t.Errorf("%q was taken, and what it says, %q, is not: %v", body, again, err)
		}
	})
}
