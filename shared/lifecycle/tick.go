package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Tick opens the work of every period that is over, and lets a life be forgotten in
// which nothing is left to happen. Called twice, late or too early it does nothing wrong.
func (s *Service) Tick(ctx context.Context, key table.Key) error {
	at, ok := identifierOf(key)
	if !ok {
		return nil
	}
	var opened request.ID
	var over int64 // the version that is to be forgotten
	err := s.change(ctx, at, func(d *draft) error {
		opened, over = "", d.version
		if d.version == 0 {
			return errUnchanged
		}
		id, err := s.tick(ctx, d)
		opened = id
		return err
	})
	if errors.Is(err, errOver) {
		return s.forget(ctx, at, over)
	}
	if err != nil {
		return fmt.Errorf("life: %w", err)
	}
	s.wake(ctx, opened)
	return nil
}

// errOver says that a life is to be forgotten.
var errOver = errors.New("lifecycle: over")

func (s *Service) tick(ctx context.Context, d *draft) (request.ID, error) {
	if s.gone(d.Life) {
		return "", errOver
	}
	var due []pending
	waiting := false
	for _, w := range d.pending(s.Policy) {
		if d.at.Before(w.due) {
			continue
		}
		active, err := s.Rules.Active(ctx, w.rule.ID)
		if err != nil {
			return "", fmt.Errorf("ask whether a rule is active: %w", err)
		}
		if active {
			due = append(due, w)
		} else {
			waiting = true
		}
	}
	if waiting {
		d.Look = d.at.Add(lookForRules)
	}
	if len(due) == 0 || len(d.Who) == 0 {
		return "", s.unmoved(d)
	}
	who, err := s.who(ctx, d.Life)
	if errors.Is(err, seal.ErrSealed) {
		return "", errOver // erased since, wherever it was
	}
	if err != nil {
		return "", err
	}
	return s.retire(ctx, d, who, due)
}

// unmoved files a life anew in which nothing was done, if that is not where it is.
func (s *Service) unmoved(d *draft) error {
	if s.file(d.Life).Equal(d.filed) {
		return errUnchanged
	}
	return nil
}

// gone reports whether a life's own retention is over.
func (s *Service) gone(l Life) bool {
	return !l.Forget.IsZero() && !s.now().Before(l.Forget) && len(l.pending(s.Policy)) == 0
}

// retire opens the work that rules whose time has come leave to do, as one request.
func (s *Service) retire(ctx context.Context, d *draft, who personal.Identity, due []pending) (request.ID, error) {
	d.Works++
	o := request.Opening{
		From: fmt.Sprintf("%s/%d", d.chain(), d.Works), Right: policy.RetentionEnd, Who: []personal.Identity{who},
		RespondBy: d.at.AddDate(0, 0, workDays),
	}
	var about []audit.Fact
	for _, w := range due {
		o.Parts = join(o.Parts, request.Part{Source: w.rule.Source, Category: w.rule.Category, Verb: w.rule.Action, Masks: w.rule.Masks, Rule: w.rule.ID})
		if d.Done == nil {
			d.Done = map[string]time.Time{}
		}
		d.Done[w.rule.ID] = w.end
		about = append(about, audit.Fact{Name: factRule, Value: w.rule.ID})
	}
	writes, id, err := s.Work.Opening(ctx, o)
	if err != nil {
		return "", fmt.Errorf("open the work of a period that is over: %w", err)
	}
	d.more = append(d.more, writes...)
	s.settle(d)
	d.enter("clock", "retire", append(about, audit.Fact{Name: factWork, Value: string(id)})...)
	return id, nil
}

// join adds a part. Where two rules end the same at once, the one that leaves less is
// followed.
func join(parts []request.Part, p request.Part) []request.Part {
	i := slices.IndexFunc(parts, func(x request.Part) bool { return x.Source == p.Source && x.Category == p.Category })
	switch {
	case i < 0:
		return append(parts, p)
	case leaves(p.Verb) < leaves(parts[i].Verb):
		parts[i] = p
	}
	return parts
}

// leaves orders what rules do by how much of the data is still there.
func leaves(a policy.RetentionAction) int {
	return slices.Index([]policy.RetentionAction{policy.RetireDelete, policy.RetireAnonymise, policy.RetireArchive}, a)
}

// forgetAgain is when it is tried again to forget a life that a hold keeps.
const forgetAgain = 24 * time.Hour

// forget removes a life, unless the person is held. Its audit entries have a period of
// their own.
func (s *Service) forget(ctx context.Context, at seal.Identifier, version int64) error {
	fences, err := hold.Purging(ctx, s.Table, []seal.Identifier{at})
	switch {
	case errors.Is(err, hold.ErrHeld):
		err = s.later(ctx, at, version)
	case err == nil:
		err = s.Table.Commit(ctx, table.NewID(), append(fences, table.Delete(refOf(at), table.Version(version)))...)
	}
	if errors.Is(err, table.ErrConflict) {
		return nil // changed, or gone already: the next look decides
	}
	return err
}

// later files a life that is held for another look.
func (s *Service) later(ctx context.Context, at seal.Identifier, version int64) error {
	l, err := s.load(ctx, at)
	if err != nil || l.version != version {
		return unless(err, errLost)
	}
	l.Forget, l.Look, l.filed = s.now().Add(forgetAgain), s.now().Add(forgetAgain), time.Time{}
	put, err := s.put(l)
	if err != nil {
		return err
	}
	return s.Table.Commit(ctx, table.NewID(), put)
}

func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// Heads returns the chain of a life as its aggregate has it, for verification.
func (s *Service) Heads(ctx context.Context, key table.Key) ([]audit.Chain, error) {
	at, ok := identifierOf(key)
	if !ok {
		return nil, nil
	}
	l, err := s.load(ctx, at)
	if errors.Is(err, errLost) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []audit.Chain{{Name: l.chain(), Head: l.Head}}, nil
}
