package consent

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/policy"
)

// noon is when the questions of these tests are asked; the others are around it.
var (
	noon     = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	spring   = noon.AddDate(0, -3, 0)
	summer   = noon.AddDate(0, -1, 0)
	nextYear = noon.AddDate(1, 0, 0)
)

// granted is a consent given in spring; change says what is different about it.
func granted(change ...func(*Standing)) Standing {
	st := Standing{Choice: Granted, At: spring, Seq: 1, Edition: 2, Until: nextYear}
	for _, c := range change {
		c(&st)
	}
	return st
}

func TestEveryReasonOfADecision(t *testing.T) {
	t.Parallel()
	on := func(key string, st Standing) Subject {
		return Subject{ID: "s1", Purposes: map[string]Standing{key: st}}
	}
	stopped := func(stop policy.Stop, also ...Subject) Subject {
		sub := Subject{ID: "s1"}
		if len(also) > 0 {
			sub = also[0]
		}
		sub.Stops = map[policy.Stop]time.Time{stop: summer}
		return sub
	}
	pending := func(sub Subject, until time.Time) Subject {
		sub.ID, sub.Asks = "s1", map[string]Ask{"survey": {At: summer, Seq: 7, Until: until}}
		return sub
	}
	listed := func(sub Subject, mailing string, stop policy.Stop) Subject {
		sub.ID, sub.Lists = "s1", map[string]policy.Stop{mailing: stop}
		return sub
	}
	refused := func(c Choice) Standing { return Standing{Choice: c, At: spring, Seq: 1} }
	winning := func(c policy.Conflict) func(*policy.Policy) {
		return func(p *policy.Policy) { p.Signals.OnConflict = c }
	}
	ignoring := func(p *policy.Policy) { p.Signals.GPC = policy.Ignored }
	gpc := circumstances{signals: Signals{GPC: true}}
	dnt := circumstances{signals: Signals{DNT: true}}
	halted := circumstances{halt: Halt{On: true, Since: summer}}
	lived := func(residence string) circumstances { return circumstances{residence: residence} }

	tests := map[string]struct {
		sub  Subject
		key  string
		c    circumstances
		p    func(*policy.Policy)
		want string // why, with + for yes and ? for "ask them"
	}{
		"what no policy knows":              {Subject{}, "telepathy", circumstances{}, nil, "unknown_purpose"},
		"no purpose at all":                 {Subject{}, "", circumstances{}, nil, "unknown_purpose"},
		"an act of what has no acts":        {Subject{}, "newsletter/7", circumstances{}, nil, "unknown_purpose"},
		"an act of what is no choice":       {Subject{}, "sell_books/7", circumstances{}, nil, "unknown_purpose"},
		"an empty act":                      {Subject{}, "recordings/", circumstances{}, nil, "unknown_purpose"},
		"a legal notice":                    {Subject{}, "notices", circumstances{}, nil, "+always_sent"},
		"a legal notice while halted":       {Subject{}, "notices", halted, nil, "+always_sent"},
		"a legal notice under restriction":  {stopped(policy.Restricted), "notices", circumstances{}, nil, "+always_sent"},
		"a legal notice after a complaint":  {stopped(policy.Complained), "notices", circumstances{}, nil, "+always_sent"},
		"anything while halted":             {on("newsletter", granted()), "newsletter", halted, nil, "halted"},
		"a contract while halted":           {Subject{}, "sell_books", halted, nil, "halted"},
		"what is needed while halted":       {Subject{}, "session", halted, nil, "halted"},
		"a contract":                        {Subject{}, "sell_books", circumstances{}, nil, "+legal_basis"},
		"a contract under restriction":      {stopped(policy.Restricted), "sell_books", circumstances{}, nil, "restriction"},
		"what is needed under restriction":  {stopped(policy.Restricted), "session", circumstances{}, nil, "restriction"},
		"a contract objected to":            {stopped(policy.Objected), "sell_books", circumstances{}, nil, "+legal_basis"},
		"an interest objected to":           {stopped(policy.Objected), "keep_the_shop_safe", circumstances{}, nil, "objection"},
		"an interest":                       {Subject{}, "keep_the_shop_safe", circumstances{}, nil, "+legal_basis"},
		"consent that nobody can give":      {Subject{}, "survey", circumstances{}, withoutRule("survey"), "not_asked"},
		"what is needed":                    {Subject{}, "session", circumstances{}, nil, "+essential"},
		"what is needed, refused all same":  {on("session", refused(Denied)), "session", circumstances{}, nil, "+essential"},
		"a recording of nothing":            {on("recordings/7", granted()), "recordings", circumstances{}, nil, "act_needed"},
		"a recording":                       {on("recordings/7", granted()), "recordings/7", circumstances{}, nil, "+consent"},
		"another recording":                 {on("recordings/7", granted()), "recordings/8", circumstances{}, nil, "not_asked?"},
		"a consent":                         {on("newsletter", granted()), "newsletter", circumstances{}, nil, "+consent"},
		"a consent that ends soon":          {on("newsletter", granted(func(st *Standing) { st.Until = noon.AddDate(0, 0, 20) })), "newsletter", circumstances{}, nil, "+consent?"},
		"a consent that ends now":           {on("newsletter", granted(func(st *Standing) { st.Until = noon })), "newsletter", circumstances{}, nil, "expired?"},
		"a consent that has lapsed":         {on("newsletter", refused(Ended)), "newsletter", circumstances{}, nil, "expired?"},
		"a consent without an end":          {on("newsletter", granted(func(st *Standing) { st.Until = time.Time{} })), "newsletter", circumstances{}, nil, "expired?"},
		"a consent to an earlier wording":   {on("analytics", granted(func(st *Standing) { st.Edition = 1 })), "analytics", circumstances{}, nil, "wording_changed?"},
		"a consent to a later wording":      {on("analytics", granted(func(st *Standing) { st.Edition = 3 })), "analytics", circumstances{}, nil, "+consent"},
		"nobody asked":                      {Subject{}, "newsletter", circumstances{}, nil, "not_asked?"},
		"denied":                            {on("newsletter", refused(Denied)), "newsletter", circumstances{}, nil, "denied"},
		"withdrawn":                         {on("newsletter", refused(Withdrawn)), "newsletter", circumstances{}, nil, "withdrawn"},
		"denied what is on by default":      {on("lessons", refused(Denied)), "lessons", lived("FR"), nil, "denied"},
		"lapsed what is on by default":      {on("lessons", refused(Ended)), "lessons", lived("FR"), nil, "expired?"},
		"not confirmed":                     {pending(Subject{}, nextYear), "survey", circumstances{}, nil, "unconfirmed"},
		"denied, asked again":               {pending(on("survey", refused(Denied)), nextYear), "survey", circumstances{}, nil, "unconfirmed"},
		"granted, asked again":              {pending(on("survey", granted()), nextYear), "survey", circumstances{}, nil, "+consent"},
		"never confirmed":                   {pending(Subject{}, noon), "survey", circumstances{}, nil, "not_asked?"},
		"denied, never confirmed":           {pending(on("survey", refused(Denied)), noon), "survey", circumstances{}, nil, "denied"},
		"on by default":                     {Subject{}, "lessons", lived("FR"), nil, "+default"},
		"on by default, in a part":          {Subject{}, "lessons", lived("US-CA"), nil, "+default"},
		"on by default, nobody knows where": {Subject{}, "lessons", circumstances{}, nil, "+default"},
		"a law forbids it":                  {Subject{}, "lessons", lived("IN"), regime("in-dpdp", "IN"), "not_asked?"},
		"a law forbids it somewhere":        {Subject{}, "lessons", circumstances{}, regime("in-dpdp", "IN"), "not_asked?"},
		"a law forbids it elsewhere":        {Subject{}, "lessons", lived("FR"), regime("in-dpdp", "IN"), "+default"},
		"a law forbids it in a part":        {Subject{}, "lessons", lived("US"), regime("us-wa", "US-WA"), "+default"},
		"a law forbids another ground":      {Subject{}, "segments", lived("US"), regime("us-wa", "US-WA"), "not_asked?"},
		"no law is known":                   {Subject{}, "lessons", lived("FR"), func(p *policy.Policy) { p.Regimes = nil }, "not_asked?"},
		"on by default, but first asked":    {Subject{}, "reports", lived("FR"), nil, "not_asked?"},
		"asked first, and granted":          {on("reports", granted()), "reports", lived("FR"), nil, "+consent"},

		"marketing opted out of":               {stopped(policy.MarketingOptOut, on("newsletter", granted())), "newsletter", circumstances{}, nil, "marketing_opt_out"},
		"marketing on by default, opted out":   {stopped(policy.MarketingOptOut), "lessons", lived("FR"), nil, "marketing_opt_out"},
		"marketing objected to":                {stopped(policy.Objected, on("newsletter", granted())), "newsletter", circumstances{}, nil, "objection"},
		"a customer whom nobody names":         {Subject{}, "lessons", circumstances{residence: "FR", nobody: true}, nil, "not_asked?"},
		"no marketing, opted out":              {stopped(policy.MarketingOptOut, on("survey", granted())), "survey", circumstances{}, nil, "+consent"},
		"an interest of a rule objected to":    {stopped(policy.Objected), "segments", lived("FR"), nil, "objection"},
		"an interest of a rule":                {Subject{}, "segments", lived("FR"), nil, "+default"},
		"no sale":                              {stopped(policy.SaleOptOut, on("advertising", granted())), "advertising", circumstances{}, winning(policy.ConsentWins), "opt_out_sale"},
		"no sale of what is not sold":          {stopped(policy.SaleOptOut, on("newsletter", granted())), "newsletter", circumstances{}, nil, "+consent"},
		"sensitive data limited":               {stopped(policy.SensitiveLimit), "segments", lived("FR"), nil, "limit_sensitive"},
		"a bounce, the list unknown":           {stopped(policy.Bounced, on("newsletter", granted())), "newsletter", circumstances{}, nil, "bounce"},
		"a complaint, subscribed since":        {stopped(policy.Complained, on("newsletter", granted(func(st *Standing) { st.At = summer.AddDate(0, 0, 1) }))), "newsletter", circumstances{}, nil, "+consent"},
		"a complaint stops no analytics":       {stopped(policy.Complained, on("analytics", granted())), "analytics", circumstances{}, nil, "+consent"},
		"a complaint stops what is on":         {stopped(policy.Complained), "lessons", lived("FR"), nil, "complaint"},
		"a complaint about this list":          {listed(on("newsletter", granted()), "newsletter", policy.Complained), "newsletter", circumstances{}, nil, "complaint"},
		"a complaint about another list":       {listed(on("newsletter", granted()), "survey", policy.Complained), "newsletter", circumstances{}, nil, "+consent"},
		"the signal, and nobody consented":     {stopped(policy.GPC), "advertising", circumstances{}, nil, "gpc"},
		"the signal of this visit":             {Subject{}, "advertising", gpc, nil, "gpc"},
		"the signal, ignored":                  {stopped(policy.GPC, on("advertising", granted())), "advertising", gpc, ignoring, "+consent"},
		"the signal against what it stops not": {stopped(policy.GPC, on("newsletter", granted())), "newsletter", gpc, nil, "+consent"},
		"do not track":                         {Subject{}, "advertising", dnt, nil, "dnt"},
		"the signal wins":                      {stopped(policy.GPC, on("advertising", granted(func(st *Standing) { st.At = noon }))), "advertising", circumstances{}, winning(policy.SignalWins), "gpc"},
		"the consent wins":                     {stopped(policy.GPC, on("advertising", granted())), "advertising", gpc, winning(policy.ConsentWins), "+consent"},
		"a refusal beside a consent that wins": {stopped(policy.GPC, on("advertising", refused(Denied))), "advertising", gpc, winning(policy.ConsentWins), "gpc"},
		"the signal came later":                {stopped(policy.GPC, on("advertising", granted())), "advertising", circumstances{}, nil, "gpc?"},
		"the signal came first":                {stopped(policy.GPC, on("advertising", granted(func(st *Standing) { st.At = summer.AddDate(0, 0, 1) }))), "advertising", gpc, nil, "+consent"},
		"both at once":                         {stopped(policy.GPC, on("advertising", granted(func(st *Standing) { st.At = summer }))), "advertising", gpc, nil, "+consent"},
		"a signal that was not stored":         {on("advertising", granted()), "advertising", gpc, nil, "gpc?"},
		"the signal, a consent that is over":   {stopped(policy.GPC, on("advertising", granted(func(st *Standing) { st.Until = summer }))), "advertising", circumstances{}, winning(policy.ConsentWins), "gpc"},
	}
	met := map[Why]bool{}
	for name, c := range tests {
		p := testPolicy(t)
		if c.p != nil {
			c.p(p)
		}
		c.c.now = noon
		got := judge(p, c.sub, c.key, c.c)
		if spelled(got) != c.want {
			t.Errorf("%s: %s, want %s", name, spelled(got), c.want)
		}
		if got.Purpose != c.key {
			t.Errorf("%s: the answer is about %q", name, got.Purpose)
		}
		met[got.Why] = true
	}
	for _, why := range everyWhy() {
		if !met[why] {
			t.Errorf("no case has the reason %s", why)
		}
	}
}

