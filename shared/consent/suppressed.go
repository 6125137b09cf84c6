package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
)

// A bounce or a complaint arrives as an event, and nobody repeats one that is lost. The
// mail service keeps a list of its own, which is read once a day for what was lost.
//
// It is read back by whole days, without a note of how far the last run got: what was
// heard already is known from the person's own chain, and a note could be wrong in a
// way that nobody would see.
const (
	// listedDays is as long as an event can wait in a queue, or in its dead-letter queue.
	listedDays = 14
	// listedAtLeast is how many of them a run has to get through, the latest first: its
	// own, and that of one run before it that was lost. Earlier ones had several, and
	// may be more than there is time for where much mail comes back.
	listedAtLeast = 2
	// listedOverlap keeps what falls on the seam of two days from being in neither.
	listedOverlap = time.Hour
	// sameFeedback is how far the time of an event and that of the list may lie apart
	// for the same bounce.
	sameFeedback = 24 * time.Hour
)

var errListUnread = errors.New("consent: the list of suppressed addresses is longer than there was time for")

// HeedListed takes down whom the mail service's list names, as far as we know them and
// have not heard of it: the same as if its event had come, but for the mailing list,
// which the list does not name. Of everybody else nothing is kept. One that fails does
// not keep the others waiting, but fails the run.
func (s *Service) HeedListed(ctx context.Context) (seen, failed int, err error) {
	if s.Suppressions == nil {
		return 0, 0, nil
	}
	var first error
	each := func(x mail.Suppressed) error {
		stop := policy.Bounced
		if x.Complained {
			stop = policy.Complained
		}
		err := ctx.Err()
		if err == nil {
			err = s.Heed(ctx, Feedback{Address: x.Address, Stop: stop, At: x.At, Listed: true})
		}
		if over := ctx.Err(); over != nil {
			return over
		}
		if seen++; err == nil {
			return nil
		}
		if failed++; first == nil {
			first = err
		}
		return nil
	}
	now := s.now()
	for day := range listedDays {
		to := now.AddDate(0, 0, -day)
		err := s.Suppressions.Between(ctx, to.AddDate(0, 0, -1).Add(-listedOverlap), to, each)
		if err != nil && ctx.Err() == nil {
			return seen, failed, err
		}
		if err != nil && day < listedAtLeast {
			return seen, failed, errListUnread // the end of time itself would be taken for no failure
		}
		if err != nil {
			s.Log.WarnContext(ctx, "there was no time to look further back on the list of suppressed addresses", "days", day)
			break
		}
	}
	if failed > 0 {
		return seen, failed, fmt.Errorf("heed %d of the addresses on the list of suppressed ones: %w", failed, first)
	}
	return seen, failed, nil
}

// unheard reports whether what a list of the mail service says is about somebody we
// know, and new: its event did not come. What the event of a single mailing list ended
// may stand no more, so it is the chain that tells.
func (s *Service) unheard(ctx context.Context, d *draft, stop policy.Stop, at time.Time) (bool, error) {
	if d.version == 0 {
		known, err := s.Keys.Stands(ctx, d.Subject.at)
		return known.Generation > 0, err
	}
	history, err := s.history(ctx, d.Subject)
	if err != nil {
		return false, err
	}
	var heard time.Time
	if i := slices.IndexFunc(history, func(e Entry) bool { return e.stop() == stop }); i >= 0 {
		heard = history[i].At // the latest: the newest come first
	}
	return heard.Before(at.Add(-sameFeedback)) || d.subscribed(heard, at), nil
}

// stop is the stop that an entry is about.
func (e Entry) stop() policy.Stop {
	for _, f := range e.Facts {
		if f.Name == factStop {
			return policy.Stop(f.Value)
		}
	}
	return ""
}
