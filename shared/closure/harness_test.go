package closure

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
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
	t     testing.TB
	inner table.Table // without weather
	post  *postbox
	work  *bench
	lives *lives
	woken []request.ID

	mu sync.Mutex
	at time.Time
}

const ada = "ada@example.org"

var adas = personal.MakeIdentity(personal.KindAccount, "a-1")

func newDesk(tb testing.TB, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	return newDeskOn(tb, func(tb testing.TB, now func() time.Time) table.Table {
		tb.Helper()
		return tabletest.Embedded(tb, now)
	}, change...)
}

func newDeskOn(tb testing.TB, open func(testing.TB, func() time.Time) table.Table, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	d := &desk{t: tb, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), post: &postbox{}, lives: &lives{}}
	d.inner = open(tb, d.clock)
	d.Service = &Service{
		Keys: seal.Keys{Ring: seal.NewRing()}, Policy: testPolicy(tb, change...), Now: d.clock, BaseURL: "https://desk.example.org",
		Mail: d.post, Lives: d.lives, Wake: func(_ context.Context, id request.ID) { d.woken = append(d.woken, id) },
	}
	d.on(d.inner)
	return d
}

// on has everything done on another store.
func (d *desk) on(store table.Table) {
	d.Table, d.Keys.Table = store, store
	d.work = &bench{Service: &request.Service{Table: store, Keys: d.Keys, Policy: d.Policy, Now: d.clock}}
	d.Work = d.work
}

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
	p.Closure.Before = policy.Text{"en": "End your [subscription](#rights) first.", "fr": "Résiliez d'abord votre abonnement."}
	for _, c := range change {
		c(p)
	}
	return p
}

func immediate(p *policy.Policy) { p.Closure.Grace = 0 }

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

func email(s string) personal.Email {
	e, _ := personal.ParseEmail(s)
	return e
}

func asks(key string) Submission {
	return Submission{Email: email(ada), Locale: "en", Residence: "FR", From: "192.0.2.1", Call: Call{Key: key, Body: "b"}}
}

func signed(key string) Signed {
	return Signed{Who: adas, Email: email(ada), Locale: "en", Residence: "FR", Call: Call{Key: key, Body: "b"}}
}

