package change_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rightsdesk/infra/release/change"
	"rightsdesk/infra/release/formation"
)

const golden = "../../stack/testdata/template.golden.json"

func read(t *testing.T) map[string]any {
	t.Helper()
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func parsed(t *testing.T, m map[string]any) *formation.Template {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := formation.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// resource returns a resource by its plain name, with its logical id.
func resource(t *testing.T, m map[string]any, name string) (string, map[string]any) {
	t.Helper()
	for id, r := range m["Resources"].(map[string]any) {
		if formation.Plain(id) == name {
			return id, r.(map[string]any)
		}
	}
	t.Fatalf("the template has no %s", name)
	return "", nil
}

func properties(t *testing.T, m map[string]any, name string) map[string]any {
	t.Helper()
	_, r := resource(t, m, name)
	return r["Properties"].(map[string]any)
}

// edit is a template that a case of a test changes.
type edit struct {
	t *testing.T
	m map[string]any
}

func (e edit) resource(name string) (string, map[string]any) { return resource(e.t, e.m, name) }

func (e edit) properties(name string) map[string]any { return properties(e.t, e.m, name) }

func TestTheSameTemplateChangesNothing(t *testing.T) {
	t.Parallel()
	findings, err := change.Compare(parsed(t, read(t)), parsed(t, read(t)))
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) > 0 {
		t.Error(findings)
	}
}

// Each of these would lose something or stop the upgrade, and none looks like much in a
// review.
func TestGraveUpgradesAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(e edit)
		says   string
	}{
		"a table gets a name": {func(e edit) { e.properties("StateTable")["TableName"] = "state" }, "REPLACED  StateTable"},
		"a table's key": {func(e edit) {
			e.properties("AuditTable")["KeySchema"] = []any{map[string]any{"AttributeName": "p", "KeyType": "HASH"}}
		}, "REPLACED  AuditTable"},
		"an index is built anew": {func(e edit) {
			index := e.properties("StateTable")["GlobalSecondaryIndexes"].([]any)[0].(map[string]any)
			index["Projection"] = map[string]any{"ProjectionType": "ALL"}
		}, "REPLACED  the index"},
		"an index goes": {func(e edit) {
			p := e.properties("StateTable")
			p["GlobalSecondaryIndexes"] = p["GlobalSecondaryIndexes"].([]any)[1:]
		}, "DELETED   the index"},
		"a table is renamed": {func(e edit) {
			id, r := e.resource("KeysTable")
			delete(e.m["Resources"].(map[string]any), id)
			e.m["Resources"].(map[string]any)["SaltTable"] = r
		}, "keep the logical id KeysTable"},
		"the key goes": {func(e edit) {
			id, _ := e.resource("MasterKey")
			delete(e.m["Resources"].(map[string]any), id)
		}, "LEFT      MasterKey"},
		"the API": {func(e edit) { e.properties("API")["ProtocolType"] = "WEBSOCKET" }, "links in mails"},
		"retention falls": {func(e edit) {
			_, r := e.resource("StateTable")
			r["DeletionPolicy"] = "Delete"
		}, "WEAKER    StateTable is deleted with the stack"},
		"protection falls": {func(e edit) {
			e.properties("StateTable")["DeletionProtectionEnabled"] = false
		}, "DeletionProtectionEnabled"},
		"recovery falls": {func(e edit) {
			delete(e.properties("StateTable"), "PointInTimeRecoverySpecification")
		}, "recovered to a point in time"},
		"a new question": {func(e edit) {
			e.m["Parameters"].(map[string]any)["Licence"] = map[string]any{"Type": "String", "Description": "which"}
		}, "ASKED     the parameter Licence"},
		"an answer less":      {func(e edit) { delete(e.m["Parameters"].(map[string]any), "Sender") }, "GONE      the parameter Sender"},
		"a role's name":       {func(e edit) { e.properties("FulfilRole")["RoleName"] = "fulfil" }, "name the new one there"},
		"an alarm of a queue": {func(e edit) { e.properties("StepsDeadLetters")["FifoQueue"] = true }, "REPLACED  StepsDeadLetters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := read(t)
			c.change(edit{t, after})
			findings, err := change.Compare(parsed(t, read(t)), parsed(t, after))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(findings, func(f change.Finding) bool { return f.Grave && strings.Contains(f.Text, c.says) }) {
				t.Errorf("it says %v, want %q", findings, c.says)
			}
		})
	}
}

// What every upgrade does is not grave: new code is a new version of each function.
func TestNewCodeIsNotGrave(t *testing.T) {
	t.Parallel()
	after := read(t)
	for _, r := range after["Resources"].(map[string]any) {
		r := r.(map[string]any)
		if r["Type"] == "AWS::Lambda::Version" {
			r["Properties"].(map[string]any)["CodeSha256"] = "other"
		}
		if r["Type"] == "AWS::Lambda::Function" {
			r["Properties"].(map[string]any)["MemorySize"] = 1024
		}
	}
	findings, err := change.Compare(parsed(t, read(t)), parsed(t, after))
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 1 || findings[0].Grave || !strings.Contains(findings[0].Text, "of AWS::Lambda::Version") {
		t.Errorf("it says %v", findings)
	}
}

