package formation

import (
	"fmt"
	"maps"
	"slices"
)

// Broken returns the rules that the values of parameters break, by their names, with
// what each says about it.
func (g *Given) Broken() (map[string]string, error) {
	broken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(g.Rules)) {
		rule := g.Rules[name]
		if when := At(rule, "RuleCondition"); when != nil {
			applies, err := g.holds(when)
			if err != nil {
				return nil, fmt.Errorf("rule %s: %w", name, err)
			}
			if !applies {
				continue
			}
		}
		for _, assertion := range List(At(rule, "Assertions")) {
			kept, err := g.holds(At(assertion, "Assert"))
			if err != nil {
				return nil, fmt.Errorf("rule %s: %w", name, err)
			}
			if !kept {
				broken[name] = Text(At(assertion, "AssertDescription"))
			}
		}
	}
	return broken, nil
}
