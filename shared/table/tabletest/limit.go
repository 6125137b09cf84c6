package tabletest

import (
	"bytes"
	"fmt"
	"strings"

	"rightsdesk/shared/table"
)

var limits = []clause{
	{name: "a commit takes 100 writes and refuses 101", test: func(s *store) {
		writes := func(n int) []table.Write {
			ws := make([]table.Write, n)
			for i := range ws {
				ws[i] = table.Put(table.Names[i%3], item(fmt.Sprintf("%03d", i), "x"), table.New)
			}
			return ws
		}
		s.fails(s.Commit(s.ctx(), s.id(), writes(table.MaxWrites+1)...), table.ErrTooLarge)
		s.check(s.version(key("000")) == 0, "a refused commit left something")
		s.must(s.Commit(s.ctx(), s.id(), writes(table.MaxWrites)...))
		n := 0
		for _, name := range table.Names {
			n += len(s.walk(table.Query{Table: name, Partition: "p"}))
		}
		s.check(n == table.MaxWrites, "%d items are there, want %d", n, table.MaxWrites)
	}},
	{name: "a commit takes 4 MB and refuses more", test: func(s *store) {
		writes := make([]table.Write, 11)
		for i := range writes {
			it := item(fmt.Sprintf("%03d", i), "")
			it.Body = bytes.Repeat([]byte{1}, 390<<10)
			writes[i] = table.Put(table.State, it, table.New)
		}
		s.fails(s.Commit(s.ctx(), s.id(), writes...), table.ErrTooLarge)
		s.check(s.version(key("000")) == 0, "a refused commit left something")
		s.must(s.Commit(s.ctx(), s.id(), writes[:10]...))
		n := len(s.walk(table.Query{Table: table.State, Partition: "p"}))
		s.check(n == 10, "%d items are there, want 10", n)
	}},
	{name: "an item takes 400 KB and the error about more names it", test: func(s *store) {
		id := s.id()
		it := item("big", "")
		overhead := table.Write{Verb: table.PutItem, Item: it}.Stored(id, table.Item{}).Size()
		it.Body = make([]byte, table.MaxItemSize-overhead+1)
		err := s.Commit(s.ctx(), id, table.Put(table.State, it, table.New))
		s.fails(err, table.ErrTooLarge)
		s.check(err != nil && strings.Contains(err.Error(), "state/p/big has 409601 bytes"), "the error does not say what is too large: %v", err)
		it.Body = it.Body[1:]
		s.must(s.Commit(s.ctx(), id, table.Put(table.State, it, table.New)))
		s.check(len(s.item(table.State, it.Key).Body) == len(it.Body), "the item came back with another length")
	}},
	{name: "an item that fits but for its counter is not counted", test: func(s *store) {
		id := s.id()
		it := item("big", "")
		overhead := table.Write{Verb: table.PutItem, Item: it}.Stored(id, table.Item{}).Size()
		it.Body = make([]byte, table.MaxItemSize-overhead)
		s.must(s.Commit(s.ctx(), id, table.Put(table.State, it, table.New)))
		s.countFails(table.Tally{Ref: ref("big"), Window: "day", Limit: 5}, table.ErrTooLarge)
	}},
}
