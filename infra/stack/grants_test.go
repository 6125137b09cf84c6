package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

func flat(v any) string {
	b, _ := json.Marshal(v) // of decoded JSON
	return string(b)
}

// statements returns every statement of every policy, by the logical id of the
// resource that holds it.
func (tpl template) statements() map[string][]map[string]any { return tpl.policies }

func (tpl template) findStatements() map[string][]map[string]any {
	found := map[string][]map[string]any{}
	var walk func(logical string, v any)
	walk = func(logical string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(logical, e)
			}
		case map[string]any:
			if _, ok := v["Effect"]; ok {
				found[logical] = append(found[logical], v)
			}
			for _, e := range v {
				walk(logical, e)
			}
		}
	}
	for logical, r := range tpl.Resources {
		walk(plain(logical), r.Properties)
	}
	return found
}

// allowed returns every statement of a function's role: its own, and those of policies
// that are attached to it under a condition.
func (tpl template) allowed(f topology.Function) []map[string]any {
	all := tpl.statements()
	found := all[id(f)+"Role"]
	for logical, r := range tpl.all("AWS::IAM::Policy") {
		for _, role := range list(r.Properties["Roles"]) {
			if target(role) == id(f)+"Role" {
				found = append(found, all[plain(logical)]...)
			}
		}
	}
	return found
}

// explained are the only resources with a "*" in them, and why.
var explained = map[string]string{
	`"*" ListStreams`:   "the action knows no resources",
	`"*" Suppressions`:  "the same",
	`"*" MasterKey`:     "in a key's own policy it means this key",
	`"/*" Exports`:      "the objects of one bucket",
	`"/*" Checkpoints`:  "the same",
	`"/*" secrets`:      "the service puts a random end to the names of secrets",
	`"/apps/*" secrets`: "the same, of apps alone",
	`"*" identities`:    "whom SES asks about nobody knows beforehand; the condition names the one sender",
}

