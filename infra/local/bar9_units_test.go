package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// TestBar9_UnitsPerOperation measures what the journey of a reference submission
// (a name, an address, no details) costs on DynamoDB, as the emulator bills it
// and as our own rules do, and holds each operation to its budget.
func TestBar9_UnitsPerOperation(t *testing.T) {
	t.Parallel()
	engines := map[string]func(*testing.T, func() time.Time) table.Table{
		"embedded": func(t *testing.T, now func() time.Time) table.Table {
			t.Helper()
			return tabletest.Embedded(t, now)
		},
		"dynamo": func(t *testing.T, now func() time.Time) table.Table {
			t.Helper()
			return tabletest.Dynamo(t, tabletest.Emulator(t), now)
		},
	}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			units(t, name, engine)
		})
	}
}

// budget is what an operation may cost at most.
type budget struct{ write, read float64 }

func units(t *testing.T, engine string, open func(*testing.T, func() time.Time) table.Table) {
	t.Helper()
	w := quietWorld(t, open)
	s := w.Requests
	byTeam(w)
	total := table.Units{}
	measure := func(what string, b budget, do func(context.Context) error) {
		t.Helper()
		var m table.Meter
		if err := do(table.WithMeter(t.Context(), &m)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		u := m.Total()
		total.Read += u.Read
		total.Write += u.Write
		fmt.Printf("PROOF bar 9: %-8s %-34s %4g W %4g R   budget %g / %g\n", engine, what, u.Write, u.Read, b.write, b.read)
		if u.Write > b.write || u.Read > b.read {
			t.Errorf("%s costs %g W and %g R, over its budget of %g and %g:\n%s", what, u.Write, u.Read, b.write, b.read, m.String())
		}
	}
	email, _ := personal.ParseEmail("ada.reference@example.org")
	sub := request.Submission{
		Right: policy.Erasure, Residence: "FR", Locale: "en", From: "192.0.2.1",
		Person: request.Person{Email: email, Name: personal.MakeText("Ada Reference")},
		Call:   request.Call{Key: "k1", Body: "b"},
	}
	var rec request.Receipt
	measure("submit", budget{8, 0}, func(ctx context.Context) (err error) {
		rec, err = s.Submit(ctx, sub)
		return err
	})
	item, err := s.Table.Get(t.Context(), rec.ID.Ref())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("PROOF bar 9: %-8s the stored request has %d bytes of 1024\n", engine, item.Size())
	measure("relay of the first mail", budget{3, 3}, func(ctx context.Context) error { return s.Announce(ctx, rec.ID) })
	measure("forged link", budget{0, 0}, func(ctx context.Context) error {
		_, err := s.VerifyLink(ctx, string(rec.ID)+".v.1.zzzzzz.00000000000000000000000000", request.Call{})
		return refused(err)
	})
	measure("wrong code", budget{1, 0}, func(ctx context.Context) error {
		_, err := s.VerifyCode(ctx, rec.ID, "x", request.Call{})
		return refused(err)
	})
	link := s.Mint(request.Token{ID: rec.ID, Verb: request.VerifyLink, N: 1, Until: w.Clock.Now().Add(time.Hour)})
	measure("verify by link", budget{6, 1}, func(ctx context.Context) error {
		_, err := s.VerifyLink(ctx, link, request.Call{})
		return err
	})
	measure("relay of the confirmation", budget{3, 3}, func(ctx context.Context) error { return s.Announce(ctx, rec.ID) })
	measure("accept", budget{8, 1}, func(ctx context.Context) error {
		_, err := s.Accept(ctx, operatorForTests, rec.ID, request.Call{})
		return err
	})
	measure("task done", budget{8, 1}, func(ctx context.Context) error {
		_, err := s.TaskDone(ctx, operatorForTests, request.Task(rec.ID, 0), request.Decision{}, request.Call{})
		return err
	})
	// 5 W and 1 R for the answer; the rest is the ledger's: a tombstone with its entry and
	// its place in the due-index, read before.
	measure("complete, with the ledger", budget{11, 3}, func(ctx context.Context) error { return s.Work(ctx, rec.ID) })
	measure("relay of the answer", budget{4, 3}, func(ctx context.Context) error { return s.Announce(ctx, rec.ID) })
	if item, err = s.Table.Get(t.Context(), rec.ID.Ref()); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("PROOF bar 9: %-8s the stored request has %d bytes in the end\n", engine, item.Size())
	fmt.Printf("PROOF bar 9: %-8s the whole journey                  %4g W %4g R\n", engine, total.Write, total.Read)

	takesEffect(t, w, sub, measure)

	sub.Call.Key = "k2"
	if rec, err = s.Submit(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	if err := s.Announce(t.Context(), rec.ID); err != nil {
		t.Fatal(err)
	}
	code := w.mails("ada.reference@example.org")[0].Code
	// The try is counted before the code is compared, or a thousand parallel
	// guesses would be a thousand tries: one unit more than the link, no read.
	measure("verify by code", budget{7, 0}, func(ctx context.Context) error {
		_, err := s.VerifyCode(ctx, rec.ID, code, request.Call{})
		return err
	})
	if seal.Same(code, "") {
		t.Error("no code was mailed")
	}
	// A further KB costs two units, because the transaction bills table writes
	// twice. The second submission of a day from one network costs two more: the
	// counters' first guess, a new window, is refused.
	for kb := 1; kb <= 3; kb++ {
		sub.Call.Key = fmt.Sprint("more", kb)
		sub.Person.Details = personal.MakeText(strings.Repeat("a word ", kb*750/7)) // sealed and in base64 a third longer
		measure(fmt.Sprintf("submit again, with %d KB more", kb), budget{8 + 2 + 2*float64(kb), 0}, func(ctx context.Context) error {
			_, err := s.Submit(ctx, sub)
			return err
		})
	}
}

// byTeam has a team erase by hand, so that a request is one task and nothing else.
func byTeam(w *world) {
	p := *w.Requests.Policy
	p.Sources = []policy.Source{{ID: "team", Kind: policy.KindTask, Role: policy.AsController, Task: policy.Task{Days: 7}, Holdings: []policy.Holding{{Category: "account", Action: policy.ActionDelete}}}}
	p.Rights = maps.Clone(p.Rights)
	p.Rights[policy.Erasure] = policy.RightRule{Residences: []string{policy.Everywhere}, TaskDays: 7}
	w.Requests.Policy = &p
}

// takesEffect measures what it costs more that something takes effect with a request:
// the item of the person's choices and its audit entry, twice each.
func takesEffect(t *testing.T, w *world, sub request.Submission, measure func(string, budget, func(context.Context) error)) {
	t.Helper()
	s := w.Requests
	submit := func(ctx context.Context, right policy.Right, residence string) (request.ID, error) {
		sub.Right, sub.Residence = right, residence
		sub.Call.Key = string(right)
		sub.From = "192.0.2." + fmt.Sprint(len(right))
		sub.Person.Email, _ = personal.ParseEmail(string(right) + "@example.org")
		rec, err := s.Submit(ctx, sub)
		return rec.ID, err
	}
	var id request.ID
	measure("submit an opt-out", budget{14, 1}, func(ctx context.Context) (err error) {
		id, err = submit(ctx, policy.OptOutSale, "US-CA")
		return err
	})
	measure("complete an opt-out", budget{12, 2}, func(ctx context.Context) error { return s.Work(ctx, id) })
	id, err := submit(t.Context(), policy.Objection, "FR")
	if err != nil {
		t.Fatal(err)
	}
	link := s.Mint(request.Token{ID: id, Verb: request.VerifyLink, N: 1, Until: w.Clock.Now().Add(time.Hour)})
	measure("verify an objection", budget{12, 4}, func(ctx context.Context) error {
		_, err := s.VerifyLink(ctx, link, request.Call{})
		return err
	})
	if id, err = submit(t.Context(), policy.Restriction, "FR"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.VerifyByOperator(t.Context(), operatorForTests, id, "sure", request.Call{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), operatorForTests, id, request.Call{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TaskDone(t.Context(), operatorForTests, request.Task(id, 0), request.Decision{}, request.Call{}); err != nil {
		t.Fatal(err)
	}
	measure("grant a restriction", budget{11, 3}, func(ctx context.Context) error { return s.Work(ctx, id) })
}

func refused(err error) error {
	if err == nil {
		return fmt.Errorf("it was accepted")
	}
	return nil
}
