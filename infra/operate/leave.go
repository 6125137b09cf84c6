package operate

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/certificate"
	"rightsdesk/shared/erasure"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Books is all that an installation keeps, open for reading.
type Books struct {
	Table   table.Table
	Ring    *seal.Ring // nil: nobody ever asked for anything
	Files   Files      // what people attached to messages; nil: they cannot be read
	Policy  *policy.Policy
	BaseURL string
	Now     func() time.Time
}

// Files opens objects by their keys.
type Files interface {
	Get(ctx context.Context, key string) (io.ReadCloser, error)
}

// LeaveVersion is the version of the format that Leave writes; docs/leaving.md describes it.
const LeaveVersion = 1

// Left is the table of contents of what was exported, and manifest.json.
type Left struct {
	Version int        `json:"version"`
	Made    time.Time  `json:"made_at"`
	Items   int        `json:"items"` // that were found, of all three tables but the audit's entries
	Files   []LeftFile `json:"files"`
	LeftOut []LeftOut  `json:"left_out"`
	Chains  LeftChains `json:"chains"`
	// Erased counts fields that nobody can read any more, because their person was erased.
	Erased int `json:"erased_fields"`
	// Unknown are items of kinds that this version does not know. They are exported as
	// they are, sealed where they are sealed.
	Unknown []string `json:"unknown,omitempty"`
	// Missing is what could not be exported, and why.
	Missing []string `json:"missing,omitempty"`
}

