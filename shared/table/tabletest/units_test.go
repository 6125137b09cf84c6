package tabletest_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"rightsdesk/shared/table"
)

// difference is where the units that embedded works out are not those that the
// emulator bills. docs/decisions/0002-units.md says why.
type difference struct {
	test             string
	op               int // the first of those that differ
	embedded, dynamo []table.Op
}

// differences are all there are. One more, or one less, fails.
var differences = []difference{
	{ // The service knows the token of a commit for ten minutes and bills the repeat as a read.
		test: "a commit repeated with its id is done once", op: 2,
		embedded: []table.Op{
			{Call: table.Refused, Table: table.State, Units: table.Units{Write: 2}},
			{Call: table.Refused, Table: table.Audit, Units: table.Units{Write: 2}},
		},
		dynamo: []table.Op{
			{Call: table.Wrote, Table: table.State, Units: table.Units{Read: 2}},
			{Call: table.Wrote, Table: table.Audit, Units: table.Units{Read: 2}},
		},
	},
}

// compareUnits compares what every step of the contract cost on both engines.
func compareUnits(t *testing.T, embedded, dynamo map[string][]table.Op) {
	t.Helper()
	var found []difference
	billed, byRule := 0, 0
	for _, test := range slices.Sorted(maps.Keys(embedded)) {
		ours, theirs := embedded[test], slices.Clone(dynamo[test])
		for i, op := range theirs {
			if op.Billed {
				billed++
			} else if byRule++; op.Call != table.Refused {
				t.Errorf("%s, op %d: the service did not say what it bills", test, i)
			}
			theirs[i].Billed = false
		}
		if d, differ := compare(test, ours, theirs); differ {
			found = append(found, d)
		}
	}
	fmt.Printf("PROOF bar 9: %d operations billed by the emulator as our rules say, %d refused ones by rule alone, %d differences\n", billed, byRule, len(found))
	if reflect.DeepEqual(found, differences) {
		return
	}
	for _, d := range found {
		t.Logf("%s, from op %d:\nembedded %+v\ndynamo   %+v", d.test, d.op, d.embedded, d.dynamo)
	}
	if os.Getenv("DYNAMODB_ENDPOINT") == "" { // others may bill otherwise, or make a test look twice
		t.Error("those are not the differences that we know")
	}
}

// compare finds the part of two courses, if any, in which they differ.
func compare(test string, a, b []table.Op) (difference, bool) {
	first := 0
	for first < min(len(a), len(b)) && a[first] == b[first] {
		first++
	}
	last := 0
	for last < min(len(a), len(b))-first && a[len(a)-1-last] == b[len(b)-1-last] {
		last++
	}
	d := difference{test: test, op: first, embedded: a[first : len(a)-last], dynamo: b[first : len(b)-last]}
	return d, len(d.embedded)+len(d.dynamo) > 0
}
