package company

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// People whom documents and tests name. Each has something in every category.
const (
	AdaEmail     = "ada@example.org"
	AdaAccount   = "acc-1001"
	GraceEmail   = "grace@example.net"
	GraceAccount = "acc-1002"

	// The busy one exists if Options.Records is not zero.
	BusyEmail   = "rush@example.com"
	BusyAccount = "acc-1000"
)

// batch is how many records go into one transaction. Bolt keeps a transaction's
// keys in unsplit, sorted pages: with larger batches inserting becomes quadratic.
const batch = 2_000

// fill makes the people and what the stores hold of them.
func (c *Company) fill() error {
	c.db.NoSync = true // nothing is lost with the file but the file
	defer func() { c.db.NoSync = c.o.NoSync }()
	f := filler{company: c, counts: map[string]int{}, today: c.o.Now().UTC().Truncate(24 * time.Hour)}
	f.random = rand.New(rand.NewPCG(c.o.Seed, 0x626f6f6b73)) //nolint:gosec // invented people are to be the same everywhere, not unguessable
	if err := f.begin(); err != nil {
		return err
	}
	err := f.everybody()
	if err != nil {
		_ = f.tx.Rollback() // the first error is the one to tell
		return err
	}
	if err := f.tx.Commit(); err != nil {
		return err
	}
	return c.db.Sync()
}

// filler writes records, a batch of them to a transaction.
type filler struct {
	company *Company
	random  *rand.Rand
	today   time.Time
	tx      *bolt.Tx
	shop    files
	letters files
	n       int            // records in this transaction
	counts  map[string]int // records ever, by category: their ids
}

func (f *filler) begin() (err error) {
	if f.tx, err = f.company.db.Begin(true); err != nil {
		return err
	}
	if err := f.company.create(f.tx); err != nil {
		return err
	}
	f.shop, f.letters, f.n = f.company.stores[Shop].files(f.tx), f.company.stores[Newsletter].files(f.tx), 0
	return nil
}

// add stores one record, numbered within its category.
func (f *filler) add(in files, account, category string, at time.Time, fields any) error {
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	f.counts[category]++
	if err := in.put(place{account, category, f.last(category), at}, entry{Fields: raw}); err != nil {
		return err
	}
	if f.n++; f.n < batch {
		return nil
	}
	if err := f.tx.Commit(); err != nil {
		return err
	}
	return f.begin()
}

// last is the id of the record of a category that was added last.
func (f *filler) last(category string) string {
	return fmt.Sprintf("%s-%07d", prefixes[category], f.counts[category])
}

// prefixes begin the ids of each category.
var prefixes = map[string]string{
	Account: "cust", Orders: "order", AccessLog: "log", SupportMail: "mail", Credentials: "cred",
	Subscriptions: "sub", ReadingHistory: "read",
}

// Fields of the categories, as hooks and tables show them and the policy names them.
type (
	account struct {
		Email   string `json:"email"`
		Name    string `json:"name"`
		Phone   string `json:"phone"`
		Address string `json:"address"`
	}
	order struct {
		Number string   `json:"number"`
		Total  string   `json:"total"`
		Items  []string `json:"items"`
		ShipTo string   `json:"ship_to"`
	}
	visit struct {
		IP        string `json:"ip"`
		Path      string `json:"path"`
		UserAgent string `json:"user_agent"`
	}
	letter struct {
		Email   string `json:"email"`
		Subject string `json:"subject"`
		Body    string `json:"body"`
	}
	credential struct { // secrets of the person's: never shown, not even to them
		Password string `json:"password"` // hashed
		Token    string `json:"token"`
	}
	subscription struct {
		List      string `json:"list"`
		Frequency string `json:"frequency"`
	}
	reading struct {
		Account string `json:"account"`
		Title   string `json:"title"`
		Minutes int    `json:"minutes"`
	}
)

