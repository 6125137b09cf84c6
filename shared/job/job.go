// Package job is scheduled and queued work as functions run it: look at what is
// due, act, and say what came of it. When something is tried again, and when it is
// left to an operator, the request itself knows.
//
// It knows no AWS: boot and infra/local call jobs by the names of the topology.
// It imports the domain.
package job

import (
	"context"
	"fmt"
	"log/slog"

	"rightsdesk/shared/request"
)

// Job is one run of a scheduled job.
type Job func(ctx context.Context) (Report, error)

// Report is what a run did; commands print it and logs keep it.
type Report struct {
	Seen   int // entries of the due-index that were looked at
	Failed int // that will be looked at again
}

// Set is the jobs of a function, by the names in its topology entry.
type Set map[string]Job

// Sweep looks at every request that is due and has each do its part. One that
// fails does not keep the others waiting: it is logged and stays due.
func Sweep(s *request.Service, log *slog.Logger, each func(context.Context, request.ID) error) Job {
	return func(ctx context.Context) (Report, error) {
		var rep Report
		seen, err := s.Due(ctx, func(ctx context.Context, id request.ID) error {
			err := each(ctx, id)
			if err != nil {
				rep.Failed++
				log.WarnContext(ctx, "a due request failed and stays due", "request", string(id), "err", err)
			}
			return nil
		})
		rep.Seen = seen
		if err != nil {
			return rep, fmt.Errorf("sweep: %w", err)
		}
		return rep, nil
	}
}

// Jobs returns every job of the topology, by function.
func Jobs(s *request.Service, log *slog.Logger) map[string]Set {
	return map[string]Set{
		"relay":     {"announcements": Sweep(s, log, s.Announce)},
		"fulfil":    {"steps": Sweep(s, log, s.Work)},
		"deadlines": {"clocks": Sweep(s, log, s.Tick)},
	}
}
