package document

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"rightsdesk/infra/release/formation"
	"rightsdesk/shared/topology"
)

// Width and Height of the diagram, in points; marketplaces want exactly these.
const (
	Width  = 1100
	Height = 700
)

// drawing is an SVG that is made box by box.
type drawing struct {
	strings.Builder
	tight []string // words that do not fit into their box
}

const (
	ink      = "#1b2430"
	paper    = "#ffffff"
	faint    = "#5b6777"
	ours     = "#e8f1fb"
	store    = "#e9f5ec"
	outside  = "#f6f1e7"
	service  = "#f1ecf8"
	oursLine = "#2f6db3"
	dataLine = "#3c8a55"
	outLine  = "#a5803a"
	svcLine  = "#7353a6"
)

type box struct{ x, y, w, h int }

func (b box) left() (x, y int)  { return b.x, b.y + b.h/2 }
func (b box) right() (x, y int) { return b.x + b.w, b.y + b.h/2 }

func (d *drawing) say(format string, args ...any) { fmt.Fprintf(&d.Builder, format+"\n", args...) }

func (d *drawing) text(x, y, size int, weight, colour, anchor, words string) {
	d.say(`<text x="%d" y="%d" font-size="%d" font-weight="%s" fill="%s" text-anchor="%s">%s</text>`, x, y, size, weight, colour, anchor, html.EscapeString(words))
}

// box draws a box with a title and lines below it.
func (d *drawing) box(b box, fill, line string, dashed bool, title string, lines ...string) {
	dash := ""
	if dashed {
		dash = ` stroke-dasharray="5 3"`
	}
	d.say(`<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="%s" stroke-width="1.4"%s/>`, b.x, b.y, b.w, b.h, fill, line, dash)
	d.text(b.x+8, b.y+16, 12, "bold", ink, "start", title)
	// Letters have no width before somebody draws them; these are those of the widest usual face.
	if 8*len(title) > b.w-10 || 18+12*len(lines) > b.h {
		d.tight = append(d.tight, title)
	}
	for i, l := range lines {
		if 59*len(l) > 10*(b.w-10) {
			d.tight = append(d.tight, l)
		}
		d.text(b.x+8, b.y+30+i*12, 10, "normal", faint, "start", l)
	}
}

// arrow draws a line with a head from one point to another, by way of right angles.
func (d *drawing) arrow(line string, points ...int) {
	var path strings.Builder
	for i := 0; i+1 < len(points); i += 2 {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&path, "%s%d %d ", verb, points[i], points[i+1])
	}
	d.say(`<path d="%s" fill="none" stroke="%s" stroke-width="1.5" marker-end="url(#head%s)"/>`, strings.TrimSpace(path.String()), line, line[1:])
}

// tableMark says in a letter what a function may do to a table.
func tableMark(a topology.Access) string {
	return map[topology.Access]string{topology.None: "-", topology.Read: "read", topology.Append: "append", topology.Update: "change", topology.ReadWrite: "write"}[a]
}

// does says in a line or two what starts a function.
func does(f topology.Function) []string {
	var parts []string
	if n := len(f.Routes); n > 0 {
		parts = append(parts, fmt.Sprintf("%d routes", n))
	}
	for _, s := range f.Schedules {
		parts = append(parts, fmt.Sprintf("%s: %d min", s.Job, int(s.Every.Minutes())))
	}
	if f.Queue != nil {
		parts = append(parts, "queue "+f.Queue.Name)
	}
	if f.Stream {
		parts = append(parts, "streams")
	}
	if f.Feed != nil {
		parts = append(parts, "events of "+f.Feed.Source)
	}
	if whole := strings.Join(parts, ", "); len(whole) <= 42 {
		return []string{whole}
	}
	last := len(parts) - 1
	return []string{strings.Join(parts[:last], ", ") + ",", parts[last]}
}

