package bulletin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/table/tabletest"
	"rightsdesk/shared/topology"
)

const partition = "bulletin#untold"

var errDown = errors.New("the bus is down")

// bus counts what it took, by the names of events.
type bus struct {
	mu     sync.Mutex
	down   error                // it takes nothing
	refuse func(id string) bool // of these events it takes none, and all others
	choke  func(id string) bool // of a call with one of these it takes nothing
	hangs  bool                 // it never answers
	takes  int                  // of each call it takes so many, and answers no more; 0: all
	calls  int
	taken  map[any]int
	detail map[any]string
}

func (b *bus) Put(ctx context.Context, events []bulletin.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.hangs {
		<-ctx.Done()
		return fmt.Errorf("put events: %w", ctx.Err())
	}
	if b.down != nil {
		return b.down
	}
	of := func(ev bulletin.Event) string { return fmt.Sprint(ev.Detail["id"]) }
	if b.choke != nil && slices.ContainsFunc(events, func(ev bulletin.Event) bool { return b.choke(of(ev)) }) {
		return errors.New("the call cannot be read")
	}
	refused := &bulletin.Refused{Why: errors.New("not this one")}
	for i, ev := range events {
		if b.takes > 0 && i >= b.takes {
			refused.Which, refused.Why, refused.Silent = append(refused.Which, i), errDown, true
			continue
		}
		if b.refuse != nil && b.refuse(of(ev)) {
			refused.Which = append(refused.Which, i)
			continue
		}
		b.taken[ev.Detail["event"]]++
		body, err := json.Marshal(ev.Detail)
		if err != nil {
			return err
		}
		b.detail[ev.Detail["event"]] = string(body)
	}
	if len(refused.Which) > 0 {
		return refused
	}
	return nil
}

// world is a publisher, what it stands on, and a clock.
type world struct {
	*bulletin.Publisher
	t     *testing.T
	bus   *bus
	store table.Table
	log   strings.Builder
	to    slog.Handler
	mu    sync.Mutex
	at    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, at: at, bus: &bus{taken: map[any]int{}, detail: map[any]string{}}}
	w.to = slog.NewTextHandler(&w.log, nil)
	w.store = tabletest.Embedded(t, w.now)
	w.Publisher = w.process(w.store)
	return w
}

// process is another one that publishes, on a table of its own.
func (w *world) process(on table.Table) *bulletin.Publisher {
	return &bulletin.Publisher{Bus: w.bus, Table: on, Now: w.now, Log: slog.New(w.to)}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) turn(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// add commits entries of a chain to the audit.
func (w *world) add(chain string, actions ...string) (list []audit.Entry) {
	w.t.Helper()
	head := audit.Head{}
	for _, action := range actions {
		var e audit.Entry
		e, head = head.Append(audit.Entry{Chain: chain, At: at, Actor: "person", Action: action})
		w.put(restore.EntryKey(chain, e.Seq), e.Encode())
		list = append(list, e)
	}
	return list
}

// requests are the first entries of as many requests.
func (w *world) requests(name string, n int) (list []audit.Entry) {
	w.t.Helper()
	for i := range n {
		list = append(list, w.add(fmt.Sprintf("request#%s%d", name, i), "receive")...)
	}
	return list
}

func (w *world) put(k table.Key, body []byte, change ...func(*table.Item)) {
	w.t.Helper()
	item, in := table.Item{Key: k, Schema: 1, Body: body}, table.Audit
	if k.Partition == partition {
		in = table.State
	}
	for _, c := range change {
		c(&item)
	}
	if err := w.store.Commit(w.t.Context(), table.NewID(), table.Put(in, item, table.New)); err != nil {
		w.t.Fatal(err)
	}
}

// notes are what stands in the State table, by key.
func (w *world) notes() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for q := (table.Query{Table: table.State, Partition: partition}); ; {
		page, err := w.store.Query(w.t.Context(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, item := range page.Items {
			all[item.Key.Sort] = string(item.Body)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return all
		}
	}
}

// logged is how many lines at ERROR stand in the log, and the last of them.
func (w *world) logged() (n int, last string) {
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "level=ERROR") {
			n, last = n+1, line
		}
	}
	return n, last
}

