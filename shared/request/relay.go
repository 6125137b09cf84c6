package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Announce delivers what commits promised to say about a request, one after the
// other, and then commits that it is said. A crash in between says it again: the
// mailbox recognises the key, a mail service may deliver twice.
//
// A letter under way when the context ends is still finished: cut off, it might
// have been sent and would be sent again.
func (s *Service) Announce(until context.Context, id ID) error {
	ctx := context.WithoutCancel(until)
	r, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for n := 0; n < maxAnnouncements && until.Err() == nil; n++ {
		if len(r.Announcements) == 0 || r.Relay.After.After(s.now()) {
			break
		}
		a := r.Announcements[0]
		sendErr := s.say(ctx, r, a)
		dropped := errors.Is(sendErr, errNotToBeSaid)
		if dropped {
			sendErr = nil
		}
		if sendErr != nil && !settled(sendErr) && !errors.Is(sendErr, mail.ErrLater) {
			sendErr = fmt.Errorf("%w: %w", mail.ErrLater, sendErr)
		}
		if r, err = s.said(ctx, r, a, dropped, sendErr); err != nil {
			return err
		}
		if sendErr != nil && !errors.Is(sendErr, mail.ErrWithheld) {
			return fmt.Errorf("say %s about request %s: %w", a.Kind, id, sendErr)
		}
	}
	return nil
}

// settled reports whether there is no point in another try.
func settled(sendErr error) bool {
	return errors.Is(sendErr, mail.ErrRefused) || errors.Is(sendErr, mail.ErrWithheld) || errors.Is(sendErr, seal.ErrSealed)
}

// maxAnnouncements bounds one call; more wait for the next look.
const maxAnnouncements = 10

// said takes the announcement off the list, or counts a failed try. What will
// never be accepted is taken off as well: the request itself shows that the
// person was not reached. One that was dropped told nobody anything.
func (s *Service) said(ctx context.Context, r Request, a Announcement, dropped bool, sendErr error) (Request, error) {
	for try := range conflictTries {
		i := slices.Index(r.Announcements, a)
		if i < 0 {
			return r, nil // another relay said it as well
		}
		before := r.Relay
		if sendErr == nil || !errors.Is(sendErr, mail.ErrLater) {
			r.Announcements = slices.Delete(slices.Clone(r.Announcements), i, i+1)
			r.Relay = Attempts{}
			if sendErr == nil && !dropped && confirms(a.Kind) && r.Acknowledged.IsZero() && !r.AcknowledgeBy.IsZero() {
				r.Acknowledged = s.now()
			}
			if errors.Is(sendErr, mail.ErrWithheld) {
				// Who asked by an app was told by the app, which had the number and the dates.
				if confirms(a.Kind) && r.Acknowledged.IsZero() && !r.AcknowledgeBy.IsZero() && r.Proof.By == ByApp {
					r.Acknowledged = s.now()
				}
			} else if sendErr != nil {
				r.Relay.Fault = "not_accepted"
			}
		} else {
			if errors.Is(sendErr, errMailsOfToday) && len(r.Announcements) > 1 {
				// Another address has to wait for tomorrow; this one need not.
				r.Announcements = append(slices.Delete(slices.Clone(r.Announcements), i, i+1), a)
				r.Relay.Tries = 0
			}
			r.Relay.Tries++
			if errors.Is(sendErr, errPosted) || r.Relay.Fault == unconfirmed {
				r.Relay.Fault = unconfirmed
			} else {
				r.Relay.Fault = "unreachable"
			}
			r.Relay.After = s.now().Add(table.Backoff(min(r.Relay.Tries, maxTries)))
		}
		next, err := s.saidAfter(ctx, r, a.Kind, dropped, before, sendErr)
		if err == nil || !errors.Is(err, table.ErrConflict) {
			return next, err
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return r, err
		}
		if r, err = s.load(ctx, r.ID); err != nil {
			return r, err
		}
	}
	return r, ErrBusy
}

// confirms reports whether a letter confirms that a request was received.
func confirms(kind mail.Kind) bool {
	return kind == mail.Verify || kind == mail.Verified || kind == mail.Received
}

// unconfirmed is the fault of a letter that may have left all the same.
const unconfirmed = "unconfirmed"

// saidAfter keeps what came of a letter. One that left after tries that the mail
// service did not confirm may have arrived more than once: the timeline says so. It
// also says which letters went to nobody.
func (s *Service) saidAfter(ctx context.Context, r Request, kind mail.Kind, dropped bool, before Attempts, sendErr error) (Request, error) {
	if errors.Is(sendErr, mail.ErrWithheld) {
		r, e, err := r.Apply(Withheld, BySystem, s.now(), audit.Fact{Name: "mail", Value: string(kind)})
		if err != nil {
			return r, err
		}
		return s.save(ctx, table.NewID(), r, e, nil)
	}
	if sendErr != nil || dropped || before.Fault != unconfirmed {
		return s.keep(ctx, r)
	}
	r, e, err := r.Apply(Said, BySystem, s.now(),
		audit.Fact{Name: "mail", Value: string(kind)}, audit.Fact{Name: "tries", Value: strconv.Itoa(before.Tries + 1)})
	if err != nil {
		return r, err
	}
	return s.save(ctx, table.NewID(), r, e, nil)
}

