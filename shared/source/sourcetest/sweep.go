package sourcetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/source"
)

// RunSweeps runs the contract of a source.Sweeper against stores that open makes,
// one for each test. They may hold records of others, which are left alone.
func RunSweeps(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"old pages through everything that is due", oldPages},
		{"old says since when and about whom", oldAnswers},
		{"a look for what is old that cannot be answered is refused", vagueAges},
		{"expire does what it is told to the records it is given", expireGiven},
		{"a sweep page by page leaves nothing that is due", sweepAll},
		{"a repeated expiry has no further effect", repeatedExpiry},
		{"what was used again is left alone", usedAgain},
		{"after the end of its lease a look or an expiry is refused", expiryLease},
		{"what a sweep anonymised is not due any more", sweptAnonymised},
		{"an expiry that does not say what and when is refused", vagueExpiries},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(&suite{T: t, Store: open(t)})
		})
	}
}

// sweeper is the store, which is known to be one.
func (s *suite) sweeper() source.Sweeper {
	sw, ok := s.Source.(source.Sweeper)
	if !ok {
		s.Fatal("the store is no Sweeper")
	}
	return sw
}

func (s *suite) age(until time.Time) source.Age {
	return source.Age{Category: s.Category, By: source.Collected, Until: until, Verb: source.Delete, Call: s.call()}
}

func (s *suite) expiry(verb source.Verb, until time.Time, records []source.AgedRecord) source.Expiry {
	order := s.order(verb, until)
	return source.Expiry{
		Verb: verb, Category: s.Category, By: source.Collected, Until: until, Records: records,
		Masks: order.Masks, MaskKey: order.MaskKey, Call: order.Call,
	}
}

// old collects all pages, checks that looking ends, and returns what the suite
// itself has put there.
func (s *suite) old(age source.Age) []source.AgedRecord {
	s.Helper()
	var all []source.AgedRecord
	for range 10_000 {
		page, err := s.sweeper().Old(s.Context(), age)
		if err != nil {
			s.Fatal(err)
		}
		if len(page.Records) > source.Size(age.Limit) || page.Seen < len(page.Records) {
			s.Fatalf("a page of %d records that saw %d, want at most %d", len(page.Records), page.Seen, source.Size(age.Limit))
		}
		all = append(all, ours(page.Records)...)
		if page.Done {
			return all
		}
		age.Cursor, age.Call = page.Cursor, s.call()
	}
	s.Fatal("looking does not end")
	return nil
}

// ours are the records that the suite has put there.
func ours(records []source.AgedRecord) []source.AgedRecord {
	return slices.DeleteFunc(slices.Clone(records), func(r source.AgedRecord) bool {
		return !strings.HasPrefix(r.ID, "old-") && !strings.HasPrefix(r.ID, "new-") && !strings.HasPrefix(r.ID, "theirs-") && !strings.HasPrefix(r.ID, "other-")
	})
}

func agedIDs(records []source.AgedRecord) []string {
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = r.ID
	}
	slices.Sort(out)
	return out
}

// expire does one page and fails the test if that fails.
func (s *suite) expire(e source.Expiry) source.Done {
	s.Helper()
	done, err := s.sweeper().Expire(s.Context(), e)
	if err != nil {
		s.Fatal(err)
	}
	if !done.Done || done.Removed < 0 || done.Removed+done.Retained > len(e.Records) {
		s.Fatalf("%+v of %d records", done, len(e.Records))
	}
	return done
}

func oldPages(s *suite) {
	until := s.fill(501)
	before := s.Dump(s.T)
	for _, limit := range []int{0, 7, 500, 5000} {
		age := s.age(until)
		age.Limit = limit
		got := agedIDs(s.old(age))
		if len(got) != 504 || len(slices.Compact(got)) != 504 || got[0] != "old-0000" || got[503] != "theirs-2" {
			s.Errorf("limit %d: %d records are old, want those of both people once each, 504", limit, len(got))
		}
	}
	for _, whole := range []bool{false, true} {
		age := s.age(s.Now())
		age.Whole = whole
		if got := s.old(age); len(got) != 506 {
			s.Errorf("a walk through the category (whole: %v) saw %d records, want 506", whole, len(got))
		}
	}
	if got := s.old(s.age(until.AddDate(-1, 0, 0))); len(got) != 0 {
		s.Errorf("a year earlier %d records were due", len(got))
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("looking changed the store")
	}
}

