// Package queueing lets a function hint that a request has work to do. Mains
// import it.
package queueing

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/job/sqs"
	"rightsdesk/shared/request"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry sends to the queue of steps.
var Part = boot.Part{
	Name:   "queueing",
	Grants: func(f topology.Function) bool { return len(f.Sends) > 0 },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		queue := sqs.New(a.AWS, map[string]string{topology.Steps: a.Setting(topology.StepsQueue)})
		a.Service.Wake = func(ctx context.Context, id request.ID) {
			if err := queue.Send(ctx, topology.Steps, []byte(id)); err != nil {
				// A hint that got lost delays the work until the next sweep.
				a.Log.WarnContext(ctx, "a hint was not sent; the sweep finds the work", "request", string(id), "err", err)
			}
		}
		return nil
	},
}
