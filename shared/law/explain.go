package law

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Clocks returns every clock that runs for a case, each with the way to its dates.
func Clocks(c Case) ([]Reckoning, error) {
	k, err := open(c, nil, nil)
	if err != nil {
		return nil, err
	}
	return k.clocks(), nil
}

func (k *count) clocks() []Reckoning {
	var all []Reckoning
	if f := k.strictest(acknowledging); f.law != nil {
		all = append(all, k.reckon(Acknowledge, acknowledging, f))
	}
	answer, extended := k.answer()
	what := answering
	if extended {
		what = extending
	}
	all = append(all, k.reckon(answerClock(k.in.Right), what, answer))
	if first, later, _, err := k.extensible(); err == nil {
		all = append(all, k.reckon(ExtendNotice, answering, first), k.reckon(Extended, extending, later))
	}
	if !k.in.Closed.IsZero() {
		all = append(all, k.afterwards(answer.law)...)
	}
	return all
}

// answerClock names the clock that Count tells the date of.
func answerClock(right string) Clock {
	switch right {
	case "opt_out_sale", "limit_sensitive":
		return OptOut
	case Appeal:
		return Decide
	}
	return Respond
}

// afterwards returns the clocks that run once a request is closed.
func (k *count) afterwards(law *Pack) []Reckoning {
	var all []Reckoning
	closed := DateOf(k.in.Closed, k.in.Zone)
	if a := law.appeal; a != nil && a.file != (Span{}) && k.in.Right != Appeal && k.in.Right != Complaint {
		s := k.account()
		s.applies(law, "")
		day := a.file.After(closed)
		s.say(a.decide.basis, day, "Closed on %s. Who was refused may appeal within %s: until %s.", closed.words(), a.file, day.words())
		all = append(all, Reckoning{Clock: File, Law: law.ID, Legal: day.End(k.in.Zone), Safe: day.End(k.in.Zone), Steps: s.steps})
	}
	// A record is kept for as long as any law wants it kept.
	var keeper *Pack
	var until Date
	for _, p := range k.laws {
		if p.records == nil {
			continue
		}
		if day := p.records.span.After(closed); keeper == nil || day > until {
			keeper, until = p, day
		}
	}
	if keeper != nil {
		s := k.account()
		s.applies(keeper, "")
		s.say(keeper.records.basis, until, "Closed on %s. The record of the request must be kept for %s: until %s.", closed.words(), keeper.records.span, until.words())
		all = append(all, Reckoning{Clock: Records, Law: keeper.ID, Legal: until.End(k.in.Zone), Safe: until.End(k.in.Zone), Steps: s.steps})
	}
	return all
}

// account is the way to a date in words, for people who know no law.
type account struct {
	*count
	steps []Step
	at    Date // where the count stands
}

func (k *count) account() *account { return &account{count: k} }

// say adds a line; day is where the count stands after it.
func (s *account) say(b basis, day Date, format string, args ...any) {
	s.at = day
	s.steps = append(s.steps, Step{
		Text: fmt.Sprintf(format, args...), Article: b.article, Source: b.source, Mark: b.mark, Date: day.End(s.in.Zone),
	})
}

// reckon puts into words how the strictest dates were found.
func (k *count) reckon(clock Clock, what kind, f found) Reckoning {
	s := k.account()
	s.applies(f.law, s.why(what))
	if clock == ExtendNotice {
		s.say(f.law.extension(s.in.Right).basis, s.received, "If the answer takes longer, the person must be told so, with the reasons, before the first period ends.")
	}
	s.say(f.law.receipt, s.received, "Received on %s; the day of receipt is not counted.", s.received.words())

	t, r, put := s.counted(f.law, what)
	s.period(clock, &t, r, put)
	if t.basis.mark == Unverified {
		s.caution(&t, r)
		s.say(*t.basis, r.legal, "This figure was not verified, so the safe date binds: %s.", r.legal.words())
	}
	if clock == answerClock(s.in.Right) && s.in.PromisedDays > 0 && what == answering {
		s.promise(f, r.legal)
	}
	if t.basis.mark != Unverified && r.safe < s.at {
		s.caution(&t, r)
	}
	if f.safest != f.law {
		s.other(f.safest, what)
	}
	s.safe(s.at, f.safe)
	return Reckoning{Clock: clock, Law: f.law.ID, Legal: f.legal.End(s.in.Zone), Safe: f.safe.End(s.in.Zone), Steps: s.steps}
}

