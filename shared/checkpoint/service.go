package checkpoint

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

// Service seals the audit of one installation.
type Service struct {
	Table   table.Table
	Policy  *policy.Policy
	Now     func() time.Time
	BaseURL string // where the public keys are published; without a slash at the end
	Log     *slog.Logger
	Vault   Vault  // nil where nobody seals
	Signer  Signer // nil where nobody signs
	// Shortest returns the shortest time that any policy let entries be kept for that was ever
	// in force, given that of the one that is; zero says that there is none. Nil: there was
	// no other.
	Shortest func(context.Context, policy.Period) (policy.Period, error)
}

// chain is the name of the chain of checkpoints in the audit, and of its aggregate.
const chain = "checkpoint"

// ActionSeal is the action of an entry that tells of a checkpoint, and its facts.
const (
	ActionSeal     = "sealed"
	factN          = "n"
	factCount      = "count"
	factCheckpoint = "checkpoint" // SHA-256 of the checkpoint as it stands in the vault
)

const (
	schema = 1

	// batchOf is how many leaves a batch has at most.
	batchOf = 1000
	// takes is how many batches a checkpoint takes at most: their marks go in the commit
	// that moves the head.
	takes = table.MaxWrites - 5

	// Patience is how long an entry may stay unsealed before a run fails over it.
	Patience = 30 * time.Minute

	// Every is how often there is to be a run.
	Every = time.Hour
)

// head is the latest checkpoint.
type head struct {
	N    int64      `json:"n"`
	Hash string     `json:"hash"` // SHA-256 of its object
	At   time.Time  `json:"at"`
	Head audit.Head `json:"head"` // of the chain
	// Probe is an entry of the chain that no batch has brought yet. It came into being
	// like any other, so if it does not arrive nothing arrives.
	Probe *probe `json:"probe,omitempty"`
	// Refile says that marks were lost with a State table that was restored: those of
	// batches since then are set again.
	Refile *time.Time `json:"refile,omitempty"`

	version int64
}

type probe struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
}

// mark says that a batch waits for a checkpoint.
type mark struct {
	Key string    `json:"key"` // of its object
	At  time.Time `json:"at"`
}

var headRef = table.Ref{Table: table.State, Key: table.Key{Partition: chain, Sort: "-"}}

const marks = chain + "#batch"

func markRef(hash string) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: marks, Sort: hash}}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Record seals entries into batches, each of which waits for the next checkpoint. It
// may be told of an entry twice, late and in any order.
func (s *Service) Record(ctx context.Context, entries []audit.Entry) error {
	for len(entries) > 0 {
		n := min(len(entries), batchOf)
		if err := s.file(ctx, entries[:n]); err != nil {
			return fmt.Errorf("seal %d entries: %w", n, err)
		}
		entries = entries[n:]
	}
	return nil
}

func (s *Service) file(ctx context.Context, entries []audit.Entry) error {
	var newest time.Time
	leaves := make([]Leaf, 0, len(entries))
	for _, e := range entries {
		if e.Chain == "" || strings.ContainsAny(e.Chain, "\n\r") || e.Seq < 1 {
			return fmt.Errorf("entry %d of chain %q cannot be named in a batch", e.Seq, e.Chain)
		}
		leaves = append(leaves, LeafOf(e))
		if e.At.After(newest) {
			newest = e.At
		}
	}
	body := encode(sorted(leaves))
	key := batchKey(newest, body)
	if err := s.Vault.Put(ctx, key, body); err != nil && !errors.Is(err, ErrThere) {
		return err
	}
	return s.mark(ctx, key)
}

// mark files a batch for the next checkpoint. One that a checkpoint took before is
// taken again, which changes nothing.
func (s *Service) mark(ctx context.Context, key string) error {
	hash, _ := batchHash(key)
	body, err := json.Marshal(mark{Key: key, At: s.now()})
	if err != nil {
		return err
	}
	err = s.Table.Commit(ctx, table.NewID(), table.Put(table.State, table.Item{Key: markRef(hash).Key, Schema: schema, Body: body}, table.New))
	if errors.Is(err, table.ErrConflict) {
		return nil // it is filed
	}
	return err
}

