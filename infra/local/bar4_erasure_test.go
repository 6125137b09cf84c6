package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"index/suffixarray"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// TestBar4_200Of2000PeopleAreErasedAndNobodyElse erases a tenth of the sample
// company's people by the API. Afterwards every line of the company's file is
// one of three: a line of somebody who asked for nothing, as it was to the byte;
// a line that the plan lists as kept, with its duty and its end; or a line that
// holds no value of the erased.
func TestBar4_200Of2000PeopleAreErasedAndNobodyElse(t *testing.T) {
	t.Parallel()
	const people, every = 2000, 10
	w := open(t, func(o *options) { o.People, o.NoHints = people, true }) // turning the clock does all the work, and then it is done
	spread(w, rand.New(rand.NewPCG(4, 2000)))

	persons, err := w.Company.People(people)
	if err != nil || len(persons) != people {
		t.Fatalf("the company has %d people: %v", len(persons), err)
	}
	erased := map[string]string{} // account -> address
	for i, p := range persons {
		if i%every == 3 {
			erased[p.Account] = p.Email
		}
	}
	before := w.lines()
	values, kept := w.valuesOf(erased)

	ids := map[string]string{} // account -> request
	for n, account := range slices.Sorted(mapKeys(erased)) {
		ids[account] = w.from(n).submit(submission("erasure", erased[account]))
	}
	codes := map[string]string{} // address -> code; the mails are read once, not once a person
	w.await("everybody has mail", func() bool {
		for _, m := range w.mails("") {
			codes[m.To] = m.Code
		}
		return len(codes) >= len(erased) // and the operators have a digest
	})
	for account, id := range ids {
		w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/verify", map[string]string{"code": codes[erased[account]]})
	}
	w.pass(8 * 24 * time.Hour)
	for account, id := range ids {
		s := w.reach(id, w.session(id), "fulfilled")
		for _, sys := range s.Outcome {
			for _, c := range sys.Categories {
				isKept := c.Category == "Orders and invoices"
				if isKept != (c.Result == "kept") {
					t.Errorf("of %s, %s is %s", account, c.Category, c.Result)
				}
				if isKept && (c.Duty == "" || c.Until == nil || !c.Until.After(w.Clock.Now()) || c.Count != kept[account]) {
					t.Errorf("%s keeps %d orders, and the answer says %+v", account, kept[account], c)
				}
			}
		}
	}

	after := w.lines()
	others := 0
	for place, l := range before {
		if _, gone := erased[l.account]; gone || l.account == "" {
			continue
		}
		others++
		if after[place].sum != l.sum {
			t.Errorf("a line of %s, who asked for nothing, is not as it was: %s", l.account, place)
		}
	}
	var rest bytes.Buffer
	keptLines := 0
	for place, l := range after {
		_, gone := erased[l.account]
		switch {
		case l.account != "" && !gone:
		case gone && strings.Contains(place, "\x00orders\x00"), gone && strings.Contains(place, company.Shop+".records\x00orders\x00"):
			keptLines++
		default:
			if gone {
				t.Errorf("%s is erased and still has the line %q", l.account, place)
			}
			rest.WriteString(place)
			rest.WriteByte(0)
			rest.Write(l.value)
			rest.WriteByte(0)
		}
	}
	index := suffixarray.New(rest.Bytes())
	found := 0
	for v := range values {
		if at := index.Lookup([]byte(v), 1); len(at) > 0 {
			found++
			t.Errorf("%q of an erased person stands in %q", v, rest.Bytes()[max(0, at[0]-80):min(rest.Len(), at[0]+80)])
		}
	}
	proof(t, "bar 4", "%d of %d people erased by the API: %d of their %d values are left outside of %d kept orders with duty and end; %d of %d lines of the others are byte-identical",
		len(erased), people, found, len(values), sum(kept), others, others)
}

// line is one key and value of the company's file.
type line struct {
	account string // whose it is; empty: nobody's
	sum     [sha256.Size]byte
	value   []byte // of lines that are nobody's
}

// lines reads every line of the company's file, by its bucket and key.
func (w *world) lines() map[string]line {
	w.t.Helper()
	owner := map[string]string{}
	for store := range company.Categories {
		err := w.Company.Records(store, func(l company.Line) { owner[store+".records\x00"+l.Category+"\x00"+l.ID] = l.Account })
		if err != nil {
			w.t.Fatal(err)
		}
	}
	all := map[string]line{}
	err := w.Company.RawScan(func(bucket, key, value []byte) {
		place := string(bucket) + "\x00" + string(key)
		l := line{sum: sha256.Sum256(value)}
		switch _, kind, _ := strings.Cut(string(bucket), "."); kind {
		case "records":
			l.account = owner[place]
		case "owners":
			l.account, _, _ = strings.Cut(string(key), "\x00")
		case "emails":
			_, l.account, _ = strings.Cut(string(key), "\x00")
		case "ages": // a mark before it says whether it is archived
			l.account = string(value[min(1, len(value)):])
		}
		if l.account == "" {
			l.value = bytes.Clone(value)
		}
		all[place] = l
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// valuesOf returns every value that must be gone once these people are erased,
// and how many orders of each stay. What the policy's masks preserve (what was
// read and visited, without whom) and generic words are not theirs.
func (w *world) valuesOf(erased map[string]string) (values map[string]bool, kept map[string]int) {
	w.t.Helper()
	values, kept = map[string]bool{}, map[string]int{}
	for account, email := range erased {
		values[account], values[email] = true, true
	}
	preserved := map[string]bool{"path": true, "user_agent": true, "title": true, "list": true, "frequency": true}
	for store := range company.Categories {
		err := w.Company.Records(store, func(l company.Line) {
			if _, ok := erased[l.Account]; !ok {
				return
			}
			if l.Category == company.Orders {
				kept[l.Account]++
				return
			}
			var fields map[string]any
			if err := json.Unmarshal(l.Fields, &fields); err != nil {
				w.t.Fatal(err)
			}
			for name, v := range fields {
				if text, ok := v.(string); ok && !preserved[name] && len(text) > 3 {
					values[text] = true
					if escaped, err := json.Marshal(text); err == nil {
						values[strings.Trim(string(escaped), `"`)] = true
					}
				}
			}
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return values, kept
}

// spread gives people more records, by chance: many get none, some get dozens,
// each in categories of its own.
func spread(w *world, random *rand.Rand) {
	w.t.Helper()
	persons, err := w.Company.People(1 << 20)
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	now := w.Clock.Now()
	lines := map[string][]company.Line{}
	for _, p := range persons {
		for range random.IntN(1 + random.IntN(1+random.IntN(40))) {
			n++
			store, category, fields := company.Shop, "", ""
			mine := fmt.Sprintf("%s-%06d", p.Account, n) // a value that only this record has
			switch random.IntN(6) {
			case 0:
				category, fields = company.AccessLog, fmt.Sprintf(`{"ip":"ip-%s","path":"/","user_agent":"Mozilla"}`, mine)
			case 1:
				category, fields = company.SupportMail, fmt.Sprintf(`{"email":%q,"subject":"about %s","body":"Hello,\nI am \u003c%s\u003e & live at %s"}`, p.Email, mine, p.Name, mine)
			case 2:
				category, fields = company.Orders, fmt.Sprintf(`{"number":"no-%s","total":"1.00 EUR","items":["On Mending"],"ship_to":"%s, %s"}`, mine, p.Name, mine)
			case 3:
				category, fields = company.Credentials, fmt.Sprintf(`{"password":"pw-%s","token":"tk-%s"}`, mine, mine)
			case 4:
				store, category, fields = company.Newsletter, company.Subscriptions, `{"list":"for-children","frequency":"monthly"}`
			case 5:
				store, category, fields = company.Newsletter, company.ReadingHistory, fmt.Sprintf(`{"account":%q,"title":"On Mending","minutes":7}`, p.Account)
			}
			lines[store] = append(lines[store], company.Line{
				Account: p.Account, Category: category, ID: fmt.Sprintf("more-%06d", n),
				At: now.Add(-time.Duration(1+random.IntN(500*24)) * time.Hour).Truncate(time.Millisecond), Fields: []byte(fields),
			})
		}
	}
	for store, list := range lines {
		w.fill(store, list)
	}
}

// fill puts records into a store, as many in one transaction as its file likes.
func (w *world) fill(store string, list []company.Line) {
	w.t.Helper()
	for chunk := range slices.Chunk(list, 2000) {
		if err := w.Company.Add(store, chunk...); err != nil {
			w.t.Fatal(err)
		}
	}
}

// sum adds up counts.
func sum(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

func mapKeys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// Somebody with as many records as a test likes. Everything of theirs that must
// go holds bigMark.
const (
	bigEmail   = "big@example.org"
	bigAccount = "acc-big"
	bigMark    = "bgmrk"
)

// big makes one person with n records in all: an account, and visits, letters
// and titles read for the rest, in both stores.
func big(w *world, n int) {
	w.t.Helper()
	now := w.Clock.Now().Add(-time.Hour)
	at := func(i int) time.Time { return now.Add(-time.Duration(i) * time.Second).Truncate(time.Millisecond) }
	w.fill(company.Shop, []company.Line{{Account: bigAccount, Category: company.Account, ID: "cust-big", At: at(n), Fields: []byte(`{"email":"` + bigEmail + `","name":"` + bigMark + `","phone":"` + bigMark + `","address":"` + bigMark + `"}`)}})
	shop, letters := make([]company.Line, 0, 2000), make([]company.Line, 0, 2000)
	for i := range n - 1 {
		l := company.Line{Account: bigAccount, ID: fmt.Sprintf("big-%07d", i), At: at(i)}
		switch i % 10 {
		case 0, 1, 2, 3, 4:
			l.Category, l.Fields = company.AccessLog, fmt.Appendf(nil, `{"ip":"%s-%d","path":"/","user_agent":"Mozilla"}`, bigMark, i)
			shop = append(shop, l)
		case 5, 6, 7:
			l.Category, l.Fields = company.SupportMail, fmt.Appendf(nil, `{"email":"%s","subject":"%d","body":"%s"}`, bigEmail, i, bigMark)
			shop = append(shop, l)
		default:
			l.Category, l.Fields = company.ReadingHistory, fmt.Appendf(nil, `{"account":"%s","title":"On Mending","minutes":%d}`, bigAccount, i)
			letters = append(letters, l)
		}
		if len(shop) == cap(shop) {
			w.fill(company.Shop, shop)
			shop = shop[:0]
		}
		if len(letters) == cap(letters) {
			w.fill(company.Newsletter, letters)
			letters = letters[:0]
		}
	}
	w.fill(company.Shop, shop)
	w.fill(company.Newsletter, letters)
}

// pages makes one person with n records in each category that has more than one
// a person: n around a page's size is where pages end.
func pages(w *world, n int) {
	w.t.Helper()
	big(w, 1)
	now := w.Clock.Now().Add(-time.Hour)
	var shop, letters []company.Line
	for i := range n {
		at := now.Add(-time.Duration(i) * time.Second).Truncate(time.Millisecond)
		id := fmt.Sprintf("big-%07d", i)
		shop = append(shop,
			company.Line{Account: bigAccount, Category: company.AccessLog, ID: id, At: at, Fields: []byte(`{"ip":"` + bigMark + `","path":"/","user_agent":"Mozilla"}`)},
			company.Line{Account: bigAccount, Category: company.SupportMail, ID: id, At: at, Fields: []byte(`{"email":"` + bigEmail + `","subject":"x","body":"` + bigMark + `"}`)})
		letters = append(letters, company.Line{Account: bigAccount, Category: company.ReadingHistory, ID: id, At: at, Fields: []byte(`{"account":"` + bigAccount + `","title":"On Mending","minutes":1}`)})
	}
	w.fill(company.Shop, shop)
	w.fill(company.Newsletter, letters)
}

// count returns what the stores hold of the big person.
func (w *world) count() map[string]int {
	w.t.Helper()
	counts := map[string]int{}
	for store := range company.Categories {
		if err := w.Company.Records(store, func(l company.Line) {
			if l.Account == bigAccount {
				counts[l.Category]++
			}
		}); err != nil {
			w.t.Fatal(err)
		}
	}
	return counts
}

// faults fails calls to the company by a seed: one in ten, half of them after
// the work was done, so that the true answer is lost.
type faults struct {
	mu            sync.Mutex
	random        *rand.Rand
	calls         int
	before, after int
}

func newFaults(seed uint64) *faults { return &faults{random: rand.New(rand.NewPCG(seed, 10))} }

func (f *faults) of(company.Call) company.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	switch f.random.IntN(20) {
	case 0:
		f.before++
		return company.Fault{Before: true}
	case 1:
		f.after++
		return company.Fault{After: true}
	}
	return company.Fault{}
}

func (f *faults) String() string {
	return fmt.Sprintf("%d calls, %d failed before and %d after the work", f.calls, f.before, f.after)
}

// TestBar4_OnePersonWithAnyNumberOfRecords exports and erases everything of one
// person through a store and a company that fail: every sixteenth operation of
// the database in each of its ways, every tenth call to the company, half of
// them after the work was done. The schedules alone do the work, and the clock
// is turned for every back-off.
//
// The heap is this process's, all objects that are allocated, garbage included,
// every 2 ms. It holds the product, the sample company with its hooks, and the
// test; so the product needs less. What bbolt maps from its files is no heap. It
// runs alone: tests in parallel would be counted as well.
func TestBar4_OnePersonWithAnyNumberOfRecords(t *testing.T) {
	type size struct {
		name string
		make func(*world)
		most float64
	}
	whole := func(n int) func(*world) { return func(w *world) { big(w, n) } }
	each := func(n int) func(*world) { return func(w *world) { pages(w, n) } }
	sizes := []size{
		{"1 record", whole(1), 64},
		{"500 records", whole(500), 64},
		{"501 records", whole(501), 64},
		{"500 records in each category", each(500), 64},
		{"501 records in each category", each(501), 64},
		{"10,000 records", whole(10_000), 64},
	}
	if full() {
		sizes = append(sizes, size{"1,000,000 records", whole(1_000_000), 64})
	}
	for n, s := range sizes {
		t.Run(s.name, func(t *testing.T) {
			wrong := newFaults(uint64(n + 1))
			w := open(t, func(o *options) {
				o.NoHints, o.Hostile, o.Fault, o.People = true, uint64(n+1), wrong.of, 20
				o.Journal = false // it would take longer than the work, and TestBar5 reads it
			})
			s.make(w)
			before := w.count()
			peak := heap()
			began := time.Now()

			id := w.submit(submission("access", bigEmail))
			w.verify(id, bigEmail)
			w.finish(id)
			exported := time.Since(began)
			exportHeap := peak()
			w.packageHolds(id, before)

			peak = heap()
			began = time.Now()
			id = w.submit(submission("erasure", bigEmail))
			w.verify(id, bigEmail)
			w.pass(8 * 24 * time.Hour)
			w.finish(id)
			took := time.Since(began)
			eraseHeap := peak()

			if left := w.count(); sum(left) != 0 {
				t.Errorf("%d records are left: %v", sum(left), left)
			}
			found := 0
			if err := w.Company.RawScan(func(_, key, value []byte) {
				for _, v := range []string{bigEmail, bigAccount, bigMark} {
					if bytes.Contains(key, []byte(v)) || bytes.Contains(value, []byte(v)) {
						found++
					}
				}
			}); err != nil {
				t.Fatal(err)
			}
			if found > 0 {
				t.Errorf("%d lines still hold a value of the erased person", found)
			}
			if most := max(exportHeap, eraseHeap); most > s.most {
				t.Errorf("the heap grew to %.1f MB, want at most %.0f", most, s.most)
			}
			proof(t, "bar 4", "one person with %s (%d in all): 0 left, %d values left; export %.1fs with a heap of %.1f MB at most, erasure %.1fs and %.1f MB, company and test included; hostile table, %s",
				s.name, sum(before), found, exported.Seconds(), exportHeap, took.Seconds(), eraseHeap, wrong)
		})
	}
}

// finish turns the clock until a request is fulfilled.
func (w *world) finish(id string) seen {
	w.t.Helper()
	end := time.Now().Add(time.Minute)
	if full() {
		end = time.Now().Add(time.Hour)
	}
	for {
		s := w.see(id, w.session(id))
		if s.Status == "fulfilled" {
			return s
		}
		if s.Status != "in_progress" && s.Status != "open" || time.Now().After(end) || strings.Contains(fmt.Sprint(s.Outcome), " failed ") {
			w.t.Fatalf("the request is %s; operators see\n%s\nand the log says\n%.4000s", s.Status,
				w.call("GET", "/v1/operator/requests/"+id, nil, w.operator()).Body, w.log)
		}
		w.pass(3 * time.Minute)
	}
}

// packageHolds downloads a package and compares its counts with the stores'.
func (w *world) packageHolds(id string, want map[string]int) {
	w.t.Helper()
	w.compare(w.download(id, w.session(id))["data.json"], want)
}

// compare counts what a package's document for programs holds.
func (w *world) compare(document string, want map[string]int) {
	w.t.Helper()
	var data struct {
		Categories []struct {
			ID      string
			Count   int
			Records []struct{ ID string }
		}
	}
	if err := json.Unmarshal([]byte(document), &data); err != nil {
		w.t.Fatal(err)
	}
	got := map[string]int{}
	for _, c := range data.Categories {
		once := map[string]bool{}
		for _, r := range c.Records {
			once[r.ID] = true
		}
		if len(once) != len(c.Records) || c.Count != len(c.Records) {
			w.t.Errorf("the package says %d of %s, and holds %d, %d of them different", c.Count, c.ID, len(c.Records), len(once))
		}
		got[c.ID] = len(c.Records)
	}
	for category, n := range want {
		if category != company.Credentials && got[category] != n {
			w.t.Errorf("the package holds %d of %s, the store %d", got[category], category, n)
		}
	}
}

// TestBar4_AStepThatFailedForGoodEndsAfterARetry loses the answers of one call
// until the step is handed to an operator, who lets it try again.
func TestBar4_AStepThatFailedForGoodEndsAfterARetry(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	broken := true
	w := open(t, func(o *options) {
		o.NoHints = true
		o.Fault = func(c company.Call) company.Fault {
			mu.Lock()
			defer mu.Unlock()
			return company.Fault{After: broken && c.Operation == "delete" && c.Category == company.SupportMail}
		}
	})
	pages(w, 700)
	id := w.submit(submission("erasure", bigEmail))
	w.verify(id, bigEmail)
	w.pass(8 * 24 * time.Hour)
	w.await("the step has failed for good", func() bool {
		return w.see(id, w.session(id)).result("Letters to our help desk") == "failed"
	})
	if s := w.see(id, w.session(id)); s.Status != "in_progress" || s.result("Account") != "erased" {
		t.Errorf("the other steps wait for the broken one: %s, %+v", s.Status, s.Outcome)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/retry", map[string]any{}, w.operator())
	w.finish(id)
	if left := w.count(); sum(left) != 0 {
		t.Errorf("%d records are left: %v", sum(left), left)
	}
}
