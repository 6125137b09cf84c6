package closure

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestThePageSaysWhatCanHappen compares docs/closures.md with the state machine.
func TestThePageSaysWhatCanHappen(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../docs/closures.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	fmt.Fprintf(&want, "    [*] --> %s: %s\n    [*] --> %s: %s\n", Asked, asked, Grace, began)
	for _, from := range Statuses {
		for _, a := range Actions {
			if to, ok := moves[from][a]; ok {
				fmt.Fprintf(&want, "    %s --> %s: %s\n", from, to, a)
			}
		}
	}
	for _, s := range Statuses {
		if s.Final() {
			fmt.Fprintf(&want, "    %s --> [*]\n", s)
		}
	}
	if !strings.Contains(string(file), "stateDiagram-v2\n"+want.String()+"```") {
		t.Errorf("the diagram is to say\n%s", want.String())
	}
	for status, says := range comments(t) {
		if row := "| `" + status + "` | " + says + " |\n"; !strings.Contains(string(file), row) {
			t.Errorf("a row is to say %s", row)
		}
	}
}

// comments returns what status.go says beside each status.
func comments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "status.go", nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Comment == nil || len(spec.Values) != 1 {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Status" {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				name, _ := strconv.Unquote(lit.Value) // it compiles
				found[name] = strings.TrimSpace(spec.Comment.Text())
			}
		}
		return true
	})
	if len(found) != len(Statuses) {
		t.Fatalf("%d statuses say who moves next, of %d", len(found), len(Statuses))
	}
	return found
}