// told fails the test unless the bus took what each entry makes, so often or, for 0, at
// least once, and nothing else.
func (w *world) told(times int, entries ...audit.Entry) {
	w.t.Helper()
	want := map[any]bool{}
	for _, e := range entries {
		ev, told, _ := bulletin.Of(e)
		if !told {
			continue
		}
		name := ev.Detail["event"]
		want[name] = true
		if n := w.bus.taken[name]; n == 0 || times > 0 && n != times || w.bus.detail[name] != asJSON(w.t, ev.Detail) {
			w.t.Errorf("entry %d of %s was told %d times, want %d (0: once or more): %s", e.Seq, e.Chain, n, times, w.bus.detail[name])
		}
	}
	for name := range w.bus.taken {
		if !want[name] {
			w.t.Errorf("nobody was to be told %s", w.bus.detail[name])
		}
	}
}

func (w *world) records(entries []audit.Entry) {
	w.t.Helper()
	if err := w.Record(w.t.Context(), entries); err != nil {
		w.t.Fatalf("it holds up who else hears of entries: %v", err)
	}
}

func (w *world) tells(want bulletin.Report) {
	w.t.Helper()
	if rep, err := w.Tell(w.t.Context()); err != nil || rep != want {
		w.t.Fatalf("%+v, want %+v: %v\n%s", rep, want, err, &w.log)
	}
}

func TestWhatTheBusTakesIsToldAtOnceAndLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entries := append(w.add("request#1", "receive", "look", "fulfil"), w.add("life#1", "anything")...)
	w.records(append(entries, w.add("news#ada", "eaten")...))
	w.told(1, entries...)
	if len(w.notes()) > 0 || !strings.Contains(w.log.String(), "chain=news action=eaten") || strings.Contains(w.log.String(), "ada") {
		t.Errorf("noted %v; the log says %q", w.notes(), w.log.String())
	}
	calls := w.bus.calls
	w.records(entries[1:2])
	w.tells(bulletin.Report{})
	if w.bus.calls != calls {
		t.Error("nothing was to be told, and the bus was called")
	}
}

func TestAnOutageIsNotedAndToldAfterIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.down = errDown
	first, second := w.add("request#1", "receive", "look", "verify"), w.add("closure#2", "ask")
	w.records(first)
	w.records(first) // the stream says it twice, and in another order
	w.records([]audit.Entry{first[2], first[0]})
	w.records(second)
	notes := slices.Sorted(maps.Values(w.notes()))
	want := []string{
		`{"entries":[{"chain":"closure#2","seq":1}],"at":"2026-03-01T09:30:00.123Z"}`,
		`{"entries":[{"chain":"request#1","seq":1},{"chain":"request#1","seq":3}],"at":"2026-03-01T09:30:00.123Z"}`,
	}
	if !slices.Equal(notes, want) {
		t.Fatalf("noted %s", notes)
	}
	w.tells(bulletin.Report{Left: 2})
	w.told(0)
	w.bus.down = nil
	w.tells(bulletin.Report{Told: 2})
	w.told(1, append(first, second...)...)
	if len(w.notes()) > 0 {
		t.Errorf("left %v", w.notes())
	}
	w.tells(bulletin.Report{})
}

// An old note that a restored table brings back tells once more, and no more than that.
func TestANoteThatComesBackTellsTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.down = errDown
	entries := w.requests("r", 3)
	w.records(entries)
	old := w.notes()
	w.bus.down = nil
	w.tells(bulletin.Report{Told: 1})
	for sort, body := range old {
		w.put(table.Key{Partition: partition, Sort: sort}, []byte(body))
	}
	w.tells(bulletin.Report{Told: 1})
	w.told(2, entries...)
}

// refusing is a table that takes no commit.
type refusing struct{ table.Table }

func (refusing) Commit(context.Context, table.ID, ...table.Write) error { return table.ErrBusy }

func TestWhatCannotBeNotedIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.down = errDown
	entries := w.requests("r", 1)
	if err := w.process(refusing{w.store}).Record(t.Context(), entries); !errors.Is(err, errDown) || !errors.Is(err, table.ErrBusy) {
		t.Errorf("err = %v", err)
	}
	w.bus.down = nil
	if err := w.process(refusing{w.store}).Record(t.Context(), entries); err != nil {
		t.Errorf("a bus that takes it needs no note: %v", err)
	}
}

