package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// finding is what one tool says about one thing in one template.
type finding struct {
	Tool     string `json:"tool"`
	Rule     string `json:"rule"`
	Template string `json:"template"`
	Resource string `json:"resource"` // a logical id; of what is no resource, where it stands
	Message  string `json:"message"`
}

// explanation is why findings are not to be mended.
type explanation struct {
	rules []string // as the tools call them, each exactly
	at    []string // types, or logical ids without the CDK's digits; * stands for anything
	but   []string // of those, the ones that it does not explain
	why   string
}

// most is how many explanations there may be. Whoever needs one more mends something else.
const most = 15

// verdict is what came of it.
type verdict struct {
	open      []finding   // that nothing explains
	explained [][]finding // by explanation
	problems  []string    // of the explanations themselves
}

var digits = regexp.MustCompile(`[0-9A-F]{8}\b`)

// plain takes away the eight digits that the CDK puts behind ids.
func plain(id string) string { return digits.ReplaceAllString(id, "") }

func judge(list []explanation, findings []finding, types map[string]map[string]string) verdict {
	v := verdict{explained: make([][]finding, len(list))}
	used := map[string]bool{}
	for _, f := range findings {
		id, kind := plain(f.Resource), types[f.Template][f.Resource]
		i := slices.IndexFunc(list, func(e explanation) bool { return e.fits(plain(f.Rule), id, kind) })
		if i < 0 {
			v.open = append(v.open, f)
			continue
		}
		v.explained[i] = append(v.explained[i], f)
		used[fmt.Sprint(i, "rule", plain(f.Rule))] = true
		for _, p := range list[i].at {
			if like(p, id) || like(p, kind) {
				used[fmt.Sprint(i, "place", p)] = true
			}
		}
	}
	for i, e := range list {
		if len(e.why) < 40 {
			v.problems = append(v.problems, fmt.Sprintf("explanation %d gives no reason", i+1))
		}
		for _, r := range e.rules {
			if !used[fmt.Sprint(i, "rule", r)] {
				v.problems = append(v.problems, fmt.Sprintf("explanation %d: nothing is found by %s any more, take it out", i+1, r))
			}
		}
		for _, p := range e.at {
			if !used[fmt.Sprint(i, "place", p)] {
				v.problems = append(v.problems, fmt.Sprintf("explanation %d: nothing is found at %s any more, take it out", i+1, p))
			}
		}
	}
	if len(list) > most {
		v.problems = append(v.problems, fmt.Sprintf("there are %d explanations, more than %d: mend something", len(list), most))
	}
	return v
}

func (e explanation) fits(rule, id, kind string) bool {
	here := func(p string) bool { return like(p, id) || like(p, kind) }
	return slices.Contains(e.rules, rule) && slices.ContainsFunc(e.at, here) && !slices.ContainsFunc(e.but, here)
}

// like compares with a pattern in which * stands for anything.
func like(pattern, s string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	for i := len(first); i <= len(s); i++ {
		if like(rest, s[i:]) {
			return true
		}
	}
	return false
}
