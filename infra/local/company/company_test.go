package company_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

var (
	ada      = personal.MakeIdentity(personal.KindEmail, company.AdaEmail)
	adaByNo  = personal.MakeIdentity(personal.KindAccount, company.AdaAccount)
	busy     = personal.MakeIdentity(personal.KindAccount, company.BusyAccount)
	someCall = source.Call{Key: "a-call", Lease: today.Add(time.Minute)}
)

func TestTheShopTiesAnAddressToItsAccount(t *testing.T) {
	t.Parallel()
	c := open(t, nil)
	for _, store := range []string{company.Shop, company.Newsletter} {
		_, err := c.Source(store).Find(t.Context(), source.Ask{Identities: []personal.Identity{ada}, Until: today, Call: someCall})
		if known := store == company.Shop; known != (err == nil) || !known && !errors.Is(err, source.ErrRefused) {
			t.Errorf("asked %s by address: %v", store, err)
		}
	}
	client, _ := hook(t, c, company.Shop)
	page, err := client.Find(t.Context(), source.Ask{Identities: []personal.Identity{ada}, Until: today, Values: true, Call: someCall})
	if err != nil || len(page.Ties) != 1 || page.Ties[0] != adaByNo {
		t.Fatalf("%v, ties %v, want the account %s", err, page.Ties, company.AdaAccount)
	}
	held := map[string]int{}
	for _, r := range page.Records {
		held[r.Category]++
	}
	for _, category := range company.Categories[company.Shop] {
		if held[category] == 0 {
			t.Errorf("%s has nothing in %s", company.AdaEmail, category)
		}
	}
	// Without the account's record the address leads nowhere, and the tie still does.
	order := source.Order{Verb: source.Delete, Identities: []personal.Identity{ada}, Category: company.Account, Until: today, Call: someCall}
	if done, err := client.Execute(t.Context(), order); err != nil || done.Removed != 1 {
		t.Fatalf("delete the account: %+v, %v", done, err)
	}
	for id, want := range map[personal.Identity]bool{ada: false, adaByNo: true} {
		page, err := client.Find(t.Context(), source.Ask{Identities: []personal.Identity{id}, Until: today, Call: someCall})
		if err != nil || (len(page.Records) > 0) != want {
			t.Errorf("by %v: %d records, %v; any wanted: %v", id, len(page.Records), err, want)
		}
	}
}

func TestACorrectedAddressIsFoundUnderItsNewSpelling(t *testing.T) {
	t.Parallel()
	s := open(t, nil).Source(company.Shop)
	order := source.Order{
		Verb: source.Correct, Identities: []personal.Identity{ada}, Category: company.Account, Until: today, Call: someCall,
		Corrections: []source.Correction{{Field: "email", Value: personal.MakeText("Ada.Winter@example.org")}},
	}
	if done, err := s.Execute(t.Context(), order); err != nil || done.Removed != 1 || !done.Done {
		t.Fatalf("%+v, %v", done, err)
	}
	for address, want := range map[string]int{company.AdaEmail: 0, "ada.winter@example.org": 1} {
		id := personal.MakeIdentity(personal.KindEmail, address)
		if page, err := s.Find(t.Context(), source.Ask{Identities: []personal.Identity{id}, Category: company.Account, Call: someCall}); err != nil || len(page.Records) != want {
			t.Errorf("%s: %d accounts, %v; want %d", address, len(page.Records), err, want)
		}
	}
}

func TestOrdersStayAndSayWhy(t *testing.T) {
	t.Parallel()
	c := open(t, nil)
	before := dump(t, c, company.Shop)
	done, err := c.Source(company.Shop).Execute(t.Context(), source.Order{
		Verb: source.Delete, Identities: []personal.Identity{ada}, Category: company.Orders, Until: today, Call: someCall,
	})
	if err != nil || done.Removed != 0 || done.Retained == 0 || !done.Done || len(done.Messages) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	for id, was := range before {
		if now := dump(t, c, company.Shop)[id]; now != was {
			t.Errorf("%s was changed", id)
		}
	}
}

