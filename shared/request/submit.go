package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Submission is what a person, or an operator for them, asks.
type Submission struct {
	Right     policy.Right
	Residence string
	Person    Person
	Locale    string
	Call      Call
	// From is the caller's network address, for the limit; empty for operators.
	From string
	// Received and Channel are set for what was taken in by phone or post.
	Received time.Time
	Channel  string
	By       string   // actor; empty: the person
	About    ID       // the request that a complaint is about; may be empty
	Purposes []string // that consent is withdrawn for; none: all of them
	How      How      // what is to become of the data, with erasure; empty: what the policy says
	// Account is who is signed in to the app that submits; nobody else may say so.
	Account personal.Identity

	app string // that submits
}

// Receipt is the answer to a submission, the same for known and unknown people.
type Receipt struct {
	ID        ID
	Status    Status
	Received  time.Time
	RespondBy time.Time
	SafeBy    time.Time
}

// Limits of what a person can send, in characters of all texts together, and in
// entries of a list: an item of the store takes 400 KB, a human reader less.
const (
	maxText = 8_000
	maxList = 20

	maxAccount = 256
)

// Submit stores a request and promises a mail with a code and a link. It finds
// out nothing about the person: whoever asks, and for whomever, it does the same
// in the same time. Repeated with the same Idempotency-Key it answers as it did
// the first time.
//
// What is a choice takes effect in the same commit.
func (s *Service) Submit(ctx context.Context, sub Submission) (Receipt, error) {
	sub.app, sub.Account = "", personal.Identity{}
	r, err := s.submit(ctx, sub)
	if err != nil {
		return Receipt{}, err
	}
	return s.receipt(r), nil
}

func (s *Service) submit(ctx context.Context, sub Submission) (Request, error) {
	now := s.now()
	rule, err := s.check(&sub, now)
	if err != nil {
		return Request{}, err
	}
	if err := s.limit(ctx, sub.From, now); err != nil {
		return Request{}, err
	}
	subject, mayMail, err := s.Keys.Contact(ctx, sub.Person.Email.Identity(), now, s.Policy.Verification.MailsPerDay)
	if err != nil {
		return Request{}, unavailable(err)
	}

	key := sub.Call.Key
	if key == "" {
		key = string(table.NewID())
	}
	r := Request{
		ID:    s.idFor(subject.ID, sub, key),
		Right: sub.Right, Residence: sub.Residence, Channel: sub.Channel, Locale: sub.Locale,
		Status: Unverified, Policy: s.Policy.Version, Automatic: rule.Automatic,
		Received: sub.Received, Promise: rule.PromisedDays, About: sub.About,
		App: sub.app, Purposes: sub.Purposes, How: sub.How,
		LapseAt: now.Add(s.Policy.Verification.LapseAfter),
		Subject: subject.ID, Holder: subject.Holder,
		Body: s.Keys.Ring.Hash("body", sub.Call.Body),
	}
	if sub.Right.Unverified() || sub.app != "" {
		r.Status, r.LapseAt = Open, time.Time{}
	}
	// Nobody has to say yes to a choice: it is in force, and only passed on.
	r.Automatic = r.Automatic || sub.Right.Unverified()
	r = s.judged(r)
	if err := s.count(&r, now); err != nil {
		return Request{}, err
	}
	if r.Status == Unverified && r.RespondBy.Before(r.LapseAt) {
		// What was taken in late leaves the person as long as the link is good for.
		r.LapseAt = later(r.RespondBy, now.Add(s.Policy.Verification.LinkPeriod))
	}
	if err := s.sealPerson(&r, subject, sub.Person); err != nil {
		return Request{}, fmt.Errorf("seal a person: %w", err)
	}
	who := []personal.Identity{sub.Person.Email.Identity()}
	if sub.Account != (personal.Identity{}) {
		who = append(who, sub.Account)
		if err := s.sealTies(&r, subject, who[1:]); err != nil {
			return Request{}, err
		}
	}
	if _, ok := sub.Person.newAddress(); ok {
		r.NewAddress = &Proof{}
	}
	var say []mail.Kind
	if mayMail {
		r.Proof.Issued, r.Proof.IssuedAt = 1, now
		kind := mail.Verify
		if r.Right.Unverified() {
			kind = mail.Received
		}
		say = append(say, kind)
	}
	if sub.app != "" {
		// The code of this generation was mailed to nobody, and is dead.
		r.Proof = Proof{Issued: 1, IssuedAt: now, Spent: 1, Times: 1, At: now, By: ByApp}
		for i := range say {
			say[i] = mail.Verified
		}
		say = append(say, r.askNewAddress(now)...)
	}
	e := audit.Entry{
		Chain: r.ID.Chain(), At: now, Actor: ByPerson, Action: "receive",
		Facts: []audit.Fact{
			{Name: "right", Value: string(r.Right)},
			{Name: "residence", Value: r.Residence},
			{Name: "subject", Value: r.Subject},
			{Name: "holder", Value: string(r.Holder)},
			{Name: "law", Value: r.Law},
			{Name: "respond_by", Value: r.RespondBy.UTC().Format(time.RFC3339)},
			{Name: "mailed", Value: strconv.FormatBool(mayMail)},
		},
	}
	if r.How != "" {
		e.Facts = append(e.Facts, audit.Fact{Name: "how", Value: string(r.How)})
	}
	switch {
	case sub.app != "":
		e.Actor = sub.By
		e.Facts = append(e.Facts, audit.Fact{Name: "by", Value: ByApp})
	case sub.By != "":
		e.Actor = sub.By
		e.Facts = append(e.Facts, audit.Fact{Name: "channel", Value: r.Channel}, audit.Fact{Name: "received", Value: r.Received.Format(time.RFC3339)})
	}
	return s.first(ctx, r, e, say, who)
}

