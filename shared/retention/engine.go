package retention

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

const (
	// callFor is how long a source may take for a page. It is half of the lease, so
	// that an answer never arrives when somebody else has taken over.
	callFor = hold.Lease / 2
	// PageTime is how long the page under way may go on after its context has ended.
	PageTime = callFor + 5*time.Second
	// Every is how often a rule's run begins.
	Every = 24 * time.Hour
	// grace is how much longer than that something may stay before it is late.
	grace = 24 * time.Hour
	// idleFor is the pause of a sweep whose source was asked for as much as one run may.
	idleFor = 14 * time.Minute
	// recount is how old an inventory may be.
	recount = 30 * 24 * time.Hour
	// maxRounds is how often one run looks from the start; what is left then waits for
	// the next run, and is late at some point.
	maxRounds = 5
	// maxTries is how often a source fails before that is an error for an operator.
	maxTries = 8
	// maxSamples is how many ids a preview shows.
	maxSamples = 20
	// byClock is who does what nobody asked for.
	byClock = "clock"
)

// Report is what one round over all rules did.
type Report struct {
	Seen   int // rules that were looked at
	Failed int // that will be looked at again
}

// turn is how many pieces of work one rule may do before the others have their turn.
const turn = 40

// Sweep looks at every rule of the policy, begins what is to begin, and works until
// nothing can be done now or the context ends. The page under way is then still
// finished: whoever ends the context leaves PageTime for it. Two may run at once.
//
// Rules take turns, so that one with a million records does not keep the others waiting.
func (s *Service) Sweep(ctx context.Context) (Report, error) {
	var rep Report
	if err := s.retire(ctx, &rep); err != nil {
		return rep, err
	}
	list := s.rules()
	rep.Seen += len(list)
	spent := map[string]float64{}
	failed := map[string]bool{}
	token := string(table.NewID())
	for len(list) > 0 && ctx.Err() == nil {
		list = slices.DeleteFunc(list, func(rule policy.RetentionRule) bool {
			if ctx.Err() != nil {
				return true
			}
			more, err := s.work(ctx, rule, &shift{token: token, left: turn, spent: spent, over: func() bool { return ctx.Err() != nil }})
			if err != nil {
				failed[rule.ID] = true
				s.warn(ctx, rule.ID, err)
			}
			return err != nil || !more
		})
	}
	rep.Failed += len(failed)
	return rep, nil
}

// Act does what is due for the sweep under a key of the due-index. What Sweep does is
// enough; this is for whoever walks the due-index anyway.
func (s *Service) Act(ctx context.Context, key table.Key) error {
	rule, ok := s.rule(ruleOf(key))
	if !ok {
		return s.retireOne(ctx, key)
	}
	_, err := s.work(ctx, rule, &shift{token: string(table.NewID()), left: 1 << 30, spent: map[string]float64{}, over: func() bool { return ctx.Err() != nil }})
	return err
}

func (s *Service) warn(ctx context.Context, rule string, err error) {
	if s.Log != nil {
		s.Log.WarnContext(ctx, "a retention rule failed and will be looked at again", "rule", rule, "err", err)
	}
}

// retire looks for sweeps of rules that the policy no longer has.
func (s *Service) retire(ctx context.Context, rep *Report) error {
	_, err := table.WalkDue(ctx, s.Table, "", s.now(), func(k table.Key) error {
		if !IsKey(k) {
			return ctx.Err()
		}
		if _, ok := s.rule(ruleOf(k)); ok {
			return ctx.Err()
		}
		rep.Seen++
		if err := s.retireOne(ctx, k); err != nil {
			rep.Failed++
			s.warn(ctx, ruleOf(k), err)
		}
		return ctx.Err()
	}, nil)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("look for rules that are gone: %w", err)
	}
	return nil
}

func (s *Service) retireOne(ctx context.Context, k table.Key) error {
	sw, err := s.load(ctx, ruleOf(k))
	if err != nil || sw.version == 0 || sw.Status == Retired || sw.Lease.Until.After(s.now()) {
		return err
	}
	next, e, err := sw.Apply(Retire, byClock, s.now(), audit.Fact{Name: "version", Value: sw.Version})
	if err != nil {
		return err
	}
	next, more, err := s.drop(ctx, next)
	if err != nil {
		return err
	}
	_, err = s.save(ctx, table.NewID(), next, []audit.Entry{e}, more...)
	return unless(err)
}

