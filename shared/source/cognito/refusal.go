package cognitosource

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"rightsdesk/shared/source"
)

// hopeless are the service's words for what no repetition mends: the mapping, the
// role or the order is wrong.
var hopeless = map[string]bool{
	"AccessDeniedException": true, "AccessDenied": true, "NotAuthorizedException": true, "UnrecognizedClientException": true, "InvalidSignatureException": true, "MissingAuthenticationTokenException": true,
	"ResourceNotFoundException": true, "InvalidParameterException": true, "ValidationException": true, "SerializationException": true, "InvalidUserPoolConfigurationException": true,
	"AliasExistsException": true, "UnsupportedUserStateException": true, "InvalidLambdaResponseException": true, "UserLambdaValidationException": true,
}

// sorted says whether trying again can help. The service's messages are left out:
// some of them quote the request, and the request holds a person.
func sorted(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if hopeless[api.ErrorCode()] {
			return fmt.Errorf("%w: Cognito answered %s", source.ErrRefused, api.ErrorCode())
		}
		return fmt.Errorf("%w: Cognito answered %s", source.ErrLater, api.ErrorCode())
	}
	for _, known := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			return fmt.Errorf("%w: Cognito did not answer: %w", source.ErrLater, known)
		}
	}
	return fmt.Errorf("%w: Cognito gave no answer that can be read", source.ErrLater)
}

// isGone reports whether an error says that the pool has no such user.
func isGone(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "UserNotFoundException"
}

func refused(err error) error { return fmt.Errorf("%w: %w", source.ErrRefused, err) }
