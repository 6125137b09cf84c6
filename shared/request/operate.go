package request

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
)

// Faults that operators meet.
var (
	ErrUnproven  = fault.New(fault.Conflict, "new_address_unconfirmed", "The new address in the correction was not confirmed by its owner; wait for it, or deny.")
	ErrNoTask    = fault.New(fault.NotFound, "task_not_found", "There is no such open task; GET the request to see its tasks.")
	ErrNoRetry   = fault.New(fault.Conflict, "nothing_to_retry", "Nothing of this request has failed.")
	ErrForbidden = fault.New(fault.Forbidden, "role_needed", "Your role does not allow this; somebody with the role handler can do it.")
)

func mayHandle(by operator.Identity) error {
	if !by.May(operator.Handler) {
		return ErrForbidden
	}
	return nil
}

func mayRead(by operator.Identity) error {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return ErrForbidden
	}
	return nil
}

// VerifyByOperator records that an operator is sure of the person by another
// proof, for what was taken in by phone or post.
func (s *Service) VerifyByOperator(ctx context.Context, by operator.Identity, id ID, reason string, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	if strings.TrimSpace(reason) == "" {
		return "", fault.Input(fault.Field{Pointer: "/reason", Text: "must say how you are sure who it is, without personal data"})
	}
	return s.simple(ctx, id, Verify, by.Actor(), c, func(r Request) (detail, error) {
		if r.Proof.Proven() {
			return detail{}, ErrNotNow
		}
		r.Proof.Times++
		r.Proof.At, r.Proof.By = s.now(), "operator"
		// The reason is the operator's own words: it may name somebody, so only its keyed hash is kept.
		say := r.askNewAddress(s.now())
		facts, err := s.object(ctx, &r)
		return detail{
			r: r, say: say,
			facts: append([]audit.Fact{{Name: "by", Value: "operator"}, {Name: "reason", Value: s.Keys.Ring.Hash("reason", reason)}}, facts...),
		}, err
	})
}

// VouchForAddress records that an operator is sure that the new address of a correction
// belongs to who wants it set. Its owner is asked by mail, so nobody else can say so but
// where nobody is written to.
func (s *Service) VouchForAddress(ctx context.Context, by operator.Identity, id ID, reason string, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	if strings.TrimSpace(reason) == "" {
		return "", fault.Input(fault.Field{Pointer: "/reason", Text: "must say how you are sure whose address it is, without personal data"})
	}
	return s.simple(ctx, id, Confirm, by.Actor(), c, func(r Request) (detail, error) {
		if !s.NoMail || !r.Proof.Proven() || r.NewAddress == nil || r.NewAddress.Proven() {
			return detail{}, ErrNotNow
		}
		a := *r.NewAddress
		a.Spent, a.By, a.At, a.Times = a.Issued, "operator", s.now(), 1
		r.NewAddress = &a
		return detail{r: r, facts: []audit.Fact{{Name: "by", Value: "operator"}, {Name: "reason", Value: s.Keys.Ring.Hash("reason", reason)}}}, nil
	})
}

// Accept takes a request on.
func (s *Service) Accept(ctx context.Context, by operator.Identity, id ID, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	return s.simple(ctx, id, Accept, by.Actor(), c, func(r Request) (detail, error) {
		if !r.Can(Accept) {
			return detail{}, ErrNotNow
		}
		if r.NewAddress != nil && !r.NewAddress.Proven() {
			return detail{}, ErrUnproven
		}
		if s.now().Sub(r.Cutoff) > planLife {
			r.Looks, r.Steps = nil, nil // too old to approve: look again
		}
		if r.Owner == "" {
			r.Owner = by.ID
		}
		return detail{r: s.begin(r)}, nil
	})
}

// planLife is how long a dry run's findings stand.
const planLife = time.Hour

