package retention

import (
	"context"
	"errors"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

var _ restore.Walker = (*Service)(nil)

// replayLife is how long the outcome of a walk is remembered, and a page that nobody
// comes back to.
const replayLife = 90 * 24 * time.Hour

// Again implements restore.Walker: it goes through everything that a source holds of a
// category and expires what the replay picks, in the same pages as a sweep: claimed,
// kept from holds, and taken up again after a crash. There is no brake: who is picked
// was erased before.
func (s *Service) Again(until context.Context, w restore.Walking) (restore.Walked, error) {
	ctx := context.WithoutCancel(until)
	if _, ok := s.Sources[w.Source].(source.Sweeper); !ok {
		return restore.Walked{ByHand: true}, nil
	}
	decl, _ := s.Policy.Source(w.Source)
	j := job{
		source: w.Source, category: w.Category, by: source.Collected, verb: w.Verb, masks: w.Masks,
		size: decl.PageSize, units: decl.DynamoDB.Sweep.Units, pick: w.Pick,
	}
	sh := &shift{token: string(table.NewID()), left: 1 << 30, spent: map[string]float64{}, over: func() bool { return until.Err() != nil }}
	id := w.Run + "#" + w.Source + "#" + w.Category
	sw, err := s.load(ctx, id)
	if err == nil && sw.version == 0 {
		sw, err = s.beginWalk(ctx, sw, w.Until, sh)
	}
	for try := 0; err == nil || errors.Is(err, table.ErrConflict); {
		if err != nil {
			if try++; try > conflictTries {
				return restore.Walked{}, ErrBusy
			}
			if err := table.Sleep(ctx, table.Pause(try)); err != nil {
				return restore.Walked{}, err
			}
			sh.dirty = false
			if sw, err = s.load(ctx, id); err == nil && sw.version == 0 {
				sw, err = s.beginWalk(ctx, sw, w.Until, sh)
			}
			continue
		}
		now := s.now()
		if sw.Lease.Token != sh.token && sw.Lease.Until.After(now) {
			return walked(sw, sw.Lease.Until), nil // somebody else walks
		}
		if sw.Run == nil || until.Err() != nil || sw.After.After(now) {
			return walked(sw, sw.After), s.release(ctx, sw, sh)
		}
		sh.left--
		var next Sweep
		if sw.Page != nil {
			next, err = s.repeat(ctx, sw, j, sh)
		} else {
			next, err = s.page(ctx, sw, j, sh)
		}
		if err == nil {
			sw, try = next, 0
		}
	}
	if fault.KindOf(err) == fault.Internal {
		err = unavailable(err)
	}
	return restore.Walked{}, err
}

// beginWalk begins the walk of a replay.
func (s *Service) beginWalk(ctx context.Context, sw Sweep, until time.Time, sh *shift) (Sweep, error) {
	salt, err := s.salt(ctx, sw)
	if err != nil {
		return sw, err
	}
	sw.Status = replaying
	sw.Run = &Run{ID: string(table.NewID()), Began: s.now(), Until: until.UTC().Truncate(time.Millisecond), Round: 1}
	return s.keep(ctx, sw, sh, salt...)
}

// over ends the walk of a replay. Who began it records what came of it.
func (s *Service) over(ctx context.Context, sw Sweep, sh *shift) (Sweep, error) {
	more, err := s.desalt(ctx, sw)
	if err != nil {
		return sw, err
	}
	return s.keep(ctx, sw, sh, more...)
}

func walked(sw Sweep, after time.Time) restore.Walked {
	run, over := sw.Run, false
	if run == nil {
		run, over, after = sw.Last, true, time.Time{}
	}
	if run == nil {
		return restore.Walked{After: after}
	}
	return restore.Walked{
		Seen: run.Seen, Erased: run.Done, Held: run.Held, Over: over, After: after, Fault: sw.Fault,
		ByHand: sw.Fault == codeByHand,
	}
}
