package cognitosource

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// maxList is how many users the service lists at once, and how many are changed in
// one call: each takes several requests, and the service grants few in a second.
const maxList = 60

// Find implements source.Source.
func (s *Source) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	ctx, cancel := ask.Call.Within(ctx, s.o.Now())
	defer cancel()
	page, err := s.find(ctx, ask)
	if err != nil {
		return source.Found{}, fmt.Errorf("source %s: find: %w", s.o.ID, err)
	}
	return page, nil
}

func (s *Source) find(ctx context.Context, ask source.Ask) (source.Found, error) {
	if err := s.known(ask.Identities, ask.Category); err != nil {
		return source.Found{}, err
	}
	at, err := parsePosition(ask.Cursor, len(ask.Identities))
	if err != nil {
		return source.Found{}, err
	}
	page, limit := source.Found{}, source.Size(ask.Limit)
	if ask.Values {
		limit = min(limit, maxList)
	}
	for len(page.Records) < limit {
		if err := ask.Call.Begins(s.o.Now()); err != nil {
			return source.Found{}, err
		}
		users, next, err := s.look(ctx, ask.Identities, at, limit-len(page.Records))
		if err != nil {
			return source.Found{}, err
		}
		for _, u := range users {
			page.Ties = append(page.Ties, s.m.ties(u, ask.Identities[at.Leg].Kind)...)
			r := s.record(u)
			if !ask.Until.IsZero() && r.At.After(ask.Until) {
				continue
			}
			if ask.Values {
				if r.Fields, err = s.fields(ctx, u); errors.Is(err, errGone) {
					continue
				} else if err != nil {
					return source.Found{}, err
				}
			}
			page.Records = append(page.Records, r)
		}
		if at = next; at.Leg == len(ask.Identities) {
			page.Done = true
			return page, nil
		}
	}
	page.Cursor = at.cursor()
	return page, nil
}

// known refuses what nobody can be found by: passing over it would be saying
// "nothing found" without having looked.
func (s *Source) known(ids []personal.Identity, category string) error {
	if len(ids) == 0 {
		return refused(errors.New("nobody is named"))
	}
	if category != "" && category != s.m.Category {
		return refused(errors.New("the mapping has no such category"))
	}
	for _, id := range ids {
		switch id.Kind {
		case personal.KindEmail, personal.KindPhone, personal.KindAccount:
		default:
			return fmt.Errorf("%w: the pool finds nobody by %s", source.ErrRefused, id.Kind)
		}
		if v := id.Reveal(); v == "" || len(v) > 256 || strings.ContainsRune(v, '\\') || strings.ContainsFunc(v, unicode.IsControl) {
			return refused(errors.New("an identity cannot be asked for"))
		}
	}
	return nil
}

// look reads at most limit users of the identity it is on, and returns where to go
// on. Those that are an earlier one's too were seen there.
func (s *Source) look(ctx context.Context, ids []personal.Identity, at position, limit int) ([]user, position, error) {
	id := ids[at.Leg]
	proposed, next := []listed{{name: id.Reveal()}}, ""
	if attribute := s.attribute(id.Kind); attribute != username {
		filter := fmt.Sprintf(`%s = "%s"`, attribute, strings.ReplaceAll(id.Reveal(), `"`, `\"`))
		var err error
		if proposed, next, err = s.list(ctx, filter, at.Token, limit); err != nil {
			return nil, at, err
		}
	}
	var users []user
	for _, l := range proposed {
		u, there, err := s.get(ctx, l.name)
		if err != nil {
			return nil, at, err
		}
		if there && s.owns(id, u) && !slices.ContainsFunc(ids[:at.Leg], func(earlier personal.Identity) bool { return s.owns(earlier, u) }) {
			users = append(users, u)
		}
	}
	if next != "" {
		return users, position{at.Leg, next}, nil
	}
	return users, position{Leg: at.Leg + 1}, nil
}

func (s *Source) attribute(kind personal.Kind) string {
	switch kind {
	case personal.KindEmail:
		return email
	case personal.KindPhone:
		return phone
	case personal.KindAccount:
	}
	return s.m.Account
}

// owns reports whether a user is somebody's, as the pool vouches. A username is
// compared as the pool did when it was asked for it: without regard to case, if it
// is set up so. What was found by an alias has another name.
func (s *Source) owns(id personal.Identity, u user) bool {
	if id.Kind == personal.KindAccount && s.m.Account == username {
		return strings.EqualFold(u.name, id.Reveal())
	}
	return slices.Contains(s.m.is(u), id)
}

// listed is as much of a list as never changes.
type listed struct {
	name    string
	created time.Time
}

// list returns at most limit users that a filter fits; none: of all.
func (s *Source) list(ctx context.Context, filter, token string, limit int) (users []listed, next string, err error) {
	in := &cognito.ListUsersInput{
		UserPoolId: &s.m.UserPool, Limit: aws.Int32(int32(min(limit, maxList))), //nolint:gosec // at most 60
		AttributesToGet: []string{sub}, // what a list says of the others is not believed
	}
	if filter != "" {
		in.Filter = &filter
	}
	if token != "" {
		in.PaginationToken = &token
	}
	out, err := s.o.Client.ListUsers(ctx, in)
	if err != nil {
		return nil, "", sorted(err)
	}
	for _, u := range out.Users {
		users = append(users, listed{aws.ToString(u.Username), aws.ToTime(u.UserCreateDate)})
	}
	if next = aws.ToString(out.PaginationToken); next != "" && next == token {
		return nil, "", fmt.Errorf("%w: the pool does not say how a list goes on", source.ErrLater)
	}
	return users, next, nil
}

// position is how far a look has come. The token is the service's.
type position struct {
	Leg   int    `json:"leg"`
	Token string `json:"token,omitempty"`
}

func (p position) cursor() string {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // a string and a number: it cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parsePosition(cursor string, legs int) (position, error) {
	var p position
	if cursor == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Leg < 0 || p.Leg >= legs {
		return position{}, refused(errors.New("the cursor is none of this source's"))
	}
	return p, nil
}
