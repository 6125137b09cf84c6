package consent

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
)

// maxStandings is how many purposes and acts are kept for one subject, so that
// all of them can be withdrawn in one commit.
const maxStandings = 80

// maxWaiting is how many acts wait to be confirmed at once: anybody can type an
// address and think of acts.
const maxWaiting = 20

var errTooMuch = fault.Input(fault.Field{Pointer: "/choices", Text: "is more than is kept for one person; withdraw what is over first"})

// take writes an act into a draft. What stands already is entered only where
// somebody chose it again: signals, stops and withdrawing everything enter what is new.
func (s *Service) take(ctx context.Context, d *draft, a *act) error {
	// A browser may be anybody's: it changes nothing that is known of a person.
	trusted := a.by != ByBrowser || !d.Known
	d.Known = d.Known || isPerson(a.who.Kind)
	if trusted {
		if a.residence != "" {
			d.Residence = a.residence
		}
		if a.language != "" {
			d.Locale = a.language
		}
	}
	// The signal comes first: a consent that comes with it is the later of the two.
	for _, stop := range []policy.Stop{policy.GPC, policy.DNT} {
		if err := s.signal(ctx, d, a, stop); err != nil {
			return err
		}
	}
	for _, stop := range sorted(a.stops) {
		if err := s.switchStop(ctx, d, a, stop, a.stops[stop]); err != nil {
			return err
		}
	}
	choices := a.choices
	if a.all {
		choices = slices.Concat(choices, s.everything(d.Subject, a))
	}
	for _, c := range choices {
		if err := s.choose(ctx, d, a, c); err != nil {
			return err
		}
	}
	grants := func(c choice) bool { return c.Choice == Granted }
	if err := d.makeRoom(); err != nil && slices.ContainsFunc(choices, grants) {
		return err // a refusal is taken all the same: of those without an act there are no more than purposes
	}
	return nil
}

// signal takes down what a browser sent, once.
func (s *Service) signal(ctx context.Context, d *draft, a *act, stop policy.Stop) error {
	sent := stop == policy.GPC && a.signals.GPC || stop == policy.DNT && a.signals.DNT
	if _, stands := d.Stops[stop]; stands || !sent || !honoured(s.Policy, stop) {
		return nil
	}
	seq := d.enter(actionSignalled, s.common(a, audit.Fact{Name: factStop, Value: string(stop)}, audit.Fact{Name: factMethod, Value: string(Signal)})...)
	d.stop(stop, d.at)
	if _, stands := d.Stops[policy.SaleOptOut]; stands || stop != policy.GPC {
		return nil
	}
	return s.tell(ctx, d, a, Telling{Right: policy.OptOutSale, On: true, Seq: seq})
}

// rightOf is what sources are told of a stop; empty: nothing.
var rightOf = map[policy.Stop]policy.Right{policy.SaleOptOut: policy.OptOutSale, policy.SensitiveLimit: policy.LimitSensitive}

// switchStop puts a stop on, or takes it off.
func (s *Service) switchStop(ctx context.Context, d *draft, a *act, stop policy.Stop, on bool) error {
	_, stands := d.Stops[stop]
	if !d.hold(a.request, stop, on) {
		return nil
	}
	action := actionStarted
	if on {
		action = actionStopped
	}
	seq := d.enter(action, s.common(a, audit.Fact{Name: factStop, Value: string(stop)}, audit.Fact{Name: factMethod, Value: string(a.method)})...)
	switch {
	case !on:
		delete(d.Stops, stop)
	case !stands && !a.made.IsZero():
		d.stop(stop, a.made)
	case !stands:
		d.stop(stop, d.at)
	}
	if right := rightOf[stop]; right != "" && stands != on {
		return s.tell(ctx, d, a, Telling{Right: right, On: on, Seq: seq})
	}
	return nil
}

// maxHeld is for how many requests a stop stands that are told apart.
const maxHeld = 20

