package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/folder"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/embedded"
)

const checkpointUsage = `usage: go run ./infra/local checkpoint verify [-data FOLDER]
   or: go run ./infra/local checkpoint verify -vault FOLDER -jwks FILE [-entries FILE]

FOLDER of -vault is a copy of the bucket of checkpoints; FILE of -entries has one entry of the audit in each line,
as "leave" or an export of the Audit table writes them; - is the standard input`

// errAltered ends a verification that found something.
var errAltered = errors.New("what was sealed is not what is there")

// checkpointCommand is the command "checkpoint verify": it checks the audit by what was
// sealed of it, offline, and names what was changed, removed or added.
func checkpointCommand(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 || args[0] != "verify" {
		return errors.New(checkpointUsage)
	}
	flags := flag.NewFlagSet("checkpoint verify", flag.ContinueOnError)
	data := flags.String("data", ".local", "folder of a run on this laptop, which must not be running")
	vault := flags.String("vault", "", "folder with the objects of the bucket of checkpoints, instead of -data")
	keys := flags.String("jwks", "", "the public keys, as /.well-known/jwks.json gives them; without it, jwks.json in the folder of -vault")
	file := flags.String("entries", "", "file with the entries of the audit; without it, only the objects are checked")
	since := flags.String("since", "", "day, such as 2026-03-01: entries that were sealed before may have expired")
	known := flags.String("known", "", "checkpoints that were noted elsewhere: N=SHA256, with commas between them")
	if err := flags.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return errors.New(checkpointUsage)
	}
	var e checkpoint.Evidence
	var err error
	if e.Since, err = dayIn(*since); err != nil {
		return err
	}
	if e.Known, err = noted(*known); err != nil {
		return err
	}
	var shut func() error
	if *vault == "" {
		shut, err = evidenceOf(ctx, *data, &e)
	} else {
		shut, err = evidenceIn(*vault, *keys, *file, in, &e)
	}
	if err != nil {
		return err
	}
	v, err := checkpoint.Verify(ctx, e)
	if err = errors.Join(err, shut()); err != nil {
		return err
	}
	return tellVerdict(out, v, e.Entries != nil)
}

func dayIn(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fmt.Errorf("-since %s: write a day as 2026-03-01", text)
	}
	return t, nil
}

// noted reads what -known says.
func noted(text string) (map[int64]string, error) {
	if text == "" {
		return nil, nil
	}
	known := map[int64]string{}
	for part := range strings.SplitSeq(text, ",") {
		number, hash, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.ParseInt(number, 10, 64)
		if b, odd := hex.DecodeString(hash); err != nil || n < 1 || odd != nil || len(b) != len(audit.Hash{}) {
			return nil, fmt.Errorf("-known %s: write the number of a checkpoint, = and the SHA-256 of its object in hexadecimal", part)
		}
		known[n] = strings.ToLower(hash)
	}
	return known, nil
}

// evidenceOf is what a run on this laptop has kept.
func evidenceOf(ctx context.Context, dir string, e *checkpoint.Evidence) (func() error, error) {
	vault, err := folder.Open(vaultDir(dir))
	if err != nil {
		return nil, fmt.Errorf("there are no checkpoints in %s: say with -data in which folder the run keeps its data: %w", dir, err)
	}
	shut := vault.Close
	refuse := func(err error) (func() error, error) { return nil, errors.Join(err, shut()) }
	b, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		return refuse(fmt.Errorf("read the key ring: %w", err))
	}
	ring, err := seal.ParseRing(b)
	if err != nil {
		return refuse(err)
	}
	clock, err := openClock(filepath.Join(dir, "clock"))
	if err != nil {
		return refuse(err)
	}
	store, err := embedded.Open(filepath.Join(dir, "state.db"), clock.Now)
	if err != nil {
		return refuse(fmt.Errorf("open the database; does it run? Then stop it first: %w", err))
	}
	jwks, err := (&receipt.Maker{Ring: ring}).JWKS()
	if err != nil {
		return nil, errors.Join(err, store.Close(), shut())
	}
	e.Vault, e.Keys, e.Entries = vault, jws.Keys(jwks), entriesOf(ctx, store)
	return func() error { return errors.Join(store.Close(), shut()) }, nil
}

// entriesOf yields the encoded entries of a table.
func entriesOf(ctx context.Context, t table.Table) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		scan := table.Scan{Table: table.Audit}
		for {
			page, err := t.Scan(ctx, scan)
			if err != nil {
				yield(nil, fmt.Errorf("read the audit: %w", err))
				return
			}
			for _, item := range page.Items {
				if !yield(item.Body, nil) {
					return
				}
			}
			if scan.Cursor = page.Cursor; scan.Cursor == "" {
				return
			}
		}
	}
}

