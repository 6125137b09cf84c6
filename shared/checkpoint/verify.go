package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
)

// Evidence is what is verified: objects that were sealed, keys that they were signed
// with, and the audit as somebody has it. None of it is believed.
type Evidence struct {
	Vault Vault // only read
	Keys  Checker
	// Entries are encoded entries of the audit, in any order; nil: only the objects are
	// verified. All entries are expected that were sealed.
	Entries iter.Seq2[[]byte, error]
	// Since is from when on entries are expected: those of before, at the beginning of
	// their chains, may have expired. The zero time: all of them are.
	Since time.Time
	// Known are checkpoints that somebody noted, by number: SHA-256 of the object, in
	// hexadecimal. They show whether checkpoints at the end were removed.
	Known map[int64]string
}

// Verdict is what was found.
type Verdict struct {
	Checkpoints int       // that there are
	Last        int64     // number of the last
	At          time.Time // when it was made
	Hash        string    // SHA-256 of its object
	Leaves      int       // entries that checkpoints sealed
	Pending     int       // batches that wait for the next checkpoint
	Entries     int       // that were given
	Sealed      int       // of these, how many a checkpoint covers
	Waiting     int       // of these, how many are too young to be covered
	Expired     int       // entries that checkpoints sealed and that had their time
	Faults      []Fault   // empty: nothing was changed, removed, added or moved
	More        int       // faults beyond those in the list
}

// Fault is one thing that is not as it was.
type Fault struct {
	Checkpoint int64  // 0: it is about none
	Chain      string // of an entry
	Seq        int64
	Object     string // key in the vault
	Why        string
}

func (f Fault) String() string {
	var where []string
	if f.Checkpoint > 0 {
		where = append(where, "checkpoint "+strconv.FormatInt(f.Checkpoint, 10))
	}
	if f.Chain != "" {
		where = append(where, fmt.Sprintf("entry %d of chain %s", f.Seq, f.Chain))
	}
	if f.Object != "" {
		where = append(where, f.Object)
	}
	if len(where) == 0 {
		return f.Why
	}
	return strings.Join(where, ", ") + ": " + f.Why
}

// listed is how many faults are told one by one.
const listed = 1000

// Verify checks evidence. Faults stand in the verdict; an error means that not all of
// it could be read.
func Verify(ctx context.Context, e Evidence) (Verdict, error) {
	v := verifier{Evidence: e, objects: map[int64]string{}, taken: map[string]bool{}, sealed: map[string][]sealedLeaf{}}
	if err := v.vault(ctx); err != nil {
		return v.Verdict, err
	}
	if e.Entries == nil {
		return v.Verdict, nil
	}
	return v.Verdict, v.audit()
}

type verifier struct {
	Evidence
	Verdict
	objects map[int64]string        // hashes of the checkpoints that there are
	taken   map[string]bool         // batches that checkpoints took
	sealed  map[string][]sealedLeaf // by chain, as their checkpoints come
}

type sealedLeaf struct {
	seq  int64
	hash audit.Hash
	by   int64
	at   time.Time
}

func (v *verifier) fault(f Fault) {
	if len(v.Faults) == listed {
		v.More++
		return
	}
	v.Faults = append(v.Faults, f)
}

// vault verifies the objects.
func (v *verifier) vault(ctx context.Context) error {
	var numbers []int64
	var filed []string
	for after := ""; ; {
		keys, err := v.Vault.List(ctx, "", after)
		if err != nil {
			return fmt.Errorf("list the objects: %w", err)
		}
		if len(keys) == 0 {
			break
		}
		for _, key := range keys {
			n, isCheckpoint := number(key)
			_, isBatch := batchHash(key)
			switch {
			case isCheckpoint && strings.HasPrefix(key, checkpoints):
				numbers = append(numbers, n)
			case isBatch:
				filed = append(filed, key)
			case strings.HasPrefix(key, leafLists): // a run that was cut short leaves some that nobody signed
			default:
				v.fault(Fault{Object: key, Why: "it is no object of ours"})
			}
		}
		after = keys[len(keys)-1]
	}
	slices.Sort(numbers)
	if err := v.statements(ctx, numbers); err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(v.Known)) {
		if is, ok := v.objects[n]; !ok && n > v.Last {
			v.fault(Fault{Checkpoint: n, Why: "it is missing: it was noted, and the last that there is is checkpoint " + strconv.FormatInt(v.Last, 10)})
		} else if ok && is != v.Known[n] {
			v.fault(Fault{Checkpoint: n, Why: "it is another than the one that was noted"})
		}
	}
	return v.unsealed(ctx, filed)
}

