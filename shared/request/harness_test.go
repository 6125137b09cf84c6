package request

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/digest"
	"rightsdesk/shared/export"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// desk is the service on small real parts: the embedded store, stores of data
// and packages in memory, and a clock that stands until it is turned.
type desk struct {
	*Service
	t       testing.TB
	shop    *store
	letters *store
	shelf   *shelf
	post    *postbox
	book    *book
	trouble *trouble
	inner   table.Table // without weather
	woken   []ID
	// patience is how often a person repeats a call; 0: three times.
	patience int

	mu sync.Mutex
	at time.Time
}

var handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler, operator.Auditor}, MFA: true}

const ada = "ada@example.org"

// newDesk opens a desk. What it does to the outside goes through its trouble.
func newDesk(tb testing.TB, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	d := &desk{t: tb, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), trouble: &trouble{}}
	d.inner = tabletest.Embedded(tb, d.clock)
	store := &weather{d.inner, d.trouble}
	d.shop = newStore("shop", d)
	d.letters = newStore("newsletter", d)
	d.shelf = &shelf{objects: map[string][]byte{}, trouble: d.trouble}
	d.post = &postbox{trouble: d.trouble}
	d.Service = &Service{
		Table: store, Keys: seal.Keys{Ring: seal.NewRing(), Table: store}, Policy: testPolicy(tb, change...), Now: d.clock,
		BaseURL: "https://desk.example.org",
		Sources: map[string]source.Source{"shop": d.shop, "newsletter": d.letters},
		Exports: d.shelf, Downloads: d.shelf, Mail: d.post,
		Wake: func(_ context.Context, id ID) { d.woken = append(d.woken, id) },
	}
	d.book = &book{desk: d}
	d.Choices = d.book
	d.Digest = &digest.Book{Table: store, Now: d.clock, Policy: d.Policy, Mail: d.post, BaseURL: d.BaseURL}
	return d
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

