package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
)

const (
	// skew is by how much the clocks of who writes an entry and of who makes a checkpoint
	// may differ.
	skew = 5 * time.Minute
	// looks is how many checkpoints are read at most for one entry, once it is known which is
	// the first that can have sealed it: what is sealed late, in a calm installation, in which
	// there is one every hour.
	looks = int64(late / Every)
	// again is how long after it was written an entry may still be sealed once more: after a
	// restore whatever came since the copy is, and copies are kept for 35 days.
	again = 40 * 24 * time.Hour
)

// Look asks checkpoints about entries that are missing, for one walk along the audit. It
// remembers what it read, and is no one's but the walk's.
type Look struct {
	s     *Service
	reads int

	begun  bool // the next three are known
	head   head // the zero head if there is none that can be gone by
	first  Statement
	kept   policy.Period
	seen   map[int64]Statement
	leaves []Leaf // of the checkpoint that was looked into last,
	of     int64  // which is this one
}

// Look begins a walk.
func (s *Service) Look() *Look { return &Look{s: s, seen: map[int64]Statement{}} }

// Reads returns how many objects of the vault were read. For one entry these are some 110
// at most; for one that was sealed in time they are a few.
func (l *Look) Reads() int { return l.reads }

// Outlived reports whether the installation, and what was written in it at an instant, are
// older than any policy that was ever in force let entries be kept. So long as they are
// not, nothing has expired. For how long a given entry was promised to stay its item would
// say, but nothing signs that.
func (l *Look) Outlived(ctx context.Context, at time.Time) (bool, error) {
	if err := l.begin(ctx); err != nil || l.head.N == 0 {
		return false, err
	}
	if at = at.Truncate(time.Second); at.Before(l.first.At) { // tables know whole seconds
		at = l.first.At
	}
	return !l.kept.After(at).After(l.s.now()), nil
}

// Covers reports whether the entries of a chain before e, which are missing, can have
// expired: a checkpoint sealed e, which holds the hash of the one before it, and the
// installation is older than entries were kept.
//
// It reads little of the vault, so it does not see everything. Who removes entries before
// their time from a chain of an old installation, and leaves later ones, is found by Verify,
// which reads all of it. What is missing in the vault, or not as it was signed, covers
// nothing; an error means that the vault cannot be asked.
func (l *Look) Covers(ctx context.Context, e audit.Entry) (bool, error) {
	if ok, err := l.Outlived(ctx, time.Time{}); err != nil || !ok {
		return false, err
	}
	before, n, err := l.since(ctx, e.At.Add(-skew))
	if err != nil || n == 0 {
		return false, err
	}
	for last := min(n+looks-1, l.head.N); n <= last; n++ {
		st, err := l.statement(ctx, n)
		if err != nil || st.N == 0 {
			return false, err
		}
		// What it sealed was written since the one before, or not long before that.
		young := l.kept.After(before.At.Add(-again)).After(l.s.now())
		covered, known, err := l.seals(ctx, st, e, young)
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

// begin reads what every question needs. It is asked again after an error.
func (l *Look) begin(ctx context.Context) error {
	s := l.s
	if l.begun || s.Vault == nil {
		return nil
	}
	h, err := s.load(ctx)
	if err != nil {
		return err
	}
	kept := s.Policy.Retention.Audit
	if h.N > 0 {
		if l.first, err = l.statement(ctx, 1); err != nil {
			return err
		}
		if s.Shortest != nil {
			if kept, err = s.Shortest(ctx, kept); err != nil {
				return err
			}
		}
	}
	if l.first.N > 0 && !kept.IsZero() {
		l.head, l.kept = h, kept
	}
	l.begun = true
	return nil
}

// seals looks for an entry among the leaves of a checkpoint. Young says that nothing that
// it sealed has expired: an entry of the same chain before e was then removed.
func (l *Look) seals(ctx context.Context, st Statement, e audit.Entry, young bool) (covered, known bool, err error) {
	if l.of != st.N {
		l.reads++
		leaves, err := readLeaves(ctx, l.s.Vault, st)
		switch _, odd := oddity(err); {
		case odd:
			return false, true, nil
		case err != nil:
			return false, false, fmt.Errorf("read the leaves of checkpoint %d: %w", st.N, err)
		}
		l.leaves, l.of = leaves, st.N
	}
	want := LeafOf(e)
	for _, leaf := range l.leaves {
		switch {
		case leaf.Chain != e.Chain || leaf.Seq > e.Seq:
		case leaf == want:
			covered, known = true, true
		case leaf.Seq == e.Seq || young:
			return false, true, nil
		}
	}
	return covered, known, nil
}

// since returns the number of the first checkpoint that was made at an instant or later,
// which may be one that is to come, and the one before it; 0 if there is a hole in the way.
// They come at even intervals as a rule, so the number is estimated from the time; each
// third step halves what is left, in case they did not.
func (l *Look) since(ctx context.Context, at time.Time) (before Statement, n int64, err error) {
	if !l.first.At.Before(at) {
		return Statement{}, 1, nil
	}
	low, high := l.first, Statement{N: l.head.N + 1, At: l.head.At}
	for try := 1; high.N-low.N > 1; try++ {
		between := high.N - low.N
		step := between / 2
		if span := high.At.Sub(low.At); try%3 > 0 && span > 0 {
			step = int64(float64(between) * float64(at.Sub(low.At)) / float64(span))
			step = min(max(step, 1), between-1)
		}
		st, err := l.statement(ctx, low.N+step)
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

// statement returns a checkpoint; the zero Statement if it is missing or not as it was signed.
func (l *Look) statement(ctx context.Context, n int64) (Statement, error) {
	if st, ok := l.seen[n]; ok {
		return st, nil
	}
	l.reads++
	object, err := l.s.Vault.Get(ctx, checkpointKey(n))
	if err != nil && !errors.Is(err, ErrAbsent) {
		return Statement{}, fmt.Errorf("read checkpoint %d: %w", n, err)
	}
	var st Statement
	if err == nil {
		if st, err = read(l.s.Signer, n, object); err != nil {
			st = Statement{} // it is what somebody made of it
		}
	}
	l.seen[n] = st
	return st, nil
}
