package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/jsii-runtime-go"
)

// addBus adds the bus on which the company's own systems hear what happened.
func (s *system) addBus() {
	s.bus = awsevents.NewCfnEventBus(s.stack, jsii.String("Bus"), &awsevents.CfnEventBusProps{Name: awscdk.Aws_STACK_NAME()})
}
