// Package folder keeps checkpoints and what they seal in a directory: that of the local
// runner, or a copy of a bucket. A file is named after its key, cannot be written to,
// and is never written over.
//
// infra/local and tests import it.
package folder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"rightsdesk/shared/checkpoint"
)

// Vault implements checkpoint.Vault and is safe for concurrent use.
type Vault struct {
	root *os.Root // nothing outside of it can be reached, not even by a symbolic link
	sync bool
}

var _ checkpoint.Vault = (*Vault)(nil)

const (
	temps   = ".temp" // objects that have no name yet begin so
	pageMax = 1000    // keys in one answer of List
)

// Make opens the vault in dir, making it if need be. Sync says that what was put must
// outlive the machine.
func Make(dir string, sync bool) (*Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	v, err := Open(dir)
	if err != nil {
		return nil, err
	}
	v.sync = sync
	return v, nil
}

// Open opens a vault that is there.
func Open(dir string) (*Vault, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	return &Vault{root: root}, nil
}

// Close ends the use of the directory.
func (v *Vault) Close() error { return v.root.Close() }

var errKey = errors.New("folder: a key is made of parts between slashes, none of them empty, hidden or odd")

func name(key string) (string, error) {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || strings.ContainsAny(part, "\\:\x00") {
			return "", errKey
		}
	}
	return key, nil
}

// Put implements checkpoint.Vault. The file gets its name once it is whole, by a link,
// which fails if there is such a file.
func (v *Vault) Put(_ context.Context, key string, body []byte) error {
	to, err := name(key)
	if err != nil {
		return err
	}
	if _, err := v.root.Stat(to); err == nil {
		return checkpoint.ErrThere
	}
	dir := path.Dir(to)
	if err := v.root.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder: put %s: %w", key, err)
	}
	temp := path.Join(dir, temps+rand.Text())
	err = v.write(temp, body)
	if err == nil {
		err = v.root.Link(temp, to)
	}
	err = errors.Join(err, v.root.Remove(temp))
	if errors.Is(err, fs.ErrExist) {
		return checkpoint.ErrThere
	}
	if err == nil && v.sync {
		err = v.settle(dir)
	}
	if err != nil {
		return fmt.Errorf("folder: put %s: %w", key, err)
	}
	return nil
}

func (v *Vault) write(temp string, body []byte) error {
	f, err := v.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err == nil && v.sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// settle lets a new name outlive the machine.
func (v *Vault) settle(dir string) error {
	d, err := v.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get implements checkpoint.Vault.
func (v *Vault) Get(_ context.Context, key string) ([]byte, error) {
	from, err := name(key)
	if err != nil {
		return nil, err
	}
	switch info, err := v.root.Stat(from); {
	case err != nil: // reading says why
	case info.IsDir():
		return nil, checkpoint.ErrAbsent
	case info.Size() > checkpoint.MaxObject:
		return nil, fmt.Errorf("folder: %s is larger than any object is", key)
	}
	b, err := v.root.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, checkpoint.ErrAbsent
	}
	if err != nil {
		return nil, fmt.Errorf("folder: get %s: %w", key, err)
	}
	return b, nil
}

// List implements checkpoint.Vault.
func (v *Vault) List(_ context.Context, prefix, after string) (keys []string, err error) {
	from := "."
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		from = prefix[:i]
	}
	err = fs.WalkDir(v.root.FS(), from, func(key string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // nothing there yet, or a temporary file that got its name
		case err != nil:
			return err
		case !d.IsDir() && !strings.HasPrefix(path.Base(key), ".") && strings.HasPrefix(key, prefix) && key > after:
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("folder: list %s: %w", prefix, err)
	}
	slices.Sort(keys)
	return keys[:min(len(keys), pageMax)], nil
}
