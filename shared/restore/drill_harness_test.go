package restore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/audit"
	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/erasure"
	"rightsdesk/shared/export/folder"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/retention"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

var handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler, operator.Auditor}, MFA: true}

// clock is turned by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// silent is a mail service that takes everything.
type silent struct{}

func (silent) Send(context.Context, mail.Message, string) error { return nil }

// office is the whole domain on one store, with the sample company behind it.
type office struct {
	t       *testing.T
	clock   *clock
	store   table.Table
	shop    *company.Company
	file    string
	policy  *policy.Policy
	ring    *seal.Ring
	exports *folder.Store

	requests  *request.Service
	consents  *consent.Service
	holds     *hold.Service
	closures  *closure.Service
	sweeps    *retention.Service
	erasures  *erasure.Service
	digests   *digest.Book
	replaying *restore.Service
}

// newOffice opens an office with its own company of so many people.
func newOffice(t *testing.T, people int) *office {
	t.Helper()
	c := &clock{at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	text, err := os.ReadFile("../../infra/local/company/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "company.db")
	exports, err := folder.New(t.TempDir(), "https://desk.example.org/packages", []byte("a key that signs links"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, clock: c, policy: p, ring: seal.NewRing(), exports: exports}
	return o.on(tabletest.Embedded(t, c.now), file, people)
}

// on is the same office on another store, before another state of the company.
func (o *office) on(store table.Table, file string, people int) *office {
	o.t.Helper()
	n := &office{t: o.t, clock: o.clock, policy: o.policy, ring: o.ring, exports: o.exports, store: store, file: file}
	var err error
	if n.shop, err = company.Open(company.Options{Path: file, People: people, Seed: 7, Now: o.clock.now, NoSync: true}); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = n.shop.Close() })
	return n.standing(store)
}

// standing is the same office and company on another view of the store.
func (o *office) standing(store table.Table) *office {
	n := &office{t: o.t, clock: o.clock, policy: o.policy, ring: o.ring, exports: o.exports, store: store, file: o.file, shop: o.shop}
	keys := seal.Keys{Ring: o.ring, Table: store}
	sources := map[string]source.Source{company.Shop: n.shop.Source(company.Shop), company.Newsletter: n.shop.Source(company.Newsletter)}
	now, base := o.clock.now, "https://desk.example.org"
	n.digests = &digest.Book{Table: store, Now: now, Policy: o.policy, Mail: silent{}, BaseURL: base}
	n.consents = &consent.Service{Table: store, Keys: keys, Policy: o.policy, Now: now, BaseURL: base, Mail: silent{}, Sources: sources}
	n.requests = &request.Service{
		Table: store, Keys: keys, Policy: o.policy, Now: now, BaseURL: base, Sources: sources, Mail: silent{},
		Exports: o.exports, Downloads: o.exports, Choices: n.consents, Digest: n.digests,
	}
	n.holds = &hold.Service{Table: store, Ring: o.ring, Policy: o.policy, Now: now, Digest: n.digests, Requests: n.requests}
	n.requests.Holds = n.holds
	n.closures = &closure.Service{Table: store, Keys: keys, Policy: o.policy, Now: now, BaseURL: base, Mail: silent{}, Work: n.requests}
	n.sweeps = &retention.Service{Table: store, Keys: keys, Policy: o.policy, Now: now, Sources: sources, Digest: n.digests}
	n.erasures = &erasure.Service{
		Table: store, Keys: keys, Policy: o.policy, Now: now, Choices: n.consents, Digest: n.digests,
		Unsettled: []func(context.Context, string) (bool, error){n.requests.Unsettled, n.closures.Unsettled},
		Held: func(ctx context.Context, id seal.Identifier) (bool, []table.Write, error) {
			held, err := n.holds.Covered(ctx, []seal.Identifier{id})
			return held, nil, err
		},
	}
	n.requests.Ledger = n.erasures
	n.requests.Heads = func(ctx context.Context, k table.Key) (all []audit.Chain, err error) {
		for _, heads := range []func(context.Context, table.Key) ([]audit.Chain, error){
			n.consents.Heads, n.holds.Heads, n.closures.Heads, n.sweeps.Heads, n.erasures.Heads, n.replaying.Heads,
		} {
			list, err := heads(ctx, k)
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
		return all, nil
	}
	n.replaying = &restore.Service{
		Table: store, Policy: o.policy, Now: now, Ledger: n.erasures, Sources: n.sweeps,
		Folders: []restore.Folder{n.requests, n.consents, n.holds, n.closures, n.sweeps, n.erasures, n.digests},
	}
	return n
}

func (o *office) ctx() context.Context { return o.t.Context() }

func (o *office) must(err error) {
	o.t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		o.t.Fatalf("%v %+v", f, f.Fields)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// act does what is due under a key, whoever's it is.
func (o *office) act(k table.Key) error {
	ctx := o.ctx()
	if id, ok := request.IDOf(k); ok {
		return errors.Join(o.requests.Announce(ctx, id), o.requests.Work(ctx, id), o.requests.Tick(ctx, id))
	}
	switch {
	case consent.IsKey(k):
		return errors.Join(o.consents.Announce(ctx, k), o.consents.Tell(ctx, k), o.consents.Tick(ctx, k))
	case hold.IsKey(k):
		return o.holds.Tick(ctx, k)
	case closure.IsKey(k):
		return errors.Join(o.closures.Announce(ctx, k), o.closures.Tick(ctx, k))
	case erasure.IsKey(k):
		return o.erasures.Tick(ctx, k)
	case digest.IsKey(k):
		return o.digests.Send(ctx, k)
	case restore.IsKey(k):
		return o.replaying.Act(ctx, k)
	}
	return nil
}

// sweep does everything that is due, and returns how much that was.
func (o *office) sweep() (seen int) {
	o.t.Helper()
	_, err := table.WalkDue(o.ctx(), o.store, "", o.clock.now(), func(k table.Key) error {
		seen++
		if err := o.act(k); err != nil && !errors.Is(err, seal.ErrSealed) { // whom nobody knows any more nobody writes to
			return fmt.Errorf("%s: %w", k.Partition, err)
		}
		return nil
	}, nil)
	o.must(err)
	return seen
}

// live lets time pass, step by step.
func (o *office) live(steps int, of time.Duration) {
	o.t.Helper()
	for range steps {
		o.clock.pass(of)
		o.sweep()
	}
}

// ask submits a request and proves its address.
func (o *office) ask(right policy.Right, email string, key string) request.ID {
	o.t.Helper()
	id := o.submit(right, email, key)
	_, err := o.requests.VerifyLink(o.ctx(), o.requests.Mint(request.Token{ID: id, Verb: request.VerifyLink, N: 1, Until: o.clock.now().Add(time.Hour)}), request.Call{Key: "verify " + key})
	o.must(err)
	return id
}

func (o *office) submit(right policy.Right, email, key string) request.ID {
	o.t.Helper()
	address, ok := personal.ParseEmail(email)
	if !ok {
		o.t.Fatalf("%q is no address", email)
	}
	rec, err := o.requests.Submit(o.ctx(), request.Submission{
		Right: right, Residence: "FR", Locale: "en", Person: request.Person{Email: address, Name: personal.MakeText("Somebody")}, Call: request.Call{Key: key, Body: key},
	})
	o.must(err)
	return rec.ID
}

func address(email string) personal.Identity { return personal.MakeIdentity(personal.KindEmail, email) }

func account(id string) personal.Identity { return personal.MakeIdentity(personal.KindAccount, id) }

// choose records what somebody chose, as the company's app tells it.
func (o *office) choose(who personal.Identity, c consent.Choice, purposes ...string) {
	o.t.Helper()
	var asked []consent.Asked
	for _, purpose := range purposes {
		rule, _ := o.policy.Consent(purpose)
		asked = append(asked, consent.Asked{Purpose: purpose, Choice: c, Wording: policy.WordingHash(rule.Wording["en"])})
	}
	method := consent.Form
	if who.Kind == personal.KindEmail {
		method = consent.DoubleOptIn
	}
	_, err := o.consents.Capture(o.ctx(), consent.Capture{Identity: who, Asked: asked, Method: method, Language: "en", By: consent.ByApp, App: "shop", Residence: "FR"})
	o.must(err)
}

// may says what is decided about everybody, line by line.
func (o *office) may(who []personal.Identity) map[string]string {
	o.t.Helper()
	var purposes []string
	for _, rule := range o.policy.Consents {
		purposes = append(purposes, rule.Purpose)
	}
	out := map[string]string{}
	for _, i := range who {
		list, err := o.consents.Decide(o.ctx(), consent.Question{Identity: i, Purposes: purposes})
		o.must(err)
		var words []string
		for _, d := range list {
			words = append(words, fmt.Sprintf("%s=%t:%s", d.Purpose, d.May, d.Why))
		}
		out[i.Reveal()] = strings.Join(words, " ")
	}
	return out
}

// finds says what the company's stores find by some identities, as ids of records.
func (o *office) finds(who ...personal.Identity) map[string][]string {
	o.t.Helper()
	out := map[string][]string{}
	for _, store := range []string{company.Shop, company.Newsletter} {
		decl, _ := o.policy.Source(store)
		ids := slices.DeleteFunc(slices.Clone(who), func(i personal.Identity) bool { return !slices.Contains(decl.Identities, i.Kind) })
		if len(ids) == 0 {
			continue
		}
		for _, h := range decl.Holdings {
			cursor := ""
			for {
				found, err := o.shop.Source(store).Find(o.ctx(), source.Ask{Identities: ids, Category: h.Category, Cursor: cursor, Call: source.Call{Lease: o.clock.now().Add(time.Minute)}})
				o.must(err)
				for _, rec := range found.Records {
					out[store+"/"+h.Category] = append(out[store+"/"+h.Category], rec.ID)
				}
				if cursor = found.Cursor; found.Done {
					break
				}
			}
		}
	}
	for _, ids := range out {
		slices.Sort(ids)
	}
	return out
}

// dump reads a whole table.
func dump(t *testing.T, store table.Table, name table.Name) []table.Item {
	t.Helper()
	var list []table.Item
	cursor := ""
	for {
		page, err := store.Scan(t.Context(), table.Scan{Table: name, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, page.Items...)
		if cursor = page.Cursor; cursor == "" {
			return list
		}
	}
}

// copies is a copy of an installation's tables and of the company's file.
type copies struct {
	tables map[table.Name][]table.Item
	file   []byte
}

func (o *office) backup() copies {
	o.t.Helper()
	c := copies{tables: map[table.Name][]table.Item{}}
	for _, name := range table.Names {
		c.tables[name] = dump(o.t, o.store, name)
	}
	var err error
	c.file, err = os.ReadFile(o.file)
	o.must(err)
	return c
}

// load fills an empty store with items, at the versions that they have.
func load(t *testing.T, store table.Table, now time.Time, name table.Name, items []table.Item) {
	t.Helper()
	for _, item := range items {
		if item.Version > 0 && !item.Expires.IsZero() && !item.Expires.After(now) {
			continue
		}
		for v := range item.Version {
			pre := table.New
			if v > 0 {
				pre = table.Version(v)
			}
			if err := store.Commit(t.Context(), table.NewID(), table.Put(name, item, pre)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// mixed takes, of every item, how it was at one of several times, as the random
// source says: what a copy may look like that was made while commits went on.
func mixed(r *rand.Rand, times ...[]table.Item) []table.Item {
	versions := map[table.Key][]table.Item{}
	for i, items := range times {
		for _, item := range items {
			for len(versions[item.Key]) < i {
				versions[item.Key] = append(versions[item.Key], table.Item{}) // it was not there
			}
			versions[item.Key] = append(versions[item.Key], item)
		}
		for k, list := range versions {
			if len(list) <= i {
				versions[k] = append(list, table.Item{})
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(versions), func(a, b table.Key) int { return strings.Compare(a.Partition+a.Sort, b.Partition+b.Sort) })
	var list []table.Item
	for _, k := range keys {
		if item := versions[k][r.IntN(len(times))]; item.Version > 0 {
			list = append(list, item)
		}
	}
	return list
}

func (o *office) identifiers(who ...personal.Identity) (ids []seal.Identifier) {
	for _, i := range who {
		ids = append(ids, o.ring.Identifier(i))
	}
	return ids
}

// mortal is a store that is there for so many calls; the last one may be done, and
// nobody hears of it.
type mortal struct {
	table.Table
	left   int
	random *rand.Rand
}

var errKilled = errors.New("killed")

func (m *mortal) dies() bool {
	m.left--
	return m.left < 0
}

func (m *mortal) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if m.dies() {
		return table.Item{}, errKilled
	}
	return m.Table.Get(ctx, ref)
}

func (m *mortal) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if m.dies() {
		return table.Page{}, errKilled
	}
	return m.Table.Query(ctx, q)
}

func (m *mortal) Scan(ctx context.Context, s table.Scan) (table.Page, error) {
	if m.dies() {
		return table.Page{}, errKilled
	}
	return m.Table.Scan(ctx, s)
}

func (m *mortal) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if !m.dies() {
		return m.Table.Commit(ctx, id, writes...)
	}
	if m.left == -1 && m.random.IntN(2) == 0 {
		_ = m.Table.Commit(ctx, id, writes...) // done, and nobody heard of it
	}
	return errKilled
}
