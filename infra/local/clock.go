package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/topology"
)

// clock is the machine's, turned on by an offset that survives a restart. It
// never goes back: what was promised for later may have been done.
type clock struct {
	path   string
	offset atomic.Int64 // nanoseconds
	mu     sync.Mutex   // one turn at a time
}

func openClock(path string) (*clock, error) {
	c := &clock{path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the clock: %w", err)
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("read the clock; delete %s to reset it: %w", path, err)
	}
	c.offset.Store(int64(d))
	return c, nil
}

// Now is the time that everything in this process goes by.
func (c *clock) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(c.offset.Load()))
}

// to turns the clock on to an instant.
func (c *clock) to(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := time.Until(t)
	if d <= time.Duration(c.offset.Load()) {
		return nil
	}
	// Kept first: after a crash it must not be earlier than anything that was done.
	if err := c.keep(d); err != nil {
		return fmt.Errorf("keep the clock: %w", err)
	}
	c.offset.Store(int64(d))
	return nil
}

// keep writes the offset in place, always as long: one short write is there whole or
// not at all if the process is killed, and a rename would wait for the disk at each of
// the thousands of stops in a year.
func (c *clock) keep(d time.Duration) error {
	f, err := os.OpenFile(c.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%-32s", d)
	return errors.Join(err, f.Close())
}

// maxTurn is how far one call may turn the clock.
const maxTurn = 10 * 366 * 24 * time.Hour

// span reads "25d", "90m" or any duration of Go's.
func span(s string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0 && n <= int(maxTurn/(24*time.Hour))
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0 && d <= maxTurn
}

// turn turns the clock on by d and fires what the schedules would have fired in
// that time. It stops wherever something is due, lets the schedules find it, and
// goes on; the hours in which nothing is due pass at once. The audit is sealed at the
// end, once for all of them.
func (p *product) turn(ctx context.Context, d time.Duration) error {
	p.turning.Lock()
	defer p.turning.Unlock()
	target := p.Clock.Now().Add(d)
	for {
		if err := p.sweep(ctx, sealingJob); err != nil {
			return err
		}
		p.followTurning(ctx)
		next, err := p.nextDue(ctx)
		if err != nil {
			return err
		}
		// The schedules come round at least so often; something due that they leave
		// where it is must not keep the clock from moving on.
		next = next.Add(slowest())
		if earliest := p.Clock.Now().Add(slowest()); next.Before(earliest) {
			next = earliest
		}
		if next.After(target) {
			break
		}
		if err := p.moveTo(next); err != nil {
			return err
		}
	}
	if err := p.moveTo(target); err != nil {
		return err
	}
	defer p.followTurning(ctx)
	return p.sweep(ctx, "")
}

// moveTo turns the clock on once nobody is in the middle of something.
func (p *product) moveTo(t time.Time) error {
	p.busy.Lock()
	defer p.busy.Unlock()
	return p.Clock.to(t)
}

// slowest is the longest interval of any schedule that looks for what is due: after it,
// each of these has run.
func slowest() time.Duration {
	var d time.Duration
	for _, fn := range topology.All {
		for _, s := range fn.Schedules {
			if s.Job != sealingJob && s.Job != listJob {
				d = max(d, s.Every)
			}
		}
	}
	return d
}

// The jobs that look for nothing that is due.
const (
	sealingJob = "checkpoint"
	listJob    = "suppressions" // of a mail service; there is none here
)

// sweep runs every scheduled job but one once, in the order of the topology.
func (p *product) sweep(ctx context.Context, but string) error {
	for _, fn := range topology.All {
		for _, s := range fn.Schedules {
			if s.Job == but {
				continue
			}
			if _, err := p.Jobs[fn.Name][s.Job](ctx); err != nil {
				return fmt.Errorf("%s/%s: %w", fn.Name, s.Job, err)
			}
		}
	}
	return nil
}

// nextDue is the earliest instant in the due-index, or far away.
func (p *product) nextDue(ctx context.Context) (time.Time, error) {
	next := p.Clock.Now().Add(2 * maxTurn)
	for n := range table.DueShards {
		q := table.Query{Table: table.State, Index: table.Due, Partition: table.DueShard(n), Limit: 1}
		for {
			page, err := p.Requests.Table.Query(ctx, q)
			if err != nil {
				return time.Time{}, fmt.Errorf("look for what is due next: %w", err)
			}
			for _, item := range page.Items {
				if item.Due.Before(next) {
					next = item.Due
				}
			}
			if q.Cursor = page.Cursor; len(page.Items) > 0 || q.Cursor == "" {
				break
			}
		}
	}
	return next, nil
}