func oldAnswers(s *suite) {
	until := s.fill(12)
	records := s.old(s.age(until))
	for i, r := range records {
		who := s.Who(0)
		if strings.HasPrefix(r.ID, "theirs-") {
			who = s.Who(1)
		}
		if r.At.IsZero() || r.At.After(until) || !slices.Contains(r.Who, who) {
			s.Errorf("%s is of %v and about %d people", r.ID, r.At, len(r.Who))
		}
		if len(r.Handle.Reveal()) > source.MaxHandle {
			s.Errorf("%s has a handle of %d bytes", r.ID, len(r.Handle.Reveal()))
		}
		if s.OldestFirst && i > 0 && r.At.Before(records[i-1].At) {
			s.Errorf("%s comes after a younger one", r.ID)
		}
	}
	s.Cut()
	if page, err := s.sweeper().Old(s.Context(), s.age(until)); !errors.Is(err, source.ErrLater) || page.Done {
		s.Errorf("a store out of reach: done %v, %v; want ErrLater", page.Done, err)
	}
}

func vagueAges(s *suite) {
	until := s.fill(3)
	for name, change := range map[string]func(*source.Age){
		"no category":                      func(a *source.Age) { a.Category = "" },
		"a category it does not have":      func(a *source.Age) { a.Category = "nonsense" },
		"no instant":                       func(a *source.Age) { a.Until = time.Time{} },
		"no time of the record":            func(a *source.Age) { a.By = "" },
		"a time that no record has":        func(a *source.Age) { a.By = "printed" },
		"something that expires nothing":   func(a *source.Age) { a.Verb = source.Correct },
		"no key":                           func(a *source.Age) { a.Call.Key = "" },
		"a cursor that it never gave":      func(a *source.Age) { a.Cursor = "!" },
		"such a cursor that looks like it": func(a *source.Age) { a.Cursor = "AAAA" },
	} {
		age := s.age(until)
		change(&age)
		if page, err := s.sweeper().Old(s.Context(), age); !errors.Is(err, source.ErrRefused) {
			s.Errorf("%s: %d records, %v; want ErrRefused", name, len(page.Records), err)
		}
	}
}

func expireGiven(s *suite) {
	for _, verb := range s.expires() {
		until := s.fill(9)
		before := s.Dump(s.T)
		age := s.age(until)
		age.Verb = verb
		page := slices.DeleteFunc(s.old(age), func(r source.AgedRecord) bool { return r.ID == "old-0003" || r.ID == "theirs-1" })
		if done := s.expire(s.expiry(verb, until, page)); done.Removed != 10 || done.Retained != 0 {
			s.Errorf("%s: %+v, want 10 removed", verb, done)
		}
		after := s.Dump(s.T)
		for _, r := range page {
			if after[r.ID] == before[r.ID] || verb == source.Delete && after[r.ID] != "" {
				s.Errorf("%s: %s is %q", verb, r.ID, after[r.ID])
			}
			delete(before, r.ID)
		}
		untouched(s.T, before, after, "nothing")
		age.Call = s.call()
		if left := agedIDs(s.old(age)); !slices.Equal(left, []string{"old-0003", "theirs-1"}) {
			s.Errorf("%s: still due are %v", verb, left)
		}
		s.clear()
	}
}

// expires are the verbs by which this store expires.
func (s *suite) expires() []source.Verb {
	if s.OnlyDeletes {
		return []source.Verb{source.Delete}
	}
	return []source.Verb{source.Delete, source.Anonymise}
}

// clear removes what is left of persons 0 and 1.
func (s *suite) clear() {
	s.Helper()
	for n := range 2 {
		order := s.order(source.Delete, s.Now())
		order.Identities[0] = s.Who(n)
		s.work(order)
	}
}

