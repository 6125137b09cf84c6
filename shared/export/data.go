package export

import (
	"bufio"
	"context"
	_ "embed"
	"strconv"
	"time"
)

// Schema is the JSON Schema of data.json. docs/package.md explains it.
//
//go:embed schema.json
var Schema []byte

const (
	dataFormat  = "rightsdesk-package"
	dataVersion = 1
)

type dataHead struct {
	Format     string         `json:"format"`
	Version    int            `json:"version"`
	Language   string         `json:"language"`
	Request    dataRequest    `json:"request"`
	Controller dataController `json:"controller"`
	Authority  *Authority     `json:"authority,omitempty"`
	Notes      []string       `json:"notes"`
	Ignored    []Ignored      `json:"identities_ignored"`

	California []CaliforniaRow `json:"california,omitempty"`
}

type dataRequest struct {
	ID       string    `json:"id"`
	Right    Right     `json:"right"`
	Received time.Time `json:"received_at"`
	Made     time.Time `json:"made_at"`
}

type dataController struct {
	Brand   string `json:"brand"`
	Name    string `json:"name"`
	Contact string `json:"contact"`
}

type dataCategory struct {
	ID         string     `json:"id"`
	Label      string     `json:"label"`
	Purposes   []string   `json:"purposes"`
	Sources    []string   `json:"sources"`
	Recipients []string   `json:"recipients"`
	Retention  string     `json:"retention"`
	Disclosure disclosure `json:"disclosure"`
}

type dataRecord struct {
	System    string    `json:"system"`
	ID        string    `json:"id"`
	Collected time.Time `json:"collected_at,omitzero"`
	Fields    object    `json:"fields"`
}

type dataOutcome struct {
	System   string `json:"system"`
	Category string `json:"category"`
	Result   Result `json:"result"`
	Records  int    `json:"records"`
	Note     string `json:"note,omitempty"`
}

// data writes data.json, one record a line, and tallies the records for those
// that come after. The outcomes stand last because only then are they counted.
func (p *pack) data(ctx context.Context, w *bufio.Writer) error {
	head := dataHead{
		Format: dataFormat, Version: dataVersion, Language: p.speech.Language(),
		Request:    dataRequest{p.Request, p.Right, p.Received.UTC(), p.Made.UTC()},
		Controller: dataController{p.Brand, p.Controller, p.Contact},
		Notes:      list(p.Notes), Ignored: list(p.Ignored), California: p.California,
	}
	if p.Authority != (Authority{}) {
		head.Authority = &p.Authority
	}
	if err := open(w, head); err != nil {
		return err
	}
	_, _ = w.WriteString(",\n\"categories\":[") // a bufio.Writer keeps its error until Flush
	for i, c := range p.Categories {
		_, _ = w.WriteString(separator(i))
		if err := p.dataCategory(ctx, w, c); err != nil {
			return err
		}
	}
	_, _ = w.WriteString("\n],\n\"outcomes\":[")
	for i, o := range p.Outcomes {
		_, _ = w.WriteString(separator(i))
		o, err := p.outcome(o)
		if err != nil {
			return err
		}
		b, err := encode(dataOutcome{o.System, o.Category, o.Result, o.Records, o.Note})
		if err != nil {
			return err
		}
		_, _ = w.Write(b)
	}
	_, err := w.WriteString("\n]}\n")
	return err
}

func (p *pack) dataCategory(ctx context.Context, w *bufio.Writer, c Category) error {
	d := p.disclosure(c)
	err := open(w, dataCategory{c.ID, c.Label, list(c.Purposes), list(c.Sources), list(c.Recipients), c.Retention, d})
	if err != nil {
		return err
	}
	if d == shown {
		_, _ = w.WriteString(",\"records\":[")
		tally, n := p.tallies[c.ID], 0
		for r, err := range p.records(ctx, c) {
			if err != nil {
				return err
			}
			b, err := encode(dataRecord{r.outcome.System, r.id, utc(r.at), r.fields})
			if err != nil {
				return err
			}
			_, _ = w.WriteString(separator(n))
			if _, err := w.Write(b); err != nil {
				return err
			}
			tally.note(r)
			n++
		}
		_, _ = w.WriteString("\n],\"count\":" + strconv.Itoa(n))
	}
	return w.WriteByte('}')
}

// open writes v, a struct with members, as a JSON object that is not closed yet.
func open(w *bufio.Writer, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	_, err = w.Write(b[:len(b)-1])
	return err
}

func separator(i int) string {
	if i == 0 {
		return "\n"
	}
	return ",\n"
}

// list is s, but never null in JSON.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// utc keeps the zero time zero.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
