package law

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/regimes.md anew")

// TestRegimesPage compares docs/regimes.md with the packs that it is made from.
func TestRegimesPage(t *testing.T) {
	t.Parallel()
	const page = "../../docs/regimes.md"
	want := regimes()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil { // #nosec G306 -- a page for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/regimes.md is not what the packs say; write it anew with: go test ./shared/law -run TestRegimesPage -update")
	}
}

const preface = `<!-- Made from shared/law by: go test ./shared/law -run TestRegimesPage -update -->

# The laws that are built in

A policy file names the laws it follows by their id. Each figure stands beside its article and a mark that says how far it was
checked. **This is no legal advice**: have the figures that you rely on checked, above all those that are not ◉.

| mark | means |
|---|---|
| ◉ verified | the primary text was read |
| ◐ secondary | a secondary source says so |
| ○ unverified | general knowledge. A figure of this mark gives no more time than its safe date; check it before relying on it |

## How dates are counted

- The day of receipt is a day in the controller's time zone and is not counted. A period ends with the last second of its last day.
- A month ends on the same date of a later month; one month after the 31st is the last day of a shorter month. Days are days of the
  calendar. Business days are Mondays to Fridays that are no holidays of the place that the law looks at.
- Where a law moves a last day that is no working day, it moves to the next working day. Holidays are those of the place where the
  controller acts, if they are known and the law is in force there: 4 July moves no date of the GDPR. Otherwise only Saturdays and
  Sundays do.
- Waiting for the person can pause the time or begin it anew, as the law's own table below says. What stands in no table is ignored:
  time runs on.
- An extension is one, takes a notice inside the first period, and names one of the law's own grounds.
- What was received before a law changed is counted by the law as it was then.
- Of several laws that cover the residence the strictest counts; of all that the policy names, if none covers it or it is not known.
- A promise of the policy that is earlier than the law binds.

Every count has two dates. The **legal date** binds. The **safe date** is the earliest under every defensible reading, counts no
holiday and no pause that was not verified, and is a working day: answer by then and nobody can say that you were late.
` + "`GET /v1/requests/{id}/deadline`" + ` tells each request's count step by step.

`

const leftOut = `
## Not built in

- **US states whose laws are not in force yet** when this was written: Oklahoma and Louisiana (1 January 2027), Alabama (1 May 2027),
  Vermont (1 January 2028). ` + "`us-states`" + ` stands for them.
- **Mexico, Indonesia, Uruguay**: sources disagree about the figures, or count in hours.
- **Extensions without a last day** (Switzerland, New Zealand, Singapore): a notice that names the new date is all that the law asks
  for. Answer within the period, or send the notice and keep a record of it.
- **Data brokers' platforms**, such as California's, and the duties of public bodies.
`

func regimes() string {
	var b strings.Builder
	b.WriteString(preface)
	b.WriteString("Holidays are known for: " + strings.Join(HolidayPlaces(), ", ") + ".\n")
	overview(&b)
	choices(&b)
	for i, p := range packs {
		newer := i > 0 && packs[i-1].ID == p.ID
		describe(&b, p, newer)
	}
	b.WriteString(leftOut)
	authorities(&b)
	return b.String()
}

// overview is the table of every figure.
func overview(b *strings.Builder) {
	b.WriteString(`
## The figures

Where a cell is empty, the law knows no such thing or names no figure.

| id | for what is received from | acknowledge | answer | extended to | opt-out | appeal decided | complaint | records kept |
|---|---|---|---|---|---|---|---|---|
`)
	for i := range packs {
		p := &packs[i]
		acknowledge := figures(p.acknowledge, func(l limit) bool { return !slices.Contains(l.rights, Complaint) })
		answer := figures(p.limits, func(l limit) bool { return !about(l.rights, "opt_out_sale", Complaint) })
		optOut := figures(p.limits, func(l limit) bool { return about(l.rights, "opt_out_sale") })
		complaint := figures(p.limits, func(l limit) bool { return about(l.rights, Complaint) })
		if c := figures(p.acknowledge, func(l limit) bool { return about(l.rights, Complaint) }); c != "" {
			complaint = join(complaint, "acknowledge in "+c)
		}
		var extended, decide, keep string
		for _, e := range p.extensions {
			extended = join(extended, e.span.String()+sign(e.basis.mark))
		}
		if a := p.appeal; a != nil {
			decide = a.decide.span.String() + sign(a.decide.basis.mark)
			if a.extended != nil {
				decide = join(decide, "extended to "+a.extended.span.String()+sign(a.extended.basis.mark))
			}
		}
		if p.records != nil {
			keep = p.records.span.String() + sign(p.records.basis.mark)
		}
		fmt.Fprintf(b, "| [`%s`](#%s) | %s | %s | %s | %s | %s | %s | %s | %s |\n",
			p.ID, p.ID, p.From, acknowledge, answer, extended, optOut, decide, complaint, keep)
	}
}

