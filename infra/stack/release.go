package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Release is where the files of a release lie, for a template that needs no CDK.
type Release struct {
	Version string // such as 1.2.3
	Bucket  string // of the code; may hold ${AWS::Region} and ${AWS::AccountId}
	Prefix  string // of its keys, such as rightsdesk/v1.2.3/
}

// NewRelease adds the stack as a release has it: the same, but for those who neither
// bootstrap nor build.
func NewRelease(app constructs.Construct, r Release, build Build) awscdk.Stack {
	s := &system{release: &r, stack: awscdk.NewStack(app, jsii.String("Rightsdesk"), &awscdk.StackProps{
		Description:        jsii.String("Rightsdesk " + r.Version + ": a self-hosted privacy backend"),
		AnalyticsReporting: jsii.Bool(false),
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
			FileAssetsBucketName:         &r.Bucket,
			BucketPrefix:                 &r.Prefix,
		}),
	})}
	return s.add(build)
}

// takeCode takes the code of a function of a release from the operator's own bucket, if
// they have named one.
func (s *system) takeCode(f awslambda.Function) {
	if s.release == nil {
		return
	}
	code := f.Node().DefaultChild().(awslambda.CfnFunction) //nolint:forcetypeassert // the CDK made it
	explain(code, staysBlank, "F3033")
	code.AddPropertyOverride(jsii.String("Code.S3Bucket"), s.param.codeBucket.or(awscdk.Fn_Sub(&s.release.Bucket, nil)))
}
