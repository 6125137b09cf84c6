package tabletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/table"
)

var scans = []clause{
	{name: "a scan returns every item of its table once and whole", test: func(s *store) {
		want := s.scatter(30)
		for _, limit := range []int{0, 1, 7, 1001} {
			got := places(s.scanned(table.Scan{Table: table.Keys, Limit: limit}))
			s.check(equal(got, want), "limit %d: it returned %q, want %q", limit, got, want)
		}
		it := s.scanned(table.Scan{Table: table.Keys})[0]
		s.check(strings.HasPrefix(string(it.Body), "body ") && it.Version == 1 && it.Schema == 1 && it.CommitID != "", "got %+v", it)
		s.check(len(s.scanned(table.Scan{Table: table.State})) == 0, "another table holds something")
	}},
	{name: "the segments of a scan are all of it and share nothing", test: func(s *store) {
		want := s.scatter(60)
		for _, segments := range []int{1, 2, 5} {
			var got []string
			for segment := range segments {
				got = append(got, places(s.scanned(table.Scan{Table: table.Keys, Segment: segment, Segments: segments, Limit: 4}))...)
			}
			slices.Sort(got)
			s.check(equal(got, want), "%d segments returned %q, want %q", segments, got, want)
		}
	}},
	{name: "a scan never returns what has expired", test: func(s *store) {
		want := s.scatter(8)
		for i := range 8 {
			it := item(fmt.Sprintf("expires %d", i), "")
			it.Expires = s.now().Add(time.Minute)
			s.must(s.Commit(s.ctx(), s.id(), table.Put(table.Keys, it, table.New)))
		}
		s.check(len(s.scanned(table.Scan{Table: table.Keys, Limit: 3})) == 16, "they were hidden too early")
		s.advance(time.Minute)
		got := places(s.scanned(table.Scan{Table: table.Keys, Limit: 3}))
		s.check(equal(got, want), "it returned %q, want %q", got, want)
	}},
	{name: "a page of a scan holds at most 1 MB", test: func(s *store) {
		for i := range 15 {
			it := item(fmt.Sprintf("%02d", i), "")
			it.Body = make([]byte, 100<<10)
			s.must(s.Commit(s.ctx(), s.id(), table.Put(table.Keys, it, table.New)))
		}
		p, err := s.Scan(s.ctx(), table.Scan{Table: table.Keys})
		s.must(err)
		s.check(p.Cursor != "", "1.5 MB came in one page")
		n := len(s.scanned(table.Scan{Table: table.Keys}))
		s.check(n == 15, "%d items in all, want 15", n)
	}},
	{name: "a scan goes on where its cursor was although that item is gone", test: func(s *store) {
		for i := range 6 {
			it := table.Item{Key: table.Key{Partition: fmt.Sprintf("p%d", i), Sort: "-"}, Schema: 1}
			s.must(s.commit(table.Put(table.State, it, table.New)))
		}
		scan := table.Scan{Table: table.State}
		var first []table.Item
		for len(first) < 2 {
			scan.Limit = 2 - len(first)
			p, err := s.Scan(s.ctx(), scan)
			if err != nil {
				s.Fatal(err)
			}
			first, scan.Cursor = append(first, p.Items...), p.Cursor
		}
		s.must(s.commit(table.Delete(table.Ref{Table: table.State, Key: first[1].Key}, table.Exists)))
		got := append(places(first), places(s.scanned(scan))...)
		slices.Sort(got)
		want := []string{"p0/-", "p1/-", "p2/-", "p3/-", "p4/-", "p5/-"}
		s.check(equal(got, want), "it returned %q in all, want %q", got, want)
	}},
	{name: "a scan sees every commit that returned before", test: func(s *store) {
		s.put(item("a", "old"), table.New)
		s.put(item("a", "new"), table.Version(1))
		got := s.scanned(table.Scan{Table: table.State})
		s.check(len(got) == 1 && string(got[0].Body) == "new" && got[0].Version == 2, "it returned %+v", got)
	}},
	{name: "malformed scans are refused", test: func(s *store) {
		cursor := table.Scan{Table: table.State, Segment: 1, Segments: 2}.CursorAt(key("a"))
		for what, scan := range map[string]table.Scan{
			"no table":                  {},
			"a segment below":           {Table: table.State, Segment: -1, Segments: 2},
			"a segment beyond":          {Table: table.State, Segment: 2, Segments: 2},
			"a segment of none":         {Table: table.State, Segment: 1},
			"too many segments":         {Table: table.State, Segments: table.MaxSegments + 1},
			"no cursor":                 {Table: table.State, Cursor: "x"},
			"another segment's cursor":  {Table: table.State, Segments: 2, Cursor: cursor},
			"a cursor of a query":       {Table: table.State, Cursor: table.Query{Partition: "p"}.CursorAt(table.Place{Key: key("a")})},
			"a cursor that was changed": {Table: table.State, Segment: 1, Segments: 2, Cursor: cursor + "A"},
		} {
			_, err := s.Scan(s.ctx(), scan)
			s.fails(err, table.ErrMalformed)
			s.check(err != nil, "%s was taken", what)
		}
	}},
}

// scatter puts n items into Keys, three to a partition, and returns their places.
func (s *store) scatter(n int) []string {
	s.Helper()
	var all []string
	for i := range n {
		k := table.Key{Partition: fmt.Sprintf("p%02d", i/3), Sort: fmt.Sprintf("s%d", i%3)}
		it := table.Item{Key: k, Schema: 1, Body: []byte("body " + k.Sort)}
		s.must(s.Commit(s.ctx(), s.id(), table.Put(table.Keys, it, table.New)))
		all = append(all, k.Partition+"/"+k.Sort)
	}
	return all
}

// scanned follows the cursors of a scan to the end.
func (s *store) scanned(scan table.Scan) []table.Item {
	s.Helper()
	var all []table.Item
	for {
		p, err := s.Scan(s.ctx(), scan)
		if err != nil {
			s.Fatal(err)
		}
		if len(p.Items) > scan.PageSize() {
			s.Fatalf("a page of %d items, asked for %d", len(p.Items), scan.PageSize())
		}
		all = append(all, p.Items...)
		if scan.Cursor = p.Cursor; scan.Cursor == "" {
			return all
		}
	}
}

// places are the keys of items, sorted: a scan promises no order.
func places(items []table.Item) []string {
	var all []string
	for _, it := range items {
		all = append(all, it.Key.Partition+"/"+it.Key.Sort)
	}
	slices.Sort(all)
	return all
}