func sweepAll(s *suite) {
	until := s.fill(501)
	before := s.Dump(s.T)
	age, total := s.age(until), 0
	age.Limit = 40
	for range 10_000 {
		page, err := s.sweeper().Old(s.Context(), age)
		if err != nil {
			s.Fatal(err)
		}
		if mine := ours(page.Records); len(mine) > 0 {
			total += s.expire(s.expiry(source.Delete, until, mine)).Removed
		}
		if page.Done {
			break
		}
		age.Cursor, age.Call = page.Cursor, s.call()
	}
	if total != 504 {
		s.Errorf("%d were expired, want 504", total)
	}
	if left := s.old(s.age(until)); len(left) != 0 {
		s.Errorf("%d are still due", len(left))
	}
	after := s.Dump(s.T)
	maps.DeleteFunc(before, func(id, _ string) bool { return strings.HasPrefix(id, "old-") || strings.HasPrefix(id, "theirs-") })
	if !maps.Equal(before, after) {
		s.Errorf("the store holds %d records, want %d", len(after), len(before))
	}
}

func repeatedExpiry(s *suite) {
	for _, verb := range s.expires() {
		until := s.fill(12)
		e := s.expiry(verb, until, s.old(s.age(until))[:8])
		first := s.expire(e)
		if first.Removed != 8 {
			s.Errorf("%s: %+v, want 8 removed", verb, first)
		}
		before := s.Dump(s.T)
		for range 3 {
			e.Call.Lease = e.Call.Lease.Add(time.Minute) // another worker repeats it under a lease of its own
			if again := s.expire(e); again.Removed != first.Removed || again.Retained != first.Retained {
				s.Errorf("%s: the same call was answered %+v, want %+v again", verb, again, first)
			}
		}
		another := e
		another.Records = e.Records[:3]
		if done, err := s.sweeper().Expire(s.Context(), another); !errors.Is(err, source.ErrRefused) {
			s.Errorf("%s: other records under the same key: %+v, %v; want ErrRefused", verb, done, err)
		}
		e.Call = s.call()
		if again := s.expire(e); again.Removed != 0 {
			s.Errorf("%s: under another key %d were expired a second time", verb, again.Removed)
		}
		if !maps.Equal(before, s.Dump(s.T)) {
			s.Errorf("%s: repeating a call changed the store", verb)
		}
		s.clear()
	}
}

// usedAgain has records that became younger, or went, between the look and the act.
func usedAgain(s *suite) {
	until := s.fill(6)
	page := s.old(s.age(until))
	gone := s.order(source.Delete, until)
	gone.Limit, gone.Identities[0] = 1, s.Who(1)
	if _, err := s.Source.Execute(s.Context(), gone); err != nil {
		s.Fatal(err)
	}
	s.renew("old-0002", until.Add(time.Second))
	s.renew("old-0004", until.Add(-time.Hour))
	before := s.Dump(s.T)
	done := s.expire(s.expiry(source.Delete, until, page))
	after := s.Dump(s.T)
	if done.Removed != 7 || done.Retained != 1 || after["old-0002"] != before["old-0002"] || after["old-0004"] != "" {
		s.Errorf("%+v; want 7 of 9 removed: one was used again, and one is gone", done)
	}
}

// renew puts a record of person 0 in the place of one with the same id.
func (s *suite) renew(id string, at time.Time) {
	order := s.order(source.Delete, s.Now())
	for i := range 20 {
		if other := fmt.Sprintf("old-%04d", i); other != id {
			order.Keep = append(order.Keep, other, fmt.Sprintf("new-%d", i))
		}
	}
	s.work(order)
	s.Add(s.T, []Entry{{0, s.Category, id, at, fields(address)}})
}

