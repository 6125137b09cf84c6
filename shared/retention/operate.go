package retention

import (
	"context"
	"time"

	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

// View is everything about a rule that operators see.
type View struct {
	Rule    policy.RetentionRule
	Version string // of the rule in the policy; this is what is activated and confirmed
	Sweep   Sweep  // where it stands

	// Previewing says that a preview is being made, or waits for the next run to make it.
	Previewing bool
	Limit      int      // what one day may take; 0 for what is not swept by age
	Left       int      // of today's limit, and what was confirmed beyond it
	Late       *Late    // nil: it is not
	Progress   Progress // of the run under way; zero: none is
	Next       time.Time
}

// Late is that something is kept longer than it should be.
type Late struct {
	Since time.Time // when the oldest of it should have been gone
	Why   string    // due: it is known to be there; unseen: nobody has looked since
}

// Progress is how fast a run goes.
type Progress struct {
	PerSecond float64   // records expired, of the last minutes
	ETA       time.Time // zero: not known
}

// Replay is a walk of the ledger through one category after a restore.
type Replay struct {
	Run      string // the replay that it is part of
	Source   string
	Category string
	Until    time.Time // records that were collected later are left alone
	Verb     source.Verb
	Masks    []source.Mask // for Anonymise
	// Pick says which records of a page are to be expired again.
	Pick func(ctx context.Context, page []source.AgedRecord) ([]bool, error)
}

// Walked is how far a replay's walk is.
type Walked struct {
	Seen int  // records looked at
	Done int  // expired again
	Held int  // that legal holds keep
	Over bool // the walk is at its end, and a last look found nothing that was left
}

// List shows every rule of the policy, in its order.
func (s *Service) List(ctx context.Context, by operator.Identity) ([]View, error) {
	return nil, nil
}

// Show shows one rule.
func (s *Service) Show(ctx context.Context, by operator.Identity, rule string) (View, error) {
	return View{}, nil
}

// Preview asks for a new preview of a rule. The next run of the sweeps makes it.
func (s *Service) Preview(ctx context.Context, by operator.Identity, rule string) (View, error) {
	return View{}, nil
}

// Activate lets a rule begin to delete, or go on after a pause. The version is the one
// whose preview the operator looked at.
func (s *Service) Activate(ctx context.Context, by operator.Identity, rule, version string) (View, error) {
	return View{}, nil
}

// Pause stops a rule until it is activated again. The page under way is still finished.
func (s *Service) Pause(ctx context.Context, by operator.Identity, rule string) (View, error) {
	return View{}, nil
}

// Confirm lets a rule go on that the brake stopped: with the shares of the following
// days, and beyond them with so many records as extra says, at most what the latest
// preview counted as due. Of a rule by hand it says that it was done.
func (s *Service) Confirm(ctx context.Context, by operator.Identity, rule, version string, extra int) (View, error) {
	return View{}, nil
}

// Active reports whether a rule may be carried out: this very version of it was
// activated and nothing has stopped it since.
func (s *Service) Active(ctx context.Context, rule string) (bool, error) {
	return false, nil
}

// Report is what one round over all rules did.
type Report struct {
	Seen   int // rules that were looked at
	Failed int // that will be looked at again
}

// Sweep looks at every rule of the policy, begins what is to begin, and works until
// nothing can be done now or the context ends. The page under way is then still
// finished: whoever ends the context leaves PageTime for it.
func (s *Service) Sweep(ctx context.Context) (Report, error) {
	return Report{}, nil
}

// Walk goes through everything that a source holds of a category and expires what the
// replay picks, in the same pages as a sweep: claimed, kept from holds, and taken up
// again after a crash. It returns when the walk is over or the context ends.
func (s *Service) Walk(ctx context.Context, r Replay) (Walked, error) {
	return Walked{}, nil
}
