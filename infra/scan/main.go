// Command scan judges our templates by other people's rules, and asks for a reason
// for each finding: the list stands in explanations.go. What nobody explained is a
// failure, and so is a reason that nothing needs any more. .ci/scan installs what it
// runs; it wants to be started from the top of the repository.
//
//	go run ./infra/scan            judge, print what is new
//	go run ./infra/scan -all       print what is explained too
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// advertised are the regions into which an installation fits, one a line: cfn-lint
// judges the templates for each. A test of infra/stack holds them to its own.
//
//go:embed regions.txt
var advertised string

var regions = strings.Fields(advertised)

// goldens are the templates that an installation is made of. All have to be there.
const goldens = "infra/stack/testdata/*.golden.json"

func main() {
	all := flag.Bool("all", false, "print the findings that are explained too")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *all); err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, all bool) error {
	paths, err := filepath.Glob(goldens)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("no template is at %s: run it from the top of the repository", goldens)
	}
	types, err := typesOf(paths)
	if err != nil {
		return err
	}
	findings, err := scan(ctx, ".bin/scanners", paths)
	if err != nil {
		return err
	}
	v := judge(explanations, findings, types)
	if all {
		for i, e := range explanations {
			_, _ = fmt.Fprintf(out, "\n%d. %s\n", i+1, e.why)
			tell(out, v.explained[i])
		}
		_, _ = fmt.Fprintln(out)
	}
	tell(out, v.open)
	for _, p := range v.problems {
		_, _ = fmt.Fprintln(out, p)
	}
	_, _ = fmt.Fprintf(out, "%d templates, %d regions: %d findings, %d of them explained by %d reasons\n",
		len(paths), len(regions), len(findings), len(findings)-len(v.open), len(explanations))
	if len(v.open)+len(v.problems) > 0 {
		return fmt.Errorf("%d findings nobody explained, %d problems with explanations: mend the template, or say why in infra/scan/explanations.go", len(v.open), len(v.problems))
	}
	return nil
}

// tell prints findings, those of one rule in one line.
func tell(out io.Writer, findings []finding) {
	type rule struct{ tool, rule, template string }
	var order []rule
	at := map[rule][]string{}
	says := map[rule]string{}
	for _, f := range findings {
		r := rule{f.Tool, f.Rule, f.Template}
		if at[r] == nil {
			order = append(order, r)
			says[r], _, _ = strings.Cut(strings.TrimSpace(f.Message), "\n")
		}
		at[r] = append(at[r], f.Resource)
	}
	for _, r := range order {
		_, _ = fmt.Fprintf(out, "%s %s (%s): %s\n    %s\n", r.tool, r.rule, filepath.Base(r.template), says[r], strings.Join(at[r], " "))
	}
}

// typesOf reads which type each resource of each template has.
func typesOf(paths []string) (map[string]map[string]string, error) {
	types := map[string]map[string]string{}
	for _, path := range paths {
		b, err := os.ReadFile(path) //nolint:gosec // a golden template
		if err != nil {
			return nil, err
		}
		var tpl struct {
			Resources map[string]struct{ Type string }
		}
		if err := json.Unmarshal(b, &tpl); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		types[path] = map[string]string{}
		for id, r := range tpl.Resources {
			types[path][id] = r.Type
		}
	}
	return types, nil
}
