// Package hearing lets a function hear what is said on an event bus: what Amazon SES
// says about mail, and what the company's programs say about accounts and
// relationships. Mains import it.
package hearing

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/mail/feedback"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry hears events of another service.
var Part = boot.Part{
	Name:   "hearing",
	Grants: func(f topology.Function) bool { return f.Feed != nil },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		a.Hear = func(ctx context.Context, event []byte) error { return feedback.Take(ctx, a.Consents, event) }
		if a.Function.Feed.Source == topology.LifecycleEvents {
			a.Hear = func(ctx context.Context, event []byte) error { return a.Lifecycle.Hear(ctx, event) }
		}
		return nil
	},
}
