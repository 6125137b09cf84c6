package retention

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

const day = 24 * time.Hour

// years fills the store with records of five years, one every two days.
func (d *desk) years() (due int) {
	d.shop.fill(5*183, monday.Add(-time.Hour), 2*day)
	d.shop.sort()
	_, due = d.shop.left(monday.AddDate(-2, 0, 0))
	return due
}

func TestARuleIsPreviewedActivatedAndSwept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	due := d.years()
	if v := d.show("old-logs"); v.Sweep.Status != New || !v.Previewing {
		t.Errorf("before the first run: %+v", v)
	}
	d.sweeps(2 * time.Hour)
	v := d.show("old-logs")
	if p := v.Sweep.Preview; v.Sweep.Status != Previewed || p == nil || p.Total != 915 || p.Due != due || len(p.Samples) != maxSamples ||
		!p.Oldest.Equal(d.shop.index[0].at) || p.Newest.After(monday.AddDate(-2, 0, 0)) {
		t.Fatalf("previewed: %+v, %+v", v.Sweep, p)
	}
	if all, _ := d.shop.left(monday); all != 915 || d.shop.expiries != 0 {
		t.Errorf("a preview left %d of 915 records", all)
	}
	if v.Late == nil || v.Late.Why != StillThere {
		t.Errorf("what is due for years is not late: %+v", v.Late)
	}
	if ok, err := d.Active(t.Context(), "old-logs"); ok || err != nil {
		t.Errorf("active before it was activated: %v", err)
	}
	v, err := d.Activate(t.Context(), handler, "old-logs", v.Version)
	if err != nil || v.Sweep.Status != Active {
		t.Fatalf("%+v, %v", v, err)
	}
	if ok, err := d.Active(t.Context(), "old-logs"); !ok || err != nil {
		t.Errorf("not active: %v", err)
	}
	d.sweep()
	v = d.show("old-logs")
	if _, old := d.shop.left(cutoff(logs().Period, d.clock())); old != 0 {
		t.Errorf("%d records stayed", old)
	}
	if last := v.Sweep.Last; last == nil || last.Done != due || !last.Verified || last.Kept != 0 || v.Late != nil || v.Sweep.Run != nil {
		t.Errorf("after the run: %+v, late %+v", last, v.Late)
	}
	if d.exists(pageRef("old-logs")) || d.exists(saltRef("old-logs")) {
		t.Error("what was sealed for the run is still there")
	}
	d.sweeps(3 * day)
	if all, _ := d.shop.left(d.clock()); all != 915-due-1 {
		t.Errorf("three days later there are %d of %d", all, 915-due)
	}
	if got, want := d.told("old-logs"), "declared previewed activated began ended began ended began ended"; got != want {
		t.Errorf("the audit says %q", got)
	}
	for _, e := range d.entries("old-logs") {
		if e.Action == "ended" && fact(e, "verified") != "true" {
			t.Errorf("%+v", e.Facts)
		}
	}
	if n := d.digested("old-logs"); n[digest.PreviewReady] != 1 || n[digest.Late] != 1 {
		t.Errorf("the digests say %v", n)
	}
}

func TestAChangedRuleWaitsForItsActivation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.years()
	v := d.activate("old-logs")
	d.sweep()
	before, _ := d.shop.left(monday)
	rule := logs()
	rule.Period = policy.Period{Years: 1}
	d.Policy = testPolicy(rule)
	d.Digest.Policy = d.Policy
	if ok, _ := d.Active(t.Context(), "old-logs"); ok {
		t.Error("a changed rule is active before any run has met it")
	}
	if _, err := d.Activate(t.Context(), handler, "old-logs", v.Version); !errors.Is(err, ErrVersion) {
		t.Errorf("the version before: %v", err)
	}
	if _, err := d.Activate(t.Context(), handler, "old-logs", d.show("old-logs").Version); !errors.Is(err, ErrUnseen) {
		t.Errorf("before its preview: %v", err)
	}
	d.sweeps(3 * day)
	if after, _ := d.shop.left(monday); after != before {
		t.Errorf("a changed rule took %d records", before-after)
	}
	if v := d.show("old-logs"); v.Sweep.Status != Previewed || v.Sweep.Preview.Due == 0 {
		t.Errorf("%+v", v.Sweep)
	}
	// Back to the rule as it was: that is a change as well.
	d.Policy = testPolicy(logs())
	d.sweeps(day)
	if v := d.show("old-logs"); v.Sweep.Status != Previewed {
		t.Errorf("%+v", v.Sweep)
	}
	// What says why a period is what it is, changes nothing.
	rule = logs()
	rule.Article, rule.SetBy = "L123-22", policy.SetByLaw
	if d.versionOf(rule) != d.versionOf(logs()) {
		t.Error("another article is another version")
	}
	if d.Policy = testPolicy(); len(d.Policy.RetentionRules) > 0 {
		t.Fatal()
	}
	d.sweeps(2 * day)
	if got, want := d.told("old-logs"), "declared previewed activated began ended declared previewed declared previewed retired"; got != want {
		t.Errorf("the audit says %q", got)
	}
	if _, err := d.Show(t.Context(), handler, "old-logs"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a rule that is gone: %v", err)
	}
}

