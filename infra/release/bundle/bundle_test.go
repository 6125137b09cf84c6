package bundle_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rightsdesk/infra/release/bundle"
	"rightsdesk/infra/release/formation"
)

// packed puts a real program into a zip: this test, which says what it is built of as
// every program of Go does. salt makes it another one.
func packed(t *testing.T, salt string) []byte {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "bootstrap", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(append(program, salt...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pinned(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// released is a small release, whole and right.
func released(t *testing.T) bundle.Release {
	t.Helper()
	r := bundle.Release{
		Version: "1.2.3", Bucket: "rightsdesk-111122223333",
		Regions: []string{"eu-central-1", "ap-east-1", "cn-north-1"},
		Source:  bundle.Source{Commit: "0123456789abcdef0123456789abcdef01234567", Clean: true, Go: "go1.26", Sums: bundle.Hash([]byte("sums"))},
	}
	resources := map[string]any{}
	for _, name := range []string{"notice", "relay"} {
		code := packed(t, name)
		file := bundle.Hash([]byte(name)) + ".zip"
		r.Code = append(r.Code, bundle.Code{Function: name, Name: file, Zip: code})
		resources[name] = map[string]any{"Type": "AWS::Lambda::Function", "Properties": map[string]any{
			"Code": map[string]any{"S3Bucket": "any", "S3Key": bundle.PrefixOf(r.Version) + file},
		}}
		resources[name+"Version"] = map[string]any{"Type": "AWS::Lambda::Version", "Properties": map[string]any{
			"FunctionName": map[string]any{"Ref": name}, "CodeSha256": pinned(code),
		}}
	}
	refuses := func(when any, says string) map[string]any {
		return map[string]any{"RuleCondition": when, "Assertions": []any{map[string]any{
			"Assert": map[string]any{"Fn::Not": []any{map[string]any{"Fn::Contains": []any{[]any{"ap-east-1", "cn-north-1"}, map[string]any{"Ref": "AWS::Region"}}}}}, "AssertDescription": says,
		}}}
	}
	template, err := bundle.Plain(map[string]any{
		"Description": "Rightsdesk 1.2.3",
		"Parameters": map[string]any{
			"MailMode":   map[string]any{"Type": "String", "Default": "on"},
			"CodeBucket": map[string]any{"Type": "String", "Default": ""},
		},
		"Rules": map[string]any{
			"MailHere": refuses(map[string]any{"Fn::Not": []any{map[string]any{"Fn::Equals": []any{map[string]any{"Ref": "MailMode"}, "off"}}}}, "no mail here"),
			"CodeHere": map[string]any{
				"RuleCondition": map[string]any{"Fn::Equals": []any{map[string]any{"Ref": "CodeBucket"}, ""}},
				"Assertions":    []any{map[string]any{"Assert": map[string]any{"Fn::Not": []any{map[string]any{"Fn::Equals": []any{map[string]any{"Ref": "AWS::Region"}, "cn-north-1"}}}}, "AssertDescription": "no code here"}},
			},
		},
		"Resources": resources,
		"Outputs":   map[string]any{"SolutionVersion": map[string]any{"Value": "1.2.3"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Templates = map[string][]byte{bundle.Template: template}
	return r
}

func written(t *testing.T, r bundle.Release) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "v1.2.3")
	if _, err := bundle.Write(dir, r); err != nil {
		t.Fatal(err)
	}
	return dir
}

func keys(t *testing.T) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

func TestAReleaseIsWhole(t *testing.T) {
	t.Parallel()
	r := released(t)
	public, private := keys(t)
	r.Key = private
	if problems := bundle.Verify(written(t, r), public); len(problems) > 0 {
		t.Error(problems)
	}
}

// Nothing of the machine, the hour or the order of things is in a release.
func TestTheSameReleaseIsTheSameBytes(t *testing.T) {
	t.Parallel()
	r := released(t)
	first := written(t, r)
	slices.Reverse(r.Code)
	second := written(t, r)
	names, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 9 {
		t.Errorf("a release has only %d files", len(names))
	}
	for _, e := range names {
		a, errA := os.ReadFile(filepath.Join(first, e.Name()))
		b, errB := os.ReadFile(filepath.Join(second, e.Name()))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs", e.Name())
		}
	}
}

// Whoever changes one thing is found out, even if they put the sums right again: the
// signature is of the sums.
func TestEveryChangeIsFound(t *testing.T) {
	t.Parallel()
	r := released(t)
	public, private := keys(t)
	_, stranger := keys(t)
	r.Key = private
	zipName := r.Code[0].Name
	change := func(dir, name string, how func([]byte) []byte) {
		path := filepath.Join(dir, name)
		b, _ := os.ReadFile(path)
		if err := os.WriteFile(path, how(b), 0o600); err != nil {
			t.Error(err)
		}
	}
	swap := func(from, to string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(from), []byte(to)) }
	}
	resum := func(dir string) { // as an attacker would
		var lines strings.Builder
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.Name() != bundle.Sums && e.Name() != bundle.Signature {
				b, _ := os.ReadFile(filepath.Join(dir, e.Name()))
				fmt.Fprintf(&lines, "%s  %s\n", bundle.Hash(b), e.Name())
			}
		}
		change(dir, bundle.Sums, func([]byte) []byte { return []byte(lines.String()) })
	}
	for name, c := range map[string]struct {
		tamper func(dir string)
		says   string
	}{
		"a byte of code":  {func(d string) { change(d, zipName, swap("bootstrap", "bootstrip")) }, zipName + " was changed"},
		"a template":      {func(d string) { change(d, bundle.Template, swap("Rightsdesk", "Wrongsdesk")) }, "template.json was changed"},
		"a file too many": {func(d string) { change(d, "extra.txt", func([]byte) []byte { return []byte("x") }) }, "extra.txt is not in SHA256SUMS"},
		"a file less":     {func(d string) { _ = os.Remove(filepath.Join(d, bundle.BOM)) }, bundle.BOM + " is missing"},
		"no signature":    {func(d string) { _ = os.Remove(filepath.Join(d, bundle.Signature)) }, "not signed"},
		"a stranger's signature": {func(d string) {
			change(d, bundle.Signature, func([]byte) []byte {
				b, _ := os.ReadFile(filepath.Join(d, bundle.Sums))
				return ed25519.Sign(stranger, b)
			})
		}, "not this key's signature"},
		"code and sums":           {func(d string) { change(d, zipName, swap("bootstrap", "bootstrip")); resum(d) }, "not this key's signature"},
		"a template and its sums": {func(d string) { change(d, bundle.Template, swap(pinned(r.Code[0].Zip), pinned(nil))); resum(d) }, "pinned to other code"},
		"another version's words": {func(d string) { change(d, bundle.Template, swap("1.2.3", "1.2.4")); resum(d) }, "no template of version 1.2.3"},
		"a bill of other code": {func(d string) {
			change(d, bundle.BOM, swap(`"alg": "SHA-256",`, `"alg": "SHA-256", "content": "x",`))
			resum(d)
		}, "not this key's signature"},
		"provenance of other code": {func(d string) {
			change(d, bundle.Provenance, swap(bundle.Hash(r.Code[0].Zip), bundle.Hash(nil)))
			resum(d)
		}, bundle.Provenance + " says nothing of " + zipName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := written(t, r)
			c.tamper(dir)
			problems := fmt.Sprint(bundle.Verify(dir, public))
			if !strings.Contains(problems, c.says) {
				t.Errorf("it found %s, want %q", problems, c.says)
			}
		})
	}
}

// Even if nobody signed: a template that runs other code than the folder has is found.
func TestATemplateRunsThisCodeAndNoOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(template map[string]any)
		says   string
	}{
		"another zip": {func(m map[string]any) { put(m, "elsewhere.zip", "Resources", "relay", "Properties", "Code", "S3Key") }, `takes its code from "elsewhere.zip"`},
		"another sum": {func(m map[string]any) { put(m, "x", "Resources", "relayVersion", "Properties", "CodeSha256") }, "pinned to other code"},
		"no version":  {func(m map[string]any) { delete(m["Resources"].(map[string]any), "relayVersion") }, "relay has no version that is pinned"},
		"a layer": {func(m map[string]any) {
			put(m, []any{"arn:aws:lambda:eu-central-1:444455556666:layer:x:1"}, "Resources", "relay", "Properties", "Layers")
		}, "relay brings layers along"},
		"an alias of what was there before": {func(m map[string]any) {
			put(m, map[string]any{"Type": "AWS::Lambda::Alias", "Properties": map[string]any{"FunctionVersion": "1"}}, "Resources", "live")
		}, "the alias live leads to something else"},
		"bootstrap":           {func(m map[string]any) { put(m, map[string]any{"Type": "String"}, "Parameters", "BootstrapVersion") }, "bootstrapped account"},
		"a transform":         {func(m map[string]any) { m["Transform"] = "AWS::Serverless-2016-10-31" }, "Transform"},
		"another version out": {func(m map[string]any) { put(m, "9.9.9", "Outputs", "SolutionVersion", "Value") }, "SolutionVersion"},
		"a named role": {func(m map[string]any) {
			put(m, map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"RoleName": "admin"}}, "Resources", "Named")
		}, "CAPABILITY_IAM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := released(t)
			var m map[string]any
			if err := json.Unmarshal(r.Templates[bundle.Template], &m); err != nil {
				t.Fatal(err)
			}
			c.change(m)
			template, err := bundle.Plain(m)
			if err != nil {
				t.Fatal(err)
			}
			r.Templates[bundle.Template] = template
			if problems := fmt.Sprint(bundle.Verify(written(t, r), nil)); !strings.Contains(problems, c.says) {
				t.Errorf("it found %s, want %q", problems, c.says)
			}
		})
	}
}

