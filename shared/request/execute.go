package request

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/export"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// worker is one page of one step under way.
type worker struct {
	s       *Service
	r       Request
	index   int
	step    Step
	src     source.Source
	ids     []personal.Identity // verified, of the kinds the source knows
	person  Person
	subject seal.Subject
}

// What an operator has to mend before a step can go on.
var (
	errOverPlan   = fault.New(fault.Conflict, "over_plan", "The store holds more than the plan approved.")
	errLeftBehind = fault.New(fault.Conflict, "left_behind", "The store still holds what it reported as done.")
	errGrowing    = fault.New(fault.Conflict, "keeps_growing", "New records keep appearing; stop what writes them first.")
	errWrongValue = fault.New(fault.Conflict, "not_corrected", "The store still shows the old value.")
)

const (
	// overPlan is how many more records than approved may be touched, as a
	// fraction: one in twenty.
	overPlan = 20
	// maxRounds is how often a step begins anew because something was left or appeared.
	maxRounds = 5
	// maxPages bounds one look again, in pages.
	maxPages = 400
)

// call is the identity of the page's call: the same when it is repeated.
func (w worker) call(what string) source.Call {
	return source.Call{
		Key: w.s.callKey(w.r.ID, what, w.step.Source, w.step.Category, w.step.Field,
			strconv.Itoa(w.step.Round), strconv.Itoa(w.step.Calls)),
		Lease: w.r.Lease.Until,
	}
}

// until is the step's cut-off.
func (w worker) until() time.Time { return later(w.r.Cutoff, w.step.Until) }

func (w worker) pageSize() int {
	decl, _ := w.s.Policy.Source(w.step.Source)
	return decl.PageSize
}

// set returns a result that changes only this step.
func (w worker) set(change func(*Step)) result {
	index, before := w.index, w.step
	return result{apply: func(r Request) (Request, error) {
		if now := r.Steps[index]; now.Calls != before.Calls || now.Round != before.Round || now.State != before.State {
			return r, nil // this page was counted before: the answer to its commit was lost
		}
		r.Steps = slices.Clone(r.Steps)
		r.Steps[index].Attempts = Attempts{}
		change(&r.Steps[index])
		return r, nil
	}}
}

// over returns a result that ends the step, with its audit entry.
func (w worker) over(state State, change func(*Step)) result {
	res := w.set(func(s *Step) {
		change(s)
		s.State, s.Ended = state, w.s.now()
	})
	after := w.step
	change(&after)
	res.action = Work
	res.facts = []audit.Fact{
		{Name: "source", Value: w.step.Source},
		{Name: "category", Value: w.step.Category},
		{Name: "verb", Value: string(w.step.Verb)},
		{Name: "state", Value: string(state)},
		{Name: "done", Value: strconv.Itoa(after.Done)},
	}
	return res
}

// stop hands the step to an operator.
func (w worker) stop(why *fault.Error) result {
	res := w.s.failed(w.r.ID, w.index, why)
	res.facts = append(res.facts, audit.Fact{Name: "source", Value: w.step.Source}, audit.Fact{Name: "category", Value: w.step.Category})
	return res
}

