package stack

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// What an access allows. A transaction needs the permission of each of its parts.
var (
	readTable   = []string{"dynamodb:GetItem", "dynamodb:Query"}
	appendTable = slices.Concat(readTable, []string{"dynamodb:ConditionCheckItem", "dynamodb:PutItem"})
	updateTable = slices.Concat(appendTable, []string{"dynamodb:UpdateItem"})
	writeTable  = slices.Concat(updateTable, []string{"dynamodb:DeleteItem"})
)

// What nobody does whatever the access: an entry of the audit is no condition of a
// commit, and keys are got one by one by those who know whose they are.
var (
	neverOnAudit = []string{"dynamodb:ConditionCheckItem"}
	neverOnKeys  = []string{"dynamodb:ConditionCheckItem", "dynamodb:Query"}
)

// What Lambda does for a function that works off a queue, or sees a table's stream.
var (
	readQueue  = []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
	readStream = []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
)

// The encryption context under which seal/kms wraps the key ring; the key serves
// for nothing else.
const (
	ringContextKey   = "rightsdesk"
	ringContextValue = "key ring"
)

// grants is the whole policy of a function's role, spelled out action by action:
// the CDK's own grants are wider, with wildcards in them.
func (s *system) grants(f topology.Function, logs awslogs.LogGroup) awsiam.PolicyDocument {
	p := &policy{awsiam.NewPolicyDocument(nil)}
	p.allow(in(logs.LogGroupArn()), "logs:CreateLogStream", "logs:PutLogEvents")
	s.grantTable(p, s.state, f.Tables.State, nil)
	if f.Tables.State != topology.None {
		p.allow(&[]*string{below(s.state.TableArn(), "/index/"+dueIndex), below(s.state.TableArn(), "/index/"+subjectIndex)}, "dynamodb:Query")
	}
	s.grantTable(p, s.audit, f.Tables.Audit, neverOnAudit)
	s.grantTable(p, s.keys, f.Tables.Keys, neverOnKeys)
	s.grantKey(p, f.Tables.Keys)
	s.grantExports(p, f.Exports)
	for _, name := range f.Sends {
		p.allow(in(s.queues[name].QueueArn()), "sqs:SendMessage")
	}
	if f.Queue != nil {
		p.allow(in(s.queues[f.Queue.Name].QueueArn()), readQueue...)
	}
	if f.Feed != nil {
		p.allow(in(s.feeds[f.Name].QueueArn()), readQueue...)
	}
	if f.Entries {
		p.allow(in(s.audit.TableStreamArn()), readStream...)
	}
	if f.Stream {
		p.allow(in(s.state.TableStreamArn()), readStream...)
	}
	if f.Entries || f.Stream {
		p.allow(jsii.Strings("*"), "dynamodb:ListStreams") // it knows no resources
		p.allow(in(s.lost.QueueArn()), "sqs:SendMessage")
	}
	if f.Restores {
		p.allow(&[]*string{s.state.TableArn(), s.audit.TableArn()}, "dynamodb:Scan")
	}
	if f.Publishes {
		p.allow(in(s.bus.AttrArn()), "events:PutEvents")
	}
	if f.Editions {
		p.allow(in(below(s.policies.BucketArn(), "/policy.yaml")), "s3:GetObject")
		p.allow(in(s.policies.BucketArn()), "s3:ListBucket") // or what is not there would be forbidden
	}
	s.grantCheckpoints(p, f.Checkpoints)
	if f.Sources {
		p.allow(in(s.secrets("*")), "secretsmanager:GetSecretValue")
	}
	if f.HearsApps() { // and not the keys with which data stores are told to erase
		p.allow(in(s.secrets("apps/*")), "secretsmanager:GetSecretValue")
	}
	return p.PolicyDocument
}

// grantTable adds what access means for a table. On the audit table nobody gets more
// than Append: see topology.Access.
func (s *system) grantTable(p *policy, t awsdynamodb.Table, access topology.Access, never []string) {
	var actions []string
	switch access {
	case topology.None:
		return
	case topology.Read:
		actions = readTable
	case topology.Append:
		actions = appendTable
	case topology.Update:
		actions = updateTable
	case topology.ReadWrite:
		actions = writeTable
	}
	if t == s.audit && access > topology.Append {
		panic("stack: no function may change or remove an audit entry")
	}
	p.allow(in(t.TableArn()), slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return slices.Contains(never, a) })...)
}

// grantKey lets a function open the key ring, and whoever may write the Keys
// table also make it on the first start.
func (s *system) grantKey(p *policy, keys topology.Access) {
	actions := []string{"kms:Decrypt"}
	switch keys {
	case topology.None:
		return
	case topology.Read:
	case topology.Append, topology.Update, topology.ReadWrite:
		actions = append(actions, "kms:Encrypt")
	}
	p.allowIf(map[string]any{
		"StringEquals": map[string]string{"kms:EncryptionContext:" + ringContextKey: ringContextValue},
	}, in(s.master.KeyArn()), actions...)
}

