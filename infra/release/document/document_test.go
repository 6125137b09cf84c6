package document_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"rightsdesk/infra/release/cost"
	"rightsdesk/infra/release/document"
	"rightsdesk/infra/release/formation"
	"rightsdesk/shared/topology"
)

var update = flag.Bool("update", false, "write the documents anew")

const (
	root   = "../../.."
	golden = root + "/infra/stack/testdata/release.golden.json"
)

func sources(t *testing.T) document.Sources {
	t.Helper()
	tpl, err := formation.Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	units, err := cost.Journey(root)
	if err != nil {
		t.Fatal(err)
	}
	return document.Sources{Template: tpl, Units: units}
}

// A test of infra/stack holds the golden template to what is synthesised; this one holds
// what is written about an installation to the golden template.
func TestTheDocumentsAreAsTheTemplateHasThem(t *testing.T) {
	files, err := document.Files(sources(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(root, "docs", name)
		if *update {
			if err := os.WriteFile(path, files[name], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(old, files[name]) {
			t.Errorf("docs/%s is not as the template has it: make docs, and look at the change", name)
		}
	}
}

func written(t *testing.T, name string) string {
	t.Helper()
	files, err := document.Files(sources(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(files[name])
}

// Every grant of every role is in the page: action, resource, and why.
func TestEveryGrantIsExplained(t *testing.T) {
	t.Parallel()
	s, page := sources(t), written(t, "permissions.md")
	roles := 0
	for _, id := range s.Template.All("AWS::IAM::Role") {
		name := formation.Plain(id)
		_, section, ok := strings.Cut(page, "\n## "+name+"\n")
		if !ok {
			t.Errorf("%s has no part of its own", name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		roles++
		policies := formation.List(s.Template.Resources[id].Properties["Policies"])
		for _, other := range s.Template.All("AWS::IAM::Policy") {
			if slices.Contains(formation.Refers(s.Template.Resources[other].Properties["Roles"]), id) {
				policies = append(policies, s.Template.Resources[other].Properties)
			}
		}
		granted := 0
		for _, policy := range policies {
			if inner := formation.At(policy, "Fn::If", 1); inner != nil {
				policy = inner
			}
			for _, statement := range formation.List(formation.At(policy, "PolicyDocument", "Statement")) {
				granted++
				for _, action := range formation.List(formation.At(statement, "Action")) {
					if !strings.Contains(section, "`"+formation.Text(action)+"`") {
						t.Errorf("%s: the page does not say that it may %v", name, action)
					}
				}
				for _, resource := range formation.List(formation.At(statement, "Resource")) {
					if !strings.Contains(section, "`"+formation.Say(resource)+"`") {
						t.Errorf("%s: the page does not say that it may do something to %s", name, formation.Say(resource))
					}
				}
			}
		}
		if granted == 0 {
			t.Errorf("%s may nothing: does this test still know where grants are?", name)
		}
		if rows := strings.Count(section, "\n| `"); rows != granted {
			t.Errorf("%s has %d grants and %d lines", name, granted, rows)
		}
		for line := range strings.SplitSeq(section, "\n") {
			if strings.HasPrefix(line, "| `") && strings.HasSuffix(line, "| - |") {
				t.Errorf("%s: nobody says why: %s", name, line)
			}
		}
	}
	if roles < len(topology.All) {
		t.Errorf("only %d roles have a part", roles)
	}
}

// A grant that nobody explains stops the page, and so does a type that nobody can deploy.
func TestWhatNobodyExplainsIsAnError(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*formation.Template){
		"an action": func(tpl *formation.Template) { grant(tpl, "iam:CreateUser", "StateTable") },
		"a star":    func(tpl *formation.Template) { grant(tpl, "dynamodb:GetItem", "StateTable/*") },
		"a type": func(tpl *formation.Template) {
			tpl.Resources["Cache"] = formation.Resource{Type: "AWS::ElastiCache::CacheCluster"}
		},
		"a store": func(tpl *formation.Template) { tpl.Resources["Shoebox"] = formation.Resource{Type: "AWS::S3::Bucket"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sources(t)
			change(s.Template)
			if _, err := document.Files(s); err == nil {
				t.Error("the documents say nothing of it, and nobody notices")
			}
		})
	}
}

// grant adds a statement to the first role.
func grant(tpl *formation.Template, action, resource string) {
	id := tpl.All("AWS::IAM::Role")[0]
	tpl.Resources["More"] = formation.Resource{Type: "AWS::IAM::Policy", Properties: map[string]any{
		"Roles":          []any{map[string]any{"Ref": id}},
		"PolicyDocument": map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Action": action, "Resource": resource}}},
	}}
}

// Who deploys needs no administrator, and each policy fits into what the service takes.
func TestTheDeployPolicyIsNoAdministrator(t *testing.T) {
	t.Parallel()
	var policies []struct {
		Name     string
		Document struct {
			Version   string
			Statement []struct {
				Sid, Effect string
				Action      []string
				Resource    []string
				Condition   map[string]map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(written(t, "deploy-policy.json")), &policies); err != nil {
		t.Fatal(err)
	}
	if len(policies) == 0 || len(policies) > 10 {
		t.Fatalf("there are %d policies, and a role takes ten", len(policies))
	}
	var documents []struct{ Document json.RawMessage }
	if err := json.Unmarshal([]byte(written(t, "deploy-policy.json")), &documents); err != nil {
		t.Fatal(err)
	}
	for i, d := range documents {
		var compact bytes.Buffer
		if err := json.Compact(&compact, d.Document); err != nil {
			t.Fatal(err)
		}
		if compact.Len() > 6144 {
			t.Errorf("%s has %d characters, the service takes 6144", policies[i].Name, compact.Len())
		}
	}
	// Names that CloudFormation does not begin with the stack's are in the policy as they are.
	for _, id := range sources(t).Template.All("AWS::Logs::LogGroup") {
		name := formation.Text(formation.At(sources(t).Template.Resources[id].Properties, "LogGroupName", "Fn::Join", 1, 0))
		if name != "" && !strings.Contains(written(t, "deploy-policy.json"), ":log-group:"+name+"*") {
			t.Errorf("whoever deploys may not make the log group %s...", name)
		}
	}
	forbidden := regexp.MustCompile(`^(iam:(Attach.*|Create(User|AccessKey|Policy.*))|sts:.*|dynamodb:(GetItem|PutItem|Query|Scan|DeleteItem|DeleteTable|BatchGetItem)|s3:(DeleteObject.*|DeleteBucket|PutObject)|kms:(Decrypt|Encrypt|GenerateDataKey.*|ScheduleKeyDeletion|CreateGrant)|lambda:InvokeFunction|cognito-idp:DeleteUserPool)$`)
	for _, p := range policies {
		for _, s := range p.Document.Statement {
			for _, a := range s.Action {
				if strings.Contains(a, "*") || forbidden.MatchString(a) {
					t.Errorf("%s allows %s", p.Name, a)
				}
			}
			if slices.Contains(s.Action, "secretsmanager:GetSecretValue") && len(s.Condition) == 0 {
				t.Errorf("%s reads secrets of others", p.Name)
			}
			if slices.Contains(s.Resource, "*") && slices.ContainsFunc(s.Action, func(a string) bool {
				return strings.HasPrefix(a, "iam:") || strings.HasPrefix(a, "dynamodb:") || strings.HasPrefix(a, "s3:")
			}) {
				t.Errorf("%s: %s on everything", p.Name, s.Sid)
			}
		}
	}
}

func TestThePictureIsAsLargeAsMarketplacesWantIt(t *testing.T) {
	t.Parallel()
	drawing := written(t, "architecture.svg")
	if !strings.Contains(drawing, fmt.Sprintf(`width="%d" height="%d"`, 1100, 700)) {
		t.Error("the drawing is not 1100 by 700")
	}
	for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range topology.All {
		if !strings.Contains(drawing, ">"+f.Name+"<") {
			t.Errorf("%s is not in the drawing", f.Name)
		}
	}
	b, err := os.ReadFile(filepath.Join(root, "docs", "architecture.png"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if !document.Shows(b, []byte(drawing)) {
		t.Error("the picture shows another drawing: make docs, with Chromium")
	}
	if picture.Width != document.Width || picture.Height != document.Height {
		t.Errorf("the picture is %d by %d: make docs", picture.Width, picture.Height)
	}
}

func TestMarketplaceTextsAreWithinTheirLimits(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(root, "docs", "listing.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, most := range map[string]int{"Title": 50, "Short": 200, "Long": 2000} {
		_, text, ok := strings.Cut(string(b), "\n## "+name+"\n")
		text, _, _ = strings.Cut(text, "\n## ")
		text = strings.TrimSpace(text)
		if n := utf8.RuneCountInString(text); !ok || n == 0 || n > most {
			t.Errorf("%s has %d characters, at most %d are taken", name, n, most)
		}
	}
}

// What is written by hand about parameters, outputs and commands is true of the template.
func TestWhatIsWrittenByHandNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	tpl, err := formation.Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, names := range []map[string]bool{set(tpl.Parameters), set(tpl.Outputs)} {
		maps.Copy(known, names)
	}
	for id := range tpl.Resources {
		known[formation.Plain(id)] = true
	}
	word := regexp.MustCompile("`([A-Z][a-z]+[A-Z][A-Za-z0-9]+)`")
	for _, name := range []string{"deploy.md", "upgrade.md", "cost.md", "ftr.md"} {
		b, err := os.ReadFile(filepath.Join(root, "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range word.FindAllStringSubmatch(string(b), -1) {
			if !known[m[1]] && !strings.HasPrefix(m[1], "Test") {
				t.Errorf("docs/%s names %s, which is no parameter, output or resource", name, m[1])
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(root, "docs", "deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range tpl.Parameters {
		if p.Default == nil && !strings.Contains(string(b), name) {
			t.Errorf("docs/deploy.md does not say that %s has to be given", name)
		}
	}
}

func set[V any](m map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		out[k] = true
	}
	return out
}