func TestAKeyBelongsToOneOrder(t *testing.T) {
	t.Parallel()
	c := open(t, nil)
	order := source.Order{Verb: source.Delete, Identities: []personal.Identity{ada}, Category: company.AccessLog, Until: today, Call: someCall}
	if _, err := c.Source(company.Shop).Execute(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*source.Order){
		"another person":   func(o *source.Order) { o.Identities = []personal.Identity{adaByNo} },
		"another category": func(o *source.Order) { o.Category = company.SupportMail },
		"another cut-off":  func(o *source.Order) { o.Until = today.Add(-time.Hour) },
		"another keep":     func(o *source.Order) { o.Keep = []string{"x"} },
	} {
		other := order
		change(&other)
		if done, err := c.Source(company.Shop).Execute(t.Context(), other); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s under the same key: %+v, %v; want ErrRefused", name, done, err)
		}
	}
}

// Every call fails once before and once after it is done; each record must be
// changed by exactly one call all the same, and the journal must show it.
func TestEffectsHappenOnceWhateverFails(t *testing.T) {
	t.Parallel()
	const records = 1203
	failures := map[string]int{}
	c := open(t, func(o *company.Options) {
		o.Journal, o.Records = true, records
		o.Fault = func(call company.Call) company.Fault {
			failures[call.Key]++ // calls come one after the other here
			return company.Fault{Before: failures[call.Key] == 1, After: failures[call.Key] == 2}
		}
	})
	client, _ := hook(t, c, company.Shop)
	order := source.Order{Verb: source.Delete, Identities: []personal.Identity{busy}, Category: company.AccessLog, Until: today, Call: someCall}
	removed, later := 0, 0
	for page := 0; ; page++ {
		order.Call.Key = "page-" + strconv.Itoa(page)
		done, err := client.Execute(t.Context(), order)
		for errors.Is(err, source.ErrLater) {
			later++
			done, err = client.Execute(t.Context(), order)
		}
		if err != nil {
			t.Fatal(err)
		}
		removed += done.Removed
		if done.Done {
			break
		}
	}
	byRecord := map[string]int{}
	if err := c.Effects(func(e company.Effect) {
		byRecord[e.Category+" "+e.ID] += int(e.Count)
	}); err != nil {
		t.Fatal(err)
	}
	for id, n := range byRecord {
		if n != 1 {
			t.Errorf("%s was changed %d times", id, n)
		}
	}
	if removed < records || removed > records+6 || len(byRecord) != removed || later != 6 {
		t.Errorf("%d removed, %d in the journal, of %d and a few; %d calls were told to come later, want 6", removed, len(byRecord), records, later)
	}
}

func TestTheJournalTellsWhoReadWhat(t *testing.T) {
	t.Parallel()
	c := open(t, func(o *company.Options) { o.Journal = true })
	page, err := c.Source(company.Newsletter).Find(t.Context(), source.Ask{Identities: []personal.Identity{adaByNo}, Until: today, Call: someCall})
	if err != nil {
		t.Fatal(err)
	}
	var seen []company.Access
	if err := c.Accesses(func(a company.Access) { seen = append(seen, a) }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(page.Records) {
		t.Fatalf("%d accesses of %d records", len(seen), len(page.Records))
	}
	for i, r := range page.Records {
		if want := (company.Access{Key: "a-call", Store: company.Newsletter, Operation: "find", Category: r.Category, ID: r.ID}); seen[i] != want {
			t.Errorf("access %d is %+v, want %+v", i, seen[i], want)
		}
	}
}

// A worker that is slow on its way must not act once somebody else may have
// taken over: the store looks at the lease when it begins, not when the call came.
func TestASlowCallFindsItsLeaseOver(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	c := open(t, func(o *company.Options) {
		o.Now = func() time.Time { return today.Add(time.Duration(now.Load())) }
		o.Fault = func(company.Call) company.Fault {
			now.Store(int64(2 * time.Minute))
			return company.Fault{Slow: time.Millisecond}
		}
	})
	before := dump(t, c, company.Shop)
	client, _ := hook(t, c, company.Shop)
	done, err := client.Execute(t.Context(), source.Order{
		Verb: source.Delete, Identities: []personal.Identity{ada}, Category: company.AccessLog, Until: today, Call: someCall,
	})
	if !errors.Is(err, source.ErrLater) {
		t.Errorf("%+v, %v; want ErrLater", done, err)
	}
	if after := dump(t, c, company.Shop); len(after) != len(before) {
		t.Errorf("%d records of %d are left", len(after), len(before))
	}
}

func TestTheSamePeopleEverywhereAndAfterARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "company.db")
	scan := func(path string) []byte {
		c := open(t, func(o *company.Options) { o.Path, o.People, o.Seed = path, 40, 7 })
		defer func() { _ = c.Close() }()
		var all bytes.Buffer
		if err := c.RawScan(func(store, key, value []byte) { all.Write(bytes.Join([][]byte{store, key, value}, []byte{0})) }); err != nil {
			t.Fatal(err)
		}
		return all.Bytes()
	}
	first, again, elsewhere := scan(path), scan(path), scan(filepath.Join(t.TempDir(), "other.db"))
	if len(first) == 0 || !bytes.Equal(first, again) {
		t.Error("opening the file again changed it")
	}
	if !bytes.Equal(first, elsewhere) {
		t.Error("the same seed made other people")
	}
}