func TestNoWildcards(t *testing.T) {
	n := 0
	for holder, statements := range load(t).statements() {
		for _, s := range statements {
			n++
			if s["Effect"] == "Deny" {
				continue // the wider, the better
			}
			if s["NotAction"] != nil || s["NotResource"] != nil || s["NotPrincipal"] != nil {
				t.Errorf("%s allows all but something: %s", holder, flat(s))
			}
			if flat(s["Principal"]) == `"*"` || flat(s["Principal"]) == `{"AWS":"*"}` {
				t.Errorf("%s allows everybody: %s", holder, flat(s))
			}
			for _, a := range list(s["Action"]) {
				if strings.Contains(str(a), "*") {
					t.Errorf("%s allows the action %v", holder, a)
				}
			}
			for _, r := range list(s["Resource"]) {
				if strings.Contains(flat(r), "*") && !isExplained(holder, s, r) {
					t.Errorf("%s allows %v on %s", holder, s["Action"], flat(r))
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d statements were found: does this test still know where they are?", n)
	}
}

func isExplained(holder string, s map[string]any, r any) bool {
	switch {
	case s["Action"] == "dynamodb:ListStreams":
		return explained[flat(r)+" ListStreams"] != ""
	case s["Action"] == "ses:ListSuppressedDestinations":
		return explained[flat(r)+" Suppressions"] != ""
	case s["Action"] == "secretsmanager:GetSecretValue": // arn:...:secret:<stack>/*
		parts := list(at(r, "Fn::Join", 1))
		n := len(parts)
		return n > 1 && flat(parts[n-2]) == `{"Ref":"AWS::StackName"}` && explained[flat(parts[n-1])+" secrets"] != ""
	case flat(s["Action"]) == `["ses:SendEmail","ses:SendRawEmail"]`: // arn:...:identity/*
		return strings.HasSuffix(flat(r), `":identity/*"]]}`) && target(at(s, "Condition", "StringEquals", "ses:FromAddress")) == "Sender" && explained[`"*" identities`] != ""
	case holder == "MasterKey":
		return explained[flat(r)+" MasterKey"] != ""
	case target(r) == "Exports" || target(r) == "Checkpoints":
		return explained[flat(at(r, "Fn::Join", 1, 1))+" "+target(r)] != ""
	}
	return false
}

// may returns what the role of f may do to the resource with the given plain
// logical id, without the service's name.
func may(tpl template, f topology.Function, resource string) []string {
	var actions []string
	for _, s := range tpl.allowed(f) {
		for _, r := range list(s["Resource"]) {
			if target(r) != resource || strings.Contains(flat(r), "/index/") || strings.Contains(flat(r), "StreamArn") {
				continue
			}
			for _, a := range list(s["Action"]) {
				_, verb, _ := strings.Cut(str(a), ":")
				actions = append(actions, verb)
			}
		}
	}
	slices.Sort(actions)
	return actions
}

func TestAFunctionMayDoWhatItsEntrySays(t *testing.T) {
	tpl := load(t)
	onState := map[topology.Access]string{
		topology.None:      "",
		topology.Read:      "GetItem Query",
		topology.Append:    "ConditionCheckItem GetItem PutItem Query",
		topology.Update:    "ConditionCheckItem GetItem PutItem Query UpdateItem",
		topology.ReadWrite: "ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem",
	}
	onAudit := map[topology.Access]string{topology.None: "", topology.Read: "GetItem Query", topology.Append: "GetItem PutItem Query"}
	onKeys := map[topology.Access]string{
		topology.None: "", topology.Read: "GetItem", topology.Append: "GetItem PutItem",
		topology.Update: "GetItem PutItem UpdateItem", topology.ReadWrite: "DeleteItem GetItem PutItem UpdateItem",
	}
	onBucket := map[topology.Access]string{
		topology.None: "", topology.Read: "GetObject", topology.Append: "GetObject PutObject",
		topology.ReadWrite: "DeleteObject GetObject ListBucket PutObject",
	}
	onCheckpoints := map[topology.Access]string{
		topology.None: "", topology.Read: "GetObject ListBucket", topology.Append: "GetObject ListBucket PutObject",
	}
	onKey := map[topology.Access]string{
		topology.None: "", topology.Read: "Decrypt", topology.Append: "Decrypt Encrypt", topology.Update: "Decrypt Encrypt", topology.ReadWrite: "Decrypt Encrypt",
	}
	for _, f := range topology.All {
		queue := ""
		if slices.Contains(f.Sends, topology.Steps) {
			queue = "SendMessage"
		}
		if f.Queue != nil {
			queue = strings.TrimSpace("DeleteMessage GetQueueAttributes ReceiveMessage " + queue)
		}
		for resource, want := range map[string]string{
			"StateTable":     whole(onState[f.Tables.State], f),
			"AuditTable":     whole(onAudit[f.Tables.Audit], f),
			"KeysTable":      onKeys[f.Tables.Keys],
			"Exports":        onBucket[f.Exports],
			"MasterKey":      onKey[f.Tables.Keys],
			"StepsQueue":     queue,
			"MaileventsFeed": map[bool]string{true: "DeleteMessage GetQueueAttributes ReceiveMessage"}[f.Name == topology.MailEvents.Name],
			"ClosureFeed":    map[bool]string{true: "DeleteMessage GetQueueAttributes ReceiveMessage"}[f.Name == topology.Closure.Name],
			"Bus":            map[bool]string{true: "PutEvents"}[f.Publishes],
			"Policies":       map[bool]string{true: "GetObject ListBucket"}[f.Editions],
			"Checkpoints":    onCheckpoints[f.Checkpoints],
			"Lost":           map[bool]string{true: "SendMessage"}[f.Stream || f.Entries],
			"AlarmTopic":     "",
		} {
			if got := strings.Join(may(tpl, f, resource), " "); got != want {
				t.Errorf("%s may do %q to %s, want %q", f.Name, got, resource, want)
			}
		}
		mails := strings.Contains(flat(tpl.allowed(f)), "ses:SendEmail")
		if mails != f.SendsMail {
			t.Errorf("%s sends mail: %v, want %v", f.Name, mails, f.SendsMail)
		}
		if reads := strings.Contains(flat(tpl.allowed(f)), "ses:ListSuppressedDestinations"); reads != f.Suppressions {
			t.Errorf("%s reads to whom the mail service writes no more: %v, want %v", f.Name, reads, f.Suppressions)
		}
		var secrets []string
		for _, s := range tpl.allowed(f) {
			if s["Action"] == "secretsmanager:GetSecretValue" {
				if parts := list(at(s["Resource"], "Fn::Join", 1)); parts != nil {
					secrets = append(secrets, str(parts[len(parts)-1]))
				} else {
					secrets = append(secrets, target(s["Resource"]))
				}
			}
		}
		var want []string
		if f.Sources {
			want = append(want, "/*")
		}
		if f.HearsApps() {
			want = append(want, "/apps/*")
		}
		if len(f.Routes) > 0 {
			want = append(want, "EdgeSecret")
		}
		if !slices.Equal(secrets, want) {
			t.Errorf("%s reads the secrets %q, want %q", f.Name, secrets, want)
		}
	}
}

// Streams are read by Lambda in the function's name.
func TestAFunctionSeesTheStreamsThatItsEntrySays(t *testing.T) {
	tpl := load(t)
	for _, f := range topology.All {
		got, want := map[string]bool{}, map[string]bool{}
		for _, s := range tpl.allowed(f) {
			if strings.Contains(flat(s["Resource"]), `"StreamArn"`) {
				got[target(s["Resource"])] = true
				if flat(s["Action"]) != `["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator"]` {
					t.Errorf("%s may do %s to a stream", f.Name, flat(s["Action"]))
				}
			}
		}
		if f.Stream {
			want["StateTable"] = true
		}
		if f.Entries {
			want["AuditTable"] = true
		}
		same(t, "stream seen by "+f.Name, got, want)
	}
}

// Operators put one file into that bucket, and that one alone is read.
func TestOnlyThePolicyFileIsRead(t *testing.T) {
	for holder, statements := range load(t).statements() {
		for _, s := range statements {
			if s["Action"] == "s3:GetObject" && target(s["Resource"]) == "Policies" && at(s["Resource"], "Fn::Join", 1, 1) != "/policy.yaml" {
				t.Errorf("%s reads %s", holder, flat(s["Resource"]))
			}
		}
	}
}

// The scheduler starts runs, each by the alias that counts them, and nothing else.
func TestTheSchedulerStartsRunsAndNothingElse(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{"sqs:SendMessage Lost": true}
	for _, s := range tpl.statements()["SchedulerRoleDefaultPolicy"] {
		for _, r := range list(s["Resource"]) {
			got[str(s["Action"])+" "+target(r)] = true
		}
	}
	for _, f := range topology.All {
		for _, s := range f.Schedules {
			want["lambda:InvokeFunction "+running(f, s)] = true
		}
	}
	same(t, "grant of the scheduler", got, want)
	trust := at(tpl.one(t, "AWS::IAM::Role", "SchedulerRole").Properties, "AssumeRolePolicyDocument", "Statement", 0)
	if at(trust, "Principal", "Service") != "scheduler.amazonaws.com" ||
		flat(at(trust, "Condition", "StringEquals", "aws:SourceAccount")) != `{"Ref":"AWS::AccountId"}` {
		t.Errorf("schedules of another account may take the role: %s", flat(trust))
	}
}

// Roles are for services of this account, and what each of them is for stands in its name.
func TestRolesAreForServices(t *testing.T) {
	tpl := load(t)
	for logical, r := range tpl.all("AWS::IAM::Role") {
		if len(list(r.Properties["ManagedPolicyArns"])) > 0 {
			t.Errorf("%s has a policy that somebody else writes: %s", logical, flat(r.Properties["ManagedPolicyArns"]))
		}
		for _, s := range list(at(r.Properties, "AssumeRolePolicyDocument", "Statement")) {
			want := "lambda.amazonaws.com"
			if plain(logical) == "SchedulerRole" {
				want = "scheduler.amazonaws.com"
			}
			if at(s, "Principal", "Service") != want || at(s, "Principal", "AWS") != nil || at(s, "Action") != "sts:AssumeRole" {
				t.Errorf("%s may be taken by %s", logical, flat(s))
			}
		}
	}
}

// whole adds what reads a table from one end to the other, for those who may.
func whole(actions string, f topology.Function) string {
	if !f.Restores {
		return actions
	}
	all := append(strings.Fields(actions), "Scan")
	slices.Sort(all)
	return strings.Join(all, " ")
}

// No role may change or remove an audit entry, whatever the topology says.
func TestNoRoleChangesTheAuditTable(t *testing.T) {
	for holder, statements := range load(t).statements() {
		for _, s := range statements {
			if s["Effect"] == "Allow" && strings.Contains(flat(s["Resource"]), "AuditTable") {
				for _, a := range list(s["Action"]) {
					if !slices.Contains([]string{
						"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:ConditionCheckItem",
						"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", // which only read
					}, str(a)) {
						t.Errorf("%s may %v the audit table", holder, a)
					}
				}
			}
		}
	}
}

func TestTheMasterKeyServesOnlyForTheRing(t *testing.T) {
	for holder, statements := range load(t).statements() {
		for _, s := range statements {
			if target(s["Resource"]) == "MasterKey" && at(s, "Condition", "StringEquals", "kms:EncryptionContext:rightsdesk") != "key ring" {
				t.Errorf("%s may use the key for anything: %s", holder, flat(s))
			}
		}
	}
}

// Roles of the company are assumed by those who call its data stores, and only
// if the operator named any.
func TestOnlySourcesAssumeRoles(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for _, r := range tpl.Resources {
		if r.Type == "AWS::IAM::Policy" && strings.Contains(flat(r.Properties), "sts:AssumeRole") {
			got[target(r.Properties["Roles"])] = true
			if r.Condition != "HasSourceRoleArns" || target(at(r.Properties, "PolicyDocument", "Statement", 0, "Resource")) != "SourceRoleArns" {
				t.Errorf("a role is opened that nobody named: %v", r)
			}
		}
	}
	for _, f := range topology.All {
		if f.Sources {
			want[id(f)+"Role"] = true
		}
	}
	same(t, "opener of sources", got, want)
}
