package consent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/table/tabletest"
)

// office is a service with a mail service and a source that do as they are told.
type office struct {
	*Service
	t     testing.TB
	inner table.Table // without weather
	post  *postOffice
	shop  *listener
	woken []table.Key
	log   bytes.Buffer

	mu sync.Mutex
	at time.Time
}

const (
	adaAddress   = "ada@example.org"
	graceAddress = "grace@example.net"
)

// openOffice opens an office with the policy of the sample company, which hears
// choices by the mail address. With a seed its store fails the way clouds fail.
func openOffice(tb testing.TB, seed uint64, change ...func(*policy.Policy)) *office {
	tb.Helper()
	file, err := os.ReadFile("../../infra/local/company/policy.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	p, err := policy.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range p.Sources {
		if p.Sources[i].ID == "newsletter" {
			p.Sources[i].Identities = []personal.Kind{personal.KindEmail}
		} else {
			p.Sources[i].Hears = nil
		}
	}
	for _, c := range change {
		c(p)
	}
	o := &office{t: tb, at: time.Date(2026, time.March, 5, 9, 30, 0, 0, time.UTC), post: &postOffice{}, shop: &listener{}}
	o.inner = tabletest.Embedded(tb, o.clock)
	store := o.inner
	if seed != 0 {
		store = table.Steady(hostile.New(store, seed, o.clock), func(context.Context, time.Duration) error { return nil })
	}
	o.Service = &Service{
		Table: store, Keys: seal.Keys{Ring: seal.NewRing(), Table: store}, Policy: p, Now: o.clock, BaseURL: "https://privacy.example.org",
		Mail: o.post, Sources: map[string]source.Source{"newsletter": o.shop}, Log: slog.New(slog.NewJSONHandler(&o.log, nil)),
		Wake: func(_ context.Context, k table.Key) { o.woken = append(o.woken, k) },
	}
	return o
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.at
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = o.at.Add(d)
}

func (o *office) ctx() context.Context { return o.t.Context() }

func byMail(address string) personal.Identity {
	e, _ := personal.ParseEmail(address)
	return e.Identity()
}

// chooses captures, and repeats the call for as long as the store asks for it.
func (o *office) chooses(by Speaker, who personal.Identity, choice Choice, purposes ...string) Captured {
	o.t.Helper()
	c := Capture{Identity: who, By: by, Language: "en", Residence: "FR", Attempt: Attempt{Key: string(table.NewID()), Body: "b"}}
	if by == ByApp {
		c.App = "shop"
	}
	for _, p := range purposes {
		a := Asked{Purpose: p, Choice: choice}
		if choice == Granted {
			rule, _ := o.Policy.Consent(p)
			a.Wording = policy.WordingHash(rule.Wording.In("en"))
		}
		c.Asked = append(c.Asked, a)
	}
	var done Captured
	o.patiently(func() (err error) { done, err = o.Capture(o.ctx(), c); return err })
	return done
}

