package consent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// line is a line of an import from a year ago.
func line(i personal.Identity, c Choice, key string, d *desk, change ...func(*Import)) Import {
	a := d.asks(c, key)
	a[0].Wording = ""
	l := Import{Capture: Capture{Identity: i, Asked: a, At: d.at.AddDate(0, -6, 0), Method: Imported}, Evidence: "crm:4711"}
	for _, f := range change {
		f(&l)
	}
	return l
}

func (d *desk) imports(dry bool, lines ...Import) []Outcome {
	d.t.Helper()
	out, err := d.Import(d.ctx(), handler, lines, dry)
	if err != nil || len(out) != len(lines) {
		d.t.Fatalf("%+v, %v", out, err)
	}
	return out
}

// content is everything that a store holds.
func (d *desk) content() string {
	d.t.Helper()
	var all []string
	_, err := table.WalkDue(d.ctx(), d.inner, "", time.Time{}, func(k table.Key) error {
		item, err := d.inner.Get(d.ctx(), table.Ref{Table: table.State, Key: k})
		all = append(all, fmt.Sprintf("%s %d %s", k.Partition, item.Version, item.Body))
		return err
	}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func TestWhatBecomesOfALine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := func(when time.Time) func(*Import) { return func(l *Import) { l.At = when } }
	method := func(m Method) func(*Import) { return func(l *Import) { l.Method = m } }
	evidence := func(s string) func(*Import) { return func(l *Import) { l.Evidence = s } }
	stop := func(i personal.Identity, s policy.Stop, lists ...string) Import {
		l := Import{Capture: Capture{Identity: i, At: d.at.AddDate(-1, 0, 0)}, Stop: s}
		for _, mailing := range lists {
			l.Asked = append(l.Asked, Asked{Purpose: mailing})
		}
		return l
	}
	person := func(n int) personal.Identity { return identity(personal.KindAccount, fmt.Sprintf("p%d", n)) }
	spam, gone := identity(personal.KindEmail, "spam@example.org"), identity(personal.KindEmail, "gone@example.org")
	d.chose(a1, Withdrawn, "newsletter")
	d.chose(a1, Granted, "analytics")
	d.imports(false, stop(spam, policy.Complained, "newsletter"), stop(gone, policy.Bounced))

	tests := []struct {
		name string
		l    Import
		want string
		why  string // a part of it
	}{
		{"a consent", line(person(1), Granted, "newsletter", d), Taken, ""},
		{"a refusal", line(person(2), Denied, "newsletter", d), Taken, ""},
		{"a refusal without evidence", line(person(3), Denied, "newsletter", d, evidence("")), Taken, ""},
		{"a suppression", stop(person(4), policy.MarketingOptOut), Taken, ""},
		{"a bounce", stop(person(5), policy.Bounced), Taken, ""},
		{"a complaint about a list", stop(person(6), policy.Complained, "newsletter"), Taken, ""},
		{"a consent confirmed by mail there", line(person(7), Granted, "survey", d, method(DoubleOptIn)), Taken, ""},
		{"later than what stands", line(a1, Granted, "newsletter", d, at(d.at.Add(time.Second))), Taken, ""},
		{"older than what stands", line(a1, Granted, "newsletter", d), Older, ""},
		{"older than a consent", line(a1, Denied, "analytics", d), Older, ""},
		{"what stands", line(a1, Granted, "analytics", d, at(d.at)), Known, ""},
		{"a refusal at the same time", line(a1, Denied, "analytics", d, at(d.at)), Taken, ""},
		{"a suppression that stands", stop(gone, policy.Bounced), Known, ""},
		{"a complaint that stands", stop(spam, policy.Complained, "newsletter"), Known, ""},
		{"a complaint before a consent", func() Import {
			d.chose(grace, Granted, "newsletter")
			return stop(grace, policy.Complained, "newsletter")
		}(), Older, ""},

		{"explicit", line(person(8), Granted, "recordings/1", d), Refused, "explicit"},
		{"explicit, refused", line(person(8), Denied, "recordings/1", d), Taken, ""},
		{"double opt-in, not confirmed there", line(person(8), Granted, "survey", d), Refused, "double_opt_in"},
		{"without evidence", line(person(8), Granted, "newsletter", d, evidence("")), Refused, "/evidence"},
		{"evidence with an address", line(person(8), Granted, "newsletter", d, evidence("mail of ada@example.org")), Refused, "/evidence"},
		{"who knows when", line(person(8), Granted, "newsletter", d, at(time.Time{})), Refused, "/at"},
		{"tomorrow", line(person(8), Granted, "newsletter", d, at(d.at.AddDate(0, 0, 1))), Refused, "/at"},
		{"long over", line(person(8), Granted, "newsletter", d, at(d.at.AddDate(-3, 0, 0))), Refused, "expires"},
		{"ticked beforehand", line(person(8), Granted, "newsletter", d, method(Ticked)), Refused, "/method"},
		{"by using the site", line(person(8), Granted, "analytics", d, method(ContinuedUse)), Refused, "/method"},
		{"no purpose", line(person(8), Granted, "telepathy", d), Refused, "/choices/0/purpose"},
		{"what cannot be refused", line(person(8), Denied, "session", d), Refused, "/choices/0/choice"},
		{"nobody", line(personal.Identity{}, Denied, "newsletter", d), Refused, "/subject"},
		{"no address", line(identity(personal.KindEmail, "x"), Denied, "newsletter", d), Refused, "/subject"},
		{"a visitor of somebody else's", line(identity(KindVisitor, "x"), Denied, "newsletter", d), Refused, "/subject"},
		{"neither", Import{Capture: Capture{Identity: person(8), At: d.at}}, Refused, "/choice"},
		{"a restriction", stop(person(8), policy.Restricted), Refused, "/stop"},
		{"a signal", stop(person(8), policy.GPC), Refused, "/stop"},
		{"both", stop(person(8), policy.MarketingOptOut, "newsletter"), Refused, "/stop"},
		{"a complaint about what is no list", stop(person(8), policy.Complained, "analytics"), Refused, "/purpose"},
		{"a subscription after a complaint", line(spam, Granted, "newsletter", d), Refused, "suppressed"},
		{"a subscription after a bounce", line(gone, Granted, "newsletter", d), Refused, "suppressed"},
	}
	lines := make([]Import, len(tests))
	for i, c := range tests {
		lines[i] = c.l
	}
	before := d.content()
	dry := d.imports(true, lines...)
	if d.content() != before {
		t.Error("a dry run changed something")
	}
	wet := d.imports(false, lines...)
	again := d.imports(false, lines...)
	for i, c := range tests {
		if dry[i] != wet[i] && c.name != "later than what stands" {
			t.Errorf("%s: dry %+v, wet %+v", c.name, dry[i], wet[i])
		}
		if o := wet[i]; o.Line != i+1 || o.Result != c.want || !strings.Contains(o.Why, c.why) || (c.why == "") != (o.Why == "") {
			t.Errorf("%s: %+v, want %s %s", c.name, o, c.want, c.why)
		}
		if c.want == Taken && again[i].Result == Taken {
			t.Errorf("%s is taken twice", c.name)
		}
	}
}

func TestWhatIsImportedIsEvidenceOfWhereItCameFrom(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.imports(false, line(ada, Granted, "survey", d, func(l *Import) { l.Method, l.Asked[0].Text = DoubleOptIn, "May we ask you?" }))
	v, err := d.ShowTo(d.ctx(), ada, Signals{})
	if err != nil || len(v.History) != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
	e := v.History[0]
	facts := map[string]string{}
	for _, f := range e.Facts {
		facts[f.Name] = f.Value
	}
	if e.Method != Imported || e.By != "operator:h1" || facts[factEvidence] != "crm:4711" || facts[factSource] != "double_opt_in" || !e.At.Equal(d.at.AddDate(0, -6, 0)) {
		t.Errorf("%+v", e)
	}
	if w, err := d.WordingOf(d.ctx(), e.Wording); err != nil || w.Text != "May we ask you?" {
		t.Errorf("%+v, %v", w, err)
	}
	if why := d.may(ada, "survey"); why != "+consent" {
		t.Error(why)
	}
	// A year after it was given, not after it was taken over.
	if until := d.get(ada).Purposes["survey"].Until; !until.Equal(d.at.AddDate(0, 6, 0)) {
		t.Error(until)
	}
	if d.get(ada).Announcements != nil {
		t.Error("whoever is imported is written to")
	}
}
