package digest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// desk is a book on a store that can be put in trouble, with a clock that stands
// until it is turned.
type desk struct {
	*Book
	t     testing.TB
	store table.Table // without trouble
	calls *calls
	post  *post
	log   *bytes.Buffer

	mu sync.Mutex
	at time.Time
}

// calls is the item store; the n-th call fails before it is done, or its answer is lost.
type calls struct {
	table.Table
	mu   sync.Mutex
	n    int
	at   int
	lost bool
	log  []string
	got  func() // after a reading
}

func (c *calls) meets(what string) (do, tell bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.log = append(c.log, what)
	if c.n != c.at {
		return true, true
	}
	return c.lost, false
}

func (c *calls) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if _, tell := c.meets("get"); !tell {
		return table.Item{}, table.ErrBusy
	}
	item, err := c.Table.Get(ctx, ref)
	if c.got != nil {
		c.got()
	}
	return item, err
}

func (c *calls) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Index == table.Due {
		return c.Table.Query(ctx, q)
	}
	if _, tell := c.meets("query"); !tell {
		return table.Page{}, table.ErrBusy
	}
	return c.Table.Query(ctx, q)
}

func (c *calls) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	do, tell := c.meets("commit")
	if !do {
		return table.ErrBusy
	}
	err := c.Table.Commit(ctx, id, writes...)
	if !tell {
		return table.ErrUnknown
	}
	return err
}

// post is a mail service without a memory.
type post struct {
	calls  *calls
	mu     sync.Mutex
	mails  []mailed
	during func()      // while it is at it
	lose   func() bool // its answer
	refuse error
}

type mailed struct {
	key string
	mail.Message
}

