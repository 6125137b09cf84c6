package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// maxLetters bounds one call; more wait for the next look.
const maxLetters = 10

// Announce wakes whoever tells sources, if there is something to tell, and writes the
// letters that commits promised, one after the other, committing that each left. A crash in between sends one again: the mailbox
// recognises the key, a mail service may deliver twice.
//
// A letter under way when the context ends is still finished: cut off, it might
// have been sent and would be sent again.
func (s *Service) Announce(until context.Context, key table.Key) error {
	ctx := context.WithoutCancel(until)
	if isErrand(key) {
		return s.run(ctx, key)
	}
	sub, err := s.load(ctx, identifierOf(key))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if sub.at != sub.Identifiers[0] {
		return nil // a stream tells of every copy, and of the first as well
	}
	if s.Wake != nil && sub.toTell(s.now()) >= 0 {
		s.Wake(ctx, key)
	}
	for n := 0; n < maxLetters && until.Err() == nil; n++ {
		if len(sub.Announcements) == 0 || sub.Tries > 0 && sub.After.After(s.now()) {
			break
		}
		a := sub.Announcements[0]
		sendErr := s.tellOwner(ctx, sub, a)
		if sub, err = s.said(ctx, sub, a, sendErr); err != nil {
			return err
		}
		if sendErr != nil && !errors.Is(sendErr, errNotToBeSaid) && !errors.Is(sendErr, mail.ErrWithheld) {
			return fmt.Errorf("mail %s about the choices of %s: %w", a.Kind, sub.ID, sendErr)
		}
	}
	return nil
}

// errNotToBeSaid drops a letter that time has overtaken.
var errNotToBeSaid = errors.New("consent: no longer to be said")

// errMailsOfToday is a failure before the mail service was called.
var errMailsOfToday = fmt.Errorf("%w: the address had its mails of today", mail.ErrLater)

// errCounted is a failure after the letter was counted among the mails of the day:
// another try is not counted again, so that a mail service that is away uses up
// nobody's day.
var errCounted = errors.New("consent: the letter was counted")

// final reports whether there is no point in another try.
func final(sendErr error) bool {
	return sendErr == nil || errors.Is(sendErr, errNotToBeSaid) || errors.Is(sendErr, mail.ErrRefused) || errors.Is(sendErr, mail.ErrWithheld) || errors.Is(sendErr, seal.ErrSealed)
}

// said takes a letter off the list, or counts a failed try. What will never be
// accepted is taken off as well: nobody confirms it, and it lapses.
func (s *Service) said(ctx context.Context, sub Subject, a Announcement, sendErr error) (Subject, error) {
	for try := range conflictTries {
		i := slices.Index(sub.Announcements, a)
		if i < 0 {
			return sub, nil // another relay said it as well
		}
		sub.Announcements = slices.Delete(slices.Clone(sub.Announcements), i, i+1)
		if final(sendErr) {
			sub.Tries, sub.After = 0, s.now().Add(relayWithin)
		} else {
			sub.Tries++
			sub.After = s.now().Add(table.Backoff(sub.Tries))
			left := a
			left.Counted = left.Counted || errors.Is(sendErr, errCounted)
			sub.Announcements = slices.Insert(sub.Announcements, i, left)
		}
		next, err := s.keepSaid(ctx, sub, a, sendErr)
		if err == nil {
			if final(sendErr) && sendErr != nil && !errors.Is(sendErr, errNotToBeSaid) && !errors.Is(sendErr, mail.ErrWithheld) && s.Log != nil {
				s.Log.WarnContext(ctx, "a letter about choices will never be accepted", "subject", sub.ID, "kind", string(a.Kind), "err", sendErr)
			}
			return next, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return sub, err
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return sub, err
		}
		if sub, err = s.load(ctx, sub.at); err != nil {
			return sub, err
		}
	}
	return sub, ErrBusy
}

// keepSaid commits what came of a letter. Of one that went to nobody there is an entry:
// otherwise it would seem that somebody was told.
func (s *Service) keepSaid(ctx context.Context, sub Subject, a Announcement, sendErr error) (Subject, error) {
	if !errors.Is(sendErr, mail.ErrWithheld) {
		return s.keep(ctx, sub)
	}
	d := &draft{Subject: sub, commit: table.NewID(), at: s.now(), actor: string(ByClock)}
	purpose, act := cutKey(a.Purpose)
	d.enter(actionWithheld, audit.Fact{Name: "mail", Value: string(a.Kind)}, audit.Fact{Name: factPurpose, Value: purpose}, audit.Fact{Name: factAct, Value: act})
	return s.save(ctx, d)
}

// errWaits is a letter that waits for the end of a halt: its button would do nothing.
var errWaits = fmt.Errorf("%w: everything is halted", mail.ErrLater)

