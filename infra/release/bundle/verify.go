package bundle

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rightsdesk/infra/release/formation"
)

// Verify looks at a bundle without any network and returns everything that is wrong
// with it. Without a key it cannot say who made the bundle.
func Verify(dir string, key ed25519.PublicKey) []error {
	files, err := load(dir)
	if err != nil {
		return []error{err}
	}
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if key != nil {
		switch signature := files[Signature]; {
		case signature == nil:
			wrong("%s is missing: this release is not signed", Signature)
		case !ed25519.Verify(key, files[Sums], signature):
			wrong("%s is not this key's signature of %s: do not install", Signature, Sums)
		}
	}
	problems = append(problems, checkSums(files)...)
	var m struct {
		Version   string
		Prefix    string
		Templates []string
		Functions []function
	}
	if err := json.Unmarshal(files[Manifest], &m); err != nil {
		wrong("%s: %w", Manifest, err)
		return problems
	}
	code := map[string][]byte{}
	for _, f := range m.Functions {
		code[f.Function] = files[f.File]
		if Hash(files[f.File]) != f.SHA256 || codeHash(files[f.File]) != f.CodeSha256 {
			wrong("%s: %s is not the code of %s", Manifest, f.File, f.Function)
		}
		if _, err := program(files[f.File]); err != nil {
			wrong("%s: %w", f.File, err)
		}
	}
	for _, name := range m.Templates {
		if len(files[name]) >= MaxTemplate {
			wrong("%s has %d bytes, CloudFormation takes less than %d", name, len(files[name]), MaxTemplate)
		}
		if t, err := formation.Parse(files[name]); err != nil || !strings.Contains(t.Description, m.Version) {
			wrong("%s is no template of version %s", name, m.Version)
		}
	}
	t, err := formation.Parse(files[Template])
	if err != nil {
		wrong("%s: %w", Template, err)
		return problems
	}
	problems = append(problems, checkTemplate(t, files[Template], m.Version, m.Prefix, files)...)
	problems = append(problems, checkMaterials(files, code)...)
	return problems
}

// load reads a bundle's files.
func load(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() {
			return nil, fmt.Errorf("bundle: %s holds the folder %s, which no release does", dir, e.Name())
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name())) //nolint:gosec // the operator names the folder
		if err != nil {
			return nil, err
		}
		files[e.Name()] = b
	}
	if files[Sums] == nil {
		return nil, fmt.Errorf("bundle: %s holds no %s: give the folder of one release: %w", dir, Sums, fs.ErrNotExist)
	}
	return files, nil
}

