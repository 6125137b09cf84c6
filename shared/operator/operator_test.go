package operator_test

import (
	"testing"

	"rightsdesk/shared/operator"
)

func TestAnOperatorMayWhatTheirRolesSay(t *testing.T) {
	t.Parallel()
	i := operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}}
	if !i.May(operator.Handler) || i.May(operator.Auditor) || i.May("") || (operator.Identity{}).May(operator.Handler) {
		t.Error("a role was lost or invented")
	}
	if i.Actor() != "operator:h1" {
		t.Errorf("the audit names %q", i.Actor())
	}
}

func TestTheContextCarriesWhoSignedInAndNobodyElse(t *testing.T) {
	t.Parallel()
	if _, ok := operator.From(t.Context()); ok {
		t.Error("nobody signed in, and somebody is there")
	}
	got, ok := operator.From(operator.With(t.Context(), operator.Identity{ID: "h1"}))
	if !ok || got.ID != "h1" {
		t.Errorf("%+v, %t", got, ok)
	}
}
