// Package stack makes CloudFormation of the topology: a Lambda per function, a
// route per route, a schedule per schedule, an alarm per alarm, and for each
// function a role that may do what its entry says and nothing else. It decides
// how, never which: which is in shared/topology.
//
// What only AWS has is decided here: recovery windows, retention of logs,
// throttling, and the parameters that an operator gives when installing. Names
// are left to CloudFormation, so that two installations fit into one account.
//
// It imports the topology and the CDK; only infra imports it. It panics if the
// topology asks for what it cannot make: that build is wrong.
package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// system is what the functions of one stack share.
type system struct {
	stack   awscdk.Stack
	fixed   Settings // parameters that are none in this template
	release *Release // nil unless the code comes from a release
	param   parameters

	state, audit, keys awsdynamodb.Table
	exports            awss3.Bucket
	policies           awss3.Bucket // into which operators put policy.yaml
	checkpoints        awss3.Bucket // of sealed entries, write-once
	bus                awsevents.CfnEventBus
	master             awskms.Key              // wraps the key ring
	queues             map[string]awssqs.Queue // by topology.Queue.Name
	feeds              map[string]awssqs.Queue // of events, by function
	parked             map[string]awssqs.Queue // dead-letter queues of both, by queue and by function
	lost               awssqs.Queue            // runs and records that never reached their function
	mailSet            awsses.CfnConfigurationSet
	notified           *string   // topic that alarms notify
	rings              []*string // ARNs of the alarms, for the dashboard
	units              []unit    // in the order of the topology

	api       awsapigatewayv2.CfnApi
	stage     awsapigatewayv2.CfnStage
	accessLog awslogs.LogGroup
	busy      map[string]any // settings of single routes, by their pattern
	operators awsapigatewayv2.CfnAuthorizer
	pool      pool // of operators, unless somebody else signs their tokens
	domain    awsapigatewayv2.CfnDomainName
	scheduler awsiam.Role // invokes what a schedule starts
	installed *string     // the release and the number of its settings

	edge       awscloudfront.CfnDistribution
	edgeSecret awssecretsmanager.CfnSecret
}

// New adds the stack to an app, for those who deploy from source; build yields the
// code of each function, and what the settings fix is no parameter any more.
func New(app constructs.Construct, id string, fixed Settings, build Build) awscdk.Stack {
	s := &system{fixed: fixed, stack: awscdk.NewStack(app, jsii.String(id), &awscdk.StackProps{
		Description:        jsii.String("Rightsdesk: a self-hosted privacy backend"),
		AnalyticsReporting: jsii.Bool(false),
	})}
	return s.add(build)
}

// add adds everything to the stack.
func (s *system) add(build Build) awscdk.Stack {
	s.busy = map[string]any{}
	s.addParameters()
	s.addRules()
	s.addAlarmTopic()
	s.addTables()
	s.addStorage()
	s.addQueues()
	s.addBus()
	s.addMail()
	s.addOperators()
	s.addAPI()
	s.addDomain()
	s.addEdge()
	s.addInstalled()
	s.addScheduler()
	for _, f := range topology.All {
		u := s.addFunction(f, build(f.Name))
		s.addRoutes(u)
		s.addSchedules(u)
		s.addFeeds(u)
		s.addAlarms(u)
		s.units = append(s.units, u)
	}
	s.stage.SetRouteSettings(s.busy)
	s.openEdge()
	s.addInstallationAlarms()
	s.addDashboard()
	s.addOutputs()
	s.bound()
	s.tag()
	return s.stack
}

// addOutputs tells the operator what the next steps need, and the commands what is where.
func (s *system) addOutputs() {
	explain(s.stack, followsNot, "W1001")
	if len(s.fixed) > 0 {
		explain(s.stack, isSettled, "W8003")
	}
	s.output("Address", s.baseURL(), "Where people find this installation")
	s.output("DnsTarget", s.dnsTarget(), "Where the DNS record of DomainName leads")
	s.output("SignInIssuer", s.issuer(), "Who signs operators' tokens")
	s.output("SignInClient", s.audience(), "Whom operators' tokens are for")
	s.output("StateTableName", s.state.TableName(), "Requests and everything that changes")
	s.output("AuditTableName", s.audit.TableName(), "What happened; entries are never changed")
	s.output("KeysTableName", s.keys.TableName(), "The key ring, and a salt for each person")
	s.output("MasterKeyArn", s.master.KeyArn(), "Wraps the key ring; without it nothing personal can be read again")
	s.output("ExportsBucketName", s.exports.BucketName(), "Packages for people, sealed")
	s.output("PolicyBucketName", s.policies.BucketName(), "Put policy.yaml here to publish it")
	s.output("CheckpointsBucketName", s.checkpoints.BucketName(), "Sealed entries, write-once")
	s.output("EventBusName", s.bus.AttrName(), "Your own systems listen here")
	s.output("SecretNames", s.secretNames(), "What the names of this installation's secrets begin with")
	for _, u := range s.units {
		if u.Sources {
			s.output(title(u.Name)+"RoleArn", u.role.RoleArn(), "Roles of your data stores trust this role")
		}
	}
	if s.release != nil {
		s.output("SolutionVersion", &s.release.Version, "The release that this is")
	}
}

func (s *system) output(name string, value *string, says string) {
	awscdk.NewCfnOutput(s.stack, &name, &awscdk.CfnOutputProps{Value: value, Description: &says})
}

// bound puts the operator's permissions boundary on every role, whoever added it.
func (s *system) bound() {
	for _, part := range *s.stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if role, ok := part.(awsiam.CfnRole); ok {
			role.SetPermissionsBoundary(s.param.boundary.or(awscdk.Aws_NO_VALUE()))
			explain(role, staysBlank, "F3033")
		}
	}
}

// tag shows whoever pays what each installation costs.
func (s *system) tag() {
	awscdk.Tags_Of(s.stack).Add(jsii.String("rightsdesk:installation"), awscdk.Aws_STACK_NAME(), &awscdk.TagProps{
		ExcludeResourceTypes: jsii.Strings("AWS::CloudWatch::Dashboard"), // which not every region can tag
	})
}

// Context is the CDK's context of every app that makes our templates: what its own
// validation finds ends the synthesis.
func Context() *map[string]any {
	return &map[string]any{"@aws-cdk/core:validateAgainstDefaultRules": true}
}

// Why findings of the CDK's own validation stay.
const (
	staysBlank = "it takes the blank default of a parameter for its value; a condition leaves the property out then"
	isSettled  = "a setting of whoever deploys has decided it"
	followsNot = "in outputs it does not follow Fn::If; cfn-lint, which has the same rule, does"
)

// explain keeps findings of the CDK's own validation from ending the synthesis.
func explain(part constructs.IConstruct, reason string, rules ...string) {
	for _, rule := range rules {
		awscdk.Validations_Of(part).Acknowledge(&awscdk.Acknowledgment{
			Id: jsii.String("CloudFormation-Validate::" + rule), Reason: &reason,
		})
	}
}
