package audit_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/audit"
)

// chain returns n linked entries, encoded, and the head after them.
func chain(n int) ([][]byte, audit.Head) {
	var head audit.Head
	var entries [][]byte
	for i := range n {
		var e audit.Entry
		e, head = head.Append(audit.Entry{
			Chain: "request/r1", At: time.Date(2026, 3, 5, 9, 0, i, 0, time.UTC),
			Actor: "person", Action: "verified", Commit: "c1",
			Facts: []audit.Fact{{Name: "by", Value: "link"}, {Name: "status", Value: "open"}},
		})
		entries = append(entries, e.Encode())
	}
	return entries, head
}

func verify(entries [][]byte, head audit.Head) (int64, error) {
	return audit.Verify("request/r1", head, func(yield func([]byte, error) bool) {
		for _, b := range entries {
			if !yield(b, nil) {
				return
			}
		}
	})
}

// The bytes of version 1 are fixed from the first commit: this vector, made by a
// separate program, may never change.
func TestEncodingIsFixed(t *testing.T) {
	t.Parallel()
	entries, head := chain(1)
	const want = "010a726571756573742f72310180dde6e9cb3306706572736f6e087665726966696564026331000000000000000000000000" +
		"000000000000000000000000000000000000000002026279046c696e6b06737461747573046f70656e"
	if got := hex.EncodeToString(entries[0]); got != want {
		t.Errorf("entry is encoded as\n%s, want\n%s", got, want)
	}
	if head.Seq != 1 || head.Hash == (audit.Hash{}) {
		t.Errorf("head = %+v", head)
	}
}

func TestEveryTamperedChainIsFound(t *testing.T) {
	t.Parallel()
	entries, head := chain(20)
	if n, err := verify(entries, head); n != 20 || err != nil {
		t.Fatalf("an untouched chain: %d good, %v", n, err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		bad := slices.Clone(entries)
		switch i := rnd.IntN(len(bad)); rnd.IntN(5) {
		case 0: // one bit
			bad[i] = bytes.Clone(bad[i])
			bad[i][rnd.IntN(len(bad[i]))] ^= 1 << rnd.IntN(8)
		case 1: // one entry gone
			bad = slices.Delete(bad, i, i+1)
		case 2: // the end gone
			bad = bad[:i]
		case 3: // two swapped
			j := (i + 1 + rnd.IntN(len(bad)-1)) % len(bad)
			bad[i], bad[j] = bad[j], bad[i]
		case 4: // one told twice
			bad = slices.Insert(bad, i, bad[i])
		}
		var broken *audit.Break
		if _, err := verify(bad, head); !errors.As(err, &broken) {
			t.Fatalf("a tampered chain passed: %v", err)
		}
	}
}

func TestAForkedChainIsFound(t *testing.T) {
	t.Parallel()
	entries, head := chain(3)
	other, _ := audit.Head{Seq: 2}.Append(audit.Entry{Chain: "request/r1", At: time.Unix(1, 0), Actor: "clock", Action: "lapsed"})
	if _, err := verify([][]byte{entries[0], entries[1], other.Encode()}, head); err == nil {
		t.Error("a forked chain passed")
	}
}

func FuzzDecode(f *testing.F) {
	entries, _ := chain(2)
	for _, b := range entries {
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := audit.Decode(b)
		if err == nil && !bytes.Equal(e.Encode(), b) {
			t.Errorf("%x decodes, and encodes as %x", b, e.Encode())
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	var head audit.Head
	e := audit.Entry{Chain: "request/r1", At: time.Unix(1, 0), Actor: "person", Action: "verified", Commit: "c", Facts: []audit.Fact{{Name: "status", Value: "open"}}}
	for b.Loop() {
		_, head = head.Append(e)
	}
}