// statements verifies the chain of checkpoints, and what each of them sealed.
func (v *verifier) statements(ctx context.Context, numbers []int64) error {
	var before struct {
		n    int64
		at   time.Time
		good bool
	}
	for _, n := range numbers {
		if missing := before.n + 1; n == missing+1 {
			v.fault(Fault{Checkpoint: missing, Why: "it is missing"})
		} else if n > missing {
			v.fault(Fault{Checkpoint: missing, Why: fmt.Sprintf("it is missing, and so are all up to checkpoint %d", n-1)})
		}
		key := checkpointKey(n)
		object, err := v.Vault.Get(ctx, key)
		if err != nil {
			return fmt.Errorf("read checkpoint %d: %w", n, err)
		}
		v.Checkpoints++
		v.objects[n] = sum(object)
		v.Last, v.Hash = n, v.objects[n]
		st, err := read(v.Keys, n, object)
		if err != nil {
			v.fault(Fault{Checkpoint: n, Object: key, Why: "it is not what was signed: " + err.Error()})
			before.n, before.good = n, false
			continue
		}
		v.At = st.At
		follows := n == before.n+1
		switch {
		case n == 1 && st.Previous != "", follows && n > 1 && before.good && st.Previous != v.objects[n-1]:
			v.fault(Fault{Checkpoint: n, Object: key, Why: fmt.Sprintf("it does not follow from checkpoint %d: one of the two was replaced by another that was signed too", n-1)})
		case st.At.Before(before.at):
			v.fault(Fault{Checkpoint: n, Object: key, Why: "it says that it is older than the one before"})
		}
		before.n, before.at, before.good = n, st.At, true
		if err := v.leaves(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

// leaves verifies what one checkpoint sealed, twice: by its leaves and by its batches.
func (v *verifier) leaves(ctx context.Context, st Statement) error {
	var union []Leaf
	whole := true
	for _, key := range st.Batches {
		v.taken[key] = true
		batch, err := readBatch(ctx, v.Vault, key)
		if why, odd := oddity(err); odd {
			v.fault(Fault{Checkpoint: st.N, Object: key, Why: why})
			whole = false
			continue
		}
		if err != nil {
			return fmt.Errorf("read batch %s: %w", key, err)
		}
		union = append(union, batch...)
	}
	union = sorted(union)
	leaves, err := readLeaves(ctx, v.Vault, st)
	why, odd := oddity(err)
	switch {
	case odd && whole && len(union) == st.Count && rootText(union) == st.Root:
		f := Fault{Checkpoint: st.N, Object: st.Leaves, Why: why}
		if at, is := differ(union, leaves); is && errors.Is(err, errChanged) && !errors.Is(err, errLeaves) {
			f.Chain, f.Seq = at.Chain, at.Seq
		}
		v.fault(f)
		leaves = union // which is what was signed
	case odd:
		v.fault(Fault{Checkpoint: st.N, Object: st.Leaves, Why: why})
		return nil
	case err != nil:
		return fmt.Errorf("read the leaves of checkpoint %d: %w", st.N, err)
	case whole && !slices.Equal(union, leaves):
		at, _ := differ(union, leaves)
		v.fault(Fault{Checkpoint: st.N, Chain: at.Chain, Seq: at.Seq, Why: "what was signed is not what its batches hold"})
	}
	v.Leaves += len(leaves)
	for _, l := range leaves {
		v.sealed[l.Chain] = append(v.sealed[l.Chain], sealedLeaf{l.Seq, l.Hash, st.N, st.At})
	}
	return nil
}

func rootText(leaves []Leaf) string { return fmt.Sprintf("%x", root(leaves)) }

// oddity says what is wrong with an object, if that is what an error says.
func oddity(err error) (why string, odd bool) {
	switch {
	case errors.Is(err, ErrAbsent):
		return "it is missing", true
	case errors.Is(err, errChanged), errors.Is(err, errLeaves):
		return "it was changed: " + err.Error(), true
	}
	return "", false
}

// differ returns the first leaf of either that the other does not have.
func differ(want, have []Leaf) (Leaf, bool) {
	have = sorted(slices.Clone(have))
	for i := range max(len(want), len(have)) {
		switch {
		case i >= len(want):
			return have[i], true
		case i >= len(have), want[i].compare(have[i]) < 0:
			return want[i], true
		case want[i] != have[i]:
			return have[i], true
		}
	}
	return Leaf{}, false
}

// unsealed looks at batches that no checkpoint took.
func (v *verifier) unsealed(ctx context.Context, filed []string) error {
	for _, key := range filed {
		if v.taken[key] {
			continue
		}
		_, err := readBatch(ctx, v.Vault, key)
		why, odd := oddity(err)
		day := strings.TrimPrefix(key, batches)[:len(time.DateOnly)]
		switch {
		case odd:
			v.fault(Fault{Object: key, Why: why})
		case err != nil:
			return fmt.Errorf("read batch %s: %w", key, err)
		case !v.At.IsZero() && day < v.At.Add(-late).Format(time.DateOnly):
			v.fault(Fault{Object: key, Why: "no checkpoint took it"})
		default:
			v.Pending++
		}
	}
	return nil
}

// held is what is kept of an entry while the audit is read.
type held struct {
	seq        int64
	hash, prev audit.Hash
	at         time.Time
}

// audit verifies entries by what was sealed.
func (v *verifier) audit() error {
	chains := map[string][]held{}
	for b, err := range v.Evidence.Entries {
		if err != nil {
			return err
		}
		v.Verdict.Entries++
		e, err := audit.Decode(b)
		if err != nil {
			v.fault(Fault{Why: fmt.Sprintf("the entry given as number %d cannot be read", v.Verdict.Entries)})
			continue
		}
		chains[e.Chain] = append(chains[e.Chain], held{e.Seq, e.Hash(), e.Prev, e.At})
		if e.Chain == chain && e.Action == ActionSeal {
			v.remembered(e)
		}
	}
	names := map[string]bool{}
	for name := range chains {
		names[name] = true
	}
	for name := range v.sealed {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		v.chain(name, chains[name])
	}
	return nil
}

// remembered compares a checkpoint with what the audit tells of it.
func (v *verifier) remembered(e audit.Entry) {
	n, err := strconv.ParseInt(restore.Fact(e, factN), 10, 64)
	if err != nil {
		return // it was changed, and its leaf says so
	}
	is, ok := v.objects[n]
	if !ok && n > v.Last {
		v.fault(Fault{Checkpoint: n, Why: fmt.Sprintf("it is missing: entry %d of chain %s tells of it, and the last that there is is checkpoint %d", e.Seq, chain, v.Last)})
	} else if ok && is != restore.Fact(e, factCheckpoint) {
		v.fault(Fault{Checkpoint: n, Why: fmt.Sprintf("it is another than the one that entry %d of chain %s tells of", e.Seq, chain)})
	}
}

// chain verifies one chain of the audit.
func (v *verifier) chain(name string, entries []held) {
	at := func(seq int64, why string) { v.fault(Fault{Chain: name, Seq: seq, Why: why}) }
	slices.SortStableFunc(entries, func(a, b held) int { return cmp.Compare(a.seq, b.seq) })
	leaves := v.sealed[name]
	slices.SortStableFunc(leaves, func(a, b sealedLeaf) int { return cmp.Compare(a.seq, b.seq) })

	bad := map[int64]bool{} // told of
	kept := entries[:0]
	for _, e := range entries {
		if n := len(kept); n > 0 && kept[n-1].seq == e.seq {
			if kept[n-1].hash != e.hash {
				at(e.seq, "it is there twice, with two contents")
				bad[e.seq] = true
			}
			continue
		}
		kept = append(kept, e)
	}
	entries = kept
	first := int64(1)
	if len(entries) > 0 {
		first = entries[0].seq
	}
	last := v.leavesOf(leaves, entries, first, at, bad)

	var before held
	for _, e := range entries {
		switch gone := before.seq + 1; {
		case gone < e.seq && before.seq == 0 && !v.Since.IsZero():
			// What came before has expired, or a leaf of it was told of.
		case gone < e.seq:
			for ; gone < e.seq && bad[gone]; gone++ { // told of by their leaves
			}
			if gone < e.seq && !v.told(leaves, gone) {
				at(gone, "it is missing: entry "+strconv.FormatInt(e.seq, 10)+" follows")
			}
		case e.prev != before.hash && !bad[e.seq] && !bad[before.seq]:
			at(e.seq, "it does not follow from the entry before")
			bad[e.seq] = true
		}
		before = e
		switch {
		case bad[e.seq]:
		case e.seq <= last:
			v.Sealed++
		case v.At.IsZero() || e.at.After(v.At.Add(-Patience)):
			v.Waiting++
		default:
			at(e.seq, fmt.Sprintf("no checkpoint covers it: it is of %s, and checkpoint %d of %s",
				e.at.Format(time.RFC3339), v.Last, v.At.Format(time.RFC3339)))
		}
	}
}

// told reports whether what was sealed says what became of an entry.
func (v *verifier) told(leaves []sealedLeaf, seq int64) bool {
	_, found := slices.BinarySearchFunc(leaves, seq, func(l sealedLeaf, seq int64) int { return cmp.Compare(l.seq, seq) })
	return found
}

// leavesOf compares a chain's entries, in order, with its leaves, in order, and returns
// the number of the last entry that is as it was sealed: it covers all before.
func (v *verifier) leavesOf(leaves []sealedLeaf, entries []held, first int64, at func(int64, string), bad map[int64]bool) (last int64) {
	for i, l := range leaves {
		if i > 0 && leaves[i-1].seq == l.seq {
			if leaves[i-1].hash != l.hash && !bad[l.seq] {
				at(l.seq, fmt.Sprintf("it was sealed with two contents, by checkpoint %d and checkpoint %d", leaves[i-1].by, l.by))
				bad[l.seq] = true
			}
			continue
		}
		j, found := slices.BinarySearchFunc(entries, l.seq, func(e held, seq int64) int { return cmp.Compare(e.seq, seq) })
		switch {
		case !found && l.at.Before(v.Since) && (l.seq < first || len(entries) == 0):
			v.Expired++
		case !found:
			at(l.seq, fmt.Sprintf("it is missing: checkpoint %d of %s sealed it", l.by, l.at.Format(time.RFC3339)))
			bad[l.seq] = true
		case entries[j].hash == l.hash:
			last = max(last, l.seq)
		case !bad[l.seq]:
			at(l.seq, fmt.Sprintf("it was changed: checkpoint %d of %s sealed another content", l.by, l.at.Format(time.RFC3339)))
			bad[l.seq] = true
		}
	}
	return last
}
