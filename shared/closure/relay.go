package closure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// maxLetters bounds one call; more wait for the next look.
const maxLetters = 5

// errNotToBeSaid drops a letter that time has overtaken.
var errNotToBeSaid = errors.New("closure: no longer to be said")

// Announce delivers what commits promised to say, one letter after the other, and
// then commits that it is said. A crash in between says it again: the mailbox
// recognises the key, a mail service may deliver twice.
//
// A letter under way when the context ends is still finished: cut off, it might have
// been sent and would be sent again.
func (s *Service) Announce(until context.Context, key table.Key) error {
	ctx := context.WithoutCancel(until)
	id, ok := IDOf(key)
	if !ok {
		return nil
	}
	c, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s.wake(ctx, c)
	for n := 0; n < maxLetters && until.Err() == nil; n++ {
		if len(c.Announcements) == 0 || c.Tries > 0 && c.After.After(s.now()) {
			break
		}
		a := c.Announcements[0]
		sendErr := s.say(ctx, c, a)
		if c, err = s.said(ctx, c, a, sendErr); err != nil {
			return err
		}
		if sendErr != nil && !errors.Is(sendErr, errNotToBeSaid) && !errors.Is(sendErr, mail.ErrWithheld) {
			return fmt.Errorf("mail %s about closure %s: %w", a.Kind, id, sendErr)
		}
	}
	return nil
}

// final reports whether there is no point in another try.
func final(sendErr error) bool {
	return sendErr == nil || errors.Is(sendErr, errNotToBeSaid) || errors.Is(sendErr, mail.ErrRefused) || errors.Is(sendErr, mail.ErrWithheld) || errors.Is(sendErr, seal.ErrSealed)
}

// said takes a letter off the list, or counts a failed try.
func (s *Service) said(ctx context.Context, c Closure, a Announcement, sendErr error) (Closure, error) {
	for try := range conflictTries {
		i := slices.Index(c.Announcements, a)
		if i < 0 {
			return c, nil // another relay said it as well
		}
		if final(sendErr) {
			c.Announcements = slices.Delete(slices.Clone(c.Announcements), i, i+1)
			c.Tries, c.After = 0, s.now().Add(relayWithin)
		} else {
			c.Tries++
			c.After = s.now().Add(table.Backoff(c.Tries))
		}
		next, err := s.keepSaid(ctx, c, a, sendErr)
		if err == nil {
			if final(sendErr) && sendErr != nil && !errors.Is(sendErr, errNotToBeSaid) && !errors.Is(sendErr, mail.ErrWithheld) && s.Log != nil {
				s.Log.WarnContext(ctx, "a letter about a closure will never be accepted", "closure", string(c.ID), "kind", string(a.Kind), "err", sendErr)
			}
			return next, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return c, err
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return c, err
		}
		if c, err = s.load(ctx, c.ID); err != nil {
			return c, err
		}
	}
	return c, ErrBusy
}

// keepSaid commits what came of a letter. Of one that went to nobody there is an entry:
// otherwise it would seem that the person was told.
func (s *Service) keepSaid(ctx context.Context, c Closure, a Announcement, sendErr error) (Closure, error) {
	if !errors.Is(sendErr, mail.ErrWithheld) {
		return s.keep(ctx, c)
	}
	d := &draft{Closure: c, commit: table.NewID(), at: s.now()}
	d.enter(audit.Entry{
		Chain: c.ID.Chain(), At: d.at, Actor: bySystem, Action: withheld,
		Facts: []audit.Fact{{Name: "mail", Value: string(a.Kind)}},
	})
	return s.save(ctx, d)
}

// say writes and sends one letter.
func (s *Service) say(ctx context.Context, c Closure, a Announcement) error {
	who, err := s.account(ctx, c)
	if err != nil {
		return err
	}
	l, err := s.letter(c, a)
	if err != nil {
		return err
	}
	l.To = who.Email
	m, err := mail.Compose(a.Kind, c.Locale, l)
	if err != nil {
		return err
	}
	return s.Mail.Send(ctx, m, s.hash("closure call", string(c.ID), strconv.FormatInt(a.Seq, 10), string(a.Kind)))
}

// letter gathers what a mail says.
func (s *Service) letter(c Closure, a Announcement) (mail.Letter, error) {
	zone, err := time.LoadLocation(s.Policy.Controller.TimeZone)
	if err != nil {
		zone = time.UTC // the policy was checked when it was read
	}
	contact := s.Policy.Contact
	l := mail.Letter{
		Brand: s.Policy.Document.Brand, Zone: zone, Received: c.Asked,
		Contact: words.Contact{Name: contact.Person, Email: contact.Email, Page: contact.Page, Postal: contact.PostalAddress},
	}
	rule := s.Policy.Closure
	switch a.Kind { //nolint:exhaustive // the others are about requests and consents
	case mail.ConfirmClosure:
		if !c.Can(Confirm) {
			return l, errNotToBeSaid
		}
		l.Settle, l.GoneIn = s.Policy.SettleFirst(c.Locale), max(1, rule.ErasedWithin)
		l.Grace = int(rule.Grace.Round(24*time.Hour) / (24 * time.Hour))
		l.Link, l.LinkUntil = s.link(Token{ID: c.ID, Verb: ConfirmLink, Until: c.LapseAt}), c.LapseAt
	case mail.ClosureBegun:
		if c.Status != Grace {
			return l, errNotToBeSaid
		}
		l.Settle, l.ClosesAt, l.GoneBy, l.SignedIn = s.Policy.SettleFirst(c.Locale), c.ClosesAt, c.GoneBy, c.App != ""
		l.Revoke = s.link(Token{ID: c.ID, Verb: CancelLink, Until: c.ClosesAt})
	case mail.ClosureEnded:
		if c.Status != Cancelled {
			return l, errNotToBeSaid
		}
	default:
		return l, errNotToBeSaid
	}
	return l, nil
}
