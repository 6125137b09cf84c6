package dynamo

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"rightsdesk/shared/table"
)

// asked runs a call of the port and returns what it asked the service, which
// does not answer.
func asked[T any](ctx context.Context, t *testing.T, call func(context.Context, *Store)) T {
	t.Helper()
	var in any
	s, _ := answering(errors.New("no answer"))
	s.client = dynamodb.New(s.client.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("Asked", func(ctx context.Context, i middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) { //nolint:misspell // the SDK spells it so
				in = i.Parameters
				return next.HandleSerialize(ctx, i)
			}), middleware.Before)
		})
	})
	call(ctx, s)
	got, ok := in.(T)
	if !ok {
		t.Fatalf("it asked a %T", in)
	}
	return got
}

// The emulator is consistent whatever it is asked, so this looks at the question.
func TestTablesAreReadStronglyAndIndexesCannotBe(t *testing.T) {
	t.Parallel()
	get := asked[*dynamodb.GetItemInput](t.Context(), t, func(ctx context.Context, s *Store) { _, _ = s.Get(ctx, state.Ref) })
	if !aws.ToBool(get.ConsistentRead) {
		t.Error("get is eventually consistent")
	}
	for ix, want := range map[table.Index]bool{table.Primary: true, table.Due: false, table.Subject: false} {
		q := asked[*dynamodb.QueryInput](t.Context(), t, func(ctx context.Context, s *Store) {
			_, _ = s.Query(ctx, table.Query{Table: table.State, Index: ix, Partition: "p"})
		})
		if aws.ToBool(q.ConsistentRead) != want {
			t.Errorf("a query of %s is strongly consistent: %v, want %v", ix, !want, want)
		}
	}
}

func TestTheBillIsAskedForOnlyIfSomebodyMeters(t *testing.T) {
	t.Parallel()
	commit := func(ctx context.Context, s *Store) { _ = s.Commit(ctx, "id", state, entry) }
	in := asked[*dynamodb.TransactWriteItemsInput](t.Context(), t, commit)
	if in.ReturnConsumedCapacity != types.ReturnConsumedCapacityNone {
		t.Errorf("without a meter it asks for %s", in.ReturnConsumedCapacity)
	}
	in = asked[*dynamodb.TransactWriteItemsInput](table.WithMeter(t.Context(), &table.Meter{}), t, commit)
	if in.ReturnConsumedCapacity != types.ReturnConsumedCapacityIndexes {
		t.Errorf("with a meter it asks for %q", in.ReturnConsumedCapacity)
	}
}

func TestOneWriteIsNoTransaction(t *testing.T) {
	t.Parallel()
	one := func(w table.Write) func(context.Context, *Store) {
		return func(ctx context.Context, s *Store) { _ = s.Commit(ctx, "id", w) }
	}
	asked[*dynamodb.PutItemInput](t.Context(), t, one(entry))
	asked[*dynamodb.UpdateItemInput](t.Context(), t, one(state))
	asked[*dynamodb.DeleteItemInput](t.Context(), t, one(table.Delete(state.Ref, table.Exists)))
	asked[*dynamodb.GetItemInput](t.Context(), t, one(table.Check(state.Ref, table.Exists)))
}
