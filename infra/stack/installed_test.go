package stack_test

import (
	"regexp"
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

var references = regexp.MustCompile(`\{"(?:Ref":"[^"]+"|Fn::GetAtt":\[[^\]]+\])\}`)

// Lambda publishes a version only of what has changed, CloudFormation only if the template
// has, and versions keep the settings that they were published with.
func TestAParameterThatChangesReachesEveryFunction(t *testing.T) {
	for name, release := range map[string]string{checkoutTemplate: "checkout", releaseTemplate: "1.2.3"} {
		tpl := loadOther(t, name)
		number := `{"Fn::Join":["",["` + release + `/",{"Fn::GetAtt":["InstalledNow","VersionNumber"]}]]}`
		settings := flat(tpl.one(t, "AWS::AppConfig::HostedConfigurationVersion", "InstalledNow").Properties["Content"])
		for _, f := range topology.All {
			env, _ := at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "Environment", "Variables").(map[string]any)
			for setting, value := range env {
				got := flat(value)
				if setting == string(topology.Installed) {
					if got != number {
						t.Errorf("%s: %s has the number %s", name, f.Name, got)
					}
					continue
				}
				for _, part := range append(references.FindAllString(got, -1), setting+"=") {
					if !strings.Contains(settings, part) {
						t.Errorf("%s: the number does not depend on %s, of which %s makes %s", name, part, f.Name, setting)
					}
				}
			}
		}
		for logical, v := range tpl.all("AWS::Lambda::Version") {
			if got := flat(v.Properties["Description"]); got != number {
				t.Errorf("%s: %s is published anew by %s", name, logical, got)
			}
		}
	}
}
