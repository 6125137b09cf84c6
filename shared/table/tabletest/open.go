package tabletest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/table/embedded"
)

// Embedded opens a store in a file of the test's own. It does not sync: what is
// tested is not the disk.
func Embedded(tb testing.TB, now func() time.Time) *embedded.Store {
	tb.Helper()
	s, err := embedded.Open(filepath.Join(tb.TempDir(), "store.db"), now, embedded.NoSync())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Dynamo makes three tables of random names at an endpoint, and drops them at
// the end of the test. The options go into the store's client only.
func Dynamo(tb testing.TB, endpoint string, now func() time.Time, options ...func(*aws.Config)) *dynamo.Store {
	tb.Helper()
	cfg := config(endpoint)
	tables := Tables(tb, cfg)
	for _, option := range options {
		option(&cfg)
	}
	return dynamo.New(cfg, tables, now)
}

// Tables makes three tables of random names, and drops them at the end of the test.
func Tables(tb testing.TB, cfg aws.Config) dynamo.Tables {
	tb.Helper()
	prefix := "rightsdesk-test-" + string(table.NewID())
	tables := dynamo.Tables{State: prefix + "-state", Audit: prefix + "-audit", Keys: prefix + "-keys"}
	client := dynamodb.NewFromConfig(cfg)
	for _, name := range table.Names {
		in := dynamo.TableInput(name, tables.Physical(name))
		if _, err := client.CreateTable(tb.Context(), in); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			ctx := context.WithoutCancel(tb.Context())
			if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: in.TableName}); err != nil {
				tb.Errorf("drop a table of this test: %v", err)
			}
		})
	}
	for _, name := range table.Names {
		w := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second })
		err := w.Wait(tb.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(tables.Physical(name))}, 2*time.Minute)
		if err != nil {
			tb.Fatal(err)
		}
	}
	return tables
}

// config leads to an emulator, which takes any credentials.
func config(endpoint string) aws.Config {
	return aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}
