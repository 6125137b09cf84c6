package embedded

import (
	"bytes"
	"context"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/table"
)

// Get implements table.Table.
func (s *Store) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if err := table.ValidateRef(ref); err != nil {
		return table.Item{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Item{}, err
	}
	var it table.Item
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		it, err = load(tx, ref)
		return err
	})
	if err != nil {
		return table.Item{}, err
	}
	size := 0
	if it.Version > 0 {
		size = it.Size()
	}
	record(ctx, table.Op{Call: table.Got, Table: ref.Table, Units: table.Units{Read: table.ReadUnits(size)}})
	it, live := it.Live(s.now())
	if !live {
		return table.Item{}, table.ErrAbsent
	}
	return it, nil
}

// Query implements table.Table.
func (s *Store) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := table.ValidateQuery(q); err != nil {
		return table.Page{}, err
	}
	from, resumed, err := q.Start()
	if err != nil {
		return table.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Page{}, err
	}
	w := walk{q: q, now: s.now()}
	if err := s.db.View(func(tx *bolt.Tx) error { return w.run(tx, from, resumed) }); err != nil {
		return table.Page{}, err
	}
	units := table.ReadUnits(w.size)
	if q.Index != table.Primary {
		units /= 2
	}
	record(ctx, table.Op{Call: table.Queried, Table: q.Table, Index: q.Index, Units: table.Units{Read: units}})
	return w.page, nil
}

// walk collects one page.
type walk struct {
	q     table.Query
	now   time.Time
	page  table.Page
	size  int // of everything looked at, returned or not: that is what is billed
	count int
}

func (w *walk) run(tx *bolt.Tx, from table.Place, resumed bool) error {
	bucket, prefix := w.span()
	c := tx.Bucket(bucket).Cursor()
	k, v := c.Seek(prefix)
	if resumed {
		last := w.keyOf(from)
		if k, v = c.Seek(last); bytes.Equal(k, last) {
			k, v = c.Next()
		}
	}
	for ; bytes.HasPrefix(k, prefix); k, v = c.Next() {
		it, err := w.entry(k, v)
		if err != nil {
			return err
		}
		if !w.q.Until.IsZero() && it.Due.UnixMilli() > w.q.Until.UnixMilli() {
			break
		}
		if w.size+it.EntrySize(w.q.Index) > table.MaxPage {
			return nil
		}
		w.look(it)
		if w.count == w.q.PageSize() {
			return nil
		}
	}
	w.page.Cursor = ""
	return nil
}

// span is the bucket of the query and what its keys begin with.
func (w *walk) span() (bucket, prefix []byte) {
	prefix = append([]byte(w.q.Partition), 0)
	switch w.q.Index {
	case table.Due:
		return dueBucket, prefix
	case table.Subject:
		return subjectBucket, prefix
	case table.Primary:
	}
	return []byte(w.q.Table), append(prefix, w.q.Prefix...)
}

func (w *walk) keyOf(p table.Place) []byte {
	switch w.q.Index {
	case table.Due:
		return dueKey(w.q.Partition, p.Due, p.Key)
	case table.Subject:
		return subjectKey(w.q.Partition, p.Key)
	case table.Primary:
	}
	return itemKey(p.Key)
}

// entry reads what stands at a key of the index: all of the item, or its key,
// what it is filed by, and its expiry.
func (w *walk) entry(k, v []byte) (it table.Item, err error) {
	ok := true
	switch w.q.Index {
	case table.Due:
		it.Due, it.Key, ok = parseDueKey(k)
		it.Expires = parseExpiryValue(v)
	case table.Subject:
		it.Subject = w.q.Partition
		it.Key, ok = parseSubjectKey(k)
		it.Expires = parseExpiryValue(v)
	case table.Primary:
		if it.Key, ok = parseItemKey(k); ok {
			it, err = decode(it.Key, v)
		}
	}
	if !ok {
		err = errCorrupt
	}
	if err != nil {
		return it, fmt.Errorf("query %s %s: %w", w.q.Table, w.q.Index, err)
	}
	return it, nil
}

func (w *walk) look(it table.Item) {
	w.count++
	w.page.Cursor = w.q.CursorAt(table.Place{Key: it.Key, Due: it.Due}) // until it turns out to be the last
	w.size += it.EntrySize(w.q.Index)
	if w.q.Index == table.Primary {
		if it, live := it.Live(w.now); live {
			w.page.Items = append(w.page.Items, it)
		}
		return
	}
	it.Version = 1 // an entry of an index has none, but it is there
	if it, live := it.Live(w.now); live {
		w.page.Items = append(w.page.Items, table.Item{Key: it.Key, Due: it.Due, Subject: it.Subject})
	}
}

// load reads an item, expired or not; its Version is 0 if there is none.
func load(tx *bolt.Tx, ref table.Ref) (table.Item, error) {
	v := tx.Bucket([]byte(ref.Table)).Get(itemKey(ref.Key))
	if v == nil {
		return table.Item{}, nil
	}
	it, err := decode(ref.Key, v)
	if err != nil {
		return table.Item{}, fmt.Errorf("read %s: %w", ref, err)
	}
	return it, nil
}

func record(ctx context.Context, ops ...table.Op) { table.MeterOf(ctx).Record(ops...) }
