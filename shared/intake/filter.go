package intake

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
)

// The faults of this package. What was sent is never in them.
var (
	// ErrUndeclared is the answer to data from where the policy knows of none.
	ErrUndeclared = fault.New(fault.NotFound, "channel_not_found", "The policy declares no intake channel of this name; nothing was taken.")
	// ErrForbidden is the answer to a value that is never taken.
	ErrForbidden = fault.New(fault.Invalid, "forbidden_data", "The data holds what is never taken by this channel; see fields. Nothing was taken.")
	// ErrUnneeded is the answer to a field that nobody needs, where such are refused.
	ErrUnneeded = fault.New(fault.Invalid, "unneeded_field", "The data has fields that nobody needs; see fields. Nothing was taken.")
	// ErrTooDeep is the answer to data that goes deeper than any form does.
	ErrTooDeep = fault.New(fault.Invalid, "too_deep", "The data is nested too deeply; send plain fields.")
)

const (
	maxDepth  = 16
	maxFields = 20 // that one answer names
)

// Filter returns what a channel keeps of the fields of one object, as JSON is
// decoded into Go, and the paths of those that were thrown away, each once and in
// order: stats.query, without the places in lists. What arrived is left as it is.
//
// A path that is kept leads to a value or a list of values. An object in its place
// is not what was declared, and of it only fields that are declared themselves stay.
// The error names fields by JSON pointer and never what stands in them; then nothing
// is kept, and what would have been thrown away is not told either.
func Filter(channel policy.Intake, fields map[string]any) (kept map[string]any, dropped []string, err error) {
	f := filter{channel: channel, dropped: map[string]bool{}}
	kept = f.object(fields, "", "", 0)
	switch {
	case f.deep:
		return nil, nil, ErrTooDeep
	case len(f.forbidden) > 0:
		return nil, nil, at(ErrForbidden, f.forbidden)
	case channel.Unknown != policy.DropField && len(f.unneeded) > 0: // a way that is not known keeps nothing
		return nil, nil, at(ErrUnneeded, f.unneeded)
	}
	return kept, slices.Sorted(maps.Keys(f.dropped)), nil
}

func at(e *fault.Error, fields []fault.Field) *fault.Error {
	slices.SortFunc(fields, func(a, b fault.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	c := *e
	c.Fields = fields[:min(len(fields), maxFields)]
	return &c
}

// filter walks one object. It looks at everything, wanted or not: a card number in a
// field that is thrown away has still been sent to us.
type filter struct {
	channel   policy.Intake
	dropped   map[string]bool
	forbidden []fault.Field
	unneeded  []fault.Field
	deep      bool
}

// need is what the channel wants of a path.
type need int

const (
	none   need = iota
	whole       // the value
	within      // something below it
)

func (f *filter) need(path string) need {
	n := none
	for _, keep := range f.channel.Keep {
		if keep == path {
			return whole
		}
		if strings.HasPrefix(keep, path+".") {
			n = within
		}
	}
	return n
}

// object returns what is kept of an object at a path; pointer is where it stands.
func (f *filter) object(o map[string]any, path, pointer string, depth int) map[string]any {
	kept := map[string]any{}
	if depth > maxDepth {
		f.deep = true
		return kept
	}
	f.look(pointer, forbiddenTogether(f.channel.Refuse, o))
	for _, name := range slices.Sorted(maps.Keys(o)) {
		value := o[name]
		below, here := join(path, name), pointer+"/"+escape(name)
		// A name with a dot in it is no path, and one that is data is refused like data.
		wanted := f.need(below)
		if strings.ContainsRune(name, '.') {
			wanted = none
		}
		f.look(pointer, forbidden(f.channel.Refuse, "", name))
		if v, ok := f.value(value, name, below, here, wanted, depth); ok {
			kept[name] = v
		}
	}
	return kept
}

// value returns what is kept of a value, and whether anything is. What is not, it
// drops; whatever becomes of it, it is looked through.
func (f *filter) value(value any, name, path, pointer string, wanted need, depth int) (any, bool) {
	if wanted == none {
		f.scan(value, name, pointer, depth)
		f.drop(path, pointer)
		return nil, false
	}
	switch v := value.(type) {
	case map[string]any:
		kept := f.object(v, path, pointer, depth+1)
		return kept, len(kept) > 0
	case []any:
		f.look(pointer, forbiddenList(f.channel.Refuse, name, v))
		if f.deep = f.deep || depth > maxDepth; f.deep {
			return nil, false
		}
		kept := []any{}
		for i, e := range v {
			if k, ok := f.value(e, name, path, pointer+"/"+strconv.Itoa(i), wanted, depth+1); ok {
				kept = append(kept, k)
			}
		}
		return kept, len(kept) > 0 || len(v) == 0
	}
	f.look(pointer, forbidden(f.channel.Refuse, name, textOf(value)))
	if wanted != whole {
		f.drop(path, pointer)
		return nil, false
	}
	return value, true
}

// scan looks through what is not kept.
func (f *filter) scan(value any, name, pointer string, depth int) {
	if f.deep = f.deep || depth > maxDepth; f.deep {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		f.look(pointer, forbiddenTogether(f.channel.Refuse, v))
		for below, e := range v {
			f.look(pointer, forbidden(f.channel.Refuse, "", below))
			f.scan(e, below, pointer+"/"+escape(below), depth+1)
		}
	case []any:
		f.look(pointer, forbiddenList(f.channel.Refuse, name, v))
		for i, e := range v {
			f.scan(e, name, pointer+"/"+strconv.Itoa(i), depth+1)
		}
	default:
		f.look(pointer, forbidden(f.channel.Refuse, name, textOf(v)))
	}
}

func (f *filter) drop(path, pointer string) {
	f.dropped[path] = true
	f.unneeded = append(f.unneeded, fault.Field{Pointer: pointer, Text: "is not needed; leave it out"})
}

func (f *filter) look(pointer string, kind policy.Forbidden) {
	if kind != "" {
		f.forbidden = append(f.forbidden, fault.Field{Pointer: pointer, Text: says[kind]})
	}
}

var says = map[policy.Forbidden]string{
	policy.CardNumbers:      "must hold no card number",
	policy.PrecisePositions: "must hold no precise position; round it to 0.1 degree, or send the town",
	policy.GovernmentIDs:    "must hold no number of an official paper",
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// escape writes a name as RFC 6901 wants it in a pointer.
func escape(name string) string {
	if safe(name) != name {
		return "*" // the name itself may be data
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// textOf returns a JSON scalar as text, a number with all the digits it came with.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), "eE") {
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return "" // true, false and null tell nothing
}
