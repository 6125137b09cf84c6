package tabletest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"rightsdesk/shared/table"
)

const writers = 8

var races = []clause{
	{name: "of many writers of one version one wins", racing: true, test: func(s *store) {
		s.put(item("a", "before"), table.New)
		s.race(ref("a"), table.Version(1))
		s.check(s.version(key("a")) == 2, "more than one was applied")
	}},
	{name: "of many creators of one item one wins", racing: true, test: func(s *store) {
		s.race(ref("a"), table.New)
		s.check(s.version(key("a")) == 1, "more than one was applied")
	}},
	{name: "of many deleters of one item one wins", racing: true, test: func(s *store) {
		s.put(item("a", ""), table.New)
		var won, lost atomic.Int64
		s.together(writers, func(int) {
			s.tally(s.commit(table.Delete(ref("a"), table.Version(1))), &won, &lost)
		})
		s.check(won.Load() == 1 && lost.Load() == writers-1, "%d won and %d lost", won.Load(), lost.Load())
	}},
	{name: "writers who read again all get through, and no update is lost", racing: true, test: func(s *store) {
		s.put(item("sum", "0"), table.New)
		const rounds = 3
		s.together(writers, func(int) {
			for range rounds {
				s.addOne("sum")
			}
		})
		got := s.item(table.State, key("sum"))
		s.check(string(got.Body) == strconv.Itoa(writers*rounds), "the sum is %s, want %d", got.Body, writers*rounds)
		s.check(got.Version == 1+writers*rounds, "the version is %d, want %d", got.Version, 1+writers*rounds)
		entries := len(s.walk(table.Query{Table: table.Audit, Partition: "chain"}))
		s.check(entries == int(got.Version), "%d entries for %d changes", entries, got.Version)
	}},
	{name: "commits that cross each other do not lock each other out", racing: true, test: func(s *store) {
		s.must(s.commit(table.Put(table.State, item("a", ""), table.New), table.Put(table.State, item("b", ""), table.New)))
		s.together(writers, func(n int) {
			x, y := "a", "b"
			if n%2 == 1 {
				x, y = y, x
			}
			s.must(s.commit(table.Put(table.State, item(x, ""), table.Exists), table.Put(table.State, item(y, ""), table.Exists)))
		})
		a, b := s.version(key("a")), s.version(key("b"))
		s.check(a == 1+writers && b == a, "the versions are %d and %d, want %d", a, b, 1+writers)
	}},
}

// race lets many writers put an item at once and checks that one wins.
func (s *store) race(at table.Ref, pre table.Precondition) {
	s.Helper()
	var won, lost atomic.Int64
	var winner atomic.Value
	s.together(writers, func(n int) {
		body := fmt.Sprint("writer ", n)
		err := s.commit(table.Put(table.State, item(at.Key.Sort, body), pre))
		if s.tally(err, &won, &lost); err == nil {
			winner.Store(body)
		}
	})
	s.check(won.Load() == 1 && lost.Load() == writers-1, "%d won and %d lost, want 1 and %d", won.Load(), lost.Load(), writers-1)
	got := string(s.item(table.State, at.Key).Body)
	s.check(got == winner.Load(), "%v won, but the item is that of %q", winner.Load(), got)
}

func (s *store) tally(err error, won, lost *atomic.Int64) {
	switch {
	case err == nil:
		won.Add(1)
	case errors.Is(err, table.ErrConflict):
		lost.Add(1)
	default:
		s.Errorf("neither won nor lost: %v", err)
	}
}

// addOne reads a number and writes one more, until it is the one who did.
func (s *store) addOne(sort string) {
	for {
		it, err := s.Get(s.ctx(), ref(sort))
		if err != nil {
			s.Errorf("read: %v", err)
			return
		}
		n, err := strconv.Atoi(string(it.Body))
		if err != nil {
			s.Errorf("the body is no number: %v", err)
			return
		}
		err = s.commit(table.Put(table.State, item(sort, strconv.Itoa(n+1)), table.Version(it.Version)))
		if err == nil {
			return
		}
		if !errors.Is(err, table.ErrConflict) {
			s.Errorf("write: %v", err)
			return
		}
	}
}

// together runs do n times at once and waits for all.
func (s *store) together(n int, do func(n int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}
