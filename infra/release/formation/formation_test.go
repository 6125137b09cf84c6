package formation_test

import (
	"slices"
	"testing"

	"rightsdesk/infra/release/formation"
)

const example = `{
 "Parameters": {
  "Contact": {"Type": "String"},
  "Sender": {"Type": "String", "Default": ""},
  "Mode": {"Type": "String", "Default": "on"},
  "Roles": {"Type": "CommaDelimitedList", "Default": ""}
 },
 "Conditions": {
  "Mails": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mode"}, "off"]}]},
  "Sends": {"Fn::And": [{"Condition": "Mails"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "Sender"}, ""]}]}]},
  "HasRoles": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Roles"}]}, ""]}]},
  "Here": {"Fn::Or": [{"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}, {"Fn::Equals": [{"Fn::Select": [1, {"Fn::Split": ["@", {"Ref": "Sender"}]}]}, "example.org"]}]}
 },
 "Rules": {
  "SenderWithMail": {
   "RuleCondition": {"Fn::Equals": [{"Ref": "Mode"}, "off"]},
   "Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "Sender"}, ""]}, "AssertDescription": "mail is off"}]
  },
  "Region": {"Assertions": [{"Assert": {"Fn::Contains": [["us-east-1", "eu-central-1"], {"Ref": "AWS::Region"}]}, "AssertDescription": "not here"}]}
 },
 "Resources": {
  "Set12345678": {"Type": "AWS::SES::ConfigurationSet", "Condition": "Mails"},
  "Identity": {"Type": "AWS::SES::EmailIdentity", "Condition": "Sends"},
  "Table0A1B2C3D": {"Type": "AWS::DynamoDB::Table"}
 }
}`

func given(t *testing.T, values map[string]string) *formation.Given {
	t.Helper()
	tpl, err := formation.Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	g, err := tpl.Give(values)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestWhichResourcesThereAre(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values        map[string]string
		set, identity bool
	}{
		{nil, true, false},
		{map[string]string{"Sender": "a@example.org"}, true, true},
		{map[string]string{"Sender": "a@example.org", "Mode": "off"}, false, false},
	} {
		g := given(t, c.values)
		if g.Has("Set12345678") != c.set || g.Has("Identity") != c.identity || !g.Has("Table0A1B2C3D") {
			t.Errorf("with %v: set %v, identity %v", c.values, g.Has("Set12345678"), g.Has("Identity"))
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values    map[string]string
		condition string
		holds     bool
	}{
		{nil, "HasRoles", false},
		{map[string]string{"Roles": "arn:a,arn:b"}, "HasRoles", true},
		{nil, "Here", false},
		{map[string]string{"AWS::Region": "eu-central-1"}, "Here", true},
		{map[string]string{"Sender": "a@example.org"}, "Here", true},
		{map[string]string{"Sender": "a@example.com"}, "Here", false},
	} {
		if holds, err := given(t, c.values).Holds(c.condition); err != nil || holds != c.holds {
			t.Errorf("%s with %v: %v, %v", c.condition, c.values, holds, err)
		}
	}
	if _, err := given(t, nil).Holds("Nothing"); err == nil {
		t.Error("a condition that is not there holds")
	}
	tpl, err := formation.Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Give(map[string]string{"Sendr": "a@example.org"}); err == nil {
		t.Error("a misspelt parameter was taken")
	}
	tpl.Conditions["Odd"] = map[string]any{"Fn::EachMemberIn": []any{}}
	if _, err := tpl.Give(nil); err == nil {
		t.Error("a condition that nobody understands was taken")
	}
}

func TestBrokenRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values map[string]string
		broken []string
	}{
		{nil, nil},
		{map[string]string{"Mode": "off"}, nil},
		{map[string]string{"Mode": "off", "Sender": "a@example.org"}, []string{"SenderWithMail"}},
		{map[string]string{"AWS::Region": "ap-east-2"}, []string{"Region"}},
	} {
		broken, err := given(t, c.values).Broken()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for name, says := range broken {
			names = append(names, name)
			if says == "" {
				t.Errorf("%s says nothing", name)
			}
		}
		if !slices.Equal(names, c.broken) {
			t.Errorf("with %v: %v, want %v", c.values, names, c.broken)
		}
	}
}

func TestHowValuesAreRead(t *testing.T) {
	t.Parallel()
	ref := func(name string) any { return map[string]any{"Ref": name} }
	att := func(name, attribute string) any { return map[string]any{"Fn::GetAtt": []any{name, attribute}} }
	join := func(parts ...any) any { return map[string]any{"Fn::Join": []any{"", parts}} }
	for want, v := range map[string]any{
		"Table":                           att("Table0A1B2C3D", "Arn"),
		"Table/stream":                    att("Table0A1B2C3D", "StreamArn"),
		"Table/index/due":                 join(att("Table0A1B2C3D", "Arn"), "/index/due"),
		"ses identity/Sender":             join("arn:", ref("AWS::Partition"), ":ses:", ref("AWS::Region"), ":", ref("AWS::AccountId"), ":identity/", ref("Sender")),
		"secretsmanager secret:<stack>/*": map[string]any{"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*"},
		"a (if Has, else b)":              map[string]any{"Fn::If": []any{"Has", "a", "b"}},
		"a (if Has)":                      map[string]any{"Fn::If": []any{"Has", "a", ref("AWS::NoValue")}},
	} {
		if got := formation.Say(v); got != want {
			t.Errorf("%v reads as %q, want %q", v, got, want)
		}
	}
	if got := formation.Refers([]any{att("A", "Arn"), map[string]any{"Fn::Sub": "${B}/${C.Arn}"}, join(ref("D"))}); !slices.Equal(got, []string{"A", "B", "C", "D"}) {
		t.Errorf("it refers to %v", got)
	}
}
