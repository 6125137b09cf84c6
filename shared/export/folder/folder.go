// Package folder keeps export's objects in a directory of this machine, and
// serves them under links that die. It is the store of the local runner: one
// process uses a directory at a time.
//
// An object "r1/parts/shop/1" is the file r1~/parts~/shop~/1. Folders carry the
// mark so that an object may be called as the beginning of others.
package folder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/export"
)

// Store implements export.Store and is safe for concurrent use.
type Store struct {
	root *os.Root // nothing outside of it can be reached, not even by a symbolic link
	base string
	key  []byte
	now  func() time.Time
	// mu keeps a folder from being tidied away between its making and its first object.
	mu sync.Mutex
}

var _ export.Store = (*Store)(nil)

const (
	mark    = "~"     // ends the name of every folder that belongs to a key
	temps   = ".temp" // where objects are written before they get their name; no key begins so
	minKey  = 16      // bytes of the key that signs links
	maxName = 200     // bytes of one part of a key; file systems take 255
	pageMax = 1000    // keys in one answer of List
)

// New opens the store in dir, making it if need be. Links begin with base, such
// as http://127.0.0.1:8080, and are signed under key.
func New(dir, base string, key []byte, now func() time.Time) (*Store, error) {
	if len(key) < minKey {
		return nil, fmt.Errorf("folder: the key that signs links has %d bytes, want %d or more", len(key), minKey)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	// What an earlier process was writing when it died has no name and no reader.
	if err := errors.Join(root.RemoveAll(temps), root.Mkdir(temps, 0o700)); err != nil {
		return nil, fmt.Errorf("folder: %w", errors.Join(err, root.Close()))
	}
	return &Store{root: root, base: strings.TrimSuffix(base, "/"), key: slices.Clone(key), now: now}, nil
}

// Close ends the use of the directory.
func (s *Store) Close() error { return s.root.Close() }

// errKey says that something cannot be a key here.
var errKey = errors.New("folder: a key is made of parts between slashes, none of them hidden, empty or odd")

// file returns the file of a key.
func file(key string) (string, error) {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		if p == "" || p[0] == '.' || len(p) > maxName || strings.HasSuffix(p, mark) || strings.ContainsAny(p, "\\:\x00") {
			return "", errKey
		}
		if i < len(parts)-1 {
			parts[i] += mark
		}
	}
	return path.Join(parts...), nil
}

// Put implements export.Store.
func (s *Store) Put(_ context.Context, key string, body io.Reader, size int64) error {
	name, err := file(key)
	if err != nil {
		return err
	}
	temp := path.Join(temps, rand.Text())
	if err := s.write(temp, body, size); err != nil {
		return fmt.Errorf("folder: put %s: %w", key, errors.Join(err, s.root.Remove(temp)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.root.MkdirAll(path.Dir(name), 0o700)
	if err == nil {
		err = s.root.Rename(temp, name)
	}
	if err != nil {
		return fmt.Errorf("folder: put %s: %w", key, errors.Join(err, s.root.Remove(temp)))
	}
	return nil
}

// write makes a file of size bytes that is on the disk when write returns.
func (s *Store) write(name string, body io.Reader, size int64) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(body, size+1)) // one more shows a body that is too long
	if err == nil && n != size {
		err = errors.New("the body has not the size that was given")
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// Get implements export.Store.
func (s *Store) Get(_ context.Context, key string) (io.ReadCloser, error) {
	f, err := s.open(key)
	if err != nil {
		return nil, err // not f, which would be a nil that is not nil
	}
	return f, nil
}

func (s *Store) open(key string) (*os.File, error) {
	name, err := file(key)
	if err != nil {
		return nil, err
	}
	f, err := s.root.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, export.ErrAbsent
	case err != nil:
		return nil, fmt.Errorf("folder: get %s: %w", key, err)
	}
	return f, nil
}

// Delete implements export.Store. It takes folders that became empty along.
func (s *Store) Delete(_ context.Context, keys ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		name, err := file(key)
		if err != nil {
			return err
		}
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("folder: delete %s: %w", key, err)
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if s.root.Remove(dir) != nil { // it is not empty, or not there
				break
			}
		}
	}
	return nil
}

// List implements export.Store.
func (s *Store) List(_ context.Context, prefix, cursor string) (keys []string, next string, err error) {
	s.mu.Lock() // or a folder could vanish under the walk
	defer s.mu.Unlock()
	from := "."
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		if from, err = file(prefix[:i] + "/x"); err != nil {
			return nil, "", nil // no key begins so
		}
		from = path.Dir(from)
	}
	err = fs.WalkDir(s.root.FS(), from, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == from:
			return fs.SkipAll
		case err != nil:
			return err
		case d.IsDir() && name == temps:
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		if key := strings.ReplaceAll(name, mark+"/", "/"); strings.HasPrefix(key, prefix) && key > cursor {
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("folder: list: %w", err)
	}
	slices.Sort(keys)
	if len(keys) > pageMax {
		return keys[:pageMax], keys[pageMax-1], nil
	}
	return keys, "", nil
}
