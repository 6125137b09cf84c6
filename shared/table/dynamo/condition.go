package dynamo

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rightsdesk/shared/table"
)

// What the expressions are made of. An expired item is absent in all of them.
const (
	ifAbsent  = "attribute_not_exists(p) OR x <= :now"
	ifLive    = "(attribute_not_exists(x) OR x > :now)"
	ifExists  = "attribute_exists(p) AND " + ifLive
	ifVersion = "v = :n AND " + ifLive
	notByUs   = " AND (attribute_not_exists(c) OR c <> :c)" // a commit must not follow itself
)

// condition is the expression of a precondition and the values in it.
func (s *Store) condition(pre table.Precondition, now int64) (*string, attributes) {
	values := attributes{":now": num(now)}
	if pre.Holds(0) { // New and Version(0)
		return aws.String(ifAbsent), values
	}
	if n, ok := pre.AtVersion(); ok {
		values[":n"] = num(n)
		return aws.String(ifVersion), values
	}
	return aws.String(ifExists), values
}

// overwrite is the update expression that puts an item over one that exists. It
// names every attribute but those of the counter, which stays as it is.
func overwrite(it table.Item) string {
	var set, remove strings.Builder
	set.WriteString("SET v = v + :one, z = :z, b = :b, c = :c")
	optional := func(present bool, names ...string) {
		for _, n := range names {
			if present {
				set.WriteString(", " + n + " = :" + n)
			} else {
				remove.WriteString(", " + n)
			}
		}
	}
	optional(!it.Due.IsZero(), attrShard, attrDue)
	optional(it.Subject != "", attrSubject)
	optional(!it.Expires.IsZero(), attrExpires)
	if remove.Len() == 0 {
		return set.String()
	}
	return set.String() + " REMOVE " + strings.TrimPrefix(remove.String(), ", ")
}

// into adds the content of an item to values, each attribute under its name.
func into(values attributes, it table.Item) {
	for name, v := range content(it) {
		values[":"+name] = v
	}
}
