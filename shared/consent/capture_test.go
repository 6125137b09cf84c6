package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

func TestAChoiceIsItsRecordAndStandsAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := d.chose(a1, Granted, "newsletter")
	if len(got.Records) != 1 || got.Records[0].Purpose != "newsletter" || got.Records[0].Choice != Granted || got.Records[0].Pending || !got.Records[0].At.Equal(d.at) || got.Visitor != "" {
		t.Fatalf("%+v", got)
	}
	if why := d.may(a1, "newsletter"); why != "+consent" {
		t.Error(why)
	}
	d.pass(time.Hour)
	d.chose(a1, Withdrawn, "newsletter")
	if why := d.may(a1, "newsletter"); why != "withdrawn" {
		t.Error(why)
	}
	d.chose(a1, Denied, "analytics")
	if told := d.told(a1); !slices.Equal(told, []string{"granted newsletter", "withdrawn newsletter", "denied analytics"}) {
		t.Error(told)
	}
	e := d.entries(d.get(a1))[0]
	facts := map[string]string{}
	for _, f := range e.Facts {
		facts[f.Name] = f.Value
	}
	want := map[string]string{
		"purpose": "newsletter", "method": "form", "wording": d.shown("newsletter"), "edition": "1", "language": "en",
		"policy": d.Policy.Version, "identifier": string(d.Keys.Ring.Identifier(a1)), "kind": "account", "until": "2028-03-02T10:00:00Z",
	}
	if e.Actor != "app:shop" || fmt.Sprint(facts) != fmt.Sprint(want) {
		t.Errorf("%s %v, want %v", e.Actor, facts, want)
	}
	w, err := d.WordingOf(d.ctx(), facts["wording"])
	if err != nil || w.Text != "Send me the newsletter and suggestions." || w.Language != "en" || w.Policy != d.Policy.Version || w.Purpose != "newsletter" {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestNobodyFindsAPersonInWhatIsRecorded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := identity(personal.KindEmail, "lovelace@example.org") // a shorter name would turn up in random ids
	c := d.says(who, Granted, "newsletter", "survey")
	c.Page, c.From, c.Attempt = "https://shop.example.com/of/lovelace@example.org/x?who=lovelace@example.org#lovelace", "192.0.2.77", Attempt{Key: "key-of-lovelace@example.org", Body: "lovelace@example.org"}
	d.capture(c)
	for _, e := range d.entries(d.get(who)) {
		if text := string(e.Encode()); strings.Contains(text, "lovelace") || strings.Contains(text, "192.0.2") {
			t.Errorf("%q", text)
		}
	}
	item, err := d.inner.Get(d.ctx(), Ref(d.Keys.Ring.Identifier(who)))
	if err != nil || strings.Contains(string(item.Body), "lovelace") || strings.Contains(string(item.Body), "example.org") {
		t.Errorf("%s, %v", item.Body, err)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                                       "",
		"nonsense":                               "",
		"javascript:alert(1)":                    "",
		"https://shop.example.com":               "https://shop.example.com",
		"https://shop.example.com/a/b?c=d#e":     "https://shop.example.com/a/b",
		"https://ada:pw@shop.example.com/a":      "https://shop.example.com/a",
		"https://shop.example.com/u/a@b.org/":    "https://shop.example.com/u/-/",
		"https://shop.example.com/u/a%40b.org":   "https://shop.example.com/u/-",
		"https://shop.example.com/u/a%2540b.org": "https://shop.example.com/u/-",
		"https://shop.example.com/p/" + strings.Repeat("t0ken.", 12): "https://shop.example.com/p/-",
		"https://shop.example.com/" + strings.Repeat("a/", 200):      "https://shop.example.com",
		"https://shop.example.com:8443/%zz":                          "",
		"https://shop.example.com/été":                               "https://shop.example.com/%C3%A9t%C3%A9",
	} {
		if got := pageOf(address); got != want {
			t.Errorf("%s becomes %s, want %s", address, got, want)
		}
	}
}

