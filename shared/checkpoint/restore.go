package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

var _ restore.Folder = (*Service)(nil)

// Chain implements restore.Folder.
func (s *Service) Chain(name string) bool { return name == chain }

// Restore implements restore.Folder: it brings the head to where its chain ends. What
// lies in the vault beyond that, the next run takes over; and it sets the marks again
// that the copy did not have.
func (s *Service) Restore(ctx context.Context, _ string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(commit table.ID) (restore.Outcome, error) { return s.restore(ctx, commit, entries) })
}

func (s *Service) restore(ctx context.Context, commit table.ID, entries []audit.Entry) (restore.Outcome, error) {
	h, err := s.load(ctx)
	if err != nil {
		return restore.Outcome{}, err
	}
	tail := restore.TailOf(h.Head, entries)
	out := restore.Outcome{What: restore.Advanced, Ahead: tail.Ahead}
	switch {
	case tail.Stands():
		return restore.Outcome{What: restore.Stood}, nil
	case h.version == 0:
		out.What = restore.Remade
	}
	if since := h.At; h.Refile == nil || since.Before(*h.Refile) {
		h.Refile = &since
	}
	for _, e := range entries {
		if n, err := strconv.ParseInt(restore.Fact(e, factN), 10, 64); err == nil && e.Action == ActionSeal && n > h.N {
			h.N, h.Hash, h.At = n, restore.Fact(e, factCheckpoint), e.At
		}
	}
	now := s.now()
	var e audit.Entry
	e, h.Head = tail.Entry(chain, h.Head, now, commit)
	h.Probe = &probe{Seq: e.Seq, At: now}
	writes, err := s.save(h, e)
	if err != nil {
		return restore.Outcome{}, err
	}
	return out, s.Table.Commit(ctx, commit, writes...)
}

// late is how long after an entry its batch may be written: for as long as a stream
// keeps it, and a day to spare.
const late = 48 * time.Hour

// refile sets the marks of batches that no checkpoint took, where a restored State
// table has lost them.
func (s *Service) refile(ctx context.Context, h head) error {
	if h.Refile == nil {
		return nil
	}
	since := h.Refile.Add(-late)
	taken := map[string]bool{}
	for n := h.N; n > 0; n-- {
		object, err := s.Vault.Get(ctx, checkpointKey(n))
		if err != nil {
			return fmt.Errorf("look for lost batches: %w", err)
		}
		st, err := read(s.Signer, n, object)
		if err != nil {
			return fmt.Errorf("look for lost batches: checkpoint %d: %w", n, err)
		}
		if st.At.Before(since.Add(-late)) {
			break
		}
		for _, key := range st.Batches {
			taken[key] = true
		}
	}
	after := ""
	if !h.Refile.IsZero() {
		after = batches + since.Format(time.DateOnly)
	}
	for {
		keys, err := s.Vault.List(ctx, batches, after)
		if err != nil {
			return fmt.Errorf("look for lost batches: %w", err)
		}
		if len(keys) == 0 {
			return nil
		}
		for _, key := range keys {
			if _, ours := batchHash(key); taken[key] || !ours {
				continue
			}
			if err := s.mark(ctx, key); err != nil {
				return errors.Join(fmt.Errorf("file the lost batch %s", key), err)
			}
		}
		after = keys[len(keys)-1]
	}
}
