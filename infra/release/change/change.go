// Package change says what CloudFormation does to an installation when it is given
// another template: what is replaced and what that loses, what goes, what is asked. It
// also writes what is needed to take over what an earlier installation left behind.
//
// It compares templates, not accounts: what parameters say is as their defaults have it.
// It imports package formation.
package change

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"rightsdesk/infra/release/formation"
)

// Finding is one thing that an upgrade does.
type Finding struct {
	Grave bool // somebody has to decide about it before
	Text  string
}

// Compare lists what an upgrade does besides changing resources where they are, the
// grave first.
func Compare(before, after *formation.Template) ([]Finding, error) {
	c := comparison{before: before, after: after, replaced: map[string]string{}}
	for _, t := range []*formation.Template{before, after} {
		for _, name := range t.Types() {
			if _, ok := kinds[name]; !ok {
				return nil, fmt.Errorf("change: %s is not known here: add what of it cannot be changed to change.kinds", name)
			}
		}
	}
	c.replace()
	c.resources()
	c.removed()
	c.protections()
	c.parameters()
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		switch {
		case a.Grave == b.Grave:
			return 0
		case a.Grave:
			return -1
		}
		return 1
	})
	return c.findings, nil
}

type comparison struct {
	before, after *formation.Template
	replaced      map[string]string // logical id -> why
	findings      []Finding
}

func (c *comparison) tell(grave bool, format string, args ...any) {
	c.findings = append(c.findings, Finding{grave, fmt.Sprintf(format, args...)})
}

