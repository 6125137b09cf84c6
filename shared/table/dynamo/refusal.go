package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"rightsdesk/shared/table"
)

// The codes of a cancellation reason that we know what to do with.
const (
	reasonNone      = "None"
	reasonCondition = "ConditionalCheckFailed"
	reasonConflict  = "TransactionConflict"
	reasonThrottled = "ThrottlingError"
	reasonExceeded  = "ProvisionedThroughputExceeded"
	reasonInvalid   = "ValidationError"
)

// collided reports whether a transaction met another one on some item, and
// nothing else stood in its way.
func collided(c *types.TransactionCanceledException) bool {
	found := false
	for _, r := range c.CancellationReasons {
		switch aws.ToString(r.Code) {
		case reasonConflict:
			found = true
		case reasonNone, "":
		default:
			return false
		}
	}
	return found
}

// refusal says what a cancelled transaction means.
func (s *Store) refusal(ctx context.Context, id table.ID, writes []table.Write, c *types.TransactionCanceledException) error {
	found := make([]table.Item, len(writes))
	failed := make([]bool, len(writes))
	var other error
	for i, r := range c.CancellationReasons {
		switch code := aws.ToString(r.Code); code {
		case reasonCondition:
			if i >= len(writes) {
				return fmt.Errorf("commit %s: more reasons than writes: %w", id, c)
			}
			it, err := decode(r.Item)
			if err != nil {
				return fmt.Errorf("commit %s: %w", id, err)
			}
			found[i], failed[i] = it, true
		case reasonThrottled, reasonExceeded, reasonConflict:
			other = errors.Join(other, table.ErrBusy)
		case reasonInvalid:
			other = errors.Join(other, invalid(aws.ToString(r.Message), c))
		case reasonNone, "":
		default:
			other = errors.Join(other, c)
		}
	}
	if err := s.verdict(ctx, id, writes, found, failed); !errors.Is(err, errNoneFailed) {
		return err
	}
	if other == nil {
		other = c
	}
	return fmt.Errorf("commit %s: %w", id, other)
}

var errNoneFailed = errors.New("no precondition failed")

// verdict judges a commit by the writes whose preconditions failed and what was
// found there: it is the first's conflict, unless an item found proves that the
// commit was applied before.
func (s *Store) verdict(ctx context.Context, id table.ID, writes []table.Write, found []table.Item, failed []bool) error {
	now := s.now()
	verdict := errNoneFailed
	for i, w := range writes {
		if !failed[i] {
			continue
		}
		live, _ := found[i].Live(now)
		if w.Applied(id, live) {
			verdict = nil
			break
		}
		if errors.Is(verdict, errNoneFailed) {
			verdict = &table.Conflict{Ref: w.Ref}
		}
	}
	if !errors.Is(verdict, errNoneFailed) {
		table.MeterOf(ctx).Record(table.RefusedOps(id, writes, found)...)
	}
	return verdict
}

// readError says what a failed read means: it can always be repeated.
func readError(err error) error {
	if busy(err) || unanswered(err) {
		return fmt.Errorf("%w: %w", table.ErrBusy, err)
	}
	return err
}

// writeError says what a failed write means. What the service refused was not
// done; what it did not answer may have been.
func writeError(err error) error {
	var mismatch *types.IdempotentParameterMismatchException
	var running *types.TransactionInProgressException
	switch {
	case busy(err):
		return fmt.Errorf("%w: %w", table.ErrBusy, err)
	case errors.As(err, &mismatch), errors.As(err, &running), unanswered(err):
		return fmt.Errorf("%w: %w", table.ErrUnknown, err)
	}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationException" {
		return invalid(api.ErrorMessage(), err)
	}
	return err
}

// invalid tells an item that outgrew the limit, which only the service can see
// where it is the counter that makes it too large, from a mistake of ours.
func invalid(message string, err error) error {
	if strings.Contains(strings.ToLower(message), "item size") {
		return fmt.Errorf("%w: %w", table.ErrTooLarge, err)
	}
	return err
}

// busy reports whether the service turned a call away that it may take later, or
// the call never reached it.
func busy(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "Throttling",
			"TransactionConflictException", "LimitExceededException", "ReplicatedWriteConflictException":
			return true
		}
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// unanswered reports whether a call went out and no verdict came back.
func unanswered(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorFault() == smithy.FaultServer || api.ErrorCode() == "InternalServerError" || api.ErrorCode() == "ServiceUnavailable"
	}
	return true
}