// However much is handed over at once, and however long its names are.
func TestManyEntriesMakeSeveralNotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.down = errDown
	var entries []audit.Entry
	for i := range 250 {
		name := fmt.Sprintf("request#%d", i)
		entries = append(entries, w.add(name+strings.Repeat("<", 512-len(name)), "receive")...) // JSON spells it with six characters
	}
	w.records(entries)
	longest := 0
	for _, body := range w.notes() {
		longest = max(longest, len(body))
	}
	if n := len(w.notes()); n != 3 || longest < table.MaxItemSize/2 {
		t.Fatalf("%d notes, the longest of %d bytes", n, longest)
	}
	w.bus.down = nil
	w.tells(bulletin.Report{Told: 3})
	w.told(1, entries...)
}

// A run that dies before or after any call leaves what the next one tells.
func TestARunMayDieAtEveryCall(t *testing.T) {
	t.Parallel()
	deaths, twice := 0, 0
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			w := newWorld(t)
			w.bus.down = errDown
			entries := w.requests("r", 3)
			w.records(entries[:1])
			w.records(entries[1:])
			w.bus.down = nil
			w.bus.refuse = func(id string) bool { return id == "r1" } // so that a note is replaced, too
			f := &fuse{left: n, after: after}
			dying := w.process(mortalTable{w.store, f})
			dying.Bus = mortalBus{w.bus, f}
			if _, err := dying.Tell(t.Context()); !f.burnt {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			deaths++
			w.bus.refuse = nil
			for range 2 {
				if _, err := w.Tell(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			w.told(0, entries...)
			for _, times := range w.bus.taken {
				twice += times - 1
			}
			if len(w.notes()) > 0 {
				t.Fatalf("killed at call %d: %v", n, w.notes())
			}
		}
	}
	if deaths < 40 || twice == 0 {
		t.Errorf("it died %d times, and told %d events again", deaths, twice)
	}
	fmt.Printf("PROOF bulletin: a run killed at each of its calls, before and after, %d times: every event told, no note left\n", deaths)
}

// fuse kills a process at its n-th call, before or after the call was done.
type fuse struct {
	left  int
	after bool
	burnt bool
}

var errKilled = errors.New("killed")

func (f *fuse) call(do func() error) error {
	if f.burnt {
		return errKilled
	}
	if f.left--; f.left >= 0 {
		return do()
	}
	f.burnt = true
	if f.after {
		_ = do() // nobody lives to hear the answer
	}
	return errKilled
}

type mortalTable struct {
	table.Table
	*fuse
}

func (m mortalTable) Get(ctx context.Context, ref table.Ref) (item table.Item, err error) {
	err = m.call(func() error { item, err = m.Table.Get(ctx, ref); return err })
	return item, err
}

func (m mortalTable) Query(ctx context.Context, q table.Query) (page table.Page, err error) {
	err = m.call(func() error { page, err = m.Table.Query(ctx, q); return err })
	return page, err
}

func (m mortalTable) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	return m.call(func() error { return m.Table.Commit(ctx, id, writes...) })
}

type mortalBus struct {
	bulletin.Bus
	*fuse
}

func (m mortalBus) Put(ctx context.Context, events []bulletin.Event) error {
	return m.call(func() error { return m.Bus.Put(ctx, events) })
}

// What the bus refuses by itself stays alone in a note.
func TestAnEventThatIsNeverTakenKeepsNothingWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.refuse = func(id string) bool { return id == "bad0" }
	bad := w.requests("bad", 1)
	entries := append(w.requests("r", 5), bad...)
	w.records(entries)
	w.told(1, entries[:5]...)
	if notes := slices.Collect(maps.Values(w.notes())); len(notes) != 1 || !strings.HasPrefix(notes[0], `{"entries":[{"chain":"request#bad0","seq":1}],`) {
		t.Fatalf("noted %s", notes)
	}
	later := w.requests("later", 3)
	w.records(later) // and the bus was asked, for it is there
	w.told(1, append(entries[:5:5], later...)...)

	// It stands in one note with others, of an outage.
	w.bus.down = errDown
	w.turn(time.Hour)
	mixed := append(w.requests("m", 4), bad...)
	w.records(mixed)
	w.records(mixed[:2])
	w.bus.down = nil
	w.tells(bulletin.Report{Told: 1, Left: 2})
	w.told(0, slices.Concat(entries[:5], later, mixed[:4])...)
	if n := len(w.notes()); n != 1 {
		t.Errorf("%d notes of one event", n)
	}

	w.bus.refuse = nil
	w.tells(bulletin.Report{Told: 1})
	w.told(0, slices.Concat(entries, later, mixed)...)
	if len(w.notes()) > 0 {
		t.Errorf("left %v", w.notes())
	}
}

