package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// unit is a function and what was made for it.
type unit struct {
	topology.Function
	lambda awslambda.Function
	// live is what all but schedules invoke: the version of exactly the code that was
	// published with this template.
	live awslambda.Alias
	// runs are what schedules invoke, by their job. Each job has an alias of its own, on
	// the same version, because Lambda counts by alias what runs and what fails, for nothing.
	runs map[string]awslambda.Alias
	role awsiam.Role
	logs awslogs.LogGroup
}

// addFunction adds a function with its role and log group. zip is the path of
// its code.
func (s *system) addFunction(f topology.Function, zip string) unit {
	logs := s.logGroup(title(f.Name) + "Log")
	role := awsiam.NewRole(s.stack, jsii.String(title(f.Name)+"Role"), &awsiam.RoleProps{
		Description:    jsii.String("What the function " + f.Name + " may do"),
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"topology": s.grants(f, logs)},
	})
	if f.Sources {
		s.openSources(f, role)
	}
	if f.SendsMail {
		s.openMail(f, role)
	}
	if f.Suppressions {
		s.openSuppressions(f, role)
	}
	environment := map[string]*string{}
	for _, name := range f.Settings() {
		environment[string(name)] = s.value(name)
	}
	sum, err := codeSum(zip)
	if err != nil {
		panic(fmt.Sprintf("stack: %s: %v", f.Name, err))
	}
	u := unit{Function: f, role: role, logs: logs, runs: map[string]awslambda.Alias{}}
	u.lambda = awslambda.NewFunction(s.stack, jsii.String(title(f.Name)), &awslambda.FunctionProps{
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		Handler:       jsii.String("bootstrap"),
		Code:          awslambda.Code_FromAsset(&zip, nil),
		MemorySize:    jsii.Number(f.Memory),
		Timeout:       lasting(f.Timeout),
		Environment:   &environment,
		Role:          role,
		LogGroup:      logs,
		RecursiveLoop: recursion(f),
		// A zip that somebody swapped in the bucket is not served: Lambda publishes only what has this sum.
		CurrentVersionOptions: &awslambda.VersionOptions{CodeSha256: &sum, Description: s.installed},
	})
	s.takeCode(u.lambda)
	keepVersion(u.lambda)
	alias := func(name string) awslambda.Alias {
		return awslambda.NewAlias(s.stack, jsii.String(title(f.Name)+title(name)+"Alias"), &awslambda.AliasProps{
			AliasName: &name, Version: u.lambda.CurrentVersion(),
		})
	}
	u.live = alias("live")
	for _, sched := range f.Schedules {
		u.runs[sched.Job] = alias(sched.Job)
	}
	return u
}

// keepVersion keeps the version of a release when the next one takes its place, so that
// aliases can be led back to it at once. One of an update that failed goes: Lambda would
// not publish the same a second time. All go with their function.
func keepVersion(f awslambda.Function) {
	version := f.CurrentVersion().Node().DefaultChild().(awslambda.CfnVersion) //nolint:forcetypeassert // the CDK made it
	version.CfnOptions().SetDeletionPolicy(awscdk.CfnDeletionPolicy_RETAIN_EXCEPT_ON_CREATE)
	version.CfnOptions().SetUpdateReplacePolicy(awscdk.CfnDeletionPolicy_RETAIN)
}

// recursion lets a function feed the queue that it reads, page after page; Lambda
// would take that for an accident and stop it after sixteen rounds.
func recursion(f topology.Function) awslambda.RecursiveLoop {
	if f.Queue != nil && slices.Contains(f.Sends, f.Queue.Name) {
		return awslambda.RecursiveLoop_ALLOW
	}
	return awslambda.RecursiveLoop_TERMINATE
}

// value returns what a setting is in this stack.
func (s *system) value(name topology.Setting) *string {
	none := jsii.String(topology.NoValue)
	switch name {
	case topology.StateTable:
		return s.state.TableName()
	case topology.AuditTable:
		return s.audit.TableName()
	case topology.KeysTable:
		return s.keys.TableName()
	case topology.StepsQueue:
		return s.queues[topology.Steps].QueueUrl()
	case topology.ExportsName:
		return s.exports.BucketName()
	case topology.Sender:
		return either(s.param.sends, s.param.sender, none)
	case topology.ConfigurationSet:
		return either(s.param.mails, s.mailSet.Ref(), none)
	case topology.MasterKey:
		return s.master.KeyArn()
	case topology.BaseURL:
		return s.baseURL()
	case topology.Profile:
		return s.param.profile
	case topology.ControllerName:
		return s.param.controller.or(none)
	case topology.PrivacyContact:
		return s.param.contact.or(none)
	case topology.EdgeSecret:
		return either(s.param.hasEdge, s.edgeSecret.Ref(), none)
	case topology.PolicyBucket:
		return s.policies.BucketName()
	case topology.EventBus:
		return s.bus.AttrName()
	case topology.Checkpoints:
		return s.checkpoints.BucketName()
	case topology.MailMode:
		return s.param.mailMode
	case topology.RoleClaim:
		return either(s.param.makesOperators, jsii.String(poolRoleClaim), s.param.roleClaim)
	case topology.MFAClaim: // the pool lets nobody in without a second factor
		return either(s.param.makesOperators, none, s.param.mfaClaim)
	case topology.SecretNames:
		return s.secretNames()
	case topology.Installed:
		return s.installed
	}
	panic(fmt.Sprintf("stack: the setting %s has no value; add it here", name))
}

// secretNames is what the names of this installation's secrets begin with. It is
// the stack's name, so that two installations keep theirs apart.
func (s *system) secretNames() *string {
	return awscdk.Fn_Join(jsii.String(""), &[]*string{awscdk.Aws_STACK_NAME(), jsii.String("/")})
}

// logGroup adds a log group. Logs hold no personal data, so they serve whoever looks
// for a cause, and go with the stack.
func (s *system) logGroup(id string) awslogs.LogGroup {
	group := awslogs.NewLogGroup(s.stack, &id, &awslogs.LogGroupProps{RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	lines := group.Node().DefaultChild().(awslogs.CfnLogGroup) //nolint:forcetypeassert // the CDK made it
	lines.SetRetentionInDays(numeral(s.param.logDays))
	return group
}

// title makes the name of a function, queue or job a part of a logical id.
func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
