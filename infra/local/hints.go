package main

import (
	"context"

	"rightsdesk/shared/request"
	"rightsdesk/shared/table"
)

// hints are this process's stream and queue: they make things faster and may
// lose anything, because the schedules find what is left.
type hints struct{ relay, work queue }

func newHints() hints { return hints{relay: make(queue, 1024), work: make(queue, 1024)} }

type queue chan request.ID

func (q queue) put(id request.ID) {
	select {
	case q <- id:
	default: // full: the sweep finds it
	}
}

func (q queue) drain(ctx context.Context, do func(context.Context, request.ID)) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-q:
			do(ctx, id)
		}
	}
}

// stream tells the relay which requests were committed, as the State table's
// stream does on AWS.
type stream struct {
	table.Table
	to queue
}

func (s stream) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := s.Table.Commit(ctx, id, writes...); err != nil {
		return err
	}
	for _, w := range writes {
		if r, ok := request.IDOf(w.Ref.Key); ok && w.Verb == table.PutItem && w.Ref.Table == table.State {
			s.to.put(r)
		}
	}
	return nil
}
