package desk_test

import (
	"bytes"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table/tabletest"
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

// Whoever asks what can have expired hears of policies that are in force no longer.
func TestWhatWasPromisedBeforeCounts(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../policy/testdata/smallest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file = append(bytes.ReplaceAll(file, []byte("privacy@small.example.com"), []byte("privacy@small.internal")), "retention: {audit: 40d}\n"...)
	now := func() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }
	d := desk.New(desk.Ground{Table: tabletest.Embedded(t, now), Now: now, Policy: &policy.Policy{}, Log: slog.New(slog.DiscardHandler)})
	by := operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	if _, err := d.Editions.Publish(t.Context(), by, edition.Call{File: file}); err != nil {
		t.Fatal(err)
	}
	if kept, err := d.Sealing.Shortest(t.Context(), policy.Period{Years: 6}); err != nil || kept != (policy.Period{Days: 40}) {
		t.Errorf("%s, %v", kept, err)
	}
	if d.Requests.Seals() == d.Requests.Seals() {
		t.Error("two walks share what one of them remembers")
	}
}
