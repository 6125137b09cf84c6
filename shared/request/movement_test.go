package request

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/digest"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

func from(residence string) func(*Submission) {
	return func(s *Submission) { s.Residence = residence }
}

func days(r Request, zone *time.Location) (respond, safe string) {
	return r.RespondBy.In(zone).Format(time.DateOnly), r.SafeBy.In(zone).Format(time.DateOnly)
}

func TestAnAnswerIsPutOffOnceAndInTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	id := d.verified(asks(policy.Restriction)) // received on 2 March 2026
	if respond, _ := days(d.get(id), d.Zone()); respond != "2026-04-02" {
		t.Fatalf("answered by %s", respond)
	}
	if _, err := d.Extend(ctx, handler, id, "we are busy", time.Time{}, Call{}); !strings.Contains(fieldsOf(err), "complexity") {
		t.Errorf("a ground that no law knows: %v %s", err, fieldsOf(err))
	}
	auditor := operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}}
	if _, err := d.Extend(ctx, auditor, id, "complexity", time.Time{}, Call{}); !errors.Is(err, ErrForbidden) {
		t.Errorf("an auditor: %v", err)
	}
	d.pass(10 * 24 * time.Hour)
	for range 2 { // the same call twice is one extension
		if _, err := d.Extend(ctx, handler, id, "complexity", time.Time{}, Call{Key: "x1"}); err != nil {
			t.Fatal(err)
		}
	}
	r := d.get(id)
	if respond, _ := days(r, d.Zone()); respond != "2026-06-02" || r.Extension.Before.In(d.Zone()).Format(time.DateOnly) != "2026-04-02" {
		t.Errorf("put off to %s, from %s", respond, r.Extension.Before)
	}
	if _, err := d.Extend(ctx, handler, id, "complexity", time.Time{}, Call{Key: "x2"}); !errors.Is(err, ErrNoExtension) {
		t.Errorf("a second extension: %v", err)
	}
	n := 0
	for _, line := range d.told(id) {
		if strings.HasPrefix(line, "extend ") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d entries tell of the extension", n)
	}
	d.chains()

	late := d.verified(asks(policy.Restriction, func(s *Submission) { s.Call.Key = "late" }))
	d.pass(d.get(late).RespondBy.Sub(d.clock()) + time.Second)
	if _, err := d.Extend(ctx, handler, late, "complexity", time.Time{}, Call{}); !errors.Is(err, ErrNoExtension) {
		t.Errorf("after the first period: %v", err)
	}
}

func TestAPolicyWithoutExtensionExtendsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) {
		rule := p.Rights[policy.Restriction]
		rule.Extension = false
		p.Rights[policy.Restriction] = rule
	})
	id := d.verified(asks(policy.Restriction))
	before := d.get(id)
	if _, err := d.Extend(t.Context(), handler, id, "complexity", time.Time{}, Call{}); !errors.Is(err, ErrNoExtension) {
		t.Errorf("%v", err)
	}
	if !d.get(id).sameDates(before) {
		t.Error("the dates moved")
	}
}

