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

// apply makes one change on the condition that the item still is what the change
// was worked out for. theirs says that it is another's now and was left alone.
func (s *Source) apply(ctx context.Context, c change) (theirs bool, err error) {
	e := expression{names: map[string]string{}, values: item{}}
	condition := e.condition(c)
	if c.delete {
		_, err = s.o.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.m.Table, Key: c.key, ConditionExpression: &condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	} else {
		_, err = s.o.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &s.m.Table, Key: c.key, ConditionExpression: &condition, UpdateExpression: aws.String(e.update(c)),
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

func (e expression) condition(c change) string {
	var parts []string
	for i, name := range slices.Sorted(maps.Keys(c.still)) {
		e.names[fmt.Sprintf("#c%d", i)] = name
		if c.still[name] == nil {
			parts = append(parts, fmt.Sprintf("attribute_not_exists(#c%d)", i))
			continue
		}
		e.values[fmt.Sprintf(":c%d", i)] = c.still[name]
		parts = append(parts, fmt.Sprintf("#c%d = :c%d", i, i))
	}
	return strings.Join(parts, " AND ")
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
