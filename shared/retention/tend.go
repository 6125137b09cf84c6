package retention

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// ownPrefix begins the rules of sources that let go by themselves. No rule of a policy
// can be called so.
const ownPrefix = "own:"

// rules are those of the policy, and one for each source that lets go by itself: log
// groups. Nothing in those is swept; that their time is the policy's is watched.
func (s *Service) rules() []policy.RetentionRule {
	list := slices.Clone(s.Policy.RetentionRules)
	for _, decl := range s.Policy.Sources {
		if decl.Kind != policy.KindLogs || len(decl.Holdings) == 0 {
			continue
		}
		shortest := decl.Holdings[0] // what is mixed with others goes with what goes first
		for _, h := range decl.Holdings[1:] {
			if zero := (time.Time{}); h.Keep.Period.After(zero).Before(shortest.Keep.Period.After(zero)) {
				shortest = h
			}
		}
		list = append(list, policy.RetentionRule{
			ID: ownPrefix + decl.ID, Source: decl.ID, Category: shortest.Category, Trigger: policy.WhenCollected,
			Period: shortest.Keep.Period, SetBy: policy.SetByCompany, Action: policy.RetireDelete,
		})
	}
	return list
}

// rule returns one of them.
func (s *Service) rule(id string) (policy.RetentionRule, bool) {
	if !strings.HasPrefix(id, ownPrefix) {
		return s.Policy.RetentionRule(id)
	}
	list := s.rules()
	i := slices.IndexFunc(list, func(r policy.RetentionRule) bool { return r.ID == id })
	if i < 0 {
		return policy.RetentionRule{}, false
	}
	return list[i], true
}

// own reports whether a rule is of a source that lets go by itself.
func own(rule policy.RetentionRule) bool { return strings.HasPrefix(rule.ID, ownPrefix) }

// Tended is how a source that lets go by itself was found.
type Tended struct {
	At    time.Time      `json:"at"`
	Seen  int            `json:"seen"` // parts of it that were compared
	Drift []source.Drift `json:"drift,omitempty"`
	Since time.Time      `json:"since,omitzero"` // something has drifted since
	// Confirmed are those that an operator wants set right although that deletes what is
	// older at once.
	Confirmed []source.Drift `json:"confirmed,omitempty"`
}

// drifted is what is still not as the policy says.
func (t *Tended) drifted() []source.Drift {
	if t == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.Drift), func(d source.Drift) bool { return d.Set })
}

// nextTend is when the source is looked at again.
func (sw Sweep) nextTend() time.Time {
	if sw.Tended == nil || len(sw.Tended.Confirmed) > 0 {
		return time.Time{}
	}
	return sw.Tended.At.Add(Every)
}

// tend compares a source that lets go by itself with the policy, and records what is
// not as it was.
func (s *Service) tend(ctx context.Context, sw Sweep, j job, sh *shift) (Sweep, error) {
	sw, err := s.held(ctx, sw, sh)
	if err != nil {
		return sw, err
	}
	keeper, ok := s.Sources[j.source].(source.Keeper)
	if !ok {
		return s.setback(ctx, sw, sh, fmt.Errorf("%w: the source %s cannot be looked after", source.ErrRefused, j.source))
	}
	var before Tended
	if sw.Tended != nil {
		before = *sw.Tended
	}
	call, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	found, err := keeper.Tend(call, before.Confirmed)
	if err != nil {
		return s.setback(ctx, sw, sh, err)
	}
	now := s.now()
	next := Tended{At: now, Seen: found.Seen, Drift: found.Drift, Since: before.Since}
	switch open := next.drifted(); {
	case len(open) == 0:
		next.Since, sw.Told = time.Time{}, time.Time{}
	case next.Since.IsZero():
		next.Since = now
	}
	sw.Tended, sw.Tries, sw.Fault, sw.After = &next, 0, "", time.Time{}
	if slices.Equal(before.Drift, found.Drift) && !before.At.IsZero() {
		return s.keep(ctx, sw, sh)
	}
	facts := []audit.Fact{{Name: "seen", Value: strconv.Itoa(found.Seen)}}
	for _, d := range found.Drift {
		facts = append(facts, audit.Fact{Name: "drift", Value: fmt.Sprintf("%s %s %d %d %t", d.Kind, d.Name, d.Days, d.Want, d.Set)})
		if len(facts) > 100 {
			break
		}
	}
	sw, e, err := sw.Apply(Look, byClock, now, facts...)
	if err != nil {
		return sw, err
	}
	var lines []table.Write
	if len(next.drifted()) > 0 && len(before.drifted()) == 0 {
		if lines, err = s.line(ctx, sw, digest.Late); err != nil {
			return sw, err
		}
		sw.Told = now
	}
	sw.Lease = Lease{Token: sh.token, Until: now.Add(callFor)}
	sw, err = s.save(ctx, table.NewID(), sw, []audit.Entry{e}, lines...)
	sh.dirty = false
	return sw, err
}