func diagram(s Sources) ([]byte, error) {
	t := s.Template
	d := &drawing{}
	d.say(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="DejaVu Sans, Arial, sans-serif" role="img" aria-label="Architecture of Rightsdesk">`, Width, Height, Width, Height)
	d.say(`<defs>`)
	for _, line := range []string{oursLine, dataLine, outLine, svcLine} {
		d.say(`<marker id="head%s" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="%s"/></marker>`, line[1:], line)
	}
	d.say(`</defs>`)
	d.say(`<rect width="%d" height="%d" fill="%s"/>`, Width, Height, paper)
	d.text(20, 26, 17, "bold", ink, "start", "Rightsdesk: one installation in your own AWS account")
	d.text(Width-20, 26, 11, "normal", faint, "end", "dashed: only if you choose it")

	account := box{180, 40, 745, 646}
	d.say(`<rect x="%d" y="%d" width="%d" height="%d" rx="10" fill="none" stroke="%s" stroke-width="1.6"/>`, account.x, account.y, account.w, account.h, ink)
	d.text(account.x+10, account.y+16, 11, "bold", ink, "start", "Your AWS account, one region. No servers, no VPC, nothing of anybody else's")

	// Who calls, on the left.
	people := box{16, 92, 136, 62}
	d.box(people, outside, outLine, false, "People", "pages, mailed links,", "browsers: HTTPS")
	apps := box{16, 186, 136, 62}
	d.box(apps, outside, outLine, false, "Apps, websites", "calls signed with a", "service key: HTTPS")
	operators := box{16, 280, 136, 62}
	d.box(operators, outside, outLine, false, "Operators", "tokens with a second", "factor: HTTPS")

	// The door.
	routes := len(t.All("AWS::ApiGatewayV2::Route"))
	door := box{196, 92, 118, 250}
	d.box(door, service, svcLine, false, "API Gateway", "HTTP API, TLS", fmt.Sprintf("%d routes", routes), "throttled each", "no default route", "access log without", "paths or addresses", "", "operators' routes:", "tokens are checked", "by the service")
	for _, b := range []box{people, apps, operators} {
		_, y := b.right()
		d.arrow(outLine, b.x+b.w, y, door.x, y)
	}
	edge := len(t.All("AWS::CloudFront::Distribution")) > 0
	if edge {
		d.box(box{196, 352, 118, 48}, service, svcLine, true, "Edge", "CloudFront, WAF", "before the API")
	}
	pools := len(t.All("AWS::Cognito::UserPool")) > 0
	if pools {
		d.box(box{196, 408, 118, 48}, service, svcLine, true, "User pool", "of operators,", "if you have none")
	}
	clock := box{196, 464, 118, 48}
	schedules := len(t.All("AWS::Scheduler::Schedule"))
	d.box(clock, service, svcLine, false, "Scheduler", fmt.Sprintf("%d schedules, each", schedules), "with an alarm")
	watch := box{196, 520, 118, 60}
	d.box(watch, service, svcLine, false, "CloudWatch", fmt.Sprintf("%d alarms, logs", len(t.All("AWS::CloudWatch::Alarm"))), "without personal", "data; SNS topic")
	parked := 0
	for _, id := range t.All("AWS::SQS::Queue") {
		if strings.HasSuffix(formation.Plain(id), "DeadLetters") || formation.Plain(id) == "Lost" {
			parked++
		}
	}
	d.box(box{196, 588, 118, 48}, service, svcLine, false, "SQS", fmt.Sprintf("%d dead-letter", parked), "queues")

	// What works.
	d.text(346, 78, 12, "bold", ink, "start", "Lambda: arm64, a role of its own each")
	height, gap, top := 57, 10, 86
	boxes := map[string]box{}
	for i, f := range topology.All {
		b := box{346, top + i*(height+gap), 262, height}
		boxes[f.Name] = b
		lines := append(does(f), fmt.Sprintf("State %s, Audit %s, Keys %s", tableMark(f.Tables.State), tableMark(f.Tables.Audit), tableMark(f.Tables.Keys)))
		d.box(b, ours, oursLine, false, f.Name, lines...)
		x, y := b.left()
		if len(f.Routes) > 0 {
			from := max(door.y+12, min(door.y+door.h-12, y))
			d.arrow(svcLine, door.x+door.w, from, x-16, from, x-16, y, x, y)
		}
		if len(f.Schedules) > 0 {
			// One line up and down from the clock serves all that it starts.
			cx, cy := clock.right()
			d.arrow(svcLine, cx, cy, x-9, cy, x-9, y+12, x, y+12)
		}
	}

	// What is kept.
	d.text(668, 78, 12, "bold", ink, "start", "Kept, encrypted, recoverable")
	state := box{668, 86, 240, 62}
	d.box(state, store, dataLine, false, "DynamoDB: State", "requests, choices, closures, holds;", "personal fields sealed; recovery 35 d")
	audit := box{668, 156, 240, 62}
	d.box(audit, store, dataLine, false, "DynamoDB: Audit", "append-only for all, hash chains,", "nothing personal; recovery 35 days")
	keys := box{668, 226, 240, 62}
	d.box(keys, store, dataLine, false, "DynamoDB: Keys", "a salt for each person; without it,", "what it sealed is dark; recovery 1 day")
	master := box{668, 296, 240, 48}
	d.box(master, store, dataLine, false, "KMS: master key", "wraps the key ring, rotates each year")
	buckets := box{668, 352, 240, 74}
	d.box(buckets, store, dataLine, false, "S3: three buckets", "packages: gone after their period", "policies: in versions", "checkpoints: write-once (Object Lock)")
	steps := box{668, 434, 240, 48}
	d.box(steps, store, dataLine, false, "SQS: "+topology.Steps, "steps of plans; sweeps find the lost")

	// One line for what nearly all functions touch.
	d.say(`<path d="M630 %d L630 %d" stroke="%s" stroke-width="1.5"/>`, top+16, top+8*(height+gap)+height-16, dataLine)
	for _, f := range topology.All {
		_, y := boxes[f.Name].right()
		d.say(`<path d="M608 %d L630 %d" stroke="%s" stroke-width="1.5"/>`, y, y, dataLine)
	}
	for _, b := range []box{state, audit, keys, master, buckets, steps} {
		_, y := b.left()
		d.arrow(dataLine, 630, y, b.x, y)
	}

	// Where it goes out.
	bus := box{668, 498, 240, 48}
	d.box(bus, service, svcLine, false, "EventBridge: an own bus", "what happened, nothing personal")
	mail := box{668, 554, 240, 48}
	d.box(mail, service, svcLine, false, "SES: mail to people", "bounces come back by another bus")
	roles := box{668, 610, 240, 62}
	d.box(roles, service, svcLine, false, "STS, Secrets Manager", "only roles that you named; secrets", "below the stack's name")
	systems := box{942, 498, 142, 48}
	d.box(systems, outside, outLine, false, "Your systems", "listen to the bus")
	inbox := box{942, 554, 142, 48}
	d.box(inbox, outside, outLine, false, "Mailboxes", "links, letters")
	data := box{942, 610, 142, 62}
	d.box(data, outside, outLine, false, "Your data stores", "in any account,", "your hooks")
	for _, pair := range [][2]box{{bus, systems}, {mail, inbox}, {roles, data}} {
		x, y := pair[0].right()
		to, _ := pair[1].left()
		d.arrow(outLine, x, y, to, y)
	}
	lane := 642
	for _, out := range []struct {
		to    box
		which func(topology.Function) bool
	}{
		{bus, func(f topology.Function) bool { return f.Publishes }},
		{mail, func(f topology.Function) bool { return f.SendsMail }},
		{roles, func(f topology.Function) bool { return f.Sources }},
	} {
		_, y := out.to.left()
		for _, f := range topology.All {
			if out.which(f) {
				_, from := boxes[f.Name].right()
				d.arrow(svcLine, 608, from+14, lane, from+14, lane, y, out.to.x, y)
			}
		}
		lane += 7
	}
	for _, want := range []string{"AWS::ApiGatewayV2::Api", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Events::EventBus", "AWS::SES::ConfigurationSet"} {
		if !slices.Contains(t.Types(), want) {
			return nil, fmt.Errorf("document: the diagram shows %s, and the template has none", want)
		}
	}
	if n := len(topology.All); top+(n-1)*(height+gap)+height > account.y+account.h {
		return nil, fmt.Errorf("document: %d functions do not fit into the diagram: make the boxes smaller", n)
	}
	if len(d.tight) > 0 {
		return nil, fmt.Errorf("document: in the diagram these words are too long: %s", strings.Join(d.tight, "; "))
	}
	d.say(`</svg>`)
	return []byte(d.String()), nil
}
