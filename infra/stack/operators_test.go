package stack_test

import (
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

// poolOrIssuer is a value that is the pool's unless the operator has an issuer.
func poolOrIssuer(pool, own string) string {
	return `{"Fn::If":["MakesOperators",` + pool + `,` + own + `]}`
}

func TestTokensAreOfThePoolOrOfTheOperatorsIssuer(t *testing.T) {
	tpl := load(t)
	p := tpl.one(t, "AWS::ApiGatewayV2::Authorizer", "Operators").Properties
	if at(p, "AuthorizerType") != "JWT" || flat(p["IdentitySource"]) != `["$request.header.Authorization"]` {
		t.Errorf("it is %v by %v", p["AuthorizerType"], p["IdentitySource"])
	}
	if got, want := flat(at(p, "JwtConfiguration", "Issuer")), poolOrIssuer(`{"Fn::GetAtt":["OperatorPool","ProviderURL"]}`, `{"Ref":"OperatorIssuer"}`); got != want {
		t.Errorf("the issuer is %s, want %s", got, want)
	}
	if got, want := flat(at(p, "JwtConfiguration", "Audience")), "["+poolOrIssuer(`{"Ref":"OperatorClient"}`, `{"Ref":"OperatorAudience"}`)+"]"; got != want {
		t.Errorf("the audience is %s, want %s", got, want)
	}
	for _, f := range topology.All {
		if len(f.Routes) == 0 {
			continue
		}
		env := at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "Environment", "Variables")
		if got, want := flat(at(env, string(topology.RoleClaim))), poolOrIssuer(`"cognito:groups"`, `{"Ref":"RoleClaim"}`); got != want {
			t.Errorf("%s reads roles from %s, want %s", f.Name, got, want)
		}
		if got, want := flat(at(env, string(topology.MFAClaim))), poolOrIssuer(`"-"`, `{"Ref":"MfaClaim"}`); got != want {
			t.Errorf("%s reads the second factor from %s, want %s", f.Name, got, want)
		}
	}
	// The pool is made where no issuer was given, and tokens are never of neither.
	if conditionHolds(t, tpl, "MakesOperators", map[string]string{"AWS::Region": "eu-west-3", "OperatorIssuer": "https://i"}) ||
		!conditionHolds(t, tpl, "MakesOperators", map[string]string{"AWS::Region": "eu-west-3"}) {
		t.Error("there is a pool beside the operator's issuer, or none without one")
	}
}

func TestNobodyComesIntoThePoolByThemselvesOrWithoutASecondFactor(t *testing.T) {
	r := load(t).one(t, "AWS::Cognito::UserPool", "OperatorPool")
	p := r.Properties
	for what, ok := range map[string]bool{
		"a second factor":                at(p, "MfaConfiguration") == "ON",
		"an app as second factor":        flat(p["EnabledMfas"]) == `["SOFTWARE_TOKEN_MFA"]`,
		"invitations only":               at(p, "AdminCreateUserConfig", "AllowAdminCreateUserOnly") == true,
		"protection from mistakes":       p["DeletionProtection"] == "ACTIVE",
		"long passwords":                 number(at(p, "Policies", "PasswordPolicy", "MinimumLength")) >= 16,
		"invitations that expire":        number(at(p, "Policies", "PasswordPolicy", "TemporaryPasswordValidityDays")) <= 7,
		"addresses that are verified":    flat(p["AutoVerifiedAttributes"]) == `["email"]`,
		"verification before changes":    flat(at(p, "UserAttributeUpdateSettings", "AttributesRequireVerificationBeforeUpdate")) == `["email"]`,
		"to stay if the stack goes":      r.DeletionPolicy == "Retain" && r.UpdateReplacePolicy == "Retain",
		"to be made without issuer only": r.Condition == "MakesOperators",
		"no code of somebody's within":   p["LambdaConfig"] == nil,
	} {
		if !ok {
			t.Errorf("the pool lacks %s", what)
		}
	}
	for _, kind := range []string{"Lowercase", "Uppercase", "Numbers", "Symbols"} {
		if at(p, "Policies", "PasswordPolicy", "Require"+kind) != true {
			t.Errorf("passwords need no %s", kind)
		}
	}
}