// asks is a submission of Ada's.
func asks(right policy.Right, change ...func(*Submission)) Submission {
	email, _ := personal.ParseEmail(ada)
	s := Submission{
		Right: right, Residence: "FR", Locale: "en", From: "192.0.2.1",
		Person: Person{Email: email, Name: personal.MakeText("Ada")}, Call: Call{Key: "submit-1", Body: string(right)},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func corrects(pairs ...string) func(*Submission) {
	return func(s *Submission) {
		for i := 0; i < len(pairs); i += 2 {
			s.Person.Corrections = append(s.Person.Corrections, source.Correction{Field: pairs[i], Value: personal.MakeText(pairs[i+1])})
		}
	}
}

// submit stores a request.
func (d *desk) submit(s Submission) ID {
	d.t.Helper()
	rec, err := d.Submit(d.ctx(), s)
	if err != nil {
		d.t.Fatal(err)
	}
	return rec.ID
}

// get loads a request.
func (d *desk) get(id ID) Request {
	d.t.Helper()
	item, err := d.inner.Get(d.ctx(), id.Ref())
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := decode(item)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// verified submits a request and proves its address.
func (d *desk) verified(s Submission) ID {
	d.t.Helper()
	id := d.submit(s)
	if _, err := d.VerifyLink(d.ctx(), d.linkToken(id, VerifyLink, d.get(id).Proof), Call{Key: "verify-1"}); err != nil {
		d.t.Fatal(err)
	}
	return id
}

// session is a token of who proved the address n times.
func (d *desk) session(id ID, n int) string {
	return d.Mint(Token{ID: id, Verb: Session, N: n, Until: d.now().Add(time.Hour)})
}

// sweep runs every schedule once. What fails stays due.
func (d *desk) sweep() (seen int) {
	d.t.Helper()
	for _, each := range []func(context.Context, ID) error{d.Announce, d.Work, d.Tick} {
		seen += d.overdue(func(k table.Key) bool {
			id, ok := IDOf(k)
			if ok {
				_ = each(d.ctx(), id) // the tests that make it fail look at what comes of it
			}
			return ok
		})
	}
	return seen + d.overdue(func(k table.Key) bool {
		if digest.IsKey(k) {
			_ = d.Digest.Send(d.ctx(), k) // the same
		}
		return digest.IsKey(k)
	})
}

// overdue visits what is due, and counts what the visitor takes.
func (d *desk) overdue(visit func(table.Key) bool) (seen int) {
	d.t.Helper()
	_, err := table.WalkDue(d.ctx(), d.Table, "", d.now(), func(k table.Key) error {
		if visit(k) {
			seen++
		}
		return nil
	}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return seen
}

// until sweeps and turns the clock until a condition holds of the request.
// It goes from one entry of the due-index to the next.
func (d *desk) until(id ID, what string, ok func(Request) bool) Request {
	d.t.Helper()
	for range 400 {
		d.sweep()
		// Nothing is looked at before the due-index says so.
		r := d.get(id)
		if ok(r) {
			return r
		}
		d.pass(max(time.Minute, r.filed.Sub(d.clock())))
	}
	r := d.get(id)
	d.t.Fatalf("waited in vain until %s; it is %s with looks %+v and steps %+v", what, r.Status, r.Looks, r.Steps)
	return Request{}
}

func (d *desk) ends(id ID) Request {
	d.t.Helper()
	return d.until(id, "it is over and told", func(r Request) bool { return r.Status.Final() && len(r.Announcements) == 0 })
}

// chains verifies every audit chain.
func (d *desk) chains() {
	d.t.Helper()
	for cursor := ""; ; {
		v, err := d.VerifyAudit(d.ctx(), handler, cursor)
		if err != nil || len(v.Broken) > 0 {
			d.t.Errorf("the audit chains: %+v, %v", v, err)
			return
		}
		if cursor = v.Cursor; cursor == "" {
			return
		}
	}
}

// told lists a request's audit entries by action.
func (d *desk) told(id ID) []string {
	d.t.Helper()
	r := d.get(id)
	var list []string
	for b, err := range d.entries(d.ctx(), id.Chain(), r.Head.Seq) {
		if err != nil {
			d.t.Fatal(err)
		}
		e := decodeEntry(d.t, b)
		line := e.Action
		for _, f := range e.Facts {
			line += " " + f.Name + "=" + f.Value
		}
		list = append(list, line)
	}
	return list
}

// trouble decides what goes wrong with calls to the outside. A call either fails
// before anything is done, or is done and its answer is lost.
type trouble struct {
	mu    sync.Mutex
	n     int // calls so far
	at    int // the call that fails; 0: none
	lost  bool
	over  bool // nothing goes wrong any more
	log   []string
	rules []func(what string) bool // tests that want more than one failure
}

func (x *trouble) calm() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
}

var errTrouble = errors.New("the line broke")

// meets counts one call and says whether to do it and what to answer.
func (x *trouble) meets(what string) (do, tell bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		return true, true
	}
	x.n++
	x.log = append(x.log, what)
	for _, rule := range x.rules {
		if rule(what) {
			return false, false
		}
	}
	if x.n != x.at {
		return true, true
	}
	return x.lost, false
}

// weather is the item store in trouble.
type weather struct {
	table.Table
	*trouble
}

func (w *weather) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if _, tell := w.meets("get " + string(ref.Table)); !tell {
		return table.Item{}, table.ErrBusy
	}
	return w.Table.Get(ctx, ref)
}

func (w *weather) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Index == table.Due { // the next sweep asks again, whatever this one was told
		return w.Table.Query(ctx, q)
	}
	if _, tell := w.meets("query " + string(q.Table)); !tell {
		return table.Page{}, table.ErrBusy
	}
	return w.Table.Query(ctx, q)
}

func (w *weather) Count(ctx context.Context, t table.Tally) (table.Item, error) {
	do, tell := w.meets("count " + string(t.Ref.Table))
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

// thing is a record of a store.
type thing struct {
	id, category string
	owner        []personal.Identity // whoever can be asked about it
	at           time.Time
	fields       map[string]string
	stays        bool // by the store's own decision
	gone, masked bool
	effects      int
}

// store is an honest store of data. It remembers calls by their key, as the best
// hooks do, and refuses a key that comes with another call.
type store struct {
	id      string
	desk    *desk
	mu      sync.Mutex
	things  []*thing
	ties    map[personal.Identity][]personal.Identity
	answers map[string]any
	asked   map[string]string
	found   int // calls of Find
	chosen  []source.Order
	fail    func(what string) error
	during  func(what string) // while the store is at it
}

func newStore(id string, d *desk) *store {
	return &store{id: id, desk: d, answers: map[string]any{}, asked: map[string]string{}, ties: map[personal.Identity][]personal.Identity{}}
}

// put adds n records of a category.
func (s *store) put(n int, category string, owner personal.Identity, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.things = append(s.things, &thing{
			id: fmt.Sprintf("%s%03d", category, len(s.things)), category: category, owner: []personal.Identity{owner}, at: at,
			fields: map[string]string{"name": "Ad", "email": ada, "title": "a book"},
		})
	}
}