// Once it is old, it is logged by one line of each run, and keeps no run from succeeding:
// the bus is there. However many there are, a run visits those behind them.
func TestWhatTheBusRefusesForGoodFailsNoRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.refuse = func(id string) bool { return strings.HasPrefix(id, "bad") }
	const bad = 200 // several in a row, wherever a run begins
	for i, e := range w.requests("bad", bad) {
		if i == 1 {
			w.turn(time.Second)
		}
		w.records([]audit.Entry{e})
	}
	w.bus.down = errDown
	fine := w.requests("r", 10)
	for _, e := range fine {
		w.records([]audit.Entry{e})
	}
	w.bus.down = nil
	w.tells(bulletin.Report{Told: 10, Left: bad})
	w.told(1, fine...)
	if n, _ := w.logged(); n > 0 {
		t.Errorf("it is too early for %s", &w.log)
	}
	w.turn(time.Hour)
	for run := range 2 {
		w.tells(bulletin.Report{Left: bad})
		n, line := w.logged()
		if n != run+1 || !strings.Contains(line, fmt.Sprintf("notes=%d", bad)) || !strings.Contains(line, `oldest="2026-03-01T09:30:00Z, note `) || !strings.Contains(line, "not this one") {
			t.Errorf("run %d: %s", run, &w.log)
		}
	}
	w.bus.refuse, w.bus.down = nil, errDown
	if _, err := w.Tell(t.Context()); err == nil || !strings.Contains(err.Error(), "200 notes") || !strings.Contains(err.Error(), errDown.Error()) {
		t.Errorf("the bus is gone: %v", err)
	}
	if n, _ := w.logged(); n != 2 {
		t.Errorf("a run that fails says it by that: %s", &w.log)
	}
}

// What a bus took before it went away is not told again, by a delivery or by a run, and
// one that takes a little of each call gets to the end.
func TestABusThatGoesAwayMeanwhileIsToldTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.takes = 1
	entries := w.requests("r", 25)
	w.records(entries)
	w.told(1, entries[0])
	more := w.requests("more", 5)
	if w.records(more); w.bus.calls != 1 {
		t.Errorf("it was asked %d times", w.bus.calls)
	}
	w.turn(time.Hour)
	for runs := 1; len(w.notes()) > 0; runs++ {
		if _, err := w.Tell(t.Context()); err != nil || runs > 28 {
			t.Fatalf("run %d: %v", runs, err)
		}
		if n, line := w.logged(); runs == 1 && (n != 1 || !strings.Contains(line, errDown.Error())) {
			t.Errorf("nobody hears that it is slow: %s", &w.log)
		}
	}
	w.told(1, append(entries, more...)...)
}

// A call that fails as a whole says nothing of which event is to blame. A run gives up
// after some of them, and the next begins elsewhere.
func TestWhatFailsEveryCallKeepsNothingWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.down = errDown
	const bad, good = 12, 6
	var fine []audit.Entry
	for _, e := range append(w.requests("bad", bad), w.requests("good", good)...) {
		w.records([]audit.Entry{e})
		if strings.Contains(e.Chain, "good") {
			fine = append(fine, e)
		}
	}
	w.bus.down = nil
	w.bus.choke = func(id string) bool { return strings.HasPrefix(id, "bad") }
	for range 16 {
		before := w.bus.calls
		_, err := w.Tell(t.Context())
		if err != nil && w.now().Sub(at) <= bulletin.Patience {
			t.Fatal(err)
		}
		if n := w.bus.calls - before; n > bad+good {
			t.Errorf("%d calls", n)
		}
		w.turn(2 * time.Minute)
	}
	w.told(1, fine...)
	if n := len(w.notes()); n != bad {
		t.Errorf("%d notes", n)
	}
}

