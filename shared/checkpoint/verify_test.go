package checkpoint_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/seal"
)

// sealedWorld has three chains, sealed by four checkpoints an hour apart.
func sealedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	s := w.plain()
	for range 4 {
		w.add("request#r1", 2)
		w.add("consent#i1", 1)
		w.add("operators#2026-03-02", 1)
		w.deliver(s, 3)
		w.run(s)
		w.turn(time.Hour)
	}
	w.deliver(s, 100)
	w.good()
	return w
}

// tampered is a copy of an installation that somebody changed.
type tampered struct {
	vault   *memory
	entries map[string][]audit.Entry
	extra   [][]byte
	known   map[int64]string
}

func (w *world) copy() *tampered {
	c := &tampered{vault: w.vault.clone(), entries: map[string][]audit.Entry{}}
	for chain, entries := range w.entries {
		for _, e := range entries {
			e.Facts = slices.Clone(e.Facts)
			c.entries[chain] = append(c.entries[chain], e)
		}
	}
	return c
}

func (w *world) judge(c *tampered, change ...func(*checkpoint.Evidence)) checkpoint.Verdict {
	w.t.Helper()
	was := w.entries
	w.entries = c.entries
	all := append(w.all(), c.extra...)
	w.entries = was
	return w.verify(c.vault, all, append(change, func(e *checkpoint.Evidence) { e.Known = c.known })...)
}

// relink hashes a chain anew from one of its entries on, as somebody would who hides a change.
func relink(entries []audit.Entry, from int) {
	for i := from; i < len(entries); i++ {
		entries[i].Prev = audit.Hash{}
		if i > 0 {
			entries[i].Prev = entries[i-1].Hash()
		}
	}
}

