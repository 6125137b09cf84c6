// Command infra is the CDK app: the topology as one CloudFormation stack. The
// CDK runs it from the top of the repository, as cdk.json says.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/infra/stack"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack.New(app, "Rightsdesk", nil, stack.GoBuild(".", "dist"))
	app.Synth(nil)
}
