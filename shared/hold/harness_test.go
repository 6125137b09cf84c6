package hold

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// desk is the service on the embedded store, and a clock that stands until it is turned.
type desk struct {
	*Service
	t     testing.TB
	inner table.Table
	knows *requests

	mu sync.Mutex
	at time.Time
}

var (
	ada     = personal.MakeIdentity(personal.KindEmail, "ada@example.org")
	adaA1   = personal.MakeIdentity(personal.KindAccount, "a-1")
	grace   = personal.MakeIdentity(personal.KindEmail, "grace@example.net")
	handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	auditor = operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}, MFA: true}
)

func newDesk(tb testing.TB) *desk {
	tb.Helper()
	return newDeskOn(tb, func(now func() time.Time) table.Table { return tabletest.Embedded(tb, now) })
}

func newDeskOn(tb testing.TB, open func(func() time.Time) table.Table) *desk {
	tb.Helper()
	d := &desk{t: tb, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), knows: &requests{kin: map[seal.Identifier][]seal.Identifier{}, whose: map[string][]seal.Identifier{}}}
	d.inner = open(d.clock)
	p := &policy.Policy{
		Categories: []policy.Category{{ID: "orders"}, {ID: "letters"}, {ID: "visits"}},
		Sources: []policy.Source{
			{ID: "shop", Holdings: []policy.Holding{{Category: "orders"}, {Category: "letters"}}},
			{ID: "web", Holdings: []policy.Holding{{Category: "visits"}}},
			{ID: "desk", Holdings: []policy.Holding{{Category: "letters"}}},
		},
	}
	p.Retention.Audit = policy.Period{Years: 6}
	p.Controller.TimeZone = "Europe/Berlin"
	p.Operators.DigestAt = 8 * time.Hour
	d.Service = &Service{
		Table: d.inner, Ring: seal.NewRing(), Policy: p, Now: d.clock, Requests: d.knows,
		Digest: &digest.Book{Table: d.inner, Now: d.clock, Policy: p},
	}
	return d
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(by)
}

func (d *desk) ctx() context.Context { return d.t.Context() }

func (d *desk) id(i personal.Identity) seal.Identifier { return d.Ring.Identifier(i) }

// requests is what is known of requests.
type requests struct {
	mu     sync.Mutex
	kin    map[seal.Identifier][]seal.Identifier
	whose  map[string][]seal.Identifier
	unheld []string
	fail   error
}

func (r *requests) Identifiers(_ context.Context, id string) ([]seal.Identifier, error) {
	if ids, ok := r.whose[id]; ok {
		return ids, r.fail
	}
	return nil, ErrNotFound // any fault of the kind
}

func (r *requests) Kin(_ context.Context, id seal.Identifier) ([]seal.Identifier, error) {
	return r.kin[id], r.fail
}

func (r *requests) Unheld(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unheld = append(r.unheld, id)
	return r.fail
}

