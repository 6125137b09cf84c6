package bulletin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

// Publisher tells a bus what was recorded.
type Publisher struct {
	Bus   Bus // nil where there is none: then nobody calls Record
	Table table.Table
	Now   func() time.Time
	Log   *slog.Logger

	mu    sync.Mutex
	rests time.Time // until when the bus is not asked
}

const (
	schema = 1

	// together is how many entries a note names at most. Keys are at most 512 bytes, so
	// that a note stays below table.MaxItemSize whatever they are.
	together = 100

	// within is how long the bus is waited for, by a delivery or by a run: it has to end
	// while there is time to note what was not told, and for the others' work.
	within = 30 * time.Second

	// rest is how long a bus that did not answer is left alone. Entries are delivered in
	// order: if each delivery waited for it anew, those behind would come later and later.
	rest = time.Minute

	// failures is for how many notes in a row a run takes it that the bus does not answer.
	// One may spoil its call; more say that it is not there. What the bus answers that it
	// refuses is no reason to end: the notes behind would wait for as long.
	failures = 3

	// turn is after what time a run begins at another place.
	turn = 2 * time.Minute

	// Patience is how long an event may stay untold before somebody has to hear of it. The
	// alarm of runs that fail waits for several of them, which comes on top.
	Patience = 2 * time.Minute
)

// note names entries of which the bus has to be told.
type note struct {
	Entries []named   `json:"entries"`
	At      time.Time `json:"at"` // since when they wait
}

type named struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
}

func (n named) compare(m named) int {
	return cmp.Or(cmp.Compare(n.Chain, m.Chain), cmp.Compare(n.Seq, m.Seq))
}

// untold is the partition of notes.
const untold = "bulletin#untold"

// noteRef names a note after the entries in it, so that one that is written twice is
// there once.
func noteRef(entries []named) table.Ref {
	h := sha256.New()
	for _, n := range entries {
		_, _ = fmt.Fprintf(h, "%q %d\n", n.Chain, n.Seq) // a hash never fails to write
	}
	return table.Ref{Table: table.State, Key: table.Key{Partition: untold, Sort: hex.EncodeToString(h.Sum(nil))}}
}

// Record tells the bus of new entries. What it does not take is noted for Tell. Only if
// that fails too it is an error: then whoever calls calls again with the same entries.
func (p *Publisher) Record(ctx context.Context, entries []audit.Entry) error {
	var events []Event
	var names []named
	for _, e := range entries {
		ev, told, known := Of(e)
		if told {
			events, names = append(events, ev), append(names, named{e.Chain, e.Seq})
		}
		if !known {
			family, _ := cut(e.Chain)
			p.Log.WarnContext(ctx, "an entry is of a kind that the bus knows nothing of, and was not told", "chain", family, "action", e.Action)
		}
	}
	if len(events) == 0 {
		return nil
	}
	not := p.offer(ctx, events)
	if len(not.Which) == 0 {
		return nil
	}
	for some := range slices.Chunk(not.of(names), together) {
		if lost := p.file(ctx, some, p.Now()); lost != nil {
			return fmt.Errorf("tell the event bus of %d entries: %w", len(not.Which), errors.Join(not.Why, lost))
		}
	}
	p.Log.WarnContext(ctx, "the event bus did not take some events; they are told later", "events", len(not.Which), "err", not.Why)
	return nil
}

var errRests = errors.New("it did not answer a moment ago, and is not asked for a minute")

// offer puts new events on the bus, unless it is left alone.
func (p *Publisher) offer(ctx context.Context, events []Event) *Refused {
	p.mu.Lock()
	rests := p.Now().Before(p.rests)
	p.mu.Unlock()
	if rests {
		return refusal(events, errRests)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	not := refusal(events, p.Bus.Put(ctx, events))
	if not.Silent {
		p.mu.Lock()
		p.rests = p.Now().Add(rest)
		p.mu.Unlock()
	}
	return not
}

// file notes entries.
func (p *Publisher) file(ctx context.Context, entries []named, since time.Time) error {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, named.compare)
	entries = slices.Compact(entries)
	body, err := json.Marshal(note{Entries: entries, At: since.UTC().Truncate(time.Millisecond)})
	if err != nil {
		return err
	}
	err = p.Table.Commit(ctx, table.NewID(), table.Put(table.State, table.Item{Key: noteRef(entries).Key, Schema: schema, Body: body}, table.New))
	if err != nil && !errors.Is(err, table.ErrConflict) { // a conflict: it is there
		return fmt.Errorf("note what the event bus has to be told: %w", err)
	}
	return nil
}

// Report is what a run of Tell did.
type Report struct {
	Told int // notes of which the bus took everything
	Left int // notes that were tried and stay
}

// Tell tells the bus what it did not take before. A run ends when the bus does not answer,
// and begins each time at another place: what it never takes keeps nothing else waiting.
// It is an error if something waits for longer than Patience while the bus is not there;
// what stays while it is there is logged.
func (p *Publisher) Tell(ctx context.Context) (Report, error) {
	if p.Bus == nil {
		return Report{}, nil
	}
	began := p.Now()
	page, err := p.Table.Query(ctx, table.Query{Table: table.State, Partition: untold, Limit: 1})
	if err != nil {
		return Report{}, fmt.Errorf("look for events to tell: %w", err)
	}
	if len(page.Items) == 0 && page.Cursor == "" {
		return Report{}, nil
	}
	waits, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r := round{Publisher: p}
	const places = "0123456789abcdef" // a note's key begins with one of them
	first := int(began.Unix() / int64(turn/time.Second) % int64(len(places)))
	for i := range len(places) {
		at := (first + i) % len(places)
		if err = p.each(ctx, places[at:at+1], func(item table.Item) error { return r.retell(ctx, waits, item) }); err != nil {
			break
		}
	}
	if err != nil && !errors.Is(err, errEnough) {
		return r.Report, err
	}
	return r.Report, r.late(ctx, began.Add(-Patience))
}

