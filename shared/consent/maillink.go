package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// errand is a link to somebody's own choices that is to be mailed. It stands apart
// from what its owner chose: to write it nothing has to be known of them.
type errand struct {
	Holder  seal.Identifier `json:"holder"`  // whose salt Address hangs on
	Address []byte          `json:"address"` // sealed
	Locale  string          `json:"lang"`
	Over    bool            `json:"over,omitempty"` // the address had its mails of the day: nothing is mailed
	Tries   int             `json:"tries,omitempty"`
	After   time.Time       `json:"after,omitzero"` // the end of a back-off
}

const (
	errandSchema = 1
	errandPrefix = "consent#link#"
)

func isErrand(k table.Key) bool { return strings.HasPrefix(k.Partition, errandPrefix) }

// MailLink mails a link to their preferences to whoever owns the address. It looks
// nobody up: for everybody the same is counted and written, in the same time, and
// the mail goes out too where there is nothing to see. From is the caller's network
// address, for the limit.
func (s *Service) MailLink(ctx context.Context, to personal.Email, locale, from string) error {
	now := s.now()
	if from != "" {
		hour := now.Format("2006-01-02T15")
		if err := s.limitMail(ctx, s.Keys.Ring.Hash("chooser address", from, hour), hour, now); err != nil {
			return err
		}
	}
	who, may, err := s.Keys.Contact(ctx, to.Identity(), now, s.Policy.Verification.MailsPerDay)
	if err != nil {
		return unavailable(err)
	}
	e := errand{Holder: who.Holder, Locale: words.In(locale).Language(), Over: !may}
	if e.Address, err = s.sealed(who, fieldAddress, to.Identity()); err != nil {
		return err
	}
	id := table.NewID()
	item, err := e.item(table.Key{Partition: errandPrefix + strings.ToLower(string(id)), Sort: "-"}, now.Add(relayWithin))
	if err != nil {
		return err
	}
	item.Expires = now.Add(s.Policy.Verification.LinkPeriod)
	return unavailable(s.Table.Commit(ctx, id, table.Put(table.State, item, table.New)))
}

func (e errand) item(key table.Key, due time.Time) (table.Item, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return table.Item{}, fmt.Errorf("encode a link that is to be mailed: %w", err)
	}
	return table.Item{Key: key, Body: body, Schema: errandSchema, Due: due}, nil
}

// run mails a link, and forgets that somebody asked for it.
func (s *Service) run(ctx context.Context, key table.Key) error {
	ref := table.Ref{Table: table.State, Key: key}
	item, err := s.Table.Get(ctx, ref)
	if errors.Is(err, table.ErrAbsent) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load a link that is to be mailed: %w", err)
	}
	var e errand
	if err := json.Unmarshal(item.Body, &e); err != nil || item.Schema != errandSchema {
		return fmt.Errorf("consent: a link that is to be mailed has schema %d, this version reads %d", item.Schema, errandSchema)
	}
	now := s.now()
	if e.After.After(now) {
		return nil
	}
	var sendErr error
	if !e.Over {
		sendErr = s.mailLink(ctx, e, key, now)
	}
	next := table.Delete(ref, table.Version(item.Version))
	if !final(sendErr) {
		e.Tries++
		e.After = now.Add(table.Backoff(e.Tries))
		again, err := e.item(key, e.After)
		if err != nil {
			return err
		}
		again.Expires = item.Expires
		next = table.Put(table.State, again, table.Version(item.Version))
	}
	err = s.Table.Commit(ctx, table.NewID(), next)
	switch {
	case errors.Is(err, table.ErrConflict):
		return nil // another relay did it as well
	case err != nil:
		return fmt.Errorf("keep that a link was mailed: %w", err)
	case errors.Is(sendErr, mail.ErrWithheld):
		if s.Log != nil {
			s.Log.WarnContext(ctx, "a link was mailed to nobody")
		}
	case sendErr != nil:
		return fmt.Errorf("mail a link: %w", sendErr)
	}
	return nil
}

func (s *Service) mailLink(ctx context.Context, e errand, key table.Key, now time.Time) error {
	i, err := s.open(ctx, e.Holder, fieldAddress, e.Address)
	if err != nil {
		return err
	}
	to, ok := personal.ParseEmail(i.Reveal())
	if !ok {
		return seal.ErrSealed
	}
	l := s.envelope(to)
	l.LinkUntil = now.Add(s.Policy.Verification.LinkPeriod)
	link := Link{Identifier: e.Holder, Verb: PreferLink, N: 1, Until: l.LinkUntil, Who: i}
	l.Link = personal.MakeText(s.BaseURL + "/p/" + s.Mint(link))
	return s.post(ctx, mail.PreferenceLink, e.Locale, l, s.callKey("link", key.Partition))
}
