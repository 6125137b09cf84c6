package retention

import (
	"testing"

	"rightsdesk/shared/digest"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// The same on DynamoDB's rules: what a page costs there is metered, and said in docs/retention.md.
func TestASweepOnDynamoDB(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	store := table.Steady(tabletest.Dynamo(t, tabletest.Emulator(t), d.clock), table.Sleep)
	d.inner, d.Table, d.Keys.Table = store, store, store
	d.Digest = &digest.Book{Table: store, Now: d.clock, Policy: d.Policy}
	d.Policy.Sources[0].PageSize = source.PageSize
	due := d.years()
	d.activate("old-logs")
	var page, whole table.Meter
	d.shop.during = func(what string) {
		if what == "expire" {
			if item, err := d.inner.Get(t.Context(), pageRef("old-logs")); err == nil {
				t.Logf("a page of records is stored in %d bytes", len(item.Body))
			}
		}
	}
	if _, err := d.Sweep(table.WithMeter(t.Context(), &whole)); err != nil {
		t.Fatal(err)
	}
	d.once(due)
	t.Logf("a run of %d records in pages of %d:\n%s", due, source.PageSize, whole.String())
	d.turn(day)
	if _, err := d.Sweep(table.WithMeter(t.Context(), &page)); err != nil {
		t.Fatal(err)
	}
	t.Logf("the run of the day after:\n%s", page.String())
}