// said returns what a checkpoint signs.
func said(t *testing.T, object []byte) checkpoint.Statement {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(string(object), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var st checkpoint.Statement
	if err := json.Unmarshal(b, &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// resign replaces a checkpoint by another that somebody signed.
func resign(t *testing.T, c *tampered, n int64, by *seal.Ring, kind string, change func(*checkpoint.Statement)) {
	t.Helper()
	key := checkpoint.CheckpointKey(n)
	st := said(t, c.vault.objects[key])
	change(&st)
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := receipt.SignAs(by, kind, b)
	if err != nil {
		t.Fatal(err)
	}
	c.vault.objects[key] = []byte(signed)
}

// Whatever one thing somebody changes, it is found, and what was changed is named.
func TestEverySingleTamperIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	w := sealedWorld(t)
	r1 := "request#r1"
	swap := func(s []audit.Entry, i, j int) { s[i], s[j] = s[j], s[i] }
	key := checkpoint.CheckpointKey
	leavesOf := func(n int64) string { return said(t, w.vault.objects[key(n)]).Leaves }
	batchOf := func(n int64, i int) string { return said(t, w.vault.objects[key(n)]).Batches[i] }
	for name, c := range map[string]struct {
		do   func(*tampered)
		want string // in the first fault
	}{
		"a fact of an entry": {func(c *tampered) {
			c.entries[r1][2].Facts = []audit.Fact{{Name: "right", Value: "erasure"}}
		}, "entry 3 of chain request#r1: it was changed: checkpoint 2 "},
		"an entry, and the chain hashed anew": {func(c *tampered) {
			c.entries[r1][2].Actor = "operator:h1"
			relink(c.entries[r1], 3)
		}, "entry 3 of chain request#r1: it was changed"},
		"the last entry that is sealed": {func(c *tampered) { c.entries[r1][7].Action = "denied" }, "entry 8 of chain request#r1: it was changed: checkpoint 4 "},
		"the time of an entry":          {func(c *tampered) { c.entries[r1][1].At = c.entries[r1][1].At.Add(time.Hour) }, "entry 2 of chain request#r1: it was changed"},
		"an entry removed":              {func(c *tampered) { c.entries[r1] = slices.Delete(c.entries[r1], 4, 5) }, "entry 5 of chain request#r1: it is missing: checkpoint 3 "},
		"an entry removed, and the chain hashed anew": {func(c *tampered) {
			c.entries[r1] = slices.Delete(c.entries[r1], 4, 5)
			for i := 4; i < len(c.entries[r1]); i++ {
				c.entries[r1][i].Seq--
			}
			relink(c.entries[r1], 4)
		}, "entry 5 of chain request#r1: it was changed"},
		"the first entry removed":    {func(c *tampered) { c.entries[r1] = c.entries[r1][1:] }, "entry 1 of chain request#r1: it is missing"},
		"the last entry removed":     {func(c *tampered) { c.entries[r1] = c.entries[r1][:7] }, "entry 8 of chain request#r1: it is missing"},
		"a whole chain removed":      {func(c *tampered) { delete(c.entries, "consent#i1") }, "entry 1 of chain consent#i1: it is missing"},
		"two entries change places":  {func(c *tampered) { swap(c.entries[r1], 2, 3); c.entries[r1][2].Seq, c.entries[r1][3].Seq = 3, 4 }, "entry 3 of chain request#r1: it was changed"},
		"an entry moves to a chain":  {func(c *tampered) { c.entries["consent#i1"][1].Chain = "consent#i2" }, "entry 2 of chain consent#i1: it is missing"},
		"an entry with two contents": {func(c *tampered) { e := c.entries[r1][5]; e.Actor = "clock"; c.extra = [][]byte{e.Encode()} }, "entry 6 of chain request#r1: it is there twice"},
		"an entry added of yesterday": {func(c *tampered) {
			e := c.entries[r1][7]
			e.Seq, e.Prev, e.At = 9, e.Hash(), e.At.Add(-2*time.Hour)
			c.extra = [][]byte{e.Encode()}
		}, "entry 9 of chain request#r1: no checkpoint covers it"},
		"an entry added in front":    {func(c *tampered) { e := c.entries[r1][0]; e.Seq = 0; c.extra = [][]byte{e.Encode()} }, "entry"},
		"a chain added of yesterday": {func(c *tampered) { e := c.entries[r1][0]; e.Chain = "request#r0"; c.extra = [][]byte{e.Encode()} }, "entry 1 of chain request#r0: no checkpoint covers it"},
		"no entry at all":            {func(c *tampered) { c.extra = [][]byte{[]byte("nonsense")} }, "cannot be read"},
		"the entry of a checkpoint":  {func(c *tampered) { c.entries["checkpoint"][1].Facts[2].Value = strings.Repeat("0", 64) }, "checkpoint 2: it is another than the one that entry 2 of chain checkpoint tells of"},

		"a checkpoint removed":          {func(c *tampered) { delete(c.vault.objects, key(2)) }, "checkpoint 2: it is missing"},
		"two checkpoints removed":       {func(c *tampered) { delete(c.vault.objects, key(2)); delete(c.vault.objects, key(3)) }, "checkpoint 2: it is missing, and so are all up to checkpoint 3"},
		"the first checkpoint removed":  {func(c *tampered) { delete(c.vault.objects, key(1)) }, "checkpoint 1: it is missing"},
		"the last checkpoint removed":   {func(c *tampered) { delete(c.vault.objects, key(4)) }, "checkpoint 4: it is missing: entry 4 of chain checkpoint tells of it"},
		"a checkpoint changed":          {func(c *tampered) { c.vault.objects[key(2)][40] ^= 1 }, "checkpoint 2, checkpoints/000000000002.jws: it is not what was signed"},
		"two checkpoints change places": {func(c *tampered) { o := c.vault.objects; o[key(2)], o[key(3)] = o[key(3)], o[key(2)] }, "checkpoint 2, checkpoints/000000000002.jws: it is not what was signed: checkpoint 3 stands in its place"},
		"a checkpoint of a foreign key": {func(c *tampered) { resign(t, c, 2, seal.NewRing(), jws.Kind, func(*checkpoint.Statement) {}) }, "checkpoint 2, checkpoints/000000000002.jws: it is not what was signed"},
		"another document of our key":   {func(c *tampered) { resign(t, c, 2, w.ring, "erasure-certificate+jws", func(*checkpoint.Statement) {}) }, "checkpoint 2, checkpoints/000000000002.jws: it is not what was signed"},
		"a checkpoint signed anew":      {func(c *tampered) { resign(t, c, 2, w.ring, jws.Kind, func(st *checkpoint.Statement) { st.Count++ }) }, "checkpoint 2"},
		"the same checkpoint signed anew": {func(c *tampered) {
			resign(t, c, 2, w.ring, jws.Kind, func(st *checkpoint.Statement) { st.At = st.At.Add(time.Second) })
		}, "checkpoint 3, checkpoints/000000000003.jws: it does not follow from checkpoint 2"},
		"the last one signed anew": {func(c *tampered) {
			resign(t, c, 4, w.ring, jws.Kind, func(st *checkpoint.Statement) { st.At = st.At.Add(time.Second) })
		}, "checkpoint 4: it is another than the one that entry 4"},
		"a checkpoint of another format": {func(c *tampered) {
			resign(t, c, 4, w.ring, jws.Kind, func(st *checkpoint.Statement) { st.Version = "2" })
		}, "checkpoint 4, checkpoints/000000000004.jws: it is not what was signed: its format is unknown"},
		"a checkpoint added":          {func(c *tampered) { c.vault.objects[key(5)] = c.vault.objects[key(4)] }, "checkpoint 5, checkpoints/000000000005.jws: it is not what was signed: checkpoint 4 stands"},
		"a checkpoint far away":       {func(c *tampered) { c.vault.objects["checkpoints/999999999999.jws"] = c.vault.objects[key(4)] }, "checkpoint 5: it is missing, and so are all up to"},
		"a checkpoint that was noted": {func(c *tampered) { c.known = map[int64]string{2: strings.Repeat("0", 64)} }, "checkpoint 2: it is another than the one that was noted"},
		"a checkpoint noted and gone": {func(c *tampered) { c.known = map[int64]string{7: strings.Repeat("0", 64)} }, "checkpoint 7: it is missing: it was noted"},

		"a leaf changed": {func(c *tampered) { changeHex(c.vault.objects[leavesOf(2)], "request#r1 3 ") }, "checkpoint 2, entry 3 of chain request#r1, leaves/"},
		"a leaf removed": {func(c *tampered) { k := leavesOf(2); c.vault.objects[k] = dropLine(c.vault.objects[k], 1) }, "checkpoint 2, entry 2 of chain consent#i1, leaves/"},
		"a leaf added": {func(c *tampered) {
			k := leavesOf(2)
			c.vault.objects[k] = append(c.vault.objects[k], ("request#r9 1 " + strings.Repeat("0", 64) + "\n")...)
		}, "checkpoint 2, entry 1 of chain request#r9, leaves/"},
		"leaves change places": {func(c *tampered) { k := leavesOf(2); c.vault.objects[k] = moveLine(c.vault.objects[k]) }, "checkpoint 2, leaves/"},
		"leaves cut short":     {func(c *tampered) { k := leavesOf(2); c.vault.objects[k] = c.vault.objects[k][:70] }, "checkpoint 2, leaves/"},
		"leaves removed":       {func(c *tampered) { delete(c.vault.objects, leavesOf(2)) }, "checkpoint 2, leaves/"},
		"a batch changed":      {func(c *tampered) { c.vault.objects[batchOf(2, 0)][60] ^= 1 }, "checkpoint 2, batches/2026-03-02/"},
		"a batch removed":      {func(c *tampered) { delete(c.vault.objects, batchOf(3, 1)) }, "checkpoint 3, batches/2026-03-02/"},
		"a batch that waits": {func(c *tampered) {
			for _, k := range c.vault.keys("batches/") {
				if !w.wasTaken(k) {
					c.vault.objects[k][70] ^= 1
				}
			}
		}, "batches/2026-03-02/"},
		"something else": {func(c *tampered) { c.vault.objects["checkpoints/readme.txt"] = []byte("x") }, "checkpoints/readme.txt: it is no object of ours"},
	} {
		c2 := w.copy()
		c.do(c2)
		v := w.judge(c2)
		named := func(f checkpoint.Fault) bool {
			return strings.HasPrefix(f.String(), c.want) || strings.HasSuffix(f.String(), c.want)
		}
		switch {
		case len(v.Faults) == 0:
			t.Errorf("%s: nobody noticed", name)
		case !slices.ContainsFunc(v.Faults, named):
			t.Errorf("%s: %v", name, v.Faults)
		case len(v.Faults) > 6:
			t.Errorf("%s: %d faults for one change: %v", name, len(v.Faults), v.Faults)
		}
	}
	if v := w.judge(w.copy()); len(v.Faults) > 0 {
		t.Errorf("unchanged: %v", v.Faults)
	}
}

// wasTaken reports whether a checkpoint took a batch.
func (w *world) wasTaken(key string) bool {
	for _, k := range w.vault.keys("checkpoints/") {
		if slices.Contains(said(w.t, w.vault.objects[k]).Batches, key) {
			return true
		}
	}
	return false
}

func changeHex(b []byte, after string) {
	i := strings.Index(string(b), after) + len(after)
	b[i] = map[bool]byte{true: '1', false: '0'}[b[i] == '0']
}

func dropLine(b []byte, n int) []byte {
	lines := strings.SplitAfter(string(b), "\n")
	return []byte(strings.Join(slices.Delete(lines, n, n+1), ""))
}

func moveLine(b []byte) []byte {
	lines := strings.SplitAfter(string(b), "\n")
	lines[0], lines[1] = lines[1], lines[0]
	return []byte(strings.Join(lines, ""))
}

// Each byte of each object counts, and so does each object.
func TestEveryByteOfEveryObjectCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	for range 2 {
		w.add("request#r1", 2)
		w.deliver(s, 2)
		w.run(s)
		w.turn(time.Hour)
	}
	w.good()
	all := w.all()
	tried, keys := 0, w.vault.keys("")
	for _, key := range keys {
		for i := 0; i < len(w.vault.objects[key]); i += stride {
			c := w.vault.clone()
			b := slices.Clone(c.objects[key])
			b[i] ^= 1 << (i % 8)
			c.objects[key] = b
			v := w.verify(c, all)
			if !slices.ContainsFunc(v.Faults, func(f checkpoint.Fault) bool { return f.Object == key }) {
				t.Fatalf("byte %d of %s: %v", i, key, v.Faults)
			}
			tried++
		}
		c := w.vault.clone()
		delete(c.objects, key)
		if v := w.verify(c, all); len(v.Faults) == 0 {
			t.Errorf("nobody missed %s", key)
		}
		tried++
	}
	fmt.Printf("PROOF checkpoints: %d changes of one byte, or removals of one object, in %d objects: each is found, and its object named\n", tried, len(keys))
}

// Each entry counts, each byte of it, and its place.
func TestEveryByteOfEveryEntryCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 3)
	w.add("consent#i1", 2)
	w.deliver(s, 2)
	w.run(s)
	w.turn(time.Hour)
	w.deliver(s, 100)
	w.run(s)
	w.good()
	all := w.all()
	if len(all) < 6 {
		t.Fatalf("%d entries", len(all))
	}
	tried := 0
	for n, b := range all {
		e, err := audit.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if e.Chain == "checkpoint" && e.Seq == 2 {
			continue // it came after the last checkpoint
		}
		for i := 0; i < len(b); i += stride {
			changed := slices.Clone(all)
			changed[n] = slices.Clone(b)
			changed[n][i] ^= 1 << (i % 8)
			if v := w.verify(w.vault, changed); len(v.Faults) == 0 {
				t.Fatalf("byte %d of entry %d of %s was changed, and nobody noticed", i, e.Seq, e.Chain)
			}
			tried++
		}
		v := w.verify(w.vault, slices.Delete(slices.Clone(all), n, n+1))
		if !slices.ContainsFunc(v.Faults, func(f checkpoint.Fault) bool { return f.Chain == e.Chain && f.Seq == e.Seq }) {
			t.Errorf("entry %d of %s was removed: %v", e.Seq, e.Chain, v.Faults)
		}
		tried++
	}
	slices.Reverse(all)
	if v := w.verify(w.vault, all); len(v.Faults) > 0 {
		t.Errorf("the order of the file is no matter: %v", v.Faults)
	}
	fmt.Printf("PROOF checkpoints: %d changes of one byte, or removals of one entry: each is found\n", tried)
}

