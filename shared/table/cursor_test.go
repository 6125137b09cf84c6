package table_test

import (
	"errors"
	"testing"
	"time"

	"rightsdesk/shared/table"
)

var cursorQueries = []table.Query{
	{Table: table.State, Partition: "p"},
	{Table: table.State, Index: table.Due, Partition: table.DueShard(3)},
	{Table: table.State, Index: table.Subject, Partition: "u"},
}

// FuzzCursor feeds cursors that nobody made. They are refused, or name a place
// that has the very same cursor.
func FuzzCursor(f *testing.F) {
	at := table.Place{Key: table.Key{Partition: "p", Sort: "s#1"}, Due: time.UnixMilli(1774742398123).UTC()}
	for i, q := range cursorQueries {
		f.Add(i, q.CursorAt(at))
	}
	f.Add(0, "")
	f.Add(1, "AQE")
	f.Add(2, "====")
	f.Add(0, "AQ\rA0") // base64 forgives the line break
	f.Fuzz(func(t *testing.T, n int, cursor string) {
		q := cursorQueries[uint(n)%uint(len(cursorQueries))]
		q.Cursor = cursor
		p, resumed, err := q.Start()
		switch {
		case err != nil:
			if !errors.Is(err, table.ErrMalformed) {
				t.Errorf("refused with %v", err)
			}
		case resumed != (cursor != ""):
			t.Errorf("%q resumes: %v", cursor, resumed)
		case resumed && q.CursorAt(p) != cursor:
			t.Errorf("%q names %+v, whose cursor is %q", cursor, p, q.CursorAt(p))
		}
	})
}

// FuzzCursorOfKey makes cursors of any valid key and reads them back.
func FuzzCursorOfKey(f *testing.F) {
	f.Add("p", "s", int64(1))
	f.Add("request#1", "event#\U0001F511", int64(1774742398123))
	f.Fuzz(func(t *testing.T, partition, sort string, ms int64) {
		at := table.Place{Key: table.Key{Partition: partition, Sort: sort}}
		if table.ValidateRef(table.Ref{Table: table.State, Key: at.Key}) != nil {
			t.Skip()
		}
		for _, q := range cursorQueries {
			want := at
			switch q.Index {
			case table.Primary:
				q.Partition = partition
			case table.Due:
				want.Due = time.UnixMilli(ms).UTC()
			case table.Subject:
			}
			q.Cursor = q.CursorAt(want)
			if got, ok, err := q.Start(); got != want || !ok || err != nil {
				t.Errorf("%s: %+v came back as %+v, %v, %v", q.Index, want, got, ok, err)
			}
		}
	})
}
