// Package indynamodb puts the newsletter of the sample company into a DynamoDB
// table, for tests of the kind "dynamodb" on data that looks like a company's.
// It is apart from package company so that make run does not link the SDK.
package indynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	dynamodbsource "rightsdesk/shared/source/dynamodb"
)

// Mapping says how the table is read.
func Mapping(table string) dynamodbsource.Mapping {
	return dynamodbsource.Mapping{
		Table:  table,
		Key:    dynamodbsource.Key{Partition: "id"},
		FindBy: []dynamodbsource.Lookup{{Identity: personal.KindAccount, Attribute: "owner", Index: "by_owner"}},
		Items: []dynamodbsource.Rule{
			{Category: company.Subscriptions, Attribute: "kind", Equals: company.Subscriptions},
			{Category: company.ReadingHistory, Attribute: "kind", Equals: company.ReadingHistory},
		},
		RecordID:    "id",
		CollectedAt: at,
		Sweep: dynamodbsource.Sweep{
			Time: at, Hand: source.Collected, Index: "by_age", Attribute: "kind", Equals: []string{company.Subscriptions, company.ReadingHistory},
		},
	}
}

var at = dynamodbsource.Instant{Attribute: "at", Format: dynamodbsource.RFC3339}

// Load makes the table and copies the newsletter into it. It returns how many
// items that were.
func Load(ctx context.Context, client *dynamodb.Client, table string, from *company.Company) (int, error) {
	if err := create(ctx, client, table); err != nil {
		return 0, fmt.Errorf("make the table %s: %w", table, err)
	}
	items, err := items(from)
	if err != nil {
		return 0, err
	}
	for batch := range slices.Chunk(items, 25) { // BatchWriteItem takes no more
		out, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: batch}})
		if err == nil && len(out.UnprocessedItems) > 0 {
			err = errors.New("the service left items unprocessed")
		}
		if err != nil {
			return 0, fmt.Errorf("fill the table %s: %w", table, err)
		}
	}
	return len(items), nil
}

func create(ctx context.Context, client *dynamodb.Client, table string) error {
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	key := func(name string, of types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: of}
	}
	index := func(name, of string) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{
			IndexName: &name, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			KeySchema: []types.KeySchemaElement{key(of, types.KeyTypeHash), key("at", types.KeyTypeRange)},
		}
	}
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions:   []types.AttributeDefinition{text("id"), text("owner"), text("kind"), text("at")},
		KeySchema:              []types.KeySchemaElement{key("id", types.KeyTypeHash)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{index("by_owner", "owner"), index("by_age", "kind")},
	})
	return err
}

// items reads the newsletter out of the company's file.
func items(from *company.Company) ([]types.WriteRequest, error) {
	var items []types.WriteRequest
	var broken error
	err := from.Records(company.Newsletter, func(l company.Line) {
		it := map[string]types.AttributeValue{"id": text(l.ID), "kind": text(l.Category), "owner": text(l.Account), "at": text(l.At.Format(time.RFC3339Nano))}
		var fields map[string]any
		if err := json.Unmarshal(l.Fields, &fields); err != nil {
			broken = fmt.Errorf("decode the record %s: %w", l.ID, err)
		}
		for name, v := range fields {
			switch v := v.(type) {
			case float64:
				it[name] = &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
			default:
				it[name] = text(fmt.Sprint(v))
			}
		}
		items = append(items, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
	})
	return items, errors.Join(err, broken)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