func TestWhatABrowserMaySay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	says := func(i personal.Identity, c Choice, keys ...string) Capture {
		return Capture{Identity: i, Asked: d.asks(c, keys...), By: ByBrowser, From: "192.0.2.1", Method: Banner}
	}
	// With no id it gets one.
	fresh := d.capture(says(personal.Identity{}, Granted, "analytics"))
	visitor, ok := d.Visitor(fresh.Visitor)
	if !ok || d.may(visitor, "analytics") != "+consent" {
		t.Fatalf("%+v, %s", fresh, d.may(visitor, "analytics"))
	}
	// With its own it speaks for that.
	if again := d.capture(says(visitor, Withdrawn, "analytics")); again.Visitor != "" || d.may(visitor, "analytics") != "withdrawn" {
		t.Errorf("%+v", again)
	}
	// With an id of its own making it does not.
	for _, forged := range []string{"v" + strings.Repeat("0", 52), "visitor", strings.ToUpper(fresh.Visitor)} {
		if _, err := d.Capture(d.ctx(), says(identity(KindVisitor, forged), Granted, "analytics")); !isInput(err) {
			t.Errorf("%s: %v", forged, err)
		}
	}
	// For an account, a phone or anything else it never does.
	for _, i := range []personal.Identity{a1, identity(personal.KindPhone, "+33123456789"), identity(KindInstallation, "i-1"), identity("crm_id", "7")} {
		for _, c := range Choices {
			if _, err := d.Capture(d.ctx(), says(i, c, "analytics")); !errors.Is(err, ErrSpeaker) {
				t.Errorf("%s, %s: %v", i.Kind, c, err)
			}
		}
	}
	// For an address a consent waits, whatever the rule, and a refusal does not.
	if got := d.capture(says(ada, Granted, "analytics")); !got.Records[0].Pending || d.may(ada, "analytics") != "unconfirmed" {
		t.Errorf("%+v, %s", got, d.may(ada, "analytics"))
	}
	if d.capture(says(ada, Denied, "analytics")); d.may(ada, "analytics") != "denied" {
		t.Error(d.may(ada, "analytics"))
	}
	// It tells nothing of the person that the company knows, and it does not look back.
	sub := d.get(ada)
	c := says(ada, Denied, "newsletter")
	c.Residence, c.Language = "US-CA", "fr"
	d.capture(c)
	if now := d.get(ada); now.Residence != sub.Residence || now.Locale != sub.Locale {
		t.Errorf("anybody can tell where Ada lives: %s, %s", now.Residence, now.Locale)
	}
	c.At = d.at.AddDate(0, 0, -1)
	if _, err := d.Capture(d.ctx(), c); !isInput(err) {
		t.Errorf("a browser looks back: %v", err)
	}
}

