package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rightsdesk/infra/release/formation"
)

// kept says what lies in something that keeps data, and how sensitive it is.
var kept = map[string]struct{ what, sensitivity string }{
	"StateTable":   {"requests, choices, closures, holds, editions of the policy", "personal; whatever names a person is sealed with a key of that person"},
	"AuditTable":   {"who did what and when, in hash chains", "pseudonymous: random ids, keyed hashes, operators' ids"},
	"KeysTable":    {"a salt for each person, the wrapped key ring", "secret: without it no sealed field can be read"},
	"Exports":      {"packages for people, and what people attached", "personal; gone after the period of the policy, 400 days at most"},
	"Policies":     {"policy files that operators put there", "public in the end"},
	"Checkpoints":  {"hashes of audit entries, signed checkpoints", "pseudonymous: names of chains, which hold random ids, keyed hashes and operators' ids"},
	"BusArchive":   {"events of the bus, if `EventArchiveDays` is not 0", "pseudonymous: random ids"},
	"OperatorPool": {"operators' addresses and second factors, if no issuer is given", "personal, of operators"},
}

// duties says what each role is for.
var duties = map[string]string{
	"RequestsRole":   "takes in requests of people, shows where they stand, to them and to operators",
	"ConsentRole":    "takes down what people choose, and tells apps what they may do",
	"ClosureRole":    "closes accounts; retention, legal holds and restores, for operators",
	"NoticeRole":     "shows the policy, and publishes editions of it",
	"RelayRole":      "carries what happened to mail, queue and event bus, and seals the audit",
	"FulfilRole":     "works off plans in the company's data stores",
	"DeadlinesRole":  "reminds, lets lapse, erases packages",
	"RetentionRole":  "deletes what has outlived its purpose, destroys salts, replays after a restore",
	"MaileventsRole": "hears of bounces and complaints",
	"SchedulerRole":  "starts scheduled runs",
}

// guards says what else protects something that keeps data.
func guards(r formation.Resource) string {
	var all []string
	p := r.Properties
	if formation.At(p, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") == true {
		all = append(all, fmt.Sprintf("recovery to any second of %v days", formation.At(p, "PointInTimeRecoverySpecification", "RecoveryPeriodInDays")))
	}
	if p["DeletionProtectionEnabled"] == true || p["DeletionProtection"] == "ACTIVE" {
		all = append(all, "deletion protection")
	}
	if formation.At(p, "VersioningConfiguration", "Status") == "Enabled" {
		all = append(all, "versions")
	}
	if p["ObjectLockEnabled"] == true {
		all = append(all, "Object Lock")
	}
	if formation.At(p, "PublicAccessBlockConfiguration", "BlockPublicPolicy") == true {
		all = append(all, "shut to the public")
	}
	if formation.At(p, "LifecycleConfiguration") != nil {
		all = append(all, "lifecycle")
	}
	if strings.HasPrefix(r.DeletionPolicy, "Retain") {
		all = append(all, "stays when the stack goes")
	}
	return strings.Join(all, ", ")
}

// encrypted says under which key something lies.
func encrypted(kind string) string {
	switch kind {
	case "AWS::DynamoDB::Table":
		return "AES-256 by the service, under a key of AWS; personal fields besides by us, under the key ring"
	case "AWS::S3::Bucket":
		return "AES-256 by the service (SSE-S3)"
	}
	return "by the service"
}

// billable says what is paid for of a service.
var billable = []struct{ prefix, service, what string }{
	{"AWS::ApiGatewayV2::", "API Gateway", "calls"},
	{"AWS::Lambda::", "Lambda", "runs and their time"},
	{"AWS::DynamoDB::", "DynamoDB", "units read and written, GB kept and recoverable"},
	{"AWS::KMS::", "KMS", "a key, calls"},
	{"AWS::S3::", "S3", "GB kept, calls"},
	{"AWS::SQS::", "SQS", "calls, most of them Lambda's looks into empty queues"},
	{"AWS::SES::", "SES", "mails"},
	{"AWS::Scheduler::", "EventBridge Scheduler", "runs"},
	{"AWS::Events::", "EventBridge", "events of our own, the archive"},
	{"AWS::CloudWatch::", "CloudWatch", "alarms, dashboards"},
	{"AWS::Logs::", "CloudWatch Logs", "GB taken in and kept, metrics made of lines"},
	{"AWS::SNS::", "SNS", "mails about alarms"},
	{"AWS::Cognito::", "Cognito", "operators who sign in"},
	{"AWS::CloudFront::", "CloudFront, WAF", "calls, rules"},
	{"AWS::SecretsManager::", "Secrets Manager", "secrets, calls"},
	{"AWS::AppConfig::", "AppConfig", "nothing: only CloudFormation writes to it, and nobody reads"},
	{"AWS::IAM::", "IAM", "nothing"},
}