// hold keeps for which requests a stop stands, and reports whether there is
// something to enter. A request takes off what stands for it alone: not what
// the person put on themselves, before or since, nor what another request asks for.
func (d *draft) hold(request string, stop policy.Stop, on bool) bool {
	_, stands := d.Stops[stop]
	held := d.Held[stop]
	keep := func(list []string) {
		d.Held = cloned(d.Held)
		if d.Held[stop] = list; len(list) == 0 || len(list) > maxHeld {
			delete(d.Held, stop)
		}
	}
	others := slices.DeleteFunc(slices.Clone(held), func(r string) bool { return r == request })
	asked := len(others) < len(held)
	switch {
	case !stands && !on, stands && on && (len(held) == 0 || asked):
		return false
	case on && request != "":
		keep(append(others, request))
	case request == "":
		keep(nil)
	case !asked:
		return false
	default:
		keep(others)
		d.released = len(others) > 0
		return len(others) == 0
	}
	return true
}

// common are the facts of every entry of an act, after those that are its own.
func (s *Service) common(a *act, own ...audit.Fact) []audit.Fact {
	made := ""
	if !a.made.IsZero() {
		made = a.made.Format(time.RFC3339Nano)
	}
	call := ""
	if a.attempt.Key != "" {
		call = s.attemptKey(a)
	}
	return slices.Concat(own, []audit.Fact{
		{Name: factPolicy, Value: s.Policy.Version},
		{Name: factLanguage, Value: a.language},
		{Name: factPage, Value: a.page},
		{Name: factMade, Value: made},
		{Name: factID, Value: string(a.id)},
		{Name: factKind, Value: string(cmp.Or(a.who.Kind, kindNotTold))},
		{Name: factResidence, Value: a.residence},
		{Name: factCall, Value: call},
	}, a.facts)
}

// everything is the withdrawal of whatever is allowed by a choice, or is on by default.
func (s *Service) everything(sub Subject, a *act) []choice {
	var list []choice
	for _, rule := range s.Policy.Consents {
		if rule.Required {
			continue
		}
		withdrawn := choice{Asked: Asked{Purpose: rule.Purpose, Choice: Withdrawn}, rule: rule}
		on := rule.Default == policy.On && !rule.PerAct && !rule.AskFirst
		if st, chose := sub.Purposes[rule.Purpose]; chose {
			on = st.Choice == Granted
		}
		if len(withdrawn.waiting(sub)) > 0 || rule.PerAct && len(withdrawn.acts(sub)) > 0 {
			on = true
		}
		named := func(c choice) bool { return c.Purpose == rule.Purpose }
		if on && !slices.ContainsFunc(a.choices, named) {
			list = append(list, withdrawn)
		}
	}
	return list
}

