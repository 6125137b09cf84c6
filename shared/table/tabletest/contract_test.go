package tabletest_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/table/hostile/wire"
	"rightsdesk/shared/table/tabletest"
)

// engines are the stores that have to pass the same suite: both engines, plain
// and in hostile surroundings.
func engines(endpoint string) map[string]tabletest.Open {
	embedded := func(t *testing.T, now func() time.Time) table.Table {
		t.Helper()
		return tabletest.Embedded(t, now)
	}
	dynamo := func(t *testing.T, now func() time.Time) table.Table {
		t.Helper()
		return tabletest.Dynamo(t, endpoint, now)
	}
	return map[string]tabletest.Open{
		"embedded":         embedded,
		"dynamo":           dynamo,
		"embedded hostile": surround(embedded),
		"dynamo hostile":   surround(dynamo),
		"dynamo hostile wire": func(t *testing.T, now func() time.Time) table.Table {
			t.Helper()
			return table.Steady(tabletest.Dynamo(t, endpoint, now, wire.Faults(seedOf(t))), hardly)
		},
	}
}

func surround(open tabletest.Open) tabletest.Open {
	return func(t *testing.T, now func() time.Time) table.Table {
		t.Helper()
		return table.Steady(hostile.New(open(t, now), seedOf(t), now), hardly)
	}
}

// seedOf gives every test another course of misfortune, and the same one every
// time it runs. Any other has to pass as well: set HOSTILE_SEED to try one.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	h := fnv.New64a()
	_, _ = h.Write([]byte(os.Getenv("HOSTILE_SEED") + t.Name())) // a hash never fails to write
	return h.Sum64()
}

// hardly is a sleep for tests, whose clocks stand still.
func hardly(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func TestContract(t *testing.T) {
	endpoint := tabletest.Emulator(t)
	reports := map[string]*tabletest.Report{}
	for name, open := range engines(endpoint) {
		t.Run(name, func(t *testing.T) {
			reports[name] = tabletest.Run(t, open)
		})
	}
	if t.Failed() || len(reports) < len(engines(endpoint)) { // -run may have picked one
		return
	}
	want := reports["embedded"].Checks
	for name, r := range reports {
		fmt.Printf("PROOF bar 3: contract of the store  %-20s %d checks\n", name, r.Checks)
		if r.Checks != want {
			t.Errorf("%s made %d checks, embedded %d: the contract is not the same", name, r.Checks, want)
		}
	}
	compareUnits(t, reports["embedded"].Ops, reports["dynamo"].Ops)
}
