package consent

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

func TestWhatAWebsiteCanAsk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	offers := map[string]Offer{}
	for _, o := range d.Offers("fr", "FR") {
		offers[o.Purpose] = o
		if w, err := d.WordingOf(d.ctx(), o.Hash); err != nil || w.Text != o.Wording || w.Language != "fr" || w.Purpose != o.Purpose {
			t.Errorf("%s: what its hash names is %+v, %v", o.Purpose, w, err)
		}
	}
	if len(offers) != len(d.Policy.Consents) {
		t.Errorf("%d offers", len(offers))
	}
	if o := offers["session"]; !o.Required || o.Loss != "Vous ne pouvez pas vous connecter." || o.Default != policy.On {
		t.Errorf("%+v", o)
	}
	if o := offers["newsletter"]; o.Label != "Lettre d'information" || o.Wording != "Envoyez-moi la lettre et des suggestions." || o.Text != "Vous envoyer la lettre et suggérer des lectures" || o.Default != policy.Off || o.Required {
		t.Errorf("%+v", o)
	}
	on := func(residence string) (list []string) {
		for _, o := range d.Offers("en", residence) {
			if o.Default == policy.On && !o.Required {
				list = append(list, o.Purpose)
			}
		}
		return list
	}
	for residence, want := range map[string][]string{"FR": {"lessons", "segments", "reports"}, "CA": {"lessons"}, "": {"lessons"}, "US-CA": {"lessons", "segments", "reports"}} {
		if got := on(residence); !slices.Equal(got, want) {
			t.Errorf("on by default in %q: %v, want %v", residence, got, want)
		}
	}
	// Shown in English where there is nothing else, and kept under the hash of just that.
	if o := d.Offers("de", "DE")[1]; o.Wording != "Send me the newsletter and suggestions." || o.Hash != d.shown("newsletter") {
		t.Errorf("%+v", o)
	}
}

func TestWordingsThatNobodyKnows(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, hash := range []string{"", "x", strings.Repeat("0", 64), strings.Repeat("A", 64), strings.Repeat("0", 4096)} {
		if w, err := d.WordingOf(d.ctx(), hash); !errors.Is(err, ErrNotFound) {
			t.Errorf("%.10q: %+v, %v", hash, w, err)
		}
	}
}

func TestARecordIsForThoseWhoMaySeeIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mine := d.chose(ada, Granted, "newsletter").Records[0].ID
	d.chose(grace, Granted, "newsletter")
	if e, err := d.EvidenceFor(d.ctx(), ada, mine); err != nil || e.State != Granted || e.Rule.Purpose != "newsletter" || e.Wording.Text == "" || e.Subject != d.get(ada).ID {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := d.EvidenceBy(d.ctx(), d.page(ada), mine); err != nil {
		t.Error(err)
	}
	subject, _, _ := strings.Cut(string(mine), ".")
	for name, err := range map[string]error{
		"somebody else":        second(d.EvidenceFor(d.ctx(), grace, mine)),
		"somebody else's link": second(d.EvidenceBy(d.ctx(), d.page(grace), mine)),
		"nobody":               second(d.EvidenceFor(d.ctx(), a1, mine)),
		"no record":            second(d.EvidenceFor(d.ctx(), ada, RecordID(subject+".2"))),
		"the first":            second(d.EvidenceFor(d.ctx(), ada, RecordID(subject+".0"))),
		"spelled otherwise":    second(d.EvidenceFor(d.ctx(), ada, RecordID(subject+".01"))),
		"nonsense":             second(d.EvidenceFor(d.ctx(), ada, "nonsense")),
		"endless":              second(d.EvidenceFor(d.ctx(), ada, RecordID(strings.Repeat("s", 1<<16)+".1"))),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What it became since is told with it.
	d.pass(time.Hour)
	d.chose(ada, Withdrawn, "newsletter")
	if e, err := d.EvidenceFor(d.ctx(), ada, mine); err != nil || e.State != Withdrawn || !e.StateAt.Equal(d.at) || e.Entry.Choice != Granted || e.Until.IsZero() {
		t.Errorf("%+v, %v", e, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestChainsCanBeFoundInTheDueIndex(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	visitor := d.NewVisitor()
	d.chose(visitor, Denied, "analytics")
	d.chose(a1, Denied, "analytics")
	d.link(a1, visitor)
	d.chose(grace, Denied, "analytics")
	chains := 0
	_, err := table.WalkDue(d.ctx(), d.inner, "", time.Time{}, func(k table.Key) error {
		heads, err := d.Heads(d.ctx(), k)
		chains += len(heads)
		return err
	}, nil)
	if err != nil || chains != 3 { // two persons, of whom one was a visitor before
		t.Errorf("%d chains, %v", chains, err)
	}
	if heads, err := d.Heads(d.ctx(), table.Key{}); err != nil || len(heads) != 0 {
		t.Errorf("nothing was ever halted: %v, %v", heads, err)
	}
	if _, err := d.Halt(d.ctx(), handler, "CVE-1"); err != nil {
		t.Fatal(err)
	}
	if heads, err := d.Heads(d.ctx(), table.Key{}); err != nil || len(heads) != 1 || heads[0].Name != haltChain || heads[0].Head.Seq != 1 {
		t.Errorf("%v, %v", heads, err)
	}
	for _, k := range []table.Key{{Partition: "consent#nobody", Sort: "-"}, {Partition: "request#r1", Sort: "-"}, {Partition: errandPrefix + "x", Sort: "-"}} {
		if heads, err := d.Heads(d.ctx(), k); err != nil || len(heads) != 0 {
			t.Errorf("%s: %v, %v", k.Partition, heads, err)
		}
	}
}

func TestKeysOfTheDueIndex(t *testing.T) {
	t.Parallel()
	for key, want := range map[table.Key]bool{
		{Partition: "consent#i1x", Sort: "-"}: true, {Partition: "consent#", Sort: "-"}: false, {Partition: "consent#i1x", Sort: "x"}: false,
		{Partition: "consents#i1x", Sort: "-"}: false, {Partition: "request#r1", Sort: "-"}: false, {}: false,
	} {
		if IsKey(key) != want {
			t.Errorf("%+v is a subject's: %t", key, !want)
		}
	}
}

// Next has to hold everything that is still to happen.
func TestNext(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	st := func(until int, asked bool) map[string]Standing {
		return map[string]Standing{
			"a": {Choice: Granted, At: noon, Until: day(until), Asked: asked}, "b": {Choice: Denied, At: noon, Until: day(1)},
			"c": {Choice: Granted, At: noon, Until: day(900)}, "d": {Choice: Ended, At: noon, Until: day(1)},
		}
	}
	tests := map[string]struct {
		sub  Subject
		want time.Time
	}{
		"nobody":                        {Subject{}, time.Time{}},
		"refusals alone":                {Subject{Purposes: map[string]Standing{"b": {Choice: Denied, At: noon}}}, time.Time{}},
		"a consent that ends":           {Subject{Purposes: st(365, false)}, day(335)},
		"a consent that ends, and told": {Subject{Purposes: st(365, true)}, day(365)},
		"a short consent":               {Subject{Purposes: st(20, false)}, day(10)},
		"what is to be confirmed":       {Subject{Purposes: st(365, true), Asks: map[string]Ask{"x": {Until: day(30)}}}, day(30)},
		"a letter":                      {Subject{Announcements: []Announcement{{Seq: 1}}, After: noon}, noon},
		"an end of a back-off alone":    {Subject{After: noon}, time.Time{}},
		"a source to tell":              {Subject{Tellings: []Telling{{After: day(2)}, {After: day(1)}}, Purposes: st(365, true)}, day(1)},
	}
	for name, c := range tests {
		if got := c.sub.Next(); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// What is filed is never too late, and moved by a capture only if it must be.
func TestFiling(t *testing.T) {
	t.Parallel()
	d := newDesk(t, deaf)
	filed := func() time.Time {
		t.Helper()
		item, err := d.inner.Get(d.ctx(), Ref(d.Keys.Ring.Identifier(a1)))
		if err != nil {
			t.Fatal(err)
		}
		if sub := d.get(a1); !sub.Filed.Equal(item.Due) || !sub.Next().IsZero() && sub.Next().Before(item.Due) {
			t.Fatalf("filed at %s, the item says %s, next is %s", sub.Filed, item.Due, sub.Next())
		}
		return item.Due
	}
	d.chose(a1, Denied, "newsletter")
	first := filed()
	for range 5 {
		d.pass(48 * time.Hour)
		d.chose(a1, Granted, "newsletter", "analytics", "advertising")
		d.chose(a1, Withdrawn, "newsletter")
		if now := filed(); !now.Equal(first) {
			t.Errorf("a capture moved it from %s to %s", first, now)
		}
	}
	// Looked at too early it is filed anew, and later.
	d.pass(first.Sub(d.at))
	if err := d.Tick(d.ctx(), Ref(d.Keys.Ring.Identifier(a1)).Key); err != nil || !filed().After(d.at) {
		t.Errorf("%s, %v", filed(), err)
	}
}