// Entries expire, from the front of their chains; those that are kept are verified by
// what is left of the chain and what was sealed.
func TestExpiredEntriesMayBeGone(t *testing.T) {
	t.Parallel()
	w := sealedWorld(t)
	c := w.copy()
	c.entries["request#r1"] = c.entries["request#r1"][4:] // sealed at 10:00 and 11:00
	delete(c.entries, "consent#i1")
	since := func(at time.Time) func(*checkpoint.Evidence) { return func(e *checkpoint.Evidence) { e.Since = at } }
	begin := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	if v := w.judge(c); len(v.Faults) != 4+4 {
		t.Errorf("if nothing expires: %v", v.Faults)
	}
	if v := w.judge(c, since(begin.Add(90*time.Minute))); len(v.Faults) != 2 || v.Expired != 4+2 || v.Faults[0].Chain != "consent#i1" {
		t.Errorf("if what was sealed before 11:30 may be gone: %d, %v", v.Expired, v.Faults)
	}
	c.entries["request#r1"] = slices.Delete(c.entries["request#r1"], 1, 2)
	if v := w.judge(c, since(begin.Add(24*time.Hour))); len(v.Faults) != 1 || v.Faults[0].Seq != 6 {
		t.Errorf("nothing expires in the middle: %v", v.Faults)
	}
}