func (p *post) Send(_ context.Context, m mail.Message, key string) error {
	do, tell := p.calls.meets("mail")
	if !do {
		return mail.ErrLater
	}
	if err := m.Valid(); err != nil {
		return err
	}
	if p.during != nil {
		p.during()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	p.mails = append(p.mails, mailed{key, m})
	if !tell || p.lose != nil && p.lose() {
		return mail.ErrLater
	}
	return nil
}

// monday is ten in the morning in Paris, two hours after the daily digest.
var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func newDesk(tb testing.TB, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	file, err := os.ReadFile("../request/testdata/policy.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	p, err := policy.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	p.Operators = policy.Operators{Mail: "desk@example.com", DigestAt: 8 * time.Hour}
	for _, c := range change {
		c(p)
	}
	d := &desk{t: tb, at: monday, log: &bytes.Buffer{}}
	d.store = tabletest.Embedded(tb, d.now)
	d.calls = &calls{Table: d.store}
	d.post = &post{calls: d.calls}
	d.Book = &Book{
		Table: d.calls, Now: d.now, Policy: p, Mail: d.post, BaseURL: "https://desk.example.org",
		Log: slog.New(slog.NewTextHandler(d.log, nil)),
	}
	return d
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *desk) turn(to time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = to
}

func about(request string, why ...Why) Line {
	return Line{Request: request, Right: "access", RespondBy: monday.AddDate(0, 0, 20), SafeBy: monday.AddDate(0, 0, 18), Why: why}
}

// note commits a line with an entry of its request, as a request's change does.
func (d *desk) note(to Audience, line Line) error {
	id := table.NewID()
	for try := range 12 {
		writes, err := d.Note(d.t.Context(), to, line)
		if err != nil {
			return err
		}
		e := audit.Entry{Chain: "request#" + line.Request, Seq: 1, At: d.now(), Action: "remind", Commit: string(id)}
		err = d.Table.Commit(d.t.Context(), id, append(writes, table.Put(table.Audit, table.Item{
			Key:  table.Key{Partition: "request#" + line.Request, Sort: string(id)},
			Body: e.Encode(), Schema: 1,
		}, table.New))...)
		if err == nil || !errors.Is(err, table.ErrConflict) {
			return err
		}
		if err := table.Sleep(d.t.Context(), table.Pause(try)); err != nil {
			return err
		}
	}
	return table.ErrBusy
}

func (d *desk) notes(to Audience, lines ...Line) {
	d.t.Helper()
	for _, l := range lines {
		if err := d.note(to, l); err != nil {
			d.t.Fatal(err)
		}
	}
}

// sweep sends what is due, as the relay does.
func (d *desk) sweep() (err error) {
	d.t.Helper()
	_, walk := table.WalkDue(d.t.Context(), d.Table, "", d.now(), func(k table.Key) error {
		if IsKey(k) {
			err = errors.Join(err, d.Send(d.t.Context(), k))
		}
		return nil
	}, nil)
	if walk != nil {
		d.t.Fatal(walk)
	}
	return err
}

// told is what an audit chain says.
func (d *desk) told(chain string) (list []string) {
	d.t.Helper()
	page, err := d.store.Query(d.t.Context(), table.Query{Table: table.Audit, Partition: chain})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, item := range page.Items {
		e, err := audit.Decode(item.Body)
		if err != nil {
			d.t.Fatal(err)
		}
		line := e.Actor + " " + e.Action
		for _, f := range e.Facts {
			line += " " + f.Name + "=" + f.Value
		}
		list = append(list, line)
	}
	return list
}

// heads are all digests, by partition.
func (d *desk) heads() map[string]head {
	d.t.Helper()
	found := map[string]head{}
	_, err := table.WalkDue(d.t.Context(), d.store, "", time.Time{}, func(k table.Key) error {
		item, err := d.store.Get(d.t.Context(), refOf(k))
		if err != nil {
			return err
		}
		var h head
		found[k.Partition] = h
		if err := json.Unmarshal(item.Body, &h); err != nil {
			return err
		}
		found[k.Partition] = h
		return nil
	}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

// linesOf are the requests that a digest has lines of, each as often as it has one.
func (d *desk) linesOf(partition string) (list []string) {
	d.t.Helper()
	q := table.Query{Table: table.State, Partition: partition}
	for {
		page, err := d.store.Query(d.t.Context(), q)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, item := range page.Items {
			if request, _, ok := strings.Cut(item.Key.Sort, "#"); ok {
				list = append(list, request)
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return list
		}
	}
}

func TestWhenADigestGoesOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone     string
		digestAt time.Duration
		now      string
		urgent   bool
		want     string
	}{
		"in the morning":                          {"Europe/Paris", 8 * time.Hour, "2026-03-02T05:00:00Z", false, "2026-03-02T07:00:00Z"},
		"at that very minute: the next day":       {"Europe/Paris", 8 * time.Hour, "2026-03-02T07:00:00Z", false, "2026-03-03T07:00:00Z"},
		"a moment before":                         {"Europe/Paris", 8 * time.Hour, "2026-03-02T06:59:59.999Z", false, "2026-03-02T07:00:00Z"},
		"in the afternoon":                        {"Europe/Paris", 8 * time.Hour, "2026-03-02T15:00:00Z", false, "2026-03-03T07:00:00Z"},
		"the day is the controller's":             {"America/Los_Angeles", 8 * time.Hour, "2026-03-03T01:00:00Z", false, "2026-03-03T16:00:00Z"},
		"the day before summer time":              {"Europe/Berlin", 8 * time.Hour, "2026-03-27T12:00:00Z", false, "2026-03-28T07:00:00Z"},
		"summer time begins":                      {"Europe/Berlin", 8 * time.Hour, "2026-03-28T12:00:00Z", false, "2026-03-29T06:00:00Z"},
		"summer time ends":                        {"Europe/Berlin", 8 * time.Hour, "2026-10-24T12:00:00Z", false, "2026-10-25T07:00:00Z"},
		"half past an hour":                       {"Europe/Paris", 6*time.Hour + 30*time.Minute, "2026-03-02T06:00:00Z", false, "2026-03-03T05:30:00Z"},
		"at midnight, over the end of a year":     {"Europe/Paris", 0, "2026-12-31T12:00:00Z", false, "2026-12-31T23:00:00Z"},
		"urgent: a full quarter":                  {"Europe/Paris", 8 * time.Hour, "2026-03-02T10:01:00Z", true, "2026-03-02T10:15:00Z"},
		"urgent: ten minutes away":                {"Europe/Paris", 8 * time.Hour, "2026-03-02T10:05:00Z", true, "2026-03-02T10:15:00Z"},
		"urgent: less than ten minutes away":      {"Europe/Paris", 8 * time.Hour, "2026-03-02T10:05:01Z", true, "2026-03-02T10:30:00Z"},
		"urgent: the daily one comes before":      {"Europe/Paris", 8 * time.Hour, "2026-03-02T06:57:00Z", true, "2026-03-02T07:00:00Z"},
		"urgent: both at once are one":            {"Europe/Paris", 8 * time.Hour, "2026-03-02T06:48:00Z", true, "2026-03-02T07:00:00Z"},
		"urgent: a quarter before the daily one":  {"Europe/Paris", 8 * time.Hour, "2026-03-02T06:31:00Z", true, "2026-03-02T06:45:00Z"},
		"urgent: quarters of a zone with 45 past": {"Asia/Kathmandu", 8 * time.Hour, "2026-03-02T10:01:00Z", true, "2026-03-02T10:15:00Z"},
	} {
		b := &Book{Policy: &policy.Policy{Controller: policy.Controller{TimeZone: c.zone}, Operators: policy.Operators{DigestAt: c.digestAt}}}
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.next(now, c.urgent).Format(time.RFC3339); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Every day has its digest, also the one on which the hour does not exist or comes
// twice, and every zone.
func TestEveryDayHasOneDigest(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/Los_Angeles", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "UTC"} {
		z, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Duration{0, 90 * time.Minute, 2*time.Hour + 30*time.Minute, 8 * time.Hour, 23*time.Hour + 59*time.Minute} {
			b := &Book{Policy: &policy.Policy{Controller: policy.Controller{TimeZone: zone}, Operators: policy.Operators{DigestAt: at}}}
			now := time.Date(2026, 1, 1, 12, 0, 0, 0, z)
			for n := range 730 {
				next := b.next(now, false)
				if gap := next.Sub(now); n > 0 && (gap < 22*time.Hour || gap > 26*time.Hour) {
					t.Fatalf("%s at %s: from %s to %s", zone, at, now, next)
				}
				now = next
			}
			for range 1000 { // urgent ones never wait longer, whenever they come
				next := b.next(now, true)
				if gap := next.Sub(now); gap <= 0 || gap > 25*time.Minute || next.After(b.next(now, false)) {
					t.Fatalf("%s at %s: urgent from %s to %s", zone, at, now, next)
				}
				now = now.Add(7*time.Minute + 13*time.Second)
			}
		}
	}
}

func TestOneLetterTellsEverything(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	late := about("r-late", Overdue)
	late.RespondBy = monday.AddDate(0, 0, -1)
	soon := about("r-soon", New)
	soon.RespondBy = monday.AddDate(0, 0, 3)
	d.notes(Operators, about("r-new", New), soon, about("r-week", SevenDays), about("r-both", Task))
	d.turn(monday.Add(time.Hour))
	again := about("r-both", Failed)
	again.RespondBy = monday.AddDate(0, 0, 6)
	d.notes(Operators, again, about("r-other", SevenDays))
	d.turn(monday.Add(2 * time.Hour))
	d.notes(Operators, again) // the same on the same day
	d.turn(time.Date(2026, 3, 3, 6, 50, 0, 0, time.UTC))
	d.notes(Operators, late) // urgent, and the daily one is nearest
	d.notes(Contact, late)
	if err := d.sweep(); err != nil || len(d.post.mails) > 0 {
		t.Fatalf("before its time: %v, %d mails", err, len(d.post.mails))
	}
	d.turn(time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC))
	for range 3 {
		if err := d.sweep(); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.post.mails) != 2 {
		t.Fatalf("%d mails", len(d.post.mails))
	}
	slices.SortFunc(d.post.mails, func(a, b mailed) int { return strings.Compare(a.key, b.key) })
	contact, operators := d.post.mails[0], d.post.mails[1]
	if contact.To.Reveal() != "privacy@example.com" || operators.To.Reveal() != "desk@example.com" || operators.Language != "en" {
		t.Errorf("to %s and %s in %s", contact.To.Reveal(), operators.To.Reveal(), operators.Language)
	}
	text := operators.Text.Reveal()
	at := -1
	for _, id := range []string{"r-late", "r-other", "r-week", "r-both", "r-soon", "r-new"} {
		i := strings.Index(text, "/"+id+"\n")
		if i <= at || strings.Count(text, "/"+id+"\n") != 1 {
			t.Errorf("%s stands at %d, after %d:\n%s", id, i, at, text)
		}
		at = i
	}
	if !strings.Contains(text, "8 March 2026 at the latest") {
		t.Errorf("of two dates the later one is not told:\n%s", text)
	}
	if !strings.Contains(text, "https://desk.example.org") {
		t.Error("nobody is told where to look")
	}
	for chain, want := range map[string]string{operators.key: "clock send lines=6 tries=1", contact.key: "clock send lines=1 tries=1"} {
		if got := d.told(chain); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", chain, got, want)
		}
	}
	for partition, h := range d.heads() {
		if h.State != sent || h.Head.Seq != 1 {
			t.Errorf("%s: %+v", partition, h)
		}
	}
	d.turn(d.now().AddDate(0, 0, 91)) // nobody looks it up any more
	if left := d.heads(); len(left) > 0 {
		t.Errorf("heads are left: %+v", left)
	}
	d.turn(d.now().AddDate(0, 0, 30))
	if left := d.linesOf(operators.key); len(left) > 0 {
		t.Errorf("lines are left: %q", left)
	}
}

func TestALongDigestNamesSomeAndCountsTheRest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) { p.Document.Languages = []string{"fr", "en"} })
	for i := range 73 {
		d.notes(Operators, about(fmt.Sprintf("r%03d", i), New))
	}
	d.turn(monday.AddDate(0, 0, 1))
	if err := d.sweep(); err != nil || len(d.post.mails) != 1 {
		t.Fatalf("%d mails, %v", len(d.post.mails), err)
	}
	m := d.post.mails[0]
	if n := strings.Count(m.Text.Reveal(), "/v1/operator/requests/r"); n != 50 || !strings.Contains(m.Subject, "73") || m.Language != "fr" {
		t.Errorf("%d are named in %s:\n%s", n, m.Language, m.Text.Reveal())
	}
	if got := d.told(m.key); len(got) != 1 || got[0] != "clock send lines=73 tries=1" {
		t.Errorf("the audit: %q", got)
	}
}

