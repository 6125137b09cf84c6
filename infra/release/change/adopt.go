package change

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rightsdesk/infra/release/formation"
)

// Adoption is what CloudFormation is given to take over what exists: a template with
// nothing but that in it, and which is which.
type Adoption struct {
	Template  map[string]any
	Resources []Identified
}

// Identified is one resource to take over, as a change set of the type IMPORT wants it.
type Identified struct {
	Type       string            `json:"ResourceType"`
	ID         string            `json:"LogicalResourceId"`
	Identifier map[string]string `json:"ResourceIdentifier"`
}

// Adoptable returns the plain names of what stays when an installation goes and is taken
// over by its physical id, and which of it every installation has.
func Adoptable(t *formation.Template) (names []string, always map[string]bool) {
	always = map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		if strings.HasPrefix(r.DeletionPolicy, "Retain") && len(kinds[r.Type].importable) == 1 {
			names = append(names, formation.Plain(id))
			always[formation.Plain(id)] = r.Condition == ""
		}
	}
	return names, always
}

// Adopt writes what takes over what is there, by the plain names of resources. A name
// that every installation has must be given: otherwise the update that follows would make an
// empty one beside what was kept. parameters are those that names of other resources are
// made of.
func Adopt(template []byte, physical, parameters map[string]string) (*Adoption, error) {
	t, err := formation.Parse(template)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(template))
	d.UseNumber()
	var whole map[string]any
	if err := d.Decode(&whole); err != nil {
		return nil, err
	}
	names, always := Adoptable(t)
	for name := range physical {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("change: %s cannot be taken over; these can: %s", name, strings.Join(names, ", "))
		}
	}
	for _, name := range names {
		if always[name] && physical[name] == "" {
			return nil, fmt.Errorf("change: say %s=... too: without it the next update makes an empty one beside it", name)
		}
	}
	a := &Adoption{Template: map[string]any{}}
	resources, _ := whole["Resources"].(map[string]any)
	kept := map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		identifier, err := identify(t, id, physical, parameters)
		if err != nil {
			return nil, err
		}
		if identifier == nil {
			continue
		}
		one, _ := resources[id].(map[string]any)
		delete(one, "DependsOn")
		kept[id] = one
		a.Resources = append(a.Resources, Identified{t.Resources[id].Type, id, identifier})
	}
	for id, one := range kept {
		for _, on := range formation.Refers(one) {
			if _, other := t.Resources[on]; other && kept[on] == nil {
				return nil, fmt.Errorf("change: %s refers to %s, which is not taken over with it", formation.Plain(id), formation.Plain(on))
			}
		}
	}
	for _, part := range []string{"AWSTemplateFormatVersion", "Description", "Parameters", "Mappings", "Conditions"} {
		if whole[part] != nil {
			a.Template[part] = whole[part]
		}
	}
	a.Template["Resources"] = kept
	return a, nil
}

// identify says by what a resource is found, or nil if it is not taken over: nobody
// named it, or what it belongs to.
func identify(t *formation.Template, id string, physical, parameters map[string]string) (map[string]string, error) {
	r := t.Resources[id]
	properties := kinds[r.Type].importable
	if !strings.HasPrefix(r.DeletionPolicy, "Retain") || len(properties) == 0 {
		return nil, nil //nolint:nilnil // not taken over
	}
	if len(properties) == 1 {
		if physical[formation.Plain(id)] == "" {
			return nil, nil //nolint:nilnil // the same
		}
		return map[string]string{properties[0]: physical[formation.Plain(id)]}, nil
	}
	identifier := map[string]string{}
	for _, property := range properties {
		value := r.Properties[property]
		if text := formation.Text(value); text != "" {
			identifier[property] = text
			continue
		}
		refers := formation.Refers(value)
		if len(refers) != 1 {
			return nil, fmt.Errorf("change: %s of %s cannot be worked out here", property, formation.Plain(id))
		}
		of := refers[0]
		other, isResource := t.Resources[of]
		switch {
		case isResource && len(kinds[other.Type].importable) == 1:
			if identifier[property] = physical[formation.Plain(of)]; identifier[property] == "" {
				return nil, nil //nolint:nilnil // what it belongs to is not taken over
			}
		case isResource:
			belongs, err := identify(t, of, physical, parameters)
			if err != nil || belongs == nil {
				return nil, err
			}
			identifier[property] = belongs[property]
		default:
			if identifier[property] = parameters[of]; identifier[property] == "" {
				return nil, fmt.Errorf("change: %s is found by the parameter %s: say %s=... too", formation.Plain(id), of, of)
			}
		}
	}
	return identifier, nil
}
