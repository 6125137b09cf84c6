// Package wire makes the way between the AWS SDK and DynamoDB fail, on purpose
// and reproducibly: what table/dynamo makes of it, the port's callers see. It is
// a middleware of the SDK, below its retries, so those are exercised too.
//
// Calls are not sent, or sent and their answers lost; throttled; in conflict
// with a transaction; answered with a server's error although done; and pages of
// queries and scans are short. Partial batches cannot be had: the adapter sends none.
//
// Only tests may import it.
package wire

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// oneIn is how rarely a call fails in one given way.
const oneIn = 24

// Faults returns what makes the clients of a configuration suffer. The seed
// decides what fails when. The SDK's retries then wait for nothing, so that
// tests do not either.
func Faults(seed uint64) func(*aws.Config) {
	w := &wire{random: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // it has to be reproducible
	return func(cfg *aws.Config) {
		cfg.APIOptions = append(cfg.APIOptions, w.install)
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
				o.RateLimiter = ratelimit.None
			})
		}
	}
}

type wire struct {
	mu     sync.Mutex
	random *rand.Rand
}

func (w *wire) install(stack *middleware.Stack) error {
	return errors.Join(
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ShortPages", w.shorten), middleware.Before), //nolint:misspell // the SDK spells it so
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Faults", w.fail), middleware.After),
	)
}

// shorten asks for fewer items of a query or scan than the caller did, so that the
// service itself makes the page short, with a key to go on from.
func (w *wire) shorten(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	if q, ok := in.Parameters.(*dynamodb.QueryInput); ok && q.Limit != nil && w.draw(2) == 0 {
		short := *q
		short.Limit = aws.Int32(1 + int32(w.draw(int(*q.Limit)))) //nolint:gosec // at most what it was
		in.Parameters = &short
	}
	if s, ok := in.Parameters.(*dynamodb.ScanInput); ok && s.Limit != nil && w.draw(2) == 0 {
		short := *s
		short.Limit = aws.Int32(1 + int32(w.draw(int(*s.Limit)))) //nolint:gosec // at most what it was
		in.Parameters = &short
	}
	return next.HandleInitialize(ctx, in)
}

// fail is the last before the wire and the first after it.
func (w *wire) fail(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	var none middleware.DeserializeOutput
	if err := w.before(awsmiddleware.GetOperationName(ctx)); err != nil {
		return none, middleware.Metadata{}, err
	}
	out, meta, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, meta, err
	}
	if err := w.after(); err != nil {
		if res, ok := out.RawResponse.(*smithyhttp.Response); ok {
			err = errors.Join(err, res.Body.Close())
		}
		return none, meta, err
	}
	return out, meta, nil
}

// before decides on a call that has not been sent: nothing of it is done.
func (w *wire) before(operation string) error {
	switch w.draw(oneIn) {
	case 0:
		return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case 1:
		return &smithy.GenericAPIError{Code: "ThrottlingException", Message: "injected", Fault: smithy.FaultClient}
	case 2:
		switch operation {
		case "TransactWriteItems":
			return &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
				{Code: aws.String("None")}, {Code: aws.String("TransactionConflict")},
			}}
		case "PutItem", "UpdateItem", "DeleteItem":
			return &types.TransactionConflictException{Message: aws.String("injected")}
		}
	}
	return nil
}

// after decides on an answer that is there: what it answers is done.
func (w *wire) after() error {
	switch w.draw(oneIn) {
	case 0:
		return &net.OpError{Op: "read", Net: "tcp", Err: io.ErrUnexpectedEOF}
	case 1:
		return &types.InternalServerError{Message: aws.String("injected")}
	}
	return nil
}

// draw is a random number from 0 to n-1.
func (w *wire) draw(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(n)
}