// grantExports opens the bucket with people's packages. Reading is one object at
// a time, under a key that the function was told: Read does not list.
func (s *system) grantExports(p *policy, access topology.Access) {
	objects := in(below(s.exports.BucketArn(), "/*"))
	switch access {
	case topology.None:
	case topology.Read:
		p.allow(objects, "s3:GetObject")
	case topology.Append, topology.Update: // an object is written whole
		p.allow(objects, "s3:GetObject", "s3:PutObject")
	case topology.ReadWrite:
		p.allow(objects, "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
		p.allow(in(s.exports.BucketArn()), "s3:ListBucket")
	}
}

// grantCheckpoints opens the bucket of sealed entries. Whoever reads may list too, or what
// is not there would be forbidden. Nobody changes or removes anything, whatever the access.
func (s *system) grantCheckpoints(p *policy, access topology.Access) {
	objects := in(below(s.checkpoints.BucketArn(), "/*"))
	switch access {
	case topology.None:
		return
	case topology.Read:
		p.allow(objects, "s3:GetObject")
	case topology.Append, topology.Update, topology.ReadWrite:
		p.allow(objects, "s3:GetObject", "s3:PutObject")
	}
	p.allow(in(s.checkpoints.BucketArn()), "s3:ListBucket")
}

// openMail lets a function send from the operator's address, and from no other, through
// our set. Without an address there is nothing to allow.
//
// It is not the identity that bounds it: the sender's may be the address or its domain,
// and while the account is in the sandbox SES asks for the right on the recipient's
// verified identity too, which nobody knows beforehand.
func (s *system) openMail(f topology.Function, role awsiam.Role) {
	of := func(kind string, name *string) *string {
		return s.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("ses"), Resource: &kind, ResourceName: name})
	}
	through := []*string{of("configuration-set", s.mailSet.Ref()), of("identity", jsii.String("*"))}
	p := &policy{awsiam.NewPolicyDocument(nil)}
	p.allowIf(map[string]any{
		"StringEquals": map[string]*string{"ses:FromAddress": s.param.sender},
	}, &through, "ses:SendEmail", "ses:SendRawEmail")
	s.attach(title(f.Name)+"Mail", "mail", p, role, s.param.sends)
}

// openSuppressions lets a function read the account's list of addresses to which the
// mail service delivers nothing more. It is one list, of all who send through the
// account, and the action knows no resources.
func (s *system) openSuppressions(f topology.Function, role awsiam.Role) {
	p := &policy{awsiam.NewPolicyDocument(nil)}
	p.allow(jsii.Strings("*"), "ses:ListSuppressedDestinations")
	s.attach(title(f.Name)+"Suppressions", "suppressions", p, role, s.param.mails)
}

// secrets are the secrets of the company's data stores, and below apps/ of its
// apps. The operator makes them, and the service puts a random end to their names.
func (s *system) secrets(which string) *string {
	return s.stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("secretsmanager"), Resource: jsii.String("secret"),
		ResourceName: below(s.secretNames(), which), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}

// openSources lets a function assume the roles that the operator named, if any.
func (s *system) openSources(f topology.Function, role awsiam.Role) {
	p := &policy{awsiam.NewPolicyDocument(nil)}
	p.allow(s.param.sourceRoles, "sts:AssumeRole")
	s.attach(title(f.Name)+"Sources", "sources", p, role, s.param.hasSourceRoles)
}

// attach gives a role what it may do only if a condition holds: a part of a policy
// cannot have one.
func (s *system) attach(id, name string, p *policy, role awsiam.Role, when awscdk.CfnCondition) {
	awsiam.NewCfnPolicy(s.stack, &id, &awsiam.CfnPolicyProps{
		PolicyName:     &name,
		PolicyDocument: p.PolicyDocument,
		Roles:          &[]*string{role.RoleName()},
	}).CfnOptions().SetCondition(when)
}

// policy is a policy document that is written one sentence at a time.
type policy struct{ awsiam.PolicyDocument }

func (p *policy) allow(resources *[]*string, actions ...string) {
	p.allowIf(nil, resources, actions...)
}

func (p *policy) allowIf(conditions map[string]any, resources *[]*string, actions ...string) {
	props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: resources}
	if conditions != nil {
		props.Conditions = &conditions
	}
	p.AddStatements(awsiam.NewPolicyStatement(props))
}

func in(arn *string) *[]*string { return &[]*string{arn} }

func below(arn *string, rest string) *string {
	return awscdk.Fn_Join(jsii.String(""), &[]*string{arn, &rest})
}