// evidenceIn is what somebody has copied from an installation.
func evidenceIn(dir, keys, file string, in io.Reader, e *checkpoint.Evidence) (func() error, error) {
	if keys == "" {
		keys = filepath.Join(dir, "jwks.json")
	}
	b, err := os.ReadFile(keys)
	if err != nil {
		return nil, fmt.Errorf("read the public keys; say with -jwks where they are: %w", err)
	}
	vault, err := folder.Open(dir)
	if err != nil {
		return nil, err
	}
	shut := vault.Close
	e.Vault, e.Keys = copied{vault, "jwks.json"}, jws.Keys(b)
	switch file {
	case "":
	case "-":
		e.Entries = entriesIn(in)
	default:
		f, err := os.Open(file)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read the entries: %w", err), shut())
		}
		e.Entries = entriesIn(f)
		shut = func() error { return errors.Join(f.Close(), vault.Close()) }
	}
	return shut, nil
}

// copied is a vault beside whose objects the public keys may lie.
type copied struct {
	checkpoint.Vault
	keys string
}

// List implements checkpoint.Vault.
func (c copied) List(ctx context.Context, prefix, after string) ([]string, error) {
	for {
		keys, err := c.Vault.List(ctx, prefix, after)
		if len(keys) != 1 || keys[0] != c.keys {
			return without(keys, c.keys), err
		}
		after = c.keys
	}
}

func without(keys []string, one string) (rest []string) {
	for _, k := range keys {
		if k != one {
			rest = append(rest, k)
		}
	}
	return rest
}

// maxLine is how long a line with an entry may be.
const maxLine = 4 << 20

// entriesIn yields the encoded entries of a file with one entry in each line, as
// "leave" writes them or as an export of a table in DynamoDB's JSON.
func entriesIn(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		for n := 1; lines.Scan(); n++ {
			if len(strings.TrimSpace(lines.Text())) == 0 {
				continue
			}
			b, err := encoded(lines.Bytes())
			if err != nil {
				err = fmt.Errorf("line %d of the entries: %w", n, err)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, fmt.Errorf("read the entries: %w", err))
		}
	}
}

// exportedBody is the attribute of a table in which an entry stands; table/dynamo says so.
const exportedBody = "b"

var errLine = errors.New(`it is no entry: it has to be a JSON object with chain, seq, at, actor, action, commit, facts and prev, or {"Item": ...}`)

// encoded returns the entry of a line, as it was encoded when it was written.
func encoded(line []byte) ([]byte, error) {
	var l struct {
		Item map[string]struct{ B string }

		Chain, Actor, Action, Commit string
		Seq                          int64
		At                           time.Time
		Facts                        []audit.Fact
		Prev                         *audit.Hash
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return nil, errLine
	}
	if l.Item != nil {
		b, err := base64.StdEncoding.DecodeString(l.Item[exportedBody].B)
		if err != nil || len(b) == 0 {
			return nil, errLine
		}
		return b, nil
	}
	if l.Chain == "" || l.Seq < 1 || l.Prev == nil {
		return nil, errLine
	}
	return audit.Entry{
		Chain: l.Chain, Seq: l.Seq, At: l.At, Actor: l.Actor, Action: l.Action, Commit: l.Commit, Facts: l.Facts, Prev: *l.Prev,
	}.Encode(), nil
}

// tellVerdict says what was found; what is not as it was, line by line.
func tellVerdict(out io.Writer, v checkpoint.Verdict, withEntries bool) error {
	var s strings.Builder
	for _, f := range v.Faults {
		fmt.Fprintln(&s, visible(f.String()))
	}
	if v.More > 0 {
		fmt.Fprintf(&s, "... and %d more\n", v.More)
	}
	if v.Checkpoints == 0 {
		fmt.Fprintln(&s, "There is no checkpoint.")
	} else {
		fmt.Fprintf(&s, "%d checkpoints seal %d entries; the last is checkpoint %d of %s:\n  %d=%s\n",
			v.Checkpoints, v.Leaves, v.Last, v.At.Format(time.RFC3339), v.Last, v.Hash)
	}
	if v.Pending > 0 {
		fmt.Fprintf(&s, "%d batches wait for the next one.\n", v.Pending)
	}
	if withEntries {
		fmt.Fprintf(&s, "Of %d entries of the audit %d are covered, and %d came since.\n", v.Entries, v.Sealed, v.Waiting)
	}
	if v.Expired > 0 {
		fmt.Fprintf(&s, "%d that were sealed are gone and may have expired.\n", v.Expired)
	}
	n := len(v.Faults) + v.More
	if n == 0 {
		fmt.Fprintln(&s, "Nothing was changed, removed or added.")
	}
	if _, err := io.WriteString(out, s.String()); err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%w: %d faults, the first about %s", errAltered, n, visible(v.Faults[0].String()))
	}
	return nil
}