// say writes and sends one letter.
func (s *Service) say(ctx context.Context, r Request, a Announcement) error {
	p, _, err := s.person(ctx, r)
	if err != nil {
		return err
	}
	l, err := s.letter(ctx, r, p, a)
	if err != nil {
		return err
	}
	m, err := mail.Compose(a.Kind, r.Locale, l)
	if err != nil {
		return err
	}
	if err := s.Mail.Send(ctx, m, s.callKey(r.ID, "mail", strconv.FormatInt(a.Seq, 10), string(a.Kind))); err != nil {
		return fmt.Errorf("%w: %w", errPosted, err)
	}
	return nil
}

// errPosted is a failure after the mail service was called: the letter may have left.
var errPosted = errors.New("request: the mail service did not confirm")

// errNotToBeSaid drops an announcement that time has overtaken.
var errNotToBeSaid = errors.New("request: no longer to be said")

var errMailsOfToday = fmt.Errorf("%w: the address had its mails of today", mail.ErrLater)

// letter gathers what a mail says.
func (s *Service) letter(ctx context.Context, r Request, p Person, a Announcement) (mail.Letter, error) {
	r = s.current(r)
	l := mail.Letter{
		To: p.Email, Brand: s.Policy.Document.Brand, Contact: s.Contact(), Zone: s.Zone(),
		Request: string(r.ID), Right: string(r.Right), Received: r.Received, RespondBy: r.RespondBy,
	}
	link := func(token string) personal.Text { return personal.MakeText(s.BaseURL + "/r/" + token) }
	follow := func() personal.Text {
		return link(s.Mint(Token{ID: r.ID, Verb: Session, N: r.Proof.Times, Until: s.sessionUntil(s.now())}))
	}
	switch a.Kind {
	case mail.Verify, mail.Received:
		if r.Status == Revoked || r.Status == Expired {
			return l, errNotToBeSaid
		}
		l.Code, l.CodeUntil = personal.MakeText(s.code(r.ID, r.Proof.Issued)), r.Proof.IssuedAt.Add(codeLife)
		l.Link, l.LinkUntil = link(s.linkToken(r.ID, VerifyLink, r.Proof)), s.linkUntil(r)
	case mail.ConfirmAddress:
		to, ok := p.newAddress()
		if !ok || r.NewAddress == nil || r.Status.Final() {
			return l, errNotToBeSaid
		}
		_, mayMail, err := s.Keys.Contact(ctx, to.Identity(), s.now(), s.Policy.Verification.MailsPerDay)
		if err != nil {
			return l, err
		}
		if !mayMail {
			return l, errMailsOfToday
		}
		l.To = to
		l.Link, l.LinkUntil = link(s.linkToken(r.ID, ConfirmLink, *r.NewAddress)), r.NewAddress.IssuedAt.Add(s.Policy.Verification.LinkPeriod)
	case mail.Verified:
		l.Follow = follow()
		if rule := s.Policy.Rights[r.Right]; rule.Cooling > 0 && r.Automatic {
			l.Starts, l.Revoke = r.Proof.At.Add(rule.Cooling), l.Follow
		}
	case mail.Ready:
		if r.Package == nil || r.Package.Cleared {
			return l, errNotToBeSaid
		}
		l.Link, l.LinkUntil = link(s.packageToken(r)), r.Package.Until
		l.Follow = follow()
	case mail.Fulfilled:
		if r.unmailed() {
			return l, errNotToBeSaid
		}
		l.Systems, l.Follow = s.Outcome(r.named(p), r.Locale), follow()
		l.Ignored, l.Authority = s.ignored(ctx, r, p), s.authority(r)
	case mail.Closed:
		l.Systems, l.Authority, l.Follow = s.Outcome(r.named(p), r.Locale), s.authority(r), follow()
	case mail.Denied:
		if r.unmailed() {
			return l, errNotToBeSaid
		}
		l.Reason, l.Article = s.reason(r)
		l.Authority = s.authority(r)
		if l.AppealUntil, l.Appeal = s.appealUntil(r); l.Appeal {
			l.Follow = follow()
		}
	case mail.Decided:
		l.Outcome, l.Authority, l.Follow = string(r.Outcome), s.authority(r), follow()
		l.AppealUntil, l.Appeal = s.appealUntil(r)
		words, err := s.quoted(ctx, r, a)
		if err != nil {
			return l, err
		}
		l.Words = words
	case mail.Asked, mail.StillAsked:
		if r.Status.Final() || r.Messages.Answered > r.Messages.Asked {
			return l, errNotToBeSaid
		}
		l.Stopped, l.Follow = r.Paused, follow()
		l.Article, l.Waiting = s.stopping(r), r.asking()
		words, err := s.quoted(ctx, r, a)
		if err != nil {
			return l, err
		}
		l.Words = words
	case mail.Extended:
		if r.Extension == nil {
			return l, errNotToBeSaid
		}
		l.Before, l.Authority, l.Follow = r.Extension.Before, s.authority(r), follow()
		l.Reason, l.Article = s.ground(r)
	case mail.Late:
		if r.Status.Final() || r.unmailed() {
			return l, errNotToBeSaid
		}
		l.Authority, l.Follow = s.authority(r), follow()
		l.Article, _ = law.Silence(r.Law, law.DateOf(r.Received, s.Zone()))
	case mail.Remind:
		if r.Status != Unverified {
			return l, errNotToBeSaid
		}
		// The first try counts: a mail service that is away uses up nobody's day.
		if r.Relay.Tries == 0 {
			_, mayMail, err := s.Keys.Contact(ctx, p.Email.Identity(), s.now(), s.Policy.Verification.MailsPerDay)
			if err != nil {
				return l, err
			}
			if !mayMail {
				return l, errNotToBeSaid // the address was written to often enough today
			}
		}
		l.Link, l.LinkUntil = link(s.linkToken(r.ID, VerifyLink, r.Proof)), s.linkUntil(r)
		l.LapseAt = r.LapseAt
		l.AnotherWay = s.Policy.Verification.WithoutAccount.In(r.Locale)
	case mail.Lapsed:
		l.AnotherWay = s.Policy.Verification.WithoutAccount.In(r.Locale)
		if r.unmailed() {
			return l, errNotToBeSaid
		}
	case mail.Revoked, mail.Digest, mail.Overdue, mail.ConfirmConsent, mail.RenewConsent, mail.PreferenceLink,
		mail.ConfirmClosure, mail.ClosureBegun, mail.ClosureEnded:
	}
	return l, nil
}

