package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/table"
)

// The names of the indexes, of the attribute that the service expires items by, and of
// the one that holds an item's body, for those who read a table's stream.
const (
	DueIndex     = "due"
	SubjectIndex = "subject"
	ExpiresAt    = attrExpires
	Body         = attrBody
)

// TableInput is what a table has to be like: tests create theirs by it, and the
// stack's are compared with it. Streams, backups and the time to live, which the
// adapter does not need, are the stack's to add.
func TableInput(name table.Name, physical string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:            aws.String(physical),
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            keySchema(attrPartition, attrSort),
		AttributeDefinitions: []types.AttributeDefinition{text(attrPartition), text(attrSort)},
	}
	if name != table.State {
		return in
	}
	in.AttributeDefinitions = append(in.AttributeDefinitions, text(attrShard), number(attrDue), text(attrSubject))
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{
		index(DueIndex, attrShard, attrDue),
		index(SubjectIndex, attrSubject, attrPartition),
	}
	return in
}

func index(name, partition, sort string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName:  aws.String(name),
		KeySchema:  keySchema(partition, sort),
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{attrExpires}},
	}
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

func text(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
}

func number(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeN}
}

func indexName(ix table.Index) *string {
	switch ix {
	case table.Due:
		return aws.String(DueIndex)
	case table.Subject:
		return aws.String(SubjectIndex)
	case table.Primary:
	}
	return nil
}
