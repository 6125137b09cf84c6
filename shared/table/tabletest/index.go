package tabletest

import (
	"fmt"
	"slices"
	"time"

	"rightsdesk/shared/table"
)

func dueQuery() table.Query {
	return table.Query{Table: table.State, Index: table.Due, Partition: table.ShardOf("p")}
}

func subjectQuery(u string) table.Query {
	return table.Query{Table: table.State, Index: table.Subject, Partition: u}
}

var indexes = []clause{
	{name: "an index holds only what is filed in it", test: func(s *store) {
		due, subject, both := item("due", ""), item("subject", ""), item("both", "")
		due.Due, subject.Subject = s.now(), "u"
		both.Due, both.Subject = s.now().Add(time.Second), "u"
		s.must(s.commit(table.Put(table.State, due, table.New), table.Put(table.State, subject, table.New),
			table.Put(table.State, both, table.New), table.Put(table.State, item("neither", ""), table.New)))
		s.settles(dueQuery(), "due", "both")
		found := s.walk(subjectQuery("u"))
		s.check(len(found) <= 2, "the index holds %d items", len(found))
		s.settlesInAnyOrder(subjectQuery("u"), "both", "subject")
		s.settles(subjectQuery("v"))
	}},
	{name: "an index returns keys and what it files by, nothing else", test: func(s *store) {
		it := item("a", "body")
		it.Due, it.Subject, it.Expires = s.now(), "u", s.now().Add(time.Hour)
		s.put(it, table.New)
		s.settles(dueQuery(), "a")
		want := table.Item{Key: it.Key, Due: it.Due}
		got := s.walk(dueQuery())[0]
		s.check(fmt.Sprint(got) == fmt.Sprint(want), "due holds %+v, want %+v", got, want)
		s.settles(subjectQuery("u"), "a")
		want = table.Item{Key: it.Key, Subject: "u"}
		got = s.walk(subjectQuery("u"))[0]
		s.check(fmt.Sprint(got) == fmt.Sprint(want), "subject holds %+v, want %+v", got, want)
	}},
	{name: "the due-index is in the order of time and ends where it is told", test: func(s *store) {
		start := s.now()
		for i, ms := range []int{30, 10, 20, 999_999, 0} {
			it := item(fmt.Sprint(i), "")
			it.Due = start.Add(time.Duration(ms) * time.Millisecond)
			s.put(it, table.New)
		}
		s.settles(dueQuery(), "4", "1", "2", "0", "3")
		until := dueQuery()
		until.Until = start.Add(20 * time.Millisecond)
		s.settles(until, "4", "1", "2")
		until.Until = start.Add(20*time.Millisecond - 1)
		s.settles(until, "4", "1")
		until.Until, until.Limit = start.Add(time.Second), 1
		s.settles(until, "4", "1", "2", "0")
	}},
	{name: "what is due at one instant is paged without loss", test: func(s *store) {
		var writes []table.Write
		var want []string
		for i := range 20 {
			it := item(fmt.Sprintf("%02d", i), "")
			it.Due, it.Subject = s.now(), "u"
			writes = append(writes, table.Put(table.State, it, table.New))
			want = append(want, it.Key.Sort)
		}
		s.must(s.commit(writes...))
		for _, q := range []table.Query{dueQuery(), subjectQuery("u")} {
			q.Limit = 3
			s.settlesInAnyOrder(q, want...)
		}
	}},
	{name: "an item moves through the indexes with every put", test: func(s *store) {
		it := item("a", "")
		it.Due, it.Subject = s.now(), "u"
		s.put(it, table.New)
		s.settles(dueQuery(), "a")
		s.settles(subjectQuery("u"), "a")
		early := dueQuery()
		early.Until = it.Due
		it.Due, it.Subject = it.Due.Add(time.Hour), "v"
		s.put(it, table.Version(1))
		s.settles(early)
		s.settles(dueQuery(), "a")
		s.settles(subjectQuery("u"))
		s.settles(subjectQuery("v"), "a")
		it.Due, it.Subject = time.Time{}, ""
		s.put(it, table.Version(2))
		s.settles(dueQuery())
		s.settles(subjectQuery("v"))
		it.Due, it.Subject = s.now(), "u"
		s.put(it, table.Version(3))
		s.settles(dueQuery(), "a")
		s.must(s.commit(table.Delete(ref("a"), table.Exists)))
		s.settles(dueQuery())
		s.settles(subjectQuery("u"))
	}},
	{name: "items are spread over the shards by their partition", test: func(s *store) {
		for i := range 8 {
			it := table.Item{Key: table.Key{Partition: fmt.Sprint("part ", i), Sort: fmt.Sprint(i)}, Schema: 1, Due: s.now()}
			s.put(it, table.New)
			q := dueQuery()
			q.Partition = table.ShardOf(it.Key.Partition)
			for j := range i + 1 {
				if table.ShardOf(fmt.Sprint("part ", j)) == q.Partition && j != i {
					q.Partition = "" // shared with an earlier one: looked at there
				}
			}
			if q.Partition != "" {
				s.settles(q, it.Key.Sort)
			}
		}
	}},
}

func (s *store) settlesInAnyOrder(q table.Query, want ...string) {
	s.Helper()
	var got []string
	for range 20 {
		got = sorts(s.walk(q))
		slices.Sort(got)
		if equal(got, want) {
			break
		}
		s.advance(time.Second)
		time.Sleep(20 * time.Millisecond) // for engines that are stale by a clock of their own
	}
	s.check(equal(got, want), "the index shows %q, want %q", got, want)
}
