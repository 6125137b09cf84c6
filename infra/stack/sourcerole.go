package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	groupTrust = "Who may use this role"
	groupStore = "What it opens: one data store"
)

// sourceParameters are those of the template that makes a role for a data store.
var sourceParameters = []parameter{
	{
		name: "FulfilRoleArn", group: groupTrust, label: "Role of the function fulfil",
		says:    "From the installation's outputs.",
		pattern: partition + `iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+`, hint: "The ARN of a role.", mandatory: true,
	},
	{
		name: "RetentionRoleArn", group: groupTrust, label: "Role of the function retention",
		says:    "From the installation's outputs.",
		pattern: partition + `iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+`, hint: "The ARN of a role.", mandatory: true,
	},
	{
		name: "TableArn", group: groupStore, label: "A DynamoDB table",
		says:    "Blank: none.",
		pattern: partition + `dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]+`, hint: "The ARN of a table.",
	},
	{
		name: "BucketName", group: groupStore, label: "An S3 bucket",
		says:    "Blank: none.",
		pattern: `[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`, hint: "The name of a bucket.",
	},
	{
		name: "BucketFolder", group: groupStore, label: "Folder of the bucket",
		says:    "What the keys of people's objects begin with, such as users/. Blank: the whole bucket.",
		pattern: `[A-Za-z0-9!_.'()/-]{1,200}/`, hint: "A folder that ends in /, and no placeholder.",
	},
	{
		name: "UserPoolArn", group: groupStore, label: "A Cognito user pool",
		says:    "Blank: none.",
		pattern: partition + `cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/[A-Za-z0-9_-]+`, hint: "The ARN of a user pool.",
	},
	{
		name: "LogGroups", group: groupStore, label: "Log groups whose retention is watched",
		says:    "A name, or the beginning of names and a *, such as /shop/*. Blank: none.",
		pattern: `[A-Za-z0-9_./#-]+\*?`, hint: "A name of log groups, which may end in *.",
	},
	{
		name: "KeyArn", group: groupStore, label: "KMS key of the table or bucket",
		says:    "If it is one of your own. Blank: the service's.",
		pattern: partition + `kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+`, hint: "The ARN of a key.",
	},
	{
		name: "Corrections", group: groupStore, label: "Whether people's corrections are written there",
		says:    "no: what is there is read, deleted and masked, and a user's attributes are never written.",
		allowed: []string{"yes", "no"}, fallback: "no", hint: "yes or no.",
	},
	{
		name: "PermissionsBoundaryArn", group: groupTrust, label: "Permissions boundary of the role",
		says:    "ARN of the managed policy that your organisation wants on each role. Blank: none.",
		pattern: partition + `iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+`, hint: "The ARN of a managed policy.",
	},
}

// What a function does as the role, by the kind of store. docs/sources.md has the same.
var (
	ofTable = []string{
		"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem",
	}
	ofBucket  = []string{"s3:GetBucketObjectLockConfiguration", "s3:ListBucketVersions"}
	ofObjects = []string{
		"s3:DeleteObjectVersion", "s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectVersion", "s3:GetObjectVersionTagging",
	}
	ofUsers = []string{
		"cognito-idp:AdminDeleteUser", "cognito-idp:AdminDisableUser", "cognito-idp:AdminGetUser", "cognito-idp:AdminListDevices",
		"cognito-idp:AdminListGroupsForUser", "cognito-idp:AdminListUserAuthEvents", "cognito-idp:AdminUserGlobalSignOut", "cognito-idp:ListUsers",
	}
)

