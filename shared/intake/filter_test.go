package intake_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/policy"
)

func decode(tb testing.TB, text string) map[string]any {
	tb.Helper()
	var fields map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		tb.Fatal(err)
	}
	return fields
}

func encode(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestOnlyWhatIsNeededIsKept(t *testing.T) {
	t.Parallel()
	in := policy.Intake{Keep: []string{"users", "product.version", "connections.type", "tags"}, Unknown: policy.DropField}
	for name, tt := range map[string]struct{ from, kept, dropped string }{
		"all of it is needed":           {`{"users":7,"product":{"version":"2"}}`, `{"product":{"version":"2"},"users":7}`, ""},
		"a field nobody named":          {`{"users":7,"owner":"Ada"}`, `{"users":7}`, "owner"},
		"a field within an object":      {`{"product":{"version":"2","owner":"Ada"}}`, `{"product":{"version":"2"}}`, "product.owner"},
		"objects in a list":             {`{"connections":[{"type":"sql","host":"db1"},{"type":"web","host":"db2"}]}`, `{"connections":[{"type":"sql"},{"type":"web"}]}`, "connections.host"},
		"a list of values":              {`{"tags":["a","b"]}`, `{"tags":["a","b"]}`, ""},
		"an empty list":                 {`{"tags":[]}`, `{"tags":[]}`, ""},
		"nothing that is needed":        {`{"owner":{"name":"Ada","mail":"ada@example.org"}}`, `{}`, "owner"},
		"an object where a value was":   {`{"users":{"names":["Ada"]}}`, `{}`, "users.names"},
		"a value where an object was":   {`{"product":"2 of Ada"}`, `{}`, "product"},
		"values among objects":          {`{"connections":["Ada",{"type":"sql"}]}`, `{"connections":[{"type":"sql"}]}`, "connections"},
		"an object in a list of values": {`{"tags":["a",{"name":"Ada"}]}`, `{"tags":["a"]}`, "tags.name"},
		"a name with a dot":             {`{"product.version":"2"}`, `{}`, "product.version"},
		"a name in capitals":            {`{"Users":7}`, `{}`, "Users"},
		"no fields at all":              {`{}`, `{}`, ""},
		"nothing in an object":          {`{"product":{}}`, `{}`, ""},
		"null":                          {`{"users":null}`, `{"users":null}`, ""},
		"a large number":                {`{"users":12345678901234567890}`, `{"users":12345678901234567890}`, ""},
	} {
		fields := decode(t, tt.from)
		kept, dropped, err := intake.Filter(in, fields)
		if err != nil || encode(t, kept) != tt.kept || strings.Join(dropped, " ") != tt.dropped {
			t.Errorf("%s: kept %s, dropped %v, %v; want %s and %q", name, encode(t, kept), dropped, err, tt.kept, tt.dropped)
		}
		if !reflect.DeepEqual(fields, decode(t, tt.from)) {
			t.Errorf("%s: what arrived was changed", name)
		}
	}
}

func TestWhatNobodyNeedsIsRefusedWhereThePolicySaysSo(t *testing.T) {
	t.Parallel()
	in := policy.Intake{Keep: []string{"email", "address.city"}, Unknown: policy.RefuseField}
	kept, dropped, err := intake.Filter(in, decode(t, `{"email":"ada@example.org","birthday":"1815-12-10","address":{"city":"London","st/reet":"x"}}`))
	if kept != nil || dropped != nil || !errors.Is(err, intake.ErrUnneeded) {
		t.Fatalf("kept %v, dropped %v, %v", kept, dropped, err)
	}
	if got := pointers(err); got != "/address/* /birthday" {
		t.Errorf("the error points at %s", got)
	}
	if _, _, err := intake.Filter(in, decode(t, `{"email":"ada@example.org","address":{"city":"London"}}`)); err != nil {
		t.Errorf("what is needed is refused: %v", err)
	}
	// A way that this version does not know lets nothing through.
	in.Unknown = ""
	if _, _, err := intake.Filter(in, decode(t, `{"birthday":"1815-12-10"}`)); !errors.Is(err, intake.ErrUnneeded) {
		t.Errorf("without a way: %v", err)
	}
}

func pointers(err error) string {
	f, _ := errors.AsType[*fault.Error](err)
	var list []string
	for _, field := range f.Fields {
		list = append(list, field.Pointer)
	}
	return strings.Join(list, " ")
}

// Numbers here are the schemes' own test numbers.
func TestACardNumberIsRefusedWhereverItStands(t *testing.T) {
	t.Parallel()
	in := policy.Intake{Keep: []string{"note", "card", "list"}, Unknown: policy.DropField, Refuse: []policy.Forbidden{policy.CardNumbers}}
	for _, text := range []string{
		`{"note":"4111111111111111"}`, `{"note":4111111111111111}`, `{"note":"4111 1111 1111 1111"}`, `{"note":"4111-1111-1111-1111"}`,
		`{"note":"please charge 4111 1111 1111 1111, valid 12/29"}`, `{"note":"378282246310005"}`, `{"note":"3782 822463 10005"}`,
		`{"note":"30569309025904"}`, `{"note":"5555555555554444"}`, `{"note":"2223003122003222"}`, `{"note":"6011111111111117"}`,
		`{"note":"3566002020360505"}`, `{"note":"4222222222222"}`, `{"note":"6304000000000000"}`, `{"note":"6205500000000000004"}`,
		`{"note":"4111 1111 1111 1111 12"}`, `{"note":"no. 17 4111 1111 1111 1111"}`,
		`{"note":"４１１１１１１１１１１１１１１１"}`, `{"note":"4111\u00a01111\u00a01111\u00a01111"}`,
		`{"unwanted":"4111111111111111"}`, `{"unwanted":{"deep":["4111111111111111"]}}`, `{"list":["a","4111111111111111"]}`,
		`{"4111111111111111":"x"}`, `{"unwanted":{"4111111111111111":1}}`, `{"note":4.111111111111111e15}`,
		`{"card_1":"4111","card_2":"1111","card_3":"1111","card_4":"1111"}`, `{"note":"4111.1111.1111.1111"}`,
	} {
		kept, dropped, err := intake.Filter(in, decode(t, text))
		if kept != nil || dropped != nil || !errors.Is(err, intake.ErrForbidden) {
			t.Errorf("%s: kept %v, dropped %v, %v", text, kept, dropped, err)
			continue
		}
		if f, _ := errors.AsType[*fault.Error](err); strings.Contains(encode(t, f), "1111") {
			t.Errorf("%s: the error repeats it: %s", text, encode(t, f))
		}
	}
	for _, text := range []string{
		`{"note":"4111111111111112"}`, `{"note":"411111111111"}`, `{"note":"1767225600000"}`, `{"note":1767225600000123}`,
		`{"note":"41111111111111111111111"}`, `{"note":"2026-03-05T10:11:12.123456789Z"}`, `{"note":"+49 30 1234567"}`,
		`{"note":"FR76 3000 6000 0112 3456 7890 189"}`, `{"note":"4111  1111  1111  1111"}`, `{"note":"0000000000000000"}`,
	} {
		if _, _, err := intake.Filter(in, decode(t, text)); err != nil {
			t.Errorf("%s is refused: %v", text, err)
		}
	}
	// A channel that does not say so takes it.
	in.Refuse = nil
	if _, _, err := intake.Filter(in, decode(t, `{"note":"4111111111111111"}`)); err != nil {
		t.Errorf("refused without a word in the policy: %v", err)
	}
}

func TestAPositionIsRefusedUnlessItIsRough(t *testing.T) {
	t.Parallel()
	in := policy.Intake{Keep: []string{"city", "lat", "lon", "where", "place.lat"}, Unknown: policy.DropField, Refuse: []policy.Forbidden{policy.PrecisePositions}}
	for _, text := range []string{
		`{"lat":48.8566,"lon":2.3522}`, `{"lat":"48.8566"}`, `{"lat":"48,8566"}`, `{"Latitude":48.85}`, `{"gps_lng":2.35}`, `{"where":"48.8566, 2.3522"}`,
		`{"where":"geo:48.8566,2.3522"}`, `{"where":"+48.8577+002.295/"}`, `{"where":"48°51'24\"N 2°21'08\"E"}`, `{"coordinates":[2.3522,48.8566]}`,
		`{"place":{"lat":48.8566}}`, `{"where":{"geohash":"u09tvw0"}}`, `{"unwanted":{"position":{"start_latitude":48.8566}}}`, `{"where":"48.8566°"}`,
	} {
		if _, _, err := intake.Filter(in, decode(t, text)); !errors.Is(err, intake.ErrForbidden) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		`{"lat":48.9,"lon":2.4}`, `{"city":"Paris"}`, `{"lat":48}`, `{"where":"it cost 12.50, then 13.75"}`, `{"where":"v1.25"}`, `{"coordinates":[2.4,48.9]}`,
		`{"where":{"geohash":"u09t"}}`, `{"ratios":[0.251,0.372]}`, `{"where":"999.123, 555.123"}`,
	} {
		if _, _, err := intake.Filter(in, decode(t, text)); err != nil {
			t.Errorf("%s is refused: %v", text, err)
		}
	}
}

func TestNumbersOfOfficialPapersAreRefused(t *testing.T) {
	t.Parallel()
	in := policy.Intake{Keep: []string{"note"}, Unknown: policy.DropField, Refuse: []policy.Forbidden{policy.GovernmentIDs}}
	for _, text := range []string{
		`{"note":"my number is 123-45-6789"}`, `{"passport_number":"X123"}`, `{"a":{"SSN":"1"}}`, `{"note":"AB 12 34 56 C"}`, `{"note":"130 692 544"}`,
		`{"note":"1 84 12 76 451 089 46"}`, `{"note":"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"}`, `{"driver-licence":"D1"}`,
	} {
		if _, _, err := intake.Filter(in, decode(t, text)); !errors.Is(err, intake.ErrForbidden) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"note":"123 456 789"}`, `{"note":"2026-03-05"}`, `{"passport_number":""}`, `{"note":"130692544"}`, `{"note":"order 123-456-7890"}`} {
		if _, _, err := intake.Filter(in, decode(t, text)); err != nil {
			t.Errorf("%s is refused: %v", text, err)
		}
	}
}

func TestWhatIsNestedWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	in := policy.Intake{Keep: []string{"a"}, Unknown: policy.DropField}
	for _, text := range []string{
		strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
		`{"b":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
	} {
		if _, _, err := intake.Filter(in, decode(t, text)); err == nil {
			t.Errorf("%.20s... is taken", text)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,{"c":"4111 1111 1111 1111"}]},"lat":1.234}`))
	f.Add([]byte(`{"":{"":[[]]}}`))
	in := policy.Intake{
		Keep: []string{"a.b", "c"}, Unknown: policy.DropField,
		Refuse: []policy.Forbidden{policy.CardNumbers, policy.PrecisePositions, policy.GovernmentIDs},
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var fields map[string]any
		if json.Unmarshal(b, &fields) != nil {
			return
		}
		kept, _, err := intake.Filter(in, fields)
		if err != nil {
			return
		}
		// What is kept is kept whole when it arrives again.
		again, dropped, err := intake.Filter(in, kept)
		if err != nil || len(dropped) > 0 || !reflect.DeepEqual(kept, again) {
			t.Fatalf("%v became %v, dropped %v, %v", kept, again, dropped, err)
		}
	})
}
