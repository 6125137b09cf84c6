package request

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
)

// mark is an instant at which operators are reminded of a date.
type mark struct {
	name digest.Why
	at   time.Time
}

// again is how often an overdue request, or a question that nobody answers, is
// brought up once more.
const again = 7 * 24 * time.Hour

// marks yields the reminders of a request's dates in order, without an end: what
// is overdue, and what nobody answers, comes up every week. Before a date they
// count back from the safe one, which is a working day; overdue is what passed
// the date that binds. While time stands still the dates remind of nothing.
func (r Request) marks(yield func(mark) bool) {
	weekly := func(name digest.Why, from time.Time) {
		for at := from.Add(again); yield(mark{name, at}); at = at.Add(again) {
		}
	}
	if r.Paused {
		var asked time.Time
		for _, st := range r.Stops {
			if st.Answered.IsZero() {
				asked = later(asked, st.Asked)
			}
		}
		weekly(digest.StillWaiting, asked)
		return
	}
	// The morning of the day: the date itself is the last second of it.
	morning := func(days int) time.Time { return r.SafeBy.AddDate(0, 0, -days).Add(-18 * time.Hour) }
	overdue := r.RespondBy.Add(time.Second)
	for _, m := range []mark{
		{digest.SevenDays, morning(7)}, {digest.ThreeDays, morning(3)}, {digest.OneDay, morning(1)}, {digest.Overdue, overdue},
	} {
		if !yield(m) {
			return
		}
	}
	weekly(digest.StillOverdue, overdue)
}

// nextMark is the first reminder that was not given yet.
func (r Request) nextMark() time.Time {
	for m := range r.marks {
		if m.at.After(r.Reminded) {
			return m.at
		}
	}
	return time.Time{}
}

// marksBy returns the reminders that are due by now. Of weekly ones, which an
// outage may have let several pass of, one stands for all.
func (r Request) marksBy(now time.Time) (due []digest.Why) {
	for m := range r.marks {
		if m.at.After(now) {
			break
		}
		if m.at.After(r.Reminded) && !slices.Contains(due, m.name) {
			due = append(due, m.name)
		}
	}
	return due
}

// waits lists what waits for operators now: a digest.Why, and what tells one from
// the next of its kind.
func (r Request) waits() (what []string) {
	if r.Status == Open && !r.Automatic {
		what = append(what, string(digest.New))
	}
	if r.Status == Open || r.Status == InProgress {
		if r.Messages.Answered > r.Messages.Asked {
			what = append(what, string(digest.Answered)+":"+strconv.Itoa(r.Messages.Answered))
		}
		if !r.AcknowledgeBy.IsZero() && r.Acknowledged.IsZero() {
			what = append(what, string(digest.Unconfirmed))
		}
		if slices.ContainsFunc(r.Looks, func(l Look) bool { return l.State == Failed }) ||
			slices.ContainsFunc(r.Steps, func(st Step) bool { return st.State == Failed }) || r.Making.Tries >= maxTries {
			what = append(what, string(digest.Failed))
		}
	}
	if r.Status == InProgress && slices.ContainsFunc(r.Steps, func(st Step) bool { return st.State.running() && st.Fault == held }) {
		what = append(what, string(digest.Held))
	}
	if r.Status == InProgress && slices.ContainsFunc(r.Steps, func(st Step) bool { return st.State == Waiting }) {
		what = append(what, string(digest.Task))
	}
	return what
}

// patience is how long something may wait before operators are told: who works
// through the list all day has done it by then, and no letter is needed.
const patience = time.Hour

// untold is when operators are to be told of something that waits for them.
func (r Request) untold() (time.Time, bool) {
	for _, what := range r.waits() {
		if !slices.Contains(r.Told, what) {
			return r.Since.Add(patience), true
		}
	}
	return time.Time{}, false
}

// due is what the clock brings about.
type due struct {
	r      Request
	action Action // empty: nothing
	facts  []audit.Fact
	say    []mail.Kind
}

// reminder decides whom the clock reminds of what.
func (s *Service) reminder(ctx context.Context, r Request, now time.Time) (due, error) {
	switch {
	case r.toVerify() && !now.Before(r.verifyReminder()):
		r.Proof.Issued++
		r.Proof.IssuedAt = now
		return due{r, Remind, []audit.Fact{{Name: "of", Value: "verification"}}, []mail.Kind{mail.Remind}}, nil
	case r.Status != Open && r.Status != InProgress:
		return due{}, nil
	case r.asking() && !now.Before(r.Messages.Nudge):
		r.Messages.Nudge = time.Time{}
		return due{r, Remind, []audit.Fact{{Name: "of", Value: "question"}}, []mail.Kind{mail.StillAsked}}, nil
	}
	why := r.marksBy(now)
	if len(why) > 0 {
		r.Reminded = now
	}
	if w, ok := r.untold(); ok && !w.After(now) {
		told := slices.Clone(r.Told)
		for _, what := range r.waits() {
			if !slices.Contains(told, what) {
				told = append(told, what)
				kind, _, _ := strings.Cut(what, ":")
				why = append(why, digest.Why(kind))
			}
		}
		r.Told = told
	}
	if len(why) == 0 {
		return due{}, nil
	}
	return s.tellOperators(ctx, r, why)
}

// tellOperators puts a line into the operators' next digest and, once a date has
// passed, into that of the policy's contact. The person hears of it too: silence
// takes nobody's right to complain away.
func (s *Service) tellOperators(ctx context.Context, r Request, why []digest.Why) (due, error) {
	dates := s.current(r)
	line := digest.Line{Request: string(r.ID), Right: string(r.Right), RespondBy: dates.RespondBy, SafeBy: dates.SafeBy, Why: why}
	to := []digest.Audience{digest.Operators}
	if slices.Contains(why, digest.Overdue) || slices.Contains(why, digest.StillOverdue) {
		to = append(to, digest.Contact)
		if s.Log != nil { // an alarm listens: rather twice than never, so before the commit
			s.Log.WarnContext(ctx, "a request is overdue", "overdue", true, "request", string(r.ID), "since", dates.RespondBy)
		}
	}
	r.also = slices.Clone(r.also)
	for _, audience := range to {
		notes, err := s.Digest.Note(ctx, audience, line)
		if err != nil {
			return due{}, err
		}
		r.also = append(r.also, notes...)
	}
	d := due{r, Remind, []audit.Fact{{Name: "of", Value: digest.Join(why)}}, nil}
	if slices.Contains(why, digest.Overdue) {
		d.r.Overdue, d.action, d.say = true, Overrun, []mail.Kind{mail.Late}
		if article, ok := law.Silence(r.Law, law.DateOf(r.Received, s.Zone())); ok {
			d.facts = append(d.facts, audit.Fact{Name: "deemed_refusal", Value: article})
		}
	}
	return d, nil
}

// remindAfter is how long after the first mail a person who did not confirm it is
// reminded, once.
const remindAfter = 24 * time.Hour

// toVerify reports whether the person is still to be reminded to confirm: they
// were mailed once, and asked for nothing since.
func (r Request) toVerify() bool {
	return r.Status == Unverified && r.Proof.Issued == 1 && r.verifyReminder().Before(r.LapseAt)
}

func (r Request) verifyReminder() time.Time { return r.Proof.IssuedAt.Add(remindAfter) }

// asking reports whether the person is still to be reminded of a question.
func (r Request) asking() bool {
	return r.Messages.Asked > r.Messages.Answered && !r.Messages.Nudge.IsZero()
}
