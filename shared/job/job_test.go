package job_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/job"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
	"rightsdesk/shared/topology"
)

// desk is a service with n requests that are due for their first mail.
func requests(t *testing.T, n int) *request.Service {
	t.Helper()
	file, err := os.ReadFile("../request/testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pol, err := policy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	store := tabletest.Embedded(t, now)
	s := &request.Service{Table: store, Keys: seal.Keys{Ring: seal.NewRing(), Table: store}, Policy: pol, Now: now}
	email, _ := personal.ParseEmail("ada@example.org")
	for range n {
		if _, err := s.Submit(t.Context(), request.Submission{Right: policy.Access, Residence: "FR", Person: request.Person{Email: email}}); err != nil {
			t.Fatal(err)
		}
	}
	at = at.Add(time.Hour)
	return s
}

// joined is a desk with services that a test has made itself.
func joined(s *request.Service, c *consent.Service) *desk.Desk {
	return &desk.Desk{
		Ground:   desk.Ground{Table: s.Table, Policy: s.Policy, Now: s.Now, Log: slog.New(slog.DiscardHandler)},
		Requests: s, Consents: c, Digest: s.Digest, Bulletin: &bulletin.Publisher{},
	}
}

func TestOneThatFailsKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	s := requests(t, 5)
	seen := map[request.ID]int{}
	rep, err := job.Sweep(s.Table, s.Now, slog.New(slog.DiscardHandler), job.Requests(func(_ context.Context, id request.ID) error {
		if seen[id]++; len(seen) == 2 {
			return errors.New("this one fails")
		}
		return nil
	}))(t.Context())
	if err != nil || rep.Seen != 5 || rep.Failed != 1 || len(seen) != 5 {
		t.Errorf("%+v, %v; %d were looked at", rep, err, len(seen))
	}
}

func TestARunThatIsOutOfTimeStops(t *testing.T) {
	t.Parallel()
	s := requests(t, 5)
	ctx, cancel := context.WithCancel(t.Context())
	rep, err := job.Sweep(s.Table, s.Now, slog.New(slog.DiscardHandler), job.Requests(func(context.Context, request.ID) error {
		cancel()
		return nil
	}))(ctx)
	if !errors.Is(err, context.Canceled) || rep.Seen != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestOneSweepServesEveryKind(t *testing.T) {
	t.Parallel()
	s := requests(t, 5)
	book := &digest.Book{Table: s.Table, Now: s.Now, Policy: s.Policy}
	early := digest.Book{Table: s.Table, Now: func() time.Time { return s.Now().Add(-48 * time.Hour) }, Policy: s.Policy}
	for _, to := range []digest.Audience{digest.Operators, digest.Contact} { // one is due, one is not
		writes, err := early.Note(t.Context(), to, digest.Line{Request: "r1", Why: []digest.Why{digest.New}})
		if err == nil {
			err = s.Table.Commit(t.Context(), table.NewID(), writes...)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := book.Note(t.Context(), to, digest.Line{Request: "r1", Why: []digest.Why{digest.New}}); err != nil {
			t.Fatal(err)
		}
	}
	requests, digests := map[request.ID]int{}, map[table.Key]int{}
	rep, err := job.Sweep(s.Table, s.Now, slog.New(slog.DiscardHandler),
		job.Requests(func(_ context.Context, id request.ID) error { requests[id]++; return nil }),
		job.Digests(func(_ context.Context, k table.Key) error { digests[k]++; return errors.New("this one fails") }),
		job.Requests(func(context.Context, request.ID) error { return errors.New("it was taken before") }),
	)(t.Context())
	if err != nil || rep.Seen != 7 || rep.Failed != 2 || len(requests) != 5 || len(digests) != 2 {
		t.Errorf("%+v, %v; %d requests and %d digests", rep, err, len(requests), len(digests))
	}
	rep, err = job.Sweep(s.Table, s.Now, slog.New(slog.DiscardHandler), job.Requests(func(context.Context, request.ID) error { return nil }))(t.Context())
	if err != nil || rep.Seen != 5 {
		t.Errorf("of requests alone: %+v, %v", rep, err)
	}
}

// What people chose is due in the same index, and each of the three jobs does its part of it.
func TestJobsServeWhatPeopleChose(t *testing.T) {
	t.Parallel()
	s := requests(t, 2)
	at := s.Now()
	c := &consent.Service{Table: s.Table, Keys: s.Keys, Policy: s.Policy, Now: s.Now}
	email, _ := personal.ParseEmail("grace@example.net")
	if err := c.MailLink(t.Context(), email, "en", ""); err != nil {
		t.Fatal(err)
	}
	later := func() time.Time { return at.Add(time.Hour) }
	var seen []table.Key
	rep, err := job.Sweep(s.Table, later, slog.New(slog.DiscardHandler),
		job.Requests(func(context.Context, request.ID) error { return nil }),
		job.Consents(func(_ context.Context, k table.Key) error {
			seen = append(seen, k)
			return errors.New("this one fails")
		}),
	)(t.Context())
	if err != nil || rep.Seen != 3 || rep.Failed != 1 || len(seen) != 1 || !consent.IsKey(seen[0]) {
		t.Errorf("%+v, %v; %v", rep, err, seen)
	}
	box := &postbox{}
	c.Mail, s.Mail = box, box
	c.BaseURL, s.BaseURL = "https://desk.example.org", "https://desk.example.org"
	s.Digest = &digest.Book{Table: s.Table, Now: s.Now, Policy: s.Policy, Mail: box}
	s.Now, c.Now = later, later
	jobs := job.Jobs(joined(s, c))
	for _, name := range [][2]string{{"fulfil", "steps"}, {"deadlines", "clocks"}, {"relay", "announcements"}} {
		if rep, err := jobs[name[0]][name[1]](t.Context()); err != nil || rep.Failed != 0 || rep.Seen != 3 {
			t.Errorf("%s: %+v, %v", name[0], rep, err)
		}
	}
	if box.to["grace@example.net"] != 1 {
		t.Errorf("mails: %v", box.to)
	}
}

// postbox counts mails by whom they are for.
type postbox struct{ to map[string]int }

func (p *postbox) Send(_ context.Context, m mail.Message, _ string) error {
	if p.to == nil {
		p.to = map[string]int{}
	}
	p.to[m.To.Reveal()]++
	return nil
}

func TestEveryScheduleHasItsJob(t *testing.T) {
	t.Parallel()
	jobs := job.Jobs(joined(requests(t, 0), &consent.Service{}))
	n := 0
	for _, fn := range topology.All {
		for _, s := range fn.Schedules {
			if n++; jobs[fn.Name][s.Job] == nil {
				t.Errorf("%s has no job %s", fn.Name, s.Job)
			}
		}
	}
	for _, set := range jobs {
		n -= len(set)
	}
	if n != 0 {
		t.Errorf("%d jobs too many or too few", n)
	}
}
