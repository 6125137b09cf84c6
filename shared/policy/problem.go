package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a policy file, and where it stands.
type Problem struct {
	Line, Column int    // from 1; of the key, the entry of a list, or what should contain a missing key
	Path         string // rights.access.automatic or sources.shop.known_by[1]; empty for the file as a whole
	Text         string // what is allowed there; what may be a secret is never repeated
}

// String is the problem as an editor understands it: 12:5 rights.access.automatic: must be true or false.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Text)
	}
	return fmt.Sprintf("%d:%d %s: %s", p.Line, p.Column, p.Path, p.Text)
}

// Problems are all the reasons why a policy file is refused, in file order.
type Problems []Problem //nolint:errname // it is a list first, and an error because Parse returns it

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the problems in file order, at most maxProblems of them: who
// feeds us a wrong file altogether need not read a megabyte of complaints.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text))
	})
	if len(ps) <= maxProblems {
		return ps
	}
	last := ps[maxProblems-1]
	return append(ps[:maxProblems:maxProblems], Problem{
		Line: last.Line, Column: last.Column,
		Text: fmt.Sprintf("there are %d more problems further down; mend these first", len(ps)-maxProblems),
	})
}

const maxProblems = 100
