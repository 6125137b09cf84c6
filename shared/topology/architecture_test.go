package topology_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layer says what its packages may import beside the standard library.
// docs/architecture.md says why.
type layer struct {
	layers   []string // whose packages; a package may also import what is in its own folder
	packages []string // single packages, where not the whole layer
	modules  []string // of others
	http     bool     // net/http, of its own or of what it imports
}

const (
	awsSDK = "github.com/aws/aws-sdk-go-v2"
	smithy = "github.com/aws/smithy-go"
	bolt   = "go.etcd.io/bbolt"
	jose   = "github.com/go-jose/go-jose/v4"
)

var layers = map[string]layer{
	"alone":   {}, // runs other programs and knows nobody
	"ground":  {},
	"domain":  {layers: []string{"ground", "domain", "policy"}},
	"policy":  {layers: []string{"ground", "domain"}, modules: []string{"go.yaml.in/yaml/v3"}},
	"receipt": {layers: []string{"ground", "domain", "policy", "receipt"}, modules: []string{jose}},
	"edge":    {layers: []string{"ground", "domain", "policy", "edge"}},
	"http":    {layers: []string{"ground", "domain", "policy", "receipt", "edge"}, http: true},
	"adapter": {layers: []string{"ground", "domain", "policy"}, packages: []string{"shared/page"}, modules: []string{awsSDK, smithy, bolt}, http: true},
	"lambda":  {layers: []string{"ground", "domain"}, modules: []string{"github.com/aws/aws-lambda-go"}, http: true},
	"tests":   {layers: []string{"ground", "domain", "adapter", "tests"}, packages: []string{"infra/local/company"}, modules: []string{awsSDK, smithy}, http: true},
	"boot": {
		layers:  []string{"ground", "domain", "policy", "receipt", "edge", "http", "adapter", "lambda", "boot"},
		modules: []string{awsSDK, smithy, "github.com/aws/aws-lambda-go"}, http: true,
	},
	"function": {layers: []string{"boot"}, packages: []string{"shared/topology"}, http: true},
	"local": {
		layers: []string{"ground", "domain", "policy", "receipt", "edge", "http", "local"},
		packages: []string{
			"shared/table/embedded", "shared/table/hostile", "shared/mail/mailbox", "shared/mail/feedback", "shared/export/folder", "shared/checkpoint/folder",
			"shared/source/http", "shared/source/task",
			"infra/operate", // its commands for an installation in an account; they know no service themselves
		},
		modules: []string{bolt}, http: true,
	},
	"operate": {layers: []string{"ground", "domain", "policy", "receipt", "adapter"}, modules: []string{awsSDK, smithy}, http: true},
	"stack": {
		layers: []string{"stack"}, packages: []string{"shared/topology"},
		modules: []string{"github.com/aws/aws-cdk-go", "github.com/aws/constructs-go", "github.com/aws/jsii-runtime-go", "go.yaml.in/yaml/v3"}, http: true,
	},
}

// members are all packages. A folder with "/..." stands for all packages below it.
var members = map[string]string{
	"shared/fault":    "ground",
	"shared/law":      "ground",
	"shared/personal": "ground",
	"shared/topology": "ground",

	"shared/audit":      "domain",
	"shared/bulletin":   "domain",
	"shared/checkpoint": "domain",
	"shared/closure":    "domain",
	"shared/consent":    "domain",
	"shared/digest":     "domain",
	"shared/edition":    "domain",
	"shared/erasure":    "domain",
	"shared/export":     "domain",
	"shared/hold":       "domain",
	"shared/intake":     "domain",
	"shared/lifecycle":  "domain",
	"shared/mail":       "domain",
	"shared/operator":   "domain",
	"shared/page/words": "domain",
	"shared/request":    "domain",
	"shared/restore":    "domain",
	"shared/retention":  "domain",
	"shared/seal":       "domain",
	"shared/source":     "domain",
	"shared/table":      "domain",
	"shared/policy":     "policy",
	"shared/receipt":    "receipt",

	"shared/certificate":    "receipt",
	"shared/checkpoint/jws": "receipt",

	"shared/desk":    "edge",
	"shared/job":     "edge",
	"shared/page":    "edge",
	"shared/httpapi": "http",

	"shared/bulletin/eventbridge": "adapter",

	"shared/checkpoint/folder": "adapter",
	"shared/checkpoint/s3":     "adapter",
	"shared/export/folder":     "adapter",
	"shared/export/s3":         "adapter",
	"shared/export/s3/presign": "adapter",
	"shared/job/sqs":           "adapter",
	"shared/mail/feedback":     "adapter",
	"shared/mail/mailbox":      "adapter",
	"shared/mail/ses":          "adapter",
	"shared/seal/kms":          "adapter",
	"shared/source/cognito":    "adapter",
	"shared/source/dynamodb":   "adapter",
	"shared/source/http":       "adapter",
	"shared/source/logs":       "adapter",
	"shared/source/s3":         "adapter",
	"shared/source/task":       "adapter",
	"shared/table/dynamo":      "adapter",
	"shared/table/embedded":    "adapter",
	"shared/lambdahttp":        "lambda",

	"infra/local/company/indynamodb": "tests",

	"shared/checkpoint/vaulttest": "tests",
	"shared/export/exporttest":    "tests",
	"shared/export/s3/s3test":     "tests",
	"shared/receipt/receipttest":  "tests",
	"shared/source/sourcetest":    "tests",
	"shared/table/hostile":        "tests",
	"shared/table/hostile/wire":   "tests",
	"shared/table/tabletest":      "tests",

	"shared/boot":       "boot",
	"shared/boot/...":   "boot",
	"functions/...":     "function",
	"infra":             "stack",
	"infra/scan":        "alone",
	"infra/stack":       "stack",
	"infra/release":     "stack",
	"infra/release/...": "stack",
	"infra/operate":     "operate",
	"infra/local":       "local",
	"infra/local/...":   "local",
}