// unless forgives that somebody else came first.
func unless(err error) error {
	if errors.Is(err, table.ErrConflict) {
		return nil
	}
	return err
}

// drop forgets all work that is under way, and returns the writes that forget what was
// sealed for it. What a claimed page has done stays done; nobody will count it.
func (s *Service) drop(ctx context.Context, sw Sweep) (Sweep, []table.Write, error) {
	c, err := s.secretOf(ctx, sw.Rule)
	if err != nil {
		return sw, nil, err
	}
	more := c.forget()
	switch item, err := s.Table.Get(ctx, pageRef(sw.Rule)); {
	case err == nil:
		more = append(more, table.Delete(pageRef(sw.Rule), table.Version(item.Version)))
	case !errors.Is(err, table.ErrAbsent):
		return sw, nil, fmt.Errorf("look for the page under way of %s: %w", sw.Rule, err)
	}
	sw.Page, sw.Run, sw.Walk, sw.Asked, sw.Preview, sw.Stop, sw.ByHand, sw.Tended = nil, nil, nil, "", nil, nil, nil, nil
	sw.Extra, sw.Tries, sw.Fault = 0, 0, ""
	sw.After, sw.Activated, sw.By = time.Time{}, time.Time{}, ""
	return sw, more, nil
}

// versionOf names the definition of a rule: what it takes, when, from where and how.
// Why a period is what it is changes nothing that is done.
func (s *Service) versionOf(rule policy.RetentionRule) string {
	rule.SetBy, rule.Article, rule.Except = "", "", nil
	decl, _ := s.Policy.Source(rule.Source)
	what := struct {
		Rule     policy.RetentionRule
		Kind     policy.SourceKind
		Role     policy.Role
		HTTP     policy.HTTP
		DynamoDB policy.DynamoDB
		S3       policy.S3
		Cognito  policy.Cognito
		Logs     policy.Logs
		Task     policy.Task
	}{rule, decl.Kind, decl.Role, decl.HTTP, decl.DynamoDB, decl.S3, decl.Cognito, decl.Logs, decl.Task}
	b, err := json.Marshal(what)
	if err != nil {
		panic(err) // texts, numbers and maps of them always marshal
	}
	sum := sha256.Sum256(b)
	return "v1-" + hex.EncodeToString(sum[:8])
}

// declare makes the sweep of a rule that is new, or that was changed. It reports
// whether the sweep is of the rule as the policy has it.
func (s *Service) declare(ctx context.Context, sw Sweep, rule policy.RetentionRule) (Sweep, bool, error) {
	version := s.versionOf(rule)
	if sw.Version == version && sw.Status != Retired {
		return sw, true, nil
	}
	if sw.Page != nil && sw.Page.Until.After(s.now()) || sw.Lease.Until.After(s.now()) {
		return sw, false, nil // somebody is still at the old one; it is not begun again after that
	}
	action, hand := Declare, s.hand(rule)
	switch {
	case hand != nil:
		action = Entrust
	case own(rule):
		action = Watch
	}
	facts := []audit.Fact{
		{Name: "version", Value: version},
		{Name: "source", Value: rule.Source},
		{Name: "category", Value: rule.Category},
		{Name: "trigger", Value: string(rule.Trigger)},
		{Name: "period", Value: rule.Period.String()},
		{Name: "action", Value: string(rule.Action)},
	}
	if sw.Page != nil {
		facts = append(facts, audit.Fact{Name: "unfinished", Value: strconv.Itoa(sw.Page.Records)})
	}
	next, e, err := sw.Apply(action, byClock, s.now(), facts...)
	if err != nil {
		return sw, false, err
	}
	next, more, err := s.drop(ctx, next)
	if err != nil {
		return sw, false, err
	}
	// What a day has taken stays: a rule that is changed to and fro has one share a day.
	next.Version, next.ByHand, next.Inventory = version, hand, Inventory{}
	next.Oldest, next.Seen, next.Told = time.Time{}, time.Time{}, time.Time{}
	entries := []audit.Entry{e}
	switch {
	case hand != nil || own(rule):
	case rule.Trigger.ByAge():
		next.Asked = byClock
	default:
		next.Preview = &Preview{At: s.now(), ByPerson: true}
		var look audit.Entry
		if next, look, err = next.Apply(Look, byClock, s.now(), audit.Fact{Name: "version", Value: version}, audit.Fact{Name: "counted", Value: "when_due"}); err != nil {
			return sw, false, err
		}
		entries = append(entries, look)
		lines, err := s.line(ctx, next, digest.PreviewReady)
		if err != nil {
			return sw, false, err
		}
		more = append(more, lines...)
	}
	next, err = s.save(ctx, table.NewID(), next, entries, more...)
	return next, err == nil, err
}