// counted returns what dates came to under one law, and whether an extension gave it.
func (s *account) counted(p *Pack, what kind) (t term, r result, put bool) {
	if what == extending {
		first, _ := s.term(p, answering)
		r := s.due(&first)
		if t, ok := s.term(p, extending); ok {
			if later := s.due(&t); later.legal > r.legal {
				return t, later, true
			}
		}
		return first, r, false
	}
	t, _ = s.term(p, what)
	return t, s.due(&t), false
}

func (s *account) applies(p *Pack, why string) {
	version := ""
	if slices.ContainsFunc(packs, func(q Pack) bool { return q.ID == p.ID && q.From != p.From }) {
		version = ", in the version for what is received from " + p.From.date() + " on"
	}
	s.say(basis{}, s.received, "%s", strings.TrimSpace(p.Name+" applies"+version+". "+why))
}

// why says for what reason this law is the one.
func (s *account) why(what kind) string {
	var unsure, group string
	switch in := s.in.Residence; {
	case s.covering:
		group = "the laws that cover residents of " + in
	case in == "":
		unsure, group = "The residence is not known. ", "the laws that the policy names"
	default:
		unsure, group = "No law that the policy names covers residents of "+in+". ", "the laws that the policy names"
	}
	if s.in.Right == Appeal {
		group += " and that know an appeal"
	}
	switch {
	case len(s.laws) > 1 && what == acknowledging:
		return unsure + "On confirming receipt it is the strictest of " + group + "."
	case len(s.laws) > 1 && what == extending:
		return unsure + "Once the answer is put off it is the strictest of " + group + "."
	case len(s.laws) > 1:
		return unsure + "It is the strictest of " + group + "."
	case s.covering:
		return "It covers residents of " + s.in.Residence + "."
	}
	return unsure + "It is the only one of " + group + "."
}

// subject is what has to happen until a clock runs out.
func (s *account) subject(clock Clock) string {
	switch {
	case clock == Acknowledge:
		return "Receipt must be confirmed"
	case s.in.Right == "opt_out_sale":
		return "The sale and the sharing of the data must stop"
	case s.in.Right == "limit_sensitive":
		return "The use of the sensitive data must be limited"
	case s.in.Right == Appeal:
		return "The appeal must be decided"
	case s.in.Right == Complaint:
		return "The complaint must be answered"
	}
	return "The answer is due"
}

// period tells a term up to its last day.
func (s *account) period(clock Clock, t *term, r result, put bool) {
	var waits []wait
	if clock != Acknowledge {
		waits = s.waits
	}
	waits = slices.SortedFunc(slices.Values(waits), func(a, b wait) int {
		return cmp.Or(cmp.Compare(a.asked, b.asked), cmp.Compare(a.answered, b.answered), cmp.Compare(a.cause, b.cause))
	})
	from := "receipt"
	if s.restarts(waits, r) {
		from = "that day"
	}

	if s.in.Right == Complaint && clock != Acknowledge && len(t.law.limit(Complaint).rights) == 0 {
		s.say(*t.basis, r.start, "The law sets no period for the answer to a complaint: we take the one that it sets for a request.")
	}
	alone := *t
	alone.waits = nil
	end := s.walk(&alone, r.start, t.span, plain)
	text := fmt.Sprintf("%s within %s of %s: %s", s.subject(clock), t.span, from, end.words())
	if put {
		text = fmt.Sprintf("The law lets this be put off, once, to %s from %s: %s", t.span, from, end.words())
	}
	if t.span.Unit == Months {
		_, _, first := r.start.Civil()
		if _, _, last := end.Civil(); last < first {
			text += ", the last day of a month that has no " + ordinal(first)
		}
	}
	s.say(*t.basis, end, "%s.", text)
	if t.span.Unit == BusinessDays {
		s.business(t, r.start, end)
	}

	s.pauses(&alone, waits, r)
	s.roll(t, r)
}

// restarts tells which answers the period could begin with, and whether one of them began it.
func (s *account) restarts(waits []wait, r result) (began bool) {
	for _, w := range waits {
		if w.effect != Restart {
			continue
		}
		what, asked, answered := causes[w.cause], w.asked.words(), w.answered.words()
		switch {
		case w.asked > r.open: // told later
		case w.answered < r.start:
			s.say(w.rule.basis, s.at, "We asked for %s on %s and had it on %s; a later answer begins the period.", what, asked, answered)
		case w.open:
			s.say(w.rule.basis, w.answered, "We asked for %s on %s and do not have it yet. The period begins with the day on which we get it; so far it is counted from %s.", what, asked, answered)
			began = true
		default:
			s.say(w.rule.basis, w.answered, "We asked for %s on %s and had it on %s: the period begins with that day.", what, asked, answered)
			began = true
		}
	}
	return began
}

