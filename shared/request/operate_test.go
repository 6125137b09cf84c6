package request

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// fulfilled takes an access request to its package.
func (d *desk) fulfilled() ID {
	d.t.Helper()
	id := d.verified(asks(policy.Access))
	if r := d.ends(id); r.Status != Fulfilled || r.Package == nil {
		d.t.Fatalf("it is %s", r.Status)
	}
	return id
}

func TestAPackageIsHandedOutOncePerProof(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.fulfilled()
	ctx := t.Context()
	token := d.session(id, 1)
	first, err := d.Deliver(ctx, id, token, Call{Key: "k"})
	if err != nil || !strings.HasPrefix(first.URL, "https://bucket.example.org/"+string(id)) {
		t.Fatalf("%+v, %v", first, err)
	}
	if v, err := d.Follow(ctx, id, token); err != nil || v.Downloadable || !v.StepUp {
		t.Errorf("after it: %v, downloadable %t, step up %t", err, v.Downloadable, v.StepUp)
	}
	if again, err := d.Deliver(ctx, id, token, Call{Key: "k"}); err != nil || again.URL != first.URL {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	if _, err := d.Deliver(ctx, id, token, Call{Key: "other"}); !errors.Is(err, ErrStepUp) {
		t.Errorf("under another key: %v", err)
	}
	if _, err := d.Deliver(ctx, id, token, Call{}); !errors.Is(err, ErrStepUp) {
		t.Errorf("without a key: %v", err)
	}
	d.pass(repeatFor)
	if _, err := d.Deliver(ctx, id, token, Call{Key: "k"}); !errors.Is(err, ErrStepUp) {
		t.Errorf("repeated after ten minutes: %v", err)
	}
	if err := d.Resend(ctx, id); err != nil {
		t.Fatal(err)
	}
	p, err := d.VerifyLink(ctx, d.linkToken(id, VerifyLink, d.get(id).Proof), Call{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Deliver(ctx, id, p.Token, Call{Key: "second"}); err != nil {
		t.Errorf("after a step up: %v", err)
	}
	if _, err := d.Deliver(ctx, id, token, Call{Key: "second"}); err == nil {
		t.Error("the old token, with the key of the new one, downloads once more")
	}
	d.until(id, "the package is erased", func(r Request) bool { return !r.Parts })
	if _, err := d.Deliver(ctx, id, p.Token, Call{Key: "late"}); !errors.Is(err, ErrNoPackage) {
		t.Errorf("after its time: %v", err)
	}
}

func TestTheMailedLinkDeliversOnce(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.fulfilled()
	ctx := t.Context()
	link := d.packageToken(d.get(id))
	if _, err := d.DeliverLink(ctx, link, Call{Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.DeliverLink(ctx, link, Call{Key: "k"}); err != nil {
		t.Errorf("repeated: %v", err)
	}
	if _, err := d.DeliverLink(ctx, link, Call{Key: "k", Body: "x"}); !errors.Is(err, ErrReplay) {
		t.Errorf("the same key with another body: %v", err)
	}
	if _, err := d.DeliverLink(ctx, link, Call{Key: "l"}); !errors.Is(err, ErrLinkGone) {
		t.Errorf("once more: %v", err)
	}
	if _, err := d.Deliver(ctx, id, d.session(id, 1), Call{Key: "m"}); err != nil {
		t.Errorf("the session, which is another proof: %v", err)
	}
	d.pass(d.Policy.Verification.PackagePeriod)
	if v, err := d.Follow(ctx, id, d.session(id, 1)); err != nil || v.Downloadable || v.StepUp {
		t.Errorf("after its time, before it is erased: %v, downloadable %t, step up %t", err, v.Downloadable, v.StepUp)
	}
}

func TestATokenIsGoodForOneVerbOnOneRequest(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	id := d.fulfilled()
	ctx := t.Context()
	mint := func(v Verb) string { return d.Mint(Token{ID: id, Verb: v, N: 1, Until: d.now().Add(time.Hour)}) }
	uses := map[Verb]func(token string) error{
		VerifyLink:  func(token string) error { _, err := d.VerifyLink(ctx, token, Call{}); return err },
		ConfirmLink: func(token string) error { _, err := d.ConfirmAddress(ctx, token); return err },
		DeliverLink: func(token string) error { _, err := d.DeliverLink(ctx, token, Call{}); return err },
		Session:     func(token string) error { _, err := d.Follow(ctx, id, token); return err },
	}
	for verb, use := range uses {
		for other := range uses {
			if err := use(mint(other)); other != verb && !errors.Is(err, ErrBadToken) {
				t.Errorf("a token to %s used to %s: %v", other, verb, err)
			}
		}
		forged := d.Mint(Token{ID: "r-other", Verb: verb, N: 1, Until: d.now().Add(time.Hour)})
		if err := use(strings.Replace(forged, "r-other", string(id), 1)); !errors.Is(err, ErrBadToken) {
			t.Errorf("%s of another request, renamed: %v", verb, err)
		}
	}
	other := d.verified(asks(policy.Restriction))
	if _, _, err := d.Authorize(ctx, other, d.session(id, 1)); !errors.Is(err, ErrBadToken) {
		t.Errorf("the session of another request: %v", err)
	}
	if _, _, err := d.Authorize(ctx, id, d.session(id, 2)); !errors.Is(err, ErrBadToken) {
		t.Errorf("a session of a proof that was never given: %v", err)
	}
}

func TestEveryOperatorCallIsRepeatable(t *testing.T) {
	t.Parallel()
	d := furnished(t, byHandOnly)
	ctx := t.Context()
	id := d.verified(asks(policy.Erasure))
	c := Call{Key: "k", Body: "{}"}
	other := Call{Key: "k", Body: "{ }"}
	for range 2 {
		if s, err := d.DryRun(ctx, handler, id, c); err != nil || s != Open {
			t.Fatalf("dry run: %s, %v", s, err)
		}
	}
	if _, err := d.DryRun(ctx, handler, id, other); !errors.Is(err, ErrReplay) {
		t.Errorf("dry run with another body: %v", err)
	}
	d.until(id, "it looked", func(r Request) bool { return r.asked() && len(r.Steps) > 0 })
	seq := d.get(id).Head.Seq
	if s, err := d.DryRun(ctx, handler, id, c); err != nil || s != Open || d.get(id).Head.Seq != seq {
		t.Errorf("the dry run, repeated when it is over: %s, %v, %d entries more", s, err, d.get(id).Head.Seq-seq)
	}
	for range 2 {
		if s, err := d.Accept(ctx, handler, id, c); err != nil || s != InProgress {
			t.Fatalf("accept: %s, %v", s, err)
		}
	}
	if _, err := d.Accept(ctx, handler, id, other); !errors.Is(err, ErrReplay) {
		t.Errorf("accept with another body: %v", err)
	}
	if _, err := d.Accept(ctx, handler, id, Call{Key: "n"}); !errors.Is(err, ErrNotNow) {
		t.Errorf("accepted twice: %v", err)
	}
	if s, err := d.DryRun(ctx, handler, id, c); err != nil || s != Open {
		t.Errorf("the dry run, repeated after the acceptance, answers %s, %v", s, err)
	}
	for range 2 {
		if s, err := d.Deny(ctx, handler, id, "manifestly_unfounded", c); err != nil || s != Denied {
			t.Fatalf("deny: %s, %v", s, err)
		}
	}
	d.ends(id)
	d.chains()
}

func TestManyTasksOfADayAreAllRepeatable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	const n = 15
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("unheard-of-%d", i), "x")
	}
	id := d.verified(asks(policy.Rectification, corrects(pairs...)))
	if _, err := d.Accept(ctx, handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	r := d.until(id, "the tasks are there", func(r Request) bool { return len(r.Steps) == n })
	for i := range r.Steps {
		if status, err := d.TaskDone(ctx, handler, Task(id, i), Decision{}, Call{Key: fmt.Sprint("k", i)}); err != nil || status != InProgress {
			t.Fatalf("task %d: %s, %v", i, status, err)
		}
	}
	for i := range r.Steps {
		if status, err := d.TaskDone(ctx, handler, Task(id, i), Decision{}, Call{Key: fmt.Sprint("k", i)}); err != nil || status != InProgress {
			t.Errorf("task %d, repeated: %s, %v", i, status, err)
		}
	}
	for _, bad := range []TaskID{"", "x", Task(id, n), TaskID(string(id) + ".-1"), TaskID(string(id) + ".x"), Task("r-other", 0)} {
		if _, err := d.TaskDone(ctx, handler, bad, Decision{}, Call{}); !errors.Is(err, ErrNoTask) && !errors.Is(err, ErrNotFound) {
			t.Errorf("task %q: %v", bad, err)
		}
	}
	if _, err := d.TaskDone(ctx, handler, Task(id, 0), Decision{}, Call{Key: "new"}); !errors.Is(err, ErrNoTask) {
		t.Errorf("done twice: %v", err)
	}
	if r := d.ends(id); r.Status != Fulfilled {
		t.Errorf("with all tasks done it is %s", r.Status)
	}
}

func TestADenialNamesOneOfTheLawsReasons(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Restriction))
	_, err := d.Deny(t.Context(), handler, id, "because", Call{})
	if !invalid(err) {
		t.Fatalf("err = %v", err)
	}
	v, err := d.Show(t.Context(), handler, id)
	if err != nil || len(v.Reasons) == 0 {
		t.Fatalf("%v, reasons %v", err, v.Reasons)
	}
	if s, err := d.Deny(t.Context(), handler, id, v.Reasons[0], Call{}); err != nil || s != Denied {
		t.Errorf("%s: %s, %v", v.Reasons[0], s, err)
	}
	d.ends(id)
	if len(d.post.mails) == 0 {
		t.Error("nobody was told")
	}
}

func TestOnlyHandlersHandle(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Restriction))
	ctx := t.Context()
	auditor, nobody := operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}}, operator.Identity{ID: "n1"}
	calls := map[string]func(operator.Identity) error{
		"verify":  func(i operator.Identity) error { _, err := d.VerifyByOperator(ctx, i, id, "x", Call{}); return err },
		"vouch":   func(i operator.Identity) error { _, err := d.VouchForAddress(ctx, i, id, "x", Call{}); return err },
		"accept":  func(i operator.Identity) error { _, err := d.Accept(ctx, i, id, Call{}); return err },
		"deny":    func(i operator.Identity) error { _, err := d.Deny(ctx, i, id, "x", Call{}); return err },
		"dry run": func(i operator.Identity) error { _, err := d.DryRun(ctx, i, id, Call{}); return err },
		"retry":   func(i operator.Identity) error { _, err := d.Retry(ctx, i, id, Call{}); return err },
		"task done": func(i operator.Identity) error {
			_, err := d.TaskDone(ctx, i, Task(id, 0), Decision{}, Call{})
			return err
		},
		"show":       func(i operator.Identity) error { _, err := d.Show(ctx, i, id); return err },
		"a read":     func(i operator.Identity) error { _, _, err := d.List(ctx, i, Filter{}); return err },
		"read audit": func(i operator.Identity) error { _, err := d.VerifyAudit(ctx, i, ""); return err },
	}
	for name, call := range calls {
		if err := call(nobody); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s by somebody without a role: %v", name, err)
		}
		if err := call(auditor); errors.Is(err, ErrForbidden) == strings.Contains(name, "read") {
			t.Errorf("%s by an auditor: %v", name, err)
		}
	}
}

