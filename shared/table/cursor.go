package table

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// Place is where a page ended: at the last entry that was looked at, whether or
// not it was returned.
type Place struct {
	Key Key
	Due time.Time // for the due-index only
}

// cursorVersion is the first byte of every cursor.
const cursorVersion = 1

// CursorAt encodes the place where a page of q ended. Engines share it; to
// everybody else a cursor is opaque.
func (q Query) CursorAt(p Place) string {
	b := []byte{cursorVersion, byte(q.Index)} //nolint:gosec // there are three
	if q.Index == Due {
		b = binary.BigEndian.AppendUint64(b, uint64(p.Due.UnixMilli()))
	}
	if q.Index != Primary { // there, it is the query that knows the partition
		b = append(append(b, p.Key.Partition...), 0)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, p.Key.Sort...))
}

// Start decodes the cursor of q; false means from the beginning. A cursor that
// was made for another index is malformed.
func (q Query) Start() (Place, bool, error) {
	if q.Cursor == "" {
		return Place{}, false, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil || len(b) < 2 || b[0] != cursorVersion || b[1] != byte(q.Index) { //nolint:gosec // there are three
		return Place{}, false, malformed("the cursor is not one of this query")
	}
	p, rest := Place{Key: Key{Partition: q.Partition}}, b[2:]
	if q.Index == Due {
		if len(rest) < 8 {
			return Place{}, false, malformed("the cursor is cut short")
		}
		p.Due = time.UnixMilli(int64(binary.BigEndian.Uint64(rest))).UTC() //nolint:gosec // any 64 bits are a time
		rest = rest[8:]
	}
	p.Key.Sort = string(rest)
	if q.Index != Primary {
		var found bool
		if p.Key.Partition, p.Key.Sort, found = strings.Cut(string(rest), "\x00"); !found {
			return Place{}, false, malformed("the cursor is cut short")
		}
	}
	if err := ValidateRef(Ref{q.Table, p.Key}); err != nil {
		return Place{}, false, err
	}
	if q.CursorAt(p) != q.Cursor { // base64 forgives line breaks; we do not
		return Place{}, false, malformed("the cursor has been changed")
	}
	return p, true, nil
}
