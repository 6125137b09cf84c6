package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rightsdesk/shared/table"
)

// Get implements table.Table.
func (s *Store) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	if err := table.ValidateRef(ref); err != nil {
		return table.Item{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Item{}, err
	}
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:              aws.String(s.tables.Physical(ref.Table)),
		Key:                    keyOf(ref.Key),
		ConsistentRead:         aws.Bool(true),
		ReturnConsumedCapacity: wanted(ctx),
	})
	if err != nil {
		return table.Item{}, fmt.Errorf("get %s: %w", ref, readError(err))
	}
	it, err := decode(out.Item)
	if err != nil {
		return table.Item{}, fmt.Errorf("get %s: %w", ref, err)
	}
	size := 0
	if it.Version > 0 {
		size = it.Size()
	}
	s.record(ctx, table.Got, out.ConsumedCapacity, table.Op{Call: table.Got, Table: ref.Table, Units: table.Units{Read: table.ReadUnits(size)}})
	it, live := it.Live(s.now())
	if !live {
		return table.Item{}, table.ErrAbsent
	}
	return it, nil
}

// Query implements table.Table.
func (s *Store) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := table.ValidateQuery(q); err != nil {
		return table.Page{}, err
	}
	from, resumed, err := q.Start()
	if err != nil {
		return table.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Page{}, err
	}
	in := s.question(q)
	in.ReturnConsumedCapacity = wanted(ctx)
	if resumed {
		in.ExclusiveStartKey = startKey(q, from)
	}
	out, err := s.client.Query(ctx, in)
	if err != nil {
		return table.Page{}, fmt.Errorf("query %s %s: %w", q.Table, q.Index, readError(err))
	}
	page, size, err := s.page(q, out)
	if err != nil {
		return table.Page{}, fmt.Errorf("query %s %s: %w", q.Table, q.Index, err)
	}
	units := table.ReadUnits(size)
	if q.Index != table.Primary {
		units /= 2
	}
	s.record(ctx, table.Queried, out.ConsumedCapacity, table.Op{Call: table.Queried, Table: q.Table, Index: q.Index, Units: table.Units{Read: units}})
	return page, nil
}

func (s *Store) question(q table.Query) *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{
		TableName:                 aws.String(s.tables.Physical(q.Table)),
		IndexName:                 indexName(q.Index),
		Limit:                     aws.Int32(int32(q.PageSize())), //nolint:gosec // at most 1000
		ExpressionAttributeValues: attributes{":p": str(q.Partition)},
	}
	switch q.Index {
	case table.Primary:
		in.ConsistentRead = aws.Bool(true)
		in.KeyConditionExpression = aws.String("p = :p")
		if q.Prefix != "" {
			in.KeyConditionExpression = aws.String("p = :p AND begins_with(s, :s)")
			in.ExpressionAttributeValues[":s"] = str(q.Prefix)
		}
	case table.Due:
		in.KeyConditionExpression = aws.String("dp = :p")
		if !q.Until.IsZero() {
			in.KeyConditionExpression = aws.String("dp = :p AND ds <= :d")
			in.ExpressionAttributeValues[":d"] = num(q.Until.UnixMilli())
		}
	case table.Subject:
		in.KeyConditionExpression = aws.String("u = :p")
	}
	return in
}

// startKey is all the key attributes of the entry that a page ended with: those
// of the index and those of the table.
func startKey(q table.Query, from table.Place) attributes {
	k := keyOf(from.Key)
	switch q.Index {
	case table.Due:
		k[attrShard] = str(q.Partition)
		k[attrDue] = num(from.Due.UnixMilli())
	case table.Subject:
		k[attrSubject] = str(q.Partition)
	case table.Primary:
	}
	return k
}

func (s *Store) page(q table.Query, out *dynamodb.QueryOutput) (page table.Page, size int, err error) {
	now := s.now()
	for _, a := range out.Items {
		it, err := decode(a)
		if err != nil {
			return table.Page{}, 0, err
		}
		size += it.EntrySize(q.Index)
		if q.Index != table.Primary {
			it.Version = 1 // an entry of an index has none, but it is there
		}
		if _, live := it.Live(now); !live {
			continue
		}
		switch q.Index {
		case table.Due:
			it = table.Item{Key: it.Key, Due: it.Due}
		case table.Subject:
			it = table.Item{Key: it.Key, Subject: it.Subject}
		case table.Primary:
		}
		page.Items = append(page.Items, it)
	}
	if len(out.LastEvaluatedKey) > 0 {
		last, err := decode(out.LastEvaluatedKey)
		if err != nil {
			return table.Page{}, 0, err
		}
		page.Cursor = q.CursorAt(table.Place{Key: last.Key, Due: last.Due})
	}
	return page, size, nil
}