func (f *filler) everybody() error {
	for n := range f.company.o.People {
		number, first, last := 1001+n, pick(f.random, firstNames), pick(f.random, lastNames)
		email := strings.ToLower(fmt.Sprintf("%s.%s.%d@example.%s", first, last, number, pick(f.random, []string{"com", "org", "net"})))
		switch n {
		case 0:
			first, last, email = "Ada", "Winter", AdaEmail
		case 1:
			first, last, email = "Grace", "Okafor", GraceEmail
		}
		if err := f.person(fmt.Sprintf("acc-%d", number), first+" "+last, email); err != nil {
			return err
		}
	}
	if f.company.o.Records == 0 {
		return nil
	}
	if err := f.person(BusyAccount, "Rush Hour", BusyEmail); err != nil {
		return err
	}
	for n := range f.company.o.Records {
		if err := f.add(f.shop, BusyAccount, AccessLog, f.today.Add(time.Duration(n-f.company.o.Records)*time.Second), f.visit()); err != nil {
			return err
		}
	}
	return nil
}

// person makes one person, who came one to four years ago. What they did lies
// between then and yesterday; visits are of the last 200 days.
func (f *filler) person(number, name, email string) error {
	came := f.ago(1400) - 365*24*time.Hour
	some := func(most int) int { return 1 + f.random.IntN(most) }
	home := fmt.Sprintf("%d %s, %s", some(180), pick(f.random, streets), pick(f.random, towns))
	var seen time.Time // last
	add := func(in files, category string, days int, fields any) error {
		at := f.today.Add(f.ago(days))
		if in.name == Shop && at.After(seen) {
			seen = at
		}
		return f.add(in, number, category, at, fields)
	}
	err := f.add(f.shop, number, Account, f.today.Add(came), account{
		email, name, fmt.Sprintf("+1 202 555 01%02d", f.random.IntN(100)), home,
	})
	customer := place{category: Account, id: f.last(Account)}
	for range some(4) {
		first, second := pick(f.random, books), pick(f.random, books)
		bought := order{fmt.Sprintf("EB-%06d", f.counts[Orders]+1), fmt.Sprintf("%d.%02d EUR", 8+some(60), f.random.IntN(100)), []string{first, second}, name + ", " + home}
		err = unless(err, func() error { return add(f.shop, Orders, 365, bought) })
	}
	for range some(6) {
		err = unless(err, func() error { return add(f.shop, AccessLog, 200, f.visit()) })
	}
	for range some(2) {
		about := fmt.Sprintf("Where is EB-%06d?", f.counts[Orders])
		body := fmt.Sprintf("Hello,\nmy parcel with %s has not come to %s yet.\nKind regards\n%s", pick(f.random, books), home, name)
		err = unless(err, func() error { return add(f.shop, SupportMail, 300, letter{email, about, body}) })
	}
	keys := credential{fmt.Sprintf("$scrypt$%016x", f.random.Uint64()), fmt.Sprintf("ebt_%016x%016x", f.random.Uint64(), f.random.Uint64())}
	err = unless(err, func() error { return add(f.shop, Credentials, 300, keys) })
	for range some(2) {
		err = unless(err, func() error {
			return add(f.letters, Subscriptions, 300, subscription{pick(f.random, lists), pick(f.random, []string{"weekly", "monthly"})})
		})
	}
	for range some(4) {
		err = unless(err, func() error {
			return add(f.letters, ReadingHistory, 300, reading{number, pick(f.random, books), some(90)})
		})
	}
	return unless(err, func() error { return f.shop.use(customer, seen) })
}

// unless goes on only if nothing went wrong so far.
func unless(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

// ago is a moment within the last so many days, in milliseconds.
func (f *filler) ago(days int) time.Duration {
	return -time.Duration(f.random.Int64N(int64(days)*86_400_000)) * time.Millisecond
}

// visit is a line of the access log, from an address that documentation may use
// (RFC 5737, RFC 3849).
func (f *filler) visit() visit {
	ip := fmt.Sprintf("%s.%d", pick(f.random, []string{"192.0.2", "198.51.100", "203.0.113"}), 1+f.random.IntN(254))
	if f.random.IntN(4) == 0 {
		ip = fmt.Sprintf("2001:db8:%x:%x::%x", f.random.IntN(1<<16), f.random.IntN(1<<16), 1+f.random.IntN(1<<16-1))
	}
	return visit{ip, pick(f.random, paths), pick(f.random, agents)}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
