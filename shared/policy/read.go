package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// reader walks the YAML tree of a policy. It remembers where everything stands,
// so that a check that runs after the reading can still point at the line.
type reader struct {
	languages []string // of the document; every text is given in each of them
	places    map[string]place
	problems  Problems
	refused   map[string]bool // paths that have a problem already
}

type place struct{ line, column int }

// refuse notes a problem at the path, or at the nearest thing around it that stands in the file.
func (r *reader) refuse(path, format string, args ...any) {
	at := place{1, 1}
	for p := path; p != ""; p = parent(p) {
		if known, ok := r.places[p]; ok {
			at = known
			break
		}
	}
	r.problems = append(r.problems, Problem{at.line, at.column, path, fmt.Sprintf(format, args...)})
	r.refused[path] = true
}

// hasProblem reports whether the path, anything around it, or an entry of its
// list was refused.
func (r *reader) hasProblem(path string) bool {
	for p := range r.refused {
		if strings.HasPrefix(p, path+"[") {
			return true
		}
	}
	for p := path; p != ""; p = parent(p) {
		if r.refused[p] {
			return true
		}
	}
	return false
}

func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// presence says whether a key must be there.
type presence int

const (
	may  presence = iota
	need          // it must be there
	some          // and have an entry or more
)

func needIf(condition bool) presence {
	if condition {
		return need
	}
	return may
}

// object is a YAML mapping that is being read. Whoever reads it asks for each
// key it knows; a key nobody asked for is unknown, and those asked for are the
// ones that are allowed. So the reading code is the only list of keys there is.
type object struct {
	r      *reader
	path   string
	order  []string
	values map[string]*yaml.Node
	asked  []string
	broken bool // it is missing or no mapping, and that was said: its keys are not missed
}

// object reads the node at path as a mapping, has read ask for its keys, and
// refuses the keys that were not asked for.
func (r *reader) object(path string, n *yaml.Node, read func(*object)) {
	o := &object{r: r, path: path, values: map[string]*yaml.Node{}}
	switch {
	case n == nil:
		o.broken = true
	case n.Kind != yaml.MappingNode:
		o.broken = true
		r.refuse(path, "must be a mapping: one `key: value` a line, indented")
	default:
		o.fill(n)
	}
	read(o)
	for _, key := range o.order {
		if !slices.Contains(o.asked, key) {
			o.refuseUnknown(key)
		}
	}
}

func (o *object) fill(n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := join(o.path, shown(key.Value))
		if key.Kind != yaml.ScalarNode || key.Value == "" {
			o.r.problems = append(o.r.problems, Problem{key.Line, key.Column, o.path, "a key must be a plain word"})
			continue
		}
		if _, twice := o.values[key.Value]; twice {
			o.r.problems = append(o.r.problems, Problem{key.Line, key.Column, at, fmt.Sprintf("stands twice; it stands in line %d already", o.r.places[at].line)})
			continue
		}
		o.r.places[at] = place{key.Line, key.Column}
		o.order = append(o.order, key.Value)
		o.values[key.Value] = n.Content[i+1]
	}
}

func (o *object) refuseUnknown(key string) {
	at := join(o.path, shown(key))
	if o.path == "" && slices.Contains(laterSections, key) {
		o.r.refuse(at, "not yet known in this version; the section arrives with a later release")
		return
	}
	o.r.refuse(at, "unknown key `%s`; allowed here: %s", shown(key), strings.Join(o.asked, ", "))
}

// at returns the path of a key.
func (o *object) at(key string) string { return join(o.path, key) }

func (o *object) has(key string) bool { return o.values[key] != nil }

// spells reports whether the key has that very value.
func (o *object) spells(key, value string) bool {
	n := o.values[key]
	return n != nil && strings.EqualFold(n.Value, value)
}

