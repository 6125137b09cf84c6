// Package s3source is the kind "s3": objects of the company's in a bucket that
// knows nothing of Rightsdesk. A Mapping says how a person's objects are found: by
// a prefix that names the person, or by a tag.
//
// All of an object counts: every version, and every delete marker, whose key may
// name the person. What a delete marker hides goes before the marker does, so that
// nothing comes to light again, and a marker above something that stays is left.
//
// Trust. A version never changes, so a look and an act mean the same bytes. In a
// bucket that never had versions there is only one, called null: whoever writes the
// key again between our look and our act loses that. A tag names whom its writer
// says.
//
// It never copies, masks or corrects: an object is bytes, and who could read them
// knows better. It imports source, personal and the SDK. boot imports it, and gives
// it the client: credentials, region and the role to assume are boot's business.
package s3source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Mapping says how a bucket is read. It mirrors the section s3 of a source in the
// policy file.
type Mapping struct {
	Bucket string
	// Prefix has {id} once, between slashes or at the start: users/{id}/.
	Prefix map[personal.Kind]string
	Tag    map[personal.Kind]string // the tag whose value is the identity
	Within string                   // where tags are read, and what is swept beside the prefixes
	// Objects put an object into a category, by how its key goes on after the
	// person's prefix or after Within; the first that matches does. An object without
	// one is an error.
	Objects   []Rule
	OpenNames bool // the rest of a key is no personal data and unique in its category: it is the record's id
}

// Rule puts objects into a category.
type Rule struct {
	Category string
	Prefix   string // empty: every object
}

// identity stands in a template where the person's identity does.
const identity = "{id}"

// check refuses a mapping that cannot be followed.
func (m Mapping) check() error {
	switch {
	case m.Bucket == "":
		return errors.New("the mapping names no bucket")
	case len(m.Prefix)+len(m.Tag) == 0 || len(m.Objects) == 0:
		return errors.New("the mapping does not say how to find a person, or what objects are")
	case m.Within != "" && !strings.HasSuffix(m.Within, "/"):
		return errors.New("what objects lie within must end in a slash")
	}
	for kind, template := range m.Prefix {
		if !cut(template).whole() {
			return fmt.Errorf("the prefix for %s must have {id} once, with a slash on either side of it", kind)
		}
		if m.Tag[kind] != "" {
			return fmt.Errorf("%s is found by a prefix or by a tag, not by both", kind)
		}
	}
	for kind, name := range m.Tag {
		if kind == "" || name == "" {
			return errors.New("a tag has no name, or is for no kind of identity")
		}
	}
	for _, r := range m.Objects {
		if r.Category == "" {
			return errors.New("a rule of objects names no category")
		}
	}
	return nil
}

// template is a prefix in two parts, before and after the identity.
type template struct{ before, after string }

func cut(s string) template {
	before, after, _ := strings.Cut(s, identity)
	return template{before, after}
}

// whole reports whether the identity is between slashes. Without the second one,
// the prefix of the person 1 would be the beginning of that of the person 12.
func (t template) whole() bool {
	return (t.before == "" || strings.HasSuffix(t.before, "/")) && strings.HasPrefix(t.after, "/") && strings.HasSuffix(t.after, "/") &&
		!strings.Contains(t.before+t.after, identity)
}

// of returns the prefix of one person. An identity that a key cannot hold between
// two slashes is refused and not escaped: "1/2" would be a folder of the person 1,
// and how the company would have escaped it nobody has told us.
func (t template) of(id string) (string, error) {
	if id == "" || id == "." || id == ".." || len(id) > maxIdentity || strings.ContainsFunc(id, func(r rune) bool {
		return r == '/' || r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r)
	}) {
		return "", errors.New("an identity cannot be part of a key")
	}
	return t.before + id + t.after, nil
}

// maxIdentity leaves the rest of a key its place; a key has 1024 bytes at most.
const maxIdentity = 512

// in returns whose a key is and how it goes on after that person's prefix.
func (t template) in(key string) (id, rest string, ok bool) {
	key, ok = strings.CutPrefix(key, t.before)
	if !ok {
		return "", "", false
	}
	i := strings.IndexByte(key, '/')
	if i <= 0 || !strings.HasPrefix(key[i:], t.after) {
		return "", "", false
	}
	return key[:i], key[i+len(t.after):], true
}

// category returns what an object is, by the rest of its key.
func (m Mapping) category(rest string) (string, error) {
	for _, r := range m.Objects {
		if strings.HasPrefix(rest, r.Prefix) {
			return r.Category, nil
		}
	}
	return "", errors.New("an object fits no rule of the mapping")
}

// knows reports whether any object can be of a category.
func (m Mapping) knows(category string) bool {
	return slices.ContainsFunc(m.Objects, func(r Rule) bool { return r.Category == category })
}

// leg is one way on which a look goes: what lies below one prefix, or has one of
// some tags.
type leg struct {
	prefix string              // where it lists, and after which a key is judged
	tagged []personal.Identity // of a leg by tags: whom one of them must name
}

// legs returns the way of a look: first the prefixes, then all tags together. An
// identity that leads nowhere is an error: passing over it would be saying
// "nothing found" without having looked.
func (s *Source) legs(ids []personal.Identity, category string) ([]leg, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: nobody is named", source.ErrRefused)
	}
	if category != "" && !s.m.knows(category) {
		return nil, fmt.Errorf("%w: the mapping has no such category", source.ErrRefused)
	}
	var legs []leg
	tagged := leg{prefix: s.m.Within}
	for _, id := range ids {
		switch pattern, ok := s.m.Prefix[id.Kind]; {
		case ok:
			prefix, err := cut(pattern).of(id.Reveal())
			if err != nil {
				return nil, refused(err)
			}
			if !slices.ContainsFunc(legs, func(l leg) bool { return l.prefix == prefix }) {
				legs = append(legs, leg{prefix: prefix})
			}
		case s.m.Tag[id.Kind] != "" && id.Reveal() != "":
			tagged.tagged = append(tagged.tagged, id)
		default:
			return nil, fmt.Errorf("%w: the mapping finds nobody by %s", source.ErrRefused, id.Kind)
		}
	}
	if tagged.tagged != nil {
		legs = append(legs, tagged)
	}
	return legs, nil
}

// lead returns how a key begins, up to where its rules judge it. What has a tag may
// lie below somebody's prefix: then it goes by that.
func (m Mapping) lead(l leg, key string) string {
	if l.tagged != nil {
		roots := m.roots()
		if at := m.at(roots, key); at >= 0 {
			rest, _, _ := roots[at].about(key)
			return key[:len(key)-len(rest)]
		}
	}
	return l.prefix
}
