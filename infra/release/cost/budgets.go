package cost

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
)

// budgetsFile is the test that measures every operation, on two engines, and holds
// it to its budget. What it holds is what we reckon with.
const budgetsFile = "infra/local/bar9_units_test.go"

// Units are DynamoDB's.
type Units struct{ Write, Read float64 }

// journey is a request from the submission to the answer, as the test names its steps.
var journey = []string{
	"submit", "relay of the first mail", "verify by link", "relay of the confirmation",
	"accept", "task done", "complete, with the ledger", "relay of the answer",
}

// Journey reads the budgets of a whole request from the source of the test.
func Journey(root string) (Units, error) {
	path := filepath.Join(root, filepath.FromSlash(budgetsFile))
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return Units{}, fmt.Errorf("cost: the measured units are not to be found: %w", err)
	}
	budgets := map[string]Units{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "measure" {
			return true
		}
		what, isText := call.Args[0].(*ast.BasicLit)
		budget, isBudget := call.Args[1].(*ast.CompositeLit)
		if !isText || !isBudget || len(budget.Elts) != 2 {
			return true
		}
		name, err := strconv.Unquote(what.Value)
		if err != nil {
			return true
		}
		write, okWrite := number(budget.Elts[0])
		read, okRead := number(budget.Elts[1])
		if okWrite && okRead {
			budgets[name] = Units{write, read}
		}
		return true
	})
	var sum Units
	for _, step := range journey {
		u, ok := budgets[step]
		if !ok {
			return Units{}, fmt.Errorf("cost: %s measures no %q any more: name the steps of a request in cost.journey as the test does", budgetsFile, step)
		}
		sum.Write += u.Write
		sum.Read += u.Read
	}
	return sum, nil
}

func number(e ast.Expr) (float64, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(lit.Value, 64)
	return n, err == nil
}
