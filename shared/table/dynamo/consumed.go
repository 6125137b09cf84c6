package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/table"
)

// wanted asks the service what a call cost, but only if somebody meters it.
func wanted(ctx context.Context) types.ReturnConsumedCapacity {
	if table.MeterOf(ctx) == nil {
		return types.ReturnConsumedCapacityNone
	}
	return types.ReturnConsumedCapacityIndexes
}

// record records what the service said a call cost or, if it said nothing, what
// the rules say.
func (s *Store) record(ctx context.Context, call table.Call, consumed *types.ConsumedCapacity, byRule ...table.Op) {
	if table.MeterOf(ctx) == nil {
		return
	}
	if consumed == nil {
		table.MeterOf(ctx).Record(byRule...)
		return
	}
	table.MeterOf(ctx).Record(s.billed(call, consumed)...)
}

// recordAll does the same for a transaction.
func (s *Store) recordAll(ctx context.Context, consumed []types.ConsumedCapacity, byRule []table.Op) {
	if len(consumed) == 0 {
		table.MeterOf(ctx).Record(byRule...)
		return
	}
	for _, name := range table.Names { // in our order: the service has its own
		for _, c := range consumed {
			if s.tables.logical(aws.ToString(c.TableName)) == name {
				table.MeterOf(ctx).Record(s.billed(table.Wrote, &c)...)
			}
		}
	}
}

func (s *Store) billed(call table.Call, c *types.ConsumedCapacity) []table.Op {
	name := s.tables.logical(aws.ToString(c.TableName))
	var ops []table.Op
	add := func(ix table.Index, capacity types.Capacity) {
		op := table.Op{Call: call, Table: name, Index: ix, Units: units(call, capacity), Billed: true}
		if op.Units != (table.Units{}) {
			ops = append(ops, op)
		}
	}
	if c.Table != nil {
		add(table.Primary, *c.Table)
	}
	for _, ix := range []table.Index{table.Due, table.Subject} {
		if capacity, ok := c.GlobalSecondaryIndexes[*indexName(ix)]; ok {
			add(ix, capacity)
		}
	}
	return ops
}

// units sorts capacity into reads and writes. Where the service gives one figure
// for both, the call tells which it is; it gives two for a transaction, because
// one that it knows again by its token is billed as a read.
func units(call table.Call, c types.Capacity) table.Units {
	if c.ReadCapacityUnits != nil || c.WriteCapacityUnits != nil {
		return table.Units{Read: aws.ToFloat64(c.ReadCapacityUnits), Write: aws.ToFloat64(c.WriteCapacityUnits)}
	}
	if call == table.Got || call == table.Queried || call == table.Scanned {
		return table.Units{Read: aws.ToFloat64(c.CapacityUnits)}
	}
	return table.Units{Write: aws.ToFloat64(c.CapacityUnits)}
}
