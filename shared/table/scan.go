package table

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"strings"
)

// Scan asks for one page of everything that a table holds. It costs as much as
// reading the whole table, and whoever may do it may read everybody's items: it
// is for restores, which have to find what nobody can name any more. Everything
// else asks a Query.
type Scan struct {
	Table Name
	// Segments cuts the table into so many parts, which several workers read at
	// once; Segment is the part that is meant, from 0. No Segments: one part, all.
	Segment, Segments int
	Limit             int    // at most this many items; 0 or more than 1000: 1000
	Cursor            string // of the page before, of the same segment of as many; empty: from the start
}

// MaxSegments is the largest number of parts that a table is scanned in.
const MaxSegments = 256

// ValidateScan reports whether s can be asked.
func ValidateScan(s Scan) error {
	if err := ValidateRef(Ref{s.Table, Key{"any", "any"}}); err != nil {
		return err
	}
	if s.Segments < 0 || s.Segments > MaxSegments || s.Segment < 0 || s.Segment >= s.parts() {
		return malformed("there is no segment %d of %d", s.Segment, s.Segments)
	}
	return nil
}

// PageSize is the number of items that a page of s holds at most.
func (s Scan) PageSize() int { return Query{Limit: s.Limit}.PageSize() }

// Covers reports whether an engine that has no segments of its own finds the
// items of a partition in s: all items of a partition are in the same one.
func (s Scan) Covers(partition string) bool {
	if s.parts() == 1 {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(partition)) // a hash never fails to write
	return int(h.Sum32())%s.parts() == s.Segment
}

func (s Scan) parts() int { return max(1, s.Segments) }

// scanKind stands in a cursor where those of queries have their index.
const scanKind = 0xff

// CursorAt encodes the place where a page of s ended: at the last item that was
// looked at, whether or not it was returned. Engines share it; to everybody else
// a cursor is opaque.
func (s Scan) CursorAt(k Key) string {
	b := []byte{cursorVersion, scanKind}
	b = binary.BigEndian.AppendUint16(b, uint16(s.Segment)) //nolint:gosec // validated: at most MaxSegments
	b = binary.BigEndian.AppendUint16(b, uint16(s.parts())) //nolint:gosec // validated: at most MaxSegments
	b = append(append(b, k.Partition...), 0)
	return base64.RawURLEncoding.EncodeToString(append(b, k.Sort...))
}

// Start decodes the cursor of s; false means from the beginning. A cursor that
// was made for a query or for another segment is malformed.
func (s Scan) Start() (Key, bool, error) {
	if s.Cursor == "" {
		return Key{}, false, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s.Cursor)
	if err != nil || len(b) < 6 {
		return Key{}, false, malformed("the cursor is not one of this scan")
	}
	partition, sort, found := strings.Cut(string(b[6:]), "\x00")
	k := Key{Partition: partition, Sort: sort}
	if !found || s.CursorAt(k) != s.Cursor { // another kind or segment; or base64's forgiveness
		return Key{}, false, malformed("the cursor is not one of this scan")
	}
	return k, true, ValidateRef(Ref{s.Table, k})
}
