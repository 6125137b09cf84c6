package law

import (
	"testing"
	"time"
)

// counted opens a case under laws that no policy can name.
func counted(t *testing.T, c Case, laws ...*Pack) *count {
	t.Helper()
	c.Regimes, c.Zone = []string{"eu-gdpr"}, time.UTC
	k, err := open(c, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	k.laws, k.covering = laws, true
	return &k
}

var june = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC) // a Monday

func sure(article string) basis   { return basis{article, "https://example.org", Verified} }
func unsure(article string) basis { return basis{article, "https://example.org", Unverified} }

func TestLawsThatNobodyHasMadeYet(t *testing.T) {
	t.Parallel()
	days := func(n int) time.Time { return june.AddDate(0, 0, n) }
	ten := Span{10, BusinessDays}
	tests := map[string]struct {
		Case
		Pack
		legal, safe Date
	}{
		"a pause leaves business days out once, and a weekend is none anyway": { // 3 to 9 June; the tenth other day is the 19th
			Case{Stops: []Stop{{Cause: Fee, Asked: days(2), Answered: days(8)}}},
			Pack{
				limits: []limit{{span: ten, basis: sure("1")}},
				stops:  []stop{{cause: Fee, effect: PauseInclusive, basis: sure("2")}},
			},
			Day(2026, time.June, 22), Day(2026, time.June, 22),
		},
		"a pause by a rule that was not verified": {
			Case{Stops: []Stop{{Cause: Fee, Asked: days(2), Answered: days(8)}}},
			Pack{
				limits: []limit{{span: ten, basis: sure("1")}},
				stops:  []stop{{cause: Fee, effect: PauseInclusive, basis: unsure("2")}},
			},
			Day(2026, time.June, 22), Day(2026, time.June, 15),
		},
		"a stop for other rights": {
			Case{Stops: []Stop{{Cause: Fee, Asked: days(2), Answered: days(8)}}},
			Pack{
				limits: []limit{{span: Span{10, Days}, basis: sure("1")}},
				stops:  []stop{{cause: Fee, rights: []string{"erasure"}, effect: PauseInclusive, basis: sure("2")}},
			},
			Day(2026, time.June, 11), Day(2026, time.June, 11),
		},
		"readings add up": {
			Case{},
			Pack{limits: []limit{{
				span: Span{1, Months}, basis: sure("1"),
				readings: []reading{{text: "A.", earlier: 1, basis: unsure("1")}, {text: "B.", span: Span{28, Days}, basis: unsure("1")}, {text: "C.", earlier: 1, basis: unsure("1")}},
			}}},
			Day(2026, time.July, 1), Day(2026, time.June, 26), // 29 June, less two: a Saturday
		},
		"the safe date is not before receipt": {
			Case{Received: time.Date(2026, time.June, 6, 1, 0, 0, 0, time.UTC)},
			Pack{limits: []limit{{span: Span{1, Days}, basis: sure("1"), readings: []reading{{text: "A.", earlier: 2, basis: unsure("1")}}}}},
			Day(2026, time.June, 7), Day(2026, time.June, 6),
		},
		"the safe date counts holidays, also where the time was paused": { // 14 July is one
			Case{Received: june.AddDate(0, 1, 5), Place: "FR", Stops: []Stop{{Cause: Fee, Asked: days(36), Answered: days(36)}}},
			Pack{
				covers: []string{"FR"}, limits: []limit{{span: ten, basis: sure("1")}},
				stops: []stop{{cause: Fee, effect: PauseInclusive, basis: sure("2")}},
			},
			Day(2026, time.July, 22), Day(2026, time.July, 21),
		},
		"a pause that a later restart makes void saves the safe date nothing": { // 28 January and a month, and three days
			Case{
				Received: june.AddDate(0, -5, 27),
				Stops:    []Stop{{Cause: Identity, Asked: june.AddDate(0, -5, 27), Answered: june.AddDate(0, -5, 30)}, {Cause: Fee, Asked: june.AddDate(0, -5, 28), Answered: june.AddDate(0, -5, 30)}},
			},
			Pack{
				limits: []limit{{span: Span{1, Months}, basis: sure("1")}},
				stops:  []stop{{cause: Identity, effect: Restart, basis: unsure("2")}, {cause: Fee, effect: PauseInclusive, basis: sure("3")}},
			},
			Day(2026, time.February, 28), Day(2026, time.February, 27),
		},
		"an extension that can be read to be none": {
			Case{Extended: true},
			Pack{
				limits:     []limit{{span: Span{10, Days}, basis: sure("1")}},
				extensions: []extension{{span: Span{15, Days}, basis: sure("3"), readings: []reading{{text: "A.", span: Span{4, Days}, basis: unsure("3")}}}},
			},
			Day(2026, time.June, 16), Day(2026, time.June, 11),
		},
		"an unverified figure is not moved to Monday": {
			Case{Place: "FR"},
			Pack{covers: []string{"FR"}, limits: []limit{{span: Span{12, Days}, basis: unsure("1")}}, roll: sure("2")},
			Day(2026, time.June, 12), Day(2026, time.June, 12),
		},
		"an extension that was not verified is no loss": { // the pause is worth more than it
			Case{Extended: true, Stops: []Stop{{Cause: Fee, Asked: days(1), Answered: days(30)}}},
			Pack{
				limits:     []limit{{span: Span{10, Days}, basis: sure("1")}},
				extensions: []extension{{span: Span{15, Days}, basis: unsure("3")}},
				stops:      []stop{{cause: Fee, effect: PauseInclusive, basis: basis{"2", "https://example.org", Secondary}}},
			},
			Day(2026, time.July, 11), Day(2026, time.June, 16),
		},
		"a restart is no way to put off what is put off": {
			Case{Extended: true, Stops: []Stop{{Cause: Fee, Asked: days(15), Answered: days(16)}}},
			Pack{
				limits:     []limit{{span: Span{10, Days}, basis: sure("1")}},
				extensions: []extension{{span: Span{20, Days}, basis: sure("3")}},
				stops:      []stop{{cause: Fee, effect: Restart, basis: sure("2")}},
			},
			Day(2026, time.June, 21), Day(2026, time.June, 19),
		},
		"a pause is": {
			Case{Extended: true, Stops: []Stop{{Cause: Fee, Asked: days(15), Answered: days(16)}}},
			Pack{
				limits:     []limit{{span: Span{10, Days}, basis: sure("1")}},
				extensions: []extension{{span: Span{20, Days}, basis: sure("3")}},
				stops:      []stop{{cause: Fee, effect: PauseExclusive, basis: sure("2")}},
			},
			Day(2026, time.June, 22), Day(2026, time.June, 22),
		},
	}
	for name, c := range tests {
		if c.Received.IsZero() {
			c.Received = june
		}
		c.Right, c.ID, c.Name, c.receipt = "access", "xx", "The law", sure("0")
		k := counted(t, c.Case, &c.Pack)
		f, _ := k.answer()
		if f.legal != c.legal || f.safe != c.safe {
			t.Errorf("%s: %v, safe %v; want %v, %v", name, f.legal, f.safe, c.legal, c.safe)
		}
		for _, r := range k.clocks() {
			if last := r.Steps[len(r.Steps)-1]; !last.Date.Equal(r.Safe) {
				t.Errorf("%s: %s ends on %v and not on its safe date %v: %+v", name, r.Clock, last.Date, r.Safe, r.Steps)
			}
		}
	}
}

