package stack_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

var update = flag.Bool("update", false, "rewrite the golden template")

func TestGoldenTemplate(t *testing.T) {
	var v any
	if err := json.Unmarshal(raw(t), &v); err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const path = "testdata/template.golden.json"
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

// Two installations fit into one account and region only if no name is fixed.
func TestNoPhysicalNames(t *testing.T) {
	named := map[string]string{
		"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName", "AWS::SQS::Queue": "QueueName",
		"AWS::Scheduler::Schedule": "Name", "AWS::CloudWatch::Alarm": "AlarmName", "AWS::Logs::LogGroup": "LogGroupName",
		"AWS::Events::Rule": "Name", "AWS::SES::ConfigurationSet": "Name", "AWS::IAM::Role": "RoleName", "AWS::Lambda::Function": "FunctionName",
	}
	for logical, r := range load(t).Resources {
		if name := named[r.Type]; name != "" && r.Properties[name] != nil {
			t.Errorf("%s has a fixed %s", logical, name)
		}
	}
	for _, literal := range []string{"arn:aws:", "amazonaws.com/", "us-east-1", "eu-central-1"} {
		if strings.Contains(string(raw(t)), literal) {
			t.Errorf("the template holds %q: it fits one partition or region only", literal)
		}
	}
}

func TestParametersAreGuarded(t *testing.T) {
	for name, p := range load(t).Parameters {
		if name == "BootstrapVersion" { // the CDK's own
			continue
		}
		if at(p, "Description") == nil {
			t.Errorf("%s does not say what it is", name)
		}
		if at(p, "Type") == "String" && (at(p, "AllowedPattern") == nil || at(p, "ConstraintDescription") == nil) {
			t.Errorf("%s takes anything", name)
		}
	}
}
