package request

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/law"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
)

// View is a request as its person sees it.
type View struct {
	Request  Request
	Systems  []words.System      // what was found and done, by system and category
	Ignored  []personal.Identity // named by the requester, tied to the verified address by no source
	Timeline []audit.Entry
	Contact  words.Contact
	Reason   string // of a denial, in words
	Article  string
	// Ground is why the answer was put off, if it was.
	Ground Ground
	// Still is what time stands still for.
	Still []law.Stop
	// Messages is the dialogue; Question is what the person has not answered yet, nil
	// if there is nothing; Explanation says why what was weighed ended as it did.
	Messages    []Message
	Question    *Message
	Explanation personal.Text
	// Appealable says that an appeal against the answer can be made, until an
	// instant if the law sets one; Appeal is the one that was made.
	Appealable  bool
	AppealUntil time.Time
	Appeal      ID
	// Authority is whom to complain to; always shown, for the person need not
	// complain to the company first.
	Authority words.Authority
	// Exclusions is data that the policy does not cover: it was not searched, and
	// whom to ask instead.
	Exclusions []policy.Exclusion
	// Downloadable says that the package can be fetched with this session now;
	// StepUp that it can after proving the address again.
	Downloadable, StepUp bool
}

// Ground is the reason of an extension, in words.
type Ground struct{ Text, Article string }

// Follow shows where a request stands.
func (s *Service) Follow(ctx context.Context, id ID, token string) (View, error) {
	r, t, err := s.Authorize(ctx, id, token)
	if err != nil {
		return View{}, err
	}
	v, err := s.view(ctx, r)
	if err != nil {
		return View{}, err
	}
	if r.Package != nil && !r.Package.Cleared && s.now().Before(r.Package.Until) {
		v.Downloadable = t.N > r.Package.Delivered
		v.StepUp = !v.Downloadable
	}
	return v, nil
}

func (s *Service) view(ctx context.Context, r Request) (View, error) {
	p, _, err := s.person(ctx, r)
	if err != nil && !errors.Is(err, seal.ErrSealed) { // erased since: there is nobody to name
		return View{}, err
	}
	r = s.current(r).named(p)
	v := View{
		Request: r, Systems: s.Outcome(r, r.Locale), Contact: s.Contact(), Authority: s.authority(r),
		Exclusions: s.Policy.Scope.Exclusions, Ignored: s.ignored(ctx, r, p),
	}
	v.Reason, v.Article = s.reason(r)
	if r.Extension != nil {
		v.Ground.Text, v.Ground.Article = s.ground(r)
	}
	if v.Messages, err = s.messages(ctx, r); err != nil {
		return View{}, err
	}
	v.Question, v.Explanation = r.question(v.Messages), explanation(v.Messages)
	v.Still = s.still(r)
	if v.Appeal, err = s.appealOf(ctx, r); err != nil {
		return View{}, err
	}
	if v.Appeal == "" {
		v.AppealUntil, v.Appealable = s.appealUntil(r)
	}
	for b, err := range s.entries(ctx, r.ID.Chain(), r.Head.Seq) {
		if err != nil {
			return View{}, err
		}
		e, err := audit.Decode(b)
		if err != nil {
			return View{}, err
		}
		v.Timeline = append(v.Timeline, e)
	}
	return v, nil
}

// question returns the last question that waits for an answer, nil if none does.
func (r Request) question(list []Message) *Message {
	for _, m := range slices.Backward(list) {
		if m.By == ByPerson || r.Status.Final() {
			return nil
		}
		if m.Cause != "" && r.waitsFor(m.Cause) {
			return &m
		}
	}
	return nil
}

// explanation is what the person was told with the end of what was weighed.
func explanation(list []Message) personal.Text {
	for _, m := range slices.Backward(list) {
		if m.decides {
			return m.Text
		}
	}
	return personal.Text{}
}

// still returns the stops that stop the time of a request now.
func (s *Service) still(r Request) []law.Stop {
	if !r.Paused || r.Status.Final() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Stops), func(stop law.Stop) bool {
		rule, err := law.Asking(s.legalCase(r, s.now()), stop.Cause)
		return !stop.Answered.IsZero() || err != nil || rule.Effect == law.Ignore
	})
}

// appealOf returns the appeal against an answer, if there is one. Its id follows
// from the request's: there is one per answer.
func (s *Service) appealOf(ctx context.Context, r Request) (ID, error) {
	if r.Right == policy.Appeal || r.Right.Internal() || r.Status != Denied && r.Status != Fulfilled {
		return "", nil
	}
	if none := law.Appeals(s.legalCase(r, s.now())); none != nil {
		return "", nil //nolint:nilerr // where nobody can appeal, nobody did
	}
	appeal, err := s.load(ctx, s.appealID(r))
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return appeal.ID, err
}

// Deadline shows the person the clocks of their request, with its dates as they are now.
func (s *Service) Deadline(ctx context.Context, id ID, token string) (Request, []law.Reckoning, error) {
	r, _, err := s.Authorize(ctx, id, token)
	if err != nil {
		return Request{}, nil, err
	}
	r = s.current(r)
	clocks, err := s.Clocks(r)
	return r, clocks, err
}

// Extendable returns how far the answer can be put off now, nil if it cannot.
func (s *Service) Extendable(r Request) *law.Extension {
	x, err := s.extension(r)
	if err != nil {
		return nil
	}
	return &x
}

