// Package operator is who acts for the company. Whatever signed somebody in, a
// development key on a laptop or an identity provider's token in AWS, the rest
// of the system sees one Identity.
//
// It imports the standard library only.
package operator

import (
	"context"
	"slices"
)

// Role is what an operator may do.
type Role string

// The roles.
const (
	Handler Role = "handler" // accepts, denies, plans, retries, fulfils tasks
	Auditor Role = "auditor" // reads lists and audit, changes nothing
)

// Identity is one signed-in operator.
type Identity struct {
	ID    string // stable and pseudonymous; it stands in audit entries
	Roles []Role
	MFA   bool // signed in with a second factor
}

// May reports whether the operator has the role.
func (i Identity) May(r Role) bool { return slices.Contains(i.Roles, r) }

// Actor is how audit entries name the operator.
func (i Identity) Actor() string { return "operator:" + i.ID }

type contextKey struct{}

// With returns a context that carries the operator.
func With(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, i)
}

// From returns the operator that With put there.
func From(ctx context.Context) (Identity, bool) {
	i, ok := ctx.Value(contextKey{}).(Identity)
	return i, ok
}
