// Package operate is what somebody does to a whole installation from outside: see
// whether it works, sign in to it, take it down, and leave with everything that is in
// it. It works with the credentials of who runs it, never with a function's, and is no
// part of what is deployed.
//
// infra/local's commands import it, so that they need no code of AWS themselves. It
// imports the domain, the adapters of our own tables and key, and the SDK.
package operate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
)

// Account is an AWS account in one region, as whoever runs the command may see it.
type Account struct {
	AWS aws.Config
	// Names looks names up; nil: as this machine does.
	Names Names
	// Web calls the installation's own address; nil: with a client of our own.
	Web *http.Client
	Now func() time.Time
	// pause waits while something takes its time; tests do not.
	pause func(context.Context, time.Duration) error
}

// Names looks up names in the DNS.
type Names interface {
	LookupCNAME(ctx context.Context, host string) (string, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// Open finds credentials and the region as AWS's own command line does. A region or
// profile that is given takes precedence.
func Open(ctx context.Context, region, profile string) (*Account, error) {
	var options []func(*config.LoadOptions) error
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("find credentials; sign in as for AWS's own command line, or name a profile with -profile: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("say with -region in which region the installation is, such as eu-west-3")
	}
	return &Account{AWS: cfg, Now: time.Now}, nil
}

func (a *Account) names() Names {
	if a.Names != nil {
		return a.Names
	}
	return net.DefaultResolver
}

func (a *Account) web() *http.Client {
	if a.Web != nil {
		return a.Web
	}
	return &http.Client{Timeout: 20 * time.Second}
}

func (a *Account) wait(ctx context.Context, d time.Duration) error {
	if a.pause != nil {
		return a.pause(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// code is how a service names its refusal; empty if err is none.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}