// Where the law stops, time does, and moves again with the answer; where it does
// not, nothing an operator does moves a date.
func TestTimeStopsOnlyWhereTheLawLetsIt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		residence string
		right     policy.Right
		cause     law.Cause
		stops     bool
		after     string // respond by, having waited from 4 to 13 March
	}{
		"Britain, clarification of an access request": {"GB", policy.Access, law.Clarification, true, "2026-04-13"}, // 2 April + 10 days = 12 April, a Sunday
		"Britain, identity restarts":                  {"GB", policy.Restriction, law.Identity, true, "2026-04-13"},
		"Britain, clarification of another right":     {"GB", policy.Restriction, law.Clarification, false, "2026-04-02"},
		"California, identity":                        {"US-CA", policy.Restriction, law.Identity, false, "2026-04-16"},
		"California, clarification":                   {"US-CA", policy.Restriction, law.Clarification, false, "2026-04-16"},
		"Canada, consultation":                        {"CA", policy.Restriction, law.Consultation, false, "2026-04-01"},
		"France, identity":                            {"FR", policy.Restriction, law.Identity, true, ""},
		"France, a fee":                               {"FR", policy.Restriction, law.Fee, false, "2026-04-02"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(p *policy.Policy) {
				rule := p.Rights[policy.Access]
				rule.Automatic = false
				p.Rights[policy.Access] = rule
			})
			id := d.verified(asks(tt.right, from(tt.residence)))
			before := d.get(id)
			d.pass(2 * 24 * time.Hour) // 4 March
			_, err := d.Pause(t.Context(), handler, id, tt.cause, Call{})
			if !tt.stops {
				if !errors.Is(err, ErrNoPause) || !strings.Contains(textOf(err), before.Law) {
					t.Errorf("pausing is answered with %v, %q", err, textOf(err))
				}
				if !d.get(id).sameDates(before) || d.get(id).Paused {
					t.Error("the refusal moved something")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			d.pass(9 * 24 * time.Hour) // 13 March
			if r := d.get(id); !r.Paused || r.IsOverdue(d.clock().AddDate(1, 0, 0)) {
				t.Errorf("paused %t", r.Paused)
			}
			if now := d.current(d.get(id)); !now.RespondBy.After(before.RespondBy) {
				t.Errorf("while time stands still the date shown stays %s", now.RespondBy)
			}
			if _, err := d.Pause(t.Context(), handler, id, tt.cause, Call{}); !errors.Is(err, ErrNoPause) {
				t.Errorf("paused twice: %v", err)
			}
			if _, err := d.Resume(t.Context(), handler, id, tt.cause, Call{}); err != nil {
				t.Fatal(err)
			}
			r := d.get(id)
			if respond, _ := days(r, d.Zone()); tt.after != "" && respond != tt.after || !r.RespondBy.After(before.RespondBy) || r.Paused {
				t.Errorf("answered by %s, want %s; paused %t", respond, tt.after, r.Paused)
			}
			if r.SafeBy.After(r.RespondBy) {
				t.Errorf("safe %s after %s", r.SafeBy, r.RespondBy)
			}
			if _, err := d.Resume(t.Context(), handler, id, "", Call{}); !errors.Is(err, ErrNotPaused) {
				t.Errorf("resumed twice: %v", err)
			}
			d.chains()
		})
	}
}

// A request whose time stands still is in the index all the same, and operators
// hear of it every week.
func TestWhatIsWaitedForIsNotForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Restriction, from("GB")))
	if _, err := d.Pause(t.Context(), handler, id, law.Identity, Call{}); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		d.pass(24 * time.Hour)
		d.sweep()
	}
	n := 0
	for _, line := range d.told(id) {
		if strings.Contains(line, string(digest.StillWaiting)) {
			n++
		}
		if strings.HasPrefix(line, "overrun") {
			t.Error("it ran over while time stood still")
		}
	}
	if n != 8 {
		t.Errorf("in 60 days operators heard %d times of it, want 8:\n%s", n, strings.Join(d.told(id), "\n"))
	}
}

