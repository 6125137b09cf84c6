package stack_test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rightsdesk/infra/stack"
)

// Whoever builds the same source gets the same zip, in another folder and
// another year too, and may compare it with the one that runs.
func TestEqualSourcesMakeEqualZips(t *testing.T) {
	var zips [2][]byte
	for i := range zips {
		root, dir := t.TempDir(), t.TempDir()
		for name, content := range map[string]string{
			"go.mod":                  "module example\n\ngo 1.26\n",
			"functions/hello/main.go": "package main\n\nfunc main() { println(\"hello\") }\n",
		} {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(stack.GoBuild(root, dir)("hello"))
		if err != nil {
			t.Fatal(err)
		}
		zips[i] = b
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("two builds of one source differ")
	}
	z, err := zip.NewReader(bytes.NewReader(zips[0]), int64(len(zips[0])))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Fatalf("the zip is not what Lambda runs: %v", z.File)
	}
	f, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	program, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	e, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if e.Machine != elf.EM_AARCH64 {
		t.Errorf("the program is for %v", e.Machine)
	}
}

func TestABrokenFunctionStopsTheSynth(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a function that does not build went into the stack")
		}
	}()
	stack.GoBuild(t.TempDir(), t.TempDir())("nothing")
}
