package request

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

var _ restore.Sweeper = (*Service)(nil)

// errUnreadable is that nobody can tell any more whom a request is about: the person
// was erased, or a restore has lost what they had told us.
var errUnreadable = fault.New(fault.Gone, "person_unreadable", "Whom this request is about can be read no more: they were erased, or a restore has lost it.")

// missingFiles is what a rebuilding has to tell of files whose message is gone.
const missingFiles = "attachment"

// Chain implements restore.Folder: requests, and what operators read on one day.
func (s *Service) Chain(name string) bool {
	_, ok := IDOf(table.Key{Partition: name, Sort: "-"})
	return ok || strings.HasPrefix(name, dayPrefix)
}

// Restore implements restore.Folder. Where a request stands, its dates, its answer and
// what was done in which source follow from its entries. What the person told us is
// sealed and in none of them: of a request that came in after the copy nothing is left
// but that it was there, and how far it was. Work that is not over begins anew: the
// sources are asked again.
//
// No letter is sent again. What was promised since the copy has left, but for the last
// minutes.
func (s *Service) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(commit table.ID) (restore.Outcome, error) {
		return s.restore(ctx, chain, entries, commit)
	})
}

func (s *Service) restore(ctx context.Context, chain string, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	id, ok := IDOf(table.Key{Partition: chain, Sort: "-"})
	if !ok {
		return s.restoreDay(ctx, chain, entries, commit)
	}
	r, err := s.load(ctx, id)
	found := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return restore.Outcome{}, err
	}
	tail := restore.TailOf(r.Head, entries)
	out := restore.Outcome{What: restore.Advanced, Ahead: tail.Ahead}
	switch {
	case found && tail.Stands():
		return restore.Outcome{What: restore.Stood}, nil
	case !found && entries[0].Seq != 1:
		return restore.Outcome{What: restore.Over}, nil // what began it has expired, and so has it
	case !found:
		r, out.What = Request{ID: id, Locale: "", Policy: s.Policy.Version}, restore.Remade
	}
	now, before := s.now(), r.Head
	r = s.folded(r, tail.News)
	if !found && r.Status.Final() && !now.Before(s.forgetAt(r)) {
		return restore.Outcome{What: restore.Over}, nil
	}
	if !found && !r.Status.Final() && len(r.Person) == 0 {
		out.What = restore.Lost // it has to be asked anew: nobody knows by whom it was
	}
	if len(tail.News) > 0 {
		r = s.anew(r)
	}
	if out.Missing, err = s.refile(ctx, &r); err != nil {
		return out, err
	}
	var e audit.Entry
	e, r.Head = tail.Entry(chain, before, now, commit, audit.Fact{Name: "status", Value: string(r.Status)})
	r.Since = e.At
	if r.Status.Final() {
		r.Since = time.Time{}
		r.Forget = later(r.Forget, s.forgetAt(r))
	}
	put, err := r.put()
	if err != nil {
		return out, err
	}
	err = s.Table.Commit(ctx, commit, put, table.Put(table.Audit, table.Item{
		Key: restore.EntryKey(chain, e.Seq), Schema: requestSchema, Body: e.Encode(), Expires: s.Policy.Retention.Audit.After(later(r.Received, entries[0].At)),
	}, table.New))
	if err != nil && !errors.Is(err, table.ErrConflict) {
		err = fmt.Errorf("rebuild request %s: %w", id, err)
	}
	return out, err
}

// forgetAt is the end of the retention of a closed request's record.
func (s *Service) forgetAt(r Request) time.Time {
	return later(s.Policy.Retention.Requests.After(r.Closed), s.recordsUntil(r))
}

// folded is a request after what some entries tell of.
func (s *Service) folded(r Request, entries []audit.Entry) Request {
	r.Steps, r.Looks, r.Stops = slices.Clone(r.Steps), slices.Clone(r.Looks), slices.Clone(r.Stops)
	r.Messages.Causes, r.Messages.Attached = slices.Clone(r.Messages.Causes), slices.Clone(r.Messages.Attached)
	for _, e := range entries {
		if status := Status(restore.Fact(e, "status")); slices.Contains(Statuses, status) {
			r.Status = status
		}
		if r.Status.Final() && r.Closed.IsZero() {
			r.Closed, r.Lease, r.Paused = e.At, Lease{}, false
		}
		s.fold(&r, e)
	}
	return r
}

