package operate

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// plan is what taking an account's installation down would do, in words.
func plan(t *testing.T, a *account, name string) (*Teardown, string) {
	t.Helper()
	p, err := a.open().PlanTeardown(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	if err := p.Print(&s); err != nil {
		t.Fatal(err)
	}
	return p, s.String()
}

func TestAPlanNamesWhatStaysAndWhatItCosts(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	p, said := plan(t, a, stackName)
	want := []string{"0000", "audit-1", "checkpoints-1", "eu-west-3_Pool", "exports-1", "keys-1", "state-1"}
	var got []string
	for _, s := range p.Stays {
		got = append(got, s.Physical)
		if s.Why == "" {
			t.Errorf("nobody says why %s stays", s.Physical)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%v stay, want %v", got, want)
	}
	// Three tables of 3 GB at 45 cents, the key, and 3300 bytes of objects.
	for _, says := range []string{"about $5.05 a month", "$1.35", "$1.00", "leave -stack Privacy -out DIR", "Privacy/"} {
		if !strings.Contains(said, says) {
			t.Errorf("the plan does not say %q:\n%s", says, said)
		}
	}
	if len(a.calls) > 0 {
		t.Errorf("a plan changed something: %v", a.calls)
	}
}

func TestNothingIsDeletedUnlessTheRightWordIsTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		purge bool
		typed string
	}{{false, ""}, {false, "yes"}, {false, "privacy"}, {true, "Privacy"}, {true, "purge"}, {false, "purge Privacy"}} {
		a := healthy(t)
		p, _ := plan(t, a, stackName)
		err := a.open().Delete(t.Context(), p, c.purge, c.typed, &strings.Builder{})
		if !errors.Is(err, ErrNotConfirmed) || len(a.calls) > 0 || a.gone {
			t.Errorf("%q, purge %v: %v, %v", c.typed, c.purge, err, a.calls)
		}
	}
}

func TestDeletingLeavesWhatHasToStay(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	p, _ := plan(t, a, stackName)
	var said strings.Builder
	if err := a.open().Delete(t.Context(), p, false, "Privacy", &said); err != nil {
		t.Fatal(err)
	}
	if want := []string{"cloudformation:UpdateTerminationProtection", "cloudformation:DeleteStack"}; !slices.Equal(a.calls, want) || !strings.Contains(said.String(), stackID) {
		t.Errorf("calls %v, want %v; said %s", a.calls, want, said.String())
	}
}

// The key goes last, and what is protected is let go first.
func TestPurgingTakesEverythingInOrder(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	p, _ := plan(t, a, stackName)
	if err := a.open().Delete(t.Context(), p, true, "purge Privacy", &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"cloudformation:UpdateTerminationProtection", "cloudformation:DeleteStack",
		"cognito-idp:DescribeUserPool eu-west-3_Pool", "cognito-idp:UpdateUserPool eu-west-3_Pool", "cognito-idp:DeleteUserPool eu-west-3_Pool",
		"dynamodb:UpdateTable audit-1", "dynamodb:DeleteTable audit-1", "dynamodb:UpdateTable keys-1", "dynamodb:DeleteTable keys-1", "dynamodb:UpdateTable state-1", "dynamodb:DeleteTable state-1",
		"s3:DeleteObjects checkpoints-1 1 bypass=true", "s3:DeleteBucket checkpoints-1", "s3:DeleteObjects exports-1 2 bypass=true", "s3:DeleteBucket exports-1",
		"kms:ScheduleKeyDeletion",
	}
	if !slices.Equal(a.calls, want) {
		t.Errorf("the calls were\n%s\nwant\n%s", strings.Join(a.calls, "\n"), strings.Join(want, "\n"))
	}
}

// While something stays that was sealed, the key stays too; and the same command goes on
// later, by the id of the stack that is gone.
func TestAPurgeThatCouldNotEndGoesOn(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	a.locked = true
	p, _ := plan(t, a, stackName)
	err := a.open().Delete(t.Context(), p, true, "purge Privacy", &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "checkpoints-1 stays: what is sealed in it is locked") || !strings.Contains(err.Error(), "s3:DeleteObjectVersion") || !strings.Contains(err.Error(), stackID) || a.did("kms:ScheduleKeyDeletion") {
		t.Fatalf("err = %v, calls %v", err, a.calls)
	}
	a.locked = false
	a.calls = nil
	p, said := plan(t, a, stackID)
	if !strings.Contains(said, "The stack Privacy is gone.") {
		t.Errorf("it says\n%s", said)
	}
	if err := a.open().Delete(t.Context(), p, true, "purge Privacy", &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	if !a.did("s3:DeleteBucket checkpoints-1") || !a.did("kms:ScheduleKeyDeletion") || a.did("cloudformation:DeleteStack") {
		t.Errorf("calls %v", a.calls)
	}
}

func TestAStackThatCannotBeDeletedIsSaidSo(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	a.stuck = "Resource X is in use"
	p, _ := plan(t, a, stackName)
	err := a.open().Delete(t.Context(), p, true, "purge Privacy", &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "Resource X is in use") || a.did("dynamodb:DeleteTable state-1") {
		t.Errorf("err = %v, calls %v", err, a.calls)
	}
}
