package stack

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsappconfig"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// addInstalled numbers the settings of the installation: whenever one of them changes,
// a parameter's value included, so does the number.
//
// A version of a function keeps the settings that were in force when it was published,
// and CloudFormation publishes one only if something in the template is another. A
// parameter is the same there, whatever its value has become: without the number, in
// what functions are told and in what versions are called, an operator's change would
// reach no function. The release stands before it, because Lambda publishes no version
// of a function that is as it was, and a release need not change every one.
func (s *system) addInstalled() {
	release := "checkout"
	if s.release != nil {
		release = s.release.Version
	}
	app := awsappconfig.NewCfnApplication(s.stack, jsii.String("Installed"), &awsappconfig.CfnApplicationProps{
		Name: awscdk.Aws_STACK_NAME(), Description: jsii.String("What Rightsdesk was told when it was installed"),
	})
	profile := awsappconfig.NewCfnConfigurationProfile(s.stack, jsii.String("InstalledSettings"), &awsappconfig.CfnConfigurationProfileProps{
		ApplicationId: app.Ref(), Name: jsii.String("settings"), LocationUri: jsii.String("hosted"),
	})
	numbered := awsappconfig.NewCfnHostedConfigurationVersion(s.stack, jsii.String("InstalledNow"), &awsappconfig.CfnHostedConfigurationVersionProps{
		ApplicationId: app.Ref(), ConfigurationProfileId: profile.AttrConfigurationProfileId(),
		ContentType: jsii.String("text/plain"), Content: awscdk.Fn_Join(jsii.String("\n"), s.lines()),
	})
	s.installed = joined(release+"/", numbered.AttrVersionNumber())
}

// lines are all settings, one a line.
func (s *system) lines() *[]*string {
	names := map[topology.Setting]bool{}
	for _, f := range topology.All {
		for _, name := range f.Settings() {
			names[name] = true
		}
	}
	delete(names, topology.Installed)
	lines := []*string{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		lines = append(lines, joined(string(name)+"=", s.value(name)))
	}
	return &lines
}
