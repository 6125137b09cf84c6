package stack_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

var update = flag.Bool("update", false, "rewrite the golden template")

// What is scanned, compared between releases and drawn is made from these.
func TestGoldenTemplates(t *testing.T) {
	for name, path := range map[string]string{
		checkoutTemplate: "testdata/template.golden.json", releaseTemplate: "testdata/release.golden.json",
		edgeTemplate: "testdata/edge.golden.json", sourceTemplate: "testdata/source-role.golden.json",
	} {
		t.Run(name, func(t *testing.T) { isGolden(t, rawOther(t, name), path) })
	}
}

func isGolden(t *testing.T, made []byte, path string) {
	t.Helper()
	var v any
	if err := json.Unmarshal(made, &v); err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) == string(want) {
		return
	}
	lines, old := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i, line := range lines {
		if i >= len(old) || line != old[i] {
			t.Fatalf("the template differs from %s from line %d on:\n%s\nLook at the change with git diff after: go test ./infra/stack -update", path, i+1, line)
		}
	}
	t.Fatalf("the template is shorter than %s: go test ./infra/stack -update", path)
}

func TestFunctionsAreThoseOfTheTopology(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for logical := range tpl.all("AWS::Lambda::Function") {
		got[plain(logical)] = true
	}
	for _, f := range topology.All {
		want[id(f)] = true
	}
	same(t, "function", got, want)
	roles := map[string]bool{}
	for _, f := range topology.All {
		p := tpl.one(t, "AWS::Lambda::Function", id(f)).Properties
		if at(p, "Runtime") != "provided.al2023" || at(p, "Architectures", 0) != "arm64" || at(p, "Handler") != "bootstrap" {
			t.Errorf("%s does not run what we build", f.Name)
		}
		if at(p, "MemorySize") != float64(f.Memory) || at(p, "Timeout") != f.Timeout.Seconds() {
			t.Errorf("%s has %v MB and %v s, want %d and %v", f.Name, at(p, "MemorySize"), at(p, "Timeout"), f.Memory, f.Timeout)
		}
		if tpl.one(t, "AWS::Logs::LogGroup", target(at(p, "LoggingConfig"))).Properties["RetentionInDays"] == nil {
			t.Errorf("%s keeps its log for ever", f.Name)
		}
		if role := target(at(p, "Role")); roles[role] || role != id(f)+"Role" {
			t.Errorf("%s runs as %s, want a role of its own", f.Name, role)
		} else {
			roles[role] = true
		}
		for _, fixed := range []string{"FunctionName", "ReservedConcurrentExecutions"} {
			if at(p, fixed) != nil {
				t.Errorf("%s has a fixed %s: a second installation, or one in a small account, fails", f.Name, fixed)
			}
		}
	}
}

func TestFunctionsGetTheirSettingsAndNoOthers(t *testing.T) {
	tpl := load(t)
	for _, f := range topology.All {
		env, _ := at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "Environment", "Variables").(map[string]any)
		got, want := map[string]bool{}, map[string]bool{}
		for name, value := range env {
			got[name] = true
			if value == "" || value == nil {
				t.Errorf("%s: %s is empty", f.Name, name)
			}
		}
		for _, name := range f.Settings() {
			want[string(name)] = true
		}
		same(t, "setting of "+f.Name, got, want)
	}
}

// What feeds its own queue is stopped by Lambda after sixteen rounds unless told
// otherwise; everything else that goes in circles is a mistake and is stopped.
func TestOnlyTheQueueWorkerMayFeedItself(t *testing.T) {
	tpl := load(t)
	for _, f := range topology.All {
		want := "Terminate"
		if f.Name == "fulfil" {
			want = "Allow"
		}
		if got := at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "RecursiveLoop"); got != want {
			t.Errorf("%s: recursion: %v, want %s", f.Name, got, want)
		}
	}
}

// Names that are no names: of what lies in something that has none itself.
var within = map[string][]string{
	"AWS::Lambda::Alias":                   {"Name"},      // of the function
	"AWS::ApiGatewayV2::Stage":             {"StageName"}, // of the API
	"AWS::AppConfig::ConfigurationProfile": {"Name"},      // of the application
	"AWS::ApiGatewayV2::Authorizer":        {"Name"},
	"AWS::Cognito::UserPoolGroup":          {"GroupName"}, // of the pool
	"AWS::IAM::Policy":                     {"PolicyName"},
	"AWS::ApiGatewayV2::DomainName":        {"DomainName"}, // the operator's own
}

