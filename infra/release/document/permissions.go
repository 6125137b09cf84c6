package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rightsdesk/infra/release/formation"
)

// grant is one statement of a role's policy, as it is read.
type grant struct {
	actions   []string
	resources []string // as formation.Say writes them
	condition string
	effect    string
	principal string
}

// statements reads the statements of a policy document.
func statements(document any) []grant {
	var out []grant
	for _, s := range formation.List(formation.At(document, "Statement")) {
		g := grant{effect: formation.Text(formation.At(s, "Effect")), condition: conditions(formation.At(s, "Condition"))}
		for _, a := range formation.List(formation.At(s, "Action")) {
			g.actions = append(g.actions, formation.Text(a))
		}
		for _, r := range formation.List(formation.At(s, "Resource")) {
			g.resources = append(g.resources, formation.Say(r))
		}
		g.principal = principals(formation.At(s, "Principal"))
		out = append(out, g)
	}
	return out
}

func principals(v any) string {
	if s := formation.Text(v); s != "" {
		return s
	}
	m, _ := v.(map[string]any)
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(m)) {
		for _, p := range formation.List(m[kind]) {
			who := formation.Say(p)
			if who == "iam root" {
				who = "whoever IAM lets, in this account"
			}
			all = append(all, who)
		}
	}
	return strings.Join(all, ", ")
}

// conditions writes a statement's conditions in a line.
func conditions(v any) string {
	m, _ := v.(map[string]any)
	var all []string
	for _, operator := range slices.Sorted(maps.Keys(m)) {
		values, _ := m[operator].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(values)) {
			all = append(all, fmt.Sprintf("%s %s %s", key, operator, formation.Say(values[key])))
		}
	}
	return strings.Join(all, "; ")
}

// reason says why a role may do something to a resource. The first that fits is taken.
type reason struct {
	resource string // what Say writes begins or ends with this; "" fits all
	action   string // one of the actions begins with this
	why      string
}

var reasons = []reason{
	{"", "logs:", "writes its log"},
	{"*", "dynamodb:ListStreams", "Lambda looks for the stream that wakes the function"},
	{"/stream", "dynamodb:", "Lambda reads the stream that wakes the function"},
	{"StateTable/index/", "dynamodb:Query", "finds what is due, and what belongs to a person"},
	{"StateTable", "dynamodb:Scan", "reads the whole table, for the replay after a restore; keeps requests, choices, closures and what is due"},
	{"StateTable", "dynamodb:PutItem", "keeps requests, choices, closures and what is due"},
	{"StateTable", "dynamodb:", "reads requests, choices, closures"},
	{"AuditTable", "dynamodb:Scan", "reads the whole audit, for the replay after a restore; appends entries"},
	{"AuditTable", "dynamodb:PutItem", "appends entries, and checks chains; none can be changed or removed"},
	{"AuditTable", "dynamodb:", "checks chains"},
	{"KeysTable", "dynamodb:DeleteItem", "finds and makes people's salts and the key ring, destroys salts of those who were erased, and removes those of a rule"},
	{"KeysTable", "dynamodb:PutItem", "finds and makes people's salts and the key ring"},
	{"KeysTable", "dynamodb:", "finds people's salts and the key ring"},
	{"MasterKey", "kms:Encrypt", "opens the key ring, and wraps it when it is made or gets a further key"},
	{"MasterKey", "kms:", "opens the key ring"},
	{"Exports", "s3:ListBucket", "finds packages that are to be erased"},
	{"Exports", "s3:", "writes, hands out or erases people's packages and what they attached"},
	{"Policies", "s3:", "reads the policy file that an operator put there"},
	{"Checkpoints", "s3:ListBucket", "finds what is not in a checkpoint yet; without it, what is not there would be forbidden"},
	{"Checkpoints", "s3:PutObject", "writes sealed entries and checkpoints, once each, and reads them to go on"},
	{"Checkpoints", "s3:", "reads checkpoints, to tell entries that expired from entries that were removed"},
	{"Bus", "events:PutEvents", "tells the company's own systems what happened"},
	{"Lost", "sqs:SendMessage", "parks what could not be delivered"},
	{"DeadLetters", "sqs:SendMessage", "parks what could not be delivered"},
	{"Feed", "sqs:", "Lambda takes from the queue the events that the function hears"},
	{"StepsQueue", "sqs:ReceiveMessage", "Lambda takes from the queue the steps that the function works off"},
	{"StepsQueue", "sqs:SendMessage", "hands out steps of plans"},
	{"", "ses:Send", "writes to people, from the operator's address only"},
	{"", "ses:ListSuppressedDestinations", "reads to which addresses the mail service writes no more, for bounces and complaints whose event was lost"},
	{"", "ses:GetAccount", "sees whether the account is still in the mail service's sandbox"},
	{"SourceRoleArns", "sts:AssumeRole", "opens the company's data stores, by the roles that the operator named and no others"},
	{"secret:<stack>/apps/*", "secretsmanager:", "reads the keys of the company's apps, to know who calls"},
	{"secret:<stack>/*", "secretsmanager:", "reads the secrets of the company's data stores and apps"},
	{"EdgeSecret", "secretsmanager:", "reads what only the edge knows, so that nobody goes around it"},
	{"Secret", "secretsmanager:", "reads what only the edge knows, so that nobody goes around it"},
	{"", "lambda:InvokeFunction", "starts the runs of schedules"},
}