func TestThePagesShowWhatIsHeld(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(open(t, func(o *company.Options) { o.People = 20 }).Handler())
	t.Cleanup(server.Close)
	get := func(path string) []byte {
		r, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, r.StatusCode, err)
		}
		return body
	}
	var overview struct{ People []company.Person }
	if err := json.Unmarshal(get("/local/company"), &overview); err != nil || len(overview.People) != 10 {
		t.Fatalf("%d people, %v", len(overview.People), err)
	}
	if p := overview.People; p[0].Email != company.AdaEmail || p[1].Account != company.GraceAccount {
		t.Errorf("the first people are %+v", p[:2])
	}
	for _, p := range overview.People {
		var holds map[string]company.Holding
		if err := json.Unmarshal(get(p.See), &holds); err != nil {
			t.Fatal(err)
		}
		for store, categories := range company.Categories {
			for _, category := range categories {
				if len(holds[store][category]) == 0 {
					t.Errorf("%s: nothing in %s of %s", p.Account, category, store)
				}
			}
		}
	}
	if body := get("/local/company/people?email=nobody@example.org"); bytes.Contains(body, []byte(`"id"`)) {
		t.Errorf("somebody who does not exist has %s", body)
	}
}

func TestNobodyIsReal(t *testing.T) {
	t.Parallel()
	people, err := open(t, func(o *company.Options) { o.People = 500 }).People(1000)
	if err != nil || len(people) != 500 {
		t.Fatalf("%d people, %v", len(people), err)
	}
	seen := map[string]bool{}
	for _, p := range people {
		host := p.Email[strings.LastIndexByte(p.Email, '@')+1:]
		if _, ok := personal.ParseEmail(p.Email); !ok || !strings.HasPrefix(host, "example.") || seen[p.Email] || seen[p.Account] {
			t.Errorf("%+v", p)
		}
		seen[p.Email], seen[p.Account] = true, true
	}
}

// A page costs the same however much a person has: the heap stays small while
// all of it is found, erased and looked for again.
func TestABusyPersonFitsInSmallMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const records, most = 20_000, 64 << 20
	c := open(t, func(o *company.Options) { o.Records = records })
	client, _ := hook(t, c, company.Shop)
	var peak uint64
	measure := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	n := 0
	ask := source.Ask{Identities: []personal.Identity{busy}, Category: company.AccessLog, Until: today, Values: true, Call: someCall}
	for done := false; !done; {
		page, err := client.Find(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		measure()
		n += len(page.Records)
		ask.Cursor, done = page.Cursor, page.Done
	}
	removed := 0
	order := source.Order{Verb: source.Delete, Identities: ask.Identities, Category: company.AccessLog, Until: today}
	for page, done := 0, false; !done; page++ {
		order.Call = source.Call{Key: "page-" + strconv.Itoa(page), Lease: someCall.Lease}
		did, err := client.Execute(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		measure()
		removed += did.Removed
		done = did.Done
	}
	ask.Cursor = ""
	left, err := client.Find(t.Context(), ask)
	if err != nil || n < records || removed != n || len(left.Records) != 0 || !left.Done {
		t.Errorf("%d found, %d removed, %d left, %v; want all of %d and a few", n, removed, len(left.Records), err, records)
	}
	if peak > most {
		t.Errorf("the heap was at %d MiB, want at most %d", peak>>20, most>>20)
	}
	t.Logf("heap at most %d MiB", peak>>20)
}
