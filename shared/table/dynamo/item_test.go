package dynamo

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/table"
)

var full = table.Item{
	Key: table.Key{Partition: "partition", Sort: "sört"}, Body: []byte("body"), Schema: 12,
	Due: time.UnixMilli(1774742398123).UTC(), Subject: "subject", Expires: time.Unix(1774742399, 0).UTC(),
	Version: 1000, CommitID: "commit", Counted: table.Counted{Window: "day", N: 5, Total: 123},
}

// sizes are sizes as the guide says they are counted, of attributes as we send
// them: the check that table.Item.Size knows our layout.
func sizeOf(t *testing.T, a attributes) int {
	t.Helper()
	n := 0
	for name, v := range a {
		n += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberB:
			n += len(v.Value)
		case *types.AttributeValueMemberN:
			n += 1 + (len(strings.TrimRight(v.Value, "0"))+1)/2
		default:
			t.Fatalf("%s is a %T, which the layout does not have", name, v)
		}
	}
	return n
}

func TestAnItemComesBackAndHasTheSizeThatTheTableCounts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*table.Item){
		"with everything":          func(*table.Item) {},
		"not due":                  func(it *table.Item) { it.Due = time.Time{} },
		"of no subject":            func(it *table.Item) { it.Subject = "" },
		"for ever":                 func(it *table.Item) { it.Expires = time.Time{} },
		"never counted":            func(it *table.Item) { it.Counted = table.Counted{} },
		"of no commit":             func(it *table.Item) { it.CommitID = "" },
		"empty":                    func(it *table.Item) { it.Body = []byte{} },
		"expiring at a round time": func(it *table.Item) { it.Expires = time.Unix(1_800_000_000, 0).UTC() },
	} {
		it := full
		change(&it)
		got, err := decode(encode(it))
		if err != nil || !reflect.DeepEqual(got, it) {
			t.Errorf("%s: %+v came back as %+v, %v", name, it, got, err)
		}
		if got, want := it.Size(), sizeOf(t, encode(it)); got != want {
			t.Errorf("%s: it counts as %d bytes, want %d", name, got, want)
		}
	}
}

func TestAnEntryHasTheSizeThatTheTableCounts(t *testing.T) {
	t.Parallel()
	all := encode(full)
	for ix, names := range map[table.Index][]string{
		table.Due:     {attrShard, attrDue, attrPartition, attrSort, attrExpires},
		table.Subject: {attrSubject, attrPartition, attrSort, attrExpires},
	} {
		entry := attributes{}
		for _, n := range names {
			entry[n] = all[n]
		}
		if got, want := full.EntrySize(ix), sizeOf(t, entry); got != want {
			t.Errorf("%s: it counts as %d bytes, want %d", ix, got, want)
		}
	}
}

func TestAnAttributeOfAnotherTypeIsAnError(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]types.AttributeValue{
		attrPartition: num(1), attrVersion: str("1"), attrBody: str("b"), attrSchema: &types.AttributeValueMemberN{Value: "1.5"},
	} {
		a := encode(full)
		a[name] = wrong
		if _, err := decode(a); err == nil || !strings.Contains(err.Error(), " "+name+" ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The expressions name attributes without placeholders. That is only allowed
// for names that the service does not reserve; no reserved word is this short.
func TestNoAttributeNeedsAPlaceholder(t *testing.T) {
	t.Parallel()
	for name := range encode(full) {
		if !regexp.MustCompile(`^[a-z]{1,2}$`).MatchString(name) {
			t.Errorf("%s may be a reserved word", name)
		}
		for _, reserved := range []string{"as", "at", "by", "do", "go", "if", "in", "is", "no", "of", "on", "or", "to"} {
			if name == reserved {
				t.Errorf("%s is a reserved word", name)
			}
		}
	}
}

func TestOnlyTheStateIsIndexed(t *testing.T) {
	t.Parallel()
	tables := Tables{State: "s", Audit: "a", Keys: "k"}
	for name, want := range map[table.Name]int{table.State: 2, table.Audit: 0, table.Keys: 0} {
		in := TableInput(name, tables.Physical(name))
		if len(in.GlobalSecondaryIndexes) != want {
			t.Errorf("%s has %d indexes, want %d", name, len(in.GlobalSecondaryIndexes), want)
		}
		for _, ix := range in.GlobalSecondaryIndexes {
			if got := ix.Projection.NonKeyAttributes; len(got) != 1 || got[0] != ExpiresAt {
				t.Errorf("%s projects %q: an expired item could not be hidden in it", aws.ToString(ix.IndexName), got)
			}
		}
		if tables.logical(tables.Physical(name)) != name {
			t.Errorf("%s is not known by its physical name", name)
		}
	}
}

func TestATokenIsThatOfOneAttempt(t *testing.T) {
	t.Parallel()
	s := &Store{tables: Tables{State: "s", Audit: "a", Keys: "k"}}
	write := func(change func(*table.Item)) []table.Write {
		it := full
		change(&it)
		return []table.Write{table.Put(table.State, it, table.New)}
	}
	same := func(*table.Item) {}
	first := s.token("id", 1, write(same))
	if len(first) > 36 {
		t.Errorf("%q is longer than the service takes", first)
	}
	if again := s.token("id", 1, write(same)); again != first {
		t.Error("the same attempt has two tokens")
	}
	other := &Store{tables: Tables{State: "other", Audit: "a", Keys: "k"}}
	for what, token := range map[string]string{
		"another id":           s.token("di", 1, write(same)),
		"another time":         s.token("id", 2, write(same)),
		"another table":        other.token("id", 1, write(same)),
		"another body":         s.token("id", 1, write(func(it *table.Item) { it.Body = []byte("bodi") })),
		"another due time":     s.token("id", 1, write(func(it *table.Item) { it.Due = it.Due.Add(time.Millisecond) })),
		"another precondition": s.token("id", 1, []table.Write{table.Put(table.State, full, table.Exists)}),
	} {
		if token == first {
			t.Errorf("%s has the same token", what)
		}
	}
}
