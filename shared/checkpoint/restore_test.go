package checkpoint_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

// state copies what the package owns in the State table.
func (w *world) state() (items []table.Item) {
	w.t.Helper()
	for _, partition := range []string{"checkpoint", "checkpoint#batch"} {
		q := table.Query{Table: table.State, Partition: partition}
		for {
			page, err := w.store.Query(w.t.Context(), q)
			if err != nil {
				w.t.Fatal(err)
			}
			items = append(items, page.Items...)
			if q.Cursor = page.Cursor; q.Cursor == "" {
				break
			}
		}
	}
	return items
}

// restored puts the State table back to a copy.
func (w *world) restored(copied []table.Item) {
	w.t.Helper()
	commit := func(write table.Write) {
		if err := w.store.Commit(w.t.Context(), table.NewID(), write); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, item := range w.state() {
		commit(table.Delete(table.Ref{Table: table.State, Key: item.Key}, table.Exists))
	}
	for _, item := range copied {
		commit(table.Put(table.State, table.Item{Key: item.Key, Body: item.Body, Schema: item.Schema}, table.New))
	}
}

// replay does what a replay does with the chain of checkpoints.
func (w *world) replay() restore.Outcome {
	w.t.Helper()
	out, err := w.plain().Restore(w.t.Context(), "checkpoint", w.entries["checkpoint"])
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// After the State table was restored from a copy, no batch that was written since is
// forgotten, and the chain of checkpoints goes on from its end.
func TestARestoredStateGoesOnWhereTheVaultEnds(t *testing.T) {
	t.Parallel()
	for name, far := range map[string]int{"an hour ago": 1, "ten hours ago": 10} {
		for _, none := range []bool{false, true} {
			w := newWorld(t)
			s := w.plain()
			hour := func() {
				w.add("request#r1", 3)
				w.deliver(s, 2)
				w.run(s)
				w.turn(time.Hour)
			}
			hour()
			w.add("request#r2", 1)
			w.deliver(s, 1)
			copied := w.state() // with the mark of a batch that is sealed later
			if none {
				copied = nil
			}
			for range far {
				hour()
			}
			w.add("request#r3", 2)
			w.deliver(s, 1) // batches whose marks the copy does not have
			w.restored(copied)

			if out := w.replay(); out.What != map[bool]restore.What{false: restore.Advanced, true: restore.Remade}[none] || out.Ahead != 0 {
				t.Errorf("%s: %+v", name, out)
			}
			if out := w.replay(); out.What != restore.Stood {
				t.Errorf("%s, again: %+v", name, out)
			}
			if v := w.settled(); v.Waiting > 1 || v.Sealed < 3*far+6 {
				t.Errorf("%s: %+v", name, v)
			}
			if before, v := w.state(), w.good(); len(before) != 1 || v.Pending > 0 {
				t.Errorf("%s: %d items, %+v", name, len(before), v)
			}
		}
	}
}

// Before a replay the head is older than its chain. The run says so instead of making a
// second chain.
func TestARunBeforeTheReplaySaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 1)
	w.deliver(s, 2)
	w.run(s)
	copied := w.state()
	w.turn(time.Hour)
	w.deliver(s, 2)
	w.run(s)
	w.turn(time.Hour)
	w.restored(copied)
	w.deliver(s, 2)
	for range 2 {
		if _, err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "Start a replay") {
			t.Errorf("%v", err)
		}
	}
	w.replay()
	w.settled()
}

// A checkpoint that a run wrote before it died is taken over after a replay, too.
func TestARestoredStateTakesOverWhatNoEntryTellsOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 1)
	w.deliver(s, 2)
	w.run(s)
	copied := w.state()
	w.turn(time.Hour)
	w.deliver(s, 2)
	w.run(s)
	w.turn(time.Hour)
	w.add("request#r1", 2)
	w.deliver(s, 2)
	died := w.service(mortalCommit{w.store}, w.vault)
	if _, err := died.Run(t.Context()); err == nil || len(w.vault.keys("checkpoints/")) != 3 {
		t.Fatalf("%v, %v", err, w.vault.keys("checkpoints/"))
	}
	w.restored(copied)
	w.replay()
	if v := w.settled(); v.Checkpoints < 4 || v.Sealed < 5 {
		t.Errorf("%+v", v)
	}
}

// mortalCommit is a process that dies at its first commit.
type mortalCommit struct{ table.Table }

func (mortalCommit) Commit(context.Context, table.ID, ...table.Write) error { return errDead }
