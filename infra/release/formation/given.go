package formation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Given is a template whose parameters have values, so that it is known which
// resources there are.
type Given struct {
	*Template
	values map[string]any
	held   map[string]bool // conditions, as far as they were asked for
}

// Pseudo are CloudFormation's own parameters, as an installation in the first
// commercial region has them.
func Pseudo() map[string]any {
	return map[string]any{
		"AWS::Region": "us-east-1", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::AccountId": "111122223333",
		"AWS::StackName": "Rightsdesk", "AWS::StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/Rightsdesk/00000000-0000-0000-0000-000000000000",
		"AWS::NotificationARNs": []any{}, "AWS::NoValue": nil,
	}
}

// Give gives values to parameters; the others have their defaults. It refuses names that the
// template does not know.
func (t *Template) Give(values map[string]string) (*Given, error) {
	g := &Given{Template: t, values: Pseudo(), held: map[string]bool{}}
	for name, p := range t.Parameters {
		g.values[name] = p.value(p.Default)
	}
	for name, v := range values {
		p, ok := t.Parameters[name]
		if _, pseudo := g.values[name]; !ok && !pseudo {
			return nil, fmt.Errorf("formation: the template has no parameter %s, only %s", name, strings.Join(slices.Sorted(maps.Keys(t.Parameters)), ", "))
		}
		g.values[name] = p.value(v)
	}
	for name := range t.Conditions {
		if _, err := g.Holds(name); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// value is a parameter's value as Ref yields it.
func (p Parameter) value(v any) any {
	switch {
	case v == nil:
		return ""
	case p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<"):
		list := []any{}
		if s := fmt.Sprint(v); s != "" {
			for part := range strings.SplitSeq(s, ",") {
				list = append(list, strings.TrimSpace(part))
			}
		}
		return list
	}
	return fmt.Sprint(v)
}

// Holds reports whether a condition is true.
func (g *Given) Holds(name string) (bool, error) {
	if held, asked := g.held[name]; asked {
		return held, nil
	}
	expression, ok := g.Conditions[name]
	if !ok {
		return false, fmt.Errorf("formation: the template has no condition %s", name)
	}
	held, err := g.holds(expression)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	g.held[name] = held
	return held, nil
}

func (g *Given) holds(expression any) (bool, error) {
	name, argument, ok := intrinsic(expression)
	if !ok {
		return false, fmt.Errorf("formation: %v is no condition", expression)
	}
	parts := List(argument)
	switch name {
	case "Condition":
		return g.Holds(Text(argument))
	case "Fn::Equals":
		a, err := g.Value(parts[0])
		if err != nil {
			return false, err
		}
		b, err := g.Value(parts[1])
		return fmt.Sprint(a) == fmt.Sprint(b), err
	case "Fn::Contains":
		list, err := g.list(parts[0])
		if err != nil {
			return false, err
		}
		value, err := g.Value(parts[1])
		return slices.ContainsFunc(list, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(value) }), err
	case "Fn::Not":
		held, err := g.holds(parts[0])
		return !held, err
	case "Fn::And", "Fn::Or":
		for _, part := range parts {
			held, err := g.holds(part)
			if err != nil || held == (name == "Fn::Or") {
				return held, err
			}
		}
		return name == "Fn::And", nil
	}
	return false, fmt.Errorf("formation: a condition with %s is not known here", name)
}

// Value works out a value as far as it depends on parameters alone. A reference to a resource
// becomes its logical id.
func (g *Given) Value(v any) (any, error) {
	name, argument, ok := intrinsic(v)
	if !ok {
		return v, nil
	}
	switch name {
	case "Ref":
		if value, known := g.values[Text(argument)]; known {
			return value, nil
		}
		return Text(argument), nil
	case "Fn::GetAtt":
		return List(argument)[0], nil
	case "Fn::If":
		held, err := g.Holds(Text(At(argument, 0)))
		if err != nil {
			return nil, err
		}
		if held {
			return g.Value(At(argument, 1))
		}
		return g.Value(At(argument, 2))
	case "Fn::FindInMap":
		path := make([]any, 0, 3)
		for _, part := range List(argument) {
			step, err := g.Value(part)
			if err != nil {
				return nil, err
			}
			path = append(path, step)
		}
		return At(g.Mappings, path...), nil
	}
	list, err := g.list(argument)
	if err != nil {
		return nil, err
	}
	switch name {
	case "Fn::Join":
		inner, err := g.list(list[1])
		if err != nil {
			return nil, err
		}
		words := []string{}
		for _, e := range inner {
			if l, isList := e.([]any); isList {
				for _, w := range l {
					words = append(words, fmt.Sprint(w))
				}
				continue
			}
			words = append(words, fmt.Sprint(e))
		}
		return strings.Join(words, Text(list[0])), nil
	case "Fn::Split":
		parts := []any{}
		for part := range strings.SplitSeq(fmt.Sprint(list[1]), Text(list[0])) {
			parts = append(parts, part)
		}
		return parts, nil
	case "Fn::Select":
		inner, err := g.list(list[1])
		if err != nil {
			return nil, err
		}
		n := 0
		if _, err := fmt.Sscan(fmt.Sprint(list[0]), &n); err != nil || n >= len(inner) {
			return "", nil //nolint:nilerr // what is not there is empty: the condition around it decides
		}
		return inner[n], nil
	case "Fn::Sub":
		return Say(v), nil
	}
	return nil, fmt.Errorf("formation: %s is not known here", name)
}

// list works out the parts of an argument.
func (g *Given) list(v any) ([]any, error) {
	if _, _, ok := intrinsic(v); ok {
		value, err := g.Value(v)
		if err != nil {
			return nil, err
		}
		return List(value), nil
	}
	var out []any
	for _, e := range List(v) {
		value, err := g.Value(e)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

// Has reports whether a resource is made.
func (g *Given) Has(id string) bool {
	r, ok := g.Resources[id]
	return ok && (r.Condition == "" || g.held[r.Condition])
}

// Made returns the logical ids of the resources of a type that are made, sorted.
func (g *Given) Made(kind string) []string {
	var ids []string
	for _, id := range g.All(kind) {
		if g.Has(id) {
			ids = append(ids, id)
		}
	}
	return ids
}
