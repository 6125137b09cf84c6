package job_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/job"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// postOffice is a mail service that takes every letter and now and then loses its
// own answer: whoever asked must send again.
type postOffice struct {
	mu    sync.Mutex
	taken map[string]int // by idempotency key, how often a letter was taken
	lost  map[string]int // of these, how often the answer was lost
	every int            // one answer in so many is lost, once a letter; 0: none
	n     int
}

func (p *postOffice) Send(_ context.Context, m mail.Message, key string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := m.Valid(); err != nil {
		return err
	}
	p.taken[key]++
	if p.n++; p.every > 0 && p.n%p.every == 0 && p.lost[key] == 0 {
		p.lost[key]++
		return fmt.Errorf("%w: the answer is lost", mail.ErrLater)
	}
	return nil
}

// forget empties the office, so that only what follows is counted.
func (p *postOffice) forget(every int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken, p.lost, p.every = map[string]int{}, map[string]int{}, every
}

// outage is a desk with many clocks, whose time is turned by the test.
type outage struct {
	*request.Service
	t     *testing.T
	mu    sync.Mutex
	at    time.Time
	jobs  map[string]job.Set
	store table.Table
	post  *postOffice
}

func (o *outage) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.at
}

func (o *outage) turn(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = o.at.Add(d)
}