func TestAnOutageCostsFewCallsAndRingsOnceItIsOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.down = errDown
	entries := w.requests("r", 20)
	for _, e := range entries {
		w.records([]audit.Entry{e})
	}
	if w.bus.calls != 1 {
		t.Errorf("20 deliveries asked a bus %d times that is down", w.bus.calls)
	}
	w.tells(bulletin.Report{Left: 3})
	w.turn(bulletin.Patience)
	w.tells(bulletin.Report{Left: 3})
	w.turn(time.Millisecond)
	if _, err := w.Tell(t.Context()); err == nil || !strings.Contains(err.Error(), errDown.Error()) || !strings.Contains(err.Error(), "since 2026-03-01T09:30:00Z") {
		t.Errorf("nobody hears of it: %v", err)
	}
	w.bus.down = nil
	w.tells(bulletin.Report{Told: 20})
	more := w.requests("more", 2)
	w.records(more) // the bus is asked again
	if len(w.notes()) > 0 {
		t.Errorf("left %v", w.notes())
	}
	w.told(1, append(entries, more...)...)
}

// A bus that never answers is given up before whoever called has no time left.
func TestABusThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entries := w.requests("r", 4)
	synctest.Test(t, func(t *testing.T) {
		w.bus.hangs = true
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := w.Record(ctx, entries[:2]); err != nil {
			t.Fatal(err)
		}
		if err := w.Record(ctx, entries[2:]); err != nil || len(w.notes()) != 2 {
			t.Fatalf("noted %v: %v", w.notes(), err)
		}
		w.turn(time.Hour)
		_, err := w.Tell(ctx)
		if ctx.Err() != nil || err == nil || errors.Is(err, context.DeadlineExceeded) || w.bus.calls != 2 {
			t.Errorf("%d calls; it is taken for a run that had too little time: %v", w.bus.calls, err)
		}
	})
	w.bus.hangs = false
	w.tells(bulletin.Report{Told: 2})
	w.told(1, entries...)
}

func TestWhatHasExpiredIsLoggedAndLetGo(t *testing.T) {
	t.Parallel()
	for name, lay := range map[string]func(*world, table.Key){
		"its time is over": func(w *world, k table.Key) {
			w.put(k, nil, func(it *table.Item) { it.Expires = w.now().Add(time.Hour) })
		},
		"it never was in the audit": func(*world, table.Key) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.bus.down = errDown
			entries := w.requests("r", 2)
			gone := audit.Entry{Chain: "request#gone", Seq: 1, At: at, Actor: "person", Action: "receive"}
			lay(w, restore.EntryKey(gone.Chain, gone.Seq))
			w.records([]audit.Entry{entries[0], gone, entries[1]})
			w.turn(2 * time.Hour)
			_, err := w.Tell(t.Context())
			if n, line := w.logged(); err == nil || n != 1 || !strings.Contains(line, "chain=request#gone seq=1") {
				t.Errorf("%v: %s", err, &w.log)
			}
			w.bus.down = nil
			w.tells(bulletin.Report{Told: 1})
			w.told(1, entries...)
			if n, _ := w.logged(); n != 1 || len(w.notes()) > 0 {
				t.Errorf("left %v: %s", w.notes(), &w.log)
			}
		})
	}
}