func TestWhatCannotBeChosen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	asked := func(c Choice, key string, change ...func(*Asked)) Asked {
		a := d.asks(c, key)[0]
		for _, f := range change {
			f(&a)
		}
		return a
	}
	bare := func(a *Asked) { a.Wording = "" }
	text := func(s string) func(*Asked) { return func(a *Asked) { a.Wording, a.Text = "", s } }
	app := func(a ...Asked) Capture { return Capture{Identity: a1, By: ByApp, App: "shop", Asked: a} }
	browser := func(a ...Asked) Capture { return Capture{By: ByBrowser, Asked: a} }
	with := func(c Capture, change func(*Capture)) Capture { change(&c); return c }
	method := func(c Capture, m Method) Capture { return with(c, func(c *Capture) { c.Method = m }) }
	place := func(c Capture, r string) Capture { return with(c, func(c *Capture) { c.Residence = r }) }
	tests := map[string]struct {
		c    Capture
		want string // the pointers of the fields that are wrong; empty: it is taken
	}{
		"a purpose that nobody knows":        {app(asked(Denied, "telepathy")), "/choices/0/purpose"},
		"a purpose that is no choice":        {app(asked(Denied, "sell_books")), "/choices/0/purpose"},
		"a choice that nobody knows":         {app(asked("perhaps", "newsletter")), "/choices/0/choice"},
		"what ended is not chosen":           {app(asked(Ended, "newsletter")), "/choices/0/choice"},
		"nothing":                            {app(), "/choices"},
		"the same twice":                     {app(asked(Granted, "newsletter"), asked(Denied, "newsletter")), "/choices/1/purpose"},
		"two recordings":                     {app(asked(Granted, "recordings/1"), asked(Granted, "recordings/2")), ""},
		"what cannot be refused, refused":    {app(asked(Denied, "session")), "/choices/0/choice"},
		"what cannot be refused, withdrawn":  {app(asked(Withdrawn, "session")), "/choices/0/choice"},
		"what cannot be refused, granted":    {app(asked(Granted, "session")), ""},
		"no wording":                         {app(asked(Granted, "newsletter", bare)), "/choices/0/wording"},
		"no wording, refused":                {app(asked(Denied, "newsletter", bare)), ""},
		"an old wording":                     {browser(asked(Granted, "newsletter", func(a *Asked) { a.Wording = strings.Repeat("0", 64) })), "/choices/0/wording"},
		"an old wording, refused":            {browser(asked(Denied, "newsletter", func(a *Asked) { a.Wording = strings.Repeat("0", 64) })), ""},
		"the wording of another purpose":     {browser(asked(Granted, "newsletter", func(a *Asked) { a.Wording = d.shown("survey") })), "/choices/0/wording"},
		"a browser's own text":               {browser(asked(Granted, "newsletter", text("Anything."))), "/choices/0/text"},
		"an app's own text":                  {app(asked(Granted, "newsletter", text("Our letter, please."))), ""},
		"an app's endless text":              {app(asked(Granted, "newsletter", text(strings.Repeat("é", maxWording+1)))), "/choices/0/text"},
		"an app's text and its hash":         {app(asked(Granted, "newsletter", text("X"), func(a *Asked) { a.Wording = policy.WordingHash("X") })), ""},
		"an app's text and another hash":     {app(asked(Granted, "newsletter", text("X"), func(a *Asked) { a.Wording = policy.WordingHash("Y") })), "/choices/0/wording"},
		"a recording of nothing":             {app(asked(Granted, "recordings")), "/choices/0/act"},
		"a recording with a name":            {app(asked(Granted, "recordings/Ada Lovelace")), "/choices/0/act"},
		"a recording, withdrawn at large":    {app(asked(Withdrawn, "recordings")), ""},
		"an act of what has none":            {app(asked(Granted, "newsletter/7")), "/choices/0/act"},
		"a ticked box in Europe":             {place(method(app(asked(Granted, "newsletter")), Ticked), "FR"), "/method"},
		"by using our site, in Europe":       {place(method(browser(asked(Granted, "analytics")), ContinuedUse), "FR"), "/method"},
		"by using our site, who knows where": {method(browser(asked(Granted, "analytics")), ContinuedUse), "/method"},
		"by using our site, in California":   {place(method(browser(asked(Granted, "analytics")), ContinuedUse), "US-CA"), ""},
		"explicit, by using our site":        {place(method(app(asked(Granted, "recordings/1")), ContinuedUse), "US-CA"), "/method"},
		"a ticked box, denied":               {place(method(app(asked(Denied, "newsletter")), Ticked), "FR"), ""},
		"explicit, spoken":                   {method(app(asked(Granted, "recordings/1")), Spoken), ""},
		"spoken to a browser":                {method(browser(asked(Granted, "analytics")), Spoken), "/method"},
		"imported by an app":                 {method(app(asked(Granted, "analytics")), Imported), "/method"},
		"a way that nobody knows":            {method(app(asked(Granted, "analytics")), "telepathy"), "/method"},
		"double opt-in without an address":   {app(asked(Granted, "survey")), "/subject"},
		"double opt-in by a visitor":         {browser(asked(Granted, "survey")), "/subject"},
		"double opt-in done elsewhere":       {method(app(asked(Granted, "survey")), DoubleOptIn), ""},
		"no such place":                      {place(app(asked(Granted, "analytics")), "Atlantis"), "/residence"},
		"no such language":                   {with(app(asked(Granted, "analytics")), func(c *Capture) { c.Language = "<en>" }), "/language"},
		"tomorrow":                           {with(app(asked(Granted, "analytics")), func(c *Capture) { c.At = d.at.AddDate(0, 0, 1) }), "/at"},
		"yesterday":                          {with(app(asked(Granted, "analytics")), func(c *Capture) { c.At = d.at.AddDate(0, 0, -1) }), ""},
		"an address that is none":            {with(app(asked(Granted, "analytics")), func(c *Capture) { c.Identity = identity(personal.KindEmail, "ada") }), "/subject/value"},
		"nobody's account":                   {with(app(asked(Granted, "analytics")), func(c *Capture) { c.Identity = identity(personal.KindAccount, " ") }), "/subject"},
		"everything wrong at once":           {method(app(asked(Granted, "newsletter", bare), asked("x", "survey")), "x"), "/method /choices/0/wording /choices/1/choice"},
		"more than anybody chooses":          {app(slices.Repeat([]Asked{asked(Denied, "newsletter")}, 21)...), "/choices"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := d.Capture(t.Context(), c.c)
			f, ok := errors.AsType[*fault.Error](err)
			switch {
			case err == nil && c.want == "":
			case !ok || f.Kind != fault.Invalid:
				t.Errorf("%v, want fields %s", err, c.want)
			default:
				var at []string
				for _, field := range f.Fields {
					if !slices.Contains(at, field.Pointer) {
						at = append(at, field.Pointer)
					}
				}
				if got := strings.Join(at, " "); got != c.want && !strings.HasPrefix(got, c.want+" ") || c.want == "" {
					t.Errorf("fields %s, want %s: %+v", got, c.want, f.Fields)
				}
			}
		})
	}
}

