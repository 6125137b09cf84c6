// Package job is scheduled and queued work as functions run it: look at what is
// due, act, and say what came of it. When something is tried again, and when it is
// left to an operator, the thing itself knows: a request, a digest.
//
// It knows no AWS: boot and infra/local call jobs by the names of the topology.
// It imports the domain.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/erasure"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
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

// Handler does a job's part for the entries of one kind in the due-index.
type Handler struct {
	Takes func(table.Key) bool
	Act   func(context.Context, table.Key) error
}

// Requests is the handler of requests.
func Requests(each func(context.Context, request.ID) error) Handler {
	return Handler{
		Takes: func(k table.Key) bool {
			_, ok := request.IDOf(k)
			return ok
		},
		Act: func(ctx context.Context, k table.Key) error {
			id, _ := request.IDOf(k)
			return each(ctx, id)
		},
	}
}

// Digests is the handler of digests.
func Digests(each func(context.Context, table.Key) error) Handler {
	return Handler{Takes: digest.IsKey, Act: each}
}

// Sweep walks the due-index once and has the handler that takes an entry do its
// part; what none takes is for other jobs. One that fails does not keep the others
// waiting: it is logged and stays due.
func Sweep(t table.Table, now func() time.Time, log *slog.Logger, handlers ...Handler) Job {
	return func(ctx context.Context) (Report, error) {
		var rep Report
		_, err := table.WalkDue(ctx, t, "", now(), func(k table.Key) error {
			for _, h := range handlers {
				if !h.Takes(k) {
					continue
				}
				rep.Seen++
				if err := h.Act(ctx, k); err != nil {
					rep.Failed++
					log.WarnContext(ctx, "something due failed and stays due", "item", k.Partition, "err", err)
				}
				break
			}
			return ctx.Err()
		}, nil)
		if err != nil {
			return rep, fmt.Errorf("sweep: %w", err)
		}
		return rep, nil
	}
}

// Consents is the handler of what people chose.
func Consents(each func(context.Context, table.Key) error) Handler {
	return Handler{Takes: consent.IsKey, Act: each}
}

// rules works off what rules of retention have to do.
func rules(d *desk.Desk) Job {
	return func(ctx context.Context) (Report, error) {
		rep, err := d.Retention.Sweep(ctx)
		return Report{Seen: rep.Seen, Failed: rep.Failed}, err
	}
}

// suppressions takes down whose address the mail service writes to no more, as far as
// no event told.
func suppressions(d *desk.Desk) Job {
	return func(ctx context.Context) (Report, error) {
		seen, failed, err := d.Consents.HeedListed(ctx)
		return Report{Seen: seen, Failed: failed}, err
	}
}

// seal makes checkpoints of the audit.
func seal(d *desk.Desk) Job {
	return func(ctx context.Context) (Report, error) {
		rep, err := d.Sealing.Run(ctx)
		return Report{Seen: rep.Batches + rep.Failed, Failed: rep.Failed}, err
	}
}

// tell tells the event bus what it did not take when it came. What it tells is not counted
// as seen: a sweep of letters that does nothing until its time is up would look busy.
func tell(d *desk.Desk) Job {
	return func(ctx context.Context) (Report, error) {
		rep, err := d.Bulletin.Tell(ctx)
		return Report{Seen: rep.Left, Failed: rep.Left}, err
	}
}

// after is several jobs in a row. One that fails does not keep the others from their turn,
// and one that ran out of time does not hide that: boot takes it for no failure.
func after(jobs ...Job) Job {
	return func(ctx context.Context) (all Report, err error) {
		for _, job := range jobs {
			rep, failed := job(ctx)
			all.Seen, all.Failed = all.Seen+rep.Seen, all.Failed+rep.Failed
			if over := ctx.Err(); err == nil || over == nil || !errors.Is(failed, over) {
				err = errors.Join(err, failed)
			}
		}
		return all, err
	}
}

// unlessReplaying does nothing while a replay goes on: what it would destroy may be
// held, and nobody knows it yet. Whatever changes an aggregate with an entry of its
// chain needs no such care: while the aggregate is older than the chain it conflicts.
func unlessReplaying(d *desk.Desk, job Job) Job {
	return func(ctx context.Context) (Report, error) {
		if pending, err := d.Restore.Pending(ctx); pending || err != nil {
			return Report{}, err
		}
		return job(ctx)
	}
}

// editions is the job that opens an installation, and the only one that runs before.
const editions = "editions"

// Jobs returns every job of the topology, by function. Where the installation is not
// open they do nothing, which is no failure: what is due stays due.
func Jobs(d *desk.Desk) map[string]Set {
	all := jobs(d)
	if d.Shut == nil {
		return all
	}
	for _, set := range all {
		for name := range set {
			if name != editions {
				set[name] = func(context.Context) (Report, error) { return Report{}, nil }
			}
		}
	}
	return all
}

func jobs(d *desk.Desk) map[string]Set {
	s, c := d.Requests, d.Consents
	sweep := func(handlers ...Handler) Job { return Sweep(d.Table, d.Now, d.Log, handlers...) }
	return map[string]Set{
		"relay": {
			// Waiting for the bus has its bounds; letters may take all the time that there is.
			"announcements": after(tell(d), sweep(Requests(s.Announce), Digests(d.Digest.Send), Consents(c.Announce), Handler{closure.IsKey, d.Closures.Announce})),
			"checkpoint":    seal(d),
		},
		"fulfil":    {"steps": sweep(Requests(s.Work), Consents(c.Tell))},
		"deadlines": {"clocks": sweep(Requests(s.Tick), Consents(c.Tick), Handler{closure.IsKey, d.Closures.Tick}, Handler{hold.IsKey, d.Holds.Tick}, Handler{lifecycle.IsKey, d.Lifecycle.Tick})},
		"notice":    {editions: func(ctx context.Context) (Report, error) { return Report{}, d.Editions.Look(ctx) }},
		"retention": {
			// What follows from erasures is soon done; rules take all the time that there is.
			"sweeps": after(unlessReplaying(d, sweep(Handler{erasure.IsKey, d.Erasure.Tick})), unlessReplaying(d, rules(d))),
			"replay": sweep(Handler{restore.IsKey, d.Restore.Act}),
		},
		"mailevents": {"suppressions": suppressions(d)},
	}
}
