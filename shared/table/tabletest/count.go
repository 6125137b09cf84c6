package tabletest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"rightsdesk/shared/table"
)

// counter counts on one item and knows what may have been counted: answers
// that were lost leave a range. With an engine that loses none it is exact.
type counter struct {
	*store
	tally           table.Tally
	least, most     int64 // in the window
	allLeast, allMo int64 // over all windows
}

var counting = []clause{
	{name: "counting makes the item and stops at the limit", test: func(s *store) {
		fresh := item("a", "body")
		fresh.Expires = s.now().Add(time.Hour)
		fresh.Subject = "u"
		c := &counter{store: s, tally: table.Tally{Ref: ref("a"), Window: "2026-03-29", Limit: 3, New: fresh}}
		for range 5 {
			c.count()
		}
		got := s.item(table.State, key("a"))
		s.check(string(got.Body) == "body" && got.Schema == 1 && got.Version == 1, "the item made is %+v", got)
		s.check(got.Subject == "u" && got.Expires.Equal(fresh.Expires), "the item made lacks something: %+v", got)
		s.check(got.CommitID == "", "no commit put it, but it has the id %q", got.CommitID)
		s.settles(subjectQuery("u"), "a")
	}},
	{name: "a new window starts at zero and an older one is over", test: func(s *store) {
		c := &counter{store: s, tally: table.Tally{Ref: ref("a"), Window: "day 1", Limit: 2, New: item("a", "")}}
		c.count()
		c.count()
		c.count()
		c.next("day 2")
		c.count()
		c.tally.Window = "day 1"
		s.countFails(c.tally, table.ErrOver)
		got := s.item(table.State, key("a")).Counted
		s.check(got.Window == "day 2", "the window went back to %s", got.Window)
	}},
	{name: "the total limits all windows together", test: func(s *store) {
		c := &counter{store: s, tally: table.Tally{Ref: ref("a"), Limit: 2, Total: 3, New: item("a", "")}}
		for day := range 3 {
			c.next(fmt.Sprint("day ", day))
			c.count()
			c.count()
		}
		c.tally.Total = 0
		c.next("day 9")
		c.count()
	}},
	{name: "without a window there is one for ever", test: func(s *store) {
		c := &counter{store: s, tally: table.Tally{Ref: ref("a"), Limit: 2, New: item("a", "")}}
		for range 4 {
			c.count()
		}
	}},
	{name: "nothing is counted on an absent item without a new one", test: func(s *store) {
		s.countFails(table.Tally{Ref: ref("a"), Window: "day", Limit: 3}, table.ErrAbsent)
		s.check(s.version(key("a")) == 0, "an item was made")
	}},
	{name: "counting leaves an item that exists as it is", test: func(s *store) {
		it := item("a", "body")
		it.Due = s.now()
		s.put(it, table.New)
		before := s.item(table.State, key("a"))
		other := item("a", "other")
		other.Subject, other.Expires, other.Due = "u", s.now().Add(time.Minute), s.now().Add(time.Hour)
		c := &counter{store: s, tally: table.Tally{Ref: ref("a"), Window: "day", Limit: 2, New: other}}
		c.count()
		c.count()
		c.count()
		after := s.item(table.State, key("a"))
		after.Counted = before.Counted
		s.check(fmt.Sprintf("%+v", after) == fmt.Sprintf("%+v", before), "it was\n%+v and is\n%+v", before, after)
		s.settles(subjectQuery("u"))
		s.settles(dueQuery(), "a")
	}},
	{name: "a put keeps the counter and a delete ends it", test: func(s *store) {
		c := &counter{store: s, tally: table.Tally{Ref: ref("a"), Window: "day", Limit: 9, New: item("a", "")}}
		c.count()
		c.count()
		before := s.item(table.State, key("a")).Counted
		it := item("a", "put")
		it.Counted = table.Counted{Window: "day", N: 100, Total: 100} // of no effect
		s.put(it, table.Version(1))
		after := s.item(table.State, key("a"))
		s.check(after.Counted == before && after.Version == 2, "the put made %+v of %+v", after.Counted, before)
		s.put(it, table.Exists)
		after = s.item(table.State, key("a"))
		s.check(after.Counted == before && after.Version == 3, "the put made %+v of %+v", after.Counted, before)
		c.count()
		s.must(s.commit(table.Delete(ref("a"), table.Exists)))
		c.reset()
		c.count()
	}},
	{name: "an expired item is counted anew", test: func(s *store) {
		old := item("a", "old")
		old.Expires, old.Due, old.Subject = s.now().Add(time.Minute), s.now(), "u"
		c := &counter{store: s, tally: table.Tally{Ref: ref("a"), Window: "day", Limit: 2, New: old}}
		c.count()
		c.count()
		c.count()
		s.advance(time.Minute)
		s.countFails(table.Tally{Ref: ref("a"), Window: "day", Limit: 2}, table.ErrAbsent)
		c.reset()
		c.tally.New = item("a", "new")
		c.count()
		got := s.item(table.State, key("a"))
		s.check(string(got.Body) == "new" && got.Version == 1 && got.Expires.IsZero(), "the item made is %+v", got)
		s.settles(dueQuery())
		s.settles(subjectQuery("u"))
	}},
	{name: "many who count at once get what the limit allows", racing: true, test: func(s *store) {
		const limit, tries = 10, 4
		var counted, over, unknown atomic.Int64
		s.together(writers, func(int) {
			for range tries {
				_, err := s.Count(s.ctx(), table.Tally{Ref: ref("a"), Window: "day", Limit: limit, New: item("a", "")})
				switch {
				case err == nil:
					counted.Add(1)
				case errors.Is(err, table.ErrOver):
					over.Add(1)
				case mayHaveCounted(err):
					unknown.Add(1)
				default:
					s.Errorf("count: %v", err)
				}
			}
		})
		n := s.item(table.State, key("a")).Counted.N
		s.check(n == limit, "%d were counted, the limit is %d", n, limit)
		s.check(counted.Load() <= limit && counted.Load()+unknown.Load() >= limit, "%d counted, %d unknown, %d over", counted.Load(), unknown.Load(), over.Load())
	}},
}

