package ses

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
)

// Suppressions reads the list of the account and region to whose addresses SES
// delivers nothing more.
type Suppressions struct{ client *sesv2.Client }

var _ mail.Suppressions = Suppressions{}

// SuppressionsOf returns the list that a client sees.
func SuppressionsOf(client *sesv2.Client) Suppressions { return Suppressions{client} }

// pageSize is what everybody asks for: SES documents no bound, and would refuse a
// call that goes beyond it.
const pageSize = 100

// Between implements mail.Suppressions. Reading may be repeated, so the SDK's own
// attempts stay on: SES lets an account list only so often.
func (s Suppressions) Between(ctx context.Context, from, to time.Time, each func(mail.Suppressed) error) error {
	pages := sesv2.NewListSuppressedDestinationsPaginator(s.client, &sesv2.ListSuppressedDestinationsInput{
		Reasons:   []types.SuppressionListReason{types.SuppressionListReasonBounce, types.SuppressionListReasonComplaint},
		StartDate: &from, EndDate: &to, PageSize: aws.Int32(pageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return unlisted(err)
		}
		for _, d := range page.SuppressedDestinationSummaries {
			who, ok := personal.ParseEmail(aws.ToString(d.EmailAddress))
			if !ok {
				continue // anybody may put anything on the list; an address that we know it is not
			}
			if d.LastUpdateTime == nil {
				return errUndated
			}
			if err := each(mail.Suppressed{Address: who, Complained: d.Reason == types.SuppressionListReasonComplaint, At: *d.LastUpdateTime}); err != nil {
				return err
			}
		}
	}
	return nil
}

var errUndated = errors.New("ses: an address on the list of suppressed ones has no time")

// unlisted says why the list could not be read. The text of SES is not passed on: it
// may repeat an address.
func unlisted(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return fmt.Errorf("ses: the list of suppressed addresses cannot be read: SES answered %s", api.ErrorCode())
	}
	return fmt.Errorf("ses: the list of suppressed addresses cannot be read: no answer from SES%s", why(err))
}
