package law

import (
	"flag"
	"fmt"
	"os"
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

func regimes() string {
	var b strings.Builder
	b.WriteString(`<!-- Made from shared/law by: go test ./shared/law -run TestRegimesPage -update -->

# The laws that are built in

A policy file names the laws it follows by their id. Each figure stands beside its article and a mark that says how far it was
checked. **This is no legal advice**: have the figures that you rely on checked, above all those that are not ` + "`verified`" + `.

| mark | means |
|---|---|
| ` + "`verified`" + ` | the primary text was read |
| ` + "`secondary`" + ` | a secondary source says so |
| ` + "`unverified`" + ` | general knowledge; check it before relying on it |

How dates are counted: the day of receipt is a day in the controller's time zone and is not counted. One month after the 31st
is the last day of a shorter month. Where several laws could apply, or the residence is not known, the strictest counts. A
promise of the policy that is earlier than the law binds. ` + "`respond_by`" + ` is what binds; ` + "`safe_by`" + ` is the earliest date under any
reading, and a working day. ` + "`GET /v1/requests/{id}/deadline`" + ` tells each request's count step by step.

**Not built in**: extensions, pauses and restarts; public holidays, so that a date is never moved to a later working day (it is
early, never late); appeals.

| id | law | for what is received from | answer within | article | mark |
|---|---|---|---|---|---|
`)
	for _, p := range packs {
		for i, l := range p.limits {
			id, name, from := "`"+p.ID+"`", p.Name, p.From.String()
			if i > 0 {
				id, name, from = "", "", ""
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s%s | %s | `%s` |\n", id, name, from, l.span, forRights(l.rights), l.basis.article, l.basis.mark)
		}
	}
	for i, p := range packs {
		older := i > 0 && packs[i-1].ID == p.ID
		heading := p.ID
		if older {
			heading += ", before " + packs[i-1].From.String()
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s. For residents of %s.\n\n", heading, p.Name, strings.Join(p.covers, ", "))
		fmt.Fprintf(&b, "Sources: %s\n\n", strings.Join(links(p.Sources), ", "))
		bullet(&b, "the day of receipt is not counted", p.receipt)
		if p.roll != (basis{}) {
			bullet(&b, "a last day that is no working day would move to the next (left unused)", p.roll)
		}
		for _, l := range p.limits {
			for _, r := range l.readings {
				bullet(&b, r.text+fmt.Sprintf(" The safe date is %d day earlier.", r.earlier), r.basis)
			}
		}
		if older {
			b.WriteString("\nReasons and what is withheld are as in the newer version, with their articles.\n")
			continue
		}
		b.WriteString("\n| a request may be denied as | told to the person | article | mark |\n|---|---|---|---|\n")
		for _, r := range p.reasons {
			fmt.Fprintf(&b, "| `%s`%s | %s | %s | `%s` |\n", r.Code, forRights(r.rights), r.Text[english], r.Article, r.Mark)
		}
		b.WriteString("\nAn answer says that these are held and never shows them: ")
		var kinds []string
		for _, w := range p.withheld {
			kinds = append(kinds, strings.ToLower(w.Text[english][:1])+w.Text[english][1:])
		}
		fmt.Fprintf(&b, "%s (%s, `%s`).\n", strings.Join(kinds, "; "), p.withheld[0].Article, p.withheld[0].Mark)
	}
	return b.String()
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
	fmt.Fprintf(b, "- %s: %s (`%s`)\n", strings.TrimSuffix(text, "."), of.article, of.mark)
}
