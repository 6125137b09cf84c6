package tabletest

import (
	"fmt"
	"time"

	"rightsdesk/shared/table"
)

var commits = []clause{
	{name: "a commit is all or nothing wherever it fails", test: func(s *store) {
		s.put(item("there", "before"), table.New)
		for _, place := range []int{0, 30, 60} {
			var writes []table.Write
			for i := range 60 {
				name := table.Names[i%3]
				writes = append(writes, table.Put(name, item(fmt.Sprintf("%d-%02d", place, i), "x"), table.New))
			}
			bad := table.Put(table.State, item("there", "after"), table.New)
			writes = append(writes[:place:place], append([]table.Write{bad}, writes[place:]...)...)
			s.conflict(s.commit(writes...), ref("there"))
			left := 0
			for _, name := range table.Names {
				left += len(s.walk(table.Query{Table: name, Partition: "p", Prefix: fmt.Sprint(place, "-")}))
			}
			s.check(left == 0, "%d writes of a refused commit were done", left)
		}
		s.check(string(s.item(table.State, key("there")).Body) == "before", "the refused write itself was done")
	}},
	{name: "a refused commit leaves the indexes alone", test: func(s *store) {
		it := item("a", "")
		it.Due, it.Subject = s.now(), "u"
		s.put(it, table.New)
		moved := it
		moved.Due, moved.Subject = s.now().Add(time.Hour), "v"
		s.conflict(s.commit(table.Put(table.State, moved, table.Version(1)), table.Check(ref("b"), table.Exists)), ref("b"))
		s.settles(table.Query{Table: table.State, Index: table.Subject, Partition: "u"}, "a")
		s.settles(table.Query{Table: table.State, Index: table.Subject, Partition: "v"})
		s.settles(table.Query{Table: table.State, Index: table.Due, Partition: table.ShardOf("p"), Until: s.now().Add(time.Minute)}, "a")
	}},
	{name: "a commit repeated with its id is done once", test: func(s *store) {
		id := s.id()
		first := []table.Write{table.Put(table.State, item("a", "one"), table.New), s.entry(id)}
		s.must(s.Commit(s.ctx(), id, first...))
		s.must(s.Commit(s.ctx(), id, first...))
		s.check(s.version(key("a")) == 1, "it was applied twice")
	}},
	{name: "a commit repeated later, after others wrote the item, is still known", test: func(s *store) {
		id := s.id()
		first := []table.Write{table.Put(table.State, item("a", "one"), table.New), s.entry(id)}
		s.must(s.Commit(s.ctx(), id, first...))
		s.put(item("a", "two"), table.Version(1))
		s.advance(time.Hour) // beyond the life of any token
		s.must(s.Commit(s.ctx(), id, first...))
		got := s.item(table.State, key("a"))
		s.check(got.Version == 2 && string(got.Body) == "two", "the repeat changed something: version %d, body %q", got.Version, got.Body)
		s.must(s.commit(table.Delete(ref("a"), table.Version(2))))
		s.must(s.Commit(s.ctx(), id, first...))
		s.check(s.version(key("a")) == 0, "the repeat brought back what was deleted since")
	}},
	{name: "a commit repeated with other contents is not done again", test: func(s *store) {
		id := s.id()
		s.must(s.Commit(s.ctx(), id, table.Put(table.State, item("a", "one"), table.New), s.entry(id)))
		s.must(s.Commit(s.ctx(), id, table.Put(table.State, item("b", "one"), table.New), s.entry(id)))
		s.check(s.version(key("b")) == 0, "it was applied twice")
	}},
	{name: "a repeat is known by any item that it puts", test: func(s *store) {
		id := s.id()
		s.must(s.Commit(s.ctx(), id, table.Put(table.Keys, item("a", "one"), table.New)))
		s.must(s.Commit(s.ctx(), id, table.Put(table.Keys, item("a", "one"), table.New)))
		id = s.id()
		s.must(s.Commit(s.ctx(), id, table.Put(table.Keys, item("a", "two"), table.Exists)))
		s.must(s.Commit(s.ctx(), id, table.Put(table.Keys, item("a", "two"), table.Exists)))
		got := s.item(table.Keys, key("a"))
		s.check(got.Version == 2, "the version is %d, want 2", got.Version)
	}},
	{name: "two commits of the same entry are not the same commit", test: func(s *store) {
		id, other := s.id(), s.id()
		s.must(s.Commit(s.ctx(), id, table.Put(table.State, item("a", "one"), table.New), s.entry(id)))
		err := s.Commit(s.ctx(), other, table.Put(table.State, item("b", "one"), table.New), s.entry(id))
		s.conflict(err, s.entry(id).Ref)
		s.check(s.version(key("b")) == 0, "a refused commit left something")
	}},
	{name: "a commit that was refused may be tried again with its id", test: func(s *store) {
		id := s.id()
		writes := []table.Write{table.Put(table.State, item("a", "two"), table.Version(1)), s.entry(id)}
		s.conflict(s.Commit(s.ctx(), id, writes...), ref("a"))
		s.put(item("a", "one"), table.New)
		s.must(s.Commit(s.ctx(), id, writes...))
		s.check(s.version(key("a")) == 2, "it was not applied")
	}},
}