// An entry that no batch brought is covered by a later one of its chain, which holds
// its hash.
func TestALostEntryIsCoveredByTheNextOfItsChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 3)
	stream := w.taken()
	if err := s.Record(t.Context(), []audit.Entry{stream[0], stream[2]}); err != nil {
		t.Fatal(err)
	}
	w.run(s)
	if v := w.good(); v.Sealed != 3 {
		t.Errorf("%+v", v)
	}
	c := w.copy()
	c.entries["request#r1"][1].Actor = "clock"
	if v := w.judge(c); len(v.Faults) != 1 || v.Faults[0].Seq != 3 {
		t.Errorf("%v", v.Faults)
	}
	c.entries["request#r1"] = slices.Delete(c.entries["request#r1"], 1, 2)
	if v := w.judge(c); len(v.Faults) != 1 || v.Faults[0].Seq != 2 {
		t.Errorf("%v", v.Faults)
	}
	// The last of its chain is covered by nothing, and named.
	w.deliver(s, 100)
	w.add("request#r2", 1)
	w.taken()
	w.turn(2 * time.Hour)
	w.run(s)
	if v := w.verify(w.vault, w.all()); len(v.Faults) != 1 || v.Faults[0].Chain != "request#r2" || !strings.Contains(v.Faults[0].Why, "no checkpoint covers it") {
		t.Errorf("%v", v.Faults)
	}
}