// LeftFile is one file of the export.
type LeftFile struct {
	Name   string `json:"name"`
	Lines  int    `json:"lines,omitempty"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// LeftOut is a kind of item that is not exported.
type LeftOut struct {
	Kind  string `json:"kind"`
	Items int    `json:"items"`
	Why   string `json:"why"`
}

// LeftChains says whether the audit is whole.
type LeftChains struct {
	Chains  int      `json:"chains"`
	Entries int      `json:"entries"`
	Later   int      `json:"begin_later,omitempty"` // chains whose first entries are missing, and may have expired
	Gone    int      `json:"gone,omitempty"`        // chains of which nothing is left, as the same
	Broken  []string `json:"broken,omitempty"`
}

// Whole reports whether everything that is there was exported and holds.
func (l *Left) Whole() bool {
	return len(l.Unknown) == 0 && len(l.Missing) == 0 && len(l.Chains.Broken) == 0
}

// line is an item as it is exported.
type line struct {
	Key     string         `json:"key"`
	Sort    string         `json:"sort,omitempty"`
	Schema  int            `json:"schema"`
	Version int64          `json:"version"`
	Due     *time.Time     `json:"due,omitempty"`
	Subject string         `json:"subject,omitempty"`
	Expires *time.Time     `json:"expires,omitempty"`
	Counted *table.Counted `json:"counted,omitempty"`
	Body    any            `json:"body,omitempty"`
	// Personal is what was sealed in the body, in clear.
	Personal map[string]any `json:"personal,omitempty"`
	// Erased names what can be read by nobody any more.
	Erased []string `json:"erased,omitempty"`
}

// leaver writes one export.
type leaver struct {
	b       Books
	dir     string
	left    *Left
	files   map[string]*output
	counts  map[string]int // of kinds that are left out
	heads   map[string]audit.Head
	salts   map[seal.Identifier]seal.Subject
	holders map[string]seal.Identifier // by partition
}

// Leave writes everything that an installation holds into a new folder, in formats
// that need none of our programs: lines of JSON, with what was sealed in clear. Whoever
// may read the folder may read about everybody. It changes nothing in the installation.
func (b Books) Leave(ctx context.Context, dir string) (*Left, error) {
	if err := newFolder(dir); err != nil {
		return nil, err
	}
	l := &leaver{
		b: b, dir: dir, left: &Left{Version: LeaveVersion, Made: b.Now().UTC().Truncate(time.Second)}, files: map[string]*output{}, counts: map[string]int{},
		heads: map[string]audit.Head{}, salts: map[seal.Identifier]seal.Subject{}, holders: map[string]seal.Identifier{},
	}
	err := l.all(ctx)
	for _, o := range l.files {
		err = errors.Join(err, o.close())
	}
	if err != nil {
		return nil, err
	}
	return l.left, l.manifest()
}

func newFolder(dir string) error {
	if old, err := os.ReadDir(dir); err == nil && len(old) > 0 {
		return fmt.Errorf("%s is not empty: name a folder that does not exist yet, so that nothing of another export is mixed in", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	return nil
}

func (l *leaver) all(ctx context.Context) error {
	for _, name := range []table.Name{table.State, table.Keys} {
		if err := l.scan(ctx, name, func(it table.Item) error { return l.item(ctx, name, it) }); err != nil {
			return err
		}
	}
	if err := l.audit(ctx); err != nil {
		return err
	}
	if l.b.Ring != nil {
		if err := l.keys(); err != nil {
			return err
		}
	}
	return l.certificates(ctx)
}

func (l *leaver) scan(ctx context.Context, name table.Name, each func(table.Item) error) error {
	for cursor := ""; ; {
		page, err := l.b.Table.Scan(ctx, table.Scan{Table: name, Cursor: cursor})
		if err != nil {
			return fmt.Errorf("read the table %s: %w", name, err)
		}
		for _, it := range page.Items {
			if err := each(it); err != nil {
				return err
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return nil
		}
	}
}

// item exports an item, or counts why not.
func (l *leaver) item(ctx context.Context, name table.Name, it table.Item) error {
	l.left.Items++
	k, known := kindOf(name, it.Key)
	switch {
	case !known && name == table.Keys:
		l.left.Unknown = append(l.left.Unknown, string(name)+" "+it.Key.Partition) // it may be a key: it is named and not shown
		return nil
	case !known:
		l.left.Unknown = append(l.left.Unknown, string(name)+" "+it.Key.Partition+" "+it.Key.Sort)
		k.file = "unknown.ndjson"
	case k.file == "":
		l.counts[k.named()]++
		if body, ok := object(it.Body); ok && k.chain != nil { // its chain is exported
			l.remember(k.chain(it.Key, body), body)
		}
		return nil
	case k.raw:
		return l.rawFile(k, it)
	}
	out, err := l.line(ctx, k, it)
	if err != nil {
		return err
	}
	return l.write("state/"+k.file, out)
}

func (l *leaver) line(ctx context.Context, k kind, it table.Item) (line, error) {
	out := line{
		Key: it.Key.Partition, Sort: it.Key.Sort, Schema: it.Schema, Version: it.Version, Due: when(it.Due), Subject: it.Subject, Expires: when(it.Expires),
	}
	if it.Counted != (table.Counted{}) {
		out.Counted = &it.Counted
	}
	if len(it.Body) == 0 {
		return out, nil
	}
	body, ok := object(it.Body)
	if !ok { // it goes along as it is
		out.Body = base64.StdEncoding.EncodeToString(it.Body)
		return out, nil
	}
	if k.chain != nil {
		l.remember(k.chain(it.Key, body), body)
	}
	out.Body, out.Personal = body, map[string]any{}
	if k.sealed != nil {
		if err := l.open(ctx, k, it, body, &out); err != nil {
			return line{}, err
		}
	}
	for _, path := range k.drops {
		drop(body, path)
	}
	if k.file == "requests.ndjson" {
		if err := l.attachments(ctx, it.Key, body); err != nil {
			return line{}, err
		}
	}
	return out, nil
}

// object is a JSON object, with its numbers as they are written.
func object(b []byte) (map[string]any, bool) {
	body := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return body, d.Decode(&body) == nil
}

// drop removes what stands at a path; a list on it means each of its elements.
func drop(v any, path string) {
	name, rest, more := strings.Cut(path, ".")
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			drop(e, path)
		}
	case map[string]any:
		if more {
			drop(v[name], rest)
			return
		}
		delete(v, name)
	}
}

// remember keeps what an item says of its chain.
func (l *leaver) remember(chain string, body map[string]any) {
	take := func(name string, v any) {
		b, err := json.Marshal(v)
		var h audit.Head
		if err == nil && json.Unmarshal(b, &h) == nil && h.Seq > 0 {
			l.heads[name] = h
		}
	}
	take(chain, body["head"])
	earlier, _ := body["chains"].([]any) // that somebody had before they were linked
	for _, c := range earlier {
		if m, ok := c.(map[string]any); ok {
			take(word(m, "name"), m["head"])
		}
	}
}

// rawFile writes the content of an item that is a file itself.
func (l *leaver) rawFile(k kind, it table.Item) error {
	plain := it.Body
	if z, err := gzip.NewReader(bytes.NewReader(it.Body)); err == nil {
		if plain, err = io.ReadAll(io.LimitReader(z, 16<<20)); err != nil {
			return fmt.Errorf("unpack %s: %w", it.Key.Sort, err)
		}
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._", r) {
			return r
		}
		return '_'
	}, strings.TrimPrefix(it.Key.Sort, k.sort))
	return l.whole(k.file+"/"+name+".yaml", plain)
}

// entry is an audit entry as it is exported. Encoded, as package audit says, it has
// the hash that the next one names.
type entry struct {
	Chain   string      `json:"chain"`
	Seq     int64       `json:"seq"`
	At      time.Time   `json:"at"`
	Actor   string      `json:"actor"`
	Action  string      `json:"action"`
	Commit  string      `json:"commit"`
	Facts   []entryFact `json:"facts,omitempty"`
	Prev    audit.Hash  `json:"prev"`
	Hash    audit.Hash  `json:"hash"`
	Expires *time.Time  `json:"expires,omitempty"`
}

type entryFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (l *leaver) audit(ctx context.Context) error {
	w := newWalker()
	err := l.scan(ctx, table.Audit, func(it table.Item) error {
		e, ok := w.see(it)
		if !ok {
			return nil // the walker says which
		}
		out := entry{
			Chain: e.Chain, Seq: e.Seq, At: e.At, Actor: e.Actor, Action: e.Action, Commit: e.Commit, Prev: e.Prev, Hash: e.Hash(), Expires: when(it.Expires),
		}
		for _, f := range e.Facts {
			out.Facts = append(out.Facts, entryFact(f))
		}
		return l.write("audit/entries.ndjson", out)
	})
	if err != nil {
		return err
	}
	l.left.Chains = w.verify(l.heads, l.b)
	for _, name := range slices.Sorted(maps.Keys(w.chains)) {
		last := w.last(name)
		out := struct {
			Chain string     `json:"chain"`
			First int64      `json:"first"`
			Last  int64      `json:"last"`
			Hash  audit.Hash `json:"hash"`
			// Remembered is what the aggregate itself says of the end of its chain.
			Remembered *audit.Head `json:"remembered,omitempty"`
		}{Chain: name, First: w.chains[name][0].seq, Last: last.seq, Hash: last.hash}
		if h, ok := l.heads[name]; ok {
			out.Remembered = &h
		}
		if err := l.write("audit/chains.ndjson", out); err != nil {
			return err
		}
	}
	return nil
}

// keys writes what is needed to use the rest: the key that made identifiers, so that
// an address can be compared with them, and the public keys of signatures.
func (l *leaver) keys() error {
	var ring struct {
		Identifier []byte `json:"identifier"`
	}
	if err := json.Unmarshal(l.b.Ring.Marshal(), &ring); err != nil {
		return fmt.Errorf("read the key of identifiers: %w", err)
	}
	b, err := json.MarshalIndent(map[string]any{"algorithm": "HMAC-SHA-256, see docs/leaving.md", "key": ring.Identifier}, "", "  ")
	if err != nil {
		return err
	}
	if err := l.whole("identifiers.key.json", append(b, '\n')); err != nil {
		return err
	}
	jwks, err := (&receipt.Maker{Ring: l.b.Ring}).JWKS()
	if err != nil {
		return err
	}
	return l.whole("jwks.json", append(jwks, '\n'))
}

// certificates writes a signed certificate for each erasure that was fulfilled.
func (l *leaver) certificates(ctx context.Context) error {
	if l.b.Ring == nil {
		return nil
	}
	if l.b.Policy == nil {
		if l.files["state/erasures.ndjson"] != nil {
			l.left.Missing = append(l.left.Missing, "certificates: no policy is in force that can be read")
		}
		return nil
	}
	keys := seal.Keys{Ring: l.b.Ring, Table: l.b.Table}
	s := &request.Service{
		Table: l.b.Table, Keys: keys, Policy: l.b.Policy, Now: l.b.Now,
		Ledger: &erasure.Service{Table: l.b.Table, Keys: keys, Policy: l.b.Policy, Now: l.b.Now},
	}
	maker := &certificate.Maker{Policy: l.b.Policy, Ring: l.b.Ring, BaseURL: l.b.BaseURL, Now: l.b.Now}
	who := operator.Identity{ID: "leave", Roles: []operator.Role{operator.Auditor}}
	return l.scan(ctx, table.State, func(it table.Item) error {
		id, ok := request.IDOf(it.Key)
		if !ok {
			return nil
		}
		c, refused := s.CertificateFor(ctx, who, id)
		switch {
		case errors.Is(refused, request.ErrNotCertified) || errors.Is(refused, request.ErrNotFound):
			return nil
		case refused != nil:
			l.left.Missing = append(l.left.Missing, "certificate of "+string(id)+": "+refused.Error())
			return nil //nolint:nilerr // what is missing is told, and the rest goes along
		}
		b, err := maker.Make(c, "en")
		if err != nil {
			return err
		}
		jws, err := maker.Sign(b)
		if err != nil {
			return fmt.Errorf("sign the certificate of %s: %w", id, err)
		}
		return l.whole("certificates/"+string(id)+".jws", []byte(jws))
	})
}

// Print says in words what was exported.
func (l *Left) Print(w io.Writer, dir string) error {
	var s strings.Builder
	lines := 0
	for _, f := range l.Files {
		lines += f.Lines
	}
	fmt.Fprintf(&s, "%d items were found; %d files with %d lines stand in %s.\n", l.Items, len(l.Files)+1, lines, dir)
	fmt.Fprintf(&s, "%d entries in %d chains of the audit, %s broken.\n", l.Chains.Entries, l.Chains.Chains, number(len(l.Chains.Broken)))
	if l.Chains.Later+l.Chains.Gone > 0 {
		s.WriteString(l.Chains.expired() + ": `checkpoint verify -since` says whether they had their time.\n")
	}
	for _, o := range l.LeftOut {
		fmt.Fprintf(&s, "left out: %d of %s: %s\n", o.Items, o.Kind, o.Why)
	}
	if l.Erased > 0 {
		fmt.Fprintf(&s, "%d fields can be read by nobody: their people were erased.\n", l.Erased)
	}
	for _, b := range l.Chains.Broken {
		s.WriteString("✗ broken: " + visible(b) + "\n")
	}
	for _, u := range l.Unknown {
		s.WriteString("✗ of a kind that this version does not know: " + visible(u) + "\n")
	}
	for _, m := range l.Missing {
		s.WriteString("✗ missing: " + visible(m) + "\n")
	}
	s.WriteString("The folder holds people's data in clear: keep it as you keep the installation. docs/leaving.md says what is where.\n")
	_, err := io.WriteString(w, s.String())
	return err
}

func number(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
