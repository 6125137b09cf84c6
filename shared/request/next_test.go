package request

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// acts reports whether something is still to happen to r, and the earliest
// instant at which a sweep would do it. It is written from what Announce, Work
// and Tick do, not from Next.
func acts(r Request) (at time.Time, ok bool) {
	offer := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	if len(r.Announcements) > 0 {
		told := r.Since
		if told.IsZero() {
			told = r.Closed
		}
		offer(later(told.Add(relayWithin), r.Relay.After))
	}
	if r.Status == Unverified {
		offer(r.LapseAt)
		if remind := r.Proof.IssuedAt.Add(24 * time.Hour); r.Proof.Issued == 1 && remind.Before(r.LapseAt) {
			offer(remind)
		}
	}
	if r.Status == Open || r.Status == InProgress {
		if !r.Paused && r.RespondBy.After(r.Reminded) {
			offer(r.RespondBy.Add(time.Second))
		}
		if d := r.Messages; d.Asked > d.Answered && !d.Nudge.IsZero() {
			offer(d.Nudge)
		}
		if waits := r.waits(); len(waits) > 0 && len(r.Told) == 0 {
			offer(r.Since.Add(time.Hour))
		}
	}
	for _, a := range r.Messages.Attached {
		offer(a.Until)
		if r.Status.Final() {
			offer(r.Closed.Add(stragglers))
		}
	}
	if u, can := r.unit(); can {
		offer(later(later(u.at, r.Lease.Until), r.Since))
	}
	if r.Status.Final() && r.Parts {
		if r.Package != nil {
			offer(r.Package.Until)
		} else {
			offer(r.Closed.Add(stragglers))
		}
	}
	if r.Status.Final() {
		offer(r.Forget)
	}
	return at, ok
}

// anyRequest is a request in some state, whether or not a run would lead there.
func anyRequest(rnd *rand.Rand) Request {
	base := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	when := func() time.Time { return base.Add(time.Duration(rnd.IntN(60*24*60)) * time.Minute) }
	maybe := func() time.Time {
		if rnd.IntN(2) == 0 {
			return time.Time{}
		}
		return when()
	}
	states := []State{Planned, Working, Looking, Waiting, Failed, Done, Nothing, Kept, Told}
	verbs := []StepVerb{DoExport, DoTell, DoDelete, DoAnonymise, DoCorrect, DoKeep, DoRefer, DoRefuse, DoByHand, DoChoose}
	r := Request{
		ID: "r1", Right: policy.AllRights[rnd.IntN(len(policy.AllRights))], Status: Statuses[rnd.IntN(len(Statuses))],
		Received: base, RespondBy: when(), LapseAt: when(), Since: when(), Start: maybe(),
		Overdue: rnd.IntN(2) == 0, Automatic: rnd.IntN(2) == 0, Parts: rnd.IntN(3) == 0,
	}
	if rnd.IntN(3) == 0 {
		r.Package = &Package{Key: "r1/package.zip", Until: when()}
	}
	if rnd.IntN(3) == 0 {
		r.NewAddress = &Proof{Times: rnd.IntN(2), At: maybe()}
	}
	if rnd.IntN(3) == 0 {
		r.Lease = Lease{Token: "w", Until: when()}
	}
	for range rnd.IntN(3) {
		r.Looks = append(r.Looks, Look{State: []State{Planned, Working, Done, Failed}[rnd.IntN(4)], Attempts: Attempts{After: maybe()}})
	}
	for range rnd.IntN(4) {
		r.Steps = append(r.Steps, Step{Verb: verbs[rnd.IntN(len(verbs))], State: states[rnd.IntN(len(states))], Attempts: Attempts{After: maybe()}})
	}
	r.SafeBy = r.RespondBy.AddDate(0, 0, -rnd.IntN(4))
	r.Proof = Proof{Issued: rnd.IntN(3), IssuedAt: when()}
	if rnd.IntN(2) == 0 {
		r.Reminded = when()
	}
	if rnd.IntN(3) == 0 {
		r.Stops = []law.Stop{{Cause: law.Clarification, Asked: when()}}
		r.Paused = rnd.IntN(2) == 0
	}
	if rnd.IntN(3) == 0 {
		r.Messages = Dialogue{N: 2, Asked: rnd.IntN(3), Answered: rnd.IntN(3), Nudge: maybe()}
	}
	if rnd.IntN(3) == 0 {
		r.Messages.Attached = []Attached{{Until: when()}, {Message: 1, Until: when()}}
	}
	if rnd.IntN(3) == 0 {
		r.Told = r.waits()
	}
	if rnd.IntN(3) == 0 {
		r.Announcements = []Announcement{{Seq: 1, Kind: mail.Verify}}
		if rnd.IntN(2) == 0 {
			r.Relay.After = when()
		}
	}
	if r.Status.Final() {
		r.Closed, r.Lease, r.Since = when(), Lease{}, time.Time{}
		r.Forget = r.Closed.AddDate(2, 0, 0)
	}
	if rnd.IntN(2) == 0 {
		r.filed = when()
	}
	return r
}

