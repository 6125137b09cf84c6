package retention

import (
	"time"

	"rightsdesk/shared/audit"
)

// Status is where a rule stands. The comment says who moves next.
type Status string

// The statuses.
const (
	New       Status = "new"       // us: a preview is being made
	Previewed Status = "previewed" // an operator: look at the preview, activate
	Active    Status = "active"    // us: it is swept every day
	Paused    Status = "paused"    // an operator: activate it again
	Braked    Status = "braked"    // an operator: look why it would take so much, confirm
	ByHand    Status = "by_hand"   // the source's team: do it, and say so
	Watched   Status = "watched"   // us: the source lets go by itself, and it is watched that it does
	Retired   Status = "retired"   // nobody: the policy has no such rule any more

	// replaying is a walk after a restore, which is no rule; the replay moves it.
	replaying Status = "replaying"
)

// Action is what can happen to a rule. In audit entries it is the past.
type Action string

// The actions.
const (
	Declare  Action = "declared"  // the policy has it, or has it with another definition
	Entrust  Action = "entrusted" // the same, of a source that is swept by hand
	Watch    Action = "watched"   // the same, of a source that lets go by itself
	Look     Action = "previewed" // of what is watched: it was found to be otherwise than before
	Activate Action = "activated"
	Pause    Action = "paused"
	Begin    Action = "began" // a run
	End      Action = "ended" // a run
	Brake    Action = "braked"
	Confirm  Action = "confirmed" // what the brake stopped; of a rule by hand: that it was done
	Retire   Action = "retired"
)

// moves is the whole state machine. What is not here cannot happen.
var moves = map[Status]map[Action]Status{
	"":        {Declare: New, Entrust: ByHand, Watch: Watched},
	New:       {Declare: New, Entrust: ByHand, Watch: Watched, Look: Previewed, Retire: Retired},
	Previewed: {Declare: New, Entrust: ByHand, Watch: Watched, Look: Previewed, Activate: Active, Retire: Retired},
	Active:    {Declare: New, Entrust: ByHand, Watch: Watched, Look: Active, Pause: Paused, Begin: Active, End: Active, Brake: Braked, Retire: Retired},
	Paused:    {Declare: New, Entrust: ByHand, Watch: Watched, Look: Paused, Activate: Active, Retire: Retired},
	Braked:    {Declare: New, Entrust: ByHand, Watch: Watched, Look: Braked, Confirm: Active, Retire: Retired},
	ByHand:    {Declare: New, Entrust: ByHand, Watch: Watched, Confirm: ByHand, Retire: Retired},
	Watched:   {Declare: New, Entrust: ByHand, Watch: Watched, Look: Watched, Confirm: Watched, Retire: Retired},
	Retired:   {Declare: New, Entrust: ByHand, Watch: Watched},
}

// Statuses lists every status, in the order of a rule's life.
var Statuses = []Status{New, Previewed, Active, Paused, Braked, ByHand, Watched, Retired}

// Apply returns the sweep as it is after an action, and the audit entry that belongs
// to it. sw itself is not changed.
func (sw Sweep) Apply(a Action, by string, now time.Time, facts ...audit.Fact) (Sweep, audit.Entry, error) {
	next, ok := moves[sw.Status][a]
	if !ok {
		return Sweep{}, audit.Entry{}, ErrNotNow
	}
	sw.Status = next
	e := audit.Entry{Chain: ChainOf(sw.Rule), At: now, Actor: by, Action: string(a)}
	for _, f := range facts {
		if f.Value != "" {
			e.Facts = append(e.Facts, f)
		}
	}
	return sw, e, nil
}
