package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/table"
)

// The attributes; the package comment says what they hold.
const (
	attrPartition = "p"
	attrSort      = "s"
	attrVersion   = "v"
	attrSchema    = "z"
	attrBody      = "b"
	attrCommit    = "c"
	attrExpires   = "x"
	attrShard     = "dp"
	attrDue       = "ds"
	attrSubject   = "u"
	attrWindow    = "cw"
	attrN         = "cn"
	attrTotal     = "ct"
)

// attributes is an item as the service has it.
type attributes = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func bytes(b []byte) types.AttributeValue {
	if b == nil {
		b = []byte{} // the SDK would send null
	}
	return &types.AttributeValueMemberB{Value: b}
}

func keyOf(k table.Key) attributes {
	return attributes{attrPartition: str(k.Partition), attrSort: str(k.Sort)}
}

// encode is the item with everything that is set.
func encode(it table.Item) attributes {
	a := keyOf(it.Key)
	a[attrVersion] = num(it.Version)
	if it.CommitID != "" {
		a[attrCommit] = str(string(it.CommitID))
	}
	if it.Counted.Total > 0 {
		a[attrWindow] = str(it.Counted.Window)
		a[attrN] = num(it.Counted.N)
		a[attrTotal] = num(it.Counted.Total)
	}
	for name, v := range content(it) {
		a[name] = v
	}
	return a
}

// content is the part of an item that its caller decides.
func content(it table.Item) attributes {
	a := attributes{attrSchema: num(int64(it.Schema)), attrBody: bytes(it.Body)}
	if !it.Due.IsZero() {
		a[attrShard] = str(table.ShardOf(it.Key.Partition))
		a[attrDue] = num(it.Due.UnixMilli())
	}
	if it.Subject != "" {
		a[attrSubject] = str(it.Subject)
	}
	if !it.Expires.IsZero() {
		a[attrExpires] = num(it.Expires.Unix())
	}
	return a
}

// decode reads an item, or an entry of an index, which is an item that lacks
// most of its attributes. No attributes at all are the zero Item.
func decode(a attributes) (table.Item, error) {
	r := reader{from: a}
	it := table.Item{
		Key:      table.Key{Partition: r.str(attrPartition), Sort: r.str(attrSort)},
		Body:     r.bytes(attrBody),
		Schema:   int(r.num(attrSchema)),
		Subject:  r.str(attrSubject),
		Version:  r.num(attrVersion),
		CommitID: table.ID(r.str(attrCommit)),
		Counted:  table.Counted{Window: r.str(attrWindow), N: r.num(attrN), Total: r.num(attrTotal)},
	}
	if ms := r.num(attrDue); ms != 0 {
		it.Due = time.UnixMilli(ms).UTC()
	}
	if s := r.num(attrExpires); s != 0 {
		it.Expires = time.Unix(s, 0).UTC()
	}
	return it, r.err
}

// reader reads attributes. One that is absent is the zero value; one of another
// type was not written by us and is an error.
type reader struct {
	from attributes
	err  error
}

func (r *reader) str(name string) string {
	switch v := r.from[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case nil:
	default:
		r.wrong(name)
	}
	return ""
}

func (r *reader) num(name string) int64 {
	switch v := r.from[name].(type) {
	case *types.AttributeValueMemberN:
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err != nil {
			r.wrong(name)
		}
		return n
	case nil:
	default:
		r.wrong(name)
	}
	return 0
}

func (r *reader) bytes(name string) []byte {
	switch v := r.from[name].(type) {
	case *types.AttributeValueMemberB:
		return v.Value
	case nil:
	default:
		r.wrong(name)
	}
	return nil
}

func (r *reader) wrong(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("the stored attribute %s is of a type that this release does not write", name)
	}
}
