package table

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// steadyTries is how often Steady tries: with its pauses, for about three seconds.
const steadyTries = 9

// Steady returns t with patience: what was refused as busy is tried again after
// a pause that grows and is jittered, and a commit or a read whose outcome is
// not known is repeated with the same id. A Count whose outcome is not known is
// never repeated, so that nothing is counted twice: its caller hears ErrUnknown.
//
// A commit that puts nothing, only deletes, does not recognise its own earlier
// success: repeated after a lost answer it says Conflict. Services put an audit
// entry in every commit, and that recognises it.
//
// sleep waits for d or until the context ends, and then returns its error.
func Steady(t Table, sleep func(ctx context.Context, d time.Duration) error) Table {
	return steady{t, sleep}
}

type steady struct {
	Table
	sleep func(context.Context, time.Duration) error
}

// Get implements Table.
func (s steady) Get(ctx context.Context, ref Ref) (Item, error) {
	return again(ctx, s, transient, func() (Item, error) { return s.Table.Get(ctx, ref) })
}

// Query implements Table.
func (s steady) Query(ctx context.Context, q Query) (Page, error) {
	return again(ctx, s, transient, func() (Page, error) { return s.Table.Query(ctx, q) })
}

// Scan implements Table.
func (s steady) Scan(ctx context.Context, scan Scan) (Page, error) {
	return again(ctx, s, transient, func() (Page, error) { return s.Table.Scan(ctx, scan) })
}

// Count implements Table.
func (s steady) Count(ctx context.Context, t Tally) (Item, error) {
	return again(ctx, s, busy, func() (Item, error) { return s.Table.Count(ctx, t) })
}

// Commit implements Table.
func (s steady) Commit(ctx context.Context, id ID, writes ...Write) error {
	_, err := again(ctx, s, transient, func() (struct{}, error) {
		return struct{}{}, s.Table.Commit(ctx, id, writes...)
	})
	return err
}

func busy(err error) bool      { return errors.Is(err, ErrBusy) }
func transient(err error) bool { return busy(err) || errors.Is(err, ErrUnknown) }

// again calls do until it succeeds, fails for good, or patience ends. The
// error is then do's, never that of the sleep: it says more.
func again[T any](ctx context.Context, s steady, retry func(error) bool, do func() (T, error)) (T, error) {
	for try := 0; ; try++ {
		v, err := do()
		if err == nil || !retry(err) || try+1 == steadyTries {
			return v, err
		}
		if s.sleep(ctx, Pause(try)) != nil {
			return v, err
		}
	}
}

// Pause is how long to wait after the n-th try, from 0: a random time up to a
// bound that doubles from 10 ms to 1 s. All of it is random, because callers who
// collided once must not meet again.
func Pause(n int) time.Duration {
	bound := min(time.Second, 10*time.Millisecond<<min(n, 10))
	return rand.N(bound) //nolint:gosec // jitter is not a secret
}

// Backoff is how long something waits in the due-index after its n-th failure in a
// row, from 1: half a minute, doubled each time up to two hours.
func Backoff(n int) time.Duration {
	return min(2*time.Hour, 30*time.Second<<min(n-1, 10))
}

// Sleep waits for d or until the context ends; it is the sleep of production.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
