package consent

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// desk is the service on small real parts, and a clock that stands until it is turned.
type desk struct {
	*Service
	t     testing.TB
	inner table.Table // without what a test puts around it

	mu sync.Mutex
	at time.Time
}

var (
	ada   = personal.MakeIdentity(personal.KindEmail, "ada@example.org")
	grace = personal.MakeIdentity(personal.KindEmail, "grace@example.net")
	a1    = personal.MakeIdentity(personal.KindAccount, "a-1")

	handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
)

// engines are the two stores that everything has to work on.
func engines(tb testing.TB) map[string]func(testing.TB, func() time.Time) table.Table {
	tb.Helper()
	return map[string]func(testing.TB, func() time.Time) table.Table{
		"embedded": func(tb testing.TB, now func() time.Time) table.Table {
			tb.Helper()
			return tabletest.Embedded(tb, now)
		},
		"dynamo": func(tb testing.TB, now func() time.Time) table.Table {
			tb.Helper()
			return table.Steady(tabletest.Dynamo(tb, tabletest.Emulator(tb), now), table.Sleep)
		},
	}
}

// newDesk opens a desk on the embedded store.
func newDesk(tb testing.TB, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	return newDeskOn(tb, func(tb testing.TB, now func() time.Time) table.Table {
		tb.Helper()
		return tabletest.Embedded(tb, now)
	}, change...)
}

func newDeskOn(tb testing.TB, open func(testing.TB, func() time.Time) table.Table, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	d := &desk{t: tb, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	d.inner = open(tb, d.clock)
	d.Service = &Service{
		Table: d.inner, Keys: seal.Keys{Ring: seal.NewRing(), Table: d.inner}, Policy: testPolicy(tb, change...), Now: d.clock,
		BaseURL: "https://desk.example.org",
	}
	return d
}

// another returns a second instance of the service on the same store.
func (d *desk) another(around ...func(table.Table) table.Table) *Service {
	store := d.inner
	for _, f := range around {
		store = f(store)
	}
	return &Service{Table: store, Keys: seal.Keys{Ring: d.Keys.Ring, Table: store}, Policy: d.Policy, Now: d.clock, BaseURL: d.BaseURL}
}

func testPolicy(tb testing.TB, change ...func(*policy.Policy)) *policy.Policy {
	tb.Helper()
	file, err := os.ReadFile("testdata/policy.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	p, err := policy.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	for _, c := range change {
		c(p)
	}
	return p
}

// rule changes the rule of one purpose.
func rule(purpose string, change func(*policy.Consent)) func(*policy.Policy) {
	return func(p *policy.Policy) {
		for i := range p.Consents {
			if p.Consents[i].Purpose == purpose {
				change(&p.Consents[i])
			}
		}
	}
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

// shown is the hash of what the policy shows about a purpose.
func (d *desk) shown(purpose string) string {
	r, _ := d.Policy.Consent(purpose)
	return policy.WordingHash(r.Wording.In("en"))
}

// asks is a choice about a purpose, or purpose/act, with what was shown.
func (d *desk) asks(c Choice, keys ...string) []Asked {
	var list []Asked
	for _, key := range keys {
		purpose, act := cutKey(key)
		a := Asked{Purpose: purpose, Act: act, Choice: c}
		if c == Granted {
			a.Wording = d.shown(purpose)
		}
		list = append(list, a)
	}
	return list
}

// says is a capture that the company's app makes.
func (d *desk) says(i personal.Identity, c Choice, keys ...string) Capture {
	return Capture{Identity: i, Asked: d.asks(c, keys...), By: ByApp, App: "shop", Language: "en"}
}

// capture commits one, and wants it to be taken.
func (d *desk) capture(c Capture) Captured {
	d.t.Helper()
	done, err := d.Capture(d.ctx(), c)
	if err != nil {
		d.t.Fatal(err)
	}
	return done
}

// chose lets the company's app say what somebody chose.
func (d *desk) chose(i personal.Identity, c Choice, keys ...string) Captured {
	d.t.Helper()
	return d.capture(d.says(i, c, keys...))
}

// why answers one question in a word, with a plus in front of a yes.
func (d *desk) why(q Question) string {
	d.t.Helper()
	list, err := d.Decide(d.ctx(), q)
	if err != nil || len(list) != len(q.Purposes) {
		d.t.Fatal(list, err)
	}
	if list[0].May {
		return "+" + string(list[0].Why)
	}
	return string(list[0].Why)
}

func (d *desk) may(i personal.Identity, key string) string {
	d.t.Helper()
	return d.why(Question{Identity: i, Purposes: []string{key}})
}

// get loads what stands.
func (d *desk) get(i personal.Identity) Subject {
	d.t.Helper()
	sub, err := d.another().load(d.ctx(), d.Keys.Ring.Identifier(i))
	if err != nil {
		d.t.Fatal(err)
	}
	return sub
}

// entries verifies a subject's chains and returns the entries of its own.
func (d *desk) entries(sub Subject) []audit.Entry {
	d.t.Helper()
	var own []audit.Entry
	for i, chain := range sub.chains() {
		var list []audit.Entry
		n, err := audit.Verify(chain.Name, chain.Head, func(yield func([]byte, error) bool) {
			q := table.Query{Table: table.Audit, Partition: chain.Name}
			for {
				page, err := d.inner.Query(context.WithoutCancel(d.ctx()), q)
				if err != nil {
					yield(nil, err)
					return
				}
				for _, item := range page.Items {
					e, err := audit.Decode(item.Body)
					if list = append(list, e); err != nil || !yield(item.Body, nil) {
						return
					}
				}
				if q.Cursor = page.Cursor; q.Cursor == "" {
					return
				}
			}
		})
		if err != nil || n != chain.Head.Seq {
			d.t.Errorf("chain %s: %d entries are good, the head says %d: %v", chain.Name, n, chain.Head.Seq, err)
		}
		if i == 0 {
			own = list
		}
	}
	return own
}

// told lists a subject's entries: action, purpose and what tells them apart.
func (d *desk) told(i personal.Identity) []string {
	d.t.Helper()
	var list []string
	for _, e := range d.entries(d.get(i)) {
		line := e.Action
		for _, f := range e.Facts {
			switch f.Name {
			case factPurpose, factStop:
				line += " " + f.Value
			case factAct:
				line += "/" + f.Value
			case factEffect:
				line += " (" + f.Value + ")"
			}
		}
		list = append(list, line)
	}
	return list
}

func identity(kind personal.Kind, value string) personal.Identity {
	return personal.MakeIdentity(kind, value)
}

func isInput(err error) bool { return fault.KindOf(err) == fault.Invalid }

// unreadable is a store that cannot read one item.
type unreadable struct {
	table.Table
	ref table.Ref
}

func (u unreadable) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if ref == u.ref {
		return table.Item{}, table.ErrBusy
	}
	return u.Table.Get(ctx, ref)
}
