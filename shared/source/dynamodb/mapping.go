// Package dynamodbsource is the kind "dynamodb": a table of the company's that
// knows nothing of Rightsdesk. A Mapping says how to find a person in it and what
// its items are; nothing is ever added to the table.
//
// Trust. Whoever writes to the table can move an item to another person between
// our look and our act, so every write names whose item it is and does nothing if
// it is somebody else's by then. An index is up to seconds behind its table: it
// only ever proposes keys, and each item is read again, strongly, before it is
// believed.
//
// The folder is named like the kind in the policy file; the package is not,
// because it imports the SDK's package of that name. It imports source, personal
// and the SDK. boot imports it, and gives it the client: credentials, region and
// the role to assume are boot's business.
package dynamodbsource

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Mapping says how a table is read. It mirrors the section dynamodb of a source
// in the policy file.
type Mapping struct {
	Table       string
	Key         Key
	FindBy      []Lookup // at least one for each kind of identity the source is known by
	Items       []Rule   // the first that matches says what an item is; an item without one is an error
	RecordID    string   // attribute, string or number, that names an item and is not personal; empty: a hash of its key
	CollectedAt Instant
	Ties        []Tie
	Sweep       Sweep
}

// Key is the key of the table itself.
type Key struct {
	Partition string
	Sort      string // empty: the table has none
}

// Lookup is how the items of a person are found: Attribute, the partition key of
// the table or of Index, equals Prefix and the identity's value.
type Lookup struct {
	Identity  personal.Kind
	Attribute string
	Index     string // empty: the table itself
	Prefix    string // such as USER#
}

// Rule puts items into a category. Of Equals and Prefix at most one is set; with
// neither, having the attribute is enough; without an attribute, every item matches.
type Rule struct {
	Category  string
	Attribute string
	Equals    string
	Prefix    string
}

// Instant is where an item says when it was collected. An item that does not say
// is taken to be older than any cut-off: it would never be erased otherwise.
type Instant struct {
	Attribute string // empty: no item says
	Format    Format
}

// Format is how a table writes a time.
type Format string

// The formats, in the policy's spelling.
const (
	RFC3339     Format = "rfc3339"
	UnixSeconds Format = "unix_seconds"
	UnixMillis  Format = "unix_millis"
)

// Tie says that an item found by one verified identity names another one, which
// counts as verified from then on.
type Tie struct {
	Identity  personal.Kind // what the attribute is
	Attribute string
	FoundBy   personal.Kind // only items found by this prove it
}

// Sweep is how old items are found, whoever they are about. Without it the table is
// scanned by the time of collection, if items say that.
type Sweep struct {
	Time Instant
	Hand source.Hand // which time that is
	// Index is an index whose partition key is Attribute, always one of Equals, and whose
	// sort key is the time: a number, or text of UTC, for text is sorted as text. Empty:
	// the table is scanned.
	Index     string
	Attribute string
	Equals    []string
	Segments  int // that a scan goes through, one after the other; 0 is 1
}

func (w Sweep) check() error {
	known := slices.Contains([]Format{RFC3339, UnixSeconds, UnixMillis}, w.Time.Format) && (w.Hand == source.Collected || w.Hand == source.LastUsed)
	switch {
	case w.Time.Attribute == "" && (w.Index != "" || w.Hand != ""), w.Time.Attribute != "" && !known:
		return errors.New("the mapping does not say by which time items are swept")
	case w.Index != "" && (w.Attribute == "" || len(w.Equals) == 0 || slices.Contains(w.Equals, "")):
		return errors.New("the mapping does not say under what an index has the items to be swept")
	case w.Segments < 0 || w.Segments > maxSegments:
		return errors.New("the mapping cuts the table into too many segments")
	}
	return nil
}

// check refuses a mapping that cannot be followed.
func (m Mapping) check() error {
	switch {
	case m.Table == "" || m.Key.Partition == "":
		return errors.New("the mapping names no table or no partition key")
	case len(m.FindBy) == 0 || len(m.Items) == 0:
		return errors.New("the mapping does not say how to find a person, or what items are")
	}
	for _, l := range m.FindBy {
		if l.Identity == "" || l.Attribute == "" || l.Index == "" && l.Attribute != m.Key.Partition {
			return errors.New("a lookup without an index must be by the table's partition key")
		}
	}
	for _, r := range m.Items {
		if r.Category == "" || r.Attribute == "" && r.Equals+r.Prefix != "" {
			return errors.New("a rule of items names no category, or compares no attribute")
		}
	}
	if m.CollectedAt.Attribute != "" && !slices.Contains([]Format{RFC3339, UnixSeconds, UnixMillis}, m.CollectedAt.Format) {
		return errors.New("the mapping does not say how times are written")
	}
	return m.Sweep.check()
}

// item is what the table holds under one key.
type item map[string]types.AttributeValue

// category returns what an item is.
func (m Mapping) category(it item) (string, error) {
	for _, r := range m.Items {
		v, has := text(it[r.Attribute])
		switch {
		case r.Attribute == "",
			r.Equals != "" && has && v == r.Equals,
			r.Prefix != "" && has && strings.HasPrefix(v, r.Prefix),
			r.Equals+r.Prefix == "" && it[r.Attribute] != nil:
			return r.Category, nil
		}
	}
	return "", errors.New("an item fits no rule of the mapping")
}

// of returns an item's time; the zero time if it does not say.
func (i Instant) of(it item) (time.Time, error) {
	v, has := text(it[i.Attribute])
	if !has {
		if it[i.Attribute] != nil {
			return time.Time{}, errTime
		}
		return time.Time{}, nil
	}
	if i.Format == RFC3339 {
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return time.Time{}, errTime // err would quote the value
		}
		return t, nil
	}
	n, ok := whole(v)
	if !ok {
		return time.Time{}, errTime
	}
	if i.Format == UnixSeconds {
		return time.Unix(n, 0).UTC(), nil
	}
	return time.UnixMilli(n).UTC(), nil
}

var errTime = errors.New("an item's time is not written as the mapping says")

// structure reports whether an attribute is one that the mapping rests on and
// that is not personal: keys, the record's id, its category and its times.
func (m Mapping) structure(attribute string) bool {
	return attribute == m.Key.Partition || attribute == m.Key.Sort || attribute == m.RecordID || attribute == m.CollectedAt.Attribute ||
		attribute == m.Sweep.Attribute || attribute == m.Sweep.Time.Attribute ||
		slices.ContainsFunc(m.Items, func(r Rule) bool { return r.Attribute == attribute })
}

// names reports whether people are found by an attribute.
func (m Mapping) names(attribute string) bool {
	return slices.ContainsFunc(m.FindBy, func(l Lookup) bool { return l.Attribute == attribute })
}

// nameIsKey reports whether what names the person is part of the key, which no
// update can change.
func (m Mapping) nameIsKey() bool {
	return m.names(m.Key.Partition) || m.Key.Sort != "" && m.names(m.Key.Sort)
}
