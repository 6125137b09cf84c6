package retention

import (
	"context"
	"errors"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// View is everything about a rule that operators see.
type View struct {
	Rule    policy.RetentionRule
	Version string // of the rule in the policy; this is what is activated and confirmed
	Sweep   Sweep  // where it stands; a rule that no run has met yet is New

	// Previewing says that a preview is being made, or waits for the next run to make it.
	Previewing bool
	Limit      int      // what one day may take; 0 for what is not swept by age
	Left       int      // of today's limit, and what was confirmed beyond it
	Late       *Late    // nil: it is not
	Progress   Progress // of the run under way; zero: none is
	Next       time.Time
}

// Progress is how fast a run goes.
type Progress struct {
	PerSecond float64   // records expired, of the last minutes
	ETA       time.Time // zero: not known
}

func mayRead(by operator.Identity) error {
	if by.May(operator.Handler) || by.May(operator.Auditor) {
		return nil
	}
	return ErrForbidden
}

func mayChange(by operator.Identity) error {
	if by.May(operator.Handler) {
		return nil
	}
	return ErrForbidden
}

// List shows every rule of the policy, in its order.
func (s *Service) List(ctx context.Context, by operator.Identity) ([]View, error) {
	if err := mayRead(by); err != nil {
		return nil, err
	}
	rules := s.rules()
	list := make([]View, 0, len(rules))
	for _, rule := range rules {
		sw, err := s.load(ctx, rule.ID)
		if err != nil {
			return nil, unavailable(err)
		}
		list = append(list, s.view(rule, sw))
	}
	return list, nil
}

// Show shows one rule.
func (s *Service) Show(ctx context.Context, by operator.Identity, id string) (View, error) {
	if err := mayRead(by); err != nil {
		return View{}, err
	}
	rule, ok := s.rule(id)
	if !ok {
		return View{}, ErrNotFound
	}
	sw, err := s.load(ctx, id)
	if err != nil {
		return View{}, unavailable(err)
	}
	return s.view(rule, sw), nil
}

func (s *Service) view(rule policy.RetentionRule, sw Sweep) View {
	v := View{Rule: rule, Version: s.versionOf(rule), Sweep: sw, Next: sw.Due}
	if sw.Version != v.Version || sw.Status == Retired || sw.Status == "" {
		// The next run of the sweeps makes it so; until then nothing is done for it.
		v.Sweep = Sweep{Rule: rule.ID, Version: v.Version, Status: New, Day: sw.Day, Head: sw.Head}
		if v.Sweep.ByHand = s.hand(rule); v.Sweep.ByHand != nil {
			v.Sweep.Status = ByHand
		} else if own(rule) {
			v.Sweep.Status = Watched
		}
		v.Previewing = v.Sweep.Status == New
		return v
	}
	v.Previewing = sw.Asked != "" && sw.Asked != byRecount || sw.Walk != nil && !sw.Walk.Quiet
	if rule.Trigger.ByAge() && sw.Status != ByHand && sw.Status != Watched {
		v.Limit, v.Left = sw.limit(rule), sw.allowed(rule, s.now())
	}
	v.Late = s.lateNow(sw, s.now())
	v.Progress = sw.progress(s.now())
	return v
}

// progress is how fast the run under way goes, by what it remembers of the last minutes.
func (sw Sweep) progress(now time.Time) Progress {
	if sw.Run == nil || sw.Status != Active {
		return Progress{}
	}
	from := Mark{At: sw.Run.Began}
	if len(sw.Run.Marks) > 0 && now.Sub(sw.Run.Began) > marks*markEvery {
		from = sw.Run.Marks[0]
	}
	took := now.Sub(from.At).Seconds()
	if took <= 0 || sw.Run.Done <= from.Done {
		return Progress{}
	}
	p := Progress{PerSecond: float64(sw.Run.Done-from.Done) / took}
	if left := sw.Run.Expect - sw.Run.Done; left > 0 {
		p.ETA = now.Add(time.Duration(float64(left) / p.PerSecond * float64(time.Second))).Truncate(time.Second)
	}
	return p
}

// Active reports whether a rule may be carried out: this very version of it was
// activated and nothing has stopped it since.
func (s *Service) Active(ctx context.Context, id string) (bool, error) {
	rule, ok := s.rule(id)
	if !ok {
		return false, nil
	}
	sw, err := s.load(ctx, id)
	if err != nil {
		return false, unavailable(err)
	}
	return sw.Status == Active && sw.Version == s.versionOf(rule), nil
}

// Preview asks for a new preview of a rule. The next run of the sweeps makes it.
func (s *Service) Preview(ctx context.Context, by operator.Identity, id string) (View, error) {
	return s.change(ctx, by, id, "", func(sw Sweep, rule policy.RetentionRule) (Sweep, *audit.Entry, error) {
		if sw.Status == ByHand && s.hand(rule) == nil {
			// The source said that it cannot be swept; perhaps it can now.
			next, e, err := sw.Apply(Declare, by.Actor(), s.now(), audit.Fact{Name: "version", Value: sw.Version})
			next.ByHand, next.Asked = nil, by.Actor()
			return next, &e, err
		}
		if _, ok := moves[sw.Status][Look]; !ok || !rule.Trigger.ByAge() || own(rule) {
			return sw, nil, ErrNotNow
		}
		if sw.Asked != "" && sw.Asked != byRecount || sw.Walk != nil && !sw.Walk.Quiet {
			return sw, nil, errUnchanged
		}
		sw.Asked = by.Actor()
		return sw, nil, nil
	})
}

// Activate lets a rule begin to delete, or go on after a pause. The version is the one
// whose preview the operator looked at. Activating what is active changes nothing.
func (s *Service) Activate(ctx context.Context, by operator.Identity, id, version string) (View, error) {
	return s.change(ctx, by, id, version, func(sw Sweep, _ policy.RetentionRule) (Sweep, *audit.Entry, error) {
		switch {
		case sw.Status == Active:
			return sw, nil, errUnchanged
		case sw.Status == New || sw.Preview == nil && sw.Status == Previewed:
			return sw, nil, ErrUnseen
		}
		next, e, err := sw.Apply(Activate, by.Actor(), s.now(), audit.Fact{Name: "version", Value: sw.Version})
		next.Activated, next.By = s.now(), by.Actor()
		return next, &e, err
	})
}

// Pause stops a rule until it is activated again. The page under way is still finished.
// A rule that the brake holds is stopped already, and stays so.
func (s *Service) Pause(ctx context.Context, by operator.Identity, id string) (View, error) {
	return s.change(ctx, by, id, "", func(sw Sweep, _ policy.RetentionRule) (Sweep, *audit.Entry, error) {
		if sw.Status == Paused {
			return sw, nil, errUnchanged
		}
		next, e, err := sw.Apply(Pause, by.Actor(), s.now(), audit.Fact{Name: "version", Value: sw.Version})
		return next, &e, err
	})
}

// Confirm lets a rule go on that the brake stopped: with the shares of the following
// days, and in this run beyond them with so many records as extra says, at most what the
// latest preview counted as due. Of a rule by hand it says that it was done. Of a source
// that lets go by itself it has set right what drifted, which deletes what is too old.
func (s *Service) Confirm(ctx context.Context, by operator.Identity, id, version string, extra int) (View, error) {
	return s.change(ctx, by, id, version, func(sw Sweep, _ policy.RetentionRule) (Sweep, *audit.Entry, error) {
		now := s.now()
		if sw.Status == Active && sw.Stop == nil && sw.Extra == extra && extra > 0 {
			return sw, nil, errUnchanged
		}
		facts := []audit.Fact{{Name: "version", Value: sw.Version}}
		if sw.Status == Braked {
			if extra < 0 || extra > 0 && (sw.Preview == nil || extra > sw.Preview.Due-sw.Preview.Held) {
				return sw, nil, errTooMany
			}
			facts = append(facts, audit.Fact{Name: "extra", Value: strconv.Itoa(extra)})
		} else if extra != 0 {
			return sw, nil, ErrNotNow
		}
		next, e, err := sw.Apply(Confirm, by.Actor(), now, facts...)
		if err != nil {
			return sw, nil, err
		}
		switch {
		case sw.Status == Watched && len(sw.Tended.drifted()) == 0:
			return sw, nil, errUnchanged
		case sw.Status == Watched:
			t := *sw.Tended
			t.Confirmed = t.drifted()
			next.Tended, next.After = &t, time.Time{}
		case sw.ByHand != nil:
			h := *sw.ByHand
			h.Done, h.By, h.Due = now, by.Actor(), now.Add(cycle)
			next.ByHand, next.Told = &h, time.Time{}
		default:
			next.Extra, next.Stop, next.After = extra, nil, time.Time{}
		}
		return next, &e, nil
	})
}

var errUnchanged = errors.New("retention: nothing to change")

// change commits what an operator decides about a rule as the policy has it.
func (s *Service) change(ctx context.Context, by operator.Identity, id, version string, decide func(Sweep, policy.RetentionRule) (Sweep, *audit.Entry, error)) (View, error) {
	if err := mayChange(by); err != nil {
		return View{}, err
	}
	rule, ok := s.rule(id)
	if !ok {
		return View{}, ErrNotFound
	}
	current := s.versionOf(rule)
	if version != "" && version != current {
		return View{}, ErrVersion
	}
	commit := table.NewID()
	for try := range conflictTries {
		sw, err := s.load(ctx, id)
		if err != nil {
			return View{}, unavailable(err)
		}
		if sw.Version != current || sw.Status == Retired {
			return View{}, ErrUnseen // the next run of the sweeps takes the rule in
		}
		next, e, err := decide(sw, rule)
		if errors.Is(err, errUnchanged) {
			return s.view(rule, sw), nil
		}
		if err != nil {
			return View{}, err
		}
		var entries []audit.Entry
		if e != nil {
			entries = []audit.Entry{*e}
		}
		next, err = s.save(ctx, commit, next, entries)
		if err == nil {
			return s.view(rule, next), nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return View{}, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return View{}, err
		}
	}
	return View{}, ErrBusy
}

// unavailable turns a store that is busy, or that lost an answer, into a fault that
// asks the caller to repeat the call.
func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}
