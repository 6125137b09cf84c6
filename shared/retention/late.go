package retention

import (
	"context"
	"time"

	"rightsdesk/shared/digest"
)

// Late is that something is kept longer than it should be.
type Late struct {
	Since time.Time // when the oldest of it should have been gone; unseen: when somebody should have looked
	Why   Lateness
}

// Lateness is why a rule is late.
type Lateness string

// The reasons.
const (
	StillThere Lateness = "still_there" // something that is due is known to be there
	Unseen     Lateness = "unseen"      // nobody has looked through all of it since
	NotDone    Lateness = "not_done"    // by hand: nobody has said that it was done
	Drifted    Lateness = "drifted"     // what lets go by itself does so later than the policy says
)

// lateNow returns why a rule is late, or nil. It is worked out and never stored: what a
// legal hold keeps is held, and not late.
func (s *Service) lateNow(sw Sweep, now time.Time) *Late {
	rule, ok := s.rule(sw.Rule)
	if !ok || sw.Status == Retired || !rule.Trigger.ByAge() {
		return nil
	}
	if sw.Status == Watched {
		if sw.Tended == nil {
			return nil
		}
		if len(sw.Tended.drifted()) > 0 {
			return &Late{Since: sw.Tended.Since, Why: Drifted}
		}
		if sw.Tended.At.Add(2*Every + grace).Before(now) {
			return &Late{Since: sw.Tended.At.Add(Every), Why: Unseen}
		}
		return nil
	}
	if sw.Status == ByHand {
		if sw.ByHand != nil && sw.ByHand.Due.Add(grace).Before(now) {
			return &Late{Since: sw.ByHand.Due, Why: NotDone}
		}
		return nil
	}
	if !sw.Oldest.IsZero() {
		if over := rule.Period.After(sw.Oldest); over.Add(Every + grace).Before(now) {
			return &Late{Since: over, Why: StillThere}
		}
	}
	if seen := sw.seen(); sw.Status == Active && seen.Add(2*Every+grace).Before(now) {
		return &Late{Since: seen.Add(Every), Why: Unseen}
	}
	return nil
}

// seen is when somebody last began to look through everything that was due.
func (sw Sweep) seen() time.Time {
	if sw.Last == nil {
		return sw.Activated
	}
	return later(sw.Last.Began, sw.Activated)
}

// tell tells operators, once a week, that a rule is late.
func (s *Service) tell(ctx context.Context, sw Sweep, _ job, sh *shift) (Sweep, error) {
	lines, err := s.line(ctx, sw, digest.Late)
	if err != nil {
		return sw, err
	}
	sw.Told = s.now()
	return s.keep(ctx, sw, sh, lines...)
}

// days is how long somebody has for what is done by hand.
func (s *Service) days(sw Sweep) int {
	rule, _ := s.rule(sw.Rule)
	decl, _ := s.Policy.Source(rule.Source)
	return decl.Task.Days
}

// opens is when those who do it by hand are told.
func (h *Hand) opens(days int) time.Time { return later(h.Done, h.Due.AddDate(0, 0, -days)) }

// remind tells operators that something is to be done by hand.
func (s *Service) remind(ctx context.Context, sw Sweep, _ job, sh *shift) (Sweep, error) {
	lines, err := s.line(ctx, sw, digest.Task)
	if err != nil {
		return sw, err
	}
	h := *sw.ByHand
	h.Told = h.Due
	sw.ByHand = &h
	return s.keep(ctx, sw, sh, lines...)
}