func review(s Sources) ([]byte, error) {
	t := s.Template
	g, err := t.Give(nil)
	if err != nil {
		return nil, err
	}
	p := &page{}
	p.say("%s# For reviewers: what an installation is made of\n", made)
	p.say("These tables answer what reviews of software for customers' own accounts ask. The picture is [architecture.png](architecture.png), 1100 by 700 points.")
	p.say("What is written by hand: [installing, checking health, removing](deploy.md), [upgrading, going back, restoring](upgrade.md), [threats](threat-model.md),")
	p.say("[what is held about people](data-map.md), [alarms and what to do](runbooks), [support and weaknesses](../SECURITY.md).\n")

	p.say("## Roles\n")
	p.say("No root user, no key of a user, no role that changes roles. What each may, line by line: [permissions.md](permissions.md).\n")
	var rows [][]string
	for _, r := range rolesOf(t) {
		boundary := "no"
		if r.boundary {
			boundary = "if `PermissionsBoundaryArn` is given"
		}
		duty, ok := duties[r.name]
		if !ok {
			return nil, fmt.Errorf("document: what is %s for? Say it in document.duties", r.name)
		}
		rows = append(rows, []string{r.name, duty, r.trust, boundary})
	}
	p.table([]string{"role", "purpose", "assumed by", "boundary"}, rows)

	p.say("## Keys and secrets\n")
	rows = nil
	for _, id := range t.All("AWS::KMS::Key") {
		rotation := "not rotated"
		if t.Resources[id].Properties["EnableKeyRotation"] == true {
			rotation = "by the service, every year; at once by `aws kms rotate-key-on-demand`"
		}
		rows = append(rows, []string{formation.Plain(id), formation.Text(t.Resources[id].Properties["Description"]), "KMS", rotation})
	}
	for _, id := range t.All("AWS::SecretsManager::Secret") {
		rows = append(rows, []string{formation.Plain(id), formation.Text(t.Resources[id].Properties["Description"]), "Secrets Manager", "[step by step](operate.md#change-the-secret-of-the-edge)"})
	}
	rows = append(rows,
		[]string{"the key ring", "seals personal fields, makes identifiers of addresses, signs receipts, certificates and checkpoints", "Keys, wrapped by MasterKey", "its wrapping with MasterKey; the signing key has generations, all of which are published; the keys that seal are permanent, and each person's salt is destroyed on erasure"},
		[]string{"`<stack>/...`", "sign calls to the company's hooks", "Secrets Manager, made by operators", "let the hook accept both, write the new value, publish an edition of the policy, with which functions read it anew, drop the old"},
		[]string{"`<stack>/apps/...`", "the company's apps sign their calls with them", "Secrets Manager, made by operators", "write a second line, change the app, drop the first line: it counts five minutes more"},
	)
	p.table([]string{"key or secret", "purpose", "lies in", "rotation"}, rows)
	p.say("None is in a parameter, an environment variable, a template, a log or a link.\n")

	p.say("## Where data lies\n")
	rows = nil
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool", "AWS::Events::Archive"} {
		for _, id := range t.All(kind) {
			name := formation.Plain(id)
			k, ok := kept[name]
			if !ok {
				return nil, fmt.Errorf("document: what does %s (%s) keep? Say it in document.kept", name, kind)
			}
			rows = append(rows, []string{name, k.what, k.sensitivity, encrypted(kind), guards(t.Resources[id])})
		}
	}
	queues := []string{}
	for _, id := range t.All("AWS::SQS::Queue") {
		queues = append(queues, formation.Plain(id))
	}
	rows = append(rows,
		[]string{strings.Join(queues, ", "), "ids of work, events of services", "ids; bounces of mail name an address", "by SQS", "14 days at most"},
		[]string{"log groups", "what functions did", "nothing personal: types that cannot be printed, and tests with canaries", "by the service", "`LogDays`"},
	)
	p.table([]string{"store", "what", "sensitivity", "encryption", "protection"}, rows)

	p.say("## Network\n")
	rows = [][]string{
		{"in", "the API (TLS 1.2 or newer, by the service)", fmt.Sprintf("%d routes, each declared; the rest is answered 404 and starts nothing; each is throttled", len(t.All("AWS::ApiGatewayV2::Route")))},
	}
	if len(t.All("AWS::CloudFront::Distribution")) > 0 {
		rows = append(rows, []string{"in", "the distribution, if `EdgeWebAclArn` is given", "the API then answers nobody else"})
	}
	rows = append(rows,
		[]string{"out", "AWS's own endpoints in the region", "functions run in no VPC and have no address"},
		[]string{"out", "hooks of the company, by HTTPS", "only those that the policy file names; addresses inside private networks only where it allows that host, metadata services never"},
		[]string{"out", "nobody else", "no telemetry, no call to the publisher"},
	)
	p.table([]string{"", "what", "how"}, rows)

	p.say("## Billable services\n")
	rows = nil
	for _, b := range billable {
		n, always := 0, false
		for _, kind := range t.Types() {
			if strings.HasPrefix(kind, b.prefix) {
				n += len(t.All(kind))
				always = always || len(g.Made(kind)) > 0
			}
		}
		if n > 0 {
			need := "by default"
			if !always {
				need = "only if chosen"
			}
			rows = append(rows, []string{b.service, b.what, need})
		}
	}
	for _, kind := range t.Types() {
		if !slices.ContainsFunc(billable, func(b struct{ prefix, service, what string }) bool { return strings.HasPrefix(kind, b.prefix) }) {
			return nil, fmt.Errorf("document: who is paid for %s? Say it in document.billable", kind)
		}
	}
	p.table([]string{"service", "what is billed", "needed"}, rows)
	p.say("How much: [cost.md](cost.md).\n")

	p.say("## Parameters\n")
	rows = nil
	groups := formation.List(formation.At(t.Metadata, "AWS::CloudFormation::Interface", "ParameterGroups"))
	for _, group := range groups {
		for _, parameter := range formation.List(formation.At(group, "Parameters")) {
			name := formation.Text(parameter)
			given, ok := t.Parameters[name]
			if !ok {
				continue
			}
			fallback := "**to be given**"
			if given.Default != nil {
				fallback = fmt.Sprint(given.Default)
			}
			rows = append(rows, []string{formation.Text(formation.At(group, "Label", "default")), code(name), fallback, given.Description})
		}
	}
	p.table([]string{"group", "parameter", "unless you say otherwise", "what it is"}, rows)
	p.say("None takes a password, a key or credentials of AWS.\n")

	p.say("## Combinations that are refused\n")
	rows = nil
	for _, name := range slices.Sorted(maps.Keys(t.Rules)) {
		for _, a := range formation.List(formation.At(t.Rules[name], "Assertions")) {
			if name != "CheckBootstrapVersion" {
				rows = append(rows, []string{name, formation.Text(formation.At(a, "AssertDescription"))})
			}
		}
	}
	p.table([]string{"rule", "what it says"}, rows)

	p.say("## Quotas\n")
	counts := func(kind string) string { return fmt.Sprint(len(t.All(kind))) }
	p.table([]string{"quota of the service", "usual value", "an installation uses"}, [][]string{
		{"resources of a stack", "500", fmt.Sprint(len(t.Resources))},
		{"parameters of a stack", "200", fmt.Sprint(len(t.Parameters))},
		{"routes of an HTTP API", "300", counts("AWS::ApiGatewayV2::Route")},
		{"functions that run at the same time, of the account", "1000, in new accounts 10", "a few; nothing is reserved"},
		{"KMS keys", "100 000", counts("AWS::KMS::Key")},
		{"schedules", "1 000 000", counts("AWS::Scheduler::Schedule")},
		{"on-demand tables: new ones begin with", "4000 writes and 12 000 reads a second", "`MaxUnitsPerSecond` at most"},
		{"mails a day, in the sandbox of the mail service", "200", "4 for a request: leave the sandbox first"},
		{"alarms", "5000", counts("AWS::CloudWatch::Alarm")},
	})
	return []byte(p.String()), nil
}