// hand returns who ends a rule by hand, or nil if a program does.
func (s *Service) hand(rule policy.RetentionRule) *Hand {
	if !rule.Trigger.ByAge() {
		return nil
	}
	decl, _ := s.Policy.Source(rule.Source)
	if decl.Kind != policy.KindTask {
		return nil
	}
	return &Hand{Team: decl.Task.Team, Due: s.now().AddDate(0, 0, decl.Task.Days)}
}

const (
	// cycle is how often what is done by hand is to be done.
	cycle = 30 * 24 * time.Hour
	// handFor is how long somebody has for it the first time, if the policy does not say.
	handFor = 14 * 24 * time.Hour
)

// shift is one worker's stint on one rule.
type shift struct {
	token string
	left  int                // pieces of work that it may still do
	spent map[string]float64 // units, by source
	saved time.Time          // when what it knows was last stored
	dirty bool               // it knows more than is stored
	over  func() bool        // its time is over: nothing more is begun
}

// job is what pages are made of.
type job struct {
	source, category string
	by               source.Hand
	verb             source.Verb
	masks            []source.Mask
	size             int
	units            float64 // that one run may use; 0: as many as it takes
	pick             func(context.Context, []source.AgedRecord) ([]bool, error)
	rule             policy.RetentionRule // the zero value: a replay, which has no brake
}

var verbs = map[policy.RetentionAction]source.Verb{
	policy.RetireDelete: source.Delete, policy.RetireAnonymise: source.Anonymise, policy.RetireArchive: source.Archive,
}

func (s *Service) jobOf(rule policy.RetentionRule) job {
	decl, _ := s.Policy.Source(rule.Source)
	j := job{
		source: rule.Source, category: rule.Category, by: source.Collected, verb: verbs[rule.Action], masks: rule.Masks,
		size: decl.PageSize, units: decl.DynamoDB.Sweep.Units, rule: rule,
	}
	if rule.Trigger == policy.WhenLastUsed {
		j.by = source.LastUsed
	}
	return j
}

// work does what can be done for a rule now. It reports whether there is more.
func (s *Service) work(until context.Context, rule policy.RetentionRule, sh *shift) (more bool, err error) {
	ctx := context.WithoutCancel(until)
	sw, err := s.load(ctx, rule.ID)
	if err != nil {
		return false, err
	}
	j := s.jobOf(rule)
	for try := 0; until.Err() == nil; {
		if sw.Lease.Token != sh.token && sw.Lease.Until.After(s.now()) {
			return false, nil
		}
		var does func(context.Context, Sweep, job, *shift) (Sweep, error)
		next, current, err := s.declare(ctx, sw, rule)
		if err == nil {
			if !current {
				return false, nil
			}
			if does = s.todo(next, rule); does == nil || sh.left <= 0 {
				return does != nil, s.release(ctx, next, sh)
			}
			sh.left--
			next, err = does(ctx, next, j, sh)
		}
		if err == nil {
			sw, try = next, 0
			continue
		}
		if !errors.Is(err, table.ErrConflict) {
			return false, err
		}
		// Somebody else changed the rule, or placed a hold: look again.
		if try++; try > conflictTries {
			return false, ErrBusy
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return false, err
		}
		sh.dirty = false
		if sw, err = s.load(ctx, rule.ID); err != nil {
			return false, err
		}
	}
	return true, s.release(ctx, sw, sh)
}