// first stores a request. What takes effect with it is decided again when somebody
// else changed the same person's choices meanwhile; when the request itself is there
// already, the call is a repetition.
func (s *Service) first(ctx context.Context, r Request, e audit.Entry, say []mail.Kind, who []personal.Identity) (Request, error) {
	commit := table.NewID()
	for try := range conflictTries {
		next, entry := r, e
		if r.Status == Open && r.Right != policy.Restriction {
			facts, err := s.take(ctx, &next, who)
			if err != nil {
				return Request{}, err
			}
			entry.Facts = slices.Concat(e.Facts, facts)
		}
		saved, err := s.save(ctx, commit, next, entry, say)
		if err == nil {
			s.wake(ctx, saved)
			return saved, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Request{}, unavailable(err)
		}
		if saved, err = s.repeated(ctx, r); !errors.Is(err, ErrNotFound) {
			return saved, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Request{}, err
		}
	}
	return Request{}, ErrBusy
}

// idFor names a request after whoever asks, what for, and the key of the call. What
// an app vouches for never has the name of what anybody could have sent.
func (s *Service) idFor(subject string, sub Submission, key string) ID {
	parts := []string{subject, string(sub.Right), key}
	if sub.app != "" {
		parts = append(parts, ByApp, sub.app)
	}
	return ID("r" + s.Keys.Ring.Hash("request", parts...))
}

// repeated returns the request that the same key made before.
func (s *Service) repeated(ctx context.Context, again Request) (Request, error) {
	r, err := s.load(ctx, again.ID)
	if err != nil {
		return Request{}, err
	}
	if !seal.Same(r.Body, again.Body) {
		return Request{}, ErrReplay
	}
	return r, nil
}

// receipt is the answer as it was at submission, never today's status and dates.
func (s *Service) receipt(r Request) Receipt {
	status := Unverified
	if r.Right.Unverified() || r.Right == policy.Appeal || r.App != "" {
		status = Open
	}
	r.Stops, r.Extension = nil, nil
	_ = s.count(&r, r.Received) // it was counted before
	return Receipt{ID: r.ID, Status: status, Received: r.Received, RespondBy: r.RespondBy, SafeBy: r.SafeBy}
}