// linkUntil is until when the mailed link works: no longer than there is a request to verify.
func (s *Service) linkUntil(r Request) time.Time {
	until := r.Proof.IssuedAt.Add(s.Policy.Verification.LinkPeriod)
	if r.Status == Unverified && r.LapseAt.Before(until) {
		return r.LapseAt
	}
	return until
}

// unmailed reports whether the address had its mails of the day when the request was
// made, and nobody proved it since. Whoever asks in another's name a thousand times
// reaches them no more often when the requests lapse, or are late, than when they
// were made.
func (r Request) unmailed() bool { return r.Proof.Issued == 0 && !r.Proof.Proven() }

// Contact is whom every page and mail names for questions.
func (s *Service) Contact() words.Contact {
	c := s.Policy.Contact
	return words.Contact{Name: c.Person, Email: c.Email, Page: c.Page, Postal: c.PostalAddress}
}

// reason returns the denial's text in the request's language, and its article.
func (s *Service) reason(r Request) (text, article string) {
	for _, x := range law.Reasons(r.Law, string(r.Right)) {
		if x.Code == r.Reason {
			if t, ok := x.Text[r.Locale]; ok {
				return t, x.Article
			}
			return x.Text["en"], x.Article
		}
	}
	return "", ""
}

// ground returns the reason of an extension in the request's language, and its article.
func (s *Service) ground(r Request) (text, article string) {
	x, _ := law.ExtensionOf(s.legalCase(r, r.Extension.At)) // it was found when it was taken
	for _, g := range x.Grounds {
		if g.Code == r.Extension.Ground {
			return policy.Text(g.Text).In(r.Locale), x.Article
		}
	}
	return "", x.Article
}

// stopping is the article of the law that stops the time while the person is
// asked something; empty: time runs.
func (s *Service) stopping(r Request) string {
	if !r.Paused {
		return ""
	}
	for _, stop := range slices.Backward(r.Stops) {
		a, err := law.Asking(s.legalCase(r, s.now()), stop.Cause)
		if err == nil && stop.Answered.IsZero() && a.Effect != law.Ignore {
			return a.Article
		}
	}
	return ""
}

// authority is whom a person of the request's residence may complain to: the one
// that the policy names for that place, or that the law knows; failing both, the
// one that the policy names for everybody.
func (s *Service) authority(r Request) words.Authority {
	for _, residence := range []string{r.Residence, s.Policy.Controller.Country} {
		named, ok := s.Policy.Authority(residence)
		broad := named.Residence == policy.EEA || named.Residence == policy.Everywhere
		if a, known := law.Authority(residence); known && (!ok || broad) {
			return words.Authority{Name: a.Name, Page: a.URL}
		}
		if ok {
			return words.Authority{Name: named.Name.In(r.Locale), Page: named.URL}
		}
	}
	return words.Authority{}
}

// packageToken is the mailed download link's token.
func (s *Service) packageToken(r Request) string {
	return s.Mint(Token{ID: r.ID, Verb: DeliverLink, N: r.Package.Link.Issued, Until: r.Package.Until})
}