// choices is the table of what may stand before anybody chose.
func choices(b *strings.Builder) {
	b.WriteString(`
## What may stand before anybody chose

A policy can let a purpose stand on until the person says no (` + "`default: on`" + `) on one of three grounds. ` + "`existing_customer`" + ` is mail about the
company's own similar products, to people who bought, who were told then that they can say no and can say it in every mail.
` + "`no_consent_needed`" + ` is that the law asks for a way out only. ` + "`legitimate_interests`" + ` is that the company's interests outweigh the
person's until the person objects; it is for no mail and for nothing that is kept in a browser. Where a cell is empty the answer is no, either because the law says so or
because nobody has looked. In Canada consent is implied for two years from the last purchase: that count is the company's.

The last column is where the signal of Global Privacy Control is an opt-out of sale and of targeted advertising. It binds who sells
data, shares it or uses it for targeted advertising; a policy under such a law may not say that it ignores the signal.

| id | existing_customer | no_consent_needed | legitimate_interests | Global Privacy Control |
|---|---|---|---|---|
`)
	for i, p := range packs {
		if i > 0 && packs[i-1].ID == p.ID {
			continue
		}
		fmt.Fprintf(b, "| [`%s`](#%s) | %s | %s | %s | %s |\n", p.ID, p.ID,
			cite(defaultOn(p.ID, ExistingCustomer)), cite(defaultOn(p.ID, NoConsentNeeded)), cite(defaultOn(p.ID, LegitimateInterests)), cite(signals[p.ID]))
	}
}

func cite(of basis) string {
	if of == (basis{}) {
		return ""
	}
	return of.article + sign(of.mark)
}

func about(rights []string, these ...string) bool {
	return slices.ContainsFunc(these, func(r string) bool { return slices.Contains(rights, r) })
}

func figures(limits []limit, which func(limit) bool) string {
	var text string
	for _, l := range limits {
		if !which(l) {
			continue
		}
		figure := l.span.String() + sign(l.basis.mark)
		if len(l.rights) > 0 && !about(l.rights, "opt_out_sale", Complaint) {
			figure += " (" + strings.Join(l.rights, ", ") + ")"
		}
		text = join(text, figure)
	}
	return text
}

func join(text, more string) string {
	if text == "" {
		return more
	}
	return text + ", " + more
}

func sign(mark string) string {
	return map[string]string{Verified: " ◉", Secondary: " ◐", Unverified: " ○"}[mark]
}

// describe is one law's section; of an older version only what has dates.
func describe(b *strings.Builder, p Pack, older bool) {
	heading := p.ID
	if older {
		heading += ", received from " + p.From.String()
	}
	fmt.Fprintf(b, "\n## %s\n\n%s, for what is received from %s. It protects residents of %s.\n\nSources: %s\n\n",
		heading, p.Name, p.From, strings.Join(p.covers, ", "), strings.Join(links(p.Sources), ", "))
	for _, l := range p.acknowledge {
		bullet(b, "Acknowledge receipt within "+l.span.String()+forRights(l.rights), l.basis)
		otherReadings(b, l.readings)
	}
	for _, l := range p.limits {
		bullet(b, "Answer within "+l.span.String()+forRights(l.rights), l.basis)
		otherReadings(b, l.readings)
	}
	for _, e := range p.extensions {
		bullet(b, "With a notice inside that time, answer within "+e.span.String()+" of receipt"+forRights(e.rights), e.basis)
		otherReadings(b, e.readings)
		reasonsForMore(b, e.grounds)
	}
	if len(p.extensions) == 0 {
		b.WriteString("- No extension is counted.\n")
	}
	bullet(b, "The day of receipt is not counted", p.receipt)
	if p.roll != (basis{}) {
		bullet(b, "A last day that is no working day moves to the next", p.roll)
	} else {
		b.WriteString("- A last day that is no working day stays where it is.\n")
	}
	if p.holidays != "" {
		fmt.Fprintf(b, "- Holidays of %s are no business days.\n", p.holidays)
	}
	if a := p.appeal; a != nil {
		bullet(b, "An appeal to the company is decided within "+a.decide.span.String(), a.decide.basis)
		if a.extended != nil {
			bullet(b, "With a notice inside that time, within "+a.extended.span.String(), a.extended.basis)
		}
	} else {
		b.WriteString("- It knows no appeal to the company.\n")
	}
	if p.silence != (basis{}) {
		bullet(b, "No answer in time is a refusal", p.silence)
	}
	if p.records != nil {
		bullet(b, "The record of a request is kept for "+p.records.span.String()+" from when it was closed", p.records.basis)
	}
	for _, x := range p.proofs {
		proofs := make([]string, 0, len(x.forbid))
		for _, proof := range x.forbid {
			proofs = append(proofs, "`"+string(proof)+"`")
		}
		bullet(b, "Not to be asked of everybody"+forRights(x.rights)+": "+strings.Join(proofs, ", ")+". "+x.why, x.basis)
	}
	waiting(b, p)
	if len(p.questions) > 0 {
		b.WriteString("\nNot settled, and how it is counted:\n\n")
		for _, q := range p.questions {
			b.WriteString("- " + q + "\n")
		}
	}
	if older {
		b.WriteString("\nReasons and what is withheld are as in the newer version.\n")
		return
	}
	denials(b, p)
	kinds := make([]string, 0, len(p.withheld))
	for _, w := range p.withheld {
		kinds = append(kinds, strings.ToLower(w.Text[english][:1])+w.Text[english][1:])
	}
	fmt.Fprintf(b, "\nAn answer says that these are held and never shows them: %s (%s%s).\n",
		strings.Join(kinds, "; "), p.withheld[0].Article, sign(p.withheld[0].Mark))
}