func TestTheClockBringsAboutWhatItShould(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	idle := d.submit(asks(policy.Access, func(s *Submission) { s.Call.Key = "never verified" }))
	done := d.fulfilled()
	d.until(idle, "it lapses", func(r Request) bool { return r.Status == Expired })
	d.until(done, "the package is erased", func(r Request) bool { return !r.Parts && r.Package.Cleared })
	if n := d.shelf.size(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
	forget := d.get(done).Forget
	if want := d.Policy.Retention.Requests.After(d.get(done).Closed); !forget.Equal(want) {
		t.Errorf("it is forgotten at %s, want %s", forget, want)
	}
	d.pass(forget.Sub(d.clock()) - time.Minute)
	d.sweep()
	if _, err := d.load(t.Context(), done); err != nil {
		t.Errorf("a minute before its time: %v", err)
	}
	d.pass(2*24*time.Hour + 40*24*time.Hour)
	d.sweep()
	for _, id := range []ID{done, idle} {
		if _, err := d.load(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s, after its time: %v", id, err)
		}
		if p, err := d.loadPlan(t.Context(), id); err != nil || p.version != 0 {
			t.Errorf("the plan of %s is left: %v", id, err)
		}
	}
	for _, each := range []func() error{
		func() error { return d.Tick(t.Context(), done) },
		func() error { return d.Work(t.Context(), done) },
		func() error { return d.Announce(t.Context(), done) },
	} {
		if err := each(); err != nil {
			t.Errorf("a message that came late: %v", err)
		}
	}
}

func TestClaimsThatNothingTiesAreIgnoredAndTold(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	theirs := personal.MakeIdentity(personal.KindAccount, "a-999")
	id := d.verified(asks(policy.Access, func(s *Submission) { s.Person.Claims = []personal.Identity{account, theirs} }))
	if v, err := d.Follow(t.Context(), id, d.session(id, 1)); err != nil || len(v.Ignored) != 0 {
		t.Errorf("before anybody looked: %v, %v", err, v.Ignored)
	}
	d.ends(id)
	v, err := d.Follow(t.Context(), id, d.session(id, 1))
	if err != nil || len(v.Ignored) != 1 || v.Ignored[0] != theirs {
		t.Errorf("ignored are %d of the claims, %v", len(v.Ignored), err)
	}
}

func TestTheStoredRequestStaysSmall(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Access, func(s *Submission) { s.Person.Details = personal.MakeText(strings.Repeat("ж", maxText-100)) }))
	r := d.get(id)
	now := d.now()
	for i := range 100 {
		r.Steps = append(r.Steps, Step{
			Source: fmt.Sprintf("a-source-with-a-long-name-%02d", i%20), Category: fmt.Sprintf("a-category-with-a-long-name-%02d", i), Verb: DoAnonymise, State: Looking,
			Until: now, Round: 5, Known: 3, Found: 1 << 30, Done: 1 << 30, Left: 1 << 30, Cursor: make([]byte, 512), Calls: 1 << 20, Due: now, By: "operator",
			Attempts: Attempts{Tries: 8, After: now, Fault: "keeps_growing"},
		})
	}
	for i := range 20 {
		r.Looks = append(r.Looks, Look{Source: fmt.Sprintf("a-source-with-a-long-name-%02d", i), State: Working, Cursor: make([]byte, 512), Counts: map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}})
	}
	for i := range maxReplays + 5 {
		d.remember(&r, Work, Call{Key: fmt.Sprint(i)}, 0)
	}
	item, err := r.item()
	if err != nil {
		t.Fatal(err)
	}
	if n := item.Size(); n > 200<<10 {
		t.Errorf("a request with 100 steps takes %d bytes of the 400 KB", n)
	} else {
		t.Logf("a request with 100 steps, all fields full, takes %d bytes", n)
	}
}
