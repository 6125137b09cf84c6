package checkpoint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// memory is a vault that counts its calls.
type memory struct {
	mu               sync.Mutex
	objects          map[string][]byte
	puts, gets, size int
	page             int
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}, page: 7} }

func (m *memory) Put(_ context.Context, key string, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts++
	if _, ok := m.objects[key]; ok {
		return checkpoint.ErrThere
	}
	m.objects[key] = bytes.Clone(body)
	m.size += len(body)
	return nil
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gets++
	b, ok := m.objects[key]
	if !ok {
		return nil, fmt.Errorf("get %s: %w", key, checkpoint.ErrAbsent)
	}
	return bytes.Clone(b), nil
}

func (m *memory) List(_ context.Context, prefix, after string) (keys []string, err error) {
	for _, key := range m.keys(prefix) {
		if key > after && len(keys) < m.page {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (m *memory) keys(prefix string) (keys []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (m *memory) clone() *memory {
	c := newMemory()
	for key, b := range m.objects {
		c.objects[key] = bytes.Clone(b)
	}
	return c
}

// world is an installation that records and seals.
type world struct {
	t     *testing.T
	mu    sync.Mutex
	at    time.Time
	store table.Table
	vault *memory
	ring  *seal.Ring
	pol   *policy.Policy
	log   *bytes.Buffer

	heads   map[string]audit.Head
	entries map[string][]audit.Entry // the audit, by chain
	stream  []audit.Entry            // what nobody was told of yet
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), vault: newMemory(), ring: seal.NewRing(), log: &bytes.Buffer{},
		pol: &policy.Policy{}, heads: map[string]audit.Head{}, entries: map[string][]audit.Entry{},
	}
	w.pol.Retention.Audit = policy.Period{Years: 6}
	w.store = recorded{tabletest.Embedded(t, w.now), w}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) turn(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// recorded puts entries of the audit into the stream once they are committed.
type recorded struct {
	table.Table
	w *world
}

func (r recorded) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := r.Table.Commit(ctx, id, writes...); err != nil {
		return err
	}
	for _, write := range writes {
		if write.Ref.Table != table.Audit {
			continue
		}
		e, err := audit.Decode(write.Item.Body)
		if err != nil {
			return err
		}
		r.w.mu.Lock()
		// A commit that is repeated after its answer was lost was committed once.
		if known := r.w.entries[e.Chain]; len(known) == 0 || known[len(known)-1].Seq < e.Seq {
			r.w.entries[e.Chain] = append(known, e)
			r.w.stream = append(r.w.stream, e)
		}
		r.w.mu.Unlock()
	}
	return nil
}

// service is a process of the relay. Its store and its vault may be others than those
// of the world, around them.
func (w *world) service(store table.Table, vault checkpoint.Vault) *checkpoint.Service {
	return &checkpoint.Service{
		Table: table.Steady(store, func(context.Context, time.Duration) error { return nil }), Policy: w.pol, Now: w.now, BaseURL: "https://desk.example.org",
		Log: slog.New(slog.NewTextHandler(&locked{w: w}, nil)), Vault: vault, Signer: jws.Signer{Ring: func() *seal.Ring { return w.ring }},
	}
}

type locked struct{ w *world }

func (l *locked) Write(b []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.log.Write(b)
}

func (w *world) plain() *checkpoint.Service { return w.service(w.store, w.vault) }

// add records n entries in a chain.
func (w *world) add(chain string, n int) {
	for range n {
		e, head := w.heads[chain].Append(audit.Entry{
			Chain: chain, At: w.now(), Actor: "person", Action: "asked", Commit: string(table.NewID()), Facts: []audit.Fact{{Name: "right", Value: "access"}},
		})
		w.heads[chain] = head
		w.entries[chain] = append(w.entries[chain], e)
		w.stream = append(w.stream, e)
	}
}

// taken empties the stream and returns what it held.
func (w *world) taken() []audit.Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stream
	w.stream = nil
	return s
}

// deliver tells the service what the stream holds, a few entries at a time.
func (w *world) deliver(s *checkpoint.Service, few int) {
	w.t.Helper()
	for chunk := range slices.Chunk(w.taken(), few) {
		if err := s.Record(w.t.Context(), chunk); err != nil {
			w.t.Fatal(err)
		}
	}
}

// run makes checkpoints and expects that to go well.
func (w *world) run(s *checkpoint.Service) checkpoint.Report {
	w.t.Helper()
	rep, err := s.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return rep
}

func (w *world) keys() jws.Keys {
	w.t.Helper()
	b, err := (&receipt.Maker{Ring: w.ring}).JWKS()
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// all are the encoded entries of the audit.
func (w *world) all() [][]byte {
	var all [][]byte
	for _, chain := range slices.Sorted(maps.Keys(w.entries)) {
		for _, e := range w.entries[chain] {
			all = append(all, e.Encode())
		}
	}
	return all
}

func each(list [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, b := range list {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// verify checks what a vault holds against a list of entries.
func (w *world) verify(vault checkpoint.Vault, entries [][]byte, change ...func(*checkpoint.Evidence)) checkpoint.Verdict {
	w.t.Helper()
	e := checkpoint.Evidence{Vault: vault, Keys: w.keys(), Entries: each(entries)}
	for _, c := range change {
		c(&e)
	}
	v, err := checkpoint.Verify(w.t.Context(), e)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// good verifies everything as it is and expects no fault.
func (w *world) good() checkpoint.Verdict {
	w.t.Helper()
	v := w.verify(w.vault, w.all())
	if len(v.Faults) > 0 {
		w.t.Fatalf("%d faults, first %s\n%s", len(v.Faults), v.Faults[0], w.log)
	}
	return v
}

// errDead is what everything answers once a process has died.
var errDead = errors.New("the process died")

// fuse kills a process at its n-th call, before or after the call was done.
type fuse struct {
	mu    sync.Mutex
	left  int // calls that still go well; negative: it never burns
	after bool
	burnt bool
}

// call makes a call of the process.
func (f *fuse) call(do func() error) error {
	f.mu.Lock()
	if f.burnt {
		f.mu.Unlock()
		return errDead
	}
	if f.left == 0 {
		f.burnt = true
	}
	f.left--
	burns := f.burnt
	f.mu.Unlock()
	if burns && !f.after {
		return errDead
	}
	err := do()
	if burns {
		return errDead
	}
	return err
}

type mortalTable struct {
	table.Table
	*fuse
}

func (m mortalTable) Get(ctx context.Context, ref table.Ref) (it table.Item, err error) {
	err = m.call(func() error { it, err = m.Table.Get(ctx, ref); return err })
	return it, err
}

func (m mortalTable) Query(ctx context.Context, q table.Query) (p table.Page, err error) {
	err = m.call(func() error { p, err = m.Table.Query(ctx, q); return err })
	return p, err
}

func (m mortalTable) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	return m.call(func() error { return m.Table.Commit(ctx, id, writes...) })
}

type mortalVault struct {
	checkpoint.Vault
	*fuse
}

func (m mortalVault) Put(ctx context.Context, key string, body []byte) error {
	return m.call(func() error { return m.Vault.Put(ctx, key, body) })
}

func (m mortalVault) Get(ctx context.Context, key string) (b []byte, err error) {
	err = m.call(func() error { b, err = m.Vault.Get(ctx, key); return err })
	return b, err
}

func (m mortalVault) List(ctx context.Context, prefix, after string) (keys []string, err error) {
	err = m.call(func() error { keys, err = m.Vault.List(ctx, prefix, after); return err })
	return keys, err
}

// mortal is a process that dies at its n-th call.
func (w *world) mortal(n int, after bool) (*checkpoint.Service, *fuse) {
	f := &fuse{left: n, after: after}
	return w.service(mortalTable{w.store, f}, mortalVault{w.vault, f}), f
}
