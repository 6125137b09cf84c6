package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/jsii-runtime-go"
)

// addBus adds the bus on which the company's own systems hear what happened, and an
// archive of it if the operator wants one. It has the stack's name: whoever writes a
// rule for it finds it. Only this account's roles speak on it, and of ours only those
// whose entry says so. The schemas of its events are files in events/schema: the
// service's registry is not in every region.
func (s *system) addBus() {
	// A description would not be taken in every region.
	s.bus = awsevents.NewCfnEventBus(s.stack, jsii.String("Bus"), &awsevents.CfnEventBusProps{Name: awscdk.Aws_STACK_NAME()})
	awsevents.NewCfnArchive(s.stack, jsii.String("BusArchive"), &awsevents.CfnArchiveProps{
		SourceArn:     s.bus.AttrArn(),
		Description:   jsii.String("So that the company's own systems can have events again"),
		RetentionDays: numeral(s.param.eventArchiveDays),
	}).CfnOptions().SetCondition(s.param.keepsEvents)
}
