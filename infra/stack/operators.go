package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"
)

const (
	// signInAt is where the sign-in command waits for the code, on the operator's own
	// machine. The command has the same.
	signInAt = "http://localhost:8976/callback"

	// poolRoleClaim is where a user pool lists the groups of who signs in.
	poolRoleClaim = "cognito:groups"

	passwordLength = 16
	inviteDays     = 7
	tokenMinutes   = 60
	// A refresh token lives as short as it may: an operator signs in again.
	refreshMinutes = 60
)

// roles are the groups of the pool, by what their members may do.
var roles = []struct{ name, says string }{
	{"handler", "Handles requests, closures, holds and policies"},
	{"auditor", "Reads everything and changes nothing"},
}

// pool is what lets operators in where the company has no issuer of its own. It stays
// if the stack goes, so that nobody has to enrol again.
type pool struct {
	users  awscognito.CfnUserPool
	client awscognito.CfnUserPoolClient
}

// addOperators adds the pool. Nobody signs up there: an administrator invites, and
// nobody comes in without a second factor.
func (s *system) addOperators() {
	s.pool.users = awscognito.NewCfnUserPool(s.stack, jsii.String("OperatorPool"), &awscognito.CfnUserPoolProps{
		UserPoolTier:           jsii.String("ESSENTIALS"),
		DeletionProtection:     jsii.String("ACTIVE"),
		MfaConfiguration:       jsii.String("ON"),
		EnabledMfas:            jsii.Strings("SOFTWARE_TOKEN_MFA"),
		UsernameAttributes:     jsii.Strings("email"),
		AutoVerifiedAttributes: jsii.Strings("email"),
		UsernameConfiguration:  awscognito.CfnUserPool_UsernameConfigurationProperty{CaseSensitive: false},
		AdminCreateUserConfig:  awscognito.CfnUserPool_AdminCreateUserConfigProperty{AllowAdminCreateUserOnly: true},
		AccountRecoverySetting: awscognito.CfnUserPool_AccountRecoverySettingProperty{
			RecoveryMechanisms: []any{awscognito.CfnUserPool_RecoveryOptionProperty{Name: jsii.String("verified_email"), Priority: jsii.Number(1)}},
		},
		// Whoever takes over a mailbox has not taken over the operator.
		UserAttributeUpdateSettings: awscognito.CfnUserPool_UserAttributeUpdateSettingsProperty{
			AttributesRequireVerificationBeforeUpdate: jsii.Strings("email"),
		},
		Policies: awscognito.CfnUserPool_PoliciesProperty{PasswordPolicy: awscognito.CfnUserPool_PasswordPolicyProperty{
			MinimumLength: jsii.Number(passwordLength), TemporaryPasswordValidityDays: jsii.Number(inviteDays),
			RequireLowercase: true, RequireUppercase: true, RequireNumbers: true, RequireSymbols: true,
		}},
	})
	s.stays(s.pool.users)
	s.pool.client = awscognito.NewCfnUserPoolClient(s.stack, jsii.String("OperatorClient"), &awscognito.CfnUserPoolClientProps{
		UserPoolId:                      s.pool.users.Ref(),
		GenerateSecret:                  false, // it runs on the operator's machine, which keeps none; it proves itself by PKCE
		SupportedIdentityProviders:      jsii.Strings("COGNITO"),
		AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows:               jsii.Strings("code"),
		AllowedOAuthScopes:              jsii.Strings("openid", "email"),
		CallbackUrLs:                    jsii.Strings(signInAt),
		ExplicitAuthFlows:               jsii.Strings("ALLOW_REFRESH_TOKEN_AUTH"),
		PreventUserExistenceErrors:      jsii.String("ENABLED"),
		EnableTokenRevocation:           true,
		AccessTokenValidity:             jsii.Number(tokenMinutes),
		IdTokenValidity:                 jsii.Number(tokenMinutes),
		RefreshTokenValidity:            jsii.Number(refreshMinutes),
		TokenValidityUnits: awscognito.CfnUserPoolClient_TokenValidityUnitsProperty{
			AccessToken: jsii.String("minutes"), IdToken: jsii.String("minutes"), RefreshToken: jsii.String("minutes"),
		},
	})
	s.pool.client.CfnOptions().SetCondition(s.param.makesOperators)
	s.addSignIn()
	s.addFirstOperator()
}