// The dates of an open request follow a corrected pack only when an operator says
// so, and are then recorded.
func TestACorrectedPackMovesDatesOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Restriction))
	if _, err := d.Recount(t.Context(), handler, id, Call{}); !errors.Is(err, ErrUnchanged) {
		t.Errorf("with the same packs: %v", err)
	}
	r := d.get(id)
	want := r
	r.RespondBy, r.SafeBy = r.RespondBy.AddDate(0, 0, 5), r.SafeBy.AddDate(0, 0, 5) // as an older version counted
	if _, err := d.keep(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	cases, _, err := d.Cases(t.Context(), handler, "")
	if err != nil || len(cases) != 1 || cases[0].ID != id || !cases[0].RespondBy.Equal(r.RespondBy) {
		t.Fatalf("%+v, %v", cases, err)
	}
	if again, err := law.Count(cases[0].Case); err != nil || !again.RespondBy.Equal(want.RespondBy) {
		t.Errorf("the case counts %s, %v, want %s", again.RespondBy, err, want.RespondBy)
	}
	if _, err := d.Recount(t.Context(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	if !d.get(id).sameDates(want) {
		t.Errorf("recounted to %s, want %s", d.get(id).RespondBy, want.RespondBy)
	}
	if last := d.told(id)[len(d.told(id))-1]; !strings.HasPrefix(last, "recount ") {
		t.Errorf("the timeline ends with %s", last)
	}
}

func TestAnAppealIsALaneOfItsOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) {
		p.Regimes = append(p.Regimes, policy.Regime{ID: "us-va", AppliesTo: []string{"US-VA"}})
	})
	ctx := t.Context()
	deny := func(residence string) (ID, string) {
		ask := asks(policy.Restriction, from(residence), func(s *Submission) { s.Call.Key = residence })
		id := d.verified(ask) //nolint:contextcheck // the desk has its own
		token := d.Mint(Token{ID: id, Verb: Session, N: 1, Until: d.clock().Add(24 * time.Hour)})
		if _, _, err := d.Appeal(ctx, id, token, "No.", Call{}); !errors.Is(err, ErrNotAppealing) {
			t.Errorf("before the answer: %v", err)
		}
		if _, err := d.Deny(ctx, handler, id, "manifestly_unfounded", Call{}); err != nil {
			t.Fatal(err)
		}
		return id, token
	}
	id, token := deny("US-VA")
	first, proven, err := d.Appeal(ctx, id, token, "I disagree.", Call{})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := d.Appeal(ctx, id, token, "I disagree.", Call{})
	if err != nil || again.ID != first.ID {
		t.Errorf("asked twice: %v and %v, %v", first.ID, again.ID, err)
	}
	if _, _, err := d.Appeal(ctx, id, token, "I disagree, and more.", Call{Key: "another", Body: "another"}); !errors.Is(err, ErrAppealed) {
		t.Errorf("asked again in other words: %v", err)
	}
	r := d.get(first.ID)
	respond, _ := days(r, d.Zone())
	if r.About != id || r.Status != Open || r.Law != "us-va" || respond != "2026-05-01" { // 60 days
		t.Errorf("%+v, answered by %s", r, respond)
	}
	if _, _, err := d.Authorize(ctx, first.ID, proven.Token); err != nil {
		t.Errorf("its token: %v", err)
	}
	if _, _, err := d.Appeal(ctx, first.ID, proven.Token, "Again.", Call{}); !errors.Is(err, ErrNotAppealing) {
		t.Errorf("an appeal against an appeal: %v", err)
	}
	if _, err := d.Accept(ctx, handler, first.ID, Call{}); err != nil {
		t.Fatal(err)
	}
	d.until(first.ID, "the task is there", func(r Request) bool { return len(r.Steps) == 1 })
	task := Task(first.ID, 0)
	for _, bad := range []Decision{{}, {Outcome: Upheld}, {Outcome: "maybe", Text: personal.MakeText("x")}, {Text: personal.MakeText("x")}} {
		if _, err := d.TaskDone(ctx, handler, task, bad, Call{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a decision %+v: %v", bad, err)
		}
	}
	if _, err := d.TaskDone(ctx, handler, task, Decision{Rejected, personal.MakeText("We looked again.")}, Call{}); err != nil {
		t.Fatal(err)
	}
	if r := d.ends(first.ID); r.Status != Fulfilled || r.Outcome != Rejected || r.Owner != handler.ID {
		t.Errorf("it ends as %s, %s, of %s", r.Status, r.Outcome, r.Owner)
	}
	if subjects := d.post.subjects(); !slices.ContainsFunc(subjects, func(s string) bool { return strings.Contains(s, "appeal") }) {
		t.Errorf("no mail tells of it: %q", subjects)
	}

	id, token = deny("FR")
	if _, _, err := d.Appeal(ctx, id, token, "Non.", Call{}); !errors.Is(err, ErrNoAppeal) {
		t.Errorf("a law without appeals: %v", err)
	}
}

