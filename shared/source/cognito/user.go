package cognitosource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// user is somebody in the pool.
type user struct {
	name              string
	attributes        map[string]string
	created, modified time.Time
	status            string
	enabled           bool
	mfa               []string
}

// get reads a user; there is false if the pool has none of that name.
func (s *Source) get(ctx context.Context, name string) (u user, there bool, err error) {
	out, err := s.o.Client.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: &s.m.UserPool, Username: &name})
	if isGone(err) {
		return user{}, false, nil
	}
	if err != nil {
		return user{}, false, sorted(err)
	}
	u = user{
		name: aws.ToString(out.Username), attributes: plain(out.UserAttributes), status: string(out.UserStatus), enabled: out.Enabled,
		created: aws.ToTime(out.UserCreateDate), modified: aws.ToTime(out.UserLastModifiedDate), mfa: out.UserMFASettingList,
	}
	if u.name == "" || u.attributes[sub] == "" || u.created.IsZero() {
		return user{}, false, refused(errors.New("the pool has a user without a name, a sub or a time"))
	}
	return u, true, nil
}

func plain(attributes []types.AttributeType) map[string]string {
	all := make(map[string]string, len(attributes))
	for _, a := range attributes {
		all[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	return all
}

// attribute returns an attribute, or the username.
func (u user) attribute(name string) string {
	if name == username {
		return u.name
	}
	return u.attributes[name]
}

// id names the record. The sub itself may be the company's account number, and is
// a person's in any case.
func (u user) id() string {
	sum := sha256.Sum256([]byte(u.attributes[sub]))
	return hex.EncodeToString(sum[:16])
}

// is returns whom the pool vouches for that a user is.
func (m Mapping) is(u user) []personal.Identity {
	who := []personal.Identity{personal.MakeIdentity(personal.KindAccount, u.attribute(m.Account))}
	for kind, attribute := range map[personal.Kind]string{personal.KindEmail: email, personal.KindPhone: phone} {
		if v := u.attributes[attribute]; v != "" && u.attributes[attribute+verified] == "true" {
			who = append(who, personal.MakeIdentity(kind, v))
		}
	}
	slices.SortFunc(who, func(a, b personal.Identity) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	return who
}

// ties returns the identities that a user names besides the one they were found by.
func (m Mapping) ties(u user, by personal.Kind) []personal.Identity {
	var ties []personal.Identity
	for kind, attribute := range m.Ties {
		if v := u.attribute(attribute); v != "" && (by == personal.KindEmail || by == personal.KindPhone) {
			ties = append(ties, personal.MakeIdentity(kind, v))
		}
	}
	return ties
}

// record returns a user as a record.
func (s *Source) record(u user) source.Record {
	return source.Record{Category: s.m.Category, ID: u.id(), At: u.created}
}
