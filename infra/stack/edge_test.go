package stack_test

import (
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

func TestTheEdgeKeepsNothingLogsNothingAndHasItsFirewall(t *testing.T) {
	r := load(t).one(t, "AWS::CloudFront::Distribution", "Edge")
	if r.Condition != "HasEdge" {
		t.Errorf("the edge is made under %q", r.Condition)
	}
	config := at(r.Properties, "DistributionConfig")
	if target(at(config, "WebACLId")) != "EdgeWebAclArn" {
		t.Errorf("the firewall is %v", at(config, "WebACLId"))
	}
	behaviour := at(config, "DefaultCacheBehavior")
	for property, want := range map[string]string{
		"ViewerProtocolPolicy":  `"redirect-to-https"`,
		"CachePolicyId":         `"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"`, // CachingDisabled
		"OriginRequestPolicyId": `"b689b0a8-53d0-40ab-baf2-68738e2966ac"`, // AllViewerExceptHostHeader
		"AllowedMethods":        `["DELETE","GET","HEAD","OPTIONS","PATCH","POST","PUT"]`,
	} {
		if got := flat(at(behaviour, property)); got != want {
			t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
	if at(config, "CacheBehaviors") != nil || at(config, "Logging") != nil || at(behaviour, "RealtimeLogConfigArn") != nil {
		t.Error("some calls are treated differently, or addresses of calls are written down")
	}
	origin := at(config, "Origins", 0)
	if len(list(at(config, "Origins"))) != 1 || !strings.Contains(flat(at(origin, "DomainName")), `{"Ref":"API"},"execute-api"`) ||
		at(origin, "CustomOriginConfig", "OriginProtocolPolicy") != "https-only" || flat(at(origin, "CustomOriginConfig", "OriginSSLProtocols")) != `["TLSv1.2"]` {
		t.Errorf("behind the edge is %v", at(config, "Origins"))
	}
	if got := flat(at(config, "ViewerCertificate")); !strings.Contains(got, `"MinimumProtocolVersion":"TLSv1.2_2021"`) || !strings.Contains(got, `{"Ref":"CertificateArn"}`) {
		t.Errorf("the certificate is %s", got)
	}
	if got := flat(at(config, "Aliases")); got != `{"Fn::If":["HasDomainName",[{"Ref":"DomainName"}],{"Ref":"AWS::NoValue"}]}` {
		t.Errorf("it answers for %s", got)
	}
}

// Who goes round the edge has not its secret, which is nowhere to be read in the template.
func TestOnlyTheEdgeAndTheFunctionsWithRoutesKnowItsSecret(t *testing.T) {
	tpl := load(t)
	secret := tpl.one(t, "AWS::SecretsManager::Secret", "EdgeSecret")
	how := at(secret.Properties, "GenerateSecretString")
	if secret.Condition != "HasEdge" || secret.Properties["SecretString"] != nil || number(at(how, "PasswordLength")) < 32 ||
		at(how, "ExcludePunctuation") != true || at(how, "GenerateStringKey") != nil {
		t.Errorf("the secret is %v", secret.Properties)
	}
	header := at(tpl.one(t, "AWS::CloudFront::Distribution", "Edge").Properties, "DistributionConfig", "Origins", 0, "OriginCustomHeaders", 0)
	if at(header, "HeaderName") != "X-Rightsdesk-Edge" ||
		flat(at(header, "HeaderValue")) != `{"Fn::Join":["",["{{resolve:secretsmanager:",{"Ref":"EdgeSecret"},":SecretString}}"]]}` {
		t.Errorf("the edge says %v", header)
	}
	readers, want := map[string]bool{}, map[string]bool{}
	for _, r := range tpl.all("AWS::IAM::Policy") {
		if !strings.Contains(flat(r.Properties["PolicyDocument"]), `{"Ref":"EdgeSecret"}`) {
			continue
		}
		if r.Condition != "HasEdge" {
			t.Errorf("it is opened under %q", r.Condition)
		}
		for _, role := range list(r.Properties["Roles"]) {
			readers[target(role)] = true
		}
	}
	for _, f := range topology.All {
		if len(f.Routes) == 0 {
			continue
		}
		want[id(f)+"Role"] = true
		if got := flat(at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "Environment", "Variables", string(topology.EdgeSecret))); got != `{"Fn::If":["HasEdge",{"Ref":"EdgeSecret"},"-"]}` {
			t.Errorf("%s looks for the secret at %s", f.Name, got)
		}
	}
	same(t, "role that reads the edge's secret", readers, want)
}

func TestTheFirewallLetsFreeTextPassAndKeepsNoSamples(t *testing.T) {
	tpl := loadOther(t, edgeTemplate)
	p := tpl.one(t, "AWS::WAFv2::WebACL", "Firewall").Properties
	if p["Scope"] != "CLOUDFRONT" {
		t.Errorf("it is for %v", p["Scope"])
	}
	if strings.Contains(flat(p), `"SampledRequestsEnabled":true`) || !strings.Contains(flat(p), `"SampledRequestsEnabled":false`) {
		t.Error("samples of requests are kept: they show people's links")
	}
	rules := map[string]any{}
	for _, r := range list(p["Rules"]) {
		rules[str(at(r, "Name"))] = r
	}
	if at(rules["flood"], "Action", "Block") == nil || target(at(rules["flood"], "Statement", "RateBasedStatement", "Limit")) != "RequestsInFiveMinutes" ||
		at(rules["flood"], "Statement", "RateBasedStatement", "AggregateKeyType") != "IP" {
		t.Errorf("floods meet %v", rules["flood"])
	}
	passes := map[string]bool{}
	for _, o := range list(at(rules["common"], "Statement", "ManagedRuleGroupStatement", "RuleActionOverrides")) {
		if at(o, "ActionToUse", "Count") != nil {
			passes[str(at(o, "Name"))] = true
		}
	}
	for _, body := range []string{"CrossSiteScripting_BODY", "SizeRestrictions_BODY", "GenericRFI_BODY"} {
		if !passes[body] {
			t.Errorf("%s turns people away who quote a link, or operators with a file", body)
		}
	}
	for _, group := range []string{"reputation", "known", "common"} {
		if got := flat(at(rules[group], "OverrideAction")); got != `{"Fn::If":["Counts",{"Count":{}},{"None":{}}]}` {
			t.Errorf("%s is overridden by %s", group, got)
		}
	}
}
