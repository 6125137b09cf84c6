package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/table"
)

// countTries is how often Count looks again at what stood in its way. Two are
// enough for one who counts alone; others may come in between.
const countTries = 10

// What the expressions of Count are made of.
const (
	windowOver  = "(attribute_not_exists(cw) OR cw < :w)"
	windowOpen  = "cw = :w AND cn < :limit"
	belowTotal  = " AND (attribute_not_exists(ct) OR ct < :total)"
	startWindow = "SET cw = :w, cn = :one, ct = if_not_exists(ct, :zero) + :one"
	countOn     = "SET cn = cn + :one, ct = ct + :one"
	fillIn      = ", v = if_not_exists(v, :one), z = if_not_exists(z, :z), b = if_not_exists(b, :b)"
)

// Count implements table.Table. The first try is for an item that is absent or
// whose window is over. If it is refused, the service says what it found, and
// that decides between one more write, made for just that, and none.
func (s *Store) Count(ctx context.Context, t table.Tally) (table.Item, error) {
	if err := table.ValidateTally(t); err != nil {
		return table.Item{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Item{}, err
	}
	now := s.now()
	up := firstTry(t)
	for range countTries {
		it, refused, err := s.count(ctx, t, up, now)
		if err != nil {
			return table.Item{}, fmt.Errorf("count %s: %w", t.Ref, err)
		}
		if !refused {
			return it, nil
		}
		live, _ := it.Live(now)
		if live.Version == 0 && t.New.Schema == 0 {
			return table.Item{}, table.ErrAbsent
		}
		after, counts := t.Counted(live)
		switch {
		case !counts:
			return live, table.ErrOver
		case it.Version == 0:
			up = firstTry(t)
		case live.Version == 0:
			up = instead(after)
		case live.Counted.Total > 0 && live.Counted.Window == t.Window:
			up = update{set: countOn, condition: windowOpen}
		default:
			up = update{set: startWindow, condition: windowOver}
		}
	}
	return table.Item{}, fmt.Errorf("count %s: %w: too many count here at once", t.Ref, table.ErrBusy)
}

// update is one way to count.
type update struct {
	set       string
	condition string
	absent    string      // if not empty: or if there is no item, which is then made, filling in these
	replace   *table.Item // instead of all that: put this over an expired item
}

// firstTry counts in a new window. With a New item it also makes the item if it
// is absent. An item that exists must not change but for its counter, so the
// first try takes only those that have every attribute it would fill in.
func firstTry(t table.Tally) update {
	up := update{set: startWindow, condition: windowOver}
	if t.New.Schema == 0 {
		return up
	}
	up.absent = "attribute_not_exists(p)"
	up.set += fillIn
	optional := func(present bool, names ...string) {
		if !present {
			return
		}
		for _, n := range names {
			up.set += ", " + n + " = if_not_exists(" + n + ", :" + n + ")"
		}
		up.condition += " AND attribute_exists(" + names[0] + ")"
	}
	optional(!t.New.Due.IsZero(), attrShard, attrDue)
	optional(t.New.Subject != "", attrSubject)
	optional(!t.New.Expires.IsZero(), attrExpires)
	return up
}

// instead puts a counted item in the place of an expired one.
func instead(it table.Item) update { return update{replace: &it} }

// count tries to count in one way. It returns the item after that, or, if the
// condition did not hold, true and what was found.
func (s *Store) count(ctx context.Context, t table.Tally, up update, now time.Time) (it table.Item, refused bool, err error) {
	var consumed *types.ConsumedCapacity
	if up.replace != nil {
		it, consumed, err = s.replace(ctx, t.Ref, *up.replace, now)
	} else {
		it, consumed, err = s.update(ctx, t, up, now)
	}
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		if it, err = decode(failed.Item); err != nil {
			return table.Item{}, false, err
		}
		table.MeterOf(ctx).Record(table.RefusedOps("", []table.Write{{Ref: t.Ref}}, []table.Item{it})...)
		return it, true, nil
	}
	if err != nil {
		return table.Item{}, false, writeError(err)
	}
	s.record(ctx, table.Wrote, consumed, table.WrittenOps([]table.Write{{Ref: t.Ref}}, []table.Item{{}}, []table.Item{it})...)
	return it, false, nil
}

func (s *Store) update(ctx context.Context, t table.Tally, up update, now time.Time) (table.Item, *types.ConsumedCapacity, error) {
	values := attributes{":now": num(now.Unix()), ":w": str(t.Window), ":one": num(1)}
	condition := ifExists + " AND " + up.condition
	if up.set == countOn {
		values[":limit"] = num(t.Limit)
	} else {
		values[":zero"] = num(0)
	}
	if t.Total > 0 {
		condition += belowTotal
		values[":total"] = num(t.Total)
	}
	if up.absent != "" {
		condition = up.absent + " OR (" + condition + ")"
		fresh := t.New
		fresh.Key = t.Ref.Key
		into(values, fresh)
	}
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           aws.String(s.tables.Physical(t.Ref.Table)),
		Key:                                 keyOf(t.Ref.Key),
		UpdateExpression:                    aws.String(up.set),
		ConditionExpression:                 aws.String(condition),
		ExpressionAttributeValues:           values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              wanted(ctx),
	}, once)
	if err != nil {
		return table.Item{}, nil, err
	}
	it, err := decode(out.Attributes)
	return it, out.ConsumedCapacity, err
}

func (s *Store) replace(ctx context.Context, ref table.Ref, it table.Item, now time.Time) (table.Item, *types.ConsumedCapacity, error) {
	out, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           aws.String(s.tables.Physical(ref.Table)),
		Item:                                encode(it),
		ConditionExpression:                 aws.String(ifAbsent),
		ExpressionAttributeValues:           attributes{":now": num(now.Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              wanted(ctx),
	}, once)
	if err != nil {
		return table.Item{}, nil, err
	}
	return it, out.ConsumedCapacity, nil
}
