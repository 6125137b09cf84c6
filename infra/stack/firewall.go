package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// edgeRegion is where firewalls of the edge are kept, wherever the installation is.
const edgeRegion = "us-east-1"

// firewallParameters are those of the edge's own template.
var firewallParameters = []parameter{
	{
		name: "RequestsInFiveMinutes", group: groupCare, label: "Most requests from one address in five minutes",
		says: "Who sends more is turned away until they send less. A page of a website asks once a view.",
		low:  100, high: 2000000, fallback: "2000", hint: "From 100 to 2000000.",
	},
	{
		name: "CommonRules", group: groupCare, label: "What to do with requests that look like attacks",
		says:    "block: turn them away. count: let them pass and count them, to see first whom it would hit.",
		allowed: []string{"block", "count"}, fallback: "block", hint: "block or count.",
	},
}

// freeText are the common rules that look into what people write. Somebody who asks about
// their data may quote a link or a line of code, and a file that an operator hands over
// is large.
var freeText = []string{
	"CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "SizeRestrictions_BODY",
	"NoUserAgent_HEADER", // the company's own apps need send none
}

// NewEdge adds the template of the edge's firewall. It is deployed to us-east-1, before
// the installation, which is told of it by EdgeWebAclArn.
func NewEdge(app constructs.Construct, r Release) awscdk.Stack {
	s := bare(app, "RightsdeskEdge", "Rightsdesk "+r.Version+": a firewall at the edge, for "+edgeRegion, firewallParameters)
	awscdk.NewCfnRule(s.stack, jsii.String("Region"), &awscdk.CfnRuleProps{Assertions: &[]*awscdk.CfnRuleAssertion{{
		Assert:            awscdk.Fn_ConditionEquals(awscdk.Aws_REGION(), edgeRegion),
		AssertDescription: jsii.String("Firewalls of the edge are kept in " + edgeRegion + ": create this stack there."),
	}}})
	counts := s.condition("Counts", equals(s.param.values["CommonRules"], "count"))
	var passes []any
	for _, name := range freeText {
		passes = append(passes, awswafv2.CfnWebACL_RuleActionOverrideProperty{
			Name: &name, ActionToUse: awswafv2.CfnWebACL_RuleActionProperty{Count: map[string]any{}},
		})
	}
	acl := awswafv2.NewCfnWebACL(s.stack, jsii.String("Firewall"), &awswafv2.CfnWebACLProps{
		Scope:            jsii.String("CLOUDFRONT"),
		Description:      jsii.String("Stands before Rightsdesk"),
		DefaultAction:    awswafv2.CfnWebACL_DefaultActionProperty{Allow: map[string]any{}},
		VisibilityConfig: seen("firewall"),
		Rules: []any{
			awswafv2.CfnWebACL_RuleProperty{
				Name: jsii.String("flood"), Priority: jsii.Number(0), VisibilityConfig: seen("flood"),
				Action: awswafv2.CfnWebACL_RuleActionProperty{Block: map[string]any{}},
				Statement: awswafv2.CfnWebACL_StatementProperty{RateBasedStatement: awswafv2.CfnWebACL_RateBasedStatementProperty{
					AggregateKeyType: jsii.String("IP"), Limit: numeral(s.param.values["RequestsInFiveMinutes"]),
				}},
			},
			managed("reputation", 1, "AWSManagedRulesAmazonIpReputationList", nil),
			managed("known", 2, "AWSManagedRulesKnownBadInputsRuleSet", nil),
			managed("common", 3, "AWSManagedRulesCommonRuleSet", passes),
		},
	})
	for _, rule := range []string{"1", "2", "3"} {
		acl.AddPropertyOverride(jsii.String("Rules."+rule+".OverrideAction"),
			awscdk.Fn_ConditionIf(counts.LogicalId(), map[string]any{"Count": map[string]any{}}, map[string]any{"None": map[string]any{}}))
	}
	s.output("WebAclArn", acl.AttrArn(), "Give this to the installation as its EdgeWebAclArn")
	return s.stack
}

// managed is a group of rules that the service keeps up to date.
func managed(name string, priority int, group string, passes []any) awswafv2.CfnWebACL_RuleProperty {
	statement := awswafv2.CfnWebACL_ManagedRuleGroupStatementProperty{VendorName: jsii.String("AWS"), Name: &group}
	if len(passes) > 0 {
		statement.RuleActionOverrides = passes
	}
	return awswafv2.CfnWebACL_RuleProperty{
		Name: &name, Priority: jsii.Number(priority), VisibilityConfig: seen(name),
		OverrideAction: awswafv2.CfnWebACL_OverrideActionProperty{None: map[string]any{}},
		Statement:      awswafv2.CfnWebACL_StatementProperty{ManagedRuleGroupStatement: statement},
	}
}

// seen counts, and keeps no samples: they would show people's links.
func seen(name string) awswafv2.CfnWebACL_VisibilityConfigProperty {
	return awswafv2.CfnWebACL_VisibilityConfigProperty{
		CloudWatchMetricsEnabled: true, MetricName: &name, SampledRequestsEnabled: false,
	}
}
