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
	logs   awslogs.LogGroup
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
	environment := map[string]*string{}
	for _, name := range f.Settings() {
		environment[string(name)] = s.value(name)
	}
	return unit{f, awslambda.NewFunction(s.stack, jsii.String(title(f.Name)), &awslambda.FunctionProps{
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
	}), logs}
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
		return s.param.sender
	case topology.ConfigurationSet:
		return s.mailSet.Ref()
	case topology.MasterKey:
		return s.master.KeyArn()
	case topology.BaseURL:
		return s.param.baseURL.or(s.api.AttrApiEndpoint())
	case topology.PolicyName:
		return s.param.policy
	case topology.SecretNames:
		return s.secretNames()
	}
	panic(fmt.Sprintf("stack: the setting %s has no value; add it here", name))
}

// secretNames is what the names of this installation's secrets begin with. It is
// the stack's name, so that two installations keep theirs apart.
func (s *system) secretNames() *string {
	return awscdk.Fn_Join(jsii.String(""), &[]*string{awscdk.Aws_STACK_NAME(), jsii.String("/")})
}

// logGroup adds a log group. Logs hold no personal data, so a month serves
// whoever looks for a cause and no longer.
func (s *system) logGroup(id string) awslogs.LogGroup {
	return awslogs.NewLogGroup(s.stack, &id, &awslogs.LogGroupProps{
		Retention:     awslogs.RetentionDays_ONE_MONTH,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}

// title makes the name of a function, queue or job a part of a logical id.
func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