func newOutage(t *testing.T) *outage {
	t.Helper()
	file, err := os.ReadFile("../request/testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pol, err := policy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	o := &outage{t: t, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), post: &postOffice{}}
	o.post.forget(0)
	o.store = tabletest.Embedded(t, o.now)
	o.Service = &request.Service{
		Table: o.store, Keys: seal.Keys{Ring: seal.NewRing(), Table: o.store}, Policy: pol, Now: o.now,
		BaseURL: "https://desk.example.org", Mail: o.post, Log: slog.New(slog.DiscardHandler),
	}
	o.Digest = &digest.Book{Table: o.store, Now: o.now, Policy: pol, Mail: o.post, BaseURL: o.BaseURL}
	o.jobs = job.Jobs(joined(o.Service, &consent.Service{}))
	return o
}

// schedules runs what the schedules run, until nothing is left to do.
func (o *outage) schedules() {
	o.t.Helper()
	for range 12 {
		for _, run := range []struct{ fn, job string }{{"deadlines", "clocks"}, {"relay", "announcements"}} {
			if _, err := o.jobs[run.fn][run.job](o.t.Context()); err != nil {
				o.t.Fatalf("%s: %v", run.job, err)
			}
		}
		o.turn(5 * time.Minute) // whatever failed has its pause
	}
}

// entries are the audit entries of a request with an action.
func (o *outage) entries(id request.ID, action request.Action) (found []audit.Entry) {
	o.t.Helper()
	o.eachItem(table.Audit, id.Chain(), func(item table.Item) {
		e, err := audit.Decode(item.Body)
		if err != nil {
			o.t.Fatal(err)
		}
		if e.Action == string(action) {
			found = append(found, e)
		}
	})
	return found
}

// eachItem visits the items of a partition.
func (o *outage) eachItem(of table.Name, partition string, visit func(table.Item)) {
	o.t.Helper()
	for cursor := ""; ; {
		page, err := o.store.Query(o.t.Context(), table.Query{Table: of, Partition: partition, Cursor: cursor})
		if err != nil {
			o.t.Fatal(err)
		}
		for _, item := range page.Items {
			visit(item)
		}
		if cursor = page.Cursor; cursor == "" {
			return
		}
	}
}

func fact(e audit.Entry, name string) string {
	for _, f := range e.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// TestAnOutageOfTwoDaysLosesNoReminder lets 10,000 clocks come due while no
// schedule runs for 48 hours: half are people to be reminded to confirm, half are
// requests whose dates come near or pass. Afterwards each reminder was given once.
// Where the mail service lost its answer a letter may have been taken twice, and
// then the timeline says so.
func TestAnOutageOfTwoDaysLosesNoReminder(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	ctx := t.Context()
	who := operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	submit := func(n int, right policy.Right) request.ID {
		email, ok := personal.ParseEmail(fmt.Sprintf("p%d@example.org", n))
		if !ok {
			t.Fatal("the address cannot be used")
		}
		rec, err := o.Submit(ctx, request.Submission{Right: right, Residence: "FR", Person: request.Person{Email: email}, Locale: "en"})
		if err != nil {
			t.Fatal(err)
		}
		return rec.ID
	}
	// Received on 2 March, answered by 2 April: safe on 2 April, a Thursday.
	var dated, unconfirmed []request.ID
	for n := range clocks / 2 {
		id := submit(n, policy.Restriction)
		if _, err := o.VerifyByOperator(ctx, who, id, "seen", request.Call{}); err != nil {
			t.Fatal(err)
		}
		dated = append(dated, id)
	}
	o.schedules() // the first letters, and the digest of new requests
	o.turn(time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC).Sub(o.now()))
	o.schedules() // T-7 and T-3 are given in time
	for n := range clocks / 2 {
		unconfirmed = append(unconfirmed, submit(clocks+n, policy.Access))
	}
	o.schedules()

	// The outage: T-1, the date itself and 5,000 reminders to confirm come due in it.
	o.post.forget(97) // one answer in so many is lost
	o.turn(50 * time.Hour)
	began := time.Now()
	o.schedules()
	o.turn(24 * time.Hour) // past the daily digest
	o.schedules()
	t.Logf("%d clocks after 48 hours: %s", clocks, time.Since(began).Round(time.Millisecond))

	twice, lost := 0, 0
	for key, n := range o.post.taken {
		switch {
		case n > 2, n == 2 && o.post.lost[key] == 0:
			t.Errorf("a letter was taken %d times, and %d answers about it were lost", n, o.post.lost[key])
		case n == 2:
			twice++
		}
		lost += o.post.lost[key]
	}
	if lost == 0 || twice != lost {
		t.Errorf("%d answers were lost, and %d letters taken twice", lost, twice)
	}
	said := 0
	for _, id := range dated {
		marks := map[string]int{}
		for _, e := range slices.Concat(o.entries(id, request.Remind), o.entries(id, request.Overrun)) {
			for m := range strings.SplitSeq(fact(e, "of"), ",") {
				marks[m]++
			}
		}
		for _, m := range []digest.Why{digest.SevenDays, digest.ThreeDays, digest.OneDay, digest.Overdue} {
			if marks[string(m)] != 1 {
				t.Fatalf("%s was given %d times: %v", m, marks[string(m)], marks)
			}
		}
		said += len(o.entries(id, request.Said))
	}
	for _, id := range unconfirmed {
		if n := len(o.entries(id, request.Remind)); n != 1 {
			t.Fatalf("a person was reminded %d times to confirm", n)
		}
		said += len(o.entries(id, request.Said))
	}
	// Each mark stands in one line of one digest, and what is overdue in one more, to
	// the policy's contact.
	lines := map[string]int{}
	digests := o.eachLine(func(to digest.Audience, l digest.Line) {
		for _, why := range l.Why {
			lines[string(to)+" "+l.Request+" "+string(why)]++
		}
	}, func(e audit.Entry) {
		if fact(e, "tries") > "1" {
			said++
		}
	})
	for _, id := range dated {
		for _, want := range []string{"operators %s T-7", "operators %s T-3", "operators %s T-1", "operators %s overdue", "contact %s overdue"} {
			if n := lines[fmt.Sprintf(want, id)]; n != 1 {
				t.Fatalf(want+" stands in %d lines", id, n)
			}
		}
	}
	if said != twice {
		t.Errorf("%d letters were taken twice, and %d timelines say so", twice, said)
	}
	t.Logf("%d letters, %d answers lost, %d timelines say so; %d digests with %d reasons", len(o.post.taken), lost, said, digests, len(lines))
}

// eachLine visits the lines and the audit entries of every digest.
func (o *outage) eachLine(line func(digest.Audience, digest.Line), entry func(audit.Entry)) (digests int) {
	o.t.Helper()
	_, err := table.WalkDue(o.t.Context(), o.store, "", time.Time{}, func(k table.Key) error {
		if !digest.IsKey(k) {
			return nil
		}
		digests++
		to := digest.Audience(strings.Split(k.Partition, "#")[1])
		o.eachItem(table.State, k.Partition, func(item table.Item) {
			if item.Key.Sort == "-" {
				return
			}
			var l digest.Line
			if err := json.Unmarshal(item.Body, &l); err != nil {
				o.t.Fatal(err)
			}
			line(to, l)
		})
		o.eachItem(table.Audit, k.Partition, func(item table.Item) {
			e, err := audit.Decode(item.Body)
			if err != nil {
				o.t.Fatal(err)
			}
			entry(e)
		})
		return nil
	}, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return digests
}