// Other entries under the same names, sealed later, do not pass for the first.
func TestAnEntrySealedWithTwoContentsIsNamed(t *testing.T) {
	t.Parallel()
	w := sealedWorld(t)
	s := w.plain()
	e := w.entries["request#r1"][0]
	e.Actor = "clock"
	if err := s.Record(t.Context(), []audit.Entry{e}); err != nil {
		t.Fatal(err)
	}
	w.run(s)
	for _, entry := range []audit.Entry{e, w.entries["request#r1"][0]} {
		c := w.copy()
		c.entries["request#r1"][0] = entry
		if v := w.judge(c); len(v.Faults) == 0 || v.Faults[0].Chain != "request#r1" || v.Faults[0].Seq != 1 {
			t.Errorf("%v", v.Faults)
		}
	}
}

func TestFaultsAreCountedWhenThereAreTooMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 1200 {
		w.vault.objects[fmt.Sprintf("odd/%d", n)] = nil
	}
	if v := w.verify(w.vault, nil); len(v.Faults) != 1000 || v.More != 200 {
		t.Errorf("%d and %d", len(v.Faults), v.More)
	}
}

// The clocks of two machines are never quite the same, and one may be set: who makes the
// next checkpoint must not look like somebody who replaced the one before.
func TestAClockThatGoesBackIsNoFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	for range 3 {
		w.add("request#a", 2)
		w.deliver(s, 10)
		w.run(s)
		w.turn(-time.Second)
	}
	if v := w.good(); v.Checkpoints != 3 {
		t.Errorf("%+v", v)
	}
}
