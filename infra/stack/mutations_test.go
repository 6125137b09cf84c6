package stack_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// weakenedIn names the folder of templates that this run of the tests is to judge in
// place of what the stack makes. TestWeakTemplatesAreCaught starts such a run.
const weakenedIn = "RIGHTSDESK_WEAKENED"

// verdictOn stands before the name of the template that is judged from there on.
const verdictOn = "=== WEAKENED "

func TestMain(m *testing.M) {
	dir := os.Getenv(weakenedIn)
	if dir == "" {
		os.Exit(m.Run())
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.json")) // the pattern is none of a user's
	for _, path := range paths {
		fmt.Println(verdictOn + filepath.Base(path))
		synth = sync.OnceValues(func() ([]byte, error) { return os.ReadFile(path) })
		m.Run()
	}
	fmt.Println(verdictOn)
	os.Exit(0) // what failed was to fail
}

// weakening is a mistake that somebody could make in this folder.
type weakening struct {
	name string
	kind string                       // of resource, at each of which it is made; blank: once in the template
	do   func(it map[string]any) bool // whether there was something to weaken
}

func weakenings() []weakening {
	all := []weakening{
		// What is kept.
		{"a table without recovery", "AWS::DynamoDB::Table", put(false, "Properties", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")},
		{"a table that recovers one day", "AWS::DynamoDB::Table", put(1, "Properties", "PointInTimeRecoverySpecification", "RecoveryPeriodInDays")},
		{"a table that can be deleted by mistake", "AWS::DynamoDB::Table", drop("Properties", "DeletionProtectionEnabled")},
		{"a table whose items never expire", "AWS::DynamoDB::Table", put(false, "Properties", "TimeToLiveSpecification", "Enabled")},
		{"a table that tells what was in an item", "AWS::DynamoDB::Table", put("NEW_AND_OLD_IMAGES", "Properties", "StreamSpecification", "StreamViewType")},
		{"a table without a fuse", "AWS::DynamoDB::Table", drop("Properties", "OnDemandThroughput")},
		{"an audit table that its owner may change", "AWS::DynamoDB::Table", drop("Properties", "ResourcePolicy")},
		{"a key that never rotates", "AWS::KMS::Key", put(false, "Properties", "EnableKeyRotation")},
		{"a bucket without encryption", "AWS::S3::Bucket", drop("Properties", "BucketEncryption")},
		{"a bucket that takes messages in clear", "AWS::S3::BucketPolicy", pass("Deny")},
		{"packages that are never deleted", "AWS::S3::Bucket", only("Exports", drop("Properties", "LifecycleConfiguration"))},
		{"policies without versions", "AWS::S3::Bucket", only("Policies", drop("Properties", "VersioningConfiguration"))},
		{"checkpoints without a lock", "AWS::S3::Bucket", only("Checkpoints", drop("Properties", "ObjectLockEnabled"))},
		{"checkpoints that are locked for no time", "AWS::S3::Bucket", only("Checkpoints", drop("Properties", "ObjectLockConfiguration"))},
		{"a log that is kept for ever", "AWS::Logs::LogGroup", drop("Properties", "RetentionInDays")},

		// Who may do what.
		{"a role that may do anything of a service", "AWS::IAM::Role", allow("Action", "dynamodb:*")},
		{"a role that may do it to anything", "AWS::IAM::Role", allow("Resource", "*")},
		{"a policy that may do it to anything", "AWS::IAM::Policy", allow("Resource", "*")},
		{"a role that anybody may assume", "AWS::IAM::Role", put(map[string]any{"AWS": "*"}, "Properties", "AssumeRolePolicyDocument", "Statement", 0, "Principal")},
		{"a role without the boundary", "AWS::IAM::Role", drop("Properties", "PermissionsBoundary")},
		{"a role with a policy of somebody else's", "AWS::IAM::Role", put([]any{"arn:aws:iam::aws:policy/AdministratorAccess"}, "Properties", "ManagedPolicyArns")},
		{"a key that serves for anything", "AWS::IAM::Role", anywhere(func(s map[string]any) bool {
			return strings.Contains(flat(s["Action"]), "kms:") && drop("Condition")(s)
		})},
		{"a function that anybody may invoke", "AWS::Lambda::Permission", put("*", "Properties", "Principal")},
		{"a function that any API may invoke", "AWS::Lambda::Permission", drop("Properties", "SourceArn")},
		{"a queue that takes messages in clear", "AWS::SQS::QueuePolicy", pass("Deny")},
		{"a topic that takes messages in clear", "AWS::SNS::TopicPolicy", pass("Deny")},
		{"a queue in clear", "AWS::SQS::Queue", drop("Properties", "SqsManagedSseEnabled")},

		// The front door.
		{"an operators' route that is open", "AWS::ApiGatewayV2::Route", func(it map[string]any) bool {
			return put("NONE", "Properties", "AuthorizationType")(it) && drop("Properties", "AuthorizerId")(it)
		}},
		{"a route more", "", func(it map[string]any) bool {
			return put(map[string]any{"Type": "AWS::ApiGatewayV2::Route", "Properties": map[string]any{"RouteKey": "$default"}}, "Resources", "RouteMore")(it)
		}},
		{"operators' tokens for anybody else too", "AWS::ApiGatewayV2::Authorizer", drop("Properties", "JwtConfiguration", "Audience")},
		{"operators' tokens of anybody", "AWS::ApiGatewayV2::Authorizer", put("https://issuer.example", "Properties", "JwtConfiguration", "Issuer")},
		{"an API without bounds", "AWS::ApiGatewayV2::Stage", drop("Properties", "DefaultRouteSettings")},
		{"a route without bounds", "AWS::ApiGatewayV2::Stage", func(it map[string]any) bool {
			settings, _ := at(it, "Properties", "RouteSettings").(map[string]any)
			for _, route := range slices.Sorted(maps.Keys(settings)) {
				delete(settings, route)
				return true
			}
			return false
		}},
		{"no log of who asked", "AWS::ApiGatewayV2::Stage", drop("Properties", "AccessLogSettings")},
		{"a domain with old TLS", "AWS::ApiGatewayV2::DomainName", put("TLS_1_0", "Properties", "DomainNameConfigurations", 0, "SecurityPolicy")},
		{"an address beside the domain", "AWS::ApiGatewayV2::Api", drop("Properties", "DisableExecuteApiEndpoint")},
		{"an edge that speaks in clear", "AWS::CloudFront::Distribution", put("allow-all", "Properties", "DistributionConfig", "DefaultCacheBehavior", "ViewerProtocolPolicy")},
		{"an edge that keeps answers", "AWS::CloudFront::Distribution", put("658327ea-f89d-4fab-a63d-7e88639e58f6", "Properties", "DistributionConfig", "DefaultCacheBehavior", "CachePolicyId")},
		{"an edge without its firewall", "AWS::CloudFront::Distribution", drop("Properties", "DistributionConfig", "WebACLId")},
		{"an edge that logs what was asked", "AWS::CloudFront::Distribution", put(map[string]any{"Bucket": "logs.s3.amazonaws.com"}, "Properties", "DistributionConfig", "Logging")},
		{"an address of a function's own", "", func(it map[string]any) bool {
			return put(map[string]any{"Type": "AWS::Lambda::Url", "Properties": map[string]any{"AuthType": "NONE"}}, "Resources", "OpenUrl")(it)
		}},
		{"operators without a second factor", "AWS::Cognito::UserPool", put("OPTIONAL", "Properties", "MfaConfiguration")},
		{"operators who sign themselves up", "AWS::Cognito::UserPool", put(false, "Properties", "AdminCreateUserConfig", "AllowAdminCreateUserOnly")},
		{"operators with short passwords", "AWS::Cognito::UserPool", put(6, "Properties", "Policies", "PasswordPolicy", "MinimumLength")},
		{"operators who can be deleted by mistake", "AWS::Cognito::UserPool", drop("Properties", "DeletionProtection")},
		{"a sign-in that puts tokens into links", "AWS::Cognito::UserPoolClient", put([]any{"implicit"}, "Properties", "AllowedOAuthFlows")},
		{"a sign-in that hands tokens to anybody", "AWS::Cognito::UserPoolClient", put([]any{"https://somebody.example"}, "Properties", "CallbackURLs")},

		// What runs.
		{"code that anybody may have put there", "AWS::Lambda::Version", drop("Properties", "CodeSha256")},
		{"an API that leads past the alias", "AWS::ApiGatewayV2::Integration", straight("Properties", "IntegrationUri")},
		{"a queue that leads past the alias", "AWS::Lambda::EventSourceMapping", straight("Properties", "FunctionName")},
		{"a schedule that leads past the alias", "AWS::Scheduler::Schedule", straight("Properties", "Target", "Arn")},
		{"a version that the next one deletes", "AWS::Lambda::Version", drop("DeletionPolicy")},
		{"a version that the next one replaces", "AWS::Lambda::Version", drop("UpdateReplacePolicy")},
		{"an alias that follows whatever is there", "AWS::Lambda::Alias", put("$LATEST", "Properties", "FunctionVersion")},
		{"a schedule that starts before it may", "AWS::Scheduler::Schedule", drop("DependsOn")},
		{"a schedule that is off", "AWS::Scheduler::Schedule", put("DISABLED", "Properties", "State")},
		{"a schedule without a dead-letter queue", "AWS::Scheduler::Schedule", drop("Properties", "Target", "DeadLetterConfig")},
		{"a schedule that tries once", "AWS::Scheduler::Schedule", drop("Properties", "Target", "RetryPolicy")},
		{"a schedule that is gone", "AWS::Scheduler::Schedule", gone},
		{"a rule without a dead-letter queue", "AWS::Events::Rule", drop("Properties", "Targets", 0, "DeadLetterConfig")},
		{"a rule that is off", "AWS::Events::Rule", put("DISABLED", "Properties", "State")},
		{"a queue without a dead-letter queue", "AWS::SQS::Queue", drop("Properties", "RedrivePolicy")},
		{"a batch that is repeated for one bad message", "AWS::Lambda::EventSourceMapping", drop("Properties", "FunctionResponseTypes")},
		{"a stream that stops at one bad record", "AWS::Lambda::EventSourceMapping", drop("Properties", "DestinationConfig")},
		{"a queue that nobody reads", "AWS::Lambda::EventSourceMapping", put(false, "Properties", "Enabled")},
		{"an alarm that tells nobody", "AWS::CloudWatch::Alarm", drop("Properties", "AlarmActions")},
		{"an alarm that is switched off", "AWS::CloudWatch::Alarm", put(false, "Properties", "ActionsEnabled")},
		{"an alarm that is content with silence", "AWS::CloudWatch::Alarm", func(it map[string]any) bool {
			return at(it, "Properties", "TreatMissingData") == "breaching" && put("notBreaching", "Properties", "TreatMissingData")(it)
		}},
		{"an alarm that is gone", "AWS::CloudWatch::Alarm", gone},
		{"mail of which nobody hears", "AWS::SES::ConfigurationSetEventDestination", gone},

		// What is asked.
		{"a parameter that takes anything", "", func(it map[string]any) bool { return drop("Parameters", "Sender", "AllowedPattern")(it) }},
		{"a parameter that explains nothing", "", func(it map[string]any) bool { return drop("Parameters", "Sender", "ConstraintDescription")(it) }},
	}
	for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		all = append(all, weakening{"a public bucket: " + block, "AWS::S3::Bucket", put(false, "Properties", "PublicAccessBlockConfiguration", block)})
	}
	for _, personal := range []string{"path", "identity.sourceIp", "identity.userAgent", "authorizer.claims.sub"} {
		all = append(all, weakening{"an access log with " + personal, "AWS::ApiGatewayV2::Stage", put(`{"route":"$context.routeKey","x":"$context.`+personal+`"}`, "Properties", "AccessLogSettings", "Format")})
	}
	for _, kind := range stateful {
		all = append(all,
			weakening{"gone with the stack: " + kind, kind, put("Delete", "DeletionPolicy")},
			weakening{"gone when replaced: " + kind, kind, put("Delete", "UpdateReplacePolicy")})
	}
	for kind, name := range map[string]string{"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName", "AWS::IAM::Role": "RoleName"} {
		all = append(all, weakening{"a fixed name: " + kind, kind, put("rightsdesk", "Properties", name)})
	}
	return all
}

// stateful are the kinds that hold what cannot be made again.
var stateful = []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool", "AWS::SES::EmailIdentity"}

// put sets what lies at the end of a path, if all before it is there.
func put(value any, path ...any) func(map[string]any) bool {
	return func(it map[string]any) bool {
		before, last := at(it, path[:len(path)-1]...), path[len(path)-1]
		holder, ok := before.(map[string]any)
		if !ok || flat(holder[last.(string)]) == flat(value) {
			return false
		}
		holder[last.(string)] = value
		return true
	}
}

// drop takes away what lies at the end of a path, if it is there.
func drop(path ...any) func(map[string]any) bool {
	return func(it map[string]any) bool {
		holder, _ := at(it, path[:len(path)-1]...).(map[string]any)
		_, there := holder[path[len(path)-1].(string)]
		delete(holder, path[len(path)-1].(string))
		return there
	}
}

// anywhere calls f with every object in it, until it has changed one.
func anywhere(f func(map[string]any) bool) func(map[string]any) bool {
	var walk func(v any) bool
	walk = func(v any) bool {
		switch v := v.(type) {
		case []any:
			return slices.ContainsFunc(v, walk)
		case map[string]any:
			if f(v) {
				return true
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if walk(v[key]) {
					return true
				}
			}
		}
		return false
	}
	return func(it map[string]any) bool { return walk(it) }
}

// allow widens the first statement that allows something.
func allow(what, value string) func(map[string]any) bool {
	return anywhere(func(s map[string]any) bool {
		return s["Effect"] == "Allow" && s[what] != nil && put(value, what)(s)
	})
}

// pass takes all statements with an effect out of a policy.
func pass(effect string) func(map[string]any) bool {
	return func(it map[string]any) bool {
		document, _ := at(it, "Properties", "PolicyDocument").(map[string]any)
		before := list(document["Statement"])
		after := slices.DeleteFunc(slices.Clone(before), func(s any) bool { return at(s, "Effect") == effect })
		document["Statement"] = after
		return len(after) < len(before)
	}
}

// straight leads to a function itself in place of one of its aliases.
func straight(path ...any) func(map[string]any) bool {
	return func(it map[string]any) bool {
		alias := aliasOf.FindStringSubmatch(flat(at(it, path...)))
		return alias != nil && put(map[string]any{"Fn::GetAtt": []any{alias[1], "Arn"}}, path...)(it)
	}
}

var aliasOf = regexp.MustCompile(`"(?:Ref":|Fn::GetAtt":\[)"([A-Z][a-z]+)\w*Alias`)

// only does it at one resource: whoever weakens says its name by what it holds.
func only(name string, do func(map[string]any) bool) func(map[string]any) bool {
	return func(it map[string]any) bool { return it[whoseName] == name && do(it) }
}

// gone takes the whole resource away.
func gone(it map[string]any) bool {
	it[isGone] = true
	return true
}

// What a weakening may know of the resource and say of it; neither reaches the template.
const (
	whoseName = "its plain name"
	isGone    = "is gone"
)

// assertions are the tests that judge the template, and nothing but it: those that
// load it, without the golden one, which would notice a change of a comma.
func assertions(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "TestGolden") || f.Name.Name == t.Name() {
				continue
			}
			loads := false
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if name, ok := call.Fun.(*ast.Ident); ok && strings.HasPrefix(name.Name, "load") {
						loads = true
					}
				}
				return true
			})
			if loads {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

// A test that passes proves little until somebody has broken what it holds. Each
// weakening is made at every resource where it can be made, one at a time, and one of
// the other tests has to fail.
func TestWeakTemplatesAreCaught(t *testing.T) {
	good := raw(t)
	dir, n := t.TempDir(), 0
	write := func(content []byte) string {
		name := fmt.Sprintf("%04d.json", n)
		n++
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	decode := func() map[string]any {
		var tpl map[string]any
		if err := json.Unmarshal(good, &tpl); err != nil {
			t.Fatal(err)
		}
		return tpl
	}
	unharmed := write(good)
	type place struct{ weakening, at string }
	places := map[string]place{} // by file
	var order []string
	resources, _ := decode()["Resources"].(map[string]any)
	for _, w := range weakenings() {
		found := false
		for _, id := range append([]string{""}, slices.Sorted(maps.Keys(resources))...) {
			if w.kind == "" != (id == "") || w.kind != "" && at(resources, id, "Type") != w.kind {
				continue
			}
			tpl := decode()
			it := tpl
			if id != "" {
				it, _ = at(tpl, "Resources", id).(map[string]any)
				it[whoseName] = plain(id)
			}
			if !w.do(it) {
				continue
			}
			found = true
			delete(it, whoseName)
			if it[isGone] != nil {
				delete(tpl["Resources"].(map[string]any), id)
			}
			b, err := json.Marshal(tpl)
			if err != nil {
				t.Fatal(err)
			}
			name := write(b)
			places[name] = place{w.name, plain(id)}
			order = append(order, name)
		}
		if !found {
			t.Errorf("%s: there is nothing to weaken, so nobody knows whether it would be caught", w.name)
		}
	}

	caught := judged(t, dir)
	for _, test := range caught[unharmed] {
		t.Errorf("%s fails without any weakening, so it proves nothing here: mend it first", test)
		for file := range places {
			caught[file] = slices.DeleteFunc(caught[file], func(other string) bool { return other == test })
		}
	}
	by := map[string]map[string]int{} // weakening: test: how often
	count := map[string]int{}
	for _, file := range order {
		p := places[file]
		count[p.weakening]++
		if len(caught[file]) == 0 {
			t.Errorf("nobody notices %s (%s)", p.weakening, p.at)
		}
		for _, test := range caught[file] {
			if by[p.weakening] == nil {
				by[p.weakening] = map[string]int{}
			}
			by[p.weakening][test]++
		}
	}
	for _, w := range weakenings() {
		t.Logf("%s, at %d places: %s", w.name, count[w.name], strings.Join(slices.Sorted(maps.Keys(by[w.name])), ", "))
	}
	if t.Failed() {
		return
	}
	fmt.Printf("PROOF %d weakenings of the template at %d places, one at a time: each is caught by an assertion of ours\n", len(count), len(order))
}

// judged runs the assertions over each template of a folder, and returns the names of
// those that failed, by file.
func judged(t *testing.T, dir string) map[string][]string {
	t.Helper()
	names := "^(" + strings.Join(assertions(t), "|") + ")$"
	failed := regexp.MustCompile(`^--- FAIL: (\w+)`)
	caught := map[string][]string{}
	for {
		run := exec.CommandContext(t.Context(), os.Args[0], "-test.run", names)
		run.Env = append(os.Environ(), weakenedIn+"="+dir)
		out, err := run.CombinedOutput()
		file, seen := "", []string(nil)
		for line := range strings.Lines(string(out)) {
			if name, ok := strings.CutPrefix(line, verdictOn); ok {
				file = strings.TrimSpace(name)
				seen = append(seen, file)
			} else if m := failed.FindStringSubmatch(line); m != nil {
				caught[file] = append(caught[file], m[1])
			}
		}
		if err == nil && file == "" {
			return caught
		}
		// An assertion that fell over has noticed too, and took the run with it: on with the rest.
		if file == "" || len(caught[file]) == 0 {
			t.Fatalf("the run over weak templates broke off: %v\n%s", err, out[max(0, len(out)-2000):])
		}
		t.Logf("%s fell over, and should say what is wrong", caught[file][len(caught[file])-1])
		for _, done := range seen {
			if err := os.Remove(filepath.Join(dir, done)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