// conflictTries is how often a change is decided again on a newer version.
const conflictTries = 8

// todo returns what is to be done for a rule now, or nil. A run goes before a count.
func (s *Service) todo(sw Sweep, rule policy.RetentionRule) func(context.Context, Sweep, job, *shift) (Sweep, error) {
	now := s.now()
	switch {
	case sw.After.After(now):
		return nil
	case sw.Status == Watched:
		if !sw.nextTend().After(now) {
			return s.tend
		}
	case sw.Status == ByHand:
		if h := sw.ByHand; h != nil && !h.Told.Equal(h.Due) && !h.opens(s.days(sw)).After(now) {
			return s.remind
		}
	case sw.Status == Active && sw.Page != nil:
		return s.repeat
	case sw.Status == Active && sw.Run != nil:
		return s.page
	case sw.Status == Active && rule.Trigger.ByAge() && !sw.nextRun().After(now):
		return s.begin
	case sw.Walk != nil:
		return s.count
	case sw.Asked != "":
		return s.beginCount
	}
	if s.lateNow(sw, now) != nil && now.Sub(sw.Told) > 7*24*time.Hour {
		return s.tell
	}
	return nil
}

// nextRun is when the next run begins.
func (sw Sweep) nextRun() time.Time {
	if sw.Last == nil || sw.Last.Ended.IsZero() { // a restore cut it short
		return sw.Activated
	}
	return sw.Last.Began.Add(Every)
}