// Whoever goes back to an earlier release during an outage finds entries of a later one
// in the notes. They stay for it; what this one knows is told, and nothing else waits.
func TestWhatOnlyAnotherReleaseKnowsStaysForIt(t *testing.T) {
	t.Parallel()
	for name, lay := range map[string]func(*world) audit.Entry{
		"another kind": func(w *world) audit.Entry { return w.add("news#1", "eaten")[0] },
		"another act":  func(w *world) audit.Entry { return w.add("request#new", "eaten")[0] },
		"another encoding": func(w *world) audit.Entry {
			w.put(restore.EntryKey("request#new", 1), []byte("new"))
			return entry("request#new", "receive")
		},
		"another stands there": func(w *world) audit.Entry {
			w.put(restore.EntryKey("request#new", 1), entry("request#other", "receive").Encode())
			return entry("request#new", "receive")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			later := lay(w)
			entries := w.requests("r", 12)
			since := at.Format(time.RFC3339)
			for i, e := range entries { // each beside one of them, or between some
				w.put(table.Key{Partition: partition, Sort: fmt.Sprintf("%x0", i)}, fmt.Appendf(nil,
					`{"entries":[{"chain":%q,"seq":1},{"chain":%q,"seq":1}],"at":%q}`, later.Chain, e.Chain, since))
				w.put(table.Key{Partition: partition, Sort: fmt.Sprintf("%x1", i)}, fmt.Appendf(nil,
					`{"entries":[{"chain":%q,"seq":1}],"at":%q}`, later.Chain, since))
			}
			w.turn(time.Hour)
			if rep, err := w.Tell(t.Context()); err != nil || rep.Told > 0 {
				t.Errorf("%+v, %v", rep, err)
			}
			w.told(1, entries...)
			n, line := w.logged()
			if n != 1 || !strings.Contains(line, fmt.Sprintf("notes=%d ", len(w.notes()))) || !strings.Contains(line, "this release") || !strings.Contains(line, later.Chain) {
				t.Errorf("logged %s", &w.log)
			}
			for sort, body := range w.notes() {
				if !strings.HasPrefix(body, fmt.Sprintf(`{"entries":[{"chain":%q,"seq":1}],`, later.Chain)) {
					t.Errorf("the note %s is %s", sort, body)
				}
			}
			if len(w.notes()) == 0 {
				t.Error("they are gone")
			}
			w.bus.down = errDown // and hides no outage
			w.records(w.requests("s", 1))
			w.turn(time.Hour)
			if _, err := w.Tell(t.Context()); err == nil || !strings.Contains(err.Error(), errDown.Error()) {
				t.Errorf("nobody hears of an outage: %v", err)
			}
		})
	}
}

// By when somebody hears that a bus is gone, docs/events.md says: Patience is only the
// beginning, for the alarm waits for several runs that fail.
func TestSomebodyHearsOfAnOutageWithinAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	for _, s := range topology.Relay.Schedules {
		if s.Alarm != "RelaySweepStalled" {
			continue
		}
		if most := bulletin.Patience + s.AlarmWindow(); most > 15*time.Minute {
			t.Errorf("after %s", most)
		}
		return
	}
	t.Error("no schedule tells what waits")
}

// A note of a later release is kept for it, and somebody hears that it waits.
func TestANoteOfAnotherFormatStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bus.down = errDown
	entries := w.requests("r", 2)
	w.records(entries)
	w.bus.down = nil
	w.put(table.Key{Partition: partition, Sort: "00"}, []byte(`{}`), func(it *table.Item) { it.Schema = 2 })
	w.tells(bulletin.Report{Told: 1})
	if n, line := w.logged(); n != 1 || !strings.Contains(line, "schema (2)") {
		t.Errorf("logged %s", &w.log)
	}
	w.told(1, entries...)
	if len(w.notes()) != 1 {
		t.Errorf("left %v", w.notes())
	}
}

// A store that loses answers, deliveries that overlap, two runs at once, and a bus that
// comes and goes: whatever was recorded is told, and no note stays.
func TestNothingIsLostWhereEverythingFails(t *testing.T) {
	t.Parallel()
	told, again := 0, 0
	for seed := range uint64(8) {
		w := newWorld(t)
		entries := w.requests("r", 60)
		patient := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
		bad := func(n uint64) *bulletin.Publisher {
			return w.process(table.Steady(hostile.New(w.store, 4*seed+n, w.now), patient))
		}
		w.bus.down = errDown
		for round := range 4 {
			var all sync.WaitGroup
			for n := range uint64(2) { // whoever delivers, delivers again until nobody fails
				all.Go(func() {
					p := bad(n)
					for some := range slices.Chunk(entries[15*round:15*round+15], 4) {
						for p.Record(t.Context(), some) != nil {
						}
					}
				})
				all.Go(func() { _, _ = bad(2 + n).Tell(t.Context()) })
			}
			all.Wait()
			if round == 1 {
				w.bus.down = nil
			}
			w.turn(2 * time.Minute)
		}
		for len(w.notes()) > 0 {
			_, _ = bad(3).Tell(t.Context())
		}
		w.told(0, entries...)
		for _, n := range w.bus.taken {
			told, again = told+1, again+n-1
		}
	}
	if told != 8*60 || again == 0 {
		t.Errorf("%d events were told, %d times again", told, again)
	}
	fmt.Printf("PROOF bulletin: %d events through an outage, a store that loses answers and two runs at once: all told, %d of them again\n", told, again)
}
