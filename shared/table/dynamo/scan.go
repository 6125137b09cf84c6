package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rightsdesk/shared/table"
)

// Scan implements table.Table.
func (s *Store) Scan(ctx context.Context, scan table.Scan) (table.Page, error) {
	if err := table.ValidateScan(scan); err != nil {
		return table.Page{}, err
	}
	from, resumed, err := scan.Start()
	if err != nil {
		return table.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Page{}, err
	}
	in := &dynamodb.ScanInput{
		TableName:              aws.String(s.tables.Physical(scan.Table)),
		ConsistentRead:         aws.Bool(true),
		Limit:                  aws.Int32(int32(scan.PageSize())), //nolint:gosec // at most 1000
		ReturnConsumedCapacity: wanted(ctx),
	}
	if scan.Segments > 1 {
		in.Segment = aws.Int32(int32(scan.Segment))        //nolint:gosec // validated: at most MaxSegments
		in.TotalSegments = aws.Int32(int32(scan.Segments)) //nolint:gosec // validated: at most MaxSegments
	}
	if resumed {
		in.ExclusiveStartKey = keyOf(from)
	}
	out, err := s.client.Scan(ctx, in)
	if err != nil {
		return table.Page{}, fmt.Errorf("scan %s: %w", scan.Table, readError(err))
	}
	page, size, err := s.scanned(scan, out)
	if err != nil {
		return table.Page{}, fmt.Errorf("scan %s: %w", scan.Table, err)
	}
	s.record(ctx, table.Scanned, out.ConsumedCapacity, table.Op{Call: table.Scanned, Table: scan.Table, Units: table.Units{Read: table.ReadUnits(size)}})
	return page, nil
}

func (s *Store) scanned(scan table.Scan, out *dynamodb.ScanOutput) (page table.Page, size int, err error) {
	now := s.now()
	for _, a := range out.Items {
		it, err := decode(a)
		if err != nil {
			return table.Page{}, 0, err
		}
		size += it.Size()
		if it, live := it.Live(now); live {
			page.Items = append(page.Items, it)
		}
	}
	if len(out.LastEvaluatedKey) > 0 {
		last, err := decode(out.LastEvaluatedKey)
		if err != nil {
			return table.Page{}, 0, err
		}
		page.Cursor = scan.CursorAt(last.Key)
	}
	return page, size, nil
}
