package embedded

import (
	"bytes"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/table"
)

// Scan implements table.Table.
func (s *Store) Scan(ctx context.Context, scan table.Scan) (table.Page, error) {
	if err := table.ValidateScan(scan); err != nil {
		return table.Page{}, err
	}
	from, resumed, err := scan.Start()
	if err != nil {
		return table.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Page{}, err
	}
	var page table.Page
	size := 0
	err = s.db.View(func(tx *bolt.Tx) (err error) {
		page, size, err = s.scan(tx, scan, from, resumed)
		return err
	})
	if err != nil {
		return table.Page{}, fmt.Errorf("scan %s: %w", scan.Table, err)
	}
	record(ctx, table.Op{Call: table.Scanned, Table: scan.Table, Units: table.Units{Read: table.ReadUnits(size)}})
	return page, nil
}

// scan collects one page, and says how large everything was that it looked at in
// the segment, returned or not: that is what is billed.
func (s *Store) scan(tx *bolt.Tx, scan table.Scan, from table.Key, resumed bool) (page table.Page, size int, err error) {
	c := tx.Bucket([]byte(scan.Table)).Cursor()
	k, v := c.First()
	if resumed {
		last := itemKey(from)
		if k, v = c.Seek(last); bytes.Equal(k, last) {
			k, v = c.Next()
		}
	}
	now, looked := s.now(), 0
	for ; k != nil; k, v = c.Next() {
		key, ok := parseItemKey(k)
		if !ok {
			return table.Page{}, 0, errCorrupt
		}
		if !scan.Covers(key.Partition) {
			continue
		}
		it, err := decode(key, v)
		if err != nil {
			return table.Page{}, 0, err
		}
		if size+it.Size() > table.MaxPage {
			return page, size, nil
		}
		looked, size = looked+1, size+it.Size()
		page.Cursor = scan.CursorAt(key) // until it turns out to be the last
		if it, live := it.Live(now); live {
			page.Items = append(page.Items, it)
		}
		if looked == scan.PageSize() {
			return page, size, nil
		}
	}
	page.Cursor = ""
	return page, size, nil
}
