// Package publishing lets a function tell the installation's event bus what was
// recorded. Mains import it.
package publishing

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/bulletin/eventbridge"
	"rightsdesk/shared/topology"
)

// Part is for functions whose topology entry publishes.
var Part = boot.Part{
	Name:   "publishing",
	Grants: func(f topology.Function) bool { return f.Publishes },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		a.Bus = eventbridge.New(a.AWS, a.Setting(topology.EventBus))
		a.TellOn(a.Bus)
		return nil
	},
}
