package stack

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// Throttling: many times what people send, and a bound on what somebody else can
// make the operator pay. httpapi limits single addresses. Pages of websites and apps
// call at every view and before every mail, so their routes have bounds of their own.
const (
	requestsPerSecond = 50
	requestsAtOnce    = 100
	viewsPerSecond    = 500
	viewsAtOnce       = 1000
)

// accessLine is one line of the access log. It holds the route, never the path:
// a path may hold a token. It holds no address of a person's machine either.
var accessLine = map[string]string{
	"id":      "$context.requestId",
	"route":   "$context.routeKey",
	"status":  "$context.status",
	"ms":      "$context.responseLatency",
	"bytes":   "$context.responseLength",
	"refused": "$context.authorizer.error",
	"broken":  "$context.integrationErrorMessage",
}

// addAPI adds the HTTP API. It has no default route: what the topology does not
// declare is answered 404 by the service and starts no function.
func (s *system) addAPI() {
	s.api = awsapigatewayv2.NewCfnApi(s.stack, jsii.String("API"), &awsapigatewayv2.CfnApiProps{
		Name:         awscdk.Aws_STACK_NAME(),
		ProtocolType: jsii.String("HTTP"),
		// One door is enough. An edge comes in by this one, though.
		DisableExecuteApiEndpoint: awscdk.Fn_ConditionIf(s.param.servesDomain.LogicalId(), true, false),
	})
	s.addAuthorizer()
	format, err := json.Marshal(accessLine)
	if err != nil {
		panic(err) // strings always marshal
	}
	s.addAccessLog()
	s.stage = awsapigatewayv2.NewCfnStage(s.stack, jsii.String("Stage"), &awsapigatewayv2.CfnStageProps{
		ApiId:      s.api.Ref(),
		StageName:  jsii.String("$default"),
		AutoDeploy: true,
		DefaultRouteSettings: awsapigatewayv2.CfnStage_RouteSettingsProperty{
			ThrottlingRateLimit:  jsii.Number(requestsPerSecond),
			ThrottlingBurstLimit: jsii.Number(requestsAtOnce),
		},
		AccessLogSettings: awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
			DestinationArn: s.accessLog.LogGroupArn(),
			Format:         jsii.String(string(format)),
		},
	})
}

// addAccessLog adds the log group of the API. Its name begins as the service wants it: the
// policy that lets it write has no room for the name of each group otherwise.
func (s *system) addAccessLog() {
	s.accessLog = s.logGroup("AccessLog")
	lines := s.accessLog.Node().DefaultChild().(awslogs.CfnLogGroup) //nolint:forcetypeassert // the CDK made it
	lines.SetLogGroupName(joined("/aws/vendedlogs/rightsdesk/", s.ownID()))
}

// addRoutes adds the routes of a function.
func (s *system) addRoutes(u unit) {
	if len(u.Routes) == 0 {
		return
	}
	integration := awsapigatewayv2.NewCfnIntegration(s.stack, jsii.String(title(u.Name)+"Integration"), &awsapigatewayv2.CfnIntegrationProps{
		ApiId:                s.api.Ref(),
		IntegrationType:      jsii.String("AWS_PROXY"),
		IntegrationUri:       u.live.FunctionArn(),
		PayloadFormatVersion: jsii.String("2.0"),
	})
	// One permission for all routes: the API holds none but the topology's, and a
	// function's policy has no room for one each.
	awslambda.NewCfnPermission(s.stack, jsii.String(title(u.Name)+"Permission"), &awslambda.CfnPermissionProps{
		Action:       jsii.String("lambda:InvokeFunction"),
		FunctionName: u.live.FunctionArn(),
		Principal:    jsii.String("apigateway.amazonaws.com"),
		SourceArn: s.stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("execute-api"), Resource: s.api.Ref(), ResourceName: jsii.String("*"),
		}),
	})
	for _, r := range u.Routes {
		route := &awsapigatewayv2.CfnRouteProps{
			ApiId:             s.api.Ref(),
			RouteKey:          jsii.String(r.Pattern),
			Target:            awscdk.Fn_Join(jsii.String("/"), &[]*string{jsii.String("integrations"), integration.Ref()}),
			AuthorizationType: jsii.String("NONE"),
		}
		switch r.Caller {
		case topology.Operator:
			route.AuthorizationType = jsii.String("JWT")
			route.AuthorizerId = s.operators.Ref()
		case topology.Anyone, topology.SignedLink, topology.Person, topology.App, topology.Browser: // httpapi looks at these
		}
		made := awsapigatewayv2.NewCfnRoute(s.stack, jsii.String("Route "+r.Pattern), route)
		if isBusy(u.Function, r) {
			s.busy[r.Pattern] = map[string]any{"ThrottlingRateLimit": viewsPerSecond, "ThrottlingBurstLimit": viewsAtOnce}
			s.stage.AddResourceDependency(made, nil) // it refuses settings of a route that is not there yet
		}
	}
}

// isBusy reports whether every view of a website's page, or an app's every step,
// calls a route: what they ask, what browsers ask before, and the script itself.
func isBusy(f topology.Function, r topology.Route) bool {
	switch {
	case r.Caller == topology.Browser || r.Caller == topology.App:
		return true
	case r.Method() == http.MethodOptions:
		return slices.ContainsFunc(f.Routes, func(o topology.Route) bool { return o.Caller == topology.Browser && o.Path() == r.Path() })
	}
	return r.Pattern == "GET /choices.js"
}
