package export

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// Errors of Build: the parts and the manifest do not tell the same story, and a
// package that leaves something out in silence is worse than none.
var (
	ErrMissing = errors.New("export: fewer records are in the parts than the manifest says were found")
	ErrStray   = errors.New("export: there is a part that the manifest does not speak of")
)

// Build writes the package of a request: a ZIP with index.html, data.json and
// one CSV for each category that is shown. What was written before an error is no
// package.
//
// It never holds more than one part at a time, so its memory does not grow with
// the package. It reads the parts twice: once for data.json, which needs no
// heading, and once for the CSVs, whose heading is then known. The same manifest
// and parts give the same bytes.
func Build(ctx context.Context, w io.Writer, m Manifest, parts Parts) error {
	if err := m.check(); err != nil {
		return err
	}
	p := &pack{Manifest: m, speech: speechIn(m.Language), parts: parts, tallies: map[string]*tally{}}
	for _, c := range m.Categories {
		p.tallies[c.ID] = &tally{found: map[string]int{}, columns: map[string]bool{}}
	}
	if err := p.find(ctx); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	if err := p.file(z, "data.json", func(w *bufio.Writer) error { return p.data(ctx, w) }); err != nil {
		return err
	}
	for i, c := range m.Categories {
		if p.disclosure(c) != shown || p.tallies[c.ID].count() == 0 {
			continue
		}
		if err := p.file(z, csvName(i, c), func(w *bufio.Writer) error { return p.csv(ctx, w, c) }); err != nil {
			return err
		}
	}
	if err := p.file(z, "index.html", func(w *bufio.Writer) error { return p.page(ctx, w) }); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("finish the package: %w", err)
	}
	return nil
}

// csvName names the CSV of the i-th category. It holds nothing personal.
func csvName(i int, c Category) string { return fmt.Sprintf("csv/%02d-%s.csv", i+1, c.ID) }

// place is one category in one source.
type place struct{ source, category string }

// pack is a package being built.
type pack struct {
	Manifest
	speech  speech
	parts   Parts
	keys    map[place][]string // of the parts, in order
	tallies map[string]*tally  // by category
}

// tally is what the first reading of a category's parts learns.
type tally struct {
	found   map[string]int // records by source
	columns map[string]bool
}

func (t *tally) count() int {
	n := 0
	for _, f := range t.found {
		n += f
	}
	return n
}

// find lists the parts and sorts them by source and category.
func (p *pack) find(ctx context.Context) error {
	keys, err := p.parts.list(ctx, partsPrefix(p.Request))
	if err != nil {
		return err
	}
	known := map[place]bool{}
	for _, o := range p.Outcomes {
		known[place{o.Source, o.Category}] = true
	}
	p.keys = map[place][]string{}
	for _, key := range keys {
		names := strings.Split(strings.TrimPrefix(key, partsPrefix(p.Request)), "/")
		if len(names) != 3 || !known[place{names[0], names[1]}] {
			return fmt.Errorf("%w: %s", ErrStray, key)
		}
		at := place{names[0], names[1]}
		p.keys[at] = append(p.keys[at], key)
	}
	return nil
}

// record is one record as the package shows it: what is withheld is gone.
type record struct {
	outcome Outcome
	id      string
	at      time.Time
	fields  object
}

// records yields what the parts hold of a category, in the order of the outcomes.
func (p *pack) records(ctx context.Context, c Category) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		hidden := withholder(p.Withheld, c.Withheld)
		for _, o := range p.Outcomes {
			if o.Category != c.ID {
				continue
			}
			for _, key := range p.keys[place{o.Source, o.Category}] {
				page, err := p.parts.read(ctx, key)
				if err != nil {
					yield(record{}, err)
					return
				}
				for _, r := range page {
					if r.Category != c.ID {
						yield(record{}, fmt.Errorf("%w: a record of the category %q stands in %s", ErrStray, r.Category, key))
						return
					}
					fields, err := redact(r.Fields, hidden)
					if err != nil {
						yield(record{}, fmt.Errorf("part %s: %w", key, err))
						return
					}
					if !yield(record{o, r.ID, r.At, fields}, nil) {
						return
					}
				}
			}
		}
	}
}

// columns returns the fields that the records of a category have, in order; none
// if they are more than a table can bear.
func (p *pack) columns(c Category) []string {
	t := p.tallies[c.ID]
	if len(t.columns) > maxColumns {
		return nil
	}
	return slices.Sorted(maps.Keys(t.columns))
}

// maxColumns is how many columns a table has at most. Records that are keyed by
// dates or ids have no end of fields; their fields go into one column, as JSON.
const maxColumns = 256

// note remembers what a record has for those that come after the first reading.
func (t *tally) note(r record) {
	t.found[r.outcome.Source]++
	for name := range r.fields {
		if len(t.columns) > maxColumns {
			return
		}
		t.columns[name] = true
	}
}

// outcome returns what the package says of an outcome: the records that are in
// it if it shows them, else those that the manifest counted.
func (p *pack) outcome(o Outcome) (Outcome, error) {
	i := slices.IndexFunc(p.Categories, func(c Category) bool { return c.ID == o.Category })
	switch p.disclosure(p.Categories[i]) {
	case heldNotShown:
		if o.Result == Found {
			o.Result = Held
		}
	case shown:
		n := p.tallies[o.Category].found[o.Source]
		if o.Result == Found && n < o.Records {
			return o, fmt.Errorf("%w: %d of %d of %s in %s", ErrMissing, n, o.Records, o.Category, o.Source)
		}
		if o.Result == Found && n == 0 {
			o.Result = Nothing
		}
		if n > 0 {
			o.Records = n
		}
	case notInThisKind:
	}
	return o, nil
}

// file writes one file of the ZIP.
func (p *pack) file(z *zip.Writer, name string, write func(*bufio.Writer) error) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.Made.UTC()})
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	b := bufio.NewWriterSize(f, 64<<10)
	if err := errors.Join(write(b), b.Flush()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
