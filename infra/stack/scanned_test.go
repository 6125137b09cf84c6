package stack_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rightsdesk/infra/stack"
)

// What we advertise has been scanned.
func TestEveryRegionIsScanned(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../scan/regions.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := stack.Regions()
	slices.Sort(want)
	if got := strings.Fields(string(b)); !slices.Equal(got, want) {
		t.Errorf("infra/scan/regions.txt has %v, the stack fits into %v", got, want)
	}
}
