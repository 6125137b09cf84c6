package document

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rightsdesk/infra/release/bundle"
	"rightsdesk/infra/release/formation"
)

// deployed is what CloudFormation does, as whoever deploys, for the resources of some types.
type deployed struct {
	types   []string // or what they begin with
	what    string
	actions []string
	on      []string // ARNs after arn:aws:; names begin with the stack's
	why     string   // where "on" is wider than the stack's own names
	only    map[string]string
	always  bool // whatever the template has
}

// stackName is the name for which the policy is written. Another stack wants another policy.
const stackName = "Rightsdesk"

var deployments = []deployed{
	{
		always: true, what: "the stack itself",
		actions: []string{
			"cloudformation:CancelUpdateStack", "cloudformation:ContinueUpdateRollback", "cloudformation:CreateChangeSet", "cloudformation:CreateStack",
			"cloudformation:DeleteChangeSet", "cloudformation:DeleteStack", "cloudformation:DescribeChangeSet", "cloudformation:DescribeStackEvents",
			"cloudformation:DescribeStackResource", "cloudformation:DescribeStackResources", "cloudformation:DescribeStacks", "cloudformation:ExecuteChangeSet",
			"cloudformation:GetTemplate", "cloudformation:ListStackResources", "cloudformation:SetStackPolicy", "cloudformation:TagResource",
			"cloudformation:UpdateStack", "cloudformation:UpdateTerminationProtection",
		},
		on: []string{"cloudformation:*:*:stack/Rightsdesk/*"},
	},
	{
		always: true, what: "looking at a template before there is a stack",
		actions: []string{"cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate"},
		on:      []string{"*"}, why: "these actions know no resources",
	},
	{
		always: true, what: "template and code of a release",
		actions: []string{"s3:GetObject"},
		on:      []string{"s3:::*/rightsdesk/v*"}, why: "the publisher's bucket has another name in each region; only what lies below rightsdesk/ in it",
	},
	{
		types: []string{"AWS::Lambda::"}, what: "functions, their versions, aliases and feeds",
		actions: []string{
			"lambda:AddPermission", "lambda:CreateAlias", "lambda:CreateFunction", "lambda:DeleteAlias", "lambda:DeleteFunction", "lambda:GetAlias",
			"lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConfiguration", "lambda:GetFunctionRecursionConfig", "lambda:GetPolicy",
			"lambda:GetProvisionedConcurrencyConfig", "lambda:GetRuntimeManagementConfig", "lambda:ListTags", "lambda:ListVersionsByFunction", "lambda:PublishVersion",
			"lambda:PutFunctionRecursionConfig", "lambda:RemovePermission", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateAlias",
			"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration",
		},
		on: []string{"lambda:*:*:function:Rightsdesk-*"},
	},
	{
		types: []string{"AWS::Lambda::EventSourceMapping"}, what: "what wakes functions",
		actions: []string{
			"lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:GetEventSourceMapping", "lambda:ListTags", "lambda:TagResource",
			"lambda:UntagResource", "lambda:UpdateEventSourceMapping",
		},
		on: []string{"*"}, why: "the ids of mappings are the service's",
	},
	{
		types: []string{"AWS::IAM::"}, what: "roles of functions and schedules",
		actions: []string{
			"iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
			"iam:ListRolePolicies", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRoleDescription",
		},
		on: []string{"iam::*:role/Rightsdesk-*"},
	},
	{
		types: []string{"AWS::IAM::Role"}, what: "giving those roles to the services that run under them",
		actions: []string{"iam:PassRole"}, on: []string{"iam::*:role/Rightsdesk-*"},
	},
	{
		types: []string{"AWS::DynamoDB::Table"}, what: "tables",
		actions: []string{
			"dynamodb:CreateTable", "dynamodb:DeleteResourcePolicy", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeContributorInsights",
			"dynamodb:DescribeKinesisStreamingDestination", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:GetResourcePolicy", "dynamodb:ListTagsOfResource",
			"dynamodb:PutResourcePolicy", "dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive",
		},
		on: []string{"dynamodb:*:*:table/Rightsdesk-*"},
	},
	{
		types: []string{"AWS::S3::"}, what: "buckets",
		actions: []string{
			"s3:CreateBucket", "s3:DeleteBucketPolicy", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
			"s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:PutBucketObjectLockConfiguration",
			"s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
			"s3:PutLifecycleConfiguration",
		},
		on: []string{"s3:::rightsdesk-*"},
	},
	{
		types: []string{"AWS::KMS::Key"}, what: "the key of the key ring",
		actions: []string{"kms:CreateKey", "kms:TagResource"}, on: []string{"*"}, why: "a key has no name before it is made",
	},
	{
		types: []string{"AWS::KMS::Key"}, what: "the key of the key ring, once it is made",
		actions: []string{
			"kms:DescribeKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:UntagResource", "kms:UpdateKeyDescription",
		},
		on: []string{"kms:*:*:key/*"}, why: "the ids of keys are the service's; the tag says whose it is", only: map[string]string{"aws:ResourceTag/" + installationTag: stackName},
	},
	{
		types: []string{"AWS::SQS::"}, what: "queues",
		actions: []string{"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"},
		on:      []string{"sqs:*:*:Rightsdesk-*"},
	},
	{
		types: []string{"AWS::SNS::"}, what: "the topic of alarms",
		actions: []string{
			"sns:CreateTopic", "sns:DeleteTopic", "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:ListTagsForResource", "sns:SetTopicAttributes",
			"sns:Subscribe", "sns:TagResource", "sns:Unsubscribe", "sns:UntagResource",
		},
		on: []string{"sns:*:*:Rightsdesk-*"},
	},
	{
		types: []string{"AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"}, what: "log groups and what counts their lines",
		actions: []string{
			"logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteMetricFilter", "logs:DeleteRetentionPolicy", "logs:ListTagsForResource", "logs:PutMetricFilter", "logs:PutRetentionPolicy",
			"logs:TagResource", "logs:UntagResource",
		},
		on: []string{"logs:*:*:log-group:Rightsdesk-*", "logs:*:*:log-group:/aws/vendedlogs/rightsdesk/*"}, why: "the API's log has the name that the service wants",
	},
	{
		types: []string{"AWS::Logs::LogGroup", "AWS::ApiGatewayV2::Stage"}, what: "looking for log groups, and letting the API write its access log",
		actions: []string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeMetricFilters", "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries",
			"logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		},
		on: []string{"*"}, why: "these actions know no resources",
	},
	{
		types: []string{"AWS::CloudWatch::Alarm"}, what: "alarms",
		actions: []string{"cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"},
		on:      []string{"cloudwatch:*:*:alarm:Rightsdesk-*"},
	},
	{
		types: []string{"AWS::CloudWatch::Dashboard"}, what: "the dashboard",
		actions: []string{"cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"},
		on:      []string{"cloudwatch::*:dashboard/*"}, why: "CloudFormation makes up the dashboard's name",
	},
	{
		types: []string{"AWS::ApiGatewayV2::"}, what: "the API, its routes and domain",
		actions: []string{"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT", "apigateway:TagResource", "apigateway:UntagResource"},
		on:      []string{"apigateway:*::/apis", "apigateway:*::/apis/*", "apigateway:*::/domainnames", "apigateway:*::/domainnames/*", "apigateway:*::/tags/*"}, why: "the ids of APIs are the service's",
	},
	{
		types: []string{"AWS::Events::"}, what: "the event bus, rules and the archive",
		actions: []string{
			"events:CreateArchive", "events:CreateEventBus", "events:DeleteArchive", "events:DeleteEventBus", "events:DeleteRule", "events:DescribeArchive", "events:DescribeEventBus", "events:DescribeRule",
			"events:ListTagsForResource", "events:ListTargetsByRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource", "events:UpdateArchive",
			"events:UpdateEventBus",
		},
		on: []string{"events:*:*:event-bus/Rightsdesk*", "events:*:*:rule/Rightsdesk*", "events:*:*:archive/*"}, why: "CloudFormation makes up the archive's name",
	},
	{
		types: []string{"AWS::Scheduler::"}, what: "schedules",
		actions: []string{"scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"},
		on:      []string{"scheduler:*:*:schedule/default/Rightsdesk-*"},
	},
	{
		types: []string{"AWS::SES::"}, what: "the set through which mail leaves, and the sender's identity if it is made",
		actions: []string{
			"ses:CreateConfigurationSet", "ses:CreateConfigurationSetEventDestination", "ses:CreateEmailIdentity", "ses:DeleteConfigurationSet", "ses:DeleteConfigurationSetEventDestination",
			"ses:GetConfigurationSet", "ses:GetConfigurationSetEventDestinations", "ses:GetEmailIdentity", "ses:ListTagsForResource", "ses:PutConfigurationSetDeliveryOptions",
			"ses:PutConfigurationSetReputationOptions", "ses:PutConfigurationSetSendingOptions", "ses:PutConfigurationSetSuppressionOptions", "ses:PutConfigurationSetTrackingOptions",
			"ses:PutEmailIdentityConfigurationSetAttributes", "ses:PutEmailIdentityDkimAttributes", "ses:PutEmailIdentityFeedbackAttributes", "ses:PutEmailIdentityMailFromAttributes",
			"ses:TagResource", "ses:UntagResource", "ses:UpdateConfigurationSetEventDestination",
		},
		on: []string{"ses:*:*:configuration-set/*", "ses:*:*:identity/*"}, why: "CloudFormation makes up the set's name; the identity is your own domain",
	},
	{
		types: []string{"AWS::Cognito::"}, what: "the operators' user pool, if you bring no issuer",
		actions: []string{
			"cognito-idp:AdminAddUserToGroup", "cognito-idp:AdminCreateUser", "cognito-idp:AdminDeleteUser", "cognito-idp:AdminGetUser", "cognito-idp:AdminListGroupsForUser",
			"cognito-idp:AdminRemoveUserFromGroup", "cognito-idp:CreateGroup", "cognito-idp:CreateManagedLoginBranding", "cognito-idp:CreateUserPool", "cognito-idp:CreateUserPoolClient",
			"cognito-idp:CreateUserPoolDomain", "cognito-idp:DeleteGroup", "cognito-idp:DeleteManagedLoginBranding", "cognito-idp:DeleteUserPoolClient", "cognito-idp:DeleteUserPoolDomain",
			"cognito-idp:DescribeManagedLoginBranding", "cognito-idp:DescribeUserPool", "cognito-idp:DescribeUserPoolClient", "cognito-idp:DescribeUserPoolDomain", "cognito-idp:GetGroup",
			"cognito-idp:GetUserPoolMfaConfig", "cognito-idp:ListTagsForResource", "cognito-idp:SetUserPoolMfaConfig", "cognito-idp:TagResource", "cognito-idp:UntagResource",
			"cognito-idp:UpdateGroup", "cognito-idp:UpdateManagedLoginBranding", "cognito-idp:UpdateUserPool", "cognito-idp:UpdateUserPoolClient", "cognito-idp:UpdateUserPoolDomain",
		},
		on: []string{"*"}, why: "a pool has no name before it is made, and no action that makes one knows resources",
	},
	{
		types: []string{"AWS::CloudFront::"}, what: "the distribution at the edge, if you want one",
		actions: []string{
			"cloudfront:CreateDistribution", "cloudfront:DeleteDistribution", "cloudfront:GetDistribution", "cloudfront:GetDistributionConfig", "cloudfront:ListTagsForResource",
			"cloudfront:TagResource", "cloudfront:UntagResource", "cloudfront:UpdateDistribution", "wafv2:GetWebACL",
		},
		on: []string{"cloudfront::*:distribution/*", "wafv2:us-east-1:*:global/webacl/*"}, why: "the ids of distributions are the service's",
	},
	{
		types: []string{"AWS::AppConfig::"}, what: "the number of the settings, by which functions notice that one has changed",
		actions: []string{
			"appconfig:CreateApplication", "appconfig:CreateConfigurationProfile", "appconfig:CreateHostedConfigurationVersion", "appconfig:DeleteApplication",
			"appconfig:DeleteConfigurationProfile", "appconfig:DeleteHostedConfigurationVersion", "appconfig:GetApplication", "appconfig:GetConfigurationProfile",
			"appconfig:GetHostedConfigurationVersion", "appconfig:ListHostedConfigurationVersions", "appconfig:ListTagsForResource", "appconfig:TagResource",
			"appconfig:UntagResource", "appconfig:UpdateApplication", "appconfig:UpdateConfigurationProfile",
		},
		on: []string{"appconfig:*:*:application/*"}, why: "the ids of applications are the service's",
	},
	{
		types: []string{"AWS::SecretsManager::"}, what: "what only the edge knows",
		actions: []string{"secretsmanager:CreateSecret", "secretsmanager:GetRandomPassword", "secretsmanager:TagResource"},
		on:      []string{"*"}, why: "CloudFormation makes up the secret's name; random passwords know no resources",
	},
	{
		types: []string{"AWS::SecretsManager::"}, what: "what only the edge knows, once it is made",
		actions: []string{
			"secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UntagResource",
			"secretsmanager:UpdateSecret",
		},
		on: []string{"secretsmanager:*:*:secret:*"}, why: "the tag says whose it is", only: map[string]string{"aws:ResourceTag/" + installationTag: stackName},
	},
}

