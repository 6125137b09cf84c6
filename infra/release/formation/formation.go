// Package formation reads a CloudFormation template back: which resources it makes
// under which parameters, what they refer to, and what their roles may do. All that is
// written about an installation comes from here, so that it cannot say anything else
// than what is deployed.
//
// It imports the standard library only. It knows as much of CloudFormation as our own
// templates use, and refuses the rest by name.
package formation

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Template is what CloudFormation is given.
type Template struct {
	Description string
	Metadata    map[string]any
	Parameters  map[string]Parameter
	Rules       map[string]any
	Mappings    map[string]any
	Conditions  map[string]any
	Resources   map[string]Resource
	Outputs     map[string]Output
}

// Parameter is what the operator may say.
type Parameter struct {
	Type                  string
	Default               any
	Description           string
	AllowedValues         []any
	AllowedPattern        string
	ConstraintDescription string
	NoEcho                any
	MinLength             any
}

// Output is what the stack tells in the end.
type Output struct {
	Description string
	Value       any
	Condition   string
}

// Resource is one thing that the stack makes.
type Resource struct {
	Type                string
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Properties          map[string]any
	Metadata            map[string]any
	DependsOn           any
}

// Parse reads a template.
func Parse(b []byte) (*Template, error) {
	t := &Template{}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("formation: this is not a template in JSON: %w", err)
	}
	if len(t.Resources) == 0 {
		return nil, fmt.Errorf("formation: this template has no Resources: give the file that CloudFormation is given")
	}
	return t, nil
}

// Read reads the template in a file.
func Read(path string) (*Template, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	t, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// All returns the logical ids of the resources of a type, sorted.
func (t *Template) All(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if t.Resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// Types returns every type of resource, once each, sorted.
func (t *Template) Types() []string {
	seen := map[string]bool{}
	for _, r := range t.Resources {
		seen[r.Type] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

var digits = regexp.MustCompile(`[0-9A-F]{8}$`)

// Plain is a logical id without the digits that the CDK puts behind it.
func Plain(id string) string { return digits.ReplaceAllString(id, "") }

// At walks into decoded JSON: names into objects, numbers into lists. What is not
// there is nil.
func At(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// List returns a list; CloudFormation takes a list of one without its brackets.
func List(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// Text returns a string, and "" of all else.
func Text(v any) string { s, _ := v.(string); return s }

// intrinsic takes {"Fn::Join": x} apart.
func intrinsic(v any) (name string, argument any, ok bool) {
	m, isMap := v.(map[string]any)
	if !isMap || len(m) != 1 {
		return "", nil, false
	}
	for name, argument = range m {
		if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
			return name, argument, true
		}
	}
	return "", nil, false
}

// Refers returns the logical ids and parameters that a value refers to, sorted.
func Refers(v any) []string {
	seen := map[string]bool{}
	refer(v, seen)
	return slices.Sorted(maps.Keys(seen))
}

var inSub = regexp.MustCompile(`\$\{([A-Za-z0-9:]+)(\.[A-Za-z0-9.]+)?\}`)

func refer(v any, seen map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			refer(e, seen)
		}
	case map[string]any:
		for name, e := range v {
			switch name {
			case "Ref":
				seen[Text(e)] = true
			case "Fn::GetAtt":
				if l := List(e); len(l) > 0 {
					id, _, _ := strings.Cut(Text(l[0]), ".")
					seen[id] = true
				}
			case "Fn::Sub":
				for _, m := range inSub.FindAllStringSubmatch(Text(List(e)[0]), -1) {
					seen[m[1]] = true
				}
				refer(e, seen)
			default:
				refer(e, seen)
			}
		}
	}
}