// on is a placement of an operator's.
func (d *desk) on(scope Scope, change ...func(*Placement)) Placement {
	p := Placement{Scope: scope, Basis: LegalClaims, Matter: "2026-CV-0042", Review: d.clock().AddDate(0, 6, 0)}
	switch scope {
	case OnPerson:
		p.Who = []personal.Identity{ada}
	case OnRequest:
		p.Request = "r1"
		d.knows.whose["r1"] = []seal.Identifier{d.id(ada)}
	case OnCategory:
		p.Category = "letters"
	case OnSource:
		p.Source = "shop"
	case OnItem:
		p.Source, p.Category, p.Item = "shop", "orders", "o-17"
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

func (d *desk) place(p Placement) Hold {
	d.t.Helper()
	h, err := d.Place(d.ctx(), handler, p)
	if err != nil {
		d.t.Fatal(err)
	}
	return h
}

// get loads a hold.
func (d *desk) get(id ID) Hold {
	d.t.Helper()
	item, err := d.inner.Get(d.ctx(), id.ref())
	if err != nil {
		d.t.Fatal(err)
	}
	h, err := decode(item)
	if err != nil {
		d.t.Fatal(err)
	}
	return h
}

// settled turns the clock until a hold is in force.
func (d *desk) settled(id ID) Hold {
	d.t.Helper()
	for range 10 {
		d.pass(Lease + margin)
		d.sweep()
		if h := d.get(id); h.Status != Placing {
			return h
		}
	}
	d.t.Fatalf("hold %s does not come into force: %+v", id, d.get(id))
	return Hold{}
}

// sweep has everything looked at that is due. What fails stays due.
func (d *desk) sweep() {
	d.t.Helper()
	for _, k := range d.due() {
		_ = d.Tick(d.ctx(), k) // the tests that make it fail look at what comes of it
	}
}

func (d *desk) due() (keys []table.Key) {
	d.t.Helper()
	_, err := table.WalkDue(d.ctx(), d.inner, "", d.clock(), func(k table.Key) error {
		if IsKey(k) {
			keys = append(keys, k)
		}
		return nil
	}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return keys
}

// claim claims a page as work on a request does.
func (d *desk) claim(c Claimed) (Held, error) {
	d.t.Helper()
	held, writes, err := Claim(d.ctx(), d.inner, c)
	if err != nil {
		return held, err
	}
	return held, d.inner.Commit(d.ctx(), table.NewID(), writes...)
}

// page is a page of work on Ada's orders in the shop.
func (d *desk) page(change ...func(*Claimed)) Claimed {
	c := Claimed{
		Owner: ByRequest("r1"), Source: "shop", Category: "orders", Identifiers: []seal.Identifier{d.id(ada)},
		At: d.clock(), Until: d.clock().Add(Lease), Page: string(table.NewID()), Count: 500,
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func (d *desk) settle(c Claimed, removed int, ids ...string) {
	d.t.Helper()
	w, err := c.Settle(d.clock(), removed, ids...)
	if err == nil {
		err = d.inner.Commit(d.ctx(), table.NewID(), w)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// all returns every item of a table.
func (d *desk) all(name table.Name) (items []table.Item) {
	d.t.Helper()
	cursor := ""
	for {
		page, err := d.inner.Scan(d.ctx(), table.Scan{Table: name, Cursor: cursor})
		if err != nil {
			d.t.Fatal(err)
		}
		items = append(items, page.Items...)
		if cursor = page.Cursor; cursor == "" {
			return items
		}
	}
}

// entries verifies a hold's chain and returns it.
func (d *desk) entries(id ID) (list []audit.Entry) {
	d.t.Helper()
	h := d.get(id)
	n, err := audit.Verify(id.Chain(), h.Head, func(yield func([]byte, error) bool) {
		page, err := d.inner.Query(d.ctx(), table.Query{Table: table.Audit, Partition: id.Chain()})
		if err != nil {
			yield(nil, err)
			return
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if list = append(list, e); !yield(item.Body, err) {
				return
			}
		}
	})
	if err != nil || n != h.Head.Seq {
		d.t.Errorf("%s: %d entries are good, the head says %d: %v", id.Chain(), n, h.Head.Seq, err)
	}
	return list
}

// told are the actions of a hold's chain, and who did them.
func (d *desk) told(id ID) string {
	d.t.Helper()
	var list []string
	for _, e := range d.entries(id) {
		list = append(list, e.Actor+" "+e.Action)
	}
	return strings.Join(list, ", ")
}

// whole checks that fences and lists say what the holds do, neither more nor less.
func (d *desk) whole() {
	d.t.Helper()
	wanted := map[string]int{}
	for _, item := range d.all(table.State) {
		if !IsKey(item.Key) {
			continue
		}
		h := d.get(ID(item.Key.Sort))
		d.entries(h.ID)
		if h.Status == Released {
			continue
		}
		wanted["held "+string(h.ID)]++
		for f := range h.behind(d.categorySources(h.Category)) {
			wanted[f.Ref().Key.Partition+" "+string(h.ID)]++
		}
	}
	for _, item := range d.all(table.State) {
		switch p := item.Key.Partition; {
		case p == heldPartition:
			wanted["held "+item.Key.Sort]--
		case strings.HasPrefix(p, "fence#") && p != all.Ref().Key.Partition:
			kind, id, _ := strings.Cut(strings.TrimPrefix(p, "fence#"), "#")
			b, err := read(d.ctx(), d.inner, Fence{kind, id})
			if err != nil {
				d.t.Fatal(err)
			}
			for _, x := range b.By {
				wanted[p+" "+string(x.Hold)]--
			}
		}
	}
	for what, n := range wanted {
		if n != 0 {
			d.t.Errorf("%s: %d missing", what, n)
		}
	}
}

func held(err error) bool { return errors.Is(err, ErrHeld) }

func outcomes(went []Went) (list []string) {
	for _, w := range went {
		list = append(list, w.Page+" "+string(w.Outcome))
	}
	slices.Sort(list)
	return list
}
