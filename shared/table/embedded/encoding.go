package embedded

import (
	"encoding/binary"
	"errors"
	"time"

	"rightsdesk/shared/table"
)

// encodingVersion is the first byte of every stored item. Another encoding gets
// another number, and decode keeps reading this one.
const encodingVersion = 1

var errCorrupt = errors.New("the stored item cannot be read: the file is damaged, or from a newer release")

// encode writes the item without its key: numbers as varints, texts and the
// body with their length before them, times in milliseconds and seconds, 0 for
// none.
func encode(it table.Item) []byte {
	b := make([]byte, 0, 64+len(it.Subject)+len(it.CommitID)+len(it.Counted.Window)+len(it.Body))
	b = append(b, encodingVersion)
	b = binary.AppendVarint(b, it.Version)
	b = binary.AppendVarint(b, int64(it.Schema))
	b = binary.AppendVarint(b, millis(it.Due))
	b = binary.AppendVarint(b, seconds(it.Expires))
	b = binary.AppendVarint(b, it.Counted.N)
	b = binary.AppendVarint(b, it.Counted.Total)
	b = appendText(b, it.Counted.Window)
	b = appendText(b, it.Subject)
	b = appendText(b, string(it.CommitID))
	return appendText(b, string(it.Body))
}

// decode reads what encode wrote. It never panics and never takes more memory
// than the input has, whatever the input.
func decode(k table.Key, b []byte) (table.Item, error) {
	if len(b) == 0 || b[0] != encodingVersion {
		return table.Item{}, errCorrupt
	}
	r := reader{rest: b[1:]}
	it := table.Item{Key: k}
	it.Version = r.number()
	it.Schema = int(r.number())
	it.Due = fromMillis(r.number())
	it.Expires = fromSeconds(r.number())
	it.Counted.N = r.number()
	it.Counted.Total = r.number()
	it.Counted.Window = string(r.text())
	it.Subject = string(r.text())
	it.CommitID = table.ID(r.text())
	it.Body = append([]byte{}, r.text()...)
	if r.bad || len(r.rest) > 0 {
		return table.Item{}, errCorrupt
	}
	return it, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes fields off the front; after the first that is not there, bad stays set.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.rest, r.bad = nil, true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() []byte {
	size, n := binary.Uvarint(r.rest)
	if n <= 0 || size > uint64(len(r.rest)-n) { //nolint:gosec // Uvarint reads at most what is there
		r.rest, r.bad = nil, true
		return nil
	}
	text := r.rest[n : n+int(size)] //nolint:gosec // at most len(r.rest)
	r.rest = r.rest[n+int(size):]   //nolint:gosec // the same
	return text
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromSeconds(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}
