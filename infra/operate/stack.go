package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Stack is an installation as CloudFormation knows it.
type Stack struct {
	Name, ID, Status, Why string
	Description           string
	Protected             bool // against being deleted
	Changed               time.Time
	Drift                 string // what CloudFormation found when it looked last
	DriftAt               time.Time
	Outputs, Parameters   map[string]string
	Resources             []Resource
}

// Resource is one of a stack's.
type Resource struct {
	Logical  string // begins with the name in the topology; the CDK puts a sum behind it
	Physical string
	Type     string
	Status   string
	Drift    string
}

// Stack reads an installation by the stack's name.
func (a *Account) Stack(ctx context.Context, name string) (*Stack, error) {
	client := cloudformation.NewFromConfig(a.AWS)
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		if code(err) == "ValidationError" {
			return nil, fmt.Errorf("there is no stack %s in %s; its name stands in CloudFormation's console, and -region says where to look", name, a.AWS.Region)
		}
		return nil, fmt.Errorf("read the stack %s: %w", name, err)
	}
	if len(out.Stacks) != 1 {
		return nil, errors.New("CloudFormation describes another number of stacks than one")
	}
	d := out.Stacks[0]
	s := &Stack{
		Name: aws.ToString(d.StackName), ID: aws.ToString(d.StackId), Status: string(d.StackStatus), Why: aws.ToString(d.StackStatusReason),
		Description: aws.ToString(d.Description), Protected: aws.ToBool(d.EnableTerminationProtection),
		Changed: aws.ToTime(d.CreationTime), Outputs: map[string]string{}, Parameters: map[string]string{},
	}
	if d.LastUpdatedTime != nil {
		s.Changed = *d.LastUpdatedTime
	}
	if d.DriftInformation != nil {
		s.Drift, s.DriftAt = string(d.DriftInformation.StackDriftStatus), aws.ToTime(d.DriftInformation.LastCheckTimestamp)
	}
	for _, o := range d.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, p := range d.Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list what the stack %s consists of: %w", name, err)
		}
		for _, r := range page.StackResourceSummaries {
			s.Resources = append(s.Resources, resourceOf(r))
		}
	}
	return s, nil
}

func resourceOf(r types.StackResourceSummary) Resource {
	out := Resource{
		Logical: aws.ToString(r.LogicalResourceId), Physical: aws.ToString(r.PhysicalResourceId), Type: aws.ToString(r.ResourceType), Status: string(r.ResourceStatus),
	}
	if r.DriftInformation != nil {
		out.Drift = string(r.DriftInformation.StackResourceDriftStatus)
	}
	return out
}

// of returns the resources of a type.
func (s *Stack) of(kind string) []Resource {
	var all []Resource
	for _, r := range s.Resources {
		if r.Type == kind {
			all = append(all, r)
		}
	}
	return all
}

// function returns the physical name of a function, by its name in the topology.
func (s *Stack) function(name string) (string, bool) {
	want := strings.ToUpper(name[:1]) + name[1:]
	for _, r := range s.of("AWS::Lambda::Function") {
		if plain(r.Logical) == want {
			return r.Physical, true
		}
	}
	return "", false
}

// plain is a logical id without the sum that the CDK puts behind it.
func plain(logical string) string {
	const sum = 8
	n := len(logical) - sum
	if n <= 0 || strings.Trim(logical[n:], "0123456789ABCDEF") != "" {
		return logical
	}
	return logical[:n]
}

// output returns an output that the installation has to have.
func (s *Stack) output(name string) (string, error) {
	v, ok := s.Outputs[name]
	if !ok || v == "" {
		return "", fmt.Errorf("the stack %s has no output %s: is it an installation of Rightsdesk, of this version?", s.Name, name)
	}
	return v, nil
}
