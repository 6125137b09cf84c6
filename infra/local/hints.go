package main

import (
	"context"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/table"
)

// hints are this process's stream and queue: they make things faster and may
// lose anything, because the schedules find what is left.
type hints struct{ relay, work queue }

func newHints() hints { return hints{relay: make(queue, 1024), work: make(queue, 1024)} }

// queue holds keys of what somebody is to look at.
type queue chan table.Key

func (q queue) put(k table.Key) {
	select {
	case q <- k:
	default: // full: the sweep finds it
	}
}

func (q queue) drain(ctx context.Context, do func(context.Context, table.Key)) {
	for {
		select {
		case <-ctx.Done():
			return
		case k := <-q:
			do(ctx, k)
		}
	}
}

// stream tells the relay which requests and choices were committed, as the State
// table's stream does on AWS.
type stream struct {
	table.Table
	announces func(table.Key) bool
	to        queue
}

func (s stream) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := s.Table.Commit(ctx, id, writes...); err != nil {
		return err
	}
	for _, w := range writes {
		if w.Verb != table.PutItem || w.Ref.Table != table.State {
			continue
		}
		if s.announces(w.Ref.Key) {
			s.to.put(w.Ref.Key)
		}
	}
	return nil
}

// workOff does what sources are to do, or to hear.
func (p *product) workOff(ctx context.Context, k table.Key) error {
	return p.Work(ctx, desk.Hint(k))
}
