package request

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

// Look is the asking of one source what it holds of the person.
type Look struct {
	Source string         `json:"source"`
	State  State          `json:"state"`
	Cursor []byte         `json:"cursor,omitempty"` // sealed: the store chose what is in it
	Calls  int            `json:"calls,omitempty"`  // pages finished
	Known  int            `json:"known,omitempty"`  // by how many identities it is asked
	Counts map[string]int `json:"counts,omitempty"` // records found, by category
	Attempts
}

// Step is the work on what one source holds of one category. Each is done and
// told for itself, and can be retried alone.
type Step struct {
	Source   string    `json:"source,omitempty"`
	Category string    `json:"category,omitempty"`
	Verb     StepVerb  `json:"verb"`
	State    State     `json:"state"`
	Until    time.Time `json:"until,omitzero"`  // cut-off, once work began after the plan's own
	Round    int       `json:"round,omitempty"` // how often it began anew after looking again
	Known    int       `json:"known,omitempty"` // by how many identities Found was found
	Found    int       `json:"found,omitempty"` // approved count
	Done     int       `json:"done,omitempty"`
	Left     int       `json:"left,omitempty"`   // seen and left by the store's own decision
	Cursor   []byte    `json:"cursor,omitempty"` // of an export; sealed
	Calls    int       `json:"calls,omitempty"`  // pages finished
	Field    string    `json:"field,omitempty"`  // of a correction
	Due      time.Time `json:"due,omitzero"`     // of a task
	By       string    `json:"by,omitempty"`     // who did the task
	Acted    time.Time `json:"acted,omitzero"`   // when a store was last changed
	Ended    time.Time `json:"ended,omitzero"`   // when it was over: of what is destroyed, looked for again and not found
	Attempts
}

// StepVerb is what a step does.
type StepVerb string

// The verbs.
const (
	DoExport    StepVerb = "export"
	DoTell      StepVerb = "tell" // that it is held; the records are not shown
	DoDelete    StepVerb = "delete"
	DoAnonymise StepVerb = "anonymise"
	DoCorrect   StepVerb = "correct"
	DoKeep      StepVerb = "keep"
	DoRefer     StepVerb = "refer"  // to the controller whose data it is
	DoRefuse    StepVerb = "refuse" // to correct what is a record of what was
	DoByHand    StepVerb = "by_hand"
	DoChoose    StepVerb = "choose"  // tell a source what the person chose
	DoArchive   StepVerb = "archive" // put away where daily work does not reach it; of a retention rule
)

// begun reports whether something of the step happened that a new plan must not forget.
func (s Step) begun() bool {
	switch s.State {
	case Working, Looking, Waiting, Done:
		return true
	case Planned:
		return s.Calls > 0 || s.Round > 0 || s.Tries > 0
	case Failed:
		return s.Calls > 0 || s.Round > 0
	case Nothing, Kept, Told:
	}
	return false
}

// extended returns a step that has begun as it goes on after a new plan. Where
// the person is known by more identities now, the plan counts what is there of
// all of them: what is left to destroy, or everything to copy.
func (s Step) extended(planned Step) Step {
	if planned.Known <= s.Known {
		return s
	}
	s.Known = planned.Known
	switch {
	case s.Verb == DoExport:
		s.Found, s.Done, s.Cursor, s.Calls = planned.Found, 0, nil, 0
		s.Round++ // a page of this round is another call than that of the one before
	case s.Verb.destructive() && planned.Found > 0:
		if s.Verb == DoCorrect {
			s.Done = 0
		}
		s.Found = s.Done + planned.Found
		s.Calls++
	default:
		return s
	}
	s.State, s.Attempts = Planned, Attempts{}
	return s
}

// destructive reports whether the verb changes what a store holds.
func (v StepVerb) destructive() bool {
	return v == DoDelete || v == DoAnonymise || v == DoCorrect || v == DoArchive
}

// State is how far a look or a step is. The comment says who moves next.
type State string