func fieldsOf(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return ""
	}
	var all []string
	for _, x := range f.Fields {
		all = append(all, x.Pointer+" "+x.Text)
	}
	return strings.Join(all, "; ")
}

func textOf(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return ""
	}
	return f.Text
}

func promising(n int) func(*policy.Policy) {
	return func(p *policy.Policy) {
		for right, rule := range p.Rights {
			rule.PromisedDays = n
			p.Rights[right] = rule
		}
	}
}

// A promise counts from receipt, whatever is waited for: nobody is told that time
// stands still, and that it passed is not hidden.
func TestAPromiseWaitsForNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand, promising(30))
	id := d.verified(asks(policy.Restriction, from("GB"))) // 1 April, with the promise; 2 April by law
	before := d.get(id)
	if _, err := d.Pause(d.ctx(), handler, id, law.Identity, Call{}); !errors.Is(err, ErrNoPause) || !strings.Contains(textOf(err), "promised by 2026-04-01") {
		t.Errorf("paused with %v %q", err, textOf(err))
	}
	d.pass(2 * aDay)
	d.ask(id, Question{Text: text("Who are you?"), Cause: law.Identity})
	if r := d.get(id); r.Paused || !r.RespondBy.Equal(before.RespondBy) || !r.waitsFor(law.Identity) {
		t.Errorf("paused %t, by %s", r.Paused, r.RespondBy)
	}
	d.announce(id)
	if letter := d.post.mails[len(d.post.mails)-1].Text.Reveal(); !strings.Contains(letter, "runs on meanwhile") {
		t.Errorf("the letter says\n%s", letter)
	}
	for range 40 {
		d.pass(aDay)
		d.sweep()
	}
	said := strings.Join(d.told(id), "\n")
	for _, want := range []string{"effect=ignore", "of=T-7", "overrun ", "of=still_overdue"} {
		if !strings.Contains(said, want) {
			t.Errorf("the audit lacks %q:\n%s", want, said)
		}
	}
	if r := d.get(id); !r.IsOverdue(d.clock()) || strings.Contains(said, "still_waiting") {
		t.Errorf("overdue %t, the audit says\n%s", r.IsOverdue(d.clock()), said)
	}
}

// Nor does the day that the person was told with an extension wait.
func TestADayThatWasNamedWaitsForNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Restriction, from("GB")))
	if _, err := d.Extend(d.ctx(), handler, id, "complexity", time.Date(2026, 5, 5, 0, 0, 0, 0, d.Zone()), Call{}); err != nil {
		t.Fatal(err)
	}
	d.ask(id, Question{Text: text("Who are you?"), Cause: law.Identity})
	for range 70 {
		d.pass(aDay)
		d.sweep()
	}
	if r := d.get(id); r.Paused || !r.Overdue || r.RespondBy.In(d.Zone()).Format(time.DateOnly) != "2026-05-05" {
		t.Errorf("paused %t, overdue %t, by %s", r.Paused, r.Overdue, r.RespondBy)
	}
}

