package boot_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

// granted reads from the template what the role of each function may do, as "function
// action resource". A resource goes by its name in the template, without the hash that
// the CDK appends.
func granted(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("../../infra/stack/testdata/template.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	type document struct {
		Statement []struct{ Action, Resource any }
	}
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties json.RawMessage
		}
	}
	if err := json.Unmarshal(b, &template); err != nil {
		t.Fatal(err)
	}
	function := func(role string) string {
		name, _, ok := strings.Cut(role, "Role")
		if !ok || !slices.ContainsFunc(topology.All, func(f topology.Function) bool { return f.Name == strings.ToLower(name) }) {
			return ""
		}
		return strings.ToLower(name)
	}
	grants := map[string]bool{}
	grant := func(role string, d document) {
		f := function(role)
		if f == "" {
			return // the scheduler's, who is none of ours
		}
		for _, s := range d.Statement {
			for _, action := range list(s.Action) {
				for _, resource := range list(s.Resource) {
					grants[f+" "+action+" "+arn.ReplaceAllString(resource, "")] = true
				}
			}
		}
	}
	for id, r := range template.Resources {
		if !strings.HasPrefix(r.Type, "AWS::IAM::") {
			continue
		}
		var of struct {
			Policies       []struct{ PolicyDocument document }
			PolicyDocument document
			Roles          []struct{ Ref string }
		}
		if err := json.Unmarshal(r.Properties, &of); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		for _, p := range of.Policies {
			grant(id, p.PolicyDocument)
		}
		for _, role := range of.Roles {
			grant(role.Ref, of.PolicyDocument)
		}
	}
	if len(grants) < 100 {
		t.Fatalf("the template grants %v", grants)
	}
	return grants
}

// hashed is what the CDK appends to a name.
var hashed = regexp.MustCompile(`[0-9A-F]{8}$`)

// list writes what stands for an action or a resource in a template.
func list(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, part := range v {
			all = append(all, list(part)...)
		}
		return all
	case map[string]any:
		switch {
		case v["Ref"] != nil:
			return []string{v["Ref"].(string)}
		case v["Fn::GetAtt"] != nil:
			get := v["Fn::GetAtt"].([]any)
			return []string{hashed.ReplaceAllString(get[0].(string), "") + strings.TrimSuffix("."+get[1].(string), ".Arn")}
		case v["Fn::Join"] != nil:
			join := v["Fn::Join"].([]any)
			return []string{strings.Join(list(join[1]), join[0].(string))}
		}
	}
	return []string{fmt.Sprint(v)}
}

// arn is what stands before the name of a resource.
var arn = regexp.MustCompile(`^arn:AWS::Partition:[a-z]+:AWS::Region:AWS::AccountId:`)

// reasons say why the programs are granted what the test does not see them do.
var reasons = []reason{
	{is(` logs:`), "Lambda writes the log, with the role of the function"},
	{is(` sqs:(DeleteMessage|GetQueueAttributes|ReceiveMessage) `), "Lambda works off the queue, with the role of the function"},
	{is(`^relay dynamodb:(DescribeStream|GetRecords|GetShardIterator|ListStreams) `), "Lambda reads the stream, with the role of the function"},
	{is(`^relay sqs:SendMessage Lost$`), "Lambda puts there what the function could not take in after all tries"},
	{is(` secretsmanager:GetSecretValue EdgeSecret$`), "the secret is there where an edge is"},
	{is(` kms:Encrypt MasterKey$`), "who starts first makes the key ring; the others find it"},
	{is(` dynamodb:(ConditionCheckItem|DeleteItem|PutItem|UpdateItem) StateTable$`), "which writes a commit holds depends on what it is about: an access is given as a whole"},
	{is(`^deadlines dynamodb:PutItem AuditTable$`), "a clock that did something tells of it; here none is late"},
	{is(` dynamodb:(PutItem|UpdateItem) KeysTable$`), "whoever meets somebody may be the first to"},
	{is(` dynamodb:Query (AuditTable|StateTable|StateTable/index/due|StateTable/index/subject)$`), "who may read one may read many: an access is given as a whole"},
	{is(`^(deadlines|fulfil) s3:(DeleteObject|GetObject|PutObject) Exports/\*$`), "a package is removed when its weeks are over, or its request failed"},
	{is(`^requests s3:PutObject Exports/\*$`), "it keeps what people attach"},
	{is(`^notice s3:ListBucket Policies$`), "S3 says that an object is not there, and not that it is forbidden, only to whom it would list it"},
	{is(`^relay ses:SendRawEmail `), "SES goes by the kind of a message, and does not say whether headers of its own make it raw"},
	{is(`^fulfil sqs:SendMessage StepsQueue$`), "work of more than a page asks for its next turn"},
}

var is = regexp.MustCompile

// A reason is about the grants that match it. One about none has had its time.
type reason struct {
	grants *regexp.Regexp
	why    string
}

// unmade sees that of all that the template grants the programs nothing is without use:
// they made the call, or there is a reason why not here.
func (i *installation) unmade(t *testing.T) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	made, explained := 0, make([]int, len(reasons))
	for _, grant := range slices.Sorted(maps.Keys(i.grants)) {
		if i.cloud.calls[grant] > 0 {
			made++
			continue
		}
		n := slices.IndexFunc(reasons, func(r reason) bool { return r.grants.MatchString(grant) })
		if n < 0 {
			t.Errorf("nobody makes use of the grant %s", grant)
			continue
		}
		explained[n]++
	}
	for n, count := range explained {
		if count == 0 {
			t.Errorf("there is no such grant any more, or it is made use of: %s", reasons[n].grants)
		}
	}
	proof(t, "of %d grants to the roles of functions the programs made use of %d; %d have one of %d reasons", len(i.grants), made, len(i.grants)-made, len(reasons))
}
