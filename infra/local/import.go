package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const importUsage = "usage: go run ./infra/local consent import FILE [-dry-run] [-url URL], with the operators' key in RIGHTSDESK_OPERATOR_KEY"

// How much goes into one call: so many lines, and bytes well below what it takes.
const (
	batchLines = 100
	batchBytes = 56 << 10
)

// consentCommand is the command `consent import FILE`: it takes over consents and
// suppressions from elsewhere. FILE is a CSV file with a line of names first, or
// one JSON object a line. A dry run says what would happen and changes nothing.
//
// What was taken before is known then, so a command that broke off is run again.
func consentCommand(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) == 0 || args[0] != "import" {
		return errors.New(importUsage)
	}
	flags := flag.NewFlagSet("consent import", flag.ContinueOnError)
	at := flags.String("url", "http://127.0.0.1:8080", "where the installation answers")
	dry := flags.Bool("dry-run", false, "say what would happen, and change nothing")
	name, rest := "", args[1:]
	for name == "" || len(rest) > 0 { // what is to be set may stand on either side of FILE
		if err := flags.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil
			}
			return err
		}
		if rest = flags.Args(); len(rest) == 0 && name != "" {
			break
		}
		if len(rest) == 0 || name != "" {
			return errors.New(importUsage)
		}
		name, rest = rest[0], rest[1:]
	}
	d := installation{URL: strings.TrimSuffix(*at, "/"), key: os.Getenv("RIGHTSDESK_OPERATOR_KEY")}
	if d.key == "" {
		return errors.New("put the operators' key into RIGHTSDESK_OPERATOR_KEY; make run prints it")
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read the file to import: %w", err)
	}
	defer file.Close() //nolint:errcheck // it is only read
	i := &importer{to: d, dry: *dry, out: out, progress: progress, results: map[string]int{}}
	if err := i.run(ctx, file); err != nil {
		return fmt.Errorf("%w; the lines above are done, run the command again for the others", err)
	}
	i.summary()
	if n := i.results[refusedLine]; n > 0 {
		return fmt.Errorf("%d of %d lines were refused; mend and import them again", n, i.n)
	}
	return nil
}

const refusedLine = "refused"

// importer sends lines in batches and says what became of each.
type importer struct {
	to            installation
	dry           bool
	out, progress io.Writer

	waiting []importLine
	size    int
	n       int
	results map[string]int
}

// importLine is a line of the file, as the API takes it.
type importLine struct {
	n    int // in the file, counted from 1
	body json.RawMessage
}

func (i *importer) run(ctx context.Context, file io.Reader) error {
	in := bufio.NewReader(file)
	if mark, _ := in.Peek(3); string(mark) == "\uFEFF" {
		_, _ = in.Discard(3) // it was peeked at
	}
	first, err := in.Peek(1)
	if err != nil {
		return errors.New("the file is empty")
	}
	read := i.readCSV
	if first[0] == '{' {
		read = i.readJSON
	}
	if err := read(ctx, in); err != nil {
		return err
	}
	return i.flush(ctx)
}

// columns of a CSV file are the fields of a line; who it is about stands in two.
var columns = []string{
	"type", "value", "purpose", "act", "choice", "stop", "at", "method", "language", "page", "residence", "wording", "text", "evidence",
}

func (i *importer) readCSV(ctx context.Context, in io.Reader) error {
	r := csv.NewReader(in)
	names, err := r.Read()
	if err != nil {
		return fmt.Errorf("read the line of names: %w", err)
	}
	for n, name := range names {
		names[n] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns, names[n]) || slices.Contains(names[:n], names[n]) {
			return fmt.Errorf("line 1 names a column that is not known, or twice; there are %s", strings.Join(columns, ", "))
		}
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok && errors.Is(err, csv.ErrFieldCount) {
			i.say(wrong.StartLine, refusedLine, "it has another number of cells than line 1")
			continue
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
		line, _ := r.FieldPos(0)
		body, subject := map[string]any{}, map[string]string{}
		for n, cell := range cells {
			switch {
			case cell == "":
			case names[n] == "type" || names[n] == "value":
				subject[names[n]] = cell
			default:
				body[names[n]] = cell
			}
		}
		body["subject"] = subject
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if !utf8.ValidString(strings.Join(cells, "")) {
			raw = nil
		}
		if err := i.add(ctx, line, raw); err != nil {
			return err
		}
	}
}