// both returns the logical ids that are in both templates, sorted.
func (c *comparison) both() []string {
	var ids []string
	for id := range c.before.Resources {
		if _, ok := c.after.Resources[id]; ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// replace finds what becomes another resource: by itself, or because something that it
// is bound to does.
func (c *comparison) replace() {
	for _, id := range c.both() {
		was, is := c.before.Resources[id], c.after.Resources[id]
		if was.Type != is.Type {
			c.replaced[id] = "its type was " + was.Type + ", which CloudFormation refuses"
			continue
		}
		for _, property := range kinds[is.Type].fixed {
			if !reflect.DeepEqual(was.Properties[property], is.Properties[property]) {
				c.replaced[id] = fmt.Sprintf("%s changes from %s to %s", property, short(was.Properties[property]), short(is.Properties[property]))
			}
		}
	}
	for more := true; more; {
		more = false
		for _, id := range c.both() {
			if c.replaced[id] != "" {
				continue
			}
			r := c.after.Resources[id]
			for _, property := range kinds[r.Type].fixed {
				for _, on := range formation.Refers(r.Properties[property]) {
					if c.replaced[on] != "" {
						c.replaced[id] = "it belongs to " + formation.Plain(on) + ", which is replaced"
						more = true
					}
				}
			}
		}
	}
}

func short(v any) string {
	if v == nil {
		return "nothing"
	}
	b, err := json.Marshal(v)
	if err != nil || len(b) > 60 {
		return "something else"
	}
	return string(b)
}

func (c *comparison) resources() {
	quiet := map[string]int{}
	for _, id := range c.both() {
		why, ok := c.replaced[id]
		if !ok {
			continue
		}
		r := c.after.Resources[id]
		if loses := kinds[r.Type].loses; loses != "" || c.before.Resources[id].Type != r.Type {
			c.tell(true, "REPLACED  %s (%s): %s. This loses %s.", formation.Plain(id), r.Type, why, loses)
			continue
		}
		quiet[r.Type]++
	}
	for _, name := range slices.Sorted(maps.Keys(quiet)) {
		c.tell(false, "replaced  %d of %s: nothing is lost", quiet[name], name)
	}
	for _, id := range c.both() {
		c.indexes(id)
	}
}

// indexes tells which indexes of a table are built anew: queries on them find nothing
// until that is done.
func (c *comparison) indexes(id string) {
	if c.after.Resources[id].Type != "AWS::DynamoDB::Table" {
		return
	}
	keys := func(t *formation.Template) map[string]any {
		found := map[string]any{}
		for _, index := range formation.List(t.Resources[id].Properties["GlobalSecondaryIndexes"]) {
			found[formation.Text(formation.At(index, "IndexName"))] = []any{formation.At(index, "KeySchema"), formation.At(index, "Projection")}
		}
		return found
	}
	was, is := keys(c.before), keys(c.after)
	for _, name := range slices.Sorted(maps.Keys(was)) {
		switch now, ok := is[name]; {
		case !ok:
			c.tell(true, "DELETED   the index %s of %s: an earlier version cannot go back to it without building it anew.", name, formation.Plain(id))
		case !reflect.DeepEqual(was[name], now):
			c.tell(true, "REPLACED  the index %s of %s: what asks it finds nothing until it is built.", name, formation.Plain(id))
		}
	}
	fresh := 0
	for name := range is {
		if _, ok := was[name]; !ok {
			fresh++
		}
	}
	if fresh > 1 {
		c.tell(true, "REFUSED   %s gets %d indexes at once, and the service makes one in an update.", formation.Plain(id), fresh)
	}
}

// removed tells what the new template does not have any more.
func (c *comparison) removed() {
	quiet, kept := map[string]int{}, 0
	for _, id := range slices.Sorted(maps.Keys(c.before.Resources)) {
		was := c.before.Resources[id]
		is, there := c.after.Resources[id]
		if there && (is.Condition == was.Condition || is.Condition == "") {
			continue
		}
		name, loses := formation.Plain(id), kinds[was.Type].loses
		switch {
		case was.Type == "AWS::Lambda::Version":
			kept++
		case there:
			c.tell(loses != "", "depends   %s (%s) now exists only if %s holds.", name, was.Type, is.Condition)
		case strings.HasPrefix(was.DeletionPolicy, "Retain"):
			c.tell(true, "LEFT      %s (%s) leaves the stack and stays in the account, where it goes on costing. %s", name, was.Type, renamed(c, id))
		case loses != "":
			c.tell(true, "DELETED   %s (%s). This loses %s. %s", name, was.Type, loses, renamed(c, id))
		default:
			quiet[was.Type]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(quiet)) {
		c.tell(false, "deleted   %d of %s: nothing is lost", quiet[name], name)
	}
	if kept > 0 {
		c.tell(false, "kept      %d versions of functions, to go back to at once", kept)
	}
	added := map[string]int{}
	for id, is := range c.after.Resources {
		if _, there := c.before.Resources[id]; !there {
			added[is.Type]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(added)) {
		c.tell(false, "new       %d of %s", added[name], name)
	}
}

// renamed looks for a new resource that may be meant to be the old one.
func renamed(c *comparison, id string) string {
	for _, other := range slices.Sorted(maps.Keys(c.after.Resources)) {
		if _, there := c.before.Resources[other]; !there && c.after.Resources[other].Type == c.before.Resources[id].Type {
			return "Is it " + formation.Plain(other) + " now? Then keep the logical id " + id + "."
		}
	}
	return ""
}

// protections tells what is guarded less than before.
func (c *comparison) protections() {
	for _, id := range c.both() {
		was, is := c.before.Resources[id], c.after.Resources[id]
		name := formation.Plain(id)
		if was.DeletionPolicy != is.DeletionPolicy && strings.HasPrefix(was.DeletionPolicy, "Retain") {
			c.tell(true, "WEAKER    %s is deleted with the stack from now on.", name)
		}
		if was.UpdateReplacePolicy != is.UpdateReplacePolicy && was.UpdateReplacePolicy == "Retain" {
			c.tell(true, "WEAKER    %s is deleted when it is replaced from now on.", name)
		}
		for property, on := range map[string]any{"DeletionProtectionEnabled": true, "DeletionProtection": "ACTIVE", "EnableKeyRotation": true} {
			if was.Properties[property] == on && is.Properties[property] != on {
				c.tell(true, "WEAKER    %s loses its %s.", name, property)
			}
		}
		if enabled := "PointInTimeRecoveryEnabled"; formation.At(was.Properties, "PointInTimeRecoverySpecification", enabled) == true &&
			formation.At(is.Properties, "PointInTimeRecoverySpecification", enabled) != true {
			c.tell(true, "WEAKER    %s cannot be recovered to a point in time any more.", name)
		}
	}
}

// parameters tells what the operator is asked anew, and what is no longer asked.
func (c *comparison) parameters() {
	for _, name := range slices.Sorted(maps.Keys(c.after.Parameters)) {
		is := c.after.Parameters[name]
		was, there := c.before.Parameters[name]
		switch {
		case !there && is.Default == nil:
			c.tell(true, "ASKED     the parameter %s is new and has no default: %s", name, is.Description)
		case !there:
			c.tell(false, "asked     the parameter %s is new, and %v unless you say otherwise", name, is.Default)
		case was.Default != nil && is.Default == nil:
			c.tell(true, "ASKED     the parameter %s has no default any more.", name)
		case fmt.Sprint(was.Default) != fmt.Sprint(is.Default):
			c.tell(false, "asked     the default of %s is %v instead of %v; what you gave, or took before, stays", name, is.Default, was.Default)
		}
		for _, value := range was.AllowedValues {
			if len(is.AllowedValues) > 0 && !slices.ContainsFunc(is.AllowedValues, func(v any) bool { return fmt.Sprint(v) == fmt.Sprint(value) }) {
				c.tell(true, "REFUSED   %v is no value of the parameter %s any more.", value, name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.before.Parameters)) {
		if _, there := c.after.Parameters[name]; !there {
			c.tell(true, "GONE      the parameter %s: leave it out of what you give.", name)
		}
	}
}
