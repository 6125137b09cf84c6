package tabletest

import (
	"time"

	"rightsdesk/shared/table"
)

var expiry = []clause{
	{name: "an expired item is hidden from every reader at once", test: func(s *store) {
		it := item("a", "")
		it.Due, it.Subject, it.Expires = s.now(), "u", s.now().Add(time.Minute)
		s.put(it, table.New)
		s.settles(dueQuery(), "a")
		s.settles(subjectQuery("u"), "a")
		s.advance(it.Expires.Sub(s.now()) - time.Nanosecond)
		s.check(s.version(key("a")) == 1, "it was hidden too early")
		s.advance(time.Nanosecond)
		_, err := s.Get(s.ctx(), ref("a"))
		s.fails(err, table.ErrAbsent)
		s.check(len(s.walk(table.Query{Table: table.State, Partition: "p"})) == 0, "a query shows it")
		s.check(len(s.walk(dueQuery())) == 0, "the due-index shows it")
		s.check(len(s.walk(subjectQuery("u"))) == 0, "the subject index shows it")
	}},
	{name: "what takes the place of an expired item inherits nothing", test: func(s *store) {
		it := item("a", "old")
		it.Due, it.Subject, it.Expires = s.now(), "u", s.now().Add(time.Minute)
		s.put(it, table.New)
		_, err := s.Count(s.ctx(), table.Tally{Ref: ref("a"), Window: "day", Limit: 1000})
		s.check(err == nil || mayHaveCounted(err), "count: %v", err)
		s.advance(time.Minute)
		s.put(item("a", "new"), table.New)
		got := s.item(table.State, key("a"))
		s.check(got.Version == 1 && string(got.Body) == "new", "got version %d, body %q", got.Version, got.Body)
		s.check(got.Counted == table.Counted{} && got.Expires.IsZero(), "it inherited %+v, %s", got.Counted, got.Expires)
		s.settles(dueQuery())
		s.settles(subjectQuery("u"))
	}},
	{name: "an expiry may be put off, and taken away", test: func(s *store) {
		it := item("a", "")
		it.Expires = s.now().Add(time.Minute)
		s.put(it, table.New)
		it.Expires = s.now().Add(time.Hour)
		s.put(it, table.Version(1))
		s.advance(time.Minute)
		s.check(s.version(key("a")) == 2, "it expired at its first date")
		it.Expires = time.Time{}
		s.put(it, table.Version(2))
		s.advance(time.Hour)
		s.check(s.version(key("a")) == 3, "it expired at its second date")
	}},
	{name: "expired items do not end a walk", test: func(s *store) {
		for _, n := range []string{"a", "b", "c", "d", "e"} {
			it := item(n, "")
			if n != "e" {
				it.Expires = s.now().Add(time.Minute)
			}
			it.Due = s.now()
			s.put(it, table.New)
		}
		s.settlesInAnyOrder(dueQuery(), "a", "b", "c", "d", "e")
		s.advance(time.Minute)
		got := sorts(s.walk(table.Query{Table: table.State, Partition: "p", Limit: 2}))
		s.check(equal(got, []string{"e"}), "walked %q", got)
		q := dueQuery()
		q.Limit = 2
		got = sorts(s.walk(q))
		s.check(equal(got, []string{"e"}), "the due-index shows %q", got)
	}},
}
