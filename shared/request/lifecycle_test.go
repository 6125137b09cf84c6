package request

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/request-lifecycle.md anew")

// TestLifecyclePage compares docs/request-lifecycle.md with the state machine
// that it is made from.
func TestLifecyclePage(t *testing.T) {
	t.Parallel()
	const page = "../../docs/request-lifecycle.md"
	want := lifecycle(comments(t))
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil { // #nosec G306 -- a page for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/request-lifecycle.md is not what the state machine says; write it anew with: go test ./shared/request -run TestLifecyclePage -update")
	}
}

// comments returns what status.go says beside each status and action.
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
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
			name, _ := strconv.Unquote(lit.Value)
			found[name] = strings.TrimSpace(spec.Comment.Text())
		}
		return true
	})
	for _, s := range Statuses {
		if found[string(s)] == "" {
			t.Errorf("the status %s has no comment that says who moves next", s)
		}
	}
	for _, a := range Actions {
		if found[string(a)] == "" {
			t.Errorf("the action %s has no comment that says what happens", a)
		}
	}
	return found
}

func internals() string {
	var list []string
	for _, a := range Actions {
		if a.internal() {
			list = append(list, "`"+string(a)+"`")
		}
	}
	return strings.Join(list, ", ")
}

func lifecycle(comment map[string]string) string {
	var b strings.Builder
	b.WriteString(`<!-- Made from shared/request/status.go by: go test ./shared/request -run TestLifecyclePage -update -->

# The life of a request

The words are the Data Rights Protocol's (1.0, section 3.02), and ` + "`unverified`" + ` before them. What is not on this page cannot
happen: any other action is refused with ` + "`not_possible_now`" + ` and changes nothing. That a request is overdue, or that its link is
too old, is no status: it is worked out from the time whenever somebody asks. That time stands still, or that the answer was put
off, is no status either: ` + "`GET /v1/requests/{id}/deadline`" + ` tells it.

Three things are open from the start: a choice, an appeal, and what the company's app asks for somebody who is signed in there.

What we begin ourselves is in progress from the start: what a [closed account](closures.md) leaves to do, and what has outlived its
purpose. Of the actions below only these are possible with it: ` + internals() + `.

` + "```mermaid\nstateDiagram-v2\n    [*] --> unverified: receive\n    [*] --> open: receive, with nothing to verify\n    [*] --> in_progress: open\n")
	for _, from := range Statuses {
		leads := map[Status][]string{}
		for _, a := range Actions {
			if to, ok := moves[from][a]; ok && to != from {
				leads[to] = append(leads[to], string(a))
			}
		}
		for _, to := range slices.SortedFunc(maps.Keys(leads), func(a, b Status) int { return slices.Index(Statuses, a) - slices.Index(Statuses, b) }) {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(leads[to], ", "))
		}
		if from.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", from)
		}
	}
	b.WriteString("```\n\n## Statuses\n\n| status | who moves next | what can happen, and leads elsewhere | what can happen, and changes no status |\n|---|---|---|---|\n")
	for _, s := range Statuses {
		var out, stay []string
		for _, a := range Actions {
			switch to, ok := moves[s][a]; {
			case ok && to == s:
				stay = append(stay, "`"+string(a)+"`")
			case ok:
				out = append(out, "`"+string(a)+"`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s, comment[string(s)], dash(out), dash(stay))
	}
	b.WriteString("\n## Actions\n\nEach is one commit with its entry in the request's audit chain. The first entry is `receive`, or `open` of what we begin ourselves.\n\n| action | what happens | when |\n|---|---|---|\n")
	for _, a := range Actions {
		var when []string
		for _, s := range Statuses {
			if to, ok := moves[s][a]; ok && to == s {
				when = append(when, "`"+string(s)+"`")
			} else if ok {
				when = append(when, "`"+string(s)+"` → `"+string(to)+"`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a, comment[string(a)], strings.Join(when, ", "))
	}
	b.WriteString(`
## What takes effect at once

Some rights are more than a request: they stop the company from doing something. The stop is put on, and taken off, in the same
commit as the action beside it, so that there is never one without the other.

| right | takes effect with | is taken off with |
|---|---|---|
| ` + "`opt_out_sale`, `limit_sensitive`" + ` | ` + "`receive`" + `: nobody is asked for proof | ` + "`deny`" + `, for documented fraud, until a source was told |
| ` + "`withdraw_consent`" + ` | ` + "`receive`" + ` | nothing: nobody consents by being disbelieved |
| ` + "`objection`" + ` | the first ` + "`verify`" + `, or ` + "`receive`" + ` from the company's app | ` + "`deny`, `revoke`" + `; against marketing it stays (GDPR Article 21(3)) |
| ` + "`restriction`" + ` | ` + "`fulfil`" + ` | nothing that a request can do |

The first two rows are choices. A choice goes on by itself: each source that the policy lets hear of it is told, and then it is
fulfilled. Nobody can ` + "`revoke`" + ` one, because it is in force: it is switched off where people choose. A stop that stood before the request
is not the request's to take off.

## Who acts

| in the audit | who |
|---|---|
| ` + "`person`" + ` | whoever proved the address, or submitted the request |
| ` + "`app:<id>`" + ` | a program of the company's, for somebody who is signed in there |
| ` + "`operator:<id>`" + ` | somebody who acts for the company |
| ` + "`policy`" + ` | a rule of the policy file, without a human |
| ` + "`system`" + ` | work on the plan |
| ` + "`clock`" + ` | time alone |
`)
	return b.String()
}

func dash(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	return strings.Join(list, ", ")
}
