package closure

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Facts of entries. They hold enough to make the closure anew without its item, and
// nothing personal in clear.
const (
	factStatus   = "status"
	factSubject  = "subject"
	factHolder   = "holder"
	factPolicy   = "policy"
	factPlace    = "residence"
	factLanguage = "language"
	factSealed   = "sealed" // who it is about; unreadable once the salt is gone
	factIDs      = "identifiers"
	factLapse    = "lapse_at"
	factCloses   = "closes_at"
	factGone     = "gone_by"
	factApp      = "app"
	factMailed   = "mailed"
	factMute     = "mute"
	factWork     = "request"
)

const maxValue = 256 // characters of an identity

// Ask stores that somebody wants an account closed, and promises a mail with a
// button. It finds out nothing about the person: whoever asks, and for whomever, it
// does the same in the same time. Repeated with the same Idempotency-Key it answers
// as it did the first time.
func (s *Service) Ask(ctx context.Context, sub Submission) (Receipt, error) {
	now := s.now()
	var bad []fault.Field
	if sub.Email == (personal.Email{}) {
		bad = append(bad, fault.Field{Pointer: "/email", Text: "must be a mail address such as ada@example.org"})
	}
	bad = append(bad, checkPlace(sub.Residence)...)
	if len(bad) > 0 {
		return Receipt{}, fault.Input(bad...)
	}
	if !s.Policy.Closure.Offered {
		return Receipt{}, ErrNotOffered
	}
	if err := s.limit(ctx, sub.From, now); err != nil {
		return Receipt{}, err
	}
	subject, mayMail, err := s.Keys.Contact(ctx, sub.Email.Identity(), now, s.Policy.Verification.MailsPerDay)
	if err != nil {
		return Receipt{}, unavailable(err)
	}
	c := s.fresh(subject, "", sub.Locale, sub.Residence, sub.Call, now)
	c.Status, c.LapseAt = Asked, now.Add(s.Policy.Closure.ConfirmWithin).Truncate(time.Second)
	if err := s.sealed(&c, subject, account{Email: sub.Email}); err != nil {
		return Receipt{}, err
	}
	d := &draft{Closure: c, commit: table.NewID(), at: now}
	d.enter(audit.Entry{
		Chain: c.ID.Chain(), At: now, Actor: byPerson, Action: asked,
		Facts: append(c.origin(), audit.Fact{Name: factLapse, Value: c.LapseAt.Format(time.RFC3339)}, audit.Fact{Name: factMailed, Value: strconv.FormatBool(mayMail)}),
	})
	if mayMail {
		d.say(mail.ConfirmClosure)
	}
	c, err = s.save(ctx, d)
	if errors.Is(err, table.ErrConflict) {
		c, err = s.repeated(ctx, d.Closure)
	}
	if err != nil {
		return Receipt{}, unavailable(err)
	}
	return Receipt{ID: c.ID, Status: Asked, Asked: c.Asked, LapseAt: d.LapseAt}, nil
}

func checkPlace(residence string) []fault.Field {
	if residence != "" && !policy.IsResidence(residence) {
		return []fault.Field{{Pointer: "/residence", Text: "must be a code such as FR, US-CA or EEA, or be left out"}}
	}
	return nil
}

// fresh is a closure of a subject before anything happened to it. What an app vouches
// for never has the name of what anybody could have sent.
func (s *Service) fresh(subject seal.Subject, app, locale, residence string, call Call, now time.Time) Closure {
	key := call.Key
	if key == "" {
		key = string(table.NewID())
	}
	parts := []string{subject.ID, key}
	if app != "" {
		parts = append(parts, byApp, app)
	}
	return Closure{
		ID: ID("c" + s.hash("closure", parts...)), App: app, Locale: words.In(locale).Language(), Residence: residence, Policy: s.Policy.Version,
		Asked: now.Truncate(time.Second), Subject: subject.ID, Holder: subject.Holder, Body: s.hash("body", call.Body),
	}
}

// repeated returns the closure that the same key made before.
func (s *Service) repeated(ctx context.Context, again Closure) (Closure, error) {
	c, err := s.load(ctx, again.ID)
	if err != nil {
		return Closure{}, err
	}
	if !seal.Same(c.Body, again.Body) {
		return Closure{}, ErrReplay
	}
	return c, nil
}

// limit counts, in the store, what one network address had mailed to others: a form
// that mails is a weapon against whoever is named in it.
func (s *Service) limit(ctx context.Context, from string, now time.Time) error {
	if from == "" {
		return nil
	}
	hour := now.Format("2006-01-02T15")
	key := table.Key{Partition: "closer#" + s.hash("source address", from, hour), Sort: hour}
	_, err := s.Table.Count(ctx, table.Tally{
		Ref: table.Ref{Table: table.State, Key: key}, Window: hour, Limit: int64(s.Policy.Verification.SubmitsPerHour),
		New: table.Item{Key: key, Schema: schema, Body: []byte("{}"), Expires: now.Add(2 * time.Hour)},
	})
	if errors.Is(err, table.ErrOver) {
		return ErrTooMany
	}
	return unavailable(err)
}