// countFails checks that nothing can be counted and why. It asks again where the
// answer was lost: there is nothing that could be counted twice.
func (s *store) countFails(t table.Tally, want error) {
	s.Helper()
	_, err := s.Count(s.ctx(), t)
	for mayHaveCounted(err) {
		_, err = s.Count(s.ctx(), t)
	}
	s.fails(err, want)
}

// mayHaveCounted reports whether an answer was lost.
func mayHaveCounted(err error) bool { return errors.Is(err, table.ErrUnknown) }

func (c *counter) next(window string) { c.tally.Window, c.least, c.most = window, 0, 0 }

func (c *counter) reset() { c.least, c.most, c.allLeast, c.allMo = 0, 0, 0, 0 }

// count counts once and checks the answer and what is stored.
func (c *counter) count() {
	c.Helper()
	mustBeOver := c.least >= c.tally.Limit || c.tally.Total > 0 && c.allLeast >= c.tally.Total
	mayBeOver := c.most >= c.tally.Limit || c.tally.Total > 0 && c.allMo >= c.tally.Total
	it, err := c.Count(c.ctx(), c.tally)
	switch {
	case err == nil:
		c.check(!mustBeOver, "counted over the limit: %+v", it.Counted)
		c.least, c.most, c.allLeast, c.allMo = c.least+1, c.most+1, c.allLeast+1, c.allMo+1
		c.exactly(it.Counted)
	case errors.Is(err, table.ErrOver):
		c.check(mayBeOver, "over at %+v", it.Counted)
		if it.Counted.Window == c.tally.Window {
			c.exactly(it.Counted)
		}
	case mayHaveCounted(err):
		c.check(true, "")
		if !mustBeOver {
			c.most, c.allMo = c.most+1, c.allMo+1
		}
		it = c.item(c.tally.Ref.Table, c.tally.Ref.Key)
	default:
		c.check(false, "count: %v", err)
	}
	within := it.Counted.N >= c.least && it.Counted.N <= c.most || it.Counted.Window != c.tally.Window
	c.check(within, "the window has %d, want %d to %d", it.Counted.N, c.least, c.most)
	c.check(it.Counted.Total >= c.allLeast && it.Counted.Total <= c.allMo, "the total is %d, want %d to %d", it.Counted.Total, c.allLeast, c.allMo)
}

// exactly narrows the range to what an answer said, if it is within it.
func (c *counter) exactly(is table.Counted) {
	if is.N >= c.least && is.N <= c.most {
		c.least, c.most = is.N, is.N
	}
	if is.Total >= c.allLeast && is.Total <= c.allMo {
		c.allLeast, c.allMo = is.Total, is.Total
	}
}
