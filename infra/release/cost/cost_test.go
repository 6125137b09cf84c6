package cost_test

import (
	"testing"

	"rightsdesk/infra/release/cost"
	"rightsdesk/infra/release/formation"
)

const (
	root   = "../../.."
	golden = root + "/infra/stack/testdata/template.golden.json"
)

// installed is an installation with nothing said but what must be, as most are.
func installed(t *testing.T) *formation.Given {
	t.Helper()
	tpl, err := formation.Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	g, err := tpl.Give(nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func bill(t *testing.T, requests float64) *cost.Bill {
	t.Helper()
	u, err := cost.Journey(root)
	if err != nil {
		t.Fatal(err)
	}
	b, err := cost.MonthOf(installed(t), u, requests)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A small installation is cheap, with every alarm that is on by default, even in an
// account that has long used up what AWS gives for nothing.
func TestAThousandRequestsCostFiveDollarsAtMost(t *testing.T) {
	b := bill(t, 1e3)
	list, net := b.Total()
	t.Logf("a month with 1000 requests costs $%.2f, and $%.2f after what is free", list, net)
	for _, p := range cost.Prices {
		if l, n := b.Of(p.ID); l >= 0.005 {
			t.Logf("  %-22s %14.1f   $%.3f   $%.3f", p.ID, b.Quantity(p.ID), l, n)
		}
	}
	if list > 5 {
		t.Errorf("a month with 1000 requests costs $%.2f, over $5: look for what to drop", list)
	}
}
