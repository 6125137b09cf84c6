package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// parameters are what the operator says when installing. None is a secret.
type parameters struct {
	policy, sender   *string
	issuer, audience *string
	baseURL          choice
	alarmTopic       choice
	sourceRoles      *[]*string
	hasSourceRoles   awscdk.CfnCondition
}

// choice is a parameter that may stay empty.
type choice struct {
	value *string
	given awscdk.CfnCondition
}

// or returns what was given, and otherwise the other value.
func (c choice) or(other *string) *string {
	return awscdk.Token_AsString(awscdk.Fn_ConditionIf(c.given.LogicalId(), c.value, other), nil)
}

// list returns a list of what was given, and nothing at all otherwise: an empty
// list is not the same to everybody who checks templates.
func (c choice) list() *[]any {
	list := []any{}
	for _, token := range *awscdk.Token_AsList(awscdk.Fn_ConditionIf(c.given.LogicalId(), []*string{c.value}, awscdk.Aws_NO_VALUE()), nil) {
		list = append(list, token)
	}
	return &list
}

func (s *system) addParameters() {
	s.param = parameters{
		policy: s.required("Policy", "Name of the policy profile in force.",
			`[a-z][a-z0-9-]*`, "The name of a profile that is compiled in, for example server-automation."),
		sender: s.required("Sender", "From address of all mail. It or its domain is a verified SES identity.",
			`[^@\s<>]+@[^@\s<>]+`, "A bare mail address."),
		issuer: s.required("OperatorIssuer", "Issuer of the operators' tokens (OpenID Connect).",
			`https://\S+`, "An https URL, exactly as in the token's iss."),
		audience: s.required("OperatorAudience", "Audience of the operators' tokens.",
			`\S+`, "Exactly as in the token's aud or client_id."),
		baseURL: s.optional("BaseUrl", "What links in mails begin with. Empty: the API's own address.",
			`https://[^/\s]+`, "Empty, or https://host without a path."),
		alarmTopic: s.optional("AlarmTopic", "ARN of the SNS topic that alarms notify. Empty: they only show in CloudWatch.",
			`arn:\S+:sns:\S+`, "Empty, or the ARN of a topic."),
	}
	roles := awscdk.NewCfnParameter(s.stack, jsii.String("SourceRoles"), &awscdk.CfnParameterProps{
		Type:        jsii.String("CommaDelimitedList"),
		Default:     "",
		Description: jsii.String("ARNs of the roles that open the company's data stores, separated by commas. Empty: none is opened by a role."),
	})
	s.param.sourceRoles = roles.ValueAsList()
	s.param.hasSourceRoles = s.given("SourceRoles", awscdk.Fn_Join(jsii.String(""), roles.ValueAsList()))
}

func (s *system) required(name, description, pattern, hint string) *string {
	return awscdk.NewCfnParameter(s.stack, &name, &awscdk.CfnParameterProps{
		Description:           &description,
		AllowedPattern:        jsii.String("^" + pattern + "$"),
		ConstraintDescription: &hint,
	}).ValueAsString()
}

func (s *system) optional(name, description, pattern, hint string) choice {
	value := awscdk.NewCfnParameter(s.stack, &name, &awscdk.CfnParameterProps{
		Default:               "",
		Description:           &description,
		AllowedPattern:        jsii.String("^(|" + pattern + ")$"),
		ConstraintDescription: &hint,
	}).ValueAsString()
	return choice{value, s.given(name, value)}
}

func (s *system) given(name string, value *string) awscdk.CfnCondition {
	return awscdk.NewCfnCondition(s.stack, jsii.String("Has"+name), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionNot(awscdk.Fn_ConditionEquals(value, "")),
	})
}