// What is over waits for nothing, whatever was asked: its dates stand where they were
// when it ended, and it was in time.
func TestTheTimeOfWhatIsOverDoesNotRun(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*desk, ID) error{
		"denied": func(d *desk, id ID) error {
			_, err := d.Deny(d.ctx(), handler, id, "manifestly_unfounded", Call{})
			return err
		},
		"taken back": func(d *desk, id ID) error {
			_, err := d.Revoke(d.ctx(), id, Call{})
			return err
		},
	} {
		d := newDesk(t, weighedByHand)
		id := d.verified(asks(policy.Restriction, from("GB")))
		d.pass(2 * aDay)
		d.ask(id, Question{Text: text("Who are you?"), Cause: law.Identity})
		d.pass(60 * aDay)
		if err := end(d, id); err != nil {
			t.Fatal(err)
		}
		r := d.get(id)
		if r.Paused || !r.Closed.Before(r.RespondBy) {
			t.Errorf("%s: paused %t, over on %s, by %s", name, r.Paused, r.Closed, r.RespondBy)
		}
		d.pass(30 * aDay)
		clocks, err := d.Clocks(d.get(id))
		if err != nil || !clocks[0].Legal.Equal(r.RespondBy) {
			t.Errorf("%s: the clock %s says %s, the request %s, %v", name, clocks[0].Clock, clocks[0].Legal, r.RespondBy, err)
		}
	}
}

// While time stands still a date moves with every day, and everybody is told the same.
func TestEverybodyIsToldTheSameDate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Restriction, from("GB")))
	d.pass(2 * aDay)
	d.ask(id, Question{Text: text("Who are you?"), Cause: law.Identity}) // 4 March: 6 April, Easter Monday elsewhere
	d.sweep()
	d.pass(7 * aDay) // 11 March: a month later is a Saturday
	d.sweep()
	v, err := d.Follow(d.ctx(), id, d.session(id, 1))
	if err != nil {
		t.Fatal(err)
	}
	if respond, _ := days(v.Request, d.Zone()); respond != "2026-04-13" {
		t.Errorf("the page says %s", respond)
	}
	cases, _, err := d.Cases(d.ctx(), handler, "")
	if err != nil || !cases[0].RespondBy.Equal(v.Request.RespondBy) {
		t.Errorf("the list for law diff says %s, %v", cases[0].RespondBy, err)
	}
	d.pass(aDay)
	d.sweep()
	last := func(to string) string {
		for _, m := range slices.Backward(d.post.mails) {
			if (m.To.Reveal() == ada) == (to == ada) {
				return strings.Join(strings.Fields(m.Text.Reveal()), " ")
			}
		}
		return ""
	}
	if digest := last("operators"); !strings.Contains(digest, "13 April 2026") {
		t.Errorf("the digest says %s", digest)
	}
	// Put off while time stands still, it is put off from the date that is shown then.
	before := d.current(d.get(id)).RespondBy
	if _, err := d.Extend(d.ctx(), handler, id, "complexity", time.Time{}, Call{}); err != nil {
		t.Fatal(err)
	}
	d.announce(id)
	if x := d.get(id).Extension; !x.Before.Equal(before) || !strings.Contains(last(ada), "instead of "+before.In(d.Zone()).Format("2 January 2006")) {
		t.Errorf("put off from %s, the letter says %s", x.Before, last(ada))
	}
}

// The day that an operator named is shown by the clock as well, and no law pack moves it.
func TestTheClockShowsTheDayThatWasNamed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Restriction))
	if _, err := d.Extend(d.ctx(), handler, id, "complexity", time.Date(2026, 5, 4, 0, 0, 0, 0, d.Zone()), Call{}); err != nil {
		t.Fatal(err)
	}
	r := d.get(id)
	clocks, err := d.Clocks(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clocks {
		if answers(c.Clock) && (!c.Legal.Equal(r.RespondBy) || !c.Safe.Equal(r.SafeBy) || !strings.Contains(c.Steps[len(c.Steps)-1].Text, "Monday 4 May 2026: that binds")) {
			t.Errorf("the clock says %s, safe %s, the request %s and %s:\n%+v", c.Legal, c.Safe, r.RespondBy, r.SafeBy, c.Steps)
		}
	}
	cases, _, err := d.Cases(d.ctx(), handler, "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := law.Count(cases[0].Case); err != nil || !again.RespondBy.Equal(cases[0].RespondBy) {
		t.Errorf("law diff would show %s as %s, %v", cases[0].RespondBy, again.RespondBy, err)
	}
}

