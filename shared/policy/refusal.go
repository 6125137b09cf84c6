package policy

import (
	"slices"

	"rightsdesk/shared/law"
)

// readRefusals reads the circumstances in which the company denies a request. A
// list without entries is a promise too: to deny nothing.
func (p *Policy) readRefusals(o *object) {
	p.Refusals = o.lines("refusals", may, anyLine)
	if o.has("refusals") && p.Refusals == nil {
		p.Refusals = []string{}
	}
}

// MayRefuse reports whether the policy lets a request be denied for the reason
// of that code. Which codes there are is the law's to say.
func (p *Policy) MayRefuse(code string) bool {
	return p.Refusals == nil || slices.Contains(p.Refusals, code)
}

// reasons returns what the laws of the policy accept as a reason to deny a
// request for one right or another. A code can stand in it more than once.
func (p *Policy) reasons() []law.Reason {
	var all []law.Reason
	for _, g := range p.Regimes {
		for _, right := range append(slices.Clone(AllRights), Appeal) {
			all = append(all, law.Reasons(g.ID, string(right))...)
		}
	}
	return all
}