// acts are those that are granted, of a purpose that is chosen per act.
func (c choice) acts(sub Subject) []string {
	var keys []string
	for key, st := range sub.Purposes {
		if strings.HasPrefix(key, c.Purpose+"/") && st.Choice == Granted {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// waiting are the keys, of what a choice is about, that wait to be confirmed.
func (c choice) waiting(sub Subject) []string {
	return slices.DeleteFunc(sub.waiting(), func(key string) bool {
		purpose, _ := cutKey(key)
		return purpose != c.Purpose || c.Act != "" && key != keyOf(c.Purpose, c.Act)
	})
}

// choose enters one choice. One against a purpose that is chosen per act, and that
// names no act, is against all of them: one record, which tells nobody what they were.
func (s *Service) choose(ctx context.Context, d *draft, a *act, c choice) error {
	key := keyOf(c.Purpose, c.Act)
	made := a.made
	if made.IsZero() {
		made = d.at
	}
	before, chose := d.standing(key)
	older := !a.made.IsZero() && chose && !before.yieldsTo(c.Choice, made)
	action, end := string(c.Choice), time.Time{}
	switch {
	case c.pending:
		action, end = actionAsked, d.at.Add(s.Policy.Verification.LapseAfter).Truncate(time.Second)
	case c.Choice == Granted:
		end = s.until(c.rule, made, d.at)
	}
	purpose, of := cutKey(key)
	own := []audit.Fact{
		{Name: factPurpose, Value: purpose},
		{Name: factAct, Value: of},
		{Name: factMethod, Value: string(a.method)},
		{Name: factWording, Value: c.hash},
	}
	if c.rule.Edition > 0 {
		own = append(own, audit.Fact{Name: factEdition, Value: strconv.Itoa(c.rule.Edition)})
	}
	if !end.IsZero() {
		own = append(own, audit.Fact{Name: factUntil, Value: end.Format(time.RFC3339)})
	}
	if older {
		own = append(own, audit.Fact{Name: factEffect, Value: effectNone})
	}
	seq := d.enter(action, s.common(a, own...)...)
	if c.hash != "" {
		if err := s.keepWording(ctx, d, c); err != nil {
			return err
		}
	}
	if older {
		return nil
	}
	if c.pending {
		return s.ask(ctx, d, a, key, Ask{At: made, Seq: seq, Edition: c.rule.Edition, Until: end})
	}
	for _, waits := range c.waiting(d.Subject) {
		if !d.Asks[waits].At.After(made) {
			delete(d.Asks, waits)
		}
	}
	st := Standing{Choice: c.Choice, At: made, Seq: seq}
	if c.Choice == Granted {
		st.Edition, st.Until, st.Asked = c.rule.Edition, end, true
		if !c.rule.Expires.IsZero() && (a.who.Kind == personal.KindEmail || len(d.Address) > 0) {
			st.Asked = false
			if err := s.addressed(ctx, d, a); err != nil {
				return err
			}
		}
		if a.method != Imported && a.made.IsZero() {
			delete(d.Lists, key) // whoever subscribes by an act of their own wants the mail again
		}
	}
	d.set(key, st)
	if c.Act == "" && c.rule.PerAct {
		return s.refuseActs(ctx, d, a, c, st)
	}
	return s.tellOf(ctx, d, a, key, c.rule, before, st)
}

// refuseActs ends the consents to single acts, as far as none was given since.
func (s *Service) refuseActs(ctx context.Context, d *draft, a *act, c choice, st Standing) error {
	for _, key := range c.acts(d.Subject) {
		before := d.Purposes[key]
		if before.At.After(st.At) {
			continue
		}
		d.set(key, st)
		if err := s.tellOf(ctx, d, a, key, c.rule, before, st); err != nil {
			return err
		}
	}
	return nil
}

// yieldsTo reports whether a choice made at an instant takes the place of one that
// stands: the later one does, and of two at once the refusal.
func (st Standing) yieldsTo(c Choice, made time.Time) bool {
	return st.At.Before(made) || st.At.Equal(made) && (c != Granted || st.Choice == Granted)
}

// keepWording adds the write that keeps what was shown, unless it is kept.
func (s *Service) keepWording(ctx context.Context, d *draft, c choice) error {
	for _, w := range d.more {
		if w.Ref == wordingRef(c.hash) {
			return nil
		}
	}
	shown := c.shown
	shown.Since = d.at
	writes, err := s.keeping(ctx, c.hash, shown)
	d.more = append(d.more, writes...)
	return err
}

// ask lets a consent wait for the owner of the address, and promises the mail that
// asks them, unless one is about to go out already: it is about everything that waits.
func (s *Service) ask(ctx context.Context, d *draft, a *act, key string, ask Ask) error {
	if _, again := d.Asks[key]; !again && strings.Contains(key, "/") && d.waitingActs() >= maxWaiting {
		return errTooMuch
	}
	if !a.counted {
		who, mayMail, err := s.Keys.Contact(ctx, a.who, d.at, s.Policy.Verification.MailsPerDay)
		if err != nil {
			return err
		}
		a.keys, a.mayMail, a.counted = &who, mayMail, true
	}
	if err := s.addressed(ctx, d, a); err != nil {
		return err
	}
	promised := slices.ContainsFunc(d.Announcements, func(x Announcement) bool { return x.Kind == mail.ConfirmConsent })
	if a.mayMail && !promised {
		d.Mailed++
		d.MailedAt = d.at
		d.say(ask.Seq, mail.ConfirmConsent, "")
		promised = true
	}
	if ask.N = d.Mailed; !promised {
		ask.N++ // the address had its mails of today: one that is asked for later confirms it
	}
	if before, asked := d.Asks[key]; asked && before.Edition == ask.Edition && d.at.Before(before.Until) {
		ask.N = before.N // the mail that asked first goes on to work
	}
	if d.Asks == nil {
		d.Asks = map[string]Ask{}
	}
	d.Asks[key] = ask
	return nil
}

// waitingActs counts the acts that wait to be confirmed.
func (sub Subject) waitingActs() int {
	n := 0
	for key := range sub.Asks {
		if strings.Contains(key, "/") {
			n++
		}
	}
	return n
}

// addressed seals the address into the draft.
func (s *Service) addressed(ctx context.Context, d *draft, a *act) error {
	if a.who.Kind != personal.KindEmail || d.Holder == a.id {
		return nil
	}
	who, err := s.salted(ctx, a)
	if err != nil {
		return err
	}
	d.Holder = who.Holder
	d.Address, err = s.sealed(who, fieldAddress, a.who)
	return err
}

// salted returns whose salt what is sealed for an act hangs on.
func (s *Service) salted(ctx context.Context, a *act) (seal.Subject, error) {
	if a.keys == nil {
		who, err := s.Keys.Meet(ctx, a.who)
		if err != nil {
			return seal.Subject{}, err
		}
		a.keys = &who
	}
	return *a.keys, nil
}

// tellOf tells sources of a purpose that is refused or granted anew, and Lives of its end.
func (s *Service) tellOf(ctx context.Context, d *draft, a *act, key string, rule policy.Consent, before, st Standing) error {
	refused := before.refuses()
	if err := s.tellEnd(ctx, d, a, key); err != nil {
		return err
	}
	on := rule.Default == policy.On && before.Choice == ""
	t := Telling{Right: policy.WithdrawConsent, Purpose: key, Seq: st.Seq}
	switch {
	case st.Choice == Granted && refused:
	case st.Choice != Granted && !refused && (before.Choice != "" || on):
		t.On = true
	default:
		return nil
	}
	return s.tell(ctx, d, a, t)
}

// tell promises that the sources concerned hear of a choice: those that want to
// know of it, about every identity by which they know the person. Only the latest
// of one matter is told.
func (s *Service) tell(ctx context.Context, d *draft, a *act, t Telling) error {
	if a.silent {
		return nil
	}
	for _, src := range s.Policy.Sources {
		if !slices.Contains(src.Hears, t.Right) {
			continue
		}
		reach := slices.DeleteFunc(slices.Clone(d.Reach), func(r Reach) bool { return r.Holder == a.id })
		if slices.Contains(src.Identities, a.who.Kind) {
			mine, err := s.reach(ctx, a)
			if err != nil {
				return err
			}
			reach = append(reach, mine...)
		}
		for _, r := range reach {
			if !slices.Contains(src.Identities, r.Kind) {
				continue
			}
			t.Source, t.At, t.Holder, t.Who, t.After = src.ID, d.at, r.Holder, r.Who, d.at.Add(relayWithin)
			d.Tellings = slices.DeleteFunc(slices.Clone(d.Tellings), func(x Telling) bool {
				return x.Source == t.Source && x.Right == t.Right && x.Purpose == t.Purpose && x.Holder == t.Holder
			})
			d.Tellings = append(d.Tellings, t)
		}
	}
	return nil
}

// reach is whom an act names, as sources are told of them; none if they were
// erased: no source is to hear of them again.
func (s *Service) reach(ctx context.Context, a *act) ([]Reach, error) {
	who, err := s.salted(ctx, a)
	if errors.Is(err, seal.ErrSealed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sealed, err := s.sealed(who, fieldWho, a.who)
	return []Reach{{Kind: a.who.Kind, Holder: who.Holder, Who: sealed}}, err
}

// makeRoom drops what was refused about single acts, the oldest first, where there
// is too much. A consent is for the act that it names: without one, nothing may be done.
func (d *draft) makeRoom() error {
	for len(d.Purposes) > maxStandings {
		oldest := ""
		for key, st := range d.Purposes {
			if strings.Contains(key, "/") && st.Choice != Granted && (oldest == "" || st.Seq < d.Purposes[oldest].Seq) {
				oldest = key
			}
		}
		if oldest == "" {
			return errTooMuch
		}
		delete(d.Purposes, oldest)
	}
	return nil
}
