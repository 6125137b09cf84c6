package stack_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rightsdesk/infra/stack"
	"rightsdesk/shared/policy"
)

// console are the templates that people fill in by hand.
var console = []string{checkoutTemplate, releaseTemplate, edgeTemplate, sourceTemplate}

func TestParametersAreGuarded(t *testing.T) {
	for _, name := range console {
		tpl := loadOther(t, name)
		for parameter, p := range tpl.Parameters {
			if parameter == "BootstrapVersion" { // the CDK's own
				continue
			}
			if at(p, "Description") == nil || at(p, "ConstraintDescription") == nil {
				t.Errorf("%s: %s does not say what it is, or what it may be", name, parameter)
			}
			if at(p, "AllowedPattern") == nil && at(p, "AllowedValues") == nil && (at(p, "MinValue") == nil || at(p, "MaxValue") == nil) {
				t.Errorf("%s: %s takes anything", name, parameter)
			}
			if fallback, ok := at(p, "Default").(string); ok && !takes(p, fallback) {
				t.Errorf("%s: %s does not take its own default %q", name, parameter, fallback)
			}
			if at(p, "NoEcho") != nil {
				t.Errorf("%s: %s is a secret: links and settings would spread it", name, parameter)
			}
		}
	}
}

// takes reports whether CloudFormation takes a value for a parameter.
func takes(p any, value string) bool {
	if allowed := list(at(p, "AllowedValues")); allowed != nil && !slices.Contains(allowed, any(value)) {
		return false
	}
	if pattern := str(at(p, "AllowedPattern")); pattern != "" {
		for _, v := range strings.Split(value, ",") {
			if at(p, "Type") != "CommaDelimitedList" {
				v = value
			}
			if !regexp.MustCompile(pattern).MatchString(v) {
				return false
			}
		}
	}
	if low, ok := at(p, "MinValue").(float64); ok {
		high, _ := at(p, "MaxValue").(float64)
		n, err := strconv.ParseFloat(value, 64)
		return err == nil && n >= low && n <= high
	}
	return true
}

func TestOneParameterIsMandatoryAndTheyAreFew(t *testing.T) {
	for _, name := range []string{checkoutTemplate, releaseTemplate} {
		parameters := loadOther(t, name).Parameters
		delete(parameters, "BootstrapVersion")
		var mandatory []string
		for parameter, p := range parameters {
			if at(p, "Default") == nil {
				mandatory = append(mandatory, parameter)
			}
		}
		if !slices.Equal(mandatory, []string{"AdminContact"}) {
			t.Errorf("%s: mandatory are %v", name, mandatory)
		}
		if len(parameters) > 25 {
			t.Errorf("%s: there are %d parameters: nobody reads them all", name, len(parameters))
		}
	}
}

func TestParametersHaveAGroupAndALabel(t *testing.T) {
	for _, name := range console {
		tpl := loadOther(t, name)
		shown := at(tpl.Metadata, "AWS::CloudFormation::Interface")
		grouped, labelled, want := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, group := range list(at(shown, "ParameterGroups")) {
			if str(at(group, "Label", "default")) == "" {
				t.Errorf("%s: a group has no label", name)
			}
			for _, p := range list(at(group, "Parameters")) {
				if grouped[str(p)] {
					t.Errorf("%s: %s is in two groups", name, p)
				}
				grouped[str(p)] = true
			}
		}
		labels, _ := at(shown, "ParameterLabels").(map[string]any)
		for p := range labels {
			labelled[p] = true
		}
		for p := range tpl.Parameters {
			if p != "BootstrapVersion" {
				want[p] = true
			}
		}
		same(t, "parameter in a group of "+name, grouped, want)
		same(t, "parameter with a label of "+name, labelled, want)
	}
}

func TestProfilesAreThoseThatAreCompiledIn(t *testing.T) {
	got := []string{}
	for _, v := range list(at(load(t).Parameters["Profile"], "AllowedValues")) {
		got = append(got, str(v))
	}
	if !slices.Equal(got, policy.ProfileNames()) {
		t.Errorf("Profile may be %v, and %v are compiled in", got, policy.ProfileNames())
	}
}