// The states.
const (
	Planned State = "planned" // us
	Working State = "working" // us: pages are being done
	Looking State = "looking" // us: looking again whether anything is left
	Waiting State = "waiting" // a person who does it by hand
	Failed  State = "failed"  // an operator: mend the cause and retry
	Done    State = "done"
	Nothing State = "nothing" // nothing was found
	Kept    State = "kept"    // stays, for a duty, until a date
	Told    State = "told"    // the answer says what there is to say
)

// Over reports whether nothing more will happen to a step by itself or by hand.
func (s State) Over() bool {
	switch s {
	case Done, Nothing, Kept, Told:
		return true
	case Planned, Working, Looking, Waiting, Failed:
		return false
	}
	return false
}

// running reports whether we move next.
func (s State) running() bool { return s == Planned || s == Working || s == Looking }

// lookAt lists the sources that a right needs asked: those that are ours to ask.
func lookAt(p *policy.Policy, r Request) []Look {
	var looks []Look
	if byHand(r.Right) || r.Right.Unverified() {
		return nil
	}
	for _, src := range p.Sources {
		if src.Role == policy.AsController && src.Kind != policy.KindTask && src.Kind != policy.KindLogs && r.concerns(src) {
			looks = append(looks, Look{Source: src.ID, State: Planned})
		}
	}
	return looks
}

// byHand reports whether a right is weighed by a person, always.
func byHand(right policy.Right) bool {
	switch right {
	case policy.Restriction, policy.Objection:
		return true
	case policy.Access, policy.Portability, policy.Know, policy.Rectification, policy.Erasure,
		policy.OptOutSale, policy.LimitSensitive, policy.WithdrawConsent, policy.Challenge, policy.Complaint, policy.Appeal,
		policy.AccountClosure, policy.RetentionEnd:
	}
	return right.Weighed()
}

func taskDays(p *policy.Policy, right policy.Right) int {
	if rule, ok := p.Rights[right]; ok {
		return rule.TaskDays
	}
	rule, _ := p.Offers(right, "")
	return rule.TaskDays
}

// planSteps turns what the sources hold into steps. It is pure: the same policy,
// request, counts and corrections give the same plan.
func planSteps(p *policy.Policy, r Request, looks []Look, corrections []source.Correction, now time.Time) []Step {
	right := r.Right
	task := func(src string, days int) Step {
		return Step{Source: src, Verb: DoByHand, State: Waiting, Due: now.AddDate(0, 0, days)}
	}
	if byHand(right) {
		return []Step{task("", taskDays(p, right))}
	}
	if right.Unverified() {
		return choiceSteps(p, right)
	}
	var steps []Step
	for _, src := range p.Sources {
		switch {
		case !r.concerns(src):
			continue
		case src.Role == policy.AsProcessor:
			for _, h := range src.Holdings {
				steps = append(steps, Step{Source: src.ID, Category: h.Category, Verb: DoRefer, State: Told})
			}
			continue
		case src.Kind == policy.KindTask:
			kept, rest := r.byHandKept(p, src)
			if steps = append(steps, kept...); rest {
				steps = append(steps, task(src.ID, src.Task.Days))
			}
			continue
		case right == policy.Rectification:
			continue
		}
		look := lookOf(looks, src.ID)
		for _, h := range src.Holdings {
			step := Step{Source: src.ID, Category: h.Category, Known: look.Known, Found: look.Counts[h.Category], State: Planned}
			var concerned bool
			if step.Verb, concerned = r.verbFor(p, src.ID, h); !concerned {
				continue
			}
			switch {
			case src.Kind == policy.KindLogs && step.Verb == DoKeep:
				step.State = Kept
			case src.Kind == policy.KindLogs:
				// Nobody can be found in a log. That it is kept, and for how long, is all there is to say.
				step.Verb, step.State = DoTell, Told
			case look.State == Failed:
				// "Could not look" must never read as "nothing found".
				step.State, step.Attempts = Failed, look.Attempts
			case step.Found == 0 && step.Verb.destructive():
				// What is written until the work may start is found by looking then.
				step.State = Looking
			case step.Found == 0:
				step.State = Nothing
			case step.Verb == DoTell:
				step.State = Told
			case step.Verb == DoKeep:
				step.State = Kept
			}
			steps = append(steps, step)
		}
	}
	if right == policy.Rectification {
		for i, c := range corrections {
			steps = append(steps, correctionSteps(p, looks, c.Field, i, now)...)
		}
	}
	return steps
}