func TestNothingThatIsStillToHappenIsForgotten(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		r := anyRequest(rnd)
		next := r.Next()
		if next.IsZero() {
			t.Fatalf("a request that is %s is in no index: %+v", r.Status, r)
		}
		if at, ok := acts(r); ok && next.After(at) {
			t.Fatalf("Next is %s, and at %s something is to happen: %+v", next, at, r)
		}
		if filed := r.file(); filed.IsZero() || filed.After(next) {
			t.Fatalf("filed under %s, but next is %s: %+v", filed, next, r)
		}
	}
}

func TestAnEntryOfTheIndexIsMovedOnlyIfThatPays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	tests := map[string]struct{ filed, next, want time.Time }{
		"a new item is filed under next":       {time.Time{}, at, at},
		"a little too early stays":             {at.Add(-nearEnough), at, at.Add(-nearEnough)},
		"much too early moves":                 {at.Add(-nearEnough - time.Second), at, at},
		"too late always moves":                {at.Add(time.Second), at, at},
		"where it belongs, it stays of course": {at, at, at},
	}
	for name, tt := range tests {
		r := Request{Status: Unverified, LapseAt: tt.next, filed: tt.filed}
		if got := r.file(); !got.Equal(tt.want) {
			t.Errorf("%s: filed under %s, want %s", name, got, tt.want)
		}
	}
}

// An overdue request that waits for an operator is the last one that may get out
// of sight.
func TestAnOverdueRequestStaysOnTheList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.verified(asks(policy.Restriction))
	d.sweep()
	d.pass(d.get(id).RespondBy.Sub(d.clock()) + time.Hour)
	d.sweep()
	if r := d.get(id); !r.Overdue || r.Status != Open {
		t.Fatalf("it is %s, overdue %t", r.Status, r.Overdue)
	}
	list, _, err := d.List(t.Context(), handler, Filter{})
	if err != nil || len(list) != 1 || !list[0].Overdue {
		t.Errorf("List = %+v, %v; want the overdue request", list, err)
	}
	d.chains()
	v, err := d.VerifyAudit(t.Context(), handler, "")
	if err != nil || v.Chains != 3 || len(v.Broken) > 0 { // its own, and those of the digests that tell of it
		t.Errorf("%d chains were verified, %v, %v; want 3", v.Chains, v.Broken, err)
	}
}

// An alarm of infra/stack listens to the line, by the field that is looked for here.
func TestOverdueIsSaidInTheLog(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var log bytes.Buffer
	d.Log = slog.New(slog.NewJSONHandler(&log, nil))
	id := d.verified(asks(policy.Restriction))
	late := d.get(id).RespondBy
	said := func(at time.Time) (found bool) {
		t.Helper()
		log.Reset()
		d.pass(at.Sub(d.clock()))
		d.sweep()
		for line := range strings.Lines(log.String()) {
			var v struct {
				Overdue bool
				Request string
			}
			found = found || json.Unmarshal([]byte(line), &v) == nil && v.Overdue && v.Request == string(id)
		}
		return found
	}
	for _, tt := range []struct {
		at   time.Time
		want bool
	}{{late.Add(-time.Minute), false}, {late.Add(time.Hour), true}, {late.Add(2 * aDay), false}, {late.Add(8 * aDay), true}} {
		if found := said(tt.at); found != tt.want {
			t.Errorf("%s after the date it is said: %t, want %t", tt.at.Sub(late), found, tt.want)
		}
	}
}

func TestTheListIsCompleteUnderShortPages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Table = &shortPages{Table: d.Table}
	d.Policy.Verification.SubmitsPerHour, d.Policy.Verification.MailsPerDay = 1000, 20
	want := map[ID]bool{}
	for i := range 70 {
		want[d.submit(asks(policy.Restriction, func(s *Submission) { s.Call.Key = string(rune('a'+i)) + "-key" }))] = true
	}
	got, pages := map[ID]int{}, 0
	for cursor := ""; ; pages++ {
		list, next, err := d.List(t.Context(), handler, Filter{Cursor: cursor, Limit: 7})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			got[l.ID]++
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	for id := range want {
		if got[id] != 1 {
			t.Errorf("%s is listed %d times", id, got[id])
		}
	}
	if len(got) != len(want) || pages < 3 {
		t.Errorf("%d requests on %d pages, want %d", len(got), pages, len(want))
	}
	for _, bad := range []string{"x", "16.", "-1.", "0.garbage", "3.AQEAAA"} {
		if _, _, err := d.List(t.Context(), handler, Filter{Cursor: bad}); !invalid(err) {
			t.Errorf("the cursor %q: %v, want a refusal that names it", bad, err)
		}
	}
	_ = table.DueShards
}
