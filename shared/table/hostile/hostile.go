// Package hostile makes an item store fail the way clouds fail, on purpose and
// reproducibly, so that what is built on the port is known to stand it. It
// decorates any table.Table. It never lies: what it refuses was not done, what
// it does not know it calls ErrUnknown, and what an index shows was true within
// the last ten seconds.
//
// It recovers nothing. That is table.Steady's work, and the caller's.
//
// Package hostile/wire does the same one floor down, between the AWS SDK and
// the service. Only tests and the local runner's demonstration may import
// either.
package hostile

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"rightsdesk/shared/table"
)

// oneIn is how rarely a call fails in one given way: often enough that a suite
// meets every failure at every place, rarely enough that patience wins.
const oneIn = 16

// Table is an item store that cannot be relied on. It implements table.Table.
type Table struct {
	inner table.Table
	now   func() time.Time

	mu      sync.Mutex
	random  *rand.Rand
	changes map[table.Key][]change // of State, by key, in order
}

var _ table.Table = (*Table)(nil)

// New decorates inner. The seed decides what fails when, as far as the callers'
// own order allows; now is the clock by which indexes are stale.
func New(inner table.Table, seed uint64, now func() time.Time) *Table {
	return &Table{
		inner: inner, now: now,
		random:  rand.New(rand.NewPCG(seed, seed)), //nolint:gosec // it has to be reproducible
		changes: map[table.Key][]change{},
	}
}

// Get implements table.Table: busy at times.
func (t *Table) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if err := t.turnedAway(ctx); err != nil {
		return table.Item{}, err
	}
	return t.inner.Get(ctx, ref)
}

// Count implements table.Table: busy at times, or counted and not told.
func (t *Table) Count(ctx context.Context, tally table.Tally) (table.Item, error) {
	if err := t.turnedAway(ctx); err != nil {
		return table.Item{}, err
	}
	it, err := t.inner.Count(ctx, tally)
	if t.strikes() {
		return table.Item{}, lost(err)
	}
	return it, err
}

// Commit implements table.Table: busy at times, or lost on the way there, or
// judged and lost on the way back.
func (t *Table) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := t.turnedAway(ctx); err != nil {
		return err
	}
	if t.strikes() {
		return table.ErrUnknown
	}
	before, err := t.filed(ctx, writes)
	if err != nil {
		return err
	}
	err = t.inner.Commit(ctx, id, writes...)
	if err == nil {
		t.remember(before)
	}
	if t.strikes() {
		return lost(err)
	}
	return err
}

// lost is what remains of an answer that did not arrive. Nobody loses what the
// caller itself would have noticed before anything was sent.
func lost(err error) error {
	if answered(err) {
		return table.ErrUnknown
	}
	return err
}

// turnedAway is ErrBusy at times, and the context's error once that has ended.
func (t *Table) turnedAway(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.strikes() {
		return table.ErrBusy
	}
	return nil
}

// answered reports whether an answer came from the store, and so could be lost.
func answered(err error) bool {
	return err == nil || errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrOver) || errors.Is(err, table.ErrAbsent)
}

func (t *Table) strikes() bool { return t.draw(oneIn) == 0 }

// draw is a random number from 0 to n-1.
func (t *Table) draw(n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.random.IntN(n)
}
