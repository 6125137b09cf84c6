package retention

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

var (
	monday  = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	auditor = operator.Identity{ID: "u1", Roles: []operator.Role{operator.Auditor}, MFA: true}
)

// record is what the store holds.
type record struct {
	id   string
	at   time.Time
	who  string
	gone int // how often it was expired
	used bool
}

// store is a data store with an index by time, in memory, that keeps the contract.
type store struct {
	now func() time.Time

	mu       sync.Mutex
	index    []*record // by time and id
	byID     map[string]*record
	memory   map[string]source.Done // by key; nil: it remembers no calls
	asked    int                    // pages of the index
	read     int                    // entries of it
	expiries int
	late     int                                    // calls after their lease
	hook     func(what string) (do bool, err error) // before and after a call; nil: all is well
	expired  func(call source.Call, list []*record) // called for what goes
	unit     float64                                // an entry of the index costs
	keeps    map[string]bool                        // by the store's own decision
	during   func(what string)                      // while a call is under way, unlocked
}

func newStore(now func() time.Time) *store {
	return &store{now: now, byID: map[string]*record{}}
}

// fill adds n records, the i-th so much older than the one before.
func (st *store) fill(n int, newest time.Time, apart time.Duration) {
	for i := range n {
		st.add(fmt.Sprintf("r%07d", i), newest.Add(-time.Duration(i)*apart), fmt.Sprintf("p%d", i%7))
	}
}

func (st *store) add(id string, at time.Time, who string) {
	r := &record{id: id, at: at, who: who}
	st.byID[id] = r
	st.index = append(st.index, r)
}

