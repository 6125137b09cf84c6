package export

import (
	"bufio"
	"context"
	"slices"
	"strings"
	"time"
)

// The columns that every CSV begins with. The underscore keeps them apart from
// the fields of a record.
var csvColumns = []string{"_system", "_record", "_collected_at"}

// csvRest heads the one column of fields of records that have too many.
const csvRest = "_fields"

// csv writes the records of a category as RFC 4180 wants them: CRLF, UTF-8, a
// heading. encoding/csv is not used because with CRLF it drops carriage returns
// from values.
func (p *pack) csv(ctx context.Context, w *bufio.Writer, c Category) error {
	columns := p.columns(c)
	heading := slices.Clone(csvColumns)
	if columns == nil {
		heading = append(heading, csvRest)
	}
	for _, name := range columns {
		heading = append(heading, harmless(name))
	}
	if err := row(w, heading); err != nil {
		return err
	}
	for r, err := range p.records(ctx, c) {
		if err != nil {
			return err
		}
		cells := append(make([]string, 0, len(columns)+len(csvColumns)+1), harmless(r.outcome.System), harmless(r.id), stamp(r.at))
		if columns == nil {
			b, err := encode(r.fields)
			if err != nil {
				return err
			}
			cells = append(cells, harmless(string(b)))
		}
		for _, name := range columns {
			cells = append(cells, p.cell(string(r.fields[name])))
		}
		if err := row(w, cells); err != nil {
			return err
		}
	}
	return nil
}

// cell returns a JSON value as a cell.
func (p *pack) cell(v string) string {
	switch {
	case v == heldValue:
		return p.speech.T("held")
	case v == "" || v[0] == '-' || v[0] >= '0' && v[0] <= '9': // a number is never a formula
		return v
	default:
		return harmless(text([]byte(v)))
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// row writes one line. Every cell is quoted: it is always right, and cheaper
// than to decide.
func row(w *bufio.Writer, cells []string) error {
	for i, c := range cells {
		if i > 0 {
			_ = w.WriteByte(',') // a bufio.Writer keeps its error
		}
		_ = w.WriteByte('"')
		_, _ = w.WriteString(strings.ReplaceAll(c, `"`, `""`))
		_ = w.WriteByte('"')
	}
	_, err := w.WriteString("\r\n")
	return err
}

// harmless returns a value that no spreadsheet takes for a formula: an
// apostrophe goes before what would begin one. It also goes behind the
// separators that a spreadsheet of another country may split a cell at: a French
// one splits at semicolons and does not know our quotes there. data.json holds
// the value unchanged.
func harmless(s string) string {
	if !strings.ContainsAny(s, formulas+breaks) {
		return s
	}
	var b strings.Builder
	begins := true
	for _, r := range s {
		if begins && strings.ContainsRune(formulas, r) || b.Len() == 0 && strings.ContainsRune(breaks, r) && r != ';' {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		begins = strings.ContainsRune(breaks, r)
	}
	return b.String()
}

const (
	formulas = "=+-@＝＋－＠" // OWASP, CSV injection; the wide ones are what Japanese keyboards type
	breaks   = ";\t\r\n"
)