// A release brings versions under other logical ids, and leaves the old ones to go back to.
func TestTheVersionsOfTheReleaseBeforeAreKept(t *testing.T) {
	t.Parallel()
	after := read(t)
	resources := after["Resources"].(map[string]any)
	for id, r := range resources {
		if r.(map[string]any)["Type"] == "AWS::Lambda::Version" {
			delete(resources, id)
			resources[id[:len(id)-32]+strings.Repeat("0", 32)] = r
		}
	}
	findings, err := change.Compare(parsed(t, read(t)), parsed(t, after))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(findings)
	if slices.ContainsFunc(findings, func(f change.Finding) bool { return f.Grave }) || !strings.Contains(text, "kept      9 versions") {
		t.Errorf("it says %s", text)
	}
}

// What belongs to something that is replaced is replaced too.
func TestWhatIsBoundIsReplacedToo(t *testing.T) {
	t.Parallel()
	after := read(t)
	properties(t, after, "API")["ProtocolType"] = "WEBSOCKET"
	findings, err := change.Compare(parsed(t, read(t)), parsed(t, after))
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(findings); !strings.Contains(text, "of AWS::ApiGatewayV2::Route: nothing is lost") {
		t.Errorf("the routes are forgotten: %s", text)
	}
}

func TestATypeThatNobodyKnowsIsRefused(t *testing.T) {
	t.Parallel()
	after := read(t)
	after["Resources"].(map[string]any)["Cache"] = map[string]any{"Type": "AWS::ElastiCache::ServerlessCache"}
	if _, err := change.Compare(parsed(t, read(t)), parsed(t, after)); err == nil || !strings.Contains(err.Error(), "AWS::ElastiCache::ServerlessCache") {
		t.Errorf("it says %v", err)
	}
}

// Whatever stays when a stack goes can be taken over by the next, and nothing that
// every installation has may be forgotten.
func TestWhatStaysCanBeTakenOver(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := formation.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	names, always := change.Adoptable(tpl)
	everything := map[string]string{}
	for _, name := range names {
		everything[name] = name + "-physical"
	}
	for _, name := range []string{"StateTable", "AuditTable", "KeysTable", "MasterKey", "Exports", "Policies", "Checkpoints"} {
		if !always[name] {
			t.Errorf("%s is not always there to be taken over", name)
		}
		less := map[string]string{}
		for k, v := range everything {
			if k != name {
				less[k] = v
			}
		}
		if _, err := change.Adopt(b, less, nil); err == nil {
			t.Errorf("%s may be forgotten", name)
		}
	}
	a, err := change.Adopt(b, everything, map[string]string{"AdminContact": "admin@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for _, r := range a.Resources {
		taken[r.ID] = true
		for property, value := range r.Identifier {
			if value == "" {
				t.Errorf("%s is found by no %s", r.ID, property)
			}
		}
		if formation.At(a.Template, "Resources", r.ID, "DeletionPolicy") == nil {
			t.Errorf("%s has no DeletionPolicy, without which an import is refused", r.ID)
		}
	}
	for id, r := range tpl.Resources {
		// A version is kept as long as its function, which goes with the stack.
		if strings.HasPrefix(r.DeletionPolicy, "Retain") && !taken[id] && r.Type != "AWS::Lambda::Version" {
			t.Errorf("%s stays when the stack goes, and cannot be taken over: the next stack makes another, or fails", formation.Plain(id))
		}
	}
	if n := len(a.Template["Resources"].(map[string]any)); n != len(a.Resources) {
		t.Errorf("the template holds %d resources, %d of them are there", n, len(a.Resources))
	}
	if a.Template["Outputs"] != nil {
		t.Error("an import may bring no outputs")
	}
	if _, err := change.Adopt(b, map[string]string{"StateTabel": "x"}, nil); err == nil {
		t.Error("a misspelt name is taken")
	}
}

// A restored table takes the place of the old one: first nothing refers to a resource that
// is not there, then the table is the only difference.
func TestATableIsReplaced(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	streams := map[string]string{"StateTable": "arn:aws:dynamodb:eu-central-1:111122223333:table/restored/stream/1"}
	r, err := change.Replace(b, map[string]string{"StateTable": "restored"}, streams)
	if err != nil {
		t.Fatal(err)
	}
	id := r.Resources[0].ID
	if formation.Plain(id) != "StateTable" || r.Resources[0].Identifier["TableName"] != "restored" {
		t.Errorf("it imports %v", r.Resources)
	}
	without, with, whole := parsed(t, r.Without), parsed(t, r.With), parsed(t, read(t))
	if _, there := without.Resources[id]; there || len(without.Resources) != len(whole.Resources)-1 {
		t.Error("the stack does not let go of the old table, or of more than that")
	}
	for other, resource := range without.Resources {
		if slices.Contains(formation.Refers(resource.Properties), id) || strings.Contains(fmt.Sprint(resource.DependsOn), id) {
			t.Errorf("%s still refers to the old table", formation.Plain(other))
		}
	}
	raw, err := json.Marshal(r.Without)
	if err != nil {
		t.Fatal(err)
	}
	for _, spelled := range []string{`"restored"`, ":table/restored", streams["StateTable"]} {
		if !strings.Contains(string(raw), spelled) {
			t.Errorf("nothing speaks of %s", spelled)
		}
	}
	delete(with.Resources, id)
	if !reflect.DeepEqual(with.Resources, without.Resources) {
		t.Error("the import changes something besides, which CloudFormation refuses")
	}
	if _, err := change.Replace(b, map[string]string{"StateTable": "restored"}, nil); err == nil || !strings.Contains(err.Error(), "StreamArn") {
		t.Errorf("a stream that is read is forgotten: %v", err)
	}
	if _, err := change.Replace(b, map[string]string{"Exports": "x"}, nil); err == nil {
		t.Error("a bucket was taken for a table")
	}
}
