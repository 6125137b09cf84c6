package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/jsii-runtime-go"
)

// addMail adds the set through which all of our mail leaves. It says on the
// account's bus what became of a mail. It suppresses nothing: the account's own
// list would swallow the answer to whoever once called a newsletter spam. It
// counts no opens and no clicks, which would put links of somebody else's into mail.
func (s *system) addMail() {
	s.mailSet = awsses.NewCfnConfigurationSet(s.stack, jsii.String("MailSet"), &awsses.CfnConfigurationSetProps{
		SuppressionOptions: awsses.CfnConfigurationSet_SuppressionOptionsProperty{SuppressedReasons: &[]*string{}},
	})
	awsses.NewCfnConfigurationSetEventDestination(s.stack, jsii.String("MailSetEvents"), &awsses.CfnConfigurationSetEventDestinationProps{
		ConfigurationSetName: s.mailSet.Ref(),
		EventDestination: awsses.CfnConfigurationSetEventDestination_EventDestinationProperty{
			Enabled:            true,
			MatchingEventTypes: jsii.Strings("BOUNCE", "COMPLAINT"),
			EventBridgeDestination: awsses.CfnConfigurationSetEventDestination_EventBridgeDestinationProperty{
				EventBusArn: s.stack.FormatArn(&awscdk.ArnComponents{
					Service: jsii.String("events"), Resource: jsii.String("event-bus"), ResourceName: jsii.String("default"),
				}),
			},
		},
	})
}
