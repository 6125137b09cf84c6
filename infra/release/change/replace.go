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

// Replacement puts another table in the place of one that a stack has: what a restore
// made, for example. CloudFormation takes three steps for it.
type Replacement struct {
	Without   map[string]any // the stack lets go of the old table, which stays, and speaks of the new one by its name
	With      map[string]any // the same, and the new table in it: for a change set of the type IMPORT
	Resources []Identified   // what that change set imports
	// The third step is the whole template again.
}

// Replace writes the first two steps. names are the new tables' by the old ones' plain
// names; streams are the ARNs of their streams, of those that somebody reads.
func Replace(template []byte, names, streams map[string]string) (*Replacement, error) {
	t, err := formation.Parse(template)
	if err != nil {
		return nil, err
	}
	r := &Replacement{}
	ids := map[string]string{} // logical id -> plain name
	for _, name := range slices.Sorted(maps.Keys(names)) {
		id := ""
		for _, table := range t.All("AWS::DynamoDB::Table") {
			if formation.Plain(table) == name {
				id = table
			}
		}
		if id == "" {
			return nil, fmt.Errorf("change: %s is no table of this template", name)
		}
		ids[id] = name
		r.Resources = append(r.Resources, Identified{"AWS::DynamoDB::Table", id, map[string]string{"TableName": names[name]}})
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("change: say which table is replaced by which: StateTable=NAME")
	}
	if r.Without, err = decoded(template); err != nil {
		return nil, err
	}
	resources, _ := r.Without["Resources"].(map[string]any)
	for id := range ids {
		delete(resources, id)
	}
	for id, resource := range resources {
		one, _ := resource.(map[string]any)
		one["DependsOn"] = withoutThose(one["DependsOn"], ids)
		if one["DependsOn"] == nil {
			delete(one, "DependsOn")
		}
		if resources[id], err = spelled(one, ids, names, streams); err != nil {
			return nil, fmt.Errorf("%s: %w", formation.Plain(id), err)
		}
	}
	outputs, _ := r.Without["Outputs"].(map[string]any)
	for name := range outputs {
		if outputs[name], err = spelled(outputs[name], ids, names, streams); err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
	}
	b, err := json.Marshal(r.Without)
	if err != nil {
		return nil, err
	}
	if r.With, err = decoded(b); err != nil {
		return nil, err
	}
	whole, err := decoded(template)
	if err != nil {
		return nil, err
	}
	for id := range ids {
		from, _ := whole["Resources"].(map[string]any)
		to, _ := r.With["Resources"].(map[string]any)
		to[id] = from[id]
	}
	return r, nil
}

func decoded(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m map[string]any
	return m, d.Decode(&m)
}

func withoutThose(dependsOn any, ids map[string]string) any {
	var left []any
	for _, on := range formation.List(dependsOn) {
		if ids[formation.Text(on)] == "" {
			left = append(left, on)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return left
}

// spelled writes names of the new tables where a value referred to the old ones.
func spelled(v any, ids, names, streams map[string]string) (any, error) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			var err error
			if v[i], err = spelled(v[i], ids, names, streams); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if name := ids[formation.Text(v["Ref"])]; name != "" {
			return names[name], nil
		}
		if attribute := formation.List(v["Fn::GetAtt"]); len(attribute) == 2 && ids[formation.Text(attribute[0])] != "" {
			name := ids[formation.Text(attribute[0])]
			switch attribute[1] {
			case "Arn":
				return map[string]any{"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/" + names[name]}, nil
			case "StreamArn":
				if streams[name] == "" {
					return nil, fmt.Errorf("change: say %s.StreamArn=... too: it is read (aws dynamodb describe-table --query Table.LatestStreamArn)", name)
				}
				return streams[name], nil
			}
			return nil, fmt.Errorf("change: %s.%v cannot be spelled out here", name, attribute[1])
		}
		for key := range v {
			var err error
			if v[key], err = spelled(v[key], ids, names, streams); err != nil {
				return nil, err
			}
		}
	case string:
		for id := range ids {
			if strings.Contains(v, "${"+id) {
				return nil, fmt.Errorf("change: %q speaks of %s in a way that is not known here", v, formation.Plain(id))
			}
		}
	}
	return v, nil
}
