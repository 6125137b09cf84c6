package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
)

// Extension is that the answer was put off, which the law allows once.
type Extension struct {
	Ground string    `json:"ground"` // code, from the law's list
	At     time.Time `json:"at"`
	Before time.Time `json:"before"` // RespondBy as it was
	// Until is the day that the person was told, where it is not the last one that
	// the law allows; its last second, in the controller's zone.
	Until time.Time `json:"until,omitzero"`
	Open  bool      `json:"open,omitempty"` // the law names no last day for this ground
}

// binds reports whether the day that the person was told binds, beside the last one
// that the law allows: a corrected pack may allow less.
func (x *Extension) binds(last time.Time) bool {
	return x != nil && !x.Until.IsZero() && (x.Open || !x.Until.After(last))
}

// Faults of moving a clock. The article is in the detail of each.
var (
	ErrNoExtension = fault.New(fault.Conflict, "extension_not_possible", "The answer cannot be put off.")
	ErrNoPause     = fault.New(fault.Conflict, "pause_not_possible", "Time cannot be stopped for this.")
	ErrNotPaused   = fault.New(fault.Conflict, "not_paused", "Nothing stops the time of this request; GET it to see its clocks.")
	ErrUnchanged   = fault.New(fault.Conflict, "dates_unchanged", "The law packs of this version count the same dates; there is nothing to change.")
)

// legalCase is what the law needs to know of a request. Once it is over nothing is
// waited for any more.
func (s *Service) legalCase(r Request, now time.Time) law.Case {
	if !r.Closed.IsZero() && r.Closed.Before(now) {
		now = r.Closed
	}
	c := law.Case{
		Residence: r.Residence, Right: string(r.Right), Received: r.Received, Zone: s.Zone(), Place: s.Policy.Controller.Holidays,
		PromisedDays: r.Promise, Stops: r.Stops, Extended: r.Extension != nil, Now: now, Closed: r.Closed, Regimes: r.Regimes,
	}
	if len(c.Regimes) == 0 {
		c.Regimes = []string{r.Law}
	}
	return c
}

// judged returns r as one under the laws that the policy names now. A request keeps
// those of its receipt: another edition of the policy moves no date until somebody
// says so. An appeal keeps the law of what it is against.
func (s *Service) judged(r Request) Request {
	if r.Right == policy.Appeal {
		return r
	}
	var all, covering []string
	for _, g := range s.Policy.Regimes {
		all = append(all, g.ID)
		if p, ok := law.ByID(g.ID); ok && p.Covers(r.Residence) {
			covering = append(covering, g.ID)
		}
	}
	r.Regimes = covering
	if _, err := law.Count(s.legalCase(r, r.Received)); len(covering) == 0 || errors.Is(err, law.ErrTooEarly) {
		r.Regimes = all
	}
	return r
}

// count puts the dates that the law and the promise give into r.
func (s *Service) count(r *Request, now time.Time) error {
	d, err := law.Count(s.legalCase(*r, now))
	if err != nil {
		return fmt.Errorf("count the deadline: %w", err)
	}
	r.Law, r.RespondBy, r.SafeBy, r.AcknowledgeBy = d.Law, d.RespondBy, d.SafeBy, d.AcknowledgeBy
	if len(r.Regimes) == 1 {
		r.Regimes = nil // that is r.Law
	}
	if r.Extension.binds(r.RespondBy) {
		r.RespondBy = r.Extension.Until
		if r.RespondBy.Before(r.SafeBy) {
			r.SafeBy = r.RespondBy
		}
	}
	return nil
}

// Clocks returns every clock of a request, explained step by step. Those of an
// extension that the policy never takes are none.
func (s *Service) Clocks(r Request) ([]law.Reckoning, error) {
	if r.Right.Internal() {
		return nil, nil // the policy's promise is its only date
	}
	list, err := law.Clocks(s.legalCase(r, s.now()))
	if err != nil {
		return nil, fmt.Errorf("explain the clocks: %w", err)
	}
	for i := range list {
		if c := &list[i]; answers(c.Clock) && r.Extension.binds(c.Legal) {
			s.bind(c, r)
		}
	}
	if r.Extension == nil && !s.rule(r.Right).Extension {
		list = slices.DeleteFunc(list, func(c law.Reckoning) bool { return c.Clock == law.ExtendNotice || c.Clock == law.Extended })
	}
	return list, nil
}

