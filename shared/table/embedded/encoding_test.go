package embedded

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"rightsdesk/shared/table"
)

var full = table.Item{
	Key: table.Key{Partition: "p", Sort: "s"}, Body: []byte{0, 0xff, 'b'}, Schema: 3,
	Due: time.UnixMilli(1774742398123).UTC(), Subject: "u", Expires: time.Unix(1774742399, 0).UTC(),
	Version: 1 << 40, CommitID: "commit", Counted: table.Counted{Window: "day", N: 5, Total: 99},
}

// golden is how release 1 stored full. It never changes: files are out there.
var golden = []byte("\x01\x80\x80\x80\x80\x80\x40\x06\xd6\x92\x9f\xee\xa6\x67\xfe\xad\xc3\x9c\x0d\x0a\xc6\x01\x03day\x01u\x06commit\x03\x00\xffb")

func TestTheEncodingStaysAsItIs(t *testing.T) {
	t.Parallel()
	if got := encode(full); !bytes.Equal(got, golden) {
		t.Errorf("encoded to %q, want %q", got, golden)
	}
	if got, err := decode(full.Key, golden); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("decoded to %+v, %v", got, err)
	}
}

func TestWhatIsCutShortOrTooLongIsNoItem(t *testing.T) {
	t.Parallel()
	for n := range golden {
		if _, err := decode(full.Key, golden[:n]); !errors.Is(err, errCorrupt) {
			t.Errorf("%d of %d bytes: %v", n, len(golden), err)
		}
	}
	if _, err := decode(full.Key, append(bytes.Clone(golden), 0)); !errors.Is(err, errCorrupt) {
		t.Errorf("one byte too many: %v", err)
	}
	newer := bytes.Clone(golden)
	newer[0]++
	if _, err := decode(full.Key, newer); !errors.Is(err, errCorrupt) {
		t.Errorf("another encoding: %v", err)
	}
}

// FuzzDecode feeds bytes that nobody wrote. What is decoded encodes to something
// that decodes to the same.
func FuzzDecode(f *testing.F) {
	f.Add(golden)
	f.Add(encode(table.Item{Schema: 1, Version: 1}))
	f.Add([]byte{})
	f.Add([]byte{encodingVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		it, err := decode(full.Key, b)
		if err != nil {
			return
		}
		again, err := decode(full.Key, encode(it))
		if err != nil || !reflect.DeepEqual(it, again) {
			t.Errorf("%+v became %+v, %v", it, again, err)
		}
	})
}

// FuzzKeys makes the keys of all buckets of any valid key and reads them back,
// and checks that they sort as the port promises.
func FuzzKeys(f *testing.F) {
	f.Add("p", "s", "p", "t", int64(1), int64(2))
	f.Add("a", "b", "aa", "\x01", int64(1774742398123), int64(1774742398122))
	f.Fuzz(func(t *testing.T, p1, s1, p2, s2 string, ms1, ms2 int64) {
		a, b := table.Key{Partition: p1, Sort: s1}, table.Key{Partition: p2, Sort: s2}
		const year9999 = 253402300799999
		if ms1 <= 0 || ms2 <= 0 || ms1 > year9999 || ms2 > year9999 || !valid(a) || !valid(b) {
			t.Skip()
		}
		if got, ok := parseItemKey(itemKey(a)); got != a || !ok {
			t.Errorf("item key: %+v became %+v", a, got)
		}
		due := time.UnixMilli(ms1).UTC()
		if at, got, ok := parseDueKey(dueKey("due#01", due, a)); got != a || !at.Equal(due) || !ok {
			t.Errorf("due key: %+v at %s became %+v at %s", a, due, got, at)
		}
		if got, ok := parseSubjectKey(subjectKey("u", a)); got != a || !ok {
			t.Errorf("subject key: %+v became %+v", a, got)
		}
		ref := table.Ref{Table: table.Keys, Key: a}
		if at, got, ok := parseExpiryKey(expiryKey(due, ref)); got != ref || at.Unix() != due.Unix() && due.Unix() != 0 || !ok {
			t.Errorf("expiry key: %+v at %s became %+v at %s", ref, due, got, at)
		}
		if p1 == p2 && (s1 < s2) != (bytes.Compare(itemKey(a), itemKey(b)) < 0) {
			t.Errorf("%q and %q are stored in another order", s1, s2)
		}
		if ms1 < ms2 && bytes.Compare(dueKey("due#01", due, a), dueKey("due#01", time.UnixMilli(ms2), b)) >= 0 {
			t.Errorf("%d and %d are stored in another order", ms1, ms2)
		}
	})
}

func valid(k table.Key) bool {
	return table.ValidateRef(table.Ref{Table: table.State, Key: k}) == nil
}
