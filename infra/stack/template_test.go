package stack_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	Resources  map[string]resource
	Outputs    map[string]any
}

type resource struct {
	Type                string
	Properties          map[string]any
	DependsOn           any
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// synth makes the template once for all tests. The code of the functions is a
// stand-in: what is in it does not matter here.
var synth = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "rightsdesk-synth")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // what is left over is in the temporary folder
	zip := filepath.Join(dir, "function.zip")
	if err := os.WriteFile(zip, []byte("a stand-in for a zip"), 0o600); err != nil {
		return nil, err
	}
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(filepath.Join(dir, "out"))})
	stack.New(app, "Rightsdesk", nil, func(string) string { return zip })
	app.Synth(nil)
	return os.ReadFile(filepath.Join(dir, "out", "Rightsdesk.template.json"))
})

func raw(t *testing.T) []byte {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the CDK needs node, and CI has to have it: install node 22 or later")
		}
		t.Skip("the CDK needs node, which is not installed: what CloudFormation gets is not tested here")
	}
	b, err := synth()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t *testing.T) template {
	t.Helper()
	var tpl template
	if err := json.Unmarshal(raw(t), &tpl); err != nil {
		t.Fatal(err)
	}
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

var digits = regexp.MustCompile(`[0-9A-F]{8}$`)

// plain is a logical id as the code has it.
func plain(id string) string { return digits.ReplaceAllString(id, "") }

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

// target is the plain logical id that v refers to, by Ref or Fn::GetAtt,
// wherever it stands in v.
func target(v any) string {
	b, _ := json.Marshal(v)
	if m := regexp.MustCompile(`"(?:Ref":|Fn::GetAtt":\[)"(\w+)"`).FindSubmatch(b); m != nil {
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
