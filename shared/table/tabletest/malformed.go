package tabletest

import (
	"errors"
	"strings"
	"time"

	"rightsdesk/shared/table"
)

var malformed = []clause{
	{name: "malformed commits are refused and change nothing", test: func(s *store) {
		long := strings.Repeat("x", table.MaxKeyPart+1)
		with := func(change func(*table.Item)) table.Write {
			it := item("a", "")
			change(&it)
			return table.Put(table.State, it, table.New)
		}
		due := with(func(it *table.Item) { it.Due = s.now() })
		due.Ref.Table = table.Keys
		entry := item("a", "")
		for what, writes := range map[string][]table.Write{
			"no writes":                    {},
			"the same item twice":          {with(func(*table.Item) {}), table.Check(ref("a"), table.New)},
			"no schema":                    {with(func(it *table.Item) { it.Schema = 0 })},
			"no partition":                 {with(func(it *table.Item) { it.Key.Partition = "" })},
			"no sort":                      {with(func(it *table.Item) { it.Key.Sort = "" })},
			"a long key":                   {with(func(it *table.Item) { it.Key.Sort = long })},
			"a key that is not UTF-8":      {with(func(it *table.Item) { it.Key.Sort = "\xff" })},
			"a key with NUL":               {with(func(it *table.Item) { it.Key.Sort = "a\x00b" })},
			"a long subject":               {with(func(it *table.Item) { it.Subject = long })},
			"due before 1970":              {with(func(it *table.Item) { it.Due = time.Unix(-1, 0) })},
			"expiry in the year 10000":     {with(func(it *table.Item) { it.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) })},
			"no precondition":              {table.Put(table.State, item("a", ""), table.Precondition{})},
			"a version below zero":         {table.Put(table.State, item("a", ""), table.Version(-1))},
			"no verb":                      {{Ref: ref("a"), If: table.New}},
			"another key than the item's":  {{Verb: table.PutItem, Ref: ref("b"), Item: item("a", ""), If: table.New}},
			"no such table":                {table.Put("nowhere", item("a", ""), table.New)},
			"due outside of state":         {due},
			"deleting what is absent":      {table.Delete(ref("a"), table.New)},
			"overwriting an audit entry":   {table.Put(table.Audit, entry, table.Exists)},
			"overwriting one by version":   {table.Put(table.Audit, entry, table.Version(1))},
			"deleting an audit entry":      {table.Delete(table.Ref{Table: table.Audit, Key: key("a")}, table.Exists)},
			"a malformed write of several": {table.Put(table.State, item("a", ""), table.New), table.Delete(ref("b"), table.New)},
		} {
			err := s.Commit(s.ctx(), "id", writes...)
			s.check(errors.Is(err, table.ErrMalformed), "%s: the error is %v", what, err)
		}
		s.fails(s.Commit(s.ctx(), "", table.Put(table.State, item("a", ""), table.New)), table.ErrMalformed)
		s.check(s.version(key("a")) == 0, "something was written")
	}},
	{name: "malformed questions are refused", test: func(s *store) {
		_, err := s.Get(s.ctx(), table.Ref{Table: table.State, Key: table.Key{Partition: "p"}})
		s.fails(err, table.ErrMalformed)
		for what, q := range map[string]table.Query{
			"no table":                   {Partition: "p"},
			"no partition":               {Table: table.State},
			"an index that is not there": {Table: table.Keys, Index: table.Subject, Partition: "u"},
			"a prefix in an index":       {Table: table.State, Index: table.Subject, Partition: "u", Prefix: "a"},
			"an end outside of due":      {Table: table.State, Partition: "p", Until: s.now()},
		} {
			_, err := s.Query(s.ctx(), q)
			s.check(errors.Is(err, table.ErrMalformed), "%s: the error is %v", what, err)
		}
		for what, t := range map[string]table.Tally{
			"no limit":       {Ref: ref("a"), Window: "day", New: item("a", "")},
			"a limit below":  {Ref: ref("a"), Window: "day", Limit: -1, New: item("a", "")},
			"on audit":       {Ref: table.Ref{Table: table.Audit, Key: key("a")}, Limit: 1, New: item("a", "")},
			"a window's NUL": {Ref: ref("a"), Window: "\x00", Limit: 1, New: item("a", "")},
		} {
			_, err := s.Count(s.ctx(), t)
			s.check(errors.Is(err, table.ErrMalformed), "%s: the error is %v", what, err)
		}
		s.check(s.version(key("a")) == 0, "something was written")
	}},
}
