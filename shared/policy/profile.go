package policy

import "embed"

//go:embed profiles/*.yaml
var profiles embed.FS

// Schema is the JSON Schema of policy files, for editors. Parse is stricter: a
// schema cannot say that a reference has a target, or that a promise is kept.
//
//go:embed schema.json
var Schema []byte

// ProfileNames lists the ready profiles: a policy file each, to copy and edit.
func ProfileNames() []string {
	return []string{"serverless-vendor", "server-automation", "cloud-platform", "paas-canada", "addon-france"}
}

// Profile returns the policy file of a profile.
func Profile(name string) ([]byte, bool) {
	file, err := profiles.ReadFile("profiles/" + name + ".yaml")
	return file, err == nil
}