// fold brings about what an entry tells of.
func (s *Service) fold(r *Request, e audit.Entry) {
	fact := func(name string) string { return restore.Fact(e, name) }
	r.dated(e)
	switch Action(e.Action) {
	case "receive", "open":
		r.began(e)
		if rule, ok := s.Policy.Rights[r.Right]; ok {
			r.Automatic, r.Promise = rule.Automatic || r.Right.Unverified() || r.Opener != "", rule.PromisedDays
		}
		if r.Status == Unverified {
			r.LapseAt = e.At.Add(s.Policy.Verification.LapseAfter)
		}
	case Verify:
		r.Proof.Times++
		// Which generation it was is not told: all links that were mailed are dead.
		r.Proof.At, r.Proof.By, r.Proof.Spent, r.LapseAt = e.At, fact("by"), r.Proof.Issued, time.Time{}
	case Confirm:
		if r.NewAddress != nil {
			a := *r.NewAddress
			a.Spent, a.By, a.At, a.Times = a.Issued, cmp.Or(fact("by"), "link"), e.At, 1
			r.NewAddress = &a
		}
	case Resend:
		r.Proof.Issued, r.Proof.IssuedAt = max(r.Proof.Issued, number(fact("generation"))), e.At
	case Accept:
		if begun := s.begin(*r); len(r.Looks) == 0 {
			if *r = begun; !r.Cutoff.IsZero() {
				r.Cutoff = e.At
			}
		}
	case Work:
		r.worked(e)
	case Fulfil:
		if exports(r.Right) {
			r.Parts, r.Package = true, &Package{
				Key: prefix(r.ID) + "package.zip", Until: e.At.Add(s.Policy.Verification.PackagePeriod), Link: Proof{Issued: 1, IssuedAt: e.At},
			}
		}
	case Deliver:
		if r.Package != nil {
			p := *r.Package
			if p.Delivered = max(p.Delivered, number(fact("proofs"))); fact("by") == "link" {
				p.Link.Spent = p.Link.Issued
			}
			r.Package = &p
		}
	case Clear:
		*r = r.cleared()
	case Shred:
		gone := strings.Split(fact("messages"), ",")
		r.Messages.Attached = slices.DeleteFunc(r.Messages.Attached, func(k Attached) bool { return slices.Contains(gone, strconv.Itoa(k.Message)) })
	case Deny:
		r.Reason = fact("reason")
	case Overrun:
		r.Overdue, r.Reminded = true, e.At
	case Remind:
		if fact("of") == "verification" {
			r.Proof.Issued, r.Proof.IssuedAt = r.Proof.Issued+1, e.At
		} else if fact("of") != "question" {
			r.Reminded = e.At
		}
		r.Messages.Nudge = time.Time{}
	case Ask, Pause:
		if cause := law.Cause(fact("cause")); cause != "" && !r.waitsFor(cause) {
			r.Stops = append(r.Stops, law.Stop{Cause: cause, Asked: e.At})
			r.Paused = r.Paused || fact("effect") != string(law.Ignore)
			if Action(e.Action) == Ask {
				r.Messages.Causes = append(r.Messages.Causes, cause)
			}
		}
	case Answer, Resume:
		r.goneOn(e)
	case Extend:
		r.Extension = &Extension{Ground: fact("ground"), At: e.At, Before: r.RespondBy, Until: restore.Time(e, "until"), Open: fact("open") != ""}
	case Recount:
		r.Law = fact("law")
	case Assign:
		r.Owner = fact("owner")
	case Looked, Retry, Revoke, Lapse, Said, Withheld:
	}
	r.wrote(e, s.Policy.Verification.AttachmentPeriod)
	if fact("switched_on") != "" || fact("withdrawn") != "" {
		r.Switched = e.At
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// dated takes the dates that an entry counts.
func (r *Request) dated(e audit.Entry) {
	if by := restore.Time(e, "respond_by"); !by.IsZero() {
		if r.RespondBy = by; r.SafeBy.IsZero() {
			r.SafeBy = by
		}
	}
	if by := restore.Time(e, "safe_by"); !by.IsZero() {
		r.SafeBy = by
	}
}

// began takes what a request began with.
func (r *Request) began(e audit.Entry) {
	r.Right, r.Residence, r.Law = policy.Right(restore.Fact(e, "right")), restore.Fact(e, "residence"), restore.Fact(e, "law")
	r.Subject, r.Holder = restore.Fact(e, "subject"), seal.Identifier(restore.Fact(e, "holder"))
	r.Channel, r.About, r.Received = restore.Fact(e, "channel"), ID(restore.Fact(e, "about")), restore.Time(e, "received")
	if r.Received.IsZero() {
		r.Received = e.At.Truncate(time.Second)
	}
	if r.Status == "" { // an entry that names none is of one that waits for its proof, or of a choice
		if r.Status = Unverified; r.Right.Unverified() || r.Right == policy.Appeal || restore.Fact(e, "by") == ByApp {
			r.Status = Open
		}
	}
	if r.Status != Unverified {
		r.Proof = Proof{Issued: 1, IssuedAt: e.At, Spent: 1, Times: 1, At: e.At, By: restore.Fact(e, "by")}
		if r.Right.Unverified() {
			r.Proof = Proof{}
		}
	}
	if restore.Fact(e, "mailed") == "true" {
		r.Proof.Issued, r.Proof.IssuedAt = 1, e.At
	}
	if e.Action == "open" {
		r.Cutoff = restore.Time(e, "cutoff")
		r.reopened(func(name string) string { return restore.Fact(e, name) })
	}
}

// worked takes what became of a step.
func (r *Request) worked(e audit.Entry) {
	state, verb := State(restore.Fact(e, "state")), StepVerb(restore.Fact(e, "verb"))
	if outcome := restore.Fact(e, "outcome"); outcome != "" {
		r.Outcome = Outcome(outcome)
	}
	if i := number(restore.Fact(e, "task")); restore.Fact(e, "task") != "" {
		if i < len(r.Steps) && r.Steps[i].State == Waiting {
			r.Steps[i].State, r.Steps[i].By, r.Steps[i].Due = Done, strings.TrimPrefix(e.Actor, "operator:"), time.Time{}
		}
		return
	}
	if state == "" || verb == "" {
		return
	}
	src, category, done := restore.Fact(e, "source"), restore.Fact(e, "category"), number(restore.Fact(e, "done"))
	i := slices.IndexFunc(r.Steps, func(st Step) bool {
		return st.Source == src && st.Category == category && st.Verb == verb && !st.State.Over()
	})
	if i < 0 {
		i = len(r.Steps)
		r.Steps = append(r.Steps, Step{Source: src, Category: category, Verb: verb})
	}
	st := &r.Steps[i]
	st.State, st.Done, st.Found, st.Attempts, st.Ended = state, done, max(st.Found, done), Attempts{}, e.At
	if st.Acted.IsZero() && verb.destructive() && done > 0 {
		st.Acted = e.At // at the latest
	}
	st.Calls++
}

// goneOn ends the waiting that an entry says is over; without a cause, for what was asked.
func (r *Request) goneOn(e audit.Entry) {
	for _, f := range e.Facts {
		for i := range r.Stops {
			if st := &r.Stops[i]; f.Name == "cause" && st.Answered.IsZero() && st.Cause == law.Cause(f.Value) {
				st.Answered = e.At
			}
		}
	}
	r.Messages.Causes = slices.DeleteFunc(r.Messages.Causes, func(c law.Cause) bool { return !r.waitsFor(c) })
	r.Messages.Nudge, r.Paused = time.Time{}, r.Paused && r.waitsFor("")
}

// wrote counts a message.
func (r *Request) wrote(e audit.Entry, kept time.Duration) {
	n := number(restore.Fact(e, "message"))
	if n == 0 {
		return
	}
	r.Messages.N = max(r.Messages.N, n)
	if e.Actor == ByPerson {
		r.Messages.Answered = max(r.Messages.Answered, n)
	} else {
		r.Messages.Asked = max(r.Messages.Asked, n)
	}
	if restore.Fact(e, "files") != "" {
		r.Messages.Attached = append(r.Messages.Attached, Attached{Message: n, Until: e.At.Add(kept)})
	}
}

// anew is a request that goes on where its work is to begin again: nothing tells how
// far what is under way was. What a source has answered before it may answer from
// memory, so every call is another one.
func (s *Service) anew(r Request) Request {
	const beyond = 1 << 10 // calls that may have been made since the copy
	r.Announcements, r.Relay, r.Lease, r.Making = nil, Attempts{}, Lease{}, Attempts{}
	if r.Status != InProgress && r.Status != Open {
		return r
	}
	for i, l := range r.Looks {
		r.Looks[i] = Look{Source: l.Source, State: Planned, Calls: l.Calls + beyond}
	}
	if r.Opener != "" && len(r.Looks) == 0 {
		r.Looks = lookAt(s.Policy, r)
	}
	for i := range r.Steps {
		st := &r.Steps[i]
		if !st.State.running() && st.State != Failed {
			continue
		}
		st.Attempts, st.Cursor = Attempts{}, nil
		st.Round++
		if st.State = Planned; st.Verb == DoExport {
			st.Calls, st.Done = 0, 0
		} else {
			st.Calls += beyond
		}
	}
	return r
}

// refile finds the files that came with messages, so that somebody comes to erase them.
func (s *Service) refile(ctx context.Context, r *Request) (missing []string, err error) {
	for i, k := range r.Messages.Attached {
		if k.Key != "" {
			continue
		}
		item, err := s.Table.Get(ctx, r.ID.messageRef(k.Message))
		var stored storedMessage
		switch {
		case errors.Is(err, table.ErrAbsent):
			missing = append(missing, missingFiles)
		case err != nil:
			return nil, fmt.Errorf("read message %d of request %s: %w", k.Message, r.ID, err)
		case json.Unmarshal(item.Body, &stored) != nil:
			return nil, fmt.Errorf("decode message %d of request %s", k.Message, r.ID)
		}
		if r.Messages.Attached[i].Key = stored.Key; stored.Key == "" {
			// Nobody knows where they are: they go with everything that the request has.
			r.Messages.Attached[i].Key = "lost"
		}
	}
	return missing, nil
}

// restoreDay rebuilds the head of what an operator read on a day.
func (s *Service) restoreDay(ctx context.Context, chain string, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	ref := table.Ref{Table: table.State, Key: table.Key{Partition: chain, Sort: "-"}}
	var d day
	out, pre := restore.Outcome{What: restore.Advanced}, table.New
	item, err := s.Table.Get(ctx, ref)
	switch {
	case errors.Is(err, table.ErrAbsent):
		out.What = restore.Remade
	case err != nil:
		return out, fmt.Errorf("load an operator's day: %w", err)
	default:
		pre = table.Version(item.Version)
		if err := json.Unmarshal(item.Body, &d); err != nil {
			return out, fmt.Errorf("decode an operator's day: %w", err)
		}
	}
	tail := restore.TailOf(d.Head, entries)
	if out.Ahead = tail.Ahead; tail.Stands() {
		return restore.Outcome{What: restore.Stood}, nil
	}
	var e audit.Entry
	now, before := s.now(), d.Head
	e, d.Head = tail.Entry(chain, before, now, commit)
	body, err := json.Marshal(d)
	if err != nil {
		return out, fmt.Errorf("encode an operator's day: %w", err)
	}
	forget := s.Policy.Retention.Audit.After(now)
	err = s.Table.Commit(ctx, commit,
		table.Put(table.State, table.Item{Key: ref.Key, Schema: requestSchema, Body: body, Due: forget, Expires: forget}, pre),
		table.Put(table.Audit, table.Item{Key: restore.EntryKey(chain, e.Seq), Schema: requestSchema, Body: e.Encode(), Expires: forget}, table.New))
	if err != nil && !errors.Is(err, table.ErrConflict) {
		err = fmt.Errorf("rebuild an operator's day: %w", err)
	}
	return out, err
}

// Orphan implements restore.Sweeper: messages and plans of requests that are forgotten.
func (s *Service) Orphan(ctx context.Context, k table.Key) (bool, error) {
	id, ok := IDOf(table.Key{Partition: k.Partition, Sort: "-"})
	if !ok || k.Sort == "-" {
		return false, nil
	}
	_, err := s.Table.Get(ctx, id.Ref())
	if err == nil || !errors.Is(err, table.ErrAbsent) {
		return false, err
	}
	err = s.Table.Commit(ctx, table.NewID(), table.Check(id.Ref(), table.New), table.Delete(table.Ref{Table: table.State, Key: k}, table.Exists))
	if errors.Is(err, table.ErrConflict) {
		return false, nil // it came back, or it is gone
	}
	return err == nil, err
}

// Unsettled reports whether a request of a subject still needs what can be read of
// them: it is open, has a letter to send, or something to clear.
func (s *Service) Unsettled(ctx context.Context, subject string) (bool, error) {
	q := table.Query{Table: table.State, Index: table.Subject, Partition: subject}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return false, fmt.Errorf("list somebody's requests: %w", err)
		}
		for _, item := range page.Items {
			id, ok := IDOf(item.Key)
			if !ok {
				continue
			}
			r, err := s.load(ctx, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil || !r.Status.Final() || len(r.Announcements) > 0 || r.Parts || len(r.Messages.Attached) > 0 {
				return true, err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return false, nil
		}
	}
}
