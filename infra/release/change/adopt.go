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

// Adoptable returns the plain names of what stays when an installation goes and can be
// taken over, and which of it every installation has.
func Adoptable(t *formation.Template) (names []string, always map[string]bool) {
	always = map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		if strings.HasPrefix(r.DeletionPolicy, "Retain") && kinds[r.Type].importable != "" {
			names = append(names, formation.Plain(id))
			always[formation.Plain(id)] = r.Condition == ""
		}
	}
	return names, always
}

// Adopt writes what takes over what is there, by the plain names of resources. A name
// that every installation has must be given: otherwise the update that follows would make an
// empty one beside what was kept.
func Adopt(template []byte, physical map[string]string) (*Adoption, error) {
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
		r, name := t.Resources[id], formation.Plain(id)
		if physical[name] == "" || !slices.Contains(names, name) || kinds[r.Type].importable == "" {
			continue
		}
		one, _ := resources[id].(map[string]any)
		delete(one, "DependsOn")
		kept[id] = one
		a.Resources = append(a.Resources, Identified{r.Type, id, map[string]string{kinds[r.Type].importable: physical[name]}})
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
