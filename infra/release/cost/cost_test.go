package cost_test

import (
	"fmt"
	"strings"
	"testing"

	"rightsdesk/infra/release/cost"
	"rightsdesk/infra/release/formation"
)

const (
	root   = "../../.."
	golden = root + "/infra/stack/testdata/template.golden.json"
)

// installed is an installation with nothing said but what must be, as most are.
func installed(t *testing.T) *formation.Given {
	t.Helper()
	tpl, err := formation.Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	g, err := tpl.Give(nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func bill(t *testing.T, requests float64) *cost.Bill {
	t.Helper()
	u, err := cost.Journey(root)
	if err != nil {
		t.Fatal(err)
	}
	b, err := cost.MonthOf(installed(t), u, requests)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A small installation is cheap, with every alarm that is on by default, after what AWS gives
// every account for nothing and without an end. At list prices the bound is one that we
// set ourselves, so that nothing grows unseen.
func TestAThousandRequestsCostFiveDollarsAtMost(t *testing.T) {
	t.Parallel()
	b := bill(t, 1e3)
	list, net := b.Total()
	fmt.Printf("PROOF bar 6: a month with 1000 requests costs $%.2f, at list prices $%.2f\n", net, list)
	idle, idleNet := bill(t, 0).Total()
	fmt.Printf("PROOF bar 6: an idle month costs $%.2f, at list prices $%.2f\n", idleNet, idle)
	if net > 5 {
		t.Errorf("a month with 1000 requests costs $%.2f, over $5: look for what to drop", net)
	}
	if list > 10 {
		t.Errorf("a month with 1000 requests costs $%.2f at list prices, over $10: look for what to drop", list)
	}
	watching := 0.0
	for _, id := range []string{"cloudwatch.alarm", "cloudwatch.metric", "cloudwatch.dashboard"} {
		l, _ := b.Of(id)
		watching += l
	}
	fmt.Printf("PROOF bar 6: of that, watching costs $%.2f at list prices\n", watching)
}

// What is missing from the model would make everything look cheap.
func TestABillHasEverything(t *testing.T) {
	t.Parallel()
	b := bill(t, 1e6)
	for _, id := range []string{
		"kms.key", "cloudwatch.alarm", "logs.in", "sqs.call", "scheduler.run", "events.event", "lambda.run", "lambda.time", "dynamodb.write",
		"dynamodb.read", "dynamodb.kept", "dynamodb.recovery", "api.call", "ses.mail", "s3.write",
	} {
		if b.Quantity(id) <= 0 {
			t.Errorf("a month with a million requests takes no %s", id)
		}
	}
	// Five pollers at three queues, each asks three times a minute: it is not for nothing that nobody calls.
	if n := bill(t, 0).Quantity("sqs.call"); n < 1.9e6 || n > 2.1e6 {
		t.Errorf("an idle month asks its queues %.0f times", n)
	}
	if n := bill(t, 0).Quantity("scheduler.run"); n < 60e3 || n > 80e3 {
		t.Errorf("an idle month has %.0f scheduled runs", n)
	}
}

// Ten times the requests cost ten times what requests cost, and an installation of its own
// nothing more.
func TestCostsGrowWithRequests(t *testing.T) {
	t.Parallel()
	idle, _ := bill(t, 0).Total()
	one, _ := bill(t, 1e6).Total()
	ten, _ := bill(t, 1e7).Total()
	if grown := (ten - idle) / (one - idle); grown < 9.99 || grown > 10.01 {
		t.Errorf("ten times the requests cost %.2f times as much", grown)
	}
}

// A type that nobody has given a price is not free.
func TestAnUnknownTypeIsRefused(t *testing.T) {
	t.Parallel()
	g := installed(t)
	g.Resources["Cache"] = formation.Resource{Type: "AWS::ElastiCache::ServerlessCache"}
	if _, err := cost.MonthOf(g, cost.Units{}, 0); err == nil || !strings.Contains(err.Error(), "ElastiCache") {
		t.Errorf("it says %v", err)
	}
}

func TestAlarmsArePaidByTheMetric(t *testing.T) {
	t.Parallel()
	before := bill(t, 0).Quantity("cloudwatch.alarm")
	g := installed(t)
	stat := map[string]any{"MetricStat": map[string]any{}}
	g.Resources["Two"] = formation.Resource{Type: "AWS::CloudWatch::Alarm", Properties: map[string]any{"Metrics": []any{stat, stat, map[string]any{"Expression": "a+b"}}}}
	g.Resources["Never"] = formation.Resource{Type: "AWS::CloudWatch::Alarm", Condition: "Never"}
	b, err := cost.MonthOf(g, cost.Units{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := b.Quantity("cloudwatch.alarm"); n != before+2 {
		t.Errorf("two metrics more are %.0f instead of %.0f", n, before+2)
	}
}

// Units come from the test that measures them, by the names that it uses.
func TestUnitsAreThoseThatAreMeasured(t *testing.T) {
	t.Parallel()
	u, err := cost.Journey(root)
	if err != nil {
		t.Fatal(err)
	}
	if u.Write < 40 || u.Write > 70 || u.Read < 8 || u.Read > 30 {
		t.Errorf("a request is said to take %g writes and %g reads", u.Write, u.Read)
	}
	if _, err := cost.Journey(t.TempDir()); err == nil {
		t.Error("units came from nowhere")
	}
}

func TestEveryPriceHasASource(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range cost.Prices {
		if seen[p.ID] || p.USD <= 0 || p.Source.Name == "" || p.Source.Read == "" {
			t.Errorf("%s: twice, for nothing, or from nowhere", p.ID)
		}
		seen[p.ID] = true
	}
}
