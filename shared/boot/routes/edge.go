package routes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/httpapi"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const (
	// reread is how long a secret of the edge that somebody did not match is left alone.
	reread = 5 * time.Minute
	// shortest is the least that a secret of the edge has, in characters.
	shortest = 16
)

// edge knows the secrets that the edge before the API may send along: one, or two on
// two lines while one is replaced by the other.
type edge struct {
	read func(context.Context) (string, error)
	now  func() time.Time
	log  *slog.Logger

	mu      sync.Mutex
	at      time.Time // of the last try
	secrets []string
}

// edgeOf reads the secret of the edge, if the installation has one.
func edgeOf(ctx context.Context, a *boot.Assembly) (func(context.Context, string) bool, error) {
	arn := a.Setting(topology.EdgeSecret)
	if arn == topology.NoValue {
		return nil, nil
	}
	client := secretsmanager.NewFromConfig(a.AWS)
	e := &edge{now: a.Now, log: a.Log, read: func(ctx context.Context) (string, error) {
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.SecretString), nil
	}}
	if err := e.look(ctx); err != nil {
		return nil, fmt.Errorf("read the secret of the edge %s: %w", arn, err)
	}
	return e.admits, nil
}

// look reads the secrets. Without one, nobody would be let in.
func (e *edge) look(ctx context.Context) error {
	e.at = e.now()
	text, err := e.read(ctx)
	if err != nil {
		return err
	}
	var secrets []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) >= shortest {
			secrets = append(secrets, line)
		}
	}
	if len(secrets) == 0 || len(secrets) > 2 {
		return errors.New("it must hold one secret of 16 characters or more on a line of its own, or two")
	}
	e.secrets = secrets
	return nil
}

// admits reports whether a call came by the edge. One that did not may come by an edge
// whose secret is new: it is read again, once in a while.
func (e *edge) admits(ctx context.Context, header string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if httpapi.SameEdge(header, e.secrets) {
		return true
	}
	if e.now().Sub(e.at) < reread {
		return false
	}
	if err := e.look(ctx); err != nil {
		e.log.WarnContext(ctx, "the secret of the edge cannot be read again; the one that is known counts", "err", err)
		return false
	}
	return httpapi.SameEdge(header, e.secrets)
}
