package stack

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// regions are those that have all that the stack is made of, by the schemas of
// CloudFormation; what single ones lack is listed below. A scan over all of them
// fails if a type is missing.
var regions = []string{
	"af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
	"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7",
	"ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1",
	"eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
	"mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
}

// What is missing where.
var (
	withoutMail      = []string{"ap-east-1", "ap-southeast-4", "ap-southeast-7", "cn-north-1", "cn-northwest-1", "eu-south-2", "mx-central-1"}
	withoutUserPools = []string{"cn-north-1", "cn-northwest-1"}
	withoutArchives  = []string{"ca-west-1", "mx-central-1"}
	// An edge has its firewall in us-east-1, which other partitions have not.
	withoutEdge = []string{"cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1"}
	// A publisher's buckets are of one partition, and their names belong to the publisher's account
	// wherever S3 has such names.
	withoutCode = slices.Concat(withoutEdge, []string{"me-central-1", "me-south-1"})
)

// Regions are those into which an installation fits.
func Regions() []string { return slices.Clone(regions) }

// ReleaseRegions are those for which a publisher has the code: elsewhere the operator
// copies it into a bucket of their own and names it as CodeBucket.
func ReleaseRegions() []string {
	return slices.DeleteFunc(Regions(), func(r string) bool { return slices.Contains(withoutCode, r) })
}

// outside holds where a region is none of those.
func outside(regions []string) awscdk.ICfnConditionExpression {
	var in []awscdk.ICfnConditionExpression
	for _, r := range regions {
		in = append(in, awscdk.Fn_ConditionEquals(awscdk.Aws_REGION(), r))
	}
	return not(awscdk.Fn_ConditionOr(in...))
}
