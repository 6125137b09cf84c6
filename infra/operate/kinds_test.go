package operate

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// declared is a line in which a package says what it keeps: table, partition, sort.
var declared = regexp.MustCompile(`(?m)^//\s+(?:(state|keys)\s+)?([a-z]+(?:#\S*)?)\s{2,}(<[^>]*>\S*|\S+)\s{2,}\S`)

// What a package declares in its comment is exported, or left out with a reason: one
// who adds a kind of item and forgets who leaves is told here.
func TestEveryKindThatIsDeclaredIsAccountedFor(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	err := filepath.WalkDir("../../shared", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			name := table.Name(m[1])
			if name == "" {
				if !strings.HasSuffix(path, "seal/seal.go") {
					continue // a line of prose
				}
				name = table.Keys
			}
			k := table.Key{Partition: example(m[2]), Sort: example(m[3])}
			found[string(name)+" "+m[2]+" "+m[3]] = true
			x, known := kindOf(name, k)
			if !known {
				t.Errorf("%s declares %s %s %s, and leave knows nothing of it: add a line in kinds.go", path, name, m[2], m[3])
			} else if x.file == "" && len(x.why) < 20 {
				t.Errorf("%s is left out without a reason", x.named())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 30 {
		t.Errorf("only %d declarations were found: does this test still know what they look like? %v", len(found), found)
	}
	t.Logf("%d kinds are declared", len(found))
}

// example is a key like a declared one: request#<id> becomes request#x.
func example(declared string) string {
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(declared, "x")
}

func TestNoKindHidesAnother(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name table.Name
		key  table.Key
		want string
	}{
		{table.State, table.Key{Partition: "consent#link#x", Sort: "-"}, ""},
		{table.State, table.Key{Partition: "consent#i1x", Sort: "-"}, "consents.ndjson"},
		{table.State, table.Key{Partition: "request#x", Sort: "plan"}, "plans.ndjson"},
		{table.State, table.Key{Partition: "request#x", Sort: "message#000001"}, "messages.ndjson"},
		{table.State, table.Key{Partition: "held", Sort: "h1"}, ""},
		{table.State, table.Key{Partition: "holds", Sort: "h1"}, "holds.ndjson"},
		{table.State, table.Key{Partition: "sweep#r", Sort: "page"}, ""},
		{table.State, table.Key{Partition: "checkpoint#batch", Sort: "x"}, ""},
		{table.State, table.Key{Partition: "bulletin#untold", Sort: "x"}, ""},
	} {
		if k, ok := kindOf(c.name, c.key); !ok || k.file != c.want {
			t.Errorf("%v goes into %q, want %q", c.key, k.file, c.want)
		}
	}
	if _, ok := kindOf(table.State, table.Key{Partition: "invented#x", Sort: "-"}); ok {
		t.Error("what nobody declared is known")
	}
}

func TestThePageNamesEveryFileOfAnExport(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/leaving.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		name := "`state/" + k.file + "`"
		if k.raw {
			name = "`" + k.file + "/<version>.yaml`"
		}
		if k.file != "" && !strings.Contains(string(b), name) {
			t.Errorf("docs/leaving.md does not name %s", name)
		}
	}
}

// An audit whose end was cut off shows only by what the item remembers that the chain
// is of, whatever the item is and whether or not it is exported.
func TestEveryChainThatWasCutOffIsNoticed(t *testing.T) {
	t.Parallel()
	for _, k := range []table.Key{
		{Partition: "request#x", Sort: "-"},
		{Partition: "operator#x", Sort: "-"},
		{Partition: "consent#i1x", Sort: "-"},
		{Partition: "halt", Sort: "-"},
		{Partition: "closure#x", Sort: "-"},
		{Partition: "life#x", Sort: "-"},
		{Partition: "holds", Sort: "x"},
		{Partition: "erased#x", Sort: "-"},
		{Partition: "salts", Sort: "-"},
		{Partition: "sweep#x", Sort: "-"},
		{Partition: "replay", Sort: "-"},
		{Partition: "policy", Sort: "active"},
		{Partition: "checkpoint", Sort: "-"},
		{Partition: "digest#x", Sort: "-"},
	} {
		body, err := json.Marshal(map[string]any{"subject": "x", "id": "x", "head": audit.Head{Seq: 2}})
		if err != nil {
			t.Fatal(err)
		}
		store := tabletest.Embedded(t, time.Now)
		item := table.Item{Key: k, Schema: 1, Body: body}
		if err := store.Commit(t.Context(), table.NewID(), table.Put(table.State, item, table.New)); err != nil {
			t.Fatal(err)
		}
		b := Books{Table: store, Now: time.Now}
		verified, err := b.Verify(t.Context())
		if err != nil || len(verified.Broken) != 1 {
			t.Errorf("%v: %+v, %v", k, verified, err)
		}
		left, err := b.Leave(t.Context(), t.TempDir())
		if err != nil || len(left.Chains.Broken) != 1 {
			t.Errorf("%v, whoever leaves: %+v, %v", k, left, err)
		}
	}
}