// Deny refuses the request for one of the law's reasons, and takes off again what
// it had switched on.
func (s *Service) Deny(ctx context.Context, by operator.Identity, id ID, reason string, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	return s.simple(ctx, id, Deny, by.Actor(), c, func(r Request) (detail, error) {
		reasons := s.refusals(r)
		i := slices.IndexFunc(reasons, func(x law.Reason) bool { return x.Code == reason })
		if i < 0 {
			codes := make([]string, len(reasons))
			for i, x := range reasons {
				codes[i] = x.Code
			}
			return detail{}, fault.Input(fault.Field{Pointer: "/reason", Text: "must be one of " + strings.Join(codes, ", ")})
		}
		if err := s.deniable(r); err != nil {
			return detail{}, err
		}
		r.Reason = reason
		facts, err := s.undo(ctx, &r)
		return detail{
			r: r, say: []mail.Kind{mail.Denied},
			facts: slices.Concat([]audit.Fact{{Name: "reason", Value: reason}, {Name: "article", Value: reasons[i].Article}}, facts, r.destroyed()),
		}, err
	})
}

// refusals are the grounds on which a request may be denied: those of the law, as
// far as the policy reserves them.
func (s *Service) refusals(r Request) []law.Reason {
	return slices.DeleteFunc(law.Reasons(r.Law, string(r.Right)), func(x law.Reason) bool { return !s.Policy.MayRefuse(x.Code) })
}

// DryRun has the sources asked what they hold, without doing anything to it, so
// that an operator can see the plan before accepting.
func (s *Service) DryRun(ctx context.Context, by operator.Identity, id ID, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	return s.simple(ctx, id, Looked, by.Actor(), c, func(r Request) (detail, error) {
		if r.Status != Open {
			return detail{}, ErrNotNow
		}
		if len(r.Looks) > 0 && !r.asked() {
			return detail{}, errUnchanged // it is being looked at right now
		}
		r.Looks, r.Steps, r.Cutoff = lookAt(s.Policy, r), nil, s.now()
		if len(r.Looks) == 0 {
			r.Steps = planSteps(s.Policy, r, nil, nil, s.now())
		}
		return detail{r: r, facts: []audit.Fact{{Name: "dry_run", Value: "true"}}}, nil
	})
}

// Retry lets everything that has failed try again, once its cause is mended.
func (s *Service) Retry(ctx context.Context, by operator.Identity, id ID, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	return s.simple(ctx, id, Retry, by.Actor(), c, func(r Request) (detail, error) {
		r.Steps, r.Looks = slices.Clone(r.Steps), slices.Clone(r.Looks)
		n := 0
		unseen := map[string]bool{}
		for i := range r.Looks {
			if l := &r.Looks[i]; l.State == Failed {
				// From the start is another question than the page that failed.
				*l = Look{Source: l.Source, State: Planned, Calls: l.Calls + 1}
				unseen[l.Source] = true
				n++
			}
		}
		for i := range r.Steps {
			st := &r.Steps[i]
			if st.State != Failed {
				continue
			}
			n++
			if unseen[st.Source] && !st.begun() {
				st.Attempts, st.State = Attempts{}, Planned // the look decides
				continue
			}
			// An operator who retries an over_plan approves what the store holds now:
			// the step begins anew and counts again.
			if st.Fault == errOverPlan.Code {
				st.Found = max(st.Found, st.Done) + pageOf(s, st.Source)
			}
			st.Attempts, st.State, st.Until = Attempts{}, Planned, s.now()
			if st.Verb.destructive() {
				st.Round = 0
			}
			st.Calls++ // another cut-off is another order, which the store would refuse under the old key
		}
		if r.Making.Tries >= maxTries {
			r.Making = Attempts{}
			n++
		}
		if n == 0 {
			return detail{}, ErrNoRetry
		}
		return detail{r: r, facts: []audit.Fact{{Name: "retried", Value: strconv.Itoa(n)}}}, nil
	})
}

func pageOf(s *Service, src string) int {
	decl, _ := s.Policy.Source(src)
	return decl.PageSize
}

// TaskID names a task that a person does by hand: the request and the step.
type TaskID string

// Task returns the id of a request's step as a task.
func Task(id ID, step int) TaskID { return TaskID(string(id) + "." + strconv.Itoa(step)) }

func (t TaskID) split() (ID, int, bool) {
	id, n, ok := strings.Cut(string(t), ".")
	i, err := strconv.Atoi(n)
	return ID(id), i, ok && err == nil && i >= 0
}

// Decision is how something that is weighed ended, and why, for the person.
type Decision struct {
	Outcome Outcome
	Text    personal.Text
}

