package erasure

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

var (
	_ restore.Folder = (*Service)(nil)
	_ restore.Ledger = (*Service)(nil)
	_ request.Ledger = (*Service)(nil)
)

// Chain implements restore.Folder.
func (s *Service) Chain(name string) bool {
	return name == saltsName || strings.HasPrefix(name, tombPrefix)
}

// Restore implements restore.Folder. The tombstone is made of its chain alone, and a
// salt that the chain says was destroyed is destroyed again, should a copy of the Keys
// table have brought it back.
func (s *Service) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(commit table.ID) (restore.Outcome, error) {
		return s.restore(ctx, chain, entries, commit)
	})
}

func (s *Service) restore(ctx context.Context, chain string, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	if chain == saltsName {
		return s.restoreSalts(ctx, entries, commit)
	}
	id := seal.Identifier(strings.TrimPrefix(chain, tombPrefix))
	t, err := s.load(ctx, id)
	if err != nil {
		return restore.Outcome{}, err
	}
	now, tail := s.now(), restore.TailOf(t.Head, entries)
	out := restore.Outcome{What: restore.Stood, Ahead: tail.Ahead}
	before := t.Head
	for _, e := range entries {
		t.fold(e, s.expiry(e))
	}
	for _, p := range t.From {
		out.Places = append(out.Places, p.Place)
	}
	var keys []table.Write
	if t.gone > 0 {
		if keys, err = s.Keys.Destroy(ctx, id, t.gone); err != nil {
			return out, err
		}
	}
	switch {
	case !t.expires.After(now):
		return restore.Outcome{What: restore.Over}, nil // the copy is older than everything that it tells of
	case tail.Stands() && len(keys) == 0:
		return out, nil
	case t.version == 0:
		out.What = restore.Remade
	default:
		out.What = restore.Advanced
	}
	out.Salts = len(keys)
	var e audit.Entry
	e, t.Head = tail.Entry(chain, before, now, commit, audit.Fact{Name: "salts", Value: strconv.Itoa(out.Salts)})
	put, err := t.put(now)
	if err != nil {
		return out, err
	}
	return out, s.commit(ctx, commit, append(keys, put, entryWrite(e, t.expires))...)
}

// commit returns conflicts as they are, for another try.
func (s *Service) commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := s.Table.Commit(ctx, id, writes...); err != nil && !errors.Is(err, table.ErrConflict) {
		return fmt.Errorf("rebuild a tombstone: %w", err)
	} else if err != nil {
		return err
	}
	return nil
}

func (s *Service) expiry(e audit.Entry) time.Time {
	return s.Policy.Retention.Audit.After(e.At).Truncate(time.Second)
}

// fold brings about what an entry tells of. Folding what is known already changes
// nothing.
func (t *Tomb) fold(e audit.Entry, expires time.Time) {
	switch e.Action {
	case actionEntombed:
		t.At, t.Request, t.Stage = e.At, request.ID(restore.Fact(e, factRequest)), Entombed
		t.Destroyed, t.First, t.Blocked = time.Time{}, nil, false
		until := restore.Time(e, factUntil)
		t.Until = later(t.Until, until)
		t.expires = later(t.expires, expires)
		t.Generation = generationOf(e)
		for _, f := range e.Facts {
			switch f.Name {
			case factPlace:
				if p, ok := placeOf(f.Value); ok {
					t.from(p, until)
				}
			case factFirst:
				t.First = append(t.First, seal.Identifier(f.Value))
			}
		}
	case actionForgotten:
		t.Stage, t.Counted = Waiting, true
	case actionDestroyed:
		t.Stage, t.Destroyed, t.Generation, t.Counted = Destroyed, e.At, generationOf(e), false
		t.gone = max(t.gone, t.Generation)
	}
}

func generationOf(e audit.Entry) byte {
	n, err := strconv.ParseUint(restore.Fact(e, factGeneration), 10, 8)
	if err != nil {
		return 0
	}
	return byte(n)
}

// restoreSalts rebuilds the brake. What was counted is an estimate after a restore: it
// is what bounds a day, and goes right within a month.
func (s *Service) restoreSalts(ctx context.Context, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	all, err := s.loadSalts(ctx)
	if err != nil {
		return restore.Outcome{}, err
	}
	now, tail := s.now(), restore.TailOf(all.Head, entries)
	out := restore.Outcome{What: restore.Stood, Ahead: tail.Ahead}
	if tail.Stands() {
		return out, nil
	}
	if out.What = restore.Advanced; all.version == 0 {
		out.What = restore.Remade
	}
	before := all.Head
	for _, e := range tail.News {
		switch e.Action {
		case actionBraked:
			all.Braked = e.At
		case actionConfirmed:
			all.Braked = time.Time{}
			if n, err := strconv.Atoi(restore.Fact(e, "extra")); err == nil {
				all.Extra = n
			}
		}
	}
	var e audit.Entry
	e, all.Head = tail.Entry(saltsName, before, now, commit)
	put, err := all.put()
	if err != nil {
		return out, err
	}
	return out, s.commit(ctx, commit, put, entryWrite(e, s.Policy.Retention.Audit.After(now)))
}
