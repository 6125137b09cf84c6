package request

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// mailing submits a request and has its first mail sent.
func (d *desk) mailing(s Submission) ID {
	d.t.Helper()
	id := d.submit(s)
	if err := d.Announce(d.ctx(), id); err != nil {
		d.t.Fatal(err)
	}
	return id
}

// wrong is a code that is not this one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestACodeIsTriedFiveTimesAndNotOnceMore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mailing(asks(policy.Access))
	code := d.lastCode()
	for i := range 5 {
		if _, err := d.VerifyCode(t.Context(), id, wrong(code), Call{}); !errors.Is(err, ErrWrongCode) {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	if _, err := d.VerifyCode(t.Context(), id, code, Call{}); !errors.Is(err, ErrTries) {
		t.Errorf("the sixth try, with the right code: %v", err)
	}
	link := d.linkToken(id, VerifyLink, d.get(id).Proof)
	if _, err := d.VerifyLink(t.Context(), link, Call{}); err != nil {
		t.Errorf("the link of the same mail: %v", err)
	}
}

func TestAllCodesOfARequestTogetherAreTriedFifteenTimes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) { p.Verification.MailsPerDay = 20 })
	id := d.mailing(asks(policy.Access))
	judged := 0
	for range 6 {
		for range 6 {
			switch _, err := d.VerifyCode(t.Context(), id, wrong(d.lastCode()), Call{}); {
			case errors.Is(err, ErrWrongCode):
				judged++
			case !errors.Is(err, ErrTries):
				t.Fatal(err)
			}
		}
		d.pass(2 * time.Minute)
		if err := d.Resend(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := d.Announce(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if judged < 10 || judged > allTries {
		t.Errorf("%d codes were judged, want at most %d", judged, allTries)
	}
	if _, err := d.VerifyCode(t.Context(), id, d.lastCode(), Call{}); !errors.Is(err, ErrTries) {
		t.Errorf("the right code after all of them: %v", err)
	}
}

func TestFiftyGuessesAtOnceAreFive(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mailing(asks(policy.Access))
	var mu sync.Mutex
	judged := 0
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := d.VerifyCode(t.Context(), id, wrong(d.code(id, 1)), Call{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, ErrWrongCode):
				judged++
			case !errors.Is(err, ErrTries):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if judged != codeTries {
		t.Errorf("%d guesses were judged, want %d", judged, codeTries)
	}
}

func TestACodeLivesTenMinutesAndNobodyElsesRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mailing(asks(policy.Access))
	other := d.mailing(asks(policy.Erasure))
	if _, err := d.VerifyCode(t.Context(), other, d.code(id, 1), Call{}); d.code(id, 1) != d.code(other, 1) && !errors.Is(err, ErrWrongCode) {
		t.Errorf("the code of another request: %v", err)
	}
	for _, unknown := range []ID{"", "r0", ID(strings.Repeat("r", 65))} {
		if _, err := d.VerifyCode(t.Context(), unknown, "123456", Call{}); !errors.Is(err, ErrWrongCode) {
			t.Errorf("an unknown request: %v", err)
		}
	}
	d.pass(codeLife)
	if _, err := d.VerifyCode(t.Context(), id, d.code(id, 1), Call{}); !errors.Is(err, ErrWrongCode) {
		t.Errorf("a code of ten minutes ago: %v", err)
	}
}

func TestACallThatIsRepeatedGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mailing(asks(policy.Restriction))
	ctx := t.Context()
	first, err := d.VerifyCode(ctx, id, d.lastCode(), Call{Key: "k", Body: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Accept(ctx, handler, id, Call{Key: "k", Body: "b"}); err != nil { // another route, the same key
		t.Fatal(err)
	}
	d.pass(9 * time.Minute)
	again, err := d.VerifyCode(ctx, id, d.lastCode(), Call{Key: "k", Body: "b"})
	if err != nil || again != first {
		t.Errorf("repeated: %+v, %v; want %+v", again, err, first)
	}
	if _, err := d.VerifyCode(ctx, id, d.lastCode(), Call{Key: "k", Body: "c"}); !errors.Is(err, ErrReplay) {
		t.Errorf("the same key with another body: %v", err)
	}
	d.pass(2 * time.Minute)
	if p, err := d.VerifyCode(ctx, id, d.lastCode(), Call{Key: "k", Body: "b"}); !errors.Is(err, ErrWrongCode) {
		t.Errorf("repeated after more than ten minutes: %+v, %v", p, err)
	}
	if got := d.get(id).Proof.Times; got != 1 {
		t.Errorf("the address was proven %d times", got)
	}
}

func TestAnOlderLinkWorksUntilOneIsSpent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mailing(asks(policy.Restriction))
	ctx := t.Context()
	first := d.linkToken(id, VerifyLink, d.get(id).Proof)
	d.pass(2 * time.Minute)
	if err := d.Resend(ctx, id); err != nil {
		t.Fatal(err)
	}
	second := d.linkToken(id, VerifyLink, d.get(id).Proof)
	if first == second {
		t.Fatal("the new mail has the old link")
	}
	if _, err := d.VerifyLink(ctx, first, Call{}); err != nil {
		t.Fatalf("the older link: %v", err)
	}
	if _, err := d.VerifyLink(ctx, first, Call{}); !errors.Is(err, ErrLinkGone) {
		t.Errorf("the older link once more: %v", err)
	}
	if _, err := d.VerifyLink(ctx, second, Call{Key: "s"}); err != nil {
		t.Errorf("the newer link: %v", err)
	}
	d.pass(2 * time.Minute)
	if err := d.Resend(ctx, id); err != nil {
		t.Fatal(err)
	}
	third := d.linkToken(id, VerifyLink, d.get(id).Proof)
	d.pass(2 * time.Minute)
	if err := d.Resend(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := d.VerifyLink(ctx, d.linkToken(id, VerifyLink, d.get(id).Proof), Call{}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.VerifyLink(ctx, third, Call{}); !errors.Is(err, ErrLinkGone) {
		t.Errorf("a link older than one that was spent: %v", err)
	}
}

func TestALinkThatManyRedeemAtOnceWorksOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mailing(asks(policy.Restriction))
	link := d.linkToken(id, VerifyLink, d.get(id).Proof)
	var mu sync.Mutex
	won := 0
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			_, err := d.VerifyLink(t.Context(), link, Call{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, ErrLinkGone) && !errors.Is(err, ErrBusy):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || d.get(id).Proof.Times != 1 {
		t.Errorf("%d won, and the address was proven %d times", won, d.get(id).Proof.Times)
	}
}

func TestResendKeepsItsPauseAndItsDay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.mailing(asks(policy.Access))
	ctx := t.Context()
	issued := func() int { return d.get(id).Proof.Issued }
	if err := d.Resend(ctx, id); err != nil || issued() != 1 {
		t.Errorf("at once: %v, generation %d", err, issued())
	}
	d.pass(d.Policy.Verification.ResendAfter)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := d.Resend(ctx, id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if issued() != 2 {
		t.Errorf("six calls at once led to generation %d", issued())
	}
	for range 20 {
		d.pass(2 * time.Minute)
		if err := d.Resend(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if got := issued(); got > d.Policy.Verification.MailsPerDay {
		t.Errorf("%d mails on one day, %d are allowed", got, d.Policy.Verification.MailsPerDay)
	}
	d.pass(24 * time.Hour)
	before := issued()
	if err := d.Resend(ctx, id); err != nil || issued() != before+1 {
		t.Errorf("on the next day: %v, generation %d", err, issued())
	}
	if err := d.Resend(ctx, "r-unknown"); err != nil {
		t.Errorf("an unknown request: %v", err)
	}
}

func TestWhoeverFloodsAnAddressReachesItAFewTimes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) { p.Verification.SubmitsPerHour = 1000 })
	for range 40 {
		id := d.submit(asks(policy.Access, func(s *Submission) { s.Call.Key = "" }))
		if err := d.Announce(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	first := len(d.post.mails)
	d.pass(31 * 24 * time.Hour)
	for range 5 {
		d.sweep()
		d.pass(3 * time.Minute)
	}
	if n, k := len(d.post.mails)-first, d.Policy.Verification.MailsPerDay; first > k || n > k {
		t.Errorf("%d mails on the first day and %d when the requests lapsed; %d a day are allowed", first, n, k)
	}
}

func TestANewAddressThatHadItsMailsHoldsUpNoOtherMail(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	next, _ := personal.ParseEmail("ada.new@example.org")
	for range d.Policy.Verification.MailsPerDay + 1 {
		if _, _, err := d.Keys.Contact(t.Context(), next.Identity(), d.now(), d.Policy.Verification.MailsPerDay); err != nil {
			t.Fatal(err)
		}
	}
	id := d.verified(asks(policy.Rectification, corrects("email", "ada.new@example.org")))
	for range 7 { // until the pauses are long
		d.sweep()
		d.pass(time.Hour)
	}
	if err := d.Resend(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	n := len(d.post.mails)
	for range 4 {
		d.sweep()
		d.pass(time.Minute)
	}
	if len(d.post.mails) == n {
		t.Error("a code that lives ten minutes waits for the mails of another address")
	}
	d.pass(24 * time.Hour)
	for range 8 {
		d.sweep()
		d.pass(time.Hour)
	}
	found := false
	for _, s := range d.post.subjects() {
		found = found || strings.HasPrefix(s, "ada.new@")
	}
	if !found {
		t.Errorf("the new address was never asked: %q", d.post.subjects())
	}
}

func TestTheNewAddressIsProvenByItsOwner(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	ctx := t.Context()
	id := d.verified(asks(policy.Rectification, corrects("email", " Ada.New@Example.org ", "name", "Ada Lovelace")))
	if _, err := d.Accept(ctx, handler, id, Call{}); !errors.Is(err, ErrUnproven) {
		t.Fatalf("accepted without the new address: %v", err)
	}
	link := d.linkToken(id, ConfirmLink, *d.get(id).NewAddress)
	for range 2 {
		if status, err := d.ConfirmAddress(ctx, link); err != nil || status != Open {
			t.Fatalf("%s, %v", status, err)
		}
	}
	if _, err := d.VerifyLink(ctx, link, Call{}); !errors.Is(err, ErrBadToken) {
		t.Errorf("its link as the other: %v", err)
	}
	if _, err := d.Accept(ctx, handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	r := d.ends(id)
	if r.Status != Fulfilled || d.shop.things[0].fields["email"] != "ada.new@example.org" || d.shop.things[0].fields["name"] != "Ada Lovelace" {
		t.Errorf("it is %s, and the shop has %v", r.Status, d.shop.things[0].fields)
	}
}

// Where nobody is written to, an operator who is sure may say whose address it is. Where
// the owner can be asked, nobody else is.
func TestAnOperatorVouchesForANewAddressOnlyWithoutMail(t *testing.T) {
	t.Parallel()
	for _, without := range []bool{false, true} {
		d := furnished(t)
		ctx := t.Context()
		d.NoMail = without
		id := d.submit(asks(policy.Rectification, corrects("email", "ada.new@example.org")))
		if _, err := d.VouchForAddress(ctx, handler, id, "too early", Call{}); !errors.Is(err, ErrNotNow) {
			t.Errorf("before the person is known: %v", err)
		}
		if _, err := d.VerifyByOperator(ctx, handler, id, "at the counter", Call{Key: "v"}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.VouchForAddress(ctx, handler, id, " ", Call{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("without a reason: %v", err)
		}
		for range 2 {
			_, err := d.VouchForAddress(ctx, handler, id, "the app asked its owner", Call{Key: "a"})
			if errors.Is(err, ErrNotNow) == without || err != nil && without {
				t.Errorf("without mail %v: %v", without, err)
			}
		}
		if proven := d.get(id).NewAddress.Proven(); proven != without {
			t.Errorf("without mail %v: proven %v", without, proven)
		}
		if told := d.told(id); without && !strings.HasPrefix(told[len(told)-1], "confirm by=operator reason=") {
			t.Errorf("the audit tells\n%s", strings.Join(told, "\n"))
		}
		if _, err := d.Accept(ctx, handler, id, Call{}); (err == nil) != without {
			t.Errorf("without mail %v: %v", without, err)
		}
	}
}

func TestARequestTakenInLateCanStillBeVerified(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.submit(asks(policy.Restriction, func(s *Submission) {
		s.By, s.Channel, s.Received = handler.Actor(), "post", d.clock().AddDate(0, 0, -45)
	}))
	for range 3 {
		d.sweep()
		d.pass(10 * time.Minute)
	}
	if r := d.get(id); r.Status != Unverified {
		t.Fatalf("half an hour after an old letter was taken in, its request is %s", r.Status)
	}
	if _, err := d.VerifyByOperator(t.Context(), handler, id, "passport seen", Call{Key: "v"}); err != nil {
		t.Fatal(err)
	}
	d.sweep()
	if r := d.get(id); !r.IsOverdue(d.clock()) || r.Status.Final() {
		t.Errorf("it is %s, overdue %t", r.Status, r.IsOverdue(d.clock()))
	}
	if _, err := d.VerifyByOperator(t.Context(), handler, id, "once more", Call{}); !errors.Is(err, ErrNotNow) {
		t.Errorf("verified twice: %v", err)
	}
}

func TestSubmitNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tests := map[string]struct {
		right  policy.Right
		change func(*Submission)
		want   []string
	}{
		"no address":              {policy.Access, func(s *Submission) { s.Person.Email = personal.Email{} }, []string{"/person/email"}},
		"a claim without a value": {policy.Access, func(s *Submission) { s.Person.Claims = []personal.Identity{personal.MakeIdentity("account", " ")} }, []string{"/person/identities/0"}},
		"a claim without a type":  {policy.Access, func(s *Submission) { s.Person.Claims = []personal.Identity{personal.MakeIdentity("", "a-1")} }, []string{"/person/identities/0"}},
		"too many claims":         {policy.Access, func(s *Submission) { s.Person.Claims = make([]personal.Identity, 21) }, []string{"/person/identities"}},
		"too much text":           {policy.Access, func(s *Submission) { s.Person.Details = personal.MakeText(strings.Repeat("x", maxText+1)) }, []string{""}},
		"too much of a type": {policy.Access, func(s *Submission) {
			s.Person.Claims = []personal.Identity{personal.MakeIdentity(personal.Kind(strings.Repeat("x", maxText)), "1")}
		}, []string{""}},
		"a correction without a field":     {policy.Rectification, corrects("", "x"), []string{"/corrections/0/field"}},
		"a new address that is none":       {policy.Rectification, corrects("email", "ada"), []string{"/corrections/0/value"}},
		"nothing to correct":               {policy.Rectification, func(*Submission) {}, []string{"/corrections"}},
		"corrections with another right":   {policy.Access, corrects("name", "Ada"), []string{"/corrections"}},
		"a field twice, one not confirmed": {policy.Rectification, corrects("email", "a@example.org", "email", "b@example.org"), []string{"/corrections/1/field"}},
		"tomorrow":                         {policy.Access, func(s *Submission) { s.Received = d.clock().Add(time.Hour) }, []string{"/received_at"}},
		"long ago":                         {policy.Access, func(s *Submission) { s.Received = d.clock().AddDate(-2, 0, 0) }, []string{"/received_at"}},
		"two things at once":               {policy.Rectification, func(s *Submission) { s.Person.Email = personal.Email{} }, []string{"/person/email", "/corrections"}},
		"a residence that is an address":   {policy.Access, func(s *Submission) { s.Residence = "ADA@EXAMPLE.ORG" }, []string{"/residence"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := d.Submit(t.Context(), asks(tt.right, tt.change))
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != fault.Invalid {
				t.Fatalf("err = %v, want a refusal", err)
			}
			named := map[string]bool{}
			for _, field := range f.Fields {
				named[field.Pointer] = true
				if strings.Contains(field.Text, "EXAMPLE") {
					t.Errorf("the refusal repeats what was sent: %q", field.Text)
				}
			}
			for _, want := range tt.want {
				if !named[want] {
					t.Errorf("%v are named, %q is not", named, want)
				}
			}
		})
	}
	if _, err := d.Submit(t.Context(), asks("forgetting")); !errors.Is(err, ErrNotOffered) {
		t.Errorf("a right that nobody has: %v", err)
	}
	if _, err := d.Submit(t.Context(), asks(policy.Access, func(s *Submission) { s.Person.Details = personal.MakeText(strings.Repeat("é", maxText-10)) })); err != nil {
		t.Errorf("characters are counted, not bytes: %v", err)
	}
}

func TestASubmissionThatIsRepeatedMakesOneRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	first, err := d.Submit(ctx, asks(policy.Access))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.VerifyLink(ctx, d.linkToken(first.ID, VerifyLink, d.get(first.ID).Proof), Call{}); err != nil {
		t.Fatal(err)
	}
	d.pass(time.Hour)
	again, err := d.Submit(ctx, asks(policy.Access))
	if err != nil || again.ID != first.ID || again.Status != Unverified || !again.RespondBy.Equal(first.RespondBy) || !again.Received.Equal(first.Received) {
		t.Errorf("repeated: %+v, %v; want %+v", again, err, first)
	}
	if _, err := d.Submit(ctx, asks(policy.Access, func(s *Submission) { s.Call.Body = "other" })); !errors.Is(err, ErrReplay) {
		t.Errorf("the same key with another body: %v", err)
	}
	other, _ := personal.ParseEmail("grace@example.net")
	rec, err := d.Submit(ctx, asks(policy.Access, func(s *Submission) { s.Person.Email = other }))
	if err != nil || rec.ID == first.ID {
		t.Errorf("the same key of somebody else: %+v, %v", rec, err)
	}
	if a, b := d.submit(asks(policy.Erasure, func(s *Submission) { s.Call.Key = "" })), d.submit(asks(policy.Erasure, func(s *Submission) { s.Call.Key = "" })); a == b {
		t.Error("without a key, two submissions are one request")
	}
}

func TestKnownAndUnknownPeopleLookAlike(t *testing.T) {
	t.Parallel()
	d := furnished(t)
	cost := func(email string) []string {
		d.trouble.log = nil
		e, _ := personal.ParseEmail(email)
		rec, err := d.Submit(t.Context(), asks(policy.Access, func(s *Submission) { s.Person.Email = e }))
		if err != nil || rec.Status != Unverified {
			t.Fatal(rec, err)
		}
		if err := d.Announce(t.Context(), rec.ID); err != nil {
			t.Fatal(err)
		}
		return d.trouble.log
	}
	known, unknown := cost(ada), cost("nobody@example.com")
	if strings.Join(known, ",") != strings.Join(unknown, ",") {
		t.Errorf("calls for a customer %v, for a stranger %v", known, unknown)
	}
}

// Who asks for another mail just before the request would lapse can use it, but for
// the day on which the law wants an answer.
func TestALinkWorksAsLongAsItsMailSays(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(Request) time.Time{
		"before it lapses":            func(r Request) time.Time { return r.LapseAt },
		"before it is to be answered": func(r Request) time.Time { return r.RespondBy },
	} {
		d := newDesk(t)
		id := d.submit(asks(policy.Access))
		again := func() Request {
			t.Helper()
			if err := d.Resend(d.ctx(), id); err != nil {
				t.Fatal(err)
			}
			d.announce(id)
			return d.get(id)
		}
		d.pass(d.get(id).LapseAt.Sub(d.clock()) - 2*time.Hour)
		again()
		d.pass(before(d.get(id)).Sub(d.clock()) - time.Hour)
		r := again()
		end := r.Proof.IssuedAt.Add(d.Policy.Verification.LinkPeriod)
		if r.LapseAt.Before(end) {
			if end = r.LapseAt; !end.Equal(r.RespondBy) {
				t.Errorf("%s: it lapses at %s, and is answered by %s", name, end, r.RespondBy)
			}
		}
		letter := strings.Join(strings.Fields(d.post.mails[len(d.post.mails)-1].Text.Reveal()), " ")
		if !strings.Contains(letter, "The link works until "+end.In(d.Zone()).Format("2 January 2006, 15:04")) || r.LapseAt.After(r.RespondBy) {
			t.Errorf("%s: it lapses at %s, is answered by %s, and the letter says %s", name, r.LapseAt, r.RespondBy, letter)
		}
		d.pass(end.Sub(d.clock()) - time.Minute)
		d.sweep()
		if _, err := d.VerifyLink(d.ctx(), d.linkToken(id, VerifyLink, r.Proof), Call{}); err != nil {
			t.Errorf("%s: a minute before the link's end: %v", name, err)
		}
	}
}