func number(v any) float64 { n, _ := v.(float64); return n }

func TestSigningInHandsTokensToTheOperatorsOwnMachine(t *testing.T) {
	tpl := load(t)
	client := tpl.one(t, "AWS::Cognito::UserPoolClient", "OperatorClient").Properties
	for property, want := range map[string]string{
		"AllowedOAuthFlows": `["code"]`, "AllowedOAuthScopes": `["openid","email"]`, "CallbackURLs": `["http://localhost:8976/callback"]`,
		"GenerateSecret": `false`, "SupportedIdentityProviders": `["COGNITO"]`, "ExplicitAuthFlows": `["ALLOW_REFRESH_TOKEN_AUTH"]`,
		"PreventUserExistenceErrors": `"ENABLED"`, "EnableTokenRevocation": `true`,
	} {
		if got := flat(client[property]); got != want {
			t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
	for _, token := range []string{"AccessToken", "IdToken", "RefreshToken"} {
		if n := number(client[token+"Validity"]); at(client, "TokenValidityUnits", token) != "minutes" || n < 5 || n > 60 {
			t.Errorf("%s lives for %v %v", token, n, at(client, "TokenValidityUnits", token))
		}
	}
	domain := tpl.one(t, "AWS::Cognito::UserPoolDomain", "OperatorDomain")
	if got := flat(domain.Properties["Domain"]); !strings.Contains(got, "AWS::StackId") || strings.Contains(got, "aws-") || strings.Contains(got, "cognito") {
		t.Errorf("the pages are at %s, which somebody else may have, or which the service refuses", got)
	}
	if domain.Properties["ManagedLoginVersion"] != 2.0 {
		t.Error("the pages are the old ones")
	}
	pages := tpl.one(t, "AWS::Cognito::ManagedLoginBranding", "OperatorPages").Properties
	if pages["UseCognitoProvidedValues"] != true || target(pages["ClientId"]) != "OperatorClient" {
		t.Error("the pages have no style, and are not served then")
	}
}

func TestTheFirstOperatorMayDoEverythingAndStays(t *testing.T) {
	tpl := load(t)
	first := tpl.one(t, "AWS::Cognito::UserPoolUser", "FirstOperator")
	if target(first.Properties["Username"]) != "AdminContact" || flat(first.Properties["DesiredDeliveryMediums"]) != `["EMAIL"]` {
		t.Errorf("the first operator is %v", first.Properties)
	}
	groups := map[string]bool{}
	for _, r := range tpl.all("AWS::Cognito::UserPoolUserToGroupAttachment") {
		if target(r.Properties["Username"]) != "FirstOperator" {
			t.Errorf("%v is in a group", r.Properties["Username"])
		}
		groups[target(r.Properties["GroupName"])] = true
	}
	names := map[string]bool{}
	for logical, r := range tpl.all("AWS::Cognito::UserPoolGroup") {
		if groups[plain(logical)] {
			names[str(r.Properties["GroupName"])] = true
		}
		if r.Properties["RoleArn"] != nil {
			t.Errorf("%s gives its members a role of the account", logical)
		}
	}
	same(t, "group of the first operator", names, map[string]bool{"handler": true, "auditor": true})
	for logical, r := range tpl.Resources {
		if strings.HasPrefix(r.Type, "AWS::Cognito::") {
			if r.Condition != "MakesOperators" {
				t.Errorf("%s is made beside the operator's own issuer", logical)
			}
			stays := strings.HasPrefix(r.Type, "AWS::Cognito::UserPoolUser") || r.Type == "AWS::Cognito::UserPoolGroup"
			if stays && (r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain") {
				t.Errorf("%s goes when AdminContact changes", logical)
			}
		}
	}
}