func put(m map[string]any, value any, path ...string) {
	for _, step := range path[:len(path)-1] {
		m = m[step].(map[string]any)
	}
	m[path[len(path)-1]] = value
}

// A link opens the review page of its region, with the template of that region's bucket, and
// gives nothing but what the template asks.
func TestLaunchLinks(t *testing.T) {
	t.Parallel()
	r := released(t)
	tpl, err := formation.Parse(r.Templates[bundle.Template])
	if err != nil {
		t.Fatal(err)
	}
	links, others, err := bundle.Links(tpl, r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(others, []string{"cn-north-1"}) {
		t.Errorf("without the publisher's code: %v, want cn-north-1", others)
	}
	want := map[string]map[string]string{"eu-central-1": {}, "ap-east-1": {"MailMode": "off"}}
	for _, l := range links {
		if !maps.Equal(l.Given, want[l.Region]) {
			t.Errorf("%s gives %v, want %v", l.Region, l.Given, want[l.Region])
		}
		delete(want, l.Region)
		u, err := url.Parse(l.Launch)
		if err != nil {
			t.Fatal(err)
		}
		page, query, _ := strings.Cut(u.Fragment, "?")
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if u.Host != "console.aws.amazon.com" || u.Query().Get("region") != l.Region || page != "/stacks/create/review" {
			t.Errorf("%s opens %s", l.Region, l.Launch)
		}
		if got := q.Get("templateURL"); got != "https://rightsdesk-111122223333-"+l.Region+"-an.s3."+l.Region+".amazonaws.com/rightsdesk/v1.2.3/template.json" {
			t.Errorf("%s takes the template from %s", l.Region, got)
		}
		for name := range q {
			parameter, ok := strings.CutPrefix(name, "param_")
			if _, known := tpl.Parameters[parameter]; ok && !known {
				t.Errorf("%s gives %s, which is no parameter", l.Region, parameter)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("no link for %v", want)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"", "1", "1.2", "v1.2.3", "1.2.3 ", "01.2.3", "latest", "../1.2.3"} {
		if bundle.CheckVersion(v) == nil {
			t.Errorf("%q is taken for a version", v)
		}
	}
	for _, v := range []string{"1.2.3", "0.0.0", "1.2.3-rc.1"} {
		if err := bundle.CheckVersion(v); err != nil {
			t.Error(err)
		}
	}
	// A name with a region in it could be somebody else's in a region that we are not in.
	for _, b := range []string{"", "x", "Rights", "rightsdesk-${AWS::Region}", "a.b.c", "s3://x"} {
		if name, err := bundle.BucketOf(b); err == nil {
			t.Errorf("%q becomes %s", b, name)
		}
	}
	r := released(t)
	r.Templates[bundle.Template] = append(r.Templates[bundle.Template], bytes.Repeat([]byte(" "), bundle.MaxTemplate)...)
	if _, err := bundle.Write(filepath.Join(t.TempDir(), "x"), r); err == nil || !strings.Contains(err.Error(), "takes less than") {
		t.Errorf("a template that is too large: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Write(other, released(t)); err == nil {
		t.Error("a folder with something else in it was cleared")
	}
}

// The bill names every module that is compiled in, once, and which function has it.
func TestTheBillOfMaterials(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(written(t, released(t)), bundle.BOM))
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		BOMFormat, SpecVersion string
		Components             []struct {
			Type, Name, PURL string
			Ref              string `json:"bom-ref"`
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	if err := json.Unmarshal(b, &bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.SpecVersion != "1.6" {
		t.Errorf("it is %s %s", bom.BOMFormat, bom.SpecVersion)
	}
	known := map[string]bool{}
	for _, c := range bom.Components {
		if known[c.Ref] {
			t.Errorf("%s is there twice", c.Ref)
		}
		known[c.Ref] = true
		if c.Type == "library" && !strings.HasPrefix(c.PURL, "pkg:golang/") {
			t.Errorf("%s has no package URL", c.Name)
		}
	}
	if !known["function/relay"] || !known["function/notice"] {
		t.Error("a function is missing")
	}
	for _, d := range bom.Dependencies {
		for _, on := range d.DependsOn {
			if !known[on] {
				t.Errorf("%s depends on %s, which is not listed", d.Ref, on)
			}
		}
	}
}

// The links of a real template: one for each region in which its own rules let it be
// launched, with nothing left to ask but what the template itself asks.
func TestLinksOfTheRealTemplate(t *testing.T) {
	t.Parallel()
	tpl, err := formation.Read("../../stack/testdata/release.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	r := bundle.Release{Version: "1.2.3", Bucket: "rightsdesk-111122223333"}
	contains := formation.At(tpl.Rules["Region"], "Assertions", 0, "Assert", "Fn::Contains", 0)
	for _, region := range formation.List(contains) {
		r.Regions = append(r.Regions, formation.Text(region))
	}
	links, others, err := bundle.Links(tpl, r)
	if err != nil {
		t.Fatal(err)
	}
	if len(links) != 30 || len(others) != 6 {
		t.Errorf("%d regions have a link and %d not, %v", len(links), len(others), others)
	}
	for _, l := range links {
		if len(l.Wanted) > 0 {
			t.Errorf("in %s the link leads to a refusal: %v", l.Region, l.Wanted)
		}
	}
	deploy, err := os.ReadFile("../../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(deploy), fmt.Sprintf("in %d regions", len(links)+len(others))) {
		t.Errorf("docs/deploy.md does not speak of %d regions", len(links)+len(others))
	}
}
