package table_test

import (
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/table"
)

const kb = 1 << 10

// The worked examples of the DynamoDB Developer Guide, sections "DynamoDB read
// and write operations" and "Using global secondary indexes".
func TestUnitsOfTheGuide(t *testing.T) {
	t.Parallel()
	read := func(sizes ...int) float64 { // each item rounded, as in GetItem
		sum := 0.0
		for _, size := range sizes {
			sum += table.ReadUnits(size)
		}
		return sum
	}
	for name, c := range map[string]struct{ got, want float64 }{
		"reading 3,500 bytes is reading 4 KB":                    {table.ReadUnits(3500), table.ReadUnits(4 * kb)},
		"reading 4 KB strongly is one unit":                      {table.ReadUnits(4 * kb), 1},
		"reading 4 KB eventually is half of one":                 {table.ReadUnits(4*kb) / 2, 0.5},
		"reading 8 KB strongly is two units":                     {table.ReadUnits(8 * kb), 2},
		"reading 8 KB eventually is one":                         {table.ReadUnits(8*kb) / 2, 1},
		"reading 8 KB in a transaction is four":                  {table.TransactionFactor * table.ReadUnits(8*kb), 4},
		"reading 3.5 KB is rounded to 4 KB":                      {table.ReadUnits(3*kb + kb/2), 1},
		"reading 10 KB is rounded to 12 KB":                      {table.ReadUnits(10 * kb), 3},
		"1.5 KB and 6.5 KB read apart are 12 KB, not 8":          {read(kb+kb/2, 6*kb+kb/2), 3},
		"a query over 40.8 KB is rounded to 44 KB":               {table.ReadUnits(41_779), 11},
		"a query over 1,500 items of 64 bytes is one over 96 KB": {table.ReadUnits(1500 * 64), 24},
		"a query over 8 index entries of 2,000 bytes is 2 units": {table.ReadUnits(8*2000) / 2, 2},
		"reading what is not there is one unit":                  {table.ReadUnits(0), 1},
		"writing 1 KB is one unit":                               {table.WriteUnits(0, kb), 1},
		"writing 1 KB in a transaction is two":                   {table.TransactionFactor * table.WriteUnits(0, kb), 2},
		"writing 2 KB is two units":                              {table.WriteUnits(0, 2*kb), 2},
		"writing 2 KB in a transaction is four":                  {table.TransactionFactor * table.WriteUnits(0, 2*kb), 4},
		"writing 500 bytes is writing 1 KB":                      {table.WriteUnits(0, 500), 1},
		"500 bytes and 3.5 KB written apart are 5 KB":            {table.WriteUnits(0, 500) + table.WriteUnits(0, 3*kb+kb/2), 5},
		"an update is billed by the larger size, here after it":  {table.WriteUnits(kb, 3*kb), 3},
		"an update is billed by the larger size, here before it": {table.WriteUnits(3*kb, kb), 3},
		"a delete is billed by what it deletes":                  {table.WriteUnits(5*kb, 0), 5},
		"a delete of nothing is one unit":                        {table.WriteUnits(0, 0), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v units, want %v", name, c.got, c.want)
		}
	}
}

