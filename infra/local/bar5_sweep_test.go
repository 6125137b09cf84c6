package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// sweeping is what operators are shown of a retention rule.
type sweepingRule struct {
	Version, Status string
	Previewing      bool
	Preview         *struct{ Total, Due, Held int }
	Run             *struct{ Done, Pages int }
	Last            *struct {
		Done, Kept, Held int
		Until            time.Time
		Verified         bool
	} `json:"last_run"`
	Brake *struct{ Taken, Limit int }
	Late  *struct{ Why string }
	Fault string
}

// TestBar5_ASweepKilledTwentyTimesDoesEverythingOnce runs the real program, kills it
// twenty times while a retention rule is swept (SIGKILL: it can save nothing), and
// starts it again. In the end every record that was due went, once, by one call, no
// other did, and the run has counted each of them once. On the way the brake stops the
// rule at its share, and an operator lets it go on.
func TestBar5_ASweepKilledTwentyTimesDoesEverythingOnce(t *testing.T) {
	t.Parallel()
	const rule, old = "/v1/operator/retention/visits", 30_000
	kills := 20
	if full() {
		kills = 60
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "local")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := &crash{t: t, most: 10, binary: binary, data: filepath.Join(dir, "data"), temp: t.TempDir(), slow: "60ms", random: rand.New(rand.NewPCG(5, 7)), ids: map[string]*ask{}}
	if err := os.MkdirAll(c.data, 0o700); err != nil {
		t.Fatal(err)
	}
	// The hook's address is part of a rule's version: another port would be another rule.
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.listen = free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	firm := c.open(false)
	people, err := firm.People(c.most)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for from := 0; from < old; from += 1000 {
		var lines []company.Line
		for i := from; i < from+1000; i++ {
			lines = append(lines, company.Line{
				Account: people[i%len(people)].Account, Category: company.AccessLog, ID: fmt.Sprintf("old-%d", i),
				At: now.AddDate(0, 0, -100).Add(-time.Duration(i) * time.Minute).Truncate(time.Millisecond), Fields: []byte(`{"ip":"192.0.2.1","path":"/","user_agent":"Mozilla"}`),
			})
		}
		if err := firm.Add(company.Shop, lines...); err != nil {
			t.Fatal(err)
		}
	}
	if err := firm.Close(); err != nil {
		t.Fatal(err)
	}
	look := func() (v sweepingRule) {
		t.Helper()
		c.w.must(http.StatusOK, "GET", rule, nil, c.w.operator()).into(t, &v)
		return v
	}
	until := func(what string, ok func(sweepingRule) bool) sweepingRule {
		t.Helper()
		v := look()
		for range 40 {
			if ok(v) {
				return v
			}
			c.w.pass(16 * time.Minute)
			v = look()
		}
		t.Fatalf("%s: %+v\n%s", what, v, c.w.log)
		return v
	}
	c.start()
	v := until("no preview is made", func(v sweepingRule) bool { return v.Status == "previewed" })
	if v.Preview.Due < old {
		t.Fatalf("%+v", v.Preview)
	}
	c.w.must(http.StatusOK, "POST", rule+"/activate", map[string]any{"version": v.Version}, c.w.operator())
	v = until("the brake holds nothing", func(v sweepingRule) bool { return v.Status == "braked" && !v.Previewing })
	if v.Brake.Taken != v.Brake.Limit || v.Run.Done != v.Brake.Limit || v.Run.Done >= old/10 {
		t.Errorf("the brake let %d of %d go: %+v", v.Run.Done, old, v.Brake)
	}
	c.w.must(http.StatusOK, "POST", rule+"/confirm", map[string]any{"version": v.Version, "extra": v.Preview.Due}, c.w.operator())

	struck := 0
	for tries := 0; struck < kills && look().Run != nil; tries++ {
		if tries > 10*kills {
			t.Fatalf("of %d kills only %d struck a sweep", kills, struck)
		}
		if c.strike() {
			struck++
		}
		c.start()
	}
	if struck < 20 {
		t.Fatalf("the sweep was over after %d kills: %+v", struck, look())
	}
	v = until("the sweep does not end", func(v sweepingRule) bool { return v.Last != nil })
	var chains struct {
		Chains, Entries int
		Broken          []any
	}
	c.w.must(http.StatusOK, "GET", "/v1/operator/audit/verify", nil, c.w.operator()).into(t, &chains)
	if len(chains.Broken) > 0 || chains.Chains == 0 {
		t.Errorf("the audit chains after the crashes: %+v", chains)
	}
	c.stop(syscall.SIGTERM)

	firm = c.open(true)
	defer func() { _ = firm.Close() }()
	effects := 0
	if err := firm.Effects(func(e company.Effect) {
		if e.Store != company.Shop || e.Category != company.AccessLog {
			return
		}
		if effects++; e.Count != 1 {
			t.Errorf("%s was changed %d times", e.ID, e.Count)
		}
	}); err != nil {
		t.Fatal(err)
	}
	left := 0
	if err := firm.Records(company.Shop, func(l company.Line) {
		if l.Category == company.AccessLog && !l.At.After(v.Last.Until) {
			left++
		}
	}); err != nil {
		t.Fatal(err)
	}
	if left > 0 || effects != v.Last.Done || effects < old || !v.Last.Verified {
		t.Errorf("%d records went, %d were counted, %d that were due are left: %+v", effects, v.Last.Done, left, v.Last)
	}
	proof(t, "bar 5", "%d SIGKILLs within a sweep of %d records: each went once and was counted once, none that was due is left; %d audit entries unbroken",
		struck, effects, chains.Entries)
}