func lookOf(looks []Look, src string) Look {
	i := slices.IndexFunc(looks, func(l Look) bool { return l.Source == src })
	if i < 0 {
		return Look{}
	}
	return looks[i]
}

// part returns what work that we began is to do to a category of a source.
func (r Request) part(src, category string) (Part, bool) {
	i := slices.IndexFunc(r.Only, func(x Part) bool { return x.Source == src && x.Category == category })
	if i < 0 {
		return Part{}, false
	}
	return r.Only[i], true
}

// concerns reports whether a source has to do with the request at all.
func (r Request) concerns(src policy.Source) bool {
	return len(r.Only) == 0 || slices.ContainsFunc(r.Only, func(x Part) bool { return x.Source == src.ID })
}

// How is what becomes of data that somebody wants erased, where they can choose.
type How string

// The ways.
const (
	ByDeletion      How = "delete"
	ByAnonymisation How = "anonymise"
)

// byHandKept is what stays for a duty in a source that people look after: they have
// nothing to do with it, and the person is told why it stays. rest says that there is
// something else in it.
func (r Request) byHandKept(p *policy.Policy, src policy.Source) (kept []Step, rest bool) {
	for _, h := range src.Holdings {
		verb, concerned := r.verbFor(p, src.ID, h)
		if concerned && verb == DoKeep {
			kept = append(kept, Step{Source: src.ID, Category: h.Category, Verb: DoKeep, State: Kept})
		}
		rest = rest || concerned && verb != DoKeep
	}
	return kept, rest
}

// verbFor is what a request does to a holding; ok is false if it has nothing to do with it.
func (r Request) verbFor(p *policy.Policy, src string, h policy.Holding) (verb StepVerb, ok bool) {
	category, _ := p.Category(h.Category)
	switch {
	case len(r.Only) > 0:
		part, ok := r.part(src, h.Category)
		switch part.Verb {
		case policy.RetireAnonymise:
			return DoAnonymise, ok
		case policy.RetireArchive:
			return DoArchive, ok
		case policy.RetireDelete:
		}
		return DoDelete, ok
	case r.Right == policy.AccountClosure && h.OnClosure != "":
		return doing(h.OnClosure), true
	case r.Right == policy.Erasure && h.Either && h.Action != policy.ActionKeep && r.How == ByDeletion:
		return DoDelete, true
	case r.Right == policy.Erasure && h.Either && h.Action != policy.ActionKeep && r.How == ByAnonymisation:
		return DoAnonymise, true
	case erases(r.Right):
		return doing(h.Action), true
	case !category.Shown():
		return DoTell, true
	case r.Right == policy.Portability && category.Inference:
		// GDPR Article 20(1) covers data that the person provided, not what was inferred from it.
		return DoTell, true
	}
	return DoExport, true
}

// doing is the verb of what a policy has done to a holding.
func doing(a policy.Action) StepVerb {
	switch a {
	case policy.ActionKeep:
		return DoKeep
	case policy.ActionAnonymise:
		return DoAnonymise
	case policy.ActionDelete:
	}
	return DoDelete
}

