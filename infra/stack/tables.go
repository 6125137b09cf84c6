package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// The layout is table/dynamo's; a test compares the two.
const (
	partitionKey = "p"
	sortKey      = "s"
	expiryKey    = "x"

	dueIndex        = "due"
	duePartitionKey = "dp"
	dueSortKey      = "ds"

	subjectIndex        = "subject"
	subjectPartitionKey = "u"
)

// Recovery windows in days. That of the Keys table is the shortest there is: an
// erased person's salt must not come back from a backup. Certificates reckon with it
// as seal.Recovery; a test compares the two.
const (
	longRecovery  = 35
	shortRecovery = 1
)

// addTables adds the three tables. They outlive the stack, and nobody deletes
// one without switching its protection off first.
//
// They are AWS::DynamoDB::Table and not the GlobalTable that CDK's TableV2
// makes: no scanner that we know sees whether a GlobalTable can be recovered.
func (s *system) addTables() {
	s.state = s.table("StateTable", longRecovery, func(p *awsdynamodb.TableProps) {
		p.Stream = awsdynamodb.StreamViewType_KEYS_ONLY // the relay reads the item again
	})
	s.index(s.state, dueIndex, text(duePartitionKey), number(dueSortKey))
	s.index(s.state, subjectIndex, text(subjectPartitionKey), text(partitionKey))

	s.audit = s.table("AuditTable", longRecovery, func(p *awsdynamodb.TableProps) {
		p.ResourcePolicy = appendOnly()
		p.Stream = awsdynamodb.StreamViewType_NEW_IMAGE // an entry holds nothing personal, and never changes
	})
	s.keys = s.table("KeysTable", shortRecovery, func(*awsdynamodb.TableProps) {})
}

// table adds a table with a fuse: what a flood of calls can cost is bounded by what a
// table does in a second, and TablesThrottled tells when that is too little.
func (s *system) table(id string, recovery float64, special func(*awsdynamodb.TableProps)) awsdynamodb.Table {
	props := &awsdynamodb.TableProps{
		PartitionKey:        text(partitionKey),
		SortKey:             text(sortKey),
		TimeToLiveAttribute: jsii.String(expiryKey),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
			RecoveryPeriodInDays:       &recovery,
		},
		MaxReadRequestUnits:  numeral(s.param.maxUnits),
		MaxWriteRequestUnits: numeral(s.param.maxUnits),
		DeletionProtection:   jsii.Bool(true),
		RemovalPolicy:        awscdk.RemovalPolicy_RETAIN,
	}
	special(props)
	return awsdynamodb.NewTable(s.stack, &id, props)
}

// index adds an index that holds keys, and the expiry so that what has expired is
// hidden there too. Its reads have a fuse as the table's; its writes follow the table's,
// two for one if a key moves, and a fuse of their own would throttle the table early.
func (s *system) index(t awsdynamodb.Table, name string, partition, sort *awsdynamodb.Attribute) {
	t.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:        &name,
		PartitionKey:     partition,
		SortKey:          sort,
		ProjectionType:   awsdynamodb.ProjectionType_INCLUDE,
		NonKeyAttributes: jsii.Strings(expiryKey),

		MaxReadRequestUnits: numeral(s.param.maxUnits),
	})
}

func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}

func number(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_NUMBER}
}

// appendOnly forbids everybody, the account's administrators included, to change
// or remove an entry. What expires is removed by the service itself. In a policy
// of a table "*" is this table.
func appendOnly() awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        jsii.String("AppendOnly"),
			Effect:     awsiam.Effect_DENY,
			Principals: &[]awsiam.IPrincipal{awsiam.NewStarPrincipal()},
			Actions: jsii.Strings(
				"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem",
				"dynamodb:PartiQLDelete", "dynamodb:PartiQLUpdate",
			),
			Resources: jsii.Strings("*"),
		}),
	}})
}
