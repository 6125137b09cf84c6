package stack_test

import (
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

func TestTheOperatorsDomainIsTheOnlyDoor(t *testing.T) {
	tpl := load(t)
	domain := tpl.one(t, "AWS::ApiGatewayV2::DomainName", "Domain")
	how := at(domain.Properties, "DomainNameConfigurations", 0)
	if domain.Condition != "ServesDomain" || target(domain.Properties["DomainName"]) != "DomainName" ||
		target(at(how, "CertificateArn")) != "CertificateArn" || at(how, "SecurityPolicy") != "TLS_1_2" || at(how, "EndpointType") != "REGIONAL" {
		t.Errorf("the domain is %v under %s", domain.Properties, domain.Condition)
	}
	mapping := tpl.one(t, "AWS::ApiGatewayV2::ApiMapping", "DomainMapping")
	if mapping.Condition != "ServesDomain" || target(mapping.Properties["ApiId"]) != "API" || target(mapping.Properties["Stage"]) != "Stage" ||
		target(mapping.Properties["DomainName"]) != "Domain" {
		t.Errorf("the domain leads to %v under %s", mapping.Properties, mapping.Condition)
	}
	api := tpl.one(t, "AWS::ApiGatewayV2::Api", "API").Properties
	if got := flat(api["DisableExecuteApiEndpoint"]); got != `{"Fn::If":["ServesDomain",true,false]}` {
		t.Errorf("beside the domain the API's own address is %s", got)
	}
	for _, c := range []struct {
		values map[string]string
		serves bool
	}{
		{nil, false},
		{map[string]string{"DomainName": "d", "CertificateArn": "c"}, true},
		{map[string]string{"DomainName": "d", "CertificateArn": "c", "EdgeWebAclArn": "w"}, false}, // the edge has it
	} {
		if got := conditionHolds(t, tpl, "ServesDomain", c.values); got != c.serves {
			t.Errorf("with %v the API serves the domain: %v", c.values, got)
		}
	}
}

func TestLinksLeadToTheDomainElseTheEdgeElseTheAPI(t *testing.T) {
	tpl := load(t)
	want := `{"Fn::If":["HasDomainName",{"Fn::Join":["",["https://",{"Ref":"DomainName"}]]},` +
		`{"Fn::If":["HasEdge",{"Fn::Join":["",["https://",{"Fn::GetAtt":["Edge","DomainName"]}]]},{"Fn::GetAtt":["API","ApiEndpoint"]}]}]}`
	for _, f := range topology.All {
		if got := flat(at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "Environment", "Variables", string(topology.BaseURL))); got != want {
			t.Errorf("%s: links begin with %s", f.Name, got)
		}
	}
	if got := flat(at(tpl.Outputs["Address"], "Value")); got != want {
		t.Errorf("the operator is told %s", got)
	}
	if got := flat(at(tpl.Outputs["DnsTarget"], "Value")); !strings.Contains(got, `["Domain","RegionalDomainName"]`) || !strings.Contains(got, `["Edge","DomainName"]`) {
		t.Errorf("the DNS record leads to %s", got)
	}
}
