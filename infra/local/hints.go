package main

import (
	"context"

	"rightsdesk/shared/audit"
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

// stream tells the relay which requests and choices were committed, and of each new
// entry of the audit, as the streams of the State and the Audit table do on AWS.
type stream struct {
	table.Table
	announces func(table.Key) bool // nil: it tells of entries of the audit only
	to        queue
	entries   *feed
}

func (s stream) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := s.Table.Commit(ctx, id, writes...); err != nil {
		return err
	}
	for _, w := range writes {
		if w.Verb != table.PutItem {
			continue
		}
		if w.Ref.Table == table.Audit {
			if e, err := audit.Decode(w.Item.Body); err == nil { // nothing else is written there
				s.entries.put(e)
			}
		}
		if w.Ref.Table == table.State && s.announces != nil && s.announces(w.Ref.Key) {
			s.to.put(w.Ref.Key)
		}
	}
	return nil
}

// workOff does what sources are to do, or to hear.
func (p *product) workOff(ctx context.Context, k table.Key) error {
	return p.Work(ctx, desk.Hint(k))
}