func TestUnitsOfAnIndex(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	none := table.Item{Version: 1, Key: table.Key{Partition: "p", Sort: "s"}, Schema: 1}
	with := func(change func(*table.Item)) table.Item {
		it := none
		change(&it)
		return it
	}
	due := with(func(it *table.Item) { it.Due = noon })
	for name, c := range map[string]struct {
		before, after table.Item
		want          float64
	}{
		"a write of an item that the index does not hold is free": {none, with(func(it *table.Item) { it.Body = make([]byte, 9*kb) }), 0},
		"a new entry is one write":                                {table.Item{}, due, 1},
		"an item that enters the index is one write":              {none, due, 1},
		"an item that leaves the index is one write":              {due, none, 1},
		"an item that is deleted leaves the index":                {due, table.Item{}, 1},
		"an item that moves within the index is two writes":       {due, with(func(it *table.Item) { it.Due = noon.Add(time.Millisecond) }), 2},
		"a change of what the index does not hold is free":        {due, with(func(it *table.Item) { it.Due = noon; it.Body = []byte("x"); it.Version = 2 }), 0},
		"a change of another projected value is one write":        {due, with(func(it *table.Item) { it.Due = noon; it.Expires = noon }), 1},
		"the same again is free":                                  {due, due, 0},
	} {
		if got := table.IndexUnits(table.Due, c.before, c.after); got != c.want {
			t.Errorf("%s: %v units, want %v", name, got, c.want)
		}
	}
	long := with(func(it *table.Item) {
		it.Key = table.Key{Partition: strings.Repeat("k", 512), Sort: strings.Repeat("k", 512)}
		it.Due = noon
	})
	if got := table.IndexUnits(table.Due, table.Item{}, long); got != 2 {
		t.Errorf("an entry of more than 1 KB is %v units, want 2", got)
	}
}

func TestUnitsOfCommits(t *testing.T) {
	t.Parallel()
	item := func(sort string, size int) table.Item {
		return table.Item{Key: table.Key{Partition: "p", Sort: sort}, Version: 1, Schema: 1, Body: make([]byte, size)}
	}
	state, audit := table.Put(table.State, item("a", 10), table.New), table.Put(table.Audit, item("b", 10), table.New)
	check := table.Check(table.Ref{Table: table.State, Key: table.Key{Partition: "p", Sort: "c"}}, table.Exists)
	ref := table.Ref{Table: table.State, Key: table.Key{Partition: "p", Sort: "a"}}
	sum := func(ops []table.Op) (w float64) {
		for _, op := range ops {
			w += op.Units.Write
		}
		return w
	}
	for name, c := range map[string]struct{ got, want float64 }{
		"one write is billed once":           {sum(table.WrittenOps([]table.Write{state}, []table.Item{{}}, []table.Item{item("a", 10)})), 1},
		"two writes are billed twice each":   {sum(table.WrittenOps([]table.Write{state, audit}, []table.Item{{}, {}}, []table.Item{item("a", 10), item("b", 10)})), 4},
		"a check is billed as a write":       {sum(table.WrittenOps([]table.Write{state, check}, []table.Item{{}, item("c", 2*kb)}, []table.Item{item("a", 10), item("c", 2*kb)})), 2 + 6},
		"a refused write is billed":          {sum(table.RefusedOps("id", []table.Write{state}, []table.Item{{}})), 1},
		"a refused commit is billed":         {sum(table.RefusedOps("id", []table.Write{state, audit}, []table.Item{{}, {}})), 4},
		"and by the larger item, if found":   {sum(table.RefusedOps("id", []table.Write{state}, []table.Item{item("a", 3*kb)})), 4},
		"counting on nothing is one write":   {sum(table.Tally{Ref: ref, Limit: 1, New: item("a", 1)}.Ops(table.Item{}, time.Time{})), 1},
		"counting over the limit is one":     {sum(table.Tally{Ref: ref, Limit: 1}.Ops(counted("", 1), time.Time{})), 1},
		"counting on in a window is two":     {sum(table.Tally{Ref: ref, Limit: 2}.Ops(counted("", 1), time.Time{})), 2},
		"counting in a new window is one":    {sum(table.Tally{Ref: ref, Window: "b", Limit: 1}.Ops(counted("a", 1), time.Time{})), 1},
		"counting without an item costs one": {sum(table.Tally{Ref: ref, Limit: 1}.Ops(table.Item{}, time.Time{})), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v units, want %v", name, c.got, c.want)
		}
	}
}

func counted(window string, n int64) table.Item {
	return table.Item{Version: 1, Schema: 1, Counted: table.Counted{Window: window, N: n, Total: n}}
}