func TestOnlyWhoMayDoes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.sweep()
	nobody := handler
	nobody.Roles = nil
	if _, err := d.List(t.Context(), nobody); !errors.Is(err, ErrForbidden) {
		t.Error(err)
	}
	if list, err := d.List(t.Context(), auditor); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
	for what, err := range map[string]error{
		"preview":  second(d.Preview(t.Context(), auditor, "old-logs")),
		"activate": second(d.Activate(t.Context(), auditor, "old-logs", "")),
		"pause":    second(d.Pause(t.Context(), auditor, "old-logs")),
		"confirm":  second(d.Confirm(t.Context(), auditor, "old-logs", "", 0)),
	} {
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := d.Preview(t.Context(), handler, "another"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func second(_ View, err error) error { return err }

func TestAPausedRuleTakesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	due := d.years()
	d.activate("old-logs")
	pages := 0
	d.shop.during = func(what string) {
		if what == "expire" {
			if pages++; pages == 3 {
				if _, err := d.Pause(t.Context(), handler, "old-logs"); err != nil {
					t.Error(err)
				}
			}
		}
	}
	d.sweeps(3 * day)
	v := d.show("old-logs")
	if pages != 3 || v.Sweep.Status != Paused || v.Sweep.Run == nil || v.Sweep.Run.Done != 150 || v.Sweep.Page != nil {
		t.Fatalf("%d pages; %+v", pages, v.Sweep)
	}
	if _, err := d.Activate(t.Context(), handler, "old-logs", v.Version); err != nil {
		t.Fatal(err)
	}
	d.sweep()
	ended := d.entries("old-logs")
	ended = slices.DeleteFunc(ended, func(e audit.Entry) bool { return e.Action != "ended" })
	if len(ended) != 2 || fact(ended[0], "done") != strconv.Itoa(due) {
		t.Errorf("it went on to %+v, %d were due", ended, due)
	}
}

// A rule typo, 2 years become 2 days, and an operator who activates whatever is there.
func TestATypoNeverTakesMoreThanTheBrakesShare(t *testing.T) {
	t.Parallel()
	rule := logs()
	rule.Period = policy.Period{Days: 2}
	rule.Brake = policy.Brake{Percent: 5, Cap: 10_000}
	d := newDesk(t, rule)
	d.years()
	d.activate("old-logs")
	const share = 915 * 5 / 100
	d.sweeps(5 * day)
	if all, _ := d.shop.left(monday); all != 915-share {
		t.Errorf("%d records went, the share is %d", 915-all, share)
	}
	v := d.show("old-logs")
	if v.Sweep.Status != Braked || v.Sweep.Stop.Limit != share || v.Sweep.Stop.Taken != share || v.Late == nil {
		t.Errorf("%+v, %+v", v.Sweep, v.Late)
	}
	if n := d.digested("old-logs"); n[digest.Braked] != 1 {
		t.Errorf("the digests say %v", n)
	}
	if _, err := d.Pause(t.Context(), handler, "old-logs"); !errors.Is(err, ErrNotNow) {
		t.Errorf("a pause would be a way around the brake: %v", err)
	}
	if _, err := d.Activate(t.Context(), handler, "old-logs", v.Version); !errors.Is(err, ErrNotNow) {
		t.Errorf("an activation would be a way around the brake: %v", err)
	}
	if _, err := d.Confirm(t.Context(), handler, "old-logs", v.Version, v.Sweep.Preview.Due+1); err == nil {
		t.Error("more was confirmed than is due")
	}
	if _, err := d.Confirm(t.Context(), handler, "old-logs", "another", 10); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
	if _, err := d.Confirm(t.Context(), handler, "old-logs", v.Version, 100); err != nil {
		t.Fatal(err)
	}
	d.sweep()
	if all, _ := d.shop.left(monday); all != 915-share-100-(915-share)*5/100 {
		t.Errorf("with 100 confirmed and a new day's share, %d went", 915-all)
	}
	if v := d.show("old-logs"); v.Sweep.Status != Braked {
		t.Errorf("%+v", v.Sweep)
	}
	// Changing the rule to and fro on one day brings no second share.
	before, _ := d.shop.left(monday)
	for range 3 {
		other := rule
		other.Period = policy.Period{Days: 3}
		for _, r := range []policy.RetentionRule{other, rule} {
			d.Policy = testPolicy(r)
			d.sweep()
			if _, err := d.Activate(t.Context(), handler, "old-logs", d.show("old-logs").Version); err != nil {
				t.Fatal(err)
			}
			d.sweep()
		}
	}
	if after, _ := d.shop.left(monday); after != before {
		t.Errorf("%d more went on the same day", before-after)
	}
}

// Of two machines around midnight one may be behind: together they have one day's share.
func TestAClockThatIsBehindBringsNoSecondShare(t *testing.T) {
	t.Parallel()
	rule := policy.RetentionRule{Brake: policy.Brake{Percent: 5, Cap: 300}}
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	sw := Sweep{Page: &Page{}}
	taken := 0
	for n, at := range []time.Time{midnight.Add(time.Second), midnight.Add(-time.Second), midnight.Add(time.Second), midnight.Add(-time.Second)} {
		page := min(sw.allowed(rule, at), 200)
		sw.take(page, rule, at)
		if taken += page; taken > 300 {
			t.Fatalf("with page %d it is %d", n+1, taken)
		}
	}
	if sw.allowed(rule, midnight.Add(25*time.Hour)) != 300 {
		t.Error("the next day has no share of its own")
	}
}

func TestTheBrakeOfWhatWasNeverCountedIsItsCap(t *testing.T) {
	t.Parallel()
	rule := policy.RetentionRule{Brake: policy.Brake{Percent: 5, Cap: 300}}
	for name, c := range map[string]struct {
		sw   Sweep
		want int
	}{
		"uncounted":                {Sweep{}, 300},
		"the share is smaller":     {Sweep{Inventory: Inventory{1000, monday}}, 50},
		"the cap is smaller":       {Sweep{Inventory: Inventory{100_000, monday}}, 300},
		"rounded down":             {Sweep{Inventory: Inventory{1019, monday}}, 50},
		"of nothing there is none": {Sweep{Inventory: Inventory{0, monday}}, 0},
	} {
		if got := c.sw.limit(rule); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestWhatAHoldKeepsStaysAndIsNotLate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	due := d.years()
	holds := d.holder()
	item, err := holds.Place(t.Context(), handler, hold.Placement{
		Scope: hold.OnPerson, Who: []personal.Identity{personal.MakeIdentity(personal.KindAccount, "p3")},
		Basis: hold.LegalClaims, Matter: "2026-CV-0042", Review: monday.AddDate(0, 3, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.turn(5 * time.Minute)
	if err := holds.Tick(t.Context(), item.ID.Key()); err != nil {
		t.Fatal(err)
	}
	d.activate("old-logs")
	held := 0
	for _, r := range d.shop.index {
		if r.who == "p3" && !r.at.After(cutoff(logs().Period, d.clock())) {
			held++
		}
	}
	d.sweep()
	v := d.show("old-logs")
	if last := v.Sweep.Last; last == nil || last.Held != held || last.Done != due-held || !last.Verified || v.Late != nil {
		t.Fatalf("%d are held of %d: %+v, late %+v", held, due, last, v.Late)
	}
	d.sweeps(3 * day)
	if v := d.show("old-logs"); v.Late != nil {
		t.Errorf("what is held is late: %+v", v.Late)
	}
	if _, err := holds.Release(t.Context(), handler, item.ID, "settled", hold.Call{}); err != nil {
		t.Fatal(err)
	}
	d.sweeps(2 * day)
	if _, old := d.shop.left(cutoff(logs().Period, d.clock().Add(-2*day))); old != 0 {
		t.Errorf("%d stayed after the release", old)
	}
}

// A hold that is placed while a page is being read fails its claim.
func TestAHoldPlacedMeanwhileWins(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.years()
	holds := d.holder()
	d.activate("old-logs")
	placed := false
	var since time.Time
	d.shop.during = func(what string) {
		if what == "old" && !placed {
			placed = true
			_, err := holds.Place(t.Context(), handler, hold.Placement{
				Scope: hold.OnItem, Source: "shop", Category: "access_log", Item: d.shop.index[0].id,
				Basis: hold.LegalClaims, Matter: "2026-CV-0042", Review: monday.AddDate(0, 3, 0),
			})
			if err != nil {
				t.Error(err)
			}
			since = d.clock()
		}
	}
	d.sweep()
	if r := d.shop.index[0]; !placed || r.gone != 0 {
		t.Errorf("%s went although a hold was placed at %s", r.id, since)
	}
	if v := d.show("old-logs"); v.Sweep.Last == nil || v.Sweep.Last.Held != 1 || !v.Sweep.Last.Verified {
		t.Errorf("%+v", v.Sweep.Last)
	}
}

func TestARecordOfUnknownAgeIsNeverDue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.years()
	d.shop.add("undated", time.Time{}, "p1")
	d.shop.sort()
	v := d.activate("old-logs")
	if v.Sweep.Preview.Undated != 1 {
		t.Errorf("%+v", v.Sweep.Preview)
	}
	d.sweep()
	if d.shop.byID["undated"].gone != 0 {
		t.Error("a record without a time went")
	}
	if last := d.show("old-logs").Sweep.Last; last == nil || last.Undated != 1 {
		t.Errorf("%+v", last)
	}
}

func TestWhatTheSourceKeepsIsGivenBackToTheShareAndIsLate(t *testing.T) {
	t.Parallel()
	rule := logs()
	rule.Brake = policy.Brake{Percent: 100, Cap: 600}
	d := newDesk(t, rule)
	due := d.years()
	d.shop.keeps = map[string]bool{}
	for _, r := range d.shop.index[:60] {
		d.shop.keeps[r.id] = true
	}
	d.activate("old-logs")
	d.sweep()
	v := d.show("old-logs")
	if last := v.Sweep.Last; last == nil || last.Done != due-60 || last.Kept != 60 || last.Verified || v.Sweep.Day.Taken != due-60 {
		t.Fatalf("%+v, taken %+v", last, v.Sweep.Day)
	}
	if v.Late == nil || v.Late.Why != StillThere {
		t.Errorf("%+v", v.Late)
	}
}

func TestASourceThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	due := d.years()
	d.activate("old-logs")
	away := true
	d.shop.hook = func(string) (bool, error) { return !away, nil }
	d.sweeps(2 * time.Hour)
	if v := d.show("old-logs"); v.Sweep.Fault != "unreachable" || v.Sweep.Tries < 3 {
		t.Errorf("%+v", v.Sweep)
	}
	away = false
	d.sweeps(2 * time.Hour)
	if v := d.show("old-logs"); v.Sweep.Last == nil || v.Sweep.Last.Done != due || v.Sweep.Fault != "" {
		t.Errorf("%+v", v.Sweep)
	}
	away = true
	d.sweeps(4 * day)
	if v := d.show("old-logs"); v.Late == nil || v.Late.Why != Unseen {
		t.Errorf("nobody could look for days: %+v", v.Late)
	}
}

func TestAPaperSourceIsDoneByHandAndSaidSo(t *testing.T) {
	t.Parallel()
	rule := logs()
	rule.ID, rule.Source = "old-paper", "paper"
	d := newDesk(t, rule)
	d.sweep()
	v := d.show("old-paper")
	if v.Sweep.Status != ByHand || v.Sweep.ByHand.Team != "archive" || d.digested("old-paper")[digest.Task] != 1 {
		t.Fatalf("%+v", v.Sweep)
	}
	d.turn(16 * day)
	if v := d.show("old-paper"); v.Late == nil || v.Late.Why != NotDone {
		t.Errorf("%+v", v.Late)
	}
	v, err := d.Confirm(t.Context(), handler, "old-paper", v.Version, 0)
	if err != nil || v.Late != nil || v.Sweep.ByHand.By != "operator:h1" {
		t.Fatalf("%+v, %v", v.Sweep, err)
	}
	d.sweeps(17 * day)
	if n := d.digested("old-paper"); n[digest.Task] != 2 {
		t.Errorf("the digests say %v", n)
	}
	if got := d.told("old-paper"); got != "entrusted confirmed" {
		t.Errorf("the audit says %q", got)
	}
}

func TestARuleOfAPersonsTimeIsActivatedWithoutACount(t *testing.T) {
	t.Parallel()
	rule := logs()
	rule.ID, rule.Trigger = "after-closure", policy.WhenAccountClosed
	d := newDesk(t, rule)
	v := d.activate("after-closure")
	if !v.Sweep.Preview.ByPerson || d.shop.asked != 0 {
		t.Errorf("%+v", v.Sweep)
	}
	if ok, err := d.Active(t.Context(), "after-closure"); !ok || err != nil {
		t.Error(err)
	}
	d.sweeps(2 * day)
	if d.shop.asked != 0 || d.show("after-closure").Sweep.Run != nil {
		t.Error("a rule of a person's time was swept by age")
	}
	if _, err := d.Preview(t.Context(), handler, "after-closure"); !errors.Is(err, ErrNotNow) {
		t.Error(err)
	}
}

func TestARunThatIsOutOfUnitsGoesOnLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	due := d.years()
	d.shop.unit = 1
	d.Policy.Sources[0].DynamoDB.Sweep.Units = 120
	d.sweep()
	if d.shop.read > 120 || d.shop.read < 100 {
		t.Errorf("one run read %d entries for 120 units", d.shop.read)
	}
	d.sweeps(4 * time.Hour)
	d.activate("old-logs")
	d.shop.read = 0
	d.sweep()
	if _, old := d.shop.left(monday.AddDate(-2, 0, 0)); d.shop.read > 120 || old == 0 || old == due {
		t.Errorf("one run read %d entries and left %d", d.shop.read, old)
	}
	d.sweeps(4 * time.Hour)
	if v := d.show("old-logs"); v.Sweep.Last == nil || v.Sweep.Last.Done < due || !v.Sweep.Last.Verified {
		t.Errorf("%+v", v.Sweep)
	}
}

func TestAnInventoryIsRenewed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	due := d.years()
	d.activate("old-logs")
	d.sweep()
	if v := d.show("old-logs"); v.Sweep.Inventory.Total != 915 {
		t.Errorf("%+v", v.Sweep.Inventory)
	}
	for range 33 {
		d.turn(day)
		d.sweep()
	}
	if v := d.show("old-logs"); v.Sweep.Inventory.Total > 915-due || v.Sweep.Inventory.At.Before(monday.AddDate(0, 0, 25)) {
		t.Errorf("%+v", v.Sweep.Inventory)
	}
	if n := d.digested("old-logs"); n[digest.PreviewReady] != 1 {
		t.Errorf("a quiet count is told: %v", n)
	}
}

func TestCutoffsNeverComeEarly(t *testing.T) {
	t.Parallel()
	for _, p := range []policy.Period{{}, {Days: 1}, {Days: 400}, {Months: 1}, {Months: 6}, {Years: 1}, {Years: 2}} {
		for n := range 3000 {
			now := time.Date(2023, 1, 1, 13, 14, 15, 0, time.UTC).AddDate(0, 0, n)
			at := cutoff(p, now)
			if over := p.After(at); over.After(now) || now.Sub(over) > 4*day {
				t.Fatalf("%s at %s: %s, over at %s", p, now, at, over)
			}
		}
	}
}

func TestHeadsAreVerifiable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.sweep()
	chains, err := d.Heads(t.Context(), Ref("old-logs").Key)
	if err != nil || len(chains) != 1 || chains[0].Name != "sweep#old-logs" || chains[0].Head.Seq != 2 {
		t.Errorf("%+v, %v", chains, err)
	}
	for _, k := range []table.Key{{}, {Partition: "sweep#", Sort: "-"}, pageRef("old-logs").Key, Ref("none").Key} {
		if chains, err := d.Heads(t.Context(), k); err != nil || len(chains) != 0 {
			t.Errorf("%+v: %+v, %v", k, chains, err)
		}
	}
}
