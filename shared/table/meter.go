package table

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Call names the kind of a metered operation.
type Call string

// The kinds. A refused call is one whose precondition or bound did not hold.
const (
	Got     Call = "get"
	Queried Call = "query"
	Scanned Call = "scan"
	Wrote   Call = "write"
	Refused Call = "refused"
)

// Op is what one operation cost on one index of one table. A commit makes one
// for every table and index that it touches.
type Op struct {
	Call  Call
	Table Name
	Index Index
	Units Units
	// Billed is true if the service itself reported the units, false if they
	// were worked out by the documented rules.
	Billed bool
}

// Meter adds up what operations cost. It travels in the context and may be used
// by many goroutines; the zero Meter is ready.
type Meter struct {
	mu  sync.Mutex
	ops []Op
}

type meterKey struct{}

// WithMeter returns a context whose operations are recorded in m.
func WithMeter(ctx context.Context, m *Meter) context.Context {
	return context.WithValue(ctx, meterKey{}, m)
}

// MeterOf returns the meter of a context, or nil: nobody wants to know.
func MeterOf(ctx context.Context) *Meter {
	m, _ := ctx.Value(meterKey{}).(*Meter) // absent: nil
	return m
}

// Record adds operations. On a nil Meter it does nothing.
func (m *Meter) Record(ops ...Op) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ops = append(m.ops, ops...)
}

// Ops returns what was recorded, in order.
func (m *Meter) Ops() []Op {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ops)
}

// Reset forgets everything.
func (m *Meter) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ops = nil
}

// Total is the sum over everything.
func (m *Meter) Total() Units {
	return m.sum(func(Op) bool { return true })
}

// OfTable is the sum over a table, its indexes included.
func (m *Meter) OfTable(name Name) Units {
	return m.sum(func(op Op) bool { return op.Table == name })
}

// OfIndex is the sum over one index of a table.
func (m *Meter) OfIndex(name Name, ix Index) Units {
	return m.sum(func(op Op) bool { return op.Table == name && op.Index == ix })
}

func (m *Meter) sum(of func(Op) bool) Units {
	var u Units
	for _, op := range m.Ops() {
		if of(op) {
			u = u.Add(op.Units)
		}
	}
	return u
}

// String is a table for people: a line for every index that cost something.
func (m *Meter) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-6s %-8s %8s %8s\n", "table", "index", "read", "write")
	line := func(table, index string, u Units) {
		fmt.Fprintf(&b, "%-6s %-8s %8.1f %8.1f\n", table, index, u.Read, u.Write)
	}
	for _, name := range Names {
		for _, ix := range []Index{Primary, Due, Subject} {
			if u := m.OfIndex(name, ix); u != (Units{}) {
				line(string(name), ix.String(), u)
			}
		}
	}
	line("total", "", m.Total())
	return b.String()
}
