// Package boot turns one entry of the topology into a running Lambda: it reads
// the settings that the entry implies, builds the adapters, joins routes with
// handlers and schedules with jobs, and serves. It is the only reader of the
// environment and the clock in production; infra/local is its counterpart on a
// laptop.
//
// What only some functions need stands in the folders below (routes, apps,
// mailing, hearing, packages, policies, stores, queueing, publishing) and is handed to Run by the function's main: a
// binary that never sends mail does not carry, or initialise, a mail service's
// client.
package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"
	_ "time/tzdata" // days are counted in the controller's zone, whatever the image has

	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/job"
	"rightsdesk/shared/seal/kms"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
)

// Part is something that only some functions have. It fills in fields of the
// service.
type Part struct {
	// Grants reports whether a topology entry is to have this part. A main that
	// names another set of parts than its entry grants does not start.
	Grants func(topology.Function) bool
	Name   string
	Fill   func(context.Context, *Assembly) error
}

// Assembly is a function being put together.
type Assembly struct {
	*desk.Desk

	Function topology.Function
	AWS      aws.Config
	// AppKeys returns the keys of an app of the policy; see httpapi.Env.
	AppKeys func(ctx context.Context, app string, fresh bool) ([][]byte, error)
	// Hear takes down an event of another service.
	Hear func(ctx context.Context, event []byte) error
	// Bus is what the company's own systems listen to.
	Bus  bulletin.Bus
	HTTP func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

	trials []trial // of the parts, see Try
}

// Setting returns a setting that the function's topology entry lists.
func (a *Assembly) Setting(s topology.Setting) string {
	if !slices.Contains(a.Function.Settings(), s) {
		panic(fmt.Sprintf("boot: %s reads %s, which its topology entry does not list", a.Function.Name, s))
	}
	return os.Getenv(string(s))
}

// Run serves a function until Lambda ends the process. A build or deployment
// that cannot work stops here, before anybody calls it.
func Run(fn topology.Function, parts ...Part) {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("function", fn.Name)
	ctx, cancel := context.WithTimeout(context.Background(), startFor)
	defer cancel()
	h, err := assemble(ctx, fn, log, parts)
	if err != nil {
		log.ErrorContext(ctx, "the function cannot start", "err", err)
		if told := tell(ctx, err); told != nil {
			log.ErrorContext(ctx, "Lambda could not be told", "err", told)
		}
		panic(err) // Lambda starts another process, for the next call
	}
	lambda.Start(h.Invoke)
}

// tell lets Lambda know why the function cannot start, so that whoever calls it
// reads the reason and not only that a process has ended. aws-lambda-go cannot.
func tell(ctx context.Context, cause error) error {
	body, err := json.Marshal(map[string]string{"errorType": "CannotStart", "errorMessage": cause.Error()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second) // it may be time that ran out
	defer cancel()
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body)) //nolint:gosec // the address is Lambda's own
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy of the settings stands between
	res, err := client.Do(req)                                                  //nolint:gosec // the same
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// startFor is within the ten seconds that Lambda gives to initialise.
const startFor = 9 * time.Second

// complete reports what the topology entry grants and no part has filled in.
func (a *Assembly) complete() error {
	f := a.Function
	switch {
	case f.SendsMail && !a.Sends(), f.Suppressions && a.Consents.Suppressions == nil, f.Sources && !a.Reaches(), f.Exports != topology.None && a.Requests.Downloads == nil,
		f.Exports >= topology.Append && a.Requests.Exports == nil, len(f.Sends) > 0 && !a.Wakes(), f.Feed != nil && a.Hear == nil, f.HearsApps() && a.AppKeys == nil, len(f.Routes) > 0 && a.HTTP == nil,
		f.Publishes && a.Bus == nil, f.Editions && a.Editions.Profile == nil, f.Checkpoints != topology.None && !a.Proves(), f.Checkpoints >= topology.Append && !a.Seals():
		return fmt.Errorf("boot: the main of %s names fewer parts than its topology entry grants", f.Name)
	}
	return nil
}

// config is what LoadDefaultConfig would find in Lambda, without the megabytes
// that look elsewhere (docs/decisions/0004-boot.md). The credentials of a sandbox
// do not change while it lives. AWS_ENDPOINT_URL leads all calls elsewhere, for
// tests; no stack sets it.
func config() aws.Config {
	cfg := aws.Config{
		Region:     os.Getenv("AWS_REGION"),
		HTTPClient: impatient(),
		APIOptions: []func(*middleware.Stack) error{watched},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "Lambda",
			}, nil
		}),
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	return cfg
}

// impatient gives up on a call that nobody answers, so that it can be repeated
// while there is time, also when the function starts. The SDK alone would wait for
// as long as the function may run. Only the answer's beginning is waited for: a
// large body takes the time it takes.
func impatient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = 3 * time.Second }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = 5 * time.Second })
}

func now() time.Time { return time.Now().UTC() }

// openRing opens the key ring, one KMS call per cold start. In a fresh
// installation there is none until a function that may write the Keys table
// started: until then the others have nothing to do, and kms.ErrNone is no failure.
func (a *Assembly) openRing(ctx context.Context) error {
	if a.Function.Tables.Keys == topology.None || a.Opened() {
		return nil
	}
	keeper := kms.New(a.AWS, a.Setting(topology.MasterKey), a.Table)
	open := keeper.Open
	if a.Function.Tables.Keys >= topology.Update {
		open = keeper.OpenOrMake
	}
	ring, err := open(ctx)
	if err != nil {
		return fmt.Errorf("boot: open the key ring: %w", err)
	}
	a.Open(ring)
	return nil
}

// newHandler joins what the entry declares with what answers it.
func newHandler(a *Assembly) (*handler, error) {
	h := &handler{a: a, jobs: job.Jobs(a.Desk)[a.Function.Name]}
	h.http = a.HTTP
	for _, s := range a.Function.Schedules {
		if h.jobs[s.Job] == nil {
			return nil, fmt.Errorf("boot: %s has no job %q", a.Function.Name, s.Job)
		}
	}
	return h, nil
}
