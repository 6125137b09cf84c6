package stack_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A command that a tired person copies at night names what is really there.
func TestRunbooksNameWhatExists(t *testing.T) {
	tpl := load(t)
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no runbooks: %v", err)
	}
	named := regexp.MustCompile(`\$\(id (\w+) ([\w:]+)\)`)
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			n := 0
			for logical, r := range tpl.Resources {
				if strings.HasPrefix(logical, m[1]) && r.Type == m[2] {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s: %d resources of type %s begin with %s", filepath.Base(page), n, m[2], m[1])
			}
		}
	}
}
