package stack

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/jsii-runtime-go"
)

// addMail adds the set through which all of our mail leaves. It says on the
// account's bus what became of a mail. It suppresses nothing: the account's own
// list would swallow the answer to whoever once called a newsletter spam. It
// counts no opens and no clicks, which would put links of somebody else's into mail.
//
// Nothing of it is there if mail is off: the service is not in every region.
func (s *system) addMail() {
	s.addIdentity()
	s.mailSet = awsses.NewCfnConfigurationSet(s.stack, jsii.String("MailSet"), &awsses.CfnConfigurationSetProps{
		SuppressionOptions: awsses.CfnConfigurationSet_SuppressionOptionsProperty{SuppressedReasons: &[]*string{}},
	})
	s.mailSet.CfnOptions().SetCondition(s.param.mails)
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
	}).CfnOptions().SetCondition(s.param.mails)
}

// addIdentity makes the sender's domain an identity, if the operator says so. It
// outlives the stack, because somebody else may send from that domain by then; the
// outputs are the records that its owner puts into DNS.
func (s *system) addIdentity() {
	identity := awsses.NewCfnEmailIdentity(s.stack, jsii.String("SenderDomain"), &awsses.CfnEmailIdentityProps{
		EmailIdentity:  s.senderDomain(),
		DkimAttributes: awsses.CfnEmailIdentity_DkimAttributesProperty{SigningEnabled: true},
	})
	identity.CfnOptions().SetCondition(s.param.makesIdentity)
	identity.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	for i, record := range [][2]*string{
		{identity.AttrDkimDnsTokenName1(), identity.AttrDkimDnsTokenValue1()},
		{identity.AttrDkimDnsTokenName2(), identity.AttrDkimDnsTokenValue2()},
		{identity.AttrDkimDnsTokenName3(), identity.AttrDkimDnsTokenValue3()},
	} {
		awscdk.NewCfnOutput(s.stack, jsii.String(fmt.Sprintf("MailDnsRecord%d", i+1)), &awscdk.CfnOutputProps{
			Description: jsii.String("A record for the DNS of the sender's domain"),
			Value:       awscdk.Fn_Join(jsii.String(" CNAME "), &[]*string{record[0], record[1]}),
			Condition:   s.param.makesIdentity,
		})
	}
}

// senderDomain is what comes behind the @ of the sender.
func (s *system) senderDomain() *string {
	if *awscdk.Token_IsUnresolved(s.param.sender) {
		return awscdk.Fn_Select(jsii.Number(1), awscdk.Fn_Split(jsii.String("@"), s.param.sender, nil))
	}
	_, domain, _ := strings.Cut(*s.param.sender, "@") // fixed by a setting
	return &domain
}