// load returns the head; the zero one if there is no checkpoint.
func (s *Service) load(ctx context.Context) (head, error) {
	item, err := s.Table.Get(ctx, headRef)
	if errors.Is(err, table.ErrAbsent) {
		return head{}, nil
	}
	if err != nil {
		return head{}, fmt.Errorf("load the head of checkpoints: %w", err)
	}
	h := head{version: item.Version}
	if err := json.Unmarshal(item.Body, &h); err != nil || item.Schema != schema {
		return head{}, fmt.Errorf("the head of checkpoints is of a schema (%d) that this release cannot read", item.Schema)
	}
	return h, nil
}

// save returns the writes that put a head with an entry of its chain.
func (s *Service) save(h head, e audit.Entry) ([]table.Write, error) {
	body, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	pre := table.New
	if h.version > 0 {
		pre = table.Version(h.version)
	}
	return []table.Write{
		table.Put(table.State, table.Item{Key: headRef.Key, Schema: schema, Body: body}, pre),
		table.Put(table.Audit, table.Item{
			Key: restore.EntryKey(chain, e.Seq), Schema: schema, Body: e.Encode(), Expires: s.Policy.Retention.Audit.After(e.At),
		}, table.New),
	}, nil
}

// Heads returns the chain of checkpoints, for its verification, where its key is asked
// for or the zero one.
func (s *Service) Heads(ctx context.Context, k table.Key) ([]audit.Chain, error) {
	if k != (table.Key{}) {
		return nil, nil
	}
	h, err := s.load(ctx)
	if err != nil || h.version == 0 {
		return nil, err
	}
	return []audit.Chain{{Name: chain, Head: h.Head}}, nil
}

// Report is what a run did.
type Report struct {
	Checkpoints int // that are new
	Batches     int // that they took
	Failed      int // batches that cannot be read
}

// Run makes checkpoints until no batch waits, and takes over those that another run
// made. It is an error if an entry has been waiting for longer than Patience, or if no
// entry arrives any more.
func (s *Service) Run(ctx context.Context) (rep Report, err error) {
	began := s.now()
	work := context.WithoutCancel(ctx) // a checkpoint that is begun is ended
	for {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		h, err := s.load(work)
		if err != nil {
			return rep, err
		}
		if err := s.refile(work, h); err != nil {
			return rep, err
		}
		page, err := s.waiting(work)
		if err != nil {
			return rep, err
		}
		rep.Failed = len(page.failed)
		if len(page.taken) == 0 && h.N > 0 {
			stalled := s.stalled(h, page, began)
			if stalled != nil {
				// Another run may have taken what this one missed, after this one read the head.
				if now, err := s.load(work); err == nil && now.version != h.version {
					continue
				}
			}
			return rep, stalled
		}
		moved, ours, err := s.advance(work, h, page)
		switch {
		case errors.Is(err, table.ErrConflict):
			// Another run moved the head: look again at what is left. A conflict about the
			// chain alone does not pass by itself.
			if now, again := s.load(work); again != nil || now.version == h.version {
				return rep, errors.Join(fmt.Errorf("the head of checkpoints is older than its chain in the audit; "+
					"was the State table restored? Start a replay: %w", err), again)
			}
			continue
		case err != nil:
			return rep, err
		}
		if ours {
			rep.Checkpoints++
			rep.Batches += len(page.taken)
		}
		if ours && !page.more {
			return rep, s.stalled(moved, page, began)
		}
		if late := behind(page, began); ctx.Err() != nil && late != nil {
			return rep, late
		}
	}
}

// behind is an error if runs that end when their time does leave batches waiting from
// one to the next.
func behind(page waiting, began time.Time) error {
	for _, m := range page.taken {
		if m.At.Before(began.Add(-Every - Patience)) {
			return fmt.Errorf("%w: the batch %s waited since %s", errBehind, m.Key, m.At.Format(time.RFC3339))
		}
	}
	return nil
}

var errBehind = errors.New("there are more batches than a run can take; let the schedule run more often")

// stalled says what has been waiting for too long after a run.
func (s *Service) stalled(h head, page waiting, began time.Time) error {
	late := began.Add(-Patience)
	var errs []error
	for _, f := range page.failed {
		errs = append(errs, fmt.Errorf("the batch %s waits for a checkpoint and cannot be read: %w", f.key, f.err))
	}
	if h.Probe != nil && h.Probe.At.Before(late) {
		errs = append(errs, fmt.Errorf("no entry of the audit arrives: entry %d of chain %s was committed at %s and is in no batch",
			h.Probe.Seq, chain, h.Probe.At.Format(time.RFC3339)))
	}
	return errors.Join(errs...)
}

