package httpapi

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/retention"
	"rightsdesk/shared/topology"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// The page is compared with the program here; the answers of the running
// product are compared with the page in infra/local.

type object = map[string]any

func openapi(t *testing.T) object {
	t.Helper()
	b, err := os.ReadFile("../../docs/api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc object
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at returns what stands at a path of keys.
func at(t *testing.T, v any, keys ...string) any {
	t.Helper()
	for _, k := range keys {
		o, ok := v.(object)
		if !ok || o[k] == nil {
			t.Fatalf("openapi.yaml has nothing at %v", keys)
		}
		v = o[k]
	}
	return v
}

// operations visits every operation by its pattern, as the topology spells it.
func operations(t *testing.T, doc object, visit func(pattern string, op object)) {
	t.Helper()
	for path, item := range at(t, doc, "paths").(object) {
		for method, op := range item.(object) {
			if method != "parameters" {
				visit(strings.ToUpper(method)+" "+path, op.(object))
			}
		}
	}
}

func TestEveryRouteIsInTheAPIPage(t *testing.T) {
	t.Parallel()
	callers := map[topology.Caller]string{
		topology.Anyone: "Anyone", topology.SignedLink: "SignedLink", topology.Person: "Person",
		topology.App: "App", topology.Browser: "Browser", topology.Operator: "Operator",
	}
	credentials := map[topology.Caller]string{
		topology.Person: "session", topology.App: "app", topology.Browser: "app", topology.Operator: "operator",
	}
	routes := map[string]topology.Route{}
	for _, fn := range topology.All {
		for _, r := range fn.Routes {
			routes[r.Pattern] = r
		}
	}
	ids := map[string]bool{}
	operations(t, openapi(t), func(pattern string, op object) {
		r, ok := routes[pattern]
		if !ok {
			t.Errorf("openapi.yaml has %q, which is no route of the topology", pattern)
			return
		}
		delete(routes, pattern)
		if op["x-caller"] != callers[r.Caller] {
			t.Errorf("%s: x-caller is %v, the topology says %s", pattern, op["x-caller"], callers[r.Caller])
		}
		var schemes []string
		if list, ok := op["security"].([]any); ok {
			for _, s := range list {
				schemes = append(schemes, slices.Collect(maps.Keys(s.(object)))...)
			}
		}
		want := []string{}
		if c := credentials[r.Caller]; c != "" {
			want = append(want, c)
		}
		if strings.HasPrefix(r.Path(), "/v1/preferences") && r.Caller == topology.Person {
			want = []string{"preferences"}
		}
		if !slices.Equal(schemes, want) {
			t.Errorf("%s: security is %v, want %v", pattern, schemes, want)
		}
		responses := op["responses"].(object)
		if len(want) > 0 {
			if responses["401"] == nil {
				t.Errorf("%s: the page does not say that it may answer 401", pattern)
			}
		}
		id, _ := op["operationId"].(string)
		if id == "" || ids[id] {
			t.Errorf("%s: the operationId %q is missing or stands twice", pattern, id)
		}
		ids[id] = true
		if op["summary"] == nil || len(op["tags"].([]any)) == 0 {
			t.Errorf("%s has no summary or no tag", pattern)
		}
	})
	for pattern := range routes {
		t.Errorf("openapi.yaml lacks %q", pattern)
	}
}

// code is a fault as the program declares it.
type code struct {
	kind   string // "Invalid"
	inside bool   // an unexported fault of the domain: it shows as a step's fault, not as a problem
}

// codes returns every code that the program's source makes a fault of.
func codes(t *testing.T) map[string]code {
	t.Helper()
	found := map[string]code{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		var name string
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				name = n.Names[0].Name
			case *ast.FuncDecl:
				name = ""
			case *ast.CallExpr:
				sel, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != "New" || len(n.Args) != 3 {
					return true
				}
				pkg, _ := sel.X.(*ast.Ident)
				kind, _ := n.Args[0].(*ast.SelectorExpr)
				if pkg == nil || pkg.Name != "fault" || kind == nil {
					return true
				}
				lit, ok := n.Args[1].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s makes a fault whose code is no literal", path)
					return true
				}
				if file.Name.Name == "consent" && strings.HasPrefix(name, "err") {
					return true // why a source was not told: the log has it
				}
				text, _ := strconv.Unquote(lit.Value)
				found[text] = code{kind.Sel.Name, file.Name.Name == "request" && strings.HasPrefix(name, "err")}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found[fault.Input().Code] = code{kind: "Invalid"}
	return found
}

func texts(list any) []string {
	var out []string
	for _, v := range list.([]any) {
		out = append(out, v.(string))
	}
	return out
}

func TestEveryCodeIsInTheAPIPage(t *testing.T) {
	t.Parallel()
	doc := openapi(t)
	kinds := map[string]fault.Kind{
		"Internal": fault.Internal, "Invalid": fault.Invalid, "Unauthenticated": fault.Unauthenticated, "Forbidden": fault.Forbidden,
		"NotFound": fault.NotFound, "Conflict": fault.Conflict, "Gone": fault.Gone, "TooLarge": fault.TooLarge, "Mismatch": fault.Mismatch,
		"TooMany": fault.TooMany, "Unavailable": fault.Unavailable,
	}
	problems := texts(at(t, doc, "components", "schemas", "Code", "enum"))
	inside := texts(at(t, doc, "components", "schemas", "StepFault", "enum"))
	answers := map[string]string{} // code -> name of the response that lists it
	for name, r := range at(t, doc, "components", "responses").(object) {
		if list, ok := r.(object)["x-codes"]; ok {
			for _, c := range texts(list) {
				answers[c] = name
			}
		}
	}
	made := codes(t)
	for c, of := range made {
		switch {
		case of.inside && !slices.Contains(inside, c):
			t.Errorf("StepFault lacks %q", c)
		case !of.inside && !slices.Contains(problems, c):
			t.Errorf("Code lacks %q", c)
		case !of.inside && answers[c] != of.kind:
			t.Errorf("%q stands at the response %q, its kind is %s", c, answers[c], of.kind)
		}
	}
	for _, c := range problems {
		if of, ok := made[c]; !ok || of.inside {
			t.Errorf("Code lists %q, which the program never answers", c)
		}
	}
	// A response stands under the status that its kind of fault gets.
	operations(t, doc, func(pattern string, op object) {
		for status, r := range op["responses"].(object) {
			ref, _ := r.(object)["$ref"].(string)
			kind, ok := kinds[strings.TrimPrefix(ref, "#/components/responses/")]
			if ok && strconv.Itoa(statusOf[kind]) != status {
				t.Errorf("%s: %s stands under %s, want %d %s", pattern, ref, status, statusOf[kind], http.StatusText(statusOf[kind]))
			}
		}
	})
}

func TestTheAPIPagesListsAreThePrograms(t *testing.T) {
	t.Parallel()
	schemas := at(t, openapi(t), "components", "schemas")
	lists := map[string][]string{}
	for _, r := range policy.AllRights {
		lists["Right"] = append(lists["Right"], string(r))
	}
	for _, s := range request.Statuses {
		lists["Status"] = append(lists["Status"], string(s))
	}
	for _, r := range words.Results {
		lists["Result"] = append(lists["Result"], string(r))
	}
	for _, c := range consent.Choices {
		lists["Choice"] = append(lists["Choice"], string(c))
	}
	lists["ClosingStatus"], lists["RuleStatus"] = each(closure.Statuses), each(retention.Statuses)
	lists["HoldStatus"], lists["HoldScope"], lists["EventType"] = each(hold.Statuses), each(hold.Scopes), each(lifecycle.Types)
	for name, want := range lists {
		if got := texts(at(t, schemas, name, "enum")); !slices.Equal(got, want) {
			t.Errorf("%s lists %v, the program has %v", name, got, want)
		}
	}
}

func each[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// TestTheAPIPagesFieldsAreThePrograms compares schemas with the types that are
// written and read, field by field: an answer that no test ever saw is covered too.
func TestTheAPIPagesFieldsAreThePrograms(t *testing.T) {
	t.Parallel()
	doc := openapi(t)
	for name, v := range map[string]any{
		"Receipt": taken{}, "Seen": seen{}, "Problem": problem{}, "Publication": policy.Publication{}, "Captured": captured{}, "Verdict": decision{},
		"Choices": offers{}, "Wording": worded{}, "Standing": standing{}, "ConsentEntry": entry{}, "Halt": halted{},
		"ClosingTaken": closeTaken{}, "ClosingAccount": closingAccount{}, "ClosingBanner": closingBanner{}, "GuardedOne": guarded{}, "Rule": sweeping{},
		"Hold": held{}, "Salts": salts{}, "Replay": replayed{}, "EventTaken": became{}, "Needed": needed{}, "Arrived": arrived{},
		"PolicyEdition": issue{}, "PolicyFlaw": flaw{}, "PolicyMissing": lacking{},
	} {
		sameFields(t, doc, name, reflect.TypeOf(v), at(t, doc, "components", "schemas", name).(object), false)
	}
	for name, v := range map[string]any{
		"Submission": submission{}, "Consents": capturing{}, "Decisions": asking{}, "Asking": question{}, "Preferring": preferring{},
		"Chosen": chosen{}, "SignalsSent": signals{}, "Identity": identity{}, "Placing": placing{}, "AppEvent": happened{},
	} {
		sameFields(t, doc, name, reflect.TypeOf(v), at(t, doc, "components", "schemas", name).(object), true)
	}
	lines := at(t, doc, "components", "schemas", "Importing", "properties", "lines", "items").(object)
	sameFields(t, doc, "Importing", reflect.TypeFor[importing](), lines, true)
	sameFields(t, doc, "List", reflect.TypeFor[listed](), at(t, doc, "components", "schemas", "List", "properties", "requests", "items").(object), false)
}

func sameFields(t *testing.T, doc object, where string, of reflect.Type, schema object, input bool) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = at(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(object)
	}
	switch {
	case of == reflect.TypeFor[time.Time]():
		if schema["format"] != "date-time" {
			t.Errorf("%s is a time, the page says %v", where, schema)
		}
		return
	case of.Kind() == reflect.Pointer:
		sameFields(t, doc, where, of.Elem(), schema, input)
		return
	case of.Kind() == reflect.Slice:
		items, ok := schema["items"].(object)
		if !ok {
			t.Errorf("%s is a list, the page says %v", where, schema)
			return
		}
		sameFields(t, doc, where, of.Elem(), items, input)
		return
	case of.Kind() != reflect.Struct || reflect.PointerTo(of).Implements(reflect.TypeFor[json.Marshaler]()):
		return
	}
	properties, _ := schema["properties"].(object)
	var names, required []string
	for _, f := range reflect.VisibleFields(of) {
		if f.Anonymous {
			continue // its fields stand beside the others
		}
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
		if rest == "" {
			required = append(required, name)
		}
		p, ok := properties[name].(object)
		if !ok {
			t.Errorf("the page lacks the field %s of %s", name, where)
			continue
		}
		sameFields(t, doc, where+"/"+name, f.Type, p, input)
	}
	for name := range properties {
		if !slices.Contains(names, name) {
			t.Errorf("%s has no field %s, the page has", where, name)
		}
	}
	if input {
		return // which input is required, the domain says
	}
	var said []string
	if list, ok := schema["required"]; ok {
		said = texts(list)
	}
	slices.Sort(said)
	slices.Sort(required)
	if !slices.Equal(said, required) {
		t.Errorf("%s always has %v, the page says %v", where, required, said)
	}
}

// TestTheAPIPagesExamplesFit compares every example with its schema.
func TestTheAPIPagesExamplesFit(t *testing.T) {
	t.Parallel()
	doc := openapi(t)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", plain(doc)); err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(v any, pointer string)
	walk = func(v any, pointer string) {
		switch v := v.(type) {
		case []any:
			for i, e := range v {
				walk(e, pointer+"/"+strconv.Itoa(i))
			}
		case object:
			var examples []any
			if e, ok := v["example"]; ok {
				examples = append(examples, e)
			}
			if named, ok := v["examples"].(object); ok && v["schema"] != nil {
				for _, e := range named {
					examples = append(examples, e.(object)["value"])
				}
			}
			if v["schema"] != nil && len(examples) > 0 {
				s, err := c.Compile("openapi.json#" + pointer + "/schema")
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range examples {
					n++
					if err := s.Validate(plain(e)); err != nil {
						t.Errorf("%s: %v", pointer, err)
					}
				}
			}
			for k, e := range v {
				walk(e, pointer+"/"+strings.ReplaceAll(strings.ReplaceAll(k, "~", "~0"), "/", "~1"))
			}
		}
	}
	walk(doc, "")
	if n < 20 {
		t.Errorf("only %d examples were found", n)
	}
}

// plain turns what the YAML decoder made into what a JSON decoder makes.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case int:
		return float64(v)
	}
	return v
}