// patiently repeats what the store refused or lost.
func (o *office) patiently(do func() error) {
	o.t.Helper()
	var err error
	for range 20 {
		if err = do(); err == nil || !errors.Is(err, ErrBusy) && !errors.Is(err, table.ErrBusy) && !errors.Is(err, table.ErrUnknown) {
			break
		}
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) keyOf(who personal.Identity) table.Key { return Ref(o.Keys.Ring.Identifier(who)).Key }

// stored returns what stands about somebody, and whether anything does.
func (o *office) stored(who personal.Identity) (Subject, bool) {
	o.t.Helper()
	item, err := o.inner.Get(o.ctx(), table.Ref{Table: table.State, Key: o.keyOf(who)})
	if errors.Is(err, table.ErrAbsent) {
		return Subject{}, false
	}
	if err != nil {
		o.t.Fatal(err)
	}
	sub, err := decode(item)
	if err != nil {
		o.t.Fatal(err)
	}
	return sub, true
}

// due lists what the due-index holds by now.
func (o *office) due() []table.Key {
	o.t.Helper()
	var keys []table.Key
	if _, err := table.WalkDue(o.ctx(), o.inner, "", o.clock(), func(k table.Key) error { keys = append(keys, k); return nil }, nil); err != nil {
		o.t.Fatal(err)
	}
	return keys
}

// sweep does what is due, with every one of the three jobs.
func (o *office) sweep() {
	for _, k := range o.due() {
		_ = o.Announce(o.ctx(), k) // what failed is due again
		_ = o.Tell(o.ctx(), k)
		_ = o.Tick(o.ctx(), k)
	}
}

// entries returns the chain of a subject.
func (o *office) entries(chain string) []audit.Entry {
	o.t.Helper()
	page, err := o.inner.Query(o.ctx(), table.Query{Table: table.Audit, Partition: chain})
	if err != nil {
		o.t.Fatal(err)
	}
	var list []audit.Entry
	for _, item := range page.Items {
		e, err := audit.Decode(item.Body)
		if err != nil {
			o.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// actions of a subject's chain, in order.
func (o *office) actions(chain string) string {
	var list []string
	for _, e := range o.entries(chain) {
		list = append(list, e.Action)
	}
	return strings.Join(list, " ")
}

func factOfEntry(e audit.Entry, name string) string {
	i := slices.IndexFunc(e.Facts, func(f audit.Fact) bool { return f.Name == name })
	if i < 0 {
		return ""
	}
	return e.Facts[i].Value
}

// clean fails if a log or a stored item names somebody.
func (o *office) clean() {
	o.t.Helper()
	for _, secret := range []string{"ada@", "grace@", "example.net"} {
		if strings.Contains(o.log.String(), secret) {
			o.t.Errorf("the log names somebody: %s", o.log.String())
		}
	}
	for _, name := range []string{adaAddress, graceAddress} {
		sub, ok := o.stored(byMail(name))
		if b, err := json.Marshal(sub); ok && (err != nil || bytes.Contains(b, []byte("example."))) {
			o.t.Errorf("an address is stored in clear: %s, %v", b, err)
		}
	}
}

// postOffice keeps letters, and fails as it is told.
type postOffice struct {
	mu      sync.Mutex
	letters []letterSent
	keys    []string // of every call
	fail    func(n int) error
}

type letterSent struct{ key, to, subject, text, link string }

var anyLink = regexp.MustCompile(`https://privacy\.example\.org/\S+`)

func (p *postOffice) Send(_ context.Context, m mail.Message, key string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := m.Valid(); err != nil {
		return err
	}
	p.keys = append(p.keys, key)
	if p.fail != nil {
		if err := p.fail(len(p.keys)); err != nil {
			return err
		}
	}
	p.letters = append(p.letters, letterSent{key, m.To.Reveal(), m.Subject, strings.Join(strings.Fields(strings.ReplaceAll(m.Text.Reveal(), "\n> ", " ")), " "), anyLink.FindString(m.Text.Reveal())})
	return nil
}

// sent returns the letters since the last time it was asked.
func (p *postOffice) sent() []letterSent {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.letters
	p.letters = nil
	return l
}

// listener is a source that hears of choices.
type listener struct {
	mu     sync.Mutex
	orders []source.Order
	answer func(n int) (source.Done, error)
}

func (l *listener) Find(context.Context, source.Ask) (source.Found, error) {
	return source.Found{}, fmt.Errorf("%w: nobody asks", source.ErrRefused)
}

func (l *listener) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.orders = append(l.orders, order)
	if _, bounded := ctx.Deadline(); !bounded {
		return source.Done{}, errors.New("the call has no end")
	}
	if l.answer != nil {
		return l.answer(len(l.orders))
	}
	return source.Done{Done: true}, nil
}

// heard returns the orders since the last time it was asked.
func (l *listener) heard() []source.Order {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.orders
	l.orders = nil
	return o
}
