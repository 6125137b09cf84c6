package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

const (
	// packageDays is when the bucket deletes what no sweep deleted. It is a net
	// below the policy's own periods, and longer than any request may stay open.
	packageDays = 400
	// policyDays is how long a policy file that was replaced can be had again. What
	// was published is kept in the State table, however old.
	policyDays = 365
)

// addStorage adds three buckets and the key that wraps the key ring. All outlive the
// stack. The bucket with people's packages keeps no versions: what is deleted there
// is gone. In that with sealed entries nothing can be changed or deleted before its
// time, whoever tries.
func (s *system) addStorage() {
	s.exports = s.bucket("Exports", func(p *awss3.BucketProps) {
		p.LifecycleRules = &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(packageDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}}
	})
	s.policies = s.bucket("Policies", func(p *awss3.BucketProps) {
		p.Versioned = jsii.Bool(true)
		p.LifecycleRules = &[]*awss3.LifecycleRule{{
			NoncurrentVersionExpiration:         awscdk.Duration_Days(jsii.Number(policyDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}}
	})
	s.checkpoints = s.bucket("Checkpoints", func(p *awss3.BucketProps) {
		p.Versioned, p.ObjectLockEnabled = jsii.Bool(true), jsii.Bool(true)
	})
	// The CDK's own property takes no parameter for the mode.
	lock := s.checkpoints.Node().DefaultChild().(awss3.CfnBucket) //nolint:forcetypeassert // the CDK made it
	lock.SetObjectLockConfiguration(&awss3.CfnBucket_ObjectLockConfigurationProperty{
		ObjectLockEnabled: jsii.String("Enabled"),
		Rule: awss3.CfnBucket_ObjectLockRuleProperty{DefaultRetention: awss3.CfnBucket_DefaultRetentionProperty{
			Mode: s.param.checkpointLock, Days: numeral(s.param.checkpointDays),
		}},
	})
	s.checkpoints.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("NothingTwice"), // a lock keeps what was there, and lets another be put over it
		Effect:     awsiam.Effect_DENY,
		Principals: &[]awsiam.IPrincipal{awsiam.NewStarPrincipal()},
		Actions:    jsii.Strings("s3:PutObject"),
		Resources:  in(below(s.checkpoints.BucketArn(), "/*")),
		Conditions: &map[string]any{"Null": map[string]string{"s3:if-none-match": "true"}},
	}))
	s.master = awskms.NewKey(s.stack, jsii.String("MasterKey"), &awskms.KeyProps{
		Description:       jsii.String("Wraps the key ring of Rightsdesk. Without it no sealed field can be read again."),
		EnableKeyRotation: jsii.Bool(true),
		PendingWindow:     awscdk.Duration_Days(jsii.Number(30)),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		Policy:            keptByIAM(),
	})
}

// bucket adds a bucket that is shut to the public and outlives the stack.
func (s *system) bucket(id string, special func(*awss3.BucketProps)) awss3.Bucket {
	props := &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	}
	special(props)
	return awss3.NewBucket(s.stack, &id, props)
}

// keptByIAM lets the account's own IAM policies decide about the key, as is
// usual, but spells out which actions: among those missing are all that would
// replace the key's material or copy it to another region. In a policy of a key
// "*" is this key.
func keptByIAM() awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        jsii.String("IAMDecides"),
			Principals: &[]awsiam.IPrincipal{awsiam.NewAccountRootPrincipal()},
			Actions: jsii.Strings(
				"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:Decrypt", "kms:DeleteAlias", "kms:DescribeKey",
				"kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation", "kms:Encrypt", "kms:GetKeyPolicy",
				"kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations",
				"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:RotateKeyOnDemand",
				"kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
			),
			Resources: jsii.Strings("*"),
		}),
	}})
}
