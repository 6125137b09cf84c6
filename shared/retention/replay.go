package retention

import (
	"context"
	"errors"
	"time"

	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Replay is a walk of the ledger through one category after a restore.
type Replay struct {
	Run      string // the replay that it is part of
	Source   string
	Category string
	Until    time.Time   // records that were collected later are left alone
	Verb     source.Verb // Delete or Anonymise
	Masks    []source.Mask
	// Pick says which records of a page are to be expired again.
	Pick func(ctx context.Context, page []source.AgedRecord) ([]bool, error)
}

// Walked is how far a replay's walk is.
type Walked struct {
	Seen  int       // records looked at
	Done  int       // expired again
	Held  int       // that legal holds keep
	Kept  int       // that the source left as they are
	Over  bool      // it is at its end, and a last look found nothing to do
	Fault string    // why it does not go on now: the code of the last failure
	After time.Time // when it can go on
}

// replayLife is how long the outcome of a walk is remembered.
const replayLife = 90 * 24 * time.Hour

// Walk goes through everything that a source holds of a category and expires what the
// replay picks, in the same pages as a sweep: claimed, kept from holds, and taken up
// again after a crash. There is no brake: who is picked was erased before. It returns
// when the walk is over, cannot go on now, or the context ends.
func (s *Service) Walk(until context.Context, r Replay) (Walked, error) {
	ctx := context.WithoutCancel(until)
	id := r.Run + "#" + r.Source + "#" + r.Category
	decl, _ := s.Policy.Source(r.Source)
	j := job{
		source: r.Source, category: r.Category, by: source.Collected, verb: r.Verb, masks: r.Masks,
		size: decl.PageSize, units: decl.DynamoDB.Sweep.Units, pick: r.Pick,
	}
	sh := &shift{token: string(table.NewID()), left: 1 << 30, spent: map[string]float64{}}
	sw, err := s.load(ctx, id)
	if err == nil && sw.version == 0 {
		sw, err = s.beginWalk(ctx, sw, r, sh)
	}
	for try := 0; err == nil || errors.Is(err, table.ErrConflict); {
		if err != nil {
			if try++; try > conflictTries {
				return Walked{}, ErrBusy
			}
			if err := table.Sleep(ctx, table.Pause(try)); err != nil {
				return Walked{}, err
			}
			sh.dirty = false
			sw, err = s.load(ctx, id)
			continue
		}
		now := s.now()
		if sw.Lease.Token != sh.token && sw.Lease.Until.After(now) || sw.Run == nil {
			return walked(sw), nil
		}
		if until.Err() != nil || sw.After.After(now) {
			return walked(sw), s.release(ctx, sw, sh)
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
	return Walked{}, unavailable(err)
}

// beginWalk begins the walk of a replay.
func (s *Service) beginWalk(ctx context.Context, sw Sweep, r Replay, sh *shift) (Sweep, error) {
	salt, err := s.salt(ctx, sw)
	if err != nil {
		return sw, err
	}
	sw.Status = replaying
	sw.Run = &Run{ID: string(table.NewID()), Began: s.now(), Until: r.Until.UTC().Truncate(time.Millisecond), Round: 1}
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

func walked(sw Sweep) Walked {
	run, over := sw.Run, false
	if run == nil {
		run, over = sw.Last, true
	}
	if run == nil {
		return Walked{}
	}
	return Walked{Seen: run.Seen, Done: run.Done, Held: run.Held, Kept: run.Kept, Over: over, Fault: sw.Fault, After: sw.After}
}