// checkSums compares every file with its sum, both ways.
func checkSums(files map[string][]byte) []error {
	var problems []error
	listed := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(files[Sums])); lines.Scan(); {
		hash, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %q is no line of it", Sums, lines.Text()))
			continue
		}
		listed[name] = hash
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		switch b, there := files[name]; {
		case !there:
			problems = append(problems, fmt.Errorf("%s is missing", name))
		case Hash(b) != listed[name]:
			problems = append(problems, fmt.Errorf("%s was changed: its sum is %s, and should be %s", name, Hash(b), listed[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if listed[name] == "" && name != Sums && name != Signature {
			problems = append(problems, fmt.Errorf("%s is not in %s", name, Sums))
		}
	}
	return problems
}

// checkTemplate looks whether an installation runs this code and no other, and needs
// nothing that a release must not need.
func checkTemplate(t *formation.Template, raw []byte, version, prefix string, files map[string][]byte) []error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(Template+": "+format, args...))
	}
	if out := t.Outputs["SolutionVersion"]; out.Value != version {
		wrong("the output SolutionVersion is %v, want %s", out.Value, version)
	}
	if _, ok := t.Parameters["BootstrapVersion"]; ok {
		wrong("it wants a bootstrapped account")
	}
	var top map[string]any
	if err := json.Unmarshal(raw, &top); err == nil && top["Transform"] != nil {
		wrong("it has a Transform, which reviews of change sets and stack sets cannot look through")
	}
	codes := map[string]string{} // function -> CodeSha256 of its zip
	for _, id := range t.All("AWS::Lambda::Function") {
		key := formation.Text(formation.At(t.Resources[id].Properties, "Code", "S3Key"))
		name, ok := strings.CutPrefix(key, prefix)
		if !ok || files[name] == nil {
			wrong("%s takes its code from %q, which is no file of this release", formation.Plain(id), key)
			continue
		}
		codes[id] = codeHash(files[name])
		if t.Resources[id].Properties["Layers"] != nil {
			wrong("%s brings layers along, which nothing pins", formation.Plain(id))
		}
	}
	for _, id := range t.All("AWS::Lambda::Alias") {
		to := formation.Refers(t.Resources[id].Properties["FunctionVersion"])
		if len(to) != 1 || t.Resources[to[0]].Type != "AWS::Lambda::Version" || t.Resources[id].Properties["RoutingConfig"] != nil {
			wrong("the alias %s leads to something else than a version of this release", formation.Plain(id))
		}
	}
	for _, id := range t.All("AWS::Lambda::Version") {
		of := formation.Refers(t.Resources[id].Properties["FunctionName"])
		if len(of) != 1 || codes[of[0]] == "" {
			wrong("%s is a version of no function of this release", formation.Plain(id))
			continue
		}
		if t.Resources[id].Properties["CodeSha256"] != codes[of[0]] {
			wrong("the version of %s is pinned to other code than this release has", formation.Plain(of[0]))
		}
		delete(codes, of[0])
	}
	for id := range codes {
		wrong("%s has no version that is pinned to its code", formation.Plain(id))
	}
	for _, id := range slices.Concat(t.All("AWS::IAM::Role"), t.All("AWS::IAM::ManagedPolicy")) {
		if t.Resources[id].Properties["RoleName"] != nil || t.Resources[id].Properties["ManagedPolicyName"] != nil {
			wrong("%s has a fixed name, which needs more than CAPABILITY_IAM", formation.Plain(id))
		}
	}
	var links []Link
	if err := json.Unmarshal(files[LinksData], &links); err != nil {
		problems = append(problems, fmt.Errorf("%s: %w", LinksData, err))
	}
	for _, l := range links {
		for name := range l.Given {
			if _, ok := t.Parameters[name]; !ok {
				wrong("the link for %s gives %s, which is no parameter", l.Region, name)
			}
		}
	}
	return problems
}

// checkMaterials looks whether what is said about the code is said of this code.
func checkMaterials(files map[string][]byte, code map[string][]byte) []error {
	var problems []error
	var list []Code
	for name, packed := range code {
		list = append(list, Code{Function: name, Zip: packed})
	}
	var b bill
	if err := json.Unmarshal(files[BOM], &b); err != nil {
		return append(problems, fmt.Errorf("%s: %w", BOM, err))
	}
	told := map[string]string{}
	for _, c := range b.Components {
		if name, ok := strings.CutPrefix(c.Ref, "function/"); ok && len(c.Hashes) == 1 {
			told[name] = c.Hashes[0].Content
		}
	}
	for _, c := range list {
		if binary, err := program(c.Zip); err == nil && told[c.Function] != Hash(binary) {
			problems = append(problems, fmt.Errorf("%s tells of another program than %s is", BOM, c.Function))
		}
	}
	var s statement
	if err := json.Unmarshal(files[Provenance], &s); err != nil {
		return append(problems, fmt.Errorf("%s: %w", Provenance, err))
	}
	proven := map[string]string{}
	for _, subject := range s.Subject {
		proven[subject.Name] = subject.Digest["sha256"]
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if (strings.HasSuffix(name, ".zip") || name == Template) && proven[name] != Hash(files[name]) {
			problems = append(problems, fmt.Errorf("%s says nothing of %s", Provenance, name))
		}
	}
	return problems
}

// PrivateKey reads a key to sign with: Ed25519, as openssl genpkey writes it.
func PrivateKey(path string) (ed25519.PrivateKey, error) {
	der, err := block(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	signer, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("bundle: %s is no Ed25519 key: make one with openssl genpkey -algorithm ed25519", path)
	}
	return signer, nil
}

// PublicKey reads a key to check with, as openssl pkey -pubout writes it.
func PublicKey(path string) (ed25519.PublicKey, error) {
	der, err := block(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("bundle: %s is no Ed25519 key", path)
	}
	return public, nil
}

func block(path string) ([]byte, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	p, _ := pem.Decode(b)
	if p == nil {
		return nil, errors.New("bundle: " + path + " holds no key in PEM")
	}
	return p.Bytes, nil
}
