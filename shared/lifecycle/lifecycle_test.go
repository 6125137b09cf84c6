package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

func TestTheLaterEventCountsInWhicheverOrderTheyCome(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	began, ended := Span{Started: at(5)}, Span{Started: at(5), Ended: at(9)}
	for name, tt := range map[string]struct {
		from  Span
		begin bool
		at    int
		want  Span
		is    Became
	}{
		"the first is a beginning":           {Span{}, true, 5, began, Noted},
		"the first is an end":                {Span{}, false, 5, Span{Ended: at(5)}, Noted},
		"it ends":                            {began, false, 9, ended, Noted},
		"it begins again":                    {ended, true, 10, Span{Started: at(10)}, Noted},
		"the beginning again":                {began, true, 5, began, Repeated},
		"another beginning while it goes on": {began, true, 7, Span{Started: at(7)}, Noted},
		"an end between two beginnings":      {Span{Started: at(7)}, false, 6, Span{Started: at(7)}, Superseded},
		"the end again":                      {ended, false, 9, ended, Repeated},
		"another end when it is over":        {ended, false, 12, ended, Repeated},
		"the beginning, when it is over":     {ended, true, 5, ended, Repeated},
		"a beginning from before the end":    {ended, true, 7, ended, Superseded},
		"an end from before the beginning":   {began, false, 3, began, Superseded},
		"an earlier end":                     {ended, false, 7, ended, Superseded},
		"both at once: it begins":            {Span{Ended: at(9)}, true, 9, Span{Started: at(9)}, Noted},
		"both at once, the other way round":  {began, false, 5, began, Superseded},
	} {
		got, is := tt.from.end(at(tt.at))
		if tt.begin {
			got, is = tt.from.begin(at(tt.at))
		}
		if got != tt.want || is != tt.is {
			t.Errorf("%s: %v, %s; want %v, %s", name, got, is, tt.want, tt.is)
		}
	}
}

// An account was opened, closed and opened again; the closing is told last.
func TestAnEndThatIsToldLateClosesNothingThatBeganAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, offered)
	d.tell(AccountOpened, ada)
	d.pass(20 * day)
	d.tell(AccountOpened, ada)
	late := d.tell(AccountClosed, ada, at(d.clock().Add(-10*day)))
	if late.Became != Superseded || late.Work != "" || !d.life(ada).Account.open() {
		t.Errorf("it became %+v, and the account is %+v", late, d.life(ada).Account)
	}
	d.days(100)
	if got := d.opened(); got != nil {
		t.Errorf("opened is %q", got)
	}
}

func TestAPeriodEndsAfterTheEventAndNotBefore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		tell func(*desk)
		want []string // of what is opened, counted from 2 March
	}{
		"an account is closed":       {func(d *desk) { d.tell(AccountClosed, ada) }, []string{"2026-05-01 retire closed ="}},
		"an account is opened":       {func(d *desk) { d.tell(AccountOpened, ada) }, nil},
		"an account is opened again": {func(d *desk) { d.tell(AccountClosed, ada); d.days(59); d.tell(AccountOpened, ada) }, nil},
		"it was closed long ago":     {func(d *desk) { d.tell(AccountClosed, ada, at(d.clock().AddDate(-1, 0, 0))) }, []string{"2026-03-03 retire closed ="}},
		"one relationship ends":      {func(d *desk) { d.tell(RelationshipEnded, ada, of("licence")) }, []string{"2026-04-01 retire licence =", "2026-04-11 retire all ="}},
		"one of two relationships ends": {func(d *desk) {
			d.tell(RelationshipStarted, ada, of("support"))
			d.tell(RelationshipEnded, ada, of("licence"))
		}, []string{"2026-04-01 retire licence ="}},
		"both end, one later": {func(d *desk) {
			d.tell(RelationshipEnded, ada, of("licence"))
			d.days(20)
			d.tell(RelationshipEnded, ada, of("support"))
		}, []string{"2026-04-01 retire licence =", "2026-05-01 retire all ="}},
		"another one ends": {func(d *desk) { d.tell(RelationshipEnded, ada, of("support")) }, []string{"2026-04-11 retire all ="}},
		"a licence is renewed in time": {func(d *desk) {
			d.tell(RelationshipEnded, ada, of("licence"))
			d.days(10)
			d.tell(RelationshipStarted, ada, of("licence"))
		}, nil},
		"a licence ends twice": {func(d *desk) {
			d.tell(RelationshipEnded, ada, of("licence"))
			d.days(35)
			d.tell(RelationshipStarted, ada, of("licence"))
			d.days(1)
			d.tell(RelationshipEnded, ada, of("licence"))
		}, []string{"2026-04-01 retire licence =", "2026-05-07 retire licence =", "2026-05-17 retire all ="}},
		"somebody's consent ends by itself":   {func(d *desk) { d.chosen("newsletter", 20*day) }, []string{"2026-03-22 retire news ="}},
		"a consent is taken back":             {func(d *desk) { d.chosen("newsletter", 20*day); d.days(1); d.chosen("newsletter", 0) }, []string{"2026-03-04 retire news ="}},
		"a consent is given again":            {func(d *desk) { d.chosen("newsletter", 20*day); d.days(1); d.chosen("newsletter", -1) }, nil},
		"a purpose has ended, an app says so": {func(d *desk) { d.tell(PurposeEnded, ada, func(e *Event) { e.Purpose = "newsletter" }) }, []string{"2026-03-03 retire news ="}},
		"an account is closed, and all ends":  {func(d *desk) { d.tell(AccountClosed, ada); d.days(20); d.tell(RelationshipEnded, ada, of("support")) }, []string{"2026-05-01 retire all closed ="}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			tt.tell(d)
			d.days(100)
			got := d.opened()
			for i, line := range got {
				words := strings.Fields(line)
				slices.Sort(words[2 : len(words)-1])
				got[i] = strings.Join(words, " ")
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("opened is %q, want %q", got, tt.want)
			}
			d.verify(ada)
			if len(d.woken) != len(got) {
				t.Errorf("%d were woken for %d", len(d.woken), len(got))
			}
		})
	}
}

