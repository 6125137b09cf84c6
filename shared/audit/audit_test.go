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

// Entries at the beginning may have expired, if whoever is asked says so about the first
// that is left; nothing else may be missing, whatever they say.
func TestOnlyTheBeginningOfAChainExpires(t *testing.T) {
	t.Parallel()
	entries, head := chain(20)
	asked := int64(0)
	verify := func(entries [][]byte, head audit.Head, says bool, err error) (int64, error) {
		asked = 0
		return audit.VerifyKept("request/r1", head, func(yield func([]byte, error) bool) {
			for _, b := range entries {
				if !yield(b, nil) {
					return
				}
			}
		}, func(first audit.Entry) (bool, error) {
			if asked > 0 {
				t.Errorf("asked about entry %d and about entry %d", asked, first.Seq)
			}
			asked = first.Seq
			return says, err
		})
	}
	if n, err := verify(entries, head, true, nil); n != 20 || err != nil || asked != 0 {
		t.Errorf("a whole chain: %d good, %v; asked about %d", n, err, asked)
	}
	for gone := 1; gone < 20; gone++ {
		if n, err := verify(entries[gone:], head, true, nil); n != int64(20-gone) || err != nil || asked != int64(gone+1) {
			t.Errorf("without the first %d: %d good, %v; asked about %d", gone, n, err, asked)
		}
		var broken *audit.Break
		if n, err := verify(entries[gone:], head, false, nil); n != 0 || !errors.As(err, &broken) || broken.Seq != 1 {
			t.Errorf("without the first %d, and nothing shows that they expired: %d good, %v", gone, n, err)
		}
	}
	failed := errors.New("nobody answers")
	if n, err := verify(entries[3:], head, true, failed); n != 0 || !errors.Is(err, failed) {
		t.Errorf("nobody answers: %d good, %v", n, err)
	}
	other, _ := audit.Head{Seq: 3}.Append(audit.Entry{Chain: "request/r2", At: time.Unix(1, 0), Actor: "clock", Action: "lapsed"})
	for name, c := range map[string]struct {
		entries [][]byte
		seq     int64
	}{
		"nothing is left":         {nil, 1},
		"the end is missing":      {entries[3:19], 20},
		"one is missing":          {slices.Concat(entries[3:9], entries[10:]), 10},
		"the second is missing":   {slices.Concat(entries[3:4], entries[5:]), 5},
		"two change places":       {slices.Concat(entries[4:5], entries[3:4], entries[5:]), 6},
		"one stands there twice":  {slices.Concat(entries[3:5], entries[4:]), 6},
		"the first is another's":  {slices.Concat([][]byte{other.Encode()}, entries[4:]), 1},
		"the first is no entry":   {slices.Concat([][]byte{{1, 2}}, entries[4:]), 1},
		"the beginning came late": {slices.Concat(entries[3:], entries[:3]), 21},
	} {
		var broken *audit.Break
		if _, err := verify(c.entries, head, true, nil); !errors.As(err, &broken) || broken.Seq != c.seq {
			t.Errorf("%s: %v, want a break at %d", name, err, c.seq)
		}
	}
}