// answers reports whether a clock is the one that the answer runs on.
func answers(c law.Clock) bool { return c == law.Respond || c == law.OptOut || c == law.Decide }

// bind ends a clock on the day that the person was told.
func (s *Service) bind(c *law.Reckoning, r Request) {
	day := r.Extension.Until.In(s.Zone())
	c.Legal, c.Safe = day, r.SafeBy.In(s.Zone())
	c.Steps = append(c.Steps, law.Step{Text: "When the answer was put off the person was told " + day.Format("Monday 2 January 2006") + ": that binds.", Date: day})
}

// recordsUntil is how long the law wants the record of a closed request kept.
func (s *Service) recordsUntil(r Request) time.Time {
	list, _ := s.Clocks(r) // a law that cannot be asked any more demands nothing
	for _, c := range list {
		if c.Clock == law.Records {
			return c.Legal
		}
	}
	return time.Time{}
}

// current returns r with its dates as they are now: while time stands still, they
// move with every day.
func (s *Service) current(r Request) Request {
	if r.Paused && !r.Status.Final() {
		_ = s.count(&r, s.now()) // the stored dates were counted once: they still hold
	}
	return r
}

// asking is what waiting for a cause does to the time now. Where the date stands
// all the same it does nothing: a question that comes late must not hide that the
// date has passed, and a promise waits for nobody.
func (s *Service) asking(r Request, cause law.Cause) (rule law.Asked, stands bool, err error) {
	c := s.legalCase(r, s.now())
	if rule, err = law.Asking(c, cause); err != nil {
		return law.Asked{}, false, fmt.Errorf("ask what waiting does: %w", err)
	}
	if rule.Effect == law.Ignore {
		return rule, false, nil
	}
	if !r.waitsFor(cause) {
		c.Stops = append(slices.Clone(c.Stops), law.Stop{Cause: cause, Asked: c.Now})
	}
	if stands, err = r.stands(c); stands {
		rule.Effect = law.Ignore
	}
	return rule, stands, err
}

// stands reports whether the date to answer by is a date, however long is waited
// for what is waited for now.
func (r Request) stands(c law.Case) (bool, error) {
	var ends [2]time.Time
	for i := range ends {
		c.Now = c.Now.AddDate(1, 0, 0)
		d, err := law.Count(c)
		if err != nil {
			return false, fmt.Errorf("count the deadline: %w", err)
		}
		if ends[i] = d.RespondBy; r.Extension.binds(d.RespondBy) {
			ends[i] = r.Extension.Until
		}
	}
	return ends[0].Equal(ends[1]), nil
}

// pauses reports whether an open stop stops the time under the law that binds.
func (s *Service) pauses(r Request) (bool, error) {
	for _, stop := range r.Stops {
		if !stop.Answered.IsZero() {
			continue
		}
		rule, _, err := s.asking(r, stop.Cause)
		if err != nil {
			return false, err
		}
		if rule.Effect != law.Ignore {
			return true, nil
		}
	}
	return false, nil
}

// wait notes that we wait for somebody from now on, and counts what that does.
func (s *Service) wait(r *Request, cause law.Cause) (facts []audit.Fact, err error) {
	rule, _, err := s.asking(*r, cause)
	if err != nil {
		return nil, err
	}
	if !r.waitsFor(cause) {
		r.Stops = append(slices.Clone(r.Stops), law.Stop{Cause: cause, Asked: s.now()})
	}
	return s.moved(r, []audit.Fact{
		{Name: "cause", Value: string(cause)}, {Name: "effect", Value: string(rule.Effect)}, {Name: "article", Value: rule.Article},
	})
}

// goOn notes that the waiting for some causes is over.
func (s *Service) goOn(r *Request, causes ...law.Cause) (facts []audit.Fact, err error) {
	r.Stops = slices.Clone(r.Stops)
	for i := range r.Stops {
		if st := &r.Stops[i]; st.Answered.IsZero() && slices.Contains(causes, st.Cause) {
			st.Answered = s.now()
			facts = append(facts, audit.Fact{Name: "cause", Value: string(st.Cause)})
		}
	}
	if len(facts) == 0 {
		return nil, nil
	}
	r.Messages.Causes = slices.DeleteFunc(slices.Clone(r.Messages.Causes), func(c law.Cause) bool { return !r.waitsFor(c) })
	if !r.waitsFor("") {
		r.Messages.Nudge = time.Time{} // the answer came another way
	}
	return s.moved(r, facts)
}

