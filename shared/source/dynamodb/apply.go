package dynamodbsource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// apply makes one change on the condition that the item is still its owner's.
// theirs says that it is somebody else's now and was left alone.
func (s *Source) apply(ctx context.Context, c change) (theirs bool, err error) {
	e := expression{names: map[string]string{"#who": c.owner.Attribute}, values: item{":who": &types.AttributeValueMemberS{Value: c.owner.value}}}
	const condition = "#who = :who"
	if c.delete {
		_, err = s.o.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.m.Table, Key: c.key, ConditionExpression: aws.String(condition),
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	} else {
		_, err = s.o.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.m.Table, Key: c.key, ConditionExpression: aws.String(condition), UpdateExpression: aws.String(e.update(c)),
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	}
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	switch {
	case err == nil:
		return false, nil
	case !ok:
		return false, sorted(err)
	}
	// The SDK repeats a call whose answer was lost, and the second one meets what
	// the first one did: that is our own success.
	return len(failed.Item) > 0 && (c.delete || !c.made(failed.Item)), nil
}

// made reports whether an item is as the change makes it.
func (c change) made(it item) bool {
	for name, v := range c.set {
		is, ok := text(it[name])
		if want, _ := text(v); !ok || is != want {
			return false
		}
	}
	return !slices.ContainsFunc(c.remove, func(name string) bool { return it[name] != nil })
}

// expression collects the names and values of an update.
type expression struct {
	names  map[string]string
	values item
}

func (e expression) update(c change) string {
	var set, remove []string
	for i, name := range slices.Sorted(maps.Keys(c.set)) {
		set = append(set, fmt.Sprintf("#s%d = :s%d", i, i))
		e.names[fmt.Sprintf("#s%d", i)] = name
		e.values[fmt.Sprintf(":s%d", i)] = c.set[name]
	}
	for i, name := range c.remove {
		remove = append(remove, fmt.Sprintf("#r%d", i))
		e.names[fmt.Sprintf("#r%d", i)] = name
	}
	var parts []string
	if len(set) > 0 {
		parts = append(parts, "SET "+strings.Join(set, ", "))
	}
	if len(remove) > 0 {
		parts = append(parts, "REMOVE "+strings.Join(remove, ", "))
	}
	return strings.Join(parts, " ")
}