func (s *account) late(w *wait, r result) {
	when := "when the time was over: that does not bring it back"
	switch {
	case w.effect == Restart && w.asked <= r.last:
		when = "when the answer was put off already: that does not begin the period anew"
	case w.asked == r.last:
		when = "the last day: that does not lengthen it"
	}
	s.say(w.rule.basis, s.at, "We asked for %s on %s, %s.", causes[w.cause], w.asked.words(), when)
}

// business names the holidays that were no business days.
func (s *account) business(t *term, start, end Date) {
	var names []string
	for day := start + 1; day < end; day++ {
		if !day.weekend() && s.holiday(t.free, day) {
			names = append(names, named(t.free, day))
		}
	}
	switch len(names) {
	case 0:
		s.say(basis{}, end, "Saturdays and Sundays are no business days.")
	case 1:
		s.say(basis{}, end, "Saturdays and Sundays are no business days, nor is %s.", names[0])
	default:
		s.say(basis{}, end, "Saturdays and Sundays are no business days, nor are %s.", list(names))
	}
	s.unknown(t.free, end, "they are counted as business days")
}

// unknown says that no holidays are left out, and why.
func (s *account) unknown(free region, end Date, then string) {
	switch {
	case free != 0:
	case s.home != 0:
		s.say(basis{}, end, "The public holidays of %s are none under this law: %s.", s.in.Place, then)
	default:
		s.say(basis{}, end, "The public holidays of the place are not known: %s. The date is early, never late.", then)
	}
}

// pauses tells the waits that begin nothing anew. t is the term without them; they
// are added one by one.
func (s *account) pauses(t *term, waits []wait, r result) {
	var told []Cause
	for _, w := range waits {
		what := causes[w.cause]
		first := max(w.from, r.start+1)
		switch {
		case w.effect == Restart:
			if w.asked > r.open {
				s.late(&w, r)
			}
		case w.effect == Ignore:
			if slices.Contains(told, w.cause) {
				continue
			}
			told = append(told, w.cause)
			b := *t.basis
			if w.rule != nil {
				b = w.rule.basis
			}
			s.say(b, s.at, "Waiting for %s stops nothing under this law.", what)
		case w.from > r.last:
			s.late(&w, r)
		case first > w.to && w.open:
			s.say(w.rule.basis, s.at, "We asked for %s on %s and do not have it yet: no day of the period is lost so far.", what, w.asked.words())
		case first > w.to:
			s.say(w.rule.basis, s.at, "We asked for %s on %s and had it on %s: no day of the period was lost.", what, w.asked.words(), w.answered.words())
		default:
			n := 0
			for day := first; day <= w.to; day++ {
				if !t.paused(day, plain) {
					n++
				}
			}
			t.waits = append(t.waits, w)
			end := s.walk(t, r.start, t.span, plain)
			s.say(w.rule.basis, end, "%s", w.words(what, n))
		}
	}
}

func (w *wait) words(what string, n int) string {
	days := strconv.Itoa(n) + " days that do not count"
	if n == 1 {
		days = "1 day that does not count"
	}
	switch {
	case n == 0:
		return fmt.Sprintf("From %s to %s we waited for %s, too: these days are left out already.", w.asked.words(), w.answered.words(), what)
	case w.effect == PauseInclusive && !w.open:
		return fmt.Sprintf("From %s to %s we waited for %s: %s.", w.asked.words(), w.answered.words(), what, days)
	case w.effect == PauseInclusive:
		return fmt.Sprintf("Since %s we have been waiting for %s: up to %s, %s.", w.asked.words(), what, w.answered.words(), days)
	case !w.open:
		return fmt.Sprintf("After %s we waited for %s until %s: %s.", w.asked.words(), what, w.answered.words(), days)
	}
	return fmt.Sprintf("After %s we have been waiting for %s: up to %s, %s.", w.asked.words(), what, w.answered.words(), days)
}