// NewSourceRole adds the template of a role for one data store, in the account that has
// it. Two functions of one installation may become it, and nobody else.
func NewSourceRole(app constructs.Construct, r Release) awscdk.Stack {
	s := bare(app, "RightsdeskSource", "Rightsdesk "+r.Version+": a role for one data store", sourceParameters)
	v := s.param.values
	s.param.boundary = s.choice("PermissionsBoundaryArn")
	awscdk.NewCfnRule(s.stack, jsii.String("OneStore"), &awscdk.CfnRuleProps{Assertions: &[]*awscdk.CfnRuleAssertion{{
		Assert:            not(awscdk.Fn_ConditionAnd(equals(v["TableArn"], ""), equals(v["BucketName"], ""), equals(v["UserPoolArn"], ""), equals(v["LogGroups"], ""))),
		AssertDescription: jsii.String("Name the data store: give TableArn, BucketName, UserPoolArn or LogGroups."),
	}}})
	awscdk.NewCfnRule(s.stack, jsii.String("FolderOfBucket"), &awscdk.CfnRuleProps{
		RuleCondition: not(equals(v["BucketFolder"], "")),
		Assertions: &[]*awscdk.CfnRuleAssertion{{
			Assert: not(equals(v["BucketName"], "")), AssertDescription: jsii.String("BucketFolder is of a bucket: give BucketName."),
		}},
	})
	role := awsiam.NewCfnRole(s.stack, jsii.String("Role"), &awsiam.CfnRoleProps{
		Description: jsii.String("What Rightsdesk may do with one data store"),
		AssumeRolePolicyDocument: map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"AWS": []any{v["FulfilRoleArn"], v["RetentionRoleArn"]}},
		}}},
	})
	bucket := awscdk.Fn_Join(jsii.String(""), &[]*string{jsii.String("arn:"), awscdk.Aws_PARTITION(), jsii.String(":s3:::"), v["BucketName"]})
	for _, store := range []struct {
		name, from string
		allow      func(*policy)
	}{
		{"Table", "TableArn", func(p *policy) {
			p.allow(&[]*string{v["TableArn"], below(v["TableArn"], "/index/*")}, ofTable...)
		}},
		{"Bucket", "BucketName", func(p *policy) {
			p.allow(in(bucket), ofBucket...)
			p.allow(in(awscdk.Fn_Join(jsii.String(""), &[]*string{bucket, jsii.String("/"), v["BucketFolder"], jsii.String("*")})), ofObjects...)
		}},
		{"Users", "UserPoolArn", func(p *policy) { p.allow(in(v["UserPoolArn"]), ofUsers...) }},
		{"Logs", "LogGroups", func(p *policy) {
			p.allow(jsii.Strings("*"), "logs:DescribeLogGroups") // it knows no single ones
			groups := s.stack.FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("logs"), Resource: jsii.String("log-group"), ResourceName: v["LogGroups"], ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
			})
			// The service asks about a group as its stream without a name.
			p.allow(&[]*string{groups, below(groups, ":log-stream:")}, "logs:PutRetentionPolicy")
		}},
		{"Key", "KeyArn", func(p *policy) { p.allow(in(v["KeyArn"]), "kms:Decrypt") }},
	} {
		s.may(role, store.name, s.choice(store.from).given, store.allow)
	}
	corrects := s.condition("Corrects", awscdk.Fn_ConditionAnd(equals(v["Corrections"], "yes"), not(equals(v["UserPoolArn"], ""))))
	s.may(role, "Corrections", corrects, func(p *policy) { p.allow(in(v["UserPoolArn"]), "cognito-idp:AdminUpdateUserAttributes") })
	s.bound()
	s.tag()
	s.output("RoleArn", role.AttrArn(), "Name this role in the policy file, and in SourceRoleArns of the installation")
	return s.stack
}

// may gives a role a policy under a condition.
func (s *system) may(role awsiam.CfnRole, name string, condition awscdk.CfnCondition, allow func(*policy)) {
	p := &policy{awsiam.NewPolicyDocument(nil)}
	allow(p)
	awsiam.NewCfnPolicy(s.stack, jsii.String("May"+name), &awsiam.CfnPolicyProps{
		PolicyName: &name, PolicyDocument: p.PolicyDocument, Roles: &[]*string{role.Ref()},
	}).CfnOptions().SetCondition(condition)
}

// bare adds a stack that has parameters and no code.
func bare(app constructs.Construct, id, says string, parameters []parameter) *system {
	s := &system{stack: awscdk.NewStack(app, &id, &awscdk.StackProps{
		Description: &says, AnalyticsReporting: jsii.Bool(false),
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{GenerateBootstrapVersionRule: jsii.Bool(false)}),
	})}
	s.param.values = map[string]*string{}
	for _, p := range parameters {
		s.param.values[p.name] = awscdk.Token_AsString(s.addParameter(p).Value(), nil)
	}
	s.addInterface(parameters)
	return s
}