// export puts one page of records among the package's parts.
func (w worker) export(ctx context.Context) (result, error) {
	cursor, err := w.s.openCursor(w.r, w.subject, w.step.Cursor)
	if err != nil {
		return result{}, err
	}
	found, err := w.src.Find(ctx, source.Ask{
		Identities: w.ids, Category: w.step.Category, Until: w.until(), Cursor: cursor,
		Limit: w.pageSize(), Values: true, Call: w.call("export"),
	})
	if err != nil {
		return result{}, err
	}
	next, err := w.s.sealCursor(w.r, w.subject, found.Cursor)
	if err != nil {
		return result{}, err
	}
	if w.step.Round > 0 && w.step.Calls == 0 {
		// It begins anew, and what the round before copied is in there too.
		first := export.PartKey(string(w.r.ID), w.step.Source, w.step.Category, 0)
		if err := w.s.erase(ctx, first[:strings.LastIndexByte(first, '/')+1]); err != nil {
			return result{}, err
		}
	}
	n := len(found.Records)
	if n > 0 {
		key := export.PartKey(string(w.r.ID), w.step.Source, w.step.Category, w.step.Calls)
		part, err := export.EncodePart(found.Records)
		if err != nil {
			return result{}, err
		}
		sealed, err := w.s.Keys.Ring.Seal(w.subject, seal.Place{Item: w.r.ID.Partition(), Field: key}, part)
		if err != nil {
			return result{}, fmt.Errorf("seal a part: %w", err)
		}
		if err := w.s.Exports.Put(ctx, key, bytes.NewReader(sealed), int64(len(sealed))); err != nil {
			return result{}, fmt.Errorf("%w: keep a part: %w", source.ErrLater, err)
		}
	}
	page := func(s *Step) {
		s.State, s.Cursor = Working, next
		s.Done += n
		s.Calls++
	}
	if found.Done {
		return w.over(Done, page), nil
	}
	return w.set(page), nil
}

// execute has one page of records deleted, anonymised or corrected.
func (w worker) execute(ctx context.Context) (result, error) {
	allowed := w.step.Found + (w.step.Found+overPlan-1)/overPlan
	if w.step.Done >= allowed {
		return w.stop(errOverPlan), nil
	}
	if !w.s.now().Before(w.r.Lease.Until) {
		return result{}, source.ErrLease // it was held up, and a hold may be in force by now
	}
	order := source.Order{
		Identities: w.ids, Category: w.step.Category, Until: w.until(),
		Limit: min(w.pageSize(), allowed-w.step.Done), Keep: w.r.held.Items, Call: w.call("execute"),
	}
	if len(order.Keep) > 0 { // with other holds it is another order
		order.Call.Key = w.s.callKey(w.r.ID, append([]string{order.Call.Key}, order.Keep...)...)
	}
	decl, _ := w.s.Policy.Source(w.step.Source)
	holding, _ := decl.Holding(w.step.Category)
	switch w.step.Verb {
	case DoDelete:
		order.Verb = source.Delete
	case DoArchive:
		order.Verb = source.Archive
	case DoAnonymise:
		order.Verb, order.Masks = source.Anonymise, holding.Masks
		if part, ok := w.r.part(w.step.Source, w.step.Category); ok {
			order.Masks = part.Masks
		}
		// With the salt in it, the key is gone for good when the salt is.
		order.MaskKey = []byte(w.s.Keys.Ring.Hash("mask", string(w.r.ID), string(w.subject.Salt)))
	case DoCorrect:
		order.Verb, order.Corrections = source.Correct, w.corrections(holding)
	case DoExport, DoTell, DoKeep, DoRefer, DoRefuse, DoByHand, DoChoose:
		return result{}, fmt.Errorf("request %s: step %d is not for a source to execute", w.r.ID, w.index)
	}
	done, err := w.src.Execute(ctx, order)
	if err != nil {
		return result{}, err
	}
	settled, err := w.r.page.Settle(w.s.now(), done.Removed)
	if err != nil {
		return result{}, err
	}
	if !done.Done && done.Removed == 0 {
		res := w.idle()
		res.more = []table.Write{settled}
		return res, nil
	}
	res := w.set(func(s *Step) {
		s.State = Working
		s.Done += done.Removed
		s.Left = done.Retained
		s.Calls++
		s.Acted = w.s.now()
		if done.Done {
			s.State = Looking
		}
	})
	res.effect, res.more = true, []table.Write{settled}
	return res, nil
}

// idle is a page on which the store did nothing and yet is not done. It is asked
// again under another key, after a pause, and not for ever.
func (w worker) idle() result {
	res := w.s.failed(w.r.ID, w.index, fmt.Errorf("%w: the store did nothing and is not done", source.ErrLater))
	index, setBack := w.index, res.apply
	res.apply = func(r Request) (Request, error) {
		r, err := setBack(r)
		r.Steps[index].Calls++
		return r, err
	}
	return res
}

