package tabletest_test

import (
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

func TestContract(t *testing.T) {
	endpoint := tabletest.Emulator(t)
	var em, dy *tabletest.Report
	t.Run("embedded", func(t *testing.T) {
		em = tabletest.Run(t, func(t *testing.T, now func() time.Time) table.Table { return tabletest.Embedded(t, now) })
	})
	t.Run("dynamo", func(t *testing.T) {
		dy = tabletest.Run(t, func(t *testing.T, now func() time.Time) table.Table { return tabletest.Dynamo(t, endpoint, now) })
	})
	for name, ops := range em.Ops {
		d := dy.Ops[name]
		for i := range max(len(ops), len(d)) {
			var a, b table.Op
			if i < len(ops) {
				a = ops[i]
			}
			if i < len(d) {
				b = d[i]
			}
			billed := b.Billed
			b.Billed = false
			if a != b {
				t.Logf("%s #%d embedded %+v dynamo %+v billed %v", name, i, a, b, billed)
			}
		}
	}
}