func (r Request) waitsFor(cause law.Cause) bool {
	return slices.ContainsFunc(r.Stops, func(st law.Stop) bool { return st.Answered.IsZero() && (cause == "" || st.Cause == cause) })
}

// moved counts the dates anew and tells them.
func (s *Service) moved(r *Request, facts []audit.Fact) ([]audit.Fact, error) {
	var err error
	if r.Paused, err = s.pauses(*r); err != nil {
		return nil, err
	}
	if err := s.count(r, s.now()); err != nil {
		return nil, err
	}
	if !s.now().After(r.RespondBy) {
		r.Overdue = false
	}
	return append(facts,
		audit.Fact{Name: "respond_by", Value: r.RespondBy.UTC().Format(time.RFC3339)},
		audit.Fact{Name: "safe_by", Value: r.SafeBy.UTC().Format(time.RFC3339)}), nil
}

// Extend puts the answer off, once: to the last day that the law allows, or to an
// earlier one; to a later one where the law gives the time that is needed. The
// person is told why, until when, and to whom they can complain.
func (s *Service) Extend(ctx context.Context, by operator.Identity, id ID, ground string, until time.Time, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	return s.simple(ctx, id, Extend, by.Actor(), c, func(r Request) (detail, error) {
		x, err := s.extension(r)
		if err != nil {
			return detail{}, err
		}
		i := slices.IndexFunc(x.Grounds, func(g law.Ground) bool { return g.Code == ground })
		if i < 0 {
			codes := make([]string, len(x.Grounds))
			for i, g := range x.Grounds {
				codes[i] = g.Code
			}
			return detail{}, fault.Input(fault.Field{Pointer: "/ground", Text: "must be one of " + strings.Join(codes, ", ")})
		}
		r = s.current(r)
		e := Extension{Ground: ground, At: s.now(), Before: r.RespondBy}
		if !until.IsZero() {
			e.Until = law.DateOf(until, s.Zone()).End(s.Zone())
			if !e.Until.After(r.RespondBy) || e.Until.After(x.Until) && !x.Grounds[i].Open {
				return detail{}, fault.Input(fault.Field{Pointer: "/until", Text: "must be a day after " + r.RespondBy.Format(time.DateOnly) + ", and no later than " + x.Until.Format(time.DateOnly)})
			}
		}
		e.Open = x.Grounds[i].Open
		r.Extension = &e
		own := []audit.Fact{{Name: "ground", Value: ground}, {Name: "article", Value: x.Article}}
		if !e.Until.IsZero() {
			own = append(own, audit.Fact{Name: "until", Value: e.Until.UTC().Format(time.RFC3339)})
		}
		if e.Open {
			own = append(own, audit.Fact{Name: "open", Value: "true"})
		}
		facts, err := s.moved(&r, own)
		return detail{r: r, facts: facts, say: []mail.Kind{mail.Extended}}, err
	})
}

// extension is how far a request's answer can be put off now, or why it cannot.
func (s *Service) extension(r Request) (law.Extension, error) {
	switch {
	case !r.Can(Extend):
		return law.Extension{}, ErrNotNow
	case r.Extension != nil:
		return law.Extension{}, ErrNoExtension.Saying("The answer was already put off on " + r.Extension.At.Format(time.DateOnly) + "; no law allows it twice.")
	case !s.rule(r.Right).Extension:
		return law.Extension{}, ErrNoExtension.Saying("The policy promises that answers are never put off (rights." + string(r.Right) + ".extension: none).")
	}
	x, err := law.ExtensionOf(s.legalCase(r, s.now()))
	if errors.Is(err, law.ErrNoExtension) {
		return law.Extension{}, ErrNoExtension.Saying("The law that binds (" + r.Law + ") lets nothing be put off.")
	}
	if err != nil {
		return law.Extension{}, fmt.Errorf("ask for the extension: %w", err)
	}
	if s.now().After(x.Notice) {
		return law.Extension{}, ErrNoExtension.Saying("The person had to be told by " + x.Notice.Format(time.DateOnly) + " (" + x.Article + "): answer now.")
	}
	return x, nil
}

// rule is what the policy says about a right, also where it stopped offering it.
func (s *Service) rule(right policy.Right) policy.RightRule {
	rule, ok := s.Policy.Rights[right]
	if !ok {
		rule, _ = s.Policy.Offers(right, "")
	}
	return rule
}