func TestALineThatArrivesWhileSendingGoesIntoTheNext(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := keyOf(Operators, monday.Add(22*time.Hour)), keyOf(Operators, monday.Add(46*time.Hour))
	slot := monday.Add(22 * time.Hour)
	d.turn(slot.Add(-30 * time.Second))
	d.notes(Operators, about("r1", New))
	early, err := d.Note(t.Context(), Operators, about("r2", New)) // and its commit comes late
	if err != nil {
		t.Fatal(err)
	}
	d.turn(slot)
	d.post.during = func() {
		d.post.during = nil
		if err := d.Table.Commit(t.Context(), table.NewID(), early...); !errors.Is(err, table.ErrConflict) {
			t.Errorf("a line goes into a digest that is being sent: %v", err)
		}
		d.turn(slot.Add(-time.Second)) // another machine's clock is behind
		d.notes(Operators, about("r2", New))
		d.turn(slot)
		for _, k := range []table.Key{first, second} { // one is being sent, one is not due
			if err := d.Send(t.Context(), k); err != nil {
				t.Error(err)
			}
		}
	}
	if err := d.sweep(); err != nil {
		t.Fatal(err)
	}
	if got, next := d.linesOf(first.Partition), d.linesOf(second.Partition); !slices.Equal(got, []string{"r1"}) || !slices.Equal(next, []string{"r2"}) || len(d.post.mails) != 1 {
		t.Errorf("the first tells of %q, the next of %q; %d letters", got, next, len(d.post.mails))
	}
	d.turn(slot.Add(24 * time.Hour))
	if err := d.sweep(); err != nil || len(d.post.mails) != 2 || !strings.Contains(d.post.mails[1].Text.Reveal(), "/r2\n") {
		t.Errorf("%d letters, %v", len(d.post.mails), err)
	}
}