func TestWithdrawingOfWhatIsChosenPerActIsOfAllActs(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(a1, Granted, "recordings/1", "recordings/2")
	d.chose(a1, Denied, "recordings/3")
	d.chose(a1, Withdrawn, "recordings")
	for _, act := range []string{"1", "2"} {
		if why := d.may(a1, "recordings/"+act); why != "withdrawn" {
			t.Errorf("recording %s: %s", act, why)
		}
	}
	if told := d.told(a1); !slices.Equal(told[3:], []string{"withdrawn recordings"}) {
		t.Error(told)
	}
}

func TestWhatWasRefusedAboutSingleActsMakesRoom(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	acts := func(from, n int) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprintf("recordings/%03d", from+i))
		}
		return keys
	}
	d.chose(a1, Denied, "newsletter")
	for i := range 5 {
		d.chose(a1, Granted, acts(20*i, 15)...)
	}
	d.chose(a1, Denied, acts(200, 10)...) // the first six have to go
	sub := d.get(a1)
	if len(sub.Purposes) != maxStandings || sub.Purposes["newsletter"].Choice != Denied || d.may(a1, "recordings/200") != "not_asked" || d.may(a1, "recordings/209") != "denied" {
		t.Errorf("%d standings, %+v", len(sub.Purposes), sub.Purposes["newsletter"])
	}
	d.chose(a1, Granted, acts(300, 4)...)
	if _, err := d.Capture(d.ctx(), d.says(a1, Granted, acts(400, 1)...)); !isInput(err) {
		t.Errorf("one more: %v", err)
	}
	// All of it can still be withdrawn in one call.
	if _, err := d.SwitchFor(d.ctx(), "shop", a1, Change{WithdrawAll: true}); err != nil {
		t.Fatal(err)
	}
	for key, st := range d.get(a1).Purposes {
		if st.Choice == Granted {
			t.Errorf("%s is still granted", key)
		}
	}
	d.entries(d.get(a1))
}

func TestACallIsRepeatedAndNotDoneAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := d.says(a1, Granted, "newsletter", "analytics")
	c.Attempt = Attempt{Key: "k-1", Body: "body"}
	first := d.capture(c)
	d.pass(time.Hour)
	d.chose(a1, Withdrawn, "newsletter")
	if again := d.capture(c); fmt.Sprint(again.Records) != fmt.Sprint(first.Records) {
		t.Errorf("%+v, want %+v", again, first)
	}
	if why := d.may(a1, "newsletter"); why != "withdrawn" {
		t.Errorf("a repeated call grants again: %s", why)
	}
	c.Attempt.Body = "another body"
	if _, err := d.Capture(d.ctx(), c); !errors.Is(err, ErrReplay) {
		t.Error(err)
	}
	// Another app's keys are its own.
	c.App = "desk"
	if other := d.capture(c); other.Records[0].ID == first.Records[0].ID {
		t.Error("two apps share a key")
	}
	d.pass(replayFor)
	c.App = "shop"
	if late := d.capture(c); late.Records[0].ID == first.Records[0].ID {
		t.Error("a key is remembered for more than a day")
	}
	if n := len(d.get(a1).Calls); n != 2 {
		t.Errorf("%d calls are remembered", n)
	}
}

func TestAPostWithoutAKeyIsARecordEachTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 3 {
		d.chose(a1, Granted, "newsletter")
	}
	if sub := d.get(a1); len(d.entries(sub)) != 3 || len(sub.Calls) != 0 {
		t.Errorf("%d entries, %d calls", len(d.entries(sub)), len(sub.Calls))
	}
}

func TestARepeatedFirstVisitIsOneVisitor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := Capture{Asked: d.asks(Granted, "analytics"), By: ByBrowser, From: "192.0.2.1", Attempt: Attempt{Key: "0123456789abcdef", Body: "b"}}
	first := d.capture(c)
	if again := d.capture(c); again.Visitor != first.Visitor || fmt.Sprint(again.Records) != fmt.Sprint(first.Records) {
		t.Errorf("%+v, want %+v", again, first)
	}
	c.Attempt.Body = "c"
	if _, err := d.Capture(d.ctx(), c); !errors.Is(err, ErrReplay) {
		t.Error(err)
	}
	c.From = "192.0.2.2"
	if other := d.capture(c); other.Visitor == first.Visitor {
		t.Error("somebody elsewhere with the same key is the same visitor")
	}
	c.Attempt.Key = "1"
	if one, two := d.capture(c), d.capture(c); one.Visitor == two.Visitor {
		t.Error("a key that anybody may use makes one visitor of all")
	}
}

func TestAnAppMayLookBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	back := func(days int, c Choice, keys ...string) {
		t.Helper()
		capture := d.says(a1, c, keys...)
		capture.At = d.at.AddDate(0, 0, -days)
		d.capture(capture)
	}
	back(10, Granted, "newsletter")
	if sub := d.get(a1); !sub.Purposes["newsletter"].At.Equal(d.at.AddDate(0, 0, -10)) || !sub.Purposes["newsletter"].Until.Equal(d.at.AddDate(0, 0, -10).AddDate(2, 0, 0)) {
		t.Errorf("%+v", sub.Purposes)
	}
	back(5, Withdrawn, "newsletter")
	back(7, Granted, "newsletter") // it was queued somewhere
	if why := d.may(a1, "newsletter"); why != "withdrawn" {
		t.Error(why)
	}
	back(5, Granted, "newsletter") // at the same time: the refusal stands
	if why := d.may(a1, "newsletter"); why != "withdrawn" {
		t.Error(why)
	}
	if told := d.told(a1); !slices.Equal(told, []string{"granted newsletter", "withdrawn newsletter", "granted newsletter (none)", "granted newsletter (none)"}) {
		t.Error(told)
	}
	back(4, Granted, "newsletter")
	back(4, Withdrawn, "newsletter")
	if why := d.may(a1, "newsletter"); why != "withdrawn" {
		t.Error(why)
	}
	v, err := d.ShowTo(d.ctx(), a1, Signals{})
	if err != nil || !v.History[0].At.Equal(d.at.AddDate(0, 0, -4)) || len(v.History) != 6 {
		t.Errorf("%+v, %v", v.History, err)
	}
}

func TestABrowserIsBoundedAndNobodyIsKeptFromRefusing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	says := func(i personal.Identity, c Choice, key string) error {
		_, err := d.Capture(d.ctx(), Capture{Identity: i, Asked: d.asks(c, key), By: ByBrowser, From: "192.0.2.1"})
		return err
	}
	address := func(n int) personal.Identity { return identity(personal.KindEmail, fmt.Sprintf("a%d@example.org", n)) }
	for n := range d.Policy.Verification.SubmitsPerHour {
		if err := says(address(n), Granted, "newsletter"); err != nil {
			t.Fatal(n, err)
		}
	}
	if err := says(address(99), Granted, "newsletter"); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more address: %v", err)
	}
	if err := says(address(99), Denied, "newsletter"); err != nil {
		t.Errorf("a refusal for an address: %v", err)
	}
	visitor := d.NewVisitor()
	d.floods.hour, d.floods.n = d.at.Format("2006-01-02T15"), map[string]int{d.Keys.Ring.Hash("chooser address", "192.0.2.1", d.at.Format("2006-01-02T15")): visitorsPerHour}
	if err := says(visitor, Granted, "analytics"); !errors.Is(err, ErrTooMany) {
		t.Errorf("a visitor too many: %v", err)
	}
	if err := says(visitor, Denied, "analytics"); err != nil {
		t.Errorf("a refusal: %v", err)
	}
	d.pass(time.Hour)
	if err := says(visitor, Granted, "analytics"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}
