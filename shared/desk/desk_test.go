package desk_test

import (
	"reflect"
	"slices"
	"testing"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
)

// Whoever is joined at the desk and has a policy goes by the same one.
func TestEverybodyFollowsAnotherPolicy(t *testing.T) {
	t.Parallel()
	before, after := &policy.Policy{Version: "one"}, &policy.Policy{Version: "two"}
	d := desk.New(desk.Ground{Policy: before})
	check := func(want *policy.Policy) (n int) {
		t.Helper()
		v := reflect.ValueOf(d).Elem()
		for i := range v.NumField() {
			service := v.Type().Field(i)
			if service.Type.Kind() != reflect.Pointer || service.Type.Elem().Kind() != reflect.Struct {
				continue
			}
			if f := v.Field(i).Elem().FieldByName("Policy"); f.IsValid() {
				if n++; f.Interface() != want {
					t.Errorf("%s goes by %v", service.Name, f.Interface())
				}
			}
		}
		return n
	}
	if n := check(before); n < 11 || d.Policy != before {
		t.Errorf("%d services have a policy", n)
	}
	d.Follow(after)
	if check(after); d.Policy != after {
		t.Errorf("the desk goes by %s", d.Policy.Version)
	}
}

// A chain that nobody rebuilds leaves its aggregate at the copy that was restored.
func TestAReplayRebuildsWhateverCanBe(t *testing.T) {
	t.Parallel()
	d := desk.New(desk.Ground{Policy: &policy.Policy{}})
	v := reflect.ValueOf(d).Elem()
	n := 0
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		f, ok := v.Field(i).Interface().(restore.Folder)
		if !ok {
			continue
		}
		n++
		if !slices.Contains(d.Restore.Folders, f) {
			t.Errorf("a replay passes over the chains of %s", v.Type().Field(i).Name)
		}
	}
	if n < 10 || n != len(d.Restore.Folders) {
		t.Errorf("%d can rebuild, and a replay knows %d", n, len(d.Restore.Folders))
	}
}