// chosen has ada choose: she agrees for so long, for good (-1), or not at all (0).
func (d *desk) chosen(purpose string, lasts time.Duration) {
	d.t.Helper()
	ends := d.clock().Add(lasts)
	if lasts < 0 {
		ends = time.Time{}
	}
	if err := d.Chose(d.ctx(), ada, purpose, d.clock(), ends); err != nil {
		d.t.Fatal(err)
	}
}

func TestWhatAppsCloseLeavesItsWorkAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, offered)
	first := d.tell(AccountClosed, ada)
	if first.Became != Noted || first.Work == "" || !slices.Equal(d.woken, []requestID{first.Work}) {
		t.Fatalf("it became %+v, woken are %v", first, d.woken)
	}
	again := d.tell(AccountClosed, ada, at(d.clock()))
	if again.Became != Repeated || again.Work != "" {
		t.Errorf("told twice it became %+v", again)
	}
	d.pass(time.Hour)
	if later := d.tell(AccountClosed, ada); later.Became != Repeated {
		t.Errorf("closed when it was closed it became %+v", later)
	}
	// Opened again and closed again is other work.
	d.tell(AccountOpened, ada)
	d.pass(time.Hour)
	if second := d.tell(AccountClosed, ada); second.Work == "" || second.Work == first.Work {
		t.Errorf("closed again it became %+v, first %+v", second, first)
	}
	d.verify(ada)
	if got := d.opened(); len(got) != 2 {
		t.Errorf("opened is %q", got)
	}
	// Where the policy offers no closure only the periods begin.
	d = newDesk(t)
	if r := d.tell(AccountClosed, ada); r.Work != "" || r.Became != Noted {
		t.Errorf("without closure it became %+v", r)
	}
}

func TestARuleThatNobodyActivatedWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.active["licence"] = false
	d.tell(RelationshipEnded, ada, of("licence"))
	d.days(60)
	if got := d.opened(); len(got) != 1 || got[0] != "2026-04-11 retire all =" {
		t.Fatalf("opened is %q", got)
	}
	d.active["licence"] = true
	d.days(2)
	if got := d.opened(); len(got) != 2 || !strings.Contains(got[1], "retire licence =") {
		t.Errorf("when it was activated, opened is %q", got)
	}
	d.days(30)
	if got := d.opened(); len(got) != 2 {
		t.Errorf("afterwards opened is %q", got)
	}
}

func TestOfTwoRulesForOneThingTheStrongerIsFollowed(t *testing.T) {
	t.Parallel()
	part := func(category string, verb policy.RetentionAction) request.Part {
		return request.Part{Source: "shop", Category: category, Verb: verb}
	}
	var parts []request.Part
	for _, p := range []request.Part{
		part("a", policy.RetireArchive), part("b", policy.RetireDelete), part("a", policy.RetireAnonymise), part("b", policy.RetireAnonymise), part("a", policy.RetireArchive),
	} {
		parts = join(parts, p)
	}
	if len(parts) != 2 || parts[0].Verb != policy.RetireAnonymise || parts[1].Verb != policy.RetireDelete {
		t.Errorf("the parts are %+v", parts)
	}
}

