package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// A dashboard is 24 columns wide.
const (
	columns      = 24
	widgetHeight = 6
)

// board is a dashboard that is written from top to bottom, one row at a time.
type board struct {
	region  *string
	widgets []any
	y       int
}

// row adds widgets beside each other, as wide as each other.
func (b *board) row(height int, widgets ...map[string]any) {
	width := columns / len(widgets)
	for i, w := range widgets {
		w["x"], w["y"], w["width"], w["height"] = i*width, b.y, width, height
		b.widgets = append(b.widgets, w)
	}
	b.y += height
}

// graph is a widget with the sums of metrics, unless options say otherwise.
func (b *board) graph(title string, metrics ...any) map[string]any {
	return map[string]any{"type": "metric", "properties": map[string]any{
		"title": title, "view": "timeSeries", "stat": "Sum", "period": int(failingPeriod.Seconds()), "region": b.region, "metrics": metrics,
	}}
}

// query is a widget with a table that is read out of logs. It costs for what it
// reads each time that somebody looks, which for a small installation is nothing.
func (b *board) query(title, words string, groups ...*string) map[string]any {
	var sources strings.Builder
	for _, name := range groups {
		sources.WriteString("SOURCE '" + *name + "' | ")
	}
	return map[string]any{"type": "log", "properties": map[string]any{
		"title": title, "view": "table", "region": b.region, "query": sources.String() + words,
	}}
}

// line is a metric in a graph: namespace, name, dimensions by name and value, options.
func line(label string, metric []any, options map[string]any) []any {
	rendered := map[string]any{"label": label}
	for k, v := range options {
		rendered[k] = v
	}
	return append(metric, rendered)
}

// addDashboard adds one dashboard with whatever is worth a look: the service gives
// three with fifty metrics each for nothing, and this one keeps within them.
func (s *system) addDashboard() {
	b := &board{region: s.stack.Region()}
	b.row(1, map[string]any{"type": "text", "properties": map[string]any{
		"markdown": awscdk.Fn_Join(jsii.String(""), &[]*string{
			jsii.String("# Rightsdesk: "), awscdk.Aws_STACK_NAME(), jsii.String(" — each alarm has a page in docs/runbooks"),
		}),
	}})
	b.row(4, map[string]any{"type": "alarm", "properties": map[string]any{"title": "Alarms", "alarms": s.rings}})

	ours := func(name string) []any { return []any{"AWS/ApiGateway", name, "ApiId", s.api.Ref()} }
	b.row(widgetHeight,
		b.graph("Calls", line("calls", ours("Count"), nil), line("refused", ours("4xx"), nil), line("broken", ours("5xx"), nil)),
		b.graph("How long people wait (ms)",
			line("half", ours("Latency"), map[string]any{"stat": "p50"}), line("99 of 100", ours("Latency"), map[string]any{"stat": "p99"})),
		b.query("Calls by route", "stats count(*) as calls, pct(ms, 99) as p99 by route, status | sort calls desc | limit 50", s.accessLog.LogGroupName()),
	)

	var works, fails, runs []any
	logs := []*string{}
	for _, u := range s.units {
		live := []any{"FunctionName", u.lambda.FunctionName(), "Resource", resourceOf(u, u.live)}
		works = append(works, line(u.Name, append([]any{"AWS/Lambda", "Invocations"}, live...), nil))
		fails = append(fails, line(u.Name, append([]any{"AWS/Lambda", "Errors"}, live...), nil))
		logs = append(logs, u.logs.LogGroupName())
		for _, sched := range u.Schedules {
			runs = append(runs, line(u.Name+": "+sched.Job, []any{
				"AWS/Lambda", "Errors", "FunctionName", u.lambda.FunctionName(), "Resource", resourceOf(u, u.runs[sched.Job]),
			}, nil))
		}
	}
	b.row(widgetHeight, b.graph("What functions did", works...), b.graph("What crashed", fails...), b.graph("Runs of schedules that failed", runs...))

	var waiting, oldest []any
	add := func(to *[]any, name, label string, queue awssqs.Queue) {
		*to = append(*to, line(label, []any{"AWS/SQS", name, "QueueName", queue.QueueName()}, map[string]any{"stat": "Maximum"}))
	}
	for _, u := range s.units {
		if u.Queue != nil {
			add(&oldest, "ApproximateAgeOfOldestMessage", u.Queue.Name, s.queues[u.Queue.Name])
			add(&waiting, "ApproximateNumberOfMessagesVisible", "parked: "+u.Queue.Name, s.parked[u.Queue.Name])
		}
		if u.Feed != nil {
			add(&oldest, "ApproximateAgeOfOldestMessage", u.Name, s.feeds[u.Name])
			add(&waiting, "ApproximateNumberOfMessagesVisible", "parked: "+u.Name, s.parked[u.Name])
		}
	}
	add(&waiting, "ApproximateNumberOfMessagesVisible", "lost", s.lost)
	for _, u := range s.units {
		if u.Stream {
			oldest = append(oldest, line("streams (ms)", []any{"AWS/Lambda", "IteratorAge", "FunctionName", u.lambda.FunctionName()},
				map[string]any{"stat": "Maximum", "yAxis": "right"}))
		}
	}
	b.row(widgetHeight, b.graph("Parked and lost", waiting...), b.graph("How long work waits (s)", oldest...),
		b.query("What runs of schedules met", `filter msg = "a job ran" | stats sum(seen) as due, sum(failed) as stays_due, latest(@timestamp) as last by job | sort job`, logs...))

	var units []any
	for _, t := range []struct {
		name  string
		table awsdynamodb.Table
	}{{"State", s.state}, {"Audit", s.audit}, {"Keys", s.keys}} {
		units = append(units,
			line(t.name+" reads", []any{"AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", t.table.TableName()}, nil),
			line(t.name+" writes", []any{"AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", t.table.TableName()}, nil))
	}
	b.row(widgetHeight, b.graph("Units of the tables", units...),
		b.graph("Mail that came back (share of all that this account sends)",
			line("bounces", []any{"AWS/SES", "Reputation.BounceRate"}, map[string]any{"stat": "Maximum"}),
			line("complaints", []any{"AWS/SES", "Reputation.ComplaintRate"}, map[string]any{"stat": "Maximum"})))

	made := awscloudwatch.NewCfnDashboard(s.stack, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardBody: s.stack.ToJsonString(map[string]any{"widgets": b.widgets}, nil),
	})
	s.output("DashboardName", made.Ref(), "What there is to look at")
}