// Pause stops the time of a request, for what is waited for outside of the
// messages, where the law lets it.
func (s *Service) Pause(ctx context.Context, by operator.Identity, id ID, cause law.Cause, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	if !slices.Contains(law.Causes, cause) {
		return "", wrongCause("/cause")
	}
	return s.simple(ctx, id, Pause, by.Actor(), c, func(r Request) (detail, error) {
		if !r.Can(Pause) {
			return detail{}, ErrNotNow
		}
		rule, stands, err := s.asking(r, cause)
		if err != nil {
			return detail{}, err
		}
		switch by := s.current(r).RespondBy; {
		case stands && s.now().After(by):
			return detail{}, ErrNoPause.Saying("The date to answer by has passed: what is over cannot stop.")
		case stands:
			return detail{}, ErrNoPause.Saying("The answer is promised by " + by.In(s.Zone()).Format(time.DateOnly) + ", whatever is waited for: time runs on.")
		case rule.Effect == law.Ignore:
			return detail{}, ErrNoPause.Saying("The law that binds (" + rule.Law + ", " + rule.Article + ") does not stop for " + string(cause) + ": time runs on.")
		}
		if r.waitsFor(cause) {
			return detail{}, ErrNoPause.Saying("Time already stands still for " + string(cause) + ".")
		}
		facts, err := s.wait(&r, cause)
		return detail{r: r, facts: facts}, err
	})
}

func wrongCause(pointer string) error { return fault.Input(causeField(pointer)) }

func causeField(pointer string) fault.Field {
	words := make([]string, len(law.Causes))
	for i, c := range law.Causes {
		words[i] = string(c)
	}
	return fault.Field{Pointer: pointer, Text: "must be one of " + strings.Join(words, ", ")}
}

// Resume lets the time go on, for one cause or, if it is empty, for all.
func (s *Service) Resume(ctx context.Context, by operator.Identity, id ID, cause law.Cause, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	if cause != "" && !slices.Contains(law.Causes, cause) {
		return "", wrongCause("/cause")
	}
	return s.simple(ctx, id, Resume, by.Actor(), c, func(r Request) (detail, error) {
		if !r.Can(Resume) {
			return detail{}, ErrNotNow
		}
		if !r.waitsFor(cause) {
			return detail{}, ErrNotPaused
		}
		over := []law.Cause{cause}
		if cause == "" {
			over = law.Causes
		}
		facts, err := s.goOn(&r, over...)
		return detail{r: r, facts: facts}, err
	})
}

// Recount gives an open request the dates that the law packs of this version
// count, where they differ from those it was given: a pack was corrected, or the
// policy names other laws.
func (s *Service) Recount(ctx context.Context, by operator.Identity, id ID, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	return s.simple(ctx, id, Recount, by.Actor(), c, func(r Request) (detail, error) {
		if !r.Can(Recount) {
			return detail{}, ErrNotNow
		}
		before := r
		r = s.judged(r)
		facts, err := s.moved(&r, []audit.Fact{{Name: "before", Value: r.RespondBy.UTC().Format(time.RFC3339)}})
		if err == nil && before.sameDates(r) {
			return detail{}, ErrUnchanged
		}
		if r.Status == Unverified && r.RespondBy.Before(r.LapseAt) {
			r.LapseAt = r.RespondBy
		}
		return detail{r: r, facts: append(facts, audit.Fact{Name: "law", Value: r.Law})}, err
	})
}

func (r Request) sameDates(x Request) bool {
	return r.Law == x.Law && r.RespondBy.Equal(x.RespondBy) && r.SafeBy.Equal(x.SafeBy) && r.AcknowledgeBy.Equal(x.AcknowledgeBy)
}

// Assign gives a request to an operator, who is then its owner.
func (s *Service) Assign(ctx context.Context, by operator.Identity, id ID, owner string, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	if owner = strings.TrimSpace(owner); owner == "" || len(owner) > maxOwner {
		return "", fault.Input(fault.Field{Pointer: "/owner", Text: "must be an operator's id, of at most 128 characters"})
	}
	return s.simple(ctx, id, Assign, by.Actor(), c, func(r Request) (detail, error) {
		if r.Owner == owner {
			return detail{}, errUnchanged
		}
		r.Owner = owner
		return detail{r: r, facts: []audit.Fact{{Name: "owner", Value: owner}}}, nil
	})
}

const maxOwner = 128