// everyWhy are all reasons that a decision can have.
func everyWhy() []Why {
	all := []Why{
		ByConsent, ByDefault, ByBasis, Always, Essential,
		NeverAsked, WasDenied, WasWithdrawn, Unconfirmed, Lapsed, WordingChanged, WasHalted, UnknownPurpose, NeedsAct,
	}
	for _, stop := range []policy.Stop{
		policy.MarketingOptOut, policy.Objected, policy.SaleOptOut, policy.SensitiveLimit,
		policy.GPC, policy.DNT, policy.Restricted, policy.Bounced, policy.Complained,
	} {
		all = append(all, Why(stop))
	}
	return all
}

func spelled(d Decision) string {
	text := string(d.Why)
	if d.May {
		text = "+" + text
	}
	if d.Ask {
		text += "?"
	}
	return text
}

func withoutRule(purpose string) func(*policy.Policy) {
	return func(p *policy.Policy) {
		p.Consents = slices.DeleteFunc(p.Consents, func(c policy.Consent) bool { return c.Purpose == purpose })
	}
}

func regime(id, place string) func(*policy.Policy) {
	return func(p *policy.Policy) {
		p.Regimes = append(p.Regimes, policy.Regime{ID: id, AppliesTo: []string{place}})
	}
}

func TestADecisionSaysWhatItRestsOn(t *testing.T) {
	t.Parallel()
	p := testPolicy(t)
	c := circumstances{now: noon}
	sub := Subject{
		ID:       "s1",
		Purposes: map[string]Standing{"newsletter": granted(), "survey": {Choice: Granted, At: spring, Seq: 4, Chain: "consent#s0", Edition: 1, Until: nextYear}, "advertising": granted()},
		Stops:    map[policy.Stop]time.Time{policy.SaleOptOut: summer},
	}
	if d := judge(p, sub, "newsletter", c); d.Record != "s1.1" || !d.Since.Equal(spring) || !d.Until.Equal(nextYear) {
		t.Errorf("%+v", d)
	}
	if d := judge(p, sub, "survey", c); d.Record != "s0.4" {
		t.Errorf("a record that was made before linking: %+v", d)
	}
	if d := judge(p, sub, "advertising", c); d.Record != "" || !d.Since.Equal(summer) {
		t.Errorf("a stop rests on no record, and stands since it was put: %+v", d)
	}
}