// take returns the node of a key, nil if there is none. says completes the
// sentence about a value that is needed and missing.
func (o *object) take(key string, p presence, says string) *yaml.Node {
	o.asked = append(o.asked, key)
	n := o.values[key]
	switch {
	case n == nil && p != may && !o.broken:
		o.r.refuse(o.at(key), "is required and %s", says)
	case n != nil && n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || strings.TrimSpace(n.Value) == ""):
		o.r.refuse(o.at(key), "has no value; %s", says)
		return nil
	}
	return n
}

// section reads a mapping below key. read runs even if there is none: it then
// finds no key, misses none, and returns the defaults.
func (o *object) section(key string, p presence, read func(*object)) {
	o.r.object(o.at(key), o.take(key, p, "must be a mapping: one `key: value` a line, indented"), read)
}

// entries reads a mapping whose keys are names that the policy makes up, each of
// the spelling is. They are keys and not values so that none can stand twice.
func (o *object) entries(key string, p presence, is rule, read func(id string, entry *object)) {
	says := "must be a mapping of names to entries"
	if p == need {
		says += "; write {} for none"
	}
	n := o.take(key, p, says)
	if n == nil {
		return
	}
	if p == some && n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		o.r.refuse(o.at(key), "%s, one or more", says)
	}
	o.r.object(o.at(key), n, func(all *object) { all.named(is, read) })
}

// named reads the entries of a mapping whose keys are names.
func (o *object) named(is rule, read func(name string, entry *object)) {
	o.asked = o.order
	for _, name := range o.order {
		if !is.ok(name) {
			o.r.refuse(o.at(shown(name)), "the key %s", is.says)
			continue
		}
		o.r.object(o.at(name), o.values[name], func(entry *object) { read(name, entry) })
	}
}

// each reads a list of mappings.
func (o *object) each(key string, p presence, read func(*object)) {
	const says = "must be a list of entries, each a mapping that begins with a dash"
	n := o.take(key, p, says)
	switch {
	case n == nil:
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		o.r.refuse(o.at(key), "%s; one or more", says)
	default:
		for i, c := range n.Content {
			at := o.at(key) + "[" + strconv.Itoa(i) + "]"
			o.r.places[at] = place{c.Line, c.Column}
			o.r.object(at, c, read)
		}
	}
}

// line reads a text of one line that is the same in every language.
func (o *object) line(key string, p presence, is rule) string {
	n := o.take(key, p, is.says)
	if n == nil {
		return ""
	}
	return o.r.scalar(o.at(key), n, is)
}

// lines reads a list of such texts. None may stand twice.
func (o *object) lines(key string, p presence, is rule) []string {
	says := "must be a list, such as [a, b]; an entry " + is.says
	n := o.take(key, p, says)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 && p != may {
		o.r.refuse(o.at(key), "%s", says)
		return nil
	}
	var list []string
	for i, c := range n.Content {
		at := o.at(key) + "[" + strconv.Itoa(i) + "]"
		o.r.places[at] = place{c.Line, c.Column}
		s := o.r.scalar(at, c, is)
		if s != "" && slices.Contains(list, s) {
			o.r.refuse(at, "stands twice in the list")
		}
		list = append(list, s) // an empty one keeps the place of its number
	}
	return list
}

// scalar returns the node's text if it keeps the rule, "" and a problem if not.
func (r *reader) scalar(path string, n *yaml.Node, is rule) string {
	if n.Kind != yaml.ScalarNode {
		r.refuse(path, "%s", is.says)
		return ""
	}
	if n.Tag != "!!str" && (n.Tag != "!!timestamp" || !is.dated) {
		r.refuse(path, "%s (this is read as %s: put it in quotes)", is.says, kindOf[n.Tag])
		return ""
	}
	s := strings.TrimSpace(n.Value)
	if strings.ContainsFunc(s, unicode.IsControl) {
		r.refuse(path, "must be one line without control characters")
		return ""
	}
	if !is.ok(s) {
		r.refuse(path, "%s", is.says)
		return ""
	}
	return s
}

// kindOf names YAML's types for people.
var kindOf = map[string]string{
	"!!int": "a number", "!!float": "a number", "!!bool": "true or false", "!!null": "nothing",
	"!!timestamp": "a date", "!!binary": "binary data",
}

