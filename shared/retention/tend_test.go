package retention

import (
	"context"
	"errors"
	"slices"
	"testing"

	"rightsdesk/shared/digest"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

// groups is a store that lets go by itself.
type groups struct {
	source.Source
	drift []source.Drift
	asked int
	fails error
}

func (g *groups) Tend(_ context.Context, confirmed []source.Drift) (source.Tended, error) {
	g.asked++
	if g.fails != nil {
		return source.Tended{}, g.fails
	}
	found := source.Tended{Seen: 3, Drift: slices.Clone(g.drift)}
	for i, d := range found.Drift {
		if slices.Contains(confirmed, d) {
			found.Drift[i].Set = true
		}
	}
	g.drift = slices.DeleteFunc(slices.Clone(g.drift), func(d source.Drift) bool { return slices.Contains(confirmed, d) })
	return found, nil
}

func TestWhatLetsGoByItselfIsWatched(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Policy.RetentionRules = nil
	d.Policy.Sources = append(d.Policy.Sources, policy.Source{
		ID: "logs", Kind: policy.KindLogs, Logs: policy.Logs{Groups: []string{"/app/*"}},
		Holdings: []policy.Holding{
			{Category: "traces", Action: policy.ActionKeep, Keep: policy.Keep{Period: policy.Period{Months: 3}}},
			{Category: "access_log", Action: policy.ActionKeep, Keep: policy.Keep{Period: policy.Period{Days: 30}}},
		},
	})
	g := &groups{}
	d.Sources["logs"] = g
	d.sweeps(3 * day)
	v := d.show("own:logs")
	if v.Sweep.Status != Watched || g.asked != 3 || v.Late != nil || v.Sweep.Tended.Seen != 3 || v.Limit != 0 || v.Rule.Category != "access_log" {
		t.Fatalf("asked %d times: %+v, %+v", g.asked, v.Sweep, v.Late)
	}
	g.drift = []source.Drift{{Name: "/app/web", Kind: source.KeptForever, Want: 30}}
	d.sweeps(3 * day)
	if v = d.show("own:logs"); v.Late == nil || v.Late.Why != Drifted || len(v.Sweep.Tended.Drift) != 1 {
		t.Fatalf("%+v, %+v", v.Sweep, v.Late)
	}
	if n := d.digested("own:logs"); n[digest.Late] != 1 {
		t.Errorf("the digests say %v", n)
	}
	if _, err := d.Confirm(t.Context(), handler, "own:logs", "another", 0); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
	if _, err := d.Confirm(t.Context(), handler, "own:logs", v.Version, 0); err != nil {
		t.Fatal(err)
	}
	d.sweep()
	if v = d.show("own:logs"); v.Late != nil || len(g.drift) != 0 || !v.Sweep.Tended.Drift[0].Set {
		t.Errorf("%+v, %+v", v.Sweep.Tended, v.Late)
	}
	if _, err := d.Preview(t.Context(), handler, "own:logs"); !errors.Is(err, ErrNotNow) {
		t.Error(err)
	}
	g.fails = source.ErrLater
	d.sweeps(4 * day)
	if v = d.show("own:logs"); v.Late == nil || v.Late.Why != Unseen {
		t.Errorf("%+v", v.Late)
	}
	if got := d.told("own:logs"); got != "watched previewed previewed confirmed previewed" {
		t.Errorf("the audit says %q", got)
	}
}
