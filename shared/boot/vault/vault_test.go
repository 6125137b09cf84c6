package vault_test

import (
	"testing"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/vault"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/topology"
)

// Who only reads what was sealed has nothing to seal with.
func TestWhoOnlyReadsSealsNothing(t *testing.T) {
	t.Setenv(string(topology.Checkpoints), "checkpoints")
	seals := map[string]bool{}
	for _, f := range topology.All {
		if !vault.Part.Grants(f) {
			continue
		}
		a := &boot.Assembly{Desk: desk.New(desk.Ground{}), Function: f}
		if err := vault.Part.Fill(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		seals[f.Name] = a.Seals()
		if !a.Proves() || a.Seals() != (f.Checkpoints >= topology.Append) {
			t.Errorf("%s: reads %t, seals %t", f.Name, a.Proves(), a.Seals())
		}
	}
	if !seals["relay"] || len(seals) < 2 {
		t.Errorf("those with the part, and whether they seal: %v", seals)
	}
}
