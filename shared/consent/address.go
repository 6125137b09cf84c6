package consent

import (
	"context"
	"fmt"
	"strings"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
)

// The fields of sealed identities.
const (
	fieldAddress = "address" // Subject.Address
	fieldWho     = "who"     // Telling.Who
)

func place(holder seal.Identifier, field string) seal.Place {
	return seal.Place{Item: "consent#" + string(holder), Field: field}
}

// sealed returns an identity in the form in which it is stored, and whose salt it
// hangs on.
func (s *Service) sealed(who seal.Subject, field string, i personal.Identity) ([]byte, error) {
	b, err := s.Keys.Ring.Seal(who, place(who.Holder, field), []byte(string(i.Kind)+"\n"+i.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("seal an identity: %w", err)
	}
	return b, nil
}

// open is the inverse of sealed: one read of the Keys table. It returns
// seal.ErrSealed once the salt is gone.
func (s *Service) open(ctx context.Context, holder seal.Identifier, field string, b []byte) (personal.Identity, error) {
	who, err := s.Keys.Load(ctx, holder)
	if err != nil {
		return personal.Identity{}, err
	}
	plain, err := s.Keys.Ring.Unseal(who, place(holder, field), b)
	if err != nil {
		return personal.Identity{}, err
	}
	kind, value, _ := strings.Cut(string(plain), "\n")
	return personal.MakeIdentity(personal.Kind(kind), value), nil
}

// address returns where mail about the subject's consents goes, or seal.ErrSealed.
func (s *Service) address(ctx context.Context, sub Subject) (personal.Email, error) {
	i, err := s.open(ctx, sub.Holder, fieldAddress, sub.Address)
	if err != nil {
		return personal.Email{}, err
	}
	email, ok := personal.ParseEmail(i.Reveal())
	if !ok {
		return personal.Email{}, seal.ErrSealed
	}
	return email, nil
}

// forgetAddress drops the address once no mail can come of it any more.
func (sub *Subject) forgetAddress() {
	if len(sub.Announcements) > 0 || len(sub.Asks) > 0 {
		return
	}
	for _, st := range sub.Purposes {
		if st.Choice == Granted && !st.Asked {
			return
		}
	}
	sub.Holder, sub.Address = "", nil
}
