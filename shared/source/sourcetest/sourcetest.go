// Package sourcetest is the contract of package source as tests. Every kind of
// source passes it: Run drives a Source as the request service does, and looks
// into the store behind it, which a Source does not let anybody do.
package sourcetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Store is a store under test, empty but for what the suite adds.
type Store struct {
	Source source.Source
	Now    func() time.Time // the clock of the source; the suite's data lies in its past

	// Category is one that can be deleted, anonymised and corrected. Others are
	// the source's other categories.
	Category string
	Others   []string

	// Who names the n-th person in the way this source knows people.
	Who func(n int) personal.Identity
	// Stranger is of a kind that the source does not know people by.
	Stranger personal.Identity
	// Add puts records into the store.
	Add func(t *testing.T, entries []Entry)
	// Dump returns the store: each record's id, with all that is stored of it.
	Dump func(t *testing.T) map[string]string
	// Told returns the choices that the store obeys for the n-th person, in the order
	// of rights and purposes; nil: this store cannot be told and must say ErrRefused.
	Told func(t *testing.T, person int) []source.Choice
	// Cut makes the store unreachable for the rest of the test.
	Cut func()

	// OnlyDeletes: this store cannot anonymise, because what names the person is
	// the record's key, and must say ErrRefused.
	OnlyDeletes bool
	// NeverCorrects: nor can it correct, because a record has no fields that are set
	// one by one, and it must say ErrRefused.
	NeverCorrects bool
	// OldestFirst: its pages of what is old are in the order of time.
	OldestFirst bool
}

// Entry is a record of the n-th person.
type Entry struct {
	Person       int
	Category, ID string
	At           time.Time
	Fields       json.RawMessage // an object of strings
}

// Run runs the contract against stores that open makes, one for each test.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"find pages through everything up to the cut-off", findPages},
		{"find answers what was asked for and no more", findAnswers},
		{"not found is not the same as could not look", notFound},
		{"an order repeated until done leaves nothing", executeAll},
		{"a repeated call has no further effect", repeatedCall},
		{"a lost answer changes nothing in the end", lostAnswers},
		{"after the end of its lease a call is refused", leaseOver},
		{"what is to be kept is kept", kept},
		{"an anonymised record is without the person", anonymised},
		{"a mask that cannot be applied changes nothing", badMasks},
		{"a correction is made once and found again", corrections},
		{"an order that does not say whose, what and until when is refused", vagueOrders},
		{"a choice is kept until a later one", choices},
		{"a choice that does not say whose, which and when is refused", vagueChoices},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(&suite{T: t, Store: open(t)})
		})
	}
}

// Sizes of the sets that each verb works on, with pages of 500.
var sizes = map[source.Verb][]int{source.Delete: {0, 1, 500, 501}, source.Anonymise: {1, 501}, source.Correct: {1, 501}}

const address = "192.0.2.77" // in every record of person 0, and to be gone

type suite struct {
	*testing.T
	Store
	calls int
}

// fill gives person 0 so many records up to the cut-off, two newer ones and one
// of each other category; and person 1 a few. It returns the cut-off.
func (s *suite) fill(records int) (until time.Time) {
	s.Helper()
	until = s.Now().Add(-24 * time.Hour).Truncate(time.Second).UTC()
	var entries []Entry
	for i := range records {
		entries = append(entries, Entry{0, s.Category, fmt.Sprintf("old-%04d", i), until.Add(-time.Duration(i) * time.Minute), fields(address)})
	}
	for i := range 2 {
		entries = append(entries, Entry{0, s.Category, fmt.Sprintf("new-%d", i), until.Add(time.Duration(i+1) * time.Second), fields(address)})
	}
	for i, category := range s.Others {
		entries = append(entries, Entry{0, category, fmt.Sprintf("other-%d", i), until.Add(-time.Hour), fields(address)})
	}
	for i := range 3 {
		entries = append(entries, Entry{1, s.Category, fmt.Sprintf("theirs-%d", i), until.Add(-time.Hour), fields("198.51.100.9")})
	}
	s.Add(s.T, entries)
	return until
}

