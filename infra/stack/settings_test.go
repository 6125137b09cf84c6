package stack_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rightsdesk/infra/stack"
	"rightsdesk/shared/topology"
)

func TestSettingsAreReadFromTheFileAndTheCommandLine(t *testing.T) {
	file := `# an installation for trying out
AdminContact: admin@example.org
MailMode: off
LogDays: 7
PrivacyContact:
SourceRoleArns:
  - arn:aws:iam::111122223333:role/one
  - arn:aws:iam::111122223333:role/two
`
	context := map[string]any{
		"LogDays": "14", "MaxUnitsPerSecond": 100.0, "Profile": "addon-france", "aws:cdk:version-reporting": true,
		"@aws-cdk/core:validateAgainstDefaultRules": true, "cli-telemetry": false,
	}
	got, err := stack.ReadSettings(write(t, file), context)
	if err != nil {
		t.Fatal(err)
	}
	want := stack.Settings{
		"AdminContact": "admin@example.org", "MailMode": "off", "LogDays": "14", "MaxUnitsPerSecond": "100", "Profile": "addon-france", "PrivacyContact": "",
		"SourceRoleArns": "arn:aws:iam::111122223333:role/one,arn:aws:iam::111122223333:role/two",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, err := stack.ReadSettings(filepath.Join(t.TempDir(), "none.yaml"), nil); err != nil || len(got) != 0 {
		t.Errorf("without a file: %v, %v", got, err)
	}
}

func write(t *testing.T, file string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rightsdesk.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsThatCannotWorkAreRefusedBeforeAnythingIsMade(t *testing.T) {
	for _, c := range []struct {
		name, file string
		context    map[string]any
		says       []string
	}{
		{"unknown", "Sendr: privacy@example.org", nil, []string{"Sendr is not a setting", "Sender"}},
		{"unknown on the command line", "", map[string]any{"Sendr": "privacy@example.org"}, []string{"Sendr is not a setting"}},
		{"small letters", "sender: privacy@example.org", nil, []string{"write Sender"}},
		{"of releases", "CodeBucket: mirror", nil, []string{"CodeBucket", "releases"}},
		{"not one value", "Sender: {a: b}", nil, []string{"rightsdesk.yaml:1", "Sender", "one value"}},
		{"not one value on the command line", "", map[string]any{"Sender": map[string]any{}}, []string{"-c Sender", "one value"}},
		{"twice", "Sender: a@example.org\nSender: b@example.org", nil, []string{"rightsdesk.yaml", "already defined"}},
		{"no settings", "- a", nil, []string{"rightsdesk.yaml"}},
		{"mandatory and blank", "AdminContact:", nil, []string{`AdminContact: "" is not possible`}},
		{"pattern", "DomainName: https://privacy.example.org", nil, []string{"DomainName", "without https://"}},
		{"one of", "MailMode: no", nil, []string{"MailMode", "on, sandbox or off"}},
		{"number", "CheckpointDays: 0", nil, []string{"CheckpointDays", "From 1 to 36500"}},
		{"no number", "CheckpointDays: 1.5", nil, []string{"CheckpointDays"}},
		{"list", "SourceRoleArns: [arn:aws:iam::111122223333:role/one, two]", nil, []string{"SourceRoleArns", "roles"}},
		{"several at once", "MailMode: no\nLogDays: 8", nil, []string{"MailMode", "LogDays"}},
		{
			"the edge's certificate elsewhere",
			"EdgeWebAclArn: arn:aws:wafv2:us-east-1:111122223333:global/webacl/a/b\nDomainName: privacy.example.org\nCertificateArn: arn:aws:acm:eu-west-3:111122223333:certificate/a",
			nil,
			[]string{"CertificateArn", "us-east-1"},
		},
		{"domain without certificate", "DomainName: privacy.example.org\nCertificateArn:", nil, []string{"DomainName needs CertificateArn"}},
		{"certificate without domain", "DomainName:\nCertificateArn: arn:aws:acm:eu-west-3:111122223333:certificate/a", nil, []string{"CertificateArn is for DomainName"}},
		{"issuer without audience", "OperatorIssuer: https://issuer.example.org\nOperatorAudience:", nil, []string{"OperatorIssuer needs OperatorAudience"}},
		{"audience without issuer", "OperatorIssuer:\nOperatorAudience: a", nil, []string{"OperatorAudience is of an issuer"}},
		{"roles without issuer", "OperatorIssuer:\nRoleClaim: groups", nil, []string{"RoleClaim is of your own"}},
		{"second factor without issuer", "OperatorIssuer:\nMfaClaim: '-'", nil, []string{"MfaClaim is of your own"}},
		{"identity without sender", "SenderIdentity: create\nSender:", nil, []string{"Give Sender"}},
		{"identity without mail", "SenderIdentity: create\nMailMode: off", nil, []string{"MailMode is off"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := stack.ReadSettings(write(t, c.file), c.context)
			if err == nil {
				t.Fatal("they were taken")
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("it does not say %q: %v", part, err)
				}
			}
		})
	}
}

// A parameter keeps the value that it had before, whatever its default has become: a
// setting that is in a file has to win.
func TestSettingsBecomeLiteralsAndTheRestStaysAParameter(t *testing.T) {
	tpl, whole := loadOther(t, settledTemplate), load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for p := range tpl.Parameters {
		if p != "BootstrapVersion" { // the CDK's own
			got[p] = true
		}
	}
	for p := range whole.Parameters {
		if _, fixed := settled[p]; !fixed && p != "BootstrapVersion" {
			want[p] = true
		}
	}
	same(t, "parameter", got, want)
	for _, refersTo := range []string{`{"Ref":"AdminContact"}`, `{"Ref":"LogDays"}`, `{"Ref":"SourceRoleArns"}`} {
		if strings.Contains(flat(tpl), refersTo) {
			t.Errorf("something is still %s", refersTo)
		}
	}
	for logical, r := range tpl.all("AWS::Logs::LogGroup") {
		if r.Properties["RetentionInDays"] != 7.0 {
			t.Errorf("%s is kept for %v", logical, r.Properties["RetentionInDays"])
		}
	}
	for _, f := range topology.All {
		for _, r := range tpl.all("AWS::IAM::Policy") {
			if f.Sources && r.Condition == "HasSourceRoleArns" && target(at(r.Properties, "Roles", 0)) == id(f)+"Role" {
				want := `["arn:aws:iam::111122223333:role/one","arn:aws:iam::111122223333:role/two"]`
				if got := flat(at(r.Properties, "PolicyDocument", "Statement", 0, "Resource")); got != want {
					t.Errorf("%s may assume %s", f.Name, got)
				}
			}
		}
	}
	// The issuer is fixed and the audience is not: the rule has become one about the audience alone.
	if rule := flat(tpl.Rules["IssuerWithAudience"]); strings.Contains(rule, "RuleCondition") || !strings.Contains(rule, `{"Ref":"OperatorAudience"}`) {
		t.Errorf("the rule about the audience is %s", rule)
	}
	// A fixed issuer settles these.
	for _, rule := range []string{"AudienceWithIssuer", "RoleClaimWithIssuer", "MfaClaimWithIssuer", "OperatorsHere"} {
		if tpl.Rules[rule] != nil {
			t.Errorf("the rule %s asks what is known", rule)
		}
	}
}
