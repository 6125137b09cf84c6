package dynamodbsource

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"rightsdesk/shared/source"
)

// hopeless are the service's words for what no repetition mends: the mapping or
// the role is wrong.
var hopeless = map[string]bool{
	"ResourceNotFoundException": true, "ValidationException": true, "SerializationException": true, "AccessDeniedException": true,
	"UnrecognizedClientException": true, "InvalidSignatureException": true, "MissingAuthenticationTokenException": true,
}

// sorted says whether trying again can help. The service's messages are left
// out: some of them quote the request, and the request holds a person.
func sorted(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if hopeless[api.ErrorCode()] {
			return fmt.Errorf("%w: DynamoDB answered %s", source.ErrRefused, api.ErrorCode())
		}
		return fmt.Errorf("%w: DynamoDB answered %s", source.ErrLater, api.ErrorCode())
	}
	return fmt.Errorf("%w: %w", source.ErrLater, err)
}

func refused(err error) error { return fmt.Errorf("%w: %w", source.ErrRefused, err) }
