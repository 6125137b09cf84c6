package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
)

// settled runs a process that lives until everything is sealed, and verifies it.
func (w *world) settled() checkpoint.Verdict {
	w.t.Helper()
	s := w.plain()
	for range 2 {
		w.deliver(s, 100)
		w.run(s)
		w.turn(time.Hour)
	}
	v := w.good()
	if v.Waiting > 1 || v.Pending > 0 {
		w.t.Fatalf("%+v", v)
	}
	return v
}

// A job that dies at any call, before or after it was done, leaves what the next one
// finishes: no entry is lost, and there is one chain of checkpoints.
func TestAJobMayDieAtEveryCall(t *testing.T) {
	t.Parallel()
	deaths := 0
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			w := newWorld(t)
			w.add("request#r1", 3)
			w.deliver(w.plain(), 2)
			w.run(w.plain())
			w.turn(time.Hour)
			w.add("request#r1", 5)
			w.deliver(w.plain(), 2)
			dying, f := w.mortal(n, after)
			_, err := dying.Run(t.Context())
			if !f.burnt {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			deaths++
			w.add("request#r2", 1) // something goes on meanwhile
			if v := w.settled(); v.Sealed < 9 {
				t.Fatalf("killed at call %d: %+v", n, v)
			}
		}
	}
	if deaths < 12 {
		t.Errorf("it died %d times only", deaths)
	}
	fmt.Printf("PROOF checkpoints: a job killed at each of its calls, before and after, %d times: one chain, every entry sealed\n", deaths)
}

// Whoever tells of entries and dies at any call is told of them again.
func TestADeliveryMayDieAtEveryCall(t *testing.T) {
	t.Parallel()
	deaths := 0
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			w := newWorld(t)
			w.add("request#r1", 5)
			entries := w.taken()
			dying, f := w.mortal(n, after)
			err := dying.Record(t.Context(), entries)
			if !f.burnt {
				break
			}
			deaths++
			if err == nil {
				t.Fatalf("killed at call %d, and the stream believes that it was told", n)
			}
			// Not a stream but a feed tells again, which died as well: it asks what is filed.
			filed, err := w.plain().Filed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if done := len(filed) == len(entries); done != (after && n == 1) || !done && len(filed) > 0 {
				t.Errorf("killed at call %d (after it: %t), and %d of %d are filed", n, after, len(filed), len(entries))
			}
			w.mu.Lock()
			for _, e := range slices.Backward(entries) {
				if !filed[checkpoint.LeafOf(e)] {
					w.stream = append([]audit.Entry{e}, w.stream...)
				}
			}
			w.mu.Unlock()
			if v := w.settled(); v.Leaves != 6 {
				t.Fatalf("killed at call %d: %+v", n, v)
			}
		}
	}
	if deaths != 4 {
		t.Errorf("it died %d times", deaths)
	}
}

// A stream brings entries twice, late, cut otherwise and in any order. All ends in one
// chain of checkpoints that covers each of them.
func TestDeliveriesInAnyOrderEndInOneChain(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		s := w.plain()
		var late []audit.Entry
		for range 6 {
			for range 1 + random.IntN(5) {
				w.add(fmt.Sprintf("request#r%d", random.IntN(4)), 1+random.IntN(4))
			}
			entries := append(w.taken(), late...)
			late = nil
			if random.IntN(2) == 0 {
				random.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
			}
			for len(entries) > 0 {
				n := 1 + random.IntN(min(5, len(entries)))
				chunk := entries[:n]
				switch random.IntN(5) {
				case 0:
					late = append(late, chunk...)
				case 1: // told twice, the second time in the next hour
					late = append(late, chunk...)
					fallthrough
				case 2:
					chunk = slices.Concat(chunk, chunk[:1])
					fallthrough
				default:
					for range 1 + random.IntN(2) {
						if err := s.Record(t.Context(), chunk); err != nil {
							t.Fatal(err)
						}
					}
				}
				entries = entries[n:]
			}
			if _, err := s.Run(t.Context()); err != nil && !strings.Contains(err.Error(), "no entry of the audit arrives") {
				t.Fatal(err)
			}
			w.turn(time.Hour)
		}
		w.mu.Lock()
		w.stream = append(w.stream, late...)
		w.mu.Unlock()
		w.settled()
	}
}

// Two runs at once, or many, do not make two chains, whatever the store does to them.
func TestRunsAtOnceDoNotFork(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		w := newWorld(t)
		store := hostile.New(w.store, seed, w.now)
		ours := 0
		for range 5 {
			w.add("request#r1", 4)
			w.add("request#r2", 3)
			w.deliver(w.plain(), 2)
			var all sync.WaitGroup
			var mu sync.Mutex
			for range 4 {
				all.Go(func() {
					rep, err := w.service(store, w.vault).Run(t.Context())
					mu.Lock()
					defer mu.Unlock()
					ours += rep.Checkpoints
					if err != nil && !errors.Is(err, table.ErrBusy) && !errors.Is(err, table.ErrUnknown) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			w.turn(time.Hour)
		}
		v := w.settled()
		if v.Leaves > v.Sealed+20 {
			t.Errorf("%d leaves for %d entries", v.Leaves, v.Sealed)
		}
	}
}

// flaky is a vault that loses answers and calls.
type flaky struct {
	checkpoint.Vault
	mu     sync.Mutex
	random *rand.Rand
}

func (f *flaky) strikes() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(6) == 0
}

var errLost = errors.New("the answer is lost")

func (f *flaky) Put(ctx context.Context, key string, body []byte) error {
	if f.strikes() {
		return errLost
	}
	err := f.Vault.Put(ctx, key, body)
	if f.strikes() {
		return errLost
	}
	return err
}

func (f *flaky) Get(ctx context.Context, key string) ([]byte, error) {
	if f.strikes() {
		return nil, errLost
	}
	return f.Vault.Get(ctx, key)
}

func TestAVaultMayLoseItsAnswers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		w := newWorld(t)
		s := w.service(hostile.New(w.store, seed, w.now), &flaky{Vault: w.vault, random: rand.New(rand.NewPCG(seed, 2))})
		for range 6 {
			w.add("request#r1", 3)
			for chunk := range slices.Chunk(w.taken(), 2) {
				for s.Record(t.Context(), chunk) != nil { // a stream tries again
				}
			}
			if _, err := s.Run(t.Context()); err != nil && !errors.Is(err, errLost) && !errors.Is(err, table.ErrBusy) && !errors.Is(err, table.ErrUnknown) {
				t.Fatal(err)
			}
			w.turn(time.Hour)
		}
		w.settled()
	}
}

