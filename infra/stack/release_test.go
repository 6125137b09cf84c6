package stack_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

// templateLimit is the largest template that CloudFormation takes from a bucket.
const templateLimit = 1_000_000

func TestReleasesNeedNothingButTheTemplate(t *testing.T) {
	for _, name := range []string{releaseTemplate, edgeTemplate, sourceTemplate} {
		b := rawOther(t, name)
		if len(b) >= templateLimit {
			t.Errorf("%s has %d bytes", name, len(b))
		}
		var sections map[string]any
		if err := json.Unmarshal(b, &sections); err != nil {
			t.Fatal(err)
		}
		if sections["Transform"] != nil {
			t.Errorf("%s needs a macro", name)
		}
		for _, bootstrap := range []string{"BootstrapVersion", "cdk-hnb659fds", "AssetParameters"} {
			if strings.Contains(string(b), bootstrap) {
				t.Errorf("%s needs the CDK's %s", name, bootstrap)
			}
		}
		if !strings.HasPrefix(str(sections["Description"]), "Rightsdesk 1.2.3: ") {
			t.Errorf("%s is described as %q", name, sections["Description"])
		}
		for logical, r := range loadOther(t, name).Resources {
			if r.Type == "AWS::CloudFormation::Stack" || strings.HasPrefix(r.Type, "Custom::") || r.Type == "AWS::CloudFormation::CustomResource" {
				t.Errorf("%s: %s is a nested stack or runs code while installing", name, logical)
			}
			if r.Type == "AWS::IAM::Role" && r.Properties["RoleName"] != nil || r.Type == "AWS::IAM::ManagedPolicy" && r.Properties["ManagedPolicyName"] != nil {
				t.Errorf("%s: %s has a name, which needs a capability more", name, logical)
			}
		}
	}
}

func TestCodeOfAReleaseIsPinnedAndComesFromTheBucketOfTheRegion(t *testing.T) {
	tpl := loadOther(t, releaseTemplate)
	sum := sha256.Sum256([]byte(standIn))
	for _, f := range topology.All {
		code := at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "Code")
		if got := flat(at(code, "S3Bucket")); got != `{"Fn::If":["HasCodeBucket",{"Ref":"CodeBucket"},{"Fn::Sub":"publisher-111122223333-${AWS::Region}-an"}]}` {
			t.Errorf("the code of %s is in %s", f.Name, got)
		}
		if key := str(at(code, "S3Key")); !strings.HasPrefix(key, "rightsdesk/v1.2.3/") || !strings.HasSuffix(key, ".zip") {
			t.Errorf("the code of %s is at %s", f.Name, key)
		}
	}
	versions := tpl.all("AWS::Lambda::Version")
	if len(versions) != len(topology.All) {
		t.Errorf("there are %d versions of %d functions", len(versions), len(topology.All))
	}
	for logical, v := range versions {
		if v.Properties["CodeSha256"] != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Errorf("%s may be any code: %v", logical, v.Properties["CodeSha256"])
		}
	}
	if got := at(tpl.Outputs["SolutionVersion"], "Value"); got != "1.2.3" {
		t.Errorf("it says that it is version %v", got)
	}
	if load(t).Outputs["SolutionVersion"] != nil {
		t.Error("a checkout says that it is a release")
	}
}

// Whatever is deployed from a checkout is in a release too, so that what holds of the one
// holds of the other.
func TestAReleaseIsTheStackOfACheckout(t *testing.T) {
	same(t, "resource of a release", withoutCode(loadOther(t, releaseTemplate)), withoutCode(load(t)))
}

var ofCode = regexp.MustCompile(`(CurrentVersion)[0-9A-F]{8}[0-9a-f]{32}|"(?:checkout|1\.2\.3)(/)"`)

// withoutCode are the resources of a template, without where their code comes from.
func withoutCode(tpl template) map[string]bool {
	all := map[string]bool{}
	for logical, r := range tpl.Resources {
		if r.Type == "AWS::Lambda::Function" {
			delete(r.Properties, "Code")
		}
		all[ofCode.ReplaceAllString(logical+" "+flat(r), "$1$2")] = true
	}
	return all
}
