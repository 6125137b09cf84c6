package stack_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/infra/stack"
	"rightsdesk/shared/topology"
)

// template is what the tests read of a CloudFormation template.
type template struct {
	Parameters map[string]any
	Conditions map[string]any
	Rules      map[string]any
	Metadata   map[string]any
	Resources  map[string]resource
	Outputs    map[string]any

	policies map[string][]map[string]any // every statement, by who holds it
}

type resource struct {
	Type                string
	Properties          map[string]any
	DependsOn           any
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// synthesised makes all templates, once for all tests: that of a checkout, one with
// settings of every kind, and those of a release. The code of the functions is a
// stand-in: what is in it does not matter here.
var synthesised = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "rightsdesk-synth")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // what is left over is in the temporary folder
	zip := filepath.Join(dir, "function.zip")
	if err := os.WriteFile(zip, []byte(standIn), 0o600); err != nil {
		return nil, err
	}
	build := func(string) string { return zip }
	defer jsii.Close()
	templates := map[string][]byte{}
	for folder, add := range map[string]func(awscdk.App){
		"checkout": func(app awscdk.App) {
			stack.New(app, "Rightsdesk", nil, build)
			stack.New(app, "Settled", settled, build)
		},
		"release": func(app awscdk.App) {
			stack.NewRelease(app, released, build)
			stack.NewEdge(app, released)
			stack.NewSourceRole(app, released)
		},
	} {
		out := filepath.Join(dir, folder)
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: &out, Context: stack.Context()})
		add(app)
		app.Synth(nil)
		paths, err := filepath.Glob(filepath.Join(out, "*.template.json"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			name := folder + "/" + strings.TrimSuffix(filepath.Base(path), ".template.json")
			if templates[name], err = os.ReadFile(path); err != nil {
				return nil, err
			}
		}
	}
	return templates, nil
})

// standIn is in the zip of every function.
const standIn = "a stand-in for a zip"

// released is the release that is tested.
var released = stack.Release{Version: "1.2.3", Bucket: "publisher-111122223333-${AWS::Region}-an", Prefix: "rightsdesk/v1.2.3/"}

// settled are settings of every kind.
var settled = stack.Settings{
	"AdminContact": "admin@example.org", "Profile": "addon-france", "LogDays": "7", "MaxUnitsPerSecond": "100", "DomainName": "",
	"SourceRoleArns": "arn:aws:iam::111122223333:role/one,arn:aws:iam::111122223333:role/two", "OperatorIssuer": "https://issuer.example.org",
}

// synth makes the template of a checkout. TestWeakTemplatesAreCaught puts others in its place.
var synth = func() ([]byte, error) {
	templates, err := synthesised()
	return templates[checkoutTemplate], err
}

func raw(t *testing.T) []byte {
	t.Helper()
	needsNode(t)
	b, err := synth()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func needsNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the CDK needs node, and CI has to have it: install node 22 or later")
		}
		t.Skip("the CDK needs node, which is not installed: what CloudFormation gets is not tested here")
	}
}

// load reads the template of a checkout, once for all tests: none of them changes it.
func load(t *testing.T) template {
	t.Helper()
	if b := raw(t); !slices.Equal(loaded.from, b) {
		loaded.from, loaded.tpl = b, parse(t, b)
	}
	return loaded.tpl
}

var loaded struct {
	from []byte
	tpl  template
}

// The templates, by what synthesised calls them.
const (
	checkoutTemplate = "checkout/Rightsdesk"
	settledTemplate  = "checkout/Settled"
	releaseTemplate  = "release/Rightsdesk"
	edgeTemplate     = "release/RightsdeskEdge"
	sourceTemplate   = "release/RightsdeskSource"
)

func rawOther(t *testing.T, name string) []byte {
	t.Helper()
	if name == checkoutTemplate {
		return raw(t)
	}
	if os.Getenv(weakenedIn) != "" {
		t.Skip("it is the template of a checkout that is judged here")
	}
	needsNode(t)
	templates, err := synthesised()
	if err != nil {
		t.Fatal(err)
	}
	if templates[name] == nil {
		t.Fatalf("there is no template %s", name)
	}
	return templates[name]
}

func loadOther(t *testing.T, name string) template {
	t.Helper()
	if name == checkoutTemplate {
		return load(t)
	}
	return parse(t, rawOther(t, name))
}

func parse(t *testing.T, b []byte) template {
	t.Helper()
	var tpl template
	if err := json.Unmarshal(b, &tpl); err != nil {
		t.Fatal(err)
	}
	tpl.policies = tpl.findStatements()
	return tpl
}

// all returns the resources of a type by their logical ids.
func (tpl template) all(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range tpl.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// one returns the resource of a type whose logical id is name, or name and the
// eight digits that the CDK puts behind.
func (tpl template) one(t *testing.T, kind, name string) resource {
	t.Helper()
	var found []resource
	for id, r := range tpl.all(kind) {
		if plain(id) == name {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d resources %s of type %s, want 1", len(found), name, kind)
	}
	return found[0]
}

// plain is a logical id as the code has it, without the digits that the CDK puts behind.
func plain(id string) string {
	if n := len(id) - 8; n > 0 && strings.Trim(id[n:], "0123456789ABCDEF") == "" {
		return id[:n]
	}
	return id
}

// at walks into decoded JSON: names into objects, numbers into lists. What is
// not there is nil.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v} // CloudFormation takes a list of one without its brackets
	}
}

func str(v any) string { s, _ := v.(string); return s }

var reference = regexp.MustCompile(`"(?:Ref":|Fn::GetAtt":\[)"(\w+)"`)

// target is the plain logical id that v refers to, by Ref or Fn::GetAtt,
// wherever it stands in v.
func target(v any) string {
	b, _ := json.Marshal(v)
	if m := reference.FindSubmatch(b); m != nil {
		return plain(string(m[1]))
	}
	return ""
}

// id is a function's plain logical id.
func id(f topology.Function) string { return strings.ToUpper(f.Name[:1]) + f.Name[1:] }

// live is the plain logical id of the alias that all but schedules invoke.
func live(f topology.Function) string { return id(f) + "LiveAlias" }

// running is the plain logical id of the alias that a schedule invokes.
func running(f topology.Function, s topology.Schedule) string {
	return id(f) + strings.ToUpper(s.Job[:1]) + s.Job[1:] + "Alias"
}

// same compares two sets, and says what is missing and what is too much.
func same[K comparable](t *testing.T, what string, got, want map[K]bool) {
	t.Helper()
	for k := range want {
		if !got[k] {
			t.Errorf("%s: %v is missing", what, k)
		}
	}
	for k := range got {
		if !want[k] {
			t.Errorf("%s: %v is not in the topology", what, fmt.Sprint(k))
		}
	}
}
