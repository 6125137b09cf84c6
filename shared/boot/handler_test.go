package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/job"
	"rightsdesk/shared/request"
	"rightsdesk/shared/topology"
)

// A job that has more to do than time is not a failure: else every large request
// would ring the alarm. A job that could do nothing is one.
func TestHowARunEnds(t *testing.T) {
	t.Parallel()
	mine := errors.New("the index is gone")
	untilTimeIsUp := func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("sweep: %w", ctx.Err())
	}
	for name, c := range map[string]struct {
		report job.Report
		end    func(context.Context) error
		fails  bool
	}{
		"all done":                     {job.Report{Seen: 3}, func(context.Context) error { return nil }, false},
		"nothing to do":                {job.Report{}, func(context.Context) error { return nil }, false},
		"some failed and stay due":     {job.Report{Seen: 3, Failed: 3}, func(context.Context) error { return nil }, false},
		"the store refuses":            {job.Report{Seen: 3}, func(context.Context) error { return mine }, true},
		"more work than time":          {job.Report{Seen: 3, Failed: 2}, untilTimeIsUp, false},
		"time is up before any":        {job.Report{}, untilTimeIsUp, true},
		"time is up and nothing works": {job.Report{Seen: 3, Failed: 3}, untilTimeIsUp, true},
		"somebody else's time is up":   {job.Report{Seen: 3}, func(context.Context) error { return context.DeadlineExceeded }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := &handler{a: &Assembly{Function: topology.Function{Name: "sweeper"}, Desk: &desk.Desk{Ground: desk.Ground{Log: slog.New(slog.NewJSONHandler(&log, nil))}}}, jobs: job.Set{
				"sweep": func(ctx context.Context) (job.Report, error) { return c.report, c.end(ctx) },
			}}
			ctx, cancel := context.WithTimeout(t.Context(), request.PageTime+20*time.Millisecond)
			defer cancel()
			_, err := h.Invoke(ctx, json.RawMessage(`{"job":"sweep"}`))
			if (err != nil) != c.fails {
				t.Errorf("err = %v, want one: %v", err, c.fails)
			}
			if heard := strings.Contains(log.String(), `"err":null`); heard == c.fails {
				t.Errorf("the log says %s", log.String())
			}
			if ctx.Err() != nil {
				t.Error("no time is left to finish the page under way")
			}
		})
	}
}

// What works page by page has to be told to stop before Lambda ends it.
func TestThereIsTimeToFinishAPage(t *testing.T) {
	t.Parallel()
	for _, f := range topology.All {
		if f.Editions {
			continue // its job is a few commits, and no pages
		}
		if (len(f.Schedules) > 0 || f.Queue != nil || f.Stream) && f.Timeout < 2*request.PageTime {
			t.Errorf("%s may run for %v, of which the end of a page may take %v", f.Name, f.Timeout, request.PageTime)
		}
	}
}
