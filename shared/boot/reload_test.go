package boot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/policies"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/topology"
)

// publisher publishes as an operator elsewhere would: in another sandbox.
func (c *cloud) publisher(t *testing.T) func(note string) *policy.Policy {
	t.Helper()
	book := &edition.Book{Table: dynamo.New(c.direct, c.tables, time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	return func(note string) *policy.Policy {
		t.Helper()
		file := append([]byte("# "+note+"\n"), own(t)...)
		who := operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
		if _, err := book.Publish(t.Context(), who, edition.Call{File: file}); err != nil {
			t.Fatal(err)
		}
		p, err := policy.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// A sandbox that lives for hours goes by the policy in force within a minute, at one
// unit a minute, and no event is dropped for it.
func TestAnotherPolicyComesIntoForceInASandboxThatLives(t *testing.T) {
	c := openCloud(t)
	for name, value := range c.environment(topology.Notice) {
		t.Setenv(name, value)
	}
	publish := c.publisher(t)
	var waits atomic.Bool
	begun, goOn := make(chan bool), make(chan bool)
	var unbuildable atomic.Bool
	answers := boot.Part{Name: "answers", Grants: func(topology.Function) bool { return true }, Fill: func(_ context.Context, a *boot.Assembly) error {
		if unbuildable.Load() {
			return errors.New("a secret is missing")
		}
		a.HTTP = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			if waits.Load() {
				begun <- true
				<-goOn
			}
			return events.APIGatewayV2HTTPResponse{Body: fmt.Sprint(a.Policy.Version, " ", a.Shut)}, nil
		}
		return nil
	}}
	var log bytes.Buffer
	s, err := boot.Assemble(t.Context(), topology.Notice, slog.New(slog.NewJSONHandler(&log, nil)), []boot.Part{policies.Part, answers})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	s.SetNow(func() time.Time { return at })
	ask := func() string {
		t.Helper()
		out, err := s.Invoke(t.Context(), recorded(t, "notice/policy.json", ""))
		if err != nil {
			t.Fatal(err)
		}
		return out.(events.APIGatewayV2HTTPResponse).Body
	}
	says := func(when, want string) {
		t.Helper()
		if got := ask(); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	reads := func() int { return c.called("notice", "dynamodb:GetItem StateTable") }

	says("before anything was published", " "+edition.ErrNotOpen.Error())
	first := publish("one")
	n := reads()
	says("within the minute", " "+edition.ErrNotOpen.Error())
	if reads() != n {
		t.Errorf("the policy is looked at with every event")
	}
	at = at.Add(time.Minute)
	says("a minute later", first.Version+" <nil>")
	n = reads()
	for range 5 {
		says("and after", first.Version+" <nil>")
	}
	at = at.Add(time.Minute)
	says("nothing new", first.Version+" <nil>")
	if got := reads() - n; got != 1 {
		t.Errorf("a minute in which nothing changed takes %d reads, want 1", got)
	}

	// Somebody is served while another policy comes into force: they end as they began.
	waits.Store(true)
	slow := make(chan string)
	go func() { slow <- ask() }()
	<-begun
	waits.Store(false)
	second := publish("two")
	at = at.Add(time.Minute)
	says("meanwhile", second.Version+" <nil>")
	goOn <- true
	if got := <-slow; got != first.Version+" <nil>" {
		t.Errorf("what had begun under %s ended under %s", first.Version, got)
	}

	// What cannot be served yet leaves what works at work, and the log rings.
	unbuildable.Store(true)
	third := publish("three")
	at = at.Add(time.Minute)
	says("a policy that cannot be served", second.Version+" <nil>")
	if !strings.Contains(log.String(), `"level":"ERROR"`) || !strings.Contains(log.String(), "a secret is missing") {
		t.Errorf("nobody is told: %s", &log)
	}
	unbuildable.Store(false)
	at = at.Add(time.Minute)
	says("once it can be", third.Version+" <nil>")

	c.refuseTables(true)
	at = at.Add(time.Minute)
	says("while nothing can be looked at", third.Version+" <nil>")
	c.refuseTables(false)

	// What this process publishes itself counts at once.
	c.bucketed(t, "# in the bucket\n"+string(own(t)))
	if _, err := s.Invoke(t.Context(), json.RawMessage(`{"job":"editions"}`)); err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse([]byte("# in the bucket\n" + string(own(t))))
	if err != nil {
		t.Fatal(err)
	}
	says("published here", p.Version+" <nil>")
}

func own(t *testing.T) []byte {
	t.Helper()
	file, _ := policy.Profile(profile)
	file, err := policy.Fill(file, policy.ParticularsOf("Example Cloud Ltd", contact, ""))
	if err != nil {
		t.Fatal(err)
	}
	return file
}