// asked asks by mail and returns the closure and the token of the mailed button.
func (d *desk) asked() (ID, string) {
	d.t.Helper()
	rec, err := d.Ask(d.ctx(), asks("ask-1"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.relay()
	return rec.ID, d.post.token(d.t)
}

// confirmed asks by mail and presses the button.
func (d *desk) confirmed() Taken {
	d.t.Helper()
	_, token := d.asked()
	taken, err := d.Confirm(d.ctx(), token, Call{Key: "confirm-1"})
	if err != nil {
		d.t.Fatal(err)
	}
	return taken
}

func (d *desk) begun() View {
	d.t.Helper()
	v, err := d.Begin(d.ctx(), "shop", signed("begin-1"))
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

func (d *desk) get(id ID) Closure {
	d.t.Helper()
	item, err := d.inner.Get(d.ctx(), id.Ref())
	if err != nil {
		d.t.Fatal(err)
	}
	c, err := decode(item)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// due visits what is due.
func (d *desk) due(visit func(table.Key) error) (seen int) {
	d.t.Helper()
	_, err := table.WalkDue(d.ctx(), d.inner, "", d.clock(), func(k table.Key) error {
		if IsKey(k) {
			seen++
			_ = visit(k) // the tests that make it fail look at what comes of it
		}
		return nil
	}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return seen
}

// relay delivers what is promised, as the stream would.
func (d *desk) relay() {
	d.t.Helper()
	d.pass(relayWithin)
	d.due(func(k table.Key) error { return d.Announce(d.ctx(), k) })
}

// sweep runs every schedule once. What fails stays due.
func (d *desk) sweep() {
	d.t.Helper()
	d.due(func(k table.Key) error { return d.Announce(d.ctx(), k) })
	d.due(func(k table.Key) error { return d.Tick(d.ctx(), k) })
}

// until sweeps and turns the clock, from one entry of the due-index to the next,
// until a closure has a status and nothing is left to say.
func (d *desk) until(id ID, status Status) Closure {
	d.t.Helper()
	for range 200 {
		d.sweep()
		c := d.get(id)
		if c.Status == status && len(c.Announcements) == 0 {
			return c
		}
		d.pass(max(time.Minute, c.filed.Sub(d.clock())))
	}
	c := d.get(id)
	d.t.Fatalf("waited in vain until it is %s; it is %s with %d letters", status, c.Status, len(c.Announcements))
	return Closure{}
}

// entries returns a closure's chain, which must verify.
func (d *desk) entries(id ID) (list []audit.Entry) {
	d.t.Helper()
	page, err := d.inner.Query(d.ctx(), table.Query{Table: table.Audit, Partition: id.Chain()})
	if err != nil {
		d.t.Fatal(err)
	}
	list = decodeAll(d.t, page.Items)
	_, err = audit.Verify(id.Chain(), d.get(id).Head, func(yield func([]byte, error) bool) {
		for _, item := range page.Items {
			if !yield(item.Body, nil) {
				return
			}
		}
	})
	if err != nil {
		d.t.Errorf("the chain of %s: %v", id, err)
	}
	return list
}

func decodeAll(tb testing.TB, items []table.Item) (list []audit.Entry) {
	tb.Helper()
	for _, item := range items {
		e, err := audit.Decode(item.Body)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// told lists the actions of a closure's entries.
func (d *desk) told(id ID) string {
	d.t.Helper()
	var list []string
	for _, e := range d.entries(id) {
		list = append(list, e.Action)
	}
	return strings.Join(list, " ")
}

// bench is the request service, but the work is over when a test says so.
type bench struct {
	*request.Service
	mu    sync.Mutex
	done  bool
	asked int
	tied  []personal.Identity // that the sources tied to the account; none: whatever the request says
}

func (b *bench) Verified(ctx context.Context, id request.ID) ([]personal.Identity, error) {
	if len(b.tied) > 0 {
		return b.tied, nil
	}
	return b.Service.Verified(ctx, id)
}

func (b *bench) Ending(ctx context.Context, id request.ID) (request.Ending, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.done {
		return request.Ending{Status: request.Fulfilled, Over: true}, nil
	}
	return b.Service.Ending(ctx, id)
}

func (b *bench) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = true
}

// lives counts the ends of accounts that were noted; for some tests each is two items.
type lives struct {
	n     int
	items bool
}

func lifeRef(who personal.Identity) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: "life#" + who.Reveal(), Sort: "-"}}
}

func (l *lives) Closing(_ context.Context, who []personal.Identity, _ time.Time) (writes []table.Write, err error) {
	l.n++
	if !l.items {
		return nil, nil
	}
	for _, i := range who {
		for _, sort := range []string{"-", "entry"} {
			key := lifeRef(i).Key
			key.Sort = sort
			writes = append(writes, table.Put(table.State, table.Item{Key: key, Schema: 1, Body: []byte("{}")}, table.New))
		}
	}
	return writes, nil
}

// postbox keeps mail in memory. A mail sent again under its key replaces itself.
type postbox struct {
	mu    sync.Mutex
	keys  []string
	mails []mail.Message
	fail  error
	calls int
}

func (p *postbox) Send(_ context.Context, m mail.Message, key string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.fail != nil {
		return p.fail
	}
	if err := m.Valid(); err != nil {
		return err
	}
	if i := slices.Index(p.keys, key); i >= 0 {
		p.mails[i] = m
		return nil
	}
	p.keys, p.mails = append(p.keys, key), append(p.mails, m)
	return nil
}

func (p *postbox) subjects() (list []string) {
	for _, m := range p.mails {
		list = append(list, m.Subject)
	}
	return list
}

// token is that of the link in the last mail.
func (p *postbox) token(tb testing.TB) string {
	tb.Helper()
	if len(p.mails) == 0 {
		tb.Fatal("nobody was written to")
	}
	_, after, ok := strings.Cut(p.mails[len(p.mails)-1].Text.Reveal(), "https://desk.example.org/x/")
	if !ok {
		tb.Fatal("the last mail has no link")
	}
	return strings.Fields(after)[0]
}

var errTrouble = errors.New("the line broke")

// weather is an item store one call to which goes wrong: it fails before anything is
// done, or it is done and its answer is lost.
type weather struct {
	table.Table
	mu   sync.Mutex
	n    int
	at   int // the call that fails; 0: none
	lost bool
	log  []string
}

func (w *weather) meets(what string) (do, tell bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	w.log = append(w.log, what)
	if w.n != w.at {
		return true, true
	}
	return w.lost, false
}

func (w *weather) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if _, tell := w.meets("get"); !tell {
		return table.Item{}, table.ErrBusy
	}
	return w.Table.Get(ctx, ref)
}

func (w *weather) Count(ctx context.Context, t table.Tally) (table.Item, error) {
	do, tell := w.meets("count")
	if !do {
		return table.Item{}, table.ErrBusy
	}
	item, err := w.Table.Count(ctx, t)
	if !tell {
		return table.Item{}, table.ErrUnknown
	}
	return item, err
}

func (w *weather) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	do, tell := w.meets("commit")
	if !do {
		return table.ErrBusy
	}
	err := w.Table.Commit(ctx, id, writes...)
	if !tell {
		return table.ErrUnknown
	}
	return err
}
