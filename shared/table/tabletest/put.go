package tabletest

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"time"

	"rightsdesk/shared/table"
)

var putAndGet = []clause{
	{name: "an item comes back as it was put", test: func(s *store) {
		put := table.Item{
			Key:     table.Key{Partition: "request#01/ä", Sort: "a b?%\U0001F511"},
			Body:    []byte{0, 1, 0xff, '\n', 0},
			Schema:  7,
			Due:     time.Date(2026, 10, 25, 2, 30, 0, 123_456_789, time.FixedZone("CET", 3600)),
			Subject: "subject#1",
			Expires: time.Date(2031, 1, 1, 0, 0, 0, 999, time.UTC),
		}
		id := s.id()
		s.must(s.Commit(s.ctx(), id, table.Put(table.State, put, table.New)))
		want := put
		want.Due = time.Date(2026, 10, 25, 1, 30, 0, 123_000_000, time.UTC)
		want.Expires = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
		want.Version, want.CommitID = 1, id
		got := s.item(table.State, put.Key)
		s.check(reflect.DeepEqual(got, want), "got\n%+v, want\n%+v", got, want)
	}},
	{name: "a second put counts the version up and replaces everything", test: func(s *store) {
		first := item("a", "one")
		first.Due, first.Subject, first.Expires = s.now(), "u", s.now().Add(time.Hour)
		s.put(first, table.New)
		s.put(item("a", "two"), table.Version(1))
		got := s.item(table.State, key("a"))
		s.check(got.Version == 2 && string(got.Body) == "two", "got version %d, body %q", got.Version, got.Body)
		s.check(got.Due.IsZero() && got.Subject == "" && got.Expires.IsZero(), "something of the first item is left: %+v", got)
	}},
	{name: "what was never put is absent", test: func(s *store) {
		for _, name := range table.Names {
			_, err := s.Get(s.ctx(), table.Ref{Table: name, Key: key("a")})
			s.fails(err, table.ErrAbsent)
		}
	}},
	{name: "the same key in another table is another item", test: func(s *store) {
		s.must(s.commit(table.Put(table.State, item("a", "state"), table.New), table.Put(table.Keys, item("a", "keys"), table.New)))
		s.check(string(s.item(table.State, key("a")).Body) == "state", "state holds something else")
		s.check(string(s.item(table.Keys, key("a")).Body) == "keys", "keys holds something else")
		_, err := s.Get(s.ctx(), table.Ref{Table: table.Audit, Key: key("a")})
		s.fails(err, table.ErrAbsent)
	}},
	{name: "what was deleted is absent and may be new again", test: func(s *store) {
		s.put(item("a", "one"), table.New)
		s.must(s.commit(table.Delete(ref("a"), table.Version(1))))
		_, err := s.Get(s.ctx(), ref("a"))
		s.fails(err, table.ErrAbsent)
		s.put(item("a", "two"), table.New)
		s.check(s.version(key("a")) == 1, "the version did not start again")
	}},
	{name: "bodies may be empty or hold any byte", test: func(s *store) {
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		for name, body := range map[string][]byte{"nil": nil, "empty": {}, "every": every} {
			it := item(name, "")
			it.Body = body
			s.put(it, table.New)
			s.check(bytes.Equal(s.item(table.State, key(name)).Body, body), "the %s body came back as another", name)
		}
	}},
	{name: "keys may be as long as they may be", test: func(s *store) {
		it := item("", "")
		it.Key = table.Key{Partition: strings.Repeat("p", table.MaxKeyPart), Sort: strings.Repeat("s", table.MaxKeyPart)}
		it.Due, it.Subject = s.now(), strings.Repeat("u", table.MaxKeyPart)
		s.put(it, table.New)
		s.check(s.version(it.Key) == 1, "the item is not there")
		s.settles(table.Query{Table: table.State, Index: table.Subject, Partition: it.Subject}, it.Key.Sort)
		s.settles(table.Query{Table: table.State, Index: table.Due, Partition: table.ShardOf(it.Key.Partition)}, it.Key.Sort)
	}},
	{name: "a call whose context has ended changes nothing", test: func(s *store) {
		ctx, cancel := context.WithCancel(s.ctx())
		cancel()
		s.fails(s.Commit(ctx, s.id(), table.Put(table.State, item("a", ""), table.New)), context.Canceled)
		_, err := s.Get(ctx, ref("a"))
		s.fails(err, context.Canceled)
		_, err = s.Query(ctx, table.Query{Table: table.State, Partition: "p"})
		s.fails(err, context.Canceled)
		_, err = s.Count(ctx, table.Tally{Ref: ref("a"), Limit: 1, New: item("a", "")})
		s.fails(err, context.Canceled)
		s.check(s.version(key("a")) == 0, "something was written")
	}},
}
