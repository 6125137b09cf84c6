package operate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// What is missing at the beginning of a chain is told as what it may be, and by whom it is
// proven; where nothing is old enough to have expired it is a fault.
func TestMissingFirstEntriesAreToldAndNotPassedOver(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)
	var items []table.Item
	heads := map[string]audit.Head{}
	for n := range 4 {
		for _, chain := range []string{"policy", "request#r1", "consent#s1"} {
			e, head := heads[chain].Append(audit.Entry{Chain: chain, At: begin.Add(time.Duration(n) * time.Hour), Actor: "clock", Action: "lapsed", Commit: "c"})
			heads[chain] = head
			items = append(items, table.Item{Key: table.Key{Partition: chain, Sort: fmt.Sprintf("%012d", e.Seq)}, Body: e.Encode()})
		}
	}
	for name, c := range map[string]struct {
		gone   string // "chain seq" of what is missing, with spaces around
		after  time.Duration
		later  int
		none   int
		broken string
	}{
		"whole and young":             {after: time.Hour},
		"whole and old":               {after: 2 * 366 * 24 * time.Hour},
		"the first, and young":        {gone: " request#r1 1 ", after: 300 * 24 * time.Hour, broken: "request#r1: what came before entry 2 is missing"},
		"the first, and old":          {gone: " request#r1 1 consent#s1 1 consent#s1 2 ", after: 365*24*time.Hour + time.Hour, later: 2},
		"the first, without a policy": {gone: " request#r1 1 ", after: 365*24*time.Hour + time.Hour, broken: "what came before entry 2 is missing"},
		"all, and young":              {gone: " request#r1 1 request#r1 2 request#r1 3 request#r1 4 ", after: time.Hour, broken: "request#r1: the aggregate remembers entry 4, which is missing"},
		"all, and old":                {gone: " request#r1 1 request#r1 2 request#r1 3 request#r1 4 ", after: 365*24*time.Hour + time.Hour, none: 1},
		"the last, and old":           {gone: " request#r1 4 ", after: 365*24*time.Hour + time.Hour, broken: "request#r1: the aggregate remembers entry 4, which is missing"},
		"the middle, and old":         {gone: " request#r1 1 request#r1 3 ", after: 365*24*time.Hour + time.Hour, later: 1, broken: "request#r1: entry 3 is missing"},
	} {
		b := Books{Now: func() time.Time { return begin.Add(c.after) }, Policy: &policy.Policy{}}
		b.Policy.Retention.Audit = policy.Period{Years: 1}
		if strings.HasSuffix(name, "without a policy") {
			b.Policy = nil
		}
		w := newWalker()
		for _, it := range slices.Backward(items) {
			if !strings.Contains(c.gone, fmt.Sprintf(" %s %s ", it.Key.Partition, strings.TrimLeft(it.Key.Sort, "0"))) {
				w.see(it)
			}
		}
		found := w.verify(heads, b)
		if found.Later != c.later || found.Gone != c.none || !strings.Contains(strings.Join(found.Broken, "\n"), c.broken) || (c.broken == "") != (len(found.Broken) == 0) {
			t.Errorf("%s: %+v", name, found)
		}
		r := &Report{}
		r.Chains(found, nil)
		var said bytes.Buffer
		if err := r.Print(&said); err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(said.String(), "checkpoint verify -since"); told != (c.later+c.none > 0) || (r.Trouble() > 0) != (c.broken != "") {
			t.Errorf("%s: doctor says %s", name, &said)
		}
	}
	// Nothing at all is left, not even what never expires.
	found := newWalker().verify(map[string]audit.Head{"policy": heads["policy"]}, Books{Now: func() time.Time { return begin.AddDate(9, 0, 0) }, Policy: &policy.Policy{}})
	if found.Gone != 0 || len(found.Broken) != 1 {
		t.Errorf("an empty audit: %+v", found)
	}
}
