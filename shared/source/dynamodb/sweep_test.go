package dynamodbsource_test

import (
	"testing"

	"rightsdesk/shared/source"
	dynamodbsource "rightsdesk/shared/source/dynamodb"
	"rightsdesk/shared/source/sourcetest"
	"rightsdesk/shared/table/tabletest"
)

// swept returns a layout with another way to find what is old.
func swept(m dynamodbsource.Mapping, w dynamodbsource.Sweep) dynamodbsource.Mapping {
	w.Time, w.Hand = m.CollectedAt, source.Collected
	m.Sweep = w
	return m
}

var (
	byKind   = dynamodbsource.Sweep{Index: "by_age", Attribute: "kind", Equals: []string{"letter", "visit"}}
	bySpread = dynamodbsource.Sweep{Index: "by_age", Attribute: "spread", Equals: []string{"s0", "s1", "s2"}}
)

func TestEveryWayToSweepKeepsTheContract(t *testing.T) {
	t.Parallel()
	endpoint := tabletest.Emulator(t)
	for name, layout := range map[string]dynamodbsource.Mapping{
		"by an index":                 swept(indexed, byKind),
		"by a scan":                   indexed,
		"by an index that is spread":  swept(ownKey, bySpread),
		"by a scan of three segments": swept(ownKey, dynamodbsource.Sweep{Segments: 3}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := store(endpoint, layout)
			sourcetest.RunSweeps(t, func(t *testing.T) sourcetest.Store {
				t.Helper()
				s := open(t)
				s.OldestFirst = name == "by an index"
				return s
			})
		})
	}
}