// waiting is what a checkpoint can be made of.
type waiting struct {
	leaves []Leaf
	taken  []mark
	failed []failure
	more   bool // others wait beside
}

type failure struct {
	key string
	err error
}

// waiting reads the batches that wait, as many as one checkpoint takes. One that cannot
// be read keeps no other waiting.
func (s *Service) waiting(ctx context.Context) (w waiting, err error) {
	q := table.Query{Table: table.State, Partition: marks, Limit: takes + 1}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return w, fmt.Errorf("look for batches: %w", err)
		}
		for _, item := range page.Items {
			var m mark
			if err := json.Unmarshal(item.Body, &m); err != nil || item.Schema != schema {
				return w, fmt.Errorf("the mark of batch %s is of a schema (%d) that this release cannot read", item.Key.Sort, item.Schema)
			}
			if len(w.taken) == takes {
				w.more = true
				return w, nil
			}
			leaves, err := readBatch(ctx, s.Vault, m.Key)
			switch {
			case err == nil:
				w.leaves, w.taken = append(w.leaves, leaves...), append(w.taken, m)
			case errors.Is(err, ErrAbsent), errors.Is(err, errChanged), errors.Is(err, errLeaves):
				s.Log.ErrorContext(ctx, "a batch of sealed entries is not as it was written", "batch", m.Key, "err", err)
				w.failed = append(w.failed, failure{m.Key, err})
			default:
				return w, fmt.Errorf("read batch %s: %w", m.Key, err)
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return w, nil
		}
	}
}

// advance makes the checkpoint after h, or takes over the one that the vault has, and
// moves the head to it.
func (s *Service) advance(ctx context.Context, h head, w waiting) (moved head, ours bool, err error) {
	leaves := sorted(w.leaves)
	s.contradictions(ctx, leaves)
	top := root(leaves)
	at := s.now()
	if at.Before(h.At) {
		at = h.At // the clock of who made the last one is ahead of ours
	}
	st := Statement{
		Version: Version, N: h.N + 1, At: at, Previous: h.Hash, Root: hex.EncodeToString(top[:]), Count: len(leaves),
		Leaves: leavesKey(h.N+1, top), Batches: []string{}, Keys: s.BaseURL + "/.well-known/jwks.json",
	}
	for _, m := range w.taken {
		st.Batches = append(st.Batches, m.Key)
	}
	document, err := json.Marshal(st)
	if err != nil {
		return head{}, false, err
	}
	signed, err := s.Signer.Sign(document)
	if err != nil {
		return head{}, false, fmt.Errorf("sign checkpoint %d: %w", st.N, err)
	}
	object := []byte(signed)
	if err := s.Vault.Put(ctx, st.Leaves, encode(leaves)); err != nil && !errors.Is(err, ErrThere) {
		return head{}, false, fmt.Errorf("write the leaves of checkpoint %d: %w", st.N, err)
	}
	switch err := s.Vault.Put(ctx, checkpointKey(st.N), object); {
	case errors.Is(err, ErrThere):
		if object, st, leaves, err = s.existing(ctx, h); err != nil {
			return head{}, false, fmt.Errorf("checkpoint %d in the vault: %w", h.N+1, err)
		}
		ours = string(object) == signed // it was written, and the answer lost
	case err != nil:
		return head{}, false, fmt.Errorf("write checkpoint %d: %w", st.N, err)
	default:
		ours = true
	}
	moved, err = s.conclude(ctx, h, w, st, sum(object), leaves)
	return moved, ours, err
}

// existing returns the checkpoint after h that the vault has: of a run that was
// interrupted or is under way, or that a restored State table does not know.
func (s *Service) existing(ctx context.Context, h head) (object []byte, st Statement, leaves []Leaf, err error) {
	if object, err = s.Vault.Get(ctx, checkpointKey(h.N+1)); err != nil {
		return nil, st, nil, err
	}
	if st, err = read(s.Signer, h.N+1, object); err != nil {
		return nil, st, nil, err
	}
	if st.Previous != h.Hash {
		return nil, st, nil, fmt.Errorf("it does not follow from checkpoint %d as the State table remembers it", h.N)
	}
	leaves, err = readLeaves(ctx, s.Vault, st)
	return object, st, leaves, err
}

