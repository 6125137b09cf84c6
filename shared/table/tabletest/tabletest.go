// Package tabletest is the contract of the item store, as tests. Every engine
// behind the port table.Table passes the same suite: plain, and through the
// hostile decorator and table.Steady.
//
// It also starts the independent DynamoDB that judges table/dynamo, for every
// test that needs one. Only tests may import it.
package tabletest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/table"
)

// Open makes an empty store for one test, and cleans up after it. The store
// reads the time from now.
type Open func(t *testing.T, now func() time.Time) table.Table

// Report is what a run of the suite found out.
type Report struct {
	Checks int                   // how many single statements were checked
	Ops    map[string][]table.Op // what the steps of each test cost; tests that race are left out
}

// Run runs the whole suite on stores made by open, and prints how much it checked.
func Run(t *testing.T, open Open) *Report {
	t.Helper()
	r := &recorder{ops: map[string][]table.Op{}}
	t.Run("contract", func(t *testing.T) { // returns only after all its parallel tests
		for _, c := range contract {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s := newStore(t, r, open)
				c.test(s)
				if !c.racing {
					r.keep(c.name, s.meter.Ops())
				}
			})
		}
	})
	report := &Report{Checks: int(r.checks.Load()), Ops: r.ops}
	t.Logf("%d tests of the contract, %d checks", len(contract), report.Checks)
	return report
}

// clause is one test of the contract. Those that race cost what the race makes them.
type clause struct {
	name   string
	test   func(*store)
	racing bool
}

// contract is the whole suite.
var contract = concat(putAndGet, preconditions, limits, commits, races, pages, scans, indexes, expiry, counting, malformed)

func concat(parts ...[]clause) []clause {
	var all []clause
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

type recorder struct {
	checks atomic.Int64
	mu     sync.Mutex
	ops    map[string][]table.Op
}

func (r *recorder) keep(name string, ops []table.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops[name] = ops
}

// store is a store under test, with a clock that stands still until it is moved.
type store struct {
	*testing.T
	table.Table
	r     *recorder
	meter *table.Meter

	mu  sync.Mutex
	at  time.Time
	ids int
}

func newStore(t *testing.T, r *recorder, open Open) *store {
	t.Helper()
	s := &store{T: t, r: r, meter: &table.Meter{}, at: time.Date(2026, 3, 29, 0, 59, 58, 0, time.UTC)}
	s.Table = open(t, s.now)
	return s
}

func (s *store) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *store) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func (s *store) ctx() context.Context { return table.WithMeter(s.Context(), s.meter) }

// id is an id that is new in this store and has the same length in every run,
// so that every run is billed alike.
func (s *store) id() table.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	return table.ID(fmt.Sprintf("commit-%05d", s.ids))
}

// check counts a statement and reports it if it is false.
func (s *store) check(holds bool, format string, args ...any) {
	s.Helper()
	s.r.checks.Add(1)
	if !holds {
		s.Errorf(format, args...)
	}
}

// must is check for errors that leave nothing to go on with.
func (s *store) must(err error) {
	s.Helper()
	s.r.checks.Add(1)
	if err != nil {
		s.Fatal(err)
	}
}

// fails checks that an error is the one expected; nil expects success.
func (s *store) fails(got, want error) {
	s.Helper()
	s.check(errors.Is(got, want), "error is %v, want %v", got, want)
}

// put commits one item together with an audit entry, as services do.
func (s *store) put(it table.Item, pre table.Precondition) {
	s.Helper()
	s.must(s.commit(table.Put(table.State, it, pre)))
}

// commit commits writes together with an audit entry, by which a repeated
// commit knows itself again.
func (s *store) commit(writes ...table.Write) error {
	id := s.id()
	return s.Commit(s.ctx(), id, append(writes, s.entry(id))...)
}

// entry is the audit entry of a commit.
func (s *store) entry(id table.ID) table.Write {
	return table.Put(table.Audit, table.Item{Key: table.Key{Partition: "chain", Sort: string(id)}, Body: []byte("entry"), Schema: 1}, table.New)
}

// version is the version stored under a key of State, 0 if there is none.
func (s *store) version(k table.Key) int64 { return s.item(table.State, k).Version }

// item is the item stored under a key, the zero Item if there is none.
func (s *store) item(name table.Name, k table.Key) table.Item {
	s.Helper()
	it, err := s.Get(s.ctx(), table.Ref{Table: name, Key: k})
	if err != nil && !errors.Is(err, table.ErrAbsent) {
		s.Fatal(err)
	}
	return it
}

// walk follows the cursors of q to the end.
func (s *store) walk(q table.Query) []table.Item {
	s.Helper()
	var all []table.Item
	for {
		p, err := s.Query(s.ctx(), q)
		if err != nil {
			s.Fatal(err)
		}
		if len(p.Items) > q.PageSize() {
			s.Fatalf("a page of %d items, asked for %d", len(p.Items), q.PageSize())
		}
		all = append(all, p.Items...)
		if q.Cursor = p.Cursor; q.Cursor == "" {
			return all
		}
	}
}

// settles walks an index until it shows what is wanted: at first it may be
// stale. It gives up when it has had more time than the port allows.
func (s *store) settles(q table.Query, want ...string) {
	s.Helper()
	var got []string
	for range 20 {
		if got = sorts(s.walk(q)); equal(got, want) {
			break
		}
		s.advance(time.Second)
		time.Sleep(20 * time.Millisecond) // for engines that are stale by a clock of their own
	}
	s.check(equal(got, want), "the index shows %q, want %q", got, want)
}

func sorts(items []table.Item) []string {
	var names []string
	for _, it := range items {
		names = append(names, it.Key.Sort)
	}
	return names
}

func equal(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func key(sort string) table.Key { return table.Key{Partition: "p", Sort: sort} }

func item(sort, body string) table.Item {
	return table.Item{Key: key(sort), Body: []byte(body), Schema: 1}
}

func ref(sort string) table.Ref { return table.Ref{Table: table.State, Key: key(sort)} }