// correctionSteps plans the correction of one field wherever it stands. A field
// that no source can set becomes a task: nobody's correction is dropped.
func correctionSteps(p *policy.Policy, looks []Look, field string, index int, now time.Time) []Step {
	var steps []Step
	known := false
	for _, src := range p.Sources {
		for _, h := range src.Holdings {
			if src.Role != policy.AsController {
				continue
			}
			rule, declared := p.Field(h.Category, field)
			category, _ := p.Category(h.Category)
			_, settable := h.Correctable[field]
			known = known || declared || settable
			look := lookOf(looks, src.ID)
			step := Step{Source: src.ID, Category: h.Category, Field: field, Verb: DoCorrect, State: Planned, Known: look.Known, Found: look.Counts[h.Category]}
			switch {
			case rule.Historical || category.Historical && rule.Name != "":
				step.Verb, step.State = DoRefuse, Told
			case !settable:
				continue
			case look.State == Failed:
				step.State, step.Attempts = Failed, look.Attempts
			case step.Found == 0:
				step.State = Nothing
			}
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		if !known {
			field = unnamed + strconv.Itoa(index)
		}
		steps = append(steps, Step{Field: field, Verb: DoByHand, State: Waiting, Due: now.AddDate(0, 0, p.Rights[policy.Rectification].TaskDays)})
	}
	return steps
}

// unnamed begins the field of a step whose name is the person's own words and
// not the policy's: it may hold anything, so the step, which is stored in clear,
// holds its place among the sealed corrections.
const unnamed = "#"

// named returns r for showing: with the names of fields as the person wrote them.
func (r Request) named(p Person) Request {
	r.Steps = slices.Clone(r.Steps)
	for i, s := range r.Steps {
		place, ok := strings.CutPrefix(s.Field, unnamed)
		if n, err := strconv.Atoi(place); ok && err == nil && n < len(p.Corrections) {
			r.Steps[i].Field = p.Corrections[n].Field
		}
	}
	return r
}

// unitKind is what a worker can do next.
type unitKind int

const (
	unitAccept unitKind = iota + 1 // the policy takes the request on
	unitLook                       // ask a source for one page
	unitStep                       // one page of a step
	unitFinish                     // nothing is left: answer
	unitEnd                        // what the person agreed to ends with their account
)

// unit is one piece of work, possible from an instant on.
type unit struct {
	kind  unitKind
	index int // of the look or step
	at    time.Time
}

// unit returns the next piece of work: the one that can begin first. There is
// none while a person has to move.
func (r Request) unit() (unit, bool) {
	if r.Status == Open && r.Automatic && (r.NewAddress == nil || r.NewAddress.Proven()) {
		return unit{kind: unitAccept, at: later(r.Proof.At, r.newAddressAt())}, true
	}
	if r.Status != InProgress && r.Status != Open {
		return unit{}, false
	}
	if r.Right == policy.AccountClosure && r.Switched.IsZero() {
		return unit{kind: unitEnd}, true // before all else: nobody is to be written to any more
	}
	var best unit
	offer := func(u unit) {
		if best.kind == 0 || u.at.Before(best.at) {
			best = u
		}
	}
	asked := true
	for i, l := range r.Looks {
		if l.State.running() {
			asked = false
			offer(unit{unitLook, i, l.After})
		}
	}
	if !asked {
		return best, true
	}
	if r.Status == Open {
		return unit{}, false
	}
	over := true
	for i, s := range r.Steps {
		if s.State.running() {
			at := s.After
			if s.Verb.destructive() {
				at = later(at, r.Start)
			}
			offer(unit{unitStep, i, at})
		}
		over = over && s.State.Over()
	}
	if best.kind != 0 {
		return best, true
	}
	if over && !slices.ContainsFunc(r.Looks, func(l Look) bool { return l.State == Failed }) {
		return unit{kind: unitFinish, at: r.Making.After}, true
	}
	return unit{}, false
}

func (r Request) newAddressAt() time.Time {
	if r.NewAddress == nil {
		return time.Time{}
	}
	return r.NewAddress.At
}

// exports reports whether the answer is a package.
func exports(right policy.Right) bool {
	return right == policy.Access || right == policy.Portability || right == policy.Know
}