func otherReadings(b *strings.Builder, readings []reading) {
	for _, r := range readings {
		how := fmt.Sprintf("The safe date counts %s", r.span)
		switch {
		case r.chained:
			how += " from the end of the first period"
		case r.earlier > 0:
			how = fmt.Sprintf("The safe date is %s earlier", Span{r.earlier, Days})
		}
		b.WriteString("  ")
		bullet(b, r.text+" "+how, r.basis)
	}
}

func reasonsForMore(b *strings.Builder, grounds []Ground) {
	b.WriteString("  - Grounds: ")
	for i, g := range grounds {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(b, "`%s` (%s)", g.Code, strings.TrimSuffix(g.Text[english], "."))
		if g.Open {
			b.WriteString(", for as long as it takes: the notice names the day")
		}
	}
	b.WriteString(".\n")
}

// waiting is the table of what stops the time.
func waiting(b *strings.Builder, p Pack) {
	if len(p.stops) == 0 {
		b.WriteString("\nWhatever the company waits for, time runs on.\n")
		return
	}
	b.WriteString("\n| while the company waits for | the time | article |\n|---|---|---|\n")
	effects := map[Effect]string{
		Ignore:         "runs on",
		PauseInclusive: "pauses, from the day of asking to that of the answer, both included",
		PauseExclusive: "pauses, from the day after asking to that of the answer",
		Restart:        "begins anew with the answer",
	}
	for _, cause := range Causes {
		var known bool
		for _, s := range p.stops {
			if s.cause != cause {
				continue
			}
			known = true
			where := ""
			if len(s.places) > 0 {
				where = ", for controllers in " + strings.Join(s.places, ", ") + "; elsewhere it runs on"
			}
			fmt.Fprintf(b, "| `%s`%s | %s%s | %s%s |\n", cause, forRights(s.rights), effects[s.effect], where, s.basis.article, sign(s.basis.mark))
		}
		if !known {
			fmt.Fprintf(b, "| `%s` | runs on | the law names no such rule |\n", cause)
		}
	}
}

// denials is the table of reasons; laws of one model share one table.
func denials(b *strings.Builder, p Pack) {
	for _, earlier := range packs {
		if earlier.ID == p.ID {
			break
		}
		if oneArticle(p.reasons) && oneArticle(earlier.reasons) && slices.EqualFunc(p.reasons, earlier.reasons, sameReason) {
			fmt.Fprintf(b, "\nA request may be denied for the reasons listed under [`%s`](#%s), here by %s%s.\n",
				earlier.ID, earlier.ID, p.reasons[0].Article, sign(p.reasons[0].Mark))
			return
		}
	}
	b.WriteString("\n| a request may be denied as | told to the person | article |\n|---|---|---|\n")
	for _, r := range p.reasons {
		fmt.Fprintf(b, "| `%s`%s | %s | %s%s |\n", r.Code, forRights(r.rights), r.Text[english], r.Article, sign(r.Mark))
	}
}

func oneArticle(reasons []Reason) bool {
	return !slices.ContainsFunc(reasons, func(r Reason) bool { return r.Article != reasons[0].Article })
}

func sameReason(a, b Reason) bool {
	return a.Code == b.Code && a.Text[english] == b.Text[english] && slices.Equal(a.rights, b.rights) && a.Mark == b.Mark
}

func authorities(b *strings.Builder) {
	b.WriteString("\n## Who hears a complaint\n\nA part of a country that has no row has its country's.\n\n| residence | authority |\n|---|---|\n")
	for _, place := range slices.SortedFunc(maps.Keys(regulators), cmp.Compare[string]) {
		fmt.Fprintf(b, "| %s | [%s](%s) |\n", place, regulators[place].Name, regulators[place].URL)
	}
}

func forRights(rights []string) string {
	if len(rights) == 0 {
		return ""
	}
	return " (" + strings.Join(rights, ", ") + ")"
}

func links(urls []string) []string {
	var out []string
	for _, u := range urls {
		out = append(out, "<"+u+">")
	}
	return out
}

func bullet(b *strings.Builder, text string, of basis) {
	fmt.Fprintf(b, "- %s: %s%s\n", strings.TrimSuffix(text, "."), of.article, sign(of.mark))
}
