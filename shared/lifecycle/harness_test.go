package lifecycle

import (
	"context"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// desk is the service on small real parts, and a clock that stands until it is turned.
type desk struct {
	*Service
	t      testing.TB
	inner  table.Table // without weather
	work   *request.Service
	active map[string]bool
	woken  []request.ID

	mu sync.Mutex
	at time.Time
}

var (
	ada   = personal.MakeIdentity(personal.KindAccount, "a-ada-1")
	grace = personal.MakeIdentity(personal.KindEmail, "grace@example.org")
)

const day = 24 * time.Hour

func newDesk(tb testing.TB, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	d := &desk{t: tb, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), active: map[string]bool{}}
	d.inner = tabletest.Embedded(tb, d.clock)
	p := testPolicy(tb, change...)
	for _, r := range p.RetentionRules {
		d.active[r.ID] = true
	}
	d.Service = &Service{
		Keys: seal.Keys{Ring: seal.NewRing()}, Policy: p, Now: d.clock, Rules: rules{d},
		Wake: func(_ context.Context, id request.ID) { d.woken = append(d.woken, id) },
	}
	d.on(d.inner)
	return d
}

// on has everything done on another store.
func (d *desk) on(store table.Table) {
	d.Table, d.Keys.Table = store, store
	d.work = &request.Service{Table: store, Keys: d.Keys, Policy: d.Policy, Now: d.clock}
	d.Work = d.work
	d.Intake = &intake.Service{Table: store, Policy: d.Policy, Now: d.clock}
}

type rules struct{ d *desk }

func (r rules) Active(_ context.Context, id string) (bool, error) { return r.d.active[id], nil }

// testPolicy is that of request's tests, with two relationships and a rule for each
// thing that can end.
func testPolicy(tb testing.TB, change ...func(*policy.Policy)) *policy.Policy {
	tb.Helper()
	file, err := os.ReadFile("../request/testdata/policy.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	p, err := policy.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	p.Closure = policy.Closure{}
	p.Relationships = map[string]policy.Text{"licence": {"en": "A licence"}, "support": {"en": "Support"}}
	end := func(id, source, category string, o policy.Occasion, days int) policy.RetentionRule {
		return policy.RetentionRule{ID: id, Source: source, Category: category, Trigger: o, Period: policy.Period{Days: days}, Action: policy.RetireDelete}
	}
	licence := end("licence", "shop", "support_mail", policy.WhenRelationshipEnded, 30)
	licence.Relationship = "licence"
	news := end("news", "newsletter", "subscriptions", policy.WhenPurposeEnded, 0)
	news.Purpose = "newsletter"
	p.Consents = append(p.Consents, policy.Consent{Purpose: "newsletter"})
	p.RetentionRules = []policy.RetentionRule{
		end("visits", "shop", "access_log", policy.WhenCollected, 90),
		end("closed", "shop", "credentials", policy.WhenAccountClosed, 60),
		licence,
		end("all", "newsletter", "reading_history", policy.WhenRelationshipEnded, 40),
		news,
	}
	p.Intakes = []policy.Intake{{ID: "form", Category: "support_mail", Keep: []string{"subject"}, Unknown: policy.DropField, Refuse: []policy.Forbidden{policy.CardNumbers}}}
	for _, c := range change {
		c(p)
	}
	return p
}

func offered(p *policy.Policy) { p.Closure = policy.Closure{Offered: true, ErasedWithin: 14} }

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

func (d *desk) ctx() context.Context { return context.WithoutCancel(d.t.Context()) }

// tell has one event of now noted.
func (d *desk) tell(what Type, who personal.Identity, change ...func(*Event)) Result {
	d.t.Helper()
	e := Event{Type: what, At: d.clock(), Who: who}
	for _, c := range change {
		c(&e)
	}
	results, err := d.Take(d.ctx(), "shop", []Event{e})
	if err != nil {
		d.t.Fatal(err)
	}
	return results[0]
}

func of(relationship string) func(*Event) { return func(e *Event) { e.Relationship = relationship } }
func at(t time.Time) func(*Event)         { return func(e *Event) { e.At = t } }

// sweep has everything done that is due by the index.
func (d *desk) sweep() {
	d.t.Helper()
	for shard := range table.DueShards {
		page, err := d.Table.Query(d.ctx(), table.Query{Table: table.State, Index: table.Due, Partition: table.DueShard(shard), Until: d.clock()})
		if err != nil {
			continue // the next sweep
		}
		for _, item := range page.Items {
			if !IsKey(item.Key) {
				continue
			}
			if err := d.Tick(d.ctx(), item.Key); err != nil && d.Table == d.inner {
				d.t.Error(err)
			}
		}
	}
}

// days lets days pass, with a sweep on each.
func (d *desk) days(n int) {
	d.t.Helper()
	for range n {
		d.pass(day)
		d.sweep()
	}
}

func (d *desk) life(who personal.Identity) Life {
	d.t.Helper()
	l, err := d.load(d.ctx(), d.Keys.Ring.Identifier(who))
	if err != nil {
		d.t.Fatal(err)
	}
	return l
}

// opened lists what was opened: its right and its rules, by the audit.
func (d *desk) opened() []string {
	d.t.Helper()
	var list []string
	for chain, entries := range d.chains() {
		if !strings.HasPrefix(chain, "life#") {
			continue
		}
		for _, e := range entries {
			var what []string
			for _, f := range e.Facts {
				switch f.Name {
				case factRule:
					what = append(what, f.Value)
				case factWork:
					what = append(what, "=")
					if _, err := d.work.Ending(d.ctx(), request.ID(f.Value)); err != nil {
						d.t.Error(err)
					}
					if _, err := d.inner.Get(d.ctx(), request.ID(f.Value).Ref()); err != nil {
						d.t.Errorf("the work that was opened is not there: %v", err)
					}
				}
			}
			if len(what) > 0 {
				list = append(list, e.At.Format(time.DateOnly)+" "+e.Action+" "+strings.Join(what, " "))
			}
		}
	}
	slices.Sort(list)
	return list
}

// chains are all that the Audit table has.
func (d *desk) chains() map[string][]audit.Entry {
	d.t.Helper()
	all := map[string][]audit.Entry{}
	for cursor := ""; ; {
		page, err := d.inner.Scan(d.ctx(), table.Scan{Table: table.Audit, Cursor: cursor})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if err != nil {
				d.t.Fatal(err)
			}
			all[e.Chain] = append(all[e.Chain], e)
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	for _, entries := range all {
		slices.SortFunc(entries, func(a, b audit.Entry) int { return int(a.Seq - b.Seq) })
	}
	return all
}

// verify checks that the chain of a life is whole, and where its aggregate says it is.
func (d *desk) verify(who personal.Identity) {
	d.t.Helper()
	heads, err := d.Heads(d.ctx(), refOf(d.Keys.Ring.Identifier(who)).Key)
	if err != nil || len(heads) != 1 {
		d.t.Fatalf("heads are %v, %v", heads, err)
	}
	entries := d.chains()[heads[0].Name]
	if n, err := audit.Verify(heads[0].Name, heads[0].Head, encoded(entries)); err != nil {
		d.t.Errorf("%d entries are good: %v", n, err)
	}
}

func encoded(entries []audit.Entry) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, e := range entries {
			if !yield(e.Encode(), nil) {
				return
			}
		}
	}
}
