package checkpoint_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/table"
)

// The roots are those that Certificate Transparency publishes for its test vectors.
func TestTheTreeIsThatOfRFC6962(t *testing.T) {
	t.Parallel()
	data := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	want := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	var all [][]byte
	for n := range want {
		if got := checkpoint.Merkle(all); hex.EncodeToString(got[:]) != want[n] {
			t.Errorf("the root over %d is %x, want %s", n, got, want[n])
		}
		if n < len(data) {
			b, err := hex.DecodeString(data[n])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
		}
	}
}

func leaf(chain string, seq int64, b byte) checkpoint.Leaf {
	return checkpoint.Leaf{Chain: chain, Seq: seq, Hash: audit.Hash{b}}
}

func TestLeavesAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	leaves := []checkpoint.Leaf{leaf("a", 1, 1), leaf("a", 2, 2), leaf("a", 10, 3), leaf("an operator's day", 1, 4), leaf("b", 1, 5), leaf("b", 1, 6)}
	text := checkpoint.Encode(leaves)
	got, err := checkpoint.Decode(text)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(leaves) {
		t.Errorf("%v, %v", got, err)
	}
	hash := strings.Repeat("0", 64)
	for name, b := range map[string]string{
		"no end of the line": "a 1 " + hash, "out of order": "b 1 " + hash + "\na 1 " + hash + "\n", "twice": "a 1 " + hash + "\na 1 " + hash + "\n",
		"another spelling of the number": "a 01 " + hash + "\n", "a sign": "a +1 " + hash + "\n", "capitals": "a 1 " + strings.Repeat("A", 64) + "\n",
		"a short hash": "a 1 00\n", "a long hash": "a 1 " + hash + "00\n", "no chain": " 1 " + hash + "\n", "two parts": "a " + hash + "\n", "one": "a\n", "an empty line": "\n",
	} {
		if got, err := checkpoint.Decode([]byte(b)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzLeaves(f *testing.F) {
	f.Add(checkpoint.Encode([]checkpoint.Leaf{leaf("a", 1, 1), leaf("b c", 2, 2)}))
	f.Add([]byte("a 1 00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		leaves, err := checkpoint.Decode(b)
		if err == nil && string(checkpoint.Encode(leaves)) != string(b) {
			t.Errorf("%q has another spelling", b)
		}
	})
}

// An installation in which nothing happens has a checkpoint every hour: of the entry
// that tells of the one before.
func TestAnIdleInstallationIsSealedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	for n := range 5 {
		w.deliver(s, 100)
		if rep := w.run(s); rep.Checkpoints != 1 {
			t.Errorf("run %d: %+v", n, rep)
		}
		w.turn(time.Hour)
	}
	v := w.good()
	if v.Checkpoints != 5 || v.Leaves != 4 || v.Entries != 5 || v.Sealed != 4 || v.Waiting != 1 || v.Pending != 0 {
		t.Errorf("%+v", v)
	}
}

func TestEntriesAreSealedOnceTheyCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 5)
	w.add("request#r2", 3)
	w.deliver(s, 4)
	if v := w.good(); v.Pending != 2 || v.Waiting != 8 || v.Sealed != 0 {
		t.Errorf("before the first checkpoint: %+v", v)
	}
	if rep := w.run(s); rep != (checkpoint.Report{Checkpoints: 1, Batches: 2}) {
		t.Errorf("%+v", rep)
	}
	if v := w.good(); v.Sealed != 8 || v.Waiting != 1 || v.Last != 1 || !v.At.Equal(w.now()) {
		t.Errorf("%+v", v)
	}
	if rep := w.run(s); rep != (checkpoint.Report{}) {
		t.Errorf("with nothing to seal: %+v", rep)
	}
	heads, err := s.Heads(t.Context(), table.Key{})
	if err != nil || len(heads) != 1 || heads[0].Name != "checkpoint" || heads[0].Head.Seq != 1 {
		t.Errorf("%+v, %v", heads, err)
	}
}

// More than one checkpoint takes is taken by several, in one run.
func TestManyBatchesAreSeveralCheckpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 2*checkpoint.Takes+10)
	w.deliver(s, 1)
	if rep := w.run(s); rep.Checkpoints != 3 || rep.Batches != 2*checkpoint.Takes+10 {
		t.Errorf("%+v", rep)
	}
	w.turn(time.Hour)
	w.deliver(s, 100)
	if rep := w.run(s); rep != (checkpoint.Report{Checkpoints: 1, Batches: 1}) {
		t.Errorf("%+v", rep)
	}
	if v := w.good(); v.Checkpoints != 4 || v.Sealed != 2*checkpoint.Takes+10+3 {
		t.Errorf("%+v", v)
	}
}

// The objects name chains, numbers and hashes, and hold nothing else of an entry.
func TestNothingOfAnEntryIsInTheObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 3)
	w.deliver(s, 100)
	w.run(s)
	for key, b := range w.vault.objects {
		for _, word := range []string{"asked", "access", "person", w.entries["request#r1"][0].Commit} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s holds %q: %s", key, word, b)
			}
		}
	}
}

func TestAChainThatCannotBeNamedIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, chain := range []string{"", "a\nb", "a\rb"} {
		if err := w.plain().Record(t.Context(), []audit.Entry{{Chain: chain, Seq: 1, At: w.now()}}); err == nil {
			t.Errorf("%q was sealed", chain)
		}
	}
}

// TestFigures says what sealing costs.
func TestFigures(t *testing.T) {
	t.Parallel()
	for _, few := range []int{1, 10, 100} {
		w := newWorld(t)
		s := w.plain()
		for n := range 200 {
			w.add(fmt.Sprintf("request#r%032d", n), 5)
		}
		w.deliver(s, few)
		filed, size := w.vault.puts, w.vault.size
		rep := w.run(s)
		fmt.Printf("PROOF checkpoints: 1000 entries, %d a delivery: %d objects, %d bytes; %d S3 writes (%d of batches) and %d reads; %d checkpoints, %.1f writes and %.1f reads each\n",
			few, len(w.vault.objects), w.vault.size, w.vault.puts, filed, w.vault.gets, rep.Checkpoints,
			float64(w.vault.puts-filed)/float64(rep.Checkpoints), float64(w.vault.gets)/float64(rep.Checkpoints))
		if most := 1000/few + 2*rep.Checkpoints; len(w.vault.objects) > most || size > 125_000 || w.vault.size > 360_000 {
			t.Errorf("%d a delivery: %d objects (at most %d), %d bytes of batches, %d in all", few, len(w.vault.objects), most, size, w.vault.size)
		}
	}
}
