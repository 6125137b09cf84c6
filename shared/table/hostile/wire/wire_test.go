package wire_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile/wire"
	"rightsdesk/shared/table/tabletest"
)

// A plain conditional write is sent once, so the port shows what the wire did to
// it. It must be the truth: what is busy was not done, what is unknown may have been.
func TestTheWireFailsAndTheAdapterTellsTheTruth(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Unix(1774742399, 0) }
	s := tabletest.Dynamo(t, tabletest.Emulator(t), now, wire.Faults(1))
	reader := table.Steady(s, func(context.Context, time.Duration) error { return nil })
	times := map[string]int{}
	for i := range 300 {
		it := table.Item{Key: table.Key{Partition: "p", Sort: fmt.Sprint(i)}, Schema: 1}
		err := s.Commit(t.Context(), table.NewID(), table.Put(table.Keys, it, table.New))
		_, absent := reader.Get(t.Context(), table.Ref{Table: table.Keys, Key: it.Key})
		if absent != nil && !errors.Is(absent, table.ErrAbsent) {
			t.Fatal(absent)
		}
		switch done := absent == nil; {
		case err == nil && done:
			times["done"]++
		case errors.Is(err, table.ErrBusy) && !done:
			times["busy"]++
		case errors.Is(err, table.ErrUnknown) && done:
			times["done, but its answer lost"]++
		default:
			t.Fatalf("a lie: the error is %v, it was done: %v", err, done)
		}
	}
	t.Log(times)
	for _, name := range []string{"done", "busy", "done, but its answer lost"} {
		if times[name] == 0 {
			t.Errorf("never met: %s", name)
		}
	}
}

// The SDK repeats a transaction under its token, so most of what the wire does
// to it is mended below the port.
func TestATransactionIsDoneOnceWhateverTheWireDoes(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Unix(1774742399, 0) }
	s := table.Steady(tabletest.Dynamo(t, tabletest.Emulator(t), now, wire.Faults(2)), func(context.Context, time.Duration) error { return nil })
	it := table.Item{Key: table.Key{Partition: "p", Sort: "s"}, Schema: 1}
	pre := table.New
	for i := range 100 {
		entry := table.Item{Key: table.Key{Partition: "chain", Sort: fmt.Sprint(i)}, Schema: 1}
		err := s.Commit(t.Context(), table.NewID(), table.Put(table.State, it, pre), table.Put(table.Audit, entry, table.New))
		if err != nil {
			t.Fatal(err)
		}
		pre = table.Version(int64(i + 1))
	}
	got, err := s.Get(t.Context(), table.Ref{Table: table.State, Key: it.Key})
	if err != nil || got.Version != 100 {
		t.Errorf("the version is %d, %v, want 100", got.Version, err)
	}
}
