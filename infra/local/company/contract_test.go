package company_test

import (
	"bytes"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"
	"rightsdesk/shared/source/sourcetest"
)

var (
	today  = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
)

func clock() time.Time { return today }

// open opens a new company; change may be nil.
func open(t *testing.T, change func(*company.Options)) *company.Company {
	t.Helper()
	o := company.Options{Path: filepath.Join(t.TempDir(), "company.db"), People: 3, Now: clock, Secrets: [][]byte{secret}, NoSync: true}
	if change != nil {
		change(&o)
	}
	c, err := company.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// hook serves a company and returns a client of one of its stores.
func hook(t *testing.T, c *company.Company, store string) (*httpsource.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	path := map[string]string{company.Shop: company.HookPath, company.Newsletter: company.TablePath}[store]
	client, err := httpsource.New(httpsource.Options{
		ID: store, URL: server.URL + path, Secret: secret, Categories: company.Categories[store],
		Ties: []personal.Kind{personal.KindAccount}, AllowHosts: []string{strings.TrimPrefix(server.URL, "http://")}, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestEveryStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	categories := map[string][]string{ // the one under test first
		company.Shop:       {company.AccessLog, company.SupportMail, company.Credentials, company.Orders},
		company.Newsletter: {company.ReadingHistory, company.Subscriptions},
	}
	for store, categories := range categories {
		for _, wire := range []bool{false, true} {
			t.Run(store+map[bool]string{true: " through its hook"}[wire], func(t *testing.T) {
				t.Parallel()
				empty := func(t *testing.T) sourcetest.Store {
					t.Helper()
					var cut atomic.Bool
					c := open(t, func(o *company.Options) {
						o.Fault = func(company.Call) company.Fault { return company.Fault{Before: cut.Load()} }
					})
					s := sourcetest.Store{
						Source: c.Source(store), Now: clock, Category: categories[0], Others: categories[1:],
						Who: func(n int) personal.Identity {
							return personal.MakeIdentity(personal.KindAccount, owner(n))
						},
						Stranger: personal.MakeIdentity(personal.KindPhone, "+12025550100"),
						Add: func(t *testing.T, entries []sourcetest.Entry) {
							t.Helper()
							lines := make([]company.Line, len(entries))
							for i, e := range entries {
								lines[i] = company.Line{Account: owner(e.Person), Category: e.Category, ID: e.ID, At: e.At, Fields: e.Fields}
							}
							if err := c.Add(store, lines...); err != nil {
								t.Fatal(err)
							}
						},
						Dump: func(t *testing.T) map[string]string { t.Helper(); return dump(t, c, store) },
						Told: func(t *testing.T, person int) []source.Choice { t.Helper(); return told(t, c, store, owner(person)) },
						Cut:  func() { cut.Store(true) }, OldestFirst: true,
					}
					if wire {
						client, server := hook(t, c, store)
						s.Source, s.Cut = client, server.Close
					}
					return s
				}
				sourcetest.Run(t, empty)
				sourcetest.RunSweeps(t, empty)
			})
		}
	}
}

func owner(n int) string { return "acc-900" + strconv.Itoa(n) }

// told returns what a store was told that an account chose.
func told(t *testing.T, c *company.Company, store, account string) (list []source.Choice) {
	t.Helper()
	lines, err := c.Told(store, personal.MakeIdentity(personal.KindAccount, account))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		choice := source.Choice{Right: l.Right, On: l.On}
		if l.Purpose != "" {
			choice.Purposes = []string{l.Purpose}
		}
		list = append(list, choice)
	}
	return list
}

// dump returns a store's records by id.
func dump(t *testing.T, c *company.Company, store string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := c.RawScan(func(bucket, key, value []byte) {
		if string(bucket) == store+".records" {
			_, id, _ := bytes.Cut(key, []byte{0})
			all[string(id)] = string(value)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var _ source.Sweeper = (*httpsource.Client)(nil)
