package hostile

import (
	"context"
	"strings"

	"rightsdesk/shared/table"
)

// mark begins every cursor of ours, so that one may point to the very start.
const mark = "~"

// Query implements table.Table: busy at times, pages shorter than asked for,
// pages with nothing but a cursor, and indexes that lag behind.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := t.turnedAway(ctx); err != nil {
		return table.Page{}, err
	}
	q.Cursor = strings.TrimPrefix(q.Cursor, mark)
	if err := table.ValidateQuery(q); err != nil {
		return table.Page{}, err
	}
	from, _, err := q.Start()
	if err != nil {
		return table.Page{}, err
	}
	if t.strikes() {
		return table.Page{Cursor: mark + q.Cursor}, nil
	}
	short := q
	if t.draw(2) == 0 {
		short.Limit = 1 + t.draw(q.PageSize())
	}
	page, err := t.inner.Query(ctx, short)
	if err != nil {
		return table.Page{}, err
	}
	if q.Index != table.Primary {
		next := q
		next.Cursor = page.Cursor
		to, more, err := next.Start()
		if err != nil {
			return table.Page{}, err
		}
		page = t.stale(q, page, from, to, more)
	}
	if page.Cursor != "" {
		page.Cursor = mark + page.Cursor
	}
	return page, nil
}

// Scan implements table.Table: busy at times, pages shorter than asked for, and
// pages with nothing but a cursor.
func (t *Table) Scan(ctx context.Context, s table.Scan) (table.Page, error) {
	if err := t.turnedAway(ctx); err != nil {
		return table.Page{}, err
	}
	s.Cursor = strings.TrimPrefix(s.Cursor, mark)
	if err := table.ValidateScan(s); err != nil {
		return table.Page{}, err
	}
	if _, _, err := s.Start(); err != nil {
		return table.Page{}, err
	}
	if t.strikes() {
		return table.Page{Cursor: mark + s.Cursor}, nil
	}
	if t.draw(2) == 0 {
		s.Limit = 1 + t.draw(s.PageSize())
	}
	page, err := t.inner.Scan(ctx, s)
	if page.Cursor != "" {
		page.Cursor = mark + page.Cursor
	}
	return page, err
}