// Whose answer came by telephone is not reminded of the question.
func TestNobodyIsRemindedOfWhatIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for _, residence := range []string{"GB", "FR"} {
		d := newDesk(t, weighedByHand)
		id := d.verified(asks(policy.Restriction, from(residence)))
		d.ask(id, Question{Text: text("Which of the two?"), Cause: law.Clarification})
		d.pass(aDay)
		d.sweep()
		if _, err := d.Resume(d.ctx(), handler, id, law.Clarification, Call{}); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			d.pass(aDay)
			d.sweep()
		}
		if subjects := d.post.subjects(); slices.ContainsFunc(subjects, func(s string) bool { return strings.Contains(s, "A reminder") }) {
			t.Errorf("%s: %q", residence, subjects)
		}
	}
}

// Whoever opts others out a hundred times, without an operator doing anything, has
// them hear that we are late no more often than that it was received.
func TestWhoWasNotMailedIsNotToldThatWeAreLate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) {
		p.Rights[policy.OptOutSale] = policy.RightRule{Residences: []string{policy.Everywhere}, TaskDays: 7}
		p.Sources[0].Hears = []policy.Right{policy.OptOutSale}
	})
	d.shop.fail = func(string) error { return source.ErrRefused }
	for i := range 15 {
		d.submit(asks(policy.OptOutSale, from("US-CA"), func(s *Submission) { s.Call.Key = strconv.Itoa(i) }))
	}
	for range 60 {
		d.pass(aDay)
		d.sweep()
	}
	n := map[string]int{}
	for _, m := range d.post.mails {
		if m.To.Reveal() == ada {
			n[m.Subject]++
		}
	}
	limit := d.Policy.Verification.MailsPerDay
	if len(n) != 2 || n["Example Books has your request"] != limit || n["Example Books is late with the answer to your request"] != limit {
		t.Errorf("with a limit of %d: %v", limit, n)
	}
}

// Another edition of the policy may name other laws. What was received before keeps
// its dates, whatever happens to it, until somebody has them counted anew.
func TestAnotherPolicyMovesNoDate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	submission := asks(policy.Restriction, from("US-CA"))
	first, err := d.Submit(d.ctx(), submission)
	if err != nil {
		t.Fatal(err)
	}
	id := d.verified(submission)
	before := d.get(id)
	d.Policy.Regimes = slices.DeleteFunc(d.Policy.Regimes, func(g policy.Regime) bool { return g.ID == "us-ca-ccpa" })
	if again, err := d.Submit(d.ctx(), submission); err != nil || again.ID != first.ID || !again.RespondBy.Equal(first.RespondBy) || !again.SafeBy.Equal(first.SafeBy) {
		t.Errorf("repeated, the answer is %+v, %v; it was %+v", again, err, first)
	}
	d.ask(id, Question{Text: text("Who are you?"), Cause: law.Identity})
	r := d.get(id)
	clocks, err := d.Clocks(r)
	if err != nil || !r.sameDates(before) || !clocks[0].Legal.Equal(before.RespondBy) {
		t.Errorf("answered by %s under %s, before by %s under %s; the clocks are %+v, %v", r.RespondBy, r.Law, before.RespondBy, before.Law, clocks, err)
	}
	cases, _, err := d.Cases(d.ctx(), handler, "")
	if err != nil {
		t.Fatal(err)
	}
	would, err := law.Count(cases[0].Case)
	if err != nil || would.RespondBy.Equal(r.RespondBy) || !cases[0].RespondBy.Equal(r.RespondBy) {
		t.Errorf("law diff shows %s as %s, %v", cases[0].RespondBy, would.RespondBy, err)
	}
	if _, err := d.Recount(d.ctx(), handler, id, Call{}); err != nil || !d.get(id).RespondBy.Equal(would.RespondBy) {
		t.Errorf("counted anew: by %s, %v", d.get(id).RespondBy, err)
	}
}

