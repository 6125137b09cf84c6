package request

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
)

// urlLife is how long a storage URL works. Whoever sees it within that time can
// download as well: docs/threat-model.md says so.
const urlLife = time.Minute

// Delivery is a package on its way.
type Delivery struct {
	URL     string
	Expires time.Time
}

// Deliver hands out the package to a session, once per proof of the address.
func (s *Service) Deliver(ctx context.Context, id ID, token string, c Call) (Delivery, error) {
	_, t, err := s.Authorize(ctx, id, token)
	if err != nil {
		return Delivery{}, err
	}
	c.Body = fmt.Sprintf("session %d %s", t.N, c.Body) // another proof is not a repetition
	return s.deliver(ctx, id, "session", c, func(p *Package) error {
		if t.N <= p.Delivered {
			return ErrStepUp
		}
		p.Delivered = t.N
		return nil
	})
}

// DeliverLink hands out the package to who presses the button behind the mailed
// link, once.
func (s *Service) DeliverLink(ctx context.Context, token string, c Call) (Delivery, error) {
	t, err := s.ParseToken(token)
	if err != nil {
		return Delivery{}, err
	}
	if t.Verb != DeliverLink {
		return Delivery{}, ErrBadToken
	}
	c.Body = fmt.Sprintf("link %d %s", t.N, c.Body)
	return s.deliver(ctx, t.ID, "link", c, func(p *Package) error {
		if t.N <= p.Link.Spent || t.N > p.Link.Issued {
			return ErrLinkGone
		}
		p.Link.Spent = t.N
		return nil
	})
}

func (s *Service) deliver(ctx context.Context, id ID, by string, c Call, redeem func(*Package) error) (Delivery, error) {
	r, err := s.change(ctx, id, func(r Request) (Request, audit.Entry, []mail.Kind, error) {
		if r.Package == nil || r.Package.Cleared || !s.now().Before(r.Package.Until) {
			return r, audit.Entry{}, nil, ErrNoPackage
		}
		before, ok, err := s.replayed(r, Deliver, c)
		if err != nil {
			return r, audit.Entry{}, nil, err
		}
		if ok && s.now().Sub(before.At) < repeatFor {
			return r, audit.Entry{}, nil, errUnchanged
		}
		p := *r.Package
		if err := redeem(&p); err != nil {
			return r, audit.Entry{}, nil, err
		}
		r.Package = &p
		next, e, err := r.Apply(Deliver, ByPerson, s.now(), audit.Fact{Name: "by", Value: by}, audit.Fact{Name: "proofs", Value: strconv.Itoa(r.Proof.Times)})
		if err != nil {
			return r, audit.Entry{}, nil, err
		}
		s.remember(&next, Deliver, c, 0)
		return next, e, nil, nil
	})
	if err != nil {
		return Delivery{}, err
	}
	now := s.now()
	url, err := s.Downloads.Sign(ctx, r.Package.Key, s.filename(r), now, urlLife)
	if err != nil {
		return Delivery{}, ErrBusy.Because(err)
	}
	return Delivery{URL: url, Expires: now.Add(urlLife)}, nil
}

// filename is what the browser saves: nothing in it is personal.
func (s *Service) filename(r Request) string {
	return string(r.Right) + "-" + r.Received.Format(time.DateOnly) + ".zip"
}
