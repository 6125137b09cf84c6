package operate

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// output is a file that is being written.
type output struct {
	name  string
	file  *os.File
	w     *bufio.Writer
	sum   hash.Hash
	lines int
	bytes int64
}

// within is a name that leads nowhere out of the folder. Names have ids in them, and whoever
// could write to the tables may have written there what is none.
func within(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		if p == "" || p[0] == '.' || !filepath.IsLocal(p) || strings.ContainsAny(p, "\\:\x00") {
			parts[i] = "_" + hex.EncodeToString([]byte(p))
		}
	}
	return strings.Join(parts, "/")
}

func (l *leaver) output(name string) (*output, error) {
	name = within(name)
	if o, ok := l.files[name]; ok {
		return o, nil
	}
	path := filepath.Join(l.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the export: %w", err)
	}
	o := &output{name: name, file: f, sum: sha256.New()}
	o.w = bufio.NewWriter(io.MultiWriter(f, o.sum))
	l.files[name] = o
	return o, nil
}

// write adds a line to a file.
func (l *leaver) write(name string, v any) error {
	o, err := l.output(name)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	o.lines++
	o.bytes += int64(b.Len())
	_, err = o.w.Write(b.Bytes())
	return err
}

// whole writes a file that is no list of lines, and closes it: there may be many.
func (l *leaver) whole(name string, content []byte) error {
	o, err := l.output(name)
	if err != nil {
		return err
	}
	o.bytes = int64(len(content))
	if _, err := o.w.Write(content); err != nil {
		return err
	}
	return o.close()
}

func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	err := errors.Join(o.w.Flush(), o.file.Close())
	o.file = nil
	return err
}

func (l *leaver) manifest() error {
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		o := l.files[name]
		l.left.Files = append(l.left.Files, LeftFile{Name: name, Lines: o.lines, Bytes: o.bytes, SHA256: hex.EncodeToString(o.sum.Sum(nil))})
	}
	for _, k := range kinds {
		if n := l.counts[k.named()]; k.file == "" && n > 0 {
			l.left.LeftOut = append(l.left.LeftOut, LeftOut{k.named(), n, k.why})
		}
	}
	b, err := json.MarshalIndent(l.left, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, "manifest.json"), append(b, '\n'), 0o600)
}
