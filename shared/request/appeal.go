package request

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Faults of an appeal.
var (
	ErrNoAppeal     = fault.New(fault.Conflict, "no_appeal", "The law that this was answered under knows no appeal to us; you can send us a complaint, and complain to the authority.")
	ErrNotAppealing = fault.New(fault.Conflict, "nothing_to_appeal", "Only an answer can be appealed against; this request has none yet.")
	ErrAppealed     = fault.New(fault.Conflict, "already_appealed", "There is an appeal against this answer already; GET the request for its number, and add to it in its messages.")
	ErrAppealLate   = fault.New(fault.Conflict, "appeal_too_late", "The time to appeal is over; you can complain to the authority.")
)

// Appeal opens an appeal against an answer: a request of its own, with its own
// clock, number and owner, that somebody at the company weighs. There is one per
// answer; asked again, the same one is returned. The proof of the address that the
// session stands for counts for it as well.
func (s *Service) Appeal(ctx context.Context, id ID, token, why string, c Call) (Receipt, Proven, error) {
	about, _, err := s.Authorize(ctx, id, token)
	if err != nil {
		return Receipt{}, Proven{}, err
	}
	if n := utf8.RuneCountInString(why); strings.TrimSpace(why) == "" || n > maxText {
		return Receipt{}, Proven{}, fault.Input(fault.Field{Pointer: "/text", Text: "must say what you disagree with, in at most 8000 characters"})
	}
	if err := s.appealable(about); err != nil {
		return Receipt{}, Proven{}, err
	}
	p, subject, err := s.person(ctx, about)
	if errors.Is(err, seal.ErrSealed) {
		return Receipt{}, Proven{}, ErrErased.Because(err)
	}
	if err != nil {
		return Receipt{}, Proven{}, unavailable(err)
	}
	now := s.now()
	r := Request{
		ID:    s.appealID(about),
		Right: policy.Appeal, About: about.ID, Status: Open,
		Residence: about.Residence, Locale: about.Locale, Policy: s.Policy.Version, Law: about.Law, Received: now.Truncate(time.Second),
		Subject: about.Subject, Holder: about.Holder, Body: s.Keys.Ring.Hash("body", c.Body),
		Proof: Proof{Issued: 1, IssuedAt: now, Spent: 1, Times: 1, At: now, By: "appeal"},
	}
	if err := s.count(&r, now); err != nil {
		return Receipt{}, Proven{}, err
	}
	if err := s.sealPerson(&r, subject, Person{Email: p.Email, Name: p.Name, Details: personal.MakeText(why)}); err != nil {
		return Receipt{}, Proven{}, err
	}
	e := audit.Entry{
		Chain: r.ID.Chain(), At: now, Actor: ByPerson, Action: "receive",
		Facts: []audit.Fact{
			{Name: "right", Value: string(r.Right)},
			{Name: "about", Value: string(about.ID)},
			{Name: "subject", Value: r.Subject},
			{Name: "holder", Value: string(r.Holder)},
			{Name: "law", Value: r.Law},
			{Name: "respond_by", Value: r.RespondBy.UTC().Format(time.RFC3339)},
		},
	}
	_, err = s.save(ctx, table.NewID(), r, e, []mail.Kind{mail.Verified})
	if errors.Is(err, table.ErrConflict) {
		if r, err = s.repeated(ctx, r); errors.Is(err, ErrReplay) {
			err = ErrAppealed // in other words: another key would not help
		}
	}
	if err != nil {
		return Receipt{}, Proven{}, unavailable(err)
	}
	return s.receipt(r), s.proven(r, Replay{Status: Open, N: 1, At: now}), nil
}

// appealID names the one appeal against a request's answer.
func (s *Service) appealID(about Request) ID {
	return ID("r" + s.Keys.Ring.Hash("request", about.Subject, string(policy.Appeal), string(about.ID)))
}

// appealable returns nil if the request has an answer that can be appealed against.
func (s *Service) appealable(r Request) error {
	if r.Right == policy.Appeal || r.Right.Internal() || r.Status != Denied && r.Status != Fulfilled {
		return ErrNotAppealing
	}
	clocks, err := s.Clocks(r)
	if err != nil {
		return err
	}
	for _, c := range clocks {
		if c.Clock == law.File && s.now().After(c.Legal) {
			return ErrAppealLate
		}
	}
	err = law.Appeals(s.legalCase(r, s.now()))
	if errors.Is(err, law.ErrNoAppeal) {
		return ErrNoAppeal
	}
	return err
}

// appealUntil is whether and until when an answer can be appealed against.
func (s *Service) appealUntil(r Request) (until time.Time, ok bool) {
	if s.appealable(r) != nil {
		return time.Time{}, false
	}
	clocks, _ := s.Clocks(r) // appealable asked for them
	for _, c := range clocks {
		if c.Clock == law.File {
			return c.Legal, true
		}
	}
	return time.Time{}, true
}