func TestAShorterPeriodCountsForWhatHasEnded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Policy.RetentionRules[1].Period = policy.Period{Years: 5}
	d.tell(AccountClosed, ada)
	d.days(100)
	if got := d.opened(); got != nil {
		t.Fatalf("opened is %q", got)
	}
	d.Policy.RetentionRules[1].Period = policy.Period{Days: 60}
	d.days(31)
	if got := d.opened(); len(got) != 1 {
		t.Errorf("within a month of the change, opened is %q", got)
	}
}

func TestEventsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	now := d.clock()
	good := Event{Type: AccountClosed, At: now, Who: ada}
	record := Event{Type: RecordCreated, At: now, Source: "shop", Category: "support_mail", Channel: "form", Fields: map[string]any{"subject": "x"}}
	for name, tt := range map[string]struct {
		event Event
		at    string
	}{
		"of no type":                        {Event{At: now, Who: ada}, "/events/0/type"},
		"of another type":                   {Event{Type: "account.eaten", At: now, Who: ada}, "/events/0/type"},
		"about nobody":                      {Event{Type: AccountClosed, At: now}, "/events/0/subject"},
		"of no time":                        {Event{Type: AccountClosed, Who: ada}, "/events/0/at"},
		"of the future":                     {Event{Type: AccountClosed, Who: ada, At: now.Add(time.Hour)}, "/events/0/at"},
		"of the year one":                   {Event{Type: AccountClosed, Who: ada, At: now.AddDate(-2000, 0, 0)}, "/events/0/at"},
		"of no relationship":                {Event{Type: RelationshipEnded, Who: ada, At: now}, "/events/0/relationship"},
		"of a relationship nobody has":      {Event{Type: RelationshipEnded, Who: ada, At: now, Relationship: "love"}, "/events/0/relationship"},
		"of a purpose nobody chooses":       {Event{Type: PurposeEnded, Who: ada, At: now, Purpose: "sell_books"}, "/events/0/purpose"},
		"a record of an undeclared source":  {but(record, func(e *Event) { e.Source = "spreadsheet" }), "/events/0/source"},
		"a record that is not held there":   {but(record, func(e *Event) { e.Category = "subscriptions" }), "/events/0/category"},
		"a record that came by no channel":  {but(record, func(e *Event) { e.Channel = "" }), "/events/0/channel"},
		"a record by another's channel":     {but(record, func(e *Event) { e.Category = "account" }), "/events/0/channel"},
		"a record by a channel that is not": {but(record, func(e *Event) { e.Channel = "window" }), "/events/0/channel"},
		"a record about half a person":      {but(record, func(e *Event) { e.Who.Kind = "email" }), "/events/0/subject"},
	} {
		_, err := d.Take(d.ctx(), "shop", []Event{tt.event, good})
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Pointer != tt.at {
			t.Errorf("an event %s: %v, %+v; want a problem at %s", name, err, f, tt.at)
		}
	}
	if _, err := d.load(d.ctx(), d.Keys.Ring.Identifier(ada)); !errors.Is(err, errLost) {
		t.Errorf("beside one that is refused, another was noted: %v", err)
	}
	for _, n := range []int{0, MaxEvents + 1} {
		if _, err := d.Take(d.ctx(), "shop", make([]Event, n)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d events: %v", n, err)
		}
	}
	// A clock that is a little ahead is a clock.
	if _, err := d.Take(d.ctx(), "shop", []Event{{Type: AccountOpened, At: now.Add(time.Minute), Who: ada}}); err != nil {
		t.Error(err)
	}
}

func but(e Event, change func(*Event)) Event { change(&e); return e }