func (w worker) corrections(h policy.Holding) []source.Correction {
	var list []source.Correction
	for _, c := range w.person.Corrections {
		if c.Field == w.step.Field {
			list = append(list, source.Correction{Field: h.Correctable[c.Field], Value: c.Value})
		}
	}
	return list
}

// again looks whether the store still holds what it reported as done, and what
// has appeared since the cut-off.
func (w worker) again(ctx context.Context) (result, error) {
	empty := w.step.Found == 0 && w.step.Done == 0 // the plan found nothing here
	if empty && len(w.ids) == 0 {
		return w.over(Nothing, func(*Step) {}), nil // the store knows nobody by what was proven
	}
	old, fresh, kept, wrong := 0, 0, 0, false
	cursor := ""
	for page := 0; ; page++ {
		if page == maxPages {
			return result{}, fmt.Errorf("%w: the look again has no end", source.ErrLater)
		}
		call := w.call("verify")
		call.Key = w.s.callKey(w.r.ID, call.Key, strconv.Itoa(page), w.s.now().String()) // a look is never answered from memory
		found, err := w.src.Find(ctx, source.Ask{
			Identities: w.ids, Category: w.step.Category, Cursor: cursor, Limit: w.pageSize(),
			Values: w.step.Verb == DoCorrect, Call: call,
		})
		if err != nil {
			return result{}, err
		}
		for _, rec := range found.Records {
			switch {
			case slices.Contains(w.r.held.Items, rec.ID):
				kept++
				continue
			case rec.At.After(w.until()):
				fresh++
			default:
				old++
			}
			wrong = wrong || w.step.Verb == DoCorrect && !w.corrected(rec)
		}
		if cursor = found.Cursor; found.Done {
			break
		}
	}
	if empty {
		old, fresh = 0, old+fresh // all of it is new to the plan
	}
	if w.r.Right == policy.RetentionEnd {
		fresh = 0 // what is newer has not outlived its purpose
	}
	switch {
	case kept > 0 && (w.step.Verb == DoCorrect && !wrong || w.step.Verb != DoCorrect && old <= w.step.Left && fresh == 0):
		return w.wait(ctx, kept)
	case empty && fresh == 0:
		return w.over(Nothing, func(*Step) {}), nil
	case w.step.Verb == DoCorrect && !wrong:
		return w.over(Done, func(*Step) {}), nil
	case w.step.Verb == DoCorrect && w.step.Round >= maxRounds:
		return w.stop(errWrongValue), nil
	case w.step.Verb != DoCorrect && old <= w.step.Left && fresh == 0:
		return w.over(Done, func(s *Step) { s.Left = old }), nil
	case w.step.Round >= maxRounds && fresh > 0:
		return w.stop(errGrowing), nil
	case w.step.Round >= maxRounds:
		return w.stop(errLeftBehind), nil
	}
	res := w.set(func(s *Step) {
		s.Round++
		s.State = Planned
		s.After = w.s.now().Add(table.Backoff(s.Round))
		if fresh > 0 {
			s.Until = w.s.now()
			s.Found += fresh
			s.After = time.Time{}
		}
		if w.step.Verb == DoCorrect {
			s.Done = 0
		}
	})
	res.action = Work
	res.facts = []audit.Fact{
		{Name: "source", Value: w.step.Source},
		{Name: "category", Value: w.step.Category},
		{Name: "left", Value: strconv.Itoa(old)},
		{Name: "new", Value: strconv.Itoa(fresh)},
	}
	return res, nil
}

// corrected reports whether a record shows the new value wherever it has the field.
func (w worker) corrected(rec source.Record) bool {
	var fields map[string]any
	if json.Unmarshal(rec.Fields, &fields) != nil {
		return false
	}
	decl, _ := w.s.Policy.Source(w.step.Source)
	holding, _ := decl.Holding(w.step.Category)
	for _, c := range w.corrections(holding) {
		if v, has := fields[c.Field]; has && v != c.Value.Reveal() {
			return false
		}
	}
	return true
}
