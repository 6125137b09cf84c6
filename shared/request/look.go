package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Plan is what the sources said they hold, in an item of its own: the samples
// would make every later page of work dearer.
type Plan struct {
	// Samples are ids of records, by source and category, at most maxSamples each,
	// for an operator to look at before and after.
	Samples map[string]map[string][]string `json:"samples"`

	version int64
}

const (
	planSchema = 1
	maxSamples = 100
)

func (id ID) planRef() table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: id.Partition(), Sort: "plan"}}
}

func (s *Service) loadPlan(ctx context.Context, id ID) (Plan, error) {
	item, err := s.Table.Get(ctx, id.planRef())
	if errors.Is(err, table.ErrAbsent) {
		return Plan{Samples: map[string]map[string][]string{}}, nil
	}
	if err != nil {
		return Plan{}, fmt.Errorf("load the plan of %s: %w", id, err)
	}
	p := Plan{version: item.Version}
	if err := json.Unmarshal(item.Body, &p); err != nil {
		return Plan{}, fmt.Errorf("decode the plan of %s: %w", id, err)
	}
	return p, nil
}

// add puts the page's records among the samples and reports whether any was new.
func (p Plan) add(src string, records []source.Record) bool {
	added := false
	for _, rec := range records {
		if p.Samples[src] == nil {
			p.Samples[src] = map[string][]string{}
		}
		ids := p.Samples[src][rec.Category]
		if len(ids) < maxSamples && !slices.Contains(ids, rec.ID) {
			p.Samples[src][rec.Category] = append(ids, rec.ID)
			added = true
		}
	}
	return added
}

func (p Plan) put(id ID) (table.Write, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode the plan of %s: %w", id, err)
	}
	pre := table.New
	if p.version > 0 {
		pre = table.Version(p.version)
	}
	return table.Put(table.State, table.Item{Key: id.planRef().Key, Body: body, Schema: planSchema}, pre), nil
}

// known keeps the identities that a source can be asked by.
func (s *Service) known(src string, ids []personal.Identity) []personal.Identity {
	decl, _ := s.Policy.Source(src)
	return slices.DeleteFunc(slices.Clone(ids), func(i personal.Identity) bool { return !slices.Contains(decl.Identities, i.Kind) })
}