// addSignIn adds the pages where operators sign in. The first part of their name is the
// stack's own id: it has to differ from everybody's in the region.
func (s *system) addSignIn() {
	domain := awscognito.NewCfnUserPoolDomain(s.stack, jsii.String("OperatorDomain"), &awscognito.CfnUserPoolDomainProps{
		UserPoolId:          s.pool.users.Ref(),
		Domain:              joined("rightsdesk-", s.ownID()),
		ManagedLoginVersion: jsii.Number(2),
	})
	domain.CfnOptions().SetCondition(s.param.makesOperators)
	// Without a style, if only the service's own, these pages are not served.
	style := awscognito.NewCfnManagedLoginBranding(s.stack, jsii.String("OperatorPages"), &awscognito.CfnManagedLoginBrandingProps{
		UserPoolId: s.pool.users.Ref(), ClientId: s.pool.client.Ref(), UseCognitoProvidedValues: true,
	})
	style.CfnOptions().SetCondition(s.param.makesOperators)
	style.AddResourceDependency(domain, nil)
}

// addFirstOperator invites whoever runs the installation. It stays too: who is told of
// alarms may change without anybody losing their way in.
func (s *system) addFirstOperator() {
	first := awscognito.NewCfnUserPoolUser(s.stack, jsii.String("FirstOperator"), &awscognito.CfnUserPoolUserProps{
		UserPoolId: s.pool.users.Ref(),
		Username:   s.param.adminContact,
		UserAttributes: []any{
			awscognito.CfnUserPoolUser_AttributeTypeProperty{Name: jsii.String("email"), Value: s.param.adminContact},
			awscognito.CfnUserPoolUser_AttributeTypeProperty{Name: jsii.String("email_verified"), Value: jsii.String("true")},
		},
		DesiredDeliveryMediums: jsii.Strings("EMAIL"),
	})
	s.stays(first)
	for _, role := range roles {
		group := awscognito.NewCfnUserPoolGroup(s.stack, jsii.String(title(role.name)+"s"), &awscognito.CfnUserPoolGroupProps{
			UserPoolId: s.pool.users.Ref(), GroupName: &role.name, Description: &role.says,
		})
		s.stays(group)
		member := awscognito.NewCfnUserPoolUserToGroupAttachment(s.stack, jsii.String("FirstOperatorAs"+title(role.name)), &awscognito.CfnUserPoolUserToGroupAttachmentProps{
			UserPoolId: s.pool.users.Ref(), GroupName: group.Ref(), Username: first.Ref(),
		})
		s.stays(member)
	}
}

// stays keeps a part of the pool if the stack goes or replaces it.
func (s *system) stays(part awscdk.CfnResource) {
	part.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	part.CfnOptions().SetCondition(s.param.makesOperators)
}

// issuer and audience are what operators' tokens have to come from and be for.
func (s *system) issuer() *string {
	return either(s.param.makesOperators, s.pool.users.AttrProviderUrl(), s.param.issuer.value)
}

func (s *system) audience() *string {
	return either(s.param.makesOperators, s.pool.client.Ref(), s.param.audience)
}

// addAuthorizer lets only tokens of that issuer and for that audience through.
func (s *system) addAuthorizer() {
	s.operators = awsapigatewayv2.NewCfnAuthorizer(s.stack, jsii.String("Operators"), &awsapigatewayv2.CfnAuthorizerProps{
		ApiId:          s.api.Ref(),
		Name:           jsii.String("operators"),
		AuthorizerType: jsii.String("JWT"),
		IdentitySource: jsii.Strings("$request.header.Authorization"),
		JwtConfiguration: awsapigatewayv2.CfnAuthorizer_JWTConfigurationProperty{
			Issuer:   s.issuer(),
			Audience: &[]*string{s.audience()},
		},
	})
}