func TestOfARecordOnlyWhatIsNeededIsGivenBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	record := func(fields map[string]any) Result {
		return d.tell(RecordCreated, ada, func(e *Event) {
			e.ID, e.Source, e.Category, e.Channel, e.Fields = "e-1", "shop", "support_mail", "form", fields
		})
	}
	r := record(map[string]any{"subject": "a broken book", "mood": "furious"})
	if r.Became != Filtered || r.Err != nil || len(r.Kept) != 1 || r.Kept["subject"] != "a broken book" || !slices.Equal(r.Dropped, []string{"mood"}) {
		t.Errorf("it became %+v", r)
	}
	if r = record(map[string]any{"subject": "my card is 4111 1111 1111 1111"}); r.Err == nil || r.Kept != nil {
		t.Errorf("a card number became %+v", r)
	}
	if r = d.tell(RecordCreated, ada, func(e *Event) { e.Source, e.Category = "shop", "support_mail" }); r.Became != Filtered {
		t.Errorf("without fields it became %+v", r)
	}
	if len(d.chains()) != 0 {
		t.Errorf("something was noted of a record: %v", d.chains())
	}
}

func TestWhoIsForgottenAndComesBackIsKnownAnew(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.tell(RelationshipEnded, ada, of("licence"))
	first := d.life(ada).chain()
	d.days(45)
	if l := d.life(ada); l.Forget.IsZero() || len(l.pending(d.Policy)) > 0 {
		t.Fatalf("nothing is left to happen, and it is %+v", l)
	}
	d.days(2 * 366)
	if _, err := d.load(d.ctx(), d.Keys.Ring.Identifier(ada)); !errors.Is(err, errLost) {
		t.Fatalf("after two years it is still known: %v", err)
	}
	d.tell(RelationshipEnded, ada, of("licence"))
	if again := d.life(ada).chain(); again == first {
		t.Error("the chain goes on where the old one ended")
	}
	d.verify(ada)
	d.days(45)
	if got := d.opened(); len(got) != 4 {
		t.Errorf("opened is %q", got)
	}
	// An account that is open is not forgotten, and neither is what begins meanwhile.
	d.tell(AccountOpened, grace)
	d.days(3 * 366)
	if l := d.life(grace); !l.Account.open() || !l.filed.IsZero() {
		t.Errorf("an open account is %+v", l)
	}
}

