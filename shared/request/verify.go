package request

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Proven is the answer to a successful verification.
type Proven struct {
	Status Status
	Token  string    // for Authorization: Bearer, for this request only
	Until  time.Time // when it ends
}

// VerifyCode proves the address by the code of the latest mail. The try is
// counted before the code is compared: a thousand guesses at once are five.
// An unknown request costs and says the same as a wrong code.
func (s *Service) VerifyCode(ctx context.Context, id ID, code string, c Call) (Proven, error) {
	if !id.possible() {
		return Proven{}, ErrWrongCode
	}
	item, err := s.tally(ctx, id)
	switch {
	case errors.Is(err, table.ErrAbsent):
		return Proven{}, ErrWrongCode
	case errors.Is(err, table.ErrOver):
		return Proven{}, ErrTries
	case err != nil:
		return Proven{}, unavailable(err)
	}
	r, err := decode(item)
	if err != nil {
		return Proven{}, err
	}
	if p, ok, err := s.replayed(r, Verify, c); err != nil || ok && s.now().Sub(p.At) < repeatFor {
		return s.proven(r, p), err
	}
	p := r.Proof
	fresh := p.Issued > p.Spent && s.now().Before(p.IssuedAt.Add(codeLife))
	if !seal.Same(code, s.code(id, p.Issued)) || !fresh {
		return Proven{}, ErrWrongCode
	}
	return s.prove(ctx, r, p.Issued, "code", c)
}

// tally counts one try of a code. Codes have generations, and the counter's
// window must name the current one, which stands in the item: it is learned from
// the first answer.
func (s *Service) tally(ctx context.Context, id ID) (table.Item, error) {
	window := triesWindow(1)
	for {
		item, err := s.Table.Count(ctx, table.Tally{Ref: id.Ref(), Window: window, Limit: codeTries, Total: allTries})
		if err != nil && !errors.Is(err, table.ErrOver) {
			return item, err
		}
		r, decodeErr := decode(item)
		if decodeErr != nil {
			return table.Item{}, decodeErr
		}
		if now := triesWindow(r.Proof.Issued); now > window {
			window = now
			continue
		}
		return item, err
	}
}

func triesWindow(generation int) string { return entrySort(int64(generation)) }

// VerifyLink proves the address by the token of a mailed link. A forged token
// costs nothing; a spent one answers the same call within ten minutes as it did.
func (s *Service) VerifyLink(ctx context.Context, token string, c Call) (Proven, error) {
	t, err := s.ParseToken(token)
	if err != nil {
		return Proven{}, err
	}
	if t.Verb != VerifyLink {
		return Proven{}, ErrBadToken
	}
	r, err := s.load(ctx, t.ID)
	if err != nil {
		return Proven{}, err
	}
	if p, ok, err := s.replayed(r, Verify, c); err != nil || ok && s.now().Sub(p.At) < repeatFor {
		return s.proven(r, p), err
	}
	if t.N <= r.Proof.Spent || t.N > r.Proof.Issued {
		return Proven{}, ErrLinkGone
	}
	return s.prove(ctx, r, t.N, "link", c)
}

// repeatFor is how long a spent code or link answers its own repetition.
const repeatFor = 10 * time.Minute

// prove records that the address was proven by the given generation of mail.
func (s *Service) prove(ctx context.Context, r Request, generation int, by string, c Call) (Proven, error) {
	commit := table.NewID()
	for try := range conflictTries {
		now := s.now()
		facts, err := s.object(ctx, &r)
		if err != nil {
			return Proven{}, err
		}
		next, e, err := r.Apply(Verify, ByPerson, now, append([]audit.Fact{{Name: "by", Value: by}}, facts...)...)
		if err != nil {
			return Proven{}, err
		}
		next.Proof.Spent, next.Proof.By, next.Proof.At = generation, by, now
		next.LapseAt = time.Time{}
		next.Proof.Times++
		say := s.sayVerified(&next, r, now)
		s.remember(&next, Verify, c, next.Proof.Times)
		saved, err := s.save(ctx, commit, next, e, say)
		if err == nil {
			s.wake(ctx, saved)
			return s.proven(saved, Replay{Status: saved.Status, N: saved.Proof.Times, At: now}), nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Proven{}, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Proven{}, err
		}
		if r, err = s.load(ctx, r.ID); err != nil {
			return Proven{}, err
		}
		if p, ok, err := s.replayed(r, Verify, c); err != nil || ok {
			return s.proven(r, p), err
		}
		if r.Proof.Spent >= generation { // another call redeemed it meanwhile
			return Proven{}, ErrLinkGone
		}
	}
	return Proven{}, ErrBusy
}

// sayVerified says what a first proof leads to: a confirmation, and the mail to
// a new address that wants to be proven as well.
func (s *Service) sayVerified(next *Request, before Request, now time.Time) []mail.Kind {
	if before.Status != Unverified {
		return nil
	}
	return slices.Concat([]mail.Kind{mail.Verified}, next.askNewAddress(now))
}

// askNewAddress has the owner of a new address asked to prove it, if a
// correction names one.
func (r *Request) askNewAddress(now time.Time) []mail.Kind {
	if r.NewAddress == nil {
		return nil
	}
	a := *r.NewAddress
	a.Issued, a.IssuedAt = 1, now
	r.NewAddress = &a
	return []mail.Kind{mail.ConfirmAddress}
}

func (s *Service) proven(r Request, p Replay) Proven {
	until := s.sessionUntil(p.At)
	return Proven{Status: p.Status, Token: s.Mint(Token{ID: r.ID, Verb: Session, N: p.N, Until: until}), Until: until}
}

