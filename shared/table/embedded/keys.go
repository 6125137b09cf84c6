package embedded

import (
	"bytes"
	"encoding/binary"
	"time"

	"rightsdesk/shared/table"
)

// The buckets beside those named like the tables.
var (
	dueBucket     = []byte("due")
	subjectBucket = []byte("subject")
	expiryBucket  = []byte("expiry")

	buckets = [][]byte{[]byte(table.State), []byte(table.Audit), []byte(table.Keys), dueBucket, subjectBucket, expiryBucket}
)

// timeSize is the length of a time in a key.
const timeSize = 8

// itemKey is partition NUL sort. Neither part holds a NUL (table.ValidateRef),
// so items sort by partition, then by sort, each by its bytes.
func itemKey(k table.Key) []byte {
	b := make([]byte, 0, len(k.Partition)+1+len(k.Sort))
	return append(append(append(b, k.Partition...), 0), k.Sort...)
}

func parseItemKey(b []byte) (table.Key, bool) {
	partition, sort, found := bytes.Cut(b, []byte{0})
	return table.Key{Partition: string(partition), Sort: string(sort)}, found
}

// dueKey files an item under its shard, by time, then by key.
func dueKey(shard string, due time.Time, k table.Key) []byte {
	b := append([]byte(shard), 0)
	b = binary.BigEndian.AppendUint64(b, uint64(due.UnixMilli()))
	return append(b, itemKey(k)...)
}

func parseDueKey(b []byte) (due time.Time, k table.Key, ok bool) {
	_, rest, found := bytes.Cut(b, []byte{0})
	if !found || len(rest) < timeSize {
		return time.Time{}, table.Key{}, false
	}
	due = time.UnixMilli(int64(binary.BigEndian.Uint64(rest))).UTC() //nolint:gosec // dueKey made it from an int64
	k, ok = parseItemKey(rest[timeSize:])
	return due, k, ok
}

// subjectKey files an item under its subject, by key.
func subjectKey(subject string, k table.Key) []byte {
	return append(append([]byte(subject), 0), itemKey(k)...)
}

func parseSubjectKey(b []byte) (table.Key, bool) {
	_, rest, found := bytes.Cut(b, []byte{0})
	if !found {
		return table.Key{}, false
	}
	return parseItemKey(rest)
}

// expiryKey files an item by the second from which on it is hidden.
func expiryKey(expires time.Time, ref table.Ref) []byte {
	b := append(expiryValue(expires), ref.Table...)
	return append(append(b, 0), itemKey(ref.Key)...)
}

func parseExpiryKey(b []byte) (expires time.Time, ref table.Ref, ok bool) {
	if len(b) < timeSize {
		return time.Time{}, table.Ref{}, false
	}
	name, rest, found := bytes.Cut(b[timeSize:], []byte{0})
	k, ok := parseItemKey(rest)
	return parseExpiryValue(b), table.Ref{Table: table.Name(name), Key: k}, found && ok
}

// expiryValue is the time in seconds; 0 stands for never, as the zero time does.
func expiryValue(t time.Time) []byte {
	var seconds uint64
	if !t.IsZero() {
		seconds = uint64(t.Unix()) //nolint:gosec // validated: not before 1970
	}
	return binary.BigEndian.AppendUint64(nil, seconds)
}

func parseExpiryValue(b []byte) time.Time {
	if seconds := int64(binary.BigEndian.Uint64(b)); seconds != 0 { //nolint:gosec // expiryValue made it from an int64
		return time.Unix(seconds, 0).UTC()
	}
	return time.Time{}
}