// flag reads true or false.
func (o *object) flag(key string, otherwise bool) bool {
	const says = "must be true or false"
	n := o.take(key, may, says)
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		o.r.refuse(o.at(key), says)
		return otherwise
	}
	return strings.EqualFold(n.Value, "true")
}

// number reads a whole number from 1.
func (o *object) number(key string, otherwise, most int) int {
	says := fmt.Sprintf("must be a whole number from 1 to %d", most)
	n := o.take(key, may, says)
	if n == nil {
		return otherwise
	}
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || i < 1 || i > most {
		o.r.refuse(o.at(key), "%s", says)
		return otherwise
	}
	return i
}

// span reads a duration such as 90s, 15m, 24h or 14d.
func (o *object) span(key string, otherwise, least, most time.Duration) time.Duration {
	is := rule{says: fmt.Sprintf("must be a duration from %s to %s, such as 90s, 15m, 24h or 14d", short(least), short(most)), ok: isSpan}
	d := parseSpan(o.line(key, may, is))
	switch {
	case d == 0:
		return otherwise
	case d < least || d > most:
		o.r.refuse(o.at(key), "%s", is.says)
		return otherwise
	}
	return d
}

// clock reads a time of day as what has gone by since midnight.
func (o *object) clock(key string, otherwise time.Duration) time.Duration {
	s := o.line(key, may, timeOfDay)
	if s == "" {
		return otherwise
	}
	t, _ := time.Parse("15:04", s) // the pattern admits such times only
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// period reads a calendar period such as 14d, 24mo or 10y.
func (o *object) period(key string, p presence, otherwise Period) Period {
	if s := o.line(key, p, aPeriod); s != "" {
		return parsePeriod(s)
	}
	return otherwise
}

// word reads one of a closed set of words.
func word[T ~string](o *object, key string, p presence, allowed []T) T {
	return T(o.line(key, p, oneOf(allowed)))
}

// words reads a list of words of a closed set.
func words[T ~string](o *object, key string, p presence, allowed []T) []T {
	var list []T
	for _, s := range o.lines(key, p, oneOf(allowed)) {
		list = append(list, T(s))
	}
	return list
}

// text reads a text of one line in each language of the policy.
func (o *object) text(key string, p presence) Text { return o.read(key, p, false) }

// prose reads a text of several paragraphs in each language of the policy.
func (o *object) prose(key string, p presence) Text { return o.read(key, p, true) }

func (o *object) read(key string, p presence, paragraphs bool) Text {
	says := "must be a text, given in each language of the policy: {en: ..., fr: ...}"
	n := o.take(key, p, says)
	if n == nil {
		return nil
	}
	t := Text{}
	switch {
	case n.Kind == yaml.MappingNode:
		o.r.object(o.at(key), n, func(each *object) {
			for _, language := range o.r.languages {
				if v := each.take(language, need, "must be a text; the policy is published in this language"); v != nil {
					t[language] = o.r.words(each.at(language), v, paragraphs)
				}
			}
			if len(o.r.languages) == 0 {
				each.asked = each.order // the languages themselves are wrong, which was said
			}
		})
	case len(o.r.languages) > 1 && n.Kind == yaml.ScalarNode:
		o.r.refuse(o.at(key), "must be given in each language of the policy: {%s}", strings.Join(o.r.languages, ": ..., ")+": ...")
	case len(o.r.languages) == 1:
		t[o.r.languages[0]] = o.r.words(o.at(key), n, paragraphs)
	}
	return t
}

func (r *reader) words(path string, n *yaml.Node, paragraphs bool) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		r.refuse(path, "must be a text; put it in quotes")
		return ""
	}
	s := strings.TrimSpace(n.Value)
	if strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && (c != '\n' || !paragraphs) }) {
		r.refuse(path, "must be plain text without tabs and control characters, and on one line unless it is a body")
		return ""
	}
	return s
}

// shown returns what a file says in a form that is safe to repeat in a message.
func shown(s string) string {
	s = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "..."
	}
	return s
}