// round is one run of Tell.
type round struct {
	*Publisher
	Report

	row   int   // notes in a row for which the bus did not answer
	there bool  // it answered in this run
	why   error // something stays; what the bus says goes before the rest
}

// errEnough ends a run before all notes were tried.
var errEnough = errors.New("bulletin: the rest is for the next run")

// retell tells the bus of the entries in a note, waiting for it as long as one context
// lets it, and takes away those that it took. Killed in between it leaves them there, and
// they are told again. What another release noted stays for that one.
func (r *round) retell(ctx, waits context.Context, item table.Item) error {
	if waits.Err() != nil || r.row == failures {
		return errEnough
	}
	n, err := read(item)
	if err != nil {
		r.why = cmp.Or(r.why, err)
		return nil
	}
	var events []Event
	var names, left []named
	for _, name := range n.Entries {
		ev, told, err := r.event(ctx, name)
		switch {
		case errors.Is(err, errForeign):
			left, r.why = append(left, name), cmp.Or(r.why, err)
		case err != nil:
			return err
		case told:
			events, names = append(events, ev), append(names, name)
		}
	}
	if len(events) > 0 {
		not := refusal(events, r.Bus.Put(waits, events))
		left, r.why = append(left, not.of(names)...), cmp.Or(not.Why, r.why)
		if r.row++; !not.Silent || len(not.Which) < len(events) {
			r.row, r.there = 0, true
		}
	}
	if len(left) < len(n.Entries) {
		if err := r.replace(ctx, item, left, n.At); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		r.Left++
	} else {
		r.Told++
	}
	return nil
}

// replace lets a note of what is left stand in the place of another.
func (p *Publisher) replace(ctx context.Context, old table.Item, left []named, since time.Time) error {
	if len(left) > 0 {
		if err := p.file(ctx, left, since); err != nil {
			return err
		}
	}
	err := p.Table.Commit(ctx, table.NewID(), table.Delete(table.Ref{Table: table.State, Key: old.Key}, table.Exists))
	if err != nil && !errors.Is(err, table.ErrConflict) { // a conflict: another run was faster
		return fmt.Errorf("take away the note of what was told: %w", err)
	}
	return nil
}

// errForeign is what an entry is that only another release can tell: after going back to
// an earlier one, a kind or an encoding may be too new.
var errForeign = errors.New("this release cannot read it, or does not know its kind")

// event returns what the bus is told of an entry of the audit, if anything.
func (p *Publisher) event(ctx context.Context, n named) (ev Event, told bool, err error) {
	item, err := p.Table.Get(ctx, table.Ref{Table: table.Audit, Key: restore.EntryKey(n.Chain, n.Seq)})
	if errors.Is(err, table.ErrAbsent) {
		p.Log.ErrorContext(ctx, "an entry of the audit is never told to the event bus", "chain", n.Chain, "seq", n.Seq, "err", "it has expired")
		return Event{}, false, nil
	}
	if err != nil {
		return Event{}, false, fmt.Errorf("read entry %d of chain %s: %w", n.Seq, n.Chain, err)
	}
	e, err := audit.Decode(item.Body)
	ev, told, known := Of(e)
	if err != nil || !known || e.Chain != n.Chain || e.Seq != n.Seq {
		return Event{}, false, fmt.Errorf("entry %d of chain %s: %w", n.Seq, n.Chain, errForeign)
	}
	return ev, told, nil
}

// each visits the notes whose key begins with a prefix.
func (p *Publisher) each(ctx context.Context, prefix string, visit func(table.Item) error) error {
	for q := (table.Query{Table: table.State, Partition: untold, Prefix: prefix}); ; {
		page, err := p.Table.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("look for events to tell: %w", err)
		}
		for _, item := range page.Items {
			if err := visit(item); err != nil {
				return err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return nil
		}
	}
}

func read(item table.Item) (n note, err error) {
	if err := json.Unmarshal(item.Body, &n); err != nil || item.Schema != schema {
		return n, fmt.Errorf("the note %s of what the event bus has to be told is of a schema (%d) that this release cannot read", item.Key.Sort, item.Schema)
	}
	return n, nil
}

// late looks for what waits since before an instant. It is an error if the bus is not
// there: but that is not wrapped, for a call that ran out of its time would be taken for a
// run that did. Else it is only logged, once: the run delivers letters, too, whose alarm
// one event that is never taken would ring for good.
func (r *round) late(ctx context.Context, before time.Time) error {
	notes, oldest := 0, ""
	err := r.each(ctx, "", func(item table.Item) error {
		if n, _ := read(item); n.At.Before(before) { // one that cannot be read may have no time, and is late at once
			since := n.At.Format(time.RFC3339) + ", note " + item.Key.Sort
			notes, oldest = notes+1, min(cmp.Or(oldest, since), since)
		}
		return nil
	})
	switch {
	case err != nil || notes == 0:
		return err
	case r.row > 0 && !r.there:
		return fmt.Errorf("%d notes of what the event bus has to be told wait, the oldest since %s: %v", notes, oldest, r.why) //nolint:errorlint // see above
	}
	r.Log.ErrorContext(ctx, "some notes of what the event bus has to be told stay", "notes", notes, "oldest", oldest, "err", cmp.Or(r.why, errMore))
	return nil
}

var errMore = errors.New("there is more to tell than a run can")