// look asks one source for one page of what it holds of the person. A source
// that ties another identity to a verified one lets all sources that know people
// by it be asked again.
func (s *Service) look(ctx context.Context, r Request, index int) (result, error) {
	look := r.Looks[index]
	src, ok := s.Sources[look.Source]
	if !ok {
		return s.lookFailed(r.ID, index, nil, fmt.Errorf("%w: the policy in force has no source %s", source.ErrRefused, look.Source)), nil
	}
	p, subject, err := s.person(ctx, r)
	if errors.Is(err, seal.ErrSealed) {
		return s.lookFailed(r.ID, index, nil, errUnreadable), nil
	}
	if err != nil {
		return result{}, err
	}
	all, err := s.identities(r, p, subject)
	if err != nil {
		return result{}, err
	}
	ids := s.known(look.Source, all)
	if look.State == Working {
		// A cursor belongs to the question that it came from: who was tied since is
		// asked for once this one is answered.
		ids = ids[:min(look.Known, len(ids))]
	}
	found := source.Found{Done: true}
	if len(ids) > 0 {
		decl, _ := s.Policy.Source(look.Source)
		cursor, err := s.openCursor(r, subject, look.Cursor)
		if err != nil {
			return result{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, callFor)
		defer cancel()
		found, err = src.Find(ctx, source.Ask{
			Identities: ids, Until: r.Cutoff, Cursor: cursor, Limit: decl.PageSize,
			Call: source.Call{Key: s.callKey(r.ID, "look", look.Source, r.Cutoff.String(), strconv.Itoa(len(ids)), strconv.Itoa(look.Calls)), Lease: r.Lease.Until},
		})
		if err != nil {
			return s.lookFailed(r.ID, index, p.Corrections, err), nil
		}
	}
	plan, err := s.loadPlan(ctx, r.ID)
	if err != nil {
		return result{}, err
	}
	res := result{}
	if plan.add(look.Source, found.Records) {
		put, err := plan.put(r.ID)
		if err != nil {
			return result{}, err
		}
		res.more = append(res.more, put)
	}
	fresh := slices.DeleteFunc(slices.Clone(found.Ties), func(i personal.Identity) bool { return slices.Contains(all, i) })
	all = append(all, fresh...)

	calls, cutoff := look.Calls, r.Cutoff
	res.apply = func(r Request) (Request, error) {
		if index >= len(r.Looks) || r.Looks[index].Calls != calls || !r.Cutoff.Equal(cutoff) {
			return r, nil // this page was counted before, or an operator had everything asked anew
		}
		r, err := s.looked(r, index, len(ids), found, all, all[len(p.proven()):], subject)
		if err != nil {
			return r, err
		}
		return s.plan(r, p.Corrections), nil
	}
	looked, err := res.apply(r)
	if err != nil {
		return result{}, err
	}
	if looked.asked() {
		res.action = Looked
		res.facts = countFacts(looked.Looks)
	}
	return res, nil
}

// asked reports whether no source is left to be asked.
func (r Request) asked() bool {
	return !slices.ContainsFunc(r.Looks, func(l Look) bool { return l.State.running() })
}

// plan makes the steps once every source was asked. Steps that have begun are not
// begun again, unless their source knows the person by more than it did then: a
// source that failed and is asked again adds to the plan.
func (s *Service) plan(r Request, corrections []source.Correction) Request {
	if !r.asked() {
		return r
	}
	old := r.Steps
	r.Steps = planSteps(s.Policy, r, r.Looks, corrections, s.now())
	for i, step := range r.Steps {
		for _, o := range old {
			if o.Source == step.Source && o.Category == step.Category && o.Field == step.Field && o.begun() {
				r.Steps[i] = o.extended(step)
			}
		}
	}
	return r
}

// looked returns r with one more page of a look.
func (s *Service) looked(r Request, index, known int, found source.Found, all, tied []personal.Identity, subject seal.Subject) (Request, error) {
	r.Looks = slices.Clone(r.Looks)
	l := &r.Looks[index]
	var err error
	if l.Cursor, err = s.sealCursor(r, subject, found.Cursor); err != nil {
		return Request{}, err
	}
	l.Known, l.Attempts = known, Attempts{}
	l.Calls++
	l.Counts = maps.Clone(l.Counts)
	for _, rec := range found.Records {
		if l.Counts == nil {
			l.Counts = map[string]int{}
		}
		l.Counts[rec.Category]++
	}
	l.State = Working
	if found.Done {
		l.State, l.Cursor = Done, nil
	}
	for i := range r.Looks {
		l := &r.Looks[i]
		if n := len(s.known(l.Source, all)); l.State == Done && n > l.Known {
			*l = Look{Source: l.Source, State: Planned, Calls: l.Calls}
		}
	}
	if len(tied) > 0 {
		err = s.sealTies(&r, subject, tied)
	}
	return r, err
}

// sealTies puts into r the identities that count as verified beside the address.
func (s *Service) sealTies(r *Request, subject seal.Subject, ties []personal.Identity) error {
	plain, err := json.Marshal(storeIdentities(ties))
	if err != nil {
		return fmt.Errorf("encode ties: %w", err)
	}
	if r.Ties, err = s.Keys.Ring.Seal(subject, r.place("ties"), plain); err != nil {
		return fmt.Errorf("seal ties: %w", err)
	}
	r.Tied = make([]seal.Identifier, len(ties))
	for i, tie := range ties {
		r.Tied[i] = s.Keys.Ring.Identifier(tie)
	}
	return nil
}

func (s *Service) lookFailed(id ID, index int, corrections []source.Correction, cause error) result {
	res := s.setback(id, cause, "look", index, func(r *Request) (*Attempts, *State) { return &r.Looks[index].Attempts, &r.Looks[index].State })
	res.action = Looked // a dry run may fail as well, before there is any work
	setBack := res.apply
	res.apply = func(r Request) (Request, error) {
		r, err := setBack(r)
		if err != nil {
			return r, err
		}
		return s.plan(r, corrections), nil
	}
	return res
}

// sealCursor seals where a store wants to be asked on. We cannot know what it
// put there.
func (s *Service) sealCursor(r Request, subject seal.Subject, cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	return s.Keys.Ring.Seal(subject, r.place("cursor"), []byte(cursor))
}

func (s *Service) openCursor(r Request, subject seal.Subject, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := s.Keys.Ring.Unseal(subject, r.place("cursor"), sealed)
	return string(plain), err
}

// countFacts tells what was found, by source and category.
func countFacts(looks []Look) []audit.Fact {
	var facts []audit.Fact
	for _, l := range looks {
		for _, category := range slices.Sorted(maps.Keys(l.Counts)) {
			facts = append(facts, audit.Fact{Name: l.Source + "/" + category, Value: strconv.Itoa(l.Counts[category])})
		}
	}
	return facts
}

// callKey is the idempotency key of one call to a store: the same when the call
// is repeated after a crash, never that of another call.
func (s *Service) callKey(id ID, parts ...string) string {
	return s.Keys.Ring.Hash("call", append([]string{string(id)}, parts...)...)
}
