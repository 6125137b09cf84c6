package edition

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

var (
	handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	auditor = operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}, MFA: true}
)

// desk is a book on the embedded store, a shelf that files are put on, and a clock
// that stands until it is turned.
type desk struct {
	*Book
	t     *testing.T
	inner table.Table
	log   *bytes.Buffer
	shelf *shelf

	mu sync.Mutex
	at time.Time
}

type shelf struct {
	file []byte
	err  error
}

func (s *shelf) Read(context.Context) ([]byte, error) { return s.file, s.err }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, log: &bytes.Buffer{}, shelf: &shelf{}, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	d.inner = tabletest.Embedded(t, d.clock)
	d.Book = &Book{Table: d.inner, Now: d.clock, Log: slog.New(slog.NewTextHandler(d.log, nil)), Shelf: d.shelf, From: Bucket}
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

// text is a policy of a company's own. Another note is another version.
func text(tb testing.TB, note string) []byte {
	tb.Helper()
	b, err := os.ReadFile("../policy/testdata/smallest.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return []byte("# " + note + "\n" + strings.Replace(string(b), "privacy@small.example.com", "privacy@small.internal", 1))
}

func (d *desk) publish(note string) Active {
	d.t.Helper()
	a, err := d.Publish(d.t.Context(), handler, Call{File: text(d.t, note)})
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// entries is the chain, as it stands.
func (d *desk) entries() (list []audit.Entry) {
	d.t.Helper()
	for b, err := range d.encoded() {
		if err != nil {
			d.t.Fatal(err)
		}
		e, err := audit.Decode(b)
		if err != nil {
			d.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func (d *desk) encoded() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		page, err := d.inner.Query(d.t.Context(), table.Query{Table: table.Audit, Partition: Chain})
		if err != nil {
			yield(nil, err)
			return
		}
		for _, item := range page.Items {
			if !yield(item.Body, nil) {
				return
			}
		}
	}
}

// told is the chain in words.
func (d *desk) told() string {
	d.t.Helper()
	var s []string
	for _, e := range d.entries() {
		s = append(s, e.Actor+" "+e.Action)
	}
	return strings.Join(s, ", ")
}

// whole checks what must always hold: the chain ends where the book says, each edition
// has its file, numbers have no gaps, and the one in force is the newest.
func (d *desk) whole() {
	d.t.Helper()
	b := &Book{Table: d.inner, Now: d.Now, Log: d.Log}
	a, err := b.Active(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := audit.Verify(Chain, a.Head, d.encoded()); err != nil {
		d.t.Error(err)
	}
	list, err := b.List(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	for i, e := range list {
		if e.N != int64(len(list)-i) {
			d.t.Errorf("edition %d stands in place %d of %d", e.N, i, len(list))
		}
		file, err := b.file(d.t.Context(), e.Version)
		if err != nil || digestOf(file) != e.Digest || len(file) != e.Size {
			d.t.Errorf("the file of edition %d: %d bytes, %v", e.N, len(file), err)
		}
	}
	if len(list) > 0 && (list[0].N != a.N || list[0].Version != a.Version || a.Last != a.N) {
		d.t.Errorf("edition %d of %d is in force", a.N, len(list))
	}
}

// wires is a store of which one call fails: before anything is done, or after it was
// done and before the answer arrives.
type wires struct {
	table.Table
	n, at int // calls so far; the one that fails
	lost  bool
}

func (w *wires) fails() bool { w.n++; return w.n == w.at }

func (w *wires) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if w.fails() {
		return table.Item{}, table.ErrBusy
	}
	return w.Table.Get(ctx, ref)
}

func (w *wires) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if w.fails() {
		return table.Page{}, table.ErrBusy
	}
	return w.Table.Query(ctx, q)
}

func (w *wires) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if !w.fails() {
		return w.Table.Commit(ctx, id, writes...)
	}
	if w.lost {
		if err := w.Table.Commit(ctx, id, writes...); err != nil {
			return err
		}
		return table.ErrUnknown
	}
	return table.ErrBusy
}

func version(tb testing.TB, note string) string {
	tb.Helper()
	return fmt.Sprintf("p1-%s", digestOf(text(tb, note))[:16])
}
