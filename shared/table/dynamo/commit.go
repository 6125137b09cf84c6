package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/table"
)

// collisions is how often a transaction that met another one is tried. The SDK
// does not retry those. Beyond, the caller is told that the store is busy.
const collisions = 5

// Commit implements table.Table.
func (s *Store) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := table.ValidateCommit(id, writes); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(writes) == 1 {
		return s.single(ctx, id, writes[0])
	}
	in := s.transaction(id, writes)
	in.ReturnConsumedCapacity = wanted(ctx)
	for try := 0; ; try++ {
		out, err := s.client.TransactWriteItems(ctx, in)
		if err == nil {
			s.recordAll(ctx, out.ConsumedCapacity, table.WrittenOps(writes, make([]table.Item, len(writes)), s.puts(id, writes)))
			return nil
		}
		canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
		if !ok {
			return fmt.Errorf("commit %s: %w", id, writeError(err))
		}
		if !collided(canceled) {
			return s.refusal(ctx, id, writes, canceled)
		}
		if try+1 == collisions || table.Sleep(ctx, table.Pause(try)) != nil {
			return fmt.Errorf("commit %s: %w: it collided with others", id, table.ErrBusy)
		}
	}
}

func (s *Store) transaction(id table.ID, writes []table.Write) *dynamodb.TransactWriteItemsInput {
	now := s.now().Unix()
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String(s.token(id, now, writes)),
		TransactItems:      make([]types.TransactWriteItem, len(writes)),
	}
	for i, w := range writes {
		in.TransactItems[i] = s.action(id, w, now)
	}
	return in
}

// token is the client token of a transaction: 36 characters at most. It covers
// the contents, time included, so that a commit which the caller repeats, later
// or changed, is never refused for differing from the first: it is judged anew,
// by what is stored. It covers the tables too, because the service knows it in
// all of the account.
func (s *Store) token(id table.ID, now int64, writes []table.Write) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %d %q\n", id, now, s.tables) // a hash never fails to write
	for _, w := range writes {
		it := w.Item
		_, _ = fmt.Fprintf(h, "%d %q %+v %d %d %d %q %d\n", w.Verb, w.Ref, w.If, it.Schema, it.Due.UnixMilli(), it.Expires.Unix(), it.Subject, len(it.Body))
		_, _ = h.Write(it.Body)
	}
	return base32.HexEncoding.EncodeToString(h.Sum(nil))[:36]
}

func (s *Store) action(id table.ID, w table.Write, now int64) types.TransactWriteItem {
	name := aws.String(s.tables.Physical(w.Ref.Table))
	condition, values := s.condition(w.If, now)
	const old = types.ReturnValuesOnConditionCheckFailureAllOld
	switch {
	case w.Verb == table.CheckItem:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: name, Key: keyOf(w.Ref.Key), ConditionExpression: condition, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: old,
		}}
	case w.Verb == table.DeleteItem:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: name, Key: keyOf(w.Ref.Key), ConditionExpression: condition, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: old,
		}}
	case w.If.Holds(0):
		return types.TransactWriteItem{Put: &types.Put{
			TableName: name, Item: encode(w.Stored(id, table.Item{})), ConditionExpression: condition, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: old,
		}}
	}
	putOver(values, id, w.Item)
	return types.TransactWriteItem{Update: &types.Update{
		TableName: name, Key: keyOf(w.Ref.Key), UpdateExpression: aws.String(overwrite(w.Item)),
		ConditionExpression: aws.String(*condition + notByUs), ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: old,
	}}
}

// putOver adds the values that overwrite and notByUs name.
func putOver(values attributes, id table.ID, it table.Item) {
	values[":one"], values[":c"] = num(1), str(string(id))
	into(values, it)
}

// single is a commit of one write: half the price of a transaction of one.
func (s *Store) single(ctx context.Context, id table.ID, w table.Write) error {
	if w.Verb == table.CheckItem {
		it, err := s.Get(ctx, w.Ref)
		if err != nil && !errors.Is(err, table.ErrAbsent) {
			return err
		}
		if !w.If.Holds(it.Version) {
			return &table.Conflict{Ref: w.Ref}
		}
		return nil
	}
	consumed, err := s.send(ctx, s.action(id, w, s.now().Unix()))
	writes := []table.Write{w}
	if err == nil {
		s.record(ctx, table.Wrote, consumed, table.WrittenOps(writes, make([]table.Item, 1), s.puts(id, writes))...)
		return nil
	}
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return fmt.Errorf("commit %s: %w", id, writeError(err))
	}
	found, err := decode(refused.Item)
	if err != nil {
		return fmt.Errorf("commit %s: %w", id, err)
	}
	return s.verdict(ctx, id, writes, []table.Item{found}, []bool{true})
}

// send does one action of a transaction without the transaction.
func (s *Store) send(ctx context.Context, a types.TransactWriteItem) (*types.ConsumedCapacity, error) {
	switch {
	case a.Put != nil:
		out, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: a.Put.TableName, Item: a.Put.Item,
			ConditionExpression: a.Put.ConditionExpression, ExpressionAttributeValues: a.Put.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: a.Put.ReturnValuesOnConditionCheckFailure, ReturnConsumedCapacity: wanted(ctx),
		}, once)
		if err != nil {
			return nil, err
		}
		return out.ConsumedCapacity, nil
	case a.Update != nil:
		out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: a.Update.TableName, Key: a.Update.Key, UpdateExpression: a.Update.UpdateExpression,
			ConditionExpression: a.Update.ConditionExpression, ExpressionAttributeValues: a.Update.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: a.Update.ReturnValuesOnConditionCheckFailure, ReturnConsumedCapacity: wanted(ctx),
		}, once)
		if err != nil {
			return nil, err
		}
		return out.ConsumedCapacity, nil
	}
	out, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: a.Delete.TableName, Key: a.Delete.Key,
		ConditionExpression: a.Delete.ConditionExpression, ExpressionAttributeValues: a.Delete.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: a.Delete.ReturnValuesOnConditionCheckFailure, ReturnConsumedCapacity: wanted(ctx),
	}, once)
	if err != nil {
		return nil, err
	}
	return out.ConsumedCapacity, nil
}

// puts are the items that the writes leave behind, as far as they are known
// without reading: what was there before is not.
func (s *Store) puts(id table.ID, writes []table.Write) []table.Item {
	items := make([]table.Item, len(writes))
	for i, w := range writes {
		if w.Verb == table.PutItem {
			items[i] = w.Stored(id, table.Item{})
		}
	}
	return items
}
