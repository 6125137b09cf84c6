package folder_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/folder"
	"rightsdesk/shared/checkpoint/vaulttest"
)

func open(t *testing.T, dir string) *folder.Vault {
	t.Helper()
	v, err := folder.Make(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func TestContract(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(t *testing.T) checkpoint.Vault {
		t.Helper()
		return open(t, t.TempDir())
	})
}

// A file cannot be written to, holds all of its object or is not there, and no other
// file is left.
func TestFilesAreWrittenOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v, err := folder.Make(filepath.Join(dir, "vault"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for range 2 {
		if err := v.Put(t.Context(), "a/b/1", []byte("x")); err != nil && !errors.Is(err, checkpoint.ErrThere) {
			t.Fatal(err)
		}
	}
	var files []string
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, err := d.Info()
			if err != nil || info.Mode().Perm() != 0o400 {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) != 1 || !strings.HasSuffix(files[0], "a/b/1") {
		t.Errorf("%v, %v", files, err)
	}
}

func TestOddKeysAreRefused(t *testing.T) {
	t.Parallel()
	v := open(t, t.TempDir())
	for _, key := range []string{"", "/", "a/", "/a", "../a", "a/../b", "a//b", ".temp", "a/.b", `a\b`, "a:b", "a\x00"} {
		if err := v.Put(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("%q was put", key)
		}
		if _, err := v.Get(t.Context(), key); err == nil || errors.Is(err, checkpoint.ErrAbsent) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestAFolderThatIsNotThereIsNotMadeByReading(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := folder.Open(dir); err == nil {
		t.Error("it was opened")
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it was made")
	}
}

func TestALinkLeadsNowhere(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "a")); err != nil {
		t.Skip(err)
	}
	if b, err := open(t, dir).Get(t.Context(), "a/secret"); err == nil {
		t.Errorf("%q", b)
	}
}
