// Package queueing lets a function hint that a request has work to do, or that
// somebody has to hear of a choice. Mains import it.
package queueing

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/job/sqs"
	"rightsdesk/shared/table"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry sends to the queue of steps.
var Part = boot.Part{
	Name:   "queueing",
	Grants: func(f topology.Function) bool { return len(f.Sends) > 0 },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		queue := sqs.New(a.AWS, map[string]string{topology.Steps: a.Setting(topology.StepsQueue)})
		a.WakeBy(func(ctx context.Context, about table.Key) {
			if err := queue.Send(ctx, topology.Steps, []byte(desk.Hint(about))); err != nil {
				// A hint that got lost delays the work until the next sweep.
				a.Log.WarnContext(ctx, "a hint was not sent; the sweep finds the work", "about", about.Partition, "err", err)
			}
		})
		return nil
	},
}
