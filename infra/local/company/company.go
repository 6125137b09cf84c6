// Package company is Example Books, a bookshop that does not exist. It has a few
// thousand invented customers in two stores, and answers hooks for both as any
// company's application would. make run and the tests let requests find, export,
// correct and erase its data for real.
//
//	store       known by        categories
//	shop        email, account  account, orders, access_log, support_mail, credentials
//	newsletter  account         subscriptions, reading_history
//
// Only the shop knows addresses; it ties an address to the accounts that carry
// it, and the newsletter is then found by account. Orders stay for the tax
// office: the shop itself refuses to remove them for ten years, and says so. Both
// keep what people chose, and show it. Both can be asked for what is old.
//
// The stores live in a file of their own, apart from the product's database. The
// people are made from a seed, so that every machine has the same ones. Package
// company imports source and httpsource, and only infra/local imports it.
package company

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"
)

// The stores, as the policy names them.
const (
	Shop       = "shop"
	Newsletter = "newsletter"
)

// The categories of the shop.
const (
	Account     = "account"      // email, name, phone, address
	Orders      = "orders"       // number, total, items, ship_to
	AccessLog   = "access_log"   // ip, path, user_agent
	SupportMail = "support_mail" // email, subject, body
	Credentials = "credentials"  // password, token
)

// The categories of the newsletter.
const (
	Subscriptions  = "subscriptions"   // list, frequency
	ReadingHistory = "reading_history" // account, title, minutes
)

// Categories lists each store's categories in the order they are answered.
var Categories = map[string][]string{
	Shop:       {Account, Orders, AccessLog, SupportMail, Credentials},
	Newsletter: {Subscriptions, ReadingHistory},
}

// Knows lists the kinds of identity that each store knows people by.
var Knows = map[string][]personal.Kind{
	Shop:       {personal.KindEmail, personal.KindAccount},
	Newsletter: {personal.KindAccount},
}

// LastUsed lists the categories of each store of which it knows when a record was
// last used: an account by its owner's last visit, a book by its last reading.
var LastUsed = map[string][]string{
	Shop:       {Account},
	Newsletter: {ReadingHistory},
}

// Paths of the hooks.
const (
	HookPath  = "/local/company/hook"  // of the shop
	TablePath = "/local/company/table" // of the newsletter
)

// Options say which company to open.
type Options struct {
	Path    string // of the file; if there is none, it is made and filled
	People  int    // to fill it with; 0: 3000
	Records int    // lines in the access log of one more person, BusyEmail; 0: nobody is that busy
	Seed    uint64
	Now     func() time.Time
	Secrets [][]byte // either signs the calls of the hooks

	// NoSync leaves it to the system when to write to the disk: for tests, whose
	// files need not outlive the machine.
	NoSync bool
	// Journal keeps what every call did to every record, for Effects and Accesses.
	Journal bool
	// Fault, if set, is asked before every call what shall go wrong with it.
	Fault func(Call) Fault
}

// Call is a call to a store, as Fault sees it.
type Call struct {
	Store, Operation, Category, Key string
}

// Fault is what goes wrong with a call. The zero Fault is nothing.
type Fault struct {
	Slow   time.Duration // wait before beginning
	Before bool          // do nothing and answer that the store is busy
	After  bool          // do it and answer that the store is busy: the true answer is lost
}

// Company is Example Books with its file open.
type Company struct {
	o      Options
	db     *bolt.DB
	stores map[string]*store
}

// Open opens the company's file, and fills it first if it is new.
func Open(o Options) (*Company, error) {
	if o.People == 0 {
		o.People = 3000
	}
	_, err := os.Stat(o.Path)
	fresh := errors.Is(err, os.ErrNotExist)
	db, err := bolt.Open(o.Path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("open the company's file: %w", err)
	}
	db.NoSync = o.NoSync
	c := &Company{o: o, db: db, stores: map[string]*store{}}
	for name, categories := range Categories {
		c.stores[name] = &store{
			name: name, categories: categories, knows: Knows[name], used: LastUsed[name], db: db, now: o.Now, journal: o.Journal,
		}
	}
	if !fresh { // a bucket may be younger than the file
		if err := db.Update(c.create); err != nil {
			_ = db.Close() // the first error is the one to tell
			return nil, fmt.Errorf("open the company's file: %w", err)
		}
	}
	if fresh {
		if err := c.fill(); err != nil {
			_ = db.Close() // the first error is the one to tell
			_ = os.Remove(o.Path)
			return nil, fmt.Errorf("fill the company's file: %w", err)
		}
	}
	return c, nil
}

func (c *Company) create(tx *bolt.Tx) error {
	for _, s := range c.stores {
		if err := s.create(tx); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the file.
func (c *Company) Close() error { return c.db.Close() }

// Source returns a store as the hook sees it, without the wire in between.
func (c *Company) Source(store string) source.Source {
	return faulty{c.stores[store], store, c.o.Fault}
}

// Handler serves the hooks and the pages below /local/company.
func (c *Company) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+HookPath, c.endpoint(Shop))
	mux.Handle("POST "+TablePath, c.endpoint(Newsletter))
	mux.HandleFunc("GET /local/company/people", c.servePeople)
	mux.HandleFunc("GET /local/company", c.serveOverview)
	return mux
}

func (c *Company) endpoint(store string) http.Handler {
	return httpsource.Endpoint{ID: store, Source: c.Source(store), Secrets: c.o.Secrets, Now: c.o.Now}
}