// tellOwner writes one letter and sends it.
func (s *Service) tellOwner(ctx context.Context, sub Subject, a Announcement) error {
	l, err := s.letter(ctx, sub, a)
	if err != nil {
		return err
	}
	halt, err := s.Halted(ctx)
	if err != nil {
		return err
	}
	if halt.On {
		return errWaits
	}
	if a.Kind == mail.RenewConsent && !a.Counted {
		may, err := s.Keys.Again(ctx, sub.Holder, s.now(), s.Policy.Verification.MailsPerDay)
		if err != nil {
			return err
		}
		if !may {
			return errMailsOfToday
		}
	}
	err = s.post(ctx, a.Kind, sub.Locale, l, s.callKey("letter", sub.ID, strconv.FormatInt(a.Seq, 10), string(a.Kind)))
	if err != nil {
		return fmt.Errorf("%w: %w", errCounted, err)
	}
	return nil
}

// post composes a letter and hands it to the mail service.
func (s *Service) post(ctx context.Context, kind mail.Kind, locale string, l mail.Letter, key string) error {
	m, err := mail.Compose(kind, locale, l)
	if err != nil {
		return err
	}
	return s.Mail.Send(ctx, m, key)
}

// callKey identifies one call to somebody else, and says nothing about whom it is for.
func (s *Service) callKey(parts ...string) string { return s.Keys.Ring.Hash("consent call", parts...) }

// envelope is what every letter says.
func (s *Service) envelope(to personal.Email) mail.Letter {
	zone, err := time.LoadLocation(s.Policy.Controller.TimeZone)
	if err != nil {
		zone = time.UTC // the policy was checked when it was read
	}
	c := s.Policy.Contact
	return mail.Letter{
		To: to, Brand: s.Policy.Document.Brand, Zone: zone,
		Contact: words.Contact{Name: c.Person, Email: c.Email, Page: c.Page, Postal: c.PostalAddress},
	}
}

// letter gathers what a letter says.
func (s *Service) letter(ctx context.Context, sub Subject, a Announcement) (mail.Letter, error) {
	to, err := s.address(ctx, sub)
	if err != nil {
		return mail.Letter{}, err
	}
	l := s.envelope(to)
	link := Link{Identifier: sub.Holder, Who: to.Identity()}
	switch a.Kind { //nolint:exhaustive // the others are about requests, or an errand
	case mail.ConfirmConsent:
		link.Verb, link.N = ConfirmLink, sub.Mailed
		for _, key := range sub.waiting() {
			ask := sub.Asks[key]
			if !ask.Until.After(s.now()) || ask.N > sub.Mailed {
				continue // it is over, or its own mail is still to be promised
			}
			if err := s.quote(ctx, &l, sub, key, ask.chain(sub.ID), ask.Seq, time.Time{}); err != nil {
				return l, err
			}
			link.Until = later(link.Until, ask.Until)
		}
		link.Until = earlier(link.Until, s.now().Add(s.Policy.Verification.LinkPeriod))
		l.Link = personal.MakeText(s.BaseURL + "/c/" + s.Mint(link))
	case mail.RenewConsent:
		link.Verb, link.N = PreferLink, 1
		for _, key := range s.ending(sub) {
			st := sub.Purposes[key]
			if err := s.quote(ctx, &l, sub, key, st.chain(sub.ID), st.Seq, st.Until); err != nil {
				return l, err
			}
			if link.Until.IsZero() || st.Until.Before(link.Until) {
				link.Until = st.Until // the link is good for as long as there is something to renew
			}
		}
		l.Link = personal.MakeText(s.BaseURL + "/p/" + s.Mint(link))
	}
	if len(l.Consents) == 0 {
		return l, errNotToBeSaid
	}
	l.LinkUntil = link.Until
	return l, nil
}

// quote adds a consent to a letter: what the switch is called, and the very words
// that were shown, which its entry names.
func (s *Service) quote(ctx context.Context, l *mail.Letter, sub Subject, key, chain string, seq int64, until time.Time) error {
	purpose, act, _ := strings.Cut(key, "/")
	rule, ok := s.Policy.Consent(purpose)
	if !ok {
		return nil // the company asks for it no longer
	}
	e, err := s.entry(ctx, chain, seq)
	if err != nil {
		return err
	}
	text := rule.Wording.In(sub.Locale)
	if hash := entryOf(e).Wording; hash != "" {
		w, err := s.WordingOf(ctx, hash)
		if err != nil {
			return fmt.Errorf("read what was shown: %w", err)
		}
		text = w.Text
	}
	label := rule.Label.In(sub.Locale)
	if act != "" {
		label += " (" + act + ")"
	}
	l.Consents = append(l.Consents, mail.Consent{Label: label, Wording: text, Until: until})
	return nil
}