// next is the earliest instant at which somebody must look at the sweep again.
func (s *Service) next(sw Sweep) time.Time {
	now := s.now()
	if sw.Status == Retired || sw.Status == replaying {
		return time.Time{}
	}
	due := now.Add(Every) // whether the policy still has the rule, and whether it is late
	at := func(t time.Time) {
		if t.Before(due) {
			due = t
		}
	}
	switch {
	case sw.Page != nil || sw.Run != nil || sw.Walk != nil || sw.Asked != "":
		at(later(later(now, sw.After), sw.Lease.Until))
	case sw.Status == Active:
		if rule, ok := s.rule(sw.Rule); ok && rule.Trigger.ByAge() {
			at(later(sw.nextRun(), sw.After))
		}
	case sw.Status == Watched:
		at(later(later(now, sw.nextTend()), sw.After))
	case sw.ByHand != nil && !sw.ByHand.Told.Equal(sw.ByHand.Due):
		at(sw.ByHand.opens(s.days(sw)))
	}
	return due
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// keep stores progress that is no change in the sense of the audit, and renews the lease.
func (s *Service) keep(ctx context.Context, sw Sweep, sh *shift, more ...table.Write) (Sweep, error) {
	sw.Lease = Lease{Token: sh.token, Until: s.now().Add(hold.Lease)}
	next, err := s.save(ctx, table.NewID(), sw, nil, more...)
	if err == nil {
		sh.saved, sh.dirty = s.now(), false
	}
	return next, err
}

// held makes sure that the lease outlives a call to a source: it is taken, or renewed
// together with what was learned so far.
func (s *Service) held(ctx context.Context, sw Sweep, sh *shift) (Sweep, error) {
	if sw.Lease.Token == sh.token && sw.Lease.Until.Sub(s.now()) > callFor {
		return sw, nil
	}
	return s.keep(ctx, sw, sh)
}

// release gives the lease back and stores what was learned.
func (s *Service) release(ctx context.Context, sw Sweep, sh *shift) error {
	if sw.Lease.Token != sh.token && !sh.dirty {
		if sw.version > 0 && sw.Due.Before(s.now()) && s.next(sw).After(s.now()) {
			_, err := s.save(ctx, table.NewID(), sw, nil) // it was only looked at
			return unless(err)
		}
		return nil
	}
	sw.Lease = Lease{}
	_, err := s.save(ctx, table.NewID(), sw, nil)
	sh.dirty = false
	return unless(err)
}

// setback notes that a source could not do something now.
func (s *Service) setback(ctx context.Context, sw Sweep, sh *shift, cause error) (Sweep, error) {
	code := "unreachable"
	switch f, ok := errors.AsType[*fault.Error](cause); {
	case ok:
		code = f.Code
	case errors.Is(cause, hold.ErrHeld):
		code = "held"
	case byHand(cause):
		code = codeByHand
	case errors.Is(cause, source.ErrRefused):
		code = "refused"
	}
	sw.Tries++
	sw.Fault, sw.After = code, s.now().Add(table.Backoff(sw.Tries))
	if code != "unreachable" {
		sw.After = s.now().Add(table.Backoff(maxTries))
	}
	if s.Log != nil && code != "held" {
		if code != "unreachable" || sw.Tries >= maxTries {
			s.Log.ErrorContext(ctx, "a retention rule cannot go on", "rule", sw.Rule, "code", code, "tries", sw.Tries, "err", cause)
		} else {
			s.Log.WarnContext(ctx, "a source could not be swept now", "rule", sw.Rule, "code", code, "tries", sw.Tries, "err", cause)
		}
	}
	sw.Lease = Lease{}
	next, err := s.save(ctx, table.NewID(), sw, nil)
	sh.dirty = false
	return next, err
}

// codeByHand is the fault of a source that no program sweeps.
const codeByHand = "by_hand"

// byHand reports whether a source says that people have to sweep it.
func byHand(err error) bool {
	return errors.Is(err, source.ErrHuman) || errors.Is(err, source.ErrNotSwept)
}

// entrust leaves a rule to people: its source, although it might have been, is not one
// that can be swept.
func (s *Service) entrust(ctx context.Context, sw Sweep) (Sweep, error) {
	next, e, err := sw.Apply(Entrust, byClock, s.now(), audit.Fact{Name: "version", Value: sw.Version})
	if err != nil {
		return sw, err
	}
	next, more, err := s.drop(ctx, next)
	if err != nil {
		return sw, err
	}
	next.ByHand = &Hand{Due: s.now().Add(handFor)}
	next.Lease = Lease{}
	return s.save(ctx, table.NewID(), next, []audit.Entry{e}, more...)
}

// sweeper returns the source of a job.
func (s *Service) sweeper(j job) (source.Sweeper, error) {
	src, ok := s.Sources[j.source]
	if !ok {
		return nil, fmt.Errorf("%w: the policy in force has no source %s", source.ErrRefused, j.source)
	}
	sweeper, ok := src.(source.Sweeper)
	if !ok {
		return nil, fmt.Errorf("%w: the source %s cannot be swept", source.ErrHuman, j.source)
	}
	return sweeper, nil
}

// callKey identifies one call, and says nothing about what it is about.
func (s *Service) callKey(parts ...string) string {
	return s.Keys.Ring.Hash("retention call", parts...)
}

// cutoff returns the latest instant whose period is over at now.
func cutoff(p policy.Period, now time.Time) time.Time {
	months := 12*p.Years + p.Months
	first := time.Date(now.Year(), now.Month()-time.Month(months), 1, now.Hour(), now.Minute(), now.Second(), now.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(now.Day(), last)-1-p.Days)
}

// old asks a source for one page of old records.
func (s *Service) old(ctx context.Context, j job, until time.Time, cursor, key string, whole bool, sh *shift, lease time.Time) (source.Aged, error) {
	sweeper, err := s.sweeper(j)
	if err != nil {
		return source.Aged{}, err
	}
	ask := source.Age{
		Category: j.category, By: j.by, Until: until, Verb: j.verb, Whole: whole, Cursor: cursor, Limit: j.size,
		Call: source.Call{Key: s.callKey(key, "old", sh.token, strconv.Itoa(sh.left), s.now().String()), Lease: lease}, // never answered from memory
	}
	if j.units > 0 {
		ask.Units = j.units - sh.spent[j.source]
	}
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	aged, err := sweeper.Old(ctx, ask)
	if err != nil {
		return aged, err
	}
	sh.spent[j.source] += aged.Units
	if !aged.Done && aged.Cursor == "" || !aged.Done && aged.Cursor == cursor {
		return aged, fmt.Errorf("%w: the page of old records is not the last one and does not say how to go on", source.ErrRefused)
	}
	return aged, nil
}

// exhausted reports whether a source was asked for as much as one run may.
func (j job) exhausted(sh *shift) bool { return j.units > 0 && sh.spent[j.source] >= j.units }
