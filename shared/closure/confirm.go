package closure

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// repeatFor is how long a spent link answers its own repetition.
const repeatFor = 10 * time.Minute

// Confirm closes the account, for who presses the button behind the mailed link: the
// time to change one's mind begins, or, where the policy leaves none, the work.
func (s *Service) Confirm(ctx context.Context, token string, call Call) (Taken, error) {
	t, err := s.parse(token, ConfirmLink)
	if err != nil {
		return Taken{}, err
	}
	again := false
	c, err := s.change(ctx, t.ID, func(d *draft) error {
		p, ok, err := s.replayed(d.Closure, Confirm, call)
		if err != nil {
			return err
		}
		if ok && d.at.Sub(p.At) < repeatFor {
			again = true
			return errUnchanged
		}
		if d.Spent || !d.Can(Confirm) || !d.at.Before(d.LapseAt) {
			return ErrLinkGone
		}
		a, err := s.account(ctx, d.Closure)
		if errors.Is(err, seal.ErrSealed) {
			return ErrLinkGone.Because(err) // erased since
		}
		if err != nil {
			return err
		}
		d.Spent = true
		s.setDates(&d.Closure, d.at, s.Policy.Closure.Grace)
		if err := d.apply(Confirm, byPerson, d.dates()...); err != nil {
			return err
		}
		if _, err := s.point(ctx, d); err != nil {
			return err
		}
		if err := s.enterGrace(ctx, d, a); err != nil {
			return err
		}
		s.remember(d, Confirm, call)
		return nil
	})
	if err != nil {
		return Taken{}, err
	}
	s.wake(ctx, c)
	if again {
		c = c.begun()
	}
	taken := Taken{View: s.view(c)}
	taken.Token, taken.Until = s.session(c)
	return taken, nil
}

// parse checks a token for one verb.
func (s *Service) parse(text string, verb Verb) (Token, error) {
	t, err := s.ParseToken(text)
	if err != nil {
		return Token{}, err
	}
	if t.Verb != verb {
		return Token{}, ErrBadToken
	}
	return t, nil
}

// enterGrace promises the letter that says until when a closure can be taken back or,
// where it cannot, opens the work in the same commit.
func (s *Service) enterGrace(ctx context.Context, d *draft, a account) error {
	if d.ClosesAt.After(d.at) {
		d.say(mail.ClosureBegun)
		return nil
	}
	return s.open(ctx, d, a)
}

// open opens the work, in the commit of the draft.
func (s *Service) open(ctx context.Context, d *draft, a account) error {
	writes, id, err := s.Work.Opening(ctx, request.Opening{
		From: d.ID.Chain(), Right: policy.AccountClosure, Who: a.Who, Email: a.Email,
		RespondBy: d.GoneBy, Locale: d.Locale, Residence: d.Residence, Commit: d.commit,
	})
	if err != nil {
		return fmt.Errorf("open the work of closure %s: %w", d.ID, err)
	}
	d.more = append(d.more, writes...)
	if s.Lives != nil {
		writes, err := s.Lives.Closing(ctx, a.identities(), d.at)
		if err != nil {
			return fmt.Errorf("note the end of the account of closure %s: %w", d.ID, err)
		}
		d.more = append(d.more, writes...)
	}
	d.Work, d.Looks, d.Look = id, 0, d.at.Add(pause(0))
	return d.apply(Begin, bySystem, audit.Fact{Name: factWork, Value: string(id)})
}

// pointer leads from an identifier to the closure that is under way for it.
type pointer struct {
	Closure ID `json:"closure"`
}

func pointerRef(id seal.Identifier) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: "closing#" + string(id), Sort: "-"}}
}