// Begin closes the account of somebody who is signed in to the company's app, which
// vouches for them: the time to change one's mind begins at once. Where that account
// is closing already the answer is how far it is.
func (s *Service) Begin(ctx context.Context, app string, sub Signed) (View, error) {
	return s.start(ctx, app, sub, s.Policy.Closure.Grace)
}

// ClosedBy is Begin for an account that the app has closed itself: there is no
// time left to change one's mind.
func (s *Service) ClosedBy(ctx context.Context, app string, sub Signed) (View, error) {
	return s.start(ctx, app, sub, 0)
}

func (s *Service) start(ctx context.Context, app string, sub Signed, grace time.Duration) (View, error) {
	var bad []fault.Field
	if v := sub.Who.Reveal(); sub.Who.Kind == "" || v == "" || len(v) > maxValue {
		bad = append(bad, fault.Field{Pointer: "/subject", Text: fmt.Sprintf("must have a type and a value of at most %d characters", maxValue)})
	}
	bad = append(bad, checkPlace(sub.Residence)...)
	if len(bad) > 0 {
		return View{}, fault.Input(bad...)
	}
	if !s.Policy.Closure.Offered {
		return View{}, ErrNotOffered
	}
	a := account{Email: sub.Email, Who: []personal.Identity{sub.Who}}
	if sub.Who.Kind == personal.KindEmail {
		if a.Email == (personal.Email{}) {
			a.Email, _ = personal.ParseEmail(sub.Who.Reveal())
		}
		if a.Email != (personal.Email{}) && a.Email.Identity() == sub.Who {
			a.Who = nil
		}
	}
	// All of them: what begins later is begun by who may not write the Keys table.
	var subject seal.Subject
	for i, who := range a.identities() {
		met, err := s.Keys.Meet(ctx, who)
		if err != nil {
			return View{}, unavailable(err)
		}
		if i == 0 {
			subject = met
		}
	}
	commit := table.NewID()
	for try := range conflictTries {
		now := s.now()
		c := s.fresh(subject, app, sub.Locale, sub.Residence, sub.Call, now)
		if before, err := s.repeated(ctx, c); !errors.Is(err, ErrNotFound) {
			return s.view(before.begun()), unavailable(err)
		}
		if err := s.sealed(&c, subject, a); err != nil {
			return View{}, err
		}
		c.Status = Grace
		s.setDates(&c, now, grace)
		d := &draft{Closure: c, commit: commit, at: now}
		d.enter(audit.Entry{
			Chain: c.ID.Chain(), At: now, Actor: byApp + ":" + app, Action: began,
			Facts: append(append(c.origin(), audit.Fact{Name: factApp, Value: app}), c.dates()...),
		})
		under, err := s.point(ctx, d)
		if errors.Is(err, ErrUnderWay) {
			return s.view(under), nil // the same person: they see what they would have begun
		}
		if err == nil {
			err = s.enterGrace(ctx, d, a)
		}
		if err != nil {
			return View{}, unavailable(err)
		}
		c, err = s.save(ctx, d)
		if err == nil {
			s.wake(ctx, c)
			return s.view(c), nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return View{}, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return View{}, err
		}
	}
	return View{}, ErrBusy
}

// begun is a closure as it was when it began at an app: a repetition is answered as the
// call was, and never with today's status.
func (c Closure) begun() Closure {
	c.Over = time.Time{}
	if c.Status = Closing; c.ClosesAt.After(c.Confirmed) {
		c.Status, c.Work = Grace, ""
	}
	return c
}

// origin are the facts of a closure's first entry.
func (c Closure) origin() []audit.Fact {
	return []audit.Fact{
		{Name: factStatus, Value: string(c.Status)},
		{Name: factSubject, Value: c.Subject},
		{Name: factHolder, Value: string(c.Holder)},
		{Name: factIDs, Value: joined(c.Identifiers)},
		{Name: factSealed, Value: encoded(c.Who)},
		{Name: factPolicy, Value: c.Policy},
		{Name: factPlace, Value: c.Residence},
		{Name: factLanguage, Value: c.Locale},
		{Name: factMute, Value: strconv.FormatBool(c.Mute)},
	}
}

func (c Closure) dates() []audit.Fact {
	return []audit.Fact{
		{Name: factCloses, Value: c.ClosesAt.Format(time.RFC3339)},
		{Name: factGone, Value: c.GoneBy.Format(time.RFC3339)},
	}
}

// setDates sets when the account closes and when everything has to be gone.
func (s *Service) setDates(c *Closure, now time.Time, grace time.Duration) {
	c.Confirmed, c.LapseAt = now, time.Time{}
	c.ClosesAt = now.Add(grace).Truncate(time.Second)
	c.GoneBy = c.ClosesAt.AddDate(0, 0, s.Policy.Closure.ErasedWithin)
}

// wake hints that there is work, if it was opened.
func (s *Service) wake(ctx context.Context, c Closure) {
	if c.Status == Closing && s.Wake != nil {
		s.Wake(ctx, c.Work)
	}
}
