package dynamo

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rightsdesk/shared/table"
)

// Tables are the names that the three tables have in the account.
type Tables struct{ State, Audit, Keys string }

// Physical is the name of one of them.
func (t Tables) Physical(name table.Name) string {
	switch name {
	case table.State:
		return t.State
	case table.Audit:
		return t.Audit
	case table.Keys:
		return t.Keys
	}
	return ""
}

func (t Tables) logical(physical string) table.Name {
	for _, name := range table.Names {
		if t.Physical(name) == physical {
			return name
		}
	}
	return ""
}

// Store is the item store in DynamoDB. It implements table.Table and is safe for
// concurrent use.
type Store struct {
	client *dynamodb.Client
	tables Tables
	now    func() time.Time
}

var _ table.Table = (*Store)(nil)

// New returns the store in the tables of the account and endpoint that cfg leads
// to. now is the clock that decides what has expired.
func New(cfg aws.Config, tables Tables, now func() time.Time) *Store {
	return &Store{client: dynamodb.NewFromConfig(cfg), tables: tables, now: now}
}

// once keeps the SDK from repeating a call that the service would not know again.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }
