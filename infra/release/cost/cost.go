// Package cost works out what an installation costs in a month: from the resources of
// its template, from the units that our tests measure, and from one table of prices.
//
// It knows the topology and templates, nothing of AWS's own; it does no I/O but for
// the test whose budgets it reads.
package cost

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rightsdesk/infra/release/formation"
)

// Month is how many minutes a month has, on average of a year.
const Month = 365.25 / 12 * 24 * 60

// Figure is something that no template says: what we measured, and what we assume of
// those who use the installation.
type Figure struct {
	Name  string
	Value float64
	Why   string
}

// What is measured or assumed. A request is one with a mail to confirm, a task of a
// team and an erasure in the ledger.
var (
	httpCalls   = Figure{"HTTP calls for a request", 12, "assumed: the person's four pages and their posts, a look at the state, four calls of an operator"}
	mails       = Figure{"mails for a request", 4, "three letters, and one of four gets a reminder, a question or an extension"}
	entries     = Figure{"audit entries of a request", 6, "measured: five of the request, one of the ledger"}
	streamRuns  = Figure{"runs of the relay for a request", 12, "assumed: each change of the item and each entry wakes it alone; under load a run takes up to 100"}
	stateBytes  = Figure{"bytes of a request in State, its index entries included", 1800, "measured: 994 of the item, 317 of the ledger's; the service adds 100 each, and its places in the indexes"}
	auditBytes  = Figure{"bytes of a request's audit entries", 2300, "measured: 1676 of six entries; the service adds 100 each"}
	keysBytes   = Figure{"bytes of a person in Keys", 300, "measured: 183; the service adds 100"}
	stateMonths = Figure{"months that a closed request stays", 24, "`retention.requests` of the profiles"}
	auditMonths = Figure{"months that an entry stays", 72, "`retention.audit` of the profiles"}
	exportBytes = Figure{"bytes of a package", 50e3, "assumed; it goes after 30 days"}
	runSeconds  = Figure{"seconds of a scheduled run", 0.15, "assumed: it finds nothing; one in four starts a cold function, whose start is billed"}
	callSeconds = Figure{"seconds of a run for a call, a stream or a message", 0.06, "assumed: some round trips of 5 to 10 ms to DynamoDB"}
	sweepReads  = Figure{"read units of a scheduled run that finds nothing", 9, "16 shards of the due-index at half a unit each, and what says which policy is in force"}
	sealing     = Figure{"calls to S3, and write units, of a checkpoint", 8, "assumed: it lists what waits, writes a batch, the tree and itself, and notes it in State and Audit"}
	cold        = Figure{"cold starts of a hundred runs for calls", 1, "published by AWS: under one in a hundred"}
	coldRuns    = Figure{"cold starts of a hundred scheduled runs", 25, "assumed: a sandbox outlives some minutes of silence"}
	lineBytes   = Figure{"bytes that a run logs", 800, "measured lines of ours, and the three of the service"}
	accessBytes = Figure{"bytes of a line of the access log", 250, "from its format"}
	receives    = Figure{"calls a minute that Lambda makes to an empty queue", 15, "the service's guide: five pollers, each waits 20 seconds"}
	operators   = Figure{"operators", 3, "assumed"}
)

// Figures is all of them, in the order in which the page shows them.
var Figures = []*Figure{
	&httpCalls, &mails, &entries, &streamRuns, &stateBytes, &auditBytes, &keysBytes, &stateMonths, &auditMonths, &exportBytes,
	&callSeconds, &runSeconds, &sweepReads, &sealing, &cold, &coldRuns, &lineBytes, &accessBytes, &receives, &operators,
}

// Line is so many units of one price, and what for.
type Line struct {
	Price    Price
	Quantity float64
	For      string
}

// Bill is what a month costs.
type Bill struct {
	Requests float64
	Lines    []Line
}

func (b *Bill) add(id string, quantity float64, what string) {
	if quantity > 0 {
		b.Lines = append(b.Lines, Line{priceOf(id), quantity, what})
	}
}

// Quantity is how many units of a price the month takes.
func (b *Bill) Quantity(id string) float64 {
	sum := 0.0
	for _, l := range b.Lines {
		if l.Price.ID == id {
			sum += l.Quantity
		}
	}
	return sum
}

// Of is what a month costs of one price, at its list price and with what is free for ever.
func (b *Bill) Of(id string) (list, net float64) {
	p, q := priceOf(id), b.Quantity(id)
	return q * p.USD, max(0, q-p.Free) * p.USD
}

// Total is what the month costs, at list prices and with what is free for ever.
func (b *Bill) Total() (list, net float64) {
	for _, p := range Prices {
		l, n := b.Of(p.ID)
		list += l
		net += n
	}
	return list, net
}

// free are the types that cost nothing by themselves.
var free = []string{
	"AWS::ApiGatewayV2::", "AWS::DynamoDB::Table", "AWS::Events::", "AWS::IAM::", "AWS::Lambda::", "AWS::Logs::LogGroup", "AWS::S3::", "AWS::SES::",
	"AWS::SNS::", "AWS::SQS::", "AWS::Scheduler::ScheduleGroup", "AWS::Cognito::", "AWS::CloudFront::", "AWS::EventSchemas::", "AWS::SSM::Parameter",
	"AWS::KMS::Alias", "AWS::AppConfig::",
}

// MonthOf works out what an installation costs that gets so many requests a month.
func MonthOf(g *formation.Given, u Units, requests float64) (*Bill, error) {
	b := &Bill{Requests: requests}
	for _, kind := range g.Types() {
		ids := g.Made(kind)
		if len(ids) == 0 {
			continue
		}
		if err := b.standing(g, kind, ids); err != nil {
			return nil, err
		}
	}
	b.traffic(g, u, requests)
	return b, nil
}

// standing adds what the resources of a type cost though nobody calls.
func (b *Bill) standing(g *formation.Given, kind string, ids []string) error {
	n := float64(len(ids))
	switch kind {
	case "AWS::KMS::Key":
		b.add("kms.key", n, "wraps the key ring; each of its first two rotations adds as much again")
	case "AWS::CloudWatch::Dashboard":
		b.add("cloudwatch.dashboard", n, "dashboards")
	case "AWS::CloudWatch::Alarm":
		metrics := 0
		for _, id := range ids {
			metrics += watched(g.Resources[id])
		}
		b.add("cloudwatch.alarm", float64(metrics), fmt.Sprintf("%d alarms", len(ids)))
	case "AWS::Logs::MetricFilter":
		names := map[string]bool{}
		for _, id := range ids {
			for _, m := range formation.List(formation.At(g.Resources[id].Properties, "MetricTransformations")) {
				names[formation.Say(formation.At(m, "MetricName"))] = true
			}
		}
		b.add("cloudwatch.metric", float64(len(names)), "metrics made of log lines")
	case "AWS::SecretsManager::Secret":
		b.add("secrets.secret", n, "secrets that the stack makes")
	case "AWS::Cognito::UserPool":
		b.add("cognito.user", operators.Value*n, "operators who sign in")
	case "AWS::Scheduler::Schedule":
		for _, id := range ids {
			if err := b.scheduled(g, g.Resources[id]); err != nil {
				return fmt.Errorf("%s: %w", formation.Plain(id), err)
			}
		}
	case "AWS::Lambda::EventSourceMapping":
		for _, id := range ids {
			source := formation.Say(g.Resources[id].Properties["EventSourceArn"])
			if !strings.HasSuffix(source, "/stream") { // Lambda reads streams for nothing
				b.add("sqs.call", receives.Value*Month, "Lambda looks into "+source)
			}
		}
	default:
		if !slices.ContainsFunc(free, func(f string) bool { return strings.HasPrefix(kind, f) }) {
			return fmt.Errorf("cost: what does %s cost? Say it in cost.standing, or in cost.free", kind)
		}
	}
	return nil
}

// watched is how many metrics an alarm is billed for.
func watched(alarm formation.Resource) int {
	n := 0
	for _, m := range formation.List(alarm.Properties["Metrics"]) {
		if formation.At(m, "MetricStat") != nil {
			n++
		}
	}
	return max(1, n)
}

// scheduled adds the runs of a schedule, most of which find nothing to do.
func (b *Bill) scheduled(g *formation.Given, schedule formation.Resource) error {
	if schedule.Properties["State"] == "DISABLED" {
		return nil
	}
	minutes, err := every(formation.Text(schedule.Properties["ScheduleExpression"]))
	if err != nil {
		return err
	}
	runs := Month / minutes
	memory, err := memoryOf(g, schedule.Properties["Target"])
	if err != nil {
		return err
	}
	b.add("scheduler.run", runs, "runs of schedules")
	b.add("lambda.run", runs, "runs of schedules")
	b.add("lambda.time", runs*runSeconds.Value*memory/1024, "runs of schedules")
	b.add("dynamodb.read", runs*sweepReads.Value, "sweeps that find nothing")
	b.add("kms.call", runs*coldRuns.Value/100, "functions that start")
	b.logs(runs * lineBytes.Value)
	switch input := formation.Text(formation.At(schedule.Properties, "Target", "Input")); {
	case strings.Contains(input, `"checkpoint"`):
		b.add("s3.write", runs*sealing.Value, "checkpoints")
		b.add("dynamodb.write", runs*sealing.Value, "checkpoints")
	case strings.Contains(input, `"editions"`):
		b.add("s3.read", runs, "looks for a policy that somebody put there")
	}
	return nil
}

func (b *Bill) logs(bytes float64) {
	b.add("logs.in", bytes/1e9, "log lines")
	b.add("logs.kept", bytes/1e9, "log lines")
}

// every is the interval of a schedule in minutes.
func every(expression string) (float64, error) {
	words := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(expression, "rate("), ")"))
	if len(words) != 2 {
		return 0, fmt.Errorf("cost: %q is no rate: how often does it run?", expression)
	}
	n, err := strconv.ParseFloat(words[0], 64)
	if err != nil {
		return 0, fmt.Errorf("cost: %q: %w", expression, err)
	}
	for unit, minutes := range map[string]float64{"minute": 1, "hour": 60, "day": 24 * 60} {
		if strings.TrimSuffix(words[1], "s") == unit {
			return n * minutes, nil
		}
	}
	return 0, fmt.Errorf("cost: %q counts in a unit that is not known here", expression)
}

// memoryOf finds the memory of the function that v leads to, through its alias.
func memoryOf(g *formation.Given, v any) (float64, error) {
	for _, id := range formation.Refers(v) {
		switch r := g.Resources[id]; r.Type {
		case "AWS::Lambda::Function":
			memory, ok := r.Properties["MemorySize"].(float64)
			if !ok {
				return 0, fmt.Errorf("cost: %s does not say its memory", id)
			}
			return memory, nil
		case "AWS::Lambda::Alias":
			return memoryOf(g, r.Properties["FunctionName"])
		}
	}
	return 0, fmt.Errorf("cost: %s leads to no function", formation.Say(v))
}

// meanMemory is what the functions have on average: which of them a call meets is not
// worth a finer model.
func meanMemory(g *formation.Given) float64 {
	sum, n := 0.0, 0.0
	for _, id := range g.Made("AWS::Lambda::Function") {
		if m, ok := g.Resources[id].Properties["MemorySize"].(float64); ok {
			sum, n = sum+m, n+1
		}
	}
	return sum / max(1, n)
}

// traffic adds what so many requests a month cost, once those of all the years that are
// kept lie in the tables.
func (b *Bill) traffic(g *formation.Given, u Units, requests float64) {
	calls := requests * httpCalls.Value
	b.add("api.call", calls, "calls")
	if len(g.Made("AWS::CloudFront::Distribution")) > 0 {
		b.add("cloudfront.call", calls, "calls")
	}
	runs := calls + requests*(streamRuns.Value+1)
	b.add("lambda.run", runs, "calls, streams, messages")
	b.add("lambda.time", runs*callSeconds.Value*meanMemory(g)/1024, "calls, streams, messages")
	b.add("kms.call", runs*cold.Value/100, "functions that start")
	b.logs(runs*lineBytes.Value + calls*accessBytes.Value)
	b.add("dynamodb.write", requests*u.Write, "requests")
	b.add("dynamodb.read", requests*(u.Read+httpCalls.Value), "requests, and pages that show them")
	b.add("sqs.call", requests*3, "steps of plans")
	b.add("ses.mail", requests*mails.Value, "mails")
	b.add("events.event", requests*entries.Value, "events for the company's systems")
	b.add("s3.write", requests*(1+entries.Value), "packages and sealed entries")
	b.add("s3.read", requests*2, "packages")
	const gb = 1e9
	kept := stateBytes.Value*stateMonths.Value + auditBytes.Value*auditMonths.Value
	keys := keysBytes.Value * stateMonths.Value
	b.add("dynamodb.kept", requests*(kept+keys)/gb, "all that is kept, when the installation is six years old")
	b.add("dynamodb.recovery", requests*(kept+keys)/gb, "the same, recoverable")
	b.add("s3.kept", requests*exportBytes.Value/gb, "packages")
}
