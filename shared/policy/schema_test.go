package policy_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"rightsdesk/shared/policy"
)

func schema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(policy.Schema))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", document); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// plain returns a YAML node as JSON would have it: dates are texts, as editors see them.
func plain(tb testing.TB, n *yaml.Node) any {
	tb.Helper()
	if n.Kind == yaml.MappingNode {
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(tb, n.Content[i+1])
		}
		return m
	}
	if n.Kind == yaml.SequenceNode {
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(tb, c))
		}
		return list
	}
	if n.Kind == yaml.AliasNode {
		return plain(tb, n.Alias)
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		return json.Number(n.Value)
	}
	return n.Value
}

func tree(tb testing.TB, file []byte) *yaml.Node {
	tb.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil {
		tb.Fatal(err)
	}
	return document.Content[0]
}

func TestTheSchemaAcceptsEveryPolicyOfOurs(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for name, file := range files(t) {
		if err := s.Validate(plain(t, tree(t, file))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaRefusesWhatAnEditorShouldShow(t *testing.T) {
	t.Parallel()
	s, whole := schema(t), read(t, "testdata/whole.yaml")
	for _, b := range bad {
		file := edited(t, whole, b.old, b.with)
		var document yaml.Node
		if yaml.Unmarshal(file, &document) != nil {
			continue // an editor shows that without a schema
		}
		if err := s.Validate(plain(t, document.Content[0])); (err != nil) != b.bySchema {
			t.Errorf("%s: refused by the schema: %v, want %v (%v)", b.name, err != nil, b.bySchema, err)
		}
	}
}

// The reading code is the list of the keys there are; the schema repeats it.
// Here every mapping of whole.yaml gets a key that does not exist, and what the
// message then says is allowed must be what the schema says.
func TestTheSchemaHasTheKeysThatAreRead(t *testing.T) {
	t.Parallel()
	var root map[string]any
	if err := json.Unmarshal(policy.Schema, &root); err != nil {
		t.Fatal(err)
	}
	whole := read(t, "testdata/whole.yaml")
	w := &keyWalk{t: t, root: root, seen: map[string]bool{}, declared: map[string]bool{}}
	document := tree(t, whole)
	w.walk(document, document, root, "", "")
	for key := range w.declared {
		if !w.seen[key] {
			t.Errorf("whole.yaml does not use the key %s", key)
		}
	}
}

type keyWalk struct {
	t        *testing.T
	root     map[string]any
	seen     map[string]bool // keys that whole.yaml uses, with * for ids
	declared map[string]bool // keys that the schema has
}

func (w *keyWalk) walk(document, n *yaml.Node, s map[string]any, path, kind string) {
	s = w.resolve(s, n.Kind)
	if n.Kind == yaml.SequenceNode {
		items, _ := s["items"].(map[string]any)
		for i, c := range n.Content {
			w.walk(document, c, items, path+"["+strconv.Itoa(i)+"]", kind)
		}
	}
	if n.Kind == yaml.MappingNode {
		properties, fixed := s["properties"].(map[string]any)
		more, _ := s["additionalProperties"].(map[string]any)
		if fixed {
			w.compare(document, n, properties, path)
			for key := range properties {
				w.declared[kind+"."+key] = true
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			child, ok := properties[key].(map[string]any)
			below := kind + "." + key
			if ok {
				w.seen[below] = true
			} else {
				child = more
			}
			if !ok || kind == ".rights" { // the rights have the same keys, but for cooling
				below = kind + ".*"
			}
			if child == nil {
				w.t.Errorf("the schema does not know %s.%s", path, key)
				continue
			}
			w.walk(document, n.Content[i+1], child, strings.TrimPrefix(path+"."+key, "."), below)
		}
	}
}

// resolve follows references, and of a text takes the branch for several languages.
func (w *keyWalk) resolve(s map[string]any, kind yaml.Kind) map[string]any {
	for {
		if name, ok := s["$ref"].(string); ok {
			s = w.root["$defs"].(map[string]any)[strings.TrimPrefix(name, "#/$defs/")].(map[string]any)
			continue
		}
		if branches, ok := s["anyOf"].([]any); ok && kind == yaml.MappingNode {
			s = branches[len(branches)-1].(map[string]any)
			continue
		}
		return s
	}
}

func (w *keyWalk) compare(document, n *yaml.Node, properties map[string]any, path string) {
	style, content := n.Style, n.Content
	n.Content = append(slices.Clone(content), &yaml.Node{Kind: yaml.ScalarNode, Value: "zzz"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "1"})
	file, err := yaml.Marshal(document)
	n.Content, n.Style = content, style
	if err != nil {
		w.t.Fatal(err)
	}
	want := strings.TrimPrefix(path+".zzz", ".")
	for _, p := range problems(w.t, file) {
		if p.Path == want {
			_, allowed, _ := strings.Cut(p.Text, "allowed here: ")
			got := slices.Sorted(slices.Values(strings.Split(allowed, ", ")))
			if keys := slices.Sorted(maps.Keys(properties)); !slices.Equal(got, keys) {
				w.t.Errorf("%s: the reader knows %v, the schema %v", path, got, keys)
			}
			return
		}
	}
	w.t.Errorf("%s was accepted", want)
}

// schemaKeys returns the names of all properties in a schema.
func schemaKeys(s any) map[string]bool {
	keys := map[string]bool{}
	switch s := s.(type) {
	case map[string]any:
		if properties, ok := s["properties"].(map[string]any); ok && s["type"] == "object" {
			for key := range properties {
				keys[key] = true
			}
		}
		for _, v := range s {
			maps.Copy(keys, schemaKeys(v))
		}
	case []any:
		for _, v := range s {
			maps.Copy(keys, schemaKeys(v))
		}
	}
	return keys
}

func TestTheReferenceExplainsEveryKey(t *testing.T) {
	t.Parallel()
	var root map[string]any
	if err := json.Unmarshal(policy.Schema, &root); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	for key := range schemaKeys(root) {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("docs/policy.md does not explain `%s`", key)
		}
	}
}

func TestTheSchemaStatesTheDefaults(t *testing.T) {
	t.Parallel()
	var root map[string]any
	if err := json.Unmarshal(policy.Schema, &root); err != nil {
		t.Fatal(err)
	}
	// Written into the smallest policy, the schema's defaults must change nothing.
	p := parse(t, read(t, "testdata/smallest.yaml"))
	var file strings.Builder
	file.Write(read(t, "testdata/smallest.yaml"))
	for _, section := range []string{"operators", "verification", "signals", "retention"} {
		file.WriteString(section + ":\n")
		for key, s := range root["properties"].(map[string]any)[section].(map[string]any)["properties"].(map[string]any) {
			if d, ok := s.(map[string]any)["default"]; ok {
				b, _ := json.Marshal(d) // it came from JSON
				file.WriteString("  " + key + ": " + string(b) + "\n")
			}
		}
	}
	q := parse(t, []byte(file.String()))
	pj, _ := json.Marshal([]any{p.Operators, p.Verification, p.Signals, p.Retention}) // plain structs
	qj, _ := json.Marshal([]any{q.Operators, q.Verification, q.Signals, q.Retention})
	if !bytes.Equal(pj, qj) {
		t.Errorf("by default %s, by the schema's defaults %s", pj, qj)
	}
}
