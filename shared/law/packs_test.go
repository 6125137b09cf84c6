package law

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	everyRight = []string{"access", "know", "portability", "rectification", "erasure", "restriction", "objection", "challenge", "opt_out_sale", "limit_sensitive", Appeal, Complaint}
	snake      = regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)*$`)
	placeCode  = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)
)

// whole reports what a rule lacks to be cited.
func (b basis) whole() error {
	u, err := url.Parse(b.source)
	switch {
	case b.article == "":
		return fmt.Errorf("a rule of %s cites nothing", b.source)
	case err != nil || u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%s has the source %q", b.article, b.source)
	case !slices.Contains([]string{Verified, Secondary, Unverified}, b.mark):
		return fmt.Errorf("%s has the mark %q", b.article, b.mark)
	}
	return nil
}

func TestEveryRuleOfEveryPackCanBeCited(t *testing.T) {
	t.Parallel()
	for _, p := range packs {
		rules := []basis{p.receipt}
		for _, l := range slices.Concat(p.limits, p.acknowledge) {
			rules = append(rules, l.basis)
			for _, r := range l.readings {
				rules = append(rules, r.basis)
			}
		}
		for _, e := range p.extensions {
			rules = append(rules, e.basis)
			for _, r := range e.readings {
				rules = append(rules, r.basis)
			}
		}
		for _, s := range p.stops {
			rules = append(rules, s.basis)
		}
		for _, x := range p.proofs {
			rules = append(rules, x.basis)
		}
		if p.appeal != nil {
			rules = append(rules, p.appeal.decide.basis)
			if p.appeal.extended != nil {
				rules = append(rules, p.appeal.extended.basis)
			}
		}
		if p.records != nil {
			rules = append(rules, p.records.basis)
		}
		for _, optional := range []basis{p.roll, p.silence, signals[p.ID], defaultOn(p.ID, ExistingCustomer), defaultOn(p.ID, NoConsentNeeded), defaultOn(p.ID, LegitimateInterests)} {
			if optional != (basis{}) {
				rules = append(rules, optional)
			}
		}
		for _, r := range rules {
			if err := r.whole(); err != nil {
				t.Errorf("%s: %v", p.ID, err)
			}
		}
		for _, q := range p.questions {
			if !strings.HasSuffix(q, ".") {
				t.Errorf("%s: %q is no sentence", p.ID, q)
			}
		}
	}
}

func TestEveryPackSaysForWhomAndForWhat(t *testing.T) {
	t.Parallel()
	for _, p := range packs {
		for _, place := range p.covers {
			if !placeCode.MatchString(place) && place != "EEA" {
				t.Errorf("%s covers %q", p.ID, place)
			}
			// The United States have nobody who hears every complaint.
			if _, ok := Authority(place); !ok && place != "US" {
				t.Errorf("%s: nobody hears the complaints of residents of %s", p.ID, place)
			}
		}
		if len(p.covers) == 0 || len(p.limits) == 0 || len(p.limits[len(p.limits)-1].rights) != 0 {
			t.Errorf("%s covers nobody, or its last limit is not for every other right", p.ID)
		}
		var named []string
		for _, l := range p.limits {
			for _, r := range l.rights {
				if slices.Contains(named, r) || !slices.Contains(everyRight, r) {
					t.Errorf("%s: a limit for %q", p.ID, r)
				}
				named = append(named, r)
			}
		}
		for _, l := range slices.Concat(p.limits, p.acknowledge) {
			if l.span.N <= 0 {
				t.Errorf("%s: a limit of %s", p.ID, l.span)
			}
		}
		if a := p.appeal; a != nil && (!slices.Equal(a.decide.rights, []string{Appeal}) || a.decide.span.N <= 0) {
			t.Errorf("%s: an appeal is decided within %s by a rule for %q", p.ID, a.decide.span, a.decide.rights)
		}
		if p.records != nil && p.records.span.N <= 0 {
			t.Errorf("%s: records are kept %s", p.ID, p.records.span)
		}
	}
}

// samples are days of receipt: the ends of months, a leap year, an ordinary day.
var samples = []Date{
	Day(2026, time.January, 31), Day(2026, time.March, 5), Day(2026, time.August, 31), Day(2024, time.January, 31),
	Day(2025, time.November, 25), Day(2025, time.December, 31), Day(2026, time.November, 30),
}

// after counts without holidays, which no reading needs.
func (s Span) after(day Date) Date {
	if s.Unit != BusinessDays {
		return s.After(day)
	}
	for left := s.N; left > 0; {
		if day++; !day.weekend() {
			left--
		}
	}
	return day
}

func TestAnExtensionIsLongerAndAReadingEarlier(t *testing.T) {
	t.Parallel()
	for _, p := range packs {
		for _, day := range samples {
			for _, e := range p.extensions {
				for _, right := range everyRight[:10] {
					if applies(e.rights, right) && e.span.after(day) <= p.limit(right).span.after(day) {
						t.Errorf("%s: %s extended to %s from %s is no more than %s", p.ID, right, e.span, day, p.limit(right).span)
					}
				}
				for _, r := range e.readings {
					if got := r.ends(p.limits[len(p.limits)-1].span, e.span, day); got > e.span.after(day) {
						t.Errorf("%s: %q ends on %s, after the plain %s", p.ID, r.text, got, e.span.after(day))
					}
				}
			}
			for _, l := range slices.Concat(p.limits, p.acknowledge) {
				for _, r := range l.readings {
					if got := r.ends(Span{}, l.span, day); got >= l.span.after(day) {
						t.Errorf("%s: %q ends on %s, not before the plain %s", p.ID, r.text, got, l.span.after(day))
					}
				}
			}
			if a := p.appeal; a != nil && a.extended != nil && a.extended.span.after(day) <= a.decide.span.after(day) {
				t.Errorf("%s: an appeal extended to %s is no more than %s", p.ID, a.extended.span, a.decide.span)
			}
		}
	}
}

// ends is where a reading of a period ends.
func (r reading) ends(first, plain Span, day Date) Date {
	switch {
	case r.chained:
		return r.span.after(first.after(day))
	case r.span != Span{}:
		return r.span.after(day)
	}
	return plain.after(day) - Date(r.earlier)
}

func TestEveryGroundCanBeTold(t *testing.T) {
	t.Parallel()
	for _, p := range packs {
		extensions := p.extensions
		if p.appeal != nil && p.appeal.extended != nil {
			extensions = append(slices.Clone(extensions), *p.appeal.extended)
		}
		for _, e := range extensions {
			var codes []string
			for _, g := range e.grounds {
				if !snake.MatchString(g.Code) || g.Text[english] == "" || g.Text[french] == "" || slices.Contains(codes, g.Code) {
					t.Errorf("%s: the ground %+v", p.ID, g)
				}
				codes = append(codes, g.Code)
			}
			if len(codes) == 0 {
				t.Errorf("%s extends to %s for no reason", p.ID, e.span)
			}
		}
	}
}

func TestOneCauseHasOneEffect(t *testing.T) {
	t.Parallel()
	for _, p := range packs {
		seen := map[string]bool{}
		for _, s := range p.stops {
			if !slices.Contains(Causes, s.cause) || !slices.Contains([]Effect{Ignore, PauseInclusive, PauseExclusive, Restart}, s.effect) {
				t.Errorf("%s: %s makes the time %s", p.ID, s.cause, s.effect)
			}
			for _, right := range everyRight {
				if !applies(s.rights, right) {
					continue
				}
				key := fmt.Sprint(s.cause, right, s.places)
				if seen[key] {
					t.Errorf("%s: two rules for %s", p.ID, key)
				}
				seen[key] = true
			}
		}
	}
}

func TestNoLawForbidsToAskForNothing(t *testing.T) {
	t.Parallel()
	for _, p := range packs {
		for _, x := range p.proofs {
			if len(x.forbid) == 0 || slices.Contains(x.forbid, NoProof) || !strings.HasSuffix(x.why, ".") {
				t.Errorf("%s forbids %v: %q", p.ID, x.forbid, x.why)
			}
			for _, proof := range x.forbid {
				if !slices.Contains(Proofs, proof) {
					t.Errorf("%s forbids %q", p.ID, proof)
				}
			}
		}
	}
}

// The figures, written by hand from the texts and surveys they come from, so that
// a slip in a pack is caught: answer, with the extension; opt-out, acknowledgement,
// appeal with its extension, records. b: business days, m: months, else days.
func TestTheFigures(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"eu-gdpr 2018-05-25":      "1m 3m",
		"uk-gdpr 2021-01-01":      "1m 3m",
		"uk-gdpr 2026-02-05":      "1m 3m",
		"uk-gdpr 2026-06-19":      "1m 3m complaint-ack 30",
		"ch-fadp 2023-09-01":      "30",
		"us-ca-ccpa 2020-01-01":   "45 90 opt_out_sale 15b ack 10b records 24m",
		"us-va 2023-01-01":        "45 90 appeal 60",
		"us-co 2023-07-01":        "45 90 appeal 45 105 records 24m",
		"us-ct 2023-07-01":        "45 90 appeal 60",
		"us-tx 2024-07-01":        "45 90 appeal 60",
		"us-or 2024-07-01":        "45 90 appeal 45",
		"us-nj 2025-01-15":        "45 90 appeal 45",
		"us-mn 2025-07-31":        "45 90 appeal 45 105",
		"us-ut 2023-12-31":        "45 90",
		"us-mt 2024-10-01":        "45 90 appeal 60",
		"us-ia 2025-01-01":        "90 135 appeal 60",
		"us-ne 2025-01-01":        "45 90 appeal 60",
		"us-de 2025-01-01":        "45 90 appeal 60",
		"us-nh 2025-01-01":        "45 90 appeal 60",
		"us-tn 2025-07-01":        "45 90 appeal 60",
		"us-md 2025-10-01":        "45 90 appeal 60",
		"us-in 2026-01-01":        "45 90 appeal 60",
		"us-ky 2026-01-01":        "45 90 appeal 60",
		"us-ri 2026-01-01":        "45 90 appeal 60",
		"us-fl 2024-07-01":        "45 60 appeal 60",
		"us-nv 2019-10-01":        "60 90",
		"us-wa 2024-03-31":        "45 90 appeal 45",
		"us-states 2023-01-01":    "45 90 appeal 45 records 24m",
		"ca-pipeda 2001-01-01":    "30 60",
		"ca-qc 2023-09-22":        "30",
		"ca-ab 2004-01-01":        "45 75",
		"ca-bc 2004-01-01":        "30 60",
		"br-lgpd 2020-09-18":      "15 access 15",
		"ar-ley-25326 2000-11-02": "5b access 10",
		"au-privacy 2014-03-12":   "30",
		"nz-privacy 2020-12-01":   "20b",
		"in-dpdp 2027-05-14":      "90 complaint 90",
		"sg-pdpa 2014-07-02":      "30",
		"kr-pipa 2011-09-30":      "10",
		"jp-appi 2022-04-01":      "30",
		"th-pdpa 2022-06-01":      "30",
		"tr-kvkk 2016-10-07":      "30",
		"sa-pdpl 2023-09-14":      "30",
		"cn-pipl 2021-11-01":      "30",
		"za-popia 2021-07-01":     "30",
	}
	for i := range packs {
		p := &packs[i]
		key := p.ID + " " + p.From.String()
		if got := short(p); got != want[key] {
			t.Errorf("%s: %s, want %s", key, got, want[key])
		}
		delete(want, key)
	}
	for key := range want {
		t.Errorf("there is no pack %s", key)
	}
}

// short says the figures of a law as the table above does.
func short(p *Pack) string {
	in := func(s Span) string {
		return fmt.Sprint(s.N) + map[Unit]string{Days: "", Months: "m", BusinessDays: "b"}[s.Unit]
	}
	words := []string{in(p.limit("restriction").span)}
	if e := p.extension("erasure"); e != nil {
		words = append(words, in(e.span))
	}
	for _, l := range p.limits {
		if len(l.rights) > 0 {
			words = append(words, l.rights[0], in(l.span))
		}
	}
	for _, l := range p.acknowledge {
		if slices.Contains(l.rights, Complaint) {
			words = append(words, "complaint-ack", in(l.span))
		} else {
			words = append(words, "ack", in(l.span))
		}
	}
	if p.appeal != nil {
		words = append(words, "appeal", in(p.appeal.decide.span))
		if p.appeal.extended != nil {
			words = append(words, in(p.appeal.extended.span))
		}
	}
	if p.records != nil {
		words = append(words, "records", in(p.records.span))
	}
	return strings.Join(words, " ")
}

func TestWhatWaitingDoes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		law         string
		from        Date
		cause       Cause
		right       string
		place       string
		want        Effect
		articleHas  string
		description string
	}{
		{"eu-gdpr", 0, Identity, "access", "DE", Ignore, "", "the text knows no pause"},
		{"eu-gdpr", 0, Identity, "access", "FR", PauseExclusive, "2019-536", "French law suspends"},
		{"eu-gdpr", 0, Identity, "access", "FR-IDF", PauseExclusive, "2019-536", "a part of France is France"},
		{"eu-gdpr", 0, Clarification, "access", "FR", Ignore, "", "but for identity only"},
		{"uk-gdpr", 0, Identity, "erasure", "GB", Restart, "12A(2)(b)", "the latest of three begins the time"},
		{"uk-gdpr", 0, Fee, "access", "GB", Restart, "12A(2)(c)", "so does the fee"},
		{"uk-gdpr", 0, Clarification, "access", "GB", PauseInclusive, "12A(5)", "both ends do not count"},
		{"uk-gdpr", 0, Clarification, "erasure", "GB", Ignore, "", "for access only"},
		{"uk-gdpr", 0, Consultation, "access", "GB", Ignore, "", "third parties are no cause"},
		{"uk-gdpr", Day(2021, time.January, 1), Identity, "access", "GB", Restart, "ICO", "by guidance before the statute"},
		{"uk-gdpr", Day(2021, time.January, 1), Clarification, "access", "GB", PauseExclusive, "ICO", "by guidance before the statute"},
		{"us-ca-ccpa", 0, Identity, "know", "US-CA", Ignore, "7021(b)", "regardless of time required to verify"},
		{"us-ca-ccpa", 0, Mandate, "know", "US-CA", Ignore, "7021(b)", "an agent's too"},
		{"us-va", 0, Identity, "access", "US-VA", Ignore, "", "nothing pauses"},
		{"ca-pipeda", 0, Consultation, "access", "CA", Ignore, "8(4)", "it extends, and does not pause"},
		{"ca-ab", 0, Fee, "access", "CA-AB", PauseExclusive, "s. 32", "until the estimate is accepted"},
		{"ch-fadp", 0, Fee, "access", "CH", Restart, "Art. 19(3) DPO", "after ten days to think"},
	}
	for _, c := range tests {
		i := slices.IndexFunc(packs, func(p Pack) bool { return p.ID == c.law && (c.from == 0 || p.From == c.from) })
		if i < 0 {
			t.Errorf("there is no pack %s from %s", c.law, c.from)
			continue
		}
		got, article := Ignore, ""
		if s := packs[i].stop(c.cause, c.right, c.place); s != nil {
			got, article = s.effect, s.basis.article
		}
		if got != c.want || !strings.Contains(article, c.articleHas) || (c.articleHas == "") != (article == "") {
			t.Errorf("%s: %s, %s in %s: %s by %q, want %s by %q (%s)", c.law, c.cause, c.right, c.place, got, article, c.want, c.articleHas, c.description)
		}
	}
}