// A store that is read too often costs more than the letter.
func TestTenThousandLinesDoNotReadTheHeadTenThousandTimes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i := range 10_000 {
		if _, err := d.Note(t.Context(), Operators, about(fmt.Sprint("r", i), New)); err != nil {
			t.Fatal(err)
		}
	}
	if d.calls.n != 2 { // it is not there; now it is
		t.Errorf("%d calls: %q...", d.calls.n, d.calls.log[:5])
	}
	d.turn(monday.Add(2 * time.Minute))
	for range 100 {
		if _, err := d.Note(t.Context(), Operators, about("r", New)); err != nil {
			t.Fatal(err)
		}
	}
	if d.calls.n != 3 { // after a minute it is looked at again
		t.Errorf("%d calls", d.calls.n)
	}
}

func TestWhatIsRefusedForGoodIsParked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*desk){
		"by the mail service": func(d *desk) { d.post.refuse = fmt.Errorf("%w: MessageRejected", mail.ErrRefused) },
		"for want of an address": func(d *desk) {
			p := *d.Policy
			p.Operators.Mail = ""
			d.Policy = &p
		},
	} {
		d := newDesk(t)
		change(d)
		d.notes(Operators, about("r1", New))
		key := keyOf(Operators, time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)).Partition
		d.turn(monday.AddDate(0, 0, 1))
		for range 3 {
			if err := d.sweep(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			d.turn(d.now().Add(time.Hour))
		}
		if got := d.told(key); len(got) != 1 || got[0] != "clock park lines=1 tries=1" {
			t.Errorf("%s: the audit says %q", name, got)
		}
		if n := strings.Count(d.log.String(), "level=ERROR"); n != 1 || strings.Contains(d.log.String(), "@") {
			t.Errorf("%s: the log says %s", name, d.log)
		}
		if got := d.linesOf(key); len(got) != 1 {
			t.Errorf("%s: the lines are %q", name, got)
		}
	}
}