func (i *importer) readJSON(ctx context.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, batchBytes)
	n := 0
	for lines.Scan() {
		n++
		raw := bytes.TrimSpace(lines.Bytes())
		if len(raw) == 0 {
			continue
		}
		if !json.Valid(raw) || !utf8.Valid(raw) || raw[0] != '{' {
			raw = nil
		}
		if err := i.add(ctx, n, bytes.Clone(raw)); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read line %d: %w", n+1, err)
	}
	return nil
}

// add puts a line with those that wait for their call. No body: it cannot be read.
func (i *importer) add(ctx context.Context, n int, body json.RawMessage) error {
	switch {
	case body == nil:
		i.say(n, refusedLine, "it is not one JSON object, or not UTF-8")
		return nil
	case len(body) > batchBytes:
		i.say(n, refusedLine, "it is longer than a call takes")
		return nil
	case len(i.waiting) == batchLines || i.size+len(body) > batchBytes:
		if err := i.flush(ctx); err != nil {
			return err
		}
	}
	i.waiting = append(i.waiting, importLine{n, body})
	i.size += len(body) + 1
	return nil
}

// flush sends what waits. A line whose very shape is refused holds up no other.
func (i *importer) flush(ctx context.Context) error {
	for len(i.waiting) > 0 {
		bodies := make([]json.RawMessage, len(i.waiting))
		for n, line := range i.waiting {
			bodies[n] = line.body
		}
		var answer struct {
			Outcomes []struct {
				Line        int
				Result, Why string
			}
		}
		err := i.send(ctx, map[string]any{"dry_run": i.dry, "lines": bodies}, &answer)
		if bad, ok := badLine(err, len(bodies)); ok {
			refused, _ := errors.AsType[*refusal](err)
			i.say(i.waiting[bad].n, refusedLine, refused.Errors[0].Pointer+" "+refused.Errors[0].Detail)
			i.waiting = slices.Delete(i.waiting, bad, bad+1)
			continue
		}
		if err != nil {
			return err
		}
		for _, o := range answer.Outcomes {
			if o.Line < 1 || o.Line > len(i.waiting) {
				return errors.New("the installation answered about lines that it was not sent")
			}
			i.say(i.waiting[o.Line-1].n, o.Result, o.Why)
		}
		i.waiting = i.waiting[:0]
		_, _ = fmt.Fprintf(i.progress, "%d lines\n", i.n) // it is a terminal's
	}
	i.size = 0
	return nil
}

// badLine is the place of the line whose shape was refused.
func badLine(err error, n int) (int, bool) {
	r, ok := errors.AsType[*refusal](err)
	if !ok || len(r.Errors) == 0 {
		return 0, false
	}
	rest, ok := strings.CutPrefix(r.Errors[0].Pointer, "/lines/")
	place, _, _ := strings.Cut(rest, "/")
	bad, err := strconv.Atoi(place)
	return bad, ok && err == nil && bad >= 0 && bad < n
}

// send makes the call, and again for as long as the installation is only busy.
func (i *importer) send(ctx context.Context, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a batch: %w", err)
	}
	for try := 1; ; try++ {
		err := i.to.send(ctx, http.MethodPost, "/v1/operator/consents/import", raw, into)
		r, refused := errors.AsType[*refusal](err)
		if !refused || r.Status != http.StatusServiceUnavailable || r.Code == "halted" || try == 5 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(r.After, time.Second)):
		}
	}
}

func (i *importer) say(line int, result, why string) {
	i.n++
	i.results[result]++
	if why != "" {
		why = ": " + why
	}
	_, _ = fmt.Fprintf(i.out, "line %d: %s%s\n", line, result, why) // it is a terminal's
}

func (i *importer) summary() {
	var parts []string
	for _, result := range []string{"taken", "known", "older", refusedLine} {
		parts = append(parts, strconv.Itoa(i.results[result])+" "+result)
	}
	after := "."
	if i.dry {
		after = ". Nothing was changed: without -dry-run this is what happens."
	}
	_, _ = fmt.Fprintf(i.out, "%d lines: %s%s\n", i.n, strings.Join(parts, ", "), after) // it is a terminal's
}
