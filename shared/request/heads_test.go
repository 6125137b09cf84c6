package request

import (
	"context"
	"errors"
	"slices"
	"testing"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// The chains of others are verified with our own, those in no index once.
func TestTheChainsOfOthersAreVerified(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.submit(asks(policy.Access))
	e, head := audit.Head{}.Append(audit.Entry{Chain: "consent#s1", At: d.now(), Actor: "person", Action: "granted", Commit: "c1"})
	err := d.inner.Commit(d.ctx(), "c1",
		table.Put(table.State, table.Item{Key: table.Key{Partition: "consent#i1", Sort: "-"}, Body: []byte("{}"), Schema: 1, Due: d.now()}, table.New),
		table.Put(table.Audit, table.Item{Key: table.Key{Partition: e.Chain, Sort: entrySort(1)}, Body: e.Encode(), Schema: 1}, table.New))
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	failing := errors.New("the line broke")
	remembered, fails := audit.Chain{Name: "consent#s1", Head: head}, error(nil)
	d.Heads = func(_ context.Context, k table.Key) ([]audit.Chain, error) {
		if asked = append(asked, k.Partition); k == (table.Key{}) {
			return nil, fails
		}
		return []audit.Chain{remembered}, nil
	}
	v, err := d.VerifyAudit(d.ctx(), handler, "")
	slices.Sort(asked)
	if err != nil || v.Chains != 2 || v.Entries != 2 || len(v.Broken) != 0 || !slices.Equal(asked, []string{"", "consent#i1"}) {
		t.Errorf("%+v, %v; asked about %q", v, err, asked)
	}
	remembered.Head.Seq++
	if v, err = d.VerifyAudit(d.ctx(), handler, ""); err != nil || len(v.Broken) != 1 || v.Broken[0].Chain != "consent#s1" {
		t.Errorf("%+v, %v", v, err)
	}
	fails = failing
	if _, err = d.VerifyAudit(d.ctx(), handler, ""); !errors.Is(err, failing) {
		t.Error(err)
	}
}
