package stack_test

import (
	"strings"
	"testing"

	"rightsdesk/shared/topology"
)

func TestRoutesAreThoseOfTheTopology(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	leads := map[string]string{}
	for _, r := range tpl.all("AWS::ApiGatewayV2::Route") {
		key := str(r.Properties["RouteKey"])
		if got[key] {
			t.Errorf("%s is there twice", key)
		}
		got[key] = true
		integration := tpl.one(t, "AWS::ApiGatewayV2::Integration", target(at(r.Properties, "Target")))
		leads[key] = target(integration.Properties["IntegrationUri"])
	}
	for _, f := range topology.All {
		for _, r := range f.Routes {
			want[r.Pattern] = true
			if leads[r.Pattern] != live(f) {
				t.Errorf("%s leads to %s, want %s", r.Pattern, leads[r.Pattern], live(f))
			}
		}
	}
	same(t, "route", got, want)
}

func TestOperatorsRoutesAndNoOthersHaveTheAuthorizer(t *testing.T) {
	tpl := load(t)
	operators := map[string]bool{}
	for _, f := range topology.All {
		for _, r := range f.Routes {
			operators[r.Pattern] = r.Caller == topology.Operator
			if strings.Contains(r.Pattern, "/operator/") && r.Caller != topology.Operator {
				t.Errorf("%s is not for operators only", r.Pattern)
			}
		}
	}
	for _, r := range tpl.all("AWS::ApiGatewayV2::Route") {
		key := str(r.Properties["RouteKey"])
		kind, by := r.Properties["AuthorizationType"], target(r.Properties["AuthorizerId"])
		if operators[key] && (kind != "JWT" || by != "Operators") {
			t.Errorf("%s is open: it has authorization %v by %q", key, kind, by)
		}
		if !operators[key] && (kind != "NONE" || by != "") {
			t.Errorf("%s is shut: it has authorization %v by %q", key, kind, by)
		}
	}
}

func TestTheAPIIsThrottledAndLogsNoPath(t *testing.T) {
	stage := load(t).one(t, "AWS::ApiGatewayV2::Stage", "Stage").Properties
	for _, limit := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit"} {
		if n, _ := at(stage, "DefaultRouteSettings", limit).(float64); n <= 0 {
			t.Errorf("there is no %s", limit)
		}
	}
	format := str(at(stage, "AccessLogSettings", "Format"))
	if !strings.Contains(format, "$context.routeKey") {
		t.Errorf("the access log does not name the route: %s", format)
	}
	for _, personal := range []string{"path", "sourceIp", "userAgent", "queryString", "authorizer.claims"} {
		if strings.Contains(format, personal) {
			t.Errorf("the access log holds %s: %s", personal, format)
		}
	}
}

// The stage refuses settings of a route that is not there: each has to be made before.
func TestPagesAndAppsHaveBoundsOfTheirOwn(t *testing.T) {
	tpl := load(t)
	stage := tpl.one(t, "AWS::ApiGatewayV2::Stage", "Stage")
	got, want, first := map[string]bool{}, map[string]bool{"GET /choices.js": true}, map[string]bool{}
	settings, _ := at(stage.Properties, "RouteSettings").(map[string]any)
	for key, limits := range settings {
		got[key] = true
		if at(limits, "ThrottlingRateLimit") != 500.0 || at(limits, "ThrottlingBurstLimit") != 1000.0 {
			t.Errorf("%s has %v", key, limits)
		}
	}
	for _, f := range topology.All {
		for _, r := range f.Routes {
			if r.Caller == topology.Browser || r.Caller == topology.App || r.Method() == "OPTIONS" {
				want[r.Pattern] = true
			}
		}
	}
	same(t, "route with bounds of its own", got, want)
	before, _ := stage.DependsOn.([]any)
	for _, id := range before {
		first[str(tpl.Resources[str(id)].Properties["RouteKey"])] = true
	}
	same(t, "route made before its bounds", first, want)
}

// What no permission lets in is never invoked: one for each function with
// routes, for this API alone.
func TestOnlyThisAPIInvokesFunctions(t *testing.T) {
	got, want := map[string]bool{}, map[string]bool{}
	for _, r := range load(t).all("AWS::Lambda::Permission") {
		got[target(r.Properties["FunctionName"])] = true
		if r.Properties["Principal"] != "apigateway.amazonaws.com" || !strings.Contains(flat(r.Properties["SourceArn"]), `{"Ref":"API"}`) {
			t.Errorf("somebody else may invoke a function: %v", r.Properties)
		}
	}
	for _, f := range topology.All {
		if len(f.Routes) > 0 {
			want[live(f)] = true
		}
	}
	same(t, "permission", got, want)
}