// layerOf returns the layer of a package, given without the module's name.
func layerOf(path string) string {
	if l, ok := members[path]; ok {
		return l
	}
	for folder := path; ; {
		i := strings.LastIndexByte(folder, '/')
		if i < 0 {
			return ""
		}
		folder = folder[:i]
		if l, ok := members[folder+"/..."]; ok {
			return l
		}
	}
}

type listed struct {
	ImportPath    string
	Imports, Deps []string
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

const module = "rightsdesk/"

func inside(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// allowed reports whether a package of layer l may import another.
func (l layer) allowed(from, to string) bool {
	if rest, ours := strings.CutPrefix(to, module); ours {
		return slices.Contains(l.layers, layerOf(rest)) || slices.Contains(l.packages, rest) || inside(rest, from)
	}
	if first, _, _ := strings.Cut(to, "/"); !strings.Contains(first, ".") {
		return true // the standard library; Deps tell about net/http
	}
	return slices.ContainsFunc(l.modules, func(m string) bool { return inside(to, m) })
}

func TestWhoMayKnowWhom(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		found[path] = true
		name := layerOf(path)
		l, ok := layers[name]
		if !ok {
			t.Errorf("%s is new: say in members of this test which layer it belongs to; docs/architecture.md tells them apart", path)
			continue
		}
		for _, to := range p.Imports {
			if !l.allowed(path, to) {
				t.Errorf("%s (%s) must not import %s", path, name, strings.TrimPrefix(to, module))
			}
		}
		if !l.http && slices.Contains(p.Deps, "net/http") {
			t.Errorf("%s (%s) must not know net/http, and something that it imports does", path, name)
		}
		for _, dep := range p.Deps { // whatever the way
			if name != "stack" && inside(dep, "github.com/aws/aws-cdk-go") {
				t.Errorf("%s (%s) links the CDK", path, name)
				break
			}
		}
	}
	for path := range members {
		if !strings.HasSuffix(path, "/...") && !found[path] {
			t.Errorf("%s is in members of this test and nowhere else", path)
		}
	}
}

// What runs on a laptop needs no AWS, not even its code: all of it comes by infra/operate,
// whose commands act on an installation in an account.
func TestTheLocalRunnerLinksNoAWS(t *testing.T) {
	t.Parallel()
	all := list(t)
	aws := func(path string) string {
		i := slices.IndexFunc(all, func(p listed) bool { return p.ImportPath == path })
		if i < 0 {
			return ""
		}
		for _, dep := range all[i].Deps {
			if inside(dep, awsSDK) || inside(dep, "github.com/aws/aws-lambda-go") || dep == module+"shared/boot" {
				return dep
			}
		}
		return ""
	}
	for _, p := range all {
		if layerOf(strings.TrimPrefix(p.ImportPath, module)) != "local" {
			continue
		}
		for _, to := range p.Imports {
			if dep := aws(to); dep != "" && to != module+"infra/operate" {
				t.Errorf("%s links %s, by %s", p.ImportPath, dep, to)
			}
		}
	}
}

// The rule itself is tested with imports that somebody will try.
func TestForbiddenImports(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"shared/request", "rightsdesk/shared/table", true},
		{"shared/request", "rightsdesk/shared/table/dynamo", false},
		{"shared/request", "rightsdesk/shared/httpapi", false},
		{"shared/request", "github.com/aws/aws-sdk-go-v2/aws", false},
		{"shared/request", "go.yaml.in/yaml/v3", false},
		{"shared/policy", "go.yaml.in/yaml/v3", true},
		{"shared/law", "rightsdesk/shared/fault", false},
		{"shared/law", "time", true},
		{"shared/table/dynamo", "rightsdesk/shared/table/embedded", false},
		{"shared/export/s3", "rightsdesk/shared/export/s3/presign", true},
		{"shared/httpapi", "rightsdesk/shared/table/dynamo", false},
		{"shared/httpapi", "rightsdesk/infra/local", false},
		{"functions/requests", "rightsdesk/shared/boot", true},
		{"functions/requests", "github.com/aws/aws-sdk-go-v2/aws", false},
		{"functions/requests", "rightsdesk/shared/boot/routes", true},
		{"functions/requests", "rightsdesk/shared/request", false},
		{"infra/local", "rightsdesk/shared/boot", false},
		{"infra/local", "rightsdesk/infra/operate", true},
		{"infra/local", "github.com/aws/aws-sdk-go-v2/aws", false},
		{"infra/local/company", "rightsdesk/shared/seal/kms", false},
		{"infra/operate", "rightsdesk/shared/table/dynamo", true},
		{"infra/operate", "rightsdesk/shared/boot", false},
		{"infra/local/company", "rightsdesk/shared/source/http", true},
		{"infra/local", "rightsdesk/shared/table/dynamo", false},
		{"infra/stack", "rightsdesk/shared/policy", false},
		{"shared/boot", "rightsdesk/infra/stack", false},
		{"shared/boot", "github.com/aws/aws-cdk-go/awscdk/v2", false},
	} {
		if got := layers[layerOf(c.from)].allowed(c.from, c.to); got != c.allowed {
			t.Errorf("%s -> %s: allowed = %v", c.from, c.to, got)
		}
	}
}