// whole says of which resources a "*" is part, and why it cannot be less.
var whole = []struct{ resource, why string }{
	{"*", "the actions `dynamodb:ListStreams` and `ses:ListSuppressedDestinations` know no resources"},
	{"Exports/*", "the objects of one bucket; their names are made as they are needed"},
	{"Policies/*", "the objects of one bucket"},
	{"Checkpoints/*", "the objects of one bucket; their names are hashes"},
	{"ses identity/*", "the sender's identity is its address or its domain, and in the sandbox SES asks about the recipient's too; the condition `ses:FromAddress` bounds it"},
	{"secretsmanager secret:<stack>/*", "the service puts a random end to the names of secrets, which operators make as `<stack>/...`"},
	{"secretsmanager secret:<stack>/apps/*", "the same, of apps alone"},
}

func purpose(g grant) (string, error) {
	var whys []string
	for _, resource := range g.resources {
		why := ""
		for _, r := range reasons {
			fits := r.resource == "" || strings.HasPrefix(resource, r.resource) || strings.HasSuffix(resource, r.resource)
			if fits && slices.ContainsFunc(g.actions, func(a string) bool { return strings.HasPrefix(a, r.action) }) {
				why = r.why
				break
			}
		}
		if why == "" {
			return "", fmt.Errorf("document: nobody says why %v on %s: add it to document.reasons", g.actions, resource)
		}
		if !slices.Contains(whys, why) {
			whys = append(whys, why)
		}
	}
	return strings.Join(whys, "; "), nil
}

// role is a role and all that it may.
type role struct {
	name, description, trust string
	boundary                 bool
	grants                   []grant
	given                    map[int]string // condition of the template under which a grant exists
}

func rolesOf(t *formation.Template) []role {
	var all []role
	for _, id := range t.All("AWS::IAM::Role") {
		p := t.Resources[id].Properties
		r := role{name: formation.Plain(id), description: formation.Text(p["Description"]), given: map[int]string{}, boundary: p["PermissionsBoundary"] != nil}
		for _, s := range statements(p["AssumeRolePolicyDocument"]) {
			r.trust = s.principal
			if s.condition != "" {
				r.trust += ", if " + s.condition
			}
		}
		for _, policy := range formation.List(p["Policies"]) {
			r.grants = append(r.grants, statements(formation.At(policy, "PolicyDocument"))...)
			if condition := formation.Text(formation.At(policy, "Fn::If", 0)); condition != "" {
				for _, g := range statements(formation.At(policy, "Fn::If", 1, "PolicyDocument")) {
					r.given[len(r.grants)] = condition
					r.grants = append(r.grants, g)
				}
			}
		}
		for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::RolePolicy"} {
			for _, policyID := range t.All(kind) {
				policy := t.Resources[policyID]
				if !slices.Contains(formation.Refers([]any{policy.Properties["Roles"], policy.Properties["RoleName"]}), id) {
					continue
				}
				for _, g := range statements(policy.Properties["PolicyDocument"]) {
					if policy.Condition != "" {
						r.given[len(r.grants)] = policy.Condition
					}
					r.grants = append(r.grants, g)
				}
			}
		}
		all = append(all, r)
	}
	return all
}