// left counts what the store still holds of a category.
func (s *store) left(category string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.things {
		if x.category == category && !x.gone && !x.masked {
			n++
		}
	}
	return n
}

func (s *store) holds(ids []personal.Identity, category string, until time.Time) []*thing {
	var list []*thing
	for _, x := range s.things {
		if x.gone || x.masked || category != "" && x.category != category || !until.IsZero() && x.at.After(until) {
			continue
		}
		if slices.ContainsFunc(x.owner, func(i personal.Identity) bool { return slices.Contains(ids, i) }) {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(a, b *thing) int { return strings.Compare(a.id, b.id) })
	return list
}

// call is what every call has in common: trouble, the lease, the key.
func (s *store) call(what string, c source.Call, identities []personal.Identity, question any) (do, tell bool, err error) {
	do, tell = s.desk.trouble.meets(s.id + " " + what)
	if !do {
		return false, false, fmt.Errorf("%w: %w", source.ErrLater, errTrouble)
	}
	if s.fail != nil {
		if err := s.fail(what); err != nil {
			return false, false, err
		}
	}
	if s.during != nil {
		s.during(what)
	}
	if !s.desk.clock().Before(c.Lease) {
		return false, false, fmt.Errorf("%w: the lease is over", source.ErrLater)
	}
	if len(identities) == 0 {
		return false, false, fmt.Errorf("%w: nobody is named", source.ErrRefused)
	}
	order := fmt.Sprintf("%s %v", what, question)
	for _, i := range identities {
		order += " " + i.Reveal()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.asked[c.Key]; ok && before != order {
		return false, false, fmt.Errorf("%w: the key was used for another call:\n%s\n%s", source.ErrRefused, before, order)
	}
	s.asked[c.Key] = order
	return true, tell, nil
}

func (s *store) Find(_ context.Context, ask source.Ask) (source.Found, error) {
	_, tell, err := s.call("find", ask.Call, ask.Identities, []any{ask.Category, ask.Until, ask.Cursor, ask.Limit, ask.Values})
	if err != nil {
		return source.Found{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found++
	list := s.holds(ask.Identities, ask.Category, ask.Until)
	whose := fmt.Sprint(len(ask.Identities))
	after, of, _ := strings.Cut(ask.Cursor, "/")
	if ask.Cursor != "" && of != whose {
		return source.Found{}, fmt.Errorf("%w: the cursor is of another question", source.ErrRefused)
	}
	list = slices.DeleteFunc(list, func(x *thing) bool { return x.id <= after })
	f := source.Found{Done: len(list) <= ask.Limit}
	for _, x := range list[:min(len(list), ask.Limit)] {
		rec := source.Record{Category: x.category, ID: x.id, At: x.at}
		if ask.Values {
			rec.Fields, _ = json.Marshal(x.fields)
		}
		f.Records = append(f.Records, rec)
		f.Cursor = x.id + "/" + whose
	}
	if f.Done {
		f.Cursor = ""
	}
	for _, i := range ask.Identities {
		f.Ties = append(f.Ties, s.ties[i]...)
	}
	if !tell {
		return source.Found{}, fmt.Errorf("%w: %w", source.ErrLater, errTrouble)
	}
	return f, nil
}

func (s *store) Execute(_ context.Context, o source.Order) (source.Done, error) {
	question := []any{o.Verb, o.Category, o.Until, o.Limit, o.Masks, o.MaskKey, o.Choice, o.Keep}
	for _, c := range o.Corrections {
		question = append(question, c.Field, c.Value.Reveal())
	}
	_, tell, err := s.call("execute", o.Call, o.Identities, question)
	if err != nil {
		return source.Done{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.answers[o.Call.Key].(source.Done); ok {
		return before, nil
	}
	d := source.Done{}
	if o.Verb == source.Choose {
		s.chosen = append(s.chosen, o)
		d = source.Done{Removed: 1, Done: true}
		s.answers[o.Call.Key] = d
		return d, lostIf(!tell)
	}
	for _, x := range s.holds(o.Identities, o.Category, o.Until) {
		if slices.Contains(o.Keep, x.id) {
			continue
		}
		if x.stays {
			d.Retained++
			continue
		}
		wrong := o.Verb != source.Correct
		for _, c := range o.Corrections {
			wrong = wrong || x.fields[c.Field] != c.Value.Reveal()
		}
		if !wrong {
			continue
		}
		if d.Removed == o.Limit {
			s.answers[o.Call.Key] = d
			return d, lostIf(!tell)
		}
		d.Removed++
		x.effects++
		switch o.Verb {
		case source.Delete, source.Archive:
			x.gone = true
		case source.Anonymise:
			x.masked = true
		case source.Correct:
			for _, c := range o.Corrections {
				x.fields[c.Field] = c.Value.Reveal()
			}
		case source.Choose: // answered above
		}
	}
	d.Done = true
	s.answers[o.Call.Key] = d
	return d, lostIf(!tell)
}

func lostIf(yes bool) error {
	if yes {
		return fmt.Errorf("%w: %w", source.ErrLater, errTrouble)
	}
	return nil
}

// book is where choices stand: per person one item, with one audit entry for each
// change. It goes through the desk's weather as the real one does.
type book struct {
	desk *desk
	// one maps an identity to another one of the same person.
	one map[personal.Identity]personal.Identity
	// between, if set, is called once, between the reading of an item and its use.
	between func()
}

// page is what stands in the book for one person.
type page struct {
	Stops     map[policy.Stop]bool `json:"stops,omitempty"`
	Withdrawn []string             `json:"withdrawn,omitempty"`
	N         int                  `json:"n"` // entries
}

func (b *book) ref(who personal.Identity) table.Ref {
	if same, ok := b.one[who]; ok {
		who = same
	}
	return table.Ref{Table: table.State, Key: table.Key{Partition: "consent#" + b.desk.Keys.Ring.Hash("book", string(who.Kind), who.Reveal()), Sort: "-"}}
}

func (b *book) read(ctx context.Context, in table.Table, ref table.Ref) (p page, pre table.Precondition, err error) {
	item, err := in.Get(ctx, ref)
	if errors.Is(err, table.ErrAbsent) {
		return page{}, table.New, nil
	}
	if err != nil {
		return page{}, table.New, err
	}
	return p, table.Version(item.Version), json.Unmarshal(item.Body, &p)
}

func (b *book) Stopping(ctx context.Context, who personal.Identity, stops map[policy.Stop]bool, purposes []string, request string) ([]table.Write, error) {
	ref := b.ref(who)
	p, pre, err := b.read(ctx, b.desk.Table, ref)
	if err != nil {
		return nil, err
	}
	if f := b.between; f != nil {
		b.between = nil
		f()
	}
	var did []string
	for stop, on := range stops {
		if p.Stops[stop] == on {
			continue
		}
		if p.Stops == nil {
			p.Stops = map[policy.Stop]bool{}
		}
		p.Stops[stop] = on
		did = append(did, fmt.Sprintf("%s=%t", stop, on))
	}
	if len(stops) == 0 {
		if len(purposes) == 0 {
			purposes = []string{"everything"}
		}
		for _, purpose := range purposes {
			if !slices.Contains(p.Withdrawn, purpose) {
				p.Withdrawn = append(p.Withdrawn, purpose)
				did = append(did, purpose)
			}
		}
	}
	if len(did) == 0 {
		return nil, nil
	}
	slices.Sort(did)
	p.N++
	body, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return []table.Write{
		table.Put(table.State, table.Item{Key: ref.Key, Schema: 1, Body: body}, pre),
		table.Put(table.Audit, table.Item{
			Key: table.Key{Partition: ref.Key.Partition, Sort: entrySort(int64(p.N))}, Schema: 1, Body: []byte(strings.Join(did, " ") + " for " + request),
		}, table.New),
	}, nil
}

// change makes a change of the person's own.
func (b *book) change(who personal.Identity, stops map[policy.Stop]bool) {
	b.desk.t.Helper()
	writes, err := b.Stopping(b.desk.ctx(), who, stops, nil, "themselves")
	if err == nil {
		err = b.desk.inner.Commit(b.desk.ctx(), table.NewID(), writes...)
	}
	if err != nil {
		b.desk.t.Fatal(err)
	}
}

// stands lists the stops that are on for somebody, and what they withdrew.
func (b *book) stands(who personal.Identity) string {
	b.desk.t.Helper()
	p, _, err := b.read(b.desk.ctx(), b.desk.inner, b.ref(who))
	if err != nil {
		b.desk.t.Fatal(err)
	}
	list := p.Withdrawn
	for stop, on := range p.Stops {
		if on {
			list = append(list, string(stop))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// entries lists what the audit has of somebody's choices.
func (b *book) entries(who personal.Identity) (list []string) {
	b.desk.t.Helper()
	all, err := b.desk.inner.Query(b.desk.ctx(), table.Query{Table: table.Audit, Partition: b.ref(who).Key.Partition})
	if err != nil {
		b.desk.t.Fatal(err)
	}
	for _, item := range all.Items {
		list = append(list, string(item.Body))
	}
	return list
}

// shelf keeps packages in memory.
type shelf struct {
	*trouble
	keep    sync.Mutex
	objects map[string][]byte
	during  func(key string) // before an object is kept
}

func (s *shelf) Put(_ context.Context, key string, body io.Reader, size int64) error {
	do, tell := s.meets("put")
	if !do {
		return errTrouble
	}
	if s.during != nil {
		s.during(key)
	}
	b, err := io.ReadAll(body)
	if err != nil || int64(len(b)) != size {
		return fmt.Errorf("an object of %d bytes has %d: %w", size, len(b), err)
	}
	s.keep.Lock()
	defer s.keep.Unlock()
	s.objects[key] = b
	if !tell {
		return errTrouble
	}
	return nil
}

func (s *shelf) Get(_ context.Context, key string) (io.ReadCloser, error) {
	if _, tell := s.meets("open"); !tell {
		return nil, errTrouble
	}
	s.keep.Lock()
	defer s.keep.Unlock()
	b, ok := s.objects[key]
	if !ok {
		return nil, export.ErrAbsent
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (s *shelf) Delete(_ context.Context, keys ...string) error {
	do, tell := s.meets("erase")
	if !do {
		return errTrouble
	}
	s.keep.Lock()
	defer s.keep.Unlock()
	for _, k := range keys {
		delete(s.objects, k)
	}
	if !tell {
		return errTrouble
	}
	return nil
}

func (s *shelf) List(_ context.Context, prefix, cursor string) ([]string, string, error) {
	if _, tell := s.meets("list"); !tell {
		return nil, "", errTrouble
	}
	s.keep.Lock()
	defer s.keep.Unlock()
	var keys []string
	for k := range s.objects {
		if strings.HasPrefix(k, prefix) && k > cursor {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if len(keys) > 3 {
		return keys[:3], keys[2], nil
	}
	return keys, "", nil
}

func (s *shelf) Sign(_ context.Context, key, _ string, now time.Time, life time.Duration) (string, error) {
	if _, tell := s.meets("sign"); !tell {
		return "", errTrouble
	}
	return "https://bucket.example.org/" + key + "?until=" + now.Add(life).Format(time.RFC3339), nil
}

func (s *shelf) size() int {
	s.keep.Lock()
	defer s.keep.Unlock()
	return len(s.objects)
}

// postbox is a mail service without a memory.
type postbox struct {
	*trouble
	hold  sync.Mutex
	mails []mailed
	fail  func(to string) error
}

type mailed struct {
	key string
	mail.Message
}

func (p *postbox) Send(_ context.Context, m mail.Message, key string) error {
	do, tell := p.meets("mail")
	if !do {
		return mail.ErrLater
	}
	if err := m.Valid(); err != nil {
		return err
	}
	p.hold.Lock()
	defer p.hold.Unlock()
	if p.fail != nil {
		if err := p.fail(m.To.Reveal()); err != nil {
			return err
		}
	}
	p.mails = append(p.mails, mailed{key, m})
	if !tell {
		return mail.ErrLater
	}
	return nil
}

// subjects are those of the mails, each once.
func (p *postbox) subjects() []string {
	var list []string
	seen := map[string]bool{}
	for _, m := range p.mails {
		if !seen[m.key] {
			seen[m.key] = true
			list = append(list, m.To.Reveal()+": "+m.Subject)
		}
	}
	return list
}

var codeInMail = regexp.MustCompile(`(?m)^\s*([0-9]{6})\s*$`)

func (d *desk) lastCode() string {
	d.t.Helper()
	for i := len(d.post.mails) - 1; i >= 0; i-- {
		if m := codeInMail.FindStringSubmatch(d.post.mails[i].Text.Reveal()); m != nil {
			return m[1]
		}
	}
	d.t.Fatal("no code was mailed")
	return ""
}