// A hold keeps our own record of a life, too.
func TestALifeThatIsHeldIsNotForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.tell(AccountClosed, grace)
	d.days(62)
	d.pass(d.life(grace).Forget.Sub(d.clock()) - day)
	holds := &hold.Service{Table: d.inner, Ring: d.Keys.Ring, Policy: d.Policy, Now: d.clock}
	by := operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	h, err := holds.Place(d.ctx(), by, hold.Placement{
		Scope: hold.OnPerson, Who: []identity{grace}, Basis: hold.LegalClaims, Review: d.clock().AddDate(0, 6, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.days(5)
	if _, err := d.load(d.ctx(), d.Keys.Ring.Identifier(grace)); err != nil {
		t.Errorf("a life is gone although the person is held: %v", err)
	}
	if _, err := holds.Release(d.ctx(), by, h.ID, "case-closed", hold.Call{}); err != nil {
		t.Fatal(err)
	}
	d.days(2)
	if _, err := d.load(d.ctx(), d.Keys.Ring.Identifier(grace)); !errors.Is(err, errLost) {
		t.Errorf("the life stays without a hold: %v", err)
	}
}

func TestOfWhoWasErasedNothingIsOpened(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.tell(RelationshipEnded, ada, of("licence"))
	l := d.life(ada)
	s, err := d.Keys.Load(d.ctx(), l.Holder)
	if err != nil {
		t.Fatal(err)
	}
	writes, err := d.Keys.Destroy(d.ctx(), l.Holder, s.Generation)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Table.Commit(d.ctx(), table.NewID(), writes...); err != nil {
		t.Fatal(err)
	}
	d.days(60)
	if got := d.opened(); got != nil {
		t.Errorf("opened is %q", got)
	}
	if _, err := d.load(d.ctx(), d.Keys.Ring.Identifier(ada)); !errors.Is(err, errLost) {
		t.Errorf("it is still known: %v", err)
	}
	// Who comes back is known again, and sealed anew.
	d.tell(RelationshipEnded, ada, of("licence"))
	d.days(60)
	if got := d.opened(); len(got) != 2 {
		t.Errorf("opened is %q", got)
	}
}

func TestAClosureBeginsThePeriodsOfWhatStays(t *testing.T) {
	t.Parallel()
	d := newDesk(t, offered)
	closing := func() {
		t.Helper()
		writes, err := d.Closing(d.ctx(), []identity{ada, grace, ada}, d.clock())
		if err != nil {
			t.Fatal(err)
		}
		if len(writes) == 0 {
			return
		}
		if err := d.Table.Commit(d.ctx(), table.NewID(), writes...); err != nil {
			t.Fatal(err)
		}
	}
	closing()
	if d.life(ada).Account.Ended.IsZero() || d.life(grace).Account.Ended.IsZero() {
		t.Fatal("the account is not closed")
	}
	closing() // again, at the same instant
	if n := d.life(ada).version; n != 1 {
		t.Errorf("told twice it is version %d", n)
	}
	d.days(61)
	if got := d.opened(); len(got) != 2 || !strings.HasPrefix(got[0], "2026-05-01 retire closed") {
		t.Errorf("opened is %q", got)
	}
	// Without a period that begins so, nobody needs to be known.
	d = newDesk(t, func(p *policy.Policy) { p.RetentionRules = p.RetentionRules[:1] })
	if writes, err := d.Closing(d.ctx(), []identity{ada}, d.clock()); err != nil || len(writes) != 0 {
		t.Errorf("it writes %v, %v", writes, err)
	}
}

func TestNothingPersonalIsStoredInTheClear(t *testing.T) {
	t.Parallel()
	d := newDesk(t, offered)
	for _, who := range []identity{ada, grace} {
		d.tell(AccountOpened, who)
		d.pass(time.Hour)
		d.tell(AccountClosed, who)
		d.tell(RelationshipEnded, who, of("licence"))
	}
	d.days(50)
	for _, name := range []table.Name{table.State, table.Audit} {
		page, err := d.inner.Scan(d.ctx(), table.Scan{Table: name})
		if err != nil || len(page.Items) < 4 {
			t.Fatalf("%d items, %v", len(page.Items), err)
		}
		for _, item := range page.Items {
			for _, who := range []identity{ada, grace} {
				if strings.Contains(string(item.Body)+item.Key.Partition+item.Key.Sort+item.Subject, who.Reveal()) {
					t.Errorf("%s/%s holds %s", name, item.Key.Partition, who.Reveal())
				}
			}
		}
	}
}

func TestALifeStandsWhereItsChainEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.Keys.Ring.Identifier(ada)
	d.tell(RelationshipStarted, ada, of("support"))
	copied, err := d.Table.Get(d.ctx(), refOf(id))
	if err != nil {
		t.Fatal(err)
	}
	d.pass(day)
	d.tell(RelationshipEnded, ada, of("licence"))
	d.chosen("newsletter", 100*day)
	d.days(35)
	d.tell(AccountClosed, ada)
	want := d.life(ada)
	replay := func() restore.Outcome {
		t.Helper()
		entries := d.chains()[want.chain()]
		out, err := d.Restore(d.ctx(), want.chain(), entries)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	same := func(what string) {
		t.Helper()
		got := d.life(ada)
		if got.Account != want.Account || len(got.Relationships) != 2 || got.Relationships["licence"] != want.Relationships["licence"] ||
			got.Relationships["support"] != want.Relationships["support"] || got.Purposes["newsletter"] != want.Purposes["newsletter"] ||
			len(got.Done) != 1 || !got.Done["licence"].Equal(want.Done["licence"]) || got.Works != want.Works || !got.Forget.Equal(want.Forget) {
			t.Errorf("%s it is\n%+v, want\n%+v", what, got, want)
		}
		d.verify(ada)
	}
	if out := replay(); out.What != restore.Stood {
		t.Errorf("where nothing was lost it is %+v", out)
	}
	// An older copy.
	now, err := d.Table.Get(d.ctx(), refOf(id))
	if err != nil {
		t.Fatal(err)
	}
	copied.Version, copied.CommitID = 0, ""
	if err := d.Table.Commit(d.ctx(), table.NewID(), table.Put(table.State, copied, table.Version(now.Version))); err != nil {
		t.Fatal(err)
	}
	if out := replay(); out.What != restore.Advanced || out.Ahead != 0 || out.Missing != nil {
		t.Errorf("an older copy: %+v", out)
	}
	same("after an older copy")
	if out := replay(); out.What != restore.Stood {
		t.Errorf("again: %+v", out)
	}
	// None at all.
	if err := d.Table.Commit(d.ctx(), table.NewID(), table.Delete(refOf(id), table.Exists)); err != nil {
		t.Fatal(err)
	}
	if out := replay(); out.What != restore.Remade || out.Missing != nil {
		t.Errorf("none at all: %+v", out)
	}
	same("made of its chain")
	d.days(100)
	// Who closed an account tells of nothing any more: their periods end all the same.
	if got := d.opened(); len(got) != 3 {
		t.Errorf("made of its chain, opened is %q", got)
	}
	d.verify(ada)
}