// What is in the vault under the next number and is not ours stops the run.
func TestAForeignCheckpointIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 1)
	w.deliver(s, 1)
	w.run(s)
	w.deliver(s, 1)
	first := w.vault.objects[checkpoint.CheckpointKey(1)]
	for name, c := range map[string]struct {
		object []byte
		want   string
	}{
		"nonsense":              {[]byte("nonsense"), "not a signed"},
		"an earlier one":        {first, "checkpoint 1 stands in its place"},
		"one of another branch": {w.branch(), "it does not follow from checkpoint 1"},
	} {
		w.vault.objects[checkpoint.CheckpointKey(2)] = c.object
		if _, err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	delete(w.vault.objects, checkpoint.CheckpointKey(2))
	w.settled()
}

// branch is checkpoint 2 after another checkpoint 1 of the same key.
func (w *world) branch() []byte {
	w.t.Helper()
	other := newWorld(w.t)
	other.ring = w.ring
	other.turn(time.Minute)
	for range 2 {
		other.deliver(other.plain(), 1)
		other.run(other.plain())
	}
	return other.vault.objects[checkpoint.CheckpointKey(2)]
}

// If the stream stops, the run fails, also where nobody asked for anything: the entry
// of the checkpoint before is the probe.
func TestAStreamThatStoppedRings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.run(s)
	w.turn(checkpoint.Patience)
	if _, err := s.Run(t.Context()); err != nil {
		t.Errorf("too early: %v", err)
	}
	w.turn(time.Second)
	for range 2 {
		if _, err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no entry of the audit arrives: entry 1 of chain checkpoint") {
			t.Errorf("%v", err)
		}
		w.turn(time.Hour)
	}
	w.deliver(s, 100)
	w.run(s)
	w.good()
}

// A batch that somebody changed or removed is no reason to leave others unsealed, and
// the run fails until it is back.
func TestABatchThatCannotBeReadRings(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*memory, string){
		func(m *memory, key string) { delete(m.objects, key) },
		func(m *memory, key string) { m.objects[key] = append([]byte("a"), m.objects[key]...) },
	} {
		w := newWorld(t)
		s := w.plain()
		w.add("request#r1", 4)
		w.deliver(s, 2)
		key := w.vault.keys("batches/")[0]
		was := w.vault.objects[key]
		change(w.vault, key)
		for n := range 2 {
			rep, err := s.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), key) || rep.Failed != 1 || rep.Batches != 1-n {
				t.Errorf("%+v, %v", rep, err)
			}
		}
		if !strings.Contains(w.log.String(), "level=ERROR") {
			t.Errorf("it logs %s", w.log)
		}
		w.vault.objects[key] = was
		if v := w.settled(); v.Sealed < 4 {
			t.Errorf("%+v", v)
		}
	}
}

// A run that ends with its time is no failure, as long as the next one keeps up.
func TestARunThatHasTooMuchToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 3*checkpoint.Takes)
	w.deliver(s, 1)
	stopping := func() (checkpoint.Report, error) {
		ctx, cancel := context.WithCancel(t.Context())
		return w.service(w.store, endsAfter{w.vault, "checkpoints/", cancel}).Run(ctx)
	}
	if rep, err := stopping(); !errors.Is(err, context.Canceled) || rep.Batches != checkpoint.Takes {
		t.Errorf("%+v, %v", rep, err)
	}
	w.turn(2 * time.Hour)
	if rep, err := stopping(); err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "more batches than a run can take") || rep.Batches != checkpoint.Takes {
		t.Errorf("%+v, %v", rep, err)
	}
	w.settled()
}

// endsAfter ends a run's time once it has written one object.
type endsAfter struct {
	*memory
	prefix string
	end    func()
}

func (e endsAfter) Put(ctx context.Context, key string, body []byte) error {
	if strings.HasPrefix(key, e.prefix) {
		defer e.end()
	}
	return e.memory.Put(ctx, key, body)
}

func TestAnEntryThatComesWithTwoContentsIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.plain()
	w.add("request#r1", 1)
	e := w.taken()[0]
	other := e
	other.Actor = "clock"
	if err := s.Record(t.Context(), []audit.Entry{e, other}); err != nil {
		t.Fatal(err)
	}
	w.run(s)
	if !strings.Contains(w.log.String(), "level=ERROR") || !strings.Contains(w.log.String(), "chain=request#r1") {
		t.Errorf("it logs %s", w.log)
	}
}