// installationTag is on whatever can be tagged.
const installationTag = "rightsdesk:installation"

// needed returns the parts of the policy that a template needs; a type of which no part
// speaks is an error.
func needed(t *formation.Template) ([]deployed, error) {
	spoken := map[string]bool{}
	var parts []deployed
	for _, d := range deployments {
		needs := d.always
		for _, kind := range t.Types() {
			if slices.ContainsFunc(d.types, func(prefix string) bool { return strings.HasPrefix(kind, prefix) }) {
				needs, spoken[kind] = true, true
			}
		}
		if needs {
			parts = append(parts, d)
		}
	}
	for _, kind := range t.Types() {
		if !spoken[kind] {
			return nil, fmt.Errorf("document: nobody says what deploying %s takes: add it to document.deployments", kind)
		}
	}
	return parts, nil
}

func arns(on []string) []string {
	out := make([]string, len(on))
	for i, o := range on {
		out[i] = o
		if o != "*" {
			out[i] = "arn:aws:" + o
		}
	}
	return out
}

// deployPolicy writes the policy of whoever installs and upgrades.
func deployPolicy(s Sources) ([]byte, error) {
	parts, err := needed(s.Template)
	if err != nil {
		return nil, err
	}
	type statement struct {
		Sid       string                       `json:"Sid"`
		Effect    string                       `json:"Effect"`
		Action    []string                     `json:"Action"`
		Resource  []string                     `json:"Resource"`
		Condition map[string]map[string]string `json:"Condition,omitempty"`
	}
	policies := []struct {
		Name     string
		Document struct {
			Version   string
			Statement []statement
		}
	}{}
	// A managed policy has room for 6144 characters.
	size := limit
	for i, d := range parts {
		one := statement{Sid: fmt.Sprintf("Part%d", i+1), Effect: "Allow", Action: d.actions, Resource: arns(d.on)}
		if d.only != nil {
			one.Condition = map[string]map[string]string{"StringEquals": d.only}
		}
		b, err := json.Marshal(one)
		if err != nil {
			return nil, err
		}
		if size+len(b)+1 > limit {
			policies = append(policies, struct {
				Name     string
				Document struct {
					Version   string
					Statement []statement
				}
			}{Name: fmt.Sprintf("RightsdeskDeploy%d", len(policies)+1)})
			size = len(`{"Version":"2012-10-17","Statement":[]}`)
			policies[len(policies)-1].Document.Version = "2012-10-17"
		}
		size += len(b) + 1
		last := &policies[len(policies)-1].Document
		last.Statement = append(last.Statement, one)
	}
	return bundle.Plain(policies)
}

// limit is how many characters a managed policy may have, blanks aside.
const limit = 6144

// deployers says in the page what the policy says.
func deployers(p *page, t *formation.Template) error {
	parts, err := needed(t)
	if err != nil {
		return err
	}
	p.say("## Who deploys\n")
	p.say("Installing and upgrading take these permissions and no administrator. [deploy-policy.json](deploy-policy.json) has them as managed policies for a")
	p.say("stack with the name `%s`, which is what names begin with; for another name, another partition or the edge's own stack, replace it there.", stackName)
	p.say("Nothing in it reads an item of a table or an object of the installation's buckets, deletes a table, a bucket or a key, or assumes a role.\n")
	var rows [][]string
	for _, d := range parts {
		on := code(arns(d.on)...)
		for _, key := range slices.Sorted(maps.Keys(d.only)) {
			on += ", where `" + key + "` is " + d.only[key]
		}
		rows = append(rows, []string{d.what, strings.Join(d.actions, " "), on, d.why})
	}
	p.table([]string{"for", "actions", "on", "why not narrower"}, rows)
	return nil
}
