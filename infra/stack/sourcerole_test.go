package stack_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestOnlyTheTwoFunctionsBecomeTheRoleOfADataStore(t *testing.T) {
	r := loadOther(t, sourceTemplate).one(t, "AWS::IAM::Role", "Role")
	want := `[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"AWS":[{"Ref":"FulfilRoleArn"},{"Ref":"RetentionRoleArn"}]}}]`
	if got := flat(at(r.Properties, "AssumeRolePolicyDocument", "Statement")); got != want {
		t.Errorf("%s", got)
	}
	if r.Properties["Policies"] != nil || r.Properties["ManagedPolicyArns"] != nil {
		t.Error("it may do something whatever was asked for")
	}
}

// docs/sources.md tells people who write their own roles the same.
func TestTheRoleOfADataStoreMayDoWhatTheDocumentationSays(t *testing.T) {
	b, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{"kms:Decrypt": true} // told in words
	for _, action := range regexp.MustCompile(`"((?:dynamodb|s3|cognito-idp|logs):[A-Za-z]+)"`).FindAllStringSubmatch(string(b), -1) {
		said[action[1]] = true
	}
	got := map[string]bool{}
	for logical, r := range loadOther(t, sourceTemplate).all("AWS::IAM::Policy") {
		if r.Condition == "" {
			t.Errorf("%s is always granted", logical)
		}
		for _, s := range list(at(r.Properties, "PolicyDocument", "Statement")) {
			actions := list(at(s, "Action"))
			for _, a := range actions {
				got[str(a)] = true
			}
			if slices.Contains(list(at(s, "Resource")), any("*")) && flat(actions) != `["logs:DescribeLogGroups"]` {
				t.Errorf("%s may do %v to everything", logical, actions)
			}
			if strings.Contains(flat(actions), "*") {
				t.Errorf("%s may do %v", logical, actions)
			}
		}
	}
	same(t, "action", got, said)
	logs := flat(at(loadOther(t, sourceTemplate).one(t, "AWS::IAM::Policy", "MayLogs").Properties, "PolicyDocument", "Statement", 1, "Resource", 1))
	if !strings.Contains(logs, `{"Ref":"LogGroups"},":log-stream:"`) {
		t.Errorf("the retention of a group with a whole name cannot be set: %s", logs)
	}
}