// someone is a subject that the source of randomness makes up, with whatever can
// stand for them.
func someone(rnd *rand.Rand, p *policy.Policy) Subject {
	at := func() time.Time { return noon.Add(time.Duration(rnd.IntN(400)-380) * 24 * time.Hour) }
	sub := Subject{ID: "s1", Purposes: map[string]Standing{}, Asks: map[string]Ask{}, Stops: map[policy.Stop]time.Time{}, Lists: map[string]policy.Stop{}}
	for _, rule := range p.Consents {
		key := rule.Purpose
		if rule.PerAct {
			key += "/7"
		}
		if rnd.IntN(3) > 0 {
			sub.Purposes[key] = Standing{Choice: append(slices.Clone(Choices), Ended)[rnd.IntN(4)], At: at(), Seq: 1, Edition: rnd.IntN(4), Until: at().AddDate(1, 0, 0)}
		}
		if rnd.IntN(4) == 0 {
			sub.Asks[key] = Ask{At: at(), Until: at().AddDate(0, 1, 0)}
		}
		if rnd.IntN(6) == 0 {
			sub.Lists[key] = policy.Complained
		}
	}
	for _, why := range everyWhy() {
		if rnd.IntN(9) == 0 {
			sub.Stops[policy.Stop(why)] = at()
		}
	}
	return sub
}

