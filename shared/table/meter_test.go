package table_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"rightsdesk/shared/table"
)

func TestMeterAddsUp(t *testing.T) {
	t.Parallel()
	var m table.Meter
	ctx := table.WithMeter(t.Context(), &m)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			table.MeterOf(ctx).Record(
				table.Op{Call: table.Wrote, Table: table.State, Units: table.Units{Write: 2}},
				table.Op{Call: table.Queried, Table: table.State, Index: table.Due, Units: table.Units{Read: 0.5}},
				table.Op{Call: table.Got, Table: table.Keys, Units: table.Units{Read: 1}},
			)
		})
	}
	wg.Wait()
	if got, want := m.Total(), (table.Units{Read: 12, Write: 16}); got != want {
		t.Errorf("the total is %+v, want %+v", got, want)
	}
	if got, want := m.OfTable(table.State), (table.Units{Read: 4, Write: 16}); got != want {
		t.Errorf("the table's sum is %+v, want %+v", got, want)
	}
	if got, want := m.OfIndex(table.State, table.Due), (table.Units{Read: 4}); got != want {
		t.Errorf("the index's sum is %+v, want %+v", got, want)
	}
	want := strings.TrimPrefix(`
table  index        read    write
state  primary       0.0     16.0
state  due           4.0      0.0
keys   primary       8.0      0.0
total               12.0     16.0
`, "\n")
	if got := m.String(); got != want {
		t.Errorf("it prints\n%s, want\n%s", got, want)
	}
	if m.Reset(); len(m.Ops()) != 0 {
		t.Errorf("after a reset it holds %d ops", len(m.Ops()))
	}
}

func TestNobodyHasToMeter(t *testing.T) {
	t.Parallel()
	table.MeterOf(context.Background()).Record(table.Op{Call: table.Got}) // must not panic
	table.MeterOf(table.WithMeter(t.Context(), nil)).Record(table.Op{Call: table.Got})
}