// ignored returns the claims that no source tied to the verified address, once
// the sources were asked.
func (s *Service) ignored(ctx context.Context, r Request, p Person) []personal.Identity {
	// Without a plan nothing was decided yet. What a person weighs by hand has a
	// plan without looks: no source is asked, so none ties a claim to anything.
	if len(r.Looks) == 0 && len(r.Steps) == 0 || !r.asked() || len(p.Claims) == 0 {
		return nil
	}
	if !r.Status.Final() && slices.ContainsFunc(r.Looks, func(l Look) bool { return l.State == Failed }) {
		return nil // a source that could not be asked may tie them yet
	}
	proven := p.proven()
	if r.Ties != nil {
		subject, err := s.Keys.Load(ctx, r.Holder)
		if err == nil {
			proven, _ = s.identities(r, p, subject)
		}
	}
	return slices.DeleteFunc(slices.Clone(p.Claims), func(c personal.Identity) bool { return slices.Contains(proven, c) })
}

// Outcome tells, per system and category, what was found and what became of it.
func (s *Service) Outcome(r Request, language string) []words.System {
	var systems []words.System
	for _, step := range r.Steps {
		name := s.Policy.Controller.TradeName
		decl, ok := s.Policy.Source(step.Source)
		if ok {
			name = decl.Label.In(language)
		}
		o := words.Outcome{Category: step.Field, Result: step.result(), Count: step.Done}
		if c, ok := s.Policy.Category(step.Category); ok {
			o.Category = c.Label.In(language)
		}
		if step.Verb == DoByHand && step.Field == "" {
			o.Category = s.handled(r, decl, language)
		}
		if step.Verb == DoChoose {
			o.Category, o.Count = words.In(language).Name("right", string(r.Right)), 0
		}
		if o.Count == 0 {
			o.Count = step.Found
		}
		if r.Status.Final() && o.Count > 0 && !step.State.Over() {
			o.Result = words.Found // nothing more will be done to them
		}
		if h, ok := decl.Holding(step.Category); ok && o.Result == words.Kept {
			o.Duty = h.Keep.Duty.In(language)
			if h.Keep.Article != "" {
				o.Duty += " (" + h.Keep.Article + ")"
			}
			o.Until = r.keptTo(h.Keep)
		}
		if o.Result == words.Elsewhere {
			o.Controller = decl.Controller
		}
		if i := len(systems) - 1; i >= 0 && systems[i].Name == name {
			systems[i].Outcomes = append(systems[i].Outcomes, o)
		} else {
			systems = append(systems, words.System{Name: name, Outcomes: []words.Outcome{o}})
		}
	}
	return systems
}

// handled names what people do something about in a source.
func (s *Service) handled(r Request, src policy.Source, language string) string {
	var labels []string
	for _, h := range src.Holdings {
		verb, concerned := r.verbFor(s.Policy, src.ID, h)
		if c, ok := s.Policy.Category(h.Category); ok && concerned && verb != DoKeep {
			labels = append(labels, c.Label.In(language))
		}
	}
	return strings.Join(labels, ", ")
}

// result is a step's state as people are told it. A hold reads as waiting:
// nobody is told that they are under investigation.
func (s Step) result() words.Result {
	switch s.State {
	case Nothing:
		return words.Nothing
	case Kept:
		return words.Kept
	case Failed:
		return words.Failed
	case Waiting:
		return words.Waiting
	case Planned, Working, Looking:
		switch {
		case s.Verb == DoChoose:
			return words.ToTell
		case s.Found == 0 && s.Done == 0:
			return words.Nothing // so far
		case s.Fault == "held" || s.Verb == DoExport:
			return words.Found
		}
		return s.coming()
	case Told:
		return s.told()
	case Done:
		if s.Left > 0 {
			return words.Kept
		}
	}
	switch s.Verb {
	case DoDelete:
		return words.Erased
	case DoAnonymise:
		return words.Anonymised
	case DoCorrect:
		return words.Corrected
	case DoExport:
		return words.Copied
	case DoChoose:
		return words.Told
	case DoArchive:
		return words.Done
	case DoByHand, DoTell, DoKeep, DoRefer, DoRefuse:
	}
	return s.told()
}

// coming is what a step will do once its time has come.
func (s Step) coming() words.Result {
	switch s.Verb {
	case DoAnonymise:
		return words.ToMask
	case DoCorrect:
		return words.ToCorrect
	case DoDelete, DoExport, DoByHand, DoTell, DoKeep, DoRefer, DoRefuse, DoChoose, DoArchive:
	}
	return words.Planned
}

func (s Step) told() words.Result {
	switch s.Verb {
	case DoRefer:
		return words.Elsewhere
	case DoRefuse:
		return words.Historical
	case DoByHand:
		return words.Done
	case DoExport, DoTell, DoDelete, DoAnonymise, DoCorrect, DoKeep, DoChoose, DoArchive:
	}
	return words.Held
}

// Zone is the controller's time zone, in which days are counted and told.
func (s *Service) Zone() *time.Location {
	zone, err := time.LoadLocation(s.Policy.Controller.TimeZone)
	if err != nil {
		return time.UTC // the policy was checked when it was read
	}
	return zone
}