// A law that the policy names ahead of its time keeps nobody out whom it will cover.
func TestWhoseLawIsNotInForceIsAnsweredUnderTheOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) {
		p.Regimes = append(p.Regimes, policy.Regime{ID: "in-dpdp", AppliesTo: []string{"IN"}}) // from 14 May 2027
	})
	id := d.submit(asks(policy.Restriction, from("IN")))
	unknown := d.submit(asks(policy.Restriction, from(""), func(s *Submission) { s.Call.Key = "2" }))
	if r, strictest := d.get(id), d.get(unknown); !r.sameDates(strictest) || r.Law == "in-dpdp" {
		t.Errorf("by %s under %s, of the others by %s under %s", r.RespondBy, r.Law, strictest.RespondBy, strictest.Law)
	}
}

// What is waited for outside of the messages, a message does not end.
func TestAnAnswerEndsOnlyWhatWasAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	id := d.verified(asks(policy.Restriction, from("GB")))
	token := d.Mint(Token{ID: id, Verb: Session, N: 1, Until: d.clock().Add(90 * 24 * time.Hour)})
	write := func(what string) {
		t.Helper()
		if _, err := d.Reply(ctx, id, token, Reply{Text: personal.MakeText(what)}, Call{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Pause(ctx, handler, id, law.Fee, Call{}); err != nil {
		t.Fatal(err)
	}
	write("How long will it take?")
	if r := d.get(id); !r.Paused || !r.waitsFor(law.Fee) {
		t.Errorf("a remark ended the waiting for the fee: %+v", r.Stops)
	}
	if _, err := d.Ask(ctx, handler, id, Question{Text: personal.MakeText("Who are you?"), Cause: law.Identity}, Call{}); err != nil {
		t.Fatal(err)
	}
	write("It is me.")
	if r := d.get(id); r.waitsFor(law.Identity) || !r.waitsFor(law.Fee) || len(r.Messages.Causes) != 0 {
		t.Errorf("the answer left %+v, %v", r.Stops, r.Messages.Causes)
	}
}

// Where the law wants the receipt confirmed and no letter did, operators hear of it.
func TestAReceiptThatNobodyConfirmedIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Know, from("US-CA")))
	r := d.get(id)
	if r.AcknowledgeBy.IsZero() {
		t.Fatal("California wants no confirmation")
	}
	r.Acknowledged = time.Time{}
	if !slices.Contains(r.waits(), string(digest.Unconfirmed)) {
		t.Errorf("waiting are %v", r.waits())
	}
	r.Acknowledged = d.clock()
	if slices.Contains(r.waits(), string(digest.Unconfirmed)) {
		t.Errorf("waiting are %v", r.waits())
	}
}

// The day that the person was told binds on every clock alike, and no longer once a
// corrected pack allows less.
func TestTheDayThatThePersonWasToldBindsWithinTheLaw(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Restriction)) // 2 March: the law allows until 2 June
	if _, err := d.Extend(t.Context(), handler, id, "complexity", time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), Call{}); err != nil {
		t.Fatal(err)
	}
	ends := func(r Request, want string) {
		t.Helper()
		if err := d.count(&r, d.clock()); err != nil {
			t.Fatal(err)
		}
		if respond, _ := days(r, d.Zone()); respond != want {
			t.Errorf("answered by %s, want %s", respond, want)
		}
		clocks, err := d.Clocks(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range clocks {
			if c.Clock == law.Respond && !c.Legal.Equal(r.RespondBy) {
				t.Errorf("the clock ends on %s, the request on %s", c.Legal, r.RespondBy)
			}
		}
	}
	r := d.get(id)
	ends(r, "2026-05-04")
	told := *r.Extension
	told.Until = told.Until.AddDate(0, 2, 0) // later than the law allows
	r.Extension = &told
	ends(r, "2026-06-02")
	told.Open = true // unless the law names no last day for the ground
	ends(r, "2026-07-04")
}
