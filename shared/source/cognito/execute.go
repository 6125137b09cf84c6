package cognitosource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Execute implements source.Source. It is done when a fresh look shows nothing that
// the order is about.
func (s *Source) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	ctx, cancel := order.Call.Within(ctx, s.o.Now())
	defer cancel()
	done, err := s.execute(ctx, order)
	if err != nil {
		return source.Done{}, fmt.Errorf("source %s: %s: %w", s.o.ID, order.Verb, err)
	}
	return done, nil
}

func (s *Source) execute(ctx context.Context, order source.Order) (source.Done, error) {
	if err := s.able(order); err != nil {
		return source.Done{}, err
	}
	users, err := s.pick(ctx, order)
	if err != nil {
		return source.Done{}, err
	}
	mine := source.Page{Rest: len(users) > 0}
	for _, u := range users {
		mine.IDs = append(mine.IDs, u.id())
	}
	page, err := source.RememberOrder(ctx, s.o.Pages, order, mine)
	if err != nil {
		return source.Done{}, err
	}
	done := source.Done{Removed: len(page.IDs), Done: !page.Rest}
	for _, u := range users {
		if !slices.Contains(page.IDs, u.id()) {
			continue // a repeated call: those after its page
		}
		theirs, err := s.apply(ctx, order.Call, u, order.Corrections, func(now user) bool {
			return slices.ContainsFunc(order.Identities, func(id personal.Identity) bool { return s.owns(id, now) })
		})
		if err != nil {
			return source.Done{}, err
		}
		if theirs {
			done.Removed--
			done.Retained++
		}
	}
	if done.Retained > 0 {
		done.Messages = []string{fmt.Sprintf("%d users had become somebody else's and were left alone.", done.Retained)}
	}
	return done, nil
}

// able refuses an order that a user pool cannot follow.
func (s *Source) able(order source.Order) error {
	switch order.Verb {
	case source.Delete:
	case source.Correct:
		for _, c := range order.Corrections {
			if err := s.settable(c); err != nil {
				return refused(err)
			}
		}
	case source.Anonymise:
		return refused(errors.New("a user without the person could not sign in; declare delete"))
	case source.Choose:
		return refused(errors.New("a user pool obeys nobody's choice; declare a hook that does"))
	case source.Archive:
		return refused(errors.New("a user pool has no archive; declare delete"))
	default:
		return refused(errors.New("the order does not say what to do"))
	}
	if err := s.known(order.Identities, order.Category); err != nil {
		return err
	}
	if order.Category == "" || order.Until.IsZero() || order.Call.Key == "" || order.Verb == source.Correct && len(order.Corrections) == 0 {
		return refused(errors.New("an order needs a category, a cut-off, a key and what to correct"))
	}
	return nil
}

// settable refuses to correct what opens the account or names it.
func (s *Source) settable(c source.Correction) error {
	_, ok := personal.ParseEmail(c.Value.Reveal())
	switch {
	case c.Field == email && !s.m.ProvenEmail:
		return errors.New("the address of a user is corrected only if its owner has proven it; declare it as correctable by its own name")
	case c.Field == email && !ok:
		return errors.New("the new address is none")
	case c.Field == phone:
		return errors.New("nobody has proven a new phone number; the app must have it verified")
	case c.Field == "", c.Field == sub, c.Field == username, c.Field == "identities", strings.HasSuffix(c.Field, verified), strings.HasPrefix(c.Field, "cognito:"), strings.HasPrefix(c.Field, "dev:"):
		return errors.New("an attribute is not the person's to correct")
	}
	return nil
}

// pick returns the users whom a page of an order is about, before anything is changed.
func (s *Source) pick(ctx context.Context, order source.Order) ([]user, error) {
	var picked []user
	limit := min(source.Size(order.Limit), maxList)
	for at := (position{}); at.Leg < len(order.Identities); {
		if err := order.Call.Begins(s.o.Now()); err != nil {
			return nil, err
		}
		users, next, err := s.look(ctx, order.Identities, at, maxList)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			if u.created.After(order.Until) || slices.Contains(order.Keep, u.id()) || order.Verb == source.Correct && len(u.differs(order.Corrections)) == 0 {
				continue
			}
			if picked = append(picked, u); len(picked) == limit {
				return picked, nil
			}
		}
		at = next
	}
	return picked, nil
}

// differs returns the corrections that a user does not show yet.
func (u user) differs(corrections []source.Correction) []types.AttributeType {
	var set []types.AttributeType
	for _, c := range corrections {
		if u.attributes[c.Field] == c.Value.Reveal() {
			continue
		}
		set = append(set, types.AttributeType{Name: aws.String(c.Field), Value: aws.String(c.Value.Reveal())})
		if c.Field == email { // its owner has proven it: see settable
			set = append(set, types.AttributeType{Name: aws.String(email + verified), Value: aws.String("true")})
		}
	}
	return set
}

// apply corrects or, without corrections, deletes a user, if they are still who
// they were. theirs says that they are somebody else by now and were left alone.
func (s *Source) apply(ctx context.Context, call source.Call, u user, corrections []source.Correction, still func(user) bool) (theirs bool, err error) {
	if err := call.Begins(s.o.Now()); err != nil {
		return false, err
	}
	now, there, err := s.get(ctx, u.name)
	if err != nil || !there {
		return false, err // gone is as good as deleted
	}
	if now.attributes[sub] != u.attributes[sub] || !still(now) {
		return true, nil
	}
	if corrections != nil {
		set := now.differs(corrections)
		if len(set) == 0 {
			return false, nil
		}
		_, err = s.o.Client.AdminUpdateUserAttributes(ctx, &cognito.AdminUpdateUserAttributesInput{UserPoolId: &s.m.UserPool, Username: &now.name, UserAttributes: set})
	} else {
		err = s.delete(ctx, call, now.name)
	}
	if err != nil && !isGone(err) {
		return false, sorted(err)
	}
	return false, nil
}

// delete shuts the account, takes back what keeps it signed in, and deletes it, in
// this order: should it break off, nobody can sign in to what is about to go. Each
// may be repeated.
func (s *Source) delete(ctx context.Context, call source.Call, name string) error {
	if _, err := s.o.Client.AdminDisableUser(ctx, &cognito.AdminDisableUserInput{UserPoolId: &s.m.UserPool, Username: &name}); err != nil {
		return err
	}
	if _, err := s.o.Client.AdminUserGlobalSignOut(ctx, &cognito.AdminUserGlobalSignOutInput{UserPoolId: &s.m.UserPool, Username: &name}); err != nil {
		return err
	}
	if err := call.Begins(s.o.Now()); err != nil {
		return err
	}
	_, err := s.o.Client.AdminDeleteUser(ctx, &cognito.AdminDeleteUserInput{UserPoolId: &s.m.UserPool, Username: &name})
	return err
}