func TestTheClocksOfAClosedRequest(t *testing.T) {
	t.Parallel()
	year := &Pack{ID: "year", limits: []limit{{span: Span{10, Days}, basis: sure("1")}}, receipt: sure("0"), records: &records{Span{12, Months}, sure("5")}}
	two := &Pack{
		ID: "two", limits: []limit{{span: Span{9, Days}, basis: sure("1")}}, receipt: sure("0"), records: &records{Span{24, Months}, sure("5")},
		appeal: &appeal{file: Span{60, Days}, decide: limit{rights: []string{Appeal}, span: Span{45, Days}, basis: sure("4")}},
	}
	for right, want := range map[string]map[Clock]Date{
		"access": {Respond: Day(2026, time.June, 10), File: Day(2026, time.August, 7), Records: Day(2028, time.June, 8)},
		Appeal:   {Decide: Day(2026, time.July, 16), Records: Day(2028, time.June, 8)},
	} {
		k := counted(t, Case{Right: "access", Received: june, Closed: june.AddDate(0, 0, 7)}, year, two)
		if k.in.Right = right; right == Appeal {
			k.laws = k.laws[1:]
		}
		got := map[Clock]Date{}
		for _, r := range k.clocks() {
			got[r.Clock] = DateOf(r.Legal, time.UTC)
			if !r.Legal.Equal(r.Safe) && r.Clock != Decide || r.Law != "two" {
				t.Errorf("%s: %+v", right, r)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: the clocks are %v, want %v", right, got, want)
		}
		for clock, day := range want {
			if got[clock] != day {
				t.Errorf("%s: %s until %v, want %v", right, clock, got[clock], day)
			}
		}
	}
}
