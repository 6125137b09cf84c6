package export

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pageRecords is how many records of a category index.html shows. More would be
// a page that no browser opens and nobody reads.
const pageRecords = 1000

// tableColumns is how many fields fit side by side on paper; records with more
// are shown one below the other.
const tableColumns = 5

//go:embed index.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("index.html").Parse(pageText))

// pageView is what the template sees.
type pageView struct {
	Manifest
	Words      speech
	Outcomes   []pageOutcome
	Categories []pageCategory
	CSVs       bool
}

type pageOutcome struct {
	System, Category, Result, Note string
	Records                        string // empty: not counted
}

type pageCategory struct {
	Category
	Says    string // instead of records: held, not here, nothing
	CSV     string
	First   string // how many of how many are shown; empty if all are
	Columns []string
	Wide    bool // too many columns to stand side by side
	Records iter.Seq[pageRecord]
}

type pageRecord struct {
	Number     int
	System, ID string
	Collected  string
	Cells      []pageCell // of a wide record only those it has
}

type pageCell struct {
	Name, Text string
	Held       bool
}

// page writes index.html. The template pulls the records one at a time.
func (p *pack) page(ctx context.Context, w *bufio.Writer) error {
	v := pageView{Manifest: p.Manifest, Words: p.speech}
	labels := map[string]string{}
	var broken error // of a record that the template asked for
	for i, c := range p.Categories {
		labels[c.ID] = c.Label
		pc := p.category(i, c)
		pc.Records = func(yield func(pageRecord) bool) {
			n := 0
			for r, err := range p.records(ctx, c) {
				if err != nil {
					broken = err
					return
				}
				if n++; !yield(p.pageRecord(n, r, pc)) || n == pageRecords {
					return
				}
			}
		}
		v.CSVs = v.CSVs || pc.CSV != ""
		v.Categories = append(v.Categories, pc)
	}
	for _, o := range p.Outcomes {
		o, err := p.outcome(o)
		if err != nil {
			return err
		}
		po := pageOutcome{System: o.System, Category: labels[o.Category], Result: p.speech.T("result." + string(o.Result)), Note: o.Note}
		if o.Records > 0 || o.Result == Found {
			po.Records = strconv.Itoa(o.Records)
		}
		v.Outcomes = append(v.Outcomes, po)
	}
	if err := pageTemplate.Execute(w, v); err != nil {
		return fmt.Errorf("render the page: %w", err)
	}
	return broken
}

// category says what the page shows of a category, but for the records.
func (p *pack) category(i int, c Category) pageCategory {
	pc := pageCategory{Category: c}
	n := p.tallies[c.ID].count()
	switch d := p.disclosure(c); {
	case c.Credential:
		pc.Says = p.speech.T("held.credentials")
	case d == heldNotShown:
		pc.Says = p.speech.T("held.category")
	case d == notInThisKind:
		pc.Says = p.speech.T("not_portable")
	case n == 0 && p.nothing(c):
		pc.Says = p.speech.T("nothing")
	case n == 0:
		pc.Says = p.speech.T("see_summary")
	default:
		pc.CSV = csvName(i, c)
		pc.Columns = p.columns(c)
		pc.Wide = pc.Columns == nil || len(pc.Columns) > tableColumns
		if n > pageRecords {
			pc.First = p.speech.T("first_of", "shown", strconv.Itoa(pageRecords), "all", strconv.Itoa(n))
		}
	}
	return pc
}

// nothing reports whether every system that was asked had nothing of a category.
func (p *pack) nothing(c Category) bool {
	return !slices.ContainsFunc(p.Outcomes, func(o Outcome) bool {
		return o.Category == c.ID && o.Result != Nothing && o.Result != Found
	})
}

func (p *pack) pageRecord(n int, r record, c pageCategory) pageRecord {
	pr := pageRecord{Number: n, System: r.outcome.System, ID: r.id, Collected: p.speech.Day(r.at, p.Received.Location())}
	names := c.Columns
	if names == nil {
		names = slices.Sorted(maps.Keys(r.fields))
	}
	for _, name := range names {
		v, has := r.fields[name]
		if c.Wide && !has {
			continue
		}
		cell := pageCell{Name: name, Text: text(v), Held: string(v) == heldValue}
		if cell.Held {
			cell.Text = p.speech.T("held")
		}
		pr.Cells = append(pr.Cells, cell)
	}
	return pr
}

// Date says a day in the words of the package.
func (v pageView) Date(t time.Time) string { return v.Words.Day(t, t.Location()) }

// Lines joins what is listed, or says that there is none.
func (v pageView) Lines(items []string) string {
	if len(items) == 0 {
		return v.Words.T("none")
	}
	return strings.Join(items, "; ")
}
