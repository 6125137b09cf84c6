package tabletest_test

import (
	"fmt"
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

func noon() time.Time { return time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC) }

// benchmarked are the engines: the file without sync, so that it is the engine
// that is measured and not the disk, and the adapter with the emulator behind it.
func benchmarked(b *testing.B, run func(*testing.B, table.Table)) {
	b.Helper()
	b.Run("embedded", func(b *testing.B) { run(b, tabletest.Embedded(b, noon)) })
	b.Run("dynamo", func(b *testing.B) { run(b, tabletest.Dynamo(b, tabletest.Emulator(b), noon)) })
}

func sample(sort string) table.Item {
	return table.Item{
		Key: table.Key{Partition: "request#1", Sort: sort}, Schema: 1, Body: make([]byte, 500),
		Due: noon().Add(time.Hour), Subject: "subject#1",
	}
}

func BenchmarkGet(b *testing.B) {
	benchmarked(b, func(b *testing.B, s table.Table) {
		b.Helper()
		it := sample("state")
		if err := s.Commit(b.Context(), "first", table.Put(table.State, it, table.New)); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Get(b.Context(), table.Ref{Table: table.State, Key: it.Key}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCommit is the commit of a service: a state and its audit entry.
func BenchmarkCommit(b *testing.B) {
	benchmarked(b, func(b *testing.B, s table.Table) {
		b.Helper()
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			entry := table.Item{Key: table.Key{Partition: "request#1", Sort: fmt.Sprintf("%09d", n)}, Schema: 1, Body: make([]byte, 300)}
			err := s.Commit(b.Context(), table.NewID(), table.Put(table.State, sample(entry.Key.Sort), table.New), table.Put(table.Audit, entry, table.New))
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCount(b *testing.B) {
	benchmarked(b, func(b *testing.B, s table.Table) {
		b.Helper()
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			tally := table.Tally{Ref: table.Ref{Table: table.Keys, Key: table.Key{Partition: "limit", Sort: fmt.Sprint(n)}}, Limit: 3, New: table.Item{Schema: 1}}
			if _, err := s.Count(b.Context(), tally); err != nil {
				b.Fatal(err)
			}
		}
	})
}
