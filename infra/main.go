// Command infra is the CDK app: the topology as one CloudFormation stack. The
// CDK runs it from the top of the repository, as cdk.json says.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/infra/stack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "rightsdesk: the settings of this installation:\n%v\n", err)
		os.Exit(1)
	}
}

// run synthesises the stack. What it returns is wrong with the settings.
func run() error {
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{Context: stack.Context()})
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	settings, err := stack.ReadSettings("rightsdesk.yaml", context)
	if err != nil {
		return err
	}
	stack.New(app, "Rightsdesk", settings, stack.GoBuild(".", "dist"))
	app.Synth(nil)
	return nil
}