// Names of what is measured, and what people see.
var noNames = []string{"MetricName", "DisplayName"}

var nameLike = regexp.MustCompile(`^(Name|Domain|[A-Z][A-Za-z]*Name)$`)

// Two installations fit into one account and region only if no name is fixed: each is
// left to CloudFormation, or made of the stack's own name or id.
func TestNoPhysicalNames(t *testing.T) {
	for _, name := range console {
		for logical, r := range loadOther(t, name).Resources {
			for property, value := range r.Properties {
				if !nameLike.MatchString(property) || slices.Contains(noNames, property) || slices.Contains(within[r.Type], property) {
					continue
				}
				if text, fixed := value.(string); fixed {
					t.Errorf("%s: %s has the fixed %s %s", name, logical, property, text)
				}
			}
		}
		var v map[string]any
		if err := json.Unmarshal(rawOther(t, name), &v); err != nil {
			t.Fatal(err)
		}
		resources := flat(v["Resources"]) + flat(v["Outputs"])
		for _, literal := range []string{"arn:aws:", "amazonaws.com/", "us-east-1", "eu-central-1", "111122223333-eu"} {
			if strings.Contains(resources, literal) {
				t.Errorf("%s holds %q: it fits one partition or region only", name, literal)
			}
		}
	}
}

func TestEveryRoleHasTheOperatorsBoundary(t *testing.T) {
	for _, name := range []string{checkoutTemplate, sourceTemplate} {
		tpl := loadOther(t, name)
		if len(tpl.all("AWS::IAM::Role")) == 0 {
			t.Fatalf("%s has no roles", name)
		}
		for logical, r := range tpl.all("AWS::IAM::Role") {
			if got := flat(r.Properties["PermissionsBoundary"]); got != `{"Fn::If":["HasPermissionsBoundaryArn",{"Ref":"PermissionsBoundaryArn"},{"Ref":"AWS::NoValue"}]}` {
				t.Errorf("%s: %s has the boundary %s", name, logical, got)
			}
		}
	}
}

// What costs something says which installation it is of.
func TestWhatCostsIsTagged(t *testing.T) {
	taggable := []string{
		"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::Logs::LogGroup",
		"AWS::CloudWatch::Alarm", "AWS::SNS::Topic", "AWS::IAM::Role", "AWS::SecretsManager::Secret", "AWS::CloudFront::Distribution",
		"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::DomainName", "AWS::Cognito::UserPool", "AWS::Events::EventBus", "AWS::Events::Rule",
	}
	tpl := load(t)
	for logical, r := range tpl.Resources {
		if !slices.Contains(taggable, r.Type) {
			continue
		}
		tags := flat(r.Properties["Tags"]) + flat(r.Properties["UserPoolTags"])
		if !strings.Contains(tags, "rightsdesk:installation") || !strings.Contains(tags, `{"Ref":"AWS::StackName"}`) {
			t.Errorf("%s does not say of which installation it is: %s", logical, tags)
		}
	}
}

// An alias leads to the version of exactly this code, and everything that starts a
// function goes by an alias.
func TestOnlyPinnedCodeRuns(t *testing.T) {
	tpl := load(t)
	sum := sha256.Sum256([]byte(standIn))
	pinned := map[string]bool{}
	for _, r := range tpl.all("AWS::Lambda::Version") {
		if r.Properties["CodeSha256"] != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Errorf("%s is pinned to %v", target(r.Properties["FunctionName"]), r.Properties["CodeSha256"])
		}
		if r.DeletionPolicy != "RetainExceptOnCreate" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("the version of %s does not outlast the next one: %q", target(r.Properties["FunctionName"]), r.DeletionPolicy)
		}
		pinned[target(r.Properties["FunctionName"])] = true
	}
	all := map[string]bool{}
	for _, f := range topology.All {
		all[id(f)] = true
	}
	same(t, "function with a pinned version", pinned, all)
	for logical, r := range tpl.all("AWS::Lambda::Alias") {
		if version := at(r.Properties, "FunctionVersion", "Fn::GetAtt", 1); version != "Version" {
			t.Errorf("%s leads to %v", logical, r.Properties["FunctionVersion"])
		}
	}
}
