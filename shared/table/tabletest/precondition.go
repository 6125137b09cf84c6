package tabletest

import (
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/table"
)

var preconditions = []clause{
	{name: "every write happens exactly if its precondition holds", test: func(s *store) {
		pres := map[string]table.Precondition{
			"New": table.New, "Exists": table.Exists, "Version(0)": table.Version(0), "Version(1)": table.Version(1), "Version(2)": table.Version(2),
		}
		// Where the precondition holds, worked out by hand. An expired item is absent.
		holds := map[string][]string{
			"absent":  {"New", "Version(0)"},
			"first":   {"Exists", "Version(1)"},
			"second":  {"Exists", "Version(2)"},
			"expired": {"New", "Version(0)"},
		}
		for _, before := range []string{"absent", "first", "second", "expired"} {
			for _, name := range []string{"New", "Exists", "Version(0)", "Version(1)", "Version(2)"} {
				for _, verb := range []table.Verb{table.PutItem, table.DeleteItem, table.CheckItem} {
					if verb == table.DeleteItem && pres[name].Holds(0) {
						continue // malformed
					}
					k := key(fmt.Sprintf("%s %s %d", before, name, verb))
					version := s.prepare(before, k)
					s.precondition(verb, k, version, pres[name], contains(holds[before], name), before+" "+name)
				}
			}
		}
	}},
	{name: "a check on one item decides over another", test: func(s *store) {
		fence, page := item("fence", ""), item("page", "")
		s.must(s.commit(table.Put(table.State, page, table.New), table.Check(ref("fence"), table.New)))
		s.put(fence, table.New)
		err := s.commit(table.Put(table.State, page, table.Version(1)), table.Check(ref("fence"), table.New))
		s.conflict(err, ref("fence"))
		s.must(s.commit(table.Put(table.State, page, table.Version(1)), table.Check(ref("fence"), table.Version(1))))
		s.put(fence, table.Version(1))
		err = s.commit(table.Delete(ref("page"), table.Version(2)), table.Check(ref("fence"), table.Version(1)))
		s.conflict(err, ref("fence"))
		s.check(s.version(key("page")) == 2, "the page was deleted behind its fence")
		s.check(s.version(key("fence")) == 2, "a check changed the version of what it checks")
	}},
	{name: "a check may stand alone", test: func(s *store) {
		s.fails(s.Commit(s.ctx(), s.id(), table.Check(ref("a"), table.New)), nil)
		s.conflict(s.Commit(s.ctx(), s.id(), table.Check(ref("a"), table.Exists)), ref("a"))
		s.put(item("a", ""), table.New)
		s.fails(s.Commit(s.ctx(), s.id(), table.Check(ref("a"), table.Version(1))), nil)
		s.conflict(s.Commit(s.ctx(), s.id(), table.Check(ref("a"), table.New)), ref("a"))
	}},
	{name: "a single write keeps its precondition", test: func(s *store) {
		one := func(w table.Write) error { return s.Commit(s.ctx(), s.id(), w) }
		s.conflict(one(table.Put(table.Keys, item("a", "x"), table.Exists)), table.Ref{Table: table.Keys, Key: key("a")})
		s.must(one(table.Put(table.Keys, item("a", "one"), table.New)))
		s.conflict(one(table.Put(table.Keys, item("a", "x"), table.New)), table.Ref{Table: table.Keys, Key: key("a")})
		s.must(one(table.Put(table.Keys, item("a", "two"), table.Version(1))))
		s.must(one(table.Put(table.Keys, item("a", "three"), table.Exists)))
		got := s.item(table.Keys, key("a"))
		s.check(got.Version == 3 && string(got.Body) == "three", "got version %d, body %q", got.Version, got.Body)
		s.conflict(one(table.Delete(table.Ref{Table: table.Keys, Key: key("a")}, table.Version(2))), table.Ref{Table: table.Keys, Key: key("a")})
		s.conflict(one(table.Delete(table.Ref{Table: table.Keys, Key: key("b")}, table.Exists)), table.Ref{Table: table.Keys, Key: key("b")})
	}},
	{name: "the conflict names the first write that could not be", test: func(s *store) {
		s.put(item("there", ""), table.New)
		err := s.commit(
			table.Put(table.State, item("fine", ""), table.New),
			table.Delete(ref("missing"), table.Exists),
			table.Put(table.State, item("there", ""), table.New),
		)
		s.conflict(err, ref("missing"))
	}},
}

// prepare brings a key into a state and returns the version that readers see.
func (s *store) prepare(state string, k table.Key) int64 {
	s.Helper()
	it := table.Item{Key: k, Schema: 1, Body: []byte("before")}
	switch state {
	case "absent":
		return 0
	case "expired":
		it.Expires = s.now().Add(time.Second)
		s.put(it, table.New)
		s.advance(time.Second)
		return 0
	case "second":
		s.put(it, table.New)
		s.put(it, table.Version(1))
		return 2
	}
	s.put(it, table.New)
	return 1
}

// precondition does one write to an item at a version and checks what became of it.
func (s *store) precondition(verb table.Verb, k table.Key, version int64, pre table.Precondition, holds bool, name string) {
	s.Helper()
	at := table.Ref{Table: table.State, Key: k}
	it := table.Item{Key: k, Schema: 1, Body: []byte("after")}
	witness := table.Item{Key: table.Key{Partition: "witness", Sort: k.Sort}, Schema: 1}
	err := s.commit(table.Put(table.State, witness, table.New), table.Write{Verb: verb, Ref: at, Item: it, If: pre})
	want := version
	if holds {
		s.fails(err, nil)
		switch verb {
		case table.PutItem:
			want++
		case table.DeleteItem:
			want = 0
		case table.CheckItem:
		}
	} else {
		s.conflict(err, at)
	}
	got := s.version(k)
	s.check(got == want, "%s: the version is %d, want %d", name, got, want)
	s.check((s.version(witness.Key) == 1) == holds, "%s: the commit was not one", name)
}

// conflict checks that an error is a conflict on ref.
func (s *store) conflict(err error, ref table.Ref) {
	s.Helper()
	var c *table.Conflict
	s.check(errors.As(err, &c) && c.Ref == ref, "error is %v, want a conflict on %s", err, ref)
}

func contains(all []string, one string) bool {
	for _, a := range all {
		if a == one {
			return true
		}
	}
	return false
}
