package s3source

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/smithy-go"

	"rightsdesk/shared/source"
)

// hopeless are the service's words for what no repetition mends: the mapping, the
// bucket or the role is wrong.
var hopeless = map[string]bool{
	"AccessDenied": true, "Forbidden": true, "AllAccessDisabled": true, "AccountProblem": true, "InvalidAccessKeyId": true, "SignatureDoesNotMatch": true,
	"NoSuchBucket": true, "InvalidBucketName": true, "PermanentRedirect": true, "MovedPermanently": true, "AuthorizationHeaderMalformed": true, "IllegalLocationConstraintException": true,
	"BadRequest": true, "InvalidRequest": true, "InvalidArgument": true, "MalformedXML": true, "KeyTooLongError": true, "MethodNotAllowed": true, "NotImplemented": true,
	"KMS.DisabledException": true, "KMS.NotFoundException": true, "KMS.KMSInvalidStateException": true, "InvalidObjectState": true,
}

// sorted says whether trying again can help. The service's messages are left out,
// and so is what the network says of an address: both quote keys, and keys may
// name a person.
func sorted(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if hopeless[api.ErrorCode()] {
			return fmt.Errorf("%w: S3 answered %s", source.ErrRefused, api.ErrorCode())
		}
		return fmt.Errorf("%w: S3 answered %s", source.ErrLater, api.ErrorCode())
	}
	for _, known := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			return fmt.Errorf("%w: S3 did not answer: %w", source.ErrLater, known)
		}
	}
	if broken, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%w: S3 did not answer: %w", source.ErrLater, broken.Err)
	}
	return fmt.Errorf("%w: S3 gave no answer that can be read", source.ErrLater)
}

// isGone reports whether an error says that a version is not there any more.
func isGone(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return false
	}
	switch api.ErrorCode() {
	case "NoSuchKey", "NoSuchVersion", "NotFound":
		return true
	}
	return false
}

func refused(err error) error { return fmt.Errorf("%w: %w", source.ErrRefused, err) }
