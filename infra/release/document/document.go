// Package document writes what is said about an installation, from its template, the
// topology and the measured units: which role may do what and why, where data lies, what
// it costs, how it looks. What the template has and the package cannot explain is an
// error, so that nothing new stays unsaid.
//
// It imports packages formation, cost and the topology.
package document

import (
	"fmt"
	"strings"

	"rightsdesk/infra/release/cost"
	"rightsdesk/infra/release/formation"
)

// Sources is what documents are made of.
type Sources struct {
	Template *formation.Template // as cdk deploy makes it
	Units    cost.Units          // of a request, as measured
}

// Files makes every document, by its name in docs.
func Files(s Sources) (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, write := range map[string]func(Sources) ([]byte, error){
		"permissions.md":     permissions,
		"deploy-policy.json": deployPolicy,
		"ftr.md":             review,
		"cost.md":            costs,
		"architecture.svg":   diagram,
	} {
		b, err := write(s)
		if err != nil {
			return nil, fmt.Errorf("docs/%s: %w", name, err)
		}
		files[name] = b
	}
	return files, nil
}

// page is a page of Markdown that is written line by line.
type page struct{ strings.Builder }

func (p *page) say(format string, args ...any) {
	fmt.Fprintf(&p.Builder, format+"\n", args...)
}

// table writes a table. Bars in cells are spelled so that they stay in them.
func (p *page) table(heads []string, rows [][]string) {
	p.row(heads)
	rule := make([]string, len(heads))
	for i := range rule {
		rule[i] = "---"
	}
	p.say("|%s|", strings.Join(rule, "|"))
	for _, r := range rows {
		p.row(r)
	}
	p.say("")
}

func (p *page) row(cells []string) {
	safe := make([]string, len(cells))
	for i, c := range cells {
		if c == "" {
			c = "-"
		}
		safe[i] = strings.ReplaceAll(c, "|", "\\|")
	}
	p.say("| %s |", strings.Join(safe, " | "))
}

const made = "<!-- Made by `go run ./infra/release docs` from the template and the topology. Change those, not this page. -->\n"

// code puts names into code spans.
func code(names ...string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "`" + n + "`"
	}
	return strings.Join(quoted, ", ")
}