func permissions(s Sources) ([]byte, error) {
	p := &page{}
	p.say("%s# Permissions: who may do what, and why\n", made)
	p.say("Every function has a role of its own. What a role may is spelled action by action, and each line says what for. A name such as")
	p.say("StateTable is a resource of the stack; `<stack>` is the stack's name. The last part is about [who deploys](#who-deploys).")
	p.say("No role may change another role, a policy, or anything outside of the stack but what the operator named.")
	p.say("`TestWhatIsDeployed` in shared/boot judges every call of the built programs by these lines, and each line must be made use of there")
	p.say("or have a reason in shared/boot/grants_test.go.\n")
	used := map[string]bool{}
	for _, r := range rolesOf(s.Template) {
		p.say("## %s\n", r.name)
		sentence := strings.TrimSuffix(r.description, ".")
		if sentence == "" {
			return nil, fmt.Errorf("document: the role %s does not describe itself", r.name)
		}
		p.say("%s. Assumed by %s.\n", sentence, code(r.trust))
		var rows [][]string
		for i, g := range r.grants {
			why, err := purpose(g)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			for _, resource := range g.resources {
				if strings.Contains(resource, "*") {
					used[resource] = true
				}
			}
			condition := g.condition
			if c := r.given[i]; c != "" {
				condition = strings.TrimPrefix(condition+"; the stack's condition "+c, "; ")
			}
			rows = append(rows, []string{code(g.actions...), code(g.resources...), condition, why})
		}
		p.table([]string{"may", "on", "if", "because it"}, rows)
	}
	p.say("## Every `*`\n")
	p.say("No action that is allowed has a `*` in it. These resources have, because the service wants it so:\n")
	var rows [][]string
	for _, w := range whole {
		if used[w.resource] {
			rows = append(rows, []string{code(w.resource), w.why})
		}
		delete(used, w.resource)
	}
	if len(used) > 0 {
		return nil, fmt.Errorf("document: nobody says why %s has a * in it: add it to document.whole", strings.Join(slices.Sorted(maps.Keys(used)), ", "))
	}
	p.table([]string{"resource", "why"}, rows)
	resourcePolicies(p, s.Template)
	if err := deployers(p, s.Template); err != nil {
		return nil, err
	}
	return []byte(p.String()), nil
}

// resourcePolicies lists what resources say themselves.
func resourcePolicies(p *page, t *formation.Template) {
	p.say("## What resources say themselves\n")
	p.say("Who is named here needs no role for it; who is refused is refused whatever their role says. On a resource's own policy `*` is that resource.\n")
	var rows [][]string
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		var document any
		on := formation.Plain(id)
		switch r.Type {
		case "AWS::S3::BucketPolicy":
			document, on = r.Properties["PolicyDocument"], formation.Say(r.Properties["Bucket"])
		case "AWS::SQS::QueuePolicy":
			document, on = r.Properties["PolicyDocument"], strings.Join(plain(formation.Refers(r.Properties["Queues"])), ", ")
		case "AWS::SNS::TopicPolicy":
			document, on = r.Properties["PolicyDocument"], strings.Join(plain(formation.Refers(r.Properties["Topics"])), ", ")
		case "AWS::KMS::Key":
			document = r.Properties["KeyPolicy"]
		case "AWS::DynamoDB::Table":
			document = formation.At(r.Properties, "ResourcePolicy", "PolicyDocument")
		case "AWS::Lambda::Permission":
			rows = append(rows, []string{formation.Say(r.Properties["FunctionName"]), formation.Say(r.Properties["Principal"]), "may", code(formation.Say(r.Properties["Action"])), "from " + formation.Say(r.Properties["SourceArn"])})
			continue
		}
		for _, g := range statements(document) {
			verb := map[string]string{"Allow": "may", "Deny": "**may not**"}[g.effect]
			rows = append(rows, []string{on, g.principal, verb, code(g.actions...), g.condition})
		}
	}
	p.table([]string{"resource", "who", "", "what", "if"}, rows)
}

func plain(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = formation.Plain(id)
	}
	return out
}