// FuzzDecide looks for a yes against a refusal, and for a stop that lets more through.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, seed%2 == 0, seed%3 == 0, "FR")
	}
	file := testPolicy(f)
	f.Fuzz(func(t *testing.T, seed uint64, gpc, halted bool, residence string) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := *file
		p.Signals.OnConflict = []policy.Conflict{policy.SignalWins, policy.ConsentWins, policy.AskAgain}[rnd.IntN(3)]
		sub := someone(rnd, &p)
		c := circumstances{now: noon, residence: residence, signals: Signals{GPC: gpc}, halt: Halt{On: halted}}
		for _, rule := range p.Consents {
			for _, key := range []string{rule.Purpose, rule.Purpose + "/7"} {
				d := judge(&p, sub, key, c)
				if reason := against(sub, rule, key, c); d.May && reason != "" {
					t.Errorf("%s may be done (%s) although %s: %+v", key, d.Why, reason, sub)
				}
				more := sub
				more.Stops = maps.Clone(sub.Stops)
				more.Stops[policy.Stop(everyWhy()[rnd.IntN(len(everyWhy()))])] = noon
				if stopped := judge(&p, more, key, c); stopped.May && !d.May {
					t.Errorf("%s: one stop more makes %s of %s", key, spelled(stopped), spelled(d))
				}
			}
		}
	})
}

