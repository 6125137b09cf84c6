package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/audit"
)

const (
	// skew is by how much the clocks of who writes an entry and of who makes a checkpoint
	// may differ.
	skew = 5 * time.Minute
	// looks is how many checkpoints are read at most for one entry, once it is known which is
	// the first that can have sealed it. In a calm installation there is one every hour.
	looks = 100
	// again is how long after it was written an entry may still be sealed once more: after a
	// restore whatever came since the copy is, and copies are kept for 35 days.
	again = 40 * 24 * time.Hour
)

// Covers reports whether the entries of a chain before e, which are missing, can have
// expired: a checkpoint sealed e, which holds the hash of the one before it, and the
// installation is older than entries are kept. Expires is when e itself does, and decides
// together with the policy how long that is: each entry's time is fixed when it is written,
// so those before may have had less than the policy gives by now. Where e never expires,
// none before it did.
//
// It reads little of the vault, so it does not see everything. Who removes entries before
// their time from a chain of an old installation, and leaves later ones, is found by Verify,
// which reads all of it. What is missing in the vault, or not as it was signed, covers
// nothing; an error means that the vault cannot be asked.
func (s *Service) Covers(ctx context.Context, e audit.Entry, expires time.Time) (bool, error) {
	if expires.IsZero() || e.Seq < 2 {
		return false, nil
	}
	kept := min(expires.Sub(e.At), s.Policy.Retention.Audit.After(e.At).Sub(e.At))
	h, first, err := s.ends(ctx)
	if err != nil || h.N == 0 || first.At.Add(kept).After(s.now()) {
		return false, err
	}
	before, n, err := s.since(ctx, e.At.Add(-skew), first, h)
	if err != nil || n == 0 {
		return false, err
	}
	for last := min(n+looks-1, h.N); n <= last; n++ {
		st, err := s.statement(ctx, n)
		if err != nil || st.N == 0 {
			return false, err
		}
		// What it sealed was written since the one before, or not long before that.
		young := before.At.Add(-again).After(s.now().Add(-kept))
		covered, known, err := s.seals(ctx, st, e, young)
		if err != nil || known {
			return covered, err
		}
		if st.At.After(e.At.Add(late)) {
			break
		}
		before = st
	}
	return false, nil
}

// seals looks for an entry among the leaves of a checkpoint. Young says that nothing that
// it sealed has expired: an entry of the same chain before e was then removed.
func (s *Service) seals(ctx context.Context, st Statement, e audit.Entry, young bool) (covered, known bool, err error) {
	leaves, err := readLeaves(ctx, s.Vault, st)
	switch _, odd := oddity(err); {
	case odd:
		return false, true, nil
	case err != nil:
		return false, false, fmt.Errorf("read the leaves of checkpoint %d: %w", st.N, err)
	}
	want := LeafOf(e)
	for _, l := range leaves {
		switch {
		case l.Chain != e.Chain || l.Seq > e.Seq:
		case l == want:
			covered, known = true, true
		case l.Seq == e.Seq || young:
			return false, true, nil
		}
	}
	return covered, known, nil
}

// Outlived reports whether the installation is older than the policy lets entries be
// kept, so that there may be chains of which none is left.
func (s *Service) Outlived(ctx context.Context) (bool, error) {
	h, first, err := s.ends(ctx)
	return err == nil && h.N > 0 && !s.Policy.Retention.Audit.After(first.At).After(s.now()), err
}

// ends returns the head and the first checkpoint; the zero head if either cannot be
// gone by.
func (s *Service) ends(ctx context.Context) (head, Statement, error) {
	if s.Vault == nil {
		return head{}, Statement{}, nil
	}
	h, err := s.load(ctx)
	if err != nil || h.N == 0 {
		return head{}, Statement{}, err
	}
	first, err := s.statement(ctx, 1)
	if err != nil || first.N == 0 {
		return head{}, Statement{}, err
	}
	return h, first, nil
}

// since returns the number of the first checkpoint that was made at an instant or later,
// which may be one that is to come, and the one before it; 0 if there is a hole in the way.
// They come at even intervals as a rule, so the number is estimated from the time; each
// third step halves what is left, in case they did not.
func (s *Service) since(ctx context.Context, at time.Time, first Statement, h head) (before Statement, n int64, err error) {
	if !first.At.Before(at) {
		return Statement{}, 1, nil
	}
	low, high := first, Statement{N: h.N + 1, At: h.At}
	for try := 1; high.N-low.N > 1; try++ {
		between := high.N - low.N
		step := between / 2
		if span := high.At.Sub(low.At); try%3 > 0 && span > 0 {
			step = int64(float64(between) * float64(at.Sub(low.At)) / float64(span))
			step = min(max(step, 1), between-1)
		}
		st, err := s.statement(ctx, low.N+step)
		switch {
		case err != nil || st.N == 0:
			return Statement{}, 0, err
		case st.At.Before(at):
			low = st
		default:
			high = st
		}
	}
	return low, high.N, nil
}

// statement reads a checkpoint; the zero Statement if it is missing or not as it was signed.
func (s *Service) statement(ctx context.Context, n int64) (Statement, error) {
	object, err := s.Vault.Get(ctx, checkpointKey(n))
	if errors.Is(err, ErrAbsent) {
		return Statement{}, nil
	}
	if err != nil {
		return Statement{}, fmt.Errorf("read checkpoint %d: %w", n, err)
	}
	st, err := read(s.Signer, n, object)
	if err != nil {
		return Statement{}, nil //nolint:nilerr // it is what somebody made of it
	}
	return st, nil
}