// check refuses what cannot be used, naming every field at once.
func (s *Service) check(sub *Submission, now time.Time) (policy.RightRule, error) {
	var bad []fault.Field
	wrong := func(pointer, text string) { bad = append(bad, fault.Field{Pointer: pointer, Text: text}) }

	p := sub.Person
	if p.Email == (personal.Email{}) {
		wrong("/person/email", "must be a mail address such as ada@example.org")
	}
	size := utf8.RuneCountInString(p.Name.Reveal()) + utf8.RuneCountInString(p.Details.Reveal())
	for i, c := range p.Claims {
		size += utf8.RuneCountInString(string(c.Kind)) + utf8.RuneCountInString(c.Reveal())
		if c.Kind == "" || c.Reveal() == "" {
			wrong(fmt.Sprintf("/person/identities/%d", i), "must have a type and a value")
		}
	}
	fields := map[string]bool{}
	sub.Person.Corrections = slices.Clone(p.Corrections)
	for i, c := range p.Corrections {
		size += utf8.RuneCountInString(c.Field) + utf8.RuneCountInString(c.Value.Reveal())
		if c.Field == "" {
			wrong(fmt.Sprintf("/corrections/%d/field", i), "must name the field that is wrong")
		}
		// Of two values for one field only the first would be confirmed.
		if fields[c.Field] {
			wrong(fmt.Sprintf("/corrections/%d/field", i), "stands twice; name each field once")
		}
		fields[c.Field] = true
		if c.Field == string(personal.KindEmail) {
			address, ok := personal.ParseEmail(c.Value.Reveal())
			if !ok {
				wrong(fmt.Sprintf("/corrections/%d/value", i), "must be a mail address such as ada@example.org")
			}
			sub.Person.Corrections[i].Value = personal.MakeText(address.Reveal()) // what is confirmed is what is set
		}
	}
	switch {
	case size > maxText:
		wrong("", fmt.Sprintf("must hold at most %d characters of text in all", maxText))
	case len(p.Claims) > maxList:
		wrong("/person/identities", fmt.Sprintf("must have at most %d entries", maxList))
	case len(p.Corrections) > maxList:
		wrong("/corrections", fmt.Sprintf("must have at most %d entries", maxList))
	}
	if sub.Right == policy.Rectification && len(p.Corrections) == 0 {
		wrong("/corrections", "must name at least one field with its right value")
	}
	if sub.Right != policy.Rectification && len(p.Corrections) > 0 {
		wrong("/corrections", "goes with the right rectification only")
	}
	if sub.Received.IsZero() {
		sub.Received = now
	}
	sub.Received = sub.Received.UTC().Truncate(time.Second)
	if sub.Received.After(now) || now.Sub(sub.Received) > 366*24*time.Hour {
		wrong("/received_at", "must lie in the past, by a year at most")
	}
	// It is stored in clear and told to the audit: it has to be a place's code and
	// not whatever somebody writes into the field.
	if sub.Residence != "" && !policy.IsResidence(sub.Residence) {
		wrong("/residence", "must be a code such as FR, US-CA or EEA, or be left out")
	}
	s.checkPurposes(sub, wrong)
	switch {
	case sub.How == "":
	case sub.Right != policy.Erasure:
		wrong("/how", "goes with the right erasure only")
	case sub.How != ByDeletion && sub.How != ByAnonymisation:
		wrong("/how", "must be delete or anonymise")
	case !s.EitherWay():
		wrong("/how", "must be left out: the policy leaves no choice")
	}
	if size := utf8.RuneCountInString(sub.Account.Reveal()); sub.Account != (personal.Identity{}) && (size == 0 || size > maxAccount || sub.Account.Kind != personal.KindAccount) {
		wrong("/account", fmt.Sprintf("must be the account of who is signed in, in at most %d characters", maxAccount))
	}
	if sub.About != "" && (sub.Right != policy.Complaint || !sub.About.possible()) {
		wrong("/about", "must be the id of a request, and goes with the right complaint only")
	}
	if len(bad) > 0 {
		return policy.RightRule{}, fault.Input(bad...)
	}
	if sub.Right == policy.Appeal {
		return policy.RightRule{}, ErrNotOffered // it is made out of the answer that it is against
	}
	rule, ok := s.Policy.Offers(sub.Right, sub.Residence)
	if !ok {
		return policy.RightRule{}, ErrNotOffered
	}
	return rule, nil
}

// EitherWay reports whether people choose, for some of their data, between erasure
// and anonymisation.
func (s *Service) EitherWay() bool {
	return slices.ContainsFunc(s.Policy.Sources, func(src policy.Source) bool {
		return slices.ContainsFunc(src.Holdings, func(h policy.Holding) bool { return h.Either && h.Action != policy.ActionKeep })
	})
}

// limit counts submissions from one network address by the hour.
func (s *Service) limit(ctx context.Context, from string, now time.Time) error {
	if from == "" {
		return nil
	}
	hour := now.UTC().Format("2006-01-02T15")
	key := table.Key{Partition: "limit#" + s.Keys.Ring.Hash("source address", from, hour), Sort: hour}
	body, err := json.Marshal(struct{}{})
	if err != nil {
		return fmt.Errorf("encode a limit: %w", err)
	}
	_, err = s.Table.Count(ctx, table.Tally{
		Ref: table.Ref{Table: table.State, Key: key}, Window: hour, Limit: int64(s.Policy.Verification.SubmitsPerHour),
		New: table.Item{Key: key, Schema: requestSchema, Body: body, Expires: now.Add(2 * time.Hour)},
	})
	if errors.Is(err, table.ErrOver) {
		return ErrTooMany
	}
	return unavailable(err)
}