// pointed returns the closure that is under way for an identifier, or ErrNotFound,
// and how the pointer stands.
func (s *Service) pointed(ctx context.Context, id seal.Identifier) (Closure, table.Precondition, error) {
	item, err := s.Table.Get(ctx, pointerRef(id))
	if errors.Is(err, table.ErrAbsent) {
		return Closure{}, table.New, ErrNotFound
	}
	if err != nil {
		return Closure{}, table.New, fmt.Errorf("look whether an account is closing: %w", err)
	}
	stands := table.Version(item.Version)
	var p pointer
	if err := json.Unmarshal(item.Body, &p); err != nil {
		return Closure{}, stands, fmt.Errorf("decode whether an account is closing: %w", err)
	}
	c, err := s.load(ctx, p.Closure)
	if err == nil && !c.Status.live() {
		err = ErrNotFound // a restored copy: the closure itself knows better
	}
	return c, stands, err
}

// point adds the pointers to a draft, one for each identifier. With ErrUnderWay it
// returns the closure that is under way already.
func (s *Service) point(ctx context.Context, d *draft) (Closure, error) {
	for _, id := range d.Identifiers {
		c, stands, err := s.pointed(ctx, id)
		if err == nil && c.ID != d.ID {
			return c, ErrUnderWay
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Closure{}, err
		}
		w, err := pointing(id, d.ID, stands)
		if err != nil {
			return Closure{}, err
		}
		d.more = append(d.more, w)
	}
	return Closure{}, nil
}

func pointing(id seal.Identifier, closure ID, stands table.Precondition) (table.Write, error) {
	body, err := json.Marshal(pointer{closure})
	if err != nil {
		return table.Write{}, fmt.Errorf("encode whether an account is closing: %w", err)
	}
	return table.Put(table.State, table.Item{Key: pointerRef(id).Key, Schema: schema, Body: body}, stands), nil
}

// unpoint adds to a draft what takes its pointers off.
func (d *draft) unpoint() {
	for _, id := range d.Identifiers {
		d.more = append(d.more, table.Delete(pointerRef(id), table.Exists))
	}
}

// Cancel takes a closure back, for who presses the button behind the mailed link.
func (s *Service) Cancel(ctx context.Context, token string, call Call) (View, error) {
	t, err := s.parse(token, CancelLink)
	if err != nil {
		return View{}, err
	}
	return s.cancel(ctx, t.ID, byPerson, call, ErrLinkGone)
}

// CancelBy takes a closure back, for who confirmed it.
func (s *Service) CancelBy(ctx context.Context, id ID, token string, call Call) (View, error) {
	if err := s.authorize(id, token); err != nil {
		return View{}, err
	}
	return s.cancel(ctx, id, byPerson, call, ErrTooLate)
}

// CancelFor takes a closure back, for who is signed in to the company's app.
func (s *Service) CancelFor(ctx context.Context, app string, who personal.Identity, call Call) (View, error) {
	c, _, err := s.pointed(ctx, s.Keys.Ring.Identifier(who))
	if err != nil {
		return View{}, unavailable(err)
	}
	return s.cancel(ctx, c.ID, byApp+":"+app, call, ErrTooLate)
}

// cancel takes a closure back: everything is as it was, for nothing was touched.
// Taken back again, by whichever way, it answers the same.
func (s *Service) cancel(ctx context.Context, id ID, by string, call Call, late error) (View, error) {
	c, err := s.change(ctx, id, func(d *draft) error {
		if _, ok, err := s.replayed(d.Closure, Cancel, call); err != nil || ok {
			return errors.Join(err, unchangedIf(ok))
		}
		if d.Status == Cancelled && d.at.Sub(d.Over) < repeatFor {
			return errUnchanged
		}
		if err := d.apply(Cancel, by); err != nil {
			return late
		}
		d.unpoint()
		d.say(mail.ClosureEnded)
		s.remember(d, Cancel, call)
		return nil
	})
	if err != nil {
		return View{}, err
	}
	return s.view(c), nil
}

func unchangedIf(same bool) error {
	if same {
		return errUnchanged
	}
	return nil
}

// authorize checks a session's token for a closure, without I/O.
func (s *Service) authorize(id ID, token string) error {
	t, err := s.ParseToken(token)
	if err != nil || t.Verb != Session || t.ID != id {
		return ErrBadToken
	}
	return nil
}

func encoded(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

func joined(ids []seal.Identifier) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = string(id)
	}
	return strings.Join(list, " ")
}
