package consent

import (
	"context"
	"fmt"
	"slices"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// Change is a set of switches on a person's own page.
type Change struct {
	Asked       []Asked
	WithdrawAll bool
	Stops       map[policy.Stop]bool // opt_out_sale, limit_sensitive, marketing_opt_out: on or off
	Signals     Signals
	Attempt     Attempt
	Method      Method // empty: Preferences
	Language    string
}

// own are the stops that people switch themselves. An objection and a restriction
// are weighed as requests; a signal is the browser's, and a specific consent is
// what ends it.
var own = []policy.Stop{policy.SaleOptOut, policy.SensitiveLimit, policy.MarketingOptOut}

// Switch makes the changes of a person's own page.
func (s *Service) Switch(ctx context.Context, l Link, c Change) (Captured, error) {
	if l.Verb != PreferLink {
		return Captured{}, ErrBadToken
	}
	a, err := s.switching(Capture{By: ByPerson, Identity: l.Who, confirmed: l.N > 0}, c)
	if err != nil {
		return Captured{}, err
	}
	a.id = l.Identifier
	return s.unlessHalted(ctx, a, false)
}

// SwitchFor is Switch for an app that names the identity.
func (s *Service) SwitchFor(ctx context.Context, app string, i personal.Identity, c Change) (Captured, error) {
	who, err := s.speak(Capture{By: ByApp, App: app, Identity: i})
	if err != nil {
		return Captured{}, err
	}
	a, err := s.switching(who, c)
	if err != nil {
		return Captured{}, err
	}
	return s.unlessHalted(ctx, a, false)
}

func (s *Service) switching(who Capture, c Change) (*act, error) {
	if c.Method == "" {
		c.Method = Preferences
	}
	who.Asked, who.Signals, who.Attempt, who.Method, who.Language = c.Asked, c.Signals, c.Attempt, c.Method, c.Language
	var bad []fault.Field
	for _, stop := range sorted(c.Stops) {
		if !slices.Contains(own, stop) {
			bad = append(bad, fault.Field{Pointer: fmt.Sprintf("/stops/%s", stop), Text: "must be one of: " + list(own)})
		}
	}
	if len(c.Asked) == 0 && len(c.Stops) == 0 && !c.WithdrawAll && c.Signals == (Signals{}) {
		bad = append(bad, fault.Field{Pointer: "/choices", Text: "must name at least one choice, or stops, or withdraw_all"})
	}
	if len(bad) > 0 {
		return nil, fault.Input(bad...)
	}
	a, err := s.act(who)
	if err != nil {
		return nil, err
	}
	a.stops, a.all = c.Stops, c.WithdrawAll
	return a, nil
}