// ConfirmAddress proves the new address that a correction names.
func (s *Service) ConfirmAddress(ctx context.Context, token string) (Status, error) {
	t, err := s.ParseToken(token)
	if err != nil {
		return "", err
	}
	if t.Verb != ConfirmLink {
		return "", ErrBadToken
	}
	r, err := s.change(ctx, t.ID, func(r Request) (Request, audit.Entry, []mail.Kind, error) {
		if r.NewAddress == nil || t.N != r.NewAddress.Issued {
			return r, audit.Entry{}, nil, ErrLinkGone
		}
		if r.NewAddress.Proven() {
			return r, audit.Entry{}, nil, errUnchanged // pressed twice
		}
		next, e, err := r.Apply(Confirm, ByPerson, s.now())
		a := *r.NewAddress
		a.Spent, a.By, a.At, a.Times = t.N, "link", s.now(), 1
		next.NewAddress = &a
		return next, e, nil, err
	})
	if err != nil {
		return "", err
	}
	s.wake(ctx, r)
	return r.Status, nil
}

// Resend mails a new code and link: because the first got lost, because they are
// too old, or to step up before another download. Whether it did is told to
// nobody: the answer is always the same, for unknown requests too.
func (s *Service) Resend(ctx context.Context, id ID) error {
	r, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return unavailable(err)
	}
	now := s.now()
	if !r.Can(Resend) || now.Before(r.Proof.IssuedAt.Add(s.Policy.Verification.ResendAfter)) {
		return nil
	}
	ok, err := s.Keys.Again(ctx, r.Holder, now, s.Policy.Verification.MailsPerDay)
	if err != nil {
		return unavailable(err)
	}
	if !ok {
		return nil
	}
	_, err = s.change(ctx, id, func(r Request) (Request, audit.Entry, []mail.Kind, error) {
		if now.Before(r.Proof.IssuedAt.Add(s.Policy.Verification.ResendAfter)) {
			return r, audit.Entry{}, nil, errUnchanged // a parallel call did it
		}
		next, e, err := r.Apply(Resend, ByPerson, now, audit.Fact{Name: "generation", Value: strconv.Itoa(r.Proof.Issued + 1)})
		next.Proof.Issued++
		next.Proof.IssuedAt = now
		if link := now.Add(s.Policy.Verification.LinkPeriod); next.Status == Unverified && next.RespondBy.Before(link) {
			next.LapseAt = later(next.LapseAt, next.RespondBy)
		} else if next.Status == Unverified {
			next.LapseAt = later(next.LapseAt, link) // it works as long as its mail says
		}
		return next, e, []mail.Kind{mail.Verify}, err
	})
	if errors.Is(err, ErrNotNow) {
		return nil
	}
	return err
}

// Authorize checks a session's token for a request and returns the request.
func (s *Service) Authorize(ctx context.Context, id ID, token string) (Request, Token, error) {
	t, err := s.ParseToken(token)
	if err != nil || t.Verb != Session || t.ID != id {
		return Request{}, Token{}, ErrBadToken
	}
	r, err := s.load(ctx, id)
	if err != nil {
		return Request{}, Token{}, err
	}
	if t.N > r.Proof.Times {
		return Request{}, Token{}, ErrBadToken // minted before a restore that lost the proof
	}
	return r, t, nil
}

// Revoke takes the request back. What was already destroyed stays so; the
// answer tells. An objection ends with it, but for the one against marketing. A
// choice cannot be revoked: see Request.Can.
func (s *Service) Revoke(ctx context.Context, id ID, c Call) (Status, error) {
	return s.simple(ctx, id, Revoke, ByPerson, c, func(r Request) (detail, error) {
		facts, err := s.undo(ctx, &r)
		return detail{r: r, say: []mail.Kind{mail.Revoked}, facts: append(facts, r.destroyed()...)}, err
	})
}

// destroyed tells how many records are gone or changed already, if any are.
func (r Request) destroyed() []audit.Fact {
	n := 0
	for _, s := range r.Steps {
		if s.Verb.destructive() {
			n += s.Done
		}
	}
	if n == 0 {
		return nil
	}
	return []audit.Fact{{Name: "done", Value: strconv.Itoa(n)}}
}

// newAddress returns the address that a correction would set, if one would.
func (p Person) newAddress() (personal.Email, bool) {
	for _, c := range p.Corrections {
		if c.Field == string(personal.KindEmail) {
			return personal.ParseEmail(c.Value.Reveal())
		}
	}
	return personal.Email{}, false
}

// Behind returns the request that a mailed link is about, and for a new address
// that address, as long as the link can still act. It changes nothing.
func (s *Service) Behind(ctx context.Context, t Token) (Request, personal.Email, error) {
	r, err := s.load(ctx, t.ID)
	if err != nil {
		return Request{}, personal.Email{}, err
	}
	alive := false
	switch t.Verb {
	case VerifyLink:
		alive = t.N > r.Proof.Spent && t.N <= r.Proof.Issued && r.Can(Verify)
	case ConfirmLink:
		alive = r.NewAddress != nil && t.N == r.NewAddress.Issued && !r.NewAddress.Proven() && r.Can(Confirm)
	case DeliverLink:
		alive = r.Package != nil && !r.Package.Cleared && t.N > r.Package.Link.Spent && t.N <= r.Package.Link.Issued
	case Session:
	}
	if !alive {
		return Request{}, personal.Email{}, ErrLinkGone
	}
	if t.Verb != ConfirmLink {
		return r, personal.Email{}, nil
	}
	p, _, err := s.person(ctx, r)
	if errors.Is(err, seal.ErrSealed) {
		return Request{}, personal.Email{}, ErrLinkGone.Because(err)
	}
	if err != nil {
		return Request{}, personal.Email{}, err
	}
	address, _ := p.newAddress() // it was checked when the request came in
	return r, address, nil
}