func TestADigestWithoutALineIsNotSent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.Note(t.Context(), Operators, about("r1", New)); err != nil { // and what it tells of never came about
		t.Fatal(err)
	}
	d.turn(monday.AddDate(0, 0, 1))
	if err := d.sweep(); err != nil || len(d.post.mails) > 0 || len(d.heads()) > 0 {
		t.Errorf("%v, %d mails, heads %v", err, len(d.post.mails), d.heads())
	}
}

func TestALetterThatCannotBeSentIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.notes(Operators, about("r1", New))
	d.post.refuse = mail.ErrLater
	d.turn(monday.AddDate(0, 0, 1))
	began, tries := d.now(), 0
	for d.now().Before(began.Add(24 * time.Hour)) {
		if err := d.sweep(); err != nil {
			tries++
		}
		d.turn(d.now().Add(time.Minute))
	}
	if tries < 12 || tries > 24 { // soon at first, then every two hours
		t.Errorf("%d tries in a day", tries)
	}
	d.post.refuse = nil
	d.turn(d.now().Add(2 * time.Hour))
	if err := d.sweep(); err != nil || len(d.post.mails) != 1 {
		t.Errorf("%d mails, %v", len(d.post.mails), err)
	}
	key := d.post.mails[0].key
	if got := d.told(key); len(got) != 1 || got[0] != fmt.Sprintf("clock send lines=1 tries=%d", tries+1) {
		t.Errorf("after %d tries: %q", tries, got)
	}
}

func TestADigestThatIsWithheldIsOver(t *testing.T) {
	t.Parallel()
	for to, kind := range map[Audience]mail.Kind{Operators: mail.Digest, Contact: mail.Overdue} {
		d := newDesk(t)
		d.notes(to, about("r1", Overdue))
		d.post.refuse = mail.ErrWithheld
		for range 3 {
			d.turn(d.now().AddDate(0, 0, 1))
			if err := d.sweep(); err != nil {
				t.Errorf("%s: %v", to, err)
			}
		}
		heads := d.heads()
		if len(heads) > 1 || len(d.post.mails) > 0 {
			t.Errorf("%s: heads %v", to, heads)
		}
		for key, h := range heads {
			if h.State != sent {
				t.Errorf("%s is %+v", key, h)
			}
			if got := d.told(key); len(got) != 1 || got[0] != "clock withheld lines=1 tries=1 mail="+string(kind) {
				t.Errorf("%s: the audit tells %q", to, got)
			}
		}
	}
}

// Relays that have all read that nobody is at it: one of them sends.
func TestOfManyRelaysOneSends(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.notes(Operators, about("r1", New))
	d.turn(monday.AddDate(0, 0, 1))
	const relays = 8
	var read, wg sync.WaitGroup
	read.Add(relays)
	d.calls.got = func() {
		read.Done()
		read.Wait()
	}
	for range relays {
		wg.Go(func() {
			if err := d.sweep(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(d.post.mails) != 1 {
		t.Errorf("%d mails", len(d.post.mails))
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)
	for _, to := range []Audience{Operators, Contact} {
		k := keyOf(to, at)
		got, when, err := parseKey(k)
		if !IsKey(k) || got != to || !when.Equal(at) || err != nil {
			t.Errorf("%+v is %s at %s, %v", k, got, when, err)
		}
	}
	for _, k := range []table.Key{
		{},
		{Partition: "request#r1", Sort: "-"},
		{Partition: "digest#operators", Sort: "-"},
		{Partition: "digest#somebody#2026-03-03T07:00:00Z", Sort: "-"},
		{Partition: keyOf(Operators, at).Partition, Sort: "r1#new#x"},
		{Partition: "digest#operators#soon", Sort: "-"},
	} {
		if _, _, err := parseKey(k); err == nil {
			t.Errorf("%+v is a digest", k)
		}
		if err := newDesk(t).Send(t.Context(), k); err == nil {
			t.Errorf("%+v is sent", k)
		}
	}
	if _, err := (*Book)(nil).Note(t.Context(), Operators, about("r1", New)); err == nil {
		t.Error("without a book a line is lost and nobody knows")
	}
}
