// Package cognitosource is the kind "cognito": a user pool of the company's. A user
// is one record, of one category: what the pool knows of somebody who signs in.
//
// Trust. Users write most of their attributes themselves, so an address or a phone
// number finds somebody only if the pool says that it was verified, and a Mapping
// must not tie by what an app client lets users write. A list of users is up to
// minutes behind the pool: it only ever proposes, and each user is read again
// before they are believed, and once more before they are changed. Users of other
// identity providers are users too; their addresses are verified only if the
// provider says so and the pool is told to take its word.
//
// What it does not do: passwords and passkeys cannot be read, by anybody. Tokens
// that an app was given stay good until they expire, an hour as a rule; the app
// must ask the pool if it cannot wait. When somebody last signed in, the pool does
// not say, so users are swept by when they were created.
//
// The folder is named like the kind in the policy file; the package is not. It
// imports source, personal and the SDK. boot imports it, and gives it the client.
package cognitosource

import (
	"errors"
	"fmt"
	"strings"
	"time"

	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Mapping says how a pool is read. It mirrors the section cognito of a source in
// the policy file.
type Mapping struct {
	UserPool string
	Category string
	Account  string                   // username or sub: what an account id is
	Ties     map[personal.Kind]string // attributes that a user found by a verified address or number names
	// ProvenEmail says that an order to correct the address comes only when its
	// owner has proven it. Without it such an order is refused: the pool would mail
	// codes that open the account to an address that somebody typed.
	ProvenEmail bool
}

// Attributes of the pool's own.
const (
	username = "username" // none in fact, but named like one
	sub      = "sub"
	email    = "email"
	phone    = "phone_number"
	verified = "_verified" // the end of those that say so of another
)

func (m Mapping) check() error {
	switch {
	case m.UserPool == "" || m.Category == "":
		return errors.New("the mapping names no user pool or no category")
	case m.Account != username && m.Account != sub:
		return errors.New("an account is a username or a sub; Cognito finds nobody by other attributes")
	}
	for kind, attribute := range m.Ties {
		if kind == "" || attribute != username && attribute != sub && !strings.HasPrefix(attribute, "custom:") {
			return fmt.Errorf("a tie to %s must be the username, the sub or a custom attribute: users write the others themselves", kind)
		}
	}
	return nil
}

// Options declare a user pool.
type Options struct {
	ID      string // the source's id in the policy
	Mapping Mapping
	Client  *cognito.Client
	Pages   source.Pages
	Now     func() time.Time
}

// Source is a source.Source and a source.Sweeper on a user pool.
type Source struct {
	o Options
	m Mapping
}

var _ source.Sweeper = (*Source)(nil)

// New refuses a mapping that cannot be followed, and a source that could not
// remember its calls (source.ErrRefused).
func New(o Options) (*Source, error) {
	if err := o.Mapping.check(); err != nil {
		return nil, fmt.Errorf("source %s: %w", o.ID, refused(err))
	}
	if o.Client == nil || o.Pages == nil || o.Now == nil {
		return nil, fmt.Errorf("source %s: %w", o.ID, refused(errors.New("it has no client, no memory of pages or no clock")))
	}
	return &Source{o: o, m: o.Mapping}, nil
}
