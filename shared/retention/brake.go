package retention

import (
	"context"
	"math"
	"time"

	"rightsdesk/shared/digest"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// limit is how many records one day may take: the rule's share of what was last
// counted, rounded down, and no more than its cap; the cap alone where nothing was.
func (sw Sweep) limit(rule policy.RetentionRule) int {
	if sw.Inventory.At.IsZero() {
		return rule.Brake.Cap
	}
	share := math.Floor(float64(sw.Inventory.Total) * rule.Brake.Percent / 100)
	return int(min(share, float64(rule.Brake.Cap)))
}

func dayOf(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// on is the day whose share an instant falls under. A clock that is behind does not
// begin a day anew that another one has begun.
func (sw Sweep) on(now time.Time) string { return max(dayOf(now), sw.Day.Day) }

// today is what was taken of the day's share.
func (sw Sweep) today(now time.Time) int {
	if sw.Day.Day != sw.on(now) {
		return 0
	}
	return sw.Day.Taken
}

// allowed is how many records may be claimed now.
func (sw Sweep) allowed(rule policy.RetentionRule, now time.Time) int {
	return max(0, sw.limit(rule)-sw.today(now)) + sw.Extra
}

// take counts a page against the day's share, and then against what was confirmed
// beyond it. It is called for the claim: what a crash leaves behind is counted.
func (sw *Sweep) take(n int, rule policy.RetentionRule, now time.Time) {
	taken := sw.today(now)
	share := min(n, max(0, sw.limit(rule)-taken))
	sw.Day = Day{Day: sw.on(now), Taken: taken + share}
	sw.Extra -= n - share
	sw.Page.Day, sw.Page.Extra = sw.Day.Day, n-share
}

// giveBack returns what a source left as it was: nothing of it was taken.
func (sw *Sweep) giveBack(p Page, n int) {
	extra := min(n, p.Extra)
	sw.Extra += extra
	if sw.Day.Day == p.Day {
		sw.Day.Taken = max(0, sw.Day.Taken-(n-extra))
	}
}

// line notes what needs the operators in their next digest.
func (s *Service) line(ctx context.Context, sw Sweep, why digest.Why) ([]table.Write, error) {
	if s.Digest == nil {
		return nil, nil
	}
	return s.Digest.Note(ctx, digest.Operators, digest.Line{
		Request: sw.Rule, Right: "retention_rule", Call: "GET /v1/operator/retention/" + sw.Rule, Why: []digest.Why{why},
	})
}