func TestParametersRefuseWhatCannotBe(t *testing.T) {
	parameters := loadOther(t, releaseTemplate).Parameters
	for _, c := range []struct {
		parameter   string
		takes, not_ []string
	}{
		{"AdminContact", []string{"a@example.org"}, []string{"", "a", "A <a@example.org>", "a@example.org, b@example.org", "a@localhost"}},
		{"ControllerName", []string{"", "Example Ltd", "Example Ltd; 7 Quay Street, Cork", "É"}, []string{" ", "<b>Example</b>", strings.Repeat("x", 201)}},
		{"PrivacyContact", []string{"", "privacy@example.org"}, []string{"https://example.org"}},
		{"Sender", []string{"", "privacy@example.org"}, []string{"Privacy <privacy@example.org>"}},
		{"OperatorIssuer", []string{"", "https://issuer.example.org/realms/a"}, []string{"http://issuer.example.org", "issuer.example.org"}},
		{"MfaClaim", []string{"-", "amr", "custom:mfa"}, []string{"", "a b"}},
		{"DomainName", []string{"", "privacy.example.org"}, []string{"https://privacy.example.org", "Privacy.Example.org", "privacy.example.org/", "localhost"}},
		{
			"CertificateArn",
			[]string{"", "arn:aws:acm:eu-west-3:111122223333:certificate/abc-1", "arn:aws-cn:acm:cn-north-1:111122223333:certificate/abc-1"},
			[]string{"arn:aws:iam::111122223333:server-certificate/a"},
		},
		{
			"EdgeWebAclArn",
			[]string{"", "arn:aws:wafv2:us-east-1:111122223333:global/webacl/Firewall-1/0a1b"},
			[]string{"arn:aws:wafv2:eu-west-3:111122223333:regional/webacl/a/b"},
		},
		{
			"SourceRoleArns",
			[]string{"", "arn:aws:iam::111122223333:role/a,arn:aws-us-gov:iam::111122223333:role/b/c"},
			[]string{"*", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:user/a"},
		},
		{"AlarmTopicArn", []string{"", "arn:aws:sns:eu-west-3:111122223333:a"}, []string{"a"}},
		{"PermissionsBoundaryArn", []string{"", "arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::111122223333:policy/b"}, []string{"b"}},
		{"MaxUnitsPerSecond", []string{"50", "40000"}, []string{"0", "40001", ""}},
		{"EventArchiveDays", []string{"0", "30"}, []string{"-1"}},
		{"CheckpointLock", []string{"GOVERNANCE", "COMPLIANCE-cannot-be-undone"}, []string{"COMPLIANCE", ""}},
		{"LogDays", []string{"30"}, []string{"31", "0"}},
		{"CodeBucket", []string{"", "our-mirror"}, []string{"s3://our-mirror", "Our"}},
	} {
		for _, value := range c.takes {
			if !takes(parameters[c.parameter], value) {
				t.Errorf("%s refuses %q", c.parameter, value)
			}
		}
		for _, value := range c.not_ {
			if takes(parameters[c.parameter], value) {
				t.Errorf("%s takes %q", c.parameter, value)
			}
		}
	}
}

// combinations are values of parameters, and the rule that refuses them together.
var combinations = []struct {
	refused string // blank: by none
	values  map[string]string
}{
	{"", nil},
	{"", map[string]string{"AWS::Region": "us-gov-west-1", "CodeBucket": "mirror"}},
	{"", map[string]string{"AWS::Region": "cn-north-1", "CodeBucket": "mirror", "MailMode": "off", "OperatorIssuer": "https://i", "OperatorAudience": "a"}},
	{"", map[string]string{"AWS::Region": "mx-central-1", "MailMode": "off"}},
	{"", map[string]string{"OperatorIssuer": "https://i", "OperatorAudience": "a", "RoleClaim": "groups", "MfaClaim": "-"}},
	{"", map[string]string{"DomainName": "d", "CertificateArn": "c"}},
	{"", map[string]string{"DomainName": "d", "CertificateArn": "c", "EdgeWebAclArn": "w"}},
	{"", map[string]string{"EdgeWebAclArn": "w"}},
	{"", map[string]string{"Sender": "s", "SenderIdentity": "create"}},
	{"", map[string]string{"Sender": "s", "SenderIdentity": "create", "MailMode": "sandbox"}},
	{"", map[string]string{"MailMode": "off"}},
	{"", map[string]string{"EventArchiveDays": "30"}},
	{"", map[string]string{"CodeBucket": "mirror"}},

	{"Region", map[string]string{"AWS::Region": "ap-east-2"}},
	{"IssuerWithAudience", map[string]string{"OperatorIssuer": "https://i"}},
	{"AudienceWithIssuer", map[string]string{"OperatorAudience": "a"}},
	{"RoleClaimWithIssuer", map[string]string{"RoleClaim": "groups"}},
	{"MfaClaimWithIssuer", map[string]string{"MfaClaim": "-"}},
	{"OperatorsHere", map[string]string{"AWS::Region": "cn-north-1", "CodeBucket": "mirror", "MailMode": "off"}},
	{"DomainWithCertificate", map[string]string{"DomainName": "d"}},
	{"CertificateWithDomain", map[string]string{"CertificateArn": "c"}},
	{"EdgeHere", map[string]string{"AWS::Region": "us-gov-east-1", "CodeBucket": "mirror", "EdgeWebAclArn": "w"}},
	{"IdentityWithSender", map[string]string{"SenderIdentity": "create"}},
	{"IdentityWithMail", map[string]string{"SenderIdentity": "create", "Sender": "s", "MailMode": "off"}},
	{"MailHere", map[string]string{"AWS::Region": "ap-east-1"}},
	{"MailHere", map[string]string{"AWS::Region": "eu-south-2", "MailMode": "sandbox"}},
	{"ArchiveHere", map[string]string{"AWS::Region": "ca-west-1", "EventArchiveDays": "30"}},
	{"CodeHere", map[string]string{"AWS::Region": "me-south-1"}},
}

func TestCombinationsThatCannotWorkAreRefused(t *testing.T) {
	tpl := loadOther(t, releaseTemplate)
	tested := map[string]bool{}
	for _, c := range combinations {
		t.Run(fmt.Sprint(c.values), func(t *testing.T) {
			got := refusals(t, tpl, c.values)
			want := []string{}
			if c.refused != "" {
				want = append(want, c.refused)
				tested[c.refused] = true
			}
			if !slices.Equal(got, want) {
				t.Errorf("refused by %v, want %v", got, want)
			}
		})
	}
	for name, rule := range tpl.Rules {
		if !tested[name] {
			t.Errorf("no combination tests the rule %s", name)
		}
		if says := str(at(rule, "Assertions", 0, "AssertDescription")); len(says) < 30 {
			t.Errorf("the rule %s does not say what to do: %q", name, says)
		}
	}
}

// refusals are the rules that refuse values, where the rest is as by default.
func refusals(t *testing.T, tpl template, values map[string]string) []string {
	t.Helper()
	all := map[string]string{"AWS::Region": "eu-west-3", "AdminContact": "a@example.org"}
	for name, p := range tpl.Parameters {
		if fallback, ok := at(p, "Default").(string); ok {
			all[name] = fallback
		}
	}
	maps.Copy(all, values)
	got := []string{}
	for _, name := range slices.Sorted(maps.Keys(tpl.Rules)) {
		rule := tpl.Rules[name]
		if when := at(rule, "RuleCondition"); when != nil && !holds(t, when, all) {
			continue
		}
		for _, assertion := range list(at(rule, "Assertions")) {
			if !holds(t, at(assertion, "Assert"), all) {
				got = append(got, name)
			}
		}
	}
	return got
}

// holds decides a condition of a rule as CloudFormation does.
func holds(t *testing.T, v any, values map[string]string) bool {
	t.Helper()
	object, _ := v.(map[string]any)
	for function, args := range object {
		args := list(args)
		value := func(v any) string {
			if name, ok := at(v, "Ref").(string); ok {
				return values[name]
			}
			return str(v)
		}
		switch function {
		case "Fn::Not":
			return !holds(t, args[0], values)
		case "Fn::And":
			return !slices.ContainsFunc(args, func(a any) bool { return !holds(t, a, values) })
		case "Fn::Equals":
			return value(args[0]) == value(args[1])
		case "Fn::Contains":
			return slices.ContainsFunc(list(args[0]), func(a any) bool { return value(a) == value(args[1]) })
		}
	}
	t.Fatalf("a rule may not hold %v", v)
	return false
}

// A condition that a region takes part in has to agree with the rule that explains it.
func TestWhatARegionLacksIsNotMadeThere(t *testing.T) {
	tpl := loadOther(t, releaseTemplate)
	for condition, c := range map[string]struct{ parameter, value string }{
		"Mails":          {"MailMode", "on"},
		"MakesOperators": {"", ""},
		"KeepsEvents":    {"EventArchiveDays", "1"},
		"HasEdge":        {"EdgeWebAclArn", "w"},
	} {
		for _, region := range stack.Regions() {
			values := map[string]string{"AWS::Region": region, "CodeBucket": "mirror", "MailMode": "off"}
			if region != "cn-north-1" && region != "cn-northwest-1" || c.parameter != "" {
				values["OperatorIssuer"], values["OperatorAudience"] = "https://i", "a"
			}
			if c.parameter == "" {
				delete(values, "OperatorIssuer")
				delete(values, "OperatorAudience")
			} else {
				values[c.parameter] = c.value
			}
			refused := len(refusals(t, tpl, values)) > 0
			if made := conditionHolds(t, tpl, condition, values); made == refused {
				t.Errorf("%s in %s: made %v, refused %v", condition, region, made, refused)
			}
		}
	}
}

// conditionHolds decides a condition of the template.
func conditionHolds(t *testing.T, tpl template, name string, values map[string]string) bool {
	t.Helper()
	all := map[string]string{}
	for parameter, p := range tpl.Parameters {
		all[parameter] = str(at(p, "Default"))
	}
	maps.Copy(all, values)
	var decide func(v any) bool
	decide = func(v any) bool {
		if other, ok := at(v, "Condition").(string); ok {
			return decide(tpl.Conditions[other])
		}
		if either := list(at(v, "Fn::Or")); either != nil {
			return slices.ContainsFunc(either, decide)
		}
		if both := list(at(v, "Fn::And")); both != nil {
			return !slices.ContainsFunc(both, func(v any) bool { return !decide(v) })
		}
		if not := list(at(v, "Fn::Not")); not != nil {
			return !decide(not[0])
		}
		return holds(t, v, all)
	}
	return decide(tpl.Conditions[name])
}

func TestReleasesReachOnlyRegionsOfThePublisher(t *testing.T) {
	tpl := loadOther(t, releaseTemplate)
	for _, region := range stack.Regions() {
		values := map[string]string{"AWS::Region": region, "MailMode": "off", "OperatorIssuer": "https://i", "OperatorAudience": "a"}
		refused := slices.Contains(refusals(t, tpl, values), "CodeHere")
		if reached := slices.Contains(stack.ReleaseRegions(), region); reached == refused {
			t.Errorf("%s: reached %v, refused %v", region, reached, refused)
		}
	}
}

// The rules of the small templates.
func TestTheSmallTemplatesRefuseToo(t *testing.T) {
	for _, c := range []struct {
		template, refused string
		values            map[string]string
	}{
		{edgeTemplate, "", map[string]string{"AWS::Region": "us-east-1"}},
		{edgeTemplate, "Region", map[string]string{"AWS::Region": "eu-west-3"}},
		{sourceTemplate, "", map[string]string{"TableArn": "t"}},
		{sourceTemplate, "", map[string]string{"BucketName": "b", "BucketFolder": "f/"}},
		{sourceTemplate, "OneStore", nil},
		{sourceTemplate, "FolderOfBucket", map[string]string{"TableArn": "t", "BucketFolder": "f/"}},
	} {
		got := strings.Join(refusals(t, loadOther(t, c.template), c.values), " ")
		if got != c.refused {
			t.Errorf("%s with %v: refused by %q, want %q", c.template, c.values, got, c.refused)
		}
	}
}
