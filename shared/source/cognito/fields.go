package cognitosource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"

	"rightsdesk/shared/source"
)

// errGone: the user was deleted while we read.
var errGone = errors.New("the user is gone")

// device is a device that the pool remembers.
type device struct {
	Key        string            `json:"key"`
	Created    time.Time         `json:"created,omitzero"`
	LastUsed   time.Time         `json:"last_used,omitzero"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// attempt is a sign-in, or another event that the pool watched for risks.
type attempt struct {
	Type     string    `json:"type"`
	At       time.Time `json:"at,omitzero"`
	Response string    `json:"response,omitempty"`
	IP       string    `json:"ip,omitempty"`
	Device   string    `json:"device,omitempty"`
	City     string    `json:"city,omitempty"`
	Country  string    `json:"country,omitempty"`
}

// fields returns all that the pool says of a user: the attributes by their names,
// and the rest by names with the prefix that Cognito itself uses.
func (s *Source) fields(ctx context.Context, u user) (json.RawMessage, error) {
	all := map[string]any{
		"cognito:username": u.name, "cognito:user_status": u.status, "cognito:enabled": u.enabled, "cognito:created": u.created.UTC(), "cognito:modified": u.modified.UTC(),
	}
	for name, v := range u.attributes {
		all[name] = v
	}
	if len(u.mfa) > 0 {
		all["cognito:mfa"] = u.mfa
	}
	groups, err := s.groups(ctx, u)
	if err != nil {
		return nil, err
	}
	devices, err := s.devices(ctx, u)
	if err != nil {
		return nil, err
	}
	attempts, err := s.attempts(ctx, u)
	if err != nil {
		return nil, err
	}
	if len(groups) > 0 {
		all["cognito:groups"] = groups
	}
	if len(devices) > 0 {
		all["cognito:devices"] = devices
	}
	if len(attempts) > 0 {
		all["cognito:events"] = attempts
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return nil, refused(errors.New("a user cannot be written as JSON")) // err might quote it
	}
	return raw, nil
}

// maxPages bounds the lists of one user.
const maxPages = 100

// pages collects the pages of a list about one user. unless are the service's words
// for a pool that does not keep such a list.
func pages[T any](unless string, next func(token *string) ([]T, *string, error)) ([]T, error) {
	var (
		all   []T
		token *string
	)
	for range maxPages {
		some, after, err := next(token)
		if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == unless {
			return nil, nil
		}
		if isGone(err) {
			return nil, errGone
		}
		if err != nil {
			return nil, sorted(err)
		}
		all = append(all, some...)
		if token = after; aws.ToString(token) == "" {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%w: a list about a user has no end", source.ErrRefused)
}

func (s *Source) groups(ctx context.Context, u user) ([]string, error) {
	return pages("", func(token *string) ([]string, *string, error) {
		out, err := s.o.Client.AdminListGroupsForUser(ctx, &cognito.AdminListGroupsForUserInput{UserPoolId: &s.m.UserPool, Username: &u.name, NextToken: token, Limit: aws.Int32(maxList)})
		if err != nil {
			return nil, nil, err
		}
		var names []string
		for _, g := range out.Groups {
			names = append(names, aws.ToString(g.GroupName))
		}
		return names, out.NextToken, nil
	})
}

func (s *Source) devices(ctx context.Context, u user) ([]device, error) {
	return pages("InvalidUserPoolConfigurationException", func(token *string) ([]device, *string, error) {
		out, err := s.o.Client.AdminListDevices(ctx, &cognito.AdminListDevicesInput{UserPoolId: &s.m.UserPool, Username: &u.name, PaginationToken: token, Limit: aws.Int32(maxList)})
		if err != nil {
			return nil, nil, err
		}
		var devices []device
		for _, d := range out.Devices {
			devices = append(devices, device{
				Key: aws.ToString(d.DeviceKey), Created: aws.ToTime(d.DeviceCreateDate).UTC(), LastUsed: aws.ToTime(d.DeviceLastAuthenticatedDate).UTC(), Attributes: plain(d.DeviceAttributes),
			})
		}
		return devices, out.PaginationToken, nil
	})
}

func (s *Source) attempts(ctx context.Context, u user) ([]attempt, error) {
	return pages("UserPoolAddOnNotEnabledException", func(token *string) ([]attempt, *string, error) {
		out, err := s.o.Client.AdminListUserAuthEvents(ctx, &cognito.AdminListUserAuthEventsInput{UserPoolId: &s.m.UserPool, Username: &u.name, NextToken: token, MaxResults: aws.Int32(maxList)})
		if err != nil {
			return nil, nil, err
		}
		var attempts []attempt
		for _, e := range out.AuthEvents {
			a := attempt{Type: string(e.EventType), At: aws.ToTime(e.CreationDate).UTC(), Response: string(e.EventResponse)}
			if c := e.EventContextData; c != nil {
				a.IP, a.Device, a.City, a.Country = aws.ToString(c.IpAddress), aws.ToString(c.DeviceName), aws.ToString(c.City), aws.ToString(c.Country)
			}
			attempts = append(attempts, a)
		}
		return attempts, out.NextToken, nil
	})
}