// roll names the days that a period does not end on.
func (s *account) roll(t *term, r result) {
	if t.law.roll == (basis{}) {
		return
	}
	var names []string
	for day := r.end; day < r.last; day++ {
		name := named(t.free, day)
		if !s.idle(t.free, day) {
			name += " (waiting)"
		}
		names = append(names, name)
	}
	switch len(names) {
	case 0:
	case 1:
		s.say(t.law.roll, r.last, "%s is no working day: the period ends with the next one, %s.", names[0], r.last.words())
	default:
		s.say(t.law.roll, r.last, "%s are no working days: the period ends with the next one, %s.", list(names), r.last.words())
	}
	s.unknown(t.free, r.last, "only a weekend moves the last day")
}

// promise tells what the policy promises beyond the law.
func (s *account) promise(f found, legal Date) {
	promise := "The policy promises an answer within " + Span{s.in.PromisedDays, Days}.String()
	switch after := s.in.PromisedDays - int(legal-s.received); {
	case after < 0:
		s.say(basis{}, f.legal, "%s: %s. That is earlier than the law demands, and binds.", promise, f.legal.words())
	case after == 0:
		s.say(basis{}, legal, "%s: the same date.", promise)
	default:
		s.say(basis{}, legal, "%s. The law does not wait that long, and binds.", promise)
	}
}

// caution tells the way from the last day of a term to its safe date.
func (s *account) caution(t *term, r result) {
	day := r.last
	if r.end < day {
		day = r.end
		s.say(t.law.roll, day, "The safe date leaves out the move to a later day: %s.", day.words())
	}
	if r.cautious < day {
		day = r.cautious
		if t.span.Unit == BusinessDays {
			b := *t.basis
			b.mark = Unverified // the number of days may be; which days they are is not
			s.say(b, day, "Which holidays are no business days was not verified: the safe date counts them: %s.", day.words())
		}
		var told []*stop
		for i := range t.waits {
			if w := &t.waits[i]; w.effect != Ignore && w.asked <= r.last && !w.counts(careful) && !slices.Contains(told, w.rule) {
				told = append(told, w.rule)
				s.say(w.rule.basis, day, "What waiting for %s does to the time was not verified in its text: the safe date leaves it out.", causes[w.cause])
			}
		}
	}
	for i := range t.readings {
		if other := s.otherwise(t, &t.readings[i]); other < day {
			day = other
			s.honour(&t.readings[i], day)
		}
	}
	for i := range t.readings {
		if n := t.readings[i].earlier; n > 0 {
			day -= Date(n) //nolint:gosec // a day or two
			s.honour(&t.readings[i], day)
		}
	}
	s.safe(day, r.safe)
}

func (s *account) honour(r *reading, day Date) {
	s.say(r.basis, day, "%s The safe date honours it: %s.", r.text, day.words())
}

// other tells the safe date of a law that could apply instead.
func (s *account) other(p *Pack, what kind) {
	t, r, _ := s.counted(p, what)
	if r.safe >= s.at {
		return
	}
	s.say(*t.basis, r.last, "The safe date honours %s too, which gives %s: %s.", p.Name, t.span, r.last.words())
	if r.safe < r.last {
		s.caution(&t, r)
	}
}

// safe tells how a safe date is moved to a day on which the controller works.
func (s *account) safe(day, safe Date) {
	switch {
	case safe == day:
	case safe > day: // a period that was paused for longer than a figure that was not verified lets it be put off
		s.say(basis{}, safe, "The safe date of the extension is later, and holds: %s.", safe.words())
	case safe == s.received:
		s.say(basis{}, safe, "There is no working day before %s: the safe date is the day of receipt.", day.words())
	default:
		s.say(basis{}, safe, "%s is no working day: the safe date is the one before, %s.", named(s.home, day), safe.words())
	}
}

// causes says what is waited for.
var causes = map[Cause]string{
	Identity:      "proof of identity",
	Clarification: "your clarification",
	Fee:           "the fee",
	Mandate:       "proof that somebody may act for you",
	Consultation:  "the answer of a third party",
}

// named says a date, and which holiday it is.
func named(free region, day Date) string {
	if free != 0 {
		if f := calendars[free-1].feast(day); f != nil {
			return day.words() + " (" + f.name + ")"
		}
	}
	return day.words()
}

// list joins two names or more as a sentence does.
func list(names []string) string {
	n := len(names) - 1
	return strings.Join(names[:n], ", ") + " and " + names[n]
}

// ordinal says a day that not every month has.
func ordinal(day int) string {
	if day == 31 {
		return "31st"
	}
	return strconv.Itoa(day) + "th"
}