func (d Decision) check() error {
	var bad []fault.Field
	if !slices.Contains(Outcomes, d.Outcome) {
		bad = append(bad, fault.Field{Pointer: "/outcome", Text: "must be upheld, partly_upheld or rejected"})
	}
	if n := utf8.RuneCountInString(d.Text.Reveal()); strings.TrimSpace(d.Text.Reveal()) == "" || n > maxText {
		bad = append(bad, fault.Field{Pointer: "/text", Text: "must tell the person why, in at most 8000 characters"})
	}
	if len(bad) > 0 {
		return fault.Input(bad...)
	}
	return nil
}

// TaskDone records that a person did what no program could. What is weighed (a
// challenge, a complaint, an appeal) ends with a decision, other tasks without.
func (s *Service) TaskDone(ctx context.Context, by operator.Identity, task TaskID, d Decision, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	id, step, ok := task.split()
	if !ok {
		return "", ErrNoTask
	}
	c.Body = fmt.Sprintf("%d %s", step, c.Body)
	return s.simple(ctx, id, Work, by.Actor(), c, func(r Request) (detail, error) {
		if r.Status != InProgress || step >= len(r.Steps) || r.Steps[step].State != Waiting {
			return detail{}, ErrNoTask
		}
		r.Steps = slices.Clone(r.Steps)
		st := &r.Steps[step]
		st.State, st.By, st.Due, st.Ended = Done, by.ID, time.Time{}, s.now() // what is done is due no more
		facts := []audit.Fact{{Name: "task", Value: strconv.Itoa(step)}, {Name: "state", Value: string(Done)}}
		if r.Right.Weighed() {
			if err := d.check(); err != nil {
				return detail{}, err
			}
			written, err := s.write(ctx, &r, Message{By: by.Actor(), Text: d.Text, decides: true})
			if err != nil {
				return detail{}, err
			}
			r.Outcome = d.Outcome
			facts = append(append(facts, written...), audit.Fact{Name: "outcome", Value: string(d.Outcome)})
		} else if d != (Decision{}) {
			return detail{}, fault.Input(fault.Field{Pointer: "/outcome", Text: "goes with a challenge, a complaint or an appeal only"})
		}
		return detail{r: r, facts: facts}, nil
	})
}

// Filter narrows a list of requests.
type Filter struct {
	Status    Status    // empty: all
	DueBefore time.Time // zero: all
	Cursor    string
	Limit     int // at least so many, if there are; at most 100; 0: 50
}

// Listed is one line of a list. It holds nothing personal.
type Listed struct {
	ID        ID
	Right     string
	Status    Status
	Residence string
	Received  time.Time
	RespondBy time.Time
	SafeBy    time.Time
	Overdue   bool
	Paused    bool
	Owner     string
	About     ID
}

// List returns requests by the instant at which somebody must look at them next,
// shard by shard of the due-index: what is open first in each, what is over last.
func (s *Service) List(ctx context.Context, by operator.Identity, f Filter) (list []Listed, next string, err error) {
	if err := mayRead(by); err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 50
	}
	now := s.now()
	next, err = s.walk(ctx, f.Cursor, time.Time{}, func(key table.Key) error {
		id, ok := IDOf(key)
		if !ok {
			return nil
		}
		r, err := s.load(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			return nil // gone since the index was read
		}
		if err != nil {
			return err
		}
		r = s.current(r)
		if (f.Status == "" || r.Status == f.Status) && (f.DueBefore.IsZero() || r.RespondBy.Before(f.DueBefore)) {
			list = append(list, Listed{
				ID: r.ID, Right: string(r.Right), Status: r.Status, Residence: r.Residence,
				Received: r.Received, RespondBy: r.RespondBy, SafeBy: r.SafeBy, Overdue: r.IsOverdue(now),
				Paused: r.Paused, Owner: r.Owner, About: r.About,
			})
		}
		return nil
	}, func() bool { return len(list) >= f.Limit })
	if err != nil {
		return nil, "", err
	}
	slices.SortStableFunc(list, func(a, b Listed) int { return a.RespondBy.Compare(b.RespondBy) })
	return list, next, nil
}

// IsOverdue is worked out, never stored.
func (r Request) IsOverdue(now time.Time) bool {
	return !r.Status.Final() && r.Status != Unverified && !r.Paused && now.After(r.RespondBy)
}