func (st *store) sort() {
	slices.SortFunc(st.index, func(a, b *record) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
}

func (st *store) Find(context.Context, source.Ask) (source.Found, error) {
	return source.Found{}, source.ErrRefused
}

func (st *store) Execute(context.Context, source.Order) (source.Done, error) {
	return source.Done{}, source.ErrRefused
}

func (st *store) meets(what string) error {
	if st.during != nil {
		st.during(what)
	}
	if st.hook == nil {
		return nil
	}
	do, err := st.hook(what)
	if !do && err == nil {
		err = source.ErrLater
	}
	return err
}

func (st *store) Old(_ context.Context, a source.Age) (source.Aged, error) {
	if err := st.meets("old"); err != nil {
		return source.Aged{}, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.asked++
	start := 0
	if a.Cursor != "" {
		at, id, _ := strings.Cut(a.Cursor, "|")
		when, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			return source.Aged{}, source.ErrRefused
		}
		start, _ = slices.BinarySearchFunc(st.index, 0, func(r *record, _ int) int {
			return cmp.Or(r.at.Compare(when), cmp.Compare(r.id, id), -1)
		})
	}
	var aged source.Aged
	size := source.Size(a.Limit)
	i := start
	for ; i < len(st.index) && len(aged.Records) < size && !st.index[i].at.After(a.Until); i++ {
		r := st.index[i]
		if r.gone > 0 {
			continue // not in the index any more
		}
		st.read++
		aged.Seen++
		aged.Units += st.unit
		aged.Records = append(aged.Records, source.AgedRecord{
			ID: r.id, At: r.at, Who: []personal.Identity{personal.MakeIdentity(personal.KindAccount, r.who)},
			Handle: personal.MakeText("handle of " + r.id),
		})
		if a.Units > 0 && aged.Units >= a.Units {
			i++
			break
		}
	}
	aged.Done = i >= len(st.index) || st.index[i].at.After(a.Until)
	if !aged.Done {
		last := st.index[i-1]
		aged.Cursor = last.at.Format(time.RFC3339Nano) + "|" + last.id
	}
	return aged, nil
}

func (st *store) Expire(_ context.Context, e source.Expiry) (source.Done, error) {
	if err := st.meets("expire"); err != nil {
		return source.Done{}, err
	}
	done, err := st.expire(e)
	if err != nil {
		return done, err
	}
	return done, st.meets("expired")
}

func (st *store) expire(e source.Expiry) (source.Done, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.expiries++
	if st.now().After(e.Call.Lease) {
		st.late++
		return source.Done{}, fmt.Errorf("%w: the lease is over", source.ErrRefused)
	}
	if done, ok := st.memory[e.Call.Key]; ok {
		return done, nil
	}
	done := source.Done{Done: true}
	var went []*record
	for _, want := range e.Records {
		r := st.byID[want.ID]
		if r == nil || want.Handle.Reveal() != "handle of "+want.ID {
			return source.Done{}, source.ErrRefused
		}
		switch {
		case r.gone > 0:
		case r.at.After(e.Until) || r.used || st.keeps[r.id]:
			done.Retained++
		default:
			r.gone++
			done.Removed++
			went = append(went, r)
		}
	}
	if st.memory != nil {
		st.memory[e.Call.Key] = done
	}
	if st.expired != nil {
		st.expired(e.Call, went)
	}
	return done, nil
}

// left is how many records are still there, and how many of them are of an instant or before.
func (st *store) left(until time.Time) (all, old int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, r := range st.index {
		if r.gone > 0 {
			continue
		}
		all++
		if !r.at.After(until) {
			old++
		}
	}
	return all, old
}

// desk is the service on small real parts, and a clock that stands until it is turned.
type desk struct {
	*Service
	t     testing.TB
	inner table.Table
	shop  *store

	mu sync.Mutex
	at time.Time
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *desk) turn(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(by)
}

func (d *desk) ctx() context.Context { return d.t.Context() }

// logs is the rule of most tests: what the shop logged goes after two years.
func logs() policy.RetentionRule {
	return policy.RetentionRule{
		ID: "old-logs", Source: "shop", Category: "access_log", Trigger: policy.WhenCollected, Period: policy.Period{Years: 2},
		Action: policy.RetireDelete, Brake: policy.Brake{Percent: 100, Cap: 1_000_000},
	}
}

func testPolicy(rules ...policy.RetentionRule) *policy.Policy {
	return &policy.Policy{
		Retention:      policy.Retention{Requests: policy.Period{Months: 24}, Audit: policy.Period{Years: 6}},
		RetentionRules: rules,
		Controller:     policy.Controller{TimeZone: "Europe/Paris"},
		Categories:     []policy.Category{{ID: "access_log"}},
		Sources: []policy.Source{
			{ID: "shop", Kind: policy.KindHTTP, Role: policy.AsController, PageSize: 50, HTTP: policy.HTTP{URL: "https://shop.example.org/hook"}, Holdings: []policy.Holding{{Category: "access_log", Action: policy.ActionDelete}}},
			{ID: "paper", Kind: policy.KindTask, Role: policy.AsController, Task: policy.Task{Team: "archive", Days: 14}},
		},
	}
}

func newDesk(tb testing.TB, rules ...policy.RetentionRule) *desk {
	tb.Helper()
	d := &desk{t: tb, at: monday}
	d.inner = tabletest.Embedded(tb, d.clock)
	d.shop = newStore(d.clock)
	if len(rules) == 0 {
		rules = []policy.RetentionRule{logs()}
	}
	pol := testPolicy(rules...)
	d.Service = &Service{
		Table: d.inner, Keys: seal.Keys{Ring: seal.NewRing(), Table: d.inner}, Policy: pol, Now: d.clock,
		Sources: map[string]source.Source{"shop": d.shop},
		Digest:  &digest.Book{Table: d.inner, Now: d.clock, Policy: pol},
		Log:     slog.New(slog.DiscardHandler),
	}
	return d
}

// another is a second instance of the service on the same parts.
func (d *desk) another(around ...func(table.Table) table.Table) *Service {
	inner := d.inner
	for _, f := range around {
		inner = f(inner)
	}
	return &Service{
		Table: inner, Keys: seal.Keys{Ring: d.Keys.Ring, Table: inner}, Policy: d.Policy, Now: d.clock, Sources: d.Sources,
		Digest: &digest.Book{Table: inner, Now: d.clock, Policy: d.Policy}, Log: d.Log,
	}
}

func (d *desk) holder() *hold.Service {
	return &hold.Service{Table: d.inner, Ring: d.Keys.Ring, Policy: d.Policy, Now: d.clock, Log: d.Log}
}

// sweep runs the sweeps once, and fails on what fails.
func (d *desk) sweep() {
	d.t.Helper()
	d.turn(time.Second)
	if rep, err := d.Sweep(d.ctx()); err != nil || rep.Failed > 0 {
		d.t.Fatalf("sweep: %+v, %v", rep, err)
	}
}

// sweeps runs the sweeps for so long, as often as their schedule does, or every three
// hours where it is days.
func (d *desk) sweeps(long time.Duration) {
	d.t.Helper()
	step := 15 * time.Minute
	if long >= day {
		step = 3 * time.Hour
	}
	for end := d.clock().Add(long); d.clock().Before(end); d.turn(step) {
		d.sweep()
	}
}

func (d *desk) show(rule string) View {
	d.t.Helper()
	v, err := d.Show(d.ctx(), handler, rule)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// activate makes a rule active, by an operator who looks at nothing.
func (d *desk) activate(rule string) View {
	d.t.Helper()
	d.sweep()
	v, err := d.Activate(d.ctx(), handler, rule, d.show(rule).Version)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// entries are the audit entries of a rule; the chain is verified.
func (d *desk) entries(rule string) []audit.Entry {
	d.t.Helper()
	sw, err := d.load(d.ctx(), rule)
	if err != nil {
		d.t.Fatal(err)
	}
	var list []audit.Entry
	_, err = audit.Verify(ChainOf(rule), sw.Head, func(yield func([]byte, error) bool) {
		for cursor := ""; ; {
			page, err := d.inner.Query(d.ctx(), table.Query{Table: table.Audit, Partition: ChainOf(rule), Cursor: cursor})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				e, err := audit.Decode(item.Body)
				if err == nil {
					list = append(list, e)
				}
				if !yield(item.Body, err) {
					return
				}
			}
			if cursor = page.Cursor; cursor == "" {
				return
			}
		}
	})
	if err != nil {
		d.t.Errorf("the chain of %s: %v", rule, err)
	}
	return list
}

func (d *desk) told(rule string) string {
	d.t.Helper()
	var words []string
	for _, e := range d.entries(rule) {
		words = append(words, e.Action)
	}
	return strings.Join(words, " ")
}

func fact(e audit.Entry, name string) string {
	for _, f := range e.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// digested counts the lines of digests about a rule, by reason.
func (d *desk) digested(rule string) map[digest.Why]int {
	d.t.Helper()
	n := map[digest.Why]int{}
	for day := range 60 {
		for hour := range 24 {
			at := monday.Truncate(24*time.Hour).AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
			page, err := d.inner.Query(d.ctx(), table.Query{Table: table.State, Partition: "digest#operators#" + at.Format(time.RFC3339), Prefix: rule + "#"})
			if err != nil {
				d.t.Fatal(err)
			}
			for _, item := range page.Items {
				n[digest.Why(strings.Split(item.Key.Sort, "#")[1])]++
			}
		}
	}
	return n
}

// exists reports whether an item stands somewhere.
func (d *desk) exists(ref table.Ref) bool {
	d.t.Helper()
	_, err := d.inner.Get(d.ctx(), ref)
	if err != nil && !errors.Is(err, table.ErrAbsent) {
		d.t.Fatal(err)
	}
	return err == nil
}