func fields(ip string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"agent":"Firefox","ip":%q,"path":"/basket"}`, ip))
}

func (s *suite) call() source.Call {
	s.calls++
	return source.Call{Key: fmt.Sprintf("key-%d", s.calls), Lease: s.Now().Add(time.Minute)}
}

func (s *suite) ask(until time.Time, values bool) source.Ask {
	return source.Ask{Identities: []personal.Identity{s.Who(0)}, Category: s.Category, Until: until, Values: values, Call: s.call()}
}

func (s *suite) order(verb source.Verb, until time.Time) source.Order {
	o := source.Order{Verb: verb, Identities: []personal.Identity{s.Who(0)}, Category: s.Category, Until: until, Limit: 500, Call: s.call()}
	switch verb {
	case source.Delete:
	case source.Anonymise:
		o.MaskKey = []byte("a key of this request's, 32 bytes")
		o.Masks = []source.Mask{{Field: "agent", How: source.Preserve}, {Field: "ip", How: source.KeyedHash}, {Field: "path", How: source.Fixed, Value: "/"}}
	case source.Correct:
		o.Corrections = []source.Correction{{Field: "agent", Value: personal.MakeText("Lynx")}}
	case source.Choose, source.Archive: // see suite.choose and suite.expiry
	}
	return o
}

// verbs are what can be ordered from this store.
func (s *suite) verbs() []source.Verb {
	can := []source.Verb{source.Delete}
	if !s.OnlyDeletes {
		can = append(can, source.Anonymise)
	}
	if !s.NeverCorrects {
		can = append(can, source.Correct)
	}
	return can
}

// find collects all pages and checks that looking ends.
func (s *suite) find(ask source.Ask) []source.Record {
	s.Helper()
	var all []source.Record
	for range 1000 {
		page, err := s.Source.Find(s.Context(), ask)
		if err != nil {
			s.Fatal(err)
		}
		if len(page.Records) > source.Size(ask.Limit) {
			s.Fatalf("a page of %d records, want at most %d", len(page.Records), source.Size(ask.Limit))
		}
		all = append(all, page.Records...)
		if page.Done {
			return all
		}
		ask.Cursor, ask.Call = page.Cursor, s.call()
	}
	s.Fatal("looking does not end")
	return nil
}

// work repeats an order until it is done, each page under a new key.
func (s *suite) work(order source.Order) (removed int) {
	s.Helper()
	for range 1000 {
		done, err := s.Source.Execute(s.Context(), order)
		if err != nil {
			s.Fatal(err)
		}
		if done.Removed > source.Size(order.Limit) {
			s.Fatalf("%d removed in one call, want at most %d", done.Removed, source.Size(order.Limit))
		}
		removed += done.Removed
		if done.Done {
			return removed
		}
		order.Call = s.call()
	}
	s.Fatal("the work does not end")
	return 0
}

// untouched compares the store with how it was, but for ids that begin with but.
func untouched(t *testing.T, before, after map[string]string, but string) {
	t.Helper()
	for id, was := range before {
		if !strings.HasPrefix(id, but) && after[id] != was {
			t.Errorf("the record %s was changed:\n%q\n%q", id, was, after[id])
		}
	}
}

func ids(records []source.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

func findPages(s *suite) {
	until := s.fill(501)
	for _, limit := range []int{0, 7, 500, 501, 5000} {
		ask := s.ask(until, false)
		ask.Limit = limit
		got := ids(s.find(ask))
		if len(got) != 501 || len(slices.Compact(got)) != 501 || got[0] != "old-0000" || got[500] != "old-0500" {
			s.Errorf("limit %d: found %d records from %s to %s, want old-0000 to old-0500 once each", limit, len(got), got[0], got[len(got)-1])
		}
	}
	everything := s.ask(time.Time{}, false)
	everything.Category = ""
	if got := s.find(everything); len(got) != 503+len(s.Others) {
		s.Errorf("without category and cut-off %d records were found, want %d", len(got), 503+len(s.Others))
	}
}

func findAnswers(s *suite) {
	until := s.fill(3)
	before := s.Dump(s.T)
	for _, values := range []bool{false, true} {
		for _, r := range s.find(s.ask(until, values)) {
			if r.Category != s.Category || r.At.After(until) || r.At.IsZero() {
				s.Errorf("record %s: category %q, at %v, asked for %q until %v", r.ID, r.Category, r.At, s.Category, until)
			}
			var got map[string]any
			switch {
			case !values && r.Fields != nil:
				s.Errorf("record %s: values came that were not asked for", r.ID)
			case values && (json.Unmarshal(r.Fields, &got) != nil || got["ip"] != address || got["agent"] != "Firefox"):
				s.Errorf("record %s: fields %s", r.ID, r.Fields)
			}
		}
	}
	if after := s.Dump(s.T); !maps.Equal(before, after) {
		s.Error("looking changed the store")
	}
}

func notFound(s *suite) {
	until := s.fill(3)
	nobody := s.ask(until, true)
	nobody.Identities = []personal.Identity{s.Who(77)}
	if page, err := s.Source.Find(s.Context(), nobody); err != nil || !page.Done || len(page.Records) != 0 || len(page.Ties) != 0 {
		s.Errorf("asked for nobody it holds: %+v, %v; want an empty page that is done", page, err)
	}
	for name, ask := range map[string]source.Ask{
		"without an identity":                           {Category: s.Category},
		"with an identity of a kind it does not know":   {Category: s.Category, Identities: []personal.Identity{s.Stranger}},
		"with one it knows and one of an unknown kind":  {Category: s.Category, Identities: []personal.Identity{s.Who(0), s.Stranger}},
		"for a category it does not have":               {Category: "nonsense", Identities: []personal.Identity{s.Who(0)}},
		"from a cursor that it never gave":              {Category: s.Category, Identities: []personal.Identity{s.Who(0)}, Cursor: "!"},
		"from a cursor that it never gave, in its form": {Category: s.Category, Identities: []personal.Identity{s.Who(0)}, Cursor: "AAAA"},
	} {
		ask.Until, ask.Call = until, s.call()
		if page, err := s.Source.Find(s.Context(), ask); !errors.Is(err, source.ErrRefused) {
			s.Errorf("asked %s: %d records, done %v, %v; want ErrRefused", name, len(page.Records), page.Done, err)
		}
	}
	order := s.order(source.Delete, until)
	s.Cut()
	if page, err := s.Source.Find(s.Context(), s.ask(until, true)); !errors.Is(err, source.ErrLater) || page.Done {
		s.Errorf("find in a store out of reach: done %v, %v; want ErrLater", page.Done, err)
	}
	if done, err := s.Source.Execute(s.Context(), order); !errors.Is(err, source.ErrLater) || done.Done {
		s.Errorf("execute in a store out of reach: done %v, %v; want ErrLater", done.Done, err)
	}
}

func executeAll(s *suite) {
	total := 0
	until := s.fill(0)
	for _, verb := range s.verbs() {
		for _, size := range sizes[verb] {
			entries := make([]Entry, size)
			for i := range entries {
				entries[i] = Entry{0, s.Category, fmt.Sprintf("old-%d-%04d", total, i), until.Add(-time.Duration(i) * time.Second), fields(address)}
			}
			s.Add(s.T, entries)
			total++
			before := s.Dump(s.T)
			if removed := s.work(s.order(verb, until)); removed != size {
				s.Errorf("%s: %d removed of %d", verb, removed, size)
			}
			if removed := s.work(s.order(verb, until)); removed != 0 {
				s.Errorf("%s: %d were left of %d", verb, removed, size)
			}
			after := s.Dump(s.T)
			untouched(s.T, before, after, "old-")
			if left := s.find(s.ask(until, false)); verb != source.Correct && len(left) != 0 {
				s.Errorf("%s: %d are still found of %d", verb, len(left), size)
			}
			for id, now := range after {
				if strings.HasPrefix(id, fmt.Sprintf("old-%d-", total-1)) && now == before[id] {
					s.Errorf("%s: %s is as it was", verb, id)
				}
			}
		}
		if verb == source.Correct {
			s.work(s.order(source.Delete, until))
		}
	}
}

func repeatedCall(s *suite) {
	for _, verb := range s.verbs() {
		until := s.fill(12)
		order := s.order(verb, until)
		order.Limit = 5
		first, err := s.Source.Execute(s.Context(), order)
		if err != nil || first.Removed != 5 || first.Done {
			s.Fatalf("%s: the first page: %+v, %v", verb, first, err)
		}
		before := s.Dump(s.T)
		for range 3 {
			order.Call.Lease = order.Call.Lease.Add(time.Minute) // another worker repeats it under a lease of its own
			again, err := s.Source.Execute(s.Context(), order)
			if err != nil || again.Removed != first.Removed || again.Done != first.Done {
				s.Errorf("%s: the same call was answered %+v, %v; want %+v again", verb, again, err, first)
			}
		}
		if !maps.Equal(before, s.Dump(s.T)) {
			s.Errorf("%s: repeating a call changed the store", verb)
		}
		order.Call = s.call()
		if removed := s.work(order); removed != 7 {
			s.Errorf("%s: the rest is %d records, want 7", verb, removed)
		}
		s.work(s.order(source.Delete, s.Now()))
	}
}

// lostAnswers makes every call twice and listens to the second answer only.
func lostAnswers(s *suite) {
	until := s.fill(23)
	before := s.Dump(s.T)
	order, total := s.order(source.Delete, until), 0
	order.Limit = 5
	for range 10 {
		if _, err := s.Source.Execute(s.Context(), order); err != nil {
			s.Fatal(err)
		}
		done, err := s.Source.Execute(s.Context(), order)
		if err != nil {
			s.Fatal(err)
		}
		total += done.Removed
		if done.Done {
			break
		}
		order.Call = s.call()
	}
	if total != 23 {
		s.Errorf("the second answers add up to %d, want 23", total)
	}
	if left := s.find(s.ask(until, false)); len(left) != 0 {
		s.Errorf("%d are left", len(left))
	}
	untouched(s.T, before, s.Dump(s.T), "old-")
}

func leaseOver(s *suite) {
	until := s.fill(3)
	before := s.Dump(s.T)
	for _, verb := range s.verbs() {
		for name, end := range map[string]time.Time{"now": s.Now(), "an hour ago": s.Now().Add(-time.Hour), "never set": {}} {
			order := s.order(verb, until)
			order.Call.Lease = end
			if done, err := s.Source.Execute(s.Context(), order); !errors.Is(err, source.ErrLater) {
				s.Errorf("%s under a lease that ended %s: %+v, %v; want ErrLater", verb, name, done, err)
			}
		}
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("a call changed the store after its lease")
	}
}

func kept(s *suite) {
	for _, verb := range s.verbs() {
		until := s.fill(9)
		before := s.Dump(s.T)
		order := s.order(verb, until)
		order.Limit, order.Keep = 2, []string{"old-0000", "old-0004", "old-0008", "nonsense"}
		if removed := s.work(order); removed != 6 {
			s.Errorf("%s: %d removed, want 6 of 9", verb, removed)
		}
		after := s.Dump(s.T)
		for _, id := range order.Keep {
			if after[id] != before[id] {
				s.Errorf("%s: %s was to be kept and is not as it was", verb, id)
			}
		}
		s.work(s.order(source.Delete, s.Now()))
	}
}

func anonymised(s *suite) {
	until := s.fill(2)
	order := s.order(source.Anonymise, until)
	if s.OnlyDeletes {
		before := s.Dump(s.T)
		if _, err := s.Source.Execute(s.Context(), order); !errors.Is(err, source.ErrRefused) || !maps.Equal(before, s.Dump(s.T)) {
			s.Errorf("a store that cannot anonymise: %v, want ErrRefused and no change", err)
		}
		return
	}
	s.work(order)
	after := s.Dump(s.T)
	sum := sha256.Sum256([]byte(address))
	for _, id := range []string{"old-0000", "old-0001"} {
		switch now := after[id]; {
		case !strings.Contains(now, "Firefox"):
			s.Errorf("%s: what was to be preserved is gone: %q", id, now)
		case strings.Contains(now, address), strings.Contains(now, "/basket"), strings.Contains(now, hex.EncodeToString(sum[:])):
			s.Errorf("%s: still holds a value, or a hash without a key: %q", id, now)
		case strings.Contains(now, s.Who(0).Reveal()):
			s.Errorf("%s: still names the person: %q", id, now)
		}
	}
}

func badMasks(s *suite) {
	until := s.fill(3)
	before := s.Dump(s.T)
	all := s.order(source.Anonymise, until).Masks
	for name, change := range map[string]func(*source.Order){
		"a field without a mask": func(o *source.Order) { o.Masks = all[:2] },
		"no mask at all":         func(o *source.Order) { o.Masks = nil },
		"an unknown way": func(o *source.Order) {
			o.Masks = append(slices.Clone(all[:2]), source.Mask{Field: "path", How: "blur"})
		},
		"no key": func(o *source.Order) { o.MaskKey = nil },
	} {
		order := s.order(source.Anonymise, until)
		change(&order)
		if done, err := s.Source.Execute(s.Context(), order); !errors.Is(err, source.ErrRefused) {
			s.Errorf("%s: %+v, %v; want ErrRefused", name, done, err)
		}
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("a refused order changed the store")
	}
}

func corrections(s *suite) {
	until := s.fill(3)
	if s.NeverCorrects {
		before := s.Dump(s.T)
		if _, err := s.Source.Execute(s.Context(), s.order(source.Correct, until)); !errors.Is(err, source.ErrRefused) || !maps.Equal(before, s.Dump(s.T)) {
			s.Errorf("a store that cannot correct: %v, want ErrRefused and no change", err)
		}
		return
	}
	if removed := s.work(s.order(source.Correct, until)); removed != 3 {
		s.Errorf("%d corrected, want 3", removed)
	}
	for _, r := range s.find(s.ask(until, true)) {
		var got map[string]any
		if json.Unmarshal(r.Fields, &got) != nil || got["agent"] != "Lynx" || got["ip"] != address {
			s.Errorf("%s: fields %s", r.ID, r.Fields)
		}
	}
}

func vagueOrders(s *suite) {
	until := s.fill(3)
	before := s.Dump(s.T)
	for name, change := range map[string]func(*source.Order){
		"nobody":                func(o *source.Order) { o.Identities = nil },
		"an unknown kind":       func(o *source.Order) { o.Identities = []personal.Identity{s.Stranger} },
		"no category":           func(o *source.Order) { o.Category = "" },
		"an unknown category":   func(o *source.Order) { o.Category = "nonsense" },
		"no cut-off":            func(o *source.Order) { o.Until = time.Time{} },
		"no key":                func(o *source.Order) { o.Call.Key = "" },
		"an unknown verb":       func(o *source.Order) { o.Verb = "shred" },
		"corrections, but none": func(o *source.Order) { o.Verb = source.Correct },
	} {
		order := s.order(source.Delete, until)
		change(&order)
		if done, err := s.Source.Execute(s.Context(), order); !errors.Is(err, source.ErrRefused) {
			s.Errorf("%s: %+v, %v; want ErrRefused", name, done, err)
		}
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("a refused order changed the store")
	}
}

// choose is an order to obey what person 0 chose at an instant.
func (s *suite) choose(at time.Time, c source.Choice) source.Order {
	return source.Order{Verb: source.Choose, Identities: []personal.Identity{s.Who(0)}, Until: at, Choice: c, Call: s.call()}
}

const sale, withdrawn = "opt_out_sale", "withdraw_consent"

func choices(s *suite) {
	at := s.fill(3)
	before := s.Dump(s.T)
	if s.Told == nil {
		if done, err := s.Source.Execute(s.Context(), s.choose(at, source.Choice{Right: sale, On: true})); !errors.Is(err, source.ErrRefused) {
			s.Errorf("a store that cannot be told: %+v, %v; want ErrRefused", done, err)
		}
		untouched(s.T, before, s.Dump(s.T), "none")
		return
	}
	minute := func(n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }
	for _, step := range []struct {
		name    string
		at      time.Time
		choice  source.Choice
		changed bool
		want    string
	}{
		{"an opt-out", minute(1), source.Choice{Right: sale, On: true}, true, "[{opt_out_sale [] true}]"},
		{"the same again", minute(2), source.Choice{Right: sale, On: true}, false, "[{opt_out_sale [] true}]"},
		{"an earlier one, late", minute(0), source.Choice{Right: sale}, false, "[{opt_out_sale [] true}]"},
		{"taken back", minute(3), source.Choice{Right: sale}, true, "[{opt_out_sale [] false}]"},
		{"the opt-out, late", minute(1), source.Choice{Right: sale, On: true}, false, "[{opt_out_sale [] false}]"},
		{
			"two purposes", minute(4),
			source.Choice{Right: withdrawn, Purposes: []string{"newsletter", "analytics"}, On: true},
			true, "[{opt_out_sale [] false} {withdraw_consent [analytics] true} {withdraw_consent [newsletter] true}]",
		},
		{
			"one of them given again", minute(5),
			source.Choice{Right: withdrawn, Purposes: []string{"analytics"}},
			true, "[{opt_out_sale [] false} {withdraw_consent [analytics] false} {withdraw_consent [newsletter] true}]",
		},
		{
			"every purpose", minute(6),
			source.Choice{Right: withdrawn, On: true},
			true, "[{opt_out_sale [] false} {withdraw_consent [] true} {withdraw_consent [analytics] false} {withdraw_consent [newsletter] true}]",
		},
	} {
		order := s.choose(step.at, step.choice)
		first, err := s.Source.Execute(s.Context(), order)
		if err != nil || !first.Done || first.Removed > 0 != step.changed {
			s.Errorf("%s: %+v, %v; changed something: want %v", step.name, first, err, step.changed)
		}
		if again, err := s.Source.Execute(s.Context(), order); err != nil || again.Removed != first.Removed || !again.Done {
			s.Errorf("%s: the same call was answered %+v, %v; want %+v again", step.name, again, err, first)
		}
		if got := fmt.Sprint(s.Told(s.T, 0)); got != step.want {
			s.Errorf("%s: the store obeys\n%s, want\n%s", step.name, got, step.want)
		}
	}
	if got := s.Told(s.T, 1); len(got) != 0 {
		s.Errorf("for somebody else the store obeys %v", got)
	}
	if !maps.Equal(before, s.Dump(s.T)) {
		s.Error("a choice changed a record")
	}
}

func vagueChoices(s *suite) {
	if s.Told == nil {
		return
	}
	at := s.fill(1)
	for name, change := range map[string]func(*source.Order){
		"nobody":           func(o *source.Order) { o.Identities = nil },
		"an unknown kind":  func(o *source.Order) { o.Identities = []personal.Identity{s.Stranger} },
		"no right":         func(o *source.Order) { o.Choice.Right = "" },
		"no instant":       func(o *source.Order) { o.Until = time.Time{} },
		"no key":           func(o *source.Order) { o.Call.Key = "" },
		"a lease that was": func(o *source.Order) { o.Call.Lease = s.Now().Add(-time.Second) },
	} {
		order := s.choose(at, source.Choice{Right: sale, On: true})
		change(&order)
		if done, err := s.Source.Execute(s.Context(), order); !errors.Is(err, source.ErrRefused) && !errors.Is(err, source.ErrLater) {
			s.Errorf("%s: %+v, %v; want ErrRefused or ErrLater", name, done, err)
		}
	}
	order := s.choose(at, source.Choice{Right: sale, On: true})
	if _, err := s.Source.Execute(s.Context(), order); err != nil {
		s.Fatal(err)
	}
	order.Choice.On = false
	if done, err := s.Source.Execute(s.Context(), order); !errors.Is(err, source.ErrRefused) {
		s.Errorf("another choice under the same key: %+v, %v; want ErrRefused", done, err)
	}
	if got := fmt.Sprint(s.Told(s.T, 0)); got != "[{opt_out_sale [] true}]" {
		s.Errorf("the store obeys %s", got)
	}
}
