package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"
)

const (
	// edgeHeader carries the secret that shows the functions that a call came by the
	// edge. httpapi has the same.
	edgeHeader       = "X-Rightsdesk-Edge"
	edgeSecretLength = 64

	// Policies that the service has ready, the same in every account: nothing is kept
	// at the edge, and all of a call but its Host goes on to the API.
	cacheNothing   = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	passEverything = "b689b0a8-53d0-40ab-baf2-68738e2966ac" //nolint:gosec // no secret: the service tells it to everybody

	// A function has less: httpapi answers before that.
	originSeconds = 30
)

// addEdge adds a distribution in front of the API, with the operator's firewall, and the
// secret by which the functions know it: the API itself can be reached too, and the
// functions refuse who comes there without the secret. It keeps nothing and logs nothing:
// addresses hold people's links.
func (s *system) addEdge() {
	s.edgeSecret = awssecretsmanager.NewCfnSecret(s.stack, jsii.String("EdgeSecret"), &awssecretsmanager.CfnSecretProps{
		Description: jsii.String("Shows that a call came by the edge of Rightsdesk. One line, or two while it is changed."),
		GenerateSecretString: awssecretsmanager.CfnSecret_GenerateSecretStringProperty{
			PasswordLength: jsii.Number(edgeSecretLength), ExcludePunctuation: true,
		},
	})
	s.edgeSecret.CfnOptions().SetCondition(s.param.hasEdge)
	s.edge = awscloudfront.NewCfnDistribution(s.stack, jsii.String("Edge"), &awscloudfront.CfnDistributionProps{
		DistributionConfig: awscloudfront.CfnDistribution_DistributionConfigProperty{
			Enabled:     true,
			Comment:     awscdk.Aws_STACK_NAME(),
			HttpVersion: jsii.String("http2and3"),
			Ipv6Enabled: true,
			WebAclId:    s.param.webACL.value,
			Origins: []any{awscloudfront.CfnDistribution_OriginProperty{
				Id:         jsii.String("api"),
				DomainName: s.apiHost(),
				CustomOriginConfig: awscloudfront.CfnDistribution_CustomOriginConfigProperty{
					OriginProtocolPolicy: jsii.String("https-only"), OriginSslProtocols: jsii.Strings("TLSv1.2"),
					OriginReadTimeout: jsii.Number(originSeconds),
				},
				OriginCustomHeaders: []any{awscloudfront.CfnDistribution_OriginCustomHeaderProperty{
					HeaderName:  jsii.String(edgeHeader),
					HeaderValue: awscdk.Fn_Join(jsii.String(""), &[]*string{jsii.String("{{resolve:secretsmanager:"), s.edgeSecret.Ref(), jsii.String(":SecretString}}")}),
				}},
			}},
			DefaultCacheBehavior: awscloudfront.CfnDistribution_DefaultCacheBehaviorProperty{
				TargetOriginId:        jsii.String("api"),
				ViewerProtocolPolicy:  jsii.String("redirect-to-https"),
				AllowedMethods:        jsii.Strings("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
				CachePolicyId:         jsii.String(cacheNothing),
				OriginRequestPolicyId: jsii.String(passEverything),
			},
		},
	})
	s.edge.CfnOptions().SetCondition(s.param.hasEdge)
	explain(s.edge, staysBlank, "E3013", "F3014")
	s.edge.AddPropertyOverride(jsii.String("DistributionConfig.Aliases"),
		awscdk.Fn_ConditionIf(s.param.domain.given.LogicalId(), []*string{s.param.domain.value}, awscdk.Aws_NO_VALUE()))
	s.edge.AddPropertyOverride(jsii.String("DistributionConfig.ViewerCertificate"),
		awscdk.Fn_ConditionIf(s.param.certificate.given.LogicalId(), map[string]any{
			"AcmCertificateArn": s.param.certificate.value, "SslSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021",
		}, map[string]any{"CloudFrontDefaultCertificate": true}))
}

// apiHost is the API's own address, without https://.
func (s *system) apiHost() *string {
	return awscdk.Fn_Join(jsii.String("."), &[]*string{s.api.Ref(), jsii.String("execute-api"), awscdk.Aws_REGION(), awscdk.Aws_URL_SUFFIX()})
}

// openEdge lets the functions that have routes read the secret.
func (s *system) openEdge() {
	names := []*string{}
	for _, u := range s.units {
		if len(u.Routes) > 0 {
			names = append(names, u.role.RoleName())
		}
	}
	p := &policy{awsiam.NewPolicyDocument(nil)}
	p.allow(in(s.edgeSecret.Ref()), "secretsmanager:GetSecretValue")
	awsiam.NewCfnPolicy(s.stack, jsii.String("ReadsEdgeSecret"), &awsiam.CfnPolicyProps{
		PolicyName: jsii.String("edge"), PolicyDocument: p.PolicyDocument, Roles: &names,
	}).CfnOptions().SetCondition(s.param.hasEdge)
}
