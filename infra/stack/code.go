package stack

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Build makes the code of a function and returns the path of its zip.
type Build func(function string) (path string)

// GoBuild builds functions/<name> of the module in root, puts the zip into dir,
// and yields the same bytes wherever and whenever it runs.
func GoBuild(root, dir string) Build {
	return func(function string) string {
		path, err := buildZip(root, dir, function)
		if err != nil {
			panic(fmt.Sprintf("stack: build %s: %v", function, err))
		}
		return path
	}
}

func buildZip(root, dir, function string) (string, error) {
	work, err := os.MkdirTemp("", "rightsdesk")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work) //nolint:errcheck // a leftover in the temporary folder
	binary := filepath.Join(work, "bootstrap")
	//nolint:gosec,noctx // the name is the topology's; a build ends by itself
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid=", "-o", binary, "./functions/"+function)
	build.Dir = root
	// Whoever builds may have set other flags or another arm64: the bytes would be others.
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0", "GOFLAGS=-trimpath")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	program, err := os.ReadFile(binary) //nolint:gosec // what was just built
	if err != nil {
		return "", err
	}
	packed, err := pack(program)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	path := filepath.Join(dir, function+".zip")
	return path, os.WriteFile(path, packed, 0o600) //nolint:gosec // the same
}

// codeSum is the sum of a zip as Lambda writes it: SHA-256 in base64.
func codeSum(path string) (string, error) {
	b, err := os.ReadFile(path) //nolint:gosec // what was just built
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// pack puts a program into a zip as Lambda wants it. The time is fixed, to the
// earliest that a zip can say, so that equal programs make equal zips.
func pack(program []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
