// Package bundle is a release as it is handed out: templates, the code of every function
// under a key that names its content, and what lets somebody check both without trusting
// us or any network. The same source makes the same bytes, wherever it is built.
//
// It imports the standard library and package formation. It makes nothing of AWS's.
package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Names of the files of a bundle, beside the code.
const (
	Template   = "template.json"    // the installation
	Edge       = "edge.json"        // the firewall at the edge
	SourceRole = "source-role.json" // a role in a company's account
	Sums       = "SHA256SUMS"
	Signature  = "SHA256SUMS.sig"
	BOM        = "sbom.cdx.json"
	Provenance = "provenance.json"
	LinksPage  = "launch.md"
	LinksData  = "launch.json"
	Manifest   = "release.json"
)

// MaxTemplate is the size of a template that CloudFormation still takes from a bucket.
const MaxTemplate = 1 << 20

// Release is what a bundle is made of.
type Release struct {
	Version   string   // 1.2.3
	Bucket    string   // what the name of every region's bucket begins with
	Regions   []string // where it can be installed
	Templates map[string][]byte
	Code      []Code
	Source    Source
	Key       ed25519.PrivateKey // none: nothing is signed
}

// Code is the zip of a function.
type Code struct {
	Function string
	Name     string // of the file, <hash>.zip: the last part of its key
	Zip      []byte
}

// Source says what the code was built of.
type Source struct {
	Commit string // of the repository; "" if it is not known
	Clean  bool   // whether the folder was exactly that commit
	Go     string // the compiler's version
	Sums   string // SHA-256 of go.sum, in hex
}

var version = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

// CheckVersion refuses what is no version.
func CheckVersion(v string) error {
	if !version.MatchString(v) {
		return fmt.Errorf("bundle: %q is no version: write VERSION=1.2.3, or 1.2.3-rc.1", v)
	}
	return nil
}

var prefix = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,40}[a-z0-9]$`)

// BucketOf is the name of the bucket of a release, as templates write it. The code of a function
// has to lie in the function's region, and names that anybody could take in a region that
// we have not come to yet would let a stranger serve code: names that end in -an belong
// to the account in them.
func BucketOf(name string) (string, error) {
	if !prefix.MatchString(name) {
		return "", fmt.Errorf("bundle: BUCKET=%s: give what the buckets' names begin with, your account's number last, such as rightsdesk-111122223333; the region and -an follow by themselves", name)
	}
	return name + "-${AWS::Region}-an", nil
}

// PrefixOf is what the keys of a release begin with. Nothing is ever put there twice.
func PrefixOf(version string) string { return "rightsdesk/v" + version + "/" }

// Hash is a sum as the files of a bundle have it.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// codeHash is a sum as Lambda has it.
func codeHash(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Plain writes decoded JSON so that equal values are equal bytes.
func Plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// Normal writes a template so that the order in which it was made does not show.
func Normal(template []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(template))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return Plain(v)
}

// Write puts a bundle into a folder, which must not be there yet or be a bundle's, and
// returns the names of its files.
func Write(dir string, r Release) ([]string, error) {
	if err := CheckVersion(r.Version); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, b := range r.Templates {
		if len(b) >= MaxTemplate {
			return nil, fmt.Errorf("bundle: %s has %d bytes, and CloudFormation takes less than %d", name, len(b), MaxTemplate)
		}
		files[name] = b
	}
	for _, c := range r.Code {
		files[c.Name] = c.Zip
	}
	for _, part := range []struct {
		name string
		make func(Release) ([]byte, error)
	}{{Manifest, manifest}, {BOM, bom}} {
		b, err := part.make(r)
		if err != nil {
			return nil, err
		}
		files[part.name] = b
	}
	var err error
	if files[LinksPage], files[LinksData], err = linksOf(r); err != nil {
		return nil, err
	}
	proof, err := provenance(r, files)
	if err != nil {
		return nil, err
	}
	files[Provenance] = proof
	files[Sums] = sums(files)
	if r.Key != nil {
		files[Signature] = ed25519.Sign(r.Key, files[Sums])
	}
	if err := emptied(dir); err != nil {
		return nil, err
	}
	var names []string
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil { //nolint:gosec // everybody may read a release
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// emptied makes an empty folder, of an earlier bundle if need be.
func emptied(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case len(entries) > 0 && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == Sums }):
		return fmt.Errorf("bundle: %s holds something else than a release: name another folder", dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755) //nolint:gosec // everybody may read a release
}

// sums lists what every file has to be, as sha256sum -c reads it.
func sums(files map[string][]byte) []byte {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&b, "%s  %s\n", Hash(files[name]), name)
	}
	return b.Bytes()
}

// function is how the manifest names the code of a function.
type function struct {
	Function   string `json:"function"`
	File       string `json:"file"`
	SHA256     string `json:"sha256"`
	CodeSha256 string `json:"code_sha256"` // as Lambda shows it
	Bytes      int    `json:"bytes"`
}

func manifest(r Release) ([]byte, error) {
	out := struct {
		Product   string     `json:"product"`
		Version   string     `json:"version"`
		Bucket    string     `json:"bucket"`
		Prefix    string     `json:"prefix"`
		Commit    string     `json:"commit,omitempty"`
		Templates []string   `json:"templates"`
		Functions []function `json:"functions"`
	}{Product: "rightsdesk", Version: r.Version, Prefix: PrefixOf(r.Version), Commit: r.Source.Commit}
	var err error
	if out.Bucket, err = BucketOf(r.Bucket); err != nil {
		return nil, err
	}
	for name := range r.Templates {
		out.Templates = append(out.Templates, name)
	}
	slices.Sort(out.Templates)
	for _, c := range r.Code {
		out.Functions = append(out.Functions, function{c.Function, c.Name, Hash(c.Zip), codeHash(c.Zip), len(c.Zip)})
	}
	slices.SortFunc(out.Functions, func(a, b function) int { return strings.Compare(a.Function, b.Function) })
	return Plain(out)
}

// program takes the one file out of a function's zip.
func program(packed []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, err
	}
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" {
		return nil, fmt.Errorf("bundle: the zip of a function holds bootstrap and nothing else, this one %d files", len(z.File))
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // reading
	var b bytes.Buffer
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
}