// conclude moves the head to a checkpoint that the vault has, and takes away the marks
// of the batches in it.
func (s *Service) conclude(ctx context.Context, h head, w waiting, st Statement, hash string, leaves []Leaf) (head, error) {
	commit, now := table.NewID(), s.now()
	moved := h
	moved.N, moved.Hash, moved.At, moved.Refile = st.N, hash, st.At, nil
	for _, l := range leaves {
		if l.Chain == chain && moved.Probe != nil && l.Seq >= moved.Probe.Seq {
			moved.Probe = nil
		}
	}
	var e audit.Entry
	e, moved.Head = h.Head.Append(audit.Entry{
		Chain: chain, At: now, Actor: "clock", Action: ActionSeal, Commit: string(commit),
		Facts: []audit.Fact{{Name: factN, Value: strconv.FormatInt(st.N, 10)}, {Name: factCount, Value: strconv.Itoa(st.Count)}, {Name: factCheckpoint, Value: hash}},
	})
	if moved.Probe == nil {
		moved.Probe = &probe{Seq: e.Seq, At: now}
	}
	writes, err := s.save(moved, e)
	if err != nil {
		return head{}, err
	}
	for _, key := range st.Batches {
		name, _ := batchHash(key)
		ref := markRef(name)
		if !slices.ContainsFunc(w.taken, func(m mark) bool { return m.Key == key }) {
			_, err := s.Table.Get(ctx, ref)
			if errors.Is(err, table.ErrAbsent) {
				continue
			}
			if err != nil {
				return head{}, fmt.Errorf("look for the mark of batch %s: %w", key, err)
			}
		}
		writes = append(writes, table.Delete(ref, table.Exists))
	}
	if err := s.Table.Commit(ctx, commit, writes...); err != nil {
		return head{}, fmt.Errorf("move the head to checkpoint %d: %w", st.N, err)
	}
	moved.version = h.version + 1
	return moved, nil
}

// contradictions logs entries that were sealed with two contents: nothing of ours
// writes an entry twice.
func (s *Service) contradictions(ctx context.Context, leaves []Leaf) {
	for i, l := range leaves {
		if i > 0 && leaves[i-1].Chain == l.Chain && leaves[i-1].Seq == l.Seq {
			s.Log.ErrorContext(ctx, "an entry of the audit came with two contents", "chain", l.Chain, "seq", l.Seq)
		}
	}
}

// Filed returns the entries that need not be told any more: a checkpoint took them, or
// their batch has a mark, so that the next one does. A batch without a mark is of
// somebody who died over it, and is to be told again. So is what is not as it was
// written.
func (s *Service) Filed(ctx context.Context) (map[Leaf]bool, error) {
	filed := map[Leaf]bool{}
	keep := func(leaves []Leaf, err error) error {
		switch {
		case errors.Is(err, ErrAbsent), errors.Is(err, errChanged), errors.Is(err, errLeaves):
			return nil
		case err != nil:
			return fmt.Errorf("read what is sealed: %w", err)
		}
		for _, l := range leaves {
			filed[l] = true
		}
		return nil
	}
	for q := (table.Query{Table: table.State, Partition: marks}); ; {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("look for batches: %w", err)
		}
		for _, item := range page.Items {
			var m mark
			if err := json.Unmarshal(item.Body, &m); err != nil || item.Schema != schema {
				return nil, fmt.Errorf("the mark of batch %s is of a schema (%d) that this release cannot read", item.Key.Sort, item.Schema)
			}
			if err := keep(readBatch(ctx, s.Vault, m.Key)); err != nil {
				return nil, err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	h, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	for n := h.N; n > 0; n-- {
		object, err := s.Vault.Get(ctx, checkpointKey(n))
		if err != nil && !errors.Is(err, ErrAbsent) {
			return nil, fmt.Errorf("read checkpoint %d: %w", n, err)
		}
		if st, err := read(s.Signer, n, object); err == nil {
			if err := keep(readLeaves(ctx, s.Vault, st)); err != nil {
				return nil, err
			}
		}
	}
	return filed, nil
}
