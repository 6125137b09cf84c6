package dynamodbsource

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/source"
)

// maxLook is how many items are read at once: BatchGetItem takes no more keys.
const maxLook = 100

// position is how far a look has come.
type position struct {
	Leg   int  `json:"leg"`
	After item `json:"-"` // the key after which the leg goes on; nil: from its start
}

// look reads at most limit items of the leg it is on, and returns where to go on;
// beyond the last leg the look is over. Items that lie on an earlier leg too were
// seen there.
func (s *Source) look(ctx context.Context, legs []leg, at position, limit int) ([]item, position, error) {
	l := legs[at.Leg]
	q := &dynamodb.QueryInput{
		TableName:                 &s.m.Table,
		KeyConditionExpression:    aws.String("#who = :who"),
		ExpressionAttributeNames:  map[string]string{"#who": l.Attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":who": &types.AttributeValueMemberS{Value: l.value}},
		ExclusiveStartKey:         at.After,
		Limit:                     aws.Int32(int32(min(limit, maxLook))), //nolint:gosec // at most 100
		ConsistentRead:            aws.Bool(l.Index == ""),
	}
	if l.Index != "" {
		q.IndexName = &l.Index
		q.ProjectionExpression = project(q.ExpressionAttributeNames, s.m.Key.Partition, s.m.Key.Sort)
	}
	out, err := s.o.Client.Query(ctx, q)
	if err != nil {
		return nil, at, sorted(err)
	}
	items := make([]item, len(out.Items))
	for i := range out.Items {
		items[i] = out.Items[i]
	}
	if l.Index != "" {
		if items, _, err = s.reread(ctx, items, true); err != nil {
			return nil, at, err
		}
	}
	items = slices.DeleteFunc(items, func(it item) bool {
		return !l.owns(it) || slices.ContainsFunc(legs[:at.Leg], func(earlier leg) bool { return earlier.owns(it) })
	})
	if len(out.LastEvaluatedKey) > 0 {
		return items, position{at.Leg, out.LastEvaluatedKey}, nil
	}
	return items, position{at.Leg + 1, nil}, nil
}

// reread reads the items that an index proposed from the table, and says what that
// cost. A key whose item is gone proposes nothing. What is only to be shown need not
// be read strongly, which costs half.
func (s *Source) reread(ctx context.Context, keys []item, strongly bool) (items []item, units float64, err error) {
	read := make(map[string]item, len(keys))
	for some := range slices.Chunk(keys, maxLook) {
		ask := make([]map[string]types.AttributeValue, len(some))
		for i, k := range some {
			ask[i] = k
		}
		for tries := 0; len(ask) > 0; tries++ {
			if tries == 5 {
				return nil, units, fmt.Errorf("%w: DynamoDB leaves keys unprocessed", source.ErrLater)
			}
			out, err := s.o.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems:           map[string]types.KeysAndAttributes{s.m.Table: {Keys: ask, ConsistentRead: &strongly}},
				ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
			})
			if err != nil {
				return nil, units, sorted(err)
			}
			for _, c := range out.ConsumedCapacity {
				units += aws.ToFloat64(c.CapacityUnits)
			}
			for _, it := range out.Responses[s.m.Table] {
				read[s.m.keyText(it)] = it
			}
			ask = out.UnprocessedKeys[s.m.Table].Keys
		}
	}
	items = make([]item, 0, len(keys))
	for _, k := range keys { // in the order of the index
		if it, there := read[s.m.keyText(k)]; there {
			items = append(items, it)
		}
	}
	return items, units, nil
}

// keyText tells keys apart.
func (m Mapping) keyText(it item) string {
	return fmt.Sprintf("%q %q", bytesOf(it[m.Key.Partition]), bytesOf(it[m.Key.Sort]))
}

// scalars are attributes of the types that keys have, as JSON.
type scalars struct {
	S map[string]string `json:"s,omitempty"`
	N map[string]string `json:"n,omitempty"`
	B map[string][]byte `json:"b,omitempty"`
}

func toScalars(it item) scalars {
	c := scalars{map[string]string{}, map[string]string{}, map[string][]byte{}}
	for name, v := range it {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			c.S[name] = v.Value
		case *types.AttributeValueMemberN:
			c.N[name] = v.Value
		case *types.AttributeValueMemberB:
			c.B[name] = v.Value
		}
	}
	return c
}

// item is the attributes again; nil if there are none.
func (c scalars) item() item {
	it := item{}
	maps.Insert(it, mapped(c.S, func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }))
	maps.Insert(it, mapped(c.N, func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }))
	maps.Insert(it, mapped(c.B, func(v []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: v} }))
	if len(it) == 0 {
		return nil
	}
	return it
}

func mapped[V any](from map[string]V, to func(V) types.AttributeValue) func(func(string, types.AttributeValue) bool) {
	return func(yield func(string, types.AttributeValue) bool) {
		for name, v := range from {
			if !yield(name, to(v)) {
				return
			}
		}
	}
}

// token is v as JSON in base64, as cursors and handles are.
func token(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and bytes: it cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parseToken(s string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && json.Unmarshal(raw, into) == nil
}

var errCursor = fmt.Errorf("%w: the cursor is none of this source's", source.ErrRefused)

// A cursor leaves out what is equal to the identity that was asked for, and puts it
// back, so that it does not carry the identity.
type cursor struct {
	position
	Who bool `json:"who"` // the key has the leg's attribute
	scalars
}

func (p position) cursor(legs []leg) string {
	c := cursor{position: p, scalars: toScalars(p.After)}
	_, c.Who = c.S[legs[p.Leg].Attribute]
	delete(c.S, legs[p.Leg].Attribute)
	return token(c)
}

func parsePosition(s string, legs []leg) (position, error) {
	if s == "" {
		return position{}, nil
	}
	var c cursor
	if !parseToken(s, &c) || c.Leg < 0 || c.Leg >= len(legs) {
		return position{}, errCursor
	}
	after := c.item()
	if c.Who {
		if after == nil {
			after = item{}
		}
		after[legs[c.Leg].Attribute] = &types.AttributeValueMemberS{Value: legs[c.Leg].value}
	}
	return position{c.Leg, after}, nil
}