func expiryLease(s *suite) {
	until := s.fill(3)
	page := s.old(s.age(until))
	before := s.Dump(s.T)
	for name, end := range map[string]time.Time{"now": s.Now(), "an hour ago": s.Now().Add(-time.Hour), "never set": {}} {
		age, e := s.age(until), s.expiry(source.Delete, until, page)
		age.Call.Lease, e.Call.Lease = end, end
		if _, err := s.sweeper().Old(s.Context(), age); !errors.Is(err, source.ErrLater) {
			s.Errorf("a look under a lease that ended %s: %v; want ErrLater", name, err)
		}
		if done, err := s.sweeper().Expire(s.Context(), e); !errors.Is(err, source.ErrLater) {
			s.Errorf("an expiry under a lease that ended %s: %+v, %v; want ErrLater", name, done, err)
		}
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("a call changed the store after its lease")
	}
	e := s.expiry(source.Delete, until, page)
	s.Cut()
	if done, err := s.sweeper().Expire(s.Context(), e); !errors.Is(err, source.ErrLater) || done.Done {
		s.Errorf("a store out of reach: %+v, %v; want ErrLater", done, err)
	}
}

func sweptAnonymised(s *suite) {
	until := s.fill(3)
	page := s.old(s.age(until))
	if s.OnlyDeletes {
		before := s.Dump(s.T)
		if _, err := s.sweeper().Expire(s.Context(), s.expiry(source.Anonymise, until, page)); !errors.Is(err, source.ErrRefused) || !maps.Equal(before, s.Dump(s.T)) {
			s.Errorf("a store that cannot anonymise: %v, want ErrRefused and no change", err)
		}
		return
	}
	before := s.Dump(s.T)
	for name, change := range map[string]func(*source.Expiry){
		"a field without a mask": func(e *source.Expiry) { e.Masks = e.Masks[:2] },
		"no key to hash with":    func(e *source.Expiry) { e.MaskKey = nil },
	} {
		e := s.expiry(source.Anonymise, until, page)
		change(&e)
		if done, err := s.sweeper().Expire(s.Context(), e); !errors.Is(err, source.ErrRefused) {
			s.Errorf("%s: %+v, %v; want ErrRefused", name, done, err)
		}
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("a refused expiry changed the store")
	}
	s.expire(s.expiry(source.Anonymise, until, page))
	after := s.Dump(s.T)
	for _, r := range page {
		if now := after[r.ID]; !strings.Contains(now, "Firefox") || strings.Contains(now, address) || strings.Contains(now, s.Who(0).Reveal()) {
			s.Errorf("%s is %q", r.ID, now)
		}
	}
	age := s.age(until)
	age.Verb = source.Anonymise
	if left := s.old(age); len(left) != 0 {
		s.Errorf("%d are still to be anonymised", len(left))
	}
	if left := s.find(s.ask(until, false)); len(left) != 0 {
		s.Errorf("%d are still found by the person", len(left))
	}
}

func vagueExpiries(s *suite) {
	until := s.fill(3)
	page := s.old(s.age(until))
	before := s.Dump(s.T)
	for name, change := range map[string]func(*source.Expiry){
		"no category":                 func(e *source.Expiry) { e.Category = "" },
		"a category it does not have": func(e *source.Expiry) { e.Category = "nonsense" },
		"no instant":                  func(e *source.Expiry) { e.Until = time.Time{} },
		"no time of the record":       func(e *source.Expiry) { e.By = "" },
		"no key":                      func(e *source.Expiry) { e.Call.Key = "" },
		"no records":                  func(e *source.Expiry) { e.Records = nil },
		"a record twice":              func(e *source.Expiry) { e.Records = append(slices.Clone(page), page[0]) },
		"a verb that expires nothing": func(e *source.Expiry) { e.Verb = source.Correct },
		"an unknown verb":             func(e *source.Expiry) { e.Verb = "shred" },
	} {
		e := s.expiry(source.Delete, until, page)
		change(&e)
		if done, err := s.sweeper().Expire(s.Context(), e); !errors.Is(err, source.ErrRefused) {
			s.Errorf("%s: %+v, %v; want ErrRefused", name, done, err)
		}
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("a refused expiry changed the store")
	}
}
