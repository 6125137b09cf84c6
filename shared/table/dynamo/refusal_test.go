package dynamo

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"rightsdesk/shared/table"
)

// answering is a store whose service answers every call with the next of errs,
// and the number of calls that reached it. Nothing is sent.
func answering(errs ...error) (*Store, *int) {
	calls := 0
	fail := func(context.Context, middleware.DeserializeInput, middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		err := errs[min(calls, len(errs)-1)]
		calls++
		return middleware.DeserializeOutput{}, middleware.Metadata{}, err
	}
	cfg := aws.Config{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Answers", fail), middleware.After)
	})
	now := func() time.Time { return time.Unix(1774742399, 0) }
	return New(cfg, Tables{State: "s", Audit: "a", Keys: "k"}, now), &calls
}

func canceled(reasons ...types.CancellationReason) error {
	return &types.TransactionCanceledException{CancellationReasons: reasons}
}

func reason(code string) types.CancellationReason {
	return types.CancellationReason{Code: aws.String(code)}
}

// by is an item that the given commit put.
func by(id table.ID) types.CancellationReason {
	it := table.Item{Key: table.Key{Partition: "p", Sort: "entry"}, Version: 1, Schema: 1, CommitID: id}
	return types.CancellationReason{Code: aws.String(reasonCondition), Item: encode(it)}
}

var (
	state = table.Put(table.State, table.Item{Key: table.Key{Partition: "p", Sort: "state"}, Schema: 1}, table.Version(1))
	entry = table.Put(table.Audit, table.Item{Key: table.Key{Partition: "p", Sort: "entry"}, Schema: 1}, table.New)
)

func TestWhatTheServiceSaysOfACommit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []error
		want    error
		ref     table.Ref // of the conflict
		calls   int
	}{
		"a failed condition is a conflict on its write":        {[]error{canceled(reason("None"), reason(reasonCondition))}, table.ErrConflict, entry.Ref, 1},
		"of two failed conditions the first":                   {[]error{canceled(reason(reasonCondition), by("other"))}, table.ErrConflict, state.Ref, 1},
		"an entry with our id is our own success":              {[]error{canceled(reason("None"), by("id"))}, nil, table.Ref{}, 1},
		"even if others wrote the state since":                 {[]error{canceled(reason(reasonCondition), by("id"))}, nil, table.Ref{}, 1},
		"a collision is tried again":                           {[]error{canceled(reason(reasonConflict), reason("None")), canceled(reason("None"), by("id"))}, nil, table.Ref{}, 2},
		"but not for ever":                                     {[]error{canceled(reason(reasonConflict), reason("None"))}, table.ErrBusy, table.Ref{}, collisions},
		"a collision beside a failed condition is a conflict":  {[]error{canceled(reason(reasonConflict), reason(reasonCondition))}, table.ErrConflict, entry.Ref, 1},
		"a throttled table is busy":                            {[]error{canceled(reason(reasonThrottled), reason("None"))}, table.ErrBusy, table.Ref{}, 1},
		"a table over its capacity is busy":                    {[]error{canceled(reason("None"), reason(reasonExceeded))}, table.ErrBusy, table.Ref{}, 1},
		"an item too large by its counter is too large":        {[]error{canceled(types.CancellationReason{Code: aws.String(reasonInvalid), Message: aws.String("Item size to update has exceeded the maximum allowed size")}, reason("None"))}, table.ErrTooLarge, table.Ref{}, 1},
		"throttled calls are busy":                             {[]error{&smithy.GenericAPIError{Code: "ThrottlingException"}}, table.ErrBusy, table.Ref{}, 1},
		"too many calls are busy":                              {[]error{&types.RequestLimitExceeded{}}, table.ErrBusy, table.Ref{}, 1},
		"a call that was never sent is busy":                   {[]error{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, table.ErrBusy, table.Ref{}, 1},
		"a call whose answer was cut off is unknown":           {[]error{io.ErrUnexpectedEOF}, table.ErrUnknown, table.Ref{}, 1},
		"a server's error is unknown":                          {[]error{&types.InternalServerError{}}, table.ErrUnknown, table.Ref{}, 1},
		"one that is still running is unknown":                 {[]error{&types.TransactionInProgressException{}}, table.ErrUnknown, table.Ref{}, 1},
		"a token used for something else is unknown":           {[]error{&types.IdempotentParameterMismatchException{}}, table.ErrUnknown, table.Ref{}, 1},
		"a reply after the deadline is unknown":                {[]error{context.DeadlineExceeded}, table.ErrUnknown, table.Ref{}, 1},
		"more reasons than writes are no conflict of anything": {[]error{canceled(reason("None"), reason("None"), reason(reasonCondition))}, errAny, table.Ref{}, 1},
		"no right to write is what it is":                      {[]error{&smithy.GenericAPIError{Code: "AccessDeniedException"}}, errAny, table.Ref{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, calls := answering(c.answers...)
			err := s.Commit(t.Context(), "id", state, entry)
			check(t, err, c.want)
			var conflict *table.Conflict
			if errors.As(err, &conflict) && conflict.Ref != c.ref {
				t.Errorf("the conflict is on %s, want %s", conflict.Ref, c.ref)
			}
			if *calls != c.calls {
				t.Errorf("%d calls, want %d", *calls, c.calls)
			}
		})
	}
}

func TestWhatTheServiceSaysOfOneWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer error
		want   error
	}{
		"a failed condition is a conflict":           {&types.ConditionalCheckFailedException{}, table.ErrConflict},
		"an item with our id is our own success":     {&types.ConditionalCheckFailedException{Item: by("id").Item}, nil},
		"an item of another commit is a conflict":    {&types.ConditionalCheckFailedException{Item: by("other").Item}, table.ErrConflict},
		"a collision with a transaction is busy":     {&types.TransactionConflictException{}, table.ErrBusy},
		"a call whose answer was cut off is unknown": {io.ErrUnexpectedEOF, table.ErrUnknown},
	} {
		s, calls := answering(c.answer)
		check(t, s.Commit(t.Context(), "id", entry), c.want)
		if *calls != 1 {
			t.Errorf("%s: %d calls, want 1", name, *calls)
		}
	}
}

func TestALostAnswerToACountIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	for lost, want := range map[error]error{
		io.ErrUnexpectedEOF:                             table.ErrUnknown,
		&types.ProvisionedThroughputExceededException{}: table.ErrBusy,
	} {
		s, calls := answering(lost)
		s.client = dynamodb.New(s.client.Options(), func(o *dynamodb.Options) { o.Retryer = nil }) // the SDK's own
		_, err := s.Count(t.Context(), table.Tally{Ref: state.Ref, Limit: 1, New: state.Item})
		check(t, err, want)
		if *calls != 1 {
			t.Errorf("%v: %d calls, want 1", lost, *calls)
		}
	}
}

func TestALostReadIsBusy(t *testing.T) {
	t.Parallel()
	s, _ := answering(io.ErrUnexpectedEOF)
	_, err := s.Get(t.Context(), state.Ref)
	check(t, err, table.ErrBusy)
	_, err = s.Query(t.Context(), table.Query{Table: table.State, Partition: "p"})
	check(t, err, table.ErrBusy)
}

// errAny stands for an error that is none of the port's.
var errAny = errors.New("another error")

func check(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(want, errAny) {
		if !errors.Is(err, want) {
			t.Errorf("error is %v, want %v", err, want)
		}
		return
	}
	for _, port := range []error{nil, table.ErrAbsent, table.ErrOver, table.ErrTooLarge, table.ErrBusy, table.ErrUnknown, table.ErrConflict} {
		if errors.Is(err, port) {
			t.Errorf("error is %v, want one that is not of the port", err)
		}
	}
}
