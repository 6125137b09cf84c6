package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/jsii-runtime-go"
)

// addDomain gives the API the operator's own name, unless an edge in front of it has
// that name.
func (s *system) addDomain() {
	s.domain = awsapigatewayv2.NewCfnDomainName(s.stack, jsii.String("Domain"), &awsapigatewayv2.CfnDomainNameProps{
		DomainName: s.param.domain.value,
		DomainNameConfigurations: []any{awsapigatewayv2.CfnDomainName_DomainNameConfigurationProperty{
			CertificateArn: s.param.certificate.value,
			EndpointType:   jsii.String("REGIONAL"),
			SecurityPolicy: jsii.String("TLS_1_2"),
		}},
	})
	s.domain.CfnOptions().SetCondition(s.param.servesDomain)
	awsapigatewayv2.NewCfnApiMapping(s.stack, jsii.String("DomainMapping"), &awsapigatewayv2.CfnApiMappingProps{
		ApiId: s.api.Ref(), DomainName: s.domain.Ref(), Stage: s.stage.Ref(),
	}).CfnOptions().SetCondition(s.param.servesDomain)
}

// baseURL is the address under which people know the installation.
func (s *system) baseURL() *string {
	return either(s.param.domain.given, joined("https://", s.param.domain.value),
		either(s.param.hasEdge, joined("https://", s.edge.AttrDomainName()), s.api.AttrApiEndpoint()))
}

// dnsTarget is where the DNS record of the operator's own name leads.
func (s *system) dnsTarget() *string {
	return either(s.param.servesDomain, s.domain.AttrRegionalDomainName(),
		either(s.param.hasEdge, s.edge.AttrDomainName(), jsii.String("-")))
}

// ownID is the part of the stack's id that no other stack has.
func (s *system) ownID() *string {
	return awscdk.Fn_Select(jsii.Number(2), awscdk.Fn_Split(jsii.String("/"), awscdk.Aws_STACK_ID(), nil))
}

// joined puts something before a text.
func joined(before string, text *string) *string {
	return awscdk.Fn_Join(jsii.String(""), &[]*string{&before, text})
}
