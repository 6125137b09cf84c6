package stack

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// rule is a combination of parameters that is refused, before anything is made.
type rule struct {
	name    string
	bad     []term // together
	says    string // what to do about it
	release bool   // only where the code comes from a release
}

// term is something that holds or not.
type term struct {
	parameter string // blank: the region
	not       bool
	values    []string // one of them
}

func blank(parameter string) term { return term{parameter, false, []string{""}} }

func given(parameter string) term { return term{parameter, true, []string{""}} }

func is(parameter string, values ...string) term { return term{parameter, false, values} }

func isNot(parameter string, values ...string) term { return term{parameter, true, values} }

func within(regions []string) term { return term{"", false, regions} }

func (t term) negated() term { return term{t.parameter, !t.not, t.values} }

// rules are all combinations that cannot work. Each says which parameter to change.
var rules = []rule{
	{
		name: "Region", bad: []term{{"", true, regions}},
		says: "This region lacks a service that Rightsdesk is made of. Choose another one.",
	},
	{
		name: "IssuerWithAudience", bad: []term{given("OperatorIssuer"), blank("OperatorAudience")},
		says: "OperatorIssuer needs OperatorAudience: without it the tokens of everybody's apps would do.",
	},
	{
		name: "AudienceWithIssuer", bad: []term{given("OperatorAudience"), blank("OperatorIssuer")},
		says: "OperatorAudience is of an issuer: give OperatorIssuer too, or leave both blank for a user pool.",
	},
	{
		name: "RoleClaimWithIssuer", bad: []term{isNot("RoleClaim", defaultRoleClaim), blank("OperatorIssuer")},
		says: "RoleClaim is of your own issuer's tokens: give OperatorIssuer too, or leave RoleClaim as it was.",
	},
	{
		name: "MfaClaimWithIssuer", bad: []term{isNot("MfaClaim", defaultMFAClaim), blank("OperatorIssuer")},
		says: "MfaClaim is of your own issuer's tokens: give OperatorIssuer too, or leave MfaClaim as it was.",
	},
	{
		name: "OperatorsHere", bad: []term{blank("OperatorIssuer"), within(withoutUserPools)},
		says: "There are no user pools in this region: give OperatorIssuer and OperatorAudience.",
	},
	{
		name: "DomainWithCertificate", bad: []term{given("DomainName"), blank("CertificateArn")},
		says: "DomainName needs CertificateArn.",
	},
	{
		name: "CertificateWithDomain", bad: []term{given("CertificateArn"), blank("DomainName")},
		says: "CertificateArn is for DomainName: give that too, or leave both blank.",
	},
	{
		name: "EdgeHere", bad: []term{given("EdgeWebAclArn"), within(withoutEdge)},
		says: "There is no edge with a firewall in this partition: leave EdgeWebAclArn blank.",
	},
	{
		name: "IdentityWithSender", bad: []term{is("SenderIdentity", "create"), blank("Sender")},
		says: "SenderIdentity is create, but of whom? Give Sender.",
	},
	{
		name: "IdentityWithMail", bad: []term{is("SenderIdentity", "create"), is("MailMode", "off")},
		says: "SenderIdentity is create, but MailMode is off: change one of them.",
	},
	{
		name: "MailHere", bad: []term{isNot("MailMode", "off"), within(withoutMail)},
		says: "There is no mail service in this region: set MailMode to off.",
	},
	{
		name: "ArchiveHere", bad: []term{isNot("EventArchiveDays", "0"), within(withoutArchives)},
		says: "Buses keep no events in this region: set EventArchiveDays to 0.",
	},
	{
		name: "CodeHere", bad: []term{blank("CodeBucket"), within(withoutCode)}, release: true,
		says: "The publisher has no bucket here: copy the files of the release into one of your own in this region and give CodeBucket.",
	},
}

// addRules adds the rules, each as an assertion that holds if what goes before does.
// What settings have fixed is decided here: CloudFormation is asked about parameters only.
func (s *system) addRules() {
	for _, r := range rules {
		if r.release && s.release == nil {
			continue
		}
		open, broken := r.open(s.fixed)
		if broken {
			panic("stack: " + r.says) // ReadSettings says it before
		}
		if len(open) == 0 {
			continue
		}
		var when []awscdk.ICfnConditionExpression
		for _, t := range open[:len(open)-1] {
			when = append(when, s.holds(t))
		}
		props := &awscdk.CfnRuleProps{Assertions: &[]*awscdk.CfnRuleAssertion{{
			Assert: s.holds(open[len(open)-1].negated()), AssertDescription: &r.says,
		}}}
		switch len(when) {
		case 0:
		case 1:
			props.RuleCondition = when[0]
		default:
			props.RuleCondition = awscdk.Fn_ConditionAnd(when...)
		}
		awscdk.NewCfnRule(s.stack, &r.name, props)
	}
}

// open returns the terms that fixed settings leave open. No term left means that the
// rule is kept, or broken if all of it holds.
func (r rule) open(fixed Settings) (open []term, broken bool) {
	for _, t := range r.bad {
		value, ok := fixed[t.parameter]
		switch {
		case !ok:
			open = append(open, t)
		case slices.Contains(t.values, value) == t.not:
			return nil, false
		}
	}
	return open, len(open) == 0
}

func (s *system) holds(t term) awscdk.ICfnConditionExpression {
	value := awscdk.Aws_REGION()
	if t.parameter != "" {
		value = s.param.values[t.parameter]
	}
	var holds awscdk.ICfnConditionExpression
	if len(t.values) == 1 {
		holds = awscdk.Fn_ConditionEquals(value, t.values[0])
	} else {
		values := []*string{}
		for _, v := range t.values {
			values = append(values, &v)
		}
		holds = awscdk.Fn_ConditionContains(&values, value)
	}
	if t.not {
		return not(holds)
	}
	return holds
}
