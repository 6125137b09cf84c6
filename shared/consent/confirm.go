package consent

import (
	"context"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
)

// Confirm makes pending consents count: the button behind a mailed link. It
// confirms what waited when the mail was asked for. Pressed again it answers as
// before, for a day; what was refused or lapsed in between is not given again.
func (s *Service) Confirm(ctx context.Context, l Link) (Captured, error) {
	if l.Verb != ConfirmLink {
		return Captured{}, ErrBadToken
	}
	halt, err := s.Halted(ctx)
	if err != nil {
		return Captured{}, err
	}
	if halt.On {
		return Captured{}, ErrHalted
	}
	// The button is its own Idempotency-Key; that of another address is another one.
	a := &act{id: l.Identifier, who: l.Who, by: ByPerson, actor: string(ByPerson), method: DoubleOptIn, attempt: Attempt{Key: "confirm " + string(l.Identifier) + " " + strconv.Itoa(l.N)}}
	_, records, err := s.once(ctx, a, func(d *draft) error {
		for _, key := range d.waiting() {
			if ask := d.Asks[key]; ask.N <= l.N && d.at.Before(ask.Until) {
				if err := s.confirm(ctx, d, a, key, ask); err != nil {
					return err
				}
			}
		}
		if len(d.entries) == 0 {
			return ErrLinkGone
		}
		return nil
	})
	if err != nil {
		return Captured{}, err
	}
	return Captured{Records: records}, nil
}

// confirm lets one pending consent count. Its entry repeats what was agreed to, so
// that it is evidence by itself.
func (s *Service) confirm(ctx context.Context, d *draft, a *act, key string, ask Ask) error {
	chain := ask.chain(d.ID)
	e, err := s.entry(ctx, chain, ask.Seq)
	if err != nil {
		return err
	}
	asked := entryOf(e)
	rule, _ := s.Policy.Consent(asked.Purpose) // without one it is asked for no longer, and counts for nothing
	end := s.until(rule, d.at, d.at)
	own := []audit.Fact{
		{Name: factPurpose, Value: asked.Purpose},
		{Name: factAct, Value: asked.Act},
		{Name: factMethod, Value: string(DoubleOptIn)},
		{Name: factWording, Value: asked.Wording},
		{Name: factEdition, Value: strconv.Itoa(ask.Edition)},
		{Name: factUntil, Value: end.Format(time.RFC3339)},
		{Name: factPolicy, Value: asked.Policy},
		{Name: factLanguage, Value: asked.Language},
		{Name: factPage, Value: asked.Page},
		{Name: factRecord, Value: string(recordOf(chain, ask.Seq))},
		{Name: factID, Value: string(a.id)},
	}
	st := Standing{Choice: Granted, At: d.at, Seq: d.enter(actionConfirmed, own...), Edition: ask.Edition, Until: end}
	st.Asked = rule.Expires.IsZero() || len(d.Address) == 0
	before := d.Purposes[key]
	delete(d.Asks, key)
	delete(d.Lists, key)
	d.set(key, st)
	return s.tellOf(ctx, d, a, key, rule, before, st)
}
