package tabletest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rightsdesk/shared/table"
)

var pages = []clause{
	{name: "a partition is walked in the order of its sort parts", test: func(s *store) {
		names := []string{"a", "a#", "a#1", "a#10", "a#2", "b", "é", "z"}
		for _, n := range names {
			s.must(s.Commit(s.ctx(), s.id(), table.Put(table.Keys, item(n, ""), table.New)))
		}
		want := slices.Sorted(slices.Values(names))
		for _, limit := range []int{0, 1, 3, 8, 1001} {
			got := sorts(s.walk(table.Query{Table: table.Keys, Partition: "p", Limit: limit}))
			s.check(equal(got, want), "limit %d: walked %q, want %q", limit, got, want)
		}
		got := sorts(s.walk(table.Query{Table: table.Keys, Partition: "p", Prefix: "a#", Limit: 2}))
		s.check(equal(got, []string{"a#", "a#1", "a#10", "a#2"}), "the prefix found %q", got)
		got = sorts(s.walk(table.Query{Table: table.Keys, Partition: "p", Prefix: "c"}))
		s.check(len(got) == 0, "a prefix of nothing found %q", got)
	}},
	{name: "a partition does not run over into its neighbours", test: func(s *store) {
		for _, p := range []string{"a", "aa", "a#"} {
			it := table.Item{Key: table.Key{Partition: p, Sort: "of " + p}, Schema: 1}
			s.must(s.Commit(s.ctx(), s.id(), table.Put(table.Keys, it, table.New)))
		}
		got := sorts(s.walk(table.Query{Table: table.Keys, Partition: "a"}))
		s.check(equal(got, []string{"of a"}), "the partition holds %q", got)
	}},
	{name: "a query returns whole items", test: func(s *store) {
		s.put(item("a", "body"), table.New)
		got := s.walk(table.Query{Table: table.State, Partition: "p"})
		s.check(len(got) == 1 && string(got[0].Body) == "body" && got[0].Version == 1 && got[0].Schema == 1 && got[0].CommitID != "", "got %+v", got)
	}},
	{name: "a page holds at most 1 MB and the walk all the same everything", test: func(s *store) {
		var want []string
		for i := range 15 {
			it := item(fmt.Sprintf("%02d", i), "")
			it.Body = make([]byte, 100<<10)
			s.must(s.Commit(s.ctx(), s.id(), table.Put(table.Keys, it, table.New)))
			want = append(want, it.Key.Sort)
		}
		p, err := s.Query(s.ctx(), table.Query{Table: table.Keys, Partition: "p"})
		s.must(err)
		s.check(p.Cursor != "", "1.5 MB came in one page")
		got := sorts(s.walk(table.Query{Table: table.Keys, Partition: "p"}))
		s.check(equal(got, want), "walked %q, want %q", got, want)
	}},
	{name: "a walk goes on where its cursor was although that item is gone", test: func(s *store) {
		for _, n := range []string{"a", "b", "c", "d"} {
			s.put(item(n, ""), table.New)
		}
		q := table.Query{Table: table.State, Partition: "p", Limit: 2}
		var first []table.Item
		for len(first) < 2 {
			q.Limit = 2 - len(first)
			p, err := s.Query(s.ctx(), q)
			if err != nil {
				s.Fatal(err)
			}
			first, q.Cursor = append(first, p.Items...), p.Cursor
		}
		s.must(s.commit(table.Delete(ref("b"), table.Exists)))
		got := sorts(s.walk(q))
		s.check(equal(got, []string{"c", "d"}), "walked on with %q", got)
	}},
	{name: "a walk under concurrent writes loses and repeats nothing", racing: true, test: func(s *store) {
		stay := func(n int) string { return fmt.Sprintf("%03d stays", n) }
		for i := 0; i < 100; i += 50 {
			var writes []table.Write
			for j := range 50 {
				it := item(stay(i+j), "")
				it.Due, it.Subject = s.now().Add(time.Duration(i+j)*time.Millisecond), "u"
				writes = append(writes, table.Put(table.State, it, table.New))
			}
			s.must(s.commit(writes...))
		}
		s.advance(10 * time.Second)
		queries := []table.Query{
			{Table: table.State, Partition: "p", Limit: 7},
			{Table: table.State, Index: table.Subject, Partition: "u", Limit: 7},
			{Table: table.State, Index: table.Due, Partition: table.ShardOf("p"), Limit: 7},
		}
		walked := make([][]table.Item, len(queries))
		var done atomic.Int64
		s.together(len(queries)+2, func(n int) {
			if n < len(queries) {
				defer done.Add(1)
				walked[n] = s.walk(queries[n])
				return
			}
			for i := 0; done.Load() < int64(len(queries)); i++ {
				s.comeAndGo(fmt.Sprintf("%03d comes and goes %d", i*37%100, n))
			}
		})
		for n, items := range walked {
			seen := map[string]int{}
			for _, it := range items {
				seen[it.Key.Sort]++
			}
			lost, repeated := 0, 0
			for i := range 100 {
				if seen[stay(i)] == 0 {
					lost++
				}
			}
			for _, times := range seen {
				if times > 1 {
					repeated++
				}
			}
			s.check(lost == 0 && repeated == 0, "%s: %d items lost, %d repeated", queries[n].Index, lost, repeated)
		}
	}},
	{name: "a cursor of something else is refused", test: func(s *store) {
		for _, cursor := range []string{"x", "AQ", "AQH_", strings.Repeat("A", 4000)} {
			_, err := s.Query(s.ctx(), table.Query{Table: table.State, Index: table.Due, Partition: table.DueShard(1), Cursor: cursor})
			s.fails(err, table.ErrMalformed)
		}
	}},
}

// comeAndGo puts an item into all indexes and deletes it again.
func (s *store) comeAndGo(sort string) {
	it := item(sort, "")
	it.Due, it.Subject = s.now().Add(50*time.Millisecond), "u"
	if err := s.commit(table.Put(table.State, it, table.New)); err != nil {
		s.Errorf("come: %v", err)
	}
	if err := s.commit(table.Delete(ref(sort), table.Exists)); err != nil {
		s.Errorf("go: %v", err)
	}
}