// against says by itself, and not as judge does, what forbids a purpose.
func against(sub Subject, rule policy.Consent, key string, c circumstances) string {
	if rule.Required {
		if c.halt.On || !sub.Stops[policy.Restricted].IsZero() {
			return "everything is stopped"
		}
		return ""
	}
	st, chose := sub.Purposes[key]
	switch {
	case c.halt.On, !sub.Stops[policy.Restricted].IsZero():
		return "everything is stopped"
	case chose && st.Choice != Granted:
		return "they said " + string(st.Choice)
	case chose && !st.Until.After(noon):
		return "the consent is over"
	case chose && st.Edition < rule.Edition:
		return "they agreed to something else"
	case !chose && (rule.Default != policy.On || rule.AskFirst):
		return "nobody asked them"
	case !chose && !sub.Stops[policy.GPC].IsZero() && rule.StoppedByIt(policy.GPC):
		return "their browser says no"
	case !sub.Stops[policy.MarketingOptOut].IsZero() && rule.Marketing, !sub.Stops[policy.SaleOptOut].IsZero() && rule.StoppedByIt(policy.SaleOptOut):
		return "they opted out"
	case sub.Lists[rule.Purpose] != "" && rule.Mail:
		return "they called it spam"
	}
	return ""
}

func TestDecidingNeverGoesAgainstARefusal(t *testing.T) {
	t.Parallel()
	file := testPolicy(t)
	yes := 0
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		sub := someone(rnd, file)
		c := circumstances{now: noon, residence: "FR", signals: Signals{GPC: seed%2 == 0}}
		for _, rule := range file.Consents {
			for _, key := range []string{rule.Purpose, rule.Purpose + "/7"} {
				d := judge(file, sub, key, c)
				if reason := against(sub, rule, key, c); d.May && reason != "" {
					t.Fatalf("seed %d: %s may be done (%s) although %s", seed, key, d.Why, reason)
				}
				if d.May {
					yes++
				}
			}
		}
	}
	if yes < 1000 {
		t.Errorf("only %d of these were a yes: the test tests little", yes)
	}
}

func TestQuestionsThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	many := make([]string, maxPurposes+1)
	for name, q := range map[string]Question{
		"nobody":          {Purposes: []string{"newsletter"}},
		"nothing":         {Identity: ada},
		"too much":        {Identity: ada, Purposes: many},
		"no such place":   {Identity: ada, Purposes: []string{"newsletter"}, Residence: "Atlantis"},
		"no such kind":    {Identity: identity("E-Mail", "x"), Purposes: []string{"newsletter"}},
		"an endless name": {Identity: identity("account", strings.Repeat("x", 600)), Purposes: []string{"newsletter"}},
	} {
		if _, err := d.Decide(d.ctx(), q); !isInput(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
